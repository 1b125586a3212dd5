"""Build transformers whose weights are set by hand, as proofs of expressiveness set them.

    python -m examples.train.hand_built            # writes examples/built

* `parity` and `first` are those of Chiang & Cholak 2022 (*Overcoming a theoretical limitation of self-attention*):
  letters 0 and 1 and a third one, CLS, which stands behind the word for PARITY and in front of it for FIRST. Positions are given
  as i/N and cos(i pi), or as [i = 1], for i = 0 .. N - 1; one logit, which is above 0 where the network accepts.
* `ab_blocks` and `more_a` are C-RASP programs (Yang & Chiang 2024) compiled to uniform causal attention: a count up to x is an
  average, and its comparison with 0 a step ``min(max(16 v, 0), 1)``, which is exact up to length 16. `more_a` compares without a
  step: where there are as many a as b, its logits are what float rounding leaves of 0.

Each is written in two spellings, which exporters use: "dynamo" (GatherND, Slice, Trilu of Expand, two ReLUs for a step) and
"torchscript" (Gather, Where of a comparison of positions, Clip).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime

from examples.train.graphs import Graph

Array = np.ndarray[Any, Any]
Spelling = Literal["dynamo", "torchscript"]

EXAMPLES = Path(__file__).resolve().parent.parent / "built"
LONGEST = 16
"""Up to this length the steps of the C-RASP programs are exact."""


@dataclass(frozen=True)
class Parts:
    """The parts that the networks share, in one of the two spellings."""

    graph: Graph
    spelling: Spelling

    def embedded(self, table: Sequence[Sequence[float]]) -> str:
        """Rows of a table for the letters, ``(batch, n, width)``."""
        graph = self.graph
        if self.spelling == "dynamo":
            return graph.add("GatherND", graph.constant(table), graph.add("Unsqueeze", "tokens", graph.integers(-1)))
        return graph.add("Gather", graph.constant(table), "tokens")

    def length(self) -> str:
        """The number of letters, an integer."""
        graph = self.graph
        if self.spelling == "dynamo":
            return graph.add("Squeeze", graph.add("Shape", "tokens", start=1, end=2))
        return graph.add("Gather", graph.add("Shape", "tokens"), graph.constant(1, np.int64))

    def places(self) -> str:
        """0 .. N - 1."""
        graph = self.graph
        return graph.add("Range", graph.constant(0, np.int64), self.length(), graph.constant(1, np.int64))

    def number(self, value: str) -> str:
        """An integer as a float."""
        return self.graph.add("Cast", value, to=onnx.TensorProto.FLOAT)

    def columns(self, width: int, given: Mapping[int, str]) -> str:
        """A tensor ``(n, width)`` with the given vectors as columns and zeros elsewhere."""
        graph = self.graph
        some = next(iter(given.values()))
        zeros = graph.add("Expand", graph.constant(0.0), graph.add("Shape", some))
        parts = [graph.add("Unsqueeze", given.get(place, zeros), graph.integers(1)) for place in range(width)]
        return graph.add("Concat", *parts, axis=1)

    def linear(self, x: str, entries: Mapping[tuple[int, int], float], width: int, to: int | None = None) -> str:
        """Multiply by the matrix with these entries (from, to)."""
        matrix = np.zeros((width, to or width))
        for (row, column), value in entries.items():
            matrix[row, column] = value
        return self.graph.add("MatMul", x, self.graph.constant(matrix))

    def transposed(self, x: str) -> str:
        return self.graph.add("Transpose", x, perm=[0, 2, 1])

    def causal(self, scores: str) -> str:
        """Scores with later positions masked."""
        graph = self.graph
        if self.spelling == "dynamo":
            length = graph.add("Shape", "tokens", start=1, end=2)
            square = graph.add("Concat", length, length, axis=0)
            full = graph.add("Expand", graph.constant(-1e9), square)
            return graph.add("Add", scores, graph.add("Trilu", full, graph.constant(1, np.int64), upper=1))
        places = self.places()
        rows, keys = (graph.add("Unsqueeze", places, graph.integers(axis)) for axis in (1, 0))
        return graph.add("Where", graph.add("LessOrEqual", keys, rows), scores, graph.constant(-np.inf))

    def attention(self, x: str, scores: str, values: str) -> str:
        return self.graph.add("MatMul", self.graph.add("Softmax", scores, axis=-1), values)

    def mean_so_far(self, x: str, width: int) -> str:
        """Uniform causal attention: the averages of all columns up to each position."""
        query = self.linear(x, {}, width)
        return self.attention(x, self.causal(self.graph.add("MatMul", query, self.transposed(query))), x)

    def column(self, x: str, place: int) -> str:
        """One column, its axis kept."""
        graph = self.graph
        if self.spelling == "dynamo":
            at = [graph.integers(number) for number in (place, place + 1, 2, 1)]
            return graph.add("Slice", x, *at)
        return graph.add("Gather", x, graph.integers(place), axis=2)

    def step(self, x: str) -> str:
        """``min(max(16 x, 0), 1)``: whether x is at least 1/16, of numbers that are at least 1/16 or at most 0."""
        graph = self.graph
        scaled = graph.add("Mul", x, graph.constant(float(LONGEST)))
        if self.spelling == "torchscript":
            return graph.add("Clip", scaled, graph.constant(0.0), graph.constant(1.0))
        behind = graph.add("Relu", graph.add("Sub", scaled, graph.constant(1.0)))
        return graph.add("Sub", graph.add("Relu", scaled), behind)

    def not_(self, *parts: str) -> str:
        """1 minus all parts."""
        graph = self.graph
        left = graph.add("Sub", graph.constant(1.0), parts[0])
        for part in parts[1:]:
            left = graph.add("Sub", left, part)
        return left

    def at(self, x: str, place: int) -> str:
        """The row of one position."""
        return self.graph.add("Gather", x, self.graph.constant(place, np.int64), axis=1)

    def two_logits(self, truth: str) -> str:
        """Logits of a number that is 0 or 1."""
        graph = self.graph
        half = graph.constant(0.5)
        return graph.add("Concat", graph.add("Sub", half, truth), graph.add("Sub", truth, half), axis=-1)


def parity(spelling: Spelling = "dynamo", *, two: bool = False) -> onnx.ModelProto:
    """Whether the number of 1 is odd; the last letter is CLS. Two layers, width 10.

    Columns: 0-2 the letter; 3 is i/N, 4 is (-1)^i; 5 the share k/N of letters 1, 6 is 1/N; 7 is [i = k]/N; 8 and 9 the averages
    of column 7 with more weight on odd and on even i. With `two` logits the first one is the other one negated.
    """
    graph = Graph("parity")
    parts, width = Parts(graph, spelling), 10
    numbers = parts.places()
    places = parts.number(numbers)
    if spelling == "dynamo":
        share = graph.add("Div", places, parts.number(parts.length()))
        sign = graph.add("Cos", graph.add("Mul", places, graph.constant(math.pi)))
    else:
        share = graph.add("Mul", places, graph.add("Reciprocal", parts.number(parts.length())))
        odd = parts.number(graph.add("Mod", numbers, graph.constant(2, np.int64)))
        sign = graph.add("Sub", graph.constant(1.0), graph.add("Mul", graph.constant(2.0), odd))
    x = graph.add("Add", parts.embedded(np.eye(3, width).tolist()), parts.columns(width, {3: share, 4: sign}))
    if spelling == "dynamo":
        query = parts.linear(x, {}, width)
        scores = graph.add("MatMul", query, parts.transposed(query))
        mixed = parts.attention(x, scores, x)
    else:
        mixed = graph.add("ReduceMean", x, graph.integers(1), keepdims=1)
    x = graph.add("Add", x, parts.linear(mixed, {(1, 5): 1.0, (2, 6): 1.0}, width))
    gaps = {(row, unit): value for unit in range(3) for row, value in ((5, 1.0), (3, -1.0), (6, unit - 1.0))}
    hidden = graph.add("Relu", parts.linear(x, gaps, width, 3))
    x = graph.add("Add", x, graph.add("MatMul", hidden, graph.constant(
        [[0, 0, 0, 0, 0, 0, 0, factor, 0, 0] for factor in (1.0, -2.0, 1.0)])))  # fmt: skip
    for column, factor in ((8, -1.0), (9, 1.0)):
        query, key = parts.linear(x, {(2, 0): 1.0}, width), parts.linear(x, {(4, 0): factor}, width)
        values = parts.linear(x, {(7, column): 1.0}, width)
        x = graph.add("Add", x, parts.attention(x, graph.add("MatMul", query, parts.transposed(key)), values))
    entries = {(8, 0): 1.0, (9, 0): -1.0}
    if two:
        entries = {(8, 0): -1.0, (9, 0): 1.0, (8, 1): 1.0, (9, 1): -1.0}
    logits = parts.linear(x, entries, width, 1 + two)
    return graph.model(parts.at(logits, -1), ["batch", 1 + two])


def first(spelling: Spelling = "dynamo", *, scaled: bool = True) -> onnx.ModelProto:
    """Whether the letter behind CLS, which is the first one, is 1; `scaled`: scores times log N. Two layers, width 6.

    Columns: 0-2 the letter; 3 is [i = 1]; 4 is [i = 1 and the letter is 1]; 5 the answer.
    """
    graph = Graph("first")
    parts, width = Parts(graph, spelling), 6
    is_first = parts.number(graph.add("Equal", parts.places(), graph.constant(1, np.int64)))
    x = graph.add("Add", parts.embedded(np.eye(3, width).tolist()), parts.columns(width, {3: is_first}))
    both = graph.add("Add", parts.linear(x, {(1, 0): 1.0, (3, 0): 1.0}, width, 1), graph.constant([-1.0]))
    x = graph.add("Add", x, graph.add("MatMul", graph.add("Relu", both), graph.constant([[0, 0, 0, 0, 1, 0]])))
    query, key = parts.linear(x, {(2, 0): 1.0}, width), parts.linear(x, {(3, 0): 1.0}, width)
    scores = graph.add("MatMul", query, parts.transposed(key))
    if scaled:
        scores = graph.add("Mul", scores, graph.add("Log", parts.number(parts.length())))
    x = graph.add("Add", x, parts.attention(x, scores, parts.linear(x, {(4, 5): 1.0, (3, 5): -0.5}, width)))
    return graph.model(graph.add("Gather", parts.at(x, 0), graph.integers(5), axis=1), ["batch", 1])


def ab_blocks(spelling: Spelling = "dynamo") -> onnx.ModelProto:
    """Whether the word is some a and then as many b: ``#a = #b`` and nowhere an a behind a b. Two layers, width 3.

    Columns: 0 is 1 for a and -1 for b; 1 is whether a b has been; 2 is whether this is an a behind a b.
    """
    graph = Graph("ab_blocks")
    parts, width = Parts(graph, spelling), 3
    letters = parts.embedded([[1, 1, 0], [-1, 0, 1]])
    mean = parts.mean_so_far(letters, width)
    more, fewer = (parts.step(graph.add("Mul", parts.column(mean, 0), graph.constant(sign))) for sign in (1.0, -1.0))
    after = graph.add("Add", parts.column(letters, 1), parts.step(parts.column(mean, 2)))
    wrong = graph.add("Relu", graph.add("Sub", after, graph.constant(1.0)))
    x = graph.add("Concat", parts.column(letters, 0), parts.column(letters, 1), wrong, axis=2)
    somewhere = parts.step(parts.column(parts.mean_so_far(x, width), 2))
    truth = parts.not_(more, fewer, somewhere)
    return graph.model(parts.two_logits(parts.at(truth, -1)), ["batch", 2])


def more_a(spelling: Spelling = "dynamo") -> onnx.ModelProto:
    """Whether there are more a than b, compared without a step. One layer, width 1."""
    graph = Graph("more_a")
    parts = Parts(graph, spelling)
    mean = parts.at(parts.mean_so_far(parts.embedded([[1.0], [-1.0]]), 1), -1)
    return graph.model(graph.add("Concat", graph.add("Neg", mean), mean, axis=-1), ["batch", 2])


@dataclass(frozen=True)
class Task:
    """A network with its language.

    Attributes:
        letters: with CLS last, where there is one; `cls`: where it stands.
        longest: longest words of the examples, without CLS.
    """

    name: str
    task: str
    build: Callable[[], onnx.ModelProto]
    accepts: Callable[[Array], bool]
    letters: tuple[str, ...]
    cls: Literal["front", "back"] | None
    longest: int
    architecture: str

    def words(self, rng: np.random.Generator) -> Iterator[Array]:
        """All words up to length 5, some longer ones, as the network reads them."""
        for n in range(1, self.longest + 1):
            numbers = np.arange(2**n) if n <= 5 else rng.choice(2**n, 4, replace=False)
            for word in (numbers[:, None] >> np.arange(n)) & 1:
                yield self.fed(word)

    def fed(self, word: Array) -> Array:
        """A word of 0 and 1 with CLS."""
        match self.cls:
            case "front":
                return np.concatenate([[2], word])
            case "back":
                return np.concatenate([word, [2]])
            case None:
                return word


def is_ab_block(word: Array) -> bool:
    """Whether the word is ``a^m b^m``."""
    half = len(word) // 2
    return len(word) % 2 == 0 and not word[:half].any() and bool(word[half:].all())


TASKS = (
    Task("parity", "1 iff the number of letters 1 is odd; the last letter is CLS", partial(parity, two=True),
         lambda word: bool(np.sum(word == 1) % 2), ("0", "1", "CLS"), "back", 20,
         "2 layers, width 10, positions i/N and cos(i pi), weights set by hand (Chiang & Cholak 2022)"),
    Task("ab_blocks", "1 iff the word is some a and then as many b", ab_blocks, is_ab_block, ("a", "b"), None, LONGEST,
         "2 layers of uniform causal attention, width 3, a C-RASP program compiled; exact up to length 16"),
)  # fmt: skip


def write(task: Task, folder: Path) -> None:
    """Write the network, some words, and what onnxruntime answers."""
    folder.mkdir(parents=True, exist_ok=True)
    made = task.build()
    onnx.save(made, folder / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    words = list(task.words(np.random.default_rng(0)))
    tokens = np.full((len(words), max(map(len, words))), -1, dtype=np.int64)
    logits = []
    for row, word in zip(tokens, words, strict=True):
        row[: len(word)] = word
        logits.append(session.run(None, {"tokens": row[None, : len(word)]})[0][0])
    answer = np.array(logits, dtype=np.float32)
    decision = answer.argmax(-1)
    if any(bool(given) != task.accepts(word) for given, word in zip(decision, words, strict=True)):
        raise ValueError(f"{task.name}: the network does not accept its language")
    np.savez_compressed(folder / "inputs.npz", tokens=tokens)
    np.savez_compressed(folder / "expected.npz", logits=answer, decision=decision)
    facts = {
        "name": task.name,
        "task": task.task,
        "letters": task.letters,
        "architecture": task.architecture,
        "exporter": "built node by node, opset 20",
    }
    (folder / "task.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Write the examples."""
    for task in TASKS:
        write(task, EXAMPLES / task.name)


if __name__ == "__main__":
    main()
