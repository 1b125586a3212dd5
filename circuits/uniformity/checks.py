"""The record of a check, and the two checks that read the description: bounded operations (U1) and fan-in (U2)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.entries import Gates, InputBits, PredicateBits
from circuits.uniformity.description import Description, Kind
from circuits.uniformity.machine import Machine, Word
from circuits.uniformity.programs import constant, edge, node, threshold

Integers = np.ndarray[Any, np.dtype[np.int64]]

IDS_FOR_EACH_PAIR = 3
IDS_AT_RANDOM = 20


@dataclass(frozen=True)
class Check:
    """One property of uniformity: whether it holds, with figures, what was looked at, and a counterexample if it fails."""

    name: str
    claim: str
    holds: bool
    figures: dict[str, int | str]
    scope: str
    counterexample: str = ""


@dataclass(frozen=True)
class Cost:
    """The word operations of a program, and the bits of its widest word."""

    operations: int
    by_kind: dict[str, int]
    widest: int


def cost_of(program: Callable[..., Word], description: Description, n: int, *ids: int) -> Cost:
    """Run a program on a fresh machine."""
    machine = Machine()
    program(description, n, *ids, machine)
    return Cost(machine.operations, machine.counts, machine.widest)


def random_node(description: Description, n: int, number: int, rng: random.Random) -> int:
    """The id of a random node of a kind."""
    kind = description.kinds[number]
    positions = [rng.randint(1, n) for _ in range(kind.n_positions)]
    return int(description.layout.encode(n, number, positions, rng.randrange(kind.size)))


def pairs_by_program(description: Description) -> dict[object, list[tuple[int, int]]]:
    """The pairs of kinds that have rules, by the shape of their program."""
    found: dict[object, list[tuple[int, int]]] = {}
    for pair, rules in description.rules.items():
        shape = tuple(
            (rule.places, rule.table.rows is None, rule.table.bits if rule.places.counted else 0) for rule in rules
        )
        found.setdefault(shape, []).append(pair)
    return found


def bounded_operations(description: Description, lengths: Sequence[int], seed: int = 0) -> Check:
    """U1: every program executes the same number of word operations at every length.

    At the first length the edges between all pairs of kinds are asked for; at the others, those between one pair for each
    shape of program, always on random nodes of these kinds and on random ids.
    """
    rng = random.Random(seed)
    kinds = range(len(description.kinds))
    pairs = pairs_by_program(description)
    known: dict[tuple[str, object], tuple[int, int]] = {}
    largest: dict[str, Cost] = {}
    spare = 0
    runs = 0
    wrong = ""

    def record(program: str, key: object, n: int, cost: Cost) -> None:
        nonlocal wrong, spare, runs
        runs += 1
        spare = max(spare, cost.widest - description.layout.width(n))
        seen = known.setdefault((program, key), (cost.operations, n))
        if seen[0] != cost.operations and not wrong:
            wrong = f"{program}: {seen[0]} operations at n = {seen[1]}, {cost.operations} at n = {n}"
        if program not in largest or cost.operations > largest[program].operations:
            largest[program] = cost

    def ask(n: int, reader: int, source: int) -> None:
        i, j = random_node(description, n, source, rng), random_node(description, n, reader, rng)
        record("edge", (reader, source), n, cost_of(edge, description, n, i, j))

    for number, n in enumerate(lengths):
        for members in pairs.values():
            for reader, source in members if not number else members[:1]:
                for _ in range(IDS_FOR_EACH_PAIR if number else 1):
                    ask(n, reader, source)
        for place in kinds:
            kind = description.kinds[place]
            i = random_node(description, n, place, rng)
            if kind.threshold is not None:
                record("threshold", place, n, cost_of(threshold, description, n, i))
            elif isinstance(kind.entry, PredicateBits):
                element = i & ((1 << description.layout.element_bits) - 1)
                ran = cost_of(constant, description, n, i)
                record("constant", (place, element), n, ran)
        for _ in range(IDS_AT_RANDOM):
            i, j = (rng.getrandbits(description.layout.width(n) + 1) for _ in range(2))
            record("node", None, n, cost_of(node, description, n, i))
            cost = cost_of(edge, description, n, i, j)
            reader, source = (int(node(description, n, each)) for each in (j, i))
            record("edge", (reader, source) if (reader, source) in description.rules else None, n, cost)
    figures: dict[str, int | str] = {f"{program} at most": cost.operations for program, cost in sorted(largest.items())}
    figures["shapes of edge"] = len(pairs)
    figures["widest word"] = f"{max(0, spare)} bits more than an id" if spare > 0 else "an id"
    return Check(
        "U1",
        "node and edge take a number of word operations that does not depend on n",
        not wrong,
        figures,
        f"{runs:,} runs at {lengths_text(lengths)}, the same count at every n",
        wrong,
    )


def lengths_text(lengths: Iterable[int]) -> str:
    """Lengths in words, runs of them together, e.g. ``n = 1..16, 64``; large powers of 2 as powers."""
    runs: list[list[int]] = []
    for n in sorted(set(lengths)):
        if runs and runs[-1][-1] == n - 1:
            runs[-1].append(n)
        else:
            runs.append([n])

    def text(n: int) -> str:
        return f"2^{n.bit_length() - 1}" if n >= 1 << 16 and n & (n - 1) == 0 else f"{n:,}"

    parts = [text(run[0]) if len(run) == 1 else f"{text(run[0])}..{text(run[-1])}" for run in runs]
    return "n = " + ", ".join(parts) if parts else "no length"


@dataclass(frozen=True, eq=False)
class FanIn:
    """The most wires that the gates of a kind have, for each element: ``once + every * n``."""

    once: Integers
    every: Integers


def fan_in_of(kind: Kind) -> FanIn:
    """The bound on the fan-in of a kind, read off its rules: a constant list, and for each guard all y that satisfy it."""
    once, every = np.zeros(kind.size, dtype=np.int64), np.zeros(kind.size, dtype=np.int64)
    for rule in kind.rules:
        if rule.places.guard is None or rule.places.counted:
            once += rule.table.row_sizes
        else:
            every += rule.table.row_sizes
    return FanIn(once, every)


@dataclass(frozen=True, eq=False)
class Observed:
    """How many wires some gates of a kind were found to have at a length."""

    n: int
    kind: str
    elements: Integers
    fan_in: Integers


def finite_kinds(description: Description, observed: Sequence[Observed]) -> Check:
    """U2: finitely many kinds of nodes; a gate reads a constant list, and all y that satisfy one of finitely many guards."""
    bounds = {kind.name: fan_in_of(kind) for kind in description.kinds if kind.threshold is not None}
    wrong = ""
    gates = 0
    for seen in observed:
        bound = bounds[seen.kind]
        most = bound.once[seen.elements] + bound.every[seen.elements] * seen.n
        gates += len(most)
        over = np.flatnonzero(seen.fan_in > most)
        if len(over) and not wrong:
            at = int(over[0])
            wrong = (
                f"n = {seen.n}: a gate of `{seen.kind}`, element {seen.elements[at]}, has {seen.fan_in[at]} wires, "
                f"its rules admit {most[at]}"
            )
    entries = [kind.entry for kind in description.kinds]
    guards = {rule.places.guard for kind in description.kinds for rule in kind.rules} - {None}
    figures: dict[str, int | str] = {
        "kinds of gates": sum(isinstance(entry, Gates) for entry in entries),
        "kinds of inputs": sum(isinstance(entry, InputBits) for entry in entries),
        "kinds of constants": sum(isinstance(entry, PredicateBits) for entry in entries),
        "rules": sum(len(kind.rules) for kind in description.kinds),
        "guards": len(guards),
        "largest fan-in": fan_in_text(bounds.values()),
    }
    return Check(
        "U2",
        "finitely many kinds of nodes; a gate reads a constant list and all y with a guard",
        not wrong,
        figures,
        f"{gates:,} gates counted at {lengths_text(seen.n for seen in observed)}",
        wrong,
    )


def fan_in_text(bounds: Iterable[FanIn]) -> str:
    """The largest fan-in as a linear function of n."""
    pairs = [(int(every), int(once)) for bound in bounds for every, once in zip(bound.every, bound.once, strict=True)]
    every, once = max(pairs, default=(0, 0))
    if not every:
        return f"{once:,}"
    return f"{every:,}*n + {once:,}" if once else f"{every:,}*n"
