"""The program as a whole: help, usage errors, bugs, closed pipes, and how amounts are read and written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from circuits.diagnostics import FomError
from tests.translator.command_line import ROOT, Fom, start
from translator import cli, report
from translator.commands import options


class TestProgram:
    def test_help_is_quick_and_imports_nothing_heavy(self) -> None:
        heavy = {"numpy", "scipy", "onnx", "onnxruntime", "z3", "pysmt", "sympy", "lark", "rich"}
        assert "translate" in printed_without(heavy, [["--help"]])

    def test_what_reads_no_model_and_asks_no_solver_imports_neither(
        self, folders: dict[str, Path], tmp_path: Path
    ) -> None:
        folder, file = str(folders["majority"]), tmp_path / "spec.fom"
        file.write_text("letters a, b;\nM x. b(x)\n")
        commands = [
            ["fmt", "--check", str(file)],
            ["eval", "M x. b(x)", "abb"],
            ["show", folder, "class[1]"],
            ["run", folder, "--as", "network", "--word", "abb"],
            ["run", folder, "--as", "circuit", "--word", "abb"],
            ["run", folder, "--as", "sentence", "--word", "abb"],
            ["circuit", folder, "--length", "2"],
        ]
        assert "true" in printed_without({"onnx", "onnxruntime", "z3", "pysmt", "sympy"}, commands)

    def test_usage(self, fom: Fom) -> None:
        assert fom("--help").code == 0
        assert fom().code == 2
        assert fom("--version").out.startswith("fom ")
        assert "error[T070]" in fom("transalte").err
        assert "error[T070]" in fom("translate").err
        assert "error[L080]" in fom("check", "out").err

    def test_a_bug_is_told_apart(self, fom: Fom, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise IndexError("no such thing")

        monkeypatch.setattr("translator.store.load", broken)
        found = fom("show", folders["majority"])
        assert found.code == 70
        assert "a bug in fom: please report" in found.err
        assert "IndexError" in found.err

    def test_a_closed_pipe_is_no_error(self, folders: dict[str, Path]) -> None:
        with start(["show", str(folders["majority"]), "--full"], ROOT) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == ""
            assert process.wait(timeout=20) == cli.OUTPUT_CLOSED

    @pytest.mark.parametrize(
        ("text", "amount"), [("8GB", 8 * 10**9), ("500 mb", 5 * 10**8), ("2GiB", 2 << 30), ("1.5k", 1500), ("77", 77)]
    )
    def test_memory(self, text: str, amount: int) -> None:
        assert options.parse_memory(text) == amount

    def test_no_memory(self) -> None:
        with pytest.raises(FomError, match="amount of memory"):
            options.parse_memory("8 apples")

    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "0"), (9_999_999, "9,999,999"), (10**7, "1.0e7"), (99_999_999, "1.0e8"), (12 * 10**3000, "1.2e3001")],
    )
    def test_magnitude(self, number: int, text: str) -> None:
        assert report.magnitude(number) == text


def printed_without(heavy: set[str], commands: list[list[str]]) -> str:
    """What a fresh process prints that runs fom several times, each without an error and without importing these modules."""
    script = f"""
import sys
from translator import cli
for command in {commands!r}:
    if cli.execute(command):
        sys.exit(f"error: {{command}}")
    if found := {heavy!r} & set(sys.modules):
        sys.exit(f"{{command}} imports {{found}}")
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
