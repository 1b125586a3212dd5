"""Attention with every kind of mask, cache and window against ONNX's reference; along the sequence against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from circuits.diagnostics import FomError
from tests.translator.reading.differential import check, ours, single
from tests.translator.reading_graphs import WIDTH, Step, build, save
from translator.reading import read
from translator.real_evaluate import evaluate, outputs

RNG = np.random.default_rng(8)
FLOAT = TensorProto.FLOAT
BATCH, HEADS, ROWS, COLUMNS, SIZE = 2, 4, 3, 5, 6


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def operands(own: int = HEADS, rows: int = ROWS, columns: int = COLUMNS) -> list[np.ndarray | None]:
    return [normal(BATCH, HEADS, rows, SIZE), normal(BATCH, own, columns, SIZE), normal(BATCH, own, columns, 2)]


def attend(
    inputs: list[Any], constants: tuple[int, ...] = (), opset: int = 25, stages: int = 1, **attributes: Any
) -> None:
    check(
        "Attention",
        inputs,
        constants=constants,
        runtime=False,
        opset=opset,
        outputs=[FLOAT] * stages,
        **attributes,
    )


MASKS: dict[str, np.ndarray] = {
    "truth": RNG.random((ROWS, COLUMNS)) < 0.6,
    "row": np.array([True, False, True, True, False]),
    "dead": np.array([[True] * COLUMNS, [False] * COLUMNS, [False, True, False, True, True]]),
    "heads": RNG.random((BATCH, HEADS, ROWS, COLUMNS)) < 0.5,
    "short": RNG.random((ROWS, COLUMNS - 2)) < 0.7,
    "numbers": RNG.normal(size=(HEADS, 1, COLUMNS)).astype(np.float32),
    "short_numbers": RNG.normal(size=(1, 1, ROWS, COLUMNS - 2)).astype(np.float32),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("constants", [(), (3,), (0, 1)])
@pytest.mark.parametrize("causal", [0, 1])
def test_masks(mask: str, constants: tuple[int, ...], causal: int) -> None:
    if causal and mask in ("row", "numbers"):
        return  # the reference implementation takes the number of queries from the mask
    attend([*operands(), MASKS[mask]], constants, is_causal=causal)


@pytest.mark.parametrize("mask", ["row", "numbers"])
@pytest.mark.parametrize("constants", [(), (3,)])
def test_one_row_of_a_mask_counts_for_all_queries(mask: str, constants: tuple[int, ...]) -> None:
    inputs = operands()
    wide = np.broadcast_to(MASKS[mask], (HEADS, ROWS, COLUMNS)).copy()
    found, wanted = (
        ours(single("Attention", given, constants=constants, opset=24, is_causal=1), given, constants)[0]
        for given in ([*inputs, MASKS[mask]], [*inputs, wide])
    )
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_a_stored_mask_of_infinities_with_a_dead_row() -> None:
    mask = np.where(MASKS["dead"], 0.5, -np.inf).astype(np.float32)
    attend([*operands(), mask], (3,))


@pytest.mark.parametrize("own", [1, 2, 4])
@pytest.mark.parametrize("causal", [0, 1])
def test_groups_of_heads_with_a_cache(own: int, causal: int) -> None:
    past = [normal(BATCH, own, 2, SIZE), normal(BATCH, own, 2, 2)]
    attend([*operands(own), None, *past], stages=3, is_causal=causal, scale=0.3)


@pytest.mark.parametrize("constants", [(), (6,)])
@pytest.mark.parametrize("lengths", [[5, 2], [3, 1]])
@pytest.mark.parametrize("attributes", [{}, {"is_causal": 1}, {"left_window_size": 1, "right_window_size": 1}])
def test_lengths_of_an_outer_cache(constants: tuple[int, ...], lengths: list[int], attributes: dict[str, int]) -> None:
    attend([*operands(2), None, None, None, np.array(lengths, np.int64)], constants, **attributes)


@pytest.mark.parametrize("left", [-1, 0, 1])
@pytest.mark.parametrize("right", [-1, 0, 2])
@pytest.mark.parametrize("causal", [0, 1])
def test_windows(left: int, right: int, causal: int) -> None:
    past = [normal(BATCH, HEADS, 2, SIZE), normal(BATCH, HEADS, 2, 2)]
    given = [*operands(), RNG.random((ROWS, COLUMNS + 2)) < 0.8, *past]
    attend(given, is_causal=causal, left_window_size=left, right_window_size=right)
    rows = np.broadcast_to(MASKS["row"], (7, COLUMNS)).copy()
    attend([*operands(rows=7), rows], (3,), is_causal=causal, left_window_size=left, right_window_size=right)


@pytest.mark.parametrize("stage", [0, 1, 2, 3])
@pytest.mark.parametrize("softcap", [0.0, 1.5])
def test_stages_of_the_scores(stage: int, softcap: float) -> None:
    if stage == 0 and softcap:
        return  # the reference implementation answers with the capped scores, against its text
    inputs = [*operands(), MASKS["numbers"]]
    attributes: dict[str, Any] = {"softcap": softcap} if softcap else {}
    attend(inputs, stages=4, qk_matmul_output_mode=stage, **attributes)


def test_masked_scores_are_no_output() -> None:
    with pytest.raises(FomError) as caught:
        attend([*operands(), MASKS["truth"]], stages=4, qk_matmul_output_mode=2)
    assert caught.value.diagnostics[0].code == "N037"


def test_packed_heads() -> None:
    inputs = [normal(BATCH, ROWS, 8), normal(BATCH, COLUMNS, 4), normal(BATCH, COLUMNS, 6)]
    attend([*inputs, MASKS["truth"]], q_num_heads=4, kv_num_heads=2, softcap=2.0)


ALONG: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"is_causal": 1},
    "groups": {"is_causal": 1, "kv_num_heads": 1},
    "window": {"left_window_size": 2, "right_window_size": 0},
    "both": {"left_window_size": 1, "right_window_size": 1, "softcap": 3.0},
}


def along(steps: list[Step], weights: dict[str, Any], tmp_path: Path, opset: int, lengths: tuple[int, ...]) -> None:
    """Compare with ONNX's reference implementation at several lengths."""
    model = build(
        [*steps, ("Einsum", "y", "out", {"equation": "bnd->bd"})], ("out", ["batch", WIDTH]), weights, opset=opset
    )
    network = read(save(model, tmp_path))
    reference = ReferenceEvaluator(model)
    for n in lengths:
        words = RNG.integers(0, 3, (3, n))
        expected = np.concatenate([np.asarray(*reference.run(None, {"tokens": word[None]})) for word in words])
        np.testing.assert_allclose(outputs(network, words=words), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ALONG)
def test_attention_along_the_sequence(name: str, tmp_path: Path) -> None:
    given = {"q_num_heads": 2, "kv_num_heads": 2, **ALONG[name]}
    own = WIDTH // 2 * given["kv_num_heads"]
    weights = {"wk": normal(WIDTH, own), "wv": normal(WIDTH, own)}
    steps: list[Step] = [("MatMul", "h wk", "k"), ("MatMul", "h wv", "v"), ("Attention", "h k v", "y", given)]
    along(steps, weights, tmp_path, 25, (1, 2, 5))


@pytest.mark.parametrize("attributes", [{}, {"is_causal": 1}, {"left_window_size": 1}])
def test_the_sequence_attends_to_stored_keys(attributes: dict[str, Any], tmp_path: Path) -> None:
    weights = {"k": normal(1, 3, WIDTH), "v": normal(1, 3, WIDTH)}
    steps: list[Step] = [("Attention", "h k v", "y", {"q_num_heads": 2, "kv_num_heads": 2, **attributes})]
    along(steps, weights, tmp_path, 25, (1, 2, 6))


@pytest.mark.parametrize("attributes", [{}, {"is_causal": 1}, {"is_causal": 1, "left_window_size": 2}])
def test_stored_cache_before_the_sequence(attributes: dict[str, Any], tmp_path: Path) -> None:
    weights = {"pk": normal(1, 2, 3, 2), "pv": normal(1, 2, 3, 2)}
    steps: list[Step] = [
        ("Attention", "h h h _ pk pv", "y keys values", {"q_num_heads": 2, "kv_num_heads": 2, **attributes})
    ]
    along(steps, weights, tmp_path, 25, (1, 2, 5))


def test_a_mask_of_letters_leaves_rows_empty(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Equal", "tokens letter", "m0"),
        ("Unsqueeze", "m0 inner", "m"),
        ("Attention", "h h h m", "y", {"q_num_heads": 1, "kv_num_heads": 1, "is_causal": 1, "scale": 1.0}),
        ("Einsum", "y", "out", {"equation": "bnd->bd"}),
    ]
    weights = {"letter": np.array(1), "inner": np.array([1, 2])}
    network = read(save(build(steps, ("out", ["batch", WIDTH]), weights, opset=24), tmp_path))
    for word in ([1], [0], [0, 1], [1, 0, 2], [2, 1, 0, 1]):
        h = evaluate(network, words=np.array([word]), wanted=["h"])["h"][0]
        allowed = np.tril(np.tile(np.array(word) == 1, (len(word), 1)))
        weight = np.where(allowed, np.exp(h @ h.T), 0.0)
        total = weight.sum(axis=1, keepdims=True)
        expected = (np.where(total > 0, weight / np.where(total > 0, total, 1.0), 0.0) @ h).sum(axis=0)
        np.testing.assert_allclose(outputs(network, words=np.array([word]))[0], expected, rtol=1e-9, atol=1e-12)


ROTATIONS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5, 8), {}),
    ((2, 3, 5, 8), {"interleaved": 1}),
    ((2, 3, 5, 8), {"rotary_embedding_dim": 4, "interleaved": 1}),
    ((2, 5, 24), {"num_heads": 3}),
    ((2, 5, 24), {"num_heads": 3, "rotary_embedding_dim": 4}),
]


@pytest.mark.parametrize(("shape", "attributes"), ROTATIONS)
@pytest.mark.parametrize("constants", [(), (1, 2), (1, 2, 3)])
@pytest.mark.parametrize("placed", [False, True])
def test_rotations(
    shape: tuple[int, ...], attributes: dict[str, Any], constants: tuple[int, ...], placed: bool
) -> None:
    half = (attributes.get("rotary_embedding_dim") or 8) // 2
    table = (7, half) if placed else (2, 5, half)
    inputs: list[Any] = [normal(*shape), normal(*table), normal(*table)]
    if placed:
        inputs.append(RNG.integers(0, 7, (2, 5)))
    check(
        "RotaryEmbedding",
        inputs,
        constants=[c for c in constants if c < len(inputs)],
        opset=23,
        runtime=False,
        **attributes,
    )
