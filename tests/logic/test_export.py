"""Problems for other solvers: what z3 says of the written files is what enumeration says of the sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logic import Sentence, Word, parse, satisfies
from logic.smt.export import ground_to_smtlib
from logic.smt.schema_script import schema_to_smtlib
from logic.smt.symbols import quoted, symbol_part
from tests.logic.examples import EXAMPLES, LANGUAGES, Language, sentences


def words(sentence: Sentence, n: int) -> Iterator[Word]:
    """All words of a length."""
    for chosen in product([False, True], repeat=len(sentence.propositions)):
        true = frozenset(name for name, holds in zip(sentence.propositions, chosen, strict=True) if holds)
        for letters in product(sentence.letters, repeat=n):
            yield Word(letters, true)


def somewhere(word: Word, sentence: Sentence, truth: bool) -> bool:
    """Tell whether a sentence has a truth value in a word, at some position if it has a free variable."""
    if not sentence.free:
        return satisfies(word, sentence) == truth
    return any(satisfies(word, sentence, {sentence.free[0]: x}) == truth for x in range(1, word.n + 1))


def solver_of(text: str, timeout_s: float = 5.0) -> z3.Solver:
    solver = z3.SimpleSolver(ctx=z3.Context())
    solver.set("timeout", int(1000 * timeout_s))
    solver.from_string(text)
    return solver


def model_word(solver: z3.Solver, sentence: Sentence, n: int) -> Word:
    """The word of a model."""
    model = solver.model()
    true = {str(one.name()) for one in model.decls() if z3.is_true(model[one])}
    letters = [[a for a in sentence.letters if f"{symbol_part(a)}@{x}" in true] for x in range(1, n + 1)]
    assert all(len(here) == 1 for here in letters)
    return Word(
        tuple(here[0] for here in letters), frozenset(p for p in sentence.propositions if quoted(p).strip("|") in true)
    )


def check(sentence: Sentence, n: int, negate: bool) -> None:
    solver = solver_of("".join(ground_to_smtlib(sentence, n, negate=negate)))
    expected = any(somewhere(word, sentence, not negate) for word in words(sentence, n))
    assert solver.check() == (z3.sat if expected else z3.unsat)
    if expected and sentence.letters:
        assert somewhere(model_word(solver, sentence, n), sentence, not negate)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one.name)
@pytest.mark.parametrize("negate", [False, True])
def test_languages(language: Language, negate: bool) -> None:
    sentence = replace(parse(language.text), letters=tuple(language.letters))
    for n in range(4):
        found = solver_of("".join(ground_to_smtlib(sentence, n, negate=negate))).check()
        some = any(language.contains("".join(word)) != negate for word in product(sentence.letters, repeat=n))
        assert found == (z3.sat if some else z3.unsat)


@given(sentences(), st.integers(0, 2), st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_sentences(sentence: Sentence, n: int, negate: bool) -> None:
    check(sentence, n, negate)


def test_names_of_the_theory_and_strange_letters() -> None:
    text = "letters 'a|b', '\\\\', '%7C', 'é', 'ite'; propositions div, Int; "
    text += "let mod(x) := 'a|b'(x) & div; exists x. mod(x) & ~Int"
    sentence = parse(text)
    for n in (0, 1, 2):
        check(sentence, n, False)
        check(sentence, n, True)
    assert solver_of("".join(schema_to_smtlib(sentence))).check() != z3.unsat


def test_what_is_written() -> None:
    sentence = parse("sum up(x) := #y[y <= x & a(y)]; exists x. up(x) >= 2 & b(x)")
    assert (
        "".join(ground_to_smtlib(sentence, 2))
        == """\
; A sentence of FO(M) for the words of length 2: |a@3| says that the letter at position 3 is a.
; sat: some word satisfies it. unsat: no word does.
(set-logic LIA)
; the word
(declare-fun |a@1| () Bool)
(declare-fun |b@1| () Bool)
(declare-fun |a@2| () Bool)
(declare-fun |b@2| () Bool)
; definitions at positions: |p@1.2| is p(1, 2)
(declare-fun |up@1| () Int)
(declare-fun |up@2| () Int)
; position 1 has exactly one letter
(assert (and (or |a@1| |b@1|) (=> |a@1| (not |b@1|))))
; position 2 has exactly one letter
(assert (and (or |a@2| |b@2|) (=> |a@2| (not |b@2|))))
(assert (= |up@1| (ite |a@1| 1 0)))
(assert (= |up@2| (+ (ite |a@1| 1 0) (ite |a@2| 1 0))))
; the sentence
(assert (or (and (<= 2 |up@1|) |b@1|) (and (<= 2 |up@2|) |b@2|)))
(check-sat)
"""
    )


def test_shared_formulas_are_written_with_let() -> None:
    """Nested equivalences with a shared part double the tree at every level."""
    text = "a(1)"
    sentence = parse(text)
    phi = sentence.formula
    from logic.syntax import Iff, Not, Or

    for _ in range(40):
        phi = Iff(Not(phi), Or((phi, phi)))
    made = "".join(ground_to_smtlib(Sentence(("a",), (), (), phi), 1))
    assert len(made) < 20_000
    assert solver_of(made).check() in (z3.sat, z3.unsat)


# Every length: z3 refutes the false side of each word, and never the true one.


def sides(sentence: Sentence, word: Word) -> tuple[z3.CheckSatResult, z3.CheckSatResult]:
    """What z3 says of the sentence and of its negation in one word."""
    facts = [f"(= n {word.n})"]
    facts += [f"(= (|letter at| {x}) {sentence.letters.index(a) + 1})" for x, a in enumerate(word.letters, 1)]
    facts += [quoted(p) if p in word.propositions else f"(not {quoted(p)})" for p in sentence.propositions]
    asserted = "".join(f"(assert {fact})\n" for fact in facts)
    found = []
    for negate in (False, True):
        text = "".join(schema_to_smtlib(sentence, negate=negate)).replace("(check-sat)", "")
        found.append(solver_of(text + asserted, 0.3).check())
    return found[0], found[1]


REFUTABLE = [
    "exists x. a(x) & b(x + 1)",
    "forall x. a(x) -> exists y. x < y & b(y)",
    "#x[a(x)] >= 2",
    "M x. a(x)",
    "2*#y[a(y)] - 3*[b(1)] >= 1",
    "let p(x) := a(x) & b(x - 1); p(2)",
    "sum s(x) := 2*[a(x)] - 1; s(1) + s(3) >= 1",
    "#x[a(x) : #y[y <= x & b(y)]] >= 2",
    "q & a(1)",
    "bit(n, 2) & ~b(n)",
    "a(x) | b(x - 1)",
]


@pytest.mark.parametrize("text", REFUTABLE)
def test_every_length_in_single_words(text: str) -> None:
    sentence = parse(f"letters a, b;{'propositions q;' if 'q' in text else ''} {text}")
    refuted = total = 0
    for n in range(3):
        for word in words(sentence, n):
            for truth, said in zip((True, False), sides(sentence, word), strict=True):
                if somewhere(word, sentence, truth):
                    assert said != z3.unsat
                else:
                    total += 1
                    refuted += said == z3.unsat
    assert refuted >= 0.8 * total > 0


@pytest.mark.parametrize("text", EXAMPLES)
def test_z3_reads_every_example(text: str) -> None:
    """Reading checks sorts, arities and declarations."""
    for negate in (False, True):
        made = "".join(schema_to_smtlib(parse(text), negate=negate))
        assert len(solver_of(made).assertions()) >= 1
        assert not re.search(r"[^\x00-\x7f]", re.sub(r";.*", "", made))


@pytest.mark.interop
@pytest.mark.parametrize("text", EXAMPLES)
def test_cvc5_agrees(text: str) -> None:
    cvc5 = pytest.importorskip("cvc5")

    def ask(script: str) -> str:
        solver = cvc5.Solver(cvc5.TermManager())
        solver.setOption("tlimit-per", "1000")
        parser = cvc5.InputParser(solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "script")
        answer = ""
        while not (command := parser.nextCommand()).isNull():
            answer += command.invoke(solver, parser.getSymbolManager())
        return str(answer).split("(")[0].strip()

    sentence = parse(text)
    script = "".join(ground_to_smtlib(sentence, 3))
    assert ask(script) == str(solver_of(script).check())
    schema = ask("".join(schema_to_smtlib(sentence)))
    assert schema in ("sat", "unsat", "unknown")
    assert schema == "unknown" or (schema == "sat") or str(solver_of(script).check()) == "unsat"
