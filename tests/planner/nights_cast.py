"""The cast of nights away: a valley two and a half hours east of the office, with an inn among its customers.

From home Anna gets through one visit of two hours a day there; with a night at the inn she makes four in two days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cast import MONDAY, TUESDAY, Town, account, door, rep
from slots_cast import TOWN, SlotTown

from planner.domain import Record
from planner.explaining import explain_unplanned
from planner.hotels.domain import Hotel
from planner.hotels.standing import snapshot_to_plan
from planner.plan_document import PlanDocument, document_of
from planner.planning import prepare
from planner.settings import Settings
from planner.snapshot import Snapshot
from planner.translation import Translation
from routing.geo import LatLon
from routing.solution import Solution
from routing.timing import schedule
from routing.travel_times import TravelTimeSource

ANNA = rep(overnight=True)
BEAR = Hotel("town", "bear", 1, "The Bear", "3 Mill Lane, Farvalley", *(lambda p: (p.lat, p.lon))(door(150)))
VALLEY = ("abbey", "barn", "court", "dairy")
"""Customers in a row beyond the inn, a minute apart."""


def people() -> list[tuple[Record, LatLon]]:
    customers = [account(name, visit_minutes=110) for name in VALLEY]
    return [(ANNA, door(0)), *((customer, door(151 + n)) for n, customer in enumerate(customers))]


def valley(hotel: Hotel = BEAR) -> Town:
    town = Town()
    for record, place in people():
        town.add(record, place)
    town.hotels.append(hotel)
    return town


def away(
    translation: Translation, days: Mapping[str, Sequence[str]], night: str = "bear", after: str = f"anna@{MONDAY}"
) -> Solution:
    """The solution with these visits on these days, the night after one of them at a hotel."""
    problem, routes = translation.problem, []
    following = problem.shift_by_id[after].next_shift
    for shift_id, visits in days.items():
        shift, at = problem.shift_by_id[shift_id], problem.lodging_by_id[night].place
        real = shift.between(
            at if shift_id == following else shift.start_place, at if shift_id == after else shift.end_place
        )
        route = schedule(problem, real, [problem.job_by_id[f"account:{id_}"] for id_ in visits])
        assert route is not None, shift_id
        before, behind = (night if shift_id == day else None for day in (following, after))
        routes.append(replace(route, lodging_before=before, lodging_after=behind))
    done = {job for route in routes for job in route.jobs}
    return Solution(tuple(routes), tuple(job.id for job in problem.jobs if job.id not in done))


def plan_away(
    snapshot: Snapshot, source: TravelTimeSource, settings: Settings, days: Mapping[str, Sequence[str]]
) -> PlanDocument:
    """The plan of Monday and Tuesday with the night between at the Bear."""
    translation, candidates, notes = prepare(snapshot, source, MONDAY, 2, settings)
    solution = away(translation, days)
    unplanned = [*candidates.unplanned, *explain_unplanned(translation, solution)]
    limits = {"seed": 1, "seconds": None, "work": 1}
    return document_of("town", limits, candidates, translation, solution, unplanned, notes)  # type: ignore[arg-type]


TWO_DAYS = {f"anna@{MONDAY}": ("abbey", "barn"), f"anna@{TUESDAY}": ("dairy", "court")}


def publish_away(town: SlotTown) -> PlanDocument:
    """The valley in a store, with the plan of Monday and Tuesday published."""
    town.add(*people())
    with town.writing() as unit:
        unit.hotels.put(BEAR)
    with town.reading() as unit:
        snapshot = snapshot_to_plan(unit, TOWN, town.settings)
    plan = plan_away(snapshot, town.source, town.settings, TWO_DAYS)
    town.publish_document(plan)
    return plan
