"""Mistakes in headers and definitions, and in the use of what they define."""

from __future__ import annotations

import pytest

from tests.logic.mistakes import said

MISTAKES = [
    (
        "letters a, b;\nlet p(x) := a(x)\nexists x. p(x)",
        [
            "error[L001]: expected an operator or `;`, found `exists`",
            "  --> f.fom:3:1",
            "   |",
            " 3 | exists x. p(x)",
            "   | ^",
            "   = help: a definition ends with `;`: put one at line 2, column 17",
        ],
    ),
    (
        "letters a b;\na(1)",
        [
            "error[L001]: expected `;` or `,`, found `b`",
            "  --> f.fom:1:11",
            "   |",
            " 1 | letters a b;",
            "   |           ^",
            "   = help: letters are separated by commas, and a header ends with `;`",
        ],
    ),
    (
        "let p(x) = a(x);\np(1)",
        [
            "error[L001]: expected `:=`, found `=`",
            "  --> f.fom:1:10",
            "   |",
            " 1 | let p(x) = a(x);",
            "   |          ^",
            "   = help: a definition is written `let p(x) := phi;` or `sum s(x) := 2*[phi];`",
        ],
    ),
    (
        "let p(x) := a(x);",
        [
            "error[L001]: the last formula is missing",
            "  --> f.fom:1:18",
            "   |",
            " 1 | let p(x) := a(x);",
            "   |                  ^",
            "   = help: write it below the definitions",
        ],
    ),
    (
        "let p x := a(x); p(1)",
        [
            "error[L001]: expected `(` or `:=`, found `x`",
            "  --> f.fom:1:7",
            "   |",
            " 1 | let p x := a(x); p(1)",
            "   |       ^",
            "   = help: a definition is written `let p(x) := phi;` or `sum s(x) := 2*[phi];`",
        ],
    ),
    (
        "letters a; letters",
        [
            "error[L001]: expected a name or a quoted letter, found the end of the text",
            "  --> f.fom:1:19",
            "   |",
            " 1 | letters a; letters",
            "   |                   ^",
        ],
    ),
    (
        "propositions p, ; p",
        [
            "error[L001]: expected a name or a quoted letter, found `;`",
            "  --> f.fom:1:17",
            "   |",
            " 1 | propositions p, ; p",
            "   |                 ^",
        ],
    ),
    (
        "let let(x) := a(x); let(1)",
        [
            "error[L001]: expected a name, found `let`",
            "  --> f.fom:1:5",
            "   |",
            " 1 | let let(x) := a(x); let(1)",
            "   |     ^",
            "   = help: `let` is a word of the language and cannot be a name",
        ],
    ),
    (
        "sum s(x) := a(x); s(1) >= 1",
        [
            "error[L003]: the formula `a(x)` stands where a number is expected",
            "  --> f.fom:1:13",
            "   |",
            " 1 | sum s(x) := a(x); s(1) >= 1",
            "   |             ^",
            "   = help: write [a(x)] for its 0 or 1, or define `a` with `sum` above",
        ],
    ),
    (
        "let p(x) := #y[a(y)]; p(1)",
        [
            "error[L003]: a sum stands where a formula is expected",
            "  --> f.fom:1:13",
            "   |",
            " 1 | let p(x) := #y[a(y)]; p(1)",
            "   |             ^",
            "   = help: compare it with something: `... >= 1`",
        ],
    ),
    (
        "let p(x) := a(x); p(1) >= 1",
        [
            "error[L003]: the formula `p(1)` stands where a number is expected",
            "  --> f.fom:1:19",
            "   |",
            " 1 | let p(x) := a(x); p(1) >= 1",
            "   |                   ^",
            "   = help: write [p(1)] for its 0 or 1, or define `p` with `sum` above",
        ],
    ),
    (
        "let p(x) := a(x); p(1, 2)",
        [
            "error[L011]: `p` takes 1 argument, found 2",
            "  --> f.fom:1:19, the final formula",
            "   |",
            " 1 | let p(x) := a(x); p(1, 2)",
            "   |                   ^",
        ],
    ),
    (
        "letters a, b; ab(1)",
        [
            "error[L016]: `ab` is neither a letter nor a definition",
            "  --> f.fom:1:15, the final formula",
            "   |",
            " 1 | letters a, b; ab(1)",
            "   |               ^",
            "   = note: the letters are a, b",
            "   = help: did you mean `b` or `a`?",
        ],
    ),
    (
        "sum s(x) := [a(x)]; s",
        [
            "error[L012]: the sum `s` is used as a relation",
            "  --> f.fom:1:21, the final formula",
            "   |",
            " 1 | sum s(x) := [a(x)]; s",
            "   |                     ^",
            "   = help: compare it: s(...) >= 1",
            "error[L011]: `s` takes 1 argument, found 0",
            "  --> f.fom:1:21, the final formula",
            "   |",
            " 1 | sum s(x) := [a(x)]; s",
            "   |                     ^",
        ],
    ),
    (
        "let p := a(1) ; ; p",
        [
            "error[L001]: expected a definition, a formula or a sum, found `;`",
            "  --> f.fom:1:17",
            "   |",
            " 1 | let p := a(1) ; ; p",
            "   |                 ^",
            "   = help: take it away: one `;` ends a definition",
        ],
    ),
    (
        "p(x) := a(x); p(1)",
        [
            "error[L001]: expected an operator, `;` or the end, found `:=`",
            "  --> f.fom:1:6",
            "   |",
            " 1 | p(x) := a(x); p(1)",
            "   |      ^",
            "   = help: a definition is written `let p(x) := phi;` or `sum s(x) := 2*[phi];`",
        ],
    ),
    (
        "letters 1, 2; 1(1)",
        [
            "error[L001]: expected a name or a quoted letter, found `1`",
            "  --> f.fom:1:9",
            "   |",
            " 1 | letters 1, 2; 1(1)",
            "   |         ^",
            "   = help: a letter that is not a name is quoted: `'1'`",
        ],
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text: str, message: list[str]) -> None:
    assert said(text) == message
