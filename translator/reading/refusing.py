"""Refusing one operator: raised while lowering, collected by the walk, reported all at once with the place."""

from __future__ import annotations


class Refusal(Exception):
    """An operator that cannot be lowered: code, what rule is broken and what was found, note and help.

    `length` is the one length of the sequence that the operator fits, if there is one.
    """

    def __init__(self, code: str, message: str, *, note: str = "", help: str = "", length: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.note = note
        self.help = help
        self.length = length
