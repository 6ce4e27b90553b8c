"""The tables, and how values of the domain become columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from planner.access import Permission, Role
from planner.domain import Address, RecordKind
from planner.errors import StorageError
from planner.fieldwork.domain import CheckInVerdict, DealOutcome, Disposition, EventKind, MailState, Outcome, Severity
from planner.handoffs.domain import BantAnswer, BeforeReports, HandoffState, Side
from planner.jobs.domain import JobState
from planner.slots.domain import BookingState, Meaning
from routing.gazetteer import Candidate
from routing.geo import LatLon


class Json(TypeDecorator[Any]):
    """A value of the domain as JSON; NULL for None."""

    impl = sa.JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.from_json(value)

    def to_json(self, value: Any) -> Any:
        return dict(value)

    def from_json(self, value: Any) -> Any:
        return value


class _AddressJson(Json):
    cache_ok = True

    def to_json(self, value: Address) -> Any:
        return asdict(value)

    def from_json(self, value: Any) -> Address:
        return Address(**value)


class _SetJson(Json):
    cache_ok = True

    def to_json(self, value: frozenset[Any]) -> Any:
        return sorted(value)

    def from_json(self, value: Any) -> frozenset[Any]:
        return frozenset(value)


class _TimesJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[time, ...]) -> Any:
        return [moment.isoformat() for moment in value]

    def from_json(self, value: Any) -> tuple[time, ...]:
        return tuple(map(time.fromisoformat, value))


class _ListJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[Any, ...]) -> Any:
        return list(value)

    def from_json(self, value: Any) -> tuple[Any, ...]:
        return tuple(value)


class _PermissionsJson(_SetJson):
    cache_ok = True

    def from_json(self, value: Any) -> frozenset[Any]:
        return frozenset(map(Permission, value))


class _CandidatesJson(Json):
    cache_ok = True

    def to_json(self, value: tuple[Candidate, ...]) -> Any:
        return [asdict(candidate) for candidate in value]

    def from_json(self, value: Any) -> tuple[Candidate, ...]:
        return tuple(Candidate(**{**candidate, "place": LatLon(**candidate["place"])}) for candidate in value)


class _BantJson(Json):
    cache_ok = True

    def to_json(self, value: Mapping[str, BantAnswer]) -> Any:
        return {
            question: asdict(answer)
            | {"said_on": answer.said_on and str(answer.said_on), "written_at": answer.written_at.isoformat()}
            for question, answer in value.items()
        }

    def from_json(self, value: Any) -> Mapping[str, BantAnswer]:
        return {
            question: BantAnswer(
                **answer
                | {
                    "said_on": answer["said_on"] and date.fromisoformat(answer["said_on"]),
                    "written_at": datetime.fromisoformat(answer["written_at"]),
                }
            )
            for question, answer in value.items()
        }


class _BeforeJson(Json):
    cache_ok = True

    def to_json(self, value: BeforeReports) -> Any:
        return asdict(value) | {"since": value.since and value.since.isoformat()}

    def from_json(self, value: Any) -> BeforeReports:
        return BeforeReports(
            **value
            | {
                "state": HandoffState(value["state"]),
                "side": Side(value["side"]),
                "since": value["since"] and datetime.fromisoformat(value["since"]),
                "reports": tuple(value["reports"]),
                "promises": tuple(value["promises"]),
            }
        )


class Utc(TypeDecorator[datetime]):
    """An instant, aware and in UTC on the Python side; SQLite keeps no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise StorageError(f"{value} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class _Enum(TypeDecorator[StrEnum]):
    """A StrEnum as its text."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, cls: type[StrEnum]) -> None:
        super().__init__()
        self.cls = cls

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(self.cls(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.cls(value)


METADATA = sa.MetaData()
"""What the newest migration leaves behind. Record columns are named as the fields of the domain."""


def _table(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(name, METADATA, sa.Column("area", sa.Text, primary_key=True), *columns, **options)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str, type_: type[TypeEngine[Any]] = sa.Integer, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=nullable)


def _json(name: str, type_: type[Json] = Json, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=nullable)


def _moment(name: str) -> sa.Column[Any]:
    return sa.Column(name, Utc, nullable=False)


REPS = _table(
    "reps",
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("name", "email")),
    _json("start_address", _AddressJson),
    _json("end_address", _AddressJson, nullable=True),
    _text("timezone"),
    _json("work_days", _SetJson),
    sa.Column("work_start", sa.Time, nullable=False),
    sa.Column("work_end", sa.Time, nullable=False),
    _number("break_minutes"),
    _json("break_window", _TimesJson, nullable=True),
    _json("skills", _SetJson),
    _number("max_visits_per_day", nullable=True),
    _json("languages", _SetJson),
    _json("attributes"),
)
ACCOUNTS = _table(
    "accounts",
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    _json("address", _AddressJson),
    *map(_text, ("category", "segment", "owner_rep_id")),
    _number("cadence_days", nullable=True),
    sa.Column("last_visit", sa.Date),
    sa.Column("last_order", sa.Date),
    _number("annual_value", sa.Double),
    _number("visit_minutes", nullable=True),
    *map(_text, ("opening_hours", "contact_name", "contact_email", "contact_phone")),
    _json("attributes"),
)
OPPORTUNITIES = _table(
    "opportunities",
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    _json("address", _AddressJson),
    *map(_text, ("account_id", "contact_name", "contact_email", "contact_phone")),
    _number("value", sa.Double),
    _number("probability", sa.Double),
    *map(_text, ("budget", "authority", "need", "timeline")),
    sa.Column("qualified_at", sa.DateTime),
    _number("first_action_days", nullable=True),
    _number("visit_minutes", nullable=True),
    _json("required_skills", _SetJson),
    _text("availability"),
    sa.Column("appointment", sa.DateTime),
    *map(_text, ("inside_rep", "notes")),
    _json("attributes"),
)
LOCATIONS = _table(
    "locations",
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    _json("address", _AddressJson),
    _text("verdict"),
    _number("lat", sa.Double, nullable=True),
    _number("lon", sa.Double, nullable=True),
    _number("confidence", sa.Double),
    *map(_text, ("matched_address", "reason")),
    _json("candidates", _CandidatesJson),
)
PLANS = _table(
    "plans",
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("first_day", sa.Date, nullable=False),
    _number("days"),
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("published_at", Utc),
    *map(_number, ("visits", "unplanned", "drive_s")),
    _text("document"),
)
USERS = sa.Table(
    "users",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    _text("name"),
    sa.Column("role", _Enum(Role), nullable=False),
    sa.Column("area", sa.Text),
    _json("reps", _SetJson, nullable=True),
    *map(_text, ("password_hash", "totp_secret")),
    _number("totp_step", sa.BigInteger),
    _json("recovery_hashes", _ListJson),
    sa.Column("disabled", sa.Boolean, nullable=False),
    _number("epoch"),
    _moment("created_at"),
    sa.Column("invitation_hash", sa.Text, nullable=False, index=True),
    sa.Column("invitation_until", Utc),
    sa.Column("sign_on", sa.Text, unique=True),
)
SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    _number("epoch"),
    _text("csrf"),
    *map(_moment, ("created_at", "seen_at")),
    *map(_text, ("address", "agent")),
    info={"lasting": False},
)
TOKENS = sa.Table(
    "api_tokens",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, index=True),
    _text("name"),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    _json("permissions", _PermissionsJson),
    _moment("created_at"),
    sa.Column("expires_at", Utc),
    sa.Column("used_at", Utc),
)
THROTTLES = sa.Table(
    "throttles",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    _number("failures"),
    _moment("last_at"),
    sa.Column("blocked_until", Utc),
)
JOBS = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    *map(_text, ("area", "kind")),
    _json("request"),
    _text("requested_by"),
    _moment("created_at"),
    sa.Column("state", _Enum(JobState), nullable=False, index=True),
    *map(_number, ("attempt", "failures")),
    _text("lease_owner"),
    sa.Column("lease_until", Utc),
    _json("progress"),
    _json("result"),
    _text("error"),
    sa.Column("started_at", Utc),
    sa.Column("finished_at", Utc),
    info={"scoped": True},
)
HEARTBEATS = sa.Table(
    "heartbeats",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    _moment("at"),
    _number("workers"),
    info={"lasting": False},
)
ANSWERS = sa.Table(
    "answers",
    METADATA,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("fingerprint"),
    _number("status"),
    _text("body"),
    sa.Column("created_at", Utc, nullable=False, index=True),
    info={"audited": False},
)
REP_DAY_NOTES = sa.Table(
    "rep_day_notes",
    METADATA,
    sa.Column("area", sa.Text, primary_key=True),
    sa.Column("rep_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _number("revision"),
    _text("text"),
    info={"scoped": True},
)
BOOKINGS = _table(
    "bookings",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rep_id", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("state", _Enum(BookingState), nullable=False),
    *map(_text, ("opportunity_id", "name", "address")),
    *(_number(name, sa.Double) for name in ("lat", "lon")),
    _number("service_minutes"),
    *map(_moment, ("start", "end")),
    sa.Column("meaning", _Enum(Meaning), nullable=False),
    _text("hours"),
    _json("skills", _SetJson),
    *map(_text, ("inside_rep", "made_by")),
    _moment("made_at"),
    sa.Column("expires_at", Utc),
    sa.Column("ended_at", Utc),
    *map(_text, ("replaces", "reason")),
    sa.Index("bookings_of_a_day", "area", "rep_id", "day"),
    sa.Index("bookings_of_an_opportunity", "area", "opportunity_id"),
    info={"scoped": True},
)
CHANGED_DAYS = _table(
    "changed_days",
    sa.Column("rep_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    *map(_number, ("revision", "plan_version")),
    _json("order", _ListJson),
    _json("route", nullable=True),
    info={"scoped": True},
)
HANDOFFS = _table(
    "handoffs",
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    _number("revision"),
    sa.Column("state", _Enum(HandoffState), nullable=False),
    _moment("since"),
    sa.Column("side", _Enum(Side), nullable=False),
    *map(_text, ("owner", "field_rep")),
    _json("answers", _BantJson),
    *map(_text, ("reason", "learned")),
    _json("credit", _ListJson),
    _text("conflict"),
    _json("before", _BeforeJson, nullable=True),
    info={"scoped": True},
)
HANDOFF_EVENTS = _table(
    "handoff_events",
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _moment("at"),
    *map(_text, ("actor", "action")),
    sa.Column("state", _Enum(HandoffState), nullable=False),
    _text("text"),
    info={"scoped": True},
)
TEAM_RULES = _table("team_rules", _number("revision"), _json("rules", _ListJson), info={"scoped": True})
FIELD_EVENTS = _table(
    "field_events",
    sa.Column("id", sa.Text, primary_key=True),
    _text("rep_id"),
    sa.Column("day", sa.Date, nullable=False),
    _text("visit_id"),
    sa.Column("kind", _Enum(EventKind), nullable=False),
    _moment("made_at"),
    _number("base"),
    _json("body"),
    _text("made_by"),
    _moment("received_at"),
    sa.Column("outcome", _Enum(Outcome), nullable=False),
    _text("message"),
    sa.Index("field_events_of_a_day", "area", "rep_id", "day"),
    sa.Index("field_events_by_outcome", "area", "rep_id", "outcome"),
    info={"scoped": True, "field_only": True},
)
CHECK_INS = _table(
    "check_ins",
    sa.Column("id", sa.Text, primary_key=True),
    _text("rep_id"),
    sa.Column("day", sa.Date, nullable=False),
    _text("visit_id"),
    _moment("at"),
    *(_number(name, sa.Double, nullable=True) for name in ("lat", "lon", "accuracy_m", "distance_m")),
    sa.Column("verdict", _Enum(CheckInVerdict), nullable=False),
    sa.Column("coarse", sa.Boolean, nullable=False),
    sa.Index("check_ins_of_a_day", "area", "rep_id", "day"),
    info={"scoped": True, "field_only": True},
)
VISIT_REPORTS = _table(
    "visit_reports",
    sa.Column("id", sa.Text, primary_key=True),
    _text("rep_id"),
    sa.Column("day", sa.Date, nullable=False),
    *map(_text, ("visit_id", "account_id", "opportunity_id", "inside_rep")),
    _moment("made_at"),
    _text("made_by"),
    sa.Column("disposition", _Enum(Disposition), nullable=False),
    sa.Column("deal", _Enum(DealOutcome), nullable=False),
    _text("next_step"),
    sa.Column("next_step_on", sa.Date),
    *map(_text, ("competitor", "concern")),
    sa.Column("severity", _Enum(Severity)),
    *map(_text, ("reason", "text")),
    _number("order_value", sa.Double, nullable=True),
    _text("template"),
    sa.Index("visit_reports_of_a_day", "area", "rep_id", "day"),
    sa.Index("visit_reports_of_an_account", "area", "account_id"),
    sa.Index("visit_reports_of_an_opportunity", "area", "opportunity_id"),
    info={"scoped": True},
)
FIELD_VISITS = _table(
    "field_visits",
    sa.Column("rep_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("visit_id", sa.Text, primary_key=True),
    *map(_text, ("account_id", "opportunity_id", "inside_rep")),
    sa.Column("arrived_at", Utc),
    sa.Column("left_at", Utc),
    _number("dwell_minutes", nullable=True),
    _text("report_id"),
    sa.Column("disposition", _Enum(Disposition)),
    sa.Column("reported_at", Utc),
    sa.Index("field_visits_of_an_account", "area", "account_id", "day"),
    info={"scoped": True},
)
DAY_PROGRESS = _table(
    "day_progress",
    sa.Column("rep_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _number("revision"),
    _text("after"),
    sa.Column("leave_at", Utc),
    sa.Column("finish_by", Utc),
    sa.Column("sick", sa.Boolean, nullable=False),
    _json("left_out"),
    *(_json(name, _ListJson) for name in ("added", "order")),
    _json("to_call"),
    info={"scoped": True},
)
VISIT_MINUTES = _table(
    "visit_minutes",
    sa.Column("account_id", sa.Text, primary_key=True),
    _number("minutes"),
    _text("set_by"),
    _moment("set_at"),
    info={"scoped": True},
)
ACCOUNT_VISITS = _table(
    "account_visits",
    sa.Column("account_id", sa.Text, primary_key=True),
    _number("number"),
    sa.Column("last_visit", sa.Date),
    _json("dwells", _ListJson),
    _number("minutes", nullable=True),
    sa.Index("account_visits_by_number", "area", "number"),
)
REPORT_TEMPLATES = _table("report_templates", _number("revision"), _json("templates", _ListJson), info={"scoped": True})
CALENDAR_FEEDS = _table(
    "calendar_feeds",
    sa.Column("rep_id", sa.Text, primary_key=True),
    *map(_text, ("id", "secret_hash", "user_id")),
    _moment("created_at"),
    sa.Column("read_at", Utc),
    info={"scoped": True, "field_only": True},
)
SENT_MAILS = _table(
    "sent_mails",
    sa.Column("rep_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("state", _Enum(MailState), nullable=False),
    _moment("at"),
    _text("problem"),
    info={"scoped": True, "field_only": True},
)
AREA_STAMPS = _table("area_stamps", _number("stamp"), info={"audited": False})
AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _moment("at"),
    *map(_text, ("actor", "request_id", "area", "action", "subject")),
    _json("details"),
    *map(_text, ("previous", "hash")),
)
RECORD_TABLES = {RecordKind.REP: REPS, RecordKind.ACCOUNT: ACCOUNTS, RecordKind.OPPORTUNITY: OPPORTUNITIES}
