"""What `fom show` says of weights, and the circuit of an int8 convolution, against the files and onnxruntime's answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from circuits.circuit import instantiate
from circuits.network_to_family import network_to_family
from circuits.readout import decisions
from translator.cli import execute
from translator.fidelity import encode
from translator.pipeline import Translation, translate
from translator.sides import Sides
from translator.weights_table import LinearMap, linear_maps

ADDITION, DIGITS = Path("examples/modular_addition"), Path("examples/digits_int8")


def stored(path: Path) -> list[Any]:
    """The matrices of a file."""
    arrays = [numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer]
    return [array for array in arrays if array.ndim >= 2 and array.dtype in (np.float32, np.int8)]


def of_signs(maps: list[LinearMap]) -> list[LinearMap]:
    return [found for found in maps if found.weights.signs]


@pytest.mark.parametrize(("name", "alphabet"), [("model", "ternary {-1, 0, 1}"), ("model_binary", "binary {-1, 1}")])
def test_matrices_of_signs_are_those_of_the_file(name: str, alphabet: str) -> None:
    path = ADDITION / f"{name}.onnx"
    maps = of_signs(list(linear_maps(translate(path, precision="fixed:6", max_length=1).network)))
    signed = [array for array in stored(path) if len(np.unique(np.abs(array[array != 0]))) == 1 and array.min() < 0]
    signed = [array for array in signed if array.shape in ((16, 16), (16, 32), (32, 16))]
    assert len(maps) == len(signed) == 6
    assert {found.weights.alphabet for found in maps} == {alphabet}
    assert sorted(found.weights.nonzero for found in maps) == sorted(map(np.count_nonzero, signed))
    scales = sorted(float(np.abs(array).max()) for array in signed)
    np.testing.assert_allclose(sorted(found.scale for found in maps), scales, rtol=2**-9)


def test_full_weights_have_no_signs() -> None:
    maps = list(linear_maps(translate(ADDITION / "model_float.onnx", precision="fixed:6", max_length=1).network))
    assert not of_signs(maps)
    assert sum(found.weights.alphabet.startswith("fixed-point") for found in maps) >= 6


def test_the_table_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    translate(ADDITION / "model.onnx", precision="fixed:4", max_length=1).save(tmp_path / "out")
    assert execute(["show", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("linear map") for line in lines)
    assert sum("ternary {-1," in line for line in lines) == 6


@pytest.fixture(scope="module")
def digits() -> Translation:
    return translate(DIGITS / "model.onnx", inputs=DIGITS / "inputs.npz")


class TestInt8Convolution:
    def test_weights_are_the_numbers_of_the_file(self, digits: Translation) -> None:
        kernels = [array for array in stored(DIGITS / "model.onnx") if array.dtype == np.int8]
        shown = [found for found in linear_maps(digits.network) if "int8" in found.weights.alphabet]
        assert len(kernels) == 3
        for kernel in kernels:
            values = len(np.unique(kernel[kernel != 0]))
            assert any(found.weights.values == values for found in shown), kernel.shape

    def test_a_million_wires_decide_as_onnxruntime(self, digits: Translation) -> None:
        with np.load(DIGITS / "inputs.npz") as inputs, np.load(DIGITS / "expected.npz") as expected:
            images, wanted = inputs["x"].reshape(50, -1).astype(np.float64), expected["decision"]
        network = digits.network
        circuit = instantiate(network_to_family(network), 1)
        assert circuit.n_wires == digits.family.wires(1) >= 10**6
        words = circuit.simulate(encode(network, images))[network.decided.decision]
        assert (decisions(network.decided, digits.family.decision_format, words) == wanted).all()
        assert (Sides(digits).decide("network", images) == wanted).all()

    def test_other_images(self, digits: Translation) -> None:
        """Noise is not what the ranges were calibrated on: numbers saturate as they do in the file."""
        images = np.random.default_rng(0).uniform(-0.5, 1.5, (200, 64)).astype(np.float32).astype(np.float64)
        sides = Sides(digits)
        network = sides.decide("network", images)
        assert (sides.decide("onnx", images) == network).all()
        assert (sides.decide("circuit", images) == network).all()
