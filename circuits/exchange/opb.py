"""OPB, the format of pseudo-Boolean competitions: a circuit as linear constraints over 0/1 variables.

A gate g that fires iff S >= t, where S lies between `low` and `high`, is two constraints: ``S >= low + (t - low) g`` and
``S <= t - 1 + (high - t + 1) g``. Exactly one letter stands at each position. With an assertion about the decision, the
constraints can be satisfied iff some input of that length has that decision, and a solution spells the input.

Gates are written over inputs and gates, in the canonical form of `circuits.bases.flat`: without shared sums and constant gates.

Source: O. Roussel, V. Manquinho, *Input/Output Format and Solver Requirements for the Competitions of Pseudo-Boolean Solvers*
(2012). The header entries ``#equal`` and ``intsize`` of 2016 (equations, and the bits that the sum of the absolute coefficients
of a constraint needs) stand in the second line, since some solvers read no more than two numbers in the first.
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np

from circuits.bases.flat import CONSTANTS, FlatCircuit, Level, circuit_to_flat
from circuits.circuit import Circuit
from circuits.diagnostics import FomError, fail
from circuits.exchange.ports import ports_of
from circuits.exchange.verilog import pieces, ragged
from circuits.formats import Format

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]
Interval = tuple[int, int]

LIMIT_BITS = 62
ASSERTION = re.compile(r"(?:(class|value)=)?(-?\d{1,18})(?:@(\d{1,9}))?")
Constraint = tuple[list[tuple[int, int]], str, int]


def write_opb(out: BinaryIO, circuit: Circuit, assertion: str | None = None) -> None:
    """Write a circuit as constraints.

    Args:
        assertion: ``0`` or ``1`` for one bit, ``class=k``, or ``value=k`` for a number; ``@x`` names a position where every
            position has its own answer.

    Raises:
        FomError: the assertion is no answer of the circuit, or coefficients need more than 62 bits.
    """
    flat = circuit_to_flat(circuit)
    ports = ports_of(circuit)
    letters = 0 if circuit.family.inputs else len(circuit.family.alphabet)
    asserted = [] if assertion is None else constraints_of(circuit, flat, assertion)
    n_positions = circuit.n if letters else 0
    sizes = [int(coefficient_sums(level).max(initial=0)) for level in flat.levels]
    sizes += [letters + 1, *(sum(abs(w) for w, _ in terms) + abs(bound) for terms, _, bound in asserted)]
    bits = max(sizes).bit_length()
    if bits > LIMIT_BITS:
        raise fail(
            "C026", f"the coefficients of a constraint need {bits} bits, at most {LIMIT_BITS} are written",
            help="translate with a lower --precision or --weight-bits",
        )  # fmt: skip
    n_equal = n_positions + sum(relation == "=" for _, relation, _ in asserted)
    n_constraints = n_positions + 2 * flat.n_gates + len(asserted)
    head = [f"* #variable= {flat.n_inputs + flat.n_gates} #constraint= {n_constraints}"]
    head += [f"* #equal= {n_equal} intsize= {bits}"]
    head += [f"* {note}" for note in ports.notes]
    head += [f"* {name} is x{k + 1}" for k, name in enumerate(ports.inputs)]
    for name, signal in zip(ports.outputs, flat.outputs.tolist(), strict=True):
        head.append(f"* {name} is " + (f"x{signal - 1}" if signal >= CONSTANTS else f"always {signal}"))
    if assertion is not None:
        head.append(f"* asserted: {assertion}")
    out.write(("\n".join(head) + "\n").encode())
    for position in range(n_positions):
        first = position * letters + 1
        out.write(("".join(f"+1 x{first + letter} " for letter in range(letters)) + "= 1 ;\n").encode())
    first = flat.n_inputs + 1
    for level in flat.levels:
        write_level(out, level, first)
        first += level.n_gates
    for terms, relation, bound in asserted:
        out.write(
            ("".join(f"{weight:+d} x{variable} " for weight, variable in terms) + f"{relation} {bound} ;\n").encode()
        )


def bounds_of(level: Level) -> tuple[Integers, Integers]:
    """The least and the greatest sum of every gate."""
    ones = np.ones(level.weights.shape[1], dtype=np.int64)
    return level.weights.minimum(0) @ ones, level.weights.maximum(0) @ ones


def coefficient_sums(level: Level) -> Integers:
    """For every gate a number that no sum of absolute coefficients of its constraints exceeds, its bound included."""
    low, high = bounds_of(level)
    largest = np.maximum(np.abs(level.thresholds - low), np.abs(high - level.thresholds + 1))
    return (high - low) + largest + np.maximum(np.abs(low), np.abs(level.thresholds - 1))


def write_level(out: BinaryIO, level: Level, first: int) -> None:
    """Write the two constraints of every gate of a level; the first gate is variable `first`."""
    low, high = bounds_of(level)
    weights, thresholds = level.weights, level.thresholds
    lengths = np.diff(weights.indptr).astype(np.int64)
    own = first + np.arange(level.n_gates)
    for begin, end in pieces(lengths):
        rows = slice(begin, end)
        part = slice(weights.indptr[begin], weights.indptr[end])
        variables = weights.indices[part].astype(np.int64) + 1 - CONSTANTS
        pattern = "".join(["%+d x%d " * (length + 1) + ">= %d ;\n" for length in lengths[rows].tolist()])
        for sign, gate, bound in ((1, low - thresholds, low), (-1, high - thresholds + 1, 1 - thresholds)):
            middle = np.stack([sign * weights.data[part], variables], axis=1).ravel()
            tails = np.stack([gate[rows], own[rows], bound[rows]], axis=1)
            values = ragged(np.zeros((end - begin, 0), dtype=np.int64), middle, 2 * lengths[rows], tails)
            out.write((pattern % tuple(values.tolist())).encode())


def constraints_of(circuit: Circuit, flat: FlatCircuit, assertion: str) -> list[Constraint]:
    """The constraints that an assertion puts on the outputs.

    Raises:
        FomError: it is no answer of the circuit.
    """
    readout, format_ = circuit.readout, circuit.family.decision_format
    size = circuit.family.by_name[readout.decision].size
    found = ASSERTION.fullmatch(assertion)
    kinds = {"classes": "class", "logit": None, "value": "value"}
    if found is None or found[1] not in (None, kinds[readout.kind]):
        raise no_answer(circuit, assertion)
    answer, position = int(found[2]), 1 if found[3] is None else int(found[3])
    if (found[3] is None) == bool(readout.n_positions) or not 1 <= position <= circuit.n:
        raise no_answer(circuit, assertion)
    signals = flat.outputs.reshape(format_.bits, -1, size)[:, position - 1]
    if readout.kind == "classes":
        if not 0 <= answer < readout.n_classes:
            raise no_answer(circuit, assertion)
        return [linear([(1, int(signals[0, answer]))], "=", 1)]
    if readout.kind == "logit":
        if answer not in (0, 1):
            raise no_answer(circuit, assertion)
        return [linear([(1, int(signals[0, 0]))], "=", answer)]
    if size > 1:
        raise no_answer(circuit, assertion)
    terms = [(1 << bit, int(signal)) for bit, signal in enumerate(signals[:, 0])]
    low, high = codes_that_round_to(answer, format_)
    above = linear(terms, ">=", low - format_.lo)
    below = linear([(-weight, signal) for weight, signal in terms], ">=", format_.lo - high)
    return [above, below]


def no_answer(circuit: Circuit, assertion: str) -> FomError:
    """The diagnostic of an assertion that is no answer."""
    readout = circuit.readout
    size = circuit.family.by_name[readout.decision].size
    at = f", and `@x` with a position x up to {circuit.n}" if readout.n_positions else ""
    if readout.kind == "classes":
        answers = f"`class=k` with k up to {readout.n_classes - 1}{at}"
    elif readout.kind == "logit":
        answers = f"`0` or `1`{at}"
    elif size == 1:
        answers = f"`value=k` with an integer k{at}"
    else:
        answers = f"{size} numbers, of which none can be asserted"
    return fail("C092", f"`{assertion}` is no answer of this circuit", note=f"it answers {answers}")


def linear(terms: list[tuple[int, int]], relation: str, bound: int) -> Constraint:
    """A constraint on signals; what constants add is taken off the bound. Without any variable it is ``0 x1``."""
    bound -= sum(weight * signal for weight, signal in terms if signal < CONSTANTS)
    variables = [(weight, signal + 1 - CONSTANTS) for weight, signal in terms if signal >= CONSTANTS]
    return variables or [(0, 1)], relation, bound


def codes_that_round_to(answer: int, format_: Format) -> Interval:
    """The least and the greatest code of which `answer` is the nearest integer, ties to even; maybe none of the format."""
    if format_.frac <= 0:
        step = 1 << -format_.frac
        return -(-answer // step), answer // step
    half = 1 << format_.frac - 1
    tie = answer % 2 == 0
    return 2 * half * answer - half + (not tie), 2 * half * answer + half - (not tie)
