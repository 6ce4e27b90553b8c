"""The store keeps what it was given, exactly, whatever happens while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.access import Role
from planner.domain import Account, Address, Location, Opportunity, Record, RecordKind, Rep
from planner.errors import NotFoundError, StorageError
from planner.jobs.domain import Job, JobState
from planner.people.domain import User
from planner.repository import Change, StoredPlan
from planner.storage import SqlStore, open_store
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

BAR = Account("A1", "Bar", Address("1 Lee Way", "Newport"))
ADA = Rep("R1", "Ada", "", Address("1 High Street"), None, "Europe/London", frozenset({0, 1}), time(9), time(17))
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
PLAN = StoredPlan(0, "town", date(2026, 11, 30), 5, NOON, None, 12, 3, 3600, '{"visits": []}')


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """For properties: each example takes a fresh area of it."""
    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path_factory.mktemp('shared')}/fieldvisit.sqlite")
    else:
        store = open_store(request.getfixturevalue("postgres").new())
    yield store
    store.close()


fresh = count()

# ---- round trips

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
name = text.filter(bool)
address = st.builds(Address, street=name, city=text, postcode=text, country=text)
minutes = st.none() | st.integers(1, 1440)
amount = st.floats(0, 1e12)
share = st.floats(0, 1)
day = st.none() | st.dates()
moment = st.none() | st.datetimes()
words = st.frozensets(text, max_size=3)
attributes = st.dictionaries(text, text, max_size=3)
answer = st.sampled_from(["yes", "no", "unknown"])
hours = st.sampled_from(["", "24/7", "Mo-Fr 09:00-12:00,13:00-17:00"])
span = st.tuples(st.times(max_value=time(11, 59)), st.times(min_value=time(12)))
reps = span.flatmap(
    lambda shift: st.builds(
        Rep,
        id=name,
        name=name,
        email=text,
        start_address=address,
        end_address=st.none() | address,
        timezone=st.sampled_from(["Europe/London", "Asia/Tokyo"]),
        work_days=st.frozensets(st.integers(0, 6)),
        work_start=st.just(shift[0]),
        work_end=st.just(shift[1]),
        break_minutes=st.just(0),
        break_window=st.none() | span,
        skills=words,
        max_visits_per_day=st.none() | st.integers(0, 100),
        attributes=attributes,
    )
)
accounts = st.builds(
    Account,
    id=name,
    name=name,
    address=address,
    category=text,
    segment=text,
    owner_rep_id=text,
    cadence_days=st.none() | st.integers(1, 3650),
    last_visit=day,
    last_order=day,
    annual_value=amount,
    visit_minutes=minutes,
    opening_hours=hours,
    contact_name=text,
    contact_email=text,
    contact_phone=text,
    attributes=attributes,
)
opportunities = st.builds(
    Opportunity,
    id=name,
    name=name,
    address=address,
    account_id=text,
    contact_name=text,
    contact_email=text,
    contact_phone=text,
    value=amount,
    probability=share,
    budget=answer,
    authority=answer,
    need=answer,
    timeline=text,
    qualified_at=moment,
    first_action_days=st.none() | st.integers(0, 365),
    visit_minutes=minutes,
    required_skills=words,
    availability=hours,
    appointment=moment,
    inside_rep=text,
    notes=text,
    attributes=attributes,
)
places = st.builds(LatLon, st.floats(-90, 90), st.floats(-180, 180))
candidates = st.builds(Candidate, places, text, share)


@given(st.lists(reps | accounts | opportunities, max_size=6), st.lists(candidates, max_size=5), st.none() | places)
@settings(max_examples=60, deadline=None)
def test_records_and_locations_come_back_exactly(
    shared_store: SqlStore, written: list[Record], found: list[Candidate], place: LatLon | None
) -> None:
    store, area = shared_store, f"area {next(fresh)}"
    last = {(record.kind, record.id): record for record in written}
    verdict = Verdict.REVIEW if place is None else Verdict.MATCHED
    locations = [Location(*key, BAR.address, verdict, place, 0.5, "m", "r", tuple(found)) for key in last]
    with store.write(audited=False) as unit:
        for record in written:
            unit.records(area).save(record)
        unit.records(area).save_locations(locations)
    with store.write(audited=False) as unit:
        assert all(unit.records(area).save(record) == Change.UNCHANGED for record in last.values())
    with store.read() as unit:
        records = unit.records(area)
        kept: list[Record] = [*records.reps(), *records.accounts(), *records.opportunities()]
        assert {(record.kind, record.id): record for record in kept} == last
        assert [location.record_id for location in records.locations() if location.kind == RecordKind.REP] == sorted(
            record_id for kind, record_id in last if kind == RecordKind.REP
        )
        assert {(location.kind, location.record_id): location for location in records.locations()} == {
            (location.kind, location.record_id): location for location in locations
        }


def test_saving_says_what_it_did(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        records = unit.records("town")
        changed = replace(BAR, name="Pub")
        assert [records.save(record) for record in (BAR, BAR, changed, changed)] == [
            Change.ADDED,
            Change.UNCHANGED,
            Change.CHANGED,
            Change.UNCHANGED,
        ]


def test_the_same_id_may_stand_for_a_rep_and_an_account(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        unit.records("town").save(replace(BAR, id="1"))
        unit.records("town").save(replace(ADA, id="1"))
        for kind in (RecordKind.REP, RecordKind.ACCOUNT):
            unit.records("town").save_locations(
                [Location(kind, "1", BAR.address, Verdict.NOT_FOUND, None, 0.0, "", str(kind))]
            )
    with store.read() as unit:
        assert [(location.kind, location.reason) for location in unit.records("town").locations()] == [
            (RecordKind.REP, "rep"),
            (RecordKind.ACCOUNT, "account"),
        ]


# ---- plans


def test_plans_are_numbered_by_area_and_the_old_ones_stay(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        plans = unit.plans("town")
        assert [plans.add(PLAN), plans.add(replace(PLAN, document="second")), unit.plans("city").add(PLAN)] == [1, 2, 1]
    with store.read() as unit:
        plans = unit.plans("town")
        assert [plan.version for plan in plans.list()] == [2, 1]
        assert all(plan.document is None for plan in plans.list())
        assert plans.get(1) == replace(PLAN, version=1)
        latest = plans.latest()
        assert latest is not None
        assert latest.document == "second"
        assert plans.latest(published=True) is None
        with pytest.raises(NotFoundError):
            plans.get(3)


def test_the_plan_published_last_is_the_one_that_reps_see(store: SqlStore) -> None:
    helsinki = timezone(timedelta(hours=2))
    with store.write(audited=False) as unit:
        plans = unit.plans("town")
        plans.add(PLAN)
        plans.add(PLAN)
        plans.publish(2, NOON)
        plans.publish(1, (NOON + timedelta(minutes=1)).astimezone(helsinki))
        with pytest.raises(NotFoundError):
            plans.publish(9, NOON)
        seen = plans.latest(published=True)
    assert seen is not None
    assert (seen.version, seen.published_at) == (1, NOON + timedelta(minutes=1))
    assert seen.published_at is not None
    assert seen.published_at.tzinfo is UTC


def test_a_time_without_a_zone_is_not_stored(store: SqlStore) -> None:
    with pytest.raises(StorageError, match="no time zone"), store.write(audited=False) as unit:
        unit.plans("town").add(replace(PLAN, created_at=NOON.replace(tzinfo=None)))


def test_a_version_that_no_plan_can_have_is_not_found(store: SqlStore) -> None:
    with store.read() as unit:
        for version in (0, -1, 2**31, 10**30):
            with pytest.raises(NotFoundError):
                unit.plans("town").get(version)


# ---- many at once


def test_saving_many_does_what_saving_one_after_the_other_does(store: SqlStore) -> None:
    pub, other = replace(BAR, name="Pub"), replace(BAR, id="A2", attributes={"a": "1", "b": "2"})
    given = [BAR, ADA, pub, other, replace(ADA, id="A1")]
    with store.write(audited=False) as unit:
        assert unit.records("town").save_all(store.prepared(given)) == [
            Change.ADDED,
            Change.ADDED,
            Change.CHANGED,
            Change.ADDED,
            Change.ADDED,
        ]
    with store.write(audited=False) as unit:
        again = [pub, replace(other, attributes={"b": "2", "a": "1"}), replace(ADA, email="ada@example.com")]
        changes = unit.records("town").save_all(store.prepared(again))
        assert changes == [Change.UNCHANGED, Change.UNCHANGED, Change.CHANGED]
        assert unit.records("city").save_all([BAR]) == [Change.ADDED]
        assert unit.records("town").save_all([]) == []
    with store.read() as unit:
        assert unit.records("town").accounts() == [pub, other]
        assert [rep.email for rep in unit.records("town").reps()] == ["", "ada@example.com"]


def test_more_records_than_fit_into_one_query_are_saved_at_once(store: SqlStore) -> None:
    many = [replace(BAR, id=f"{number:05}") for number in range(2500)]
    with store.write(audited=False) as unit:
        assert set(unit.records("town").save_all(many)) == {Change.ADDED}
    with store.write(audited=False) as unit:
        assert set(unit.records("town").save_all([*many[:-1], replace(many[-1], name="Pub")])) == {
            Change.UNCHANGED,
            Change.CHANGED,
        }


# ---- the stamp


@pytest.mark.parametrize(
    ("changes", "goes_up"),
    [
        ({"qualified_at": datetime.fromisoformat("2026-11-30T09:00")}, False),
        ({"need": "yes", "budget": "no", "authority": "yes", "timeline": "spring", "value": 5.0}, False),
        ({"notes": "Ask for Ada", "inside_rep": "iris@example.com", "first_action_days": 3}, False),
        ({"contact_phone": "+44 1632 960 001"}, False),
        *(
            ({name: value}, True)
            for name, value in {
                "name": "Pub",
                "address": Address("2 Lee Way"),
                "account_id": "A1",
                "contact_name": "Ada",
                "contact_email": "ada@example.com",
                "visit_minutes": 30,
                "required_skills": frozenset(["welding"]),
                "availability": "Mo 09:00-12:00",
                "appointment": datetime.fromisoformat("2026-12-01T10:00"),
            }.items()
        ),
    ],
)
def test_the_stamp_stays_where_no_day_depends_on_what_changed_of_an_opportunity(
    store: SqlStore, changes: dict[str, Any], goes_up: bool
) -> None:
    """So that everything else is read anew where a day may be another, and a handoff makes nobody read anything."""
    deal = Opportunity("O1", "Bar", Address("1 Lee Way"))
    with store.write(audited=False) as unit:
        records = unit.records("town")
        records.save_all([deal, BAR])
        before = records.stamp()
        assert records.save(replace(deal, **changes)) is Change.CHANGED
        assert records.stamp() == before + goes_up


# ---- rows

ROOT = User("u1", "root@example.com", "Root", Role.ADMIN, None, None, "", "", 0, ("a", "b"), False, 1, NOON)
JOB = Job("j1", "town", "plan", {"days": 5, "share": 0.1, "words": ["é", "\u2028"]}, "user:u1", NOON)


def test_rows_come_back_as_they_were_put(store: SqlStore) -> None:
    microseconds = NOON.replace(microsecond=123456)
    rep = replace(ROOT, id="u2", email="rep@example.com", role=Role.FIELD_REP, reps=frozenset({"R1"}), totp_step=2**40)
    done = replace(JOB, state=JobState.DONE, finished_at=microseconds, result={"version": 3}, progress={"cost_s": 1e9})
    with store.write(audited=False) as unit:
        for user in (ROOT, rep, replace(ROOT, name="Groot")):
            unit.users.put(user)
        unit.jobs.put(JOB)
        unit.jobs.put(done)
    with store.read() as unit:
        assert unit.users.find() == [replace(ROOT, name="Groot"), rep]
        assert unit.users.find(email="rep@example.com") == [rep]
        assert unit.users.find(email=frozenset({"rep@example.com", "nobody@example.com"})) == [rep]
        assert unit.users.find(email=frozenset({"rep@example.com", "a\0"})) == []
        assert unit.jobs.get("j1") == done
        assert unit.jobs.find(state=JobState.WAITING) == []
        assert unit.jobs.get("j2") is None
    with store.write(audited=False) as unit:
        unit.users.remove("u1")
        unit.users.remove("u1")
        assert unit.users.find() == [rep]


@pytest.mark.parametrize("flaw", ["a\0b", "half \ud83d of it"])
def test_what_no_database_keeps_is_refused_by_the_name_of_its_field(store: SqlStore, flaw: str) -> None:
    def save(record: Record) -> None:
        with store.write(audited=False) as unit:
            unit.records("town").save(record)

    def put(job: Job) -> None:
        with store.write(audited=False) as unit:
            unit.jobs.put(job)

    with pytest.raises(StorageError, match=r"^accounts\.attributes holds") as caught:
        save(replace(BAR, attributes={"floor": flaw}))
    assert flaw not in str(caught.value)
    with pytest.raises(StorageError, match=r"^jobs\.progress holds"):
        put(replace(JOB, progress={"what": [flaw]}))
    with pytest.raises(StorageError, match=r"^jobs\.request holds"):
        put(replace(JOB, request={flaw: 1}))
    with pytest.raises(StorageError, match=r"^jobs\.progress is inf"):
        put(replace(JOB, progress={"cost_s": float("inf")}))
    with pytest.raises(StorageError, match=r"^audit\.subject holds"), store.write() as unit:
        unit.audit("a.b", flaw)


@pytest.mark.parametrize("flaw", ["a\0b", "half \ud83d of it"])
def test_asking_for_what_no_database_keeps_finds_nothing(store: SqlStore, flaw: str) -> None:
    with store.read() as unit:
        assert unit.users.find(email=flaw) == []
        assert unit.users.get(flaw) is None
        with pytest.raises(NotFoundError):
            unit.records(flaw)
        with pytest.raises(NotFoundError):
            unit.plans(flaw)


def test_a_number_beyond_every_column_is_refused(store: SqlStore) -> None:
    with pytest.raises(StorageError), store.write(audited=False) as unit:
        unit.users.put(replace(ROOT, totp_step=10**30))
    with pytest.raises(StorageError), store.read() as unit:
        unit.users.find(totp_step=10**400)
