"""RNN, GRU and LSTM over a static number of steps: the steps are unrolled, each with the equations of the ONNX text.

Along the sequence of length n the depth would grow with n, so that is refused. Biases and the products of the inputs with
their weights do not depend on the state: they are one linear map for all steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from circuits.positions import Term
from circuits.scalar import Scalar, X
from translator.reading import contraction, joining, movement
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary, where
from translator.reading.gathering import gather
from translator.reading.loading import Operator
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.sequences import stack, typed
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of
from translator.reading.unrolling import count_unrolled
from translator.reading.values import Value
from translator.reading.walking import share

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DEFAULTS = {"RNN": ("Tanh",), "GRU": ("Sigmoid", "Tanh"), "LSTM": ("Sigmoid", "Tanh", "Tanh")}
NUMPY_OF = {"float": np.float32, "double": np.float64, "float16": np.float16}

# The default alpha and beta of the activations that have them, in lower case as ONNX compares them.
WITH_ALPHA = {
    "affine": 1.0,
    "leakyrelu": 0.01,
    "thresholdedrelu": 1.0,
    "scaledtanh": 1.0,
    "hardsigmoid": 0.2,
    "elu": 1.0,
}
WITH_BETA = {"affine": 0.0, "scaledtanh": 1.0, "hardsigmoid": 0.5}


def _scaled(scale: float, function: Scalar, shift: float = 0.0) -> Scalar:
    return call("add", call("mul", scale, function), shift)


ACTIVATIONS: dict[str, Callable[[float, float], Scalar]] = {
    "relu": lambda alpha, beta: call("max", X, 0.0),
    "tanh": lambda alpha, beta: call("tanh", X),
    "sigmoid": lambda alpha, beta: call("sigmoid", X),
    "softsign": lambda alpha, beta: call("div", X, call("add", 1.0, call("abs", X))),
    "softplus": lambda alpha, beta: call("softplus", X),
    "affine": lambda alpha, beta: _scaled(alpha, X, beta),
    "leakyrelu": lambda alpha, beta: call("where", call("ge", X, 0.0), X, call("mul", alpha, X)),
    "thresholdedrelu": lambda alpha, beta: call("where", call("gt", X, alpha), X, 0.0),
    "scaledtanh": lambda alpha, beta: call("mul", alpha, call("tanh", call("mul", beta, X))),
    "hardsigmoid": lambda alpha, beta: call("max", 0.0, call("min", 1.0, _scaled(alpha, X, beta))),
    "elu": lambda alpha, beta: call(
        "where", call("ge", X, 0.0), X, _scaled(alpha, call("exp", call("min", X, 0.0)), -alpha)
    ),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One direction: weights of shape (inputs, gates * hidden), biases, activations, and the options."""

    context: Context
    operator: Operator
    size: int
    recurrence: Value
    bias: Value | None
    peephole: Value | None
    functions: tuple[Scalar, ...]

    def add(self, left: Value | None, right: Value | None) -> Value:
        """The sum; an absent operand is 0."""
        if left is None or right is None:
            return needed([left if right is None else right], 0)
        return binary(self.context, "add", left, right)

    def multiply(self, left: Value, right: Value) -> Value:
        """The product."""
        return binary(self.context, "mul", left, right)

    def gate(self, value: Value, number: int, axis: int = -1) -> Value:
        """The block of one gate."""
        return block(self.context, value, axis, number * self.size, (number + 1) * self.size)

    def activate(self, number: int, value: Value) -> Value:
        """Clip, then apply the activation."""
        clip = self.operator.attributes.get("clip")
        if clip:
            value = unary(self.context, call("min", call("max", X, -clip), clip), value)
        return unary(self.context, self.functions[number], value)

    def recurrent(self, h: Value | None, low: int, high: int) -> Value | None:
        """The state's share of the gates low .. high-1; a state of zeros has none."""
        if h is None:
            return None
        weights = block(self.context, self.recurrence, -1, low * self.size, high * self.size)
        return contraction.matmul(self.context, h, weights)

    def peep(self, number: int, c: Value | None) -> Value | None:
        """What a gate sees of the cell."""
        if self.peephole is None or c is None:
            return None
        return self.multiply(self.gate(self.peephole, number), c)


def block(context: Context, value: Value, axis: int, low: int, high: int) -> Value:
    """A range of a static axis."""
    return movement.slice_axis(context, value, axis % len(dims_of(value)), Term((), 0, low), Term((), 0, high), 1)


def _rnn_step(cell: Cell, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value | None]:
    return cell.activate(0, cell.add(x, cell.recurrent(h, 0, 1))), None


def _gru_step(cell: Cell, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value | None]:
    both = cell.add(block(cell.context, x, -1, 0, 2 * cell.size), cell.recurrent(h, 0, 2))
    update, reset = (cell.activate(0, cell.gate(both, number)) for number in (0, 1))
    own = None if cell.bias is None else block(cell.context, cell.bias, -1, 5 * cell.size, 6 * cell.size)
    if cell.operator.attributes.get("linear_before_reset", 0):
        before = cell.recurrent(h, 2, 3)
        inner = cell.multiply(reset, cell.add(before, own)) if before is not None or own is not None else None
    else:
        inner = None if h is None else cell.recurrent(cell.multiply(reset, h), 2, 3)
        inner = cell.add(inner, own) if inner is not None or own is not None else None
    new = cell.activate(1, cell.add(cell.gate(x, 2), inner))
    share(new, 2)
    # (1 - z) * new + z * h with one product
    change = unary(cell.context, call("neg", X), new) if h is None else binary(cell.context, "sub", h, new)
    return cell.add(new, cell.multiply(update, change)), None


def _lstm_step(cell: Cell, x: Value, h: Value | None, c: Value | None) -> tuple[Value, Value | None]:
    gates = cell.add(x, cell.recurrent(h, 0, 4))
    into = cell.activate(0, cell.add(cell.gate(gates, 0), cell.peep(0, c)))
    new = cell.multiply(into, cell.activate(1, cell.gate(gates, 3)))
    if c is not None:
        if cell.operator.attributes.get("input_forget", 0):
            keep = unary(cell.context, call("sub", 1.0, X), into)
        else:
            keep = cell.activate(0, cell.add(cell.gate(gates, 2), cell.peep(2, c)))
        new = cell.add(new, cell.multiply(keep, c))
    share(new, 2)
    out = cell.activate(0, cell.add(cell.gate(gates, 1), cell.peep(1, new)))
    return cell.multiply(out, cell.activate(2, new)), new


STEPS = {"RNN": _rnn_step, "GRU": _gru_step, "LSTM": _lstm_step}


@lowering("RNN", "GRU", "LSTM")
def _recurrent(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    kind, attributes = operator.op_type, operator.attributes
    values = [_real(value) for value in values]
    x, dtype = needed(values, 0), dtype_of(needed(values, 0))
    initial: list[Value | None] = [optional(values, 5), optional(values, 6) if kind == "LSTM" else None]
    batch_first = bool(attributes.get("layout", 0))
    _check(kind, values, batch_first)
    if batch_first:
        x = movement.transpose(context, x, [1, 0, 2])
        initial = [None if state is None else movement.transpose(context, state, [1, 0, 2]) for state in initial]
    steps = dims_of(x)[0].const
    directions = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}.get(
        attributes.get("direction", "forward")
    )
    if directions is None or len(directions) != dims_of(needed(values, 1))[0].const:
        raise Refusal("N006", f"{kind} has weights for another number of directions", help="export the network again")
    count_unrolled(context, 10 * steps * len(directions))
    functions = list(_activations(operator, len(directions)))
    each = len(DEFAULTS[kind])
    made: list[list[Value]] = []
    last: tuple[list[Value], list[Value]] = ([], [])
    for direction, backward in enumerate(directions):
        own = [None if value is None else gather(context, value, np.array(direction), 0) for value in _weights(values)]
        states = [None if state is None else gather(context, state, np.array(direction), 0) for state in initial]
        cell, inputs = _cell(context, operator, own, x, tuple(functions[each * direction : each * (direction + 1)]))
        rows, h, c = _unroll(cell, inputs, steps, backward, states, optional(values, 4))
        made.append(rows)
        for kept, state in zip(last, (h, c), strict=True):
            kept.append(_zeros(context, x, cell.size) if state is None else state)
    for row in (*made, *last):
        for value in row:
            share(value, 2)
    shape = (0, len(directions), dims_of(x)[1].const, cell.size)
    y = (
        stack(context, [stack(context, list(row), 0) for row in zip(*made, strict=True)], 0)
        if steps
        else np.zeros(shape)
    )
    results = [y, *(stack(context, state, 0) for state in (last if kind == "LSTM" else last[:1]))]
    if batch_first:
        results = [
            movement.transpose(context, value, [2, 0, 1, 3] if not place else [1, 0, 2])
            for place, value in enumerate(results)
        ]
    return [_rounded(typed(value, dtype), dtype) for value in results]


def _unroll(
    cell: Cell,
    inputs: Value,
    steps: int,
    backward: bool,
    states: list[Value | None],
    lengths: Value | None,
) -> tuple[list[Value], Value | None, Value | None]:
    """All steps of one direction: the state after each, in the order of the input, and the last states."""
    context = cell.context
    rows: dict[int, Value] = {}
    h, c = states
    for step in reversed(range(steps)) if backward else range(steps):
        new, cell_state = STEPS[cell.operator.op_type](cell, gather(context, inputs, np.array(step), 0), h, c)
        share(new, 2)
        rows[step] = new
        going = None if lengths is None else _going(context, lengths, step)
        if going is not None:
            zero = unary(context, call("mul", 0.0, X), new)
            rows[step] = where(context, going, new, zero)
            new = where(context, going, new, zero if h is None else h)
            share(new, 2)
            if cell_state is not None:
                cell_state = where(context, going, cell_state, zero if c is None else c)
                share(cell_state, 2)
        h, c = new, cell_state
    return [rows[step] for step in range(steps)], h, c


def _going(context: Context, lengths: Value, step: int) -> Value | None:
    """Which entries of the batch reach this step, as a column; None if all do."""
    column = movement.reshape(context, lengths, term_array([dims_of(lengths)[0], Term((), 0, 1)]), True)
    if isinstance(column, np.ndarray) and column.dtype != object:
        reached = np.asarray(column > step)
        return None if reached.all() else reached
    return typed(binary(context, "gt", column, np.array(float(step))), "bool")


def _weights(values: Inputs) -> list[Value | None]:
    """Input weights, recurrent weights, biases and peepholes."""
    return [needed(values, 1), needed(values, 2), optional(values, 3), optional(values, 7)]


def _cell(
    context: Context, operator: Operator, own: list[Value | None], x: Value, functions: tuple[Scalar, ...]
) -> tuple[Cell, Value]:
    """One direction, and the products of all inputs with their weights, with the biases."""
    weights, recurrence, bias, peephole = own
    size = dims_of(needed(own, 1))[-1].const
    gates = GATES[operator.op_type]
    cell = Cell(
        context,
        operator,
        size,
        movement.transpose(context, needed([recurrence], 0), [1, 0]),
        bias,
        peephole,
        functions,
    )
    inputs = contraction.matmul(context, x, movement.transpose(context, needed([weights], 0), [1, 0]))
    if bias is not None:
        inputs = binary(context, "add", inputs, block(context, bias, -1, 0, gates * size))
        # In a GRU the candidate's recurrent bias stands inside the reset, in the other cells it is added to the first.
        rest = block(context, bias, -1, gates * size, 2 * gates * size)
        if operator.op_type == "GRU":
            empty = np.zeros(size)
            rest = joining.concat(context, [block(context, rest, -1, 0, 2 * size), empty], 0)
        inputs = binary(context, "add", inputs, rest)
    share(inputs, 2)
    return cell, inputs


def _activations(operator: Operator, directions: int) -> Iterator[Scalar]:
    """The activations of all directions; alphas and betas are consumed in order by those that have them."""
    names = operator.attributes.get("activations") or list(DEFAULTS[operator.op_type]) * directions
    if len(names) != len(DEFAULTS[operator.op_type]) * directions:
        raise Refusal("N006", f"{operator.op_type} with {len(names)} activations", help="export the network again")
    alphas = iter(operator.attributes.get("activation_alpha", ()))
    betas = iter(operator.attributes.get("activation_beta", ()))
    for name in names:
        known = str(name.decode() if isinstance(name, bytes) else name).lower()
        if known not in ACTIVATIONS:
            raise Refusal("N006", f"there is no activation `{known}`", help="export the network again")
        alpha = next(alphas, WITH_ALPHA[known]) if known in WITH_ALPHA else 0.0
        beta = next(betas, WITH_BETA[known]) if known in WITH_BETA else 0.0
        yield ACTIVATIONS[known](float(alpha), float(beta))


def _check(kind: str, values: Inputs, batch_first: bool) -> None:
    """The shapes that ONNX asks for, and a static number of steps."""
    ranks = {0: 3, 1: 3, 2: 3, 3: 2, 4: 1, 5: 3, 6: 3, 7: 2}
    for place, value in enumerate(values[: 8 if kind == "LSTM" else 6]):
        if value is not None and len(dims_of(value)) != ranks[place]:
            raise Refusal(
                "N006", f"input {place} of {kind} has {len(dims_of(value))} axes, {ranks[place]} are needed",
                help="export the network again",
            )  # fmt: skip
    length = dims_of(needed(values, 0))[1 if batch_first else 0]
    if length.n_coef:
        raise Refusal(
            "N014", f"`{kind}` runs along the sequence, so the depth would grow with the sequence length",
            note="threshold circuits of constant depth, and FO(M), hold fixed-depth networks only",
            help="use attention, export with a fixed length, or translate one step",
        )  # fmt: skip
    gates, size = GATES[kind], dims_of(needed(values, 2))[2]
    wanted = {1: (1, gates), 2: (1, gates), 3: (1, 2 * gates), 5: (2, 1), 6: (2, 1), 7: (1, 3)}
    directions = dims_of(needed(values, 1))[0]
    for place in (1, 2, 3, 5, 6, 7):
        value = optional(values, place)
        if value is not None and dims_of(value)[1 if batch_first and place in (5, 6) else 0] != directions:
            raise Refusal("N006", f"input {place} of {kind} is for other directions", help="export the network again")
    for place, (axis, times) in wanted.items():
        value, entries = optional(values, place), size * times
        if value is not None and dims_of(value)[axis] != entries:
            raise Refusal(
                "N006", f"input {place} of {kind} has {dims_of(value)[axis]} entries on axis {axis}, {entries} are needed",
                help="export the network again",
            )  # fmt: skip


def _real(value: Value | None) -> Value | None:
    """Known numbers in 64 bits, so that nothing is rounded on the way."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    return value


def _rounded(value: Value, dtype: str) -> Value:
    return value.astype(NUMPY_OF.get(dtype, np.float32)) if isinstance(value, np.ndarray) else value


def _zeros(context: Context, x: Value, size: int) -> Value:
    batch = dims_of(x)[1]
    return movement.expand(context, np.zeros((1, 1)), term_array([batch, Term((), 0, size)]))
