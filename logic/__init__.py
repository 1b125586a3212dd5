"""First-order logic with majority, FO(M): sentences, their meaning, and proofs about them."""

from logic.batch import evaluate
from logic.latex import to_latex
from logic.measure import Measures, measure
from logic.parser import parse, parse_formula
from logic.printer import to_ascii, to_unicode
from logic.semantics import Word, satisfies
from logic.syntax import Definition, Formula, Sentence, Sum, Term

__all__ = [
    "Definition",
    "Formula",
    "Measures",
    "Sentence",
    "Sum",
    "Term",
    "Word",
    "evaluate",
    "measure",
    "parse",
    "parse_formula",
    "satisfies",
    "to_ascii",
    "to_latex",
    "to_unicode",
]
