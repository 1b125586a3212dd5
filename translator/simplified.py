"""The simplified sentence of a translation: rewritten by laws, and proved equal to the one it was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from circuits.diagnostics import fail
from logic.comments import TextComment, comments_of
from logic.formatting import format_text, notation_of
from logic.measure import Measures
from logic.parser import parse
from logic.printer import Notation, to_text
from logic.simplify.equality import prove_simplified
from logic.syntax import Sentence


@dataclass(frozen=True)
class SimplifiedSentence:
    """A simplified sentence, how often each law was applied, and what of the equality was not proved."""

    sentence: Sentence
    before: Measures
    measures: Measures
    laws: Mapping[str, int]
    open: tuple[str, ...]

    @property
    def proved(self) -> bool:
        """Tell whether it was proved equal to the original."""
        return not self.open


def simplified_of(sentence: Sentence, keep: Sequence[str]) -> SimplifiedSentence:
    """Simplify a sentence, keeping some definitions by name, and prove the result equal, definition by definition."""
    found = sentence.simplified(keep)
    proof = prove_simplified(sentence, found)
    return SimplifiedSentence(found.sentence, found.before, found.after, found.laws, tuple(proof.open))


@dataclass(frozen=True)
class SimplifiedText:
    """A file of a simplified sentence.

    Attributes:
        removed: comments of definitions that are gone, with their names.
        dropped: comments beside headers and inside of definitions, which have no place any more.
    """

    text: str
    before: Measures
    after: Measures
    removed: tuple[tuple[str, TextComment], ...]
    dropped: tuple[TextComment, ...]


def simplified_text(text: str, name: str, notation: Notation | None, width: int) -> SimplifiedText:
    """Simplify the sentence of a file and lay it out anew; a sentence stays in the signs it is written in.

    Comments above everything, of definitions that stay and of the formula are kept; the last stand above the formula.

    Raises:
        FomError: a sentence that is not well-formed, or of which the simplified one was not proved equal.
    """
    sentence = parse(text, name)
    found = simplified_of(sentence, ())
    if not found.proved:
        raise fail("T093", "the simplified sentence was not proved equal to the one in the file", where=name,
                   note=found.open[0], help="it was not written; leave out --simplify")  # fmt: skip
    comments, left = comments_of(text), {definition.name for definition in found.sentence.definitions}
    notation = notation or notation_of(text)
    bare = replace(found.sentence, definitions=())
    body = to_text(found.sentence, notation)
    formula = to_text(replace(bare, letters=(), propositions=()), notation)
    upper = body.removesuffix("\n").removesuffix(formula)
    top = "".join(f"{one}\n" for one in comments.top)
    below = "".join(f"{one}\n" for one in comments.of_formula)
    whole = f"{top}\n{upper}{below}{formula}\n" if top else f"{upper}{below}{formula}\n"
    return SimplifiedText(
        format_text(whole, name, notation=notation, width=width),
        found.before,
        found.measures,
        tuple((one, comment) for one, its in comments.of_definitions.items() if one not in left for comment in its),
        tuple(comments.elsewhere),
    )
