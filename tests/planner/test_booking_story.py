"""No story of holding, promising, moving, cancelling, waiting, planning and publishing breaks a promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from booking_story import tell_stories


@pytest.mark.slow
def test_no_story_breaks_a_promise(empty_database: Path, tmp_path: Path) -> None:
    told = tell_stories(tmp_path, empty_database, examples=10, steps=15, derandomize=True)
    assert min(told["a hold"], told["a promise"], told["publishing"], told["a plan"]) > 0
