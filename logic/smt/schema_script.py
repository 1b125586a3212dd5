"""SMT-LIB: a sentence at every length as a script with quantifiers over the integers (UFLIA)."""

from __future__ import annotations

from collections.abc import Iterator

from logic.schema import Function, Node, Tree, schema
from logic.semantics import deep_recursion
from logic.smt.symbols import quoted, symbol_part
from logic.syntax import Sentence

_SIGNS = {"<=>": "="}
_HALF = {"mod2": "mod", "div2": "div"}


def schema_to_smtlib(sentence: Sentence, *, negate: bool = False) -> Iterator[str]:
    """Spell a checked sentence, line by line.

    The script is satisfiable if and only if some word satisfies the sentence; with `negate`, if some word does not, or not at
    every position if the sentence has a free variable.
    """
    made = schema(sentence)
    with deep_recursion():
        yield "; A sentence of FO(M), for words of every length n: positions are the integers from 1 to n.\n"
        yield f"; sat: some word {'does not satisfy' if negate else 'satisfies'} it. "
        yield f"unsat: {'every' if negate else 'no'} word does.\n"
        yield "(set-logic UFLIA)\n"
        for function in made.functions:
            yield _declaration(function)
        for axiom in made.axioms:
            yield f"; {' '.join(axiom.says.split())}\n(assert {_spell(axiom.formula)})\n"
        claim = Tree("not", (made.everywhere,)) if negate else made.somewhere
        yield f"; the sentence\n(assert {_spell(claim)})\n(check-sat)\n"


def _name(name: str) -> str:
    return quoted(symbol_part(name))


def _declaration(function: Function) -> str:
    arguments = " ".join(["Int"] * function.arity)
    return f"(declare-fun {_name(function.name)} ({arguments}) {'Bool' if function.is_relation else 'Int'})\n"


def _spell(node: Node) -> str:
    if isinstance(node, int):
        return str(node) if node >= 0 else f"(- {-node})"
    if isinstance(node, str):
        return f"{node}!"
    operator, parts = node.operator, [_spell(part) for part in node.parts]
    if operator == "apply":
        name = _name(node.names[0])
        return f"({name} {' '.join(parts)})" if parts else name
    if operator in ("forall", "exists"):
        bound = " ".join(f"({_spell(name)} Int)" for name in node.names)
        return f"({operator} ({bound}) {parts[0]})"
    if operator in _HALF:
        return f"({_HALF[operator]} {parts[0]} 2)"
    return f"({_SIGNS.get(operator, operator)} {' '.join(parts)})"
