"""``fom explain``: the short sentence of a network, names for what is inside it, and a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuits.diagnostics import fail
from translator.commands.artifacts import PrecisionOfModel, artifacts_of
from translator.commands.options import MOST_LENGTH, Bind, Input, JsonFlag, Where, write_json
from translator.terminal import complain, progress, write_lines

if TYPE_CHECKING:
    from translator.explanations.explanation import Explained, Explanation
    from translator.explanations.stating import Stated
    from translator.explanations.tables import Tabled

UNKNOWN = 3


def explain(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.onnx|DIR", help="A network, or the folder of a translation.", show_default=False),
    ],
    classes: Annotated[
        list[int] | None,
        typer.Option("--class", metavar="C", min=0, help="Explain this class. May be repeated.", show_default="all"),
    ] = None,
    search_length: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=MOST_LENGTH, help="Longest words of the search.", show_default="by their number"
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_LENGTH,
            help="Longest words of the verification.",
            show_default="every length, or 8",
        ),
    ] = None,
    where: Where = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="ψ(x)", help="Explain only positions at which this formula holds.")
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="S", min=0, help="Seconds for all searches for a class, and as much for all verifications."
        ),
    ] = 60.0,
    word: Annotated[
        str | None, typer.Option(metavar="'a b a'", help="Show attention on this word.", show_default=False)
    ] = None,
    direction: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=INDEX|FILE.json",
            help="Name an element of the residual stream, or all of them, and decode it. May be repeated.",
            show_default=False,
        ),
    ] = None,
    task: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="The description of a network compiled by Tracr.", show_default=False),
    ] = None,
    spec: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.fom", help="With --task: write the program's formulas as a specification.", show_default=False
        ),
    ] = None,
    inside: Annotated[bool, typer.Option("--inside/--no-inside", help="Look at words and heads inside.")] = True,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write a page, too.", show_default=False)
    ] = None,
    precision: PrecisionOfModel = "auto",
    bind: Bind = None,
    input_: Input = None,
    as_json: JsonFlag = False,
) -> None:
    """Find the shortest sentence that a network computes, and verify it. Exit code: 0 verified, 3 not exact or not proved."""
    from translator.explanations.explaining import Search
    from translator.explanations.whole import Look, explain
    from translator.files import replacing_file, require_file_place
    from translator.pages.explanation_page import explanation_html
    from translator.pages.explanation_terminal import explanation_lines

    asked = Search(search_length, max_length, where, at, tuple(classes) if classes else None, timeout)
    if spec is not None and task is None:
        raise fail("T123", "there are no formulas of a program to write", help="--spec needs --task FILE.json")
    for place in (html, spec):
        if place is not None:
            require_file_place(place)
    with progress() as tell, artifacts_of(source, tell, bind, input_, where, precision) as artifacts:
        found = explain(artifacts, asked, tell, Look(word, tuple(direction or ()), task, inside))
        if html is not None:
            with replacing_file(html) as file:
                file.write(explanation_html(found).encode("utf-8"))
    if spec is not None:
        write_specification(found, spec, source)
    if as_json:
        write_json(explanation_facts(found))
    else:
        write_lines(explanation_lines(found))
    raise typer.Exit(0 if is_known(found) else UNKNOWN)


def is_known(found: Explanation) -> bool:
    """Tell whether everything that is said about the answer was verified."""
    from translator.explanations.explaining import verified

    if found.table is not None:
        return found.table.verified
    if found.explained:
        return all(verified(one) for one in found.explained)
    return bool(found.rasp) and not found.sampled and (found.stated is None or not found.stated.wrong)


def write_specification(found: Explanation, path: Path, source: Path) -> None:
    """Write the formulas of a program, and tell how to verify them.

    Raises:
        FomError: no program with formulas was found (T123).
    """
    from translator.files import replacing_file

    if found.stated is None:
        raise fail("T123", "there are no formulas of a program to write", help="no program of this network was found")
    for place, text in found.stated.files(path).items():
        with replacing_file(place) as file:
            file.write(text.encode("utf-8"))
    if found.stated.verifiable:
        complain(f"next: {found.stated.verification(str(source), path)}")


def explanation_facts(found: Explanation) -> dict[str, Any]:
    """An explanation, ready for JSON."""
    from translator.claims import claim_facts

    explained = [
        {
            "name": one.name,
            "sentence": str(one.chosen.sentence),
            "size": one.chosen.size,
            "wrong": one.chosen.wrong,
            "searched": one.searched,
            "words": one.chosen.total,
            "rounds": one.rounds,
            "wrong_words": list(one.wrong),
            "front": [
                {"sentence": str(other.sentence), "size": other.size, "wrong": other.wrong} for other in one.front
            ],
            "verdict": one.report.verdict if one.report is not None else "not exact",
            "complete": one.complete,
            "departs": one.departs,
            "further": further_facts(one.further) if one.further is not None else None,
            "claims": [claim_facts(claim) for claim in one.report.claims] if one.report is not None else [],
            "seconds": round(one.seconds, 3),
        }
        for one in found.explained
    ]
    return {
        "schema": 1,
        "model": found.model,
        "precision": found.precision,
        "alphabet": list(found.alphabet),
        "domain": found.domain,
        "explained": explained,
        "table": table_facts(found.table) if found.table is not None else None,
        "formulas": stated_facts(found.stated) if found.stated is not None else None,
        "hint": found.hint,
        "inside": [{"name": name, "formula": formula, "scope": scope} for name, formula, scope in found.inside],
        "program": {"rasp": found.rasp, "python": found.python, "scope": found.program_scope},
        "seconds": {stage: round(spent, 3) for stage, spent in found.seconds.items()},
    }


def further_facts(one: Explained) -> dict[str, Any]:
    """The sentence that is right on longer words, ready for JSON."""
    report = one.report
    return {
        "sentence": str(one.chosen.sentence),
        "size": one.chosen.size,
        "scope": report.scope if report is not None else "",
        "verdict": report.verdict if report is not None else "not exact",
        "departs": one.departs,
    }


def stated_facts(stated: Stated) -> dict[str, Any]:
    """The formulas of a compiled program, ready for JSON."""
    return {
        "sentence": str(stated.formulas.sentence),
        "answers": [{"name": name, "answer": answer} for name, answer in stated.answers],
        "specification": stated.specification_text,
        "where": stated.where,
        "at": str(stated.at),
        "scope": stated.scope,
        "every": stated.every,
        "verdict": "refuted" if stated.wrong else "holds",
        "unspecified": stated.unspecified,
        "wrong_words": list(stated.wrong),
    }


def table_facts(tabled: Tabled) -> dict[str, Any]:
    """A table over letters and its law, ready for JSON."""
    from translator.claims import claim_facts

    law, elsewhere = tabled.fit.law, tabled.elsewhere
    return {
        "law": law.text,
        "kind": law.kind,
        "positions": [place + 1 for place in law.places],
        "numbers": {
            tabled.alphabet[letter]: int(tabled.found.number_of[letter])
            for letter in tabled.found.shape.letters[law.places[0]]
        },
        "length": tabled.length,
        "where": tabled.where,
        "words": tabled.fit.seen,
        "right": tabled.fit.right,
        "wrong": [{"word": one.word, "law": one.says, "network": one.decides} for one in tabled.wrong],
        "depends_on": list(tabled.reads),
        "elsewhere": {
            "words": elsewhere.words,
            "sampled": elsewhere.sampled,
            "said": elsewhere.said,
            "right": elsewhere.right,
            "depends_on": list(elsewhere.reads) if elsewhere.reads is not None else None,
        },
        "formulas": {f"class[{number}]": str(sentence.formula) for number, sentence in tabled.formulas},
        "verdict": tabled.report.verdict,
        "claims": [claim_facts(claim) for claim in tabled.report.claims],
        "seconds": round(tabled.seconds, 3),
    }
