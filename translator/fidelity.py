"""Fidelity: how far the fixed-precision network agrees with the float one, measured on a stated set of inputs.

This is not a proof: it is a count over a finite set, which is either all words up to a length or given data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.evaluate import evaluate
from circuits.inputs import encode_inputs
from circuits.network import Network
from circuits.positions import FALSE, TRUE, grid, holds
from circuits.readout import decisions, scores
from circuits.words import all_words, count_words, random_words
from translator import real
from translator.oracle import Oracle
from translator.real_evaluate import evaluate as evaluate_real
from translator.relevance import relevance
from translator.words import format_word

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

DEFAULT_LENGTH = 8
MOST_WORDS = 100_000
SCREEN_WORDS = 2_000
OBSERVED_WORDS = 20_000
FARTHEST, LONGER_WORDS = 32, 50
MOST_DIFFERING = 64
"""Of so many inputs that disagree it is asked why."""


@dataclass(frozen=True, slots=True, eq=False)
class InputSet:
    """Inputs in arrays of one length each (features: one array), and what they are, in words."""

    groups: tuple[Any, ...]
    description: str
    max_length: int | None

    @property
    def count(self) -> int:
        """Number of inputs."""
        return sum(len(group) for group in self.groups)

    def sample(self, most: int, seed: int = 0) -> InputSet:
        """At most about `most` inputs, all short ones and a random part of the long ones."""
        if self.count <= most:
            return self
        rng = np.random.default_rng(seed)
        share = most // max(1, len(self.groups))
        groups = tuple(
            group if len(group) <= share else group[np.sort(rng.choice(len(group), share, replace=False))]
            for group in self.groups
        )
        return InputSet(groups, f"a sample of {self.description}", self.max_length)


def words_up_to(network: real.RealNetwork, max_length: int | None, keep: Any = None) -> InputSet:
    """All words of the domain up to a length, by default the longest one up to 8 that stays under 100,000 words.

    By default some words of each longer length are added, up to 8 or the longest words of a bounded domain (at most 32): what a
    tensor holds there, a position number for instance, must be seen.

    Args:
        keep: filter on arrays of words, or None.
    """
    domain, letters = network.domain, network.alphabet_size
    limit = max_length if max_length is not None else DEFAULT_LENGTH
    if domain.most is not None:
        limit = min(limit, domain.most)
    if domain.least == domain.most:
        limit = domain.least
    lengths: list[int] = []
    for n in range(domain.least, limit + 1):
        if max_length is None and lengths and count_words(letters, domain.least, n) > MOST_WORDS:
            break
        lengths.append(n)
    groups, total, random = [], 0, False
    for n in lengths:
        if count_words(letters, n, n) > 20 * MOST_WORDS:
            words, random = random_words(letters, n, MOST_WORDS, n), True
        else:
            words = np.concatenate(list(all_words(letters, n)))
        total += len(words)
        groups.append(words if keep is None else words[keep(words)])
    longest = lengths[-1] if lengths else 0
    top = longest
    if max_length is None and lengths and not random:
        top = max(longest, min(domain.most if domain.most is not None else DEFAULT_LENGTH, FARTHEST))
    for n in range(longest + 1, top + 1):
        words = varied_words(letters, n)
        groups.append(words if keep is None else words[keep(words)])
    span = f"of length {longest}" if domain.least == domain.most else f"of length {domain.least} to {longest}"
    kind = "random words" if random else "all words"
    chosen = "" if keep is None else " in the domain of --where"
    more = f", and {sum(map(len, groups[len(lengths) :])):,} words up to length {top}" if top > longest else ""
    return InputSet(tuple(groups), f"{kind} {span}{more}{chosen}", longest)


def varied_words(letters: int, n: int) -> Integers:
    """Words of one letter each, of few letters, and of any: what is counted in them gets large and small."""
    rng = np.random.default_rng(n)
    few = rng.integers(0, letters, (LONGER_WORDS, 2))
    return np.concatenate([
        np.repeat(np.arange(min(letters, LONGER_WORDS))[:, None], n, axis=1),
        np.take_along_axis(few, rng.integers(0, 2, (LONGER_WORDS, n)), axis=1),
        random_words(letters, n, LONGER_WORDS, n),
    ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Agreement of decisions with onnxruntime, and the largest distance of a logit (None where the file has no logits).

    For a readout at every position an input agrees when all its positions do. Beside that, how many of `examined` inputs, a
    sample if there are many, have certified decisions, and the largest bound of a score's error there (`translator.certifying`).
    Of the inputs that disagree the first ones are kept in `differing`, with onnxruntime's decisions; on `ties` of them exact real
    arithmetic is so near a tie that the rounding of floats decides.
    """

    inputs: int
    agree: int
    max_abs_error: float | None
    description: str
    example: str | None
    examined: int = 0
    certified: int = 0
    error_bound: float = float("inf")
    differing: tuple[tuple[Any, Any], ...] = field(default=(), compare=False, repr=False)
    ties: int = 0

    @property
    def complete(self) -> bool:
        """Tell whether every decision agrees."""
        return self.agree == self.inputs


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The float network's outputs and decisions on an input set; `has_logits` unless the file ends in a softmax or the like."""

    inputs: InputSet
    logits: tuple[Reals, ...]
    decisions: tuple[Integers, ...]
    has_logits: bool = True


def consult(oracle: Oracle, inputs: InputSet) -> Reference:
    """Run onnxruntime on an input set."""
    logits = tuple(
        np.concatenate([oracle.logits(part) for part in np.array_split(group, max(1, len(group) // 4096))])
        for group in inputs.groups
        if len(group)
    )
    filled = InputSet(tuple(group for group in inputs.groups if len(group)), inputs.description, inputs.max_length)
    return Reference(filled, logits, tuple(oracle.decide(values) for values in logits), not oracle.applied)


def restrict(reference: Reference, inputs: InputSet, oracle: Oracle) -> Reference:
    """The reference on a smaller set: itself, or consulted anew."""
    return reference if inputs is reference.inputs else consult(oracle, inputs)


def compare(network: Network, reference: Reference) -> Fidelity:
    """Count agreeing decisions of a fixed network."""
    total, agree, worst = 0, 0, 0.0
    differing: list[tuple[Any, Any]] = []
    format_ = network.word(network.decided.decision).format
    for group, logits, expected in zip(reference.inputs.groups, reference.logits, reference.decisions, strict=True):
        codes = encode(network, group)
        values = evaluate(network, codes)
        found = decisions(network.decided, format_, values[network.decided.decision])
        same = (found == expected).reshape(len(group), -1).all(axis=1)
        if reference.has_logits:
            worst = max(worst, float(np.abs(scores(network, values) - logits).max(initial=0.0)))
        total, agree = total + len(group), agree + int(same.sum())
        differing += [(group[row], expected[row]) for row in np.flatnonzero(~same)[: MOST_DIFFERING - len(differing)]]
    example = describe_input(network, differing[0][0]) if differing else None
    error = worst if reference.has_logits else None
    return Fidelity(total, agree, error, reference.inputs.description, example, differing=tuple(differing))


def encode(network: Network, group: Any) -> Integers:
    """Letter numbers as they are; features rounded to the input's format."""
    return encode_inputs(network.inputs, group) if network.inputs else np.asarray(group)


def describe_input(network: Network, row: Any) -> str:
    """An input as a user reads it."""
    if network.inputs:
        shown = ", ".join(f"{value:g}" for value in row[:6])
        return f"({shown}{', ...' if len(row) > 6 else ''})"
    return format_word(row, network.alphabet)


def observe(network: real.RealNetwork, inputs: InputSet) -> dict[str, tuple[float, float]]:
    """The smallest and largest value of every node of the real network on (a sample of) an input set.

    Where a node is used at positions that longer words have, the values at the other positions stand in for them.
    """
    bounds: dict[str, tuple[float, float]] = {}
    unused: dict[str, tuple[float, float]] = {}
    used = relevance(network)
    positions = {node.name: node.n_positions for node in network.nodes if used[node.name] != FALSE}
    for group in inputs.sample(OBSERVED_WORDS).groups:
        for part in np.array_split(group, max(1, len(group) // 512)):
            if not len(part):
                continue
            kind = "words" if network.alphabet_size else "features"
            values = evaluate_real(network, **{kind: part}, wanted=list(positions))
            for name, array in values.items():
                guard, k = used[name], positions[name]
                if guard != TRUE:
                    n = part.shape[1]
                    if name not in bounds:
                        widen(unused, name, array)
                    array = array[:, np.broadcast_to(holds(guard, n, grid(n, k)), (n,) * k)]
                widen(bounds, name, array)
    return unused | bounds


def widen(bounds: dict[str, tuple[float, float]], name: str, array: Reals) -> None:
    """Extend the bounds of a node by the finite values of an array."""
    finite = array[np.isfinite(array)]
    if finite.size:
        low, high = bounds.get(name, (np.inf, -np.inf))
        bounds[name] = (min(low, float(finite.min())), max(high, float(finite.max())))
