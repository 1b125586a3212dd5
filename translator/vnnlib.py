"""VNN-LIB files: properties of a network as boxes of its inputs X_i and linear inequalities over its outputs Y_i.

The format is that of VNN-LIB 1.0 as the verification competitions use it: SMT-LIB text of ``declare-const`` and ``assert``, with
``and``, ``or``, ``<=``, ``>=``, ``<``, ``>``, ``=`` and linear terms of ``+``, ``-``, ``*``. A file states the *violation*: a
network has the property if no input satisfies the file. Numbers are exact rationals.

A property is a list of cases: a box, and what the outputs must not be there, a disjunction of conjunctions.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from circuits.diagnostics import fail
from translator.vnnlib_formulas import Asserted, Bound, LinearAtom, conjoined, disjuncts
from translator.vnnlib_text import Expression, Node, read_expressions, refused

MOST_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class OutputInequality:
    """``sum(coefs[i] * Y_i) <= bound``, or ``<`` if strict; `coefs` are (output, factor) pairs in order, no factor is 0."""

    coefs: tuple[tuple[int, Fraction], ...]
    bound: Fraction
    strict: bool = False


@dataclass(frozen=True, slots=True)
class InputBound:
    """An interval for one input; an end is left out of it where it is strict."""

    low: Fraction
    high: Fraction
    low_strict: bool = False
    high_strict: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A box, and the violations in it: an input violates if all inequalities of one of them hold."""

    box: tuple[InputBound, ...]
    violations: tuple[tuple[OutputInequality, ...], ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a network with so many inputs and outputs, which holds if no input of any case violates."""

    n_inputs: int
    n_outputs: int
    cases: tuple[Case, ...]


def read_property(path: Path) -> Property:
    """Read a ``.vnnlib`` file, or a ``.vnnlib.gz`` one.

    Raises:
        FomError: it cannot be read, or is no such file.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise fail("T110", f"the property has more than {MOST_BYTES:,} bytes", where=str(path))
        text = data.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise fail(
            "T110",
            f"the property cannot be read: {reason}",
            where=str(path),
            help="give a VNN-LIB file, in text or .gz",
        ) from None
    return parse_property(text, str(path))


def parse_property(text: str, source: str = "") -> Property:
    """Read the text of a property.

    Raises:
        FomError: with line and column, where the text is not of the format, or says what is not supported.
    """
    declared: dict[str, None] = {}
    asserted: list[Asserted] = []
    for expression in read_expressions(text, source):
        head = expression.head
        if head == "declare-const":
            declared[declaration(expression, declared, source)] = None
        elif head == "assert" and len(expression.items) == 2:
            asserted.append(disjuncts(expression.items[1], declared, source))
        elif head not in ("set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"):
            version = head in ("vnnlib-version", "declare-network", "declare-input", "declare-output")
            raise refused(
                "T111", "this is VNN-LIB 2.0" if version else f"`{head}` is no command of a property", expression, source,
                help="write the property in VNN-LIB 1.0: declare-const and assert",
            )  # fmt: skip
    n_inputs, n_outputs = (numbered(declared, letter, source) for letter in "XY")
    joined = conjoined(asserted, source)
    return Property(n_inputs, n_outputs, grouped(joined, n_inputs, source))


def declaration(expression: Expression, declared: dict[str, None], source: str) -> str:
    """The name that a ``(declare-const NAME Real)`` declares.

    Raises:
        FomError: it is none, or declares another name than X_i and Y_i.
    """
    items = expression.items
    if len(items) != 3 or not isinstance(items[1], Node) or not isinstance(items[2], Node):
        raise refused("T111", "expected (declare-const NAME Real)", expression, source)
    name = items[1].text
    if items[2].text != "Real":
        raise refused("T111", f"a variable is Real, not {items[2].text}", items[2], source)
    if name[:2] not in ("X_", "Y_") or not name[2:].isdecimal() or name[2:] != str(int(name[2:])):
        raise refused(
            "T112", f"`{name}` is neither an input X_0, X_1, ... nor an output Y_0, Y_1, ...", items[1], source
        )
    if name in declared:
        raise refused("T112", f"`{name}` is declared twice", items[1], source)
    return name


def numbered(declared: dict[str, None], letter: str, source: str) -> int:
    """How many variables of a letter are declared.

    Raises:
        FomError: there are none, or the numbers have a gap.
    """
    numbers = {int(name[2:]) for name in declared if name[0] == letter}
    missing = next((number for number in range(len(numbers) + 1) if number not in numbers), 0)
    if missing != len(numbers) or not numbers:
        raise fail("T112", f"`{letter}_{missing}` is not declared", where=source, help="declare all inputs and outputs")
    return len(numbers)


def grouped(joined: Asserted, n_inputs: int, source: str) -> tuple[Case, ...]:
    """One case for each box, with the violations of all disjuncts that have it.

    Raises:
        FomError: a box has no lower or upper bound for an input.
    """
    cases: dict[tuple[InputBound, ...], dict[tuple[OutputInequality, ...], None]] = {}
    for atoms in joined:
        box = boxed([atom for atom in atoms if isinstance(atom, Bound)], n_inputs, source)
        violation = tuple(
            dict.fromkeys(OutputInequality(atom.coefs, atom.bound, atom.strict) for atom in atoms if isinstance(atom, LinearAtom))
        )  # fmt: skip
        cases.setdefault(box, {})[violation] = None
    return tuple(Case(box, tuple(violations)) for box, violations in cases.items())


def boxed(bounds: list[Bound], n_inputs: int, source: str) -> tuple[InputBound, ...]:
    """The tightest bounds of every input.

    Raises:
        FomError: one of them is missing.
    """
    lows: dict[int, tuple[Fraction, bool]] = {}
    highs: dict[int, tuple[Fraction, bool]] = {}
    for bound in bounds:
        end = (bound.value, bound.strict)
        if bound.upper:
            highs[bound.number] = min(highs.get(bound.number, end), end, key=lambda one: (one[0], not one[1]))
        else:
            lows[bound.number] = max(lows.get(bound.number, end), end)
    for number in range(n_inputs):
        if number not in lows or number not in highs:
            side = "upper" if number in lows else "lower"
            raise fail(
                "T113", f"the input X_{number} has no {side} bound", where=source, help="assert both bounds of every input"
            )  # fmt: skip
    return tuple(
        InputBound(lows[number][0], highs[number][0], lows[number][1], highs[number][1]) for number in range(n_inputs)
    )


def property_text(given: Property) -> str:
    """Write a property, one disjunct for each case and violation; it reads back as the same property."""
    lines = [f"(declare-const X_{number} Real)" for number in range(given.n_inputs)]
    lines += [f"(declare-const Y_{number} Real)" for number in range(given.n_outputs)]
    disjunction = [
        f"    (and {' '.join([*map_bounds(case.box), *map(inequality_text, violation)])})"
        for case in given.cases
        for violation in case.violations
    ]
    return "\n".join([*lines, "(assert (or", *disjunction, "))", ""])


def map_bounds(box: tuple[InputBound, ...]) -> list[str]:
    """The bounds of a box as text."""
    found = []
    for number, bound in enumerate(box):
        found.append(f"({'>' if bound.low_strict else '>='} X_{number} {number_text(bound.low)})")
        found.append(f"({'<' if bound.high_strict else '<='} X_{number} {number_text(bound.high)})")
    return found


def inequality_text(given: OutputInequality) -> str:
    """An inequality as text."""
    terms = [
        f"Y_{output}" if factor == 1 else f"(* {number_text(factor)} Y_{output})" for output, factor in given.coefs
    ]
    left = terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})" if terms else "0.0"
    return f"({'<' if given.strict else '<='} {left} {number_text(given.bound)})"


def number_text(value: Fraction) -> str:
    """A rational number: a decimal where there is one, else a quotient."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    rest, twos, fives = size.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"(/ {sign}{size.numerator}.0 {size.denominator}.0)"
    places = max(twos, fives, 1)
    digits = str(size.numerator * 10**places // size.denominator).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"
