"""A scenario becomes what is: all of it in one transaction, or none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from planner.access import Actor
from planner.domain import Account, Record, Rep
from planner.errors import ConflictError, RefusedError
from planner.repository import Store, UnitOfWork
from planner.scenarios.altering import accounts_after, hours_of, location_of, new_rep, reps_after
from planner.scenarios.changes import Changes, changes_of
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.keeping import ScenarioChangedError, check_whole_area, find_scenario, records_stamp
from planner.scenarios.outcome import Outcome, outcome_of
from planner.slots.domain import Booking, BookingState
from planner.snapshot import zone_of

MOST_AUDITED = 1_000
"""Customers whose former rep and cadence the audit entry names; the scenario itself knows all of them."""


class RecordsChangedError(ConflictError):
    """Records have changed since the scenario was worked out, so that it would not come to what it says."""

    def __init__(self) -> None:
        super().__init__(
            "reps, customers or places have changed since this scenario was worked out: work it out again, look at "
            "what comes out, and apply that"
        )


class InTheWayError(RefusedError):
    """Promises to customers that could not be kept; `promises` are those."""

    def __init__(self, promises: Sequence[Booking]) -> None:
        super().__init__(
            f"{len(promises)} visits are promised for times at which their reps would not work any more: move or "
            "cancel them first, or leave these reps the hours until then"
        )
        self.promises = tuple(promises)


@dataclass(frozen=True, slots=True)
class ToApply:
    """What applying a scenario writes.

    Attributes:
        stamp: of the area's records now (see `keeping.records_stamp`).
        known: ids of the reps that there are.
        reps: those that are changed or new; reps_before: the changed ones as they are now.
        accounts: those that are changed; accounts_before: as they are now, in the same order.
    """

    scenario: Scenario
    changes: Changes
    outcome: Outcome
    stamp: str
    zone: ZoneInfo
    known: frozenset[str]
    reps: tuple[Rep, ...]
    reps_before: tuple[Rep, ...]
    accounts: tuple[Account, ...]
    accounts_before: tuple[Account, ...]

    @property
    def moved(self) -> int:
        pairs = zip(self.accounts, self.accounts_before, strict=True)
        return sum(after.owner_rep_id != before.owner_rep_id for after, before in pairs)

    @property
    def other_cadence(self) -> int:
        pairs = zip(self.accounts, self.accounts_before, strict=True)
        return sum(after.cadence_days != before.cadence_days for after, before in pairs)


def to_apply(unit: UnitOfWork, area: str, scenario_id: str, revision: int) -> ToApply:
    """What a scenario would change of the records as they are.

    Raises:
        NotFoundError: there is no such scenario.
        ScenarioChangedError: it is at another revision now.
        RefusedError: it has not been worked out as it is now, or is applied already.
        RecordsChangedError: records have changed since it was worked out.
    """
    scenario = find_scenario(unit, area, scenario_id)
    outcome = _check_ready(unit, scenario, revision)
    changes, records = changes_of(scenario.changes), unit.records(area)
    reps, accounts = records.reps(), records.accounts()
    zone = zone_of(reps) or ZoneInfo("UTC")
    known = {rep.id: rep for rep in reps}
    changed = [rep for rep in reps_after(reps, changes, zone) if known.get(rep.id) != rep]
    owners = {move.account_id: move.after for move in outcome.moves}
    others = accounts_after(accounts, changes, owners)
    by_id = {account.id: account for account in accounts}
    return ToApply(
        scenario,
        changes,
        outcome,
        records_stamp(unit, area),
        zone,
        frozenset(known),
        tuple(changed),
        tuple(known[rep.id] for rep in changed if rep.id in known),
        tuple(others),
        tuple(by_id[account.id] for account in others),
    )


def promises_in_the_way(unit: UnitOfWork, area: str, reps: Iterable[Rep], now: datetime) -> list[Booking]:
    """The visits that are promised to customers for times at which their reps, with these hours, do not work."""
    by_id = {rep.id: rep for rep in reps}
    found = unit.bookings.find(area=area, state=BookingState.PROMISED, rep_id=frozenset(by_id)) if by_id else []
    return [promise for promise in found if promise.end > now and not _works_then(by_id[promise.rep_id], promise)]


def apply_scenario(
    store: Store,
    actor: Actor,
    area: str,
    scenario_id: str,
    revision: int,
    now: datetime,
    also: Callable[[UnitOfWork, Scenario], None] = lambda unit, applied: None,
) -> Scenario:
    """Give customers the reps, cadences and hours of a scenario, as it was worked out.

    Visits that are promised, and opportunities that a rep has, stay with that rep. Plans stay as they are: the next
    one is made with what is new.

    Args:
        store: what it reads is prepared before it is written, since everybody else who writes waits during that.
        actor: in whose name.
        area: of the scenario.
        scenario_id: of the scenario.
        revision: of the scenario that was looked at.
        now: the present moment.
        also: called in the transaction that writes.

    Raises:
        PartOfAreaError: the actor does not see everybody.
        NotFoundError: there is no such scenario.
        ScenarioChangedError: it is at another revision now.
        RecordsChangedError: records have changed since it was worked out.
        InTheWayError: promises could not be kept with the new hours.
        RefusedError: it has not been worked out as it is now, or is applied already.
    """
    check_whole_area(actor.scope)
    with store.read(actor.scope) as unit:
        wanted = to_apply(unit, area, scenario_id, revision)
    changes = wanted.changes
    written: list[Record] = [*wanted.reps, *wanted.accounts]
    prepared = store.prepared(written)
    undo = undoing(wanted).as_json()
    places = [location_of(new, new_rep(new, wanted.zone)) for new in changes.new_reps]
    with store.write(actor) as unit:
        scenario = find_scenario(unit, area, scenario_id)
        _check_ready(unit, scenario, revision)
        records = unit.records(area)
        if records_stamp(unit, area) != wanted.stamp:
            raise RecordsChangedError
        if broken := promises_in_the_way(unit, area, wanted.reps, now):
            raise InTheWayError(broken)
        records.save_all(prepared)
        if places:
            records.save_locations(places)
        applied = replace(
            scenario,
            state=ScenarioState.APPLIED,
            applied_at=now,
            applied_by=actor.id,
            result={**(scenario.result or {}), "undo": undo},
        )
        unit.scenarios.put(applied)
        unit.audit("scenario.applied", scenario_id, area=area, name=scenario.name, **_told(wanted))
        also(unit, applied)
    return applied


def undoing(wanted: ToApply) -> Changes:
    """The scenario that brings back what applying one changes; who was nobody's customer stays with the new rep."""
    pairs = list(zip(wanted.accounts, wanted.accounts_before, strict=True))
    return Changes(
        even=False,
        removed=frozenset(rep.id for rep in wanted.reps if rep.id not in wanted.known),
        hours={rep.id: hours_of(rep) for rep in wanted.reps_before},
        accounts={
            after.id: before.cadence_days for after, before in pairs if after.cadence_days != before.cadence_days
        },
        pins={
            after.id: before.owner_rep_id
            for after, before in pairs
            if after.owner_rep_id != before.owner_rep_id and before.owner_rep_id in wanted.known
        },
        prices=wanted.changes.prices,
    )


def undo_of(scenario: Scenario) -> Changes:
    """What undoes a scenario that has been applied. Raises RefusedError where it has not."""
    if scenario.state is not ScenarioState.APPLIED or scenario.result is None:
        raise RefusedError("this scenario has not been applied: there is nothing to undo")
    return changes_of(scenario.result["undo"])


def _check_ready(unit: UnitOfWork, scenario: Scenario, revision: int) -> Outcome:
    if scenario.state is ScenarioState.APPLIED:
        raise RefusedError("this scenario has been applied already")
    if scenario.revision != revision:
        raise ScenarioChangedError(scenario)
    if scenario.state is not ScenarioState.COMPUTED or scenario.result is None:
        raise RefusedError("this scenario has been changed since it was worked out: work it out first")
    outcome = outcome_of(scenario.result)
    if records_stamp(unit, scenario.area) != outcome.stamp:
        raise RecordsChangedError
    return outcome


def _works_then(rep: Rep, promise: Booking) -> bool:
    """Whether a visit can lie within the rep's hours and begin within its promised window."""
    start, latest = promise.start.astimezone(rep.zone), promise.latest_begin.astimezone(rep.zone)
    leaves = start + timedelta(minutes=promise.service_minutes)
    works_on = promise.day.weekday() in rep.work_days
    return works_on and rep.work_start <= latest.time() and leaves.time() <= rep.work_end


def _told(wanted: ToApply) -> dict[str, Any]:
    """What the audit log keeps: who and what was changed, as it was before."""
    accounts = {
        before.id: {"rep": before.owner_rep_id, "cadence_days": before.cadence_days}
        for before in wanted.accounts_before[:MOST_AUDITED]
    }
    return {
        "moved": wanted.moved,
        "other_cadence": wanted.other_cadence,
        "reps_before": {rep.id: hours_of(rep).as_json() for rep in wanted.reps_before},
        "new_reps": [rep.id for rep in wanted.changes.new_reps],
        "accounts_before": accounts,
        "not_listed": len(wanted.accounts_before) - len(accounts),
    }
