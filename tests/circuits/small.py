"""Networks written by hand, for tests of one thing each."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.formats import BIT, Format
from circuits.matrices import identity, matrix
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.positions import LAST, AtLeast, Ref, var

X, Y = var(0), var(1)
CAUSAL = AtLeast(X - Y)


def integers(*numbers: int) -> Any:
    """An array of integers."""
    return np.array(numbers, dtype=np.int64)


def network(*nodes: Node, domain: Domain | None = None) -> Network:
    """Letters `w`, the given nodes, and a decision of one bit for each element of the last of them, at the last position."""
    last = nodes[-1] if nodes else Letters("w", 2)
    at = (LAST,) * last.n_positions
    size = last.size
    zero = np.zeros(size, dtype=np.int64)
    logits = Affine("logits", 0, size, (Operand(Ref(last.name, at), identity(size)),), zero, zero, 0)
    decision = Table("class", 0, size, Ref("logits"), integers(1), integers(0, 1), BIT)
    readout = Readout("classes", "class", "logits", None, size, 0)
    return Network((Letters("w", 2), *nodes, logits, decision), readout, domain or Domain(), ("a", "b"))


def words_of(name: str, format_: Format, *weights: int, n_positions: int = 1) -> tuple[Affine, Round]:
    """A word ``name``: the weight of the letter, rounded to the format."""
    zero = integers(0)
    table = matrix([0, 0], [0, 1], integers(*weights), (1, 2))
    sums = Affine(f"{name}.sum", n_positions, 1, (Operand(Ref("w", (X,)), table),), zero, zero, 0)
    return sums, Round(name, n_positions, 1, Ref(f"{name}.sum", (X,)), 0, format_)


def attention(width: int, bits: int, seed: int = 0) -> Network:
    """One causal head of `width` words of `bits` bits with a softmax-like table, for tests of size and speed."""
    random = np.random.default_rng(seed)
    signed, positive = Format(bits, -(1 << bits - 1), bits // 2), Format(bits, 0, bits)
    zero = np.zeros(width, dtype=np.int64)

    def dense(n_rows: int, n_columns: int) -> Any:
        weights = random.integers(-31, 32, (n_rows, n_columns))
        rows, columns = np.nonzero(weights)
        return matrix(rows, columns, weights[rows, columns], (n_rows, n_columns))

    every = np.arange(width)
    breaks = np.arange(-(1 << bits) + 1, 1, 4)
    codes = np.rint(np.linspace(0, positive.hi, len(breaks) + 1)).astype(np.int64)
    return network(
        Affine("embed", 1, width, (Operand(Ref("w", (X,)), dense(width, 2)),), zero, zero, bits // 2),
        Round("q", 1, width, Ref("embed", (X,)), 0, signed),
        Product("qk", 2, Ref("q", (X,)), every, Ref("q", (Y,)), every, bits),
        Affine("s", 2, 1, (Operand(Ref("qk", (X, Y)), dense(1, width)),), zero[:1], zero[:1], bits),
        Round("score", 2, 1, Ref("s", (X, Y)), bits // 2, signed),
        Maximum("most", 1, 1, Ref("score", (X, Y)), integers(0)[None], CAUSAL, (), signed),
        Affine(
            "less",
            2,
            1,
            (Operand(Ref("score", (X, Y)), identity(1)), Operand(Ref("most", (X,)), identity(1, -1))),
            zero[:1],
            zero[:1],
            bits // 2,
        ),
        Table("e", 2, 1, Ref("less", (X, Y)), breaks, codes, positive),
        Product("ev", 2, Ref("e", (X, Y)), zero, Ref("q", (Y,)), every, bits + bits // 2),
        Sum("num", 1, width, Ref("ev", (X, Y)), CAUSAL, bits + bits // 2),
        Sum("den", 1, 1, Ref("e", (X, Y)), CAUSAL, bits),
        Quotient("head", 1, width, Ref("num", (X,)), Ref("den", (X,)), zero, 0, signed),
        Affine("out", 1, 2, (Operand(Ref("head", (X,)), dense(2, width)),), zero[:2], zero[:2], 0),
    )
