"""Small networks made by hand, for what compares networks."""

from __future__ import annotations

import numpy as np

from circuits.formats import BIT, Format
from circuits.matrices import matrix
from circuits.network import Affine, Domain, Letters, Network, Node, Operand, Readout, Round, Sum, Table
from circuits.positions import TRUE, AtLeast, Guard, Ref, var

NONE = np.zeros(1, dtype=np.int64)


def deciding(n_positions: int, guard: Guard, weight: int, threshold: int) -> Network:
    """Whether `weight` for each letter b at a position y with the guard, saturated at 15, reaches a threshold."""
    here = (var(0),)[:n_positions]
    b = Operand(Ref("letters", (var(0),)), matrix([0], [1], weight, (1, 2)))
    nodes: list[Node] = [
        Letters("letters", 2),
        Affine("b", 1, 1, (b,), NONE, NONE, 0),
        Sum("total", n_positions, 1, Ref("b", (var(n_positions),)), guard, 0),
        Round("count", n_positions, 1, Ref("total", here), 0, Format(4, 0, 0)),
        Affine(
            "score",
            n_positions,
            1,
            (Operand(Ref("count", here), matrix([0], [0], 1, (1, 1))),),
            NONE - threshold,
            NONE,
            0,
        ),
        Table("positive", n_positions, 1, Ref("score", here), np.array([0]), np.array([0, 1]), BIT),
    ]
    network = Network(tuple(nodes), Readout("logit", "positive", "score", None, 2, n_positions), Domain(), ("a", "b"))
    network.check()
    return network


def counter(weight: int, threshold: int) -> Network:
    """Answers once: whether `weight` times the number of letters b, at most 15, reaches a threshold."""
    return deciding(0, TRUE, weight, threshold)


def tagger() -> Network:
    """Answers at every position: whether there are two letters b up to here."""
    return deciding(1, AtLeast(var(0) - var(1)), 1, 2)
