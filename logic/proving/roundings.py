"""Rounding and tables: a word found from one exact sum S by comparisons, for every integer S.

Small gadgets go to the solver with S an unbounded integer; thermometers with many comparators are enumerated completely
(`logic.proving.enumeration`), and tables are enumerated always.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from circuits.formats import Format
from circuits.matrices import identity
from circuits.network import Exact, Round, Table
from logic.proving.enumeration import breaks_of, intervals, offsets_at
from logic.proving.gadget_claims import rounding_claim, table_claim
from logic.proving.gadgets import Gadget, Quantity, templates
from logic.proving.linear import Reader, Unfit, bit_names
from logic.proving.patterns import patterns
from logic.proving.session import Outcome, Session
from logic.smt.lemmas import Build, Countermodel, Proved
from logic.verdicts import Lemma

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_SOLVED = 40
MOST_SOLVED_BITS = 12
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


def solvable(gadget: Gadget) -> bool:
    """Tell whether a gadget is small enough for the solver; a chain of 12 gates takes it a second or two."""
    return gadget.n_gates <= MOST_SOLVED and len(gadget.bits) <= MOST_SOLVED_BITS


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
    """Prove that a gadget rounds every integer."""
    format_ = node.format
    statement = (
        f"for every integer S, {gadget.n_gates} gates on {gadget.levels} levels round S / 2**{node.shift} "
        f"to {format_.bits} bits, codes {format_.lo}..{format_.hi}: half to even, saturating"
    )

    def enumerated() -> Outcome:
        return enumerate_round(gadget, node.shift, format_, statement)

    if not solvable(gadget):
        return enumerated()
    return solved(
        session,
        statement,
        rounding_claim(gadget, node.shift, format_),
        gadget,
        format_,
        lambda total: nearest_code(total, node.shift, format_),
        enumerated,
    )


def solved(
    session: Session,
    statement: str,
    build: Build,
    gadget: Gadget,
    format_: Format,
    expected: Callable[[int], int],
    otherwise: Callable[[], Outcome],
) -> Outcome:
    """Ask the solver about a gadget of one sum; when it gives up, do something else."""
    answer, lemma = session.solve(statement, build)
    match answer:
        case Proved():
            return Outcome((lemma,) if lemma else ())
        case Countermodel(values):
            offset = sum(values[f"b{bit}"] << bit for bit in range(len(gadget.bits)))
            return refuted(values.get("S", 0), offset + format_.lo, expected(values.get("S", 0)), format_)
        case _:
            return otherwise()


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


def enumerate_round(gadget: Gadget, shift: int, format_: Format, statement: str) -> Outcome:
    """Compare the code of every interval of S at its first and its last integer.

    That is enough, because rounding is monotone: where both ends round to a code, so does everything between; and below the
    least break everything rounds to the least code if one integer does, above the greatest to the greatest.
    """
    start = time.perf_counter()
    try:
        breaks = breaks_of(gadget)
        first, last = intervals(breaks)
        codes = offsets_at(gadget, first[None]) + format_.lo
        for ends in (first, last):
            for total, code in zip(ends.tolist(), codes.tolist(), strict=True):
                expected = nearest_code(total, shift, format_)
                if code != expected:
                    return refuted(total, code, expected, format_)
        if codes[0] != format_.lo or codes[-1] != format_.hi:
            return Outcome((), "the gates do not saturate: the outermost codes are never found")
    except Unfit as error:
        return Outcome((), f"not decided: {error}")
    note = f" (enumeration: all gates are constant on each of the {len(first)} intervals between their {len(breaks)} breaks)"
    return Outcome((Lemma(statement + note, "enumeration", 0, time.perf_counter() - start),))


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

    def by_search(total: int) -> int:
        return int(node.codes[int(np.searchsorted(node.breaks, total, side="right"))])

    build = table_claim(gadget, node.breaks, node.codes, format_)
    second = solved(session, statement, build, gadget, format_, by_search, lambda: Outcome(()))
    return Outcome((lemma, *second.lemmas), second.trouble, second.bit)
