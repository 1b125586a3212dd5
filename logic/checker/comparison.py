"""A network compared with a specification, another network or a property, on all inputs of some lengths.

The right side is read from the artifacts ``spec.fom``, ``other.jsonl`` or ``property.fom``; ``where.fom`` has the words
considered, ``at.fom`` the positions. Sentences are evaluated by `logic.checker.evaluator`. Networks are evaluated node by node,
as they are defined; where a length has more than `DEFINED` inputs, by the fast evaluator, and as defined on a sample.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from circuits.evaluate import evaluate, evaluate_as_defined
from circuits.inputs import decode_inputs, encode_inputs
from circuits.network import Network
from circuits.readout import decisions
from logic.checker.evaluator import Array, Evaluator, letters_of
from logic.checker.exhaustive import inputs, ranges
from logic.checker.record import Record, Rejected, require, sha256
from logic.comparing.problem import Problem
from logic.comparing.properties import BitOf, ClassOf, LetterOf, Property
from logic.comparing.specification import Specification
from logic.semantics import deep_recursion
from logic.syntax import TRUE, Call, Sentence

DEFINED = 1 << 12
SAMPLED = 1 << 8
PART = 1 << 12
MOST_PAIRED = 1 << 8
CLASS = re.compile(r"class\[(\d+)\]")


@dataclass(frozen=True)
class Subject:
    """What a network is compared with, on which words and at which positions; `atoms` is all that is read of a property."""

    network: Network
    right: Specification | Network | Property
    where: Sentence | None
    at: Sentence | None

    def check(self) -> None:
        """Require that the sides speak of the same.

        Raises:
            Rejected: they do not.
        """
        network, k = self.network, self.network.decided.n_positions
        for name, sentence, free in (("where.fom", self.where, 0), ("at.fom", self.at, 1)):
            if sentence is not None:
                self.require_letters(name, sentence)
                require(len(sentence.free) == free, f"artifacts/{name}", "it has other free variables")
        require(self.at is None or k == 1, "artifacts/at.fom", "the network does not answer at positions")
        static = bool(network.inputs)
        require(not static or (self.where is None and isinstance(self.right, Network)), "the claim", "it needs words")
        if isinstance(self.right, Specification):
            self.require_letters("spec.fom", self.right.sentence)
        elif isinstance(self.right, Network):
            other, readout = self.right, self.right.decided
            given = [node.size for node in network.inputs], [node.size for node in other.inputs]
            same = network.alphabet == other.alphabet and k == readout.n_positions and given[0] == given[1]
            kinds = {network.decided.kind, readout.kind}
            require(
                same and (len(kinds) == 1 or "value" not in kinds), "artifacts/other.jsonl", "it is of another kind"
            )
        elif self.right.copies == 2 or not self.right.sentence.free:
            require(self.at is None, "artifacts/at.fom", "the property has no position of its own")

    def require_letters(self, name: str, sentence: Sentence) -> None:
        """Require letters of the network and no propositions."""
        known = set(sentence.letters) <= set(self.network.alphabet) and not sentence.propositions
        require(known, f"artifacts/{name}", "it has letters that the network does not read")

    @property
    def problem(self) -> Problem:
        """What methods decide."""
        if isinstance(self.right, Property):
            raise Rejected("the claim", "a property is no rival")
        return Problem(self.network, self.right, self.where, self.at)


def specification_of(sentence: Sentence, network: Network) -> Specification:
    """The classes that a sentence specifies: those of its definitions ``class[c]``, or class 1 by its last formula."""
    readout = network.decided
    found = {int(m[1]): d for d in sentence.definitions if (m := CLASS.fullmatch(d.name))}
    last = sentence.formula
    closed = last is TRUE or (isinstance(last, Call) and CLASS.fullmatch(last.name) is not None)
    n_classes = 2 if readout.kind == "logit" else readout.n_classes
    where = "artifacts/spec.fom"
    require(readout.kind != "value", where, "the network answers with numbers")
    if not found or (not closed and n_classes == 2):
        require(n_classes == 2 and len(sentence.free) == readout.n_positions, where, "it is no formula for two classes")
        return Specification(sentence, (1,), ("",), True)
    fits = closed and max(found) < n_classes and all(len(d.params) == readout.n_positions for d in found.values())
    require(fits, where, "its classes are not those of the network")
    classes = tuple(sorted(found))
    return Specification(sentence, classes, tuple(found[c].name for c in classes), len(classes) == n_classes)


def computed(
    network: Network, codes: Array, wanted: tuple[str, ...], defined: bool, record: Record
) -> dict[str, Array]:
    """The values of a network on a batch: as defined, or fast with a sample as defined."""
    if defined:
        record.count("inputs as defined", len(codes))
        return evaluate_as_defined(network, codes, wanted)
    found = evaluate(network, codes, wanted)
    sample = np.unique(np.linspace(0, len(codes) - 1, SAMPLED).astype(np.int64))
    again = evaluate_as_defined(network, codes[sample], wanted)
    for name in (network.decided.decision, *wanted):
        require(np.array_equal(found[name][sample], again[name]), f"node `{name}`", "the evaluators differ on it")
    record.count("inputs as defined", len(sample))
    return found


def decided(network: Network, values: dict[str, Array]) -> Array:
    """What a network decides, from its values."""
    readout = network.decided
    return decisions(readout, network.word(readout.decision).format, values[readout.decision])


def compare_length(subject: Subject, record: Record, n: int) -> dict[str, Any]:
    """Compare on all inputs of a length; the digests of the network's decisions and of the right side.

    Raises:
        Rejected: naming an input on which the network is wrong.
    """
    network, right = subject.network, subject.right
    paired = isinstance(right, Property) and right.copies == 2
    total = prod(ranges(network, n)[1])
    require(not paired or total <= MOST_PAIRED, f"length {n}", "there are too many pairs of words")
    hashed: dict[str, list[bytes]] = {"network": [], "right": []}
    count = considered = 0
    with deep_recursion():
        for codes in inputs(network, n, MOST_PAIRED if total <= DEFINED else PART):
            count += len(codes)
            kept = codes
            if subject.where is not None:
                kept = codes[Evaluator(subject.where, codes.shape, letters_of(codes, network.alphabet)).formula]
            considered += len(kept)
            if not len(kept):
                continue
            own, other, wrong = compare(subject, kept, total <= DEFINED, record)
            if subject.at is not None:
                wrong &= Evaluator(subject.at, kept.shape, letters_of(kept, network.alphabet)).formula
            places = np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))
            if len(places):
                shown = kept[places[0] // len(kept) if paired else places[0]].tolist()
                raise Rejected("the network", f"it is wrong on input {shown}")
            for side, value in (("network", own), ("right", other)):
                hashed[side].append(np.ascontiguousarray(value).astype("<i8").tobytes())
    record.count("inputs", count)
    digests = {side: sha256(b"".join(parts)) for side, parts in hashed.items()}
    return {"n": n, "inputs": count, "considered": considered, **digests}


def compare(subject: Subject, codes: Array, defined: bool, record: Record) -> tuple[Array, Array, Array]:
    """The network's decisions, what the right side says, and where the network is wrong; of a property of pairs, on all pairs."""
    network, right = subject.network, subject.right
    letters = letters_of(codes, network.alphabet)
    if isinstance(right, Property):
        return on_property(network, right, codes, defined, record)
    own = decided(network, computed(network, codes, (), defined, record))
    if isinstance(right, Network):
        given = codes
        if network.inputs:
            given = encode_inputs(right.inputs, decode_inputs(network.inputs, codes))
        other = decided(right, computed(right, given, (), defined, record))
        require(own.shape == other.shape, "artifacts/other.jsonl", "its decisions have another shape")
        wrong = own != other
        return own, other, wrong if network.decided.n_positions else wrong.reshape(len(codes), -1).any(axis=1)
    found = Evaluator(right.sentence, codes.shape, letters)
    truth = np.stack([found.tables[name] if name else found.formula for name in right.relations], axis=-1)
    return own, truth, (truth != (own[..., None] == np.array(right.classes))).any(axis=-1)


def on_property(
    network: Network, right: Property, codes: Array, defined: bool, record: Record
) -> tuple[Array, Array, Array]:
    """A property on words, or on all pairs of words."""
    atoms = right.atoms
    wanted = tuple(dict.fromkeys(atom.node for atom in atoms.values() if isinstance(atom, BitOf)))
    values = computed(network, codes, wanted, defined, record)
    own = decided(network, values)
    rows = np.arange(len(codes))
    copies = [np.repeat(rows, len(codes)), np.tile(rows, len(codes))] if right.copies == 2 else [rows]
    truth: dict[str, Array] = {}
    for name, atom in atoms.items():
        if isinstance(atom, LetterOf):
            table = codes == atom.number
        elif isinstance(atom, ClassOf):
            table = own == atom.number
        else:
            offsets = values[atom.node][..., atom.element] - network.word(atom.node).format.lo
            table = offsets >> atom.bit & 1 == 1
        truth[name] = table[copies[atom.copy]]
    letters, propositions = ({name: truth[name] for name in names} for names in
                             (right.sentence.letters, right.sentence.propositions))  # fmt: skip
    found = Evaluator(right.sentence, (len(copies[0]), codes.shape[1]), letters, propositions).formula
    return own, found, ~found
