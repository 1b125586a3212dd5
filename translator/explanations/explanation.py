"""What `fom explain` finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logic.searching.aiming import Candidate
from translator.verifying.question import Report

if TYPE_CHECKING:
    from translator.explanations.stating import Stated
    from translator.explanations.tables import Tabled

Matrix = tuple[tuple[float, ...], ...]

FRAME_HEIGHT = "42em"
"""Of the page in a notebook, which scrolls inside."""


@dataclass(frozen=True)
class Explained:
    """The short sentences for one class, or for the only answer.

    Attributes:
        name: the class, such as ``class[1]``.
        front: candidates, smallest first, each wrong on fewer of the words searched than all smaller ones.
        chosen: the one that was verified: the smallest exact one, or the best.
        report: the verification of the chosen one against the network; None if it is already wrong on words searched.
        searched: the scope of the search, in words.
        rounds: how often a counterexample was added and the search run again.
        wrong: words, of those searched, on which the chosen one is wrong; the first of them if there are many.
        seconds: for the search and the verification.
        departs: a shortest word on which the network departs from the chosen sentence, which holds on all shorter ones.
        complete: no formula of the grammar with so many nodes, those that are shared counted each time, is right on all words
            searched; but one that is chosen may have as many.
        further: a longer sentence with which the network agrees on longer words, or on all, if there is one.
    """

    name: str
    front: tuple[Candidate, ...]
    chosen: Candidate
    report: Report | None
    searched: str
    rounds: int
    wrong: tuple[str, ...]
    seconds: float
    departs: str = ""
    complete: int = 0
    further: Explained | None = None


@dataclass(frozen=True)
class Explanation:
    """What was found about a network.

    Attributes:
        inside: for words and heads of the network that compute a short formula: name, formula in words, scope.
        rasp: the first explanation as RASP-like code; nothing if there is none.
        python: the same as Python.
        word: the word for which attention is shown.
        attention: for each head its weights on that word, a row for each position that attends.
        seconds: by stage.
        program_scope: the words on which the program was compared.
        stated: the formulas of the program, for a network compiled from one.
        hint: what else could be asked, or nothing.
        sampled: whether the program was compared on random words only, so that nothing is proved.
        table: the law of a network that is a table over letters; there are no sentences beside it.
    """

    model: str
    precision: str
    alphabet: tuple[str, ...]
    domain: str
    explained: tuple[Explained, ...]
    inside: tuple[tuple[str, str, str], ...] = ()
    rasp: str = ""
    python: str = ""
    word: str = ""
    attention: tuple[tuple[str, Matrix], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    program_scope: str = ""
    stated: Stated | None = None
    hint: str = ""
    table: Tabled | None = None
    sampled: bool = False

    def __str__(self) -> str:
        from translator.pages.explanation_terminal import explanation_lines

        return "\n".join("".join(text for text, _ in line).rstrip() for line in explanation_lines(self))

    def _repr_html_(self) -> str:
        from html import escape

        from translator.pages.explanation_page import explanation_html

        style = f"width: 100%; height: {FRAME_HEIGHT}; border: 0"
        return f'<iframe style="{style}" srcdoc="{escape(explanation_html(self))}"></iframe>'
