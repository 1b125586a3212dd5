"""A network of fixed-size inputs against a property of boxes: a VNN-LIB file, or robustness around given inputs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from circuits.diagnostics import fail
from logic.telling import Progress, seldom
from logic.verdicts import Claim, Holds
from translator.answering import cases_of_file
from translator.box_properties import Decided, decide_robustness, decide_vnnlib
from translator.sides import Sides, Source
from translator.verifying.question import Question
from translator.verifying.scope import Scope

SUFFIXES = (".vnnlib", ".vnnlib.gz")


class BoxCheck:
    """One run: the property, or the inputs around which decisions should not change, and the claims and notes so far."""

    def __init__(self, source: Source, question: Question, progress: Progress) -> None:
        self.source, self.question = source, question
        self.progress = seldom(progress)
        self.scope = Scope(source.network, question)
        self.deadline = time.monotonic() + question.timeout_s
        self.claims: list[Claim] = []
        self.notes: list[str] = []

    @property
    def scope_text(self) -> str:
        """The scope asked for, in words."""
        return self.scope.text

    def settled(self) -> bool:
        """Tell whether every box was decided."""
        return all(isinstance(claim.verdict, Holds) for claim in self.claims)

    def answer(self) -> None:
        """Make the claims: one for a file, one for each input around which decisions should not change."""
        asked = self.question
        if asked.robust is None:
            self.record(decide_vnnlib(self.source, Path(asked.property_ or ""), asked.timeout_s, self.progress))
            return
        for number, row in enumerate(self.centres()):
            self.progress(f"around input {number}")
            left = max(0.0, self.deadline - time.monotonic())
            decided = decide_robustness(self.source, row, asked.robust, None, left, self.progress)
            named = f"input {number}: {decided.claim.scope}"
            self.record(replace(decided, claim=replace(decided.claim, scope=named)))

    def centres(self) -> list[Any]:
        """The inputs around which decisions should not change.

        Raises:
            FomError: no file, or a file that does not fit.
        """
        if not self.source.network.inputs:
            raise fail(
                "T061", "--robust is about networks of fixed-size inputs, and this one reads words",
                help="state a property of two words: --property",
            )  # fmt: skip
        if self.question.inputs is None:
            raise fail(
                "T061",
                "--robust needs the inputs around which decisions should not change",
                help="add --inputs FILE.npz",
            )
        cases = cases_of_file(Sides(self.source), self.question.inputs)
        return [row for group in cases.groups for row in group]

    def record(self, decided: Decided) -> None:
        """Keep what was decided."""
        counts = {
            key.replace("_", " "): value for key, value in decided.facts().items() if key not in ("notes", "depth")
        }
        verdict = Holds() if isinstance(decided.claim.verdict, Holds) else decided.claim.verdict
        self.claims.append(replace(decided.claim, right="property", verdict=verdict, facts=counts))
        self.notes += [note for note in decided.notes if note not in self.notes]


def names_boxes(question: Question) -> bool:
    """Tell whether a question is about boxes of inputs."""
    return question.robust is not None or (question.property_ or "").endswith(SUFFIXES)
