"""A certificate that was changed is rejected, whether or not its hashes were brought up to date."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.family_text import family_to_text
from circuits.formats import BIT, Format
from circuits.matrices import matrix
from circuits.network import Affine, Domain, Letters, Network, Operand, Readout, Round, Sum, Table
from circuits.network_text import network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import TRUE, Ref, var
from logic.certificate.write import composition_claims, exhaustive_claim, write
from logic.checker.certificate import Result, replay
from logic.checker.files import MAIN, canonical_text, read
from logic.checker.record import Rejected
from logic.family_to_sentence import decision_labels, default_decision, family_to_sentence
from logic.printer import to_ascii
from tests.logic.corrupting import ODD, change_number, change_value, near, odd, rehash, replayed


def small_network() -> Network:
    """Counts letters, rounds, and compares: one node of every linear kind, a rounding and a table."""
    zero = np.zeros(1, dtype=np.int64)
    x = (var(0),)
    return Network(
        (
            Letters("w", 2),
            Affine("v", 1, 1, (Operand(Ref("w", x), matrix([0, 0], [0, 1], [3, -5], (1, 2))),), zero, zero, 2),
            Sum("s", 0, 1, Ref("v", (var(0),)), TRUE, 2),
            Round("r", 0, 1, Ref("s"), 2, Format(3, -2, 0)),
            Affine("t", 0, 1, (Operand(Ref("r"), matrix([0], [0], [2], (1, 1))),), zero + 1, zero, 0),
            Table("d", 0, 1, Ref("t"), np.array([2]), np.array([0, 1]), BIT),
        ),
        Readout("logit", "d", "t", None, 1, 0),
        Domain(),
        ("a", "b"),
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the small network."""
    folder = tmp_path_factory.mktemp("certificate")
    network = small_network()
    network.check()
    family = network_to_family(network)
    sentence = family_to_sentence(family)
    formula = decision_labels(family)[default_decision(family)]
    artifacts = {
        "network.jsonl": network_to_text(network),
        "family.jsonl": family_to_text(family),
        "sentence.fom": to_ascii(sentence),
        "manifest.json": json.dumps({"readout": {"formula": formula}}),
    }
    contents = {name: text.encode() for name, text in artifacts.items()}
    write(folder, contents, lambda read: [*composition_claims(read), exhaustive_claim([1, 2])])
    return folder


def test_accepts(certificate: Path) -> None:
    result = replayed(certificate)
    assert (result.verdict, result.findings) == ("accepted", [])
    assert len(result.scopes) == 3


def test_changed_bytes(certificate: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    files = sorted(path for path in certificate.rglob("*") if path.is_file())
    for _ in range(30):
        path = files[random.integers(len(files))]
        content = bytearray(path.read_bytes())
        content[random.integers(len(content))] ^= int(random.integers(1, 256))
        copy = tmp_path / "copy"
        shutil.copytree(certificate, copy)
        (copy / path.relative_to(certificate)).write_bytes(bytes(content))
        result = replayed(copy)
        assert result.verdict == "rejected", path
        assert result.findings[0][0]
        shutil.rmtree(copy)


def test_changed_numbers_with_new_hashes(certificate: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for number in range(16):
        copy = tmp_path / str(number)
        shutil.copytree(certificate, copy)
        what = change_number(copy, random, ("family.jsonl", "sentence.fom"))
        assert replayed(copy).verdict == "rejected", what


@pytest.mark.parametrize(("other", "seed"), [(near, 2), (odd, 3)])
def test_changed_values_of_claims(
    certificate: Path, tmp_path: Path, other: Callable[[Any, np.random.Generator], Any], seed: int
) -> None:
    random = np.random.default_rng(seed)
    for number in range(16):
        copy = tmp_path / str(number)
        shutil.copytree(certificate, copy)
        what = change_value(copy, random, other)
        result = replayed(copy)
        assert result.verdict == "rejected", what
        assert all(result.findings[0]), what


def test_odd_certificates(certificate: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(certificate, copy)
    data = json.loads((copy / MAIN).read_text())
    for key in ("schema", "claims", "files"):
        for value in (
            *ODD,
            [{"kind": []}],
            [{"kind": "exhaustive", "right": []}],
            [{"kind": "cells", "right": "spec"}],
        ):
            (copy / MAIN).write_text(canonical_text({**data, key: value}))
            assert replayed(copy).verdict == "rejected", (key, value)


def test_comments_of_a_sentence_change_nothing(certificate: Path, tmp_path: Path) -> None:
    shutil.copytree(certificate, tmp_path / "copy")
    path = tmp_path / "copy" / "artifacts" / "sentence.fom"
    path.write_text("-- another comment\n" + path.read_text())
    rehash(tmp_path / "copy")
    assert replayed(tmp_path / "copy").verdict == "accepted"


def test_a_weaker_lemma_is_rejected(certificate: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(certificate, copy)
    lemma = next((copy / "lemmas").glob("rounding_*.v"))
    lemma.write_text("Theorem law : True. Proof. exact I. Qed.\n")
    rehash(copy)
    with pytest.raises(Rejected, match="does not state"):
        replay(read(copy), Result(), lambda _: None)
