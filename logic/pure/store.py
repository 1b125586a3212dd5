"""The definitions of a sentence that is being made: names that are free, and each body once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from itertools import count as counting

from logic.syntax import Bit, Call, Compare, Definition, Formula, Letter, Not, Sentence, var

_VARIABLES = ("p", "q", "r", "k", "i", "j")


class Store:
    """Definitions in order; `base` is the name that new ones begin with."""

    def __init__(self, sentence: Sentence) -> None:
        self.propositions = frozenset(sentence.propositions)
        self.taken = {*sentence.letters, *sentence.propositions, *(one.name for one in sentence.definitions)}
        self.made: list[Definition] = []
        self.base = "answer"
        self.known: dict[tuple[tuple[str, ...], Formula], str] = {}
        self.numbers: Counter[str] = Counter()

    def fresh(self, avoid: Iterable[str], count: int = 1) -> tuple[str, ...]:
        """Names of variables that are not among `avoid` and are no proposition."""
        taken = frozenset(avoid)
        names: list[str] = []
        for name in chain(_VARIABLES, (f"p{number}" for number in counting(1))):
            if len(names) == count:
                break
            if name not in taken and name not in self.propositions:
                names.append(name)
        return tuple(names)

    def define(self, kind: str, params: tuple[str, ...], body: Formula, comment: str = "", name: str = "") -> Call:
        """A relation with this body, applied to its own parameters; the same body has one definition.

        It is called `name` if that is free, else after `base` and its `kind`.
        """
        found = self.known.get((params, body))
        if found is None:
            found = self.name(kind) if not name or name in self.taken else name
            self.taken.add(found)
            self.known[params, body] = found
            self.made.append(Definition(found, params, body, comment))
        return Call(found, tuple(map(var, params)))

    def name(self, kind: str) -> str:
        """A free name for a definition of a kind."""
        stem = f"{self.base}.{kind}"
        while True:
            name = f"{stem}{self.numbers[stem]}"
            self.numbers[stem] += 1
            if name not in self.taken:
                return name

    def named(self, kind: str, phi: Formula) -> Formula:
        """The formula itself if it is short, else a relation over its free variables that says the same."""
        return phi if is_short(phi) else self.define(kind, tuple(sorted(phi.free)), phi)


def is_short(phi: Formula) -> bool:
    """Tell whether a formula is an atom or the negation of one."""
    return isinstance(phi.body if isinstance(phi, Not) else phi, Letter | Call | Compare | Bit)
