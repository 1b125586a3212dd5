"""The proof that simplifying changed nothing: it succeeds on right laws, and fails on wrong ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logic import evaluate, parse
from logic.simplify import LAWS, Law, simplify
from logic.simplify.engine import Simplified
from logic.simplify.equality import prove_simplified
from logic.simplify.linear import Itemwise
from logic.simplify.pairing import equal_in_pairs
from logic.simplify.queries import Effort, Query
from logic.simplify.ranges import Range
from logic.simplify.rules import Facts
from logic.simplify.substitution import instantiate
from logic.smt.monolithic import solve
from logic.syntax import (
    And,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Indicator,
    Linear,
    Not,
    Or,
    Sentence,
    Sum,
    Truth,
)
from tests.logic.examples import EXAMPLES, TAGGERS, sentences

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("text", [*EXAMPLES, *TAGGERS])
@pytest.mark.parametrize("inline_once", [False, True])
def test_examples_are_proved(text: str, inline_once: bool) -> None:
    sentence = parse(text)
    proof = prove_simplified(sentence, simplify(sentence, inline_once=inline_once))
    assert proof.open == ()


@pytest.mark.parametrize("inline_once", [False, True])
def test_an_emitted_sentence_is_proved(inline_once: bool) -> None:
    from translator.pipeline import translate

    sentence = translate(ROOT / "examples" / "mlp_xor" / "model.onnx", precision="fixed:4").sentence
    result = simplify(sentence, inline_once=inline_once)
    assert result.after.nodes < result.before.nodes
    proof = prove_simplified(sentence, result)
    assert proof.open == ()
    assert sum(lemma.covers for lemma in proof.lemmas) >= result.after.definitions + 1


# Wrong laws.


def weak_divisor(node: Linear, _: Facts) -> Formula | None:
    total = node.sum
    if any(coef % 2 for coef, _ in total.items) or total.length or total.const:
        return None
    return Linear(Sum(tuple((coef // 2, item) for coef, item in total.items)), node.bound // 2)


def swapped_negation(node: And | Or, _: Facts) -> Formula | None:
    parts = [part.body for part in node.parts if isinstance(part, Not)]
    return Not(type(node)(tuple(parts))) if len(parts) == len(node.parts) else None


def without_length(node: Exists | Forall, _: Facts) -> Formula | None:
    return None if node.variable in node.body.free or isinstance(node.body, Truth) else node.body


def unguarded(node: Any, facts: Facts) -> Any:
    definition = facts.inlined.get(node.name)
    return None if definition is None else instantiate(definition, node.args)


def lost_constant(node: Linear, _: Facts) -> Formula | None:
    return Linear(Sum(node.sum.items, node.sum.length), node.bound + node.sum.const) if node.sum.const else None


def lost_item(total: Sum, _: Facts) -> Sum | None:
    kept = tuple(dict.fromkeys(total.items))
    return Sum(kept, total.length, total.const) if len(kept) < len(total.items) else None


def negated_count(item: Any, _: Facts) -> Sum | None:
    match item:
        case Count(variable, Not(body), _):
            return Sum(((-1, Count(variable, body)),), 0, 1)
    return None


def all_for_some(node: Linear, _: Facts) -> Formula | None:
    match node.sum:
        case Sum(((1, Count(variable, condition, _)),), 0, 0) if node.bound == 1:
            return Forall(variable, condition)
    return None


def lax_conjunction(node: Linear, _: Facts) -> Formula | None:
    found = [item.formula for _, item in node.sum.items if isinstance(item, Indicator)]
    return And(tuple(found)) if len(found) == len(node.sum.items) > 1 else None


def whole_absorption(node: And | Or, _: Facts) -> Formula | None:
    inner = [part for part in node.parts if isinstance(part, And | Or)]
    return inner[0] if inner and any(one in node.parts for one in inner[0].parts) else None


def outside_true(node: Any, _: Facts) -> Formula | None:
    return Truth(True) if node.term.const == 0 and not node.term.free and not node.term.n else None


MUTANTS = [
    ("common divisor", weak_divisor, "sum s(x) := 2*#y[a(y)] - 4*[b(x)]; forall x. s(x) + s(1) >= 1 | 2*#y[a(y)] >= 3"),
    ("joint negation", swapped_negation, "exists x. ~a(x) & ~b(x)"),
    ("unused variable", without_length, "propositions p; exists x. p"),
    ("unused variable", without_length, "propositions p; forall x. p"),
    ("trivial definition", unguarded, "let p(x) := ~a(x); exists x. p(x + 1) & b(x)"),
    ("moved constant", lost_constant, "#y[a(y)] + 2 >= 5"),
    ("equal items", lost_item, "2*#y[a(y)] + 2*#y[a(y)] - [b(1)] >= 5"),
    ("negated count", Itemwise(negated_count), "#y[~a(y)] + 2*[b(1)] >= 3"),
    ("at least one", all_for_some, "#y[a(y)] >= 1"),
    ("conjunction as an atom", lax_conjunction, "[a(1)] + [b(1)] + [a(n)] >= 2"),
    ("absorption", whole_absorption, "a(1) & (a(1) | b(1))"),
    ("letter outside", outside_true, "a(0) | b(1)"),
]


@pytest.mark.parametrize(("name", "rule", "text"), MUTANTS, ids=[f"{name}: {text}" for name, _, text in MUTANTS])
def test_a_wrong_law_is_found(name: str, rule: Any, text: str) -> None:
    sentence = parse(text)
    right = [law for law in LAWS if law.name == name]
    assert prove_simplified(sentence, simplify(sentence, laws=right)).open == ()
    wrong: list[Law] = [dataclasses.replace(law, rule=rule) for law in right]
    result = simplify(sentence, laws=wrong)
    assert result.laws[name] > 0
    assert prove_simplified(sentence, result).open


@given(sentences(), st.sampled_from(MUTANTS))
@settings(max_examples=8, deadline=None)
def test_what_is_proved_is_equal(sentence: Sentence, mutant: tuple[str, Any, str]) -> None:
    name, rule, _ = mutant
    result = simplify(sentence, laws=[dataclasses.replace(law, rule=rule) if law.name == name else law for law in LAWS])
    if name in result.laws and not prove_simplified(sentence, result).open:
        rng = np.random.default_rng(4)
        for n in range(4):
            words = rng.integers(-1, len(sentence.letters), (20, n))
            bits = rng.integers(0, 2, (20, len(sentence.propositions))).astype(bool)
            one, other = evaluate(sentence, words, bits)[""], evaluate(result.sentence, words, bits)[""]
            assert np.array_equal(one, np.broadcast_to(other.reshape(20, -1), (20, one.size // 20)).reshape(one.shape))


def test_wrong_ranges_are_found() -> None:
    sentence = parse("sum s(x) := #y[a(y)] - [b(x)]; exists x. s(x) >= 0")
    right = simplify(sentence)
    wrong = dataclasses.replace(
        right,
        sentence=dataclasses.replace(right.sentence, definitions=(), formula=parse("exists x. true").formula),
        ranges={"s": Range((0, 0), None)},
    )
    assert prove_simplified(sentence, wrong).open
    fine = parse("sum s(x) := #y[a(y)] - [b(x)]; sum t(x) := 2*s(x) + 1; exists x. t(x) >= 0 - 1")
    result = simplify(fine)
    assert str(result.sentence.formula) == "1 <= n"
    proof = prove_simplified(fine, result)
    assert proof.open == ()
    assert any("ranges" in lemma.statement for lemma in proof.lemmas)


def test_another_sentence_is_refused() -> None:
    sentence = parse("let p(x) := a(x); let q(x) := b(x); exists x. p(x) & q(x)")
    right = simplify(sentence, keep=["p", "q"])

    def with_(**changes: Any) -> Simplified:
        return dataclasses.replace(right, sentence=dataclasses.replace(right.sentence, **changes), inlined={})

    first, second = right.sentence.definitions
    renamed = Definition("r", ("x",), first.body)
    assert prove_simplified(sentence, with_(letters=("a",))).open == (
        "the sentences have different letters or propositions",
    )
    assert prove_simplified(sentence, with_(definitions=(first, second, renamed))).open == (
        "`r` is not defined in the original",
    )
    other = Definition("p", ("y",), parse("letters a; a(y)").formula)
    assert (
        prove_simplified(sentence, with_(definitions=(other, second))).open[0]
        == "`p` has other parameters or is of another kind"
    )
    later = Definition("p", ("x",), parse("let q(x) := true; q(x)").formula)
    assert "defined later" in prove_simplified(sentence, with_(definitions=(later, second))).open[0]
    assert "is not shown to equal" in prove_simplified(sentence, with_(formula=parse("exists x. a(x)").formula)).open[0]


def test_equal_definitions_that_nothing_reads_are_proved() -> None:
    sentence = parse(
        "let p(x) := a(x) & b(x); let q(x) := b(x) | a(1); let r(x) := b(x) | a(1); let s(x) := r(x) & ~r(x) | a(x) & b(x);"
        "sum t(x) := #y[y <= x & q(y)]; sum u(x) := #y[y <= x & r(y)]; exists x. p(x) & s(x) & t(x) - u(x) >= 0"
    )
    result = simplify(sentence)
    assert [one.name for one in result.sentence.definitions] == ["p"]
    assert prove_simplified(sentence, result).open == ()


def counts(weights: list[int], relation: str, variable: str) -> str:
    return " + ".join(f"{weight}*#{variable}[{relation}{k}(x, {variable})]" for k, weight in enumerate(weights))


WEIGHTS = [1, 2, 4, 8, 16, 32, 64]
CONDITIONS = "".join(f"let p{k}(x, y) := a(x) & {letter}(y);" for k, letter in enumerate("bcdefgh"))


def test_long_sums_of_counts_are_compared_in_pairs() -> None:
    """So many counts have more pairs than a query states facts of."""
    sentence = parse(f"{CONDITIONS} sum s(x) := {counts(WEIGHTS, 'p', 'y')} - n; exists x. s(x) >= 3")
    result = simplify(sentence, inline_once=True)
    assert [definition.name for definition in result.sentence.definitions] == []
    proof = prove_simplified(sentence, result)
    assert proof.open == ()
    assert any("pairs" in lemma.statement for lemma in proof.lemmas)


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        ("#y[p0(x, y)] + 2*#z[~a(z)]", "#y[a(x) & b(y)] + 2*n - 2*#y[a(y)]", True),
        ("[~p0(x, x)] + s(x)", "1 - [a(x) & b(x)] + 3*[a(x)]", True),
        ("#y[p0(x, y)] + 2*#y[p1(x, y)]", "2*#y[a(x) & b(y)] + #y[a(x) & c(y)]", False),
        ("2*#y[p0(x, y)]", "#y[a(x) & b(y)]", False),
        ("#y[p0(x, y)] + #y[p0(x, y)]", "2*#y[a(x) & b(y)]", True),
        ("#y[p0(x, y)] + n", "#y[a(x) & b(y)]", False),
        ("#y[p0(x, y)]", "[a(x) & b(x)]", False),
        ("[p0(x, x)]", "[p0(x, 1)]", False),
        ("#y[p0(x, y)]", "#y[p0(y, x)]", False),
        ("#x[p0(x, x)]", "#y[a(y) & b(y)]", True),
    ],
)
def test_sums_with_equal_items(old: str, new: str, equal: bool) -> None:
    head = f"letters a, b, c, d, e, f, g, h; {CONDITIONS} sum s(x) := 3*[a(x)];"
    one, other = (parse(f"{head} sum t(x) := {body}; exists x. t(x) >= 1") for body in (old, new))
    unfolded = {definition.name: definition for definition in one.definitions[:-1]}
    left, right = one.definitions[-1].body, other.definitions[-1].body
    assert isinstance(left, Sum)
    assert isinstance(right, Sum)

    def equivalent(variables: tuple[str, ...], phi: Formula, psi: Formula) -> bool:
        return solve(Query(variables, unfolded, {}, Effort.ATOMS).differ(phi, psi), 5.0) == "unsat"

    assert equal_in_pairs(("x",), left, right, unfolded, equivalent) == equal
    assert equal_in_pairs(("x",), Linear(left, 2), Linear(right, 2), unfolded, equivalent) == equal
    assert not equal_in_pairs(("x",), Linear(left, 2), Linear(right, 3), unfolded, equivalent)
