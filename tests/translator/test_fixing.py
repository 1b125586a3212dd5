"""Rounding points: the fixed network approaches the real one as words grow, and is defined on every word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.network import Maximum, Network, Quotient, Round, Table
from circuits.positions import TRUE, AtLeast, Ref, Term, var
from circuits.readout import scores
from circuits.scalar import Scalar, X, const
from circuits.words import all_words
from tests.translator.tiny_transformers import Shape, save
from translator import real
from translator.fidelity import InputSet, observe, words_up_to
from translator.fixing import fix
from translator.pipeline import translate
from translator.precision import Precision
from translator.reading import read
from translator.real_evaluate import outputs
from translator.sides import Sides

Array = np.ndarray[Any, Any]

x, y = var(0), var(1)
EACH = np.arange(2)
LONGEST = 5


def linear(name: str, k: int, *operands: tuple[Ref, Any], constant: Any = (0.0, 0.0)) -> real.Linear:
    """An affine map of size 2."""
    parts = tuple(real.Operand(ref, csr_array(np.asarray(weights, dtype=float))) for ref, weights in operands)
    return real.Linear(name, k, 2, parts, np.array(constant), np.zeros(2))


def product(name: str, k: int, left: Ref, right: Ref) -> real.Multiply:
    return real.Multiply(name, k, left, EACH, right, EACH)


EMBEDDING = linear("e", 1, (Ref("w", (x,)), [[0.7, -1.3], [0.4, 0.9]]))
MIXED = [[1.0, 0.5], [0.25, 1.0]]


def network(*nodes: real.RealNode) -> real.RealNetwork:
    """Letters, an embedding `e`, the nodes, and a decision on the sum over positions of the last one."""
    total = real.Sum("total", 0, 2, Ref(nodes[-1].name, (x,)), TRUE)
    output = real.Output("out", "classes", Ref("total"), 0, 2)
    return real.RealNetwork((real.Letters("w", 2), EMBEDDING, *nodes, total), output, real.Domain(), (), 2, ())


def both(of: str, shift: Term) -> tuple[tuple[Ref, Any], tuple[Ref, Any]]:
    """A node at x and half of it at another position."""
    return (Ref(of, (x,)), np.eye(2)), (Ref(of, (shift,)), np.eye(2) / 2)


BEFORE = x + -1
SQUARE = product("p", 1, Ref("e", (x,)), Ref("e", (x,)))
PAIRS = product("p", 2, Ref("e", (x,)), Ref("e", (y,)))
NETWORKS = {
    "a shifted sum": network(linear("r", 1, *both("e", BEFORE))),
    "a shifted sum of shifted sums": network(linear("q", 1, *both("e", BEFORE)), linear("r", 1, *both("q", BEFORE))),
    "a shifted product": network(SQUARE, linear("r", 1, *both("p", BEFORE))),
    "a shifted sum of products": network(
        SQUARE, linear("q", 1, (Ref("p", (x,)), MIXED), constant=(0.3, -0.2)), linear("r", 1, *both("q", BEFORE))
    ),
    "a shifted sum over positions": network(
        real.Sum("t", 1, 2, Ref("e", (y,)), AtLeast(x - y)), linear("r", 1, *both("t", x + 1))
    ),
    "a function of a shifted sum": network(real.Map("m", 1, 2, Ref("e", (BEFORE,)), Scalar("sigmoid", (X,)))),
    "a maximum with a shifted sum": network(
        real.Maximum("m", 1, 2, Ref("e", (BEFORE,)), EACH[:, None], None, ((Ref("e", (x,)), EACH[:, None]),))
    ),
    "a constant factor": network(linear("q", 1, constant=(2.5, 3.5)), product("p", 1, Ref("q", (x,)), Ref("e", (x,)))),
    "positions that only longer words have": network(
        PAIRS, real.Sum("t", 1, 2, Ref("p", (x, y)), AtLeast(x - y + -3)), linear("r", 1, *both("t", x))
    ),
    "an absolute value": network(real.Map("m", 1, 2, Ref("e", (x,)), Scalar("abs", (X,)))),
    "a rectifier": network(real.Map("m", 1, 2, Ref("e", (x,)), Scalar("max", (X, const(0.0))))),
}


def words(n: int, letters: int = 2) -> Array:
    return np.concatenate(list(all_words(letters, n)))


def fixed(given: real.RealNetwork, bits: int, seen: int = LONGEST, weight_bits: int | None = None) -> Network:
    """Fix a real network with formats for the words up to a length."""
    inputs = InputSet(tuple(words(n) for n in range(1, seen + 1)), "", seen)
    return fix(given, Precision(bits, None, weight_bits or bits + 6), observe(given, inputs), ("a", "b"))


def error(given: real.RealNetwork, made: Network, longest: int = LONGEST) -> float:
    """The largest distance of a score on the words up to a length."""
    return max(
        float(np.abs(scores(made, evaluate(made, words(n))) - outputs(given, words=words(n))).max())
        for n in range(1, longest + 1)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_scores_approach_the_real_ones(name: str) -> None:
    errors = [error(NETWORKS[name], fixed(NETWORKS[name], bits)) for bits in (6, 10, 14)]
    assert errors[0] < 1
    assert errors[2] < errors[0] / 16
    assert errors[2] < 0.01


def test_positions_that_no_word_seen_has() -> None:
    """A window that opens at distance 3, fixed from words of two letters, is there in words of five."""
    given = NETWORKS["positions that only longer words have"]
    made = fixed(given, 12, seen=2)
    assert evaluate(made, words(5), ["t"])["t"].any()
    found = np.ldexp(evaluate(made, words(5), ["t"])["t"].astype(float), -made.frac("t")).reshape(-1, 2)
    assert np.abs(found - outputs_of(given, "t", 5)).max() < 0.01


def test_a_value_that_is_never_finite_is_refused() -> None:
    nowhere = network(
        real.Map("l", 1, 2, Ref("e", (x,)), Scalar("log", (const(0.0),))),
        real.Map("m", 1, 2, Ref("l", (x,)), Scalar("exp", (X,))),
    )
    with pytest.raises(FomError, match=r"T031.*no finite value was seen of `l`"):
        fixed(nowhere, 8)


def values_of(made: Network, name: str) -> Array:
    return np.concatenate([evaluate(made, words(n), [name])[name].reshape(-1, 2) for n in (1, 2, 3)])


def test_a_rectifier_is_the_rounding_that_saturates() -> None:
    given = NETWORKS["a rectifier"]
    made = fixed(given, 4)
    node = made.by_name["m"]
    assert isinstance(node, Round)
    assert node.format.lo == 0
    real_values = np.concatenate([outputs_of(given, "e", n) for n in (1, 2, 3)])
    exact = values_of(made, "e")
    expected = node.format.encode(np.maximum(np.ldexp(exact.astype(float), -made.frac("e")), 0.0))
    assert np.array_equal(values_of(made, "m"), expected)
    assert np.abs(np.ldexp(exact.astype(float), -made.frac("e")) - real_values).max() < 0.01


def outputs_of(given: real.RealNetwork, name: str, n: int) -> Array:
    from translator.real_evaluate import evaluate as evaluate_real

    return evaluate_real(given, words(n), wanted=[name])[name].reshape(-1, 2)


def test_an_absolute_value_is_a_maximum_of_two_roundings() -> None:
    made = fixed(NETWORKS["an absolute value"], 5)
    node = made.by_name["m"]
    assert isinstance(node, Maximum)
    exact = np.ldexp(values_of(made, "e").astype(float), -made.frac("e"))
    assert np.array_equal(values_of(made, "m"), node.format.encode(np.abs(exact)))


@pytest.mark.parametrize(
    ("low", "high", "kind"), [(-4, 3, Round), (0, 7, Round), (-2, 1, Round), (-3, 3, Table), (0, 6, Table)]
)
def test_a_clipped_rounding_is_a_word_if_its_values_fill_one(low: int, high: int, kind: type) -> None:
    inner = Scalar("round", (X,))
    clipped = Scalar("min", (Scalar("max", (inner, const(low))), const(high)))
    loud = linear("q", 1, (Ref("e", (x,)), [[9.1234, 2.7183], [-7.0714, 1.4142]]))
    made = fixed(network(loud, real.Map("m", 1, 2, Ref("q", (x,)), clipped)), 8, weight_bits=12)
    assert isinstance(made.by_name["m"], kind)
    exact = np.ldexp(values_of(made, "q").astype(float), -made.frac("q"))
    frac = made.frac("m")
    assert np.array_equal(np.ldexp(values_of(made, "m").astype(float), -frac), np.clip(np.rint(exact), low, high))


@pytest.mark.parametrize("wide", [False, True])
def test_operands_beyond_62_bits_are_rounded_first(wide: bool) -> None:
    turn = [[0.6131, 0.7907], [-0.7907, 0.6131]]
    nodes: list[real.RealNode] = [linear("a0", 1, (Ref("e", (x,)), turn))]
    nodes += [linear(f"a{i}", 1, (Ref(f"a{i - 1}", (x,)), turn)) for i in range(1, 5 if wide else 2)]
    made = fixed(network(*nodes), 8, weight_bits=12)
    assert any(isinstance(node, Round) for node in made.nodes) == wide
    assert error(network(*nodes), made) < 0.1


shapes = st.builds(
    Shape,
    layers=st.integers(1, 2),
    heads=st.sampled_from([1, 2]),
    norm=st.sampled_from(["none", "pre", "post"]),
    causal=st.booleans(),
    readout=st.sampled_from(["mean", "last", "max", "each"]),
    letters=st.integers(2, 3),
    classes=st.integers(1, 3).filter(lambda n: n > 1),
    gain=st.sampled_from([0.1, 1.0, 5.0, 40.0]),
    seed=st.integers(0, 10_000),
)
FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
PRECISIONS = (
    Precision(2, None, 8),
    Precision(3, None, 4),
    Precision(6, None, 10),
    Precision(5, 2, 8),
    Precision(4, -1, 8),
)


@FEW
@given(shape=shapes)
def test_random_transformers_are_defined_on_every_word(tmp_path: Path, shape: Shape) -> None:
    """At the maximum ``score - max`` is 0 and its exponential at least 1, so that no denominator is ever 0."""
    given_ = read(save(shape, tmp_path))
    bounds = observe(given_, words_up_to(given_, 3))
    for precision in PRECISIONS:
        made = fix(given_, precision, bounds, tuple("abc"[: shape.letters]))
        exponentials = [node for node in made.nodes if isinstance(node, Table) and "exp" in node.name]
        assert len(exponentials) >= shape.layers
        denominators = [node.den.node for node in made.nodes if isinstance(node, Quotient)]
        for n in range(1, LONGEST + 1):
            values = evaluate(made, words(n, shape.letters), denominators)
            for name in denominators:
                assert values[name].min() >= 1


@FEW
@given(shape=shapes, bits=st.sampled_from(["fixed:2", "fixed:3", "fixed:4.2"]))
def test_random_transformers_decide_the_same_on_every_side(tmp_path: Path, shape: Shape, bits: str) -> None:
    small = replace(shape, width=2, letters=2)
    sides = Sides(translate(save(small, tmp_path), precision=bits, max_length=3))
    for n in range(1, 5):
        decided = sides.network_words(words(n))
        assert np.array_equal(sides.circuit_words(words(n)), decided)
        assert np.array_equal(sides.sentence_words(words(n)), decided)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("norm", ["none", "pre", "post"])
def test_logits_of_transformers_approach_the_float_ones(tmp_path: Path, norm: str, causal: bool) -> None:
    given_ = read(save(Shape(heads=2, norm=norm, causal=causal, seed=5), tmp_path))
    errors = [error(given_, fixed(given_, bits, weight_bits=16), 4) for bits in (6, 10, 14)]
    assert errors[2] < errors[0] / 10
    assert errors[2] < 0.05
