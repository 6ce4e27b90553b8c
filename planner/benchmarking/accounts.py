"""Made-up customers on an area's real streets, with reps, territories, visits behind them and a plan ahead.

The same seed gives the same: what differs from day to day is only that it all ends today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from numpy.typing import NDArray

from planner.benchmarking.scenario import ZONE
from planner.candidates import Visit, VisitKind
from planner.domain import Account, Address, Location, RecordKind, Rep
from planner.plan_document import FORMAT, Place, PlanDocument, RepDay, untimed_stop, write_plan
from planner.repository import Store, StoredPlan
from planner.settings import Settings
from planner.territories.domain import Territory, TerritorySource
from planner.visit_ids import visit_id
from routing.errors import AreaError
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.streets import StreetNetwork
from routing.streets.network import NEVER_MS

ACCOUNTS_A_REP = 170
SEGMENTS = {"A": 0.2, "B": 0.3, "C": 0.5}
VISITED_DAYS = 190
"""So far back all visits are known."""
PLANNED_DAYS = 14
VISITS_A_DAY = 8
NEVER_VISITED, DORMANT, UNLOCATED = 0.03, 0.05, 0.01
DILIGENCE = (0.85, 1.7)
"""By how much a rep stretches the cadences, at least and at most."""
TRADES = (
    "Bakery",
    "Garage",
    "Pharmacy",
    "Bookshop",
    "Florist",
    "Hardware",
    "Café",
    "Optician",
    "Print shop",
    "Joinery",
)

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Company:
    """Reps and accounts with where they are, their territories, the days on which each account was met, and a plan."""

    reps: tuple[Rep, ...]
    accounts: tuple[Account, ...]
    locations: tuple[Location, ...]
    territories: tuple[Territory, ...]
    visits: Mapping[str, tuple[date, ...]]
    plan: StoredPlan

    def keep(self, store: Store, area: str) -> None:
        """Write it into an empty store, but for the visits: their tens of thousands of rows would take minutes."""
        reps, accounts = store.prepared(self.reps), store.prepared(self.accounts)
        with store.write(audited=False) as unit:
            records = unit.records(area)
            records.save_all(reps)
            records.save_all(accounts)
            records.save_locations(self.locations)
            for territory in self.territories:
                unit.territories.put(territory)
            version = unit.plans(area).add(self.plan)
            unit.plans(area).publish(version, unit.now())


def make_company(
    network: StreetNetwork,
    bounds: tuple[float, float, float, float],
    area: str,
    number: int,
    today: date,
    seed: int,
    settings: Settings,
) -> Company:
    """So many accounts along the streets within bounds (south, west, north, east), denser where streets are."""
    return _Drawing(network, bounds, area, today, seed, settings).company(number)


class _Drawing:
    def __init__(
        self,
        network: StreetNetwork,
        bounds: tuple[float, float, float, float],
        area: str,
        today: date,
        seed: int,
        settings: Settings,
    ) -> None:
        self.network, self.bounds, self.area, self.today = network, bounds, area, today
        self.draw = np.random.default_rng(seed)
        self.settings = settings

    def company(self, number: int) -> Company:
        places = self.along_streets(number)
        groups = list(_halves(places, np.arange(number), max(1, round(number / ACCOUNTS_A_REP)), self.bounds))
        reps, accounts, territories = [], [], []
        locations: list[Location] = []
        visits: dict[str, tuple[date, ...]] = {}
        rep_days: list[RepDay] = []
        for at, (members, cell) in enumerate(groups):
            rep, home = self.rep(at), LatLon(*places[self.draw.choice(members)].tolist())
            reps.append(rep)
            locations.append(_location(RecordKind.REP, rep.id, rep.start_address, home))
            territories.append(
                Territory(self.area, f"territory-{at:03}", 1, f"Patch {at}", rep.id, TerritorySource.DRAWN, cell)
            )
            diligence = self.draw.uniform(*DILIGENCE)
            its: list[tuple[Account, LatLon]] = []
            for member in members.tolist():
                account, place = self.account(member, rep.id), LatLon(*places[member].tolist())
                days = self.visited(account, diligence)
                accounts.append(replace(account, last_visit=days[-1] if days else None))
                visits[account.id] = tuple(days)
                if self.draw.random() >= UNLOCATED:
                    locations.append(_location(RecordKind.ACCOUNT, account.id, account.address, place))
                    its.append((accounts[-1], place))
            rep_days += self.days(rep, home, its)
        return Company(tuple(reps), tuple(accounts), tuple(locations), tuple(territories), visits, self.plan(rep_days))

    def along_streets(self, number: int) -> Points:
        """Places on streets that one can drive to from the middle of the area; n × 2."""
        spread = None
        south, west, north, east = self.bounds
        for _ in range(1_000):
            share = self.draw.normal(0.5, 0.1, 2)
            spread = self.network.spread(LatLon(south + share[0] * (north - south), west + share[1] * (east - west)))
            if spread is not None:
                break
        if spread is None:
            raise AreaError(f"area {self.area} has no street near its middle")
        reached = np.flatnonzero(np.minimum(spread.tail_ms, spread.head_ms) < NEVER_MS)
        streets = self.draw.choice(reached, number)
        first, last = spread.line_first[streets], spread.line_first[streets + 1] - 1
        piece = first + np.floor(self.draw.random(number) * (last - first)).astype(np.int64)
        along = self.draw.random((number, 1))
        found: Points = np.round(spread.line[piece] * (1 - along) + spread.line[piece + 1] * along, 6)
        return found

    def rep(self, at: int) -> Rep:
        return Rep(
            f"rep-{at:03}", f"Rep {at}", "", Address(f"Home {at}"), None, str(ZONE), frozenset(range(5)), time(9),
            time(17, 30), break_minutes=30, break_window=(time(12), time(14)),
        )  # fmt: skip

    def account(self, at: int, owner: str) -> Account:
        dormant = self.draw.random() < DORMANT
        last_order = self.today - timedelta(
            days=int(self.draw.integers(400, 900) if dormant else self.draw.integers(60))
        )
        return Account(
            f"account-{at:05}",
            f"{TRADES[at % len(TRADES)]} {at}",
            Address(f"Street {at}"),
            segment=str(self.draw.choice(list(SEGMENTS), p=list(SEGMENTS.values()))),
            owner_rep_id=owner,
            last_order=last_order,
            annual_value=float(np.round(self.draw.lognormal(8, 1), -1)),
            visit_minutes=int(self.draw.choice((20, 30, 30, 45))),
        )

    def visited(self, account: Account, diligence: float) -> list[date]:
        """The days on which it was visited, the oldest first."""
        if self.draw.random() < NEVER_VISITED:
            return []
        cadence = self.settings.candidates.cadence_days.get(account.segment, 84) * diligence
        days: list[date] = []
        ago = float(self.draw.random()) * cadence
        while ago < VISITED_DAYS or not days:
            day = self.today - timedelta(days=1 + round(ago))
            days.append(day - timedelta(days=max(0, day.weekday() - 4)))  # nobody works on Saturdays and Sundays
            ago += max(4.0, cadence * float(self.draw.lognormal(0, 0.15)))
        return sorted(set(days))

    def days(self, rep: Rep, home: LatLon, its: Sequence[tuple[Account, LatLon]]) -> Iterator[RepDay]:
        """A rep's days to come, with those who have waited longest."""
        cadences = self.settings.candidates.cadence_days

        def due(account: Account) -> date:
            return (account.last_visit or date.min) + timedelta(days=cadences.get(account.segment, 84))

        waiting = sorted(its, key=lambda one: (due(one[0]), one[0].id))
        for day in (self.today + timedelta(days=ahead) for ahead in range(1, PLANNED_DAYS)):
            if day.weekday() in rep.work_days:
                chosen, waiting = waiting[:VISITS_A_DAY], waiting[VISITS_A_DAY:]
                yield _rep_day(rep, home, day, chosen)

    def plan(self, rep_days: list[RepDay]) -> StoredPlan:
        first, last = self.today + timedelta(days=1), self.today + timedelta(days=PLANNED_DAYS - 1)
        document = PlanDocument(
            format=FORMAT,
            area=self.area,
            first_day=str(first),
            last_day=str(last),
            timezone=str(ZONE),
            limits={"seed": 1, "seconds": None, "work": None},
            totals={
                "visits": sum(len(day["stops"]) for day in rep_days),
                "promises": 0,
                "unplanned": 0,
                "drive_seconds": 0,
                "drive_metres": 0,
                "cost_seconds": 0,
            },
            rep_days=rep_days,
            unplanned=[],
            returned_to_inside=[],
            dormant=[],
            notes=[],
        )
        made_at = datetime.combine(self.today, time(), UTC)
        visits = document["totals"]["visits"]
        return StoredPlan(0, self.area, first, PLANNED_DAYS - 1, made_at, None, visits, 0, 0, write_plan(document))


Cell = tuple[float, float, float, float]


def _halves(
    places: Points, members: NDArray[np.int64], parts: int, cell: Cell
) -> Iterator[tuple[NDArray[np.int64], dict[str, object]]]:
    """Groups of nearly the same size, each with the rectangle that holds it: cut across again and again."""
    if parts == 1:
        south, west, north, east = cell
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        yield members, {"type": "Polygon", "coordinates": [ring]}
        return
    side = int(np.ptp(places[members, 1]) > np.ptp(places[members, 0]))
    ordered = members[np.argsort(places[members, side], kind="stable")]
    left = parts // 2
    at = len(ordered) * left // parts
    border = float(places[ordered[at], side])
    low, high = list(cell), list(cell)
    low[2 + side] = high[side] = border
    yield from _halves(places, ordered[:at], left, (low[0], low[1], low[2], low[3]))
    yield from _halves(places, ordered[at:], parts - left, (high[0], high[1], high[2], high[3]))


def _location(kind: RecordKind, record_id: str, address: Address, place: LatLon) -> Location:
    return Location(kind, record_id, address, Verdict.MATCHED, place, 1.0, str(address), "")


def _rep_day(rep: Rep, home: LatLon, day: date, chosen: Sequence[tuple[Account, LatLon]]) -> RepDay:
    """The visits one an hour; nobody looks at their times here."""
    start = datetime.combine(day, rep.work_start, UTC)
    place = Place(address=str(rep.start_address), lat=home.lat, lon=home.lon, time=start.isoformat())
    stops = []
    for number, (account, at) in enumerate(chosen, start=1):
        minutes = account.visit_minutes or 30
        visit = Visit(
            visit_id(RecordKind.ACCOUNT, account.id), VisitKind.DUE, (account.id,), account.name, str(account.address),
            at, minutes, "due", None,
        )  # fmt: skip
        begin = start + timedelta(hours=number - 1, minutes=10)
        times = {"arrive": begin, "begin": begin, "leave": begin + timedelta(minutes=minutes)}
        stops.append(
            untimed_stop(visit) | {"stop": number} | {what: moment.isoformat() for what, moment in times.items()}
        )
    return {
        "break": None,
        "rep_id": rep.id,
        "rep_name": rep.name,
        "date": str(day),
        "timezone": rep.timezone,
        "work_start": start.isoformat(),
        "work_end": datetime.combine(day, rep.work_end, UTC).isoformat(),
        "start": place,
        "stops": stops,  # type: ignore[typeddict-item]
        "end": place,
        "return_drive_seconds": 0,
        "return_drive_metres": 0,
        "totals": {
            "visits": len(stops),
            "drive_seconds": 0,
            "drive_metres": 0,
            "service_minutes": sum(account.visit_minutes or 30 for account, _ in chosen),
            "waiting_seconds": 0,
        },
    }
