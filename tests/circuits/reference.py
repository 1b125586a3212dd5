"""A slow evaluator written from the docstrings of the nodes alone: Python integers, fractions, loops over positions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import isinf
from typing import assert_never

import numpy as np

from circuits.formats import Format
from circuits.network import (
    Affine,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
)
from circuits.positions import All, Any_, AtLeast, Bit, Congruent, Equals, Guard, Not, Ref, Term

Places = tuple[int, ...]


def nearest(number: Fraction, format_: Format) -> int:
    """The code nearest to a number of code units, the even one of two, saturating."""
    return min(max(round(number), format_.lo), format_.hi)


class Reference:
    """The meaning of a network on one input of length n."""

    def __init__(self, network: Network, given: Sequence[int], n: int) -> None:
        self.network, self.given, self.n = network, given, n
        self.value = cache(self.value_at)

    def table(self, name: str) -> list[int]:
        """All values of a node, positions slowest."""
        node = self.network.by_name[name]
        places = product(range(1, self.n + 1), repeat=node.n_positions)
        return [self.value(name, at, element) for at in places for element in range(node.size)]

    def place(self, term: Term, at: Places) -> int:
        return term.const + term.n_coef * self.n + sum(coef * at[variable] for variable, coef in term.coefs)

    def true(self, guard: Guard, at: Places) -> bool:
        match guard:
            case AtLeast(term):
                return self.place(term, at) >= 0
            case Equals(term):
                return self.place(term, at) == 0
            case Congruent(term, modulus):
                return self.place(term, at) % modulus == 0
            case Bit(number, index):
                whole, i = self.place(number, at), self.place(index, at)
                return whole >= 0 and i >= 1 and whole // 2 ** (i - 1) % 2 == 1
            case Not(part):
                return not self.true(part, at)
            case All(parts):
                return all(self.true(part, at) for part in parts)
            case Any_(parts):
                return any(self.true(part, at) for part in parts)
            case _:
                assert_never(guard)

    def read(self, ref: Ref, at: Places, element: int) -> int:
        places = tuple(self.place(term, at) for term in ref.at)
        return self.value(ref.node, places, element) if all(1 <= place <= self.n for place in places) else 0

    def those(self, guard: Guard, at: Places) -> list[Places]:
        return [(*at, y) for y in range(1, self.n + 1) if self.true(guard, (*at, y))]

    def value_at(self, name: str, at: Places, i: int) -> int:
        node = self.network.by_name[name]
        match node:
            case Letters():
                return int(self.given[at[0] - 1] == i)
            case Inputs():
                before = self.network.inputs[: self.network.inputs.index(node)]
                return int(self.given[sum(other.size for other in before) + i])
            case Predicates(guards=guards):
                return int(self.true(guards[i], at))
            case Affine(operands=operands, const=const, length=length):
                total = int(const[i]) + int(length[i]) * self.n
                for operand in operands:
                    row = operand.matrix.toarray()[i].tolist()
                    total += sum(weight * self.read(operand.ref, at, j) for j, weight in enumerate(row) if weight)
                return total
            case Product(left=left, left_index=left_index, right=right, right_index=right_index):
                return self.read(left, at, int(left_index[i])) * self.read(right, at, int(right_index[i]))
            case Sum(operand=operand, guard=guard):
                return sum(self.read(operand, places, i) for places in self.those(guard, at))
            case Round(operand=operand, shift=shift, format=format_):
                return nearest(Fraction(self.read(operand, at, i)) / Fraction(2) ** shift, format_)
            case Table(operand=operand, breaks=breaks, codes=codes):
                given = self.read(operand, at, i)
                return int(codes[sum(b <= given for b in breaks.tolist())])
            case Function(operand=operand, function=function, frac=frac, format=format_):
                argument = Fraction(self.read(operand, at, i)) / Fraction(2) ** frac
                value = float(function(np.array(float(argument))))
                if isinf(value):
                    return format_.hi if value > 0 else format_.lo
                return nearest(Fraction(value) * Fraction(2) ** format_.frac, format_)
            case Quotient(num=num, den=den, den_index=den_index, shift=shift, format=format_):
                ratio = Fraction(self.read(num, at, i), self.read(den, at, int(den_index[i])))
                return nearest(ratio * Fraction(2) ** shift, format_)
            case Maximum(operand=operand, groups=groups, guard=guard, segments=segments, format=format_):
                found = [format_.lo]
                for places in [at] if guard is None else self.those(guard, at):
                    found += [self.read(operand, places, j) for j in groups[i].tolist()]
                for ref, index in segments:
                    found += [self.read(ref, at, j) for j in index[i].tolist()]
                return max(found)
            case _:
                assert_never(node)
