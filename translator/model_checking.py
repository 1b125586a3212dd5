"""Model checking: in which words, or at which positions of them, a sentence of FO(M) holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.syntax import Sentence
from translator.sentences import read_formula, read_sentence
from translator.terminal import Line, is_terminal
from translator.words import parse_word, split_alphabet

LONG = 40
HEADER = re.compile(r"(?:\s|(?:--|//)[^\n]*)*(?:letters|propositions)\b")


@dataclass(frozen=True)
class Question:
    """A sentence over an alphabet, the words asked about, and the propositions that hold."""

    sentence: Sentence
    words: tuple[tuple[str, ...], ...]
    true: frozenset[str]


def question(formula: str, words: list[str], alphabet: str | None, propositions: str | None) -> Question:
    """Read a sentence, or its file, and words.

    Without a header in the text and without `alphabet`, words may have any letters.

    Raises:
        FomError: a syntax error, a letter outside the alphabet, or propositions of which nothing is said.
    """
    text, _ = read_formula(formula)
    given = None if alphabet is None else split_alphabet(alphabet)
    sentence = read_sentence(formula, given)
    declared = given is not None or HEADER.match(text) is not None
    letters = sentence.letters
    if declared:
        read = [tuple(letters[number] for number in parse_word(word, letters)) for word in words]
    else:
        read = [split_word(word, letters) for word in words]
        letters = tuple(dict.fromkeys((*letters, *(letter for word in read for letter in word))))
    return Question(replace(sentence, letters=letters), tuple(read), read_propositions(sentence, propositions))


def read_words(path: str) -> list[str]:
    """The words of a file, one on each line; an empty line is the empty word.

    Raises:
        FomError: a file that cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise fail("T018", "the file of words does not exist", where=path, help="one word on each line") from None
    except UnicodeDecodeError as error:
        raise fail(
            "T018", f"the file of words is not UTF-8: {error.reason} at byte {error.start}", where=path,
            help="write it as a text file in UTF-8, one word on each line",
        ) from None  # fmt: skip
    except OSError as error:
        raise fail(
            "T018", f"the file of words cannot be read: {error.strerror}", where=path, help="one word on each line"
        ) from None


def split_word(text: str, letters: tuple[str, ...]) -> tuple[str, ...]:
    """Split a word over an open alphabet: at blanks, or into characters when the formula's letters are characters."""
    parts = text.split()
    if len(parts) == 1 and parts[0] not in letters and all(len(letter) == 1 for letter in letters):
        return tuple(parts[0])
    return tuple(parts)


def read_propositions(sentence: Sentence, given: str | None) -> frozenset[str]:
    """The propositions that hold.

    Raises:
        FomError: the sentence has propositions and nothing is said of them, or another name is given.
    """
    known = sentence.propositions
    if given is None:
        if known:
            some = ", ".join(known[:6]) + (", ..." if len(known) > 6 else "")
            raise fail(
                "T077",
                f"the sentence reads propositions: {some}",
                note="a bare name that is not defined is a proposition, which holds or does not in each input",
                help="say which of them hold: --true p,q (or --true '')",
            )
        return frozenset()
    names = split_alphabet(given)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise fail(
            "T077", f"the sentence reads no proposition `{unknown[0]}`", note=f"it reads: {', '.join(known) or 'none'}"
        )
    return frozenset(names)


def answer(asked: Question, reference: bool, memory: int | None = None) -> list[Any]:
    """A truth value for each word, or a list of them, one for each position, if the sentence has a free variable.

    Raises:
        FomError: a word would need more than `memory` bytes, by default half of the machine's.
    """
    return [by_definition(asked, word) for word in asked.words] if reference else in_batches(asked, memory)


def by_length(asked: Question) -> Iterator[tuple[int, list[int]]]:
    """The lengths of the words, and which words have each of them."""
    places: dict[int, list[int]] = {}
    for place, word in enumerate(asked.words):
        places.setdefault(len(word), []).append(place)
    yield from sorted(places.items())


def memory_needed(asked: Question, memory: int | None = None) -> int:
    """State the bytes that evaluation will need at its peak.

    Raises:
        FomError: that is more than `memory`, by default half of the machine's.
    """
    from circuits.forecast import half_of_memory
    from logic.batch import fitting, need

    limit = half_of_memory() if memory is None else memory
    most = 0
    for n, places in by_length(asked):
        together = fitting(asked.sentence, len(places), n, limit)
        most = max(most, need(asked.sentence, together, n).bytes)
    return most


def by_definition(asked: Question, letters: tuple[str, ...]) -> Any:
    """Evaluate as the definition of truth says."""
    from logic.semantics import Word, satisfies

    word = Word(letters, asked.true)
    if not asked.sentence.free:
        return satisfies(word, asked.sentence)
    (variable,) = asked.sentence.free
    return [satisfies(word, asked.sentence, {variable: position}) for position in range(1, word.n + 1)]


def in_batches(asked: Question, memory: int | None) -> list[Any]:
    """Evaluate all words of one length at once."""
    from logic.batch import evaluate

    numbers = {letter: number for number, letter in enumerate(asked.sentence.letters)}
    results: list[Any] = [None] * len(asked.words)
    for n, places in by_length(asked):
        rows = [np.array([numbers[letter] for letter in asked.words[place]], dtype=np.int64) for place in places]
        batch = np.stack(rows).reshape(len(rows), n)
        holds = np.array([[name in asked.true for name in asked.sentence.propositions]] * len(rows), dtype=bool)
        given = holds.reshape(len(rows), len(asked.sentence.propositions))
        truth = evaluate(asked.sentence, batch, given, memory=memory)[""]
        for place, value in zip(places, truth.tolist(), strict=True):
            results[place] = value
    return results


def result_lines(asked: Question, results: list[Any]) -> list[Line]:
    """One line for each word; on a terminal, several results stand beside their words.

    For a sentence with a free variable that is a truth value for each position, or, if there are many, where it holds.
    """
    import sys

    lines: list[Line] = []
    beside = len(results) > 1 and is_terminal(sys.stdout)
    for word, result in zip(asked.words, results, strict=True):
        text = positions_text(result) if isinstance(result, list) else truth_text(result)
        lines.append([(text, ""), (f"  {shortened(word)}" if beside else "", "dim")])
    return lines


def positions_text(values: list[bool]) -> str:
    """The truth values at the positions of a word, or, beyond `LONG`, the positions at which it is true."""
    if len(values) <= LONG:
        return " ".join(map(truth_text, values))
    changes = np.flatnonzero(np.diff(np.array([False, *values, False]).astype(np.int8)))
    runs = [
        f"{first + 1}" if first + 1 == last else f"{first + 1}-{last}"
        for first, last in changes.reshape(-1, 2).tolist()
    ]
    return f"{', '.join(runs) or 'none'} of {len(values)}"


def shortened(word: tuple[str, ...]) -> str:
    """A word beside its result; a long one by its beginning and length."""
    if len(word) <= LONG:
        return " ".join(word) or "(empty word)"
    return f"{' '.join(word[: LONG // 2])} ... ({len(word)} letters)"


def effort_text(seconds: float, memory: int | None) -> str:
    """How long evaluation took, and the memory that it needed as stated before."""
    taken = f"{seconds:.3g} seconds"
    return taken if memory is None else f"{taken}, at most {memory / 1e6:,.1f} MB"


def truth_text(value: bool) -> str:
    """A truth value as the text form of sentences writes it."""
    return "true" if value else "false"
