"""Programs compiled to weights, read back from them, and stated as formulas that are compared with the network."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.network import Network
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.problem import decided_by
from logic.searching.programs import read_program
from logic.telling import silent
from tests.translator.compiling_programs import Compiler, always, at_most, equal, less
from translator.cli import execute
from translator.domains import read_domain
from translator.explanations.compiled import Compiled, description_beside, read_compiled
from translator.explanations.explaining import Search
from translator.explanations.residual import meanings
from translator.explanations.stating import Stated, state
from translator.explanations.tracr import Decompiled, decompile
from translator.explanations.whole import Look, explain, task_hint
from translator.fidelity import observe
from translator.fixing import fitted
from translator.pages.explanation_page import explanation_html
from translator.pages.explanation_terminal import explanation_lines
from translator.pipeline import Settings, fidelity_inputs, read_network, translate
from translator.precision import parse_precision
from translator.sentences import read_sentence
from translator.specification import read_specification


def network_of(model: Path, longest: int) -> Network:
    """A network at ``fixed:*.12``, without its family."""
    settings = Settings(max_length=longest)
    real, alphabet = read_network(model, settings)
    precision = parse_precision("fixed:*.12", settings.weight_bits)
    assert precision is not None
    return fitted(real, precision, observe(real, fidelity_inputs(real, settings, alphabet)), alphabet)[1]


def reverse() -> tuple[Compiler, str]:
    made = Compiler(["a", "b", "c"], 4)
    made.width("length", "indices", "indices", always)
    made.table("opposite", ["length", "indices"], lambda length, index: length - index - 1)
    made.aggregate("reverse", "indices", "opposite", equal, "tokens")
    return made, "reverse"


def sort_freq() -> tuple[Compiler, str]:
    made = Compiler(["a", "b"], 4)
    made.width("hist", "tokens", "tokens", equal)
    made.table("keys", ["hist", "indices"], lambda count, index: index / 4 - count)
    made.width("target", "keys", "keys", less)
    made.aggregate("sort_freq", "target", "indices", equal, "tokens")
    return made, "sort_freq"


def shuffle_dyck() -> tuple[Compiler, str]:
    made = Compiler(["(", ")"], 4)
    for name, letter in (("open", "("), ("close", ")")):
        made.table(f"is_{name}", ["tokens"], lambda one, letter=letter: one == letter, numerical=True)
        made.aggregate(name, "indices", "indices", at_most, f"is_{name}")
    made.combine("balance", {"open": 1.0, "close": -1.0})
    shares = sorted({Fraction(top, bottom) for bottom in range(1, 5) for top in range(-bottom, bottom + 1)})
    made.steps("below", "balance", [(float(share), share < 0) for share in shares])
    made.steps("zero", "balance", [(float(share), share == 0) for share in shares])
    made.table("below_number", ["below"], int, numerical=True)
    made.aggregate("has_below", "indices", "indices", always, "below_number")
    made.steps("fine", "has_below", [(top / 4, top == 0) for top in range(5)] + [(1 / 3, False), (2 / 3, False)])
    made.width("length", "indices", "indices", always)
    made.table("end", ["length"], lambda length: length - 1)
    made.aggregate("end_zero", "indices", "end", equal, "zero")
    made.table("shuffle_dyck", ["end_zero", "fine"], lambda one, other: one and other)
    return made, "shuffle_dyck"


def after() -> tuple[Compiler, str]:
    """Whether b stands behind a; nothing is behind the first position."""
    made = Compiler(["a", "b"], 4)
    made.aggregate("before", "indices", "indices", lambda key, query: key == query - 1, "tokens")
    made.table("ab", ["before", "tokens"], lambda one, other: one + other == "ab")
    return made, "ab"


def most_frequent_first() -> tuple[Compiler, str]:
    """The mean place of the letter: a number."""
    made = Compiler(["a", "b"], 4)
    made.table("place", ["indices"], int, numerical=True)
    made.aggregate("mean_place", "tokens", "tokens", equal, "place")
    return made, "mean_place"


def double_histogram() -> tuple[Compiler, str]:
    made = Compiler(["a", "b"], 4)
    made.width("hist", "tokens", "tokens", equal)
    made.width("double", "hist", "hist", equal)
    return made, "double"


def says_reverse(word: list[str]) -> list[Any]:
    return word[::-1]


def says_sort_freq(word: list[str]) -> list[Any]:
    return [word[place] for place in sorted(range(len(word)), key=lambda place: (-word.count(word[place]), place))]


def says_shuffle_dyck(word: list[str]) -> list[Any]:
    sums = np.cumsum([1 if letter == "(" else -1 for letter in word])
    return [bool((sums >= 0).all() and sums[-1] == 0)] * len(word)


def says_after(word: list[str]) -> list[Any]:
    return [None, *(word[place - 1] + word[place] == "ab" for place in range(1, len(word)))]


def says_places(word: list[str]) -> list[Any]:
    places = [[place for place, other in enumerate(word) if other == letter] for letter in word]
    return [Fraction(sum(one), len(one)) for one in places]


def says_double(word: list[str]) -> list[Any]:
    counts = [word.count(letter) for letter in word]
    return [counts.count(count) for count in counts]


CASES: dict[str, tuple[Callable[[], tuple[Compiler, str]], Callable[[list[str]], list[Any]]]] = {
    "reverse": (reverse, says_reverse),
    "sort by frequency": (sort_freq, says_sort_freq),
    "shuffled brackets": (shuffle_dyck, says_shuffle_dyck),
    "nothing before the first": (after, says_after),
    "a number": (most_frequent_first, says_places),
    "double histogram": (double_histogram, says_double),
}


def read_back(name: str, folder: Path) -> tuple[Network, Compiled, Decompiled, Stated]:
    made, output = CASES[name][0]()
    network = network_of(made.save(folder, output), 5)
    task = read_compiled(folder / "task.json")
    found = decompile(network, task)
    assert found.found.program is not None, found.found
    return network, task, found, state(network, task, found.found.program)


@pytest.mark.parametrize("name", CASES)
def test_a_compiled_program_is_read_back_and_stated(name: str, tmp_path: Path) -> None:
    network, task, found, stated = read_back(name, tmp_path)
    program = found.found.program
    assert program is not None
    assert stated.holds, (stated.wrong, program.rasp)
    nothing = 0
    for n in range(1, task.longest + 1):
        for words in all_words(len(task.letters), n):
            found_ = program.run(words)
            denominators, present = (np.broadcast_to(one, words.shape) for one in (found_.denominator, found_.present))
            for row, word in enumerate(words):
                for place, said in enumerate(CASES[name][1]([task.letters[code] for code in word])):
                    number = int(found_.numerator[row, place])
                    if said is None:
                        nothing += 1
                        assert not present[row, place]
                    elif found_.letters:
                        assert task.letters[number] == said
                    else:
                        assert Fraction(number, int(denominators[row, place])) == said
    assert stated.unspecified == nothing
    assert len(stated.files(tmp_path / "spec.fom")) == 1 + bool(nothing)
    if stated.verifiable:
        specification = read_specification(stated.specification_text, network)
        assert specification.relations == tuple(one for one, _ in stated.answers)


def test_the_specification_is_what_the_network_decides(tmp_path: Path) -> None:
    """On all words of the network's alphabet that `where` admits, at the positions that `at` admits."""
    network, task, _, stated = read_back("nothing before the first", tmp_path)
    files = stated.files(tmp_path / "spec.fom")
    for path, text in files.items():
        path.write_text(text)
    specification = read_specification(str(tmp_path / "spec.fom"), network)
    where = read_domain(stated.where, network.alphabet)
    at = read_sentence(stated.at_text(tmp_path / "spec.fom"), network.alphabet)
    considered = total = 0
    for n in range(1, task.longest + 2):
        for words in all_words(len(network.alphabet), n):
            kept = words[np.asarray(evaluate(where, words)[""], dtype=bool)]
            places = np.asarray(evaluate(at, kept)[""], dtype=bool)
            differs = specification.differs(specification.truth(kept), decided_by(network, kept))
            assert not (differs & places).any()
            considered, total = considered + int(places.sum()), total + len(kept)
    assert total == 31
    assert considered == sum(2**n * (n - 1) for n in range(1, task.longest + 1))
    command = stated.verification("DIR", tmp_path / "spec.fom").split()
    assert command[:4] == ["fom", "verify", "DIR", "--against"]
    assert command[-2:] == ["--max-length", "5"]


def test_a_program_of_another_network_is_refuted(tmp_path: Path) -> None:
    network, task, found, _ = read_back("double histogram", tmp_path)
    other = read_program("output = selector_width(select(tokens, tokens, EQ))", task.letters, True)
    stated = state(network, task, other)
    assert not stated.holds
    assert "a b" in stated.wrong
    assert found.found.program is not None
    some = state(network, task, found.found.program, found.words[:2])
    assert not some.wrong
    assert not some.every


def test_what_is_shown(tmp_path: Path) -> None:
    made, output = reverse()
    model = made.save(tmp_path, output)
    translation = translate(model, precision="fixed:*.8", max_length=2)
    found = explain(translation, Search(), silent, Look(task=tmp_path / "task.json"))
    assert found.stated is not None
    assert not found.hint
    text = " ".join(" ".join("".join(part for part, _ in line) for line in explanation_lines(found)).split())
    assert "class[1]: b" in text
    assert "position x is position x + 1 of the network's word" in text
    assert "The program as formulas" in explanation_html(found)
    assert "--task" in task_hint(str(model))
    (tmp_path / "task.json").write_text("[]")
    assert task_hint(str(model)) == ""
    assert description_beside(tmp_path / "elsewhere" / "model.onnx") is None
    with pytest.raises(FomError, match="T120"):
        read_compiled(tmp_path / "missing.json")


def test_the_specification_is_written_and_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, output = reverse()
    model = made.save(tmp_path, output)
    translate(model, precision="fixed:*.8", max_length=2).save(tmp_path / "out")
    asked = ["explain", str(tmp_path / "out"), "--no-inside"]
    spec = tmp_path / "spec.fom"
    assert execute([*asked, "--task", str(tmp_path / "task.json"), "--spec", str(spec)]) == 0
    shown = capsys.readouterr().err.splitlines()
    (command,) = [line.removeprefix("next: ") for line in shown if line.startswith("next: ")]
    assert execute(shlex.split(command)[1:]) == 0
    assert "holds" in capsys.readouterr().out
    assert execute([*asked, "--spec", str(spec)]) == 2
    assert "T123" in capsys.readouterr().err
    for ignored in (["--class", "0"], ["--at", "x > 1"], ["--max-length", "3"], ["--direction", "a=1"]):
        assert execute([*asked, "--task", str(tmp_path / "task.json"), *ignored]) == 2
        error = capsys.readouterr().err
        assert "T061" in error
        assert ignored[0] in error


CHANGES: list[tuple[str, Any, str]] = [
    ("vocab", [], "T120"),
    ("vocab", ["a", "a", "b"], "T120"),
    ("token_ids", {"a": 2, "b": 2, "c": 4}, "T120"),
    ("token_ids", {"a": 2, "b": 9, "c": 4}, "T122"),
    ("token_ids", {"a": 2}, "T120"),
    ("bos_id", 2, "T120"),
    ("bos_id", -1, "T122"),
    ("max_len_without_bos", 0, "T120"),
    ("max_len_without_bos", 5, "T122"),
    ("max_len_without_bos", None, "T120"),
    ("residual_labels", ["one"], "T122"),
    ("residual_labels", ["one"] * 3, "T120"),
    ("residual_labels", [f"v{place}" for place in range(99)], "T120"),
    ("residual_labels", "one", "T120"),
    ("residual_labels", [], "T120"),
    ("output", {"decode": ["a", "b"]}, "T122"),
    ("output", {"decode": ["a", "a", "b"]}, "T120"),
    ("output", {"decode": 3}, "T120"),
    ("output", {}, "T120"),
]


@pytest.fixture(scope="module")
def reversing(tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("reverse")
    made, output = reverse()
    return network_of(made.save(folder, output), 2), json.loads((folder / "task.json").read_text())


@pytest.mark.parametrize(("key", "value", "code"), CHANGES)
def test_descriptions_that_do_not_fit(
    key: str, value: object, code: str, reversing: tuple[Network, dict[str, Any]], tmp_path: Path
) -> None:
    network, described = reversing
    path = tmp_path / "task.json"
    path.write_text(json.dumps({**described, key: value}))
    with pytest.raises(FomError, match=code):
        decompile(network, read_compiled(path))


def test_labels_in_another_order_explain_nothing(reversing: tuple[Network, dict[str, Any]], tmp_path: Path) -> None:
    network, described = reversing
    path = tmp_path / "task.json"
    path.write_text(json.dumps({**described, "residual_labels": described["residual_labels"][::-1]}))
    task = read_compiled(path)
    found = decompile(network, task, task.words()[:3])
    assert found.found.missing


def test_truth_values_letters_and_fractions_are_names() -> None:
    assert meanings(["a", "b"], ["b", "a"]) == ([1.0, 0.0], True, 1)
    assert meanings(["False", "True"], []) == ([0.0, 1.0], False, 1)
    assert meanings(["-0.5", "0.25"], []) == ([-2.0, 1.0], False, 4)
    assert meanings(["P", "T"], []) == ([0.0, 1.0], False, 1)
    assert meanings(["inf", "1"], []) == ([0.0, 1.0], False, 1)
