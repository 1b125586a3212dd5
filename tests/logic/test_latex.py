"""LaTeX: balanced, escaped, broken over lines, as written here, and compiled."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from logic import Sentence, parse, to_latex
from logic.latex import LINE, broken, definitions_to_latex, excerpt_to_latex, visible_width
from tests.logic.examples import EXAMPLES, sentences


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("M i.b(i)", r"\mathsf{M} i.\, \mathtt{b}(i)"),
        ("forall x1. ~a(x1) | x1 != n - 1", r"\forall x_{1}.\, \neg \mathtt{a}(x_{1}) \lor x_{1} \ne n - 1"),
        (
            "2*#y[q.k_1(y) & y <= n] - 3*[bit(n, 1)] >= 4",
            r"2 \cdot \#y[\mathtt{q.k\_1}(y) \land y \le n] - 3 \cdot [\mathsf{bit}(n,\,1)] \ge 4",
        ),
        ("'#{'(1)", r"\underline{\mathtt{\#\{}}(1)"),
        ("exists pos. pos = 2*pos", r"\exists \mathit{pos}.\, \mathit{pos} = 2 \cdot \mathit{pos}"),
    ],
)
def test_formulas(text: str, latex: str) -> None:
    assert to_latex(parse(text).formula) == latex
    assert parse(text).formula._repr_latex_() == f"${latex}$"


def test_sentences() -> None:
    sentence = parse("let p.1(x) := a(x); sum s() := #y[p.1(y)]; s() >= 2")
    assert to_latex(sentence) == sentence._repr_latex_() == (
        "\\begin{align*}\n"
        "\\mathsf{p.1}(x) &:= \\mathtt{a}(x)\\\\\n"
        "\\mathsf{s}() &:= \\#y[\\mathsf{p.1}(y)]\\\\\n"
        "&\\phantom{{}:={}}\\mathsf{s}() \\ge 2\n"
        "\\end{align*}"
    )  # fmt: skip
    assert to_latex(parse("true")) == r"$\top$"


@given(sentences())
@settings(max_examples=50, deadline=None)
def test_braces_and_brackets_balance(sentence: Sentence) -> None:
    balanced(to_latex(sentence))


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_balance(text: str) -> None:
    balanced(to_latex(parse(text)))


def balanced(latex: str) -> None:
    bare = re.sub(r"\\[\\{}#_$%&]", "", latex)
    assert bare.count("{") == bare.count("}")
    assert not re.search(r"[#%]", bare)
    assert not re.search(r"[_^](?![{])", bare)


LONG = (
    "forall x. " + " -> ".join(["(a(x) & b(x + 1) | ~c(x - 1))"] * 6) + " -> 3*#y[a(y)] - 2*#y[b(y) & y <= x] + n >= 4"
)


def test_long_formulas_are_broken_before_outer_operators() -> None:
    lines = broken(parse(LONG).formula, 60)
    assert len(lines) == 4
    assert all(visible_width(line) <= 64 for line in lines)
    assert [line.startswith(r"\quad \to ") for line in lines] == [False, True, True, True]


@pytest.mark.parametrize("room", [20, 40, LINE])
@pytest.mark.parametrize("text", [*EXAMPLES, LONG])
def test_breaking_changes_nothing_but_lines(text: str, room: int) -> None:
    formula = parse(text).formula
    lines = [
        re.sub(r"^(\\quad )*(\{-\})?", lambda found: "-" if found[2] else "", line) for line in broken(formula, room)
    ]
    assert " ".join(lines) == broken(formula, 10**6)[0].replace("{-}", "-", 1 if lines[0].startswith("-") else 0)


def test_wide_names_move_bodies_to_lines_of_their_own() -> None:
    sentence = parse(
        "sum a_very_long_name_of_a_tensor[12](x) := 2*[a(x)] - 5; a_very_long_name_of_a_tensor[12](1) >= 0"
    )
    assert definitions_to_latex(sentence.definitions) == (
        "\\begin{align*}\n& \\mathsf{a\\_very\\_long\\_name\\_of\\_a\\_tensor[12]}(x) := 2 \\cdot [\\mathtt{a}(x)] - 5\n"
        "\\end{align*}"
    )


def test_an_excerpt_says_what_it_leaves_out() -> None:
    sentence = parse("".join(f"let p{i} := a({i + 1});" for i in range(9)) + "p8")
    rows = excerpt_to_latex(sentence, 2).splitlines()
    assert len(rows) == 1 + 2 + 1 + 2 + 1 + 1
    assert "5 more definitions" in rows[3]
    assert excerpt_to_latex(sentence, 9) == to_latex(sentence)


@pytest.mark.interop
@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_pdflatex_compiles_it(tmp_path: Path) -> None:
    """Everything at once; an overfull line is a formula that was not broken."""
    strange = "letters 'a^b~c', '\"', 'x-y*z', 'é', '#{|}', '$&%', '\\'', '\\\\', '\\n', '<:,;>'; "
    names = parse(strange + "true").letters
    strange += " & ".join(f"{text}(1)" for text in strange.split(" ", 1)[1].removesuffix("; ").split(", "))
    assert len(names) == 10
    body = []
    for text in [*EXAMPLES, LONG, strange]:
        latex = to_latex(parse(text))
        body.append(latex if latex.startswith(("$", "\\begin{align*}")) else f"${latex}$")
        body.append(f"${to_latex(parse(text).formula)}$")
    source = (
        "\\documentclass{article}\\usepackage{amsmath}\\begin{document}\n" + "\n\n".join(body) + "\n\\end{document}\n"
    )
    (tmp_path / "all.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    wide = [float(found) for found in re.findall(r"Overfull .hbox \(([\d.]+)pt too wide", log)]
    assert max(wide, default=0) < 30
