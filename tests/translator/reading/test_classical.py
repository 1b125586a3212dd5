"""The domain ai.onnx.ml against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading import other_domains
from tests.translator.reading.differential import ours

RNG = np.random.default_rng(23)
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
Array = np.ndarray[Any, Any]


def check(op_type: str, inputs: list[Array | None], **options: Any) -> None:
    options.setdefault("version", 3)
    other_domains.check("ai.onnx.ml", op_type, inputs, **options)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def floats(*shape: int) -> list[float]:
    return [float(value) for value in normal(*shape).ravel()]


def test_scaling() -> None:
    x = normal(3, 4)
    check("Scaler", [x], offset=floats(4), scale=floats(4), version=1)
    check("Scaler", [x], offset=[0.5], scale=[2.0], version=1)
    for norm in ("MAX", "L1", "L2"):
        check("Normalizer", [np.concatenate([x, np.zeros((1, 4), np.float32)])], norm=norm, version=1)
    check("Binarizer", [x], threshold=0.1, version=1)


def test_imputing() -> None:
    x = np.array([[1, 2, 1], [3, 1, 1]], dtype=np.float32)
    check("Imputer", [x], imputed_value_floats=[5.0, 6.0, 7.0], replaced_value_float=1.0, version=1)
    check("Imputer", [x], imputed_value_floats=[9.0], replaced_value_float=float("nan"), version=1)
    check("Imputer", [x.astype(np.int64)], imputed_value_int64s=[4], replaced_value_int64=1, outputs=[INT64], version=1)


def test_features_and_encodings() -> None:
    x = normal(2, 5)
    check("ArrayFeatureExtractor", [x, np.array([[3, 0]], dtype=np.int64)], constants=(1,), version=1)
    check("FeatureVectorizer", [normal(2, 3), normal(2, 1)], inputdimensions=[3, 1], version=1)
    numbers = np.array([[1, 2], [5, 3]], dtype=np.int64)
    check("OneHotEncoder", [numbers], cats_int64s=[1, 3, 2], zeros=1, version=1)
    check("LabelEncoder", [numbers], keys_int64s=[1, 2, 3], values_int64s=[10, 30, 20], default_int64=-7,
          outputs=[INT64], version=2)  # fmt: skip
    check("LabelEncoder", [numbers], keys_int64s=[1, 2], values_floats=[0.5, 1.5], default_float=9.0, version=2)


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"])
def test_linear_models(transform: str) -> None:
    x = normal(4, 3)
    options: dict[str, Any] = {"post_transform": transform, "version": 1}
    check("LinearRegressor", [x], coefficients=floats(6), intercepts=floats(2), targets=2, **options)
    check("LinearRegressor", [x], coefficients=floats(3), intercepts=floats(1), targets=1, version=1)
    outputs = [INT64, FLOAT]
    check("LinearClassifier", [x], coefficients=floats(9), intercepts=floats(3), classlabels_ints=[4, 2, 7],
          outputs=outputs, **options)  # fmt: skip
    check("LinearClassifier", [x], coefficients=floats(6), intercepts=floats(2), classlabels_ints=[0, 1],
          outputs=outputs, **options)  # fmt: skip
    check("LinearClassifier", [x], coefficients=floats(3), intercepts=floats(1), classlabels_ints=[3, 5],
          outputs=outputs, **options)  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "parameters"),
    [("LINEAR", [0.0, 0.0, 0.0]), ("POLY", [0.5, 1.0, 3.0]), ("RBF", [0.4, 0.0, 0.0]), ("SIGMOID", [0.3, 0.2, 0.0])],
)
def test_vector_machines(kernel: str, parameters: list[float]) -> None:
    x = normal(6, 3)
    options: dict[str, Any] = {"kernel_type": kernel, "kernel_params": parameters, "version": 1}
    regressor: dict[str, Any] = {
        "coefficients": floats(4),
        "support_vectors": floats(12),
        "n_supports": 4,
        "rho": [0.2],
    }
    check("SVMRegressor", [x], **regressor, **options)
    check("SVMRegressor", [x], **regressor, one_class=1, **options)
    two: dict[str, Any] = {
        "coefficients": floats(5),
        "support_vectors": floats(15),
        "vectors_per_class": [2, 3],
        "rho": [0.1],
        "classlabels_ints": [3, 8],
        "outputs": [INT64, FLOAT],
    }
    check("SVMClassifier", [x], **two, **options)
    check("SVMClassifier", [x], **two, prob_a=[-1.5], prob_b=[0.2], **options, tolerance=5e-3)
    check("SVMClassifier", [x], coefficients=floats(12), support_vectors=floats(18), vectors_per_class=[2, 3, 1],
          rho=floats(3), classlabels_ints=[3, 8, 1], outputs=[INT64, FLOAT], **options)  # fmt: skip


def forest(modes: list[str], trees: int, depth: int, features: int) -> dict[str, Any]:
    """Complete trees with random splits, and the leaves as (tree, node)."""
    given: dict[str, list[Any]] = {
        f"nodes_{name}": []
        for name in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    }
    leaves = []
    for tree in range(trees):
        inner = 2**depth - 1
        for node in range(2 ** (depth + 1) - 1):
            is_leaf = node >= inner
            given["nodes_treeids"].append(tree)
            given["nodes_nodeids"].append(node)
            given["nodes_featureids"].append(0 if is_leaf else int(RNG.integers(features)))
            given["nodes_values"].append(0.0 if is_leaf else float(RNG.integers(-2, 3)) / 2)
            given["nodes_modes"].append("LEAF" if is_leaf else modes[int(RNG.integers(len(modes)))])
            given["nodes_truenodeids"].append(0 if is_leaf else 2 * node + 1)
            given["nodes_falsenodeids"].append(0 if is_leaf else 2 * node + 2)
            if is_leaf:
                leaves.append((tree, node))
    return {**given, "leaves": leaves}


EVERY = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


@pytest.mark.parametrize("how", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("targets", [1, 2])
def test_trees(how: str, targets: int) -> None:
    x = (RNG.integers(-4, 5, (20, 4)) / 2).astype(np.float32)
    for modes in (["BRANCH_LEQ"], EVERY):
        given = forest(modes, 3, 3, 4)
        leaves = given.pop("leaves")
        every = [(tree, node, target) for tree, node in leaves for target in range(targets)]
        check("TreeEnsembleRegressor", [x], **given, n_targets=targets, aggregate_function=how,
              target_treeids=[e[0] for e in every], target_nodeids=[e[1] for e in every],
              target_ids=[e[2] for e in every], target_weights=floats(len(every)), version=1,
              base_values=floats(targets))  # fmt: skip


@pytest.mark.parametrize("transform", ["NONE", "SOFTMAX", "LOGISTIC"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("base", [False, True])
def test_forests_of_classes(transform: str, classes: int, base: bool) -> None:
    x = (RNG.integers(-4, 5, (20, 4)) / 2).astype(np.float32)
    given = forest(["BRANCH_LEQ"], 3, 2, 4)
    leaves = given.pop("leaves")
    every = [(tree, node, kind) for tree, node in leaves for kind in range(classes)]
    options: dict[str, Any] = {
        **given,
        "post_transform": transform,
        "classlabels_int64s": [5, 2, 9][:classes],
        "class_treeids": [e[0] for e in every],
        "class_nodeids": [e[1] for e in every],
        "class_ids": [e[2] for e in every],
        "version": 1,
        "outputs": [INT64, FLOAT],
    }
    if base and classes > 2:
        options["base_values"] = floats(classes)
    check("TreeEnsembleClassifier", [x], class_weights=[abs(w) / 3 for w in floats(len(every))], **options)
    check("TreeEnsembleClassifier", [x], class_weights=floats(len(every)), **options)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(("number", "base"), [(0, False), (0, True), (1, False)])
def test_forests_of_two_classes_with_one_score(transform: str, positive: bool, number: int, base: bool) -> None:
    x = (RNG.integers(-4, 5, (20, 4)) / 2).astype(np.float32)
    given = forest(["BRANCH_LEQ"], 3, 2, 4)
    leaves = given.pop("leaves")
    weights = [abs(w) / 3 if positive else w for w in floats(len(leaves))]
    options = {"base_values": floats(1)} if base else {}
    check("TreeEnsembleClassifier", [x], **given, post_transform=transform, classlabels_int64s=[4, 2], version=1,
          class_treeids=[e[0] for e in leaves], class_nodeids=[e[1] for e in leaves], class_ids=[number] * len(leaves),
          class_weights=weights, outputs=[INT64, FLOAT], **options)  # fmt: skip


def test_a_probit_is_refused() -> None:
    model = other_domains.single("ai.onnx.ml", "LinearRegressor", [normal(1, 2)], coefficients=floats(4),
                                 intercepts=floats(2), targets=2, post_transform="PROBIT")  # fmt: skip
    with pytest.raises(FomError) as refused:
        ours(model, [normal(1, 2)])
    assert refused.value.diagnostics[0].code == "N011"
