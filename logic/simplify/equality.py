"""Simplified = original at every length, definition by definition, without looking at how it was simplified.

By induction along the original's definitions: every name is read as the original means it. For each name that is in both
sentences, and each that was put in the place of its calls, the original body and the new one are equal, whatever the names in
them mean; a name that was put in place is read as its new body, which is one of the obligations before. So every definition of
the simplified sentence, and its last formula, mean what they meant. Definitions that were dropped need no obligation.
"""

from __future__ import annotations

import time
from collections import ChainMap, Counter, defaultdict
from collections.abc import Mapping

from circuits.diagnostics import FomError
from logic.proving.forms import reduced
from logic.proving.sentence_forms import SentenceForms
from logic.semantics import deep_recursion
from logic.simplify.engine import Simplified
from logic.simplify.pairing import equal_in_pairs
from logic.simplify.queries import Effort, Query
from logic.simplify.ranges import Range
from logic.syntax import (
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Majority,
    Sentence,
    Sum,
    SumCall,
)
from logic.telling import Progress, silent
from logic.verdicts import Lemma, Proof
from logic.walk import Part, postorder

TIMEOUT_S = 5.0
MOST_OPEN = 50

STATEMENTS = {
    "structure": "{} definitions are unchanged",
    "coefficients": "{} definitions have the weights and thresholds that they had",
    "pairs": "{} definitions add up items that are equal in pairs",
    "z3": "{} definitions are equivalent to what they were, whatever they read",
    "ranges": "{} defined sums lie in their ranges",
}


def prove_simplified(original: Sentence, simplified: Simplified, progress: Progress = silent) -> Proof:
    """Prove that a simplified sentence decides what the original does, at every length and for every word.

    Args:
        progress: called with one line for every thousand obligations.

    Returns:
        One lemma for each method, with the number of obligations; if nothing is open, the sentences are equivalent.
    """
    return _Equality(original, simplified, progress).run()


class _Equality:
    def __init__(self, original: Sentence, simplified: Simplified, progress: Progress) -> None:
        self.original, self.simplified = original, simplified
        self.progress = progress
        self.old = {definition.name: definition for definition in original.definitions}
        self.new: dict[str, Definition] = {
            **simplified.inlined, **{one.name: one for one in simplified.sentence.definitions}
        }  # fmt: skip
        self.order = {name: number for number, name in enumerate(self.old)}
        self.forms = SentenceForms()
        self.covers: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.answers: dict[str, bool] = {}
        self.alike: dict[tuple[tuple[str, ...], Formula, Formula], bool] = {}
        self.ranges: dict[str, Range] = {}
        self.open: list[str] = []

    def run(self) -> Proof:
        """Decide every obligation."""
        if (self.original.letters, self.original.propositions) != (
            self.simplified.sentence.letters,
            self.simplified.sentence.propositions,
        ):
            return Proof((), ("the sentences have different letters or propositions",))
        for name in self.new:
            if name not in self.old:
                return Proof((), (f"`{name}` is not defined in the original",))
        with deep_recursion():
            for number, (name, definition) in enumerate(self.old.items()):
                if name in self.new:
                    self.definition(definition, self.new[name])
                if number % 1000 == 999:
                    self.progress(f"{number + 1:,} of {len(self.old):,} definitions compared")
            params = self.original.free
            if not self.simplified.sentence.formula.free <= set(params):
                self.leave_open("the last formula has another free variable")
            else:
                self.obligation("the last formula", params, self.original.formula, self.simplified.sentence.formula)
        lemmas = [
            Lemma(STATEMENTS[method].format(self.covers[method]), "z3" if method in ("pairs", "ranges") else method,
                  self.covers[method], self.seconds[method])
            for method in STATEMENTS if self.covers[method]
        ]  # fmt: skip
        return Proof(tuple(lemmas), tuple(self.open))

    def leave_open(self, what: str) -> None:
        """Note what was not proved."""
        if len(self.open) < MOST_OPEN:
            self.open.append(what)

    def definition(self, old: Definition, new: Definition) -> None:
        """The obligation of one name."""
        name = f"`{old.name}`"
        place = self.order[old.name]
        changed = new.body is not old.body
        later = [called for called in called_names(new.body) if self.order.get(called, -1) >= place] if changed else []
        if later:
            self.leave_open(f"{name} reads `{later[0]}`, which is defined later")
        elif old.params != new.params or isinstance(old.body, Sum) != isinstance(new.body, Sum):
            self.leave_open(f"{name} has other parameters or is of another kind")
        else:
            self.obligation(name, old.params, old.body, new.body)

    def obligation(self, name: str, params: tuple[str, ...], old: Formula | Sum, new: Formula | Sum) -> None:
        """Decide one equality by the cheapest method that does."""
        started = time.perf_counter()
        if old is new:
            method = "structure"
        elif self.same_forms(params, old, new):
            method = "coefficients"
        elif equal_in_pairs(params, old, new, self.unfolded(new), self.equivalent):
            method = "pairs"
        elif self.asked(params, old, new):
            method = "z3"
        else:
            self.leave_open(f"{name}: `{shortened(new)}` is not shown to equal `{shortened(old)}`")
            return
        self.covers[method] += 1
        self.seconds[method] += time.perf_counter() - started

    def same_forms(self, params: tuple[str, ...], old: Formula | Sum, new: Formula | Sum) -> bool:
        """Compare linear forms; they speak of words with a letter, so a closed body must not depend on the length."""
        bodies = [*postorder(old), *postorder(new)]
        lengths = (Exists, Forall, Majority, Count, Compare, Bit)
        if not params and any(isinstance(node, lengths) for node in bodies):
            return False
        try:
            one, other = (
                self.forms.of_definition(Definition("", params, body)) for body in (old, new)
            )  # fmt: skip
        except FomError:
            return False
        return one == other or (isinstance(old, Formula) and reduced(one) == reduced(other))

    def asked(self, params: tuple[str, ...], old: Formula | Sum, new: Formula | Sum) -> bool:
        """Ask z3, with more and more of what is known."""
        unfolded = self.unfolded(new)
        for effort in Effort:
            ranges = self.proved_ranges(old, new) if effort == Effort.RANGES else {}
            if self.unsatisfiable(Query(params, unfolded, ranges, effort).differ(old, new)):
                return True
        return False

    def unfolded(self, new: Formula | Sum) -> Mapping[str, Definition]:
        """What is read as its body: what was put in place, and what the new body is a mere call of."""
        inlined = self.simplified.inlined
        name = ""
        match new:
            case Call(called, _) | Sum(((1, SumCall(called, _)),), 0, 0):
                name = called
        if name in self.new and name not in inlined:
            return ChainMap({name: self.new[name]}, inlined)
        return inlined

    def equivalent(self, variables: tuple[str, ...], one: Formula, other: Formula) -> bool:
        """Ask z3 whether two formulas are equivalent, with their quantifiers and counts as they stand."""
        key = variables, one, other
        if key not in self.alike:
            query = Query(variables, self.simplified.inlined, {}, Effort.ATOMS)
            self.alike[key] = self.unsatisfiable(query.differ(one, other))
        return self.alike[key]

    def unsatisfiable(self, query: str) -> bool:
        """Answer a query, each text once."""
        from logic.smt.monolithic import solve

        if query not in self.answers:
            self.answers[query] = solve(query, TIMEOUT_S) == "unsat"
        return self.answers[query]

    # Ranges.

    def proved_ranges(self, *bodies: Formula | Sum) -> dict[str, Range]:
        """The ranges of the sums that bodies read, directly or not, as far as they are proved."""
        waiting = [name for body in bodies for name in called_names(body)]
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            definition = self.old.get(name)
            if name not in found and definition is not None and isinstance(definition.body, Sum):
                found.add(name)
                if name not in self.ranges:
                    waiting.extend(called_names(definition.body))
        for name in sorted(found, key=self.order.__getitem__):
            claimed = self.simplified.ranges.get(name)
            if name not in self.ranges and claimed is not None:
                self.range(self.old[name], claimed)
        return self.ranges

    def range(self, definition: Definition, claimed: Range) -> None:
        """Prove that the sum of the original lies in a range, given the ranges of the sums it reads."""
        started = time.perf_counter()
        total = definition.body
        inlined = self.simplified.inlined
        if isinstance(total, Sum) and self.unsatisfiable(
            Query(definition.params, inlined, self.ranges, Effort.RANGES).leaves(total, claimed)
        ):
            self.ranges[definition.name] = claimed
            self.covers["ranges"] += 1
            self.seconds["ranges"] += time.perf_counter() - started


def called_names(body: Part) -> list[str]:
    """The names of the definitions and propositions that a body reads."""
    return list(dict.fromkeys(node.name for node in postorder(body) if isinstance(node, Call | SumCall)))


def shortened(body: Part) -> str:
    """The beginning of the text of a body."""
    text = str(body)
    return text if len(text) <= 60 else f"{text[:57]}..."
