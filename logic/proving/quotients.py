"""Quotients: with a positive denominator D, "N / D is at least c" is a comparison of N with multiples of D.

What the higher bits of the result claim is a bit times D. The family has an accumulator for it, in which every bit that feeds D
is ANDed with that bit; its weights, guards, positions and constants must be those of D, read down to bits. After that the gates
read N, D and ``b * D``, which is linear in D for each value of the bits.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np

from circuits.entries import Gates
from circuits.formats import Format
from circuits.matrices import identity, matrix
from circuits.network import Exact, Quotient
from circuits.positions import Ref, is_safe
from logic.proving.denominators import prove_positive
from logic.proving.digits import digits_of, telling_offsets
from logic.proving.enumeration import MOST_BREAKS, breaks_of, offsets_at
from logic.proving.gadgets import Block, Gadget, Quantity, local_accumulators, local_entries, templates
from logic.proving.laws import Law, quotient_law
from logic.proving.linear import ONE, Form, Reader, Unfit, bit_names, differing, own_variables
from logic.proving.patterns import patterns
from logic.proving.products import Bits, and_gates
from logic.proving.roundings import blame
from logic.proving.session import Outcome, Session
from logic.verdicts import Lemma

Integers = np.ndarray[Any, np.dtype[np.int64]]


def prove_quotient(reader: Reader, session: Session, node: Quotient) -> None:
    """Prove that the gates of a word find the rounded quotient, and that its denominator is positive."""
    bits = bit_names(node.name, node.format)
    own = own_variables(node.n_positions)
    quantities = [quantity(reader, node.num, np.arange(node.size)), quantity(reader, node.den, node.den_index)]
    claimed = []
    for name in local_accumulators(reader, local_entries(reader, bits)):
        bit = prove_claimed(reader, session, node, name)
        if bit is not None:
            form = Form(node.size)
            form.add((name, own, None), identity(node.size))
            quantities.append(Quantity(form, (name, own, None), np.arange(node.size)))
            claimed.append(bit)
    found, wrong = templates(reader, session, bits, quantities)
    for gadget, elements in patterns(found, bits, node.size, wrong):

        def decide(gadget: Gadget = gadget) -> Outcome:
            return decide_quotient(session, gadget, node, claimed)

        key = ("quotient", node.shift, node.format, tuple(claimed), gadget.key)
        blame(session, bits, elements, session.once(key, gadget.n_gates * len(elements), decide))
    prove_positive(reader.network, session, node)


def quantity(reader: Reader, ref: Ref, index: Integers) -> Quantity:
    """The value of a reference as something that gates may read."""
    source = reader.network.by_name[ref.node]
    first = source.name if isinstance(source, Exact) else bit_names(source.name, source.format)[0]
    return Quantity(reader.value(ref, identity(source.size)), (first, ref.at, None), index)


def prove_claimed(reader: Reader, session: Session, node: Quotient, name: str) -> int | None:
    """Prove that a helper accumulator is one bit of each element times its denominator; the bit, or None."""
    start = time.perf_counter()
    entry = reader.entry(name)
    if entry.size != node.size or entry.n_positions != node.n_positions:
        session.trouble_at(name, 0, "it has another size or other positions than the quotient")
        return None
    try:
        found, bits = claimed_form(reader, session, node, name)
    except Unfit as error:
        session.trouble_at(name, 0, str(error))
        return None
    if found is None:
        return None
    if len(bits) != 1:
        session.trouble_at(name, 0, "it is no product of one bit of the quotient with the denominator")
        return None
    for key, difference in differing(found, denominator_form(reader, node)):
        element, column = (int(axis[0]) for axis in difference.tocoo().coords)
        what = f"the weight of {reader.describe(key, column)} is off by {difference.data[0]}"
        session.trouble_at(name, element, f"{what} from bit times denominator")
        return None
    covers = node.size + sum(
        reader.entry(source).size
        for source, _, _ in reader.form(name).parts
        if reader.is_local(source) and source != ONE
    )
    session.add(
        f"`{name}` is bit {min(bits)} of `{node.name}` times `{node.den.node}`: the same wires, each ANDed with the bit",
        "structure",
        covers,
        time.perf_counter() - start,
    )
    return bits.pop()


def denominator_form(reader: Reader, node: Quotient) -> Form:
    """The denominator of every element at the quotient's positions, down to bits."""
    ref = node.den
    least = reader.network.domain.least
    if not all(is_safe(term, least) for term in ref.at):
        raise Unfit("the denominator is read outside the word")
    source = reader.network.by_name[ref.node]
    chosen = matrix(np.arange(node.size), node.den_index, 1, (node.size, source.size))
    if not isinstance(source, Exact):
        return reader.value(ref, chosen)
    reader.flat(source.name)
    result = Form(node.size)
    reader.put_flat(result, node.n_positions, source.name, ref.at, None, chosen)
    return result


def claimed_form(reader: Reader, session: Session, node: Quotient, name: str) -> tuple[Form | None, set[int]]:
    """What a helper accumulator adds wherever the bit is 1, and the bits of the quotient that it reads; None: reported."""
    own = own_variables(node.n_positions)
    bits = {entry: bit for bit, entry in enumerate(bit_names(node.name, node.format))}
    used: set[int] = set()
    result = Form(node.size)
    for (source, at, guard), weights in reader.form(name).parts.items():
        coo = weights.tocoo()
        rows, columns = coo.coords
        if source in bits and at == own:
            used.add(bits[source])
            if (rows != columns).any():
                raise Unfit(f"it reads {reader.describe((source, at, guard), int(columns[rows != columns][0]))}")
            result.add((ONE, (), guard), matrix(rows, np.zeros_like(rows), coo.data, (node.size, 1)))
            continue
        if source == ONE or not reader.is_local(source) or not isinstance(reader.entry(source), Gates):
            raise Unfit(f"it reads {reader.describe((source, at, guard), int(columns[0]))}")
        if not all(is_safe(term, reader.network.domain.least) for term in at):
            raise Unfit(f"`{source}` is read outside the word")
        atoms = Bits(reader)
        left, right, conjunction = and_gates(reader, atoms, source)
        bad = columns[~conjunction[columns]]
        if len(bad):
            session.trouble_at(source, int(bad[0]), "the gate is no AND of two bits")
            return None, used
        put_conjunctions(
            reader,
            node,
            result,
            used,
            atoms,
            (at, guard),
            (rows.astype(np.int64), left[columns], right[columns], coo.data),
        )
    return result, used


def put_conjunctions(
    reader: Reader, node: Quotient, result: Form, used: set[int], atoms: Bits, place: Any, terms: tuple[Integers, ...]
) -> None:
    """Add ANDs of an own bit with a bit of the denominator, which must be the own bit of the same element.

    Raises:
        Unfit: a gate conjoins something else.
    """
    at, guard = place
    own = own_variables(node.n_positions)
    bits = {entry: bit for bit, entry in enumerate(bit_names(node.name, node.format))}
    rows, left, right, weights = terms
    resolved = np.zeros(len(rows), dtype=bool)
    for (source, inner), start in atoms.starts.items():
        if source not in bits or tuple(term.substitute(at) for term in inner) != own:
            continue
        for mine, other in ((left, right), (right, left)):
            here = ~resolved & (mine == start + rows)
            if here.any():
                used.add(bits[source])
                resolved |= here
                alone = here & (left == right)
                result.add((ONE, (), guard), matrix(rows[alone], 0 * rows[alone], weights[alone], (result.size, 1)))
                pair = here & ~alone
                put_bits(reader, result, atoms, place, rows[pair], other[pair], weights[pair])
    if not resolved.all():
        raise Unfit(
            f"its gate at {atoms.describe(int(left[~resolved][0]))} reads no bit of the same element of the quotient"
        )


def put_bits(
    reader: Reader, result: Form, atoms: Bits, place: Any, rows: Integers, numbers: Integers, weights: Integers
) -> None:
    """Add weighted bits, given by their numbers, at the positions where their gates are read."""
    at, guard = place
    ranges = sorted((start, source, inner) for (source, inner), start in atoms.starts.items())
    starts = np.array([start for start, _, _ in ranges])
    which = np.searchsorted(starts, numbers, side="right") - 1
    for number in np.unique(which):
        start, source, inner = ranges[number]
        chosen = which == number
        width = 1 if source == ONE else reader.entry(source).size
        taken = matrix(rows[chosen], numbers[chosen] - start, weights[chosen], (result.size, width))
        moved = tuple(term.substitute(at) for term in inner)
        reader.put(result, source, moved, guard, taken)


def decide_quotient(session: Session, gadget: Gadget, node: Quotient, claimed: list[int]) -> Outcome:
    """Prove that a gadget divides, for all N and all D >= 1: digit by digit, or if it has another shape by trying all cases."""
    start = time.perf_counter()
    format_, law = node.format, quotient_law(node.shift)
    statement = (
        f"for all integers N and D >= 1, {gadget.n_gates} gates round N * 2**{node.shift} / D to "
        f"{format_.bits} bits, codes {format_.lo}..{format_.hi}: half to even, saturating"
    )
    try:
        require_digits(gadget, law, format_, claimed)
    except Unfit as error:
        return enumerate_quotient(gadget, node, claimed, statement, str(error))
    lemma = Lemma(f"{statement} (by digits, if {law})", "coefficients", 0, time.perf_counter() - start)
    trouble = law.prove(session)
    return Outcome((), trouble) if trouble else Outcome((lemma,))


def require_digits(gadget: Gadget, law: Law, format_: Format, claimed: list[int]) -> None:
    """Require that a gadget compares N with the law's multiple of D, plus D times what the bits above a digit claim.

    Raises:
        Unfit: it does not.
    """
    if len(set(claimed)) != len(claimed):
        raise Unfit("two sums are the same bit times the denominator")
    for digit in digits_of(gadget):
        codes, given = format_.lo + digit.steps, digit.block.external
        digit.require("multiples of N", given[:, 0], law.scale)
        digit.require("multiples of D", given[:, 1], -law.line(codes))
        digit.require("thresholds", digit.block.thresholds, law.odd * (codes % 2))
        digit.require_own(format_.bits, 0)
        products = {bit: given[:, 2 + place] for place, bit in enumerate(claimed)}
        replace(digit, own=products).require_own(format_.bits, law.slope)


def wrong_code(num: int, den: int, offset: int, node: Quotient) -> Outcome:
    """The outcome of a gadget that gives another code."""
    expected = nearest_ratio(num, den, node)
    code = offset + node.format.lo
    bit = (offset ^ (expected - node.format.lo)).bit_length() - 1
    message = f"the gate differs: for N = {num}, D = {den} it gives code {code} instead of {expected}"
    return Outcome((), message, max(0, bit))


def nearest_ratio(num: int, den: int, node: Quotient) -> int:
    """The code nearest to ``num * 2**shift / den``, on Python's integers."""
    den <<= max(-node.shift, 0)
    code, rest = divmod(num << max(node.shift, 0), den)
    code += 2 * rest > den or (2 * rest == den and code % 2 == 1)
    return min(max(code, node.format.lo), node.format.hi)


def enumerate_quotient(gadget: Gadget, node: Quotient, claimed: list[int], statement: str, shape: str) -> Outcome:
    """Divide all gates by D: they read the ratio r = N / D alone, as do the thresholds ``(2c - 1) / 2`` of the codes.

    A gate with threshold 0 or 1 compares integers, so it asks whether ``a r + b >= 0`` or ``> 0``. Gates and code change
    only at finitely many ratios; those and one point between any two decide every ratio. If there are too many, then `shape` says
    why the gadget was not proved without.
    """
    start = time.perf_counter()
    try:
        points, found, step = ratios(gadget, node, claimed)
    except Unfit as error:
        found_wrong = first_wrong(gadget, node, claimed)
        return found_wrong or Outcome((), f"not decided: {error}; {shape}")
    for ratio, offset in zip(points.tolist(), found.tolist(), strict=True):
        exact = Fraction(ratio, 2 * step)
        if nearest_ratio(exact.numerator, exact.denominator, node) != offset + node.format.lo:
            return wrong_code(exact.numerator, exact.denominator, offset, node)
    note = f" (enumeration: gates and code are constant between neighbours of {len(points)} ratios N / D)"
    return Outcome((Lemma(statement + note, "enumeration", 0, time.perf_counter() - start),))


def ratios(gadget: Gadget, node: Quotient, claimed: list[int]) -> tuple[Integers, Integers, int]:
    """Ratios that decide all, in units ``1 / (2 L)``, what the gadget gives at them, and L.

    Raises:
        Unfit: a gate has another threshold than 0 or 1, or there are too many cases.
    """
    if 1 << node.format.bits > MOST_BREAKS:
        raise Unfit(f"more than {MOST_BREAKS} cases to enumerate")
    scales = {abs(int(scale)) for block in gadget.blocks for scale in np.unique(block.external[:, 0]) if scale}
    step = lcm(2 << max(node.shift, 0), *scales)
    if step * (2 << node.format.bits) << max(-node.shift, 0) >= 1 << 55:
        raise Unfit("its ratios need more than 55 bits")
    homogeneous = Gadget(tuple(divide(gadget, block, claimed, step) for block in gadget.blocks), gadget.bits, b"")
    codes = np.arange(node.format.lo + 1, node.format.hi + 1)
    up, down = 2 << max(node.shift, 0), 1 << max(-node.shift, 0)
    points = np.unique(np.concatenate([breaks_of(homogeneous), (2 * codes - 1) * down * (2 * step // up)]))
    points = np.unique(np.concatenate([points - 1, points, points + 1]))
    found = offsets_at(homogeneous, points[None])
    return points, found, step


def first_wrong(gadget: Gadget, node: Quotient, claimed: list[int]) -> Outcome | None:
    """Numbers that a wide gadget divides to another code, looked for next to ties where few bits change."""
    law = quotient_law(node.shift)
    lowest, den = node.format.lo, law.scale
    try:
        ties = law.line(lowest + telling_offsets(node.format.bits)[1:])
        nums = np.unique(np.concatenate([ties - 1, ties, ties + 1]))
        offsets = np.zeros_like(nums)
        for _ in gadget.bits:
            products = [(offsets >> bit & 1) * den for bit in claimed]
            offsets = offsets_at(gadget, np.stack([nums, np.full_like(nums, den), *products]))
    except Unfit:
        return None
    for num, offset in zip(nums.tolist(), offsets.tolist(), strict=True):
        if nearest_ratio(num, den, node) != offset + lowest:
            return wrong_code(num, den, offset, node)
    return None


def divide(gadget: Gadget, block: Block, claimed: list[int], step: int) -> Block:
    """A block over ``T = 2 L N / D`` instead of N and D: what it reads of D becomes a constant, a bit times D that bit."""
    compares = (block.external != 0).any(axis=1)
    if (compares & ~np.isin(block.thresholds, (0, 1))).any():
        raise Unfit("a gate compares with something other than 0 or 1")
    if any((np.diff(weights.indptr)[compares] > 0).any() for _, weights in block.wires):
        raise Unfit("a gate adds a bit to numerator and denominator")
    largest = np.abs(block.external.astype(np.float64)).max(initial=0.0) * 2 * step
    if largest >= 2.0**61:
        raise Unfit("its ratios need more than 61 bits")
    wires = list(block.wires)
    for place, bit in enumerate(claimed):
        weights = 2 * step * block.external[:, 2 + place]
        rows = np.flatnonzero(weights)
        if len(rows):
            source = gadget.bits[bit]
            wires.append((source, matrix(rows, np.zeros_like(rows), weights[rows], (len(weights), 1))))
    return Block(block.external[:, :1], tuple(wires), block.thresholds - 2 * step * block.external[:, 1])
