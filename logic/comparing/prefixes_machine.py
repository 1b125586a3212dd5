"""Machines: what remains of a word that is read letter by letter, and what is decided after each letter.

A machine reads many words of one length at once. Its *state* is what later letters need to know of a word: words of one length
with equal states are continued alike. A state is a dictionary of arrays whose first axis are the words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from circuits.diagnostics import FomError
from circuits.fast_evaluate import Compute, Plan
from circuits.inputs import input_columns
from circuits.network import Letters, Network, Node
from circuits.ranges import require_ranges
from circuits.readout import decisions
from logic.comparing.prefixes_front import Front, front
from logic.comparing.prefixes_rows import Rows

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]
State = dict[str, Array]

NUMBERS = "numbers"
LEAST_BITS = 6


class Machine(Protocol):
    """Something that reads words letter by letter."""

    def start(self) -> State:
        """The state of the one word without letters."""
        ...

    def read(self, state: State, letters: Integers, m: int, keep: bool, answer: bool) -> tuple[State, Array | None]:
        """Read letter number m of each word.

        Args:
            keep: whether the state afterwards is wanted; else it is empty.
            answer: whether the decision afterwards is wanted; else there is none.
        """
        ...


def taken(state: State, which: Array) -> State:
    """The states of some words."""
    return {name: array[which] for name, array in state.items()}


def joined(states: list[State]) -> State:
    """The states of several batches of words, one after the other; numbers of rows have the widest of their types."""
    return {name: np.concatenate([state[name] for state in states]) for name in states[0]}


class FrontPlan(Plan):
    """The evaluation of the network of the last position: rows are the earlier ones and the newest."""

    def __init__(self, network: Network, m: int, wanted: frozenset[str], rows: dict[str, str]) -> None:
        self.rows = rows
        self.earlier: dict[str, Array] = {}
        super().__init__(network, m, wanted | {rows[name] for name in rows if name in network.by_name})

    def compile(self, node: Node) -> Compute:
        """How to compute a node; rows stand where the network of all positions has letters."""
        if not isinstance(node, Letters):
            return super().compile(node)
        name, newest, kind = node.name, self.rows[node.name], self.types[node.name]

        def rows(values: dict[str, Array], given: Array, first: int) -> Array:
            earlier = self.earlier[name]
            last = np.broadcast_to(values[newest], (len(earlier), earlier.shape[-1])).astype(kind)
            return np.concatenate([earlier.astype(kind, copy=False), last[:, None]], axis=1)

        return rows


class NetworkMachine:
    """A causal network. Its state are the numbers and groups of rows of `prefixes_front`."""

    def __init__(self, network: Network) -> None:
        self.network = network
        layout = front(network, 1, 1)
        sizes = {node.name: node.size for node in layout.network.nodes}
        ends = np.cumsum([sizes[name] for name in layout.kept]).tolist()
        self.columns = {name: slice(end - sizes[name], end) for name, end in zip(layout.kept, ends, strict=True)}
        self.width = ends[-1] if ends else 0
        self.starts = layout.starts
        self.groups = [names for names, _ in layout.groups]
        self.is_list = [is_list for _, is_list in layout.groups]
        self.parts: list[dict[str, slice]] = []
        for names in self.groups:
            bounds = np.cumsum([sizes[name] for name in names]).tolist()
            self.parts.append({name: slice(b - sizes[name], b) for name, b in zip(names, bounds, strict=True)})
        self.known = [Rows(sum(sizes[name] for name in names)) for names in self.groups]
        self.planned: tuple[tuple[int, int, bool, bool], Front, FrontPlan] | None = None
        self.cast: dict[str, tuple[int, Array]] = {}

    def start(self) -> State:
        """No rows, and the numbers before the first letter."""
        numbers = np.zeros((1, self.width), dtype=np.int64)
        for name, value in self.starts.items():
            numbers[:, self.columns[name]] = value
        none = np.zeros((1, 0), dtype=np.uint8)
        return {NUMBERS: numbers, **{str(number): none for number in range(len(self.groups))}}

    def plan(self, m: int, keep: bool, answer: bool) -> tuple[Front, FrontPlan]:
        """The plan for letter number m; the last one is remembered, and serves other letters if it can."""
        if self.planned is not None:
            (last, longest, *what), made, plan = self.planned
            if what == [keep, answer] and (m == last or (last < m <= longest and made.serves(last) and made.serves(m))):
                return made, plan
        longest = self.longest(m)
        made = front(self.network, m, longest)
        wanted = {made.decision} if answer else set()
        if keep:
            wanted |= {*made.kept.values(), *made.rows.values()}
        n = longest if made.serves(m) else m
        plan = FrontPlan(made.needed(wanted), n, frozenset(wanted), made.rows)
        self.planned = (m, longest, keep, answer), made, plan
        self.cast.clear()
        return made, plan

    def longest(self, m: int) -> int:
        """A length up to which one plan may serve: a power of two, if the sums of words of that length are in bounds."""
        longest = 1 << max(m.bit_length(), LEAST_BITS)
        if self.network.domain.most is not None:
            longest = max(m, min(longest, self.network.domain.most))
        try:
            require_ranges(self.network, longest)
        except FomError:
            return m
        return longest

    def read(self, state: State, letters: Integers, m: int, keep: bool, answer: bool) -> tuple[State, Array | None]:
        """Evaluate the network at position m, in chunks that stay in the cache."""
        made, plan = self.plan(m, keep, answer)
        found: list[dict[str, Integers]] = []
        for start in range(0, len(letters), plan.chunk):
            chunk = slice(start, start + plan.chunk)
            plan.earlier = self.earlier(taken(state, np.arange(len(letters))[chunk]), plan)
            found.append(plan.run(self.inputs(state, letters, chunk, made, plan), start))
        values = {name: np.concatenate([part[name] for part in found]) for name in plan.kept}
        decided = None
        if answer:
            readout = self.network.decided
            decided = decisions(readout, self.network.word(readout.decision).format, values[made.decision])
        return (self.next(state, values, m, made) if keep else {}), decided

    def inputs(self, state: State, letters: Integers, chunk: slice, made: Front, plan: FrontPlan) -> Integers:
        """The last letters and the numbers kept, as the network of the last position reads them."""
        places = input_columns(plan.network.inputs)
        total = sum(node.size for node in plan.network.inputs)
        given = np.zeros((len(letters[chunk]), total), dtype=np.int64)
        for name, place in places.items():
            if name == made.letter:
                given[:, place] = letters[chunk, None] == np.arange(place.stop - place.start)
            else:
                given[:, place] = state[NUMBERS][chunk, self.columns[name]]
        return given

    def earlier(self, state: State, plan: FrontPlan) -> dict[str, Array]:
        """The rows of earlier positions: ``(size, m - 1, B)``."""
        result = {}
        for number, parts in enumerate(self.parts):
            for name, columns in parts.items():
                if name in plan.network.by_name:
                    stored, size = self.known[number].stored, len(self.known[number])
                    if self.cast.get(name, (-1, stored))[0] != size:
                        self.cast[name] = size, np.ascontiguousarray(stored[:, columns].T.astype(plan.types[name]))
                    result[name] = self.cast[name][1].take(state[str(number)].T, axis=1)
        return result

    def next(self, state: State, values: dict[str, Integers], m: int, made: Front) -> State:
        """The state after letter number m."""
        old = state[NUMBERS]
        count = len(old)
        numbers = np.zeros((count, self.width), dtype=np.int64)
        for name, source in made.kept.items():
            columns = self.columns[name]
            if name in made.fixed and made.fixed[name] != m:
                numbers[:, columns] = old[:, columns]
            elif source in self.columns:
                numbers[:, columns] = old[:, self.columns[source]]
            else:
                numbers[:, columns] = values[source]
        result: State = {NUMBERS: numbers}
        for number, (names, rows, is_list) in enumerate(zip(self.groups, self.known, self.is_list, strict=True)):
            newest = rows.numbers(np.concatenate([values[made.rows[name]] for name in names], axis=1))
            kind = np.min_scalar_type(max(len(rows) - 1, 0))
            group = np.concatenate([state[str(number)].astype(kind, copy=False), newest[:, None].astype(kind)], axis=1)
            if not is_list:
                group.sort(axis=1)
            result[str(number)] = group
        return result


class WordMachine:
    """Anything that is decided of whole words: its state is the word, so that no two words have the same."""

    def __init__(self, decide: Callable[[Integers], Array]) -> None:
        self.decide = decide

    def start(self) -> State:
        """No letters."""
        return {"word": np.zeros((1, 0), dtype=np.int64)}

    def read(self, state: State, letters: Integers, m: int, keep: bool, answer: bool) -> tuple[State, Array | None]:
        """Append a letter, and decide the word if that is wanted."""
        words = np.concatenate([state["word"], letters[:, None]], axis=1)
        return ({"word": words} if keep else {}), (self.decide(words) if answer else None)
