"""Build Transformer Programs (Friedman, Wettig & Chen 2023, *Learning Transformer Programs*) as ONNX files.

    python -m examples.train.transformer_program            # writes examples/built

A program computes variables at every position, which are written once and never overwritten. `tokens` and `positions` are
given, and the number `ones`, which is 1. Then come, in any order:

* a categorical head: a query value matches exactly one key value. It attends to the closest match (of two at one distance
  the earlier one; a match at the position itself counts as far away as there are matches) and copies the value found there.
  Without a match, or with position 0 as the only one, it attends to position 0;
* a numerical head: it sums a number over all matches;
* a table of one or two variables.

The answer has logits: rows for the values of categorical variables, and rows times numbers. A causal program looks at
earlier positions and its own only. The programs that `main` writes are hand-written, in the form that training gives.

`answers` runs a program position by position; `to_onnx` writes it in one of two spellings. "onehot" keeps one residual
stream of one-hot blocks: MatMul, ArgMin and OneHot. "indices" keeps numbers: Gather, Where, ReduceMin and GatherElements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime

from examples.train.graphs import Graph

Array = np.ndarray[Any, Any]
Spelling = Literal["onehot", "indices"]

EXAMPLES = Path(__file__).resolve().parent.parent / "built"
FAR = 1000
"""Farther than anything: the cost of no match."""


@dataclass(frozen=True)
class Head:
    """A head; `predicate` holds the matching key value of each query value; `sums` numbers, or copies the closest."""

    name: str
    query: str
    key: str
    value: str
    predicate: tuple[int, ...]
    sums: bool = False


@dataclass(frozen=True)
class Table:
    """A function of one or two variables with values below `size`; numbers beyond the table have its last entry."""

    name: str
    reads: tuple[str, ...]
    entries: tuple[Any, ...]
    size: int


Step = Head | Table


@dataclass(frozen=True)
class LearnedProgram:
    """A program over letters, for words of at most `longest` of them.

    Attributes:
        logits: for each variable that the answer reads its rows ``(values, classes)``; a number has one row.
    """

    name: str
    letters: tuple[str, ...]
    longest: int
    steps: tuple[Step, ...]
    logits: Mapping[str, Array]
    classes: tuple[str, ...]
    causal: bool = False

    def sizes(self) -> dict[str, int]:
        """How many values each variable has; 0 for numbers."""
        found = {"tokens": len(self.letters), "positions": self.longest, "ones": 0}
        for step in self.steps:
            found[step.name] = step.size if isinstance(step, Table) else 0 if step.sums else found[step.value]
        return found

    def answers(self, word: Sequence[int]) -> tuple[dict[str, list[int]], Array]:
        """The variables at every position of a word, and the logits."""
        n = len(word)
        values: dict[str, list[int]] = {"tokens": list(word), "positions": list(range(n)), "ones": [1] * n}
        for step in self.steps:
            if isinstance(step, Table):
                rows = zip(*(values[name] for name in step.reads), strict=True)
                values[step.name] = [entry_of(step, row) for row in rows]
            else:
                values[step.name] = [self.attend(step, values, x) for x in range(n)]
        logits = np.zeros((n, len(self.classes)))
        for name, rows_ in self.logits.items():
            numbers = np.array(values[name])
            logits += rows_[numbers] if self.sizes()[name] else numbers[:, None] * rows_[0]
        return values, logits

    def attend(self, head: Head, values: Mapping[str, list[int]], x: int) -> int:
        """The output of a head at position x."""
        keys = values[head.key][: x + 1] if self.causal else values[head.key]
        matches = [y for y, key in enumerate(keys) if key == head.predicate[values[head.query][x]]]
        if head.sums:
            return sum(values[head.value][y] for y in matches)
        closest = min(matches, key=lambda y: len(matches) if y == x else abs(x - y)) if any(matches) else 0
        return values[head.value][closest]


def entry_of(table: Table, row: Sequence[int]) -> int:
    """The entry of a table, whose last entries also stand for larger numbers."""
    found: Any = table.entries
    for value in row:
        found = found[min(value, len(found) - 1)]
    return int(found)


def to_onnx(program: LearnedProgram, spelling: Spelling = "onehot") -> onnx.ModelProto:
    """The network of a program: logits at every position."""
    builder = OneHot(program) if spelling == "onehot" else Indices(program)
    for step in program.steps:
        if isinstance(step, Table):
            builder.table(step)
        else:
            builder.head(step)
    return builder.graph.model(builder.logits(), ["batch", "n", len(program.classes)])


class Builder:
    """What the spellings share: positions, distances, and the cost of each match of a categorical head."""

    def __init__(self, program: LearnedProgram) -> None:
        self.program, self.graph, self.sizes = program, Graph(program.name), program.sizes()
        graph = self.graph
        length = graph.add("Squeeze", graph.add("Shape", "tokens", start=1, end=2))
        self.places = graph.add("Range", graph.constant(0, np.int64), length, graph.constant(1, np.int64))
        rows, keys = (graph.add("Unsqueeze", self.places, graph.integers(axis)) for axis in (1, 0))
        self.distance = graph.add("Abs", graph.add("Sub", rows, keys))
        self.at_self = graph.add("Equal", rows, keys)
        self.seen = graph.add("LessOrEqual", keys, rows) if program.causal else None

    def allowed(self, matches: str) -> str:
        """Boolean matches of the positions that may be looked at."""
        return self.graph.add("And", matches, self.seen) if self.seen is not None else matches

    def costs(self, matches: str) -> str:
        """How far each match is, of Booleans ``(batch, n, n)``: FAR where there is none."""
        graph = self.graph
        whole = graph.add("Cast", matches, to=onnx.TensorProto.INT64)
        count = graph.add("ReduceSum", whole, graph.integers(2), keepdims=1)
        cost = graph.add("Where", self.at_self, count, self.distance)
        return graph.add("Where", matches, cost, graph.constant(FAR, np.int64))


class OneHot(Builder):
    """One residual stream ``(batch, n, width)``: a block for each categorical variable, an element for each number."""

    def __init__(self, program: LearnedProgram) -> None:
        super().__init__(program)
        graph = self.graph
        self.start: dict[str, int] = {}
        self.width = 0
        letters = graph.add("Gather", graph.constant(np.eye(self.sizes["tokens"])), "tokens")
        positions = graph.add("Gather", graph.constant(np.eye(program.longest)), self.places)
        shape = graph.add("Concat", graph.add("Shape", "tokens"), graph.integers(program.longest), axis=0)
        self.stream = letters
        self.enter("tokens", None)
        self.enter("positions", graph.add("Expand", positions, shape))
        ones = graph.add("ReduceSum", letters, graph.integers(2), keepdims=1)
        self.enter("ones", ones)

    def enter(self, name: str, block: str | None) -> None:
        """Append a block to the stream."""
        self.start[name] = self.width
        self.width += max(self.sizes[name], 1)
        if block is not None:
            self.stream = self.graph.add("Concat", self.stream, block, axis=2)

    def read(self, name: str, matrix: Array) -> str:
        """A variable's block times a matrix, read from the stream."""
        whole = np.zeros((self.width, matrix.shape[1]))
        whole[self.start[name] : self.start[name] + len(matrix)] = matrix
        return self.graph.add("MatMul", self.stream, self.graph.constant(whole))

    def block(self, name: str) -> str:
        return self.read(name, np.eye(max(self.sizes[name], 1)))

    def head(self, head: Head) -> None:
        graph = self.graph
        wanted = self.read(head.query, np.eye(self.sizes[head.key])[list(head.predicate)])
        keys = graph.add("Transpose", self.block(head.key), perm=[0, 2, 1])
        matches = self.allowed(graph.add("Greater", graph.add("MatMul", wanted, keys), graph.constant(0.5)))
        if head.sums:
            weights = graph.add("Cast", matches, to=onnx.TensorProto.FLOAT)
        else:
            closest = graph.add("ArgMin", self.costs(matches), axis=2, keepdims=1)
            keys_ = graph.add("Unsqueeze", self.places, graph.integers(0, 1))
            weights = graph.add("Cast", graph.add("Equal", closest, keys_), to=onnx.TensorProto.FLOAT)
        self.enter(head.name, graph.add("MatMul", weights, self.block(head.value)))

    def table(self, table: Table) -> None:
        graph = self.graph
        entries = np.array(table.entries)
        blocks = [
            self.block(name) if self.sizes[name] else self.steps(self.block(name), length)
            for name, length in zip(table.reads, entries.shape, strict=True)
        ]
        result = np.eye(table.size)[entries.ravel()]
        if len(blocks) == 1:
            self.enter(table.name, graph.add("MatMul", blocks[0], graph.constant(result)))
            return
        # one unit for each pair of values, on where both are there
        first = graph.add("MatMul", blocks[0], graph.constant(np.repeat(np.eye(entries.shape[0]), entries.shape[1], 1)))
        second = graph.add("MatMul", blocks[1], graph.constant(np.tile(np.eye(entries.shape[1]), entries.shape[0])))
        both = graph.add("Sub", graph.add("Add", first, second), graph.constant(1.0))
        self.enter(table.name, graph.add("MatMul", graph.add("Relu", both), graph.constant(result)))

    def steps(self, number: str, length: int) -> str:
        """A number as a one-hot block, everything beyond in the last element."""
        graph = self.graph
        whole = graph.add("Cast", graph.add("Squeeze", number, graph.integers(2)), to=onnx.TensorProto.INT64)
        capped = graph.add("Min", whole, graph.constant(length - 1, np.int64))
        return graph.add("OneHot", capped, graph.constant(length, np.int64), graph.constant([0.0, 1.0]))

    def logits(self) -> str:
        rows = np.zeros((self.width, len(self.program.classes)))
        for name, part in self.program.logits.items():
            rows[self.start[name] : self.start[name] + len(part)] = part
        return self.graph.add("MatMul", self.stream, self.graph.constant(rows))


class Indices(Builder):
    """One tensor of whole numbers ``(batch, n)`` for each variable."""

    def __init__(self, program: LearnedProgram) -> None:
        super().__init__(program)
        graph = self.graph
        zeros = graph.add("Mul", "tokens", graph.constant(0, np.int64))
        row = graph.add("Gather", graph.constant(np.arange(program.longest), np.int64), self.places)
        self.values = {
            "tokens": "tokens",
            "positions": graph.add("Add", zeros, row),
            "ones": graph.add("Add", zeros, graph.constant(1, np.int64)),
        }

    def head(self, head: Head) -> None:
        graph = self.graph
        wanted = graph.add("Gather", graph.constant(head.predicate, np.int64), self.values[head.query])
        rows = graph.add("Unsqueeze", wanted, graph.integers(2))
        keys = graph.add("Unsqueeze", self.values[head.key], graph.integers(1))
        matches = self.allowed(graph.add("Equal", rows, keys))
        values = self.values[head.value]
        if head.sums:
            kept = graph.add(
                "Where", matches, graph.add("Unsqueeze", values, graph.integers(1)), graph.constant(0, np.int64)
            )
            self.values[head.name] = graph.add("ReduceSum", kept, graph.integers(2), keepdims=0)
            return
        # cost and place in one number, so that of two equal costs the earlier place is the smaller
        both = graph.add("Add", graph.add("Mul", self.costs(matches), graph.constant(FAR, np.int64)), self.places)
        least = graph.add("ReduceMin", both, graph.integers(2), keepdims=0)
        closest = graph.add("Mod", least, graph.constant(FAR, np.int64))
        self.values[head.name] = graph.add("GatherElements", values, closest, axis=1)

    def table(self, table: Table) -> None:
        graph = self.graph
        entries = np.array(table.entries)
        index = None
        for name, length in zip(table.reads, entries.shape, strict=True):
            value = self.values[name]
            if not self.sizes[name]:
                value = graph.add("Min", value, graph.constant(length - 1, np.int64))
            index = value if index is None else graph.add(
                "Add", graph.add("Mul", index, graph.constant(length, np.int64)), value)  # fmt: skip
        if index is None:
            raise ValueError(f"{table.name} reads nothing")
        self.values[table.name] = graph.add("Gather", graph.constant(entries.ravel(), np.int64), index)

    def logits(self) -> str:
        graph, total = self.graph, None
        for name, rows in self.program.logits.items():
            if self.sizes[name]:
                part = graph.add("Gather", graph.constant(rows), self.values[name])
            else:
                number = graph.add("Unsqueeze", self.values[name], graph.integers(2))
                part = graph.add("Mul", graph.add("Cast", number, to=onnx.TensorProto.FLOAT), graph.constant(rows[0]))
            total = part if total is None else graph.add("Add", total, part)
        if total is None:
            raise ValueError("the answer reads nothing")
        return total


def histogram(letters: str = "abc", longest: int = 6) -> LearnedProgram:
    """At each position how often its letter occurs; words begin with <s>."""
    names = ("<s>", *letters)
    counts = tuple(str(count) for count in range(1, longest))
    same = Head("same", "tokens", "tokens", "ones", tuple(range(len(names))), sums=True)
    many = Table("many", ("same",), (0, *range(longest - 1)), longest - 1)
    return LearnedProgram(
        "histogram_program", names, longest, (same, many), {"many": 4 * np.eye(longest - 1)}, counts
    )  # fmt: skip


def reverse(letters: str = "abc", longest: int = 6) -> LearnedProgram:
    """The word backwards; words begin with <s> and end with </s>."""
    names = ("<s>", *letters, "</s>")
    end = len(names) - 1
    where = Head("end", "tokens", "tokens", "positions", (end,) * len(names))
    mirror = tuple(tuple(max(last - place, 0) for last in range(longest)) for place in range(longest))
    place = Table("mirror", ("positions", "end"), mirror, longest)
    there = Head("letter", "mirror", "positions", "tokens", tuple(range(longest)))
    return LearnedProgram(
        "reverse_program", names, longest, (where, place, there), {"letter": 4 * np.eye(len(names))}, names
    )  # fmt: skip


def framed(program: LearnedProgram) -> list[list[int]]:
    """All words of the program in its frame: <s> first, and </s> last if it has that; neither of them within."""
    behind = [len(program.letters) - 1] if program.letters[-1] == "</s>" else []
    inner = range(1, len(program.letters) - len(behind))
    words: list[list[int]] = [[]]
    found: list[list[int]] = []
    for _ in range(program.longest - 1 - len(behind)):
        words = [[*word, letter] for word in words for letter in inner]
        found += [[0, *word, *behind] for word in words]
    return found


def write(program: LearnedProgram, task: str, folder: Path) -> None:
    """Write the network, words, and what onnxruntime answers; of many words every so-many-th."""
    folder.mkdir(parents=True, exist_ok=True)
    made = to_onnx(program)
    onnx.save(made, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    every = framed(program)
    words = every[:: max(1, len(every) // 150)]
    tokens = np.full((len(words), program.longest), -1, dtype=np.int64)
    logits = np.full((len(words), program.longest, len(program.classes)), np.nan, dtype=np.float32)
    decision = np.full(tokens.shape, -1, dtype=np.int64)
    for row, word in enumerate(words):
        n = len(word)
        tokens[row, :n] = word
        logits[row, :n] = session.run(None, {"tokens": np.array([word])})[0][0]
        decision[row, :n] = logits[row, :n].argmax(-1)
        if not np.array_equal(decision[row, :n], program.answers(word)[1].argmax(-1)):
            raise ValueError(f"{program.name}: the network is not the program")
    np.savez_compressed(folder / "inputs.npz", tokens=tokens)
    np.savez_compressed(folder / "expected.npz", logits=logits, decision=decision)
    facts = {
        "name": program.name,
        "task": task,
        "letters": program.letters,
        "classes": program.classes,
        "architecture": "a Transformer Program: one-hot blocks, heads by predicates, tables; hand-written",
        "exporter": "built node by node, opset 20",
    }
    (folder / "task.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Write the examples."""
    for program, task in (
        (histogram(), "at each position how often its letter occurs; words begin with <s>"),
        (reverse(), "the word backwards; words begin with <s> and end with </s>"),
    ):
        write(program, task, EXAMPLES / program.name)


if __name__ == "__main__":
    main()
