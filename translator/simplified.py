"""The simplified sentence of a translation: rewritten by laws, and proved equal to the one it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logic.measure import Measures
from logic.simplify import simplify
from logic.simplify.equality import prove_simplified
from logic.syntax import Sentence


@dataclass(frozen=True)
class SimplifiedSentence:
    """A simplified sentence, how often each law was applied, and what of the equality was not proved."""

    sentence: Sentence
    measures: Measures
    laws: Mapping[str, int]
    open: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Tell whether it was proved equal to the original."""
        return not self.open


def simplified_of(sentence: Sentence, keep: Sequence[str]) -> SimplifiedSentence:
    """Simplify a sentence, keeping some definitions by name, and prove the result equal, definition by definition."""
    found = simplify(sentence, keep=tuple(keep), inline_once=True)
    proof = prove_simplified(sentence, found)
    return SimplifiedSentence(found.sentence, found.after, found.laws, tuple(proof.open))
