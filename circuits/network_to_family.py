"""From a network to a family of threshold circuits.

Every word of the network becomes one template for each of its bits and an accumulator for its value; every exact value becomes
an accumulator. The gadgets are the constructions of theory for fixed precision:

* **rounding by successive approximation**: the result is at least c if and only if the exact sum reaches a threshold that is
  linear in c, so each bit compares the sum less what the higher bits already claim;
* **by digits**: a digit of w bits is found by ``2**w - 1`` comparisons at once (a thermometer) and alternating sums of these
  (Siu & Roychowdhury 1994). ``compact`` takes digits of one bit (depth p), ``shallow`` one digit of p bits (depth 2),
  ``balanced`` two digits (depth 4);
* **products** are ANDs of bits that feed the next sum directly: no adders;
* **quotients** need no divider: with a positive denominator ``N / D >= c`` is ``N - c * D >= 0``;
* **maxima** over unboundedly many positions are a thermometer or a search with one OR for each candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, assert_never

import numpy as np

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires
from circuits.family import Family
from circuits.flattening import flatten, reachable
from circuits.formats import BIT, Format, threshold
from circuits.functions import written_out
from circuits.matrices import Matrix, identity, matrix, selection
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
from circuits.positions import TRUE, Guard, Ref, Term, is_safe, substitute, var

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_DIGIT_BITS = 24
DEPTH_CHOICES = ("compact", "balanced", "shallow")

Compare = Callable[[str, int, int, int, tuple[int, ...]], None]


def digits(bits: int, choice: str) -> list[tuple[int, int]]:
    """The digits (lowest bit, width) of a word of `bits` bits, highest first."""
    match choice:
        case "compact":
            return [(bit, 1) for bit in reversed(range(bits))]
        case "balanced":
            low = bits // 2
            return [(low, bits - low), *([(0, low)] if low else [])]
        case "shallow":
            return [(0, bits)]
        case _:
            raise fail("C034", f"unknown depth choice `{choice}`", help=f"choose one of {', '.join(DEPTH_CHOICES)}")


def network_to_family(network: Network, depth: str = "compact") -> Family:
    """Build the family of a network.

    Raises:
        FomError: an unknown depth choice, a network that decides nothing, a function whose table is too wide, a digit of too
            many bits, sums over positions nested without a rounding between them, or a value read at positions where its
            node kind cannot be.
    """
    readout = network.decided
    network = written_out(network)
    builder = Builder(network, depth)
    for node in network.nodes:
        builder.add(node)
    decision = network.word(readout.decision)
    return Family(
        tuple(builder.entries),
        readout,
        decision.format,
        network.domain,
        network.alphabet,
        network.inputs,
        depth,
    )


class Builder:
    """Appends the entries of one node after the other."""

    def __init__(self, network: Network, depth: str) -> None:
        self.network = network
        self.depth = depth
        self.entries: list[Entry] = []
        self.by_name: dict[str, Entry] = {}
        self.summing: set[str] = set()
        digits(1, depth)

    def is_safe(self, ref: Ref) -> bool:
        """Tell whether a reference stays inside every word of the domain."""
        return all(is_safe(term, self.network.domain.least) for term in ref.at)

    def require_safe(self, what: str, name: str, *refs: Ref) -> None:
        """Refuse references that may fall outside the word.

        Raises:
            FomError: naming the reference.
        """
        for ref in refs:
            if not self.is_safe(ref):
                raise fail(
                    "C035",
                    f"{what} read at a shifted position, `{ref.node}`",
                    where=f"node `{name}`",
                    note="outside the word it would be 0",
                    help="round it to a word and copy that to an unshifted one first",
                )

    def put(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            FomError: it sums over positions what itself sums over positions.
        """
        if isinstance(entry, Gates | Accumulator):
            nested = [wires.source for wires in entry.wires if wires.guard is not None and wires.source in self.summing]
            if nested:
                raise fail(
                    "C033",
                    f"a sum over positions inside a sum over positions, `{nested[0]}`",
                    where=f"entry `{entry.name}`",
                    help="round the inner sum to a word",
                )
            summing = any(wires.guard is not None or wires.source in self.summing for wires in entry.wires)
            if summing and isinstance(entry, Accumulator):
                self.summing.add(entry.name)
        self.entries.append(entry)
        self.by_name[entry.name] = entry

    def add(self, node: Node) -> None:
        """Append the entries of a node."""
        match node:
            case Letters(name=name, size=size):
                self.put(InputBits(name, name, 1, size))
            case Inputs(name=name, size=size, format=format_):
                for bit in range(format_.bits):
                    self.put(InputBits(bit_name(name, bit, format_), name, 0, size))
                self.add_value(node.name, 0, size, format_)
            case Predicates(name=name, n_positions=k, guards=guards):
                self.put(PredicateBits(name, name, k, guards))
            case Affine(name=name, n_positions=k, operands=operands, const=const, length=length):
                wires = [w for operand in operands for w in self.value(operand.ref, operand.matrix)]
                self.put(Accumulator(name, name, k, tuple(wires), const, length))
            case Product():
                self.add_product(node)
            case Sum(name=name, n_positions=k, size=size, operand=operand, guard=guard):
                summed = tuple(replace(wires, guard=guard) for wires in self.value(operand, identity(size)))
                zero = np.zeros(size, dtype=np.int64)
                self.put(Accumulator(name, name, k, summed, zero, zero))
            case Round():
                self.add_round(node)
            case Table():
                self.add_table(node)
            case Quotient():
                self.add_quotient(node)
            case Maximum():
                self.add_maximum(node)
            case Function(name=name):
                raise TypeError(f"`{name}` is not written out")
            case _:
                assert_never(node)

    def value(self, ref: Ref, weights: Matrix) -> list[Wires]:
        """Wires that add ``weights @ value(ref)``.

        A word read at a shifted position counts 0 outside the word, not its smallest code: its bits are read one by one, and
        the smallest code comes with `present`, which is false outside.
        """
        node = self.network.by_name[ref.node]
        if isinstance(node, Exact):
            self.require_safe("an exact value", ref.node, ref)
        if isinstance(node, Exact) or node.format == BIT or self.is_safe(ref):
            return [Wires(ref.node, ref.at, weights)]
        format_ = node.format
        wires = [Wires(bit_name(node.name, bit, format_), ref.at, weights * (1 << bit)) for bit in range(format_.bits)]
        if format_.lo:
            column = matrix(
                np.arange(weights.shape[0]),
                np.zeros(weights.shape[0], dtype=int),
                weights.sum(axis=1) * format_.lo,
                (weights.shape[0], 1),
            )
            wires.append(Wires(self.present(len(ref.at)), ref.at, column))
        return wires

    def present(self, n_positions: int) -> str:
        """The predicate that is true at every position of the word, hence false outside."""
        name = f"present.{n_positions}"
        if name not in self.by_name:
            self.put(PredicateBits(name, name, n_positions, (TRUE,)))
        return name

    def add_value(self, name: str, n_positions: int, size: int, format_: Format) -> None:
        """Append the accumulator of a word's code; a single bit is its own value."""
        if format_ == BIT:
            return
        own = variables(n_positions)
        wires = tuple(
            Wires(bit_name(name, bit, format_), own, identity(size, 1 << bit)) for bit in reversed(range(format_.bits))
        )
        const = np.full(size, format_.lo, dtype=np.int64)
        self.put(Accumulator(name, name, n_positions, wires, const, np.zeros(size, dtype=np.int64)))

    def add_product(self, node: Product) -> None:
        """ANDs of all pairs of bits, and the accumulator ``lo_a b + lo_b a - lo_a lo_b + sum 2**(i+j) a_i b_j``.

        In a square, ``a_i a_i`` is ``a_i`` and ``a_i a_j`` is shared by both orders.
        """
        left, right = self.network.word(node.left.node), self.network.word(node.right.node)
        self.require_safe("a factor", node.name, node.left, node.right)
        size = node.size
        square = node.left == node.right and np.array_equal(node.left_index, node.right_index)
        pairs = [(i, j) for i in range(left.format.bits) for j in range(i + 1 if square else 0, right.format.bits)]
        pair_of = {pair: place for place, pair in enumerate(pairs)}
        gates = f"{node.name}.and"
        wires: list[Wires] = []
        if pairs:
            inputs: list[Wires] = []
            rows = np.arange(size)[:, None] * len(pairs)
            for ref, word, index, side in (
                (node.left, left, node.left_index, 0),
                (node.right, right, node.right_index, 1),
            ):
                for bit in range(word.format.bits):
                    members = np.array([pair_of[pair] for pair in pairs if pair[side] == bit], dtype=int)
                    if len(members):
                        at_rows = rows + members
                        columns = np.broadcast_to(index[:, None], at_rows.shape)
                        chosen = matrix(at_rows, columns, 1, (size * len(pairs), word.size))
                        inputs.append(Wires(bit_name(word.name, bit, word.format), ref.at, chosen))
            thresholds = np.full(size * len(pairs), 2, dtype=np.int64)
            self.put(Gates(gates, node.name, node.n_positions, tuple(inputs), thresholds))
            weights = np.array([(1 << i + j) * (2 if square else 1) for i, j in pairs], dtype=np.int64)
            summed = matrix(
                np.repeat(np.arange(size), len(pairs)),
                np.arange(size * len(pairs)),
                np.tile(weights, size),
                (size, size * len(pairs)),
            )
            wires.append(Wires(gates, variables(node.n_positions), summed))
        if square:
            for bit in range(left.format.bits):
                diagonal = selection(node.left_index, left.size, 1 << 2 * bit)
                wires.append(Wires(bit_name(left.name, bit, left.format), node.left.at, diagonal))
        lo_left, lo_right = left.format.lo, right.format.lo
        if lo_right:
            wires.append(Wires(node.left.node, node.left.at, selection(node.left_index, left.size, lo_right)))
        if lo_left:
            wires.append(Wires(node.right.node, node.right.at, selection(node.right_index, right.size, lo_left)))
        const = np.full(size, -lo_left * lo_right, dtype=np.int64)
        length = np.zeros(size, dtype=np.int64)
        self.put(Accumulator(node.name, node.name, node.n_positions, tuple(wires), const, length))

    def search(self, name: str, n_positions: int, size: int, format_: Format, compare: Compare) -> None:
        """Find a word digit by digit.

        ``compare(gates, low, width, places, known)`` appends the template `gates` whose element ``i * places + m - 1`` says
        that element i of the word is at least ``lo + m * 2**low`` plus its bits in `known`.
        """
        known: tuple[int, ...] = ()
        for low, width in digits(format_.bits, self.depth):
            if width > MOST_DIGIT_BITS:
                raise fail(
                    "C037",
                    f"a digit of {width} bits takes 2**{width} gates for each number, the limit is 2**{MOST_DIGIT_BITS}",
                    where=f"node `{name}`",
                    help="choose --depth compact, or fewer bits",
                )
            places = (1 << width) - 1
            if width == 1:
                compare(bit_name(name, low, format_), low, width, places, known)
            else:
                thermometer = f"{name}.ge{low}"
                compare(thermometer, low, width, places, known)
                for bit in range(width):
                    steps = np.arange(1 << bit, places + 1, 1 << bit)
                    signs = np.where((steps >> bit) % 2 == 1, 1, -1)
                    self.put_alternating(
                        bit_name(name, low + bit, format_),
                        name,
                        n_positions,
                        size,
                        thermometer,
                        places,
                        steps - 1,
                        signs,
                    )
            known = (*known, *range(low, low + width))
        self.add_value(name, n_positions, size, format_)

    def put_alternating(
        self,
        name: str,
        base: str,
        n_positions: int,
        size: int,
        thermometer: str,
        places: int,
        steps: Integers,
        signs: Integers,
        start: int = 0,
    ) -> None:
        """Append the bit ``start + sum(signs[j] * thermometer[i * places + steps[j]]) >= 1`` of every element i."""
        rows = np.repeat(np.arange(size), len(steps))
        columns = (np.arange(size)[:, None] * places + steps).ravel()
        weights = matrix(rows, columns, np.tile(signs, size), (size, size * places))
        wires = (Wires(thermometer, variables(n_positions), weights),)
        self.put(Gates(name, base, n_positions, wires, np.full(size, 1 - start, dtype=np.int64)))

    def add_round(self, node: Round) -> None:
        """Compare the sum with the threshold of each candidate, which is linear in the candidate."""
        own = variables(node.n_positions)

        def compare(gates: str, low: int, width: int, places: int, known: tuple[int, ...]) -> None:
            candidates = [node.format.lo + (m << low) for m in range(1, places + 1)]
            scale, _ = threshold(0, node.shift)
            step = 1 if node.shift <= 0 else 1 << node.shift
            thresholds = np.tile([threshold(c, node.shift)[1] for c in candidates], node.size)
            spread = np.repeat(np.arange(node.size), places)
            wires = self.value(node.operand, selection(spread, node.size, scale))
            for bit in known:
                claimed = selection(spread, node.size, -step << bit)
                wires.append(Wires(bit_name(node.name, bit, node.format), own, claimed))
            self.put(Gates(gates, node.name, node.n_positions, tuple(wires), thresholds.astype(np.int64)))

        self.search(node.name, node.n_positions, node.size, node.format, compare)

    def add_table(self, node: Table) -> None:
        """Compare the sum with every break; each bit of the code is an alternating sum of these comparisons."""
        format_, breaks = node.format, len(node.breaks)
        offsets = node.codes - format_.lo
        if breaks == 1 and format_ == BIT and list(offsets) == [0, 1]:
            wires = self.value(node.operand, identity(node.size))
            thresholds = np.full(node.size, node.breaks[0], dtype=np.int64)
            self.put(Gates(node.name, node.name, node.n_positions, tuple(wires), thresholds))
            return
        thermometer = f"{node.name}.ge"
        spread = np.repeat(np.arange(node.size), breaks)
        if breaks:
            wires = self.value(node.operand, selection(spread, node.size))
            self.put(Gates(thermometer, node.name, node.n_positions, tuple(wires), np.tile(node.breaks, node.size)))
        for bit in range(format_.bits):
            column = (offsets >> bit) & 1
            signs = np.diff(column)
            steps = np.flatnonzero(signs)
            name = bit_name(node.name, bit, format_)
            if len(steps):
                self.put_alternating(
                    name,
                    node.name,
                    node.n_positions,
                    node.size,
                    thermometer,
                    breaks,
                    steps,
                    signs[steps],
                    int(column[0]),
                )
            else:
                constant = np.full(node.size, 1 - int(column[0]), dtype=np.int64)
                self.put(Gates(name, node.name, node.n_positions, (), constant))
        self.add_value(node.name, node.n_positions, node.size, format_)

    def add_quotient(self, node: Quotient) -> None:
        """``2 N >= (2c - 1) D`` (strictly, when c is odd): what the higher bits claim is bits times denominator, by ANDs."""
        self.require_safe("a denominator", node.name, node.den)
        k, format_, size = node.n_positions, node.format, node.size
        own = variables(k)
        up, down = 1 << max(node.shift, 0), 1 << max(-node.shift, 0)
        den_size = self.network.by_name[node.den.node].size

        def compare(gates: str, low: int, width: int, places: int, known: tuple[int, ...]) -> None:
            candidates = np.array([format_.lo + (m << low) for m in range(1, places + 1)], dtype=np.int64)
            spread = np.repeat(np.arange(size), places)
            wires = self.value(node.num, selection(spread, size, 2 * up))
            subtract = matrix(
                np.arange(size * places),
                node.den_index[spread],
                -(2 * np.tile(candidates, size) - 1) * down,
                (size * places, den_size),
            )
            wires.extend(self.value(node.den, subtract))
            for bit in known:
                claimed = self.bit_times_denominator(node, bit)
                wires.append(Wires(claimed, own, selection(spread, size, -2 * down << bit)))
            thresholds = np.tile(candidates % 2, size)
            self.put(Gates(gates, node.name, k, tuple(wires), thresholds))

        self.search(node.name, k, size, format_, compare)

    def bit_times_denominator(self, node: Quotient, bit: int) -> str:
        """The accumulator ``bit * D``: every bit that feeds the denominator, ANDed with the quotient's bit."""
        name = f"{node.name}.den{bit}"
        if name in self.by_name:
            return name
        k, size = node.n_positions, node.size
        own = variables(k)
        source = bit_name(node.name, bit, node.format)
        den = self.by_name[node.den.node]
        wires: list[Wires] = []
        if isinstance(den, Accumulator):
            flat = flatten(self.by_name, den, {})
            constants = counted(self.by_name, den)
        else:
            flat = (Wires(den.name, variables(den.n_positions), identity(den.size)),)
            constants = []
        to_reader = (*node.den.at, var(k))
        for place, item in enumerate(flat):
            chosen = item.matrix[node.den_index]
            source_entry = self.by_name[item.source]
            inner_at = tuple(term.substitute(to_reader) for term in item.at)
            guard = None if item.guard is None else substitute(item.guard, to_reader)
            always = isinstance(source_entry, PredicateBits) and set(source_entry.guards) == {TRUE}
            if always and guard is not None and self.is_safe(Ref(item.source, inner_at)):
                constants.append((np.asarray(item.matrix.sum(axis=1)), item.guard))
                continue
            entries = chosen.tocoo()
            rows, columns = entries.coords
            count = len(rows)
            bound = k + (item.guard is not None)
            gates = f"{name}.and{place}"
            inputs = (
                Wires(source, own, selection(rows, size)),
                Wires(item.source, inner_at, selection(columns, source_entry.size)),
            )
            self.put(Gates(gates, node.name, bound, inputs, np.full(count, 2, dtype=np.int64)))
            weights = matrix(rows, np.arange(count), entries.data, (size, count))
            wires.append(Wires(gates, variables(bound), weights, guard))
        for constant, where in constants:
            times = matrix(np.arange(size), np.arange(size), constant[node.den_index], (size, size))
            wires.append(Wires(source, own, times, None if where is None else substitute(where, to_reader)))
        zero = np.zeros(size, dtype=np.int64)
        self.put(Accumulator(name, node.name, k, tuple(wires), zero, zero))
        return name

    def add_maximum(self, node: Maximum) -> None:
        """A candidate is still in the running if it reaches what is claimed so far plus the bit in question; OR over all."""
        k, format_, size = node.n_positions, node.format, node.size
        own = variables(k)
        if format_.lo:
            self.require_safe("a candidate", node.name, node.operand, *(ref for ref, _ in node.segments))
        sources = [(node.operand, node.groups, node.guard), *((ref, index, None) for ref, index in node.segments)]

        def compare(gates: str, low: int, width: int, places: int, known: tuple[int, ...]) -> None:
            ors: list[Wires] = []
            for number, (ref, groups, guard) in enumerate(sources):
                fan_in = groups.shape[1]
                bound = k + (guard is not None)
                count = size * places * fan_in
                row = np.arange(count)
                element, place, member = row // (places * fan_in), row // fan_in % places, row % fan_in
                source = self.network.word(ref.node)
                wires = [
                    Wires(
                        bit_name(ref.node, bit, format_),
                        ref.at,
                        selection(groups[element, member], source.size, 1 << (bit - low)),
                    )
                    for bit in range(low, format_.bits)
                ]
                wires.extend(
                    Wires(bit_name(node.name, bit, format_), own, selection(element, size, -1 << (bit - low)))
                    for bit in known
                )
                candidates = f"{gates}.any{number}"
                self.put(Gates(candidates, node.name, bound, tuple(wires), (place + 1).astype(np.int64)))
                collect = matrix(element * places + place, row, 1, (size * places, count))
                ors.append(Wires(candidates, variables(bound), collect, guard))
            self.put(Gates(gates, node.name, k, tuple(ors), np.ones(size * places, dtype=np.int64)))

        self.search(node.name, k, size, format_, compare)


def counted(by_name: Mapping[str, Entry], entry: Accumulator) -> list[tuple[Integers, Guard | None]]:
    """The constants that an accumulator adds, through the accumulators it reads: once, or for every y with the guard.

    Raises:
        FomError: a multiple of n is summed over positions.
    """
    known: dict[str, list[tuple[Integers, Guard | None]]] = {}
    for accumulator in reachable(by_name, entry):
        if not isinstance(accumulator, Accumulator):
            continue
        found: list[tuple[Integers, Guard | None]] = [(accumulator.const, None), (accumulator.length, TRUE)]
        for wires in accumulator.wires:
            at = (*wires.at, var(accumulator.n_positions))
            for constant, guard in known.get(wires.source, []):
                if guard is None:
                    found.append((wires.matrix @ constant, wires.guard))
                elif wires.guard is None:
                    found.append((wires.matrix @ constant, substitute(guard, at)))
                else:
                    raise fail("C036", "a multiple of n is summed over positions", where=f"entry `{accumulator.name}`")
        added: dict[Guard | None, Integers] = {}
        for constant, guard in found:
            added[guard] = added[guard] + constant if guard in added else constant
        known[accumulator.name] = [(constant, guard) for guard, constant in added.items() if constant.any()]
    return known[entry.name]


def bit_name(word: str, bit: int, format_: Format) -> str:
    """The entry of one bit of a word; a word of a single bit is its own bit."""
    return word if format_ == BIT else f"{word}.{bit}"


def variables(count: int) -> tuple[Term, ...]:
    """The position variables 0..count-1 as terms."""
    return tuple(var(index) for index in range(count))
