"""Symbols of SMT-LIB: a quoted symbol holds anything but a bar and a backslash."""

from __future__ import annotations

import re

_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_!]*")


def symbol_part(name: str) -> str:
    """Spell a name inside a symbol: a bar, a backslash, a percent sign and what is not printable as their numbers."""
    return "".join(char if char.isprintable() and char not in "%|\\" else f"%{ord(char):02X}" for char in name)


def quoted(name: str) -> str:
    """Spell a symbol, quoted where it has to be; names of the theory, which quotes do not free, get a dot."""
    if name in _RESERVED:
        return f"|{name}.|"
    return name if _SIMPLE.fullmatch(name) else f"|{name}|"


_RESERVED = frozenset(["let", "forall", "exists", "and", "or", "not", "true", "false", "ite", "xor", "distinct", "abs", "mod",
                       "div", "par", "match", "as", "is", "Int", "Bool", "BINARY", "DECIMAL", "HEXADECIMAL", "NUMERAL",
                       "STRING", "divisible", "select", "store", "Real", "Array"])  # fmt: skip
