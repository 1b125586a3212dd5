"""Reading BLIF: one combinational model of ``.names``, in any order, with cubes for 1 or for 0.

Every cube becomes a tree of ANDs, and every table the disjunction of its cubes; all are built at the same time. Signals
that are copies of others vanish. Latches, gates of a library and further models are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.aig import Aig, spans
from circuits.diagnostics import FomError, fail
from circuits.exchange.ordering import order_gates
from circuits.exchange.ports import Ports

Integers = np.ndarray[Any, np.dtype[np.int64]]
Strings = np.ndarray[Any, np.dtype[np.bytes_]]

TRUE = 1
BLANK, NEWLINE, HASH, SLASH, DOT, DASH, ZERO, ONE = (ord(char) for char in " \n#\\.-01")
KEYWORDS = (b".model", b".inputs", b".outputs", b".names", b".end")


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The words of a file: where in `data` each begins and ends, its line with continuations joined, and its line number."""

    data: Any
    start: Integers
    end: Integers
    line: Integers
    number: Integers
    source: str

    def texts(self, chosen: Integers) -> Strings:
        """Some of the words, as an array of bytes."""
        lengths = self.end[chosen] - self.start[chosen]
        widest = max(1, int(lengths.max(initial=0)))
        result = np.zeros((len(chosen), widest), dtype=np.uint8)
        for column in range(widest):
            present = np.flatnonzero(lengths > column)
            result[present, column] = self.data[self.start[chosen[present]] + column]
        return result.view(f"S{widest}").ravel()

    def text(self, token: int) -> str:
        """One word."""
        return bytes(self.data[self.start[token] : self.end[token]]).decode("utf-8", "replace")

    def error(self, token: int, why: str, code: str = "C090") -> FomError:
        """A diagnostic for the line of a word; beyond the last word, for the end of the file."""
        where = f"line {self.number[token]}" if token < len(self.number) else "the end of the file"
        return fail(code, f"BLIF: {why}", where=f"{self.source}: {where}" if self.source else where)


def tokens_of(data: bytes, source: str) -> Tokens:
    r"""The words of a file without comments; a line that ends in ``\`` goes on in the next."""
    text = np.frombuffer(data, dtype=np.uint8).copy()
    places = np.arange(len(text))
    newline = text == NEWLINE
    number = 1 + np.cumsum(newline) - newline
    line_start = np.maximum.accumulate(np.where(np.concatenate([[True], newline[:-1]])[: len(text)], places, 0))
    last_hash = np.maximum.accumulate(np.where(text == HASH, places, -1))
    text[(last_hash >= line_start) & ~newline] = BLANK
    text[(text == ord("\r")) | (text == ord("\t"))] = BLANK
    solid = (text != BLANK) & ~newline
    breaks, solids = np.flatnonzero(newline), np.cumsum(solid)
    slashes = np.flatnonzero(text == SLASH)
    slashes = slashes[slashes < breaks.max(initial=-1)]
    following = breaks[np.searchsorted(breaks, slashes)]
    last = solids[following] == solids[slashes]
    joined = np.zeros(len(text), dtype=bool)
    joined[following[last]] = True
    solid[slashes[last]] = False
    line = np.cumsum(newline & ~joined)
    padded = np.concatenate([[False], solid, [False]])
    start, end = np.flatnonzero(~padded[:-1] & padded[1:]), np.flatnonzero(padded[:-1] & ~padded[1:])
    return Tokens(text, start, end, line[start], number[start], source)


def read_blif(data: bytes, source: str = "") -> tuple[Aig, Ports]:
    """Read a combinational model.

    Raises:
        FomError: the file is malformed, is no combinational model, or its tables depend on themselves.
    """
    tokens = tokens_of(data, source)
    first = np.flatnonzero(np.diff(tokens.line, prepend=-1))
    beyond = np.append(first[1:], len(tokens.line))
    directive = tokens.data[tokens.start[first]] == DOT
    keywords = tokens.texts(first[directive])
    require_model(tokens, first[directive], keywords)
    listed = {
        word: spans(first[directive][keywords == word] + 1, beyond[directive][keywords == word])
        for word in (b".inputs", b".outputs", b".names")
    }
    groups = [tokens.texts(chosen) for chosen in listed.values()]
    names, number = np.unique(np.concatenate(groups), return_inverse=True)
    inputs, outputs, signals = np.split(
        1 + number.ravel().astype(np.int64), np.cumsum([len(group) for group in groups])[:-1]
    )
    tables = np.flatnonzero(directive)[keywords == b".names"]
    width = beyond[tables] - first[tables] - 2
    if (width < 0).any():
        raise tokens.error(int(first[tables[np.argmin(width)]]), "`.names` names no signal")
    ends = np.cumsum(width + 1)
    built = Tables(tokens, signals, ends - width - 1, width, tables, first, beyond, directive)
    cubes = built.cubes()
    gates = Gates(len(names) + 1)
    of_cube = gates.conjunctions(cubes.row, cubes.literal, len(cubes.table), cubes.table)
    of_table = gates.conjunctions(cubes.table, of_cube ^ 1, len(tables), np.arange(len(tables)))
    meaning = of_table ^ cubes.on
    defined = signals[ends - 1] if len(ends) else signals[:0]
    left, right, owner = gates.joined()

    def name(variable: int) -> str:
        own = variable if variable <= len(names) else int(defined[owner[variable - len(names) - 1]])
        return f"`{names[own - 1].decode('utf-8', 'replace')}`"

    def complain(why: str) -> FomError:
        return fail("C090", f"BLIF: {why}", where=source)

    both = np.sort(np.concatenate([inputs, defined]))
    for twice in both[1:][both[1:] == both[:-1]][:1].tolist():
        raise complain(f"{name(twice)} is defined twice")
    stands_for = resolved(defined, meaning, gates.next_variable, name, complain)
    left, right, answers = (stands_for[literals >> 1] ^ (literals & 1) for literals in (left, right, 2 * outputs))
    own_variables = np.arange(len(names) + 1, gates.next_variable)
    aig = order_gates(inputs, own_variables, left, right, answers, name, complain)
    called = [[text.decode("utf-8", "replace") for text in names[chosen - 1].tolist()] for chosen in (inputs, outputs)]
    return aig, Ports(tuple(called[0]), tuple(called[1]))


def require_model(tokens: Tokens, places: Integers, keywords: Strings) -> None:
    """Refuse what is no single combinational model.

    Raises:
        FomError: naming the line.
    """
    for place in np.flatnonzero(~np.isin(keywords, KEYWORDS))[:1]:
        raise tokens.error(int(places[place]), f"`{tokens.text(places[place])}` has no place in a circuit", "C091")
    models, stops = np.flatnonzero(keywords == b".model"), np.flatnonzero(keywords == b".end")
    if len(models) > 1:
        raise tokens.error(int(places[models[1]]), "only one model is read", "C091")
    if not len(keywords) or not (keywords == b".outputs").any():
        raise tokens.error(len(tokens.line), "there are no `.outputs`")
    if len(stops) and places[stops[0]] + 1 != len(tokens.line):
        raise tokens.error(int(places[stops[0]]) + 1, "something stands after `.end`")


@dataclass(frozen=True, slots=True, eq=False)
class Cubes:
    """Cubes in the order of the file: `row` and `literal` are their literals, `on` says for each table whether it lists ones."""

    table: Integers
    row: Integers
    literal: Integers
    on: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The ``.names`` of a file: `signals` from `at` on are the inputs of each, `width` many, and then its own."""

    tokens: Tokens
    signals: Integers
    at: Integers
    width: Integers
    line: Integers
    first: Integers
    beyond: Integers
    directive: Any

    def cubes(self) -> Cubes:
        """The cubes of all tables.

        Raises:
            FomError: a line is no cube of its table, or a table lists both zeros and ones.
        """
        tokens = self.tokens
        lines = np.flatnonzero(~self.directive)
        table = np.searchsorted(self.line, lines) - 1
        under = np.maximum.accumulate(np.where(self.directive, np.arange(len(self.first)), -1))[lines]
        astray = np.flatnonzero(~np.isin(under, self.line))
        if len(astray):
            raise tokens.error(int(self.first[lines[astray[0]]]), "a cube stands under no `.names`")
        width = self.width[table]
        start, last = self.first[lines], self.beyond[lines] - 1
        plain = tokens.end[last] - tokens.start[last] == 1
        value = tokens.data[tokens.start[last]]
        fits = (last - start == (width > 0)) & plain & np.isin(value, [ZERO, ONE])
        fits &= (width == 0) | (tokens.end[start] - tokens.start[start] == width)
        row = np.repeat(np.arange(len(lines)), width)
        for place in np.flatnonzero(~fits)[:1]:
            raise self.no_cube(int(start[place]), int(width[place]))
        begin = tokens.start[start]
        char = tokens.data[spans(begin, begin + width)]
        for place in np.flatnonzero(~np.isin(char, [ZERO, ONE, DASH]))[:1]:
            raise self.no_cube(int(start[row[place]]), int(width[row[place]]))
        signal = self.signals[spans(self.at[table], self.at[table] + width)]
        kept = char != DASH
        on = np.ones(len(self.line), dtype=np.int64)
        on[table[::-1]] = value[::-1] == ONE
        for place in np.flatnonzero(on[table] != (value == ONE))[:1]:
            raise tokens.error(int(start[place]), "a table lists ones or zeros, not both")
        return Cubes(table, row[kept], 2 * signal[kept] + (char[kept] == ZERO), on)

    def no_cube(self, token: int, width: int) -> FomError:
        """A line that does not fit its table."""
        shape = f"{width} of `0`, `1`, `-`, a blank, and `0` or `1`" if width else "`0` or `1`"
        return self.tokens.error(token, f"a cube of this table is {shape}")


class Gates:
    """ANDs made so far, with the table that each belongs to; variables are numbered from `first` up."""

    def __init__(self, first: int) -> None:
        self.next_variable = first
        empty = np.zeros(0, dtype=np.int64)
        self.parts: list[tuple[Integers, Integers, Integers]] = [(empty, empty, empty)]

    def conjunctions(self, segment: Integers, literal: Integers, count: int, owner: Integers) -> Integers:
        """The conjunction of each segment of literals, as a balanced tree; true of an empty one. Segments are ordered."""
        while len(segment):
            starts = np.flatnonzero(np.diff(segment, prepend=-1))
            size = np.diff(starts, append=len(segment))
            if size.max() == 1:
                break
            rank = np.arange(len(segment)) - np.repeat(starts, size)
            paired = rank + 1 < np.repeat(size, size)
            head = np.flatnonzero(paired & (rank % 2 == 0))
            made = self.next_variable + np.arange(len(head))
            self.next_variable += len(head)
            self.parts.append((literal[head], literal[head + 1], owner[segment[head]]))
            literal = literal.copy()
            literal[head] = 2 * made
            segment, literal = segment[rank % 2 == 0], literal[rank % 2 == 0]
        result = np.full(count, TRUE, dtype=np.int64)
        result[segment] = literal
        return result

    def joined(self) -> tuple[Integers, Integers, Integers]:
        """Operands and owners of all ANDs."""
        left, right, owner = (np.concatenate([part[column] for part in self.parts]) for column in range(3))
        return left, right, owner


def resolved(defined: Integers, meaning: Integers, count: int, name: Any, complain: Any) -> Integers:
    """For every variable the literal that it stands for, through tables that are copies of other signals.

    Raises:
        FomError: copies form a cycle.
    """
    stands_for = 2 * np.arange(count)
    stands_for[defined] = meaning
    for _ in range(max(1, len(defined)).bit_length() + 1):
        stands_for = stands_for[stands_for >> 1] ^ (stands_for & 1)
    names_left = np.zeros(count, dtype=bool)
    names_left[defined] = True
    for variable in np.flatnonzero(names_left[stands_for >> 1])[:1].tolist():
        raise complain(f"{name(variable)} depends on itself")
    return stands_for
