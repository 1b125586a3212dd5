"""The direct connection language in FO(M): against the programs, by the reference semantics, and mutants that must be caught."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.network import Network
from circuits.network_to_family import network_to_family
from circuits.positions import TRUE, AtLeast, Congruent, Guard, Term, conjunction, holds, var
from circuits.uniformity import Description, describe
from circuits.uniformity.description import Places
from circuits.uniformity.graph import multiplicities
from circuits.uniformity.tables import Table
from logic.connection_check import same_language
from logic.connection_language import connection_language, edge_body
from logic.family_to_sentence import VARIABLES
from logic.semantics import Word, satisfies
from logic.syntax import Formula, Sum, at_least
from tests.circuits.small import attention
from tests.circuits.strategies import guards, networks


@cache
def head() -> Description:
    return describe(network_to_family(attention(2, 2), "compact"))


def has_value(body: Formula | Sum, params: tuple[str, ...], n: int, at: tuple[int, ...], value: int) -> bool:
    """Tell, by the definition of truth, whether a formula is 0 or 1, or a sum is a number."""
    word, values = Word(("",) * n), dict(zip(params, at, strict=True))
    if isinstance(body, Sum):
        return satisfies(word, at_least(body, value), values) and not satisfies(word, at_least(body, value + 1), values)
    return satisfies(word, body, values) == value


def how_often(places: Places, n: int, reader: tuple[int, ...], source: tuple[int, ...]) -> int:
    """How many wires lead between two tuples of positions, by trying every y."""
    tries = [(*reader, y) for y in range(1, n + 1)] if places.guard is not None else [reader]
    return sum(
        all(term.evaluate(n, values) == position for term, position in zip(places.at, source, strict=True))
        and (places.guard is None or bool(holds(places.guard, n, values)))
        for values in tries
    )


TERMS = (
    var(0),
    var(1),
    var(2),
    var(2) - 1,
    var(0) - var(2) + 3,
    var(2) * 2,
    Term((), 1, 0) - var(2) * 3,
    Term((), 0, 1),
)


@settings(max_examples=40)
@given(st.data(), st.booleans(), st.integers(1, 5))
def test_bodies_and_programs_are_the_definition(data: st.DataObject, bounded: bool, n: int) -> None:
    guard: Guard | None = data.draw(guards(3)) if bounded else None
    terms = [term for term in TERMS if bounded or 2 not in dict(term.coefs)]
    at = tuple(data.draw(st.lists(st.sampled_from(terms), max_size=2)))
    places = Places(2, at, guard)
    params, body = edge_body(places, len(at), "edge.t.s.0")
    assert params[:2] == VARIABLES[:2]
    assert isinstance(body, Sum) == places.counted
    program = multiplicities(places, len(at), n)
    for place in product(range(n), repeat=2 + len(at)):
        positions = tuple(one + 1 for one in place)
        often = how_often(places, n, positions[:2], positions[2:])
        assert program[place] == often
        assert has_value(body, params, n, positions, often)


@settings(max_examples=10)
@given(networks())
def test_languages_of_random_networks(network: Network) -> None:
    description = describe(network_to_family(network, "shallow"))
    language = connection_language(description)
    language.sentence.check()
    least = network.domain.least
    check = same_language(language, description, range(least, least + 4))
    assert check.holds, check.counterexample


def test_the_language_of_a_head() -> None:
    description = head()
    language = connection_language(description)
    check = same_language(language, description, range(1, 13))
    assert check.holds
    assert check.figures["edge formulas"] == sum(len(kind.rules) for kind in description.kinds)
    text = str(language.sentence)
    assert "let before.2(x, y, z, u) := x + 1 <= z | z = x & y + 1 <= u;" in text
    assert any(str(one.body) == "u = x & v <= x" for one in language.sentence.definitions)
    assert {f"node.{kind.name}" for kind in description.kinds} <= {one.name for one in language.sentence.definitions}


def test_too_many_positions_are_refused() -> None:
    places = Places(3, (var(0), var(1), var(2)), conjunction(Congruent(var(3), 2)))
    with pytest.raises(FomError, match="L065"):
        edge_body(places, 3, "edge.t.s.0")
    assert edge_body(Places(3, places.at), 3, "edge.t.s.0")[0] == VARIABLES


def mutants() -> list[tuple[str, Description]]:
    """Descriptions with one fault each in the first rule that sums over positions."""
    description = head()
    number, which = next(
        (number, which)
        for number, kind in enumerate(description.kinds)
        for which, rule in enumerate(kind.rules)
        if rule.places.guard not in (None, TRUE)
    )
    kind = description.kinds[number]
    rule = kind.rules[which]
    places = rule.places
    assert places.guard is not None
    changed = {
        "shifted term": [replace(rule, places=replace(places, at=(places.at[0] - 1, *places.at[1:])))],
        "changed bound": [replace(rule, places=replace(places, guard=AtLeast(var(0) - var(places.n_positions) - 1)))],
        "no guard": [replace(rule, places=replace(places, guard=TRUE))],
        "missing rule": [],
        "rule too many": [rule, rule],
        "changed weights": [replace(rule, table=Table(rule.table.matrix * 2))],
    }
    found = []
    for name, rules in changed.items():
        kinds = list(description.kinds)
        kinds[number] = replace(kind, rules=(*kind.rules[:which], *rules, *kind.rules[which + 1 :]))
        found.append((name, Description(tuple(kinds), description.layout)))
    return found


@pytest.mark.parametrize(("name", "wrong"), mutants())
def test_a_fault_in_a_rule_is_caught(name: str, wrong: Description) -> None:
    check = same_language(connection_language(head()), wrong, range(1, 5))
    assert not check.holds
    assert check.counterexample, name


def test_a_wrong_order_of_fields_is_caught() -> None:
    description = head()
    language = connection_language(description)
    orders = {one.name: one for one in language.sentence.definitions if one.name.startswith("before.")}
    swapped = replace(orders["before.1"], params=tuple(reversed(orders["before.1"].params)))
    definitions = tuple(swapped if one.name == "before.1" else one for one in language.sentence.definitions)
    wrong = replace(language, sentence=replace(language.sentence, definitions=definitions))
    assert "is not the order of ids" in same_language(wrong, description, [3]).counterexample
