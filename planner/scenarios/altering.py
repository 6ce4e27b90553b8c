"""An area's records as they would be in a scenario: what is worked out and what is applied follow the same rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from planner.domain import Account, Location, Rep, addresses_of
from planner.locating import CHOSEN
from planner.scenarios.changes import Changes, Hours, NewRep
from routing.gazetteer import Verdict


def hours_of(rep: Rep) -> Hours:
    """When a rep works."""
    return Hours(rep.work_days, rep.work_start, rep.work_end)


def reps_after(reps: Iterable[Rep], changes: Changes, zone: ZoneInfo) -> list[Rep]:
    """All reps: those who leave have no working days any more, and new ones come last, in the area's zone."""
    changed: list[Rep] = []
    for rep in reps:
        if rep.id in changes.removed:
            rep = replace(rep, work_days=frozenset())
        elif hours := changes.hours.get(rep.id):
            rep = replace(rep, work_days=hours.work_days, work_start=hours.work_start, work_end=hours.work_end)
        changed.append(rep)
    return [*changed, *(new_rep(rep, zone) for rep in changes.new_reps)]


def new_rep(new: NewRep, zone: ZoneInfo) -> Rep:
    """The record of somebody who is taken on."""
    return Rep(
        id=new.id,
        name=new.name,
        email="",
        start_address=new.address,
        end_address=None,
        timezone=zone.key,
        work_days=new.hours.work_days,
        work_start=new.hours.work_start,
        work_end=new.hours.work_end,
        break_minutes=new.break_minutes,
    )


def location_of(new: NewRep, rep: Rep) -> Location:
    """Where a new rep's days start, as it was settled when the scenario was written."""
    ((kind, record_id, address),) = addresses_of(rep)
    return Location(kind, record_id, address, Verdict.MATCHED, new.place, 1.0, new.found_as, CHOSEN)


def with_cadence(account: Account, changes: Changes) -> Account:
    """The account visited as often as the scenario says; itself where that is as often as now."""
    days = changes.accounts.get(account.id, changes.segments.get(account.segment, account.cadence_days))
    return account if days == account.cadence_days else replace(account, cadence_days=days)


def accounts_after(accounts: Iterable[Account], changes: Changes, owners: Mapping[str, str]) -> list[Account]:
    """Those of the accounts that are other than before, with their cadence and with the owners that they are given."""
    changed: list[Account] = []
    for account in accounts:
        after = with_cadence(account, changes)
        owner = owners.get(account.id, account.owner_rep_id)
        if owner != account.owner_rep_id:
            after = replace(after, owner_rep_id=owner)
        if after is not account:
            changed.append(after)
    return changed
