"""What depth costs: ``python -m benchmarks.depth [--parts | --networks] [--plot FILE]``.

Gates, wires and levels of one rounding, product, quotient and maximum of p bits for each choice of `--depth`, the same for whole
networks of ``examples/`` at the precision that ``auto`` finds, and what is expected of the choices:

* shallow: every rounding point adds at most 3 levels, products and sums before it included;
* compact: a rounded word of p bits has p gates;
* every choice: the depth of the circuits does not depend on n.

With ``--plot`` it is also drawn (SVG or PNG; needs matplotlib, the extra `bench`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits import blocks
from circuits.blocks import Measured
from circuits.blocks.wiring import Wiring
from circuits.circuit import instantiate
from circuits.entries import Gates
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.network import Domain, Exact, Inputs, Letters, Network, Predicates, Product, Readout, Round, references
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.positions import Ref

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PRECISIONS = {
    "cls_majority": "fixed:5",
    "contains_ab": "fixed:5",
    "dyck1": "fixed:6",
    "first_letter": "fixed:4",
    "lenet_digits": "fixed:5",
    "majority": "fixed:5",
    "mlp_xor": "fixed:6",
}
BITS = range(2, 13)
CANDIDATES = 8
LENGTH = 8
LENGTHS = (2, 3, 4)
MOST_LEVELS = 3
PARTS = ("rounding", "product, rounded", "quotient", f"maximum of {CANDIDATES}")
COLORS = {"compact": "#1b6ca8", "balanced": "#d08700", "shallow": "#b3261e"}


def product(p: int, depth: str) -> Family:
    """The product of two words of p bits, rounded to p bits."""
    wiring = Wiring()
    one, format_ = np.zeros(1, dtype=np.int64), Format(p, 0, 0)
    wiring.words("x", 1, format_)
    wiring.words("y", 1, format_)
    wiring.put(Product("xy", 0, Ref("x"), one, Ref("y"), one, 0))
    wiring.put(Round("out", 0, 1, Ref("xy"), p, format_))
    readout = Readout("value", "out", "xy", None, 1, 0)
    return network_to_family(Network(tuple(wiring.nodes), readout, Domain(), ()), depth)


def part(name: str, p: int, depth: str) -> Measured:
    """One part on words of p bits: a sum of p + 8 bits is rounded, a quotient is one of 2p by p bits."""
    match name:
        case "rounding":
            return blocks.measure(blocks.rounding(p + 8, p, 4, depth).family)
        case "product, rounded":
            return blocks.measure(product(p, depth))
        case "quotient":
            return blocks.measure(blocks.quotient(2 * p, p, p, depth).family)
        case _:
            return blocks.measure(blocks.maximum(CANDIDATES, p, depth).family)


@dataclass(frozen=True, slots=True)
class Whole:
    """A network with one choice of depth.

    `added` are the most levels that one node of each kind adds; `exact_words` whether every rounded word has one gate for
    each bit; `depths` those of its circuits.
    """

    name: str
    precision: str
    choice: str
    gates: int
    wires: int
    depth: int
    rounding_points: int
    added: dict[str, int]
    exact_words: bool
    depths: tuple[int, ...]


def wholes(names: list[str]) -> Iterator[Whole]:
    """Measure networks of the examples."""
    from translator.pipeline import translate

    for name in names:
        folder = EXAMPLES / name
        static = name in ("lenet_digits", "mlp_xor")
        data = folder / "inputs.npz" if static else None
        network = translate(
            folder / "model.onnx", precision=PRECISIONS[name], inputs=data, max_length=None if static else 4
        )
        for choice in DEPTH_CHOICES:
            family = network_to_family(network.network, choice)
            added, chain = levels_added(network.network, family)
            lengths = (1,) if static else LENGTHS
            yield Whole(
                name,
                PRECISIONS[name],
                choice,
                family.gates(LENGTH),
                family.wires(LENGTH),
                family.depth,
                chain,
                added,
                one_gate_for_each_bit(network.network, family),
                tuple(instantiate(family, n).depth for n in lengths),
            )


def levels_added(network: Network, family: Family) -> tuple[dict[str, int], int]:
    """The most levels that a node of each kind adds to the words that it reads, and the longest chain of rounding points."""
    level: dict[str, int] = {}
    chain: dict[str, int] = {}
    multiplies: dict[str, bool] = {}
    added: dict[str, int] = {}
    for node in network.nodes:
        sources = [ref.node for ref, _ in references(node)]
        below, points = (max((known[source] for source in sources), default=0) for known in (level, chain))
        product = any(multiplies.get(source, False) for source in sources)
        level[node.name], chain[node.name] = below, points
        if isinstance(node, Exact):
            multiplies[node.name] = product or isinstance(node, Product)
        elif not isinstance(node, Letters | Inputs | Predicates):
            names = [node.name] if node.format == BIT else [f"{node.name}.{bit}" for bit in range(node.format.bits)]
            level[node.name] = max(family.levels[name] for name in names)
            chain[node.name] = points + 1 if level[node.name] > below else 1  # a table without steps reads nothing
            kind = type(node).__name__ + (" of a product" if product else "")
            added[kind] = max(added.get(kind, 0), level[node.name] - below)
    return added, max(chain.values())


def one_gate_for_each_bit(network: Network, family: Family) -> bool:
    """Tell whether every rounded word has exactly one gate for each bit."""
    counts: dict[str, int] = {}
    for entry in family.entries:
        if isinstance(entry, Gates):
            counts[entry.base] = counts.get(entry.base, 0) + entry.size
    rounded = [node for node in network.nodes if isinstance(node, Round)]
    return all(counts[node.name] == node.size * node.format.bits for node in rounded)


def print_parts(found: dict[tuple[str, int, str], Measured]) -> None:
    """The table of parts: gates, wires and levels for each choice."""
    print(f"| part | p | {' | '.join(f'{choice}: gates | wires | levels' for choice in DEPTH_CHOICES)} |")
    print("|---|--:" + "|--:" * 3 * len(DEPTH_CHOICES) + "|")
    for name in PARTS:
        for p in BITS:
            cells = [found[name, p, choice] for choice in DEPTH_CHOICES]
            counts = [f"{number:,}" for cell in cells for number in (cell.gates, cell.wires, cell.depth)]
            print(f"| {name} | {p} | {' | '.join(counts)} |")


def print_wholes(found: list[Whole]) -> None:
    """The table of networks."""
    columns = (
        "network",
        "precision",
        "choice",
        "gates",
        "wires",
        "depth",
        "rounding points in a row",
        "levels added by one",
    )
    print(f"\n| {' | '.join(columns)} |\n|---|---|---|--:|--:|--:|--:|---|")
    for whole in found:
        added = ", ".join(f"{kind} {levels}" for kind, levels in sorted(whole.added.items()))
        counts = f"{whole.gates:,} | {whole.wires:,} | {whole.depth} | {whole.rounding_points}"
        print(f"| `{whole.name}` | {whole.precision} | {whole.choice} | {counts} | {added} |")


def verdicts(parts: dict[tuple[str, int, str], Measured], found: list[Whole]) -> Iterator[tuple[str, bool]]:
    """What is expected of the choices, and whether it is so."""
    if parts:
        deepest = max(cell.depth for (_, _, choice), cell in parts.items() if choice == "shallow")
        yield f"shallow: one part has at most {MOST_LEVELS} levels (found {deepest})", deepest <= MOST_LEVELS
        exact = all(parts["rounding", p, "compact"].gates == p for p in BITS)
        yield "compact: rounding to p bits takes p gates, p = 2 .. 12", exact
    if found:
        shallow = [max(whole.added.values()) for whole in found if whole.choice == "shallow"]
        yield (
            f"shallow: every rounding point of every network adds at most {MOST_LEVELS} levels",
            max(shallow) <= MOST_LEVELS,
        )
        yield (
            "compact: every rounded word of every network has one gate for each bit",
            all(whole.exact_words for whole in found if whole.choice == "compact"),
        )
        constant = all(set(whole.depths) == {whole.depth} for whole in found)
        yield f"every choice: circuits for n = {', '.join(map(str, LENGTHS))} have the depth of their family", constant


def plot(parts: dict[tuple[str, int, str], Measured], found: list[Whole], path: Path) -> None:
    """Draw gates against p for each part, and gates against depth for each network."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "depth"})
    figure = plt.figure(figsize=(10, 7.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1, 1.35))
    axes: Any = top.subplots(1, len(PARTS), sharey=True)
    for axis, name in zip(axes, PARTS, strict=True):
        for choice in DEPTH_CHOICES:
            gates = [parts[name, p, choice].gates for p in BITS]
            levels = parts[name, BITS[-1], choice].depth
            axis.plot(list(BITS), gates, "o-", ms=3, color=COLORS[choice])
            axis.annotate(f" {levels}", (BITS[-1], gates[-1]), color=COLORS[choice], va="center")
        axis.set(yscale="log", title=name, xlabel="bits p of a word", xticks=[2, 4, 6, 8, 10, 12], xlim=(1.5, 13.4))
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("gates (log)")
    top.suptitle("One part, gates by precision; the number at the end of a line: levels at p = 12")
    axis = bottom.subplots()
    for name in dict.fromkeys(whole.name for whole in found):
        mine = sorted((whole for whole in found if whole.name == name), key=lambda whole: whole.depth)
        axis.plot([whole.depth for whole in mine], [whole.gates for whole in mine], "-", color="0.75", lw=1, zorder=1)
        for whole in mine:
            axis.plot(whole.depth, whole.gates, "o", ms=6, color=COLORS[whole.choice], zorder=2)
        first = mine[0]
        axis.annotate(
            f"{name}, {first.precision.removeprefix('fixed:')} bits",
            (first.depth, first.gates),
            xytext=(-7, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
        )
    axis.set(
        yscale="log",
        xscale="log",
        xlabel="depth: levels of gates (log), the same for every n",
        ylabel=f"gates at n = {LENGTH} (log)",
    )
    ticks = [2, 3, 5, 10, 20, 30, 50, 100, 200]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(1.6, 200)
    axis.grid(alpha=0.25)
    handles = [plt.Line2D([], [], marker="o", ls="", color=COLORS[choice], label=choice) for choice in DEPTH_CHOICES]
    axis.legend(handles=handles, title="--depth", loc="lower right", frameon=False)
    bottom.suptitle("Whole networks, gates by depth (mlp_xor and lenet_digits read numbers and have no n)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Print tables and verdicts; exits with 1 if one is not met."""
    parser = argparse.ArgumentParser()
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--parts", action="store_true", help="no networks")
    only.add_argument("--networks", nargs="*", choices=sorted(PRECISIONS), help="these networks, no parts")
    parser.add_argument("--plot", type=Path, nargs="+", default=[], help="draw it to files; needs parts and networks")
    given = parser.parse_args()
    started = time.perf_counter()
    parts: dict[tuple[str, int, str], Measured] = {}
    found: list[Whole] = []
    if given.networks is None:
        parts = {(name, p, choice): part(name, p, choice) for name in PARTS for p in BITS for choice in DEPTH_CHOICES}
        print_parts(parts)
    if not given.parts:
        found = list(wholes(given.networks or sorted(PRECISIONS)))
        print_wholes(found)
    print()
    met = True
    for statement, holds in verdicts(parts, found):
        met = met and holds
        print(f"* {'met' if holds else 'NOT MET'}: {statement}")
    print(f"\n{time.perf_counter() - started:.0f} s")
    if parts and found:
        for path in given.plot:
            plot(parts, found, path)
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
