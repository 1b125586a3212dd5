"""Operators of state space models with an unrolled meaning: CausalConvWithState and LinearAttention.

Without delta corrections the state is a sum over the past, so the output is attention without a softmax: scores under a causal
mask, times exponentials of differences of prefix sums where the state decays. Delta corrections make each state a product of
all before it: they are unrolled along an axis of fixed length.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from circuits.positions import TRUE, AtLeast, Term, negation, var
from circuits.scalar import X
from translator.reading.context import Context, dims_of, to_data
from translator.reading.contraction import contract
from translator.reading.convolution import convolve
from translator.reading.elementwise import binary, unary, where
from translator.reading.heads import count_of, join_heads, split_heads
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import slice_axis, take_fixed, take_static, transpose, unsqueeze
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.values import Positional, Value
from translator.reading.walking import share

B, H, T, S, K, V = range(6)  # labels: batch, head, time of the query, time of the key, element of a key, of a value
SILU = call("mul", X, call("sigmoid", X))


@lowering("CausalConvWithState")
def _causal_conv_with_state(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    """A convolution of each channel with what came before; the state is the last entries that the next call needs."""
    x, w, past = needed(values, 0), needed(values, 1), optional(values, 3)
    dims, kept = dims_of(x), dims_of(w)[2].const - 1
    if past is None:
        shape = (*dims[:2], Term((), 0, kept))
        static = tuple(1 if dim.n_coef else dim.const for dim in shape)
        zeros = np.zeros(static)
        past = Positional(shape, ((TRUE, zeros),)) if any(dim.n_coef for dim in shape) else zeros
    padded = concat(context, [past, x], 2) if kept else x
    share(padded, 2)
    inner = _with_attributes(operator, group=dims[1].const)
    result = convolve(context, inner, to_data(context, padded), w, optional(values, 2))
    activation = operator.attributes.get("activation", "none")
    if activation not in ("none", "silu", "swish"):
        raise Refusal("N082", f"CausalConvWithState with the activation `{activation}`", help="none, silu or swish")
    if activation != "none":
        share(result, 2)
        result = unary(context, SILU, result)
    length = dims_of(padded)[2]
    return [result, slice_axis(context, padded, 2, length - kept, length, 1)]


def _with_attributes(operator: Operator, **attributes: int) -> Operator:
    from dataclasses import replace

    return replace(operator, attributes=attributes)


@lowering("LinearAttention")
def _linear_attention(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    given = operator.attributes
    rule = given.get("update_rule", "gated_delta")
    if rule not in ("linear", "gated", "delta", "gated_delta"):
        raise Refusal(
            "N082", f"LinearAttention with the update rule `{rule}`", help="linear, gated, delta or gated_delta"
        )
    heads, own = count_of(operator, "q_num_heads"), count_of(operator, "kv_num_heads")
    q = split_heads(context, needed(values, 0), heads)
    k, v = (split_heads(context, needed(values, place), own) for place in (1, 2))
    q = binary(context, "mul", q, np.array(float(given.get("scale", 0.0)) or 1 / sqrt(dims_of(q)[3].const)))
    decay = _by_head(context, needed(values, 4), own) if "gated" in rule else None
    beta = _by_head(context, needed(values, 5), own) if "delta" in rule else None
    state = optional(values, 3)
    groups = heads // own
    if beta is not None:
        outputs, state = _unrolled(context, q, k, v, decay, beta, state, groups)
    else:
        outputs, state = _summed(context, q, k, v, decay, state, groups)
    return [join_heads(context, outputs), state]


def _by_head(context: Context, value: Value, heads: int) -> Value:
    """(batch, time, heads * size) becomes (batch, heads, time, size); one number for all heads stays one."""
    return split_heads(context, value, 1 if dims_of(value)[2] == Term((), 0, 1) else heads)


def _grouped(context: Context, value: Value, groups: int) -> Value:
    """Each head of the keys serves a group of heads of the queries."""
    return take_static(context, value, 1, np.repeat(np.arange(dims_of(value)[1].const), groups))


def _until(length: Term) -> Value:
    """1 where the time of the key is at most the time of the query."""
    if not length.n_coef:
        return np.tril(np.ones((length.const, length.const), dtype=bool))
    past = AtLeast(var(0) - var(1))
    return Positional((length, length), ((past, np.array([[True]])), (negation(past), np.array([[False]]))), "bool")


def _summed(
    context: Context, q: Value, k: Value, v: Value, decay: Value | None, state: Value | None, groups: int
) -> tuple[Value, Value]:
    """``sum over s <= t of (q_t . k_s decayed from s to t) v_s``, and the state after the last step."""
    wide = [_grouped(context, value, groups) for value in (k, v)]
    length = dims_of(q)[2]
    until = _until(length)
    for value in (q, k, v):
        share(value, 2)
    if decay is None:
        scores = contract(context, q, [B, H, T, K], wide[0], [B, H, S, K], [B, H, T, S])
        total = None
    else:
        total = _prefix_sums(context, decay, length)
        share(total, 2)
        whole = _grouped(context, total, groups)
        later = unsqueeze(context, whole, [3])  # (batch, head, t, 1, element)
        sooner = unsqueeze(context, whole, [2])  # (batch, head, 1, s, element)
        fading = unary(context, call("exp", X), binary(context, "sub", later, sooner))
        products = binary(context, "mul", unsqueeze(context, q, [3]), unsqueeze(context, wide[0], [2]))
        scores = reduce(context, "sum", binary(context, "mul", products, fading), [4], False)
    scores = where(context, until, scores, np.array(0.0))
    result = contract(context, scores, [B, H, T, S], wide[1], [B, H, S, V], [B, H, T, V])
    last = None
    if total is not None:
        last = (
            take_fixed(context, total, 2, np.array([-1]))
            if length.n_coef
            else take_static(context, total, 2, np.array([length.const - 1]))
        )
        share(last, 2)
        k = binary(context, "mul", k, unary(context, call("exp", X), binary(context, "sub", last, total)))
    after = contract(context, k, [B, H, S, K], v, [B, H, S, V], [B, H, K, V])
    if state is None:
        return result, after
    faded = (
        q
        if total is None
        else binary(context, "mul", q, unary(context, call("exp", X), _grouped(context, total, groups)))
    )
    first = contract(context, faded, [B, H, T, K], _grouped(context, state, groups), [B, H, K, V], [B, H, T, V])
    if last is not None:
        state = binary(context, "mul", state, transpose(context, unary(context, call("exp", X), last), [0, 1, 3, 2]))
    return binary(context, "add", result, first), binary(context, "add", after, state)


def _prefix_sums(context: Context, value: Value, length: Term) -> Value:
    """Sums over the times up to each time."""
    until = _until(length)
    weights: Value = until.astype(np.float64) if isinstance(until, np.ndarray) else unary(context, X, until)
    return contract(context, weights, [T, S], value, [B, H, S, K], [B, H, T, K])


def _unrolled(
    context: Context,
    q: Value,
    k: Value,
    v: Value,
    decay: Value | None,
    beta: Value,
    state: Value | None,
    groups: int,
) -> tuple[Value, Value]:
    """One step after the other: each corrects the state by what it already recalls for the key."""
    length = dims_of(q)[2]
    if length.n_coef:
        raise Refusal(
            "N014",
            "LinearAttention with a delta rule runs along the sequence: the depth would grow with n",
            note="each state is a product with the one before it; without the delta rule it is a sum",
            help="use the update rule `linear` or `gated`, or a fixed length",
        )
    if not length.const:
        raise Refusal("N082", "LinearAttention over an empty sequence", help="give it at least one step")
    outputs: list[Value] = []
    for step in range(length.const):
        q_t, k_t, v_t, b_t = (take_static(context, value, 2, np.array([step])) for value in (q, k, v, beta))
        if state is not None:
            if decay is not None:
                factor = unary(context, call("exp", X), take_static(context, decay, 2, np.array([step])))
                state = binary(context, "mul", state, transpose(context, factor, [0, 1, 3, 2]))
            share(state, 2)
            recalled = contract(context, k_t, [B, H, T, K], state, [B, H, K, V], [B, H, T, V])
            v_t = binary(context, "sub", v_t, recalled)
        v_t = binary(context, "mul", v_t, b_t)
        written = contract(context, k_t, [B, H, T, K], v_t, [B, H, T, V], [B, H, K, V])
        state = written if state is None else binary(context, "add", state, written)
        share(state, 3)
        read = _grouped(context, state, groups)
        outputs.append(contract(context, q_t, [B, H, T, K], read, [B, H, K, V], [B, H, T, V]))
    if state is None:
        raise TypeError("there is at least one step")
    return concat(context, outputs, 2), state
