"""Deciding with z3 whether two forms that are written differently are the same."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.network import Domain
from logic.proving.forms import Form, Key, reduced
from logic.proving.guards import Guard
from logic.proving.obligations import Obligation, guards_differ

TIMEOUT_S = 2.0
MOST_FAILURES = 50


class Equivalence:
    """Asks z3, each question once; after many failures it gives up at once, for a sentence of something else.

    `remark` says why the last question was not proved.
    """

    def __init__(self, domain: Domain, alphabet: Sequence[str]) -> None:
        self.domain, self.alphabet = domain, alphabet
        self.answers: dict[str, str] = {}
        self.guards: dict[tuple[Guard, Guard], bool] = {}
        self.failures = 0
        self.remark = ""

    def proved(self, left: Form, right: Form, gate: bool) -> bool:
        """Tell whether two gates, or two sums, are proved equal at every length, whatever their atoms are."""
        left = self.with_guards_of(left, right)
        if left == right or (gate and reduced(left) == reduced(right)):
            return True
        answer = self.ask(Obligation(self.domain, self.alphabet).differ(left, right, gate))
        self.remark = "" if answer in ("sat", "unsat") else f" (z3: {answer})"
        return answer == "unsat"

    def with_guards_of(self, left: Form, right: Form) -> Form:
        """Rewrite counts of the left form to equivalent guards of the right one."""
        ours, theirs = guards_of(left) - guards_of(right), guards_of(right) - guards_of(left)
        chosen = {}
        for guard in sorted(ours, key=repr):
            for other in sorted(theirs, key=repr):
                if self.same_guard(guard, other):
                    chosen[guard] = other
                    break
        if not chosen:
            return left
        result = Form({}, left.length, left.const)
        for key, coef in left.terms.items():
            result.add_key(("count", chosen.get(key[1], key[1]), key[2]) if is_count(key) else key, coef)
        return result

    def same_guard(self, left: Guard, right: Guard) -> bool:
        """Tell whether two guards are proved equivalent at all positions."""
        if (left, right) not in self.guards:
            query = guards_differ(left, right, self.domain)
            self.guards[left, right] = query is not None and self.ask(query) == "unsat"
        return self.guards[left, right]

    def ask(self, query: str) -> str:
        """Answer a query: "sat", "unsat", or why there is no answer."""
        from logic.smt.monolithic import solve

        if query not in self.answers:
            if self.failures >= MOST_FAILURES:
                return "not asked after many differences"
            self.answers[query] = solve(query, TIMEOUT_S)
            self.failures += self.answers[query] != "unsat"
        return self.answers[query]


def is_count(key: Key) -> bool:
    """Tell whether a key is a count."""
    return type(key) is tuple and key[0] == "count"


def guards_of(form: Form) -> set[Guard]:
    """The guards of the counts in a form."""
    return {key[1] for key in form.terms if is_count(key)}
