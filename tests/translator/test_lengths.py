"""Lengths that strides leave, and axes that have them, against counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.positions import AtLeast, Congruent, Equals, Guard, Term, holds, var
from translator.axes import PRE, RUN, Axis
from translator.lengths import Quotient, at_least, divided, equal, least_for, most_for, part_of_length
from translator.reading.context import axis_of_length
from translator.reading.refusing import Refusal
from translator.reading.thinned import guard_at

LENGTHS = range(1, 40)
SMALL = st.integers(-4, 4)
DIVISORS = st.integers(2, 5)


@given(offset=SMALL, divisor=DIVISORS, more=SMALL, factor=st.integers(1, 4), up=st.booleans())
def test_shifts_and_quotients(offset: int, divisor: int, more: int, factor: int, up: bool) -> None:
    length = Quotient(offset, divisor)
    for n in LENGTHS:
        exact = (n + offset) // divisor
        assert (length + more).evaluate(n, ()) == exact + more == (Term((), 0, more) + length).evaluate(n, ())
        wanted = -(-exact // factor) if up else exact // factor
        assert divided(length, factor, up=up).evaluate(n, ()) == wanted
    assert ((length + more) - length) == Term((), 0, more)


@given(offset=SMALL, divisor=st.integers(1, 5), count=st.integers(0, 5))
def test_bounds_on_n(offset: int, divisor: int, count: int) -> None:
    length = part_of_length(offset, divisor)
    for n in range(-40, 40):
        value = length.evaluate(n, ())
        assert (value >= count) == (n >= least_for(length, count))
        assert (value <= count) == (n <= most_for(length, count))


@given(offset=SMALL, divisor=DIVISORS, coef=st.integers(-2, 2), const=SMALL)
def test_comparisons(offset: int, divisor: int, coef: int, const: int) -> None:
    length, other = Quotient(offset, divisor), var(0) * coef + const
    for n in LENGTHS:
        x = np.arange(1, n + 1)
        exact, value = (n + offset) // divisor, coef * x + const
        assert (holds(at_least(length, other), n, [x]) == (exact >= value)).all()
        assert (holds(at_least(other, length), n, [x]) == (value >= exact)).all()
        assert (holds(equal(other, length), n, [x]) == (value == exact)).all()


@given(offset=st.integers(-9, 9), divisor=st.integers(1, 5))
def test_an_axis_has_its_length(offset: int, divisor: int) -> None:
    length = part_of_length(offset, divisor)
    axis = axis_of_length(length)
    assert axis.length == length
    for n in range(max(least_for(length, 0), axis.lo + axis.hi + 1 - axis.step, 1), 40):
        x = np.arange(1, n + 1)
        stands = np.broadcast_to(holds(axis.guard(0), n, [x]), x.shape)
        taken = x[axis.cut(n)]
        assert (x[stands] == taken).all()
        assert axis.pre + len(taken) + axis.post == length.evaluate(n, ())
        index = np.asarray(axis.index(RUN, 0, 0).evaluate(n, [taken]))
        assert (index == axis.step * (axis.pre + np.arange(len(taken)))).all()


@settings(max_examples=60)
@given(
    coefs=st.tuples(SMALL, SMALL),
    const=st.integers(-9, 9),
    axes=st.tuples(*[st.builds(Axis, st.integers(0, 2), st.just(True), st.integers(0, 2), step=st.integers(1, 4))] * 2),
    kind=st.sampled_from(["ge", "eq", "mod"]),
)
def test_conditions_on_indices(coefs: tuple[int, int], const: int, axes: tuple[Axis, Axis], kind: str) -> None:
    term = var(0) * coefs[0] + var(1) * coefs[1] + const
    guards: dict[str, Guard] = {"ge": AtLeast(term), "eq": Equals(term), "mod": Congruent(term, 3)}
    moved = guard_at(guards[kind], [(axis.index(RUN, 0, number), axis.step) for number, axis in enumerate(axes)])
    n = 12
    places = [np.arange(n)[axis.cut(n)] + 1 for axis in axes]
    index = [np.arange(len(own)) + axis.pre for own, axis in zip(places, axes, strict=True)]
    wanted = holds(guards[kind], n, np.ix_(*index))
    assert (np.broadcast_to(holds(moved, n, np.ix_(*places)), (len(places[0]), len(places[1]))) == wanted).all()


def test_a_slot_before_the_run_has_an_index() -> None:
    assert Axis(2, True, step=3).index(PRE, 1, 0) == Term((), 0, 1)


def test_what_is_no_affine_expression_is_refused() -> None:
    length = Quotient(1, 2)
    for misuse in (
        lambda: length.const,
        lambda: length * 2,
        lambda: -length,
        lambda: length + var(0),
        lambda: Term((), 1, 0) - length,
        lambda: length - Quotient(0, 2),
    ):
        with pytest.raises(Refusal) as caught:
            misuse()
        assert caught.value.code == "N086"
    assert length != Term((), 1, 1)
    assert str(length) == "floor((n+1)/2)"
