"""Words that are found by comparisons: digit by digit, by a table, as a quotient, as a maximum.

The checker says itself what the comparisons of each digit must add up to, as matrices, and compares. It knows one shape, that of
the construction; a family of another shape is rejected, however right it is. Names such as ``v.ge2`` are hints where to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.entries import Accumulator, Gates
from circuits.formats import BIT, Format
from circuits.matrices import matrix, selection
from circuits.network import Maximum, Quotient, Round, Table, Word
from logic.checker.forms import ONE, Reader, Sums, bits_of, own, product
from logic.checker.record import Record, Rejected, Step, require, sha256
from logic.checker.statements import WORDS, Law, quotient_law, rounding_law, table_integers, table_words, words_lemmas

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_BREAKS_STATED = 16


def gates_of(reader: Reader, name: str, size: int) -> Gates:
    """A template of that many gates."""
    entry = reader.entry(name)
    if not isinstance(entry, Gates) or entry.size != size:
        raise Rejected(f"`{name}`", f"it is no template of {size} gates")
    return entry


def require_gates(reader: Reader, name: str, wanted: Sums, thresholds: Integers) -> None:
    """Require that the gates of an entry compare given sums with given thresholds."""
    entry, found = gates_of(reader, name, wanted.size), reader.sums(name)
    found.without_constants().require_equal(wanted.without_constants())
    bound = 2.0**61
    for numbers in (entry.thresholds, found.constants(), thresholds, wanted.constants()):
        require(np.abs(numbers.astype(np.float64)).max(initial=0.0) < bound, f"`{name}`", "thresholds beyond 61 bits")
    given = entry.thresholds - found.constants()
    wrong = np.flatnonzero(given != thresholds - wanted.constants())
    if len(wrong):
        raise Rejected(
            f"`{name}` element {wrong[0]}", f"the threshold is {given[wrong[0]]}, not {thresholds[wrong[0]]}"
        )


def thermometer_of(reader: Reader, node: Word, bit: str) -> str | None:
    """The comparisons that a bit is a sum of, if it is one."""
    sources = [source for source, _, _ in reader.sums(bit).parts if source != ONE]
    if len(sources) == 1 and re.fullmatch(re.escape(node.name) + r"\.ge\d*", sources[0]):
        return sources[0] if reader.helper(sources[0], Gates) else None
    return None


def spelled_weights(reader: Reader, node: Word, bit: str, source: str | None, places: int) -> tuple[Integers, Integers]:
    """The weights of an element's own comparisons in each bit gate, shape (size, places), and the thresholds."""
    entry, sums = gates_of(reader, bit, node.size), reader.sums(bit).without_constants()
    thresholds = entry.thresholds - reader.sums(bit).constants()
    weights = np.zeros((node.size, places), dtype=np.int64)
    if source is None:
        require(not sums.parts, f"`{bit}`", "it reads something that is no comparison")
        return weights, thresholds
    atom = (source, own(node.n_positions), None)
    require(places, f"`{bit}`", "there is nothing to compare")
    require(set(sums.parts) == {atom}, f"`{bit}`", "it does not read the comparisons at its own positions")
    coo = sums.parts[atom].tocoo()
    rows, columns = coo.coords
    require((columns // places == rows).all(), f"`{bit}`", "it reads comparisons of another element")
    require(np.abs(coo.data.astype(np.float64)).sum() < 2.0**61, f"`{bit}`", "its weights need more than 61 bits")
    weights[rows, columns % places] = coo.data
    return weights, thresholds


def require_spelled(bit: str, weights: Integers, thresholds: Integers, expected: Integers) -> None:
    """Require the value of a bit for every number of comparisons that hold: all are tried."""
    sums = np.concatenate([np.zeros((len(weights), 1), dtype=np.int64), np.cumsum(weights, axis=1)], axis=1)
    wrong = np.argwhere((sums >= thresholds[:, None]) != (expected == 1))
    if len(wrong):
        raise Rejected(f"`{bit}` element {wrong[0][0]}", f"it is wrong when {wrong[0][1]} comparisons hold")


def digits_of(reader: Reader, node: Round | Quotient | Maximum) -> Iterator[tuple[int, int, str]]:
    """The digits of a word, highest first: the lowest bit, the width, and the entry of its comparisons.

    The bits of a digit are right whenever its comparisons are: digit number m holds as many comparisons as it is.
    """
    bits = bits_of(node.name, node.format)
    high = len(bits)
    while high:
        source = thermometer_of(reader, node, bits[high - 1])
        low = high - 1
        while source is not None and low and thermometer_of(reader, node, bits[low - 1]) == source:
            low -= 1
        if source is not None:
            width = high - low
            places = (1 << width) - 1
            gates_of(reader, source, node.size * places)
            for bit in range(low, high):
                weights, thresholds = spelled_weights(reader, node, bits[bit], source, places)
                require_spelled(bits[bit], weights, thresholds, np.arange(places + 1) >> (bit - low) & 1)
        yield low, high - low, bits[low] if source is None else source
        high = low


def claimed(reader: Reader, node: Word, sums: Sums, rows: Integers, low: int, factor: int) -> None:
    """Add ``factor * 2**k`` times every own bit k from `low` on; `rows` has the element of each gate."""
    for bit, name in enumerate(bits_of(node.name, node.format)):
        if bit >= low:
            require(abs(factor) << bit < 1 << 62, "", "its weights need more than 62 bits")
            sums.add((name, own(node.n_positions), None), selection(rows, node.size, factor << bit))


def lines(law: Law, codes: Integers) -> Integers:
    """``slope * code + const``, within 62 bits."""
    require(all(abs(law.slope * int(c) + law.const) < 1 << 61 for c in codes[[0, -1]]), "", "thresholds beyond 61 bits")
    return law.slope * codes + law.const


def relied(record: Record, law: Law) -> Step:
    """The files of a law."""
    return {
        "lemmas": [record.lemma(law.coq_name(), law.coq()), record.lemma(WORDS, words_lemmas())],
        "obligations": [record.obligation(law.smt())],
    }


def check_round(reader: Reader, record: Record, node: Round) -> Step:
    """Replay a rounding: each digit compares ``scale * S`` less what the bits above claim with the law's thresholds."""
    law, size = rounding_law(node.shift), node.size
    for low, width, entry in digits_of(reader, node):
        places = (1 << width) - 1
        codes = node.format.lo + (np.arange(1, places + 1, dtype=np.int64) << low)
        rows = np.repeat(np.arange(size), places)
        source = reader.network.by_name[node.operand.node]
        wanted = reader.value(node.operand, selection(rows, source.size, law.scale))
        claimed(reader, node, wanted, rows, low + width, -law.slope)
        require_gates(reader, entry, wanted, np.tile(lines(law, codes) + law.odd * (codes % 2), size))
        record.count("gates", size * places)
    return {"by": "digits", **relied(record, law)}


def check_table(reader: Reader, record: Record, node: Table) -> Step:
    """Replay a table by trying every interval between its breaks."""
    offsets, breaks = node.codes - node.format.lo, len(node.breaks)
    bits = bits_of(node.name, node.format)
    sources = {thermometer_of(reader, node, bit) for bit in bits}
    used = sources - {None}
    require(len(used) <= 1, "", "its bits read several thermometers")
    comparisons = next(iter(used), None)
    direct = not used and breaks == 1 and node.format == BIT and bool(reader.sums(node.name).without_constants().parts)
    patterns: list[tuple[Integers, Integers]] = []
    if direct:
        comparisons = node.name
        require(offsets.tolist() == [0, 1], "", "a comparison is no table of these codes")
        patterns.append((np.ones((node.size, 1), dtype=np.int64), np.ones(node.size, dtype=np.int64)))
    else:
        for bit, name in enumerate(bits):
            weights, thresholds = spelled_weights(reader, node, name, thermometer_of(reader, node, name), breaks)
            require_spelled(name, weights, thresholds, offsets >> bit & 1)
            patterns.append((weights, thresholds))
    if comparisons is not None:
        rows = np.repeat(np.arange(node.size), breaks)
        source = reader.network.by_name[node.operand.node]
        wanted = reader.value(node.operand, selection(rows, source.size))
        require_gates(reader, comparisons, wanted, np.tile(node.breaks, node.size))
    record.count("gates", node.size * (breaks + len(bits)))
    record.count("cases", node.size * (breaks + 1))
    found: Step = {"by": "enumeration", "table": table_digest(node.breaks, node.codes, node.format), "obligations": []}
    if breaks <= MOST_BREAKS_STATED:
        joined = np.concatenate([np.column_stack(pattern) for pattern in patterns], axis=1)
        for row in np.unique(joined, axis=0).tolist():
            cut = [row[place : place + breaks + 1] for place in range(0, len(row), breaks + 1)]
            spelled = [(part[:-1], part[-1]) for part in cut]
            for stated in (table_integers, table_words):
                found["obligations"].append(record.obligation(stated(node.breaks.tolist(), offsets.tolist(), spelled)))
    return found


def table_digest(breaks: Integers, codes: Integers, format_: Format) -> str:
    """SHA-256 over the breaks and codes of a table and the format of its codes."""
    parts = (breaks.astype("<i8").tobytes(), codes.astype("<i8").tobytes(), str(format_).encode())
    return sha256(b"".join(sha256(part).encode() for part in parts))


def check_quotient(reader: Reader, record: Record, node: Quotient) -> Step:
    """Replay a quotient: comparisons of N with multiples of D and of each bit found already times D."""
    law, size = quotient_law(node.shift), node.size
    places_of_own = own(node.n_positions)
    num, den = (reader.network.by_name[ref.node].size for ref in (node.num, node.den))
    checked: set[int] = set()
    for low, width, entry in digits_of(reader, node):
        places = (1 << width) - 1
        codes = node.format.lo + (np.arange(1, places + 1, dtype=np.int64) << low)
        rows = np.repeat(np.arange(size), places)
        wanted = reader.value(node.num, selection(rows, num, law.scale))
        multiples = matrix(
            np.arange(len(rows)), node.den_index[rows], -np.tile(lines(law, codes), size), (len(rows), den)
        )
        wanted.add_all(reader.value(node.den, multiples))
        for bit in range(low + width, node.format.bits):
            name = f"{node.name}.den{bit}"
            if bit not in checked:
                check_bit_times(reader, node, name, bit)
                checked.add(bit)
            require(law.slope << bit < 1 << 62, "", "its weights need more than 62 bits")
            wanted.add((name, places_of_own, None), selection(rows, size, -law.slope << bit))
        require_gates(reader, entry, wanted, np.tile(law.odd * (codes % 2), size))
        record.count("gates", size * places)
    return {"by": "digits", **relied(record, law)}


def check_bit_times(reader: Reader, node: Quotient, name: str, bit: int) -> None:
    """Require that an accumulator is a bit of each element times its denominator: every bit of D, ANDed with that bit."""
    entry = reader.entry(name)
    require(reader.helper(name, Accumulator), f"`{name}`", "it is no helper sum")
    require((entry.size, entry.n_positions) == (node.size, node.n_positions), f"`{name}`", "its size is another")
    mine, k = bits_of(node.name, node.format)[bit], node.n_positions
    found = Sums(node.size)
    for (source, at, guard), weights in reader.sums(name).parts.items():
        rows, columns = weights.tocoo().coords
        if source == mine and at == own(k):
            require((rows == columns).all(), f"`{name}`", "it reads the bit of another element")
            found.add((ONE, (), guard), matrix(rows, np.zeros_like(rows), weights.tocoo().data, (node.size, 1)))
            continue
        require(reader.helper(source, Gates) and reader.safe(at), f"`{name}`", f"it reads `{source or '1'}`")
        inner = reader.sums(source)
        gates = gates_of(reader, source, inner.size)
        moved = [(atom, tuple(t.substitute(at) for t in atom[1]), part) for atom, part in inner.parts.items()]
        own_bit = [part for atom, places, part in moved if atom[0] == mine and places == own(k) and atom[2] is None]
        require(len(own_bit) == 1, f"`{source}`", "its gates do not read that bit")
        total = sum((np.asarray(part.sum(axis=1)).ravel() for part in inner.parts.values()), np.zeros(inner.size))
        ones = all((part.data == 1).all() for part in inner.parts.values())
        is_and = ones and (total == 2).all() and (gates.thresholds == 2).all()
        require(is_and, f"`{source}`", "its gates are no ANDs of two bits")
        reads = own_bit[0].tocsr()
        require((np.diff(reads.indptr) == 1).all(), f"`{source}`", "its gates do not read that bit once")
        require((reads.indices[columns] == rows).all(), f"`{name}`", "it reads ANDs with the bit of another element")
        for (other, _, inner_guard), places, part in moved:
            if part is not own_bit[0]:
                require(inner_guard is None, f"`{source}`", "its gates sum over positions")
                reader.put(found, other, places, guard, product(weights, part))
    source_node = reader.network.by_name[node.den.node]
    chosen = selection(node.den_index, source_node.size)
    require(reader.safe(node.den.at), "", "the denominator is read outside the word")
    wanted = Sums(node.size)
    if reader.is_accumulator(source_node.name):
        reader.flat(source_node.name)
        reader.put_flat(wanted, k, source_node.name, node.den.at, None, chosen)
    else:
        wanted = reader.value(node.den, chosen)
    try:
        found.require_equal(wanted)
    except Rejected as error:
        raise Rejected(f"`{name}`", f"it is not bit {bit} times the denominator: {error.what}") from None


def check_maximum(reader: Reader, record: Record, node: Maximum) -> Step:
    """Replay a maximum: each digit has an OR over all candidates, whose gates compare the candidate's upper digits.

    A candidate's gate asks whether its offset, divided by ``2**low`` and rounded down, reaches a number. That is monotone, so one
    of them does if and only if the largest does.
    """
    k, size = node.n_positions, node.size
    sources = [(node.operand, node.groups, reader.guard(node.guard, k)), *((r, g, None) for r, g in node.segments)]
    for ref, _, _ in sources:
        word = reader.network.word(ref.node)
        require(word.format == node.format, "", f"the candidates `{ref.node}` have another format")
        require(node.format.lo == 0 or reader.safe(ref.at), "", f"a candidate `{ref.node}` is read outside the word")
    for low, width, entry in digits_of(reader, node):
        places = (1 << width) - 1
        ors = Sums(size * places)
        for number, (ref, groups, guard) in enumerate(sources):
            fan_in = groups.shape[1]
            row = np.arange(size * places * fan_in)
            element, place, member = row // (places * fan_in), row // fan_in % places, row % fan_in
            wanted = Sums(len(row))
            for bit in range(low, node.format.bits):
                name = bits_of(ref.node, node.format)[bit]
                read = selection(groups[element, member], reader.network.by_name[ref.node].size, 1 << bit - low)
                reader.put(wanted, name, ref.at, None, read)
                if bit >= low + width:
                    mine = bits_of(node.name, node.format)[bit]
                    wanted.add((mine, own(k), None), selection(element, size, -1 << bit - low))
            name = f"{entry}.any{number}"
            bound = k + (guard is not None)
            require(reader.entry(name).n_positions == bound, f"`{name}`", "it has other positions")
            require(reader.helper(name, Gates), f"`{name}`", "it is no helper")
            require_gates(reader, name, wanted, (place + 1).astype(np.int64))
            collected = matrix(element * places + place, row, 1, (size * places, len(row)))
            ors.add((name, own(bound), guard), collected)
            record.count("gates", len(row))
        require_gates(reader, entry, ors, np.ones(size * places, dtype=np.int64))
        record.count("gates", size * places)
    return {"by": "digits", "lemmas": [record.lemma(WORDS, words_lemmas())], "obligations": []}
