"""How a value is read when position m is the last: which variables are pinned to m, and what is kept for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.network import Maximum, Network, Node, Predicates, Sum, references
from circuits.positions import LAST, TRUE, All, AtLeast, Guard, Ref, Term, conjunction, guard_terms, var, variables_of

PINNED = -1
LISTED = ""

Places = tuple[int, ...]
"""For each variable the number of the ranging variable that it is, or `PINNED`."""


@dataclass(frozen=True, slots=True)
class Offset:
    """The value so many positions before the last."""

    distance: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """The value at one position, the same in every word."""

    position: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Conditions on several positions, each a term of ranging variables, of m (`LAST`) and of numbers."""

    at: tuple[Term, ...]
    n_positions: int


Way = Places | Offset | Fixed | Moved
Key = tuple[str, Way]
"""A node and a way of reading it."""


def name_of(key: Key) -> str:
    """The name of a node read in some way; nothing else has it, since no way is written with an ``@``."""
    node, way = key
    match way:
        case Offset(distance):
            text = f"m-{distance}"
        case Fixed(position):
            text = f"{position}"
        case Moved(at, n_positions):
            text = f"{n_positions}:" + ",".join(map(str, at))
        case _:
            text = ",".join("m" if place == PINNED else f"y{place}" for place in way)
    return f"{node}@{text}"


def moved_term(term: Term, places: Places) -> Term:
    """A term with pinned variables replaced by the length, which is m."""
    return term.substitute([LAST if place == PINNED else var(place) for place in places])


def reading(network: Network, ref: Ref, places: Places) -> tuple[Key, Ref, bool]:
    """What a reference becomes: the key it reads, the reference to it, and whether it tells positions apart.

    Args:
        places: of the reader's variables.
    """
    source = network.by_name[ref.node]
    at = tuple(moved_term(term, places) for term in ref.at)
    if not at:
        return (ref.node, ()), Ref("", ()), False
    if len(at) == 1:
        return read_one(ref.node, at[0])
    variables = {var(place) for place in places if place != PINNED}
    if isinstance(source, Predicates) and not variables.union({LAST}).issuperset(at):
        count = ranging(places)
        return (ref.node, Moved(at, count)), Ref("", tuple(map(var, range(count)))), True
    order = list(dict.fromkeys(term for term in at if term != LAST))
    key = tuple(PINNED if term == LAST else order.index(term) for term in at)
    return (ref.node, key), Ref("", tuple(order)), False


def read_one(name: str, term: Term) -> tuple[Key, Ref, bool]:
    """What a reference to a value at one position becomes."""
    if term == LAST:
        return (name, (PINNED,)), Ref("", ()), False
    if not term.coefs and term.n_coef == 1 and term.const < 0:
        return (name, Offset(-term.const)), Ref("", ()), False
    if not term.coefs and term.n_coef == 0 and term.const >= 1:
        return (name, Fixed(term.const)), Ref("", ()), False
    plain = len(term.coefs) == 1 and term == var(term.coefs[0][0])
    return (name, (0,)), Ref("", (term,)), not plain


def conjuncts(guard: Guard) -> tuple[Guard, ...]:
    """The parts of a conjunction; the guard itself if it is none."""
    return guard.parts if isinstance(guard, All) else (guard,)


@dataclass(frozen=True, slots=True)
class Running:
    """How a sum or a maximum runs along: without the last position if strict, over the positions y with a condition."""

    strict: bool
    condition: Guard


def running(node: Node) -> Running | None:
    """How a node runs along, if what it sums or compares depends on the bound position alone."""
    if not isinstance(node, Sum | Maximum) or node.guard is None or node.n_positions > 1:
        return None
    k = node.n_positions
    if any(term.n_coef for term in node.operand.at) or not variables_of(node.operand.at) <= {k}:
        return None
    before = (LAST if k == 0 else var(0)) - var(k)
    ends = [part for part in conjuncts(node.guard) if part in (AtLeast(before), AtLeast(before - 1))]
    others = [part for part in conjuncts(node.guard) if part not in ends]
    terms = [term for part in others for term in guard_terms(part)]
    if any(term.n_coef for term in terms) or not variables_of(terms) <= {k} or not (ends or k == 0):
        return None
    return Running(AtLeast(before - 1) in ends, conjunction(*others) if others else TRUE)


def tells_apart(guard: Guard, places: Places) -> bool:
    """Tell whether a guard distinguishes positions before the last from one another, the bound one being the last of places."""
    bound = places[-1]
    for part in conjuncts(guard):
        terms = [moved_term(term, places) for term in guard_terms(part)]
        if not variables_of(terms):
            continue
        match part, terms:
            case AtLeast(), [Term(((variable, -1),), 1, const)] if variable == bound and const >= -1:
                continue
            case _:
                return True
    return False


def ranging(places: Sequence[int]) -> int:
    """How many variables range."""
    return 1 + max(places, default=PINNED)


def read_by(node: Node, places: Places) -> list[tuple[Ref, Places]]:
    """The references of a node, each with the places of the variables it may use; the bound one is pinned in a running value."""
    bound = PINNED if running(node) is not None else ranging(places)
    return [(ref, (*places, bound) if extra else places) for ref, extra in references(node)]
