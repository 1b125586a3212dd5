"""What people read about a text that is not a sentence; the tables of mistakes, by subject, are golden."""

from __future__ import annotations

import pytest

from circuits.diagnostics import FomError
from logic import parse


def said(text: str) -> list[str]:
    """The lines of the message about a text that cannot be read."""
    with pytest.raises(FomError) as caught:
        parse(text, "f.fom")
    return str(caught.value).split("\n")
