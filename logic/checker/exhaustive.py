"""Decisions on all inputs of some lengths, computed as the definitions say, with digests.

The network is evaluated node by node and the circuit gate by gate, as they are defined; the sentence by
`logic.checker.evaluator`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from circuits.circuit import instantiate
from circuits.entries import InputBits, label
from circuits.evaluate import evaluate_as_defined
from circuits.family import Family
from circuits.formats import BIT
from circuits.inputs import input_columns, input_limits
from circuits.network import Network
from logic import syntax as fo
from logic.checker.definitions import decision_bits
from logic.checker.evaluator import Array, Evaluator, letters_of
from logic.checker.record import Record, Rejected, require, sha256
from logic.semantics import deep_recursion

CHUNK = 1 << 9
MOST_WORDS = 1 << 22


def ranges(network: Network, n: int) -> tuple[Array, list[int]]:
    """The least value of each number of an input of a length, and how many values it has."""
    if network.inputs:
        low, high = input_limits(network.inputs)
        return low, (high - low + 1).tolist()
    return np.zeros(n, dtype=np.int64), [len(network.alphabet)] * n


def inputs(network: Network, n: int, chunk: int = CHUNK) -> Iterator[Array]:
    """All inputs of a length: words of letter numbers, or codes of a static input."""
    low, sizes = ranges(network, n)
    total = prod(sizes)
    require(total <= MOST_WORDS, f"length {n}", f"{total} inputs are more than are tried")
    for start in range(0, total, chunk):
        left = np.arange(start, min(start + chunk, total))
        columns = []
        for size in reversed(sizes):
            columns.append(left % size)
            left = left // size
        yield np.stack(columns[::-1], axis=1) + low if columns else np.zeros((1, 0), dtype=np.int64)


def atoms_of(family: Family, sentence: fo.Sentence, codes: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """Where letters stand in words, or which propositions hold for codes of a static input."""
    if not family.inputs:
        return letters_of(codes, family.alphabet), {}
    low, _ = input_limits(family.inputs)
    columns = input_columns(family.inputs)
    truth = {}
    for entry in family.entries:
        if isinstance(entry, InputBits):
            source = next(node for node in family.inputs if node.name == entry.base)
            bit = 0 if source.format == BIT else int(entry.name.rsplit(".", 1)[1])
            for element in range(entry.size):
                place = columns[entry.base].start + element
                truth[label(entry, element)] = (codes - low)[:, place] >> bit & 1 == 1
    return {name: np.zeros((len(codes), 1), dtype=bool) for name in sentence.letters}, truth


def replay_length(
    network: Network, family: Family, sentence: fo.Sentence, record: Record, decided: str, n: int
) -> dict[str, Any]:
    """Decide all inputs of a length by all three; the digests of their decision words and of the last formula.

    Raises:
        Rejected: naming an input on which two of them differ.
    """
    circuit, decision, bits = instantiate(family, n), network.decided.decision, decision_bits(family)
    format_ = family.decision_format
    hashed: dict[str, list[bytes]] = {"network": [], "circuit": [], "sentence": [], "formula": []}
    count = 0
    with deep_recursion():
        for codes in inputs(network, n):
            values = {
                "network": evaluate_as_defined(network, codes)[decision],
                "circuit": circuit.simulate_as_defined(codes)[decision],
            }
            found = Evaluator(sentence, (len(codes), n), *atoms_of(family, sentence, codes))
            truth = np.stack([found.tables[name] for name in bits], axis=-1).astype(np.int64)
            grouped = truth.reshape(*truth.shape[:-1], -1, format_.bits)
            values["sentence"] = grouped @ (1 << np.arange(format_.bits)) + format_.lo
            values["formula"] = found.formula
            for side in ("circuit", "sentence"):
                require_same(codes, values["network"], values[side], side)
            require_same(codes, truth[..., bits.index(decided), None], found.formula[..., None], "last formula")
            for side, value in values.items():
                hashed[side].append(np.ascontiguousarray(value).astype("<i8").tobytes())
            count += len(codes)
    record.count("inputs", count)
    return {"n": n, "inputs": count, **{side: sha256(b"".join(parts)) for side, parts in hashed.items()}}


def require_same(codes: Array, one: Array, two: Array, side: str) -> None:
    """Require equal decisions."""
    if one.shape != two.shape:
        raise Rejected(f"the {side}", "its decisions have another shape")
    wrong = np.flatnonzero((one != two).reshape(len(codes), -1).any(axis=1))
    if len(wrong):
        raise Rejected(f"the {side}", f"it decides otherwise on input {codes[wrong[0]].tolist()}")
