"""Sums as sparse integer matrices over atoms: what a node of the network asks for, and what an entry of the family adds up.

An atom is (source, position terms, guard): a bit, or an exact value, read at these places, and added over all positions that
satisfy the guard if there is one. The source `ONE` is the constant 1, which is 0 outside of the word. By its contract a word is
``lo + sum 2**k bit_k``, on both sides. Equal matrices are the same sum at every length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.entries import Accumulator, Entry, Gates, PredicateBits
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical, equal, matrix
from circuits.network import Exact, Network, Node
from circuits.positions import TRUE, Guard, Ref, Term, guard_to_data, is_safe, substitute, term_to_data, var
from logic.checker.record import Rejected, require, sha256

Integers = np.ndarray[Any, np.dtype[np.int64]]
Atom = tuple[str, tuple[Term, ...], Guard | None]

ONE = ""
MOST = 2.0**62


def own(count: int) -> tuple[Term, ...]:
    """The position variables of a reader."""
    return tuple(var(number) for number in range(count))


def bits_of(name: str, format_: Format) -> list[str]:
    """The entries of a word's bits, lowest first."""
    return [name] if format_ == BIT else [f"{name}.{bit}" for bit in range(format_.bits)]


def column(values: Any) -> Matrix:
    """A matrix of one column."""
    values = np.asarray(values, dtype=np.int64).ravel()
    return matrix(np.arange(len(values)), np.zeros(len(values), dtype=np.int64), values, (len(values), 1))


def magnitude(weights: Matrix) -> float:
    """The largest sum of magnitudes in a row: a bound that no int64 operation below wraps."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    return float(np.bincount(rows, np.abs(weights.data.astype(np.float64)), 1).max())


def product(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices, within 62 bits."""
    require(magnitude(left) * max(magnitude(right), 1.0) < MOST, "", "its weights need more than 62 bits")
    return canonical(left @ right)


class Sums:
    """One sum for each of `size` elements, as matrices over atoms; no matrix is 0."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.parts: dict[Atom, Matrix] = {}

    def add(self, atom: Atom, weights: Matrix) -> None:
        """Add weighted atoms."""
        found = self.parts.get(atom)
        if found is not None:
            require(magnitude(found) + magnitude(weights) < MOST, "", "its weights need more than 62 bits")
            weights = found + weights
        total = canonical(weights)
        if total.nnz:
            self.parts[atom] = total
        else:
            self.parts.pop(atom, None)

    def add_all(self, other: Sums, weights: Matrix | None = None) -> None:
        """Add other sums, or ``weights @ other``."""
        for atom, given in other.parts.items():
            self.add(atom, given if weights is None else product(weights, given))

    def constants(self) -> Integers:
        """The constant of every element."""
        found = self.parts.get((ONE, (), None))
        return np.zeros(self.size, dtype=np.int64) if found is None else found.toarray().ravel()

    def without_constants(self) -> Sums:
        """The same sums without their constants."""
        result = Sums(self.size)
        result.parts = {atom: weights for atom, weights in self.parts.items() if atom != (ONE, (), None)}
        return result

    def require_equal(self, other: Sums) -> None:
        """Require the same matrices.

        Raises:
            Rejected: naming the first atom with other weights.
        """
        for atom in dict.fromkeys((*self.parts, *other.parts)):
            one, two = self.parts.get(atom), other.parts.get(atom)
            if one is None or two is None or not equal(one, two):
                raise Rejected("", f"the weights of `{atom[0] or '1'}` are not those that are claimed")

    def digest(self) -> str:
        """SHA-256 over all atoms with their coefficients, in the order of their text."""
        lines = []
        for (source, at, guard), weights in self.parts.items():
            rows, columns = weights.tocoo().coords
            where = [source, [term_to_data(term) for term in at], None if guard is None else guard_to_data(guard)]
            entries = np.stack([rows, columns, weights.data]).astype("<i8").tobytes()
            lines.append(f"{where!r} {sha256(entries)}")
        return sha256("\n".join(sorted(lines)).encode())


class Reader:
    """Reads nodes and entries as sums."""

    def __init__(self, network: Network, family: Family) -> None:
        self.network, self.family = network, family
        self.owner: dict[str, Node] = {}
        for node in network.nodes:
            for name in {node.name, *(() if isinstance(node, Exact) else bits_of(node.name, node.format))}:
                require(name not in self.owner and name != ONE, f"`{name}`", "two nodes have entries of that name")
                self.owner[name] = node
        self.known: dict[str, Sums] = {}
        self.down: dict[str, Sums] = {}

    def safe(self, at: tuple[Term, ...]) -> bool:
        """Tell whether places lie inside every word."""
        return all(is_safe(term, self.network.domain.least) for term in at)

    def entry(self, name: str) -> Entry:
        """An entry of the family."""
        require(name in self.family.by_name, f"`{name}`", "there is no such entry")
        return self.family.by_name[name]

    def helper(self, name: str, kind: type) -> bool:
        """Tell whether an entry is a helper of that kind: no node has its name."""
        return name != ONE and name not in self.owner and isinstance(self.entry(name), kind)

    def put(self, sums: Sums, source: str, at: tuple[Term, ...], guard: Guard | None, weights: Matrix) -> None:
        """Add a bit or an exact value; a helper that is true at every position is the constant 1 inside the word."""
        entry = self.family.by_name.get(source)
        always = source not in self.owner and isinstance(entry, PredicateBits) and set(entry.guards) == {TRUE}
        if source == ONE or always:
            outside = {term for term in at if not is_safe(term, self.network.domain.least)}
            at = tuple(sorted(outside, key=term_to_data))
            sums.add((ONE, at, guard), column(weights.sum(axis=1)))
        else:
            sums.add((source, at, guard), weights)

    def put_value(self, sums: Sums, node: Node, at: tuple[Term, ...], guard: Guard | None, weights: Matrix) -> None:
        """Add the value of a node: exact as it is, a word by its bits and its smallest code."""
        if isinstance(node, Exact) or node.format == BIT:
            self.put(sums, node.name, at, guard, weights)
            return
        format_ = node.format
        largest = magnitude(weights) * (abs(float(format_.lo)) + 2.0**format_.bits)
        require(largest < MOST, "", "its weights need more than 62 bits")
        for bit, name in enumerate(bits_of(node.name, format_)):
            self.put(sums, name, at, guard, weights * (1 << bit))
        if format_.lo:
            self.put(sums, ONE, at, guard, weights * format_.lo)

    def value(self, ref: Ref, weights: Matrix, guard: Guard | None = None) -> Sums:
        """``weights @ value(ref)``, as the network means it."""
        sums = Sums(weights.shape[0])
        self.put_value(sums, self.network.by_name[ref.node], ref.at, guard, weights)
        return sums

    def guard(self, guard: Guard | None, n_positions: int) -> Guard | None:
        """A guard with its trivial parts decided."""
        return None if guard is None else substitute(guard, own(n_positions + 1))

    def sums(self, name: str) -> Sums:
        """What an entry adds up, words read by their bits."""
        if name not in self.known:
            entry = self.entry(name)
            if not isinstance(entry, Gates | Accumulator):
                raise Rejected(f"`{name}`", "the entry is no sum")
            result = Sums(entry.size)
            for wires in entry.wires:
                guard, node = self.guard(wires.guard, entry.n_positions), self.owner.get(wires.source)
                if node is not None and node.name == wires.source and isinstance(self.entry(wires.source), Accumulator):
                    self.put_value(result, node, wires.at, guard, wires.matrix)
                else:
                    self.put(result, wires.source, wires.at, guard, wires.matrix)
            if isinstance(entry, Accumulator):
                result.add((ONE, (), None), column(entry.const))
                result.add((ONE, (), TRUE), column(entry.length))
            self.known[name] = result
        return self.known[name]

    def flat(self, name: str) -> Sums:
        """What an accumulator adds up, read through all accumulators: bits and constants."""
        order = [name]
        for reached in order:
            order += [source for source, _, _ in self.sums(reached).parts if self.is_accumulator(source)]
        places = {entry.name: place for place, entry in enumerate(self.family.entries)}
        for inner in sorted(set(order), key=places.__getitem__):
            if inner not in self.down:
                entry = self.entry(inner)
                result = Sums(entry.size)
                for (source, at, guard), weights in self.sums(inner).parts.items():
                    if self.is_accumulator(source):
                        self.put_flat(result, entry.n_positions, source, at, guard, weights)
                    else:
                        result.add((source, at, guard), weights)
                self.down[inner] = result
        return self.down[name]

    def is_accumulator(self, source: str) -> bool:
        """Tell whether a source is a shared sum."""
        return source != ONE and isinstance(self.entry(source), Accumulator)

    def put_flat(
        self, sums: Sums, k: int, source: str, at: tuple[Term, ...], guard: Guard | None, weights: Matrix
    ) -> None:
        """Add what an accumulator adds up, at the places of a reader with k position variables."""
        to = (*at, var(k))
        for (inner, inner_at, inner_guard), given in self.down[source].parts.items():
            require(guard is None or inner_guard is None, "", "a sum over positions inside a sum over positions")
            moved = guard if inner_guard is None else substitute(inner_guard, to)
            self.put(sums, inner, tuple(term.substitute(to) for term in inner_at), moved, product(weights, given))
