"""Diagnostics: what a user reads when an input cannot be used.

A diagnostic says what was found, where, why that is a problem, and how to mend it; a command reports *all* of them at
once and exits with 2. They live on the lowest layer so that every layer raises the same type.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a stable code, the rule that was broken, the place, and the way out."""

    code: str
    message: str
    where: str = ""
    note: str = ""
    help: str = ""

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.message}"]
        if self.where:
            lines.append(f"  --> {self.where}")
        if self.note:
            lines.append(f"   = note: {self.note}")
        if self.help:
            lines.append(f"   = help: {self.help}")
        return "\n".join(lines)


class FomError(Exception):
    """An input that cannot be used, with every diagnostic found in it."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))
        self.diagnostics = diagnostics


def fail(code: str, message: str, *, where: str = "", note: str = "", help: str = "") -> FomError:
    """Make a `FomError` of one diagnostic, to be raised by the caller."""
    return FomError(Diagnostic(code, message, where, note, help))
