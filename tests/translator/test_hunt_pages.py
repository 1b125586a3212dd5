"""What is said of the inside of a network: the words it is said of stand once, or beside each line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.translator.test_pages_explanation import EXPLANATION
from translator.explanations.explanation import Explanation
from translator.pages.explanation_page import explanation_html
from translator.pages.explanation_terminal import explanation_lines


def with_scopes(scopes: Sequence[str]) -> Explanation:
    """An explanation with one line inside for each scope."""
    return replace(EXPLANATION, inside=tuple((f"w[{i}]", f"is {i}", scope) for i, scope in enumerate(scopes)))


@pytest.mark.parametrize(
    ("scopes", "shown"), [(["all short words"] * 3, 1), (["all short words"] * 2 + ["long words"], 2)]
)
def test_a_scope_that_all_share_is_said_once(scopes: list[str], shown: int) -> None:
    explanation = with_scopes(scopes)
    told = "\n".join("".join(text for text, _ in line) for line in explanation_lines(explanation))
    page = re.sub(r"<[^>]*>", " ", explanation_html(explanation))
    for written in (told, page):
        assert written.count("all short words") == shown
        assert written.count("long words") == scopes.count("long words")
