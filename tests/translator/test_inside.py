"""Programs read back from networks with named directions, and from networks of routing and arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.formats import Format
from circuits.matrices import Matrix, canonical
from circuits.network import Affine, Domain, Letters, Network, Operand, Quotient, Readout, Round, Sum, Table
from circuits.positions import AtLeast, Ref, Term, var
from circuits.words import all_words
from logic.comparing.methods import seconds
from logic.searching.programs import program
from logic.searching.samples import Samples
from translator.explanations.compiled import read_compiled
from translator.explanations.inside import look_inside
from translator.explanations.residual import Direction, decode, read_directions, stream
from translator.explanations.routing import reads, reads_of_program, routed
from translator.explanations.tracr import decompile

X, Y = var(0), var(1)
LABELS = ["tokens:BOS", "tokens:a", "tokens:b", "one", "share", "turned:0", "turned:1"]
TASK = {
    "vocab": ["a", "b"], "token_ids": {"BOS": 0, "a": 1, "b": 2}, "bos_id": 0, "max_len_without_bos": 5,
    "output": {"decode": None}, "residual_labels": LABELS,
}  # fmt: skip


def matrix(rows: list[list[int]]) -> Matrix:
    return canonical(np.array(rows))


def affine(name: str, operands: list[tuple[str, Term, list[list[int]]]], const: list[int], frac: int = 0) -> Affine:
    parts = tuple(Operand(Ref(node, (at,)), matrix(rows)) for node, at, rows in operands)
    return Affine(name, 1, len(const), parts, np.array(const), np.zeros(len(const), np.int64), frac)


def column(size: int, index: int) -> list[list[int]]:
    return [[int(row == index)] for row in range(size)]


def compiled() -> Network:
    """The share of the letter a so far, and where it is below a half, in named directions; BOS comes first."""
    embedding = [[int(row == letter) for letter in range(3)] for row in range(7)]
    embedding[3] = [1, 1, 1]
    bits = np.array([0, 1])
    nodes = (
        Letters("tokens", 3),
        affine("start", [("tokens", X, embedding)], [0] * 7),
        affine("is_a", [("start", X, [[0, 1, 0, 0, 0, 0, 0]])], [0]),
        affine("is_letter", [("start", X, [[0, 1, 1, 0, 0, 0, 0]])], [0]),
        Sum("num", 1, 1, Ref("is_a", (Y,)), AtLeast(X - Y), 0),
        Sum("count", 1, 1, Ref("is_letter", (Y,)), AtLeast(X - Y), 0),
        affine("den", [("count", X, [[1]]), ("start", X, [[1, 0, 0, 0, 0, 0, 0]])], [0]),
        Quotient("head", 1, 1, Ref("num", (X,)), Ref("den", (X,)), np.array([0]), 12, Format(14, 0, 12)),
        affine("middle", [("start", X, (np.eye(7, dtype=int) * 4096).tolist()), ("head", X, column(7, 4))], [0] * 7, 12),
        Table("less", 1, 1, Ref("head", (X,)), np.array([2048]), bits[::-1].copy(), Format(1, 0, 0)),
        affine("end", [("middle", X, np.eye(7, dtype=int).tolist()),
                       ("less", X, [[0], [0], [0], [0], [0], [-4096], [4096]])], [0, 0, 0, 0, 0, 4096, 0], 12),
        affine("scores", [("end", X, [[0, 0, 0, 0, 1, 0, 0]])], [0], 12),
        Round("decision", 1, 1, Ref("scores", (X,)), 12, Format(2, 0, 0)),
    )  # fmt: skip
    readout = Readout("value", "decision", "scores", None, 1, 1)
    network = Network(nodes, readout, Domain(), ("BOS", "a", "b"))
    network.check()
    return network


def described(folder: Path, **changes: object) -> Path:
    path = folder / "task.json"
    path.write_text(json.dumps({**TASK, **changes}))
    return path


def test_the_program_of_a_compiled_network(tmp_path: Path) -> None:
    network, task = compiled(), read_compiled(described(tmp_path))
    found = decompile(network, task)
    program_ = found.found.program
    assert program_ is not None
    lines = {line.variable: line.text for line in found.found.lines}
    assert lines["share"] == "aggregate(select(indices, indices, LEQ), tokens == 'a')"
    assert program_.rasp.endswith("output = share\n")
    assert "62 words of length 1 to 5" in found.scope
    for words in all_words(2, 5):
        answer = program_.run(words)
        is_a = words == 0
        expected = np.cumsum(is_a, axis=1) / np.arange(1, 6)
        assert np.array_equal(answer.numerator / answer.denominator, expected)
        share = evaluate(network, task.fed(words), ["end"])["end"][:, 1:, 4] / 4096
        assert np.abs(share - expected).max() < 1 / 4096


def test_directions_are_decoded() -> None:
    network = compiled()
    words = [np.array([[0, 1, 2, 2]])]
    seen = [np.ones((1, 4), dtype=bool)]
    directions = tuple(Direction(name, place) for place, name in enumerate(LABELS))
    found = {one.name: one for one in decode(network, directions, words, seen)}
    assert stream(network, 7) == ("start", "middle", "end")
    assert found["tokens"].numbers[0].tolist() == [[0, 1, 2, 2]]
    assert (found["share"].stage, found["turned"].stage) == ("middle", "end")
    assert found["turned"].numbers[0].tolist() == [[1, 0, 0, 1]]
    assert found["turned"].deviation == 0


def test_what_directions_and_heads_mean() -> None:
    words = tuple(batch[batch[:, 0] == 0] for n in (2, 3) for batch in all_words(3, n))
    words = tuple(batch[(batch[:, 1:] > 0).all(axis=1)] for batch in words)
    seen = tuple(np.broadcast_to(np.arange(batch.shape[1]) > 0, batch.shape) for batch in words)
    entries = look_inside(
        compiled(),
        Samples(("BOS", "a", "b"), words, seen, seen),
        seconds(10),
        [Direction("is_b", 2), Direction("share", 4)],
    )
    meant = {name: text for name, text, _ in entries}
    assert meant["is_b"] == "is 1 where b(x), else 0"
    assert meant["head"].startswith("averages over the positions y with y <= x")
    assert "share" in meant
    assert all(scope.startswith("6 words of length 2 to 3") for _, _, scope in entries)


@pytest.mark.parametrize("change", [{"vocab": ["z"]}, {"output": None}, {"residual_labels": 3}, {"bos_id": "x"}])
def test_incomplete_descriptions_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(FomError, match="T120"):
        read_compiled(described(tmp_path, **change))


def test_directions_are_read(tmp_path: Path) -> None:
    path = described(tmp_path)
    assert read_directions(["a=b=3"]) == (Direction("a=b", 3),)
    assert [one.name for one in read_directions([str(path)])] == LABELS
    path.write_text("{")
    for option in (str(path), str(tmp_path / "missing.json")):
        with pytest.raises(FomError, match=r"T120|T050"):
            read_directions([option])
    with pytest.raises(FomError, match="T120"):
        stream(compiled(), 8)


def routing(kind: str) -> Network:
    """The sum, or the larger, of the digits here and before, as hidden units compute them."""
    digits = [[0, 1, 2]]
    hidden = {"sum": ([[1], [0]], [[1], [0]], [[1, 0]]), "max": ([[1], [0]], [[-1], [1]], [[1, 1]])}[kind]
    nodes = (
        Letters("tokens", 3),
        affine("here", [("tokens", X, digits)], [0]),
        affine("before", [("tokens", X - 1, digits)], [0]),
        affine("hidden", [("here", X, hidden[0]), ("before", X, hidden[1])], [0, 0]),
        Round("relu", 1, 2, Ref("hidden", (X,)), 0, Format(4, 0, 0)),
        affine("scores", [("relu", X, hidden[2])], [0]),
        Round("decision", 1, 1, Ref("scores", (X,)), 0, Format(4, 0, 0)),
    )
    network = Network(nodes, Readout("value", "decision", "scores", None, 1, 1), Domain(), ("0", "1", "2"))
    network.check()
    return network


@pytest.mark.parametrize(("kind", "text"), [("sum", "before + number"), ("max", "max(before, number)")])
def test_routing_and_arithmetic_are_read_back(kind: str, text: str) -> None:
    network = routing(kind)
    found = routed(network, 4)
    assert found.found.program is not None
    assert found.found.program.rasp.splitlines()[-1] == f"output = {text}"
    assert (found.reads, found.everywhere) == (frozenset([-1, 0]), True)
    for words in all_words(3, 6):
        answer = found.found.program.run(words)
        assert np.array_equal(answer.numerator, evaluate(network, words)["decision"][..., 0])


def test_short_words_do_not_decide_every_length() -> None:
    found = routed(routing("max"), 1)
    assert not found.everywhere
    assert found.scope == "all words of length 1 to 1"


def test_windows() -> None:
    assert reads(routing("sum"), "decision") == frozenset([-1, 0])
    assert reads(compiled(), "decision") is None
    assert reads(compiled(), "is_a") == frozenset([0])
    shifted = "aggregate(select(indices, indices + 2, EQ), tokens)"
    lines = [("t", shifted), ("output", "{'a': 1}[t] + 1 * (tokens == 'a')")]
    assert reads_of_program(program(("a",), lines, True)) == frozenset([0, 2])
    assert reads_of_program(program(("a",), [("output", "indices")], True)) is None
    assert reads_of_program(program(("a",), [("output", "selector_width(select(tokens, tokens, EQ))")], True)) is None


def test_a_network_that_answers_once_has_no_such_program() -> None:
    nodes = (
        Letters("tokens", 2),
        Affine("scores", 0, 1, (Operand(Ref("tokens", (Term((), 0, 1),)), matrix([[1, -1]])),), np.zeros(1, np.int64),
               np.zeros(1, np.int64), 0),
        Table("decision", 0, 1, Ref("scores"), np.array([1]), np.array([0, 1]), Format(1, 0, 0)),
    )  # fmt: skip
    network = Network(nodes, Readout("logit", "decision", "scores", None, 2, 0), Domain(), ("a", "b"))
    with pytest.raises(FomError, match="T121"):
        routed(network)
