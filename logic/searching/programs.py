"""Programs in the manner of RASP: a sentence, or a network, as assignments to sequences of values.

RASP is the language of Weiss, Goldberg & Yahav 2021 (*Thinking like transformers*); names and predicates are those of Tracr
(Lindner et al. 2023). A program is a list of assignments, whose last one, to `output`, is the answer. Its text is the expression
syntax of Python:

* `tokens`, `indices` (0, 1, ..), `length`, numbers, letters in quotes, True and False, and names assigned before;
* `+ - * // %`, comparisons, `and or not`, ``max(u, v)``, and a table, ``{0: 1, 1: 0}[u]`` or ``{(0, 1): 1}[u, v]``;
* ``select(keys, queries, PREDICATE)`` holds at (query, key) where ``keys[key] PREDICATE queries[query]``; the predicates are EQ,
  NEQ, LT, LEQ, GT, GEQ. Selectors are combined by `and or not`;
* ``selector_width(selector)`` counts the keys of a query, ``aggregate(selector, values)`` is their mean: exact, a fraction, and 0
  where nothing is selected. Of letters, and with a third argument None, it is the value that all selected have, else None: so are
  the categorical variables of Tracr, whose one-hot vector is not one where nothing, or several values, are selected;
* None is a value of tables, and may be a key of them. A key or a query that is None selects nothing.

Everything has a value at each position; an answer for a whole word is the same at all of them. Words are not empty.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.diagnostics import FomError, fail

if TYPE_CHECKING:
    from logic.searching.programs_run import Value

Integers = np.ndarray[Any, np.dtype[np.int64]]

OUTPUT = "output"
PREDICATES: Mapping[str, type[ast.cmpop]] = {
    "EQ": ast.Eq,
    "NEQ": ast.NotEq,
    "LT": ast.Lt,
    "LEQ": ast.LtE,
    "GT": ast.Gt,
    "GEQ": ast.GtE,
}
GIVEN = ("tokens", "indices", "length")
FUNCTIONS = {"select": (3,), "selector_width": (1,), "aggregate": (2, 3), "max": (2,)}
RESERVED = frozenset([
    *FUNCTIONS, *PREDICATES, *GIVEN, "x", "y", "z", "u", "v", "n", "word", "mean", "common", "program", "Fraction", "sum",
    "range", "set", "len",
])  # fmt: skip
MOST_CHARACTERS = 100_000


@dataclass(frozen=True)
class Program:
    """Assignments over an alphabet; build it with `program` or read it with `read_program`.

    Attributes:
        letters: the alphabet, in the order of letter numbers.
        lines: name and expression of each assignment, the last one to `output`.
        at_positions: whether the answer is one for each position, or one for the whole word.
    """

    letters: tuple[str, ...]
    lines: tuple[tuple[str, ast.expr], ...]
    at_positions: bool

    @cached_property
    def rasp(self) -> str:
        """The text, one assignment on each line; `read_program` reads it back."""
        return "".join(f"{name} = {ast.unparse(value)}\n" for name, value in self.lines)

    @cached_property
    def python(self) -> str:
        """The source of a Python module with one function, ``program(word)`` of a list of letters."""
        from logic.searching.programs_python import python_of

        return python_of(self)

    def run(self, words: Integers) -> Value:
        """The answers on words of one length ``(B, n)``, n at least 1: values of shape ``(B, n)`` or ``(B,)``.

        Raises:
            FomError: words of another shape, a value missing from a table, or numbers beyond 62 bits (L097).
        """
        from logic.searching.programs_run import run

        return run(self, words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Program):
            return NotImplemented
        return (self.letters, self.rasp, self.at_positions) == (other.letters, other.rasp, other.at_positions)

    def __hash__(self) -> int:
        return hash((self.letters, self.rasp, self.at_positions))


def program(letters: Sequence[str], lines: Sequence[tuple[str, str]], at_positions: bool) -> Program:
    """Build a program of the texts of its assignments."""
    return read_program("".join(f"{name} = {value}\n" for name, value in lines), letters, at_positions)


def read_program(text: str, letters: Sequence[str], at_positions: bool) -> Program:
    """Read the text of a program.

    Raises:
        FomError: something that is not part of the language, an unknown name, or no `output` (L097).
    """
    if len(text) > MOST_CHARACTERS:
        raise fail("L097", f"a program has at most {MOST_CHARACTERS:,} characters, this one {len(text):,}")
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise fail("L097", f"the text of the program cannot be read: {error}") from None
    lines: list[tuple[str, ast.expr]] = []
    known = set(GIVEN)
    try:
        for statement in body:
            match statement:
                case ast.Assign([ast.Name(name)], value) if name not in RESERVED:
                    check(value, known)
                    lines.append((name, value))
                    known.add(name)
                case _:
                    raise refused(statement, "a program consists of assignments to names that mean nothing else")
    except RecursionError:
        raise fail("L097", "the expressions of the program are nested too deeply") from None
    if not lines or lines[-1][0] != OUTPUT or len(known) != len(lines) + len(GIVEN):
        raise fail("L097", f"a program assigns to every name once, and to `{OUTPUT}` last")
    return Program(tuple(letters), tuple(lines), at_positions)


def refused(node: ast.AST, rule: str) -> FomError:
    """The error for a part of a text that is not part of the language."""
    return fail("L097", rule, where=f"line {getattr(node, 'lineno', 1)}", note=f"found `{ast.unparse(node)}`")


def check(node: ast.expr, known: set[str]) -> None:
    """Refuse what is not part of the language.

    Raises:
        FomError: L097.
    """
    for part in parts_of(node, known):
        check(part, known)


def parts_of(node: ast.expr, known: set[str]) -> list[ast.expr]:
    """The parts of an expression that have values, once its own form is admitted."""
    match node:
        case ast.Name(name) if name in known:
            return []
        case ast.Name(name):
            raise refused(node, f"`{name}` is not assigned before")
        case ast.Constant(bool() | int() | str()):
            return []
        case ast.BoolOp(_, values):
            return values
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            return [operand]
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mult() | ast.FloorDiv() | ast.Mod(), right):
            return [left, right]
        case ast.Compare(left, [operator], [right]) if type(operator) in PREDICATES.values():
            return [left, right]
        case ast.Call(ast.Name(name), arguments, []) if len(arguments) in FUNCTIONS.get(name, ()):
            if name == "aggregate" and len(arguments) == 3:
                if not is_none(arguments[2]):
                    raise refused(node, "the third argument of `aggregate` is None")
                return arguments[:2]
            if name != "select":
                return arguments
            if not (isinstance(arguments[2], ast.Name) and arguments[2].id in PREDICATES):
                raise refused(node, f"a predicate is one of {', '.join(PREDICATES)}")
            return arguments[:2]
        case ast.Subscript(ast.Dict(keys, values), index):
            wanted = len(index.elts) if isinstance(index, ast.Tuple) else 1
            for key in keys:
                entries = key.elts if isinstance(key, ast.Tuple) else [key]
                if len(entries) != wanted or not all(is_constant(entry) or is_none(entry) for entry in entries):
                    raise refused(node, f"the keys of this table are {wanted} constants each")
            if not all(is_constant(value) or is_none(value) for value in values):
                raise refused(node, "the values of a table are constants")
            return index.elts if isinstance(index, ast.Tuple) else [index]
        case _:
            raise refused(node, "this is not part of the language of programs")


def is_constant(node: ast.expr | None) -> bool:
    """Whether an expression is a number, a letter, or a truth value."""
    match node:
        case ast.Constant(bool() | int() | str()) | ast.UnaryOp(ast.USub(), ast.Constant(int())):
            return True
        case _:
            return False


def is_none(node: ast.expr | None) -> bool:
    """Whether an expression is None."""
    return isinstance(node, ast.Constant) and node.value is None


def constant(node: ast.expr) -> bool | int | str:
    """The value of a constant."""
    found: bool | int | str = ast.literal_eval(node)
    return found
