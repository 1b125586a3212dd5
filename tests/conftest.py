"""Settings shared by all tests: how hypothesis searches, when garbage is collected, which marked tests are left out."""

import gc
import os

import pytest
from hypothesis import settings

# Derandomized, so that a red run repeats; no deadline, because a first call may import a solver.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

gc.set_threshold(200_000, 50, 100)  # as the program does


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests with the marker unless the command line names it."""
    if "interop" in str(config.getoption("markexpr")):
        return
    left_out = [item for item in items if item.get_closest_marker("interop")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("interop")]


def pytest_collection_finish() -> None:
    """Never let the garbage collector visit again what stays until the end: modules and tests."""
    gc.collect()
    gc.freeze()
