"""Reading plain statements without tables: most lines of an emitted sentence, by regular expressions straight into nodes.

A plain statement fills one line and is spelled as the printer spells it: ``let p(x) := BODY;`` or ``sum s(x) := BODY;``, the
body a sum of weighted items with n and a constant, such a sum with ``>= INTEGER``, or atoms joined by ``&`` or by ``|``, or one
of them negated. An item is ``[ATOM]``, a call of a defined sum, or ``#y[...]`` over atoms and comparisons joined by ``&``. An
atom calls a definition above or a declared letter, or is a bare name.

The nodes are those that the rules of `logic.parser` build. Whatever is not of this shape, or might be an error, is left to them:
arguments and comparisons, once for each spelling, and whole statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from logic.printer import RESERVED
from logic.syntax import ONE, And, Call, Count, Formula, Indicator, Item, Letter, Linear, Not, Or, Sum, SumCall, Term

LONGEST = 1 << 20

_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
NAME = rf"{_WORD}(?:\.(?:{_WORD}|[0-9]+)|\[[0-9]+\])*"
_PLACES = r"\([A-Za-z0-9_, +*-]*\)"
ATOM = rf"{NAME}(?:{_PLACES})?"
_NUMBER = r"[0-9]{1,300}"
_SIGN = r" [+-] |-|"
_SIDE = r"[A-Za-z0-9_ +*-]+"
_PART = rf"(?:{ATOM}|{_SIDE}(?:[<=>]|<=|>=|!=) {_SIDE})"
_HEAD = re.compile(rf"(let|sum) ({NAME})(?:\(((?:{_WORD}(?:, {_WORD})*)?)\))? := ")
_ITEM = rf"\[{ATOM}\]|{NAME}{_PLACES}|#{_WORD}\[{_PART}(?: & {_PART})*\]"
_TERM = re.compile(rf"(({_SIGN})(?:({_NUMBER})\*)?({_ITEM}))")
_REST = re.compile(rf"(?:({_SIGN})(?:({_NUMBER})\*)?(n))?(?:({_SIGN})({_NUMBER}))?")
_ATOM = re.compile(rf"({NAME})(?:\(([A-Za-z0-9_, +*-]*)\))?")
_BOUND = re.compile(rf"-?{_NUMBER}")
_WORDS = RESERVED | {"M"}
_OPERATORS = _WORDS - {"n"}

Read = Callable[[str], Formula | None]


class PlainStatements:
    """Reads the plain statements of one text.

    Attributes:
        is_sum: what is defined above, and whether as a sum.
        letters: the declared letters, as far as they are no propositions.
    """

    def __init__(self, text: str, is_sum: dict[str, bool], read: Read) -> None:
        """Start with a text; `read` parses a formula of comparisons or with names that mean nothing, None for an error."""
        self.text, self.is_sum, self.read = text, is_sum, read
        self.letters: frozenset[str] = frozenset()
        self.loose: set[str] = set()
        self.items: dict[str, Item | None] = {}
        self.atoms: dict[str, Formula | SumCall | None] = {}
        self.arguments: dict[str, tuple[Term, ...] | None] = {}
        self.comparisons: dict[str, Formula | None] = {}
        self.scopes: dict[str | None, tuple[str, ...] | None] = {None: ()}

    def define(self, name: str, is_sum: bool) -> None:
        """Let a name be a relation or a sum from here on; atoms that would mean something else are read again."""
        if name in self.is_sum or name in self.loose:
            self.items.clear()
            self.atoms.clear()
            self.loose.clear()
        self.is_sum[name] = is_sum

    def statement(self, at: int) -> tuple[int, str, tuple[str, ...], Formula | Sum] | None:
        """Read the statement at an offset: where the next line starts, name, parameters and body; None if it is not plain."""
        head = _HEAD.match(self.text, at)
        if head is None:
            return None
        start = head.end()
        end = self.text.find("\n", start, start + LONGEST) - 1
        if end < start or self.text[end] != ";":
            return None
        kind, name, scope = head.groups()
        params = self.scopes[scope] if scope in self.scopes else self.scope(scope)
        body = self.text[start:end]
        if params is None or name in _WORDS or "--" in body:
            return None
        made: Formula | Sum | None
        if kind == "let":
            made = self.formula(body)
        else:
            made = None if scope is None else self.sum(body)
        return None if made is None else (end + 2, name, params, made)

    def scope(self, text: str) -> tuple[str, ...] | None:
        """Parameters; None if one of them is a word of the language."""
        params = tuple(text.split(", ")) if text else ()
        found = self.scopes[text] = None if _WORDS.intersection(params) else params
        return found

    def formula(self, body: str) -> Formula | None:
        """The formula that a plain body is."""
        left, compared, bound = body.rpartition(" >= ")
        if compared:
            item = self.items.get(left)
            total = Sum(((1, item),), 0, 0) if item is not None else self.sum(left)
            if not _BOUND.fullmatch(bound):
                return None
            return Linear(total, int(bound)) if total is not None and total.items else None
        if body.startswith("~"):
            negated = self.relation(body[1:])
            return None if negated is None else Not(negated)
        return self.joined(body, self.relation)

    def joined(self, body: str, one: Read) -> Formula | None:
        """A conjunction, a disjunction, or a single part."""
        kind, link = (And, " & ") if " & " in body else (Or, " | ")
        spelled = body.split(link)
        if len(spelled) == 1:
            return one(body)
        parts: list[Formula] = []
        for text in spelled:
            part = one(text)
            if part is None:
                return None
            parts.append(part)
        return kind(tuple(parts))

    def sum(self, body: str) -> Sum | None:
        """The counting term that a plain body is."""
        found = _TERM.findall(body)
        wholes = "".join([whole for whole, *_ in found])
        rest = _REST.fullmatch(body, len(wholes)) if body.startswith(wholes) else None
        if rest is None or not body:
            return None
        items: list[tuple[int, Item]] = []
        known = self.items
        for _, sign, factor, text in found:
            item = known[text] if text in known else self.item(text)
            if item is None or (len(sign) == 3) != bool(items):
                return None
            coef = int(factor) if factor else 1
            items.append((-coef if "-" in sign else coef, item))
        sign, factor, length, last, const = rest.groups()
        if length and (len(sign) == 3) != bool(items):
            return None
        if const and (len(last) == 3) != bool(items or length):
            return None
        n = (int(factor) if factor else 1) * (-1 if "-" in sign else 1) if length else 0
        return Sum(tuple(items), n, (-int(const) if "-" in last else int(const)) if const else 0)

    def item(self, text: str) -> Item | None:
        """What a sum adds up."""
        made: Item | None = None
        if text.startswith("["):
            relation = self.relation(text[1:-1])
            made = None if relation is None else Indicator(relation)
        elif text.startswith("#"):
            variable, _, body = text[1:-1].partition("[")
            condition = self.joined(body, self.condition)
            made = None if condition is None else Count(variable, condition, ONE)
        else:
            called = self.atom(text)
            made = called if isinstance(called, SumCall) else None
        self.items[text] = made
        return made

    def condition(self, text: str) -> Formula | None:
        """A relation or a comparison of index terms."""
        if " " not in text or _ATOM.fullmatch(text):
            return self.relation(text)
        if text not in self.comparisons:
            self.comparisons[text] = None if _OPERATORS.intersection(text.split()) else self.read(text)
        return self.comparisons[text]

    def relation(self, text: str) -> Formula | None:
        """An atom that is true or false."""
        made = self.atoms[text] if text in self.atoms else self.atom(text)
        return made if isinstance(made, Formula) else None

    def atom(self, text: str) -> Formula | SumCall | None:
        """A call of something defined above, a declared letter, or a bare name."""
        found = _ATOM.fullmatch(text)
        made: Formula | SumCall | None = None
        if found is not None and found[1] not in _WORDS:
            name, places = found.groups()
            args = () if not places else self.arguments[places] if places in self.arguments else self.terms(places)
            is_sum = self.is_sum.get(name)
            if is_sum is None:
                self.loose.add(name)
            if args is None:
                made = None
            elif is_sum is not None:
                made = SumCall(name, args) if is_sum and places is not None else Call(name, args)
            elif not args:
                made = Call(name, ())
            elif len(args) == 1 and name in self.letters:
                made = Letter(name, args[0])
        self.atoms[text] = made
        return made

    def terms(self, places: str) -> tuple[Term, ...] | None:
        """The arguments of an atom."""
        read = self.read(f"places[0]({places})")
        if isinstance(read, Letter):
            found: tuple[Term, ...] | None = (read.term,)
        else:
            found = read.args if isinstance(read, Call) and read.args else None
        self.arguments[places] = found
        return found
