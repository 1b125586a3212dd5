"""The monolithic query answers what exhaustive evaluation answers, in time or not at all."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.inputs import input_limits
from circuits.matrices import identity, matrix
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.network_to_family import network_to_family
from circuits.positions import AtLeast, Equals, Ref, var
from logic import Sentence, parse, to_ascii
from logic import evaluate as evaluate_sentence
from logic.family_to_sentence import decision_labels, family_to_sentence
from logic.smt.monolithic import decide_monolithic, solve
from logic.verdicts import Holds, Refuted, Unknown
from tests.circuits.small import attention, network, words_of
from tests.circuits.strategies import fixed_size_networks, networks

X, Y = var(0), var(1)


def sentence_of(given_: Network, depth: str = "compact") -> Sentence:
    family = network_to_family(given_, depth)
    return parse(to_ascii(family_to_sentence(family, decision_labels(family)[-1])))


def words(n: int) -> Any:
    return np.array(list(product(range(2), repeat=n)), dtype=np.int64)


def codes(given_: Network) -> Any:
    low, high = input_limits(given_.inputs)
    return np.array(list(product(*map(range, low.tolist(), (high + 1).tolist()))), dtype=np.int64)


def decisions(sentence: Sentence, given_: Network, inputs: Any) -> Any:
    """The sentence's decision bits on inputs."""
    labels = decision_labels(network_to_family(given_, "compact"))
    given_words, propositions = inputs, None
    if given_.inputs:
        owners = [(node, e) for node in given_.inputs for e in range(node.size)]
        place = {(f"{node.name}[{e}]" if node.format == BIT else f"{node.name}[{e}].{b}"): (column, node.format.lo, b)
                 for column, (node, e) in enumerate(owners) for b in range(node.format.bits)}  # fmt: skip
        columns = [(inputs[:, place[p][0]] - place[p][1]) >> place[p][2] & 1 for p in sentence.propositions]
        given_words, propositions = np.full((len(inputs), 1), -1), np.stack(columns, axis=1)
    found = evaluate_sentence(sentence, given_words, propositions, tuple(labels))
    return np.stack([found[label] for label in labels], axis=-1).astype(np.int64)


def bits(given_: Network, inputs: Any) -> Any:
    """The network's decision bits."""
    found = evaluate(given_, inputs)[given_.decided.decision]
    format_ = given_.word(given_.decided.decision).format
    parts = [(found - format_.lo)[..., None] >> np.arange(format_.bits) & 1]
    return parts[0].reshape(*found.shape[:-1], -1)


def check(changed: Network, sentence: Sentence, n: int, timeout_s: float = 30.0) -> str:
    """Compare the answer of the query with all inputs; a word that is shown must make a difference."""
    fixed = bool(changed.inputs)
    inputs = codes(changed) if fixed else words(n)
    ours, theirs = bits(changed, inputs), decisions(sentence, changed, inputs)
    differs = (ours != theirs).reshape(len(inputs), -1).any(axis=1)
    verdict = decide_monolithic(changed, sentence, n, timeout_s)
    if isinstance(verdict, Refuted):
        shown = verdict.counterexample.word.split()
        row = [int(code) if fixed else changed.alphabet.index(code) for code in shown]
        place = inputs.tolist().index(row)
        assert differs[place]
        assert verdict.counterexample.decisions["network"] == ours[place].ravel().tolist()
        assert verdict.counterexample.decisions["sentence"] == theirs[place].ravel().tolist()
        return "refuted"
    assert isinstance(verdict, Holds), verdict
    assert not differs.any()
    return "holds"


@settings(max_examples=25)
@given(networks() | fixed_size_networks(), st.sampled_from(("compact", "shallow")))
def test_random_networks(given_: Network, depth: str) -> None:
    for n in (given_.domain.least, given_.domain.least + 1):
        assert check(given_, sentence_of(given_, depth), n) == "holds"


def edits(given_: Network) -> list[Network]:
    """Networks with one number, rounding or guard changed, for a comparison with the sentence of the original."""
    nodes = given_.nodes
    return [
        replace(given_, nodes=(*nodes[:place], changed, *nodes[place + 1 :]))
        for place, node in enumerate(nodes)
        for changed in changes(node)
    ]


def changes(node: Node) -> list[Node]:
    match node:
        case Affine(const=const):
            return [replace(node, const=const + 1), replace(node, const=const - 3)]
        case Round(shift=shift) | Quotient(shift=shift):
            return [replace(node, shift=shift - 1), replace(node, shift=shift + 1)]
        case Table(breaks=breaks) if len(breaks):
            return [replace(node, breaks=breaks + 1), replace(node, codes=node.codes[::-1].copy())]
        case Sum() | Maximum():
            return [replace(node, guard=Equals(var(0) - var(node.n_positions)))] if node.n_positions == 1 else []
        case _:
            return []


@settings(max_examples=12)
@given(networks(least=1, most_nodes=3) | fixed_size_networks())
def test_changed_networks(given_: Network) -> None:
    sentence = sentence_of(given_)
    for changed in edits(given_)[:6]:
        try:
            changed.check()
            bits(changed, codes(changed) if changed.inputs else words(2))
        except FomError:
            continue
        check(changed, sentence, 2)


def head() -> Network:
    """A causal head of one word of three bits."""
    score, weight = Format(3, -4, 0), Format(3, 0, 0)
    zero = np.zeros(1, dtype=np.int64)
    causal = AtLeast(X - Y)
    less = (Operand(Ref("q", (Y,)), identity(1)), Operand(Ref("most", (X,)), identity(1, -1)))
    return network(
        *words_of("q", score, 3, -2),
        Maximum("most", 1, 1, Ref("q", (X,)), np.array([[0]]), None, (), score),
        Affine("less", 2, 1, less, zero, zero, 0),
        Table("e", 2, 1, Ref("less", (X, Y)), np.array([-4, -2, 0]), np.array([1, 2, 4, 7]), weight),
        Product("ev", 2, Ref("e", (X, Y)), zero, Ref("q", (Y,)), zero, 0),
        Sum("num", 1, 1, Ref("ev", (X, Y)), causal, 0),
        Sum("den", 1, 1, Ref("e", (X, Y)), causal, 0),
        Quotient("head", 1, 1, Ref("num", (X,)), Ref("den", (X,)), zero, 0, score),
    )


def test_a_head_and_every_change_of_it() -> None:
    given_ = head()
    given_.check()
    sentence = sentence_of(given_)
    assert [check(given_, sentence, n) for n in (1, 2, 3, 4)] == ["holds"] * 4
    answers = [check(changed, sentence, 3) for changed in edits(given_)]
    assert answers.count("refuted") >= 6
    assert "holds" in answers


@pytest.mark.parametrize("depth", ["compact", "balanced", "shallow"])
def test_edited_sentences(depth: str) -> None:
    given_ = head()
    text = to_ascii(family_to_sentence(network_to_family(given_, depth), "class[0]"))
    for old, new in [
        ("let class[0] := logits[0]() >= 1;", "let class[0] := logits[0]() >= 2;"),
        ("let class[0] := logits[0]() >= 1;", "let class[0] := logits[0]() <= 1;"),
        ("sum den[0](x) := #y[y <= x : e[0](x, y)];", "sum den[0](x) := #y[y < x + 1 : e[0](x, y)];"),
        ("sum den[0](x) := #y[y <= x : e[0](x, y)];", "sum den[0](x) := #y[e[0](x, y) >= 0 : e[0](x, y)];"),
    ]:
        assert old in text
        check(given_, parse(text.replace(old, new)), 3)
    assert check(given_, parse(text.replace("logits[0]() >= 1;", "logits[0]() >= 2;")), 3) == "refuted"


def test_the_last_formula_is_compared() -> None:
    given_, n = head(), 2
    text = to_ascii(family_to_sentence(network_to_family(given_, "compact"), "class[0]"))
    assert text.endswith("\nclass[0]\n")

    def answer(last: str) -> Any:
        return decide_monolithic(given_, parse(text.removesuffix("class[0]\n") + last + "\n"), n, 30.0)

    assert isinstance(answer("logits[0]() > 0"), Holds)
    assert isinstance(answer("class[0] & n < 9"), Holds)
    assert isinstance(answer("~class[0]"), Refuted)
    with pytest.raises(FomError, match="at each position"):
        answer("q[0].0(x)")


def test_a_sentence_with_names_of_its_own() -> None:
    """A majority, as a network with a rounded mean and as a specification."""
    zero = np.zeros(1, dtype=np.int64)
    given_ = Network(
        (
            Letters("w", 2),
            Affine("v", 1, 1, (Operand(Ref("w", (X,)), matrix([0, 0], [0, 1], np.array([1, -1]), (1, 2))),), zero, zero, 0),
            Sum("s", 0, 1, Ref("v", (X,)), AtLeast(X), 0),
            Table("yes", 0, 1, Ref("s"), np.array([0]), np.array([0, 1]), BIT),
        ),
        Readout("logit", "yes", "s", None, 2, 0),
        Domain(),
        ("a", "b"),
    )  # fmt: skip
    for n in (1, 2, 5, 8):
        assert isinstance(decide_monolithic(given_, parse("letters a, b;\nM x. a(x)\n"), n, 30.0), Holds)
    verdict = decide_monolithic(given_, parse("letters a, b;\n#x[a(x)] > #x[b(x)]\n"), 4, 30.0)
    assert isinstance(verdict, Refuted)
    assert sorted(verdict.counterexample.word.split()) == ["a", "a", "b", "b"]


def test_the_length_must_be_in_the_domain() -> None:
    given_ = network(*words_of("q", Format(3, -4, 0), 3, -2), domain=Domain(2, 3, "so"))
    sentence = sentence_of(given_)
    assert isinstance(decide_monolithic(given_, sentence, 2, 30.0), Holds)
    for n in (1, 4):
        with pytest.raises(FomError, match="outside the network's domain"):
            decide_monolithic(given_, sentence, n, 30.0)


@pytest.mark.parametrize(
    ("n", "timeout_s", "stage"), [(60, 0.3, "longer than the limit"), (9, 3.0, "3 s|gave no answer")]
)
def test_the_timeout_is_respected(n: int, timeout_s: float, stage: str) -> None:
    given_ = attention(3, 4)
    sentence = sentence_of(given_)
    started = time.monotonic()
    verdict = decide_monolithic(given_, sentence, n, timeout_s)
    assert isinstance(verdict, Unknown)
    assert verdict.reason.startswith(f"n = {n}: ")
    assert any(part in verdict.reason for part in stage.split("|"))
    assert time.monotonic() - started < timeout_s + 5


def test_solve() -> None:
    assert solve("(declare-const x Int)(assert (and (> x 1) (< x 3)))", 5.0) == "sat"
    assert solve("(declare-const x Int)(assert (and (> x 1) (< x 2)))", 5.0) == "unsat"
    hard = "(declare-const x Int)(declare-const y Int)(declare-const z Int)(assert (> (* x y z) 1))"
    hard += "(assert (= (+ (* x x x) (* y y y)) (* z z z)))"
    assert solve(hard, 0.2) not in ("sat", "unsat")
    assert solve("", 0.0) == "timeout"
