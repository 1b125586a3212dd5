"""Sentences of networks in pure FO(M): ``python -m benchmarks.pure [FOLDER_OR_FILE...] [--length N] [--longer W] [--minimal]``.

For every folder with a ``model.onnx`` (default: small ones of ``examples``, at low precision) the network is translated, every
``.fom`` file (default: those of ``examples/languages``) is read. The sentence is rewritten without counting atoms, and both are
evaluated on all words of every length up to N (about 4096 of each length), and on W random words of 8 to 12 letters. One line of
a Markdown table for each.
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
from translator.report import magnitude

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("mlp_xor", "majority", "more_a", "cls_majority", "first_letter")
PRECISION = "fixed:4"
MOST_WORDS = 4096
LONGER = range(8, 13)
COLUMNS = (
    "sentence", "definitions", "nodes", "unfolded", "ranks", "pure: definitions", "nodes", "unfolded", "ranks", "s",
    "words", "s counting", "s pure", "unequal",
)  # fmt: skip


def sizes(sentence: Sentence) -> list[str]:
    """Shared size, unfolded size, and the two ranks."""
    found = measure(sentence)
    ranks = f"{found.quantifier_rank}, {found.majority_rank}"
    return [f"{found.definitions:,}", f"{found.nodes:,}", magnitude(found.unfolded_nodes), ranks]


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


def batches(sentence: Sentence, length: int, longer: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Words up to a length, and random longer ones, each with the propositions."""
    for n in range(length + 1) if sentence.letters else [0]:
        yield inputs(sentence, n)
    if sentence.letters and longer:
        rng = np.random.default_rng(0)
        for n in LONGER:
            count = longer // len(LONGER)
            words = rng.integers(0, len(sentence.letters), (count, n))
            yield words, rng.integers(0, 2, (count, len(sentence.propositions))).astype(bool)


def cells(sentence: Sentence, length: int, longer: int, minimal: bool) -> list[str]:
    """One line of the table."""
    started = time.perf_counter()
    made = to_pure(sentence, minimal)
    making, seconds, compared, unequal = time.perf_counter() - started, [0.0, 0.0], 0, 0
    for words, bits in batches(sentence, length, longer):
        values = []
        for place, one in enumerate((sentence, made)):
            started = time.perf_counter()
            values.append(evaluate(one, words, bits)[""])
            seconds[place] += time.perf_counter() - started
        compared += len(words)
        unequal += int((values[0] != values[1]).reshape(len(words), -1).any(axis=1).sum())
    return [
        *sizes(sentence), *sizes(made), f"{making:.1f}", f"{compared:,}", *(f"{one:.2f}" for one in seconds), str(unequal),
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--length", type=int, default=7)
    parser.add_argument("--longer", type=int, default=1000)
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
            print(
                f"| `{path.name}` | {' | '.join(cells(sentence, given.length, given.longer, given.minimal))} |",
                flush=True,
            )
        except FomError as error:
            print(f"| `{path.name}` | {'; '.join(f'{found.code}: {found.message}' for found in error.diagnostics)} |")


if __name__ == "__main__":
    main()
