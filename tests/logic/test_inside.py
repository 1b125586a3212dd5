"""Names for units and heads, against networks whose insides are known, and against the definition of truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from circuits.evaluate import evaluate as evaluate_network
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical
from circuits.network import Affine, Domain, Letters, Network, Operand, Product, Quotient, Round, Sum, Table
from circuits.positions import TRUE as EVERY
from circuits.positions import AtLeast, Guard, Ref, var
from circuits.words import all_words
from logic import Sentence, evaluate, parse
from logic.comparing.methods import seconds
from logic.measure import measure
from logic.searching.inside import Naming
from logic.searching.inside_heads import attention, attention_matrix, heads, patterns
from logic.searching.inside_pairs import Pairs
from logic.searching.inside_units import meanings
from logic.searching.samples import Samples
from logic.syntax import TRUE, Definition, Formula

X, Y = var(0), var(1)


def samples(letters: str, longest: int) -> Samples:
    words = tuple(np.concatenate(list(all_words(len(letters), n))) for n in range(1, longest + 1))
    seen = tuple(np.ones(batch.shape, dtype=bool) for batch in words)
    return Samples(tuple(letters), words, seen, seen)


def matrix(rows: Sequence[Sequence[int]]) -> Matrix:
    return canonical(np.array(rows))


FORMAT = Format(8, -128, 0)


def network(scores: list[list[int]], guard: Guard) -> Network:
    """One head, whose weight of y for x is 4 if their score is at least 1 and else 1, and some units."""
    same = np.arange(2)
    nodes = (
        Letters("tokens", 2),
        Affine("query", 1, 2, (Operand(Ref("tokens", (X,)), matrix(scores)),), np.zeros(2, np.int64), np.zeros(2, np.int64), 0),
        Round("query.r", 1, 2, Ref("query", (X,)), 0, FORMAT),
        Product("products", 2, Ref("query.r", (X,)), same, Ref("tokens", (Y,)), same, 0),
        Affine("score", 2, 1, (Operand(Ref("products", (X, Y)), matrix([[1, 1]])),), np.zeros(1, np.int64),
               np.zeros(1, np.int64), 0),
        Table("exp", 2, 1, Ref("score", (X, Y)), np.array([1]), np.array([1, 4]), Format(3, 0, 0)),
        Sum("den", 1, 1, Ref("exp", (X, Y)), guard, 0),
        Product("weighted", 2, Ref("exp", (X, Y)), np.zeros(2, np.int64), Ref("tokens", (Y,)), same, 0),
        Sum("num", 1, 2, Ref("weighted", (X, Y)), guard, 0),
        Quotient("head", 1, 2, Ref("num", (X,)), Ref("den", (X,)), np.zeros(2, np.int64), 4, Format(5, 0, 4)),
        Affine("sums", 1, 3, (Operand(Ref("tokens", (X,)), matrix([[5, 5], [3, 1], [1, 3]])),), np.zeros(3, np.int64),
               np.zeros(3, np.int64), 0),
        Round("units", 1, 3, Ref("sums", (X,)), 0, FORMAT),
        Sum("count", 1, 2, Ref("tokens", (Y,)), AtLeast(X - Y), 0),
        Affine("more", 1, 1, (Operand(Ref("count", (X,)), matrix([[1, -1]])),), np.zeros(1, np.int64), np.zeros(1, np.int64), 0),
        Table("behind", 1, 1, Ref("more", (X,)), np.array([0]), np.array([0, 1]), BIT),
    )  # fmt: skip
    return Network(nodes, None, Domain(), ("a", "b"))


def test_units_have_their_formulas() -> None:
    one = network([[1, 0], [0, 1]], EVERY)
    one.check()
    found = {meaning.unit: meaning for meaning in meanings(one, samples("ab", 4), seconds(20))}
    assert found["units[0]"].text == "is 5"
    assert found["units[1]"].text == "is 3 where a(x), else 1"
    assert found["units[2]"].text == "is 4 less units[1]"
    assert found["query.r[1]"].kind == "opposite"
    behind = found["behind[0]"]
    assert behind.kind == "formulas"
    agree(one, "behind", behind.formulas[1][1], behind.formulas[1][0])
    assert found["head[0]"].kind == "function"


def agree(one: Network, node: str, formula: Formula, value: float) -> None:
    for words in all_words(2, 6):
        expected = evaluate_network(one, words, [node])[node][..., 0] == value
        assert np.array_equal(evaluate(Sentence(("a", "b"), (), (), formula), words)[""], expected)


TRUTHS = [
    "a(x) | b(x - 1)",
    "#y[y <= x & a(y)] >= #y[y <= x & b(y)]",
    "exists y. y < x & c(y)",
    "x = n & a(1)",
    "~(#y[c(y)] >= 2)",
    "2*#y[y <= x & b(y)] - #y[y <= x & a(y)] >= 1",
    "true",
    "false",
]


def test_many_truths_share_one_bank() -> None:
    some = samples("abc", 3)
    naming = Naming(some, seconds(30))
    truths = np.array([naming.value(parse(f"letters a, b, c; {text}").formula) for text in TRUTHS])
    formulas = naming.formulas(truths)
    for text, truth, formula in zip(TRUTHS, truths, formulas, strict=True):
        assert formula is not None, text
        assert np.array_equal(naming.value(formula), truth), (text, str(formula))
    assert str(formulas[0]) in ("a(x) | b(x - 1)", "b(x - 1) | a(x)")


def test_a_truth_matters_only_where_it_is_considered() -> None:
    some = samples("ab", 4)
    few = Samples(some.alphabet, some.words, some.truth, tuple(words == 0 for words in some.words))
    naming = Naming(few, seconds(20))
    random = np.random.default_rng(0).random(naming.points.size) < 0.5
    truth = np.where(naming.points.considered, naming.points.place == 1, random)
    (formula,) = naming.formulas(truth[None])
    assert formula is not None
    assert np.array_equal(naming.value(formula)[naming.points.considered], truth[naming.points.considered])
    assert measure(Sentence(few.alphabet, (), (), formula)).nodes == 1


def test_noise_has_no_formula() -> None:
    naming = Naming(samples("ab", 6), seconds(0.3))
    random = np.random.default_rng(1).random((1, naming.points.size)) < 0.5
    assert naming.formulas(random) == [None]


def test_a_head_is_found_with_its_weights() -> None:
    one = network([[1, 0], [0, 1]], AtLeast(X - Y))
    (head,) = heads(one)
    assert (head.name, head.layer, head.elements, head.values) == ("head", 0, (0, 1), ("tokens", (0, 1)))
    assert head.weights == ("exp", 0)
    assert head.scores == ("score", 0)
    weights, allowed = attention(one, head, np.array([[0, 1, 0]]))
    assert weights[0].tolist() == [[4, 0, 0], [1, 4, 0], [4, 1, 4]]
    assert allowed[0].tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert attention_matrix(one, head, np.array([0, 1, 0]))[2] == (4 / 9, 1 / 9, 4 / 9)


@pytest.mark.parametrize(
    ("scores", "guard", "expected"),
    [
        ([[1, 0], [0, 1]], EVERY, "(a(x) <-> a(y))"),
        ([[0, 0], [1, 1]], EVERY, "b(y)"),
        ([[1, 0], [0, 1]], AtLeast(X - Y), "y <= x & (a(x) <-> a(y))"),
        ([[1, 1], [1, 1]], AtLeast(X - Y), "y <= x"),
    ],
)
def test_what_a_head_attends_to(scores: list[list[int]], guard: Guard, expected: str) -> None:
    one = network(scores, guard)
    some = samples("ab", 5)
    if scores == [[0, 0], [1, 1]]:
        some = Samples(some.alphabet, some.words, some.truth, tuple(
            np.broadcast_to((words == 1).any(axis=1)[:, None], words.shape) for words in some.words))  # fmt: skip
    (found,) = patterns(one, some)
    assert found.wrong == 0
    sentence = Sentence(("a", "b"), (), (Definition("p", ("x", "y"), found.formula),), TRUE)
    meant = Sentence(("a", "b"), (), (Definition("p", ("x", "y"), parse_pair(expected)),), TRUE)
    for words, seen_ in zip(some.words, some.considered, strict=True):
        both = [evaluate(one_, words, wanted=["p"])["p"] for one_ in (sentence, meant)]
        assert np.array_equal(both[0][seen_], both[1][seen_])


def parse_pair(text: str) -> Formula:
    body = parse(f"letters a, b; let p(x, y) := {text}; exists x. p(x, x)").definitions[0].body
    assert isinstance(body, Formula)
    return body


@pytest.mark.parametrize(
    "text",
    [
        "y = 1 | (a(x) & a(y) | b(x) & b(y) | c(x) & c(y))",
        "y <= x & b(y) & ~(exists z. y < z & z <= x & b(z))",
        "y < x & (a(x - 1) & a(y) | b(x - 1) & b(y) | c(x - 1) & c(y))",
        "~(y = n | y <= x & ~c(y))",
        "y = x - 1",
    ],
)
def test_pairs_are_matched(text: str) -> None:
    pairs = Pairs(samples("abc", 4))
    body = parse(f"letters a, b, c; let p(x, y) := {text}; exists x. p(x, x)").definitions[0].body
    assert isinstance(body, Formula)
    truth = pairs.of_formulas([body])[0]
    found = pairs.formula(truth, np.ones_like(truth))
    assert found is not None
    assert np.array_equal(pairs.of_formulas([found])[0], truth)


def test_pairs_without_a_formula_have_a_nearest_one() -> None:
    pairs = Pairs(samples("ab", 4))
    truth = pairs.of_formulas([parse_pair("y <= x & a(y)")])[0]
    truth[:3] = ~truth[:3]
    everywhere = np.ones_like(truth)
    formula, wrong = pairs.nearest(truth, everywhere)
    assert wrong == np.count_nonzero(pairs.of_formulas([formula])[0] != truth)
    assert wrong <= 3
