"""A problem as finitely many cases, in each of which network and rival are functions of counts of types.

A case is a layout (see `logic.comparing.symmetry`) with what the network is in it, and where the network is wrong as a formula of
Presburger arithmetic over the counts. Words shorter than the single positions of the layouts are left to enumeration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.network import Network
from logic.comparing.cells_layouts import Layout, Needs, NotSymmetric, all_needs, layouts, require_few
from logic.comparing.cells_text import (
    FALSE,
    TRUE,
    conjunction,
    count_name,
    disjunction,
    equivalence,
    negation,
    sizes,
    spell,
    unknowns,
)
from logic.comparing.presburger import Presburger, needs_of_sentence
from logic.comparing.problem import Problem
from logic.comparing.symmetry import Symmetry, needs_of_network, symmetry

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Case:
    """A problem in a layout.

    Attributes:
        network, rival: what the networks are in the layout; None for a rival that is a specification.
        considered: the counts whose words, with the position asked for, are considered.
        truths: the formula of each class that a specification speaks about, with the number of the class.
    """

    layout: Layout
    network: Symmetry
    rival: Symmetry | None
    letters: int
    considered: str
    truths: tuple[tuple[int, str], ...]

    @property
    def names(self) -> list[str]:
        """The unknowns."""
        return unknowns(self.layout, self.letters)

    @property
    def known(self) -> list[str]:
        """What holds of the unknowns in every word considered."""
        return [formula for formula in (*sizes(self.layout, self.letters), self.considered) if formula != TRUE]

    @property
    def length(self) -> str:
        """The length of the word."""
        return spell(self.layout.length)

    def wrong(self, decided: Any, rival: Any) -> str:
        """Where a decision of the network is wrong: against the rival network's, or for the specification."""
        if self.rival is not None:
            return FALSE if decided == rival else TRUE
        return disjunction(
            negation(equivalence(truth, TRUE if decided == number else FALSE)) for number, truth in self.truths
        )

    def counts(self, values: Mapping[str, int]) -> tuple[Integers, Integers]:
        """The types present, and how many positions each has."""
        n_types = len(self.layout.classes) * self.letters
        all_counts = [values[count_name(*divmod(number, self.letters))] for number in range(n_types)]
        present = [number for number, count in enumerate(all_counts) if count]
        return np.array(present, dtype=np.int64), np.array([all_counts[number] for number in present], dtype=np.int64)

    def word(self, present: Integers, counts: Integers) -> Integers:
        """A word with these counts, in each class the letters in order: ``(n,)``."""
        pieces: list[Integers] = []
        number, classes = 0, self.layout.classes
        letters = [
            np.repeat(
                present[present // self.letters == place] % self.letters, counts[present // self.letters == place]
            )
            for place in range(len(classes))
        ]
        while number < len(classes):
            period = 1 if classes[number].single else self.layout.period
            group = letters[number : number + period]
            piece = np.zeros(sum(map(len, group)), dtype=np.int64)
            for offset, inner in enumerate(group):
                piece[offset::period] = inner
            pieces.append(piece)
            number += period
        return np.concatenate(pieces)


@dataclass(frozen=True)
class Cases:
    """All cases of a problem; together they are all words of at least `shortest` letters."""

    cases: tuple[Case, ...]
    shortest: int


def network_needs(problem: Problem) -> Needs:
    """What the networks of a problem tell apart.

    Raises:
        NotSymmetric: too much.
    """
    needs = needs_of_network(problem.network)
    return needs | needs_of_network(problem.rival) if isinstance(problem.rival, Network) else needs


def cases_of(problem: Problem) -> Cases:
    """The cases of a problem.

    Raises:
        NotSymmetric: network, rival or the words considered are not symmetric; the message says which and why.
    """
    if problem.network.inputs:
        raise NotSymmetric("the network reads numbers, not a word")
    needs = network_needs(problem)
    spoken = [sentence for sentence in (problem.where, problem.at) if sentence is not None]
    if not isinstance(problem.rival, Network):
        spoken.append(problem.rival.sentence)
    said = all_needs(needs_of_sentence(sentence) for sentence in spoken)
    plain = needs | Needs(said.prefix, said.suffix, 1)
    first: NotSymmetric | None = None
    for tried in dict.fromkeys((plain, needs | said)):
        for split in (False, True) if problem.network.decided.n_positions else (False,):
            try:
                require_few(tried, "the specification")
                found = layouts(tried, problem.network.decided.n_positions, split)
                return Cases(tuple(case_of(problem, one) for one in found), tried.prefix + tried.suffix)
            except NotSymmetric as refusal:
                first = refusal
    raise first or NotSymmetric("no layout")


def case_of(problem: Problem, layout: Layout) -> Case:
    """One case.

    Raises:
        NotSymmetric: the problem is not symmetric in this layout.
    """
    network = problem.network
    own = symmetry(network, layout)
    domain = [f"(>= {spell(layout.length)} {problem.domain.least})"]
    if problem.domain.most is not None:
        domain.append(f"(<= {spell(layout.length)} {problem.domain.most})")
    said = [
        Presburger(sentence, layout, network.alphabet).relation("", at)
        for sentence, at in ((problem.where, None), (problem.at, layout.here))
        if sentence is not None
    ]
    considered = conjunction([*domain, *said])
    if isinstance(problem.rival, Network):
        return Case(layout, own, symmetry(problem.rival, layout), len(network.alphabet), considered, ())
    rival = problem.rival
    meaning = Presburger(rival.sentence, layout, network.alphabet)
    truths = tuple(
        (number, meaning.relation(name, layout.here))
        for number, name in zip(rival.classes, rival.relations, strict=True)
    )
    return Case(layout, own, None, len(network.alphabet), considered, truths)
