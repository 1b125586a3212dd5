"""Inputs from files: the .npz format of `fom run --inputs`, one array for each ONNX input."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from translator.feeding import Feeding, feeding_of
from translator.fidelity import InputSet
from translator.real import RealNetwork

RANDOM_FEATURES = 1_000
FEW_WHOLE = 16


def load_array(path: Path, name: str) -> Any:
    """The array of the network's input: named after it, or the only one in the file.

    Raises:
        FomError: the file is missing, is no .npz, or has no such array.
    """
    try:
        with path.open("rb") as stream:  # opened here, because numpy leaves a torn archive open
            file = np.load(stream, allow_pickle=False)
            arrays = {name: file} if isinstance(file, np.ndarray) else {key: file[key] for key in file.files}
    except FileNotFoundError:
        raise fail(
            "T012", "the file of inputs does not exist", where=str(path), help="write one with numpy.savez"
        ) from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, AttributeError) as error:
        raise fail(
            "T012", f"not an .npz file of arrays: {error}", where=str(path), help="write it with numpy.savez"
        ) from None
    if name in arrays or len(arrays) == 1:
        array = arrays[name] if name in arrays else next(iter(arrays.values()))
        if array.ndim == 0 or not len(array):
            raise fail(
                "T013", f"no inputs in an array of shape {array.shape}", where=str(path), help="one row for each input"
            )
        return array
    raise fail(
        "T012",
        f"no array `{name}` in the file",
        where=str(path),
        note=f"it has: {', '.join(arrays) or 'nothing'}",
        help="name the array after the ONNX input",
    )


def load_inputs(path: Path, feeding: Feeding, name: str) -> Any:
    """The inputs of a file as one array: letters that stand for several ONNX inputs, or features one after another.

    Raises:
        FomError: an array is missing, or the arrays have different numbers of rows.
    """
    if len(feeding.fed) < 2:
        return load_array(path, feeding.fed[0].name if feeding.fed else name)
    arrays = [np.asarray(load_array(path, fed.name)) for fed in feeding.fed]
    counts = {len(array) for array in arrays}
    shapes = {array.shape for fed, array in zip(feeding.fed, arrays, strict=True) if fed.count}
    if len(counts) > 1 or len(shapes) > 1:
        raise fail(
            "T013", "the arrays have different shapes", where=str(path), help="one row for each case in each array"
        )
    if feeding.fed[0].count:
        letters = sum(np.maximum(array, 0) * fed.stride for fed, array in zip(feeding.fed, arrays, strict=True))
        for fed, array in zip(feeding.fed, arrays, strict=True):
            if array.size and array.max() >= fed.count:
                raise fail("T013", f"`{fed.name}` holds numbers beyond {fed.count - 1}", where=str(path))
        return np.where(arrays[0] < 0, -1, letters)
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def split_words(array: Any, path: Path, n_letters: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Split rows padded with −1 into arrays of one length each, with the places of their rows.

    Raises:
        FomError: the array is no table of letter numbers.
    """
    array = np.asarray(array)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        raise fail(
            "T013",
            f"words are a table of integers, found {array.dtype} of shape {array.shape}",
            where=str(path),
            help="one row for each word, shorter words padded with -1",
        )
    lengths = (array >= 0).sum(axis=1)
    padding = np.arange(array.shape[1]) < lengths[:, None]
    wrong = ((array >= 0) != padding) | (array >= n_letters) | (array < -1)
    if wrong.any():
        row = int(np.flatnonzero(wrong.any(axis=1))[0])
        raise fail(
            "T013",
            f"row {row} is no word: {array[row].tolist()}",
            where=str(path),
            note=f"letters are 0..{n_letters - 1}, padding is -1 and only at the end",
        )
    groups, places = [], []
    for n in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == n)
        groups.append(array[rows, :n].astype(np.int64))
        places.append(rows)
    return tuple(groups), tuple(places)


def read_inputs(path: Path, network: RealNetwork) -> InputSet:
    """The inputs of a file as a set for fidelity.

    Raises:
        FomError: they do not fit the network.
    """
    array = load_inputs(path, feeding_of(network, {}), network.input_name)
    if network.alphabet_size:
        groups, _ = split_words(array, path, network.alphabet_size)
        for group in groups:
            n = group.shape[1]
            most = network.domain.most
            if n < network.domain.least or (most is not None and n > most):
                raise fail(
                    "T014",
                    f"the file has words of length {n}, outside the domain",
                    where=str(path),
                    note=network.domain.reason,
                )
        return InputSet(groups, f"{len(array):,} words of {path.name}", max(group.shape[1] for group in groups))
    return InputSet((features_of(array, path, feature_size(network)),), f"{len(array):,} inputs of {path.name}", None)


def features_of(array: Any, path: Path, size: int) -> Any:
    """Flatten the rows of a table of numbers.

    Raises:
        FomError: a row has another number of numbers, or one of them is not finite.
    """
    if array.dtype.kind not in "fiub":
        raise fail(
            "T013", f"inputs are real numbers, found {array.dtype}", where=str(path), help="write them as float32"
        )
    flat = np.asarray(array, dtype=np.float64).reshape(len(array), -1)
    if flat.shape[1] != size:
        raise fail(
            "T013", f"the network reads {size} numbers, a row has {flat.shape[1]}", where=str(path),
            help="one row for each input, and in it the numbers of the ONNX inputs in their order",
        )  # fmt: skip
    if not np.isfinite(flat).all():
        raise fail("T013", "a number is not finite", where=str(path), help="leave out rows with NaN or infinity")
    return flat


def feature_size(network: RealNetwork) -> int:
    """How many numbers a static network reads."""
    return sum(node.size for node in network.features)


def random_features(network: RealNetwork) -> InputSet:
    """Random inputs, for a static network without data: standard normal, and whole numbers where the file declares these."""
    random = np.random.default_rng(0)
    ranges = {node.dtype: whole_range(node.dtype) for node in network.features}
    values = np.concatenate([drawn(random, ranges[node.dtype], node.size) for node in network.features], axis=1)
    said = [
        "standard normal" if found is None else f"{kind} from {found[0]} to {found[1]}"
        for kind, found in ranges.items()
    ]
    described = f"{RANDOM_FEATURES:,} random inputs, {', '.join(said)} (give data with --inputs)"
    return InputSet((values,), described, None)


def drawn(random: np.random.Generator, whole: tuple[int, int] | None, size: int) -> Any:
    """Rows of random numbers: whole ones of a range, or standard normal."""
    if whole is None:
        return random.standard_normal((RANDOM_FEATURES, size))
    return random.integers(whole[0], whole[1], (RANDOM_FEATURES, size), endpoint=True).astype(np.float64)


def whole_range(dtype: str) -> tuple[int, int] | None:
    """The numbers to draw for an element type: all truth values and bytes, a few of the wider whole numbers; None for reals."""
    if dtype == "bool":
        return 0, 1
    if dtype.startswith("uint"):
        return 0, 255 if dtype == "uint8" else FEW_WHOLE - 1
    if dtype.startswith("int"):
        return (-128, 127) if dtype == "int8" else (-FEW_WHOLE // 2, FEW_WHOLE // 2 - 1)
    return None
