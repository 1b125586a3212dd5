"""Command lines that contradict themselves, sentences that cannot be used, and tables that are wider than the line."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
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
    made = {name: tmp_path_factory.mktemp(name) / "out" for name in ("half_a", "mlp_xor")}
    for name, folder in made.items():
        options = ["--inputs", str(XOR / "inputs.npz")] if name == "mlp_xor" else ["--precision", "fixed:4"]
        assert (
            cli.execute(["translate", str(ROOT / "examples" / name / "model.onnx"), "-o", str(folder), *options]) == 0
        )
    return made


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("half_a", ["--inputs", XOR / "inputs.npz"], "T061"),
        ("half_a", ["--max-length", 10**20], "T070"),
        ("half_a", ["--method", "quickly"], "T070"),
        ("half_a", ["--against", "b"], "T016"),
        ("half_a", ["--against", "let class[1] := b; true"], "T016"),
        ("half_a", ["--against", "M x. b(x)", "--where", "b"], "T016"),
        ("half_a", ["--against", "b(x)"], "T065"),
        ("half_a", ["--against", "let class[4] := true; true"], "T066"),
        ("half_a", ["--against", "nothing.fom"], "T015"),
        ("half_a", ["--certificate", ROOT / "docs"], "T051"),
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
    shutil.copytree(folders["half_a"], folder)
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
    status, out, _ = run("verify", folders["half_a"], "--against", "true", "--where", where, "--max-length", 3)
    assert status in (0, 1)
    assert max(map(len, out.splitlines())) <= 80
    table = out.split("\n\n")[0]
    assert all(word in table.split() for word in where.split())


def test_a_long_name_in_a_wide_table_stays_in_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [("blocks0.attention.query.scaled", "blocks0.attention.products.left", "fixed-point, 9 bits", "100%")]
    lines = table_to_lines(("linear map", "reads", "weights", "not 0"), rows, right=(3,))
    texts = ["".join(text for text, _ in line).rstrip() for line in lines]
    assert max(map(len, texts)) <= 60
    assert texts[1].endswith("100%")
    assert len({text.find("fixed-point") for text in texts if "fixed-point" in text}) == 1
    assert "blocks0.attention.queryscaled" in "".join(line[0][0].strip() for line in lines[1:]).replace(
        ".scaled", "scaled"
    )


def fom(arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run fom from a shell, with redirections."""
    command = f"exec {shlex.quote(sys.executable)} -m translator.cli {arguments}"
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, encoding="utf-8")


def test_an_encoding_without_the_signs_of_logic(tmp_path: Path) -> None:
    path = tmp_path / "spec.fom"
    path.write_text("forall x. a(x)")
    shown = fom(f"fmt --unicode - < {path}", PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stdout.strip()) == (0, r"\u2200x. a(x)")
    found = fom("eval 'é' a --json", PYTHONIOENCODING="ascii")
    assert found.returncode == 2
    assert "é" in json.loads(found.stdout)["error"][0]["where"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("option", ["", "--json"])
def test_no_room_on_stdout(option: str) -> None:
    found = fom(f"eval 'M x. a(x)' a {option} > /dev/full")
    assert found.returncode == 2
    assert "error[T051]: stdout cannot be written" in found.stderr
    assert "Traceback" not in found.stderr


def test_closed_streams() -> None:
    assert fom("eval 'M x. a(x)' a >&-").returncode == cli.OUTPUT_CLOSED
    assert fom("circuit 'M x. a(x)' --length 2 --format json >&-").returncode == cli.OUTPUT_CLOSED
    assert fom("verify nothing 2>&-").returncode == cli.UNUSABLE


def test_a_device_is_no_network(run: Run) -> None:
    status, _, err = run("translate", "/dev/zero")
    assert status == 2
    assert "error[N002]" in err


def test_a_link_to_a_translation_stays_a_link(run: Run, folders: dict[str, Path], tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    shutil.copytree(folders["mlp_xor"], folder)
    link.symlink_to(folder)
    model = str(ROOT / "examples" / "mlp_xor" / "model.onnx")
    assert run("translate", model, "-o", link, "--precision", "fixed:7", "--inputs", XOR / "inputs.npz")[0] == 0
    assert link.is_symlink()
    assert json.loads((folder / "manifest.json").read_text())["precision"] == "fixed:7"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "link"]


@pytest.mark.parametrize("where", ["nowhere/page.html", "."])
def test_a_page_that_cannot_be_written_is_refused_at_once(run: Run, folders: dict[str, Path], where: str) -> None:
    status, out, err = run("explain", folders["half_a"], "--html", where)
    assert (status, out) == (2, "")
    assert "error[T051]" in err
    assert "searching" not in err


@pytest.mark.parametrize("command", [["circuit", "--length"], ["ground", "--length"]])
def test_lengths_beyond_reason(run: Run, command: list[str]) -> None:
    status, out, err = run(command[0], "M x. b(x)", command[1], 10**20)
    assert (status, out) == (2, "")
    assert "error[T070]" in err


@pytest.mark.parametrize("content", [None, b"a b \xff"])
def test_words_that_cannot_be_read(run: Run, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    status, _, err = run("eval", "M x. b(x)", "--words", path)
    assert status == 2
    assert "error[T018]" in err
    assert "= help: " in err


def test_a_folder_is_no_file_to_write(run: Run, tmp_path: Path) -> None:
    status, _, err = run("ground", "M x. b(x)", "-o", tmp_path)
    assert status == 2
    assert "error[T051]" in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_loaded_by_its_name(folders: dict[str, Path]) -> None:
    import translator

    assert translator.load(str(folders["mlp_xor"])).manifest == translator.load(folders["mlp_xor"]).manifest
