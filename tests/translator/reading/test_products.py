"""MatMul, Gemm, Einsum, Det and Fourier transforms against onnxruntime and numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading.differential import check, ours, single
from tests.translator.reading_graphs import WIDTH, Step, agree, build, save
from translator.reading import read

RNG = np.random.default_rng(6)
EITHER = [(), (0,), (1,)]


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("constants", EITHER)
@pytest.mark.parametrize(
    ("left", "right"),
    [((3,), (3,)), ((3,), (2, 3, 4)), ((2, 4, 3), (3,)), ((2, 1, 4, 3), (5, 3, 2)), ((2, 0), (0, 3)), ((0, 2), (2, 3))],
)
def test_products_of_all_ranks(left: tuple[int, ...], right: tuple[int, ...], constants: tuple[int, ...]) -> None:
    check("MatMul", [normal(*left), normal(*right)], constants=constants)


@pytest.mark.parametrize("constants", [(), (0,), (1,), (2,), (0, 2)])
@pytest.mark.parametrize("opset", [7, 9, 13])
@pytest.mark.parametrize("bias", [(), (5,), (4, 1), (1, 5), (4, 5)])
def test_gemm(bias: tuple[int, ...], opset: int, constants: tuple[int, ...]) -> None:
    inputs = [normal(3, 4), normal(5, 3), normal(*bias)]
    check("Gemm", inputs, constants=constants, opset=opset, transA=1, transB=1, alpha=0.5, beta=-1.5)


EQUATIONS: dict[str, list[tuple[int, ...]]] = {
    "ij,jk,kl->il": [(2, 3), (3, 4), (4, 2)],
    "bij,bjk": [(2, 3, 4), (2, 4, 3)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(3, 3, 2)],
    "iijj->ij": [(2, 2, 3, 3)],
    "...ij,...jk->...ik": [(2, 1, 3, 4), (5, 4, 2)],
    "...i,i->...": [(2, 3, 4), (4,)],
    "i...j->...": [(2, 3, 4)],
    "...ii->...i": [(2, 3, 3)],
    "i,j,k->kij": [(2,), (3,), (4,)],
    "ij->": [(2, 3)],
    "ab,ab->": [(2, 3), (2, 3)],
    "ba": [(2, 3)],
    "b i j , j -> b i": [(2, 3, 4), (4,)],
}


@pytest.mark.parametrize("equation", EQUATIONS)
@pytest.mark.parametrize("constants", [(), (0,)])
def test_einstein_summation(equation: str, constants: tuple[int, ...]) -> None:
    inputs = [normal(*shape) for shape in EQUATIONS[equation]]
    if constants and len(inputs) == 1:
        return
    found = ours(single("Einsum", inputs, constants=constants, equation=equation), inputs, constants)[0]
    np.testing.assert_allclose(found, np.einsum(equation.replace(" ", ""), *inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("equation", ["bnd,bmd,bmd->bnd", "bnd,bne->bde", "bnd,bnd->d"])
def test_einstein_summation_over_the_sequence(equation: str, tmp_path: Path) -> None:
    inputs = " ".join(["h"] * (equation.count(",") + 1))
    rank = len(equation.split("->")[1])
    rest: list[Step] = (
        [("ReduceMean", "y", "out", {"keepdims": 0, "axes": [1]})] if rank == 3 else [("Identity", "y", "out")]
    )
    steps: list[Step] = [("Einsum", inputs, "y", {"equation": equation}), *rest]
    if rank == 1:
        steps[-1] = ("Unsqueeze", "y zero", "out")
    agree(build(steps, ("out", ["batch", WIDTH]), opset=13), tmp_path, (1, 2, 5))


def test_the_diagonal_of_scores(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Einsum", "h h", "s", {"equation": "bnd,bmd->bnm"}),
        ("Einsum", "s", "t", {"equation": "bnn->bn"}),
        ("Einsum", "t h", "out", {"equation": "bn,bnd->bd"}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH])), tmp_path, (1, 2, 5))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_determinants(size: int) -> None:
    given = normal(2, 3, size, size)
    found = ours(single("Det", [given]), [given])[0]
    np.testing.assert_allclose(found, np.linalg.det(given.astype(np.float64)), rtol=1e-4, atol=1e-6)


def test_a_determinant_of_no_square_is_refused(tmp_path: Path) -> None:
    steps: list[Step] = [("Einsum", "h h", "s", {"equation": "bnd,bmd->bnm"}), ("Det", "s", "out")]
    with pytest.raises(FomError) as caught:
        read(save(build(steps, ("out", ["batch"])), tmp_path))
    assert [finding.code for finding in caught.value.diagnostics] == ["N084"]


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("length", [None, 4, 9])
@pytest.mark.parametrize("inverse", [0, 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_transforms_of_cut_and_filled_signals(axis: int, inverse: int, length: int | None, parts: int) -> None:
    given = normal(6, 6, parts)
    extra = [np.array(length, np.int64) if length else None, np.array(axis, np.int64)]
    model = single("DFT", [given, *extra], constants=(1, 2), opset=20, inverse=inverse)
    found = ours(model, [given, *extra], (1, 2))[0]
    signal = given[..., 0].astype(np.float64) + (1j * given[..., 1] if parts == 2 else 0)
    wanted = (np.fft.ifft if inverse else np.fft.fft)(signal, n=length, axis=axis)
    np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("length", [5, 6, 8, 10])
def test_one_sided_transforms_are_inverse_to_each_other(length: int) -> None:
    signal = RNG.normal(size=(1, length, 1))
    there = ours(single("DFT", [signal], opset=17, onesided=1, outputs=[TensorProto.DOUBLE]), [signal])[0]
    np.testing.assert_allclose(there[..., 0] + 1j * there[..., 1], np.fft.rfft(signal[..., 0], axis=1), atol=1e-12)
    inputs: list[Any] = [there, np.array(length, np.int64)]
    options: dict[str, Any] = {"opset": 17, "onesided": 1, "inverse": 1, "outputs": [TensorProto.DOUBLE]}
    back = ours(single("DFT", inputs, constants=(1,), **options), inputs, (1,))[0]
    np.testing.assert_allclose(back, signal, atol=1e-12)


@pytest.mark.parametrize("onesided", [0, 1])
@pytest.mark.parametrize("constants", [(1, 2, 3), (1, 3)])
def test_short_time_transforms(constants: tuple[int, ...], onesided: int) -> None:
    inputs = [normal(2, 20, 1), np.array(3, np.int64), normal(8), np.array(8, np.int64)]
    check("STFT", inputs, constants=constants, opset=17, onesided=onesided, tolerance=1e-4)


@pytest.mark.parametrize(("low", "high", "count"), [(0.0, 8192 / 2, 8), (100.0, 3000.0, 5)])
def test_the_mel_filter_bank(low: float, high: float, count: int) -> None:
    inputs: list[Any] = [
        np.array(count, np.int64), np.array(32, np.int64), np.array(8192, np.int64),
        np.array(low, np.float32), np.array(high, np.float32),
    ]  # fmt: skip
    check("MelWeightMatrix", inputs, constants=(0, 1, 2, 3, 4), opset=17)
