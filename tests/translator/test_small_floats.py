"""Types of 8 and 4 bits: the numbers they have, casts to them, and quantized files that use them, against numpy's types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.network import Table
from circuits.readout import scores
from circuits.scalar import OPERATIONS
from circuits.small_floats import SMALL_FLOATS, overflow_of
from tests.translator.reading.differential import ours, single
from tests.translator.reading_graphs import build
from translator.fidelity import InputSet, encode, observe
from translator.fixing import fix
from translator.pipeline import translate
from translator.precision import Precision
from translator.reading import read
from translator.sides import Sides

Array = np.ndarray[Any, Any]

NUMPY: dict[str, Any] = {
    "float8e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2": ml_dtypes.float8_e5m2,
    "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float4e2m1": ml_dtypes.float4_e2m1fn,
}


def numbers(name: str) -> Array:
    """All finite numbers of a type."""
    patterns = np.arange(16 if name == "float4e2m1" else 256, dtype=np.uint8)
    given = patterns.view(NUMPY[name]).astype(np.float64)
    return np.unique(given[np.isfinite(given)] + 0.0)


def near(name: str) -> Array:
    """Numbers of a type, half-way points, their neighbours, and others."""
    given = numbers(name).astype(np.float32)
    middles = (given[1:] + given[:-1]) / np.float32(2)
    sides = [np.nextafter(middles, np.float32(end)) for end in (-np.inf, np.inf)]
    rng = np.random.default_rng(1)
    return np.concatenate([given, middles, *sides, rng.normal(size=300).astype(np.float32) * given.max() / 3])


@pytest.mark.parametrize("name", SMALL_FLOATS)
def test_numbers_and_roundings(name: str) -> None:
    codebook = SMALL_FLOATS[name]
    assert np.array_equal(np.ldexp(codebook.codes().astype(np.float64), -codebook.frac), numbers(name))
    x = near(name)
    wanted = x.astype(NUMPY[name]).astype(np.float64)
    inside = np.isfinite(wanted)
    found = OPERATIONS[name](x.astype(np.float64))
    assert np.array_equal(found[inside], wanted[inside] + 0.0)
    assert (np.abs(found[~inside]) == numbers(name).max()).all()
    end, ties_go_up = overflow_of(name)
    if name != "float4e2m1":
        assert np.array_equal(np.abs(x) >= end if ties_go_up else np.abs(x) > end, ~inside)


def elem_type(name: str) -> int:
    return int(TensorProto.DataType.Value(name.upper()))


@pytest.mark.parametrize("name", SMALL_FLOATS)
@pytest.mark.parametrize("saturate", [0, 1])
def test_casts(name: str, saturate: int) -> None:
    x = near(name)
    kept: dict[str, Any] = {} if saturate or name == "float4e2m1" else {"saturate": 0}
    wanted = x.astype(NUMPY[name]).astype(np.float64)
    if not kept:
        wanted = np.where(np.isfinite(wanted), wanted, np.sign(x) * numbers(name).max())
    if name == "float8e5m2" and kept:
        x, wanted = x[np.isfinite(wanted)], wanted[np.isfinite(wanted)]
    (found,) = ours(single("Cast", [x], to=elem_type(name), outputs=[elem_type(name)], **kept), [x])
    assert found.dtype == NUMPY[name]
    assert np.array_equal(found.astype(np.float64), wanted, equal_nan=True)


def through(name: str, scale: float, function: str = "") -> onnx.ModelProto:
    """A linear map between numbers of a small type, quantized by its scale on both sides."""
    rng = np.random.default_rng(2)
    step = np.asarray(scale, dtype=np.float32)
    weights = np.asarray(rng.normal(size=(4, 3)), dtype=np.float32).astype(NUMPY[name])
    steps: list[Any] = [
        ("QuantizeLinear", "x s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("Cast", "w", "weights", {"to": TensorProto.FLOAT}),
        ("MatMul", "d weights", "y"),
        *([(function, "y", "f")] if function else []),
        ("Cast", "f" if function else "y", "c", {"to": elem_type(name)}),
        ("Cast", "c", "out", {"to": TensorProto.FLOAT}),
    ]
    constants = {"s": step, "z": np.zeros((), NUMPY[name]), "w": weights}
    inputs = {"x": (TensorProto.FLOAT, ("batch", 4))}
    return build(
        steps, ("out", ("batch", 3)), constants, start=(), inputs=inputs, opset=21 if name.startswith("float8") else 23
    )


@pytest.mark.parametrize("name", SMALL_FLOATS)
def test_codes_are_exact_at_every_precision(name: str, tmp_path: Path) -> None:
    """Scales are powers of two, so that float32 makes no errors in between."""
    path = tmp_path / "model.onnx"
    model = through(name, 0.5)
    onnx.save(model, path)
    network = read(path)
    # Numbers of a fixed input are words of the precision; codes of the type are exact in any that holds a multiple of 1/8.
    rows = (np.random.default_rng(3).integers(-8, 9, (200, 4)) / 4).astype(np.float32)
    bounds = observe(network, InputSet((rows,), "", None))
    weights = next(a for a in map(onnx.numpy_helper.to_array, model.graph.initializer) if a.shape == (4, 3))
    codes = (rows / np.float32(0.5)).astype(NUMPY[name]).astype(np.float64)
    sums = (codes * 0.5) @ weights.astype(np.float64)
    largest = numbers(name).max()
    wanted = np.clip(sums, -largest, largest).astype(np.float32).astype(NUMPY[name]).astype(np.float64)
    for precision in (Precision(6, None, None), Precision(9, None, None), Precision(None, 16, 24)):
        fixed = fix(network, precision, bounds, ())
        found = scores(fixed, evaluate(fixed, encode(fixed, rows)))
        assert np.array_equal(found, wanted)
        assert sum(isinstance(node, Table) and len(node.breaks) <= 255 for node in fixed.nodes) >= 2
    assert len(np.unique(wanted)) > 10


def test_functions_before_a_cast(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(through("float8e4m3fn", 0.5, "Tanh"), path)
    network = read(path)
    rows = np.random.default_rng(3).integers(-8, 9, (50, 4)).astype(np.float32) / 4
    fixed = fix(network, Precision(8, None, None), observe(network, InputSet((rows,), "", None)), ())
    found = scores(fixed, evaluate(fixed, encode(fixed, rows)))
    assert np.isin(found, numbers("float8e4m3fn")).all()


def test_circuit_and_sentence_round_to_small_floats(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(through("float8e5m2", 0.5), path)
    made = translate(path, precision="fixed:7")
    sides = Sides(made)
    rows = np.random.default_rng(8).normal(size=(60, 4)).astype(np.float32)
    expected = sides.decide("network", rows)
    assert len(np.unique(expected)) == 3
    for side in ("circuit", "sentence"):
        assert np.array_equal(sides.decide(side, rows), expected)
    coarse = np.rint(rows * 4) / 4  # so few bits that float32 makes no errors, and codes have them all
    assert np.array_equal(sides.decide("network", coarse), made.oracle.decisions(coarse))


def test_a_zero_point_that_is_not_zero_is_refused() -> None:
    x, zero = np.ones(3, np.float32), np.ones((), ml_dtypes.float8_e4m3fn)
    model = single(
        "QuantizeLinear", [x, np.array(0.5, np.float32), zero], constants=(1, 2), outputs=[TensorProto.FLOAT8E4M3FN]
    )
    with pytest.raises(FomError, match="N011"):
        ours(model, [x, np.array(0.5, np.float32), zero])
