"""Laws of sizes against brute force, and shapes of node tests and random graphs against what was stored or computed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import onnx
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from benchmarks.shapes import Case, compare, observed, static_inputs
from circuits.diagnostics import FomError
from translator.shapes import Shapes, infer
from translator.shapes.constraints import Constraints
from translator.shapes.expressions import (
    Size,
    at_least,
    ceil_div,
    floor_div,
    maximum,
    minimum,
    minus,
    modulo,
    never_equal,
    plus,
    quotient,
    symbol,
    times,
)
from translator.shapes.values import Misfit

A, B = symbol("a"), symbol("b")
SIZES = list(itertools.product(range(1, 8), repeat=2))

leaves: st.SearchStrategy[Size] = st.sampled_from([A, B, 1, 2, 3, 5, 0])
pairs: dict[str, Callable[[Any, Any], Size]] = {"+": plus, "-": minus, "*": times, "min": minimum, "max": maximum}
plain: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "min": min,
    "max": max,
    "//": lambda a, b: a // b,
    "up": lambda a, b: -(-a // b),
    "%": lambda a, b: a % b,
}
divisions: dict[str, Callable[[Any, Any], Size]] = {"//": floor_div, "up": ceil_div, "%": modulo}
Tree = Any

trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(pairs)), inner, inner),
        st.tuples(st.sampled_from(sorted(divisions)), inner, st.sampled_from([2, 3, 4])),
    ),
    max_leaves=5,
)


def built(tree: Tree) -> Size:
    """A tree of operations as a size."""
    if not isinstance(tree, tuple):
        return tree
    op, left, right = tree
    return (pairs | divisions)[op](built(left), built(right))


def computed(tree: Tree, a: int, b: int) -> int:
    """The same tree on numbers."""
    if not isinstance(tree, tuple):
        return a if tree == A else b if tree == B else int(tree)
    op, left, right = tree
    return plain[op](computed(left, a, b), computed(right, a, b))


def valued(size: Size, a: int, b: int) -> int:
    """A size at given symbols."""
    return int(sympy.sympify(size).xreplace({A: sympy.Integer(a), B: sympy.Integer(b)}))


@settings(max_examples=60, deadline=None)
@given(trees)
def test_operations_are_those_of_numbers(tree: Tree) -> None:
    size = built(tree)
    for a, b in SIZES[::5]:
        assert valued(size, a, b) == computed(tree, a, b)


@settings(max_examples=60, deadline=None)
@given(trees, trees)
def test_what_is_proved_holds(left: Tree, right: Tree) -> None:
    one, other = built(left), built(right)
    values = [(computed(left, a, b), computed(right, a, b)) for a, b in SIZES]
    if at_least(one, other):
        assert all(x >= y for x, y in values)
    if never_equal(one, other):
        assert all(x != y for x, y in values)
    whole = quotient(one, other)
    if whole is not None:
        assert all(valued(whole, a, b) * y == x for (a, b), (x, y) in zip(SIZES, values, strict=True))


FITS: dict[str, Callable[[int, int], bool]] = {
    "same": lambda x, y: x == y,
    "broadcast": lambda x, y: x == y or 1 in (x, y),
    "at_least": lambda x, y: x >= y,
}


@settings(max_examples=60, deadline=None)
@given(trees, trees, st.sampled_from(["same", "broadcast", "at_least"]))
def test_constraints_are_exactly_what_unification_needs(left: Tree, right: Tree, how: str) -> None:
    """For positive sizes a relation is violated if and only if numpy would refuse."""
    one, other = built(left), built(right)
    values = [(computed(left, a, b), computed(right, a, b)) for a, b in SIZES]
    constraints = Constraints()
    rule = FITS[how]
    try:
        if how == "same":
            result = constraints.same(one, other, "test")
        elif how == "broadcast":
            (result,) = constraints.broadcast([(one,), (other,)], "test")
        else:
            constraints.at_least(one, other, "test")
            result = one
    except Misfit:
        assert not any(rule(x, y) for x, y in values)
        return
    relations = [each.relation for each in constraints.list()]
    for (a, b), (x, y) in zip(SIZES, values, strict=True):
        if min(x, y) < 1:
            continue
        at = {A: sympy.Integer(a), B: sympy.Integer(b)}
        fits = all(relation.xreplace(at) == sympy.true for relation in relations)
        assert fits == rule(x, y)
        if fits:
            expected = x if how != "broadcast" or y == 1 else y
            assert valued(result, a, b) == expected


SAMPLED = {
    "CenterCropPad": "center_crop_pad",
    "Col2Im": "col2im",
    "Concat": "concat",
    "ConvTranspose": "convtranspose",
    "DFT": "dft",
    "Einsum": "einsum",
    "Expand": "expand",
    "Flatten": "flatten",
    "GRU": "gru",
    "GatherElements": "gatherelements",
    "Loop": "loop",
    "LSTM": "lstm",
    "Conv": "conv",
    "OneHot": "onehot",
    "Pad": "pad",
    "Range": "rangeop",
    "ReduceSum": "reducesum",
    "Reshape": "reshape",
    "Scan": "scan",
    "Shape": "shape",
    "Slice": "slice",
    "SpaceToDepth": "spacetodepth",
    "Split": "split",
    "TopK": "topk",
    "Transpose": "transpose",
    "Unsqueeze": "unsqueeze",
    "Where": "where",
}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """The node tests of some operators: importing their module generates them."""
    for module in SAMPLED.values():
        import_module(f"onnx.backend.test.case.node.{module}")
    from onnx.backend.test.case import node

    found: dict[str, Case] = {}
    for made in node._NodeTestCases:
        if made.model.graph.node[0].op_type in SAMPLED and "_expanded" not in made.name:
            inputs, outputs = made.data_sets[0]
            found[made.name] = Case(made.name, made.model, tuple(inputs), tuple(outputs))
    return list(found.values())


def test_node_tests_with_symbols_for_all_dimensions(cases: list[Case]) -> None:
    assert {case.operator for case in cases} == set(SAMPLED)
    misses = {case.name: found for case in cases if (found := compare(case, static_inputs(case.model)))[0] != "right"}
    assert not misses


def test_a_score_can_be_missed(cases: list[Case]) -> None:
    case = next(case for case in cases if case.name == "test_transpose_default")
    wrong = Case(case.name, case.model, case.inputs, (np.zeros((9, 9, 9), np.float32),))
    assert compare(wrong, set())[0] == "wrong"


# One operator each, with the constants that it reads; every tensor has three axes before and after.
MOVES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("Transpose", [], {"perm": [1, 0, 2]}),
    ("Transpose", [], {"perm": [0, 2, 1]}),
    ("Reshape", [[0, -1, 2]], {}),
    ("Reshape", [[-1, 1, 4]], {}),
    ("Reshape", [[0, 0, 4]], {}),
    ("Slice", [[1], [10**12], [0]], {}),
    ("Slice", [[0], [-1], [1]], {}),
    ("Slice", [[-3], [3], [1]], {}),
    ("Slice", [[-1], [-(10**12)], [0], [-2]], {}),
    ("Tile", [[2, 1, 1]], {}),
    ("Pad", [[0, 1, 0, 2, 0, 0]], {}),
    ("ReduceMean", [[1]], {}),
    ("TopK", [[2]], {"axis": 0}),
    ("Gather", [[0, 2]], {"axis": 1}),
    ("MaxPool", [], {"kernel_shape": [2], "strides": [2], "ceil_mode": 1}),
    ("AveragePool", [], {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}),
    ("Expand", [[1, 3, 1]], {}),
    ("Add", [np.ones((1, 2, 1), np.float32)], {}),
]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(MOVES) - 1), min_size=1, max_size=5), st.data())
def test_chains_are_as_the_runtime_computes_them(chosen: list[int], draw: st.DataObject) -> None:
    """Admitted sizes give the derived shapes; where the runtime refuses an operator, a constraint is violated."""
    nodes, stored, name = [], [], "x"
    for step, index in enumerate(chosen):
        op, constants, attributes = MOVES[index]
        read = [name]
        for place, constant in enumerate(constants):
            array = np.asarray(constant)
            read.append(f"c{step}_{place}")
            stored.append(numpy_helper.from_array(array, read[-1]))
        name = f"h{step}"
        nodes.append(helper.make_node(op, read, [name, f"i{step}"] if op == "TopK" else [name], **attributes))
    given_input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["a", "b", 4])
    graph = helper.make_graph(nodes, "g", [given_input], [onnx.ValueInfoProto(name=name)], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    try:
        shapes = infer(model)
    except FomError:
        shapes = None
    for _ in range(3):
        sizes = {"a": draw.draw(st.integers(1, 6)), "b": draw.draw(st.integers(1, 6))}
        try:
            found = observed(model, {"x": np.ones((sizes["a"], sizes["b"], 4), np.float32)})
        except Exception:  # onnxruntime's exceptions share no base
            assert shapes is None or shapes.admits(sizes) or 0 in _sizes_of(shapes, sizes)
            continue
        if 0 in itertools.chain(*found.values()):
            continue  # with no entries at all, the runtime does not look at the operands
        assert shapes is not None
        assert shapes.admits(sizes) == []
        assert {name: shapes.evaluate(name, sizes) for name in found} == found


def _sizes_of(shapes: Shapes, sizes: dict[str, int]) -> set[int]:
    """All sizes that occur."""
    return {size for name in shapes.tensors for size in shapes.evaluate(name, sizes)}
