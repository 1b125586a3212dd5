"""Quantizers of many codes as sums of saturating roundings: equal to the float32 computation at every argument that is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from circuits.evaluate import evaluate
from circuits.network import Table
from circuits.readout import scores
from circuits.scalar import X
from tests.translator.reading_graphs import build
from tests.translator.test_quantized_exact import saved
from translator.fidelity import encode
from translator.fixing_stages import first_single, lines_of, stages_of
from translator.lines import Constraints, line_of, thresholds
from translator.pipeline import translate
from translator.quantizers import Quantizer, quantizer_of
from translator.reading.table import call
from translator.sides import Sides


def requantizer(scale: float, step: float, low: int, high: int, argument: Any = X) -> Quantizer:
    """``clip(round(float32(float32(x * scale) / step)))``."""
    product = call("float32", call("mul", argument, scale))
    ratio = call("float32", call("div", product, float(np.float32(step))))
    found = quantizer_of(call("min", call("max", call("round", ratio), float(low)), float(high)))
    assert found is not None
    return found


@given(
    st.integers(1 << 27, (1 << 28) - 1),
    st.floats(2.0, 500.0),
    st.sampled_from([(0, 65535), (-32768, 32767), (-20000, 45535), (-3, 5000)]),
    st.integers(0, 1 << 30),
)
@settings(max_examples=3, deadline=None)
def test_stages_are_the_float32_steps(factor: int, density: float, limits: tuple[int, int], seed: int) -> None:
    scale = float(np.ldexp(factor, -50))
    ends = int((limits[0] - 9) * density), int((limits[1] + 9) * density)
    pieces = stages_of(requantizer(scale, scale * density, *limits), 0, *ends)
    assert pieces is not None
    assert sum(piece.gates for piece in pieces) < 3_000
    sums = np.random.default_rng(seed).integers(ends[0], ends[1] + 1, 100_000)
    single = (sums * scale).astype(np.float32) / np.float32(scale * density)
    assert np.array_equal(limits[0] + sum(piece.rise(sums) for piece in pieces), np.clip(np.rint(single), *limits))


def test_odd_codes_begin_later_than_even_ones() -> None:
    """Quotients between 2**15 and 2**16 are multiples of 1/256, and ties go to even codes: it takes two lines."""
    sums = np.arange(40_000 * 1000, 40_020 * 1000)
    codes = np.rint((sums / 1000).astype(np.float32)).astype(np.int64)
    breaks = np.flatnonzero(np.diff(codes)) + 1
    found = lines_of((sums[breaks], codes[np.append(0, breaks)]))
    assert found is not None
    assert len(found[0]) == 2
    assert set(np.diff(breaks).tolist()) != {1000}


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(-40, 40), st.integers(-3, 3))
@settings(max_examples=30, deadline=None)
def test_lines_are_found_if_there_are_any(gaps: list[int], start: int, first: int) -> None:
    breaks = start + np.cumsum(gaps)
    codes = first + np.arange(len(breaks) + 1)
    rising, least = np.append(breaks, breaks[0] - 1), np.append(codes[1:], codes[0])
    found = line_of(rising, least, breaks - 1, codes[:-1] + 1, 100)
    if found is not None:
        sums = np.arange(breaks[0] - 1, breaks[-1] + 1)
        wanted = codes[np.searchsorted(breaks, sums, side="right")]
        assert np.array_equal(np.clip(found.values(sums), codes[0], codes[-1]), wanted)
    shift = 5 if found is None else found.shift - 1
    if shift >= 0:
        given_ = Constraints(rising, thresholds(least, shift), breaks - 1, thresholds(codes[:-1] + 1, shift) - 1)
        for factor in range(1, 8 << shift):
            low, high = given_.constants(factor)
            assert low > high


def test_first_single_leaves_out_what_is_exact() -> None:
    quantizer = requantizer(3.0 * 2.0**-30, 0.37, 0, 255, call("float32", X))
    small, large = (first_single(quantizer, 0, (0, most)) for most in (1 << 24, 1 << 26))
    assert small is not None
    assert large is not None
    assert small[1:] == (3, 0, 30)
    assert large[1:] == (1, 0, 0)
    assert first_single(requantizer(3.0 * 2.0**-30, 0.37, 0, 255), 0, (0, 1 << 20)) is None


def test_a_circuit_of_16_bit_codes(tmp_path: Path) -> None:
    """A few thousand gates, where a table would have 65,535 for each of three elements."""
    rng = np.random.default_rng(1)
    constants: dict[str, Any] = {
        "s": np.float32(0.00013),
        "t": np.float32(0.00021),
        "z": np.uint16(31_000),
        "w": rng.integers(-127, 128, (4, 2)).astype(np.int8),
        "v": np.float32(0.0093),
    }
    steps: list[Any] = [
        ("QuantizeLinear", "x s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("DequantizeLinear", "w v", "dw"),
        ("MatMul", "d dw", "y"),
        ("QuantizeLinear", "y t z", "r"),
        ("DequantizeLinear", "r t z", "out"),
    ]
    inputs = {"x": (TensorProto.FLOAT, ("batch", 4))}
    path = saved(build(steps, ("out", ("batch", 2)), constants, start=(), inputs=inputs, opset=21), tmp_path)
    made = translate(path)
    assert max(len(node.breaks) for node in made.network.nodes if isinstance(node, Table)) < 10
    assert made.family.gates(1) < 3_000
    rows = rng.normal(size=(2000, 4)).astype(np.float32) * 2
    values = evaluate(made.network, encode(made.network, rows))
    codes = np.rint(scores(made.network, values) / float(constants["t"]))
    wanted = np.rint(made.oracle.logits(rows) / float(constants["t"]))
    assert np.abs(codes - wanted).max() <= 1
    assert np.mean(codes != wanted) < 0.02
    sides = Sides(made)
    assert np.array_equal(sides.decide("circuit", rows), sides.decide("network", rows))
