"""A sentence as a file of statements, one on each line: where the definitions of each entry stand, without reading them.

Only names, kinds and numbers of parameters are taken from the lines. They are kept in arrays for each entry of a family; so what
a definition may use is known before any of them is parsed, and any group of definitions can be read by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from circuits.entries import Entry, InputBits
from circuits.family import Family
from logic.syntax import TRUE, Definition, Sum

Integers = np.ndarray[Any, np.dtype[np.int64]]

LARGEST = 1 << 19

_NAME = rb"[A-Za-z_][A-Za-z0-9_]*(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)|\[[0-9]+\])*"
_HEAD = re.compile(rb"(let|sum) (" + _NAME + rb")(\([A-Za-z0-9_, ]*\))? := ")
_QUOTED = re.compile(rb"'(?:[^'\\\n]|\\['\\n])*'")
_ELEMENT = re.compile(r"(.*)\[(0|[1-9][0-9]*)\]([^\[\]]*)")


class Irregular(Exception):
    """A text that is not one statement on each line; it may be a sentence all the same."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive lines, at some bytes of the file: definitions of elements of one entry, or (without name) others."""

    entry: str
    start: int
    end: int
    elements: Integers


@dataclass(slots=True)
class Known:
    """What stands in a sentence about one entry: for each element its chunk (-1: no definition), kind and arity."""

    entry: Entry
    chunk: Integers
    is_sum: Integers
    arity: Integers


@dataclass
class Index:
    """The statements of a file: header, chunks of definitions, and where the last formula starts.

    `others` are the definitions of names that the family does not have: chunk, whether a sum, number of parameters.
    """

    header: str = ""
    chunks: list[Chunk] = field(default_factory=list)
    last: int = 0
    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    others: dict[str, tuple[int, bool, int]] = field(default_factory=dict)

    def place(self, name: str) -> tuple[Known, int] | None:
        """The entry and the element that a name belongs to."""
        found = _ELEMENT.fullmatch(name)
        known = self.known.get((found[1], found[3])) if found else None
        if found is None or known is None or int(found[2]) >= len(known.chunk):
            return None
        return known, int(found[2])

    def declared(self, name: str, before: int) -> tuple[bool, int] | None:
        """Whether a name is a sum, and its number of parameters, if a chunk before a given one defines it."""
        at = self.place(name)
        if at is None:
            chunk, is_sum, arity = self.others.get(name, (-1, False, 0))
        else:
            known, element = at
            chunk, is_sum, arity = int(known.chunk[element]), bool(known.is_sum[element]), int(known.arity[element])
        return (is_sum, arity) if 0 <= chunk < before else None

    def stub(self, name: str, before: int) -> Definition | None:
        """A definition with the kind and the arity of a name, for what uses it."""
        found = self.declared(name, before)
        if found is None:
            return None
        is_sum, arity = found
        return Definition(name, tuple(f"p{place}" for place in range(arity)), Sum((), 0, 0) if is_sum else TRUE)


def index_of(path: Path, family: Family) -> Index:
    """Read where the statements of a file are.

    Raises:
        Irregular: a line is more or less than one statement, or something is defined twice.
        OSError: the file cannot be read.
    """
    index = Index()
    for entry in family.entries:
        if not isinstance(entry, InputBits):
            none = np.full(entry.size, -1)
            rest = entry.name[len(entry.base) :]
            if "[" in rest or (entry.base, rest) in index.known:
                raise Irregular("two entries may share names")
            index.known[entry.base, rest] = Known(entry, none, none.copy(), none.copy())
    header: list[str] = []
    start, name, elements = 0, "", list[int]()
    offset = 0

    def close() -> None:
        nonlocal elements, start
        if elements:
            index.chunks.append(Chunk(name, start, offset, np.array(elements)))
        elements, start = [], offset

    with path.open("rb") as file:
        for line in file:
            head = _HEAD.match(line)
            if head is None:
                if line.startswith((b"letters ", b"propositions ")) and not index.chunks and not elements:
                    require_one(line)
                    header.append(line.decode())
                    start = offset + len(line)
                elif not line.startswith(b"--") and line.strip():
                    break
                offset += len(line)
                continue
            require_one(line)
            defined = head[2].decode()
            at = index.place(defined)
            own = "" if at is None else at[0].entry.name
            if own != name or offset - start >= LARGEST:
                close()
                name = own
            arity = head[3].count(b",") + (len(head[3]) > 2) if head[3] else 0
            if at is None:
                if defined in index.others:
                    raise Irregular(f"{defined} is defined twice")
                index.others[defined] = (len(index.chunks), head[1] == b"sum", arity)
                elements.append(-1)
            else:
                known, element = at
                if known.chunk[element] >= 0:
                    raise Irregular(f"{defined} is defined twice")
                known.chunk[element], known.is_sum[element] = len(index.chunks), head[1] == b"sum"
                known.arity[element] = arity
                elements.append(element)
            offset += len(line)
        close()
    index.header, index.last = "".join(header), offset
    return index


def require_one(line: bytes) -> None:
    """Require one whole statement, without a comment in it."""
    plain = _QUOTED.sub(b"", line) if b"'" in line else line
    if not plain.endswith(b";\n") or plain.count(b";") != 1 or b"--" in plain or b"//" in plain:
        raise Irregular("a line is not one statement")
