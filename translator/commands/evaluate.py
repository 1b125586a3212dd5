"""``fom eval``: model checking of any sentence of FO(M)."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import JsonFlag, parse_memory, write_json
from translator.terminal import complain, write_lines


def evaluate(
    formula: Annotated[str, typer.Argument(metavar="φ|FILE.fom", help="A sentence, or its file.", show_default=False)],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORD...", help="Words: 'a b a', aba or ''.", show_default=False)
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--words", metavar="FILE", help="Read further words, one on each line.", show_default=False),
    ] = None,
    alphabet: Annotated[
        str | None, typer.Option(metavar="a,b,c", help="Letters that words may have.", show_default="any")
    ] = None,
    propositions: Annotated[
        str | None, typer.Option("--true", metavar="p,q", help="Propositions that hold.", show_default=False)
    ] = None,
    reference: Annotated[
        bool, typer.Option("--reference", help="Use the definition of truth, word for word (slow).")
    ] = False,
    memory: Annotated[
        str | None,
        typer.Option(metavar="8GB", help="Refuse what would need more memory.", show_default="half of the machine's"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say how long it took and what memory it needed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell in which words a sentence of FO(M) holds; with one free variable, at which positions."""
    from translator import model_checking

    limit = None if memory is None else parse_memory(memory)
    asked = [*(words or ()), *(() if file is None else model_checking.read_words(file))]
    if not asked and file is None:
        raise fail("T070", "which words?", help="fom eval φ WORD..., or --words FILE")
    question = model_checking.question(formula, asked, alphabet, propositions)
    started = time.perf_counter()
    needed = None if reference else model_checking.memory_needed(question, limit)
    results = model_checking.answer(question, reference, limit)
    seconds = time.perf_counter() - started
    if as_json:
        found = {"words": [list(word) for word in question.words], "results": results}
        write_json({"schema": 1, **found, "seconds": round(seconds, 6), "memory": needed})
        return
    write_lines(model_checking.result_lines(question, results))
    if verbose:
        complain(model_checking.effort_text(seconds, needed))
