"""A phone that shows a day written by hand: the real page and log-in, and answers of the API that a test decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from accessibility import PHONE
from company_cast import Company
from conftest import Watched
from playwright.sync_api import Page, Route, expect

from planner.fieldwork.phone.document import DEALS, DISPOSITIONS, SEVERITIES
from planner.fieldwork.templates import USUAL_TEMPLATES
from planner.people.sessions import start_session
from webui.auth.authenticating import SESSION_COOKIE
from webui.auth.forms import WHO_COOKIE

MONDAY = "2026-11-30"
HOME = (51.5820, -3.0210)
"""Of the rep, in Newport; the zone is London's, so that in winter times are UTC's."""


def at(clock: str, day: str = MONDAY) -> str:
    return f"{day}T{clock}:00+00:00"


def later(moment: str, minutes: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(minutes=minutes)).isoformat()


def stop(number: int, name: str, begin: str, day: str = MONDAY, **changes: Any) -> dict[str, Any]:
    """A due customer's half an hour, twelve minutes of driving from the stop before."""
    lat, lon = HOME[0] + 0.004 * (number % 3), HOME[1] + 0.006 * number
    point = f"{lat:.6f},{lon:.6f}"
    begins = at(begin, day)
    made: dict[str, Any] = {
        "visit_id": f"account:A{number}", "stop": number, "kind": "due", "name": name,
        "address": f"{number} Commercial Street, Newport NP20 1LR", "lat": lat, "lon": lon,
        "drive_seconds": 720, "drive_metres": 4300, "arrive": later(begins, -5), "parking_minutes": 5, "begin": begins,
        "leave": later(begins, 30), "why": "14 days overdue", "late": False, "deadline": None, "rides_with": [],
        "promise": None, "hours": "Mo-Fr 09:00-17:30",
        "contact": {"name": "Gwen Price", "phone": "+44 1633 555 014", "email": "gwen@example.com"},
        "links": [
            {"name": "Navigate", "url": f"geo:{point}?q={point}(stop)"},
            {"name": "Google Maps", "url": f"https://www.google.com/maps/dir/?api=1&destination={point}"},
            {"name": "Apple Maps", "url": f"https://maps.apple.com/?daddr={point}"},
            {"name": "Waze", "url": f"https://waze.com/ul?ll={point}&navigate=yes"},
        ],
        "account": {
            "id": f"A{number}", "name": name, "segment": "A", "cadence_days": 14, "last_visit": "2026-11-02",
            "annual_value": 6052.0, "minutes": {"expected": 30, "source": "learned", "visits": 4},
        },
        "opportunity": None, "last_reports": [], "visit": None, "report": None,
    }  # fmt: skip
    return made | changes


def visit(**known: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("arrived_at", "left_at", "dwell_minutes", "disposition", "verdict"))
    return nothing | {"report_id": ""} | known


def promise(start: str, end: str, day: str = MONDAY, call: str = "") -> dict[str, Any]:
    return {
        "booking_id": "B1", "start": at(start, day), "end": at(end, day), "meaning": "arrive",
        "text": f"between {start} and {end}", "call": call,
    }  # fmt: skip


DEAL: dict[str, Any] = {
    "id": "O7", "value": 31169.0, "probability": 0.4, "notes": "Wants to replace the till before Christmas.",
    "bant": [
        {"question": "need", "answer": "yes", "said_by": "Gwen Price", "said_on": "2026-11-20"},
        {"question": "budget", "answer": "no", "said_by": "", "said_on": None},
        {"question": "authority", "answer": "unknown", "said_by": "", "said_on": None},
        {"question": "timeline", "answer": "this month", "said_by": "", "said_on": None},
    ],
    "inside_rep": "ines@example.com", "state": "booked", "deadline": at("17:00", "2026-12-04"),
}  # fmt: skip
LAST = {
    "day": "2026-11-02", "rep": "Ann", "disposition": "met", "text": "Likes the new range; asks for samples.",
    "next_step": "Visit again", "next_step_on": MONDAY, "concern": "Price",
}  # fmt: skip


def day_of(date: str, stops: Sequence[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    home = {"hotel": "", "address": "3 Orchard Rise, Newport", "lat": HOME[0], "lon": HOME[1], "links": []}
    made: dict[str, Any] = {
        "date": date, "revision": 0, "works": True, "plan_version": 3, "work_start": at("08:30", date),
        "work_end": at("17:30", date), "start": home | {"time": at("08:40", date)},
        "end": home | {"time": at("16:40", date)}, "break": {"start": at("12:00", date), "end": at("12:45", date)},
        "break_missed": None,
        "return_drive_seconds": 900, "return_drive_metres": 6100, "note": "",
        "progress": {"after": "", "leave_at": None, "finish_by": None, "sick": False, "order": []},
        "stops": list(stops), "left_out": [],
        "roads": [],
    }  # fmt: skip
    return made | changes


def document() -> dict[str, Any]:
    """Ann's week from Monday: five stops today, one of them a promise about an opportunity; two tomorrow."""
    promised = stop(
        2, "Bread & Co", "10:30", visit_id="opportunity:O7", kind="appointment", promise=promise("10:00", "11:00"),
        why="Promised first visit", opportunity=DEAL, account=None, last_reports=[LAST],
        rides_with=[{"name": "Till & Son"}],
    )  # fmt: skip
    today = [
        stop(1, "Willow Carpets", "09:15"),
        promised,
        stop(3, "Red Door Lets", "11:20"),
        stop(4, "Pier Paints", "13:10", kind="nearby", why="On the way; due in 6 days"),
        stop(5, "Blue Heron Prints", "14:00"),
    ]
    tomorrow = [
        stop(n, name, begin, "2026-12-01")
        for n, name, begin in ((6, "Harbour Books", "09:00"), (7, "Maple Motors", "10:05"))
    ]
    days = [day_of(MONDAY, today), day_of("2026-12-01", tomorrow)]
    days += [day_of(f"2026-12-0{n}", []) for n in (2, 3, 4)]
    days += [day_of(f"2026-12-0{n}", [], works=False) for n in (5, 6)]
    customers = [
        {
            "visit_id": f"account:C{n}", "name": name, "address": f"{n} Chepstow Road, Newport",
            "lat": HOME[0] + n / 500, "lon": HOME[1], "due_on": due, "minutes": 30,
            "contact": {"name": "", "phone": "", "email": ""},
        }
        for n, name, due in ((9, "Corner Pantry", "2026-11-20"), (2, "Pip's Pets", MONDAY), (5, "Café Élan", None))
    ]  # fmt: skip
    return {
        "area": "helsinki", "rep": {"id": "ann", "name": "Ann", "timezone": "Europe/London"}, "user": {},
        "generated_at": at("08:00"), "today": MONDAY, "templates": [each.as_json() for each in USUAL_TEMPLATES],
        "dispositions": list(DISPOSITIONS), "deals": list(DEALS), "severities": list(SEVERITIES), "days": days,
        "customers": customers, "conflicts": [], "csrf": "token",
    }  # fmt: skip


def as_plan(day: dict[str, Any]) -> dict[str, Any]:
    """A day as a preview shows it."""
    return deepcopy(day) | {"rep_id": "ann", "rep_name": "Ann", "timezone": "Europe/London", "totals": {}}


@dataclass
class FieldPhone:
    """A phone with Ann logged in. `document` is what the server says, `preview` what it answers to a wish."""

    watched: Watched
    base: str
    document: dict[str, Any]
    preview: dict[str, Any] | None = None
    signal: bool = True
    sent: list[dict[str, Any]] = field(default_factory=list)
    wishes: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.watched.page

    def answer(self, route: Route) -> None:
        address = route.request.url
        if not self.signal:
            route.abort()
        elif "/field-events" in address:
            events = json.loads(route.request.post_data or "{}")["events"]
            self.sent += events
            self._note_arrivals(events)
            told = [{"id": event["id"], "outcome": "taken", "message": "", "field": ""} for event in events]
            route.fulfill(json={"events": told})
        elif "/repairs/" in address:
            self.wishes.append(address)
            route.fulfill(json=self.preview)
        else:
            route.fulfill(json=self.document, headers={"ETag": f'"{hash(json.dumps(self.document))}"'})

    def _note_arrivals(self, events: list[dict[str, Any]]) -> None:
        """The server's next document says who has arrived; nothing else that is sent comes back."""
        for event in events:
            for entry in self.document["days"][0]["stops"]:
                if event["kind"] == "arrived" and event["visit_id"] == entry["visit_id"]:
                    entry["visit"] = visit(arrived_at=event["made_at"])

    def sending(self) -> Any:
        """A context within which something is sent."""
        return self.page.expect_response(lambda response: "/field-events" in response.url)

    def show(self, hash_: str = "#/today", clock: str = "08:00", day: str = MONDAY) -> Page:
        """Open the app at a view and a time of day."""
        self.page.clock.set_fixed_time(at(clock, day))
        self.page.goto("about:blank")
        self.page.goto(f"{self.base}/field/helsinki/{hash_}")
        expect(self.page.locator("h1").first).to_be_visible()
        expect(self.page.locator(".field-updated")).to_be_visible()
        return self.page


Watch = Callable[..., Watched]


class Shop:
    """Makes phones of one installation that is served."""

    def __init__(self, office: Company, base: str) -> None:
        self.office = office
        self.base = base

    def phone(self, watch: Watch, told: dict[str, Any] | None = None, **options: Any) -> FieldPhone:
        phone = FieldPhone(watch(**{"viewport": PHONE} | options), self.base, told or document())
        ann = self.office.ann
        phone.document["user"] = {"id": ann.id, "name": ann.name}
        with self.office.store.write(audited=False) as unit:
            secret, _ = start_session(unit, self.office.stored(ann), self.office.clock(), "127.0.0.1", "tests")
        cookies = {SESSION_COOKIE: secret, WHO_COOKIE: ann.id}
        page = phone.page
        page.context.add_cookies([{"name": name, "value": value, "url": self.base} for name, value in cookies.items()])
        # A worker would answer before a route of Playwright's does; test_field_app.py is about it.
        page.add_init_script("delete Navigator.prototype.serviceWorker")
        identity = {
            "user": phone.document["user"], "reps": [{"id": "ann", "name": "Ann"}], "areas": ["helsinki"],
            "csrf": "token",
        }  # fmt: skip
        page.route("**/api/v1/**", phone.answer)
        page.route("**/identity.json", lambda route: route.fulfill(json=identity))
        return phone
