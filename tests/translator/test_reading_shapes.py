"""Data movement, shape arithmetic, slots beside the sequence, position tables, and fixed-size networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.translator.reading_graphs import EMBED, RNG, ROWS, WIDTH, Step, agree, build, kinds, save
from translator.reading import copy_model, read
from translator.real_evaluate import evaluate, outputs

MEAN: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
CLASS_TOKEN = RNG.normal(size=(1, 1, WIDTH)).astype(np.float32)
PAIR = RNG.normal(size=(1, 2, WIDTH)).astype(np.float32)


def test_table_rows_bound_the_length(tmp_path: Path) -> None:
    network = agree(build([("ReduceMax", "h one", "out", {"keepdims": 0})], ("out", ["batch", WIDTH])), tmp_path)
    assert (network.domain.least, network.domain.most) == (1, ROWS)
    assert "12 rows" in network.domain.reason


def test_positions_gathered_by_range(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Gather", "place r", "p2"),
        ("Unsqueeze", "p2 zero", "p3"),
        ("Add", "e p3", "y"),
        MEAN,
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH]), {"i0": np.array(0), "i1": np.array(1)}), tmp_path)
    assert network.domain.most == ROWS


@pytest.mark.parametrize("index", [0, -1, 2])
def test_reading_one_position(index: int, tmp_path: Path) -> None:
    steps: list[Step] = [("Gather", "h at", "out", {"axis": 1})]
    network = agree(build(steps, ("out", ["batch", WIDTH]), {"at": np.array(index)}), tmp_path, lengths=(3, 4, 7))
    assert network.domain.least == (3 if index == 2 else 1)
    assert network.decision.n_positions == 0


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 2**63 - 1), (1, 3), (-2, -1)])
def test_slices_of_fixed_size(low: int, high: int, tmp_path: Path) -> None:
    steps: list[Step] = [("Slice", "h low high one", "y"), MEAN]
    agree(
        build(steps, ("out", ["batch", WIDTH]), {"low": np.array([low]), "high": np.array([high])}),
        tmp_path,
        lengths=(3, 5),
    )


@pytest.mark.parametrize(("low", "high"), [(1, 2**63 - 1), (0, -1), (2, -1)])
@pytest.mark.parametrize("how", ["ReduceMean", "ReduceMax", "ReduceSum"])
def test_cutting_the_sequence(low: int, high: int, how: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Slice", "h low high one", "y"), (how, "y one", "out", {"keepdims": 0})]
    agree(
        build(steps, ("out", ["batch", WIDTH]), {"low": np.array([low]), "high": np.array([high])}),
        tmp_path,
        lengths=(4, 6),
    )


@pytest.mark.parametrize("order", ["cls h", "h cls", "pair h cls"])
@pytest.mark.parametrize("how", ["ReduceMean", "ReduceMax", "ReduceSum", "attention"])
def test_slots_beside_the_sequence(order: str, how: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Concat", order, "long", {"axis": 1})]
    if how == "attention":
        steps += [
            ("MatMul", "long w", "q"),
            ("Transpose", "long", "k", {"perm": [0, 2, 1]}),
            ("MatMul", "q k", "s"),
            ("Softmax", "s", "a", {"axis": -1}),
            ("MatMul", "a long", "z"),
            ("Relu", "z", "y"),
            ("Gather", "y first", "out", {"axis": 1}),
        ]
    else:
        steps += [("Tanh", "long", "y"), (how, "y one", "out", {"keepdims": 0})]
    weights = {"cls": CLASS_TOKEN, "pair": PAIR, "first": np.array(0)}
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


def test_shift_by_padding_and_cutting(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Pad", "h pads", "padded"),
        ("Slice", "padded zero minus one", "before"),
        ("Add", "h before", "y"),
        ("Relu", "y", "z"),
        ("ReduceSum", "z one", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"pads": np.array([0, 1, 0, 0, 0, 0])}), tmp_path)


def test_shift_with_a_start_token(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Concat", "cls h", "long", {"axis": 1}),
        ("Slice", "long zero minus one", "before"),
        ("Mul", "h before", "y"),
        ("ReduceMax", "y one", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"cls": CLASS_TOKEN}), tmp_path)


def test_split_concat_and_static_slices(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Split", "h", "a b", {"axis": 2, "num_outputs": 2}),
        ("Relu", "a", "c"),
        ("Concat", "b c a", "d", {"axis": -1}),
        ("Slice", "d one four two", "f"),
        ("Gather", "f ids", "y", {"axis": 2}),
        MEAN,
    ]
    weights = {"four": np.array([6]), "ids": np.array([4, 0, 2, 2])}
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


def test_flattened_heads_with_the_batch(tmp_path: Path) -> None:
    """Shapes (batch * heads, n, width) as TorchScript writes them, with the batch from Shape."""
    steps: list[Step] = [
        ("Gather", "shape i0", "b", {"axis": 0}),
        ("Mul", "b i2", "bh"),
        ("Unsqueeze", "bh zero", "bh1"),
        ("Transpose", "h", "t", {"perm": [1, 0, 2]}),
        ("Concat", "length bh1 two", "target", {"axis": 0}),
        ("Reshape", "t target", "heads"),
        ("Transpose", "heads", "q", {"perm": [1, 0, 2]}),
        ("Transpose", "heads", "k", {"perm": [1, 2, 0]}),
        ("MatMul", "q k", "s"),
        ("Softmax", "s", "a", {"axis": -1}),
        ("MatMul", "a q", "z"),
        ("Transpose", "z", "z2", {"perm": [1, 0, 2]}),
        ("Reshape", "z2 back", "z3"),
        ("ReduceMax", "z3 zero", "out", {"keepdims": 0}),
    ]
    weights = {"i0": np.array(0), "i2": np.array(2), "back": np.array([-1, 4])}
    agree(build(steps, ("out", [WIDTH]), weights), tmp_path)


def test_expand_where_idiom(tmp_path: Path) -> None:
    """The TorchScript idiom Equal(shape, -1) + Where: a length is never -1."""
    steps: list[Step] = [
        ("Concat", "one length two2", "target", {"axis": 0}),
        ("Equal", "target minus3", "hit"),
        ("Where", "hit ones3 target", "target2"),
        ("Expand", "cls target2", "wide"),
        ("Add", "h wide", "y"),
        MEAN,
    ]
    weights = {
        "two2": np.array([4]),
        "minus3": np.array([-1, -1, -1]),
        "ones3": np.array([1, 1, 1]),
        "cls": CLASS_TOKEN,
    }
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


def test_prefix_sums(tmp_path: Path) -> None:
    steps: list[Step] = [("CumSum", "h axis", "y"), ("ReduceMax", "y one", "out", {"keepdims": 0})]
    agree(build(steps, ("out", ["batch", WIDTH]), {"axis": np.array(1)}), tmp_path)


def test_computed_positions_need_a_bound(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Cast", "r", "rf", {"to": TensorProto.FLOAT}),
        ("Unsqueeze", "rf one", "column"),
        ("Mul", "column freq", "angle"),
        ("Sin", "angle", "p2"),
        ("Add", "e p2", "y"),
        MEAN,
    ]
    weights = {"i0": np.array(0), "i1": np.array(1), "freq": np.array([1.0, 0.3, 0.1, 0.03], np.float32)}
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path, longest=9)
    assert network.domain.most == 9


def test_token_flags_and_ranges_as_numbers(tmp_path: Path) -> None:
    """The position number itself, and a flag of the second position."""
    steps: list[Step] = [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Equal", "r i1", "second"),
        ("Cast", "second", "f", {"to": TensorProto.FLOAT}),
        ("Cast", "r", "rf", {"to": TensorProto.FLOAT}),
        ("Add", "f rf", "g"),
        ("Unsqueeze", "g one", "column"),
        ("Mul", "e column", "y"),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"i0": np.array(0), "i1": np.array(1)}), tmp_path)


@pytest.mark.parametrize(("op_type", "table"), [("Gather", EMBED), ("GatherND", EMBED)])
def test_embeddings(op_type: str, table: Any, tmp_path: Path) -> None:
    steps: list[Step] = [("Unsqueeze", "tokens minus", "t")] if op_type == "GatherND" else [("Identity", "tokens", "t")]
    network = agree(build([*steps, (op_type, "embed t", "out")], ("out", ["batch", "n", WIDTH]), start=[]), tmp_path)
    assert (network.alphabet_size, network.decision.kind, network.decision.n_positions) == (3, "classes", 1)


def test_one_hot_times_table(tmp_path: Path) -> None:
    steps: list[Step] = [("OneHot", "tokens depth values", "t", {"axis": -1}), ("MatMul", "t embed", "out")]
    weights = {"depth": np.array(3), "values": np.array([0.0, 1.0], np.float32)}
    network = agree(build(steps, ("out", ["batch", "n", WIDTH]), weights, start=[]), tmp_path)
    assert network.alphabet_size == 3


def test_fixed_sequence_length(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Gather", "embed tokens", "e"),
        ("Add", "e pos", "h"),
        ("Transpose", "h", "k", {"perm": [0, 2, 1]}),
        ("MatMul", "h k", "s0"),
        ("Add", "s0 mask", "s"),
        ("Softmax", "s", "a", {"axis": -1}),
        ("MatMul", "a h", "y"),
        ("Gather", "y last", "out", {"axis": 1}),
    ]
    weights = {
        "pos": RNG.normal(size=(3, WIDTH)).astype(np.float32),
        "mask": np.triu(np.full((3, 3), -1e9, np.float32), 1),
        "last": np.array(-1),
    }
    inputs = {"tokens": (TensorProto.INT64, ("batch", 3))}
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights, start=[], inputs=inputs), tmp_path, lengths=(3,))
    assert (network.domain.least, network.domain.most) == (3, 3)


@pytest.mark.parametrize("last", ["Softmax", "LogSoftmax", "ArgMax"])
def test_readout_is_dropped_with_a_note(last: str, tmp_path: Path) -> None:
    attributes = {"axis": -1} if last != "ArgMax" else {"axis": -1, "keepdims": 0}
    steps: list[Step] = [("ReduceMean", "h one", "l", {"keepdims": 0}), (last, "l", "out", attributes)]
    shape: list[int | str] = ["batch"] if last == "ArgMax" else ["batch", WIDTH]
    kind = TensorProto.INT64 if last == "ArgMax" else TensorProto.FLOAT
    network = read(save(build(steps, ("out", shape), output_type=kind), tmp_path))
    assert (network.decision.kind, network.decision.n_classes) == ("classes", WIDTH)
    assert any(last in note for note in network.notes)


def test_one_logit(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ReduceMean", "h one", "l", {"keepdims": 0}),
        ("MatMul", "l column", "z"),
        ("Sigmoid", "z", "out"),
    ]
    weights = {"column": np.ones((WIDTH, 1), np.float32)}
    network = read(save(build(steps, ("out", ["batch", 1]), weights), tmp_path))
    assert (network.decision.kind, network.decision.n_classes) == ("logit", 1)


def test_mask_inputs_default_to_ones_and_can_be_bound(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Cast", "attention_mask", "m", {"to": TensorProto.FLOAT}),
        ("Unsqueeze", "m two", "m2"),
        ("Mul", "h m2", "y"),
        ("ReduceSum", "y one", "out", {"keepdims": 0}),
    ]
    inputs = {"tokens": (TensorProto.INT64, ("batch", "n")), "attention_mask": (TensorProto.INT64, ("batch", "n"))}
    path = save(build(steps, ("out", ["batch", WIDTH]), inputs=inputs), tmp_path)
    free, bound = read(path), read(path, bind={"attention_mask": np.zeros((1, 1), np.int64)})
    word = np.array([[0, 1, 2]])
    assert any("attention_mask" in note for note in free.notes)
    assert outputs(free, words=word).any()
    assert not outputs(bound, words=word).any()


FEATURES = {"x": (TensorProto.FLOAT, ("batch", 2, 6, 5))}


@pytest.mark.parametrize(
    ("op_type", "attributes", "groups"),
    [
        ("Conv", {"pads": [1, 0, 1, 2], "strides": [2, 1]}, 1),
        ("Conv", {"dilations": [2, 1], "group": 2}, 2),
        ("Conv", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, 1),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}, 0),
        ("MaxPool", {"kernel_shape": [3, 2], "pads": [1, 1, 1, 0], "ceil_mode": 1, "strides": [2, 2]}, 0),
        ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}, 0),
        ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, 0),
        ("GlobalAveragePool", {}, 0),
        ("GlobalMaxPool", {}, 0),
    ],
)
def test_windows(op_type: str, attributes: dict[str, Any], groups: int, tmp_path: Path) -> None:
    weights = {
        "k": RNG.normal(size=(4, 2 // max(groups, 1), 3, 2)).astype(np.float32),
        "b": np.arange(4, dtype=np.float32),
    }
    given = "x k b" if op_type == "Conv" else "x"
    steps: list[Step] = [(op_type, given, "y", attributes), ("Flatten", "y", "out")]
    agree(build(steps, ("out", ["batch", "m"]), weights, start=[], inputs=FEATURES), tmp_path)


def test_convolutional_network_with_batch_norm(tmp_path: Path) -> None:
    weights = {
        "k": RNG.normal(size=(4, 2, 3, 3)).astype(np.float32),
        "g": np.array([1, 2, 3, 4], np.float32),
        "b": np.array([0, 1, 0, 1], np.float32),
        "m": np.array([0, 0.5, 0, 1], np.float32),
        "v": np.array([1, 2, 1, 0.5], np.float32),
        "f": RNG.normal(size=(3, 24)).astype(np.float32),
        "c": np.array([1, 2, 3], np.float32),
    }
    steps: list[Step] = [
        ("Conv", "x k", "a"),
        ("BatchNormalization", "a g b m v", "n"),
        ("Relu", "n", "r"),
        ("MaxPool", "r", "p", {"kernel_shape": [1, 2], "strides": [2, 1]}),
        ("Pad", "p pads", "q"),
        ("Flatten", "q", "y"),
        ("Gemm", "y f c", "out", {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    ]
    weights["pads"] = np.array([0, 0, 0, 0, 0, 0, 1, 0])
    network = agree(build(steps, ("out", ["batch", 3]), weights, start=[], inputs=FEATURES), tmp_path)
    assert set(kinds(network)) == {"Features", "Linear", "Map", "Maximum"}


def test_einsum(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Einsum", "h h", "s", {"equation": "bxd,byd->bxy"}),
        ("Softmax", "s", "a", {"axis": -1}),
        ("Einsum", "a h", "z", {"equation": "bxy,byd->bxd"}),
        ("Einsum", "z w", "y", {"equation": "bxd,de->bxe"}),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)


def test_quantized_weights_and_activations(tmp_path: Path) -> None:
    weights = {
        "q": RNG.integers(-8, 8, (WIDTH, WIDTH)).astype(np.int8),
        "scales": np.array([0.1, 0.2, 0.3, 0.4], np.float32),
        "s": np.array(0.05, np.float32),
        "z": np.array(3, np.int8),
    }
    steps: list[Step] = [
        ("DequantizeLinear", "q scales", "wq", {"axis": 1}),
        ("MatMul", "h wq", "t"),
        ("QuantizeLinear", "t s z", "i"),
        ("DequantizeLinear", "i s z", "y"),
        ("ReduceMax", "y one", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


def test_local_functions_are_inlined(tmp_path: Path) -> None:
    body = [helper.make_node("Relu", ["a"], ["r"]), helper.make_node("Add", ["r", "a"], ["o"])]
    function = helper.make_function("mine", "Twice", ["a"], ["o"], body, [helper.make_opsetid("", 20)])
    model = build(
        [],
        ("out", ["batch", WIDTH]),
        extra_nodes=[
            helper.make_node("Twice", ["h"], ["y"], domain="mine"),
            helper.make_node("ReduceMean", ["y", "one"], ["out"], keepdims=0),
        ],
    )
    if "one" not in [tensor.name for tensor in model.graph.initializer]:
        model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "one"))
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    onnx.checker.check_model(model)
    agree(model, tmp_path)


def test_names_are_unique_dotted_identifiers(tmp_path: Path) -> None:
    steps: list[Step] = [("MatMul", "h blocks.0.f.weight", "/blocks.0/f/out"), ("Relu", "/blocks.0/f/out", "y"), MEAN]
    network = agree(
        build(steps, ("out", ["batch", WIDTH]), {"blocks.0.f.weight": np.eye(WIDTH, dtype=np.float32)}), tmp_path
    )
    names = [node.name for node in network.nodes]
    assert len(set(names)) == len(names)
    assert all(piece.isidentifier() for name in names for piece in name.split("."))
    assert "blocks0.f" in names
    assert "blocks0.relu" in names


def test_evaluate_gives_wanted_nodes_in_their_shapes(tmp_path: Path) -> None:
    path = save(build([("ReduceMean", "h one", "out", {"keepdims": 0})], ("out", ["batch", WIDTH])), tmp_path)
    network = read(path)
    words = np.array([[0, 1, 2], [2, 2, 2]])
    found = evaluate(network, words=words, wanted=["tokens", network.decision.ref.node])
    assert found["tokens"].shape == (2, 3, 3)
    assert found[network.decision.ref.node].shape == (2, WIDTH)
    assert outputs(network, words=words).shape == (2, WIDTH)


@pytest.mark.parametrize(
    "attributes",
    [
        {"pads": [1, 1]},
        {"pads": [2, 0]},
        {"pads": [2, 2], "dilations": [2]},
        {"pads": [1, 1], "group": 2},
        {},
        {"pads": [0, 1]},
    ],
)
def test_convolution_along_the_sequence(attributes: dict[str, Any], tmp_path: Path) -> None:
    weights = {
        "k": RNG.normal(size=(WIDTH, WIDTH // attributes.get("group", 1), 3)).astype(np.float32),
        "b": np.arange(WIDTH, dtype=np.float32),
    }
    steps: list[Step] = [
        ("Transpose", "h", "t", {"perm": [0, 2, 1]}),
        ("Conv", "t k b", "c", attributes),
        ("Elu", "c", "y"),
        ("ReduceMax", "y two", "out", {"keepdims": 0}),
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path, lengths=(3, 4, 6))
    assert network.domain.least == {"pads": 1}.get(next(iter(attributes), ""), 3) + (attributes.get("pads") == [0, 1])


@pytest.mark.parametrize("interleaved", [0, 1])
def test_rotary_positions(interleaved: int, tmp_path: Path) -> None:
    angles = RNG.normal(size=(ROWS, 1))
    steps: list[Step] = [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Unsqueeze", "r zero", "ids"),
        ("RotaryEmbedding", "h cosine sine ids", "y", {"num_heads": 2, "interleaved": interleaved}),
        MEAN,
    ]
    weights = {
        "i0": np.array(0),
        "i1": np.array(1),
        "cosine": np.cos(angles).astype(np.float32),
        "sine": np.sin(angles).astype(np.float32),
    }
    agree(build(steps, ("out", ["batch", WIDTH]), weights, opset=23), tmp_path)


def test_copies_are_self_contained(tmp_path: Path) -> None:
    model = build([("MatMul", "h w", "y"), MEAN], ("out", ["batch", WIDTH]))
    model.graph.node[0].metadata_props.add(key="trace", value="somewhere")
    (tmp_path / "from").mkdir()
    source, target = tmp_path / "from" / "model.onnx", tmp_path / "copy.onnx"
    onnx.save(model, str(source), save_as_external_data=True, location="weights.bin", size_threshold=0)
    copy_model(source, target)
    words = np.array([[0, 2, 1]])
    assert outputs(read(target), words=words).tolist() == outputs(read(source), words=words).tolist()
    assert b"somewhere" not in target.read_bytes()


def test_dynamic_quantization(tmp_path: Path) -> None:
    weights = {
        "k": RNG.integers(-8, 8, (3, 2, 3, 3)).astype(np.int8),
        "f": RNG.integers(-8, 8, (36, 4)).astype(np.int8),
    }
    steps: list[Step] = [
        ("DynamicQuantizeLinear", "x", "q s z"),
        ("ConvInteger", "q k z", "c"),
        ("Cast", "c", "cf", {"to": TensorProto.FLOAT}),
        ("Mul", "cf s", "d"),
        ("Flatten", "d", "e"),
        ("DynamicQuantizeLinear", "e", "q2 s2 z2"),
        ("MatMulInteger", "q2 f z2", "m"),
        ("Cast", "m", "mf", {"to": TensorProto.FLOAT}),
        ("Mul", "mf s2", "out"),
    ]
    agree(build(steps, ("out", ["batch", 4]), weights, start=[], inputs=FEATURES), tmp_path, tolerance=1e-3)


def test_ties_of_quantization_are_exact(tmp_path: Path) -> None:
    """Averages of two codes lie halfway between codes half of the time, and go to the even one."""
    weights = {"s": np.array(19 / 512, np.float32), "z": np.array(7, np.uint8)}
    steps: list[Step] = [
        ("QuantizeLinear", "x s z", "q"),
        ("DequantizeLinear", "q s z", "d"),
        ("AveragePool", "d", "p", {"kernel_shape": [1, 2], "strides": [1, 2]}),
        ("QuantizeLinear", "p s z", "q2"),
        ("DequantizeLinear", "q2 s z", "r"),
        ("Flatten", "r", "out"),
    ]
    agree(build(steps, ("out", ["batch", 24]), weights, start=[], inputs=FEATURES), tmp_path, tolerance=1e-6)
