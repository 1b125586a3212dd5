"""The other programs: cvc5 decides SMT-LIB scripts, bitwuzla those of bit-vectors, coqc compiles lemmas."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PROGRAMS = ("cvc5", "bitwuzla", "coq")
TIMEOUT_S = 60


def find(program: str) -> str | None:
    """The version of an installed program; None if there is none."""
    if program == "coq":
        path = shutil.which("coqc")
        if path is None:
            return None
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        words = done.stdout.split()
        return words[words.index("version") + 1] if "version" in words else "unknown"
    try:
        importlib.import_module(program)
        return version(program)
    except (ImportError, PackageNotFoundError):
        return None


def takes(program: str, name: str, text: str) -> bool:
    """Tell whether a file is for a program."""
    if program == "coq":
        return name.endswith(".v")
    return name.endswith(".smt2") and (program == "cvc5" or "(set-logic QF_BV)" in text)


def decide(program: str) -> Callable[[str], str]:
    """The function that decides a text: "unsat" or "proved" if it is as expected, else what the program says."""
    return {"cvc5": with_cvc5, "bitwuzla": with_bitwuzla, "coq": with_coq}[program]


def with_cvc5(text: str) -> str:
    """The answer of cvc5 to a script."""
    cvc5: Any = importlib.import_module("cvc5")
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    solver.setOption("tlimit-per", str(TIMEOUT_S * 1000))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "obligation")
    symbols = parser.getSymbolManager()
    answers = []
    try:
        while not (command := parser.nextCommand()).isNull():
            answers.append(command.invoke(solver, symbols).strip())
    except RuntimeError as error:
        return f"error: {error}"
    return " ".join(answer for answer in answers if answer)


def with_bitwuzla(text: str) -> str:
    """The answer of bitwuzla to a script."""
    bitwuzla: Any = importlib.import_module("bitwuzla")
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.TIME_LIMIT_PER, TIMEOUT_S * 1000)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    try:
        parser.parse(text, True, False)
        return str(parser.bitwuzla().check_sat()).rsplit(".", 1)[-1].lower()
    except Exception as error:
        return f"error: {error}"


def with_coq(text: str) -> str:
    """Whether Coq compiles a file."""
    with tempfile.TemporaryDirectory(prefix="fom.") as folder:
        path = Path(folder) / "lemma.v"
        path.write_text(text, encoding="utf-8")
        command = [shutil.which("coqc") or "coqc", "-q", path.name]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return "timeout"
    return "proved" if done.returncode == 0 else "error: " + " ".join(done.stderr.split())[:300]
