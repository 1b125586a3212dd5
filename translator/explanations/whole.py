"""All that is said about a network: sentences for what it decides, what stands inside, attention on a word, and a program.

A network that decides between classes has a sentence for each class, and the program is that of the first. One that answers with
numbers at every position, or that was compiled from a program, has the program that is read back from it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.network import Network
from logic.batch import evaluate
from logic.comparing.methods import Limit
from logic.searching.hard_programs import HardProgram
from logic.searching.inside_heads import attention_matrix, heads
from logic.searching.programs import Program
from logic.searching.programs_of_sentences import program_of
from logic.searching.samples import Samples
from logic.telling import Progress, seldom, silent
from translator.domains import read_domain
from translator.explanations.compiled import Compiled, description_beside, read_compiled
from translator.explanations.explaining import Explainer, Search
from translator.explanations.explanation import Explained, Explanation, Matrix
from translator.explanations.inside import Entry, look_inside
from translator.explanations.modular import inside_table
from translator.explanations.residual import read_directions
from translator.explanations.routing import Routed, routed
from translator.explanations.stating import Stated, state
from translator.explanations.tables import Tabled, explain_table
from translator.explanations.tracr import Decompiled, decompile
from translator.explanations.transformer_programs import ReadBack, is_hard, read_back
from translator.sides import Source
from translator.words import format_word, parse_word

Integers = np.ndarray[Any, np.dtype[np.int64]]

INSIDE_S = 10.0
HARD_SHARE = 5
"""How much longer a program of hard attention is looked for than a sentence: it says what all classes are."""
DEFAULT_WORD = 5


@dataclass(frozen=True)
class Look:
    """What else to show.

    Attributes:
        word: the word for which attention is shown; None: one of those searched.
        directions: ``NAME=INDEX`` or files of labels, elements of the residual stream to decode.
        task: the description of a network compiled from a program, or None.
        inside: whether to look inside at all.
    """

    word: str | None = None
    directions: tuple[str, ...] = ()
    task: Path | None = None
    inside: bool = True


def explain(
    source: Source, asked: Search | None = None, progress: Progress = silent, look: Look | None = None
) -> Explanation:
    """Explain a network.

    Args:
        source: a translation, or a folder of one read back.
        asked: what to search for; by default for every class as far as there is time.
        progress: called with one line for every stage.
        look: what else to show.

    Raises:
        FomError: a network that reads no words, or a question that does not fit it.
    """
    asked, look, tell = asked or Search(), look or Look(), seldom(progress)
    require_applicable(source.network, asked, look)
    directions = read_directions(look.directions)
    word = parse_word(look.word, source.network.alphabet) if look.word is not None else None
    started = time.monotonic()
    network = source.network
    seconds: dict[str, float] = {}
    explained: tuple[Explained, ...] = ()
    entries: list[Entry] = []
    program: Program | HardProgram | None = None
    scope = ""
    samples: Samples | None = None
    example: Integers | None = None
    tabled: Tabled | None = None
    hard: ReadBack | None = None
    stated: Stated | None = None
    if look.task is not None:
        tell("reading the program back")
        task = read_compiled(look.task)
        compiled = decompile(network, task, words_considered(task, asked.where))
        program, scope, entries = compiled.found.program, compiled.scope, decoded_entries(compiled)
        if program is not None:
            tell("comparing its formulas with the network")
            try:
                stated = state(network, task, program, None if asked.where is None else compiled.words)
            except FomError as error:
                entries.append(("formulas", error.diagnostics[0].message, scope))
        example = task.fed(compiled.words[min(DEFAULT_WORD, len(compiled.words)) - 1])[-1]
    elif network.decided.kind == "value" and not network.inputs and network.decided.n_positions == 1:
        tell("reading the program back")
        found = routed(network)
        program, scope, entries = found.found.program, found.scope, routed_entries(found)
    elif not directions and (hard := read_hard_program(network, asked, tell)) is not None and hard.program is not None:
        program, scope, entries = hard.program, hard.words.scope, hard.entries
    elif (tabled := explain_table(source, asked, tell)) is not None:
        program, scope, example = tabled.program, tabled.scope, tabled.example
    else:
        explainer = Explainer(source, asked, progress)
        explained = explainer.explain()
        samples = explainer.samples(explainer.classes[0])
        program, scope = program_of_sentence(explained), explained[0].searched
    lap(seconds, "sentences" if explained else "law" if tabled is not None else "program", started)
    if word is None:
        word = example if example is not None else chosen_word(source, samples)
    shown = attention_on(source, word)
    if samples is not None and look.inside:
        tell("looking inside")
        began = time.monotonic()
        limit = Limit(began + INSIDE_S, progress=tell)
        entries = look_inside(network, samples, limit, directions)
        lap(seconds, "inside", began)
    elif tabled is not None and look.inside:
        began = time.monotonic()
        entries = inside_table(network, tabled.found, directions, tell)
        lap(seconds, "inside", began)
    return Explanation(
        model=model_of(source),
        precision=precision_of(source),
        alphabet=network.alphabet,
        domain=domain_of(source),
        explained=explained,
        inside=tuple(entries),
        rasp=program.rasp if program is not None else "",
        python=program.python if program is not None else "",
        program_scope=scope if program is not None else "",
        word=format_word(word, network.alphabet) if shown else "",
        attention=shown,
        seconds=seconds,
        table=tabled,
        stated=stated,
        hint=hint_of(source, look, hard),
        sampled=hard is not None and hard.program is not None and not hard.words.complete,
    )


def require_applicable(network: Network, asked: Search, look: Look) -> None:
    """Refuse what would be ignored where a whole program is read back instead of a sentence for each class.

    Raises:
        FomError: an option about classes, positions, lengths or directions beside a program (T061).
    """
    given = {
        "--class": asked.classes, "--at": asked.at, "--search-length": asked.search_length,
        "--max-length": asked.max_length, "--direction": look.directions or None,
    }  # fmt: skip
    beside = [name for name, value in given.items() if value is not None]
    reads_program = look.task is not None or (network.decided.kind == "value" and network.decided.n_positions == 1)
    if beside and reads_program:
        what = "--task reads" if look.task is not None else "of a network that answers with numbers fom reads"
        raise fail(
            "T061",
            f"{what} the program as a whole, and {beside[0]} does not apply to it",
            help=f"leave out {beside[0]}",
        )


def hint_of(source: Source, look: Look, hard: ReadBack | None) -> str:
    """What else could be asked, and why a program is missing."""
    parts = [] if look.task is not None else [task_hint(model_of(source))]
    if hard is not None and hard.program is None:
        more = " A larger --timeout gives it more." if "time" in hard.missing else ""
        parts.append(f"No program was read back: {hard.missing}.{more}")
    return " ".join(filter(None, parts))


def read_hard_program(network: Network, asked: Search, tell: Progress) -> ReadBack | None:
    """The program of a network of hard attention, unless sentences for some classes are asked for; None if it is none."""
    if asked.classes is not None or asked.at is not None or not is_hard(network):
        return None
    tell("reading the program back")
    return read_back(network, Limit(time.monotonic() + HARD_SHARE * asked.timeout_s, progress=tell), asked.where)


def words_considered(task: Compiled, where: str | None) -> list[Integers] | None:
    """The words of a compiled program in which ``--where`` holds, a sentence over the letters of the program; None for all.

    Raises:
        FomError: it holds in none of them.
    """
    if where is None:
        return None
    sentence = read_domain(where, task.letters)
    kept = [words[np.asarray(evaluate(sentence, words)[""], dtype=bool)] for words in task.words()]
    if not any(len(words) for words in kept):
        raise fail("T063", f"no word of the program, up to length {task.longest}, satisfies --where", where=where)
    return [words for words in kept if len(words)]


def task_hint(model: str) -> str:
    """That a description beside the model reads a program back."""
    path = description_beside(Path(model))
    return (
        f"`{path.name}` beside the model describes a compiled network: --task {path} reads its program back"
        if path
        else ""
    )


def lap(seconds: dict[str, float], stage: str, started: float) -> None:
    """Note the time of a stage."""
    seconds[stage] = time.monotonic() - started


def program_of_sentence(explained: Sequence[Explained]) -> Program | None:
    """The program of the first sentence, if a program can say it."""
    try:
        return program_of(explained[0].chosen.sentence)
    except FomError:
        return None


def decoded_entries(compiled: Decompiled) -> list[Entry]:
    """Where the stream of a compiled network holds each variable, and which of them have no expression."""
    missing = [(name, "no expression found", compiled.scope) for name in compiled.found.missing]
    held = []
    for one in compiled.variables:
        values = f"one of {', '.join(one.values)}" if one.values else "a number"
        held.append((one.name, f"in the residual stream from {one.stage} on: {values}", compiled.scope))
    return [*held, *missing]


def routed_entries(found: Routed) -> list[Entry]:
    """At which distances the answer reads letters, and the variables on the way that have no expression."""
    missing = [(name, "no expression found", found.scope) for name in found.found.missing]
    if found.reads is None:
        return missing
    distances = ", ".join(f"x{offset:+d}" if offset else "x" for offset in sorted(found.reads))
    return [("answer", f"reads the letters at {distances}", found.scope), *missing]


def chosen_word(source: Source, samples: Samples | None) -> Integers:
    """The word that attention is shown on: one searched, with as many different letters as there are."""
    domain, letters = source.network.domain, len(source.network.alphabet)
    if samples is not None:
        lengths = [words.shape[1] for words in samples.words]
        batch = min(range(len(lengths)), key=lambda place: abs(lengths[place] - DEFAULT_WORD))
        seen = samples.considered[batch].reshape(len(samples.words[batch]), -1).any(axis=1)
        words = samples.words[batch][seen] if seen.any() else samples.words[batch]
        variety = [len(np.unique(row)) for row in words[:: max(1, len(words) // 64)]]
        row: Integers = words[:: max(1, len(words) // 64)][int(np.argmax(variety))]
        return row
    n = max(domain.least, min(DEFAULT_WORD, domain.most or DEFAULT_WORD))
    return np.arange(n) % letters


def attention_on(source: Source, word: Integers) -> tuple[tuple[str, Matrix], ...]:
    """The weights of every head on a word."""
    found = heads(source.network)
    return tuple((head.name, attention_matrix(source.network, head, word)) for head in found)


def model_of(source: Source) -> str:
    """The path of the model that was translated: a folder has a copy of it."""
    manifest = getattr(source, "manifest", None)
    return str(manifest["model"]) if manifest else str(source.model)


def precision_of(source: Source) -> str:
    """The precision of a translation, in words."""
    from translator.report import precision_text

    manifest = getattr(source, "manifest", None)
    return precision_text(manifest).splitlines()[0] if manifest else str(getattr(source, "precision", ""))


def domain_of(source: Source) -> str:
    """The lengths that a network accepts, in words."""
    from translator.verifying.question import Question
    from translator.verifying.scope import Scope

    return Scope(source.network, Question()).everywhere
