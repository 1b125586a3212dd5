"""The direct connection language of a family in FO(M): when there is a wire, and in which order nodes stand.

A node is its template, its positions and its element. Templates, elements and weights are constants, so the wires between two
templates are finitely many formulas over positions, one for each rule, with a table of weights beside each: the wire from
element i of S at (u, ..) to element j of T at (x, ..) has as weight the sum of the tables' entries (j, i) of all rules whose
formula ``edge.T.S.k(x, .., u, ..)`` holds. The formulas have no quantifier, unless a term multiplies the position that is summed
over. Where several places lead to the same node, the rule is the definition of a sum that counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.positions import LAST, AtLeast, Equals, Guard, Term, conjunction, disjunction, is_safe, substitute, var
from circuits.uniformity.description import Description, Places, Rule
from logic.family_to_sentence import VARIABLES, guard_to_formula
from logic.syntax import TRUE, Count, Definition, Exists, Formula, Sentence, Sum

Integers = np.ndarray[Any, np.dtype[np.int64]]

FIRST_OF_SOURCE = 3


@dataclass(frozen=True, eq=False)
class Edge:
    """One rule in FO(M): the name of its definition, the kinds it leads between, and its weights."""

    name: str
    reader: int
    source: int
    rule: Rule


@dataclass(frozen=True, eq=False)
class Language:
    """The definitions of all nodes and edges, as one sentence that says nothing more than true."""

    sentence: Sentence
    edges: tuple[Edge, ...]
    orders: tuple[str, ...]

    @property
    def shapes(self) -> int:
        """How many different formulas the edges have."""
        names = {edge.name for edge in self.edges}
        return len({(one.params, one.body) for one in self.sentence.definitions if one.name in names})


def connection_language(description: Description) -> Language:
    """Write a description as definitions: a relation for each kind of nodes, one for each rule, and the order of ids.

    Raises:
        FomError: a rule needs more variables than there are names.
    """
    definitions = [
        Definition(f"node.{kind.name}", VARIABLES[: kind.n_positions], TRUE, f"elements 0 to {kind.size - 1}")
        for kind in description.kinds
    ]
    edges: list[Edge] = []
    for reader, kind in enumerate(description.kinds):
        numbers: dict[int, int] = {}
        for rule in kind.rules:
            source = description.kinds[rule.source]
            number = numbers[rule.source] = numbers.get(rule.source, -1) + 1
            name = f"edge.{kind.name}.{source.name}.{number}"
            params, body = edge_body(rule.places, source.n_positions, name)
            definitions.append(Definition(name, params, body))
            edges.append(Edge(name, reader, rule.source, rule))
    orders = []
    for k in sorted({kind.n_positions for kind in description.kinds} - {0}):
        orders.append(f"before.{k}")
        params = (*VARIABLES[:k], *VARIABLES[k : 2 * k])
        if len(params) < 2 * k:
            raise too_many(orders[-1])
        definitions.append(Definition(orders[-1], params, guard_to_formula(lexicographic(k))))
    return Language(Sentence((), (), tuple(definitions), TRUE), tuple(edges), tuple(orders))


def too_many(name: str) -> Exception:
    """The refusal of a formula with more variables than there are names."""
    return fail(
        "L065", f"`{name}` needs more than {len(VARIABLES)} position variables",
        help="use fewer position variables in each node of the network",
    )  # fmt: skip


def edge_body(places: Places, source_positions: int, name: str) -> tuple[tuple[str, ...], Formula | Sum]:
    """The parameters and the formula, or sum, of one rule."""
    k = places.n_positions
    coef = dict(places.at[places.solved].coefs)[k] if places.guard is not None and places.solved is not None else 0
    keeps_bound = places.guard is not None and abs(coef) != 1
    first = max(FIRST_OF_SOURCE, k + keeps_bound)
    if first + source_positions > len(VARIABLES):
        first = k + keeps_bound
    if first + source_positions > len(VARIABLES):
        raise too_many(name)
    source = [var(first + place) for place in range(source_positions)]
    params = (*VARIABLES[:k], *VARIABLES[first : first + source_positions])
    own = [var(place) for place in range(k)]
    if places.guard is None:
        return params, guard_to_formula(equations(places, own, source))
    if keeps_bound:
        inside = guard_to_formula(conjunction(equations(places, [*own, var(k)], source), places.guard))
        if places.counted:
            return params, Sum(((1, Count(VARIABLES[k], inside)),))
        return params, Exists(VARIABLES[k], inside)
    number = places.solved or 0
    y = (source[number] - (places.at[number] - var(k) * coef).substitute(own)) * coef
    in_word = () if is_safe(y) else (AtLeast(y - 1), AtLeast(LAST - y))
    at = [*own, y]
    guard = conjunction(*in_word, equations(places, at, source), substitute(places.guard, at))
    return params, guard_to_formula(guard)


def equations(places: Places, at: list[Term], source: list[Term]) -> Guard:
    """The source's positions are the terms of the rule."""
    pairs = zip(places.at, source, strict=True)
    return conjunction(*(Equals(position - term.substitute(at)) for term, position in pairs))


def lexicographic(k: int) -> Guard:
    """The tuple of the first k variables stands before the tuple of the next k."""
    cases = []
    for place in range(k):
        equal = [Equals(var(k + other) - var(other)) for other in range(place)]
        cases.append(conjunction(*equal, AtLeast(var(k + place) - var(place) - 1)))
    return disjunction(*cases)
