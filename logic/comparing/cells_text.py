"""Formulas of Presburger arithmetic over the counts of a layout, as SMT-LIB text with truth values folded."""

from __future__ import annotations

from collections.abc import Iterable

from logic.comparing.cells_layouts import Layout, Linear

TRUE, FALSE = "true", "false"


def integer(number: int) -> str:
    """Write an integer."""
    return str(number) if number >= 0 else f"(- {-number})"


def linear(parts: Iterable[tuple[int, str]], const: int = 0) -> str:
    """Write ``sum(coef * term) + const``."""
    terms = [term if coef == 1 else f"(* {integer(coef)} {term})" for coef, term in parts if coef]
    terms += [integer(const)] if const or not terms else []
    return terms[0] if len(terms) == 1 else f"(+ {' '.join(terms)})"


def negation(phi: str) -> str:
    """Write ``not phi``."""
    if phi in (TRUE, FALSE):
        return FALSE if phi == TRUE else TRUE
    return phi[5:-1] if phi.startswith("(not ") else f"(not {phi})"


def conjunction(parts: Iterable[str]) -> str:
    """Write ``and``."""
    kept = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else f"(and {' '.join(kept)})"


def disjunction(parts: Iterable[str]) -> str:
    """Write ``or``."""
    kept = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else f"(or {' '.join(kept)})"


def equivalence(left: str, right: str) -> str:
    """Write ``left <-> right``."""
    if left in (TRUE, FALSE):
        left, right = right, left
    if right in (TRUE, FALSE):
        return left if right == TRUE else negation(left)
    return TRUE if left == right else f"(= {left} {right})"


def choice(phi: str, then: str) -> str:
    """Write ``then`` if phi holds, and 0 if not."""
    return then if phi == TRUE else "0" if phi == FALSE else f"(ite {phi} {then} 0)"


def count_name(place: int, letter: int) -> str:
    """The unknown number of positions of a type."""
    return f"c{place}_{letter}"


def stretch_name(stretch: int) -> str:
    """The unknown number of times that a stretch repeats its period."""
    return f"k{stretch}"


def spell(value: Linear) -> str:
    """Write a number that grows with the stretches."""
    return linear(((coef, stretch_name(number)) for number, coef in enumerate(value[1:])), value[0])


def unknowns(layout: Layout, n_letters: int) -> list[str]:
    """The unknowns of a layout."""
    counts = [count_name(place, letter) for place in range(len(layout.classes)) for letter in range(n_letters)]
    return [*counts, *(stretch_name(number) for number in range(layout.n_stretches))]


def sizes(layout: Layout, n_letters: int) -> list[str]:
    """What holds of the counts of every word of a layout, and of no other integers."""
    names = unknowns(layout, n_letters)
    found = [f"(>= {name} 0)" for name in names]
    for place, one in enumerate(layout.classes):
        total = linear((1, count_name(place, letter)) for letter in range(n_letters))
        found.append(f"(= {total} {spell(one.size)})")
    return found
