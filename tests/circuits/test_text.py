"""Text forms: exactness, and a diagnostic with a line number for every damage."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.family_text import family_of_text, family_to_text
from circuits.formats import Format
from circuits.matrices import canonical, equal, integers_of_data, matrix, matrix_of_data, matrix_to_data, selection
from circuits.network import Affine, Maximum, Operand, Predicates, Product, Quotient, Round, Sum
from circuits.network_text import network_of_text, network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import Congruent, Ref
from tests.circuits.small import CAUSAL, X, Y, integers, network, words_of

FORMAT = Format(2, -1, 0)
NETWORK = network(
    *words_of("q", FORMAT, 1, -1),
    Product("square", 1, Ref("q", (X,)), integers(0), Ref("q", (X - 0,)), integers(0), 0),
    Predicates("before", 2, (CAUSAL,)),
    Sum("count", 1, 1, Ref("before", (X, Y)), Congruent(X - Y, 2), 0),
    Quotient("mean", 1, 1, Ref("square", (X,)), Ref("count", (X,)), integers(0), 1, FORMAT),
    Maximum("most", 1, 1, Ref("mean", (Y,)), integers(0)[None], CAUSAL, ((Ref("q", (X,)), integers(0)[None]),), FORMAT),
)
TEXTS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "network": (network_to_text(NETWORK), network_of_text),
    "family": (family_to_text(network_to_family(NETWORK, "shallow")), family_of_text),
}
BOTH = pytest.mark.parametrize("kind", TEXTS)


def lines_of(kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in TEXTS[kind][0].splitlines()]


def one_of_each(lines: list[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """The last line of each kind, with its number from 0; the header is a kind of its own."""
    return list({line.get("kind"): (number, line) for number, line in enumerate(lines)}.values())


def text_of(lines: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def refusal(kind: str, text: str) -> str:
    with pytest.raises(FomError) as caught:
        TEXTS[kind][1](text, "it.json")
    return str(caught.value)


def places_of_defects(kind: str, text: str) -> list[str]:
    """Where a text is damaged; nothing if it is read."""
    try:
        TEXTS[kind][1](text, "it.json")
    except FomError as error:
        return [found.where for found in error.diagnostics]
    return []


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values; of a list, only the first three."""
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from paths(value, (*path, key))
    elif isinstance(data, list):
        for place, value in enumerate(data[:3]):
            yield from paths(value, (*path, place))


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the data with one value replaced."""
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = replaced(data[path[0]], path[1:], value)
    return copy


@BOTH
def test_header(kind: str) -> None:
    header = lines_of(kind)[0]
    assert (header["fom"], header["schema"], header["alphabet"]) == (kind, 1, ["a", "b"])
    extra = {"depth_choice", "decision_format", "inputs"} if kind == "family" else set()
    items = "nodes" if kind == "network" else "entries"
    assert set(header) == {"fom", "schema", "alphabet", "domain", "readout", items} | extra


@BOTH
def test_every_value_replaced_is_read_or_refused_with_a_line(kind: str) -> None:
    """No damage is a traceback, and a value of a wrong type is never taken."""
    lines = lines_of(kind)
    wrong: list[Any] = [1.0, True, "x", [], 1 << 62]
    for number, line in one_of_each(lines):
        for path in paths(line):
            for value in wrong:
                text = text_of([*lines[:number], replaced(line, path, value), *lines[number + 1 :]])
                where = places_of_defects(kind, text)
                assert all("it.json:" in place for place in where)
                never = type(value) in (float, bool) or value == 1 << 62
                assert where or not never, (path, value)


@BOTH
def test_every_key_removed_or_added_is_refused(kind: str) -> None:
    lines = lines_of(kind)
    for number, line in one_of_each(lines):
        for path in paths(line):
            inside = line
            for key in path:
                inside = inside[key]
            if isinstance(inside, dict):
                for key in inside:
                    less = {name: value for name, value in inside.items() if name != key}
                    text = text_of([*lines[:number], replaced(line, path, less), *lines[number + 1 :]])
                    assert f"it.json:{number + 1}" in refusal(kind, text)
                text = text_of([*lines[:number], replaced(line, path, {**inside, "more": 1}), *lines[number + 1 :]])
                assert f"it.json:{number + 1}" in refusal(kind, text)


@BOTH
def test_every_truncation_is_refused(kind: str) -> None:
    text = TEXTS[kind][0]
    ends = {0, 1, len(text) - 1, *range(0, len(text), 97), *(place for place, c in enumerate(text) if c == "\n")}
    for end in ends:
        assert "it.json:" in refusal(kind, text[:end])
    assert "C055" in refusal(kind, text + "\n")


@BOTH
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda lines: [lines[0] | {"schema": 2}, *lines[1:]], "C056"),
        (lambda lines: [lines[0] | {"schema": True}, *lines[1:]], "C056"),
        (lambda lines: [lines[0] | {"fom": "sentence"}, *lines[1:]], "C050"),
        (lambda lines: [lines[0], lines[1] | {"kind": "loop"}, *lines[2:]], "C052"),
        (lambda lines: [lines[0], lines[1] | {"kind": []}, *lines[2:]], "C052"),
        (lambda lines: [lines[0], lines[1] | {"name": 3}, *lines[2:]], "C054"),
        (lambda lines: [lines[0], lines[1] | {"nickname": "x"}, *lines[2:]], "C053"),
        (lambda lines: lines[:-1], "C055"),
        (lambda lines: [*lines, lines[-1]], "C055"),
    ],
)
def test_codes(kind: str, damage: Callable[[list[Any]], list[Any]], code: str) -> None:
    assert refusal(kind, text_of(damage(lines_of(kind)))).startswith(f"error[{code}]")


@BOTH
def test_other_kind_and_no_json(kind: str) -> None:
    other = "family" if kind == "network" else "network"
    assert "C050" in refusal(kind, TEXTS[other][0])
    first, second, rest = TEXTS[kind][0].split("\n", 2)
    for bad in ("", "[]", "{", "nonsense", "[" * 100_000, '{"fom":' + "1" * 10_000 + "}"):
        assert "C051" in refusal(kind, f"{bad}\n{second}\n{rest}")
        assert "C051" in refusal(kind, f"{first}\n{bad}\n{rest}")


@BOTH
@pytest.mark.parametrize("depth", [100, 400, 990, 30_000])
def test_deep_guards_are_refused(kind: str, depth: int) -> None:
    first, _, rest = TEXTS[kind][0].split("\n", 2)
    deep = '["not",' * depth + '[">=",0,0]' + "]" * depth
    base = "" if kind == "network" else '"base":"p",'
    line = f'{{"kind":"predicates","name":"p",{base}"n_positions":0,"guards":[{deep}]}}'
    assert "it.json:2" in refusal(kind, f"{first}\n{line}\n{rest}")


def test_message_golden() -> None:
    lines = lines_of("network")
    lines[3]["shift"] = 0.5
    assert refusal("network", text_of(lines)) == (
        "error[C054]: round: `shift`: expected an integer\n"
        "  --> it.json:4\n"
        "   = help: the file was edited by hand or is damaged: translate again"
    )


def test_defects_found_by_check_name_the_line() -> None:
    lines = lines_of("network")
    lines[3]["operand"]["node"] = "nobody"
    assert "  --> it.json:4, node `q`" in refusal("network", text_of(lines))
    entries = lines_of("family")
    gates = next(number for number, line in enumerate(entries) if line.get("kind") == "gates")
    entries[gates]["wires"][0]["source"] = "nobody"
    assert f"  --> it.json:{gates + 1}, entry `{entries[gates]['name']}`" in refusal("family", text_of(entries))


@pytest.mark.parametrize(
    "data", [[1.0], [True], [1, False], ["1"], [None], [[1]], [1 << 62], [-(1 << 62)], [10**40], 3, "12", {}]
)
def test_integers_are_integers_of_62_bits(data: Any) -> None:
    with pytest.raises(ValueError, match=r"integer"):
        integers_of_data(data)


def test_largest_integers_are_exact() -> None:
    numbers = [(1 << 62) - 1, 1 - (1 << 62), 0, (1 << 53) + 1]
    assert integers_of_data(numbers).tolist() == numbers
    assert integers_of_data([]).dtype == np.int64


def test_matrices_are_canonical_whatever_their_index_type() -> None:
    given = matrix_of_data({"shape": [2, 3], "starts": [0, 3, 3], "columns": [2, 0, 2], "weights": [1, 5, -1]})
    assert given.toarray().tolist() == [[5, 0, 0], [0, 0, 0]]
    wide = given.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    assert equal(canonical(wide), given)
    assert canonical(wide).indices.dtype == given.indices.dtype == given.indptr.dtype == np.int32
    assert equal(matrix_of_data(matrix_to_data(wide)), given)


def test_canonical_leaves_what_it_is_given() -> None:
    given = matrix_of_data({"shape": [1, 2], "starts": [0, 2], "columns": [0, 1], "weights": [1, 1]})
    given.data[0] = 0
    canonical(given)
    assert given.nnz == 2


def test_large_files_are_read_at_once() -> None:
    size = 700
    random = np.random.default_rng(0)
    rows, columns = np.indices((size, size))
    weights = matrix(rows.ravel(), columns.ravel(), random.integers(1, 1 << 20, size * size), (size, size))
    zero = np.zeros(size, dtype=np.int64)
    spread = Operand(Ref("w", (X,)), selection(np.arange(size) % 2, 2))
    large = network(
        Affine("wide", 1, size, (spread,), zero, zero, 0),
        Round("word", 1, size, Ref("wide", (X,)), 0, FORMAT),
        Affine("dense", 1, size, (Operand(Ref("word", (X,)), weights),), zero, zero, 0),
    )
    text = network_to_text(large)
    assert len(text) > 5e6
    start = time.process_time()
    again = network_of_text(text)
    assert time.process_time() - start < 3
    assert network_to_text(again) == text
