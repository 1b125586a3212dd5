"""Runs of fom: what each said, and the examples that the tests of the command line translate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CHOICES = {
    "majority": [],
    "more_a": ["--depth", "balanced", "--inputs", str(EXAMPLES / "more_a" / "inputs.npz")],
    "mlp_xor": ["--inputs", str(EXAMPLES / "mlp_xor" / "inputs.npz")],
}


@dataclass(frozen=True)
class Result:
    """What one run of fom said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


Fom = Callable[..., Result]


def expected(name: str) -> Any:
    """The decisions of the example's onnxruntime outputs, as lists without padding."""
    rows = np.load(EXAMPLES / name / "expected.npz")["decision"].tolist()
    return [[value for value in row if value >= 0] for row in rows] if isinstance(rows[0], list) else rows


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start fom as a program of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "translator.cli", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
