"""Attention on one word as heat maps: a row for each position that attends, a column for each that is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from translator.pages.elements import Markup, element, figure_of, joined, svg, text

if TYPE_CHECKING:
    from translator.explanations.explanation import Matrix

LARGEST, SMALLEST, ROOM = 24, 7, 320
LABELLED = 11
SEEN = 0.004
"""Weights below are not drawn."""
MOST_POSITIONS = 48
MOST_HEADS, MOST_CELLS = 24, 12_000
"""Heads are drawn as long as all drawings together have no more cells than that, and one in any case."""
SHADES = " ░▒▓█"


def attention_drawings(letters: Sequence[str], attention: Sequence[tuple[str, Matrix]]) -> Markup:
    """One drawing for each head, with the letters on both axes."""
    cells = min(MOST_POSITIONS, max((len(weights) for _, weights in attention), default=1)) ** 2
    n_drawn = min(MOST_HEADS, max(1, MOST_CELLS // max(1, cells)))
    drawn = [
        figure_of(heading(name, weights), heat_map(name, letters, weights)) for name, weights in attention[:n_drawn]
    ]
    more = len(attention) - n_drawn
    left = [element("p", text(f"{more:,} more heads are not drawn"), class_="faint")] if more > 0 else []
    return joined([element("div", *drawn, class_="heads"), *left])


def heading(name: str, weights: Matrix) -> str:
    """The name of a head, and how much of it is drawn if that is not all."""
    count = max([len(weights), *map(len, weights)])
    return name if count <= MOST_POSITIONS else f"{name}, the first {MOST_POSITIONS} of {count:,} positions"


def position_labels(letters: Sequence[str], count: int) -> list[str]:
    """The letters, or numbers where the positions of a matrix are not those of the word."""
    return list(letters) if len(letters) == count else [str(number) for number in range(1, count + 1)]


def largest(weights: Matrix) -> float:
    """What is drawn darkest: 1, or more where weights are no shares."""
    return max([1.0, *(abs(weight) for row in weights for weight in row)])


def heat_map(name: str, letters: Sequence[str], weights: Matrix) -> Markup:
    """The weights of one head; the first `MOST_POSITIONS` positions of a long word."""
    shown = [row[:MOST_POSITIONS] for row in weights[:MOST_POSITIONS]]
    n_rows, n_columns = len(shown), max(map(len, shown), default=0)
    cell = max(SMALLEST, min(LARGEST, ROOM // max(1, n_rows, n_columns)))
    rows, columns = position_labels(letters, len(weights)), position_labels(letters, max(map(len, weights), default=0))
    named = cell >= LABELLED
    left = 8 + (7 * max(map(len, rows[:n_rows]), default=0) if named else 0)
    top = 18 if named else 2
    scale = largest(weights)
    parts = []
    if named:
        parts += [label(left - 5, top + (i + 0.5) * cell + 4, rows[i], "end") for i in range(n_rows)]
        parts += [label(left + (j + 0.5) * cell, top - 5, short(columns[j], cell), "middle") for j in range(n_columns)]
    for i, row in enumerate(shown):
        for j, weight in enumerate(row):
            if abs(weight) / scale < SEEN:
                continue
            said = element("title", text(f"{rows[i]} at {i + 1} reads {columns[j]} at {j + 1}: {weight:.3f}"))
            parts.append(
                element("rect", said, x=left + j * cell, y=top + i * cell, width=cell, height=cell,
                        class_="cell negative" if weight < 0 else "cell", fill_opacity=f"{abs(weight) / scale:.2f}")
            )  # fmt: skip
    width, height = n_columns * cell, n_rows * cell
    parts.append(element("rect", x=left, y=top, width=width, height=height, class_="frame"))
    return svg(left + width + 4, top + height + 4, f"attention of {name}", joined(parts))


def short(label_: str, cell: int) -> str:
    """What of a letter fits over a column."""
    room = max(1, cell // 7)
    return label_ if len(label_) <= room else label_[:room]


def label(x: float, y: float, content: str, anchor: str) -> Markup:
    """A letter on an axis."""
    return element("text", text(content), x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def shaded(letters: Sequence[str], weights: Matrix) -> list[str]:
    """The weights of one head as text: two signs for each, the darker the larger."""
    count = max(map(len, weights), default=0)
    rows, columns = position_labels(letters, len(weights)), position_labels(letters, count)
    width = max(map(len, rows), default=0)
    scale = largest(weights)
    found = [" " * (width + 1) + "".join(column[:2].ljust(2) for column in columns)]
    for name, row in zip(rows, weights, strict=True):
        found.append(f"{name.rjust(width)} " + "".join(2 * SHADES[shade(weight / scale)] for weight in row))
    return found


def shade(share: float) -> int:
    """The number of a shade: 0 for nothing seen, then quarters."""
    size = abs(share)
    return 0 if size < SEEN * 5 else min(len(SHADES) - 1, 1 + int(size * (len(SHADES) - 1)))
