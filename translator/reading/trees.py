"""Ensembles of decision trees (ai.onnx.ml) in three steps of fixed depth, whatever the depth of the trees.

All comparisons are made at once; a leaf is reached where every comparison on its path is true (or false, as the path goes on),
which is one threshold of their sum; the result is the sum of the weights of the reached leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, eye_array, kron

from circuits.scalar import Scalar, X
from translator.axes import Axis, part_shape
from translator.reading.calling import typed
from translator.reading.classical import best, labels_of, listed, named, pair, rows_of, text, transformed
from translator.reading.classical_linear import sign
from translator.reading.context import Context, dims_of, plain
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import take_static
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.types import dtype_of
from translator.reading.values import Array, Data, Part, Value
from translator.reading.walking import share

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
CONDITIONS: dict[str, Scalar] = {
    "BRANCH_LEQ": call("ge", 0.0, X),
    "BRANCH_LT": call("gt", 0.0, X),
    "BRANCH_GTE": call("ge", X, 0.0),
    "BRANCH_GT": call("gt", X, 0.0),
    "BRANCH_EQ": call("eq", X, 0.0),
    "BRANCH_NEQ": call("sub", 1.0, call("eq", X, 0.0)),
    "BRANCH_MEMBER": call("eq", X, 0.0),
}


@dataclass(frozen=True, slots=True)
class Forest:
    """The trees as arrays.

    Comparison c is ``x[feature[c]] mode[c] split[c]``. Row l of `paths` (leaves x comparisons) is 1 where the path to leaf l
    goes to the true side and -1 where it goes to the false side; `weights` (leaves x targets) is what a leaf adds. `members` are
    the sets of the comparisons BRANCH_MEMBER, in their order.
    """

    mode: tuple[str, ...]
    feature: Array
    split: Array
    paths: csr_array
    weights: Array
    tree: Array
    members: tuple[Array, ...] = ()


def leaves_of(context: Context, forest: Forest, x: Value) -> Value:
    """For each row and leaf, whether it is reached."""
    rows = rows_of(context, x)
    if not len(forest.mode):
        raise Refusal("N006", "an ensemble of trees has no comparison", help="export the network again")
    if forest.feature.max(initial=0) >= dims_of(rows)[1].const:
        raise Refusal("N006", "a tree reads a feature that the input does not have", help="export the network again")
    pieces, order = [], []
    for mode in dict.fromkeys(forest.mode):
        chosen = np.flatnonzero(np.array(forest.mode) == mode)
        order.append(chosen)
        split, feature, sizes = forest.split[chosen], forest.feature[chosen], None
        if mode == "BRANCH_MEMBER":
            sizes = np.array([len(members) for members in forest.members])
            split, feature = np.concatenate(forest.members), np.repeat(feature, sizes)
        met = unary(context, CONDITIONS[mode], binary(context, "sub", take_static(context, rows, 1, feature), split))
        if sizes is not None:
            owner = np.repeat(np.arange(len(sizes)), sizes)
            shape = (len(sizes), len(owner))
            met = apply(context, met, csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=shape))
        pieces.append(met)
    conditions = concat(context, pieces, 1) if len(pieces) > 1 else pieces[0]
    back = np.argsort(np.concatenate(order))
    conditions = take_static(context, conditions, 1, back) if len(pieces) > 1 else conditions
    share(conditions, 2)
    needed_ = (forest.paths > 0).sum(axis=1)
    met = apply(context, conditions, forest.paths)
    return unary(context, call("ge", X, 0.0), binary(context, "sub", met, np.asarray(needed_, dtype=np.float64)))


def apply(context: Context, value: Value, matrix: csr_array) -> Value:
    """A sparse matrix times each row of a matrix."""
    if not isinstance(value, Data):
        return matmul(context, value, matrix.T.toarray())
    assembly = context.assembly
    parts = {}
    for key, part in value.parts.items():
        count = part_shape(value.axes, key)[0]
        whole = matrix if count == 1 else csr_array(kron(eye_array(count), matrix))
        parts[key] = Part(assembly.view_of(assembly.rows(plain(context, part)).apply(whole)))
    return Data((value.axes[0], Axis(matrix.shape[0])), parts)


def paths_of(roots: Sequence[int], sides: Sequence[tuple[int, int]]) -> tuple[csr_array, list[int], Array]:
    """The path of every leaf: the matrix, the leaves in its order, and the number of the tree of each.

    `sides` gives for each comparison the node on the true and on the false side; a leaf is ``-1 - leaf``.
    """
    rows: list[int] = []
    columns: list[int] = []
    signs: list[int] = []
    leaves: list[int] = []
    trees: list[int] = []
    for number, root in enumerate(roots):
        stack: list[tuple[int, tuple[tuple[int, int], ...]]] = [(root, ())]
        while stack:
            node, path = stack.pop()
            if node < 0:
                rows += [len(leaves)] * len(path)
                columns += [place for place, _ in path]
                signs += [side for _, side in path]
                leaves.append(-1 - node)
                trees.append(number)
                continue
            if len(path) > len(sides):
                raise Refusal("N006", "a tree runs in a circle", help="export the network again")
            yes, no = sides[node]
            stack += [(no, (*path, (node, -1))), (yes, (*path, (node, 1)))]
    paths = csr_array((np.array(signs, dtype=np.float64), (rows, columns)), shape=(len(leaves), len(sides)))
    return paths, leaves, np.array(trees)


def old_forest(operator: Operator, side: str, targets: int) -> Forest:
    """The trees of TreeEnsembleRegressor and TreeEnsembleClassifier, whose leaves are nodes."""
    modes = [text(mode) for mode in operator.attributes["nodes_modes"]]
    names = list(
        zip(listed(operator, "nodes_treeids", np.int64), listed(operator, "nodes_nodeids", np.int64), strict=True)
    )
    place = {(int(tree), int(node)): index for index, (tree, node) in enumerate(names)}
    inner = [index for index, mode in enumerate(modes) if mode != "LEAF"]
    number = {index: count for count, index in enumerate(inner)}
    yes, no = (listed(operator, f"nodes_{side_}nodeids", np.int64) for side_ in ("true", "false"))

    def target(index: int, node: int) -> int:
        found = place.get((int(names[index][0]), node))
        if found is None:
            raise Refusal("N006", f"a tree has no node {node}", help="export the network again")
        return number.get(found, -1 - found)

    sides = [(target(index, int(yes[index])), target(index, int(no[index]))) for index in inner]
    below = {entry for both in sides for entry in both}
    roots = [number.get(index, -1 - index) for index in range(len(modes))]
    paths, leaves, trees = paths_of([root for root in roots if root not in below], sides)
    weights = np.zeros((len(leaves), targets))
    row = {leaf: count for count, leaf in enumerate(leaves)}
    columns = [listed(operator, f"{side}_{name}", np.int64) for name in ("treeids", "nodeids", "ids")]
    for tree, node, column, weight in zip(*columns, listed(operator, f"{side}_weights"), strict=True):
        leaf = place.get((int(tree), int(node)))
        if leaf in row:
            weights[row[leaf], int(column)] += weight
    chosen = np.array(inner, dtype=np.int64)
    feature, split = listed(operator, "nodes_featureids", np.int64)[chosen], listed(operator, "nodes_values")[chosen]
    return Forest(tuple(modes[index] for index in inner), feature, split, paths, weights, trees)


def aggregated(context: Context, forest: Forest, x: Value, how: str) -> Value:
    """The scores of each row: sums, means, minima or maxima of the reached leaves' weights over the trees."""
    reached = leaves_of(context, forest, x)
    if how in ("SUM", "AVERAGE"):
        count = len(np.unique(forest.tree)) if how == "AVERAGE" else 1
        return apply(context, reached, csr_array(forest.weights.T / count))
    scores = []
    for column in range(forest.weights.shape[1]):
        every = np.arange(len(forest.tree))
        own = csr_array(
            (forest.weights[:, column], (forest.tree, every)), shape=(int(forest.tree.max()) + 1, len(every))
        )
        scores.append(reduce(context, how.lower(), apply(context, reached, own), [1], True))
    return concat(context, scores, 1) if len(scores) > 1 else scores[0]


@lowering("ai.onnx.ml::TreeEnsembleRegressor")
def _regressor(context: Context, operator: Operator, values: Inputs) -> Value:
    targets = int(operator.attributes.get("n_targets", 1))
    how = text(operator.attributes.get("aggregate_function", "SUM"))
    scores = aggregated(context, old_forest(operator, "target", targets), needed(values, 0), how)
    base = listed(operator, "base_values")
    scores = binary(context, "add", scores, base) if base.size else scores
    name = text(operator.attributes.get("post_transform", "NONE"))
    return typed(scores if targets == 1 and name != "PROBIT" else transformed(context, scores, name), "float")


@lowering("ai.onnx.ml::TreeEnsembleClassifier")
def _classifier(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    labels, dtype = labels_of(operator, "classlabels")
    named(context, labels, dtype, operator, "classlabels_strings")
    name = text(operator.attributes.get("post_transform", "NONE"))
    used = np.unique(listed(operator, "class_ids", np.int64))
    weights, base = listed(operator, "class_weights"), listed(operator, "base_values")
    forest = old_forest(operator, "class", max(len(labels), int(used.max(initial=0)) + 1))
    scores = aggregated(context, forest, needed(values, 0), "SUM")
    if len(labels) > 2:
        scores = binary(context, "add", scores, base) if base.size else scores
        share(scores, 2)
        return [best(context, scores, labels, dtype), typed(transformed(context, scores, name), "float")]
    if len(labels) != 2 or base.size > (1 if used.tolist() == [0] else 0):
        raise Refusal(
            "N011",
            f"TreeEnsembleClassifier with {len(labels)} classes and {base.size} base values is not supported",
            note="what base values mean for two classes is not defined, and runtimes disagree",
            help="give the only score class 0 and one base value",
        )
    share(scores, 3)
    positive = bool((weights >= 0).all())
    threshold = 0.5 if positive else 0.0
    if used.tolist() != [0]:
        # onnxruntime looks at the second score alone; if both classes have scores, its labels are 0 and 1.
        ends, threshold = (labels.tolist(), threshold) if len(used) == 1 else ([0, 1], 0.0)
        label = sign(context, take_static(context, scores, 1, np.array([1])), ends[0], ends[1], threshold)
        return [typed(label, dtype), typed(transformed(context, scores, name), "float")]
    score = take_static(context, scores, 1, used)
    score = binary(context, "add", score, base) if base.size else score
    share(score, 3)
    label = sign(context, score, float(labels[0]), float(labels[1]), threshold)
    low, high = (call("sub", 1.0, X), X) if positive else (call("neg", X), X)
    if name == "LOGISTIC":
        low, high = call("sigmoid", call("neg", X)), call("sigmoid", X)
    both = pair(context, *(unary(context, function, score) for function in (low, high)))
    return [typed(label, dtype), typed(both, "float")]


@lowering("ai.onnx.ml::TreeEnsemble")
def _ensemble(context: Context, operator: Operator, values: Inputs) -> Value:
    x, given = needed(values, 0), operator.attributes
    modes = [MODES[int(mode)] for mode in listed(operator, "nodes_modes", np.int64)]
    ends = [listed(operator, f"nodes_{side}nodeids", np.int64) for side in ("true", "false")]
    flags = [listed(operator, f"nodes_{side}leafs", np.int64) for side in ("true", "false")]
    sides = [
        tuple(-1 - int(end[index]) if flag[index] else int(end[index]) for end, flag in zip(ends, flags, strict=True))
        for index in range(len(modes))
    ]
    paths, leaves, trees = paths_of(listed(operator, "tree_roots", np.int64).tolist(), sides)  # type: ignore[arg-type]
    targets = int(given["n_targets"])
    weights = np.zeros((len(leaves), targets))
    rows = np.array(leaves, dtype=np.int64)
    weights[np.arange(len(rows)), listed(operator, "leaf_targetids", np.int64)[rows]] = listed(
        operator, "leaf_weights"
    )[rows]
    forest = Forest(
        tuple(modes),
        listed(operator, "nodes_featureids", np.int64),
        listed(operator, "nodes_splits"),
        paths,
        weights,
        trees,
    )
    stored = listed(operator, "membership_values")
    sets = np.split(stored, np.flatnonzero(np.isnan(stored)))
    members = tuple(np.unique(found[~np.isnan(found)]) for found in sets)[: modes.count("BRANCH_MEMBER")]
    forest = replace(forest, members=members)
    how = ("AVERAGE", "SUM", "MIN", "MAX")[int(given.get("aggregate_function", 1))]
    name = TRANSFORMS[int(given.get("post_transform", 0))]
    scores = aggregated(context, forest, x, how)
    return typed(scores if targets == 1 and name != "PROBIT" else transformed(context, scores, name), dtype_of(x))
