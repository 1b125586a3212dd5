"""What the documentation claims is what the code does: examples run, codes, options, operators and links exist."""

from __future__ import annotations

import ast
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import onnx
import pytest

from translator import cli
from translator.reading.loading import Operator
from translator.reading.operators import OPERATORS
from translator.reading.table import CARRYING
from translator.reading.walking import is_supported

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")],
    key=lambda path: path.as_posix(),
)
CODE = re.compile(r"[CLNT]\d{3}")
SECONDS = re.compile(r"\d+\.\d+ s\b")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run(arguments: list[str], folder: Path) -> str:
    """Run Python in a folder beside the examples; what it prints, on both streams."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout
    return done.stdout


def run_fom(arguments: list[str]) -> list[str]:
    """Run fom in this process; the lines that it prints, on both streams."""
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        assert cli.execute(arguments) in (0, 1), printed.getvalue()
    return printed.getvalue().splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which the examples can be reached as in a checkout."""
    made = tmp_path_factory.mktemp("checkout")
    (made / "examples").symlink_to(ROOT / "examples")
    return made


def commands() -> Iterator[tuple[str, list[str]]]:
    """The commands that the README shows, with the lines printed below them."""
    for block in blocks(README, ""):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed.splitlines()


def test_the_commands_of_the_readme_print_what_it_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    found = list(commands())
    assert len(found) >= 6
    for command, expected in found:
        name, *arguments = shlex.split(command, comments=True)
        assert name == "fom"
        printed = [SECONDS.sub("_", line).rstrip() for line in run_fom(arguments)]
        place = 0
        for line in expected:
            wanted = SECONDS.sub("_", line).rstrip()
            if wanted != "...":
                assert wanted in printed[place:], f"`{command}` does not print: {line}\n" + "\n".join(printed)
                place = printed.index(wanted, place) + 1


def test_the_example_of_the_readme_runs(folder: Path) -> None:
    (block,) = blocks(README, "python")
    printed = run(["-c", block], folder).splitlines()
    assert printed[0] == "510 of 510"
    assert printed[-1] == "circuit = sentence holds every length n compositional"


def test_the_example_of_the_proofs_page_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    first, ledger = blocks((ROOT / "docs" / "proofs.md").read_text(encoding="utf-8"), "python")
    if not (folder / "out").is_dir():
        run_fom(["translate", "examples/majority/model.onnx", "-o", "out"])
    script = first + "\nprint(len(scripts), scripts[0][1].splitlines()[0])\n" + ledger
    *lemmas, said, summary = run(["-c", script], folder).splitlines()
    assert said.endswith("(set-logic QF_LIA)")
    assert all(re.match(r"(z3|enumeration|coefficients|structure) \d+ ", line) for line in lemmas)
    assert re.fullmatch(r"0 of \d+ obligations from the ledger", summary)


@cache
def codes_in_source() -> set[str]:
    """The diagnostic codes that the packages use: string constants of that form."""
    found = set()
    for package in ("circuits", "logic", "translator"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    found.add(node.value)
    return found


def test_every_diagnostic_is_documented_once_and_every_documented_one_is_used() -> None:
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([A-Z]\d{3}) \| \S.* \| \S.* \|$", text, re.MULTILINE)
    assert sorted(listed) == sorted(codes_in_source())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_codes_and_links_of_a_page_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"`([CLNT]\d{3})`", text)) <= codes_in_source()
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_commands_and_options_of_the_readme_exist() -> None:
    import typer.main

    from translator.cli import app

    group = typer.main.get_command(app)
    visible = {name: command for name, command in group.commands.items() if not command.hidden}  # type: ignore[attr-defined]
    options = {
        option
        for command in [group, *visible.values()]
        for one in command.params
        for option in [*one.opts, *one.secondary_opts]
    }
    assert {command.split()[1] for command, _ in commands()} <= set(visible)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= options | {"--help"}


def test_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)) <= set(targets)


def test_the_readme_lists_the_operators_that_are_read() -> None:
    listed = re.search(
        r"^\*\*Operators\.\*\* All of ONNX's default domain[^:]*:(.*?)\. ", README, re.MULTILINE | re.DOTALL
    )
    assert listed is not None
    schemas = {s.name: s for s in onnx.defs.get_all_schemas() if s.domain in ("", "ai.onnx") and not s.deprecated}
    refused = {name for name in schemas if not is_supported(bare(name), onnx.defs.onnx_opset_version())}
    refused -= {"Constant"}  # always folded
    assert listed[1].split() == sorted(refused)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    count = re.search(r"table of (\d+) operators", page)
    assert count is not None
    assert int(count[1]) == len(set(OPERATORS) | set(CARRYING))


def bare(name: str) -> Operator:
    """An operator without inputs."""
    return Operator(0, name, name, "", (), (), {}, onnx.helper.make_node(name, [], []))


def test_decisions_are_numbered() -> None:
    paths = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in paths] == list(range(1, len(paths) + 1))
    for path in paths:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. ")


def test_the_benchmarks_have_every_example() -> None:
    from benchmarks.core import tables

    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for path in ROOT.glob("examples/*/model.onnx"):
        assert f"| `{path.parent.name}` |" in text
    assert "| `none` | not measured |" in tables([{"name": "none", "stages": {}}])
