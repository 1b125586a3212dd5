"""Networks compiled from RASP programs: the program read back from the named directions of the residual stream.

A word of such a network begins with a letter that is no letter of the program (BOS); what the network answers there has no
meaning. Every named variable is decoded at all other positions, and explained by an expression over the variables that the
stream held before; the answer of the network is the last one. The program is then run by its interpreter on every word.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.evaluate import evaluate
from circuits.network import Network
from circuits.words import all_words
from logic.searching.programs_of_values import FoundProgram, Integers, Truth, Variable, find_program
from translator.explanations.residual import Decoded, Direction, decode, to_variable
from translator.store import read_text

MOST_WORDS = 20_000
POSITIONS = "indices"
WIDTH = "_selector_width_attn_output"


@dataclass(frozen=True)
class Compiled:
    """What is known about a compiled network.

    Attributes:
        letters: those of the program, in its order; `tokens`: their numbers in the network; `start`: the number of BOS.
        longest: longest words of the program, without BOS.
        directions: of the residual stream.
        answers: what the classes of the network stand for; nothing for numbers.
    """

    letters: tuple[str, ...]
    tokens: tuple[int, ...]
    start: int
    longest: int
    directions: tuple[Direction, ...]
    answers: tuple[str, ...]

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

    def fed(self, words: Integers) -> Integers:
        """Words of the program as the network reads them."""
        start = np.full((len(words), 1), self.start, dtype=np.int64)
        return np.concatenate([start, np.array(self.tokens, dtype=np.int64)[words]], axis=1)


@dataclass(frozen=True)
class Decompiled:
    """What was read back: the variables, and the program found for the answer."""

    variables: tuple[Decoded, ...]
    found: FoundProgram
    words: tuple[Integers, ...]

    @property
    def scope(self) -> str:
        """The words, in words."""
        lengths = [batch.shape[1] for batch in self.words]
        total = sum(len(batch) for batch in self.words)
        return f"{total:,} words of length {min(lengths)} to {max(lengths)}, {self.found.places:,} positions"


def read_compiled(path: Path) -> Compiled:
    """Read the JSON file that describes a compiled network.

    Raises:
        FomError: something is missing in it (T120).
    """
    try:
        data: dict[str, Any] = json.loads(read_text(path))
        letters = tuple(str(one) for one in data["vocab"])
        numbers = {str(name): int(number) for name, number in data["token_ids"].items()}
        decode_ = data["output"]["decode"]
        return Compiled(
            letters,
            tuple(numbers[letter] for letter in letters),
            int(data["bos_id"]),
            int(data["max_len_without_bos"]),
            tuple(Direction(str(name), place) for place, name in enumerate(data["residual_labels"])),
            tuple(str(one) for one in decode_ or ()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise fail(
            "T120",
            f"the description of a compiled network is not complete: {error!r}",
            where=str(path),
            help="it has vocab, token_ids, bos_id, max_len_without_bos, residual_labels and output.decode",
        ) from None


def decompile(network: Network, compiled: Compiled, words: Sequence[Integers] | None = None) -> Decompiled:
    """Read a program back, on all words or on those given (as numbers of the program's letters, a batch for each length)."""
    chosen = compiled.words() if words is None else [np.asarray(batch, dtype=np.int64) for batch in words]
    fed = [compiled.fed(batch) for batch in chosen]
    inside = [np.broadcast_to(np.arange(batch.shape[1]) > 0, batch.shape) for batch in fed]
    everywhere = [np.ones(batch.shape, dtype=bool) for batch in chosen]
    decoded = decode(network, compiled.directions, fed, inside)
    variables = [
        behind_start(to_variable(one, compiled.letters, inside), everywhere)
        for one in decoded
        if one.name not in ("one", POSITIONS, "tokens") and not one.name.endswith(WIDTH)
    ]
    answer = behind_start(answers(network, compiled, fed, inside), everywhere)
    return Decompiled(tuple(decoded), find_program(compiled.letters, chosen, [*variables, answer]), tuple(chosen))


def behind_start(variable: Variable, considered: Sequence[Truth]) -> Variable:
    """A variable without the position of BOS."""
    values = tuple(part[:, 1:] for part in variable.values)
    return Variable(variable.name, values, tuple(considered), variable.letters)


def answers(network: Network, compiled: Compiled, fed: Sequence[Integers], inside: Sequence[Truth]) -> Variable:
    """What a network answers at each position: its numbers, or what its classes stand for."""
    readout = network.decided
    batches = [evaluate(network, batch) for batch in fed]
    if readout.kind == "value":
        name = readout.scores
        unit = 2.0 ** -network.frac(name)
        if readout.denominator is not None:
            numbers = tuple(np.divide(batch[name], batch[readout.denominator])[..., 0] for batch in batches)
        else:
            numbers = tuple(np.multiply(batch[name], unit)[..., 0] for batch in batches)
        return Variable("answer", numbers, tuple(inside))
    decided = [batch[readout.decision] for batch in batches]
    names = compiled.answers or tuple(str(number) for number in range(readout.n_classes))
    if readout.kind == "classes":
        classes = [part.argmax(axis=-1) for part in decided]
    else:  # the largest of one score is that one, whatever its sign
        classes = [part[..., 0] * (len(names) > 1) for part in decided]
    decoded = Decoded("answer", readout.decision, 0, names, tuple(part.astype(np.float64) for part in classes), 0.0)
    return to_variable(decoded, compiled.letters, inside)
