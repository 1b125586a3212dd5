"""From the network over the reals to the fixed-precision network: where to round, and to which format.

Rounding points are: a static input; both operands of a product; the result of a scalar function (its argument stays exact);
a quotient, once; the candidates of a maximum. Affine maps, sums over positions and means do not round. Formats are chosen per
tensor from the values seen on a set of inputs, given as bounds by node name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, assert_never

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import FomError, fail
from circuits.floats import Codebook, Codes
from circuits.formats import BIT, Format
from circuits.matrices import canonical, matrix
from circuits.network import (
    Affine,
    Domain,
    Exact,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Readout,
    Round,
    Sum,
    Table,
    references,
)
from circuits.positions import FALSE, TRUE, Ref, Term, is_safe, var
from circuits.ranges import LIMIT_BITS, Range, range_of
from translator import real
from translator.budget import affordable_factors, affordable_linear, affordable_sum
from translator.fixing_codes import covering_codes, input_of, reads_codes
from translator.fixing_floats import joint_format, put_rounded, with_largest_span
from translator.fixing_maps import add_map
from translator.fixing_quotients import add_ratio, half_steps
from translator.fixing_readout import add_readout
from translator.function_kinds import is_reciprocal
from translator.integers import Rewritten, with_integers
from translator.precision import MOST_FRACTIONAL, Precision
from translator.relevance import relevance

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bounds = dict[str, tuple[float, float]]

REFERENCE_LENGTH = 1024
EXACT_WEIGHT_BITS = (44, 36, 28)


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
    return fitted(network, precision, bounds, alphabet, keep)[1]


def fitted(
    network: real.RealNetwork, precision: Precision, bounds: Bounds, alphabet: tuple[str, ...], keep: Sequence[str] = ()
) -> tuple[Precision, Network]:
    """Fix a network, and say at which span of float words if that was left open."""
    return with_largest_span(precision, lambda chosen: fix_at(network, chosen, bounds, alphabet, keep))


def fix_at(
    network: real.RealNetwork, precision: Precision, bounds: Bounds, alphabet: tuple[str, ...], keep: Sequence[str]
) -> Network:
    """Append all nodes at a precision of which nothing is open."""
    integers = with_integers(network, bounds, tuple(keep))
    builder = Fixer(integers.network, precision, integers.bounds, integers)
    for node in integers.network.nodes:
        if node.name in integers.bounds or isinstance(node, real.Letters | real.Features):
            builder.add(node)
    readout = None if network.output is None else add_readout(builder, network.output)
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
    integers: Rewritten
    nodes: list[Node] = field(default_factory=list)
    by_name: dict[str, Node] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    words: dict[tuple[str, Codes, Format | None], str] = field(default_factory=dict)
    floats: dict[str, Codebook] = field(default_factory=dict)
    halves: dict[str, str] = field(default_factory=dict)

    @cached_property
    def given(self) -> dict[str, real.RealNode]:
        """The nodes of the real network by name."""
        return {node.name: node for node in self.network.nodes}

    @cached_property
    def denominators(self) -> set[str]:
        """The nodes of the real network that are read as denominators."""
        return {node.den.node for node in self.network.nodes if isinstance(node, real.Ratio)}

    @cached_property
    def partners(self) -> dict[str, float]:
        """For the nodes of the real network that are factors, the largest number that one is multiplied by."""
        found: dict[str, float] = {}
        for node in self.network.nodes:
            if isinstance(node, real.Multiply):
                for own, other in ((node.left.node, node.right.node), (node.right.node, node.left.node)):
                    size = max(map(abs, self.bounds.get(other, (0.0, 0.0))))
                    found[own] = max(found.get(own, 0.0), size)
        return found

    def finer_bits(self, node: real.Map) -> int:
        """How many more fractional bits a function gets because it divides by small numbers, or is 1/x times large ones."""
        least = self.bounds[node.name][0] if node.name in self.denominators else 0.0
        smallest = -math.frexp(least)[1] if least > 0 else 0
        partner = self.partners.get(node.name, 0.0) if is_reciprocal(node.function) else 0.0
        return max(smallest, math.frexp(partner)[1], 0)

    def halved(self, node: real.Ratio) -> str:
        """The exact value that stands for a quotient where only multiples of 1/2 count."""
        if node.name not in self.halves:
            self.halves[node.name] = half_steps(self, node).node
        return self.halves[node.name]

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
            case real.Features():
                self.put(input_of(self, node))
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
                add_map(self, node)
            case real.Sum(name=name, n_positions=k, size=size, operand=operand, guard=guard):
                summed = self.word(operand) if self.sums_positions(operand.node) else self.exact(operand)
                if self.precision.is_open:
                    summed = affordable_sum(self, name, summed)
                self.put(Sum(name, k, size, summed, guard, self.frac(summed.node)))
            case real.Maximum():
                self.add_maximum(node)
            case real.Ratio():
                add_ratio(self, node)
            case _:
                assert_never(node)

    def exact(self, ref: Ref) -> Ref:
        """The reference, to be read exactly; an exact node at a shifted position is rewritten over its shifted sources."""
        node = self.by_name[ref.node]
        if not isinstance(node, Exact) or self.inside(ref):
            return ref
        unsafe = {term for term in ref.at if not is_safe(term, self.network.domain.least)}
        vanishing = isinstance(node, Affine) and all(
            all(any(leaves_with(term, own) for own in operand.ref.substitute(ref.at).at) for term in unsafe)
            for operand in node.operands
        )
        if not isinstance(node, Affine) or node.length.any() or not vanishing:
            return self.word(ref, covering_codes(self, [ref]))
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
            if ref.node in self.bounds:
                least, most = self.bounds[ref.node]
                self.bounds[name] = (min(least, 0.0), max(most, 0.0))
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

    def word(self, ref: Ref, codes: Codes | None = None, format_: Format | None = None) -> Ref:
        """A word for the referenced value: itself, or its rounding to the codes (by default: chosen for what was seen).

        A product needs its operands inside the word, so a shifted word is copied to an unshifted one. Codes of a codebook are
        held by the format, by default the smallest one.
        """
        node = self.by_name[ref.node]
        if not isinstance(node, Exact) and (codes is None or node.format == codes):
            return ref if self.inside(ref) else self.copy_shifted(ref)
        chosen = codes or self.precision.codes_for(*self.seen(ref.node), self.frac(ref.node))
        key = (ref.node, chosen, format_ if isinstance(chosen, Codebook) else None)
        if key not in self.words:
            name = self.fresh(f"{ref.node}.r")
            k = node.n_positions
            at = tuple(var(v) for v in range(k))
            if isinstance(chosen, Codebook):
                put_rounded(self, name, k, Ref(ref.node, at), chosen, format_)
            else:
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
        for bits in EXACT_WEIGHT_BITS if reads_codes(self, node) else ():
            try:
                self.put(self.weighed(node, refs, replace(self.precision, weight_bits=bits)))
                return
            except FomError as error:
                if error.diagnostics[0].code != "C026":
                    raise
        while True:
            try:
                self.put(self.weighed(node, refs, self.precision))
                return
            except FomError as error:
                sums = [place for place, ref in enumerate(refs) if isinstance(self.by_name[ref.node], Exact)]
                if error.diagnostics[0].code != "C026" or not sums:
                    raise
                finest = max(sums, key=lambda place: self.frac(refs[place].node))
                if refs[finest].node not in self.bounds:
                    raise
                refs[finest] = self.word(refs[finest])

    def weighed(self, node: real.Linear, refs: list[Ref], precision: Precision) -> Affine:
        """The affine map of a real one over the given references, with weights of that precision.

        Raises:
            FomError: the weights or constants need more than 62 bits at a common number of fractional bits.
        """
        weighed = []
        for operand, ref in zip(node.operands, refs, strict=True):
            given = operand.matrix
            codes, frac = precision.weights(np.asarray(given.data, dtype=np.float64))
            weights = csr_array((codes, given.indices, given.indptr), shape=given.shape)
            weighed.append((ref, weights, frac + self.frac(ref.node)))
        const, const_frac = precision.weights(node.const)
        length, length_frac = precision.weights(node.length)
        least = 0 if precision.floats is None else min(const_frac, MOST_FRACTIONAL)
        frac = max([f for _, _, f in weighed] + [least if weighed else const_frac, length_frac])
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
        return {exact: word for (exact, *_), word in self.words.items() if word in candidates}

    def add_maximum(self, node: real.Maximum) -> None:
        """Round all candidates to one format."""
        sources, codes = [(node.operand, node.groups), *node.segments], None
        given = {self.by_name[ref.node] for ref, _ in sources}
        formats = {found.format for found in given if not isinstance(found, Exact)}
        if len(formats) == 1 and all(not isinstance(found, Exact) for found in given):
            format_ = formats.pop()
        elif found := covering_codes(self, [ref for ref, _ in sources]):
            format_ = found
        else:
            seen = [self.seen(ref.node) for ref, _ in sources]
            finest = max(self.frac(ref.node) for ref, _ in sources)
            codes = self.precision.codes_for(min(low for low, _ in seen), max(high for _, high in seen), finest)
            format_ = joint_format(self, [ref for ref, _ in sources], codes)
        refs = [self.word(ref, codes or format_, format_) for ref, _ in sources]
        segments = tuple((ref, index) for ref, (_, index) in zip(refs[1:], node.segments, strict=True))
        self.put(Maximum(node.name, node.n_positions, node.size, refs[0], node.groups, node.guard, segments, format_))


def leaves_with(term: Term, other: Term) -> bool:
    """Tell whether another term is outside of the word wherever a term is: it is the same, or as far in that direction."""
    if term == other:
        return True
    if len(term.coefs) != 1 or term.coefs[0][1] != 1 or (term.coefs, term.n_coef, other.n_coef) != (other.coefs, 0, 0):
        return False
    return other.const <= term.const < 0 or other.const >= term.const > 0


def shifted_name(ref: Ref) -> str:
    """The name of a copy of a node at other positions."""
    return f"{ref.node}.at_" + "_".join(str(term).replace("-", "m").replace("+", "p") for term in ref.at)
