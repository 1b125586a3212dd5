"""Bounds on boxes contain what sampled codes evaluate to, on networks of every kind of node that a static network has."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.evaluate import evaluate
from circuits.formats import Format
from circuits.inputs import input_limits
from circuits.matrices import Matrix, matrix
from circuits.network import (
    Affine,
    Domain,
    Inputs,
    Maximum,
    Network,
    Node,
    Operand,
    Product,
    Quotient,
    Round,
    Table,
)
from circuits.positions import Ref
from logic.boxes.bounding import Bounder
from logic.boxes.questions import Inequality, Question
from logic.boxes.searching import Search
from logic.boxes.steps import Rounding, Shape, Steps
from translator.pipeline import translate

EXAMPLES = Path(__file__).parents[2] / "examples"


def matrix_of(weights: np.ndarray) -> Matrix:
    rows, columns = np.indices(weights.shape)
    return matrix(rows.ravel(), columns.ravel(), weights.ravel().astype(np.int64), weights.shape)


def affine(name: str, source: str, weights: np.ndarray, const: np.ndarray) -> Affine:
    zero = np.zeros(len(const), dtype=np.int64)
    return Affine(name, 0, len(const), (Operand(Ref(source), matrix_of(weights)),), const, zero, 0)


def network_of(seed: int) -> Network:
    """A random network of all kinds of nodes, with tables that rise, fall and do neither."""
    rng = np.random.default_rng(seed)

    def sums(name: str, source: str, size: int, width: int) -> Affine:
        return affine(name, source, rng.integers(-9, 10, (size, width)), np.asarray(rng.integers(-40, 41, size)))

    breaks = np.unique(rng.integers(-120, 120, 30))
    codes = rng.integers(-8, 8, len(breaks) + 1)
    codes = np.sort(codes)[:: rng.choice([-1, 1])] if seed % 3 else codes
    word = Format(4, -8, 0)
    index = np.array([0, 1, 2])
    nodes: list[Node] = [
        Inputs("x", 3, Format(5, -16, 0)),
        sums("a", "x", 5, 3),
        Round("r", 0, 5, Ref("a"), 3, Format(5, 0, 0)),
        Round("s", 0, 5, Ref("a"), 2, Format(4, -8, 0)),
        sums("b", "r", 4, 5),
        Table("t", 0, 4, Ref("b"), breaks, codes, word),
        Maximum("m", 0, 3, Ref("t"), np.array([[0, 1], [1, 2], [3, 3]]), None, ((Ref("s"), np.array([[4], [3], [0]])),), word),
        Product("p", 0, Ref("m"), index, Ref("s"), index, 0),
        Product("q", 0, Ref("m"), index, Ref("m"), index, 0),
        affine("d", "q", np.eye(3, dtype=np.int64), np.ones(3, dtype=np.int64)),
        Quotient("v", 0, 3, Ref("p"), Ref("d"), index, 2, Format(6, -32, 0)),
        sums("y", "v", 2, 3),
        sums("z", "m", 2, 3),
    ]  # fmt: skip
    return Network(tuple(nodes), None, Domain(), ())


def require_contained(network: Network, names: tuple[str, ...], low: np.ndarray, high: np.ndarray, seed: int) -> None:
    """Compare bounds of all nodes, and backward bounds of the wanted ones, with sampled codes and all corners that fit."""
    rng = np.random.default_rng(seed)
    bounder = Bounder(network, names)
    known = bounder.bounds(low, high)
    for box in range(len(low)):
        codes = rng.integers(low[box], high[box], (200, len(low[box])), endpoint=True)
        codes = np.concatenate([codes, np.where(rng.integers(0, 2, codes.shape) == 1, low[box], high[box])])
        values = evaluate(network, codes, wanted=[node.name for node in bounder.nodes])
        for node in bounder.nodes:
            found = values[node.name].reshape(len(codes), -1)
            assert (found >= known.spans[node.name][0][box]).all(), node.name
            assert (found <= known.spans[node.name][1][box]).all(), node.name
        for name in names:
            rows = np.arange(network.by_name[name].size)
            for sign in (1.0, -1.0):
                above, _ = bounder.backward.of_rows(name, np.full(len(rows), box), rows, sign, known)
                assert (sign * values[name].reshape(len(codes), -1) <= above).all(), name


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_bounds_contain_every_value_of_random_networks(seed: int, narrowing: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(-16, 16, (2, 6, 3)), axis=0)
    low = ends[0]
    high = low + ((ends[1] - low) >> narrowing)
    require_contained(network_of(seed), ("y", "z"), low, high, seed)


def layers_of(seed: int) -> Network:
    """A random network of sums and steps alone, of few inputs: linear functions are followed forward."""
    rng = np.random.default_rng(seed)

    def sums(name: str, source: str, size: int, width: int) -> Affine:
        return affine(name, source, rng.integers(-9, 10, (size, width)), np.asarray(rng.integers(-90, 91, size)))

    breaks = np.unique(rng.integers(-150, 150, 25))
    codes = rng.integers(-60, 60, len(breaks) + 1)
    codes = np.sort(codes)[:: rng.choice([-1, 1])] if seed % 3 else codes
    nodes: list[Node] = [
        Inputs("x", 3, Format(5, -16, 0)),
        sums("a", "x", 6, 3),
        Round("r", 0, 6, Ref("a"), int(rng.integers(0, 3)), Format(9, 0 if seed % 2 else -20, 0)),
        sums("b", "r", 5, 6),
        Table("t", 0, 5, Ref("b"), breaks, codes, Format(8, -64, 0)),
        sums("c", "t", 4, 5),
        Round("s", 0, 4, Ref("c"), 3, Format(7, -8, 0)),
        sums("y", "s", 2, 4),
        Affine("k", 0, 2, (), np.array([7, -5]), np.zeros(2, dtype=np.int64), 0),
        Affine(
            "z",
            0,
            2,
            (*sums("z", "r", 2, 6).operands, Operand(Ref("k"), matrix_of(np.eye(2)))),
            np.array([1, 2]),
            np.zeros(2, dtype=np.int64),
            0,
        ),
    ]
    return Network(tuple(nodes), None, Domain(), ())


def require_between(network: Network, low: np.ndarray, high: np.ndarray, seed: int) -> None:
    """Evaluate the linear functions of all nodes at sampled codes, in rationals, and compare them with the values."""
    rng = np.random.default_rng(seed)
    bounder = Bounder(network, ("y", "z"))
    assert bounder.forward
    known = bounder.bounds(low, high)
    for box in range(len(low)):
        ends = np.stack([low[box], high[box]])
        codes = np.concatenate(
            [
                ends,
                np.where(rng.integers(0, 2, (3, 3)) == 1, *ends),
                rng.integers(ends[0], ends[1], (3, 3), endpoint=True),
            ]
        )
        values = evaluate(network, codes, wanted=[node.name for node in bounder.nodes])
        given_x = known.linear["x"].low[:, box]
        radius, centre = np.diag(given_x).tolist(), given_x[-1].tolist()
        for number, code in enumerate(codes.tolist()):
            places = [(c - Fraction(middle)) / Fraction(half) if half else Fraction(0)
                      for c, middle, half in zip(code, centre, radius, strict=True)]  # fmt: skip
            assert max(map(abs, places)) <= 1
            for name, linear in known.linear.items():
                for element, value in enumerate(values[name][number].ravel().tolist()):
                    below, above = (
                        sum((Fraction(coef) * place for coef, place in zip(given[:-1, box, element], places, strict=True)),
                            Fraction(given[-1, box, element]))
                        for given in (linear.low, linear.high)
                    )  # fmt: skip
                    assert below <= value <= above, name


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 5))
def test_linear_functions_are_below_and_above_every_value(seed: int, narrowing: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(-16, 16, (2, 2, 3)), axis=0)
    high = ends[0] + ((ends[1] - ends[0]) >> narrowing)
    require_between(layers_of(seed), ends[0], high, seed)
    require_contained(layers_of(seed), ("y", "z"), ends[0], high, seed)


def test_linear_functions_are_tighter_than_intervals() -> None:
    low = np.array([[-9, -9, -9]])
    tighter = 0
    for seed in range(8):
        bounder = Bounder(layers_of(seed), ("y",))
        known = bounder.bounds(low, low + 6)
        bounder.forward = False
        wide = bounder.bounds(low, low + 6).spans["y"]
        narrow = known.spans["y"]
        assert (narrow[0] >= wide[0]).all()
        assert (narrow[1] <= wide[1]).all()
        tighter += bool((narrow[1] - narrow[0] < wide[1] - wide[0]).any())
    assert tighter > 3


def lines_hold(shape: Shape, steps: Rounding | Steps, low: int, high: int) -> None:
    """Compare the lines on one interval with every word, in rationals."""
    arguments = np.arange(low, high + 1)
    words = steps.words((arguments[None].astype(float),) * 2)[0][0]
    span = (np.array([[float(low)]]), np.array([[float(high)]]))
    lines, gap = shape.lines(span, steps.words(span))
    for argument, word in zip(arguments.tolist(), words.tolist(), strict=True):
        below = Fraction(lines.low_slope[0, 0]) * argument + Fraction(lines.low_const[0, 0])
        above = Fraction(lines.high_slope[0, 0]) * argument + Fraction(lines.high_const[0, 0])
        assert below <= Fraction(word) <= above
    assert gap[0, 0] <= words.max() - words.min() + 1e-6


@settings(max_examples=60, deadline=None)
@given(st.integers(-60, 60), st.integers(0, 80), st.integers(0, 4), st.integers(-9, 9), st.integers(0, 20))
def test_lines_are_below_and_above_rounding(low: int, width: int, shift: int, least: int, range_: int) -> None:
    node = Round("r", 0, 1, Ref("a"), shift, Format(max(2, range_.bit_length() + 1), least, 0))
    steps = Rounding.of(node)
    lines_hold(steps.shape, steps, low, low + width)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(-60, 60), st.integers(0, 80))
def test_lines_are_below_and_above_tables(seed: int, low: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    breaks = np.unique(rng.integers(-70, 70, rng.integers(1, 20)))
    codes = rng.integers(-30, 30, len(breaks) + 1)
    codes = [codes, np.sort(codes), np.sort(codes)[::-1]][seed % 3]
    steps = Steps.of(Table("t", 0, 1, Ref("a"), breaks, codes, Format(6, -32, 0)))
    lines_hold(steps.shape, steps, low, low + width)


@pytest.mark.parametrize("name", ["mlp_xor", "lenet_digits"])
def test_bounds_contain_every_value_of_examples(name: str) -> None:
    network = translate(EXAMPLES / name / "model.onnx", precision="fixed:6").network
    rng = np.random.default_rng(5)
    least, most = input_limits(network.inputs)
    centre = rng.integers(least, most, (4, len(least)), endpoint=True)
    radius = np.array([0, 1, 3, 40])[:, None]
    low, high = np.maximum(centre - radius, least), np.minimum(centre + radius, most)
    require_contained(network, (network.decided.scores,), low, high, 5)


def test_a_single_code_has_exact_bounds() -> None:
    network = network_of(3)
    code = np.array([[3, -5, 7]])
    known = Bounder(network, ("y",)).bounds(code, code)
    values = evaluate(network, code)
    for name, (low, high) in known.spans.items():
        assert np.array_equal(low[0], values[name].ravel()), name
        assert np.array_equal(high[0], values[name].ravel()), name


def test_backward_bounds_are_tighter_than_intervals() -> None:
    network = translate(EXAMPLES / "mlp_xor" / "model.onnx", precision="fixed:8").network
    low = np.zeros((1, 4), dtype=np.int64)
    name = network.decided.scores
    bounder = Bounder(network, (name,))
    bounder.forward = False
    known = bounder.bounds(low, low + 12)
    above, _ = bounder.backward.of_rows(name, np.zeros(2, dtype=np.int64), np.arange(2), 1.0, known)
    assert (above < known.spans[name][1][0]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(-120, 120), st.integers(-3, 3), st.integers(-3, 3))
def test_search_decides_as_all_codes_do(seed: int, bound: int, left: int, right: int) -> None:
    network = network_of(seed) if seed % 2 else layers_of(seed)
    rng = np.random.default_rng(seed)
    ends = np.sort(rng.integers(-16, 16, (2, 3)), axis=0)
    own = Inequality((("y", (left, right)),), bound)
    other = Inequality((("y", (1, 0)), ("z", (0, -1))), 4 * bound)
    question = Question(
        ends[0], np.minimum(ends[1], ends[0] + 12), ((own, other), (Inequality((("z", (0, 1)),), -300),))
    )
    axes = [np.arange(low, high + 1) for low, high in zip(question.low, question.high, strict=True)]
    codes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    _, holds = question.excesses(network, codes)
    outcome = Search(network, question, float("inf"), lambda text: None).run()
    assert (outcome.found is not None) == bool(holds.any())
    assert outcome.complete == (not holds.any())
    if outcome.found is not None:
        assert (outcome.found >= question.low).all()
        assert (outcome.found <= question.high).all()
        assert question.excesses(network, outcome.found[None])[1].any()


def test_a_search_without_time_is_open() -> None:
    network = network_of(1)
    low = np.full(3, -16, dtype=np.int64)
    question = Question(low, low + 31, ((Inequality((("y", (1, 1)),), -(10**6)),),))
    outcome = Search(network, question, 0.0, lambda text: None).run()
    assert outcome.found is None
    assert not outcome.complete
    assert outcome.counts.left


def test_excesses_are_exact_beyond_64_bits() -> None:
    network = network_of(1)
    huge = 10**30
    question = Question(
        np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.int64), ((Inequality((("y", (huge, 0)),), huge * 5),),)
    )
    codes = np.array([[0, 0, 0], [1, 1, 1]])
    _, holds = question.excesses(network, codes)
    assert holds[:, 0].tolist() == (evaluate(network, codes)["y"][:, 0] <= 5).tolist()
