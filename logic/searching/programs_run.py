"""The interpreter of programs: exact, on many words of one length at once.

A value is an array of fractions, or of letters, over the words and positions; a selector has the axes (word, query, key). An
axis on which it does not depend has extent 1. None is the fraction 0 / 0, or the letter -1.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.searching.programs import GIVEN, PREDICATES, Program, constant, is_none, refused

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

NOTHING = -1
MOST = 1 << 31  # numerators and denominators stay below, so that products of two are exact


@dataclass(frozen=True, slots=True)
class Value:
    """Fractions ``numerator / denominator`` in lowest terms (0 / 0: None), or letter numbers over 1 (-1: None)."""

    numerator: Integers
    denominator: Integers
    letters: bool = False

    @property
    def truth(self) -> Truth:
        """Where the value is not 0."""
        return self.numerator != 0

    @property
    def present(self) -> Truth:
        """Where the value is not None."""
        return (self.numerator != NOTHING) if self.letters else (self.denominator != 0)

    @property
    def reals(self) -> Reals:
        """The value as a float, NaN for None."""
        found = self.numerator / np.maximum(self.denominator, 1)
        return np.where(self.present, found, np.nan)


def run(program: Program, words: Integers) -> Value:
    """The answers of a program; see `Program.run`."""
    words = np.asarray(words)
    if words.ndim != 2 or words.dtype.kind not in "iu" or words.shape[1] < 1:
        raise fail("L097", "a program reads words as integers of shape (B, n) with n at least 1",
                   note=f"found {words.dtype} of shape {words.shape}")  # fmt: skip
    if words.size and not 0 <= words.min() <= words.max() < len(program.letters):
        raise fail("L097", f"the letters of the program have the numbers 0 to {len(program.letters) - 1}",
                   note=f"found {words.min()} to {words.max()}")  # fmt: skip
    machine = Machine(program, words.astype(np.int64))
    for name, expression in program.lines:
        machine.values[name] = machine.value(expression)
    found = machine.values[program.lines[-1][0]]
    if found.numerator.ndim != 2:
        raise fail("L097", "the output of the program is a selector")
    shape = words.shape
    top, bottom = (np.broadcast_to(part, shape) for part in (found.numerator, found.denominator))
    return Value(top, bottom, found.letters) if program.at_positions else Value(top[:, 0], bottom[:, 0], found.letters)


def number(values: Any) -> Value:
    """Whole numbers."""
    whole = np.asarray(values).astype(np.int64)
    return Value(whole, np.ones_like(whole))


def fraction(top: Integers, bottom: Integers) -> Value:
    """Lowest terms.

    Raises:
        FomError: numbers that leave the range in which products are exact.
    """
    common = np.maximum(np.gcd(top, bottom), 1)
    top, bottom = top // common, bottom // common
    if top.size and (np.abs(top).max() >= MOST or bottom.max() >= MOST):
        raise fail("L097", "the numbers of a program leave the range in which fractions are exact")
    return Value(top, bottom)


class Machine:
    """Values of names on a batch of words."""

    def __init__(self, program: Program, words: Integers) -> None:
        self.program, self.n = program, words.shape[1]
        self.index = {letter: place for place, letter in enumerate(program.letters)}
        tokens = Value(words, np.ones((1, 1), np.int64), letters=True)
        given = (tokens, number(np.arange(self.n)[None]), number([[self.n]]))
        self.values: dict[str, Value] = dict(zip(GIVEN, given, strict=True))

    def value(self, node: ast.expr) -> Value:
        """The value of an admitted expression."""
        match node:
            case ast.Name(name):
                return self.values[name]
            case ast.Constant(str(letter)):
                return Value(self.letter(letter), np.ones((1, 1), np.int64), letters=True)
            case ast.Constant():
                return number([[constant(node)]])
            case ast.BoolOp(operator, parts):
                joined = self.value(parts[0]).truth
                for part in parts[1:]:
                    other = self.value(part).truth
                    joined = joined & other if isinstance(operator, ast.And) else joined | other
                return number(joined)
            case ast.UnaryOp(ast.Not(), part):
                return number(~self.value(part).truth)
            case ast.UnaryOp(ast.USub(), part):
                found = self.number(part)
                return Value(-found.numerator, found.denominator)
            case ast.BinOp(left, operation, right):
                return arithmetic(self.number(left), operation, self.number(right), node)
            case ast.Compare(left, [operation], [right]):
                return number(compare(self.value(left), operation, self.value(right), node))
            case ast.Call(ast.Name("select"), [keys, queries, ast.Name(predicate)]):
                return number(self.selector(keys, queries, PREDICATES[predicate](), node))
            case ast.Call(ast.Name("selector_width"), [selector]):
                return number(self.selection(selector).sum(axis=2))
            case ast.Call(ast.Name("aggregate"), [selector, values, *default]):
                taken, chosen = self.value(values), self.selection(selector)
                return self.common(chosen, taken) if default or taken.letters else self.mean(chosen, taken, values)
            case ast.Call(ast.Name("max"), [left, right]):
                first, second = self.number(left), self.number(right)
                larger = compare(first, ast.GtE(), second, node)
                top = np.where(larger, first.numerator, second.numerator)
                return Value(top, np.where(larger, first.denominator, second.denominator))
            case ast.Subscript(ast.Dict(keys, values), index):
                return self.look_up(keys, values, index)
            case _:
                raise refused(node, "this is not part of the language of programs")

    def letter(self, letter: str) -> Integers:
        """The number of a letter; one that is not in the alphabet has the number -2."""
        return np.array([[self.index.get(letter, NOTHING - 1)]], np.int64)

    def number(self, node: ast.expr) -> Value:
        """The value of an expression that has to be a number."""
        found = self.value(node)
        if found.letters or not found.present.all():
            raise refused(node, "letters and None are no numbers")
        return found

    def selector(self, keys: ast.expr, queries: ast.expr, operation: ast.cmpop, node: ast.expr) -> Truth:
        """The selector ``(B, query, key)`` of keys and queries."""
        sides = []
        for part, axis in ((keys, 1), (queries, 2)):
            found = self.value(part)
            top, bottom = np.expand_dims(found.numerator, axis), np.expand_dims(found.denominator, axis)
            sides.append(Value(top, bottom, found.letters))
        present = sides[0].present & sides[1].present
        keys_, queries_ = (
            side if side.letters else Value(side.numerator, np.maximum(side.denominator, 1)) for side in sides
        )
        return compare(keys_, operation, queries_, node) & present

    def selection(self, node: ast.expr) -> Truth:
        """The value of an expression that has to be a selector, with all its keys."""
        found = self.value(node)
        if found.numerator.ndim != 3:
            raise refused(node, "this is no selector")
        shape = found.numerator.shape
        return np.broadcast_to(found.truth, (*shape[:2], self.n))

    def common(self, selected: Truth, values: Value) -> Value:
        """The value that all selected keys have, None if there is no such value."""
        shape = np.broadcast_shapes(selected.shape, (len(values.numerator), 1, self.n))
        selected = np.broadcast_to(selected, shape)
        first = selected.argmax(axis=2)
        differs = np.zeros(shape, dtype=bool)
        parts = []
        for part in (values.numerator, values.denominator):
            row = np.broadcast_to(part, (shape[0], self.n))
            parts.append(np.take_along_axis(row, first, axis=1))
            differs |= selected & (row[:, None, :] != parts[-1][:, :, None])
        agreed = selected.any(axis=2) & ~differs.any(axis=2)
        if values.letters:
            return Value(np.where(agreed, parts[0], NOTHING), np.ones((1, 1), np.int64), letters=True)
        return Value(np.where(agreed, parts[0], 0), np.where(agreed, parts[1], 0))

    def mean(self, selected: Truth, values: Value, node: ast.expr) -> Value:
        """The mean of the values selected, 0 of none."""
        if not values.present.all():
            raise refused(node, "None has no mean")
        shape = np.broadcast_shapes(selected.shape, (len(values.numerator), 1, self.n))
        selected = np.broadcast_to(selected, shape)
        common = math.lcm(*np.unique(values.denominator).tolist())
        most = int(np.abs(values.numerator).max(initial=0))
        if common >= MOST or most * common >= MOST:
            raise fail("L097", "the numbers of a program leave the range in which fractions are exact")
        scaled = values.numerator * (common // values.denominator)
        total = (selected * scaled[:, None, :]).sum(axis=2)
        return fraction(total, np.maximum(selected.sum(axis=2), 1) * common)

    def look_up(self, keys: list[ast.expr | None], values: list[ast.expr], index: ast.expr) -> Value:
        """The values of a table."""
        columns = [self.value(part) for part in (index.elts if isinstance(index, ast.Tuple) else [index])]
        shape = np.broadcast_shapes(*(column.numerator.shape for column in columns))
        known = np.zeros(shape, bool)
        result = np.zeros(shape, np.int64)
        below = np.ones(shape, np.int64)
        constants = [None if is_none(value) else self.value(value) for value in values]
        are_letters = any(value is not None and value.letters for value in constants)
        nothing = (NOTHING, 1) if are_letters else (0, 0)
        for key, value in zip(keys, constants, strict=True):
            match = np.ones(shape, bool)
            for column, entry in zip(columns, key.elts if isinstance(key, ast.Tuple) else [key], strict=True):
                if is_none(entry):
                    match = match & ~column.present
                elif entry is not None:
                    match = match & compare(column, ast.Eq(), self.value(entry), entry)
            top, bottom = nothing if value is None else (value.numerator, 1)
            result, below = np.where(match, top, result), np.where(match, bottom, below)
            known |= match
        if not known.all():
            raise fail("L097", "a value is missing from a table of the program",
                       where=f"`{ast.unparse(index)}`")  # fmt: skip
        return Value(result, below, are_letters)


def arithmetic(left: Value, operation: ast.operator, right: Value, node: ast.expr) -> Value:
    """The result of an operation on fractions."""
    top, bottom, by, below = left.numerator, left.denominator, right.numerator, right.denominator
    match operation:
        case ast.Add():
            return fraction(top * below + by * bottom, bottom * below)
        case ast.Sub():
            return fraction(top * below - by * bottom, bottom * below)
        case ast.Mult():
            return fraction(top * by, bottom * below)
        case _ if (by <= 0).any() or (below > 1).any() or (bottom > 1).any():
            raise refused(node, "quotients and remainders are of whole numbers by positive ones")
        case ast.FloorDiv():
            return number(top // by)
        case _:
            return number(top % by)


def compare(left: Value, operation: ast.cmpop, right: Value, node: ast.expr) -> Truth:
    """Where a comparison holds; letters are equal or not."""
    if left.letters != right.letters or (left.letters and not isinstance(operation, ast.Eq | ast.NotEq)):
        raise refused(node, "letters are compared with letters, by == and !=")
    if isinstance(operation, ast.Eq | ast.NotEq):
        present = left.present & right.present
        equal = (left.numerator == right.numerator) & (left.denominator == right.denominator) & present
        equal |= ~left.present & ~right.present
        return equal if isinstance(operation, ast.Eq) else ~equal
    if not (left.present.all() and right.present.all()):
        raise refused(node, "None is neither smaller nor larger")
    difference = left.numerator * right.denominator - right.numerator * left.denominator
    match operation:
        case ast.Lt():
            return difference < 0
        case ast.LtE():
            return difference <= 0
        case ast.Gt():
            return difference > 0
        case _:
            return difference >= 0
