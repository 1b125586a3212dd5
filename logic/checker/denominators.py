"""Denominators are at least 1: cutting planes over the words that they add up.

A denominator is a *row*: multiples of words (added over the positions with a guard, or not), of numbers of positions with a
guard, of n, and of 1. A *line* of the certificate names for each of these an axiom that bounds it from below; the bounds, added
up, must reach 1 at every length of the domain. The axioms:

* ``least``, ``greatest``: a word lies between its smallest and its largest value (`least` also of a sum over all positions);
* ``nonnegative``: what is added over positions is never negative;
* ``somewhere``: some position always satisfies the guard, for which there is an obligation.

The last axiom speaks of the whole row, if nothing in it is negative: ``softmax`` names a maximum M of which every candidate has
the table of (its score - M) in the row; where M is attained this is at least 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.network import Affine, Exact, Maximum, Product, Quotient, Round, Sum, Table
from circuits.positions import FIRST, LAST, TRUE, Guard, Term, guard_to_data, substitute, term_to_data, var
from logic.checker.forms import Reader, own
from logic.checker.record import Record, Rejected, require
from logic.checker.statements import somewhere

Read = tuple[str, tuple[Term, ...], Guard | None, int]
"""An element of a node at some places, added over the positions with a guard if there is one."""

Line = dict[str, Any]


@dataclass(slots=True)
class Row:
    """One exact element as a sum of words."""

    terms: dict[Read, int] = field(default_factory=dict)
    counts: dict[Guard, int] = field(default_factory=dict)
    length: int = 0
    const: int = 0

    def plain(self) -> tuple[Any, ...]:
        """What two equal rows have in common."""
        terms = {read: coef for read, coef in self.terms.items() if coef}
        return terms, {guard: coef for guard, coef in self.counts.items() if coef}, self.length, self.const


def row_of(reader: Reader, start: Read, k: int, factor: int = 1) -> Row:
    """An element read through affine maps and sums, times a factor."""
    row = Row()
    stack = [(start, factor)]
    while stack:
        (name, at, guard, element), coef = stack.pop()
        node = reader.network.by_name[name]
        if isinstance(node, Affine) and reader.safe(at):
            if guard is None:
                row.const += coef * int(node.const[element])
                row.length += coef * int(node.length[element])
            else:
                require(not node.length[element], "", "a multiple of n is added over positions")
                row.counts[guard] = row.counts.get(guard, 0) + coef * int(node.const[element])
            for operand in node.operands:
                moved = tuple(term.substitute(at) for term in operand.ref.at)
                start_, end = operand.matrix.indptr[element], operand.matrix.indptr[element + 1]
                weighed = zip(operand.matrix.indices[start_:end], operand.matrix.data[start_:end], strict=True)
                stack += [
                    ((operand.ref.node, moved, guard, int(column)), coef * int(weight)) for column, weight in weighed
                ]
        elif isinstance(node, Sum) and reader.safe(at) and guard is None:
            to = (*at, var(k))
            moved = tuple(term.substitute(to) for term in node.operand.at)
            stack.append(((node.operand.node, moved, substitute(node.guard, to), element), coef))
        else:
            read = name, at, guard, element
            row.terms[read] = row.terms.get(read, 0) + coef
    return row


def bounds(reader: Reader, read: Read) -> tuple[int, int]:
    """The least and the largest value of a word or a product of words, which is 0 outside of the word."""
    name, at, _, element = read
    node = reader.network.by_name[name]
    if isinstance(node, Product):
        one, two = int(node.left_index[element]), int(node.right_index[element])
        (a, b), (c, d) = (
            bounds(reader, (node.left.node, node.left.at, None, one)),
            bounds(reader, (node.right.node, node.right.at, None, two)),
        )
        corners = [a * c, a * d, b * c, b * d]
        low, high = min(corners), max(corners)
        if (node.left, one) == (node.right, two):
            low = max(low, 0)
    elif isinstance(node, Exact):
        raise Rejected("", f"no bounds of `{name}` are known")
    elif isinstance(node, Table):
        low, high = int(node.codes.min()), int(node.codes.max())
    else:
        low, high = node.format.lo, node.format.hi
    return (low, high) if reader.safe(at) else (min(low, 0), max(high, 0))


def range_of(reader: Reader, row: Row) -> tuple[int, int]:
    """The least and the largest value of a row that adds nothing over positions."""
    require(not row.counts and not row.length, "", "a score grows with the length")
    low = high = row.const
    for read, coef in row.terms.items():
        require(read[2] is None, "", "a score grows with the length")
        ends = [coef * end for end in bounds(reader, read)]
        low, high = low + min(ends), high + max(ends)
    return low, high


def read_to_data(read: Read) -> list[Any]:
    """A read for JSON."""
    name, at, guard, element = read
    return [name, element, [term_to_data(term) for term in at], None if guard is None else guard_to_data(guard)]


def check_denominators(reader: Reader, record: Record, node: Quotient, given: Any) -> list[Line]:
    """Check the line of every denominator that a quotient reads."""
    elements = np.unique(node.den_index).tolist()
    require(isinstance(given, list) and len(given) == len(elements), "", "every denominator needs one line")
    return [
        check_line(reader, record, node.den.node, element, line) for element, line in zip(elements, given, strict=True)
    ]


def check_line(reader: Reader, record: Record, name: str, element: int, line: Any) -> Line:
    """Check one line, and write it as it must be."""
    where = f"the denominator `{name}` element {element}"
    k = reader.network.by_name[name].n_positions
    row = row_of(reader, (name, own(k), None, element), k)
    require(isinstance(line, dict) and isinstance(line.get("axioms"), list), where, "its line is malformed")
    terms = sorted(
        ((read, coef) for read, coef in row.terms.items() if coef), key=lambda term: repr(read_to_data(term[0]))
    )
    counts = sorted(
        ((guard, coef) for guard, coef in row.counts.items() if coef), key=lambda c: repr(guard_to_data(c[0]))
    )
    axioms = line["axioms"]
    require(len(axioms) == len(terms) + len(counts), where, "its line has other summands")
    const, slope, negative = row.const, row.length, row.const < 0 or row.length < 0
    written: list[Any] = []
    obligations: list[str] = []
    for (read, coef), axiom in zip(terms, axioms, strict=False):
        low = min(coef * end for end in bounds(reader, read))
        negative = negative or low < 0
        kind = axiom[-1] if isinstance(axiom, list) and axiom else None
        if kind == "nonnegative":
            require(low >= 0, where, f"`{read[0]}` may be negative")
        elif kind == ("least" if coef > 0 else "greatest") and read[2] in (None, TRUE):
            const, slope = (const + low, slope) if read[2] is None else (const, slope + low)
        else:
            raise Rejected(where, f"no axiom `{kind}` bounds `{read[0]}`")
        written.append([coef, read_to_data(read), kind])
    for (guard, coef), axiom in zip(counts, axioms[len(terms) :], strict=True):
        kind = axiom[-1] if isinstance(axiom, list) and axiom else None
        negative = negative or coef < 0
        if guard == TRUE and kind == "least":
            slope += coef
        else:
            require(coef >= 0 and kind in ("nonnegative", "somewhere"), where, f"no axiom `{kind}` bounds a count")
            if kind == "somewhere":
                obligations.append(record.obligation(witness(reader, [guard], k)))
                const += coef
        written.append([coef, guard_to_data(guard), kind])
    top = line.get("softmax")
    found: Line = {"element": element, "const": row.const, "length": row.length, "axioms": written}
    if top is not None:
        require(not negative, where, "a summand may be negative")
        tops = {repr(read_to_data(read)): read for read in tops_of(reader, row, k)}
        require(repr(top) in tops, where, f"`{top}` is no maximum that is subtracted from a score")
        guards = check_softmax(reader, row, tops[repr(top)], k)
        if guards:
            obligations.append(record.obligation(witness(reader, guards, k)))
        const += 1
        found["softmax"] = top
    require(slope >= 0 and const + slope * reader.network.domain.least >= 1, where, "its line does not reach 1")
    record.count("denominators")
    return {**found, "obligations": obligations}


def witness(reader: Reader, guards: list[Guard], k: int) -> str:
    """The obligation that y = a position of the reader, the first or the last always satisfies one of some guards."""
    tried = [substitute(guard, (*own(k), place)) for guard in guards for place in (*own(k), FIRST, LAST)]
    return somewhere(reader.network.domain, k, tried)


def tops_of(reader: Reader, row: Row, k: int) -> list[Read]:
    """The maxima that are subtracted from the arguments of tables in a row."""
    found: dict[Read, None] = {}
    for name, at, _, element in row.terms:
        table = reader.network.by_name[name]
        if isinstance(table, Table):
            argument = row_of(reader, (table.operand.node, moved(table.operand.at, at), None, element), k + 1)
            for read, coef in argument.terms.items():
                free = all(v != k for term in read[1] for v, _ in term.coefs)
                if coef < 0 and free and isinstance(reader.network.by_name[read[0]], Maximum):
                    found[read] = None
    return list(found)


def moved(terms: tuple[Term, ...], at: tuple[Term, ...]) -> tuple[Term, ...]:
    """Terms at other places."""
    return tuple(term.substitute(at) for term in terms)


def check_softmax(reader: Reader, row: Row, top: Read, k: int) -> list[Guard]:
    """Require that a row has the term of every candidate of a maximum; the guards of the candidates, if all have one."""
    node = reader.network.by_name[top[0]]
    if not isinstance(node, Maximum):
        raise Rejected("", f"`{top[0]}` is no maximum")
    to = (*top[1], var(k))
    guard = None if node.guard is None else substitute(node.guard, to)
    guards: dict[Guard, None] = {}
    free = False
    for ref, groups, where in ((node.operand, node.groups, guard), *((r, g, None) for r, g in node.segments)):
        for member in np.unique(groups[top[3]]).tolist():
            candidate: Read = ref.node, moved(ref.at, to), where, member
            fits = any(
                coef > 0 and reader.safe(read[1]) and read[2] == where and attains(reader, read, top, candidate, k)
                for read, coef in row.terms.items()
            )
            require(fits, "", f"a candidate of `{top[0]}` has no term of at least 1 where it is the largest")
            free = free or where is None
            if where is not None:
                guards[where] = None
    return [] if free else list(guards)


def attains(reader: Reader, read: Read, top: Read, candidate: Read, k: int) -> bool:
    """Tell whether a table is at least 1 wherever the candidate equals the maximum: its argument is then near 0 there."""
    table = reader.network.by_name[read[0]]
    if not isinstance(table, Table) or not reader.safe(candidate[1]):
        return False
    argument = row_of(reader, (table.operand.node, moved(table.operand.at, read[1]), None, read[3]), k + 1)
    multiple = -argument.terms.pop(top, 0)
    if multiple <= 0:
        return False
    word: Read = candidate[0], candidate[1], None, candidate[3]
    low = high = 0
    if argument.plain() != Row({word: multiple}).plain():
        node = reader.network.by_name[word[0]]
        if not isinstance(node, Round) or multiple % (1 << max(node.shift, 0)):
            return False
        scale = multiple << -node.shift if node.shift < 0 else multiple >> node.shift
        score: Read = node.operand.node, moved(node.operand.at, word[1]), None, word[3]
        if argument.plain() != row_of(reader, score, k + 1, scale).plain():
            return False
        least, most = range_of(reader, row_of(reader, score, k + 1))
        half = scale << node.shift - 1 if node.shift > 0 else 0
        low = min(-half, scale * least - multiple * node.format.lo)
        high = max(half, scale * most - multiple * node.format.hi)
    first, last = np.searchsorted(table.breaks, [low, high], side="right")
    return bool(table.codes[first : last + 1].min() >= 1)
