"""Checking a sentence: every error of names, arities, kinds, order and variables, all reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from circuits.diagnostics import Diagnostic, FomError
from logic.locating import HEADER, About, Locator, Subject
from logic.printer import IDENTIFIER, NAME, RESERVED
from logic.syntax import Call, Count, Definition, Exists, Forall, Letter, Majority, Sentence, Sum, SumCall
from logic.walk import Part, postorder

_CHECKED = frozenset([Letter, Call, SumCall, Forall, Exists, Majority, Count])
_KINDS = {True: "sum", False: "relation"}


def check(sentence: Sentence, where: str = "", locator: Locator | None = None) -> None:
    """Raise `FomError` with a diagnostic for each thing that is wrong with `sentence`.

    Args:
        where: the file's name in messages.
        locator: of the text that the sentence was read from, if there is one: then messages have lines and columns.

    Each shared node is visited once, in the first definition that uses it: the earlier the place, the fewer the
    definitions it may use, so no error can hide behind sharing. Time is linear in the number of shared nodes.
    """
    found = [one.diagnostic(sentence, where, locator) for one in _Check(sentence).run()]
    if found:
        raise FomError(*found)


@dataclass(frozen=True, slots=True)
class _Finding:
    """Something wrong, before it is said where."""

    code: str
    message: str
    subject: Subject
    note: str = ""
    help: str = ""

    def diagnostic(self, sentence: Sentence, file: str, locator: Locator | None) -> Diagnostic:
        """Say where it is."""
        section = self.subject.section
        if section == HEADER:
            inside = "the header"
        elif section == len(sentence.definitions):
            inside = "the final formula"
        else:
            inside = f"definition `{sentence.definitions[section].name}`"
        if locator is not None:
            where = locator.place(self.subject, inside)
        else:
            where = f"{file}: {inside}" if file else inside
        return Diagnostic(self.code, self.message, where, self.note, self.help)


class _Check:
    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        self.letters = set(sentence.letters)
        self.propositions = set(sentence.propositions)
        self.order: dict[str, int] = {}
        for number, definition in enumerate(sentence.definitions):
            self.order.setdefault(definition.name, number)

    def run(self) -> Iterator[_Finding]:
        sentence = self.sentence
        yield from self.names()
        seen: set[Part] = set()
        for number, definition in enumerate(sentence.definitions):
            yield from self.parameters(definition, number)
            for name in sorted(definition.body.free - set(definition.params)):
                yield _Finding("L014", f"the variable `{name}` is not bound", Subject(number, About.FREE, name),
                               help="quantify it, count it, or make it a parameter")  # fmt: skip
            yield from self.nodes(definition.body, number, seen)
        last = len(sentence.definitions)
        if len(sentence.free) > 1:
            names = ", ".join(f"`{name}`" for name in sentence.free)
            yield _Finding("L014", f"{len(sentence.free)} variables are not bound: {names}",
                           Subject(last, About.FREE, sentence.free[1]),
                           "a sentence has no free variable, or one if it decides something at each position")  # fmt: skip
        yield from self.nodes(sentence.formula, last, seen)

    def names(self) -> Iterator[_Finding]:
        sentence = self.sentence
        for what, names in (("letter", sentence.letters), ("proposition", sentence.propositions)):
            for name in _repeated(names):
                yield _Finding("L015", f"the {what} `{name}` is declared twice", Subject(HEADER, About.DECLARED, name))
        for name in sentence.propositions:
            declared = Subject(HEADER, About.DECLARED, name)
            yield from self.name(name, declared)
            if name in self.letters:
                yield _Finding("L015", f"`{name}` is a letter and a proposition", declared, help="rename one of them")
        for number, definition in enumerate(sentence.definitions):
            name = definition.name
            defined = Subject(number, About.DEFINED, name)
            yield from self.name(name, defined)
            if self.order[name] != number:
                yield _Finding("L015", f"`{name}` is defined twice", defined, help="rename one of them")
            elif name in self.letters | self.propositions:
                what = "letter" if name in self.letters else "proposition"
                yield _Finding("L015", f"`{name}` is a definition and a {what}", defined, help="rename one of them")

    @staticmethod
    def name(name: str, subject: Subject) -> Iterator[_Finding]:
        if not NAME.fullmatch(name):
            yield _Finding("L017", f"`{name}` is not a name", subject,
                           "a name is an identifier followed by any of .identifier .digits [digits]")  # fmt: skip
        elif name in RESERVED:
            yield _Finding("L017", f"`{name}` is a word of the language and cannot be a name", subject)

    @staticmethod
    def parameters(definition: Definition, number: int) -> Iterator[_Finding]:
        for name in _repeated(definition.params):
            yield _Finding("L015", f"the parameter `{name}` occurs twice", Subject(number, About.PARAMETER, name))
        for name in definition.params:
            yield from _variable(name, Subject(number, About.PARAMETER, name))

    def nodes(self, root: Part, number: int, seen: set[Part]) -> Iterator[_Finding]:
        """Check the nodes below `root` not in `seen`; definitions from `number` on may not be used there."""
        for node in postorder(root, seen):
            if type(node) not in _CHECKED:
                continue
            match node:
                case Letter():
                    if node.name not in self.letters:
                        yield self.unknown_letter(node, number)
                case Call():
                    yield from self.call(node, number)
                case SumCall():
                    yield from self.use(node, number, is_sum=True)
                case Forall() | Exists() | Majority() | Count():
                    bound = Subject(number, About.BINDER, node.variable)
                    yield from _variable(node.variable, bound)
                    if node.variable in self.propositions:
                        yield _Finding("L015", f"`{node.variable}` is a variable and a proposition", bound,
                                       help="rename one of them")  # fmt: skip

    def unknown_letter(self, node: Letter, number: int) -> _Finding:
        called = Subject(number, About.CALL, node.name, 1)
        if node.name in self.order:
            return self.too_early(node.name, called)
        candidates = [*self.sentence.letters, *self.order]
        known = ", ".join(self.sentence.letters[:12]) + (", ..." if len(self.letters) > 12 else "")
        return _Finding("L016", f"`{node.name}` is neither a letter nor a definition", called,
                        f"the letters are {known}" if known else "the alphabet has no letters",
                        _did_you_mean(node.name, candidates))  # fmt: skip

    def call(self, node: Call, number: int) -> Iterator[_Finding]:
        if node.name in self.propositions:
            if node.args:
                yield _Finding("L011", f"the proposition `{node.name}` takes no arguments, found {len(node.args)}",
                               Subject(number, About.CALL, node.name, len(node.args)))  # fmt: skip
        else:
            yield from self.use(node, number, is_sum=False)

    def use(self, node: Call | SumCall, number: int, is_sum: bool) -> Iterator[_Finding]:
        index = self.order.get(node.name)
        called = Subject(number, About.CALL, node.name, len(node.args))
        if index is None:
            what = "sum" if is_sum else "relation" if node.args else "relation or proposition"
            yield _Finding("L010", f"the {what} `{node.name}` is not defined", called,
                           help=_did_you_mean(node.name, [*self.order, *self.sentence.propositions]))  # fmt: skip
            return
        if index >= number:
            yield self.too_early(node.name, called)
        definition = self.sentence.definitions[index]
        defined_as_sum = isinstance(definition.body, Sum)
        if defined_as_sum != is_sum:
            help = f"write [{node.name}(...)] for its 0 or 1" if is_sum else f"compare it: {node.name}(...) >= 1"
            yield _Finding("L012", f"the {_KINDS[defined_as_sum]} `{node.name}` is used as a {_KINDS[is_sum]}", called,
                           help=help)  # fmt: skip
        if len(definition.params) != len(node.args):
            wants = f"{len(definition.params)} argument{'s' if len(definition.params) != 1 else ''}"
            yield _Finding("L011", f"`{node.name}` takes {wants}, found {len(node.args)}", called)

    def too_early(self, name: str, called: Subject) -> _Finding:
        message = (
            f"`{name}` is used in its own definition"
            if self.order[name] == called.section
            else f"`{name}` is used before its definition"
        )
        return _Finding("L013", message, called, "a definition may only use the definitions above it")


def _variable(name: str, subject: Subject) -> Iterator[_Finding]:
    if not IDENTIFIER.fullmatch(name) or name in RESERVED:
        yield _Finding("L017", f"`{name}` cannot be a variable", subject,
                       "a variable is a simple identifier other than n and the words of the language")  # fmt: skip


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]


def _did_you_mean(name: str, candidates: Iterable[str]) -> str:
    known = list(candidates)
    close = difflib.get_close_matches(name, known[:5000], n=2, cutoff=0.6)
    return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?" if close else ""
