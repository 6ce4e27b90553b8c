"""An office in the town whose coverage is worked out: customers of Ann's, of Ben's and of nobody's, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from booking_cast import AREA, CallOffice, spot
from figures_cast import MADE_AT, TODAY, capacity, cover
from plan_cast import viewer

from planner.access import Role
from planner.coverage.domain import AccountCover, Coverage, CoverageState, TerritoryCover
from planner.coverage.packing import pack
from planner.coverage.standing import state_on
from planner.territories.domain import Territory, TerritorySource

MAP = f"/a/{AREA}/coverage/map"
MANAGER = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona", area=AREA)
ANNS_MANAGER = viewer(
    Role.MANAGER, id="u-team", email="team@example.com", name="Tea", area=AREA, reps=frozenset({"ann"})
)


def at(east_m: float, north_m: float) -> dict[str, float]:
    place = spot(east_m, north_m)
    return {"lat": place.lat, "lon": place.lon}


def customers() -> list[AccountCover]:
    """Forty with visits now and then, some planned; one without a place, one dormant, one that nobody ever visited."""
    found = []
    for number in range(40):
        cadence = (14, 28, 84)[number % 3]
        days = [TODAY - timedelta(days=ago) for ago in range(number * 5 % 60, 60 + 7 * number, cadence + number % 9)]
        planned = (TODAY + timedelta(days=number % 12),) if number % 4 == 0 else ()
        made = cover(
            f"C{number:02}", ("ann", "b/1", "")[number % 5 % 3], segment="ABC"[number % 3], cadence_days=cadence,
            visits=tuple(sorted(days)), planned_days=planned, territory_id=("west", "east")[number % 2],
            **at(150 * (number % 8), 150 * (number // 8)),
        )  # fmt: skip
        found.append(replace(made, state=state_on(replace(made, planned_days=()), TODAY) or CoverageState.DUE))
    return [
        *found,
        cover("NOPLACE", lat=None, lon=None, state=CoverageState.NO_PLACE),
        cover("DORMANT", state=CoverageState.DORMANT, due_on=None, **at(1200, 300)),
        cover("NEVER", state=CoverageState.DUE, visits=(), **at(1200, 600)),
    ]


def covered(accounts: Sequence[AccountCover] | None = None, **changes: Any) -> Coverage:
    usual: dict[str, Any] = {
        "area": AREA,
        "as_of": TODAY,
        "zone": "Europe/Helsinki",
        "plan_version": 1,
        "first_day": TODAY,
        "last_day": TODAY + timedelta(days=11),
        "accounts": tuple(customers() if accounts is None else accounts),
        "reps": (
            capacity("ann", 150.0),
            capacity("b/1", name="Ben Virtanen"),
            capacity("", 10.0, 0.0, name="nobody’s"),
        ),
        "territories": (TerritoryCover("east", "The east", "b/1"), TerritoryCover("west", "The west", "ann")),
    }
    return Coverage(**(usual | changes))


def rectangle(west_m: float, east_m: float) -> dict[str, Any]:
    low, high = spot(west_m, -100), spot(east_m, 1300)
    ring = [[low.lon, low.lat], [high.lon, low.lat], [high.lon, high.lat], [low.lon, high.lat], [low.lon, low.lat]]
    return {"type": "Polygon", "coordinates": [ring]}


class MapOffice(CallOffice):
    """The office, with its coverage stored; a manager looks."""

    def __init__(self, folder: Path, accounts: Sequence[AccountCover] | None = None, **options: Any) -> None:
        super().__init__(folder, **({"viewer": MANAGER} | options))
        with self.store.write(audited=False) as unit:
            for id_, rep, west_m in (("west", "ann", -100), ("east", "b/1", 600)):
                shape = rectangle(west_m, west_m + 700)
                unit.territories.put(Territory(AREA, id_, 1, f"The {id_}", rep, TerritorySource.DRAWN, shape))
        self.cover(covered(accounts))

    def cover(self, coverage: Coverage, day: date = TODAY) -> None:
        with self.store.write(audited=False) as unit:
            unit.coverages.put(pack(coverage, "key", MADE_AT + timedelta(days=(day - TODAY).days)))

    def told(self, address: str, status: int = 200, **query: Any) -> Any:
        """The JSON of an address below the map's."""
        response = self.client.get(f"{MAP}/{address}", query_string=query)
        assert response.status_code == status, response.get_data(as_text=True)
        return response.get_json()
