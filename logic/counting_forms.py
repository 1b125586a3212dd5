"""Counting forms: integer sums of bits, as one threshold gate or one shared sum adds them up.

A form is ``const + length * n`` and weighted terms. The term ``(m, guard, read)`` is the number of tuples of m positions that
satisfy the guard and whose bit is 1; without a read every tuple counts. The m bound positions of a term are its variables
0..m-1; all other variables are free and numbered from `FREE` on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from circuits.positions import FALSE, TRUE, Guard, Places, Term, conjunction, guard_terms, substitute, var, variables_of

FREE = 16


class Renaming(dict[int, Term]):
    """Terms for some variables; the others stay."""

    def __missing__(self, variable: int) -> Term:
        return var(variable)


@dataclass(frozen=True, slots=True)
class Read:
    """One element of the entry number `source`, read at terms; 0 outside the word."""

    source: int
    element: int
    at: tuple[Term, ...]

    def substitute(self, at: Places) -> Read:
        """Replace variable v by ``at[v]``."""
        return replace(self, at=tuple(term.substitute(at) for term in self.at))


@dataclass(frozen=True, slots=True)
class Literal:
    """A bit that is read, or its negation."""

    read: Read
    positive: bool = True

    def __invert__(self) -> Literal:
        return Literal(self.read, not self.positive)

    @property
    def variables(self) -> set[int]:
        """The variables of the places where it is read."""
        return variables_of(self.read.at)


Key = tuple[int, Guard, Read | None]


@dataclass(slots=True)
class Form:
    """A sum that is still growing."""

    terms: dict[Key, int] = field(default_factory=dict)
    length: int = 0
    const: int = 0

    def add(self, other: Form, factor: int = 1) -> None:
        """Add a multiple of another form."""
        for key, coef in other.parts():
            self.add_term(key, factor * coef)

    def add_term(self, key: Key, coef: int) -> None:
        """Add a multiple of one term; what counts 1 once, or at every position, is a number."""
        bound, guard, read = key
        if guard == FALSE:
            return
        if guard == TRUE and read is None and bound < 2:
            self.const, self.length = self.const + coef * (not bound), self.length + coef * bound
            return
        total = self.terms.pop(key, 0) + coef
        if total:
            self.terms[key] = total

    def add_literal(self, literal: Literal, factor: int = 1) -> None:
        """Add a multiple of a literal's 0 or 1."""
        if not literal.positive:
            self.const += factor
        self.add_term((0, TRUE, literal.read), factor if literal.positive else -factor)

    def parts(self) -> Iterator[tuple[Key, int]]:
        """All terms with their weights, numbers among them."""
        yield from self.terms.items()
        if self.const:
            yield (0, TRUE, None), self.const
        if self.length:
            yield (1, TRUE, None), self.length

    def where(self, guard: Guard) -> Form:
        """The form if the guard holds, else 0."""
        result = Form()
        for (bound, own, read), coef in self.parts():
            result.add_term((bound, conjunction(own, guard), read), coef)
        return result

    def bind(self, variable: int) -> Form:
        """The sum of the form over all positions in the place of a free variable."""
        result = Form()
        for (bound, guard, read), coef in self.parts():
            at = Renaming({variable: var(bound)})
            result.add_term((bound + 1, substitute(guard, at), None if read is None else read.substitute(at)), coef)
        return result

    def substitute(self, at: Places) -> Form:
        """Replace free variable v by ``at[v]``."""
        result = Form({}, self.length, self.const)
        for (bound, guard, read), coef in self.terms.items():
            result.add_term((bound, substitute(guard, at), None if read is None else read.substitute(at)), coef)
        return result

    def expand(self, sums: Mapping[int, tuple[tuple[int, ...], Form]]) -> Form:
        """Put shared sums in place: for the number of each its own variables and its form."""
        result = Form()
        waiting = list(self.parts())
        while waiting:
            (bound, guard, read), coef = waiting.pop()
            if read is None or read.source not in sums:
                result.add_term((bound, guard, read), coef)
                continue
            own, inner = sums[read.source]
            for (more, its_guard, its_read), weight in inner.parts():
                at = Renaming(zip(own, read.at, strict=True))
                at.update({v: var(bound + v) for v in range(more)})
                both = conjunction(guard, substitute(its_guard, at))
                key = bound + more, both, None if its_read is None else its_read.substitute(at)
                waiting.append((key, coef * weight))
        return result


def complement(form: Form) -> Form:
    """1 less a form."""
    result = Form({}, 0, 1)
    result.add(form, -1)
    return result


def free_variables(key: Key) -> set[int]:
    """The free variables of a term."""
    bound, guard, read = key
    used = variables_of(guard_terms(guard)) | (set() if read is None else variables_of(read.at))
    return used - set(range(bound))
