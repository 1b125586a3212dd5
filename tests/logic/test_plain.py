"""Plain statements read at once are the statements that the rules read: the same nodes, the same refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.network import Network
from circuits.network_to_family import network_to_family
from logic import parser
from logic.family_to_sentence import family_to_sentence
from logic.plain import PlainStatements
from logic.printer import to_ascii, to_unicode
from logic.syntax import Call, Definition, Letter, Sentence, Sum, var
from tests.circuits.strategies import networks
from tests.logic.examples import sentences
from tests.logic.test_circuit_sentence import example

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("**/*.fom"))


def by_rules(text: str, known: Sentence | None = None) -> Sentence | str:
    try:
        return parser._run_rules(text, "file", known)
    except FomError as error:
        return str(error)


def at_once(text: str, known: Sentence | None = None) -> Sentence | str:
    try:
        return parser._run(text, "file", known)
    except FomError as error:
        return str(error)


def plain(text: str) -> int:
    """How many statements of a sentence are read at once."""
    build = parser._Build(text, None)
    skipped = 0

    def skip(offset: int) -> int:
        nonlocal skipped
        before = len(build.definitions)
        offset = build.plain_from(offset)
        skipped += len(build.definitions) - before
        return offset

    build.run({"LET": skip, "SUM": skip})
    return skipped


def emitted() -> str:
    return to_ascii(family_to_sentence(network_to_family(example())))


def test_emitted_statements_are_plain() -> None:
    text = emitted()
    found = by_rules(text)
    assert at_once(text) == found
    assert isinstance(found, Sentence)
    assert plain(text) > 0.9 * len(found.definitions)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_examples_are_read_alike(path: Path) -> None:
    text = path.read_text(encoding="utf-8")[: 1 << 19].rpartition("\n")[0] + "\ntrue"
    assert at_once(text) == by_rules(text)


@settings(max_examples=15, deadline=None)
@given(networks(most_nodes=4))
def test_sentences_of_random_networks_are_read_alike(network: Network) -> None:
    family = network_to_family(network)
    assume(network.decided.n_classes != 1)
    text = to_ascii(family_to_sentence(family))
    assert at_once(text) == by_rules(text)


@settings(max_examples=60, deadline=None)
@given(sentences(), st.booleans())
def test_random_sentences_are_read_alike(sentence: Sentence, ascii: bool) -> None:
    text = to_ascii(sentence) if ascii else to_unicode(sentence)
    assert at_once(text) == by_rules(text)


PIECES = [
    "a", "b", "f", "s", "M", "n", "x", "y", "bit", "let", "sum", "and", "or", "not", "true", "exists", "x.1", "f[0]", "'a'", "'",
    "(", ")", "(x)", "(x, y)", "(x + 1)", "()", "[", "]", "#y[", "#y[a(y)]", "#n[", " & ", " | ", "~", " >= ", " <= ", ">=", "=",
    " - ", " + ", "-", "+", "--", "//", "*", "2*", "0*", "3", "-3", "9" * 20, " ", "\n", ";", ";\n", " := ", ":=", ", ", ".", "∧",
    "forall x. ", "letters c;", "propositions q;", "-- note\n", "\t", "\r", "1x", "x y",
]  # fmt: skip
KNOWN = Sentence(
    ("a", "b"),
    ("q",),
    (Definition("f", ("x",), Letter("a", var("x"))), Definition("s", ("x",), Sum((), 1, 2)),
     Definition("g", (), Call("q")), Definition("r", (), Sum((), 0, 1))),
    Call("q"),
)  # fmt: skip
LINES = [
    "let p(x) := [a(x)] + 2*[f(x)] - s(x) - 3 >= -2;\n", "sum p(x) := -s(x) + 2*#y[y <= x & f(y)] + 3*n - 4;\n",
    "let p(x, y) := f(x) & a(y + 1) & g;\n", "let p := ~g;\n", "-- above\nlet p(x) := f(x) | q;\n", "sum p() := r() + [g];\n",
    "let h(x) := p(x);\n", "sum p(x) := #y[y <= x + n & x < y & a(y)] - n;\n", "sum p(x) := 5;\n", "let a(x) := b(x);\n",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_statements_are_read_alike(data: st.DataObject) -> None:
    text = "".join(data.draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=4)))
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.sampled_from(PIECES)) + text[place + data.draw(st.integers(0, 3)) :]
    text += data.draw(st.sampled_from(["true", "q", "p(x)", "", "exists x. p(x)"]))
    assert at_once(text, KNOWN) == by_rules(text, KNOWN)
    for header in ("", "letters a, b;\n", "letters a, b, f, s;\npropositions q, g, b;\n"):
        assert at_once(header + text) == by_rules(header + text)


BODIES = ["s(x)", "[a(x)]", "[q]", "[f(x)]", "f(x)", "a(x)", "#y[a(y)]", "#y[y <= x & f(y)]", "#y[x or y < x & a(y)]", "n", "3",
          "2*n",
          "[s(x)]", "g", "[g]", "r()", "g()", "[x]", "x", "0*[a(x)]", "2*s(x - 1)", "#y[not y < x]", "bit(x, 1)"]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(BODIES), min_size=1, max_size=4), st.lists(st.sampled_from([" + ", " - ", " & ", " | "])),
       st.sampled_from(["", "-", "~"]), st.sampled_from(["", " >= 3", " >= -3", " >= n", " = 2", " <= 1"]),
       st.sampled_from(["let", "sum"]))  # fmt: skip
def test_statements_of_any_parts_are_read_alike(
    parts: list[str], links: list[str], sign: str, bound: str, kind: str
) -> None:
    body = parts[0] + "".join(link + part for link, part in zip([*links, " + ", " + ", " + "], parts[1:], strict=False))
    text = f"{kind} p(x) := {sign}{body}{bound};\ntrue"
    assert at_once(text, KNOWN) == by_rules(text, KNOWN)


def test_names_are_resolved_where_they_stand() -> None:
    text = "letters a;\nlet f(x) := a(x);\nsum a(x) := [f(x)];\nlet g(x) := a(x) >= 1;\nlet f(x) := ~g(x);\nsum f(x) := 1;\n"
    text += "let h(x) := f(x) >= 1;\ntrue"
    assert at_once(text) == by_rules(text)
    assert plain(text) == 6


def test_a_long_line_without_an_end_is_left_to_the_rules() -> None:
    assert PlainStatements("let f(x) := a(x);", {}, lambda _: None).statement(0) is None
    text = "letters a;" + "let f(x) := a(x);" * 3 + " true"
    assert at_once(text) == by_rules(text)
    assert plain(text) == 0
