"""Networks of hard routing and elementwise arithmetic: which positions an answer reads, and the program that it computes.

Where a network reads letters at fixed distances only (its heads were one-hot, so reading them left references and no sums), the
answer at x depends on a window of letters, whatever the length is. A program that reads a window too is equal to it on all words
if it is on all words no longer than both windows together: every window occurs in these, cut off at the ends or not.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circuits.diagnostics import fail
from circuits.evaluate import evaluate
from circuits.network import Affine, Letters, Maximum, Network, Node, Predicates, Sum, references
from circuits.positions import Term
from circuits.words import all_words
from logic.searching.programs import Program
from logic.searching.programs_of_values import FoundProgram, Integers, Reals, Variable, find_program

MOST_PLACES = 60_000

Offsets = frozenset[int]


def reads(network: Network, name: str) -> Offsets | None:
    """The distances at which a node of one position reads letters; None if it also reads sums, places or lengths."""
    found: dict[str, Offsets | None] = {}
    for node in network.nodes:
        found[node.name] = reads_of(node, found)
        if node.name == name:
            break
    return found[name]


def reads_of(node: Node, known: dict[str, Offsets | None]) -> Offsets | None:
    """The same for one node, given those before it."""
    if isinstance(node, Letters):
        return frozenset([0])
    if (
        node.n_positions > 1
        or isinstance(node, Sum | Predicates)
        or (isinstance(node, Maximum) and node.guard is not None)
    ):
        return None
    if isinstance(node, Affine) and node.length.any():
        return None
    offsets: set[int] = set()
    for ref, _ in references(node):
        source = known[ref.node]
        if source is None or len(ref.at) > 1:
            return None
        for term in ref.at:
            match term:
                case Term(((0, 1),), 0, const):
                    offsets |= {const, *(const + offset for offset in source)}
                case _:
                    return None
    return frozenset(offsets)


def reads_of_program(program: Program) -> Offsets | None:
    """The distances at which a program reads letters; None if it does anything else with positions."""
    found: dict[str, Offsets | None] = {"tokens": frozenset([0])}
    for name, value in program.lines:
        found[name] = reads_of_expression(value, found)
    return found[program.lines[-1][0]]


def reads_of_expression(node: ast.expr, known: dict[str, Offsets | None]) -> Offsets | None:
    """The same for one expression."""
    match node:
        case ast.Name(name):
            return known.get(name)
        case ast.Constant():
            return frozenset()
        case ast.Call(
            ast.Name("aggregate"),
            [ast.Call(ast.Name("select"), [ast.Name("indices"), queries, ast.Name("EQ")]), values],
        ):
            inner, offset = reads_of_expression(values, known), offset_of(queries)
            return None if inner is None or offset is None else frozenset({offset, *(offset + one for one in inner)})
        case ast.Call(ast.Name("max"), parts):
            return union([reads_of_expression(part, known) for part in parts])
        case ast.Call():
            return None
        case ast.Subscript(_, index):
            return reads_of_expression(index, known)
        case _:
            parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
            return union([reads_of_expression(part, known) for part in parts])


def offset_of(queries: ast.expr) -> int | None:
    """The distance that ``indices - 1`` and the like say."""
    match queries:
        case ast.Name("indices"):
            return 0
        case ast.BinOp(ast.Name("indices"), ast.Add(), ast.Constant(int(number))):
            return number
        case ast.BinOp(ast.Name("indices"), ast.Sub(), ast.Constant(int(number))):
            return -number
        case _:
            return None


def union(parts: Sequence[Offsets | None]) -> Offsets | None:
    """All distances, if they are all known."""
    known = [part for part in parts if part is not None]
    return frozenset().union(*known) if len(known) == len(parts) else None


@dataclass(frozen=True)
class Routed:
    """The program of a network, and on which words it is equal to it.

    Attributes:
        reads: the distances at which the network's answer reads letters, if it reads nothing else.
        lengths: the longest words on which network and program were compared, all of them.
        everywhere: whether that covers every length.
    """

    reads: Offsets | None
    found: FoundProgram
    lengths: int
    everywhere: bool

    @property
    def scope(self) -> str:
        """The words on which the program is equal to the network, in words."""
        if self.everywhere:
            return f"every length: both read a window, and all words of length 1 to {self.lengths} were tried"
        return f"all words of length 1 to {self.lengths}"


def routed(network: Network, longest: int | None = None) -> Routed:
    """The program that a network with an answer at each position computes, on all words up to a length.

    Raises:
        FomError: the network does not read words, or answers once for a word (T121).
    """
    readout = network.decided
    if network.inputs or readout.n_positions != 1:
        raise fail("T121", "a program of this kind is read off a network that reads words and answers at every position",
                   help="`fom explain` finds a sentence for other networks")  # fmt: skip
    words = words_of(network, longest)
    variables = [variable for name in intermediate(network) if (variable := observed(network, name, words)) is not None]
    found = find_program(network.alphabet, words, [*variables, decision(network, words)])
    window = reads(network, readout.decision)
    lengths = words[-1].shape[1]
    other = None if found.program is None else reads_of_program(found.program)
    both = union([window, other, frozenset([0])])
    covers = both is not None and lengths >= max(both) - min(both) + 1 and words[0].shape[1] == 1
    exact = found.program is not None and found.lines[-1].deviation == 0
    return Routed(window, found, lengths, covers and exact)


def words_of(network: Network, longest: int | None) -> list[Integers]:
    """All words of the domain, as many lengths as are not too many positions."""
    found: list[Integers] = []
    total = 0
    letters, domain = len(network.alphabet), network.domain
    for n in range(domain.least, (domain.most or 64) + 1):
        total += n * letters**n
        if found and (total > MOST_PLACES if longest is None else n > longest):
            break
        found.append(np.concatenate(list(all_words(letters, n))))
    return found


def intermediate(network: Network) -> list[str]:
    """Values that an answer may be made of: nodes of one element with one position."""
    readout = network.decided
    names = [node.name for node in network.nodes if node.n_positions == 1 and node.size == 1]
    return [name for name in names if name not in (readout.decision, readout.scores)]


def observed(network: Network, name: str, words: Sequence[Integers]) -> Variable | None:
    """A node as a variable, if it takes whole values only."""
    unit = 2.0 ** -network.frac(name)
    values: list[Reals] = []
    for batch in words:
        found = np.broadcast_to(evaluate(network, batch, [name])[name], (*batch.shape, 1))[..., 0] * unit
        if (found != np.round(found)).any():
            return None
        values.append(found.astype(np.float64))
    return Variable(name, tuple(values), tuple(np.ones(batch.shape, dtype=bool) for batch in words))


def decision(network: Network, words: Sequence[Integers]) -> Variable:
    """What a network answers at each position: the nearest integer, or the number of the class."""
    readout = network.decided
    unit = 2.0 ** -network.frac(readout.decision)
    values: list[Reals] = []
    for batch in words:
        bits = evaluate(network, batch)[readout.decision]
        if readout.kind == "classes":
            values.append(bits.argmax(axis=-1).astype(np.float64))
        else:
            values.append(np.round(bits[..., 0].astype(np.float64) * (unit if readout.kind == "value" else 1.0)))
    return Variable("answer", tuple(values), tuple(np.ones(batch.shape, dtype=bool) for batch in words))
