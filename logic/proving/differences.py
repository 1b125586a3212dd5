"""Saying in one line where two forms differ."""

from __future__ import annotations

from logic.proving.forms import Form, Key
from logic.proving.guards import Guard
from logic.syntax import Letter, Term

_OPERATORS = {">=": ">= 0", "=": "= 0", "!=": "!= 0"}
_LONGEST = 120


def difference(ours: Form, theirs: Form, gate: bool) -> str:
    """The first difference between the form of the sentence and that of the circuit."""
    for key in (*ours.terms, *theirs.terms):
        one, other = ours.terms.get(key, 0), theirs.terms.get(key, 0)
        if one != other:
            what = show(key)
            what = what if len(what) <= _LONGEST else what[:_LONGEST] + "..."
            if not other:
                return f"the sentence reads {what} with weight {one}, the circuit does not"
            if not one:
                return f"the circuit reads {what} with weight {other}, the sentence does not"
            return f"weight of {what} is {one} in the sentence and {other} in the circuit"
    if ours.length != theirs.length:
        return f"multiple of n is {ours.length} in the sentence and {theirs.length} in the circuit"
    if gate:
        return f"threshold is {-ours.const} in the sentence and {-theirs.const} in the circuit"
    return f"constant is {ours.const} in the sentence and {theirs.const} in the circuit"


def show(key: Key) -> str:
    """A key as text."""
    if isinstance(key, Letter) or type(key) is not tuple:
        return f"`{key}`"
    match key:
        case ("guard", guard):
            return f"`[{show_guard(guard)}]`"
        case ("count", guard, inner):
            what = "1" if inner is None else show(inner).strip("`")
            return f"`#[{show_guard(guard)} : {what}]`"
        case ("length",):
            return "`n`"
        case (kind, *_):
            return f"a nested {kind}"
        case _:
            return repr(key)


def show_guard(guard: Guard) -> str:
    """A guard as text."""
    match guard:
        case (word,):
            return str(word)
        case (op, Term() as term) if op in _OPERATORS:
            return f"{term} {_OPERATORS[op]}"
        case ("and" | "or" as kind, parts):
            return (" & " if kind == "and" else " | ").join(f"({show_guard(part)})" for part in parts)
        case (kind, *rest):
            return f"{kind}({', '.join(show_guard(part) if isinstance(part, tuple) else str(part) for part in rest)})"
        case _:
            return repr(guard)
