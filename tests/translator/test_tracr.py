"""Programs compiled to weights, read back from them, and stated as formulas that are compared with the network."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.network import Network
from circuits.words import all_words
from tests.translator.compiling_programs import Compiler, always, at_most, equal, less
from translator.explanations.compiled import Compiled, read_compiled
from translator.explanations.stating import Stated, state
from translator.explanations.tracr import Decompiled, decompile
from translator.fidelity import observe
from translator.fixing import fitted
from translator.pipeline import Settings, fidelity_inputs, read_network
from translator.precision import parse_precision
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
        made.table(f"is_{name}", ["tokens"], lambda one, letter=letter: one == letter, numerical=True)  # type: ignore[misc]
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
    if stated.verifiable:
        specification = read_specification(stated.specification_text, network)
        assert specification.relations == tuple(one for one, _ in stated.answers)
