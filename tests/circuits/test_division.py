"""Circuits by division: one division for each level decides as the gates do, and one division is a majority."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import FomError
from circuits.division import Divider, evaluate_by_division
from circuits.entries import Accumulator, Gates, InputBits, PredicateBits, Wires
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.matrices import matrix
from circuits.network import Domain, Inputs, Readout
from circuits.network_to_family import network_to_family
from circuits.positions import AtLeast, Bit, var
from tests.circuits.small import attention, integers

X, Y = var(0), var(1)


def test_one_majority_is_one_division() -> None:
    """Bit L-1 of the quotient, with the offset that puts the threshold there: all words of up to 11 bits."""
    for n in range(1, 12):
        size = n.bit_length() + 1
        divisor = (1 << size) - 1
        for bits in itertools.product((0, 1), repeat=n):
            dividend = sum(bit << size * place for place, bit in enumerate(bits, 1))
            dividend += ((1 << size - 1) - (n + 1) // 2) << size
            assert dividend // divisor >> (size - 1) & 1 == (2 * sum(bits) >= n)


def gate_by_gate(circuit: Circuit, word: list[int]) -> dict[str, list[int]]:
    """Every object of a circuit on one word, in Python integers, from the definition."""
    values: dict[str, list[int]] = {}
    for block in circuit.blocks:
        entry = block.entry
        if isinstance(entry, InputBits):
            values[entry.name] = [int(letter == a) for letter in word for a in range(entry.size)]
            continue
        sums = [int(number) for number in block.const]
        for source, weights in block.weights:
            table = weights.toarray().tolist()
            for row, line in enumerate(table):
                sums[row] += sum(weight * bit for weight, bit in zip(line, values[source], strict=True))
        if block.thresholds is not None:
            sums = [int(total >= least) for total, least in zip(sums, block.thresholds.tolist(), strict=True)]
        values[entry.name] = sums
    return values


def random_family(seed: int) -> Family:
    """Gates with weights of both signs over letters, conditions, shared sums and other gates."""
    rng = np.random.default_rng(seed)
    entries: list[InputBits | PredicateBits | Gates | Accumulator] = [
        InputBits("w", "w", 1, 2),
        PredicateBits("p", "p", 1, (AtLeast(X - 2), Bit(X, X - 1))),
    ]
    bits, widest = ["w", "p"], [3, 40, 3000, 1 << 20][seed % 4]
    for number in range(5):
        size = int(rng.integers(1, 4))

        def weights(source: str, size: int = size) -> Wires:
            found = rng.integers(-widest, widest + 1, (size, 2)) * rng.integers(0, 2, (size, 2))
            columns = next(entry.size for entry in entries if entry.name == source)
            found[0, 0] = found[0, 0] or 1
            rows, places = np.nonzero(found[:, : min(2, columns)])
            table = matrix(rows, places, found[rows, places], (size, columns))
            return Wires(source, (X + int(rng.integers(-1, 2)),), table)

        summed = Accumulator(
            f"s{number}", f"s{number}", 1, (weights("w"), Wires(bits[-1], (Y,), weights(bits[-1]).matrix, AtLeast(X - Y))),
            rng.integers(-3, 4, size), rng.integers(-2, 3, size),
        )  # fmt: skip
        entries.append(summed)
        reads = (Wires(f"s{number}", (X,), weights(f"s{number}").matrix), weights(bits[int(rng.integers(len(bits)))]))
        reach = rng.integers(-widest, widest + 1, size)
        entries.append(Gates(f"g{number}", f"g{number}", 1, reads[number == 0 :], reach))
        bits.append(f"g{number}")
    last = bits[-1]
    readout = Readout("classes", last, last, None, entries[-1].size, 1)
    family = Family(tuple(entries), readout, BIT, Domain(), ("a", "b"), (), "compact")
    family.check()
    return family


@pytest.mark.parametrize("seed", range(24))
def test_divisions_are_the_gates(seed: int) -> None:
    family = random_family(seed)
    n = 1 + seed % 5
    circuit = instantiate(family, n)
    words = np.array(list(itertools.product(range(2), repeat=n)))
    found, divisions = evaluate_by_division(circuit, words)
    for word, row in zip(words.tolist(), found, strict=True):
        assert row.ravel().tolist() == gate_by_gate(circuit, word)[family.readout.decision]
    assert divisions.count == family.depth == len(divisions.dividend_bits) == len(divisions.divisor_bits)


def test_a_level_is_one_division_of_digits() -> None:
    """The dividend and the divisor of a small level, written out by hand."""
    table = matrix([0, 0, 1], [0, 1, 1], integers(3, -2, 1), (2, 2))
    gates = Gates("g", "g", 1, (Wires("w", (X,), table),), integers(1, 1))
    readout = Readout("classes", "g", "g", None, 2, 1)
    family = Family((InputBits("w", "w", 1, 2), gates), readout, BIT, Domain(), ("a", "b"), (), "compact")
    level = Divider(instantiate(family, 1)).levels[0]
    assert (level.digit_bytes, level.dividend_bits, level.divisor_bits) == (1, 32, 8)
    assert level.thresholds.tolist() == [3, 1]
    digits = np.array([3, 2, 0])
    dividend = 3 << 8 | 2 << 16
    assert level.dividend(digits) == dividend
    assert dividend // 255 == 5 | 2 << 8
    assert level.compare(dividend // 255).tolist() == [True, False]


@pytest.mark.parametrize(
    ("weight", "n_gates"), [(254, 1), (255, 1), (1 << 16, 300), ((1 << 61) - 2, 1), ((1 << 61) - 2, 40)]
)
def test_no_block_carries_into_the_next(weight: int, n_gates: int) -> None:
    """Totals at the edge of a byte, and beyond 64 bits: every summand counts, and a gate's sum is compared exactly."""
    size = n_gates
    table = matrix(np.arange(size), np.zeros(size, dtype=int), np.full(size, weight), (size, 2))
    reach = weight - np.arange(size) % 2 + 1
    gates = Gates("g", "g", 1, (Wires("w", (X,), table),), reach - 1)
    over = Gates("h", "h", 1, (Wires("w", (X,), table),), np.full(size, weight + 1))
    for last, expected in ((gates, 1), (over, 0)):
        readout = Readout("classes", last.name, last.name, None, size, 1)
        family = Family((InputBits("w", "w", 1, 2), last), readout, BIT, Domain(), ("a", "b"), (), "compact")
        found, divisions = evaluate_by_division(instantiate(family, 1), np.array([[0], [1]]))
        assert (found[0] == expected).all()
        assert (found[1] == 0).all()
        assert (1 << divisions.divisor_bits[0]) - 1 > weight * size


def test_weights_beyond_simulation_are_refused() -> None:
    table = matrix([0, 0], [0, 1], integers((1 << 61) + 1, (1 << 61) + 1), (1, 2))
    gates = Gates("g", "g", 1, (Wires("w", (X,), table),), integers(1))
    family = Family(
        (InputBits("w", "w", 1, 2), gates), Readout("logit", "g", "g", None, 1, 1), BIT, Domain(), ("a", "b"), (), "compact"
    )  # fmt: skip
    with pytest.raises(FomError, match="C042"):
        Divider(instantiate(family, 1))


def test_a_decision_that_is_a_word() -> None:
    """A word of two bits is put together from its gates, without a further division."""
    reads = [tuple(Wires(f"v.{bit}", (), matrix([0], [0], 1 << bit, (1, 1))) for bit in range(3)) for _ in range(2)]
    high = Gates("h.1", "h", 0, reads[0], integers(4))
    low = Gates("h.0", "h", 0, (*reads[1], Wires("h.1", (), matrix([0], [0], -4, (1, 1)))), integers(2))
    bits = tuple(Wires(f"h.{bit}", (), matrix([0], [0], 1 << bit, (1, 1))) for bit in range(2))
    word = Accumulator("h", "h", 0, bits, integers(-2), integers(0))
    inputs = tuple(InputBits(f"v.{bit}", "v", 0, 1) for bit in range(3))
    readout = Readout("value", "h", "h", None, 1, 0)
    known = (Inputs("v", 1, Format(3, 0, 0)),)
    family = Family((*inputs, high, low, word), readout, Format(2, -2, 0), Domain(), (), known, "compact")
    family.check()
    found, divisions = evaluate_by_division(instantiate(family, 1), np.arange(8)[:, None])
    assert found.ravel().tolist() == [-2, -2, -1, -1, 0, 0, 1, 1]
    assert divisions.count == 2


def test_an_attention_head() -> None:
    family = network_to_family(attention(3, 4))
    circuit = instantiate(family, 4)
    words = np.array(list(itertools.product(range(2), repeat=4)))
    found, divisions = evaluate_by_division(circuit, words)
    assert (found == circuit.simulate(words)[family.readout.decision]).all()
    assert divisions.count == family.depth


def test_a_million_wires() -> None:
    """One level of 10^6 wires is one division of a number of millions of bits."""
    n = 1000
    count = matrix([0], [0], integers(1), (1, 2))
    less = matrix([0], [1], integers(-1), (1, 2))
    gates = Gates(
        "g", "g", 1, (Wires("w", (Y,), count, AtLeast(X - Y)), Wires("w", (Y,), less, AtLeast(Y - X))), integers(0)
    )
    readout = Readout("logit", "g", "g", None, 1, 1)
    family = Family((InputBits("w", "w", 1, 2), gates), readout, BIT, Domain(), ("a", "b"), (), "compact")
    circuit = instantiate(family, n)
    word = np.random.default_rng(1).integers(0, 2, (1, n))
    found, divisions = evaluate_by_division(circuit, word)
    before, after = np.cumsum(word[0] == 0), np.cumsum(word[0][::-1] == 1)[::-1]
    assert (found[0, :, 0] == (before >= after)).all()
    assert divisions.dividend_bits[0] >= 8 * 10**6


def test_wrong_inputs_are_refused() -> None:
    circuit = instantiate(random_family(1), 2)
    with pytest.raises(FomError, match="C040"):
        evaluate_by_division(circuit, np.zeros((1, 3), dtype=int))
    with pytest.raises(FomError, match="C041"):
        evaluate_by_division(circuit, np.full((1, 2), 2))


def test_propositions() -> None:
    """A family of two numbers, read bit by bit, without positions."""
    format_ = Format(2, -1, 0)
    sums = tuple(Wires(f"v.{bit}", (), matrix([0], [0], 1 << bit, (1, 1))) for bit in range(2))
    family = Family(
        (InputBits("v.0", "v", 0, 1), InputBits("v.1", "v", 0, 1), Gates("g", "g", 0, sums, integers(2))),
        Readout("logit", "g", "g", None, 1, 0), BIT, Domain(), (), (Inputs("v", 1, format_),), "compact",
    )  # fmt: skip
    found, _ = evaluate_by_division(instantiate(family, 1), np.array([[-1], [0], [1], [2]]))
    assert found.ravel().tolist() == [0, 0, 1, 1]
