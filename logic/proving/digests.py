"""Digests of what an obligation says: of nodes, entries and keys, by their contents alone.

A value is fed to the hash with its type and its length, so different values are different texts. The digest of a node covers all
that its proof may read: the node, its entries with everything they read, and so on for all nodes above it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.entries import Accumulator, Gates
from circuits.family import Family
from circuits.network import Exact, Network, Node, references
from logic.proving.linear import bit_names

FOLDERS = ("circuits", "logic", "logic/proving", "logic/smt")


def digest(*values: Any) -> str:
    """The digest of some values: numbers, texts, arrays, matrices, and tuples and dataclasses of these.

    Raises:
        TypeError: a value of another type.
    """
    state = hashlib.blake2b(digest_size=20)
    for value in values:
        feed(state, value)
    return state.hexdigest()


def feed(state: Any, value: Any) -> None:
    """Add one value to a hash."""
    kind = type(value).__name__
    match value:
        case None | bool() | int() | float():
            part(state, kind, repr(value).encode())
        case str():
            part(state, kind, value.encode("utf-8", "surrogatepass"))
        case bytes():
            part(state, kind, value)
        case np.ndarray():
            part(state, f"array {value.dtype.str} {value.shape}", np.ascontiguousarray(value).tobytes())
        case np.generic():
            part(state, f"number {value.dtype.str}", value.tobytes())
        case csr_array():
            part(state, f"matrix {value.shape}", b"")
            for array in (value.indptr, value.indices, value.data):
                feed(state, array.astype(np.int64))
        case tuple() | list():
            part(state, f"{kind} {len(value)}", b"")
            for inner in value:
                feed(state, inner)
        case _ if is_dataclass(value):
            part(state, kind, b"")
            for field in fields(value):
                part(state, field.name, b"")
                feed(state, getattr(value, field.name))
        case Fraction():
            part(state, kind, f"{value.numerator}/{value.denominator}".encode())
        case _:
            raise TypeError(f"no digest of {kind}")


def part(state: Any, kind: str, content: bytes) -> None:
    """Add one content with its kind and length."""
    state.update(f"{kind}:{len(content)}:".encode())
    state.update(content)


@cache
def prover() -> str:
    """The digest of the prover: the sources that take part, and the versions of the libraries."""
    root = Path(__file__).resolve().parents[2]
    found: list[Any] = []
    for folder in FOLDERS:
        paths = sorted([*(root / folder).glob("*.py"), *(root / folder).glob("*.lark")])
        found += [(path.relative_to(root).as_posix(), path.read_bytes()) for path in paths]
    for name in ("z3-solver", "pysmt", "lark", "numpy", "scipy"):
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, ""))
    return digest(*found)


def entry_digests(family: Family, owned: Iterable[str]) -> dict[str, str]:
    """For each entry the digest of what it is, of what it reads, and of whether it belongs to a node."""
    names = set(owned)
    found: dict[str, str] = {}
    for entry in family.entries:
        read = [found[wires.source] for wires in entry.wires] if isinstance(entry, Gates | Accumulator) else []
        found[entry.name] = digest(entry, entry.name in names, read)
    return found


def node_digests(network: Network, family: Family) -> dict[str, str]:
    """For each node the digest of its contract: the node, its entries, and the contracts of what it reads."""
    names = {node.name: entry_names(node) for node in network.nodes}
    entries = entry_digests(family, (name for own in names.values() for name in own))
    shared = digest(prover(), network.domain, network.alphabet, network.inputs, family.domain, family.alphabet)
    found: dict[str, str] = {}
    for node in network.nodes:
        own = [entries.get(name, "") for name in names[node.name]]
        found[node.name] = digest(shared, node, own, [found[ref.node] for ref, _ in references(node)])
    return found


def entry_names(node: Node) -> list[str]:
    """The entries that belong to a node by their names."""
    return (
        [node.name] if isinstance(node, Exact) else list(dict.fromkeys((node.name, *bit_names(node.name, node.format))))
    )
