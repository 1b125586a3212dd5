"""Circuit = sentence at every length: each definition says what the family's arrays say.

By induction along the family's entries: if the names that a definition mentions mean what the elements of these names compute,
and the definition is, as a linear form, the element's wires and threshold, then it means what the element computes, at every
n and all positions. Nothing is emitted again: the sentence is taken as it was parsed and compared with the matrices. Equal
forms need no solver; unequal ones are given to z3 with all atoms free, and what z3 does not prove stays open.

Only what the decision reads is compared. Letters, propositions and definitions that nothing reads may differ.
"""

from __future__ import annotations

import time

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Entry, InputBits, label
from circuits.family import Family
from logic.proving.differences import difference
from logic.proving.equivalence import Equivalence
from logic.proving.family_forms import FamilyForms, decision_bits, needed_elements
from logic.proving.forms import Form, reduced
from logic.proving.guards import level_name
from logic.proving.sentence_forms import Scope, SentenceForms
from logic.semantics import deep_recursion
from logic.syntax import Definition, Sentence, Sum, Term
from logic.telling import Progress, silent
from logic.verdicts import Lemma, Proof

MOST_OPEN = 100


def prove_circuit_sentence(
    family: Family, sentence: Sentence, progress: Progress = silent, readout: str | None = None
) -> Proof:
    """Prove that a sentence defines every element that the family's decision needs, and decides a decision bit.

    Args:
        progress: called with one line for every stage.
        readout: the decision bit that the last formula must be; by default any, which the last lemma names
            (`decided_bit` returns it alone).

    Returns:
        The lemmas, one for each entry and method, and what stayed open. If nothing did, every definition has the value of its
        element at every length of the domain, all words over the alphabet and all positions.
    """
    return CircuitSentence(family, sentence, progress, readout).run()


def decided_bit(family: Family, sentence: Sentence) -> str | None:
    """The decision bit that the last formula is, given that the definitions mean what the family's elements compute."""
    check = CircuitSentence(family, sentence, silent, None)
    with deep_recursion():
        return None if check.unusable() else check.last_formula()


class CircuitSentence:
    """One proof: the definitions by name, the forms of both sides, and what was found so far."""

    def __init__(self, family: Family, sentence: Sentence, progress: Progress, readout: str | None) -> None:
        self.family, self.sentence, self.progress, self.readout = family, sentence, progress, readout
        self.forms: dict[str, Form] = {}
        self.definitions: dict[str, Definition] = {definition.name: definition for definition in sentence.definitions}
        self.theirs = FamilyForms(family)
        self.ours = SentenceForms()
        self.equivalence = Equivalence(family.domain, family.alphabet)
        self.lemmas: list[Lemma] = []
        self.open: list[str] = []
        self.silenced = 0

    def run(self) -> Proof:
        """Compare entry by entry, then the last formula."""
        self.open = self.unusable()
        if self.open:
            return Proof((), tuple(self.open))
        needed = needed_elements(self.family)
        total = sum(int(needed[entry.name].sum()) for entry in self.family.entries if not isinstance(entry, InputBits))
        self.progress(f"comparing {total:,} definitions with the circuit")
        with deep_recursion():
            for entry in self.family.entries:
                elements = [int(element) for element in needed[entry.name].nonzero()[0]]
                if elements and not isinstance(entry, InputBits):
                    self.entry(entry, elements)
            self.formula()
        if self.silenced:
            self.open.append(f"and {self.silenced} more definitions")
        return Proof(tuple(self.lemmas), tuple(self.open))

    def unusable(self) -> list[str]:
        """Why the sentence as a whole cannot be compared: errors in it, another alphabet, other inputs."""
        try:
            self.sentence.check()
        except FomError as error:
            return [f"the sentence is not well formed: {found.message}" for found in error.diagnostics]
        family, sentence = self.family, self.sentence
        inputs = [entry for entry in family.entries if isinstance(entry, InputBits)]
        bits = [label(entry, element) for entry in inputs for element in range(entry.size)]
        found = []
        for what, ours, theirs in (
            ("letters", sentence.letters, family.alphabet),
            ("propositions", sentence.propositions, bits if family.inputs else ()),
        ):
            if set(ours) != set(theirs):
                odd = sorted(set(ours) ^ set(theirs))
                found.append(f"the {what} of the sentence and the circuit differ: {', '.join(odd[:5])}")
        return found

    def entry(self, entry: Entry, elements: list[int]) -> None:
        """Compare the definitions of one entry; one lemma for those with equal forms, one for those that z3 proves."""
        started = time.perf_counter()
        same, asked, seconds = 0, 0, 0.0
        for element, theirs in zip(elements, self.theirs.of_entry(entry, elements), strict=True):
            name = label(entry, element)
            ours = self.form(name, entry)
            if ours is None:
                continue
            is_gate = not isinstance(entry, Accumulator)
            if ours == theirs or (is_gate and reduced(ours) == reduced(theirs)):
                same += 1
                continue
            began = time.perf_counter()
            if self.equivalence.proved(ours, theirs, is_gate):
                asked += 1
            else:
                self.leave_open(f"`{name}`: {difference(ours, theirs, is_gate)}{self.equivalence.remark}")
            seconds += time.perf_counter() - began
        kind = "sums" if isinstance(entry, Accumulator) else "gates"
        if same:
            spent = time.perf_counter() - started - seconds
            statement = f"{entry.name}: the definitions of {same} {kind} have the weights and thresholds of the circuit"
            self.lemmas.append(Lemma(statement, "coefficients", same, spent))
        if asked:
            statement = (
                f"{entry.name}: the definitions of {asked} {kind} are equivalent to the circuit's, whatever they read"
            )
            self.lemmas.append(Lemma(statement, "z3", asked, seconds))

    def form(self, name: str, entry: Entry) -> Form | None:
        """The form of a definition; None, with the reason left open, if there is none of the right kind."""
        if name in self.forms:
            return self.forms[name]
        definition = self.definitions.get(name)
        is_sum = isinstance(entry, Accumulator)
        if definition is None:
            self.leave_open(f"`{name}` is not defined")
        elif isinstance(definition.body, Sum) != is_sum:
            kinds = ("a sum", "a relation")
            self.leave_open(f"`{name}` is {kinds[is_sum]} in the sentence and {kinds[not is_sum]} in the circuit")
        elif len(definition.params) != entry.n_positions:
            self.leave_open(f"`{name}` has {len(definition.params)} parameters, {entry.n_positions} in the circuit")
        else:
            try:
                return self.ours.of_definition(definition)
            except FomError as error:
                self.leave_open(f"`{name}`: {error.diagnostics[0].message}")
        return None

    def leave_open(self, what: str) -> None:
        """Note what was not proved, up to a number of entries."""
        if len(self.open) < MOST_OPEN:
            self.open.append(what)
        else:
            self.silenced += 1

    # The last formula.

    def formula(self) -> None:
        """Find the decision bit that the last formula is."""
        started = time.perf_counter()
        decided = self.last_formula()
        labels = [label(entry, element) for entry, element in decision_bits(self.family)]
        if decided is None:
            self.open.append(f"the last formula is not shown to be one of the decision bits {', '.join(labels[:5])}")
        elif self.readout not in (None, decided):
            self.open.append(f"the last formula decides `{decided}`, not `{self.readout}`")
        else:
            statement = f"the sentence decides `{decided}`"
            self.lemmas.append(Lemma(statement, "structure", 1, time.perf_counter() - started))

    def last_formula(self) -> str | None:
        """The label of the decision bit that the last formula is: by name, or as the gate of that bit; else by z3."""
        family, sentence = self.family, self.sentence
        if len(sentence.free) != family.readout.n_positions:
            return None
        try:
            ours = reduced(self.ours.gate(sentence.formula, Scope.of(sentence.free)))
        except FomError:
            return None
        args = tuple([Term(((level_name(level), 1),)) for level in range(family.readout.n_positions)])
        bits = decision_bits(family)
        named = [Form({self.theirs.atom(entry, element, args): 1}, 0, -1) for entry, element in bits]
        gates = [next(self.theirs.of_entry(entry, [element]), None) for entry, element in bits]
        for (entry, element), name, gate in zip(bits, named, gates, strict=True):
            if ours == name or (gate is not None and ours == reduced(gate)):
                return label(entry, element)
        for (entry, element), name, gate in zip(bits, named, gates, strict=True):
            if any(form is not None and self.equivalence.proved(ours, form, True) for form in (name, gate)):
                return label(entry, element)
        return None
