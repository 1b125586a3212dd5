"""The data flow of a network as a drawing: boxes from left to right, rounding points marked."""

from __future__ import annotations

from circuits.network import Inputs, Letters, Network, Predicates
from translator.pages.elements import Markup, element, joined, svg, text
from translator.pages.grouping import Group, groups_of
from translator.pages.layering import Layering, Place, layered
from translator.showing import format_text

CHARACTER, PADDING = 7.0, 10
BOX, ROW, TRACK, GAP, MARGIN = 36, 48, 12, 34, 10
MOST_CHARACTERS = 24
POWERS = ("", "·n", "·n²", "·n³")


def network_drawing(network: Network) -> Markup:
    """The drawing, which is as wide as it must be."""
    groups = groups_of(network)
    answers = {network.readout.decision} if network.readout is not None else set()
    placed = layered([group.reads for group in groups], ROW, TRACK)
    left, width = columns(groups, placed)
    parts = []
    for source, target in placed.links:
        start, end = left[source[1]] + reach(source, placed, groups, width), left[target[1]]
        parts.append(edge(start, placed.middle[source], end, placed.middle[target]))
    for place in placed.middle:
        if placed.column[place[0]] != place[1]:
            y = MARGIN + placed.middle[place]
            line = f"M{left[place[1]]:.0f} {y:.1f}h{width[place[1]]:.0f}"
            parts.append(element("path", d=line, class_="edge"))
    for number, group in enumerate(groups):
        at = placed.column[number]
        answer = any(node.name in answers for node in group.nodes)
        parts.append(box(group, answer, left[at], MARGIN + placed.middle[number, at] - BOX / 2))
    last = placed.n_columns - 1
    total = (left[last] + width[last] if groups else 0) + MARGIN
    height = max((middle + ROW / 2 for middle in placed.middle.values()), default=0) + 2 * MARGIN
    return svg(total, height, "data flow of the network", joined(parts))


def columns(groups: list[Group], placed: Layering) -> tuple[list[float], list[float]]:
    """The left edge and the width of every column."""
    width = [0.0] * placed.n_columns
    for number, group in enumerate(groups):
        width[placed.column[number]] = max(width[placed.column[number]], box_width(group))
    left, x = [], float(MARGIN)
    for one in width:
        left.append(x)
        x += one + GAP
    return left, width


def reach(place: Place, placed: Layering, groups: list[Group], width: list[float]) -> float:
    """Where in its column an edge leaves a place: at the end of the box, or of the track."""
    number, at = place
    return box_width(groups[number]) if placed.column[number] == at else width[at]


def edge(x: float, y: float, end_x: float, end_y: float) -> Markup:
    """A curve from one place to another."""
    y, end_y = y + MARGIN, end_y + MARGIN
    bend = (end_x - x) / 2
    path = f"M{x:.0f} {y:.1f}C{x + bend:.0f} {y:.1f} {end_x - bend:.0f} {end_y:.1f} {end_x:.0f} {end_y:.1f}"
    return element("path", d=path, class_="edge")


def label_of(group: Group) -> str:
    """The name, without its outer modules if it is long."""
    name = group.name
    while len(name) > MOST_CHARACTERS and "." in name:
        name = name.partition(".")[2]
    return name if len(name) <= MOST_CHARACTERS else name[: MOST_CHARACTERS - 1] + "…"


def second_line(group: Group) -> str:
    """The kind and size of a node, or how many nodes a group has."""
    if len(group.nodes) > 1:
        return (
            f"{len(group.nodes):,} nodes, {group.roundings:,} round"
            if group.roundings
            else f"{len(group.nodes):,} nodes"
        )
    node = group.nodes[0]
    power = POWERS[node.n_positions] if node.n_positions < len(POWERS) else f"·n^{node.n_positions}"
    return f"{type(node).__name__} {node.size:,}{power}"


def box_width(group: Group) -> float:
    """The width of a box: that of the longer of its lines."""
    return CHARACTER * max(len(label_of(group)), len(second_line(group))) + 2 * PADDING


def box(group: Group, answer: bool, x: float, y: float) -> Markup:
    """A box with its two lines, and a dot where it rounds."""
    sources = all(isinstance(node, Letters | Inputs | Predicates) for node in group.nodes)
    kind = "answer" if answer else "input" if sources else "rounds" if group.roundings else ""
    width = box_width(group)
    parts = [
        element("title", text(told(group))),
        element(
            "rect", x=f"{x:.0f}", y=f"{y:.1f}", width=f"{width:.0f}", height=BOX, rx=4, class_=f"box {kind}".strip()
        ),
        element("text", text(label_of(group)), x=f"{x + PADDING:.0f}", y=f"{y + 15:.1f}"),
        element("text", text(second_line(group)), x=f"{x + PADDING:.0f}", y=f"{y + 29:.1f}", class_="faint"),
    ]
    if group.roundings:
        parts.append(element("circle", cx=f"{x + width:.0f}", cy=f"{y + BOX / 2:.1f}", r=4, class_="point"))
    return element("g", *parts)


def told(group: Group) -> str:
    """What stands behind a box: the formats of its nodes."""
    shown = [f"{node.name}: {type(node).__name__}, bits.frac {format_text(node)}" for node in group.nodes[:12]]
    more = len(group.nodes) - len(shown)
    return "\n".join([*shown, *([f"and {more:,} more"] if more > 0 else [])])
