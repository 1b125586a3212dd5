"""From a family of threshold circuits to a sentence of FO(M): every template and every shared sum is read off as definitions.

Element i of a template becomes the definition of a relation over the template's position variables; wires over all positions y
with a guard become a counted variable; an accumulator becomes the definition of a sum. The sentence does not mention n except
as the term `n`, so it is the same for every length.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

import numpy as np

from circuits import positions
from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires, label
from circuits.family import Family
from logic.syntax import (
    FALSE,
    TRUE,
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Formula,
    Indicator,
    Item,
    Letter,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    all_of,
    any_of,
    at_least,
)

VARIABLES = ("x", "y", "z", "u", "v", "w")


def family_to_sentence(family: Family, readout: str | None = None) -> Sentence:
    """Write a family as definitions and a last formula that decides the readout.

    Args:
        readout: the decision bit that the formula names, by default class 1 of several classes, the sign of a single logit, or
            the highest bit of an output word. A readout at every position leaves the variable x free.
    """
    definitions: list[Definition] = []
    propositions: list[str] = []
    for entry in family.entries:
        if isinstance(entry, InputBits):
            if family.inputs:
                propositions.extend(label(entry, element) for element in range(entry.size))
            continue
        definitions.extend(definitions_of(family, entry))
    args = (variable(0),) * family.readout.n_positions
    chosen = readout or decision_labels(family)[default_decision(family)]
    known = {definition.name for definition in definitions if isinstance(definition.body, Formula)}
    if chosen not in known:
        raise fail(
            "L060",
            f"the readout `{chosen}` is no relation of this sentence",
            help=f"choose one of {', '.join(decision_labels(family))}",
        )
    return Sentence(family.alphabet, tuple(propositions), tuple(definitions), Call(chosen, args))


def decision_labels(family: Family) -> list[str]:
    """The relations that together are the decision: one for each class, or the bits of the word from bit 0 up."""
    decision = family.by_name[family.readout.decision]
    if isinstance(decision, Gates):
        return [label(decision, element) for element in range(decision.size)]
    bits = [family.by_name[f"{decision.name}.{bit}"] for bit in range(family.decision_format.bits)]
    return [label(bit, element) for element in range(decision.size) for bit in bits]


def default_decision(family: Family) -> int:
    """The place in `decision_labels` that the sentence decides unless told otherwise."""
    return 1 if family.readout.kind == "classes" else len(decision_labels(family)) - 1


def variable_name(index: int) -> str:
    """The name of position variable number `index`."""
    return VARIABLES[index] if index < len(VARIABLES) else f"x{index}"


def variable_names(count: int) -> tuple[str, ...]:
    """The names of the first position variables."""
    return tuple(map(variable_name, range(count)))


def variable(index: int) -> Term:
    """The term of position variable number `index`."""
    return Term(((variable_name(index), 1),))


def term_of(given: positions.Term) -> Term:
    """An index term over the named variables."""
    return Term.make({variable_name(v): coef for v, coef in given.coefs}, given.n_coef, given.const)


def definitions_of(family: Family, entry: Gates | Accumulator | PredicateBits) -> Iterator[Definition]:
    """The definitions of one entry, one for each element."""
    params = variable_names(entry.n_positions)
    comment = describe(entry)
    if isinstance(entry, PredicateBits):
        for element, guard in enumerate(entry.guards):
            yield Definition(label(entry, element), params, guard_to_formula(guard), comment if not element else "")
        return
    items: list[list[tuple[int, Item]]] = [[] for _ in range(entry.size)]
    for wires in entry.wires:
        add_items(family, entry, wires, items)
    for element in range(entry.size):
        found = tuple(items[element])
        body: Formula | Sum
        if isinstance(entry, Gates):
            body = gate_to_formula(found, int(entry.thresholds[element]))
        else:
            body = Sum(found, int(entry.length[element]), int(entry.const[element]))
        yield Definition(label(entry, element), params, body, comment if not element else "")


def describe(entry: Entry) -> str:
    """A comment for the first definition of an entry."""
    kind = {Gates: "gates", Accumulator: "sums", PredicateBits: "conditions on positions"}[type(entry)]
    at = f" at every ({', '.join(variable_names(entry.n_positions))})" if entry.n_positions else ""
    return f"{entry.name}: {entry.size} {kind}{at}"


def add_items(family: Family, entry: Gates | Accumulator, wires: Wires, items: list[list[tuple[int, Item]]]) -> None:
    """Append to every element the weighted items that come from one bundle of wires."""
    args = tuple(term_of(term) for term in wires.at)
    source = family.by_name[wires.source]
    starts, columns, weights = (
        array.tolist() for array in (wires.matrix.indptr, wires.matrix.indices, wires.matrix.data)
    )
    known = {column: item_of(family, source, column, args) for column in set(columns)}
    rows = np.flatnonzero(np.diff(wires.matrix.indptr)).tolist()
    if wires.guard is None:
        for row in rows:
            first, last = starts[row], starts[row + 1]
            items[row].extend(
                (weight, known[column]) for column, weight in zip(columns[first:last], weights[first:last], strict=True)
            )
        return
    bound, condition = variable_name(entry.n_positions), guard_to_formula(wires.guard)
    for row in rows:
        first, last = starts[row], starts[row + 1]
        weight, item = weights[first], known[columns[first]]
        if last == first + 1 and isinstance(item, Indicator):
            parts = [part for part in (condition, item.formula) if part != TRUE]
            items[row].append((weight, Count(bound, all_of(parts))))
        else:
            read = zip(columns[first:last], weights[first:last], strict=True)
            items[row].append((1, Count(bound, condition, Sum(tuple((w, known[column]) for column, w in read)))))


def item_of(family: Family, source: Entry, element: int, args: tuple[Term, ...]) -> Item:
    """The item that reads one element of a source."""
    if isinstance(source, Accumulator):
        return SumCall(label(source, element), args)
    if isinstance(source, InputBits) and not family.inputs:
        return Indicator(Letter(family.alphabet[element], args[0]))
    return Indicator(Call(label(source, element), args))


def gate_to_formula(items: tuple[tuple[int, Item], ...], threshold: int) -> Formula:
    """A threshold gate as a formula: a connective or a quantifier where it is one, else a linear counting atom."""
    formulas = [item.formula for weight, item in items if weight == 1 and isinstance(item, Indicator)]
    if len(formulas) == len(items) > 0:
        if threshold == len(items):
            return all_of(formulas)
        if threshold == 1:
            return any_of(formulas)
    if threshold == 0 and len(items) == 1 and items[0][0] == -1 and isinstance(items[0][1], Indicator):
        return Not(items[0][1].formula)
    if threshold == 1 and all(weight == 1 for weight, _ in items) and items:
        parts = [exists_of(item) for _, item in items]
        if all(part is not None for part in parts):
            return any_of([part for part in parts if part is not None])
    return at_least(Sum(items, 0, 0), threshold)


def exists_of(item: Item) -> Formula | None:
    """The formula that says an item is at least 1, if it is a formula or a count of one."""
    match item:
        case Indicator(formula):
            return formula
        case Count(bound, condition, weight):
            if weight == Sum((), 0, 1):
                return Exists(bound, condition)
            inner = [part.formula for coef, part in weight.items if coef == 1 and isinstance(part, Indicator)]
            if len(inner) == len(weight.items) and not weight.const and not weight.length:
                return Exists(bound, all_of([part for part in (condition, any_of(inner)) if part != TRUE]))
    return None


def guard_to_formula(guard: positions.Guard) -> Formula:
    """A condition on positions as a quantifier-free formula (a congruence needs one quantifier)."""
    match guard:
        case positions.AtLeast(term):
            low, high = sides(term)
            return Compare("<=", low, high)
        case positions.Equals(term):
            low, high = sides(term)
            return Compare("=", high, low)
        case positions.Congruent(term, modulus):
            whole = term_of(term)
            multiple = Term.make({"q": modulus})
            zero = Compare("=", whole, Term())
            return Or((zero, Exists("q", Or((Compare("=", multiple, whole), Compare("=", multiple * -1, whole))))))
        case positions.Bit(number, place):
            return Bit(term_of(number), term_of(place))
        case positions.Not(part):
            return Not(guard_to_formula(part))
        case positions.All(parts):
            return (
                And(tuple(map(guard_to_formula, parts)))
                if len(parts) > 1
                else (guard_to_formula(parts[0]) if parts else TRUE)
            )
        case positions.Any_(parts):
            return (
                Or(tuple(map(guard_to_formula, parts)))
                if len(parts) > 1
                else (guard_to_formula(parts[0]) if parts else FALSE)
            )
        case _:
            assert_never(guard)


def sides(term: positions.Term) -> tuple[Term, Term]:
    """Split ``term >= 0`` into ``low <= high`` without negative coefficients."""
    named = {variable_name(v): coef for v, coef in term.coefs}
    high = Term.make({v: c for v, c in named.items() if c > 0}, max(term.n_coef, 0), max(term.const, 0))
    low = Term.make({v: -c for v, c in named.items() if c < 0}, max(-term.n_coef, 0), max(-term.const, 0))
    return low, high
