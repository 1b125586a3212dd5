"""Printing: ASCII and Unicode text that parses back to the identical object.

One engine writes every notation: it walks the formula with an explicit stack and puts parentheses where the parser needs
them and nowhere else. A `Notation` holds the spellings; `logic.latex` is one more notation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from logic.syntax import (
    ONE,
    And,
    Bit,
    Call,
    Compare,
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
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
)

RESERVED = frozenset(
    ["true", "false", "not", "and", "or", "forall", "exists", "let", "sum", "letters", "propositions", "bit", "n"]
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+)|\[[0-9]+\])*")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Binding strength of what a place accepts: a quantifier, an implication, ... a comparison. Higher binds tighter.
QUANTIFIED, IFF, IMPLIES, OR, AND, UNARY = range(6)


def plain_name(name: str) -> str:
    """Spell the name of a definition, proposition or variable, which is never quoted."""
    return name


def letter_name(name: str) -> str:
    """Spell a letter: as it is where it is a name and quoted where it is not."""
    if NAME.fullmatch(name) and name not in RESERVED:
        return name
    escaped = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


@dataclass(frozen=True, slots=True)
class Notation:
    """The spellings of one text form; binary operators carry their spaces."""

    true: str
    false: str
    negation: str
    conjunction: str
    disjunction: str
    implication: str
    equivalence: str
    forall: str
    exists: str
    majority: str
    at_least: str
    comparisons: dict[str, str]
    unequal: str
    times: str = "*"
    count: str = "#"
    after_variable: str = ". "
    brackets: tuple[str, str] = ("[", "]")
    parentheses: tuple[str, str] = ("(", ")")
    separator: str = ", "
    such_that: str = " : "
    bit: str = "bit"
    name: Callable[[str], str] = plain_name
    letter: Callable[[str], str] = letter_name
    variable: Callable[[str], str] = plain_name


ASCII = Notation(
    "true", "false", "~", " & ", " | ", " -> ", " <-> ", "forall ", "exists ", "M ", " >= ",
    {"=": " = ", "<": " < ", "<=": " <= "}, " != ",
)  # fmt: skip
UNICODE = Notation(
    "⊤", "⊥", "¬", " ∧ ", " ∨ ", " → ", " ↔ ", "∀", "∃", "M ", " ≥ ",
    {"=": " = ", "<": " < ", "<=": " ≤ "}, " ≠ ",
)  # fmt: skip


def term_text(term: Term, notation: Notation = ASCII) -> str:
    """Spell an index term."""
    summands = [(coef, notation.variable(name)) for name, coef in term.coefs]
    if term.n:
        summands.append((term.n, "n"))
    pieces: list[str] = []
    for coef, name in summands:
        sign = ("-" if coef < 0 else "") if not pieces else " - " if coef < 0 else " + "
        pieces.append(sign + (name if abs(coef) == 1 else f"{abs(coef)}{notation.times}{name}"))
    if not pieces:
        return str(term.const)
    if term.const:
        pieces.append(f" - {-term.const}" if term.const < 0 else f" + {term.const}")
    return "".join(pieces)


def _call(name: str, args: Sequence[Term], notation: Notation, always: bool = False) -> str:
    if not args and not always:
        return name
    opening, closing = notation.parentheses
    return name + opening + notation.separator.join(term_text(arg, notation) for arg in args) + closing


def write(root: Formula | Sum | Item, notation: Notation, limit: int | None = None) -> str:
    """Spell a formula, a counting term or an item; stop with ``...`` after about `limit` pieces."""
    return "".join(spell(root, notation, limit))


def spell(root: Formula | Sum | Item, notation: Notation, limit: int | None = None) -> list[str]:
    """The pieces that `write` puts in a row: atoms, heads of quantifiers, operators and signs, parentheses."""
    out: list[str] = []
    stack: list[str | tuple[Formula | Sum | Item, int]] = [(root, QUANTIFIED)]
    left, right = notation.parentheses
    while stack:
        entry = stack.pop()
        if isinstance(entry, str):
            out.append(entry)
            continue
        if limit is not None and len(out) > limit:
            out.append("...")
            break
        node, place = entry
        strength, pieces = _pieces(node, notation)
        if strength < place:
            pieces = [left, *pieces, right]
        stack.extend(reversed(pieces))
    return out


_Pieces = list[str | tuple[Formula | Sum | Item, int]]


def _pieces(node: Formula | Sum | Item, notation: Notation) -> tuple[int, _Pieces]:
    """Return how tightly `node` binds and its spelling, with the parts still to be spelled."""
    match node:
        case Letter():
            return UNARY, [_call(notation.letter(node.name), (node.term,), notation)]
        case Call():
            return UNARY, [_call(notation.name(node.name), node.args, notation)]
        case SumCall():
            return UNARY, [_call(notation.name(node.name), node.args, notation, always=True)]
        case Compare():
            return UNARY, [_compare(node, notation.comparisons[node.op], notation)]
        case Bit():
            return UNARY, [_call(notation.bit, (node.number, node.index), notation)]
        case Truth():
            return UNARY, [notation.true if node.value else notation.false]
        case Not(body=Compare(op="=") as body):
            return UNARY, [_compare(body, notation.unequal, notation)]
        case Not():
            return UNARY, [notation.negation, (node.body, UNARY)]
        case And(parts=(Linear() as least, Linear() as most)) if opposite(least, most):
            return UNARY, [(least.sum, QUANTIFIED), f"{notation.comparisons['=']}{least.bound}"]
        case And():
            return AND, _joined(node.parts, notation.conjunction, UNARY)
        case Or():
            return OR, _joined(node.parts, notation.disjunction, AND)
        case Implies():
            return IMPLIES, [(node.left, OR), notation.implication, (node.right, IMPLIES)]
        case Iff():
            return IFF, [(node.left, IMPLIES), notation.equivalence, (node.right, IFF)]
        case Forall():
            return _quantifier(node, notation.forall, notation)
        case Exists():
            return _quantifier(node, notation.exists, notation)
        case Majority():
            return _quantifier(node, notation.majority, notation)
        case Linear():
            return UNARY, [(node.sum, QUANTIFIED), f"{notation.at_least}{node.bound}"]
        case Indicator():
            return UNARY, [notation.brackets[0], (node.formula, QUANTIFIED), notation.brackets[1]]
        case Count():
            return UNARY, _count(node, notation)
        case Sum():
            return UNARY, _summands(node, notation)
        case _:
            raise TypeError(f"not a node of a formula: {type(node).__name__}")


def opposite(least: Linear, most: Linear) -> bool:
    """Tell whether two atoms are ``s >= d`` and ``-s >= -d``: what ``s = d`` is read as."""
    one, other = least.sum, most.sum
    if most.bound != -least.bound or (other.length, other.const) != (-one.length, -one.const):
        return False
    return other.items == tuple([(-coef, item) for coef, item in one.items])


def _compare(node: Compare, op: str, notation: Notation) -> str:
    return term_text(node.left, notation) + op + term_text(node.right, notation)


def _quantifier(node: Forall | Exists | Majority, word: str, notation: Notation) -> tuple[int, _Pieces]:
    return QUANTIFIED, [word + notation.variable(node.variable) + notation.after_variable, (node.body, QUANTIFIED)]


def _joined(parts: Sequence[Formula], operator: str, place: int) -> _Pieces:
    pieces: _Pieces = []
    for part in parts:
        pieces += [operator, (part, place)]
    return pieces[1:]


def _count(node: Count, notation: Notation) -> _Pieces:
    opening, closing = notation.brackets
    pieces: _Pieces = [notation.count + notation.variable(node.variable) + opening, (node.condition, QUANTIFIED)]
    if node.weight is not ONE:
        pieces += [notation.such_that, (node.weight, QUANTIFIED)]
    return [*pieces, closing]


def _summands(node: Sum, notation: Notation) -> _Pieces:
    pieces: _Pieces = []
    for coef, item in node.items:
        sign = ("-" if coef < 0 else "") if not pieces else " - " if coef < 0 else " + "
        pieces += [sign if abs(coef) == 1 else f"{sign}{abs(coef)}{notation.times}", (item, UNARY)]
    rest = term_text(Term((), node.length, node.const), notation)
    if not pieces:
        return [rest]
    if rest != "0":
        pieces.append(f" - {rest[1:]}" if rest.startswith("-") else f" + {rest}")
    return pieces


def definition_text(definition: Definition, notation: Notation = ASCII) -> str:
    """Spell one definition on one line, after the lines of its comment."""
    comment = "".join([f"-- {line}\n" if line else "--\n" for line in _lines(definition)])
    keyword = "sum" if isinstance(definition.body, Sum) else "let"
    head = notation.name(definition.name)
    if definition.params or keyword == "sum":
        head += "(" + ", ".join(notation.variable(param) for param in definition.params) + ")"
    return f"{comment}{keyword} {head} := {write(definition.body, notation)};"


def _lines(definition: Definition) -> list[str]:
    return definition.comment.split("\n") if definition.comment else []


def _sentence(sentence: Sentence, notation: Notation) -> str:
    lines = []
    if sentence.letters:
        lines.append("letters " + ", ".join(map(notation.letter, sentence.letters)) + ";")
    if sentence.propositions:
        lines.append("propositions " + ", ".join(sentence.propositions) + ";")
    lines += [definition_text(definition, notation) for definition in sentence.definitions]
    lines.append(write(sentence.formula, notation))
    return "\n".join(lines) + ("\n" if len(lines) > 1 else "")


def to_text(thing: Sentence | Formula | Sum | Item | Term, notation: Notation) -> str:
    """Spell anything of the syntax in a notation."""
    match thing:
        case Sentence():
            return _sentence(thing, notation)
        case Term():
            return term_text(thing, notation)
        case Formula() | Sum() | Item():
            return write(thing, notation)
        case _:
            assert_never(thing)


def to_ascii(thing: Sentence | Formula | Sum | Item | Term) -> str:
    """Spell in ASCII: ``forall x. a(x) -> exists y. x < y & b(y)``."""
    return to_text(thing, ASCII)


def to_unicode(thing: Sentence | Formula | Sum | Item | Term) -> str:
    """Spell in Unicode: ``∀x. a(x) → ∃y. x < y ∧ b(y)``."""
    return to_text(thing, UNICODE)


def shortened(node: Formula | Sum | Item, limit: int = 60) -> str:
    """Spell in ASCII what fits in about `limit` pieces, for messages and `repr`."""
    return write(node, ASCII, limit)
