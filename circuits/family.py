"""Families of threshold circuits: one finite description, independent of n, of a circuit for every length.

A family is a list of entries in topological order. An entry stands for ``size`` objects at every tuple of positions:

* `InputBits`: the bits the circuit reads (letters at positions, or the bits of a fixed-size input);
* `PredicateBits`: constants that depend on positions and n alone;
* `Gates`: threshold gates ``[sum of weights * wires >= threshold]`` with integer weights: the *templates*;
* `Accumulator`: an integer sum of wires that several gates share. It is no gate: a gate that reads an accumulator has, as its
  wires, all wires of that accumulator (`flatten`). Sharing sums keeps a family as small as the network it came from.

Wires lead from a source entry at substituted positions, or from *all* positions y that satisfy a guard (the unbounded fan-in).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from circuits.diagnostics import Diagnostic, FomError
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits
from circuits.flattening import WireCounter
from circuits.formats import BIT, Format
from circuits.network import Domain, Inputs, Readout
from circuits.positions import guard_terms, is_safe, variables_of


@dataclass(frozen=True)
class Family:
    """Entries in topological order with the readout and the domain of n.

    `alphabet` names the letters; `inputs` are the fixed-size inputs, of a family without letters.
    """

    entries: tuple[Entry, ...]
    readout: Readout
    decision_format: Format
    domain: Domain
    alphabet: tuple[str, ...]
    inputs: tuple[Inputs, ...]
    depth_choice: str
    by_name: dict[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {entry.name: entry for entry in self.entries})

    @cached_property
    def levels(self) -> dict[str, int]:
        """Level of every entry: 0 for inputs; a gate is one above everything it reads. The same for every n."""
        levels: dict[str, int] = {}
        for entry in self.entries:
            if isinstance(entry, InputBits | PredicateBits):
                levels[entry.name] = 0
                continue
            below = max((levels[wires.source] for wires in entry.wires if wires.matrix.nnz), default=0)
            levels[entry.name] = below + 1 if isinstance(entry, Gates) else below
        return levels

    @property
    def depth(self) -> int:
        """Number of gate levels, independent of n."""
        return max(self.levels.values(), default=0)

    @property
    def templates(self) -> tuple[Gates, ...]:
        """The gate templates."""
        return tuple(entry for entry in self.entries if isinstance(entry, Gates))

    def gates(self, n: int) -> int:
        """Number of gates at length n."""
        return sum(gates.size * n**gates.n_positions for gates in self.templates)

    def wires(self, n: int) -> int:
        """Number of wires at length n: pairs of a gate and a bit that it reads with a weight other than 0."""
        return self._wire_counter(n)

    @cached_property
    def _wire_counter(self) -> WireCounter:
        return WireCounter(self.entries, self.by_name)

    def is_input(self, entry: InputBits) -> bool:
        """Tell whether an input entry is the letters of this alphabet, or one bit of the words of an input."""
        if not self.inputs:
            return entry.n_positions == 1 and entry.size == len(self.alphabet)
        source = next((node for node in self.inputs if node.name == entry.base), None)
        if source is None or (entry.n_positions, entry.size) != (0, source.size):
            return False
        bits = [f"{entry.base}.{bit}" for bit in range(source.format.bits)]
        return entry.name in bits if source.format != BIT else entry.name == entry.base

    def _repr_html_(self) -> str:
        from circuits.rendering import family_html

        return family_html(self)

    def check(self) -> None:
        """Verify that the parts fit together.

        Raises:
            FomError: with every defect found.
        """
        found: list[Diagnostic] = []
        known: dict[str, Entry] = {}
        summing: set[str] = set()
        if not any(isinstance(entry, InputBits) for entry in self.entries):
            found.append(Diagnostic("C032", "no entry is an input"))
        if self.domain.least < 1:
            found.append(Diagnostic("C032", "the least length is at least 1", where="domain"))
        for entry in self.entries:
            where = f"entry `{entry.name}`"
            if entry.name in known:
                found.append(Diagnostic("C032", "the name is used twice", where=where))
            guards = [(guard, 0) for guard in entry.guards] if isinstance(entry, PredicateBits) else []
            if isinstance(entry, Accumulator) and len(entry.length) != entry.size:
                found.append(Diagnostic("C032", "the constants differ in length", where=where))
            if isinstance(entry, InputBits) and not self.is_input(entry):
                found.append(Diagnostic("C032", "the bits do not fit the input", where=where))
            if isinstance(entry, Gates | Accumulator):
                guards = [(wires.guard, 1) for wires in entry.wires if wires.guard is not None]
                for wires in entry.wires:
                    source = known.get(wires.source)
                    variables = entry.n_positions + (wires.guard is not None)
                    used = variables_of(wires.at)
                    if wires.source in summing:
                        if wires.guard is not None:
                            found.append(
                                Diagnostic("C033", f"`{wires.source}` sums over positions already", where=where)
                            )
                        if isinstance(entry, Accumulator):
                            summing.add(entry.name)
                    elif wires.guard is not None and isinstance(entry, Accumulator):
                        summing.add(entry.name)
                    if source is None:
                        found.append(Diagnostic("C032", f"`{wires.source}` is not an earlier entry", where=where))
                    elif wires.matrix.shape != (entry.size, source.size):
                        found.append(Diagnostic("C032", f"the weights of `{wires.source}` do not fit", where=where))
                    elif len(wires.at) != source.n_positions or not all(0 <= v < variables for v in used):
                        found.append(Diagnostic("C032", f"`{wires.source}` is read at wrong positions", where=where))
                    elif isinstance(source, Accumulator) and not all(
                        is_safe(term, self.domain.least) for term in wires.at
                    ):
                        found.append(
                            Diagnostic("C032", f"the sum `{wires.source}` is read outside the word", where=where)
                        )
            for guard, extra in guards:
                if not all(0 <= v < entry.n_positions + extra for v in variables_of(guard_terms(guard))):
                    found.append(Diagnostic("C032", "a guard has an unbound position", where=where))
            known[entry.name] = entry
        named = (self.readout.decision, self.readout.scores, self.readout.denominator)
        found.extend(
            Diagnostic("C032", f"the readout `{name}` is no entry", where="readout")
            for name in named
            if name is not None and name not in known
        )
        if found:
            raise FomError(*found)
