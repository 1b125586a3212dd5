"""Small random networks of every node kind, for hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from circuits.formats import BIT, Format
from circuits.matrices import Matrix, matrix
from circuits.network import (
    Affine,
    Domain,
    Exact,
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
from circuits.positions import (
    FIRST,
    LAST,
    TRUE,
    All,
    Any_,
    AtLeast,
    Congruent,
    Equals,
    Guard,
    Not,
    Ref,
    Term,
    is_safe,
    var,
)
from circuits.scalar import Scalar, X

FUNCTIONS = (
    Scalar("tanh", (X,)),
    Scalar("exp", (X,)),
    Scalar("mul", (X, Scalar("sigmoid", (X,)))),
    Scalar("reciprocal", (Scalar("abs", (X,)),)),
)
FORMATS = [
    BIT,
    Format(1, -1, 0),
    Format(1, 3, 1),
    Format(2, 0, 1),
    Format(2, -2, 0),
    Format(3, -4, 2),
    Format(3, -6, 1),
    Format(3, 2, 0),
    Format(4, -5, -1),
]
POSITIVE = [Format(1, 1, 0), Format(2, 1, 0), Format(3, 2, 1)]


def guards(n_variables: int) -> SearchStrategy[Guard]:
    """Guards over the variables: true, order, strict order, windows, congruences, and combinations."""
    terms = [var(v) for v in range(n_variables)] or [LAST]
    x, y = terms[0], terms[-1]
    fixed: list[Guard] = [
        TRUE,
        AtLeast(x - y),
        AtLeast(x - y - 1),
        All((AtLeast(x - y + 1), AtLeast(y - x + 1))),
        Congruent(y - 1, 2),
        Congruent(x + y, 3),
        Equals(y - FIRST),
        Equals(x - y),
        Not(Equals(y - LAST)),
        Any_((Equals(y - x + 1), Equals(y - 1))),
        AtLeast(LAST - y - 1),
        Not(Congruent(LAST - x, 2)),
    ]
    return st.sampled_from(fixed)


class Grower:
    """A network that grows by one drawn node at a time."""

    def __init__(self, draw: DrawFn, least: int) -> None:
        self.draw = draw
        self.least = least
        self.random = np.random.default_rng(draw(st.integers(0, 2**20)))
        self.nodes: list[Node] = []
        self.summing: set[str] = set()

    def pick(self, choices: Any) -> Any:
        """Draw one of several values."""
        return self.draw(st.sampled_from(list(choices)))

    def put(self, node: Node) -> Node:
        """Append a node."""
        self.nodes.append(node)
        return node

    def fresh(self, kind: str) -> str:
        """A new name."""
        return f"{kind}{len(self.nodes)}"

    def numbers(self, size: int, low: int = -3, high: int = 3) -> Any:
        """Random integers."""
        return self.random.integers(low, high + 1, size)

    def weights(self, n_rows: int, n_columns: int, low: int = -3, high: int = 3) -> Matrix:
        """A random matrix that is not zero."""
        dense = self.numbers(n_rows * n_columns, low, high).reshape(n_rows, n_columns)
        dense[self.random.integers(n_rows), self.random.integers(n_columns)] = high
        rows, columns = np.nonzero(dense)
        return matrix(rows, columns, dense[rows, columns], (n_rows, n_columns))

    def ref(self, node: Node, k: int, safe: bool = False, bound: bool = False) -> Ref:
        """Read a node at drawn positions; with `bound`, the last variable is used wherever there is a position."""
        own = [var(v) for v in range(k)]
        terms = [*own, *own, *own, FIRST, LAST, Term((), 0, 2), LAST - 1]
        if bound:
            terms = [own[-1], own[-1] - 1, own[-1] + 2, *own]
        terms += [t + c for t in own for c in (-2, -1, 1, 2)] + [LAST + 1 - t for t in own] + [Term((), 0, 3)]
        if k == 2:
            terms += [own[0] + own[1] - 1, own[1] * 2]
        if safe or isinstance(node, Exact):
            terms = [t for t in terms if is_safe(t, self.least)]
        return Ref(node.name, tuple(self.pick(terms) for _ in range(node.n_positions)))

    def any_node(self, words: bool = False, summable: bool = False) -> Node:
        """Draw one of the nodes so far, recent ones more often."""
        usable = [
            node
            for node in self.nodes
            if not (words and isinstance(node, Exact)) and not (summable and node.name in self.summing)
        ]
        return self.pick([*usable, *usable[-3:]])

    def positive(self) -> Node:
        """A node whose elements are all at least 1 at every position."""
        k = self.pick((0, 1))
        own = tuple(var(v) for v in range(k))
        zero = np.zeros(2, dtype=np.int64)
        match self.pick(("length", "word", "affine", "predicate", "count", "sum of words", "twice")):
            case "length":
                return self.put(Affine(self.fresh("len"), k, 2, (), self.numbers(2, 0, 2), zero + 1, 0))
            case "word":
                return self.positive_word(k)
            case "affine":
                word = self.positive_word(1)
                operand = Operand(self.ref(word, k, safe=True), self.weights(2, word.size, 0, 2))
                return self.put(Affine(self.fresh("pos"), k, 2, (operand,), zero + 1, self.numbers(2, 0, 1), 0))
            case "predicate":
                return self.put(Predicates(self.fresh("true"), k, (TRUE, Equals(Term()))))
            case "count":
                source = self.put(Predicates(self.fresh("pred"), 1, (TRUE, AtLeast(var(0) - 1))))
                return self.summed(source, k, Ref(source.name, (var(k),)), k == 1)
            case "sum of words":
                source = self.positive_word(1)
                return self.summed(source, k, Ref(source.name, (var(k),)), k == 1)
            case _:
                word = self.any_node(words=True)
                if not isinstance(word, Exact) and word.format.lo < 0:
                    word = self.nodes[0]
                reads = Ref(word.name, tuple(var(k) for _ in range(word.n_positions)))
                total = self.put(Sum(self.fresh("sum"), k, word.size, reads, TRUE, 0))
                self.summing.add(total.name)
                operand = Operand(Ref(total.name, own), self.weights(2, word.size, 0, 2))
                result = self.put(Affine(self.fresh("pos"), k, 2, (operand, operand), zero + 1, zero, 0))
                self.summing.add(result.name)
                return result

    def summed(self, source: Node, k: int, ref: Ref, ordered: bool) -> Node:
        """A sum that is never empty."""
        guard: Guard = self.pick((AtLeast(var(0) - var(1)), TRUE)) if ordered else TRUE
        total = self.put(Sum(self.fresh("sum"), k, source.size, ref, guard, 0))
        self.summing.add(total.name)
        return total

    def positive_word(self, k: int) -> Node:
        """A word in a format without 0 and below."""
        source = self.any_node()
        shift = self.pick((-1, 0, 2))
        return self.put(Round(self.fresh("posr"), k, source.size, self.ref(source, k), shift, self.pick(POSITIVE)))

    def grow(self) -> None:
        """Append a node of a drawn kind (and what it needs)."""
        kind = self.pick(
            ("predicates", "affine", "affine", "product", "sum", "sum", "round", "table", "quotient", "maximum")
        )
        k = self.pick((0, 1, 1, 2))
        match kind:
            case "predicates":
                chosen = tuple(self.draw(guards(k)) for _ in range(self.pick((1, 2))))
                self.put(Predicates(self.fresh("pred"), k, chosen))
            case "affine":
                self.grow_affine(k)
            case "product":
                left, right = self.any_node(words=True), self.any_node(words=True)
                size = self.pick((1, 2))
                left_ref, right_ref = self.ref(left, k, safe=True), self.ref(right, k, safe=True)
                left_index = self.numbers(size, 0, left.size - 1)
                right_index = self.numbers(size, 0, right.size - 1)
                if self.pick((True, False)):
                    right_ref = left_ref
                    right_index = left_index if self.pick((True, False)) else self.numbers(size, 0, left.size - 1)
                self.put(Product(self.fresh("mul"), k, left_ref, left_index, right_ref, right_index, 0))
            case "sum":
                k = min(k, 1)
                source = self.any_node(summable=True)
                total = Sum(
                    self.fresh("sum"), k, source.size, self.ref(source, k + 1, bound=True), self.draw(guards(k + 1)), 0
                )
                self.summing.add(self.put(total).name)
            case "round":
                source = self.any_node()
                shift = self.pick((-2, 0, 1, 3))
                self.put(Round(self.fresh("rnd"), k, source.size, self.ref(source, k), shift, self.pick(FORMATS)))
            case "table":
                source = self.any_node()
                format_ = self.pick(FORMATS)
                breaks = np.unique(self.numbers(self.pick((0, 1, 1, 2, 4)), -6, 8))
                codes = self.numbers(len(breaks) + 1, format_.lo, format_.hi)
                self.put(Table(self.fresh("tab"), k, source.size, self.ref(source, k), breaks, codes, format_))
            case "quotient":
                den = self.positive()
                num = self.any_node()
                index = self.numbers(num.size, 0, den.size - 1)
                num_ref, den_ref = self.ref(num, k), self.ref(den, k, safe=True)
                shift = self.pick((-2, 0, 2))
                self.put(Quotient(self.fresh("quo"), k, num.size, num_ref, den_ref, index, shift, self.pick(FORMATS)))
            case _:
                self.grow_maximum(k)

    def grow_affine(self, k: int) -> None:
        size = self.pick((1, 2, 3))
        sources = [self.any_node() for _ in range(self.pick((1, 1, 2)))]
        operands = tuple(Operand(self.ref(source, k), self.weights(size, source.size)) for source in sources)
        added = self.put(Affine(self.fresh("aff"), k, size, operands, self.numbers(size), self.numbers(size, -1, 1), 0))
        if any(source.name in self.summing for source in sources):
            self.summing.add(added.name)

    def grow_maximum(self, k: int) -> None:
        k = min(k, 1)
        source = self.any_node(words=True)
        if isinstance(source, Exact):
            raise TypeError
        format_ = source.format
        safe = bool(format_.lo)
        size = self.pick((1, 2))

        def groups(node: Node, width: int) -> Any:
            return self.numbers(size * width, 0, node.size - 1).reshape(size, width)

        guard = self.pick((None, "guard"))
        guard = None if guard is None else self.draw(guards(k + 1))
        bound = k + (guard is not None)
        operand = self.ref(source, bound, safe=safe, bound=guard is not None)
        same = [node for node in self.nodes if not isinstance(node, Exact) and node.format == format_]
        segments = []
        for _ in range(self.pick((0, 1, 2))):
            other = self.pick(same)
            segments.append((self.ref(other, k, safe=safe), groups(other, self.pick((1, 2)))))
        widths = groups(source, self.pick((1, 2, 3)))
        self.put(Maximum(self.fresh("max"), k, size, operand, widths, guard, tuple(segments), format_))

    def finish(self, alphabet: tuple[str, ...]) -> Network:
        """Append logits and a decision, and check."""
        k = self.pick((0, 1))
        self.grow_affine(k)
        logits = self.nodes[-1]
        own = tuple(var(v) for v in range(k))
        breaks, codes = self.numbers(1), np.array([0, 1])
        self.put(Table("class", k, logits.size, Ref(logits.name, own), breaks, codes, BIT))
        readout = Readout("classes", "class", logits.name, None, logits.size, k)
        network = Network(tuple(self.nodes), readout, Domain(self.least), alphabet)
        network.check()
        return network


@st.composite
def networks(draw: DrawFn, least: int = 0, most_nodes: int = 6) -> Network:
    """Networks over words of two letters."""
    grower = Grower(draw, least or draw(st.sampled_from((1, 1, 2))))
    grower.put(Letters("w", 2))
    if draw(st.booleans()):
        grower.grow_affine(1)
        source = grower.nodes[-1]
        grower.put(Round("word", 1, source.size, Ref(source.name, (var(0),)), 0, draw(st.sampled_from(FORMATS))))
    for _ in range(draw(st.integers(1, most_nodes))):
        grower.grow()
    return grower.finish(("a", "b"))


@st.composite
def fixed_size_networks(draw: DrawFn) -> Network:
    """Networks of two numbers, of one input or of two, without positions."""
    grower = Grower(draw, 1)
    if draw(st.booleans()):
        grower.put(Inputs("v", 2, draw(st.sampled_from(FORMATS))))
    else:
        grower.put(Inputs("v", 1, draw(st.sampled_from(FORMATS))))
        grower.put(Inputs("u", 1, draw(st.sampled_from(FORMATS))))
    for _ in range(draw(st.integers(1, 4))):
        left = grower.any_node(words=True)
        size = left.size
        index = np.arange(size)
        match draw(st.sampled_from(("affine", "round", "product", "table", "function", "maximum"))):
            case "affine":
                operand = Operand(Ref(left.name), grower.weights(2, size))
                grower.put(Affine(grower.fresh("aff"), 0, 2, (operand,), grower.numbers(2), np.zeros(2, dtype=int), 0))
            case "round":
                source = grower.any_node()
                format_ = draw(st.sampled_from(FORMATS))
                grower.put(Round(grower.fresh("rnd"), 0, source.size, Ref(source.name), 1, format_))
            case "product":
                grower.put(
                    Product(grower.fresh("mul"), 0, Ref(left.name), index, Ref(left.name), index[::-1].copy(), 0)
                )
            case "function":
                source = grower.any_node()
                frac = source.frac if isinstance(source, Exact) else source.format.frac
                format_, function = draw(st.sampled_from(FORMATS)), draw(st.sampled_from(FUNCTIONS))
                read = Ref(source.name)
                grower.put(Function(grower.fresh("fun"), 0, source.size, read, function, frac, format_))
            case "table":
                source = grower.any_node()
                format_ = draw(st.sampled_from(FORMATS))
                codes = grower.numbers(3, format_.lo, format_.hi)
                grower.put(
                    Table(grower.fresh("tab"), 0, source.size, Ref(source.name), np.array([-1, 2]), codes, format_)
                )
            case _:
                if not isinstance(left, Exact):
                    groups = np.arange(size)[None, :]
                    grower.put(Maximum(grower.fresh("max"), 0, 1, Ref(left.name), groups, None, (), left.format))
    logits = grower.put(
        Affine("logit", 0, 1, (Operand(Ref(grower.nodes[-1].name), grower.weights(1, grower.nodes[-1].size)),),
               grower.numbers(1), grower.numbers(1), 0)
    )  # fmt: skip
    grower.put(Table("class", 0, 1, Ref(logits.name), np.array([1]), np.array([0, 1]), BIT))
    network = Network(tuple(grower.nodes), Readout("logit", "class", "logit", None, 2, 0), Domain(), ())
    network.check()
    return network
