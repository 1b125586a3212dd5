"""Specifications as users give them: a formula, definitions ``class[c]``, or a file of either, read for a network."""

from __future__ import annotations

import re

from circuits.diagnostics import fail
from circuits.network import Network
from logic.comparing.specification import Specification
from logic.syntax import TRUE, Call, Sentence
from translator.sentences import read_sentence

CLASS = re.compile(r"class\[(\d+)\]")
ONE_CLASS = re.compile(r"\s*class\[\d+\]\s*(\(\s*\w+\s*\)\s*)?:=")


def read_specification(text: str, network: Network) -> Specification:
    """Parse a formula, definitions ``class[c]``, or a file of either, as a specification of a network.

    ``class[c] := formula`` by itself stands for that one definition.

    Raises:
        FomError: a syntax error, or formulas that do not fit what the network reads and answers.
    """
    readout = network.decided
    if network.inputs or readout.kind == "value":
        raise fail(
            "T065", "a specification is compared with a network that reads words and decides between classes",
            help="ask another question: --against OTHER.onnx, --property, --robust",
        )  # fmt: skip
    given = f"let {text.strip().rstrip(';')}; true" if ONE_CLASS.match(text) else text
    sentence = read_sentence(given, network.alphabet, "network")
    parameters = {definition.name: len(definition.params) for definition in sentence.definitions}
    named = {int(found[1]): name for name in parameters if (found := CLASS.fullmatch(name))}
    closed = sentence.formula is TRUE or (isinstance(sentence.formula, Call) and CLASS.fullmatch(sentence.formula.name))
    if not named or (not closed and readout.n_classes == 2):
        return of_formula(sentence, text, network)
    if not closed:
        raise fail(
            "T066",
            "the last formula of a specification that defines its classes is `true`, or one of them",
            where=text,
            help="restrict the words by --where, the positions by --at",
        )
    classes = tuple(sorted(named))
    beyond = [number for number in classes if number >= readout.n_classes]
    if beyond:
        raise fail(
            "T066",
            f"the specification defines class {beyond[0]}, the network has the classes 0 to {readout.n_classes - 1}",
            where=text,
            help="leave the definition out, or give it the number of a class",
        )
    relations = tuple(named[number] for number in classes)
    for name in relations:
        require_variables(parameters[name], network, f"`{name}` has {parameters[name]} parameters", text)
    return Specification(sentence, classes, relations, len(classes) == readout.n_classes)


def of_formula(sentence: Sentence, text: str, network: Network) -> Specification:
    """A specification that is one formula, for a network of two classes.

    Raises:
        FomError: more classes, or other free variables.
    """
    readout = network.decided
    if readout.n_classes != 2:
        raise fail(
            "T065",
            f"one formula specifies a network of two classes, this one has {readout.n_classes}",
            where=text,
            help=f"define each class: let class[0] := ...; ... let class[{readout.n_classes - 1}] := ...; true",
        )
    require_variables(len(sentence.free), network, f"the specification has {count_text(len(sentence.free))}", text)
    return Specification(sentence, (1,), ("",), True)


def count_text(free: int) -> str:
    """How many variables are free."""
    return "1 free variable" if free == 1 else f"{free or 'no'} free variables"


def require_variables(found: int, network: Network, what: str, text: str) -> None:
    """Refuse a formula that speaks about a position where the network answers once, or the other way round.

    Raises:
        FomError: it does.
    """
    if found != network.decided.n_positions:
        at_positions = network.decided.n_positions
        raise fail(
            "T065", f"{what}, the network answers {'at every position' if at_positions else 'once for each word'}",
            where=text, help="speak of one free position x" if at_positions else "quantify the positions: exists x. b(x)",
        )  # fmt: skip
