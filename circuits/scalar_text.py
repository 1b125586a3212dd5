"""The text form of a scalar function: the list of its steps, each naming earlier steps by number.

``["x"]`` is the variable, ``["const", 0.5]`` a constant, ``["mul", 0, 1]`` an operation of two earlier steps; the last step is
the function. A step that is read twice is written once, so the text grows with the shared term.
"""

from __future__ import annotations

import math
from typing import Any

from circuits.scalar import OPERATIONS, Scalar, arity

NOT_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def scalar_to_data(function: Scalar) -> list[list[Any]]:
    """Write a function."""
    steps: list[list[Any]] = []

    def visit(term: Scalar, args: tuple[int, ...]) -> int:
        value = term.value if math.isfinite(term.value) else str(term.value)
        steps.append(["const", value] if term.op == "const" else [term.op, *args])
        return len(steps) - 1

    function.fold(visit)
    return steps


def scalar_of_data(data: Any) -> Scalar:
    """Read what `scalar_to_data` wrote.

    Raises:
        ValueError: it is no list of steps, or a step is none.
    """
    if not isinstance(data, list) or not data:
        raise ValueError("expected a list of steps")
    terms: list[Scalar] = []
    for place, step in enumerate(data):
        if not isinstance(step, list) or not step or not isinstance(step[0], str):
            raise ValueError(f"step {place} does not begin with an operation")
        op, args = step[0], step[1:]
        if op == "const":
            value = (
                NOT_FINITE.get(args[0]) if len(args) == 1 and isinstance(args[0], str) else args[-1] if args else None
            )
            if len(args) != 1 or type(value) is not float:
                raise ValueError(f"step {place} is no constant")
            terms.append(Scalar("const", (), value))
            continue
        if op != "x" and op not in OPERATIONS:
            raise ValueError(f"step {place} has the unknown operation `{op}`")
        wanted = 0 if op == "x" else arity(op)
        if len(args) != wanted or not all(type(arg) is int and 0 <= arg < place for arg in args):
            raise ValueError(f"step {place}, `{op}`, does not name {wanted} earlier steps")
        terms.append(Scalar(op, tuple(terms[arg] for arg in args)))
    return terms[-1]
