"""Rounding: of an integer by a power of two, and of a quotient; one comparison for each candidate, or digit by digit.

These are the gadgets of `circuits.network_to_family`: `shallow` asks for all ``2**p - 1`` candidates at once (a thermometer),
`compact` for one bit after the other, each against what the higher bits already claim (successive approximation), `balanced`
for two digits. A quotient needs no divider: with a positive denominator ``N / D >= c`` is ``N - c D >= 0``, and what a higher
digit claims of D is D ANDed with its bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.digits import search
from circuits.blocks.wiring import Wiring, require_sizes
from circuits.formats import Format
from circuits.network import Quotient, Round
from circuits.positions import Ref

SOURCE = "Siu & Roychowdhury 1994, SIAM J. Discrete Math. 7 (thermometer and alternating sum)"


def nearest(num: int, den: int, format_: Format) -> int:
    """The code nearest to ``num / den``, the even one of two, saturating."""
    code, rest = divmod(num, den)
    code += 2 * rest > den or (2 * rest == den and code % 2 == 1)
    return min(max(code, format_.lo), format_.hi)


def rounding(q: int, p: int, shift: int, depth: str = "compact") -> Block:
    """A signed number S of q bits as ``S / 2**shift`` in p bits, half to even, saturating.

    Raises:
        FomError: a parameter below its least value, an unknown depth choice, a sum of more than 62 bits.
    """
    require_sizes("rounding", {"q": 1, "p": 1, "shift": 0}, {"q": q, "p": p, "shift": shift})
    found = search(p, depth, "p")
    wiring = Wiring()
    format_ = Format(p, -(1 << p - 1), 0)
    wiring.words("S", 1, Format(q, -(1 << q - 1), 0))
    wiring.put(Round("out", 0, 1, Ref("S"), shift, format_))
    gates = found.gates
    bounds = Bounds(
        found.levels,
        gates,
        Bound((q + p) * gates.value + p * 2**p, f"(q + p)*{gates.formula} + p*2**p", exact=False),
        Bound(2 ** max(q - 1, p - 1 + shift), "2**max(q - 1, p - 1 + shift)", exact=False),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [nearest(given[0], 1 << shift, format_)]

    parameters = {"q": q, "p": p, "shift": shift}
    name = f"rounding, {depth}"
    return wiring.block(name, "out", (1, format_), reference, parameters, SOURCE, bounds, depth)


def quotient(q: int, d: int, p: int, depth: str = "compact") -> Block:
    """``N / D`` in p bits, half to even, saturating: N a signed number of q bits, D from 1 to ``2**d``.

    Raises:
        FomError: a parameter below 1, an unknown depth choice, a sum of more than 62 bits.
    """
    require_sizes("quotient", {"q": 1, "d": 1, "p": 1}, {"q": q, "d": d, "p": p})
    found = search(p, depth, "p")
    wiring = Wiring()
    format_ = Format(p, -(1 << p - 1), 0)
    wiring.words("N", 1, Format(q, -(1 << q - 1), 0))
    wiring.words("D", 1, Format(d, 1, 0))
    wiring.put(Quotient("out", 0, 1, Ref("N"), Ref("D"), np.zeros(1, dtype=np.int64), 0, format_))
    gates, claimed, count = found.gates, found.claimed, found.digits
    wires = (q + d + p * (d + 1)) * gates.value + 2 * p * d + p * 2**p
    bounds = Bounds(
        Bound(found.levels.value + count.value - 1, f"{found.levels.formula} + {count.formula} - 1"),
        Bound(gates.value + claimed.value * d, f"{gates.formula} + {claimed.formula}*d"),
        Bound(wires, f"(q + d + p*(d + 1))*{gates.formula} + 2*p*d + p*2**p", exact=False),
        Bound(max(2**q, 2 ** (p + d)), "max(2**q, 2**(p + d))", exact=False),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [nearest(given[0], given[1], format_)]

    parameters = {"q": q, "d": d, "p": p}
    return wiring.block(f"quotient, {depth}", "out", (1, format_), reference, parameters, SOURCE, bounds, depth)
