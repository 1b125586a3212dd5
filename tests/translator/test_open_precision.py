"""Words of as many bits as they need: the fixed network stays within the rounding budget of the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.inputs import encode_inputs
from circuits.network import Function, Network, Round, Table
from circuits.network_text import network_of_text, network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from circuits.readout import decoded
from circuits.scalar import Scalar, X, const
from logic.family_to_sentence import family_to_sentence
from logic.proving.circuit_sentence import prove_circuit_sentence
from logic.proving.network_circuit import prove_network_circuit
from translator import real
from translator.fixing import fix
from translator.precision import Precision, parse_precision
from translator.real_evaluate import evaluate as evaluate_real

Array = np.ndarray[Any, Any]
Slope = float | Callable[[Array], Array]

FRAC = 24
STEP = 2.0**-FRAC
SIZE = 5
EACH = np.arange(SIZE)
FIRST = np.zeros(SIZE, dtype=np.int64)

# A function with a bound of its slope on what it is given here.
FUNCTIONS = {
    "tanh": (Scalar("tanh", (X,)), 1.0),
    "sigmoid": (Scalar("sigmoid", (X,)), 0.25),
    "erf": (Scalar("erf", (X,)), 1.13),
    "sin": (Scalar("sin", (X,)), 1.0),
    "rectifier": (Scalar("max", (X, const(0.0))), 1.0),
    "absolute": (Scalar("abs", (X,)), 1.0),
    "exp of at most 1": (Scalar("exp", (Scalar("min", (X, const(1.0))),)), 2.72),
}


def linear(name: str, *operands: tuple[str, Array], constant: Array | None = None) -> real.Linear:
    size = len(constant) if constant is not None else len(operands[0][1])
    parts = tuple(real.Operand(Ref(of), csr_array(np.asarray(weights, dtype=float))) for of, weights in operands)
    return real.Linear(name, 0, size, parts, np.zeros(size) if constant is None else constant, np.zeros(size))


def product(name: str, left: str, right: str, right_index: Array = EACH) -> real.Multiply:
    return real.Multiply(name, 0, Ref(left), EACH, Ref(right), right_index)


def mapped(name: str, of: str, function: Scalar, size: int = SIZE) -> real.Map:
    return real.Map(name, 0, size, Ref(of), function)


def network(*nodes: real.RealNode, inputs: tuple[str, ...] = ("float",), size: int = SIZE) -> real.RealNetwork:
    """Static inputs `x0`, `x1`, .. of the given element types, and the nodes."""
    features = [real.Features(f"x{i}", size, (size,), dtype=dtype) for i, dtype in enumerate(inputs)]
    given_ = tuple(real.Input(node.name, node.name, node.dtype) for node in features)
    return real.RealNetwork((*features, *nodes), None, real.Domain(), given_, 0, ())


def open_precision(frac: int = FRAC) -> Precision:
    found = parse_precision(f"fixed:*.{frac}", "auto")
    assert found is not None
    return found


def fixed(given_: real.RealNetwork, features: Array, frac: int = FRAC, keep: tuple[str, ...] = ()) -> Network:
    values = evaluate_real(given_, features=features)
    bounds = {name: (float(found.min()), float(found.max())) for name, found in values.items()}
    return fix(given_, open_precision(frac), bounds, (), keep or tuple(node.name for node in given_.nodes))


def both(
    given_: real.RealNetwork, features: Array, frac: int = FRAC
) -> tuple[Network, dict[str, Array], dict[str, Array]]:
    """The fixed network, the real values, and the decoded fixed ones."""
    made = fixed(given_, features, frac)
    names = [node.name for node in given_.nodes]
    values = evaluate(made, encode_inputs(made.inputs, features), names)
    return made, evaluate_real(given_, features=features), {name: decoded(made, values, name) for name in names}


def budgets(
    given_: real.RealNetwork, values: dict[str, Array], slopes: dict[str, Slope], step: float
) -> dict[str, Array]:
    """For every node how far rounding may take it from its real value: half a step for a word, carried on by the nodes.

    What is shed in a sum is at most 2**-40 of what the sum may reach, and in a factor 2**-26 of it.
    """
    found: dict[str, Array] = {}
    half = step / 2
    for node in given_.nodes:
        match node:
            case real.Features():
                found[node.name] = np.full_like(values[node.name], half)
            case real.Linear():
                total = np.full_like(values[node.name], half)
                for operand in node.operands:
                    source = operand.ref.node
                    weights = np.abs(operand.matrix.toarray())
                    shed = 2.0**-26 * np.abs(values[source]).max() * (1 + weights.max())
                    total = total + (found[source] + shed * step / STEP) @ weights.T + half * SIZE
                found[node.name] = total
            case real.Multiply():
                left, right = node.left.node, node.right.node
                a, b = (np.abs(values[side]) for side in (left, right))
                ea, eb = found[left] + half + 2.0**-27 * a.max(), found[right] + half + 2.0**-27 * b.max()
                i, j = node.left_index, node.right_index
                found[node.name] = a[:, i] * eb[:, j] + b[:, j] * ea[:, i] + ea[:, i] * eb[:, j]
            case real.Map():
                slope, source = slopes[node.name], node.operand.node
                steep = slope(values[source]) if callable(slope) else slope
                found[node.name] = steep * found[source] + half
            case real.Maximum():
                found[node.name] = np.full_like(values[node.name], found[node.operand.node].max() + half)
            case real.Ratio():
                num, den = node.num.node, node.den.node
                bottom = np.abs(values[den][:, node.den_index])
                ratio = np.abs(values[node.name])
                # Numerator and denominator share 61 bits with the codes of the quotient.
                shed = 2.0**-60 / step * (np.abs(values[num]).max() + 4 * ratio.max() * bottom.max())
                error = found[num] + half + shed * step + ratio * (found[den][:, node.den_index] + half + shed)
                surely = bottom - found[den][:, node.den_index]
                found[node.name] = np.where(surely > 0, error / np.maximum(surely, STEP), np.inf) + half
            case _:
                raise AssertionError(node)
    return found


@st.composite
def real_networks(draw: Any) -> tuple[real.RealNetwork, dict[str, Slope], Array]:
    """Networks of linear maps, products, functions, maxima, softmax and quotients on numbers up to 100."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    inputs = draw(st.integers(1, 2))
    nodes: list[real.RealNode] = []
    slopes: dict[str, Slope] = {}
    sources = [f"x{i}" for i in range(inputs)]

    def weights() -> Array:
        return rng.standard_normal((SIZE, SIZE)).astype(np.float32) / SIZE

    for number in range(draw(st.integers(1, 6))):
        name = f"n{number}"
        one, other = draw(st.sampled_from(sources)), draw(st.sampled_from(sources))
        match draw(st.sampled_from(("linear", "product", "function", "softmax", "norm", "quotient"))):
            case "linear":
                nodes.append(linear(name, (one, weights()), (other, weights()), constant=rng.standard_normal(SIZE)))
            case "product":
                slopes[f"{name}.s"] = 1.0
                nodes += [mapped(f"{name}.s", other, Scalar("tanh", (X,))), product(name, one, f"{name}.s")]
            case "function":
                function, slopes[name] = FUNCTIONS[draw(st.sampled_from(sorted(FUNCTIONS)))]
                nodes.append(mapped(name, one, function))
            case "softmax":
                slopes[f"{name}.e"] = 1.0
                nodes += [
                    real.Maximum(f"{name}.m", 0, 1, Ref(one), EACH[None], None),
                    linear(f"{name}.d", (one, np.eye(SIZE)), (f"{name}.m", -np.ones((SIZE, 1)))),
                    mapped(f"{name}.e", f"{name}.d", Scalar("exp", (X,))),
                    linear(f"{name}.t", (f"{name}.e", np.ones((1, SIZE)))),
                    real.Ratio(name, 0, SIZE, Ref(f"{name}.e"), Ref(f"{name}.t"), FIRST),
                ]
            case "norm":
                root = Scalar("reciprocal", (Scalar("sqrt", (Scalar("add", (X, const(0.1))),)),))
                slopes[f"{name}.r"] = lambda v: (v * 0.9 + 0.1) ** -1.5 / 2
                nodes += [
                    linear(f"{name}.c", (one, np.eye(SIZE) - 1 / SIZE)),
                    product(f"{name}.p", f"{name}.c", f"{name}.c"),
                    linear(f"{name}.v", (f"{name}.p", np.full((1, SIZE), 1 / SIZE))),
                    mapped(f"{name}.r", f"{name}.v", root, 1),
                    product(name, f"{name}.c", f"{name}.r", FIRST),
                ]
            case _:
                below = Scalar("add", (Scalar("abs", (X,)), const(0.5)))
                signed = Scalar("where", (Scalar("ge", (X, const(0.0))), below, Scalar("neg", (below,))))
                slopes[f"{name}.b"] = 1.0
                nodes += [
                    mapped(f"{name}.b", other, signed),
                    real.Ratio(name, 0, SIZE, Ref(one), Ref(f"{name}.b"), EACH),
                ]
        sources.append(name)
    features = rng.uniform(-1, 1, (12, SIZE * inputs)) * draw(st.sampled_from([0.5, 3.0, 100.0]))
    return network(*nodes, inputs=("float",) * inputs), slopes, np.asarray(features)


def jumps(given_: real.RealNetwork, values: dict[str, Array], allowed: dict[str, Array]) -> bool:
    """Tell whether an argument of a function with a jump at 0 may lie on either side of it."""
    return any(
        isinstance(node, real.Map)
        and node.function.op == "where"
        and bool((np.abs(values[node.operand.node]) <= allowed[node.operand.node]).any())
        for node in given_.nodes
    )


@settings(max_examples=40, deadline=None)
@given(real_networks())
def test_values_stay_within_the_rounding_budget(drawn: tuple[real.RealNetwork, dict[str, Slope], Array]) -> None:
    given_, slopes, features = drawn
    made, values, found = both(given_, features)
    allowed = budgets(given_, values, slopes, STEP)
    if not jumps(given_, values, allowed):
        for name, budget in allowed.items():
            assert (np.abs(found[name] - values[name]) <= budget + 1e-12).all(), name
    again = network_of_text(network_to_text(made))
    names = [node.name for node in made.nodes]
    codes = encode_inputs(made.inputs, features)
    before, after = evaluate(made, codes, names), evaluate(again, codes, names)
    assert all(np.array_equal(before[name], after[name]) for name in names)


def test_the_budget_is_tight() -> None:
    """Four fractional bits fewer break the budget of 24, in a network of each kind of node."""
    rng = np.random.default_rng(3)
    features = rng.uniform(-3, 3, (200, SIZE))
    nodes: list[real.RealNode] = [
        linear("a", ("x0", rng.standard_normal((SIZE, SIZE)) / SIZE)),
        mapped("t", "a", FUNCTIONS["tanh"][0]),
    ]
    given_ = network(*nodes, product("p", "x0", "t"))
    _, values, found = both(given_, features, FRAC - 4)
    allowed = budgets(given_, values, {"t": 1.0}, STEP)
    assert all((np.abs(found[name] - values[name]) > allowed[name]).any() for name in ("x0", "a", "t", "p"))


def test_a_wide_layer_is_as_good_as_float32() -> None:
    rng = np.random.default_rng(0)
    width = 512
    weights = rng.standard_normal((width, width)).astype(np.float32) / 20
    given_ = network(linear("a", ("x0", weights)), linear("b", ("a", weights), ("x0", np.eye(width))), size=width)
    features = rng.uniform(-100, 100, (8, width)).astype(np.float32)
    _, values, found = both(given_, np.asarray(features, dtype=np.float64))
    single = features @ weights.T @ weights.T + features
    assert np.abs(found["b"] - values["b"]).max() <= np.abs(single - values["b"]).max()


def test_whole_numbers_are_exact() -> None:
    rng = np.random.default_rng(1)
    features = rng.integers(-(10**8), 10**8, (20, SIZE)).astype(float)
    weights = rng.integers(-9, 9, (SIZE, SIZE))
    large = rng.integers(-(10**12), 10**12, SIZE).astype(float)
    nodes = (
        linear("a", ("x0", weights), constant=large),
        product("p", "x0", "x0"),
        mapped("m", "x0", Scalar("mod", (X, const(7.0)))),
        mapped("r", "x0", Scalar("max", (X, const(0.0)))),
        mapped("b", "a", Scalar("abs", (X,))),
        linear("d", ("x0", 2 * np.eye(SIZE))),
        mapped("c", "x0", Scalar("gt", (X, const(5.0)))),
        real.Maximum("x", 0, 1, Ref("a"), EACH[None], None),
    )
    _, values, found = both(network(*nodes, inputs=("int64",)), features)
    for name, expected in values.items():
        assert found[name].dtype == np.int64, name
        assert np.array_equal(found[name], expected), name


def test_int64_data_is_encoded_exactly_or_refused() -> None:
    largest = (1 << 53) + 1
    given_ = network(linear("a", ("x0", np.eye(SIZE))), inputs=("int64",))
    codes = np.full((1, SIZE), largest, dtype=np.int64)
    made = fix(given_, open_precision(), {"x0": (0.0, 2.0**54), "a": (0.0, 2.0**54)}, (), ("a",))
    assert evaluate(made, encode_inputs(made.inputs, codes), ["a"])["a"].tolist() == [[largest] * SIZE]
    with pytest.raises(FomError, match=r"C026"):
        fix(given_, open_precision(), {"x0": (0.0, 2.0**60), "a": (0.0, 2.0**60)}, (), ("a",))
    with pytest.raises(FomError, match=r"C001.*62 bits"):
        fix(given_, open_precision(), {"x0": (-(2.0**63), 0.0), "a": (0.0, 0.0)}, (), ("a",))


def test_a_product_of_whole_numbers_that_does_not_fit_is_refused() -> None:
    with pytest.raises(FomError, match=r"C026.*product"):
        fixed(network(product("p", "x0", "x0"), inputs=("int64",)), np.full((1, SIZE), 2.0**33))


def test_a_number_that_would_be_lost_is_refused() -> None:
    """A mask of the largest float32 added to numbers leaves no bits for them."""
    drowned = network(linear("s", ("x0", np.eye(SIZE)), ("x1", -3.4e38 * np.eye(SIZE))), inputs=("float", "bool"))
    features = np.concatenate([np.ones((2, SIZE)), np.eye(2, SIZE)], axis=1)
    with pytest.raises(FomError, match=r"C026.*`x0` beside a sum"):
        fixed(drowned, features)
    masked = network(linear("s", ("x0", np.eye(SIZE)), ("x1", -1e4 * np.eye(SIZE))), inputs=("float", "bool"))
    _, values, found = both(masked, features)
    assert np.array_equal(found["s"], values["s"])


def test_weights_of_very_different_size_keep_their_share() -> None:
    scales = 10.0 ** np.arange(-2, 3)
    given_ = network(linear("a", ("x0", np.diag(scales / 3))))
    features = np.random.default_rng(0).uniform(-3, 3, (50, SIZE))
    _, values, found = both(given_, features)
    assert (np.abs(found["a"] - values["a"]) <= 2 * STEP * np.maximum(scales, 1)).all()


@pytest.mark.parametrize("frac", [4, FRAC])
def test_a_denominator_of_either_sign(frac: int) -> None:
    rng = np.random.default_rng(0)
    ratio = real.Ratio("q", 0, SIZE, Ref("x0"), Ref("x1"), EACH[::-1].copy())
    tops, bottoms = rng.uniform(-9, 9, (50, SIZE)), rng.uniform(1, 3, (50, SIZE)) * rng.choice([-1, 1], (50, SIZE))
    features = np.concatenate([tops, bottoms], axis=1)
    given_ = network(ratio, inputs=("float", "float"))
    made, values, found = both(given_, features, frac)
    assert np.abs(found["q"] - values["q"]).max() <= 12 * 2.0**-frac
    features[7, SIZE + 2] = 0.0
    with pytest.raises(FomError, match=r"C025.*\n.*node `q`, input 7"):
        evaluate(made, encode_inputs(made.inputs, features), ["q"])


def test_tables_are_written_out_where_they_are_small() -> None:
    features = np.random.default_rng(0).uniform(-3, 3, (50, SIZE))
    given_ = network(
        mapped("fine", "x0", FUNCTIONS["tanh"][0]),
        mapped("step", "x0", Scalar("ge", (X, const(0.3)))),
        mapped("equal", "x0", Scalar("eq", (X, const(0.3)))),
        mapped("rectifier", "x0", FUNCTIONS["rectifier"][0]),
    )
    fine, coarse = fixed(given_, features), fixed(given_, features, 6)
    kinds = {"fine": Function, "step": Table, "equal": Function, "rectifier": Round}
    assert {name: type(fine.by_name[name]) for name in kinds} == kinds
    assert isinstance(coarse.by_name["fine"], Table)
    assert isinstance(coarse.by_name["equal"], Table)


def test_an_unused_input_keeps_its_place() -> None:
    given_ = network(linear("a", ("x1", np.eye(SIZE))), inputs=("float", "float"))
    features = np.arange(2 * SIZE, dtype=float)[None]
    made = fix(given_, open_precision(), {"x1": (0.0, 9.0), "a": (0.0, 9.0)}, (), ("a",))
    values = evaluate(made, encode_inputs(made.inputs, features), ["a"])
    assert decoded(made, values, "a").tolist() == [[5.0, 6.0, 7.0, 8.0, 9.0]]


def test_two_inputs_decide_the_same_on_every_side() -> None:
    """Network = family = sentence, proved, for a decision on two inputs at few fractional bits."""
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((2, SIZE))
    given_ = network(
        mapped("t", "x1", FUNCTIONS["tanh"][0]), product("p", "x0", "t"), linear("y", ("p", weights)),
        inputs=("float", "float"),
    )  # fmt: skip
    output = real.Output("y", "classes", Ref("y"), 0, 2)
    given_ = real.RealNetwork(given_.nodes, output, given_.domain, given_.inputs, 0, ())
    features = rng.uniform(-1, 1, (200, 2 * SIZE))
    values = evaluate_real(given_, features=features)
    bounds = {name: (float(found.min()), float(found.max())) for name, found in values.items()}
    made = fix(given_, open_precision(2), bounds, ())
    family = network_to_family(made)
    sentence = family_to_sentence(family)
    codes = encode_inputs(made.inputs, features)
    decided = evaluate(made, codes)["class"]
    assert np.array_equal(instantiate(family, 1).simulate(codes)["class"], decided)
    assert prove_network_circuit(made, family).complete
    assert prove_circuit_sentence(family, sentence).complete
    assert decided.sum(axis=1).tolist() == [1] * len(features)


@pytest.mark.parametrize(
    ("text", "written"), [("fixed:*.24", Precision(None, 24, 24)), ("fixed:*.0", Precision(None, 0, 24))]
)
def test_settings(text: str, written: Precision) -> None:
    assert parse_precision(text, "auto") == written
    assert str(written) == text


@pytest.mark.parametrize("text", ["fixed:*", "fixed:*.", "fixed:*.-1", "fixed:*.41", "fixed:**.3"])
def test_settings_that_are_refused(text: str) -> None:
    with pytest.raises(FomError, match=r"T020"):
        parse_precision(text, "auto")
