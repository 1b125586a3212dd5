"""Decisions on all inputs of some lengths, computed as the definitions say, with digests.

The network is evaluated node by node and the circuit gate by gate, as they are defined; the sentence by the evaluator below,
which follows `logic.semantics` with an array for every definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.circuit import instantiate
from circuits.entries import InputBits, label
from circuits.evaluate import evaluate_as_defined
from circuits.family import Family
from circuits.formats import BIT
from circuits.inputs import input_columns, input_limits
from circuits.network import Network
from logic import syntax as fo
from logic.checker.definitions import decision_bits
from logic.checker.record import Record, Rejected, require, sha256
from logic.semantics import deep_recursion

Array = np.ndarray[Any, np.dtype[Any]]
Scope = dict[str, int]

CHUNK = 1 << 8
MOST_WORDS = 1 << 22


class Evaluator:
    """Evaluates a sentence on a batch of words: arrays of shape ``(B, n, .., n)``, one axis for each variable in scope."""

    def __init__(self, sentence: fo.Sentence, words: Array, propositions: Array) -> None:
        self.batch, self.n = words.shape
        self.letters = {name: words == number for number, name in enumerate(sentence.letters)}
        self.tables: dict[str, Array] = {
            name: propositions[:, number] for number, name in enumerate(sentence.propositions)
        }
        for definition in sentence.definitions:
            scope = {name: place for place, name in enumerate(definition.params)}
            body = definition.body
            self.tables[definition.name] = (
                self.sum(body, scope) if isinstance(body, fo.Sum) else self.holds(body, scope)
            )
        self.formula = self.holds(sentence.formula, {name: place for place, name in enumerate(sentence.free)})

    def shape(self, scope: Scope) -> tuple[int, ...]:
        """The shape of a value."""
        return (self.batch, *(self.n for _ in scope))

    def term(self, term: fo.Term, scope: Scope) -> Array:
        """An index term, without the axis of the batch."""
        total = np.zeros((self.n,) * len(scope), dtype=np.int64) + term.n * self.n + term.const
        axes = np.indices(total.shape) + 1
        for name, coef in term.coefs:
            total = total + coef * axes[scope[name]]
        return total

    def read(self, table: Array, args: tuple[fo.Term, ...], scope: Scope) -> Array:
        """A table at some places; 0 outside of the word."""
        found = table
        places = [self.term(arg, scope) for arg in args]
        inside = np.ones((self.n,) * len(scope), dtype=bool)
        for place in places:
            inside = inside & (place >= 1) & (place <= self.n)
        index: list[Any] = [np.clip(place, 1, max(self.n, 1)) - 1 for place in places]
        found = found[(slice(None), *index)] if places else found.reshape(self.batch, *(1 for _ in scope))
        return np.where(inside, found, 0) + np.zeros(self.shape(scope), dtype=found.dtype)

    def holds(self, phi: fo.Formula, scope: Scope) -> Array:
        """The truth of a formula."""
        match phi:
            case fo.Truth(value):
                return np.full(self.shape(scope), value)
            case fo.Letter(name, term):
                return self.read(self.letters[name], (term,), scope).astype(bool)
            case fo.Call(name, args):
                return self.read(self.tables[name], args, scope).astype(bool)
            case fo.Compare(op, left, right):
                one, two = self.term(left, scope), self.term(right, scope)
                truth = one == two if op == "=" else one < two if op == "<" else one <= two
                return np.broadcast_to(truth, self.shape(scope))
            case fo.Bit(number, index):
                whole, place = self.term(number, scope), self.term(index, scope)
                bit = (whole >= 0) & (place >= 1) & (place <= 63) & (whole >> np.clip(place - 1, 0, 62) & 1 == 1)
                return np.broadcast_to(bit, self.shape(scope))
            case fo.Not(body):
                return ~self.holds(body, scope)
            case fo.And(parts) | fo.Or(parts):
                fold = np.logical_and if isinstance(phi, fo.And) else np.logical_or
                result = self.holds(parts[0], scope)
                for part in parts[1:]:
                    result = fold(result, self.holds(part, scope))
                return result
            case fo.Implies(left, right):
                return ~self.holds(left, scope) | self.holds(right, scope)
            case fo.Iff(left, right):
                return self.holds(left, scope) == self.holds(right, scope)
            case fo.Exists(variable, body) | fo.Forall(variable, body) | fo.Majority(variable, body):
                many = self.holds(body, {**without(scope, variable), variable: len(scope)}).sum(axis=-1)
                if isinstance(phi, fo.Majority):
                    return 2 * many >= self.n
                return many >= 1 if isinstance(phi, fo.Exists) else many == self.n
            case fo.Linear(total, bound):
                return self.sum(total, scope) >= bound
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def sum(self, total: fo.Sum, scope: Scope) -> Array:
        """The value of a counting term."""
        result = np.full(self.shape(scope), total.length * self.n + total.const, dtype=np.int64)
        for coef, item in total.items:
            match item:
                case fo.Indicator(phi):
                    value = self.holds(phi, scope).astype(np.int64)
                case fo.SumCall(name, args):
                    value = self.read(self.tables[name], args, scope)
                case fo.Count(variable, condition, weight):
                    inner = {**without(scope, variable), variable: len(scope)}
                    value = (self.holds(condition, inner) * self.sum(weight, inner)).sum(axis=-1)
                case _:
                    raise TypeError(f"not an item: {type(item).__name__}")
            result = result + coef * value
        return result


def without(scope: Scope, variable: str) -> Scope:
    """A scope whose variable of that name is hidden by another: its axis stays, under a name of its own."""
    return {f"{name}'" if name == variable else name: axis for name, axis in scope.items()}


def inputs(network: Network, n: int) -> Iterator[Array]:
    """All inputs of a length: words of letter numbers, or codes of a static input."""
    if network.inputs:
        low, high = input_limits(network.inputs)
        sizes = high - low + 1
    else:
        low, sizes = np.zeros(n, dtype=np.int64), np.full(n, len(network.alphabet), dtype=np.int64)
    total = 1
    for size in sizes.tolist():
        total *= size
    require(total <= MOST_WORDS, f"length {n}", f"{total} inputs are more than are tried")
    for start in range(0, total, CHUNK):
        left = np.arange(start, min(start + CHUNK, total))
        columns = []
        for size in reversed(sizes.tolist()):
            columns.append(left % size)
            left = left // size
        yield np.stack(columns[::-1], axis=1) + low


def propositions_of(family: Family, sentence: fo.Sentence, codes: Array) -> tuple[Array, Array]:
    """The word and the truth of all propositions, for letters or for codes of a static input."""
    if not family.inputs:
        numbers = [sentence.letters.index(letter) for letter in family.alphabet]
        return np.array(numbers)[codes], np.zeros((len(codes), 0), dtype=bool)
    low, _ = input_limits(family.inputs)
    columns = input_columns(family.inputs)
    truth = {}
    for entry in family.entries:
        if isinstance(entry, InputBits):
            source = next(node for node in family.inputs if node.name == entry.base)
            bit = 0 if source.format == BIT else int(entry.name.rsplit(".", 1)[1])
            for element in range(entry.size):
                place = columns[entry.base].start + element
                truth[label(entry, element)] = (codes - low)[:, place] >> bit & 1 == 1
    found = [truth[name] for name in sentence.propositions]
    return np.zeros((len(codes), 1), dtype=np.int64) - 1, np.stack(found, axis=1)


def replay_length(
    network: Network, family: Family, sentence: fo.Sentence, record: Record, decided: str, n: int
) -> dict[str, Any]:
    """Decide all inputs of a length by all three; the digests of their decision words and of the last formula.

    Raises:
        Rejected: naming an input on which two of them differ.
    """
    circuit, decision, bits = instantiate(family, n), network.decided.decision, decision_bits(family)
    format_ = family.decision_format
    hashed: dict[str, list[bytes]] = {"network": [], "circuit": [], "sentence": [], "formula": []}
    count = 0
    with deep_recursion():
        for codes in inputs(network, n):
            values = {
                "network": evaluate_as_defined(network, codes)[decision],
                "circuit": circuit.simulate_as_defined(codes)[decision],
            }
            found = Evaluator(sentence, *propositions_of(family, sentence, codes))
            truth = np.stack([found.tables[name] for name in bits], axis=-1).astype(np.int64)
            grouped = truth.reshape(*truth.shape[:-1], -1, format_.bits)
            values["sentence"] = grouped @ (1 << np.arange(format_.bits)) + format_.lo
            values["formula"] = found.formula
            for side in ("circuit", "sentence"):
                require_same(codes, values["network"], values[side], side)
            require_same(codes, truth[..., bits.index(decided), None], found.formula[..., None], "last formula")
            for side, value in values.items():
                hashed[side].append(np.ascontiguousarray(value).astype("<i8").tobytes())
            count += len(codes)
    record.count("inputs", count)
    return {"n": n, "inputs": count, **{side: sha256(b"".join(parts)) for side, parts in hashed.items()}}


def require_same(codes: Array, one: Array, two: Array, side: str) -> None:
    """Require equal decisions."""
    if one.shape != two.shape:
        raise Rejected(f"the {side}", "its decisions have another shape")
    wrong = np.flatnonzero((one != two).reshape(len(codes), -1).any(axis=1))
    if len(wrong):
        raise Rejected(f"the {side}", f"it decides otherwise on input {codes[wrong[0]].tolist()}")
