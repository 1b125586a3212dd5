"""Reading definitions of a plain shape as forms, without parsing: weighted atoms compared with a bound, AND, OR, NOT of atoms.

This is most of what a family's sentence consists of. A line is read here only if it is wholly of that shape, over the
canonical variables, and uses names defined above with the right kind and number of arguments; all other lines are left to the
parser. Arguments of atoms are read by the parser, once for each spelling.
"""

from __future__ import annotations

import re

from circuits.diagnostics import FomError
from logic.parser import parse_formula
from logic.plain import ATOM, NAME
from logic.proving.forms import Form, Key
from logic.proving.guards import level_name
from logic.proving.statements import Index
from logic.syntax import Call, Letter, SumCall, Term

_LINE = re.compile(rf"(let|sum) ({NAME})(?:\(([A-Za-z0-9_, ]*)\))? := (.*);\n?")
_TERM = re.compile(rf"(( [+-] |-|)(?:([0-9]+)\*)?(?:\[({ATOM})\]|({NAME}\([A-Za-z0-9_, +*-]*\))))")
_CONST = re.compile(r"( [+-] |-|)([0-9]+)")
_BOUND = re.compile(r"(.*) >= (-?[0-9]+)")
_RESERVED = frozenset(["true", "false", "not", "and", "or", "forall", "exists", "let", "sum", "bit", "n", "M"])


class PlainLines:
    """Reads the plain lines of one chunk."""

    def __init__(self, index: Index, chunk: int, letters: tuple[str, ...], propositions: tuple[str, ...]) -> None:
        self.index, self.chunk = index, chunk
        self.letters, self.propositions = frozenset(letters), frozenset(propositions)
        self.atoms: dict[tuple[str, int, bool], Key | None] = {}
        self.arguments: dict[str, tuple[Term, ...] | None] = {}

    def read(self, line: str) -> tuple[str, Form] | None:
        """The name and the form of a plain definition; None: it is left to the parser."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        kind, name, params, body = found[1], found[2], found[3] or "", found[4]
        level = params.count(",") + 1 if params else 0
        scope = ", ".join(level_name(place) for place in range(level))
        clash = not self.propositions.isdisjoint(scope.split(", ")) or name in self.letters or name in self.propositions
        if params != scope or clash or name in _RESERVED:
            return None
        if kind == "sum":
            form = self.sum(body, level)
        elif bound := _BOUND.fullmatch(body):
            form = self.sum(bound[1], level)
            if form is None or not form.terms:
                return None
            form.const -= int(bound[2])
        else:
            form = self.connective(body, level)
        return None if form is None else (name, form)

    def sum(self, body: str, level: int) -> Form | None:
        """The form of weighted atoms and a constant."""
        found = _TERM.findall(body)
        rest = body[sum([len(whole) for whole, *_ in found]) :]
        if "".join([whole for whole, *_ in found]) + rest != body:
            return None
        form = Form()
        terms, atoms = form.terms, self.atoms
        for place, (_, sign, factor, bit, number) in enumerate(found):
            if (sign in (" + ", " - ")) != (place > 0):
                return None
            spelled = (bit or number, level, bool(bit))
            key = atoms[spelled] if spelled in atoms else self.atom(*spelled)
            weight = int(factor) if factor else 1
            if key is None or key in terms or not weight:
                return None
            terms[key] = -weight if "-" in sign else weight
        if rest:
            const = _CONST.fullmatch(rest)
            if const is None or (const[1] in (" + ", " - ")) != bool(found):
                return None
            form.const = -int(const[2]) if "-" in const[1] else int(const[2])
        return form if rest or found else None

    def connective(self, body: str, level: int) -> Form | None:
        """The form of a conjunction or disjunction of atoms, or of one negated."""
        negated = body.startswith("~")
        parts = (body[1:] if negated else body).split(" & " if " & " in body else " | ")
        keys = [self.atom(part, level, True) for part in parts]
        if None in keys or len(set(keys)) != len(keys) or (negated and len(parts) > 1):
            return None
        if negated:
            return Form({keys[0]: -1}, 0, 0)
        return Form(dict.fromkeys(keys, 1), 0, -len(parts) if " & " in body else -1)

    def atom(self, text: str, level: int, is_bit: bool) -> Key | None:
        """The key of an atom in a scope, a bit or a sum; None if it is none that is known."""
        spelled = (text, level, is_bit)
        if spelled not in self.atoms:
            self.atoms[spelled] = self.key(text, level, is_bit)
        return self.atoms[spelled]

    def key(self, text: str, level: int, is_bit: bool) -> Key | None:
        """Read an atom."""
        if re.fullmatch(ATOM, text) is None:
            return None
        name, opened, inside = text.partition("(")
        args = self.terms(inside[:-1]) if opened else ()
        if args is None or name in _RESERVED:
            return None
        if any(variable not in map(level_name, range(level)) for term in args for variable in term.free):
            return None
        if name in self.propositions or name in self.letters:
            ours = self.index.place(name) is None and name not in self.index.others
            if not ours or not is_bit:
                return None
            if name in self.propositions:
                return None if opened or name in self.letters else Call(name, ())
            return Letter(name, args[0]) if len(args) == 1 else None
        if self.index.declared(name, self.chunk) != (not is_bit, len(args)) or (not is_bit and not opened):
            return None
        return Call(name, args) if is_bit else SumCall(name, args)

    def terms(self, text: str) -> tuple[Term, ...] | None:
        """The arguments of an atom."""
        if text not in self.arguments:
            try:
                read = parse_formula(f"arguments[0]({text})") if text else Call("arguments[0]", ())
            except FomError:
                read = None
            if isinstance(read, Letter):
                self.arguments[text] = (read.term,)
            else:
                self.arguments[text] = read.args if isinstance(read, Call) else None
        return self.arguments[text]
