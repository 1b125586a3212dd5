"""``fom fmt``: lay out files of sentences."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.diagnostics import Diagnostic, FomError, fail
from translator.files import replacing_file
from translator.terminal import complain, write

if TYPE_CHECKING:
    from logic.printer import Notation

WOULD_CHANGE = 1


def fmt(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE.fom...", help="Files, or - for stdin to stdout.", show_default=False)
    ],
    unicode: Annotated[bool, typer.Option("--unicode", help="Write signs as ∀ ¬ ∧.")] = False,
    ascii_: Annotated[bool, typer.Option("--ascii", help="Write signs as forall ~ &.")] = False,
    simplify: Annotated[
        bool, typer.Option("--simplify", help="Simplify the sentences by laws, and prove the results equal.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what would change.")] = False,
    width: Annotated[int, typer.Option(metavar="W", help="Longest line.")] = 120,
) -> None:
    """Lay out files of sentences in place, keeping comments; a sentence stays in the signs it is written in.

    With --simplify, stderr has how much smaller each sentence is, and every comment that has no place in it any more.

    Exit code: 1 if --check finds a file that would change.
    """
    from logic.formatting import format_text
    from logic.printer import ASCII, UNICODE

    if unicode and ascii_:
        raise fail("T070", "give either --unicode or --ascii")
    notation = UNICODE if unicode else ASCII if ascii_ else None
    texts = [(file, read_text(file)) for file in files]
    changed: list[str] = []
    wrong: list[Diagnostic] = []
    for file, text in texts:
        name = "stdin" if file == "-" else file
        try:
            if simplify:
                laid_out = simplify_text(text, name, notation, width)
            else:
                laid_out = format_text(text, name, notation=notation, width=width)
        except FomError as error:
            wrong += error.diagnostics
            continue
        if laid_out != text:
            changed.append(name)
        if file == "-" and not check:
            write(laid_out)
        elif laid_out != text and not check:
            with replacing_file(Path(file)) as out:
                out.write(laid_out.encode())
    if check:
        write("".join(f"would lay out {name}\n" for name in changed))
    elif [name for name in changed if name != "stdin"]:
        complain("".join(f"laid out {name}\n" for name in changed if name != "stdin").rstrip())
    if wrong:
        raise FomError(*wrong)
    if check and changed:
        raise typer.Exit(WOULD_CHANGE)


def simplify_text(text: str, name: str, notation: Notation | None, width: int) -> str:
    """The laid-out text of the simplified sentence; what became of it, and of its comments, goes to stderr.

    Raises:
        FomError: the sentence is not well-formed, or the simplified one was not proved equal to it.
    """
    from translator.simplified import simplified_text

    found = simplified_text(text, name, notation, width)
    before, after = found.before, found.after
    complain(
        f"{name}: definitions {before.definitions:,} -> {after.definitions:,}, nodes {before.nodes:,} -> {after.nodes:,},"
        " proved equal"
    )
    for definition, comment in found.removed:
        complain(f"{name}:{comment.line}: this comment is left out, since `{definition}` is gone: {comment}")
    for comment in found.dropped:
        complain(f"{name}:{comment.line}: this comment is left out, since what it stands at is rewritten: {comment}")
    return found.text


def read_text(file: str) -> str:
    """The text of a file, or of stdin.

    Raises:
        FomError: it cannot be read.
    """
    from translator.sentences import read_formula

    if file != "-":
        if not file.endswith(".fom"):
            raise fail("T070", f"`{file}` is no file of a sentence", help="sentences stand in files ending in .fom")
        return read_formula(file)[0]
    try:
        return sys.stdin.buffer.read().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise fail(
            "T015", f"stdin is not UTF-8: {error.reason} at byte {error.start}", help="write it as a text file in UTF-8"
        ) from None
