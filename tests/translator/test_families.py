"""The families that people export, from file to proof: BERT, GPT-2, Llama, T5's encoder, ViT, convolution over letters.

Fast here, at a precision that is known to do; the slow test lets the tool choose one and takes longer words.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from logic.verdicts import Claim
from translator.pipeline import Translation, translate
from translator.reading import read
from translator.verification import verify
from translator.verifying.question import Report

FAMILIES = Path(__file__).resolve().parents[2] / "examples" / "families"
FILES = sorted(FAMILIES.glob("*/model*.onnx"))
BITS = {"bert": 5, "conv1d": 4, "gpt2": 6, "llama": 9, "t5_encoder": 7, "vit": 6}
DOMAINS = {"bert": 16, "conv1d": None, "gpt2": 16, "llama": 64, "t5_encoder": None}


def options_of(name: str, path: Path) -> dict[str, Any]:
    """Words up to length 3; images as they are stored."""
    return {"inputs": path.with_name("inputs.npz")} if name == "vit" else {"max_length": 3}


@cache
def translated(name: str) -> Translation:
    path = FAMILIES / name / "model.onnx"
    return translate(path, precision=f"fixed:{BITS[name]}", **options_of(name, path))


def proved(report: Report, method: str) -> list[Claim]:
    return [claim for claim in report.claims if claim.method == method]


@pytest.mark.parametrize("name", BITS)
def test_every_family_is_there(name: str) -> None:
    assert (FAMILIES / name / "model.onnx") in FILES


@pytest.mark.parametrize("name", BITS)
def test_decisions_are_those_of_onnxruntime(name: str) -> None:
    fidelity = translated(name).fidelity
    assert fidelity.complete, fidelity.example
    assert fidelity.certified == fidelity.examined > 0


@pytest.mark.parametrize("name", BITS)
def test_network_circuit_and_sentence_are_equal(name: str) -> None:
    """Over all lengths that the file has positions for."""
    report = verify(translated(name), method="compositional", max_length=None if name == "vit" else 2)
    assert report.verdict == "holds"
    claims = proved(report, "compositional")
    assert [(claim.left, claim.right) for claim in claims] == [("network", "circuit"), ("circuit", "sentence")]
    if name == "vit":
        scope = "every input"
    else:
        most = DOMAINS[name]
        scope = "every length n" if most is None else f"every n in the domain (n <= {most})"
    assert {claim.scope for claim in claims} == {scope}


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name != "model.onnx"], ids=lambda path: path.parent.name
)
def test_both_exporters_say_the_same(path: Path) -> None:
    """Two spellings of one network: the same nodes in size and number, the same lengths."""
    found, other = (read(file, longest=64) for file in (path, path.with_name("model.onnx")))
    assert sorted((type(node).__name__, node.size, node.n_positions) for node in found.nodes) == sorted(
        (type(node).__name__, node.size, node.n_positions) for node in other.nodes
    )
    assert found.domain == other.domain
    assert found.alphabet_size == other.alphabet_size


@pytest.mark.parametrize(
    ("name", "recognized"),
    [
        ("bert", {"bert.encoder.layer0.attention.self.query", "bert.embeddings.add", "classifier"}),
        ("gpt2", {"transformer.h0.attn.c_attn", "transformer.h1.mlp.gelu"}),
        ("llama", {"model.layers0.self_attn.q_proj", "model.layers0.mlp.up_proj", "lm_head"}),
        ("t5_encoder", {"encoder.encoder.block1.layer1.DenseReluDense.wo.relu"}),
        ("vit", {"vit.layers0.attention.q_proj", "classifier"}),
    ],
)
def test_names_are_those_of_the_modules(name: str, recognized: set[str]) -> None:
    """Also where an exporter dropped the names of the weights; `network`, which all share, is left out."""
    names = {node.name for node in read(FAMILIES / name / "model.onnx", longest=64).nodes}
    assert recognized <= names
    assert not any(found.startswith("network.") for found in names)


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_from_file_to_proof_by_itself(path: Path) -> None:
    """With the precision that the tool finds, and every input of those lengths."""
    name = path.parent.name
    translation = translate(path, **options_of(name, path))
    assert translation.fidelity.complete
    report = verify(translation, max_length=None if name == "vit" else 3)
    assert report.verdict == "holds"
    assert len(proved(report, "compositional")) == 2
    assert len(proved(report, "exhaustive")) == (0 if name == "vit" else 2)
