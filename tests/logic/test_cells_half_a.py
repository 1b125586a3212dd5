"""The network of `examples/half_a` is wrong for the first time at length 33, and what it decides is known for every length."""

from pathlib import Path

import numpy as np
import pytest

import translator
from circuits.network import Network
from logic.comparing import cells
from logic.comparing.cells import Cells
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import seconds
from logic.comparing.problem import Problem
from translator.specification import read_specification

MODEL = Path(__file__).resolve().parents[2] / "examples" / "half_a" / "model.onnx"
MORE_B = "~M i. a(i)"


@pytest.fixture(scope="module")
def network() -> Network:
    return translator.translate(str(MODEL), precision="fixed:*.4").network


@pytest.mark.parametrize("enumerated", [-1, cells.ENUMERATED])
def test_the_first_difference_has_33_letters(
    network: Network, enumerated: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "ENUMERATED", enumerated)
    problem = Problem(network, read_specification(MORE_B, network))
    assert Exhaustive().decide(problem, range(1, 13), seconds(60)).word is None
    found = Cells().decide_all(problem, seconds(60))
    assert found.word is not None
    assert sorted(found.word.tolist()) == [0] * 16 + [1] * 17
    assert problem.differs(found.word[None])[0]
    assert not problem.differs(np.repeat([[0, 1]], [15, 16], axis=1))[0]


def test_what_it_decides_instead_holds_at_every_length(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "ENUMERATED", -1)
    exact = Problem(network, read_specification("32*#i[b(i)] - 32*#i[a(i)] > n", network))
    assert Cells().decide_all(exact, seconds(60)).everywhere
    tie = Problem(network, read_specification("32*#i[b(i)] - 32*#i[a(i)] >= n", network))
    found = Cells().decide_all(tie, seconds(60)).word
    assert found is not None
    assert len(found) == 64
