"""Conditions on positions as word programs: the value of a term, the truth of a guard, and how many positions satisfy it."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import assert_never

from circuits.diagnostics import fail
from circuits.positions import All, Any_, AtLeast, Bit, Congruent, Equals, Guard, Not, Term, variables_of
from circuits.uniformity.layout import MACHINE_BITS
from circuits.uniformity.machine import Machine, Word

MOST_RESIDUES = 4096


def term_value(machine: Machine, term: Term, n: int, values: Sequence[Word]) -> Word:
    """The value of an index term."""
    factors = [(n, term.n_coef), *((values[variable], coef) for variable, coef in term.coefs)]
    parts: list[Word] = [machine.times(word, coef) for word, coef in factors if coef]
    if term.const or not parts:
        parts.append(term.const)
    total = parts[0]
    for part in parts[1:]:
        total = machine.add(total, part)
    return total


def guard_truth(machine: Machine, guard: Guard, n: int, values: Sequence[Word]) -> Word:
    """1 if a guard holds, else 0; every part is evaluated, whatever the others are."""
    match guard:
        case AtLeast(term):
            return machine.at_most(0, term_value(machine, term, n, values))
        case Equals(term):
            return machine.equal(term_value(machine, term, n, values), 0)
        case Congruent(term, modulus):
            return machine.equal(machine.remainder(term_value(machine, term, n, values), modulus), 0)
        case Bit(number, place):
            return bit_truth(machine, term_value(machine, number, n, values), term_value(machine, place, n, values))
        case Not(part):
            return machine.negation(guard_truth(machine, part, n, values))
        case All(parts):
            truth: Word = 1
            for part in parts:
                truth = machine.both(truth, guard_truth(machine, part, n, values))
            return truth
        case Any_(parts):
            truth = 0
            for part in parts:
                truth = machine.either(truth, guard_truth(machine, part, n, values))
            return truth
        case _:
            assert_never(guard)


def bit_truth(machine: Machine, number: Word, place: Word) -> Word:
    """1 if bit number `place` of a number is 1, place 1 the lowest; 0 for a place below 1 or a negative number."""
    inside = machine.both(machine.at_most(0, number), machine.at_most(1, place))
    low = machine.choose(machine.at_most(place, MACHINE_BITS), machine.subtract(place, 1), MACHINE_BITS)
    safe = machine.choose(inside, low, MACHINE_BITS)
    return machine.both(inside, machine.bit(number, safe))


def count_places(machine: Machine, guard: Guard, n: int, values: Sequence[Word]) -> Word:
    """How many positions y from 1 to n satisfy a guard, where y is the variable after `values`.

    The comparisons of the guard cut 1..n into at most as many intervals as there are cuts; on each of them the guard depends on
    y modulo a constant alone. So it is evaluated at the first few places of every interval, and the rest is arithmetic.

    Raises:
        FomError: the congruences of the guard have too large a common period.
    """
    y = len(values)
    cuts, period = cuts_of(machine, guard, n, values)
    if period > MOST_RESIDUES:
        raise fail(
            "C080",
            f"the conditions on one position repeat only every {period:,} positions",
            note=f"a wire that is counted takes a step of its program for each residue, at most {MOST_RESIDUES:,}",
            help="the congruences of a guard need a smaller common multiple",
        )
    after = machine.add(n, 1)
    starts: list[Word] = [1]
    for cut in cuts:
        raised = machine.choose(machine.at_most(1, cut), cut, 1)
        starts.append(machine.choose(machine.at_most(raised, after), raised, after))
    total: Word = 0
    for number, start in enumerate(starts):
        first: Word = 1
        end: Word = after
        for other, cut in enumerate(starts):
            if other < number:
                first = machine.both(first, machine.negation(machine.equal(cut, start)))
            if other != number:
                nearer = machine.both(machine.at_most(machine.add(start, 1), cut), machine.at_most(cut, end))
                end = machine.choose(nearer, cut, end)
        for residue in range(period):
            place = machine.add(start, residue)
            room = machine.subtract(machine.subtract(end, 1), place)
            inside = machine.both(first, machine.at_most(0, room))
            chosen = machine.both(inside, guard_truth(machine, guard, n, [*values[:y], place]))
            total = machine.add(total, machine.choose(chosen, machine.add(machine.quotient(room, period), 1), 0))
    return total


def cuts_of(machine: Machine, guard: Guard, n: int, values: Sequence[Word]) -> tuple[list[Word], int]:
    """The positions y at which the truth of a comparison may change, and the common period of the congruences in y."""
    y = len(values)
    cuts: list[Word] = []
    period = 1
    for atom in atoms_of(guard, y):
        coef = dict(atom.term.coefs).get(y, 0)
        if not coef:
            continue
        rest = Term(tuple(pair for pair in atom.term.coefs if pair[0] != y), atom.term.n_coef, atom.term.const)
        if isinstance(atom, Congruent):
            period = lcm(period, atom.modulus // gcd(coef, atom.modulus))
            continue
        value = term_value(machine, rest, n, values)
        if coef < 0:
            value = machine.subtract(0, value)
        # |coef| * y + value, up to its sign: it is negative below the root and not negative from its ceiling on
        floor = machine.quotient(machine.subtract(0, value), abs(coef))
        ceiling = machine.subtract(0, machine.quotient(value, abs(coef)))
        if isinstance(atom, AtLeast) and coef > 0:
            cuts.append(ceiling)
        elif isinstance(atom, AtLeast):
            cuts.append(machine.add(floor, 1))
        else:
            cuts += [ceiling, machine.add(floor, 1)]
    return cuts, period


def atoms_of(guard: Guard, y: int) -> list[AtLeast | Equals | Congruent]:
    """The comparisons and congruences on which a guard depends, as far as it depends on the variable y.

    A bit of a number depends on the number modulo a power of 2, and on its sign.

    Raises:
        FomError: a bit of y at a place that depends on positions.
    """
    match guard:
        case AtLeast() | Equals() | Congruent():
            return [guard]
        case Bit(number, place):
            if y not in variables_of([number, place]):
                return []
            if place.coefs or place.n_coef:
                raise fail(
                    "C080",
                    "the positions with a bit at a place that is itself a position cannot be counted by arithmetic",
                    help="read the bits of a position at places that are constants",
                )
            modulus = 1 << max(0, place.const)
            return [AtLeast(number), Congruent(number, modulus)] if place.const >= 1 else []
        case Not(part):
            return atoms_of(part, y)
        case All(parts) | Any_(parts):
            return [atom for part in parts for atom in atoms_of(part, y)]
        case _:
            assert_never(guard)
