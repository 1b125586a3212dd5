"""Integer arithmetic of quantized networks: sums of products of codes as sums of integers, their scales moved to who reads them.

A file in QDQ form multiplies codes by their scales first and adds then. Over the reals that is an integer sum times one scale,
and its quantization is a step function of the integer. Here a network over the reals is rewritten that way:

* an input that only goes into one quantizer is read as that quantizer's codes;
* a linear map of integers of which the weights are integers times a scale becomes the integer map, and functions that read it
  get the scale as a factor. Rows of different scales (channels) become multiples of one finer scale;
* copies and equally scaled maxima pass the scale on.

Weights that the file holds as codes times scales were rounded to float32; the integers are found again from the quotients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.formats import Format
from circuits.positions import Ref, var
from circuits.scalar import Scalar, X, const
from translator import real
from translator.function_kinds import is_integer, is_whole
from translator.idle_singles import without_idle_singles
from translator.quantizers import first_quantizer, quantizer_of
from translator.relevance import reads

Reals = np.ndarray[Any, np.dtype[np.float64]]
Bounds = dict[str, tuple[float, float]]

SINGLE = 2.0**-23
SINGLE_BITS = 24
MOST_CODE = 1 << 16
TELLING = 8
FEW_DIVISORS, MOST_DIVISORS = 1 << 7, 1 << 13
CAPACITY = 58
CHANNEL_BITS = 28


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A network that computes with integers where the file does.

    Attributes:
        network: the same nodes, fewer where copies were left out.
        bounds: the bounds of its nodes.
        codes: for every input that is read as a quantizer's codes, the format of these and the scale.
        whole: the nodes that have integer values.
    """

    network: real.RealNetwork
    bounds: Bounds
    codes: dict[str, tuple[Format, float]]
    whole: frozenset[str]


def with_integers(network: real.RealNetwork, bounds: Bounds, keep: tuple[str, ...] = ()) -> Rewritten:
    """Rewrite a network so that it computes with integers wherever all that it reads is codes.

    Args:
        bounds: smallest and largest value seen of every node.
        keep: nodes that are outputs, and so keep their values.
    """
    if not any(isinstance(node, real.Map) and first_quantizer(node.function) for node in network.nodes):
        return Rewritten(network, dict(bounds), {}, frozenset())
    network, bounds = without_idle_singles(network, bounds, keep)
    return Rewriting(network, dict(bounds), keep).run()


@dataclass
class Rewriting:
    """Goes through the nodes once; `scales` has the factor between a node's integers and its values in the file."""

    network: real.RealNetwork
    bounds: Bounds
    keep: tuple[str, ...]
    nodes: list[real.RealNode] = field(default_factory=list)
    copies: dict[str, Ref] = field(default_factory=dict)
    scales: dict[str, float] = field(default_factory=dict)
    reach: dict[str, Reals] = field(default_factory=dict)
    codes: dict[str, tuple[Format, float]] = field(default_factory=dict)

    def run(self) -> Rewritten:
        """Rewrite all nodes."""
        self.readers: dict[str, list[real.RealNode]] = {node.name: [] for node in self.network.nodes}
        for node in self.network.nodes:
            for ref, _ in reads(node):
                self.readers[ref.node].append(node)
        outputs = {*self.keep, *(ref.node for tensor in self.network.outputs for _, ref in tensor.parts)}
        if self.network.output is not None:
            outputs.add(self.network.output.ref.node)
        self.outputs = outputs
        for node in self.network.nodes:
            self.add(node)
        changed = replace(self.network, nodes=tuple(self.nodes))
        return Rewritten(changed, self.bounds, self.codes, frozenset(self.reach))

    def moved(self, ref: Ref) -> Ref:
        """The reference, to what a copy copies."""
        return self.copies[ref.node].substitute(ref.at) if ref.node in self.copies else ref

    def add(self, node: real.RealNode) -> None:
        """Append a node, or leave out a copy."""
        match node:
            case real.Letters(size=size) | real.Predicates(size=size):
                self.reach[node.name] = np.ones(size)
            case real.Features():
                self.add_features(node)
            case real.Linear():
                node = self.linear(node)
                if self.is_copy(node):
                    self.copies[node.name] = node.operands[0].ref
                    return
            case real.Map(operand=operand, function=function):
                if operand.node in self.codes and operand.node not in self.copies:
                    self.copies[node.name] = operand
                    return
                scale = self.scale_of(operand)
                if scale != 1:
                    function = Scalar("mul", (X, const(self.fitting_scale(operand)))).then(function)
                node = replace(node, operand=self.moved(operand), function=function)
                self.add_whole(node)
            case real.Multiply(left=left, right=right):
                node = replace(node, left=self.moved(left), right=self.moved(right))
            case real.Sum(operand=operand):
                node = replace(node, operand=self.moved(operand))
            case real.Ratio(num=num, den=den):
                node = replace(node, num=self.moved(num), den=self.moved(den))
            case real.Maximum():
                node = self.maximum(node)
        self.nodes.append(node)

    def scale_of(self, ref: Ref) -> float:
        """The factor of what a reference of the file's network reads."""
        return self.scales.get(ref.node, 1.0)

    def fitting_scale(self, ref: Ref) -> float:
        """The scale with so many bits, no fewer than those of a float32, that its products with the integers are integers."""
        largest = float(self.reach[self.moved(ref).node].max(initial=1.0))
        mantissa, exponent = math.frexp(self.scale_of(ref))
        bits = max(CAPACITY - math.frexp(largest)[1], SINGLE_BITS)
        return math.ldexp(round(math.ldexp(mantissa, bits)), exponent - bits)

    def add_features(self, node: real.Features) -> None:
        """Read an input as codes if one quantizer is all that reads it, or if its type is a small integer type."""
        if is_integer(node.dtype):
            low, high = self.bounds.get(node.name, (0.0, 0.0))
            self.reach[node.name] = np.full(node.size, max(abs(low), abs(high)))
            return
        readers = self.readers[node.name]
        functions = {reader.function for reader in readers if isinstance(reader, real.Map)}
        if len(functions) != 1 or not all(isinstance(r, real.Map) for r in readers) or node.n_positions:
            return
        found = input_quantizer(functions.pop())
        if found is None or node.name in self.outputs or any(r.name in self.outputs for r in readers):
            return
        self.codes[node.name] = found
        format_ = found[0]
        self.bounds[node.name] = (float(format_.lo), float(format_.hi))
        self.reach[node.name] = np.full(node.size, float(max(abs(format_.lo), abs(format_.hi))))
        for reader in readers:
            self.reach[reader.name] = self.reach[node.name]

    def add_whole(self, node: real.Map) -> None:
        """Note a function that has codes as its values."""
        quantizer = quantizer_of(node.function)
        if quantizer is not None:
            self.reach[node.name] = np.full(node.size, float(max(abs(quantizer.low), abs(quantizer.high))))
        elif is_whole(node.function, node.operand.node in self.reach) and node.name in self.bounds:
            self.reach[node.name] = np.full(node.size, max(map(abs, self.bounds[node.name])))

    def can_scale(self, name: str) -> bool:
        """Tell whether every reader of a node can take its integers: functions, linear maps, maxima of it alone."""
        if name in self.outputs or not self.readers[name]:
            return False
        return all(
            isinstance(reader, real.Map | real.Linear) or (isinstance(reader, real.Maximum) and not reader.segments)
            for reader in self.readers[name]
        )

    def is_copy(self, node: real.Linear) -> bool:
        """Tell whether a linear map is one operand as it is, read at its own positions."""
        if len(node.operands) != 1 or node.const.any() or node.length.any() or node.name in self.outputs:
            return False
        (operand,) = node.operands
        own = tuple(var(v) for v in range(node.n_positions))
        return operand.ref.at == own and is_identity(operand.matrix)

    def maximum(self, node: real.Maximum) -> real.Maximum:
        """A maximum of integers is an integer of the same scale."""
        sources = [node.operand, *(ref for ref, _ in node.segments)]
        if not node.segments and self.scale_of(node.operand) != 1:
            self.scales[node.name] = scale = self.scale_of(node.operand)
            self.divide_bounds(node.name, scale)
            if not self.can_scale(node.name):
                return self.unscaled(node, scale)
        if all(self.moved(ref).node in self.reach for ref in sources):
            largest = max(float(self.reach[self.moved(ref).node].max(initial=0.0)) for ref in sources)
            self.reach[node.name] = np.full(node.size, largest)
        segments = tuple((self.moved(ref), groups) for ref, groups in node.segments)
        return replace(node, operand=self.moved(node.operand), segments=segments)

    def unscaled(self, node: real.Maximum, scale: float) -> real.Maximum:
        """The maximum itself over a scaled copy of its integers, where its readers need its values."""
        source = self.moved(node.operand)
        given = next(found for found in self.nodes if found.name == source.node)
        name = f"{node.name}.scaled"
        own = tuple(var(v) for v in range(given.n_positions))
        zero, weights = np.zeros(given.size), csr_array(np.diag(np.full(given.size, scale)))
        operand = real.Operand(Ref(source.node, own), weights)
        self.nodes.append(real.Linear(name, given.n_positions, given.size, (operand,), zero, zero))
        low, high = self.bounds[source.node]
        self.bounds[name] = (low * scale, high * scale)
        self.divide_bounds(node.name, 1 / scale)
        del self.scales[node.name]
        return replace(node, operand=Ref(name, source.at))

    def divide_bounds(self, name: str, scale: float) -> None:
        """The bounds of a node's integers."""
        if name in self.bounds:
            low, high = self.bounds[name]
            self.bounds[name] = (low / scale, high / scale)

    def linear(self, node: real.Linear) -> real.Linear:
        """The linear map over integers, as integers itself where its readers can take them."""
        operands = tuple(
            real.Operand(self.moved(operand.ref), csr_array(operand.matrix * self.scale_of(operand.ref)))
            for operand in node.operands
        )
        node = replace(node, operands=operands)
        if node.length.any() or not all(operand.ref.node in self.reach for operand in operands):
            return node
        largest = np.abs(node.const) + 0.0
        for operand in operands:
            largest = largest + abs(operand.matrix) @ self.reach[operand.ref.node]
        data = [operand.matrix.data for operand in operands]
        if all(is_whole_array(given) for given in (*data, node.const)):
            self.reach[node.name] = largest
            return node
        found = row_scales(node) if self.can_scale(node.name) else None
        if found is None:
            return node
        unit, factors = common_unit(found, largest)
        rows = [np.repeat(np.arange(node.size), np.diff(operand.matrix.indptr)) for operand in operands]
        wholes = []
        for operand, row in zip(operands, rows, strict=True):
            given = operand.matrix
            weights = np.rint(given.data / found[row]) * factors[row]
            wholes.append(
                real.Operand(operand.ref, csr_array((weights, given.indices, given.indptr), shape=given.shape))
            )
        self.scales[node.name] = unit
        self.divide_bounds(node.name, unit)
        self.reach[node.name] = np.ceil(largest / unit) + factors
        return replace(node, operands=tuple(wholes), const=np.rint(node.const / found) * factors)


def is_whole_array(given: Reals) -> bool:
    """Tell whether all numbers of an array are whole."""
    return bool((given == np.rint(given)).all())


def is_identity(matrix: csr_array) -> bool:
    """Tell whether a matrix is the identity."""
    size = matrix.shape[0]
    each = np.arange(size)
    return (
        matrix.shape == (size, size)
        and matrix.nnz == size
        and bool((matrix.data == 1).all())
        and np.array_equal(matrix.indptr, np.arange(size + 1))
        and np.array_equal(matrix.indices, each)
    )


def input_quantizer(function: Scalar) -> tuple[Format, float] | None:
    """The format and scale of a quantizer ``clip(round(x / scale))`` as QuantizeLinear has it, in float32."""
    quantizer = quantizer_of(function)
    if quantizer is None or quantizer.format is None:
        return None
    single = Scalar("float32", (X,))
    match quantizer.inner:
        case Scalar("float32", (Scalar("div", (inner, Scalar("const", (), scale))),)) if (
            inner == single and scale == np.float32(scale) > 0
        ):
            return quantizer.format, scale
        case _:
            return None


def row_scales(node: real.Linear) -> Reals | None:
    """For each row a scale of which its weights and its constant are integer multiples, up to float32; None without.

    One scale for all rows is preferred.
    """
    parts = [operand.matrix for operand in node.operands]
    numbers = np.concatenate([*(part.data for part in parts), node.const])
    together = scale_of_numbers(numbers)
    if together is not None:
        return np.full(node.size, together)
    found = np.ones(node.size)
    for row in range(node.size):
        own = [part.data[part.indptr[row] : part.indptr[row + 1]] for part in parts]
        scale = scale_of_numbers(np.concatenate([*own, node.const[row : row + 1]]))
        if scale is None:
            return None
        found[row] = scale
    return found


def scale_of_numbers(numbers: Reals) -> float | None:
    """The largest number of which all given ones are integer multiples up to rounding to float32, or None.

    The smallest magnitude is one of the first multiples; the best scale is the mean over all, weighed by size.
    """
    magnitudes = np.abs(numbers[numbers != 0])
    if not magnitudes.size:
        return 1.0
    magnitudes = np.unique(magnitudes)
    smallest, largest = float(magnitudes[0]), float(magnitudes[-1])
    if largest / smallest > 2.0**31:
        return None
    tried = np.arange(1, (MOST_DIVISORS if len(magnitudes) > TELLING else FEW_DIVISORS) + 1)
    multiples = magnitudes[:TELLING, None] * (tried / smallest)
    near = np.abs(multiples - np.rint(multiples)) <= np.maximum(2 * SINGLE * multiples, SINGLE)
    for divisor in tried[(near | (multiples > MOST_CODE)).all(axis=0)]:
        found = refined(magnitudes, smallest / float(divisor))
        if found is not None:
            return found
    return None


def refined(magnitudes: Reals, scale: float) -> float | None:
    """Make a scale precise, from small magnitudes to large ones; None where one is no multiple."""
    start = 0
    while start < len(magnitudes):
        end = max(start + 1, int(np.searchsorted(magnitudes, scale * MOST_CODE, side="right")))
        part = magnitudes[start:end]
        multiples = np.rint(part / scale)
        if not multiples.all() or (np.abs(part / scale - multiples) > np.maximum(2 * SINGLE * multiples, SINGLE)).any():
            return None
        heavy = 2 * multiples > multiples.max()
        scale = float((part[heavy] * multiples[heavy]).sum() / (multiples[heavy] ** 2).sum())
        start = end
    return scale


def common_unit(scales: Reals, largest: Reals) -> tuple[float, Reals]:
    """One scale of which those of all rows are integer multiples, nearly enough for float32, and these multiples."""
    most = float(scales.max())
    if (scales == most).all():
        return most, np.ones(len(scales))
    room = CAPACITY - math.frexp(float((largest / scales).max()))[1]
    unit = math.ldexp(most, -min(CHANNEL_BITS, max(room, 1)))
    return unit, np.rint(scales / unit)
