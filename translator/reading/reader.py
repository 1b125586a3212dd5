"""Walk the graph once, in order: every ONNX tensor becomes an abstract value, and the output closes the network.

All operators that cannot be lowered are reported together; what depends on a refused tensor is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import Diagnostic, FomError, fail
from circuits.positions import FIRST, TRUE, Ref, Term, var
from translator.reading.assembly import Assembly, sanitize
from translator.reading.context import Context, plain, realign
from translator.reading.folding import fold
from translator.reading.loading import Declared, Graph, Operator, inconsistency, load
from translator.reading.operators import OPERATORS
from translator.reading.positional import settle_known
from translator.reading.pruning import prune
from translator.reading.refusing import Refusal
from translator.reading.unsupported import RANDOM, diagnose
from translator.reading.values import RUN, SEQUENCE, Affine, Array, Axis, Data, Part, Positional, Value
from translator.real import Domain, Features, Letters, Output, RealNetwork, RealNode

PASSING = frozenset(
    [
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Where",
        "Reshape",
        "Transpose",
        "Cast",
        "Identity",
        "Unsqueeze",
        "Squeeze",
        "Expand",
        "Clip",
        "Max",
        "Min",
        "Concat",
        "Slice",
    ]
)
VIEWING = frozenset(
    [
        "Identity",
        "Cast",
        "Unsqueeze",
        "Squeeze",
        "Reshape",
        "Transpose",
        "Flatten",
        "Expand",
        "Slice",
        "Concat",
        "Pad",
        "Clip",
    ]
)
MOST_SCALE = 1e9
OTHERWISE = "export this part of the network in another way; see the list of supported operators"
# What onnx's reference evaluator raises for a constant expression that it cannot compute.
FOLDING_ERRORS = (ValueError, TypeError, IndexError, KeyError, RuntimeError, NotImplementedError, AttributeError)


def read(
    path: str | Path,
    *,
    bind: Mapping[str, Any] | None = None,
    alphabet_size: int | None = None,
    longest: int | None = None,
) -> RealNetwork:
    """Read the ONNX file at `path` as a network over the real numbers, for every sequence length at once.

    `bind` fixes further graph inputs to constants (masks default to all ones); `alphabet_size` is the number of letters where
    no embedding table tells it; `longest` bounds n where positions are computed by a nonlinear function.

    Raises:
        FomError: with all findings, if the file cannot be read or is outside of what fom translates.
    """
    graph = load(path)
    return _Walk(graph, dict(bind or {}), alphabet_size, longest).run()


class _Walk:
    """One import: values by tensor name, findings, and the network under construction."""

    def __init__(self, graph: Graph, bind: dict[str, Any], alphabet_size: int | None, longest: int | None) -> None:
        self.graph = graph
        self.bind = bind
        self.alphabet_size = alphabet_size
        self.values: dict[str, Value] = dict(graph.constants)
        self.findings: list[Diagnostic] = []
        self.failed: set[str] = set()
        self.output, self.live, self.trimmed = self._live()
        self.context = Context(Assembly(), graph.opset, alphabet_size or 0, longest)
        self.uses: dict[str, int] = {}
        for operator in self.live:
            if operator.op_type not in ("Shape", "Size"):
                for name in operator.inputs:
                    self.uses[name] = self.uses.get(name, 0) + 1

    def run(self) -> RealNetwork:
        """Import."""
        self._check_names()
        if self.findings:
            raise FomError(*self.findings)
        self._check_weights()
        self._check_scales()
        self._fold_constants()
        self._check_operators()
        if self.findings:
            raise FomError(*self.findings)
        self.context.toward_softmax = self._toward_softmax()
        start = self._read_inputs()
        if self.findings:
            raise FomError(*self.findings)
        for operator in self.live:
            if all(name in self.values for name in operator.outputs if name) or operator.outputs[0] in self.failed:
                continue
            self._lower(operator)
        if self.findings:
            raise FomError(*self.findings)
        return self._close(start)

    def _live(self) -> tuple[str, list[Operator], str]:
        """The tensor read as the output, the operators it needs, and the last operator if it was dropped."""
        producers = {name: op for op in self.graph.operators for name in op.outputs if name}
        output = self.graph.outputs[0].name
        dropped = ""
        while output in producers:
            last = producers[output]
            if last.op_type == "Identity" and not last.domain:
                output = last.inputs[0]
            elif (
                last.op_type in ("Softmax", "LogSoftmax", "ArgMax", "Sigmoid")
                and not dropped
                and self._is_readout(last)
            ):
                dropped = last.op_type
                output = last.inputs[0]
            else:
                break
        needed = {output}
        live = []
        for operator in reversed(self.graph.operators):
            if any(name in needed for name in operator.outputs):
                live.append(operator)
                needed |= {name for name in operator.inputs if name}
        return output, live[::-1], dropped

    def _is_readout(self, operator: Operator) -> bool:
        """Whether dropping the operator leaves the decision as it is."""
        dims = self.graph.outputs[0].dims
        if operator.op_type == "Sigmoid":
            return len(dims) == 1 or (len(dims) == 2 and dims[-1] == 1)
        axis = operator.attributes.get(
            "axis", (1 if self.graph.opset < 13 else -1) if operator.op_type != "ArgMax" else 0
        )
        if operator.op_type == "ArgMax":
            rank = len(dims) + (0 if operator.attributes.get("keepdims", 1) else 1)
            return axis in (-1, rank - 1) and rank >= 2
        return axis in (-1, len(dims) - 1) and bool(dims)

    def _check_operators(self) -> None:
        for operator in self.live:
            if all(name in self.values for name in operator.outputs if name):
                continue
            finding = diagnose(operator, OPERATORS, self.graph.where(operator))
            if finding is not None:
                self.findings.append(finding)

    def _check_names(self) -> None:
        """Every tensor is defined before it is read."""
        defined = {"", *self.graph.constants, *(declared.name for declared in self.graph.inputs)}
        for operator in self.live:
            for name in operator.inputs:
                if name not in defined:
                    self.findings.append(
                        Diagnostic(
                            "N006",
                            f"the tensor `{name}` is read and defined nowhere before",
                            self.graph.where(operator),
                            "an ONNX graph lists its operators in an order in which they can run",
                            "export the network again",
                        )
                    )
            defined |= set(operator.outputs)
        if self.output not in defined:
            self.findings.append(
                Diagnostic("N006", f"the output `{self.output}` is defined nowhere", help="export the network again")
            )

    def _check_weights(self) -> None:
        used = {name for operator in self.live for name in operator.inputs}
        for name, array in self.graph.constants.items():
            if name in used and array.dtype.kind == "f" and not np.isfinite(array).all():
                is_mask = not np.isnan(array).any() and not (array == np.inf).any()
                if not is_mask:
                    self.findings.append(
                        Diagnostic(
                            "N007",
                            f"the weights `{name}` hold NaN or infinity",
                            f"{Path(self.graph.path).name}: graph `{self.graph.name}`, initializer `{name}`",
                            "a threshold circuit has integer weights; only -inf in a mask has a meaning",
                            "train or quantize the network again; quantization of a masked graph makes infinite scales",
                        )
                    )

    def _check_scales(self) -> None:
        """Refuse quantization scales that come from a mask: infinite, or so large that every value is one code."""
        for operator in self.live:
            if operator.op_type not in ("QuantizeLinear", "DequantizeLinear") or len(operator.inputs) < 2:
                continue
            scale = self.graph.constants.get(operator.inputs[1])
            if scale is not None and not bool((np.isfinite(scale) & (scale > 0) & (scale < MOST_SCALE)).all()):
                self.findings.append(
                    Diagnostic(
                        "N007",
                        f"the quantization scale `{operator.inputs[1]}` is {float(np.max(scale)):g}",
                        self.graph.where(operator),
                        "a mask was quantized together with the scores: runtimes disagree on what that means",
                        "quantize the network without its mask (nodes_to_exclude), or translate the float network",
                    )
                )

    def _fold_constants(self) -> None:
        for operator in self.live:
            if (
                operator.domain
                or operator.op_type in RANDOM
                or not all(not name or isinstance(self.values.get(name), np.ndarray) for name in operator.inputs)
            ):
                continue
            arrays = [self.values[name] if name else None for name in operator.inputs]
            try:
                results = fold(operator, arrays, self.graph.opset)  # type: ignore[arg-type]
            except FOLDING_ERRORS as error:
                self._refuse(operator, Refusal("N008", "this constant expression cannot be evaluated", note=str(error)))
                continue
            for name, result in zip(operator.outputs, results, strict=False):
                self.values[name] = result

    def _toward_softmax(self) -> frozenset[str]:
        producers = {name: op for op in self.live for name in op.outputs if name}
        stack = [op.inputs[0] for op in self.live if op.op_type in ("Softmax", "LogSoftmax", "Exp")]
        found: set[str] = set()
        while stack:
            name = stack.pop()
            if name in found:
                continue
            found.add(name)
            producer = producers.get(name)
            if producer is not None and producer.op_type in PASSING:
                stack.extend(producer.inputs)
        found |= {op.outputs[0] for op in self.live if op.op_type == "Attention"}
        return frozenset(found)

    def _read_inputs(self) -> RealNode:
        """Make the network's input, and constants of the others."""
        start: RealNode | None = None
        used = {name for operator in self.live for name in operator.inputs} | {self.output}
        place = f"{Path(self.graph.path).name}: graph `{self.graph.name}`"
        for declared in self.graph.inputs:
            where = f"{place}, input `{declared.name}`"
            if declared.name in self.bind:
                self.values[declared.name] = np.asarray(self.bind[declared.name])
                continue
            if declared.name not in used:
                continue
            if declared.dtype.startswith(("int", "uint")) and start is None:
                start = self._read_letters(declared, where)
            elif declared.dtype in ("float", "double", "float16", "bfloat16") and start is None:
                start = self._read_features(declared, where)
            elif start is not None and declared.dtype in ("int64", "int32", "bool", "float"):
                self._read_extra(declared)
            else:
                self.findings.append(
                    Diagnostic(
                        "N009",
                        f"the input `{declared.name}` has type {declared.dtype}",
                        where,
                        "an input is a word (integers) or a vector of fixed size (floats)",
                        "bind it to a constant with bind={...}, or export without it",
                    )
                )
        if start is None and not self.findings:
            raise fail("N010", "the output depends on no input", where=place, help="export the network with its input")
        return start  # type: ignore[return-value]

    def _read_letters(self, declared: Declared, where: str) -> RealNode | None:
        dims = declared.dims
        symbols = [dim for dim in dims[1:] if not isinstance(dim, int)]
        batch = dims[0] if len(dims) > 1 else 1
        if len(dims) not in (1, 2) or len(symbols) > 1 or (isinstance(batch, int) and batch not in (0, 1)):
            shape = ", ".join(map(str, dims))
            self.findings.append(
                Diagnostic(
                    "N012",
                    f"the input `{declared.name}` has shape ({shape}); a word is (batch, length)",
                    where,
                    help="export with one sequence axis; the batch is symbolic or 1",
                )
            )
            return None
        size = self._alphabet(declared.name)
        if size is None:
            self.findings.append(
                Diagnostic(
                    "N060",
                    f"how many letters `{declared.name}` may hold is not in the file",
                    where,
                    "no embedding table is read with them: the letters are used as numbers",
                    "name the letters, one for each number from 0 on: --alphabet 0,1,2,3 (alphabet_size= in the library)",
                )
            )
            return None
        assembly = self.context.assembly
        letters = Letters(sanitize(declared.name), size)
        assembly.start(letters)
        self.context.alphabet_size = size
        length = dims[-1]
        numbers = csr_array(np.arange(size, dtype=np.float64)[None, :])
        rank = len(dims)
        if isinstance(length, int) and length > 0:
            affine = Affine((), np.zeros(length), np.zeros(length))
            for slot in range(length):
                column = np.zeros((length, size))
                column[slot] = np.arange(size)
                read_at = Affine(
                    ((Ref(letters.name, (FIRST + slot,)), csr_array(column)),), np.zeros(length), np.zeros(length)
                )
                affine = affine.plus(read_at)
            self.context.require_least(length, f"the file fixes the length of `{declared.name}` to {length}")
            self.context.require_most(length, f"the file fixes the length of `{declared.name}` to {length}")
            axes = (*(Axis(1),) * (rank - 1), Axis(length))
            self.values[declared.name] = Data(axes, {(0,) * rank: Part(assembly.view_of(affine, "numbers"))})
            return letters
        affine = Affine(((Ref(letters.name, (var(rank - 1),)), numbers),), np.zeros(1), np.zeros(1))
        axes = (*(Axis(1),) * (rank - 1), SEQUENCE)
        key = (*(0,) * (rank - 1), RUN)
        self.values[declared.name] = Data(axes, {key: Part(assembly.view_of(affine, "numbers"))})
        return letters

    def _alphabet(self, name: str) -> int | None:
        """The number of letters: rows of the first table that is read at the letters."""
        if self.alphabet_size is not None:
            return self.alphabet_size
        names = {name}
        for operator in self.live:
            reads = [i for i, given in enumerate(operator.inputs) if given in names]
            if not reads:
                continue
            table = self.values.get(operator.inputs[0]) if operator.inputs else None
            if (
                operator.op_type in ("Gather", "GatherND")
                and reads == [1]
                and isinstance(table, np.ndarray)
                and table.ndim
            ):
                return int(table.shape[0])
            if operator.op_type == "OneHot" and reads == [0]:
                depth = self.values.get(operator.inputs[1])
                if isinstance(depth, np.ndarray):
                    return int(depth.ravel()[0])
            if operator.op_type in VIEWING:
                names |= set(operator.outputs)
        return None

    def _read_features(self, declared: Declared, where: str) -> RealNode | None:
        dims = declared.dims
        if any(not isinstance(dim, int) or dim <= 0 for dim in dims[1:]) or not dims:
            shape = ", ".join(str(dim or "?") for dim in dims)
            self.findings.append(
                Diagnostic(
                    "N012",
                    f"the input `{declared.name}` holds floats and has shape ({shape})",
                    where,
                    "a sequence of real numbers is no word over a finite alphabet",
                    "export with token ids as the input, or with a fixed shape",
                )
            )
            return None
        first = dims[0] if isinstance(dims[0], int) and dims[0] > 0 else 1
        shape_ = (first, *(dim for dim in dims[1:] if isinstance(dim, int)))
        size = int(np.prod(shape_))
        features = Features(sanitize(declared.name), size, shape_)
        assembly = self.context.assembly
        assembly.start(None)
        assembly.names.add(features.name)
        source = assembly.add(features)
        from translator.reading.values import View

        self.values[declared.name] = Data(
            tuple(Axis(dim) for dim in shape_), {(0,) * len(shape_): Part(View(source, (), np.arange(size)))}
        )
        return features

    def _read_extra(self, declared: Declared) -> None:
        """Fix a mask to all ones, token types to zero, position ids to 0, 1, 2, .."""
        dims = []
        for place, dim in enumerate(declared.dims):
            dims.append(
                Term((), 0, dim)
                if isinstance(dim, int) and dim > 0
                else Term((), 0, 1)
                if not place
                else Term((), 1, 0)
            )
        lowered = declared.name.lower()
        note = f"the input `{declared.name}` is fixed to"
        kind = "float" if declared.dtype == "float" else "bool" if declared.dtype == "bool" else "int"
        static = tuple(1 if dim.n_coef else dim.const for dim in dims)
        if "position" in lowered:
            value: Array | Term = var(len(dims) - 1)
            self.context.assembly.notes.append(f"{note} 0, 1, 2, ..")
        else:
            fill = 0 if any(word in lowered for word in ("type", "segment")) else 1
            value = np.full(static, fill, dtype={"float": np.float32, "bool": bool, "int": np.int64}[kind])
            self.context.assembly.notes.append(f"{note} all {fill}")
        if any(dim.n_coef for dim in dims):
            self.values[declared.name] = Positional(tuple(dims), ((TRUE, value),), kind)
        elif isinstance(value, np.ndarray):
            self.values[declared.name] = value

    def _lower(self, operator: Operator) -> None:
        if any(name in self.failed for name in operator.inputs):
            self.failed |= set(operator.outputs)
            return
        inputs = [self.values[name] if name else None for name in operator.inputs]
        context = self.context
        context.operator = operator
        self._name(operator)
        try:
            result = OPERATORS[operator.op_type](context, operator, inputs)
        except Refusal as refusal:
            self._refuse(operator, refusal)
            return
        except (ValueError, IndexError, KeyError):
            # An ill-typed graph breaks somewhere in numpy; a well-typed one that does is a bug, and stays one.
            reason = inconsistency(self.graph.path)
            if reason is None:
                raise
            message = "the shapes or types in the file contradict each other"
            self._refuse(operator, Refusal("N006", message, note=reason, help="export the network again"))
            return
        results = result if isinstance(result, list) else [result]
        for name, value in zip(operator.outputs, results, strict=False):
            if not name:
                continue
            value = settle_known(value)
            self.values[name] = value
            if isinstance(value, Data) and self.uses.get(name, 0) > 1:
                for part in value.parts.values():
                    part.view.source.shared = True
        self.failed |= {name for name in operator.outputs if name and name not in self.values}

    def _name(self, operator: Operator) -> None:
        """Propose a name for what this operator makes: its weights' name, else its output's."""
        assembly = self.context.assembly
        for name in operator.inputs:
            if name in self.graph.constants and "." in name and not name.startswith("onnx::"):
                pieces = sanitize(name).split(".")
                assembly.hint = ".".join(pieces[:-1]) or pieces[0]
                assembly.scope = ".".join(pieces[:-2])
                return
        output = operator.outputs[0].removesuffix("_output_0")
        assembly.hint = sanitize(output)
        if "/" in output:
            assembly.scope = ".".join(assembly.hint.split(".")[:-1])

    def _refuse(self, operator: Operator, refusal: Refusal) -> None:
        self.findings.append(
            Diagnostic(
                refusal.code, refusal.message, self.graph.where(operator), refusal.note, refusal.help or OTHERWISE
            )
        )
        self.failed |= set(operator.outputs)

    def _close(self, start: RealNode) -> RealNetwork:
        """Read the output."""
        place = f"{Path(self.graph.path).name}: graph `{self.graph.name}`, output `{self.graph.outputs[0].name}`"
        value = self.values.get(self.output)
        if not isinstance(value, Data):
            raise fail("N010", "the output does not depend on the input", where=place, help="export the logits")
        self.context.operator = None
        assembly = self.context.assembly
        assembly.hint = sanitize(self.output)
        try:
            kind, n_positions, n_classes, ref = self._readout(value)
        except Refusal as refusal:
            raise fail(refusal.code, refusal.message, where=place, note=refusal.note, help=refusal.help) from refusal
        context = self.context
        if context.most is not None and context.most < context.least:
            raise fail(
                "N061",
                f"no length fits: at least {context.least}, at most {context.most}",
                where=place,
                note="; ".join(context.reasons),
                help="export with more rows in the position table",
            )
        if self.trimmed:
            assembly.notes.append(f"the final {self.trimmed} is not translated: it does not change the decision")
        name = sanitize(self.graph.outputs[0].name)
        nodes = prune(tuple(assembly.nodes), ref.node)
        is_word = isinstance(start, Letters)
        domain = Domain(context.least, context.most, "; ".join(dict.fromkeys(context.reasons)))
        return RealNetwork(
            nodes,
            Output(name, kind, ref, n_positions, n_classes, self.trimmed),
            domain,
            next(d.name for d in self.graph.inputs if sanitize(d.name) == start.name),
            start.size if is_word else 0,
            tuple(dict.fromkeys(assembly.notes)),
        )

    def _readout(self, value: Data) -> tuple[Literal["classes", "logit", "value"], int, int, Ref]:
        axes = value.axes
        running = [axis for axis, own in enumerate(axes) if own.run]
        if len(running) > 1:
            raise Refusal(
                "N013", "the output has two sequence axes", help="fom reads one decision per input or per position"
            )
        for axis in running:
            value = realign(self.context, value, axis)
        static = [own.pre for own in value.axes if not own.run and own.pre != 1]
        if len(static) > 1:
            raise Refusal(
                "N013",
                f"the output has the shape {tuple(own.pre for own in axes)} per input",
                help="export one vector of logits",
            )
        if 0 in static:
            raise Refusal("N013", "the output is empty", help="export the logits")
        view = plain(self.context, value.only)
        ref = self.context.assembly.exact(view)
        at = [FIRST] * len(axes)
        for axis in running:
            at[axis] = var(0)
        ref = Ref(ref.node, tuple(term.substitute(at) for term in ref.at))
        n_classes = static[0] if static else 1
        has_class_axis = len(axes) > len(running) + (1 if len(axes) > 1 or not running else 0)
        kind: Literal["classes", "logit", "value"] = "classes" if n_classes >= 2 else "logit"
        if running and not has_class_axis:
            kind = "value"
        return kind, len(running), n_classes, ref
