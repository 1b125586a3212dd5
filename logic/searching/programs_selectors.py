"""What the form of a selector says about the keys that it selects."""

from __future__ import annotations

import ast


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
