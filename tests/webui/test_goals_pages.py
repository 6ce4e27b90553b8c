"""The page of the day's goals: progress, calls by a tap that counts once, and setting goals; and by program."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from api_cast import Installation, building, office
from plan_cast import MONDAY, MORNING, Office, rep_day, stop, text_of, viewer
from plan_cast import plan as plan_json
from writing_cast import ANN, BEN, audited, hidden

from planner.access import PERMISSIONS, Permission, Role
from planner.activities.counting import Person
from planner.activities.domain import Activity
from planner.activities.goals import read_goals
from planner.activities.progress import PersonDays
from planner.activities.streaks import JudgedDay
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.people.accounts import NewUser, add_user
from webui.policy import Viewer
from webui.presenting.goals import goals_view

__all__ = ["building", "office"]

PAGE = "/a/helsinki/goals"
IRENE = viewer(Role.INSIDE_REP, id="u-irene", email="irene@example.com", name="Irene", area="helsinki")
REP = viewer(Role.FIELD_REP, id="u-ann", email="ann@example.com", name="Ann", area="helsinki", reps=frozenset({"ann"}))
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona", area="helsinki")


@pytest.fixture
def desk(tmp_path: Path) -> Office:
    made = Office(tmp_path, viewer=IRENE)
    made.area()
    made.know(ANN, BEN)
    with made.store.write(audited=False) as unit:
        for who in (IRENE, REP):
            user = who.user
            add_user(unit, NewUser(user.email, user.name, user.role, user.area, user.reps), MORNING, user.id)
    return made


def tap(desk: Office, do: str, **more: str) -> int:
    """Press a button of the page as it is; what it is answered."""
    fields = hidden(desk.page(PAGE), "goals/tap") | {"do": do} | more
    return desk.client.post(f"{PAGE}/tap", data=fields, headers={"Origin": "http://localhost"}).status_code


def calls(desk: Office) -> str:
    found = re.search(r"Calls (\d+) of \d+", desk.text(PAGE))
    assert found
    return found[1]


def test_a_tap_counts_a_call_and_another_takes_it_back(desk: Office) -> None:
    assert calls(desk) == "0"
    assert [tap(desk, "more") for _ in range(3)] == [303] * 3
    assert calls(desk) == "3"
    tap(desk, "fewer")
    assert calls(desk) == "2"


def test_a_form_that_is_sent_twice_counts_once(desk: Office) -> None:
    fields = hidden(desk.page(PAGE), "goals/tap") | {"do": "more"}
    for _ in range(3):
        answer = desk.client.post(f"{PAGE}/tap", data=fields, headers={"Origin": "http://localhost"})
        assert answer.status_code == 303
        assert answer.headers["Location"].endswith("/goals#calls")
    assert calls(desk) == "1"


def test_a_tap_is_no_entry_of_the_audit_log_and_goes_on_the_day_on_which_it_is_made(desk: Office) -> None:
    before = audited(desk)
    tap(desk, "more")
    assert audited(desk) == before
    desk.time.now = MORNING + timedelta(days=1)
    assert calls(desk) == "0"
    with desk.store.read() as unit:
        assert [(row.day, row.kind, row.count) for row in unit.activity_counts.find()] == [
            (date.fromisoformat(MONDAY), Activity.CALLS, 1)
        ]


def test_what_is_no_tap_is_refused(desk: Office) -> None:
    assert tap(desk, "everything") == 400
    assert tap(desk, "more", key="") == 400
    shown = hidden(desk.page(PAGE), "goals/tap")
    desk.viewer = MONA
    assert desk.client.post(f"{PAGE}/tap", data=shown | {"do": "more"}).status_code == 403


def test_a_rep_sees_the_day_as_it_was_planned_and_done(desk: Office) -> None:
    desk.keep(plan_json([rep_day(stops=[stop(), stop(2, "09:55", "10:25")])]), published_at=MORNING)
    with desk.store.write(audited=False) as unit:
        visit = FieldVisit("helsinki", "ann", date.fromisoformat(MONDAY), "account:A1", "A1", "", "", MORNING)
        unit.field_visits.put(visit)
    desk.viewer = REP
    text = desk.text(PAGE)
    assert "Visits 1 of 2" in text  # no more is asked for than was planned
    assert "Reports 0 of 2" in text
    assert "On time none promised" in text
    assert "One call" not in text
    with desk.store.write(audited=False) as unit:
        for name in ("A1", "A2"):
            day = date.fromisoformat(MONDAY)
            visit = FieldVisit("helsinki", "ann", day, f"account:{name}", name, "", "", MORNING)
            unit.field_visits.put(replace(visit, report_id="r", disposition=Disposition.MET))
    assert "A perfect day." in desk.text(PAGE)
    assert "1 perfect day in a row" in desk.text(PAGE)


def test_without_planned_visits_a_rep_is_told_that_the_day_does_not_count(desk: Office) -> None:
    desk.viewer = REP
    assert "No visits are planned for you today" in desk.text(PAGE)


@pytest.mark.parametrize(("who", "sees"), [(IRENE, True), (REP, True), (MONA, True)])
def test_the_bar_leads_everybody_to_the_goals(desk: Office, who: Viewer, sees: bool) -> None:
    desk.viewer = who
    assert (f'href="{PAGE}"' in desk.page(PAGE)) is sees


def test_a_manager_sees_the_team_and_others_do_not(desk: Office) -> None:
    tap(desk, "more")
    assert "The team today" not in desk.text(PAGE)
    desk.viewer = MONA
    text = desk.text(PAGE)
    assert "Irene Calls 1 of 30" in text
    assert "Ann no visits planned today" in text
    desk.viewer = viewer(Role.MANAGER, id="u-max", area="helsinki", reps=frozenset({"ben"}))
    assert "Nobody of your team logs in here yet" in desk.text(PAGE)


# --- setting goals


def change(desk: Office, page: str | None = None, **typed: str) -> Any:
    shown = page or desk.page(PAGE)
    fields = dict(re.findall(r'<input id="[\w.]+" name="([\w.]+)" value="([^"]*)"', shown))
    return desk.client.post(
        PAGE,
        data=hidden(shown, "goals") | fields | {name.replace("__", "."): text for name, text in typed.items()},
        headers={"Origin": "http://localhost"},
    )


def test_a_manager_sets_the_goals(desk: Office) -> None:
    desk.viewer = MONA
    answer = change(desk, inside_rep__calls="12", field_rep__on_time="0")
    assert answer.status_code == 303
    assert "Saved." in desk.text(answer.headers["Location"])
    assert "goals.set" in audited(desk)
    desk.viewer = IRENE
    assert "Calls 0 of 12" in desk.text(PAGE)
    assert "Set the goals" not in desk.text(PAGE)
    assert change(desk, "<form action='goals'></form>" + desk.page(PAGE)).status_code == 403


def test_a_manager_is_told_whose_goals_they_set(desk: Office) -> None:
    desk.viewer = MONA
    assert "For everybody in helsinki, for each working day." in desk.text(PAGE)
    desk.viewer = viewer(Role.MANAGER, id="u-max", area="helsinki", reps=frozenset({"ann"}))
    assert "For everybody in helsinki, also in other teams, for each working day." in desk.text(PAGE)
    answer = change(desk, inside_rep__calls="12")
    assert "for everybody in helsinki, also in other teams, from today on" in desk.text(answer.headers["Location"])


def test_a_streak_as_long_as_anybody_looks_back_is_said_to_be_so_much_or_more() -> None:
    person = Person("u-irene", "Irene", Role.INSIDE_REP, "", ZoneInfo("UTC"))
    today = date.fromisoformat(MONDAY)
    days = (JudgedDay(today, True, True),)
    told = [goals_view(PersonDays(person, today, (), 0, 60, longer, days)).in_a_row for longer in (True, False)]
    assert told == ["60 or more", "60"]


@pytest.mark.parametrize("typed", ["", "-1", "many", "1001", "1e3", "99999999", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_goal_that_makes_no_sense_is_shown_again_and_nothing_is_saved(desk: Office, typed: str) -> None:
    desk.viewer = MONA
    answer = change(desk, inside_rep__calls=typed, field_rep__visits="5")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in page
    assert 'name="field_rep.visits" value="5"' in page
    with desk.store.read() as unit:
        assert read_goals(unit, "helsinki").revision == 0


def test_of_two_managers_the_second_is_shown_what_the_first_has_set(desk: Office) -> None:
    desk.viewer = MONA
    stale = desk.page(PAGE)
    change(desk, inside_rep__calls="12")
    answer = change(desk, stale, inside_rep__calls="15")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Inside sales: calls 12, handoffs 2, bookings 3" in text_of(page)
    assert 'name="inside_rep.calls" value="15"' in page
    assert change(desk, page).status_code == 303
    with desk.store.read() as unit:
        assert read_goals(unit, "helsinki").now[Role.INSIDE_REP][Activity.CALLS] == 15


# --- by program

GOALS = "/areas/helsinki/goals"


def test_a_program_counts_a_call_once(office: Installation) -> None:
    program = office.program(Role.INSIDE_REP, *PERMISSIONS[Role.INSIDE_REP])
    first = program.post(f"{GOALS}/taps", {"activity": "calls", "by": 1}, key="k1")
    assert program.post(f"{GOALS}/taps", {"activity": "calls", "by": 1}, key="k1") == first
    assert first == {"activity": "calls", "day": "2026-11-30", "count": 1}
    mine = program.get(f"{GOALS}/me")
    assert mine["goals"][0] == {"activity": "calls", "done": 1, "goal": 30, "met": False}
    assert (mine["calls"], mine["streak"], len(mine["days"])) == (1, 0, 28)


def test_a_program_sets_goals_from_the_revision_that_it_saw(office: Installation) -> None:
    program = office.program(Role.MANAGER, *PERMISSIONS[Role.MANAGER])
    wanted = {"revision": 0, "inside_rep": {"calls": 9}, "field_rep": {"visits": 4, "on_time": 80}}
    known = program.put(GOALS, wanted)
    assert known["inside_rep"] == {"calls": 9, "handoffs": 0, "bookings": 0}
    assert program.get(GOALS) == known
    answer = program.ask("PUT", GOALS, 409, json=wanted | {"field_rep": {}})
    assert answer.get_json()["present"] == known
    assert "/field_rep/on_time" in program.refused(GOALS, wanted | {"field_rep": {"on_time": 101}}, "PUT")
    assert program.get(f"{GOALS}/team")["people"] == []
    program.ask("GET", f"{GOALS}/me", 404)


def test_a_token_that_only_reads_counts_nothing(office: Installation) -> None:
    program = office.program(Role.INSIDE_REP, Permission.SEE_HANDOFFS)
    program.ask("POST", f"{GOALS}/taps", 403, json={"activity": "calls", "by": 1})
