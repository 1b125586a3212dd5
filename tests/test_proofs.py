"""The proofs run as plain scripts and print what stands beside them; their notebooks have the same cells."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

PROOFS = Path(__file__).resolve().parent.parent / "proofs"
SCRIPTS = sorted(PROOFS.glob("p[0-9]*.py"))


def test_there_are_proofs() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_proof_prints_its_golden_output(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(script), run_name="__main__")
    golden = script.with_suffix(".out").read_text(encoding="utf-8")
    assert capsys.readouterr().out == golden, "if the change is meant: python -m proofs.make_notebooks"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_has_the_cells_of_its_script(script: Path) -> None:
    cells = runpy.run_path(str(PROOFS / "make_notebooks.py"))["cells"]
    notebook = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    assert found == cells(script.read_text(encoding="utf-8")), "make it again: python -m proofs.make_notebooks"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_was_executed_and_shows_what_the_script_prints(script: Path) -> None:
    notebook = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output["output_type"] == "error"]
    printed = "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    assert printed == script.with_suffix(".out").read_text(encoding="utf-8")
