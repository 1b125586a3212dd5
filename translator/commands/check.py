"""``fom check``: re-check evidence with independent checkers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuits.diagnostics import fail


def check(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a translation.")]) -> None:
    """Re-check the evidence of a verification with independent checkers."""
    raise fail(
        "T074",
        "evidence files are not written yet, so there is nothing to re-check",
        where=str(folder),
        help=f"fom verify {folder} proves the claims again",
    )
