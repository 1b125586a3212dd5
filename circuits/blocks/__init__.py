"""Arithmetic in constant depth: blocks of threshold gates with stated bounds, a source, and a reference in integers."""

from circuits.blocks.addition import addition, addition_small_weights, look_ahead
from circuits.blocks.block import Argument, Block, Bound, Bounds, Measured, excesses, measure
from circuits.blocks.comparison import comparison, comparison_small_weights
from circuits.blocks.functions import majority, normal_form, parity, symmetric, table
from circuits.blocks.ordering import maximum, maximum_of_pairs, sorting
from circuits.blocks.rounding import quotient, rounding
from circuits.blocks.sums import counting, iterated_addition, multiplication

__all__ = [
    "Argument",
    "Block",
    "Bound",
    "Bounds",
    "Measured",
    "addition",
    "addition_small_weights",
    "comparison",
    "comparison_small_weights",
    "counting",
    "excesses",
    "iterated_addition",
    "look_ahead",
    "majority",
    "maximum",
    "maximum_of_pairs",
    "measure",
    "multiplication",
    "normal_form",
    "parity",
    "quotient",
    "rounding",
    "sorting",
    "symmetric",
    "table",
]
