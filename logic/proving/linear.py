"""Linear forms: what a family entry adds up, and what a node of the network asks for, in one canonical shape.

A form of size m is a sum of sparse integer matrices times *atoms*. An atom is named by a key (source, position terms, guard):
the elements of a source entry read there, added over all positions y with the guard when there is one. Sources are bits and
exact values; a word is never an atom but ``lo + sum 2**k bit_k``, by its contract. The pseudo-source `ONE` is the constant 1: at
a shifted position it is 1 inside the word and 0 outside, under the guard TRUE it counts n. Two forms with the same matrices
are the same sum, for every input and every length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from circuits.entries import Accumulator, Entry, Gates, PredicateBits, Wires, label
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical, matrix
from circuits.network import Exact, Network, Node
from circuits.positions import TRUE, Guard, Ref, Term, format_term, is_safe, substitute, var

Integers = np.ndarray[Any, np.dtype[np.int64]]
Key = tuple[str, tuple[Term, ...], Guard | None]

ONE = ""
LIMIT = 2.0**62


class Unfit(Exception):
    """A family that cannot be compared at all in some place, and why."""


def own_variables(count: int) -> tuple[Term, ...]:
    """The position variables of a reader, as terms."""
    return tuple(var(index) for index in range(count))


def bit_names(name: str, format_: Format) -> list[str]:
    """The entries of the bits of a word, lowest first; a word of a single bit is its own bit."""
    return [name] if format_ == BIT else [f"{name}.{bit}" for bit in range(format_.bits)]


def clean(given: Matrix) -> Matrix:
    """The matrix in canonical form; itself, if it is."""
    return given if given.dtype == np.int64 and given.has_canonical_format and given.data.all() else canonical(given)


def largest(weights: Matrix) -> float:
    """The largest magnitude in a matrix, as a float, which cannot wrap."""
    return float(np.abs(weights.data.astype(np.float64)).max(initial=0.0))


def heaviest_row(weights: Matrix) -> float:
    """The largest sum of magnitudes in a row."""
    rows = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
    return float(np.bincount(rows, np.abs(weights.data.astype(np.float64)), 1).max())


def compose(left: Matrix, right: Matrix) -> Matrix:
    """The product of two matrices.

    Raises:
        Unfit: it may need more than 62 bits.
    """
    if heaviest_row(left) * largest(right) >= LIMIT:
        raise Unfit("its weights need more than 62 bits")
    return canonical(left @ right)


def times(weights: Matrix, factor: int) -> Matrix:
    """A multiple of a matrix.

    Raises:
        Unfit: it may need more than 62 bits.
    """
    if largest(weights) * abs(factor) >= LIMIT:
        raise Unfit("its weights need more than 62 bits")
    return clean(weights * factor)


def column(values: Any) -> Matrix:
    """A matrix of one column."""
    values = np.asarray(values, dtype=np.int64).ravel()
    return matrix(np.arange(len(values)), np.zeros(len(values), dtype=np.int64), values, (len(values), 1))


class Form:
    """A sum of matrices times atoms; no matrix is 0."""

    __slots__ = ("parts", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.parts: dict[Key, Matrix] = {}

    def add(self, key: Key, weights: Matrix) -> None:
        """Add weighted atoms.

        Raises:
            Unfit: a weight would need more than 62 bits.
        """
        found = self.parts.get(key)
        total = weights if found is None else canonical(found + weights)
        if largest(total) >= LIMIT:
            raise Unfit("its weights need more than 62 bits")
        if total.nnz:
            self.parts[key] = total
        else:
            self.parts.pop(key, None)

    def add_form(self, other: Form, weights: Matrix) -> None:
        """Add ``weights @ other``."""
        for key, inner in other.parts.items():
            self.add(key, compose(weights, inner))

    def constants(self) -> Integers:
        """The constant of every element."""
        found = self.parts.get((ONE, (), None))
        return np.zeros(self.size, dtype=np.int64) if found is None else found.toarray().ravel()

    def without(self, keys: Sequence[Key]) -> Form:
        """The same form without some atoms."""
        result = Form(self.size)
        result.parts = {key: weights for key, weights in self.parts.items() if key not in keys}
        return result


def differing(left: Form, right: Form) -> Iterator[tuple[Key, Matrix]]:
    """The atoms of which two forms have different multiples, with the differences (left less right)."""
    for key in dict.fromkeys((*left.parts, *right.parts)):
        one, other = left.parts.get(key), right.parts.get(key)
        difference = canonical(
            one - other if one is not None and other is not None else one if other is None else -other
        )
        if difference.nnz:
            yield key, difference


class Reader:
    """Reads nodes of a network and entries of a family as linear forms."""

    def __init__(self, network: Network, family: Family) -> None:
        self.network = network
        self.family = family
        self.words: dict[str, Node] = {}
        self.forms: dict[str, Form] = {}
        self.flat_forms: dict[str, Form] = {}
        self.places = {entry.name: place for place, entry in enumerate(family.entries)}
        self.owner: dict[str, Node] = {}
        for node in network.nodes:
            for name in {node.name, *(() if isinstance(node, Exact) else bit_names(node.name, node.format))}:
                if name in self.owner or name == ONE:
                    raise Unfit(f"`{name}` names entries of two nodes")
                self.owner[name] = node

    def entry(self, name: str) -> Entry:
        """An entry of the family."""
        return self.family.by_name[name]

    def is_local(self, name: str) -> bool:
        """Tell whether an entry belongs to no node by its name: a helper of whoever reads it."""
        return name not in self.owner

    def guard(self, guard: Guard | None, n_positions: int) -> Guard | None:
        """A guard with its trivial parts decided."""
        return None if guard is None else substitute(guard, own_variables(n_positions + 1))

    def put(self, form: Form, source: str, at: tuple[Term, ...], guard: Guard | None, weights: Matrix) -> None:
        """Add a source that is no word; a helper predicate that is true everywhere is the constant 1."""
        entry = self.family.by_name.get(source)
        always = isinstance(entry, PredicateBits) and self.is_local(source) and all(g == TRUE for g in entry.guards)
        if always or source == ONE:
            total = weights.sum(axis=1)
            if heaviest_row(weights) >= LIMIT:
                raise Unfit("its weights need more than 62 bits")
            least = self.network.domain.least
            outside = {term for term in at if not is_safe(term, least)}
            shifted = tuple(sorted(outside, key=lambda term: (term.coefs, term.n_coef, term.const)))
            form.add((ONE, shifted, guard), column(total))
        else:
            form.add((source, at, guard), clean(weights))

    def put_word(self, form: Form, node: Node, at: tuple[Term, ...], guard: Guard | None, weights: Matrix) -> None:
        """Add a node's value: an exact value as it is, a word by its bits and its smallest code."""
        if isinstance(node, Exact) or node.format == BIT:
            self.put(form, node.name, at, guard, weights)
            return
        for bit, name in enumerate(bit_names(node.name, node.format)):
            self.put(form, name, at, guard, times(weights, 1 << bit))
        if node.format.lo:
            self.put(form, ONE, at, guard, times(weights, node.format.lo))

    def value(self, ref: Ref, weights: Matrix, guard: Guard | None = None) -> Form:
        """``weights @ value(ref)`` as the network means it, added over a guard."""
        form = Form(weights.shape[0])
        self.put_word(form, self.network.by_name[ref.node], ref.at, guard, weights)
        return form

    def value_of_bits(self, node: Node, at: tuple[Term, ...], weights: Matrix) -> Form:
        """``weights @ value`` of a word at some positions, by its bits."""
        form = Form(weights.shape[0])
        self.put_word(form, node, at, None, weights)
        return form

    def form(self, name: str) -> Form:
        """What an entry of gates or an accumulator adds up: accumulators of words become bits, all others stay."""
        if name not in self.forms:
            entry = self.entry(name)
            if not isinstance(entry, Gates | Accumulator):
                raise Unfit(f"`{name}` is no sum")
            form = Form(entry.size)
            for wires in entry.wires:
                self.put_wires(form, entry, wires)
            if isinstance(entry, Accumulator):
                form.add((ONE, (), None), column(entry.const))
                form.add((ONE, (), TRUE), column(entry.length))
            self.forms[name] = form
        return self.forms[name]

    def put_wires(self, form: Form, reader: Gates | Accumulator, wires: Wires) -> None:
        """Add one bundle of wires."""
        guard = self.guard(wires.guard, reader.n_positions)
        node = self.owner.get(wires.source)
        if node is not None and wires.source == node.name and isinstance(self.entry(wires.source), Accumulator):
            self.put_word(form, node, wires.at, guard, wires.matrix)
        else:
            self.put(form, wires.source, wires.at, guard, wires.matrix)

    def flat(self, name: str) -> Form:
        """What an entry adds up, through all accumulators, down to bits.

        Raises:
            Unfit: a sum over positions inside a sum over positions.
        """
        for inner in self.accumulators(name):
            if inner not in self.flat_forms:
                entry = self.entry(inner)
                result = Form(entry.size)
                for (source, at, guard), weights in self.form(inner).parts.items():
                    if source in self.flat_forms:
                        self.put_flat(result, entry.n_positions, source, at, guard, weights)
                    else:
                        result.add((source, at, guard), weights)
                self.flat_forms[inner] = result
        return self.flat_forms[name]

    def put_flat(
        self, form: Form, k: int, source: str, at: tuple[Term, ...], guard: Guard | None, weights: Matrix
    ) -> None:
        """Add an accumulator by its own flat form, moved to the reader's positions."""
        for (inner, inner_at, inner_guard), inner_weights in self.flat_forms[source].parts.items():
            if guard is not None and inner_guard is not None:
                raise Unfit("a sum over positions inside a sum over positions")
            to = (*at, var(k))
            moved = guard if inner_guard is None else substitute(inner_guard, to)
            self.put(form, inner, tuple(t.substitute(to) for t in inner_at), moved, compose(weights, inner_weights))

    def accumulators(self, name: str) -> list[str]:
        """An entry with the accumulators that it reads, directly or not, sources first."""
        seen = {name}
        stack = [name]
        while stack:
            for source, _, _ in self.form(stack.pop()).parts:
                if source != ONE and source not in seen and isinstance(self.entry(source), Accumulator):
                    seen.add(source)
                    stack.append(source)
        return sorted(seen, key=self.places.__getitem__)

    def describe(self, key: Key, element: int) -> str:
        """An atom in words, e.g. ``q[3].2 at (x-1)``."""
        source, at, guard = key
        names = ("x", "y", "z", "u", "v", *(f"x{v}" for v in range(5, 100)))
        place = ", ".join(format_term(term, names) for term in at)
        summed = "" if guard is None else ", added over positions"
        if source == ONE:
            return f"the constant 1{f' at ({place})' if at else ''}{summed}"
        return f"`{label(self.entry(source), element)}`{f' at ({place})' if at else ''}{summed}"
