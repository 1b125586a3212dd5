"""The Pareto front as a chart: the size of each candidate against the share of the samples on which it is right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from translator.pages.elements import Markup, element, joined, svg, text

if TYPE_CHECKING:
    from logic.searching.aiming import Candidate
    from translator.explanations.explanation import Explained

WIDTH, HEIGHT = 460, 210
LEFT, RIGHT, TOP, BOTTOM = 56, 18, 22, 40
STEPS = (1, 2, 5)
MOST_TICKS = 7
NUMBER = 12
"""Points nearer to each other than that, in either direction, have no room for two numbers."""


def agreement(candidate: Candidate) -> float:
    """The share of the samples on which a candidate is right; 1 of none."""
    return 1.0 - candidate.wrong / candidate.total if candidate.total else 1.0


def percent(candidate: Candidate) -> str:
    """The agreement as it is printed: 100% only if nothing is wrong."""
    if not candidate.wrong:
        return "100%"
    return f"{min(99.9, math.floor(1000 * agreement(candidate)) / 10):.1f}%"


def ticks(low: float, high: float) -> list[float]:
    """A few round numbers from `low` to `high`."""
    span = max(high - low, 1e-9)
    unit = 10 ** math.floor(math.log10(span / MOST_TICKS))
    step = next(step * unit for step in (*STEPS, 10, 20) if span / (step * unit) <= MOST_TICKS)
    first = math.ceil(low / step - 1e-9)
    return [place * step for place in range(first, math.floor(high / step + 1e-9) + 1)]


def front_chart(explained: Explained) -> Markup:
    """The chart; the points have the numbers of the rows of the table below it."""
    front = explained.front
    widest = max(2, max(one.size for one in front) + 1)
    lowest = math.floor(10 * min(agreement(one) for one in front)) / 10
    lowest = min(lowest, 0.9)

    def x(size: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * size / widest

    def y(share: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share) / (1 - lowest)

    parts = []
    for share in ticks(lowest, 1.0):
        parts.append(element("path", d=f"M{LEFT} {y(share):.1f}H{WIDTH - RIGHT}", class_="axis"))
        parts.append(label(LEFT - 8, y(share) + 4, f"{100 * share:.0f}%", "end"))
    whole = [size for size in ticks(0, widest) if size == round(size)]
    parts += [label(x(size), HEIGHT - BOTTOM + 18, f"{size:.0f}", "middle") for size in whole]
    parts.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "nodes of the formula", "middle"))
    steps = [f"M{x(front[0].size):.1f} {y(agreement(front[0])):.1f}"]
    steps += [f"H{x(one.size):.1f}V{y(agreement(one)):.1f}" for one in front[1:]]
    parts.append(element("path", d=f"{''.join(steps)}H{WIDTH - RIGHT}", class_="curve"))
    for number, one in enumerate(front, 1):
        chosen = one == explained.chosen
        title = element("title", text(f"{one.size} nodes, {percent(one)}"))
        where = {"cx": f"{x(one.size):.1f}", "cy": f"{y(agreement(one)):.1f}"}
        parts.append(element("circle", title, **where, r=6 if chosen else 5, class_=f"dot{' chosen' * chosen}"))
        after = front[number] if number < len(front) else None
        if after is None or abs(x(after.size) - x(one.size)) > NUMBER:
            parts.append(numbered(number, x(one.size), y(agreement(one)) - 10, "middle"))
        elif y(agreement(one)) - y(agreement(after)) > NUMBER:
            parts.append(numbered(number, x(one.size) - 9, y(agreement(one)) + 4, "end"))
    return svg(WIDTH, HEIGHT, "size against agreement", joined(parts), class_="fits")


def label(x: float, y: float, content: str, anchor: str) -> Markup:
    """A text on an axis."""
    return element("text", text(content), x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_="faint")


def numbered(number: int, x: float, y: float, anchor: str) -> Markup:
    """The number of a point: above it, or beside it where the next point is above; none where that is in the way."""
    return element("text", text(number), x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
