"""The proof "circuit = sentence at every length": complete for what is emitted, never complete for what differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.matrices import matrix
from circuits.network import (
    Affine,
    Domain,
    Letters,
    Maximum,
    Network,
    Operand,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.positions import LAST, TRUE, All, AtLeast, Congruent, Equals, Not, Ref, var
from logic import Sentence, evaluate, parse, parse_formula, to_ascii
from logic.family_to_sentence import decision_labels, family_to_sentence
from logic.proving import circuit_sentence, guards
from logic.proving.circuit_sentence import MOST_OPEN, decided_bit, prove_circuit_sentence
from logic.proving.family_forms import needed_elements
from logic.proving.obligations import guards_differ
from logic.smt.monolithic import solve
from logic.verdicts import Proof
from tests.circuits.strategies import fixed_size_networks, networks

X, Y = var(0), var(1)
CAUSAL = AtLeast(X - Y)
SIGNED, UNSIGNED = Format(4, -8, 1), Format(4, 0, 3)
WORDS = [np.array(list(product(range(2), repeat=n))) for n in (1, 2, 3, 4)]


def example() -> Network:
    """A causal head with a softmax-like table, a residual of a square, a mean over the word, two logits."""
    random = np.random.default_rng(0)

    def weights(n_rows: int, n_columns: int) -> Any:
        rows, columns = np.indices((n_rows, n_columns))
        return matrix(rows, columns, random.integers(-7, 8, (n_rows, n_columns)), (n_rows, n_columns))

    def zero(size: int) -> Any:
        return np.zeros(size, dtype=np.int64)

    every, one = np.arange(3), matrix([0], [0], 1, (1, 1))
    nodes = (
        Letters("w", 2),
        Affine("emb", 1, 3, (Operand(Ref("w", (X,)), weights(3, 2)),), zero(3), zero(3), 2),
        Round("q", 1, 3, Ref("emb", (X,)), 1, SIGNED),
        Product("qk", 2, Ref("q", (X,)), every, Ref("q", (Y,)), every, 2),
        Affine("s", 2, 1, (Operand(Ref("qk", (X, Y)), weights(1, 3)),), zero(1) - 2, zero(1), 2),
        Round("sw", 2, 1, Ref("s", (X, Y)), 2, SIGNED),
        Maximum("m", 1, 1, Ref("sw", (X, Y)), np.array([[0]]), CAUSAL, (), SIGNED),
        Affine("d", 2, 1, (Operand(Ref("sw", (X, Y)), one), Operand(Ref("m", (X,)), one * -1)), zero(1), zero(1), 1),
        Table("e", 2, 1, Ref("d", (X, Y)), np.array([-5, -3, -2, -1, 0]), np.array([0, 1, 3, 6, 10, 15]), UNSIGNED),
        Product("ev", 2, Ref("e", (X, Y)), zero(3), Ref("q", (Y,)), every, 4),
        Sum("N", 1, 3, Ref("ev", (X, Y)), CAUSAL, 4),
        Sum("D", 1, 1, Ref("e", (X, Y)), CAUSAL, 3),
        Quotient("a", 1, 3, Ref("N", (X,)), Ref("D", (X,)), zero(3), 0, SIGNED),
        Product("sq", 1, Ref("a", (X,)), every, Ref("a", (X,)), every, 2),
        Affine("h", 1, 3, (Operand(Ref("sq", (X,)), weights(3, 3)), Operand(Ref("q", (X - 1,)), weights(3, 3) * 2)),
               zero(3), zero(3), 2),
        Sum("pool", 0, 3, Ref("h", (X,)), TRUE, 2),
        Affine("len", 0, 1, (), zero(1), zero(1) + 1, 0),
        Quotient("mean", 0, 3, Ref("pool"), Ref("len"), zero(3), -1, Format(6, -20, 1)),
        Affine("logit", 0, 2, (Operand(Ref("mean"), weights(2, 3)), Operand(Ref("a", (LAST,)), weights(2, 3))),
               zero(2), zero(2), 1),
        Table("class", 0, 2, Ref("logit"), np.array([0]), np.array([0, 1]), BIT),
    )  # fmt: skip
    network = Network(nodes, Readout("classes", "class", "logit", None, 2, 0), Domain(), ("a", "b"))
    network.check()
    return network


def tagger() -> Network:
    """A network that answers at every position, with guards of every kind."""
    guard = All((AtLeast(Y - X + 2), Not(Equals(X - Y)), Not(Congruent(X - Y, 3))))
    zero = np.zeros(1, dtype=np.int64)
    letters = Affine("c", 2, 1, (Operand(Ref("w", (Y,)), matrix([0], [0], 2, (1, 2))),), zero - 1, zero, 0)
    nodes = (
        Letters("w", 2),
        letters,
        Sum("near", 1, 1, Ref("c", (X, Y)), guard, 0),
        Table("tag", 1, 1, Ref("near", (X,)), np.array([1]), np.array([0, 1]), BIT),
    )
    network = Network(nodes, Readout("logit", "tag", "near", None, 2, 1), Domain(), ("a", "b"))
    network.check()
    return network


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """Which elements a family's decision reads is found once for each family: most tests compare one with many sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(circuit_sentence, "needed_elements", lru_cache(maxsize=8)(needed_elements))
        yield


@cache
def family_of(depth: str) -> Family:
    return network_to_family(example(), depth)


@lru_cache(maxsize=8)
def emitted(family: Family) -> str:
    return to_ascii(family_to_sentence(family))


def text_of(depth: str) -> str:
    return emitted(family_of(depth))


def values(sentence: Sentence, family: Family) -> list[Any]:
    """The decision bits on all words, then the last formula."""
    labels = tuple(decision_labels(family))
    found = [evaluate(sentence, words, wanted=labels) for words in WORDS]
    return [[one[label] for one in found] for label in (*labels, "")]


def same(left: list[Any], right: list[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


@cache
def decided_by_circuit(depth: str) -> list[Any]:
    """The circuit's decision bits on all words, for each bit one array for each length."""
    family = family_of(depth)
    simulated = [instantiate(family, words.shape[1]).simulate(words)[family.readout.decision] for words in WORDS]
    return [[values[..., number] for values in simulated] for number in range(len(decision_labels(family)))]


def agree(sentence: Sentence, depth: str) -> bool:
    """Tell whether all decision bits are the circuit's on short words, and the last formula the bit that it is said to be."""
    family, expected = family_of(depth), decided_by_circuit(depth)
    *bits, last = values(sentence, family)
    decided = decided_bit(family, sentence)
    if decided is None or not all(same(one, other) for one, other in zip(bits, expected, strict=True)):
        return False
    return same(last, bits[decision_labels(family).index(decided)])


@pytest.mark.parametrize("depth", DEPTH_CHOICES)
def test_what_is_emitted_is_proved(depth: str) -> None:
    sentence = parse(text_of(depth))
    lines: list[str] = []
    proof = prove_circuit_sentence(family_of(depth), sentence, lines.append)
    assert proof.complete
    assert lines
    assert set(proof.by_method()) == {"coefficients", "structure"}
    assert sum(lemma.covers for lemma in proof.lemmas if lemma.method == "coefficients") == len(sentence.definitions)
    assert proof.lemmas[-1].statement == "the sentence decides `class[1]`"
    assert decided_bit(family_of(depth), sentence) == "class[1]"


@settings(max_examples=40)
@given(networks() | fixed_size_networks(), st.sampled_from(DEPTH_CHOICES))
def test_random_networks_are_proved(network: Network, depth: str) -> None:
    family = network_to_family(network, depth)
    for label in decision_labels(family):
        sentence = parse(to_ascii(family_to_sentence(family, label)))
        proof = prove_circuit_sentence(family, sentence, readout=label)
        assert proof.complete, proof.open


# Random edits.

Edit = Callable[[re.Match[str], Callable[..., str]], str]

EDITS: dict[str, tuple[str, Edit]] = {
    "weight": (r"\d+(?=\*)", lambda m, pick: str(int(m[0]) + int(pick(-1, 1, 2)))),
    "double": (r"\d+(?=\*)", lambda m, pick: m[0] + pick("*1", "*2", "*-1")),
    "threshold": (r"(?<=>= )-?\d+", lambda m, pick: str(int(m[0]) + int(pick(-1, 1, 3)))),
    "constant": (r"[+-] \d+;", lambda m, pick: pick("+ 1;", "- 3;", "- 8;", ";", "+ n;")),
    "comparison": (r">=|<=", lambda m, pick: pick(">=", "<=", ">", "<", "=", "!=")),
    "quantifier": (r"exists|#(?=\w\[)", lambda m, pick: "2*#" if m[0] == "#" else pick("forall", "M")),
    "index": (r"(?<=\w\[)\d+(?=\])", lambda m, pick: pick("0", "1", "2")),
    "variable": (r"(?<=[(, ])[xy](?=[), <=-])", lambda m, pick: pick("x", "y", "x-1", "n", "1", "y+0")),
    "guard": (r"\w <= \w", lambda m, pick: pick("x <= y", "x < y", "y < x", "y < x+1", "~(x < y)", "y-x <= 0", "true")),
    "connective": (r" [&|] ", lambda m, pick: pick(" & ", " | ", " -> ", " <-> ")),
    "letter": (r"\b[ab]\(x\)", lambda m, pick: pick("a(x)", "b(x)", "~a(x)", "~b(x)")),
    "bit": (r"(?<=\])(\.\w*)\d", lambda m, pick: m[1] + pick("0", "1", "2", "3")),
    "sign": (r" [+-] (?=[\d\[a-z#])", lambda m, pick: " - " if "+" in m[0] else " + "),
    "negation": (r"(?<=:= )|(?<=& )", lambda m, pick: pick("~", "~~", "true & ")),
    "parameters": (r"\(x, y\)", lambda m, pick: "(y, x)"),
    "definition": (r"(?m)^(let|sum).*\n", lambda m, pick: pick("", m[0] + m[0])),
    "last": (r"class\[1\]\n?$", lambda m, pick: pick("class[0]", "~class[1]", "~~class[1]", "true", "class[0] & class[1]")),
}  # fmt: skip


def edited(text: str, seed: int, per_kind: int) -> Iterator[tuple[str, str]]:
    """Texts with one random edit each, with the kind of edit."""
    random = np.random.default_rng(seed)

    def pick(*options: str) -> str:
        return options[random.integers(len(options))]

    start = text.index(";")
    for kind, (pattern, edit) in EDITS.items():
        places = [match for match in re.finditer(pattern, text) if match.start() > start]
        places = [m for m in places if not text[text.rfind("\n", 0, m.start()) + 1 :].startswith("--")]
        for _ in range(per_kind if places else 0):
            match = places[random.integers(len(places))]
            yield kind, text[: match.start()] + edit(match, pick) + text[match.end() :]


def check_edits(depth: str, seed: int, per_kind: int) -> Counter[str]:
    family, text = family_of(depth), text_of(depth)
    counts: Counter[str] = Counter()
    for kind, changed in edited(text, seed, per_kind):
        if changed == text:
            continue
        try:
            sentence = parse(changed)
        except FomError:
            counts["refused"] += 1
            continue
        proof = prove_circuit_sentence(family, sentence)
        counts["proved" if proof.complete else "open"] += 1
        counts[f"proved {kind}"] += proof.complete
        if proof.complete:
            assert agree(sentence, depth), (kind, proof.lemmas[-1])
        else:
            assert len(proof.open) <= MOST_OPEN + 2
    return counts


def test_an_edited_sentence_is_never_proved_when_it_decides_something_else() -> None:
    counts = check_edits("compact", 0, 7)
    assert counts["open"] >= 50
    assert counts["proved"] >= 10
    assert counts["proved guard"]


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTH_CHOICES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_edits(depth: str, seed: int) -> None:
    check_edits(depth, seed, 30)


# What is written differently and means the same, and what does not.


def proof_with(family: Family, *changes: tuple[str, str]) -> Proof:
    text = emitted(family)
    for old, new in changes:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return prove_circuit_sentence(family, parse(text))


HEAD = "let m[0].3(x) := exists y. y <= x & m[0].3.any0(x, y);"
SUM = "sum D[0](x) := #y[y <= x : e[0](x, y)];"
EQUIVALENT = [
    ("let q[0].3(x) := emb[0](x) >= -1;", "let q[0].3(z) := ~(-1 > emb[0](z));"),
    ("let q[0].3(x) := emb[0](x) >= -1;", "let q[0].3(x) := 3*emb[0](x) >= -5;"),
    ("sum emb[0](x) := 5*[a(x)] + 2*[b(x)];", "sum emb[0](x) := 2*[b(x)] + 7*[a(x)] - 2*[a(x)];"),
    ("sum emb[0](x) := 5*[a(x)] + 2*[b(x)];", "sum emb[0](x) := 3*[a(x)] + 2;"),
    (SUM, "sum D[0](y) := #z[~(z > y) : e[0](y, z)];"),
    (SUM, "sum D[0](x) := 2*#y[x >= y : e[0](x, y)] - #x'[x' <= x : e[0](x, x')];".replace("x'", "v")),
    (SUM, "sum D[0](x) := #y[y < x | y = x : e[0](x, y)];"),
    (SUM, "sum D[0](x) := #y[y <= x : 2 + e[0](x, y)] - 2*#y[y <= x];"),
    (HEAD, "let m[0].3(x) := ~(forall y. (y <= x -> ~m[0].3.any0(x, y)));"),
    (HEAD, "let m[0].3(x) := #y[m[0].3.any0(x, y) & y <= x] > 0;"),
    (HEAD, "let m[0].3(x) := 2*#y[y < x + 1 : [m[0].3.any0(x, y)]] >= 1;"),
    ("sum len[0]() := n;", "sum len[0]() := #y[true];"),
    ("sum len[0]() := n;", "sum len[0]() := #y[a(y)] + #y[~a(y)];"),
    ("class[1]\n", "class[1] & true\n"),
    ("class[1]\n", "logit[1]() >= 0\n"),
    ("class[1]\n", "(class[0] -> class[1]) & (class[0] | class[1])\n"),
]


@pytest.mark.parametrize(("old", "new"), EQUIVALENT)
def test_equivalent_definitions_are_proved(old: str, new: str) -> None:
    proof = proof_with(family_of("compact"), (old, new))
    assert proof.complete, proof.open


DIFFERENT = [
    ("sum emb[0](x) := 5*[a(x)] + 2*[b(x)];", "sum emb[0](x) := 4*[a(x)] + 2*[b(x)];",
     "`emb[0]`: weight of `a(x)` is 4 in the sentence and 5 in the circuit"),
    ("sum emb[0](x) := 5*[a(x)] + 2*[b(x)];", "sum emb[0](x) := 5*[a(x)];",
     "`emb[0]`: the circuit reads `b(x)` with weight 2, the sentence does not"),
    ("let q[0].3(x) := emb[0](x) >= -1;", "let q[0].3(x) := emb[0](x) >= 0;",
     "`q[0].3`: threshold is 0 in the sentence and -1 in the circuit"),
    ("sum len[0]() := n;", "sum len[0]() := n + 1;", "`len[0]`: constant is 1 in the sentence and 0 in the circuit"),
    ("sum len[0]() := n;", "sum len[0]() := 2*n;", "`len[0]`: multiple of n is 2 in the sentence and 1 in the circuit"),
    ("class[1]\n", "class[0] & class[1]\n",
     "the last formula is not shown to be one of the decision bits class[0], class[1]"),
    ("let q[0].3(x) := emb[0](x) >= -1;", "let q[0].3(x, y) := emb[0](x) >= -1;", None),
    (SUM, "sum D[0](x) := #y[y < x : e[0](x, y)];",
     "`D[0]`: the sentence reads `#[x - y - 1 >= 0 : e[0](x, y)]` with weight 1, the circuit does not"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), DIFFERENT)
def test_differences_are_named(old: str, new: str, message: str | None) -> None:
    if message is None:
        with pytest.raises(FomError, match="takes 2 arguments"):
            proof_with(family_of("compact"), (old, new))
    else:
        assert proof_with(family_of("compact"), (old, new)).open == (message,)


def test_definitions_that_matter() -> None:
    family, sentence = family_of("compact"), parse(text_of("compact"))

    def opened(*names: str, extra: str = "") -> tuple[str, ...]:
        kept = tuple(one for one in sentence.definitions if one.name not in names)
        changed = Sentence(sentence.letters, sentence.propositions, kept, sentence.formula)
        return prove_circuit_sentence(family, changed if not extra else parse(extra + to_ascii(changed))).open

    assert opened("class[0]") == ("`class[0]` is not defined",)
    assert opened("emb[0]")[0].startswith("the sentence is not well formed")
    doubled = Sentence(sentence.letters, (), (*sentence.definitions, sentence.definitions[0]), sentence.formula)
    assert prove_circuit_sentence(family, doubled).open == (
        "the sentence is not well formed: `emb[0]` is defined twice",
    )
    kind = text_of("compact").replace("let class[0] := logit[0]() >= 0;", "sum class[0]() := logit[0]();")
    assert prove_circuit_sentence(family, parse(kind)).open == (
        "`class[0]` is a sum in the sentence and a relation in the circuit",
    )
    arity = text_of("compact").replace("let class[0] := logit[0]() >= 0;", "let class[0](x) := logit[0]() >= 0;")
    assert prove_circuit_sentence(family, parse(arity)).open == ("`class[0]` has 1 parameters, 0 in the circuit",)
    letters = text_of("compact").replace("letters a, b;", "letters a, b, c;")
    assert prove_circuit_sentence(family, parse(letters)).open == (
        "the letters of the sentence and the circuit differ: c",
    )


def test_what_nobody_reads_may_differ() -> None:
    family = family_of("compact")
    text = text_of("compact").replace("class[1]\n", "let spare(x) := a(x) & ~a(x);\nclass[1]\n")
    assert prove_circuit_sentence(family, parse(text)).complete
    last = parse(text_of("compact").replace("\nclass[1]", "\nclass[0]"))
    assert prove_circuit_sentence(family, last).complete
    assert decided_bit(family, last) == "class[0]"
    assert prove_circuit_sentence(family, last, readout="class[1]").open == (
        "the last formula decides `class[0]`, not `class[1]`",
    )


def test_a_sentence_of_another_family_stays_open() -> None:
    proof = prove_circuit_sentence(family_of("shallow"), parse(text_of("compact")))
    assert not proof.complete
    scaled = re.sub(r"(?m)^(sum .*;)$", lambda m: m[0][:-1] + " + 1;", text_of("shallow"))
    proof = prove_circuit_sentence(family_of("shallow"), parse(scaled))
    assert 10 < len(proof.open) <= MOST_OPEN + 2


def test_taggers() -> None:
    family = network_to_family(tagger(), "compact")
    assert proof_with(family).complete
    assert decided_bit(family, family_to_sentence(family)) == "tag[0]"
    text = to_ascii(family_to_sentence(family))
    renamed = text.replace("tag[0](x)\n", "tag[0](z)\n")
    assert prove_circuit_sentence(family, parse(renamed)).complete
    for last in ("tag[0](x - 1)\n", "exists x. tag[0](x)\n", "tag[0](1)\n"):
        proof = prove_circuit_sentence(family, parse(text.replace("\ntag[0](x)\n", f"\n{last}")))
        assert proof.open == ("the last formula is not shown to be one of the decision bits tag[0]",)


# Guards.

GUARDS = [
    ("x <= y", AtLeast(Y - X), True),
    ("~(y < x)", AtLeast(Y - X), True),
    ("2*x <= 2*y + 1", AtLeast(Y - X), True),
    ("x < y | x = y", AtLeast(Y - X), None),
    ("x < y", AtLeast(Y - X), False),
    ("x = y", Equals(Y - X), True),
    ("x <= y & y <= x", Equals(Y - X), None),
    ("~(x = y)", Not(Equals(X - Y)), True),
    ("x - y = 0 | exists q. (3*q = x - y | -3*q = x - y)", Congruent(X - Y, 3), True),
    ("exists q. (3*q = x - y | -3*q = x - y)", Congruent(X - Y, 3), False),
    ("x - y = 0 | exists q. (3*q = x - y | -3*q = x - y)", Congruent(X - Y, 2), False),
    ("3*x - 2 = 0 | exists q. (2*q = 3*x - 2 | -2*q = 3*x - 2)", Congruent(X * 3 - 2, 2), False),
    ("bit(x, 1)", Not(Congruent(X, 2)), None),
    ("bit(x, y)", Not(Congruent(X, 2)), False),
    ("1 <= x", TRUE, None),
    ("x <= n & y < n + 1", TRUE, None),
    ("x <= y <-> y >= x", TRUE, True),
    ("x <= y -> y >= x", TRUE, True),
    ("forall z. (z <= x | x < z)", TRUE, True),
    ("forall z. (z <= y | y + z > 1)", TRUE, None),
    ("x < n", TRUE, False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "guard", "expected"), GUARDS)
def test_guards(text: str, guard: Any, expected: bool | None) -> None:
    """True: equal as they are written; None: equivalent for z3; False: different."""
    ours = guards.of_formula(parse_formula(text), {"x": "x", "y": "y"}, 2)
    theirs = guards.of_circuit(guard)
    assert (ours == theirs) is (expected is True)
    query = guards_differ(ours, theirs, Domain())
    assert (query is not None and solve(query, 5.0) == "unsat") is (expected is not False)
