"""RotaryEmbedding: pairs of elements are turned by tabulated angles."""

from __future__ import annotations

import numpy as np

from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary
from translator.reading.gathering import gather
from translator.reading.heads import count_of, join_heads, split_heads
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import take_static, unsqueeze
from translator.reading.table import Inputs, lowering, needed, optional
from translator.reading.values import Value


@lowering("RotaryEmbedding")
def _rotary_embedding(context: Context, operator: Operator, values: Inputs) -> Value:
    """Turn the first `rotary_embedding_dim` elements of each head; the rest stays."""
    given, x, places = operator.attributes, needed(values, 0), optional(values, 3)
    packed = len(dims_of(x)) == 3
    if packed:
        x = split_heads(context, x, count_of(operator, "num_heads"))
    tables = (needed(values, place) for place in (1, 2))
    angles = (table if places is None else gather(context, table, places, 0) for table in tables)
    cosine, sine = (unsqueeze(context, table, [1]) for table in angles)
    width = dims_of(x)[3].const
    size = given.get("rotary_embedding_dim", 0) or width
    numbers = np.arange(size)
    turned = numbers.reshape(-1, 2).T if given.get("interleaved", 0) else numbers.reshape(2, -1)
    first, second = (take_static(context, x, 3, index) for index in turned)

    def rotated(one: Value, other: Value, op: str) -> Value:
        return binary(context, op, binary(context, "mul", one, cosine), binary(context, "mul", other, sine))

    parts = [rotated(first, second, "sub"), rotated(second, first, "add")]
    result = take_static(context, concat(context, parts, 3), 3, np.argsort(turned.ravel()))
    if size < width:
        result = concat(context, [result, take_static(context, x, 3, np.arange(size, width))], 3)
    return join_heads(context, result) if packed else result
