"""People who sell the same days at the same moment never sell the same time."""

from __future__ import annotations

import pytest
from booking_races import race


@pytest.mark.slow
def test_two_processes_never_sell_the_same_time(url: str) -> None:
    result = race(url, processes=2, attempts=60)
    assert result.errors == []
    assert result.truth.broken_days == []
    assert result.truth.double_bookings == []
    assert result.truth.promises > 0
    assert {"promised", "moved", "cancelled", "gone"} <= set(result.done), str(result)
