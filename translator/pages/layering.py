"""Where the boxes of an acyclic graph stand: columns from left to right, and heights that keep edges short.

After Sugiyama, Tagawa & Toda ("Methods for visual understanding of hierarchical system structures", 1981): columns by longest
paths, an invisible track through every column that an edge crosses (one for all edges of a source), orders by barycentres, and
heights as near to those of the neighbours as the order allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SWEEPS = 6

Place = tuple[int, int]
"""The number of a box, and a column: that of the box itself, or of its track."""


@dataclass(frozen=True)
class Layering:
    """Columns, and the middle of every place in units of height.

    Attributes:
        links: pairs of places in neighbouring columns: edges, cut where they cross columns.
    """

    column: tuple[int, ...]
    middle: dict[Place, float]
    links: tuple[tuple[Place, Place], ...]

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return max(self.column, default=-1) + 1


def layered(reads: Sequence[Sequence[int]], box: float, track: float) -> Layering:
    """Place boxes that read earlier ones; a box takes `box` of height and a track `track`."""
    column = columns_of(reads)
    links = links_of(reads, column)
    places = dict.fromkeys([(number, at) for number, at in enumerate(column)])
    places |= dict.fromkeys(place for link in links for place in link)
    order: list[list[Place]] = [[] for _ in range(max(column, default=-1) + 1)]
    for place in places:
        order[place[1]].append(place)
    before: dict[Place, list[Place]] = {place: [] for place in places}
    after: dict[Place, list[Place]] = {place: [] for place in places}
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    height = {place: box if column[place[0]] == place[1] else track for place in places}
    middle = {place: float(rank) for row in order for rank, place in enumerate(row)}
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for row in order if forward else order[::-1]:
            wished = {place: wish(place, before[place] if forward else after[place], middle) for place in row}
            row.sort(key=lambda place: wished[place])
            settle(row, wished, height, middle)
    lowest = min((middle[place] - height[place] / 2 for place in places), default=0.0)
    return Layering(tuple(column), {place: middle[place] - lowest for place in places}, tuple(links))


def columns_of(reads: Sequence[Sequence[int]]) -> list[int]:
    """One column after everything that is read; a box that reads nothing stands just before its first reader."""
    column = [0] * len(reads)
    for number, sources in enumerate(reads):
        column[number] = 1 + max((column[source] for source in sources), default=-1)
    first = [len(reads)] * len(reads)
    for number, sources in enumerate(reads):
        for source in sources:
            first[source] = min(first[source], column[number])
    return [at if sources or first[number] == len(reads) else first[number] - 1
            for number, (at, sources) in enumerate(zip(column, reads, strict=True))]  # fmt: skip


def links_of(reads: Sequence[Sequence[int]], column: Sequence[int]) -> list[tuple[Place, Place]]:
    """Edges from column to column: along the track of their source, then to the reader."""
    links: list[tuple[Place, Place]] = []
    last = list(column)
    for number, sources in enumerate(reads):
        for source in sources:
            end = column[number] - 1
            links += [((source, at), (source, at + 1)) for at in range(last[source], end)]
            last[source] = max(last[source], end)
            links.append(((source, end), (number, end + 1)))
    return links


def wish(place: Place, neighbours: Sequence[Place], middle: Mapping[Place, float]) -> float:
    """The mean height of the neighbours of a place; its own, if it has none."""
    return sum(middle[one] for one in neighbours) / len(neighbours) if neighbours else middle[place]


def settle(
    row: Sequence[Place], wished: Mapping[Place, float], height: Mapping[Place, float], middle: dict[Place, float]
) -> None:
    """Put the places of a column as near to where they wish to be as their order and heights allow, in least squares.

    Less the heights above, the middles are any sequence that does not decrease, so this is isotonic regression: neighbours in
    the wrong order are pooled at their mean.
    """
    offset, total = [], 0.0
    for place in row:
        offset.append(total + height[place] / 2)
        total += height[place]
    pools: list[tuple[float, int]] = []
    for place, above in zip(row, offset, strict=True):
        pool = (wished[place] - above, 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1])
        pools.append(pool)
    start = 0
    for sum_, count in pools:
        for place, above in zip(row[start : start + count], offset[start : start + count], strict=True):
            middle[place] = sum_ / count + above
        start += count
