"""Figures by the API: the same as on the pages, with the customers and opportunities behind each, a page at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from company_cast import Company
from figures_cast import capacity, cover, coverage, keep, overdue
from test_kpi_pages import ACCEPTED, HANDED, lead, reps

from planner.access import Permission, Role
from planner.handoffs.domain import HandoffState
from planner.people.domain import User

API = "/api/v1/areas/helsinki"


@pytest.fixture
def office(tmp_path: Path) -> Company:
    """Ann has three customers, two of them overdue, and too few hours; two leads are hers, one is Ben's."""
    company = Company(tmp_path)
    with company.store.write(audited=False) as unit:
        accounts = [cover("A1"), overdue("A2", 30), overdue("A3", 4, segment="B"), cover("B1", "ben")]
        keep(unit, coverage(accounts, [capacity("ann", 141), capacity("ben")]))
        reps(unit)
        lead(unit, "O1", HANDED, ACCEPTED, HandoffState.VISITED, HandoffState.WON, value=5000.0)
        lead(unit, "O2", HANDED, HandoffState.REJECTED)
        lead(unit, "O3", HANDED, rep="ben")
    return company


def ask(company: Company, path: str, who: User | None = None, status: int = 200) -> Any:
    """What a program of somebody's is answered."""
    headers = company.token(who or company.mona, Permission.SEE_FIGURES)
    answer = company.app.test_client().get(f"{API}{path}", headers=headers)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def test_coverage_is_told_by_rep_with_what_each_figure_means(office: Company) -> None:
    told = ask(office, "/coverage")
    assert (told["as_of"], told["fresh"], told["by"]) == ("2026-11-30", False, "rep")
    assert told["area"]["overdue"] == 2
    assert told["overdue_median_days"] == 17
    assert {row["value"]: row["figures"]["shortfall"] for row in told["rows"]} == {"ann": 21, "ben": 0}
    assert {entry["key"] for entry in told["measures"]} >= told["area"].keys()
    assert told["held"][0]["cadence_days"] == 14
    assert [row["value"] for row in ask(office, "/coverage?by=segment")["rows"]] == ["A", "B"]


def test_the_customers_behind_a_figure_come_a_page_at_a_time(office: Company) -> None:
    first = ask(office, "/coverage/accounts?measure=overdue&by=rep&value=ann&limit=1")
    second = ask(office, f"/coverage/accounts?measure=overdue&by=rep&value=ann&limit=1&cursor={first['next']}")
    assert [entry["account_id"] for entry in first["accounts"] + second["accounts"]] == ["A2", "A3"]
    assert second["next"] is None
    assert first["accounts"][0]["overdue_days"] == 30


def test_coverage_that_is_not_there_is_asked_for_once(tmp_path: Path) -> None:
    company = Company(tmp_path)
    ask(company, "/coverage", status=404)
    headers = company.token(company.mona, Permission.SEE_FIGURES)
    client = company.app.test_client()
    jobs = [
        client.post(f"{API}/coverage", headers={**headers, "Idempotency-Key": key}).get_json()["job"] for key in "ab"
    ]
    assert jobs[0]["kind"] == "coverage"
    assert jobs[0]["id"] == jobs[1]["id"]


def test_the_tree_adds_up_and_every_part_can_be_listed(office: Company) -> None:
    told = ask(office, "/pipeline?by=rep")
    assert told["whole"]["stages"][0]["total"]["count"] == 3
    assert [row["key"] for row in told["rows"]] == ["ann", "ben"]
    for stage in told["whole"]["stages"]:
        assert sum(part["count"] for part in stage["parts"].values()) == stage["total"]["count"]
        assert sum(part["value"] for part in stage["parts"].values()) == stage["total"]["value"]
        for part, amount in (stage["parts"] | stage["timing"]).items():
            behind = ask(office, f"/pipeline/opportunities?stage={stage['stage']}&part={part}")["opportunities"]
            assert len(behind) == amount["count"]
            assert sum(entry["value"] for entry in behind) == amount["value"]


def test_an_opportunity_comes_with_what_happened_to_it(office: Company) -> None:
    first = ask(office, "/pipeline/opportunities?stage=handed_off&limit=2")
    assert [entry["opportunity_id"] for entry in first["opportunities"]] == ["O1", "O2"]
    [last] = ask(office, f"/pipeline/opportunities?stage=handed_off&limit=2&cursor={first['next']}")["opportunities"]
    assert last["opportunity_id"] == "O3"
    won = first["opportunities"][0]
    assert (won["stage"], won["part"], won["moments"]["handed_off"]) == ("won", "won", "2026-11-21T12:00:00Z")
    assert "now won" in [event["text"] for event in won["events"]]
    assert ask(office, "/pipeline/opportunities?stage=won&rep=ben")["opportunities"] == []


def test_nonsense_is_refused_with_the_parameter_named(office: Company) -> None:
    for path, status in {
        "/coverage?by=sideways": 400,
        "/coverage/accounts?measure=xyz": 404,
        "/coverage/accounts?measure=shortfall&by=segment": 404,
        "/coverage/accounts?value=%00": 400,
        "/pipeline?from=2026-12-01&to=2026-11-01": 400,
        "/pipeline?from=9999-12-31": 400,
        "/pipeline?month=2026-13": 400,
        "/pipeline?basis=xyz": 400,
        "/pipeline/opportunities?stage=xyz": 400,
        "/pipeline/opportunities?part=xyz": 400,
        "/pipeline/opportunities?cursor=xyz": 400,
    }.items():
        assert ask(office, path, status=status)["detail"], path


def test_a_program_sees_what_its_owner_sees(office: Company) -> None:
    tess = office.person("tess", Role.MANAGER, "helsinki", frozenset({"ben"}))
    assert [row["value"] for row in ask(office, "/coverage", tess)["rows"]] == ["ben"]
    assert [entry["account_id"] for entry in ask(office, "/coverage/accounts", tess)["accounts"]] == ["B1"]
    assert ask(office, "/pipeline", tess)["whole"]["stages"][0]["total"]["count"] == 1
    elsewhere = office.person("tarja", Role.MANAGER, "turku")
    for path in ("/coverage", "/coverage/accounts", "/pipeline", "/pipeline/opportunities"):
        ask(office, path, elsewhere, 404)
        headers = office.token(office.mona, Permission.SEE_RECORDS)
        assert office.app.test_client().get(f"{API}{path}", headers=headers).status_code == 403
