"""What if on pages and by the API: managers try out who looks after whom; nothing happens until it is applied."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_town import AREA, MAX, Town
from booking_cast import BEN
from plan_cast import MORNING, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import audited, dispatcher

from planner.access import Actor, Role
from planner.domain import Account, Address, RecordKind
from planner.jobs.domain import JobState
from planner.jobs.tasks import End, attempt, keep, task_of
from planner.scenarios.changes import Changes, Prices, changes_of
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.keeping import create_scenario, scenarios_of
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState, Meaning
from routing.area import Areas

PAGE = f"/a/{AREA}/scenarios"
EVIL = "<script>x</script>\"{{ 7*7 }}'&"
TEAM = viewer(Role.MANAGER, id="u-team", email="team@example.com", name="Tea", area=AREA, reps=frozenset({BEN.id}))
DAYS = {"day": ["0", "1"], "work_start": "08:00", "work_end": "12:00"}
CLEO = {"rep_name": "Cleo", "street": "7 Mill Lane", "city": "Toytown", "break_minutes": "30", **DAYS}


@pytest.fixture
def office(tmp_path: Path) -> Town:
    office = Town(tmp_path)
    office.viewer = MAX
    evil = Account("A4", EVIL, Address("3 Mill Lane"), segment="A", owner_rep_id="ann", cadence_days=14)
    office.know(evil)
    dispatcher(office)
    return office


def scenarios(office: Town) -> list[Scenario]:
    with office.store.read() as unit:
        return scenarios_of(unit, AREA)


def only(office: Town) -> Scenario:
    (found,) = scenarios(office)
    return found


def url(office: Town) -> str:
    return f"{PAGE}/{only(office).id}"


def begun(office: Town, **said: Any) -> str:
    """A scenario; its page."""
    with office.store.write(Actor("user:u-max")) as unit:
        create_scenario(unit, AREA, "Spring", changes_of(said), "user:u-max", MORNING, "spring")
    return f"{PAGE}/spring"


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the first form that goes there."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found is not None, action
    usual = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[1])
    return {name: value for name, value in usual if name in ("csrf", "key", "revision")}


def post(office: Town, where: str, page: str = "", **typed: Any) -> TestResponse:
    """Send a form of a page, filled in."""
    fields = fields_of(office.page(page or where), where) | typed
    return office.client.post(where, data=fields, headers={"Origin": "http://localhost"})


def change(office: Town, does: str, **typed: Any) -> TestResponse:
    return post(office, url(office), do=does, **typed)


def changes(office: Town) -> Changes:
    return changes_of(only(office).changes)


def work(office: Town) -> None:
    """What the dispatcher and its workers do."""
    settings = Settings(home=office.folder, database_url="")
    with office.store.read() as unit:
        (job,) = unit.jobs.find(state=JobState.WAITING)
        task = task_of(unit, job, Areas(office.folder).get(AREA), settings)
    outcome = attempt(task, lambda progress: None)
    assert outcome.end is End.DONE, outcome
    with office.store.write(Actor(job.requested_by)) as unit:
        unit.jobs.put(replace(job, state=JobState.DONE, result=keep(unit, job, outcome.result, MORNING)))
        unit.audit("job.done", job.id, area=AREA)


def owners(office: Town) -> dict[str, str]:
    with office.store.read() as unit:
        return {account.id: account.owner_rep_id for account in unit.records(AREA).accounts()}


def test_an_even_split_is_proposed_with_one_click_and_applied_after_a_look_at_what_it_changes(office: Town) -> None:
    before = owners(office)
    answer = post(office, PAGE, name="Even, spring", do="propose")
    assert answer.status_code == 303
    assert "Working" in office.text(url(office)) or "Waiting" in office.text(url(office))
    work(office)
    text = office.text(url(office))
    assert "get another rep" in text
    assert "The customers of every rep hang together." in text
    assert owners(office) == before
    confirm = office.text(f"{url(office)}/apply")
    assert "This is changed" in confirm
    moved = json.loads(office.page(f"{url(office)}/places"))
    assert {len(moved[name]) for name in ("lats", "lons", "names", "before", "after")} == {3}
    answer = post(office, f"{url(office)}/apply")
    assert answer.status_code == 303
    assert owners(office) != before
    assert only(office).state is ScenarioState.APPLIED
    assert "scenario.applied" in audited(office)
    text = office.text(url(office))
    assert "The next plan is made with it" in text
    assert "Leaves" not in text


def test_what_was_applied_can_be_undone(office: Town) -> None:
    before = owners(office)
    begun(office, even=False, pins={"A1": BEN.id})
    post(office, f"{url(office)}/work-out", url(office))
    work(office)
    post(office, f"{url(office)}/apply")
    assert owners(office)["A1"] == BEN.id
    answer = post(office, f"{PAGE}/spring/copy", f"{PAGE}/spring", do="undo")
    work(office)
    undo = answer.headers["Location"]
    assert "Undo Spring" in office.text(undo)
    post(office, f"{undo}/apply")
    assert owners(office) == before


def test_a_customer_is_kept_with_one_tap_from_the_list_of_those_who_move(office: Town) -> None:
    begun(office, even=False, removed=["ann"], new_reps=[], segments={})
    change(office, "stay", rep="ann")
    change(office, "pin", pin_customer="secret bakery", pin_rep=BEN.id)
    assert changes(office).pins == {"A1": BEN.id}
    post(office, f"{url(office)}/work-out", url(office))
    work(office)
    page = office.page(url(office))
    assert "From Ann Lindqvist to Ben Virtanen" in text_of(page)
    assert "pinned" in text_of(page)
    answer = change(office, "keep", account="A2", rep="ann")
    assert answer.headers["Location"].endswith("#moved")
    assert changes(office).pins == {"A1": BEN.id, "A2": "ann"}
    assert "You have changed something since this was worked out" in office.text(url(office))
    change(office, "unpin", account="A1")
    change(office, "unpin-all")
    assert not changes(office).pins


def test_a_rep_is_added_at_an_address_that_the_area_knows(office: Town) -> None:
    begun(office)
    assert change(office, "add-rep", **CLEO).status_code == 303
    (cleo,) = changes(office).new_reps
    assert (cleo.id, cleo.name, cleo.break_minutes, cleo.hours.work_days) == ("new-1", "Cleo", 30, {0, 1})
    assert cleo.found_as.startswith("7 Mill Lane") or "Mill Lane" in cleo.found_as
    change(office, "hours", rep="new-1", **DAYS | {"day": ["4"]})
    assert changes(office).new_reps[0].hours.work_days == {4}
    change(office, "pin", pin_customer="A3", pin_rep="new-1")
    change(office, "drop-rep", rep="new-1")
    assert changes(office) == Changes()


def test_an_address_that_is_not_sure_is_chosen_by_a_person_and_one_that_is_not_known_is_said(office: Town) -> None:
    begun(office)
    answer = change(office, "add-rep", **CLEO | {"street": "Mill Laine 99"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert not changes(office).new_reps
    if "Which one is meant?" in page:
        assert change(office, "add-rep", **CLEO | {"street": "Mill Laine 99", "candidate": "1"}).status_code == 303
    answer = change(office, "add-rep", **CLEO | {"street": "Nowhere at all 5", "city": ""})
    assert answer.status_code == 422
    assert 'value="Nowhere at all 5"' in answer.get_data(as_text=True)
    assert change(office, "add-rep", **CLEO | {"street": "60.171, 24.945"}).status_code == 303


def test_hours_cadences_and_weights_are_changed_and_taken_back(office: Town) -> None:
    begun(office)
    change(office, "hours", rep=BEN.id, **DAYS)
    change(office, "segment", segment="A", segment_days="7")
    change(office, "cadence", cadence_customer="A2", cadence_days="21")
    change(office, "prices", broken_minutes="90", evenness="2", band="0.2", lie="piece")
    now = changes(office)
    assert (now.hours[BEN.id].work_days, now.segments, now.accounts) == ({0, 1}, {"A": 7}, {"A2": 21})
    assert (now.even, now.prices) == (False, Prices(90, 2, 0.2, one_piece=True))
    text = office.text(url(office))
    assert "All customers of segment A are visited every 7 days" in text
    assert "Secret Grocer is visited every 21 days" in text
    assert "Mo Tu, 08:00–12:00" in text
    change(office, "leave", rep=BEN.id)
    assert (changes(office).removed, changes(office).hours) == ({BEN.id}, {})
    change(office, "stay", rep=BEN.id)
    change(office, "usual-segment", segment="A")
    change(office, "usual-cadence", account="A2")
    change(office, "prices", even="1", broken_minutes="30", evenness="1", band="0.1", lie="near")
    assert changes(office) == Changes()


@pytest.mark.parametrize(
    ("does", "typed", "said"),
    [
        ("pin", {"pin_customer": "nobody", "pin_rep": "ann"}, "is neither the name nor the id of a customer"),
        ("pin", {"pin_customer": "A1", "pin_rep": "zoe"}, "There is no rep zoe"),
        ("cadence", {"cadence_customer": "A1", "cadence_days": "0"}, "is less than 1"),
        ("segment", {"segment": "A", "segment_days": "x"}, "is not a whole number"),
        ("prices", {"broken_minutes": "nan", "evenness": "1"}, "is not a number"),
        ("hours", {"rep": BEN.id, **DAYS, "work_end": "07:00"}, "is not after"),
        ("hours", {"rep": BEN.id, "work_start": "8", "work_end": "9"}, "choose at least one day"),
        ("hours", {"rep": "zoe", **DAYS}, "There is no rep zoe"),
        ("add-rep", {**CLEO, "rep_id": "ann"}, "another rep has it"),
        ("leave", {"rep": "zoe"}, "There is no rep zoe"),
        ("keep", {"account": EVIL, "rep": "ann"}, "There is no customer"),
        ("surprise", {}, "Choose one of the buttons on this page"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_saved(
    office: Town, does: str, typed: dict[str, Any], said: str
) -> None:
    begun(office)
    answer = change(office, does, **typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422, page
    assert said in text_of(page)
    assert "<script>x" not in page
    assert changes(office) == Changes()


def test_hostile_names_are_text(office: Town) -> None:
    begun(office, even=False, pins={"A4": BEN.id})
    with office.store.write(Actor("user:u-max")) as unit:
        records = unit.records(AREA)
        records.save(replace(BEN, name=EVIL))
        location = records.location(RecordKind.ACCOUNT, "A1")
        assert location is not None
        records.save_locations([replace(location, record_id="A4", address=Address("3 Mill Lane"))])
        unit.audit("test", area=AREA)
    post(office, f"{url(office)}/name", url(office), name=EVIL)
    post(office, f"{url(office)}/work-out", url(office))
    work(office)
    for page in (PAGE, url(office), f"{url(office)}/apply"):
        shown = office.page(page)
        assert "<script>x" not in shown
        assert "{{ 7*7 }}" in text_of(shown)
    assert EVIL in json.loads(office.page(f"{url(office)}/places"))["names"]


def test_two_managers_do_not_overwrite_each_other(office: Town) -> None:
    where = begun(office)
    fields = fields_of(office.page(where), where)
    change(office, "leave", rep="ann")
    typed = fields | {"do": "segment", "segment": "A", "segment_days": "7"}
    answer = office.client.post(where, data=typed, headers={"Origin": "http://localhost"})
    assert answer.status_code == 409
    assert "Somebody else has changed this scenario" in text_of(answer.get_data(as_text=True))
    assert changes(office) == Changes(removed=frozenset({"ann"}))


def test_nothing_is_applied_once_records_have_changed(office: Town) -> None:
    where = begun(office, even=False, pins={"A1": BEN.id})
    post(office, f"{where}/work-out", where)
    work(office)
    fields = fields_of(office.page(f"{where}/apply"), f"{where}/apply")
    office.know(replace(BEN, name="Benjamin"))
    assert "work it out again before it is applied" in office.text(where)
    assert office.client.get(f"{where}/apply").status_code == 409
    answer = office.client.post(f"{where}/apply", data=fields, headers={"Origin": "http://localhost"})
    assert answer.status_code == 409
    assert "work it out again" in text_of(answer.get_data(as_text=True))
    assert owners(office)["A1"] == "ann"


def test_promises_in_the_way_are_named_before_anything_is_applied(office: Town) -> None:
    start = MORNING.replace(day=30, hour=10)
    promise = Booking(
        AREA, "p1", BEN.id, MORNING.date(), BookingState.PROMISED, "O1", EVIL, "x", 60.17, 24.94, 30, start,
        start.replace(hour=11), Meaning.ARRIVE, "", frozenset(), "ines@example.com", "user:ines", MORNING, None,
    )  # fmt: skip
    with office.store.write(audited=False) as unit:
        unit.bookings.put(promise)
    where = begun(office, even=False, removed=[BEN.id])
    post(office, f"{where}/work-out", where)
    work(office)
    page = office.page(f"{where}/apply")
    assert "It cannot be applied yet" in text_of(page)
    assert "{{ 7*7 }}" in text_of(page)
    assert "Apply it</button>" not in page
    fields = fields_of(office.page(where), where) | {"revision": "1"}
    assert office.client.post(f"{where}/apply", data=fields, headers={"Origin": "http://localhost"}).status_code == 303
    assert only(office).state is ScenarioState.COMPUTED


def test_scenarios_are_copied_compared_and_removed(office: Town) -> None:
    where = begun(office, even=False, pins={"A1": BEN.id})
    post(office, f"{where}/work-out", where)
    work(office)
    answer = post(office, f"{where}/copy", where, do="copy")
    other = answer.headers["Location"]
    compare = f"{PAGE}/compare?with=spring&with={other.rsplit('/', 1)[1]}"
    assert office.client.get(compare).status_code == 404
    post(office, f"{other}/work-out", other)
    work(office)
    text = office.text(compare)
    assert "Copy of Spring" in text
    assert "Hours needed a month" in text
    assert "Side by side" in office.text(PAGE)
    assert office.client.get(f"{PAGE}/compare?with=spring").status_code == 404
    assert post(office, f"{other}/remove", other).status_code == 303
    assert [each.name for each in scenarios(office)] == ["Spring"]


def test_who_sees_a_part_of_the_area_is_told_so_and_nobody_else_gets_in(office: Town) -> None:
    where = begun(office)
    office.viewer = TEAM
    for page in (PAGE, where, f"{where}/apply", f"{where}/places"):
        answer = office.client.get(page)
        assert answer.status_code == 403
        assert "it takes somebody who sees all of them" in text_of(answer.get_data(as_text=True))
        assert "Spring" not in answer.get_data(as_text=True)
    for role in (Role.INSIDE_REP, Role.FIELD_REP):
        office.viewer = viewer(role, area=AREA, reps=frozenset({"ann"}) if role is Role.FIELD_REP else None)
        assert office.client.get(PAGE).status_code == 403
    program = office.program(TEAM)
    assert "sees all of them" in program.ask("GET", "/scenarios", 403).json["detail"]


def test_programs_do_all_of_it(office: Town) -> None:
    def ask(method: str, path: str, status: int, **options: Any) -> Any:
        return office.program(MAX).ask(method, path, status, **options).json

    made = ask("POST", "/scenarios", 201, json={"name": "Spring", "changes": {"even": False}})
    assert (made["state"], made["outcome"], made["changes"]["prices"]["evenness"]) == ("draft", None, 1.0)
    path = f"/scenarios/{made['id']}"
    change = {"name": "Spring", "revision": 1, "changes": {"even": False, "pins": {"A1": BEN.id}}}
    assert ask("PUT", path, 200, json=change)["revision"] == 2
    stale = ask("PUT", path, 409, json=change | {"name": "Late"})
    assert stale["present"]["revision"] == 2
    assert ask("POST", f"{path}/compute", 202)["kind"] == "scenario"
    work(office)
    shown = ask("GET", path, 200)
    assert shown["state"] == "computed"
    assert [(move["account_id"], move["after"]) for move in shown["outcome"]["moves"]] == [("A1", BEN.id)]
    assert {rep["rep_id"] for rep in shown["outcome"]["reps"]} == {"ann", BEN.id}
    assert ask("GET", "/scenarios", 200)["scenarios"][0]["name"] == "Spring"
    assert ask("POST", f"{path}/apply", 409, json={"revision": 1})["present"]["revision"] == 2
    assert ask("POST", f"{path}/apply", 200, json={"revision": 2})["state"] == "applied"
    assert owners(office)["A1"] == BEN.id
    ask("DELETE", path, 422)
    other = ask("POST", "/scenarios", 201, json={"name": "Other"})
    assert ask("DELETE", f"/scenarios/{other['id']}", 200)["id"] == other["id"]
    wrong = ask("POST", "/scenarios", 422, json={"name": "X", "changes": {"pins": {"A9": "zoe"}}})
    assert {error["pointer"] for error in wrong["errors"]} == {"/changes/pins/A9"}
