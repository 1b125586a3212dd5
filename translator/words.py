"""Words: alphabets, and words typed by a user."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.diagnostics import fail

Integers = np.ndarray[Any, np.dtype[np.int64]]


def default_alphabet(size: int) -> tuple[str, ...]:
    """Name letters a, b, c ..., or t0, t1 ... when there are more than 26: letter i is token i."""
    if size <= 26:
        return tuple("abcdefghijklmnopqrstuvwxyz"[:size])
    return tuple(f"t{index}" for index in range(size))


def joint_alphabet(counts: Sequence[int]) -> tuple[str, ...]:
    """Name the letters of several inputs read together: those of the first, with the numbers of the others: b_0, b_1 ..."""
    letters = default_alphabet(counts[0])
    for count in counts[1:]:
        letters = tuple(f"{letter}_{number}" for letter in letters for number in range(count))
    return letters


def split_alphabet(text: str) -> tuple[str, ...]:
    """Split ``--alphabet`` at commas and spaces."""
    return tuple(text.replace(",", " ").split())


def parse_alphabet(text: str, size: int) -> tuple[str, ...]:
    """Read ``--alphabet``: letters separated by commas or spaces, in the order of the tokens.

    Raises:
        FomError: too few, too many or repeated letters.
    """
    letters = split_alphabet(text)
    if len(letters) != size or len(set(letters)) != size:
        raise fail(
            "T010",
            f"the alphabet `{text}` has {len(set(letters))} different letters, the network reads {size}",
            help="list one name for each token, in order: --alphabet a,b,c",
        )
    return letters


def parse_word(text: str, alphabet: tuple[str, ...]) -> Integers:
    """Read a word such as ``a b a``, or ``aba`` when every letter is one character, as letter numbers of shape ``(n,)``.

    Raises:
        FomError: a letter outside the alphabet.
    """
    letters = text.split()
    if len(letters) == 1 and letters[0] not in alphabet and all(len(letter) == 1 for letter in alphabet):
        letters = list(letters[0])
    numbers = {letter: number for number, letter in enumerate(alphabet)}
    for place, letter in enumerate(letters):
        if letter not in numbers:
            close = difflib.get_close_matches(letter, alphabet, n=1)
            raise fail(
                "T011",
                f"the letter `{letter}` at place {place + 1} is not in the alphabet",
                note=f"the alphabet is: {' '.join(alphabet)}",
                help=f"did you mean `{close[0]}`?" if close else "letters are separated by spaces: --word 'a b a'",
            )
    return np.array([numbers[letter] for letter in letters], dtype=np.int64)


def format_word(word: Any, alphabet: tuple[str, ...]) -> str:
    """Write letter numbers as a word, letters separated by spaces."""
    return " ".join(alphabet[int(letter)] for letter in word)
