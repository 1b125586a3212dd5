"""Products: the accumulator as a polynomial in bits equals the product of two words.

An AND gate of two bits is a monomial, and ``b * b = b`` for a bit. Both sides become lists of (element, bit, bit, coefficient);
they are the same polynomial, hence the same function, iff the coefficients agree.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from circuits.entries import Gates, InputBits, PredicateBits
from circuits.matrices import identity
from circuits.network import Product
from circuits.positions import Ref, Term
from logic.proving.gadgets import shifted
from logic.proving.linear import ONE, Form, Reader, Unfit, own_variables
from logic.proving.session import Session

Integers = np.ndarray[Any, np.dtype[np.int64]]
Place = tuple[str, tuple[Term, ...]]

CONSTANT = -1


class Bits:
    """Numbers for bits: one range for each (entry, position terms)."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.starts: dict[Place, int] = {}
        self.count = 0

    def number(self, source: str, at: tuple[Term, ...]) -> int:
        """The number of the first element of an entry read somewhere.

        Raises:
            Unfit: it is no bit.
        """
        if (source, at) not in self.starts:
            entry = None if source == ONE else self.reader.entry(source)
            if entry is not None and not isinstance(entry, Gates | InputBits | PredicateBits):
                raise Unfit(f"`{source}` is no bit")
            self.starts[source, at] = self.count
            self.count += 1 if entry is None else entry.size
        return self.starts[source, at]

    def describe(self, number: int) -> str:
        """The name of a bit."""
        for (source, at), start in reversed(self.starts.items()):
            if start <= number:
                return self.reader.describe((source, at, None), number - start)
        return "1"


class Polynomial:
    """Coefficients of monomials of at most two bits, for each element; appended in bulk."""

    def __init__(self) -> None:
        self.parts: list[Integers] = [np.zeros((4, 0), dtype=np.int64)]

    def add(self, elements: Any, left: Any, right: Any, weights: Any) -> None:
        """Add monomials; a linear one has the same bit twice, the constant has `CONSTANT` twice."""
        left, right = np.broadcast_arrays(left, right)
        left = np.where(left == CONSTANT, right, left)
        right = np.where(right == CONSTANT, left, right)
        rows = np.broadcast_arrays(elements, np.minimum(left, right), np.maximum(left, right), weights)
        self.parts.append(np.stack([np.ravel(row).astype(np.int64) for row in rows]))

    def normalized(self) -> Integers:
        """The monomials (element, bit, bit) with their coefficients, sorted, without zeros; shape (4, count).

        Raises:
            Unfit: a coefficient may need more than 62 bits.
        """
        terms = np.concatenate(self.parts, axis=1)
        if np.abs(terms[3].astype(np.float64)).sum() >= 2.0**62:
            raise Unfit("its coefficients need more than 62 bits")
        terms = terms[:, np.lexsort(terms[2::-1])]
        if not terms.shape[1]:
            return terms
        new = np.concatenate([[True], (np.diff(terms[:3], axis=1) != 0).any(axis=0)])
        starts = np.flatnonzero(new)
        terms = np.concatenate([terms[:3, starts], np.add.reduceat(terms[3], starts)[None]])
        return terms[:, terms[3] != 0]


def factor(reader: Reader, bits: Bits, ref: Ref, index: Integers) -> list[tuple[Integers, Integers]]:
    """A word as a sum of bits: for each summand the bit's number and its coefficient, for every element of the product."""
    size = reader.network.by_name[ref.node].size
    result = []
    for (source, at, _), weights in reader.value(ref, identity(size)).parts.items():
        if source == ONE:
            numbers = np.full(len(index), bits.number(ONE, at) if at else CONSTANT)
            result.append((numbers, weights.toarray().ravel()[index]))
        else:
            result.append((bits.number(source, at) + index, weights.diagonal()[index]))
    return result


def and_gates(reader: Reader, bits: Bits, name: str) -> tuple[Integers, Integers, Integers]:
    """The two bits that each gate of a template conjoins, and which gates are such conjunctions.

    A gate of one bit is that bit twice.
    """
    entry = reader.entry(name)
    if not isinstance(entry, Gates):
        raise Unfit(f"`{name}` is no gate")
    form = reader.form(name)
    parts = [np.zeros((3, 0), dtype=np.int64)]
    wrong = np.zeros(entry.size, dtype=bool)
    for (source, at, guard), weights in form.parts.items():
        rows, columns = weights.tocoo().coords
        if guard is not None:
            wrong[rows] = True
        elif (source, at) != (ONE, ()):
            parts.append(np.stack([rows, bits.number(source, at) + columns, weights.tocoo().data]).astype(np.int64))
    thresholds = shifted(entry.thresholds, form.constants())
    terms = np.concatenate(parts, axis=1)
    terms = terms[:, np.argsort(terms[0], kind="stable")]
    starts = np.searchsorted(terms[0], np.arange(entry.size + 1))
    count = np.diff(starts)
    if not terms.shape[1]:
        return (
            np.zeros(entry.size, dtype=np.int64),
            np.zeros(entry.size, dtype=np.int64),
            np.zeros(entry.size, dtype=bool),
        )
    one = np.minimum(starts[:-1], terms.shape[1] - 1)
    two = np.where(count == 2, np.minimum(one + 1, terms.shape[1] - 1), one)
    first, second = terms[2][one], terms[2][two]
    total = np.where(count == 2, first.astype(object) + second, first)
    fires = (thresholds > 0) & (total >= thresholds).astype(bool)
    alone = (count == 1) | ((first < thresholds) & (second < thresholds))
    return terms[1][one], terms[1][two], ~wrong & fires & alone & ((count == 1) | (count == 2))


def expand(reader: Reader, bits: Bits, form: Form, own: tuple[Term, ...]) -> tuple[Polynomial, list[tuple[str, int]]]:
    """The polynomial of an accumulator, and the gates in it that are no conjunctions of two bits."""
    result = Polynomial()
    wrong = []
    for (source, at, guard), weights in form.parts.items():
        coo = weights.tocoo()
        rows, columns = coo.coords
        if guard is not None:
            raise Unfit(f"it adds {reader.describe((source, at, guard), int(columns[0]))}")
        if (source, at) == (ONE, ()):
            result.add(rows, CONSTANT, CONSTANT, coo.data)
        elif source != ONE and reader.is_local(source) and isinstance(reader.entry(source), Gates) and at == own:
            left, right, conjunction = and_gates(reader, bits, source)
            bad = columns[~conjunction[columns]]
            wrong += [(source, int(column)) for column in bad[:1]]
            result.add(rows, left[columns], right[columns], coo.data)
        else:
            numbers = bits.number(source, at) + columns
            result.add(rows, numbers, numbers, coo.data)
    return result, wrong


def prove_product(reader: Reader, session: Session, node: Product) -> None:
    """Prove that an accumulator is the product of two words."""
    start = time.perf_counter()
    bits = Bits(reader)
    wanted = Polynomial()
    elements = np.arange(node.size)
    right_factor = factor(reader, bits, node.right, node.right_index)
    for left, left_weights in factor(reader, bits, node.left, node.left_index):
        for right, right_weights in right_factor:
            if np.abs(left_weights.astype(np.float64) * right_weights).max(initial=0.0) >= 2.0**62:
                raise Unfit("its coefficients need more than 62 bits")
            wanted.add(elements, left, right, left_weights * right_weights)
    found, wrong = expand(reader, bits, reader.form(node.name), own_variables(node.n_positions))
    for gate, element in wrong:
        session.trouble_at(gate, element, "the gate is no AND of two bits")
    if wrong:
        return
    one, other = found.normalized(), wanted.normalized()
    if one.shape == other.shape and (one == other).all():
        words = (reader.network.word(ref.node) for ref in (node.left, node.right))
        widths = " by ".join(str(word.format.bits) for word in words)
        session.add(
            f"`{node.name}`: {node.size} products of {widths} bits: {one.shape[1]} coefficients of bits and pairs agree",
            "coefficients",
            node.size + sum(reader.entry(name).size for name in helpers(reader, node.name)),
            time.perf_counter() - start,
        )
        return
    found.parts.append(other * np.array([[1], [1], [1], [-1]]))
    element, left, right, weight = found.normalized()[:, 0].tolist()
    names = dict.fromkeys(bits.describe(bit) for bit in (left, right))
    monomial = " * ".join(names)
    session.trouble_at(node.name, element, f"the coefficient of {monomial} is off by {weight}")


def helpers(reader: Reader, name: str) -> list[str]:
    """The helper gates that an accumulator adds."""
    sources = {source: None for source, _, _ in reader.form(name).parts if source != ONE and reader.is_local(source)}
    return [source for source in sources if isinstance(reader.entry(source), Gates)]
