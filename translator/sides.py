"""The sides of a claim: onnxruntime, network, circuit, rounds of division and sentence as functions from inputs to decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import fail
from circuits.division import Divider
from circuits.entries import label
from circuits.evaluate import evaluate
from circuits.family import Family
from circuits.inputs import decode_inputs, input_columns, input_limits
from circuits.network import Network
from circuits.network_to_family import bit_name
from circuits.readout import decisions, scores
from logic.family_to_sentence import decision_labels
from logic.syntax import Sentence
from translator.feeding import Feeding
from translator.fidelity import encode
from translator.oracle import Oracle

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Source(Protocol):
    """What has all representations: a translation in memory, or one read from its folder."""

    @property
    def network(self) -> Network: ...

    @property
    def family(self) -> Family: ...

    @property
    def sentence(self) -> Sentence: ...

    @property
    def model(self) -> Any: ...

    @property
    def applied(self) -> str: ...

    @property
    def feeding(self) -> Feeding: ...


@dataclass
class Sides:
    """Evaluates each representation; the last circuit and the onnxruntime session are kept.

    Inputs are letter numbers ``(B, n)``, or codes ``(B, size)`` of a static network's input words.
    """

    source: Source

    def __post_init__(self) -> None:
        self.circuits: dict[int, Circuit] = {}
        self.dividers: dict[int, Divider] = {}
        self.family = self.source.family
        self.network = self.source.network
        if (
            self.family.readout != self.network.readout
            or self.family.decision_format != self.network.word(self.network.decided.decision).format
            or self.family.inputs != self.network.inputs
        ):
            raise fail("T060", "network and family differ in what they read or answer", help="translate again")

    @property
    def readout(self) -> Any:
        """What is decided."""
        return self.network.decided

    @cached_property
    def oracle(self) -> Oracle:
        """Onnxruntime on the model."""
        readout, source = self.readout, self.source
        return Oracle(source.model, readout.kind, readout.n_positions, source.applied, source.feeding)

    def circuit_at(self, n: int) -> Circuit:
        """The circuit for length n; only the last one is kept."""
        if n not in self.circuits:
            self.circuits = {n: instantiate(self.family, n)}
        return self.circuits[n]

    def divider_at(self, n: int) -> Divider:
        """The circuit for length n as divisions; only the last one is kept."""
        if n not in self.dividers:
            self.dividers = {n: Divider(self.circuit_at(n))}
        return self.dividers[n]

    def network_words(self, inputs: Integers) -> Integers:
        """The network's decision words, ``(B, size)`` or ``(B, n, size)``."""
        return evaluate(self.network, inputs)[self.readout.decision]

    def circuit_words(self, inputs: Integers) -> Integers:
        """The circuit's decision words."""
        return self.circuit_at(self.length(inputs)).simulate(self.circuit_inputs(inputs))[self.family.readout.decision]

    def division_words(self, inputs: Integers) -> Integers:
        """The circuit's decision words, found by division."""
        return self.divider_at(self.length(inputs)).decide(self.circuit_inputs(inputs))

    def length(self, inputs: Integers) -> int:
        """The length of the circuit that reads a batch."""
        return 1 if self.family.inputs else inputs.shape[1]

    def circuit_inputs(self, inputs: Integers) -> Integers:
        """A batch over the alphabet of the circuit."""
        return (
            inputs if self.family.alphabet == self.network.alphabet else self.letters_of(self.family.alphabet)[inputs]
        )

    def sentence_words(self, inputs: Integers) -> Integers:
        """The sentence's decision words, put together from the relations that are the decision.

        Raises:
            FomError: the sentence lacks one of them, or they have other parameters.
        """
        from logic.batch import evaluate as evaluate_sentence

        sentence, labels = self.source.sentence, decision_labels(self.family)
        words, propositions = self.structures(inputs)
        arity = {definition.name: len(definition.params) for definition in sentence.definitions}
        for name in labels:
            if arity.get(name) != self.family.readout.n_positions:
                raise fail("T060", f"the sentence does not define the decision `{name}`", help="translate again")
        found = evaluate_sentence(sentence, words, propositions, tuple(labels))
        bits = np.stack([found[name] for name in labels], axis=-1).astype(np.int64)
        if self.readout.kind != "value":
            return bits
        format_ = self.family.decision_format
        grouped = bits.reshape(*bits.shape[:-1], -1, format_.bits)
        return grouped @ (1 << np.arange(format_.bits)) + format_.lo

    def formula_truth(self, inputs: Integers) -> Any:
        """The truth of the sentence's last formula, ``(B,)`` or ``(B, n)``."""
        from logic.batch import evaluate as evaluate_sentence

        words, propositions = self.structures(inputs)
        return evaluate_sentence(self.source.sentence, words, propositions)[""]

    def structures(self, inputs: Integers) -> tuple[Integers, Any]:
        """Words and propositions of inputs: a static input is a word of one position with a proposition for each bit."""
        if not self.family.inputs:
            return self.letters_of(self.source.sentence.letters)[inputs], None
        names = self.source.sentence.propositions
        low, _ = input_limits(self.family.inputs)
        offsets = inputs - low
        position = {}
        for node in self.family.inputs:
            first = input_columns(self.family.inputs)[node.name].start
            for bit in range(node.format.bits):
                entry = self.family.by_name[bit_name(node.name, bit, node.format)]
                position.update({label(entry, element): (first + element, bit) for element in range(entry.size)})
        unknown = [name for name in names if name not in position]
        if unknown:
            raise fail("T060", f"the proposition `{unknown[0]}` is no bit of the input", help="translate again")
        columns = [offsets[:, position[name][0]] >> position[name][1] & 1 for name in names]
        table = np.stack(columns, axis=1) if columns else np.zeros((len(inputs), 0))
        return np.full((len(inputs), 1), -1, dtype=np.int64), table.astype(bool)

    def letters_of(self, alphabet: tuple[str, ...]) -> Integers:
        """For each letter number of the network, the number of the same letter in another alphabet; -1 where it lacks it."""
        place = {letter: number for number, letter in enumerate(alphabet)}
        return np.array([place.get(letter, -1) for letter in self.network.alphabet], dtype=np.int64)

    def words(self, side: str, codes: Integers) -> Integers:
        """The decision words of a side that reads encoded inputs."""
        evaluators: dict[str, Callable[[Integers], Integers]] = {
            "network": self.network_words,
            "circuit": self.circuit_words,
            "division": self.division_words,
            "sentence": self.sentence_words,
        }
        return evaluators[side](codes)

    def decide(self, side: str, inputs: Any) -> Integers:
        """Decisions of one side: "onnx" takes raw inputs, the others are encoded first."""
        if side == "onnx":
            return self.oracle.decisions(inputs)
        words = self.words(side, encode(self.network, inputs))
        return decisions(self.readout, self.family.decision_format, words)

    def outputs(self, side: str, inputs: Any) -> list[Any]:
        """What a side computes before deciding: logits of onnxruntime and the network, decision words of the others."""
        if side == "onnx":
            return self.oracle.logits(inputs).tolist()
        codes = encode(self.network, inputs)
        if side == "network":
            return scores(self.network, evaluate(self.network, codes)).tolist()
        words = self.words(side, codes)
        return np.ldexp(words.astype(np.float64), -self.family.decision_format.frac).tolist()

    def raw(self, codes: Integers) -> Any:
        """Inputs for onnxruntime: letters as they are, codes as the real numbers they stand for."""
        return decode_inputs(self.network.inputs, codes) if self.network.inputs else codes
