"""Products of two words, as polynomials in bits: coefficients of single bits and of ANDs of two bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.entries import Gates
from circuits.matrices import identity
from circuits.network import Product
from circuits.positions import Ref, Term
from logic.checker.forms import ONE, Reader, own
from logic.checker.record import Record, Rejected, Step, require

Integers = np.ndarray[Any, np.dtype[np.int64]]

NOTHING = -1
"""The number of the factor 1."""


class Numbers:
    """Numbers for bits at places: one range for each source."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.first: dict[tuple[str, tuple[Term, ...]], int] = {}
        self.total = 0

    def of(self, source: str, at: tuple[Term, ...]) -> int:
        """The number of the first bit of a source; the constant 1 inside the word is a bit at shifted places."""
        if (source, at) == (ONE, ()):
            return NOTHING
        if (source, at) not in self.first:
            require(not self.reader.is_accumulator(source), "", f"`{source}` is no bit")
            self.first[source, at] = self.total
            self.total += 1 if source == ONE else self.reader.entry(source).size
        return self.first[source, at]


def collected(parts: list[list[Any]]) -> Integers:
    """Monomials (element, bit, bit, coefficient), the smaller bit first, added up and without zeros.

    The square of a bit is the bit; a single bit stands twice.
    """
    rows = [np.stack([np.ravel(axis).astype(np.int64) for axis in np.broadcast_arrays(*part)]) for part in parts]
    terms = np.concatenate([np.zeros((4, 0), dtype=np.int64), *rows], axis=1)
    require(np.abs(terms[3].astype(np.float64)).sum() < 2.0**62, "", "its coefficients need more than 62 bits")
    one, two = terms[1], terms[2]
    one, two = np.where(one == NOTHING, two, one), np.where(two == NOTHING, one, two)
    keys, place = np.unique(
        np.stack([terms[0], np.minimum(one, two), np.maximum(one, two)]), axis=1, return_inverse=True
    )
    sums = np.zeros(keys.shape[1], dtype=np.int64)
    np.add.at(sums, np.ravel(place), terms[3])
    return np.concatenate([keys, sums[None]])[:, sums != 0]


def factor(reader: Reader, numbers: Numbers, ref: Ref, index: Integers) -> list[tuple[Integers, Integers]]:
    """A word as bits and coefficients, for every element of the product."""
    found = []
    for (source, at, _), weights in reader.value(ref, identity(reader.network.by_name[ref.node].size)).parts.items():
        first = numbers.of(source, at)
        if source == ONE:
            found.append((np.full(len(index), first), weights.toarray().ravel()[index]))
        else:
            found.append((first + index, weights.diagonal()[index]))
    return found


def check_product(reader: Reader, record: Record, node: Product) -> Step:
    """Replay a product: the polynomial of its accumulator is the product of two words."""
    numbers, elements = Numbers(reader), np.arange(node.size)
    wanted = [
        [elements, one, two, left * right]
        for one, left in factor(reader, numbers, node.left, node.left_index)
        for two, right in factor(reader, numbers, node.right, node.right_index)
        if float(np.abs(left).max(initial=0)) * float(np.abs(right).max(initial=0)) < 2.0**62 or too_large()
    ]
    found: list[list[Any]] = []
    for (source, at, guard), weights in reader.sums(node.name).parts.items():
        require(guard is None, "", f"it adds `{source or '1'}` over positions")
        rows, columns = weights.tocoo().coords
        if reader.helper(source, Gates):
            require(at == own(node.n_positions), f"`{source}`", "it is read at other positions")
            one, two = conjunctions(reader, numbers, source)
            found.append([rows, one[columns], two[columns], weights.tocoo().data])
            record.count("gates", len(columns))
        else:
            first = numbers.of(source, at)
            bits = np.full(len(columns), first) if source == ONE else first + columns
            found.append([rows, bits, bits, weights.tocoo().data])
    terms = collected(found)
    require(np.array_equal(terms, collected(wanted)), "", "its coefficients are not those of the product")
    record.count("coefficients", terms.shape[1])
    return {"by": "polynomial"}


def too_large() -> bool:
    """Reject coefficients that may wrap."""
    raise Rejected("", "its coefficients need more than 62 bits")


def conjunctions(reader: Reader, numbers: Numbers, name: str) -> tuple[Integers, Integers]:
    """The two bits that each gate of a template conjoins: two wires of weight 1, or one of weight 2, and threshold 2."""
    entry, sums = reader.entry(name), reader.sums(name)
    parts = [np.zeros((2, 0), dtype=np.int64)]
    for (source, at, guard), weights in sums.parts.items():
        counted = ((weights.data == 1) | (weights.data == 2)).all()
        require(guard is None and counted, f"`{name}`", "its gates are no ANDs of two bits")
        rows, columns = (np.repeat(axis, weights.tocoo().data) for axis in weights.tocoo().coords)
        first = numbers.of(source, at)
        require(first != NOTHING, f"`{name}`", "its gates read a constant")
        parts.append(np.stack([rows, first + columns]))
    wires = np.concatenate(parts, axis=1)
    wires = wires[:, np.argsort(wires[0], kind="stable")]
    pairs = np.array_equal(wires[0], np.repeat(np.arange(sums.size), 2))
    is_and = isinstance(entry, Gates) and bool((entry.thresholds == 2).all())
    require(pairs and is_and, f"`{name}`", "its gates are no ANDs of two bits")
    return wires[1, ::2], wires[1, 1::2]
