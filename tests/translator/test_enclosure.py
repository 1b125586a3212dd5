"""Enclosures of networks contain what the definition gives in exact rational arithmetic, or with 50 digits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.positions import TRUE, AtLeast, Congruent, Equals, Ref, var
from circuits.scalar import Scalar, X, const
from tests.translator.exact import Exact, mp
from tests.translator.test_fixing import EACH, MIXED, NETWORKS, linear, network, product, words
from tests.translator.tiny_transformers import Shape, save
from translator import intervals, real
from translator.enclosure import enclose, enclose_output
from translator.reading import read
from translator.real_evaluate import evaluate

Array = np.ndarray[Any, Any]

x, y = var(0), var(1)
RECTIFIER = Scalar("max", (X, const(0.0)))
TENTHS = linear("f", 1, (Ref("e", (x,)), [[0.1, 0.2], [-0.3, 1 / 3]]), constant=(0.7, -0.1))
RATIONAL = {
    **{name: NETWORKS[name] for name in NETWORKS if name != "a function of a shifted sum"},
    "causal means": network(
        TENTHS,
        real.Predicates("one", 2, (TRUE, TRUE)),
        real.Sum("t", 1, 2, Ref("f", (y,)), AtLeast(x - y)),
        real.Sum("c", 1, 2, Ref("one", (x, y)), AtLeast(x - y)),
        real.Ratio("m", 1, 2, Ref("t", (x,)), Ref("c", (x,)), np.array([0, 0])),
    ),
    "a quotient of 0 by 0": network(
        TENTHS,
        real.Predicates("odd", 2, (Congruent(x - y, 2), Equals(x - y + -1))),
        real.Sum("c", 1, 2, Ref("odd", (x, y)), AtLeast(y - x + -1)),
        product("z", 1, Ref("f", (x,)), Ref("c", (x,))),
        real.Ratio("m", 1, 2, Ref("z", (x,)), Ref("c", (x,)), np.array([0, 0])),
    ),
    "a maximum with slots": network(
        TENTHS,
        product("p", 2, Ref("f", (x,)), Ref("f", (y,))),
        real.Maximum("m", 1, 2, Ref("p", (x, y)), np.array([[0, 1], [1, 1]]), AtLeast(x - y),
                     ((Ref("e", (x + 1,)), EACH[:, None]),)),
    ),
    "a square of a sum": network(
        linear("q", 1, (Ref("e", (x,)), np.array(MIXED) / 3), constant=(0.1, -0.2)),
        product("s", 1, Ref("q", (x,)), Ref("q", (x,))),
        real.Map("r", 1, 2, Ref("s", (x,)), RECTIFIER),
    ),
    "products of thirds": network(
        TENTHS,
        product("p", 1, Ref("f", (x,)), Ref("f", (x + -1,))),
        linear("q", 1, (Ref("p", (x,)), [[0.1, 0.7], [1.3, -2.9]]), (Ref("f", (x,)), np.eye(2) / 3)),
    ),
}  # fmt: skip


def check(given_: real.RealNetwork, rows: Array, number: Any) -> float:
    """Assert that every number is inside; returns the largest width relative to the largest magnitude of its node."""
    found = enclose(given_, rows)
    worst = 0.0
    for case, row in enumerate(rows):
        exact = Exact(given_, row, number)
        for name, interval in found.items():
            size = np.abs(interval.lo).max(initial=1e-3)
            for (at, i), value in exact.all(name).items():
                place = (case, *(p - 1 for p in at), i)
                lo, hi = float(interval.lo[place]), float(interval.hi[place])
                assert number(lo) <= value <= number(hi), (name, at, i)
                worst = max(worst, (hi - lo) / size)
    return worst


@pytest.mark.parametrize("name", RATIONAL)
def test_rational_networks_are_enclosed_and_hardly_widened(name: str) -> None:
    for n in (1, 2, 4):
        assert check(RATIONAL[name], words(n)[::3], Fraction) < 1e-12


def test_rounding_to_nearest_would_not_enclose(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail: ends that are rounded to nearest do not contain exact values."""
    monkeypatch.setattr(intervals, "EPS", 0.0)
    monkeypatch.setattr(intervals, "TINY", 0.0)
    with pytest.raises(AssertionError):
        check(RATIONAL["products of thirds"], words(3), Fraction)


FEW = settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
shapes = st.builds(
    Shape,
    layers=st.just(1),
    heads=st.sampled_from([1, 2]),
    norm=st.sampled_from(["none", "pre", "post"]),
    causal=st.booleans(),
    readout=st.sampled_from(["mean", "last", "max", "each"]),
    gain=st.sampled_from([1.0, 5.0]),
    seed=st.integers(0, 10_000),
)


@FEW
@given(shape=shapes)
def test_transformers_are_enclosed(tmp_path: Path, shape: Shape) -> None:
    check(read(save(shape, tmp_path)), words(2)[1:3], lambda value: mp.mpf(float(value)))


def test_two_layers_stay_tight(tmp_path: Path) -> None:
    given_ = read(save(Shape(layers=2, causal=True, norm="pre", readout="last", gain=0.5), tmp_path))
    worst = check(given_, words(2)[1:2], lambda value: mp.mpf(float(value)))
    assert worst < 1e-6
    found = enclose_output(given_, words(5))
    assert (found.hi - found.lo).max() < 1e-6 * np.abs(found.lo).max()


@pytest.mark.parametrize("norm", ["none", "post"])
def test_float64_values_are_near(tmp_path: Path, norm: str) -> None:
    given_ = read(save(Shape(heads=2, norm=norm, causal=True, readout="each", letters=3), tmp_path))
    rows = words(4, 3)
    found, values = enclose(given_, rows), evaluate(given_, words=rows)
    for name, interval in found.items():
        assert interval.lo.shape == values[name].shape
        known = ~np.isnan(interval.lo)
        assert (interval.lo - 1e-8 <= values[name])[known].all()
        assert (values[name] <= interval.hi + 1e-8)[known].all()


def test_batches_do_not_depend_on_how_they_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = read(save(Shape(readout="mean"), tmp_path))
    whole = enclose_output(given_, words(4))
    monkeypatch.setattr("translator.enclosure.CHUNK_ELEMENTS", 200)
    parts = enclose_output(given_, words(4))
    assert np.allclose(whole.lo, parts.lo, rtol=1e-12)


def test_division_by_what_may_be_0_says_nothing() -> None:
    """Three tenths less 0.3 are enclosed by an interval around 0, and a quotient by it is unknown."""
    third = real.Linear(
        "d", 1, 2, (real.Operand(Ref("w", (x,)), csr_array(np.full((2, 2), 0.1))),), np.zeros(2), np.zeros(2)
    )
    shifted = linear("z", 1, (Ref("d", (x,)), np.eye(2) * 3), constant=(-0.3, -0.3))
    square = product("s", 1, Ref("z", (x,)), Ref("d", (x,)))
    ratio = real.Ratio("r", 1, 2, Ref("d", (x,)), Ref("s", (x,)), np.array([0, 0]))
    found = enclose(network(third, shifted, square, ratio), words(2))
    inside = (found["s"].lo <= 0) & (found["s"].hi >= 0)
    assert inside.any()
    assert np.array_equal(np.isnan(found["r"].lo), inside[..., [0, 0]])
    unbounded = network(TENTHS, linear("z", 1, (Ref("f", (x,)), np.zeros((2, 2)))),
                        real.Ratio("r", 1, 2, Ref("f", (x,)), Ref("z", (x,)), np.array([0, 0])))  # fmt: skip
    assert np.isnan(enclose(unbounded, words(2))["r"].lo).all()


def test_features_are_read_in_the_order_of_their_nodes() -> None:
    weights = (("a", [[1.0, 10.0]]), ("b", [[100.0]]))
    parts = tuple(real.Operand(Ref(name), csr_array(np.array(row))) for name, row in weights)
    nodes = (
        real.Features("a", 2, (2,)),
        real.Features("b", 1, (1,)),
        real.Linear("s", 0, 1, parts, np.zeros(1), np.zeros(1)),
    )
    output = real.Output("out", "value", Ref("s"), 0, 1)
    inputs = (real.Input("a", "a", "float"), real.Input("b", "b", "float"))
    given_ = real.RealNetwork(nodes, output, real.Domain(), inputs, 0, ())
    whole = enclose_output(given_, np.array([[1.0, 2.0, 3.0]]))
    assert (whole.lo[0, 0], whole.hi[0, 0]) == (321.0, 321.0)
    found = enclose_output(given_, np.array([[0.1, 0.2, 0.3]]))
    exact = Fraction(0.1) + 10 * Fraction(0.2) + 100 * Fraction(0.3)
    assert Fraction(found.lo[0, 0]) <= exact <= Fraction(found.hi[0, 0])
