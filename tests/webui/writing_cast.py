"""What tests of pages that write share: records of an area, jobs, and forms filled in as a browser does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from flask.testing import FlaskClient
from plan_cast import MORNING, Office
from werkzeug.test import TestResponse

from planner.domain import Account, Address, Location, RecordKind, Rep
from planner.jobs.domain import Heartbeat, Job, JobState
from planner.slots.domain import Booking, BookingState, Meaning
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

PLANNING, RECORDS, ADDRESSES = "/a/helsinki/planning", "/a/helsinki/records", "/a/helsinki/addresses"

ANN = Rep(
    "ann", "Ann", "ann@example.com", Address("Kaisaniemenkatu 1"), None, "Europe/Helsinki", frozenset(range(5)),
    time(9), time(17),
)  # fmt: skip
BEN = replace(ANN, id="ben", name="Ben", email="")
PROMISE = Booking(
    "helsinki", "b-1", "zoe", date(2026, 12, 1), BookingState.PROMISED, "O1", "Café <Aalto>", "Twin Street 1", 60.17,
    24.94, 60, datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC), Meaning.ARRIVE, "",
    frozenset(), "irene@example.com", "user:irene", MORNING, None,
)  # fmt: skip
"""With somebody who is not among the reps: no plan can keep it."""
BAR = Account("A1", "Bar", Address("Twin Street 1", "Helsinki"))
NORTH, SOUTH = LatLon(60.18, 24.94), LatLon(60.16, 24.95)
DOUBTFUL = Location(
    RecordKind.ACCOUNT,
    "A1",
    BAR.address,
    Verdict.REVIEW,
    None,
    0.5,
    "Twin Street 1, North",
    "There are two.",
    (Candidate(NORTH, "Twin Street 1, North", 0.5), Candidate(SOUTH, "Twin Street 1, South", 0.4)),
)


def job(**changes: Any) -> Job:
    """Somebody's plan that waits."""
    usual: dict[str, Any] = {
        "id": "j1",
        "area": "helsinki",
        "kind": "plan",
        "request": {"first_day": "2026-12-01", "days": 5, "seconds": 60, "work": None, "seed": 1},
        "requested_by": "user:u-admin",
        "created_at": MORNING,
    }
    return Job(**(usual | changes))


def running(fraction: float = 0.25, cost_s: int = 36_000, visits: int = 40) -> Job:
    return job(
        state=JobState.RUNNING,
        attempt=1,
        progress={"what": "searching", "fraction": fraction, "cost_s": cost_s, "visits": visits},
    )


def put(office: Office, *rows: Job) -> None:
    """As a dispatcher writes them."""
    with office.store.write(audited=False) as unit:
        for row in rows:
            unit.jobs.put(row)


def jobs(office: Office) -> list[Job]:
    with office.store.read() as unit:
        return unit.jobs.find()


def dispatcher(office: Office, at: datetime = MORNING, workers: int = 1) -> None:
    """Somebody works on jobs."""
    with office.store.write(audited=False) as unit:
        unit.heartbeats.put(Heartbeat("d1", at, workers))


def hidden(page: str, action: str = "") -> dict[str, str]:
    """The hidden fields of a page's form, by a part of its action."""
    forms = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
    (inside, *_) = [body for target, body in forms if action in target and "/logout" not in target]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', inside))


def send(office: Office, page: str, action: str = "", client: FlaskClient | None = None, **typed: Any) -> TestResponse:
    """Fill in the form of a page and send it."""
    client = client or office.client
    shown = client.get(page)
    assert shown.status_code == 200, shown.get_data(as_text=True)
    fields = hidden(shown.get_data(as_text=True), action) | typed
    return client.post(action or page, data=fields, headers={"Origin": "http://localhost"})


def audited(office: Office) -> list[str]:
    with office.store.read() as unit:
        return [entry.action for entry in unit.audit_log.entries()]
