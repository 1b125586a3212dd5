"""What the laws do to emitted sentences: ``python -m benchmarks.simplify PATH... [--precision P] [--once] [--longest N]``.

A path is a file that is translated now, or the folder of a translation. One row for each network: definitions and nodes before
and after, the seconds of the processor, the obligations of the proof that nothing changed by method with their seconds, and the
words of length up to N (at most 2,000 of a length) on which both sentences were evaluated. Then the laws used, over all networks.
The exit code is 1 if a proof is open or a word decides differently.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import FomError
from logic.batch import evaluate
from logic.parser import parse
from logic.simplify import Simplified, simplify
from logic.simplify.equality import prove_simplified
from logic.syntax import Sentence
from translator.pipeline import translate

Array = np.ndarray[Any, Any]

MOST_WORDS = 2000


def inputs_of(sentence: Sentence, longest: int) -> Iterator[tuple[Array, Array]]:
    """Words, or for a sentence without letters random propositions, length by length."""
    rng = np.random.default_rng(0)
    n_bits = len(sentence.propositions)
    if not sentence.letters:
        yield np.zeros((200, 0), dtype=int), rng.integers(0, 2, (200, n_bits)).astype(bool)
        return
    for n in range(longest + 1):
        size = len(sentence.letters)
        if size**n <= MOST_WORDS:
            words = np.array(list(itertools.product(range(size), repeat=n)), dtype=int).reshape(size**n, n)
        else:
            words = rng.integers(0, size, (MOST_WORDS, n))
        yield words, rng.integers(0, 2, (len(words), n_bits)).astype(bool)


def read(model: Path, precision: str) -> tuple[str, str, Sentence]:
    """The name, the precision and the sentence of a translation's folder, or of a file that is translated now."""
    if model.is_dir():
        manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
        text = (model / "sentence.fom").read_text(encoding="utf-8")
        return model.name, str(manifest["precision"]), parse(text, check=False)
    made = translate(model, precision=precision)
    name = model.parent.name if model.stem == "model" else f"{model.parent.name}/{model.stem}"
    return name, str(made.precision), made.sentence


def disagreements(one: Sentence, other: Sentence, longest: int) -> tuple[int, int]:
    """How many inputs two sentences decide differently, and how many were tried."""
    wrong = tried = 0
    for words, bits in inputs_of(one, longest):
        left, right = evaluate(one, words, bits)[""], evaluate(other, words, bits)[""]
        rows = len(words)
        wide = np.broadcast_to(right.reshape(rows, -1), left.reshape(rows, -1).shape)
        wrong += int((left.reshape(rows, -1) != wide).any(axis=1).sum())
        tried += rows
    return wrong, tried


def row(
    name: str, precision: str, sentence: Sentence, result: Simplified, seconds: float, longest: int
) -> tuple[str, bool]:
    """The line of one network, and whether all is well."""
    started = time.process_time()
    proof = prove_simplified(sentence, result)
    spent = time.process_time() - started
    methods: Counter[str] = Counter()
    for lemma in proof.lemmas:
        methods[lemma.method] += lemma.covers
    wrong, tried = disagreements(sentence, result.sentence, longest)
    before, after = result.before, result.after
    obligations = ", ".join(f"{count:,} {method}" for method, count in methods.items())
    text = (
        f"| `{name}` | {precision} | {before.definitions:,} | {after.definitions:,} | {before.nodes:,} | {after.nodes:,} "
        f"| {before.quantifier_rank} | {after.quantifier_rank} | {seconds:.1f} | {obligations} "
        f"| {'holds' if proof.complete else f'{len(proof.open)} open'} | {spent:.1f} | {tried - wrong} of {tried} |"
    )
    return text, proof.complete and not wrong


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--once", action="store_true", help="put definitions that are read once in place")
    parser.add_argument("--longest", type=int, default=5)
    options = parser.parse_args()
    print(
        "| network | precision | definitions | after | nodes | after | rank | after | s | obligations | equal | s | words |"
    )
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|---|---|--:|--:|")
    laws: Counter[str] = Counter()
    well = True
    for model in options.models:
        try:
            name, precision, sentence = read(model, options.precision)
        except FomError as error:
            print(f"| `{model}` | {error.diagnostics[0].code} |")
            continue
        started = time.process_time()
        result = simplify(sentence, inline_once=options.once)
        seconds = time.process_time() - started
        laws.update(result.laws)
        text, fine = row(name, precision, sentence, result, seconds, options.longest)
        well = well and fine
        print(text, flush=True)
    print("\n| law | times |\n|---|--:|")
    for law, times in laws.most_common():
        print(f"| {law} | {times:,} |")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
