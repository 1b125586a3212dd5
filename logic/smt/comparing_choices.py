"""Choices: variables of finitely many options that the solver knows, and formulas about them.

A choice is the letter at a position, the numbers of all letters on a set of positions, or a word of the network that is known
through the thresholds it reaches. What a network computes from a few choices is a table over their options, made in numpy; the
solver only meets the options that matter, as sets (`Choices.among`, `Choices.cells`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from pysmt.fnode import FNode
from pysmt.typing import BOOL, INT

from logic.smt.comparing import Shared

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]
Key = tuple[int, ...]

MOST_COUNTS = 1 << 13
"""Vectors of numbers of letters in one choice."""


@dataclass(frozen=True, slots=True)
class LetterChoice:
    """The letter at a position; option a is letter number a."""

    literals: tuple[FNode, ...]


@dataclass(frozen=True, slots=True)
class CountChoice:
    """The numbers of all letters on a set of positions; option i is the row i of `vectors`, in lexicographic order."""

    counts: tuple[FNode, ...]
    vectors: Integers


@dataclass(frozen=True, slots=True)
class WordChoice:
    """How many of some thresholds are reached; each implies the one before."""

    reached: tuple[FNode, ...]


class Choices:
    """The choices of one query, by number, with the constraints that define them."""

    def __init__(self, shared: Shared, alphabet: Sequence[str]) -> None:
        self.shared, self.alphabet = shared, tuple(alphabet)
        self.smt: Any = shared.env.formula_manager
        self.constraints: list[FNode] = []
        self.known: list[LetterChoice | CountChoice | WordChoice] = []
        self.sizes: list[int] = []
        self.counted: dict[Key, int] = {}
        self.total: dict[Key, tuple[FNode, ...]] = {}
        self.words: dict[tuple[FNode, ...], int] = {}
        for position in range(1, shared.n + 1):
            self.add(LetterChoice(tuple(shared.letters[a, position] for a in self.alphabet)), len(self.alphabet))

    def add(self, choice: LetterChoice | CountChoice | WordChoice, size: int) -> int:
        """Number a choice."""
        self.known.append(choice)
        self.sizes.append(size)
        return len(self.known) - 1

    def letter(self, position: int) -> int:
        """The choice of the letter at a position."""
        return position - 1

    def count(self, positions: Key) -> int | None:
        """The choice of the numbers of letters on positions, in increasing order; None if it has too many options."""
        if positions not in self.counted:
            n, k = len(positions), len(self.alphabet)
            if comb(n + k - 1, k - 1) > MOST_COUNTS:
                return None
            chosen = list(combinations(range(n + k - 1), k - 1))
            bars = np.array(chosen, dtype=np.int64).reshape(len(chosen), k - 1)
            edges = np.pad(bars, ((0, 0), (1, 1)), constant_values=((0, 0), (-1, n + k - 1)))
            vectors = np.diff(edges, axis=1) - 1
            self.counted[positions] = self.add(CountChoice(self.totals(positions), vectors), len(vectors))
        return self.counted[positions]

    def totals(self, positions: Key) -> tuple[FNode, ...]:
        """The integers of the solver that count each letter on positions."""
        if positions not in self.total:
            before = self.total.get(positions[:-1])
            found = []
            for number, letter in enumerate(self.alphabet):
                new = positions if before is None else positions[-1:]
                ones = [self.bit(self.shared.letters[letter, position]) for position in new]
                parts = ones if before is None else [before[number], *ones]
                symbol = self.smt.new_fresh_symbol(INT, "count!%d")
                self.constraints.append(self.smt.Equals(symbol, self.smt.Plus(parts)))
                found.append(symbol)
            self.constraints.append(self.smt.Equals(self.smt.Plus(found), self.smt.Int(len(positions))))
            self.total[positions] = tuple(found)
        return self.total[positions]

    def bit(self, truth: FNode) -> FNode:
        """1 if a formula holds, else 0."""
        return self.smt.Ite(truth, self.smt.Int(1), self.smt.Int(0))

    def word(self, reached: Sequence[FNode]) -> int:
        """A choice by thresholds, each of which implies the one before."""
        key = tuple(reached)
        if key not in self.words:
            literals: list[FNode] = []
            for formula in key:
                literal = self.smt.new_fresh_symbol(BOOL, "word!%d") if not formula.is_literal() else formula
                if literal is not formula:
                    self.constraints.append(self.smt.Iff(literal, formula))
                if literals:
                    self.constraints.append(self.smt.Implies(literal, literals[-1]))
                literals.append(literal)
            self.words[key] = self.add(WordChoice(tuple(literals)), len(literals) + 1)
        return self.words[key]

    def n_cells(self, key: Sequence[int]) -> int:
        """The number of joint options."""
        found = 1
        for choice in key:
            found *= self.sizes[choice]
        return found

    def among(self, choice: int, options: Truth) -> FNode:
        """Whether the option chosen is one of a set."""
        if options.all():
            return self.smt.TRUE()
        if not options.any():
            return self.smt.FALSE()
        match self.known[choice]:
            case LetterChoice(literals):
                inside = [literal for literal, one in zip(literals, options, strict=True) if one]
                outside = [literal for literal, one in zip(literals, options, strict=True) if not one]
                return self.either(inside) if len(inside) <= len(outside) else self.smt.Not(self.either(outside))
            case WordChoice(reached):
                found = []
                for start, stop in runs(options):
                    bounds = [reached[start - 1]] if start else []
                    bounds += [self.smt.Not(reached[stop - 1])] if stop < len(options) else []
                    found.append(self.both(bounds))
                return self.either(found)
            case CountChoice(counts, vectors):
                return self.vectors_among(counts, vectors, options)

    def vectors_among(self, counts: tuple[FNode, ...], vectors: Integers, options: Truth, column: int = 0) -> FNode:
        """Whether the numbers of letters from a column on are one of a set of vectors."""
        if options.all():
            return self.smt.TRUE()
        if not options.any():
            return self.smt.FALSE()
        values = vectors[:, column]
        edges = np.flatnonzero(np.diff(values)) + 1
        parts = np.split(np.arange(len(values)), edges)
        if column == len(counts) - 2:
            truths = np.array([bool(options[part[0]]) for part in parts])
            found = [self.between(counts[column], int(values[parts[a][0]]), int(values[parts[b - 1][0]]), a > 0,
                                  b < len(parts)) for a, b in runs(truths)]  # fmt: skip
            return self.either(found)
        found = []
        for place, part in enumerate(parts):
            rest = self.vectors_among(counts, vectors[part], options[part], column + 1)
            if not rest.is_false():
                value = int(values[part[0]])
                here = self.between(counts[column], value, value, place > 0, place < len(parts) - 1)
                found.append(self.both([here, rest]))
        return self.either(found)

    def between(self, count: FNode, low: int, high: int, above: bool, below: bool) -> FNode:
        """Whether a number lies between bounds, those that say something."""
        bounds = [self.smt.GE(count, self.smt.Int(low))] if above else []
        bounds += [self.smt.LE(count, self.smt.Int(high))] if below else []
        return self.both(bounds)

    def either(self, parts: Sequence[FNode]) -> FNode:
        """The disjunction, without constants."""
        kept = [part for part in dict.fromkeys(parts) if not part.is_false()]
        if any(part.is_true() for part in kept):
            return self.smt.TRUE()
        return self.smt.Or(kept) if kept else self.smt.FALSE()

    def both(self, parts: Sequence[FNode]) -> FNode:
        """The conjunction, without constants."""
        kept = [part for part in dict.fromkeys(parts) if not part.is_true()]
        if any(part.is_false() for part in kept):
            return self.smt.FALSE()
        return self.smt.And(kept) if kept else self.smt.TRUE()

    def cells(self, key: Key, options: Truth) -> FNode:
        """Whether the joint option of choices is one of a set, given as an array with one axis for each choice."""
        if not key:
            return self.smt.Bool(bool(options))
        if options.all() or not options.any():
            return self.smt.Bool(bool(options.all()))
        axis = int(np.argmin([self.sizes[choice] for choice in key]))
        flat = np.moveaxis(options, axis, 0).reshape(options.shape[axis], -1)
        rest = key[:axis] + key[axis + 1 :]
        rows, owner = np.unique(flat, axis=0, return_inverse=True)
        found = []
        for number, row in enumerate(rows):
            inner = self.cells(rest, row.reshape([self.sizes[choice] for choice in rest]))
            found.append(self.both([self.among(key[axis], owner.reshape(-1) == number), inner]))
        return self.either(found)


def runs(options: Truth) -> list[tuple[int, int]]:
    """The maximal runs of true entries, as half-open intervals."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], options.astype(np.int8), [0]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
