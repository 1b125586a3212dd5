"""``fom verify``: prove that network, circuit and sentence agree, or that a network meets its specification."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from circuits.diagnostics import FomError, fail
from translator.commands.artifacts import PrecisionOfModel, artifacts_of
from translator.commands.options import MOST_LENGTH, Bind, Input, JsonFlag, Where, check_choice, write_json
from translator.terminal import complain, progress, write_lines


def verify(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|DIR", help="A network, or the folder of a translation.", show_default=False),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="φ|SPEC.fom|OTHER.onnx|DIR",
            help="Compare the network with a specification or another network instead.",
            show_default=False,
        ),
    ] = None,
    property_: Annotated[
        str | None,
        typer.Option(
            "--property",
            metavar="φ|FILE.fom|FILE.vnnlib",
            help="A sentence about words and the class[c] decided on them; or a box of inputs.",
            show_default=False,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MOST_LENGTH, help="Longest words of the scope.", show_default="8"),
    ] = None,
    all_lengths: Annotated[
        bool, typer.Option("--all-lengths", help="Only a proof for every length counts as `holds`.")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="auto|NAME",
            help="How to prove: see docs/verification.md for the names.",
        ),
    ] = "auto",
    where: Where = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="ψ(x)", help="Compare only positions at which this formula holds.")
    ] = None,
    robust: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            min=0,
            help="Does the decision stay the same within R of each of the --inputs?",
            show_default=False,
        ),
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="The inputs of --robust.", show_default=False)
    ] = None,
    list_failures: Annotated[
        bool, typer.Option("--list", help="With --against: list every word on which the network fails.")
    ] = False,
    timeout: Annotated[float, typer.Option(metavar="S", min=0, help="Seconds for a comparison or a query.")] = 60.0,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes of the compositional proof.")] = 1,
    ledger: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep what is proved here, and do not prove it again.", show_default=False),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Prove everything again, whatever the --ledger says.")] = False,
    precision: PrecisionOfModel = "auto",
    certificate: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write what holds to a folder that fom check re-checks.", show_default=False),
    ] = None,
    bind: Bind = None,
    input_: Input = None,
    as_json: JsonFlag = False,
) -> None:
    """Prove that network, circuit and sentence agree. Exit code: 0 holds, 1 refuted, 3 unknown."""
    from translator import claims
    from translator import verification as checking
    from translator.certificates import require_free, write_certificate
    from translator.verifying.question import COMPARISON_METHODS, EQUALITY_METHODS, Question

    if robust is not None and not math.isfinite(robust):
        raise fail("T070", f"--robust is a distance, not {robust}", help="write --robust 0.1")
    if inputs is not None and robust is None:
        raise fail(
            "T061", "--inputs are the inputs around which decisions should not change", help="say how far: --robust 0.1"
        )
    asks = against is not None or property_ is not None
    check_choice("--method", method, ("auto", *(COMPARISON_METHODS if asks else EQUALITY_METHODS)))
    with progress() as tell, artifacts_of(source, tell, bind, input_, where, precision) as artifacts:
        tell("verifying the files")
        options: dict[str, Any] = {
            "max_length": max_length,
            "method": method,
            "where": where,
            "at": at,
            "all_lengths": all_lengths,
            "timeout_s": timeout,
            "against": against,
            "property_": property_,
            "list_failures": list_failures,
            "robust": robust,
            "inputs": inputs,
            "jobs": jobs,
            "ledger": ledger,
            "fresh": fresh,
        }
        if certificate is not None:
            require_free(certificate)
        report = checking.verify(artifacts, tell, **options)
        left_out: list[str] = []
        refused: FomError | None = None
        if certificate is not None:
            try:
                left_out = write_certificate(report, artifacts, certificate, Question(**options), tell)
            except FomError as error:
                refused = error
    for name in artifacts.edited:
        complain(f"note: {source / name} {edited_text(name)}")
    for text in left_out:
        complain(f"note: the certificate leaves out {text}")
    if refused is not None and report.verdict != "holds":
        complain(f"note: no certificate was written: {refused.diagnostics[0].message}")
        refused = None
    if refused is not None and as_json:
        raise refused
    if as_json:
        write_json(claims.report_facts(report, artifacts.edited))
    else:
        write_lines(claims.report_lines(report))
    if refused is not None:
        raise refused
    raise typer.Exit(claims.EXIT_CODES[report.verdict])


def edited_text(name: str) -> str:
    """What it means that a file of a translation is not the one that was written."""
    from translator.store import MODEL

    if name == MODEL:
        return "is not the file that was translated; what was verified is the network in network.jsonl"
    return "was edited since it was translated; its present contents were verified"
