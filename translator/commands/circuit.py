"""``fom circuit``: the circuit of a translation or of a sentence, for one length; and the evidence that they are uniform."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import MOST_LENGTH, JsonFlag, check_choice, write_json
from translator.terminal import OutputClosed, close_stdout, complain, progress, rows_to_lines, write_lines

if TYPE_CHECKING:
    from circuits.family import Family

FORMATS = ("json", "dot", "svg", "aiger", "aag", "blif", "verilog", "opb")
GATES = {"threshold": "threshold gates", "majority": "majority gates", "and": "ANDs"}
REFUTED = 1
LONGEST_COMPARED = 64


def circuit(
    source: Annotated[
        str,
        typer.Argument(
            metavar="DIR|φ|FILE.fom", help="The folder of a translation, or a sentence.", show_default=False
        ),
    ],
    length: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=MOST_LENGTH, help="Length of the words.", show_default=False)
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(FORMATS), help="Write the circuit.", show_default="sizes only"),
    ] = None,
    gates: Annotated[
        str | None,
        typer.Option(metavar="threshold|majority|and", help="Kind of gates.", show_default="what the format is for"),
    ] = None,
    thresholds: Annotated[
        str | None,
        typer.Option(metavar="adder|sorter", help="How AND gates make a threshold gate.", show_default="adder"),
    ] = None,
    assertion: Annotated[
        str | None,
        typer.Option(
            "--assert",
            metavar="0|1|class=C|value=K[@X]",
            help="With opb: the decision to search for.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.", show_default="stdout")
    ] = None,
    uniformity: Annotated[
        bool, typer.Option("--uniformity", help="Show and check how gates and wires are computed from their numbers.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="With --uniformity: leave nothing out.")] = False,
    alphabet: Annotated[
        str | None,
        typer.Option(metavar="a,b,c", help="Letters of a sentence's words.", show_default="those that occur"),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the circuit for one length, or its sizes; with --uniformity, show how all of them are computed.

    Exit code: 1 if a check of uniformity fails.
    """
    if form is not None:
        check_choice("--format", form, FORMATS)
    elif given := [name for name, value in (("--gates", gates), ("--assert", assertion), ("-o", output)) if value]:
        raise fail("T070", f"{given[0]} says how a circuit is written", help="choose a --format")
    if uniformity and length is not None and length > LONGEST_COMPARED:
        raise fail("T070", f"circuits are compared up to length {LONGEST_COMPARED}, not {length}",
                   note="the programs themselves are also asked about numbers of 2^40 and more")  # fmt: skip
    if uniformity and form is not None:
        raise fail("T070", "give either --uniformity or --format")
    if form is not None and as_json:
        raise fail("T070", "give either --json or --format", help="--format json writes the circuit itself")
    family = family_of(source, alphabet)
    if length is None and not uniformity and not family.inputs:
        raise fail("T070", "a circuit has a length", help="give --length N, or --uniformity for all lengths")
    if uniformity:
        show_uniformity(family, length, full, as_json)
    elif form is None:
        show_sizes(family, length or 1, as_json)
    else:
        write_out(family, length or 1, form, gates, thresholds, assertion, output)


def family_of(source: str, alphabet: str | None) -> Family:
    """The family of a translation, or of a sentence.

    Raises:
        FomError: there is no such folder, or it is no sentence.
    """
    if os.path.isdir(source):
        from translator.store import load

        if alphabet is not None:
            raise fail("T070", "--alphabet names the letters of a sentence; a translation has its own")
        return load(Path(source)).family
    if source.endswith(".onnx"):
        raise fail("T070", f"`{source}` is a network", help=f"translate it first: fom translate {source} -o DIR")
    if re.fullmatch(r"[\w./\\-]+", source) and source not in ("true", "false") and not source.endswith(".fom"):
        raise fail(
            "T052", "there is no such folder", where=source, help="a sentence has a quantifier, e.g. 'M x. a(x)'"
        )
    from translator.sentence_circuits import family_of_file

    return family_of_file(source, alphabet)


def show_uniformity(family: Family, most: int | None, full: bool, as_json: bool) -> None:
    """Print the evidence of uniformity; a failed check is exit code 1."""
    from translator import uniformity

    with progress() as tell:
        evidence = uniformity.evidence(family, most or 16, progress=tell)
    if as_json:
        write_json({"schema": 1, **uniformity.evidence_facts(evidence)})
    else:
        write_lines(uniformity.render(evidence, full=full))
    if not evidence.holds:
        raise typer.Exit(REFUTED)


def show_sizes(family: Family, n: int, as_json: bool) -> None:
    """Print how large the circuit for one length is."""
    from circuits.sizes import size_polynomials

    family.domain.require(n)
    sizes = {name: None if found is None else str(found) for name, found in size_polynomials(family).items()}
    counted = {"gates": family.gates(n), "wires": family.wires(n)}
    templates = {gates.name: gates.size * n**gates.n_positions for gates in family.templates}
    if as_json:
        write_json(
            {"schema": 1, "n": n, **counted, "depth": family.depth, "polynomials": sizes, "templates": templates}
        )
        return
    rows = [("length", "one circuit, no positions" if family.inputs else str(n))]
    for name, count in counted.items():
        polynomial = "" if sizes[name] in (None, str(count)) else f" = {sizes[name]}"
        rows.append((name, f"{count:,}{polynomial}"))
    rows.append(("depth", f"{family.depth}, the same for every n"))
    listed = "; ".join(f"{name} {count:,}" for name, count in list(templates.items())[:24])
    rest = f"; and {len(templates) - 24} more" if len(templates) > 24 else ""
    rows.append(("templates", f"{len(templates)}: {listed}{rest}"))
    write_lines(rows_to_lines(rows))


def write_out(
    family: Family,
    n: int,
    form: str,
    gates: str | None,
    thresholds: str | None,
    assertion: str | None,
    output: Path | None,
) -> None:
    """Write the circuit to a file, or to stdout."""
    from translator import exchange

    choices = {"gates": gates, "thresholds": thresholds, "assertion": assertion}
    if output is not None:
        written = exchange.save_circuit(family, n, form, output, **choices)
        complain(f"{output}: {written.n_gates:,} {GATES[written.gates]}, depth {written.depth}")
        return
    if sys.stdout is None:
        raise OutputClosed
    if form == "aiger" and sys.stdout.isatty():
        raise fail("T070", "binary AIGER is not for the terminal", help="write it to a file with -o, or choose aag")
    try:
        exchange.write_circuit(family, n, form, sys.stdout.buffer, **choices)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        close_stdout()
        raise fail(
            "T051", f"stdout cannot be written: {error.strerror}", help="make room, or send it elsewhere"
        ) from None
