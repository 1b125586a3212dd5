"""The cutting planes of denominators: an axiom for each summand, such that the bounds add up to at least 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.network import Network, Quotient
from circuits.positions import TRUE, guard_to_data
from logic.checker.denominators import Line, Row, bounds, check_line, read_to_data, row_of, tops_of
from logic.checker.forms import Reader, own
from logic.checker.record import Record, Rejected


def denominator_lines(reader: Reader, network: Network) -> dict[str, Any]:
    """The lines of all quotients of a network, by node.

    Raises:
        Rejected: no line of a denominator reaches 1.
    """
    found = {}
    for node in network.nodes:
        if isinstance(node, Quotient):
            lines = [line_of(reader, node.den.node, element) for element in np.unique(node.den_index).tolist()]
            found[node.name] = {"denominators": lines}
    return found


def line_of(reader: Reader, name: str, element: int) -> Line:
    """The first line that reaches 1: by bounds and counts, or with the term of a largest score."""
    k = reader.network.by_name[name].n_positions
    row = row_of(reader, (name, own(k), None, element), k)
    plain = {"axioms": axioms_of(reader, row)}
    tried = [plain, *({**plain, "softmax": read_to_data(top)} for top in tops_of(reader, row, k))]
    reason: Rejected | None = None
    for line in tried:
        try:
            return check_line(reader, Record(), name, element, line)
        except Rejected as error:
            reason = error
    raise reason or Rejected(name, "its denominator has no line")


def axioms_of(reader: Reader, row: Row) -> list[Any]:
    """The strongest axiom of each summand."""
    found: list[Any] = []
    terms = [(read_to_data(read), read, coef) for read, coef in row.terms.items() if coef]
    for data, read, coef in sorted(terms, key=lambda term: repr(term[0])):
        low = min(coef * end for end in bounds(reader, read))
        guarded = read[2] not in (None, TRUE)
        kind = "nonnegative" if guarded and low >= 0 else "least" if coef > 0 else "greatest"
        found.append([coef, data, kind])
    counts = sorted(((guard_to_data(g), g, coef) for g, coef in row.counts.items() if coef), key=lambda c: repr(c[0]))
    found += [[coef, data, "least" if guard == TRUE else "somewhere"] for data, guard, coef in counts]
    return found
