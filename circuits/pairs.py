"""Two networks side by side, as one network that reads two words of the same length.

A letter of the pair is a letter of the first word and one of the second; a class of the pair is a class of the first network and
one of the second. Whatever decides questions about one network so decides questions about two, or about one on two words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

import numpy as np

from circuits.diagnostics import fail
from circuits.formats import BIT
from circuits.matrices import matrix
from circuits.network import (
    Affine,
    Domain,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.positions import Ref, Term, var

LETTERS, CLASSES, SCORES = "letters", "class", "pair"


def side_by_side(one: Network, two: Network) -> Network:
    """The network that reads a word over pairs of letters and decides the pair of classes.

    Letter ``i * len(two.alphabet) + j`` is letter i of the first word with letter j of the second, named ``i/j`` after both;
    class ``i * C + j`` is class i of the first network and class j of the C classes of the second.

    Raises:
        FomError: a network that reads no word or does not decide between classes, or answers at other places.
    """
    for network in (one, two):
        if network.inputs or network.decided.kind == "value":
            raise fail("C039", "only networks that read words and decide between classes can stand side by side")
    if one.decided.n_positions != two.decided.n_positions:
        raise fail("C039", "one network answers at every position, the other once for each word")
    letters = len(one.alphabet), len(two.alphabet)
    number = np.arange(letters[0] * letters[1])
    nodes: list[Node] = [Letters(LETTERS, len(number))]
    classes = []
    for side, network, letter in (("one", one, number // letters[1]), ("two", two, number % letters[1])):
        nodes += copied(network, side, letter)
        made = one_hot(network, side)
        nodes += made
        classes.append(made[-1].name)
    n_positions = one.decided.n_positions
    here = own_places(n_positions)
    sizes = n_classes(one), n_classes(two)
    both = np.arange(sizes[0] * sizes[1])
    nodes.append(
        Product(SCORES, n_positions, Ref(classes[0], here), both // sizes[1], Ref(classes[1], here), both % sizes[1], 0)
    )
    nodes.append(Round(CLASSES, n_positions, len(both), Ref(SCORES, here), 0, BIT))
    readout = Readout("classes", CLASSES, SCORES, None, len(both), n_positions)
    alphabet = tuple(f"{first}/{second}" for first in one.alphabet for second in two.alphabet)
    result = Network(tuple(nodes), readout, common_domain(one.domain, two.domain), alphabet)
    result.check()
    return result


def n_classes(network: Network) -> int:
    """How many classes a network decides between."""
    return 2 if network.decided.kind == "logit" else network.decided.n_classes


def own_places(n_positions: int) -> tuple[Term, ...]:
    """A node's own positions."""
    return tuple(map(var, range(n_positions)))


def common_domain(one: Domain, two: Domain) -> Domain:
    """The lengths that both accept."""
    most = min((bound for bound in (one.most, two.most) if bound is not None), default=None)
    return Domain(max(one.least, two.least), most, one.reason or two.reason)


def copied(network: Network, side: str, letter: np.ndarray) -> list[Node]:
    """The nodes of a network under other names, reading its letter from the letter of the pair."""
    nodes: list[Node] = []
    for node in network.nodes:
        name = f"{side}.{node.name}"
        if isinstance(node, Letters):
            weights = matrix(letter, np.arange(len(letter)), 1, (node.size, len(letter)))
            nothing = np.zeros(node.size, dtype=np.int64)
            here = own_places(1)
            read = Operand(Ref(LETTERS, here), weights)
            nodes.append(Affine(f"{name}.pair", 1, node.size, (read,), nothing, nothing, 0))
            nodes.append(Round(name, 1, node.size, Ref(f"{name}.pair", here), 0, BIT))
        else:
            nodes.append(renamed(node, lambda other: f"{side}.{other}"))
    return nodes


def one_hot(network: Network, side: str) -> list[Node]:
    """Nodes of which the last has one bit for each class, exactly one of them 1."""
    readout = network.decided
    here = own_places(readout.n_positions)
    decision = f"{side}.{readout.decision}"
    count = n_classes(network)
    if readout.kind == "logit":
        weights, const = matrix([0, 1], [0, 0], [-1, 1], (2, 1)), np.array([1, 0])
    else:
        weights, const = matrix(np.arange(count), np.arange(count), 1, (count, count)), np.zeros(count, dtype=np.int64)
    operand = Operand(Ref(decision, here), weights)
    sums = Affine(f"{side}.chosen", readout.n_positions, count, (operand,), const, np.zeros(count, dtype=np.int64), 0)
    return [sums, Round(f"{side}.choice", readout.n_positions, count, Ref(sums.name, here), 0, BIT)]


def renamed(node: Node, name: Callable[[str], str]) -> Node:
    """A node under another name that reads nodes under other names."""

    def moved(ref: Ref) -> Ref:
        return Ref(name(ref.node), ref.at)

    match node:
        case Letters() | Inputs() | Predicates():
            return replace(node, name=name(node.name))
        case Affine():
            operands = tuple(Operand(moved(operand.ref), operand.matrix) for operand in node.operands)
            return replace(node, name=name(node.name), operands=operands)
        case Product():
            return replace(node, name=name(node.name), left=moved(node.left), right=moved(node.right))
        case Sum() | Round() | Table() | Function():
            return replace(node, name=name(node.name), operand=moved(node.operand))
        case Quotient():
            return replace(node, name=name(node.name), num=moved(node.num), den=moved(node.den))
        case Maximum():
            segments = tuple((moved(ref), groups) for ref, groups in node.segments)
            return replace(node, name=name(node.name), operand=moved(node.operand), segments=segments)
        case _:
            assert_never(node)
