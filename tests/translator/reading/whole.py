"""Whole outputs of a model with a sequence, against onnxruntime at several lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.translator.reading_graphs import session
from translator.feeding import feeding_of
from translator.reading import read
from translator.real import RealNetwork
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]


def evaluated(network: RealNetwork, inputs: Array) -> list[Array]:
    """The network's whole outputs on words ``(B, n)`` or sequences of vectors ``(B, n, size)``."""
    values = evaluate(network, inputs) if network.alphabet_size else evaluate(network, features=inputs)
    return [assemble(tensor, inputs.shape[1], values, len(inputs)) for tensor in network.outputs]


def same_as_runtime(
    path: Path, lengths: Sequence[int] = (1, 2, 3, 5, 8, 19), bind: Mapping[str, Any] | None = None, **options: Any
) -> RealNetwork:
    """Compare all outputs on random words; returns what was read."""
    network = read(path, whole=True, bind=bind, **options)
    runtime, feeding = session(path), feeding_of(network, bind or {})
    rng = np.random.default_rng(3)
    for n in lengths:
        words = rng.integers(0, network.alphabet_size, (3, n))
        expected = [runtime.run(None, feeding.inputs(runtime.get_inputs(), word[None])) for word in words]
        for number, found in enumerate(evaluated(network, words)):
            wanted = np.concatenate([outputs[number] for outputs in expected])
            assert found.shape[1:] == (1, *wanted.shape[1:]), (found.shape, wanted.shape)
            np.testing.assert_allclose(found[:, 0], wanted.astype(np.float64), rtol=1e-4, atol=1e-5)
    return network
