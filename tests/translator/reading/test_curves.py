"""Functions of position numbers: order and modular predicates where that is proved, tables up to a bound elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from circuits.positions import guard_to_data
from tests.translator.reading.whole import same_as_runtime
from tests.translator.reading_graphs import Step, build, refused_of, save
from translator.reading import read
from translator.real import Predicates, RealNetwork

# d: (n, n) whole numbers i - j; r: (n) whole numbers i.
PLACES: list[Step] = [
    ("Gather", "embed tokens", "e"),
    ("Shape", "tokens", "shape"),
    ("Slice", "shape one two zero", "length"),
    ("Squeeze", "length", "len"),
    ("Range", "i0 len i1", "r"),
    ("Unsqueeze", "r one", "column"),
    ("Unsqueeze", "r zero", "row"),
    ("Sub", "column row", "d"),
]
CONSTANTS = {
    "i0": np.array(0), "i1": np.array(1), "i2": np.array(2), "i3": np.array(3), "i5": np.array(5), "i7": np.array(7),
    "half": np.array(0.5, np.float32), "eight": np.array(8.0, np.float32), "log16": np.array(np.log(16.0), np.float32),
}  # fmt: skip
FLOAT = {"to": TensorProto.FLOAT}
# The buckets of T5: exact up to 3, then by logarithm, all of 8 and more steps (distances of 128 and more) in the last one.
BUCKETS: list[Step] = [
    ("Abs", "d", "far"),
    ("Less", "far i3", "near"),
    ("Cast", "far", "farf", FLOAT),
    ("Div", "farf eight", "ratio"),
    ("Log", "ratio", "logs"),
    ("Div", "logs log16", "steps"),
    ("Mul", "steps eight", "scaled"),
    ("Cast", "scaled", "whole", {"to": TensorProto.INT64}),
    ("Add", "whole i3", "coarse"),
    ("Min", "coarse i7", "capped"),
    ("Where", "near far capped", "bucket"),
    ("Gather", "bias bucket", "b"),
]


def model(steps: list[Step], output: tuple[str, list[int | str]], **weights: np.ndarray) -> onnx.ModelProto:
    """A model whose output is the embeddings' sum over letters times a positional tensor."""
    return build([*PLACES, *steps], output, {**CONSTANTS, **weights}, start=[])


def guards(network: RealNetwork) -> str:
    """All conditions on positions, as text."""
    found = [guard_to_data(g) for node in network.nodes if isinstance(node, Predicates) for g in node.guards]
    return str(found)


def test_buckets_of_distances_hold_for_every_length(tmp_path: Path) -> None:
    bias = np.random.default_rng(0).normal(size=8).astype(np.float32)
    steps: list[Step] = [*BUCKETS, ("MatMul", "b e", "out")]
    path = save(model(steps, ("out", ["batch", "n", 4]), bias=bias), tmp_path)
    network = same_as_runtime(path, (1, 2, 9, 17, 40))
    assert network.domain.most is None
    assert sum(len(node.guards) for node in network.nodes if isinstance(node, Predicates)) < 40


def test_remainders_are_modular_predicates(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Mod", "r i3", "m"),
        ("Cast", "m", "mf", FLOAT),
        ("Exp", "mf", "x"),
        ("Unsqueeze", "x one", "c"),
        ("Add", "e c", "out"),
    ]
    network = same_as_runtime(save(model(steps, ("out", ["batch", "n", 4])), tmp_path))
    assert network.domain.most is None
    assert "'mod', 3" in guards(network)


def test_whole_numbers_stay_exact(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Sub", "r i3", "away"),
        ("Abs", "away", "far"),
        ("Mul", "far large", "product"),
        ("Add", "product i7", "shifted"),
        ("Mod", "shifted seventeen", "m"),
        ("Cast", "m", "mf", FLOAT),
        ("Exp", "mf", "x"),
        ("Unsqueeze", "x one", "c"),
        ("Mul", "e c", "out"),
    ]
    weights = {"large": np.array(1103515245), "seventeen": np.array(17)}
    network = same_as_runtime(save(model(steps, ("out", ["batch", "n", 4]), **weights), tmp_path))
    assert network.domain.most == 64


def test_saturating_functions_are_order_predicates(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Cast", "r", "rf", FLOAT),
        ("Sqrt", "rf", "root"),
        ("Clip", "root half eight", "clipped"),
        ("Unsqueeze", "clipped one", "c"),
        ("Mul", "e c", "out"),
    ]
    network = same_as_runtime(save(model(steps, ("out", ["batch", "n", 4])), tmp_path), (1, 5, 63, 70))
    assert network.domain.most is None


def test_sinusoids_are_a_table_up_to_a_bound(tmp_path: Path) -> None:
    frequencies = np.array([1.0, 0.1, 0.01, 0.001], np.float32)
    steps: list[Step] = [
        ("Cast", "column", "f", FLOAT),
        ("Mul", "f rates", "angles"),
        ("Sin", "angles", "waves"),
        ("Add", "e waves", "out"),
    ]
    path = save(model(steps, ("out", ["batch", "n", 4]), rates=frequencies), tmp_path)
    network = same_as_runtime(path, longest=20)
    assert (network.domain.most, network.domain.reason) == (20, "positions are tabulated up to the given bound")
    assert read(path).domain.most == 64


def test_a_product_of_two_position_numbers_is_refused(tmp_path: Path) -> None:
    steps: list[Step] = [("Mul", "row column", "p"), ("Cast", "p", "pf", FLOAT), ("MatMul", "pf e", "out")]
    (finding,) = refused_of(save(model(steps, ("out", ["batch", "n", 4])), tmp_path))
    assert finding.code == "N033"


@pytest.mark.parametrize("distance", [16, 32, 64])
def test_ties_fall_as_in_the_runtime(tmp_path: Path, distance: int) -> None:
    bias = np.arange(8, dtype=np.float32)
    path = save(model([*BUCKETS, ("MatMul", "b e", "out")], ("out", ["batch", "n", 4]), bias=bias), tmp_path)
    same_as_runtime(path, (distance + 1,))
