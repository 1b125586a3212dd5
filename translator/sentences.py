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
    except (FileNotFoundError, NotADirectoryError):
        raise fail(
            "T015", "the file of the sentence does not exist", where=formula,
            help="give the path of a .fom file, or a formula: 'M x. a(x)'",
        ) from None  # fmt: skip
    except UnicodeDecodeError as error:
        raise fail(
            "T015", f"the file of the sentence is not UTF-8: {error.reason} at byte {error.start}", where=formula,
            help="write it as a text file in UTF-8",
        ) from None  # fmt: skip
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise fail(
            "T015", f"the file of the sentence cannot be read: {reason}", where=formula, help="give a text file"
        ) from None


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
            help="write the letters as they are listed; a position stands in brackets",
        )
    if sentence.propositions and whose == "network":
        raise fail(
            "T016",
            f"`{sentence.propositions[0]}` is neither defined nor a letter at a position",
            where=name,
            note=f"a bare name is a proposition, and nothing says in which words it holds; letters: {' '.join(letters)}",
            help="give a letter its position, a(x), or define the name: let name := ...;",
        )
    widened = replace(sentence, letters=letters)
    widened.check(name)
    return widened
