"""How fast slots are offered to a team with full days, and whether every offer is true and none is missing.

What is measured is what a page does: one snapshot of a store, the agenda of all days in it, `offer_slots`. The store is
a throwaway SQLite file.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from planner.access import SYSTEM, Scope
from planner.benchmarking.brute_force import fits, possible
from planner.benchmarking.scenario import AREA, FIRST_DAY, HOURS, LANGUAGES, SKILLS, ZONE, Scenario
from planner.domain import Account, Address, Location, Opportunity, Record
from planner.plan_document import FORMAT, PlanDocument, RepDay
from planner.planning import store_plan, to_store
from planner.repository import Store
from planner.settings import Settings
from planner.slots.agenda import Agenda, AgendaDay, Agendas
from planner.slots.domain import Meaning
from planner.slots.offering import Offers, SlotQuery, offer_slots, search_for
from planner.slots.searching import Search
from planner.storage import open_store
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.insertion import Itinerary, within
from routing.problem import Problem, TimeWindow
from routing.resequencing import resequenced
from routing.traffic import during
from routing.travel_times import TravelTimeSource

NOW = datetime.combine(FIRST_DAY - timedelta(days=3), clock_time(12), UTC)
WARMING = 5
"""Answers that are not counted: whoever asks first waits for the days to be read."""
DAYS_COMPARED = 20
"""Rep-days of each compared answer in which every window is tried by brute force."""


@dataclass(frozen=True, slots=True)
class SlotFigures:
    """What a measurement found.

    Attributes:
        offers: slots shown in all answers, `resequenced` of them in another order of the day.
        cold_ms: the first answer, for which all days are read; p50_ms, p95_ms, p99_ms are of those after it.
        insertions_tried, offers_checked: in all answers.
        offers_compared, windows_compared: what brute force has looked at: the slots shown in some of the answers, and
            for those answers every window of some days.
        false_offers: found, and brute force says that they cannot be kept.
        missed_offers: not found, and brute force says that they can.
    """

    reps: int
    rep_days: int
    visits: int
    promises: int
    queries: int
    offers: int
    resequenced: int
    cold_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    insertions_tried: int
    offers_checked: int
    offers_compared: int
    windows_compared: int
    false_offers: int
    missed_offers: int


@contextmanager
def throwaway_store(scenario: Scenario) -> Iterator[Store]:
    """A store that holds the scenario, its plan published."""
    with TemporaryDirectory(prefix="fieldvisit-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'scenario.sqlite'}", clock=lambda: NOW)
        try:
            _fill(store, scenario)
            yield store
        finally:
            store.close()


def _fill(store: Store, scenario: Scenario) -> None:
    days = [day.document for day in scenario.days]
    homes = {day.working_day.rep.id: day.working_day.start for day in scenario.days}
    locations = [_location(rep, rep.start_address, homes[rep.id]) for rep in scenario.reps]
    accounts: list[Account] = []
    opportunities: list[Opportunity] = []
    for day in scenario.days:
        for stop in day.document["stops"]:
            record = day.records[stop["visit_id"]]
            locations.append(_location(record, record.address, LatLon(stop["lat"], stop["lon"])))
            if isinstance(record, Account):
                accounts.append(record)
            else:
                opportunities.append(record)
    plan = to_store(_document(scenario, days), NOW)
    with store.write(SYSTEM) as unit:
        records = unit.records(AREA)
        records.save_all(scenario.reps)
        records.save_all(accounts)
        records.save_all(opportunities)
        records.save_locations(locations)
        for booking in (booking for day in scenario.days for booking in day.bookings):
            unit.bookings.put(booking)
        unit.plans(AREA).publish(store_plan(unit, plan), NOW)


def _location(record: Record, address: Address, place: LatLon) -> Location:
    return Location(record.kind, record.id, address, Verdict.MATCHED, place, 1.0, str(address), "")


def _document(scenario: Scenario, days: list[RepDay]) -> PlanDocument:
    drive_s = sum(day["totals"]["drive_seconds"] for day in days)
    return PlanDocument(
        format=FORMAT,
        area=AREA,
        first_day=days[0]["date"],
        last_day=days[-1]["date"],
        timezone=str(ZONE),
        limits={"seed": 0, "seconds": None, "work": None},
        totals={
            "visits": scenario.visits,
            "promises": scenario.promises,
            "unplanned": 0,
            "drive_seconds": drive_s,
            "drive_metres": sum(day["totals"]["drive_metres"] for day in days),
            "cost_seconds": drive_s,
        },
        rep_days=days,
        unplanned=[],
        returned_to_inside=[],
        dormant=[],
        notes=[],
    )


def queries(scenario: Scenario, count: int, settings: Settings) -> Iterator[SlotQuery]:
    """What inside sales might ask: somebody new at any door, now and then with hours, a skill or a language."""
    draw = random.Random(count)
    booking = settings.booking
    for _ in range(count):
        yield SlotQuery(
            place=draw.choice(scenario.doors),
            service_minutes=draw.choice((30, 45, 60, 90)),
            first_day=FIRST_DAY,
            days=scenario.calendar_days,
            skills=frozenset(draw.choices(SKILLS, k=draw.random() < 0.2)),
            language=draw.choice(LANGUAGES) if draw.random() < 0.2 else "",
            hours=draw.choice(HOURS),
            window_minutes=booking.window_minutes,
            meaning=draw.choice(list(Meaning)),
            not_before=NOW + timedelta(minutes=booking.notice_minutes),
            limit=booking.offers,
        )


def measure(scenario: Scenario, source: TravelTimeSource, asked: int, sampled: int, settings: Settings) -> SlotFigures:
    """Ask for slots `asked` times, then compare `sampled` of the answers with brute force.

    The settings' horizon is widened to the scenario's days where it is shorter.
    """
    settings = replace(settings, booking=replace(settings.booking, most_days=366))
    agendas = Agendas(lambda area: source, settings)
    answers: list[tuple[SlotQuery, Offers]] = []
    took_ms: list[float] = []
    with throwaway_store(scenario) as store:
        for query in queries(scenario, asked + WARMING, settings):
            begun = time.perf_counter()
            with store.read(Scope(area=AREA)) as unit:
                offers = offer_slots(unit, agendas, AREA, query, settings, NOW)
            took_ms.append((time.perf_counter() - begun) * 1000)
            answers.append((query, offers))
        with store.read(Scope(area=AREA)) as unit:
            agenda = agendas.agenda(unit, AREA, FIRST_DAY, scenario.last_day)
    compared = [_compare(agenda, query, offers, settings) for query, offers in answers[WARMING:][:sampled]]
    cold_ms, warm_ms = took_ms[0], took_ms[WARMING:]
    p50, p95, p99 = np.percentile(warm_ms, (50, 95, 99)).tolist()
    counted = [offers for _, offers in answers[WARMING:]]
    return SlotFigures(
        reps=len(scenario.reps),
        rep_days=len(scenario.days),
        visits=scenario.visits,
        promises=scenario.promises,
        queries=asked,
        offers=sum(len(offers.slots) for offers in counted),
        resequenced=sum(slot.resequenced for offers in counted for slot in offers.slots),
        cold_ms=round(cold_ms, 1),
        p50_ms=round(p50, 1),
        p95_ms=round(p95, 1),
        p99_ms=round(p99, 1),
        insertions_tried=sum(offers.tried for offers in counted),
        offers_checked=sum(offers.checked for offers in counted),
        offers_compared=sum(each.offers for each in compared),
        windows_compared=sum(each.windows for each in compared),
        false_offers=sum(each.false for each in compared),
        missed_offers=sum(each.missed for each in compared),
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    offers: int
    windows: int
    false: int
    missed: int


def _compare(agenda: Agenda, query: SlotQuery, offers: Offers, settings: Settings) -> _Compared:
    """Every offer of an answer, and every window of a few days, against trying everything."""
    search = search_for(agenda, query, settings, NOW)
    days = {(day.rep.id, day.working_day.day): day for day in agenda.days}
    false = 0
    for slot in offers.slots:
        day = days[slot.rep_id, slot.day]
        start_s, end_s = (day.clock.at_instant(at) for at in (slot.start, slot.end))
        latest_s = end_s if query.meaning is Meaning.ARRIVE else end_s - query.service_minutes * 60
        false += not _can_be_kept(search, day, TimeWindow(start_s, latest_s), again=slot.resequenced)
    found = {(i, k) for i, k in zip(search.openings.itinerary.tolist(), search.openings.window.tolist(), strict=True)}
    draw = random.Random(query.service_minutes)
    sample = draw.sample(range(len(agenda.days)), min(DAYS_COMPARED, len(agenda.days)))
    windows = [(i, k, window) for i in sample for k, window in enumerate(search.windows[i])]
    missed = 0
    for i, k, window in windows:
        possible = fits(agenda.days[i].itinerary, search.job, search.times, window)
        missed += possible and (i, k) not in found
        false += (i, k) in found and not possible
    return _Compared(len(offers.slots), len(windows), false, missed)


def _can_be_kept(search: Search, day: AgendaDay, window: TimeWindow, *, again: bool) -> bool:
    """Whether the visit can begin within the window: in the order that the day has, or else in a better one."""
    if not again:
        return fits(day.itinerary, search.job, search.times, window)
    here = search.job.place
    places = list(dict.fromkeys((*day.itinerary.places, here)))
    number = {place: i for i, place in enumerate(places)}
    times, *others = search.agenda.legs.squares(
        [search.asked.place if place == here else day.places[place] for place in places]
    )
    shift = day.itinerary.shift
    shift = replace(shift, start_place=number[shift.start_place], end_place=number[shift.end_place])
    jobs = [replace(job, place=number[job.place]) for job in (*day.itinerary.jobs, within(search.job, window))]
    tables, traffic = [other.seconds.tolist() for other in others], day.itinerary.traffic
    problem = Problem(
        tuple(jobs),
        (shift,),
        times.seconds.tolist(),
        times.metres.tolist(),
        tables=tuple(tables),
        traffic=during(traffic, shift.start_s, shift.end_s),
    )
    order = resequenced(problem, shift, jobs)
    if order is None:
        return False
    stops = [shift.start_place, *(job.place for job in order), shift.end_place]
    legs = list(pairwise(stops))
    drive_s, drive_m = (tuple(int(table[leg]) for leg in legs) for table in (times.seconds, times.metres))
    hours = tuple(tuple(table[a][b] for a, b in legs) for table in tables)
    return possible(Itinerary(shift, order, drive_s, drive_m, hours, traffic))
