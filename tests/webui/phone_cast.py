"""Ann's phone: an installation in the town, with her days published, and a server that can be killed and started."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

from booking_cast import (
    ANN,
    AREA,
    BAKERY,
    BEN,
    DEAL,
    FLORIST,
    GROCER,
    PLACES,
    built_town,
    located,
    promise,
    spot,
    town_visit,
)
from company_cast import Company
from conftest import running
from flask import Response, request
from plan_cast import MONDAY, MORNING, TUESDAY, plan, rep_day
from playwright.sync_api import BrowserContext

from planner.domain import Record
from planner.fieldwork.domain import FieldEvent, VisitReport
from planner.people.domain import User
from planner.people.sessions import start_session
from planner.repository import StoredPlan
from webui.auth.authenticating import SESSION_COOKIE
from webui.auth.forms import WHO_COOKIE

APP = f"/field/{AREA}/"
PHONE = {"width": 390, "height": 844}
BAKER = replace(BAKERY, contact_name="Berta Baker", contact_phone="+358 40 1234567", contact_email="berta@example.com")


class FieldOffice(Company):
    """Ann visits the bakery and the grocer on Monday, and on Tuesday she is promised to Ostrich & Co."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.clock.now = MORNING
        shutil.rmtree(folder / "areas" / AREA)
        shutil.copytree(built_town(), folder / "areas" / AREA)
        records: tuple[Record, ...] = (ANN, BEN, BAKER, GROCER, FLORIST, DEAL)
        visits = [town_visit(1, BAKER, "09:15", "09:45"), town_visit(2, GROCER, "09:55", "10:25")]
        promised = town_visit(1, DEAL, "10:15", "11:00") | {"kind": "appointment", "visit_id": "opportunity:O1"}
        days = [rep_day("ann", visits), rep_day("b/1", []), rep_day("ann", [promised], TUESDAY)]
        home = spot(*PLACES["ann"])
        for day in days:
            for end in ("start", "end"):
                day[end] |= {"lat": home.lat, "lon": home.lon, "address": "1 Bridge Street"}
        with self.store.write(audited=False) as unit:
            for record in records:
                unit.records(AREA).save_locations(located(record, spot(*PLACES[record.id])))
                unit.records(AREA).save(record)
            unit.plans(AREA).add(
                StoredPlan(0, AREA, date.fromisoformat(MONDAY), 2, MORNING, MORNING, 6, 0, 3600, plan(days))
            )
            unit.bookings.put(promise())
        self.app.after_request(self._dated)

    def _dated(self, response: Response) -> Response:
        """The server's clock in its answers is the office's."""
        response.date = self.clock.now
        return response

    def reports(self) -> list[VisitReport]:
        with self.store.read() as unit:
            return unit.visit_reports.find()

    def hear(self, instead: Callable[[str], Any], *, too_late: bool = False) -> None:
        """Have what phones send answered by `instead`, given the request's text; by the app itself where it is None.

        `too_late`: the app has done what was sent all the same, and only its answer is lost.
        """
        route = "api.send_field_events"
        view = self.app.view_functions[route]

        @wraps(view)
        def heard(**parts: Any) -> Any:
            answer = view(**parts) if too_late else None
            return instead(request.get_data(as_text=True)) or answer or view(**parts)

        self.app.view_functions[route] = heard

    def events(self) -> list[FieldEvent]:
        with self.store.read() as unit:
            return unit.field_events.find()


class Server:
    """Serves the office's app on one port, or does not."""

    def __init__(self, office: Company) -> None:
        self.office = office
        self.port = 0
        self._running = ExitStack()
        self.start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        base = self._running.enter_context(running(self.office.app, self.port))
        self.port = int(base.rpartition(":")[2])

    def kill(self) -> None:
        self._running.close()


def let_in(context: BrowserContext, server: Server, who: User) -> None:
    """Give a browser somebody's session, as logging in does."""
    office = server.office
    with office.store.write(audited=False) as unit:
        secret, _ = start_session(unit, office.stored(who), office.clock(), "127.0.0.1", "tests")
    context.clear_cookies()
    lasting = {"url": server.base, "expires": time.time() + 86_400}
    context.add_cookies(
        [
            {"name": SESSION_COOKIE, "value": secret, "httpOnly": True} | lasting,
            {"name": WHO_COOKIE, "value": who.id} | lasting,
        ]
    )
