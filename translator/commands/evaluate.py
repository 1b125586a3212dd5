"""``fom eval``: model checking of any sentence of FO(M)."""

from __future__ import annotations

from typing import Annotated

import typer

from translator.commands.options import JsonFlag, write_json
from translator.terminal import write_lines


def evaluate(
    formula: Annotated[str, typer.Argument(metavar="φ|FILE.fom", help="A sentence, or its file.", show_default=False)],
    words: Annotated[
        list[str], typer.Argument(metavar="WORD...", help="Words: 'a b a', aba or ''.", show_default=False)
    ],
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Letters that words may have.", show_default="any")
    ] = None,
    propositions: Annotated[
        str | None, typer.Option("--true", metavar="p,q", help="Propositions that hold.", show_default=False)
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Use the definition of truth, word for word (slow).")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell in which words a sentence of FO(M) holds; with one free variable, at which positions."""
    from translator import model_checking

    question = model_checking.question(formula, words, alphabet, propositions)
    results = model_checking.answer(question, reference)
    if as_json:
        write_json({"schema": 1, "words": [list(word) for word in question.words], "results": results})
    else:
        write_lines(model_checking.result_lines(question, results))
