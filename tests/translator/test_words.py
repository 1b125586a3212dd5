"""Alphabets and words: letters are named in the order of the tokens, and typed words are read strictly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.words import all_words, count_words, random_words
from translator.domains import word_filter
from translator.sentences import read_sentence
from translator.words import default_alphabet, format_word, parse_alphabet, parse_word


def test_default_alphabets() -> None:
    assert default_alphabet(3) == ("a", "b", "c")
    assert default_alphabet(26)[-1] == "z"
    assert default_alphabet(27) == tuple(f"t{index}" for index in range(27))


@pytest.mark.parametrize("text", ["a,b,c", "a b c", " a, b,  c "])
def test_alphabets_are_separated_by_commas_or_blanks(text: str) -> None:
    assert parse_alphabet(text, 3) == ("a", "b", "c")


@pytest.mark.parametrize("text", ["", "a,b", "a,b,c,d", "a,b,b"])
def test_alphabets_that_do_not_fit(text: str) -> None:
    with pytest.raises(FomError, match=r"T010.*the network reads 3"):
        parse_alphabet(text, 3)


@pytest.mark.parametrize("text", ["a b a", "aba", "  a  b a "])
def test_words(text: str) -> None:
    assert parse_word(text, ("a", "b")).tolist() == [0, 1, 0]


def test_words_of_long_letters() -> None:
    alphabet = ("open", "close", "o")
    assert parse_word("open o", alphabet).tolist() == [0, 2]
    assert parse_word("", alphabet).tolist() == []
    with pytest.raises(FomError, match=r"T011.*`opne` at place 2") as caught:
        parse_word("close opne", alphabet)
    assert "did you mean `open`" in caught.value.diagnostics[0].help


@given(st.lists(st.integers(0, 2), min_size=1, max_size=8))
def test_words_are_read_as_they_are_written(word: list[int]) -> None:
    for alphabet in (("a", "b", "c"), ("aa", "a", "aaa"), ("0", "1", "10")):
        assert parse_word(format_word(word, alphabet), alphabet).tolist() == word


@pytest.mark.parametrize(("letters", "n", "chunk"), [(2, 5, 7), (3, 3, 27), (1, 4, 1), (4, 1, 3), (3, 0, 5)])
def test_all_words_in_order(letters: int, n: int, chunk: int) -> None:
    parts = list(all_words(letters, n, chunk))
    words = np.concatenate(parts)
    assert all(1 <= len(part) <= chunk for part in parts)
    assert len({tuple(word) for word in words.tolist()}) == len(words) == letters**n == count_words(letters, n, n)
    assert words.tolist() == sorted(words.tolist())


def test_random_words_repeat() -> None:
    words = random_words(3, 6, 50, seed=1)
    assert np.array_equal(words, random_words(3, 6, 50, seed=1))
    assert words.shape == (50, 6)
    assert set(words.ravel().tolist()) == {0, 1, 2}


def test_a_domain_keeps_the_words_in_which_it_holds() -> None:
    words = np.concatenate(list(all_words(2, 4)))
    kept = words[word_filter("a(1) & M x. b(x)", ("a", "b"))(words)]
    expected = [word for word in words.tolist() if word[0] == 0 and sum(word) >= 2]
    assert kept.tolist() == expected


def test_a_domain_reads_letters_by_name() -> None:
    words = np.concatenate(list(all_words(3, 2)))
    kept = words[word_filter("forall x. c(x)", ("c", "a", "b"))(words)]
    assert kept.tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("text", "code"),
    [("exists x. d(x)", "T016"), ("a(x)", "T017"), ("exists x. (", "L"), ("nothing.fom", "T015")],
)
def test_domains_that_cannot_be_used(text: str, code: str) -> None:
    with pytest.raises(FomError) as caught:
        word_filter(text, ("a", "b", "c"))
    assert caught.value.diagnostics[0].code.startswith(code)


def test_a_sentence_may_stand_in_a_file(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "spec.fom"
    path.write_text("letters b;\nexists x. b(x)\n")
    assert read_sentence(str(path), ("a", "b")).letters == ("a", "b")
