"""Words of any width are proved digit by digit, and nothing that differs in one number is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from circuits.entries import Accumulator, Gates
from circuits.family import Family
from circuits.formats import Format
from circuits.matrices import canonical, identity
from circuits.network import Affine, Domain, Inputs, Maximum, Network, Operand, Quotient, Readout, Round
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from logic.proving.digits import digits_of
from logic.proving.gadgets import Block, Gadget, Quantity, templates
from logic.proving.laws import Law, quotient_law, rounding_law
from logic.proving.linear import Reader, Unfit, bit_names
from logic.proving.network_circuit import prove_network_circuit
from logic.proving.patterns import patterns
from logic.proving.roundings import nearest_code, require_digits
from logic.proving.session import Session
from logic.smt.lemmas import Countermodel, Proved, prove, smtlib

Integers = np.ndarray[Any, np.dtype[np.int64]]
Edit = Callable[[Family], Family]

WORD = Format(20, -(1 << 19), 0)


def zeros(count: int) -> Integers:
    return np.zeros(count, dtype=np.int64)


@cache
def rounding(format_: Format, shift: int) -> Network:
    """One exact sum of two numbers, rounded."""
    total = Affine("s", 0, 1, (Operand(Ref("in"), canonical([[3, -5]])),), np.array([7]), zeros(1), 0)
    nodes = (Inputs("in", 2, WORD), total, Round("r", 0, 1, Ref("s"), shift, format_))
    return Network(nodes, Readout("value", "r", "s", None, 0, 0), Domain(), ())


@cache
def dividing(format_: Format, shift: int) -> Network:
    """A number over a positive one."""
    positive = Affine("d", 0, 1, (Operand(Ref("in"), canonical([[0, 1]])),), np.array([1 + (1 << 19)]), zeros(1), 0)
    given = Affine("n", 0, 1, (Operand(Ref("in"), canonical([[9, 2]])),), zeros(1), zeros(1), 0)
    quotient = Quotient("r", 0, 1, Ref("n"), Ref("d"), zeros(1), shift, format_)
    return Network(
        (Inputs("in", 2, WORD), positive, given, quotient), Readout("value", "r", "n", None, 0, 0), Domain(), ()
    )


@cache
def largest(format_: Format) -> Network:
    """The largest of two words."""
    nodes = (
        Inputs("in", 2, WORD),
        Round("w", 0, 2, Ref("in"), -3, format_),
        Maximum("r", 0, 1, Ref("w"), np.array([[0, 1]]), None, (), format_),
        Affine("s", 0, 1, (Operand(Ref("r"), identity(1)),), zeros(1), zeros(1), 0),
    )
    return Network(nodes, Readout("value", "r", "s", None, 0, 0), Domain(), ())


@cache
def built(network: Network, depth: str = "compact") -> Family:
    return network_to_family(network, depth)


def edited(family: Family, name: str, change: Callable[[Any], Any]) -> Family:
    """The family with one entry changed."""
    return replace(family, entries=tuple(change(e) if e.name == name else e for e in family.entries))


def threshold(name: str, by: int, gate: int = 0) -> Edit:
    """Another threshold of one gate."""

    def change(entry: Gates) -> Gates:
        thresholds = entry.thresholds.copy()
        thresholds[gate] += by
        return replace(entry, thresholds=thresholds)

    return lambda family: edited(family, name, change)


def weight(name: str, source: str, by: int) -> Edit:
    """Another weight of what an entry reads first from a source."""

    def change(entry: Any) -> Any:
        wires = list(entry.wires)
        place = next(place for place, item in enumerate(wires) if item.source == source)
        matrix = wires[place].matrix.copy()
        matrix.data[0] += by
        wires[place] = replace(wires[place], matrix=canonical(matrix))
        return replace(entry, wires=tuple(wires))

    return lambda family: edited(family, name, change)


def constant(name: str, by: int) -> Edit:
    """Another constant of a sum."""

    def change(entry: Accumulator) -> Accumulator:
        return replace(entry, const=entry.const + by)

    return lambda family: edited(family, name, change)


def refused(network: Network, edit: Edit, depth: str = "compact") -> tuple[str, ...]:
    """What stays open of a family after an edit: something does."""
    proof = prove_network_circuit(network, edit(built(network, depth)))
    assert proof.open
    return proof.open


WIDE = [
    (Format(24, -12345677, 0), 1),
    (Format(41, -(1 << 40), 0), 3),
    (Format(41, -(1 << 40), 0), -2),
    (Format(61, -(1 << 60), 0), 0),
]


@pytest.mark.parametrize(
    "network",
    [
        *(rounding(format_, shift) for format_, shift in WIDE),
        pytest.param(dividing(Format(41, -(1 << 40), 0), 2), marks=pytest.mark.slow),
        largest(Format(24, 0, 0)),
    ],
)
def test_wide_words_are_proved(network: Network) -> None:
    proof = prove_network_circuit(network, built(network))
    assert proof.open == ()
    bits = network.word("r").format.bits
    covered = [lemma for lemma in proof.lemmas if "by digits" in lemma.statement and f"{bits} bits" in lemma.statement]
    assert {lemma.method for lemma in covered} == {"coefficients"}
    assert covered[0].covers >= bits
    assert any(lemma.method == "z3" and "nearest" in lemma.statement for lemma in proof.lemmas)


@pytest.mark.parametrize("depth", ["balanced", "shallow"])
@pytest.mark.parametrize("shift", [-3, 4])
@pytest.mark.parametrize("format_", [Format(9, -101, 0)])
def test_digits_of_several_bits_are_proved(format_: Format, shift: int, depth: str) -> None:
    for network in (rounding(format_, shift), dividing(format_, shift), largest(format_)):
        proof = prove_network_circuit(network, built(network, depth))
        assert proof.open == ()
        assert any("by digits" in lemma.statement for lemma in proof.lemmas)
        assert "enumeration" not in proof.by_method()


@pytest.mark.parametrize(("format_", "shift"), [WIDE[0], pytest.param(*WIDE[1], marks=pytest.mark.slow)])
def test_no_wide_rounding_with_one_wrong_number_is_proved(format_: Format, shift: int) -> None:
    network, top = rounding(format_, shift), format_.bits - 1
    for bit, by in ((0, 1), (0, -1), (top, -1)):
        assert "instead of" in refused(network, threshold(f"r.{bit}", by))[0]
    assert "instead of" in refused(network, weight("r.3", f"r.{top}", 1))[0]
    assert "`s`" in refused(network, weight("s", "in", 1))[0]
    assert "`r`" in refused(network, weight("r", f"r.{top}", 1))[0]


@pytest.mark.parametrize(("format_", "shift"), WIDE[1:2])
def test_no_wide_word_that_saturates_elsewhere_is_proved(format_: Format, shift: int) -> None:
    family, moved = built(rounding(format_, shift)), replace(format_, lo=format_.lo + 1)
    proof = prove_network_circuit(rounding(moved, shift), replace(family, decision_format=moved))
    assert any("instead of" in line for line in proof.open)
    assert any("instead of" in line for line in prove_network_circuit(rounding(format_, shift + 1), family).open)


@pytest.mark.parametrize(
    ("format_", "shift"),
    [(Format(24, -12345677, 0), 1), pytest.param(Format(41, -(1 << 40), 0), 2, marks=pytest.mark.slow)],
)
def test_no_wide_quotient_with_one_wrong_number_is_proved(format_: Format, shift: int) -> None:
    network, top = dividing(format_, -shift), format_.bits - 1
    odd = (format_.lo + 1) % 2
    assert "instead of" in refused(network, threshold("r.0", 1 - 2 * odd))[0]  # ties go to the odd code
    assert f"`r.{top}`" in refused(network, weight(f"r.{top}", "d", 1))[0]
    assert "`r.3`" in refused(network, weight("r.3", f"r.den{top}", 1))[0]


def test_no_wide_maximum_with_one_wrong_number_is_proved() -> None:
    network = largest(Format(24, 0, 0))
    for edit in (threshold("r.7.any0", 1), weight("r.4.any0", "r.6", 1), weight("r.4.any0", "w.5", -1)):
        assert "`r." in refused(network, edit)[0]


def gadget_of(format_: Format, shift: int, depth: str) -> Gadget:
    """The gates of one rounded word."""
    network = rounding(format_, shift)
    family = network_to_family(network, depth)
    reader, bits = Reader(network, family), bit_names("r", format_)
    quantity = Quantity(reader.value(Ref("s"), identity(1)), ("s", (), None), zeros(1))
    found, wrong = templates(reader, Session(family), bits, [quantity])
    return patterns(found, bits, 1, wrong)[0][0]


def disturbed(gadget: Gadget, place: int, number: int, by: int) -> Gadget:
    """The gadget with one of a block's numbers changed: a threshold, a multiple of S, or the weight of a wire."""
    block = gadget.blocks[place]
    external, thresholds, wires = block.external.copy(), block.thresholds.copy(), list(block.wires)
    gate = number // 3 % len(thresholds)
    if number % 3 == 0:
        thresholds[gate] += by
    elif number % 3 == 1 or not wires:
        external[gate, 0] += by
    else:
        wire = number // 3 % len(wires)
        source, weights = wires[wire]
        weights = weights.copy()
        weights.data[number % len(weights.data)] += by
        wires[wire] = (source, canonical(weights))
    changed = Block(external, tuple(wires), thresholds)
    return Gadget((*gadget.blocks[:place], changed, *gadget.blocks[place + 1 :]), gadget.bits, b"")


@pytest.mark.parametrize(("format_", "shift"), WIDE)
def test_no_number_of_a_wide_gadget_is_free(format_: Format, shift: int) -> None:
    """Thresholds, multiples of S and weights of bits are needed as they are: at the first, a middle and the last bit."""
    gadget, law = gadget_of(format_, shift, "compact"), rounding_law(shift)
    require_digits(gadget, law, format_)
    for place in (0, format_.bits // 2, format_.bits - 1):
        ends = {0, len(gadget.blocks[place].wires) - 1} - {-1}
        for number in (0, 1, *(3 * wire + 2 for wire in ends)):
            for by in (-1, 1):
                with pytest.raises(Unfit):
                    require_digits(disturbed(gadget, place, number, by), law, format_)


@given(
    bits=st.integers(1, 5),
    lo=st.integers(-20, 5),
    shift=st.integers(-3, 4),
    depth=st.sampled_from(["compact", "balanced", "shallow"]),
    edits=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 99), st.sampled_from([-2, -1, 1, 2])), max_size=2),
)
def test_what_digits_prove_is_so_for_every_number(
    bits: int, lo: int, shift: int, depth: str, edits: list[tuple[int, int, int]]
) -> None:
    """Against brute force: sums far beyond both ends, with up to two wrong numbers."""
    format_ = Format(bits, lo, 0)
    assume(bits > 1 or lo == 0)
    gadget = gadget_of(format_, shift, depth)
    for place, number, by in edits:
        gadget = disturbed(gadget, place % len(gadget.blocks), number, by)
    totals = np.arange(-900, 900)
    expected = [nearest_code(total, shift, format_) - lo for total in totals.tolist()]
    try:
        require_digits(gadget, rounding_law(shift), format_)
        proved = True
    except Unfit:
        proved = False
    assert proved or edits
    assert not proved or gadget.fire(totals[None]).tolist() == expected


@pytest.mark.parametrize("shift", [-2, 0, 1, 41])
def test_laws_hold_and_their_neighbours_do_not(shift: int) -> None:
    for law in (rounding_law(shift), quotient_law(shift)):
        assert prove(law.claim) == Proved()
        changes: list[dict[str, Any]] = [
            {"slope": law.slope + 1},
            {"const": law.const - 2},
            *([] if shift < 0 else [{"odd": 1 - law.odd}]),  # a multiple of 4 is no odd code
            {"down": law.down + 1},
        ]
        for change in changes:
            wrong = replace(law, **change)
            assert isinstance(prove(wrong.claim), Countermodel), wrong
        assert f"(set-logic {'AUFLIRA' if law.ratio else 'QF_LIA'})" in smtlib(law.claim)


@given(st.integers(-4, 4), st.integers(-300, 300), st.integers(1, 12), st.integers(-40, 40))
def test_laws_are_the_rounding_of_python(shift: int, num: int, den: int, code: int) -> None:
    wide = Format(30, -(1 << 29), 0)

    def reached(law: Law, den: int) -> bool:
        return law.scale * num - (law.slope * code + law.const) * den >= law.odd * (code % 2)

    assert reached(rounding_law(shift), 1) == (nearest_code(num, shift, wide) >= code)
    twice, bottom = 2 * (num << max(shift, 0)), den << max(-shift, 0)
    nearest = round(Fraction(twice, 2 * bottom))
    assert reached(quotient_law(shift), den) == (nearest >= code)


def test_a_word_of_another_shape_has_no_digits() -> None:
    """A bit that reads a bit, and a bit that reads no comparison."""
    first = Block(np.array([[1]]), (), np.array([1]))
    for second in (
        Block(np.array([[0]]), ((0, identity(1)),), np.array([1])),
        Block(np.array([[0]]), (), np.array([1])),
    ):
        with pytest.raises(Unfit):
            list(digits_of(Gadget((first, second), (1, 0), b"")))
