"""How the arrays that fom works with, words or flat features, become the inputs of the ONNX file.

A network reads words whose letters may stand for several ONNX inputs at once (tokens with their types), or flat features that
are the concatenation of several static inputs. Inputs that were bound have their value; all others have the value that the
reader assumed: types and segments 0, positions 0, 1, .., masks 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from translator.real import RealNetwork

Array = np.ndarray[Any, Any]

ELEMENT_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64,
    "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


@dataclass(frozen=True, slots=True)
class Fed:
    """An ONNX input that fom's input determines: ``letter // stride % count``, or `size` of the flat features (count 0)."""

    name: str
    stride: int
    count: int
    size: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Feeding:
    """The inputs that are fed, in the order of the features; inputs with a fixed value, and dimensions with a fixed size."""

    fed: tuple[Fed, ...] = ()
    bound: tuple[tuple[str, Any], ...] = ()

    def inputs(self, given: Sequence[Any], array: Array) -> dict[str, Array]:
        """The feeds of an onnxruntime session with the inputs `given`, for words ``(B, n)`` or features ``(B, total)``."""
        names = {fed.name for fed in self.fed}
        bound = dict(self.bound)
        feeds: dict[str, Array] = {}
        start = 0
        for fed in self.fed:
            if fed.count:
                feeds[fed.name] = array // fed.stride % fed.count
            else:
                feeds[fed.name] = array[:, start : start + fed.size]
                start += fed.size
        for place, node in enumerate(given):
            kind = ELEMENT_TYPES.get(node.type, np.float32)
            if node.name in bound:
                value = np.asarray(bound[node.name])
                whole = value.ndim == len(node.shape) and not (node.shape and isinstance(node.shape[0], str))
                feeds[node.name] = value if whole else np.repeat(value, len(array), axis=0)
            elif node.name not in names and (self.fed or place):
                sizes = [
                    int(size if isinstance(size, int) else bound.get(size, array.shape[min(axis, array.ndim - 1)]))
                    for axis, size in enumerate(node.shape)
                ]
                feeds[node.name] = assumed(node.name, sizes)
            elif not self.fed:
                feeds[node.name] = array
            if node.name not in bound and (node.name in names or not self.fed):
                feeds[node.name] = self.shaped(node, feeds[node.name], kind)
            feeds[node.name] = feeds[node.name].astype(kind)
        return feeds

    def shaped(self, node: Any, array: Array, kind: Any) -> Array:
        """Rows in the shape that the file declares; the batch is the first axis."""
        own = next((fed.shape for fed in self.fed if fed.name == node.name and not fed.count), None)
        if own is not None:
            if len(own) == len(node.shape) and own and (isinstance(node.shape[0], str) or own[0] == 1):
                return array.reshape(len(array), *own[1:])
            return array.reshape(own) if len(array) == 1 else array
        shape = [size if isinstance(size, int) else -1 for size in node.shape]
        if array.ndim != len(shape) or (np.dtype(kind).kind == "f" and len(shape) > 1):
            return array.reshape(len(array), *shape[1:]) if len(shape) > 1 else array.reshape(shape)
        return array

    def to_data(self) -> dict[str, Any]:
        """Plain data for the manifest."""
        fed = [[fed.name, fed.stride, fed.count, fed.size, list(fed.shape)] for fed in self.fed]
        return {"fed": fed, "bound": {name: np.asarray(value).tolist() for name, value in self.bound}}


def feeding_of(network: RealNetwork, bind: Mapping[str, Any]) -> Feeding:
    """How a network that was read with `bind` is fed."""
    nodes = {node.name: node for node in network.features}
    fed = []
    for given in network.inputs:
        node = nodes.get(given.node)
        fed.append(Fed(given.name, given.stride, given.count, node.size if node else 0, node.shape if node else ()))
    return Feeding(tuple(fed), tuple((name, value) for name, value in bind.items() if not isinstance(value, str)))


def feeding_of_data(data: Any) -> Feeding:
    """Read what `Feeding.to_data` wrote.

    Raises:
        FomError: the data says nothing of the kind.
    """
    try:
        fed = tuple(Fed(str(n), int(a), int(c), int(s), tuple(map(int, shape))) for n, a, c, s, shape in data["fed"])
        return Feeding(fed, tuple(data["bound"].items()))
    except (KeyError, TypeError, ValueError) as error:
        raise fail("T053", f"the manifest is damaged: {error}", help="translate again") from None


def parse_bindings(options: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` with a number, a list of numbers, true, false, a file of an array (@FILE.npy), or another symbol.

    Raises:
        FomError: it is none of these.
    """
    found: dict[str, Any] = {}
    for option in options:
        name, mark, text = option.partition("=")
        if not mark or not name or not text:
            raise fail(
                "T075", f"--bind is name=value, not `{option}`", help="for instance --bind k=3 or --bind axes=[0,1]"
            )
        if text.startswith("@"):
            try:
                found[name] = np.load(Path(text[1:]), allow_pickle=False)
            except (OSError, ValueError) as error:
                raise fail(
                    "T075", f"no array can be read: {error}", where=text[1:], help="write it with numpy.save"
                ) from None
            continue
        try:
            found[name] = np.asarray(json.loads(text))
        except ValueError:
            if not text.isidentifier():
                message = f"--bind {name} is a number, a list or a symbol, not `{text}`"
                raise fail(
                    "T075", message, help="for instance --bind k=3, --bind axes=[0,1] or --bind rows=columns"
                ) from None
            found[name] = text
        if not isinstance(found[name], str) and found[name].dtype.kind not in "biuf":
            raise fail("T075", f"--bind {name} holds no numbers: {text}", help="for instance --bind axes=[0,1]")
    return found


def parse_tracks(options: Sequence[str]) -> dict[str, str]:
    """Read ``name=letters`` and ``name=bits``.

    Raises:
        FomError: it is none of these.
    """
    found: dict[str, str] = {}
    for option in options:
        name, _, kind = option.partition("=")
        if not name or kind not in ("letters", "bits"):
            raise fail(
                "T075", f"--input is name=letters or name=bits, not `{option}`", help="--input token_type_ids=bits"
            )
        found[name] = kind
    return found


def assumed(name: str, sizes: list[int]) -> Array:
    """The values of an input that is not fed, by its name."""
    lowered = name.lower()
    if "type" in lowered or "segment" in lowered:
        return np.zeros(sizes)
    if "position" in lowered and sizes:
        return np.broadcast_to(np.arange(sizes[-1]), sizes).copy()
    return np.ones(sizes)
