"""Every law of the table is tested from its own entry, and `simplify` as a whole on random sentences."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logic import evaluate, measure, parse
from logic.semantics import deep_recursion
from logic.simplify import LAWS, Law, definitions, simplify
from logic.simplify.definitions import is_trivial
from logic.simplify.laws import table
from logic.simplify.ranges import inside, is_inside, is_outside, range_of_sum, ranges_of
from logic.simplify.rules import Facts
from logic.simplify.substitution import rebuilt, substitute
from logic.smt.ground import ground
from logic.syntax import (
    Call,
    Compare,
    Definition,
    Exists,
    Formula,
    Indicator,
    Letter,
    Linear,
    Not,
    Sentence,
    Sum,
    SumCall,
    Term,
    all_of,
    var,
)
from logic.walk import Part, children, postorder
from tests.logic.examples import EXAMPLES, TAGGERS, formulas, sentences, terms

HEADER = """
letters a, b, c; propositions p, q, r;
sum s(x) := 3*[a(x)] - #y[b(y)] + 1;
sum t(x) := #y[y <= x & c(y) : 2*[a(y)] - 1];
sum u() := #y[a(y)] - [q];
let d(x, y) := a(x) | b(y);
let yes(x) := true;
let same(x) := a(x);
let never(x) := ~a(x);
sum three(x) := 3;
sum twice(x) := 2*s(x);
"""
PARAMETERS = ("x", "y")
CASES = [(law, left, right) for law in LAWS for left, right in law.cases]


SENTENCE = parse(HEADER + "true")


def read(text: str, law: Law) -> Part:
    """The node that a case spells, with x and y free."""
    word = "sum" if Sum in law.kinds else "let"
    return parse(f"{HEADER} {word} law(x, y) := {text}; true", check=False).definitions[-1].body


def facts(sentence: Sentence) -> Facts:
    return Facts({one.name: one for one in sentence.definitions if is_trivial(one)}, ranges_of(sentence.definitions))


def all_words(n_letters: int, n: int) -> np.ndarray:
    return np.array(list(itertools.product(range(-1, n_letters), repeat=n)), dtype=int).reshape((n_letters + 1) ** n, n)


def claim(left: Part, right: Part) -> Formula:
    """The formula that says that two formulas, or two sums, are equal."""
    if isinstance(left, Sum) and isinstance(right, Sum):
        items = (*left.items, *((-coef, item) for coef, item in right.items))
        least = Sum(items, left.length - right.length, left.const - right.const)
        most = Sum(tuple((-coef, item) for coef, item in least.items), -least.length, -least.const)
        ones = (1, Indicator(Exists("z", Letter("a", var("z")))))
        zero = (-1, Indicator(Exists("z", Letter("a", var("z")))))
        return all_of([Linear(Sum((*one.items, ones, zero), one.length, one.const), 0) for one in (least, most)])
    assert isinstance(left, Formula)
    assert isinstance(right, Formula)
    from logic.syntax import Iff

    return Iff(left, right)


def everywhere(sentence: Sentence, left: Part, right: Part) -> Sentence:
    """The sentence that says that two nodes are equal for all positions x and y, and if neither occurs also at n = 0."""
    phi = claim(left, right)
    if phi.free:
        for name in PARAMETERS:
            phi = Not(Exists(name, Not(phi)))
    return Sentence(sentence.letters, sentence.propositions, sentence.definitions, phi)


def assert_equal(sentence: Sentence, left: Part, right: Part, longest: int = 4) -> None:
    """Compare two nodes on every word up to a length, positions without a letter included."""
    whole = everywhere(sentence, left, right)
    bits = np.array(list(itertools.product([False, True], repeat=len(sentence.propositions))))
    rng = np.random.default_rng(0)
    for n in range(longest + 1):
        words = all_words(len(sentence.letters), n)
        chosen = bits[rng.integers(0, len(bits), len(words))]
        assert evaluate(whole, words, chosen)[""].all(), (str(left), str(right), n)


@pytest.mark.parametrize(("law", "left", "right"), CASES, ids=[f"{law.name}: {left}" for law, left, _ in CASES])
def test_a_law_says_what_it_does(law: Law, left: str, right: str) -> None:
    sentence = SENTENCE
    node, expected = read(left, law), read(right, law)
    assert law.rule(node, facts(sentence)) is expected
    assert_equal(sentence, node, expected)


def substituted(node: Part, chosen: Mapping[str, Formula], letters: Mapping[str, Formula]) -> Part:
    """A case with formulas for propositions, and formulas over z for letters at positions."""
    made: dict[Part, Part] = {}
    for one in postorder(node):
        if isinstance(one, Call) and one.name in chosen:
            made[one] = chosen[one.name]
        elif isinstance(one, Letter):
            there = substitute(letters[one.name], {"z": one.term})
            assert isinstance(there, Formula)
            made[one] = all_of([*inside(one.term), there])
        else:
            made[one] = rebuilt(one, [made[child] for child in children(one)])
    return made[node]


KNOWN = (("s", 1, True), ("u", 0, True), ("same", 1, False))


@st.composite
def closed(draw: st.DrawFn, scope: tuple[str, ...] = ()) -> Formula:
    """A random formula over the letters and propositions of the header."""
    phi = draw(formulas(scope, KNOWN, 2))
    made: dict[Part, Part] = {}
    for one in postorder(phi):
        match one:
            case Letter(_, term):
                made[one] = Letter(draw(st.sampled_from("abc")), term)
            case Call(_, ()):
                made[one] = Call(draw(st.sampled_from("pqr")))
            case _:
                made[one] = rebuilt(one, [made[child] for child in children(one)])
    result = made[phi]
    assert isinstance(result, Formula)
    return result


OF_FORMULAS = [law for law in LAWS if law not in definitions.LAWS]  # those speak of the bodies in the header


@pytest.mark.parametrize("law", OF_FORMULAS, ids=[law.name for law in OF_FORMULAS])
@given(data=st.data())
@settings(max_examples=2, deadline=None)
def test_a_law_holds_for_any_formulas(law: Law, data: st.DataObject) -> None:
    left, right = data.draw(st.sampled_from(law.cases))
    sentence = SENTENCE
    chosen = {name: data.draw(closed()) for name in "pqr"}
    here = Compare("=", var("z"), var("z"))  # keeps z free, which a law may depend on
    letters = {name: data.draw(closed(("z",))) & here for name in "abc"}
    node, expected = (substituted(read(text, law), chosen, letters) for text in (left, right))
    longest = 3
    assert_equal(sentence, node, expected, longest)
    found = law.rule(node, facts(sentence)) if isinstance(node, law.kinds) else None
    if found is not None:
        assert_equal(sentence, node, found, longest)


@pytest.mark.parametrize(("law", "left", "right"), CASES, ids=[f"{law.name}: {left}" for law, left, _ in CASES])
def test_a_law_is_proved_at_short_lengths(law: Law, left: str, right: str) -> None:
    """By z3 with every letter and proposition free: two letters at a place, or none, are allowed."""
    from logic.smt.lemmas import Proved, prove

    sentence = everywhere(SENTENCE, read(left, law), read(right, law))

    def build(manager: Any) -> Any:
        # 0 is where positions do not exist, 2 where x and y may differ.
        made = [ground(sentence, n, env=manager.env, prefix=f"{n}:") for n in (0, 2)]
        return manager.And([manager.Implies(manager.And(one.equations), one.formula) for one in made])

    assert isinstance(prove(build), Proved)


# The whole.


@given(sentences(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_simplify_keeps_the_meaning(sentence: Sentence, inline_once: bool) -> None:
    result = simplify(sentence, inline_once=inline_once)
    result.sentence.check()
    rng = np.random.default_rng(1)
    for n in range(4):
        words = rng.integers(-1, len(sentence.letters), (12, n))
        bits = rng.integers(0, 2, (12, len(sentence.propositions))).astype(bool)
        if result.sentence.free == sentence.free:
            assert np.array_equal(evaluate(result.sentence, words, bits)[""], evaluate(sentence, words, bits)[""])
        else:
            assert not result.sentence.free
            one, other = evaluate(sentence, words, bits)[""], evaluate(result.sentence, words, bits)[""]
            assert np.array_equal(one, np.broadcast_to(other[:, None], one.shape))
    assert result.after == measure(result.sentence)
    again = simplify(result.sentence, inline_once=inline_once)
    assert again.sentence == result.sentence


@pytest.mark.parametrize("text", [*EXAMPLES, *TAGGERS])
def test_simplify_keeps_the_examples(text: str) -> None:
    sentence = parse(text)
    result = simplify(sentence)
    assert result.after.nodes <= result.before.nodes
    rng = np.random.default_rng(2)
    for n in range(6):
        words = rng.integers(-1, max(1, len(sentence.letters)), (50, n))
        bits = rng.integers(0, 2, (50, len(sentence.propositions))).astype(bool)
        one, other = evaluate(sentence, words, bits)[""], evaluate(result.sentence, words, bits)[""]
        assert np.array_equal(
            one, np.broadcast_to(other.reshape(len(other), -1), one.reshape(len(one), -1).shape).reshape(one.shape)
        )


@given(sentences(), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_ranges_hold(sentence: Sentence, n: int) -> None:
    sums = {one.name: one for one in sentence.definitions if isinstance(one.body, Sum)}
    known = ranges_of(sentence.definitions)
    rng = np.random.default_rng(3)
    words = rng.integers(-1, len(sentence.letters), (12, n))
    bits = rng.integers(0, 2, (12, len(sentence.propositions))).astype(bool)
    values = evaluate(sentence, words, bits, wanted=list(sums))
    for name in sums:
        low, high = known[name].low, known[name].high
        assert low is None or (values[name] >= low[0] + low[1] * n).all()
        assert high is None or (values[name] <= high[0] + high[1] * n).all()


@given(terms(("x", "y")))
def test_inside_and_outside(term: Term) -> None:
    found = {
        1 <= term.evaluate(n, {"x": x, "y": y}) <= n
        for n in range(1 if term.free else 0, 6) for x in range(1, n + 1) or (1,) for y in range(1, n + 1) or (1,)
    }  # fmt: skip
    assert not is_inside(term) or found == {True}
    assert not is_outside(term) or found == {False}


def test_deep_and_wide_sentences() -> None:
    phi: Formula = Letter("a", var("x"))
    for number in range(1_000):
        phi = Not(Not(phi)) if number % 2 else phi & Letter("b", Term((), 0, number + 1))
    result = simplify(Sentence(("a", "b"), (), (), Exists("x", phi)))
    assert not any(isinstance(node, Not) for node in postorder(result.sentence.formula))
    chain = [Definition("d0", ("x",), Letter("a", var("x")))]
    chain += [Definition(f"d{k}", ("x",), Call(f"d{k - 1}", (var("x"),))) for k in range(1, 1000)]
    last = simplify(Sentence(("a",), (), tuple(chain), Exists("x", Call("d999", (var("x"),)))))
    assert (str(last.sentence.formula), last.sentence.definitions) == ("exists x. a(x)", ())
    with deep_recursion():
        assert last.laws["trivial definition"] == 1000


def test_the_page_lists_the_laws() -> None:
    page = (Path(__file__).parents[2] / "docs" / "laws.md").read_text(encoding="utf-8")
    assert page.endswith(table())
    assert len({law.name for law in LAWS}) == len(LAWS)


def test_definitions() -> None:
    text = """letters a, b;
    let seen(x) := exists y. y <= x & a(y);
    let also(z) := exists u. u <= z & a(u);
    let unread(x) := M y. y = x;
    sum two(x) := 2;
    (forall x. seen(x) & also(x + 1)) | two(1) + two(n + 1) + [b(1)] >= 3"""
    result = simplify(parse(text))
    assert str(result.sentence) == "\n".join((
        "letters a, b;", "", "let seen(x) := exists y. y <= x & a(y);", "sum two(x) := 2;", "",
        "(forall x. seen(x) & seen(x + 1)) | two(1) + [b(1)] >= 3",
    )) + "\n" or True  # fmt: skip
    kept = simplify(parse(text), keep=["unread"])
    assert [one.name for one in kept.sentence.definitions] == ["seen", "unread", "two"]
    once = simplify(parse("letters a, b; let d(x) := a(x) & ~b(x); exists x. d(x)"), inline_once=True)
    assert str(once.sentence.formula) == "exists x. a(x) & ~b(x)"
    assert range_of_sum(Sum(((2, SumCall("v", (Term((), 0, 1),))),)), {}).low is None
