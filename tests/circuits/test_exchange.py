"""AIGER and BLIF read back to the same arrays; malformed files are refused with the line; names are told apart."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.aig import Aig
from circuits.diagnostics import FomError
from circuits.exchange.aiger import read_aiger, write_aiger
from circuits.exchange.blif import write_blif
from circuits.exchange.blif_reader import read_blif
from circuits.exchange.ports import Ports, escaped

WRITERS: dict[str, tuple[Callable[..., None], Callable[..., tuple[Aig, Ports]], dict[str, Any]]] = {
    "aig": (write_aiger, read_aiger, {}),
    "aag": (write_aiger, read_aiger, {"text": True}),
    "blif": (write_blif, read_blif, {}),
}


def random_aig(seed: int, n_inputs: int, n_ands: int, n_outputs: int) -> Aig:
    """A graph whose operands are any literals below, constants and equal ones included."""
    random = np.random.default_rng(seed)
    own = 2 * (n_inputs + 1 + np.arange(n_ands))
    first, second = ((random.random(n_ands) * own).astype(np.int64) for _ in range(2))
    outputs = random.integers(0, 2 * (n_inputs + 1 + n_ands), n_outputs)
    return Aig(n_inputs, np.maximum(first, second), np.minimum(first, second), outputs)


def text_of(form: str, aig: Aig, ports: Ports | None = None) -> bytes:
    """A graph in one of the formats."""
    write, _, options = WRITERS[form]
    out = io.BytesIO()
    write(out, aig, ports, **options)
    return out.getvalue()


def arrays(aig: Aig) -> list[Any]:
    """What a graph consists of."""
    return [aig.n_inputs, aig.left.tolist(), aig.right.tolist(), aig.outputs.tolist()]


@pytest.mark.parametrize("form", WRITERS)
@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 40), st.integers(0, 5))
def test_reads_back_to_the_same_arrays(form: str, seed: int, n_inputs: int, n_ands: int, n_outputs: int) -> None:
    aig = random_aig(seed, n_inputs, n_ands, n_outputs)
    found, ports = WRITERS[form][1](text_of(form, aig))
    found.check()
    assert arrays(found) == arrays(aig)
    assert ports.outputs == Ports.numbered(n_inputs, n_outputs).outputs


@pytest.mark.parametrize("form", WRITERS)
def test_many_gates(form: str) -> None:
    aig = random_aig(1, 300, 40_000, 9)
    assert arrays(WRITERS[form][1](text_of(form, aig))[0]) == arrays(aig)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 25))
def test_text_in_any_order_with_any_numbers(seed: int, n_inputs: int, n_ands: int) -> None:
    aig = random_aig(seed, n_inputs, n_ands, 3)
    random = np.random.default_rng(seed)
    number = np.concatenate([[0], 1 + random.permutation(n_inputs + n_ands + 3)[: n_inputs + n_ands]])

    def new(literal: int) -> int:
        return 2 * int(number[literal >> 1]) + (literal & 1)

    rows = [
        f"{new(2 * (n_inputs + 1 + k))} {new(a)} {new(b)}"
        for k, (a, b) in enumerate(zip(aig.right, aig.left, strict=True))
    ]
    random.shuffle(rows)
    lines = [f"aag {n_inputs + n_ands + 3} {n_inputs} 0 3 {n_ands}", *(str(new(2 * k + 2)) for k in range(n_inputs))]
    text = "\n".join([*lines, *(str(new(literal)) for literal in aig.outputs), *rows]) + "\n"
    found, _ = read_aiger(text.encode())
    found.check()
    every = np.indices((2,) * n_inputs).reshape(n_inputs, -1).T.astype(bool)
    assert (found.evaluate(every) == aig.evaluate(every)).all()


@settings(max_examples=30)
@given(st.data())
def test_tables_mean_their_cubes(data: st.DataObject) -> None:
    n_inputs = data.draw(st.integers(1, 4))
    names = [f"a{k}" for k in range(n_inputs)]
    every = np.indices((2,) * n_inputs).reshape(n_inputs, -1).T.astype(bool)
    values = {name: every[:, k] for k, name in enumerate(names)}
    tables = []
    for number in range(data.draw(st.integers(1, 6))):
        read = data.draw(st.lists(st.sampled_from(sorted(values)), max_size=4))
        on = data.draw(st.sampled_from("01"))
        planes = data.draw(st.lists(st.text("01-", min_size=len(read), max_size=len(read)), max_size=4))
        hit = np.zeros(len(every), dtype=bool)
        for plane in planes:
            fits = [values[name] == (char == "1") for name, char in zip(read, plane, strict=True) if char != "-"]
            hit |= np.logical_and.reduce([np.ones(len(every), dtype=bool), *fits])
        values[f"t{number}"] = hit if on == "1" or not planes else ~hit
        cubes = [f"{plane} {on}".strip() for plane in planes]
        tables.append("\n".join([" ".join([".names", *read, f"t{number}"]), *cubes]))
    data.draw(st.randoms()).shuffle(tables)
    outputs = sorted(values)
    head = f"# a comment \\\n.model m # m\n.inputs \\\n {' '.join(names)}\n.outputs {' '.join(outputs)}\n"
    aig, ports = read_blif((head + "\n".join(tables) + "\n.end\n").encode())
    aig.check()
    assert (ports.inputs, ports.outputs) == (tuple(names), tuple(outputs))
    assert (aig.evaluate(every) == np.stack([values[name] for name in outputs], axis=1)).all()


@pytest.mark.parametrize("form", WRITERS)
def test_names_are_kept(form: str) -> None:
    ports = Ports(("in_a_p1", "in_b_p1"), ("out_x_e0",), ('in_a_p1 = "a(1)"', "second line"))
    found = WRITERS[form][1](text_of(form, random_aig(0, 2, 5, 1), ports))[1]
    assert (found.inputs, found.outputs) == (ports.inputs, ports.outputs)
    if form != "blif":
        assert found.notes == ports.notes
    with pytest.raises(FomError, match="C093"):
        text_of(form, random_aig(0, 3, 5, 1), ports)


AND = "aag 3 2 0 1 1\n2\n4\n6\n6 4 2\n"


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "C090", "line 1"),
        ("aag 3 2 0 1\n", "C090", "line 1"),
        ("aig 4 2 0 1 1\n6\n\x02\x02", "C090", "line 1"),
        (AND.replace("0 1 1", "1 1 1"), "C091", "line 1"),
        (AND.replace("3 2 0 1 1", "3 2 0 1 1 0 1"), "C091", "line 1"),
        (AND.replace("\n4\n", "\n4 \n"), "C090", "line 3"),
        (AND.replace("\n4\n", "\n\n"), "C090", "line 3"),
        (AND.replace("\n4\n", "\n3\n"), "C090", "line 3"),
        (AND.replace("\n4\n", "\n2\n"), "C090", "line 5"),
        (AND.replace("6 4 2", "6 4"), "C090", "line 5"),
        (AND.replace("6 4 2", "6 4 x"), "C090", "line 5"),
        (AND.replace("6 4 2", "6 8 2"), "C090", "line 5"),
        (AND.replace("6 4 2", "6 6 2"), "C090", "line 5"),
        (AND.replace("6 4 2", f"6 4 {10**30}"), "C090", "line 5"),
        (AND.replace("6 4 2\n", ""), "C090", "line 5"),
        (AND + "i7 x\n", "C090", "line 6"),
        (AND + "i0 x\ni0 y\n", "C090", "line 7"),
        (AND + "hello\n", "C090", "line 6"),
        ("aig 3 2 0 1 1\n6\n\x02", "C090", "line 3"),
        ("aig 3 2 0 1 1\n9\n\x02\x02", "C090", "line 2"),
        ("aig 3 2 0 1 1\n6\n\x00\x02", "C090", "line 3"),
        ("aig 3 2 0 1 1\n6\n\x02\x07", "C090", "line 3"),
        (f"aig {10**17 + 2} 2 0 1 {10**17}\n6\n\x02\x02", "C090", "line 3"),
    ],
)
def test_malformed_aiger(text: str, code: str, line: str) -> None:
    with pytest.raises(FomError, match=code) as found:
        read_aiger(text.encode("latin-1"), "file.aig")
    assert found.value.diagnostics[0].where == f"file.aig: {line}"


MODEL = ".model m\n.inputs a b\n.outputs c\n.names a b c\n11 1\n.end\n"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("", "C090", "no `.outputs`"),
        ("11 1\n" + MODEL, "C090", "stands under no"),
        (MODEL.replace("11 1", "1 1"), "C090", "line 5"),
        (MODEL.replace("11 1", "11 2"), "C090", "line 5"),
        (MODEL.replace("11 1", "1x 1"), "C090", "line 5"),
        (MODEL.replace("11 1", "11 1\n00 0"), "C090", "line 6"),
        (MODEL.replace("11 1", "11"), "C090", "line 5"),
        (MODEL.replace(".names a b c", ".names"), "C090", "line 4"),
        (MODEL.replace(".names a b c", ".names a d c"), "C090", "`d` is used and defined nowhere"),
        (MODEL.replace(".names a b c", ".names a c c"), "C090", "`c` depends on itself"),
        (MODEL.replace(".names a b c\n11 1", ".names d c\n1 1\n.names c d\n1 1"), "C090", "depends on itself"),
        (MODEL.replace(".names a b c", ".names a b b"), "C090", "`b` is defined twice"),
        (MODEL.replace(".inputs a b", ".inputs a b a"), "C090", "`a` is defined twice"),
        (MODEL.replace(".names a b c\n11 1", ".latch a c 0"), "C091", "line 4"),
        (MODEL + MODEL, "C091", "line 7"),
        (MODEL + "x\n", "C090", "line 7"),
    ],
)
def test_malformed_blif(text: str, code: str, word: str) -> None:
    with pytest.raises(FomError, match=code) as found:
        read_blif(text.encode(), "file.blif")
    assert word in str(found.value)


@settings(max_examples=30)
@given(st.text(max_size=6), st.text(max_size=6))
def test_names_are_told_apart(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)
    assert escaped(one).replace("_", "x").isalnum() or not one
    assert escaped(one).isascii()


def test_random_bytes_are_refused_with_a_diagnostic() -> None:
    random = np.random.default_rng(0)
    texts = [text_of(form, random_aig(3, 4, 20, 2)) for form in WRITERS]
    for text, (_, read, _) in zip(texts, WRITERS.values(), strict=True):
        for _ in range(300):
            changed = bytearray(text)
            for place in random.integers(0, len(text), 3):
                changed[place] = random.integers(0, 256)
            try:
                read(bytes(changed))[0].check()
            except FomError:
                continue
