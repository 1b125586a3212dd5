"""``fom run``: the decisions of every side, and what is no input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.translator.command_line import CHOICES, EXAMPLES, Fom, expected


class TestRun:
    @pytest.mark.parametrize("side", ["onnx", "network", "circuit", "sentence"])
    @pytest.mark.parametrize("name", CHOICES)
    def test_decisions_are_those_of_the_example(self, fom: Fom, folders: dict[str, Path], name: str, side: str) -> None:
        found = fom("run", folders[name], "--as", side, "--inputs", EXAMPLES / name / "inputs.npz", "--json")
        assert found.code == 0
        assert found.data["decisions"] == expected(name)
        assert len(found.data["outputs"]) == len(found.data["decisions"])

    def test_outputs_come_in_the_order_of_the_file(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        words = np.array([[0, 1, 1], [1, -1, -1], [0, 0, -1], [1, 0, 1], [0, -1, -1]])
        np.savez(tmp_path / "words.npz", tokens=words)
        data = fom("run", folders["majority"], "--as", "network", "--inputs", tmp_path / "words.npz", "--json").data
        assert data["decisions"] == [1, 1, 0, 1, 0]
        single = fom("run", folders["majority"], "--as", "network", "--word", "a a", "--json").data
        assert single["outputs"] == [data["outputs"][2]]

    def test_one_word(self, fom: Fom, folders: dict[str, Path]) -> None:
        assert fom("run", folders["majority"], "--as", "sentence", "--word", "abb").out == "1\n"
        assert fom("run", folders["more_a"], "--as", "circuit", "--word", "a b a a").out == "1 0 1 1\n"
        assert fom("run", EXAMPLES / "majority" / "model.onnx", "--as", "onnx", "--word", "a a b").out == "0\n"

    def test_a_long_file_is_listed_in_part(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        words = np.random.default_rng(0).integers(0, 2, (20_000, 6))
        np.savez(tmp_path / "words.npz", words)
        found = fom("run", folders["majority"], "--as", "sentence", "--inputs", tmp_path / "words.npz")
        assert "19,980 more" in found.out
        assert len(found.out.splitlines()) < 30

    def test_what_cannot_be_run(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        run = ["run", folders["majority"], "--as"]
        assert "not in the alphabet" in fom(*run, "network", "--word", "a c").err
        assert "at least 1" in fom(*run, "network", "--word", "").err
        assert "did you mean `sentence`" in fom(*run, "sentense", "--word", "a").err
        assert fom(*run, "network").code == 2
        assert fom(*run, "network", "--inputs", tmp_path / "missing.npz").code == 2
        assert "reads 4 numbers" in fom("run", folders["mlp_xor"], "--as", "network", "--word", "a").err
        assert "did you mean" not in fom("run", tmp_path, "--as", "onnx", "--word", "a").out

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((0, 4), int),
            np.array(3.0),
            np.array([["a", "b", "a", "b"]]),
            np.array([[1j] * 4]),
            np.array([[np.nan] * 4]),
            np.array([[0, -1, 1, 1]]),
            np.array([[-1, -1, -1, -1, -1]]),
            np.array([[0, 2, 0, 0, 0]]),
        ],
        ids=lambda array: f"{array.dtype}{array.shape}",
    )
    @pytest.mark.parametrize("name", ["majority", "mlp_xor"])
    def test_arrays_that_are_no_inputs(
        self, fom: Fom, folders: dict[str, Path], name: str, array: Any, tmp_path: Path
    ) -> None:
        if name == "mlp_xor" and array.dtype.kind == "i" and array.shape == (1, 4):
            pytest.skip("four integers are four numbers")
        np.savez(tmp_path / "inputs.npz", array)
        found = fom("run", folders[name], "--as", "network", "--inputs", tmp_path / "inputs.npz")
        assert found.code == 2
        assert "error[" in found.err
        if not array.size:
            model = EXAMPLES / name / "model.onnx"
            assert fom("translate", model, "--inputs", tmp_path / "inputs.npz").code == 2

    def test_an_array_without_a_zip_around_it(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        np.save(tmp_path / "inputs.npy", np.array([[0, 1], [0, 0]]))
        found = fom("run", folders["majority"], "--as", "network", "--inputs", tmp_path / "inputs.npy", "--json")
        assert found.data["decisions"] == [1, 0]
