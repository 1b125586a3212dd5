"""Grounding a network at one length: every word of its decision as an integer with its bits, in linear integer arithmetic.

Positions are unrolled, and guards, which do not depend on the input, decide which terms there are. The constraints are the
definitions of the node kinds in `circuits.network` and `circuits.evaluate`, not the gadgets of a circuit: a rounding is "within
half a step, ties to even, or saturated", a maximum is "at least each and one of them". Where two variables are multiplied (words,
or a quotient's word and its denominator) one is a sum of bits, so each term is "the other one if this bit is set".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, assert_never

import numpy as np
from pysmt.environment import Environment
from pysmt.fnode import FNode
from pysmt.typing import BOOL, INT

from circuits.formats import BIT, Format
from circuits.functions import written_out
from circuits.matrices import Matrix, canonical
from circuits.network import (
    Affine,
    Exact,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
)
from circuits.positions import Guard, Ref, grid, holds

Place = tuple[int, ...]

_MOST_TERMS = 8  # a longer sum gets a symbol of its own


@dataclass(slots=True)
class Linear:
    """``sum(coefficient * term) + const``."""

    terms: dict[FNode, int] = field(default_factory=dict)
    const: int = 0

    def plus(self, other: Linear, factor: int = 1) -> Linear:
        """The sum with a multiple of another one."""
        terms = dict(self.terms)
        for term, coef in other.terms.items():
            terms[term] = terms.get(term, 0) + coef * factor
        return Linear({term: coef for term, coef in terms.items() if coef}, self.const + other.const * factor)


@dataclass(frozen=True, slots=True)
class Element:
    """A value: an integer and, for a word, the bits of its code less the smallest one, bit 0 first."""

    value: Linear
    bits: tuple[FNode, ...] = ()


ZERO = Element(Linear())


def bit_labels(node: Inputs, index: int) -> list[str]:
    """The propositions of one number of a fixed-size input, bit 0 first."""
    label = f"{node.name}[{index}]"
    return [label] if node.format == BIT else [f"{label}.{bit}" for bit in range(node.format.bits)]


class NetworkGrounding:
    """The constraints of one network at length `n`.

    `letters` maps (letter, position) to its Boolean and `bits` gives the Boolean of an input proposition, both shared with the
    sentence. `constraints` grows with `decision`, which is called once.
    """

    def __init__(
        self,
        network: Network,
        n: int,
        env: Environment,
        letters: dict[tuple[str, int], FNode],
        bits: Callable[[str], FNode],
    ) -> None:
        self.network, self.n, self.letters, self.input_bit = written_out(network), n, letters, bits
        self.smt: Any = env.formula_manager
        self.one, self.zero = self.smt.Int(1), self.smt.Int(0)
        self.constraints: list[FNode] = []
        self.values: dict[tuple[str, Place], list[Element]] = {}
        self.guards: dict[tuple[Guard, int], Any] = {}
        self.weights: dict[str, list[Matrix]] = {}

    def decision(self) -> dict[Place, list[Element]]:
        """The elements of the decision at every position it has."""
        name = self.network.decided.decision
        places = list(product(range(1, self.n + 1), repeat=self.network.by_name[name].n_positions))
        needed = self.needed(name, places)
        for node in self.network.nodes:
            for place in sorted(needed[node.name]):
                self.values[node.name, place] = self.elements(node, place)
        return {place: self.values[name, place] for place in places}

    # Which instances are needed.

    def needed(self, decision: str, places: Iterable[Place]) -> dict[str, set[Place]]:
        """The places at which every node is read, starting from the decision."""
        needed: dict[str, set[Place]] = {node.name: set() for node in self.network.nodes}
        needed[decision].update(places)
        for node in reversed(self.network.nodes):
            for place in needed[node.name]:
                for ref, at in self.reads(node, place):
                    source = self.place(ref, at)
                    if source is not None:
                        needed[ref.node].add(source)
        return needed

    def reads(self, node: Node, place: Place) -> list[tuple[Ref, Place]]:
        """The references of a node at a place, each with the values of the variables that its terms may use."""
        match node:
            case Affine(operands=operands):
                return [(operand.ref, place) for operand in operands]
            case Product(left=left, right=right):
                return [(left, place), (right, place)]
            case Sum(operand=operand, guard=guard):
                return [(operand, (*place, y)) for y in self.where(guard, place)]
            case Round(operand=operand) | Table(operand=operand) | Function(operand=operand):
                return [(operand, place)]
            case Quotient(num=num, den=den):
                return [(num, place), (den, place)]
            case Maximum(operand=operand, guard=guard, segments=segments):
                own = (
                    [(operand, place)] if guard is None else [(operand, (*place, y)) for y in self.where(guard, place)]
                )
                return own + [(ref, place) for ref, _ in segments]
            case Letters() | Inputs() | Predicates():
                return []
            case _:
                assert_never(node)

    def where(self, guard: Guard, place: Place) -> list[int]:
        """The values of the bound position that satisfy a guard at a place."""
        key = guard, len(place) + 1
        if key not in self.guards:
            self.guards[key] = np.broadcast_to(holds(guard, self.n, grid(self.n, key[1])), (self.n,) * key[1])
        row = self.guards[key][tuple(position - 1 for position in place)]
        return [int(y) + 1 for y in np.flatnonzero(row)]

    def place(self, ref: Ref, values: Place) -> Place | None:
        """The place that a reference reads; None outside the word."""
        place = tuple(int(term.evaluate(self.n, values)) for term in ref.at)
        return place if all(1 <= position <= self.n for position in place) else None

    def read(self, ref: Ref, values: Place) -> Callable[[int], Element]:
        """The elements read by a reference; outside the word each is 0."""
        place = self.place(ref, values)
        if place is not None:
            return self.values[ref.node, place].__getitem__
        node = self.network.by_name[ref.node]
        inside = not isinstance(node, Exact) and node.format.lo <= 0 <= node.format.hi
        outside = ZERO if isinstance(node, Exact) or not inside else self.constant(0, node.format)
        return lambda index: outside

    # Terms.

    def term(self, linear: Linear) -> FNode:
        """A sum as a term of the solver."""
        parts = [term if coef == 1 else self.smt.Times(self.smt.Int(coef), term) for term, coef in linear.terms.items()]
        if linear.const or not parts:
            parts.append(self.smt.Int(linear.const))
        return parts[0] if len(parts) == 1 else self.smt.Plus(parts)

    def named(self, linear: Linear) -> Linear:
        """The same value, under a symbol if it is long."""
        if len(linear.terms) <= _MOST_TERMS:
            return linear
        symbol = self.smt.new_fresh_symbol(INT, "net!%d")
        self.constraints.append(self.smt.Equals(symbol, self.term(linear)))
        return Linear({symbol: 1})

    def at_least(self, left: Linear, right: Linear) -> FNode:
        """``left >= right``."""
        difference = left.plus(right, -1)
        if not difference.terms:
            return self.smt.Bool(difference.const >= 0)
        const = difference.const
        difference.const = 0
        return self.smt.GE(self.term(difference), self.smt.Int(-const))

    def chosen(self, bit: FNode, linear: Linear) -> Linear:
        """The value if a bit is set, else 0."""
        if bit.is_bool_constant():
            return linear if bit.is_true() else Linear()
        if not linear.terms:
            return Linear({self.smt.Ite(bit, self.one, self.zero): linear.const} if linear.const else {})
        return Linear({self.smt.Ite(bit, self.term(linear), self.zero): 1})

    def from_bits(self, bits: Sequence[FNode], lo: int) -> Linear:
        """The code that bits stand for."""
        total = Linear({}, lo)
        for place, bit in enumerate(bits):
            total = total.plus(self.chosen(bit, Linear({}, 1)), 1 << place)
        return total

    def constant(self, code: int, format_: Format) -> Element:
        """A code of a format."""
        offset = code - format_.lo
        return Element(Linear({}, code), tuple(self.smt.Bool(bool(offset >> bit & 1)) for bit in range(format_.bits)))

    def bit(self, truth: FNode) -> Element:
        """A word of one bit."""
        return Element(self.chosen(truth, Linear({}, 1)), (truth,))

    def fresh_word(self, format_: Format) -> Element:
        """An unknown code of a format, tied to its bits."""
        bits = tuple(self.smt.new_fresh_symbol(BOOL, "net!%d") for _ in range(format_.bits))
        if format_ == BIT:
            return self.bit(bits[0])
        symbol = self.smt.new_fresh_symbol(INT, "net!%d")
        self.constraints.append(self.smt.Equals(symbol, self.term(self.from_bits(bits, format_.lo))))
        self.constraints += [
            self.smt.GE(symbol, self.smt.Int(format_.lo)),
            self.smt.LE(symbol, self.smt.Int(format_.hi)),
        ]
        return Element(Linear({symbol: 1}), bits)

    def times(self, left: Element, right: Linear, lo: int) -> Linear:
        """The product of a word with smallest code `lo` and a value."""
        if not left.value.terms:
            return Linear().plus(right, left.value.const)
        if not right.terms:
            return Linear().plus(left.value, right.const)
        total = Linear().plus(right, lo)
        for place, bit in enumerate(left.bits):
            total = total.plus(self.chosen(bit, right), 1 << place)
        return total

    # Nodes.

    def elements(self, node: Node, place: Place) -> list[Element]:
        """The elements of a node at a place."""
        match node:
            case Letters():
                return [self.bit(self.letters[letter, place[0]]) for letter in self.network.alphabet]
            case Inputs():
                return [self.input_word(node, index) for index in range(node.size)]
            case Predicates(guards=guards):
                truths = [bool(holds(guard, self.n, place)) for guard in guards]
                return [self.constant(int(truth), BIT) for truth in truths]
            case Affine():
                return self.affine(node, place)
            case Product(left=left, left_index=left_index, right=right, right_index=right_index):
                ours, theirs = self.read(left, place), self.read(right, place)
                lo = self.network.word(left.node).format.lo
                return [
                    Element(self.times(ours(int(i)), theirs(int(j)).value, lo))
                    for i, j in zip(left_index, right_index, strict=True)
                ]
            case Sum(operand=operand, guard=guard, size=size):
                readers = [self.read(operand, (*place, y)) for y in self.where(guard, place)]
                return [Element(self.total((1, read(index).value) for read in readers)) for index in range(size)]
            case Round(operand=operand, size=size, shift=shift, format=format_):
                read = self.read(operand, place)
                unit = Linear({}, 1 << max(shift, 0))
                return [
                    self.nearest(Linear().plus(read(index).value, 1 << max(-shift, 0)), unit, format_)
                    for index in range(size)
                ]
            case Table(operand=operand, size=size):
                read = self.read(operand, place)
                return [self.table(node, read(index).value) for index in range(size)]
            case Quotient(num=num, den=den, den_index=den_index, shift=shift, size=size, format=format_):
                tops, bottoms = self.read(num, place), self.read(den, place)
                found = []
                for index in range(size):
                    bottom = Linear().plus(bottoms(int(den_index[index])).value, 1 << max(-shift, 0))
                    self.constraints.append(self.at_least(bottom, Linear({}, 1)))
                    top = Linear().plus(tops(index).value, 1 << max(shift, 0))
                    found.append(self.nearest(top, self.named(bottom), format_))
                return found
            case Maximum():
                return self.maximum(node, place)
            case Function(name=name):
                raise TypeError(f"`{name}` is not written out")
            case _:
                assert_never(node)

    def input_word(self, node: Inputs, index: int) -> Element:
        """A number of a fixed-size input."""
        bits = tuple(map(self.input_bit, bit_labels(node, index)))
        return Element(self.from_bits(bits, node.format.lo), bits)

    def total(self, products: Iterable[tuple[int, Linear]]) -> Linear:
        """The sum of multiples, under a symbol if it is long."""
        result = Linear()
        for coef, linear in products:
            for term, inner in linear.terms.items():
                result.terms[term] = result.terms.get(term, 0) + coef * inner
            result.const += coef * linear.const
        result.terms = {term: coef for term, coef in result.terms.items() if coef}
        return self.named(result)

    def affine(self, node: Affine, place: Place) -> list[Element]:
        """``sum(matrix @ operand) + const + length * n``."""
        if node.name not in self.weights:
            self.weights[node.name] = [canonical(operand.matrix) for operand in node.operands]
        readers = [self.read(operand.ref, place) for operand in node.operands]
        operands = list(zip(self.weights[node.name], readers, strict=True))
        found = []
        for row in range(node.size):
            products = [(1, Linear({}, int(node.const[row]) + self.n * int(node.length[row])))]
            for weights, read in operands:
                start, stop = weights.indptr[row], weights.indptr[row + 1]
                columns, coefs = weights.indices[start:stop].tolist(), weights.data[start:stop].tolist()
                products += [(coef, read(column).value) for column, coef in zip(columns, coefs, strict=True)]
            found.append(Element(self.total(products)))
        return found

    def nearest(self, top: Linear, unit: Linear, format_: Format) -> Element:
        """The word c with ``top / unit`` nearest to it, half to even, saturating; the unit is positive.

        That is ``2 top <= (2 c + 1) unit`` unless c is the largest code, and ``2 top >= (2 c - 1) unit`` unless it is the
        smallest; an odd c does not have its ties.
        """
        word = self.fresh_word(format_)
        odd = word.bits[0] if format_.lo % 2 == 0 else self.smt.Not(word.bits[0])
        strict = Linear({self.smt.Ite(odd, self.one, self.zero): 1})
        twice = self.times(word, Linear().plus(unit, 2), format_.lo)
        double = Linear().plus(top, 2)
        below = self.at_least(twice.plus(unit).plus(strict, -1), double)
        above = self.at_least(double, twice.plus(unit, -1).plus(strict))
        highest = self.smt.And(word.bits) if len(word.bits) > 1 else word.bits[0]
        lowest = self.smt.Not(self.smt.Or(word.bits) if len(word.bits) > 1 else word.bits[0])
        self.constraints += [self.smt.Or(highest, below), self.smt.Or(lowest, above)]
        return word

    def table(self, node: Table, operand: Linear) -> Element:
        """``codes[j]`` where j counts the breaks that are at most the operand."""
        codes = node.codes.tolist()
        reached = [self.at_least(operand, Linear({}, least)) for least in node.breaks.tolist()]
        if node.format == BIT and codes == [0, 1]:
            return self.bit(reached[0])
        value = Linear({}, codes[0])
        for truth, step in zip(reached, np.diff(node.codes).tolist(), strict=True):
            value = value.plus(self.chosen(truth, Linear({}, 1)), step)
        if not value.terms:
            return self.constant(value.const, node.format)
        word = self.fresh_word(node.format)
        self.constraints.append(self.smt.Equals(self.term(word.value), self.term(value)))
        return word

    def maximum(self, node: Maximum, place: Place) -> list[Element]:
        """The largest candidate; the smallest code if there is none."""
        own = [place] if node.guard is None else [(*place, y) for y in self.where(node.guard, place)]
        sources = [(self.read(node.operand, at), node.groups) for at in own]
        sources += [(self.read(ref, place), index) for ref, index in node.segments]
        found = []
        for row in range(node.size):
            candidates = [read(int(index)) for read, groups in sources for index in groups[row]]
            if not candidates:
                found.append(self.constant(node.format.lo, node.format))
            elif node.format == BIT:
                bits = [candidate.bits[0] for candidate in candidates]
                found.append(self.bit(self.smt.Or(bits) if len(bits) > 1 else bits[0]))
            else:
                word = self.fresh_word(node.format)
                self.constraints += [self.at_least(word.value, candidate.value) for candidate in candidates]
                equal = [self.at_least(candidate.value, word.value) for candidate in candidates]
                self.constraints.append(self.smt.Or(equal))
                found.append(word)
        return found
