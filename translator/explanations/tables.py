"""A network that decides once for a word of few letters, as a table over the letters: its law, where that holds, and formulas.

Such a network learned a table, and a sentence of many counts says less about it than "v1 + v2 modulo 7". The law is looked for
on words of some shape, such as two numbers and a sign; the formulas of the classes are those of the table itself, and are
verified on these words by the methods of ``fom verify``. What the network does on other words is counted, not explained.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from circuits.pairs import n_classes
from circuits.words import all_words, count_words, random_words
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.searching.programs import Program, program
from logic.searching.tables import UNSEEN, Integers, Shape, places_read, table_formula
from logic.searching.tables_laws import Fit
from logic.searching.tables_search import FoundLaw, Table, find_law
from logic.syntax import TRUE, And, Compare, Definition, Formula, Sentence, Term, all_of
from logic.telling import Progress
from logic.verdicts import Claim, Counterexample, Holds, Refuted, Verdict
from translator.explanations.explaining import Search
from translator.sides import Source
from translator.verification import report
from translator.verifying.comparison import Comparison
from translator.verifying.question import Question, Report
from translator.verifying.rivals import SpecifiedRival
from translator.verifying.scope import Scope
from translator.words import format_word

LONGEST, FEW_LETTERS = 6, 4
MOST_LISTED = 2_000_000
MOST_WRONG = 64
SAMPLED = 4_096
CHUNK = 1 << 12


@dataclass(frozen=True)
class Elsewhere:
    """The words of the same length that do not have the shape.

    Attributes:
        words: how many were looked at: all, unless `sampled`.
        said: those whose letters at the law's positions are numbers; `right`: those of them on which the law is right.
        reads: the positions, from 1, that the decision depends on over all words of the length, if all were decided.
    """

    words: int
    said: int
    right: int
    sampled: bool
    reads: tuple[int, ...] | None

    @property
    def text(self) -> str:
        """What is known of these words."""
        if not self.words:
            return "these are all words of that length"
        which = (
            f"{self.words:,} random other words" if self.sampled else f"the {self.words:,} other words of that length"
        )
        silent = self.words - self.said
        parts = [f"on {which}"]
        if self.said:
            parts.append(
                f"the law is right on {self.right:,} of the {self.said:,} that have numbers where it reads them"
            )
        if silent:
            parts.append(f"says nothing about {silent:,} without" if self.said else "the law says nothing")
        return ", ".join(parts[:2]) + (f", and {parts[2]}" if len(parts) > 2 else "")


@dataclass(frozen=True)
class Wrong:
    """A word on which the law is wrong."""

    word: str
    says: int
    decides: int


@dataclass(frozen=True)
class Tabled:
    """A network as a table over letters.

    Attributes:
        length: of the words.
        found: the law, the words that it is about, and the decisions on them.
        where: the restriction to these words, as `fom verify --where` takes it; nothing if they are all.
        reads: the positions, from 1, on which the decision depends on these words.
        wrong: words on which the law is wrong; the first `MOST_WRONG`.
        formulas: a sentence for each class explained, exact on these words.
        report: the verification of the formulas.
        program: the law as a program, right where the law is.
    """

    length: int
    alphabet: tuple[str, ...]
    found: FoundLaw
    where: str
    reads: tuple[int, ...]
    elsewhere: Elsewhere
    wrong: tuple[Wrong, ...]
    formulas: tuple[tuple[int, Sentence], ...]
    specification: Sentence
    report: Report
    program: Program
    seconds: float

    @property
    def fit(self) -> Fit:
        """The law and how often it is right."""
        return self.found.fit

    @property
    def scope(self) -> str:
        """The words that the law is about."""
        return f"n = {self.length}" + (f", where {self.where}" if self.where else "")

    @property
    def example(self) -> Integers:
        """A word of the shape, with different letters."""
        words = self.found.shape.words()
        words = words[(self.found.decided != UNSEEN).reshape(-1)][-10_000:]
        variety = (np.diff(np.sort(words, axis=1), axis=1) != 0).sum(axis=1)
        chosen: Integers = words[int(variety.argmax())]
        return chosen

    @property
    def verified(self) -> bool:
        """Whether the law is right on all words that it is about, and the formulas are proved there."""
        return self.fit.exact and self.report.verdict == "holds"

    @property
    def meaning(self) -> str:
        """What v1, v2, .. are."""
        places = [place + 1 for place in self.fit.law.places]
        names = " and ".join(f"v{place}" for place in places)
        letters = self.found.shape.letters[places[0] - 1]
        numbers = [f"{self.alphabet[letter]} = {self.found.number_of[letter]}" for letter in letters]
        listed = numbers if len(numbers) <= 4 else [*numbers[:2], "..", numbers[-1]]
        which = "is the number" if len(places) == 1 else "are the numbers"
        at = " and ".join(map(str, places))
        return f"{names} {which} of the letters at position{'s' * (len(places) > 1)} {at}: {', '.join(listed)}"


def explain_table(source: Source, asked: Search, progress: Progress) -> Tabled | None:
    """The table of a network and its law, or None if it is no table or has none.

    Raises:
        FomError: a restriction that does not fit the network, or that no word satisfies.
    """
    return TableExplainer(source, asked, progress).explain() if is_table(source, asked) else None


def is_table(source: Source, asked: Search) -> bool:
    """Tell whether a network may be one: it reads words, decides once, and the words are short.

    Where only the user's restriction makes them short, there have to be more than a few letters: else sentences say more.
    """
    network = source.network
    if network.inputs or network.decided.kind == "value" or network.decided.n_positions or asked.at is not None:
        return False
    longest = network.domain.most
    restricted = asked.where is not None and len(network.alphabet) >= FEW_LETTERS
    return restricted or (longest is not None and 1 <= longest <= LONGEST)


class TableExplainer:
    """One run."""

    def __init__(self, source: Source, asked: Search, progress: Progress) -> None:
        self.source, self.asked, self.progress = source, asked, progress
        self.network = source.network
        self.scope = Scope(self.network, Question(max_length=asked.max_length, where=asked.where))
        never = Specification(Sentence(self.network.alphabet, (), (), TRUE), (), (), False)
        self.problem = Problem(self.network, never, self.scope.where)
        self.count = n_classes(self.network)

    def explain(self) -> Tabled | None:
        """Find the law, verify the formulas, and count what is left."""
        started = time.monotonic()
        limit = Limit(started + self.asked.timeout_s, progress=self.progress)
        n = self.length()
        if n is None:
            return None
        self.progress(f"looking for a law of the words of length {n}")
        table = Table(self.decide, self.network.alphabet, n)
        several = self.network.domain.least != n and self.asked.where is None
        found = find_law(table, self.count, limit, lambda shape: not several or len(shape.numbers) < n)
        if found is None or (several and found.shape.size == table.everything.size):
            return None
        where = self.where(table, found.shape)
        formulas = self.formulas(found)
        stated = specification(self.network.alphabet, formulas)
        self.progress(f"verifying the formulas of {len(formulas)} classes")
        outcome = self.verify(table, found, where, Specification(
            stated, tuple(number for number, _ in formulas), tuple(one.name for one in stated.definitions),
            len(formulas) == self.count,
        ))  # fmt: skip
        return Tabled(
            length=n,
            alphabet=self.network.alphabet,
            found=found,
            where=where,
            reads=tuple(place + 1 for place in places_read(found.decided)),
            elsewhere=self.elsewhere(table, found),
            wrong=self.wrong(found),
            formulas=tuple(formulas),
            specification=stated,
            report=outcome,
            program=law_program(found, self.network.alphabet),
            seconds=time.monotonic() - started,
        )

    def verify(self, table: Table, found: FoundLaw, where: str, specified: Specification) -> Report:
        """Verify that the network decides what the formulas say, on every word that is considered.

        Where the words of the shape are few among all words of their length, only these are gone through.
        """
        question = Question(
            max_length=table.n, where=where or None, timeout_s=self.asked.timeout_s, method="exhaustive"
        )
        if table.is_small:
            rival = SpecifiedRival(specified)
            return report(Comparison(self.source, question, rival, self.progress, replayed=False))
        started = time.monotonic()
        scope = Scope(self.network, question)
        scope.restriction = specified.restriction
        problem = Problem(self.network, specified, scope.where)
        words = found.shape.words()
        words = words[problem.considered(words)]
        text = scope.restricted([table.n])
        verdict: Verdict = Holds()
        for start in range(0, len(words), CHUNK):
            different = np.flatnonzero(problem.differs(words[start : start + CHUNK]))
            if len(different):
                row = words[start + int(different[0])]
                decided = {"network": int(self.decide(row[None])[0]), **SpecifiedRival(specified).answers(row)}
                verdict = Refuted(Counterexample(format_word(row, self.network.alphabet), decided))
                break
        facts = {"words": len(words), "considered": len(words)}
        seconds = time.monotonic() - started
        claim = Claim("network", "spec", text, "exhaustive", verdict, seconds, facts=facts)
        return Report("holds" if isinstance(verdict, Holds) else "refuted", text, (claim,), ())

    def length(self) -> int | None:
        """The length of the words: that of all which are considered, or the longest of the network."""
        domain, letters = self.network.domain, len(self.network.alphabet)
        if self.asked.where is None:
            longest = domain.most
            shorter = self.asked.max_length is not None and longest is not None and self.asked.max_length < longest
            return None if shorter else longest
        found: list[int] = []
        for n in self.scope.lengths:
            if count_words(letters, domain.least, n) > MOST_LISTED or len(found) > 1:
                break
            if any(self.problem.considered(words).any() for words in all_words(letters, n)):
                found.append(n)
        else:
            if not found:
                raise self.scope.no_words()
        return found[0] if len(found) == 1 and found[0] <= LONGEST else None

    def decide(self, words: Integers) -> Integers:
        """Decisions, or -1 where a word is not considered."""
        considered = self.problem.considered(words)
        decided = np.full(len(words), UNSEEN, dtype=np.int64)
        if considered.any():
            decided[considered] = decided_by(self.network, words[considered])
        return decided

    def where(self, table: Table, shape: Shape) -> str:
        """The restriction to the words of a shape, as a text; that of the user, where it restricts to no other words."""
        parts: list[Formula] = []
        formula = shape.formula(self.network.alphabet)
        user = self.scope.where
        inside = table.whole is not None and np.count_nonzero(table.whole != UNSEEN) == np.count_nonzero(
            table.grid(shape) != UNSEEN
        )
        if user is not None:
            parts.append(user.formula)
        elif self.network.domain.least != table.n and len(shape.letters[-1]) > 1:
            parts.append(Compare("=", Term((), 1, 0), Term((), 0, table.n)))
        if formula != TRUE and not (user is not None and inside):
            parts.append(formula)
        else:
            return self.asked.where or (str(parts[0]) if parts else "")
        stated = all_of(one for part in parts for one in (part.parts if isinstance(part, And) else (part,)))
        return str(replace(user, formula=stated)) if user is not None and user.definitions else str(stated)

    def formulas(self, found: FoundLaw) -> list[tuple[int, Sentence]]:
        """The formula of each class on the words of the shape."""
        alphabet = self.network.alphabet
        reads = places_read(found.decided)
        few = tuple(slice(None) if place in reads else slice(0, 1) for place in range(found.decided.ndim))
        grid = found.decided[few] if (found.decided != UNSEEN).all() else found.decided
        letters = tuple(
            one if extent == len(one) else one[:1] for one, extent in zip(found.shape.letters, grid.shape, strict=True)
        )
        shape = Shape(letters, found.shape.numbers)
        seen = grid != UNSEEN
        return [
            (number, Sentence(alphabet, (), (), table_formula(grid == number, seen, shape, alphabet)))
            for number in self.asked.classes or range(self.count)
        ]

    def wrong(self, found: FoundLaw) -> tuple[Wrong, ...]:
        """The first words on which the law is wrong."""
        words, decided = found.shape.words(), found.decided.reshape(-1)
        said = found.said(words)
        rows = np.flatnonzero((said != decided) & (decided != UNSEEN))[:MOST_WRONG]
        alphabet = self.network.alphabet
        return tuple(Wrong(format_word(words[row], alphabet), int(said[row]), int(decided[row])) for row in rows)

    def elsewhere(self, table: Table, found: FoundLaw) -> Elsewhere:
        """What the law says on words of other shapes."""
        letters, n = len(self.network.alphabet), table.n
        words = table.everything.words() if table.whole is not None else random_words(letters, n, SAMPLED, n)
        words = words[~found.shape.has(words)]
        decided = self.decide(words)
        words, decided = words[decided != UNSEEN], decided[decided != UNSEEN]
        said = found.applies(words)
        right = int((found.said(words[said]) == decided[said]).sum())
        reads = None if table.whole is None else tuple(place + 1 for place in places_read(table.whole))
        return Elsewhere(len(words), int(said.sum()), right, table.whole is None, reads)


def specification(alphabet: tuple[str, ...], formulas: Sequence[tuple[int, Sentence]]) -> Sentence:
    """The formulas as a specification that `fom verify --against` takes."""
    definitions = tuple(Definition(f"class[{number}]", (), one.formula) for number, one in formulas)
    return Sentence(alphabet, (), definitions, TRUE)


def law_program(found: FoundLaw, alphabet: tuple[str, ...]) -> Program:
    """A law as a program: the numbers of the letters, those at the positions, and the answer."""
    table = ", ".join(
        f"{letter!r}: {number}" for letter, number in zip(alphabet, found.number_of.tolist(), strict=True)
    )
    lines = [("number", f"{{{table}}}[tokens]")]
    places = found.fit.law.places
    names = [f"number_{place + 1}" for place in places]
    lines += [
        (name, f"aggregate(select(indices, {place}, EQ), number)") for name, place in zip(names, places, strict=True)
    ]
    lines.append(("output", found.fit.law.spelled(names, True)))
    return program(alphabet, lines, False)
