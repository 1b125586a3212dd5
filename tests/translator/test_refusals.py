"""Everything that cannot be translated is refused with diagnostics: what, where, why, and the way out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from circuits.diagnostics import Diagnostic, FomError
from tests.translator.reading_graphs import WIDTH, Step, agree, build, save
from translator.reading import read

MEAN: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
OUT: tuple[str, list[int | str]] = ("out", ["batch", WIDTH])


def refused(path: Path, **options: Any) -> tuple[Diagnostic, ...]:
    """Read the file, which must fail; returns the diagnostics."""
    with pytest.raises(FomError) as caught:
        read(path, **options)
    for finding in caught.value.diagnostics:
        assert finding.code.startswith("N")
        assert finding.message
        assert finding.help or finding.note
    return caught.value.diagnostics


def test_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.onnx")[0].code == "N001"


def test_directory(tmp_path: Path) -> None:
    assert refused(tmp_path)[0].code == "N002"


@pytest.mark.parametrize("content", [b"hello, this is text\n" * 9, b"", b"\x08\x07\x12\xff\xff\xff"])
def test_no_protobuf(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert refused(path)[0].code == "N003"


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
def test_truncated_file(cut: float, tmp_path: Path) -> None:
    path = save(build([("Relu", "h", "y"), MEAN], OUT), tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    refused(path)


def test_missing_external_data(tmp_path: Path) -> None:
    model = build([("MatMul", "h w", "y"), MEAN], OUT, {"w": np.eye(WIDTH, dtype=np.float32)})
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert read(path).nodes, "with the data beside it, the file is read"
    (tmp_path / "weights.bin").unlink()
    (finding, *_) = refused(path)
    assert finding.code == "N004"
    assert "weights.bin" in finding.message


def test_no_output(tmp_path: Path) -> None:
    model = build([("Relu", "h", "y"), MEAN], OUT)
    del model.graph.output[:]
    assert refused(save(model, tmp_path))[0].code == "N005"


def test_all_unsupported_nodes_are_reported_at_once(tmp_path: Path) -> None:
    model = build(
        [
            ("RandomNormalLike", "h", "x1"),
            ("NonZero", "h", "x2"),
            ("Sofmax", "h", "x3"),
            ("Add", "x1 x2", "x4"),
            ("Add", "x3 x4", "y"),
            MEAN,
        ],
        OUT,
    )
    findings = refused(save(model, tmp_path))
    assert [finding.code for finding in findings] == ["N016", "N019", "N011"]
    assert "random" in findings[0].message
    assert findings[0].where == "model.onnx: graph `small`, node 5 `node5` (RandomNormalLike)"
    assert findings[2].help == "did you mean `Softmax`?"


@pytest.mark.parametrize(
    ("op_type", "code"),
    [
        ("RandomNormalLike", "N016"),
        ("Bernoulli", "N016"),
        ("NonMaxSuppression", "N019"),
        ("Unique", "N019"),
        ("StringConcat", "N017"),
        ("TreeEnsemble", "N011"),
    ],
)
def test_operators_outside(op_type: str, code: str, tmp_path: Path) -> None:
    (finding,) = refused(save(build([(op_type, "h", "y"), MEAN], OUT), tmp_path))
    assert finding.code == code


def test_unknown_domain(tmp_path: Path) -> None:
    model = build([MEAN], OUT, start=[], extra_nodes=[])
    model.graph.node.insert(0, helper.make_node("Mystery", ["tokens", "tokens"], ["y"], domain="com.microsoft"))
    (finding,) = refused(save(model, tmp_path))
    assert "com.microsoft::Mystery" in finding.message


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers(bad: float, tmp_path: Path) -> None:
    weights = np.eye(WIDTH, dtype=np.float32)
    weights[1, 2] = bad
    (finding,) = refused(save(build([("MatMul", "h w", "y"), MEAN], OUT, {"w": weights}), tmp_path))
    assert finding.code == "N007"
    assert "`w`" in finding.message


def baked(sizes: list[int]) -> onnx.ModelProto:
    steps: list[Step] = [("Reshape", "h sizes", "r"), ("ReduceMean", "r one", "out", {"keepdims": 0})]
    return build(steps, ("out", ["batch", WIDTH]), {"sizes": np.array(sizes)})


def test_baked_sequence_length_is_read_for_this_length(tmp_path: Path) -> None:
    network = agree(baked([1, 5, WIDTH]), tmp_path, lengths=(5,))
    assert (network.domain.least, network.domain.most) == (5, 5)
    (note,) = [note for note in network.notes if "length 5" in note]
    assert "node5" in note
    assert "(1, n, 4)" in note


def test_baked_sequence_length_that_fits_nothing(tmp_path: Path) -> None:
    (finding,) = refused(save(baked([1, 5, WIDTH - 1]), tmp_path))
    assert finding.code == "N041"
    assert "(1, n, 4)" in finding.message
    assert "node5" in finding.where


def test_two_baked_sequence_lengths(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Reshape", "h five", "a"),
        ("Reshape", "h six", "b"),
        ("ReduceMean", "a one", "c", {"keepdims": 0}),
        ("ReduceMean", "b one", "d", {"keepdims": 0}),
        ("Add", "c d", "out"),
    ]
    sizes = {"five": np.array([1, 5, WIDTH]), "six": np.array([1, 6, WIDTH])}
    findings = refused(save(build(steps, OUT, sizes), tmp_path))
    assert [finding.code for finding in findings] == ["N041", "N041"]


def test_sequence_merged_with_another_axis(tmp_path: Path) -> None:
    steps: list[Step] = [("Reshape", "h flat", "r"), ("ReduceMean", "r one", "out", {"keepdims": 0})]
    (finding,) = refused(save(build(steps, OUT, {"flat": np.array([1, -1])}), tmp_path))
    assert finding.code == "N042"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"tokens": (TensorProto.INT64, ("batch", "n", "m"))}, "N012"),
        ({"tokens": (TensorProto.INT64, (4, "n"))}, "N012"),
        ({"tokens": (TensorProto.STRING, ("batch", "n"))}, "N009"),
        ({"tokens": (TensorProto.COMPLEX64, ("batch", "n"))}, "N009"),
    ],
)
def test_inputs_that_are_no_word(inputs: Any, code: str, tmp_path: Path) -> None:
    findings = refused(save(build([("Relu", "h", "y"), MEAN], OUT, inputs=inputs), tmp_path))
    assert findings[0].code == code
    assert "input `tokens`" in findings[0].where


def test_unknown_alphabet(tmp_path: Path) -> None:
    steps: list[Step] = [("Cast", "tokens", "out", {"to": TensorProto.FLOAT})]
    path = save(build(steps, ("out", ["batch", "n"]), start=[]), tmp_path)
    (finding,) = refused(path)
    assert finding.code == "N060"
    assert "alphabet_size" in finding.help
    assert read(path, alphabet_size=4).alphabet_size == 4


def test_output_without_input(tmp_path: Path) -> None:
    model = build([("Identity", "w", "out")], ("out", [WIDTH, WIDTH]), start=[])
    assert refused(save(model, tmp_path))[0].code == "N010"


def test_two_sequence_axes_in_the_output(tmp_path: Path) -> None:
    steps: list[Step] = [("Transpose", "h", "k", {"perm": [0, 2, 1]}), ("MatMul", "h k", "out")]
    assert refused(save(build(steps, ("out", ["batch", "n", "n"])), tmp_path))[0].code == "N013"


def test_computed_positions_without_a_bound(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Cast", "r", "rf", {"to": TensorProto.FLOAT}),
        ("Cos", "rf", "c"),
        ("Unsqueeze", "c one", "column"),
        ("Add", "e column", "y"),
        MEAN,
    ]
    path = save(build(steps, OUT, {"i0": np.array(0), "i1": np.array(1)}), tmp_path)
    (finding,) = refused(path, longest=None)
    assert finding.code == "N033"
    assert "longest" in finding.help


def test_what_depends_on_a_refused_tensor_is_not_reported_again(tmp_path: Path) -> None:
    steps: list[Step] = [("Reshape", "h flat", "r"), ("Relu", "r", "y"), MEAN]
    assert len(refused(save(build(steps, OUT, {"flat": np.array([1, -1])}), tmp_path))) == 1


def test_unused_operators_do_not_matter(tmp_path: Path) -> None:
    model = build([("LSTM", "h w w", "other", {"hidden_size": 1}), ("Relu", "h", "y"), MEAN], OUT)
    assert read(save(model, tmp_path)).decision.n_classes == WIDTH


TRAINING: dict[str, Callable[[], onnx.ModelProto]] = {
    "BatchNormalization": lambda: build(
        [
            ("Transpose", "h", "t", {"perm": [0, 2, 1]}),
            ("BatchNormalization", "t g g g g", "y a b", {"training_mode": 1}),
            ("ReduceMean", "y two", "out", {"keepdims": 0}),
        ],
        OUT,
        {"g": np.ones(WIDTH, np.float32)},
    ),
    "Dropout": lambda: build(
        [("Dropout", "h half yes", "y"), MEAN], OUT, {"half": np.array(0.5, np.float32), "yes": np.array(True)}
    ),
}


@pytest.mark.parametrize("name", TRAINING)
def test_training_mode(name: str, tmp_path: Path) -> None:
    (finding,) = refused(save(TRAINING[name](), tmp_path))
    assert finding.code == "N016"


def test_importing_translator_does_not_import_onnx() -> None:
    code = "import sys, translator, translator.real, translator.real_evaluate; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.parametrize("scale", [0.0, np.inf, 1.3e36])
def test_quantization_scales_of_masks(scale: float, tmp_path: Path) -> None:
    steps: list[Step] = [("QuantizeLinear", "h s z", "q"), ("DequantizeLinear", "q s z", "y"), MEAN]
    weights = {"s": np.array(scale, np.float32), "z": np.array(0, np.uint8)}
    assert {finding.code for finding in refused(save(build(steps, OUT, weights), tmp_path))} == {"N007"}


def test_undefined_tensor(tmp_path: Path) -> None:
    (finding,) = refused(save(build([("Add", "h ghost", "y"), MEAN], OUT), tmp_path))
    assert finding.code == "N006"
    assert "`ghost`" in finding.message


def test_missing_attribute(tmp_path: Path) -> None:
    (finding,) = refused(save(build([("Concat", "h h", "y"), MEAN], OUT), tmp_path))
    assert finding.code == "N020"
    assert "`axis`" in finding.message


@pytest.mark.parametrize(
    "step", [("Transpose", "h", "y", {"perm": [0, 3, 1]}), ("MatMul", "h three", "y"), ("Reshape", "w five", "y")]
)
def test_contradicting_shapes(step: Step, tmp_path: Path) -> None:
    weights = {"three": np.ones((3, 4), np.float32), "five": np.array([5, 5])}
    (finding, *_) = refused(save(build([step, MEAN], OUT, weights), tmp_path))
    assert "node5" in finding.where
