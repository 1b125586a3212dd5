"""Inputs from files: rows padded with -1 become words, tables of numbers features; anything else is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from translator.inputs import features_of, load_array, random_features, read_inputs, split_words
from translator.reading import read

HERE = Path("words.npz")


def network_of(name: str) -> Any:
    return read(Path(f"examples/{name}/model.onnx"))


def test_rows_are_split_by_length() -> None:
    rows = np.array([[0, 1, -1], [2, -1, -1], [1, 1, -1], [0, 1, 2]])
    groups, places = split_words(rows, HERE, 3)
    assert [group.tolist() for group in groups] == [[[2]], [[0, 1], [1, 1]], [[0, 1, 2]]]
    assert [place.tolist() for place in places] == [[1], [0, 2], [3]]


@pytest.mark.parametrize("row", [[0, 3, 1], [0, -1, 1], [-1, 0, 1], [0, 1, -2]])
def test_rows_that_are_no_words(row: list[int]) -> None:
    with pytest.raises(FomError, match=r"T013.*row 1 is no word"):
        split_words(np.array([[0, 0, 0], row]), HERE, 3)


@pytest.mark.parametrize("array", [np.zeros((2, 3)), np.zeros(3, dtype=int), np.array([["a", "b"]])], ids=str)
def test_words_are_a_table_of_integers(array: Any) -> None:
    with pytest.raises(FomError, match=r"T013.*words are a table of integers"):
        split_words(array, HERE, 3)


def test_an_array_is_found_by_name_or_as_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "inputs.npz"
    np.savez(path, other=np.arange(3))
    assert load_array(path, "tokens").tolist() == [0, 1, 2]
    np.savez(path, other=np.arange(3), tokens=np.arange(2))
    assert load_array(path, "tokens").tolist() == [0, 1]
    with pytest.raises(FomError, match=r"T012.*no array `x`"):
        load_array(path, "x")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FomError, match=r"T012.*does not exist"):
        load_array(tmp_path / "missing.npz", "x")
    for content in (b"", b"no archive", b"PK\x03\x04 torn"):
        (tmp_path / "torn.npz").write_bytes(content)
        with pytest.raises(FomError, match=r"T012"):
            load_array(tmp_path / "torn.npz", "x")
    np.savez(tmp_path / "objects.npz", x=np.array([{}], dtype=object))
    with pytest.raises(FomError, match=r"T012"):
        load_array(tmp_path / "objects.npz", "x")


@pytest.mark.parametrize("shape", [(0, 4), (0,), ()])
def test_files_without_inputs_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.savez(tmp_path / "inputs.npz", x=np.zeros(shape, dtype=np.int64))
    for name in ("majority", "mlp_xor"):
        with pytest.raises(FomError, match=r"T013"):
            read_inputs(tmp_path / "inputs.npz", network_of(name))


def test_features() -> None:
    rows = np.arange(12.0).reshape(3, 2, 2)
    assert features_of(rows, HERE, 4).tolist() == np.arange(12.0).reshape(3, 4).tolist()
    with pytest.raises(FomError, match=r"T013.*reads 3 numbers"):
        features_of(rows, HERE, 3)
    with pytest.raises(FomError, match=r"T013.*not finite"):
        features_of(np.array([[0.0, np.nan]]), HERE, 2)
    with pytest.raises(FomError, match=r"T013"):
        features_of(np.array([["1", "2"]]), HERE, 2)


def test_inputs_of_the_examples() -> None:
    inputs = read_inputs(Path("examples/majority/inputs.npz"), network_of("majority"))
    assert (inputs.count, inputs.max_length) == (510, 8)
    assert inputs.description == "510 words of inputs.npz"
    pictures = read_inputs(Path("examples/lenet_digits/inputs.npz"), network_of("lenet_digits"))
    assert pictures.groups[0].shape == (50, 64)


def test_words_outside_the_domain_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "inputs.npz", tokens=np.zeros((2, 11), dtype=np.int64))
    with pytest.raises(FomError, match=r"T014.*length 11"):
        read_inputs(tmp_path / "inputs.npz", network_of("contains_ab"))
    np.savez(tmp_path / "inputs.npz", tokens=np.full((2, 3), -1))
    with pytest.raises(FomError, match=r"T014.*length 0"):
        read_inputs(tmp_path / "inputs.npz", network_of("majority"))


def test_random_features_repeat() -> None:
    one, two = (random_features(network_of("mlp_xor")) for _ in range(2))
    assert np.array_equal(one.groups[0], two.groups[0])
    assert one.groups[0].shape == (1000, 4)
    assert "random" in one.description
