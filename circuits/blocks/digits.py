"""How many gates and levels a search for a word takes: what `circuits.network_to_family` does digit by digit.

A digit of one bit is one comparison; one of w bits takes ``2**w - 1`` comparisons, which form a thermometer, and a gate for each
bit that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuits.blocks.block import Bound
from circuits.network_to_family import digits

WIDTHS = {"compact": "[1]*{p}", "balanced": "halves({p})", "shallow": "[{p}]"}


@dataclass(frozen=True, slots=True)
class Search:
    """Counts for one word of `variable` bits.

    Attributes:
        comparisons: gates that compare.
        gates: those, and the gates that read thermometers.
        levels: longest path of these gates.
        digits: how many digits there are.
        claimed: bits that a later digit reads.
    """

    comparisons: Bound
    gates: Bound
    levels: Bound
    digits: Bound
    claimed: Bound


def search(bits: int, depth: str, variable: str) -> Search:
    """The counts for a word, with formulas in the variable that holds its bits.

    Raises:
        FomError: an unknown depth choice.
    """
    widths = [width for _, width in digits(bits, depth)]
    each = f"for w in {WIDTHS[depth].format(p=variable)}"
    claimed = {"compact": f"({variable} - 1)", "balanced": f"({variable} - halves({variable})[-1])", "shallow": "0"}
    return Search(
        Bound(sum((1 << width) - 1 for width in widths), f"sum(2**w - 1 {each})"),
        Bound(sum((1 << width) - 1 + width * (width > 1) for width in widths), f"sum(2**w - 1 + w*(w > 1) {each})"),
        Bound(sum(1 + (width > 1) for width in widths), f"sum(1 + (w > 1) {each})"),
        Bound(len(widths), f"sum(1 {each})"),
        Bound(bits - widths[-1], claimed[depth]),
    )
