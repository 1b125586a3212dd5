"""Programs that run along a word: registers, what is computed of them and the last letter, and what they hold next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Compute = Callable[["Moment"], Any]


@dataclass
class Moment:
    """Where a program stands: m letters are read, the last ones of many words and the registers before them are known."""

    m: int
    letters: Integers
    registers: Integers
    values: dict[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A value that is computed from those of earlier steps."""

    reads: tuple[int, ...]
    compute: Compute


class Program:
    """Steps in order, and registers; a register starts with 0 and then holds what a step has computed."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.next: dict[int, int] = {}
        self.columns: dict[int, int] = {}
        self.delays: dict[tuple[int, int], int] = {}

    def add(self, reads: Iterable[int], compute: Compute) -> int:
        """Add a step; return its number."""
        self.steps.append(Step(tuple(reads), compute))
        return len(self.steps) - 1

    def register(self) -> int:
        """Add a step that reads a new register."""
        number = len(self.steps)
        return self.add((), lambda at: at.registers[:, self.columns[number]])

    def accumulated(self, value: int, combine: Callable[[Any, Any], Any]) -> int:
        """A step whose value is combined of its last value, 0 at first, and that of another step."""
        register = self.register()
        step = self.add((register, value), lambda at: combine(at.values[register], at.values[value]))
        self.next[register] = step
        self.delays[step, 1] = register
        return step

    def delayed(self, value: int, distance: int) -> int:
        """The value that a step had so many letters ago, 0 if there were fewer."""
        for back in range(1, distance + 1):
            if (value, back) not in self.delays:
                register = self.register()
                self.next[register] = self.delays[value, back - 1] if back > 1 else value
                self.delays[value, back] = register
        return self.delays[value, distance] if distance else value

    def latched(self, value: int, position: int) -> int:
        """The value that a step had at a position, 0 before that."""
        register = self.register()
        step = self.add((register, value), lambda at: at.values[value] if at.m == position else at.values[register])
        self.next[register] = step
        return step

    def finish(self, wanted: list[int]) -> tuple[list[int], list[int]]:
        """Number the registers that the wanted steps need; return the steps for the registers, and those for all."""
        everything = self.closure(wanted)
        registers = sorted(number for number in everything if number in self.next)
        self.columns = {number: column for column, number in enumerate(registers)}
        return sorted(self.reached([self.next[number] for number in registers])), sorted(everything)

    def closure(self, wanted: list[int]) -> set[int]:
        """All steps that some need, now or before."""
        found: set[int] = set()
        pending = list(wanted)
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending += [*self.steps[number].reads, *([self.next[number]] if number in self.next else [])]
        return found

    def reached(self, wanted: list[int]) -> set[int]:
        """All steps that some need now."""
        found: set[int] = set()
        pending = list(wanted)
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending += self.steps[number].reads
        return found

    def run(self, steps: list[int], at: Moment) -> None:
        """Compute steps."""
        for number in steps:
            at.values[number] = self.steps[number].compute(at)

    def after(self, at: Moment) -> Integers:
        """The registers after this moment."""
        result = np.zeros((len(at.letters), len(self.columns)), dtype=np.int64)
        for number, column in self.columns.items():
            result[:, column] = at.values[self.next[number]]
        return result
