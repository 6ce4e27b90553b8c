"""Two areas with people of every role, in which everything that is written shows whose it is.

In helsinki Mona manages a team of Ann and Cleo, and Ben is in nobody's team; Ines and Ivan hand off to them. Tom is in
turku, where Tuula manages. Adele administers. `SECRETS` are words that only some of them may read.
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from figures_cast import capacity, coverage, keep, overdue
from flask import Flask
from plan_cast import MONDAY, plan, rep_day, stop, unplanned

from planner.access import PERMISSIONS, Actor, Role
from planner.coverage.domain import Coverage, TerritoryCover
from planner.domain import Account, Address, Location, Opportunity, Record, RecordKind, Rep, addresses_of
from planner.fieldwork.domain import CheckIn, CheckInVerdict
from planner.fieldwork.privacy import look_at_check_ins
from planner.hotels.domain import Hotel
from planner.idempotency import Answer
from planner.jobs.domain import Job, JobState
from planner.people.accounts import NewUser, add_user
from planner.people.domain import Session, User
from planner.people.sessions import start_session
from planner.people.tokens import issue_token
from planner.planning import PROMISES_BROKEN
from planner.rep_days import RepDayNote
from planner.repository import StoredPlan
from planner.scenarios.changes import Changes
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.keeping import records_stamp
from planner.scenarios.outcome import Month, Move, Outcome, RepMonth, Standing, Why
from planner.settings import LoginSettings, Settings
from planner.slots.domain import Booking, BookingState, Meaning
from planner.storage import open_store
from planner.territories.domain import Territory, TerritorySource
from routing.area import Areas
from routing.gazetteer import Candidate, Verdict
from routing.geo import LatLon
from webui.app import create_app
from webui.streaming import Streams

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
BENS_DAY = "2026-12-02"
"""On which nobody but Ben works."""

AREA_OF = {"ann": "helsinki", "ben": "helsinki", "cleo": "helsinki", "tom": "turku"}
PEOPLE: Mapping[str, tuple[Role, str | None, frozenset[str] | None]] = {
    "adele": (Role.ADMIN, None, None),
    "mona": (Role.MANAGER, "helsinki", frozenset({"ann", "cleo"})),
    "tuula": (Role.MANAGER, "turku", None),
    "ann": (Role.FIELD_REP, "helsinki", frozenset({"ann"})),
    "ben": (Role.FIELD_REP, "helsinki", frozenset({"ben"})),
    "ines": (Role.INSIDE_REP, "helsinki", None),
    "ivan": (Role.INSIDE_REP, "helsinki", None),
}
SEE_REP = {
    "ann": {"ann", "mona", "adele"},
    "cleo": {"mona", "adele"},
    "ben": {"ben", "adele"},
    "tom": {"tuula", "adele"},
}


def word(kind: str, whose: str) -> str:
    """A word that stands nowhere else."""
    return f"Zq{kind}{whose}qZ"


def secrets() -> dict[str, set[str]]:
    """Words, each with the people who may read it."""
    found: dict[str, set[str]] = {}
    for rep, seers in SEE_REP.items():
        inside = {"ines" if rep in ("ann", "tom") else "ivan"} if AREA_OF[rep] == "helsinki" else set()
        found |= {word(kind, rep): seers for kind in ("rep", "home", "email", "note", "left")}
        found[word("territory", rep)] = seers - {rep}  # figures are not for the field
        found |= {word(kind, rep): seers | inside for kind in ("deal", "dealhome", "contact", "account", "accounthome")}
    for person in PEOPLE:
        found[word("person", person)] = {person, "adele"}
        found[word("agent", person)] = {person, "adele"}
        found[word("token", person)] = {person, "adele"}
    for person in ("mona", "adele"):  # they have looked at her check-ins
        found[word("person", person)] |= {"ann"}
    found[word("report", "mona")] = {"mona"}
    found |= {word("job", "helsinki"): {"adele"}, word("job", "turku"): {"tuula", "adele"}}  # Mona does not see Ben
    found[word("draft", "ann")] = {"mona", "adele"}
    # A what-if is about everybody, so that nobody with a team of their own reads it.
    found |= {word("scenario", "helsinki"): {"adele"}, word("scenario", "turku"): {"tuula", "adele"}}
    return found


def records(rep: str) -> list[Record]:
    """A rep, a customer of theirs, one that is not planned, and an opportunity at the first."""
    inside = "ines" if rep in ("ann", "tom") else "ivan"
    home = Address(word("home", rep))
    at = Address(word("accounthome", rep))
    return [
        Rep(rep, f"{rep.title()} {word('rep', rep)}", f"{word('email', rep)}@example.com", home, None,
            "Europe/Helsinki", frozenset(range(5)), time(9), time(17)),
        Account(f"A-{rep}", word("account", rep), at, owner_rep_id=rep),
        Account(f"L-{rep}", word("left", rep), at, owner_rep_id=rep),
        Opportunity(f"O-{rep}", word("deal", rep), Address(word("dealhome", rep)), f"A-{rep}", need="yes", budget="yes",
                    authority="yes", contact_name=word("contact", rep), inside_rep=f"{inside}@example.com"),
    ]  # fmt: skip


def day_of(rep: str, day: str = MONDAY) -> dict[str, Any]:
    """The rep visits the opportunity and the customer."""
    deal = {"visit_id": f"opportunity:O-{rep}", "record_ids": [f"O-{rep}", f"A-{rep}"], "kind": "opportunity"}
    customer = {"visit_id": f"account:A-{rep}", "record_ids": [f"A-{rep}"]}
    other = "ben" if AREA_OF[rep] == "helsinki" else rep
    told = f"near {word('deal', other)} (O-{other}), as {word('rep', other)} says"
    stops = [
        stop(1, **deal, name=word("deal", rep), address=word("dealhome", rep), why=told),
        stop(2, "09:55", "10:25", **customer, name=word("account", rep), address=word("accounthome", rep)),
    ]
    planned = rep_day(rep, stops, day, rep_name=f"{rep.title()} {word('rep', rep)}")
    for end in ("start", "end"):
        planned[end] |= {"address": word("home", rep)}
    return planned


def document(area: str) -> str:
    """Everybody's days, and a customer of each that is left out because of others."""
    reps = [rep for rep, of in AREA_OF.items() if of == area]
    days = [day_of(rep) for rep in reps] + ([day_of("ben", BENS_DAY)] if area == "helsinki" else [])
    full = (
        f"the days of {', '.join(map(str.title, reps))} are full of {', '.join(word('account', rep) for rep in reps)}"
    )
    left = [unplanned(f"L-{rep}", name=word("left", rep), sentence=full) for rep in reps]
    return plan(days, unplanned=left, area=area, notes=[f"rep {rep} ({word('rep', rep)}): hello" for rep in reps])


def covered(area: str) -> Coverage:
    """Everybody is short of hours and has an overdue customer that others are in the way of."""
    reps = [rep for rep, of in AREA_OF.items() if of == area]
    full = f"the days of {', '.join(word('rep', rep) for rep in reps)} are full"
    customers = [
        overdue(id, 30, rep, name=name, territory_id=f"territory-{rep}", unreached="no_time_left", why=full)
        for rep in reps
        for id, name in ((f"A-{rep}", word("account", rep)), (f"L-{rep}", word("left", rep)))
    ]
    hours = [capacity(rep, 200, name=f"{rep.title()} {word('rep', rep)}") for rep in reps]
    places = [TerritoryCover(f"territory-{rep}", word("territory", rep), rep) for rep in reps]
    notes = tuple(f"rep {rep} ({word('rep', rep)}): hello" for rep in reps)
    return coverage(customers, hours, places, area, notes=notes)


def check_in(rep: str) -> CheckIn:
    """At the rep's customer."""
    return CheckIn(AREA_OF[rep], f"check-in-{rep}", rep, date.fromisoformat(MONDAY), f"account:A-{rep}", NOW, 60.17,
                   24.95, 9.0, 30.0, CheckInVerdict.AT_THE_DOOR)  # fmt: skip


def promise(rep: str) -> Booking:
    """What the rep's opportunity is promised."""
    inside = "ines" if rep in ("ann", "tom") else "ivan"
    day = date(2026, 12, 1)
    start = datetime(2026, 12, 1, 8, tzinfo=UTC)
    return Booking(
        AREA_OF[rep], f"booking-{rep}", rep, day, BookingState.PROMISED, f"O-{rep}", word("deal", rep),
        word("dealhome", rep), 60.17, 24.95, 30, start, start.replace(hour=9), Meaning.ARRIVE, "", frozenset(),
        f"{inside}@example.com", f"user:user-{inside}", NOW, None,
    )  # fmt: skip


def scenario(area: str, stamp: str) -> Scenario:
    """Everybody's customers would be the first rep's."""
    reps = [rep for rep, of in AREA_OF.items() if of == area]
    rows = tuple(RepMonth(rep, f"{rep} {word('rep', rep)}", Standing.STAYS, Month(2), Month(2)) for rep in reps)
    moves = tuple(Move(f"A-{rep}", rep, reps[0], 60.0, Why.EVEN) for rep in reps[1:])
    result = Outcome(NOW.date(), stamp, rows, moves).as_json()
    name, changes = word("scenario", area), Changes(pins={f"L-{rep}": rep for rep in reps}).as_json()
    return Scenario(
        area, f"scenario-{area}", 1, name, ScenarioState.COMPUTED, changes, "user:nobody", NOW, "", result, NOW
    )


def territory(rep: str) -> Territory:
    """All around Kallio."""
    ring = [[24.9, 60.1], [25.0, 60.1], [25.0, 60.2], [24.9, 60.1]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    name = word("territory", rep)
    return Territory(AREA_OF[rep], f"territory-{rep}", 1, name, rep, TerritorySource.DRAWN, shape)


class World:
    """The installation, with everybody logged in and a token of each."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "fieldvisit.sqlite"
        self.store = open_store(f"sqlite:///{self.database}")
        weakref.finalize(self, self.store.close)
        for area in ("helsinki", "turku"):
            (folder / "areas" / area).mkdir(parents=True)
            (folder / "areas" / area / "area.json").write_text("{}")
            (folder / "areas" / area / "basemap.pmtiles").write_bytes(b"streets")
        settings = Settings(home=folder, database_url="")
        self.app: Flask = create_app(self.store, Areas(folder / "areas"), settings, lambda: NOW)
        self.app.extensions["streams"] = Streams(most=100, life_s=0.0, pause=lambda seconds: None)
        self.users: dict[str, User] = {}
        self.cookies: dict[str, tuple[str, Session]] = {}
        self.bearers: dict[str, tuple[str, str]] = {}
        self._fill()
        self._pristine = sqlite3.connect(":memory:")
        weakref.finalize(self, self._pristine.close)
        with closing(sqlite3.connect(self.database)) as live:
            live.backup(self._pristine)

    def restore(self) -> None:
        """Undo what was written."""
        with closing(sqlite3.connect(self.database)) as live:
            self._pristine.backup(live)

    def _fill(self) -> None:
        with self.store.write(audited=False) as unit:
            for rep, area in AREA_OF.items():
                unit.check_ins.put(check_in(rep))
                of_rep = records(rep)
                unit.records(area).save_all(of_rep)
                unit.records(area).save_locations([_doubtful(record, rep) for record in of_rep])
                unit.rep_day_notes.put(RepDayNote(area, rep, date.fromisoformat(MONDAY), 1, word("note", rep)))
                unit.bookings.put(promise(rep))
                unit.territories.put(territory(rep))
            for area in ("helsinki", "turku"):
                text = document(area)
                unit.hotels.put(Hotel(area, f"hotel-{area}", 1, f"The Bear of {area}", "Street 1", 60.17, 24.95))
                unit.scenarios.put(scenario(area, records_stamp(unit, area)))
                keep(unit, covered(area))
                unit.plans(area).add(StoredPlan(0, area, date(2026, 11, 30), 3, NOW, NOW, 777, 778, 77_900, text))
                unit.jobs.put(
                    Job(f"job-{area}", area, "plan", {"first_day": MONDAY, "days": 5, "seconds": 60, "work": None,
                        "seed": 1}, "user:nobody", NOW, JobState.FAILED, 1, finished_at=NOW,
                        error=f"{PROMISES_BROKEN}: {word('job', area)}")
                )  # fmt: skip
            draft = plan([rep_day("ann", [stop(name=word("draft", "ann"))])])
            unit.plans("helsinki").add(StoredPlan(0, "helsinki", date(2026, 11, 30), 3, NOW, None, 1, 0, 60, draft))
            for name, (role, area_, reps) in PEOPLE.items():
                new = NewUser(f"{name}@example.com", f"{name.title()} {word('person', name)}", role, area_, reps)
                user = self.users[name] = add_user(unit, new, NOW, f"user-{name}")
                self.cookies[name] = start_session(unit, user, NOW, "192.0.2.1", word("agent", name))
                may, login = PERMISSIONS[role], LoginSettings()
                text, token = issue_token(unit, user, word("token", name), may, None, NOW, login)
                self.bearers[name] = text, token.id
            told: dict[str, Any] = {"file": "accounts.csv", "added": 1, "changed": 0, "unchanged": 0, "notes": []}
            told["refusals"] = [(2, "A-x", "name", word("report", "mona"))]
            kept = json.dumps({"area": "helsinki", "files": [told]})
            unit.answers.put(Answer("user:user-mona", "form-mona", "", 200, kept, NOW))
        for name in ("mona", "adele"):
            with self.store.write(Actor(f"user:user-{name}", self.users[name].scope)) as unit:
                look_at_check_ins(unit, "helsinki", "ann", date.fromisoformat(MONDAY))


def _doubtful(record: Record, rep: str) -> Location:
    """Nobody is sure where it is."""
    ((kind, record_id, address),) = addresses_of(record)
    shown = word("contact" if kind is RecordKind.OPPORTUNITY else "account", rep)
    found = (Candidate(LatLon(60.17, 24.95), shown, 0.5),)
    return Location(kind, record_id, address, Verdict.REVIEW, None, 0.5, "", f"{shown} fits.", found)
