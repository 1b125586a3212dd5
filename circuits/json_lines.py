"""The text form of networks and families: JSON lines, described by tables.

A file is a header object and one object for each item (node or entry). A `Field` writes one kind of value as JSON data and
reads it back; a `Shape` is the table of the fields of one class; a `Layout` names the shapes that items may have. Reading is
strict: the keys are exactly those of the table, and an integer is an integer of at most 62 bits. Whatever is wrong, the
diagnostic names the line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import index
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.floats import MANTISSA_BITS, Codebook
from circuits.formats import Format
from circuits.matrices import MOST, integers_of_data, matrix_of_data, matrix_to_data
from circuits.network import Domain, Inputs, Readout
from circuits.positions import Guard, Ref, guard_of_data, guard_to_data, term_of_data, term_to_data

SCHEMA = 1
MOST_NESTED = 32
DAMAGED = "the file was edited by hand or is damaged: translate again"


class WrongValue(Exception):
    """Data that is not what a field holds; the message says what was expected."""


class WrongKey(WrongValue):
    """A key that is missing, or that the table does not have."""


@dataclass(frozen=True, slots=True)
class Field:
    """How one kind of value is written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A class and the fields that make it; other fields keep their defaults.

    Those of `extras` are left out where they are None.
    """

    made: Callable[..., Any]
    fields: dict[str, Field]
    extras: Mapping[str, Field] = field(default_factory=dict)

    def write(self, value: Any) -> dict[str, Any]:
        """Write an object, field after field."""
        written = {name: own.write(getattr(value, name)) for name, own in self.fields.items()}
        given = {name: own for name, own in self.extras.items() if getattr(value, name) is not None}
        return written | {name: own.write(getattr(value, name)) for name, own in given.items()}

    def read(self, data: Any) -> Any:
        """Read an object.

        Raises:
            WrongValue: a key is missing or unknown, or a value is wrong.
        """
        if not isinstance(data, dict):
            raise WrongValue("expected an object")
        for name in data:
            if name not in self.fields and name not in self.extras:
                raise WrongKey(f"unknown key `{name}`")
        values = {}
        for name, own in (*self.fields.items(), *self.extras.items()):
            if name not in data:
                if name in self.extras:
                    continue
                raise WrongKey(f"the key `{name}` is missing")
            try:
                values[name] = own.read(data[name])
            except WrongKey as error:
                raise WrongKey(f"`{name}`: {error}") from None
            except (WrongValue, ValueError) as error:
                raise WrongValue(f"`{name}`: {error}") from None
            except FomError as error:
                raise WrongValue(f"`{name}`: {error.diagnostics[0].message}") from None
        return self.made(**values)


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file: what the header says, and the shapes of its items."""

    kind: str
    items: str
    header: dict[str, Field]
    shapes: dict[str, tuple[type, Shape]]
    made: Callable[..., Any]

    def write(self, value: Any) -> str:
        """Write the header and all items, one on each line."""
        kinds = {class_: (kind, shape) for kind, (class_, shape) in self.shapes.items()}
        items = getattr(value, self.items)
        header = {"fom": self.kind, "schema": SCHEMA, self.items: len(items)}
        lines = [header | {name: field.write(getattr(value, name)) for name, field in self.header.items()}]
        for item in items:
            kind, shape = kinds[type(item)]
            lines.append({"kind": kind} | shape.write(item))
        return "".join(
            json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=index) + "\n" for line in lines
        )

    def read(self, text: str, where: str = "") -> Any:
        """Read what `write` wrote, and check it.

        Args:
            where: the name of the file, for diagnostics.

        Raises:
            FomError: naming the line that is damaged, or what does not fit together.
        """
        lines = text.split("\n")
        header = self.read_header(object_of_line(lines[0], where, 1), where)
        n_items = header.pop(self.items)
        if lines[-1] or len(lines) != n_items + 2:
            raise damaged(
                "C055",
                f"expected {n_items} lines after the header, each ended, found {len(lines) - 2}",
                where,
                len(lines),
            )
        items = []
        line_of: dict[str, int] = {}
        for number, line in enumerate(lines[1:-1], start=2):
            items.append(self.read_item(object_of_line(line, where, number), where, number))
            line_of.setdefault(f"`{items[-1].name}`", number)
        made = self.made(**header, **{self.items: tuple(items)})
        try:
            made.check()
        except FomError as error:
            raise FomError(
                *(replace(found, where=place(where, line_of.get(found.where.partition(" ")[2], 1), found.where))
                  for found in error.diagnostics)
            ) from None  # fmt: skip
        return made

    def read_header(self, data: dict[str, Any], where: str) -> dict[str, Any]:
        """Read the first line.

        Raises:
            FomError: it is the header of another kind of file, of another schema, or a value is wrong.
        """
        kind, schema = data.pop("fom", None), data.pop("schema", None)
        if kind != self.kind:
            raise damaged(
                "C050", f'not the text of a {self.kind}: the header says `"fom": {json.dumps(kind)}`', where, 1
            )
        if type(schema) is not int or schema != SCHEMA:
            raise fail(
                "C056",
                f"schema {json.dumps(schema)} is unknown; this version reads schema {SCHEMA}",
                where=place(where, 1),
                help="translate again with this version",
            )
        try:
            values: dict[str, Any] = Shape(dict, {self.items: COUNT} | self.header).read(data)
        except WrongValue as error:
            raise damaged("C053" if isinstance(error, WrongKey) else "C054", f"header: {error}", where, 1) from None
        return values

    def read_item(self, data: dict[str, Any], where: str, number: int) -> Any:
        """Read one further line.

        Raises:
            FomError: the kind is unknown or a value is wrong.
        """
        kind = data.pop("kind", None)
        if not isinstance(kind, str) or kind not in self.shapes:
            kinds = ", ".join(self.shapes)
            raise damaged("C052", f"unknown kind {json.dumps(kind)}; the kinds are {kinds}", where, number)
        try:
            return self.shapes[kind][1].read(data)
        except WrongValue as error:
            raise damaged(
                "C053" if isinstance(error, WrongKey) else "C054", f"{kind}: {error}", where, number
            ) from None


def object_of_line(line: str, where: str, number: int) -> dict[str, Any]:
    """Parse one line.

    Raises:
        FomError: it is no JSON object.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "a number or a nesting is too large")
        raise damaged("C051", f"the line is not JSON: {reason}", where, number) from None
    if not isinstance(data, dict):
        raise damaged("C051", "the line is not a JSON object", where, number)
    return data


def place(where: str, number: int, inner: str = "") -> str:
    """A line of a file, with the item found there."""
    return ", ".join(part for part in (f"{where}:{number}" if where else f"line {number}", inner) if part)


def damaged(code: str, message: str, where: str, number: int) -> FomError:
    """A diagnostic for a line."""
    return fail(code, message, where=place(where, number), help=DAMAGED)


def unchanged(value: Any) -> Any:
    """Write a value that JSON has itself."""
    return value


def text_field(*allowed: str) -> Field:
    """A string, one of those allowed if any are given."""

    def read(data: Any) -> str:
        if not isinstance(data, str):
            raise WrongValue("expected a string")
        if allowed and data not in allowed:
            raise WrongValue(f"expected one of {', '.join(allowed)}, found {json.dumps(data)}")
        return data

    return Field(unchanged, read)


def integer_field(least: int = 1 - MOST, most: int = MOST - 1) -> Field:
    """An integer between two bounds."""

    def read(data: Any) -> int:
        if type(data) is not int:
            raise WrongValue("expected an integer")
        if not least <= data <= most:
            raise WrongValue(f"expected an integer from {least} to {most}")
        return data

    return Field(int, read)


def read_positive(data: Any) -> float:
    """Read a positive float32, which is what ONNX's scales are."""
    if type(data) is not float or not data > 0 or float(np.float32(data)) != data:
        raise WrongValue("expected a positive float32")
    return data


def optional(field: Field) -> Field:
    """A value or null."""
    return Field(
        lambda value: None if value is None else field.write(value),
        lambda data: None if data is None else field.read(data),
    )


def several(field: Field) -> Field:
    """A tuple, as a list."""

    def read(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise WrongValue("expected a list")
        return tuple(map(field.read, data))

    return Field(lambda values: [field.write(value) for value in values], read)


def record(shape: Shape) -> Field:
    """An object inside another."""
    return Field(shape.write, shape.read)


def read_rows(data: Any) -> Any:
    """Read a rectangle of integers, row after row."""
    if not isinstance(data, list) or not data:
        raise WrongValue("expected a list of rows")
    rows = [integers_of_data(row) for row in data]
    if len({len(row) for row in rows}) > 1:
        raise WrongValue("the rows differ in length")
    return np.stack(rows)


def read_guard(data: Any) -> Guard:
    """Read a guard, nested at most `MOST_NESTED` deep."""
    level = [data]
    for _ in range(MOST_NESTED):
        level = [inner for item in level if isinstance(item, list) for inner in item]
    if level:
        raise WrongValue(f"a guard is nested more than {MOST_NESTED} deep")
    return guard_of_data(data)


def write_segment(segment: tuple[Ref, Any]) -> dict[str, Any]:
    """Write a candidate of a maximum."""
    ref, groups = segment
    return {"ref": REF.write(ref), "groups": ROWS.write(groups)}


NAME = text_field()
COUNT = integer_field(0, (1 << 31) - 1)
SIZE = integer_field(1, (1 << 31) - 1)
POSITIONS = integer_field(0, 16)
EXPONENT = integer_field(-1100, 1100)
NUMBER = integer_field()
INTEGERS = Field(lambda values: np.asarray(values).tolist(), integers_of_data)
ROWS = Field(lambda values: np.asarray(values).tolist(), read_rows)
MATRIX = Field(matrix_to_data, matrix_of_data)
TERMS = several(Field(term_to_data, term_of_data))
GUARD = Field(guard_to_data, read_guard)
REF = record(Shape(Ref, {"node": NAME, "at": TERMS}))
SEGMENT = Field(write_segment, Shape(lambda ref, groups: (ref, groups), {"ref": REF, "groups": ROWS}).read)
FORMAT = record(Shape(Format, {"bits": integer_field(1, 64), "lo": NUMBER, "frac": EXPONENT}))
CODEBOOK = record(
    Shape(
        Codebook,
        {"mantissa_bits": integer_field(1, MANTISSA_BITS[-1]), "frac": EXPONENT, "lo": NUMBER, "hi": NUMBER},
    )
)
INPUTS = Shape(
    Inputs,
    {"name": NAME, "size": SIZE, "format": FORMAT},
    {"scale": Field(float, read_positive), "codebook": CODEBOOK},
)
ALPHABET = several(NAME)
DOMAIN = record(Shape(Domain, {"least": COUNT, "most": optional(COUNT), "reason": NAME}))
READOUT = record(
    Shape(
        Readout,
        {
            "kind": text_field("classes", "logit", "value"),
            "decision": NAME,
            "scores": NAME,
            "denominator": optional(NAME),
            "n_classes": COUNT,
            "n_positions": POSITIONS,
        },
    )
)
