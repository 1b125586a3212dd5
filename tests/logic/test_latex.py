"""LaTeX: balanced, escaped, and as written here."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from logic import Sentence, parse, to_latex
from tests.logic.examples import EXAMPLES, sentences


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("M i.b(i)", r"\mathsf{M} i.\, \mathtt{b}(i)"),
        ("forall x1. ~a(x1) | x1 != n - 1", r"\forall x_{1}.\, \neg \mathtt{a}(x_{1}) \lor x_{1} \ne n - 1"),
        (
            "2*#y[q.k_1(y) & y <= n] - 3*[bit(n, 1)] >= 4",
            r"2 \cdot \#y\left[\mathtt{q.k\_1}(y) \land y \le n\right] - 3 \cdot \left[\mathsf{bit}(n,\,1)\right] \ge 4",
        ),
        ("'#{'(1)", r"\mathtt{\#\{}(1)"),
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
        "\\mathsf{s}() &:= \\#y\\left[\\mathsf{p.1}(y)\\right]\\\\\n"
        "&\\phantom{:=}\\ \\mathsf{s}() \\ge 2\n"
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
    assert latex.count(r"\left[") == latex.count(r"\right]")
    assert not re.search(r"[#%]", bare)
    assert not re.search(r"[_^](?![{])", bare)
