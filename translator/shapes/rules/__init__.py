"""The rules of all operators; importing a module enters its rules into the table."""

from translator.shapes.calls import RULES
from translator.shapes.rules import (
    attention,
    contraction,
    control,
    elementwise,
    features,
    indexing,
    joining,
    layout,
    normalizing,
    quantized,
    recurrent,
    reduction,
    resizing,
    sequences,
    signal,
    sizes,
    windows,
)

__all__ = [
    "RULES",
    "attention",
    "contraction",
    "control",
    "elementwise",
    "features",
    "indexing",
    "joining",
    "layout",
    "normalizing",
    "quantized",
    "recurrent",
    "reduction",
    "resizing",
    "sequences",
    "signal",
    "sizes",
    "windows",
]
