"""What the form of a selector says about the keys that it selects."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence


def inlined(lines: Sequence[tuple[str, ast.expr]]) -> list[tuple[str, ast.expr]]:
    """The assignments of a program without those of selectors, which stand where their names did."""
    named: dict[str, ast.expr] = {}
    kept: list[tuple[str, ast.expr]] = []
    for name, value in lines:
        spelled = Spelled(named).visit(ast.parse(ast.unparse(value), mode="eval").body)
        if is_selector(spelled):
            named[name] = spelled
        else:
            kept.append((name, spelled))
    return kept


class Spelled(ast.NodeTransformer):
    """Puts expressions in the places of their names."""

    def __init__(self, named: Mapping[str, ast.expr]) -> None:
        self.named = named

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.named.get(node.id, node)


def is_selector(node: ast.expr) -> bool:
    """Whether an expression without names of selectors is one."""
    match node:
        case ast.Call(ast.Name("select")):
            return True
        case ast.BoolOp(_, parts):
            return any(is_selector(part) for part in parts)
        case ast.UnaryOp(ast.Not(), part):
            return is_selector(part)
        case _:
            return False


def keys_are_letters(selector: ast.expr) -> bool:
    """Whether whatever is selected is a letter of the program, by the form of the selector."""
    match selector:
        case ast.Call(ast.Name("select"), [ast.Name("tokens"), _, ast.Name("EQ")]):
            return True
        case ast.BoolOp(ast.And(), parts):
            return any(keys_are_letters(part) for part in parts)
        case ast.BoolOp(ast.Or(), parts):
            return all(keys_are_letters(part) for part in parts)
        case _:
            return False


def at_most_one(selector: ast.expr) -> bool:
    """Whether at most one key is selected, by the form of the selector."""
    match selector:
        case ast.Call(ast.Name("select"), [ast.Name("indices"), _, ast.Name("EQ")]):
            return True
        case ast.BoolOp(ast.And(), parts):
            return any(at_most_one(part) for part in parts)
        case _:
            return False


def is_reflexive(selector: ast.expr) -> bool:
    """Whether every position selects itself, by the form of the selector."""
    match selector:
        case ast.Call(ast.Name("select"), [ast.Name(keys), ast.Name(queries), ast.Name("EQ" | "LEQ" | "GEQ")]):
            return keys == queries and keys in ("indices", "tokens", "length")
        case ast.Call(ast.Name("select"), [ast.Constant(keys), ast.Constant(queries), ast.Name("EQ")]):
            return bool(keys == queries)
        case ast.BoolOp(operator, parts):
            return (all if isinstance(operator, ast.And) else any)(is_reflexive(part) for part in parts)
        case _:
            return False
