"""The text of programs of hard attention, in the manner of RASP and as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from logic.searching.hard_programs import OUTPUT, Attend, HardProgram, Lookup, Scores

CLOSEST = '''\
def closest(x, matches):
    """The closest match of x; at one distance the earlier one, x itself as far away as there are matches."""
    return min(matches, key=lambda y: (len(matches) if y == x else abs(x - y), y), default=0)
'''


def rasp_of(program: HardProgram) -> str:
    """The text, one assignment on each line, of which the last one is to `output`."""
    lines = []
    for step in program.steps:
        if isinstance(step, Attend):
            operation = "total" if step.sums else "closest"
            table = entries_text(program, [step.query], [((a,), b) for a, b in step.predicate], step.key)
            text = f"{operation}({step.key}, {step.query}, {table}, {step.value})"
        else:
            text = lookup_text(program, step)
        lines.append(f"{step.name} = {text}")
    return "\n".join([*lines, *answer_lines(program, lambda name: name)]) + "\n"


def lookup_text(program: HardProgram, table: Lookup, at: Callable[[str], str] = str) -> str:
    """A table and what it is read at."""
    return f"{entries_text(program, table.reads, table.entries)}[{', '.join(at(name) for name in table.reads)}]"


def entries_text(
    program: HardProgram, reads: Iterable[str], entries: Iterable[tuple[tuple[int, ...], int | None]], of: str = ""
) -> str:
    """The entries of a table, in braces; keys as the values of `reads`, entries as values of the variable `of`."""
    names = list(reads)
    parts = []
    for key, entry in entries:
        shown = [value_text(program, name, value) for name, value in zip(names, key, strict=True)]
        left = shown[0] if len(shown) == 1 else f"({', '.join(shown)})"
        parts.append(f"{left}: {value_text(program, of, entry)}")
    return "{" + ", ".join(parts) + "}"


def value_text(program: HardProgram, name: str, value: int | None) -> str:
    """A value of a variable: a letter, or a number."""
    if value is not None and name in program.lettered and 0 <= value < len(program.letters):
        return repr(program.letters[value])
    return repr(value)


def answer_lines(program: HardProgram, at: Callable[[str], str]) -> list[str]:
    """The last assignments."""
    answer = program.answer
    if isinstance(answer, Lookup):
        return [f"{OUTPUT} = {lookup_text(program, answer, at)}"]
    terms = [row_text(answer.constant)] if any(answer.constant) else []
    terms += [scores_text(program, name, rows, at) for name, rows in answer.rows]
    terms += [f"{at(name)} * {row_text(weights)}" for name, weights in answer.weights]
    lines = [f"scores = {terms[0] if terms else row_text(answer.constant)}"]
    lines += [f"scores += {term}" for term in terms[1:]]
    return [*lines, f"{OUTPUT} = argmax(scores)"]


def scores_text(program: HardProgram, name: str, rows: Any, at: Callable[[str], str]) -> str:
    """The scores that a variable gives."""
    parts = [f"{value_text(program, name, value)}: {row_text(row)}" for value, row in rows]
    return f"{{{', '.join(parts)}}}[{at(name)}]"


def row_text(row: Iterable[float]) -> str:
    """Scores of the classes in brackets."""
    return "[" + ", ".join(f"{score:g}" for score in row) + "]"


def python_of(program: HardProgram) -> str:
    """A Python module with the function ``program(word)``."""
    causal = program.causal
    lines = [
        "",
        "",
        "def program(word):",
        '    """The class of each position of a list of letters."""',
        "    n = len(word)",
    ]
    lines += ["    tokens, indices, ones = list(word), list(range(n)), [1] * n"]
    seen = "range(x + 1)" if causal else "range(n)"
    for step in program.steps:
        if isinstance(step, Lookup):
            text = lookup_text(program, step, lambda name: f"{name}[x]")
        else:
            table = entries_text(program, [step.query], [((a,), b) for a, b in step.predicate], step.key)
            lines.append(f"    wanted = {table}")
            matches = f"[y for y in {seen} if {step.key}[y] == wanted[{step.query}[x]]]"
            text = (
                f"sum({step.value}[y] for y in {matches})" if step.sums else f"{step.value}[closest(x, {matches})]"
            )  # fmt: skip
        lines.append(f"    {step.name} = [{text} for x in range(n)]")
    if isinstance(program.answer, Lookup):
        lines.append(
            f"    return [{lookup_text(program, program.answer, lambda name: f'{name}[x]')} for x in range(n)]"
        )
    else:
        lines += python_scores(program, program.answer)
    used = any(isinstance(step, Attend) and not step.sums for step in program.steps)
    return "\n".join([*(CLOSEST.rstrip("\n").split("\n") if used else []), *lines]).lstrip("\n") + "\n"


def python_scores(program: HardProgram, answer: Scores) -> list[str]:
    """The lines that add scores up and take the first largest one."""
    lines = ["    answers = []", "    for x in range(n):"]
    terms = [row_text(answer.constant)]
    terms += [scores_text(program, name, rows, lambda one: f"{one}[x]") for name, rows in answer.rows]
    terms += [f"[{name}[x] * weight for weight in {row_text(weights)}]" for name, weights in answer.weights]
    lines += ["        parts = [", *(f"            {term}," for term in terms), "        ]"]
    lines += ["        scores = [sum(column) for column in zip(*parts)]"]
    return [*lines, "        answers.append(scores.index(max(scores)))", "    return answers"]
