"""Formulas in two variables for truths at pairs of positions, such as "position x attends to y".

There is a fixed list of literals: letters at x, at y and beside, their equality, the order of x and y, ends, and the nearest
earlier position with a letter. A truth is matched by one of them, by a conjunction or disjunction of two, or by one of these
beside a third. For conjunctions only literals that hold wherever the truth does can take part; which two of them exclude all else
is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.batch import evaluate
from logic.searching.samples import Samples, Truth
from logic.syntax import (
    TRUE,
    Compare,
    Definition,
    Exists,
    Formula,
    Iff,
    Letter,
    Not,
    Sentence,
    Term,
    all_of,
    any_of,
    var,
)

X, Y = var("x"), var("y")


@dataclass(frozen=True)
class Literal:
    """A formula in x and y with its cost, which also prefers the plain ones."""

    formula: Formula
    cost: int


def same(alphabet: Sequence[str], at_x: Term, at_y: Term) -> Formula:
    """That the letters at two terms are equal."""
    if len(alphabet) <= 2:
        return Iff(Letter(alphabet[0], at_y), Letter(alphabet[0], at_x))
    return any_of(all_of([Letter(name, at_x), Letter(name, at_y)]) for name in alphabet)


def literals(alphabet: Sequence[str], longest: int) -> Iterator[Literal]:
    """The literals, without negations."""
    first, last = Term((), 0, 1), Term((), 1, 0)
    yield Literal(Compare("=", Y, X), 1)
    yield Literal(Compare("<=", Y, X), 1)
    yield Literal(Compare("<", Y, X), 1)
    yield Literal(Compare("=", Y, first), 1)
    yield Literal(Compare("=", Y, last), 1)
    yield Literal(same(alphabet, X, Y), 2)
    for offset in (-1, 1, -2, 2):
        yield Literal(Compare("=", Y, X + offset), 1 + abs(offset))
    for name in alphabet:
        yield Literal(Letter(name, Y), 1)
        yield Literal(Letter(name, X), 2)
        for offset in (-1, 1):
            yield Literal(Letter(name, Y + offset), 3)
    yield Literal(Compare("=", X, first), 3)
    yield Literal(Compare("=", X, last), 3)
    yield Literal(same(alphabet, X, Y + -1), 4)
    yield Literal(same(alphabet, X + -1, Y), 4)
    for place in range(2, longest + 1):
        yield Literal(Compare("=", Y, Term((), 0, place)), 4)
    between = (Compare("<", Y, var("z")), Compare("<=", var("z"), X))
    for name in alphabet:
        nearer = Exists("z", all_of([*between, Letter(name, var("z"))]))
        yield Literal(all_of([Compare("<=", Y, X), Letter(name, Y), Not(nearer)]), 6)
    before = (Compare("<", Y, var("z")), Compare("<", var("z"), X))
    nearer = Exists("z", all_of([*before, same(alphabet, X, var("z"))]))
    yield Literal(all_of([Compare("<", Y, X), same(alphabet, X, Y), Not(nearer)]), 8)


class Pairs:
    """Pairs of positions of the words of samples: those whose x is considered.

    Attributes:
        samples: the words.
        literals: the formulas with their negations, cheapest first; values: ``(F, N)`` over the pairs.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        longest = max(words.shape[1] for words in samples.words)
        used = np.unique(np.concatenate([words.reshape(-1) for words in samples.words]))
        plain = list(literals([samples.alphabet[number] for number in used], longest))
        values = self.of_formulas([one.formula for one in plain])
        both = [*plain, *(Literal(Not(one.formula), one.cost + 1) for one in plain)]
        order = sorted(range(len(both)), key=lambda place: both[place].cost)
        self.literals = [both[place] for place in order]
        self.values: Truth = np.concatenate([values, ~values])[order]

    def flat(self, arrays: Sequence[Any]) -> Any:
        """Arrays ``(B, n, n)`` for each batch, as one row over the pairs."""
        return np.concatenate([
            np.broadcast_to(array, (len(words), words.shape[1], words.shape[1]))[considered].reshape(-1)
            for array, words, considered in zip(arrays, self.samples.words, self.samples.considered, strict=True)
        ])  # fmt: skip

    def of_formulas(self, formulas: Sequence[Formula]) -> Truth:
        """The truth of formulas in x and y at the pairs ``(F, N)``, as the evaluator of sentences says."""
        names = [f"p{number}" for number in range(len(formulas))]
        definitions = tuple(Definition(name, ("x", "y"), one) for name, one in zip(names, formulas, strict=True))
        sentence = Sentence(self.samples.alphabet, (), definitions, TRUE)
        found = [evaluate(sentence, words, wanted=names) for words in self.samples.words]
        return np.array([self.flat([part[name] for part in found]) for name in names], dtype=bool)

    def rows(self, truth: Sequence[Truth]) -> Any:
        """A truth ``(B, n)`` of x as one of the pairs."""
        return self.flat([part[:, :, None] for part in truth])

    def formula(self, truth: Truth, seen: Truth) -> Formula | None:
        """A short formula that is right wherever it is seen, or None."""
        found = self.joined(truth, seen)
        if found is not None:
            return all_of(found[1]) if found[0] else any_of(found[1])
        for conjunction in (False, True):
            wanted = truth if not conjunction else ~truth
            inside = np.flatnonzero(~(self.values & seen & ~wanted).any(axis=1))
            for place in inside[:12].tolist():
                rest = self.joined(wanted, seen & ~self.values[place], conjunctions=True)
                if rest is not None:
                    chosen = any_of([self.literals[place].formula, all_of(rest[1])])
                    return Not(chosen) if conjunction else chosen
        return None

    def joined(self, truth: Truth, seen: Truth, conjunctions: bool = False) -> tuple[bool, list[Formula]] | None:
        """The cheapest literal, conjunction of two or (unless only these are wanted) disjunction of two: kind and parts."""
        best: tuple[int, bool, list[Formula]] | None = None
        for conjunction in (True,) if conjunctions else (True, False):
            wanted, values = (truth, self.values) if conjunction else (~truth, ~self.values)
            able = np.flatnonzero(~((~values & wanted & seen).any(axis=1)))
            if not len(able):
                continue
            outside = values[able][:, seen & ~wanted].astype(np.float32)
            together = outside @ outside.T
            costs = np.array([self.literals[place].cost for place in able])
            total = np.where(np.eye(len(able), dtype=bool), costs[:, None], costs[:, None] + costs[None, :] + 1)
            total = np.where(together == 0, total, np.iinfo(np.int64).max)
            left, right = divmod(int(total.argmin()), len(able))
            if together[left, right] == 0 and (best is None or total[left, right] < best[0]):
                parts = [self.literals[able[place]].formula for place in sorted({left, right})]
                best = int(total[left, right]), conjunction, parts
        return None if best is None else best[1:]

    def nearest(self, truth: Truth, seen: Truth) -> tuple[Formula, int]:
        """The literal or conjunction of two with the fewest pairs on which it is wrong, and how many."""
        inside = self.values[:, seen]
        wanted = truth[seen]
        hits = inside[:, wanted].astype(np.float32)
        false = inside[:, ~wanted].astype(np.float32)
        wrong = (int(wanted.sum()) - hits @ hits.T) + false @ false.T
        left, right = divmod(int(wrong.argmin()), len(wrong))
        parts = [self.literals[place].formula for place in sorted({left, right})]
        return all_of(parts), int(wrong[left, right])
