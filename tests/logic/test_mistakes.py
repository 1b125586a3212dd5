"""Mistakes that people make, and what they read: the texts are golden."""

from __future__ import annotations

import pytest

from circuits.diagnostics import FomError
from logic import parse

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
            "  --> f.fom: the final formula",
        ],
    ),
    (
        "letters a, b; ab(1)",
        [
            "error[L016]: `ab` is neither a letter nor a definition",
            "  --> f.fom: the final formula",
            "   = note: the letters are a, b",
            "   = help: did you mean `b` or `a`?",
        ],
    ),
    (
        "sum s(x) := [a(x)]; s",
        [
            "error[L012]: the sum `s` is used as a relation",
            "  --> f.fom: the final formula",
            "   = help: compare it: s(...) >= 1",
            "error[L011]: `s` takes 1 argument, found 0",
            "  --> f.fom: the final formula",
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
        "exists n. a(n)",
        [
            "error[L017]: `n` cannot be a variable",
            "  --> f.fom: the final formula",
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
    with pytest.raises(FomError) as caught:
        parse(text, "f.fom")
    assert str(caught.value).split("\n") == message
