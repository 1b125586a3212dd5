"""AND gates in any order, with any numbers, become an and-inverter graph in AIGER's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from circuits.aig import Aig, spans
from circuits.diagnostics import FomError

Integers = np.ndarray[Any, np.dtype[np.int64]]

Name = Callable[[int], str]
Complain = Callable[[str], FomError]


def order_gates(
    inputs: Integers,
    gates: Integers,
    left: Integers,
    right: Integers,
    outputs: Integers,
    name: Name,
    complain: Complain,
) -> Aig:
    """Number variables as an `Aig` does; gates that are in topological order stay in their order.

    Args:
        inputs: variables of the inputs.
        gates: the variable of every AND; `left` and `right` are its operands, as literals 2 * variable + negation.
        outputs: literals.
        name: how a variable is called in a complaint.
        complain: makes the error to be raised.

    Raises:
        FomError: a variable is defined twice or nowhere, or gates depend on themselves.
    """
    defined = np.concatenate([np.zeros(1, dtype=np.int64), inputs, gates])
    by_variable = np.argsort(defined, kind="stable")
    known = defined[by_variable]
    twice = np.flatnonzero(known[1:] == known[:-1])
    if len(twice):
        raise complain(f"{name(int(known[twice[0]]))} is defined twice")

    def numbered(literals: Integers) -> Integers:
        variables = literals >> 1
        place = np.minimum(np.searchsorted(known, variables), len(known) - 1)
        missing = np.flatnonzero(known[place] != variables)
        if len(missing):
            raise complain(f"{name(int(variables[missing[0]]))} is used and defined nowhere")
        found: Integers = 2 * by_variable[place] + (literals & 1)
        return found

    left, right, outputs = numbered(left), numbered(right), numbered(outputs)
    first = len(inputs) + 1
    own = first + np.arange(len(gates))
    if not (np.maximum(left, right) >> 1 < own).all():
        order = topological((left >> 1) - first, (right >> 1) - first)
        if len(order) < len(gates):
            stuck = np.setdiff1d(np.arange(len(gates)), order)
            raise complain(f"{name(int(gates[stuck[0]]))} depends on itself")
        place = np.arange(first + len(gates))
        place[first + order] = own
        left, right, outputs = (2 * place[literals >> 1] + (literals & 1) for literals in (left, right, outputs))
        left, right = left[order], right[order]
    return Aig(len(inputs), np.maximum(left, right), np.minimum(left, right), outputs)


def topological(left: Integers, right: Integers) -> Integers:
    """Gates level by level; those on a cycle, or above one, are left out. An operand below 0 is no gate."""
    count = len(left)
    reader = np.concatenate([np.flatnonzero(left >= 0), np.flatnonzero(right >= 0)])
    read = np.concatenate([left[left >= 0], right[right >= 0]])
    reader = reader[np.argsort(read, kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(read, minlength=count))])
    waiting = np.bincount(reader, minlength=count)
    ready = np.flatnonzero(waiting == 0)
    order = []
    while len(ready):
        order.append(ready)
        touched, times = np.unique(reader[spans(starts[ready], starts[ready + 1])], return_counts=True)
        waiting[touched] -= times
        ready = touched[waiting[touched] == 0]
    return np.concatenate(order).astype(np.int64) if order else np.zeros(0, dtype=np.int64)
