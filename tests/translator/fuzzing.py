"""Damaged and absurd ONNX files, and what the reader must do with each: a diagnostic, or a network that agrees with onnxruntime.

`seeds` are small valid models; `mutate` changes bytes or the graph of one of them; `check` reads the result and compares.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import FomError
from translator.reading import read
from translator.real import Letters, RealNetwork
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]
SECONDS = 20
SIZES = (-1, 0, 1, 2, 3, 5, 7, 10**9, 2**31, 2**62, -(10**9))
NUMBERS = (0.0, -1.0, 0.5, 1e30, -1e30, float("nan"), float("inf"), 1e-30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: "refused" with codes, "agrees", "unchecked" (onnxruntime refuses it), "wrong", "crashed", "hung"."""

    kind: str
    detail: str = ""


class Hung(BaseException):
    """A file took too long; no `Exception`, so that nothing on the way takes it for a finding."""


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Stop what runs longer than this."""

    def stop(*_: Any) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def seeds() -> list[onnx.ModelProto]:
    """Small valid models: an attention layer, a convolution, data movement, a recurrent cell, control flow, lists."""
    return [_attention(), _convolution(), _movement(), _cell(), _control(), _lists(), _quantized(), _reductions()]


def _model(
    nodes: list[onnx.NodeProto], inputs: list[Any], outputs: list[Any], stored: dict[str, Any]
) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()]
    graph = helper.make_graph(nodes, "seed", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _info(name: str, dims: list[Any] | None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def _node(op: str, given: str, made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, [n if n != "_" else "" for n in given.split()], made.split(), **attributes)


def _random(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def _attention() -> onnx.ModelProto:
    nodes = [
        _node("Gather", "embed tokens", "e"), _node("Shape", "tokens", "s"), _node("Slice", "s one two zero", "length"),
        _node("Slice", "place zero length zero", "p"), _node("Add", "e p", "h"),
        _node("MatMul", "h wq", "q"), _node("MatMul", "h wk", "k"), _node("Transpose", "k", "kt", perm=[0, 2, 1]),
        _node("MatMul", "q kt", "scores"), _node("Softmax", "scores", "weights", axis=-1), _node("MatMul", "weights h", "v"),
        _node("Add", "h v", "r"), _node("LayerNormalization", "r g b", "l", axis=-1, epsilon=1e-5), _node("Tanh", "l", "a"),
        _node("ReduceMean", "a one", "m", keepdims=0), _node("Gemm", "m wo bo", "out", transB=1),
    ]  # fmt: skip
    stored = {
        "embed": _random(3, 4), "place": _random(12, 4), "wq": _random(4, 4), "wk": _random(4, 4) * 2, "wo": _random(2, 4),
        "bo": _random(2), "g": np.ones(4, np.float32), "b": _random(4) * 0, "zero": np.array([0]), "one": np.array([1]),
        "two": np.array([2]),
    }  # fmt: skip
    return _model(nodes, [_info("tokens", ["batch", "n"], TensorProto.INT64)], [_info("out", ["batch", 2])], stored)


def _convolution() -> onnx.ModelProto:
    nodes = [
        _node("Conv", "x w b", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1),
        _node("BatchNormalization", "c g z z g", "n"), _node("Relu", "n", "r"),
        _node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        _node("AveragePool", "p", "a", kernel_shape=[2, 2], pads=[0, 0, 1, 1], count_include_pad=1),
        _node("Pad", "a pads", "d", mode="constant"), _node("Flatten", "d", "f", axis=1), _node("MatMul", "f m", "out"),
    ]  # fmt: skip
    stored = {
        "w": _random(2, 1, 3, 3), "b": _random(2), "g": np.ones(2, np.float32), "z": np.zeros(2, np.float32),
        "pads": np.array([0, 0, 0, 1, 0, 0, 1, 0]), "m": _random(18, 3),
    }  # fmt: skip
    return _model(nodes, [_info("x", [1, 1, 4, 4])], [_info("out", [1, 3])], stored)


def _movement() -> onnx.ModelProto:
    nodes = [
        _node("Reshape", "x shape", "r"), _node("Transpose", "r", "t", perm=[1, 0, 2]), _node("Split", "t cuts", "a b", axis=2),
        _node("Concat", "b a", "c", axis=1), _node("Slice", "c starts ends axes steps", "s"),
        _node("Gather", "s index", "g", axis=1), _node("Unsqueeze", "g zero", "u"),
        _node("Tile", "u times", "i"), _node("Squeeze", "i zero", "q"),
        _node("Expand", "q wide", "e"), _node("Clip", "e low high", "k"), _node("Where", "on k e", "w"),
        _node("Einsum", "w m", "out", equation="bij,jk->bik"),
    ]  # fmt: skip
    stored = {
        "shape": np.array([2, 3, 4]), "cuts": np.array([2, 2]), "starts": np.array([0]), "ends": np.array([4]),
        "axes": np.array([1]), "steps": np.array([1]), "index": np.array([0, 3, -1]), "zero": np.array([0]),
        "times": np.array([1, 1, 1, 1]), "wide": np.array([3, 3, 2]), "low": np.array(-1, np.float32),
        "high": np.array(1, np.float32), "on": np.array([True, False]), "m": _random(2, 3),
    }  # fmt: skip
    return _model(nodes, [_info("x", [4, 6])], [_info("out", None)], stored)


def _cell() -> onnx.ModelProto:
    nodes = [
        _node("LSTM", "x w r b", "y h", hidden_size=2, direction="forward"), _node("Squeeze", "h zero", "q"),
        _node("Softplus", "q", "out"),
    ]  # fmt: skip
    stored = {"w": _random(1, 8, 3), "r": _random(1, 8, 2), "b": _random(1, 16), "zero": np.array([0])}
    return _model(nodes, [_info("x", [3, 1, 3])], [_info("out", [1, 2])], stored)


def _control() -> onnx.ModelProto:
    body = helper.make_graph(
        [_node("MatMul", "s m", "a"), _node("Sigmoid", "a", "t")], "body",
        [_info("i", [], TensorProto.INT64), _info("c", [], TensorProto.BOOL), _info("s", None)],
        [_info("c", [], TensorProto.BOOL), _info("t", None), _info("a", None)],
    )  # fmt: skip
    yes = helper.make_graph([_node("Neg", "last", "n")], "yes", [], [_info("n", None)])
    no = helper.make_graph([_node("Abs", "last", "p")], "no", [], [_info("p", None)])
    nodes = [
        _node("Loop", "count true x", "last rows", body=body), _node("If", "true", "y", then_branch=yes, else_branch=no),
        _node("ReduceSum", "rows zero", "z", keepdims=0), _node("Add", "y z", "out"),
    ]  # fmt: skip
    stored = {"count": np.array(3), "true": np.array(True), "m": _random(2, 2), "zero": np.array([0])}
    return _model(nodes, [_info("x", [3, 2])], [_info("out", None)], stored)


def _lists() -> onnx.ModelProto:
    nodes = [
        _node("SplitToSequence", "x two", "s", axis=1), _node("SequenceAt", "s one", "a"),
        _node("SequenceInsert", "s a zero", "t"), _node("SequenceErase", "t one", "u"),
        _node("ConcatFromSequence", "u", "out", axis=0),
    ]  # fmt: skip
    stored = {"two": np.array(2), "one": np.array(1), "zero": np.array(0)}
    return _model(nodes, [_info("x", [3, 4])], [_info("out", None)], stored)


def _quantized() -> onnx.ModelProto:
    nodes = [
        _node("QuantizeLinear", "x s z", "q"), _node("DequantizeLinear", "q s z", "d"), _node("MatMul", "d w", "m"),
        _node("Cast", "m", "i", to=TensorProto.INT32), _node("Mod", "i three", "r"),
        _node("Cast", "r", "f", to=TensorProto.FLOAT), _node("TopK", "f two", "out at", axis=-1),
    ]  # fmt: skip
    stored = {
        "s": np.array(0.1, np.float32), "z": np.array(3, np.uint8), "w": _random(4, 3) * 3, "three": np.array(3, np.int32),
        "two": np.array([2]),
    }  # fmt: skip
    return _model(nodes, [_info("x", [2, 4])], [_info("out", [2, 2])], stored)


def _reductions() -> onnx.ModelProto:
    nodes = [
        _node("ReduceMax", "x axis", "a", keepdims=1), _node("Sub", "x a", "b"),
        _node("ReduceLogSumExp", "b axis", "c", keepdims=1), _node("Div", "b two", "d"), _node("Pow", "d two", "e"),
        _node("CumSum", "e one", "f", reverse=1),
        _node("Add", "f c", "g"), _node("ArgMax", "g", "h", axis=0, keepdims=1), _node("Cast", "h", "i", to=TensorProto.FLOAT),
        _node("Equal", "i zero", "j"), _node("Where", "j g b", "out"),
    ]  # fmt: skip
    stored = {
        "axis": np.array([1]), "two": np.array(2, np.float32), "one": np.array(1), "zero": np.array(0, np.float32),
    }  # fmt: skip
    return _model(nodes, [_info("x", [2, 3])], [_info("out", [2, 3])], stored)


def mutate(model: onnx.ModelProto, rng: np.random.Generator) -> bytes:
    """One to three changes to a model, one file in four to its bytes."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if rng.random() < 0.25:
        return _bytes(copy.SerializeToString(), rng)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        change = CHANGES[rng.integers(len(CHANGES))]
        try:
            change(copy, rng)
        except (ValueError, TypeError, IndexError):
            continue  # nothing of the kind is left to change
    return copy.SerializeToString()


def _bytes(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[: rng.integers(len(data))])
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(len(data)))
        if kind == 1:
            data[place] = int(rng.integers(256))
        elif kind == 2:
            data[place] ^= 1 << int(rng.integers(8))
        else:
            data[place:place] = data[int(rng.integers(len(data))) :][: int(rng.integers(1, 9))]
    return bytes(data)


def _pick(items: Any, rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def _names(model: onnx.ModelProto) -> list[str]:
    graph = model.graph
    return [
        *(v.name for v in graph.input),
        *(t.name for t in graph.initializer),
        *(n for node in graph.node for n in node.output),
    ]


def _attribute(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    attribute = _pick(_pick([node for node in model.graph.node if node.attribute], rng).attribute, rng)
    if attribute.ints:
        place = int(rng.integers(len(attribute.ints)))
        attribute.ints[place] = int(_pick(SIZES, rng))
        if rng.random() < 0.3:
            del attribute.ints[place]
        elif rng.random() < 0.3:
            attribute.ints.append(int(_pick(SIZES, rng)))
    elif attribute.type == onnx.AttributeProto.INT:
        attribute.i = int(_pick(SIZES, rng))
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = float(_pick(NUMBERS, rng))
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = _pick([b"", b"same", b"reverse", b"bij,jk->bk", b"\xff\xfe", b"reflect"], rng)
    if rng.random() < 0.15:
        attribute.type = int(_pick([1, 2, 3, 4, 6, 7], rng))


def _drop_attribute(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = _pick([node for node in model.graph.node if node.attribute], rng)
    del node.attribute[int(rng.integers(len(node.attribute)))]


def _shape(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    value = _pick([*model.graph.input, *model.graph.output], rng)
    dims = value.type.tensor_type.shape.dim
    if rng.random() < 0.2:
        dims.add().dim_value = int(_pick(SIZES, rng))
    elif rng.random() < 0.3 and dims:
        del dims[int(rng.integers(len(dims)))]
    elif rng.random() < 0.3:
        _pick(dims, rng).dim_param = str(_pick(["n", "batch", "other", ""], rng))
    else:
        _pick(dims, rng).dim_value = int(_pick(SIZES, rng))


def _dtype(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    kind = int(_pick([*range(24), 99], rng))
    if rng.random() < 0.5:
        _pick([*model.graph.input, *model.graph.output], rng).type.tensor_type.elem_type = kind
    else:
        _pick(model.graph.initializer, rng).data_type = kind


def _weights(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    tensor = _pick(model.graph.initializer, rng)
    array = numpy_helper.to_array(tensor).copy()
    kind = rng.integers(5)
    if kind == 0 and array.dtype.kind == "f":
        array.reshape(-1)[int(rng.integers(array.size))] = _pick(NUMBERS, rng)
    elif kind <= 2 and array.dtype.kind == "i":
        array.reshape(-1)[int(rng.integers(array.size))] = min(int(_pick(SIZES, rng)), int(np.iinfo(array.dtype).max))
    elif kind == 3:
        array = array[None] if rng.random() < 0.5 else array.reshape(-1)
    else:
        array = (
            array[:-1]
            if array.ndim and rng.random() < 0.5
            else array.astype(_pick(["f4", "f8", "i4", "i8", "u1", "?"], rng))
        )
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _dims(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    tensor = _pick(model.graph.initializer, rng)
    tensor.dims[int(rng.integers(len(tensor.dims)))] = int(_pick(SIZES, rng))


def _rewire(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = _pick(model.graph.node, rng)
    node.input[int(rng.integers(len(node.input)))] = _pick([*_names(model), "", "ghost"], rng)


def _arity(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = _pick(model.graph.node, rng)
    names = _pick([node.input, node.output], rng)
    if rng.random() < 0.5:
        del names[int(rng.integers(len(names)))]
    else:
        names.append(_pick([*_names(model), "", "extra"], rng))


def _remove(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    items: Any = _pick([model.graph.node, model.graph.initializer, model.graph.output, model.graph.input], rng)
    del items[int(rng.integers(len(items)))]


def _duplicate(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    items: Any = _pick([model.graph.node, model.graph.initializer, model.graph.output, model.graph.input], rng)
    items.add().CopyFrom(_pick(items, rng))


def _swap(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    first, second = (_pick(model.graph.node, rng) for _ in range(2))
    kept = onnx.NodeProto()
    kept.CopyFrom(first)
    first.CopyFrom(second)
    second.CopyFrom(kept)


def _operator(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    node = _pick(model.graph.node, rng)
    node.op_type = _pick([*(other.op_type for other in model.graph.node), *OTHERS], rng)


def _opset(model: onnx.ModelProto, rng: np.random.Generator) -> None:
    model.opset_import[0].version = int(_pick([-1, 0, 1, 6, 7, 9, 10, 11, 12, 13, 15, 17, 20, 21, 23, 25, 99], rng))


OTHERS = (
    "Abs", "Softmax", "LogSoftmax", "Add", "Mul", "Div", "MatMul", "Gemm", "Relu", "Erf", "Identity", "Concat",
    "Shape", "Size", "NonZero", "Where", "Max", "ReduceProd", "Mod", "Trilu", "OneHot", "GatherND", "GatherElements",
    "ScatterND", "DepthToSpace", "Resize", "Hardmax", "TopK", "EyeLike", "Range", "ConstantOfShape", "Attention",
    "LRN", "InstanceNormalization", "GroupNormalization", "ConvTranspose", "GlobalMaxPool", "CumSum", "IsNaN",
    "BitShift", "Unique", "GRU", "Scan", "Loop", "Optional",
)  # fmt: skip
CHANGES = (
    _attribute, _attribute, _attribute, _drop_attribute, _shape, _shape, _dtype, _weights, _weights, _dims, _rewire, _rewire,
    _arity, _remove, _duplicate, _swap, _operator, _operator, _opset,
)  # fmt: skip


def check(content: bytes, path: Path) -> Outcome:
    """Read the file, as a decision and with whole outputs, and compare what was read with onnxruntime."""
    path.write_bytes(content)
    outcome = Outcome("unchecked")
    for whole in (False, True):
        try:
            with limited(SECONDS):
                network = read(path, whole=whole)
                values = _evaluated(network) if whole else None
        except FomError as error:
            codes = " ".join(finding.code for finding in error.diagnostics)
            if not all(finding.message for finding in error.diagnostics):
                return Outcome("crashed", "a diagnostic without a message")
            outcome = Outcome("refused", codes)
            continue
        except Hung:
            return Outcome("hung", f"more than {SECONDS} seconds")
        except Exception as error:
            return Outcome("crashed", f"{type(error).__name__}: {error}")
        if values is not None:
            outcome = _compared(path, network, *values)
    return outcome


def _evaluated(network: RealNetwork) -> tuple[dict[str, Array], list[Array | None]]:
    """Inputs by ONNX name for one random case, and the outputs."""
    rng = np.random.default_rng(3)
    n = max(network.domain.least, min(3, network.domain.most or 3))
    wanted = sorted({ref.node for tensor in network.outputs for _, ref in tensor.parts})
    fed: dict[str, Array] = {}
    if any(isinstance(node, Letters) for node in network.nodes) and len(network.inputs) == 1:
        word = rng.integers(0, network.alphabet_size, (1, n))
        fed[network.inputs[0].name] = word
        values = evaluate(network, words=word, wanted=wanted)
    elif not any(given.count for given in network.inputs) and not any(node.n_positions for node in network.features):
        flat = []
        for features in network.features:
            given = next(own for own in network.inputs if own.node == features.name)
            kind = helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(features.dtype.upper()))
            fed[given.name] = rng.integers(0, 2, features.shape).astype(kind)
            if np.dtype(kind).kind == "f":
                fed[given.name] = rng.normal(size=features.shape).astype(kind)
            flat.append(fed[given.name].astype(np.float64).ravel())
        values = evaluate(network, features=np.concatenate([np.zeros(0), *flat])[None], wanted=wanted)
    else:
        return {}, []
    return fed, [assemble(tensor, n, values, 1)[0] for tensor in network.outputs]


def _compared(path: Path, network: RealNetwork, fed: dict[str, Array], found: list[Array | None]) -> Outcome:
    """Compare with what onnxruntime gives, where it runs the file."""
    if not found:
        return Outcome("unchecked")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        runtime = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        inputs = {given.name: given for given in runtime.get_inputs()}
        if set(inputs) - set(fed):
            return Outcome("unchecked")
        expected = runtime.run(None, {name: fed[name] for name in inputs})
    except Exception:  # onnxruntime refuses what it refuses in many ways
        return Outcome("unchecked")
    names = [output.name for output in runtime.get_outputs()]
    results = dict(zip([tensor.name for tensor in network.outputs], found, strict=True))
    for name, one in zip(names, expected, strict=True):
        other = results.get(name)
        if other is None or not isinstance(one, np.ndarray):
            continue
        if other.shape != one.shape:
            return Outcome("wrong", f"`{name}` has shape {one.shape} in onnxruntime, {other.shape} here")
        known = np.isfinite(one.astype(np.float64)) & (np.abs(one.astype(np.float64)) < 1e6)
        left, right = other.astype(np.float64)[known], one.astype(np.float64)[known]
        if not np.allclose(left, right, rtol=1e-3, atol=1e-3, equal_nan=True):
            return Outcome("wrong", f"`{name}` differs by {float(np.nanmax(np.abs(left - right))):.3g}")
    return Outcome("agrees")
