"""The pages of coverage: a manager sees who is looked after, who is not and why, with the list behind each number."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from company_cast import Company
from figures_cast import TODAY, capacity, cover, coverage, keep, overdue
from hostile import HOSTILE
from openpyxl import load_workbook
from plan_cast import Skeleton, text_of

from planner.access import SYSTEM, Role
from planner.coverage.domain import CoverageState, TerritoryCover
from planner.domain import Account, Address
from planner.jobs.domain import JobState
from planner.jobs.requests import COVERAGE

PAGE = "/a/helsinki/coverage"
LIST = f"{PAGE}/list"


@pytest.fixture
def office(tmp_path: Path) -> Company:
    """Ann is short of hours and has two overdue customers; Ben has hours left, and a customer who stopped buying."""
    company = Company(tmp_path)
    accounts = [
        cover("A1"),
        overdue("A2", 30, name="Kauppa", annual_value=9000.0, unreached="no_time_left", why="every day of Ann is full"),
        overdue("A3", 4, segment="B"),
        cover("B1", "ben", state=CoverageState.DORMANT, due_on=None, visits=(), visits_a_month=0.0),
        cover("B2", "ben", planned_days=(TODAY + timedelta(days=1),), planned_rep="ann", territory_id="T1"),
    ]
    reps = (capacity("ann", 141), capacity("ben", 20))
    with company.store.write(audited=False) as unit:
        keep(unit, coverage(accounts, reps, (TerritoryCover("T1", "Töölö", "ben"),), notes=("51 have no place",)))
    return company


def show(company: Company, address: str = PAGE, status: int = 200) -> str:
    """What a manager reads there."""
    return company.browser(company.mona).text(address, status)


def rows_of(company: Company, **query: str) -> list[list[str]]:
    answer = company.browser(company.mona).get(f"{LIST}.csv", query_string=query)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def jobs(company: Company) -> list[Any]:
    with company.store.read() as unit:
        return unit.jobs.find(kind=COVERAGE)


# --- the figures ------------------------------------------------------------------------------------------------------


def test_the_first_lines_say_who_is_looked_after_who_is_overdue_and_who_is_short(office: Company) -> None:
    told = show(office)
    assert "2 of 4 customers are looked after in time. 2 are overdue, by 17 days in the median; 1 of them is" in told
    assert "Ann is short of 21 hours a month." in told
    assert "Others have 100 hours left." in told
    assert "Catching up with the 2 whose cadence has run out takes 2 hours more, once." in told
    assert "1 customer due by the end of the plan has no visit in it, since its days are full: of Ann (1)." in told


def test_whose_hours_suffice_from_month_to_month_may_be_behind_all_the_same(office: Company) -> None:
    with office.store.write(audited=False) as unit:
        keep(unit, coverage([overdue("A1", 30), cover("B1", "ben")], (capacity("ann", 40), capacity("ben", 20))))
    told = show(office)
    assert "The cadences take 60 of 240 hours a month: from month to month every rep has enough." in told
    assert "Catching up with the 1 whose cadence has run out takes 1 hour more, once." in told
    assert "Hours to catch up" in told


def test_what_is_nobodys_has_no_hours_to_be_short_of_and_leads_to_no_empty_list(office: Company) -> None:
    nobody = capacity("", 0, 0, name="nobody’s", opportunities=90.0)
    with office.store.write(audited=False) as unit:
        keep(unit, coverage([cover("A1")], (capacity("ann", 40), nobody)))
    told = show(office)
    assert "Opportunities that are nobody’s take 2 hours a month." in told
    assert "short of" not in told
    assert "measure=shortfall" not in office.browser(office.mona).page(PAGE)


def test_where_a_days_visits_end_before_the_hours_the_page_says_so(office: Company) -> None:
    full = capacity("ann", 40, 50, visits_needed=80.0, visits_there=100.0)
    with office.store.write(audited=False) as unit:
        keep(unit, coverage([cover("A1")], (full,)))
    told = show(office)
    assert "a day’s visits end first: 80 of 100 a month" in told
    assert "The visits that a day may have end before the working time does with Ann." in told


def test_a_rep_who_is_short_of_hours_is_told_in_words_and_the_cadence_that_they_hold(office: Company) -> None:
    told = show(office)
    assert "141 of 120 h · 21 hours short" in told
    assert "20 of 120 h · 100 hours left" in told
    assert re.search(r"Cadences stay as they are.*Ann.* A every 16 days instead of every 14", told)


def test_every_number_leads_to_a_list_of_so_many_customers(office: Company) -> None:
    browser = office.browser(office.mona)
    page = browser.page(PAGE) + browser.page(f"{PAGE}?by=segment") + browser.page(f"{PAGE}?by=territory")
    links = re.findall(r'<a[^>]*href="(/a/helsinki/coverage/list\?[^"]+)"[^>]*>(?:<[^>]*>)*\s*([\d,]+)', page)
    assert len(links) > 15
    for address, number in links:
        if "hours" not in address and "visits_a_month" not in address and "share" not in address:
            assert f"{number} customer" in browser.text(address.replace("&amp;", "&")), address


def test_rows_are_told_by_segment_and_territory_too(office: Company) -> None:
    assert "Töölö" in show(office, f"{PAGE}?by=territory")
    by_segment = show(office, f"{PAGE}?by=segment")
    assert "Hours of driving" in by_segment
    assert "hours short" in by_segment  # of the area; segments have no hours of their own


def test_what_the_figures_mean_stands_on_the_page(office: Company) -> None:
    assert "Their cadence has run out by a quarter of it or more." in show(office)


def test_figures_that_nobody_has_worked_out_are_asked_for_and_explained(tmp_path: Path) -> None:
    company = Company(tmp_path)
    assert "The first figures are being worked out" in show(company)
    assert len(jobs(company)) == 1
    show(company)
    assert len(jobs(company)) == 1  # one is enough, whoever looks


def test_old_figures_stand_while_new_ones_are_worked_out_and_the_page_waits_for_them(office: Company) -> None:
    page = office.browser(office.mona).page(PAGE)
    assert "Being worked out anew" in text_of(page)
    assert "2 of 4 customers" in text_of(page)
    assert "data-events=" in page
    assert "jobs.js" in page


def test_what_has_failed_is_said_and_tried_again_by_a_button(office: Company) -> None:
    show(office)
    [job] = jobs(office)
    with office.store.write(SYSTEM, audited=False) as unit:
        unit.jobs.put(replace(job, state=JobState.FAILED, error="there are no streets", finished_at=office.clock()))
    browser = office.browser(office.mona)
    assert "Working it out has failed: There are no streets" in browser.text(PAGE)
    assert browser.open_and_send(PAGE, PAGE, key="k" * 32).status_code == 303
    assert [job.state for job in jobs(office)].count(JobState.WAITING) == 1


# --- the lists --------------------------------------------------------------------------------------------------------


def test_a_list_shows_whose_a_customer_is_when_it_was_seen_and_why_it_is_not_planned(office: Company) -> None:
    told = show(office, f"{LIST}?measure=overdue&by=rep&value=ann")
    assert "2 customers as of Mon 30 Nov" in told
    assert re.search(r"Kauppa.*A2 · A.*Overdue 30 days.*Ann.*17 Oct 2026.*31 Oct 2026.*Every day of Ann is full", told)
    assert told.index("Kauppa") < told.index("Customer A3")  # the longest overdue first
    planned = show(office, f"{LIST}?measure=planned")
    assert "Tue 1 Dec, Ann" in planned  # another rep than its own


def test_a_list_is_sorted_as_somebody_asks(office: Company) -> None:
    for sort, first in {"value": "Kauppa", "name": "Customer A1", "last": "Customer B1"}.items():
        names = re.findall(r"Customer \w\d|Kauppa", show(office, f"{LIST}?measure=customers&sort={sort}"))
        assert names[0] == first, sort


def test_a_long_list_comes_in_pages_of_a_hundred(tmp_path: Path) -> None:
    company = Company(tmp_path)
    with company.store.write(audited=False) as unit:
        keep(unit, coverage([overdue(f"A{number:03}", 10 + number) for number in range(205)]))
    assert "Page 1 of 3" in show(company, f"{LIST}?measure=overdue")
    last = show(company, f"{LIST}?measure=overdue&page=3")
    assert len(set(re.findall(r"Customer A\d+", last))) == 5
    show(company, f"{LIST}?measure=overdue&page=4", 404)


def test_a_name_leads_to_the_customers_page(office: Company) -> None:
    with office.store.write(audited=False) as unit:
        unit.records("helsinki").save(Account("A2", "Kauppa", Address("Street 1")))
    browser = office.browser(office.mona)
    [address] = re.findall(r'href="(/a/helsinki/customer\?id=A2)"', browser.page(f"{LIST}?measure=overdue"))
    assert "Kauppa" in browser.text(address)


def test_a_list_is_saved_as_csv_and_as_a_workbook_with_real_numbers_and_dates(office: Company) -> None:
    header, first, *_ = rows_of(office, measure="overdue")
    row = dict(zip(header, first, strict=True))
    assert (row["account_id"], row["rep"], row["overdue_days"], row["due_on"]) == ("A2", "Ann", "30", "2026-10-31")
    answer = office.browser(office.mona).get(f"{LIST}.xlsx?measure=overdue&by=rep&value=ann")
    assert answer.headers["Content-Disposition"] == "attachment; filename=helsinki-overdue-ann-2026-11-30.xlsx"
    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet is not None
    column = header.index("overdue_days") + 1
    assert [sheet.cell(line, column).value for line in (2, 3)] == [30, 4]
    assert sheet.cell(2, header.index("due_on") + 1).value == datetime.fromisoformat("2026-10-31")


def listed_as(folder: Path, names: list[str], rep: str) -> Company:
    """An installation with overdue customers of these names, all of one rep's."""
    folder.mkdir(exist_ok=True)
    company = Company(folder)
    late = [overdue(f"A{number:03}", 20, rep, name=name, why=name, segment=name) for number, name in enumerate(names)]
    with company.store.write(audited=False) as unit:
        keep(unit, coverage(late, [capacity(rep, name=rep)], notes=names))
    return company


def test_a_file_has_a_harmless_name_and_no_formula_whatever_customers_are_called(tmp_path: Path) -> None:
    names = ['=HYPERLINK("http://x")', "@SUM(1)", "-1+1", "+1", *(text for text in HOSTILE if "\0" not in text)]
    rep = "../../etc;\r\nX: y"
    query = {"measure": "overdue", "by": "rep", "value": rep}
    answer = (company := listed_as(tmp_path, names, rep)).browser(company.mona).get(f"{LIST}.csv", query_string=query)
    assert answer.headers["Content-Disposition"] == "attachment; filename=helsinki-overdue-etc-X-y-2026-11-30.csv"
    _header, *rows = csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"), newline=""))
    assert len(rows) == len(names)
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(("=", "+", "@"))]


def test_a_customers_name_is_text_and_nothing_else(tmp_path: Path) -> None:
    names = [text for text in HOSTILE if "\0" not in text and text.strip()][:99]
    plain = listed_as(tmp_path / "plain", [f"Name {number:03}" for number in range(len(names))], "ann")
    hostile = listed_as(tmp_path / "hostile", names, "<b>ann")
    for address in (PAGE, f"{PAGE}?by=segment", f"{LIST}?measure=overdue"):
        as_usual, shown = (Skeleton(company.browser(company.mona).page(address)) for company in (plain, hostile))
        assert sorted(shown.tags) == sorted(as_usual.tags), address


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_field_and_inside_reps_see_no_figures(office: Company) -> None:
    for who in (office.ann, office.ines):
        browser = office.browser(who)
        for address in (PAGE, LIST, f"{LIST}.csv"):
            assert browser.get(address).status_code == 403
        assert "/coverage" not in browser.page("/account")


def test_a_manager_of_a_team_sees_their_reps_figures_only(office: Company) -> None:
    tess = office.person("tess", Role.MANAGER, "helsinki", frozenset({"ben"}))
    browser = office.browser(tess)
    for address in (PAGE, f"{PAGE}?by=territory", f"{LIST}?measure=customers", f"{LIST}?measure=overdue"):
        told = browser.text(address)
        assert "Ann" not in told
        assert "Kauppa" not in told
    assert "1 of 1 customer is looked after" in browser.text(PAGE)
    for foreign in ("ann", "nobody-like-that"):
        assert browser.get(f"{LIST}?measure=overdue&by=rep&value={foreign}").status_code == 404


def test_another_area_is_not_there(office: Company) -> None:
    tess = office.person("tess", Role.MANAGER, "turku")
    for address in (PAGE, LIST, f"{LIST}.xlsx"):
        assert office.browser(tess).get(address).status_code == 404


# --- addresses that make no sense -------------------------------------------------------------------------------------


NONSENSE = {
    "measure=xyz": 404,
    "measure=overdue&by=nothing": 404,
    "measure=overdue&by=rep&value=nobody": 404,
    "measure=shortfall&by=segment&value=A": 404,
    "measure=overdue&value=%00": 400,
    "measure=%00": 400,
    f"measure=overdue&value={'x' * 2000}": 400,
    "measure=overdue&sort=sideways": 404,
    "measure=overdue&page=0": 404,
    "measure=overdue&page=99999999999": 404,
    "measure=overdue&page=2": 404,
    "measure=<script>": 404,
}


def test_nonsense_in_an_address_is_answered_by_a_sentence(office: Company) -> None:
    browser = office.browser(office.mona)
    for query, status in NONSENSE.items():
        answer = browser.get(f"{LIST}?{query}")
        assert answer.status_code == status, query
        assert len(text_of(answer.get_data(as_text=True))) > 40, query
        if "page" not in query:
            assert browser.get(f"{LIST}.csv?{query}").status_code == status, query
    for address in (f"{PAGE}?by=sideways", f"{PAGE}?by=%00", f"{LIST}.pdf?measure=overdue", f"{LIST}.?measure=overdue"):
        assert browser.get(address).status_code in (400, 404), address


def test_a_list_without_figures_sends_to_the_page_that_has_them_made(tmp_path: Path) -> None:
    company = Company(tmp_path)
    assert "open the page of coverage" in show(company, f"{LIST}?measure=overdue", 404)


def test_the_bar_leads_to_coverage_and_its_tabs_to_what_there_is(office: Company) -> None:
    skeleton = Skeleton(office.browser(office.mona).page(f"{LIST}?measure=overdue"))
    assert PAGE in {urlsplit(link).path for link in skeleton.links}
