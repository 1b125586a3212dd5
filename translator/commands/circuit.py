"""``fom circuit``: write the circuit for one length."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import check_choice
from translator.terminal import complain, write

LATER_FORMATS = ("aiger", "blif", "verilog", "opb")


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
