"""Sentences of networks in pure FO(M): ``python -m benchmarks.pure [FOLDER_OR_FILE...] [--length N] [--minimal]``.

For every folder with a ``model.onnx`` (default: small ones of ``examples``, at low precision) the network is translated, every
``.fom`` file (default: those of ``examples/languages``) is read. The sentence is rewritten without counting atoms, and both are
evaluated on all words of one length, or on about 4096 of them. One line of a Markdown table for each.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from circuits.diagnostics import FomError
from logic import Sentence, evaluate, measure, parse
from logic.pure import to_pure
from translator.pipeline import translate

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("mlp_xor", "majority", "more_a", "cls_majority", "first_letter")
PRECISION = "fixed:4"
MOST_WORDS = 4096
COLUMNS = (
    "sentence", "definitions", "nodes", "unfolded", "ranks", "pure: definitions", "nodes", "unfolded", "ranks", "s",
    "words", "s counting", "s pure", "equal",
)  # fmt: skip


def power_of_ten(number: int) -> str:
    """About how large a number is."""
    return f"10^{max(number.bit_length() - 1, 0) * 30103 // 100000}"


def sizes(sentence: Sentence) -> list[str]:
    """Shared size, unfolded size, and the two ranks."""
    found = measure(sentence)
    ranks = f"{found.quantifier_rank}, {found.majority_rank}"
    return [f"{found.definitions:,}", f"{found.nodes:,}", power_of_ten(found.unfolded_nodes), ranks]


def inputs(sentence: Sentence, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of a length with their propositions: all, or an even selection."""
    free = len(sentence.propositions)
    length = n if sentence.letters else 0
    total = max(len(sentence.letters), 1) ** length * 2**free
    chosen = range(0, total, -(-total // MOST_WORDS))
    codes = [
        list(itertools.islice(digits(number // 2**free, max(len(sentence.letters), 1)), length)) for number in chosen
    ]
    bits = [list(itertools.islice(digits(number, 2), free)) for number in chosen]
    return np.array(codes, int).reshape(len(chosen), length), np.array(bits, bool).reshape(len(chosen), free)


def digits(number: int, base: int) -> Iterator[int]:
    """The digits of a number, without end."""
    while True:
        yield number % base
        number //= base


def cells(sentence: Sentence, n: int, minimal: bool) -> list[str]:
    """One line of the table."""
    started = time.perf_counter()
    made = to_pure(sentence, minimal)
    seconds = [time.perf_counter() - started]
    words, bits = inputs(sentence, n)
    values = []
    for one in (sentence, made):
        started = time.perf_counter()
        values.append(evaluate(one, words, bits)[""])
        seconds.append(time.perf_counter() - started)
    equal = str(bool((values[0] == values[1]).all())).lower()
    return [
        *sizes(sentence), *sizes(made), f"{seconds[0]:.1f}", f"{len(words):,}", *(f"{one:.2f}" for one in seconds[1:]), equal,
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--length", type=int, default=7)
    parser.add_argument("--precision", default=PRECISION)
    parser.add_argument("--minimal", action="store_true")
    given = parser.parse_args()
    defaults = [*(EXAMPLES / name for name in NAMES), *sorted((EXAMPLES / "languages").glob("*.fom"))]
    print(f"| {' | '.join(COLUMNS)} |\n|---{'|--:' * (len(COLUMNS) - 1)}|")
    for path in given.paths or defaults:
        try:
            if path.suffix == ".fom":
                sentence = parse(path.read_text(encoding="utf-8"))
            else:
                sentence = translate(path / "model.onnx", precision=given.precision).sentence
            print(f"| `{path.name}` | {' | '.join(cells(sentence, given.length, given.minimal))} |", flush=True)
        except FomError as error:
            print(f"| `{path.name}` | {'; '.join(f'{found.code}: {found.message}' for found in error.diagnostics)} |")


if __name__ == "__main__":
    main()
