"""How long visits to a customer take, and when the last one was: as somebody has set it, or as the visits made say.

A record says what somebody knew once. What the field reports since is put on top of it here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median

from planner.domain import Account, RecordKind
from planner.errors import NotFoundError
from planner.fieldwork.domain import LEAST_MINUTES, MOST_MINUTES, AccountVisits, VisitMinutes
from planner.repository import UnitOfWork
from planner.settings import FieldworkSettings, Settings

_STEP = 5
"""Minutes: nobody plans visits by the minute, and one visit more or less should not move every plan."""


class Source(StrEnum):
    """Where the minutes come from, the first that there is."""

    SET = "set"
    LEARNED = "learned"
    RECORD = "record"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Learned:
    """What the last visits of known length, so many of them, say together."""

    minutes: int
    visits: int


@dataclass(frozen=True, slots=True)
class Expected:
    """How long visits to a customer are planned for, and why: `learned` and `record` say what each alone would give."""

    minutes: int
    source: Source
    learned: Learned | None
    record: int | None


def learned_minutes(dwells: Sequence[int], settings: FieldworkSettings) -> Learned | None:
    """The median of the last visits of known length, in steps of five minutes; None where there are too few of them.

    It does not follow the odd visit, such as one that nobody checked out of before lunch.

    Args:
        dwells: minutes of the visits, the oldest first.
    """
    if len(dwells) < settings.learn_after_visits:
        return None
    last = dwells[-settings.learn_from_visits :]
    steps = int(median(last) / _STEP + 0.5)
    return Learned(min(MOST_MINUTES, max(LEAST_MINUTES, steps * _STEP)), len(last))


def expected_minutes(record: Account, visits: AccountVisits | None, settings: Settings) -> Expected:
    """What is set, or else learned, or else what the record says, or else the usual."""
    learned = learned_minutes(visits.dwells, settings.fieldwork) if visits is not None else None
    known = (
        (visits and visits.minutes, Source.SET),
        (learned and learned.minutes, Source.LEARNED),
        (record.visit_minutes, Source.RECORD),
    )
    usual = settings.candidates.visit_minutes, Source.DEFAULT
    minutes, source = next(((minutes, source) for minutes, source in known if minutes), usual)
    return Expected(minutes, source, learned, record.visit_minutes)


def as_visited(record: Account, visits: AccountVisits | None, settings: Settings) -> Account:
    """A customer as plans are made with it: with the last visit, imported or made since, and the expected minutes.

    Where nothing is known but the record it is the record.
    """
    if visits is None:
        return record
    last_visit = max(filter(None, (record.last_visit, visits.last_visit)), default=None)
    expected = expected_minutes(record, visits, settings)
    minutes = record.visit_minutes if expected.source is Source.DEFAULT else expected.minutes
    return replace(record, last_visit=last_visit, visit_minutes=minutes)


def account_as_visited(unit: UnitOfWork, area: str, account_id: str, settings: Settings) -> Account | None:
    """One account as `as_visited` has it, if there is one and it is seen."""
    records = unit.records(area)
    record = records.get(RecordKind.ACCOUNT, account_id)
    if not isinstance(record, Account):
        return None
    return as_visited(record, next(iter(records.visits(account_id)), None), settings)


def set_minutes(unit: UnitOfWork, area: str, account_id: str, minutes: int | None, by: str, now: datetime) -> None:
    """Say how long visits to a customer are planned for, whatever the visits made say; None for as those say.

    Raises:
        NotFoundError: there is no such account, or it is not seen.
        InvalidRecordError: no visit is planned for so long.
    """
    if unit.records(area).get(RecordKind.ACCOUNT, account_id) is None:
        raise NotFoundError(f"area {area} has no account {account_id}")
    before = unit.visit_minutes.get(area, account_id)
    if (before and before.minutes) == minutes:
        return
    if minutes is None:
        unit.visit_minutes.remove(area, account_id)
    else:
        unit.visit_minutes.put(VisitMinutes(area, account_id, minutes, by, now))
    unit.audit("visit_minutes.set", account_id, area=area, minutes=minutes, before=before and before.minutes)
