"""Small random attention networks for tests of methods that count letters."""

from typing import Literal

import numpy as np

from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.positions import LAST, TRUE, Guard, Ref, var

X, Y = var(0), var(1)
WIDTH = 2
Answer = Literal["mean", "last", "each"]


def random_network(
    seed: int, letters: str = "ab", guard: Guard = TRUE, answer: Answer = "mean", places: tuple[Guard, ...] = ()
) -> Network:
    """One layer of attention with exact sums and words of 4 bits, with random weights."""
    rng = np.random.default_rng(seed)

    def weights(rows: int, columns: int) -> Matrix:
        return canonical(rng.integers(-5, 6, (rows, columns)))

    def affine(name: str, k: int, size: int, *sources: tuple[Ref, int], length: int = 0) -> Affine:
        operands = tuple(Operand(ref, weights(size, columns)) for ref, columns in sources)
        return Affine(name, k, size, operands, rng.integers(-3, 4, size), np.full(size, length), 0)

    small = Format(4, -8, 0)
    index = np.arange(WIDTH)
    nodes: list[Node] = [Letters("tokens", len(letters))]
    sources = [(Ref("tokens", (X,)), len(letters))]
    if places:
        nodes.append(Predicates("places", 1, places))
        sources.append((Ref("places", (X,)), len(places)))
    k = {"mean": 0, "last": 0, "each": 1}[answer]
    at = {"mean": Ref("pooled"), "last": Ref("head", (LAST,)), "each": Ref("head", (X,))}[answer]
    nodes += [
        affine("embedding", 1, WIDTH, *sources),
        Round("value", 1, WIDTH, Ref("embedding", (X,)), 0, small),
        Product("products", 2, Ref("value", (X,)), index, Ref("value", (Y,)), index, 0),
        affine("score", 2, 1, (Ref("products", (X, Y)), WIDTH)),
        Round("score.r", 2, 1, Ref("score", (X, Y)), 4, small),
        Maximum("max", 1, 1, Ref("score.r", (X, Y)), np.array([[0]]), guard, (), small),
        Affine(
            "shifted", 2, 1,
            (Operand(Ref("score.r", (X, Y)), canonical([[1]])), Operand(Ref("max", (X,)), canonical([[-1]]))),
            np.zeros(1, np.int64), np.zeros(1, np.int64), 0,
        ),
        Table("exp", 2, 1, Ref("shifted", (X, Y)), np.array([-4, -1, 0]), np.array([1, 2, 4, 7]), Format(3, 0, 0)),
        Sum("den", 1, 1, Ref("exp", (X, Y)), guard, 0),
        Product("weighted", 2, Ref("exp", (X, Y)), np.zeros(WIDTH, np.int64), Ref("value", (Y,)), index, 0),
        Sum("num", 1, WIDTH, Ref("weighted", (X, Y)), guard, 0),
        Quotient("head", 1, WIDTH, Ref("num", (X,)), Ref("den", (X,)), np.zeros(WIDTH, np.int64), 1, small),
    ]  # fmt: skip
    if answer == "mean":
        nodes.append(Sum("pooled", 0, WIDTH, Ref("head", (X,)), TRUE, 0))
    nodes += [
        affine("scores", k, 1, (at, WIDTH), length=int(rng.integers(-1, 2)) if answer == "mean" else 0),
        Table("decision", k, 1, Ref("scores", (X,) * k), np.array([1]), np.array([0, 1]), BIT),
    ]
    readout = Readout("logit", "decision", "scores", None, 2, k)
    network = Network(tuple(nodes), readout, Domain(), tuple(letters))
    network.check()
    return network
