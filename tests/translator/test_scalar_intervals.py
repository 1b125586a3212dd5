"""Every scalar operation has an enclosure, which contains what the operation is with 50 digits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from circuits.scalar import OPERATIONS, Scalar, X, arity, const
from tests.translator.exact import MP_OPERATIONS, mp, scalar_value
from translator.intervals import Interval, point
from translator.scalar_intervals import ENCLOSURES, ULPS, enclose_scalar, softplus

Array = np.ndarray[Any, Any]

DOMAINS = {
    "log": (0.0, np.inf), "sqrt": (0.0, np.inf), "asin": (-1.0, 1.0), "acos": (-1.0, 1.0), "acosh": (1.0, np.inf),
    "atanh": (-1.0, 1.0),
}  # fmt: skip
STEPS = {"sign", "round", "floor", "ceil", "ge", "gt", "eq"}
arguments = st.one_of(
    st.floats(-30, 30),
    st.integers(-12, 12).map(lambda k: k / 2),
    st.integers(-40, 40).map(lambda k: k * float(np.pi) / 2),
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e-12, -1e-300, 1 - 1e-12, 1 + 1e-12, 700.0, -700.0, 1e5]),
)
ends = (
    st.tuples(arguments, arguments)
    | arguments.map(lambda a: (a, np.nextafter(a, np.inf)))
    | arguments.map(lambda a: (a, a))
)


def interval(pair: tuple[float, float]) -> Interval:
    if pair[0] == pair[1]:
        return point([pair[0]])
    return Interval(np.array([min(pair)]), np.array([max(pair)]))


def between(pair: tuple[float, float]) -> list[Any]:
    """Both ends and two numbers between them."""
    first, last = sorted(map(Fraction, pair))
    found = [first + (last - first) * Fraction(part, 7) for part in (0, 2, 5, 7)]
    return [mp.mpf(value.numerator) / value.denominator for value in found]


def defined(op: str, *args: Any) -> bool:
    """Tell whether an operation has a value."""
    low, high = DOMAINS.get(op, (-np.inf, np.inf))
    if op in ("div", "mod"):
        return bool(args[1] != 0)
    if op == "reciprocal":
        return bool(args[0] != 0)
    if op == "pow":
        return bool(args[0] > 0 or (args[0] < 0 and args[1] == mp.floor(args[1])) or (args[0] == 0 and args[1] >= 0))
    if op in ("atanh", "log"):
        return bool(low < args[0] < high)
    return bool(low <= args[0] <= high)


def test_each_operation_has_an_enclosure_and_a_definition() -> None:
    assert set(ENCLOSURES) == set(OPERATIONS) == set(MP_OPERATIONS)


@pytest.mark.parametrize("op", sorted(OPERATIONS))
@settings(max_examples=20)
@given(data=st.data())
def test_enclosures_contain_the_values(op: str, data: st.DataObject) -> None:
    pairs = [data.draw(ends) for _ in range(arity(op))]
    if op == "pow":
        pairs[1] = data.draw(
            st.integers(-4, 4).map(lambda k: (float(k), float(k))) | st.tuples(st.floats(-3, 3), st.floats(-3, 3))
        )
    with np.errstate(all="ignore"):
        found = ENCLOSURES[op](*map(interval, pairs))
    lo, hi = float(found.lo[0]), float(found.hi[0])
    known = not np.isnan(lo)
    for part in range(4):
        for other in range(4):
            args = [between(pair)[part if place == 0 else other] for place, pair in enumerate(pairs)]
            if not defined(op, *args):
                assert not known or (op in ("log", "atanh") and (lo == -np.inf or hi == np.inf))
            elif known:
                value = MP_OPERATIONS[op](*args)
                assert lo == -np.inf or mp.mpf(lo) <= value
                assert hi == np.inf or value <= mp.mpf(hi)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp, "log": np.log, "erf": special.erf, "tanh": np.tanh, "sigmoid": special.expit, "softplus": softplus,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
    "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
}  # fmt: skip


def adversarial(op: str) -> Array:
    """Arguments near zeros, poles, the ends of domains, and everywhere."""
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], 200)
    values = [
        rng.uniform(-30, 30, 200),
        signs * np.exp(rng.uniform(-30, 6, 200)),
        1 + signs * np.exp(rng.uniform(-36, 0, 200)),
        np.arange(1, 100) * np.pi / 2,
        np.arange(1, 50) * np.pi * 5000,
        rng.uniform(-650, 650, 100),
    ]
    found = np.concatenate(values)
    found = found[np.abs(found) < 700] if op in ("exp", "sinh", "cosh", "sigmoid") else found
    low, high = DOMAINS.get(op, (-np.inf, np.inf))
    return found[(found > low) & (found < high)]


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_err_by_less_than_half_of_what_is_allowed(op: str) -> None:
    given_ = adversarial(op)
    worst = 0.0
    for x, y in zip(given_.tolist(), FUNCTIONS[op](given_).tolist(), strict=True):
        true = MP_OPERATIONS[op](mp.mpf(x))
        if 1e-290 < abs(true) < 1e300:
            worst = max(worst, float(abs(y - true) / abs(true)) * 2.0**52)
    assert worst < ULPS / 2


def test_powers_err_by_less_than_half_of_what_is_allowed() -> None:
    rng = np.random.default_rng(0)
    base, exponent = np.exp(rng.uniform(-15, 15, 500)), rng.uniform(-15, 15, 500)
    for a, b, c in zip(base.tolist(), exponent.tolist(), (base**exponent).tolist(), strict=True):
        true = mp.power(mp.mpf(a), mp.mpf(b))
        assert float(abs(c - true) / true) * 2.0**52 < ULPS / 2


@pytest.mark.parametrize(
    ("op", "pairs", "expected"),
    [
        ("round", [(0.5, 0.5)], (0.0, 0.0)),
        ("round", [(1.5, 1.5)], (2.0, 2.0)),
        ("round", [(0.4999, 0.5001)], (0.0, 1.0)),
        ("floor", [(2.0, 2.0)], (2.0, 2.0)),
        ("floor", [(1.9999, 2.0)], (1.0, 2.0)),
        ("ceil", [(2.0, 2.0001)], (2.0, 3.0)),
        ("sign", [(-1e-300, 1e-300)], (-1.0, 1.0)),
        ("sign", [(0.0, 0.0)], (0.0, 0.0)),
        ("ge", [(1.0, 1.0), (1.0, 1.0)], (1.0, 1.0)),
        ("gt", [(1.0, 1.0), (1.0, 1.0)], (0.0, 0.0)),
        ("ge", [(0.9, 1.1), (1.0, 1.0)], (0.0, 1.0)),
        ("gt", [(0.9, 1.0), (1.0, 1.0)], (0.0, 0.0)),
        ("gt", [(0.9, 1.1), (1.0, 1.0)], (0.0, 1.0)),
        ("eq", [(1.0, 1.0), (1.0, 1.0)], (1.0, 1.0)),
        ("eq", [(1.0, 2.0), (3.0, 4.0)], (0.0, 0.0)),
        ("eq", [(1.0, 2.0), (2.0, 4.0)], (0.0, 1.0)),
        ("where", [(1.0, 1.0), (5.0, 6.0), (8.0, 9.0)], (5.0, 6.0)),
        ("where", [(0.0, 0.0), (5.0, 6.0), (8.0, 9.0)], (8.0, 9.0)),
        ("where", [(0.0, 1.0), (5.0, 6.0), (8.0, 9.0)], (5.0, 9.0)),
        ("mod", [(7.0, 7.0), (3.0, 3.0)], (1.0, 1.0)),
        ("mod", [(-1.0, -1.0), (4.0, 4.0)], (3.0, 3.0)),
        ("mod", [(3.5, 4.5), (4.0, 4.0)], (0.0, 4.0)),
        ("exp", [(0.0, 0.0)], (1.0, 1.0)),
        ("tanh", [(0.0, 0.0)], (0.0, 0.0)),
        ("pow", [(-3.0, 2.0), (2.0, 2.0)], (0.0, 9.0)),
        ("sin", [(0.0, 7.0)], (-1.0, 1.0)),
    ],
)  # fmt: skip
def test_steps_and_exact_values(op: str, pairs: list[tuple[float, float]], expected: tuple[float, float]) -> None:
    found = ENCLOSURES[op](*map(interval, pairs))
    assert (found.lo[0], found.hi[0]) == pytest.approx(expected, rel=1e-15, abs=0)
    if expected[0] == expected[1] or op in STEPS:
        assert (found.lo[0], found.hi[0]) == expected


@pytest.mark.parametrize(("op", "pair"), [("sqrt", (-1e-20, 1.0)), ("log", (-1.0, 1.0)), ("reciprocal", (-1.0, 1.0)),
                                          ("asin", (0.5, 1.5)), ("tan", (1.5, 1.6)), ("acosh", (0.9, 2.0))])  # fmt: skip
def test_outside_of_the_domain_nothing_is_known(op: str, pair: tuple[float, float]) -> None:
    with np.errstate(all="ignore"):
        found = ENCLOSURES[op](interval(pair))
    assert np.isnan(found.lo[0])
    assert np.isnan(found.hi[0])


def test_the_logarithm_of_an_interval_that_touches_0_reaches_down_without_end() -> None:
    with np.errstate(all="ignore"):
        found = ENCLOSURES["log"](interval((0.0, 2.0)))
    assert found.lo[0] == -np.inf
    assert found.hi[0] >= np.log(2.0)


def call(op: str, *args: Scalar | float) -> Scalar:
    return Scalar(op, tuple(arg if isinstance(arg, Scalar) else const(arg) for arg in args))


TERMS = {
    "gelu": call("mul", call("mul", 0.5, X), call("add", 1.0, call("erf", call("div", X, float(np.sqrt(2)))))),
    "mish": call("mul", X, call("tanh", call("softplus", X))),
    "hard swish": call("mul", X, call("max", 0.0, call("min", 1.0, call("add", call("mul", X, 1 / 6), 0.5)))),
    "rsqrt": call("div", 1.0, call("sqrt", call("add", call("mul", X, X), 1e-5))),
    "shrink": call("where", call("gt", X, 0.5), call("sub", X, 0.25), 0.0),
}


@pytest.mark.parametrize("name", TERMS)
@settings(max_examples=20)
@given(pair=st.tuples(st.floats(-20, 20), st.floats(-20, 20)) | st.floats(-20, 20).map(lambda a: (a, a)))
def test_whole_functions(name: str, pair: tuple[float, float]) -> None:
    found = enclose_scalar(TERMS[name], interval(pair))
    for x in between(pair):
        assert mp.mpf(float(found.lo[0])) <= scalar_value(TERMS[name], x) <= mp.mpf(float(found.hi[0]))
    if pair[0] == pair[1]:
        assert found.hi[0] - found.lo[0] <= 1e-13 * max(1.0, abs(found.hi[0]))


def test_constants_take_the_shape_of_the_argument() -> None:
    assert enclose_scalar(const(2.5), point(np.zeros((3, 2)))).lo.shape == (3, 2)
