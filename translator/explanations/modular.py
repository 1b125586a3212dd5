"""Inside a network that is a table over letters: what its heads read and its units compute, on the words of the table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Network
from logic.comparing.methods import Limit
from logic.searching.inside_reach import Truth, positions_of, reaching
from logic.searching.inside_shares import Shares, all_shares
from logic.searching.inside_tables import Integers, Numbers, explained, frequencies, functions_of, groups, keys
from logic.searching.inside_units import words_of
from logic.searching.samples import Samples
from logic.searching.tables import UNSEEN
from logic.searching.tables_laws import Law
from logic.searching.tables_search import FoundLaw
from logic.telling import Progress
from translator.explanations.inside import Entry
from translator.explanations.residual import Direction, direction_meanings

MOST_BYTES = 1 << 29
MOST_NUMBERS = 8
DIRECTIONS_S = 10.0


def inside_table(network: Network, found: FoundLaw, directions: Sequence[Direction], progress: Progress) -> list[Entry]:
    """Name, meaning and scope of heads, directions and groups of units, on all words of the shape of a law.

    Raises:
        FomError: a direction that the network does not have (T120).
    """
    shape = found.shape
    axes = [place for place in range(len(shape.letters)) if len(shape.letters[place]) > 1]
    if (found.decided == UNSEEN).any() or not axes or len(axes) > 3:
        return []
    words = shape.words()
    n = words.shape[1]
    values = tuple(found.number_of[list(shape.letters[place])] for place in axes)
    modulus = found.fit.law.modulus or (len(values[0]) if len({len(one) for one in values}) == 1 else 0)
    numbers = Numbers(tuple(f"v{place + 1}" for place in axes), values, modulus)
    scope = f"these {len(words):,} words"
    needed = reaching(network, n)
    progress("looking at heads")
    heads = all_shares(network, words, needed, positions_of(network, n))
    entries = [(one.name, share_text(one, numbers), scope) for one in heads]
    if directions:
        seen = np.ones(words.shape, dtype=bool)
        limit = Limit(time.monotonic() + DIRECTIONS_S, progress=progress)
        samples = Samples(network.alphabet, (words,), (seen,), (seen,))
        entries += [(one.unit, one.text, scope) for one in direction_meanings(network, directions, samples, limit)]
    skipped = {one.node for one in heads}
    scores = [node.name for node in network.nodes].index(network.decided.scores)
    earlier = {node.name for node in network.nodes[:scores]}
    names = [name for name in words_of(network) if name in earlier - skipped and needed[name].any()]
    names.append(network.decided.scores)
    for units in all_units(network, words, names, needed):
        progress(f"looking at the units of {units.name}")
        entries.append((units.name, unit_text(units, numbers, found.fit.law), scope))
    return merged(entries)


def merged(entries: Sequence[Entry]) -> list[Entry]:
    """One entry for nodes whose units compute the same."""
    names: dict[tuple[str, str], list[str]] = {}
    for name, text, scope in entries:
        names.setdefault((text, scope), []).append(name)
    return [(", ".join(found), text, scope) for (text, scope), found in names.items()]


@dataclass(frozen=True)
class Units:
    """The units of a node, at one position if it has positions, that reach the decision.

    Attributes:
        elements: their numbers in the node.
        rows: their values ``(units, words)``.
    """

    name: str
    elements: Integers
    rows: Integers


def all_units(network: Network, words: Integers, names: Sequence[str], needed: Mapping[str, Truth]) -> Iterator[Units]:
    """The units of nodes, as many nodes evaluated at once as there is memory for."""
    n = words.shape[1]
    costs = {name: 8 * len(words) * needed[name].size for name in names}
    batch: list[str] = []
    for place, name in enumerate(names):
        batch.append(name)
        following = costs[names[place + 1]] if place + 1 < len(names) else MOST_BYTES
        if sum(costs[one] for one in batch) + following <= MOST_BYTES:
            continue
        values = evaluate(network, words, batch)
        for one in batch:
            for x in range(n) if needed[one].ndim == 2 else [None]:
                elements = np.flatnonzero(needed[one] if x is None else needed[one][x])
                if len(elements):
                    chosen = (values[one] if x is None else values[one][:, x])[:, elements]
                    yield Units(one if x is None else f"{one} at {x + 1}", elements, np.ascontiguousarray(chosen.T))
        batch = []


def unit_text(units: Units, numbers: Numbers, law: Law) -> str:
    """How many units compute what, with their numbers, and their frequencies."""
    total = len(units.rows)
    found = groups(units.rows, numbers)
    parts = []
    for group in found:
        chosen = units.elements[list(group.units)].tolist()
        which = "all" if len(chosen) == total > 1 else f"{len(chosen):,}"
        numbered = f" [{', '.join(map(str, chosen[:MOST_NUMBERS]))}{', ..' if len(chosen) > MOST_NUMBERS else ''}]"
        parts.append(f"{which} {plural(group.text, len(chosen))}{numbered if len(chosen) < total else ''}")
    text = f"{total:,} unit{'s' * (total != 1)}: {', '.join(parts)}"
    tables = any(group.text.startswith(("a table", "a symmetric", "a sum")) for group in found)
    if tables and numbers.modulus and not any(f"mod {numbers.modulus}" in group.text for group in found):
        text += f"; none is periodic, a function of a sum modulo {numbers.modulus}"
    measured = frequencies(units.rows, numbers)
    if measured is not None:
        text += f"; measured: frequencies {measured.text}"
    if tables and law.modulus:
        value = law.values([numbers.spread()[numbers.names.index(f"v{place + 1}")] for place in law.places])
        text += f"; {law.text} has {100 * explained(units.rows, value):.0f} % of the variance on average"
    return text


def plural(text: str, count: int) -> str:
    """What several units are."""
    if count == 1 or not text.startswith("a "):
        return text
    noun = next(one for one in ("function", "table", "sum") if one in text)
    return text[2:].replace(noun, f"{noun}s", 1)


def share_text(head: Shares, numbers: Numbers) -> str:
    """What a head reads at one position."""
    at = f"at position {head.query} " if head.query else ""
    values = head.values
    if (values == values[:, :1]).all():
        return f"{at}reads {joined(head.keys)} in equal shares"
    if (values == values[:1]).all():
        parts = [f"{key} with {percent(share)}" for key, share in zip(head.keys, values[0], strict=True)]
        return f"{at}reads {joined(parts)}, whatever the letters are"
    parts = []
    for number, key in enumerate(head.keys):
        column = values[:, number]
        low, high = float(column.min()), float(column.max())
        if low == high:
            parts.append(f"{key} with {percent(low)}")
            continue
        found = next((name for name, one in keys(numbers) if functions_of(column[None], one)[0]), None)
        what = f", a function of {found}" if found is not None else ""
        parts.append(f"{key} with {percent(low)} to {percent(high)}{what}")
    return f"{at}reads {joined(parts, '; ')}"


def percent(share: float) -> str:
    """A share."""
    return f"{100 * share:.3g} %"


def joined(parts: Sequence[str], between: str = ", ") -> str:
    """A list in words."""
    return (
        parts[0]
        if len(parts) == 1
        else between.join(parts[:-1]) + f"{between.rstrip() if between == '; ' else ''} and {parts[-1]}"
    )
