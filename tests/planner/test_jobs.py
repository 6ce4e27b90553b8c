"""Jobs end once, people take turns, and nobody's huge plan keeps the others waiting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cast import MONDAY, SETTINGS, Town, account, door
from click.testing import CliRunner

from planner.access import Actor, Scope
from planner.cli import main
from planner.domain import Account, Address
from planner.errors import InvalidRecordError, NotFoundError, PromiseBrokenError, RefusedError, StorageUnavailableError
from planner.jobs.dispatching import MOST_ATTEMPTS, Dispatcher, next_jobs
from planner.jobs.domain import Job, JobState
from planner.jobs.requests import (
    PlanRequest,
    cancel_job,
    find_job,
    finish_job,
    jobs_of,
    request_geocoding,
    request_plan,
    why_nothing_runs,
)
from planner.jobs.tasks import End, Outcome, PlanTask, Task, UnwantedError, attempt
from planner.locating import WAITING as NOT_GEOCODED
from planner.locating import current_locations, decide
from planner.repository import StoredPlan
from planner.settings import JobSettings, Settings
from planner.storage import SqlStore, open_store
from routing.area import Area, Areas
from routing.errors import RoutingError
from routing.gazetteer import Verdict
from routing.geo import LatLon

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ASK = PlanRequest(MONDAY, 5, 30.0, None)
ANNA, BEN = "user:anna", "user:ben"


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Handed:
    """A task in the hands of a worker that does what the test says."""

    def __init__(self, name: str, task: Task) -> None:
        self.name = name
        self.task = task
        self.told: Mapping[str, Any] | None = None
        self.end: Outcome | None = None
        self.dropped = False
        self.hurried = 0

    def finish(self) -> None:
        self.hurried += 1

    def progress(self) -> Mapping[str, Any] | None:
        return self.told

    def outcome(self) -> Outcome | None:
        return self.end

    def drop(self) -> None:
        self.dropped = True


class Hands:
    """Workers that a test plays."""

    def __init__(self, workers: int = 2, shared: bool = False) -> None:
        self.number = workers
        self.shared = shared
        self.handed: list[Handed] = []

    def workers(self) -> int:
        return self.number

    def submit(self, name: str, task: Task) -> Handed:
        self.handed.append(Handed(name, task))
        return self.handed[-1]

    def close(self) -> None: ...


class Office:
    """A store with an area, its clock, and dispatchers that share them."""

    def __init__(self, store: SqlStore, home: Path, **jobs: Any) -> None:
        self.store = store
        self.clock = Clock()
        self.settings = Settings(home=home, database_url="", jobs=JobSettings(**jobs))
        self.upkeep: list[datetime] = []
        self._asked = 0
        self._hired = 0
        for name in ("town", "shire"):
            (home / "areas" / name).mkdir(parents=True, exist_ok=True)
            (home / "areas" / name / "area.json").write_text("{}")

    def dispatcher(self, hands: Hands) -> Dispatcher:
        self._hired += 1
        areas, owner = Areas(self.settings.areas), f"dispatcher {self._hired}"
        return Dispatcher(self.store, areas, self.settings, hands, self.clock, owner, self.upkeep.append)

    def ask(self, who: str = ANNA, area: str = "town", ask: PlanRequest = ASK) -> str:
        self._asked += 1
        with self.store.write(Actor(who)) as unit:
            return request_plan(unit, area, ask, who, self.clock(), f"job {self._asked}", self.settings).id

    def ask_geocoding(self, who: str = ANNA, again: bool = False) -> str:
        self._asked += 1
        with self.store.write(Actor(who)) as unit:
            return request_geocoding(unit, "town", who, self.clock(), f"job {self._asked}", again).id

    def cancel(self, job_id: str) -> None:
        with self.store.write(Actor(ANNA)) as unit:
            cancel_job(unit, job_id, self.clock())

    def finish(self, job_id: str) -> None:
        with self.store.write(Actor(ANNA)) as unit:
            finish_job(unit, job_id)

    def job(self, job_id: str) -> Job:
        with self.store.read() as unit:
            return find_job(unit, job_id)

    def states(self) -> dict[str, JobState]:
        with self.store.read() as unit:
            return {job.id: job.state for job in unit.jobs.find()}

    def plans(self) -> list[StoredPlan]:
        with self.store.read() as unit:
            return unit.plans("town").list()

    def audited(self) -> list[tuple[str, str, str]]:
        with self.store.read() as unit:
            return [(entry.actor, entry.action, entry.subject) for entry in unit.audit_log.entries()]

    def trouble(self) -> str:
        with self.store.read() as unit:
            return why_nothing_runs(unit, self.clock())


@pytest.fixture
def sqlite(empty_database: Path, tmp_path: Path) -> Iterator[SqlStore]:
    shutil.copy(empty_database, tmp_path / "fieldvisit.sqlite")
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    yield store
    store.close()


@pytest.fixture
def office(sqlite: SqlStore, tmp_path: Path) -> Office:
    return Office(sqlite, tmp_path)


@pytest.fixture
def anywhere(store: SqlStore, tmp_path: Path) -> Office:
    """An office on SQLite, and one on PostgreSQL."""
    return Office(store, tmp_path)


def made(visits: int = 3, document: str | None = "{}") -> Outcome:
    plan = StoredPlan(0, "town", MONDAY, 5, datetime.min.replace(tzinfo=UTC), None, visits, 1, 60, document)
    return Outcome(End.DONE, plan)


# ------------------------------------------------------------------------------------------------ asking


def test_a_newer_plan_request_replaces_the_same_persons_waiting_one(office: Office) -> None:
    first, second = office.ask(), office.ask()
    assert office.states() == {first: JobState.REPLACED, second: JobState.WAITING}
    assert (ANNA, "job.replaced", first) in office.audited()


def test_a_request_replaces_nothing_of_others_of_other_areas_or_that_runs(office: Office) -> None:
    running = office.ask()
    office.dispatcher(Hands()).step()
    office.ask(), office.ask(area="shire"), office.ask(BEN)
    states = office.states()
    assert states.pop(running) is JobState.RUNNING
    assert set(states.values()) == {JobState.WAITING}


def test_a_person_may_have_only_so_many_jobs_waiting(sqlite: SqlStore, tmp_path: Path) -> None:
    office = Office(sqlite, tmp_path, waiting_per_person=1)
    office.ask()
    with pytest.raises(RefusedError, match="1 jobs of yours are waiting"):
        office.ask(area="shire")
    office.ask(), office.ask(BEN)


def test_a_search_that_is_too_long_is_refused(office: Office) -> None:
    with pytest.raises(RefusedError, match="1,000 seconds is too long: at most 900"):
        office.ask(ask=replace(ASK, seconds=1_000.0))
    assert office.states() == {}


def test_an_area_that_holds_too_much_is_refused(sqlite: SqlStore, tmp_path: Path) -> None:
    office = Office(sqlite, tmp_path, most_records=1)
    with sqlite.write() as unit:
        for id_ in ("one", "two"):
            unit.records("town").save(Account(id_, id_, Address("1 Road")))
        unit.audit("test")
    with pytest.raises(RefusedError, match=r"holds 2 customers and opportunities, more than the 1 .*most_records"):
        office.ask()
    office.ask(area="shire")


def test_a_plan_that_could_hold_too_many_visits_is_refused_where_it_is_made(town: Town) -> None:
    town.add(account("one"), door(1))
    town.add(account("two"), door(2))
    settings = replace(SETTINGS, jobs=JobSettings(most_visits=1))
    task = PlanTask(town.snapshot(), Flat(Path("town")), PlanRequest(MONDAY, 1, None, 1), settings)
    outcome = attempt(task, lambda progress: None)
    assert outcome.end is End.REFUSED
    assert outcome.error.startswith("2 visits could be made in these days, more than the 1 that one plan")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("first_day", {"first_day": date(1900, 1, 1)}),
        ("days", {"days": 0}),
        ("days", {"days": 61}),
        ("seconds", {"seconds": None}),
        ("seconds", {"work": 3}),
        ("seconds", {"seconds": float("nan")}),
        ("work", {"seconds": None, "work": 0}),
        ("seed", {"seed": -1}),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_the_name_of_its_field(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRecordError) as refused:
        replace(ASK, **change)
    assert refused.value.field == field


def test_a_request_is_read_back_as_it_was_asked(office: Office) -> None:
    for ask in (ASK, PlanRequest(date(2026, 12, 1), 3, None, 40, 7, "ortools", True)):
        job = office.job(office.ask(ask=ask))
        assert PlanRequest.from_json(job.request) == ask


def test_geocoding_that_is_asked_for_again_does_the_waiting_ones_work_too(office: Office) -> None:
    first, second = office.ask_geocoding(again=True), office.ask_geocoding()
    assert office.states() == {first: JobState.REPLACED, second: JobState.WAITING}
    assert office.job(second).request == {"again": True}


def test_a_job_of_another_area_cannot_be_found_or_cancelled(office: Office) -> None:
    job_id = office.ask()
    with office.store.read(Scope(area="shire")) as unit:
        assert jobs_of(unit, "town", 5) == []
        with pytest.raises(NotFoundError):
            find_job(unit, job_id)
    with pytest.raises(NotFoundError), office.store.write(Actor(BEN, Scope(area="shire"))) as unit:
        cancel_job(unit, job_id, NOON)


def test_the_newest_jobs_come_first(office: Office) -> None:
    asked = []
    for who in (ANNA, BEN, "user:cy"):
        asked.append(office.ask(who))
        office.clock.on(1)
    with office.store.read() as unit:
        assert [job.id for job in jobs_of(unit, "town", 2)] == [asked[2], asked[1]]


# ------------------------------------------------------------------------------------------------ ending once


def test_a_finished_plan_is_stored_with_its_jobs_end_in_the_name_of_whoever_asked(anywhere: Office) -> None:
    job_id, hands = anywhere.ask(), Hands()
    dispatcher = anywhere.dispatcher(hands)
    dispatcher.step()
    assert anywhere.job(job_id).state is JobState.RUNNING
    hands.handed[0].end = made(visits=7)
    anywhere.clock.on(1)
    dispatcher.step()
    job = anywhere.job(job_id)
    assert (job.state, job.result) == (JobState.DONE, {"version": 1, "visits": 7, "unplanned": 1})
    assert (job.finished_at, job.lease_owner, job.progress["fraction"]) == (anywhere.clock.now, "", 1.0)
    assert [plan.created_at for plan in anywhere.plans()] == [anywhere.clock.now]
    assert {(ANNA, "plan.made", "1"), (ANNA, "job.done", job_id)} <= set(anywhere.audited())


def test_where_a_plan_cannot_be_stored_its_job_has_not_ended_and_ends_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    hands.handed[0].end = made()

    def full(*_: object) -> None:
        raise StorageUnavailableError("its disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("planner.jobs.dispatching.keep", full)
        with pytest.raises(StorageUnavailableError):
            dispatcher.step()
    assert (office.job(job_id).state, office.plans()) == (JobState.RUNNING, [])
    dispatcher.step()
    assert (office.job(job_id).state, len(office.plans())) == (JobState.DONE, 1)


@pytest.mark.parametrize("result", [made(document=None), Outcome(End.DONE, "no plan at all")])
def test_a_result_that_no_store_keeps_is_a_failure_and_other_jobs_go_on(anywhere: Office, result: Outcome) -> None:
    job_id, hands = anywhere.ask(), Hands()
    dispatcher = anywhere.dispatcher(hands)
    for _ in range(3):
        dispatcher.step()
        hands.handed[-1].end = result
        dispatcher.step()
    job = anywhere.job(job_id)
    assert (job.state, job.failures, anywhere.plans()) == (JobState.FAILED, 3, [])
    assert job.error.startswith("its result cannot be kept")


def test_a_cancelled_job_ends_at_once_and_what_its_worker_still_finds_is_not_kept(anywhere: Office) -> None:
    job_id, hands = anywhere.ask(), Hands()
    dispatcher = anywhere.dispatcher(hands)
    dispatcher.step()
    anywhere.cancel(job_id)
    assert anywhere.job(job_id).state is JobState.CANCELLED
    hands.handed[0].end = made()
    dispatcher.step()
    assert hands.handed[0].dropped
    assert (anywhere.job(job_id).state, anywhere.plans()) == (JobState.CANCELLED, [])


def test_a_search_that_is_told_that_it_is_enough_ends_as_done_with_what_it_has_found(anywhere: Office) -> None:
    job_id, hands = anywhere.ask(), Hands()
    dispatcher = anywhere.dispatcher(hands)
    with pytest.raises(RefusedError, match="has not begun"):
        anywhere.finish(job_id)
    dispatcher.step()
    anywhere.finish(job_id)
    anywhere.finish(job_id)
    dispatcher.step()
    dispatcher.step()
    assert hands.handed[0].hurried == 1
    hands.handed[0].end = made()
    dispatcher.step()
    assert anywhere.job(job_id).state is JobState.DONE
    anywhere.finish(job_id)  # too late, and no harm
    assert [action for _, action, _ in anywhere.audited()].count("job.finish_asked") == 1


def test_whoever_takes_a_job_over_is_told_too_that_it_is_enough(office: Office) -> None:
    job_id, lost, hands = office.ask(), Hands(), Hands()
    office.dispatcher(lost).step()
    office.finish(job_id)
    office.clock.on(60)
    other = office.dispatcher(hands)
    for _ in range(3):
        other.step()
    assert [handed.hurried for handed in hands.handed] == [1]


def test_only_a_search_gets_better_with_time(office: Office) -> None:
    job_id = office.ask_geocoding()
    office.dispatcher(Hands()).step()
    with pytest.raises(RefusedError, match="only the search for a plan can be ended early"):
        office.finish(job_id)


def test_a_cancelled_waiting_job_never_starts_and_an_ended_one_stays_as_it_is(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    office.cancel(job_id)
    before = office.job(job_id)
    office.clock.on(5)
    office.cancel(job_id)
    office.dispatcher(hands).step()
    assert office.job(job_id) == before
    assert hands.handed == []


def test_two_dispatchers_start_a_job_once(anywhere: Office) -> None:
    job_id, mine, theirs = anywhere.ask(), Hands(), Hands()
    anywhere.dispatcher(mine).step(), anywhere.dispatcher(theirs).step()
    assert [len(hands.handed) for hands in (mine, theirs)] == [1, 0]
    assert anywhere.job(job_id).attempt == 1


def test_dispatchers_that_race_start_each_job_once(anywhere: Office) -> None:
    asked = [anywhere.ask(f"user:{n}") for n in range(12)]
    crews = [Hands(2) for _ in range(3)]
    dispatchers = [anywhere.dispatcher(hands) for hands in crews]

    def work(dispatcher: Dispatcher, hands: Hands) -> None:
        while any(not state.ended for state in anywhere.states().values()):
            dispatcher.step()
            for handed in hands.handed:
                handed.end = made()

    with ThreadPoolExecutor() as threads:
        list(threads.map(work, dispatchers, crews))
    assert sum(len(hands.handed) for hands in crews) == 12
    assert {anywhere.job(id_).attempt for id_ in asked} == {1}
    assert len(anywhere.plans()) == 12


def test_a_dispatcher_that_is_killed_loses_its_jobs_to_another_and_its_late_result_is_ignored(anywhere: Office) -> None:
    job_id, mine, theirs = anywhere.ask(), Hands(), Hands()
    killed, other = anywhere.dispatcher(mine), anywhere.dispatcher(theirs)
    killed.step()
    anywhere.clock.on(29)
    other.step()
    assert theirs.handed == []
    anywhere.clock.on(1)  # the lease is up
    other.step(), other.step()
    job = anywhere.job(job_id)
    assert (job.state, job.attempt, job.lease_owner, job.failures) == (JobState.RUNNING, 2, "dispatcher 2", 0)
    mine.handed[0].end = made(visits=1)  # it was only asleep
    killed.step()
    assert mine.handed[0].dropped
    assert anywhere.plans() == []
    theirs.handed[0].end = made(visits=2)
    other.step(), killed.step()
    assert (anywhere.job(job_id).state, [plan.visits for plan in anywhere.plans()]) == (JobState.DONE, [2])


def test_a_result_that_comes_while_the_lease_is_taken_over_is_not_kept(anywhere: Office) -> None:
    """Between looking at the rows and writing the end, somebody else may have been quicker."""
    job_id, mine, theirs = anywhere.ask(), Hands(), Hands()
    slow, quick = anywhere.dispatcher(mine), anywhere.dispatcher(theirs)
    slow.step()
    anywhere.clock.on(31)

    class TakenOver(Handed):
        def outcome(self) -> Outcome | None:
            quick.step(), quick.step()
            return made()

    mine.handed[0].__class__ = TakenOver
    slow.step()
    assert (anywhere.job(job_id).attempt, anywhere.job(job_id).lease_owner) == (2, "dispatcher 2")
    assert anywhere.plans() == []


def test_a_lease_is_renewed_for_as_long_as_its_dispatcher_lives(office: Office) -> None:
    job_id, mine, theirs = office.ask(), Hands(), Hands()
    alive, other = office.dispatcher(mine), office.dispatcher(theirs)
    for _ in range(20):
        alive.step(), other.step()
        office.clock.on(5)
    assert theirs.handed == []
    assert office.job(job_id).attempt == 1


def test_a_lease_runs_from_when_it_is_written_however_long_the_round_has_taken(office: Office) -> None:
    class Slow(Hands):
        def workers(self) -> int:
            office.clock.on(40)
            return 2

    job_id = office.ask()
    office.dispatcher(Slow()).step()
    assert office.job(job_id).lease_until == office.clock.now + timedelta(seconds=30)


def test_a_job_that_loses_its_dispatcher_every_time_fails_after_ten_attempts(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    for attempt_number in range(1, MOST_ATTEMPTS + 1):
        dispatcher = office.dispatcher(hands)
        dispatcher.step(), dispatcher.step()
        office.clock.on(30)  # the dispatcher is killed, and the lease is up
        assert office.job(job_id).attempt == attempt_number
    other_id, hands = office.ask(BEN), Hands()
    office.dispatcher(hands).step()
    job = office.job(job_id)
    assert (job.state, job.finished_at, job.lease_owner) == (JobState.FAILED, office.clock(), "")
    assert "10 attempts" in job.error
    assert ("system", "job.failed", job_id) in office.audited()
    assert office.job(other_id).state is JobState.RUNNING


def test_a_dispatcher_that_overslept_goes_on_where_nobody_took_its_job(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    office.clock.on(100)
    dispatcher.step()
    assert (office.job(job_id).attempt, office.job(job_id).lease_until) == (1, office.clock.now + timedelta(seconds=30))


def test_a_dispatcher_that_stops_gives_its_jobs_back_at_once(office: Office) -> None:
    job_id, mine, theirs = office.ask(), Hands(), Hands()
    stopping = office.dispatcher(mine)
    stopping.step()
    stopping.give_back()
    assert mine.handed[0].dropped
    assert office.trouble()
    office.dispatcher(theirs).step()
    assert (len(theirs.handed), office.job(job_id).attempt) == (1, 2)


def test_a_lost_worker_means_another_try_and_after_three_the_job_has_failed(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    for number in (1, 2, 3):
        dispatcher.step()
        assert len(hands.handed) == number
        hands.handed[-1].end = Outcome(End.FAILED, error="the worker was lost")
        dispatcher.step()
    job = office.job(job_id)
    assert (job.state, job.failures, job.error) == (JobState.FAILED, 3, "the worker was lost")
    dispatcher.step()
    assert len(hands.handed) == 3
    assert ("system", "job.started", job_id) in office.audited()


def test_a_lost_scheduler_is_not_the_jobs_fault(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    for _ in range(5):
        dispatcher.step()
        hands.handed[-1].end = Outcome(End.LOST)
        dispatcher.step()
    hands.number = 0
    for handed in hands.handed:
        handed.end = Outcome(End.LOST)
    dispatcher.step()
    job = office.job(job_id)
    assert (job.state, job.failures) == (JobState.WAITING, 0)
    office.clock.on(10)
    dispatcher.step()
    assert office.trouble().startswith("waiting for workers: they are being started, or the Dask scheduler")


def test_what_would_fail_the_same_way_again_fails_at_once_with_its_reason(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    hands.handed[0].end = Outcome(End.REFUSED, error="there are no reps to plan for")
    dispatcher.step()
    assert (office.job(job_id).state, office.job(job_id).error) == (JobState.FAILED, "there are no reps to plan for")


def test_a_job_of_an_area_that_is_gone_fails_and_says_so(office: Office) -> None:
    job_id = office.ask(area="atlantis")
    office.dispatcher(Hands()).step()
    assert office.job(job_id).error.startswith("there is no area 'atlantis'")


def test_a_kind_that_nobody_knows_fails_and_says_so(office: Office) -> None:
    with office.store.write() as unit:
        unit.jobs.put(Job("j", "town", "dance", {}, ANNA, NOON))
        unit.audit("test")
    office.dispatcher(Hands()).step()
    assert "'dance'" in office.job("j").error


@pytest.mark.parametrize(
    ("kind", "request_"),
    [("plan", {}), ("plan", {**ASK.to_json(), "seconds": "30"}), ("geocode", {})],
)
def test_a_request_of_an_unforeseen_shape_fails_its_job_and_the_others_go_on(
    office: Office, kind: str, request_: Any
) -> None:
    with office.store.write() as unit:
        unit.jobs.put(Job("odd", "town", kind, request_, BEN, NOON - timedelta(hours=1)))
        unit.audit("test")
    job_id, hands = office.ask(), Hands()
    office.dispatcher(hands).step()
    odd = office.job("odd")
    assert (odd.state, "the log of fieldvisit work says more" in odd.error) == (JobState.FAILED, True)
    assert (office.job(job_id).state, len(hands.handed)) == (JobState.RUNNING, 1)


# ------------------------------------------------------------------------------------------------ taking turns

CAPS = JobSettings(running_per_person=1, short_seconds=60)


def wish(id_: str, who: str, minutes: int = 0, seconds: float = 600.0, **changes: Any) -> Job:
    return Job(id_, "town", "plan", {"seconds": seconds}, who, NOON + timedelta(minutes=minutes), **changes)


def chosen(waiting: list[Job], running: list[Job], workers: int, turns: dict[str, int], caps: JobSettings) -> list[str]:
    return [job.id for job in next_jobs(waiting, running, running, workers, turns, caps)]


def test_people_take_turns_however_many_jobs_one_of_them_asks_for() -> None:
    waiting = [wish(f"anna {n}", ANNA, n) for n in range(5)] + [wish("ben", BEN, 30), wish("cy", "user:cy", 40)]
    turns: dict[str, int] = {}
    order = []
    while waiting:
        [id_] = chosen(waiting, [], 1, turns, CAPS)
        [job] = (job for job in waiting if job.id == id_)
        waiting.remove(job)
        turns[job.requested_by] = len(order) + 1
        order.append(id_)
    assert order == ["anna 0", "ben", "cy", "anna 1", "anna 2", "anna 3", "anna 4"]


def test_a_person_has_only_so_many_jobs_running_though_workers_are_free() -> None:
    waiting = [wish(f"anna {n}", ANNA, n) for n in range(3)]
    assert chosen(waiting, [], 10, {}, CAPS) == ["anna 0"]
    assert chosen(waiting, [], 10, {}, replace(CAPS, running_per_person=2)) == ["anna 0", "anna 1"]
    assert chosen(waiting, [wish("before", ANNA)], 10, {}, CAPS) == []


def test_long_plans_leave_one_worker_to_short_jobs_also_to_those_of_the_same_person() -> None:
    waiting = [wish("anna", ANNA), wish("ben", BEN, 1), wish("cy", "user:cy", 2), wish("quick", ANNA, 3, seconds=20)]
    assert chosen(waiting, [], 3, {}, CAPS) == ["anna", "ben", "quick"]
    running = [wish("1", "user:1"), wish("2", "user:2")]
    assert chosen(waiting, running, 3, {}, CAPS) == ["quick"]


def test_geocoding_counts_as_short_and_a_budget_of_work_does_not() -> None:
    geocode = replace(wish("geocode", ANNA), kind="geocode", request={"again": False})
    work = replace(wish("work", BEN), request={"seconds": None, "work": 3})
    assert chosen([work, geocode], [wish("long", "user:cy")], 2, {}, CAPS) == ["geocode"]


def test_a_single_worker_takes_long_plans_too() -> None:
    assert chosen([wish("anna", ANNA)], [], 1, {}, CAPS) == ["anna"]
    assert chosen([wish("anna", ANNA)], [], 0, {}, CAPS) == []


@pytest.mark.parametrize("shared", [True, False])
def test_workers_that_dispatchers_share_are_counted_as_busy_for_all_of_them(office: Office, shared: bool) -> None:
    first, second = Hands(1, shared), Hands(1, shared)
    office.ask(), office.ask(BEN)
    office.dispatcher(first).step(), office.dispatcher(second).step()
    assert (len(first.handed), len(second.handed)) == (1, 0 if shared else 1)


# ------------------------------------------------------------------------------------------------ being seen


def test_progress_is_written_down_at_most_once_a_second(office: Office) -> None:
    job_id, hands = office.ask(), Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    seen = []
    for n in range(10):
        hands.handed[0].told = {"what": "searching", "fraction": n / 10, "cost_s": 100 - n, "visits": n}
        office.clock.on(0.25)
        dispatcher.step()
        seen.append(office.job(job_id).progress.get("visits"))
    assert seen == [None, None, None, 3, 3, 3, 3, 7, 7, 7]


def test_the_page_can_say_that_nobody_works_on_jobs(office: Office) -> None:
    assert office.trouble() == "nobody is working on jobs: start fieldvisit work"
    dispatcher = office.dispatcher(Hands())
    dispatcher.step()
    assert office.trouble() == ""
    office.clock.on(19)
    assert office.trouble() == ""
    office.clock.on(2)
    assert "fieldvisit work" in office.trouble()


def test_an_idle_dispatcher_writes_no_audit_entries_and_keeps_house_every_five_minutes(office: Office) -> None:
    dispatcher = office.dispatcher(Hands())
    for _ in range(11):
        dispatcher.step()
        office.clock.on(60)
    assert office.audited() == []
    assert len(office.upkeep) == 3


def test_the_command_line_lists_jobs_says_what_keeps_them_waiting_and_cancels(office: Office) -> None:
    job_id = office.ask()

    def typed(*words: str) -> str:
        ran = CliRunner().invoke(main, ["--home", str(office.settings.home), *words], catch_exceptions=False)
        return ran.output

    assert "user:anna  waiting\nnobody is working on jobs" in typed("jobs", "--area", "town")
    assert typed("job", "cancel", job_id) == "job 1 is cancelled\n"
    assert "user:anna  cancelled" in typed("jobs", "--area", "town")
    assert "there is no job 17" in typed("job", "cancel", "17")
    done = office.ask()
    hands = Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    assert "running: starting, 0%" in typed("jobs", "--area", "town")
    hands.handed[0].end = made()
    dispatcher.step()
    assert f"{done}  plan  2026-11-29 12:00Z  user:anna  done: plan 1, 3 visits" in typed("jobs", "--area", "town")


# ------------------------------------------------------------------------------------------------ what a worker does


class Flat(Area):
    """An area whose streets are the cast's town."""

    def streets(self) -> Any:
        return Town().source


def test_a_worker_makes_the_plan_and_tells_how_far_it_is(town: Town) -> None:
    town.add(account(), door(1))
    told: list[Mapping[str, Any]] = []
    task = PlanTask(town.snapshot(), Flat(Path("town")), PlanRequest(MONDAY, 1, None, 2), SETTINGS)
    outcome = attempt(task, told.append)
    assert outcome.end is End.DONE
    assert (outcome.result.visits, outcome.result.area) == (1, "town")
    searched = [each["fraction"] for each in told if each["what"] == "searching"]
    assert (told[0]["what"], searched[-1]) == ("travel times", 1.0)


def test_a_worker_stops_where_nobody_wants_its_result(town: Town) -> None:
    town.add(account(), door(1))
    task = PlanTask(town.snapshot(), Flat(Path("town")), PlanRequest(MONDAY, 1, 600.0, None), SETTINGS)

    def unwanted(progress: Mapping[str, Any]) -> None:
        if progress["what"] == "searching":
            raise UnwantedError

    assert attempt(task, unwanted).end is End.LOST


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (RoutingError("a solver process ended before its time"), End.FAILED),
        (RefusedError("too much"), End.REFUSED),
        (PromiseBrokenError("no plan was made", ["Mill, at ten"]), End.REFUSED),
        (ZeroDivisionError(), End.FAILED),
    ],
)
def test_what_may_go_better_next_time_is_tried_again(error: Exception, end: End) -> None:
    class Failing:
        def run(self, report: object) -> None:
            raise error

    outcome = attempt(Failing(), lambda progress: None)
    assert outcome.end is end
    assert ("Traceback" in outcome.details) == isinstance(error, ZeroDivisionError)
    assert outcome.error


def test_geocoded_addresses_are_stored_but_not_over_what_a_person_settled_meanwhile(office: Office) -> None:
    with office.store.write() as unit:
        for id_ in ("one", "two"):
            unit.records("town").save(Account(id_, id_, Address(f"{id_} Road")))
        unit.audit("test")
    job_id, hands = office.ask_geocoding(), Hands()
    dispatcher = office.dispatcher(hands)
    dispatcher.step()
    waiting = hands.handed[0].task.waiting  # type: ignore[attr-defined]
    assert [location.reason for location in waiting] == [NOT_GEOCODED] * 2
    with office.store.write(Actor(ANNA)) as unit:
        decide(unit, "town", waiting[0].kind, "one", place=LatLon(1, 1))
    found = [replace(known, verdict=Verdict.MATCHED, place=LatLon(2, 2), reason="") for known in waiting]
    hands.handed[0].end = Outcome(End.DONE, found)
    dispatcher.step()
    assert office.job(job_id).result == {"geocoded": 2}
    with office.store.read() as unit:
        places = [location.place for location in current_locations(unit.records("town"))]
    assert places == [LatLon(1, 1), LatLon(2, 2)]
