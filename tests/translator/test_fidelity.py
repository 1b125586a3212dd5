"""Fidelity is a count on a stated set of inputs, and bounds are those of the values that are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuits.evaluate import evaluate
from circuits.positions import FALSE, TRUE, AtLeast, Ref, conjunction, var
from circuits.readout import scores
from tests.translator.test_fixing import NETWORKS, network, words
from tests.translator.tiny_transformers import Shape, save
from translator import real
from translator.fidelity import InputSet, compare, consult, observe, restrict, words_up_to
from translator.fixing import fix
from translator.oracle import Oracle
from translator.precision import Precision
from translator.reading import read
from translator.real_evaluate import evaluate as evaluate_real
from translator.relevance import relevance

x, y = var(0), var(1)


def test_bounds_are_the_least_and_largest_values() -> None:
    given = NETWORKS["a shifted product"]
    inputs = InputSet(tuple(words(n) for n in (1, 2, 3)), "", 3)
    bounds = observe(given, inputs)
    for name, (low, high) in bounds.items():
        values = np.concatenate([evaluate_real(given, words(n), wanted=[name])[name].ravel() for n in (1, 2, 3)])
        assert (low, high) == (values.min(), values.max())


def test_bounds_leave_out_what_a_mask_hides(tmp_path: Path) -> None:
    """Scores above the diagonal of causal attention are computed by nobody."""
    given = read(save(Shape(causal=True, readout="last", gain=3.0, seed=1), tmp_path))
    used = relevance(given)
    hidden = [name for name, guard in used.items() if guard not in (TRUE, FALSE)]
    assert hidden
    inputs = words_up_to(given, 4)
    bounds = observe(given, inputs)
    for name in hidden:
        if given.node(name).n_positions != 2:
            continue
        kept = []
        for n in range(1, 5):
            values = evaluate_real(given, words(n), wanted=[name])[name]
            values = np.broadcast_to(values, (len(values), n, n, values.shape[-1]))
            kept.append(values[:, np.tril(np.ones((n, n), dtype=bool))].ravel())
        together = np.concatenate(kept)
        assert bounds[name] == (together.min(), together.max())


def test_relevance_follows_guards_to_the_last_position() -> None:
    guard = AtLeast(x - y)
    causal = network(
        real.Multiply("p", 2, Ref("e", (x,)), np.arange(2), Ref("e", (y,)), np.arange(2)),
        real.Sum("t", 1, 2, Ref("p", (x, y)), guard),
    )
    used = relevance(causal)
    assert used["p"] == conjunction(TRUE, guard)
    assert used["e"] == TRUE


def test_relevance_of_what_nobody_reads() -> None:
    idle = network(real.Map("idle", 1, 2, Ref("e", (x,)), NETWORKS_FUNCTION), real.Sum("t", 1, 2, Ref("e", (y,)), TRUE))
    assert relevance(idle)["idle"] == FALSE
    assert "idle" not in observe(idle, InputSet((words(2),), "", 2))


NETWORKS_FUNCTION = next(node.function for node in NETWORKS["an absolute value"].nodes if isinstance(node, real.Map))


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_comparing_counts_decisions_and_distances(tmp_path: Path, bits: int) -> None:
    path = save(Shape(norm="post", readout="max", seed=2), tmp_path)
    given = read(path)
    inputs = words_up_to(given, 4)
    made = fix(given, Precision(bits, None, 8), observe(given, inputs), ("a", "b"))
    reference = consult(Oracle(path, "classes", 0), inputs)
    found = compare(made, reference)
    agree, worst, first = 0, 0.0, None
    for group, logits in zip(inputs.groups, reference.logits, strict=True):
        ours = scores(made, evaluate(made, group))
        same = ours.argmax(axis=1) == logits.argmax(axis=1)
        agree += int(same.sum())
        worst = max(worst, float(np.abs(ours - logits).max()))
        if first is None and not same.all():
            first = " ".join("ab"[letter] for letter in group[int(np.argmin(same))])
    assert (found.inputs, found.agree, found.max_abs_error, found.example) == (inputs.count, agree, worst, first)
    assert found.complete == (agree == inputs.count)


def test_every_position_of_a_tagger_has_to_agree(tmp_path: Path) -> None:
    path = save(Shape(causal=True, readout="each", seed=3), tmp_path)
    given = read(path)
    inputs = words_up_to(given, 4)
    made = fix(given, Precision(2, None, 3), observe(given, inputs), ("a", "b"))
    oracle = Oracle(path, "classes", 1)
    found = compare(made, consult(oracle, inputs))
    agree = 0
    for group in inputs.groups:
        ours = scores(made, evaluate(made, group)).argmax(axis=-1)
        agree += int((ours == oracle.decisions(group)).all(axis=1).sum())
    assert (found.agree, found.inputs) == (agree, inputs.count)


def test_the_reference_on_a_sample_is_consulted_anew(tmp_path: Path) -> None:
    path = save(Shape(), tmp_path)
    given = read(path)
    oracle = Oracle(path, "classes", 0)
    reference = consult(oracle, words_up_to(given, 6))
    assert restrict(reference, reference.inputs, oracle) is reference
    sample = restrict(reference, reference.inputs.sample(40), oracle)
    assert sample.inputs.count <= 40
    rows = {tuple(row): logits for group, found in zip(reference.inputs.groups, reference.logits, strict=True)
            for row, logits in zip(group.tolist(), found, strict=True)}  # fmt: skip
    for group, found in zip(sample.inputs.groups, sample.logits, strict=True):
        for row, logits in zip(group.tolist(), found, strict=True):
            assert np.allclose(rows[tuple(row)], logits)
