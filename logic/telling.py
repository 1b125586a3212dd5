"""Telling what is being done."""

from __future__ import annotations

import time
from collections.abc import Callable

Progress = Callable[[str], None]


def silent(message: str) -> None:
    """Report nothing."""


def seldom(progress: Progress, seconds: float = 2.0) -> Progress:
    """Pass on what is said after a pause: a proof names each of its many parts."""
    last = time.perf_counter()

    def tell(message: str) -> None:
        nonlocal last
        if time.perf_counter() - last >= seconds:
            progress(message)
            last = time.perf_counter()

    return tell
