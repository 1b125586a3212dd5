"""Settings shared by all tests: how hypothesis searches."""

import os

from hypothesis import settings

# Derandomized, so that a red run repeats; no deadline, because a first call may import a solver.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
