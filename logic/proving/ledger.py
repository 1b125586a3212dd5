"""The ledger: what was proved before, in a file to which lines are only appended.

One line of JSON stands for one obligation: the digest of what it says and of the prover (`logic.proving.digests`), and the
lemmas that prove it. An obligation is looked up by the digest of what *would be proved now*; a line with another digest is never
used, so a changed network, family, sentence or prover is proved anew. Each line is written at once, with a digest of itself: a
line that was cut short or edited is passed over. What stayed open is not written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circuits.diagnostics import fail
from logic.proving.digests import digest
from logic.verdicts import Lemma

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Step:
    """Lemmas that a proof takes at one place.

    Attributes:
        key: empty, or the digest of an obligation that several places share, whose lemmas are listed once.
        covers: the elements of this place of which a shared obligation speaks.
    """

    lemmas: tuple[Lemma, ...]
    key: str = ""
    covers: int = 0


def data_of_steps(steps: tuple[Step, ...]) -> list[Any]:
    """Steps as JSON data."""
    return [
        [step.key, step.covers, [[one.statement, one.method, one.covers, one.seconds] for one in step.lemmas]]
        for step in steps
    ]


def steps_of_data(data: Any) -> tuple[Step, ...]:
    """Read what `data_of_steps` wrote.

    Raises:
        ValueError or TypeError: it is something else.
    """
    steps = []
    for key, covers, lemmas in data:
        read = tuple(Lemma(str(what), str(how), int(count), float(spent)) for what, how, count, spent in lemmas)
        steps.append(Step(read, str(key), int(covers)))
    return tuple(steps)


class Ledger:
    """Proofs by the digests of their obligations, kept in a file.

    Attributes:
        known: the proofs, by digest.
        asked: how many contracts of nodes and chunks of definitions were looked up.
        reused: how many of them were found.
    """

    def __init__(self, path: Path | None = None, fresh: bool = False) -> None:
        """Open a ledger.

        Args:
            path: the file, made when the first proof is written; None keeps everything in memory.
            fresh: whether to use nothing of what the file holds; new proofs are appended all the same.

        Raises:
            FomError: the file cannot be read.
        """
        self.path = path
        self.known: dict[str, tuple[Step, ...]] = {}
        self.asked = self.reused = 0
        self.torn = False
        if path is not None and path.exists():
            try:
                text = path.read_bytes()
            except OSError as error:
                raise fail(
                    "L091",
                    f"the ledger cannot be read: {error.strerror}",
                    where=str(path),
                    help="name a file of your own",
                ) from None
            self.torn = bool(text) and not text.endswith(b"\n")
            if not fresh:
                self.known.update(lines_of(text))

    def find(self, key: str) -> tuple[Step, ...] | None:
        """What proves an obligation, if it was proved before."""
        self.asked += 1
        found = self.known.get(key)
        self.reused += found is not None
        return found

    def put(self, key: str, steps: tuple[Step, ...]) -> None:
        """Append a proof.

        Raises:
            FomError: the file cannot be written.
        """
        self.known[key] = steps
        if self.path is None:
            return
        data = [FORMAT, key, data_of_steps(steps)]
        line = json.dumps([*data, seal(data)], ensure_ascii=False, separators=(",", ":")) + "\n"
        try:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, b"\n" * self.torn + line.encode())
            finally:
                os.close(file)
        except OSError as error:
            raise fail(
                "L091", f"the ledger cannot be written: {error.strerror}", where=str(self.path),
                help="name a file in a folder that exists and can be written",
            ) from None  # fmt: skip
        self.torn = False

    @property
    def summary(self) -> str:
        """How much was found, in words."""
        return f"{self.reused:,} of {self.asked:,} obligations from the ledger"


def seal(data: list[Any]) -> str:
    """The digest of a line."""
    return digest(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def lines_of(text: bytes) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The proofs in a ledger; lines that are damaged or of another format are passed over."""
    for line in text.split(b"\n"):
        try:
            *data, found = json.loads(line)
            if data[0] == FORMAT and found == seal(data):
                yield str(data[1]), steps_of_data(data[2])
        except (ValueError, TypeError, IndexError, KeyError):
            continue
