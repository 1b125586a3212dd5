"""Mistakes in counts, sums and comparisons."""

from __future__ import annotations

import pytest

from tests.logic.mistakes import said

MISTAKES = [
    (
        "a(1) == b(1)",
        [
            "error[L001]: `==` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) == b(1)",
            "   |      ^",
            "   = help: `s = t` compares numbers, `phi <-> psi` formulas",
        ],
    ),
    (
        "n == 1",
        [
            "error[L001]: `==` does not belong to the language",
            "  --> f.fom:1:3",
            "   |",
            " 1 | n == 1",
            "   |   ^",
            "   = help: `s = t` compares numbers, `phi <-> psi` formulas",
        ],
    ),
    (
        "#x[a(x)",
        [
            "error[L001]: expected `]` or `:`, found the end of the text",
            "  --> f.fom:1:8",
            "   |",
            " 1 | #x[a(x)",
            "   |        ^",
            "   = help: the `#x[` at line 1, column 1 is not closed",
        ],
    ),
    (
        "#x.a(x) >= 2",
        [
            "error[L001]: expected a definition, a formula or a sum, found `#`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | #x.a(x) >= 2",
            "   | ^",
            "   = help: a count names its variable: `#y[phi]`",
        ],
    ),
    (
        "#[a(x)] >= 1",
        [
            "error[L001]: expected a definition, a formula or a sum, found `#`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | #[a(x)] >= 1",
            "   | ^",
            "   = help: a count names its variable: `#y[phi]`",
        ],
    ),
    (
        "#x[a(x) | 2*x] >= 1",
        [
            "error[L003]: a sum stands where a formula is expected",
            "  --> f.fom:1:11",
            "   |",
            " 1 | #x[a(x) | 2*x] >= 1",
            "   |           ^",
            "   = help: compare it with something: `... >= 1`",
        ],
    ),
    (
        "#x(a(x)) >= 1",
        [
            "error[L001]: expected a definition, a formula or a sum, found `#`",
            "  --> f.fom:1:1",
            "   |",
            " 1 | #x(a(x)) >= 1",
            "   | ^",
            "   = help: a count names its variable: `#y[phi]`",
        ],
    ),
    (
        "2#x[a(x)] >= 1",
        [
            "error[L001]: expected an operator, `;` or the end, found `#`",
            "  --> f.fom:1:2",
            "   |",
            " 1 | 2#x[a(x)] >= 1",
            "   |  ^",
            "   = help: a count names its variable: `#y[phi]`",
        ],
    ),
    (
        "2 a(1) >= 1",
        [
            "error[L001]: expected an operator, `;` or the end, found `a`",
            "  --> f.fom:1:3",
            "   |",
            " 1 | 2 a(1) >= 1",
            "   |   ^",
            "   = help: a product is written with a star: `2*...`",
        ],
    ),
    (
        "a(1) + b(1) >= 1",
        [
            "error[L003]: the formula `a(1)` stands where a number is expected",
            "  --> f.fom:1:1",
            "   |",
            " 1 | a(1) + b(1) >= 1",
            "   | ^",
            "   = help: write [a(1)] for its 0 or 1, or define `a` with `sum` above",
        ],
    ),
    (
        "a(#x[b(x)])",
        [
            "error[L003]: a count stands where an index term is expected",
            "  --> f.fom:1:3",
            "   |",
            " 1 | a(#x[b(x)])",
            "   |   ^",
            "   = help: an index term has only variables, n and integers",
        ],
    ),
    (
        "a(1) – b(1) >= 0",
        [
            "error[L001]: `–` does not belong to the language",
            "  --> f.fom:1:6",
            "   |",
            " 1 | a(1) – b(1) >= 0",
            "   |      ^",
            "   = help: the minus sign is `-`",
        ],
    ),
    (
        "[a(1)] − [b(1)] >= 0",
        [
            "error[L001]: `−` does not belong to the language",
            "  --> f.fom:1:8",
            "   |",
            " 1 | [a(1)] − [b(1)] >= 0",
            "   |        ^",
            "   = help: the minus sign is `-`",
        ],
    ),
    (
        "a(x.1)",
        [
            "error[L003]: `x.1` stands where a number is expected",
            "  --> f.fom:1:3",
            "   |",
            " 1 | a(x.1)",
            "   |   ^",
            "   = help: a variable is a simple identifier; a defined sum is `x.1()`",
        ],
    ),
    (
        "M x. 2*x",
        [
            "error[L003]: a sum stands where a formula is expected",
            "  --> f.fom:1:6",
            "   |",
            " 1 | M x. 2*x",
            "   |      ^",
            "   = help: compare it with something: `... >= 1`",
        ],
    ),
    (
        "1 < n < 3",
        [
            "error[L001]: expected an operator, `;` or the end, found `<`",
            "  --> f.fom:1:7",
            "   |",
            " 1 | 1 < n < 3",
            "   |       ^",
            "   = help: comparisons do not chain: write `s <= t & t <= u`",
        ],
    ),
    (
        "n >= 2.5",
        [
            "error[L001]: a number has a decimal point",
            "  --> f.fom:1:7",
            "   |",
            " 1 | n >= 2.5",
            "   |       ^",
            "   = help: numbers are integers: multiply both sides",
        ],
    ),
    (
        "x*x = n",
        [
            "error[L003]: two terms are multiplied, and neither is an integer",
            "  --> f.fom:1:1",
            "   |",
            " 1 | x*x = n",
            "   | ^",
            "   = help: FO(M) has no products of counts or positions",
        ],
    ),
    (
        "n/2 >= 1",
        [
            "error[L001]: `/` does not belong to the language",
            "  --> f.fom:1:2",
            "   |",
            " 1 | n/2 >= 1",
            "   |  ^",
            "   = help: a quotient is not part of the language: multiply both sides",
        ],
    ),
    (
        "n^2 = 4",
        [
            "error[L001]: `^` does not belong to the language",
            "  --> f.fom:1:2",
            "   |",
            " 1 | n^2 = 4",
            "   |  ^",
            "   = help: a power is not part of the language",
        ],
    ),
    (
        "n % 2 = 0",
        [
            "error[L001]: `%` does not belong to the language",
            "  --> f.fom:1:3",
            "   |",
            " 1 | n % 2 = 0",
            "   |   ^",
            "   = help: a remainder is not part of the language: `exists z. x = 2*z` says that x is even",
        ],
    ),
    (
        "max(1,2) = 2",
        [
            "error[L003]: the formula `max(1, 2)` stands where a number is expected",
            "  --> f.fom:1:1",
            "   |",
            " 1 | max(1,2) = 2",
            "   | ^",
            "   = help: write [max(1, 2)] for its 0 or 1, or define `max` with `sum` above",
        ],
    ),
    (
        "bit(n) ",
        [
            "error[L011]: `bit` takes a number and the index of a bit, found 1 argument",
            "  --> f.fom:1:1",
            "   |",
            " 1 | bit(n) ",
            "   | ^",
        ],
    ),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_mistakes(text: str, message: list[str]) -> None:
    assert said(text) == message
