"""And-inverter graphs: their order, their levels, and their meaning, against an evaluation AND by AND."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import aig as graphs
from circuits.aig import Aig
from circuits.diagnostics import FomError


def literals(*numbers: int) -> Any:
    return np.array(numbers, dtype=np.int64)


@st.composite
def graphs_of(draw: st.DrawFn) -> Aig:
    n_inputs = draw(st.integers(0, 5))
    pairs = []
    for k in range(draw(st.integers(0, 30))):
        literal = st.integers(0, 2 * (n_inputs + 1 + k) - 1)
        pairs.append(sorted((draw(literal), draw(literal)), reverse=True))
    literal = st.integers(0, 2 * (n_inputs + 1 + len(pairs)) - 1)
    left, right = literals(*(pair[0] for pair in pairs)), literals(*(pair[1] for pair in pairs))
    return Aig(n_inputs, left, right, literals(*draw(st.lists(literal, max_size=4))))


def meaning(aig: Aig, bits: Any) -> list[bool]:
    """One AND after the other."""
    values = [False, *map(bool, bits)]
    for left, right in zip(aig.left, aig.right, strict=True):
        values.append((values[left // 2] != bool(left % 2)) and (values[right // 2] != bool(right % 2)))
    return [values[literal // 2] != bool(literal % 2) for literal in aig.outputs]


def depths(aig: Aig) -> list[int]:
    levels = [0] * (aig.n_inputs + 1)
    for left, right in zip(aig.left, aig.right, strict=True):
        levels.append(1 + max(levels[left // 2], levels[right // 2]))
    return levels


@given(graphs_of(), st.integers(0, 200), st.integers(0, 1 << 30))
def test_evaluation_is_the_definition(aig: Aig, cases: int, seed: int) -> None:
    aig.check()
    bits = np.random.default_rng(seed).random((cases, aig.n_inputs)) < 0.5
    found = aig.evaluate(bits)
    assert found.shape == (cases, len(aig.outputs))
    assert found.tolist() == [meaning(aig, row) for row in bits]


@given(graphs_of())
def test_levels_are_longest_paths(aig: Aig) -> None:
    levels = depths(aig)
    assert aig.levels.tolist() == levels
    assert aig.depth == max((levels[literal // 2] for literal in aig.outputs), default=0)


def test_evaluation_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "WORDS_IN_MEMORY", 1)
    aig = Aig(2, literals(4), literals(3), literals(6, 7, 1))
    bits = np.random.default_rng(0).random((150, 2)) < 0.5
    assert aig.evaluate(bits).tolist() == [meaning(aig, row) for row in bits]


@pytest.mark.parametrize(
    ("aig", "words"),
    [
        (Aig(2, literals(2), literals(4), literals()), "the literals 2 and 4"),
        (Aig(2, literals(6), literals(4), literals()), "the literals 6 and 4"),
        (Aig(2, literals(4), literals(-2), literals()), "the literals 4 and -2"),
        (Aig(2, literals(4), literals(2), literals(8)), "literal 8 is not below 8"),
        (Aig(2, literals(4), literals(2, 2), literals()), "two literals"),
        (Aig(2, np.zeros(1, dtype=np.int32), literals(0), literals()), "int64"),
    ],
)
def test_a_graph_out_of_order_is_refused(aig: Aig, words: str) -> None:
    with pytest.raises(FomError, match=words):
        aig.check()


def test_inputs_of_another_number_are_refused() -> None:
    with pytest.raises(FomError, match="C040"):
        Aig(2, literals(4), literals(2), literals(6)).evaluate(np.zeros((1, 3), dtype=bool))
