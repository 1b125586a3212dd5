"""The methods there are, in the order in which they are named to a reader."""

from __future__ import annotations

from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Method, Unbounded

METHODS: tuple[Method, ...] = (Exhaustive(),)
UNBOUNDED: tuple[Unbounded, ...] = ()
