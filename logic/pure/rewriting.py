"""Rewriting a sentence from the leaves up: atoms are replaced, and every other node is built again from its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from logic.pure.store import Store
from logic.syntax import (
    And,
    Count,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
)
from logic.walk import Part, children, postorder


def rewrite(sentence: Sentence, store: Store, atom: Callable[[Part], Part]) -> Sentence:
    """Apply `atom` to every node without children; definitions that it makes in `store` come before their use."""
    new: dict[Part, Part] = {}
    seen: set[Part] = set()

    def rewritten(root: Part) -> Part:
        for node in postorder(root, seen):
            new[node] = rebuilt(node, new) if children(node) else atom(node)
        return new[root]

    for definition in sentence.definitions:
        store.base = definition.name
        body = rewritten(definition.body)
        store.made.append(replace(definition, body=body))  # type: ignore[arg-type]
    store.base = "answer"
    formula = rewritten(sentence.formula)
    return replace(sentence, definitions=tuple(store.made), formula=formula)  # type: ignore[arg-type]


def rebuilt(node: Part, new: dict[Part, Part]) -> Part:
    """The same kind of node over the new parts."""
    if all(new[child] is child for child in children(node)):
        return node

    def formula(part: Part) -> Formula:
        made = new[part]
        if not isinstance(made, Formula):
            raise TypeError(f"not a formula: {type(made).__name__}")
        return made

    def total(part: Sum) -> Sum:
        items: list[tuple[int, Item]] = []
        for coef, item in part.items:
            made = new[item]
            if not isinstance(made, Item):
                raise TypeError(f"not an item: {type(made).__name__}")
            items.append((coef, made))
        return Sum(tuple(items), part.length, part.const)

    match node:
        case Not(body):
            return Not(formula(body))
        case And(parts) | Or(parts):
            return type(node)(tuple(map(formula, parts)))
        case Implies(left, right) | Iff(left, right):
            return type(node)(formula(left), formula(right))
        case Forall(x, body) | Exists(x, body) | Majority(x, body):
            return type(node)(x, formula(body))
        case Indicator(body):
            return Indicator(formula(body))
        case Count(x, condition, weight):
            return Count(x, formula(condition), total(weight))
        case Linear(added, bound):
            return Linear(total(added), bound)
        case Sum():
            return total(node)
        case _:
            raise TypeError(f"no node with parts: {type(node).__name__}")
