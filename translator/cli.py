"""The command line: ``fom translate | verify | run | show | eval | circuit | fmt | ground``.

stdout is the result, stderr everything else. Exit codes: 0 holds or done, 1 refuted, 2 could not run (with a diagnostic),
3 unknown, 70 a bug in fom, 130 interrupted. Whatever is heavy is imported inside the commands, so that ``fom --help``
answers at once.
"""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from typing import Annotated, Any

import typer

from circuits.diagnostics import Diagnostic, FomError
from translator.commands.check import check
from translator.commands.circuit import circuit
from translator.commands.evaluate import evaluate
from translator.commands.explain import explain
from translator.commands.fmt import fmt
from translator.commands.ground import ground
from translator.commands.options import write_json
from translator.commands.run import run
from translator.commands.show import show
from translator.commands.translate import translate
from translator.commands.verify import verify
from translator.terminal import (
    OutputClosed,
    close_stdout,
    complain,
    write,
    write_diagnostics,
)

HOLDS, UNUSABLE, BUG, INTERRUPTED, OUTPUT_CLOSED, TERMINATED = 0, 2, 70, 130, 141, 143

UsageError: type[Exception] = typer.BadParameter.__mro__[2]
"""click's base of all usage errors, wherever this version of typer keeps click."""

interrupts: list[int] = []

app = typer.Typer(
    name="fom",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def fom(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Translate ONNX networks of fixed depth into threshold circuits and FO(M) sentences, and prove them equal."""
    if version:
        from translator.store import tool_version

        write(f"fom {tool_version()}\n")
        raise typer.Exit(HOLDS)


app.command(short_help="Make a circuit family and a sentence of a network.")(translate)
app.command(short_help="Prove network = circuit = sentence.")(verify)
app.command(short_help="Find the short sentence that a network computes.")(explain)
app.command(short_help="Run one representation on inputs.")(run)
app.command(short_help="Show what was built, one definition, or what is in a network.")(show)
app.command(name="eval", short_help="Tell in which words a sentence holds.")(evaluate)
app.command(short_help="Write the circuit for one length, or show that all are uniform.")(circuit)
app.command(short_help="Lay out files of sentences.")(fmt)
app.command(short_help="Write a sentence for other provers (SMT-LIB, TPTP).")(ground)
app.command(short_help="Re-check a certificate with other programs.")(check)


def execute(arguments: list[str]) -> int:
    """Run a command line; every failure becomes a diagnostic and an exit code."""
    as_json = "--json" in arguments
    try:
        code = run_app(arguments)
        return interrupted(arguments) if code == INTERRUPTED else code
    except FomError as error:
        return report_diagnostics(error.diagnostics, as_json)
    except UsageError as error:
        return report_usage(error, as_json)
    except (typer.Abort, KeyboardInterrupt):
        return interrupted(arguments)
    except OutputClosed:
        close_stdout()
        return OUTPUT_CLOSED
    except MemoryError:
        found = Diagnostic("T075", "there is not enough memory", help="lower --precision, --max-length or --length")
        return report_diagnostics((found,), as_json)
    except OSError as error:
        found = Diagnostic(
            "T076", f"the operating system refuses: {error.strerror or error}", where=str(error.filename or "")
        )
        return report_diagnostics((found,), as_json)
    except Exception as error:
        complain("a bug in fom: please report\n" + "".join(traceback.format_exception(error)).rstrip())
        if as_json:
            write_json(error_object((Diagnostic("T099", f"a bug in fom: {type(error).__name__}: {error}"),)))
        return BUG


def run_app(arguments: list[str]) -> int:
    """Run a command; an interrupt that foreign code turned into an error of its own is an interrupt again."""
    try:
        return int(app(arguments, prog_name="fom", standalone_mode=False) or 0)
    except Exception:
        if interrupts:
            raise KeyboardInterrupt from None
        raise


def interrupt(number: int, frame: Any) -> None:
    """Take note of Ctrl-C and stop."""
    interrupts.append(number)
    raise KeyboardInterrupt


def interrupted(arguments: list[str]) -> int:
    """Say that the user stopped the command; what it would have written is only put in its place at the end."""
    complain("interrupted; nothing was written" if "translate" in arguments[:1] else "interrupted")
    return INTERRUPTED


def report_diagnostics(diagnostics: tuple[Diagnostic, ...], as_json: bool) -> int:
    """Write diagnostics to stderr and, where JSON was asked for, to stdout."""
    write_diagnostics(diagnostics)
    if as_json:
        try:
            write_json(error_object(diagnostics))
        except OutputClosed:
            close_stdout()
    return UNUSABLE


def error_object(diagnostics: tuple[Diagnostic, ...]) -> dict[str, Any]:
    """Diagnostics, ready for JSON."""
    from dataclasses import asdict

    return {"schema": 1, "error": [asdict(diagnostic) for diagnostic in diagnostics]}


def report_usage(error: Any, as_json: bool) -> int:
    """A usage error as a diagnostic; without any argument, the help text."""
    message = str(error.format_message()).strip()
    if type(error).__name__ == "NoArgsIsHelpError" or not message:
        complain(message)
        return UNUSABLE
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "fom"
    text = message[0].lower() + message[1:].rstrip(".")
    return report_diagnostics((Diagnostic("T070", text, help=f"{command} --help"),), as_json)


def main() -> None:
    """Run ``fom`` as a program.

    A sentence is up to millions of small objects that refer to each other without cycles: the collector, at its default
    thresholds, would walk over them again and again and find nothing.
    """
    gc.set_threshold(200_000, 50, 100)
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(execute(sys.argv[1:]))


if __name__ == "__main__":
    main()
