"""ONNX's own backend suite through fom: which cases are accepted, sound and within the suite's tolerance.

    python -m benchmarks.conformance [--cases REGEX] [--misses] [--conditional] [--kind node|pytorch|simple|light|all]

The list of cases: base cases of operators that are unconditionally of fixed depth, with tensors of float16, bfloat16, float,
double, whole numbers and truth values, outside of training mode. With --conditional, the operators that are of fixed depth
where what decides the depth is a constant: control flow, recurrent cells, lists and optionals.
"""

from __future__ import annotations

import argparse
import re
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test import loader
from onnx.reference import ReferenceEvaluator

from circuits.diagnostics import FomError
from translator.backend import FomBackend, shaping_inputs
from translator.shapes import infer

CONDITIONAL = frozenset(
    ["ConcatFromSequence", "CumProd", "Det", "GRU", "If", "LSTM", "LinearAttention", "Loop", "Optional",
     "OptionalGetElement", "OptionalHasElement", "RNN", "ReduceProd", "Scan", "SequenceAt", "SequenceConstruct",
     "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SequenceMap", "SplitToSequence"]
)  # fmt: skip
OUTSIDE = frozenset(
    ["Bernoulli", "Compress", "ImageDecoder", "Multinomial", "NonMaxSuppression", "NonZero", "RandomNormal",
     "RandomNormalLike", "RandomUniform", "RandomUniformLike", "RegexFullMatch", "StringConcat", "StringNormalizer",
     "StringSplit", "TfIdfVectorizer", "Unique"]
)  # fmt: skip
TYPES = frozenset(
    ["FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
     "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT4E2M1"]
)  # fmt: skip
CASTS = ("Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "BitCast")


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: a model and sets of inputs with the expected outputs."""

    name: str
    kind: str
    model: onnx.ModelProto
    sets: tuple[tuple[list[Any], list[Any]], ...]
    rtol: float
    atol: float


def decoded(value: Any) -> Any:
    """A tensor of a data set as an array; other values as they are."""
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def load_light() -> Iterator[Case]:
    """The architectures of the suite without their weights, each with the input that its runner makes and the stored output."""
    for path in sorted((Path(loader.DATA_DIR) / "light").glob("*.onnx")):
        model = onnx.load(str(path))
        stored = {tensor.name for tensor in model.graph.initializer}
        given = [value for value in model.graph.input if value.name not in stored]
        shapes = [[dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim] for value in given]
        sizes = [int(np.prod(shape)) for shape in shapes]
        inputs = [(np.arange(n) / n).reshape(shape).astype(np.float32) for n, shape in zip(sizes, shapes, strict=True)]
        expected = numpy_helper.to_array(onnx.load_tensor(str(path.with_name(f"{path.stem}_output_0.pb"))))
        yield Case(path.stem, "light", model, ((inputs, [expected]),), 1e-3, 1e-7)


def load(kind: str) -> Iterator[Case]:
    """All cases of a kind of the suite: "node", "pytorch-converted", "pytorch-operator", "simple", "light"."""
    if kind == "light":
        yield from load_light()
        return
    for test in loader.load_model_tests(kind=kind):
        if test.model is not None:
            sets = [([decoded(x) for x in given], [decoded(y) for y in made]) for given, made in test.data_sets or ()]
            yield Case(test.name, kind, test.model, tuple(sets), test.rtol, test.atol)
            continue
        folder = Path(test.model_dir or "")
        model = onnx.load(str(folder / "model.onnx"))
        sets = []
        for place in sorted(folder.glob("test_data_set_*")):
            arrays = []
            for what in ("input", "output"):
                files = sorted(place.glob(f"{what}_*.pb"), key=lambda f: int(re.findall(r"\d+", f.stem)[-1]))
                arrays.append([numpy_helper.to_array(onnx.load_tensor(str(file))) for file in files])
            sets.append((arrays[0], arrays[1]))
        yield Case(test.name, kind, model, tuple(sets), test.rtol, test.atol)


def is_listed(case: Case, conditional: bool = False) -> bool:
    """Whether a node case belongs to the list, or to the one of operators of fixed depth under a condition."""
    if case.name.endswith("_expanded") or "_expanded_ver" in case.name or len(case.model.graph.node) != 1:
        return False
    node = case.model.graph.node[0]
    if node.domain not in ("", "ai.onnx") or node.op_type in OUTSIDE:
        return False
    is_list = any(value.type.WhichOneof("value") != "tensor_type" for value in case.model.graph.input)
    if conditional != (node.op_type in CONDITIONAL or (node.op_type == "Identity" and is_list)):
        return False
    if conditional:
        return True
    schema = onnx.defs.get_schema(node.op_type) if onnx.defs.has(node.op_type) else None
    if schema is None or (schema.deprecated and node.op_type not in ("Upsample", "Scatter")):
        return False
    if "training_mode" in {attribute.name for attribute in node.attribute} or "training_" in case.name:
        return False
    for value in [*case.model.graph.input, *case.model.graph.output]:
        if value.type.WhichOneof("value") != "tensor_type":
            return False
        if onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type) not in TYPES:
            return False
    return True


def compare(case: Case, expected: Any, found: Any) -> str:
    """What is wrong with an output; empty if it is within the suite's tolerance."""
    if expected is None or isinstance(expected, list):
        if not isinstance(found, type(expected)) or len(expected or ()) != len(found or ()):
            return f"{found}, expected {expected}"
        return "; ".join(filter(None, (compare(case, *pair) for pair in zip(expected or (), found or (), strict=True))))
    expected, found = np.asarray(expected), np.asarray(found)
    if expected.shape != found.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    if expected.dtype != found.dtype:
        return f"dtype {found.dtype}, expected {expected.dtype}"
    rtol, atol = (2.0**-6, 2.0**-6) if expected.dtype.name == "bfloat16" else (case.rtol, case.atol)
    left, right = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if np.allclose(left, right, rtol=rtol, atol=atol, equal_nan=True):
        return ""
    return f"largest error {float(np.nanmax(np.abs(left - right))):.3g}"


def flat(outputs: Iterable[Any]) -> list[Any]:
    """The arrays of outputs, of which some may be lists or absent."""
    each = (output if isinstance(output, list) else [output] for output in outputs)
    return [array for arrays in each for array in arrays if array is not None]


def outside(distance: Any, bounds: Any) -> str:
    """Where a distance is larger than its bound; empty if it is nowhere."""
    with np.errstate(invalid="ignore"):
        excess = np.nan_to_num(distance - bounds, nan=-np.inf)
    if not excess.size or not excess.max() > 0:
        return ""
    place = int(np.argmax(excess))
    return f"off by {distance.ravel()[place]:.3g}, bound {np.ravel(bounds)[place]:.3g}"


def decimal_place(stored: Any) -> float:
    """The last decimal place of float32 numbers that were written down with three or four; 0 for others."""
    for decimals in (2, 3, 4) if stored.dtype == np.float32 and stored.size > 1 else ():
        if np.array_equal(np.round(stored.astype(np.float64), decimals).astype(np.float32), stored):
            return 10.0**-decimals if decimals > 2 else 0.0
    return 0.0


def references(case: Case, inputs: list[Any], expected: list[Any]) -> list[list[tuple[Any, Any]]]:
    """What the exact outputs are known to be, for each output: numbers and their uncertainty.

    That is what is stored, within four units of its type at the largest output because it was computed in that type, and within
    half a decimal place where it was written down with three or four; and what ONNX's reference evaluator gives in float64, where
    it gives about the same. They differ where one of them holds constants in float32.
    """
    stored = [np.asarray(value) for value in expected]
    names = [value.name for value in case.model.graph.input]
    try:
        wide = {
            name: value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
            for name, value in zip(names, inputs, strict=False)
        }
        exact = [np.asarray(value) for value in flat(ReferenceEvaluator(case.model).run(None, wide))]
    except Exception:  # the reference evaluator fails in many ways, on types above all
        exact = stored
    found = []
    for one, other in zip(stored, exact, strict=False):
        reals = np.asarray(one, dtype=np.float64)
        small = float(ml_dtypes.finfo(one.dtype).eps) if one.dtype.kind in "fV" and one.size else 0.0  # type: ignore[no-untyped-call]
        known = [(reals, 4 * small * np.abs(reals).max(initial=0.0) + decimal_place(one) / 2)]
        if (
            other.dtype == np.float64
            and other.shape == one.shape
            and np.allclose(other, reals, rtol=case.rtol, atol=1e-6)
        ):
            known.append((other, 1e-12 * np.abs(other) + 1e-15))
        found.append(known)
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case: its kind, why it is not "right", and whether it is sound and within the suite's tolerance."""

    kind: str
    why: str = ""
    sound: bool = False
    within: bool = False


def run(case: Case, fraction: int | None) -> Verdict:
    """Evaluate a case: "right", "wrong", "unsound", "refused" or "crashed".

    "unsound" is outside of its certified bound, "wrong" is inside and outside of the suite's tolerance.
    """
    wrong, unsound = "", ""
    try:
        prepared = FomBackend.prepare(case.model, fraction=fraction)
        for inputs, expected in case.sets:
            answer = prepared.answer(inputs)
            for one, other in zip(expected, answer.values, strict=True):
                wrong = wrong or compare(case, one, other)
            values, widths = flat(answer.values), flat(answer.bounds)
            for number, known in enumerate(references(case, inputs, flat(expected))):
                found = np.asarray(values[number], dtype=np.float64)
                if known[0][0].shape != found.shape:
                    continue
                with np.errstate(invalid="ignore"):
                    reports = [outside(np.abs(found - reals), widths[number] + slack) for reals, slack in known]
                unsound = unsound or (reports[0] if all(reports) else "")
    except FomError as error:
        first = error.diagnostics[0]
        return Verdict("refused", f"{first.code} {first.message}" + (f" ({first.note})" if first.note else ""))
    except Exception:
        return Verdict("crashed", traceback.format_exc().strip().splitlines()[-1] + " " + traceback.format_exc()[-500:])
    kind = "unsound" if unsound else "wrong" if wrong else "right"
    return Verdict(kind, unsound or wrong, not unsound, not wrong)


def symbolic(case: Case) -> Case:
    """The same case with every dimension of its inputs replaced by a symbol of its own, operands that shape the graph aside."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    shaping = shaping_inputs(model)
    for place, value in enumerate(model.graph.input):
        if value.name not in shaping and value.type.WhichOneof("value") == "tensor_type":
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if dim.dim_value:
                    dim.dim_param = f"d{place}_{axis}"
    for value in model.graph.output:
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
    return replace(case, model=model)


def differs(case: Case) -> str:
    """Where the results with symbols differ from those without; empty if they are equal in every bit."""
    other = symbolic(case)
    shapes = infer(other.model, shaping_values(case))
    for inputs, expected in case.sets:
        first = FomBackend.prepare(case.model, fraction=None).run(inputs)
        second = FomBackend.prepare(other.model, fraction=None).run(inputs)
        sizes = {
            dim.dim_param: size
            for value, array in zip(other.model.graph.input, inputs, strict=False)
            for dim, size in zip(value.type.tensor_type.shape.dim, np.shape(array), strict=False)
            if dim.dim_param in shapes.symbols
        }
        for value, one, a, b in zip(other.model.graph.output, expected, first, second, strict=True):
            a, b = np.asarray(a), np.asarray(b)
            if a.dtype != b.dtype or not same(a, b):
                return f"the values of `{value.name}` differ"
            derived = shapes.evaluate(value.name, sizes)
            if derived != np.shape(one):
                return f"`{value.name}` has shape {np.shape(one)}, derived is {derived}"
    return ""


def same(a: Any, b: Any) -> bool:
    """Tell whether two arrays of a type are equal in every bit; those of ml_dtypes as float64, which holds their numbers."""
    if a.dtype.kind == "V":
        a, b = a.astype(np.float64), b.astype(np.float64)
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def shaping_values(case: Case) -> dict[str, Any]:
    """The operands that shape the graph, by name."""
    shaping = shaping_inputs(case.model)
    inputs = case.sets[0][0]
    return {v.name: a for v, a in zip(case.model.graph.input, inputs, strict=False) if v.name in shaping}


def run_symbolic(case: Case) -> Verdict:
    """Compare the case with the one that has symbols: "right", "wrong", "refused" or "crashed"."""
    try:
        problem = differs(case)
    except FomError as error:
        return Verdict("refused", error.diagnostics[0].message)
    except Exception:
        return Verdict("crashed", traceback.format_exc()[-500:])
    return Verdict("wrong" if problem else "right", problem, not problem, not problem)


def main() -> None:
    """Print the score."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", default="")
    parser.add_argument("--kind", default="all")
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--conditional", action="store_true", help="control flow, recurrent cells, lists and optionals")
    parser.add_argument("--expanded", action="store_true", help="the expanded twins instead of the listed cases")
    parser.add_argument(
        "--symbolic", action="store_true", help="every input dimension replaced by a symbol: equal results?"
    )
    parser.add_argument("--seconds", action="store_true", help="print the time of every case")
    parser.add_argument("--fraction", default="exact", help="fractional bits, or exact for float64")
    options = parser.parse_args()
    kinds = {"node": ["node"], "pytorch": ["pytorch-converted", "pytorch-operator"], "simple": ["simple"]}
    kinds |= {"light": ["light"], "all": [kind for group in kinds.values() for kind in group]}
    for kind in kinds[options.kind]:
        verdicts: list[Verdict] = []
        start = time.perf_counter()
        for case in load(kind):
            if not re.search(options.cases, case.name):
                continue
            if kind == "node" and (
                ("_expanded" in case.name) != options.expanded
                or not (options.expanded or is_listed(case, options.conditional))
            ):
                continue
            began = time.perf_counter()
            fraction = None if options.fraction == "exact" else int(options.fraction)
            verdict = run_symbolic(case) if options.symbolic else run(case, fraction)
            verdicts.append(verdict)
            if options.misses and verdict.kind != "right":
                print(f"{verdict.kind:8s} {case.name}: {verdict.why}", flush=True)
            if options.seconds:
                print(f"{time.perf_counter() - began:8.2f} s {verdict.kind} {case.name}", flush=True)
        counted = Counter(verdict.kind for verdict in verdicts)
        parts = ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
        print(f"{kind}: {len(verdicts)} cases: {parts} ({time.perf_counter() - start:.0f} s)")
        accepted = len(verdicts) - counted["refused"] - counted["crashed"]
        sound, within = sum(verdict.sound for verdict in verdicts), sum(verdict.within for verdict in verdicts)
        print(f"{kind}: accepted {accepted}, sound {sound}, within the suite's tolerance {within}")


if __name__ == "__main__":
    main()
