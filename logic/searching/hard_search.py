"""Finding programs of hard attention from values: heads, tables and scores that give the variables seen on some words.

Nothing is known of how a variable was computed. For each key value the closest match of every position is computed
once; a head is a choice of a key value for each query value, so one product of matrices counts the errors of all
choices. Among explanations that are exact on the words the one of the earliest variables is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.hard_programs import GIVEN, Attend, Integers, Lookup, Step, closest, given, visible

Reals = np.ndarray[Any, np.dtype[np.float64]]
MOST_VALUES = 40
SPARSE = 7
"""A variable of more values than this is not read as one."""


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
        if len(levels) <= MOST_VALUES:
            self.coded[name] = levels, codes.ravel()
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
        for sums in (False, True):
            for copied, own in self.values.items():
                if limit.left <= 0:
                    return None
                if sums != (copied == "ones" or self.is_sum(copied)):
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
            if len(levels) > 1:
                yield name, levels.tolist()

    def predicate(
        self, copied: str, wanted: Integers, *, sums: bool
    ) -> tuple[str, str, tuple[tuple[int, int | None], ...]] | None:
        """Query, key and predicate of a head that gives the wanted values from those of a variable."""
        keys = list(self.keys())
        rows: list[tuple[str, int | None]] = [("", None), *((key, value) for key, levels in keys for value in levels)]
        wrong = np.empty((len(rows), len(wanted)), dtype=np.float32)
        for place, (key, value) in enumerate(rows):
            wrong[place] = self.read(key, value, copied, sums=sums) != wanted
        queries = [("ones", [1]), *keys]
        for query, levels in queries:
            asked = self.values[query][:, None] == np.array(levels)
            errors = wrong @ asked.astype(np.float32)
            start = 1
            for key, values in keys:
                # the value None last: nothing matches
                own = np.concatenate([errors[start : start + len(values)], errors[:1]])
                start += len(values)
                if not own.min(axis=0).any():
                    picked = own.argmin(axis=0)
                    entries: list[int | None] = [*values, None]
                    return query, key, tuple((a, entries[b]) for a, b in zip(levels, picked.tolist(), strict=True))
        return None

    def read(self, key: str, value: int | None, copied: str, *, sums: bool) -> Integers:
        """What every position reads if it looks for one value of a key."""
        if not sums:
            return self.values[copied][self.places(key, value)]
        if value is None:
            return np.zeros_like(self.values[copied])
        parts = []
        for keys, values in zip(self.batches(self.values[key]), self.batches(self.values[copied]), strict=True):
            kept = np.where(keys == value, values, 0)
            whole = np.cumsum(kept, axis=1) if self.causal else np.broadcast_to(kept.sum(axis=1)[:, None], kept.shape)
            parts.append(whole.ravel())
        return np.concatenate(parts)

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
        pairs = sorted(combinations(coded, 2), key=lambda two: len(coded[two[0]][0]) * len(coded[two[1]][0]))
        for reads in (*((one,) for one in coded), *pairs):
            keys = coded[reads[0]][1]
            for other in reads[1:]:
                keys = keys * len(coded[other][0]) + coded[other][1]
            size = int(np.prod([len(coded[other][0]) for other in reads]))
            # the last code seen for each key: a table if every point has it; most are none on a few points
            table = np.full(size, -1)
            table[keys[::SPARSE]] = own.ravel()[::SPARSE]
            if (table[keys[::SPARSE]] != own.ravel()[::SPARSE]).any():
                continue
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
