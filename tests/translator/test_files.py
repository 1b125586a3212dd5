"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from circuits.diagnostics import FomError
from translator.files import replacing_file


def test_files_are_replaced_with_their_permissions(tmp_path: Path) -> None:
    real, link = tmp_path / "real.fom", tmp_path / "link.fom"
    real.write_text("a(1)&b(1)")
    os.chmod(real, 0o640)
    link.symlink_to(real)
    with replacing_file(link) as out:
        out.write(b"a(1) & b(1)\n")
    assert link.is_symlink()
    assert real.read_text() == "a(1) & b(1)\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.fom", "real.fom"]


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "circuit.aig"
    path.write_text("before")

    def fail_half_way() -> None:
        with replacing_file(path) as out:
            out.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert path.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["circuit.aig"]


def test_what_is_no_file_is_written_to() -> None:
    with replacing_file(Path(os.devnull)) as out:
        out.write(b"anything")
    assert not Path(os.devnull).is_file()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FomError, match="T051"), replacing_file(tmp_path / "none" / "file"):
        pass
