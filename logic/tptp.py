"""TPTP: a sentence at every length as a problem in TFF, typed first-order logic with integer arithmetic.

Sutcliffe, "The logic languages of the TPTP world" (2023), has the language; conditional terms are not used, so that every
prover of TF0 with arithmetic reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from logic.schema import Axiom, Function, Node, Schema, Tree, schema
from logic.semantics import deep_recursion
from logic.syntax import Sentence

_INFIX = {"and": " & ", "or": " | ", "=>": " => ", "<=>": " <=> ", "=": " = "}
_PREFIX = {"<=": "$lesseq", "<": "$less", "*": "$product"}
_QUANTIFIERS = {"forall": "!", "exists": "?"}
_HALF = {"mod2": "$remainder_e", "div2": "$quotient_e"}


def sentence_to_tptp(sentence: Sentence, *, negate: bool = False) -> Iterator[str]:
    """Spell a checked sentence, line by line.

    The problem is satisfiable if and only if some word satisfies the sentence. With `negate` the sentence is the conjecture: a
    theorem if and only if every word satisfies it, at every position if it has a free variable.
    """
    made = schema(sentence)
    with deep_recursion():
        yield from _lines(made, negate)


def _lines(made: Schema, negate: bool) -> Iterator[str]:
    yield "% A sentence of FO(M), for words of every length n: positions are the integers from 1 to n.\n"
    yield ("% Theorem: every word satisfies it. CounterSatisfiable: some word does not.\n" if negate else
           "% Satisfiable: some word satisfies it. Unsatisfiable: none does.\n")  # fmt: skip
    for number, function in enumerate(made.functions):
        yield f"tff(type_{number}, type, {_type(function)}).\n"
    for number, axiom in enumerate(made.axioms):
        yield f"% {_one_line(axiom)}\ntff(axiom_{number}, axiom, {_spell(axiom.formula)}).\n"
    if negate:
        yield f"tff(sentence, conjecture, {_spell(made.everywhere)}).\n"
    else:
        yield f"tff(sentence, axiom, {_spell(made.somewhere)}).\n"


def _one_line(axiom: Axiom) -> str:
    return " ".join(axiom.says.split())


def _type(function: Function) -> str:
    result = "$o" if function.is_relation else "$int"
    if not function.arity:
        return f"{_atom(function.name)}: {result}"
    arguments = " * ".join(["$int"] * function.arity)
    return f"{_atom(function.name)}: {f'({arguments})' if function.arity > 1 else arguments} > {result}"


def _atom(name: str) -> str:
    """Spell the name of a function: a lower word, or quoted, where printable ASCII is as it is and nothing else is allowed."""
    if name.isascii() and name.isidentifier() and name[0].islower():
        return name
    shown = [char if " " <= char <= "~" and char not in "%" else f"%{ord(char):X}%" for char in name]
    return "'" + "".join(shown).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _variable(name: str) -> str:
    return f"V_{name}"


def _spell(node: Node) -> str:
    if isinstance(node, int):
        return str(node)
    if isinstance(node, str):
        return _variable(node)
    operator, parts = node.operator, [_spell(part) for part in node.parts]
    if operator == "apply":
        return _atom(node.names[0]) + (f"({', '.join(parts)})" if parts else "")
    if operator == "not":
        return (
            f"~ {parts[0]}"
            if isinstance(node.parts[0], Tree) and node.parts[0].operator == "apply"
            else f"~ ({parts[0]})"
        )
    if operator in _INFIX:
        return f"({_INFIX[operator].join(parts)})"
    if operator in _QUANTIFIERS:
        bound = ", ".join(f"{_variable(name)}: $int" for name in node.names)
        return f"({_QUANTIFIERS[operator]} [{bound}] : {parts[0]})"
    if operator == "+":
        total = parts[0]
        for part in parts[1:]:
            total = f"$sum({total}, {part})"
        return total
    if operator in _HALF:
        return f"{_HALF[operator]}({parts[0]}, 2)"
    return f"{_PREFIX[operator]}({', '.join(parts)})"
