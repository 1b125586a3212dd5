"""Random Transformer Programs for tests."""

from __future__ import annotations

import numpy as np

from examples.train.transformer_program import Head, LearnedProgram, Step, Table


def random_program(
    seed: int, *, layers: int = 2, causal: bool = False, letters: int = 3, longest: int = 4
) -> LearnedProgram:
    """Heads and tables of variables drawn at random, and random rows of scores for all variables."""
    rng = np.random.default_rng(seed)
    sizes = {"tokens": letters, "positions": longest, "ones": 0}
    steps: list[Step] = []

    def pick(*, number: bool) -> str:
        return str(rng.choice([name for name, size in sizes.items() if (size == 0) == number]))

    for layer in range(layers):
        made: list[Step] = []
        for number in range(2):
            query, key, value = pick(number=False), pick(number=False), pick(number=False)
            predicate = tuple(rng.integers(0, sizes[key], sizes[query]).tolist())
            made.append(Head(f"head_{layer}_{number}", query, key, value, predicate))
        query, key, value = pick(number=False), pick(number=False), pick(number=True)
        predicate = tuple(rng.integers(0, sizes[key], sizes[query]).tolist())
        made.append(Head(f"sum_{layer}", query, key, value, predicate, sums=True))
        for head in made:
            sizes[head.name] = 0 if head.sums else sizes[head.value]  # type: ignore[union-attr]
        first, second, number_ = pick(number=False), pick(number=False), pick(number=True)
        tables = (
            Table(
                f"both_{layer}",
                (first, second),
                nested(rng.integers(0, longest, (sizes[first], sizes[second]))),
                longest,
            ),
            Table(f"much_{layer}", (number_,), nested(rng.integers(0, longest, longest + 1)), longest),
        )
        for table in tables:
            sizes[table.name] = table.size
        steps += [*made, *tables]
    logits = {name: np.round(rng.normal(size=(max(size, 1), 4)), 4) for name, size in sizes.items()}
    names = tuple("abcdefgh"[:letters])
    return LearnedProgram(f"random_{seed}", names, longest, tuple(steps), logits, ("0", "1", "2", "3"), causal)


def nested(entries: np.ndarray) -> tuple:  # type: ignore[type-arg]
    """An array as tuples of tuples."""
    return tuple(nested(row) for row in entries) if entries.ndim else int(entries)  # type: ignore[return-value]
