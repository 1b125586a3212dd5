"""How many shapes are derived: ``python -m benchmarks.shapes [MODEL...] [--pattern TEXT]``.

Without models, every node test of the ``onnx`` package is taken: each dimension of its inputs becomes a symbol of its own,
operands that say shapes, axes or lengths are bound to their values, and what is derived for the outputs is evaluated at
the stored sizes. With models, every tensor is compared with what onnxruntime computes at several sizes.
A line is printed for each case that is not right, then the score; the exit code is 1 if any shape is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from benchmarks.conformance import CONDITIONAL, OUTSIDE
from circuits.diagnostics import FomError
from translator.backend import SHAPING
from translator.shapes import Shapes, infer

TRAINING = frozenset(["Adagrad", "Adam", "Gradient", "Momentum"])


@dataclass(frozen=True, slots=True)
class Case:
    """One stored network with inputs and outputs."""

    name: str
    model: onnx.ModelProto
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]

    @property
    def operator(self) -> str:
        """The operator that the case is about."""
        return str(self.model.graph.node[0].op_type)

    @property
    def group(self) -> str:
        """Whether the operator is of fixed depth."""
        if any(node.domain not in ("", "ai.onnx") for node in self.model.graph.node):
            return "other domains"
        if self.name.endswith("_expanded") or "_expanded_" in self.name:
            return "function bodies"
        if self.operator in OUTSIDE | TRAINING:
            return "outside"
        return "conditional" if self.operator in CONDITIONAL else "fixed depth"


def node_cases() -> Iterator[Case]:
    """The node tests of the onnx package, which generates them."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = load_model_tests(kind="node")
    for test in tests:
        if test.model is None or test.data_sets is None:
            continue
        inputs, outputs = (tuple(map(_decoded, values)) for values in test.data_sets[0])
        yield Case(test.name, test.model, inputs, outputs)


def _decoded(value: Any) -> Any:
    """A stored value as an array; types that numpy does not have are stored as protobufs."""
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def symbolic(case: Case, static: Collection[str]) -> tuple[onnx.ModelProto, dict[str, Any], dict[str, int]]:
    """The model with a symbol for each dimension of its inputs; the operands to bind; the stored sizes of the symbols.

    A sequence that is an input becomes one that is made of inputs.
    """
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    constants: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    for value, stored in zip(list(model.graph.input), case.inputs, strict=False):
        if isinstance(stored, list):
            _construct(model.graph, value, stored, sizes)
            continue
        if value.type.WhichOneof("value") != "tensor_type":
            continue
        if value.name in static:
            constants[value.name] = np.asarray(stored)
            continue
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.HasField("dim_value") and dim.dim_value > 0:
                name = f"{value.name}_{axis}"
                sizes[name] = dim.dim_value
                dim.dim_param = name
            elif dim.HasField("dim_param"):
                sizes[dim.dim_param] = np.shape(stored)[axis]
    return model, constants, sizes


def _construct(graph: onnx.GraphProto, sequence: onnx.ValueInfoProto, stored: list[Any], sizes: dict[str, int]) -> None:
    """Replace a sequence of tensors by one input for each of them."""
    items = []
    for index, item in enumerate(map(np.asarray, stored)):
        name = f"{sequence.name}_{index}"
        dims = [f"{name}_{axis}" if size else 0 for axis, size in enumerate(item.shape)]
        sizes.update({f"{name}_{axis}": size for axis, size in enumerate(item.shape) if size})
        element = onnx.helper.np_dtype_to_tensor_dtype(item.dtype)
        graph.input.append(onnx.helper.make_tensor_value_info(name, element, dims))
        items.append(name)
    made = "SequenceConstruct" if items else "SequenceEmpty"
    graph.node.insert(0, onnx.helper.make_node(made, items, [sequence.name]))
    graph.input.remove(sequence)


def static_inputs(model: onnx.ModelProto) -> set[str]:
    """The names of the operands that say shapes, axes or lengths."""
    return {
        node.input[index]
        for node in model.graph.node
        for index in SHAPING.get(node.op_type, ())
        if index < len(node.input) and node.domain in ("", "ai.onnx")
    }


def compare(case: Case, static: Collection[str]) -> tuple[str, str]:
    """``right``, ``undecided``, ``refused`` or ``wrong``, and what was found."""
    model, constants, sizes = symbolic(case, static)
    try:
        shapes = infer(model, constants)
    except FomError as error:
        return "refused", str(error.diagnostics[0])
    violated = shapes.admits(sizes)
    if violated:
        return "wrong", f"the stored sizes violate {violated[0]}"
    for value, stored in zip(model.graph.output, case.outputs, strict=True):
        items = {value.name: stored}
        if isinstance(stored, list):
            items = {f"{value.name}[{index}]": item for index, item in enumerate(stored)}
        for name, item in items.items():
            verdict = _compare_tensor(shapes, name, item, sizes)
            if verdict is not None:
                return verdict
    return "right", ""


def _compare_tensor(shapes: Shapes, name: str, stored: Any, sizes: Mapping[str, int]) -> tuple[str, str] | None:
    if stored is None:
        return None
    found = shapes.tensors.get(name)
    if found is None or found.dims is None:
        return "undecided", "; ".join(each.reason for each in shapes.unknown)
    if shapes.evaluate(name, sizes) != np.asarray(stored).shape:
        return "wrong", f"{name}: {found} at {sizes}, stored {np.asarray(stored).shape}"
    dtype = onnx.TensorProto.DataType.Name(onnx.helper.np_dtype_to_tensor_dtype(np.asarray(stored).dtype)).lower()
    return None if found.dtype == dtype else ("wrong", f"{name}: {found}, stored {dtype}")


def score_nodes(pattern: str) -> int:
    """Print the misses and the score of the node tests; the number of wrong ones."""
    started = time.perf_counter()
    cases = [case for case in node_cases() if pattern in case.name]
    print(f"{len(cases)} cases in {time.perf_counter() - started:.1f} s")
    counts: dict[str, Counter[str]] = {}
    static: set[str] = set()
    slowest = (0.0, "")
    for case in cases:
        started = time.perf_counter()
        if case.group != "function bodies":  # which come after the operator that they stand for
            static = static_inputs(case.model)
        verdict, detail = compare(case, static)
        slowest = max(slowest, (time.perf_counter() - started, case.name))
        counts.setdefault(case.group, Counter())[verdict] += 1
        if verdict != "right":
            print(f"{verdict:9} {case.group:15} {case.name}: {detail}")
    for group, count in counts.items():
        print(f"{group:15} {count['right']} of {count.total()} right, " + _rest(count))
    print(f"slowest: {slowest[1]}, {slowest[0]:.2f} s")
    return sum(count["wrong"] for count in counts.values())


def _rest(count: Counter[str]) -> str:
    return ", ".join(f"{count[verdict]} {verdict}" for verdict in ("undecided", "refused", "wrong"))


def observed(model: onnx.ModelProto, feeds: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor, as onnxruntime computes it without optimizations."""
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = {value.name for value in probe.graph.output}
    wanted = {name for node in probe.graph.node for name in node.output if name} - names
    probe.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(wanted))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
    outputs = [value.name for value in session.get_outputs()]
    found: dict[str, tuple[int, ...]] = {}
    for name, value in zip(outputs, session.run(outputs, dict(feeds)), strict=True):
        if isinstance(value, list):
            found.update({f"{name}[{index}]": item.shape for index, item in enumerate(value)})
        else:
            found[name] = np.asarray(value).shape
    return found


def feeds_for(shapes: Shapes, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Inputs of the given sizes: ones, or zeros where they may be tokens."""
    feeds = {}
    for name, shaped in shapes.inputs.items():
        dtype = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(shaped.dtype.upper()))
        feeds[name] = np.ones(shapes.evaluate(name, sizes), dtype=dtype)
    return feeds


def score_models(paths: Sequence[Path]) -> int:
    """Print the score of each model; the number of wrong shapes."""
    all_wrong = checks = 0
    for path in paths:
        model = onnx.load(str(path))
        started = time.perf_counter()
        try:
            shapes = infer(model)
        except FomError as error:
            print(f"refused   {path}: {error.diagnostics[0]}")
            continue
        seconds = time.perf_counter() - started
        undecided = sum(1 for shaped in shapes.tensors.values() if shaped.dims is None)
        wrong, notes, tried = [], [], 0
        for index in range(4):
            primes = (2, 1, 3, 1), (6, 1, 9, 17)
            sizes = {name: primes[place > 0][index] + max(0, place - 1) for place, name in enumerate(shapes.symbols)}
            if index and not sizes:
                break
            violated = shapes.admits(sizes)
            try:
                found = observed(model, feeds_for(shapes, sizes))
            except Exception as error:  # onnxruntime's exceptions share no base
                if not violated:
                    notes.append(f"runtime fails at {sizes}: {str(error)[:200]}")
                continue
            if violated:
                notes.append(f"runtime accepts {sizes}, which violate {violated[0]}")
                continue
            tried += 1
            for name, dims in found.items():
                if name in shapes.tensors and shapes.tensors[name].dims is not None:
                    checks += 1
                    if shapes.evaluate(name, sizes) != dims:
                        wrong.append(f"{name}: {shapes.tensors[name]} at {sizes}, observed {dims}")
        all_wrong += len(wrong)
        print(
            f"{path}: {len(shapes.tensors)} tensors, {undecided} undecided, {tried} sizes, {len(wrong)} wrong, {seconds:.2f} s"
        )
        for line in [*notes, *wrong[:3]]:
            print(f"  {line}")
    print(f"{len(paths)} models, {checks} shapes compared, {all_wrong} wrong")
    return all_wrong


def main() -> int:
    """Read the arguments and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path, help="models to compare with onnxruntime")
    parser.add_argument("--pattern", default="", help="only node tests whose name contains this")
    arguments = parser.parse_args()
    wrong = score_models(arguments.models) if arguments.models else score_nodes(arguments.pattern)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
