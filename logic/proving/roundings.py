"""Rounding and tables: a word found from one exact sum S by comparisons, for every integer S.

Words of any width are rounded digit by digit (`logic.proving.digits`): every comparison must have the numbers of the law of
rounding (`logic.proving.laws`), which the solver proves for all codes at once. Gadgets of another shape, and tables, are
enumerated completely (`logic.proving.enumeration`).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from circuits.formats import Format
from circuits.matrices import identity
from circuits.network import Exact, Round, Table
from logic.proving.digits import digits_of, telling_offsets
from logic.proving.enumeration import MOST_BREAKS, breaks_of, intervals, offsets_at
from logic.proving.gadget_claims import table_claim
from logic.proving.gadgets import Gadget, Quantity, templates
from logic.proving.laws import Law, rounding_law
from logic.proving.linear import Reader, Unfit, bit_names
from logic.proving.patterns import patterns
from logic.proving.session import Outcome, Session
from logic.smt.lemmas import Countermodel
from logic.verdicts import Lemma

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_BREAKS_SOLVED = 16


def prove_search(reader: Reader, session: Session, node: Round | Table) -> None:
    """Prove that the gates of a word find the code of its operand."""
    bits = bit_names(node.name, node.format)
    ref = node.operand
    source = reader.network.by_name[ref.node]
    operand = reader.value(ref, identity(source.size))
    first = source.name if isinstance(source, Exact) else bit_names(source.name, source.format)[0]
    quantity = Quantity(operand, (first, ref.at, None), np.arange(node.size))
    found, wrong = templates(reader, session, bits, [quantity])
    for gadget, elements in patterns(found, bits, node.size, wrong):

        def decide(gadget: Gadget = gadget) -> Outcome:
            return (
                decide_round(session, gadget, node) if isinstance(node, Round) else decide_table(session, gadget, node)
            )

        outcome = session.once(key_of(node, gadget), gadget.n_gates * len(elements), decide)
        blame(session, bits, elements, outcome)


def key_of(node: Round | Table, gadget: Gadget) -> tuple[object, ...]:
    """What an obligation depends on."""
    if isinstance(node, Round):
        return "round", node.shift, node.format, gadget.key
    return "table", node.breaks.tobytes(), node.codes.tobytes(), node.format, gadget.key


def blame(session: Session, bits: list[str], elements: list[int], outcome: Outcome) -> None:
    """Report the trouble of a pattern at its first element."""
    if outcome.trouble:
        more = f" (and {len(elements) - 1} more elements with the same gates)" if len(elements) > 1 else ""
        session.trouble_at(bits[-1 if outcome.bit is None else outcome.bit], elements[0], outcome.trouble + more)


def decide_round(session: Session, gadget: Gadget, node: Round) -> Outcome:
    """Prove that a gadget rounds every integer: digit by digit, or if it has another shape by trying all cases."""
    start = time.perf_counter()
    format_, law = node.format, rounding_law(node.shift)
    statement = (
        f"for every integer S, {gadget.n_gates} gates on {gadget.levels} levels round S / 2**{node.shift} "
        f"to {format_.bits} bits, codes {format_.lo}..{format_.hi}: half to even, saturating"
    )
    try:
        require_digits(gadget, law, format_)
    except Unfit as error:
        return enumerate_round(gadget, node.shift, format_, statement, str(error))
    lemma = Lemma(f"{statement} (by digits, if {law})", "coefficients", 0, time.perf_counter() - start)
    trouble = law.prove(session)
    return Outcome((), trouble) if trouble else Outcome((lemma,))


def require_digits(gadget: Gadget, law: Law, format_: Format) -> None:
    """Require that a gadget compares S, less what the bits above a digit claim, with the thresholds of the law.

    Raises:
        Unfit: it does not.
    """
    for digit in digits_of(gadget):
        codes = format_.lo + digit.steps
        digit.require("multiples of S", digit.block.external[:, 0], law.scale)
        digit.require("thresholds", digit.block.thresholds, law.line(codes) + law.odd * (codes % 2))
        digit.require_own(format_.bits, law.slope)


def refuted(total: int, code: int, expected: int, format_: Format) -> Outcome:
    """The outcome of a gadget that gives another code."""
    bit = ((code - format_.lo) ^ (expected - format_.lo)).bit_length() - 1
    return Outcome((), f"the gate differs: for S = {total} it gives code {code} instead of {expected}", max(0, bit))


def nearest_code(total: int, shift: int, format_: Format) -> int:
    """The code nearest to ``total / 2**shift``, on Python's integers."""
    num, den = total << max(-shift, 0), 1 << max(shift, 0)
    code, rest = divmod(num, den)
    code += 2 * rest > den or (2 * rest == den and code % 2 == 1)
    return min(max(code, format_.lo), format_.hi)


def enumerate_round(gadget: Gadget, shift: int, format_: Format, statement: str, shape: str = "") -> Outcome:
    """Compare the code of every interval of S at its first and its last integer.

    That is enough, because rounding is monotone: where both ends round to a code, so does everything between; and below the
    least break everything rounds to the least code if one integer does, above the greatest to the greatest.
    """
    start = time.perf_counter()
    try:
        if 1 << format_.bits > MOST_BREAKS:
            raise Unfit(f"more than {MOST_BREAKS} cases to enumerate")
        breaks = breaks_of(gadget)
        first, last = intervals(breaks)
        codes = offsets_at(gadget, first[None]) + format_.lo
    except Unfit as error:
        found = first_wrong(gadget, shift, format_)
        return found or Outcome((), f"not decided: {error}" + (f"; {shape}" if shape else ""))
    for ends in (first, last):
        for total, code in zip(ends.tolist(), codes.tolist(), strict=True):
            expected = nearest_code(total, shift, format_)
            if code != expected:
                return refuted(total, code, expected, format_)
    if codes[0] != format_.lo or codes[-1] != format_.hi:
        return Outcome((), "the gates do not saturate: the outermost codes are never found")
    note = f" (enumeration: all gates are constant on each of the {len(first)} intervals between their {len(breaks)} breaks)"
    return Outcome((Lemma(statement + note, "enumeration", 0, time.perf_counter() - start),))


def first_wrong(gadget: Gadget, shift: int, format_: Format) -> Outcome | None:
    """An integer that a wide gadget rounds to another code, looked for where few bits change."""
    law = rounding_law(shift)
    codes = format_.lo + telling_offsets(format_.bits)[1:]
    try:
        totals = -(-(law.line(codes) + law.odd * (codes % 2)) // law.scale)
        points = np.unique(np.concatenate([totals - 1, totals]))
        found = offsets_at(gadget, points[None]) + format_.lo
    except Unfit:
        return None
    for total, code in zip(points.tolist(), found.tolist(), strict=True):
        expected = nearest_code(total, shift, format_)
        if code != expected:
            return refuted(total, code, expected, format_)
    return None


def decide_table(session: Session, gadget: Gadget, node: Table) -> Outcome:
    """Prove that a gadget tabulates, for every integer S; a small one also by the solver."""
    start = time.perf_counter()
    format_ = node.format
    statement = (
        f"for every integer S, {gadget.n_gates} gates on {gadget.levels} levels give the code of the step of S in a table "
        f"with {len(node.breaks)} breaks, {format_.bits} bits"
    )
    try:
        first, _ = intervals(np.union1d(breaks_of(gadget), node.breaks))
        codes = offsets_at(gadget, first[None]) + format_.lo
    except Unfit as error:
        return Outcome((), f"not decided: {error}")
    expected = node.codes[np.searchsorted(node.breaks, first, side="right")]
    wrong = np.flatnonzero(codes != expected)
    if len(wrong):
        place = int(wrong[0])
        return refuted(int(first[place]), int(codes[place]), int(expected[place]), format_)
    note = f" (enumeration: gates and table are constant on each of the {len(first)} intervals between their breaks)"
    lemma = Lemma(statement + note, "enumeration", 0, time.perf_counter() - start)
    if len(node.breaks) > MOST_BREAKS_SOLVED:
        return Outcome((lemma,))

    answer, solved = session.solve(statement, table_claim(gadget, node.breaks, node.codes, format_))
    if isinstance(answer, Countermodel):
        total = answer.values.get("S", 0)
        code = sum(answer.values[f"b{bit}"] << bit for bit in range(len(gadget.bits))) + format_.lo
        return refuted(total, code, int(node.codes[np.searchsorted(node.breaks, total, side="right")]), format_)
    return Outcome((lemma, solved) if solved else (lemma,))
