"""Settings shared by all tests: where the repository is, and how hypothesis searches."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Derandomized, so that a red run repeats; no deadline, because a first call may import a solver.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of the trained example networks."""
    return Path(__file__).resolve().parent.parent / "examples"
