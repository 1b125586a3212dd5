"""Programs as formulas: what a RASP program answers at a position, in FO(M).

Each variable of the program becomes a definition or a few: a number is a defined sum, a mean a sum and a count, a truth value a
relation, and a letter or the value of a table one relation for each value. A selector is a formula in x and y, its width a
count, a mean a comparison of two counts, and the value that all selected have is an ``exists`` and a ``forall``.

A word of the logic may begin with letters that are none of the program's (BOS): then position x is place x - 1 - start of the
program, and y ranges over the positions behind these letters. Means with different counts are compared, and products formed,
by cases of the values that occur on the words given; all else holds at every length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from circuits.diagnostics import fail
from logic.parser import parse
from logic.searching.programs import Program
from logic.searching.programs_forms import Answer, equals, present, suffix
from logic.searching.programs_writer import Alphabet, Integers, Writer
from logic.simplify.definitions import needed
from logic.syntax import Sentence

ANSWERED = "answered"


@dataclass(frozen=True)
class ProgramFormulas:
    """The formulas of a program.

    Attributes:
        sentence: definitions, among them one with the parameter x for each answer; its last formula is ``true``.
        answers: the name of the definition for each answer asked for.
        answered: the definition of the positions at which the program has an answer; nothing if it has one everywhere.
    """

    sentence: Sentence
    answers: tuple[tuple[str, Answer], ...]
    answered: str


def formulas_of(
    program: Program,
    words: Sequence[Integers],
    answers: Sequence[tuple[str, Answer]] | None = None,
    alphabet: Alphabet | None = None,
) -> ProgramFormulas:
    """Translate a program: for each answer a formula in x that holds where the program gives it.

    Args:
        program: the program.
        words: the words for which values are tabulated where that is necessary, a batch for each length.
        answers: the name of a definition, and its answer: a number, or a letter; None: all that occur on the words.
        alphabet: the words of the logic; None: the program's own.

    Raises:
        FomError: a variable with too many values, where these have to be tabulated, or a program without a value (L097).
    """
    writer = Writer(program, words, alphabet or Alphabet.of(program))
    output = writer.lines()
    wanted = [("answer" + suffix(value), value) for value in writer.values()] if answers is None else list(answers)
    for name, value in wanted:
        writer.define(name, equals(output, value), f"where the answer is {value}")
    answered = present(output)
    if answered != "true":
        writer.define(ANSWERED, answered, "where there is an answer")
    try:
        sentence = parse(writer.text, "the formulas of a program")
    except RecursionError:
        raise fail("L097", "an expression of the program is nested too deeply to be a formula") from None
    sentence = pruned(sentence, [name for name, _ in wanted] + [ANSWERED] * (answered != "true"))
    return ProgramFormulas(sentence, tuple(wanted), ANSWERED if answered != "true" else "")


def pruned(sentence: Sentence, keep: Sequence[str]) -> Sentence:
    """The sentence without definitions that nothing refers to."""
    wanted = needed(sentence.definitions, sentence.formula, keep)
    return replace(sentence, definitions=tuple(one for one in sentence.definitions if one.name in wanted))
