"""The compositional proof that a family computes a network: complete on what is built, never complete on what differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pytest

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Entry, Gates, PredicateBits, Wires
from circuits.evaluate import evaluate
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.inputs import input_limits
from circuits.matrices import canonical, identity, matrix
from circuits.network import (
    Affine,
    Domain,
    Exact,
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
from circuits.network_to_family import network_to_family
from circuits.positions import FALSE, FIRST, LAST, TRUE, AtLeast, Congruent, Equals, Guard, Ref, negation, var
from logic.proving.enumeration import breaks_of, offsets_at
from logic.proving.gadgets import Block, Gadget
from logic.proving.linear import bit_names
from logic.proving.network_circuit import prove_network_circuit
from logic.proving.quotients import decide_quotient
from logic.proving.roundings import decide_round, enumerate_round, nearest_code
from logic.proving.session import Outcome, Session
from logic.smt.lemmas import Countermodel, integer, prove

Integers = np.ndarray[Any, np.dtype[np.int64]]

X, Y = var(0), var(1)
F, U = Format(3, -4, 1), Format(3, 0, 2)
CAUSAL = AtLeast(X - Y)
DEPTHS = ("compact", "balanced", "shallow")


@pytest.fixture(autouse=True)
def _remember_outcomes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "once", remembering)


def remembering(session: Session, key: Hashable, covers: int, decide: Callable[[], Outcome]) -> Outcome:
    """Decide equal obligations once for all tests: the key of an obligation says everything about it."""
    if key not in OUTCOMES or session.evidence:
        OUTCOMES[key] = ONCE(session, key, covers, decide)
    return ONCE(session, key, covers, lambda: OUTCOMES[key])


OUTCOMES: dict[Hashable, Outcome] = {}
ONCE = Session.once


def zeros(count: int) -> Integers:
    return np.zeros(count, dtype=np.int64)


@cache
def attention() -> Network:
    """A causal head with a softmax, a square, a shifted read, a mean, and a decision."""
    rng = np.random.default_rng(0)

    def weights(rows: int, columns: int) -> Any:
        return canonical(rng.integers(-5, 6, (rows, columns)))

    nodes: tuple[Node, ...] = (
        Letters("w", 2),
        Predicates("pos", 1, (Equals(X - 1), Congruent(X, 2))),
        Affine(
            "emb",
            1,
            2,
            (Operand(Ref("w", (X,)), weights(2, 2)), Operand(Ref("pos", (X,)), identity(2))),
            zeros(2),
            zeros(2),
            2,
        ),
        Round("q", 1, 2, Ref("emb", (X,)), 1, F),
        Product("qk", 2, Ref("q", (X,)), np.arange(2), Ref("q", (Y,)), np.arange(2), 2),
        Affine("s", 2, 1, (Operand(Ref("qk", (X, Y)), weights(1, 2)),), np.array([1]), zeros(1), 2),
        Round("sw", 2, 1, Ref("s", (X, Y)), 2, F),
        Maximum("m", 1, 1, Ref("sw", (X, Y)), np.array([[0]]), CAUSAL, (), F),
        Affine(
            "d",
            2,
            1,
            (Operand(Ref("sw", (X, Y)), identity(1)), Operand(Ref("m", (X,)), identity(1, -1))),
            zeros(1),
            zeros(1),
            1,
        ),
        Table("e", 2, 1, Ref("d", (X, Y)), np.array([-5, -3, -1, 0]), np.array([0, 1, 3, 5, 7]), U),
        Product("ev", 2, Ref("e", (X, Y)), zeros(2), Ref("q", (Y,)), np.arange(2), 4),
        Sum("N", 1, 2, Ref("ev", (X, Y)), CAUSAL, 4),
        Sum("D", 1, 1, Ref("e", (X, Y)), CAUSAL, 3),
        Quotient("a", 1, 2, Ref("N", (X,)), Ref("D", (X,)), zeros(2), 0, F),
        Product("sq", 1, Ref("a", (X,)), np.arange(2), Ref("a", (X,)), np.arange(2), 2),
        Affine(
            "h",
            1,
            2,
            (Operand(Ref("sq", (X,)), weights(2, 2)), Operand(Ref("q", (X - 1,)), weights(2, 2))),
            zeros(2),
            zeros(2),
            2,
        ),
        Sum("pool", 0, 2, Ref("h", (X,)), TRUE, 2),
        Affine("len", 0, 1, (), zeros(1), zeros(1) + 1, 0),
        Quotient("mean", 0, 2, Ref("pool"), Ref("len"), zeros(2), -1, Format(4, -5, 1)),
        Affine(
            "logit",
            0,
            2,
            (Operand(Ref("mean"), weights(2, 2)), Operand(Ref("a", (LAST,)), weights(2, 2))),
            zeros(2),
            zeros(2),
            1,
        ),
        Table("class", 0, 2, Ref("logit"), np.array([0]), np.array([0, 1]), BIT),
    )
    return checked(Network(nodes, Readout("classes", "class", "logit", None, 2, 0), Domain(), ("a", "b")))


@cache
def pooling() -> Network:
    """Maxima with segments and shifted candidates, a shifted word with a smallest code below 0 under a sum, crossed products."""
    rng = np.random.default_rng(5)
    nodes: tuple[Node, ...] = (
        Letters("w", 3),
        Affine("emb", 1, 3, (Operand(Ref("w", (X,)), canonical(rng.integers(-6, 7, (3, 3)))),), zeros(3), zeros(3), 1),
        Round("q", 1, 3, Ref("emb", (X,)), 1, F),
        Round("u", 1, 3, Ref("emb", (X,)), 0, U),
        Maximum("m", 1, 2, Ref("u", (Y - 1,)), np.array([[0, 1], [2, 2]]), negation(CAUSAL),
                ((Ref("u", (FIRST,)), np.array([[2], [0]])),), U),
        Maximum("k", 1, 2, Ref("q", (X,)), np.array([[0, 1], [1, 2]]), None, (), F),
        Sum("near", 1, 3, Ref("q", (Y - 1,)), CAUSAL, 1),
        Product("mix", 1, Ref("q", (X,)), np.array([0, 1]), Ref("q", (X,)), np.array([1, 1]), 2),
        Affine("z", 1, 2, (Operand(Ref("m", (X,)), identity(2)), Operand(Ref("mix", (X,)), identity(2, -1)),
                           Operand(Ref("near", (X,)), canonical(rng.integers(-2, 3, (2, 3)))),
                           Operand(Ref("k", (X,)), identity(2, 3))), np.array([3, -2]), np.array([1, 0]), 2),
        Table("den", 1, 1, Ref("den.arg", (X,)), np.array([0, 2]), np.array([1, 4, 2]), U),
        Quotient("r", 1, 2, Ref("z", (X,)), Ref("den", (X,)), zeros(2), 1, F),
        Round("bit", 1, 2, Ref("r", (X,)), 1, BIT),
    )  # fmt: skip
    arg = Affine("den.arg", 1, 1, (Operand(Ref("u", (X,)), canonical([[1, 1, -1]])),), zeros(1), zeros(1), 1)
    nodes = (*nodes[:9], arg, *nodes[9:])
    return checked(Network(nodes, Readout("classes", "bit", "z", None, 2, 1), Domain(), ("a", "b", "c")))


@cache
def perceptron() -> Network:
    """Numbers instead of letters: two inputs of three bits, a product, an activation, a rounded output."""
    nodes: tuple[Node, ...] = (
        Inputs("in", 2, F),
        Affine("h", 0, 2, (Operand(Ref("in"), canonical([[3, -2], [1, 1]])),), np.array([1, -1]), zeros(2), 1),
        Table("t", 0, 2, Ref("h"), np.array([-3, 1, 4]), np.array([2, -1, 0, 3]), F),
        Product("p", 0, Ref("t"), np.array([0, 1]), Ref("in"), np.array([1, 0]), 2),
        Maximum("m", 0, 1, Ref("t"), np.array([[0, 1]]), None, (), F),
        Affine(
            "o",
            0,
            1,
            (Operand(Ref("p"), canonical([[1, 2]])), Operand(Ref("m"), identity(1, 2))),
            zeros(1),
            zeros(1),
            2,
        ),
        Round("out", 0, 1, Ref("o"), -1, Format(6, -40, 2)),
    )
    return checked(Network(nodes, Readout("value", "out", "o", None, 0, 0), Domain(), ()))


def checked(network: Network) -> Network:
    network.check()
    return network


NETWORKS = {"attention": attention, "pooling": pooling, "perceptron": perceptron}


def all_inputs(network: Network, longest: int) -> Iterator[Integers]:
    """All inputs, one batch for each length."""
    if network.inputs:
        low, high = input_limits(network.inputs)
        yield np.indices(tuple(high - low + 1)).reshape(len(low), -1).T + low
        return
    for n in range(1, longest + 1):
        yield np.indices((len(network.alphabet),) * n).reshape(n, -1).T


@cache
def contracts(name: str) -> list[tuple[Integers, dict[str, Integers]]]:
    """The values that the entries of all contracts must have, for all inputs up to length 3."""
    network = NETWORKS[name]()
    result = []
    for inputs in all_inputs(network, 3):
        values = evaluate(network, inputs, [node.name for node in network.nodes])
        entries = dict(values)
        for node in network.nodes:
            if not isinstance(node, Exact) and node.format != BIT:
                for bit, entry in enumerate(bit_names(node.name, node.format)):
                    entries[entry] = (values[node.name] - node.format.lo) >> bit & 1
        result.append((inputs, entries))
    return result


def keeps_contracts(name: str, family: Family) -> bool:
    """Tell, by simulation, whether a family keeps all contracts on all inputs up to length 3."""
    for inputs, entries in contracts(name):
        try:
            n = 1 if family.inputs else inputs.shape[1]
            found = instantiate(family, n).simulate(inputs, tuple(entries))
        except (FomError, KeyError, ValueError, IndexError):
            return False
        if not all(np.array_equal(found[entry], value) for entry, value in entries.items()):
            return False
    return True


@cache
def built(name: str, depth: str) -> Family:
    return network_to_family(NETWORKS[name](), depth)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_built_is_proved(name: str, depth: str) -> None:
    family = built(name, depth)
    assert keeps_contracts(name, family)
    proof = prove_network_circuit(NETWORKS[name](), family)
    assert proof.open == ()
    assert proof.complete
    covered = sum(lemma.covers for lemma in proof.lemmas)
    assert covered >= sum(entry.size for entry in family.entries if isinstance(entry, Accumulator))
    assert {"z3", "coefficients", "structure"} <= set(proof.by_method())


def with_entry(family: Family, entry: Entry) -> Family:
    """The family with one entry replaced."""
    return replace(family, entries=tuple(entry if other.name == entry.name else other for other in family.entries))


def mutate_bundle(rng: np.random.Generator, wires: Wires, change: str) -> Wires | None:
    """Change one bundle of wires, or None if it has nothing to change."""
    if change in ("weight", "sign", "column", "row", "drop"):
        if not wires.matrix.nnz:
            return None
        coo = wires.matrix.tocoo()
        rows, columns = (axis.copy() for axis in coo.coords)
        data, place = coo.data.copy(), int(rng.integers(coo.nnz))
        if change == "weight":
            data[place] += rng.choice([-1, 1])
        elif change == "sign":
            data[place] *= rng.choice([-1, 2])
        elif change == "drop":
            data[place] = 0
        elif change == "column":
            columns[place] = rng.integers(wires.matrix.shape[1])
        else:
            rows[place] = rng.integers(wires.matrix.shape[0])
        return replace(wires, matrix=matrix(rows, columns, data, wires.matrix.shape))
    if change == "position":
        if not wires.at:
            return None
        choices = [X, FIRST, LAST, X - 1, *([Y, Y - 1, Y + 1] if wires.guard is not None else [])]
        at = list(wires.at)
        at[int(rng.integers(len(at)))] = choices[int(rng.integers(len(choices)))]
        return replace(wires, at=tuple(at))
    if wires.guard is None:
        return None
    guards: list[Guard] = [TRUE, FALSE, negation(wires.guard), AtLeast(Y - X), AtLeast(X - Y - 1), Equals(Y - 1)]
    return replace(wires, guard=guards[int(rng.integers(len(guards)))])


def mutate(rng: np.random.Generator, entry: Entry, change: str) -> Entry | None:
    """Change one number of an entry, or None if it has none of that kind."""
    match entry, change:
        case Gates(), "threshold":
            thresholds = entry.thresholds.copy()
            thresholds[rng.integers(entry.size)] += rng.choice([-2, -1, 1, 2])
            return replace(entry, thresholds=thresholds)
        case Accumulator(), "const" | "length":
            numbers = getattr(entry, change).copy()
            numbers[rng.integers(entry.size)] += rng.choice([-1, 1])
            return replace(entry, const=numbers) if change == "const" else replace(entry, length=numbers)
        case PredicateBits(), "guard":
            guards = list(entry.guards)
            others: list[Guard] = [TRUE, FALSE, Congruent(X, 3)]
            guards[int(rng.integers(entry.size))] = others[int(rng.integers(3))]
            return replace(entry, guards=tuple(guards))
        case Gates() | Accumulator(), "weight" | "sign" | "column" | "row" | "drop" | "position" | "guard":
            if not entry.wires:
                return None
            place = int(rng.integers(len(entry.wires)))
            bundle = mutate_bundle(rng, entry.wires[place], change)
            if bundle is None:
                return None
            return replace(entry, wires=(*entry.wires[:place], bundle, *entry.wires[place + 1 :]))
        case _:
            return None


CHANGES = ("weight", "sign", "column", "row", "drop", "position", "guard", "threshold", "const", "length")


def kind_of(name: str) -> str:
    """Entries of one kind: a node, with its bits, comparators and products apart."""
    return ".".join(part.rstrip("0123456789") for part in name.split("."))


def mutants(name: str, depth: str, seed: int) -> Iterator[tuple[str, Family]]:
    """One mutant for every kind of entry and every change that applies to it, in random order."""
    rng = np.random.default_rng(seed)
    family = built(name, depth)
    kinds: dict[str, list[Entry]] = {}
    for entry in family.entries:
        kinds.setdefault(kind_of(entry.name), []).append(entry)
    for entries, change in rng.permutation(np.array([(k, c) for k in kinds for c in CHANGES], dtype=object)):
        choices = kinds[entries]
        entry = choices[int(rng.integers(len(choices)))]
        changed = mutate(rng, entry, change)
        if changed is not None:
            yield f"{name} {depth} {entry.name} {change}", with_entry(family, changed)


def check_mutants(name: str, depth: str, seed: int, count: int | None) -> None:
    """No mutant with another behaviour may be proved."""
    harmful = 0
    tried = list(islice(mutants(name, depth, seed), count))
    for what, family in tried:
        proof = prove_network_circuit(NETWORKS[name](), family)
        keeps = keeps_contracts(name, family)
        assert keeps or not proof.complete, what
        assert all("`" in line or "differs" in line for line in proof.open[:20]), proof.open
        harmful += not keeps
    assert harmful >= len(tried) // 3


CASES = [(name, depth) for name in NETWORKS for depth in DEPTHS]


@pytest.mark.parametrize(("name", "depth"), CASES)
def test_no_mutant_that_differs_is_proved(name: str, depth: str) -> None:
    check_mutants(name, depth, 1, 8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
@pytest.mark.parametrize(("name", "depth"), CASES)
def test_no_mutant_of_any_kind_that_differs_is_proved(name: str, depth: str, seed: int) -> None:
    check_mutants(name, depth, seed, None)


def chain(thresholds: list[int], shift: int) -> Gadget:
    """A rounding by successive approximation to 3 bits with the given thresholds, highest bit first."""
    blocks: list[Block] = []
    for place, threshold in enumerate(thresholds):
        wires = tuple(
            (earlier, matrix([0], [0], -(1 << shift + len(thresholds) - 1 - earlier), (1, 1)))
            for earlier in range(place)
        )
        blocks.append(Block(np.array([[1]]), wires, np.array([threshold])))
    return Gadget(tuple(blocks), tuple(reversed(range(len(thresholds)))), b"")


def decided(gadget: Gadget, shift: int, format_: Format) -> Outcome:
    """The answer about a rounding, digit by digit where that is possible."""
    session = Session(built("perceptron", "compact"))
    return decide_round(session, gadget, Round("r", 0, 1, Ref("s"), shift, format_))


def half_even(code: int, shift: int) -> int:
    """The least S that rounds to at least `code`."""
    return next(total for total in range(-999, 999) if nearest_code(total, shift, Format(10, -512, 0)) >= code)


@pytest.mark.parametrize("shift", [1, 2, 5])
@pytest.mark.parametrize("lo", [-4, -3, 0])
def test_half_even_is_proved_and_half_up_is_refuted(shift: int, lo: int) -> None:
    format_ = Format(3, lo, 0)
    codes = [lo + 4, lo + 2, lo + 1]
    right = chain([half_even(code, shift) for code in codes], shift)
    up = chain([(2 * code - 1) << shift - 1 for code in codes], shift)
    assert [lemma.method for lemma in decided(right, shift, format_).lemmas] == ["coefficients"]
    assert enumerate_round(right, shift, format_, "").trouble == ""
    for trouble in (decided(up, shift, format_).trouble, enumerate_round(up, shift, format_, "").trouble):
        found = re.fullmatch(r"the gate differs: for S = (-?\d+) it gives code (-?\d+) instead of (-?\d+)", trouble)
        assert found
        total, code, expected = map(int, found.groups())
        assert offsets_at(up, np.array([[total]]))[0] + lo == code != expected
        assert nearest_code(total, shift, format_) == expected


@pytest.mark.parametrize("seed", range(20))
def test_enumeration_agrees_with_digits_and_with_brute_force(seed: int) -> None:
    """Gadgets with random errors: breaks are complete, and all methods give the same answer."""
    rng = np.random.default_rng(seed)
    format_ = Format(3, -4, 0)
    thresholds = [half_even(code, 1) for code in (0, -2, -3)]
    gadget = chain([t + int(rng.choice([0, 0, 0, 1, -1])) for t in thresholds], 1)
    totals = np.arange(-40, 40)
    found = offsets_at(gadget, totals[None])
    changes = totals[1:][found[1:] != found[:-1]]
    assert set(changes.tolist()) <= set(breaks_of(gadget).tolist())
    good = [nearest_code(total, 1, format_) for total in totals.tolist()] == (found - 4).tolist()
    assert (enumerate_round(gadget, 1, format_, "").trouble == "") == good
    assert (decided(gadget, 1, format_).trouble == "") == good


def test_a_quotient_that_rounds_half_up_is_refuted() -> None:
    """One bit, codes 0 and 1: 2 N >= D rounds 1/2 up to 1, half to even gives 0."""
    for threshold, good in ((1, True), (0, False)):
        gadget = Gadget((Block(np.array([[2, -1]]), (), np.array([threshold])),), (0,), b"")
        session = Session(built("perceptron", "compact"))
        node = Quotient("q", 0, 1, Ref("n"), Ref("d"), zeros(1), 0, Format(1, 0, 0))
        outcome = decide_quotient(session, gadget, node, [])
        assert (outcome.trouble == "") == good
        assert good or "N = 1, D = 2 it gives code 1 instead of 0" in outcome.trouble


def test_obligations_are_written_as_scripts() -> None:
    texts: dict[str, str] = {}
    proof = prove_network_circuit(perceptron(), built("perceptron", "compact"), evidence=texts.__setitem__)
    solved = [lemma.statement for lemma in proof.lemmas if lemma.method == "z3"]
    assert solved
    assert set(texts) == set(solved)
    assert all("(check-sat)" in text and "(set-logic QF_LIA)" in text for text in texts.values())


def change_node(network: Network, name: str, **changes: Any) -> Network:
    """The network with one node changed."""
    nodes = tuple(replace(node, **changes) if node.name == name else node for node in network.nodes)
    return replace(network, nodes=nodes)


def test_the_network_is_not_taken_from_the_family() -> None:
    """A family is proved for its own network and no other."""
    network, family = attention(), built("attention", "compact")
    changes: list[tuple[str, dict[str, Any]]] = [
        ("e", {"breaks": np.array([-5, -3, -2, 0])}),
        ("sw", {"shift": 1}),
        ("N", {"guard": TRUE}),
        ("qk", {"right_index": np.array([1, 0])}),
        ("m", {"guard": TRUE}),
        ("mean", {"shift": 0}),
        ("pos", {"guards": (Equals(X - 1), Congruent(X, 3))}),
        ("logit", {"const": np.array([0, 1])}),
    ]
    for name, change in changes:
        proof = prove_network_circuit(change_node(network, name, **change), family)
        assert any(name in line for line in proof.open), (name, proof.open)
    longer = replace(network, domain=Domain(2))
    assert prove_network_circuit(longer, family).open


def test_a_denominator_that_may_vanish_stays_open() -> None:
    """The softmax argument needs a code of at least 1 at 0, the same guard, and a guard that some position satisfies."""
    network = attention()
    later = AtLeast(Y - X - 1)
    cases = {
        "near 0": change_node(network, "e", codes=np.array([7, 5, 3, 1, 0])),
        "same guard": change_node(network, "m", guard=TRUE),
        "some position": change_node(
            change_node(change_node(network, "m", guard=later), "D", guard=later), "N", guard=later
        ),
    }
    for reason, changed in cases.items():
        proof = prove_network_circuit(changed, network_to_family(changed, "compact"))
        assert len(proof.open) == 1
        assert "is not shown to be at least 1" in proof.open[0]
        assert reason in proof.open[0]


def test_a_softmax_over_exact_scores_allows_for_their_rounding() -> None:
    """S is the exact score less the rounded maximum: the table must be positive within half a step, and the score in range."""
    network = attention()
    exact = (Operand(Ref("s", (X, Y)), identity(1)), Operand(Ref("m", (X,)), identity(1, -4)))
    for codes, wide, good in (
        ((1, 1, 3, 5, 7), False, False),
        ((0, 1, 3, 5, 7), True, True),
        ((0, 0, 0, 0, 7), True, False),
    ):
        format_ = Format(8, -128, 1) if wide else F
        changed = change_node(network, "d", operands=exact)
        for name in ("sw", "m"):
            changed = change_node(changed, name, format=format_)
        changed = change_node(changed, "e", codes=np.array(codes))
        proof = prove_network_circuit(changed, network_to_family(changed, "compact"))
        assert proof.complete == (good or codes[0] == 1), proof.open


def test_bits_that_change_places_are_noticed() -> None:
    """Two nodes with the same gates in the same order, but in one of them the names of the bits are exchanged."""
    format_ = Format(2, -2, 0)
    letters = Letters("w", 2)
    exact = Affine("s", 1, 1, (Operand(Ref("w", (X,)), canonical([[-3, 3]])),), zeros(1), zeros(1), 1)
    words = (Round("q", 1, 1, Ref("s", (X,)), 1, format_), Round("r", 1, 1, Ref("s", (X,)), 1, format_))
    sign = Round("sign", 1, 1, Ref("r", (X,)), 0, BIT)
    readout = Readout("logit", "sign", "s", None, 2, 1)
    network = checked(Network((letters, exact, *words, sign), readout, Domain(), ("a", "b")))
    family = network_to_family(network, "compact")
    assert prove_network_circuit(network, family).complete
    other = {"r.0": "r.1", "r.1": "r.0"}

    def renamed(entry: Entry) -> Entry:
        if not isinstance(entry, Gates) or not entry.name.startswith("r."):
            return entry
        wires = tuple(replace(w, source=other.get(w.source, w.source)) for w in entry.wires)
        return replace(entry, name=other[entry.name], wires=wires)

    exchanged = replace(family, entries=tuple(map(renamed, family.entries)))
    assert any("`r." in line for line in prove_network_circuit(network, exchanged).open)


def test_weights_beyond_62_bits_stay_open() -> None:
    """2**62 is 0 modulo 2**64 when it is multiplied by 4: nothing may be computed with wrapped numbers."""
    network, family = attention(), built("attention", "compact")
    entry = family.by_name["pool"]
    assert isinstance(entry, Accumulator)
    wires = entry.wires[0]
    huge = replace(wires, matrix=canonical(wires.matrix * (1 + (1 << 61))))
    changed = with_entry(family, replace(entry, wires=(huge,)))
    assert not prove_network_circuit(network, changed).complete
    entry = family.by_name["h"]
    assert isinstance(entry, Accumulator)
    many = tuple(replace(wires, matrix=canonical(wires.matrix * (1 << 60))) for wires in entry.wires)
    changed = with_entry(family, replace(entry, wires=(*entry.wires, *many, *many, *many, *many)))
    assert not prove_network_circuit(network, changed).complete


def test_a_missing_entry_is_reported() -> None:
    network, family = attention(), built("attention", "compact")
    without = replace(family, entries=tuple(entry for entry in family.entries if entry.name != "class"))
    proof = prove_network_circuit(network, without)
    assert proof.open
    renamed = replace(family, alphabet=("b", "a"))
    assert any("alphabet" in line for line in prove_network_circuit(network, renamed).open)


def test_the_solver_gives_models_and_gives_up() -> None:
    def claim(manager: Any) -> Any:
        return manager.GE(integer(manager, "S"), manager.Int(3))

    answer = prove(claim)
    assert isinstance(answer, Countermodel)
    assert answer.values["S"] < 3
