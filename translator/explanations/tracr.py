"""Networks compiled from RASP programs: the program read back from the named directions of the residual stream.

A word of such a network begins with a letter that is no letter of the program (BOS); what the network answers there has no
meaning. Every named variable is decoded at all other positions, and explained by an expression over the variables that the
stream held before; the answer of the network is the last one. The program is then run by its interpreter on every word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Network
from logic.searching.programs_of_values import FoundProgram, Integers, Truth, Variable, find_program
from translator.explanations.compiled import Compiled, require_fit
from translator.explanations.residual import Decoded, decode, to_variable

POSITIONS = "indices"
WIDTH = "_selector_width_attn_output"


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


def decompile(network: Network, compiled: Compiled, words: Sequence[Integers] | None = None) -> Decompiled:
    """Read a program back, on all words or on those given (as numbers of the program's letters, a batch for each length).

    Raises:
        FomError: the description is not one of the network (T122), or no stream is wide enough (T120).
    """
    require_fit(network, compiled)
    chosen = compiled.words() if words is None else [np.asarray(batch, dtype=np.int64) for batch in words]
    fed = [compiled.fed(batch) for batch in chosen]
    inside = [np.broadcast_to(np.arange(batch.shape[1]) > 0, batch.shape) for batch in fed]
    everywhere = [np.ones(batch.shape, dtype=bool) for batch in chosen]
    decoded = decode(network, compiled.directions, fed, inside)
    widths = {one.name.removesuffix(WIDTH) for one in decoded if one.name.endswith(WIDTH)}
    variables = [
        behind_start(to_variable(one, compiled.letters, inside, one.name in widths), everywhere)
        for one in decoded
        if one.name not in ("one", POSITIONS, "tokens") and not one.name.endswith(WIDTH)
    ]
    answer = behind_start(specified(answers(network, compiled, fed, inside), compiled, decoded, inside), everywhere)
    found = find_program(compiled.letters, chosen, [*variables, answer], compiled.causal)
    return Decompiled(tuple(decoded), found, tuple(chosen))


def behind_start(variable: Variable, considered: Sequence[Truth]) -> Variable:
    """A variable without the position of BOS."""
    values = tuple(part[:, 1:] for part in variable.values)
    return replace(variable, values=values, considered=tuple(considered))


def specified(answer: Variable, compiled: Compiled, decoded: Sequence[Decoded], inside: Sequence[Truth]) -> Variable:
    """The answer, or None where the variable that is answered has no value: there the classes are decided by rounding.

    It is the last variable of the stream with the names of the classes which is equal to the answer wherever it has a value.
    """
    for one in reversed(decoded):
        if not compiled.answers or one.values != compiled.answers:
            continue
        held = to_variable(one, compiled.letters, inside)
        if all(
            ((part == value) | np.isnan(part))[seen].all()
            for part, value, seen in zip(held.values, answer.values, inside, strict=True)
        ):
            return Variable(answer.name, held.values, answer.considered, answer.letters)
    return answer


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
