"""Proofs in several processes, from files, and with a ledger: the same as in one process, and never more than is so."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.entries import Accumulator, Gates
from circuits.family import Family
from circuits.matrices import matrix
from circuits.network_to_family import network_to_family
from logic.family_to_sentence import family_to_sentence
from logic.parser import parse
from logic.printer import to_ascii
from logic.proving.circuit_sentence import CircuitSentence, prove_circuit_sentence
from logic.proving.digests import digest, node_digests
from logic.proving.enumeration import offsets_along
from logic.proving.gadgets import Block, Gadget
from logic.proving.ledger import Ledger
from logic.proving.network_circuit import prove_network_circuit
from logic.proving.plain_lines import PlainLines
from logic.proving.statements import Irregular, index_of
from logic.proving.streaming import Stream, prove_circuit_file
from logic.telling import silent
from logic.verdicts import Proof
from tests.logic.test_circuit_sentence import example

NETWORK = example()


@cache
def family() -> Family:
    return network_to_family(NETWORK)


def said(proof: Proof) -> list[tuple[str, str, int]]:
    return [(lemma.statement, lemma.method, lemma.covers) for lemma in proof.lemmas]


@cache
def text() -> str:
    return to_ascii(family_to_sentence(family()))


def written(folder: Path, sentence: str) -> Path:
    path = folder / "sentence.fom"
    path.write_text(sentence, encoding="utf-8")
    return path


def nudged(given: Family) -> tuple[Family, str]:
    """The same family with one threshold of the last gates off by one, and the name of these gates."""
    entries = list(given.entries)
    place = max(place for place, entry in enumerate(entries) if isinstance(entry, Gates))
    gates = entries[place]
    assert isinstance(gates, Gates)
    thresholds = gates.thresholds.copy()
    thresholds[0] += 1
    entries[place] = replace(gates, thresholds=thresholds)
    return replace(given, entries=tuple(entries)), gates.name


# Processes.


def test_two_processes_find_the_same_lemmas_in_the_same_order(tmp_path: Path) -> None:
    alone = prove_network_circuit(NETWORK, family())
    assert alone.complete
    assert alone.lemmas
    assert said(prove_network_circuit(NETWORK, family(), jobs=2)) == said(alone)
    path = written(tmp_path, text())
    one, two = prove_circuit_file(family(), path), prove_circuit_file(family(), path, jobs=2)
    assert one.complete
    assert said(one) == said(two)


def test_two_processes_leave_the_same_open() -> None:
    wrong, name = nudged(family())
    one, two = prove_network_circuit(NETWORK, wrong), prove_network_circuit(NETWORK, wrong, jobs=2)
    assert one.open
    assert name.split(".")[0] in one.open[0]
    assert one.open == two.open
    assert said(one) == said(two)


# The ledger.


def test_a_second_run_takes_everything_from_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    first = Ledger(path)
    proof = prove_network_circuit(NETWORK, family(), ledger=first)
    assert first.reused == 0
    assert first.asked == len(NETWORK.nodes)
    second = Ledger(path)
    assert said(prove_network_circuit(NETWORK, family(), ledger=second)) == said(proof)
    assert second.reused == second.asked == len(NETWORK.nodes)
    assert second.summary == f"{second.asked} of {second.asked} obligations from the ledger"
    fresh = Ledger(path, fresh=True)
    prove_network_circuit(NETWORK, family(), ledger=fresh)
    assert fresh.reused == 0


def test_an_interrupted_proof_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"

    class Stopped(Exception):
        pass

    looked: list[str] = []

    def stop(message: str) -> None:
        looked.append(message)
        if len(looked) == 6:
            raise Stopped

    with pytest.raises(Stopped):
        prove_network_circuit(NETWORK, family(), stop, ledger=Ledger(path))
    ledger = Ledger(path)
    proof = prove_network_circuit(NETWORK, family(), ledger=ledger)
    assert ledger.reused >= 5
    assert said(proof) == said(prove_network_circuit(NETWORK, family()))


def test_what_changed_is_not_taken_from_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    assert prove_network_circuit(NETWORK, family(), ledger=Ledger(path)).complete
    wrong, _ = nudged(family())
    for _ in range(2):  # what is open is not written either
        ledger = Ledger(path)
        proof = prove_network_circuit(NETWORK, wrong, ledger=ledger)
        assert proof.open == prove_network_circuit(NETWORK, wrong).open
        assert 0 < ledger.reused < ledger.asked


def test_every_entry_and_node_is_in_the_digest_of_what_reads_it() -> None:
    before = node_digests(NETWORK, family())
    last = NETWORK.nodes[-1].name
    for place, entry in enumerate(family().entries):
        if isinstance(entry, Gates | Accumulator) and place % 5 == 0:
            field = "thresholds" if isinstance(entry, Gates) else "const"
            changed = replace(entry, **{field: getattr(entry, field) + 1})
            entries = (*family().entries[:place], changed, *family().entries[place + 1 :])
            after = node_digests(NETWORK, replace(family(), entries=entries))
            assert [name for name in before if before[name] != after[name]], entry.name
    assert len(set(before.values())) == len(before)
    assert last in before


@pytest.mark.parametrize("damage", ["cut", "lemma", "key", "nothing", "garbage"])
def test_damaged_lines_are_passed_over(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ledger.jsonl"
    proof = prove_network_circuit(NETWORK, family(), ledger=Ledger(path))
    lines = path.read_text().splitlines(keepends=True)
    data = json.loads(lines[-1])
    if damage == "cut":
        lines[-1] = lines[-1][: len(lines[-1]) // 2]
    elif damage == "lemma":
        data[2][0][2][0][0] = "something else"
        lines[-1] = json.dumps(data) + "\n"
    elif damage == "key":
        data[1] = "0" * 40
        lines[-1] = json.dumps(data) + "\n"
    elif damage == "garbage":
        lines += ["[1]\n", "null\n", "\xff\n", "[1, 2, 3, 4]\n"]
    path.write_text("".join(lines))
    whole = len(lines) - (damage in ("cut", "lemma", "key")) - 4 * (damage == "garbage")
    ledger = Ledger(path)
    assert len(ledger.known) == whole
    assert said(prove_network_circuit(NETWORK, family(), ledger=ledger)) == said(proof)
    ledger = Ledger(path)
    prove_network_circuit(NETWORK, family(), ledger=ledger)
    assert ledger.reused == ledger.asked


def test_a_ledger_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(FomError, match="L091"):
        Ledger(tmp_path)
    with pytest.raises(FomError, match="L091"):
        Ledger(tmp_path / "none" / "ledger.jsonl").put("key", ())


def test_digests_tell_values_apart() -> None:
    values: list[Any] = [1, True, 1.0, "1", b"1", (1,), [1], ("1", "1"), ("11",), (("1",), "1"), None, np.array([1])]
    values += [np.array([[1]]), np.array([1], dtype=np.int32), np.array([1, 0]), matrix([0], [0], 1, (1, 1))]
    values += [matrix([0], [0], 1, (1, 2)), NETWORK.nodes[0], NETWORK.nodes[1], NETWORK.domain]
    assert len({digest(value) for value in values}) == len(values)
    with pytest.raises(TypeError):
        digest(object())


# Sentences from files.


def test_a_second_run_reads_no_definition_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, book = written(tmp_path, text()), tmp_path / "ledger.jsonl"
    proof = prove_circuit_file(family(), path, ledger=Ledger(book))
    monkeypatch.setattr(Stream, "compare", None)
    ledger = Ledger(book)
    assert said(prove_circuit_file(family(), path, ledger=ledger)) == said(proof)
    assert ledger.reused == ledger.asked


def test_a_changed_line_is_read_again_and_refused(tmp_path: Path) -> None:
    book = tmp_path / "ledger.jsonl"
    assert prove_circuit_file(family(), written(tmp_path, text()), ledger=Ledger(book)).complete
    lines = text().splitlines(keepends=True)
    place = max(place for place, line in enumerate(lines) if line.rstrip(";\n")[-1:].isdigit() and " >= " in line)
    head, bound = lines[place].rstrip(";\n").rsplit(" >= ", 1)
    lines[place] = f"{head} >= {int(bound) + 1};\n"
    ledger = Ledger(book)
    found = prove_circuit_file(family(), written(tmp_path, "".join(lines)), ledger=ledger)
    assert len(found.open) == 1
    assert head.split(" ")[1].split("(")[0] in found.open[0]
    assert "threshold" in found.open[0]
    assert ledger.reused == ledger.asked - 1


@pytest.mark.parametrize("layout", ["joined", "comment", "indented", "blank", "missing", "renamed", "no header"])
def test_other_layouts_prove_the_same(tmp_path: Path, layout: str) -> None:
    lines = text().splitlines(keepends=True)
    definitions = [place for place, line in enumerate(lines) if line.startswith(("let ", "sum "))]
    middle = definitions[len(definitions) // 2]
    if layout == "joined":
        lines[middle] = lines[middle].rstrip("\n") + " "
    elif layout == "comment":
        lines[middle] = lines[middle].replace(";\n", "; -- here\n")
    elif layout == "indented":
        lines[middle] = "  " + lines[middle]
    elif layout == "blank":
        lines[middle] = "\n-- note\n" + lines[middle].replace(" := ", " :=\n ")
    elif layout == "missing":
        lines[middle] = ""
    elif layout == "renamed":
        lines[definitions[-1]] = lines[definitions[-1]].replace("let ", "let other := true;\nlet ", 1)
    else:
        lines = [line for line in lines if not line.startswith("letters")]
    given = "".join(lines)
    path = written(tmp_path, given)
    if layout == "missing":
        with pytest.raises(FomError, match="L010"):
            prove_circuit_file(family(), path)
        return
    expected = prove_circuit_sentence(family(), parse(given))
    proof = prove_circuit_file(family(), path)
    assert proof.complete == expected.complete
    assert bool(proof.open) == bool(expected.open)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FomError, match="L090"):
        prove_circuit_file(family(), tmp_path / "none.fom")


def test_plain_lines_are_read_as_the_parser_reads_them(tmp_path: Path) -> None:
    sentence = parse(text())
    index = index_of(written(tmp_path, text()), family())
    plain = PlainLines(index, len(index.chunks), sentence.letters, sentence.propositions)
    check = CircuitSentence(family(), sentence, silent, None)
    read = 0
    for line in text().splitlines():
        found = plain.read(line) if line.startswith(("let ", "sum ")) else None
        if found is not None:
            read += 1
            assert found[1] == check.ours.of_definition(check.definitions[found[0]]), line
    assert read > len(sentence.definitions) // 2


PIECES = ["[a(x)]", "[b(x)]", "a(x)", "b(x + 1)", "[a(y)]", "[s(x)]", "s(x)", "n", "3", "-2", "2*[b(x)]", "0*[a(x)]"]


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.sampled_from([" + ", " - ", " & ", " | ", "  +"]),
       st.sampled_from(["", " >= 2", " >= -1", " >= x", ";"]), st.booleans())  # fmt: skip
def test_no_plain_line_means_something_else(pieces: list[str], link: str, bound: str, is_sum: bool) -> None:
    from logic.proving.statements import Index

    line = f"{'sum' if is_sum else 'let'} t(x) := {link.join(pieces)}{bound};"
    index = Index(others={"s": (0, True, 1)})
    found = PlainLines(index, 1, ("a", "b"), ()).read(line)
    if found is not None:
        sentence = parse(f"letters a, b; sum s(x) := 1; {line} true")
        check = CircuitSentence(family(), sentence, silent, None)
        assert found[1] == check.ours.of_definition(sentence.definitions[-1])


def test_names_that_two_entries_share_are_irregular(tmp_path: Path) -> None:
    path = written(tmp_path, text() + "")
    lines = text().splitlines(keepends=True)
    again = next(line for line in lines if line.startswith("let "))
    assert index_of(path, family()).chunks
    with pytest.raises(Irregular):
        index_of(written(tmp_path, "".join([*lines[:-1], again, lines[-1]])), family())


# Sweeping along one quantity.


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 30))
def test_sweeping_gates_is_evaluating_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    blocks: list[Block] = []
    for _ in range(int(random.integers(1, 5))):
        count = int(random.integers(1, 4))
        wires = []
        for source, block in enumerate(blocks):
            if random.random() < 0.6:
                shape = (count, len(block.thresholds))
                rows, columns = np.indices(shape)
                wires.append((source, matrix(rows, columns, random.integers(-3, 4, shape), shape)))
        blocks.append(Block(random.integers(-3, 4, (count, 1)), tuple(wires), random.integers(-9, 10, count)))
    ones = [place for place, block in enumerate(blocks) if len(block.thresholds) == 1]
    points = np.unique(random.integers(-30, 30, 40))
    gadget = Gadget(tuple(blocks), tuple(ones), b"")
    assert (offsets_along(gadget, points) == gadget.fire(points[None])).all()
