"""Functions that are not written out: their codes, their tables, their text; several inputs; networks that decide nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.functions import TABLE_GATES, written_out
from circuits.inputs import decode_inputs, encode_inputs, input_limits
from circuits.matrices import identity
from circuits.network import Affine, Domain, Function, Inputs, Letters, Network, Node, Operand, Readout, Sum, Table
from circuits.network_text import network_of_text, network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import TRUE, Ref, var
from circuits.readout import decoded, scores
from circuits.scalar import OPERATIONS, Scalar, X, arity, const
from circuits.scalar_text import scalar_of_data, scalar_to_data
from logic.proving.network_circuit import prove_network_circuit
from logic.smt.monolithic import decide_monolithic

FINE = Format(6, -32, 3)


def one(function: Scalar, given: Format, made: Format, positions: int = 0) -> Network:
    """A function of one number, or of a sum over positions, whose sign is decided."""
    own = tuple(var(v) for v in range(0))
    nodes: list[Node] = [Inputs("v", 1, given)]
    source, frac = "v", given.frac
    if positions:
        nodes = [Letters("w", 1), Sum("s", 0, 1, Ref("w", (var(0),)), TRUE, 0)]
        source, frac = "s", 0
    nodes.append(Function("f", 0, 1, Ref(source, own), function, frac, made))
    nodes.append(Table("class", 0, 1, Ref("f", own), np.array([1]), np.array([0, 1]), BIT))
    readout = Readout("logit", "class", "f", None, 2, 0)
    network = Network(tuple(nodes), readout, Domain(), ("a",) if positions else ())
    network.check()
    return network


def codes(network: Network) -> np.ndarray:
    low, high = (int(limit[0]) for limit in input_limits(network.inputs))
    return np.arange(low, high + 1, dtype=np.int64)[:, None]


def refusal(network: Network) -> str:
    with pytest.raises(FomError) as found:
        network_to_family(network)
    return str(found.value)


WIGGLY = Scalar("sin", (Scalar("mul", (X, const(40.0))),))
SILU = Scalar("mul", (X, Scalar("sigmoid", (X,))))


@pytest.mark.parametrize("function", [SILU, WIGGLY, Scalar("exp", (X,)), Scalar("reciprocal", (X,))])
@pytest.mark.parametrize("depth", ["compact", "shallow"])
def test_the_table_is_the_function(function: Scalar, depth: str) -> None:
    network = one(function, FINE, Format(5, -16, 2))
    inputs = codes(network)
    values = evaluate(network, inputs, ["f"])["f"]
    with np.errstate(divide="ignore"):
        reals = function(np.ldexp(inputs.astype(float), -3))
    assert np.array_equal(values, np.clip(np.rint(np.clip(reals * 4, -99, 99)), -16, 15))
    table = written_out(network)
    assert isinstance(table.by_name["f"], Table)
    assert np.array_equal(evaluate(table, inputs, ["f"])["f"], values)
    family = network_to_family(network, depth)
    circuit = instantiate(family, 1)
    assert np.array_equal(circuit.simulate(inputs, ("f",))["f"], values)
    assert prove_network_circuit(network, family).complete


def test_a_wrong_table_is_no_proof() -> None:
    network = one(SILU, FINE, Format(5, -16, 2))
    other = one(Scalar("tanh", (X,)), FINE, Format(5, -16, 2))
    assert not prove_network_circuit(network, network_to_family(other)).complete


@pytest.mark.parametrize(("argument", "code"), [(0, -16), (8, 0), (16, 3)])
def test_infinities_saturate(argument: int, code: int) -> None:
    network = one(Scalar("log", (X,)), FINE, Format(5, -16, 2))
    assert evaluate(network, np.array([[argument]]), ["f"])["f"].tolist() == [[code]]


def test_what_is_not_a_number_is_named() -> None:
    network = one(Scalar("log", (X,)), FINE, Format(5, -16, 2))
    with pytest.raises(FomError, match=r"C029.*not a number at -1\n.*node `f`, input 2, element 0"):
        evaluate(network, np.array([[8], [16], [-8]]))
    assert np.array_equal(instantiate(network_to_family(network), 1).simulate(np.array([[9]]), ("f",))["f"], [[0]])


def test_whole_numbers_that_float64_does_not_hold() -> None:
    network = one(Scalar("mod", (X, const(10.0))), Format(60, -(1 << 59), 0), Format(4, 0, 0))
    assert evaluate(network, np.array([[(1 << 53) - 1]]), ["f"])["f"].tolist() == [[((1 << 53) - 1) % 10]]
    with pytest.raises(FomError, match=r"C028.*2\*\*53"):
        evaluate(network, np.array([[(1 << 53) + 1]]))


def test_tables_that_are_too_wide() -> None:
    steep = one(Scalar("mul", (X, const(1.0))), Format(20, 0, 10), Format(20, 0, 10))
    text = refusal(steep)
    assert "C030" in text
    assert f"{(1 << 20) - 1:,} steps" in text
    assert f"{TABLE_GATES:,}" in text
    assert "fixed:*.6" in text
    assert "16,777,216 are tried" in refusal(one(Scalar("tanh", (X,)), Format(30, 0, 24), FINE))
    assert "grows with the length" in refusal(one(Scalar("tanh", (X,)), FINE, FINE, positions=1))


@given(st.floats(-1e3, 1e3), st.integers(-20, 20))
def test_codes_are_rounded_half_to_even(scale: float, frac: int) -> None:
    made = Format(40, -(1 << 39), frac)
    network = one(Scalar("mul", (X, const(scale))), FINE, made)
    found = evaluate(network, codes(network), ["f"])["f"][:, 0]
    for code, argument in zip(found.tolist(), codes(network)[:, 0].tolist(), strict=True):
        exact = Fraction(float(np.float64(argument / 8) * np.float64(scale))) * Fraction(2) ** frac
        nearest = min(max(round(exact), made.lo), made.hi)
        assert code == nearest


TERMS = st.recursive(
    st.just(X) | st.floats(allow_nan=False).map(const),
    lambda inner: st.sampled_from(sorted(OPERATIONS)).flatmap(
        lambda op: st.tuples(*[inner] * arity(op)).map(lambda args: Scalar(op, args))
    ),
    max_leaves=12,
)


@given(TERMS)
def test_text_of_functions(function: Scalar) -> None:
    assert scalar_of_data(scalar_to_data(function)) == function
    network = one(function, FINE, FINE)
    text = network_to_text(network)
    again = network_of_text(text)
    node = again.by_name["f"]
    assert isinstance(node, Function)
    assert node.function == function
    assert network_to_text(again) == text


def test_text_grows_with_the_shared_term() -> None:
    term = X
    for _ in range(12):
        term = Scalar("mul", (term, term))
    assert len(scalar_to_data(term)) == 13
    assert scalar_of_data(scalar_to_data(term)) == term


NO_STEPS = (
    "null, [], [[]], ['x'], [['y']], [['x', 0]], [['exp']], [['exp', 0]], [['x'], ['exp', 1]], [['x'], ['exp', true]]"
)
NO_CONSTANTS = (
    "[['const']], [['const', 'a']], [['const', 1]], [['const', [1]]], [['x'], ['mul', 0]], [['x'], ['exp', -1]]"
)


@pytest.mark.parametrize("data", json.loads(f"[{NO_STEPS}, {NO_CONSTANTS}]".replace("'", '"')))
def test_damaged_text_of_functions(data: object) -> None:
    with pytest.raises(ValueError, match=r"step|steps"):
        scalar_of_data(data)


def pair(readout: bool) -> Network:
    """The difference of two inputs of different formats."""
    operands = (Operand(Ref("u"), identity(2, 1)), Operand(Ref("v"), identity(2, -2)))
    zero = np.zeros(2, dtype=np.int64)
    difference = Affine("d", 0, 2, operands, zero, zero, 1)
    decision = Table("class", 0, 2, Ref("d"), np.array([1]), np.array([0, 1]), BIT)
    nodes = (Inputs("u", 2, Format(3, -4, 1)), Inputs("v", 2, Format(2, 0, 0)), difference, decision)
    made = Network(nodes, Readout("classes", "class", "d", None, 2, 0) if readout else None, Domain(), ())
    made.check()
    return made


def test_several_inputs_stand_one_after_the_other() -> None:
    network = pair(readout=True)
    given_codes = encode_inputs(network.inputs, np.array([[0.75, -9.0, 2.5, 9.0]]))
    assert given_codes.tolist() == [[2, -4, 2, 3]]
    assert decode_inputs(network.inputs, given_codes).tolist() == [[1.0, -2.0, 2.0, 3.0]]
    assert evaluate(network, given_codes)["d"].tolist() == [[2 - 4, -4 - 6]]
    for wrong, place in ((4, 1), (-1, 3)):
        bad = given_codes.copy()
        bad[0, place - 1] = wrong
        with pytest.raises(FomError, match=rf"C024.*\n.*place {place}"):
            evaluate(network, bad)
        with pytest.raises(FomError, match=rf"C041.*\n.*place {place}"):
            instantiate(network_to_family(network), 1).simulate(bad)


def test_inputs_in_another_order_are_another_network() -> None:
    network = pair(readout=True)
    swapped = replace(network, nodes=(network.nodes[1], network.nodes[0], *network.nodes[2:]))
    assert not prove_network_circuit(swapped, network_to_family(network)).complete
    assert prove_network_circuit(network, network_to_family(network)).complete


def test_a_network_that_decides_nothing() -> None:
    network = pair(readout=False)
    text = network_to_text(network)
    assert network_to_text(network_of_text(text)) == text
    values = evaluate(network, np.array([[3, -4, 1, 2]]))
    assert set(values) == {"u", "v", "d", "class"}
    found = decoded(network, values, "d")
    assert found.tolist() == [[0.5, -4.0]]
    assert decoded(network, values, "v").dtype == np.int64
    family = network_to_family(pair(readout=True))
    for refused in (
        network_to_family,
        lambda it: scores(it, values),
        lambda it: prove_network_circuit(it, family),
    ):
        with pytest.raises(FomError, match=r"C027.*decides nothing"):
            refused(network)


def test_a_query_over_several_inputs() -> None:
    from logic.family_to_sentence import family_to_sentence

    network = pair(readout=True)
    sentence = family_to_sentence(network_to_family(network))
    assert str(decide_monolithic(network, sentence, 1, 30.0)).startswith("Holds")
    operands = (Operand(Ref("u"), identity(2, 1)), Operand(Ref("v"), identity(2, -1)))
    zero = np.zeros(2, dtype=np.int64)
    other = replace(network, nodes=(*network.nodes[:2], Affine("d", 0, 2, operands, zero, zero, 1), network.nodes[3]))
    assert str(decide_monolithic(other, sentence, 1, 30.0)).startswith("Refuted")
