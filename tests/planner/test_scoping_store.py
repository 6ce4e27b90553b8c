"""What is read from the store is what its reader may see; what they may not see, they cannot write either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from test_scoping import day, left_out, listed, plan, stop

from planner.access import Actor, Role, Scope
from planner.domain import Account, Address, Location, Opportunity, Record, RecordKind, Rep
from planner.errors import NotFoundError
from planner.handoffs.standing import Standing, handoffs
from planner.people.domain import User
from planner.plan_document import write_plan
from planner.repository import StoredPlan
from planner.settings import GateSettings
from planner.storage import SqlStore, open_store
from routing.gazetteer import Verdict
from routing.geo import LatLon

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
STREET = Address("1 Lee Way", "Newport")

ANN = Scope("town", frozenset({"R1"}), unassigned=False, drafts=False)
TEAM = Scope("town", frozenset({"R1", "R3"}))
INES = Scope("town", frozenset(), unassigned=False, inside_rep="Ines@Example.com", drafts=False)
EVERYONE = Scope("town")
ELSEWHERE = Scope("city")


def rep(id: str, **changes: Address) -> Rep:
    return Rep(id, f"Rep {id}", "", STREET, changes.get("end"), "Europe/London", frozenset(range(5)), time(9), time(17))


def account(id: str, owner: str = "") -> Account:
    return Account(id, f"Customer {id}", STREET, owner_rep_id=owner)


def deal(id: str, inside: str = "", account: str = "", need: str = "yes") -> Opportunity:
    return Opportunity(
        id, f"Deal {id}", STREET, account, need=need, budget="yes", authority="yes", inside_rep=inside
    )  # fmt: skip


RECORDS: list[Record] = [
    rep("R1", end=Address("Elsewhere 2")), rep("R2"), rep("R3"),
    account("A1", "R1"), account("A2", "R2"), account("A3", "R3"), account("A4"), account("A5", "R2"),
    deal("O1", "ines@example.com", "A1"), deal("O2", "INES@example.com", "A2"), deal("O3", "ivan@example.com"),
    deal("O4", "ivan@example.com", "A3"), deal("O5", "ivan@example.com", "A5"), deal("O6", "ivan@example.com"),
    deal("O7", "ines@example.com", need="unknown"), deal("O8", "ines@example.com"),
]  # fmt: skip
PLAN = write_plan(
    plan(
        day("R1", "Ann Annson", stop("account:A1"), stop("account:A5"), stop("opportunity:O1", kind="appointment")),
        day("R2", "Ben Benson", stop("account:A2"), stop("opportunity:O6"), stop("opportunity:O2")),
        unplanned=[left_out("due", "Customer A3", "A3"), left_out("opportunity", "Deal O8", "O8")],
        returned_to_inside=[listed("O7", "Deal O7")],
    )
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """The same records in two areas, and the plan published in one."""
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with store.write(audited=False) as unit:
        for area in ("town", "city"):
            unit.records(area).save_all(RECORDS)
            unit.records(area).save_locations([located(record) for record in RECORDS if record.id != "O8"])
    keep(store, PLAN, NOON)
    yield store
    store.close()


def located(record: Record) -> Location:
    return Location(record.kind, record.id, STREET, Verdict.MATCHED, LatLon(51.6, -3.0), 1.0, "", "")


def keep(store: SqlStore, document: str, published_at: datetime | None = None) -> int:
    with store.write(audited=False) as unit:
        return unit.plans("town").add(
            StoredPlan(0, "town", date(2026, 11, 30), 5, NOON, published_at, 99, 99, 99, document)
        )


def ids(store: SqlStore, scope: Scope, area: str = "town") -> list[str]:
    with store.read(scope) as unit:
        records = unit.records(area)
        return [record.id for record in (*records.reps(), *records.accounts(), *records.opportunities())]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (ANN, "R1 A1 A5 O1"),  # A5 is another's, and Ann visits it
        (TEAM, "R1 R3 A1 A3 A4 A5 O1 O3 O4 O7 O8"),  # O5 belongs to the owner of A5, O6 to who visits it
        (INES, "A1 A2 O1 O2 O7 O8"),
        (EVERYONE, " ".join(record.id for record in RECORDS)),
    ],
)
def test_each_sees_the_records_that_are_theirs(store: SqlStore, scope: Scope, expected: str) -> None:
    assert ids(store, scope) == expected.split()
    with store.read(scope) as unit:
        found = [location.record_id for location in unit.records("town").locations()]
    assert found == [record_id for record_id in expected.split() if record_id != "O8"]


@pytest.mark.parametrize("scope", [ANN, TEAM, INES, EVERYONE])
def test_of_another_area_nothing_is_there(store: SqlStore, scope: Scope) -> None:
    assert ids(store, scope, "city") == []
    with store.read(scope) as unit:
        assert unit.records("city").locations() == []
        assert unit.plans("city").list() == []
        assert unit.plans("city").latest() is None
        assert unit.plans("city").handoffs() == ()
    with store.read(ELSEWHERE) as unit, pytest.raises(NotFoundError):
        unit.plans("town").get(1)


def test_a_draft_gives_no_rep_a_customer(store: SqlStore) -> None:
    keep(store, write_plan(plan(day("R1", "Ann", stop("account:A2"), stop("opportunity:O5")))))
    assert ids(store, ANN) == ["R1", "A1", "A5", "O1"]


def test_without_a_published_plan_planners_go_by_the_newest_and_reps_by_none(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with store.write(audited=False) as unit:
        unit.records("town").save_all(RECORDS)
    keep(store, PLAN)
    assert ids(store, ANN) == ["R1", "A1"]
    assert "A5" in ids(store, TEAM)
    store.close()


# ---- plans


def test_a_plan_is_cut_before_anybody_reads_it_and_its_numbers_with_it(store: SqlStore) -> None:
    for read in (lambda plans: plans.get(1), lambda plans: plans.latest(), lambda plans: plans.latest(published=True)):
        with store.read(ANN) as unit:
            stored = read(unit.plans("town"))
        assert (stored.visits, stored.unplanned, stored.drive_s) == (3, 0, 1800)
        assert [entry["rep_id"] for entry in json.loads(stored.document)["rep_days"]] == ["R1"]
        for word in ("R2", "Ben", "A2", "O6", "O8", "99"):
            assert word not in stored.document


def test_a_listing_tells_the_numbers_of_what_is_seen(store: SqlStore) -> None:
    for scope, expected in ((ANN, (3, 0, 1800)), (TEAM, (3, 2, 1800)), (INES, (0, 1, 0)), (EVERYONE, (99, 99, 99))):
        for _ in range(2):  # the second time from memory
            with store.read(scope) as unit:
                (stored,) = unit.plans("town").list()
            assert (stored.visits, stored.unplanned, stored.drive_s) == expected
            assert stored.document is None


def test_who_sees_all_of_an_area_gets_the_plan_byte_for_byte(store: SqlStore) -> None:
    with store.read(EVERYONE) as unit:
        assert unit.plans("town").get(1).document == PLAN


def test_drafts_are_for_those_who_plan(store: SqlStore) -> None:
    draft = keep(store, PLAN)
    for scope in (ANN, INES):
        with store.read(scope) as unit:
            assert [stored.version for stored in unit.plans("town").list()] == [1]
            latest = unit.plans("town").latest()
            assert latest is not None
            assert latest.version == 1
            with pytest.raises(NotFoundError, match=f"area town has no plan version {draft}"):
                unit.plans("town").get(draft)
            with pytest.raises(NotFoundError, match="area town has no plan version 77"):
                unit.plans("town").get(77)
    with store.read(TEAM) as unit:
        assert unit.plans("town").get(draft).visits == 3


def test_a_plan_that_cannot_be_read_shows_nothing_of_itself(store: SqlStore) -> None:
    keep(store, '{"secret": "of Ben"}', NOON + timedelta(days=1))
    with store.read(ANN) as unit:
        assert unit.plans("town").get(2).document == ""


# ---- writing


def test_nobody_writes_what_they_do_not_see(store: SqlStore) -> None:
    mona = Actor("user:mona", TEAM)
    for hidden in (rep("R2"), account("A2", "R1"), deal("O6"), account("A3", "R2"), rep("R9"), account("A9", "R2")):
        with store.write(mona) as unit:
            with pytest.raises(NotFoundError, match=f"area town has no {hidden.kind} {hidden.id}"):
                unit.records("town").save(hidden)
            unit.audit("record.saved", area="town")
    with store.read() as unit:
        assert unit.records("town").accounts() == [record for record in RECORDS if isinstance(record, Account)]
        assert [known.id for known in unit.records("town").reps()] == ["R1", "R2", "R3"]


def test_planners_write_what_is_theirs_and_what_is_nobody_s(store: SqlStore) -> None:
    written = [replace(account("A1", "R1"), name="New"), account("A9"), account("A8", "R3"), deal("O9", account="A9")]
    with store.write(Actor("user:mona", TEAM)) as unit:
        unit.records("town").save_all(written)
        unit.audit("records.saved", area="town")
    assert {"A9", "A8", "O9"} <= set(ids(store, TEAM))


def test_nobody_writes_into_another_area(store: SqlStore) -> None:
    with store.write(Actor("user:x", EVERYONE), audited=False) as unit:
        for write in (
            lambda: unit.records("city").save(account("A77")),
            lambda: unit.records("city").save_locations([located(account("A1"))]),
            lambda: unit.plans("city").add(StoredPlan(0, "", date(2026, 11, 30), 5, NOON, None, 0, 0, 0, PLAN)),
            lambda: unit.plans("city").publish(1, NOON),
        ):
            with pytest.raises(NotFoundError):
                write()


def test_an_address_is_settled_only_by_those_who_see_whose_it_is(store: SqlStore) -> None:
    with store.write(Actor("user:mona", TEAM), audited=False) as unit:
        unit.records("town").save_locations([located(account("A4"))])
        with pytest.raises(NotFoundError, match="area town has no account A2"):
            unit.records("town").save_locations([located(account("A2"))])


def test_the_end_of_a_rep_s_day_belongs_to_the_rep(store: SqlStore) -> None:
    end = Location(RecordKind.REP, "R1/end", Address("Elsewhere 2"), Verdict.NOT_FOUND, None, 0.0, "", "")
    with store.write(audited=False) as unit:
        unit.records("town").save_locations([end])
    for scope, there in ((ANN, True), (INES, False), (Scope("town", frozenset({"R2"})), False)):
        with store.read(scope) as unit:
            assert (end in unit.records("town").locations()) is there


# ---- handoffs


def test_an_inside_rep_sees_how_each_of_their_handoffs_stands(store: SqlStore) -> None:
    with store.read(INES) as unit:
        found = handoffs(unit, "town", GateSettings())
    assert [(handoff.opportunity.id, handoff.standing) for handoff in found] == [
        ("O1", Standing.PLANNED),
        ("O2", Standing.PLANNED),
        ("O7", Standing.RETURNED),
        ("O8", Standing.UNLOCATED),
    ]
    visit = found[0].visit
    assert visit is not None
    assert (visit.rep, visit.promise) == ("Ann", True)
    assert found[2].missing == ("need is unknown, must be yes",)


def test_a_handoff_that_was_mended_after_the_plan_waits_for_the_next_one(store: SqlStore) -> None:
    with store.write(audited=False) as unit:
        unit.records("town").save(deal("O7", "ines@example.com"))
        unit.records("town").save_locations([located(deal("O8"))])
    with store.read(INES) as unit:
        by_id = {handoff.opportunity.id: handoff for handoff in handoffs(unit, "town", GateSettings())}
    assert (by_id["O7"].standing, by_id["O7"].reason) == (Standing.UNPLANNED, "")
    assert (by_id["O8"].standing, by_id["O8"].sentence) == (Standing.UNPLANNED, "no time")


@pytest.mark.parametrize("role", list(Role))
def test_the_scope_of_each_role(role: Role) -> None:
    user = User("u", "ines@example.com", "", role, "town", frozenset({"R1"}), "", "", 0, (), False, 0, NOON)
    assert (
        user.scope
        == {
            Role.FIELD_REP: ANN,
            Role.INSIDE_REP: replace(INES, inside_rep="ines@example.com"),
            Role.MANAGER: Scope("town", frozenset({"R1"})),
            Role.ADMIN: Scope("town", frozenset({"R1"})),
        }[role]
    )
