"""What is refused: defects of networks and families, lengths, letters, sums that are too large; and small meanings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Gates, PredicateBits, Wires
from circuits.evaluate import evaluate
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.matrices import identity, matrix
from circuits.network import (
    Affine,
    Domain,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Quotient,
    Readout,
    Round,
    Sum,
    Table,
)
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.positions import FALSE, FIRST, LAST, TRUE, AtLeast, Equals, Ref, Term, var
from tests.circuits.small import CAUSAL, X, Y, integers, network, words_of

SIGNED = Format(3, -4, 0)
ABOVE = Format(2, 3, 0)
W = Ref("w", (X,))
ZERO = integers(0)
LIGHT = matrix([0], [0], 1, (1, 2))


def messages(act: Callable[[], Any]) -> list[str]:
    """The codes and messages with which something is refused."""
    with pytest.raises(FomError) as caught:
        act()
    return [f"{found.code} {found.message}" for found in caught.value.diagnostics]


def affine(name: str = "s", k: int = 1, ref: Ref = W, width: int = 2, size: int = 1, **changed: Any) -> Affine:
    ones = matrix([0] * width, range(width), 1, (size, width))
    zero = np.zeros(size, dtype=np.int64)
    given: dict[str, Any] = {"const": zero, "length": zero, "frac": 0, "operands": (Operand(ref, ones),)}
    return Affine(name, k, size, **(given | changed))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([Letters("w", 2)], "the name is used twice"),
        (
            [Letters("v", 2)],
            "a network reads one word or fixed-size inputs, this one reads 2 words and 0 fixed-size inputs",
        ),
        ([Round("r", 1, 2, Ref("nobody", (X,)), 0, BIT)], "`nobody` is not an earlier node"),
        ([Round("r", 1, 2, Ref("r", (X,)), 0, BIT)], "`r` is not an earlier node"),
        ([Round("r", 1, 2, Ref("w"), 0, BIT)], "`w` needs 1 positions"),
        ([Round("r", 0, 2, W, 0, BIT)], "`w` is read at an unbound position"),
        ([Round("r", 1, 2, Ref("w", (Y,)), 0, BIT)], "`w` is read at an unbound position"),
        ([Round("r", 1, 3, W, 0, BIT)], "`w` has another size"),
        ([Round("r", 1, 2, W, 62, BIT)], "a shift has at most 61 bits"),
        ([Predicates("p", 1, ())], "a node has at least one element"),
        ([Predicates("p", 1, (CAUSAL,))], "a guard has an unbound position"),
        ([Sum("s", 0, 2, W, CAUSAL, 0)], "a guard has an unbound position"),
        ([Sum("s", 1, 2, Ref("w", (var(2),)), TRUE, 0)], "`w` is read at an unbound position"),
        ([Sum("s", 0, 1, W, TRUE, 0)], "`w` has another size"),
        ([affine(const=integers(1, 2))], "constants do not fit the size"),
        ([affine(width=3)], "the weights of `w` do not fit"),
        ([Product("p", 1, W, integers(0), W, integers(0, 1), 0)], "the index lists differ in length"),
        ([Product("p", 1, W, integers(2), W, integers(0), 0)], "an index is out of range"),
        ([affine(), Product("p", 1, Ref("s", (X,)), ZERO, W, ZERO, 0)], "`s` is not a word"),
        ([Table("t", 1, 2, W, integers(0), integers(0), BIT)], "a table has one code more than breaks"),
        ([Table("t", 1, 2, W, integers(1, 1), integers(0, 1, 0), BIT)], "the breaks are not increasing"),
        ([Table("t", 1, 2, W, integers(0), integers(0, 2), BIT)], "a code lies outside the format"),
        ([Quotient("q", 1, 2, W, W, integers(0), 0, BIT)], "sizes differ"),
        ([Quotient("q", 1, 2, W, W, integers(0, 2), 0, BIT)], "an index is out of range"),
        ([Maximum("m", 1, 1, W, integers(0), None, (), BIT)], "groups do not fit the size"),
        ([Maximum("m", 1, 1, W, np.zeros((1, 0), dtype=int), None, (), BIT)], "groups do not fit the size"),
        ([Maximum("m", 1, 1, W, integers(2)[None], None, (), BIT)], "an index is out of range"),
        ([Maximum("m", 1, 1, W, ZERO[None], None, (), SIGNED)], "`w` is not a word of the same format"),
        ([Maximum("m", 1, 1, W, ZERO[None], AtLeast(var(2)), (), BIT)], "a guard has an unbound position"),
        (
            [*words_of("r", ABOVE, 3, 4), Maximum("m", 1, 1, Ref("r", (X - 1,)), ZERO[None], None, (), ABOVE)],
            "`r` is read outside the word, and 0 is no code of its format",
        ),
    ],
)
def test_defects_of_networks(nodes: list[Node], message: str) -> None:
    good = network()
    bad = Network((good.nodes[0], *nodes, *good.nodes[1:]), good.readout, good.domain, good.alphabet)
    assert f"C022 {message}" in messages(bad.check)


def test_all_defects_are_reported_at_once() -> None:
    bad = network(Round("r", 1, 2, Ref("nobody", (X,)), 0, BIT), Round("s", 1, 3, W, 0, BIT))
    found = messages(bad.check)
    assert "C022 `nobody` is not an earlier node" in found
    assert "C022 `w` has another size" in found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alphabet": ("a",)}, "the alphabet of 1 letters does not fit the input"),
        ({"alphabet": ("a", "a")}, "a letter stands twice in the alphabet"),
        ({"domain": Domain(0)}, "the least length is at least 1 and at most the largest"),
        ({"domain": Domain(3, 2)}, "the least length is at least 1 and at most the largest"),
        ({"readout": Readout("logit", "nobody", "logits", None, 2, 0)}, "`nobody` is no node"),
        ({"readout": Readout("logit", "class", "logits", "nobody", 2, 0)}, "`nobody` is no node"),
        ({"readout": Readout("logit", "logits", "logits", None, 2, 0)}, "the decision `logits` is not a word"),
        ({"readout": Readout("logit", "class", "logits", None, 2, 1)}, "the decision `class` has 0 positions, not 1"),
        (
            {"readout": Readout("classes", "class", "logits", None, 3, 0)},
            "the decision `class` has 2 elements for 3 classes",
        ),
    ],
)
def test_defects_of_the_frame(change: dict[str, Any], message: str) -> None:
    assert f"C022 {message}" in messages(replace(network(), **change).check)


def small_family() -> Family:
    return network_to_family(network(*words_of("r", SIGNED, 1, -2)))


def with_entry(family: Family, name: str, /, **changed: Any) -> Family:
    """The family with some fields of one entry changed."""
    entries = tuple(replace(entry, **changed) if entry.name == name else entry for entry in family.entries)
    return replace(family, entries=entries)


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("r", {"name": "r.sum"}, "C032 the name is used twice"),
        ("r.sum", {"wires": (Wires("nobody", (X,), identity(1)),)}, "C032 `nobody` is not an earlier entry"),
        ("r.sum", {"wires": (Wires("w", (X,), identity(1)),)}, "C032 the weights of `w` do not fit"),
        ("r.sum", {"wires": (Wires("w", (Y,), LIGHT),)}, "C032 `w` is read at wrong positions"),
        ("r.sum", {"wires": (Wires("w", (), LIGHT),)}, "C032 `w` is read at wrong positions"),
        ("r.sum", {"wires": (Wires("w", (Y,), LIGHT, AtLeast(var(2))),)}, "C032 a guard has an unbound position"),
        ("r.sum", {"length": integers(0, 0)}, "C032 the constants differ in length"),
        ("logits", {"wires": (Wires("r", (LAST + 1,), identity(1)),)}, "C032 the sum `r` is read outside the word"),
        ("logits", {"wires": (Wires("r", (Term((), 0, 2),), identity(1)),)}, "C032 the sum `r` is read outside the word"),
        ("w", {"size": 3}, "C032 the bits do not fit the input"),
        ("class", {"name": "klass"}, "C032 the readout `class` is no entry"),
    ],
)  # fmt: skip
def test_defects_of_families(name: str, changed: dict[str, Any], message: str) -> None:
    family = small_family()
    family.check()
    assert message in messages(with_entry(family, name, **changed).check)


def test_nested_sums_are_refused() -> None:
    inner = Sum("inner", 1, 2, Ref("w", (Y,)), CAUSAL, 0)
    outer = Sum("outer", 0, 2, Ref("inner", (X,)), TRUE, 0)
    nested = network(inner, outer)
    nested.check()
    assert messages(lambda: network_to_family(nested)) == [
        "C033 a sum over positions inside a sum over positions, `inner`"
    ]
    family = network_to_family(network(inner, Sum("outer", 0, 2, W, TRUE, 0)))
    wires = (Wires("inner", (X,), identity(2), TRUE),)
    assert "C033 `inner` sums over positions already" in messages(with_entry(family, "outer", wires=wires).check)


@pytest.mark.parametrize(
    "nodes",
    [
        [Product("p", 1, W, ZERO, Ref("w", (X - 1,)), ZERO, 0)],
        [Product("p", 1, W, ZERO, Ref("w", (Term((), 0, 2),)), ZERO, 0)],
        [affine(), affine("t", ref=Ref("s", (X - 1,)), width=1)],
        [affine(), Round("t", 0, 1, Ref("s", (Term((), 0, 2),)), 0, BIT)],
        [affine(), Sum("t", 1, 1, Ref("s", (Y + 1,)), CAUSAL, 0)],
        [*words_of("r", SIGNED, 1, 2), Maximum("m", 1, 1, Ref("r", (X - 1,)), ZERO[None], None, (), SIGNED)],
        [Predicates("one", 1, (TRUE,)), Quotient("q", 1, 2, W, Ref("one", (X - 1,)), integers(0, 0), 0, BIT)],
    ],
)
def test_reads_outside_the_word_that_no_circuit_has(nodes: list[Node]) -> None:
    shifted = network(*nodes)
    shifted.check()
    assert messages(lambda: network_to_family(shifted))[0].startswith("C035")


def test_the_second_letter_may_be_a_factor_where_every_word_has_one() -> None:
    node = Product("p", 1, W, ZERO, Ref("w", (Term((), 0, 2),)), ZERO, 0)
    family = network_to_family(network(node, domain=Domain(2)))
    assert instantiate(family, 2).simulate(integers(0, 0)[None])["class"].tolist() == [[1]]


@pytest.mark.parametrize("depth", DEPTH_CHOICES)
def test_outside_the_word_a_value_is_zero_not_the_smallest_code(depth: str) -> None:
    shifted = Ref("r", (X - 1,))
    meaning = network(
        *words_of("r", ABOVE, 3, 5),
        Round("round", 1, 1, shifted, 0, Format(3, 0, 0)),
        Table("table", 1, 1, shifted, integers(1, 4), integers(2, 0, 3), Format(2, 0, 0)),
        Sum("sum", 1, 1, Ref("r", (Y + 1,)), CAUSAL, 0),
        affine("affine", ref=shifted, width=1),
        domain=Domain(1),
    )
    words = integers(0, 1, 1)[None]
    wanted = ("round", "table", "sum", "affine")
    expected = {"round": [0, 3, 5], "table": [2, 0, 3], "sum": [5, 10, 10], "affine": [0, 3, 5]}
    found = evaluate(meaning, words, wanted)
    built = instantiate(network_to_family(meaning, depth), 3).simulate(words, wanted)
    for name, values in expected.items():
        assert found[name].ravel().tolist() == built[name].ravel().tolist() == values


@pytest.mark.parametrize("depth", DEPTH_CHOICES)
def test_the_maximum_of_nothing_is_the_smallest_code(depth: str) -> None:
    later = AtLeast(Y - X - 1)
    most = network(
        *words_of("r", SIGNED, -2, 1), Maximum("m", 1, 1, Ref("r", (Y,)), ZERO[None], later, (), SIGNED),
        Maximum("none", 0, 1, Ref("r", (X,)), ZERO[None], FALSE, (), SIGNED),
        Affine("all", 1, 1, (Operand(Ref("m", (X,)), identity(1)), Operand(Ref("none"), identity(1))), ZERO, ZERO, 0),
    )  # fmt: skip
    words = integers(0, 1, 0)[None]
    built = instantiate(network_to_family(most, depth), 3).simulate(words, ("m", "none"))
    found = evaluate(most, words, ("m", "none"))
    assert found["m"].ravel().tolist() == built["m"].ravel().tolist() == [1, -2, -4]
    assert found["none"].tolist() == built["none"].tolist() == [[-4]]


@pytest.mark.parametrize("depth", DEPTH_CHOICES)
@pytest.mark.parametrize(
    "den",
    [
        [Affine("den", 0, 1, (), integers(1), integers(2), 0)],
        [Predicates("den", 0, (TRUE,))],
        [Predicates("den", 2, (TRUE,))],
        [Predicates("mask", 2, (CAUSAL,)), Sum("den", 1, 1, Ref("mask", (X, Y)), TRUE, 0)],
        [Predicates("mask", 1, (TRUE,)), Sum("den", 1, 1, Ref("mask", (Y,)), CAUSAL, 0)],
        [*words_of("e", ABOVE, 3, 6), Sum("den", 1, 1, Ref("e", (Y,)), CAUSAL, 0)],
        [*words_of("e", ABOVE, 3, 6), Sum("den", 0, 1, Ref("e", (X,)), AtLeast(LAST - X), 0)],
        [*words_of("e", ABOVE, 3, 6), Round("den", 1, 1, Ref("e", (X,)), 0, ABOVE)],
        [Affine("one", 1, 1, (), integers(1), ZERO, 0), Sum("den", 1, 1, Ref("one", (Y,)), CAUSAL, 0)],
        [
            *words_of("e", ABOVE, 3, 6),
            Sum("shifted", 1, 1, Ref("e", (Y - 1,)), CAUSAL, 0),
            Affine("den", 1, 1, (Operand(Ref("shifted", (X,)), identity(1)),), integers(1), ZERO, 0),
        ],
    ],
)  # fmt: skip
def test_denominators(den: list[Node], depth: str) -> None:
    """Constants, n, predicates, and sums of words whose smallest code is not 0, at own, swapped and last positions."""
    positions = den[-1].n_positions
    num = affine("num", operands=(Operand(W, matrix([0, 0], [0, 1], [-7, 11], (1, 2))),))
    quotients = [
        Quotient(f"q{place}", 1, 1, Ref("num", (X,)), Ref("den", (term,) * positions), ZERO, place, Format(4, -6, 0))
        for place, term in enumerate((X, LAST, FIRST))
    ]
    whole = network(num, *den, *quotients)
    whole.check()
    family = network_to_family(whole, depth)
    family.check()
    for n in (1, 2, 3):
        words = np.stack(np.meshgrid(*[[0, 1]] * n), axis=-1).reshape(-1, n)
        wanted = tuple(node.name for node in quotients)
        circuit = instantiate(family, n)
        found, built = evaluate(whole, words, wanted), circuit.simulate(words, wanted)
        assert all(np.array_equal(found[name], built[name]) for name in wanted)
        assert circuit.n_wires == family.wires(n)


def test_a_multiple_of_n_summed_is_no_denominator() -> None:
    whole = network(
        Affine("len", 1, 1, (), ZERO, integers(1), 0),
        Sum("den", 1, 1, Ref("len", (Y,)), CAUSAL, 0),
        Quotient("q", 1, 2, W, Ref("den", (X,)), integers(0, 0), 0, SIGNED),
    )
    assert messages(lambda: network_to_family(whole)) == ["C036 a multiple of n is summed over positions"]


def test_a_denominator_below_one_is_refused() -> None:
    whole = network(Quotient("q", 1, 2, W, W, integers(0, 0), 0, SIGNED))
    assert messages(lambda: evaluate(whole, integers(0, 1)[None])) == ["C025 a denominator is not positive"]


def test_overflow_is_refused_with_numbers() -> None:
    heavy = affine("h", operands=(Operand(W, matrix([0, 0], [0, 1], [1 << 61, 1 << 61], (1, 2))),))
    with pytest.raises(FomError) as caught:
        evaluate(network(heavy), integers(0)[None])
    assert str(caught.value) == (
        "error[C026]: an accumulator needs 63 bits, the limit is 62: 2 terms\n"
        "  --> node `h`\n"
        "   = help: lower --precision or --weight-bits"
    )


@pytest.mark.parametrize(
    ("nodes", "n", "message"),
    [
        ([affine(const=integers(1 << 62))], 1, "63 bits, the limit is 62: a constant"),
        ([affine(operands=(), length=integers(1 << 60))], 4, "63 bits, the limit is 62: a constant"),
        ([affine(const=integers(1 << 59)), Sum("t", 0, 1, Ref("s", (X,)), TRUE, 0)], 8, "63 bits, the limit is 62: 8 positions"),
        ([affine(const=integers(1 << 40)), Round("t", 1, 1, Ref("s", (X,)), -30, BIT)], 1, "72 bits, the limit is 62: rounding"),
        ([Round("t", 1, 2, W, 60, SIGNED)], 1, "65 bits, the limit is 62: rounding"),
        (
            [Affine("d", 0, 1, (), integers(1 << 40), ZERO, 0), Quotient("q", 1, 2, W, Ref("d"), integers(0, 0), -30, BIT)],
            1,
            "73 bits, the limit is 62: a quotient",
        ),
        (
            [Round("t", 1, 2, W, 0, Format(24, 1 << 31, 0)), Product("p", 1, Ref("t", (X,)), ZERO, Ref("t", (X,)), ZERO, 0)],
            1,
            "66 bits, the limit is 62: a product of two words",
        ),
    ],
)  # fmt: skip
def test_every_accumulator_is_bounded(nodes: list[Node], n: int, message: str) -> None:
    whole = network(*nodes)
    whole.check()
    words = np.zeros((1, n), dtype=np.int64)
    assert f"C026 an accumulator needs {message}" in messages(lambda: evaluate(whole, words))


def test_letters_and_lengths() -> None:
    whole = network(*words_of("r", SIGNED, 1, 2), domain=Domain(2, 3, "the file says so"))
    circuit = instantiate(network_to_family(whole), 2)
    with pytest.raises(FomError) as caught:
        evaluate(whole, integers(1)[None])
    assert str(caught.value) == (
        "error[C020]: a word of length 1 is outside the network's domain: the length must be at least 2\n"
        "   = note: the file says so\n"
        "   = help: choose a word, or a length, that the network accepts"
    )
    assert "at most 3" in messages(lambda: evaluate(whole, integers(0, 0, 0, 0)[None]))[0]
    assert messages(lambda: instantiate(circuit.family, 4))[0].startswith("C020")
    for letter in (2, -1):
        word = np.array([[0, 1], [1, letter]])
        assert messages(partial(evaluate, whole, word)) == [
            f"C024 letter number {letter} is not in the alphabet of 2 letters (0..1)"
        ]
        assert messages(partial(circuit.simulate, word)) == [f"C041 the circuit reads 0 to 1, not {letter}"]
    assert messages(lambda: circuit.simulate(integers(0, 0, 0)[None]))[0].startswith("C040")
    assert evaluate(whole, np.zeros((0, 2), dtype=int))["class"].shape == (0, 1)
    assert circuit.simulate(np.zeros((0, 2), dtype=int))["class"].shape == (0, 1)


def test_codes_of_a_fixed_size_input() -> None:
    logits = affine("logits", 0, Ref("v"), width=3)
    decision = Table("class", 0, 1, Ref("logits"), ZERO, integers(0, 1), BIT)
    readout = Readout("logit", "class", "logits", None, 2, 0)
    whole = Network((Inputs("v", 3, SIGNED), logits, decision), readout, Domain(), ())
    whole.check()
    circuit = instantiate(network_to_family(whole), 1)
    for bad, codes in ((integers(0, 4, 0)[None], ("C024", "C041")), (integers(0, 0)[None], ("C023", "C040"))):
        assert messages(partial(evaluate, whole, bad))[0].startswith(codes[0])
        assert messages(partial(circuit.simulate, bad))[0].startswith(codes[1])


def test_unknown_depth_choice() -> None:
    assert messages(lambda: network_to_family(network(), "deep"))[0] == "C034 unknown depth choice `deep`"


def differs(family: Family, mutant: Family) -> bool:
    """Tell whether some common entry differs for some word of at most 3 letters."""
    names = tuple(entry.name for entry in family.entries)
    for n in (3, 1):
        words = np.stack(np.meshgrid(*[[0, 1]] * n), axis=-1).reshape(-1, n)
        before, after = (instantiate(each, n).simulate(words, names) for each in (family, mutant))
        if any(not np.array_equal(before[name], after[name]) for name in names):
            return True
    return False


@pytest.mark.parametrize("depth", DEPTH_CHOICES)
def test_mutants_are_caught(depth: str) -> None:
    """One weight, threshold, constant, guard or position changed anywhere changes an entry, which the comparison would see."""
    whole = network(
        *words_of("r", SIGNED, 1, -2),
        Sum("past", 1, 1, Ref("r", (Y,)), CAUSAL, 0),
        Round("p", 1, 1, Ref("past", (X,)), 1, SIGNED),
        Maximum("m", 1, 1, Ref("p", (Y,)), ZERO[None], CAUSAL, (), SIGNED),
    )
    family = network_to_family(whole, depth)
    caught, missed = 0, []
    for entry in family.entries:
        if not isinstance(entry, Gates | Accumulator):
            continue
        changes: list[tuple[str, dict[str, Any]]] = []
        for place, wires in enumerate(entry.wires):
            variants = []
            for column in {0, wires.matrix.nnz - 1}:
                heavier = wires.matrix.copy()
                heavier.data[column] += 1 if isinstance(entry, Accumulator) else 64
                variants.append(("weight", replace(wires, matrix=heavier)))
            if wires.guard is not None:
                variants.append(("guard", replace(wires, guard=Equals(X - Y))))
            if wires.at == (X,):
                variants.append(("at", replace(wires, at=(FIRST,))))
            for what, variant in variants:
                changes.append((what, {"wires": (*entry.wires[:place], variant, *entry.wires[place + 1 :])}))
        if isinstance(entry, Gates):
            changes += [("threshold", {"thresholds": entry.thresholds + step}) for step in (-64, 64)]
        else:
            changes += [("const", {"const": entry.const + 1}), ("length", {"length": entry.length + 1})]
        for what, changed in changes:
            if differs(family, with_entry(family, entry.name, **changed)):
                caught += 1
            else:
                missed.append(f"{entry.name}: {what}")
    assert caught > 30
    assert len(missed) * 4 < caught, missed


def test_predicate_mutants_are_caught() -> None:
    family = network_to_family(network(Predicates("p", 1, (AtLeast(X - 2),))))
    assert isinstance(family.by_name["p"], PredicateBits)
    assert differs(family, with_entry(family, "p", guards=(AtLeast(X - 3),)))
