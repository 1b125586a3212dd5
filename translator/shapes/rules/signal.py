"""Windows and transforms of signals."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, floor_div, minus, plus
from translator.shapes.graph import dtype_name
from translator.shapes.values import Tensor


@rule("BlackmanWindow", "HammingWindow", "HannWindow")
def window(call: Call) -> Tensor:
    """A window of a given length."""
    return Tensor(dtype_name(call.attribute("output_datatype", 1)), (call.size(0),))


@rule("MelWeightMatrix")
def mel_weights(call: Call) -> Tensor:
    """One row for each bin of the spectrum, one column for each band."""
    return Tensor(dtype_name(call.attribute("output_datatype", 1)), (one_sided(call.size(1)), call.size(0)))


def one_sided(length: Size) -> Size:
    """How many frequencies of a real signal are different."""
    return plus(floor_div(length, 2), 1)


@rule("DFT")
def dft(call: Call) -> Tensor:
    """A spectrum along one axis; the last axis holds real and imaginary part."""
    dims = list(call.rank_at_least(0, 2))
    named = call.attribute("axis", 1) if call.version < 20 else (call.integers(2)[0] if call.has(2) else -2)
    axis = call.axis(named, len(dims))
    length = call.size(1) if call.has(1) else dims[axis]
    if call.attribute("onesided", 0) and not call.attribute("inverse", 0):
        length = one_sided(length)
    elif call.attribute("onesided", 0):
        length = call.size(1) if call.has(1) else minus(plus(dims[axis], dims[axis]), 2)
        dims[-1] = 1
        dims[axis] = length
        return shaped(dims)
    dims[axis], dims[-1] = length, 2
    return shaped(dims)


@rule("STFT")
def stft(call: Call) -> Tensor:
    """The spectra of frames, at regular steps."""
    dims = call.dims(0, 2, 3)
    step = call.size(1)
    if call.has(3):
        frame = call.size(3)
    else:
        frame = call.dims(2, 1)[0] if call.has(2) else dims[1]
    room = minus(dims[1], frame)
    call.constraints.at_least(room, 0, "a frame of `STFT` fits into the signal")
    bins = one_sided(frame) if call.attribute("onesided", 1) else frame
    return shaped([dims[0], plus(floor_div(room, step), 1), bins, 2])
