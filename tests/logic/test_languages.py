"""The library of languages: every sentence against its recogniser on all short words, and the table that describes them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from logic.batch import evaluate
from logic.formatting import format_text
from logic.measure import measure
from logic.parser import parse
from logic.semantics import Word, satisfies
from logic.syntax import Call, Formula, Sentence, var
from tests.logic.recognisers import RECOGNISERS

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "languages"
NAMES = sorted(path.stem for path in FOLDER.glob("*.fom"))
LONGEST = {1: 24, 2: 10, 3: 7, 4: 6, 8: 4}
CLASS = re.compile(r"class\[\d+\]")
SHOWN = re.compile(r"^-- (in|out): +(.*)$", re.MULTILINE)


@cache
def language(name: str) -> Sentence:
    """The sentence of a file."""
    return parse((FOLDER / f"{name}.fom").read_text(encoding="utf-8"), name)


def spelled(sentence: Sentence, letters: tuple[str, ...]) -> Any:
    """A word as its recogniser takes it."""
    return "".join(letters) if all(len(letter) == 1 for letter in sentence.letters) else letters


def answers(sentence: Sentence, words: Any) -> list[Any]:
    """What the sentence says of each word of a batch: its truth, or the class that holds, by position or once.

    A class is a number if exactly one holds, and the list of those that do if not.
    """
    classes = [definition.name for definition in sentence.definitions if CLASS.fullmatch(definition.name)]
    if not classes:
        return list(evaluate(sentence, words)[""].tolist())
    found = evaluate(sentence, words, None, tuple(classes))
    return [_chosen(truth) for truth in np.stack([found[name] for name in classes], axis=-1)]


def _chosen(truth: Any) -> Any:
    if truth.ndim > 1:
        return [_chosen(part) for part in truth]
    holding = np.flatnonzero(truth).tolist()
    return holding[0] if len(holding) == 1 else holding


def test_every_language_has_a_recogniser_and_no_recogniser_is_left_over() -> None:
    assert sorted(RECOGNISERS) == NAMES
    assert len(NAMES) >= 28


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_agrees_with_its_recogniser_on_all_short_words(name: str) -> None:
    sentence, recognise = language(name), RECOGNISERS[name]
    size = len(sentence.letters)
    seen = set()
    for n in range(LONGEST[size] + 1):
        words = np.array(list(product(range(size), repeat=n)), dtype=np.int64).reshape(size**n, n)
        expected = [recognise(spelled(sentence, tuple(sentence.letters[i] for i in word))) for word in words.tolist()]
        found = answers(sentence, words)
        wrong = [row for row in range(len(words)) if found[row] != expected[row]]
        assert not wrong, f"{[sentence.letters[i] for i in words[wrong[0]]]}: {found[wrong[0]]}"
        seen |= {repr(one) for answer in expected for one in (answer if isinstance(answer, list) else [answer])}
    assert len(seen) > 1, "words of both kinds are compared"


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_means_by_definition_what_it_means_in_batches(name: str) -> None:
    sentence = language(name)
    calls = [Call(one.name, tuple(map(var, one.params))) for one in sentence.definitions if CLASS.fullmatch(one.name)]
    formulas: list[Formula] = [*calls] or [sentence.formula]
    rng = np.random.default_rng(0)
    for n in (0, 1, 2, 5):
        words = rng.integers(0, len(sentence.letters), (3, n))
        for formula in formulas:
            asked = replace(sentence, formula=formula)
            found = evaluate(asked, words)[""]
            for word, answer in zip(words, found.tolist(), strict=True):
                structure = Word(tuple(sentence.letters[i] for i in word))
                if not asked.free:
                    assert satisfies(structure, asked) == answer
                else:
                    places = [satisfies(structure, asked, {asked.free[0]: x}) for x in range(1, n + 1)]
                    assert places == answer


@pytest.mark.parametrize("name", NAMES)
def test_the_words_in_the_comment_are_what_it_says(name: str) -> None:
    sentence, recognise = language(name), RECOGNISERS[name]
    text = (FOLDER / f"{name}.fom").read_text(encoding="utf-8")
    shown = SHOWN.findall(text)
    assert len(shown) >= 2
    for kind, words in shown:
        if ":" in words:
            word, _, expected = words.partition(": ")
            numbers = [int(number) for number in expected.split()]
            found = recognise("" if word == "ε" else word)
            assert (list(found) if isinstance(found, list) else [found]) == numbers
            continue
        for word in words.split(", "):
            multiple = any(len(letter) > 1 for letter in sentence.letters)
            letters = () if word == "ε" else tuple(word.split()) if multiple else tuple(word)
            assert set(letters) <= set(sentence.letters)
            assert recognise(spelled(sentence, letters)) == (kind == "in"), word


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_laid_out_and_says_what_is_known(name: str) -> None:
    text = (FOLDER / f"{name}.fom").read_text(encoding="utf-8")
    comment = re.match(r"(?:--.*\n)+letters ", text)
    assert comment, "a comment, then the letters"
    assert "\n-- Known: " in comment[0]
    assert format_text(text) == text, f"fom fmt {name}.fom"


def table() -> dict[str, list[str]]:
    """The rows of the table in the README, by file."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[`(\w+)`\]\((\w+)\.fom\) \| (.*) \|$", text, re.MULTILINE)
    assert all(name == target for name, target, _ in rows)
    assert len({name for name, _, _ in rows}) == len(rows)
    return {name: cells.split(" | ") for name, _, cells in rows}


def test_the_table_has_every_file_with_its_measures() -> None:
    rows = table()
    assert sorted(rows) == NAMES
    for name, (_, quantifiers, majorities, nodes, *_rest) in rows.items():
        sizes = measure(language(name))
        assert (int(quantifiers), int(majorities), int(nodes)) == (
            sizes.quantifier_rank, sizes.majority_rank, sizes.nodes,
        ), name  # fmt: skip
