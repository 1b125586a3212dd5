"""The formulas of a compiled network's program, compared with the network, and as a specification of it.

Words correspond so: the network reads BOS and then the word of the program, so position x of the one is position x + 1 of the
other. The formulas that are shown speak of the program's words, the specification of the network's: it considers words that
begin with BOS and have only letters of the program behind it, and positions behind BOS at which the program has an answer.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from circuits.network import Network
from logic.batch import evaluate
from logic.printer import letter_name
from logic.searching.formulas_of_programs import ProgramFormulas, formulas_of
from logic.searching.programs import Program
from logic.searching.programs_forms import Answer
from logic.searching.programs_of_values import Integers, Truth
from logic.syntax import And, Call, Compare, Sentence, Term, var
from translator.explanations.compiled import Compiled
from translator.explanations.residual import meanings
from translator.explanations.tracr import answers
from translator.words import format_word

MOST_PROVED = 100_000
MOST_WRONG = 12
X = var("x")
BEHIND = Compare("<", Term((), 0, 1), X)


@dataclass(frozen=True)
class Stated:
    """The formulas of a program, and on which words the network answers as they say.

    Attributes:
        formulas: over the words of the program.
        answers: for each formula, the name of its definition and what is answered where it holds.
        specification: the same over the words of the network, with the last formula ``true``.
        where: the words of the network that are considered, and `at` the positions of these.
        verifiable: whether ``fom verify`` can compare the specification with the network: it decides between classes.
        letters: how letters correspond, in words.
        scope: the words and positions compared.
        every: whether these are all words of the compiled size.
        longest: the longest words of the network compared.
        unspecified: positions, of those compared, at which the program has no answer.
        wrong: words on which network and formulas differ, the first of them if there are many.
    """

    formulas: ProgramFormulas
    answers: tuple[tuple[str, str], ...]
    specification: Sentence
    where: str
    at: Sentence
    verifiable: bool
    letters: str
    scope: str
    every: bool
    longest: int
    unspecified: int
    wrong: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the network answers as the formulas say on all words of the compiled size."""
        return self.every and not self.wrong

    @property
    def specification_text(self) -> str:
        """The file of the specification."""
        head = f"-- A word of a program, behind BOS: {self.letters}.\n\n"
        return f"{head}{self.specification}\n"

    def at_text(self, path: Path) -> str:
        """What ``--at`` is given: a formula, or the name of the file that it needs beside the specification."""
        return str(path.with_suffix(".at.fom")) if self.at.definitions else str(self.at.formula)

    def files(self, path: Path) -> dict[Path, str]:
        """The files of the specification, by their names."""
        beside = {Path(self.at_text(path)): f"{self.at}\n"} if self.at.definitions else {}
        return {path: self.specification_text, **beside}

    def verification(self, source: str, path: Path) -> str:
        """The command that compares the specification with the network."""
        asked = ["fom", "verify", source, "--against", str(path), "--where", self.where, "--at", self.at_text(path)]
        return shlex.join([*asked, "--max-length", str(self.longest)])


def state(network: Network, compiled: Compiled, program: Program, words: Sequence[Integers] | None = None) -> Stated:
    """Write the formulas of a program and compare them with its network: on all words, or on those given.

    Raises:
        FomError: a variable of the program has too many values for formulas by cases (L097).
    """
    considered = list(compiled.every_word(MOST_PROVED)) if words is None else list(words)
    wanted = wanted_answers(network, compiled)
    formulas = formulas_of(program, considered, wanted)
    there = formulas_of(program, considered, formulas.answers, compiled.alphabet(network))
    comparison = Comparison(network, compiled, program, formulas, there)
    wrong: list[str] = []
    places = unspecified = 0
    for batch in considered:
        differs, answered = comparison.differs(batch)
        places, unspecified = places + answered.size, unspecified + int((~answered).sum())
        rows = batch[differs.any(axis=1)][: MOST_WRONG - len(wrong)]
        wrong += [format_word(row, compiled.letters) for row in rows]
    lengths = [batch.shape[1] for batch in considered]
    scope = f"{sum(map(len, considered)):,} words of length {min(lengths)} to {max(lengths)}, {places:,} positions"
    gaps = bool(unspecified)
    at = And((BEHIND, Call(there.answered, (X,)))) if gaps else BEHIND
    return Stated(
        formulas,
        tuple((name, shown(network, compiled, name, value)) for name, value in formulas.answers),
        there.sentence,
        where_of(network, compiled),
        replace(there.sentence, definitions=there.sentence.definitions if gaps else (), formula=at),
        network.decided.kind != "value",
        ", ".join(f"{letter_name(network.alphabet[token])} is {letter}" for letter, token in letters_of(compiled)),
        scope,
        words is None and max(lengths) == compiled.longest,
        max(lengths) + 1,
        unspecified,
        tuple(wrong),
    )  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Where a network, its program, and the formulas in both alphabets differ."""

    network: Network
    compiled: Compiled
    program: Program
    here: ProgramFormulas
    there: ProgramFormulas

    def differs(self, words: Integers) -> tuple[Truth, Truth]:
        """Positions at which they do not all say the same, and at which the program has an answer."""
        fed = self.compiled.fed(words)
        inside = np.broadcast_to(np.arange(fed.shape[1]) > 0, fed.shape)
        decided = answers(self.network, self.compiled, [fed], [inside]).values[0][:, 1:]
        run = self.program.run(words)
        near = 1 / (2 * self.compiled.longest * max(self.compiled.longest - 1, 1))
        answered: Truth = np.broadcast_to(run.present, words.shape)
        differs: Truth = np.zeros(words.shape, dtype=bool)
        said: Truth = np.zeros(words.shape, dtype=bool)
        for (_, value), here, there in self.truths(words, fed):
            number = self.number(value)
            differs |= (here != there) | (here != (np.abs(run.reals - number) < near / 2))
            differs |= answered & (here != (np.abs(decided - number) < near))
            said |= here
        return differs | (said != answered), answered

    def truths(self, words: Integers, fed: Integers) -> Iterator[tuple[tuple[str, Answer], Truth, Truth]]:
        """Each formula, on the words of the program and on those of the network."""
        names = tuple(name for name, _ in self.here.answers)
        here, there = evaluate(self.here.sentence, words, None, names), evaluate(self.there.sentence, fed, None, names)
        for answer in self.here.answers:
            whole: Any = np.broadcast_to(np.asarray(there[answer[0]], dtype=bool), fed.shape)[:, 1:]
            yield answer, np.broadcast_to(np.asarray(here[answer[0]], dtype=bool), words.shape), whole

    def number(self, value: Answer) -> float:
        """An answer as the number by which programs and variables have it."""
        return float(self.compiled.letters.index(value)) if isinstance(value, str) else float(value)


def wanted_answers(network: Network, compiled: Compiled) -> list[tuple[str, Answer]] | None:
    """The classes of a network, and the value of the program that each stands for; None for numbers."""
    readout = network.decided
    if readout.kind == "value":
        return None
    names = compiled.answers or tuple(str(number) for number in range(readout.n_classes))
    values, are_letters, _ = meanings(names, compiled.letters)
    first = 1 if len(names) == 1 and readout.kind == "logit" else 0
    return [
        (f"class[{number}]", compiled.letters[int(value)] if are_letters else Fraction(value))
        for number, value in enumerate(values, first)
    ]


def shown(network: Network, compiled: Compiled, name: str, value: Answer) -> str:
    """What is answered where a formula holds, as the description names it."""
    wanted = wanted_answers(network, compiled)
    if wanted is None or not compiled.answers:
        return str(value)
    return compiled.answers[[one for one, _ in wanted].index(name)]


def letters_of(compiled: Compiled) -> list[tuple[str, int]]:
    """The letters of the program and BOS, with their numbers in the network."""
    return [("BOS", compiled.start), *zip(compiled.letters, compiled.tokens, strict=True)]


def where_of(network: Network, compiled: Compiled) -> str:
    """The sentence of the words considered: BOS first, and then letters of the program only."""
    start, *others = (letter_name(network.alphabet[token]) for _, token in letters_of(compiled))
    allowed = " | ".join(f"{letter}(x)" for letter in others)
    return f"{start}(1) & forall x. (x = 1 | {allowed})"
