"""Lower one operator, or a list of them: constants are folded, functions of ONNX are lowered through their bodies."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from translator.reading.bodies import body_of
from translator.reading.context import Context
from translator.reading.folding import FOLDING_ERRORS, fold
from translator.reading.loading import Operator, Subgraph
from translator.reading.positional import settle_known
from translator.reading.refusing import Refusal
from translator.reading.table import OPERATORS
from translator.reading.types import result_types
from translator.reading.unsupported import RANDOM
from translator.reading.values import Data, Value

UNFOLDED = frozenset([*RANDOM, "If", "Loop", "Scan", "SequenceMap"])


def is_known(value: Value | None) -> bool:
    """Whether a value is a numpy array of numbers."""
    return value is None or (isinstance(value, np.ndarray) and value.dtype != object)


def is_supported(operator: Operator, opset: int) -> bool:
    """Whether an operator has a lowering of its own or a body."""
    name = f"{operator.domain}::{operator.op_type}" if operator.domain else operator.op_type
    return name in OPERATORS or (not operator.domain and body_of(operator, None, opset) is not None)


def lower(context: Context, operator: Operator, values: Sequence[Value | None]) -> list[Value]:
    """Lower one operator: its outputs, with their element types.

    Raises:
        Refusal: this use of the operator is not supported.
    """
    if operator.op_type not in UNFOLDED and not operator.domain and all(map(is_known, values)):
        try:
            return list(fold(operator, list(values), context.opset))  # type: ignore[arg-type]
        except FOLDING_ERRORS:
            pass  # the reference evaluator lacks some old opsets; the lowering below is tried instead
    name = f"{operator.domain}::{operator.op_type}" if operator.domain else operator.op_type
    own = OPERATORS.get(name)
    if own is not None:
        result = own(context, operator, list(values))
    else:
        body = None if operator.domain else body_of(operator, values, context.opset)
        if body is None:
            raise Refusal("N011", f"the operator `{name}` is not supported")
        given = dict(zip(body.inputs, [*values, *[None] * len(body.inputs)], strict=False))
        opset, context.opset = context.opset, body.opset
        result = run(context, body.operators, given, body.outputs)
        context.opset = opset
    results = [settle_known(value) for value in (result if isinstance(result, list) else [result])]
    types = result_types(operator, values)
    if len(results) < sum(map(bool, operator.outputs)):
        raise Refusal(
            "N066",
            f"`{operator.op_type}` is asked for {len(operator.outputs)} outputs, {len(results)} are supported",
            help="leave out the further outputs",
        )
    return [
        replace(value, dtype=dtype) if isinstance(value, Data) and own is not None else value
        for value, dtype in zip(results, types + types[-1:] * len(results), strict=False)
    ]


def run(
    context: Context, operators: Sequence[Operator], values: Mapping[str, Value | None], wanted: Sequence[str]
) -> list[Value]:
    """Lower operators in order on the given tensors (None: absent) and return the tensors `wanted`.

    Raises:
        Refusal: one of them is not supported.
    """
    scope: ChainMap[str, Value | None] = ChainMap({}, dict(values))
    outer = context.scope
    context.scope = scope
    counted = uses(operators, wanted)
    for operator in operators:
        found = lower(context, operator, [scope[name] if name else None for name in operator.inputs])
        for name, value in zip(operator.outputs, found, strict=False):
            if name:
                scope[name] = value
                share(value, counted.get(name, 0))
    context.scope = outer
    results = [scope[name] for name in wanted if name in scope]
    return [value for value in results if value is not None]


def run_subgraph(context: Context, body: Subgraph, given: Sequence[Value]) -> list[Value]:
    """Lower the body of an operator of control flow, which may read every tensor of the graph around it.

    Raises:
        Refusal: one of its operators is not supported.
    """
    own = {declared.name: value for declared, value in zip(body.inputs, given, strict=False)}
    return run(context, body.operators, {**context.scope, **body.constants, **own}, body.outputs)


def share(value: Value, uses: int) -> None:
    """Make what several operators read a node of its own."""
    if isinstance(value, Data) and uses > 1:
        for part in value.parts.values():
            part.view.source.shared = True


def uses(operators: Sequence[Operator], wanted: Sequence[str]) -> dict[str, int]:
    """How many operators, and wanted outputs, read each tensor."""
    counted: dict[str, int] = {}
    for operator in operators:
        if operator.op_type not in ("Shape", "Size"):
            for name in operator.reads:
                counted[name] = counted.get(name, 0) + 1
    for name in wanted:
        counted[name] = counted.get(name, 0) + 1
    return counted
