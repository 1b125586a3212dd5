"""What the units of a network compute, in short formulas that are exact on all words of some samples.

A unit is an element of a word of the network with at most one position variable. Constant units are said first, then those
that equal an earlier one, or are its opposite. A unit of few values has a formula for each of them; a unit of many values is a
function of one or two things that a reader knows: the letters here and beside, the position, the length, and counts of letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, Literal

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Exact, Network
from logic.comparing.methods import Limit
from logic.searching.inside import Naming
from logic.searching.points import Points
from logic.searching.samples import Samples, Truth
from logic.syntax import FALSE, Formula, Not

Integers = np.ndarray[Any, np.dtype[np.int64]]
Kind = Literal["constant", "same", "opposite", "formulas", "function", "partly", "unknown"]

MOST_VALUES = 6
MOST_ROWS = 6
NOTHING_SHORT = "has no short formula"
MOST_UNITS = 512


@dataclass(frozen=True)
class Meaning:
    """What one unit computes at all positions considered.

    Attributes:
        unit: ``node[element]``.
        kind: "constant"; "same" as another unit, or its "opposite" of two values; "formulas": one for each value; "function":
            of things that have names; "partly": where it is not at its smallest value; "unknown".
        text: the meaning, to be read after the unit's name.
        formulas: numbers that the unit takes, each with the formula that says where; FALSE at the one taken elsewhere.
        exact: whether text says the unit's value everywhere.
    """

    unit: str
    kind: Kind
    text: str
    formulas: tuple[tuple[float, Formula], ...] = ()

    @property
    def exact(self) -> bool:
        return self.kind not in ("partly", "unknown")


def meanings(network: Network, samples: Samples, limit: Limit, nodes: Iterable[str] = ()) -> list[Meaning]:
    """What the units of the words of a network compute (or of the nodes named), in the order of the network.

    Nodes are taken as long as there are not more than `MOST_UNITS` units.
    """
    chosen = tuple(nodes) or words_of(network)
    naming = Naming(samples, limit)
    names: list[str] = []
    rows: list[Any] = []
    for name in chosen:
        if len(names) + network.by_name[name].size > MOST_UNITS:
            break
        values = values_at_points(network, naming.samples, name)
        unit = 2.0 ** -network.frac(name)
        names += [f"{name}[{element}]" for element in range(values.shape[1])]
        rows += list(values.T * unit)
    return describe(names, np.array(rows).reshape(len(rows), naming.points.size), naming)


def words_of(network: Network) -> tuple[str, ...]:
    """The words of a network that a unit's meaning is asked of: at most one position variable, and computed."""
    computed = [node for node in network.nodes if not isinstance(node, Exact) and node.n_positions <= 1]
    return tuple(node.name for node in computed if type(node).__name__ not in ("Letters", "Inputs", "Predicates"))


def values_at_points(network: Network, samples: Samples, name: str) -> Integers:
    """The integers of a node at all points ``(N, size)``; those of a whole word stand at each of its positions."""
    parts = []
    for words in samples.words:
        found = evaluate(network, words, [name])[name]
        shape = (*words.shape, found.shape[-1])
        spread = found if found.ndim == 3 else found[:, None, :]
        parts.append(np.broadcast_to(spread, shape).reshape(-1, shape[-1]))
    return np.concatenate(parts)


def describe(names: Sequence[str], rows: Any, naming: Naming) -> list[Meaning]:
    """The meanings of units with the values ``(U, N)``."""
    seen = naming.points.considered
    values = rows[:, seen]
    meanings: dict[int, Meaning] = {}
    known: dict[bytes, int] = {}
    truths: list[Truth] = []
    asked: dict[int, list[tuple[float, int]]] = {}
    for unit, row in enumerate(values):
        found, inverse = np.unique(row, return_inverse=True)
        if len(found) == 1:
            meanings[unit] = Meaning(names[unit], "constant", f"is {found[0]:g}", ((float(found[0]), FALSE),))
        elif (other := known.get(row.tobytes())) is not None:
            meanings[unit] = Meaning(names[unit], "same", f"is the same as {names[other]}")
        elif len(found) == 2 and (other := known.get((found.sum() - row).tobytes())) is not None:
            total = f"{found.sum():g}"
            meanings[unit] = Meaning(names[unit], "opposite", f"is {total} less {names[other]}")
        else:
            known[row.tobytes()] = unit
            zero = np.flatnonzero(found == 0)
            common = int(zero[0]) if len(found) == 2 and len(zero) else int(np.bincount(inverse).argmax())
            wanted = [number for number in range(len(found)) if number != common]
            if len(found) > MOST_VALUES:
                wanted = []
                truths.append(rows[unit] > found[0])
                asked[unit] = [(float(found[0]), len(truths) - 1)]
                continue
            asked[unit] = [(float(found[common]), -1)]
            for number in wanted:
                truths.append(rows[unit] == found[number])
                asked[unit].append((float(found[number]), len(truths) - 1))
    formulas = naming.formulas(np.array(truths, dtype=bool).reshape(len(truths), naming.points.size))
    features = Features(naming.points, naming.samples.alphabet)
    for unit, parts in asked.items():
        named = [(value, FALSE if place < 0 else formulas[place]) for value, place in parts]
        meanings[unit] = of_formulas(names[unit], named) or of_features(names[unit], values[unit], features, named)
    return [meanings[unit] for unit in range(len(names))]


def of_formulas(name: str, named: list[tuple[float, Formula | None]]) -> Meaning | None:
    """The meaning of a unit each of whose values has a formula."""
    if len(named) < 2:
        return None
    kept = [(value, formula) for value, formula in named if formula is not None]
    if len(kept) < len(named):
        return None
    if len(kept) == 2 and isinstance(where := kept[1][1], Not):
        kept = [(kept[1][0], FALSE), (kept[0][0], where.body)]
    cases = [f"{value:g} where {formula}" for value, formula in kept[1:]]
    return Meaning(name, "formulas", f"is {', '.join(cases)}, else {kept[0][0]:g}", tuple(kept))


def of_features(name: str, row: Any, features: Features, named: list[tuple[float, Formula | None]]) -> Meaning:
    """The meaning of a unit as a function of features, or what is known of it."""
    if (text := features.function(row)) is not None:
        return Meaning(name, "function", text)
    kept = tuple((value, formula) for value, formula in named if formula is not None and formula != FALSE)
    if len(named) == 1 and kept:
        least, where = kept[0]
        return Meaning(name, "partly", f"is more than {least:g} where {where}, else {least:g}", kept)
    if kept:
        cases = ", ".join(f"{value:g} where {formula}" for value, formula in kept)
        return Meaning(name, "partly", f"is {cases}; elsewhere it has other values", kept)
    return Meaning(name, "unknown", NOTHING_SHORT)


class Features:
    """Things that a reader knows at each point: letters here and beside, positions, lengths, counts of letters."""

    def __init__(self, points: Points, alphabet: Sequence[str]) -> None:
        self.letters = tuple(alphabet)
        seen = points.considered
        letters = int(points.letter.max(initial=0)) + 1
        is_letter = points.letter[None, :] == np.arange(letters)[:, None]
        until, totals = points.until(is_letter), points.totals(is_letter)[:, points.word]
        own = points.letter, np.arange(points.size)
        rows: list[tuple[str, Any]] = [("the letter at x", points.letter), ("x", points.place), ("n", points.n),
                                       ("n - x", points.n - points.place)]  # fmt: skip
        for offset, text in ((-1, "the letter at x - 1"), (1, "the letter at x + 1")):
            inside = (points.place + offset >= 1) & (points.place + offset <= points.n)
            beside = np.where(inside, points.letter[np.clip(np.arange(points.size) + offset, 0, points.size - 1)], -1)
            rows.append((text, beside))
        for number in range(letters):
            if is_letter[number].any():
                rows.append((f"the count of {alphabet[number]}", totals[number]))
                rows.append((f"the count of {alphabet[number]} up to x", until[number]))
        rows += [("the count of the letter at x", totals[own]), ("the count of the letter at x up to x", until[own])]
        self.names = [name for name, _ in rows]
        self.rows = [np.asarray(row)[seen].astype(np.int64) for _, row in rows]
        self.codes: dict[tuple[int, ...], tuple[Integers, Integers]] = {}

    def function(self, row: Any) -> str | None:
        """The row of a unit as a function of one feature, of two, or of three with the letter, with its table if it is short."""
        places = range(len(self.rows))
        triples = ((0, *pair) for pair in combinations(places[1:], 2))
        for chosen in chain(combinations(places, 1), combinations(places, 2), triples):
            first, inverse = self.code(chosen)
            if np.array_equal(row[first][inverse], row):
                names = ", ".join(self.names[place] for place in chosen[:-1])
                names += (" and " if names else "") + self.names[chosen[-1]]
                return f"is a function of {names}{self.table(chosen, first, row)}"
        return None

    def code(self, chosen: tuple[int, ...]) -> tuple[Integers, Integers]:
        """For features, where each of their combinations stands first, and the number of the combination at each point."""
        if chosen not in self.codes:
            key = np.zeros(len(self.rows[0]), dtype=np.int64)
            for place in chosen:
                row = self.rows[place] - self.rows[place].min()
                key = key * (int(row.max()) + 1) + row
            _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
            self.codes[chosen] = first, inverse.reshape(-1)
        return self.codes[chosen]

    def table(self, chosen: tuple[int, ...], first: Integers, row: Any) -> str:
        """The values of a function, if they are few."""
        if len(first) > MOST_ROWS:
            return f" ({len(first)} cases)"
        keys = [", ".join(str(self.shown(place, int(self.rows[place][at]))) for place in chosen) for at in first]
        return ": " + "; ".join(f"{key}: {row[at]:g}" for key, at in zip(keys, first.tolist(), strict=True))

    def shown(self, place: int, value: int) -> str:
        """A value of a feature: letters by their names."""
        if not self.names[place].startswith("the letter"):
            return str(value)
        return self.letters[value] if value >= 0 else "none"
