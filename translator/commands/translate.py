"""``fom translate``: make a circuit family and a sentence of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from translator.commands.options import (
    MOST_LENGTH,
    Bind,
    Input,
    JsonFlag,
    Where,
    check_choice,
    parse_memory,
    write_json,
)
from translator.terminal import plain, progress, rows_to_lines, write_lines


def translate(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="The network.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Write network, family, sentence and manifest here."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="auto|fixed:P[.F]|fixed:*.F|float:eEmM",
            help="Bits of a word (and fractional bits); * for as many as needed; or a float format, e.g. float:e4m3.",
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
    dialect: Annotated[
        str,
        typer.Option(
            metavar="counting|majority|minimal",
            help="Also write the sentence in pure FO(M), where M alone counts; minimal: over <, = and bit only.",
        ),
    ] = "counting",
    simplify: Annotated[
        bool, typer.Option("--simplify", help="Also write a simplified sentence, proved equal to the other one.")
    ] = False,
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Names of the letters, in the order of the tokens.")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(metavar="FILE.npz", help="Measure fidelity on these inputs.", show_default="all short words"),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_LENGTH,
            help="Longest words on which fidelity is measured.",
            show_default="about 8",
        ),
    ] = None,
    longest: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_LENGTH,
            help="Bound on n where the file computes its positions (sinusoids, rotary).",
        ),
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
    check_choice("--dialect", dialect, ("counting", "majority", "minimal"))
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
            dialect=dialect,
            simplify=simplify,
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
