"""What a network is compared with: a specification, or another network, each with what it answers on a word."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import isfile, join
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.network import Network
from logic.comparing.specification import Specification
from logic.telling import Progress
from translator.sides import Source
from translator.verifying.replaying import Replay

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class SpecifiedRival:
    """A specification.

    Attributes:
        compared: what methods compare the network with.
        side: its name in claims.
        notes: what a reader should know.
    """

    compared: Specification
    side: str = "spec"
    notes: tuple[str, ...] = ()

    @property
    def restriction(self) -> str:
        """The classes that are not compared, in words."""
        return self.compared.restriction

    def answers(self, row: Integers) -> dict[str, Any]:
        """What is specified."""
        return {"spec": self.compared.answer(self.compared.truth(row[None])[0])}


@dataclass(frozen=True)
class NetworkRival:
    """Another network, translated too; the attributes are those of `SpecifiedRival`."""

    source: Source
    notes: tuple[str, ...] = ()
    side: str = "other"
    restriction: str = ""

    @property
    def compared(self) -> Network:
        """The other network."""
        return self.source.network

    def answers(self, row: Integers) -> dict[str, Any]:
        """What the representations of the other network decide."""
        return {f"other {side}": value for side, value in Replay(self.source).decisions(row).items()}


Rival = SpecifiedRival | NetworkRival


def names_network(text: str) -> bool:
    """Tell whether ``--against`` names another network: an ONNX file, or the folder of a translation."""
    from translator.store import MANIFEST

    return text.endswith(".onnx") or isfile(join(text, MANIFEST))


def read_rival(text: str, network: Network, progress: Progress) -> Rival:
    """Read a specification, or translate or load another network.

    Raises:
        FomError: it cannot be read, or cannot be compared with the network.
    """
    from translator.specification import read_specification

    if not names_network(text):
        return SpecifiedRival(read_specification(text, network))
    from translator.pipeline import translate
    from translator.store import load

    if text.endswith(".onnx"):
        alphabet = ",".join(network.alphabet) or None
        source: Source = translate(text, progress, **({"alphabet": alphabet} if alphabet else {}))
    else:
        source = load(Path(text))
    require_comparable(network, source.network, text)
    return NetworkRival(source, domain_notes(network, source.network))


def require_comparable(network: Network, other: Network, text: str) -> None:
    """Refuse another network that reads or answers something else.

    Raises:
        FomError: with the first difference.
    """
    one, two = network.decided, other.decided
    if network.alphabet != other.alphabet:
        raise fail(
            "T074",
            f"the other network reads the letters {' '.join(other.alphabet) or 'of no alphabet'}, this one "
            f"{' '.join(network.alphabet) or 'of no alphabet'}",
            where=text,
            help="translate both with the same --alphabet",
        )
    if one.n_positions != two.n_positions:
        raise fail("T074", "one network answers at every position, the other once for each word", where=text)
    if (one.kind == "value") != (two.kind == "value") or classes_of(network) != classes_of(other):
        raise fail(
            "T074",
            f"this network decides between {classes_of(network) or 'numbers'}, the other between "
            f"{classes_of(other) or 'numbers'} classes",
            where=text,
        )
    if len(network.inputs) != len(other.inputs) or [node.size for node in network.inputs] != [
        node.size for node in other.inputs
    ]:
        raise fail("T074", "the two networks read inputs of different sizes", where=text)


def classes_of(network: Network) -> int:
    """How many classes a network decides between; 0 if it answers with numbers."""
    readout = network.decided
    return {"value": 0, "logit": 2}.get(readout.kind, readout.n_classes)


def domain_notes(network: Network, other: Network) -> tuple[str, ...]:
    """Which lengths cannot be compared because the other network does not accept them."""
    least, most = other.domain.least, other.domain.most
    if least <= network.domain.least and (most is None or (network.domain.most or float("inf")) <= most):
        return ()
    bound = f"n = {least}" if least == most else f"n >= {least}" if most is None else f"n = {least}..{most}"
    return (f"the other network accepts {bound} only: {other.domain.reason or 'its domain'}",)
