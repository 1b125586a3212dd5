"""Linear models and support vector machines of the domain ai.onnx.ml."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import Scalar, X
from translator.reading.calling import call_one, typed
from translator.reading.classical import best, labels_of, listed, named, pair, rows_of, text, transformed
from translator.reading.context import Context, dims_of
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import unsqueeze
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.values import Array, Value
from translator.reading.walking import share


def linear(context: Context, operator: Operator, x: Value, targets: int) -> Value:
    """One score for each target: coefficients times the input, plus the intercepts."""
    weights = listed(operator, "coefficients").reshape(targets, -1)
    scores = matmul(context, rows_of(context, x), weights.T)
    intercepts = listed(operator, "intercepts")
    return binary(context, "add", scores, intercepts) if intercepts.size else scores


@lowering("ai.onnx.ml::LinearRegressor")
def _linear_regressor(context: Context, operator: Operator, values: Inputs) -> Value:
    scores = linear(context, operator, needed(values, 0), int(operator.attributes.get("targets", 1)))
    return typed(_of_one(context, operator, scores), "float")


def _of_one(context: Context, operator: Operator, scores: Value) -> Value:
    """The transform of a regression: a single score is left as it is by all but PROBIT."""
    name = text(operator.attributes.get("post_transform", "NONE"))
    single = dims_of(scores)[-1].const == 1 and name != "PROBIT"
    return scores if single else transformed(context, scores, name)


@lowering("ai.onnx.ml::LinearClassifier")
def _linear_classifier(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x = needed(values, 0)
    labels, dtype = labels_of(operator, "classlabels")
    named(context, labels, dtype, operator, "classlabels_strings")
    features = dims_of(rows_of(context, x))[-1].const
    targets = listed(operator, "coefficients").size // features
    scores = linear(context, operator, x, targets)
    share(scores, 2)
    if targets > 1:
        name = text(operator.attributes.get("post_transform", "NONE"))
        return [best(context, scores, labels, dtype), typed(transformed(context, scores, name), "float")]
    first, second = labels.tolist() if len(labels) == 2 else (0, 1)
    label = sign(context, scores, first, second)
    if len(labels) != 2:
        return [typed(label, dtype), typed(_of_one(context, operator, scores), "float")]
    if text(operator.attributes.get("post_transform", "NONE")) == "LOGISTIC":
        scores = unary(context, call("sigmoid", X), scores)
    return [typed(label, dtype), typed(pair(context, unary(context, call("sub", 1.0, X), scores), scores), "float")]


def sign(context: Context, scores: Value, low: float, high: float, threshold: float = 0.0) -> Value:
    """The label of each row of one score: `high` above the threshold, else `low`."""
    function = call("where", call("gt", X, threshold), float(high), float(low))
    return call_one(context, "Squeeze", unary(context, function, scores), np.array([1]))


def kernel(context: Context, operator: Operator, x: Value, vectors: Array) -> Value:
    """The kernel of each row with each support vector."""
    name = text(operator.attributes.get("kernel_type", "LINEAR"))
    gamma, offset, degree = (*listed(operator, "kernel_params").tolist(), 0.0, 0.0, 0.0)[:3]
    rows = rows_of(context, x)
    if name == "RBF":
        share(rows, 2)
        wide = binary(context, "sub", unsqueeze(context, rows, [1]), vectors)
        distance = reduce(context, "sum", unary(context, call("mul", X, X), wide), [-1], False)
        return unary(context, call("exp", call("mul", -gamma, X)), distance)
    product = matmul(context, rows, vectors.T)
    inner = call("add", call("mul", gamma, X), offset)
    functions: dict[str, Scalar] = {"LINEAR": X, "POLY": call("pow", inner, degree), "SIGMOID": call("tanh", inner)}
    return unary(context, functions[name], product)


@lowering("ai.onnx.ml::SVMRegressor")
def _svm_regressor(context: Context, operator: Operator, values: Inputs) -> Value:
    x, count = needed(values, 0), int(operator.attributes.get("n_supports", 0))
    weights, rho = listed(operator, "coefficients"), float(listed(operator, "rho")[0])
    if count:
        values_ = kernel(context, operator, x, listed(operator, "support_vectors").reshape(count, -1))
    else:
        values_ = rows_of(context, x)
    scores = binary(context, "add", matmul(context, values_, weights[:, None]), np.array(rho))
    if operator.attributes.get("one_class", 0):
        scores = unary(context, call("where", call("gt", X, 0.0), 1.0, -1.0), scores)
    return typed(scores, "float")


@lowering("ai.onnx.ml::SVMClassifier")
def _svm_classifier(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x = needed(values, 0)
    labels, dtype = labels_of(operator, "classlabels")
    named(context, labels, dtype, operator, "classlabels_strings")
    name = text(operator.attributes.get("post_transform", "NONE"))
    counts = listed(operator, "vectors_per_class", np.int64)
    weights = listed(operator, "coefficients")
    if not counts.sum():
        scores = matmul(context, rows_of(context, x), weights.reshape(len(labels), -1).T)
        scores = binary(context, "add", scores, np.array(float(listed(operator, "rho")[0])))
        share(scores, 2)
        return [best(context, scores, labels, dtype), typed(transformed(context, scores, name), "float")]
    vectors = listed(operator, "support_vectors").reshape(int(counts.sum()), -1)
    pairs = pair_weights(weights.reshape(len(labels) - 1, -1), counts)
    decided = matmul(context, kernel(context, operator, x, vectors), pairs.T.toarray())
    decided = binary(context, "add", decided, listed(operator, "rho")[: pairs.shape[0]])
    share(decided, 3)
    label = _voted(context, operator, decided, labels, dtype)
    if listed(operator, "prob_a").size:
        return [
            label,
            typed(transformed(context, _probabilities(context, operator, decided, len(labels)), name), "float"),
        ]
    if len(labels) == 2:
        low = call("neg", X) if name == "NONE" else call("sub", 1.0, X)
        return [label, typed(pair(context, unary(context, low, decided), decided), "float")]
    return [label, typed(transformed(context, decided, name), "float")]


def pair_weights(weights: Array, counts: Array) -> csr_array:
    """The weights of the support vectors in the decision between each pair of classes i < j."""
    starts = np.cumsum([0, *counts])
    classes = len(counts)
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    result = np.zeros((len(pairs), int(starts[-1])))
    for row, (i, j) in enumerate(pairs):
        mine, other = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        result[row, mine] = weights[j - 1, mine]
        result[row, other] = weights[i, other]
    return csr_array(result)


def _voted(context: Context, operator: Operator, decided: Value, labels: Array, dtype: str) -> Value:
    """The class with the most pairwise decisions, the first of several; of two classes as onnxruntime chooses."""
    classes = len(labels)
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    won = np.zeros((len(pairs), classes))
    fixed = np.zeros(classes)
    for row, (i, j) in enumerate(pairs):
        won[row, i], won[row, j] = 1.0, -1.0
        fixed[j] += 1
    votes = matmul(context, unary(context, call("gt", X, 0.0), decided), won)
    return best(context, binary(context, "add", votes, fixed), labels, dtype)


def _probabilities(context: Context, operator: Operator, decided: Value, classes: int) -> Value:
    """The probabilities of two classes; with more, onnxruntime iterates until a stopping rule holds."""
    if classes != 2:
        raise Refusal(
            "N011",
            f"SVMClassifier with probabilities of {classes} classes is not supported",
            note="they are the result of an iteration that stops where a rule holds",
            help="export without probabilities",
        )
    slope, offset = float(listed(operator, "prob_a")[0]), float(listed(operator, "prob_b")[0])
    inner = call("sub", 1.0, call("sigmoid", call("add", call("mul", slope, X), offset)))
    chance = call("min", call("max", inner, 1e-7), 1 - 1e-7)
    return pair(context, unary(context, chance, decided), unary(context, call("sub", 1.0, chance), decided))
