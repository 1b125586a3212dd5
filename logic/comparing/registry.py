"""The methods there are, in the order in which they are asked: those whose forecasts are cheap first."""

from __future__ import annotations

from logic.comparing.baseline import Naive
from logic.comparing.cells import Cells
from logic.comparing.counts import Counts
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Method, Unbounded
from logic.comparing.partial import Partial
from logic.comparing.prefixes import Prefixes
from logic.comparing.solved import Solved
from logic.comparing.windows import Windows

METHODS: tuple[Method, ...] = (Exhaustive(), Counts(), Prefixes(), Partial(), Solved(), Naive())
UNBOUNDED: tuple[Unbounded, ...] = (Windows(), Cells())
