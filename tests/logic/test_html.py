"""HTML of long sentences: well-formed, escaped, and complete up to its limits."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from logic import parse
from logic.html import MOST_SHOWN


def test_a_long_sentence_is_folded() -> None:
    text = "letters a, '<b>'; -- first & last\n" + "".join(
        ("\n-- group <1>\n" if i == 5 else "") + f"let p{i}(x) := '<b>'(x) & x < {i};\n" for i in range(20)
    )
    sentence = parse(text + "exists x. p3(x) & p19(x)")
    html = sentence._repr_html_()
    assert html is not None
    assert sentence._repr_latex_() is None
    tree = ET.fromstring(html)
    titles = [one.text for one in tree.iter("summary")]
    assert titles == ["p0 …", "group <1>"]
    shown = "\n".join(one.text or "" for one in tree.iter("pre"))
    assert all(f"let p{i}(x) := '<b>'(x) ∧ x < {i};" in shown for i in range(20))
    assert shown.endswith("∃x. p3(x) ∧ p19(x)")


def test_a_short_sentence_is_mathematics() -> None:
    sentence = parse("let p(x) := a(x); p(1)")
    assert sentence._repr_html_() is None
    assert sentence._repr_latex_() is not None


def test_many_and_long_definitions_are_cut() -> None:
    many = "".join(f"let p{i} := {' & '.join(['a(1)'] * (1000 if i == 1 else 1))};" for i in range(300))
    html = parse(many + "p0")._repr_html_()
    assert html is not None
    assert f"… {300 - MOST_SHOWN} more" in html
    assert len(html) < 20_000
    ET.fromstring(html)
