"""A small compiler from RASP programs to the weights of a transformer, in Tracr's manner (Lindner et al. 2023).

The residual stream has a direction for each value of a categorical variable, which is 1 where the variable has that value,
and one for each numerical variable. A selector is a matrix of queries and keys with scores 100 / sqrt(K). The first
position, BOS, has the score 50 / sqrt(K), so that it is read where nothing is selected, or 100 / sqrt(K) for a width, which
is then read as 1 / (1 + n) and made categorical by steps. Tables are units of a layer with ReLU.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
Unit = tuple[dict[str, float], float, dict[str, float]]
"""A hidden unit: weights of directions, a bias, and what it adds to directions."""

STEEP = 100.0


@dataclass
class Compiler:
    """A network in the making: `letters` of the program, words of it of at most `longest` letters."""

    letters: Sequence[Any]
    longest: int
    labels: list[str] = field(default_factory=list)
    values: dict[str, list[Any]] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labels += ["one"]
        self.categorical("indices", list(range(self.longest)))
        self.categorical("tokens", ["BOS", "PAD", *self.letters])
        self.values["tokens"] = list(self.letters)

    def categorical(self, name: str, values: Sequence[Any]) -> None:
        """Directions for the values of a variable."""
        self.values[name] = list(values)
        self.labels += [f"{name}:{value}" for value in values]

    # Layers.

    def units(self, units: list[Unit]) -> None:
        """A layer of hidden units."""
        self.layers.append({"units": units})

    def table(self, name: str, columns: Sequence[str], function: Callable[..., Any], numerical: bool = False) -> None:
        """A function of one or two categorical variables: a unit for each of their values together."""
        cases = [(key, function(*key)) for key in itertools.product(*(self.values[column] for column in columns))]
        if numerical:
            self.labels.append(name)
        else:
            self.categorical(name, sorted({value for _, value in cases}))
        units: list[Unit] = []
        for key, value in cases:
            weights = {f"{column}:{entry}": 1.0 for column, entry in zip(columns, key, strict=True)}
            target = {name: float(value)} if numerical else {f"{name}:{value}": 1.0}
            units.append((weights, 1.0 - len(columns), target))
        self.units(units)

    def steps(self, name: str, source: str, points: Sequence[tuple[float, Any]]) -> None:
        """A categorical function of a number, which takes one of the points: steps halfway between two points."""
        points = sorted(points)
        self.categorical(name, sorted({value for _, value in points}))
        units: list[Unit] = [({"tokens:BOS": -1.0}, 1.0, {f"{name}:{points[0][1]}": 1.0})]  # BOS has no value
        for (low, before), (high, after) in itertools.pairwise(points):
            slope = 4 / (high - low)
            middle = (low + high) / 2
            for shift, sign in ((0.5, 1.0), (-0.5, -1.0)):
                change = {f"{name}:{after}": sign, f"{name}:{before}": -sign}
                if before != after:
                    units.append(({source: slope, "tokens:BOS": -STEEP * slope}, shift - slope * middle, change))
        self.units(units)

    def combine(self, name: str, weights: dict[str, float]) -> None:
        """A linear combination of numbers."""
        self.labels.append(name)
        minus = {source: -weight for source, weight in weights.items()}
        self.units([(weights, 0.0, {name: 1.0}), (minus, 0.0, {name: -1.0})])

    def attend(
        self, keys: str, queries: str, predicate: Callable[[Any, Any], bool], start: float, copied: dict[str, str]
    ) -> None:
        """A head: position x reads the y with predicate(key at y, query at x), and BOS with the score `start`."""
        self.layers.append({"head": (keys, queries, predicate, start, copied)})

    def width(self, name: str, keys: str, queries: str, predicate: Callable[[Any, Any], bool]) -> None:
        """How many keys are selected."""
        raw = f"{name}_selector_width_attn_output"
        self.labels.append(raw)
        self.attend(keys, queries, predicate, 100.0, {"tokens:BOS": raw})
        self.steps(name, raw, [(1 / (1 + count), count) for count in range(self.longest + 1)])

    def aggregate(self, name: str, keys: str, queries: str, predicate: Callable[[Any, Any], bool], values: str) -> None:
        """The mean over the keys selected, of a numerical variable, or of the vectors of a categorical one."""
        if values in self.values:
            self.categorical(name, self.values[values])
            copied = {f"{values}:{value}": f"{name}:{value}" for value in self.values[values]}
        else:
            self.labels.append(name)
            copied = {values: name}
        self.attend(keys, queries, predicate, 50.0, copied)

    # Files.

    def matrix(self, entries: Sequence[dict[str, float]]) -> Array:
        """Columns by the weights of directions."""
        made = np.zeros((len(self.labels), len(entries)), np.float32)
        for column, weights in enumerate(entries):
            for label, weight in weights.items():
                made[self.labels.index(label), column] += weight
        return made

    def save(self, folder: Path, output: str) -> Path:
        """Write ``model.onnx`` and ``task.json``; the path of the model."""
        weights: dict[str, Array] = {}
        nodes: list[onnx.NodeProto] = []

        def put(op_type: str, *inputs: Any, **attributes: Any) -> str:
            names = []
            for value in inputs:
                if not isinstance(value, str):
                    weights[f"w{len(weights)}"] = np.asarray(value)
                    value = f"w{len(weights) - 1}"
                names.append(value)
            nodes.append(helper.make_node(op_type, names, [f"t{len(nodes)}"], **attributes))
            return f"t{len(nodes) - 1}"

        names = ["BOS", "PAD", *map(str, self.letters)]
        embedding = self.matrix([{"one": 1.0, f"tokens:{letter}": 1.0} for letter in names]).T
        places = self.matrix([{}, *({f"indices:{place}": 1.0} for place in range(self.longest))]).T
        length = put("Slice", put("Shape", "tokens"), np.array([1]), np.array([2]))
        x = put("Add", put("Gather", embedding, "tokens"), put("Slice", places, np.array([0]), length, np.array([0])))
        for layer in self.layers:
            if "units" in layer:
                inner, bias, outer = zip(*layer["units"], strict=True)
                hidden = put("Relu", put("Add", put("MatMul", x, self.matrix(inner)), np.array(bias, np.float32)))
                x = put("Add", x, put("MatMul", hidden, self.matrix(outer).T.copy()))
                continue
            keys, queries, predicate, start, copied = layer["head"]
            size = len(self.values[keys]) + 1
            chosen = [
                {f"{queries}:{query}": 100.0 for query in self.values[queries] if predicate(key, query)}
                for key in self.values[keys]
            ]
            q = put("MatMul", x, self.matrix([*chosen, {"one": start}]))
            k = put(
                "MatMul", x, self.matrix([*({f"{keys}:{key}": 1.0} for key in self.values[keys]), {"tokens:BOS": 1.0}])
            )
            scores = put("Div", put("MatMul", q, put("Transpose", k, perm=[0, 2, 1])), np.float32(np.sqrt(size)))
            v = put("MatMul", x, self.matrix([{source: 1.0} for source in copied]))
            read = put("MatMul", put("Softmax", scores, axis=-1), v)
            x = put("Add", x, put("MatMul", read, self.matrix([{target: 1.0} for target in copied.values()]).T.copy()))
        decoded = self.values.get(output)
        wanted = [output] if decoded is None else [f"{output}:{value}" for value in decoded]
        answer = put("MatMul", x, self.matrix([{label: 1.0} for label in wanted]))
        if decoded is None:
            answer = put("Squeeze", answer, np.array([2]))
        shape: list[str | int | None] = ["batch", "seq", *([] if decoded is None else [len(wanted)])]
        graph = helper.make_graph(
            nodes, "compiled", [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "seq"])],
            [helper.make_tensor_value_info(answer, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model)
        onnx.save(model, folder / "model.onnx")
        task = {
            "vocab": list(self.letters), "token_ids": {name: number for number, name in enumerate(names)}, "bos_id": 0,
            "max_len_without_bos": self.longest, "causal": False, "residual_labels": self.labels,
            "output": {"kind": "numerical" if decoded is None else "categorical", "decode": decoded},
        }  # fmt: skip
        (folder / "task.json").write_text(json.dumps(task))
        return folder / "model.onnx"


def equal(key: Any, query: Any) -> bool:
    """EQ."""
    return bool(key == query)


def less(key: Any, query: Any) -> bool:
    """LT."""
    return bool(key < query)


def at_most(key: Any, query: Any) -> bool:
    """LEQ."""
    return bool(key <= query)


def always(key: Any, query: Any) -> bool:
    """TRUE."""
    return True
