"""From the network over the reals to the fixed-precision network: where to round, and to which format.

Rounding points are: a static input; both operands of a product; the result of a scalar function (its argument stays exact);
a quotient, once; the candidates of a maximum. Affine maps, sums over positions and means do not round. Formats are chosen per
tensor from the values seen on a set of inputs, given as bounds by node name.

At the readout nothing is rounded where that can be avoided: logits over one common positive denominator (mean pooling) are
compared by their numerators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import FomError, fail
from circuits.formats import BIT, Format
from circuits.functions import EXACT, TABLE_GATES
from circuits.matrices import canonical, matrix, selection
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
    references,
)
from circuits.positions import FALSE, TRUE, Ref, is_safe, var
from circuits.ranges import LIMIT_BITS, Range, range_of
from circuits.scalar import Scalar, X, const
from translator import real
from translator.breakpoints import ALL_POINTS, breakpoints, sample_points
from translator.budget import affordable_factors, affordable_linear, affordable_quotient, affordable_sum, coarser
from translator.precision import LEAST_TABLE_BITS, Precision
from translator.relevance import relevance

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bounds = dict[str, tuple[float, float]]

REFERENCE_LENGTH = 1024
ABSOLUTE = Scalar("abs", (X,))
RECTIFIERS = (Scalar("max", (X, const(0.0))), Scalar("max", (const(0.0), X)))
SMOOTH = frozenset(
    {
        *("x", "const", "add", "sub", "mul", "neg", "abs", "min", "max"),
        *("exp", "log", "sqrt", "erf", "tanh", "sigmoid", "softplus", "atan", "sinh", "cosh", "asinh"),
    }
)
WHOLE = frozenset({"round", "floor", "ceil", "sign", "ge", "gt", "eq"})


def fix(
    network: real.RealNetwork, precision: Precision, bounds: Bounds, alphabet: tuple[str, ...], keep: Sequence[str] = ()
) -> Network:
    """Choose formats and place rounding points.

    Args:
        bounds: smallest and largest value seen of every node of the real network.
        keep: nodes of the real network that are outputs, beside its decision and its tensors; `circuits.readout.decoded` reads
            them by name from the fixed network.

    Returns:
        The fixed network; without a readout if the real one has no decision.

    Raises:
        FomError: an accumulator beyond 62 bits, a shift of a value that cannot be shifted, or a value without bounds.
    """
    unseen = [name for name, where in relevance(network, keep).items() if where != FALSE and name not in bounds]
    unseen = [name for name in unseen if not isinstance(network.node(name), real.Letters)]
    if unseen:
        raise fail(
            "T031",
            f"no finite value was seen of `{unseen[0]}`, so no format can be chosen for it",
            help="measure on other inputs: --max-length, --where or --inputs",
        )
    builder = Fixer(network, precision, bounds)
    for node in network.nodes:
        if node.name in bounds or isinstance(node, real.Letters | real.Features):
            builder.add(node)
    readout = None if network.output is None else builder.add_readout(network.output)
    domain = Domain(network.domain.least, network.domain.most, network.domain.reason)
    kept = {*keep, *(ref.node for tensor in network.outputs for _, ref in tensor.parts)}
    fixed = Network(needed(builder.nodes, readout, kept), readout, domain, alphabet)
    fixed.check()
    return fixed


def needed(nodes: list[Node], readout: Readout | None, keep: set[str]) -> tuple[Node, ...]:
    """Keep the inputs and what the readout and the nodes to keep depend on."""
    wanted = set(keep)
    if readout is not None:
        wanted |= {readout.decision, readout.scores} | ({readout.denominator} if readout.denominator else set())
    kept: list[Node] = []
    for node in reversed(nodes):
        if node.name in wanted or isinstance(node, Letters | Inputs):
            kept.append(node)
            wanted |= {ref.node for ref, _ in references(node)}
    return tuple(reversed(kept))


@dataclass
class Fixer:
    """Appends fixed nodes for one real node after the other."""

    network: real.RealNetwork
    precision: Precision
    bounds: Bounds
    nodes: list[Node] = field(default_factory=list)
    by_name: dict[str, Node] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    words: dict[tuple[str, Format], str] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """The length for which sums over positions must fit: the longest one, or a long one."""
        if not self.network.alphabet_size:
            return 1
        most = self.network.domain.most
        return REFERENCE_LENGTH if most is None else most

    def put(self, node: Node) -> Node:
        """Append a node, with its range."""
        self.ranges[node.name] = range_of(node, self.ranges, self.longest)
        self.nodes.append(node)
        self.by_name[node.name] = node
        return node

    def inside(self, ref: Ref) -> bool:
        """Tell whether a reference always reads positions of the word."""
        return all(is_safe(term, self.network.domain.least) for term in ref.at)

    def fresh(self, name: str) -> str:
        """The name, or with a number behind it where the file uses it for something else."""
        taken = {node.name for node in self.network.nodes} | self.by_name.keys()
        numbered = (f"{name}{number}" for number in range(2, len(taken) + 3))
        return name if name not in taken else next(found for found in numbered if found not in taken)

    def frac(self, name: str) -> int:
        """Fractional bits of a fixed node."""
        node = self.by_name[name]
        return node.frac if isinstance(node, Exact) else node.format.frac

    def add(self, node: real.RealNode) -> None:
        """Append the fixed nodes of a real node."""
        match node:
            case real.Letters(name=name, size=size):
                self.put(Letters(name, size))
            case real.Features(name=name, size=size, dtype=dtype):
                seen = self.bounds.get(name, (0.0, 0.0))
                self.put(Inputs(name, size, self.precision.format_for(*seen, 0 if is_integer(dtype) else None)))
            case real.Predicates(name=name, n_positions=k, guards=guards):
                self.put(Predicates(name, k, guards))
            case real.Linear():
                self.add_linear(node)
            case real.Multiply():
                left, right = self.word(node.left), self.word(node.right)
                if self.precision.is_open:
                    left, right = affordable_factors(self, left, right)
                frac = self.frac(left.node) + self.frac(right.node)
                self.put(Product(node.name, node.n_positions, left, node.left_index, right, node.right_index, frac))
            case real.Map():
                self.add_map(node)
            case real.Sum(name=name, n_positions=k, size=size, operand=operand, guard=guard):
                summed = self.word(operand) if self.sums_positions(operand.node) else self.exact(operand)
                if self.precision.is_open:
                    summed = affordable_sum(self, name, summed)
                self.put(Sum(name, k, size, summed, guard, self.frac(summed.node)))
            case real.Maximum():
                self.add_maximum(node)
            case real.Ratio():
                self.add_ratio(node)
            case _:
                assert_never(node)

    def exact(self, ref: Ref) -> Ref:
        """The reference, to be read exactly; an exact node at a shifted position is rewritten over its shifted sources."""
        node = self.by_name[ref.node]
        if not isinstance(node, Exact) or self.inside(ref):
            return ref
        if not isinstance(node, Affine) or node.length.any():
            return self.word(ref)
        k = 1 + max((v for term in ref.at for v, _ in term.coefs), default=-1)
        operands = []
        for operand in node.operands:
            source = self.exact(operand.ref.substitute(ref.at))
            lost = self.frac(operand.ref.node) - self.frac(source.node)
            largest = int(np.abs(operand.matrix.data).max(initial=0))
            if lost < 0 or largest.bit_length() + lost > LIMIT_BITS:
                return self.word(ref)
            operands.append(Operand(source, canonical(operand.matrix * (1 << lost))))
        if node.const.any():
            column = matrix(np.arange(node.size), np.zeros(node.size, dtype=int), node.const, (node.size, 1))
            operands.append(Operand(Ref(self.everywhere(len(ref.at)), ref.at), column))
        name = shifted_name(ref)
        if name not in self.by_name:
            zero = np.zeros(node.size, dtype=np.int64)
            self.put(Affine(name, k, node.size, tuple(operands), zero, zero, node.frac))
        return Ref(name, tuple(var(v) for v in range(k)))

    def everywhere(self, n_positions: int) -> str:
        """A predicate that is 1 at every position, hence 0 outside the word."""
        name = f"everywhere{n_positions}"
        if name not in self.by_name:
            self.put(Predicates(name, n_positions, (TRUE,)))
        return name

    def sums_positions(self, name: str) -> bool:
        """Tell whether an exact node adds over positions, so that it cannot be added over positions again unrounded."""
        stack = [name]
        while stack:
            node = self.by_name[stack.pop()]
            if isinstance(node, Sum):
                return True
            if isinstance(node, Affine):
                if node.length.any():
                    return True
                stack.extend(operand.ref.node for operand in node.operands)
        return False

    def word(self, ref: Ref, format_: Format | None = None) -> Ref:
        """A word for the referenced value: itself, or its rounding to the format (by default: chosen for what was seen).

        A product needs its operands inside the word, so a shifted word is copied to an unshifted one.
        """
        node = self.by_name[ref.node]
        if not isinstance(node, Exact) and (format_ is None or node.format == format_):
            return ref if self.inside(ref) else self.copy_shifted(ref)
        chosen = format_ or self.precision.format_for(*self.seen(ref.node), self.frac(ref.node))
        key = (ref.node, chosen)
        if key not in self.words:
            name = self.fresh(f"{ref.node}.r")
            k = node.n_positions
            at = tuple(var(v) for v in range(k))
            self.put(Round(name, k, node.size, Ref(ref.node, at), self.frac(ref.node) - chosen.frac, chosen))
            self.words[key] = name
        rounded = Ref(self.words[key], ref.at)
        return rounded if self.inside(ref) else self.copy_shifted(rounded)

    def copy_shifted(self, ref: Ref) -> Ref:
        """A word equal to another one at shifted positions and 0 outside."""
        node = self.by_name[ref.node]
        if isinstance(node, Exact):
            raise fail("T030", "an exact value cannot be copied to a shifted position", where=f"`{ref.node}`")
        k = 1 + max((v for term in ref.at for v, _ in term.coefs), default=-1)
        name = shifted_name(ref)
        format_ = node.format
        if not format_.lo <= 0 <= format_.hi:
            format_ = Format(format_.bits + 1, min(format_.lo, 0), format_.frac)
        if name not in self.by_name:
            if format_ == BIT:
                once = np.array([1], dtype=np.int64), np.array([0, 1], dtype=np.int64)
                self.put(Table(name, k, node.size, ref, *once, BIT))
            else:
                self.put(Round(name, k, node.size, ref, 0, format_))
        return Ref(name, tuple(var(v) for v in range(k)))

    def seen(self, name: str) -> tuple[float, float]:
        """The bounds of a fixed node, under the name of the real node that it stands for."""
        if name not in self.bounds:
            raise fail("T031", f"no values were seen for `{name}`")
        return self.bounds[name]

    def add_linear(self, node: real.Linear) -> None:
        """Round the weights of each operand and align the fractional bits.

        Where the exact sum would leave 62 bits, the operand with the most fractional bits is rounded to a word first.
        """
        compared = self.compared_words(node)
        refs = [
            self.exact(Ref(compared.get(operand.ref.node, operand.ref.node), operand.ref.at))
            for operand in node.operands
        ]
        if self.precision.is_open:
            self.put(affordable_linear(self, node, refs))
            return
        while True:
            try:
                self.put(self.weighed(node, refs))
                return
            except FomError as error:
                sums = [place for place, ref in enumerate(refs) if isinstance(self.by_name[ref.node], Exact)]
                if error.diagnostics[0].code != "C026" or not sums:
                    raise
                finest = max(sums, key=lambda place: self.frac(refs[place].node))
                if refs[finest].node not in self.bounds:
                    raise
                refs[finest] = self.word(refs[finest])

    def weighed(self, node: real.Linear, refs: list[Ref]) -> Affine:
        """The affine map of a real one over the given references.

        Raises:
            FomError: the weights or constants need more than 62 bits at a common number of fractional bits.
        """
        weighed = []
        for operand, ref in zip(node.operands, refs, strict=True):
            given = operand.matrix
            codes, frac = self.precision.weights(np.asarray(given.data, dtype=np.float64))
            weights = csr_array((codes, given.indices, given.indptr), shape=given.shape)
            weighed.append((ref, weights, frac + self.frac(ref.node)))
        const, const_frac = self.precision.weights(node.const)
        length, length_frac = self.precision.weights(node.length)
        frac = max([f for _, _, f in weighed] + [const_frac if not weighed else 0, length_frac])
        if const_frac > frac:
            const, const_frac = np.rint(np.ldexp(node.const, frac)).astype(np.int64), frac
        shifted = [(weights.data, frac - f) for _, weights, f in weighed]
        shifted += [(const, frac - const_frac), (length, frac - length_frac)]
        for numbers, shift in shifted:
            bits = int(np.abs(numbers).max(initial=0)).bit_length() + shift
            if bits > LIMIT_BITS:
                raise fail(
                    "C026",
                    f"an accumulator needs {bits} bits, the limit is {LIMIT_BITS}: weights at {frac} fractional bits",
                    where=f"node `{node.name}`",
                    help="lower --precision or --weight-bits",
                )
        operands = tuple(Operand(ref, canonical(weights * (1 << (frac - f)))) for ref, weights, f in weighed)
        return Affine(
            node.name,
            node.n_positions,
            node.size,
            tuple(operand for operand in operands if operand.matrix.nnz),
            const << (frac - const_frac),
            length << (frac - length_frac),
            frac,
        )

    def compared_words(self, node: real.Linear) -> dict[str, str]:
        """The words whose maximum a linear map reads, by the names of the exact values that they round.

        ``score - max(score)`` has to compare what the maximum compared: then it is at most 0, and 0 where it is attained.
        """
        given = [self.by_name[operand.ref.node] for operand in node.operands]
        candidates = [
            ref.node
            for found in given
            if isinstance(found, Maximum)
            for ref in (found.operand, *(ref for ref, _ in found.segments))
        ]
        return {exact: word for (exact, _), word in self.words.items() if word in candidates}

    def is_below_maximum(self, name: str) -> bool:
        """Tell whether an exact value is a word less a maximum of it: then its exponential is at most 1.

        The format of that exponential has the largest code stand for 1, half a step too small, which the softmax's quotient
        cancels; all codes are used. Steps are never wider than 1, or the exponential of 0 would be 0.
        """
        node = self.by_name[name]
        if not isinstance(node, Affine):
            return False
        return any(isinstance(self.by_name[operand.ref.node], Maximum) for operand in node.operands)

    def add_map(self, node: real.Map) -> None:
        """Tabulate the function over the exact range of its argument; a clipped identity is a rounding that saturates."""
        ref = self.exact(node.operand)
        if node.function == ABSOLUTE and self.by_name[ref.node].n_positions == node.n_positions:
            self.add_absolute(node, ref)
            return
        clip = self.clipped_identity(node)
        if clip is not None:
            shift = self.frac(ref.node) - clip.frac
            self.put(Round(node.name, node.n_positions, node.size, ref, shift, clip))
            return
        bits = self.precision.bits
        if bits is None:
            self.add_open_map(node, ref)
            return
        low, high = self.ranges[ref.node]
        smallest, largest = int(low.min(initial=0)), int(high.max(initial=0))
        if not self.inside(ref):
            smallest, largest = min(smallest, 0), max(largest, 0)
        frac = self.frac(ref.node)
        format_ = self.format_of(node, bits, smallest, largest, frac)
        if node.function == Scalar("exp", (X,)) and self.is_below_maximum(ref.node):
            format_ = Format(bits, 0, bits if self.precision.frac is None else max(self.precision.frac, 0))
        focus = self.bounds.get(node.operand.node, (-1.0, 1.0))
        breaks, codes = breakpoints(node.function, frac, smallest, largest, focus, format_)
        self.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, format_))

    def add_open_map(self, node: real.Map, ref: Ref) -> None:
        """Append a function whose words have as many bits as they need: a table, or the function itself.

        A table is written out if it has few steps and they are found for certain: all arguments can be tried, there is one
        threshold, or the function is smooth; and if it is a number at all arguments that are tried.
        """
        function, frac = node.function, self.frac(ref.node)
        low, high = self.ranges[ref.node]
        smallest, largest_ = min(int(low.min()), 0), max(int(high.max()), 0)
        if is_truth(function):
            format_ = BIT
        else:
            finest = 0 if is_whole(function, frac <= 0) else None
            format_ = self.precision.format_for(*self.bounds[node.name], finest)
        focus = self.bounds.get(node.operand.node, (-1.0, 1.0))
        few = (node.size << format_.bits) <= max(TABLE_GATES, node.size << LEAST_TABLE_BITS)
        certain = largest_ - smallest < ALL_POINTS or is_threshold(function) or is_smooth(function)
        if few and certain and max(-smallest, largest_) < EXACT:
            points = sample_points(frac, smallest, largest_, focus)
            if not np.isnan(function(np.ldexp(points.astype(np.float64), -frac))).any():
                breaks, codes = breakpoints(function, frac, smallest, largest_, focus, format_)
                self.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, format_))
                return
        self.put(Function(node.name, node.n_positions, node.size, ref, function, frac, format_))

    def clipped_identity(self, node: real.Map) -> Format | None:
        """The format of which rounding and saturation are the whole function: ``max(x, 0)``, or a clip of ``round(x)``."""
        function = node.function
        if function.op == "abs" and function.args[0] in RECTIFIERS:
            function = function.args[0]
        if function in RECTIFIERS:
            finest = self.frac(self.exact(node.operand).node)
            format_ = self.precision.format_for(0.0, self.bounds[node.name][1], finest)
            return format_ if format_.lo == 0 else None
        limits: dict[str, float] = {}
        while function.op in ("min", "max"):
            constants = [arg.value for arg in function.args if arg.op == "const"]
            inner = [arg for arg in function.args if arg.op != "const"]
            if len(constants) != 1 or len(inner) != 1 or function.op in limits or not constants[0].is_integer():
                return None
            limits[function.op] = constants[0]
            function = inner[0]
        if function != Scalar("round", (X,)) or len(limits) != 2:
            return None
        low, codes = int(limits["max"]), int(limits["min"] - limits["max"]) + 1
        return Format(codes.bit_length() - 1, low, 0) if codes >= 2 and codes & (codes - 1) == 0 else None

    def add_absolute(self, node: real.Map, ref: Ref) -> None:
        """``|x|`` is the larger of x and -x, both rounded to a format without sign: three searches instead of a table."""
        format_ = self.precision.format_for(0.0, self.bounds[node.name][1], self.frac(ref.node))
        if format_.lo:
            format_ = Format(format_.bits, 0, format_.frac)
        k, size, frac = node.n_positions, node.size, self.frac(ref.node)
        own, zero = tuple(var(v) for v in range(k)), np.zeros(node.size, dtype=np.int64)
        negated = Operand(ref, selection(np.arange(size), size, -1))
        self.put(Affine(f"{node.name}.negated", k, size, (negated,), zero, zero, frac))
        self.put(Round(f"{node.name}.plus", k, size, ref, frac - format_.frac, format_))
        self.put(Round(f"{node.name}.minus", k, size, Ref(f"{node.name}.negated", own), frac - format_.frac, format_))
        each = np.arange(size, dtype=np.int64)[:, None]
        others = ((Ref(f"{node.name}.minus", own), each),)
        self.put(Maximum(node.name, k, size, Ref(f"{node.name}.plus", own), each, None, others, format_))

    def format_of(self, node: real.Map, bits: int, smallest: int, largest: int, frac: int) -> Format:
        """The format of a function's result: a bit, small whole numbers exactly, else what fits the values seen."""
        function = node.function
        if is_truth(function):
            return BIT
        if is_whole(function):
            ends = np.linspace(smallest, largest, 4097)
            values = function(np.ldexp(ends, -frac))
            low, high = int(np.nanmin(values)), int(np.nanmax(values))
            needed_bits = max(1, (high - low).bit_length())
            if needed_bits <= max(bits, 8):
                return Format(needed_bits, low, 0)
        return self.precision.for_table(node.size).format_for(*self.bounds[node.name])

    def add_maximum(self, node: real.Maximum) -> None:
        """Round all candidates to one format."""
        sources = [(node.operand, node.groups), *node.segments]
        given = {self.by_name[ref.node] for ref, _ in sources}
        formats = {found.format for found in given if not isinstance(found, Exact)}
        if len(formats) == 1 and all(not isinstance(found, Exact) for found in given):
            format_ = formats.pop()
        else:
            seen = [self.seen(ref.node) for ref, _ in sources]
            finest = max(self.frac(ref.node) for ref, _ in sources)
            format_ = self.precision.format_for(min(low for low, _ in seen), max(high for _, high in seen), finest)
        refs = [self.word(ref, format_) for ref, _ in sources]
        segments = tuple((ref, index) for ref, (_, index) in zip(refs[1:], node.segments, strict=True))
        self.put(Maximum(node.name, node.n_positions, node.size, refs[0], node.groups, node.guard, segments, format_))

    def add_ratio(self, node: real.Ratio) -> None:
        """One rounding of an exact quotient."""
        num, den, den_index = self.exact(node.num), self.exact(node.den), node.den_index
        format_ = self.precision.format_for(*self.bounds[node.name])
        if self.precision.is_open:
            num, den = affordable_quotient(self, node.name, num, den, format_, self.changes_sign(node.den))
        if self.changes_sign(node.den):
            num, den = self.with_positive_denominator(node, num, den)
            den_index = np.arange(node.size, dtype=np.int64)
        shift = format_.frac + self.frac(den.node) - self.frac(num.node)
        self.put(Quotient(node.name, node.n_positions, node.size, num, den, den_index, shift, format_))

    def changes_sign(self, den: Ref) -> bool:
        """Tell whether a denominator was seen below 0."""
        return den.node in self.bounds and self.bounds[den.node][0] < 0

    def with_positive_denominator(self, node: real.Ratio, num: Ref, den: Ref) -> tuple[Ref, Ref]:
        """Numerator and denominator times the sign of the denominator, element by element, exact over words for both."""
        if self.precision.is_open:
            num, den = (coarser(self, ref, self.frac(ref.node)) for ref in (num, den))
        else:
            num, den = self.word(num), self.word(den)
        k, index = node.n_positions, node.den_index
        own, each = tuple(var(v) for v in range(k)), np.arange(node.size, dtype=np.int64)
        den_size = self.by_name[den.node].size
        breaks, codes = np.array([0, 1], dtype=np.int64), np.array([-1, 0, 1], dtype=np.int64)
        sign = Ref(self.fresh(f"{node.name}.sign"), own)
        self.put(Table(sign.node, k, den_size, den, breaks, codes, Format(2, -1, 0)))
        top, bottom = self.fresh(f"{node.name}.num"), self.fresh(f"{node.name}.den")
        self.put(Product(top, k, num, each, sign, index, self.frac(num.node)))
        self.put(Product(bottom, k, den, index, sign, index, self.frac(den.node)))
        return Ref(top, own), Ref(bottom, own)

    def add_readout(self, output: real.Output) -> Readout:
        """Append the decision: comparisons of exact logits, or one rounded word."""
        own = tuple(var(v) for v in range(output.n_positions))
        scores, denominator = self.numerator(output.ref, output.n_positions)
        size, k = output.n_classes, output.n_positions
        if output.kind == "value":
            if output.ref.node in self.bounds and denominator is None:
                format_ = self.precision.format_for(*self.bounds[output.ref.node], self.frac(scores))
                shift = self.frac(scores) - format_.frac
                decision = self.put(Round(self.fresh("decision"), k, size, Ref(scores, own), shift, format_)).name
            else:
                decision = self.word(output.ref).node
            return Readout("value", decision, scores, denominator, 0, k)
        one = np.array([0, 1], dtype=np.int64)
        if output.kind == "logit":
            positive = Table(self.fresh("positive"), k, 1, Ref(scores, own), np.array([1], dtype=np.int64), one, BIT)
            return Readout("logit", self.put(positive).name, scores, denominator, 2, k)
        pairs = [(c, other) for c in range(size) for other in range(size) if other != c]
        rows = np.arange(len(pairs))
        winner, loser = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        difference = canonical(selection(winner, size) - selection(loser, size))
        ties = -(loser < winner).astype(np.int64)
        zero = np.zeros(len(pairs), dtype=np.int64)
        lead = self.put(
            Affine(self.fresh("lead"), k, len(pairs), (Operand(Ref(scores, own), difference),), ties, zero, 0)
        )
        zero_break = np.array([0], dtype=np.int64)
        if size == 2:
            decided = Table(self.fresh("class"), k, 2, Ref(lead.name, own), zero_break, one, BIT)
        else:
            beats = self.put(Table(self.fresh("beats"), k, len(pairs), Ref(lead.name, own), zero_break, one, BIT))
            collect = matrix(winner, rows, 1, (size, len(pairs)))
            none = np.zeros(size, dtype=np.int64)
            won = (Operand(Ref(beats.name, own), collect),)
            wins = self.put(Affine(self.fresh("wins"), k, size, won, none, none, 0))
            all_won = np.array([size - 1], dtype=np.int64)
            decided = Table(self.fresh("class"), k, size, Ref(wins.name, own), all_won, one, BIT)
        return Readout("classes", self.put(decided).name, scores, denominator, size, k)

    def numerator(self, ref: Ref, n_positions: int) -> tuple[str, str | None]:
        """Logits as an exact node over the readout's positions, and the common denominator if there is one.

        A last linear map of quotients by one denominator becomes that map of the numerators, its constant times the
        denominator; otherwise the map is read as it is.
        """
        own = tuple(var(v) for v in range(n_positions))
        node = self.network.node(ref.node)
        if isinstance(node, real.Linear) and not node.length.any():
            ratios = [self.network.node(operand.ref.node) for operand in node.operands]
            common = {
                (r.den, o.ref.at) for r, o in zip(ratios, node.operands, strict=True) if isinstance(r, real.Ratio)
            }
            single = all(isinstance(r, real.Ratio) and self.is_common(r) for r in ratios)
            if single and len(common) == 1 and ref.at == own:
                (den, at), chosen = common.pop(), int(ratios[0].den_index[0])  # type: ignore[union-attr]
                return self.push_through(node, ratios, den.substitute(at), chosen)
        if isinstance(node, real.Ratio) and ref.at == own and self.is_common(node):
            direct = real.Linear(
                f"{node.name}.num",
                node.n_positions,
                node.size,
                (real.Operand(Ref(node.name, own), np.eye(node.size)),),  # type: ignore[arg-type]
                np.zeros(node.size),
                np.zeros(node.size),
            )
            return self.push_through(direct, [node], node.den, int(node.den_index[0]))
        exact = self.exact(ref)
        found = self.by_name[exact.node]
        if isinstance(found, Exact) and exact.at == own:
            return exact.node, None
        identity = selection(np.arange(found.size), found.size)
        zero = np.zeros(found.size, dtype=np.int64)
        name = self.fresh("logits")
        operand = Operand(exact, identity)
        return self.put(Affine(name, n_positions, found.size, (operand,), zero, zero, self.frac(exact.node))).name, None

    def is_common(self, node: real.Ratio) -> bool:
        """Tell whether all quotients have one denominator, and that a positive one."""
        return len(set(node.den_index.tolist())) == 1 and not self.changes_sign(node.den)

    def push_through(self, node: real.Linear, ratios: list[Any], den: Ref, den_element: int) -> tuple[str, str]:
        """``W (N / D) + b`` as numerators ``W N + b D`` over D."""
        den = self.exact(den)
        den_size = self.by_name[den.node].size
        operands = [
            real.Operand(ratio.num.substitute(operand.ref.at), csr_array(operand.matrix))
            for ratio, operand in zip(ratios, node.operands, strict=True)
        ]
        column = np.zeros((node.size, den_size))
        column[:, den_element] = node.const
        if node.const.any():
            operands.append(real.Operand(den, csr_array(column)))
        zero = np.zeros(node.size)
        top = real.Linear(self.fresh(f"{node.name}.scaled"), node.n_positions, node.size, tuple(operands), zero, zero)
        self.add_linear(top)
        pick = real.Linear(
            self.fresh(f"{node.name}.den"),
            node.n_positions,
            1,
            (real.Operand(den, csr_array(np.eye(den_size)[[den_element]])),),
            np.zeros(1),
            np.zeros(1),
        )
        self.add_linear(pick)
        return top.name, pick.name


def shifted_name(ref: Ref) -> str:
    """The name of a copy of a node at other positions."""
    return f"{ref.node}.at_" + "_".join(str(term).replace("-", "m").replace("+", "p") for term in ref.at)


def is_integer(dtype: str) -> bool:
    """Tell whether an ONNX element type has whole numbers or truth values only."""
    return dtype == "bool" or dtype.startswith(("int", "uint"))


def is_truth(function: Scalar) -> bool:
    """Tell whether a function is a comparison."""
    return function.op in ("ge", "gt", "eq")


def is_threshold(function: Scalar) -> bool:
    """Tell whether a function compares its argument with a constant, so that it has one step."""
    return function.op in ("ge", "gt") and {arg.op for arg in function.args} == {"x", "const"}


def is_smooth(function: Scalar) -> bool:
    """Tell whether a function has no jumps and does not oscillate."""
    stack = [function]
    while stack:
        term = stack.pop()
        if term.op not in SMOOTH:
            return False
        stack.extend(term.args)
    return True


def is_whole(function: Scalar, of_whole: bool = False) -> bool:
    """Tell whether a function only takes whole values: a rounding, or a clip of one by whole bounds.

    With `of_whole` its argument is whole, and then so are sums, products and remainders of it.
    """
    stack = [function]
    while stack:
        term = stack.pop()
        if term.op in WHOLE or (of_whole and term.op == "x"):
            continue
        if term.op in ("min", "max", "neg", "abs") or (of_whole and term.op in ("add", "sub", "mul", "mod")):
            stack.extend(term.args)
        elif of_whole and term.op == "where":
            stack.extend(term.args[1:])
        elif term.op != "const" or not float(term.value).is_integer():
            return False
    return True
