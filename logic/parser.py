"""Parsing: the text form of docs/format.md, ASCII or Unicode, straight into interned formulas.

`logic.lalr` drives the tables of `grammar.lark`; the methods of `_Build` are the meanings of its rules. `logic.plain` reads
statements of the usual shape faster, to the same nodes; a text with an error is read by the rules alone. Names are resolved
while parsing, because a definition stands above its uses: ``p(x)`` is a sum if p was defined with ``sum``, a relation if
it was defined with ``let``, and otherwise a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from circuits.diagnostics import FomError, fail
from logic import lalr
from logic.check import check as check_sentence
from logic.collecting import uncollected
from logic.lalr import Rejected
from logic.locating import Locator
from logic.places import point_at, unexpected
from logic.plain import PlainStatements
from logic.sums import Mixed, Product, as_sum, compare, multiply, subtract, to_mixed, to_term
from logic.syntax import (
    FALSE,
    ONE,
    TRUE,
    And,
    Bit,
    Call,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
    Letter,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
)

_BINDERS: dict[str, Callable[[str, Formula], Formula]] = {
    "forall": Forall, "exists": Exists, "M": Majority, "∀": Forall, "∃": Exists,
}  # fmt: skip


def parse(text: str, name: str = "", check: bool = True) -> Sentence:
    """Read a sentence with its definitions; `name` is the file's name in messages.

    Raises `FomError`: one diagnostic for a syntax error, or all of `Sentence.check`.
    """
    sentence = _run(text, name)
    if check:
        check_sentence(sentence, name, Locator(text, name))
    return sentence


def parse_formula(text: str, sentence: Sentence | None = None) -> Formula:
    """Read one formula; names are resolved as in the last line of `sentence`, if it is given, and not checked."""
    parsed = _run(text, "", sentence)
    if parsed.definitions:
        raise fail("L002", "a formula was expected, found a sentence with definitions", help="use parse")
    return parsed.formula


def parse_definitions(text: str, known: Sentence, name: str = "") -> Sentence:
    """Read definitions, and the formula after them, with the definitions of `known` above; nothing is checked.

    The result has the header of `known`, its definitions and those of the text, and the formula.
    """
    parsed = _run(text, name, known)
    return Sentence(known.letters, known.propositions, (*known.definitions, *parsed.definitions), parsed.formula)


@uncollected()
def _run(text: str, name: str, known: Sentence | None = None) -> Sentence:
    """Parse below a known sentence: plain statements at once, or, if anything is wrong, all by the rules."""
    build = _Build(text, known)
    try:
        return build.run(build.skip)
    except (lalr.Unexpected, Rejected, FomError):
        return _run_rules(text, name, known)


def _run_rules(text: str, name: str, known: Sentence | None) -> Sentence:
    """Parse by the rules alone."""
    try:
        return _Build(text, known).run({})
    except lalr.Unexpected as error:
        raise unexpected(text, name, error) from None
    except Rejected as error:
        raise fail(error.code, error.message, where=point_at(text, name, error.offset), help=error.help) from None
    except FomError as error:
        if len(error.diagnostics) == 1 and not error.diagnostics[0].where:
            one = error.diagnostics[0]
            raise fail(one.code, one.message, where=name, note=one.note, help=one.help) from None
        raise


def _read_apart(text: str) -> Formula | None:
    """The formula that a text is where nothing is defined; None if it is none."""
    try:
        parsed = _Build(text, None).run({})
    except (lalr.Unexpected, Rejected, FomError):
        return None
    return None if parsed.definitions else parsed.formula


class _Parts:
    """A conjunction or disjunction still growing: ``phi & psi`` followed, perhaps, by another ``&``."""

    __slots__ = ("kind", "parts")

    def __init__(self, kind: type[And] | type[Or], parts: list[Formula]) -> None:
        self.kind, self.parts = kind, parts


Value = Any
"""What rules are worth: int, str (a bare name), Formula, Item, `Product`, `Mixed`, or `_Parts`."""


@contextmanager
def _blaming(part: int) -> Iterator[None]:
    """Let a rejection point at one of the values of a rule."""
    try:
        yield
    except Rejected as rejected:
        rejected.part = part
        raise


def _formula_at(v: list[Value], part: int) -> Formula:
    """The formula that one of the values of a rule is; a rejection points at it."""
    value = v[part]
    if isinstance(value, Formula):
        return value
    with _blaming(part):
        return formula(value)


def formula(value: Value) -> Formula:
    """Turn the value of a rule into a formula."""
    if isinstance(value, Formula):
        return value
    if isinstance(value, _Parts):
        return value.kind(tuple(value.parts))
    if isinstance(value, str) and value != "n":
        return Call(value)
    what = "an index term" if isinstance(value, int | str) else "a sum"
    raise Rejected(f"{what} stands where a formula is expected", "compare it with something: `... >= 1`")


class _Build:
    """The meanings of the rules of `grammar.lark`, for one text below a known sentence."""

    def __init__(self, text: str, known: Sentence | None) -> None:
        self.text = text
        self.known = known
        self.is_sum: dict[str, bool] = {}
        self.letters: tuple[str, ...] | None = None
        self.propositions: dict[str, None] = {}
        if known is not None:
            self.is_sum = {one.name: isinstance(one.body, Sum) for one in known.definitions}
            self.propositions = dict.fromkeys(known.propositions)
        self.has_header = known is not None
        self.plain = PlainStatements(text, self.is_sum, _read_apart)
        self.seen_letters: set[str] = set()
        self.terms: dict[Any, Term] = {}
        self.comments: list[tuple[str, int, int]] = []
        self.definitions: list[Definition] = []
        rules = (
            "start headers letters propositions first more let let_sum definitions params iff_ implies_ or_ and_ not_ "
            "quantified compare add subtract multiply negate call_none call letter group indicator count weighted"
        )
        self.actions: dict[str, Callable[[list[Value]], Value]] = {
            rule: getattr(self, "rule_" + rule.rstrip("_")) for rule in rules.split()
        }
        self.on_shift: dict[str, Callable[[str, int], Value]] = {
            "INTEGER": self.integer,
            "TRUE": lambda _, __: TRUE,
            "FALSE": lambda _, __: FALSE,
            "COMMENT": self.comment,
            "LET": self.comment_before,
            "SUM": self.comment_before,
        }
        self.skip: dict[str, Callable[[int], int]] = {"LET": self.plain_from, "SUM": self.plain_from}

    def run(self, skip: Mapping[str, Callable[[int], int]]) -> Sentence:
        """Parse the text."""
        result: Sentence = lalr.run(lalr.tables(), self.text, self.actions, self.on_shift, skip)
        return result

    def plain_from(self, offset: int) -> int:
        """Define what the plain statements from an offset on say; where they end."""
        if not self.definitions:
            known = self.letters if self.letters is not None else self.known.letters if self.known else ()
            self.plain.letters = frozenset(known) - self.propositions.keys()
        comment = ""
        while (found := self.plain.statement(offset)) is not None:
            if self.comments:
                comment = self.comment_before("", offset)
            offset, name, params, body = found
            self.define(name, params, body, comment)
            comment = ""
        return offset

    # Terminals.

    @staticmethod
    def integer(value: str, _: int) -> int:
        if len(value) > 4000:
            raise fail("L002", f"an integer has {len(value)} digits, the limit is 4000")
        return int(value)

    def comment(self, value: str, offset: int) -> None:
        self.comments.append((value[3:] if value[2:3] == " " else value[2:], offset, offset + len(value)))

    def comment_before(self, _: str, offset: int) -> str:
        """Return the comment whose lines stand directly above `offset`."""
        lines: list[str] = []
        while self.comments:
            line, start, end = self.comments.pop()
            between = self.text[end:offset]
            before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
            if between.strip() or between.count("\n") != 1 or before.strip():
                break
            lines.append(line)
            offset = start
        self.comments.clear()
        return "\n".join(reversed(lines))

    # Files.

    def rule_start(self, v: list[Value]) -> Sentence:
        last = _formula_at(v, 2)
        letters = self.letters
        if letters is None:
            letters = () if self.has_header else tuple(sorted(self.seen_letters))
        propositions = tuple(self.propositions) if self.has_header else self.undeclared(last)
        return Sentence(letters, propositions, tuple(self.definitions), last)

    def undeclared(self, last: Formula) -> tuple[str, ...]:
        """Collect the bare names that are not defined: without a header these are the propositions."""
        from logic.walk import Part, postorder

        seen: set[Part] = set()
        found: set[str] = set()
        for root in [*(definition.body for definition in self.definitions), last]:
            for node in postorder(root, seen):
                if isinstance(node, Call) and not node.args and node.name not in self.is_sum:
                    found.add(node.name)
        return tuple(sorted(found))

    def rule_headers(self, v: list[Value]) -> None:
        self.has_header = self.has_header or bool(v)

    def rule_letters(self, v: list[Value]) -> None:
        self.letters = (self.letters or ()) + tuple(map(_unquoted, v[1]))

    def rule_propositions(self, v: list[Value]) -> None:
        self.propositions.update(dict.fromkeys(v[1]))

    def rule_first(self, v: list[Value]) -> list[Value]:
        return v

    def rule_more(self, v: list[Value]) -> list[Value]:
        v[0].append(v[2])
        result: list[Value] = v[0]
        return result

    def rule_params(self, v: list[Value]) -> tuple[str, ...]:
        return tuple(v[1]) if len(v) == 3 else ()

    def rule_definitions(self, v: list[Value]) -> None:
        return None

    def rule_let(self, v: list[Value]) -> None:
        self.define(v[1], _params(v), _formula_at(v, len(v) - 2), v[0])

    def rule_let_sum(self, v: list[Value]) -> None:
        with _blaming(len(v) - 2):
            body = as_sum(to_mixed(v[-2]))
        self.define(v[1], _params(v), body, v[0])

    def define(self, name: str, params: tuple[str, ...], body: Formula | Sum, comment: str) -> None:
        self.definitions.append(Definition(name, params, body, comment))
        self.plain.define(name, isinstance(body, Sum))

    # Formulas.

    def rule_iff(self, v: list[Value]) -> Formula:
        return Iff(_formula_at(v, 0), _formula_at(v, 2))

    def rule_implies(self, v: list[Value]) -> Formula:
        return Implies(_formula_at(v, 0), _formula_at(v, 2))

    def rule_or(self, v: list[Value]) -> _Parts:
        return _joined(Or, v)

    def rule_and(self, v: list[Value]) -> _Parts:
        return _joined(And, v)

    def rule_not(self, v: list[Value]) -> Formula:
        return Not(_formula_at(v, 1))

    def rule_quantified(self, v: list[Value]) -> Formula:
        head: str = v[0][:-1]
        first = head[0] if head[0] in "∀∃" else head.split(None, 1)[0]
        result = _formula_at(v, 1)
        for variable in reversed(head[len(first) :].split(",")):
            result = _BINDERS[first](variable.strip(), result)
        return result

    def rule_compare(self, v: list[Value]) -> Formula:
        for part in (0, 2):
            with _blaming(part):
                to_mixed(v[part])
        return compare(v[0], v[1], v[2])

    def rule_group(self, v: list[Value]) -> Value:
        return formula(v[1]) if isinstance(v[1], _Parts) else v[1]

    def rule_letter(self, v: list[Value]) -> Formula:
        name = _unquoted(v[0])
        self.seen_letters.add(name)
        with _blaming(2):
            return Letter(name, self.term(v[2]))

    def rule_call(self, v: list[Value]) -> Formula | SumCall:
        name: str = v[0]
        with _blaming(2):
            args = tuple(map(self.term, v[2]))
        is_sum = self.is_sum.get(name)
        if is_sum is None:
            if name == "bit":
                if len(args) != 2:
                    raise Rejected(
                        f"`bit` takes a number and the index of a bit, found {len(args)} argument{'s' * (len(args) != 1)}",
                        code="L011",
                    )
                return Bit(*args)
            if len(args) == 1 and name not in self.propositions:
                self.seen_letters.add(name)
                return Letter(name, args[0])
        return SumCall(name, args) if is_sum else Call(name, args)

    def rule_call_none(self, v: list[Value]) -> Formula | SumCall:
        return SumCall(v[0]) if self.is_sum.get(v[0]) else Call(v[0])

    def term(self, value: Value) -> Term:
        if isinstance(value, int | str):
            known = self.terms.get(value)
            if known is None:
                known = self.terms[value] = to_term(value)
            return known
        return to_term(value)

    # Sums.

    def rule_add(self, v: list[Value]) -> Mixed:
        total = to_mixed(v[0])
        with _blaming(2):
            total.add(v[2], 1)
        return total

    def rule_subtract(self, v: list[Value]) -> Mixed:
        total = to_mixed(v[0])
        with _blaming(2):
            return subtract(total, v[2])

    def rule_multiply(self, v: list[Value]) -> int | Product | Mixed:
        with _blaming(2 if isinstance(v[0], int) else 0):
            return multiply(v[0], v[2])

    def rule_negate(self, v: list[Value]) -> int | Product | Mixed:
        return multiply(-1, v[1])

    def rule_indicator(self, v: list[Value]) -> Item:
        return Indicator(_formula_at(v, 1))

    def rule_count(self, v: list[Value]) -> Item:
        return _nested_counts(v[0], _formula_at(v, 1), ONE)

    def rule_weighted(self, v: list[Value]) -> Item:
        condition = _formula_at(v, 1)
        with _blaming(3):
            weight = as_sum(to_mixed(v[3]))
        return _nested_counts(v[0], condition, weight)


def _params(v: list[Value]) -> tuple[str, ...]:
    return v[2] if isinstance(v[2], tuple) else ()


def _joined(kind: type[And] | type[Or], v: list[Value]) -> _Parts:
    left = v[0]
    if isinstance(left, _Parts) and left.kind is kind:
        left.parts.append(_formula_at(v, 2))
        return left
    return _Parts(kind, [_formula_at(v, 0), _formula_at(v, 2)])


def _nested_counts(head: str, condition: Formula, weight: Sum) -> Count:
    """Build ``#x,y[phi : s]``: the innermost count has the condition and the weight, the outer ones sum it up."""
    *outer, last = [variable.strip() for variable in head[1:-1].split(",")]
    result = Count(last, condition, weight)
    for variable in reversed(outer):
        result = Count(variable, TRUE, Sum(((1, result),)))
    return result


def _unquoted(name: str) -> str:
    if not name.startswith("'"):
        return name
    out, escaped = [], False
    for char in name[1:-1]:
        if escaped:
            out.append("\n" if char == "n" else char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    return "".join(out)
