"""Obligations in SMT-LIB: two forms, or two guards, are the same whatever their atoms are.

The query is unsatisfiable when the claim holds at every length. Atoms are free: an indicator is any Boolean, a defined sum any
integer, a count of something natural under a guard any number between 0 and the number of positions with that guard. That
allows more than there is, so "satisfiable" says only that this argument does not suffice. Known facts about atoms: at most one
letter stands at a place, and exactly one inside the word; conditions on positions have their meaning.

Symbols are numbered as they occur, so that one text states the obligation of all elements of a template.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits import positions
from circuits.network import Domain
from logic.proving import guards
from logic.proving.forms import Form, Key, is_bit, is_natural, thaw
from logic.proving.guards import Guard, number
from logic.syntax import Letter, Term

_MOST_LETTERS = 40


class Obligation:
    """Collects declarations and facts while forms are written."""

    def __init__(self, domain: Domain, alphabet: Sequence[str]) -> None:
        self.domain, self.alphabet = domain, alphabet
        self.symbols: dict[Key, str] = {}
        self.lines: list[str] = []
        self.letters: dict[Term, list[str]] = {}
        self.variables: set[str] = set()

    def differ(self, left: Form, right: Form, gate: bool) -> str:
        """The query whether two gates, or two sums, can differ."""
        if gate:
            claim = f"(xor (>= {self.total(left)} 0) (>= {self.total(right)} 0))"
        else:
            claim = f"(not (= {self.total(left)} {self.total(right)}))"
        return self.script(claim)

    def script(self, claim: str) -> str:
        """The whole query."""
        for term, known in list(self.letters.items()):
            self.one_letter(term, known)
        bounds = [f"(>= n {max(1, self.domain.least)})"]
        if self.domain.most is not None:
            bounds.append(f"(<= n {self.domain.most})")
        header = ["(declare-const n Int)", *(f"(assert {bound})" for bound in bounds)]
        for name in sorted(self.variables):
            header += [f"(declare-const @{name} Int)", f"(assert (<= 1 @{name} n))"]
        return "\n".join([*header, *self.lines, f"(assert {claim})"])

    def one_letter(self, term: Term, known: list[str]) -> None:
        """Assert that no two letters stand at a place and, if it lies inside every word, that one does."""
        if len(self.alphabet) > _MOST_LETTERS:
            return
        all_known = [self.symbol(Letter(letter, term)) for letter in self.alphabet] if self.is_inside(term) else known
        ones = " ".join(f"(ite {name} 1 0)" for name in all_known)
        self.lines.append(f"(assert ({'=' if self.is_inside(term) else '>='} 1 (+ 0 {ones})))")

    def is_inside(self, term: Term) -> bool:
        """Tell whether a term is a position of every word, whatever its variables are."""
        if term.variable is not None:
            return True
        return not term.coefs and positions.is_safe(positions.Term((), term.n, term.const), self.domain.least)

    def total(self, form: Form) -> str:
        """A form as an integer term."""
        parts = []
        for key, coef in form.terms.items():
            text = self.text(key)
            value = f"(ite {text} 1 0)" if is_bit(key) else text
            parts.append(value if coef == 1 else f"(* {number(coef)} {value})")
        return f"(+ {' '.join(parts)} (* {number(form.length)} n) {number(form.const)})"

    def text(self, key: Key) -> str:
        """A key: a Boolean formula if it is a bit, else an integer term."""
        if type(key) is tuple:
            match key:
                case ("guard", guard):
                    written = self.guard(guard)
                    if written is not None:
                        return written
                case ("gate", frozen):
                    return f"(>= {self.total(thaw(frozen))} 0)"
                case ("iff", sides):
                    one, other = (self.total(thaw(side)) for side in sorted(sides, key=repr))
                    return f"(= {one} {other})"
        return self.symbol(key)

    def guard(self, guard: Guard) -> str | None:
        """A guard, with its variables declared; None if it has no SMT-LIB form."""
        written = guards.to_smtlib(guard)
        if written is not None:
            self.variables |= guards.variables(guard)
        return written

    def symbol(self, key: Key) -> str:
        """The constant that stands for an atom, declared with what is known of it."""
        if key in self.symbols:
            return self.symbols[key]
        name = self.symbols[key] = f"s{len(self.symbols)}"
        self.lines.append(f"(declare-const {name} {'Bool' if is_bit(key) else 'Int'})")
        if isinstance(key, Letter):
            self.letters.setdefault(key.term, []).append(name)
        if type(key) is tuple and key[0] == "count" and is_natural(key):
            self.lines.append(f"(assert (>= {name} 0))")
            _, guard, inner = key
            if inner is None:
                self.lines.append(f"(assert (<= {name} n))")
            elif is_bit(inner):
                most = "n" if guard == guards.TRUE else self.symbol(("count", guard, None))
                self.lines.append(f"(assert (<= {name} {most}))")
        return name


def guards_differ(left: Guard, right: Guard, domain: Domain) -> str | None:
    """The query whether two guards can differ at some positions; None if one has no SMT-LIB form."""
    query = Obligation(domain, ())
    texts = query.guard(left), query.guard(right)
    return None if None in texts else query.script(f"(xor {texts[0]} {texts[1]})")
