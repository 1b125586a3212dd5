"""What a replay relies on and what it found wrong: obligations for solvers, lemmas for Coq, steps, and rejections."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class Rejected(Exception):
    """Something that a certificate claims and that does not hold up: where, and what is wrong."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


def require(condition: object, where: str, what: str) -> None:
    """Reject unless a condition holds.

    Raises:
        Rejected: it does not.
    """
    if not condition:
        raise Rejected(where, what)


@contextmanager
def at_place(where: str) -> Iterator[None]:
    """Name the place of rejections that have none."""
    try:
        yield
    except Rejected as error:
        raise Rejected(error.where or where, error.what) from None


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(slots=True)
class Record:
    """The files that a replay relies on, by name and with their whole text, and what it counted.

    `obligations` are SMT-LIB scripts that must be unsatisfiable, `lemmas` Coq files that must compile.
    """

    obligations: dict[str, str] = field(default_factory=dict)
    lemmas: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def obligation(self, text: str) -> str:
        """Rely on an SMT-LIB script; its name."""
        name = f"{sha256(text.encode())[:32]}.smt2"
        self.obligations[name] = text
        return name

    def lemma(self, name: str, text: str) -> str:
        """Rely on a Coq file; its name."""
        self.lemmas[name] = text
        return name

    def count(self, what: str, number: int = 1) -> None:
        """Count what was replayed."""
        self.counts[what] = self.counts.get(what, 0) + number


Step = dict[str, Any]
"""What covers one node or entry: its name, the method, and the lemmas, obligations and digests it needs; ready for JSON."""
