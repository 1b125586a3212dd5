"""Properties of the classes decided, as problems that every method knows.

For each decision d there is one problem: on a word where the property, with d in place of the decision, is false, the network
must not decide d. A property of two words is one of a word over pairs of letters, read by two copies of the
network side by side.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from circuits.network import Network
from circuits.pairs import n_classes, side_by_side
from logic.comparing.problem import Problem
from logic.comparing.properties import ClassOf, LetterOf, Property
from logic.comparing.rewriting import both, letters_as_products, rewritten
from logic.comparing.specification import Specification
from logic.simplify import simplify
from logic.simplify.substitution import substitute
from logic.syntax import FALSE, TRUE, Call, Definition, Letter, Not, Sentence, var
from logic.walk import Part, children, postorder


def problems_of(property_: Property, where: Sentence | None, at: Sentence | None) -> list[Problem] | str:
    """The problems that a property is, or why it is more than that, for a reader.

    A word that violates the property is a word on which one of the problems has a difference.
    """
    obstacle = why_not(property_)
    if obstacle:
        return obstacle
    network = property_.network
    if property_.copies == 2:
        network = side_by_side(network, network)
    count = n_classes(property_.network)
    found = []
    for decided in product(range(count), repeat=property_.copies):
        violated = simplify(over_words(opposite(property_, decided), property_, network.alphabet)).sentence
        if violated.formula is FALSE:
            continue
        number = int(np.ravel_multi_index(decided, (count,) * property_.copies))
        words, places = (spread(given, property_, network.alphabet) for given in (where, at))
        if violated.free:
            places = violated if places is None else both(renamed_free(places, violated.free[0]), violated)
        else:
            words = violated if words is None else both(words, violated)
        found.append(Problem(network, never(network, number), words, places))
    return found


def never(network: Network, number: int) -> Specification:
    """That a network decides a class nowhere."""
    name = f"class[{number}]"
    params = ("x",)[: network.decided.n_positions]
    sentence = Sentence(network.alphabet, (), (Definition(name, params, FALSE),), TRUE)
    return Specification(sentence, (number,), (name,), False)


def why_not(property_: Property) -> str:
    """Why a property is about more than the classes decided for a word or at its own position; nothing if it is not."""
    network, sentence = property_.network, property_.sentence
    if network.decided.kind == "value":
        return "the network answers with numbers"
    outputs = {name for name, atom in property_.atoms.items() if not isinstance(atom, LetterOf)}
    if any(not isinstance(property_.atoms[name], ClassOf) for name in outputs):
        return "it speaks about words of the network that are not its decision"
    if not network.decided.n_positions:
        return ""
    elsewhere = "it speaks about what the network answers at several positions"
    if not sentence.free:
        return elsewhere
    if any(reads(definition.body, outputs) for definition in sentence.definitions):
        return elsewhere
    return "" if read_only_at(sentence.formula, outputs, sentence.free[0]) else elsewhere


def reads(part: Part, names: set[str]) -> bool:
    """Tell whether a formula has one of these letters."""
    return any(isinstance(node, Letter) and node.name in names for node in postorder(part))


def read_only_at(formula: Part, names: set[str], variable: str) -> bool:
    """Tell whether these letters stand only at a free variable of the formula."""
    if isinstance(formula, Letter):
        return formula.name not in names or formula.term.variable == variable
    bound = getattr(formula, "variable", None)
    if bound is not None and bound == variable:
        return not reads(formula, names)
    return all(read_only_at(part, names, variable) for part in children(formula))


def opposite(property_: Property, decided: tuple[int, ...]) -> Sentence:
    """Where the property is false if the network decides so; the letters are those of one or two words."""

    def put(node: Part) -> Part:
        atom = property_.atoms.get(node.name) if isinstance(node, Letter | Call) else None
        if not isinstance(atom, ClassOf):
            return node
        return TRUE if decided[atom.copy] == atom.number else FALSE

    fixed = rewritten(property_.sentence, put)
    letters = tuple(name for name in fixed.letters if isinstance(property_.atoms[name], LetterOf))
    return replace(fixed, letters=letters, propositions=(), formula=Not(fixed.formula))


def over_words(sentence: Sentence, property_: Property, alphabet: tuple[str, ...]) -> Sentence:
    """A sentence about one or two words over the letters of the network that reads them."""
    if property_.copies == 1:
        return replace(sentence, letters=alphabet)
    parts = np.divmod(np.arange(len(alphabet)), len(property_.network.alphabet))
    atoms = {name: atom for name, atom in property_.atoms.items() if isinstance(atom, LetterOf)}
    chosen = {name: parts[atoms[name].copy] == atoms[name].number for name in sentence.letters}
    return letters_as_products(sentence, chosen, alphabet)


def spread(sentence: Sentence | None, property_: Property, alphabet: tuple[str, ...]) -> Sentence | None:
    """A restriction of words, or of positions, as one of both words."""
    if sentence is None or property_.copies == 1:
        return sentence
    parts = np.divmod(np.arange(len(alphabet)), len(property_.network.alphabet))
    one, two = (
        letters_as_products(sentence, {name: part == number for number, name in enumerate(sentence.letters)}, alphabet)
        for part in parts
    )
    return both(one, two)


def renamed_free(sentence: Sentence, variable: str) -> Sentence:
    """A formula with one free variable, under another name of it."""
    moved: Any = substitute(sentence.formula, {sentence.free[0]: var(variable)})
    return replace(sentence, formula=moved)
