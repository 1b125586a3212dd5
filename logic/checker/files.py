"""Reading a certificate: a folder with ``certificate.json``, and the files that it lists with their SHA-256."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from circuits.diagnostics import fail
from circuits.family import Family
from circuits.family_text import family_of_text
from circuits.network import Network
from circuits.network_text import network_of_text
from logic.checker.comparison import Subject, specification_of
from logic.checker.record import Rejected, require, sha256
from logic.comparing.properties import Property
from logic.comparing.specification import Specification
from logic.syntax import Sentence

SCHEMA = 1
MAIN = "certificate.json"
ARTIFACTS = ("network.jsonl", "family.jsonl", "sentence.fom", "manifest.json")
COMPARED = ("spec.fom", "other.jsonl", "property.fom", "where.fom", "at.fom")
"""Further artifacts: what the network is compared with, and on which words and positions."""
FOLDERS = ("artifacts", "obligations", "lemmas")


@dataclass(frozen=True)
class Certificate:
    """A certificate as read: the object of ``certificate.json`` and the text of all files."""

    data: dict[str, Any]
    files: dict[str, dict[str, str]]

    def artifact(self, name: str) -> str:
        """The text of an artifact."""
        require(name in self.files["artifacts"], f"artifacts/{name}", "it is missing")
        return self.files["artifacts"][name]

    @cached_property
    def network(self) -> Network:
        """The network."""
        return network_of_text(self.artifact("network.jsonl"), "network.jsonl")

    @cached_property
    def family(self) -> Family:
        """The family."""
        return family_of_text(self.artifact("family.jsonl"), "family.jsonl")

    def formula(self, name: str) -> Sentence:
        """The sentence of an artifact."""
        from logic.parser import parse

        return parse(self.artifact(name), name)

    @cached_property
    def sentence(self) -> Sentence:
        """The sentence."""
        return self.formula("sentence.fom")

    def subject(self, side: str) -> Subject:
        """What the network is compared with, under the restrictions that there are.

        Raises:
            Rejected: an artifact is missing, or does not fit the network.
        """
        given = self.files["artifacts"]
        where, at = (self.formula(name) if name in given else None for name in ("where.fom", "at.fom"))
        right: Specification | Network | Property
        if side == "spec":
            right = specification_of(self.formula("spec.fom"), self.network)
        elif side == "other":
            right = network_of_text(self.artifact("other.jsonl"), "other.jsonl")
        elif side == "property":
            right = Property(self.network, self.formula("property.fom"))
        else:
            raise Rejected("the claim", f"there is no comparison with `{side}`")
        subject = Subject(self.network, right, where, at)
        subject.check()
        return subject

    @cached_property
    def decided(self) -> str:
        """The decision bit that the sentence is, as the manifest says."""
        try:
            manifest = json.loads(self.artifact("manifest.json"))
            decided = str(manifest["readout"]["formula"])
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected("artifacts/manifest.json", f"it is damaged: {error}") from None
        return decided


def canonical_text(data: Any) -> str:
    """The only text that ``certificate.json`` may have."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def read(folder: Path) -> Certificate:
    """Read a certificate.

    Raises:
        FomError: the folder is none, or cannot be read.
        Rejected: its files are not those that it lists.
    """
    path = folder / MAIN
    if not path.is_file():
        raise fail(
            "L080", f"the folder is no certificate: it has no {MAIN}", where=str(folder),
            help="fom verify DIR --certificate OUT makes one",
        )  # fmt: skip
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Rejected(MAIN, f"it is damaged: {error}") from None
    lists: Any = data.get("files") if isinstance(data, dict) else None
    shaped = isinstance(lists, dict) and set(lists) == set(FOLDERS) and isinstance(data.get("claims"), list)
    require(shaped and all(isinstance(lists[name], dict) for name in FOLDERS), MAIN, "it is no object of a certificate")
    require(type(data.get("schema")) is int and data["schema"] == SCHEMA, MAIN, f"its schema is not {SCHEMA}")
    require(set(data) == {"schema", "files", "claims"}, MAIN, "it has other keys than schema, files and claims")
    require(canonical_text(data) == text, MAIN, "it is not written in the canonical form")
    found = {str(each.relative_to(folder)) for each in folder.rglob("*") if not each.is_dir()}
    listed = {MAIN, *(f"{name}/{each}" for name in FOLDERS for each in lists[name])}
    for name in sorted(found ^ listed):
        raise Rejected(name, "it is not listed" if name in found else "it is missing")
    files: dict[str, dict[str, str]] = {name: {} for name in FOLDERS}
    for kind in FOLDERS:
        for name, digest in lists[kind].items():
            content = (folder / kind / name).read_bytes()
            require(sha256(content) == digest, f"{kind}/{name}", "its SHA-256 is not the one listed")
            try:
                files[kind][name] = content.decode("utf-8")
            except UnicodeDecodeError:
                raise Rejected(f"{kind}/{name}", "it is no text") from None
    given = set(files["artifacts"])
    require(set(ARTIFACTS) <= given <= {*ARTIFACTS, *COMPARED}, "artifacts", f"they are not {', '.join(ARTIFACTS)}")
    return Certificate(data, files)
