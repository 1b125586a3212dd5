"""Networks of hard attention over variables with few values (Transformer Programs): the program, read back from values.

A learned program keeps one-hot blocks and whole numbers, which its heads and tables write and nothing overwrites. They
are found as such in the nodes of one position, however the file spells them, and explained by each other, first to last
(`logic.searching.hard_search`); the scores of the answer are a sum over them. What is found on some words is run on all
words considered, and those on which it is wrong join the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.evaluate import evaluate
from circuits.network import Letters, Network, Node, Predicates, Product, Quotient, Sum, references
from circuits.words import all_words, random_words
from logic.comparing.methods import Limit
from logic.searching.hard_programs import OUTPUT, Attend, HardProgram, Lookup, Scores, renamed
from logic.searching.hard_scores import find_scores
from logic.searching.hard_search import MOST_VALUES, Variables, needed
from translator.domains import word_filter

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_PLACES = 60_000
SAMPLED = 1_000
"""Random words of each length beyond those of which all are tried."""
SEARCHED_PLACES = 4_000
FIRST_LENGTHS = 3
MOST_COLUMNS = 8_000
"""Columns of nodes that are looked at together."""
LONGEST = 24
ROUNDS, MOST_WRONG = 6, 200
MISSING = -(1 << 20)


@dataclass(frozen=True)
class Words:
    """Words considered, a batch for each length: all of them up to a length, random ones beyond."""

    batches: tuple[Integers, ...]
    complete: int
    where: str | None

    @property
    def scope(self) -> str:
        """Which words these are, in words."""
        lengths = [batch.shape[1] for batch in self.batches]
        all_ = [n for n in lengths if n <= self.complete]
        more = [(n, len(batch)) for n, batch in zip(lengths, self.batches, strict=True) if n > self.complete]
        parts = [f"all words of length {all_[0]} to {all_[-1]}"] if all_ else []
        if more:
            total = sum(count for _, count in more)
            parts.append(f"{total:,} random words of length {more[0][0]} to {more[-1][0]}")
        return " and ".join(parts) + (" in the domain of --where" if self.where else "")


@dataclass(frozen=True)
class ReadBack:
    """What was read back.

    Attributes:
        missing: what could not be said, if there is no program.
        heads: how many heads were found, and how many of them the answer depends on.
    """

    program: HardProgram | None
    words: Words
    missing: str
    heads: tuple[int, int]

    @property
    def entries(self) -> list[tuple[str, str, str]]:
        """What is said beside the program: its variables, and what is in the network and idle."""
        scope = self.words.scope
        if self.program is None:
            return [("answer", self.missing, scope)]
        found, kept = self.heads
        said = [(step.name, description(step), scope) for step in self.program.steps]
        return [*said, ("answer", f"depends on {kept} of {found} heads found", scope)]


def description(step: Attend | Lookup) -> str:
    """What a step does, in words."""
    if isinstance(step, Lookup):
        return f"table of {' and '.join(step.reads)}, {len(step.entries)} entries"
    does = "sums" if step.sums else "copies from the closest match"
    return f"head: {step.query} looks for {step.key}, {does}: {step.value}"


def is_hard(network: Network) -> bool:
    """Whether a network answers at every position with classes, compares positions, and averages nothing."""
    if network.inputs or network.readout is None:
        return False
    readout = network.readout
    if readout.kind != "classes" or readout.n_positions != 1 or readout.denominator is not None:
        return False
    nodes = network.nodes
    return not any(isinstance(node, Quotient) for node in nodes) and any(
        isinstance(node, Product) and node.n_positions == 2 for node in nodes
    )


def read_back(network: Network, limit: Limit, where: str | None = None) -> ReadBack:
    """The program of a network for which `is_hard` holds, on the words that are considered.

    Raises:
        FomError: no word satisfies `where`.
    """
    words = words_of(network, where)
    answers = [decided(network, batch) for batch in words.batches]
    chosen = first_chosen(words)
    found: ReadBack | None = None
    for round_ in range(ROUNDS):
        limit.progress(f"reading the program back{'' if not round_ else f', refined {round_} times'}")
        found = program_on(network, words, chosen, limit)
        if found.program is None:
            return found
        wrong = wrong_words(found.program, words, answers)
        if not any(len(batch) for batch in wrong):
            return found
        share = max(1, MOST_WRONG // sum(len(batch) > 0 for batch in wrong))
        chosen = [np.concatenate([old, new[:share]]) for old, new in zip(chosen, wrong, strict=True)]
    return ReadBack(None, words, "no program that is right on all words", found.heads if found else (0, 0))


def words_of(network: Network, where: str | None) -> Words:
    """All words of the domain, as many lengths as are not too many positions, and random words of the other ones.

    Raises:
        FomError: no word satisfies `where`.
    """
    letters, domain = len(network.alphabet), network.domain
    keep = word_filter(where, network.alphabet) if where is not None else None
    found: list[Integers] = []
    total, complete = 0, 0
    for n in range(domain.least, min(domain.most or LONGEST, LONGEST) + 1):
        total += n * letters**n
        if total <= MOST_PLACES:
            batch, complete = np.concatenate(list(all_words(letters, n))), n
        else:
            batch = random_words(letters, n, SAMPLED if keep is None else 100 * SAMPLED, n)
        if keep is not None:
            batch = batch[np.asarray(keep(batch), dtype=bool)]
            batch = batch if n <= complete else batch[:SAMPLED]
        if len(batch):
            found.append(batch)
        if domain.most is None and total > MOST_PLACES and n >= complete + 2:
            break
    if not found:
        raise fail("T063", "no word considered satisfies --where", where=where or "")
    return Words(tuple(found), complete, where)


def first_chosen(words: Words) -> list[Integers]:
    """A sample of the words to begin with, of the longest lengths; of the others none."""
    room = SEARCHED_PLACES // min(len(words.batches), FIRST_LENGTHS)
    rng = np.random.default_rng(0)
    chosen = []
    for place, batch in enumerate(words.batches):
        count = max(4, room // batch.shape[1]) if place >= len(words.batches) - FIRST_LENGTHS else 0
        rows = np.sort(rng.choice(len(batch), count, replace=False)) if len(batch) > count else np.arange(len(batch))
        chosen.append(batch[rows])
    return chosen


def decided(network: Network, words: Integers) -> Integers:
    """The class at each position."""
    return np.asarray(evaluate(network, words)[network.decided.decision].argmax(axis=-1))


def wrong_words(program: HardProgram, words: Words, answers: Sequence[Integers]) -> list[Integers]:
    """The words on which a program is wrong."""
    return [
        batch[(program.run(batch, MISSING) != answer).any(axis=1)]
        for batch, answer in zip(words.batches, answers, strict=True)
    ]


def program_on(network: Network, words: Words, chosen: Sequence[Integers], limit: Limit) -> ReadBack:
    """The program that is right on the chosen words."""
    chosen = [batch for batch in chosen if len(batch)]
    variables = Variables(chosen, causal=is_causal(network, chosen))
    readout = network.decided
    sources = {readout.scores, *(ref.node for ref, _ in references(network.by_name[readout.scores]))}
    read_by_scores: list[str] = ["tokens", "indices"]
    most = max(len(network.alphabet), *(batch.shape[1] for batch in chosen)) + 1
    for node, columns in columns_of(network, chosen):
        for values in blocks(columns):
            if not isinstance(node, Sum) and len(np.unique(values)) > most:
                continue
            name = variables.known_as(values)
            if name is None:
                if limit.left <= 0:
                    return ReadBack(None, words, "the time did not suffice", (heads(variables.steps), 0))
                name = explained(variables, node, values, limit)
            if name is not None and node.name in sources and name not in read_by_scores:
                read_by_scores.append(name)
    answer = answer_of(variables, *scores_on(network, chosen), read_by_scores)
    if answer is None:
        return ReadBack(
            None, words, "no sum of scores and no table of the variables found", (heads(variables.steps), 0)
        )
    steps = needed(variables.steps, answer.reads)
    program = renamed(HardProgram(network.alphabet, steps, answer, variables.causal))
    return ReadBack(program, words, "", (heads(variables.steps), heads(steps)))


def heads(steps: Sequence[Attend | Lookup]) -> int:
    """How many steps are heads."""
    return sum(isinstance(step, Attend) for step in steps)


def is_causal(network: Network, words: Sequence[Integers]) -> bool:
    """Whether no answer on these words changes when the last letter is taken away."""
    name = network.decided.scores
    for batch in words:
        if batch.shape[1] > max(network.domain.least, 1):
            whole, cut = (evaluate(network, part)[name] for part in (batch, batch[:, :-1]))
            if (whole[:, :-1] != cut).any():
                return False
    return True


def columns_of(network: Network, words: Sequence[Integers]) -> Iterator[tuple[Node, Integers]]:
    """Each node of at most one position with its values ``(points, size)``, if these are whole numbers."""
    nodes = [n for n in network.nodes if n.n_positions <= 1 and not isinstance(n, Letters | Predicates)]
    while nodes:
        group: list[Node] = []
        while nodes and (not group or sum(node.size for node in group) + nodes[0].size <= MOST_COLUMNS):
            group.append(nodes.pop(0))
        parts: dict[str, list[Integers]] = {node.name: [] for node in group}
        for batch in words:
            values = evaluate(network, batch, parts)
            for node in group:
                found = values[node.name] if node.n_positions else values[node.name][:, None]
                shape = (*batch.shape, node.size)
                parts[node.name].append(np.broadcast_to(found, shape).reshape(-1, node.size))
        for node in group:
            whole = whole_numbers(np.concatenate(parts[node.name]), network.frac(node.name))
            yield node, whole


def whole_numbers(codes: Integers, frac: int) -> Integers:
    """The columns that are whole numbers, as these."""
    if frac <= 0:
        return codes << -frac
    return (codes >> frac)[:, ~(codes & ((1 << frac) - 1)).any(axis=0)]


def blocks(columns: Integers) -> Iterator[Integers]:
    """The variables in a node: runs of columns of which one is 1 at most, and columns of other numbers."""
    run: list[Integers] = []
    taken = np.zeros(len(columns), dtype=np.int64)
    for column in columns.T:
        is_bit = bool(((column == 0) | (column == 1)).all())
        if run and (not is_bit or (taken & column).any() or taken.all()):
            yield from one_hot(run, taken)
            run, taken = [], np.zeros_like(taken)
        if is_bit:
            run.append(column)
            taken = taken | column
        elif (column != column[0]).any():
            yield column
    if run:
        yield from one_hot(run, taken)


def one_hot(run: Sequence[Integers], taken: Integers) -> Iterator[Integers]:
    """The variable of a run of columns, -1 where none of them is 1, unless it is constant or has too many values.

    One column alone, or several that are 0 together somewhere, may be numbers as well.
    """
    if not taken.all():
        yield from (column for column in run if (column != column[0]).any())
    if len(run) == 1:
        return
    values = np.stack(run).argmax(axis=0) - (taken == 0) * 1
    levels = len(np.unique(values))
    if 1 < levels <= MOST_VALUES:
        yield values


def explained(variables: Variables, node: Node, values: Integers, limit: Limit) -> str | None:
    """Make a variable known by a head or a table that gives it; its name, or None if there is none."""
    if isinstance(node, Sum):
        name = fresh(variables, "head")
        head = variables.attend(name, values, limit)
        if head is not None:
            step, own = head
            variables.steps.append(step)
            variables.add(step.name, own)
            return step.name
    table = variables.lookup(fresh(variables, "table"), values)
    if table is None:
        return None
    variables.steps.append(table)
    variables.add(table.name, values)
    return table.name


def fresh(variables: Variables, kind: str) -> str:
    """A name that is not taken."""
    return f"{kind}_{1 + sum(step.name.startswith(kind) for step in variables.steps)}"


def answer_of(
    variables: Variables, scores: np.ndarray[Any, np.dtype[np.float64]], answers: Integers, read: Sequence[str]
) -> Lookup | Scores | None:
    """The answer as a table of one variable, a sum of scores, or a table of two variables."""
    table = variables.lookup(OUTPUT, answers)
    if table is not None and len(table.reads) == 1:
        return table
    for names in (read, list(variables.values)):
        found = find_scores(variables, names, scores, answers)
        if found is not None:
            return found
    return table


def scores_on(network: Network, words: Sequence[Integers]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], Integers]:
    """The scores of all classes ``(points, classes)``, and the class decided."""
    readout = network.decided
    scores, classes = [], []
    for batch in words:
        found = evaluate(network, batch)
        part = found[readout.scores] * 2.0 ** -network.frac(readout.scores)
        scores.append(np.broadcast_to(part, (*batch.shape, part.shape[-1])).reshape(batch.size, -1))
        classes.append(found[readout.decision].argmax(axis=-1).ravel())
    return np.concatenate(scores), np.concatenate(classes)
