"""From sentences to families: the circuits decide what the sentence says, at every length tried and, with z3, in every word."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from pysmt.environment import Environment

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.entries import Gates
from circuits.family import Family
from circuits.family_text import family_of_text, family_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import Bit, Term, guard_of_data, guard_to_data, holds, negation, simplify, substitute, var
from circuits.sizes import size_polynomials
from logic import Sentence, Word, evaluate, parse, satisfies, to_ascii
from logic.family_to_sentence import family_to_sentence
from logic.proving import guards
from logic.proving.circuit_sentence import prove_circuit_sentence
from logic.sentence_to_family import sentence_to_family
from logic.smt.ground import ground
from tests.circuits.small import attention
from tests.logic.examples import LANGUAGES, Language, sentences

PAIRS = ("sum of positions", "inversions")


def read(language: Language) -> Sentence:
    return parse(f"letters {', '.join(map(repr, language.letters))};" + language.text)


def all_words(n_letters: int, n: int) -> np.ndarray[Any, Any]:
    return np.array(list(itertools.product(range(n_letters), repeat=n)), dtype=int).reshape(n_letters**n, n)


def decided(family: Family, words: np.ndarray[Any, Any], n: int) -> list[Any]:
    found = instantiate(family, n).simulate(words)[family.readout.decision][..., 0]
    return list((found == 1).tolist())


def agree(sentence: Sentence, family: Family, longest: int, most: int = 300) -> None:
    """The circuits against the definition of truth, on all words or a fixed choice of them."""
    for n in range(1, longest + 1):
        words = all_words(len(sentence.letters), n)
        words = words[:: max(1, len(words) // most)]
        for word, found in zip(words, decided(family, words, n), strict=True):
            structure = Word(tuple(sentence.letters[code] for code in word))
            if sentence.free:
                expected: Any = [satisfies(structure, sentence, {sentence.free[0]: x}) for x in range(1, n + 1)]
            else:
                expected = satisfies(structure, sentence)
            assert found == expected, (str(sentence), structure)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one.name not in PAIRS], ids=lambda one: one.name)
def test_languages(language: Language) -> None:
    """Circuits against independent recognisers; text form, depth and sizes against one another."""
    sentence = read(language)
    family = sentence_to_family(sentence)
    family.check()
    text = family_to_text(family)
    assert family_to_text(family_of_text(text)) == text
    for n in range(1, 6 if len(language.letters) < 4 else 5):
        words = all_words(len(sentence.letters), n)
        expected = [language.contains("".join(sentence.letters[code] for code in word)) for word in words]
        assert decided(family, words, n) == expected
        circuit = instantiate(family, n)
        assert (circuit.n_gates, circuit.n_wires) == (family.gates(n), family.wires(n))
        assert circuit.depth <= family.depth
    polynomial = size_polynomials(family)["gates"]
    assert polynomial is not None
    assert polynomial(11) == family.gates(11)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one.name not in PAIRS], ids=lambda one: one.name)
def test_there_and_back(language: Language) -> None:
    """Sentence, family, sentence: equal on all words up to 5 letters, and proved equal for all of 3.

    The way back is proved for every n by the induction that proves translations.
    """
    sentence = read(language)
    family = sentence_to_family(sentence)
    back = parse(to_ascii(family_to_sentence(family)))
    assert prove_circuit_sentence(family, back).open == ()
    for n in range(1, 6 if len(language.letters) < 4 else 5):
        words = all_words(len(sentence.letters), n)
        assert (evaluate(back, words)[""] == evaluate(sentence, words)[""]).all()
    proved_equal(sentence, back, 3)


def proved_equal(left: Sentence, right: Sentence, n: int) -> None:
    env = Environment()
    one, other = ground(left, n, env=env, prefix="l."), ground(right, n, env=env, prefix="r.")
    smt = env.formula_manager
    with env.factory.Solver(name="z3", logic="LIA") as solver:
        solver.add_assertion(smt.And([*one.constraints, *other.constraints]))
        assert solver.solve()
        solver.add_assertion(smt.Not(smt.Iff(one.formula, other.formula)))
        assert not solver.solve()


FORMULAS = [
    "true",
    "false",
    "a(1)",
    "~a(1)",
    "a(n - 1) & ~b(2)",
    "n = 3 | a(2)",
    "~(n = 3 -> a(2))",
    "n = 2 & a(1)",
    "a(1) <-> b(n)",
    "a(1) <-> n = 2",
    "~(a(1) <-> ~a(1)) & n <= 4",
    "(n = 2 <-> n < 3) & a(1)",
    "exists x. a(x) & b(x + 1) | n = 1",
    "exists x. n = 2*x",
    "exists x. a(1)",
    "forall x. a(x) -> exists y. y <= x & b(y)",
    "~forall x. ~a(x)",
    "M x. a(x) | x = 1",
    "M x. a(x) & ~b(x + 1)",
    "M x. a(1)",
    "~M x. (a(x) <-> b(x + 1))",
    "M x. M y. a(x) | a(y) & y < x",
    "bit(n, 2) & a(1)",
    "exists x. bit(x + 1, x - 1) & a(x)",
    "#y[a(y)] - 2*#y[b(y)] + n - 3*[a(1)] + 4*[n = 2 & b(1)] >= 1",
    "#y[y < 3] >= 2 | a(1)",
    "#y[y <= 2 : 3*[a(y)] - [b(y + 1)] + 2] >= 5",
    "#y[a(y) : 2*[b(y + 1)] - 1] >= 0",
    "#y[a(y) | b(y + 1) & y = 2] = 2",
    "exists x. #y[y <= x & a(y)] = x & 2 <= x",
    "exists x. forall y. exists z. (x <= y & a(z) -> z = y | b(x))",
    "let p(x) := ~a(x); p(0) | p(n + 1) | exists x. ~p(x - 1) & p(x)",
    "let p(x, y) := x <= y & a(y); exists x. p(x - 1, n) & ~p(x, x + 1)",
    "let p(x, y) := a(x); p(1, 2)",
    "let p(x, y) := a(x); ~p(1, n + 1) & ~p(2, 0)",
    "let p(x) := x < 3; p(2) & ~p(0) & ~p(n + 1) & (p(n) | a(1))",
    "let p() := b(n); ~p()",
    "let p(x) := exists y. y < x & a(y); let q(x) := p(x) & ~p(x + 1) | p(n); exists x. q(x)",
    "sum s(x) := #y[y <= x & a(y)] - 1; exists x. s(x) >= 1 & s(x - 1) = 0 & s(n) - s(1) <= 2",
    "sum s(x) := 2*[a(x)] - [b(x + 1)] + 1; #y[y <= 3 : s(y) + s(y + 1)] - #y[a(y) : s(y)] >= 3",
    "sum s(x) := 2*[a(x)] + 1; sum t(x) := s(x) - s(x + 1); exists x. t(x) = 2 & t(x - 1) <= 0 & 3*t(n) >= 3",
    "sum s() := #y[a(y)] - n; s() >= 0 - 2",
    "sum s(x) := 5; exists x. s(x) + s(x + 1) = 5 & a(x)",
    "sum s(x) := n; s(1) + s(n + 1) >= 3 & a(n)",
    "let p(x) := a(x); let q(x) := p(x); exists x. q(x + 1)",
    "let answer(x) := exists y. a(y) & x < y; answer(1) & ~answer(2)",
    "a(x)",
    "~a(x + 1)",
    "x = 2",
    "a(1) & x = x",
    "#y[y <= x & a(y)] >= #y[y <= x & b(y)]",
    "~exists y. y < x & a(y)",
    "bit(n - x, 2) | a(1)",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    """Every kind of formula, against the definition of truth on all words of up to 4 letters."""
    sentence = parse("letters a, b;" + text)
    family = sentence_to_family(sentence)
    family.check()
    assert family.readout.n_positions == len(sentence.free)
    agree(sentence, family, 4)
    back = parse(to_ascii(family_to_sentence(family)))
    assert prove_circuit_sentence(family, back).open == ()
    for n in range(1, 4):
        words = all_words(2, n)
        assert (evaluate(back, words)[""] == evaluate(sentence, words)[""]).all()


def family_of(sentence: Sentence) -> Family | None:
    """The family of a sentence, or none where pairs of positions are counted."""
    try:
        return sentence_to_family(sentence)
    except FomError as error:
        if error.diagnostics[0].code != "L063":
            raise
        return None


@given(sentences())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_random_sentences(sentence: Sentence) -> None:
    """Random sentences over letters: propositions become truth values."""
    text = to_ascii(sentence).split("\n", 2)[2]
    assert "propositions" not in text.split("\n")[0]
    words = re.sub(r"\bq\[0\](?!\()", "false", re.sub(r"\bp\.1\b", "true", text))
    plain = parse("letters a, b, '(', 'not', 'x\\'\\\\\\n';" + words)
    family = family_of(plain)
    assume(family is not None)
    assert family is not None
    family.check()
    assert family_to_text(family_of_text(family_to_text(family))) == family_to_text(family)
    agree(plain, family, 3, 25)


def test_guards_cost_no_gates() -> None:
    """Conditions on positions, also those of a definition, are guards of the wires that read."""
    text = "letters a; let e(x, y) := a(x + y); let low(y) := 2*y <= n; exists x. #y[y <= x & e(x, y) & low(y)] >= 2"
    family = sentence_to_family(parse(text))
    assert [(gates.n_positions, gates.size) for gates in family.templates] == [(1, 1), (0, 1)]
    assert family.depth == 2


def test_what_is_not_bound_is_kept_apart() -> None:
    """``a(x) & b(y) & y < x`` is no gate for each pair of positions."""
    family = sentence_to_family(parse("letters a, b; exists x, y. a(x) & b(y) & y < x"))
    assert [gates.n_positions for gates in family.templates] == [1, 1, 0]
    family = sentence_to_family(parse("letters a, b; forall x, y. a(x) & y < x -> b(y)"))
    assert [gates.n_positions for gates in family.templates] == [1, 1, 0]


def test_equal_templates_are_one() -> None:
    """The same formula under other names of variables is made once, and what nobody reads is left out."""
    text = "letters a; let p(x) := exists y. y < x & a(y); let q(z) := exists u. u < z & a(u); {} & a(1)"
    one = sentence_to_family(parse(text.format("p(n)")))
    both = sentence_to_family(parse(text.format("p(n) & q(2)")))
    assert len(one.templates) == len(both.templates) == 2


def test_negation_costs_no_depth() -> None:
    text = "letters a, b; {}(forall x. ~(a(x) & ~exists y. ~(y <= x -> ~b(y))))"
    depths = [sentence_to_family(parse(text.format(sign))).depth for sign in ("", "~", "~~")]
    assert depths == [3, 3, 3]


def test_a_majority_is_one_gate() -> None:
    family = sentence_to_family(parse("letters a, b; M x. a(x)"))
    assert (family.depth, len(family.templates), family.gates(9), family.wires(9)) == (1, 1, 1, 9)
    gates = family.templates[0]
    assert isinstance(gates, Gates)
    assert gates.thresholds.tolist() == [0]


def test_propositions_are_the_bits_of_inputs() -> None:
    """Bits of the numbers of an input come back under their names; other propositions are inputs of one bit."""
    names = [f"v[{element}].{bit}" for bit in range(2) for element in range(3)]
    sentence = parse(f"propositions {', '.join(names)}; v[0].0 & ~v[1].1 | #x[v[2].0 & v[2].1] + 2*[v[1].0] >= n + 1")
    family = sentence_to_family(sentence)
    family.check()
    assert [(node.name, node.size, node.format.bits) for node in family.inputs] == [("v", 3, 2)]
    assert set(family_to_sentence(family).propositions) == set(names)
    codes = all_words(4, 3)
    truth = np.stack([codes[:, int(name[2])] >> int(name[5]) & 1 for name in sentence.propositions], axis=1)
    for n in (1, 2):
        expected = evaluate(sentence, np.full((len(codes), n), -1), truth)[""]
        assert decided(family, codes, n) == expected.tolist()
    singles = sentence_to_family(parse("propositions p, q[1]; p & ~q[1]"))
    assert [(node.name, node.size) for node in singles.inputs] == [("p", 1), ("q[1]", 1)]
    assert decided(singles, all_words(2, 2), 1) == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("letters a; a(x) & a(y)", "L014"),
        ("n = 3", "L064"),
        ("letters a; propositions p; a(1) & p", "L064"),
        ("letters a; #x, y[x < y & a(x)] >= n", "L063"),
        ("letters a; #x[a(x) : x] >= n", "L063"),
        ("letters a; #x[a(x) : n] >= 3", "L063"),
        ("letters a; sum s(x) := #y[y < x & a(y)]; #x[a(x) : s(x)] >= 3", "L063"),
        ("letters a; exists x. x + 99999999999 <= n & a(x)", "L062"),
        ("letters a; 2000000000000*#x[a(x)] >= 1", "L062"),
    ],
)
def test_what_no_family_decides(text: str, code: str) -> None:
    with pytest.raises(FomError, match=code):
        sentence_to_family(parse(text))


def test_many_variables() -> None:
    quantifiers = "".join(f"exists x{i}. " for i in range(17))
    text = f"letters a; {quantifiers}#y[{' & '.join(f'a(x{i} + y)' for i in range(17))}] >= 2"
    with pytest.raises(FomError, match="L061"):
        sentence_to_family(parse(text))


def test_more_variables_than_letters() -> None:
    """A template of six positions and a bound one: variables have names beyond x, y, z, u, v, w."""
    variables = ("p", "q", "r", "s", "t", "u")
    total = " + ".join(variables)
    sentence = parse(f"letters a, b; exists {', '.join(variables)}. #y[a(n + 6 - y - ({total}) + 2*p)] = 1")
    family = sentence_to_family(sentence)
    assert max(gates.n_positions for gates in family.templates) == 6
    agree(sentence, family, 2)
    assert prove_circuit_sentence(family, parse(to_ascii(family_to_sentence(family)))).open == ()


def test_long_conditions_become_bits() -> None:
    """A condition that definitions would multiply is written once, and deep sentences do not nest guards."""
    text = "letters a; let c0(x) := 2 <= x;"
    for number in range(12):
        text += f"let c{number + 1}(x) := ~(c{number}(x) & c{number}(x + 1)) | c{number}(x - 1) & x < n;"
    sentence = parse(text + "exists x. c12(x) & a(x)")
    family = sentence_to_family(sentence)
    assert len(family_to_text(family)) < 200_000
    assert family_to_text(family_of_text(family_to_text(family))) == family_to_text(family)
    agree(sentence, family, 5)


def test_a_network_there_and_back() -> None:
    """The sentence of a network as a family again: the same decisions, from no more gates."""
    family = network_to_family(attention(2, 2))
    sentence = family_to_sentence(family)
    again = sentence_to_family(sentence)
    again.check()
    for n in range(1, 5):
        words = all_words(2, n)
        circuit = instantiate(family, n)
        assert decided(again, words, n) == (circuit.simulate(words)[family.readout.decision][:, 1] == 1).tolist()
        assert instantiate(again, n).n_gates <= circuit.n_gates
    assert again.depth <= family.depth


# Bits of numbers as conditions on positions.


def test_bits_are_those_of_the_logic() -> None:
    number, place = var(0) * 3 - Term((), 1, 5), var(1) - 2
    guard = Bit(number, place)
    for n in range(1, 9):
        found = holds(guard, n, tuple(np.ogrid[1 : n + 1, 1 : n + 1]))
        for x, y in itertools.product(range(1, n + 1), repeat=2):
            value, index = 3 * x - n - 5, y - 2
            assert found[x - 1, y - 1] == (value >= 0 and index >= 1 and value // 2 ** (index - 1) % 2 == 1)
            assert bool(holds(guard, n, (x, y))) == found[x - 1, y - 1]


def test_bits_of_constants_are_decided() -> None:
    assert simplify(Bit(Term((), 0, 6), Term((), 0, 2))) == guard_of_data(["and"])
    assert simplify(Bit(Term((), 0, 6), Term((), 0, 1))) == guard_of_data(["or"])
    assert not holds(Bit(Term((), 0, 1), Term((), 0, 65)), 1, ())
    assert substitute(Bit(var(0), var(1)), (Term((), 0, 4), Term((), 0, 3))) == guard_of_data(["and"])
    moved = substitute(Bit(var(0), var(1)), (var(1) + 1, var(0)))
    assert guard_of_data(guard_to_data(negation(moved))) == negation(moved)
    assert guards.of_circuit(moved) == ("bit", guards.of_position(var(1) + 1), guards.of_position(var(0)))
