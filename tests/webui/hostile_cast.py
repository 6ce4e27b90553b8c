"""An installation in which every text that a person can write is hostile, and a browser's way through all its pages."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from figures_cast import capacity, coverage, keep, overdue
from hostile import LONG
from plan_cast import HOME, MONDAY, Skeleton, plan, rep_day, stop, unplanned
from playwright.sync_api import Error, Page
from shapely.geometry import Polygon
from werkzeug.exceptions import HTTPException

from planner.access import PERMISSIONS, Role
from planner.coverage.domain import Coverage, TerritoryCover
from planner.domain import MAX_NOTES, MAX_TEXT, Account, Address, Location, Opportunity, RecordKind, Rep
from planner.fieldwork.domain import DayProgress, DealOutcome, Disposition, FieldVisit, Severity, VisitReport
from planner.hotels.domain import Hotel
from planner.idempotency import Answer
from planner.jobs.domain import Job, JobState
from planner.people.domain import User
from planner.people.sessions import start_session
from planner.people.tokens import issue_token
from planner.rep_days import RepDayNote
from planner.repository import StoredPlan, UnitOfWork
from planner.scenarios.changes import Changes, Hours, NewRep
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.keeping import records_stamp
from planner.scenarios.outcome import Month, Move, Outcome, RepMonth, Standing, Why
from planner.settings import LoginSettings, Settings
from planner.slots.domain import Booking, BookingState, Meaning
from planner.storage import open_store
from planner.territories.domain import Territory, TerritorySource
from routing.area import Areas
from routing.boundaries import Boundaries, Boundary, BoundaryKind
from routing.businesses import Business, Businesses
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon
from webui.app import create_app
from webui.streaming import Streams

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)

NO_PAGES = frozenset({
    "field_app.first_area", "field_app.manifest", "field_app.service_worker", "field_app.identity",
    "assets.serve", "pages.basemap", "pages.plan_json", "planning.live", "planning.events", "records.example",
    "booking.addresses", "booking.slots", "booking.days", "promises.calendar",
    "scenarios.places", "feeds.calendar", "day_sheets.track", "my_data.download", "records.refusals", "health.alive",
    "health.ready", "health.metrics", "sign_on.begin", "sign_on.back",
    "coverage_map.accounts", "coverage_map.customers", "coverage_map.territories", "coverage_map.white_space",
    "coverage_map.isochrones", "territories.white_space_sheet", "coverage.customers_sheet", "pipeline.listed_sheet",
})  # fmt: skip
"""Routes that answer something else than a page."""
NOT_WHEN_LOGGED_IN = frozenset({"login.login", "login.setup", "login.invitation"})
FIRST = ("/", "/a/helsinki/handoffs", "/a/helsinki/opportunity/new", "/a/helsinki/records/imports/form-hostile",
         "/account/second-factor",
         "/a/helsinki/bookings/hostile",
         "/a/helsinki/scenarios/hostile0", "/a/helsinki/scenarios/compare?with=hostile0&with=hostile1")  # fmt: skip


class House:
    """The installation; `admin`, `rep` and `inside` are secrets of sessions."""

    def __init__(self, folder: Path, payloads: Sequence[str]) -> None:
        self.store = open_store(f"sqlite:///{folder / 'fieldvisit.sqlite'}")
        weakref.finalize(self, self.store.close)
        (folder / "areas" / "helsinki").mkdir(parents=True)
        (folder / "areas" / "helsinki" / "area.json").write_text("{}")
        _map(payloads, folder / "areas" / "helsinki")
        settings = Settings(home=folder, database_url="")
        self.app = create_app(self.store, Areas(folder / "areas"), settings, lambda: NOW)
        self.app.extensions["streams"] = Streams(most=100, life_s=0.0, pause=lambda seconds: None)
        self.fill(payloads)

    def fill(self, payloads: Sequence[str]) -> None:
        """Write the texts wherever something takes them."""
        texts = [text[:MAX_TEXT] for text in payloads if "\0" not in text]
        reps = texts[:: max(1, len(texts) // 8)]
        with self.store.write(audited=False) as unit:
            records = unit.records("helsinki")
            for number, text in enumerate(texts):
                owner = reps[number % len(reps)]
                home = Address(text, text, text, text)
                if text in reps:
                    records.save(Rep(text, text, text, home, Address("End"), "Europe/Helsinki",
                                     frozenset(range(5)), time(9), time(17)))  # fmt: skip
                    unit.rep_day_notes.put(RepDayNote("helsinki", text, date.fromisoformat(MONDAY), 1, text))
                records.save(Account(text, text, home, text, text, owner, attributes={text: text}))
                records.save(
                    Opportunity(text, text, home, text, text, text, timeline=text, notes=LONG,
                                inside_rep="ines@example.com", need="yes" if number % 2 else "no",
                                required_skills=frozenset({text}), attributes={text: text})
                )  # fmt: skip
                kinds = (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY)
                records.save_locations([_doubtful(kind, text, home) for kind in kinds])
                unit.audit("record.saved", text, area=text, detail=text)
                unit.visit_reports.put(_reported(number, owner, text))
                unit.field_visits.put(
                    FieldVisit("helsinki", owner, NOW.date(), text, text, text, "ines@example.com", NOW, NOW, 1)
                )
            unit.bookings.put(_promise(texts, reps[0]))
            keep(unit, _covered(texts, reps))
            for number, text in enumerate(texts):
                if len(text) <= 200 and text.strip():
                    unit.territories.put(_territory(number, text, reps[number % len(reps)]))
                    unit.hotels.put(Hotel("helsinki", f"hotel{number}", 1, text, text, 60.17, 24.95))
            for rep in reps:
                unit.day_progress.put(
                    DayProgress("helsinki", rep, NOW.date(), 1, left_out={f"account:{text}": text for text in texts})
                )
            lost = {f"{RecordKind.OPPORTUNITY}:{texts[0]}": " ".join(texts)[:MAX_NOTES]}
            unit.day_progress.put(DayProgress("helsinki", reps[0], date(2026, 12, 1), 1, to_call=lost))
            document = _plan(texts, reps)
            for published in (NOW, None):
                unit.plans("helsinki").add(
                    StoredPlan(0, "helsinki", date(2026, 11, 30), 2, NOW, published, 6, 0, 3600, document)
                )
            for number, text in enumerate(texts[:: max(1, len(texts) // 20)]):
                unit.jobs.put(_job(number, text))
                unit.users.put(_user(f"u{number}", f"u{number}@example.com", text, Role.MANAGER))
            people = {
                name: _user(name, f"{name}@example.com", text, role, reps_)
                for name, text, role, reps_ in (
                    ("adele", texts[0], Role.ADMIN, None),
                    ("rita", texts[-1], Role.FIELD_REP, frozenset(reps)),
                    ("ines", texts[len(texts) // 2], Role.INSIDE_REP, None),
                )
            }
            self.secrets = {}
            for name, user in people.items():
                unit.users.put(user)
                self.secrets[name] = start_session(unit, user, NOW, "192.0.2.1", texts[0])[0]
            for text in texts[:: max(1, len(texts) // 20)]:
                start_session(unit, people["adele"], NOW, "192.0.2.1", text)
                may, login = PERMISSIONS[Role.ADMIN], LoginSettings()
                _, token = issue_token(unit, people["adele"], "token", may, None, NOW, login)
                unit.tokens.put(replace(token, name=text))
            for number in range(2):
                unit.scenarios.put(_scenario(number, [text for text in texts if len(text) <= 200], reps, unit))
            kept = json.dumps({"area": "helsinki", "files": [_report(texts)]})
            unit.answers.put(Answer("user:adele", "form-hostile", "", 200, kept, NOW))

    def pages(self, name: str, most: int = 2) -> dict[str, list[str]]:
        """Addresses of the pages that somebody is led to, by what their routes are called, so many of each at most."""
        client = self.app.test_client(use_cookies=False)
        router = self.app.url_map.bind("localhost")
        found: dict[str, list[str]] = {}
        waiting, seen = list(FIRST), set(FIRST)
        while waiting:
            address = waiting.pop(0)
            try:
                endpoint, _ = router.match(urlsplit(address).path)
            except HTTPException:
                continue
            if endpoint in NO_PAGES or len(found.get(endpoint, [])) >= most:
                continue
            response = client.get(address, headers={"Cookie": f"fieldvisit={self.secrets[name]}"})
            assert response.status_code < 500, (address, response.get_data(as_text=True)[:500])
            if response.status_code == 200 and response.mimetype == "text/html":
                found.setdefault(endpoint, []).append(address)
                links = [
                    link.split("#")[0] for link in Skeleton(response.get_data(as_text=True)).links if link[0] == "/"
                ]
                waiting += [link for link in dict.fromkeys(links) if link not in seen]
                seen.update(links)
        return found

    def all_pages(self) -> set[str]:
        """What the routes of all pages are called."""
        rules = self.app.url_map.iter_rules()
        gets = {rule.endpoint for rule in rules if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/")}
        return gets - NO_PAGES - NOT_WHEN_LOGGED_IN


def poke(page: Page, address: str) -> None:
    """Open a page and touch what can be touched on it."""
    response = page.goto(address, wait_until="load")
    assert response is not None
    assert response.status == 200, address
    assert page.locator("h1").first.inner_text().strip(), address
    page.evaluate("document.querySelectorAll('details').forEach(node => node.open = true)")
    page.evaluate("document.querySelectorAll('input, textarea, a, button').forEach(node => node.focus())")
    if page.locator(".day-map").count():
        page.wait_for_selector(".leaflet-marker-icon")
        for button in page.locator(".stops-title").all()[:2]:
            button.click()


def ran(page: Page) -> bool:
    """Whether something hostile has run on the page."""
    with suppress(Error):
        return page.evaluate("window.__ran !== undefined") is True
    return True  # the page has been led elsewhere


def watched(page: Page, note: Callable[[str], None], base: str) -> None:
    """Tell of every dialog, complaint, and request that leaves the page."""
    page.on("dialog", lambda dialog: (note(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: note(f"uncaught {error}"))
    page.on("console", lambda said: said.type in ("error", "warning") and note(f"console {said.text}"))
    page.on("request", lambda sent: sent.url.startswith((base, "data:", "blob:")) or note(f"request {sent.url}"))


def _plan(texts: Sequence[str], reps: Sequence[str]) -> str:
    """A plan in which every word that came from a record is hostile, and everybody is in it."""
    days = []
    for number, rep in enumerate(reps):
        visits = [
            stop(place, f"{9 + place // 4:02}:{place % 4 * 15:02}", f"{9 + place // 4:02}:{place % 4 * 15 + 5:02}",
                 name=text, address=text, why=text, record_ids=[text], visit_id=text, worth_because=text,
                 handoff_missing=[text], kind=("appointment", "opportunity", "due", "nearby")[place % 4],
                 added_minutes=9, alternative=_elsewhere(text, rep))
            for place, text in enumerate(texts[number :: len(reps)], start=1)
        ]  # fmt: skip
        day = rep_day(stops=visits[:28]) | {"rep_id": rep, "rep_name": rep}
        for end in ("start", "end"):
            day[end] |= {**HOME, "address": rep, "hotel": {"id": rep, "name": rep, "minutes": 120}}
        days.append(day)
    listed = [{"record_id": text, "name": text, "sentence": text} for text in texts]
    broken = {"kind": "appointment", "reason": "appointment_impossible"}
    left_out = [
        unplanned(text, name=text, sentence=text, rules=[text, "worth"], repair=_repair(text, reps[0]), **more)
        for text in texts
        for more in ({}, broken)
    ]
    return plan(days, unplanned=left_out, returned_to_inside=listed, dormant=listed, notes=list(texts))


def _elsewhere(text: str, rep: str) -> dict[str, Any]:
    where = {"rep_id": rep, "rep_name": text, "date": MONDAY, "after": text, "after_name": text}
    return {**where, "added_minutes": 18, "difference_minutes": 9}


def _repair(text: str, rep: str) -> dict[str, Any]:
    return {"kind": text, "sentence": text, "minutes": 9, "rep_id": rep, "date": MONDAY, "visit_id": text}


def _covered(texts: Sequence[str], reps: Sequence[str]) -> Coverage:
    """Every customer is overdue, every rep short of hours, and every word hostile."""
    late = [
        overdue(text, 20 + number, reps[number % len(reps)], name=text, segment=text, territory_id=text, why=text,
                unreached="no_time_left", planned_rep=reps[0])
        for number, text in enumerate(texts)
    ]  # fmt: skip
    short = [capacity(rep, 200, name=rep) for rep in reps]
    return coverage(late, short, [TerritoryCover(text, text, reps[0]) for text in texts], notes=tuple(texts))


def _doubtful(kind: RecordKind, text: str, address: Address) -> Location:
    found = (Candidate(LatLon(60.17, 24.95), text, 0.5),)
    return Location(kind, text, address, Verdict.REVIEW, None, 0.5, "", text, found)


def _promise(texts: Sequence[str], rep: str) -> Booking:
    start, everything = datetime(2026, 12, 1, 9, tzinfo=UTC), " ".join(texts)[:MAX_NOTES]
    return Booking(
        "helsinki", "hostile", rep, start.date(), BookingState.PROMISED, texts[0], everything, everything, 60.17, 24.95,
        30, start, start.replace(hour=10), Meaning.ARRIVE, "", frozenset(), "ines@example.com", "user:ines", NOW, None,
    )  # fmt: skip


def _reported(number: int, rep: str, text: str) -> VisitReport:
    """Everything that a rep can write into a report of a visit."""
    return VisitReport(
        "helsinki", f"report{number}", rep, NOW.date(), text, text, text, "ines@example.com", NOW, "user:rita",
        Disposition.MET, DealOutcome.RETURNED, text, NOW.date(), text, text, Severity.HIGH, text, text, 1.0, text,
    )  # fmt: skip


def _map(payloads: Sequence[str], folder: Path) -> None:
    """Boundaries and businesses, as anybody may have written them into OpenStreetMap."""
    shape = Polygon([(24.9, 60.1), (25.0, 60.1), (25.0, 60.2)])
    texts = [text for text in payloads if text.strip() and "\0" not in text]
    bounds = (Boundary(text, BoundaryKind.ADMINISTRATIVE, 8, text, shape) for text in texts)
    Boundaries(tuple(bounds), tuple(texts)).save(folder)
    shops = (Business(f"n{n}", f"{text} zwei", text, 60.17, 24.94, text, text, text) for n, text in enumerate(texts))
    Businesses(tuple(shops)).save(folder)


def _territory(number: int, text: str, rep: str) -> Territory:
    ring = [[24.9, 60.1], [25.0, 60.1], [25.0, 60.2 + number / 10_000], [24.9, 60.1]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return Territory("helsinki", f"t{number}", 1, text, rep if len(rep) <= 200 else "", TerritorySource.DRAWN, shape)


def _scenario(number: int, texts: Sequence[str], reps: Sequence[str], unit: UnitOfWork) -> Scenario:
    """Every customer would get another rep, and half of them are pinned to theirs."""
    short = [rep for rep in reps if rep in texts]
    new = NewRep(
        "new", texts[0], Address(texts[0]), LatLon(60.17, 24.95), texts[0], Hours(frozenset([0]), time(9), time(17))
    )
    months = tuple(RepMonth(rep, rep, Standing.STAYS, Month(9, there=600.0), Month(9, there=600.0)) for rep in short)
    moves = tuple(Move(text, short[0], short[-1], 60.0, Why.EVEN) for text in texts)
    outcome = Outcome(NOW.date(), records_stamp(unit, "helsinki"), months, moves, gap=0.01, notes=tuple(texts))
    changes = Changes(
        new_reps=(new,),
        removed=frozenset(short[1:2]),
        segments=dict.fromkeys(texts, 7),
        accounts=dict.fromkeys(texts, 7),
        pins=dict.fromkeys(texts[::2], short[0]),
    )
    return Scenario(
        "helsinki", f"hostile{number}", 1, texts[0], ScenarioState.COMPUTED, changes.as_json(), "user:u0", NOW, "",
        outcome.as_json(), NOW,
    )  # fmt: skip


def _job(number: int, text: str) -> Job:
    kind, state = ("plan", JobState.FAILED) if number % 3 else ("geocode", JobState.RUNNING)
    asked: dict[str, Any] = {"first_day": MONDAY, "days": 5, "seconds": 60, "work": None, "seed": 1, "again": False}
    progress = {"what": text, "fraction": 0.5}
    return Job(f"job{number}", "helsinki", kind, asked, f"user:u{number}", NOW, state, 1, progress=progress, error=text)


def _user(id: str, email: str, name: str, role: Role, reps: frozenset[str] | None = None) -> User:
    area = None if role is Role.ADMIN else "helsinki"
    return User(id, email, name, role, area, reps, "", "", 0, (), False, 1, NOW)


def _report(texts: Iterable[str]) -> dict[str, Any]:
    rows = [(2, text, text, text) for text in texts]
    return {
        "file": rows[0][1],
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "notes": [r[1] for r in rows],
        "refusals": rows,
    }
