"""Saved networks through the reader: how long the import takes, and how far the real network is from the stored outputs.

    python -m benchmarks.models FOLDER... [--models REGEX] [--alphabet N] [--longest N]

Each folder holds folders of one network with its `.onnx` files and either `vectors.npz` (keys ``<i>_in_<input>``,
``<i>_out<k>_<output>``; ``<i>_out`` is the first output) or `inputs.npz` and `expected.npz` (token rows padded with -1 and the
array `logits`). An error is the largest ``|found - expected| / max(1, |expected|)`` of one set, and the number of unequal
entries for whole numbers. Rows of a batch are evaluated one by one; where a network mixes them (DynamicQuantizeLinear takes
one range for the whole batch), the batch is bound to its size, and where it is a batch of words the set is left out. A mask that
is not all ones is bound, with the length: the network is read anew for each of its rows.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from circuits.diagnostics import FomError
from translator.reading import read
from translator.real import Letters, RealNetwork
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]

MIXING = frozenset(["DynamicQuantizeLinear", "DynamicQuantizeMatMul"])


@dataclass(frozen=True, slots=True)
class Vectors:
    """One set of inputs by name and the expected outputs by name; the empty name is the first output."""

    inputs: dict[str, Array]
    outputs: dict[str, Array]

    @property
    def batch(self) -> int:
        return len(next(iter(self.inputs.values())))


def vectors_of(folder: Path) -> Iterator[Vectors]:
    """The sets of inputs and outputs stored beside a network."""
    if (folder / "vectors.npz").exists():
        stored = np.load(folder / "vectors.npz")
        sets: dict[str, tuple[dict[str, Array], dict[str, Array]]] = {}
        for key in stored.files:
            number, kind, name = re.fullmatch(r"(\d+)_(in|out\d*)(?:_(.*))?", key).groups()  # type: ignore[union-attr]
            inputs, outputs = sets.setdefault(number, ({}, {}))
            (inputs if kind == "in" else outputs)[name or ""] = stored[key]
        yield from (Vectors(*found) for found in sets.values())
    elif (folder / "expected.npz").exists():
        given, expected = np.load(folder / "inputs.npz"), np.load(folder / "expected.npz")
        tokens, logits = given[given.files[0]], expected["logits"]
        lengths = (tokens != -1).sum(axis=1)
        for n in np.unique(lengths):
            chosen = np.flatnonzero(lengths == n)
            rows = logits[chosen]
            per_position = rows.ndim == 3 or (rows.ndim == 2 and rows.shape[1] == tokens.shape[1])
            yield Vectors({given.files[0]: tokens[chosen, :n]}, {"": rows[:, :n] if per_position else rows})


def unusual(network: RealNetwork, vectors: Vectors) -> list[str]:
    """The inputs beside the network's own that do not have the values the reader assumes for them."""
    fed = {given.name for given in network.inputs}
    others = [name for name in vectors.inputs if name not in fed]
    return [name for name in others if not (vectors.inputs[name] == (0 if "type" in name else 1)).all()]


def rows_bound(path: Path, vectors: Vectors, names: list[str], options: Mapping[str, Any]) -> dict[str, Array]:
    """The outputs of a set whose inputs `names` are bound, row by row."""
    symbols: dict[str, Any] = {}
    for value in onnx.load(str(path), load_external_data=False).graph.input:
        dims = value.type.tensor_type.shape.dim
        for place, dim in enumerate(dims):
            if dim.dim_param and value.name in vectors.inputs:
                symbols[dim.dim_param] = vectors.inputs[value.name].shape[place] if place else 1
    found: list[dict[str, Array]] = []
    for row in range(vectors.batch):
        own = {name: array[row : row + 1] for name, array in vectors.inputs.items()}
        bind = {**symbols, **{name: own[name] for name in names}}
        network = read(path, whole=True, **options, bind=bind)
        found.append(find_outputs(network, Vectors(own, {})))
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def find_outputs(network: RealNetwork, vectors: Vectors) -> dict[str, Array]:
    """The outputs by name on one set."""
    batch = vectors.batch
    letters = next((node for node in network.nodes if isinstance(node, Letters)), None)
    if letters is not None:
        rows = [vectors.inputs[given.name] * given.stride for given in network.inputs if given.count]
        words = np.add.reduce([row.reshape(batch, -1).astype(np.int64) for row in rows])
        n, values = words.shape[1], evaluate(network, words=words)
    else:
        features, n = {}, 1
        nodes = {node.name: node for node in network.features}
        for given in network.inputs:
            node, array = nodes[given.node], vectors.inputs[given.name]
            if not node.n_positions and array.size == node.size:
                batch = 1
            n = array.shape[1] if node.n_positions else n
            features[node.name] = array.reshape(batch, *(n,) * node.n_positions, node.size)
        values = evaluate(network, features=features)
    return {tensor.name: assemble(tensor, n, values, batch) for tensor in network.outputs}


def error_of(expected: Array, found: Array) -> str:
    """How far the found output is from the expected one."""
    if found.size != expected.size:
        return f"shape {found.shape} for {expected.shape}"
    known = ~np.isnan(expected.astype(np.float64))
    wanted, got = expected.astype(np.float64)[known], found.reshape(expected.shape).astype(np.float64)[known]
    if expected.dtype.kind in "iub":
        return f"{int((wanted != np.rint(got)).sum())} of {wanted.size} unequal"
    return f"{float(np.max(np.abs(wanted - got) / np.maximum(1.0, np.abs(wanted)), initial=0.0)):.1e}"


def check(path: Path, options: Mapping[str, Any]) -> str:
    """Import one file and compare it with its vectors: one line of the table."""
    started = time.perf_counter()
    network = read(path, whole=True, **options)
    seconds = time.perf_counter() - started
    model = onnx.load(str(path), load_external_data=False)
    mixes = any(node.op_type in MIXING for node in model.graph.node)
    stored = {tensor.name for tensor in model.graph.initializer}
    first = next(value for value in model.graph.input if value.name not in stored).type.tensor_type.shape.dim
    errors, lengths = [], []
    for vectors in vectors_of(path.parent):
        fitting = network
        if mixes and vectors.batch > 1:
            if network.alphabet_size:
                errors.append("mixed batch")
                continue
            fitting = read(path, whole=True, **options, bind={first[0].dim_param: vectors.batch})
        shape = next(iter(vectors.inputs.values())).shape
        lengths.append("x".join(map(str, shape[:2] if network.alphabet_size else shape)))
        names = unusual(network, vectors)
        try:
            found = rows_bound(path, vectors, names, options) if names else find_outputs(fitting, vectors)
        except FomError as error:
            errors.append(error.diagnostics[0].code)
            continue
        first_output = fitting.outputs[0].name
        errors += [error_of(array, found[name or first_output]) for name, array in vectors.outputs.items()]
    domain = f"{network.domain.least}..{network.domain.most or ''}"
    return f"{seconds:6.2f} s  errors {', '.join(errors) or 'none stored'}  at {' '.join(lengths)}  n {domain}"


def main() -> None:
    """Print one line for each file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--models", default="")
    parser.add_argument("--alphabet", type=int)
    parser.add_argument("--longest", type=int)
    given = parser.parse_args()
    options = {"alphabet_size": given.alphabet, "longest": given.longest}
    for folder in given.folders:
        for path in sorted(folder.glob("*/*.onnx")):
            name = f"{path.parent.name}/{path.stem}"
            if not re.search(given.models, name):
                continue
            try:
                line = check(path, options)
            except FomError as error:
                line = "; ".join(f"{d.code} {d.message} ({d.where})" for d in error.diagnostics[:3])
            print(f"{name:50s} {line}", flush=True)


if __name__ == "__main__":
    main()
