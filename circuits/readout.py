"""Decisions: from the integers at a readout to what the network answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.formats import Format, round_half_even
from circuits.network import Network, Readout

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]


def decisions(readout: Readout, format_: Format, values: Integers) -> Integers:
    """Decide from the readout's decision node.

    Args:
        values: integers of shape ``(B, size)``, or ``(B, n, size)`` when every position has its own answer.

    Returns:
        Class numbers, 0 or 1 for a single logit, or nearest integers; the last axis is gone. A word of several numbers keeps it.
    """
    match readout.kind:
        case "classes":
            return np.argmax(values, axis=-1)
        case "logit":
            return values[..., 0]
        case _:
            nearest = round_half_even(values, format_.frac)
            return nearest[..., 0] if values.shape[-1] == 1 else nearest


def scores(network: Network, values: dict[str, Integers]) -> Reals:
    """The logits as float64, from the exact scores and their common denominator."""
    readout = network.decided
    top = np.ldexp(values[readout.scores].astype(np.float64), -network.frac(readout.scores))
    if readout.denominator is None:
        return top
    bottom = np.ldexp(values[readout.denominator].astype(np.float64), -network.frac(readout.denominator))
    return top / bottom


def decoded(network: Network, values: dict[str, Integers], name: str) -> Reals | Integers:
    """The numbers of a node: float64, or int64 where they have no fractional bits and so are exact."""
    frac = network.frac(name)
    return values[name] if frac == 0 else np.ldexp(values[name].astype(np.float64), -frac)


def score_decisions(kind: str, logits: Reals) -> Integers:
    """Decide from real logits of shape ``(B, C)`` or ``(B, n, C)``, as the readout does: lowest index on ties."""
    if kind == "classes":
        return np.argmax(logits, axis=-1).astype(np.int64)
    if kind == "logit":
        return (logits[..., 0] > 0).astype(np.int64)
    nearest = np.rint(logits).astype(np.int64)
    return nearest[..., 0] if logits.shape[-1] == 1 else nearest
