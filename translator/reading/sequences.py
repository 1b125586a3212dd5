"""Lists of tensors and optionals: their lengths are known during the import, so they cost nothing in the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from circuits.positions import Term
from translator.reading import joining, movement
from translator.reading.context import Context, dims_of
from translator.reading.loading import Operator
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.table import carrying
from translator.reading.types import dtype_of, number_name
from translator.reading.unrolling import count_unrolled
from translator.reading.values import Absent, Carried, Data, Listed, Value

Given = Sequence[Carried | None]


def typed(value: Value, dtype: str) -> Value:
    """The same tensor with this element type."""
    return replace(value, dtype=dtype) if isinstance(value, Data) else value


def tensor(values: Given, place: int) -> Value:
    """A required input that is a tensor."""
    value = values[place] if place < len(values) else None
    if value is None or isinstance(value, Listed | Absent):
        found = "missing" if value is None else "a list" if isinstance(value, Listed) else "an empty optional"
        raise Refusal("N018", f"input {place} is {found}, a tensor is needed", help="export the network again")
    return value


def listed(values: Given, place: int) -> Listed:
    """A required input that is a list."""
    value = values[place] if place < len(values) else None
    if not isinstance(value, Listed):
        raise Refusal("N018", f"input {place} is no list of tensors", help="export the network again")
    return value


def stack(context: Context, items: Sequence[Value], axis: int) -> Value:
    """Put tensors of one shape side by side along a new axis."""
    rank = len(dims_of(items[0])) + 1
    if len({dims_of(item) for item in items}) > 1:
        shapes = ", ".join(dict.fromkeys(f"({', '.join(map(str, dims_of(item)))})" for item in items))
        raise Refusal("N006", f"tensors of the shapes {shapes} are stacked", help="export the network again")
    return join(context, [movement.unsqueeze(context, item, [axis % rank]) for item in items], axis % rank)


def join(context: Context, items: Sequence[Value], axis: int) -> Value:
    """Concatenate, with the element type of the first."""
    return typed(joining.concat(context, list(items), axis), dtype_of(items[0]))


@carrying("SequenceConstruct")
def _construct(context: Context, operator: Operator, values: Given) -> list[Carried]:
    items = tuple(tensor(values, place) for place in range(len(values)))
    return [Listed(items, dtype_of(items[0]) if items else "")]


@carrying("SequenceEmpty")
def _empty(context: Context, operator: Operator, values: Given) -> list[Carried]:
    return [Listed((), number_name(operator.attributes.get("dtype", 1)))]


@carrying("SequenceInsert")
def _insert(context: Context, operator: Operator, values: Given) -> list[Carried]:
    items, item = listed(values, 0).items, tensor(values, 1)
    place = _place(values, 2, len(items), len(items), inserting=True)
    return [Listed((*items[:place], item, *items[place:]), dtype_of(item))]


@carrying("SequenceErase")
def _erase(context: Context, operator: Operator, values: Given) -> list[Carried]:
    given = listed(values, 0)
    place = _place(values, 1, len(given.items), -1)
    return [Listed((*given.items[:place], *given.items[place + 1 :]), given.dtype)]


@carrying("SequenceAt")
def _at(context: Context, operator: Operator, values: Given) -> list[Carried]:
    items = listed(values, 0).items
    return [items[_place(values, 1, len(items), None)]]


@carrying("SequenceLength")
def _length(context: Context, operator: Operator, values: Given) -> list[Carried]:
    return [np.array(len(listed(values, 0).items), dtype=np.int64)]


@carrying("SplitToSequence")
def _split(context: Context, operator: Operator, values: Given) -> list[Carried]:
    x = tensor(values, 0)
    axis = axis_of(operator, "axis", 0, len(dims_of(x)))
    length = dims_of(x)[axis]
    if length.n_coef:
        raise Refusal("N023", "SplitToSequence cuts the sequence into pieces", help="split another axis")
    sizes = values[1] if len(values) > 1 else None
    single = sizes is None
    if sizes is None:
        count_unrolled(context, length.const)
        ends = list(range(length.const + 1))
    else:
        given = movement.known_ints(tensor(values, 1))
        if given is None or any(size < 0 for size in given):
            raise Refusal("N006", f"SplitToSequence makes pieces of the sizes {given}", help="export the network again")
        if not dims_of(tensor(values, 1)):
            if not given[0]:
                raise Refusal("N006", "SplitToSequence makes pieces of size 0", help="export the network again")
            count_unrolled(context, length.const // given[0])
            ends = [*range(0, length.const, given[0]), length.const]
        else:
            ends = [int(end) for end in np.cumsum([0, *given])]
        if ends[-1] != length.const:
            raise Refusal(
                "N006", f"the pieces of SplitToSequence sum to {ends[-1]}, the axis has {length} entries",
                help="export the network again",
            )  # fmt: skip
    items = [
        movement.slice_axis(context, x, axis, Term((), 0, low), Term((), 0, high), 1) for low, high in pairwise(ends)
    ]
    if single and not operator.attributes.get("keepdims", 1):
        items = [movement.squeeze(context, item, [axis]) for item in items]
    return [Listed(tuple(typed(item, dtype_of(x)) for item in items), dtype_of(x))]


@carrying("ConcatFromSequence")
def _concat(context: Context, operator: Operator, values: Given) -> list[Carried]:
    items = listed(values, 0).items
    if not items:
        raise Refusal("N068", "ConcatFromSequence reads an empty list", help="export the network again")
    if operator.attributes.get("new_axis", 0):
        return [stack(context, items, axis_of(operator, "axis", None, len(dims_of(items[0])) + 1))]
    return [join(context, items, axis_of(operator, "axis", None, len(dims_of(items[0]))))]


@carrying("Optional")
def _optional(context: Context, operator: Operator, values: Given) -> list[Carried]:
    return [values[0] if values and values[0] is not None else Absent()]


@carrying("OptionalHasElement")
def _has_element(context: Context, operator: Operator, values: Given) -> list[Carried]:
    return [np.array(bool(values) and values[0] is not None and not isinstance(values[0], Absent))]


@carrying("OptionalGetElement")
def _get_element(context: Context, operator: Operator, values: Given) -> list[Carried]:
    if not values or values[0] is None or isinstance(values[0], Absent):
        raise Refusal(
            "N068", "OptionalGetElement reads an optional that holds nothing", help="export the network again"
        )
    return [values[0]]


@carrying("Identity")
def _identity(context: Context, operator: Operator, values: Given) -> list[Carried]:
    if not values or values[0] is None:
        raise Refusal("N020", "input 0 is required and missing", help="export the network again")
    return [values[0]]


def axis_of(operator: Operator, name: str, default: int | None, rank: int) -> int:
    """The axis that an attribute names, counted from the front."""
    axis = operator.attributes[name] if default is None else operator.attributes.get(name, default)
    if not -rank <= axis < rank:
        raise Refusal("N006", f"{name} is {axis} for a tensor of {rank} axes", help="export the network again")
    return int(axis % rank)


def _place(values: Given, index: int, length: int, default: int | None, *, inserting: bool = False) -> int:
    """Read an index into a list."""
    given = values[index] if index < len(values) else None
    if given is None and default is not None:
        place = default
    else:
        entry = term_array(tensor(values, index)).ravel() if isinstance(given, np.ndarray) else None
        if entry is None or len(entry) != 1 or entry[0].n_coef:
            raise Refusal(
                "N039", "an index into a list depends on the input or on n",
                note="a list is known while importing; what is read from it is the same for every input",
                help="stack the tensors and use Gather",
            )  # fmt: skip
        place = entry[0].const
    if not -length <= place < length + inserting:
        raise Refusal("N068", f"index {place} of a list of {length} tensors", help="export the network again")
    return place + length if place < 0 else place
