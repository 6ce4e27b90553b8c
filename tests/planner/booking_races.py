"""Many processes that sell the same few days at once, and what must be true of those days afterwards.

Each race is this file run as a program, which forks the sellers.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from cast import SETTINGS, Flatland, account, door, located, opportunity, rep

from planner.access import Actor, Scope
from planner.domain import Record
from planner.errors import ConflictError, SlotGoneError
from planner.planning import make_plan, store_plan, to_store
from planner.publishing import publish
from planner.settings import BookingSettings, Settings
from planner.slots import holding
from planner.slots.agenda import AgendaDay, Agendas
from planner.slots.alternatives import alternatives
from planner.slots.desk import Desk
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.holding import HoldAsk
from planner.slots.riding import add_ride_along
from planner.snapshot import Snapshot
from planner.storage import SqlStore, open_store
from routing.checks import violations
from routing.insertion import problem_of, timed
from routing.solution import Solution
from routing.solver import SearchLimits

ROOT = Path(__file__).parents[2]
TOWN = "town"
WHOLE_TOWN = Scope(area=TOWN)
MAX = Actor("user:max", WHOLE_TOWN)
RULES = replace(SETTINGS, booking=BookingSettings(hold_minutes=60, holds_per_person=1_000))
REPS, DAYS = ("anna", "ben"), 4


@dataclass(frozen=True)
class Truth:
    """What is wrong with the days, in words; nothing is what it must be."""

    days: int
    promises: int
    broken_days: list[str] = field(default_factory=list)
    double_bookings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Race:
    """What came of a race; `waits_ms` are of each attempt, from asking to being answered."""

    seconds: float
    attempts: int
    done: Counter[str]
    errors: list[str]
    waits_ms: list[float]
    truth: Truth

    def wait_ms(self, share: float) -> float:
        ordered = sorted(self.waits_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def __str__(self) -> str:
        did = ", ".join(f"{word} {times}" for word, times in sorted(self.done.items()))
        return (
            f"{self.attempts:,} attempts in {self.seconds:.0f} s, {self.attempts / self.seconds:.0f}/s, wait p50 "
            f"{self.wait_ms(0.5):.0f} ms, p99 {self.wait_ms(0.99):.0f} ms, longest {max(self.waits_ms):.0f} ms; "
            f"{did}; {self.truth.promises} promises on {self.truth.days} days at the end: double bookings "
            f"{len(self.truth.double_bookings)}, days that fail the checks {len(self.truth.broken_days)}, errors "
            f"{len(self.errors)}"
        )


def race(url: str, processes: int, attempts: int, seed: int = 1) -> Race:
    """So many processes make `attempts` attempts each to hold, promise, move and cancel visits on a few days."""
    prepare(url)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, __file__, url, str(processes), str(attempts), str(seed)]
    output = subprocess.run(arguments, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    told = json.loads(output)
    store = open_store(url)
    with contextlib.closing(store):
        truth = look(store, Agendas(lambda area: STREETS, RULES), RULES)
    workers = told["workers"]
    return Race(
        seconds=told["seconds"],
        attempts=processes * attempts,
        done=sum((Counter(worker["done"]) for worker in workers), Counter[str]()),
        errors=[error for worker in workers for error in worker["errors"]],
        waits_ms=[wait for worker in workers for wait in worker["waits_ms"]],
        truth=truth,
    )


STREETS = Flatland()


def prepare(url: str) -> None:
    """Two reps, some customers who are due, and a published plan for the next days."""
    store = open_store(url)
    records: list[tuple[Record, Any]] = [(rep(id_), door()) for id_ in REPS]
    records += [(account(f"c{n}", owner_rep_id=REPS[n % 2], opening_hours=HOURS[n % 3]), door(n, 3)) for n in range(12)]
    with store.write(audited=False) as unit:
        unit.records(TOWN).save_all([record for record, _ in records])
        unit.records(TOWN).save_locations([located(record, place) for record, place in records])
    with store.read(WHOLE_TOWN) as unit:
        snapshot, first_day = Snapshot.read(unit, TOWN, RULES), next_days(unit.now())[0]
    plan = make_plan(snapshot, TOWN, STREETS, first_day, DAYS, SearchLimits(work=1, seed=1), RULES)
    with store.write(MAX) as unit:
        now = unit.now()
        version = store_plan(unit, to_store(plan, now))
    publish(store, MAX, Agendas(lambda area: STREETS, RULES), TOWN, version, RULES, now)
    store.close()


HOURS = ("", "Mo-Fr 09:00-12:00", "Mo-Fr 10:00-13:00,14:00-16:00")


def next_days(now: datetime) -> list[Any]:
    """The next working days."""
    days = [now.date() + timedelta(days=n) for n in range(1, 3 * DAYS)]
    return [day for day in days if day.weekday() < 5][:DAYS]


def look(
    store: SqlStore, agendas: Agendas, settings: Settings, days: Collection[tuple[str, date]] | None = None
) -> Truth:
    """Whether some days, or all, can be done with everything that is promised and held on them, and are shown so."""
    with store.read(WHOLE_TOWN) as unit:
        now = unit.now()
        live = [booking for booking in unit.bookings.find(area=TOWN) if booking.live_at(now)]
        keys = {(booking.rep_id, booking.day) for booking in live}
        keys |= {(day.rep_id, day.day) for day in unit.changed_days.find(area=TOWN)}
        broken, doubled = [], []
        for rep_id, day in sorted(keys if days is None else days):
            desk = Desk.of(unit, agendas, TOWN, rep_id, day, settings)
            here = [booking for booking in live if (booking.rep_id, booking.day) == (rep_id, day)]
            broken += [f"{desk.day.id}: {sentence}" for sentence in _broken(desk, here)]
            doubled += [f"{desk.day.id}: {sentence}" for sentence in _doubled(desk.day, here)]
        promised = Counter(booking.opportunity_id for booking in live if booking.state is BookingState.PROMISED)
        doubled += [f"{id_} is promised {times} visits" for id_, times in promised.items() if times > 1]
    return Truth(len(keys), promised.total(), broken, doubled)


def _broken(desk: Desk, live: list[Booking]) -> list[str]:
    there = {visit.booking.id for visit in desk.day.listed if visit.booking is not None}
    found = [f"{booking.id} is not in the day" for booking in live if booking.id not in there]
    for visits in alternatives(desk.day.listed):
        itinerary = desk.itinerary(visits)
        route = timed(itinerary)
        if route is None:
            found += ["not everything that is booked can be done"] if visits else []
        else:
            found += map(str, violations(problem_of(itinerary), Solution((route,), ())))
            begins = {step.job: desk.day.local(step.begin_s) for step in route.steps}
            found += [
                f"{visit.id} begins outside its window"
                for visit in visits
                if visit.booking is not None
                and not visit.booking.start <= begins[visit.id] <= visit.booking.latest_begin
            ]
    return found


def _doubled(day: AgendaDay, live: list[Booking]) -> list[str]:
    """Promises that are not made at their time in the plan that everybody sees, or at the time of another one."""
    stops = {stop["visit_id"]: stop for stop in (day.shown["stops"] if day.shown else [])}
    found, until = [], datetime.min.replace(tzinfo=UTC)
    for stop in stops.values():
        begin, leave = (datetime.fromisoformat(stop[key]) for key in ("begin", "leave"))
        if begin < until:
            found.append(f"{stop['visit_id']} begins before the visit before it is over")
        until = leave
    for booking in live:
        if booking.state is BookingState.PROMISED:
            shown = stops.get(booking.visit_id)
            if not shown or not booking.start <= datetime.fromisoformat(shown["begin"]) <= booking.latest_begin:
                found.append(f"{booking.visit_id} is not visited within its window")
    return found


# ---- the sellers


class Seller:
    """Somebody who holds, promises, moves and cancels at random, on the days that everybody sells."""

    def __init__(self, store: SqlStore, name: str, seed: int) -> None:
        self.store, self.name, self.chance = store, name, random.Random(seed)
        self.actor = Actor(f"user:{name}", Scope(TOWN, frozenset(), unassigned=False, inside_rep=name, drafts=False))
        self.agendas = Agendas(lambda area: STREETS, RULES)
        with store.read() as unit:
            self.days = next_days(unit.now())
        self.promises: list[Booking] = []
        self.numbers = 0

    def attempt(self) -> str:
        """Returns what came of it."""
        try:
            if self.promises and self.chance.random() < 0.45:
                return self.change(self.promises.pop(self.chance.randrange(len(self.promises))))
            return self.sell()
        except SlotGoneError:
            return "gone"

    def sell(self, **changes: Any) -> str:
        self.numbers += 1
        id_ = f"{self.name}-{self.numbers}"
        arguments = self.store, self.actor, self.agendas, TOWN
        hold = holding.hold(*arguments, self.ask(**changes), id_, self.name, RULES)
        if self.chance.random() < 0.2:
            holding.release(*arguments, hold.id, RULES)
            return "released"
        deal = None if hold.opportunity_id else opportunity(f"deal-{id_}", qualified_at=None)
        self.promises.append(holding.confirm(*arguments, hold.id, deal, RULES))
        return "moved" if hold.replaces else "promised"

    def change(self, promise: Booking) -> str:
        arguments = self.store, self.actor, self.agendas, TOWN
        if self.chance.random() < 0.3:
            self.promises.append(promise)
            try:
                add_ride_along(*arguments, promise.id, f"c{self.chance.randrange(12)}", RULES)
            except (SlotGoneError, ConflictError):
                return "gone"
            except Exception as error:
                if type(error).__name__ != "RefusedError":  # not near, or another rep's
                    raise
                return "refused"
            return "ride-along"
        if self.chance.random() < 0.4:
            self.promises.append(promise)
            came = self.sell(replaces=promise.id)
            if came == "moved":
                self.promises.remove(promise)
            return came
        holding.cancel(*arguments, promise.id, "called off", RULES)
        return "cancelled"

    def ask(self, **changes: Any) -> HoldAsk:
        chance = self.chance
        day = chance.choice(self.days)
        start = datetime.combine(day, clock_time(9 + chance.randrange(7), chance.choice((0, 30))), UTC)
        usual: dict[str, Any] = {
            "rep_id": chance.choice(REPS),
            "day": day,
            "start": start,
            "end": start + timedelta(minutes=chance.choice((60, 90))),
            "meaning": chance.choice((Meaning.ARRIVE, Meaning.WHOLE)),
            "service_minutes": chance.choice((30, 45, 60)),
            "place": door(chance.randrange(-15, 15), chance.randrange(-15, 15)),
            "name": "Somebody",
            "address": "1 Mill Road",
            "resequence": chance.random() < 0.3,
        }
        return HoldAsk(**(usual | changes))


def _run(url: str, processes: int, attempts: int, seed: int) -> None:
    """Forks the sellers: each takes a second of importing otherwise."""
    held, go = os.pipe()
    pipes = []
    for number in range(processes):
        told, tell = os.pipe()
        if os.fork() == 0:
            os.close(go)
            _sell(url, f"seller{number}", attempts, seed + number, lambda: os.read(held, 1), tell)
        os.close(tell)
        pipes.append(os.fdopen(told))
    for pipe in pipes:
        assert pipe.readline() == "ready\n"
    os.close(held)
    began = time.perf_counter()
    os.close(go)  # which they all see at once
    workers = [json.loads(pipe.readline()) for pipe in pipes]
    print(json.dumps({"seconds": time.perf_counter() - began, "workers": workers}))


def _sell(url: str, name: str, attempts: int, seed: int, wait: Callable[[], object], tell: int) -> None:
    seller = Seller(open_store(url), name, seed)
    done: Counter[str] = Counter()
    errors: list[str] = []
    waits_ms: list[float] = []
    with os.fdopen(tell, "w") as output:
        print("ready", file=output, flush=True)
        wait()
        for _ in range(attempts):
            began = time.perf_counter()
            try:
                done[seller.attempt()] += 1
            except Exception as error:  # counted, whatever it is
                errors.append(f"{type(error).__name__}: {error}")
            waits_ms.append(1000 * (time.perf_counter() - began))
        print(json.dumps({"done": done, "errors": errors, "waits_ms": waits_ms}), file=output)
    os._exit(0)


if __name__ == "__main__":
    _run(sys.argv[1], *map(int, sys.argv[2:5]))
