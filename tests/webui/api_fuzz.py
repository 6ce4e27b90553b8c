"""schemathesis over the OpenAPI document: requests that keep it and requests that break it, to a real app and store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from api_cast import MONDAY, Building, Installation, Program, account, opportunity, rep
from booking_cast import promise
from schemathesis.engine import from_schema
from schemathesis.engine.events import ScenarioFinished

from planner.access import Actor, Role
from webui.auth.authenticating import authenticate as by_session
from webui.policy import Viewer
from webui.streaming import Streams

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
)
"""All that there are for single requests, but that valid data be accepted: no JSON schema knows opening hours."""


@dataclass
class Fuzzed:
    """What came of it: answers by status, and of every failed check the first example of each operation."""

    answers: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)


class Steadfast:
    """Knows a program by its token, also after it has revoked that or disabled its owner, as fuzzing comes to do.

    Each request has an actor of its own, since Idempotency-Keys that come again would keep most writes from being done.
    """

    def __init__(self) -> None:
        self._viewer: Viewer | None = None
        self._number = count(1)

    def __call__(self) -> Viewer | None:
        self._viewer = self._viewer or by_session()
        if self._viewer is None:
            return None
        return replace(self._viewer, actor=Actor(f"token:{next(self._number)}", self._viewer.scope))


def furnished(home: Path) -> tuple[Installation, Program]:
    """Something of everything, so that requests reach further than "there is no such thing"."""
    office = Installation(Building(home, Steadfast()), home)
    office.app.extensions["streams"] = Streams(life_s=0.0)  # says how a job stands, and waits for nothing
    office.keep(rep(), rep("ben"), *(account(f"A{n}", owner_rep_id="ann") for n in range(1, 10)), opportunity())
    office.keep_plan()
    office.keep_review()
    with office.store.write(audited=False) as unit:
        unit.bookings.put(promise("b1"))
    office.program(Role.MANAGER)
    office.program(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    program = office.program()
    program.post("/areas/helsinki/geocoding", {}, 202)
    return office, program


def fuzz(office: Installation, program: Program, examples: int, seed: int, *, coverage: bool) -> Fuzzed:
    """Ask every operation for so many examples; `coverage` adds those that are worked out from the document."""
    with office.store.read() as unit:
        jobs = [job.id for job in unit.jobs.find()]
        users = [user.id for user in unit.users.find() if user.id != program.user_id]
    known = {
        "area": ["helsinki"],
        "version": [1],
        "day": [MONDAY],
        "kind": ["account", "rep"],
        "rep_id": ["ann", "ben"],
        "account_id": ["A1", "A9"],
        "opportunity_id": ["O1"],
        "booking_id": ["b1"],
        "record_id": ["A1", "ann"],
        "job_id": jobs,
        "user_id": users,
    }
    settings: dict[str, Any] = {
        "seed": seed,
        "suppress-health-check": ["all"],
        "headers": program.headers | {"Accept-Encoding": "identity"},
        "dictionaries": {name: {"values": values} for name, values in known.items()},
        "parameters": {f"path.{name}": {"dictionary": name, "probability": 0.7} for name in known},
        "generation": {
            "max-examples": examples,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "checks": {"enabled": False} | {name: {"enabled": True} for name in CHECKS},
        "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": coverage}},
        "cache": {"enabled": False},
    }
    config = schemathesis.Config.from_dict(settings)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", office.app, config=config)
    fuzzed = Fuzzed()
    for event in from_schema(schema).execute():
        if isinstance(event, ScenarioFinished):
            _note(fuzzed, event)
        elif type(event).__name__ in ("NonFatalError", "FatalError"):
            fuzzed.failures[type(event).__name__, str(getattr(event, "label", ""))] = str(event.info)  # type: ignore[attr-defined]
    return fuzzed


def _note(fuzzed: Fuzzed, event: ScenarioFinished) -> None:
    fuzzed.operations.add(event.label or "")
    for id, interaction in event.recorder.interactions.items():
        if interaction.response is not None:
            fuzzed.answers[interaction.response.status_code] += 1
        for check in event.recorder.checks.get(id, []):
            if check.failure_info is not None:
                code = f"{interaction.request.method} {interaction.request.uri} {interaction.request.body!r:.600}"
                answer = interaction.response.content[:400] if interaction.response else b""
                failure = check.failure_info.failure
                fuzzed.failures.setdefault((event.label or "", check.name), f"{failure}\n{code}\n{answer!r}")
