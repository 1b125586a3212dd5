"""The same file with its sums in another order: what onnxruntime's own float32 additions decide.

Before every matrix product and convolution with stored weights the terms of its sums are permuted, in both operands alike. The
exact result is the same; where the runtime's output is another one, float32's errors have moved it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from translator.feeding import feeding_of
from translator.oracle import Oracle
from translator.real import RealNetwork

Array = np.ndarray[Any, Any]

ORDERS = 6


def permuted(path: Path, seed: int) -> onnx.ModelProto:
    """A file with the terms of all its sums of products in another order: reversed, or at random."""
    model = onnx.load(str(path))
    graph, rng = model.graph, np.random.default_rng(seed)
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type in ("DequantizeLinear", "Cast", "Identity") and node.input[0] in shapes:
            shapes[node.output[0]] = shapes[node.input[0]]
    nodes: list[Any] = []
    for number, node in enumerate(graph.node):
        axes = summed_axes(node)
        weights = shapes.get(node.input[1], []) if axes else []
        count = weights[axes[1]] if axes and -len(weights) <= axes[1] < len(weights) else 0
        if axes and count > 1:
            order = rng.permutation(count) if seed else np.arange(count)[::-1].copy()
            index = f"permuting.{number}"
            graph.initializer.append(numpy_helper.from_array(order.astype(np.int64), index))
            for place, axis in enumerate(axes):
                name = f"{index}.{place}"
                nodes.append(helper.make_node("Gather", [node.input[place], index], [name], name, axis=axis))
                node.input[place] = name
        nodes.append(node)
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    return model


def summed_axes(node: onnx.NodeProto) -> tuple[int, int] | None:
    """The axes of both operands over which a node sums, if it is a matrix product or a convolution."""
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    match node.op_type:
        case "MatMul":
            return -1, -2
        case "Gemm":
            return (0 if given.get("transA") else 1), (1 if given.get("transB") else 0)
        case "Conv" if given.get("group", 1) == 1:
            return 1, 1
        case _:
            return None


def answers_in_other_orders(path: Path, network: RealNetwork, groups: tuple[Array, ...]) -> list[list[Array]]:
    """What onnxruntime answers for each group of inputs, in each of several orders of the sums."""
    decision, found = network.decision, []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(ORDERS):
            other = Path(folder) / f"{seed}.onnx"
            onnx.save(permuted(path, seed), other)
            oracle = Oracle(other, decision.kind, decision.n_positions, decision.applied, feeding_of(network, {}))
            found.append([oracle.logits(group) for group in groups])
    return [list(orders) for orders in zip(*found, strict=True)]
