"""U6: the direct connection language in FO(M) says what the programs `node` and `edge` say, at every tuple of positions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.uniformity.checks import Check, lengths_text
from circuits.uniformity.description import Description, Places
from circuits.uniformity.graph import multiplicities
from circuits.uniformity.programs import edge
from logic.batch import evaluate
from logic.connection_language import Edge, Language
from logic.parser import parse
from logic.printer import to_ascii
from logic.syntax import Definition, Formula, Sentence, Sum

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_TUPLES = 1 << 20
ASKED_EDGES = 40


def same_language(language: Language, description: Description, lengths: Sequence[int], seed: int = 0) -> Check:
    """Compare the language, read back from its text, with the programs of a description.

    For every rule the formula is compared with the program for all positions at all the lengths; `edge` itself is asked
    for some wires of some rules at all positions. `before` is compared with the order of ids.
    """
    parsed = parse(to_ascii(language.sentence))
    parsed.check()
    wrong = "" if bare(parsed) == bare(language.sentence) else "the text of the language reads back differently"
    rules: dict[tuple[int, int], list[Places]] = {}
    for number, kind in enumerate(description.kinds):
        for rule in kind.rules:
            rules.setdefault((number, rule.source), []).append(rule.places)
    used = [n for n in lengths if n ** most_variables(language) <= MOST_TUPLES]
    checker = Checker(language, description, parsed, random.Random(seed))
    for n in used:
        wrong = wrong or checker.wrong_rules(n, rules) or checker.wrong_order(n) or checker.wrong_edges(n)
    figures: dict[str, int | str] = {
        "definitions": len(language.sentence.definitions),
        "edge formulas": len(language.edges),
        "different": language.shapes,
        "tuples evaluated": checker.tuples,
        "edges asked": checker.asked,
    }
    return Check(
        "U6",
        "the connection language in FO(M), printed and read back, says the same as the programs",
        not wrong,
        figures,
        f"every rule at all positions, {lengths_text(used)}",
        wrong,
    )


def bare(sentence: Sentence) -> tuple[Definition, ...]:
    """The definitions without their comments."""
    return tuple(Definition(one.name, one.params, one.body) for one in sentence.definitions)


def most_variables(language: Language) -> int:
    """The largest number of parameters of a definition."""
    return max(len(one.params) for one in language.sentence.definitions)


@dataclass
class Checker:
    """Evaluates the definitions of a language at one length after the other, each different body once."""

    language: Language
    description: Description
    parsed: Sentence
    rng: random.Random
    tuples: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self.definition = {one.name: one for one in self.parsed.definitions}
        self.first: dict[tuple[tuple[str, ...], Formula | Sum], str] = {}
        for one in self.parsed.definitions:
            self.first.setdefault((one.params, one.body), one.name)
        names = [edge.name for edge in self.language.edges] + list(self.language.orders)
        self.wanted = tuple(dict.fromkeys(self.representative(name) for name in names))
        self.values: dict[str, Integers] = {}
        self.n = 0

    def representative(self, name: str) -> str:
        """The first definition with the same parameters and body."""
        one = self.definition[name]
        return self.first[one.params, one.body]

    def table(self, n: int, name: str) -> Integers:
        """The value of a definition for all positions at a length."""
        if n != self.n:
            kept = tuple(self.definition[one] for one in self.wanted)
            sentence = Sentence((), (), kept, self.parsed.formula)
            found = evaluate(sentence, np.full((1, n), -1), wanted=self.wanted)
            self.values = {one: value[0].astype(np.int64) for one, value in found.items() if one}
            self.tuples += sum(value.size for value in self.values.values())
            self.n = n
        return self.values[self.representative(name)]

    def wrong_rules(self, n: int, rules: dict[tuple[int, int], list[Places]]) -> str:
        """The first rule whose formula differs from its program, in words."""
        compared: dict[tuple[str, Places], bool] = {}
        left = {pair: list(places) for pair, places in rules.items()}
        for one in self.language.edges:
            own = left.get((one.reader, one.source), [])
            if not own:
                return f"`{one.name}` has no rule"
            places = own.pop(0)
            source = self.description.kinds[one.source]
            key = (self.representative(one.name), places)
            if key not in compared:
                program = multiplicities(places, source.n_positions, n)
                compared[key] = np.array_equal(program, self.table(n, one.name))
            if not compared[key]:
                return f"n = {n}: `{one.name}` differs from the program of its rule"
        over = next((pair for pair, places in left.items() if places), None)
        if over is None:
            return ""
        reader, read = (self.description.kinds[number].name for number in over)
        return f"a rule from `{read}` to `{reader}` has no formula"

    def wrong_order(self, n: int) -> str:
        """The first order of positions that is not the order of ids, in words."""
        layout = self.description.layout
        for name in self.language.orders:
            k = len(self.definition[name].params) // 2
            points = np.indices((n,) * (2 * k)) + 1
            left, right = (layout.encode(n, 0, list(half), 0) for half in (points[:k], points[k:]))
            if not np.array_equal(self.table(n, name), left < right):
                return f"n = {n}: `{name}` is not the order of ids"
        return ""

    def wrong_edges(self, n: int) -> str:
        """Ask `edge` for one wire of some rules at all positions; the first that differs, in words."""
        by_pair: dict[tuple[int, int], list[Edge]] = {}
        for one in self.language.edges:
            by_pair.setdefault((one.reader, one.source), []).append(one)
        for pair in self.rng.sample(sorted(by_pair), min(len(by_pair), ASKED_EDGES)):
            edges = by_pair[pair]
            chosen = self.rng.choice(edges).rule.table
            element = self.rng.choice(np.flatnonzero(chosen.row_sizes).tolist())
            row = chosen.weights[[element if chosen.rows is None else int(chosen.rows[element])]]
            read = int(self.rng.choice(row.indices.tolist()))
            reader, source = (self.description.kinds[number] for number in pair)
            expected: Any = 0
            for one in edges:
                table = one.rule.table
                line = element if table.rows is None else int(table.rows[element])
                factor = 1 if table.factors is None else int(table.factors[element])
                expected = expected + self.table(n, one.name) * (factor * int(table.weights[line, read]))
            points = np.indices((n,) * (reader.n_positions + source.n_positions)) + 1
            layout = self.description.layout
            j = layout.encode(n, pair[0], list(points[: reader.n_positions]), element)
            i = layout.encode(n, pair[1], list(points[reader.n_positions :]), read)
            i, j = (np.asarray(number, dtype=np.int64) for number in np.broadcast_arrays(i, j))
            found = edge(self.description, n, i.ravel(), j.ravel())
            self.asked += found.size
            if not np.array_equal(found, np.broadcast_to(expected, (n,) * len(points)).ravel()):
                name = f"element {element} of `{reader.name}` and element {read} of `{source.name}`"
                return f"n = {n}: edge differs from the formulas between {name}"
        return ""
