"""How fast the rest of a day is mended when something slips, and whether every promise and every rule is kept.

Days of a made-up team are begun: some of their visits have been made, at times of their own. Then one thing after
another happens to each. What is measured is what a phone waits for: the preview, and the refreshing of the day once
the rep's statements are stored. Each day that comes of it is checked as it is shown, stop by stop, by
`routing.checks`, which knows nothing of how it was mended; and a promise that is given up is looked for in every order.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, permutations

import numpy as np

from planner.access import SYSTEM, Scope
from planner.benchmarking.brute_force import possible
from planner.benchmarking.scenario import AREA, PlannedDay, Scenario
from planner.benchmarking.slots import throwaway_store
from planner.errors import InvalidRecordError
from planner.fieldwork.domain import DayProgress, EventKind, FieldVisit
from planner.plan_document import RepDay
from planner.replanning.domain import Preview, Wish
from planner.replanning.previewing import AS_ASKED, preview
from planner.replanning.refreshing import refresh
from planner.replanning.wishing import said_too
from planner.repository import Store
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.desk import Desk
from planner.slots.domain import Booking
from routing.checks import violations
from routing.insertion import problem_of
from routing.solution import Route, Solution, Step
from routing.travel_times import TravelTimeSource

KINDS = (
    EventKind.LATE,
    EventKind.CANCELLED,
    EventKind.SKIPPED,
    EventKind.RESTORED,
    EventKind.ADDED,
    EventKind.FINISH,
    EventKind.ORDER,
    EventKind.SICK,
)
A_DAY = 4
"""So many things happen to a day, one after another, at most."""
WARMING = 3
"""Answers that are not counted: whoever asks first waits for the plan to be read."""
MOST_TRIED = 6
"""So many promises are tried in every order."""


@dataclass(frozen=True, slots=True)
class ReplanFigures:
    """What a measurement found.

    Attributes:
        by_kind: how often each thing happened.
        mended: how often the day was to be mended; in `nothing_left_out` of them every visit is kept.
        to_call: promises that could not be kept any more, in all answers together.
        preview_ms, refresh_ms, together_ms: p50, p95 and p99.
        promises_moved: bookings that are not as they were, and promises that are shown outside their windows and
            about which nobody is told to call.
        promises_given_up: that some order of the promises alone would have kept.
        rule_violations: of the mended days.
        not_as_shown: days that came out otherwise than the preview showed them.
    """

    reps: int
    rep_days: int
    visits: int
    promises: int
    disturbances: int
    by_kind: Mapping[str, int]
    mended: int
    nothing_left_out: int
    share_nothing_left_out: float
    visits_left_out: int
    to_call: int
    preview_ms: tuple[float, float, float]
    refresh_ms: tuple[float, float, float]
    together_ms: tuple[float, float, float]
    promises_moved: int
    promises_given_up: int
    rule_violations: int
    not_as_shown: int

    @property
    def wrong(self) -> int:
        return self.promises_moved + self.promises_given_up + self.rule_violations + self.not_as_shown


def measure(
    scenario: Scenario, source: TravelTimeSource, disturbances: int, seed: int, settings: Settings
) -> ReplanFigures:
    """Let so many things happen to the days of a team, and see what comes of each."""
    with throwaway_store(scenario) as store:
        return _Measurement(store, scenario, source, seed, settings).figures(disturbances)


class _Measurement:
    def __init__(
        self, store: Store, scenario: Scenario, source: TravelTimeSource, seed: int, settings: Settings
    ) -> None:
        self._store, self._scenario, self._settings = store, scenario, settings
        self._agendas = Agendas(lambda area: source, settings)
        self._random = random.Random(seed)
        self._took: list[tuple[float, float]] = []
        self._count: Counter[str] = Counter()
        self._by_kind: Counter[str] = Counter()

    def figures(self, disturbances: int) -> ReplanFigures:
        days = [day for day in self._scenario.days if day.document["stops"]]
        while days and len(self._took) < disturbances + WARMING:
            day = self._random.choice(days)
            now = self._begin(day)
            for _ in range(self._random.randint(1, A_DAY)):
                if self._disturb(day, now) is EventKind.SICK:
                    break
        previews, refreshes = np.array(self._took[WARMING:][:disturbances]).T
        count = self._count
        return ReplanFigures(
            reps=len(self._scenario.reps),
            rep_days=len(self._scenario.days),
            visits=self._scenario.visits,
            promises=self._scenario.promises,
            disturbances=len(previews),
            by_kind={str(kind): number for kind, number in sorted(self._by_kind.items())},
            mended=count["mended"],
            nothing_left_out=count["nothing left out"],
            share_nothing_left_out=round(count["nothing left out"] / max(1, count["mended"]), 3),
            visits_left_out=count["left out"],
            to_call=count["to call"],
            preview_ms=_percentiles(previews),
            refresh_ms=_percentiles(refreshes),
            together_ms=_percentiles(previews + refreshes),
            promises_moved=count["moved"],
            promises_given_up=count["given up"],
            rule_violations=count["violations"],
            not_as_shown=count["not as shown"],
        )

    def _begin(self, day: PlannedDay) -> datetime:
        """Some of the first visits have been made, and took their own time; what time it is then."""
        draw, rep_id, on = self._random, day.working_day.rep.id, day.working_day.day
        stops = day.document["stops"]
        made = stops[: draw.randint(0, len(stops) - 1)]
        late = timedelta(minutes=draw.choice((0, 0, 5, 10, 20, 40)))
        now = datetime.fromisoformat(day.document["work_start"])
        with self._store.write(SYSTEM) as unit:
            for row in unit.field_visits.find(area=AREA, rep_id=rep_id, day=on):
                unit.field_visits.remove(AREA, rep_id, on, row.visit_id)
            unit.day_progress.remove(AREA, rep_id, on)
            for number, stop in enumerate(made):
                arrived = datetime.fromisoformat(stop["begin"]) + late + timedelta(minutes=draw.randint(-5, 10))
                arrived = max(arrived, now)
                stays = datetime.fromisoformat(stop["leave"]) - datetime.fromisoformat(stop["begin"])
                left = arrived + max(timedelta(minutes=5), stays + timedelta(minutes=draw.randint(-10, 15)))
                still_there = number == len(made) - 1 and draw.random() < 0.5
                now = arrived if still_there else left
                unit.field_visits.put(
                    FieldVisit(
                        AREA,
                        rep_id,
                        on,
                        stop["visit_id"],
                        "",
                        "",
                        "",
                        arrived_at=arrived.astimezone(UTC),
                        left_at=None if still_there else left.astimezone(UTC),
                    )
                )
            unit.audit("benchmark.begun", day.working_day.id, area=AREA)
        self._refresh(rep_id, on)
        return now

    def _refresh(self, rep_id: str, on: date) -> None:
        refresh(self._store, SYSTEM, self._agendas, AREA, rep_id, on, self._settings)

    def _disturb(self, day: PlannedDay, now: datetime) -> EventKind:
        """Let something happen to a day; what it was."""
        rep_id, on = day.working_day.rep.id, day.working_day.day
        with self._store.read(Scope(area=AREA)) as unit:
            desk = Desk.of(unit, self._agendas, AREA, rep_id, on, self._settings)
            told = unit.day_progress.get(AREA, rep_id, on) or DayProgress(AREA, rep_id, on, 0)
            bookings = unit.bookings.find(area=AREA)
        wish = self._wish(day, desk, told, now)
        begun = time.perf_counter()
        try:
            with self._store.read(Scope(area=AREA)) as unit:
                found = preview(unit, self._agendas, AREA, rep_id, on, wish, self._settings, now)
        except InvalidRecordError:  # nothing is left to skip, or to restore
            return wish.kind
        previewed = time.perf_counter()
        if found.statements:
            told = replace(said_too(told, found.statements), revision=told.revision + len(found.statements))
            with self._store.write(SYSTEM) as unit:
                unit.day_progress.put(told)
                unit.audit("benchmark.said", day.working_day.id, area=AREA)
        stored = time.perf_counter()
        self._refresh(rep_id, on)
        self._took.append(((previewed - begun) * 1000, (time.perf_counter() - stored) * 1000))
        self._by_kind[wish.kind] += 1
        self._look_at(wish, found, rep_id, on, bookings)
        return wish.kind

    def _wish(self, day: PlannedDay, desk: Desk, told: DayProgress, now: datetime) -> Wish:
        draw, left = self._random, list(desk.day.order)
        kind = draw.choices(KINDS, weights=(6, 3, 3, 2, 3, 3, 3, 1))[0]
        anything = left or ["account:none"]
        match kind:
            case EventKind.LATE:
                return Wish(kind, minutes=draw.choice((10, 15, 25, 25, 45, 60, 90, 150)))
            case EventKind.FINISH:
                end = datetime.fromisoformat(day.document["work_end"])
                return Wish(kind, finish_by=max(now, end - timedelta(minutes=draw.randint(0, 240))))
            case EventKind.ORDER:
                return Wish(kind, order=tuple(draw.sample(left, len(left))))
            case EventKind.SICK:
                return Wish(kind)
            case EventKind.RESTORED:
                return Wish(kind, draw.choice(sorted(told.left_out) or anything))
            case EventKind.ADDED:
                others = self._random.choice(self._scenario.days).records
                return Wish(kind, draw.choice([id_ for id_ in others if id_.startswith("account:")] or anything))
            case _:
                return Wish(kind, draw.choice(anything))

    def _look_at(self, wish: Wish, found: Preview, rep_id: str, on: date, before: Sequence[Booking]) -> None:
        """What came of it, as everybody sees it now."""
        count = self._count
        count["to call"] += len(found.to_call)
        if wish.kind not in AS_ASKED:
            count["mended"] += 1
            count["left out"] += len(found.left_out)
            count["nothing left out"] += not found.left_out and not found.to_call
        with self._store.read(Scope(area=AREA)) as unit:
            desk = Desk.of(unit, self._agendas, AREA, rep_id, on, self._settings)
            row = unit.changed_days.get(AREA, rep_id, on)
            after = {booking.id: booking for booking in unit.bookings.find(area=AREA)}
        count["moved"] += sum(after.get(booking.id) != booking for booking in before)
        if not found.statements or row is None:
            return
        shown: RepDay | None = row.route  # type: ignore[assignment]
        count["not as shown"] += shown != found.after
        called = {call.visit_id for call in found.to_call}
        begins = {stop["visit_id"]: datetime.fromisoformat(stop["begin"]) for stop in shown["stops"]} if shown else {}
        rest = {visit.id: visit.booking for visit in desk.day.listed if visit.booking is not None}
        for id_, promise in rest.items():
            in_time = id_ in begins and promise.start <= begins[id_] <= promise.latest_begin
            count["moved"] += not in_time and id_ not in called
        if wish.kind in AS_ASKED:
            return
        count["violations"] += len(list(_violations(desk, shown, called)))
        if called:
            count["given up"] += max(0, _most_kept(desk) - (len(rest) - len(called & rest.keys())))


def _violations(desk: Desk, shown: RepDay | None, called: set[str]) -> Iterator[str]:
    """Of what is left of a day, at the times that are shown, but for what somebody is called about."""
    day = desk.day
    itinerary = day.itinerary
    if shown is None or not itinerary.jobs:
        return
    problem = problem_of(itinerary)

    def at(moment: str) -> int:
        return day.clock.at_instant(datetime.fromisoformat(moment))

    jobs = set(problem.job_by_id)
    stops = [stop for stop in shown["stops"] if stop["visit_id"] in jobs]
    steps = tuple(
        Step(
            stop["visit_id"],
            stop["drive_seconds"],
            stop["drive_metres"],
            *(at(moment) for moment in (stop["arrive"], stop["begin"], stop["leave"])),
        )
        for stop in stops
    )
    if not steps:
        yield "nothing of what is left is shown"
        return
    rest = shown["break"] if itinerary.shift.break_ is not None else None
    route = Route(
        itinerary.shift.id,
        steps[0].arrive_s - steps[0].drive_s,
        steps,
        at(rest["start"]) if rest is not None else None,
        shown["return_drive_seconds"],
        shown["return_drive_metres"],
        at(shown["end"]["time"] or shown["work_end"]),
    )
    for broken in violations(problem, Solution((route,), ())):
        if broken.record not in called and not (called and broken.record == itinerary.shift.id):
            yield str(broken)


def _most_kept(desk: Desk) -> int:
    """How many promises of the rest some order of them keeps, each in its window."""
    promised = [visit for visit in desk.day.listed if visit.promised]
    for number in range(len(promised) if len(promised) <= MOST_TRIED else 0, 0, -1):
        for some in combinations(promised, number):
            if any(possible(desk.itinerary(order)) for order in permutations(some)):
                return number
    return 0


def _percentiles(took_ms: Sequence[float]) -> tuple[float, float, float]:
    p50, p95, p99 = (round(float(each), 1) for each in np.percentile(took_ms, (50, 95, 99)))
    return p50, p95, p99
