"""The description of a network that was compiled from a program: its letters, its size, its directions, its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.network import Network
from circuits.words import all_words
from logic.searching.programs_of_values import Integers
from logic.searching.programs_writer import Alphabet
from translator.explanations.residual import Direction, stream

MOST_WORDS = 20_000
HELP = "it has vocab, token_ids, bos_id, max_len_without_bos, residual_labels and output.decode"
NAME = "task.json"


@dataclass(frozen=True)
class Compiled:
    """What is known about a compiled network.

    Attributes:
        letters: those of the program, in its order; `tokens`: their numbers in the network; `start`: the number of BOS.
        longest: longest words of the program, without BOS.
        directions: of the residual stream.
        answers: what the classes of the network stand for; nothing for numbers.
        causal: whether no position attends to a later one.
    """

    letters: tuple[str, ...]
    tokens: tuple[int, ...]
    start: int
    longest: int
    directions: tuple[Direction, ...]
    answers: tuple[str, ...]
    causal: bool = False

    def words(self) -> list[Integers]:
        """All words of the program, by length, as numbers of its letters: as many lengths as are not too many words."""
        found: list[Integers] = []
        total = 0
        for n in range(1, self.longest + 1):
            total += len(self.letters) ** n
            if found and total > MOST_WORDS:
                break
            found.append(np.concatenate(list(all_words(len(self.letters), n))))
        return found

    def every_word(self, most: int) -> Iterator[Integers]:
        """All words of the program in batches of one length: of all lengths, or of as many as are not more words than `most`."""
        total = 0
        for n in range(1, self.longest + 1):
            total += len(self.letters) ** n
            if n > 1 and total > most:
                return
            yield from all_words(len(self.letters), n)

    def fed(self, words: Integers) -> Integers:
        """Words of the program as the network reads them."""
        start = np.full((len(words), 1), self.start, dtype=np.int64)
        return np.concatenate([start, np.array(self.tokens, dtype=np.int64)[words]], axis=1)

    def alphabet(self, network: Network) -> Alphabet:
        """How words of the program stand in words of the network."""
        return Alphabet(network.alphabet, tuple(network.alphabet[token] for token in self.tokens), 1)


def read_compiled(path: Path) -> Compiled:
    """Read the JSON file that describes a compiled network.

    Raises:
        FomError: something is missing in it, or two parts of it contradict each other (T120).
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        letters = tuple(str(one) for one in data["vocab"])
        numbers = {str(name): int(number) for name, number in data["token_ids"].items()}
        labels = data["residual_labels"]
        if isinstance(labels, str):
            raise TypeError("residual_labels is a text")
        found = Compiled(
            letters,
            tuple(numbers[letter] for letter in letters),
            int(data["bos_id"]),
            int(data["max_len_without_bos"]),
            tuple(Direction(str(name), place) for place, name in enumerate(labels)),
            tuple(str(one) for one in data["output"]["decode"] or ()),
            bool(data.get("causal", False)),
        )
    except OSError as error:
        raise fail(
            "T120", f"the description cannot be read: {error.strerror}", where=str(path), help="check the path"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise fail(
            "T120", f"the description of a compiled network is not complete: {error!r}", where=str(path), help=HELP
        ) from None
    names = [one.name for one in found.directions]
    contradictions = {
        "it has no letters": not letters,
        "vocab names a letter twice": len(set(letters)) < len(letters),
        "two letters have the same number in token_ids": len(set(found.tokens)) < len(letters),
        f"the number {found.start} of BOS is that of a letter": found.start in found.tokens,
        f"the longest words have length {found.longest}": found.longest < 1,
        "residual_labels is empty": not names,
        "residual_labels names a direction twice": len(set(names)) < len(names),
        "two classes of output.decode have one name": len(set(found.answers)) < len(found.answers),
    }
    for what, holds in contradictions.items():
        if holds:
            raise fail(
                "T120", f"the description of a compiled network contradicts itself: {what}", where=str(path), help=HELP
            )
    return found


def require_fit(network: Network, compiled: Compiled) -> None:
    """Check that a description is one of this network.

    Raises:
        FomError: it has other letters, lengths, directions or answers than the network (T122).
    """
    size, readout = len(network.alphabet), network.decided
    if network.inputs or readout.n_positions != 1:
        raise mismatch("the network does not read words and answer at every position, as a compiled one does")
    numbers = [*compiled.tokens, compiled.start]
    beyond = [number for number in numbers if not 0 <= number < size]
    if beyond:
        raise mismatch(
            f"token_ids or bos_id has the number {beyond[0]}, the network reads {size} letters (0 to {size - 1})"
        )
    longest = network.domain.most
    if longest is not None and longest < compiled.longest + 1:
        raise mismatch(f"words of length {compiled.longest} are {compiled.longest + 1} letters with BOS, "
                       f"the network reads at most {longest}")  # fmt: skip
    wide = network.by_name[stream(network, len(compiled.directions))[-1]].size
    if wide != len(compiled.directions):
        raise mismatch(
            f"residual_labels has {len(compiled.directions)} names, the residual stream of the network {wide} elements"
        )
    if readout.kind == "value":
        if compiled.answers:
            raise mismatch("output.decode names classes, the network answers with numbers")
        return
    classes = {1, 2} if readout.kind == "logit" else {readout.n_classes}
    if compiled.answers and len(compiled.answers) not in classes:
        raise mismatch(f"output.decode names {len(compiled.answers)} classes, the network decides {readout.n_classes}")


def mismatch(what: str) -> Exception:
    """The error for a description that is not one of the network."""
    return fail(
        "T122", f"the description does not fit the network: {what}", help="give the description of this network"
    )


def description_beside(model: Path) -> Path | None:
    """The file beside a model that describes it as a compiled network, if there is one."""
    path = model.parent / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return path if isinstance(data, dict) and "residual_labels" in data else None
