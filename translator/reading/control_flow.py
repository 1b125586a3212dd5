"""Control flow with a number of steps known during the import: branches are chosen or selected, loops are unrolled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from translator.reading import movement
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, where
from translator.reading.gathering import gather
from translator.reading.loading import Declared, Operator, Subgraph
from translator.reading.positional import is_terms, term_array
from translator.reading.refusing import Refusal
from translator.reading.sequences import Given, listed, stack, tensor, typed
from translator.reading.table import carrying
from translator.reading.types import dtype_of
from translator.reading.unrolling import count_unrolled
from translator.reading.values import Absent, Carried, Listed, Positional, Value
from translator.reading.walking import run_subgraph, share

GROWS = "threshold circuits of constant depth, and FO(M), hold fixed-depth networks only"
NUMPY_OF = {"float": "float32", "double": "float64"}


@carrying("If")
def _if(context: Context, operator: Operator, values: Given) -> list[Carried]:
    condition = _condition(context, tensor(values, 0))
    branches = [_body(operator, name) for name in ("then_branch", "else_branch")]
    if isinstance(condition, bool):
        return run_subgraph(context, branches[0 if condition else 1], [])
    _share_outer(context, branches)
    yes, no = (run_subgraph(context, branch, []) for branch in branches)
    if len(yes) != len(no):
        raise Refusal("N006", f"the branches make {len(yes)} and {len(no)} outputs", help="export the network again")
    return [select(context, condition, one, other) for one, other in zip(yes, no, strict=True)]


@carrying("Loop")
def _loop(context: Context, operator: Operator, values: Given) -> list[Carried]:
    body = _body(operator, "body")
    limit = _trip_count(values[0] if values else None)
    going: bool | Value = True
    if len(values) > 1 and values[1] is not None:
        going = _condition(context, tensor(values, 1))
    state: list[Carried] = [value if value is not None else Absent() for value in values[2:]]
    if len(body.outputs) < 1 + len(state):
        raise Refusal(
            "N006", f"the body carries {len(state)} values and makes {len(body.outputs)} outputs",
            help="export the network again",
        )  # fmt: skip
    declared = body.outputs[1 + len(state) :]
    rows: list[list[Value]] = [[] for _ in declared]
    _share_outer(context, [body])
    if going is True and limit is not None and _runs_through(body):
        count_unrolled(context, limit * (len(body.operators) + 1))
        context.unrolled -= limit * (len(body.operators) + 1)
    step = 0
    while going is not False and (limit is None or step < limit):
        if going is not True:
            _check_selected(going, limit, declared)
        again, *made = run_subgraph(context, body, [np.array(step), _number(going), *state])
        after = _condition(context, _tensor_of(again))
        if going is True:
            state, going = made[: len(state)], after
        else:
            for value in made[: len(state)]:
                share(value, 2)
            state = [select(context, going, new, old) for new, old in zip(made[: len(state)], state, strict=True)]
            going = _both(context, going, after)
        for row, value in zip(rows, made[len(state) :], strict=True):
            row.append(_tensor_of(value))
        step += 1
    return [*state, *(_stacked(context, row, one, 0) for row, one in zip(rows, declared, strict=True))]


@carrying("Scan")
def _scan(context: Context, operator: Operator, values: Given) -> list[Carried]:
    body, count = _body(operator, "body"), int(operator.attributes["num_scan_inputs"])
    if context.opset < 9:
        return _scan_of_batches(context, operator, body, count, values)
    first = len(values) - count
    states = [tensor(values, place) for place in range(first)]
    scanned = [tensor(values, place) for place in range(first, len(values))]
    axes = _per_input(operator, "scan_input_axes", count)
    backward = _per_input(operator, "scan_input_directions", count)
    results, rows = _steps(context, body, states, scanned, axes, backward, None)
    made = len(rows)
    reverse = _per_input(operator, "scan_output_directions", made)
    places = _per_input(operator, "scan_output_axes", made)
    declared = body.outputs[len(states) :]
    return [
        *results,
        *(
            _stacked(context, row[::-1] if back else row, one, place)
            for row, one, place, back in zip(rows, declared, places, reverse, strict=True)
        ),
    ]


def _scan_of_batches(context: Context, operator: Operator, body: Subgraph, count: int, values: Given) -> list[Carried]:
    """Scan as it was at opset 8: every tensor has a batch axis, and each entry of the batch its own length."""
    first = len(values) - count
    given = [tensor(values, place) for place in range(1, len(values))]
    if not given or any(dims_of(value)[:1] != dims_of(given[0])[:1] or not dims_of(value) for value in given):
        raise Refusal("N006", "the inputs of Scan have different batch sizes", help="export the network again")
    size = dims_of(given[0])[0]
    if size.n_coef:
        raise Refusal("N014", "Scan repeats for each of n batch entries", note=GROWS, help="export with batch size 1")
    lengths = movement.known_ints(tensor(values, 0)) if values[0] is not None else [None] * size.const
    if lengths is None or len(lengths) != size.const:
        raise Refusal("N039", "the sequence lengths of Scan depend on the input", help="export with constant lengths")
    backward = _per_input(operator, "directions", count)
    finals: list[list[Value]] = []
    outputs: list[list[Value]] = []
    for entry, length in enumerate(lengths):
        own = [typed(gather(context, value, np.array(entry), 0), dtype_of(value)) for value in given]
        states, rows = _steps(context, body, own[: first - 1], own[first - 1 :], [0] * count, backward, length)
        finals.append([_tensor_of(state) for state in states])
        declared = body.outputs[len(states) :]
        longest = dims_of(own[-1])[0].const
        filled = []
        for row, one in zip(rows, declared, strict=True):
            nothing = binary(context, "mul", row[0], np.zeros((), dtype=np.int8)) if row else None
            empty = [typed(nothing, dtype_of(row[0]))] * (longest - len(row)) if nothing is not None else []
            filled.append(_stacked(context, [*row, *empty], one, 0))
        outputs.append(filled)
    return [stack(context, list(column), 0) for rows in (finals, outputs) for column in zip(*rows, strict=True)]


def _steps(
    context: Context,
    body: Subgraph,
    states: Sequence[Value],
    scanned: Sequence[Value],
    axes: Sequence[int],
    backward: Sequence[int],
    steps: int | None,
) -> tuple[list[Carried], list[list[Value]]]:
    """Unroll the steps of a scan: the last states, and what each step makes for each scan output."""
    if len(body.outputs) < len(states) or not scanned:
        raise Refusal(
            "N006", "the body of Scan makes fewer outputs than it has states", help="export the network again"
        )
    lengths = set()
    for value, axis in zip(scanned, axes, strict=True):
        rank = len(dims_of(value))
        if not -rank <= axis < rank:
            raise Refusal("N006", f"Scan along axis {axis} of a tensor of {rank} axes", help="export the network again")
        lengths.add(dims_of(value)[axis])
    (length, *others) = lengths
    if others:
        raise Refusal("N006", "the inputs of Scan have different lengths", help="export the network again")
    if length.n_coef:
        raise Refusal(
            "N014", f"`Scan` repeats {length} times, so the depth would grow with the sequence length",
            note=GROWS, help="use attention or CumSum, or export with a fixed length",
        )  # fmt: skip
    rows: list[list[Value]] = [[] for _ in body.outputs[len(states) :]]
    current: list[Carried] = list(states)
    for value in scanned:
        share(value, 2)
    _share_outer(context, [body])
    for step in range(length.const if steps is None else min(steps, length.const)):
        entries = []
        for value, axis, back in zip(scanned, axes, backward, strict=True):
            place = (length.const if steps is None else steps) - 1 - step if back else step
            entries.append(typed(gather(context, value, np.array(place), axis), dtype_of(value)))
        made = run_subgraph(context, body, [*current, *entries])
        current = made[: len(states)]
        for row, item in zip(rows, made[len(states) :], strict=True):
            row.append(_tensor_of(item))
    return current, rows


@carrying("SequenceMap")
def _sequence_map(context: Context, operator: Operator, values: Given) -> list[Carried]:
    body, first = _body(operator, "body"), listed(values, 0)
    columns: list[list[Value]] = [[] for _ in body.outputs]
    _share_outer(context, [body])
    for place, item in enumerate(first.items):
        given: list[Carried] = [item]
        for value in values[1:]:
            if isinstance(value, Listed) and place >= len(value.items):
                raise Refusal(
                    "N068", "the lists of SequenceMap have different lengths", help="export the network again"
                )
            given.append(value.items[place] if isinstance(value, Listed) else value if value is not None else Absent())
        for column, made in zip(columns, run_subgraph(context, body, given), strict=True):
            column.append(_tensor_of(made))
    return [
        Listed(tuple(column), dtype_of(column[0]) if column else declared.dtype)
        for column, declared in zip(columns, body.outputs, strict=True)
    ]


def select(context: Context, condition: Value, yes: Carried, no: Carried) -> Carried:
    """Choose between two values of the same shape, by a condition without axes."""
    if isinstance(yes, Absent) and isinstance(no, Absent):
        return yes
    if isinstance(yes, Listed) and isinstance(no, Listed) and len(yes.items) == len(no.items):
        pairs = zip(yes.items, no.items, strict=True)
        return Listed(tuple(_select(context, condition, one, other) for one, other in pairs), yes.dtype or no.dtype)
    if isinstance(yes, Listed | Absent) or isinstance(no, Listed | Absent):
        raise Refusal(
            "N015", "the branches of a condition on the input make lists of different lengths",
            note="a circuit has a fixed shape for each n", help="export one branch, or use Where",
        )  # fmt: skip
    return _select(context, condition, yes, no)


def _select(context: Context, condition: Value, yes: Value, no: Value) -> Value:
    if yes is no:
        return yes
    if dims_of(yes) != dims_of(no) or dtype_of(yes) != dtype_of(no):
        shapes = (f"{dtype_of(value)} ({', '.join(map(str, dims_of(value)))})" for value in (yes, no))
        raise Refusal(
            "N015", f"a condition on the input chooses between tensors of different shapes: {' and '.join(shapes)}",
            note="a circuit has a fixed shape for each n", help="export one branch, or use Where",
        )  # fmt: skip
    if isinstance(yes, np.ndarray) and isinstance(no, np.ndarray) and np.array_equal(yes, no):
        return yes
    return typed(where(context, condition, yes, no), dtype_of(yes))


def _both(context: Context, left: Value, right: bool | Value) -> bool | Value:
    if isinstance(right, bool):
        return left if right else False
    return typed(binary(context, "and", left, right), "bool")


def _number(condition: bool | Value) -> Value:
    return np.array(condition) if isinstance(condition, bool) else condition


def _tensor_of(value: Carried) -> Value:
    return tensor([value], 0)


def _body(operator: Operator, name: str) -> Subgraph:
    body = operator.attributes[name]
    if not isinstance(body, Subgraph):
        raise Refusal("N006", f"the attribute `{name}` is no graph", help="export the network again")
    return body


def _share_outer(context: Context, bodies: Sequence[Subgraph]) -> None:
    """What several steps or branches read of the graph around becomes a node."""
    for body in bodies:
        for name in body.captured:
            share(context.scope.get(name), 2)


def _condition(context: Context, value: Value) -> bool | Value:
    """A truth value: known, or as a tensor without axes."""
    dims = dims_of(value)
    if any(dim.n_coef or dim.const != 1 for dim in dims):
        shape = ", ".join(map(str, dims))
        raise Refusal("N006", f"a condition has the shape ({shape}), one truth value is needed", help="use ReduceMax")
    if isinstance(value, np.ndarray) and not is_terms(value):
        return bool(value.ravel()[0])
    return typed(movement.reshape(context, value, np.zeros(0, dtype=np.int64), True), "bool") if dims else value


def _runs_through(body: Subgraph) -> bool:
    """Whether the condition of a loop is a constant, or handed on, so that the trip count alone ends it."""
    made = {name: operator for operator in body.operators for name in operator.outputs}
    name = body.outputs[0].name
    while name in made and made[name].op_type == "Identity":
        name = made[name].inputs[0]
    return name not in made or made[name].op_type == "Constant"


def _check_selected(going: bool | Value, limit: int | None, declared: Sequence[Declared]) -> None:
    """A loop that stops on a condition runs all its steps, and keeps what it had: that needs a bound, and one shape."""
    if limit is None or isinstance(going, Positional):
        what = "n" if isinstance(going, Positional) else "the input"
        raise Refusal(
            "N014", f"`Loop` repeats until a condition on {what} fails, so its depth has no bound",
            note=GROWS, help="export with a constant trip count",
        )  # fmt: skip
    if declared:
        raise Refusal(
            "N019", "how many rows `Loop` makes depends on the input's values",
            note="a circuit has a fixed shape for each n", help="export with a constant trip count",
        )  # fmt: skip


def _trip_count(value: Carried | None) -> int | None:
    if value is None or isinstance(value, Absent):
        return None
    term = term_array(value).ravel() if isinstance(value, np.ndarray) else None
    if term is not None and len(term) == 1 and not term[0].n_coef:
        return int(term[0].const)
    if term is not None and len(term) == 1:
        message = f"`Loop` repeats {term[0]} times, so the depth would grow with the sequence length"
    else:
        message = "the input decides how often `Loop` repeats, so its depth has no bound"
    raise Refusal("N014", message, note=GROWS, help="export with a constant trip count, or translate one step")


def _per_input(operator: Operator, name: str, count: int) -> list[int]:
    found = list(operator.attributes.get(name, [0] * count))
    if len(found) != count:
        raise Refusal("N006", f"`{name}` has {len(found)} entries, {count} are needed", help="export the network again")
    return found


def _stacked(context: Context, rows: Sequence[Value], declared: Declared, axis: int) -> Value:
    """A scan output: the rows along a new axis; without rows, the shape is what the file declares."""
    if not rows:
        if any(not isinstance(dim, int) for dim in declared.dims):
            raise Refusal(
                "N039", f"`{declared.name}` is made in no step, and its shape is not in the file",
                help="export with static shapes",
            )  # fmt: skip
        shape = [int(dim) for dim in declared.dims if isinstance(dim, int)]
        shape.insert(axis if axis >= 0 else len(shape) + 1 + axis, 0)
        return np.zeros(shape, dtype=NUMPY_OF.get(declared.dtype, declared.dtype))
    rank = len(dims_of(rows[0])) + 1
    if not -rank <= axis < rank:
        raise Refusal("N006", f"a new axis {axis} of a tensor of {rank} axes", help="export the network again")
    return stack(context, rows, axis)
