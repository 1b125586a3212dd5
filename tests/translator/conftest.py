"""The command line inside the test's process, and the translations that its tests share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import pytest
import typer.main

from tests.once import made_once
from tests.translator.command_line import CHOICES, EXAMPLES, Fom, Result


@pytest.fixture(scope="session", autouse=True)
def _command_line_built_once() -> Iterator[None]:
    """A program reads one command line; the tests read hundreds, and typer would inspect every command again for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def fom(capsys: pytest.CaptureFixture[str]) -> Fom:
    """Run fom in this process."""
    from translator import cli

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = cli.execute([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Translations of a classifier, a tagger, and a network of numbers; all tests share them, so none writes there."""
    from translator import cli

    def translate(name: str, folder: Path) -> None:
        path = EXAMPLES / name / "model.onnx"
        assert cli.execute(["translate", str(path), "-o", str(folder), *CHOICES[name]]) == 0

    return {name: made_once(tmp_path_factory, f"translation of {name}", partial(translate, name)) for name in CHOICES}
