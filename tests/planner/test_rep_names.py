"""What customers and inside sales are told of a rep."""

from __future__ import annotations

import pytest
from cast import rep

from planner.rep_names import told_names


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("Ann Lindqvist", "Ben Virtanen"), ["Ann", "Ben"]),
        (("Rep A", "Rep B", "Ben Virtanen"), ["Rep A", "Rep B", "Ben"]),
        (("Ann Lindqvist", "ann Maria Virtanen"), ["Ann L.", "ann V."]),
        (("Ann Smith", "Ann Stone", "Ann Lee"), ["Ann Smith", "Ann Stone", "Ann L."]),
        (("Ann", "Ann Lee"), ["Ann", "Ann L."]),
        (("Ann Lee", "Ann Lee"), ["Ann Lee", "Ann Lee"]),
    ],
)
def test_first_names_are_told_and_more_only_where_they_clash(names: tuple[str, ...], told: list[str]) -> None:
    team = [rep(f"R{number}", name=name) for number, name in enumerate(names)]
    assert list(told_names(team).values()) == told
