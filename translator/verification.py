"""Verification: network = circuit = sentence, from the emitted files, or a network against its specification or another network.

Every answer names its scope and its method. A refutation is a concrete input, replayed through all representations; what is
neither proved nor refuted is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from circuits.diagnostics import FomError, fail
from logic.semantics import deep_recursion
from logic.telling import Progress, silent
from logic.verdicts import Refuted
from translator.sides import Source
from translator.verifying.boxes import BoxCheck, names_boxes
from translator.verifying.comparison import Comparison
from translator.verifying.deciding import Deciding
from translator.verifying.equality import Equality
from translator.verifying.properties import PropertyCheck
from translator.verifying.question import COMPARISON_METHODS, EQUALITY_METHODS, Question, Report
from translator.verifying.rivals import read_rival

Run = Equality | Comparison | PropertyCheck | BoxCheck


def verify(source: Source, progress: Progress = silent, **options: Any) -> Report:
    """Verify a translation.

    Args:
        progress: called with one line for every stage.
        options: the fields of `Question`.

    Raises:
        FomError: a question that cannot be asked, or an artifact that cannot be evaluated.
    """
    question = Question(**options)
    if sum(asked is not None for asked in (question.against, question.property_, question.robust)) > 1:
        raise fail("T061", "one question at a time: --against, --property or --robust", help="leave out all but one")
    if names_boxes(question):
        return report(BoxCheck(source, question, progress))
    if (question.against or question.property_) is not None and question.method not in ("auto", *COMPARISON_METHODS):
        raise unknown_method(question.method, COMPARISON_METHODS)
    if question.against is not None:
        rival = read_rival(question.against, source.network, progress)
        return report(Comparison(source, question, rival, progress))
    if question.property_ is not None:
        return report(PropertyCheck(source, question, progress))
    if question.method not in ("auto", *EQUALITY_METHODS):
        raise unknown_method(question.method, EQUALITY_METHODS)
    if question.list_failures:
        raise fail("T061", "--list is about a specification, and none is given", help="add --against SPEC.fom")
    return report(Equality(source, question, progress))


def unknown_method(name: str, known: Sequence[str]) -> FomError:
    """The diagnostic for a method that there is not, or not for such a question."""
    return fail("T061", f"unknown method `{name}`", help=f"choose one of auto, {', '.join(known)}")


def report(run: Run) -> Report:
    """Make the claims and sum up: refuted if any claim is, holds if the whole scope asked for is settled, else unknown."""
    with deep_recursion():
        run.answer()
    refuted = any(isinstance(claim.verdict, Refuted) for claim in run.claims)
    verdict = "refuted" if refuted else "holds" if run.settled() else "unknown"
    failures = tuple(run.failures) if isinstance(run, Comparison) and run.question.list_failures else None
    everywhere = isinstance(run, Deciding) and run.everywhere
    return Report(verdict, run.scope_text, tuple(run.claims), tuple(run.notes), failures, everywhere)
