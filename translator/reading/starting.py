"""The graph's inputs: a word of letters, tracks beside it, static tensors, or constants that are bound here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import Diagnostic, FomError
from circuits.positions import FIRST, TRUE, Ref, Term, var
from circuits.small_floats import SMALL_FLOATS
from translator.axes import RUN, SEQUENCE, Axis
from translator.reading.assembly import sanitize
from translator.reading.context import Context
from translator.reading.limits import MOST_ELEMENTS
from translator.reading.loading import Declared, Graph, Operator
from translator.reading.types import NUMPY_NAMES, dtype_name, is_whole
from translator.reading.values import Absent, Affine, Array, Carried, Data, Listed, Part, Positional, View
from translator.real import Features, Input, Letters

VIEWING = frozenset(
    ["Identity", "Cast", "Unsqueeze", "Squeeze", "Reshape", "Transpose", "Flatten", "Expand", "Slice", "Concat", "Pad",
     "Clip", "Gather"]
)  # fmt: skip
# Arithmetic on letters before a table is read with them: a negative index counts from the end.
INDEXING = frozenset(["Add", "Sub", "Mul", "Less", "Greater", "Not", "Where", "Clip", "Max", "Min", "Mod"])
FLOATS = ("float", "double", "float16", "bfloat16", *SMALL_FLOATS)
NUMPY = {name: np.dtype(numpy) for numpy, name in NUMPY_NAMES.items()}
NUMPY |= {"float16": np.dtype(np.float16), "bool": np.dtype(np.bool_)}
MOST_BITS = 2


@dataclass(slots=True)
class Start:
    """Reads the inputs of a graph into `values`; what is wrong with them is in `findings`.

    `bind` gives constants, `tracks` the further inputs that stand beside the letters: "letters" or "bits".
    """

    graph: Graph
    live: Sequence[Operator]
    context: Context
    values: dict[str, Carried]
    bind: Mapping[str, Any]
    tracks: Mapping[str, str]
    alphabet_size: int | None
    findings: list[Diagnostic]
    whole: bool = False

    def read(self, outputs: Sequence[str]) -> tuple[Input, ...]:
        """Make the network's inputs, and constants of the others."""
        used = {name for operator in self.live for name in operator.reads} | set(outputs)
        given = [declared for declared in self.graph.inputs if declared.name in used]
        names = {declared.name for declared in self.graph.inputs}
        for name in [*self.bind, *self.tracks]:
            if name not in names:
                self._find("N009", f"there is no input `{name}`", "", f"the inputs are: {', '.join(sorted(names))}")
        self._bind(given)
        free = [declared for declared in given if declared.name not in self.bind]
        for declared in free:
            if not declared.ranked and not self.whole and (declared.dtype in FLOATS or is_whole(declared.dtype)):
                self._find(
                    "N012",
                    f"the file does not say how many axes the input `{declared.name}` has",
                    "a word is (batch, length), other inputs are tensors of fixed size",
                    "export with the shapes of the inputs: symbols for the batch and the length",
                    declared,
                )
        words = [d for d in free if is_whole(d.dtype) and d.dtype != "bool" and self._is_word(d)]
        embedded = [d for d in words if self._alphabet(d.name) is not None and not is_auxiliary(d.name)]
        main = [d for d in words if not is_auxiliary(d.name)]
        numbers = [d for d in free if d.dtype in FLOATS and self._run_axis(d) is not None]
        word = next(iter([*embedded, *main, *([] if numbers else words)]), None)
        if word is not None:
            return self._read_word(word, free)
        inputs = []
        self.context.assembly.start(None)
        for declared in free:
            beside = not self.whole and is_whole(declared.dtype) and any(not is_auxiliary(d.name) for d in free)
            if is_auxiliary(declared.name) and (beside or self._run_axis(declared) is not None):
                self._read_extra(declared)
                continue
            found = self._read_features(declared)
            if found is not None:
                inputs.append(found)
        return tuple(inputs)

    def _find(self, code: str, message: str, note: str = "", help_: str = "", at: Declared | None = None) -> None:
        place = f"{Path(self.graph.path).name}: graph `{self.graph.name}`"
        where = place if at is None else f"{place}, input `{at.name}`"
        self.findings.append(Diagnostic(code, message, where, note, help_))

    def _bind(self, given: Sequence[Declared]) -> None:
        for declared in given:
            if declared.name not in self.bind:
                continue
            if declared.dtype.startswith(("seq(", "optional(")):
                self.values[declared.name] = _bound(self.bind[declared.name])
                continue
            array = np.asarray(self.bind[declared.name])
            kind = NUMPY.get(declared.dtype) or (np.dtype(declared.dtype) if is_whole(declared.dtype) else array.dtype)
            fixed = [dim for dim in declared.dims if isinstance(dim, int)]
            fits = len(declared.dims) == array.ndim and all(
                not isinstance(dim, int) or dim == size for dim, size in zip(declared.dims, array.shape, strict=True)
            )
            if not fits and array.size == int(np.prod(fixed)) and len(fixed) == len(declared.dims):
                array, fits = array.reshape(fixed), True
            if not fits:
                shape = ", ".join(str(dim or "?") for dim in declared.dims)
                message = f"`{declared.name}` is bound to an array of shape {array.shape}, declared is ({shape})"
                self._find("N009", message, "", "give a value of the declared shape", declared)
            self.values[declared.name] = array.astype(kind)

    def _is_word(self, declared: Declared) -> bool:
        """Whether an input of whole numbers is a word: its length is symbolic, or a table is read with it."""
        dims = declared.dims
        batch = dims[0] if len(dims) > 1 else 1
        if any(not isinstance(dim, int) for dim in dims[1 if len(dims) > 1 else 0 :]):
            return True
        if len(dims) not in (1, 2) or not dims[-1] or (isinstance(batch, int) and batch > 1):
            return False
        return self.alphabet_size is not None or (not self.whole and self._alphabet(declared.name) is not None)

    def _read_word(self, word: Declared, free: Sequence[Declared]) -> tuple[Input, ...]:
        dims = word.dims
        symbols = [dim for dim in dims[1:] if not isinstance(dim, int)]
        batch = dims[0] if len(dims) > 1 else 1
        if len(dims) not in (1, 2) or len(symbols) > 1 or (isinstance(batch, int) and batch not in (0, 1)):
            shape = ", ".join(map(str, dims))
            message = f"the input `{word.name}` has shape ({shape}); a word is (batch, length)"
            self._find("N012", message, "", "export with one sequence axis; the batch is symbolic or 1", word)
            return ()
        beside = [declared for declared in free if declared is not word]
        sizes: dict[str, int] = {}
        for declared in [word, *(d for d in beside if d.name in self.tracks)]:
            size = MOST_BITS if self.tracks.get(declared.name) == "bits" else self._size(declared, declared is word)
            if size is None:
                return ()
            sizes[declared.name] = size
        assembly = self.context.assembly
        total = int(np.prod(list(sizes.values())))
        letters = Letters(sanitize(word.name), total)
        assembly.start(letters)
        self.context.alphabet_size = total
        stride, inputs = total, []
        for name, size in sizes.items():
            declared = next(d for d in free if d.name == name)
            stride //= size
            self.values[name] = self._numbers(declared, letters, np.arange(total) // stride % size)
            inputs.append(Input(name, letters.name, declared.dtype, stride, size))
        for declared in beside:
            if declared.name not in sizes:
                self._read_extra(declared)
        return tuple(inputs)

    def _size(self, declared: Declared, is_word: bool) -> int | None:
        size = self.alphabet_size if is_word and self.alphabet_size is not None else self._alphabet(declared.name)
        if size is None:
            self._find(
                "N060",
                f"how many letters `{declared.name}` may hold is not in the file",
                "no embedding table is read with them: the letters are used as numbers",
                "name the letters, one for each number from 0 on: --alphabet 0,1,2,3 (alphabet_size= in the library)",
                declared,
            )
        elif size < 1:
            self._find(
                "N012",
                f"the table that is read with `{declared.name}` has no rows",
                "without a letter there are no words",
                "export the network with its embedding table",
                declared,
            )
            return None
        return size

    def _numbers(self, declared: Declared, letters: Letters, numbers: Array) -> Data:
        """The numbers in the ONNX tensor, as a function of the letters."""
        assembly, rank, length = self.context.assembly, len(declared.dims), declared.dims[-1]
        if isinstance(length, int) and length > 0:
            affine = Affine((), np.zeros(length), np.zeros(length))
            for slot in range(length):
                column = np.zeros((length, letters.size))
                column[slot] = numbers
                place = Ref(letters.name, (FIRST + slot,))
                affine = affine.plus(Affine(((place, csr_array(column)),), np.zeros(length), np.zeros(length)))
            reason = f"the file fixes the length of `{declared.name}` to {length}"
            self.context.require_least(length, reason)
            self.context.require_most(length, reason)
            axes = (*(Axis(1),) * (rank - 1), Axis(length))
            return Data(axes, {(0,) * rank: Part(assembly.view_of(affine, "numbers"))}, declared.dtype)
        row = csr_array(numbers.astype(np.float64)[None, :])
        affine = Affine(((Ref(letters.name, (var(rank - 1),)), row),), np.zeros(1), np.zeros(1))
        axes = (*(Axis(1),) * (rank - 1), SEQUENCE)
        return Data(axes, {(*(0,) * (rank - 1), RUN): Part(assembly.view_of(affine, "numbers"))}, declared.dtype)

    def _alphabet(self, name: str) -> int | None:
        """The number of letters: rows of the first table that is read at the letters."""
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
            if operator.op_type == "EmbedLayerNormalization" and reads == [0]:
                words = self.values.get(operator.inputs[2])
                if isinstance(words, np.ndarray):
                    return int(words.shape[0])
            if operator.op_type == "OneHot" and reads == [0]:
                depth = self.values.get(operator.inputs[1])
                if isinstance(depth, np.ndarray):
                    return int(depth.ravel()[0])
            rest = [given for place, given in enumerate(operator.inputs) if given and place not in reads]
            constant = all(isinstance(self.values.get(given), np.ndarray) for given in rest)
            if (operator.op_type in VIEWING and reads == [0]) or (operator.op_type in INDEXING and constant):
                names |= set(operator.outputs)
        return None

    def _run_axis(self, declared: Declared) -> int | None:
        """The axis of positions: the only one of symbolic length, beside a batch in front."""
        symbolic = [axis for axis, dim in enumerate(declared.dims) if not isinstance(dim, int)]
        if symbolic and symbolic[0] == 0 and self._is_batch(declared):
            symbolic = symbolic[1:]
        return symbolic[0] if len(symbolic) == 1 else None

    def _is_batch(self, declared: Declared) -> bool:
        """Whether the first axis, of symbolic length, is a batch: it is the first axis of an output as well."""
        first = declared.dims[0]
        ends = [output.dims[0] if output.dims else 0 for output in self.graph.outputs]
        if first is None or any(end is None or end == first for end in ends):
            return True
        from translator.shapes import infer

        try:
            shapes = infer(self.graph.model, {n: v for n, v in self.bind.items() if isinstance(v, np.ndarray)})
        except FomError:
            return True
        given = shapes.inputs[declared.name].dims
        found = [output.dims for output in shapes.outputs.values()]
        return given is None or any(dims is None or (dims and dims[0].has(given[0])) for dims in found)

    def _read_features(self, declared: Declared) -> Input | None:
        dims = declared.dims
        if declared.dtype not in FLOATS and not is_whole(declared.dtype):
            self._find(
                "N009",
                f"the input `{declared.name}` has type {declared.dtype}",
                "an input is a word (integers) or a tensor of fixed size (numbers or truth values)",
                "bind it to a constant with --bind (bind={...} in the library), or export without it",
                declared,
            )
            return None
        sizes = [dim if isinstance(dim, int) else None for dim in dims]
        run = self._run_axis(declared)
        if run is not None:
            sizes[run] = 1
        if any(size is None or size < 0 for size in sizes[1:]):
            shape = ", ".join(str(dim or "?") for dim in dims)
            self._find(
                "N012",
                f"the input `{declared.name}` has shape ({shape}), with several axes of symbolic length",
                "a family has one length n",
                "fix all of them but one, or make them equal: --bind height=8, --bind height=width",
                declared,
            )
            return None
        # A file that leaves the batch open, or writes 0 for it, is read for one input, unless whole tensors are asked for.
        batch = 1 if sizes and (sizes[0] is None or (sizes[0] == 0 and len(sizes) > 1 and not self.whole)) else None
        first = [] if not sizes else [sizes[0] if batch is None else batch]
        shape_ = tuple(int(size or 0) for size in (*first, *sizes[1:]))
        if 0 in shape_:
            self.values[declared.name] = np.zeros(shape_, dtype=NUMPY.get(declared.dtype, declared.dtype))
            return None
        size = math.prod(shape_)
        if size > MOST_ELEMENTS:
            self._find(
                "N069",
                f"the input `{declared.name}` has {size:.3g} elements, {MOST_ELEMENTS} at most are read",
                "",
                "give its dimensions, or bind it to a constant",
                declared,
            )
            return None
        assembly = self.context.assembly
        features = Features(
            assembly.fresh(sanitize(declared.name)), size, shape_, 0 if run is None else 1, declared.dtype
        )
        source = assembly.add(features)
        axes = tuple(SEQUENCE if axis == run else Axis(dim) for axis, dim in enumerate(shape_))
        part = Part(View(source, () if run is None else (var(run),), np.arange(size)))
        key = tuple(RUN if axis == run else 0 for axis in range(len(shape_)))
        self.values[declared.name] = Data(axes, {key: part}, declared.dtype)
        return Input(declared.name, features.name, declared.dtype)

    def _read_extra(self, declared: Declared) -> None:
        """Fix a mask to all ones, token types to zero, position ids to 0, 1, 2, .."""
        if declared.dtype not in FLOATS and not is_whole(declared.dtype):
            self._find("N009", f"the input `{declared.name}` has type {declared.dtype}", at=declared)
            return
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
        kind = "bool" if declared.dtype == "bool" else "int" if is_whole(declared.dtype) else "float"
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


def _bound(value: Any) -> Carried:
    """A bound list of arrays, optional array, or array."""
    if value is None:
        return Absent()
    if isinstance(value, list | tuple):
        items = tuple(np.asarray(item) for item in value)
        return Listed(items, dtype_name(items[0].dtype) if items else "")
    return np.asarray(value)


def is_auxiliary(name: str) -> bool:
    """Whether an input's name says that it stands beside the word: a mask, types, segments, positions."""
    lowered = name.lower()
    return any(word in lowered for word in ("mask", "type", "segment", "position"))


def require_none(findings: list[Diagnostic]) -> None:
    """Stop at what was found.

    Raises:
        FomError: with all findings, if there are any.
    """
    if findings:
        raise FomError(*findings)
