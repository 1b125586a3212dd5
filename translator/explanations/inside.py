"""What stands inside a network, to be read: its heads, named directions, and units, each with a meaning and its scope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.network import Network
from logic.comparing.methods import Limit
from logic.searching.inside_heads import patterns
from logic.searching.inside_maxima import largest_values, maxima
from logic.searching.inside_pairs import Pairs
from logic.searching.inside_units import NOTHING_SHORT, Meaning, meanings, words_of
from logic.searching.samples import Samples
from translator.explanations.residual import Direction, direction_meanings

MOST_POINTS = 4_000
MOST_PAIRS = 60_000

Entry = tuple[str, str, str]


def look_inside(network: Network, samples: Samples, limit: Limit, directions: Sequence[Direction] = ()) -> list[Entry]:
    """Name, meaning and scope of heads, directions and units; the truth of the samples does not matter.

    Raises:
        FomError: a direction that the network does not have (T120).
    """
    few, fewer = shorter(samples, MOST_POINTS, 1), shorter(samples, MOST_PAIRS, 2)
    found = [(one.head.name, one.text, scope(fewer)) for one in patterns(network, fewer)]
    if maxima(network):
        found += [(one.name, one.text, scope(fewer)) for one in largest_values(network, Pairs(fewer))]
    if directions:
        found += [(one.unit, one.text, scope(few)) for one in direction_meanings(network, directions, few, limit)]
    named = meanings(network, few, limit)
    found += merged(named, scope(few))
    units = sum(network.by_name[name].size for name in words_of(network))
    if units > len(named):
        found.append(("other units", f"{units - len(named):,} more are left out", ""))
    return found


def merged(named: Sequence[Meaning], words: str) -> list[Entry]:
    """One entry for units of the same node and meaning; those about which nothing short can be said come last."""
    units: dict[tuple[str, str], list[int]] = {}
    for one in named:
        node, _, element = one.unit.removesuffix("]").rpartition("[")
        units.setdefault((node, one.text), []).append(int(element))
    found = [(f"{node}[{numbered(elements)}]", text, words) for (node, text), elements in units.items()]
    return sorted(found, key=lambda entry: entry[1] == NOTHING_SHORT)


def numbered(elements: Sequence[int]) -> str:
    """Numbers in increasing order, three and more in a row by the first and the last of them."""
    runs: list[list[int]] = []
    for element in elements:
        if runs and element == runs[-1][-1] + 1:
            runs[-1].append(element)
        else:
            runs.append([element])
    return ", ".join(f"{run[0]}..{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def shorter(samples: Samples, most: int, power: int) -> Samples:
    """Samples of the shortest lengths, at positions: as many batches as have ``most`` positions, or pairs of them, together."""
    order = sorted(range(len(samples.words)), key=lambda place: samples.words[place].shape[1])
    kept: list[int] = []
    total = 0
    for place in order:
        rows, n = samples.words[place].shape
        total += rows * n**power
        if kept and total > most:
            break
        kept.append(place)
    words = tuple(samples.words[place] for place in kept)
    seen = (samples.considered[place] for place in kept)
    considered = tuple(
        np.broadcast_to(one.reshape(len(one), -1), batch.shape).copy() for one, batch in zip(seen, words, strict=True)
    )
    return Samples(samples.alphabet, words, considered, considered)


def scope(samples: Samples) -> str:
    """The words of samples, in words."""
    lengths = [words.shape[1] for words in samples.words]
    total = sum(len(words) for words in samples.words)
    letters = len(samples.alphabet)
    everything = all(len(words) == letters ** words.shape[1] for words in samples.words)
    count = "all words" if everything else f"{total:,} words"
    between = f"{min(lengths)}" if min(lengths) == max(lengths) else f"{min(lengths)} to {max(lengths)}"
    return f"{count} of length {between}"
