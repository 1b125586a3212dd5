"""Inputs that hold NaN or infinity: entries that are no real numbers are bound as constants, one by one.

An element of an output that reads none of them is computed by the network. One that reads nothing else is a constant, and folded
like every constant by ONNX's reference implementation. One that reads both is refused: it is no function of real numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from circuits.diagnostics import FomError, fail
from translator.reading.folding import FOLDING_ERRORS
from translator.real import Features, Linear, Map, Maximum, Multiply, Predicates, Ratio, RealNetwork
from translator.tensors import assemble

Array = np.ndarray[Any, Any]


def folded(network: RealNetwork, model: onnx.ModelProto, given: Mapping[str, Any]) -> dict[str, tuple[Array, Array]]:
    """For each output, which elements are constants because of entries that are no real numbers, and the whole folded output.

    Raises:
        FomError: an element reads such an entry and another one besides.
    """
    masks = {own.node: ~np.isfinite(np.asarray(given[own.name], np.float64)).ravel() for own in network.inputs}
    if not any(mask.any() for mask in masks.values()):
        return {}
    names = ", ".join(f"`{own.name}`" for own in network.inputs if masks[own.node].any())
    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(model).run(None, dict(given))
    except FOLDING_ERRORS as error:
        raise _refusal(names, f"the elements that read it cannot be folded: {error}") from error
    exceptional, real = reads(network, masks), reads(network, {name: ~mask for name, mask in masks.items()})
    if exceptional is None or real is None:
        raise _refusal(names, "it is read along a sequence")
    result = {}
    for tensor, values in zip(network.outputs, found, strict=True):
        numbers = np.asarray(values)
        constant = np.zeros(numbers.shape, dtype=bool)
        if tensor.parts:
            constant = assemble(tensor, 1, exceptional, 1)[0] != 0
            if (constant & (assemble(tensor, 1, real, 1)[0] != 0)).any():
                raise _refusal(names, f"an element of `{tensor.name}` reads real numbers as well")
        if not np.isfinite(numbers[~constant].astype(np.float64)).all():
            raise _refusal(names, f"an element of `{tensor.name}` that is undefined does not read it over the reals")
        result[tensor.name] = constant, numbers
    return result


def _refusal(names: str, note: str) -> FomError:
    return fail("N065", f"NaN or infinity stands in {names}", note=note, help="give finite numbers")


def reads(network: RealNetwork, entries: Mapping[str, Array]) -> dict[str, Array] | None:
    """For each node, which elements read one of the given entries of inputs, of shape ``(1, size)``; None along a sequence."""
    found: dict[str, Array] = {}
    for node in network.nodes:
        if node.n_positions:
            return None
        match node:
            case Features():
                read = entries[node.name]
            case Predicates():
                read = np.zeros(node.size, dtype=bool)
            case Linear():
                read = np.zeros(node.size, dtype=bool)
                for operand in node.operands:
                    read = read | (abs(operand.matrix) @ found[operand.ref.node][0].astype(np.float64) > 0)
            case Multiply():
                read = found[node.left.node][0][node.left_index] | found[node.right.node][0][node.right_index]
            case Map():
                read = found[node.operand.node][0]
            case Maximum(guard=None):
                read = found[node.operand.node][0][node.groups].any(axis=1)
                for ref, groups in node.segments:
                    read = read | found[ref.node][0][groups].any(axis=1)
            case Ratio():
                read = found[node.num.node][0] | found[node.den.node][0][node.den_index]
            case _:
                return None
        found[node.name] = np.asarray(read, dtype=bool)[None]
    return found
