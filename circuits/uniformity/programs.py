"""The direct connection language: `node`, `edge`, `threshold` and `constant` as straight-line programs over the fields of ids.

Each reads the finite description and executes a number of word operations that depends on the kinds of its nodes and not on n.
The programs of all pairs of kinds stand in one constant table; looking the right one up is one operation. An id may be an
integer or an array of integers: the program is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from circuits.entries import PredicateBits
from circuits.positions import var
from circuits.uniformity.conditions import count_places, guard_truth, term_value
from circuits.uniformity.description import Description, Kind, Places, Rule
from circuits.uniformity.layout import Fields
from circuits.uniformity.machine import TABLE, Machine, Word

NONE = -1


def node(description: Description, n: int, number: Word, machine: Machine | None = None) -> Word:
    """The number of the kind of a node, or `NONE` if the id is no node of the circuit for length n."""
    machine = machine or Machine()
    fields, valid = read_id(description, machine, n, number)
    return machine.choose(valid, fields.template, NONE)


def read_id(description: Description, machine: Machine, n: int, number: Word) -> tuple[Fields, Word]:
    """The fields of an id and whether it is a node; the template and element of what is no node are harmless numbers."""
    fields = description.layout.decode(machine, n, number)
    unused = len(description.kinds)
    known = machine.both(machine.at_most(0, fields.template), machine.at_most(fields.template, unused - 1))
    template = machine.choose(known, fields.template, unused)
    valid = machine.at_most(machine.add(fields.element, 1), machine.look_up(description.sizes, template))
    for position, has in zip(fields.positions, description.has_position, strict=True):
        least = machine.look_up(has, template)
        most = machine.choose(least, n, 0)
        inside = machine.both(machine.at_most(least, position), machine.at_most(position, most))
        valid = machine.both(valid, inside)
    element = machine.choose(valid, fields.element, 0)
    return Fields(machine.choose(valid, template, unused), fields.positions, element), valid


def edge(description: Description, n: int, source: Word, reader: Word, machine: Machine | None = None) -> Word:
    """The weight of the wire from node `source` to node `reader`, 0 if there is none."""
    machine = machine or Machine()
    read, _ = read_id(description, machine, n, source)
    at, _ = read_id(description, machine, n, reader)
    key = machine.add(machine.times(at.template, len(description.kinds) + 1), read.template)

    def run(number: int, read: Fields, at: Fields) -> Word:
        pair = divmod(number, len(description.kinds) + 1)
        weight: Word = 0
        for rule in description.rules.get(pair, ()):
            weight = machine.add(weight, rule_weight(description, machine, n, rule, read, at))
        return weight

    return dispatch(machine, key, run, read, at)


def threshold(description: Description, n: int, number: Word, machine: Machine | None = None) -> Word:
    """The threshold of a gate, 0 for what is no gate."""
    machine = machine or Machine()
    fields, _ = read_id(description, machine, n, number)

    def run(template: int, fields: Fields) -> Word:
        given = description.kinds[template].threshold if template < len(description.kinds) else None
        if given is None:
            return 0
        kind = description.kinds[template]
        total = machine.look_up(given.const, fields.element)
        values = fields.positions[: kind.n_positions]
        counted: list[tuple[Word, np.ndarray[Any, Any]]] = [(n, given.length)] if given.length.any() else []
        for one in given.counts:
            count = count_places(machine, one.guard, n, values)
            counted += [(count, one.each)] if one.each.any() else []
            counted += [(machine.multiply(count, n), one.by_length)] if one.by_length.any() else []
        for word, each in counted:
            bits = int(np.abs(each).max()).bit_length()
            part = machine.product(word, machine.look_up(each, fields.element), bits)
            total = machine.add(total, part)
        return total

    return dispatch(machine, fields.template, run, fields)


def constant(description: Description, n: int, number: Word, machine: Machine | None = None) -> Word:
    """The value of a constant, 0 for what is none."""
    machine = machine or Machine()
    fields, _ = read_id(description, machine, n, number)
    sizes = description.sizes
    widest = int(sizes.max())
    key = machine.add(machine.times(fields.template, widest), fields.element)

    def run(number: int, fields: Fields) -> Word:
        template, element = divmod(number, widest)
        kind = description.kinds[template] if template < len(description.kinds) else None
        if kind is None or not isinstance(kind.entry, PredicateBits):
            return 0
        return guard_truth(machine, kind.entry.guards[element], n, fields.positions[: kind.n_positions])

    return dispatch(machine, key, run, fields)


def dispatch(machine: Machine, key: Word, run: Callable[..., Word], *given: Fields) -> Word:
    """Look up the program with the number `key` and run it; for an array, each program on the part that it is for."""
    machine.done(TABLE, key)
    if not isinstance(key, np.ndarray):
        return run(int(key), *given)
    result = np.zeros(key.shape, dtype=object if key.dtype == object else np.int64)
    for number, where in groups(key):
        result[where] = run(number, *(part(fields, where) for fields in given))
    return result


def groups(key: np.ndarray[Any, Any]) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """The values of an array with the places where they stand."""
    if not key.size:
        return
    order = np.argsort(key, kind="stable")
    values, starts = np.unique(key[order], return_index=True)
    for value, first, last in zip(values, starts, [*starts[1:], len(order)], strict=True):
        yield int(value), order[first:last]


def part(fields: Fields, where: np.ndarray[Any, Any]) -> Fields:
    """The fields at some places of an array of ids."""
    return Fields(fields.template[where], tuple(word[where] for word in fields.positions), fields.element[where])


def rule_weight(description: Description, machine: Machine, n: int, rule: Rule, read: Fields, at: Fields) -> Word:
    """What one rule adds to the weight of a wire between two nodes of its kinds."""
    source: Kind = description.kinds[rule.source]
    places = rule.places
    often = multiplicity(machine, n, places, at.positions[: places.n_positions], read.positions[: source.n_positions])
    weight = rule.table.look_up(machine, at.element, read.element)
    if places.counted:
        return machine.product(often, weight, rule.table.bits)
    return machine.choose(often, weight, 0)


def multiplicity(machine: Machine, n: int, places: Places, reader: Sequence[Word], source: Sequence[Word]) -> Word:
    """How often wires lead from the source's positions to the reader's: 0 or 1, or a count of places y."""
    truth: Word = 1
    values = list(reader)
    if places.guard is not None and places.solved is not None:
        term = places.at[places.solved]
        coef = dict(term.coefs)[places.n_positions]
        rest = term - var(places.n_positions) * coef
        multiple = machine.subtract(source[places.solved], term_value(machine, rest, n, values))
        if coef < 0:
            multiple = machine.subtract(0, multiple)
        y = machine.quotient(multiple, abs(coef))
        truth = machine.both(machine.at_most(1, y), machine.at_most(y, n))
        values.append(y)
    for term, position in zip(places.at, source, strict=True):
        truth = machine.both(truth, machine.equal(term_value(machine, term, n, values), position))
    if places.guard is None:
        return truth
    if places.counted:
        return machine.choose(truth, count_places(machine, places.guard, n, values), 0)
    return machine.both(truth, guard_truth(machine, places.guard, n, values))
