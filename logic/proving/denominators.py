"""Denominators are at least 1: from bounds, from a count of positions, or because a softmax contains its own maximum.

A softmax denominator adds up words ``e(S)`` of exponential tables, one for each candidate of a maximum M, where S is the
candidate's score less M. At the candidate that attains M the argument lies within the rounding of the score, where the table
has a code of at least 1; all other summands are at least 0. There must be a candidate for every position: one without guard,
or a guard that some position always satisfies, which the solver shows for ``y`` a position of the reader, the first or the last.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from circuits.network import Affine, Maximum, Network, Quotient, Round, Sum, Table
from circuits.positions import Guard, Term, disjunction, is_safe, substitute, var
from logic.proving.bounds import Bounds
from logic.proving.linear import own_variables
from logic.proving.session import Session
from logic.proving.witnesses import somewhere

Atom = tuple[str, tuple[Term, ...], Guard | None, int]


@dataclass(slots=True)
class Row:
    """One element of an exact value: multiples of elements of words and products, ``const`` and ``length * n``.

    `counts` are multiples of the number of positions y with a guard.
    """

    terms: dict[Atom, int] = field(default_factory=dict)
    const: int = 0
    length: int = 0
    counts: dict[Guard, int] = field(default_factory=dict)
    vague: bool = False

    def add(self, atom: Atom, coef: int) -> None:
        """Add a multiple of an atom."""
        total = self.terms.get(atom, 0) + coef
        if total:
            self.terms[atom] = total
        else:
            self.terms.pop(atom, None)


def row_of(network: Network, start: Atom, n_positions: int) -> Row:
    """An element read through affine maps and sums; `vague` where a multiple of n stands under a guard."""
    row = Row()
    stack = [(start, 1)]
    while stack:
        (name, at, guard, element), coef = stack.pop()
        node = network.by_name[name]
        safe = all(is_safe(term, network.domain.least) for term in at)
        match node:
            case Affine(operands=operands, const=const, length=length) if safe:
                if guard is None:
                    row.const += coef * int(const[element])
                    row.length += coef * int(length[element])
                else:
                    row.counts[guard] = row.counts.get(guard, 0) + coef * int(const[element])
                    row.vague = row.vague or bool(length[element])
                for operand in operands:
                    moved = tuple(term.substitute(at) for term in operand.ref.at)
                    weights = operand.matrix
                    for place in range(weights.indptr[element], weights.indptr[element + 1]):
                        inner = (operand.ref.node, moved, guard, int(weights.indices[place]))
                        stack.append((inner, coef * int(weights.data[place])))
            case Sum(operand=operand, guard=inner_guard) if safe and guard is None:
                to = (*at, var(n_positions))
                moved = tuple(term.substitute(to) for term in operand.at)
                stack.append(((operand.node, moved, substitute(inner_guard, to), element), coef))
            case _:
                row.add((name, at, guard, element), coef)
    return row


def prove_positive(network: Network, session: Session, node: Quotient) -> None:
    """Prove that every denominator that a quotient reads is at least 1, at every length of the domain, or leave it open."""
    start = time.perf_counter()
    bounds = Bounds(network)
    name = node.den.node
    (low, slope), _ = bounds.of(name)
    least = low + slope * network.domain.least
    elements = np.unique(node.den_index)
    clear = elements[(slope[elements] >= 0) & (least[elements] >= 1)]
    if len(clear):
        statement = f"`{name}`: {len(clear)} denominators are at least 1 by the bounds of what they add"
        session.add(statement, "structure", len(clear), time.perf_counter() - start)
    for element in np.setdiff1d(elements, clear).tolist():
        own = own_variables(network.by_name[name].n_positions)
        reason = softmax_trouble(network, session, bounds, (name, own, None, element), len(own))
        if reason:
            session.trouble(
                f"`{node.name}`: the denominator `{name}` element {element} is not shown to be at least 1: {reason}"
            )
        else:
            session.add(
                f"`{name}` element {element} is at least 1: no summand is negative, and one is at least 1, "
                "a position counted, or the term of the largest score",
                "structure",
                1,
                time.perf_counter() - start,
            )


def softmax_trouble(network: Network, session: Session, bounds: Bounds, start: Atom, k: int) -> str:
    """Why a denominator is not known to count a position or contain the term of a largest score; empty if it is."""
    row = row_of(network, start, k)
    if row.vague or row.const < 0 or row.length < 0 or min(row.counts.values(), default=0) < 0:
        return "its constants may be negative"
    covered: dict[Atom, set[Atom]] = {}
    for (name, at, guard, element), coef in row.terms.items():
        low, high = bounds.of(name)
        bound, slope = low if coef > 0 else (-high[0], -high[1])
        if not (slope[element] >= 0 and bound[element] + slope[element] >= 0):
            return f"its summand `{name}` may be negative"
        table = network.by_name[name]
        if isinstance(table, Table) and coef > 0 and all(is_safe(term, network.domain.least) for term in at):
            for top, candidate in attained(network, bounds, table, (name, at, guard, element), k):
                covered.setdefault(top, set()).add(candidate)
    for guard, coef in row.counts.items():
        if coef and not somewhere(session, network.domain, guard, k):
            return ""
    trouble = "no summand is a table of a score less its maximum under the same guard, with a code of at least 1 near 0"
    for top, found in covered.items():
        wanted = set(candidates(network, top, k))
        if wanted - found:
            trouble = f"not every candidate of `{top[0]}` has its term in the sum under the same guard"
            continue
        guards = [guard for _, _, guard, _ in wanted]
        if None in guards:
            return ""
        guard = disjunction(*dict.fromkeys(g for g in guards if g is not None))
        trouble = somewhere(session, network.domain, guard, k)
        if not trouble:
            return ""
    return trouble


def candidates(network: Network, top: Atom, k: int) -> list[Atom]:
    """What a maximum, read somewhere, compares; the bound position is variable number k."""
    name, at, _, element = top
    node = network.by_name[name]
    if not isinstance(node, Maximum):
        return []
    to = (*at, var(k))
    guard = None if node.guard is None else substitute(node.guard, to)
    result = []
    for ref, groups, where in (
        (node.operand, node.groups, guard),
        *((ref, groups, None) for ref, groups in node.segments),
    ):
        moved = tuple(term.substitute(to) for term in ref.at)
        result += [(ref.node, moved, where, int(member)) for member in np.unique(groups[element])]
    return result


def attained(network: Network, bounds: Bounds, table: Table, term: Atom, k: int) -> list[tuple[Atom, Atom]]:
    """The pairs (maximum, candidate) such that the term is at least 1 wherever that candidate attains the maximum."""
    _, at, guard, element = term
    moved = tuple(inner.substitute(at) for inner in table.operand.at)
    argument = row_of(network, (table.operand.node, moved, None, element), k + 1)
    tops = [
        atom
        for atom, coef in argument.terms.items()
        if isinstance(network.by_name[atom[0]], Maximum) and coef < 0 and not mentions(atom[1], k)
    ]
    result = []
    for top in tops:
        rest = Row(dict(argument.terms), argument.const, argument.length, dict(argument.counts), argument.vague)
        multiple = -rest.terms.pop(top)
        result += [
            (top, candidate)
            for candidate in candidates(network, top, k)
            if candidate[2] == guard and nearly_zero(network, bounds, table, rest, multiple, candidate, k)
        ]
    return result


def mentions(at: tuple[Term, ...], variable: int) -> bool:
    """Tell whether terms use a variable."""
    return any(v == variable for term in at for v, _ in term.coefs)


def nearly_zero(
    network: Network, bounds: Bounds, table: Table, rest: Row, multiple: int, candidate: Atom, k: int
) -> bool:
    """Tell whether ``rest - multiple * word`` stays, for the candidate's word, where the table has codes of at least 1.

    `rest` is a multiple of the word itself, or of the sum that the word rounds.
    """
    name, at, _, element = candidate
    if rest.vague or not all(is_safe(term, network.domain.least) for term in at):
        return False
    word = Row({(name, at, None, element): multiple})
    low, high = 0, 0
    if not same(rest, word):
        node = network.by_name[name]
        if not isinstance(node, Round) or multiple % (1 << max(node.shift, 0)):
            return False
        scale = multiple << -node.shift if node.shift < 0 else multiple >> node.shift
        moved = tuple(term.substitute(at) for term in node.operand.at)
        score = row_of(network, (node.operand.node, moved, None, element), k + 1)
        scaled = Row(
            {atom: coef * scale for atom, coef in score.terms.items()}, score.const * scale, score.length * scale
        )
        if score.vague or not same(rest, scaled):
            return False
        (least, low_n), (most, high_n) = bounds.of(node.operand.node)
        if low_n[element] or high_n[element] or not np.isfinite([least[element], most[element]]).all():
            return False
        half = scale << node.shift - 1 if node.shift > 0 else 0
        low = min(-half, scale * int(least[element]) - multiple * node.format.lo)
        high = max(half, scale * int(most[element]) - multiple * node.format.hi)
    first, last = np.searchsorted(table.breaks, [low, high], side="right")
    return bool(table.codes[first : last + 1].min() >= 1)


def same(left: Row, right: Row) -> bool:
    """Tell whether two rows are equal."""
    return (left.terms, left.const, left.length, left.counts) == (right.terms, right.const, right.length, right.counts)
