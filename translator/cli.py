"""The command line: ``fom translate | verify | run | show | eval | circuit``.

stdout is the result, stderr everything else. Exit codes: 0 holds or done, 1 refuted, 2 could not run (with a diagnostic),
3 unknown, 70 a bug in fom, 130 interrupted. Whatever is heavy is imported inside the commands, so that ``fom --help``
answers at once.
"""

from __future__ import annotations

import gc
import json
import re
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuits.diagnostics import Diagnostic, FomError, fail
from translator.terminal import (
    OutputClosed,
    close_stdout,
    complain,
    plain,
    progress,
    rows_to_lines,
    write,
    write_diagnostics,
    write_lines,
)

if TYPE_CHECKING:
    from translator.sides import Sides

HOLDS, UNUSABLE, BUG, INTERRUPTED, OUTPUT_CLOSED, TERMINATED = 0, 2, 70, 130, 141, 143
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
LATER_FORMATS = ("aiger", "blif", "verilog", "opb")

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

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="φ", help="Consider only words in which this sentence (or .fom file) holds."),
]

Bind = Annotated[
    list[str] | None,
    typer.Option(
        "--bind",
        metavar="NAME=VALUE",
        help="Fix a graph input or a symbolic dimension. May be repeated.",
        show_default=False,
    ),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=letters|bits",
        help="Read a further input along with the word: its numbers become part of the letters.",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def fom(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Translate ONNX networks of fixed depth into threshold circuits and FO(M) sentences, and prove them equal."""
    if version:
        from translator.store import tool_version

        write(f"fom {tool_version()}\n")
        raise typer.Exit(HOLDS)


@app.command(short_help="Make a circuit family and a sentence of a network.")
def translate(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The network.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write network, family, sentence and manifest here."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="auto|fixed:P[.F]|fixed:*.F", help="Bits of a word (and fractional bits); * for as many as needed."
        ),
    ] = "auto",
    weight_bits: Annotated[str, typer.Option(metavar="B|exact|auto", help="Bits of a weight.")] = "auto",
    readout: Annotated[
        str | None,
        typer.Option(metavar="class:C|bit:K", help="What the sentence decides.", show_default="class 1, or the sign"),
    ] = None,
    depth: Annotated[
        str, typer.Option(metavar="compact|balanced|shallow", help="Few gates (depth p a rounding) or few levels (2).")
    ] = "compact",
    dialect: Annotated[str, typer.Option(metavar="counting|majority", help="Atoms of the sentence.")] = "counting",
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Names of the letters, in the order of the tokens.")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Measure fidelity on these inputs.", show_default="all short words"),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Longest words on which fidelity is measured.", show_default="about 8"),
    ] = None,
    longest: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Bound on n where the file computes its positions (sinusoids, rotary)."),
    ] = 64,
    where: Where = None,
    bind: Bind = None,
    input_: Input = None,
    memory: Annotated[
        str | None,
        typer.Option(metavar="8GB", help="Refuse what would need more memory.", show_default="half of the machine's"),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Translate a network into a family of threshold circuits and a sentence of FO(M)."""
    if dialect != "counting":
        raise dialect_error(dialect)
    check_choice("--depth", depth, ("compact", "balanced", "shallow"))
    limit = None if memory is None else parse_memory(memory)
    from translator import feeding, pipeline, report, store

    if output is not None:
        store.require_writable(output)
    with progress() as tell:
        translation = pipeline.translate(
            model,
            tell,
            precision=precision,
            weight_bits=weight_bits,
            depth=depth,
            readout=readout,
            max_length=max_length,
            where=where,
            alphabet=alphabet,
            inputs=inputs,
            longest=longest,
            bind=feeding.parse_bindings(bind or ()),
            tracks=feeding.parse_tracks(input_ or ()),
            memory=limit,
        )
        tell("measuring")
        facts = report.facts_of(translation)
        files: dict[str, str] = {}
        if output is not None:
            tell(f"writing {output}")
            files = store.save(translation, output)
    facts["files"] = files
    if as_json:
        write_json(facts)
        return
    rows = report.summary(facts)
    rows.append(("files", files_text(output, files)))
    rows.append(("time", report.time_text(facts["seconds"])))
    lines = rows_to_lines(rows)
    if output is not None:
        lines += [plain(), plain(f"next: fom verify {output}, fom show {output}", "dim")]
    write_lines(lines)


def files_text(output: Path | None, files: dict[str, str]) -> str:
    """Where the translation went."""
    if output is None:
        return "none written; -o DIR writes them"
    return f"{output}: {', '.join(Path(path).name for path in files.values())}"


def refuse_reading_options(bind: list[str] | None, input_: list[str] | None) -> None:
    """A folder was read already.

    Raises:
        FomError: --bind or --input is given.
    """
    if bind or input_:
        raise fail(
            "T075", "--bind and --input say how a model is read; this folder was translated already",
            help="translate again with them",
        )  # fmt: skip


def dialect_error(dialect: str) -> FomError:
    """The diagnostic for a dialect that is not written."""
    if dialect == "majority":
        return fail(
            "T074",
            "sentences without counting atoms, `--dialect majority`, are not available yet",
            note="the counting dialect says the same: a counting atom is an abbreviation of FO(M)",
            help="leave out --dialect",
        )
    return fail("T074", f"unknown dialect `{dialect}`", help="write counting or majority")


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        FomError: with the nearest choice.
    """
    if value in choices:
        return
    import difflib

    close = difflib.get_close_matches(value, choices, n=1)
    raise fail(
        "T070",
        f"{option} is one of {', '.join(choices)}, not `{value}`",
        help=f"did you mean `{close[0]}`?" if close else "",
    )


def parse_memory(text: str) -> int:
    """Read ``8GB``, ``500 MB``, ``2GiB`` or a number of bytes.

    Raises:
        FomError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.strip().upper())
    if not found or found[2] not in UNITS:
        raise fail("T070", f"`{text}` is no amount of memory", help="write --memory 8GB")
    return int(float(found[1]) * UNITS[found[2]])


@app.command(short_help="Prove network = circuit = sentence.")
def verify(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|DIR", help="A network, or the folder of a translation.", show_default=False),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="φ|SPEC.fom", help="Compare the network with this specification instead.", show_default=False
        ),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Longest words of the scope.", show_default="8")
    ] = None,
    all_lengths: Annotated[
        bool, typer.Option("--all-lengths", help="Only a proof for every length counts as `holds`.")
    ] = False,
    method: Annotated[
        str, typer.Option(metavar="auto|exhaustive|compositional|monolithic", help="How to prove.")
    ] = "auto",
    where: Where = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="ψ(x)", help="Compare only positions at which this formula holds.")
    ] = None,
    list_failures: Annotated[
        bool, typer.Option("--list", help="With --against: list every word on which the network fails.")
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="S", min=0, help="Seconds for the monolithic queries.")] = 60.0,
    bind: Bind = None,
    input_: Input = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that network, circuit and sentence agree. Exit code: 0 holds, 1 refuted, 3 unknown."""
    if against is not None and against.endswith(".onnx"):
        raise fail(
            "T074",
            "comparing with another network is not available yet",
            where=against,
            help="compare each of them with the same sentence: --against SPEC.fom",
        )
    check_choice("--method", method, ("auto", "exhaustive", "compositional", "monolithic"))
    from translator import claims, store
    from translator import verification as checking

    with progress() as tell, tempfile.TemporaryDirectory(prefix="fom.") as temporary:
        if source.is_dir():
            refuse_reading_options(bind, input_)
            artifacts = store.load(source)
        else:
            from translator import feeding, pipeline

            choices = {"bind": feeding.parse_bindings(bind or ()), "tracks": feeding.parse_tracks(input_ or ())}
            translation = pipeline.translate(source, tell, where=where, **choices)
            store.save(translation, Path(temporary) / "translation")
            artifacts = store.load(Path(temporary) / "translation")
        tell("verifying the files")
        report = checking.verify(
            artifacts,
            tell,
            max_length=max_length,
            method=method,
            where=where,
            at=at,
            all_lengths=all_lengths,
            timeout_s=timeout,
            against=against,
            list_failures=list_failures,
        )
    for name in artifacts.edited:
        complain(f"note: {source / name} was edited since it was translated; its present contents were verified")
    if as_json:
        write_json(claims.report_facts(report, artifacts.edited))
    else:
        write_lines(claims.report_lines(report))
    raise typer.Exit(claims.EXIT_CODES[report.verdict])


@app.command(short_help="Run one representation on inputs.")
def run(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|DIR", help="A network, or the folder of a translation.", show_default=False),
    ],
    side: Annotated[
        str, typer.Option("--as", metavar="onnx|network|circuit|sentence", help="What to run.", show_default=False)
    ],
    word: Annotated[str | None, typer.Option(metavar="'a b a'", help="One word.", show_default=False)] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="One array for each ONNX input.", show_default=False)
    ] = None,
    error_bounds: Annotated[
        bool, typer.Option("--error-bounds", help="Bound the outputs' errors; certify decisions (--as network).")
    ] = False,
    bind: Bind = None,
    input_: Input = None,
    as_json: JsonFlag = False,
) -> None:
    """Run onnxruntime, the network, the circuit or the sentence on inputs and print the decisions."""
    from translator import answering, bounded_answers

    check_choice("--as", side, answering.SIDES)
    if (word is None) == (inputs is None):
        raise fail("T070", "give either --word or --inputs", help="fom run DIR --as sentence --word 'a b a'")
    sides = sides_of(source, bind, input_)
    if word is not None:
        cases = answering.cases_of_word(sides, word)
    else:
        cases = answering.cases_of_file(sides, Path(str(inputs)))
    with progress() as tell:
        answers = answering.answer(sides, side, cases, tell, error_bounds)
    if as_json:
        write_json({"schema": 1, "as": side, **answering.answer_facts(answers)})
    elif error_bounds:
        write_lines(bounded_answers.answer_lines(answers))
    else:
        write_lines(answering.answer_lines(answers))


def sides_of(source: Path, bind: list[str] | None = None, input_: list[str] | None = None) -> Sides:
    """All representations of a network: read from its folder, or translated in memory."""
    from translator.sides import Sides

    if source.is_dir():
        from translator.store import load

        refuse_reading_options(bind, input_)
        return Sides(load(source))
    from translator import feeding
    from translator.pipeline import translate as translate_model

    with progress() as tell:
        choices = {"bind": feeding.parse_bindings(bind or ()), "tracks": feeding.parse_tracks(input_ or ())}
        return Sides(translate_model(source, tell, **choices))


@app.command(short_help="Show what was built, one definition, or what is in a network.")
def show(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR|MODEL.onnx", help="The folder of a translation, or a network.", show_default=False),
    ],
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A definition, a template, or a node.", show_default=False)
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Write formulas as LaTeX.")] = False,
    unicode: Annotated[bool, typer.Option("--unicode", help="Write formulas as ∀x. φ.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Leave nothing out.")] = False,
    bind: Bind = None,
    input_: Input = None,
) -> None:
    """Show what was built: sizes, nodes and an excerpt of the sentence, or one name and what it means.

    Of a network that was not translated: its shapes as expressions, its operators, and what stands in the way.
    """
    if folder.suffix == ".onnx" and not folder.is_dir():
        from translator import feeding, inspecting

        rows, refused = inspecting.rows_of_model(
            folder, feeding.parse_bindings(bind or ()), feeding.parse_tracks(input_ or ())
        )
        write_lines(rows_to_lines(rows))
        if refused is not None:
            raise refused
        return
    refuse_reading_options(bind, input_)
    from translator import showing
    from translator.store import load

    shown = showing.Shown(load(folder), "unicode" if unicode else "ascii", full)
    if latex:
        write(showing.latex(shown, name))
    else:
        write_lines(showing.overview(shown) if name is None else showing.details(shown, name))


@app.command(name="eval", short_help="Tell in which words a sentence holds.")
def evaluate(
    formula: Annotated[str, typer.Argument(metavar="φ|FILE.fom", help="A sentence, or its file.", show_default=False)],
    words: Annotated[
        list[str], typer.Argument(metavar="WORD...", help="Words: 'a b a', aba or ''.", show_default=False)
    ],
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Letters that words may have.", show_default="any")
    ] = None,
    propositions: Annotated[
        str | None, typer.Option("--true", metavar="p,q", help="Propositions that hold.", show_default=False)
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Use the definition of truth, word for word (slow).")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell in which words a sentence of FO(M) holds; with one free variable, at which positions."""
    from translator import model_checking

    question = model_checking.question(formula, words, alphabet, propositions)
    results = model_checking.answer(question, reference)
    if as_json:
        write_json({"schema": 1, "words": [list(word) for word in question.words], "results": results})
    else:
        write_lines(model_checking.result_lines(question, results))


@app.command(short_help="Write the circuit for one length.")
def circuit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a translation.", show_default=False)],
    length: Annotated[int, typer.Option(metavar="N", min=1, help="Length of the words.", show_default=False)],
    form: Annotated[str, typer.Option("--format", metavar="json|dot", help="Text form.", show_default=False)],
    gates: Annotated[str, typer.Option(metavar="threshold|majority", help="Kind of gates.")] = "threshold",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.", show_default="stdout")
    ] = None,
) -> None:
    """Write the circuit for one length, gate by gate."""
    if form in LATER_FORMATS:
        raise fail("T074", f"the format `{form}` is not available yet", help="choose --format json or dot")
    check_choice("--format", form, ("json", "dot"))
    if gates == "majority":
        raise fail("T074", "circuits of majority gates are not available yet", help="leave out --gates")
    check_choice("--gates", gates, ("threshold",))
    from circuits.sizes import size_polynomials
    from translator import wiring
    from translator.store import load

    family = load(folder).family
    most, what = (wiring.MOST_WIRES, "a file") if form == "json" else (wiring.MOST_DRAWN, "a drawing")
    wiring.require_small(family, length, size_polynomials(family)["wires"], most, what)
    data = wiring.circuit_to_data(family, length)
    text = wiring.data_to_json(data) if form == "json" else wiring.data_to_dot(data)
    if output is None:
        write(text)
        return
    output.write_text(text, encoding="utf-8")
    complain(f"{output}: {data['gates']:,} gates, {data['wires']:,} wires, depth {data['depth']}")


@app.command(hidden=True)
def check(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a translation.")]) -> None:
    """Re-check the evidence of a verification with independent checkers."""
    raise fail(
        "T074",
        "evidence files are not written yet, so there is nothing to re-check",
        where=str(folder),
        help=f"fom verify {folder} proves the claims again",
    )


def write_json(data: dict[str, Any]) -> None:
    """Write one JSON object to stdout."""
    write(json.dumps(data, ensure_ascii=False) + "\n")


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
