"""Certified error: how far the fixed-precision network's outputs are from the exact real ones, and which decisions that settles.

On given inputs the exact values of the network over the reals are enclosed (`translator.enclosure`); the distance of an output
from the farther end of its enclosure bounds its error. A decision is certified when the enclosures leave the exact network no
other decision. Unlike fidelity this does not depend on onnxruntime or on the rounding of float64: it is a proof for these inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.diagnostics import fail
from circuits.evaluate import evaluate
from circuits.network import Network
from circuits.readout import decisions, scores
from translator.enclosure import cost, enclose_output
from translator.fidelity import Fidelity, InputSet, encode
from translator.intervals import EPS, Interval, up
from translator.real import RealNetwork

if TYPE_CHECKING:
    from translator.pipeline import Settings
    from translator.sides import Source
    from translator.store import Artifacts

Array = np.ndarray[Any, Any]

MOST_INPUTS, LEAST_INPUTS = 2_000, 20
MOST_COST = 20_000_000
NARROW = 1e-6
"""A decision between scores that are known so closely, and that is still open, is within the rounding of floats."""


@dataclass(frozen=True, slots=True, eq=False)
class Certified:
    """Outputs of the fixed network on a batch, with bounds of their distance to the exact real outputs.

    Attributes:
        values: the scores, of shape ``(B, C)`` or ``(B, n, C)``; quotients where the readout has a common denominator.
        bounds: upper bounds of ``|score - exact score|``, of the same shape; infinite where nothing is known.
        decisions: the fixed network's decisions.
        certified: where the exact real network is proved to decide the same; of the shape of `decisions`.
        real_lo: lower ends of the exact scores.
        real_hi: upper ends of the exact scores.
    """

    values: Array
    bounds: Array
    decisions: Array
    certified: Array
    real_lo: Array
    real_hi: Array


def certify(real: RealNetwork, network: Network, inputs: Any) -> Certified:
    """Bound the error of a fixed network on a batch: words ``(B, n)``, or features ``(B, size)`` as real numbers.

    Raises:
        FomError: the two networks read or answer different things, or an input does not fit.
    """
    require_same(real, network)
    readout = network.decided
    values = evaluate(network, encode(network, inputs))
    decided = decisions(readout, network.word(readout.decision).format, values[readout.decision])
    computed = scores(network, values)
    exact = enclose_output(real, np.asarray(inputs))
    lo = np.where(np.isnan(exact.lo), -np.inf, exact.lo)
    hi = np.where(np.isnan(exact.hi), np.inf, exact.hi)
    # a score is an integer of up to 62 bits, or a quotient of two: rounded three times, and not at all if it is small
    rounded = readout.denominator is not None or bool((np.abs(values[readout.scores]) > 2**53).any())
    slack = np.abs(computed) * (4 * EPS if rounded else 0.0)
    bounds = farther(computed, slack, Interval(lo, hi))
    return Certified(computed, bounds, decided, settled_decisions(readout.kind, decided, lo, hi), lo, hi)


def farther(values: Array, slack: Array, exact: Interval) -> Array:
    """Round up the distance of values, themselves known up to `slack`, from the farther end of an interval."""
    distance = np.maximum(values - exact.lo, exact.hi - values)
    return np.where((distance == 0) & (slack == 0), 0.0, up(up(np.maximum(distance, 0.0)) + slack))


def settled_decisions(kind: str, decided: Array, lo: Array, hi: Array) -> Array:
    """Where every choice of scores between `lo` and `hi` leads to the decisions given."""
    if kind == "logit":
        return np.where(decided == 1, lo[..., 0] > 0, hi[..., 0] <= 0)
    if kind == "value":
        if lo.shape[-1] == 1 and decided.ndim < lo.ndim:
            lo, hi = lo[..., 0], hi[..., 0]
        return (np.rint(lo) == decided) & (np.rint(hi) == decided)
    classes = np.arange(lo.shape[-1])
    chosen = decided[..., None]
    least = np.take_along_axis(lo, chosen, axis=-1)
    # the lowest index wins a tie
    beaten = np.where(classes < chosen, least > hi, least >= hi)
    return (beaten | (classes == chosen)).all(axis=-1) & np.isfinite(least[..., 0])


def require_same(real: RealNetwork, network: Network) -> None:
    """Refuse two networks that differ in what they read or answer.

    Raises:
        FomError: they do.
    """
    output, readout = real.decision, network.decided
    size = network.by_name[readout.scores].size
    reads = [node.size for node in real.features] == [node.size for node in network.inputs]
    answers = (output.kind, output.n_positions, output.n_classes) == (readout.kind, readout.n_positions, size)
    if real.alphabet_size != len(network.alphabet) or not reads or not answers:
        raise fail(
            "T078",
            "the model and the network differ in what they read or answer, so there is no error to bound",
            help="translate again",
        )


def real_network_of(source: Source) -> RealNetwork:
    """Read the network over the reals of a translation, from the model that it was made of or its copy.

    Raises:
        FomError: the model cannot be read.
    """
    from translator.pipeline import Translation, read_network
    from translator.store import Artifacts

    if isinstance(source, Translation):
        settings = source.settings
    elif isinstance(source, Artifacts):
        settings = settings_of(source)
    else:
        raise TypeError(f"{type(source).__name__} is no translation")
    return read_network(source.model, settings)[0]


def settings_of(artifacts: Artifacts) -> Settings:
    """The settings with which a folder's model was read.

    Raises:
        FomError: the manifest does not say them.
    """
    from translator.pipeline import Settings

    try:
        given = dict(artifacts.manifest["settings"])
        longest = int(given.pop("longest"))
    except (TypeError, ValueError, KeyError) as error:
        raise fail(
            "T053", f"the manifest does not say how the model was read: {error}", help="translate again"
        ) from None
    reading = {field: given[field] for field in ("alphabet", "bind", "tracks") if field in given}
    return Settings(longest=longest, **reading)


def with_certified(fidelity: Fidelity, real: RealNetwork, network: Network, inputs: InputSet) -> Fidelity:
    """Count the certified decisions of a fixed network on the fidelity set, or on a sample that takes a second or two."""
    longest = max((group.shape[1] for group in inputs.groups), default=1) if real.alphabet_size else 1
    chosen = inputs.sample(min(MOST_INPUTS, max(LEAST_INPUTS, MOST_COST // cost(real, longest))))
    total, certified, worst = 0, 0, 0.0
    for group in chosen.groups:
        for part in np.array_split(group, max(1, len(group) // 4096)):
            if not len(part):
                continue
            found = certify(real, network, part)
            total += len(part)
            certified += int(found.certified.reshape(len(part), -1).all(axis=1).sum())
            worst = max(worst, float(found.bounds.max(initial=0.0)))
    ties = sum(is_tie(real, network, row, expected) for row, expected in fidelity.differing)
    return replace(fidelity, examined=total, certified=certified, error_bound=worst, ties=ties)


def is_tie(real: RealNetwork, network: Network, row: Any, expected: Any) -> bool:
    """Whether exact arithmetic bounds the scores of an input closely, and does not settle the decision that floats made."""
    found = certify(real, network, np.asarray(row)[None])
    size = np.maximum(np.maximum(np.abs(found.real_lo), np.abs(found.real_hi)), 1.0)
    if not (found.real_hi - found.real_lo <= NARROW * size).all():
        return False
    kind = network.decided.kind
    return not settled_decisions(kind, np.asarray(expected)[None], found.real_lo, found.real_hi).all()
