"""Sequences of tensors and optional values, as lists that are known while shapes are derived."""

from __future__ import annotations

from translator.shapes.calls import Call, rule
from translator.shapes.expressions import floor_div, minus, quotient, times, total
from translator.shapes.graph import dtype_name
from translator.shapes.rules.joining import cut, joined
from translator.shapes.values import Listed, Optional, Tensor, Undecided, Value, known, misfit


def items_of(call: Call, index: int) -> tuple[Tensor, ...]:
    """The tensors of a sequence."""
    value = call.value(index)
    if isinstance(value, Optional) and value.present is not False:
        value = value.value
    if isinstance(value, Tensor) and value.dims is None:
        raise Undecided(f"`{call.name(index)}` is not known")
    if not isinstance(value, Listed):
        raise misfit(f"`{call.op}` takes a sequence in `{call.name(index)}`")
    if value.items is None:
        raise Undecided(f"how many tensors the sequence `{call.name(index)}` holds is not known")
    return value.items


def listed(items: tuple[Tensor, ...], dtype: str = "undefined") -> Listed:
    """A sequence of known tensors."""
    return Listed(items, Tensor(items[0].dtype if items else dtype, None))


def _place(call: Call, index: int, count: int, most: int) -> int:
    place = call.integers(index)[0]
    if not -count <= place < most:
        raise misfit(f"`{call.op}` takes place {place} of {count} tensors")
    return place + count if place < 0 else place


@rule("SequenceConstruct")
def construct(call: Call) -> Listed:
    """A sequence of the operands."""
    return listed(tuple(call.tensor(index) for index in range(len(call.inputs))))


@rule("SequenceEmpty")
def empty(call: Call) -> Listed:
    """No tensors."""
    return listed((), dtype_name(call.attribute("dtype", 1)))


@rule("SequenceAt")
def at(call: Call) -> Tensor:
    """One tensor of a sequence."""
    items = items_of(call, 0)
    return items[_place(call, 1, len(items), len(items))]


@rule("SequenceInsert")
def insert(call: Call) -> Listed:
    """A sequence with one tensor more, at the end if no place is given."""
    items = items_of(call, 0)
    place = _place(call, 2, len(items), len(items) + 1) if call.has(2) else len(items)
    return listed((*items[:place], call.tensor(1), *items[place:]))


@rule("SequenceErase")
def erase(call: Call) -> Listed:
    """A sequence with one tensor less, the last if no place is given."""
    items = items_of(call, 0)
    place = _place(call, 1, len(items), len(items)) if call.has(1) else len(items) - 1
    return listed((*items[:place], *items[place + 1 :]))


@rule("SequenceLength")
def length(call: Call) -> Tensor:
    """How many tensors there are."""
    return known("int64", len(items_of(call, 0)))  # type: ignore[arg-type]


@rule("ConcatFromSequence")
def concat(call: Call) -> Tensor:
    """All tensors along an axis, which may be a new one."""
    items = items_of(call, 0)
    shapes = [item.dims for item in items if item.dims is not None]
    if not items or len(shapes) != len(items):
        raise Undecided("the shape of a tensor in the sequence is not known")
    new = call.attribute("new_axis", 0)
    axis = call.axis(call.required("axis"), len(shapes[0]) + new)
    if new:
        shapes = [(*dims[:axis], 1, *dims[axis:]) for dims in shapes]
    return Tensor(items[0].dtype, joined(call, shapes, axis))


@rule("SplitToSequence")
def split(call: Call) -> Listed:
    """Parts of an axis: of given sizes, of one size, or of size 1 without that axis."""
    data, dims = call.tensor(0), call.rank_at_least(0, 1)
    axis = call.axis(call.attribute("axis", 0), len(dims))
    if call.has(1) and call.dims(1):
        sizes = call.sizes(1)
        call.constraints.same(total(sizes), dims[axis], "the sizes of `SplitToSequence` make up the axis")
        return listed(tuple(cut(data, dims, axis, sizes)))
    part = call.size(1) if call.has(1) else 1
    count = quotient(dims[axis], part)
    whole = count if count is not None else floor_div(dims[axis], part)
    if not isinstance(whole, int):
        raise Undecided(f"how many parts `SplitToSequence` makes depends on the sizes: {whole}")
    parts = [part] * whole
    if count is None:
        parts.append(minus(dims[axis], times(whole, part)))
    pieces = cut(data, dims, axis, parts)
    if not call.has(1) and not call.attribute("keepdims", 1):
        pieces = [Tensor(piece.dtype, (*dims[:axis], *dims[axis + 1 :])) for piece in pieces]
    return listed(tuple(pieces))


@rule("SequenceMap")
def mapped(call: Call) -> list[Value | None]:
    """A subgraph applied to each tensor of the sequences; operands that are tensors are the same for all."""
    count = len(items_of(call, 0))
    for place in range(len(call.inputs)):
        if isinstance(call.value(place), Listed) and len(items_of(call, place)) != count:
            raise misfit("`SequenceMap` takes sequences of equal length")
    columns: list[list[Tensor]] = [[] for _ in call.node.outputs]
    for index in range(count):
        arguments: list[Value | None] = []
        for place in range(len(call.inputs)):
            value = call.value(place)
            arguments.append(items_of(call, place)[index] if isinstance(value, Listed) else value)
        for column, output in zip(columns, call.run(call.required("body"), arguments), strict=True):
            if not isinstance(output, Tensor):
                raise misfit("the body of `SequenceMap` gives tensors")
            column.append(output)
    return [listed(tuple(column)) for column in columns]


@rule("Optional")
def optional(call: Call) -> Optional:
    """A value that is there, or none of a given type."""
    if not call.has(0):
        declared = call.required("type")
        return Optional(declared.value if isinstance(declared, Optional) else declared, False)
    value = call.value(0)
    return value if isinstance(value, Optional) else Optional(value, True)


@rule("OptionalHasElement")
def has_element(call: Call) -> Tensor:
    """Whether there is a value."""
    if not call.has(0):
        return known("bool", False)  # type: ignore[arg-type]
    value = call.value(0)
    present = value.present if isinstance(value, Optional) else True
    return known("bool", present) if present is not None else Tensor("bool", ())  # type: ignore[arg-type]


@rule("OptionalGetElement")
def get_element(call: Call) -> Value:
    """The value that is there."""
    value = call.value(0)
    if not isinstance(value, Optional):
        return value
    if value.present is False:
        raise misfit("`OptionalGetElement` takes a value that is not there")
    return value.value
