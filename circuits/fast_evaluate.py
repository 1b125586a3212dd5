"""Fast evaluation of a network on many inputs: the meaning of `circuits.evaluate`, compiled for one length.

What makes it fast, and why it stays exact:

* **floats that hold integers.** The exact ranges of a network bound every sum. Below 2^24 float32 is exact in every
  order of summation, below 2^53 float64; beyond, int64 remains. Rounding half to even is the hardware's ``rint``.
* **a quotient by one division.** Let N and D be the integers divided, |N| < 2^52. If N / D is no tie it is at least 1 / 2D away
  from the nearest tie t, and half a unit in the last place of t is at most |t| 2^-53 < 1 / 2D: the rounded quotient is on the
  right side, and a tie is exact. (In float32: |N| < 2^23.)
* **tables by look-up** where the argument's range is small.
* **products that are only summed are never stored**: scores and attention heads are contractions.
* **what no input changes** is evaluated once.
* chunks of inputs that stay in the cache, in the layout of `circuits.simulation_arrays`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, assert_never
from weakref import WeakKeyDictionary

import numpy as np

from circuits.diagnostics import fail
from circuits.fast_contraction import contract_elements, contract_position, inlined_products
from circuits.fast_linear import Linear
from circuits.formats import divide_half_even, round_half_even
from circuits.functions import evaluate_function
from circuits.inputs import input_columns
from circuits.matrices import Matrix
from circuits.network import (
    Affine,
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
    references,
)
from circuits.positions import Ref
from circuits.ranges import largest, outside_zero, ranges
from circuits.simulation_arrays import (
    Array,
    Integers,
    allowed_at,
    column,
    inputs_first,
    multiply_as,
    read_at,
    sum_over,
    take_rows,
)

Type = np.dtype[Any]
Values = dict[str, Array]
Compute = Callable[[Values, Array, int], Array]

CHUNK_ELEMENTS = 1 << 18
MOST_LOOKED_UP = 1 << 16
MOST_SHIFT = 100
FLOAT32, FLOAT64, INT64 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)

_plans: WeakKeyDictionary[Network, tuple[Any, Plan]] = WeakKeyDictionary()


def exact_type(reach: float) -> Type:
    """The smallest type in which integers up to `reach` and all their partial sums are exact."""
    return FLOAT32 if reach < 2**24 else FLOAT64 if reach < 2**53 else INT64


def plan_of(network: Network, n: int, kept: Iterable[str]) -> Plan:
    """The plan for a length and the nodes wanted; the last one of each network is remembered.

    Raises:
        FomError: a sum beyond 62 bits, or a value that does not depend on the input is undefined.
    """
    key = (n, frozenset(kept))
    found = _plans.get(network)
    if found is None or found[0] != key:
        found = _plans[network] = (key, Plan(network, n, key[1]))
    return found[1]


class Plan:
    """What to compute, node by node, for inputs of length n."""

    def __init__(self, network: Network, n: int, kept: frozenset[str]) -> None:
        self.network, self.n, self.kept = network, n, kept
        self.ranges = ranges(network, n)
        self.inlined = inlined_products(network, kept)
        self.types: dict[str, Type] = {}
        self.constants: Values = {}
        self.steps: list[tuple[Node, Compute]] = []
        no_input = np.zeros((0, 1), dtype=np.int64)
        for node in network.nodes:
            self.types[node.name] = exact_type(self.reach(node))
            if node.name in self.inlined:
                continue
            compute = self.compile(node)
            sources = self.sources(node)
            if not isinstance(node, Letters | Inputs) and all(source in self.constants for source in sources):
                self.constants[node.name] = compute(self.constants, no_input, 0)
            else:
                self.steps.append((node, compute))
        last_use = {source: place for place, (node, _) in enumerate(self.steps) for source in self.sources(node)}
        self.unused: list[list[str]] = [[] for _ in self.steps]
        for source, place in last_use.items():
            if source not in self.constants and source not in kept:
                self.unused[place].append(source)
        widest = max((node.size * n**node.n_positions for node, _ in self.steps), default=1)
        self.chunk = max(1, CHUNK_ELEMENTS // max(1, widest))

    def run(self, inputs: Integers, first: int) -> dict[str, Integers]:
        """Evaluate one chunk of inputs; `first` is the number of its first one, for diagnostics."""
        columns = input_columns(self.network.inputs)
        values = dict(self.constants)
        for (node, compute), unused in zip(self.steps, self.unused, strict=True):
            given = inputs[:, columns[node.name]] if node.name in columns else inputs
            values[node.name] = compute(values, given, first)
            for name in unused:
                del values[name]
        return {name: inputs_first(values[name], len(inputs), self.n) for name in self.kept}

    def sources(self, node: Node) -> set[str]:
        """The nodes that a node reads, with those of the products that it contracts."""
        found: set[str] = set()
        for ref, _ in references(node):
            product = self.inlined.get(ref.node)
            found |= {ref.node} if product is None else {product.left.node, product.right.node}
        return found

    def range(self, ref: Ref) -> tuple[Integers, Integers]:
        """The range of what a reference reads."""
        return outside_zero(self.ranges[ref.node], ref.at, self.n)

    def reach(self, node: Node) -> float:
        """A bound on the magnitude of a node and of all partial sums on the way to it."""
        match node:
            case Affine(operands=operands, const=const, length=length):
                reach = np.abs(const).astype(np.float64) + self.n * np.abs(length).astype(np.float64)
                for operand in operands:
                    reach = reach + abs(operand.matrix).astype(np.float64) @ largest(*self.range(operand.ref))
                return float(reach.max(initial=0.0))
            case Sum(operand=operand):
                return self.n * float(largest(*self.range(operand)).max(initial=0.0))
            case Product(left=left, left_index=left_index, right=right, right_index=right_index):
                factors = largest(*self.range(left))[left_index] * largest(*self.range(right))[right_index]
                return float(factors.max(initial=0.0))
            case _:
                return float(largest(*self.ranges[node.name]).max(initial=0.0))

    def read(self, ref: Ref, k: int, values: Values) -> Array:
        """What a reference reads, over the reader's variables."""
        return read_at(ref.at, k, values[ref.node], self.n)

    def compile(self, node: Node) -> Compute:
        """How to compute a node from the values of its sources."""
        kind, n = self.types[node.name], self.n
        match node:
            case Letters(size=size):
                letters = np.arange(size)[:, None, None]
                return lambda values, given, first: (given.T == letters).astype(kind)
            case Inputs():
                return lambda values, given, first: given.T.astype(kind)
            case Predicates(guards=guards, n_positions=k):
                truth = np.concatenate([allowed_at(guard, n, k) for guard in guards]).astype(kind)
                return lambda values, given, first: truth
            case Affine():
                return self.compile_affine(node, kind)
            case Product(left=left, left_index=left_index, right=right, right_index=right_index, n_positions=k):

                def product(values: Values, given: Array, first: int) -> Array:
                    one = take_rows(self.read(left, k, values), left_index)
                    other = take_rows(self.read(right, k, values), right_index)
                    return multiply_as(kind, one, other)

                return product
            case Sum(operand=operand, guard=guard, n_positions=k):
                if inner := self.inlined.get(operand.node):
                    weight = allowed_at(guard, n, k + 1)
                    return lambda values, given, first: contract_position(
                        inner, self.factors(inner, values, kind), None if weight.all() else weight, n
                    )
                return lambda values, given, first: sum_over(
                    self.read(operand, k + 1, values).astype(kind, copy=False), guard, n, k
                )
            case Round():
                return self.compile_round(node, kind)
            case Table():
                return self.compile_table(node, kind)
            case Function(operand=operand, n_positions=k):

                def function(values: Values, given: Array, first: int) -> Array:
                    argument = np.moveaxis(self.read(operand, k, values), (-1, 0), (0, -1))
                    codes = evaluate_function(node, argument.astype(np.int64), first)
                    return np.ascontiguousarray(np.moveaxis(codes, (0, -1), (-1, 0))).astype(kind)

                return function
            case Quotient():
                return self.compile_quotient(node, kind)
            case Maximum():
                return self.compile_maximum(node, kind)
            case _:
                assert_never(node)

    def factors(self, product: Product, values: Values, kind: Type) -> tuple[Array, Array]:
        """Both sides of a product over its variables, in one type."""
        left, right = (self.read(ref, product.n_positions, values) for ref in (product.left, product.right))
        return left.astype(kind, copy=False), right.astype(kind, copy=False)

    def mapped(self, ref: Ref, k: int, linear: Linear, values: Values) -> Array:
        """A linear map of what a reference reads."""
        return linear(self.read(ref, k, values))

    def contracted(self, product: Product, matrix: Matrix, kind: Type, values: Values) -> Array:
        """A linear map of a product that is not stored."""
        return contract_elements(product, matrix, self.factors(product, values, kind))

    def compile_affine(self, node: Affine, kind: Type) -> Compute:
        """Linear maps of what depends on the input, on top of what does not."""
        k = node.n_positions
        base = column(node.const + self.n * node.length, k).astype(kind)
        terms: list[Callable[[Values], Array]] = []
        for operand in node.operands:
            inner = self.inlined.get(operand.ref.node)
            if inner is not None:
                terms.append(partial(self.contracted, inner, operand.matrix, kind))
                continue
            term = partial(self.mapped, operand.ref, k, Linear(operand.matrix, kind))
            if operand.ref.node in self.constants:
                base = base + term(self.constants)
            else:
                terms.append(term)

        def affine(values: Values, given: Array, first: int) -> Array:
            total = base
            for number, term in enumerate(terms):
                part = term(values)
                if part.shape == np.broadcast_shapes(part.shape, total.shape):
                    total = np.add(part, total, out=part)
                elif number and total.shape == np.broadcast_shapes(part.shape, total.shape):
                    total = np.add(part, total, out=total)
                else:
                    total = total + part
            return total

        return affine

    def compile_round(self, node: Round, kind: Type) -> Compute:
        """``rint`` of the sum times a power of two, saturated; by shifts in int64 where floats do not hold the sum."""
        ref, k, shift, format_ = node.operand, node.n_positions, node.shift, node.format
        work = wider(self.types[ref.node], kind)
        if work == INT64 or abs(shift) > MOST_SHIFT:
            return lambda values, given, first: format_.clamp(
                round_half_even(self.read(ref, k, values).astype(INT64), shift)
            ).astype(kind)

        def rounded(values: Values, given: Array, first: int) -> Array:
            scaled = multiply_as(work, self.read(ref, k, values), 2.0**-shift)
            np.rint(scaled, out=scaled)
            return np.clip(scaled, format_.lo, format_.hi, out=scaled).astype(kind, copy=False)

        return rounded

    def compile_table(self, node: Table, kind: Type) -> Compute:
        """A look-up by the argument, negative ones from the end; or a search among the breaks where the range is wide."""
        ref, k, codes = node.operand, node.n_positions, node.codes.astype(kind)
        low, high = self.range(ref)
        least, most = min(int(low.min(initial=0)), 0), max(int(high.max(initial=0)), 0)
        if most - least < MOST_LOOKED_UP:
            arguments = np.concatenate([np.arange(most + 1), np.arange(least, 0)])
            looked_up = codes[np.searchsorted(node.breaks, arguments, side="right")]
            return lambda values, given, first: looked_up.take(self.read(ref, k, values).astype(np.intp))
        return lambda values, given, first: codes[
            np.searchsorted(node.breaks, self.read(ref, k, values).astype(np.int64), side="right")
        ]

    def compile_quotient(self, node: Quotient, kind: Type) -> Compute:
        """One division in floats where the numerator is small enough for it, or in int64."""
        k, format_ = node.n_positions, node.format
        up, down = 1 << max(node.shift, 0), 1 << max(-node.shift, 0)
        read, which = np.unique(node.den_index, return_inverse=True)
        top_reach = 2 * up * float(largest(*self.range(node.num)).max(initial=0.0))
        bottom_reach = down * float(largest(*self.range(node.den)).max(initial=0.0))
        work = wider(exact_type(max(top_reach, bottom_reach)), kind)

        def quotient(values: Values, given: Array, first: int) -> Array:
            bottom = take_rows(self.read(node.den, k, values), read)
            if (bottom < 1).any():
                case = first + int(np.nonzero(bottom < 1)[-1].min())
                raise fail("C025", "a denominator is not positive", where=f"node `{node.name}`, input {case}")
            bottom = take_rows(multiply_as(work, bottom, down), which)
            top = multiply_as(work, self.read(node.num, k, values), up)
            if work == INT64:
                return format_.clamp(divide_half_even(top, bottom)).astype(kind)
            ratio = top / bottom
            np.rint(ratio, out=ratio)
            return np.clip(ratio, format_.lo, format_.hi, out=ratio).astype(kind, copy=False)

        return quotient

    def compile_maximum(self, node: Maximum, kind: Type) -> Compute:
        """The largest over groups of elements, and over the bound position where there is a guard."""
        k, lo, guard = node.n_positions, node.format.lo, node.guard
        bound = k + (guard is not None)
        allowed = None if guard is None else allowed_at(guard, self.n, bound)
        reads = [(node.operand, node.groups, bound), *((ref, groups, k) for ref, groups in node.segments)]

        def largest_of(ref: Ref, groups: Integers, n_variables: int, values: Values) -> Array:
            given = self.read(ref, n_variables, values)
            best = take_rows(given, groups[:, 0])
            for place in range(1, groups.shape[1]):
                best = np.maximum(best, take_rows(given, groups[:, place]))
            return best

        def maximum(values: Values, given: Array, first: int) -> Array:
            parts = [largest_of(ref, groups, variables, values) for ref, groups, variables in reads]
            if allowed is not None:
                everywhere = allowed.all() and parts[0].shape[k + 1] == self.n
                masked = parts[0] if everywhere else np.where(allowed, parts[0], kind.type(lo))
                parts[0] = masked.max(axis=k + 1)
            best = parts[0]
            for part in parts[1:]:
                best = np.maximum(best, part)
            return best.astype(kind, copy=False)

        return maximum


def wider(one: Type, other: Type) -> Type:
    """The one of two exact types that holds more integers."""
    order = (FLOAT32, FLOAT64, INT64)
    return order[max(order.index(one), order.index(other))]
