"""Tables of integers as lines of text, written in large pieces and read by arrays, for files of millions of lines."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from circuits.diagnostics import FomError, fail

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

CHUNK_ROWS = 1 << 15
MOST_DIGITS = 18
NEWLINE, SPACE, ZERO, NINE = 10, 32, 48, 57


def write_rows(out: BinaryIO, pattern: str, table: Integers) -> None:
    """Write one line for each row, by a pattern with one ``%d`` or ``%c`` for each column."""
    for start in range(0, len(table), CHUNK_ROWS):
        part = table[start : start + CHUNK_ROWS]
        out.write((pattern * len(part) % tuple(part.ravel().tolist())).encode())


class Lines:
    """The lines of a file, one after the other, and where they are."""

    def __init__(self, data: bytes, source: str, format_name: str, start: int = 0, line: int = 1) -> None:
        self.data, self.source, self.format_name = data, source, format_name
        self.at, self.line = start, line

    def error(self, why: str, line: int | None = None, *, code: str = "C090", note: str = "") -> FomError:
        """A diagnostic for a line, by default the next one."""
        number = self.line if line is None else line
        where = f"{self.source}: line {number}" if self.source else f"line {number}"
        return fail(code, f"{self.format_name}: {why}", where=where, note=note)

    def next(self, what: str) -> str:
        """Read one line.

        Raises:
            FomError: the file ends, or the line is no text.
        """
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise self.error(f"the file ends where {what} should stand")
        try:
            found = self.data[self.at : end].decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(f"{what} should stand here, and this is no UTF-8") from None
        self.at, self.line = end + 1, self.line + 1
        return found

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.data)

    def table(self, rows: int, columns: int, what: str) -> Integers:
        """Read lines of `columns` natural numbers each, with one blank between them.

        Raises:
            FomError: naming the first line that is none.
        """
        body = np.frombuffer(self.data, dtype=np.uint8, offset=self.at)
        ends = first_newlines(body, rows)
        if len(ends) < rows:
            raise self.error(f"the file ends after {len(ends)} of {rows} lines with {what}", self.line + len(ends))
        used = body[: ends[-1] + 1] if rows else body[:0]
        separator = (used == NEWLINE) | (used == SPACE)
        odd = ~separator & ((used < ZERO) | (used > NINE))
        empty = separator & np.concatenate([[True], separator[:-1]]) if rows else separator
        blanks = np.diff(np.cumsum(used == SPACE, dtype=np.int64)[ends], prepend=0)
        stops = np.flatnonzero(separator)
        long_ = np.zeros(len(used), dtype=bool)
        long_[stops] = np.diff(stops, prepend=-1) > MOST_DIGITS + 1
        line_of_odd = np.searchsorted(ends, np.flatnonzero(odd | empty | long_)[:1])
        bad = np.concatenate([line_of_odd, np.flatnonzero(blanks != columns - 1)[:1]])
        if len(bad):
            first = int(bad.min())
            begin = 0 if first == 0 else int(ends[first - 1]) + 1
            found = used[begin : ends[first]].tobytes()[:60].decode("utf-8", "replace")
            numbers = "one number" if columns == 1 else f"{columns} numbers with one blank between them"
            raise self.error(f"{what} is {numbers}, not `{found}`", self.line + first)
        values = np.fromstring(used.tobytes(), dtype=np.int64, sep=" ") if rows else np.zeros(0, dtype=np.int64)
        self.at, self.line = self.at + len(used), self.line + rows
        return values.reshape(rows, columns)


def first_newlines(body: Bytes, count: int) -> Integers:
    """Where the first `count` lines end, or all if there are fewer; only as much is looked at as is needed."""
    window = 64 * (count + 1)
    while True:
        ends: Integers = np.flatnonzero(body[:window] == NEWLINE)
        if len(ends) >= count or window >= len(body):
            return ends[:count].astype(np.int64)
        window *= 4
