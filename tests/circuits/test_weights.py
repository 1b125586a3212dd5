"""Weights: what a matrix is, told from a brute force, and networks whose sign matrices are written apart."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.circuit import instantiate
from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.matrices import canonical, matrix
from circuits.network import Affine, Domain, Letters, Network, Operand, Readout, Round, Table
from circuits.network_to_family import network_to_family
from circuits.positions import Ref, var
from circuits.weights import weights_of, with_sign_matrices

X = (var(0),)
BLOCK = np.array([[1, -1], [-1, -1]])


@pytest.mark.parametrize(
    ("array", "alphabet", "scale"),
    [
        (9 * BLOCK, "binary {-1, 1}", 9),
        (np.kron(np.eye(3, dtype=int), 9 * BLOCK), "binary {-1, 1}", 9),
        ([[7, 0], [-7, 7]], "ternary {-1, 0, 1}", 7),
        ([[7, 7], [7, 7]], "{1}", 7),
        ([[-7, 0], [-7, -7]], "{0, -1}", 7),
        ([[-128, 127], [3, 0]], "int8, 4 values", 1),
        ([[-512, 508], [12, 4]], "int8, 4 values", 4),
        ([[128, 1]], "fixed-point, 9 bits", 1),
        ([[-129, 1]], "fixed-point, 9 bits", 1),
        ([[0, 0]], "{0}", 0),
    ],
)
def test_alphabets(array: Any, alphabet: str, scale: int) -> None:
    found = weights_of(canonical(np.array(array)))
    assert (found.alphabet, found.scale) == (alphabet, scale)


@given(st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=5))
def test_places_are_those_of_the_blocks(rows: list[list[int]]) -> None:
    array = np.array(rows)
    block = np.arange(len(array) + 4)
    for _ in block:
        for i, j in zip(*np.nonzero(array), strict=True):
            block[[i, len(array) + j]] = min(block[i], block[len(array) + j])
    same = block[: len(array), None] == block[None, len(array) :]
    found = weights_of(canonical(array))
    assert found.places == int(same.sum())
    assert found.nonzero == np.count_nonzero(array)


def network_of(first: Any, second: Any, const: int = 0) -> Network:
    """Two affine maps of letters, one of them read at a shifted position, and their rounded sum."""
    size = len(first)
    zero = np.zeros(size, dtype=np.int64)
    word = Format(4, -8, 0)
    operands = (
        Operand(Ref("letters", X), canonical(np.array(first))),
        Operand(Ref("letters", (var(0) + -1,)), canonical(np.array(second))),
    )
    nodes = (
        Letters("letters", 3),
        Affine("sum", 1, size, operands, zero + const, zero, 0),
        Round("word", 1, size, Ref("sum", X), 0, word),
        Affine(
            "again", 1, 1, (Operand(Ref("word", X), matrix([0, 0], [0, 1], [3, -3], (1, size))),), zero[:1], zero[:1], 0
        ),
        Table("bit", 1, 1, Ref("again", X), np.array([4]), np.array([0, 1]), BIT),
    )
    return Network(nodes, Readout("logit", "bit", "again", None, 2, 1), Domain(), ("a", "b", "c"))


SIGNS, FULL = [[5, -5, 0], [0, 5, -5]], [[1, 2, 3], [-6, 5, 4]]


@pytest.mark.parametrize(
    ("first", "second", "added"),
    [
        (SIGNS, FULL, ["sum.signs", "again.signs"]),
        (FULL, SIGNS, ["sum.signs", "again.signs"]),
        (SIGNS, SIGNS, ["sum.signs", "sum.signs1", "again.signs"]),
        (FULL, FULL, ["again.signs"]),
        (np.array(SIGNS) // 5 * 4, FULL, ["again.signs"]),
        (np.abs(SIGNS), FULL, ["again.signs"]),
        ([[5, 0, 0], [0, -5, 0]], FULL, ["again.signs"]),
    ],
)
def test_signs_stand_apart_and_nothing_changes(first: Any, second: Any, added: list[str]) -> None:
    network = network_of(first, second, const=1)
    network.check()
    made = with_sign_matrices(network)
    made.check()
    assert [node.name for node in made.nodes if node.name not in network.by_name] == added
    for name in added:
        node = made.by_name[name]
        assert isinstance(node, Affine)
        assert set(node.operands[0].matrix.data.tolist()) == {-1, 1}
    words = np.array(list(product(range(3), repeat=4)))
    wanted = ("sum", "word", "again", "bit")
    before, after = evaluate(network, words, wanted), evaluate(made, words, wanted)
    assert all(np.array_equal(before[name], after[name]) for name in wanted)
    families = [network_to_family(one) for one in (network, made)]
    answers = [instantiate(family, 4).simulate(words)["bit"] for family in families]
    assert np.array_equal(answers[0], before["bit"])
    assert np.array_equal(answers[1], before["bit"])
    assert families[0].gates(4) == families[1].gates(4)
    assert families[0].depth == families[1].depth
