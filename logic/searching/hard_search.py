"""Finding programs of hard attention from values: heads, tables and scores that give the variables seen on some words.

Nothing is known of how a variable was computed. For each key value the closest match of every position is computed
once; a head is a choice of a key value for each query value, so one product of matrices counts the errors of all
choices. Among explanations that are exact on the words the one of the earliest variables is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.hard_programs import GIVEN, Attend, Integers, Lookup, Step, closest, given, visible

Truths = np.ndarray[Any, np.dtype[np.bool_]]
MOST_VALUES = 40
"""Heads do not compare variables of more values than this, and tables do not have them."""
MOST_READ = 256
"""Values of a variable that a table may read."""
FEW = 400
"""Points that are looked at before all are."""
COMPARED = 20_000
"""Pairs of points that are compared before all points are."""


class Variables:
    """The variables known on some words, and the search for another one.

    Values are flat, over the positions of all words, a batch for each length; `steps` assigns those that are not given.
    """

    def __init__(self, words: Sequence[Integers], *, causal: bool) -> None:
        self.words = [np.asarray(batch, dtype=np.int64) for batch in words]
        self.causal = causal
        self.steps: list[Step] = []
        self.values: dict[str, Integers] = {}
        self.starts = np.cumsum([0, *(batch.size for batch in self.words)])
        size = int(self.starts[-1])
        rng = np.random.default_rng(0)
        self.few = np.sort(rng.choice(size, min(size, FEW), replace=False))
        self.compared = rng.integers(0, size, (2, COMPARED))
        self.alike: dict[str, Truths] = {}
        self.same: dict[bytes, str] = {}
        self.matched: dict[tuple[str, int | None], Integers] = {}
        self.coded: dict[str, tuple[Integers, Integers]] = {}
        every = [given(batch) for batch in self.words]
        for name in GIVEN:
            self.add(name, np.concatenate([values[name].ravel() for values in every]))

    def add(self, name: str, values: Integers) -> None:
        """Make a variable known."""
        self.values[name] = values
        levels, codes = np.unique(values, return_inverse=True)
        if len(levels) <= MOST_READ:
            self.coded[name] = levels, codes.ravel()
            one, other = self.compared
            self.alike[name] = self.coded[name][1][one] == self.coded[name][1][other]
        self.same.setdefault(partition(values), name)

    def known_as(self, values: Integers) -> str | None:
        """A known variable that tells apart what these values tell apart."""
        return self.same.get(partition(values))

    def batches(self, values: Integers) -> list[Integers]:
        """Flat values as one array ``(B, n)`` for each batch of words."""
        ends = pairwise(self.starts.tolist())
        return [values[low:high].reshape(batch.shape) for (low, high), batch in zip(ends, self.words, strict=True)]

    # Heads.

    def attend(self, name: str, values: Integers, limit: Limit) -> tuple[Attend, Integers] | None:
        """A head with these values, or with values that are in the same order, and the values that it has."""
        distinct = np.unique(values)
        # numbers are summed rather than copied; tables of numbers that tell apart the same are copied
        for sums, of_numbers in ((False, False), (True, True), (False, True)):
            for copied, own in self.values.items():
                if limit.left <= 0:
                    return None
                is_number = copied == "ones" or self.is_sum(copied)
                if is_number != of_numbers or (not sums and copied not in self.coded):
                    continue
                levels = np.unique(own)
                options = [values] if sums or np.isin(distinct, levels).all() else []
                if not sums and len(levels) == len(distinct) and not np.array_equal(levels, distinct):
                    options.append(levels[np.searchsorted(distinct, values)])
                for wanted in options:
                    found = self.predicate(copied, wanted, sums=sums)
                    if found is not None:
                        return Attend(name, *found, copied, sums), wanted
        return None

    def is_sum(self, name: str) -> bool:
        """Whether a variable is a number that a head summed up."""
        return any(step.name == name and isinstance(step, Attend) and step.sums for step in self.steps)

    def keys(self) -> Iterator[tuple[str, list[int]]]:
        """The variables that heads compare, with their values."""
        for name, (levels, _) in self.coded.items():
            if 1 < len(levels) <= MOST_VALUES:
                yield name, levels.tolist()

    def predicate(
        self, copied: str, wanted: Integers, *, sums: bool
    ) -> tuple[str, str, tuple[tuple[int, int | None], ...]] | None:
        """Query, key and predicate of a head that gives the wanted values from those of a variable.

        Choices that are wrong on a few points are not looked at on all.
        """
        keys = list(self.keys())
        rows: list[tuple[str, int | None]] = [("", None), *((key, value) for key, levels in keys for value in levels)]
        wrong = np.empty((len(rows), len(self.few)), dtype=np.float32)
        for place, (key, value) in enumerate(rows):
            wrong[place] = self.read(key, value, copied, self.few, sums=sums) != wanted[self.few]
        queries = [("ones", [1]), *keys]
        asked = np.concatenate([self.values[query][self.few, None] == np.array(levels) for query, levels in queries], 1)
        errors = wrong @ asked.astype(np.float32)
        fewest = np.minimum(np.minimum.reduceat(errors[1:], firsts(keys), axis=0), errors[:1])
        able = np.add.reduceat(fewest > 0, firsts(queries), axis=1, dtype=np.int64).T == 0
        for one, other in np.argwhere(able).tolist():
            (query, levels), (key, values) = queries[one], keys[other]
            found = self.exact(query, levels, key, [*values, None], copied, wanted, sums=sums)
            if found is not None:
                return query, key, found
        return None

    def exact(
        self, query: str, levels: list[int], key: str, values: list[int | None], copied: str, wanted: Integers, *,
        sums: bool,
    ) -> tuple[tuple[int, int | None], ...] | None:  # fmt: skip
        """The predicate of a query and a key that is right on all points; with None, last, nothing matches."""
        wrong = np.stack([self.read(key, value, copied, sums=sums) != wanted for value in values]).astype(np.float32)
        errors = wrong @ (self.values[query][:, None] == np.array(levels)).astype(np.float32)
        if errors.min(axis=0).any():
            return None
        picked = errors.argmin(axis=0).tolist()
        return tuple((level, values[place]) for level, place in zip(levels, picked, strict=True))

    def read(self, key: str, value: int | None, copied: str, points: Any = slice(None), *, sums: bool) -> Integers:
        """What positions read if they look for one value of a key."""
        if not sums:
            return self.values[copied][self.places(key, value)[points]]
        if value is None:
            return np.zeros_like(self.values[copied][points])
        parts = []
        for keys, values in zip(self.batches(self.values[key]), self.batches(self.values[copied]), strict=True):
            kept = np.where(keys == value, values, 0)
            whole = np.cumsum(kept, axis=1) if self.causal else np.broadcast_to(kept.sum(axis=1)[:, None], kept.shape)
            parts.append(whole.ravel())
        return np.concatenate(parts)[points]

    def places(self, key: str, value: int | None) -> Integers:
        """For every position the flat place of the closest match."""
        if (key, value) not in self.matched:
            parts = []
            for number, batch in enumerate(self.words):
                rows, n = batch.shape
                first = self.starts[number] + np.arange(rows)[:, None] * n
                if value is None:
                    there = np.zeros((rows, n), dtype=np.int64)
                else:
                    keys = self.batches(self.values[key])[number]
                    there = closest((keys == value)[:, None, :] & visible(n, causal=self.causal))
                parts.append((first + there).ravel())
            self.matched[key, value] = np.concatenate(parts)
        return self.matched[key, value]

    # Tables.

    def lookup(self, name: str, values: Integers, most: int = MOST_VALUES) -> Lookup | None:
        """A table of one variable or of two that has these values."""
        levels, own = np.unique(values, return_inverse=True)
        if len(levels) > most:
            return None
        coded = self.coded
        for reads in self.determining(own.ravel()):
            keys = coded[reads[0]][1]
            for other in reads[1:]:
                keys = keys * len(coded[other][0]) + coded[other][1]
            size = int(np.prod([len(coded[other][0]) for other in reads]))
            table = np.full(size, -1)  # the last code seen for each key: a table if every point has it
            table[keys] = own.ravel()
            if (table[keys] == own.ravel()).all():
                shape = tuple(len(coded[other][0]) for other in reads)
                entries = [
                    (tuple(int(coded[o][0][i]) for o, i in zip(reads, np.unravel_index(key, shape), strict=True)),
                     int(levels[table[key]]))
                    for key in np.flatnonzero(table >= 0)
                ]  # fmt: skip
                return self.composed(Lookup(name, reads, tuple(entries)))
        return None

    def determining(self, own: Integers) -> Iterator[tuple[str, ...]]:
        """The variables, and then the pairs of them, that may determine some codes: no two points compared contradict that."""
        names = list(self.coded)
        one, other = self.compared
        alike = np.stack([self.alike[name][own[one] != own[other]] for name in names]).astype(np.float32)
        contradicted = alike @ alike.T > 0
        sizes = [len(self.coded[name][0]) for name in names]
        yield from ((name,) for place, name in enumerate(names) if not contradicted[place, place])
        pairs = np.argwhere(np.triu(~contradicted, 1)).tolist()
        for first, second in sorted(pairs, key=lambda two: sizes[two[0]] * sizes[two[1]]):
            yield names[first], names[second]

    def composed(self, table: Lookup) -> Lookup:
        """A table of a table is a table."""
        while len(table.reads) == 1:
            inner = next((s for s in self.steps if s.name == table.reads[0] and isinstance(s, Lookup)), None)
            if not isinstance(inner, Lookup):
                break
            entries = dict(table.entries)
            merged = tuple((key, entries[value,]) for key, value in inner.entries)
            table = Lookup(table.name, inner.reads, merged)
        return table


def firsts(named: Sequence[tuple[str, list[int]]]) -> Integers:
    """Where the values of each variable begin in a row of the values of all."""
    return np.cumsum([0, *(len(levels) for _, levels in named[:-1])])


def partition(values: Integers) -> bytes:
    """The same for two variables if they tell the same positions apart: values are numbered as they come."""
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(len(first))
    return order[codes.ravel()].astype(np.int32).tobytes()


def needed(steps: Sequence[Step], reads: Sequence[str]) -> tuple[Step, ...]:
    """The steps that some variables depend on."""
    wanted = set(reads)
    kept: list[Step] = []
    for step in reversed(steps):
        if step.name in wanted:
            kept.append(step)
            wanted |= set(step.reads)
    return tuple(kept[::-1])
