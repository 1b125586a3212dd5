"""Every length, for networks in which an answer depends on a window of letters.

If all references and guards of a network stay within a bounded distance of the position x that answers, of the first, or of
the last position, then so does everything the answer depends on: the letters from x - l to x + r, the first P and the last Q
letters, and the place of x only as far as it lies in one of these, or modulo a period m. In a word of more than
``P + (m - 1) + l + 1 + r + (m - 1) + Q`` letters, m neighbouring letters can be left out that are in none of them, and the
answer at x stays. So a shortest difference is no longer than that, and the words up to this length decide every length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from circuits.network import Network, guards_of, references
from circuits.positions import All, Any_, AtLeast, Bit, Congruent, Equals, Guard, Not, Term
from logic import syntax
from logic.comparing.cells_layouts import spelled
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Finding, Limit
from logic.comparing.presburger import comparison, position_term
from logic.comparing.problem import Problem
from logic.syntax import Sentence
from logic.walk import Part, children

Anchor = Literal["x", "1", "n"]
MOST_WORDS = 1 << 22
MOST_PERIOD = 8

THEOREM = (
    "every answer depends on a window of letters around its position and on the ends of the word, so that a word longer "
    "than window and ends can be shortened without changing the answer: the words up to length {} decide every length"
)


class NotLocal(Exception):
    """An answer depends on letters at any distance; the message says where, for a reader."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Positions between ``anchor + low`` and ``anchor + high``; the anchor is x, the first or the last position."""

    anchor: Anchor
    low: int
    high: int

    def shifted(self, by: int) -> Reach:
        """The positions further to the right."""
        return Reach(self.anchor, self.low + by, self.high + by)


HERE = Reach("x", 0, 0)


@dataclass
class Window:
    """What an answer depends on: letters left and right of x, how many at both ends, and a period."""

    left: int = 0
    right: int = 0
    prefix: int = 0
    suffix: int = 0
    period: int = 1
    seen: set[object] = field(default_factory=set)

    def length(self, n_positions: int) -> int:
        """The length from which on words can be shortened."""
        if n_positions == 0:
            return self.prefix + self.suffix + self.period - 1
        return self.prefix + self.suffix + self.left + self.right + 1 + 2 * (self.period - 1)

    def cover(self, reach: Reach) -> None:
        """Include positions."""
        match reach.anchor:
            case "x":
                self.left, self.right = max(self.left, -reach.low), max(self.right, reach.high)
            case "1":
                self.prefix = max(self.prefix, reach.high + 1)
                self.suffix = max(self.suffix, 0)
            case _:
                self.suffix = max(self.suffix, 1 - reach.low)

    def tell(self, guard: Guard, reaches: Sequence[Reach]) -> None:
        """Include what decides a guard.

        Raises:
            NotLocal: it compares positions in another way.
        """
        match guard:
            case AtLeast(term) | Equals(term):
                self.margin(term, reaches, guard)
            case Congruent(_, modulus):
                self.period = math.lcm(self.period, modulus)
            case Bit(number, Term((), 0, place)) if place <= MOST_PERIOD:
                self.period = math.lcm(self.period, 1 << max(place, 0))
                self.margin(number, reaches, guard)
            case Bit():
                raise NotLocal(spelled(guard))
            case Not(part):
                self.tell(part, reaches)
            case All(parts) | Any_(parts):
                for part in parts:
                    self.tell(part, reaches)
        if self.period > MOST_PERIOD:
            raise NotLocal(f"positions are told apart modulo {self.period}")

    def margin(self, term: Term, reaches: Sequence[Reach], guard: Guard) -> None:
        """Include the places near which a comparison changes."""
        x, n, size = 0, term.n_coef, abs(term.const)
        for variable, coef in term.coefs:
            reach = reaches[variable]
            x += coef if reach.anchor == "x" else 0
            n += coef if reach.anchor == "n" else 0
            size += abs(coef) * (max(abs(reach.low), abs(reach.high)) + (reach.anchor == "1"))
        if x == n == 0:
            return
        if x == 0 or (abs(x) == 1 and n == 0):
            self.prefix = max(self.prefix, size + 1)
        elif abs(x) == 1 and n == -x:
            self.suffix = max(self.suffix, size + 1)
        else:
            raise NotLocal(spelled(guard))


def place(term: Term, reaches: Sequence[Reach]) -> Reach:
    """The positions that a term is.

    Raises:
        NotLocal: they lie at no bounded distance of one position.
    """
    match term:
        case Term(((variable, 1),), 0, const):
            return reaches[variable].shifted(const)
        case Term((), 0, const):
            return Reach("1", const - 1, const - 1)
        case Term((), 1, const):
            return Reach("n", const, const)
        case _:
            raise NotLocal(f"position {term}")


def bound(guard: Guard, reaches: Sequence[Reach]) -> list[Reach]:
    """Where the last variable lies if a guard holds, the others being given; nothing if there is no such place.

    Raises:
        NotLocal: at any distance.
    """
    variable = len(reaches)
    if isinstance(guard, Any_):
        return [reach for part in guard.parts for reach in bound(part, reaches)]
    lows: list[Reach] = []
    highs: list[Reach] = []
    for part in guard.parts if isinstance(guard, All) else (guard,):
        if isinstance(part, Any_):
            try:
                return bound(part, reaches)
            except NotLocal:
                continue
        if not isinstance(part, AtLeast | Equals):
            continue
        coef = dict(part.term.coefs).get(variable, 0)
        if abs(coef) != 1:
            continue
        other = part.term * -coef + Term(((variable, 1),))  # the variable is at least (coef 1) or at most this term
        try:
            found = place(other, reaches)
        except NotLocal:
            continue
        lows += [found] if coef == 1 or isinstance(part, Equals) else []
        highs += [found] if coef == -1 or isinstance(part, Equals) else []
    for low in [*lows, Reach("1", 0, 0)]:
        for high in [*highs, Reach("n", 0, 0)]:
            if low.anchor == high.anchor:
                return [Reach(low.anchor, low.low, high.high)]
    raise NotLocal(spelled(guard) if guard != All(()) else "all positions")


def window_of_network(network: Network) -> Window:
    """What a network's answers depend on.

    Raises:
        NotLocal: on letters at any distance.
    """
    readout = network.decided
    window = Window()
    wanted: list[tuple[str, tuple[Reach, ...]]] = [(readout.decision, (HERE,) * readout.n_positions)]
    seen = set(wanted)
    while wanted:
        name, reaches = wanted.pop()
        node = network.by_name[name]
        for reach in reaches:
            window.cover(reach)
        try:
            inner = [reaches]
            for guard, bound_variables in guards_of(node):
                if bound_variables:
                    inner = [(*reaches, reach) for reach in bound(guard, reaches)]
                for one in inner:
                    window.tell(guard, one)
            for ref, bound_variables in references(node):
                for one in inner if bound_variables else [reaches]:
                    key = ref.node, tuple(place(term, one) for term in ref.at)
                    if key not in seen:
                        seen.add(key)
                        wanted.append(key)
        except NotLocal as refusal:
            raise NotLocal(f"`{name}` reads {refusal}") from None
    return window


def window_of_sentence(sentence: Sentence, names: Sequence[str]) -> Window:
    """What formulas of a sentence, given by the definitions' names ("" for the last), depend on at a position.

    Raises:
        NotLocal: on letters at any distance.
    """
    window = Window()
    definitions = {one.name: one for one in sentence.definitions}

    def visit(part: Part, values: Mapping[str, Reach]) -> None:
        inside = {name: values[name] for name in sorted(part.free)}
        key = part, tuple(inside.items())
        if key in window.seen:
            return
        window.seen.add(key)
        match part:
            case syntax.Letter(_, term):
                window.cover(at(term, inside))
            case syntax.Call(name, args) | syntax.SumCall(name, args):
                if name not in definitions:
                    raise NotLocal(f"the proposition `{name}`")
                one = definitions[name]
                reaches = [at(term, inside) for term in args]
                for reach in reaches:
                    window.cover(reach)
                visit(one.body, dict(zip(one.params, reaches, strict=True)))
            case syntax.Compare(op, left, right):
                window.tell(comparison(op, position_term(right - left, {})), terms(right - left, inside))
            case syntax.Bit(number, index) if not index.coefs and not index.n:
                window.tell(Bit(position_term(number, {}), Term((), 0, index.const)), terms(number, inside))
            case syntax.Bit():
                raise NotLocal(str(part))
            case syntax.Exists(x, body):
                quantified(x, conjuncts(body), [body], inside)
            case syntax.Forall(x, syntax.Implies(left, _) as body):
                quantified(x, conjuncts(left), [body], inside)
            case syntax.Count(x, condition, weight):
                quantified(x, conjuncts(condition), [condition, weight], inside)
            case syntax.Forall() | syntax.Majority():
                raise NotLocal(f"all positions: {part}")
            case syntax.Sum(_, length, _) if length:
                raise NotLocal(f"the length: {part}")
            case _:
                for child in children(part):
                    visit(child, inside)

    def at(term: syntax.Term, values: Mapping[str, Reach]) -> Reach:
        return place(position_term(term, {}), terms(term, values))

    def terms(term: syntax.Term, values: Mapping[str, Reach]) -> list[Reach]:
        return [values[name] for name, _ in term.coefs]

    def quantified(x: str, bounds: list[syntax.Compare], parts: list[Part], values: Mapping[str, Reach]) -> None:
        numbering = {name: number for number, name in enumerate([*(n for n in values if n != x), x])}
        known = [one for one in bounds if (one.left.free | one.right.free) <= numbering.keys()]
        guard = All(tuple(comparison(one.op, position_term(one.right - one.left, numbering)) for one in known))
        for reach in bound(guard, [values[name] for name in numbering if name != x]):
            window.cover(reach)
            for part in parts:
                visit(part, {**values, x: reach})

    try:
        for name in names:
            body: Part = definitions[name].body if name else sentence.formula
            free = definitions[name].params if name else sentence.free
            visit(body, dict.fromkeys(free, HERE))
    except NotLocal as refusal:
        raise NotLocal(f"the sentence reads {refusal}") from None
    return window


def conjuncts(phi: syntax.Formula) -> list[syntax.Compare]:
    """The comparisons that hold wherever a formula holds."""
    parts = phi.parts if isinstance(phi, syntax.And) else (phi,)
    return [part for part in parts if isinstance(part, syntax.Compare)]


def window_of(problem: Problem) -> Window:
    """What an answer of network and rival depends on.

    Raises:
        NotLocal: on letters at any distance; the message says where.
    """
    if problem.network.inputs:
        raise NotLocal("the network reads numbers, not a word")
    if problem.where is not None:
        raise NotLocal("a word that is shortened need not be among the words considered")
    parts: list[Callable[[], Window]] = [lambda: window_of_network(problem.network)]
    rival = problem.rival
    if isinstance(rival, Network):
        parts.append(lambda: window_of_network(rival))
    else:
        parts.append(lambda: window_of_sentence(rival.sentence, rival.relations))
    if problem.at is not None:
        where = problem.at
        parts.append(lambda: window_of_sentence(where, ("",)))
    total = Window()
    for part in parts:
        one = part()
        total = replace(
            total,
            left=max(total.left, one.left),
            right=max(total.right, one.right),
            prefix=max(total.prefix, one.prefix),
            suffix=max(total.suffix, one.suffix),
            period=math.lcm(total.period, one.period),
        )
    return total


class Windows:
    """Decides all lengths of networks whose answers depend on windows."""

    name = "windows"

    def obstacle(self, problem: Problem) -> str:
        """What is read at any distance, or how many words it would take."""
        try:
            longest = self.longest(problem)
        except NotLocal as refusal:
            return str(refusal)
        letters = len(problem.network.alphabet)
        if letters**longest > MOST_WORDS:
            return f"windows and ends together have {longest} letters: {letters}^{longest} words"
        return ""

    def longest(self, problem: Problem) -> int:
        """The length up to which words decide every length.

        Raises:
            NotLocal: there is none.
        """
        window = window_of(problem)
        found = max(window.length(problem.network.decided.n_positions), problem.domain.least + window.period - 1)
        most = problem.domain.most
        return found if most is None else min(found, most)

    def decide_all(self, problem: Problem, limit: Limit) -> Finding:
        """Compare all words that windows and ends fill."""
        try:
            longest = self.longest(problem)
        except NotLocal as refusal:
            return Finding((), reason=str(refusal))
        found = Exhaustive().decide(problem, range(problem.domain.least, longest + 1), limit)
        if found.word is not None or found.reason:
            return found
        return replace(found, everywhere=True, theorem=THEOREM.format(longest))
