"""Maxima: comparisons of every candidate, one OR over all of them, and a search for the largest code.

Let M be the largest offset of a candidate, 0 when there is none. A candidate's gate with fixed own bits asks whether a sum
``V(w)`` of the candidate's bits reaches a threshold above 0. If V never decreases when w grows and V(0) = 0, then some
candidate's gate fires iff the gate of M does: an OR gate is a gate that reads M. So there are three parts:

* structure: each OR reads the gates of exactly the candidates of its element, under the node's guard;
* for every way in which the bits are weighed: V is monotone;
* for every pattern: the search over M gives the bits of M, digit by digit (`logic.proving.digits`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.entries import Gates
from circuits.matrices import canonical, matrix
from circuits.network import Maximum
from circuits.positions import is_safe
from logic.proving.digits import digits_of, telling_offsets
from logic.proving.enumeration import offsets_at
from logic.proving.gadgets import Gadget, Template, local_entries, owners, shifted
from logic.proving.linear import ONE, Key, Reader, Unfit, bit_names, heaviest_row, own_variables
from logic.proving.patterns import patterns
from logic.proving.roundings import blame
from logic.proving.session import Outcome, Session
from logic.verdicts import Lemma

Integers = np.ndarray[Any, np.dtype[np.int64]]
Source = tuple[str, tuple[Any, ...], Any]

MOST_ENUMERATED_BITS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """The wires of OR gates to candidates' gates: one row for each pair.

    `gate` is the OR gate, `element` the element of the candidate's word, `numbers` what the candidate's gate does: the weights of
    the candidate's bits, of the own bits, and the threshold.
    """

    source: Source
    gate: Integers
    element: Integers
    numbers: Integers


class Candidates:
    """What a maximum compares, and the gates that do it."""

    def __init__(self, reader: Reader, session: Session, node: Maximum) -> None:
        self.reader, self.session, self.node = reader, session, node
        self.bits = bit_names(node.name, node.format)
        self.own = own_variables(node.n_positions)
        self.wanted: dict[Source, set[tuple[int, int]]] = {}
        own = [(ref, groups, None) for ref, groups in node.segments]
        least = reader.network.domain.least
        for ref, groups, guard in ((node.operand, node.groups, reader.guard(node.guard, node.n_positions)), *own):
            if node.format.lo and not all(is_safe(term, least) for term in ref.at):
                raise Unfit(f"a candidate `{ref.node}` is read outside the word")
            rows = np.repeat(np.arange(node.size), groups.shape[1])
            pairs = set(zip(rows.tolist(), groups.ravel().tolist(), strict=True))
            self.wanted.setdefault((ref.node, ref.at, guard), set()).update(pairs)
        self.word_bits = {
            name: (word, bit)
            for word in {source for source, _, _ in self.wanted}
            for bit, name in enumerate(bit_names(word, node.format))
        }

    def is_candidate(self, name: str) -> bool:
        """Tell whether the gates of a helper entry read bits of the candidates' words."""
        reader = self.reader
        if name == ONE or not reader.is_local(name) or not isinstance(reader.entry(name), Gates):
            return False
        return any(source in self.word_bits for source, _, _ in reader.form(name).parts)

    def collect(self, key: Key, rows: Integers, columns: Integers, owner: Integers) -> Collected:
        """The candidates' gates of one entry that OR gates read (gate `rows[i]` reads gate `columns[i]`).

        Raises:
            Unfit: the gates read something that is no bit of one candidate and no own bit, or at other positions.
        """
        name, at, guard = key
        reader, node = self.reader, self.node
        if not all(is_safe(term, reader.network.domain.least) for term in at):
            raise Unfit(f"`{name}` is read outside the word")
        entry = reader.entry(name)
        if not isinstance(entry, Gates):
            raise Unfit(f"`{name}` is no gate")
        width = node.format.bits
        numbers = np.zeros((entry.size, 2 * width + 1), dtype=np.int64)
        element = np.full(entry.size, -1, dtype=np.int64)
        found: set[Source] = set()
        claims = np.full(entry.size, -1, dtype=np.int64)
        claims[columns] = owner[rows]
        if (claims[columns] != owner[rows]).any():
            raise Unfit(f"a gate of `{name}` is read by two elements")
        for (source, inner, inner_guard), weights in reader.form(name).parts.items():
            if (source, inner) == (ONE, ()) and inner_guard is None:
                continue
            moved = tuple(term.substitute(at) for term in inner)
            coo = weights.tocoo()
            gates, read = coo.coords
            if inner_guard is None and source in self.word_bits:
                word, bit = self.word_bits[source]
                found.add((word, moved, guard))
                if ((element[gates] >= 0) & (element[gates] != read)).any():
                    raise Unfit(f"a gate of `{name}` reads two candidates")
                element[gates] = read
                numbers[gates, bit] = coo.data
            elif inner_guard is None and source in self.bits and moved == self.own:
                if ((claims[gates] >= 0) & (claims[gates] != read)).any():
                    raise Unfit(f"a gate of `{name}` reads the bit of another element, `{source}`")
                numbers[gates, width + self.bits.index(source)] = coo.data
            else:
                raise Unfit(f"`{name}` reads {reader.describe((source, moved, guard), int(read[0]))}")
        if len(found) != 1:
            raise Unfit(f"`{name}` does not read the candidates at one position")
        numbers[:, -1] = shifted(entry.thresholds, reader.form(name).constants())
        return Collected(found.pop(), rows, element[columns], numbers[columns])

    def template(self, name: str, owner: dict[str, Integers]) -> tuple[Template, set[int]]:
        """One entry of the search as gates that read M, and the elements whose gates do not fit, which are reported."""
        reader, node = self.reader, self.node
        entry, form, belongs = reader.entry(name), reader.form(name), owner[name]
        if not isinstance(entry, Gates):
            raise Unfit(f"`{name}` is no gate")
        parts, local, wrong = [], {}, set[int]()
        ors = np.zeros(entry.size, dtype=bool)
        for key, weights in form.parts.items():
            coo = weights.tocoo()
            used = belongs[coo.coords[0]] >= 0
            rows, columns, data = coo.coords[0][used], coo.coords[1][used], coo.data[used]
            if key == (ONE, (), None) or not len(rows):
                continue
            if self.is_candidate(key[0]):
                ors[rows] = True
                bad = data < 1
                parts.append(self.collect(key, rows.astype(np.int64), columns.astype(np.int64), belongs))
                message = "its weight for {} is not positive"
            elif key[0] in owner and key[1:] == (self.own, None):
                local[key[0]] = weights
                bad = owner[key[0]][columns] != belongs[rows]
                message = "reads the gates of another element, {}"
            else:
                bad = np.ones(len(rows), dtype=bool)
                message = "reads {}, which is no candidate's gate"
            for row, column in list(zip(rows[bad], columns[bad], strict=True))[:1]:
                self.session.trouble_at(name, int(row), message.format(reader.describe(key, int(column))))
            wrong.update(belongs[rows[bad]].tolist())
        thresholds = shifted(entry.thresholds, form.constants())
        external = np.zeros((entry.size, node.format.bits), dtype=np.int64)
        if parts:
            mixed = ors & (thresholds != 1)
            for weights in local.values():
                mixed[ors & (np.diff(weights.indptr) > 0)] = True
            mixed &= belongs >= 0
            for row in np.flatnonzero(mixed)[:1]:
                self.session.trouble_at(name, int(row), "the gate is no OR of the candidates' gates")
            wrong.update(belongs[mixed].tolist())
            wrong |= self.compare(name, parts, belongs, ors)
            pairs = np.concatenate([part.gate for part in parts])
            numbers = np.concatenate([part.numbers for part in parts])
            _, first = np.unique(pairs, return_index=True)
            gates, numbers = pairs[first], numbers[first]
            width = node.format.bits
            external[gates] = numbers[:, :width]
            thresholds = thresholds.copy()
            thresholds[gates] = numbers[:, -1]
            for bit, source in enumerate(self.bits):
                claimed = numbers[:, width + bit]
                if claimed.any():
                    added = matrix(gates, belongs[gates], claimed, (entry.size, node.size))
                    local[source] = canonical(local[source] + added) if source in local else added
        return Template(name, external, local, thresholds, belongs), wrong

    def compare(self, name: str, parts: list[Collected], belongs: Integers, ors: Any) -> set[int]:
        """Compare what OR gates collect with the node's candidates; the elements that differ, which are reported."""
        wrong = set[int]()
        pairs = np.concatenate([part.gate for part in parts])
        numbers = np.concatenate([part.numbers for part in parts])
        gates, first, place = np.unique(pairs, return_index=True, return_inverse=True)
        different = (numbers != numbers[first][place]).any(axis=1)
        for row in np.unique(pairs[different])[:1]:
            self.session.trouble_at(name, int(row), "the gates of its candidates do not ask the same")
        wrong.update(belongs[pairs[different]].tolist())
        for source in dict.fromkeys((*self.wanted, *(part.source for part in parts))):
            mine = [part for part in parts if part.source == source]
            found = {pair for part in mine for pair in zip(part.gate.tolist(), part.element.tolist(), strict=True)}
            wanted_of: dict[int, list[int]] = {}
            for element, member in self.wanted.get(source, ()):
                wanted_of.setdefault(element, []).append(member)
            wanted = {(gate, member) for gate in gates.tolist() for member in wanted_of.get(int(belongs[gate]), ())}
            for gate, _ in sorted(found ^ wanted)[:1]:
                self.session.trouble_at(
                    name, gate, f"it does not collect exactly the candidates in `{source[0]}` under the node's guard"
                )
            wrong.update(int(belongs[gate]) for gate, _ in found ^ wanted)
        return wrong


def prove_maximum(reader: Reader, session: Session, node: Maximum) -> None:
    """Prove that the gates of a word find the largest candidate."""
    start = time.perf_counter()
    candidates = Candidates(reader, session, node)
    bits = candidates.bits
    entries = [name for name in local_entries(reader, bits) if name in bits or not candidates.is_candidate(name)]
    owner = owners(reader, session, bits, entries, lambda key: key[1:] == (candidates.own, None))
    found, wrong = [], set[int]()
    before = len(session.open)
    for name in entries:
        template, bad = candidates.template(name, owner)
        found.append(template)
        wrong |= bad
    if len(session.open) == before and not wrong:
        session.add(
            f"`{node.name}`: every OR collects exactly the {sum(map(len, candidates.wanted.values()))} candidates of the maximum",
            "structure",
            sum(int((template.owner >= 0).sum()) for template in found),
            time.perf_counter() - start,
        )
    for gadget, elements in patterns(found, bits, node.size, wrong):

        def decide(gadget: Gadget = gadget) -> Outcome:
            return decide_maximum(session, gadget)

        outcome = session.once(("maximum", gadget.key), gadget.n_gates * len(elements), decide)
        blame(session, bits, elements, outcome)


def decide_maximum(session: Session, gadget: Gadget) -> Outcome:
    """Prove that a search for M gives M and that its comparisons are monotone."""
    width = len(gadget.bits)
    for block in gadget.blocks:
        compares = (block.external != 0).any(axis=1)
        claims = np.zeros(len(compares), dtype=np.int64)
        if sum(map(heaviest_row, (weights for _, weights in block.wires))) >= 2.0**61:
            return Outcome((), "not decided: its sums need more than 61 bits")
        for _, weights in block.wires:
            claims += np.asarray(weights.maximum(0).sum(axis=1)).ravel()
        if (compares & (block.thresholds - claims < 1)).any():
            return Outcome((), "a comparison may be true of the least candidate")
        for row in np.unique(block.external[compares], axis=0):
            trouble = monotone(session, tuple(row.tolist()))
            if trouble:
                return Outcome((), trouble)
    size = f"{gadget.n_gates} comparisons on {gadget.levels} levels"
    statement = f"for every word M of {width} bits, {size} with M find the bits of M"
    start = time.perf_counter()
    try:
        require_digits(gadget)
        return Outcome((Lemma(statement + " (by digits)", "coefficients", 0, time.perf_counter() - start),))
    except Unfit as error:
        shape = error
    wide = width > MOST_ENUMERATED_BITS
    words = telling_offsets(width) if wide else np.arange(1 << width, dtype=np.int64)
    codes = offsets_at(gadget, words >> np.arange(width)[:, None] & 1)
    wrong = np.flatnonzero(codes != words)
    if len(wrong):
        largest, code = int(words[wrong[0]]), int(codes[wrong[0]])
        return Outcome(
            (),
            f"the gate differs: when the largest offset is {largest} it gives {code}",
            (largest ^ code).bit_length() - 1,
        )
    if wide:
        return Outcome((), f"not decided: 2**{width} words are too many to enumerate; {shape}")
    return Outcome((Lemma(statement + " (enumeration of all words)", "enumeration", 0, time.perf_counter() - start),))


def require_digits(gadget: Gadget) -> None:
    """Require that a gadget compares the digits of M: what it claims of the bits above cancels these bits of M.

    Raises:
        Unfit: it does not.
    """
    none = np.zeros(1, dtype=np.int64)
    for digit in digits_of(gadget):
        given, thresholds = digit.block.external, digit.block.thresholds
        if np.abs(given.astype(np.float64)).sum(axis=1).max() >= 2.0**61:
            raise Unfit("its sums need more than 61 bits")
        for bit in range(len(gadget.bits)):
            claimed = -given[:, bit] if bit >= digit.end else 0
            digit.require(f"weights of bit {bit}", digit.own.get(bit, none), claimed)
            if bit < digit.low:
                digit.require(f"weights of bit {bit} of M", given[:, bit], 0)
        steps = digit.steps >> digit.low
        below, reached = (
            sum(
                (given[:, digit.low + bit] * (number >> bit & 1) for bit in range(digit.width)),
                start=np.zeros_like(steps),
            )
            for number in (steps - 1, steps)
        )
        if ((below >= thresholds) | (reached < thresholds)).any():
            raise Unfit(f"the comparisons for bits {digit.low}..{digit.end - 1} do not tell digits apart")


def monotone(session: Session, weights: tuple[int, ...]) -> str:
    """Why a weighted sum of bits may decrease when the word grows; empty if it is shown not to.

    The next word has one bit more, k, and loses all bits below it. So the sum never decreases if no weight is less than the sum
    of the weights below it, and only then.
    """

    def decide() -> Outcome:
        start = time.perf_counter()
        weighed = ", ".join(map(str, weights))
        statement = f"the sum of the bits of a word with weights {weighed} does not decrease when the word grows"
        if all(weight >= sum(weights[:bit]) for bit, weight in enumerate(weights)):
            return Outcome((Lemma(statement, "coefficients", 0, time.perf_counter() - start),))
        return Outcome((), f"a comparison with bit weights {weights} is not monotone in the candidate")

    return session.once(("monotone", weights), 1, decide).trouble
