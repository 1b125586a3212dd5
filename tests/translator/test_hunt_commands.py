"""Command lines that contradict themselves, sentences that cannot be used, and tables that are wider than the line."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from translator import cli
from translator.terminal import table_to_lines

ROOT = Path(__file__).resolve().parents[2]
XOR = ROOT / "examples" / "mlp_xor"
Run = Callable[..., tuple[int, str, str]]
LONG = "forall x. " + " & ".join(["(a(x) -> exists y. b(y))"] * 40)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run fom; returns the exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.execute([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Translations of a network that reads words and of one that reads numbers."""
    made = {name: tmp_path_factory.mktemp(name) / "out" for name in ("majority", "mlp_xor")}
    for name, folder in made.items():
        options = ["--inputs", str(XOR / "inputs.npz")] if name == "mlp_xor" else ["--precision", "fixed:5"]
        assert (
            cli.execute(["translate", str(ROOT / "examples" / name / "model.onnx"), "-o", str(folder), *options]) == 0
        )
    return made


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("majority", ["--inputs", XOR / "inputs.npz"], "T061"),
        ("majority", ["--max-length", 10**20], "T070"),
        ("majority", ["--method", "quickly"], "T070"),
        ("majority", ["--against", "b"], "T016"),
        ("majority", ["--against", "let class[1] := b; true"], "T016"),
        ("majority", ["--against", "M x. b(x)", "--where", "b"], "T016"),
        ("majority", ["--against", "b(x)"], "T065"),
        ("majority", ["--against", "let class[4] := true; true"], "T066"),
        ("majority", ["--against", "nothing.fom"], "T015"),
        ("majority", ["--certificate", ROOT / "docs"], "T051"),
        ("mlp_xor", ["--robust", "inf", "--inputs", XOR / "inputs.npz"], "T070"),
        ("mlp_xor", ["--robust", "0.1", "--inputs", ROOT / "examples" / "majority" / "inputs.npz"], "T013"),
        ("mlp_xor", ["--property", "nothing.vnnlib"], "T110"),
    ],
)
def test_questions_that_cannot_be_asked(
    run: Run, folders: dict[str, Path], name: str, options: list[object], code: str
) -> None:
    status, out, err = run("verify", folders[name], *options)
    assert (status, out) == (2, "")
    assert f"error[{code}]" in err
    assert "= help: " in err


@pytest.mark.parametrize("kind", ["bytes", "folder"])
def test_a_file_that_is_no_sentence(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "spec.fom"
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"M x. b(x) \xff")
    status, _, err = run("eval", path, "a b")
    assert status == 2
    assert "error[T015]" in err
    assert "= help: " in err
    assert "exist" not in err


def test_long_formulas_are_formulas(run: Run) -> None:
    assert len(LONG) > os.pathconf("/", "PC_NAME_MAX")
    assert run("circuit", LONG, "--length", 2)[0] == 0
    assert run("ground", LONG, "--length", 2)[0] == 0


def test_a_model_that_was_replaced_is_not_called_verified(run: Run, folders: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "out"
    shutil.copytree(folders["majority"], folder)
    (folder / "model.onnx").write_bytes(b"something else")
    (folder / "sentence.fom").write_text((folder / "sentence.fom").read_text() + "\n")
    status, _, err = run("verify", folder, "--max-length", 2, "--method", "exhaustive")
    assert status == 0
    notes = {Path(found[1]).name: found[2] for found in re.finditer(r"note: (\S+) (.*)", err)}
    assert "present contents" in notes["sentence.fom"]
    assert "present contents" not in notes["model.onnx"]
    assert "network.jsonl" in notes["model.onnx"]


def test_a_wide_table_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    words = [f"word{number}" for number in range(40)]
    row = ("network = spec", " ".join(words), "exhaustive", "holds", "0.10 s")
    lines = table_to_lines(("claim", "scope", "method", "verdict", "time"), [row, row], right=(4,))
    texts = ["".join(text for text, _ in line).rstrip() for line in lines]
    assert max(map(len, texts)) <= 70
    assert re.findall(r"word\d+", " ".join(texts)) == words * 2
    assert [style for text, style in lines[1] if text.startswith("holds")] == ["bold green"]


def test_the_scope_is_shown_in_full(run: Run, folders: dict[str, Path]) -> None:
    where = "exists x. exists y. x < y & a(x) & b(y) & forall z. z <= x | z >= y"
    status, out, _ = run("verify", folders["majority"], "--against", "true", "--where", where, "--max-length", 3)
    assert status in (0, 1)
    assert max(map(len, out.splitlines())) <= 80
    table = out.split("\n\n")[0]
    assert all(word in table.split() for word in where.split())
