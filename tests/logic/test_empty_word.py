"""The empty word: every quantifier over it is decided, every count is 0, by both evaluators and in every dialect."""

from __future__ import annotations

import numpy as np
import pytest

from circuits.diagnostics import FomError
from logic import Word, evaluate, parse, satisfies
from logic.pure import to_pure
from logic.sentence_to_family import sentence_to_family

CASES = [
    ("exists x. a(x)", False),
    ("forall x. a(x)", True),
    ("M x. a(x)", True),
    ("~M x. ~a(x)", False),
    ("n = 0", True),
    ("a(1) | a(n) | a(0)", False),
    ("#x[a(x)] >= 1", False),
    ("#x[a(x)] >= 0", True),
    ("#x[true : 3] - n = 0", True),
    ("#x, y[a(x) & a(y)] >= n", True),
    ("let p(x) := true; p(1) | p(n)", False),
    ("let p := forall x. a(x); p", True),
    ("sum s(x) := 3; s(1) >= 1", False),
    ("sum s() := n + 2; s() = 2", True),
    ("bit(n, 1) | bit(n + 1, 2)", False),
    ("bit(n + 1, 1)", True),
]


@pytest.mark.parametrize(("text", "holds"), CASES)
def test_the_empty_word(text: str, holds: bool) -> None:
    sentence = parse(f"letters a; {text}")
    none = np.zeros((1, 0), dtype=np.int64)
    assert satisfies(Word(()), sentence) is holds
    assert evaluate(sentence, none)[""].tolist() == [holds]
    assert evaluate(sentence.simplified().sentence, none)[""].tolist() == [holds]
    if "#x, y" not in text:
        for minimal in (False, True):
            assert evaluate(to_pure(sentence, minimal), none)[""].tolist() == [holds]


def test_families_of_sentences_begin_at_one() -> None:
    """A circuit needs a bit to read: the empty word is outside of the domain, and refused."""
    family = sentence_to_family(parse("letters a, b; M x. a(x)"))
    assert (family.domain.least, family.domain.most) == (1, None)
    with pytest.raises(FomError, match="C020"):
        family.domain.require(0)
