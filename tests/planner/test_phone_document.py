"""What a rep's phone is told: the days as they stand, whom they are with and why, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cast import FRIDAY, LONDON, MONDAY, SETTINGS, TUESDAY, WEDNESDAY, account, door, local, opportunity, promise, rep
from slots_cast import FRIDAY_NOON, IRENE, TOWN, WHOLE_TOWN, SlotTown, slot_town

from planner.access import Scope
from planner.contacts import contact_of
from planner.errors import NotFoundError
from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import (
    CheckIn,
    CheckInVerdict,
    DayProgress,
    DealOutcome,
    Disposition,
    EventKind,
    FieldEvent,
    FieldVisit,
    Outcome,
    VisitReport,
)
from planner.fieldwork.phone import Asking, phone_document, phone_scope
from planner.fieldwork.phone.stops import why_in_names
from planner.fieldwork.whose import Whose
from planner.handoffs.domain import BantAnswer, HandoffRow, HandoffState, Side
from planner.plan_document import without_stops
from planner.rep_days import RepDayNote
from planner.replanning.refreshing import refresh
from planner.slots.domain import Booking, BookingState, Meaning

ANNA = Scope(TOWN, frozenset({"anna"}), unassigned=False, drafts=False)
EVIL = "<img src=x onerror=alert(1)> \u202eevil\u2028"
NOTHING: Any = {"hotel": "", "address": "1 Office Park", "lat": 0.0, "lon": 0.0, "time": None, "links": []}


def asking(*, is_rep: bool = True) -> Asking:
    names = {"anna": "Anna", "ben": "Ben"}
    return Asking({"id": "u-anna", "name": "Anna"}, is_rep, names, frozenset(range(5)), LONDON)


def phone(
    town: SlotTown,
    first_day: date | None = MONDAY,
    days: int = 5,
    rep_id: str = "anna",
    scope: Scope = ANNA,
    **who: Any,
) -> Any:
    with town.store.read(phone_scope(scope, TOWN, rep_id)) as unit:
        return phone_document(unit, TOWN, rep_id, first_day, days, asking(**who), town.settings, town.now)


def stops(document: Any) -> dict[str, Any]:
    """By whom they are with."""
    return {stop["visit_id"].partition(":")[2]: stop for day in document["days"] for stop in day["stops"]}


@pytest.fixture(scope="module")
def planned_database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file in which Anna visits the bakery, which is due, and the mill, which was handed to her.

    Ben has a café of his.
    """
    file = tmp_path_factory.mktemp("planned") / "fieldvisit.sqlite"
    slots = slot_town(file, copy_of=empty_database)
    slots.add(
        (rep(), door()),
        (rep("ben"), door()),
        (account(contact_name="Bea", contact_phone="+44 1", opening_hours="Mo-Fr 08:00-18:00"), door(10)),
        (account("cafe", owner_rep_id="ben"), door(0, 20)),
        (opportunity(contact_name="Mia", contact_email="mia@example.com", notes="Ask for the miller"), door(12)),
    )
    hand(slots, "mill")
    slots.publish(MONDAY, work=1)
    slots.store.close()
    return file


@pytest.fixture
def town(planned_database: Path, tmp_path: Path) -> Iterator[SlotTown]:
    town = slot_town(tmp_path / "planned.sqlite", copy_of=planned_database)
    yield town
    town.store.close()


def hand(town: SlotTown, id_: str, rep_id: str = "anna", state: HandoffState = HandoffState.ACCEPTED) -> None:
    said = {"need": BantAnswer("need", "yes", "Mia", date(2026, 11, 27), "user:irene", FRIDAY_NOON)}
    with town.writing() as unit:
        unit.handoffs.put(HandoffRow(TOWN, id_, 1, state, FRIDAY_NOON, Side.FIELD, rep_id, rep_id, said))


def report(id_: str = "r1", day: date = date(2026, 11, 2), **changes: Any) -> VisitReport:
    usual: dict[str, Any] = {
        "rep_id": "anna", "visit_id": "account:bakery", "account_id": "bakery", "opportunity_id": "", "inside_rep": "",
        "made_at": datetime(day.year, day.month, day.day, 15, tzinfo=UTC), "made_by": "user:anna",
        "disposition": Disposition.MET, "text": f"said {id_}",
    }  # fmt: skip
    return VisitReport(area=TOWN, id=id_, day=day, **(usual | changes))


def keep(town: SlotTown, *rows: Any) -> None:
    kinds: Mapping[type, str] = {
        VisitReport: "visit_reports", FieldVisit: "field_visits", CheckIn: "check_ins", DayProgress: "day_progress",
        FieldEvent: "field_events", Booking: "bookings", RepDayNote: "rep_day_notes",
    }  # fmt: skip
    with town.writing() as unit:
        for row in rows:
            getattr(unit, kinds[type(row)]).put(row)


def test_each_stop_says_who_why_where_and_how_to_get_there(town: SlotTown) -> None:
    bakery = stops(phone(town))["bakery"]
    assert (bakery["name"], bakery["address"], bakery["hours"]) == ("Bakery", "bakery street", "Mo-Fr 08:00-18:00")
    assert bakery["contact"] == {"name": "Bea", "phone": "+44 1", "email": ""}
    assert "every 28 days" in bakery["why"]
    assert [link["name"] for link in bakery["links"]] == ["Navigate", "Google Maps", "Apple Maps", "Waze"]
    assert bakery["links"][0]["url"] == "geo:0.000000,0.010000?q=0.000000,0.010000(Bakery)"
    assert bakery["account"] == {
        "id": "bakery", "name": "Bakery", "segment": "B", "cadence_days": 28, "last_visit": "2026-11-02",
        "annual_value": 12_000.0, "minutes": {"expected": 30, "source": "record", "visits": 0},
    }  # fmt: skip
    assert (bakery["opportunity"], bakery["visit"], bakery["report"], bakery["last_reports"]) == (None, None, None, [])


def test_an_opportunity_comes_with_its_answers_and_what_inside_sales_noted(town: SlotTown) -> None:
    mill = stops(phone(town))["mill"]
    assert mill["contact"] == {"name": "Mia", "phone": "", "email": "mia@example.com"}
    deal = mill["opportunity"]
    assert (deal["value"], deal["notes"], deal["state"]) == (10_000.0, "Ask for the miller", "accepted")
    assert deal["deadline"] == "2026-12-04"
    assert deal["bant"] == [
        {"question": "need", "answer": "yes", "said_by": "Mia", "said_on": "2026-11-27"},
        {"question": "budget", "answer": "yes", "said_by": "", "said_on": None},
        {"question": "authority", "answer": "yes", "said_by": "", "said_on": None},
        {"question": "timeline", "answer": "this quarter", "said_by": "", "said_on": None},
    ]


def test_who_names_nobody_at_an_opportunity_is_reached_through_the_customer(slots: SlotTown) -> None:
    slots.add(
        (account(contact_name="Bea", contact_phone="+44 1"), door(10)),
        (opportunity(account_id="bakery", contact_name="", contact_email=""), door(10)),
    )
    slots.publish(MONDAY, work=1)
    mill = stops(phone(slots))["mill"]
    assert mill["contact"] == {"name": "Bea", "phone": "+44 1", "email": ""}
    assert mill["account"]["id"] == "bakery"
    assert mill["why"].endswith("; counts as the visit to Bakery")


@pytest.mark.parametrize(
    ("why", "riding", "said"),
    [
        ("4 min from Mill (O7), 62% through its 28 days", {"O7": "Mill"}, "4 min from Mill, 62% through its 28 days"),
        (
            "4 min from Mill (7), 62% through its 7 days; rides along with 7, 28 on this day",
            {"7": "Mill", "28": "Dam"},
            "4 min from Mill, 62% through its 7 days; rides along with Mill, Dam on this day",
        ),
        (
            "near; rides along with O1, O12 on this day",
            {"O1": "A", "O12": r"\1"},
            r"near; rides along with A, \1 on this day",
        ),
        ("near; rides along with O1 on this day", {"O1": ""}, "near; rides along with another visit on this day"),
        ("due on 2026-11-30", {}, "due on 2026-11-30"),
    ],
)  # fmt: skip
def test_why_a_visit_is_on_its_day_is_said_with_names(why: str, riding: dict[str, str], said: str) -> None:
    assert why_in_names({"why": why}, riding, "") == said  # type: ignore[typeddict-item]


def test_whom_to_call_is_who_was_named_for_the_opportunity_with_what_is_known_of_the_account() -> None:
    shop = account(contact_name="Bea", contact_phone="+44 1", contact_email="bea@example.com")
    for named, told in (
        ({}, ("Bea", "+44 1", "bea@example.com")),
        ({"contact_name": "Mia"}, ("Mia", "+44 1", "bea@example.com")),
        ({"contact_phone": "+44 2"}, ("", "+44 2", "bea@example.com")),
        ({"contact_email": "mia@example.com"}, ("Bea", "+44 1", "bea@example.com")),
        ({"contact_name": "Mia", "contact_phone": "+44 2"}, ("Mia", "+44 2", "bea@example.com")),
    ):
        deal = opportunity(**{"contact_name": "", "contact_email": "", "contact_phone": ""} | named)
        found = contact_of(deal, shop)
        assert (found.name, found.phone, found.email) == told
    assert contact_of(opportunity(contact_name="", contact_email="mia@example.com"), None).email == "mia@example.com"


def test_a_visit_that_rides_along_names_its_opportunity(slots: SlotTown) -> None:
    slots.add((account(last_visit=date(2026, 11, 12)), door(13)), (opportunity("O-7", name="The Mill"), door(12)))
    slots.publish(MONDAY, work=1)
    bakery = stops(phone(slots))["bakery"]
    assert bakery["kind"] == "nearby"
    assert bakery["rides_with"] == [{"name": "The Mill"}]
    assert "The Mill" in bakery["why"]
    assert "O-7" not in bakery["why"]


def test_a_promise_is_told_as_the_customer_was_told_it(town: SlotTown) -> None:
    keep(town, promise("mill", place=door(12)))
    town.publish(MONDAY, work=1)
    told = stops(phone(town))["mill"]["promise"]
    assert (told["booking_id"], told["meaning"], told["call"]) == ("b-mill", "arrive", "")
    assert (told["start"], told["end"]) == ("2026-12-01T10:00:00+00:00", "2026-12-01T11:00:00+00:00")
    assert told["text"] == "You are at the door between 10:00 and 11:00"
    keep(town, replace(promise("mill", place=door(12)), meaning=Meaning.WHOLE, state=BookingState.DONE))
    keep(town, DayProgress(TOWN, "anna", TUESDAY, 1, to_call={"opportunity:mill": "you are late"}))
    told = stops(phone(town))["mill"]["promise"]
    assert (told["text"], told["call"]) == ("The whole visit is between 10:00 and 11:00", "you are late")


def test_what_was_agreed_before_the_import_is_a_promise_too(slots: SlotTown) -> None:
    slots.add((opportunity(appointment=local("2026-12-01 14:00")), door(12)))
    slots.publish(MONDAY, work=1)
    told = stops(phone(slots))["mill"]["promise"]
    assert (told["booking_id"], told["start"], told["meaning"]) == ("", "2026-12-01T14:00:00+00:00", "begin")
    assert told["text"] == "Agreed for 14:00"


def test_the_last_three_reports_are_told_the_newest_first_and_that_of_the_visit_itself_apart(town: SlotTown) -> None:
    days = [date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]
    keep(town, *(report(f"r{number}", day) for number, day in enumerate(days)))
    on = next(day["date"] for day in phone(town)["days"] if any(s["name"] == "Bakery" for s in day["stops"]))
    today = date.fromisoformat(on)
    keep(
        town,
        report("now", today, deal=DealOutcome.OPEN, order_value=12.5, next_step_on=FRIDAY),
        report("before", today, made_at=datetime(2026, 11, 30, 1, tzinfo=UTC)),
        FieldVisit(TOWN, "anna", today, "account:bakery", "bakery", "", "", None, None, 25, "now", Disposition.MET),
    )
    bakery = stops(phone(town))["bakery"]
    assert [entry["text"] for entry in bakery["last_reports"]] == ["said r3", "said r2", "said r1"]
    assert {entry["rep"] for entry in bakery["last_reports"]} == {"Anna"}
    assert (bakery["report"]["text"], bakery["report"]["order_value"]) == ("said now", 12.5)
    assert bakery["report"]["next_step_on"] == str(FRIDAY)
    assert bakery["visit"]["dwell_minutes"] == 25
    assert bakery["visit"]["disposition"] == "met"


def test_the_rep_reads_what_came_of_a_check_in_and_a_manager_does_not(town: SlotTown) -> None:
    on = next(d["date"] for d in phone(town)["days"] if any(s["name"] == "Bakery" for s in d["stops"]))
    day, at = date.fromisoformat(on), datetime(2026, 11, 30, 10, tzinfo=UTC)
    keep(
        town,
        CheckIn(TOWN, "e1", "anna", day, "account:bakery", at, 0, 0.01, 5, 3.0, CheckInVerdict.AT_THE_DOOR),
        FieldVisit(TOWN, "anna", day, "account:bakery", "bakery", "", "", arrived_at=at),
    )
    assert stops(phone(town))["bakery"]["visit"]["verdict"] == "at_the_door"
    seen = stops(phone(town, scope=WHOLE_TOWN, is_rep=False))["bakery"]["visit"]
    assert (seen["verdict"], seen["arrived_at"]) == (None, "2026-11-30T10:00:00+00:00")


def test_minutes_that_were_learned_are_told_with_how_often(town: SlotTown) -> None:
    keep(
        town,
        *(
            FieldVisit(TOWN, "anna", date(2026, 10, n), "account:bakery", "bakery", "", "", None, None, 50, f"r{n}",
                       Disposition.MET)
            for n in (1, 8, 15)
        ),
    )  # fmt: skip
    bakery = stops(phone(town))["bakery"]["account"]
    assert bakery["minutes"] == {"expected": 50, "source": "learned", "visits": 3}


def test_what_is_left_out_of_a_day_says_why_and_whom_to_call(town: SlotTown) -> None:
    keep(town, promise("mill", place=door(12)))
    town.publish(MONDAY, work=1)
    keep(town, DayProgress(TOWN, "anna", TUESDAY, 1, left_out={"opportunity:mill": "Left out: no time"}))
    (entry,) = phone(town)["days"][1]["left_out"]
    assert (entry["name"], entry["why"]) == ("Mill", "Left out: no time")
    assert entry["contact"]["name"] == "Mia"
    assert entry["promise"]["booking_id"] == "b-mill"


def test_of_a_rep_who_is_sick_everything_is_left_out_that_was_planned(town: SlotTown) -> None:
    planned = {s["visit_id"] for d in town.published()["rep_days"] if d["rep_id"] == "anna" for s in d["stops"]}
    for number in range(5):
        day = MONDAY + timedelta(days=number)
        released = replace(promise(f"x{number}", day=day), state=BookingState.RELEASED)
        town.book(released, (), route=_empty(town, day))
        keep(town, DayProgress(TOWN, "anna", day, 1, sick=True))
    document = phone(town)
    assert all(day["progress"]["sick"] for day in document["days"])
    assert {entry["visit_id"] for day in document["days"] for entry in day["left_out"]} == planned
    assert {entry["why"] for day in document["days"] for entry in day["left_out"]} == {"you are sick"}


def _empty(town: SlotTown, day: date) -> Any:
    (planned,) = (d for d in town.published()["rep_days"] if (d["rep_id"], d["date"]) == ("anna", str(day)))
    return without_stops(planned, {stop["visit_id"] for stop in planned["stops"]})


def test_a_visit_that_is_somebody_elses_by_now_is_left_out_without_a_word_about_it(town: SlotTown) -> None:
    keep(town, DayProgress(TOWN, "anna", MONDAY, 1, left_out={"account:cafe": "Left out"}))
    (entry,) = phone(town)["days"][0]["left_out"]
    assert (entry["name"], entry["address"]) == ("A visit that is not yours any more", "")


def test_what_the_rep_has_said_about_a_day_stands_in_it(town: SlotTown) -> None:
    at = datetime(2026, 11, 30, 11, 30, tzinfo=UTC)
    keep(
        town,
        DayProgress(TOWN, "anna", MONDAY, 3, "account:bakery", at, at, order=("account:bakery",)),
        RepDayNote(TOWN, "anna", MONDAY, 1, "Car in the garage"),
    )
    monday = phone(town)["days"][0]
    assert monday["note"] == "Car in the garage"
    assert monday["progress"] == {
        "after": "account:bakery", "leave_at": "2026-11-30T11:30:00+00:00", "finish_by": "2026-11-30T11:30:00+00:00",
        "sick": False, "order": ["account:bakery"],
    }  # fmt: skip


def test_a_changed_day_has_another_revision_and_its_new_stops(town: SlotTown) -> None:
    assert {day["revision"] for day in phone(town)["days"]} == {0}
    town.book(replace(promise("x"), state=BookingState.RELEASED), town.day(TUESDAY).order)
    assert [day["revision"] for day in phone(town)["days"]] == [0, 1, 0, 0, 0]


def test_a_day_without_time_for_the_break_says_within_what_it_is_due(town: SlotTown) -> None:
    planned = next(day for day in phone(town)["days"] if day["stops"])
    on, last = date.fromisoformat(planned["date"]), planned["stops"][-1]["visit_id"]
    keep(town, DayProgress(TOWN, "anna", on, 1, last, datetime(on.year, on.month, on.day, 15, tzinfo=UTC)))
    refresh(town.store, IRENE, town.agendas, TOWN, "anna", on, town.settings)
    due = {"start": f"{on}T12:00:00+00:00", "end": f"{on}T14:00:00+00:00"}
    assert {day["date"]: day["break_missed"] for day in phone(town)["days"] if day["break_missed"]} == {str(on): due}


def test_a_day_without_a_plan_says_where_the_rep_starts_and_whether_it_is_a_working_day(slots: SlotTown) -> None:
    saturday, _, monday = phone(slots, date(2026, 11, 28), 3)["days"]
    assert (saturday["works"], monday["works"]) == (False, True)
    assert (monday["stops"], monday["plan_version"], monday["start"], monday["end"]) == ([], 0, NOTHING, NOTHING)
    assert (monday["work_start"], monday["work_end"]) == ("2026-11-30T09:00:00+00:00", "2026-11-30T17:00:00+00:00")


def test_today_is_where_the_rep_is(slots: SlotTown) -> None:
    slots.add((rep("ken", timezone="Asia/Tokyo"), door()))
    slots.now = datetime(2026, 11, 30, 20, tzinfo=UTC)
    everywhere = Scope(TOWN)
    assert phone(slots, None, scope=everywhere)["today"] == "2026-11-30"
    document = phone(slots, None, rep_id="ken", scope=everywhere)
    assert (document["today"], document["days"][0]["date"]) == ("2026-12-01", "2026-12-01")
    assert document["generated_at"] == "2026-12-01T05:00:00+09:00"


def test_who_could_be_visited_besides_the_most_pressing_first(town: SlotTown) -> None:
    town.add(
        (account("new", last_visit=None), door(1)),
        (account("lost"), None),
        (account("nobodys", owner_rep_id=""), door(2)),
        (opportunity("dam", qualified_at=local("2026-11-30 10:00")), door(3)),
        (opportunity("bens"), door(3)),
    )
    hand(town, "dam")
    hand(town, "bens", "ben")
    customers = phone(town)["customers"]
    assert [(entry["visit_id"], entry["due_on"]) for entry in customers] == [
        ("account:new", None),
        ("account:bakery", "2026-11-30"),
        ("opportunity:mill", "2026-12-04"),
        ("opportunity:dam", "2026-12-07"),
    ]
    assert (customers[1]["lat"], customers[1]["lon"], customers[1]["minutes"]) == (0.0, 0.01, 30)


def test_at_most_three_hundred_customers_are_sent(slots: SlotTown) -> None:
    slots.add(*((account(f"a{n:03}"), door(n)) for n in range(310)))
    customers = phone(slots)["customers"]
    assert [customers[0]["visit_id"], customers[-1]["visit_id"]] == ["account:a000", "account:a299"]


def test_a_conflict_stays_until_it_is_settled(town: SlotTown) -> None:
    at = datetime(2026, 11, 30, 9, tzinfo=UTC)
    event = FieldEvent(
        TOWN, "e1", "anna", MONDAY, "account:bakery", EventKind.REPORTED, at, 0, {}, "user:anna", at, Outcome.CONFLICT,
        "Ben has it now",
    )  # fmt: skip
    keep(town, event, replace(event, id="e2", rep_id="ben"), replace(event, id="e3", outcome=Outcome.TAKEN))
    assert phone(town, date(2027, 3, 1), 1)["conflicts"] == [
        {"id": "e1", "kind": "reported", "visit_id": "account:bakery", "name": "Bakery", "day": "2026-11-30",
         "made_at": "2026-11-30T09:00:00+00:00", "message": "Ben has it now"}
    ]  # fmt: skip
    keep(town, replace(event, outcome=Outcome.SETTLED))
    assert phone(town)["conflicts"] == []


def test_nothing_of_anybody_elses_is_on_a_phone(town: SlotTown) -> None:
    keep(town, report("theirs", rep_id="ben", visit_id="account:cafe", account_id="cafe", text="secret of ben"))
    told = str(phone(town, scope=WHOLE_TOWN))
    assert "secret of ben" not in told
    assert "Cafe" not in told
    assert "cafe" not in told


@pytest.mark.parametrize(
    "scope",
    [
        Scope(TOWN, frozenset({"ben"})),
        Scope("village", frozenset({"anna"})),
        Scope(TOWN, frozenset(), unassigned=False, inside_rep="irene@example.com"),
        Scope(TOWN, inside_rep="irene@example.com"),
    ],
)
def test_another_reps_phone_is_not_there(scope: Scope) -> None:
    with pytest.raises(NotFoundError, match="area town has no rep anna"):
        phone_scope(scope, TOWN, "anna")


def test_a_rep_who_does_not_exist_has_no_phone(slots: SlotTown) -> None:
    with pytest.raises(NotFoundError, match="area town has no rep zoe"):
        phone(slots, rep_id="zoe", scope=Scope(TOWN))


def test_a_rep_names_visits_to_those_whom_they_see_and_those_that_they_had_on_the_day(town: SlotTown) -> None:
    before = next(d["date"] for d in phone(town)["days"] if any(s["name"] == "Bakery" for s in d["stops"]))
    with town.writing() as unit:
        unit.records(TOWN).save(account(owner_rep_id="ben"))
    town.publish(MONDAY, work=1)
    keep(town, promise("x", day=TUESDAY), replace(promise("y", day=TUESDAY), state=BookingState.MOVED))
    with town.store.read(ANNA) as unit:
        whose = Whose(unit, TOWN, "anna")
        assert whose.has_or_had(WEDNESDAY, "opportunity:mill")
        assert not whose.sees("account:bakery")
        assert whose.has_or_had(date.fromisoformat(before), "account:bakery")
        assert not whose.has_or_had(date.fromisoformat(before) + timedelta(days=1), "account:bakery")
        assert whose.has_or_had(TUESDAY, "opportunity:x")
        assert whose.has_or_had(TUESDAY, "opportunity:y")
        assert not whose.has_or_had(MONDAY, "opportunity:y")
        for id_ in ("account:cafe", "account:", "booking:b1", "nonsense", "rep:ben", "", "account:\0"):
            assert not whose.has_or_had(MONDAY, id_)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "visit_id"),
        ({"kind": "added", "visit_id": "account:bakery"}, ""),
        ({"kind": "added"}, "visit_id"),
        ({"kind": "added", "visit_id": 5}, "visit_id"),
        ({"kind": "late", "visit_id": "", "body": {"after": "account:cafe"}}, "body.after"),
        ({"kind": "order", "visit_id": "", "body": {"order": ["account:bakery", "account:cafe"]}}, "body.order"),
        ({"kind": "order", "visit_id": "", "body": {"order": ["account:bakery", 5]}}, ""),
        ({"visit_id": None, "body": []}, ""),
        ({"day": "someday"}, ""),
        ({"day": 5}, ""),
    ],
)
def test_an_event_that_names_somebody_elses_visit_says_where(town: SlotTown, changes: Any, field: str) -> None:
    usual = {"kind": "arrived", "visit_id": "account:cafe", "day": str(MONDAY), "body": {}}
    sent = SentEvent(**({"id": "", "rep_id": "anna", "made_at": "", "base": 0} | usual | changes))
    with town.store.read(ANNA) as unit:
        assert Whose(unit, TOWN, "anna").stranger_in(sent) == field


def test_names_that_look_like_markup_come_as_they_are(slots: SlotTown) -> None:
    slots.add((account(name=EVIL, contact_name=EVIL, contact_phone=EVIL), door(10)))
    slots.publish(MONDAY, work=1)
    bakery = stops(phone(slots))["bakery"]
    assert bakery["name"] == bakery["account"]["name"] == bakery["contact"]["name"] == EVIL
    assert "<" not in "".join(link["url"] for link in bakery["links"])


def test_settings_are_those_of_the_installation(slots: SlotTown) -> None:
    slots.with_settings(candidates=replace(SETTINGS.candidates, visit_minutes=45))
    slots.add((account(visit_minutes=None), door(10)))
    slots.publish(MONDAY, work=1)
    assert stops(phone(slots))["bakery"]["account"]["minutes"] == {"expected": 45, "source": "default", "visits": 0}


def test_days_before_come_along_so_that_their_visits_can_still_be_reported(town: SlotTown) -> None:
    with town.store.read(phone_scope(ANNA, TOWN, "anna")) as unit:
        week = phone_document(unit, TOWN, "anna", MONDAY, 5, asking(), town.settings, town.now)
        busy = next(day for day in week["days"] if day["stops"])
        after = date.fromisoformat(busy["date"]) + timedelta(days=1)
        told = phone_document(unit, TOWN, "anna", after, 1, asking(), town.settings, town.now, before=1)
    assert [day["date"] for day in told["days"]] == [busy["date"], str(after)]
    assert told["days"][0]["stops"] == busy["stops"]
