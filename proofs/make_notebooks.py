"""Make the golden outputs and the notebooks beside the proofs: ``python -m proofs.make_notebooks [NAME...]``.

A proof is a script in percent format: ``# %%`` starts a cell of code, ``# %% [markdown]`` one of text in comments. Each script
is run, and what it prints is written to ``.out``, which the tests compare; then its cells are executed in a kernel and written
to ``.ipynb``. Notebooks need ``pip install '.[notebooks]'``; ``--outputs-only`` does without.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MARKER = "# %%"


def cells(text: str) -> list[tuple[str, str]]:
    """Split a script into cells: pairs of "markdown" or "code" and the source."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith(MARKER):
            found.append(("markdown" if "[markdown]" in line else "code", []))
        elif found:
            kind, lines = found[-1]
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
        elif line.strip():
            raise ValueError(f"the first line is no cell marker: {line}")
    return [(kind, "\n".join(lines).strip("\n")) for kind, lines in found if any(map(str.strip, lines))]


def output(script: Path) -> str:
    """What a script prints.

    Raises:
        subprocess.CalledProcessError: it fails.
    """
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=script.parent)
    return done.stdout


def notebook(script: Path) -> Any:
    """The executed notebook of a script."""
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (kind, source) in enumerate(cells(script.read_text(encoding="utf-8"))):
        new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        cell = new(source)
        cell["id"] = f"{script.stem}-{number}"
        made.cells.append(cell)
    NotebookClient(made, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}).execute()
    for cell in made.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output["data"]["text/plain"] = "shown as HTML"
    made.metadata.get("language_info", {}).pop("version", None)
    return made


def main(arguments: list[str]) -> None:
    """Make the files for the scripts named, or for all."""
    outputs_only = "--outputs-only" in arguments
    names = [name for name in arguments if not name.startswith("--")]
    scripts = [HERE / f"{name}.py" for name in names] or sorted(HERE.glob("p[0-9]*.py"))
    for script in scripts:
        print(f"running {script.name}", file=sys.stderr)
        script.with_suffix(".out").write_text(output(script), encoding="utf-8")
        if not outputs_only:
            import nbformat

            nbformat.write(notebook(script), script.with_suffix(".ipynb"))


if __name__ == "__main__":
    main(sys.argv[1:])
