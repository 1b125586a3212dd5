"""Definitions written in another way: the script is unsatisfiable if they mean the same, and satisfiable if they do not."""

from __future__ import annotations

import pytest
import z3

from circuits.network_to_family import network_to_family
from logic.checker.definitions import replay_sentence
from logic.checker.record import Record, Rejected
from logic.family_to_sentence import decision_labels, default_decision, family_to_sentence
from logic.parser import parse
from logic.printer import to_ascii
from tests.logic.test_checker_tampering import small_network

FAMILY = network_to_family(small_network())
TEXT = to_ascii(family_to_sentence(FAMILY))
DECIDED = decision_labels(FAMILY)[default_decision(FAMILY)]


def scripts(old: str, new: str) -> list[str]:
    """The scripts that the sentence needs with another text in place of one."""
    assert TEXT.count(old) == 1
    record = Record()
    replay_sentence(FAMILY, parse(TEXT.replace(old, new), "changed"), record, DECIDED)
    return list(record.obligations.values())


def unsatisfiable(script: str) -> bool:
    solver = z3.Solver()
    solver.from_string(script)
    return bool(solver.check() == z3.unsat)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("3*[a(x)] - 5*[b(x)]", "3 - 8*[b(x)]", True),
        ("3*[a(x)] - 5*[b(x)]", "3 - 7*[b(x)]", False),
        ("3*[a(x)] - 5*[b(x)]", "3*[a(x)] - 5*[b(x) & !a(x)]", True),
        ("3*[a(x)] - 5*[b(x)]", "3*[a(x) | b(x)] - 5*[b(x)]", False),
        ("t[0]() >= 2;", "!(t[0]() <= 1);", True),
        ("t[0]() >= 2;", "t[0]() >= 2 & t[0]() >= 1;", True),
        ("t[0]() >= 2;", "t[0]() >= 2 & t[0]() >= 3;", False),
        ("t[0]() >= 2;", "t[0]() >= 3 | t[0]() >= 2;", True),
        ("t[0]() >= 2;", "t[0]() >= 2 <-> t[0]() >= 0;", False),
        ("4*[r[0].2]", "4*[r[0].2 & (r[0].1 -> r[0].2)]", True),
        ("4*[r[0].2]", "4*[r[0].2 & (r[0].2 -> r[0].1)]", False),
    ],
)
def test_rewritten_definitions(old: str, new: str, same: bool) -> None:
    found = scripts(old, new)
    assert all(map(unsatisfiable, found)) == same
    assert found or same


def test_what_is_not_linear_in_what_it_reads_is_rejected() -> None:
    with pytest.raises(Rejected, match="neither the circuit's element nor linear"):
        scripts("3*[a(x)] - 5*[b(x)]", "3*[exists y. (a(y) & b(y))] - 5*[b(x)]")
