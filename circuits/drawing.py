"""A circuit as a drawing in SVG: inputs at the left, one column for each level, wires as curves from left to right.

Within a column, objects stand in the order of the mean height of what they read, which keeps most wires apart (the barycentre
method of Sugiyama, Tagawa & Toda, "Methods for visual understanding of hierarchical system structures", 1981, one sweep).
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

ROW, MARGIN, BOX_HEIGHT, GAP = 24, 16, 18, 150
CHARACTER, PADDING = 6.2, 10
MOST_LABELLED = 80

STYLE = (
    "text{font:10px monospace;fill:#222}.b{fill:#f6f6f6;stroke:#444}.d{fill:#fff3cd;stroke:#444;stroke-width:2}"
    ".p{stroke:#2b6cb0}.m{stroke:#c53030}.p,.m{fill:none;stroke-opacity:.45}.w{font-size:8px;fill:#555}"
)


def data_to_svg(data: dict[str, Any]) -> str:
    """Draw the circuit that `wiring.circuit_to_data` describes.

    Wires of positive weights are blue, of negative ones red; the decision has a double frame in yellow. In small drawings the
    weights stand at the wires; in all of them they are shown as titles.
    """
    texts = {given["id"]: given["name"] for given in data["inputs"]}
    texts |= {given["id"]: f"{given['name']} = {given['value']}" for given in data["constants"]}
    gates = [gate for level in data["levels"] for gate in level]
    texts |= {gate["id"]: f"{gate['name']} >= {gate['threshold']}" for gate in gates}
    columns = [list(range(0))] * (1 + len(data["levels"]))
    columns[0] = [given["id"] for given in (*data["inputs"], *data["constants"])]
    tallest = max([len(columns[0]), *(len(level) for level in data["levels"])], default=0)
    height_of = spread(columns[0], tallest)
    for number, level in enumerate(data["levels"]):
        means = {gate["id"]: mean([height_of[source] for source, _ in gate["wires"]]) for gate in level}
        columns[number + 1] = sorted(means, key=lambda gate: (means[gate], gate))
        height_of |= spread(columns[number + 1], tallest)
    left: dict[int, float] = {}
    x = float(MARGIN)
    widths = {key: CHARACTER * len(text) + PADDING for key, text in texts.items()}
    for column in columns:
        left |= dict.fromkeys(column, x)
        x += max((widths[key] for key in column), default=0) + GAP
    total_height = 2 * MARGIN + max(1, tallest) * ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{x - GAP + MARGIN:.0f}" height="{total_height}">',
        f"<title>circuit for n = {data['n']}: {data['gates']} gates, {data['wires']} wires, depth {data['depth']}</title>",
        f"<style>{STYLE}</style>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    labelled = data["wires"] <= MOST_LABELLED
    for gate in gates:
        for source, weight in gate["wires"]:
            start, end = left[source] + widths[source], left[gate["id"]]
            lines += wire(start, height_of[source], end, height_of[gate["id"]], weight, labelled)
    decision = set(data["readout"]["decision"])
    gate_ids = {gate["id"] for gate in gates}
    for key, text in texts.items():
        top = height_of[key] - BOX_HEIGHT / 2
        if key in gate_ids or key in decision:
            kind = "d" if key in decision else "b"
            lines.append(
                f'<rect class="{kind}" x="{left[key]:.1f}" y="{top:.1f}" width="{widths[key]:.1f}" height="{BOX_HEIGHT}" rx="3"/>'
            )
        lines.append(f'<text x="{left[key] + PADDING / 2:.1f}" y="{height_of[key] + 3.5:.1f}">{escape(text)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def spread(column: list[int], tallest: int) -> dict[int, float]:
    """The heights of the objects of a column, around the middle of the drawing."""
    first = MARGIN + ROW / 2 + (tallest - len(column)) * ROW / 2
    return {key: first + ROW * place for place, key in enumerate(column)}


def mean(numbers: list[float]) -> float:
    """The mean; 0 of none."""
    return sum(numbers) / len(numbers) if numbers else 0.0


def wire(x: float, y: float, end_x: float, end_y: float, weight: int, labelled: bool) -> list[str]:
    """One wire, with its weight as a title and, if `labelled`, beside it."""
    bend = (end_x - x) / 2
    path = f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {end_x - bend:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"
    kind = "p" if weight > 0 else "m"
    drawn = [f'<path class="{kind}" d={quoteattr(path)}><title>{weight}</title></path>']
    if labelled and weight != 1:
        drawn.append(f'<text class="w" x="{end_x - 26:.1f}" y="{(y + 5 * end_y) / 6:.1f}">{weight}</text>')
    return drawn
