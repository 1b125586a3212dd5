"""The network over the reals by its definition, number by number, in exact rational arithmetic or with many digits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

import mpmath
from scipy.sparse import csr_array

from circuits.positions import Ref, holds
from circuits.scalar import Scalar
from circuits.small_floats import SMALL_FLOATS
from translator import real

DIGITS = 50
mp = mpmath.mp.clone()
mp.dps = DIGITS

Number = Any
Places = tuple[int, ...]


def modulo(a: Number, b: Number) -> Number:
    """``a - b * floor(a / b)``, with so many digits that a quotient is not rounded to an integer."""
    with mp.workdps(800):
        return a - b * mp.floor(a / b)


def single(a: Number) -> Number:
    """The nearest float32, ties to even."""
    if abs(a) < mp.mpf(2) ** -126:
        return mp.ldexp(mp.nint(mp.ldexp(a, 149)), -149)
    with mp.workprec(24):
        return +a


def small_float(name: str, a: Number) -> Number:
    """The nearest number of a small floating-point type, by search: ties to the even place among all numbers."""
    codebook = SMALL_FLOATS[name]
    numbers = [mp.mpf(code) / mp.mpf(2) ** codebook.frac for code in codebook.codes().tolist()]
    place = min(range(len(numbers)), key=lambda at: (abs(numbers[at] - a), (at - len(numbers) // 2) % 2))
    return numbers[place]


MP_OPERATIONS: dict[str, Callable[..., Number]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: mp.power(a, b),
    "min": min,
    "max": max,
    "mod": lambda a, b: modulo(a, b),
    "neg": lambda a: -a,
    "abs": abs,
    "sign": lambda a: mp.mpf((a > 0) - (a < 0)),
    "exp": mp.exp,
    "log": mp.log,
    "sqrt": mp.sqrt,
    "reciprocal": lambda a: 1 / a,
    "erf": mp.erf,
    "tanh": mp.tanh,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "softplus": lambda a: mp.log1p(mp.exp(a)) if a < 0 else a + mp.log1p(mp.exp(-a)),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "round": mp.nint,
    "float32": lambda a: single(a),
    **{name: partial(small_float, name) for name in SMALL_FLOATS},
    "floor": mp.floor,
    "ceil": mp.ceil,
    "ge": lambda a, b: mp.mpf(a >= b),
    "gt": lambda a, b: mp.mpf(a > b),
    "eq": lambda a, b: mp.mpf(a == b),
    "where": lambda c, a, b: a if c != 0 else b,
}


def scalar_value(function: Scalar, x: Number) -> Number:
    """A scalar function at a number, with many digits."""
    if function.op == "x":
        return x
    if function.op == "const":
        return mp.mpf(function.value)
    return MP_OPERATIONS[function.op](*(scalar_value(arg, x) for arg in function.args))


def rational(function: Scalar, x: Fraction) -> Fraction:
    """A rectifier or an absolute value at a rational number."""
    match function.op:
        case "x":
            return x
        case "const":
            return Fraction(function.value)
        case "max":
            return max(rational(arg, x) for arg in function.args)
        case "abs":
            return abs(rational(function.args[0], x))
        case _:
            raise ValueError(function.op)


class Exact:
    """Values of a network's nodes on one input; `number` makes Fractions, or numbers of many digits, of float64."""

    def __init__(self, network: real.RealNetwork, row: Any, number: Callable[[float], Number] = Fraction) -> None:
        self.network, self.row, self.number = network, row, number
        self.n = len(row) if network.alphabet_size else 1
        self.nodes = {node.name: node for node in network.nodes}
        self.apply = rational if number is Fraction else scalar_value
        self.value = cache(self.compute)

    def all(self, name: str) -> dict[tuple[Places, int], Number]:
        """Every number of a node, by positions (from 1) and element."""
        node = self.nodes[name]
        everywhere = product(range(1, self.n + 1), repeat=node.n_positions)
        return {(at, i): self.value(name, at, i) for at in everywhere for i in range(node.size)}

    def read(self, ref: Ref, at: Places, element: int) -> Number:
        """A reference at positions; outside the word 0."""
        places = tuple(int(term.evaluate(self.n, at)) for term in ref.at)
        inside = all(1 <= place <= self.n for place in places)
        return self.value(ref.node, places, element) if inside else self.number(0.0)

    def bound(self, at: Places, guard: Any) -> list[Places]:
        """Positions extended by one that satisfies a guard."""
        extended = [(*at, y) for y in range(1, self.n + 1)]
        return [places for places in extended if bool(holds(guard, self.n, places))]

    def compute(self, name: str, at: Places, i: int) -> Number:
        """One number of a node."""
        node = self.nodes[name]
        match node:
            case real.Letters():
                return self.number(float(self.row[at[0] - 1] == i))
            case real.Features():
                return self.number(float(self.row[i]))
            case real.Predicates(guards=guards):
                return self.number(float(bool(holds(guards[i], self.n, at))))
            case real.Linear(operands=operands, const=const, length=length):
                total = self.number(float(const[i])) + self.number(float(length[i])) * self.n
                for operand in operands:
                    row = csr_array(operand.matrix)[[i]].tocoo()
                    for column, weight in zip(row.col.tolist(), row.data.tolist(), strict=True):
                        total += self.number(weight) * self.read(operand.ref, at, column)
                return total
            case real.Multiply(left=left, left_index=left_index, right=right, right_index=right_index):
                return self.read(left, at, int(left_index[i])) * self.read(right, at, int(right_index[i]))
            case real.Map(operand=operand, function=function):
                return self.apply(function, self.read(operand, at, i))
            case real.Sum(operand=operand, guard=guard):
                return sum((self.read(operand, places, i) for places in self.bound(at, guard)), self.number(0.0))
            case real.Maximum(operand=operand, groups=groups, guard=guard, segments=segments):
                everywhere = [at] if guard is None else self.bound(at, guard)
                found = [self.read(operand, places, j) for places in everywhere for j in groups[i].tolist()]
                found += [self.read(ref, at, j) for ref, index in segments for j in index[i].tolist()]
                return max(found)
            case real.Ratio(num=num, den=den, den_index=den_index):
                top, bottom = self.read(num, at, i), self.read(den, at, int(den_index[i]))
                return self.number(0.0) if top == bottom == 0 else top / bottom
