"""The weekly summary on a page and by program: by week, for those who may, and asking for it by mail."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from api_cast import Installation, building, office
from plan_cast import MORNING, Office, rep_day, stop, unplanned, viewer
from plan_cast import plan as plan_json
from writing_cast import ANN, BEN, audited, hidden, send

from planner.access import PERMISSIONS, Role
from planner.domain import Account, Address
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.repository import StoredPlan
from webui.policy import Viewer

__all__ = ["building", "office"]

LAST_WEEK, TUESDAY = "2026-11-23", "2026-11-24"
PAGE = f"/a/helsinki/summary/{LAST_WEEK}"
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona", area="helsinki")
EVIL = "<script>x</script>{{ 7*7 }}"


@pytest.fixture
def desk(tmp_path: Path) -> Office:
    """Last week Ann visited one of two customers, and the plan left one out."""
    made = Office(tmp_path, viewer=MONA)
    made.area()
    made.know(ANN, BEN, *(Account(f"A{n}", EVIL, Address("Street 1"), owner_rep_id="ann") for n in (1, 2, 9)))
    day = date.fromisoformat(TUESDAY)
    stops = [stop(name=EVIL), stop(2, "09:55", "10:25", name=EVIL)]
    document = plan_json([rep_day(stops=stops, day=TUESDAY)], unplanned=[unplanned()], first_day=LAST_WEEK)
    with made.store.write(audited=False) as unit:
        at = MORNING - timedelta(days=9)
        unit.plans("helsinki").add(
            StoredPlan(0, "helsinki", date.fromisoformat(LAST_WEEK), 7, at, at, 2, 1, 0, document)
        )
        unit.field_visits.put(
            FieldVisit("helsinki", "ann", day, "account:A1", "A1", "", "", at, None, None, "r", Disposition.MET)
        )
    return made


def test_the_page_tells_what_was_covered_and_what_slipped(desk: Office) -> None:
    page, text = desk.page(PAGE), desk.text(PAGE)
    assert "Week of 23 – 29 November 2026" in text
    assert "Planned visits made 1 of 2" in text
    assert "nobody has reported anything" in text
    assert "Coverage is not worked out yet" in text
    assert "<script>x" not in page
    assert "{{ 7*7 }}" in text
    assert 'href="/a/helsinki/customer?id=A2"' in page
    assert desk.text("/a/helsinki/summary") == text


def test_weeks_lead_to_the_weeks_beside_them_and_none_to_one_that_has_not_begun(desk: Office) -> None:
    assert 'href="/a/helsinki/summary/2026-11-16"' in desk.page(PAGE)
    assert 'href="/a/helsinki/summary/2026-11-30"' in desk.page(PAGE)
    assert "2026-12-07" not in desk.page("/a/helsinki/summary/2026-11-30")
    assert desk.client.get(f"/a/helsinki/summary/{TUESDAY}").headers["Location"] == PAGE
    for nonsense in ("2026-12-07", "1999-01-04", "soon", "2026-13-01", "2026-W48-1", "20261123"):
        desk.page(f"/a/helsinki/summary/{nonsense}", 404)


@pytest.mark.parametrize(
    ("who", "status"),
    [(viewer(Role.MANAGER, area="helsinki"), 200), (viewer(Role.ADMIN), 200), (viewer(Role.MANAGER, area="turku"), 404),
     (viewer(Role.INSIDE_REP, area="helsinki"), 403),
     (viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"})), 403)],
)  # fmt: skip
def test_those_who_may_see_figures_see_it(desk: Office, who: Viewer, status: int) -> None:
    desk.viewer = who
    desk.page(PAGE, status)


def test_a_manager_of_another_team_reads_nothing_of_it(desk: Office) -> None:
    desk.viewer = viewer(Role.MANAGER, area="helsinki", reps=frozenset({"ben"}))
    text = desk.text(PAGE)
    assert "Planned visits made 0 of 0" in text
    assert "Ann" not in text


def test_it_is_asked_for_by_mail_and_no_more(desk: Office) -> None:
    assert "Send it to me each week" in desk.text(PAGE)
    answer = send(desk, PAGE, "/a/helsinki/summary/mail", do="subscribe")
    assert answer.status_code == 303
    assert "Send it to me no more" in desk.text(PAGE)
    assert "mona@example.com" in desk.text(PAGE)
    send(desk, PAGE, "/a/helsinki/summary/mail", do="unsubscribe")
    assert "Send it to me each week" in desk.text(PAGE)
    assert [action for action in audited(desk) if action.startswith("summary.")] == [
        "summary.subscribed",
        "summary.unsubscribed",
    ]
    assert send(desk, PAGE, "/a/helsinki/summary/mail", do="nothing").status_code == 400


def test_a_program_does_not_subscribe_its_owner(desk: Office) -> None:
    fields = hidden(desk.page(PAGE), "summary/mail")
    desk.viewer = Viewer(MONA.user, MONA.permissions, MONA.actor, None)
    assert desk.client.post("/a/helsinki/summary/mail", data=fields | {"do": "subscribe"}).status_code in (400, 403)
    with desk.store.read() as unit:
        assert unit.summary_readers.find() == []


def test_it_prints_on_sheets_of_its_own_style(desk: Office) -> None:
    page = desk.page(PAGE)
    assert "summary.css" in page
    assert 'class="on-paper"' in page


def test_a_program_reads_the_summary(office: Installation) -> None:
    program = office.program(Role.MANAGER, *PERMISSIONS[Role.MANAGER])
    told = program.get(f"/areas/helsinki/summaries/{LAST_WEEK}")
    assert (told["monday"], told["last"], told["as_of"]) == (LAST_WEEK, "2026-11-29", None)
    assert (told["planned"], told["slips"], told["suggestions"]) == (0, [], [])
    for nonsense in (TUESDAY, "2026-12-07", "soon"):
        program.ask("GET", f"/areas/helsinki/summaries/{nonsense}", 404)
    office.program(Role.INSIDE_REP, *PERMISSIONS[Role.INSIDE_REP]).ask(
        "GET", f"/areas/helsinki/summaries/{LAST_WEEK}", 403
    )
