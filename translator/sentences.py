"""Sentences that a user gives: typed, or the path of a ``.fom`` file, over an alphabet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from circuits.diagnostics import fail

if TYPE_CHECKING:
    from logic.syntax import Sentence


def read_formula(formula: str) -> tuple[str, str]:
    """The text of a formula, and its name in messages.

    Raises:
        FomError: a file that cannot be read.
    """
    if not formula.endswith(".fom"):
        return formula, "formula"
    try:
        return Path(formula).read_text(encoding="utf-8"), formula
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise fail("T015", "the file of the sentence does not exist", where=formula) from None
    except (OSError, UnicodeDecodeError) as error:
        raise fail("T015", f"the file of the sentence cannot be read: {error}", where=formula) from None


def read_sentence(formula: str, letters: tuple[str, ...] | None = None, whose: str = "alphabet") -> Sentence:
    """Parse a formula, or the file it names, over an alphabet: by default the letters of the sentence itself.

    Raises:
        FomError: a file that cannot be read, a syntax error, or a letter outside the alphabet.
    """
    from logic.parser import parse

    text, name = read_formula(formula)
    sentence = parse(text, name)
    if letters is None:
        return sentence
    unknown = [letter for letter in sentence.letters if letter not in letters]
    if unknown:
        raise fail(
            "T016",
            f"`{unknown[0]}` is neither defined nor a letter of the {whose}",
            where=name,
            note=f"the letters are: {' '.join(letters)}",
        )
    widened = replace(sentence, letters=letters)
    widened.check(name)
    return widened
