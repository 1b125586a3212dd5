"""If, Loop and Scan: a branch that is known, and bodies that repeat a known number of times or keep their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, equal
from translator.shapes.graph import Graph
from translator.shapes.values import Dims, Entry, Listed, Tensor, Undecided, Value, known, misfit

MOST_STEPS = 1024


def entry(value: Value | None) -> Entry:
    """The only entry of a tensor, None if it is not known."""
    if not isinstance(value, Tensor) or value.content is None or value.content.size != 1:
        return None
    only: Entry = value.content.item()
    return only


def agree(a: Value, b: Value) -> bool:
    """Tell whether two values have the same type and shape."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.dims is None or b.dims is None or a.dtype != b.dtype or len(a.dims) != len(b.dims):
            return False
        return all(equal(x, y) for x, y in zip(a.dims, b.dims, strict=True))
    if isinstance(a, Listed) and isinstance(b, Listed):
        if a.items is None or b.items is None or len(a.items) != len(b.items):
            return False
        return all(agree(x, y) for x, y in zip(a.items, b.items, strict=True))
    return False


def of_shape(value: Value) -> Value:
    """The type and shape of a value without its entries."""
    if isinstance(value, Tensor):
        return Tensor(value.dtype, value.dims)
    if isinstance(value, Listed) and value.items is not None:
        return Listed(tuple(Tensor(item.dtype, item.dims) for item in value.items), value.element)
    return value


@rule("If")
def if_(call: Call) -> list[Value | None]:
    """The branch that is taken; one that depends on the input is left open if both give the same shapes."""
    condition = entry(call.value(0))
    if condition is not None:
        return list(call.run(call.required("then_branch" if condition else "else_branch"), []))
    one, other = call.try_(call.required("then_branch"), []), call.try_(call.required("else_branch"), [])
    if not all(agree(a, b) for a, b in zip(one, other, strict=True)):
        data_dependent = call.of_data(call.name(0))
        raise Undecided("the two branches of `If` give different shapes", data_dependent=data_dependent)
    return [of_shape(value) for value in one]


@rule("Loop")
def loop(call: Call) -> list[Value | None]:
    """A body that repeats: step by step if their number is known, else once, if the shapes stay as they are."""
    body: Graph = call.required("body")
    carried: list[Value] = [call.value(index) for index in range(2, len(call.inputs))]
    count = entry(call.inputs[0]) if call.has(0) else None
    going: Entry = entry(call.inputs[1]) if call.has(1) else True
    bounded = not call.has(0) or isinstance(count, int)
    if bounded and going is not None and (count is None or not isinstance(count, int) or count <= MOST_STEPS):
        steps = _unrolled(call, body, carried, count if isinstance(count, int) else MOST_STEPS, going)
        if steps is not None:
            return steps
    return _repeated(call, body, carried, count)


def _unrolled(call: Call, body: Graph, carried: list[Value], most: int, going: Entry) -> list[Value | None] | None:
    """Step by step; None if a condition turns out to depend on the input."""
    n_carried = len(carried)
    scans: list[list[Tensor]] = []
    step = 0
    while step < most and going:
        outputs = call.run(body, [_number(step), _truth(going), *carried])
        going = entry(outputs[0])
        if going is None:
            return None
        carried = outputs[1 : 1 + n_carried]
        scans.append([value for value in outputs[1 + n_carried :] if isinstance(value, Tensor)])
        step += 1
    if going and not call.has(0):
        raise Undecided(f"`Loop` does not end within {MOST_STEPS} steps")
    if not scans:
        empty = call.run(body, [_number(0), _truth(True), *carried])[1 + n_carried :]
        return [*carried, *[_stacked(0, value) for value in empty]]
    columns = list(zip(*scans, strict=True))
    for column in columns:
        if not all(agree(column[0], other) for other in column[1:]):
            raise Undecided("the steps of `Loop` give different shapes")
    return [*carried, *[_stacked(step, column[0]) for column in columns]]


def _repeated(call: Call, body: Graph, carried: list[Value], count: Entry) -> list[Value | None]:
    """Once, for all steps."""
    kept = [of_shape(value) for value in carried]
    outputs = call.run(body, [Tensor("int64", ()), Tensor("bool", ()), *kept])
    after, scans = outputs[1 : 1 + len(carried)], outputs[1 + len(carried) :]
    if not all(agree(a, b) for a, b in zip(kept, after, strict=True)):
        raise Undecided("a carried shape of `Loop` changes, and the number of steps is not known", data_dependent=True)
    if not scans:
        return [*kept]
    if entry(outputs[0]) is not True or count is None or isinstance(count, float):
        raise Undecided("how many steps `Loop` makes depends on the values of the input", data_dependent=True)
    return [*kept, *[_stacked(count, value) for value in scans]]


def _number(step: int) -> Tensor:
    return known("int64", step)  # type: ignore[arg-type]


def _truth(value: Entry) -> Tensor:
    return known("bool", value)  # type: ignore[arg-type]


def _stacked(count: Size, value: Value) -> Tensor:
    """The outputs of all steps, along a new first axis."""
    if not isinstance(value, Tensor):
        raise misfit("`Loop` collects tensors")
    if value.dims is None:
        raise Undecided("the shape of an output of the body is not known")
    return Tensor(value.dtype, (count, *value.dims))


@rule("Scan")
def scan(call: Call) -> list[Value | None]:
    """A body applied along an axis of its inputs; the shapes of the states stay as they are."""
    body: Graph = call.required("body")
    n_scans = call.required("num_scan_inputs")
    batched = call.version < 9
    first = 1 if batched else 0
    operands = [call.tensor(index) for index in range(first, len(call.inputs))]
    shapes = [call.dims(index) for index in range(first, len(call.inputs))]
    n_states = len(operands) - n_scans
    if n_scans < 1 or n_states < 0:
        raise misfit(f"`Scan` runs along {n_scans} of {len(operands)} tensors")
    axes = _axes(call, "scan_input_axes", n_scans)
    if batched:
        return _batched_scan(call, body, operands, shapes, n_states)
    steps: Size | None = None
    arguments: list[Value | None] = [shaped(dims, each.dtype) for dims, each in zip(shapes, operands, strict=True)]
    for index, axis in enumerate(axes):
        dims = shapes[n_states + index]
        place = call.axis(axis, len(dims))
        steps = dims[place] if steps is None else call.constraints.same(steps, dims[place], "`Scan` has one length")
        arguments[n_states + index] = shaped((*dims[:place], *dims[place + 1 :]), operands[n_states + index].dtype)
    outputs = call.run(body, arguments)
    rows = outputs[n_states:]
    results: list[Value | None] = _states(call, outputs[:n_states], arguments)
    for axis, row in zip(_axes(call, "scan_output_axes", len(rows)), rows, strict=True):
        dims = _dims_of(row)
        place = call.axis(axis, len(dims) + 1)
        results.append(shaped((*dims[:place], steps or 0, *dims[place:]), row.dtype if isinstance(row, Tensor) else ""))
    return results


def _batched_scan(
    call: Call, body: Graph, operands: Sequence[Tensor], shapes: Sequence[Dims], n_states: int
) -> list[Value | None]:
    """``Scan`` of opset 8: axis 0 is the batch, axis 1 the sequence."""
    arguments: list[Value | None] = [
        shaped(dims[1:] if index < n_states else dims[2:], operand.dtype)
        for index, (dims, operand) in enumerate(zip(shapes, operands, strict=True))
    ]
    outputs = call.run(body, arguments)
    outputs[:n_states] = _states(call, outputs[:n_states], arguments)
    batch, steps = shapes[n_states][0], shapes[n_states][1]
    results: list[Value | None] = []
    for index, value in enumerate(outputs):
        leading: Dims = (batch,) if index < n_states else (batch, steps)
        results.append(shaped(leading + _dims_of(value), value.dtype if isinstance(value, Tensor) else ""))
    return results


def _axes(call: Call, name: str, count: int) -> list[int]:
    axes = [int(axis) for axis in call.attribute(name, [0] * count)]
    if len(axes) != count:
        raise misfit(f"`Scan` has {len(axes)} axes in `{name}` for {count} tensors")
    return axes


def _states(call: Call, after: Sequence[Value], before: Sequence[Value | None]) -> list[Any]:
    """The states behind the last step, whose shapes are those before the first one."""
    return [
        shaped(
            call.constraints.same_dims(_dims_of(old), _dims_of(new), "the states of `Scan` keep their shapes"),
            new.dtype,
        )
        for old, new in zip(before, after, strict=False)
        if isinstance(new, Tensor)
    ]


def _dims_of(value: Value | None) -> Dims:
    if not isinstance(value, Tensor) or value.dims is None:
        raise Undecided("the shape of an output of the body of `Scan` is not known")
    return value.dims
