"""``fom ground``: a sentence as a problem for other provers, at one length or at every length."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import MOST_LENGTH, check_choice
from translator.files import replacing_file
from translator.terminal import complain, write

if TYPE_CHECKING:
    from logic.syntax import Sentence

FORMATS = ("smt2", "tptp")
MOST_NAMES = 2_000_000


def ground(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DIR|φ|FILE.fom", help="The folder of a translation, or a sentence.", show_default=False
        ),
    ],
    length: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=MOST_LENGTH, help="Length of the words.", show_default="every length"),
    ] = None,
    form: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="Language of the problem.")] = "smt2",
    negate: Annotated[bool, typer.Option("--negate", help="Ask for a word in which it does not hold.")] = False,
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Letters of the words.", show_default="those that occur")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.", show_default="stdout")
    ] = None,
) -> None:
    """Write a sentence as SMT-LIB or TPTP: satisfiable if some word, or with --negate some other word, has it true."""
    check_choice("--format", form, FORMATS)
    if form == "tptp" and length is not None:
        raise fail("T070", "a TPTP problem is for every length", help="leave --length out, or write --format smt2")
    sentence = sentence_of(source, alphabet)
    if length is not None:
        require_few(sentence, length)
    lines = problem(sentence, length, form, negate)
    if output is None:
        for line in lines:
            write(line)
        return
    with replacing_file(output) as file:
        file.writelines(line.encode() for line in lines)
    complain(f"{output}: {output.stat().st_size:,} bytes")


def require_few(sentence: Sentence, n: int) -> None:
    """Refuse to write out more than anybody reads, before anything is written.

    Raises:
        FomError: with the number of Boolean variables and sums.
    """
    names = sum(n ** len(definition.params) for definition in sentence.definitions) + n * len(sentence.letters)
    if names > MOST_NAMES:
        raise fail(
            "T072",
            f"the problem for n = {n} has {names:,} names, the limit is {MOST_NAMES:,}",
            help="choose a shorter --length, or leave it out for the problem of every length",
        )


def problem(sentence: Sentence, length: int | None, form: str, negate: bool) -> Iterator[str]:
    """The lines of the problem."""
    if form == "tptp":
        from logic.tptp import sentence_to_tptp

        return sentence_to_tptp(sentence, negate=negate)
    if length is None:
        from logic.smt.schema_script import schema_to_smtlib

        return schema_to_smtlib(sentence, negate=negate)
    from logic.smt.export import ground_to_smtlib

    return ground_to_smtlib(sentence, length, negate=negate)


def sentence_of(source: str, alphabet: str | None) -> Sentence:
    """The sentence of a translation, or a sentence itself.

    Raises:
        FomError: it cannot be read, or has letters outside the alphabet.
    """
    if os.path.isdir(source):
        from translator.store import load

        if alphabet is not None:
            raise fail("T070", "--alphabet names the letters of a sentence; a translation has its own")
        return load(Path(source)).sentence
    from translator.sentences import read_sentence
    from translator.words import split_alphabet

    return read_sentence(source, None if alphabet is None else split_alphabet(alphabet))
