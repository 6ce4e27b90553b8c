"""Stories of a town in which times are held, promised, moved and cancelled while plans are made and published.

Told at random by Hypothesis, each in a town of its own with a clock that only the story turns. Whatever is said in it
is kept: a promise stays what it is until somebody ends it, and a hold that has not run out can be promised.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from booking_races import MAX, TOWN, look
from cast import LONDON, MONDAY, account, door, opportunity, rep
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from slots_cast import slot_town

from planner.access import Actor
from planner.errors import ConflictError, PromiseBrokenError, RefusedError, SlotGoneError
from planner.planning import make_plan, store_plan, to_store
from planner.publishing import publish
from planner.repository import StoredPlan
from planner.slots import holding
from planner.slots.agenda import Agendas
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.holding import HoldAsk
from planner.slots.riding import add_ride_along
from planner.snapshot import Snapshot
from planner.storage import SqlStore
from planner.upkeep import expire_holds
from routing.solver import SearchLimits

PLANNED_DAYS = 2
DAYS = [MONDAY + timedelta(days=n) for n in range(PLANNED_DAYS + 1)]
"""The last one is beyond every plan."""
ACCOUNTS = 6
NUMBERS = st.integers(0, 1_000)
ASKS = st.fixed_dictionaries(
    {
        "rep_id": st.sampled_from(("anna", "ben")),
        "day": st.sampled_from(DAYS),
        "half_hours": st.integers(18, 32),
        "minutes": st.sampled_from((30, 60, 120)),
        "service_minutes": st.sampled_from((30, 60, 180)),
        "place": st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
        "meaning": st.sampled_from(list(Meaning)),
        "resequence": st.booleans(),
    }
)


class Story(RuleBasedStateMachine):
    """One town. `held` and `promised` are what its people remember of their bookings."""

    folder: Path
    tables: Path
    numbers = count(1)
    told: Counter[str]
    first_plan: list[StoredPlan]
    """Of every town, where one has been made."""

    def __init__(self) -> None:
        super().__init__()
        self.file = self.folder / f"story{next(self.numbers)}.sqlite"
        self.town = slot_town(self.file, copy_of=self.tables)
        self.town.add((rep(), door()), (rep("ben", break_minutes=0), door(8)))
        hours = ("", "Mo-Fr 09:00-12:00", "Mo-Fr 10:00-13:00,14:00-16:00")
        for n in range(ACCOUNTS):
            owner = ("anna", "ben", "")[n % 3]
            self.town.add((account(f"c{n}", owner_rep_id=owner, opening_hours=hours[n % 3]), door(3 * n, 2)))
        self.actor = MAX
        self.held: dict[str, Booking] = {}
        self.promised: dict[str, Booking] = {}
        self.changed = False
        if not self.first_plan:
            self.first_plan.append(self.plan(1))
        with self.town.writing() as unit:
            store_plan(unit, self.first_plan[0])
        self.publish_(0)

    def teardown(self) -> None:
        self.look()
        self.town.store.close()
        for file in self.folder.glob(f"{self.file.name}*"):
            file.unlink()

    # ---- what happens

    @rule(ask=ASKS)
    def hold(self, ask: dict[str, Any]) -> None:
        self.hold_(ask, "")

    @rule(ask=ASKS)
    def hold_and_confirm(self, ask: dict[str, Any]) -> None:
        held = set(self.held)
        self.hold_(ask, "")
        for id_ in set(self.held) - held:
            self.confirm_(self.held[id_])

    @precondition(lambda self: self.promised)
    @rule(ask=ASKS, number=NUMBERS, same_day=st.booleans())
    def hold_another_time(self, ask: dict[str, Any], number: int, same_day: bool) -> None:
        old = _pick(self.promised, number)
        self.hold_(ask | ({"day": old.day, "rep_id": old.rep_id} if same_day else {}), old.id)

    def hold_(self, ask: dict[str, Any], replaces: str) -> None:
        half_hours, (east, north) = ask["half_hours"], ask["place"]
        start = datetime.combine(ask["day"], time(half_hours // 2, 30 * (half_hours % 2)), LONDON)
        minutes = max(ask["minutes"], ask["service_minutes"] if ask["meaning"] is Meaning.WHOLE else 0)
        wanted = HoldAsk(
            ask["rep_id"], ask["day"], start, start + timedelta(minutes=minutes), ask["meaning"],
            ask["service_minutes"], door(east, north), "Somebody", "1 Mill Road", resequence=ask["resequence"],
            replaces=replaces,
        )  # fmt: skip
        with self.refusing("a hold", SlotGoneError):
            booking = holding.hold(*self.here, wanted, f"b{next(self.numbers)}", "irene", self.town.settings)
            self.held[booking.id] = booking
            self.told["a move held"] += bool(replaces)
            self.look(booking)

    @precondition(lambda self: self.held)
    @rule(number=NUMBERS)
    def confirm(self, number: int) -> None:
        self.confirm_(_pick(self.held, number))

    def confirm_(self, hold: Booking) -> None:
        deal = None if hold.opportunity_id else opportunity(f"deal-{hold.id}")
        with self.refusing("a promise", *self.may_refuse(hold)):
            promise = holding.confirm(*self.here, hold.id, deal, self.town.settings)
            self.promised.pop(hold.replaces, None)
            del self.held[hold.id]
            self.promised[promise.id] = promise
            self.changed = True
            self.look(promise)

    def may_refuse(self, hold: Booking) -> list[type[Exception]]:
        """A hold that has not run out is promised, but where the promise that it moves is over."""
        if hold.replaces and hold.replaces not in self.promised:
            return [ConflictError, RefusedError]
        return [] if hold.live_at(self.town.now) else [SlotGoneError]

    @precondition(lambda self: self.held)
    @rule(number=NUMBERS)
    def release(self, number: int) -> None:
        hold = _pick(self.held, number)
        holding.release(*self.here, hold.id, self.town.settings)
        del self.held[hold.id]
        self.look(hold)

    @precondition(lambda self: self.promised)
    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        promise = _pick(self.promised, number)
        holding.cancel(*self.here, promise.id, "called off", self.town.settings)
        del self.promised[promise.id]
        self.changed = True
        self.look(promise)

    @precondition(lambda self: self.promised)
    @rule(number=NUMBERS, customer=st.integers(0, ACCOUNTS - 1))
    def ride_along(self, number: int, customer: int) -> None:
        promise = _pick(self.promised, number)
        with self.refusing("a ride-along", SlotGoneError, RefusedError):
            add_ride_along(*self.here, promise.id, f"c{customer}", self.town.settings)
            self.look()

    @precondition(lambda self: self.held)
    @rule(minutes=st.integers(1, 6), marked=st.booleans())
    def wait(self, minutes: int, marked: bool) -> None:
        self.town.wait(minutes=minutes)
        if marked:
            expire_holds(self.town.store)
        self.look()

    @precondition(lambda self: self.changed)
    @rule(seed=st.integers(1, 3), published=st.booleans())
    def replan(self, seed: int, published: bool) -> None:
        with self.refusing("a plan", PromiseBrokenError):
            plan = self.plan(seed)
            with self.town.writing() as unit:
                store_plan(unit, plan)
            self.changed = False
            if published:
                self.publish_(0)

    def plan(self, seed: int) -> StoredPlan:
        with self.town.reading() as unit:
            snapshot = Snapshot.read(unit, TOWN, self.town.settings)
        limits = SearchLimits(work=1, seed=seed)
        plan = make_plan(snapshot, TOWN, self.town.source, MONDAY, PLANNED_DAYS, limits, self.town.settings)
        return to_store(plan, self.town.now)

    @precondition(lambda self: self.promised or self.held)
    @rule(back=st.integers(0, 2))
    def publish(self, back: int) -> None:
        """The newest plan, or one made before others."""
        self.publish_(back)

    def publish_(self, back: int) -> None:
        town = self.town
        with town.reading() as unit:
            versions = [plan.version for plan in unit.plans(TOWN).list()]
        town.wait(seconds=1)
        version = versions[min(back, len(versions) - 1)]
        with self.refusing("publishing", PromiseBrokenError):
            publish(town.store, MAX, town.agendas, TOWN, version, town.settings, town.now)
        self.look()

    # ---- what is true throughout

    def look(self, booking: Booking | None = None) -> None:
        """People's promises are as they remember them, and can be kept, on a booking's day or on all."""
        town = self.town
        stored = {promise.id: promise for promise in town.bookings(state=BookingState.PROMISED)}
        assert stored == self.promised
        days = None if booking is None else [(booking.rep_id, booking.day)]
        truth = look(town.store, town.agendas, town.settings, days)
        assert truth.broken_days == []
        assert truth.double_bookings == []

    @property
    def here(self) -> tuple[SqlStore, Actor, Agendas, str]:
        return self.town.store, MAX, self.town.agendas, TOWN

    @contextlib.contextmanager
    def refusing(self, what: str, *errors: type[Exception]) -> Iterator[None]:
        """What may be refused, and how often it was."""
        try:
            yield
            self.told[what] += 1
        except errors:
            self.told[f"{what} refused"] += 1


def _pick(bookings: dict[str, Booking], number: int) -> Booking:
    return bookings[sorted(bookings)[number % len(bookings)]]


def tell_stories(folder: Path, tables: Path, examples: int, steps: int, *, derandomize: bool) -> Counter[str]:
    """So many stories of at most so many steps; raises where a promise is broken. Returns what happened how often."""

    class Told(Story):
        pass

    Told.folder, Told.tables, Told.told, Told.first_plan = folder, tables, Counter(), []
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=derandomize,
        database=None,
        suppress_health_check=checks,
    )
    run_state_machine_as_test(Told, settings=chosen)
    return Told.told
