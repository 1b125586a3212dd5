"""The guard of everything that is unrolled: loops, recurrent cells, lists."""

from __future__ import annotations

from translator.reading.context import Context
from translator.reading.refusing import Refusal

MOST_UNROLLED = 5_000


def count_unrolled(context: Context, operators: int) -> None:
    """Note that this many operators are made by unrolling.

    Raises:
        Refusal: they are too many.
    """
    context.unrolled += operators
    if context.unrolled > MOST_UNROLLED:
        raise Refusal(
            "N067",
            f"unrolling makes more than {MOST_UNROLLED} operators",
            note="a body is repeated for each step, and this many steps are no network that can be proved",
            help="export with fewer steps",
        )
