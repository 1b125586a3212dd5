"""The pipeline: the smallest precision that agrees, settings that do what they say, and decisions of the examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from circuits.diagnostics import FomError
from circuits.network import Affine
from circuits.words import all_words
from logic.syntax import Call
from tests.translator.reading_graphs import build
from tests.translator.reading_graphs import save as save_model
from tests.translator.tiny_transformers import Shape, save
from translator.fidelity import MOST_WORDS, words_up_to
from translator.pipeline import AUTO_PRECISIONS, Translation, translate
from translator.reading import read
from translator.sides import Sides
from translator.store import load
from translator.verification import verify

Array = np.ndarray[Any, Any]

STATIC = ("mlp_xor", "lenet_digits")
WORDS = ("majority", "cls_majority", "first_letter", "contains_ab", "dyck1", "more_a")
CASES = 60


def example(name: str, **options: Any) -> Translation:
    """Translate an example, static ones on the data that comes with them."""
    if name in STATIC:
        options.setdefault("inputs", Path(f"examples/{name}/inputs.npz"))
    return translate(f"examples/{name}/model.onnx", **options)


def linear_model(folder: Path, embedding: Array, bias: Array) -> Path:
    """The mean of an embedding plus a bias: two logits."""
    steps: list[Any] = [
        ("Gather", "table tokens", "e"),
        ("ReduceMean", "e middle", "m", {"keepdims": 0}),
        ("Add", "m bias", "out"),
    ]
    weights = {
        "table": embedding.astype(np.float32),
        "bias": bias.astype(np.float32),
        "middle": np.array([1]),
    }
    return save_model(build(steps, ("out", ["batch", 2]), weights, start=[]), folder)


class TestAutomaticPrecision:
    def test_it_stops_at_the_smallest_precision_that_agrees(self) -> None:
        chosen = example("contains_ab", max_length=6)
        texts = [str(precision) for precision, _ in chosen.tried]
        assert texts == list(AUTO_PRECISIONS)[: len(texts)]
        assert str(chosen.precision) == texts[-1]
        assert chosen.fidelity.complete
        for precision, fidelity in chosen.tried[:-1]:
            assert fidelity is not None
            assert not fidelity.complete
            again = example("contains_ab", max_length=6, precision=f"fixed:{precision.bits}").fidelity
            assert (again.agree, again.inputs, again.example) == (fidelity.agree, fidelity.inputs, fidelity.example)

    def test_agreement_is_counted_against_onnxruntime(self) -> None:
        made = example("contains_ab", precision="fixed:4", max_length=6)
        sides, agree, total = Sides(made), 0, 0
        for n in range(1, 7):
            words = np.concatenate(list(all_words(2, n)))
            agree += int((sides.decide("network", words) == sides.decide("onnx", words)).sum())
            total += len(words)
        assert (made.fidelity.agree, made.fidelity.inputs) == (agree, total)

    def test_it_says_when_no_precision_agrees(self, tmp_path: Path) -> None:
        """Logits that differ by 2**-24 of their size: an equal weight decides class 0, the float network class 1."""
        embedding = np.array([[1.0, np.nextafter(np.float32(1), np.float32(2))], [1.0, 0.5]])
        made = translate(linear_model(tmp_path, embedding, np.zeros(2)), max_length=3, weight_bits="12")
        assert [str(precision) for precision, _ in made.tried] == list(AUTO_PRECISIONS)
        assert all(fidelity is not None and not fidelity.complete for _, fidelity in made.tried)
        assert not made.fidelity.complete
        assert made.fidelity.example == "a"
        assert made.fidelity.agree == max(fidelity.agree for _, fidelity in made.tried if fidelity is not None)

    def test_exact_weights_decide_what_rounded_ones_cannot(self, tmp_path: Path) -> None:
        embedding = np.array([[1.0, np.nextafter(np.float32(1), np.float32(2))], [1.0, 0.5]])
        made = translate(linear_model(tmp_path, embedding, np.zeros(2)), max_length=1, weight_bits="exact")
        assert made.fidelity.complete

    def test_a_precision_beyond_the_limits_ends_the_search(self, tmp_path: Path) -> None:
        shape = Shape(layers=2, heads=2, norm="pre", seed=4)
        with pytest.raises(FomError, match=r"C026.*the limit is 62"):
            translate(save(shape, tmp_path), precision="fixed:20", weight_bits="24", max_length=2)


class TestExactWeights:
    def test_weights_are_those_of_the_file(self, tmp_path: Path) -> None:
        embedding = np.array([[0.1, -1.7], [2.3, 0.7]])
        made = translate(
            linear_model(tmp_path, embedding, np.array([0.3, -0.2])), precision="fixed:6", weight_bits="exact"
        )
        table = next(node for node in made.network.nodes if isinstance(node, Affine))
        given = np.ldexp(table.operands[0].matrix.toarray().astype(float) + table.const[:, None], -table.frac)
        assert np.array_equal(given, embedding.astype(np.float32).T.astype(float))

    def test_scores_are_exact_where_nothing_is_rounded(self, tmp_path: Path) -> None:
        made = translate(
            linear_model(tmp_path, np.array([[0.5, -1.75], [2.25, 0.75]]), np.array([0.25, -0.5])),
            precision="fixed:6", weight_bits="exact", max_length=4,
        )  # fmt: skip
        assert made.fidelity.max_abs_error is not None
        assert made.fidelity.max_abs_error < 1e-6


class TestInputs:
    def test_a_domain_restricts_the_words(self) -> None:
        made = example("majority", precision="fixed:4", where="a(1)", max_length=6)
        assert made.fidelity.inputs == sum(2 ** (n - 1) for n in range(1, 7))
        assert made.fidelity.description == "all words of length 1 to 6 in the domain of --where"

    @pytest.mark.parametrize("options", [{"where": "false"}, {"max_length": 0}])
    def test_an_empty_set_is_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(FomError, match=r"T042"):
            example("majority", precision="fixed:4", **options)

    def test_given_inputs_are_used(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "some.npz", tokens=np.array([[0, 1, -1], [1, 1, 0]]))
        made = example("majority", precision="fixed:4", inputs=tmp_path / "some.npz")
        assert made.fidelity.inputs == 2
        assert made.fidelity.description == "2 words of some.npz"

    def test_default_words_are_few(self) -> None:
        network = read(Path("examples/cls_majority/model.onnx"))
        inputs = words_up_to(network, None)
        assert inputs.count <= MOST_WORDS
        assert inputs.max_length == 8
        assert inputs.count == sum(3**n for n in range(1, 9))

    def test_the_domain_of_the_network_bounds_the_words(self) -> None:
        inputs = words_up_to(read(Path("examples/contains_ab/model.onnx")), 40)
        assert inputs.max_length == 10

    def test_a_sample_keeps_all_short_words(self) -> None:
        inputs = words_up_to(read(Path("examples/majority/model.onnx")), 8)
        sample = inputs.sample(80)
        assert sample.count <= 80
        assert sample.description.startswith("a sample of all words")
        assert [len(group) for group in sample.groups[:3]] == [2, 4, 8]
        assert all(len({tuple(row) for row in group.tolist()}) == len(group) for group in sample.groups)


class TestReadout:
    def test_a_class_is_chosen(self) -> None:
        made = example("first_letter", precision="fixed:4", max_length=3, readout="class:2")
        assert made.sentence.formula == Call("class[2]", ())
        words = np.concatenate(list(all_words(3, 3)))
        sides = Sides(made)
        assert np.array_equal(sides.formula_truth(words), sides.decide("network", words) == 2)

    @pytest.mark.parametrize("readout", ["class:3", "bit:0", "class", "class:-1", "two"])
    def test_an_unknown_class_is_refused(self, readout: str) -> None:
        with pytest.raises(FomError, match=r"T044") as caught:
            example("first_letter", precision="fixed:4", max_length=2, readout=readout)
        assert caught.value.diagnostics[0].help == "this network has class:0 to class:2"

    def test_a_bit_is_chosen(self, tmp_path: Path) -> None:
        model = value_model(tmp_path)
        for bit in range(4):
            made = translate(model, precision="fixed:4", max_length=4, readout=f"bit:{bit}")
            sides = Sides(made)
            words = np.concatenate(list(all_words(4, 3)))
            format_ = made.family.decision_format
            codes = sides.network_words(words)[..., 0] - format_.lo
            assert np.array_equal(sides.formula_truth(words), (codes >> bit & 1).astype(bool))
        with pytest.raises(FomError, match=r"T044"):
            translate(model, precision="fixed:4", max_length=2, readout="class:0")


def value_model(folder: Path) -> Path:
    """Letters as numbers: ``0.75 * letter - 1`` at every position."""
    steps: list[Any] = [
        ("Cast", "tokens", "numbers", {"to": 1}),
        ("Mul", "numbers slope", "scaled"),
        ("Sub", "scaled less", "out"),
    ]
    weights = {"slope": np.float32(0.75), "less": np.float32(1)}
    return save_model(build(steps, ("out", ["batch", "n"]), weights, start=[]), folder)


class TestAlphabets:
    def test_numbers_as_letters_are_assumed_to_be_four(self, tmp_path: Path) -> None:
        made = translate(value_model(tmp_path), precision="fixed:5", max_length=3)
        assert made.network.alphabet == ("0", "1", "2", "3")
        assert any("0 to 3 are assumed" in note for note in made.notes)
        made.save(tmp_path / "out")
        assert verify(load(tmp_path / "out"), max_length=3).verdict == "holds"

    def test_numbers_as_letters_are_as_many_as_given(self, tmp_path: Path) -> None:
        made = translate(value_model(tmp_path), precision="fixed:5", max_length=3, alphabet="x,y")
        assert made.network.alphabet == ("x", "y")
        assert any("0 to 1 as given" in note for note in made.notes)

    @pytest.mark.parametrize("alphabet", ["M,forall", "n,x", "[,0", "ä,_", "class,true"])
    def test_any_names_survive_the_folder(self, tmp_path: Path, alphabet: str) -> None:
        made = example("majority", precision="fixed:3", max_length=3, alphabet=alphabet)
        made.save(tmp_path / "out")
        assert verify(load(tmp_path / "out"), max_length=3).verdict == "holds"

    def test_a_wrong_number_is_refused(self) -> None:
        with pytest.raises(FomError, match=r"T010"):
            example("majority", alphabet="a,b,c")


class TestDepth:
    @pytest.mark.parametrize("name", ["majority", "more_a", "mlp_xor"])
    def test_depth_choices_decide_the_same(self, name: str) -> None:
        made = {depth: example(name, precision="fixed:3", depth=depth) for depth in ("compact", "balanced", "shallow")}
        inputs = cases(name)[0] if name in STATIC else np.concatenate(list(all_words(2, 4)))
        sides = {depth: Sides(translation) for depth, translation in made.items()}
        expected = sides["compact"].decide("network", inputs)
        for depth in made:
            assert np.array_equal(sides[depth].decide("circuit", inputs), expected)
            assert np.array_equal(sides[depth].decide("sentence", inputs), expected)


def cases(name: str) -> tuple[Array, Array]:
    """Inputs of an example, and the decisions that onnxruntime made on them."""
    inputs, expected = (np.load(f"examples/{name}/{file}.npz") for file in ("inputs", "expected"))
    return next(iter(inputs.values())).reshape(len(expected["decision"]), -1), expected["decision"]


@pytest.fixture(scope="module", params=[*WORDS, *STATIC])
def translated(request: pytest.FixtureRequest) -> tuple[str, Translation]:
    return request.param, example(request.param)


class TestExamples:
    def test_every_decision_agrees(self, translated: tuple[str, Translation]) -> None:
        assert translated[1].fidelity.complete

    @pytest.mark.parametrize("side", ["onnx", "network", "circuit", "sentence"])
    def test_decisions_are_those_expected(self, translated: tuple[str, Translation], side: str) -> None:
        name, made = translated
        inputs, expected = cases(name)
        chosen = np.random.default_rng(0).choice(len(inputs), min(CASES, len(inputs)), replace=False)
        if side in ("onnx", "network") or name == "majority":
            chosen = np.arange(len(inputs))
        sides = Sides(made)
        if name in STATIC:
            assert np.array_equal(sides.decide(side, inputs[chosen].astype(np.float64)), expected[chosen])
            return
        lengths = (inputs >= 0).sum(axis=1)
        for n in np.unique(lengths[chosen]).tolist():
            rows = chosen[lengths[chosen] == n]
            wanted = expected[rows][:, :n] if expected.ndim == 2 else expected[rows]
            assert np.array_equal(sides.decide(side, inputs[rows, :n]), wanted)


def test_stages_are_timed_and_told() -> None:
    told: list[str] = []
    made = translate("examples/majority/model.onnx", told.append, precision="fixed:3", max_length=3)
    assert set(made.seconds) == {"read", "fidelity", "precision", "certify", "build", "emit"}
    assert any("onnxruntime on 14 inputs" in line for line in told)


def test_a_forecast_beyond_the_memory_is_refused() -> None:
    with pytest.raises(FomError):
        example("majority", precision="fixed:8", memory=1000)


def test_words_and_static_networks_of_one_tiny_graph(tmp_path: Path) -> None:
    """A static network of two numbers, without data: random inputs, said so."""
    weights = numpy_helper.from_array(np.array([[1.0, -1.0], [0.5, 2.0]], dtype=np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["out"])], "tiny",
        [helper.make_tensor_value_info("x", 1, ["batch", 2])], [helper.make_tensor_value_info("out", 1, ["batch", 2])],
        [weights],
    )  # fmt: skip
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), str(path))
    made = translate(path, precision="fixed:5")
    assert made.fidelity.description.startswith("1,000 random inputs")
    report = verify(made)
    assert (report.verdict, report.scope) == ("holds", "every input")
