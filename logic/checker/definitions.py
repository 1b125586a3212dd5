"""Family = sentence, replayed: every definition has the normal form of the element of its name, or an obligation says why.

All definitions are compared, also those that the decision does not need.
"""

from __future__ import annotations

from collections.abc import Iterator

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Entry, InputBits, PredicateBits, label
from circuits.family import Family
from circuits.formats import BIT
from circuits.matrices import canonical
from circuits.positions import FALSE, var
from logic.checker.linear import Atom, Form, Shapeless, add_count, gate, guard_gate, sorted_guard, sum_of
from logic.checker.record import Record, Rejected, Step, require
from logic.checker.rewritten import differ
from logic.semantics import deep_recursion
from logic.syntax import Definition, Sentence, Sum


def replay_sentence(family: Family, sentence: Sentence, record: Record, decided: str) -> list[Step]:
    """Replay every definition, and that the last formula is the bit `decided`; what covers each entry.

    Raises:
        Rejected: at the first definition that does not hold up.
    """
    try:
        family.check()
        sentence.check()
    except FomError as error:
        raise Rejected("the sentence", error.diagnostics[0].message) from None
    require_inputs(family, sentence)
    definitions = {definition.name: definition for definition in sentence.definitions}
    steps: list[Step] = []
    with deep_recursion():
        steps.extend(
            replay_entry(family, sentence, record, entry, definitions)
            for entry in family.entries
            if not isinstance(entry, InputBits)
        )
        for name in definitions:
            raise Rejected(f"`{name}`", "the family has no such element")
        require_decision(family, sentence, decided)
    return steps


def require_inputs(family: Family, sentence: Sentence) -> None:
    """Require the letters and propositions of the family."""
    bits = [label(entry, e) for entry in family.entries if isinstance(entry, InputBits) for e in range(entry.size)]
    require(sorted(sentence.letters) == sorted(family.alphabet), "the sentence", "its letters are others")
    propositions = bits if family.inputs else []
    require(sorted(sentence.propositions) == sorted(propositions), "the sentence", "its propositions are others")


def replay_entry(
    family: Family, sentence: Sentence, record: Record, entry: Entry, definitions: dict[str, Definition]
) -> Step:
    """Compare the definitions of one entry, which are taken out of `definitions`."""
    obligations: dict[str, None] = {}
    for element, wanted in enumerate(forms_of(family, entry)):
        name = label(entry, element)
        definition = definitions.pop(name, None)
        if definition is None:
            raise Rejected(f"`{name}`", "the sentence does not define it")
        is_sum = isinstance(definition.body, Sum)
        require(is_sum == isinstance(entry, Accumulator), f"`{name}`", "it is a sum on one side only")
        require(len(definition.params) == entry.n_positions, f"`{name}`", "it has another number of parameters")
        if not same(definition, wanted):
            text = differ(definition, wanted, family, sentence.letters)
            obligations[record.obligation(text)] = None
            record.count("rewritten definitions")
        record.count("definitions")
    by = "obligations" if obligations else "coefficients"
    return {"entry": entry.name, "by": by, "count": entry.size, "obligations": sorted(obligations)}


def same(definition: Definition, wanted: Form) -> bool:
    """Tell whether a definition has the wanted normal form."""
    scope = {name: number for number, name in enumerate(definition.params)}
    try:
        if isinstance(definition.body, Sum):
            return sum_of(definition.body, scope) == wanted
        found = gate(definition.body, scope)
    except Shapeless:
        return False
    return found == wanted or found.divided() == wanted.divided()


def forms_of(family: Family, entry: Entry) -> Iterator[Form]:
    """What each element of an entry adds up, a gate's with its threshold subtracted."""
    if isinstance(entry, PredicateBits):
        yield from (guard_gate(sorted_guard(guard)) for guard in entry.guards)
        return
    if isinstance(entry, InputBits):
        return
    bundles = []
    for wires in entry.wires:
        source = family.by_name[wires.source]
        atoms = [atom_of(family, source, element, wires.at) for element in range(source.size)]
        guard = None if wires.guard is None else sorted_guard(wires.guard)
        bundles.append((canonical(wires.matrix), atoms, guard))
    for element in range(entry.size):
        is_sum = isinstance(entry, Accumulator)
        form = Form({}, 0, 0)
        if isinstance(entry, Accumulator):
            form = Form({}, int(entry.length[element]), int(entry.const[element]))
        else:
            form.const = -int(entry.thresholds[element])
        for weights, atoms, guard in bundles:
            row = slice(weights.indptr[element], weights.indptr[element + 1])
            for place, weight in zip(weights.indices[row].tolist(), weights.data[row].tolist(), strict=True):
                if guard is None:
                    form.add(atoms[place], weight)
                elif guard != FALSE:
                    add_count(form, guard, atoms[place], weight)
        yield form if is_sum or form.terms else Form({}, 0, 0 if form.const >= 0 else -1)


def atom_of(family: Family, source: Entry, element: int, at: tuple[object, ...]) -> Atom:
    """The atom that one element of a source is, at some places."""
    if isinstance(source, Accumulator):
        return "sum", label(source, element), at
    if isinstance(source, InputBits) and not family.inputs:
        return "letter", family.alphabet[element], at
    return "bit", label(source, element), at


def decision_entries(family: Family) -> list[Entry]:
    """The entries of the bits of the decision, lowest first."""
    decision = family.by_name[family.readout.decision]
    if family.decision_format == BIT:
        return [decision]
    return [family.by_name[f"{decision.name}.{bit}"] for bit in range(family.decision_format.bits)]


def decision_bits(family: Family) -> list[str]:
    """The relations that together are the decision: the bits of each element."""
    entries = decision_entries(family)
    return [label(entry, element) for element in range(entries[0].size) for entry in entries]


def require_decision(family: Family, sentence: Sentence, decided: str) -> None:
    """Require that the last formula is the named decision bit, by its name or as its gate."""
    require(decided in decision_bits(family), "the readout", f"`{decided}` is no bit of the decision")
    k = family.readout.n_positions
    require(len(sentence.free) == k, "the last formula", "it has another number of free variables than the readout")
    args = tuple(var(number) for number in range(k))
    wanted = [Form({("bit", decided, args): 1}, 0, -1)]
    for entry in decision_entries(family):
        wanted += [form for e, form in enumerate(forms_of(family, entry)) if label(entry, e) == decided]
    formula = Definition(decided, sentence.free, sentence.formula)
    require(any(same(formula, form) for form in wanted), "the last formula", f"it is not `{decided}`")
