"""What is asked about a box of input codes: can the nodes of a network satisfy linear inequalities over the integers?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Network
from logic.boxes.outward import Integers, Reals

Truths = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Inequality:
    """``sum(coefs[node] * value(node)) <= bound``, in exact integers of any size; absent nodes have coefficient 0."""

    coefs: tuple[tuple[str, tuple[int, ...]], ...]
    bound: int

    def excess(self, values: Mapping[str, Integers]) -> Any:
        """The left side less the bound for a batch of values ``(B, size)``, exact: int64 or, beyond, Python's integers."""
        reach = abs(self.bound)
        for name, given in self.coefs:
            largest = int(np.abs(values[name]).max(initial=0))
            reach += sum(map(abs, given)) * largest
        kind: Any = np.int64 if reach < 1 << 62 else object
        total: Any = np.array(-self.bound, dtype=kind)
        for name, given in self.coefs:
            total = total + values[name].astype(kind) @ np.array(given, dtype=kind)
        return total


@dataclass(frozen=True, eq=False)
class Question:
    """Is there a code in the box, ``low <= code <= high``, at which all inequalities of one of the conjunctions hold?"""

    low: Integers
    high: Integers
    conjunctions: tuple[tuple[Inequality, ...], ...]

    @property
    def n_codes(self) -> int:
        """How many inputs the box has."""
        return count_codes(self.low, self.high)

    @cached_property
    def inequalities(self) -> tuple[Inequality, ...]:
        """All inequalities, each once."""
        return tuple(dict.fromkeys(one for conjunction in self.conjunctions for one in conjunction))

    @cached_property
    def members(self) -> tuple[Integers, ...]:
        """For each conjunction the numbers of its inequalities."""
        place = {one: number for number, one in enumerate(self.inequalities)}
        return tuple(np.array([place[one] for one in conjunction], dtype=np.int64) for conjunction in self.conjunctions)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that the inequalities speak of."""
        return tuple(dict.fromkeys(name for one in self.inequalities for name, _ in one.coefs))

    @cached_property
    def coefs(self) -> dict[str, Reals]:
        """The coefficients of all inequalities in float64, each rounded at most once: ``(A, size)`` for each node."""
        sizes = {name: len(given) for one in self.inequalities for name, given in one.coefs}
        found = {name: np.zeros((len(self.inequalities), size)) for name, size in sizes.items()}
        for number, one in enumerate(self.inequalities):
            for name, given in one.coefs:
                found[name][number] = [float(number) for number in given]
        return found

    @cached_property
    def limits(self) -> Reals:
        """The bounds of all inequalities in float64, rounded up."""
        return np.array([np.nextafter(float(one.bound), np.inf) if abs(one.bound) > 1 << 53 else float(one.bound)
                         for one in self.inequalities])  # fmt: skip

    def excesses(self, network: Network, codes: Integers) -> tuple[Any, Truths]:
        """Evaluate inputs exactly.

        Returns:
            For each input and each conjunction the largest excess of an inequality, as float64; and where the conjunction holds.

        Raises:
            FomError: the network has no value at one of them.
        """
        found = evaluate(network, codes, wanted=self.nodes)
        values = {name: found[name].reshape(len(codes), -1) for name in self.nodes}
        exact = [one.excess(values) for one in self.inequalities]
        over = np.zeros((len(codes), len(self.conjunctions)))
        holds = np.zeros((len(codes), len(self.conjunctions)), dtype=bool)
        for number, members in enumerate(self.members):
            worst = np.stack([np.broadcast_to(exact[member], len(codes)) for member in members]).max(axis=0)
            over[:, number] = worst.astype(np.float64)
            holds[:, number] = worst <= 0
        return over, holds


def count_codes(low: Integers, high: Integers) -> int:
    """The number of integer points of a box."""
    total = 1
    for width in (high - low + 1).tolist():
        total *= max(width, 0)
    return total
