"""Normalizations, softmax and losses: the shape stays, or a loss is one number."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.graph import dtype_name
from translator.shapes.values import Dims, Tensor, misfit


@rule("Softmax", "LogSoftmax", "Hardmax", "LRN", "LpNormalization", "MeanVarianceNormalization")
def normalized(call: Call) -> Tensor:
    """The shape stays."""
    dims = call.dims(0)
    if "axis" in call.node.attributes:
        call.axis(call.required("axis"), len(dims))
    return shaped(dims)


@rule("InstanceNormalization", "GroupNormalization")
def by_channel(call: Call) -> Tensor:
    """The shape stays; there is one scale for each channel, or in older opsets for each group."""
    dims = call.rank_at_least(0, 2)
    if call.op == "InstanceNormalization" or call.version >= 21:
        call.constraints.same(dims[1], call.dims(1, 1)[0], f"`{call.op}` has one scale for each channel")
    if call.op == "GroupNormalization":
        call.constraints.divides(call.required("num_groups"), dims[1], "`GroupNormalization` divides the channels")
    return shaped(dims)


@rule("BatchNormalization")
def batch_normalization(call: Call) -> list[Tensor | None]:
    """The shape stays; further outputs, of training, have one entry for each channel."""
    dims = call.rank_at_least(0, 1)
    channels: Dims = call.dims(1, 1)
    if len(dims) > 1:
        call.constraints.same(dims[1], channels[0], "`BatchNormalization` has one scale for each channel")
    return [shaped(dims), *[shaped(channels)] * 4]


@rule("LayerNormalization", "RMSNormalization")
def layer_normalization(call: Call) -> list[Tensor | None]:
    """The shape stays; mean and deviation have size 1 on the normalized axes."""
    dims = call.dims(0)
    axis = call.axis(call.attribute("axis", -1), len(dims))
    call.constraints.broadcast([dims, call.dims(1)], f"`{call.op}` broadcasts its scale")
    kept = Tensor(dtype_name(call.attribute("stash_type", 1)), (*dims[:axis], *[1] * (len(dims) - axis)))
    dtype = call.tensor(1).dtype if call.op == "RMSNormalization" else ""
    return [shaped(dims, dtype), kept, kept]


@rule("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(call: Call) -> list[Tensor | None]:
    """One number, or one for each label."""
    scores, labels = call.rank_at_least(0, 2), call.rank_at_least(1, 1)
    if len(labels) != len(scores) - 1:
        raise misfit(f"`{call.op}` takes scores with {len(scores)} axes, and labels with {len(labels)}")
    each = call.constraints.same_dims((scores[0], *scores[2:]), labels, f"`{call.op}` takes one label for each score")
    if call.has(2):
        call.constraints.same(scores[1], call.dims(2, 1)[0], f"`{call.op}` has one weight for each class")
    dtype = call.tensor(0).dtype
    return [shaped(each if call.attribute("reduction", "mean") == "none" else ()), shaped(scores, dtype)]
