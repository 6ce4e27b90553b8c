"""A town of six streets, two reps with a few visits, and the calls in which visits are booked there."""

from __future__ import annotations

import html
import math
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import mkdtemp
from typing import Any

from plan_cast import MORNING, TUESDAY, Office, plan, rep_day, stop, viewer
from werkzeug.test import TestResponse
from writing_cast import hidden

from planner.access import Role
from planner.domain import Account, Address, Location, Opportunity, Record, RecordKind, Rep, addresses_of
from planner.slots.domain import Booking, BookingState, Meaning
from routing.area import Areas
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon

AREA = "helsinki"
BOOK = f"/a/{AREA}/book"
CENTRE = LatLon(60.17, 24.94)
EAST_WEST, NORTH_SOUTH = (
    ("Bridge Street", "Market Street", "Mill Lane"),
    ("Station Road", "Church Road", "Harbour Road"),
)
BLOCK_M = 600

INES = viewer(Role.INSIDE_REP, id="u-ines", email="ines@example.com", name="Ines", area=AREA)
IVAN = viewer(Role.INSIDE_REP, id="u-ivan", email="ivan@example.com", name="Ivan", area=AREA)


def spot(east_m: float, north_m: float) -> LatLon:
    """A place so many metres from the south-west corner of the town."""
    lat = CENTRE.lat + north_m / 111_195
    return LatLon(round(lat, 6), round(CENTRE.lon + east_m / (111_195 * math.cos(math.radians(CENTRE.lat))), 6))


def _write_town(file: Path) -> Path:
    """Three streets that run east, three that run north across them, and doors 100 m apart on all."""
    nodes, ways, number = [], [], 0

    def node(east_m: float, north_m: float, **tags: str) -> int:
        nonlocal number
        number += 1
        place = spot(east_m, north_m)
        inside = "".join(f'<tag k="{key.replace("_", ":")}" v="{value}"/>' for key, value in tags.items())
        nodes.append(f'<node id="{number}" version="1" lat="{place.lat}" lon="{place.lon}">{inside}</node>')
        return number

    corners = [[node(BLOCK_M * x, BLOCK_M * y) for x in range(3)] for y in range(3)]
    streets = [*zip(EAST_WEST, corners, strict=True), *zip(NORTH_SOUTH, zip(*corners, strict=True), strict=True)]
    for i, (name, refs) in enumerate(streets, start=1):
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        ways.append(
            f'<way id="{i}" version="1">{inside}<tag k="highway" v="residential"/><tag k="name" v="{name}"/></way>'
        )
    for line, (east_west, north_south) in enumerate(zip(EAST_WEST, NORTH_SOUTH, strict=True)):
        for door in range(1, 12):
            tags = {"addr_housenumber": str(door), "addr_city": "Toytown", "addr_postcode": f"0010{line}"}
            node(100 * door, BLOCK_M * line + 8, addr_street=east_west, **tags)
            node(BLOCK_M * line + 8, 100 * door, addr_street=north_south, **tags)
    inside = "\n".join((*nodes, *ways))
    file.write_text(f'<?xml version="1.0"?><osm version="0.6">{inside}</osm>', encoding="utf-8")
    return file


@cache
def built_town() -> Path:
    """The area's folder, built once a process."""
    home = Path(mkdtemp(prefix="fieldvisit-town-"))
    Areas(home).add(AREA, _write_town(home / "town.osm"))
    return home / AREA


def located(record: Record, place: LatLon) -> list[Location]:
    found = (Candidate(place, "found", 1.0),)
    return [
        Location(kind, key, address, Verdict.MATCHED, place, 1.0, "found", "Found.", found)
        for kind, key, address in addresses_of(record)
    ]


ANN = Rep(
    "ann", "Ann Lindqvist", "ann@example.com", Address("1 Bridge Street"), None, "Europe/Helsinki", frozenset(range(5)),
    time(9), time(17), skills=frozenset({"wine"}), languages=frozenset({"swedish"}),
)  # fmt: skip
BEN = replace(ANN, id="b/1", name="Ben Virtanen", email="", skills=frozenset(), languages=frozenset())
BAKERY = Account(
    "A1", "Secret Bakery", Address("4 Bridge Street"), owner_rep_id="ann", segment="A", cadence_days=28,
    last_visit=date(2026, 11, 2), last_order=date(2026, 11, 1), visit_minutes=30,
)  # fmt: skip
GROCER = replace(BAKERY, id="A2", name="Secret Grocer", address=Address("6 Market Street"))
FLORIST = replace(BAKERY, id="A3", name="Secret Florist", address=Address("8 Market Street"))
DEAL = Opportunity("O1", "Ostrich & Co", Address("7 Market Street", "Toytown"), "", "Olga Onnela", need="yes",
                   budget="yes", authority="yes", timeline="this quarter", visit_minutes=45,
                   inside_rep="ines@example.com")  # fmt: skip
PLACES = {"ann": (100, 8), "b/1": (100, 8), "A1": (400, 8), "A2": (600, 608), "A3": (800, 608), "O1": (700, 608)}


class CallOffice(Office):
    """An office in the town, with a published week: Ann visits the bakery and the grocer on Monday."""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, now=MORNING, **({"viewer": INES} | options))
        copytree(built_town(), folder / AREA)
        for record in (ANN, BEN, BAKERY, GROCER, FLORIST, DEAL):
            self.know(record, *located(record, spot(*PLACES[record.id])))
        visits = [town_visit(1, BAKERY, "09:15", "09:45"), town_visit(2, GROCER, "09:55", "10:25")]
        days = [rep_day("ann", visits), rep_day("b/1", []), rep_day("ann", [], TUESDAY)]
        home = spot(*PLACES["ann"])
        for day in days:
            for end in ("start", "end"):
                day[end] |= {"lat": home.lat, "lon": home.lon, "address": "1 Bridge Street"}
        self.keep(plan(days), published_at=MORNING)

    def hold(self, slot: int = 0, address: str = "5 Mill Lane", **asked: str) -> str:
        """Search as a browser does, take a time, and give the address of its page."""
        found = self.client.get(f"{BOOK}/slots", query_string={"address": address, "minutes": "60"} | asked)
        page = found.get_data(as_text=True)
        sent = self.press(page, values(page)[slot])
        assert sent.status_code == 303, sent.get_data(as_text=True)
        where: str = sent.headers["Location"]
        return where

    def press(self, page: str, slot: str) -> TestResponse:
        """Press the button of a time on a page."""
        form = page[page.index("<form", page.index("data-summary")) :]
        return self.client.post(BOOK, data=hidden(form, BOOK) | {"slot": slot}, headers={"Origin": "http://localhost"})

    def booking(self, address: str) -> Booking:
        with self.store.read() as unit:
            found = unit.bookings.get(AREA, address.rpartition("/")[2])
        assert found is not None
        return found

    def bookings(self) -> list[Booking]:
        with self.store.read() as unit:
            return unit.bookings.find()


def values(page: str) -> list[str]:
    """What the buttons of a page's times send, each once."""
    return list(dict.fromkeys(html.unescape(text) for text in re.findall(r'name="slot" value="([^"]*)"', page)))


def promise(id: str = "p1", **changes: Any) -> Booking:
    """Ann is promised to Ostrich & Co on Tuesday."""
    place = spot(*PLACES["O1"])
    usual: dict[str, Any] = {
        "area": AREA, "id": id, "rep_id": "ann", "day": date.fromisoformat(TUESDAY), "state": BookingState.PROMISED,
        "opportunity_id": "O1", "name": "Ostrich & Co", "address": "7 Market Street, Toytown", "lat": place.lat,
        "lon": place.lon, "service_minutes": 45, "start": datetime(2026, 12, 1, 8, tzinfo=UTC),
        "end": datetime(2026, 12, 1, 9, tzinfo=UTC), "meaning": Meaning.ARRIVE, "hours": "", "skills": frozenset(),
        "inside_rep": "ines@example.com", "made_by": "user:u-ines", "made_at": MORNING, "expires_at": None,
    }  # fmt: skip
    return Booking(**(usual | changes))


def town_visit(number: int, account: Account, begin: str, leave: str) -> dict[str, Any]:
    place = spot(*PLACES[account.id])
    ids = {"visit_id": f"{RecordKind.ACCOUNT}:{account.id}", "record_ids": [account.id]}
    return stop(number, begin, leave, **ids, name=account.name, address=str(account.address), lat=place.lat,
                lon=place.lon)  # fmt: skip
