"""What probes and Prometheus are told: /healthz, /readyz and /metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from company_cast import NOON, Company
from flask import Response
from prometheus_client.parser import text_string_to_metric_families

from planner.access import Permission
from planner.errors import StorageError, StorageUnavailableError
from planner.jobs.domain import Job, JobState
from planner.repository import Store
from routing.preparing import loops
from webui import metrics
from webui.health import Readiness
from webui.policy import public

AREA = '{"source": "x", "nodes": 1, "arcs": 1, "addresses": 1, "bounds": [1, 2, 3, 4]}'


@pytest.fixture
def company(tmp_path: Path) -> Company:
    company = Company(tmp_path)
    for file in tmp_path.glob("areas/*/area.json"):
        file.write_text(AREA)
    return company


def readiness(company: Company) -> Readiness:
    found: Readiness = company.app.extensions["readiness"]
    return found


class Away:
    """A store whose database is away, or hangs until it is let go."""

    def __init__(self, error: StorageError | None = None) -> None:
        self._error = error
        self.asked = 0
        self.let_go = threading.Event()

    def is_current(self) -> bool:
        self.asked += 1
        if self._error is None:
            self.let_go.wait(10)
            return True
        raise self._error


def test_alive_is_told_to_anybody_under_any_name_and_says_nothing_more(company: Company) -> None:
    answer = company.app.test_client().get("/healthz", base_url="http://10.1.2.3:8000")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_is_told_to_anybody_under_any_name(company: Company) -> None:
    answer = company.app.test_client().get("/readyz", base_url="http://10.1.2.3:8000")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_a_database_that_is_away_makes_it_not_ready_and_nothing_of_the_inside_is_said(company: Company) -> None:
    readiness(company).store = Away(StorageUnavailableError("postgresql://user@db/x: the server cannot be reached"))  # type: ignore[assignment]
    answer = company.browser().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "reasons": ["the database cannot be read"]}


def test_a_database_that_hangs_is_not_given_a_queue_of_questions(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui.health.DATABASE_S", 0.01)
    away = Away()
    readiness(company).store = away  # type: ignore[assignment]
    try:
        for _ in range(3):
            assert readiness(company).reasons() == ["the database does not answer"]
        assert away.asked == 1
    finally:
        away.let_go.set()


def test_a_database_that_a_newer_program_has_changed_makes_it_not_ready(company: Company) -> None:
    class Changed:
        def is_current(self) -> bool:
            return False

    readiness(company).store = Changed()  # type: ignore[assignment]
    assert readiness(company).reasons() == ["the database has another schema"]


def test_an_area_that_cannot_be_read_makes_it_not_ready(company: Company, tmp_path: Path) -> None:
    (tmp_path / "areas" / "turku" / "area.json").write_text("[")
    assert company.browser().get("/readyz").json == {"status": "not ready", "reasons": ["an area cannot be read"]}


def figures(company: Company) -> dict[tuple[str, tuple[str, ...]], float]:
    """All that is counted, by name and label values."""
    headers = company.token(company.adele, Permission.SEE_METRICS)
    answer = company.app.test_client().get("/metrics", headers=headers, base_url="http://10.1.2.3:8000")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    return {(x.name, tuple(x.labels.values())): x.value for family in families for x in family.samples}


def test_metrics_are_for_a_token_that_may_see_them(company: Company) -> None:
    nobody = company.app.test_client().get("/metrics")
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"]) == (401, "Bearer")
    wrong = company.token(company.adele, Permission.SEE_DAYS)
    assert company.app.test_client().get("/metrics", headers=wrong).status_code == 403
    assert company.browser(company.mona).get("/metrics").status_code == 403


def test_requests_are_counted_by_route_never_by_address(company: Company) -> None:
    before = figures(company)
    browser = company.browser(company.adele)
    for address in (
        "/a/helsinki/unplanned",
        "/a/turku/unplanned",
        "/a/<script>/unplanned",
        "/nothing/at/all",
        "/nothing/else",
    ):
        browser.get(address)
    after = figures(company)
    counted = {
        key[1]: value - before.get(key, 0) for key, value in after.items() if key[0] == "fieldvisit_requests_total"
    }
    assert sum(value for (_, route, _), value in counted.items() if route.startswith("/a/<area>")) == 3
    assert counted["GET", "none", "404"] == 2
    assert not any("script" in route or "helsinki" in route for _, route, _ in counted)
    assert after["fieldvisit_request_seconds_count", ("none",)] >= 2


def test_a_method_of_somebodys_own_is_counted_as_other(company: Company) -> None:
    before = figures(company).get(("fieldvisit_requests_total", ("other", "none", "404")), 0)
    company.app.test_client().open("/nothing", method="BREW")
    assert figures(company)["fieldvisit_requests_total", ("other", "none", "404")] == before + 1


def test_open_streams_are_counted_until_they_close(tmp_path: Path) -> None:
    company = Company(tmp_path)

    @public
    def stream() -> Response:
        return Response(iter(["data: 1\n\n"]), mimetype="text/event-stream")

    company.app.add_url_rule("/stream", view_func=stream, methods=["GET"], provide_automatic_options=False)
    before = metrics.STREAMS._value.get()
    answer = company.browser().get("/stream")
    assert metrics.STREAMS._value.get() == before + 1
    answer.close()
    assert metrics.STREAMS._value.get() == before


def job(name: str, state: JobState, age_s: float = 0, took_s: float = 0) -> Job:
    begun = NOON - timedelta(seconds=age_s)
    return Job(
        *(name, "helsinki", "plan", {}, "user:x", begun, state),
        started_at=begun,
        finished_at=begun + timedelta(seconds=took_s) if state.ended else None,
    )


def test_jobs_are_told_by_their_rows(company: Company) -> None:
    jobs = [
        job("w1", JobState.WAITING, 40),
        job("w2", JobState.WAITING, 90),
        *(job(f"d{number}", JobState.DONE, 200, took_s) for number, took_s in enumerate((10, 20, 30, 40, 50))),
        job("old", JobState.DONE, 100_000, 1_000),
        job("f", JobState.FAILED, 200, 5),
    ]
    with company.store.write(audited=False) as unit:
        for one in jobs:
            unit.jobs.put(one)
    told = figures(company)
    assert told["fieldvisit_jobs", ("waiting",)] == 2
    assert told["fieldvisit_jobs", ("running",)] == 0
    assert told["fieldvisit_jobs", ("done",)] == 6
    assert told["fieldvisit_oldest_waiting_job_seconds", ()] == 90
    assert [told["fieldvisit_job_seconds", (q,)] for q in ("0.5", "0.95", "1.0")] == [30, 50, 50]


def test_waits_of_writers_and_refusals_of_the_database_are_counted(company: Company) -> None:
    class Full:
        @contextmanager
        def write(self, *_: object, **__: object) -> Iterator[None]:
            raise StorageUnavailableError("its disk is full")
            yield

    measured = metrics.MeasuredStore(company.store)
    before = figures(company)
    with measured.write(audited=False):
        pass
    full: Store = Full()  # type: ignore[assignment]
    with pytest.raises(StorageUnavailableError), metrics.MeasuredStore(full).write():
        pass
    after = figures(company)
    assert after["fieldvisit_write_wait_seconds_count", ()] > before["fieldvisit_write_wait_seconds_count", ()]
    refused = ("fieldvisit_store_errors_total", ("write",))
    assert after[refused] == before.get(refused, 0) + 1


def test_what_is_running_is_told(company: Company) -> None:
    [labels] = [labels for name, labels in figures(company) if name == "fieldvisit_build_info"]
    assert any("0." in label for label in labels)
    assert loops().value in labels, "whether somebody may have to wait for a compiler"


def test_a_jobs_owner_or_area_is_in_no_label(company: Company) -> None:
    with company.store.write(audited=False) as unit:
        unit.jobs.put(replace(job("w", JobState.WAITING), area="secretville", requested_by="user:secret"))
    labels = [label for _, labels in figures(company) for label in labels]
    assert not any(secret in label for label in labels for secret in ("secretville", "user:secret"))
