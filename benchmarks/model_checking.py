"""Model checking of long words: ``python -m benchmarks.model_checking [--no-networks]``.

One line of a Markdown table for each sentence: processor seconds at each length, after the sentence was read; how many times
slower the definition of truth is, at the longest word at which it answers soon; the exponent of the growth between the longest
two words; and the memory stated before and measured at the longest word. Words are regular, for networks random.
"""

from __future__ import annotations

import argparse
import math
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from circuits.diagnostics import FomError
from logic import Sentence, Word, evaluate, parse, satisfies
from logic.batch import need

LENGTHS = (10, 30, 100, 300, 1000)
REFERENCE = (5, 8, 12, 20, 30, 50)
SOON = 1.0  # seconds for which the definition of truth is waited for at one length
REPEATS = 3
NETWORKS = ("majority", "first_letter", "dyck1")
EXAMPLES = Path(__file__).parents[1] / "examples"

HEIGHTS = """
sum up(x) := #y[y <= x & ('('(y) | '['(y))] - #y[y <= x & (')'(y) | ']'(y))];
let match(i, j) := i < j & ('('(i) | '['(i)) & (')'(j) | ']'(j)) & up(i) - up(j) = 1
  & forall k. i <= k & k < j -> up(k) >= up(i);
(forall x. up(x) >= 0) & #x['('(x)] + #x['['(x)] = #x[')'(x)] + #x[']'(x)]
& forall i, j. match(i, j) -> ('('(i) <-> ')'(j))
"""

SENTENCES = {
    "majority": ("ab", "M i. b(i)", "ab"),
    "a^m b^m": ("ab", "(M i. a(i)) & (M j. b(j)) & ~exists k, l. a(k) & b(l) & l < k", "a*b*"),
    "Dyck-1": ("oc", "(forall i. #j[j <= i & o(j)] >= #j[j <= i & c(j)]) & (M i. o(i)) & (M i. c(i))", "oc"),
    "palindrome": ("ab", "forall i, j. i + j = n + 1 -> (a(i) <-> a(j))", "a*"),
    "ww": ("ab", "n = 0 | exists m. m + m = n & forall i. i <= m -> (a(i) <-> a(i + m))", "ab"),
    "parity": ("ab", "exists k. #i[b(i)] = k & bit(k, 1)", "ab"),
    "inversions": ("ab", "#i, j[i < j & b(i) & a(j)] >= n", "ab"),
    "majority of pairs": ("ab", "M i. M j. (a(i) <-> b(j)) | i + j < n", "ab"),
    "Dyck-2, three variables": ("([])", HEIGHTS, "([])"),
    "transitive, a product": (
        "ab",
        "let e(x, y) := y = x + 1 | y + x = n & (a(x) <-> b(y));"
        "let f(x, y) := exists z. (e(x, z) | e(z, x)) & (e(z, y) | e(y, z)); forall x. M y. f(x, y) | a(y)",
        "ab",
    ),
    "three variables, no product": (
        "ab",
        "exists x. M y. forall z. (a(x) <-> b(y)) <-> (a(z) <-> x + y < z)",
        "ab",
    ),
}


def word_of(letters: str, repeated: str, n: int) -> str:
    """A word of length n: `repeated` over and over, where a letter before a star takes its whole share at once."""
    blocks = repeated.split("*")[:-1]
    text = "".join(block * (n // len(blocks)) for block in blocks) if blocks else repeated * n
    return (text + letters[-1] * n)[:n]


def random_codes(n_letters: int, n: int) -> np.ndarray:
    """A random word of length n, as the only one of a batch."""
    return np.random.default_rng(n).integers(0, n_letters, (1, n))


def regular_codes(letters: str, repeated: str, n: int) -> np.ndarray:
    """The word of `word_of`, as the only one of a batch."""
    return np.array([[letters.index(letter) for letter in word_of(letters, repeated, n)]], dtype=np.int64)


def seconds(work: Callable[[], object]) -> float:
    """The time of the fastest of a few runs, or of one if it is slow."""
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < SOON:
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def ratio(sentence: Sentence, code: Callable[[int], np.ndarray]) -> str:
    """How many times slower the definition of truth is, with the length."""
    slow, length = 0.0, 0
    for n in REFERENCE:
        word = Word(tuple(sentence.letters[one] for one in code(n)[0]))
        started = time.process_time()
        satisfies(word, sentence)
        slow, length = time.process_time() - started, n
        if slow > SOON / 4:
            break
    fast = seconds(lambda: evaluate(sentence, code(length)))
    return f"{slow / fast:,.1f} (n = {length})"


def row(name: str, sentence: Sentence, code: Callable[[int], np.ndarray]) -> str:
    """Measure one sentence."""
    measured: dict[int, float] = {}
    try:
        for n in LENGTHS:
            words = code(n)
            measured[n] = seconds(partial(evaluate, sentence, words))
    except FomError as error:
        print(f"{name}: {error}")
    cells = [f"{measured[n]:.3g}" if n in measured else "" for n in LENGTHS]
    before, last = list(measured)[-2:]
    growth = math.log(measured[last] / measured[before]) / math.log(last / before)
    stated = need(sentence, 1, last).bytes
    words = code(last)
    tracemalloc.start()
    evaluate(sentence, words)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"| {name} | {' | '.join(cells)} | {growth:.1f} | {ratio(sentence, code)} | {stated / 1e6:.2f} | {peak / 1e6:.2f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--no-networks", action="store_true", help="leave out the sentences of translated networks")
    given = parser.parse_args()
    heads = [*(f"n = {n}" for n in LENGTHS), "growth", "definition of truth / this", "MB stated", "MB at the peak"]
    print(f"| seconds | {' | '.join(heads)} |\n|---|{'--:|' * len(heads)}")
    for name, (letters, text, repeated) in SENTENCES.items():
        sentence = parse(f"letters {', '.join(map(repr, letters))}; {text}")
        print(row(name, sentence, partial(regular_codes, letters, repeated)), flush=True)
    if not given.no_networks:
        from translator.pipeline import translate

        for name in NETWORKS:
            sentence = translate(EXAMPLES / name / "model.onnx").sentence
            print(row(f"`examples/{name}`", sentence, partial(random_codes, len(sentence.letters))), flush=True)


if __name__ == "__main__":
    main()
