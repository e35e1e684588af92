"""What every test shares: how hypothesis searches, and where the browser is."""

import os

import pytest
from hypothesis import settings

# The same cases on every run and machine: a red test is a finding, never bad luck. Deadlines
# would make a slow machine fail.
settings.register_profile("aquila", derandomize=True, deadline=None, database=None)
settings.load_profile("aquila")


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Path of a Chromium, found by `dev.py test`."""
    path = os.environ.get("AQUILA_BROWSER")
    if not path:
        pytest.fail("No browser: run `python3 dev.py test`, or set AQUILA_BROWSER to a Chromium.")
    return path
