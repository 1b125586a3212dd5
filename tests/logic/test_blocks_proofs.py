"""Proofs of arithmetic blocks: complete on what is built, open on every block that differs in one number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from circuits import blocks
from circuits.blocks import Block
from circuits.entries import Gates
from circuits.family_text import family_of_text, family_to_text
from circuits.matrices import Matrix, canonical
from circuits.network import Affine, Maximum, Network, Node, Product, Quotient, Round, Table
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from circuits.sizes import size_polynomials
from logic.family_to_sentence import family_to_sentence
from logic.proving.blocks import SPECIFICATIONS, prove_block
from logic.proving.circuit_sentence import prove_circuit_sentence
from logic.proving.session import Session
from logic.smt.lemmas import Answer, Build, Undecided
from logic.verdicts import Lemma

Make = Callable[[], Block]

PROVED: list[Make] = [
    lambda: blocks.comparison(16),
    lambda: blocks.comparison(32),
    lambda: blocks.comparison_small_weights(8),
    lambda: blocks.addition(16),
    lambda: blocks.look_ahead(1),
    lambda: blocks.look_ahead(32),
    lambda: blocks.addition_small_weights(1),
    lambda: blocks.addition_small_weights(8),
    lambda: blocks.iterated_addition(8, 8),
    lambda: blocks.counting(16),
    lambda: blocks.multiplication(8),
    lambda: blocks.maximum_of_pairs(5, 4),
    lambda: blocks.sorting(4, 2),
    lambda: blocks.majority(31),
    lambda: blocks.parity(32),
    lambda: blocks.symmetric([3, 0, 2, 7, 7, 1]),
    lambda: blocks.symmetric([1, 1, 1]),
    lambda: blocks.table([number * number % 11 for number in range(64)]),
    lambda: blocks.normal_form([number * number % 11 for number in range(64)]),
    lambda: blocks.rounding(16, 6, 4),
    lambda: blocks.rounding(16, 6, 4, "shallow"),
    lambda: blocks.quotient(10, 6, 4, "balanced"),
    lambda: blocks.maximum(5, 4),
    lambda: blocks.maximum(5, 4, "shallow"),
]

SMALL: list[Make] = [
    lambda: blocks.comparison(3),
    lambda: blocks.comparison_small_weights(3),
    lambda: blocks.addition(3),
    lambda: blocks.look_ahead(3),
    lambda: blocks.addition_small_weights(2),
    lambda: blocks.iterated_addition(2, 2),
    lambda: blocks.multiplication(2),
    lambda: blocks.maximum_of_pairs(3, 2),
    lambda: blocks.sorting(3, 1),
    lambda: blocks.majority(4),
    lambda: blocks.symmetric([3, 0, 2, 7, 7, 1]),
    lambda: blocks.table([0, 3, 3, 5, 1, 1, 2, 0]),
    lambda: blocks.normal_form([0, 3, 3, 5, 1, 1, 2, 0]),
    lambda: blocks.rounding(5, 3, 1),
    lambda: blocks.quotient(5, 3, 3),
    lambda: blocks.maximum(3, 2),
]


@pytest.mark.parametrize("place", range(len(PROVED)))
def test_a_block_is_proved(place: int) -> None:
    proof = prove_block(PROVED[place]())
    assert proof.complete, proof.open


def test_every_kind_of_block_is_proved() -> None:
    names = {make().name.rsplit(", ", 1)[0] for make in PROVED} | {make().name for make in PROVED}
    assert set(SPECIFICATIONS) <= names


def test_the_obligations_can_be_written_out() -> None:
    scripts: list[tuple[str, str]] = []
    proof = prove_block(blocks.addition(3), lambda statement, script: scripts.append((statement, script)))
    assert len(scripts) == proof.by_method()["z3"] >= 4
    assert all("(set-logic QF_LIA)" in script for _, script in scripts)


MOST_MUTANTS = 4
SOLVE = Session.solve


def until_trouble(session: Session, statement: str, build: Build) -> tuple[Answer, Lemma | None]:
    """Ask the solver no more once a proof has failed."""
    return (Undecided("the proof has failed"), None) if session.open else SOLVE(session, statement, build)


def changed(weights: Matrix, place: int, by: int) -> Matrix:
    """A matrix with another weight in one place that it has."""
    data = weights.data.copy()
    data[place] += by
    return canonical(type(weights)((data, weights.indices, weights.indptr), shape=weights.shape))


def variants(node: Node) -> Iterator[Node]:
    """The node with one number changed, in some places."""
    match node:
        case Affine(operands=operands, const=const):
            for number, operand in enumerate(operands):
                for place, by in ((0, 1), (operand.matrix.nnz // 2, -1)) if operand.matrix.nnz else ():
                    other = replace(operand, matrix=changed(operand.matrix, place, by))
                    yield replace(node, operands=(*operands[:number], other, *operands[number + 1 :]))
            for row, by in ((0, -1), (len(const) - 1, 1)):
                moved = const.copy()
                moved[row] += by
                yield replace(node, const=moved)
        case Table(codes=codes, breaks=breaks):
            yield replace(node, codes=codes[::-1].copy(), breaks=breaks + 1)
        case Product(left_index=index):
            yield replace(node, left_index=np.roll(index, 1))
        case Round(shift=shift):
            yield replace(node, shift=shift + 1)
        case Quotient(shift=shift):
            yield replace(node, shift=shift + 1)
        case Maximum(groups=groups):
            yield replace(node, groups=groups[:, 1:].copy())
        case _:
            pass


def mutants(block: Block) -> Iterator[Block]:
    """Blocks whose network and family agree, but with one number changed."""
    nodes = block.network.nodes
    for place, node in enumerate(nodes):
        for other in variants(node):
            network = Network(
                (*nodes[:place], other, *nodes[place + 1 :]), block.network.readout, block.network.domain, ()
            )
            yield replace(block, network=network, family=network_to_family(network, block.family.depth_choice))


@pytest.mark.parametrize("place", range(len(SMALL)))
def test_no_wrong_block_is_proved(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    block = SMALL[place]()
    numbers = block.every_input()
    right = block.compute(numbers)
    assert prove_block(block).complete
    monkeypatch.setattr(Session, "solve", until_trouble)
    wrong = 0
    every = list(mutants(block))
    for mutant in every[:: 1 + len(every) // MOST_MUTANTS]:
        complete = prove_block(mutant).complete
        if not np.array_equal(mutant.compute(numbers), right):
            wrong += 1
            assert not complete, "a wrong block was proved"
    assert wrong


@pytest.mark.parametrize("place", range(len(SMALL)))
def test_no_family_that_differs_from_its_network_is_proved(place: int) -> None:
    block = SMALL[place]()
    entries = block.family.entries
    last = max(number for number, entry in enumerate(entries) if isinstance(entry, Gates))
    gates = entries[last]
    assert isinstance(gates, Gates)
    other = replace(gates, thresholds=gates.thresholds + 1)
    family = replace(block.family, entries=(*entries[:last], other, *entries[last + 1 :]))
    assert not prove_block(replace(block, family=family)).complete


def test_a_block_under_another_name_is_not_proved() -> None:
    for block, name in (
        (blocks.parity(4), "majority"),
        (blocks.comparison(3), "addition"),
        (blocks.rounding(4, 2, 1), "maximum"),
    ):
        assert not prove_block(replace(block, name=name)).complete
    look = blocks.look_ahead(3)
    nodes = [
        replace(n, operands=(replace(n.operands[0], ref=Ref("y")), *n.operands[1:]))
        if isinstance(n, Affine) and n.name == "local.sum"
        else n
        for n in look.network.nodes
    ]
    network = Network(tuple(nodes), look.network.readout, look.network.domain, ())
    assert not prove_block(replace(look, network=network, family=network_to_family(network, "shallow"))).complete


@pytest.mark.parametrize(
    "make", [lambda: blocks.addition(4), lambda: blocks.sorting(3, 2), lambda: blocks.quotient(6, 3, 3)]
)
def test_a_block_is_a_family_like_any_other(make: Make) -> None:
    family = make().family
    assert {str(size) for size in size_polynomials(family).values()} == {str(family.gates(9)), str(family.wires(9))}
    assert family_to_text(family_of_text(family_to_text(family))) == family_to_text(family)
    proof = prove_circuit_sentence(family, family_to_sentence(family))
    assert proof.complete, proof.open
