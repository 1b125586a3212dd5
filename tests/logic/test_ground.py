"""Grounding: what the solver says of a ground sentence is what the reference evaluator says of the sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysmt.environment import Environment

from circuits.diagnostics import FomError
from logic import Sentence, Word, parse, satisfies
from logic.smt.ground import Grounded, ground
from tests.logic.examples import EXAMPLES, TAGGERS, sentences


def decide(made: Grounded, word: Word, formula: Any) -> bool:
    """Ask the solver for the truth of a ground formula in one word, and that it is determined."""
    smt = made.env.formula_manager
    facts = list(made.constraints)
    facts += [made.letters[letter, position] for position, letter in enumerate(word.letters, 1)]
    facts += [p if name in word.propositions else smt.Not(p) for name, p in made.propositions.items()]
    with made.env.factory.Solver(name="z3", logic="LIA") as solver:
        solver.add_assertion(smt.And(facts))
        assert solver.solve()
        solver.push()
        solver.add_assertion(formula)
        can_hold = solver.solve()
        solver.pop()
        solver.add_assertion(smt.Not(formula))
        assert solver.solve() != can_hold
    return bool(can_hold)


def agree(sentence: Sentence, word: Word) -> None:
    made = ground(sentence, word.n)
    if not sentence.free:
        assert decide(made, word, made.formula) == satisfies(word, sentence)
        return
    assert isinstance(made.formula, dict)
    assert list(made.formula) == list(range(1, word.n + 1))
    for position, formula in made.formula.items():
        assert decide(made, word, formula) == satisfies(word, sentence, {sentence.free[0]: position})


@st.composite
def words(draw: st.DrawFn, sentence: Sentence, longest: int = 3) -> Word:
    letters = tuple(draw(st.lists(st.sampled_from(sentence.letters), max_size=longest))) if sentence.letters else ()
    return Word(letters, frozenset(draw(st.sets(st.sampled_from(sentence.propositions or ("none",))))))


@given(st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_sentences(data: st.DataObject) -> None:
    sentence = data.draw(sentences())
    agree(sentence, data.draw(words(sentence)))


@pytest.mark.parametrize("text", [*EXAMPLES, *TAGGERS])
@given(st.data())
@settings(max_examples=3, deadline=None)
def test_examples(text: str, data: st.DataObject) -> None:
    sentence = parse(text)
    agree(sentence, data.draw(words(sentence, 4)))


def test_two_sentences_are_compared_over_shared_letters() -> None:
    left = parse("letters a, b; let p(x) := #y[y <= x & a(y)] >= 2; exists x. p(x)")
    right = parse("letters b, a; sum p(x) := #y[a(y)]; p(1) >= 2")
    env = Environment()
    for n in range(5):
        one, other = ground(left, n, env=env, prefix="l."), ground(right, n, env=env, prefix="r.")
        smt = env.formula_manager
        differ = smt.Not(smt.Iff(one.formula, other.formula))
        with env.factory.Solver(name="z3", logic="LIA") as solver:
            solver.add_assertion(smt.And([*one.constraints, *other.constraints, differ]))
            assert not solver.solve()
    strict = ground(parse("letters a, b; #y[a(y)] >= 3"), 4, env=env)
    with env.factory.Solver(name="z3", logic="LIA") as solver:
        smt = env.formula_manager
        solver.add_assertion(smt.And([*one.constraints, smt.Not(smt.Iff(one.formula, strict.formula))]))
        assert solver.solve()
        word = [
            letter for position in range(1, 5) for letter in "ab" if solver.get_py_value(one.letters[letter, position])
        ]
        assert word.count("a") == 2


def test_each_instance_is_defined_once_and_masks_disappear() -> None:
    sentence = parse(
        "let mask(x, y) := y <= x; let p(x) := #y[mask(x, y) & a(y)] >= 2; let q(x) := p(x) & p(x) & ~p(x - 1); exists x. q(x)"
    )
    made = ground(sentence, 6)
    names = sorted(str(equation.arg(0)) for equation in made.equations)
    assert names == sorted([f"{name}@{x}" for name in "pq" for x in range(1, 7)])
    assert len(made.alphabet) == 6


def test_a_larger_alphabet_and_a_negative_length() -> None:
    made = ground(parse("a(1)"), 1, letters=["a", "b"])
    assert set(made.letters) == {("a", 1), ("b", 1)}
    with pytest.raises(FomError, match="L030"):
        ground(parse("a(1)"), -1)


@pytest.mark.parametrize("n_letters", [1, 2, 8, 9, 30])
def test_each_position_has_exactly_one_letter(n_letters: int) -> None:
    names = [f"a{number}" for number in range(n_letters)]
    made = ground(parse(f"letters {', '.join(names)}; true"), 1)
    smt = made.env.formula_manager
    symbols = [made.letters[name, 1] for name in names]
    with made.env.factory.Solver(name="z3", logic="LIA") as solver:
        solver.add_assertion(smt.And(made.constraints))
        assert solver.solve([symbols[0]])
        assert not solver.solve([smt.Not(symbol) for symbol in symbols])
        if n_letters > 1:
            assert not solver.solve([symbols[0], symbols[-1]])


def test_without_letters_nothing_is_asserted() -> None:
    assert ground(parse("n = 2"), 2).constraints == []


def test_a_weight_without_a_constant_is_kept_under_its_condition() -> None:
    sentence = parse("letters a, b; #x[a(x) : #y[y < x & b(y)]] >= 2")
    for word in ("bba", "baa", "aba", "bab", "abb"):
        agree(sentence, Word(tuple(word)))
