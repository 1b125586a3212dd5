"""Lower one operator, or a list of them: constants are folded, functions of ONNX are lowered through their bodies."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from translator.reading.bodies import body_of
from translator.reading.context import Context
from translator.reading.folding import FOLDING_ERRORS, STANDARD, fold
from translator.reading.limits import check_axis, check_size
from translator.reading.loading import Operator, Subgraph
from translator.reading.positional import settle_known
from translator.reading.refusing import Refusal
from translator.reading.table import CARRYING, OPERATORS
from translator.reading.types import result_types
from translator.reading.unrolling import count_unrolled
from translator.reading.unsupported import RANDOM, RECURRENT, diagnose
from translator.reading.values import Absent, Carried, Data, Listed, Value

PASSING = frozenset(
    ["Add", "Sub", "Mul", "Div", "Where", "Reshape", "Transpose", "Cast", "Identity", "Unsqueeze", "Squeeze", "Expand",
     "Clip", "Max", "Min", "Concat", "Slice"]
)  # fmt: skip


def is_known(value: Carried | None) -> bool:
    """Whether a value is absent or a numpy array of numbers."""
    return value is None or (isinstance(value, np.ndarray) and value.dtype != object)


def is_folded(operator: Operator) -> bool:
    """Whether ONNX's reference implementation evaluates this operator where all that it reads is known."""
    if operator.domain:
        return full_name(operator) in STANDARD
    if operator.op_type in RANDOM + RECURRENT:
        return False
    return operator.op_type == "Identity" or operator.op_type not in CARRYING


def is_supported(operator: Operator, opset: int) -> bool:
    """Whether an operator has a lowering of its own or a body."""
    name = full_name(operator)
    return name in OPERATORS or name in CARRYING or (not operator.domain and body_of(operator, None, opset) is not None)


def full_name(operator: Operator) -> str:
    """The name in the tables: with the domain, if it is not ONNX's own."""
    return f"{operator.domain}::{operator.op_type}" if operator.domain else operator.op_type


def lower(context: Context, operator: Operator, values: Sequence[Carried | None]) -> list[Carried]:
    """Lower one operator: its outputs, with their element types.

    Raises:
        Refusal: this use of the operator is not supported.
    """
    name = full_name(operator)
    carrying = CARRYING.get(name)
    if carrying is not None:
        return _all_outputs(operator, carrying(context, operator, values))
    tensors: list[Value | None] = []
    for given, value in zip(operator.inputs, values, strict=True):
        if isinstance(value, Listed | Absent):
            found = "a list" if isinstance(value, Listed) else "an empty optional"
            raise Refusal("N018", f"`{name}` reads a tensor, and `{given}` is {found}", help="export the network again")
        tensors.append(value)
    check_axis(operator, tensors)
    check_size(operator, tensors)
    if is_folded(operator) and all(map(is_known, tensors)):
        # The reference evaluator lacks some old opsets; the lowering below serves these.
        with suppress(*FOLDING_ERRORS):
            return list(fold(operator, tensors, context.opset))  # type: ignore[arg-type]
    own = OPERATORS.get(name)
    if own is None:
        body = None if operator.domain else body_of(operator, tensors, context.opset)
        if body is None:
            reason = diagnose(operator, OPERATORS, "")
            raise Refusal(reason.code, reason.message, note=reason.note, help=reason.help)
        inner = dict(zip(body.inputs, [*tensors, *[None] * len(body.inputs)], strict=False))
        opset, context.opset = context.opset, body.opset
        try:
            results = run(context, body.operators, inner, body.outputs)
        finally:
            context.opset = opset
        return _all_outputs(operator, [value if isinstance(value, Listed) else _settled(value) for value in results])
    made = own(context, operator, tensors)
    lowered = [settle_known(value) for value in (made if isinstance(made, list) else [made])]
    if operator.domain:
        return _all_outputs(operator, list(lowered))  # with the element types that the lowering gives them
    types = result_types(operator, tensors)
    return _all_outputs(
        operator,
        [
            replace(value, dtype=dtype) if isinstance(value, Data) else value
            for value, dtype in zip(lowered, types + types[-1:] * len(lowered), strict=False)
        ],
    )


def _settled(value: Carried) -> Carried:
    return value if isinstance(value, Absent | Listed) else settle_known(value)


def _all_outputs(operator: Operator, results: list[Carried]) -> list[Carried]:
    asked = max((place for place, name in enumerate(operator.outputs, 1) if name), default=0)
    if len(results) < asked:
        raise Refusal(
            "N066",
            f"`{operator.op_type}` is asked for {asked} outputs, {len(results)} are supported",
            help="leave out the further outputs",
        )
    return results


def run(
    context: Context,
    operators: Sequence[Operator],
    values: Mapping[str, Carried | None],
    wanted: Sequence[str],
    *,
    named: bool = False,
) -> list[Carried]:
    """Lower operators in order on the given tensors (None: absent) and return the tensors `wanted`.

    With `named`, the operators are the file's own: a refusal says which one it is about.

    Raises:
        Refusal: one of them is not supported, or a tensor is defined nowhere.
    """
    scope: ChainMap[str, Carried | None] = ChainMap({}, values)  # type: ignore[arg-type]
    outer, context.scope = context.scope, scope
    above = context.operator
    counted = uses(operators, wanted)
    for operator in operators:
        if named:
            context.operator = operator
        try:
            given = [_find(scope, name) for name in operator.inputs]
            found = lower(context, operator, given)
        except Refusal as refusal:
            if not named:
                raise
            label = operator.name or next(filter(None, operator.outputs), "?")
            place = f"in its body: node {operator.index} `{label}` ({full_name(operator)})"
            note = f"{place}; {refusal.note}" if refusal.note else place
            raise Refusal(refusal.code, refusal.message, note=note, help=refusal.help) from refusal
        for name, value in zip(operator.outputs, found, strict=False):
            if name:
                scope[name] = value
                share(value, counted.get(name, 0))
    context.scope, context.operator = outer, above
    results = [_find(scope, name) for name in wanted if named or name in scope]
    return [value for value in results if value is not None]


def _find(scope: Mapping[str, Carried | None], name: str) -> Carried | None:
    if name and name not in scope:
        raise Refusal(
            "N006",
            f"the tensor `{name}` is read and defined nowhere before",
            note="an ONNX graph lists its operators in an order in which they can run",
            help="export the network again",
        )
    return scope[name] if name else None


def run_subgraph(context: Context, body: Subgraph, given: Sequence[Carried]) -> list[Carried]:
    """Lower the body of an operator of control flow, which may read every tensor of the graph around it.

    Raises:
        Refusal: one of its operators is not supported, or too many operators have been unrolled.
    """
    count_unrolled(context, len(body.operators) + 1)
    outer = context.toward_softmax
    context.toward_softmax = outer | toward_softmax(body.operators)
    wanted = [declared.name for declared in body.outputs]
    counted = uses(body.operators, wanted)
    own: dict[str, Carried] = {}
    for declared, value in zip(body.inputs, given, strict=False):
        own[declared.name] = value
        share(value, counted.get(declared.name, 0))
    scope = ChainMap[str, Carried | None](dict(own), dict(body.constants), context.scope)  # type: ignore[arg-type]
    results = run(context, body.operators, scope, wanted, named=True)
    context.toward_softmax = outer
    return results


def toward_softmax(operators: Sequence[Operator]) -> frozenset[str]:
    """The tensors of a graph that are scores: they come to a softmax through sums, products and data movement alone."""
    producers = {name: op for op in operators for name in op.outputs if name}
    stack = [op.inputs[0] for op in operators if op.op_type in ("Softmax", "LogSoftmax", "Exp") and op.inputs]
    found: set[str] = set()
    while stack:
        name = stack.pop()
        if name in found:
            continue
        found.add(name)
        producer = producers.get(name)
        if producer is not None and producer.op_type in PASSING:
            stack.extend(producer.inputs)
    found |= {op.outputs[0] for op in operators if op.op_type == "Attention"}
    return frozenset(found)


def share(value: Carried | None, uses: int) -> None:
    """Make what several operators read a node of its own."""
    if isinstance(value, Listed):
        for item in value.items:
            share(item, uses)
    if isinstance(value, Data) and uses > 1:
        for part in value.parts.values():
            part.view.source.shared = True


def uses(operators: Sequence[Operator], wanted: Iterable[str]) -> dict[str, int]:
    """How many operators, and wanted outputs, read each tensor."""
    counted: dict[str, int] = {}
    for operator in operators:
        if operator.op_type not in ("Shape", "Size"):
            for name in operator.reads:
                counted[name] = counted.get(name, 0) + 1
    for name in wanted:
        counted[name] = counted.get(name, 0) + 1
    return counted
