"""From any sentence to an equivalent one of pure FO(M), at every length, 0 included.

Formulas are rewritten from the leaves up. Definitions of sums disappear: what is read of them is named anew. The sentence grows
linearly in the number of items times the number of bits of their coefficients, through definitions.
"""

from __future__ import annotations

from dataclasses import replace

from logic.pure.connectives import conj, disj, iff, neg
from logic.pure.forms import Forms
from logic.pure.index_terms import terms_to_counts
from logic.pure.relational import terms_to_relations
from logic.pure.store import Store
from logic.syntax import (
    And,
    Compare,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    all_of,
    var,
)
from logic.walk import Part, postorder


def to_pure(sentence: Sentence, minimal: bool = False) -> Sentence:
    """Write a checked sentence without counting atoms, counts, indicators and sums.

    Args:
        minimal: also without index terms other than variables, and without ``<=``; `bit` and ``<`` remain.

    Raises:
        FomError: L063, a sum adds up counts over positions, so that it grows like a power of n.
    """
    made = _Purifier(sentence).run()
    if minimal:
        made = terms_to_relations(_Purifier(terms_to_counts(made)).run())
    lost = sorted(sentence.formula.free - made.formula.free)
    same = (Compare("=", var(name), var(name)) for name in lost)
    return replace(made, formula=all_of([*same, made.formula]))


class _Purifier:
    """One sentence on its way."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        self.store = Store(sentence)
        self.formulas: dict[Formula, Formula] = {}
        self.forms = Forms(self.store, self.formulas)
        self.seen: set[Part] = set()

    def run(self) -> Sentence:
        """Rewrite the definitions from first to last, then the formula."""
        for definition in self.sentence.definitions:
            self.store.base = definition.name
            self.rewrite(definition.body)
            if isinstance(definition.body, Sum):
                self.forms.define(definition.name, definition.params, definition.body)
            else:
                body = self.formulas[definition.body]
                self.store.made.append(Definition(definition.name, definition.params, body, definition.comment))
        self.store.base = "answer"
        self.rewrite(self.sentence.formula)
        formula = self.formulas[self.sentence.formula]
        return replace(self.sentence, definitions=tuple(self.store.made), formula=formula)

    def rewrite(self, root: Part) -> None:
        """Rewrite the formulas below and including `root`."""
        for node in postorder(root, self.seen):
            if isinstance(node, Formula):
                self.formulas[node] = self.rewritten(node)

    def rewritten(self, phi: Formula) -> Formula:
        """Rewrite a formula whose parts are rewritten."""
        new = self.formulas
        match phi:
            case Not(body):
                return neg(new[body])
            case And(parts):
                return conj(*(new[part] for part in parts))
            case Or(parts):
                return disj(*(new[part] for part in parts))
            case Implies(left, right):
                return phi if new[left] is left and new[right] is right else Implies(new[left], new[right])
            case Iff(left, right):
                return iff(new[left], new[right])
            case Forall(x, body) | Exists(x, body) | Majority(x, body):
                return type(phi)(x, new[body])
            case Linear():
                return self.forms.atom(phi)
            case _:
                return phi
