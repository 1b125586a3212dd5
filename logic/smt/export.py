"""SMT-LIB: a sentence at one length as a script without quantifiers, one Boolean for each letter at each position.

Each instance of a definition is a declared symbol with the equation that defines it, so the script is as large as the ground
sentence is shared. The logic is LIA, and not its part without quantifiers, for which some solvers choose a procedure for 0/1
sums that loses linear arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

from pysmt.fnode import FNode
from pysmt.smtlib.printers import SmtDagPrinter, SmtPrinter
from pysmt.typing import BOOL

from logic.smt.ground import Grounded, ground
from logic.smt.symbols import quoted
from logic.syntax import Sentence

_SHARED = 4
"""From how many times the shared size on a formula is written with ``let``."""


def ground_to_smtlib(sentence: Sentence, n: int, *, negate: bool = False) -> Iterator[str]:
    """Spell a checked sentence at length `n`, line by line.

    The script is satisfiable if and only if some word of this length satisfies the sentence, and its model is such a word.
    With `negate`, if some word does not; with a free variable, if it does (or does not) at some position.
    """
    made = ground(sentence, n)
    asked = made.formula if isinstance(made.formula, dict) else {0: made.formula}
    manager: Any = made.env.formula_manager
    claims = [manager.Not(phi) if negate else phi for phi in asked.values()]
    yield f"; A sentence of FO(M) for the words of length {n}: |a@3| says that the letter at position 3 is a.\n"
    yield f"; sat: some word {'does not satisfy' if negate else 'satisfies'} it. "
    yield f"unsat: {'every' if negate else 'no'} word does.\n"
    yield "(set-logic LIA)\n"
    yield from _declarations(made)
    for position, constraint in enumerate(made.alphabet, 1):
        yield f"; position {position} has exactly one letter\n(assert {_spell(constraint)})\n"
    for equation in made.equations:
        yield f"(assert {_spell(equation)})\n"
    yield "; the sentence\n"
    yield f"(assert {_spell(manager.Or(claims))})\n(check-sat)\n"


def _declarations(made: Grounded) -> Iterator[str]:
    """Letters, propositions, and the instances of definitions."""
    known = [*made.letters.values(), *made.propositions.values()]
    if known:
        yield "; the word\n"
    for one in known:
        yield _declaration(one)
    if made.equations:
        yield "; definitions at positions: |p@1.2| is p(1, 2)\n"
    for equation in made.equations:
        yield _declaration(equation.arg(0))


def _declaration(one: FNode) -> str:
    return f"(declare-fun {quoted(one.symbol_name())} () {'Bool' if one.is_symbol(BOOL) else 'Int'})\n"


def _spell(formula: FNode) -> str:
    """A formula as text: as a tree, or with ``let`` where it shares much."""
    text = StringIO()
    printer = _DagPrinter(text) if _shares_much(formula) else _TreePrinter(text)
    printer.printer(formula)
    return text.getvalue()


def _shares_much(formula: FNode) -> bool:
    """Tell whether the tree is much larger than the shared graph."""
    sizes: dict[FNode, int] = {}
    stack = [formula]
    while stack:
        node = stack[-1]
        waiting = [part for part in node.args() if part not in sizes]
        if waiting:
            stack.extend(waiting)
        else:
            sizes[stack.pop()] = 1 + sum([sizes[part] for part in node.args()])
    return sizes[formula] > _SHARED * len(sizes) + 64


class _TreePrinter(SmtPrinter):  # type: ignore[misc]
    def walk_symbol(self, formula: FNode) -> None:
        """Spell a symbol as everywhere."""
        self.write(quoted(formula.symbol_name()))


class _DagPrinter(SmtDagPrinter):  # type: ignore[misc]
    def walk_symbol(self, formula: FNode, **_: Any) -> str:
        """Spell a symbol as everywhere."""
        return quoted(formula.symbol_name())
