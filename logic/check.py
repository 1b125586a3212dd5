"""Checking a sentence: every error of names, arities, kinds, order and variables, all reported at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from circuits.diagnostics import Diagnostic, FomError
from logic.printer import IDENTIFIER, NAME, RESERVED
from logic.syntax import Call, Count, Definition, Exists, Forall, Letter, Majority, Sentence, Sum, SumCall
from logic.walk import Part, postorder

_KINDS = {True: "sum", False: "relation"}


def check(sentence: Sentence, where: str = "") -> None:
    """Raise `FomError` with a diagnostic for each thing that is wrong with `sentence`.

    Each shared node is visited once, in the first definition that uses it: the earlier the place, the fewer the
    definitions it may use, so no error can hide behind sharing. Time is linear in the number of shared nodes.
    """
    found = list(_Check(sentence, where).run())
    if found:
        raise FomError(*found)


class _Check:
    def __init__(self, sentence: Sentence, where: str) -> None:
        self.sentence = sentence
        self.file = where
        self.letters = set(sentence.letters)
        self.propositions = set(sentence.propositions)
        self.order: dict[str, int] = {}
        for number, definition in enumerate(sentence.definitions):
            self.order.setdefault(definition.name, number)

    def run(self) -> Iterator[Diagnostic]:
        sentence = self.sentence
        yield from self.names()
        seen: set[Part] = set()
        for number, definition in enumerate(sentence.definitions):
            where = self.place(f"definition `{definition.name}`")
            yield from self.parameters(definition, where)
            for name in sorted(definition.body.free - set(definition.params)):
                yield Diagnostic("L014", f"the variable `{name}` is not bound", where,
                                 help="quantify it, count it, or make it a parameter")  # fmt: skip
            yield from self.nodes(definition.body, number, where, seen)
        where = self.place("the final formula")
        if len(sentence.formula.free) > 1:
            names = ", ".join(f"`{name}`" for name in sentence.free)
            yield Diagnostic("L014", f"{len(sentence.formula.free)} variables are not bound: {names}", where,
                             "a sentence has no free variable, or one if it decides something at each position")  # fmt: skip
        yield from self.nodes(sentence.formula, len(sentence.definitions), where, seen)

    def place(self, inside: str) -> str:
        return f"{self.file}: {inside}" if self.file else inside

    def names(self) -> Iterator[Diagnostic]:
        sentence, where = self.sentence, self.place("the header")
        for what, names in (("letter", sentence.letters), ("proposition", sentence.propositions)):
            for name in _repeated(names):
                yield Diagnostic("L015", f"the {what} `{name}` is declared twice", where)
        for name in sentence.propositions:
            yield from self.name(name, where)
            if name in self.letters:
                yield Diagnostic("L015", f"`{name}` is a letter and a proposition", where, help="rename one of them")
        for number, definition in enumerate(sentence.definitions):
            where = self.place(f"definition `{definition.name}`")
            yield from self.name(definition.name, where)
            if self.order[definition.name] != number:
                yield Diagnostic("L015", f"`{definition.name}` is defined twice", where, help="rename one of them")
            elif definition.name in self.letters | self.propositions:
                what = "letter" if definition.name in self.letters else "proposition"
                yield Diagnostic("L015", f"`{definition.name}` is a definition and a {what}", where,
                                 help="rename one of them")  # fmt: skip

    @staticmethod
    def name(name: str, where: str) -> Iterator[Diagnostic]:
        if not NAME.fullmatch(name):
            yield Diagnostic("L017", f"`{name}` is not a name", where,
                             "a name is an identifier followed by any of .identifier .digits [digits]")  # fmt: skip
        elif name in RESERVED:
            yield Diagnostic("L017", f"`{name}` is a word of the language and cannot be a name", where)

    @staticmethod
    def parameters(definition: Definition, where: str) -> Iterator[Diagnostic]:
        for name in _repeated(definition.params):
            yield Diagnostic("L015", f"the parameter `{name}` occurs twice", where)
        for name in definition.params:
            yield from _variable(name, where)

    def nodes(self, root: Part, number: int, where: str, seen: set[Part]) -> Iterator[Diagnostic]:
        """Check the nodes below `root` not in `seen`; definitions from `number` on may not be used there."""
        for node in postorder(root, seen):
            match node:
                case Letter():
                    if node.name not in self.letters:
                        yield self.unknown_letter(node, number, where)
                case Call():
                    yield from self.call(node, number, where)
                case SumCall():
                    yield from self.use(node, number, where, is_sum=True)
                case Forall() | Exists() | Majority() | Count():
                    yield from _variable(node.variable, where)
                    if node.variable in self.propositions:
                        yield Diagnostic("L015", f"`{node.variable}` is a variable and a proposition", where,
                                         help="rename one of them")  # fmt: skip

    def unknown_letter(self, node: Letter, number: int, where: str) -> Diagnostic:
        if node.name in self.order:
            return self.too_early(node.name, number, where)
        candidates = [*self.sentence.letters, *self.order]
        known = ", ".join(self.sentence.letters[:12]) + (", ..." if len(self.letters) > 12 else "")
        return Diagnostic("L016", f"`{node.name}` is neither a letter nor a definition", where,
                          f"the letters are {known}" if known else "the alphabet has no letters",
                          _did_you_mean(node.name, candidates))  # fmt: skip

    def call(self, node: Call, number: int, where: str) -> Iterator[Diagnostic]:
        if node.name in self.propositions:
            if node.args:
                yield Diagnostic(
                    "L011", f"the proposition `{node.name}` takes no arguments, found {len(node.args)}", where
                )
        else:
            yield from self.use(node, number, where, is_sum=False)

    def use(self, node: Call | SumCall, number: int, where: str, is_sum: bool) -> Iterator[Diagnostic]:
        index = self.order.get(node.name)
        if index is None:
            what = "sum" if is_sum else "relation" if node.args else "relation or proposition"
            yield Diagnostic("L010", f"the {what} `{node.name}` is not defined", where,
                             help=_did_you_mean(node.name, [*self.order, *self.sentence.propositions]))  # fmt: skip
            return
        if index >= number:
            yield self.too_early(node.name, number, where)
        definition = self.sentence.definitions[index]
        defined_as_sum = isinstance(definition.body, Sum)
        if defined_as_sum != is_sum:
            help = f"write [{node.name}(...)] for its 0 or 1" if is_sum else f"compare it: {node.name}(...) >= 1"
            yield Diagnostic("L012", f"the {_KINDS[defined_as_sum]} `{node.name}` is used as a {_KINDS[is_sum]}", where,
                             help=help)  # fmt: skip
        if len(definition.params) != len(node.args):
            wants = f"{len(definition.params)} argument{'s' if len(definition.params) != 1 else ''}"
            yield Diagnostic("L011", f"`{node.name}` takes {wants}, found {len(node.args)}", where)

    def too_early(self, name: str, number: int, where: str) -> Diagnostic:
        message = (
            f"`{name}` is used in its own definition"
            if self.order[name] == number
            else f"`{name}` is used before its definition"
        )
        return Diagnostic("L013", message, where, "a definition may only use the definitions above it")


def _variable(name: str, where: str) -> Iterator[Diagnostic]:
    if not IDENTIFIER.fullmatch(name) or name in RESERVED:
        yield Diagnostic("L017", f"`{name}` cannot be a variable", where,
                         "a variable is a simple identifier other than n and the words of the language")  # fmt: skip


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return list(dict.fromkeys(name for name in names if name in seen or seen.add(name)))  # type: ignore[func-returns-value]


def _did_you_mean(name: str, candidates: Iterable[str]) -> str:
    known = list(candidates)
    close = difflib.get_close_matches(name, known[:5000], n=2, cutoff=0.6)
    return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?" if close else ""
