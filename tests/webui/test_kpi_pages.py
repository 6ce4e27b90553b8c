"""The pages of the tree from lead to order: every number leads to what it counts, for any period, rep and source."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from company_cast import NOON, Company
from hostile import HOSTILE
from openpyxl import load_workbook
from plan_cast import Skeleton, text_of

from planner.access import Role
from planner.domain import Account, Address, Opportunity, Rep
from planner.handoffs.domain import HandoffEvent, HandoffRow, HandoffState, Side
from planner.repository import UnitOfWork

PAGE = "/a/helsinki/pipeline"
LIST = f"{PAGE}/list"
HANDED, ACCEPTED = HandoffState.HANDED_OFF, HandoffState.ACCEPTED
STATES = {
    HandoffState.DRAFT: Side.INSIDE,
    HandoffState.REJECTED: Side.INSIDE,
    HandoffState.RETURNED: Side.INSIDE,
    HandoffState.WON: Side.NOBODY,
    HandoffState.LOST: Side.NOBODY,
}


def lead(
    unit: UnitOfWork, id: str, *way: HandoffState, days_ago: int = 10, rep: str = "ann", name: str = "", **of: object
) -> None:
    """A lead that came in so many days ago, and went this way in steps of a day."""
    at = (NOON - timedelta(days=days_ago)).astimezone(UTC).replace(tzinfo=None)
    handed_off = HANDED in way
    unit.records("helsinki").save(Account(f"A-{rep}", "Customer", Address("Street 1"), owner_rep_id=rep))
    usual = {
        "value": 1000.0,
        "lead_at": at,
        "account_id": f"A-{rep}",
        "source": "Fair",
        "inside_rep": "ines@example.com",
        "need": "yes",
    }
    unit.records("helsinki").save(Opportunity(id, name or f"Deal {id}", Address("Street 1"), **(usual | of)))  # type: ignore[arg-type]
    for number, state in enumerate(way, start=1):
        when = NOON - timedelta(days=days_ago) + timedelta(days=number)
        unit.handoff_events.put(
            HandoffEvent("helsinki", id, number, when, "user:x", state.value, state, f"now {state}")
        )
    last = way[-1] if way else HandoffState.DRAFT
    side = STATES.get(last, Side.FIELD)
    owner = {Side.FIELD: rep, Side.INSIDE: "ines@example.com"}.get(side, "")
    unit.handoffs.put(HandoffRow("helsinki", id, len(way) + 1, last, NOON, side, owner, rep if handed_off else ""))


def reps(unit: UnitOfWork) -> None:
    for name in ("ann", "ben"):
        home = Address("Street 1")
        unit.records("helsinki").save(
            Rep(name, name.title(), f"{name}@example.com", home, None, "Europe/Helsinki", frozenset(range(5)), time(9),
                time(17))
        )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Company:
    """One lead is won, one sent back, one lost in the field, one given up inside; Ben's and the oldest are open."""
    company = Company(tmp_path)
    with company.store.write(audited=False) as unit:
        reps(unit)
        lead(unit, "O1", HANDED, ACCEPTED, HandoffState.VISITED, HandoffState.WON, value=5000.0)
        lead(unit, "O2", HANDED, HandoffState.REJECTED)
        lead(unit, "O3", HANDED, ACCEPTED, HandoffState.VISITED, HandoffState.LOST, source="Web")
        lead(unit, "O4", HandoffState.LOST)
        lead(unit, "O5", HANDED, rep="ben", source="")
        lead(unit, "O6", days_ago=200)
    return company


def show(company: Company, query: str = "", status: int = 200) -> str:
    return company.browser(company.mona).text(f"{PAGE}?{query}", status)


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_the_first_line_says_how_far_leads_came_and_where_they_drop_out(office: Company) -> None:
    told = show(office)
    assert re.search(r"Of 5 leads, 4 were handed off, 2 visited and 1 won, worth 5,000\.", told)
    assert re.search(r"Most drop out after .*: 1\.", told)


def test_a_drop_is_told_with_the_side_on_which_it_arose(office: Company) -> None:
    told = show(office)
    assert "1 sent back by the field" in told
    assert "1 lost in the field" in told
    assert "1 given up by inside sales" in told


@pytest.mark.parametrize("query", ["period=all&by=source", "by=rep&basis=activity", "by=month"])
def test_every_number_leads_to_a_list_of_so_many_opportunities(office: Company, query: str) -> None:
    browser = office.browser(office.mona)
    links = re.findall(
        rf'href="({LIST}\?[^"]+)"[^>]*>(?:<[^>]*>)*\s*(\d+)(?![\d.,]| [h%]| days)', browser.page(f"{PAGE}?{query}")
    )
    assert len(links) > 10
    for address, number in links:
        assert re.search(rf"\b{number} opportunit", browser.text(address.replace("&amp;", "&"))), address


def test_parents_are_the_sum_of_their_children_on_the_page(office: Company) -> None:
    page = office.browser(office.mona).page(f"{PAGE}?period=all")
    for stage in re.findall(r'<li class="stage">.*?</li>\s*(?=<li class="stage">|</ol>\s*</section>)', page, re.DOTALL):
        total = int(re.search(r'class="stage-number">\D*>(\d+)<', stage)[1])  # type: ignore[index]
        of_parts = [list(map(int, re.findall(r"<strong>(\d+)</strong> <span>", ul))) for ul in stage.split("<ul")[1:]]
        assert all(sum(parts) == total for parts in of_parts)


def test_a_period_a_rep_and_a_source_choose_what_is_counted(office: Company) -> None:
    assert "6 leads" in show(office, "period=all")
    assert "3 leads" in show(office, "rep=ann")
    assert "1 lead," in show(office, "source=web")
    assert "1 lead," in show(office, "source=%20")  # those without one
    assert "1 lead," in show(office, "from=2026-05-01&to=2026-06-01")
    assert "Nothing in this period" in show(office, "from=2020-01-01&to=2020-02-01")


def test_what_is_chosen_stays_chosen_when_something_else_is(office: Company) -> None:
    links = Skeleton(office.browser(office.mona).page(f"{PAGE}?rep=ann&by=source&basis=activity&period=30")).links
    [year] = [link for link in links if "period=year" in link]
    assert {"rep=ann", "by=source", "basis=activity"} <= set(year.partition("?")[2].split("&"))


def test_definitions_stand_beside_the_numbers(office: Company) -> None:
    told = show(office)
    assert "Found worth a visit" in told
    assert "Median from lead to first contact" in told
    assert "The drop arose in the field" in told


def test_an_area_without_leads_says_what_would_stand_here(tmp_path: Path) -> None:
    assert "Here stands how far leads come" in show(Company(tmp_path), "period=all")


# --- what is behind a number ------------------------------------------------------------------------------------------


def test_a_list_shows_what_happened_to_each_and_leads_to_it(office: Company) -> None:
    browser = office.browser(office.mona)
    page = browser.page(f"{LIST}?node=won")
    told = text_of(page)
    assert re.search(r"1 opportunity worth 5,000.*Deal O1.*Won.*5,000.*Ann · from ines@example.com · Fair", told)
    assert "Now handed_off" in told
    assert "/a/helsinki/opportunity?id=O1" in Skeleton(page).links


def test_a_list_is_saved_with_the_moments_of_each_stage(office: Company) -> None:
    browser = office.browser(office.mona)
    answer = browser.get(f"{LIST}.csv?node=handed_off.sent_back")
    header, row = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    entry = dict(zip(header, row, strict=True))
    assert (entry["opportunity_id"], entry["what_became_of_it"]) == ("O2", "sent_back")
    assert entry["handed_off_at"].startswith("2026-11-21")
    answer = browser.get(f"{LIST}.xlsx?node=won")
    assert answer.headers["Content-Disposition"] == "attachment; filename=helsinki-pipeline-won.xlsx"
    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    assert sheet.cell(2, header.index("value") + 1).value == 5000
    assert isinstance(sheet.cell(2, header.index("lead_at") + 1).value, datetime)


def test_whatever_opportunities_reps_and_sources_are_called_is_text(tmp_path: Path) -> None:
    texts = [text for text in HOSTILE if "\0" not in text and text.strip() and len(text) < 200]
    texts = list({text.casefold(): text for text in texts}.values())[:60]
    tags: list[list[set[tuple[str, ...]]]] = []
    for names in ([f"Name {number}" for number in range(len(texts))], texts):
        folder = tmp_path / str(len(tags))
        folder.mkdir()
        company = Company(folder)
        with company.store.write(audited=False) as unit:
            for number, name in enumerate(names):
                lead(unit, f"O{number}", HANDED, HandoffState.REJECTED, name=name, source=name, inside_rep=name)
        browser = company.browser(company.mona)
        pages = [browser.page(f"{PAGE}?by={by}") for by in ("source", "inside")] + [browser.page(f"{LIST}?node=lead")]
        tags.append([set(Skeleton(page).tags) for page in pages])
    assert tags[0] == tags[1]


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_field_and_inside_reps_see_no_tree(office: Company) -> None:
    for who in (office.ann, office.ines):
        for address in (PAGE, LIST, f"{LIST}.csv"):
            assert office.browser(who).get(address).status_code == 403


def test_a_manager_of_a_team_counts_what_their_reps_have(office: Company) -> None:
    browser = office.browser(office.person("tess", Role.MANAGER, "helsinki", frozenset({"ben"})))
    told = browser.text(f"{PAGE}?period=all&by=rep") + browser.text(f"{LIST}?node=lead&period=all")
    assert "Deal O5" in told
    assert "Ann" not in told
    assert "Deal O1" not in told
    for foreign in ("ann", "nobody"):
        assert browser.get(f"{PAGE}?rep={foreign}").status_code == 404


def test_another_area_is_not_there(office: Company) -> None:
    tess = office.person("tess", Role.MANAGER, "turku")
    for address in (PAGE, LIST, f"{LIST}.xlsx"):
        assert office.browser(tess).get(address).status_code == 404


# --- addresses that make no sense -------------------------------------------------------------------------------------


NONSENSE = {
    "node=xyz": 404,
    "node=lead.xyz": 404,
    "node=lead.late": 404,
    "node=won.went_on": 404,
    "node=%00": 400,
    "period=xyz": 404,
    "from=2026-12-01&to=2026-11-01": 400,
    "from=9999-12-31": 400,
    "to=0001-01-01": 400,
    "from=yesterday": 400,
    "from=2026-02-30": 400,
    "from=%00": 400,
    "rep=nobody": 404,
    "source=%00": 400,
    f"source={'x' * 2000}": 400,
    "month=2026-13": 404,
    "month=9999-99": 404,
    "basis=xyz": 404,
    "by=xyz": 404,
    "page=2": 404,
    "page=-1": 404,
}


def test_nonsense_in_an_address_is_answered_by_a_sentence(office: Company) -> None:
    browser = office.browser(office.mona)
    for query, status in NONSENSE.items():
        answer = browser.get(f"{LIST}?{query}")
        assert answer.status_code == status, query
        assert len(text_of(answer.get_data(as_text=True))) > 40, query
        if not query.startswith(("node", "page")):
            assert browser.get(f"{PAGE}?{query}").status_code == status, query
