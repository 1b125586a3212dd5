"""Recognisers of the languages in `examples/languages`, in plain Python and by other means than the sentences.

Where a sentence counts, a recogniser sorts, rewrites, pairs or matches a regular expression. A recogniser takes the word as a
string, or as a tuple of letters where these have several characters, and returns whether the word is in the language; the
class of the word; or a list of either, one for each position.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median_high, median_low
from typing import Any

Recogniser = Callable[[Any], Any]


def matches(pattern: str) -> Recogniser:
    """Recognise the words that match a regular expression as a whole."""
    compiled = re.compile(pattern)
    return lambda word: compiled.fullmatch(word) is not None


def contains(pattern: str) -> Recogniser:
    """Recognise the words in which a regular expression matches somewhere."""
    compiled = re.compile(pattern)
    return lambda word: compiled.search(word) is not None


def rewrites_to_nothing(*pairs: str) -> Recogniser:
    """Recognise the words that vanish when factors are removed again and again."""

    def recognise(word: str) -> bool:
        before = None
        while before != word:
            before = word
            for pair in pairs:
                word = word.replace(pair, "")
        return not word

    return recognise


def only(letters: str, word: str) -> str:
    """The word without other letters."""
    return "".join(letter for letter in word if letter in letters)


def cancelled(word: str) -> str:
    """What remains of a word when an a and a b cancel each other, wherever they stand."""
    remaining: list[str] = []
    for letter in word:
        if remaining and remaining[-1] != letter:
            remaining.pop()
        else:
            remaining.append(letter)
    return "".join(remaining)


def parity_of(letter: str, word: str) -> int:
    """The number of times a letter stands, modulo two, found by a switch."""
    state = 0
    for found in word:
        state ^= found == letter
    return state


def binary_addition(word: Sequence[str]) -> bool:
    """Add the first two rows as numbers."""
    rows = ["".join(column[row] for column in word) or "0" for row in range(3)]
    first, second, total = (int(row, 2) for row in rows)
    return first + second == total


def majority_of_majorities(word: str) -> bool:
    """Walk through the prefixes."""
    verdicts = "".join("a" if set(cancelled(word[: stop + 1])) == {"a"} else "b" for stop in range(len(word)))
    return set(cancelled(verdicts)) != {"a"}


def tomita_3(word: str) -> bool:
    """Look at the blocks one after the other."""
    odd_ones = False
    for letter, block in groupby(word):
        odd = len(list(block)) % 2 == 1
        if odd and letter == "0" and odd_ones:
            return False
        odd_ones |= odd and letter == "1"
    return True


def induction_head(word: str) -> list[int]:
    """Remember what followed each letter."""
    following: dict[str, str] = {}
    answers = []
    for place, letter in enumerate(word):
        if place:
            following[word[place - 1]] = letter
        answers.append("abc".index(following.get(letter, letter)))
    return answers


def most_frequent_letter(word: str) -> int:
    """Sort by count, then by letter."""
    counts = Counter(word)
    return "abc".index(min("abc", key=lambda letter: (-counts[letter], letter)))


def first_divisor(number: int) -> int:
    """The smallest divisor of a number above 1."""
    return next(divisor for divisor in range(2, number + 1) if number % divisor == 0)


RECOGNISERS: dict[str, Recogniser] = {
    "majority": lambda w: not w or median_high(w) == "b",
    "strict_majority": lambda w: bool(w) and median_low(w) == "b",
    "minority": lambda w: set(cancelled(w)) == {"a"},
    "exactly_half": lambda w: cancelled(w) == "",
    "threshold_two": contains("b.*b"),
    "blocks_ab": lambda w: w in {"a" * m + "b" * m for m in range(len(w) + 1)},
    "blocks_abc": lambda w: w in {"a" * m + "b" * m + "c" * m for m in range(len(w) + 1)},
    "parity": lambda w: parity_of("b", w) == 1,
    "count_mod_3": matches("(a*ba*ba*b)*a*"),
    "first": lambda w: w.startswith("b"),
    "last": lambda w: w.endswith("b"),
    "contains_a": lambda w: "a" in w,
    "bigram_ab": lambda w: "ab" in w,
    "bigram_ab_of_3": lambda w: "ab" in w,
    "subsequence_abc": contains("a.*b.*c"),
    "pt_2": contains("a.*b"),
    "ldp_1": matches("[cd]*a[abd]*"),
    "rdp_1": matches("[acd]*a[bd]*"),
    "ab_star": matches("(ab)*"),
    "aab_star": matches("(aab)*"),
    "a_star_b_star": lambda w: list(w) == sorted(w),
    "contains_abba": lambda w: "abba" in w,
    "equal_bigrams": lambda w: w[:1] == w[-1:],
    "blocks_2": matches("a+b+"),
    "blocks_3": matches("a+b+a+"),
    "dyck_1": rewrites_to_nothing("()"),
    "dyck_1_depth_2": matches(r"(\((\(\))*\))*"),
    "dyck_1_depth_3": matches(r"(\((\((\(\))*\))*\))*"),
    "dyck_2": rewrites_to_nothing("()", "[]"),
    "shuffle_dyck_2": lambda w: all(rewrites_to_nothing(pair)(only(pair, w)) for pair in ("()", "[]")),
    "palindrome": lambda w: w == w[::-1],
    "ww": matches(r"(.*)\1"),
    "middle_letter": lambda w: len(w) % 2 == 1 and w[len(w) // 2] == "a",
    "even_length": matches("(aa)*"),
    "power_of_two_length": lambda w: f"{len(w):b}".strip("0") == "1",
    "square_length": lambda w: len(w) in {number * number for number in range(len(w) + 1)},
    "prime_length": lambda w: len(w) > 1 and first_divisor(len(w)) == len(w),
    "histogram": lambda w: [Counter(w)[letter] == 2 for letter in w],
    "prefix_majority": lambda w: [set(cancelled(w[: stop + 1])) == {"a"} for stop in range(len(w))],
    "agreement": lambda w: [w[place : place + 2] in ("aa", "bb") for place in range(len(w))],
    "copy_previous": lambda w: ["abc".index(letter) for letter in ("a" + w)[: len(w)]],
    "induction_head": induction_head,
    "sort": lambda w: ["abc".index(letter) for letter in sorted(w)],
    "most_frequent_letter": most_frequent_letter,
    "majority_of_majorities": majority_of_majorities,
    "binary_addition": binary_addition,
    "tomita_1": lambda w: "0" not in w,
    "tomita_2": matches("(10)*"),
    "tomita_3": tomita_3,
    "tomita_4": lambda w: "000" not in w,
    "tomita_5": lambda w: not parity_of("0", w) and not parity_of("1", w),
    "tomita_6": lambda w: sum(1 if letter == "0" else 2 for letter in w) % 3 == 0,
    "tomita_7": matches("0*1*0*1*"),
}
