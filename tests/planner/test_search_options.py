"""How a search is told to go, with what plan it begins, and how it is ended with the best found so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cast import MONDAY, SETTINGS, TUESDAY, WEDNESDAY, Town, account, door, opportunity, promise, rep, stops

from planner import searching
from planner.domain import Address
from planner.errors import InvalidRecordError, RefusedError, SettingsError
from planner.jobs.improvements import MOST, Improvements
from planner.jobs.requests import PlanRequest
from planner.jobs.tasks import End, Outcome, PlanTask, UnwantedError, attempt
from planner.plan_document import PlanDocument, read_plan, write_plan
from planner.planning import make_plan, to_store
from planner.repository import StoredPlan
from planner.searching import Earlier, beginning, earlier_plan, search_limits
from planner.settings import SolverSettings, read_settings
from routing.area import Area
from routing.solution import Solution
from routing.solver import DEFAULT_ENGINE, Engine, Progress, SearchLimits

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
USUAL = SolverSettings()


# ------------------------------------------------------------------------------------------------ what is chosen


def test_what_is_not_asked_for_is_as_the_settings_say() -> None:
    settings = SolverSettings(engine="ortools", workers=3)
    assert search_limits(30.0, None, 1, settings) == SearchLimits(30.0, workers=3, engine=Engine.ORTOOLS)
    limits = search_limits(None, 9, 4, settings, str(DEFAULT_ENGINE), workers=1)
    assert limits == SearchLimits(work=9, seed=4, workers=1, engine=DEFAULT_ENGINE)
    assert search_limits(30.0, None, 1, USUAL) == SearchLimits(30.0, engine=DEFAULT_ENGINE)


def test_an_engine_that_this_machine_has_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "COMPILED", False)
    with pytest.raises(RefusedError, match="ruin-recreate needs numba, which is not installed here: take ortools"):
        search_limits(30.0, None, 1, SolverSettings(engine="ruin-recreate"))
    with pytest.raises(InvalidRecordError, match="numba"):
        PlanRequest(MONDAY, 1, 30.0, None, engine="ruin-recreate")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('engine = "magic"', r"\[solver\] engine 'magic' is none of ruin-recreate, ortools"),
        ("workers = -1", r"\[solver\] workers is -1, not between 0 and 64"),
        ("stability_minutes = 2000", r"\[solver\] stability_minutes is 2000, not between 0 and 1,440"),
        ('warm_start = "yes"', r"\[solver\] warm_start is not true or false"),
        ("cores = 2", r"\[solver\] has no setting 'cores'; it knows engine, workers, warm_start, stability_minutes"),
    ],
)
def test_settings_of_the_search_that_make_no_sense_are_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[solver]\n{line}\n")
    with pytest.raises(SettingsError, match=said):
        read_settings(tmp_path, {})


def test_a_request_of_an_older_program_is_understood() -> None:
    asked = {"first_day": "2026-11-30", "days": 2, "seconds": 5.0, "work": None, "seed": 1}
    assert PlanRequest.from_json(asked) == PlanRequest(MONDAY, 2, 5.0, None)


# ------------------------------------------------------------------------------------------------ what a plan says


def a_week(town: Town) -> Town:
    town.add(rep("ben", start_address=Address("2 Other Road")), door(30, 30))
    for n in range(6):
        town.add(opportunity(f"O{n}"), door(5 * n, 40 - 5 * n))
        town.add(account(f"A{n}", owner_rep_id=("anna", "ben")[n % 2]), door(40 - 5 * n, 4 * n))
    return town


def planned(town: Town, limits: SearchLimits, earlier: Earlier | None = None) -> PlanDocument:
    return make_plan(town.snapshot(), "town", town.source, MONDAY, 5, limits, town.settings, earlier=earlier)


@pytest.mark.parametrize("engine", Engine)
def test_the_same_work_gives_the_same_bytes_on_any_number_of_workers(town: Town, engine: Engine) -> None:
    a_week(town)
    one, two = (planned(town, SearchLimits(work=4, workers=n, engine=engine)) for n in (1, 2))
    assert write_plan(one) == write_plan(two)
    assert one["limits"] == {"seed": 1, "seconds": None, "work": 4, "engine": str(engine), "from_plan": None}


def test_a_plan_of_an_older_program_names_no_engine_and_is_read_all_the_same(town: Town) -> None:
    document = town.plan()
    del document["limits"]["engine"], document["limits"]["from_plan"]
    assert read_plan(write_plan(document)) == document


# ------------------------------------------------------------------------------------------------ the plan before


class Plans:
    """A unit of work with plan versions, the newest last."""

    def __init__(self, *plans: StoredPlan, published: StoredPlan | None = None) -> None:
        self._newest, self._published = plans[-1] if plans else None, published

    def plans(self, _area: str) -> Plans:
        return self

    def latest(self, *, published: bool = False) -> StoredPlan | None:
        return self._published if published else self._newest


def stored(document: PlanDocument, version: int) -> StoredPlan:
    return replace(to_store(document, NOW), version=version)


def known(plans: Plans, first_day: Any = MONDAY, settings: SolverSettings = USUAL, **changes: Any) -> Earlier | None:
    how: dict[str, Any] = {"work": None, "fresh": False} | changes
    return earlier_plan(plans, "town", first_day, settings, **how)  # type: ignore[arg-type]


def test_a_search_by_seconds_begins_with_the_newest_plan_unless_it_is_to_be_fresh(town: Town) -> None:
    town.add(opportunity(), door(10))
    plans = Plans(stored(town.plan(), 7))
    earlier = known(plans)
    assert earlier is not None
    assert (earlier.version, list(earlier.days.values())) == (
        7,
        [tuple(stops(town.plan())[id_]["visit_id"] for id_ in ("mill",))],
    )
    assert known(plans, fresh=True) is None
    assert known(plans, work=4) is None, "equal records and work give an equal plan, whatever was planned before"
    assert known(plans, settings=SolverSettings(warm_start=False)) is None


def test_a_newest_plan_of_days_that_are_over_gives_way_to_the_published_one(town: Town) -> None:
    for n in range(12):
        town.add(opportunity(f"O{n}", visit_minutes=240), door(n))
    early, late = stored(town.plan(days=1), 2), stored(town.plan(days=3), 1)
    earlier = known(Plans(early, published=late), WEDNESDAY)
    assert earlier is not None
    assert earlier.version == 1
    assert all(day.endswith(str(WEDNESDAY)) for day in earlier.days)
    assert known(Plans(early), WEDNESDAY) is None
    assert known(Plans()) is None


def test_a_plan_that_nobody_can_read_is_not_begun_with(town: Town) -> None:
    assert known(Plans(replace(stored(town.plan(), 1), document="{}"))) is None


def test_what_a_search_begins_with_stays_in_its_plan_and_is_named_there(town: Town) -> None:
    """A search that is stopped at once has nothing but what it began with."""
    a_week(town)
    before = planned(town, SearchLimits(work=8))
    earlier = known(Plans(stored(before, 3)))
    document = make_plan(
        *(town.snapshot(), "town", town.source, MONDAY, 5, SearchLimits(60.0), town.settings),
        cancelled=lambda: True,
        earlier=earlier,
    )
    assert document["limits"]["from_plan"] == 3
    assert document["totals"]["cost_seconds"] <= before["totals"]["cost_seconds"]
    assert town.broken(document) == []
    assert write_plan(planned(town, SearchLimits(work=2), earlier)) == write_plan(
        planned(town, SearchLimits(work=2), earlier)
    )


def sequences(solution: Solution | None) -> Mapping[str, tuple[str, ...]]:
    return {route.shift: route.jobs for route in solution.routes} if solution else {}


def begun(
    town: Town, days: Mapping[str, tuple[str, ...]], promised: Solution | None = None
) -> Mapping[str, tuple[str, ...]]:
    return sequences(beginning(town.translation().problem, promised, Earlier(1, days)))


def ids_of(town: Town) -> Callable[[str], str]:
    """The id of the visit to a record."""
    by_record = {visit.record_ids[0]: id_ for id_, visit in town.translation().visits.items()}
    return by_record.__getitem__


def test_of_an_earlier_plan_is_kept_what_there_still_is_and_can_be_driven(town: Town) -> None:
    for n in range(3):
        town.add(opportunity(f"O{n}"), door(10 * n))
    town.add(opportunity("long", visit_minutes=470), door(10))
    id_ = ids_of(town)
    monday, gone = f"anna@{MONDAY}", "opportunity:gone"
    days = {monday: (id_("O2"), gone, id_("O0"), id_("long"), id_("O1")), f"zoe@{MONDAY}": (id_("O1"),)}
    assert {day: set(done) for day, done in begun(town, days).items()} == {monday: {id_("O0"), id_("O1"), id_("O2")}}


def test_promises_come_first_in_what_a_search_begins_with(town: Town) -> None:
    """The mill was planned on Monday and is promised on Tuesday, a day that was full."""
    town.add(opportunity(), door(10))
    for n in range(9):
        town.add(opportunity(f"O{n}", visit_minutes=60), door(n))
    id_ = ids_of(town)
    before = {f"anna@{MONDAY}": (id_("mill"),), f"anna@{TUESDAY}": tuple(id_(f"O{n}") for n in range(9))}
    town.promises.append(promise())
    document = make_plan(
        *(town.snapshot(), "town", town.source, MONDAY, 5, SearchLimits(60.0), town.settings),
        cancelled=lambda: True,
        earlier=Earlier(1, before),
    )
    assert stops(document)["mill"]["begin"].startswith(str(TUESDAY))
    assert town.broken(document) == []


# ------------------------------------------------------------------------------------------------ on the way


def state(improvements: int, elapsed_s: float, cost_s: int, fraction: float = 0.5) -> Progress:
    return Progress(cost_s, 3, elapsed_s, fraction, improvements, lambda: Solution((), ()))


def test_improvements_are_told_with_their_moment_and_not_faster_than_anybody_reads() -> None:
    way = Improvements()
    assert way.to_json() == {}
    for told in (state(0, 0.1, 90), state(1, 0.3, 80), state(2, 1.2, 70), state(2, 5.0, 70), state(3, 5.1, 60, 1.0)):
        way.add(told)
    assert way.to_json() == {
        "cost_s": 60,
        "visits": 3,
        "elapsed_s": 5.1,
        "improvements": [[0.1, 90, 3, 0], [1.2, 70, 3, 0], [5.1, 60, 3, 0]],
    }


def test_of_a_long_way_the_first_and_the_last_are_kept_and_not_too_many_between() -> None:
    way = Improvements()
    for n in range(1000):
        way.add(state(n, 2.0 * n, 10_000 - n))
    points = way.to_json()["improvements"]
    assert len(points) <= MOST
    assert (points[0][0], points[-1][0]) == (0.0, 1998.0)
    assert points == sorted(points)


class Flat(Area):
    """An area whose streets are the cast's town."""

    def streets(self) -> Any:
        return Town().source


def test_a_worker_that_is_told_that_it_is_enough_ends_with_the_best_plan_so_far(town: Town) -> None:
    a_week(town)
    told: list[Mapping[str, Any]] = []
    task = PlanTask(town.snapshot(), Flat(Path("town")), PlanRequest(MONDAY, 5, 600.0, None), SETTINGS)

    def enough(progress: Mapping[str, Any]) -> bool:
        told.append(progress)
        return progress["what"] == "searching"

    outcome = attempt(task, enough)
    assert outcome.end is End.DONE
    assert town.broken(read_plan(outcome.result.document)) == []
    assert told[-1]["visits"] == outcome.result.visits > 0
    assert told[-1]["improvements"][-1][1] == told[-1]["cost_s"]
    assert told[-1]["elapsed_s"] < 60


# ------------------------------------------------------------------------------------------------ after the search


def after_the_search(town: Town, report: Callable[[Mapping[str, Any]], object]) -> tuple[Outcome, list[str]]:
    """How a planning job of a second ends, and what it said was done, each once."""
    said: list[str] = []

    def heard(progress: Mapping[str, Any]) -> object:
        if progress["what"] not in said:
            said.append(progress["what"])
        assert 0.0 <= progress["fraction"] <= 1.0
        return report(progress)

    task = PlanTask(town.snapshot(), Flat(Path("town")), PlanRequest(MONDAY, 5, None, 4), SETTINGS)
    return attempt(task, heard), said


def test_what_is_done_after_the_search_is_told_with_the_plan_that_it_is_about(town: Town) -> None:
    a_week(town)
    told: list[Mapping[str, Any]] = []
    outcome, said = after_the_search(town, told.append)
    assert said[:2] == ["travel times", "searching"]
    assert said[2:] == ["working out why", "proving how good it can get", "checking every rule"]
    assert told[-1]["visits"] == outcome.result.visits
    why = [each["fraction"] for each in told if each["what"] == "working out why"]
    assert why == sorted(why)
    assert (why[0], why[-1]) == (0.0, 1.0)


@pytest.mark.parametrize("phase", ["working out why", "proving how good it can get"])
def test_a_job_that_is_called_off_after_its_search_ends_at_once(town: Town, phase: str) -> None:
    a_week(town)
    asked: list[str] = []

    def unwanted(progress: Mapping[str, Any]) -> None:
        asked.append(progress["what"])
        if progress["what"] == phase and asked.count(phase) > 1:
            raise UnwantedError

    outcome, _ = after_the_search(town, unwanted)
    assert outcome.end is End.LOST
    assert asked[-1] == phase
    assert asked.count(phase) == 2


def test_who_has_enough_of_the_reasons_gets_the_plan_without_those_that_are_left(town: Town) -> None:
    for n in range(30):
        town.add(opportunity(f"O{n}", visit_minutes=240), door(n))

    def enough(progress: Mapping[str, Any]) -> bool:
        return progress["what"] == "working out why" and progress["fraction"] > 0.2

    hurried, whole = (read_plan(after_the_search(town, how)[0].result.document) for how in (enough, lambda _: False))
    assert town.broken(hurried) == []
    assert hurried["totals"]["visits"] == whole["totals"]["visits"]
    assert hurried["totals"]["bound_seconds"] is None
    left = [entry["repair"] for entry in hurried["unplanned"] if entry["rules"] == [entry["reason"]]]
    assert left == [None] * len(left) != []
    assert any(entry["rules"] != [entry["reason"]] for entry in hurried["unplanned"])
    assert not any(entry["rules"] == [entry["reason"]] for entry in whole["unplanned"])


def test_who_has_enough_of_the_search_is_told_the_reasons_all_the_same(town: Town) -> None:
    for n in range(30):
        town.add(opportunity(f"O{n}", visit_minutes=240), door(n))
    outcome, _ = after_the_search(town, lambda progress: progress["what"] == "searching")
    stopped = read_plan(outcome.result.document)
    assert not any(entry["rules"] == [entry["reason"]] for entry in stopped["unplanned"])
    assert stopped["totals"]["bound_seconds"] is None
