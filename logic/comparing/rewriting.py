"""Rewriting sentences: other atoms, products of letters, two sentences as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from logic.simplify.substitution import rebuilt
from logic.syntax import FALSE, And, Call, Definition, Formula, Letter, Or, Sentence, SumCall
from logic.walk import Part, children, postorder

Truths = np.ndarray[Any, np.dtype[np.bool_]]


def rewritten(sentence: Sentence, put: Callable[[Any], Part]) -> Sentence:
    """The sentence with `put(node)` in place of every leaf; the letters and propositions stay for the caller to set."""
    done: dict[Part, Part] = {}

    def apply(root: Any) -> Any:
        for node in postorder(root, None, lambda node: () if node in done else children(node)):
            if node not in done:
                below = children(node)
                done[node] = rebuilt(node, [done[part] for part in below]) if below else put(node)
        return done[root]

    definitions = tuple(replace(definition, body=apply(definition.body)) for definition in sentence.definitions)
    return replace(sentence, definitions=definitions, formula=apply(sentence.formula))


def letters_as_products(sentence: Sentence, chosen: Mapping[str, Truths], names: tuple[str, ...]) -> Sentence:
    """The sentence over other letters: each of its letters is one of the `names` chosen for it."""

    def put(node: Part) -> Part:
        return (
            any_letter([names[code] for code in np.flatnonzero(chosen[node.name])], node)
            if isinstance(node, Letter)
            else node
        )

    return replace(rewritten(sentence, put), letters=names)


def any_letter(names: list[str], at: Letter) -> Formula:
    """That one of these letters stands where a letter is said to stand."""
    letters = tuple(Letter(name, at.term) for name in names)
    return Or(letters) if len(letters) > 1 else letters[0] if letters else FALSE


def both(one: Sentence, two: Sentence) -> Sentence:
    """The conjunction of two sentences over the same letters, without propositions."""
    taken = {definition.name for definition in one.definitions} | set(one.letters)
    names = {definition.name: definition.name for definition in two.definitions}
    for name in names:
        while names[name] in taken:
            names[name] = f"{names[name]}.and"
        taken.add(names[name])

    def put(node: Part) -> Part:
        return replace(node, name=names[node.name]) if isinstance(node, Call | SumCall) and node.name in names else node

    renamed = rewritten(two, put)
    added = tuple(Definition(names[old.name], old.params, old.body) for old in renamed.definitions)
    return Sentence(one.letters, (), one.definitions + added, And((one.formula, renamed.formula)))
