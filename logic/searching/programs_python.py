"""Programs as Python: one list comprehension for each assignment, positions counted from 0."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Literal

from circuits.diagnostics import fail
from logic.searching.programs import OUTPUT, PREDICATES, Program, is_none
from logic.searching.programs_selectors import inlined

Kind = Literal["letter", "truth", "number"]
Kinds = Mapping[str, tuple[Kind, bool]]
"""What the values of each name are, and whether they may be None."""

VARIABLES = ("x", "y", "z", "u", "v")
MEAN = '''def mean(values):
    """The mean as a fraction, 0 of nothing."""
    return Fraction(sum(values), len(values)) if values else Fraction(0)


'''
COMMON = '''def common(values):
    """The value that all of them are, else None."""
    return values[0] if len(set(values)) == 1 else None


'''


class At(ast.NodeTransformer):
    """Turns an expression into its value at a position, which is a variable of the Python text."""

    def __init__(self, position: str, kinds: Kinds) -> None:
        self.position, self.kinds = position, kinds

    def visit_Name(self, node: ast.Name) -> ast.expr:
        match node.id:
            case "indices":
                return ast.Name(self.position)
            case "length":
                return ast.Name("n")
            case "tokens":
                return ast.Subscript(ast.Name("word"), ast.Name(self.position))
            case _:
                return ast.Subscript(ast.Name(node.id), ast.Name(self.position))

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        return ast.BoolOp(node.op, [self.truth(part) for part in node.values])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        match node:
            case ast.Call(ast.Name("selector_width"), [selector]):
                return expression(f"sum(1 for {self.bound} in range(n) if {self.text(self.position, selector)})")
            case ast.Call(ast.Name("aggregate"), [selector, values, *default]):
                selected = self.text(self.position, selector)
                each = f"{self.text(self.bound, values)} for {self.bound} in range(n) if {selected}"
                categorical = default or kind_of(values, self.kinds) == "letter"
                return expression(f"common([{each}])" if categorical else f"mean([{each}])")
            case ast.Call(ast.Name("select"), [keys, queries, ast.Name(predicate)]):
                key, query = at(self.bound, keys, self.kinds), at(self.position, queries, self.kinds)
                if predicate == "EQ" and is_true(queries) and kind_of(keys, self.kinds) == "truth":
                    return key
                if predicate == "EQ" and is_true(keys) and kind_of(queries, self.kinds) == "truth":
                    return query
                sides = [(key, may_be_none(keys, self.kinds)), (query, may_be_none(queries, self.kinds))]
                compared = ast.Compare(key, [PREDICATES[predicate]()], [query])
                guards = [ast.Compare(side, [ast.IsNot()], [ast.Constant(None)]) for side, guarded in sides if guarded]
                return ast.BoolOp(ast.And(), [*guards, compared]) if guards else compared
            case _:
                return ast.Call(node.func, [at(self.position, part, self.kinds) for part in node.args], [])

    def truth(self, node: ast.expr) -> ast.expr:
        """An expression as a truth value: a number is true if it is not 0."""
        found = at(self.position, node, self.kinds)
        return found if kind_of(node, self.kinds) == "truth" else ast.Compare(found, [ast.NotEq()], [ast.Constant(0)])

    @property
    def bound(self) -> str:
        """The variable of the keys."""
        place = VARIABLES.index(self.position) + 1
        if place == len(VARIABLES):
            raise fail("L097", "the selectors of the program are nested too deeply for its Python text",
                       help="give the values inside names of their own")  # fmt: skip
        return VARIABLES[place]

    def text(self, position: str, node: ast.expr) -> str:
        """An expression at a position, in parentheses."""
        return f"({ast.unparse(at(position, node, self.kinds))})"


def at(position: str, node: ast.expr, kinds: Kinds) -> ast.expr:
    """The value of an expression at a position; the expression itself stays as it is."""
    found: ast.expr = At(position, kinds).visit(expression(ast.unparse(node)))
    return found


def expression(text: str) -> ast.expr:
    """Parse an expression."""
    return ast.parse(text, mode="eval").body


def is_true(node: ast.expr) -> bool:
    """Whether an expression is the constant True."""
    return isinstance(node, ast.Constant) and node.value is True


def kind_of(node: ast.expr, kinds: Kinds) -> Kind:
    """What the values of an expression are."""
    match node:
        case ast.Name(name):
            return "letter" if name == "tokens" else kinds.get(name, ("number", False))[0]
        case ast.Constant(str()):
            return "letter"
        case ast.Constant(bool()) | ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
            return "truth"
        case ast.Call(ast.Name("select")):
            return "truth"
        case ast.Call(ast.Name("aggregate"), [_, values, *_]) if kind_of(values, kinds) == "letter":
            return "letter"
        case ast.Subscript(ast.Dict(_, values), _):
            found = {kind_of(value, kinds) for value in values if not is_none(value)}
            return found.pop() if len(found) == 1 else "number"
        case _:
            return "number"


def may_be_none(node: ast.expr, kinds: Kinds) -> bool:
    """Whether an expression may be None."""
    match node:
        case ast.Name(name):
            return kinds.get(name, ("number", False))[1]
        case ast.Call(ast.Name("aggregate"), [_, values, *default]):
            return bool(default) or kind_of(values, kinds) == "letter"
        case ast.Subscript(ast.Dict(_, values), _):
            return any(is_none(value) for value in values)
        case _:
            return False


def python_of(program: Program) -> str:
    """The source of a module with the function ``program(word)``, for lists of letters that are not empty."""
    kinds: dict[str, tuple[Kind, bool]] = {}
    lines = []
    for name, value in inlined(program.lines):
        lines.append(f"    {name} = [{ast.unparse(at('x', value, kinds))} for x in range(n)]")
        kinds[name] = (kind_of(value, kinds), may_be_none(value, kinds))
    answer = "the answers at its positions" if program.at_positions else "the answer"
    body = "\n".join([
        "def program(word):",
        f'    """From a list of letters to {answer}."""',
        "    n = len(word)",
        *lines,
        f"    return {OUTPUT}" if program.at_positions else f"    return {OUTPUT}[0]",
    ])  # fmt: skip
    head = "from fractions import Fraction\n\n\n" + MEAN if "mean(" in body else ""
    return head + (COMMON if "common(" in body else "") + body + "\n"
