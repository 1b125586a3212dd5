"""A family that was changed is rejected by the replay of network = circuit, even if the sentence was changed with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from circuits.family import Family
from logic.certificate.lines import denominator_lines
from logic.checker.composition import replay_network
from logic.checker.forms import Reader
from logic.checker.record import Record, Rejected
from tests.logic.test_network_circuit import CASES, NETWORKS, built, keeps_contracts, mutants


def accepted(name: str, family: Family, lines: dict[str, object]) -> bool:
    try:
        replay_network(NETWORKS[name](), family, Record(), lines)
    except Rejected:
        return False
    return True


def lines_of(name: str, depth: str) -> dict[str, object]:
    network = NETWORKS[name]()
    return dict(denominator_lines(Reader(network, built(name, depth)), network))


def check_mutants(name: str, depth: str, tried: Iterable[tuple[str, Family]]) -> None:
    """No mutant with another behaviour is accepted."""
    lines, outcomes = lines_of(name, depth), []
    for what, family in tried:
        outcomes.append(accepted(name, family, lines))
        assert not outcomes[-1] or keeps_contracts(name, family), what
    assert outcomes.count(False) >= len(outcomes) // 4 > 0


@pytest.mark.parametrize(("name", "depth"), CASES)
def test_what_is_built_is_accepted(name: str, depth: str) -> None:
    assert accepted(name, built(name, depth), lines_of(name, depth))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
@pytest.mark.parametrize(("name", "depth"), CASES)
def test_no_mutant_that_differs_is_accepted(name: str, depth: str, seed: int) -> None:
    check_mutants(name, depth, mutants(name, depth, seed))


@pytest.mark.parametrize(
    ("name", "node"),
    [("attention", "a"), ("attention", "m"), ("attention", "ev"), ("pooling", "r"), ("pooling", "mix")],
)
def test_changed_quotients_maxima_and_products_are_rejected(name: str, node: str) -> None:
    depth = CASES[0][1]
    changed = [one for one in mutants(name, depth, 31) if one[0].split()[2].split(".")[0] == node]
    check_mutants(name, depth, changed[:4])
