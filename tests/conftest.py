"""What tests of every room share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def newport_records() -> Path:
    """A real town's extract and made-up records of it, where a checkout has them beside it."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "newport"
    if not folder.exists():
        pytest.skip("the shared data is not beside this checkout")
    return folder
