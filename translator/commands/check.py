"""``fom check``: re-check a certificate with other programs than those that found it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from translator.commands.options import JsonFlag, check_choice, write_json
from translator.terminal import Line, plain, progress, rows_to_lines, table_to_lines, write_lines

if TYPE_CHECKING:
    from logic.checker.certificate import Result

EXIT_CODES = {"accepted": 0, "rejected": 1, "unknown": 3}


def check(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A certificate, from fom verify --certificate OUT.")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="cvc5|bitwuzla|coq",
            help="Do not ask this program. May be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Re-check a certificate by replay, cvc5, bitwuzla and Coq. Exit code: 0 accepted, 1 rejected, 3 not all re-checked."""
    from logic.checker.certificate import check as check_certificate
    from logic.checker.programs import PROGRAMS

    for program in without or ():
        check_choice("--without", program, PROGRAMS)
    with progress() as tell:
        result = check_certificate(folder, without or (), tell)
    if as_json:
        write_json(facts(result))
    else:
        write_lines(lines(result))
    raise typer.Exit(EXIT_CODES[result.verdict])


def facts(result: Result) -> dict[str, Any]:
    """The result, ready for JSON."""
    return {
        "schema": 1,
        "verdict": result.verdict,
        "claims": result.scopes,
        "without": result.without,
        "parts": [
            {
                "what": part.what,
                "program": part.program,
                "count": part.count,
                "seconds": round(part.seconds, 3),
                "outcome": part.outcome,
            }
            for part in result.parts
        ],
        "findings": [{"where": where, "what": what} for where, what in result.findings],
    }


def lines(result: Result) -> list[Line]:
    """The result for a reader; the last line is the verdict."""
    rows = [
        (part.what, part.program, f"{part.count:,}", f"{part.seconds:.2f} s", part.outcome) for part in result.parts
    ]
    written = table_to_lines(("re-checked", "by", "count", "time", "outcome"), rows, right=(2, 3)) if rows else []
    if result.scopes:
        written += [plain(), *rows_to_lines([("claim", scope) for scope in result.scopes], label_width=7)]
    if result.findings:
        found = [(result.verdict, f"{where}: {what}") for where, what in result.findings]
        written += [plain(), *rows_to_lines(found, label_width=10)]
    colour = {"accepted": "green", "rejected": "red", "unknown": "yellow"}[result.verdict]
    text = f", without {', '.join(result.without)}" if result.without else ""
    return [*written, plain(), [(result.verdict, f"bold {colour}"), (text, "")]]
