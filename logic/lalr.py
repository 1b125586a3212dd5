"""Driving LALR(1) tables: one loop over the tokens, building values directly and never a tree.

lark turns `grammar.lark` into the tables. Its own driver spends most of its time on the chain of rules ``iff: implies``,
``implies: or``, ... that every atom climbs; here a whole climb is one look-up, because the state it ends in depends only
on the state below, the state reached and the next token (unit reductions are eliminated lazily, cf. Aho, Sethi & Ullman
1986, sec. 4.8). The loop holds its own stacks, so nesting is limited by memory alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

Action = Callable[[list[Any]], Any]
Step = tuple[str | None, int, str, int]  # (rule's action or None for a shift, state shifted to, origin, size)

END = "$END"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one grammar: steps by state and terminal, goto by state and rule, and the scanner of tokens."""

    steps: list[dict[str, Step]]
    goto: list[dict[str, int]]
    start: int
    scanner: re.Pattern[str]
    climbs: dict[tuple[int, int, str], int] = field(default_factory=dict)


class Unexpected(Exception):
    """A token that cannot come here, and the terminals that can."""

    def __init__(self, kind: str, offset: int, accepted: frozenset[str]) -> None:
        super().__init__(kind, offset, accepted)
        self.kind, self.offset, self.accepted = kind, offset, accepted


class Rejected(Exception):
    """Raised by an action that cannot use its values, or one of them; the driver adds where these start."""

    def __init__(self, message: str, help: str = "", code: str = "L003") -> None:
        super().__init__(message)
        self.message, self.help, self.code = message, help, code
        self.part = 0
        self.offset = 0


@cache
def tables() -> Tables:
    """Build the tables of `grammar.lark`."""
    from lark import Lark
    from lark.parsers.lalr_analysis import Shift

    grammar = files("logic").joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False)
    parse_table = lark.parser.parser._parse_table
    steps: list[dict[str, Step]] = []
    goto: list[dict[str, int]] = []
    number = {state: index for index, state in enumerate(parse_table.states)}
    terminals = {terminal.name for terminal in lark.terminals} | {END}
    for row in parse_table.states.values():
        step: dict[str, Step] = {}
        jump: dict[str, int] = {}
        for symbol, (action, target) in row.items():
            if symbol not in terminals:
                jump[str(symbol)] = number[target]
            elif action is Shift:
                step[symbol] = (None, number[target], "", 0)
            else:
                origin = str(target.origin.name)
                step[symbol] = (target.alias or origin, -1, origin, len(target.expansion))
        steps.append(step)
        goto.append(jump)
    ranked = sorted(lark.terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))
    parts = [f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})" for terminal in ranked]
    scanner = re.compile(rf"\s*(?:{'|'.join(parts)}|(?P<UNKNOWN>.))", re.DOTALL)
    return Tables(steps, goto, number[parse_table.start_states["start"]], scanner)


def run(
    table: Tables,
    text: str,
    actions: Mapping[str, Action],
    on_shift: Mapping[str, Callable[[str, int], Any]],
    skip: Mapping[str, Callable[[int], int]] | None = None,
) -> Any:
    """Parse `text`; `actions` are called with the values of a rule, `on_shift` with a terminal's text and offset.

    A rule of one symbol without an action passes its value on. Raises `Unexpected` and, from an action, `Rejected`.

    Args:
        skip: called with the offset of a terminal that could be shifted, and returns where parsing goes on: there, or after
            phrases that start with the terminal, were read otherwise, and leave the parser in the same state.
    """
    steps, goto, climbs = table.steps, table.goto, table.climbs
    states, values, offsets = [table.start], list[Any](), list[int]()
    top = table.start
    end = len(text)
    matches = table.scanner.finditer(text)
    running = True
    while running:
        match = next(matches, None)
        if match is None:
            kind, value, offset, running = END, "", end, False
        else:
            kind = match.lastgroup or ""
            index = match.lastindex or 0
            value = match[index]
            if kind == "SPACE":
                continue
            offset = match.start(index)
            if kind == "COMMENT":
                on_shift["COMMENT"](value, offset)
                continue
        while True:
            step = steps[top].get(kind)
            if step is None:
                raise Unexpected(kind, offset, _accepted(table, states))
            name, target, origin, size = step
            if name is None:
                if skip and kind in skip and (after := skip[kind](offset)) > offset:
                    matches = table.scanner.finditer(text, after)
                    break
                states.append(target)
                top = target
                convert = on_shift.get(kind)
                values.append(value if convert is None else convert(value, offset))
                offsets.append(offset)
                break
            if size == 1 and name not in actions:
                below = states[-2]
                key = (below, top, kind)
                climbed = climbs.get(key)
                if climbed is None:
                    climbed = goto[below][origin]
                    while True:
                        again = steps[climbed].get(kind)
                        if again is None or again[0] is None or again[3] != 1 or again[0] in actions:
                            break
                        climbed = goto[below][again[2]]
                    climbs[key] = climbed
                top = states[-1] = climbed
                continue
            if size:
                used = values[-size:]
                del values[-size:], states[-size:]
            else:
                used = []
                offsets.append(offset)
            try:
                values.append(actions[name](used))
            except Rejected as rejected:
                rejected.offset = offsets[rejected.part - max(size, 1)]
                raise
            if size > 1:
                del offsets[-size + 1 :]
            if not running and name == "start":
                return values[-1]
            top = goto[states[-1]][origin]
            states.append(top)
    raise Unexpected(END, end, _accepted(table, states))


def _accepted(table: Tables, states: Sequence[int]) -> frozenset[str]:
    """Return the terminals that can come next: those that lead through reductions to a shift."""
    return frozenset(kind for kind in table.steps[states[-1]] if _leads_on(table, list(states), kind))


def _leads_on(table: Tables, states: list[int], kind: str) -> bool:
    while True:
        step = table.steps[states[-1]].get(kind)
        if step is None:
            return False
        if step[0] is None or step[2] == "start":
            return True
        if step[3]:
            del states[-step[3] :]
        states.append(table.goto[states[-1]][step[2]])
