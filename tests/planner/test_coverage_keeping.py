"""The stored coverage: who sees which part, when it is behind, and that it is asked for once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from cast import MONDAY, SETTINGS, Town, account, door, located, opportunity, rep
from cli_cast import Office as Terminal
from cli_cast import account as account_row
from coverage_cast import EAST, WEST, accounts_of, coverage_of, days_ago, mixed_coverage, mixed_town, reps_of

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.coverage.domain import Coverage
from planner.coverage.keeping import (
    ask_daily,
    ask_if_stale,
    cut,
    request_coverage,
    standing,
    stored,
    summary,
)
from planner.coverage.material import Material
from planner.coverage.measures import MEASURES, Group, figures, listed
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.handoffs.domain import HandoffEvent, HandoffState
from planner.jobs.domain import Job, JobState
from planner.jobs.requests import COVERAGE, cancel_job, permission_for
from planner.jobs.tasks import CoverageTask, keep, task_of
from planner.planning import store_plan, to_store
from planner.repository import UnitOfWork
from planner.settings import CandidateSettings
from planner.storage import SqlStore, open_store
from planner.upkeep import Upkeep
from routing.geo import LatLon

AREA = "town"
EARLY = datetime(2026, 11, 30, 6, tzinfo=UTC)
ANNAS = Scope(area=AREA, reps=frozenset({"anna"}), unassigned=False)
BENS_TEAM = Scope(area=AREA, reps=frozenset({"ben"}))
MAX = Actor("user:max", BENS_TEAM)


class House:
    """A store with a town in it, a clock, and whoever works on jobs."""

    def __init__(self, file: Path) -> None:
        self.now = EARLY
        self.store: SqlStore = open_store(f"sqlite:///{file}", clock=lambda: self.now)
        self.ids = (f"job{n}" for n in count(1))

    def fill(self, town: Town) -> None:
        with self.store.write() as unit:
            unit.records(AREA).save_all([*reps_of(town), *accounts_of(town)])
            unit.records(AREA).save_locations(town.locations)
            unit.audit("test.filled", area=AREA)

    def new_id(self) -> str:
        return next(self.ids)

    def ask(self, actor: Actor = SYSTEM) -> Job | None:
        return ask_if_stale(self.store, actor, AREA, SETTINGS, self.now, self.new_id).job

    def jobs(self, *states: JobState) -> list[Job]:
        with self.store.read() as unit:
            return [job for job in unit.jobs.find(kind=COVERAGE) if not states or job.state in states]

    def work(self) -> None:
        """What a dispatcher and its worker do of all jobs that wait, on the flat town's streets."""
        for job in self.jobs(JobState.WAITING):
            with self.store.read() as unit:
                task = task_of(unit, job, _FlatArea(), SETTINGS)  # type: ignore[arg-type]
            assert isinstance(task, CoverageTask)
            result = task.run(lambda _: None)
            with self.store.write(Actor(job.requested_by)) as unit:
                told = keep(unit, job, result, self.now)
                unit.jobs.put(replace(job, state=JobState.DONE, finished_at=self.now, result=told))
                unit.audit("job.done", job.id, area=AREA)

    def fail(self, why: str) -> None:
        for job in self.jobs(JobState.WAITING):
            with self.store.write() as unit:
                unit.jobs.put(replace(job, state=JobState.FAILED, finished_at=self.now, error=why))
                unit.audit("job.failed", job.id, area=AREA)

    def change(self, change: object) -> None:
        with self.store.write() as unit:
            change(unit)  # type: ignore[operator]
            unit.audit("test.changed", area=AREA)

    def is_fresh(self) -> bool:
        with self.store.read() as unit:
            return standing(unit, AREA, SETTINGS).fresh

    def seen(self, scope: Scope = EVERYTHING) -> Coverage | None:
        with self.store.read(scope) as unit:
            return stored(unit, AREA, scope)


class _FlatArea:
    name = AREA

    def streets(self) -> object:
        return Town().source


@pytest.fixture
def empty_house(empty_database: Path, tmp_path: Path) -> Iterator[House]:
    file = tmp_path / "fieldvisit.sqlite"
    shutil.copy(empty_database, file)
    house = House(file)
    yield house
    house.store.close()


@pytest.fixture
def house(empty_house: House) -> House:
    """The mixed town, whose coverage has been worked out on Monday at six."""
    empty_house.fill(mixed_town())
    empty_house.ask()
    empty_house.work()
    return empty_house


# ---- who sees what


@pytest.fixture(scope="module")
def mixed() -> Coverage:
    return mixed_coverage()


def test_a_manager_sees_the_customers_of_the_team_and_of_nobody_in_every_list(mixed: Coverage) -> None:
    seen, theirs = cut(mixed, BENS_TEAM), {a.account_id for a in mixed.accounts if a.rep_id in ("ben", "")}
    for key, measure in MEASURES.items():
        for by in Group:
            if measure.told_by(by):
                values = {row.value for row in figures(mixed, by)}
                found = {a.account_id for value in values for a in listed(seen, key, by, value)}
                assert found <= theirs
    assert {a.account_id for a in seen.accounts} == theirs


def test_who_does_not_see_what_is_unassigned_sees_no_customers_of_nobody(mixed: Coverage) -> None:
    assert {a.rep_id for a in cut(mixed, ANNAS).accounts} == {"anna"}
    assert [row.rep_id for row in cut(mixed, ANNAS).reps] == ["anna"]


def test_no_other_rep_customer_or_territory_is_named_in_a_part(mixed: Coverage) -> None:
    others = {a.name for a in mixed.accounts} - {a.name for a in cut(mixed, BENS_TEAM).accounts}
    theirs = replace(
        mixed,
        notes=(*mixed.notes, "rep anna (Anna): no street leads to Mill (c00)"),
        accounts=tuple(
            replace(a, why=f"{next(iter(others))} is visited instead", planned_rep="anna") for a in mixed.accounts
        ),
    )
    told = repr(cut(theirs, BENS_TEAM))
    for name in (*others, "anna", "Anna", "zoe", "west", "West"):
        assert repr(name) not in told
        assert f"{name} is" not in told
        assert f"({name})" not in told


def test_the_notes_of_a_part_count_its_own_customers(mixed: Coverage) -> None:
    assert "1 customer without a place" in " ".join(mixed.notes)
    assert "without a place" not in " ".join(cut(mixed, BENS_TEAM).notes)
    assert "of nobody" in " ".join(cut(mixed, BENS_TEAM).notes)
    assert "of nobody" not in " ".join(cut(mixed, ANNAS).notes)


def test_the_stored_coverage_and_its_summary_are_cut_alike(house: House) -> None:
    for scope in (BENS_TEAM, ANNAS):
        with house.store.read(scope) as unit:
            seen, told = stored(unit, AREA, scope), summary(unit, AREA, scope)
        assert seen is not None
        assert told is not None
        assert {a.rep_id for a in seen.accounts} <= {*(scope.reps or ()), ""}
        assert told.rows == {by: tuple(figures(seen, by)) for by in Group}


def test_who_sees_the_whole_area_gets_the_summary_as_it_was_stored(house: House) -> None:
    whole = house.seen()
    assert whole is not None
    with house.store.read() as unit:
        told = summary(unit, AREA, EVERYTHING)
    assert told is not None
    assert told.rows == {by: tuple(figures(whole, by)) for by in Group}
    assert (told.as_of, told.made_at) == (MONDAY, EARLY)


def test_of_another_area_nothing_is_seen(house: House) -> None:
    elsewhere = Scope(area="village")
    assert house.seen(elsewhere) is None
    with house.store.read() as unit:
        assert stored(unit, AREA, elsewhere) is None
        assert summary(unit, AREA, elsewhere) is None
        assert stored(unit, "village", EVERYTHING) is None


def test_inside_sales_sees_none_of_it(house: House) -> None:
    assert house.seen(Scope(area=AREA, inside_rep="iris@example.com")) is None


# ---- when it is behind


def test_what_was_worked_out_of_what_there_is_is_fresh_for_everybody(house: House) -> None:
    assert house.is_fresh()
    for scope in (EVERYTHING, BENS_TEAM, ANNAS):
        with house.store.read(scope) as unit:
            assert standing(unit, AREA, SETTINGS).fresh


def _visit(unit: UnitOfWork) -> None:
    unit.field_visits.put(FieldVisit(AREA, "anna", MONDAY, "account:c00", "c00", "", "", disposition=Disposition.MET))


def _plan(unit: UnitOfWork) -> None:
    version = store_plan(unit, replace(to_store(mixed_town().plan(days=1), EARLY), area=AREA))
    unit.plans(AREA).publish(version, EARLY)


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: unit.records(AREA).save(account("c00", cadence_days=3)),
        lambda unit: unit.records(AREA).save(account("new")),
        lambda unit: unit.records(AREA).save(rep("anna", work_days=frozenset({0}))),
        lambda unit: unit.records(AREA).save_locations([located(account("c00"), LatLon(0.5, 0.5))]),
        lambda unit: unit.territories.put(WEST),
        _visit,
        _plan,
    ],
    ids=["cadence", "newcomer", "hours", "place", "territory", "visit", "plan"],
)
def test_it_is_behind_when_something_has_changed_that_it_is_made_of(house: House, change: object) -> None:
    house.change(change)
    assert not house.is_fresh()
    house.ask()
    house.work()
    assert house.is_fresh()


def test_a_territory_that_changes_or_goes_away_leaves_it_behind(house: House) -> None:
    for change in (
        lambda unit: unit.territories.put(WEST),
        lambda unit: unit.territories.put(replace(WEST, revision=2, rep_id="ben")),
        lambda unit: (unit.territories.remove(AREA, "west"), unit.territories.put(EAST)),
    ):
        house.change(change)
        assert not house.is_fresh()
        house.ask()
        house.work()


def test_it_is_behind_on_the_next_day_where_the_customers_are(house: House) -> None:
    house.now = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    assert house.is_fresh()
    house.now += timedelta(minutes=2)
    assert not house.is_fresh()


def test_it_is_behind_when_a_setting_has_changed_by_which_customers_are_due(house: House) -> None:
    other = replace(SETTINGS, candidates=CandidateSettings(dormant_days=30))
    with house.store.read() as unit:
        assert not standing(unit, AREA, other).fresh


def test_what_another_program_wrote_is_not_read_but_worked_out_anew(house: House) -> None:
    def write(unit: UnitOfWork) -> None:
        row = unit.coverages.get(AREA)
        assert row is not None
        unit.coverages.put(replace(row, summary={"format": 0}, accounts="?"))

    house.change(write)
    assert house.seen() is None
    assert not house.is_fresh()
    house.ask()
    house.work()
    assert house.seen() is not None


# ---- asking for it


def test_a_page_asks_once_however_often_it_is_opened_and_by_whom(empty_house: House) -> None:
    empty_house.fill(mixed_town())
    first = empty_house.ask(MAX)
    assert first is not None
    assert empty_house.ask(MAX) == empty_house.ask() == first
    assert len(empty_house.jobs()) == 1
    empty_house.work()
    assert empty_house.ask(MAX) is None
    assert len(empty_house.jobs()) == 1


def test_while_it_is_worked_out_anew_the_former_one_is_shown(house: House) -> None:
    house.change(lambda unit: unit.records(AREA).save(account("new")))
    job = house.ask()
    assert job is not None
    with house.store.read() as unit:
        stands = standing(unit, AREA, SETTINGS)
    assert (stands.fresh, stands.under_way, stands.made_at) == (False, True, EARLY)
    before = house.seen()
    assert before is not None
    assert "new" not in {a.account_id for a in before.accounts}


def test_a_job_that_failed_says_why_and_is_not_asked_again_until_something_changes(empty_house: House) -> None:
    empty_house.fill(mixed_town())
    empty_house.ask()
    empty_house.fail("the streets are gone")
    job = empty_house.ask()
    assert job is not None
    assert (job.state, job.error) == (JobState.FAILED, "the streets are gone")
    assert len(empty_house.jobs()) == 1
    empty_house.change(lambda unit: unit.records(AREA).save(account("new")))
    again = empty_house.ask()
    assert again is not None
    assert again.state is JobState.WAITING


def test_a_person_may_ask_again_for_what_has_failed(empty_house: House) -> None:
    empty_house.fill(mixed_town())
    empty_house.ask()
    empty_house.fail("the streets are gone")
    with empty_house.store.write(MAX) as unit:
        job = request_coverage(unit, AREA, MAX.id, empty_house.now, "again", SETTINGS, again=True)
    assert job is not None
    assert job.state is JobState.WAITING


def test_what_was_called_off_stays_so_until_a_person_asks_again_or_something_changes(empty_house: House) -> None:
    empty_house.fill(mixed_town())
    job = empty_house.ask()
    assert job is not None
    empty_house.change(lambda unit: cancel_job(unit, job.id, empty_house.now))
    called_off = empty_house.ask()
    assert called_off is not None
    assert (called_off.id, called_off.state) == (job.id, JobState.CANCELLED)
    with empty_house.store.write(MAX) as unit:
        other = request_coverage(unit, AREA, MAX.id, empty_house.now, "again", SETTINGS, again=True)
    assert other is not None
    assert other.state is JobState.WAITING


def test_an_area_that_holds_too_much_is_told_so_once_and_its_pages_are_shown_all_the_same(empty_house: House) -> None:
    empty_house.fill(mixed_town())
    small = replace(SETTINGS, jobs=replace(SETTINGS.jobs, most_records=3))
    ids = count()
    asked = [
        ask_if_stale(empty_house.store, MAX, AREA, small, empty_house.now, lambda: f"job{next(ids)}").job
        for _ in range(2)
    ]
    assert [job.state for job in asked if job] == [JobState.FAILED] * 2
    assert asked[0] is not None
    assert "more than the 3 that coverage may start from" in asked[0].error
    assert len(empty_house.jobs()) == 1


def test_who_sees_figures_may_ask_for_them() -> None:
    assert permission_for(COVERAGE).value == "figures:read"


def test_the_dispatcher_asks_each_morning_and_after_a_plan_is_published_and_else_not(house: House) -> None:
    def jobs_after_upkeep() -> int:
        Upkeep(house.store, lambda: [AREA, "empty"], SETTINGS)(house.now)
        house.work()
        return len(house.jobs())

    assert jobs_after_upkeep() == 1
    house.change(_visit)
    assert jobs_after_upkeep() == 1
    house.change(_plan)
    assert jobs_after_upkeep() == 2
    house.now += timedelta(days=1)
    assert jobs_after_upkeep() == 3
    assert jobs_after_upkeep() == 3


def test_of_an_area_without_customers_nobody_asks_by_himself(empty_house: House) -> None:
    ask_daily(empty_house.store, AREA, SETTINGS, empty_house.now, empty_house.new_id)
    assert empty_house.jobs() == []


# ---- what is read


def test_what_the_store_holds_gives_the_same_coverage_as_the_town_itself(house: House) -> None:
    town = mixed_town()
    assert house.seen() == coverage_of(town, handoff_days=14)


def test_visits_of_the_year_are_read_and_those_where_nobody_was_met_are_not(empty_house: House) -> None:
    town = Town()
    town.add(rep(), door())
    town.add(account("bakery", last_visit=days_ago(500)), door(1))
    empty_house.fill(town)

    def visits(unit: UnitOfWork) -> None:
        for ago, disposition in (
            (400, Disposition.MET),
            (30, Disposition.MET),
            (20, Disposition.NOT_IN),
            (10, None),
        ):
            unit.field_visits.put(
                FieldVisit(AREA, "anna", days_ago(ago), "account:bakery", "bakery", "", "", disposition=disposition)
            )

    empty_house.change(visits)
    with empty_house.store.read() as unit:
        found = Material.read(unit, AREA, SETTINGS)
    assert found.visits == {"bakery": (days_ago(500), days_ago(30))}


def test_opportunities_count_as_often_as_they_were_handed_off_in_eight_weeks(empty_house: House) -> None:
    """One that was imported counts on the day on which it was qualified; one that is a draft does not."""
    deals = [
        opportunity("long", qualified_at=datetime(2026, 1, 1, 9)),  # noqa: DTZ001
        opportunity("here"),
        opportunity("twice", qualified_at=None),
        opportunity("draft", need="no"),
    ]

    def hand_off(unit: UnitOfWork) -> None:
        unit.records(AREA).save_all([rep(), *deals])
        for number, ago in ((1, 200), (2, 20), (3, 3)):
            at = EARLY - timedelta(days=ago)
            unit.handoff_events.put(
                HandoffEvent(AREA, "twice", number, at, "user:iris", "handed_off", HandoffState.HANDED_OFF)
            )

    empty_house.change(hand_off)
    with empty_house.store.read() as unit:
        found = Material.read(unit, AREA, SETTINGS)
    assert {h.opportunity.id: h.times for h in found.handed_off} == {"here": 1, "twice": 2}
    assert found.handoff_days == 56


def test_a_team_that_has_just_begun_is_told_the_rate_of_the_days_since_then(empty_house: House) -> None:
    for ago, days in ((30, 31), (3, 14)):
        qualified = datetime(2026, 11, 30, 9) - timedelta(days=ago)  # noqa: DTZ001

        def hand_off(unit: UnitOfWork, moment: datetime = qualified) -> None:
            unit.records(AREA).save_all([rep(), opportunity("mill", qualified_at=moment)])

        empty_house.change(hand_off)
        with empty_house.store.read() as unit:
            assert Material.read(unit, AREA, SETTINGS).handoff_days == days


# ---- the command


def test_the_command_tells_who_is_looked_after_by_rep(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.open()
    terminal.fill([account_row(1), account_row(2, owner_rep_id=""), account_row(3, last_visit="")], [])
    assert "has not been worked out yet: add --now" in terminal.type("coverage", status=1)
    terminal.type("geocode")
    told = terminal.type("coverage", "--now")
    assert "squareton as of " in told
    assert "Ann " in told
    assert "nobody’s" in told
    assert "note: no plan is published" in told
    assert terminal.type("coverage") == told
    figures_told = json.loads(terminal.type("coverage", "--json"))
    assert figures_told["fresh"] is True
    assert figures_told["figures"]["area"][0]["figures"]["customers"] == 3
    terminal.fill([account_row(4)], [])
    assert "something has changed since: add --now" in terminal.type("coverage")
