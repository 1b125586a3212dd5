"""Places in the text of a sentence: where what is wrong with it stands, found again among the tokens.

Formulas are shared and do not know where they were written. A finding of `logic.check` says what it is about, and this module
looks for that in the header, the definition or the formula it is in. The scope of a quantifier ends where the bracket around it
does, at the colon of a count, or at the end of the definition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from logic import lalr
from logic.places import point_at
from logic.printer import letter_name

HEADER = -1
"""The number of the header among the sections: definitions count from 0, and the formula is behind the last."""

_VARIABLE = re.compile(r"\w+")


class About(Enum):
    """What a finding is about: a name in its role."""

    DECLARED = "the last time it is declared in the header"
    DEFINED = "the name of the definition itself"
    PARAMETER = "the last parameter of that name"
    FREE = "a variable where nothing binds it"
    BINDER = "the quantifier or count that binds it"
    CALL = "a letter, relation or sum that is read"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about, and in which section; `arity` is the number of arguments of a call."""

    section: int
    about: About
    name: str
    arity: int = 0


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    def is_name(self, name: str) -> bool:
        """Tell whether this is a name, quoted or not."""
        return self.kind in ("NAME", "QUOTED") and self.text in (name, letter_name(name), f"'{name}'")


class Locator:
    """Finds the places of subjects in one text, which was parsed from a file of some name."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name

    @cached_property
    def sections(self) -> dict[int, list[_Token]]:
        """The tokens of each section; read when the first place is asked for."""
        sections: dict[int, list[_Token]] = {}
        section, number, begun = HEADER, 0, False
        for match in lalr.tables().scanner.finditer(self.text):
            kind, group = match.lastgroup or "", match.lastindex or 0
            if kind in ("SPACE", "COMMENT"):
                continue
            if not begun:
                section = HEADER if kind in ("LETTERS", "PROPOSITIONS") else number
                number += kind in ("LET", "SUM")
            sections.setdefault(section, []).append(_Token(kind, match[group], match.start(group)))
            begun = kind != "SEMICOLON"
        return sections

    def place(self, subject: Subject, inside: str) -> str:
        """The line, column and caret of a subject, or where it is in words if it does not stand in the text by itself."""
        offset = self.offset(subject)
        if offset is None:
            return f"{self.name}: {inside}" if self.name else inside
        first, _, rest = point_at(self.text, self.name, offset).partition("\n")
        return f"{first}, {inside}\n{rest}"

    def offset(self, subject: Subject) -> int | None:
        """Where a subject begins."""
        tokens = self.sections.get(subject.section, [])
        match subject.about:
            case About.DECLARED:
                found = [token.offset for token in tokens if token.is_name(subject.name)][-1:]
            case About.DEFINED:
                found = [token.offset for token in tokens[1:2]]
            case About.PARAMETER:
                end = next((k for k, token in enumerate(tokens) if token.text == ":="), len(tokens))
                found = [token.offset for token in tokens[2:end] if token.is_name(subject.name)][-1:]
            case About.BINDER:
                found = [offset for token in tokens for name, offset in bound_by(token) if name == subject.name]
            case About.FREE:
                found = [token.offset for token in unbound(body_of(tokens), subject.name)]
            case About.CALL:
                body = body_of(tokens)
                calls = [k for k, token in enumerate(body) if token.is_name(subject.name)]
                exact = [k for k in calls if arity(body, k) == subject.arity]
                found = [body[k].offset for k in exact or calls]
        return found[0] if found else None


def body_of(tokens: list[_Token]) -> list[_Token]:
    """The tokens of a definition behind its head, or all of a formula."""
    start = next((k + 1 for k, token in enumerate(tokens) if token.text == ":="), 0)
    return tokens[start:]


def bound_by(token: _Token) -> list[tuple[str, int]]:
    """The variables that a quantifier or a count binds, with their offsets."""
    if token.kind == "COUNT":
        words = list(_VARIABLE.finditer(token.text))
    elif token.kind == "QUANTIFIER":
        words = list(_VARIABLE.finditer(token.text))[0 if token.text[0] in "∀∃" else 1 :]
    else:
        return []
    return [(word[0], token.offset + word.start()) for word in words]


def unbound(tokens: list[_Token], name: str) -> list[_Token]:
    """The tokens of a body that are a variable of this name and not in the scope of a quantifier or count for it."""
    found = []
    scopes = [(False, False)]  # whether the variable is bound where a bracket opens, and now
    for token in tokens:
        before, bound = scopes[-1]
        binds = any(one == name for one, _ in bound_by(token))
        if token.kind in ("LPAR", "LSQB", "COUNT"):
            scopes.append((bound or binds, bound or binds))
        elif token.kind in ("RPAR", "RSQB"):
            scopes.pop()
        elif token.kind == "QUANTIFIER":
            scopes[-1] = (before, bound or binds)
        elif token.kind == "COLON":
            scopes[-1] = (before, before)
        elif token.is_name(name) and not bound:
            found.append(token)
    return found


def arity(tokens: list[_Token], place: int) -> int:
    """The number of arguments behind a name."""
    if place + 1 == len(tokens) or tokens[place + 1].kind != "LPAR":
        return 0
    depth, commas = 0, 0
    for number, token in enumerate(tokens[place + 1 :]):
        depth += (token.kind in ("LPAR", "LSQB", "COUNT")) - (token.kind in ("RPAR", "RSQB"))
        commas += token.kind == "COMMA" and depth == 1
        if not depth:
            return commas + 1 if number > 1 else 0
    return 0
