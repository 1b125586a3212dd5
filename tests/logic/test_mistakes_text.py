"""Mistakes in what is around a formula: comments, brackets, quotes, and what follows the end."""

from __future__ import annotations

import pytest

from tests.logic.mistakes import said

MISTAKES = [
    (
        "",
        [
            "error[L001]: the text has no formula",
            "  --> f.fom:1:1",
            "   |",
            " 1 | ",
            "   | ^",
            "   = help: a sentence is a formula, with definitions above it: `M x. a(x)`",
        ],
    ),
    (
        "-- only a comment\n",
        [
            "error[L001]: the text has no formula",
            "  --> f.fom:2:1",
            "   |",
            " 2 | ",
            "   | ^",
            "   = help: a sentence is a formula, with definitions above it: `M x. a(x)`",
        ],
    ),
    (
        "exists x. (a(x) & b(x)",
        [
            "error[L001]: expected `)`, found the end of the text",
            "  --> f.fom:1:23",
            "   |",
            " 1 | exists x. (a(x) & b(x)",
            "   |                       ^",
            "   = help: the `(` at line 1, column 11 is not closed",
        ],
    ),
    (
        "exists x. a(x) & b(x))",
        [
            "error[L001]: `)` closes nothing",
            "  --> f.fom:1:22",
            "   |",
            " 1 | exists x. a(x) & b(x))",
            "   |                      ^",
            "   = help: take it away, or open it before",
        ],
    ),
    (
        "exists x. a(x",
        [
            "error[L001]: expected an operator, `,` or `)`, found the end of the text",
            "  --> f.fom:1:14",
            "   |",
            " 1 | exists x. a(x",
            "   |              ^",
            "   = help: the `(` at line 1, column 12 is not closed",
        ],
    ),
    (
        "'a(1)",
        [
            "error[L001]: expected a definition, a formula or a sum, found `'`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | 'a(1)",
            "   | ^",
            "   = help: a quoted letter ends on the same line: `'('(x)`",
        ],
    ),
    (
        '"a"(1)',
        [
            'error[L001]: `"` does not belong to the language',
            "  --> f.fom:1:1",
            "   |",
            ' 1 | "a"(1)',
            "   | ^",
            "   = help: a letter that is not a name is quoted with '",
        ],
    ),
    (
        "forall x. a[x]",
        [
            "error[L001]: expected an operator, `;`, `(` or the end, found `[`",
            "  --> f.fom:1:12",
            "   |",
            " 1 | forall x. a[x]",
            "   |            ^",
            "   = help: positions stand in parentheses: `a(x)`",
        ],
    ),
    (
        "a(1);\nb(1);",
        [
            "error[L001]: expected the end, found `b`",
            "  --> f.fom:2:1",
            "   |",
            " 2 | b(1);",
            "   | ^",
            "   = help: a sentence has one formula: join several with `&`",
        ],
    ),
    (
        "a(1); b",
        [
            "error[L001]: expected the end, found `b`",
            "  --> f.fom:1:7",
            "   |",
            " 1 | a(1); b",
            "   |       ^",
            "   = help: a sentence has one formula: join several with `&`",
        ],
    ),
    (
        "# a comment\na(1)",
        [
            "error[L001]: expected a definition, a formula or a sum, found `#`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | # a comment",
            "   | ^",
            "   = help: a comment begins with `--`; a count names its variable: `#y[phi]`",
        ],
    ),
    (
        "/* c */ a(1)",
        [
            "error[L001]: `/*` does not belong to the language",
            "  --> f.fom:1:1",
            "   |",
            " 1 | /* c */ a(1)",
            "   | ^",
            "   = help: a comment begins with `--` and ends with its line",
        ],
    ),
    (
        "% c\na(1)",
        [
            "error[L001]: `%` does not belong to the language",
            "  --> f.fom:1:1",
            "   |",
            " 1 | % c",
            "   | ^",
            "   = help: a remainder is not part of the language: `exists z. x = 2*z` says that x is even",
        ],
    ),
    (
        "let p(x):= a(x);\n\np(1)\u200b",
        [
            "error[L001]: the character U+200B ZERO WIDTH SPACE does not belong to the language",
            "  --> f.fom:3:5",
            "   |",
            " 3 | p(1)\u200b",
            "   |     ^",
        ],
    ),
    (
        "a(1) , b(1)",
        [
            "error[L001]: expected an operator, `;` or the end, found `,`",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) , b(1)",
            "   |      ^",
            "   = help: a sentence has one formula: join several with `&`",
        ],
    ),
    (
        "[a(1) & b(1) >= 1",
        [
            "error[L003]: the formula `b(1)` stands where a number is expected",
            "  --> f.fom:1:9",
            "   |",
            " 1 | [a(1) & b(1) >= 1",
            "   |         ^",
            "   = help: write [b(1)] for its 0 or 1, or define `b` with `sum` above",
        ],
    ),
    (
        "1(x)",
        [
            "error[L001]: expected an operator, `;` or the end, found `(`",
            "  --> f.fom:1:2",
            "   |",
            " 1 | 1(x)",
            "   |  ^",
            "   = help: a product is `1*s`; a letter that is not a name is quoted: `'1'(x)`",
        ],
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text: str, message: list[str]) -> None:
    assert said(text) == message
