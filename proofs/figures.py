"""Figures for the notebooks: lines over n, and tables of numbers in shades, as SVG. A plain script shows nothing of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#1f5f9e", "#c2410c", "#2f7d4f", "#7a3e9d", "#b8860b", "#5b6470")
STYLE = "font-family:Helvetica,Arial,sans-serif;font-size:12px"


def _text(x: float, y: float, said: str, anchor: str = "start", colour: str = "#333", extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" {extra}>{escape(said)}</text>'


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" style="{STYLE};background:white">' + "".join(parts) + "</svg>"
    )


@dataclass(frozen=True)
class Lines:
    """Curves by name: points (x, y) each; with `logarithmic`, y grows by factors of ten and must be positive."""

    curves: Mapping[str, Sequence[tuple[float, float]]]
    x_title: str
    y_title: str
    logarithmic: bool = False

    def _repr_svg_(self) -> str:
        left, top, wide, high = 64, 14, 420, 250
        points = [point for curve in self.curves.values() for point in curve]
        x_least, x_most = min(x for x, _ in points), max(x for x, _ in points)
        heights = [self._height(y) for _, y in points]
        y_least, y_most = min(0.0, *heights), max(heights) * 1.04

        def at(x: float, height: float) -> tuple[float, float]:
            across, up = (x - x_least) / (x_most - x_least), (height - y_least) / (y_most - y_least)
            return left + across * wide, top + high - up * high

        parts = [f'<path d="M{left},{top}V{top + high}H{left + wide}" fill="none" stroke="#888"/>']
        for tick in _ticks(y_least, y_most, whole=self.logarithmic):
            _, y = at(x_least, tick)
            said = f"{10**tick:,.0f}" if self.logarithmic else f"{tick:g}"
            parts.append(
                f'<path d="M{left},{y:.1f}H{left + wide}" stroke="#ddd"/>{_text(left - 6, y + 4, said, "end")}'
            )
        for tick in _ticks(x_least, x_most, whole=True):
            x, _ = at(tick, y_least)
            parts.append(_text(x, top + high + 16, f"{tick:g}", "middle"))
        parts.append(_text(left + wide / 2, top + high + 34, self.x_title, "middle"))
        parts.append(
            _text(0, 0, self.y_title, "middle", extra=f'transform="translate(14,{top + high / 2})rotate(-90)"')
        )
        for number, (name, curve) in enumerate(self.curves.items()):
            colour = COLOURS[number % len(COLOURS)]
            drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(x, self._height(y)) for x, y in curve))
            parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
            y = top + 10 + 18 * number
            parts.append(f'<path d="M{left + wide + 16},{y - 4}h20" stroke="{colour}" stroke-width="2"/>')
            parts.append(_text(left + wide + 42, y, name))
        return _svg(left + wide + 50 + 7 * max(map(len, self.curves)), top + high + 44, parts)

    def _height(self, y: float) -> float:
        return math.log10(y) if self.logarithmic else y

    def __repr__(self) -> str:
        return f"<figure: {self.y_title} over {self.x_title}>"


def _ticks(least: float, most: float, whole: bool) -> list[float]:
    """Round numbers between two bounds, at most seven of them."""
    sizes = [factor * 10.0**power for power in range(-6, 7) for factor in (1, 2, 5)]
    step = next(size for size in sizes if (most - least) / size <= 6 and (size >= 1 or not whole))
    return [number * step for number in range(math.ceil(least / step), math.floor(most / step) + 1)]


@dataclass(frozen=True)
class Shades:
    """A table of numbers, the larger the darker; negative ones in another colour."""

    rows: Sequence[Sequence[float]]
    row_names: Sequence[str]
    column_names: Sequence[str]
    title: str
    digits: int = 0

    def _repr_svg_(self) -> str:
        cell, high = 52, 24
        left, top = 20 + 7 * max(map(len, self.row_names)), 44
        most = max(abs(value) for row in self.rows for value in row) or 1
        parts = [_text(4, 16, self.title, extra='font-weight="bold"')]
        for number, name in enumerate(self.column_names):
            parts.append(_text(left + (number + 0.5) * cell, top - 8, name, "middle"))
        for place, (name, row) in enumerate(zip(self.row_names, self.rows, strict=True)):
            y = top + place * high
            parts.append(_text(left - 8, y + 16, name, "end"))
            for number, value in enumerate(row):
                strength = abs(value) / most
                colour = COLOURS[0] if value >= 0 else COLOURS[1]
                x = left + number * cell
                parts.append(
                    f'<rect x="{x}" y="{y}" width="{cell - 2}" height="{high - 2}" fill="{colour}" '
                    f'fill-opacity="{0.06 + 0.8 * strength:.2f}"/>'
                )
                said = f"{round(value, self.digits) + 0.0:.{self.digits}f}"
                parts.append(_text(x + cell / 2 - 1, y + 15, said, "middle", "white" if strength > 0.55 else "#222"))
        width = max(left + len(self.column_names) * cell + 8, 12 + 7 * len(self.title))
        return _svg(width, top + len(self.rows) * high + 6, parts)

    def __repr__(self) -> str:
        return f"<figure: {self.title}>"
