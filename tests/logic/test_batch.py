"""Evaluation in slabs, by prefix sums and matrix products, against the definition of truth; and the memory it states."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from logic import Sentence, Word, batch_program, evaluate, parse, satisfies
from logic.batch import Need, need
from logic.batch_counting import counting_of
from logic.plan import plan
from logic.syntax import Call, Exists, Linear, Sum, SumCall, Term
from tests.logic.examples import EXAMPLES, LANGUAGES, TAGGERS, sentences

SLABS = [(1 << 18, 1 << 19), (0, 1), (0, 7), (0, 40)]
settings_here: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@pytest.fixture(params=SLABS, ids=lambda limits: f"fused {limits[0]} slab {limits[1]}")
def slabs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fuse all values, and cut everything into slabs of few entries."""
    monkeypatch.setattr(batch_program, "FUSED", request.param[0])
    monkeypatch.setattr(batch_program, "SLAB", request.param[1])
    batch_program.program.cache_clear()
    yield
    batch_program.program.cache_clear()


def word_of(sentence: Sentence, codes: np.ndarray, bits: np.ndarray) -> Word:
    letters = tuple(sentence.letters[code] if code >= 0 else "none of them" for code in codes)
    return Word(letters, frozenset(name for name, bit in zip(sentence.propositions, bits, strict=True) if bit))


def check(sentence: Sentence, codes: np.ndarray, bits: np.ndarray) -> None:
    """Compare the formula and every definition with the reference, at all positions of all words."""
    names = [definition.name for definition in sentence.definitions]
    result = evaluate(sentence, codes, bits)
    again = evaluate(sentence, codes, bits, wanted=names)
    assert (result[""] == again[""]).all()
    n = codes.shape[1]
    for number in range(len(codes)):
        word = word_of(sentence, codes[number], bits[number])
        for positions in itertools.product(range(1, n + 1), repeat=len(sentence.free)):
            truth = satisfies(word, sentence, dict(zip(sentence.free, positions, strict=True)))
            assert result[""][(number, *(one - 1 for one in positions))] == truth
        for definition in sentence.definitions:
            values = again[definition.name]
            for positions in itertools.product(range(1, n + 1), repeat=len(definition.params)):
                value = values[(number, *(one - 1 for one in positions))].item()
                args = tuple(Term((), 0, one) for one in positions)
                if isinstance(definition.body, Sum):
                    total = Sum(((1, SumCall(definition.name, args)),))
                    assert holds(sentence, word, Linear(total, value))
                    assert not holds(sentence, word, Linear(total, value + 1))
                else:
                    assert holds(sentence, word, Call(definition.name, args)) == value


def holds(sentence: Sentence, word: Word, phi: Linear | Call) -> bool:
    return satisfies(word, Sentence(sentence.letters, sentence.propositions, sentence.definitions, phi))


@given(sentences(), st.integers(0, 6), st.integers(0, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=25, **settings_here)
def test_random_sentences(slabs: None, sentence: Sentence, n: int, n_words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, len(sentence.letters), (n_words, min(n, 3) if sentence.definitions else n))
    check(sentence, codes, rng.integers(0, 2, (n_words, 2)).astype(bool))


LITERALS = [
    "a(z)", "a(x)", "b(y)", "p(x, z)", "q(z, y)", "r(x, y)", "p(z, x)", "a(x + z)", "z <= x", "y < z", "x = z", "z = y + 1",
    "z < x + y", "x - 1 <= z", "2*z < x", "z + z = y", "z <= n - x", "a(z + 1)", "exists w. p(w, z) & w < x", "x < y", "u",
    "s(z) >= y",
]  # fmt: skip
WEIGHTS = ["", "", " : 2*s(z) - 3", " : [a(z)] + y", " : [p(x, z)] - 2*[q(z, y)]", " : x", " : 5000000000*[a(z)] - 7"]


@st.composite
def countings(draw: st.DrawFn) -> Sentence:
    """Draw a relation and a sum of two positions in which a third one is quantified or counted."""
    signs = st.sampled_from(["", "", "", "~"])
    chosen = st.lists(st.sampled_from(LITERALS), min_size=1, max_size=4)

    def body() -> str:
        made = [f"{draw(signs)}({literal})" for literal in draw(chosen)]
        return draw(st.sampled_from([" & ", " & ", " | "])).join(made)

    quantified = {
        "E": f"exists z. {body()}",
        "A": f"forall z. ({body()}) -> ({body()})",
        "M": f"M z. {body()}",
        "#": f"#z[{body()}] >= 2",
    }[draw(st.sampled_from("EAM#"))]
    return parse(
        "letters a, b; propositions u;"
        "let p(x, y) := a(x) & b(y) | x = y; let q(x, y) := x <= y & a(y); let r(x, y) := a(x) <-> b(y);"
        f"sum s(x) := #y[y <= x & a(y)] - 2*[b(x)]; let d(x, y) := {quantified};"
        f"sum t(x, y) := 3*#z[{body()}{draw(st.sampled_from(WEIGHTS))}] - 1; exists x, y. d(x, y) & t(y, x) > 0 & r(x, y)"
    )


@given(countings(), st.integers(0, 5), st.integers(1, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=30, **settings_here)
def test_counting_a_third_position(slabs: None, sentence: Sentence, n: int, n_words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    check(sentence, rng.integers(0, 2, (n_words, n)), rng.integers(0, 2, (n_words, 1)).astype(bool))


@pytest.mark.parametrize("text", [*EXAMPLES, *TAGGERS])
def test_examples(slabs: None, text: str) -> None:
    sentence = parse(text)
    rng = np.random.default_rng(1)
    for n in (0, 1, 2, 4):
        codes = rng.integers(-1, max(len(sentence.letters), 1), (2, n)) if sentence.letters else np.full((2, n), -1)
        check(sentence, codes, rng.integers(0, 2, (2, len(sentence.propositions))).astype(bool))


@pytest.mark.parametrize(
    ("text", "prefix", "product"),
    [
        ("forall y. y < x -> a(y)", True, False),
        ("exists y. y = x + 1 & a(y)", True, False),
        ("#y[y <= x & a(y)] >= 2", True, False),
        ("exists y. x <= 2*y & a(y)", False, False),
        ("exists z. (a(x) <-> b(z)) & (b(z) <-> a(y))", False, True),
        ("exists z. (a(x) <-> b(z)) & (b(z) <-> a(y)) & (a(x) <-> a(y))", False, True),
        ("forall z. (a(x) <-> b(z)) & x <= z & z < y -> false", True, False),
        ("exists z. (a(x) <-> b(z)) & (b(z) <-> a(y)) & ((a(x) <-> a(y)) <-> a(z))", False, False),
    ],
)
def test_what_becomes_of_quantifiers(text: str, prefix: bool, product: bool) -> None:
    phi = parse(f"letters a, b; let d(x, y) := {text}; true").definitions[0].body
    counted = phi.sum.items[0][1] if isinstance(phi, Linear) else phi
    counting = counting_of(counted, lambda call: None)  # type: ignore[arg-type]
    assert bool(counting and (counting.lower or counting.upper)) == prefix
    assert bool(counting and counting.across is not None) == product


def test_literals_without_the_variable_stand_outside() -> None:
    phi = parse("letters a, b; exists x, y. a(x) & b(y)").formula
    assert isinstance(phi, Exists)
    counting = counting_of(phi.body, lambda call: None)  # type: ignore[arg-type]
    assert counting is not None
    assert str(counting.outside) == "a(x)"


# Long words.


def random_word(letters: str, n: int) -> str:
    return "".join(np.random.default_rng(n).choice(list(letters), n))


def accepted(name: str, n: int) -> str:
    """A word of the language."""
    half = n // 2
    word = random_word("ab", half)
    return {
        "a^m b^m": "a" * half + "b" * half,
        "Dyck-1": "oc" * (half // 2) + "o" * (half // 2) + "c" * (half // 2),
        "Dyck-2": "([])" * (half // 4) + "[" * (half // 2) + "]" * (half // 2),
        "palindrome": word + word[::-1],
        "ww": word + word,
        "(ab)*": "ab" * half,
    }[name]


@pytest.mark.parametrize(
    ("name", "n"),
    [("a^m b^m", 1000), ("Dyck-1", 20000), ("Dyck-2", 400), ("palindrome", 1000), ("ww", 1000), ("(ab)*", 20000)],
)
def test_long_words(name: str, n: int) -> None:
    language = next(one for one in LANGUAGES if one.name == name)
    sentence = parse(f"letters {', '.join(map(repr, language.letters))};" + language.text)
    word = accepted(name, n)
    swapped = word[:-1] + next(letter for letter in language.letters if letter != word[-1])
    words = [word, swapped, random_word(language.letters, len(word))]
    expected = [language.contains(one) for one in words]
    assert expected[:2] == [True, False]
    codes = np.array([[language.letters.index(letter) for letter in one] for one in words])
    assert evaluate(sentence, codes)[""].tolist() == expected


def test_big_numbers_are_exact_however_they_are_added() -> None:
    big = 2**53 + 1
    text = (
        f"sum s(x) := {big}*[a(x)]; sum prefix(x) := #y[y <= x : s(y)];"
        "let e(x, y) := a(x) <-> a(y); sum product(x, y) := #z[e(x, z) & e(y, z) : s(z)]; sum all() := #y[true : s(y)];"
        f"sum wide(x, y) := #z[e(x, z) & e(y, z) : {2**61}*[a(z)]]; true"
    )
    sentence = parse("letters a, b;" + text)
    names = ["prefix", "product", "all", "wide"]
    found = evaluate(sentence, np.array([[0, 1, 0, 0, 0]]), wanted=names)
    assert found["prefix"].tolist() == [[big, big, 2 * big, 3 * big, 4 * big]]
    assert found["all"].tolist() == [4 * big]
    assert found["product"][0, 0].tolist() == [4 * big, 0, 4 * big, 4 * big, 4 * big]
    assert found["wide"][0, 0].tolist() == [2**63, 0, 2**63, 2**63, 2**63]


@pytest.mark.parametrize("n", [254, 255, 256, 32767, 32768, 40000])
def test_counts_do_not_overflow(n: int) -> None:
    sentence = parse("letters a; (M x. a(x)) & #x[a(x)] = n & forall x. #y[y <= x] = x")
    assert evaluate(sentence, np.zeros((1, n), int))[""].tolist() == [True]


def test_large_coefficients_of_nothing_and_small_terms_in_long_words() -> None:
    sentence = parse(
        "letters a; sum zero(x) := 0*[a(x)]; sum none() := 70000*#x[true : zero(x)] + 70000*zero(1) + 5;"
        "a(5) & ~a(n + 1) & none() = 5 & #x[true : 2*zero(x)] = 0 & #x[x <= 3 & a(3) : zero(x) + 1] = 3 & exists x. x = n"
    )
    assert evaluate(sentence, np.zeros((1, 40000), int), wanted=["none"])["none"].tolist() == [5]
    assert evaluate(sentence, np.zeros((1, 40000), int))[""].tolist() == [True]


# Memory.

THREE = "let d(x, y, z) := a(x) & b(y) & a(z) | x + y = z; exists x. #y, z[d(x, y, z)] >= 3 & forall y. d(x, y, x)"


@pytest.mark.parametrize(
    ("text", "n", "n_words"),
    [
        (THREE, 90, 1),
        ("exists x. M y. forall z. (a(x) <-> b(y)) <-> (a(z) <-> x + y < z)", 200, 1),
        ("exists x, y. #z[(a(x) <-> b(z)) & (b(z) <-> a(y))] >= 3", 500, 2),
        ("forall x. 3*#y[y < x & a(x + y)] - 2*#y[bit(x + y, 2)] >= 7*#y[a(y) <-> b(x) : y]", 700, 1),
        (
            "sum s(x, y) := 3*[a(x)] - 5*[b(y)] + 7*[x < y] - 300*[a(x + y)]; M x. #y[s(x, y) >= 2 : s(y, x)] > 0",
            900,
            1,
        ),
        ("exists x. a(x) & forall y. y < x -> b(y)", 50, 3000),
    ],
)
def test_the_need_is_an_upper_bound_and_not_idle(text: str, n: int, n_words: int) -> None:
    sentence = parse("letters a, b;" + text)
    words = np.random.default_rng(0).integers(0, 2, (n_words, n))
    evaluate(sentence, words)
    stated = need(sentence, n_words, n).bytes
    tracemalloc.start()
    evaluate(sentence, words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= stated + 100_000
    assert stated <= 4 * peak + 100_000


def test_three_positions_of_a_long_word_need_no_cube() -> None:
    inside = parse("letters a, b; exists x. M y. forall z. (a(x) <-> b(y)) <-> (a(z) <-> x + y < z)")
    assert need(inside, 1, 2000).bytes < 100 * 2**20
    assert need(parse("letters a, b;" + THREE), 1, 2000) == Need(pytest.approx(2000**3, rel=0.1), "d")  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused_before_it_is_computed() -> None:
    sentence = parse("letters a, b;" + THREE)
    with pytest.raises(FomError, match=r"L022.*length 300 needs about [\d,]+ bytes, the limit is 1,000,000") as caught:
        evaluate(sentence, np.zeros((1, 300), int), memory=1_000_000)
    found = caught.value.diagnostics[0]
    assert found.where == "definition `d`"
    fits = int(found.note.split("up to ")[1].split()[0])
    assert need(sentence, 1, fits).bytes <= 1_000_000 < need(sentence, 1, fits + 1).bytes
    evaluate(sentence, np.zeros((1, fits), int), memory=1_000_000)


def test_many_words_are_evaluated_in_parts() -> None:
    sentence = parse("letters a, b; let d(x, y) := x < y & a(x) & b(y); #x, y[d(x, y)] >= x")
    words = np.random.default_rng(0).integers(0, 2, (37, 20))
    whole = evaluate(sentence, words, wanted=["d"])
    limit = need(sentence, 5, 20, ["d"]).bytes
    assert limit < need(sentence, 37, 20, ["d"]).bytes
    parts = evaluate(sentence, words, wanted=["d"], memory=limit)
    assert all((whole[name] == parts[name]).all() for name in ("", "d"))


def test_a_value_that_one_other_reads_is_not_stored() -> None:
    sentence = parse("letters a, b; let d(x, y) := a(x) & b(y) | x = y; exists x. M y. d(x, y)")
    assert need(sentence, 1, 5000).bytes < 5000**2
    twice = parse("letters a, b; let d(x, y) := a(x) & b(y) | x = y; exists x. (M y. d(x, y)) & M y. d(y, x)")
    assert need(twice, 1, 5000).bytes > 5000**2
    assert len(plan(sentence, ()).roots) == 2
