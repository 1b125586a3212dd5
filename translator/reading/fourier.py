"""DFT and STFT as linear maps, and the mel filter bank, which is a constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from translator.reading.context import Context, dims_of
from translator.reading.contraction import contract
from translator.reading.elementwise import binary
from translator.reading.loading import Operator
from translator.reading.movement import take_static
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, lowering, needed, number, optional
from translator.reading.values import Array, Value


def cosines(length: int) -> Array:
    """``cos(2 pi a / length)`` for a = 0, 1, ..: the rational ones, which are multiples of 1/2 (Niven), are exact."""
    values = np.cos(2 * np.pi * np.arange(length) / length)
    halves = np.rint(2 * values) / 2
    return np.asarray(np.where(np.abs(values - halves) < 1e-12, halves, values))


def transform(length: int, size: int, parts: int, *, inverse: bool, onesided: bool) -> Array:
    """The matrix of a transform of length `length`, of shape (frequencies, real/imaginary, `size`, `parts`).

    `size` entries come in, each as its real and perhaps its imaginary part; they are cut or filled with zeros to the length.
    The matrix of an inverse is `length` times that of ONNX.
    """
    half = length // 2 + 1
    real = inverse and onesided
    used, rows = min(size, half if real else length), half if onesided and not inverse else length
    turn = np.outer(np.arange(rows), np.arange(used)) % length
    cosine = cosines(length)[turn]
    sine = cosines(4 * length)[(4 * turn - length) % (4 * length)] * (1.0 if inverse else -1.0)
    matrix = np.zeros((rows, 1 if real else 2, size, parts))
    for part, components in enumerate(((cosine, sine), (-sine, cosine))[:parts]):
        for component in range(matrix.shape[1]):
            matrix[:, component, :used, part] = components[component]
    if real:  # the frequencies left out are the conjugates of these, but for the first and the middle one
        twice = np.arange(size) % length * 2 % length != 0
        matrix[:, :, twice] *= 2
    return matrix


def fourier(context: Context, x: Value, axis: int, length: int | None, *, inverse: bool, onesided: bool) -> Value:
    """Transform along a static axis; the last axis holds the real and the imaginary part."""
    dims = dims_of(x)
    rank = len(dims)
    if dims[axis].n_coef or dims[-1].n_coef:
        raise Refusal(
            "N083",
            "a Fourier transform runs along the sequence",
            note="its coefficients depend on the length n and are no fixed set of numbers",
            help="transform frames of fixed length",
        )
    size, parts = dims[axis].const, dims[-1].const
    if length is None:
        length = 2 * (size - 1) if inverse and onesided else size
    if length < 1 or parts not in (1, 2) or axis == rank - 1:
        raise Refusal("N083", f"a Fourier transform of length {length} of an axis of {size} entries of {parts} parts")
    matrix = transform(length, size, parts, inverse=inverse, onesided=onesided)
    labels = list(range(rank))
    frequency, component = rank, rank + 1
    out = [frequency if label == axis else component if label == rank - 1 else label for label in labels]
    result = contract(context, matrix, [frequency, component, axis, rank - 1], x, labels, out)
    return binary(context, "div", result, np.array(float(length))) if inverse else result


@lowering("DFT")
def _dft(context: Context, operator: Operator, values: Inputs) -> Value:
    x, given = needed(values, 0), operator.attributes
    length, place = optional(values, 1), optional(values, 2)
    default = given.get("axis", 1) if context.opset < 20 else -2
    axis = (int(number(place)) if place is not None else default) % len(dims_of(x))
    inverse, onesided = (bool(given.get(name, 0)) for name in ("inverse", "onesided"))
    size = int(number(length)) if length is not None else None
    return fourier(context, x, axis, size, inverse=inverse, onesided=onesided)


@lowering("STFT")
def _stft(context: Context, operator: Operator, values: Inputs) -> Value:
    """Cut into frames, weigh each by the window, transform each."""
    x, step = needed(values, 0), int(number(needed(values, 1)))
    window, given_length = optional(values, 2), optional(values, 3)
    dims = dims_of(x)
    if dims[1].n_coef:
        raise Refusal(
            "N083", "a short-time Fourier transform runs along the sequence", help="use frames of fixed length"
        )
    size = dims[1].const
    length = (
        int(number(given_length))
        if given_length is not None
        else dims_of(window)[0].const
        if window is not None
        else size
    )
    if step < 1 or length < 1 or length > size:
        raise Refusal("N083", f"frames of {length} samples, {step} apart, do not fit into {size} samples")
    starts = np.arange((size - length) // step + 1) * step
    frames = take_static(context, x, 1, starts[:, None] + np.arange(length))
    if window is not None:
        frames = binary(context, "mul", frames, take_static(context, window, 0, np.arange(length)[:, None]))
    onesided = bool(operator.attributes.get("onesided", 1))
    return fourier(context, frames, 2, None, inverse=False, onesided=onesided)


@lowering("MelWeightMatrix")
def _mel_weight_matrix(context: Context, operator: Operator, values: Inputs) -> Value:
    """Triangular filters, equally spaced on the mel scale ``2595 log10(1 + f / 700)``."""
    bins, length, rate, low, high = (number(needed(values, place)) for place in range(5))
    count, edges = int(bins), np.arange(int(bins) + 2)
    mel = [2595 * np.log10(1 + hertz / 700) for hertz in (low, high)]
    hertz = 700 * (10 ** ((mel[0] + edges * (mel[1] - mel[0]) / len(edges)) / 2595) - 1)
    points = ((int(length) + 1) * hertz // rate).astype(np.int64)
    left, centre, right = points[:-2], points[1:-1], points[2:]
    place = np.arange(int(length) // 2 + 1)[:, None]
    with np.errstate(all="ignore"):
        rising = np.where((place >= left) & (place <= centre), (place - left) / (centre - left), 0.0)
        falling = (right - place) / (right - centre)
    rising = np.where(left == centre, np.where(place == centre, 1.0, 0.0), rising)
    result = np.where((place >= centre) & (place < right), falling, rising).reshape(len(place), count)
    kind: Any = onnx.helper.tensor_dtype_to_np_dtype(operator.attributes.get("output_datatype", onnx.TensorProto.FLOAT))
    return np.asarray(result, dtype=kind)
