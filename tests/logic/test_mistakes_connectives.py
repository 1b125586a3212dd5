"""Mistakes in connectives: those of other languages, misspelled ones, and ones with a side missing."""

from __future__ import annotations

import pytest

from tests.logic.mistakes import said

MISTAKES = [
    (
        "a(1) => b(1)",
        [
            "error[L001]: `=>` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) => b(1)",
            "   |      ^",
            "   = help: `phi -> psi` is the implication; at least is `>=`",
        ],
    ),
    (
        "a(1) && b(1)",
        [
            "error[L001]: `&&` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) && b(1)",
            "   |      ^",
            "   = help: `phi & psi` is the conjunction",
        ],
    ),
    (
        "a(1) || b(1)",
        [
            "error[L001]: `||` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) || b(1)",
            "   |      ^",
            "   = help: `phi | psi` is the disjunction",
        ],
    ),
    (
        "a(1) nad b(1)",
        [
            "error[L001]: expected an operator, `;` or the end, found `nad`",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) nad b(1)",
            "   |      ^",
            "   = help: did you mean `and`?",
        ],
    ),
    (
        "a(1) adn b(1)",
        [
            "error[L001]: expected an operator, `;` or the end, found `adn`",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) adn b(1)",
            "   |      ^",
            "   = help: did you mean `and`?",
        ],
    ),
    (
        "a(1) ∧∧ b(1)",
        [
            "error[L001]: `∧∧` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) ∧∧ b(1)",
            "   |      ^",
            "   = help: `phi ∧ psi` is the conjunction",
        ],
    ),
    (
        "a(1) → b(1) ⇒ a(2)",
        [
            "error[L001]: `⇒` does not belong to the language",
            "  --> f.fom:1:13",
            "   |",
            " 1 | a(1) → b(1) ⇒ a(2)",
            "   |             ^",
            "   = help: `phi → psi` is the implication",
        ],
    ),
    (
        "a(1) & & b(1)",
        [
            "error[L001]: expected a formula or a sum, found `&`",
            "  --> f.fom:1:8",
            "   |",
            " 1 | a(1) & & b(1)",
            "   |        ^",
        ],
    ),
    (
        "not",
        [
            "error[L001]: expected a formula or a sum, found the end of the text",
            "  --> f.fom:1:4",
            "   |",
            " 1 | not",
            "   |    ^",
        ],
    ),
    (
        "a(1) &",
        [
            "error[L001]: expected a formula or a sum, found the end of the text",
            "  --> f.fom:1:7",
            "   |",
            " 1 | a(1) &",
            "   |       ^",
        ],
    ),
    (
        "a(1) /\\ b(1)",
        [
            "error[L001]: `/\\` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) /\\ b(1)",
            "   |      ^",
            "   = help: `phi & psi` is the conjunction",
        ],
    ),
    (
        "a(1) \\/ b(1)",
        [
            "error[L001]: `\\/` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) \\/ b(1)",
            "   |      ^",
            "   = help: `phi | psi` is the disjunction",
        ],
    ),
    (
        "~ ~",
        [
            "error[L001]: expected a formula or a sum, found the end of the text",
            "  --> f.fom:1:4",
            "   |",
            " 1 | ~ ~",
            "   |    ^",
        ],
    ),
    (
        "if a(1) then b(1)",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `a`",
            "  --> f.fom:1:4",
            "   |",
            " 1 | if a(1) then b(1)",
            "   |    ^",
            "   = help: `phi -> psi` says: if phi then psi",
        ],
    ),
    (
        "a(1) xor b(1)",
        [
            "error[L001]: expected an operator, `;` or the end, found `xor`",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) xor b(1)",
            "   |      ^",
            "   = help: either ... or is `~(phi <-> psi)`",
        ],
    ),
    (
        "a(1) <=> b(1)",
        [
            "error[L001]: `<=>` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) <=> b(1)",
            "   |      ^",
            "   = help: `phi <-> psi` says that both are true or both are false",
        ],
    ),
    (
        "a(1) <- b(1)",
        [
            "error[L003]: the formula `b(1)` stands where a number is expected",
            "  --> f.fom:1:7",
            "   |",
            " 1 | a(1) <- b(1)",
            "   |       ^",
            "   = help: write [b(1)] for its 0 or 1, or define `b` with `sum` above",
        ],
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text: str, message: list[str]) -> None:
    assert said(text) == message
