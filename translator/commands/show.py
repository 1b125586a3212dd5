"""``fom show``: show what was built, one definition, or what is in a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from translator.commands.options import Bind, Input, refuse_reading_options
from translator.terminal import rows_to_lines, write, write_lines


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
