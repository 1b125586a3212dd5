"""What the choices of depth promise, on an attention head and on single parts."""

from __future__ import annotations

import pytest

from benchmarks.depth import MOST_LEVELS, PARTS, levels_added, one_gate_for_each_bit, part
from circuits.circuit import instantiate
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from tests.circuits.small import attention


@pytest.mark.parametrize("choice", DEPTH_CHOICES)
def test_the_depth_of_an_attention_head_does_not_depend_on_the_length(choice: str) -> None:
    family = network_to_family(attention(2, 4), choice)
    assert {instantiate(family, n).depth for n in (2, 3, 5)} == {family.depth}


def test_levels_that_rounding_points_add() -> None:
    network = attention(2, 4)
    added = {choice: levels_added(network, network_to_family(network, choice)) for choice in DEPTH_CHOICES}
    assert added["shallow"][0] == {
        "Round": 2,
        "Round of a product": 3,
        "Maximum": 3,
        "Table": 2,
        "Quotient of a product": 3,
    }
    assert max(added["shallow"][0].values()) == MOST_LEVELS
    assert added["compact"][0]["Round"] == 4
    assert added["compact"][0]["Quotient of a product"] == 1 + 4 + 3
    assert {points for _, points in added.values()} == {6}


def test_compact_words_have_one_gate_for_each_bit() -> None:
    network = attention(2, 4)
    families = [network_to_family(network, choice) for choice in DEPTH_CHOICES]
    assert [one_gate_for_each_bit(network, family) for family in families] == [True, False, False]


@pytest.mark.parametrize("name", PARTS)
def test_parts_trade_gates_for_levels(name: str) -> None:
    for p in (4, 7):
        compact, balanced, shallow = (part(name, p, choice) for choice in DEPTH_CHOICES)
        assert compact.gates < balanced.gates < shallow.gates
        assert shallow.depth <= MOST_LEVELS < balanced.depth <= compact.depth
    assert part(name, 4, "balanced").depth == part(name, 9, "balanced").depth
