"""The town of booking_cast, asked by programs of several people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from api_cast import Installation, Program
from booking_cast import AREA, BEN, INES, IVAN, CallOffice
from plan_cast import MORNING, viewer

from planner.access import Permission, Role
from planner.people.domain import ApiToken
from webui.policy import Viewer

MAX = viewer(Role.MANAGER, id="u-max", email="max@example.com", name="Max", area=AREA)
BENS_MANAGER = viewer(Role.MANAGER, id="u-bea", email="bea@example.com", area=AREA, reps=frozenset({BEN.id}))
ANNS = viewer(Role.FIELD_REP, id="u-ann", email="ann@example.com", area=AREA, reps=frozenset({"ann"}))
BENS = viewer(Role.FIELD_REP, id="u-ben", email="ben@example.com", area=AREA, reps=frozenset({BEN.id}))
STRANGER = viewer(Role.MANAGER, id="u-tea", email="tea@example.com", area="turku")


class Asking(Program):
    """A program of somebody's, among others."""

    def __init__(self, town: Town, asking: Viewer) -> None:
        super().__init__(town, "")  # type: ignore[arg-type]
        self.town, self.viewer = town, asking

    def ask(self, method: str, path: str, status: int = 0, key: str | None = "", **options: Any) -> Any:
        self.town.viewer = self.viewer
        return super().ask(method, f"/areas/{AREA}{path}", status, key, **options)


class Town(CallOffice):
    """The office of the town."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.keys = count(1)

    def program(self, asking: Viewer = INES, *only: Permission) -> Asking:
        """Of somebody, with all that they may do or some of it."""
        may = frozenset(only) or asking.permissions
        token = ApiToken(f"t-{asking.user.id}", asking.user.id, "test", "", may, MORNING, None, None)
        return Asking(self, replace(asking, permissions=may, session=None, token=token))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.store.close()


__all__ = ["ANNS", "AREA", "BENS", "BENS_MANAGER", "INES", "IVAN", "MAX", "STRANGER", "Asking", "Installation", "Town",
           "town"]  # fmt: skip
