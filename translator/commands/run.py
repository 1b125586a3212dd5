"""``fom run``: run one representation on inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import Bind, Input, JsonFlag, check_choice, sides_of, write_json
from translator.terminal import progress, write_lines


def run(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|DIR", help="A network, or the folder of a translation.", show_default=False),
    ],
    side: Annotated[
        str,
        typer.Option("--as", metavar="onnx|network|circuit|division|sentence", help="What to run.", show_default=False),
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
    """Run onnxruntime, the network, the circuit, its divisions or the sentence on inputs and print the decisions."""
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
