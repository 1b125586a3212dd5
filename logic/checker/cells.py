"""A network compared on words of every length, by the numbers of positions of each type (`logic.comparing.cells`).

The certificate has, for each layout, points: numbers of positions, with a slack. The checker evaluates the network symbolically
around each point, which gives the cell of the point, and writes the scripts itself: the cells cover every word considered, and
in no cell is the network wrong. Words shorter than the layouts, and a few longer ones, are enumerated. On one word of every
cell, if it is short, the network is evaluated as it is defined, and must decide what the cell decides.

How the points were found, and z3, take no part. The symbolic evaluation, the layouts and the translation of sentences are those
of the program that found them, and have to be believed: `logic.comparing` `cells_trace`, `cells_rows`, `cells_layouts`,
`cells_text`, `symmetry`, `counts_cases` and `presburger`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from circuits.evaluate import evaluate_as_defined
from circuits.network import Network
from logic.checker.comparison import Subject, compare_length, decided
from logic.checker.record import Record, Rejected, require, sha256
from logic.checker.statements import script
from logic.comparing.cells_layouts import NotSymmetric
from logic.comparing.cells_text import FALSE, conjunction, count_name, disjunction, linear, negation
from logic.comparing.cells_trace import Undecided, trace
from logic.comparing.counts_cases import Case, cases_of

Integers = np.ndarray[Any, np.dtype[np.int64]]
Point = dict[str, Any]

MOST_COUNT = 1 << 40
MOST_SLACK = 1 << 16
EVALUATED = 64
CONTROLLED = 1 << 10


def replay_cells(subject: Subject, record: Record, given: Any) -> dict[str, Any]:
    """Replay the cells of every layout; the lengths enumerated, and the points and obligations of each layout.

    Args:
        given: for each layout an object with its `points`.

    Raises:
        Rejected: the network is not symmetric, or a point has no cell, or a word is decided otherwise.
    """
    network, problem = subject.network, subject.problem
    try:
        cases = cases_of(problem)
    except NotSymmetric as refusal:
        raise Rejected("the network", f"it is no function of numbers of positions: {refusal}") from None
    least, most = network.domain.least, network.domain.most
    last = max(cases.shortest - 1, least)
    while len(network.alphabet) ** (last + 1) <= CONTROLLED and last < 16:
        last += 1
    ends = [end for end in (most, subject.right.domain.most if isinstance(subject.right, Network) else None) if end]
    lengths = range(least, min([last, *ends]) + 1)
    if isinstance(subject.right, Network):
        lengths = range(max(least, subject.right.domain.least), lengths.stop)
    short = [compare_length(subject, record, n) for n in lengths]
    listed = isinstance(given, list) and len(given) == len(cases.cases)
    require(
        listed and all(isinstance(one, dict) for one in given), "the claim", f"it has not {len(cases.cases)} layouts"
    )
    layouts = [
        replay_layout(subject, record, case, one.get("points")) for case, one in zip(cases.cases, given, strict=True)
    ]
    return {"lengths": short, "layouts": layouts}


def replay_layout(subject: Subject, record: Record, case: Case, points: Any) -> dict[str, Any]:
    """Replay the cells of one layout; its points and obligations."""
    require(isinstance(points, list), "the claim", "a layout has no points")
    by_decision: dict[str, tuple[Any, Any, list[str]]] = {}
    cover: list[str] = []
    for point in points:
        formula, own, rival = cell_of(subject, record, case, point)
        cover.append(negation(formula))
        by_decision.setdefault(repr((own, rival)), (own, rival, []))[2].append(formula)
        record.count("cells")
    names = [f"(declare-const {name} Int)" for name in case.names]
    known = [f"(assert {formula})" for formula in case.known]

    def obligation(*formulas: str) -> str:
        return record.obligation(script("LIA", *names, *known, *(f"(assert {formula})" for formula in formulas)))

    found = [obligation(*cover)]
    for own, rival, formulas in by_decision.values():
        wrong = case.wrong(own, rival)
        if wrong != FALSE:
            found.append(obligation(disjunction(formulas), wrong))
    digest = sha256("\n".join((json.dumps(points, sort_keys=True), *cover)).encode())
    return {"points": points, "obligations": found, "digest": digest}


def cell_of(subject: Subject, record: Record, case: Case, point: Any) -> tuple[str, Any, Any]:
    """The cell around a point, and what network and rival decide in it."""
    n_types = len(case.layout.classes) * case.letters
    shaped = isinstance(point, dict) and set(point) == {"types", "counts", "slack"}
    require(shaped and all(isinstance(point[key], list) for key in ("types", "counts")), "a point", "it is malformed")
    types, sizes, slack = point["types"], point["counts"], point["slack"]
    integers = all(type(number) is int for number in (*types, *sizes)) and len(types) == len(sizes) > 0
    require(integers and types == sorted(set(types)) and 0 <= types[0] <= types[-1] < n_types, "a point", "no types")
    require(all(0 < size < MOST_COUNT for size in sizes), "a point", "its numbers are no numbers of positions")
    require(slack is None or (type(slack) is int and 0 <= slack <= MOST_SLACK), "a point", "its slack is malformed")
    present, counts = np.array(types, dtype=np.int64), np.array(sizes, dtype=np.int64)
    try:
        own = trace(subject.network, case.network, present, counts, slack)
        traces = [own]
        if isinstance(subject.right, Network) and case.rival is not None:
            traces.append(trace(subject.right, case.rival, present, counts, slack))
    except Undecided:
        raise Rejected("a point", f"{sizes} with slack {slack} determines no decision") from None
    names = [count_name(*divmod(number, case.letters)) for number in range(n_types)]
    parts = [f"(>= {name} 1)" if number in set(types) else f"(<= {name} 0)" for number, name in enumerate(names)]
    for row in np.concatenate([one.rows for one in traces]).tolist():
        const, *coefs = row
        parts.append(f"(>= {linear(zip(coefs, (names[number] for number in types), strict=True), const)} 0)")
    require_decided(subject, record, case, present, counts, own.decision)
    return conjunction(parts), own.decision, traces[-1].decision


def require_decided(
    subject: Subject, record: Record, case: Case, present: Integers, counts: Integers, expected: Any
) -> None:
    """Require what the cell decides on the word of its point, evaluated as the network is defined."""
    network, layout = subject.network, case.layout
    if int(counts.sum()) > EVALUATED or not network.domain.admits(int(counts.sum())):
        return
    word = case.word(present, counts)
    answer = decided(network, evaluate_as_defined(network, word[None]))[0]
    if layout.here is not None:
        place = int(counts[present // case.letters < layout.here].sum())
        require(place < len(word), "a point", "the position that is asked for is no position")
        answer = answer[place]
    require(np.array_equal(answer, expected), "the network", f"it does not decide as its cell on {word.tolist()}")
    record.count("words as defined")
