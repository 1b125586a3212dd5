"""Short sentences of translated networks: ``python -m benchmarks.explain DIR... [--timeout S] [--positions N]``.

DIR is a folder that ``fom translate`` wrote, for a network that reads words. For each class (class 1 of two) the samples are all
words of the shortest lengths, up to N positions. Printed is the best sentence found: its size, on how many samples it agrees,
seconds, how many formulas were tried. With ``--where`` only words in which that sentence holds are considered, with ``--at``
only positions at which that formula holds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import FomError
from circuits.network import Network
from circuits.pairs import n_classes
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.methods import seconds
from logic.comparing.problem import decided_by
from logic.parser import parse
from logic.printer import letter_name
from logic.searching.samples import Samples
from logic.searching.search import search
from translator.store import load

HEADER = "| network | class | samples | size | agree | seconds | formulas tried | sentence |\n|---|---|---|---|---|---|---|---|"


def batches(network: Network, positions: int) -> list[Any]:
    """All words of the shortest lengths of the domain, up to so many positions."""
    letters, domain = len(network.alphabet), network.domain
    found: list[Any] = []
    total = 0
    for n in range(max(domain.least, 1), (domain.most or 64) + 1):
        total += n * letters**n
        if found and total > positions:
            break
        found.append(np.concatenate(list(all_words(letters, n))))
    return found


def considered(text: str, alphabet: tuple[str, ...], words: Any, shape: tuple[int, ...]) -> Any:
    """Where a sentence holds, or everywhere if there is none, in the shape of the answers."""
    if not text:
        return np.ones(shape, dtype=bool)
    truth = np.asarray(
        evaluate(parse(f"letters {', '.join(map(letter_name, alphabet))}; {text}"), words)[""], dtype=bool
    )
    return np.broadcast_to(truth[:, None] if truth.ndim < len(shape) else truth, shape)


def rows(folder: Path, timeout: float, positions: int, where: str, at: str) -> Iterator[str]:
    """The rows of the table for one network."""
    network = load(folder).network
    words = batches(network, positions)
    answers = [decided_by(network, batch) for batch in words]
    seen = tuple(
        considered(where, network.alphabet, batch, answer.shape) & considered(at, network.alphabet, batch, answer.shape)
        for batch, answer in zip(words, answers, strict=True)
    )
    classes = n_classes(network)
    for number in (1,) if classes == 2 else range(classes):
        samples = Samples(network.alphabet, tuple(words), tuple(answer == number for answer in answers), seen)
        tried: list[int] = []
        started = time.monotonic()
        best = list(search(samples, seconds(timeout), tell=tried.append))[-1]
        spent = time.monotonic() - started
        yield (
            f"| {folder.name} | {number} | {best.total} | {best.size} | {best.total - best.wrong} | {spent:.1f} | "
            f"{(tried or [0])[-1]:,} | `{str(best.sentence.formula).replace('|', chr(92) + '|')}` |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for each class (default: 120)")
    parser.add_argument("--positions", type=int, default=4000, help="positions of the samples (default: 4000)")
    parser.add_argument("--where", default="", help="a sentence: only words in which it holds")
    parser.add_argument("--at", default="", help="a formula: only positions at which it holds")
    given = parser.parse_args()
    print(HEADER)
    for folder in given.folders:
        try:
            for row in rows(folder, given.timeout, given.positions, given.where, given.at):
                print(row, flush=True)
        except FomError as problem:
            print(f"| {folder.name} | | | | | | | {str(problem).splitlines()[0]} |", flush=True)


if __name__ == "__main__":
    main()
