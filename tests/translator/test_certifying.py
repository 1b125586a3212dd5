"""Error bounds hold against 50 digits, and a certified decision is the one of exact arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from circuits.diagnostics import FomError
from circuits.positions import Ref, var
from tests.translator.exact import Exact, mp
from tests.translator.test_fixing import NETWORKS, fixed, linear, network, words
from tests.translator.tiny_transformers import Shape, save
from translator import certifying, cli, real
from translator.bounded_answers import with_bound
from translator.certifying import certify, real_network_of, settled_decisions
from translator.fidelity import InputSet, observe, words_up_to
from translator.fixing import fix
from translator.pipeline import translate
from translator.precision import Precision
from translator.reading import read
from translator.store import load
from translator.terminal import round_up

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def many_digits(value: float) -> Any:
    return mp.mpf(float(value))


def check(given: real.RealNetwork, bits: int, rows: Array, number: Any) -> certifying.Certified:
    """Assert that the bounds hold and that certified decisions are right."""
    inputs = InputSet((rows,), "", None)
    made = fix(given, Precision(bits, None, bits + 4), observe(given, inputs), tuple("abcdef"[: given.alphabet_size]))
    found = certify(given, made, rows)
    output = given.decision
    for case, row in enumerate(rows):
        exact = Exact(given, row, number)
        everywhere = [(place + 1,) for place in range(rows.shape[1])] if output.n_positions else [()]
        for at in everywhere:
            here = (case, *(place - 1 for place in at))
            values = [exact.read(output.ref, at, i) for i in range(found.values.shape[-1])]
            for i, value in enumerate(values):
                assert abs(number(float(found.values[(*here, i)])) - value) <= number(float(found.bounds[(*here, i)]))
                assert number(float(found.real_lo[(*here, i)])) <= value <= number(float(found.real_hi[(*here, i)]))
            if found.certified[here]:
                right = max(range(len(values)), key=lambda i: (values[i], -i)) if output.kind == "classes" else None
                right = int(values[0] > 0) if output.kind == "logit" else right
                assert found.decisions[here] == right
    return found


@pytest.mark.parametrize("readout", ["mean", "each"])
@pytest.mark.parametrize("bits", [3, 8])
def test_bounds_hold_on_transformers(tmp_path: Path, readout: str, bits: int) -> None:
    given = read(save(Shape(norm="post", causal=True, readout=readout, seed=4), tmp_path))
    found = check(given, bits, words(2)[1:3], many_digits)
    assert found.values.shape == found.bounds.shape
    assert found.certified.shape == found.decisions.shape
    assert found.certified.any()


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "a function of a shifted sum"])
def test_bounds_hold_on_rational_networks(name: str) -> None:
    check(NETWORKS[name], 6, words(3), Fraction)


def test_a_coarse_network_is_not_certified_where_it_decides_otherwise(tmp_path: Path) -> None:
    given = read(save(Shape(causal=True, readout="each", seed=3), tmp_path))
    made = fix(given, Precision(2, None, 3), observe(given, words_up_to(given, 5)), ("a", "b"))
    fine = fix(given, Precision(9, None, 12), observe(given, words_up_to(given, 5)), ("a", "b"))
    coarse, exact = certify(given, made, words(5)), certify(given, fine, words(5))
    assert exact.certified.all()
    assert np.array_equal(coarse.certified, coarse.decisions == exact.decisions)
    assert not coarse.certified.all()


def test_decisions_are_settled_by_the_ends() -> None:
    lo, hi = np.array([[1.0, 2.0, 0.0]]), np.array([[1.5, 3.0, 2.5]])
    assert not settled_decisions("classes", np.array([1]), lo, hi)[0]
    assert settled_decisions("classes", np.array([1]), lo, np.array([[1.5, 3.0, 2.0]]))[0], (
        "the lowest index wins a tie"
    )
    assert not settled_decisions("classes", np.array([1]), lo, np.array([[2.0, 3.0, 1.0]]))[0], "class 0 may win a tie"
    assert not settled_decisions("classes", np.array([0]), lo, np.array([[1.5, 3.0, 2.0]]))[0]
    zero = np.array([[0.0]])
    assert settled_decisions("logit", np.array([0]), zero - 1, zero)[0]
    assert not settled_decisions("logit", np.array([1]), zero, zero + 1)[0]
    assert settled_decisions("logit", np.array([1]), zero + 1e-300, zero + 1)[0]
    assert settled_decisions("value", np.array([2]), zero + 1.6, zero + 2.5)[0]
    assert not settled_decisions("value", np.array([2]), zero + 1.6, zero + 2.6)[0]
    unknown = np.array([[-np.inf, 1.0]]), np.array([[np.inf, 1.0]])
    assert not settled_decisions("classes", np.array([0]), *unknown)[0]
    assert not settled_decisions("classes", np.array([1]), *unknown)[0]


def test_an_exact_tie_is_known() -> None:
    """Both classes have the same exact score: class 0 wins, and enclosures of no width prove it."""
    given = network(linear("f", 1, (Ref("w", (var(0),)), [[0.75, -1.25], [0.5, 3.0]])))
    tie = real.Linear(
        "tie",
        0,
        2,
        (real.Operand(Ref("total"), csr_array(np.array([[0.5, 0.0], [0.5, 0.0]]))),),
        np.zeros(2),
        np.zeros(2),
    )
    tied = replace(given, nodes=(*given.nodes, tie), output=real.Output("out", "classes", Ref("tie"), 0, 2))
    found = certify(tied, fixed(tied, 8), words(3))
    assert (found.decisions == 0).all()
    assert found.certified.all()
    assert (found.real_lo == found.real_hi).all()


def test_an_unbounded_output_is_not_certified() -> None:
    given = NETWORKS["a constant factor"]
    made = fixed(given, 8)
    found = certify(given, made, words(2))
    assert np.isfinite(found.bounds).all()
    zero = real.Linear("zero", 0, 2, (), np.zeros(2), np.zeros(2))
    ratio = real.Ratio("ratio", 0, 2, Ref("total"), Ref("zero"), np.array([0, 0]))
    lost = replace(given, nodes=(*given.nodes, zero, ratio), output=real.Output("out", "classes", Ref("ratio"), 0, 2))
    found = certify(lost, made, words(2))
    assert np.isposinf(found.bounds).all()
    assert not found.certified.any()


def test_networks_that_differ_are_refused(tmp_path: Path) -> None:
    given = read(save(Shape(letters=3), tmp_path))
    with pytest.raises(FomError, match="T078"):
        certify(given, fixed(NETWORKS["a shifted sum"], 6), words(2))


@pytest.mark.parametrize(
    ("value", "bound"), [(0.123456789, 0.01), (-7.0, 0.0), (1e9 + 0.1, 1e-3), (2 / 3, 1e-12), (0.0, 2.5)]
)
def test_what_is_printed_stays_true(value: float, bound: float) -> None:
    text, rounded = with_bound(value, bound).split(" ± ")
    assert abs(Fraction(text) - Fraction(value)) + Fraction(bound) <= Fraction(rounded)
    assert float(rounded) <= 1.05 * bound + 1e-5 * abs(value)


def test_rounding_up() -> None:
    assert (round_up(0.12301), round_up(0.0), round_up(1234.0), round_up(2.0)) == ("0.124", "0", "1.24e+3", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A translated tagger."""
    folder = tmp_path_factory.mktemp("certified") / "more_a"
    model = EXAMPLES / "more_a" / "model.onnx"
    assert cli.execute(["translate", str(model), "-o", str(folder), "--max-length", "5"]) == 0
    return folder


class TestCommands:
    def test_json_nests_bounds_as_outputs(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert cli.execute(["run", str(folder), "--as", "network", "--word", "abba", "--error-bounds", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert set(found) == {"schema", "as", "decisions", "outputs", "bounds", "certified"}
        assert np.shape(found["bounds"]) == np.shape(found["outputs"]) == (1, 4, 2)
        assert np.shape(found["certified"]) == np.shape(found["decisions"]) == (1, 4)
        artifacts = load(folder)
        expected = certify(real_network_of(artifacts), artifacts.network, np.array([[0, 1, 1, 0]]))
        assert found["bounds"] == expected.bounds.tolist()
        assert found["certified"] == expected.certified.tolist()

    def test_text_has_a_line_for_each_decision(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert cli.execute(["run", str(folder), "--as", "network", "--word", "ab", "--error-bounds"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].split() == ["decision", "status", "outputs", "input"]
        assert [line.split()[:2] for line in lines[1:3]] == [["1", "certified"], ["0", "certified"]]
        assert all("±" in line and f"a b, position {place}" in line for place, line in enumerate(lines[1:3], 1))
        assert lines[4].startswith("1 of 1 certified; outputs are off by at most ")

    @pytest.mark.parametrize("side", ["onnx", "circuit", "sentence"])
    def test_other_sides_have_no_bounds(self, folder: Path, side: str, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        code = cli.execute(["run", str(folder), "--as", side, "--word", "ab", "--error-bounds", "--json"])
        error = json.loads(capsys.readouterr().out)["error"][0]
        assert (code, error["code"], error["help"]) == (2, "T070", "write --as network")

    def test_the_manifest_says_how_the_model_was_read(self, folder: Path) -> None:
        artifacts = load(folder)
        damaged = replace(artifacts, manifest={**artifacts.manifest, "settings": None})
        with pytest.raises(FomError, match="T053"):
            real_network_of(damaged)


def test_translate_counts_certified_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = translate(EXAMPLES / "majority" / "model.onnx", max_length=4)
    assert (made.fidelity.examined, made.fidelity.certified) == (30, 30)
    assert made.fidelity.error_bound >= (made.fidelity.max_abs_error or 0.0) * (1 - 1e-5)
    assert "30 of 30 decisions are those of exact real arithmetic" in made._repr_html_()
    monkeypatch.setattr(certifying, "MOST_INPUTS", 12)
    sampled = translate(EXAMPLES / "majority" / "model.onnx", max_length=4)
    assert sampled.fidelity.examined == 11
    assert "a sample of 11 inputs" in sampled._repr_html_()
