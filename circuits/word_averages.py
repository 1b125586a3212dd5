"""Bounds of weighted averages Σ e·v / Σ e over sets of words: attention heads, where numerator and denominator go together.

An average is at least c on some word if and only if the largest Σ e·(v - c) is not negative, and that largest sum is one of
largest summands, position by position, because letters at different positions are independent. It never increases in c, is
piecewise linear and convex, and its zero is the largest average: Newton's method finds it from below in a few steps
(Dinkelbach 1967, *On nonlinear fractional programming*).

The weights of a softmax e = T(s - m) depend on the largest score m, hence on the whole word; but all averages remain what they
are if the weights of a row are multiplied by one number. `exp(β(s - m))` is nearly T, and T's quotient by it is nearly constant,
so weights ``exp(β s) · T(d) / exp(β d)`` have narrow bounds over all differences d = s - m that can occur.

Floating-point errors are covered by margins, some thousand times what they can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.network import Affine, Maximum, Network, Product, Quotient, Sum, Table
from circuits.positions import Guard, Ref, Term, var
from circuits.word_axes import Integers, Truth

Reals = np.ndarray[Any, np.dtype[np.float64]]

STEPS = 12
NEAR = 1e-5  # of a code
MARGIN = 1e-11
MOST_BITS = 18
LEAST = 600.0  # exponents below are those of no weight


@dataclass(frozen=True, slots=True, eq=False)
class Softmax:
    """Weights ``table(factor * (score - largest) + const)``, both read over the variables of the sums."""

    score: Ref
    largest: Ref
    ratio: Ratio


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """A quotient whose numerator is the sum of weight times value, and whose denominator that of the weights.

    `weight` and `value` are read over the variables of the sums, the last of them bound; the index arrays say which elements
    belong to each element of the quotient.
    """

    weight: Ref
    weight_index: Integers
    value: Ref
    value_index: Integers
    guard: Guard
    softmax: Softmax | None


def average_of(network: Network, node: Quotient) -> Average | None:
    """Recognise an average, of a word with no or one position."""
    k = node.n_positions
    own = tuple(var(v) for v in range(k))
    num, den = network.by_name[node.num.node], network.by_name[node.den.node]
    if k > 1 or not isinstance(num, Sum) or not isinstance(den, Sum) or num.guard != den.guard:
        return None
    if node.num.at != own or node.den.at != own:
        return None
    product = network.by_name[num.operand.node]
    every = tuple(var(v) for v in range(k + 1))
    if not isinstance(product, Product) or num.operand.at != every:
        return None
    sides = (product.left, product.left_index), (product.right, product.right_index)
    for (weight, index), (value, others) in (sides, sides[::-1]):
        if weight == den.operand and np.array_equal(index, node.den_index):
            if network.word(weight.node).format.lo < 0:
                continue
            return Average(weight, index, value, others, num.guard, softmax_of(network, weight, num.guard))
    return None


def softmax_of(network: Network, weight: Ref, guard: Guard) -> Softmax | None:
    """Recognise the weights of a softmax, from which the largest score is subtracted."""
    table = network.by_name[weight.node]
    k = table.n_positions
    every: tuple[Term, ...] = tuple(var(v) for v in range(k))
    if (
        not isinstance(table, Table)
        or weight.at != every
        or table.operand.at != every
        or (np.diff(table.codes) < 0).any()
    ):
        return None
    shifted = network.by_name[table.operand.node]
    if not isinstance(shifted, Affine) or len(shifted.operands) != 2 or shifted.const.any() or shifted.length.any():
        return None
    score, largest = shifted.operands
    source = network.by_name[largest.ref.node]
    factor = int(score.matrix.max())
    scaled = score.matrix.toarray()
    is_scaled = scaled.shape[0] == scaled.shape[1] and np.array_equal(
        scaled, factor * np.eye(len(scaled), dtype=np.int64)
    )
    if not is_scaled or factor < 1 or not np.array_equal(largest.matrix.toarray(), -scaled):
        return None
    if not isinstance(source, Maximum) or source.guard != guard or source.operand != score.ref or source.segments:
        return None
    if score.ref.at != every or largest.ref.at != every[:-1]:
        return None
    if not np.array_equal(source.groups, np.arange(source.size)[:, None]):
        return None
    ratio = Ratio.of(table, factor, network.word(score.ref.node).format.bits)
    return None if ratio is None else Softmax(score.ref, largest.ref, ratio)


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """The quotients ``T(d) / exp(beta d)`` for d = 0, -1, -2, ...: smallest and largest over ranges of 2**j of them."""

    beta: float
    least: Reals
    largest: Reals

    @staticmethod
    def of(table: Table, factor: int, bits: int) -> Ratio | None:
        """The quotients of a table at multiples of a factor; None for one that does not fall to 0 as an exponential does."""
        if bits > MOST_BITS:
            return None
        differences = -np.arange((1 << bits) + 1, dtype=np.int64)
        codes = table.codes[np.searchsorted(table.breaks, factor * differences, side="right")].astype(np.float64)
        top = max(1.0, codes[0])
        middle = int(np.argmax(codes * 4 < top)) or len(codes) - 1
        beta = float(np.log(top / max(0.5, codes[middle])) / middle)
        if (codes[beta * differences < -LEAST] > 0).any():
            return None
        quotients = codes / np.exp(np.maximum(beta * differences, -LEAST))
        least, most = [quotients], [quotients]
        step = 1
        while 2 * step <= len(quotients):
            least.append(np.minimum(least[-1], np.concatenate([least[-1][step:], np.full(step, np.inf)])))
            most.append(np.maximum(most[-1], np.concatenate([most[-1][step:], np.full(step, -np.inf)])))
            step *= 2
        return Ratio(beta, np.stack(least), np.stack(most))

    def over(self, near: Integers, far: Integers, largest: bool) -> Reals:
        """The smallest or largest quotient for ``-far <= d <= -near``."""
        level = np.frexp(far - near + 1)[1] - 1
        ends = far - (1 << level.astype(np.int64)) + 1
        table = self.largest if largest else self.least
        found: Reals = (np.maximum if largest else np.minimum)(table[level, near], table[level, ends])
        return found


def softmax_weights(
    ratio: Ratio, score: tuple[Integers, Integers], largest: tuple[Integers, Integers]
) -> tuple[Reals, Reals]:
    """Bounds of the weights times a number for each row, from bounds of scores and of the largest; entries must be possible."""
    (low, high), (least, most) = score, largest
    last = ratio.least.shape[1] - 1

    def near_and_far(at: Integers) -> tuple[Integers, Integers]:
        near = np.clip(least - at, 0, last)
        return near, np.clip(most - at, near, last)

    def scaled(at: Integers) -> Reals:
        return np.exp(np.clip(ratio.beta * (at - most), -LEAST, 0.0))

    smallest = np.where(ratio.beta * (low - most) < -LEAST, 0.0, scaled(low) * ratio.over(*near_and_far(low), False))
    greatest = scaled(high) * ratio.over(*near_and_far(high), True)
    return smallest * (1 - MARGIN), greatest * (1 + MARGIN)


def average_bounds(
    weights: tuple[Reals, Reals], values: tuple[Reals, Reals], possible: Truth, counted: Truth
) -> tuple[Reals, Reals]:
    """Bounds of the averages of rows.

    Args:
        weights: bounds ``(R, Y, L, size)`` of the weights, by position and letter.
        values: the same for the values; axes may have extent 1.
        possible: ``(R, Y, L)``, the letters possible at each position, at least one.
        counted: ``(R, Y)``, the positions in the average, at least one.

    Returns:
        Lower and upper bounds ``(R, size)``.
    """
    low, high = weights
    high_values, low_values = values[1], values[0]
    upper = largest_average(low, high, high_values, possible, counted)
    lower = -largest_average(low, high, -low_values, possible, counted)
    return lower, upper


def largest_average(low: Reals, high: Reals, values: Reals, possible: Truth, counted: Truth) -> Reals:
    """An upper bound of the averages, nearly the least there is."""
    n_letters = possible.shape[2]
    shape = np.broadcast_shapes(low[:, :, 0].shape, values[:, :, 0].shape, (*possible.shape[:2], 1))

    def of(array: Reals, letter: int) -> Reals:
        return np.ascontiguousarray(array[:, :, min(letter, array.shape[2] - 1)])

    used = [(possible[:, :, letter] & counted)[:, :, None] for letter in range(n_letters)]
    barred = [np.where(use, 0.0, -np.inf) for use in used]
    top, bottom = np.full((shape[0], shape[2]), -np.inf), np.full((shape[0], shape[2]), np.inf)
    least, heaviest = np.full(shape, np.inf), np.zeros(shape)
    for letter in range(n_letters):
        value = of(values, letter)
        top = np.maximum(top, (value + barred[letter]).max(axis=1))
        bottom = np.minimum(bottom, (value - barred[letter]).min(axis=1))
        np.minimum(least, of(low, letter) - barred[letter], out=least)
        np.maximum(heaviest, np.where(used[letter], of(high, letter), 0.0), out=heaviest)
    if not counted.all():
        least[np.broadcast_to(~counted[:, :, None], shape)] = 0.0
    smallest, reach = least.sum(axis=1), heaviest.sum(axis=1)
    centre = (top + bottom) / 2
    gain, chosen = np.empty(shape), np.empty(shape)
    parts = [(of(values, letter), of(low, letter), of(high, letter), barred[letter]) for letter in range(n_letters)]
    for step in range(STEPS):
        gain.fill(-np.inf)
        chosen.fill(0.0)
        for value, light, heavy, bar in parts:
            over = value - centre[:, None, :]
            weight = np.where(over >= 0, heavy, light)
            over = over * weight + bar
            better = over > gain
            np.maximum(gain, over, out=gain)
            np.copyto(chosen, weight, where=better)
        gain[np.isneginf(gain)] = 0.0
        total, mass = gain.sum(axis=1), chosen.sum(axis=1)
        moved = centre + np.divide(total, mass, out=np.zeros_like(total), where=mass > 0)
        moved = np.clip(moved, bottom, top)
        if step == STEPS - 1 or (np.abs(moved - centre) <= NEAR).all():
            break
        centre = moved
    error = MARGIN * reach * (top - bottom + np.abs(centre) + 1)
    slack = np.divide(np.maximum(total, 0.0) + error, smallest, out=np.full_like(total, np.inf), where=smallest > 0)
    bound: Reals = np.minimum(top, centre + slack)
    return bound
