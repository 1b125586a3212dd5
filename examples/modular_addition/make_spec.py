"""Write what it means to add modulo p, as a specification for ``fom verify --against``.

    python examples/modular_addition/make_spec.py P [LETTERS] > spec.fom

The words are ``a b =``: two numbers below p and a sign for "equals", in the order of the tokens: number i is token i, the
sign is token p. LETTERS names the tokens, separated by commas; by default a, b, c, ... as fom does.
"""

from __future__ import annotations

import re
import string
import sys

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def default_letters(p: int) -> list[str]:
    """The names that fom gives to p + 1 tokens."""
    count = p + 1
    return list(string.ascii_lowercase[:count]) if count <= 26 else [f"t{number}" for number in range(count)]


def quoted(letter: str) -> str:
    """A letter as it is written in a formula."""
    return letter if PLAIN.fullmatch(letter) else f"'{letter}'"


def specification(p: int, letters: list[str]) -> str:
    """One definition for each class: the pairs of numbers whose sum leaves that remainder."""
    names = [quoted(letter) for letter in letters]
    lines = [
        f"-- (a + b) mod {p} for words `a b =`; compare them under:",
        f'--     --where "~{names[p]}(1) & ~{names[p]}(2) & {names[p]}(3)"',
        f"letters {', '.join(names)};",
    ]
    for remainder in range(p):
        pairs = [f"{names[a]}(1) & {names[(remainder - a) % p]}(2)" for a in range(p)]
        lines.append(f"let class[{remainder}] := {' | '.join(pairs)};")
    return "\n".join([*lines, "true", ""])


def main(arguments: list[str]) -> None:
    """Write the specification to stdout."""
    if len(arguments) not in (1, 2) or not arguments[0].isdigit() or int(arguments[0]) < 2:
        sys.exit(__doc__.strip())
    p = int(arguments[0])
    letters = arguments[1].split(",") if len(arguments) == 2 else default_letters(p)
    if len(set(letters)) != p + 1:
        sys.exit(f"adding modulo {p} takes {p + 1} different letters, found {len(set(letters))}")
    sys.stdout.write(specification(p, letters))


if __name__ == "__main__":
    main(sys.argv[1:])
