"""Tests that need other programs run when the marker is asked for, `-m interop`, and are left out otherwise."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests with the marker unless the command line names it."""
    if "interop" in str(config.getoption("markexpr")):
        return
    left_out = [item for item in items if item.get_closest_marker("interop")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("interop")]
