"""Monitors decide sentences of past form as their definition does, letter by letter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.monitors import Monitor, not_past
from logic.parser import parse
from logic.syntax import Sentence

LANGUAGES = sorted((Path(__file__).parents[2] / "examples" / "languages").glob("*.fom"))
PAST_LANGUAGES = [
    "a_star_b_star",
    "blocks_ab",
    "blocks_abc",
    "contains_a",
    "copy_previous",
    "dyck_1",
    "dyck_1_depth_2",
    "dyck_1_depth_3",
    "exactly_half",
    "first",
    "last",
    "majority",
    "majority_of_majorities",
    "minority",
    "most_frequent_letter",
    "prefix_majority",
    "pt_2",
    "shuffle_dyck_2",
    "strict_majority",
    "threshold_two",
    "tomita_1",
]

PAST = [
    "a(x)",
    "a(x - 2) | b(1)",
    "a(0) | ~b(x - 1)",
    "#y[y <= x & a(y)] >= 2",
    "#y[y < x & a(y)] = #y[y <= x & b(y)]",
    "#y[y + 2 <= x & a(y)] >= 1",
    "#y[y <= x & x <= y + 2 & a(y)] >= 2",
    "#y[y < x & x - 3 < y & a(y)] = 1",
    "exists y. y <= x & x <= y + 1 & b(y)",
    "exists y. y = x - 2 & b(y)",
    "forall y. y <= x -> a(y)",
    "forall y. y < x -> a(y)",
    "exists y. y < x & (a(x) <-> a(y)) & b(y - 1)",
    "#y[y <= x & (a(x) <-> b(y))] >= 2",
    "#y[y < x : 2*[a(y)] - 3*[b(y)] + 1] >= 0",
    "#y[y <= x & b(y) : [a(x)] + 1] >= 3",
    "#y[y <= x & exists z. z < y & b(z)] >= 2",
    "bit(x, 2) & a(x)",
    "let p(y) := b(y) & ~b(y - 1); #y[y <= x & p(y)] >= 2",
    "let same(x, y) := a(x) & a(y) | b(x) & b(y); #y[y < x & same(x, y)] >= 2",
    "sum s(y) := #z[z <= y & a(z)]; s(x) > s(x - 2) & s(x - 1) <= 2",
    "#x[b(x)] >= 2 & a(2)",
    "a(n - 1) & ~b(n)",
    "a(n + 1) | #x[x < n & a(x)] = n - 2",
    "M x. a(x) & x > 1",
    "forall x. x = n | a(x)",
    "exists x, y. x < y & b(x) & a(y)",
    "forall x, y. x < y & b(x) -> b(y)",
    "let p(x) := a(x); p(2) & ~p(n) & ~p(n - 3)",
]
NOT_PAST = [
    "a(x + 1)",
    "a(2) | a(x)",
    "a(n) & a(x)",
    "x = n & a(x)",
    "#y[a(y)] >= 2 & a(x)",
    "#y[y <= x + 1 & a(y)] >= 2",
    "M y. y <= x & a(y)",
    "exists x, y, z. x < y & z < y & x < z & a(x) & b(y) & a(z) & z = 2*x",
    "exists x. a(x) & b(x + 1)",
    "exists k. #x[a(x)] = 2*k",
]


def assert_decides(sentence: Sentence, relations: tuple[str, ...], longest: int) -> None:
    """The monitor's answers are the truth of the relations in all words, at the last position if they have a variable."""
    words = np.concatenate(list(all_words(len(sentence.letters), longest)))
    monitor = Monitor(sentence, relations)
    state = {name: np.repeat(array, len(words), axis=0) for name, array in monitor.start().items()}
    for m in range(1, longest + 1):
        state, truth = monitor.read(state, words[:, m - 1], m, True, True)
        found = evaluate(sentence, words[:, :m], None, tuple(name for name in relations if name))
        wanted = np.stack([np.asarray(found[name]) for name in relations], axis=-1)
        assert truth is not None
        assert np.array_equal(truth, wanted[:, -1] if wanted.ndim == 3 else wanted)


@pytest.mark.parametrize("text", PAST)
def test_past_form(text: str) -> None:
    sentence = parse(f"letters a, b; {text}")
    assert not_past(sentence, ("",)) == ""
    assert_decides(sentence, ("",), 6)


@pytest.mark.parametrize("text", NOT_PAST)
def test_not_past(text: str) -> None:
    assert not_past(parse(f"letters a, b; {text}"), ("",)) != ""


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_languages(path: Path) -> None:
    sentence = parse(path.read_text(encoding="utf-8"))
    classes = tuple(one.name for one in sentence.definitions if one.name.startswith("class["))
    relations = classes or ("",)
    assert (not_past(sentence, relations) == "") == (path.stem in PAST_LANGUAGES)
    if path.stem in PAST_LANGUAGES:
        assert_decides(sentence, relations, 7 if len(sentence.letters) <= 2 else 4)


def test_registers_are_shared_and_none_is_idle() -> None:
    sentence = parse("letters a, b; exists x, y. x < y & b(x) & a(y)")
    assert Monitor(sentence, ("",)).start()["registers"].shape == (1, 2)
    twice = parse("letters a, b; #x[a(x)] >= 2 & #x[a(x)] <= 3")
    assert Monitor(twice, ("",)).start()["registers"].shape == (1, 1)


def test_what_is_not_past_is_said() -> None:
    assert not_past(parse("letters a, b; a(x) & b(x + 1)"), ("",)) == "position `x + 1` is not known when `x` is read"
    assert not_past(parse("letters a, b; a(x) & #y[b(y)] >= 1"), ("",)) == "positions `y` after `x` are counted"
