"""The gates of a family by level, as a chart."""

from __future__ import annotations

import math
from collections import Counter

from circuits.family import Family
from translator.pages.elements import Markup, element, joined, svg, text
from translator.pages.front_chart import label, ticks
from translator.report import magnitude

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 190, 56, 16, 12, 40
NARROWEST, WIDEST = 420, 860
MOST_BARS = 400
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def gates_at_levels(family: Family, n: int) -> list[int]:
    """The number of gates at level 1, 2 and so on, for words of length n."""
    found: Counter[int] = Counter()
    for gates in family.templates:
        found[family.levels[gates.name]] += gates.size * n**gates.n_positions
    return [found[level] for level in range(1, family.depth + 1)]


def power_text(exponent: int) -> str:
    """A power of ten: written out while it is short."""
    return f"{10**exponent:,}" if exponent < 4 else "10" + str(exponent).translate(RAISED)


def depth_chart(family: Family, n: int) -> Markup:
    """A bar for each level, or for a few together, on a logarithmic scale."""
    counts = gates_at_levels(family, n)
    joint = math.ceil(len(counts) / MOST_BARS) or 1
    bars = [max(counts[start : start + joint]) for start in range(0, len(counts), joint)]
    highest = max(1, math.ceil(math.log10(max([1, *bars]) + 1)))
    width = min(WIDEST, max(NARROWEST, LEFT + RIGHT + 8 * len(bars)))
    room, tall = width - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = room / max(1, len(bars))
    parts = []
    for power in ticks(0, highest):
        if power == round(power):
            y = TOP + tall * (1 - power / highest)
            parts.append(element("path", d=f"M{LEFT} {y:.1f}H{width - RIGHT}", class_="axis"))
            parts.append(label(LEFT - 8, y + 4, power_text(round(power)), "end"))
    for place, count in enumerate(bars):
        if not count:
            continue
        height = max(2.0, tall * math.log10(count + 1) / highest)
        first, last = place * joint + 1, min(len(counts), (place + 1) * joint)
        levels = f"level {first}" if first == last else f"levels {first} to {last}, at most"
        parts.append(
            element(
                "rect", element("title", text(f"{levels}: {magnitude(count)} gates")), class_="bar",
                x=f"{LEFT + place * step:.2f}", y=f"{TOP + tall - height:.1f}", width=f"{max(step * 0.8, 0.5):.2f}",
                height=f"{height:.1f}",
            )
        )  # fmt: skip
    for level in ticks(0, len(counts)):
        if level == round(level) and level >= 1:
            x = LEFT + ((level - 1) / joint + 0.4) * step
            parts.append(label(x, HEIGHT - BOTTOM + 18, f"{level:.0f}", "middle"))
    parts.append(label(LEFT + room / 2, HEIGHT - 6, "level", "middle"))
    return svg(width, HEIGHT, "gates at each level", joined(parts), class_="fits")
