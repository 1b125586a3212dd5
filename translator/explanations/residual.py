"""Named directions of a residual stream: what each holds at every position, variable by variable.

The residual stream is the nodes of one width, with one position, each of which is the sum of the one before and something
else. A name belongs to an element of it. Names such as ``count:0``, ``count:1`` are the values of one categorical variable
``count``, of which exactly one is 1; any other name is a numerical variable.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from circuits.diagnostics import fail
from circuits.evaluate import evaluate
from circuits.network import Affine, Network, Quotient
from circuits.positions import var
from logic.comparing.methods import Limit
from logic.searching.inside import Naming
from logic.searching.inside_units import Meaning, describe
from logic.searching.programs_of_values import Integers, Reals, Truth, Variable
from logic.searching.samples import Samples

MOST_SCALE = 1000


@dataclass(frozen=True)
class Direction:
    """A named element of the residual stream."""

    name: str
    index: int

    @property
    def variable(self) -> str:
        return self.name.rpartition(":")[0] or self.name

    @property
    def value(self) -> str | None:
        """The value for which this direction of a categorical variable stands."""
        before, mark, after = self.name.rpartition(":")
        return after if mark and before else None


@dataclass(frozen=True)
class Decoded:
    """A variable of the residual stream.

    Attributes:
        stage: the first node of the stream that holds it, and its place there.
        values: the names of a categorical variable's values; nothing for a numerical one.
        numbers: for each batch ``(B, n)`` the value, or the place of it in `values`, or NaN where no direction is 1: nothing was
            selected there, or different values.
        attended: whether a head wrote it, and no unit.
        deviation: how far the directions of a categorical variable are from exactly one being 1, at most, where it has a value.
    """

    name: str
    stage: str
    place: int
    values: tuple[str, ...]
    numbers: tuple[Reals, ...]
    deviation: float
    attended: bool = False


def read_directions(options: Sequence[str]) -> tuple[Direction, ...]:
    """Read directions given as ``NAME=INDEX``, or as a JSON file: a list of names, or an object with `residual_labels`.

    Raises:
        FomError: an option or file that is neither (T120).
    """
    found: list[Direction] = []
    for option in options:
        name, mark, index = option.rpartition("=")
        if mark and name and index.isdecimal():
            found.append(Direction(name, int(index)))
            continue
        try:
            data = json.loads(Path(option).read_text(encoding="utf-8"))
        except OSError as error:
            raise fail(
                "T120",
                f"a direction is NAME=INDEX, or a file: {error.strerror}",
                where=option,
                help="name an element of the residual stream, such as count=3",
            ) from None
        except ValueError as error:
            raise fail("T120", f"the file of directions is no JSON: {error}", where=option) from None
        names = data.get("residual_labels") if isinstance(data, dict) else data
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise fail("T120", "a file of directions is a list of names, or has one as `residual_labels`", where=option,
                       help="name single directions as NAME=INDEX")  # fmt: skip
        found += [Direction(one, place) for place, one in enumerate(names)]
    return tuple(found)


def stream(network: Network, least: int) -> tuple[str, ...]:
    """The nodes of the residual stream: the longest chain of affine nodes of one size, each adding to the one before it.

    Raises:
        FomError: no node with one position has `least` elements (T120).
    """
    chains: dict[str, tuple[str, ...]] = {}
    for node in network.nodes:
        if not isinstance(node, Affine) or node.n_positions != 1 or node.size < least:
            continue
        before = [
            chains[operand.ref.node]
            for operand in node.operands
            if operand.ref.node in chains
            and operand.ref.at == (var(0),)
            and network.by_name[operand.ref.node].size == node.size
        ]
        chains[node.name] = (*max(before, key=len, default=()), node.name)
    if not chains:
        raise fail("T120", f"no node of the network with one position has {least} elements",
                   help="`fom show` lists the nodes and their sizes")  # fmt: skip
    return max(chains.values(), key=len)


def decode(
    network: Network, directions: Sequence[Direction], words: Sequence[Integers], considered: Sequence[Truth]
) -> list[Decoded]:
    """The variables that named directions hold on words, in the order in which the stream gets them.

    Raises:
        FomError: no stream is wide enough (T120).
    """
    if not directions:
        return []
    nodes = stream(network, 1 + max(one.index for one in directions))
    stages: list[list[Any]] = [[] for _ in nodes]
    for batch in words:
        found = evaluate(network, batch, nodes)
        for values, name in zip(stages, nodes, strict=True):
            values.append(np.broadcast_to(found[name], (*batch.shape, found[name].shape[-1])))
    scale = [2.0 ** -network.frac(name) for name in nodes]
    groups: dict[str, list[Direction]] = {}
    for direction in directions:
        groups.setdefault(direction.variable if direction.value is not None else direction.name, []).append(direction)
    variables = []
    for name, parts in groups.items():
        columns = [one.index for one in parts]
        stage = first_stage(stages, columns, considered)
        last = [values[..., columns] * scale[-1] for values in stages[-1]]
        mixes = is_attended(network, nodes[stage], set(nodes))
        if parts[0].value is None:
            numbers = tuple(values[..., 0] for values in last)
            variables.append(Decoded(name, nodes[stage], stage, (), numbers, 0.0, mixes))
            continue
        coded = [one_hot(values, 1 / (2 * values.shape[1]) if mixes else 0.5) for values in last]
        exact = [far[seen & ~np.isnan(places)] for (places, far), seen in zip(coded, considered, strict=True)]
        deviation = max((float(part.max()) for part in exact if part.size), default=0.0)
        names = tuple(str(one.value) for one in parts)
        variables.append(
            Decoded(name, nodes[stage], stage, names, tuple(places for places, _ in coded), deviation, mixes)
        )
    return sorted(variables, key=lambda one: one.place)


def one_hot(values: Reals, near: float) -> tuple[Reals, Reals]:
    """The place of the only 1 among directions ``(B, n, C)``, NaN where there is none so near, and how far they are from it."""
    places = values.argmax(axis=-1)
    far = np.abs(values - np.eye(values.shape[-1])[places]).max(axis=-1)
    return np.where(far < near, places, np.nan), far


def is_attended(network: Network, name: str, nodes: Container[str]) -> bool:
    """Whether a node of the stream adds to it what a head read, so that a vector may be a mean of different ones.

    Such a mean has no direction above 1 - 1 / n; halfway between that and 1 nothing else could be meant. What units compute has
    no means, but steps whose ends may be rounded.
    """
    reached = [name]
    while reached:
        node = network.by_name[reached.pop()]
        if isinstance(node, Quotient):
            return True
        if isinstance(node, Affine):
            reached += [operand.ref.node for operand in node.operands if operand.ref.node not in nodes]
    return False


def first_stage(stages: Sequence[Sequence[Any]], columns: Sequence[int], considered: Sequence[Truth]) -> int:
    """The first stage at which one of the elements is not 0 somewhere; the last one, if none ever is."""
    for place, batches in enumerate(stages):
        if any(values[..., columns][seen].any() for values, seen in zip(batches, considered, strict=True)):
            return place
    return len(stages) - 1


def direction_meanings(
    network: Network, directions: Sequence[Direction], samples: Samples, limit: Limit
) -> list[Meaning]:
    """What named directions hold, in short formulas: each value of a categorical variable, and each numerical variable."""
    naming = Naming(samples, limit)
    decoded = decode(network, directions, naming.samples.words, naming.samples.considered)
    names: list[str] = []
    rows: list[Reals] = []
    for one in decoded:
        flat = np.concatenate([part.reshape(-1) for part in one.numbers])
        names += [f"{one.name}:{value}" for value in one.values] or [one.name]
        rows += [(flat == place).astype(np.float64) for place in range(len(one.values))] or [flat]
    return describe(names, np.array(rows).reshape(len(rows), naming.points.size), naming)


def to_variable(
    decoded: Decoded, letters: Sequence[str], considered: Sequence[Truth], is_width: bool = False
) -> Variable:
    """A decoded variable as numbers or letters; a width is computed from what a head wrote under another name."""
    origin: Literal["head", "units", ""] = "" if is_width else "head" if decoded.attended else "units"
    if not decoded.values:
        return Variable(decoded.name, decoded.numbers, tuple(considered), origin=origin)
    numbers, are_letters, _ = meanings(decoded.values, letters)
    table = np.array([*numbers, np.nan])
    values = tuple(table[np.where(np.isnan(part), len(numbers), part).astype(int)] for part in decoded.numbers)
    return Variable(decoded.name, values, tuple(considered), are_letters, origin)


def meanings(names: Sequence[str], letters: Sequence[str]) -> tuple[list[float], bool, int]:
    """What names of values stand for: numbers of letters, or numbers, or else their places; and what numbers are multiplied by.

    Truth values are 0 and 1. Fractions are multiplied by their common denominator, since a table of a program has whole numbers.
    """
    if all(name in letters for name in names):
        return [float(letters.index(name)) for name in names], True, 1
    numbers = [number_of(name) for name in names]
    known = [Fraction(number).limit_denominator(MOST_SCALE) for number in numbers if number is not None]
    scale = math.lcm(*(number.denominator for number in known))
    if len(known) < len(names) or scale > MOST_SCALE:
        return [float(place) for place in range(len(names))], False, 1
    return [float(number * scale) for number in known], False, scale


def number_of(text: str) -> float | None:
    """The number that a value's name is, if it is one."""
    if text in ("True", "False"):
        return float(text == "True")
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
