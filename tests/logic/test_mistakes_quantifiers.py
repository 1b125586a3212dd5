"""Mistakes in quantifiers and their variables."""

from __future__ import annotations

import pytest

from tests.logic.mistakes import said

MISTAKES = [
    (
        "for all x. a(x)",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `all`",
            "  --> f.fom:1:5",
            "   |",
            " 1 | for all x. a(x)",
            "   |     ^",
            "   = help: a quantifier is written `forall x. phi`",
        ],
    ),
    (
        "forall x: a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | forall x: a(x)",
            "   |        ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "forall x a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | forall x a(x)",
            "   |        ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "forall (x) a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `a`",
            "  --> f.fom:1:12",
            "   |",
            " 1 | forall (x) a(x)",
            "   |            ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "forall x, a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | forall x, a(x)",
            "   |        ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "exist x. a(x)",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `x`",
            "  --> f.fom:1:7",
            "   |",
            " 1 | exist x. a(x)",
            "   |       ^",
            "   = help: did you mean `exists` for `exist`?",
        ],
    ),
    (
        "\\forall x. a(x)",
        [
            "error[L001]: `\\forall` does not belong to the language",
            "  --> f.fom:1:1",
            "   |",
            " 1 | \\forall x. a(x)",
            "   | ^",
            "   = help: a quantifier is written `forall x. phi` or `∀x. phi`",
        ],
    ),
    (
        "∀x a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `∀`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | ∀x a(x)",
            "   | ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "exists n. a(n)",
        [
            "error[L017]: `n` cannot be a variable",
            "  --> f.fom:1:8, the final formula",
            "   |",
            " 1 | exists n. a(n)",
            "   |        ^",
            "   = note: a variable is a simple identifier other than n and the words of the language",
        ],
    ),
    (
        "Exists x. a(x)",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | Exists x. a(x)",
            "   |        ^",
            "   = help: did you mean `exists` for `Exists`?",
        ],
    ),
    (
        "FORALL x. a(x)",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | FORALL x. a(x)",
            "   |        ^",
            "   = help: did you mean `forall` for `FORALL`?",
        ],
    ),
    (
        "exists x, . a(x)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `x`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | exists x, . a(x)",
            "   |        ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "exists 1. a(1)",
        [
            "error[L001]: expected a variable and a dot after the quantifier, found `1`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | exists 1. a(1)",
            "   |        ^",
            "   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`",
        ],
    ),
    (
        "forall x.\n",
        [
            "error[L001]: expected a formula or a sum, found the end of the text",
            "  --> f.fom:2:1",
            "   |",
            " 2 | ",
            "   | ^",
        ],
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text: str, message: list[str]) -> None:
    assert said(text) == message
