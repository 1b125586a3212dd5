"""One-operator models of a domain other than ONNX's own, compared with onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.translator.reading.differential import element_type, expected, ours

Array = np.ndarray[Any, Any]


def single(
    domain: str,
    op_type: str,
    inputs: Sequence[Array | None],
    *,
    constants: Sequence[int] = (),
    outputs: Sequence[int] = (TensorProto.FLOAT,),
    version: int = 1,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one operator of `domain`; the inputs numbered in `constants` are initializers, an output type 0 is absent."""
    names = [f"i{number}" if value is not None else "" for number, value in enumerate(inputs)]
    made = [f"o{number}" if kind else "" for number, kind in enumerate(outputs)]
    given = [(number, value) for number, value in enumerate(inputs) if value is not None]
    graph = helper.make_graph(
        [helper.make_node(op_type, names, made, domain=domain, **attributes)],
        "single",
        [
            helper.make_tensor_value_info(f"i{number}", element_type(value), value.shape)
            for number, value in given
            if number not in constants
        ],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(made, outputs, strict=True) if name],
        [numpy_helper.from_array(value, f"i{number}") for number, value in given if number in constants],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(domain, version)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def check(
    domain: str,
    op_type: str,
    inputs: Sequence[Array | None],
    *,
    constants: Sequence[int] = (),
    tolerance: float = 2e-5,
    unequal: int = 0,
    **options: Any,
) -> None:
    """Compare all outputs: shapes, types, numbers; of whole numbers at most `unequal` may differ, and by one."""
    model = single(domain, op_type, inputs, constants=constants, **options)
    found, wanted = ours(model, inputs, constants), expected(model, inputs, constants)
    assert len(found) == len(wanted)
    for mine, his in zip(found, wanted, strict=True):
        assert (mine.dtype, mine.shape) == (his.dtype, his.shape)
        left, right = mine.astype(np.float64), his.astype(np.float64)
        if mine.dtype.kind in "iub":
            assert (left != right).sum() <= unequal
            assert np.abs(left - right).max(initial=0) <= bool(unequal)
        else:
            np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)
