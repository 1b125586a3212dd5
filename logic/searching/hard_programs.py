"""Programs of hard attention: heads that copy the closest match or sum over all matches, tables, and scores.

They are the programs of Friedman, Wettig & Chen 2023 (*Learning Transformer Programs*). A variable has a whole number
at each position: `tokens` (numbers of letters), `indices` (0, 1, ..) and `ones` are given, the others are assigned
once:

* ``name = closest(key, query, {..}, value)``: position x attends to the closest y at which `key` is what the table says
  for the `query` at x, and copies `value` from there. Of two at one distance the earlier one is closer; x itself counts
  as far away as there are matches; without a match it is the first position;
* ``name = total(key, query, {..}, value)``: the sum of `value` over all such y;
* ``name = {..}[u]`` and ``{..}[u, v]``: a table.

The answer is a table, or the first class with the largest sum of scores. In a causal program y is at most x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import fail

Integers = np.ndarray[Any, np.dtype[np.int64]]
Values = Mapping[str, Integers]

GIVEN = ("tokens", "indices", "ones")
OUTPUT = "output"
FAR = 1 << 40


@dataclass(frozen=True)
class Attend:
    """A head; `predicate` has the matching key value of each query value, None if nothing matches it."""

    name: str
    query: str
    key: str
    predicate: tuple[tuple[int, int | None], ...]
    value: str
    sums: bool

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.query, self.key, self.value)


@dataclass(frozen=True)
class Lookup:
    """A table of one or two variables."""

    name: str
    reads: tuple[str, ...]
    entries: tuple[tuple[tuple[int, ...], int], ...]


@dataclass(frozen=True)
class Scores:
    """Scores of classes: of each variable the rows of its values, and multiples of numbers.

    Attributes:
        rows: variable, and the scores of each of its values.
        weights: variable, and what one unit of it adds to each class.
        constant: added for each class.
    """

    rows: tuple[tuple[str, tuple[tuple[int, tuple[float, ...]], ...]], ...]
    weights: tuple[tuple[str, tuple[float, ...]], ...]
    constant: tuple[float, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(name for name, _ in (*self.rows, *self.weights))


Step = Attend | Lookup


@dataclass(frozen=True)
class HardProgram:
    """Steps in order, and the answer at each position."""

    letters: tuple[str, ...]
    steps: tuple[Step, ...]
    answer: Lookup | Scores
    causal: bool

    def run(self, words: Integers, missing: int | None = None) -> Integers:
        """The answers on words of one length: classes ``(B, n)``; `missing` stands for values that a table does not have.

        Raises:
            FomError: a value that a table does not have, without `missing` (L097).
        """
        values = given(words)
        for step in self.steps:
            values[step.name] = value_of(step, values, causal=self.causal, missing=missing)
        if isinstance(self.answer, Lookup):
            return value_of(self.answer, values, causal=self.causal, missing=missing)
        return scores_of(self.answer, values).argmax(axis=-1)

    @cached_property
    def lettered(self) -> frozenset[str]:
        """The variables whose values are letters."""
        found = {"tokens"}
        for step in self.steps:
            if isinstance(step, Attend) and not step.sums and step.value in found:
                found.add(step.name)
        return frozenset(found)

    @cached_property
    def rasp(self) -> str:
        """The text, one assignment on each line."""
        from logic.searching.hard_text import rasp_of

        return rasp_of(self)

    @cached_property
    def python(self) -> str:
        """The source of a Python module with one function, ``program(word)`` of a list of letters."""
        from logic.searching.hard_text import python_of

        return python_of(self)


def given(words: Integers) -> dict[str, Integers]:
    """The variables that are there from the start."""
    words = np.asarray(words, dtype=np.int64)
    places = np.broadcast_to(np.arange(words.shape[1]), words.shape)
    return {"tokens": words, "indices": places, "ones": np.ones_like(words)}


def value_of(step: Step, values: Values, *, causal: bool, missing: int | None = None) -> Integers:
    """The value of a variable from those before it.

    Raises:
        FomError: a value that a table does not have (L097).
    """
    if isinstance(step, Lookup):
        return looked_up(step.name, [values[name] for name in step.reads], dict(step.entries), missing)
    predicate: dict[tuple[int, ...], int] = {(a,): -FAR if b is None else b for a, b in step.predicate}
    wanted = looked_up(step.name, [values[step.query]], predicate, missing)
    matches = (values[step.key][:, None, :] == wanted[:, :, None]) & visible(wanted.shape[1], causal=causal)
    value = values[step.value]
    if step.sums:
        return np.einsum("bxy,by->bx", matches, value)
    return np.take_along_axis(value, closest(matches), axis=1)


def visible(n: int, *, causal: bool) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which positions y a position x may look at, ``(n, n)``."""
    return np.tril(np.ones((n, n), dtype=bool)) if causal else np.ones((n, n), dtype=bool)


def closest(matches: np.ndarray[Any, np.dtype[np.bool_]]) -> Integers:
    """The closest match of each position, of matches ``(.., n, n)``; position 0 without any."""
    n = matches.shape[-1]
    places = np.arange(n)
    count = matches.sum(axis=-1, dtype=np.int64)[..., None]
    cost = np.where(np.eye(n, dtype=bool), count, np.abs(places[:, None] - places))
    return np.where(matches, cost, FAR).argmin(axis=-1)


def looked_up(
    name: str, columns: Sequence[Integers], entries: Mapping[tuple[int, ...], int], missing: int | None = None
) -> Integers:
    """The entries of a table at the values of some variables.

    Raises:
        FomError: L097.
    """
    rows = np.stack([np.asarray(column).ravel() for column in columns], axis=1)
    distinct, where = np.unique(rows, axis=0, return_inverse=True)
    found = np.empty(len(distinct), dtype=np.int64)
    for place, row in enumerate(map(tuple, distinct.tolist())):
        entry = entries.get(row, missing)
        if entry is None:
            raise fail("L097", f"the table of `{name}` has no entry for {row}")
        found[place] = entry
    return found[where.ravel()].reshape(columns[0].shape)


def scores_of(answer: Scores, values: Values) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The scores of all classes ``(B, n, classes)``; a value without a row, which was never seen, adds nothing."""
    shape = values["tokens"].shape
    total = np.broadcast_to(np.array(answer.constant), (*shape, len(answer.constant))).copy()
    for name, rows in answer.rows:
        keys = np.array([key for key, _ in rows])
        table = np.array([row for _, row in rows])
        order = np.argsort(keys)
        place = np.clip(np.searchsorted(keys[order], values[name]), 0, len(keys) - 1)
        known = keys[order][place] == values[name]
        total += table[order][place] * known[..., None]
    for name, weights in answer.weights:
        total += values[name][..., None] * np.array(weights)
    return total


def renamed(program: HardProgram) -> HardProgram:
    """The same program with its variables numbered: ``head_1``, ``count_1``, ``table_1``."""
    names = {name: name for name in GIVEN}
    kinds: dict[str, int] = {}
    for step in program.steps:
        kind = "table" if isinstance(step, Lookup) else "count" if step.sums else "head"
        kinds[kind] = kinds.get(kind, 0) + 1
        names[step.name] = f"{kind}_{kinds[kind]}"
    steps: list[Step] = []
    for step in program.steps:
        if isinstance(step, Lookup):
            steps.append(Lookup(names[step.name], tuple(names[one] for one in step.reads), step.entries))
        else:
            query, key, value = (names[one] for one in step.reads)
            steps.append(Attend(names[step.name], query, key, step.predicate, value, step.sums))
    answer = program.answer
    if isinstance(answer, Lookup):
        answer = Lookup(answer.name, tuple(names[one] for one in answer.reads), answer.entries)
    else:
        rows = tuple((names[name], part) for name, part in answer.rows)
        answer = Scores(rows, tuple((names[name], part) for name, part in answer.weights), answer.constant)
    return HardProgram(program.letters, tuple(steps), answer, program.causal)
