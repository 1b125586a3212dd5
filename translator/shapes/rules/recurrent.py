"""Recurrent layers: all states along the sequence, and the last ones."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, floor_div
from translator.shapes.values import Tensor, misfit

DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@rule("RNN", "GRU", "LSTM")
def recurrent(call: Call) -> list[Tensor | None]:
    """``Y``, ``Y_h`` and, of an LSTM, ``Y_c``; `layout` 1 puts the batch first."""
    first, second, features = call.dims(0, 3)
    weights = call.dims(1, 3)
    direction = call.attribute("direction", "forward")
    if direction not in DIRECTIONS:
        raise misfit(f"`{call.op}` has direction `{direction}`")
    count = DIRECTIONS[direction]
    call.constraints.same(weights[0], count, f"`{call.op}` has weights for each direction")
    call.constraints.same(features, weights[2], f"`{call.op}` has one weight for each feature")
    hidden: Size = call.attribute("hidden_size", 0) or floor_div(weights[1], GATES[call.op])
    if call.attribute("layout", 0):
        batch, length = first, second
        every, last = shaped([batch, length, count, hidden]), shaped([batch, count, hidden])
    else:
        length, batch = first, second
        every, last = shaped([length, count, batch, hidden]), shaped([count, batch, hidden])
    return [every, last, last]
