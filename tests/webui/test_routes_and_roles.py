"""Every route, asked by everybody for everything: nobody reads a word that is not for them, and ids tell nothing.

The routes are those of the app, so that a new one is tested without being named here; one with a part in its address
that `PARTS` does not know fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from plan_cast import MONDAY
from scope_cast import BENS_DAY, World, secrets
from werkzeug.routing import Map, Rule
from werkzeug.test import TestResponse

from planner.exporting import XLSX_TYPE
from planner.settings import Settings
from planner.storage import open_store
from routing.area import Areas
from webui.app import create_app
from webui.policy import policy_of

SECRETS = secrets()
CALLERS = ("anonymous", "ann", "ines", "mona", "tuula", "adele")
PROGRAMS = ("ann", "ines", "mona")
NOWHERE = "nowhere"

REPS = ("ann", "ben", "cleo", "tom", NOWHERE)
PARTS: dict[str, tuple[str, ...]] = {
    "area": ("helsinki", "turku", NOWHERE),
    "day": (MONDAY, BENS_DAY, "soon", "2031-01-01"),
    "rep_id": REPS,
    "account_id": tuple(f"A-{rep}" for rep in REPS),
    "opportunity_id": tuple(f"O-{rep}" for rep in REPS),
    "booking": tuple(f"booking-{rep}" for rep in REPS),
    "booking_id": tuple(f"booking-{rep}" for rep in REPS),
    "job": ("job-helsinki", "job-turku", "job-nowhere"),
    "job_id": ("job-helsinki", "job-turku", "job-nowhere"),
    "territory_id": tuple(f"territory-{rep}" for rep in REPS),
    "hotel_id": ("hotel-helsinki", "hotel-turku", "hotel-nowhere"),
    "scenario_id": ("scenario-helsinki", "scenario-turku", "scenario-nowhere"),
    "version": ("1", "2", "99"),
    "user_id": ("user-ann", "user-ines", "user-adele", "user-nowhere"),
    "session_id": ("*ann", "*adele", "0" * 64),
    "token_id": ("*ann", "*adele", "0" * 20),
    "key": ("form-mona", "form-nowhere"),
    "kind": ("account", "opportunity", "rep", "accounts", "nothing"),
    "record_id": ("A-ann", "A-ben", "O-ann", "O-ben", "ann", "ben", NOWHERE),
    "sheet_kind": ("csv", "xlsx", "pdf"),
    "name": ("app.css", "nothing.css"),
    "monday": ("2026-11-23", MONDAY, "soon", "2031-01-06"),
    "token": ("x" * 43,),
    "feed_id": ("0" * 20,),
    "secret": ("x" * 43,),
}
"""What may stand in a part of an address: things of several people, and something that does not exist.

`*ann` stands for what Ann has there.
"""

HONEST = ("health.ready",)
"""Routes that say 503 because they should: nothing works on jobs here."""

DEALS = PARTS["opportunity_id"]
IN_QUERY = {
    "pages.rep_day": ("rep", REPS), "day_sheets.track": ("rep", REPS), "day_sheets.on_paper": ("rep", REPS),
    "check_ins.page": ("rep", REPS), "coverage_map.isochrones": ("rep", REPS),
    "notes.save_note": ("rep", REPS), "opportunity.page": ("id", DEALS),
    "opportunity.make_move": ("id", DEALS), "handing.edit": ("id", DEALS), "handing.save": ("id", DEALS),
    "opportunity.ride_along": ("id", DEALS), "opportunity.contacted": ("id", DEALS),
    "booking.book": ("opportunity", DEALS),
    "territories.customers": ("territory", PARTS["territory_id"]),
    "pipeline.tree": ("rep", REPS), "coverage.customers": ("value", REPS),
    "customer.page": ("id", PARTS["account_id"]), "customer.save_minutes": ("id", PARTS["account_id"]),
}  # fmt: skip
"""Routes that take an id in their query."""

TYPED = {
    "text": "hello", "revision": "1", "kind": "account", "candidate": "1", "at": "60.1, 24.9",
    "first_day": MONDAY, "days": "1", "seconds": "1", "name": "x", "email": "x@example.com", "role": "field_rep",
    "action": "accept", "why": "x", "learned": "x", "do": "draft", "street": "Street 1", "need": "yes",
    "reason": "x", "which": "x", "address": "Street 1", "minutes": "30",
    "area": "helsinki", "reps": "ben", "password": "x", "code": "1", "next": "/", "permissions": "days:read",
}  # fmt: skip
"""What a form is filled in with; `BODIES` and `QUERIES` are the same for the API, by what a route is called."""
QUERIES = {"check_ins.page": {"day": MONDAY}, "coverage.customers": {"by": "rep"},
           "api.list_slots": {"address": "Street 1", "minutes": "30"},
           "api.preview_repair": {"kind": "sick"}, "api.delete_territory": {"revision": "1"},
           "api.delete_hotel": {"revision": "1"}}  # fmt: skip
SQUARE = {"type": "Polygon", "coordinates": [[[24.9, 60.1], [25.0, 60.1], [25.0, 60.2], [24.9, 60.1]]]}
BODIES: dict[str, dict[str, Any]] = {
    "api.put_note": {"text": "hello", "revision": 1},
    "api.put_account": {"name": "New", "address": "Street 1"},
    "api.put_opportunity": {"name": "New", "address": "Street 1"},
    "api.put_rep": {"name": "New", "start_address": "Street 1", "timezone": "Europe/Helsinki", "work_days": ["Mo"],
                    "work_start": "09:00", "work_end": "17:00"},
    "api.settle_location": {"candidate": 1},
    "api.order_plan": {"first_day": MONDAY, "days": 1, "seconds": 1},
    "api.order_geocoding": {},
    "api.import_records": {},
    "api.create_token": {"name": "x", "permissions": ["records:read"]},
    "api.add_person": {"email": "x@example.com", "name": "X", "role": "admin"},
    "api.change_person": {"email": "ann@example.com", "name": "X", "role": "field_rep", "area": "helsinki",
                          "reps": ["ann"]},
    "api.confirm_booking": {},
    "api.move_handoff": {"action": "accept", "revision": 0, "rep": "ann"},
    "api.write_down": {"revision": 0, "notes": "hello"},
    "api.send_field_events": {"events": [
        {"id": f"00000000-0000-4000-8000-00000000000{n}", "rep_id": rep, "day": MONDAY, "visit_id": f"account:A-{rep}",
         "kind": kind, "made_at": f"{MONDAY}T08:00:00+02:00", "base": 0, "body": {}}
        for n, (rep, kind) in enumerate([("ann", "arrived"), ("ann", "left")])
    ]},
    "api.create_scenario": {"name": "New", "changes": {"pins": {"A-ann": "ann"}}},
    "api.put_scenario": {"name": "Other", "revision": 1, "changes": {"pins": {"A-ann": "ann"}}},
    "api.apply_scenario": {"revision": 1},
    "api.add_territory": {"name": "New", "rep_id": "ann", "geometry": SQUARE},
    "api.put_territory": {"name": "Other", "revision": 1},
    "api.post_hotel": {"name": "New", "place": {"lat": 60.17, "lon": 24.95}},
    "api.put_hotel": {"name": "Other", "revision": 1, "place": {"lat": 60.17, "lon": 24.95}},
    "api.put_goals": {"revision": 0, "inside_rep": {"calls": 9}, "field_rep": {"visits": 5}},
    "api.put_report_templates": {"revision": 0, "templates": [{"name": "Visit", "for": "both"}]},
}  # fmt: skip
PLACE = {"lat": 60.17, "lon": 24.95}
NO_FURTHER: dict[str, dict[str, Any]] = {
    "api.hold_slot": {"rep_id": "ben", "day": MONDAY, "start": f"{MONDAY}T10:00:00Z", "end": f"{MONDAY}T11:00:00Z",
                      "minutes": 30, "place": PLACE, "name": "X", "address": "Street 1", "opportunity_id": "O-ben",
                      "replaces": "booking-ben"},
    "api.cancel_booking": {"reason": "x"},
    "api.hand_off_opportunity": {"revision": 0, "seen": ["account:A-ben"], "different": ["account:A-ben"]},
    "api.tap_goal": {"activity": "calls", "by": 1},
}  # fmt: skip
"""The same of what comes to nothing here, where there are no streets, everything is handed off and an admin has no
goals."""


@dataclass(frozen=True)
class Asked:
    """A request: a method and a place, and what of it names something."""

    method: str
    rule: Rule = field(hash=False)  # it has none
    values: tuple[tuple[str, str], ...]

    @property
    def missing(self) -> bool:
        """Whether something in it exists nowhere."""
        return any(re.search(f"{NOWHERE}|^0+$|^99$|soon|2031", value) for _, value in self.values)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@cache
def rules() -> tuple[Rule, ...]:
    """Of the app with all that it has."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/x.sqlite")
        app = create_app(store, Areas(Path(folder)), Settings(home=Path(folder), database_url=""))
        store.close()
    return tuple(sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))))


def requests_of(rule: Rule) -> Iterator[Asked]:
    """One for each way to fill in its address, with one part at a time changed from what is Ann's."""
    unknown = rule.arguments - set(PARTS)
    assert not unknown, f"{rule} has {unknown}, which PARTS has no values for"
    parts = {name: PARTS[name] for name in sorted(rule.arguments)}
    if rule.endpoint in IN_QUERY:
        name, values = IN_QUERY[rule.endpoint]
        parts[f"?{name}"] = values
    usual = {name: values[0] for name, values in parts.items()}
    filled = {tuple(usual.items())}
    filled |= {tuple((usual | {name: value}).items()) for name, values in parts.items() for value in values}
    if "area" in parts:  # what is in turku, asked for there
        filled |= {
            tuple((usual | {"area": "turku", name: value}).items())
            for name, values in parts.items()
            for value in values
            if "tom" in value or "turku" in value
        }
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        for values_ in sorted(filled):
            yield Asked(method, rule, values_)


class Caller:
    """Somebody, in a browser or by a program."""

    keys = count()

    def __init__(self, world: World, name: str, program: bool) -> None:
        self.world, self.name, self.program = world, name, program
        self.client: FlaskClient = world.app.test_client(use_cookies=False)
        self.headers: dict[str, str] = {}
        self.form: dict[str, str] = {}
        if name == "anonymous":
            return
        if program:
            self.headers["Authorization"] = f"Bearer {world.bearers[name][0]}"
        else:
            secret, session = world.cookies[name]
            self.headers["Cookie"] = f"fieldvisit={secret}"
            self.form["csrf"] = session.csrf

    def ask(self, asked: Asked) -> TestResponse:
        values = {name: self._own(name, value) for name, value in asked.values}
        query = {name[1:]: value for name, value in values.items() if name.startswith("?")}
        query |= QUERIES.get(asked.rule.endpoint, {})
        built = asked.rule.build({name: value for name, value in values.items() if not name.startswith("?")})
        assert built is not None, asked
        options: dict[str, Any] = {}
        headers = self.headers | {"Origin": "http://localhost"}
        if asked.method != "GET":
            unique = f"key-of-a-test-{next(self.keys):06}"
            headers["Idempotency-Key"] = unique
            if asked.rule.endpoint.startswith("api."):
                if (body := (BODIES | NO_FURTHER).get(asked.rule.endpoint)) is not None:
                    options["json"] = body
                headers["X-CSRF-Token"] = self.form.get("csrf", "")
            else:
                record = {"record_id": next((v for n, v in values.items() if n == "?rep"), "A-ben")}
                options["data"] = TYPED | record | self.form | {"key": unique}
        response = self.client.open(
            built[1], method=asked.method, query_string=query, headers=headers, buffered=True, **options
        )
        if asked.method != "GET" and response.status_code < 400:
            self.world.restore()
        return response

    def _own(self, part: str, value: str) -> str:
        if not value.startswith("*"):
            return value
        world, name = self.world, value[1:]
        return world.cookies[name][1].id if part == "session_id" else world.bearers[name][1]


@pytest.fixture(scope="module")
def callers(world: World) -> list[Caller]:
    """Everybody in a browser, and programs of those who differ in what they see."""
    return [Caller(world, name, False) for name in CALLERS] + [Caller(world, name, True) for name in PROGRAMS]


def told_by(response: TestResponse) -> str:
    """What an answer says; of a workbook what is in it."""
    if response.mimetype != XLSX_TYPE:
        return response.get_data(as_text=True)
    with ZipFile(BytesIO(response.get_data())) as book:
        return "".join(book.read(name).decode() for name in sorted(book.namelist()) if name.startswith("xl/worksheets"))


def words_in(response: TestResponse, asked: Asked) -> set[str]:
    """The secrets that an answer tells."""
    told = told_by(response) + str(response.headers)
    return {secret for secret in SECRETS if secret in told}


def leaks(caller: Caller, response: TestResponse, asked: Asked) -> list[str]:
    return [word for word in words_in(response, asked) if caller.name not in SECRETS[word]]


def evened(response: TestResponse, asked: Asked, ids: Callable[[str, str], str]) -> tuple[int, str]:
    """An answer without what the caller said in asking for it, and without what differs each time."""
    text = told_by(response)
    for name, value in asked.values:
        text = re.sub(rf"(?<!\w){re.escape(ids(name, value))}(?!\w)", "…", text)
    return response.status_code, re.sub(
        r'nonce="[^"]*"|"(instance|request_id)": ?"[^"]*"|value="[\w-]{22,43}"', "", text
    )


@pytest.mark.slow
def test_no_route_tells_anybody_a_word_that_is_not_for_them(callers: list[Caller]) -> None:
    asked_for, told, problems = 0, set(), []
    for rule in rules():
        policy = policy_of(callers[0].world.app.view_functions[rule.endpoint])
        assert policy is not None
        for asked in requests_of(rule):
            for caller in callers:
                response = caller.ask(asked)
                asked_for += 1
                told |= {(caller.name, word) for word in words_in(response, asked)}
                where = (
                    f"{caller.name} {'program' if caller.program else 'browser'}: {asked.method} {rule} {asked.values}"
                )
                if found := leaks(caller, response, asked):
                    problems.append(f"{where} told {found}")
                if response.status_code >= 500 and rule.endpoint not in HONEST:
                    problems.append(f"{where} is answered {response.status_code}")
                if (
                    caller.name == "anonymous"
                    and not policy.anybody
                    and response.status_code not in (302, 303, 401, 403)
                ):
                    problems.append(f"{where} is answered {response.status_code} to nobody")
    assert not problems, f"{len(problems)}:\n" + "\n".join(problems[:60])
    assert asked_for > 2_000
    # That they are told what is for them, or the test would be one of locked doors.
    may = {(name, word) for word, names in SECRETS.items() for name in names & set(CALLERS)}
    may -= {(name, word) for name, word in may if re.match("Zq(agent|token)", word) and name not in word}
    assert may - told == set()


@pytest.mark.slow
def test_what_is_somebody_else_s_is_answered_as_what_does_not_exist(callers: list[Caller]) -> None:
    """For each part of an address: what the caller may not see, and what nobody has ever seen, look alike."""
    problems = []
    foreign = {
        "ann": {"area": ["turku"], "rep_id": ["ben", "cleo", "tom"], "?rep": ["ben", "cleo"], "day": [BENS_DAY],
                "account_id": ["A-ben", "A-tom"], "opportunity_id": ["O-ben", "O-cleo", "O-tom"], "version": ["2"],
                "?id": ["O-ben", "O-cleo", "O-tom"], "session_id": ["*adele"], "token_id": ["*adele"],
                "booking_id": ["booking-ben", "booking-cleo", "booking-tom"]},
        "ines": {"area": ["turku"], "account_id": ["A-ben"], "opportunity_id": ["O-ben", "O-cleo", "O-tom"],
                 "?id": ["O-ben", "O-cleo", "O-tom"], "?opportunity": ["O-ben", "O-cleo", "O-tom"],
                 "booking": ["booking-ben", "booking-cleo", "booking-tom"],
                 "booking_id": ["booking-ben", "booking-cleo", "booking-tom"],
                 "rep_id": ["ann", "ben"], "version": ["2"], "session_id": ["*ann"], "token_id": ["*ann"]},
        "mona": {"area": ["turku"], "rep_id": ["ben", "tom"], "?rep": ["ben", "tom"], "?value": ["ben", "tom"],
                 "account_id": ["A-ben", "A-tom"],
                 "opportunity_id": ["O-ben", "O-tom"], "?id": ["O-ben", "O-tom"], "job": ["job-turku"],
                 "?opportunity": ["O-ben", "O-tom"], "booking": ["booking-ben", "booking-tom"],
                 "booking_id": ["booking-ben", "booking-tom"], "job_id": ["job-turku"],
                 "day": [BENS_DAY], "session_id": ["*ann"], "token_id": ["*ann"]},
        "tuula": {"area": ["helsinki"], "rep_id": ["ann"], "account_id": ["A-ann"], "opportunity_id": ["O-ann"],
                  "booking": ["booking-ann"], "booking_id": ["booking-ann"], "?opportunity": ["O-ann"],
                  "job": ["job-helsinki"], "job_id": ["job-helsinki"], "key": ["form-mona"],
                  "scenario_id": ["scenario-helsinki"], "hotel_id": ["hotel-helsinki"]},
    }  # fmt: skip
    compared = 0

    @cache
    def answered(caller: Caller, asked: Asked) -> tuple[int, str]:
        return evened(caller.ask(asked), asked, caller._own)

    for rule in rules():
        if not set(rule.arguments):
            continue
        for asked in requests_of(rule):
            if asked.missing:
                continue
            for caller in callers:
                for name, value in asked.values:
                    if value not in foreign.get(caller.name, {}).get(name, []):
                        continue
                    if name == "day" and ("note" in rule.endpoint or "repair" in rule.endpoint):
                        continue  # a note may be on any day, and so may a stop be added
                    unheard = next(v for v in reversed(PARTS.get(name, REPS)) if Asked("", rule, ((name, v),)).missing)
                    nothing = Asked(
                        asked.method, rule, tuple((n, unheard if n == name else v) for n, v in asked.values)
                    )
                    answers = [answered(caller, asked), answered(caller, nothing)]
                    compared += 1
                    made = answers[1][0] == 201 and asked.method == "PUT"
                    if answers[0] != answers[1] and not (made and answers[0][0] == 404):
                        problems.append(f"{caller.name}: {asked.method} {rule} {asked.values}: {answers}"[:600])
                    if answers[0][0] not in (403, 404) and not made:
                        problems.append(f"{caller.name}: {asked.method} {rule} {asked.values} {answers[0][0]}")
    assert not problems, f"{len(problems)}:\n" + "\n".join(problems[:60])
    assert compared > 300


def test_a_route_with_a_part_that_nobody_has_thought_of_fails() -> None:
    rule = Rule("/a/<planet>/", endpoint="x")
    Map([rule])
    with pytest.raises(AssertionError, match="PARTS has no values for"):
        next(requests_of(rule))


def test_a_method_that_a_route_does_not_have_is_refused(world: World) -> None:
    caller = Caller(world, "adele", program=False)
    for path in ("/", "/a/helsinki/plan.json", "/people"):
        assert caller.client.open(path, method="DELETE", headers=caller.headers).status_code in (403, 405)


def test_the_doors_open_for_an_admin(world: World) -> None:
    """What is asked for makes sense, or nobody would get as far as what is somebody else's."""
    adele = Caller(world, "adele", program=True)
    for rule in rules():
        if rule.endpoint in BODIES:
            asked = min(requests_of(rule), key=lambda asked: [PARTS[n].index(v) for n, v in asked.values])
            response = adele.ask(asked)
            assert response.status_code < 300, (asked, response.get_data(as_text=True))


def test_everybody_here_is_really_logged_in(world: World) -> None:
    for name in CALLERS[1:]:
        for program in (False, True):
            asked = Asked("GET", next(rule for rule in rules() if rule.rule == "/api/v1/me"), ())
            assert Caller(world, name, program).ask(asked).status_code == 200
