"""The tables. Record columns are named as the fields of the domain."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from planner.access import Role
from planner.activities.domain import Activity
from planner.domain import RecordKind
from planner.fieldwork.domain import CheckInVerdict, DealOutcome, Disposition, EventKind, MailState, Outcome, Severity
from planner.handoffs.domain import HandoffState, Side
from planner.jobs.domain import JobState
from planner.scenarios.domain import ScenarioState
from planner.slots.domain import BookingState, Meaning
from planner.storage.column_types import (
    AddressJson,
    BantJson,
    BeforeJson,
    CandidatesJson,
    Enum,
    Json,
    ListJson,
    PermissionsJson,
    SetJson,
    TimesJson,
    Utc,
)
from planner.territories.domain import TerritorySource

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
    _json("start_address", AddressJson),
    _json("end_address", AddressJson, nullable=True),
    _text("timezone"),
    _json("work_days", SetJson),
    sa.Column("work_start", sa.Time, nullable=False),
    sa.Column("work_end", sa.Time, nullable=False),
    _number("break_minutes"),
    _json("break_window", TimesJson, nullable=True),
    _json("skills", SetJson),
    _number("max_visits_per_day", nullable=True),
    _json("languages", SetJson),
    sa.Column("overnight", sa.Boolean, nullable=False),
    _json("attributes"),
)
ACCOUNTS = _table(
    "accounts",
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    _json("address", AddressJson),
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
    _json("address", AddressJson),
    *map(_text, ("account_id", "contact_name", "contact_email", "contact_phone")),
    _number("value", sa.Double),
    _number("probability", sa.Double),
    *map(_text, ("budget", "authority", "need", "timeline")),
    sa.Column("qualified_at", sa.DateTime),
    _number("first_action_days", nullable=True),
    _number("visit_minutes", nullable=True),
    _json("required_skills", SetJson),
    _text("availability"),
    sa.Column("appointment", sa.DateTime),
    *map(_text, ("inside_rep", "notes", "source")),
    sa.Column("lead_at", sa.DateTime),
    sa.Column("contacted_at", sa.DateTime),
    _json("attributes"),
)
LOCATIONS = _table(
    "locations",
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    _json("address", AddressJson),
    _text("verdict"),
    _number("lat", sa.Double, nullable=True),
    _number("lon", sa.Double, nullable=True),
    _number("confidence", sa.Double),
    *map(_text, ("matched_address", "reason")),
    _json("candidates", CandidatesJson),
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
    sa.Column("role", Enum(Role), nullable=False),
    sa.Column("area", sa.Text),
    _json("reps", SetJson, nullable=True),
    *map(_text, ("password_hash", "totp_secret")),
    _number("totp_step", sa.BigInteger),
    _json("recovery_hashes", ListJson),
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
    _json("permissions", PermissionsJson),
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
    sa.Column("state", Enum(JobState), nullable=False, index=True),
    *map(_number, ("attempt", "failures")),
    _text("lease_owner"),
    sa.Column("lease_until", Utc),
    _json("progress"),
    _json("result"),
    _text("error"),
    sa.Column("started_at", Utc),
    sa.Column("finished_at", Utc),
    sa.Column("finishing", sa.Boolean, nullable=False, server_default=sa.false()),
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
    sa.Column("state", Enum(BookingState), nullable=False),
    *map(_text, ("opportunity_id", "name", "address")),
    *(_number(name, sa.Double) for name in ("lat", "lon")),
    _number("service_minutes"),
    *map(_moment, ("start", "end")),
    sa.Column("meaning", Enum(Meaning), nullable=False),
    _text("hours"),
    _json("skills", SetJson),
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
    _json("order", ListJson),
    _json("route", nullable=True),
    info={"scoped": True},
)
HANDOFFS = _table(
    "handoffs",
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    _number("revision"),
    sa.Column("state", Enum(HandoffState), nullable=False),
    _moment("since"),
    sa.Column("side", Enum(Side), nullable=False),
    *map(_text, ("owner", "field_rep")),
    _json("answers", BantJson),
    *map(_text, ("reason", "learned")),
    _json("credit", ListJson),
    _text("conflict"),
    _json("before", BeforeJson, nullable=True),
    info={"scoped": True},
)
HANDOFF_EVENTS = _table(
    "handoff_events",
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _moment("at"),
    *map(_text, ("actor", "action")),
    sa.Column("state", Enum(HandoffState), nullable=False),
    *map(_text, ("text", "report_id")),
    info={"scoped": True},
)
TEAM_RULES = _table("team_rules", _number("revision"), _json("rules", ListJson), info={"scoped": True})
FIELD_EVENTS = _table(
    "field_events",
    sa.Column("id", sa.Text, primary_key=True),
    _text("rep_id"),
    sa.Column("day", sa.Date, nullable=False),
    _text("visit_id"),
    sa.Column("kind", Enum(EventKind), nullable=False),
    _moment("made_at"),
    _number("base"),
    _json("body"),
    _text("made_by"),
    _moment("received_at"),
    sa.Column("outcome", Enum(Outcome), nullable=False),
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
    sa.Column("verdict", Enum(CheckInVerdict), nullable=False),
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
    sa.Column("disposition", Enum(Disposition), nullable=False),
    sa.Column("deal", Enum(DealOutcome), nullable=False),
    _text("next_step"),
    sa.Column("next_step_on", sa.Date),
    *map(_text, ("competitor", "concern")),
    sa.Column("severity", Enum(Severity)),
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
    sa.Column("disposition", Enum(Disposition)),
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
    *(_json(name, ListJson) for name in ("added", "order")),
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
    _json("dwells", ListJson),
    _number("minutes", nullable=True),
    sa.Index("account_visits_by_number", "area", "number"),
)
REPORT_TEMPLATES = _table("report_templates", _number("revision"), _json("templates", ListJson), info={"scoped": True})
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
    sa.Column("state", Enum(MailState), nullable=False),
    _moment("at"),
    _text("problem"),
    info={"scoped": True, "field_only": True},
)
TERRITORIES = _table(
    "territories",
    sa.Column("id", sa.Text, primary_key=True),
    _number("revision"),
    *map(_text, ("name", "rep_id")),
    sa.Column("source", Enum(TerritorySource), nullable=False),
    _json("geometry"),
    info={"scoped": True, "field_only": True, "maybe_nobodys": True},
)
HOTELS = _table(
    "hotels",
    sa.Column("id", sa.Text, primary_key=True),
    _number("revision"),
    *map(_text, ("name", "address")),
    *(_number(name, sa.Double) for name in ("lat", "lon")),
    _number("minutes", nullable=True),
    info={"scoped": True},
)
COVERAGES = _table(
    "coverages",
    _text("key"),
    _moment("made_at"),
    sa.Column("as_of", sa.Date, nullable=False),
    _json("summary"),
    _text("accounts"),
    info={"scoped": True, "audited": False, "lasting": False},
)
SCENARIOS = _table(
    "scenarios",
    sa.Column("id", sa.Text, primary_key=True),
    _number("revision"),
    _text("name"),
    sa.Column("state", Enum(ScenarioState), nullable=False),
    _json("changes"),
    _text("made_by"),
    _moment("made_at"),
    _text("job_id"),
    _json("result", nullable=True),
    sa.Column("computed_at", Utc),
    sa.Column("applied_at", Utc),
    _text("applied_by"),
    info={"scoped": True},
)
ACTIVITY_GOALS = _table(
    "activity_goals", _number("revision"), _json("goals"), _json("earlier", ListJson), info={"scoped": True}
)
ACTIVITY_COUNTS = _table(
    "activity_counts",
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("kind", Enum(Activity), primary_key=True),
    _number("count"),
    info={"scoped": True, "audited": False},
)
SUMMARY_READERS = _table(
    "summary_readers",
    sa.Column("user_id", sa.Text, primary_key=True),
    sa.Column("week", sa.Date),
    sa.Column("state", Enum(MailState)),
    sa.Column("at", Utc),
    _text("problem"),
    sa.Column("wanted", sa.Boolean, nullable=False),
    info={"scoped": True},
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
