"""Words of small floats: every rounding of a translated network is the nearest value of the format, once."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from scipy.sparse import csr_array

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.floats import Codebook, FloatFormat
from circuits.formats import BIT
from circuits.inputs import encode_inputs
from circuits.network import Affine, Exact, Letters, Network, Predicates, Quotient, Round, Table
from circuits.network_text import network_of_text, network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import TRUE, Ref, var
from circuits.scalar import Scalar, X, const
from circuits.words import all_words
from logic.batch import evaluate as truth
from logic.family_to_sentence import family_to_sentence
from logic.proving.circuit_sentence import prove_circuit_sentence
from logic.proving.network_circuit import prove_network_circuit
from translator import real
from translator.fidelity import InputSet, observe, words_up_to
from translator.fixing import fitted
from translator.pipeline import Settings, fidelity_inputs, read_network, translate
from translator.precision import Precision, parse_precision
from translator.real_evaluate import evaluate as evaluate_real

Array = np.ndarray[Any, Any]

EXAMPLES = Path(__file__).parents[2] / "examples"
FORMATS = ["e4m3", "e5m2", "e5m10", "e8m7"]
EACH = np.arange(2)
x, y = var(0), var(1)


def float_precision(name: str, weight_bits: str = "auto") -> Precision:
    found = parse_precision(f"float:{name}", weight_bits)
    assert found is not None
    return found


def linear(name: str, k: int, *operands: tuple[Ref, Any], constant: Any = (0.0, 0.0)) -> real.Linear:
    """An affine map of size 2."""
    parts = tuple(real.Operand(ref, csr_array(np.asarray(weights, dtype=float))) for ref, weights in operands)
    return real.Linear(name, k, 2, parts, np.array(constant), np.zeros(2))


def static(*nodes: real.RealNode, dtype: str = "float") -> real.RealNetwork:
    """A fixed-size input `x` of 2 numbers, and the nodes."""
    source = real.Features("x", 2, (2,), dtype=dtype)
    return real.RealNetwork((source, *nodes), None, real.Domain(), (real.Input("x", "x", dtype),), 0, ())


def fixed_static(
    given: real.RealNetwork, features: Array, name: str, weight_bits: str = "auto"
) -> tuple[Precision, Network, dict[str, Any]]:
    """The network at a float format, its precision with the span, and the values seen of each node."""
    seen = evaluate_real(given, features=features)
    bounds = {node: (float(values.min()), float(values.max())) for node, values in seen.items()}
    keep = tuple(node.name for node in given.nodes)
    precision, made = fitted(given, float_precision(name, weight_bits), bounds, (), keep)
    return precision, made, bounds


def expected_codes(codebook: Codebook, numbers: list[Fraction]) -> list[int]:
    """The nearest code to each number, of two equally near ones that of even index from 0: a definition by distance."""
    codes = codebook.codes().tolist()
    zero, found = codes.index(0), []
    for number in (number * Fraction(2) ** codebook.frac for number in numbers):
        place = bisect_left(codes, number)
        around = range(max(place - 1, 0), min(place, len(codes) - 1) + 1)
        found.append(codes[min(around, key=lambda i: (abs(number - codes[i]), (i - zero) % 2))])
    return found


def fractions(made: Network, values: dict[str, Array], name: str) -> list[Fraction]:
    """The exact numbers of a node, one row after the other."""
    return [Fraction(code) / Fraction(2) ** made.frac(name) for code in values[name].ravel().tolist()]


@pytest.mark.parametrize(
    ("name", "dtype", "shift"),
    [("e4m3", ml_dtypes.float8_e4m3fn, 13), ("e2m3", ml_dtypes.float6_e2m3fn, 8), ("e5m10", np.float16, 30)],
)
def test_every_tie_of_a_rounding(name: str, dtype: Any, shift: int) -> None:
    """Whole numbers over a power of two, which reach all binades up to their size, rounded as a factor of a product."""
    given = static(
        linear("a", 0, (Ref("x"), np.eye(2) * 2.0**-shift)),
        real.Multiply("p", 0, Ref("a"), EACH, Ref("a"), EACH),
        dtype="int32",
    )
    near = [(m << e) + d for e in range(14) for m in range(1 << 11, 1 << 12, 97) for d in (-1, 0, 1)]
    near += [(1 << e) + d for e in range(26) for d in (-(1 << e >> 5), -(1 << e >> 12), 0, 1, (1 << e >> 12))]
    numbers = np.unique(np.concatenate([np.arange(-1030, 1031), near, np.negative(near)]))
    features = np.stack([numbers, numbers[::-1]], axis=1)
    precision, made, _ = fixed_static(given, features.astype(float), name, "exact")
    assert precision.span == float_precision(name).spans[-1] or name == "e5m10"
    kinds = {type(node) for node in made.nodes if node.name == "a.r" or node.name.startswith("a.r.sum.b")}
    assert kinds == ({Table} if name != "e5m10" else {Round})
    values = evaluate(made, encode_inputs(made.inputs, features))
    exact = np.ldexp(features.astype(np.float64), -shift)
    limit = float(FloatFormat.parse(name).largest)
    window = made.frac("a.r")
    if window == FloatFormat.parse(name).frac:
        wanted = np.clip(exact, -limit, limit).astype(dtype).astype(np.float64)
        assert np.array_equal(np.ldexp(values["a.r"].astype(np.float64), -window), wanted)
    codebook = precision.codes_for(float(exact.min()), float(exact.max()))
    assert isinstance(codebook, Codebook)
    assert values["a.r"].ravel().tolist() == expected_codes(codebook, [Fraction(float(v)) for v in exact.ravel()])


@pytest.mark.parametrize("name", [*FORMATS, "e3m2"])
def test_every_rounding_is_the_nearest_value(name: str) -> None:
    """A factor, a quotient, functions, a rectifier, an absolute value and a maximum, on random inputs."""
    ones = real.Map("positive", 0, 2, Ref("a"), Scalar("exp", (X,)))
    given = static(
        linear("a", 0, (Ref("x"), [[0.7, -1.3], [0.4, 0.9]]), constant=(0.3, -0.6)),
        linear("b", 0, (Ref("x"), [[0.01, 2.3], [-1.4, 0.2]])),
        real.Multiply("p", 0, Ref("a"), EACH, Ref("b"), EACH),
        ones,
        real.Ratio("q", 0, 2, Ref("p"), Ref("positive"), EACH[::-1].copy()),
        real.Map("tanh", 0, 2, Ref("p"), Scalar("tanh", (X,))),
        real.Map("relu", 0, 2, Ref("p"), Scalar("max", (X, const(0.0)))),
        real.Map("abs", 0, 2, Ref("b"), Scalar("abs", (X,))),
        real.Maximum("max", 0, 2, Ref("a"), EACH[:, None], None, ((Ref("p"), EACH[::-1, None].copy()),)),
        linear("end", 0, (Ref("q"), np.eye(2)), (Ref("max"), np.eye(2))),
    )
    features = np.random.default_rng(1).normal(size=(30, 2)) * [1.0, 0.3]
    precision, made, bounds = fixed_static(given, features, name)
    assert network_to_text(network_of_text(network_to_text(made))) == network_to_text(made)
    source = made.inputs[0].codebook
    assert source is not None
    codes = encode_inputs(made.inputs, features)
    assert codes.ravel().tolist() == expected_codes(source, [Fraction(float(v)) for v in features.ravel()])
    values = evaluate(made, codes)

    def codebook(node: str) -> Codebook:
        found = precision.codes_for(*bounds[node])
        assert isinstance(found, Codebook)
        return found

    for node in ("a", "b"):
        assert values[f"{node}.r"].ravel().tolist() == expected_codes(codebook(node), fractions(made, values, node))
    product = fractions(made, values, "p")
    over = np.array(fractions(made, values, "positive")).reshape(-1, 2)[:, ::-1].ravel().tolist()
    quotients = [num / den if den else None for num, den in zip(product, over, strict=True)]
    if None not in quotients:
        assert values["q"].ravel().tolist() == expected_codes(codebook("q"), quotients)  # type: ignore[arg-type]
    positive = [max(number, Fraction(0)) for number in product]
    assert values["relu"].ravel().tolist() == expected_codes(codebook("relu"), positive)
    size = [abs(number) for number in fractions(made, values, "b")]
    assert values["abs"].ravel().tolist() == expected_codes(codebook("abs"), size)
    for node, of, function in (("tanh", "p", np.tanh), ("positive", "a", np.exp)):
        results = function(np.ldexp(values[of].astype(np.float64), -made.frac(of)))
        assert np.array_equal(values[node], codebook(node).encode(results))


@pytest.mark.parametrize("name", ["e4m3", "e5m10"])
def test_every_tie_of_a_quotient(name: str) -> None:
    """Quotients of whole numbers, of which many lie half-way between two values."""
    given = static(
        linear("n", 0, (Ref("x"), [[1.0, 0.0], [0.0, 0.0]])),
        linear("d", 0, (Ref("x"), [[0.0, 1.0], [0.0, 0.0]]), constant=(0.0, 1.0)),
        real.Ratio("q", 0, 2, Ref("n"), Ref("d"), np.array([0, 1])),
        dtype="int32",
    )
    rows = [
        (a, b) for b in (1, 2, 3, 5, 7, 8, 12, 16, 40) for a in [*range(-70, 71), 1023, 2047, 2049, 4095, 4097, 30000]
    ]
    features = np.array(rows)
    precision, made, bounds = fixed_static(given, features.astype(float), name)
    assert sum(isinstance(node, Quotient) for node in made.nodes) == 1
    values = evaluate(made, encode_inputs(made.inputs, features))
    codebook = precision.codes_for(*bounds["q"])
    assert isinstance(codebook, Codebook)
    assert values["q"][:, 0].tolist() == expected_codes(codebook, [Fraction(a, b) for a, b in rows])


@pytest.mark.parametrize("name", ["e4m3", "e5m10"])
def test_weights_and_constants_are_values_of_the_format(name: str) -> None:
    floats, numbers = FloatFormat.parse(name), np.random.default_rng(0).normal(size=(2, 2)) * [1.0, 1e-3]
    given = static(linear("a", 0, (Ref("x"), numbers), constant=(0.3, 1e-3)))
    _, made, _ = fixed_static(given, np.ones((1, 2)), name)
    node = made.by_name["a"]
    assert isinstance(node, Affine)
    weights = np.ldexp(node.operands[0].matrix.toarray().astype(float), -(made.frac("a") - made.frac("x")))
    assert np.array_equal(weights, floats.round(numbers))
    assert np.array_equal(
        np.ldexp(np.asarray(node.const, dtype=float), -made.frac("a")), floats.round(np.array([0.3, 1e-3]))
    )
    assert float_precision(name, "9").weights_text == 9
    assert float_precision(name).weights_text == name
    assert float_precision(name, "exact").weights_text == "exact"


def in_format(name: str, made: Network, values: dict[str, Array]) -> int:
    """Check that all words but parts of sums, bits and sides of quotients have values of the format; count the words."""
    floats, count = FloatFormat.parse(name), 0
    for node in made.nodes:
        if isinstance(node, Exact | Letters | Predicates) or node.format == BIT:
            continue
        if ".sum.b" in node.name or node.name.endswith(".ends"):
            continue
        numbers = np.ldexp(values[node.name].astype(np.float64), -node.format.frac)
        assert np.array_equal(floats.round(numbers), numbers), node.name
        count += 1
    return count


@pytest.mark.parametrize(("example", "name"), [*(("mlp_xor", name) for name in FORMATS), ("majority", "e4m3")])
def test_words_of_a_trained_network_are_values_of_the_format(example: str, name: str) -> None:
    network, alphabet = read_network(EXAMPLES / example / "model.onnx", Settings())
    inputs = words_up_to(network, 4) if network.alphabet_size else fidelity_inputs(network, Settings(), alphabet)
    precision, made = fitted(network, float_precision(name), observe(network, inputs), alphabet)
    assert bool(precision.notes) == (name == "e8m7")
    given = encode_inputs(made.inputs, inputs.groups[0][:50]) if made.inputs else next(iter(all_words(2, 3)))
    wanted = [node.name for node in made.nodes]
    assert in_format(name, made, evaluate(made, given, wanted)) >= (2 if example == "mlp_xor" else 7)


def attention(size: int = 2) -> real.RealNetwork:
    """Softmax attention of letters over letters, and two classes of its mean."""
    own, other = Ref("e", (x,)), Ref("e", (y,))
    score = linear("s", 2, (Ref("p", (x, y)), np.ones((2, 2))))
    greatest = real.Maximum("m", 1, size, Ref("s", (x, y)), EACH[:, None], TRUE, ())
    less = linear("less", 2, (Ref("s", (x, y)), np.eye(2)), (Ref("m", (x,)), -np.eye(2)))
    nodes = (
        linear("e", 1, (Ref("w", (x,)), [[0.7, -1.3], [0.4, 0.9]])),
        real.Multiply("p", 2, own, EACH, other, EACH),
        score,
        greatest,
        less,
        real.Map("exp", 2, size, Ref("less", (x, y)), Scalar("exp", (X,))),
        real.Multiply("weighted", 2, Ref("exp", (x, y)), EACH, other, EACH),
        real.Sum("num", 1, size, Ref("weighted", (x, y)), TRUE),
        real.Sum("den", 1, size, Ref("exp", (x, y)), TRUE),
        real.Ratio("head", 1, size, Ref("num", (x,)), Ref("den", (x,)), EACH),
        real.Sum("total", 0, size, Ref("head", (x,)), TRUE),
    )
    output = real.Output("out", "classes", Ref("total"), 0, 2)
    return real.RealNetwork((real.Letters("w", 2), *nodes), output, real.Domain(), (), 2, ())


@pytest.mark.parametrize("name", ["e4m7", "e8m7"])
def test_sums_of_roundings_in_circuits(name: str) -> None:
    nodes = (
        linear("a", 0, (Ref("x"), [[0.7, -1.3], [0.4, 0.9]]), constant=(0.3, -0.6)),
        real.Map("relu", 0, 2, Ref("a"), Scalar("max", (X, const(0.0)))),
        linear("end", 0, (Ref("relu"), [[1.0, -0.5], [-0.25, 1.5]])),
    )
    given = replace(static(*nodes), output=real.Output("out", "classes", Ref("end"), 0, 2))
    features = np.random.default_rng(2).normal(size=(40, 2))
    _, made, _ = fixed_static(given, features, name)
    assert any(".sum.b" in node.name for node in made.nodes)
    family = network_to_family(made)
    codes = encode_inputs(made.inputs, features)
    decided = evaluate(made, codes)["class"]
    assert np.array_equal(instantiate(family, 1).simulate(codes)["class"], decided)
    assert prove_circuit_sentence(family, family_to_sentence(family)).complete


def test_network_circuit_and_sentence_agree() -> None:
    given = attention()
    words = InputSet(tuple(np.concatenate(list(all_words(2, n))) for n in (1, 2, 3)), "", 3)
    _, made = fitted(given, float_precision("e3m2"), observe(given, words), ("a", "b"))
    family = network_to_family(made)
    sentence = family_to_sentence(family)
    for n in (1, 2, 3):
        letters = np.concatenate(list(all_words(2, n)))
        decided = evaluate(made, letters)["class"]
        assert np.array_equal(instantiate(family, n).simulate(letters)["class"], decided)
        assert np.array_equal(truth(sentence, letters)[""], decided[:, 1].astype(bool))
    assert prove_network_circuit(made, family).complete
    assert prove_circuit_sentence(family, sentence).complete


def test_a_translation_is_verified(tmp_path: Path) -> None:
    made = translate(EXAMPLES / "mlp_xor" / "model.onnx", precision="float:e3m2")
    assert str(made.precision) == "float:e3m2"
    assert made.verify().verdict == "holds"
    made.save(tmp_path / "saved")
    assert "float:e3m2" in (tmp_path / "saved" / "manifest.json").read_text()


@pytest.mark.parametrize("text", ["float:", "float:e4", "float:e1m3", "float:e4m11", "float:e8m23"])
def test_unknown_float_precision(text: str) -> None:
    with pytest.raises(FomError, match=r"C002|T020"):
        parse_precision(text, "auto")
