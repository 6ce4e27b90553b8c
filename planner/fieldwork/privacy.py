"""What is stored about a rep as a person: how long positions are kept, all of it for the person to see, and who looked.

A position is stored with a check-in and with nothing else: there is no trail, and phones send none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from planner.access import SYSTEM
from planner.domain import RecordKind
from planner.errors import NotFoundError
from planner.fieldwork.domain import CheckIn
from planner.fieldwork.feeds import own_rep
from planner.people.domain import User
from planner.repository import Rows, Store, UnitOfWork
from planner.settings import FieldworkSettings

AT_ONCE = 200
"""Check-ins in one transaction."""

COARSE_DIGITS = 2
"""Decimals of a degree: about a kilometre."""

MAILS_KEPT = timedelta(days=90)
"""That a mail was sent, or why not."""

EVERYWHERE = (-90.0, 90.0)

SEEN = "check_ins.seen"


# ---- how long positions are kept


def forget_positions(store: Store, settings: FieldworkSettings, now: datetime) -> tuple[int, int]:
    """Make positions coarse that are past their full time, and remove those past all; how many of each.

    Distance and verdict stay: they say nothing of where somebody was that the visit does not say itself. Done again,
    nothing is left to do. Raises StorageError; what was done until then is done.
    """
    coarse_before = now - timedelta(days=settings.precise_days)
    gone_before = now - timedelta(days=settings.coarse_days)
    with store.read() as unit:
        precise, coarse = (
            unit.check_ins.columns(("area", "id", "at"), "lat", *EVERYWHERE, coarse=coarse) for coarse in (False, True)
        )
    gone = [(area, id_) for area, id_, at in (*precise, *coarse) if at < gone_before]
    coarsened = [(area, id_) for area, id_, at in precise if gone_before <= at < coarse_before]
    tasks = [*((key, True) for key in gone), *((key, False) for key in coarsened)]
    for start in range(0, len(tasks), AT_ONCE):
        some = tasks[start : start + AT_ONCE]
        with store.write(SYSTEM) as unit:
            for key, gone_now in some:
                row = unit.check_ins.get(*key)
                if row is not None:
                    unit.check_ins.put(_without_position(row) if gone_now else _coarse(row))
            removed = sum(gone_now for _, gone_now in some)
            unit.audit("positions.forgotten", coarsened=len(some) - removed, removed=removed)
    return len(coarsened), len(gone)


def _coarse(row: CheckIn) -> CheckIn:
    if row.lat is None or row.lon is None:
        return row
    return replace(row, lat=round(row.lat, COARSE_DIGITS), lon=round(row.lon, COARSE_DIGITS), coarse=True)


def _without_position(row: CheckIn) -> CheckIn:
    return replace(row, lat=None, lon=None, accuracy_m=None, coarse=True)


# ---- looking at check-ins


def look_at_check_ins(unit: UnitOfWork, area: str, rep_id: str, day: date) -> list[CheckIn]:
    """The check-ins of a rep's day, in their order, for somebody else; that they looked is written down first.

    Raises:
        NotFoundError: there is no such rep among those in scope.
    """
    if unit.records(area).get(RecordKind.REP, rep_id) is None:
        raise NotFoundError(f"area {area} has no rep {rep_id}")
    unit.audit(SEEN, f"{rep_id} {day}", area=area)
    return sorted(unit.check_ins.find(area=area, rep_id=rep_id, day=day), key=lambda row: (row.at, row.id))


# ---- everything about a person


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of what is stored: `name` for programs, `title` and `why` for people, and its rows as JSON values."""

    name: str
    title: str
    why: str
    rows: tuple[Mapping[str, Any], ...]


def everything_about(unit: UnitOfWork, user: User, settings: FieldworkSettings, most_entries: int) -> list[Group]:
    """All that is stored about a person, without any secret; of the audit log the newest entries, at most so many, and
    every look at their check-ins."""
    own = own_rep(user)
    area, reps = (own[0], [own[1]]) if own else ("", [])
    tokens = unit.tokens.find(user_id=user.id)
    actors = {f"user:{user.id}", *(f"token:{token.id}" for token in tokens)}
    entries = unit.audit_log.concerning(actors, user.id, area, reps, most_entries)
    who = _Names(unit)
    looks = [entry for entry in unit.audit_log.of_days(SEEN, area, reps) if entry.actor not in actors]
    known = [
        Group("account", "Your account", "What you log in with.", (_account(user),)),
        _group("sessions", "Browsers", "Where you are logged in; forgotten when the session is past its time.",
               unit.sessions.find(user_id=user.id), leave_out={"id", "user_id", "csrf", "epoch"}),
        _group("tokens", "API tokens", "Programs that log in for you.", tokens, leave_out={"user_id", "token_hash"}),
    ]  # fmt: skip
    days = f"full for {settings.precise_days} days, to about a kilometre for {settings.coarse_days}, then removed"
    for rep_id in reps:
        of = {"area": area, "rep_id": rep_id}
        record = unit.records(area).get(RecordKind.REP, rep_id)
        feeds = unit.calendar_feeds.find(**of)
        known += [
            _group("record", "Your record", "Where and when you work, as your company has written it.",
                   [record] if record else []),
            _group("check_ins", "Check-ins", f"When you checked in, and where your phone was then: {days}. "
                   "Distance and verdict stay.", _rows(unit.check_ins, of)),
            _group("visits", "Visits", "When you came and left, as it follows from what your phone sent.",
                   _rows(unit.field_visits, of)),
            _group("reports", "Visit reports", "What you have reported.", _rows(unit.visit_reports, of)),
            _group("progress", "Days", "What you have said about the rest of a day.", _rows(unit.day_progress, of)),
            _group("events", "What your phone has sent", "Each tap that changes something, once; never a position.",
                   _rows(unit.field_events, of)),
            _group("notes", "Notes on your days", "By you or by those who plan.", _rows(unit.rep_day_notes, of)),
            _group("calendar", "Calendar address", "The secret is not stored.", feeds, leave_out={"secret_hash"}),
            _group("mails", "Mails", f"About the next day; forgotten after {MAILS_KEPT.days} days.",
                   _rows(unit.sent_mails, of)),
        ]  # fmt: skip
    known += [
        _group("calls", "Calls you have counted", "By tapping, for a day's goals; kept.",
               _rows(unit.activity_counts, {"user_id": user.id}), leave_out={"user_id"}),
        _group("summaries", "Weekly summaries by mail", "Of which areas, whether you want them, and what became of the "
               "last one.",
               unit.summary_readers.find(user_id=user.id), leave_out={"user_id"}),
    ]  # fmt: skip
    known.append(
        Group("looks", "Who looked at your check-ins", "Every look is written down.",
              tuple({"at": _plain(entry.at), "by": who.of(entry.actor), "day": entry.subject.rpartition(" ")[2]}
                    for entry in looks))
    )  # fmt: skip
    known.append(
        Group("audit", "Audit log", "What you did, and what was done about you; kept as long as the installation, and "
              f"the newest {most_entries:,} entries at most are shown.",
              tuple({"at": _plain(entry.at), "by": who.of(entry.actor), "action": entry.action, "area": entry.area,
                     "subject": entry.subject, "details": _plain(entry.details)} for entry in entries))
    )  # fmt: skip
    return known


def as_json(groups: Sequence[Group], user: User, now: datetime) -> dict[str, Any]:
    """The same for a file or a program."""
    return {
        "user": user.id,
        "made_at": _plain(now),
        "groups": [
            {"name": group.name, "about": group.why, "rows": [dict(row) for row in group.rows]} for group in groups
        ],
    }


class _Names:
    """Who an actor is, in words; people by their names."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._known: dict[str, str] = {}

    def of(self, actor: str) -> str:
        if actor not in self._known:
            self._known[actor] = self._named(actor)
        return self._known[actor]

    def _named(self, actor: str) -> str:
        kind, _, id_ = actor.partition(":")
        if kind == "token":
            token = self._unit.tokens.get(id_)
            return f"a program of {self.of(f'user:{token.user_id}')}" if token else "a program"
        user = self._unit.users.get(id_) if kind == "user" else None
        return user.name if user else actor


def _account(user: User) -> dict[str, Any]:
    shown = {
        name: _plain(getattr(user, name)) for name in ("id", "email", "name", "role", "area", "reps", "created_at")
    }
    return {
        **shown,
        "has_password": bool(user.password_hash),
        "second_factor": bool(user.totp_secret),
        "single_sign_on": user.sign_on or "",
    }


def _rows(rows: Rows[Any], of: Mapping[str, str]) -> list[Any]:
    """The newest day first."""
    return sorted(rows.find(**of), key=lambda row: (row.day, str(getattr(row, "at", ""))), reverse=True)


def _group(name: str, title: str, why: str, rows: Any, leave_out: Set[str] = frozenset()) -> Group:
    return Group(name, title, why, tuple(_without(_plain(row), leave_out) for row in rows))


def _without(row: Mapping[str, Any], names: Set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, Set):
        return sorted(_plain(inner) for inner in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
