"""Phones whose clocks are wrong, and taps on the card of another day: all of it is kept, and no day is harmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cast import MONDAY, TUESDAY, WEDNESDAY
from field_cast import ACTORS, BAKERY, DAIRY, FORGE, KIOSK, MILL, Field, Fields, at, event_id, sent
from slots_cast import TOWN

from planner.fieldwork.bodies import SentEvent
from planner.fieldwork.domain import Disposition, EventKind
from planner.fieldwork.privacy import forget_positions
from planner.fieldwork.taking import Taken
from planner.handoffs.domain import HandoffState
from planner.replanning.domain import Wish
from planner.replanning.previewing import preview
from planner.slots.facts import DayFacts
from planner.slots.working_order import AgendaDay, Workshop
from routing.errors import ProblemError

THURSDAY, FRIDAY = TUESDAY + timedelta(days=2), TUESDAY + timedelta(days=3)


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Fields]:
    fields = Fields(tmp_path_factory.mktemp("field"), empty_database)
    yield fields
    fields.close()


@pytest.fixture
def field(fields: Fields) -> Field:
    return fields.anew()


def became(taken: list[Taken]) -> list[tuple[str, str]]:
    return [(str(one.outcome), one.message) for one in taken]


def moment(field: Field, clock: str) -> None:
    field.town.now = at(clock)


# ---- a clock that is ahead


def test_what_a_phone_ahead_of_us_says_counts_as_made_when_it_came(field: Field) -> None:
    moment(field, "09:12")
    (taken,) = field.take(sent("reported", KIOSK, "12:12", disposition="met"))
    assert became([taken]) == [("conflict", "This phone's clock is 3 h ahead: taken as of 09:12")]
    assert [report.made_at for report in field.reports()] == [at("09:12")]
    (event,) = field.events()
    assert (event.made_at, event.said_at) == (at("09:12"), at("12:12"))


@pytest.mark.parametrize(("ahead", "words"), [(6, "6 min"), (90, "2 h"), (3 * 24 * 60, "3 days")])
def test_how_far_ahead_is_said_in_round_words(field: Field, ahead: int, words: str) -> None:
    moment(field, "09:00")
    said = SentEvent(event_id("a"), "anna", str(TUESDAY), "", "sick", at("09:00") + timedelta(minutes=ahead), 0, {})
    assert became(field.take(said)) == [("conflict", f"This phone's clock is {words} ahead: taken as of 09:00")]


def test_five_minutes_ahead_nobody_hears_of(field: Field) -> None:
    assert became(field.take(sent("sick", "", "18:05"))) == [("taken", "")]
    assert [event.made_at for event in field.events()] == [at("18:05")]


def test_the_same_event_from_a_clock_that_is_ahead_is_known_again_however_late(field: Field) -> None:
    moment(field, "09:00")
    ahead = sent("arrived", KIOSK, "11:00")
    first = field.take(ahead)
    for clock in ("09:30", "10:58", "15:00"):
        moment(field, clock)
        assert field.take(ahead) == first
    assert [event.made_at for event in field.events()] == [at("09:00")]
    (other,) = field.take(replace(ahead, made_at=at("11:01").isoformat()))
    assert (other.outcome, other.field) == ("refused", "id")


def test_what_is_said_after_the_clock_was_set_right_counts(field: Field) -> None:
    moment(field, "11:00")
    field.take(sent("reported", KIOSK, "12:00", disposition="met"), sent("sick", "", "12:00", sick=True))
    moment(field, "11:10")
    field.take(sent("reported", KIOSK, "11:05", disposition="not_in"), sent("sick", "", "11:06", sick=False))
    visit, progress = field.visit(KIOSK), field.progress()
    assert visit is not None
    assert progress is not None
    assert (visit.disposition, progress.sick) == (Disposition.NOT_IN, False)


def test_what_comes_together_from_a_clock_that_is_ahead_keeps_its_order(field: Field) -> None:
    moment(field, "11:00")
    field.take(*(sent("sick", "", f"13:0{minute}", sick=not minute % 2) for minute in range(8)))
    progress = field.progress()
    assert progress is not None
    assert progress.sick is False


def test_a_position_is_forgotten_in_our_time_whatever_the_phone_says(field: Field) -> None:
    field.take(sent("arrived", KIOSK, on=date(2099, 1, 1), day=TUESDAY, lat=0.0, lon=0.02, accuracy_m=5))
    town = field.town
    assert forget_positions(town.store, town.settings.fieldwork, town.now + timedelta(days=3650)) == (0, 1)
    assert [check_in.lat for check_in in field.check_ins()] == [None]


def test_a_phone_that_is_ahead_ends_no_promise_that_is_still_to_come(field: Field) -> None:
    moment(field, "11:00")
    field.promises("forge", "anna", THURSDAY)
    (taken,) = field.take(sent("reported", FORGE, "12:00", on=THURSDAY, disposition="not_in"))
    assert "still to come" in taken.message
    assert field.handoff("forge").state is HandoffState.BOOKED


# ---- a clock that is behind, and another day's card


def test_a_phone_whose_battery_was_empty_is_told_so_and_begins_no_day(field: Field) -> None:
    (taken,) = field.take(sent("arrived", KIOSK, "00:10", on=date(1970, 1, 1), day=TUESDAY))
    assert taken.message == "By the phone's clock it was Thursday, 1970-01-01 01:10: kept, and 2026-12-01 is as it was"
    assert (len(field.events()), len(field.check_ins()), field.visit(KIOSK)) == (1, 1, None)


def test_a_check_in_on_another_days_card_is_kept_and_begins_nothing(field: Field) -> None:
    moment(field, "11:00")
    (taken,) = field.take(sent("arrived", DAIRY, "10:00", rep="ben", day=WEDNESDAY, on=TUESDAY), who="ben")
    assert taken.message.startswith("By the phone's clock it was Tuesday, 2026-12-01 10:00: kept, and 2026-12-02")
    assert field.visit(DAIRY, "ben", WEDNESDAY) is None


@pytest.mark.parametrize(("clock", "on"), [("22:00", MONDAY), ("02:00", WEDNESDAY)])
def test_a_few_hours_around_midnight_are_still_the_day(field: Field, clock: str, on: date) -> None:
    field.town.now = at("03:00", WEDNESDAY)
    field.take(sent("arrived", KIOSK, clock, on=on, day=TUESDAY))
    assert field.visit(KIOSK) is not None


@pytest.mark.parametrize(
    ("kind", "body", "bad"),
    [
        ("late", {"after": "", "leave_at": "2100-01-01T10:00:00+00:00"}, "body.leave_at"),
        ("late", {"after": BAKERY, "leave_at": "2026-11-29T10:00:00+00:00"}, "body.leave_at"),
        ("finish", {"by": "1970-01-01T10:00:00+00:00"}, "body.by"),
    ],
)
def test_a_time_that_is_nowhere_near_the_day_is_refused(
    field: Field, kind: str, body: dict[str, Any], bad: str
) -> None:
    (taken,) = field.take(sent(kind, "", **body))
    assert (taken.outcome, taken.field) == ("refused", bad)


# ---- a day that is still to come


def test_what_is_reported_of_a_day_to_come_is_kept_and_counts_for_nothing(field: Field) -> None:
    moment(field, "11:00")
    far = date(2190, 1, 1)
    (taken,) = field.take(sent("reported", KIOSK, day=far, on=TUESDAY, disposition="met"))
    assert became([taken]) == [
        ("conflict", "2190-01-01 is still to come: this is kept with it, and counts for nothing")
    ]
    assert (len(field.reports()), field.visit(KIOSK, day=far)) == (1, None)
    with field.reading() as unit:
        assert list(unit.records(TOWN).visits()) == []
        assert unit.changed_days.find(area=TOWN) == []


def test_a_deal_is_not_won_on_a_day_to_come(field: Field) -> None:
    moment(field, "11:00")
    (taken,) = field.take(sent("reported", MILL, day=FRIDAY, on=TUESDAY, disposition="met", deal="won"))
    assert taken.message.startswith("2026-12-04 is still to come. Your report is kept with it")
    assert field.handoff().state is HandoffState.BOOKED


def test_who_comes_a_day_early_has_come(field: Field) -> None:
    moment(field, "11:00")
    field.take(sent("reported", KIOSK, day=WEDNESDAY, on=TUESDAY, disposition="met"))
    assert field.visit(KIOSK, day=WEDNESDAY) is not None


# ---- no day takes the others down


@pytest.mark.parametrize(
    "said",
    [
        sent("arrived", KIOSK, "09:00", on=date(2099, 1, 1), day=TUESDAY),
        sent("arrived", KIOSK, "09:00", on=date(1970, 1, 1), day=TUESDAY),
        sent("left", BAKERY, "09:00", on=TUESDAY - timedelta(days=16), day=TUESDAY),
        sent("arrived", DAIRY, "08:00", day=FRIDAY, on=TUESDAY),
        sent("late", "", "09:00", after=BAKERY, leave_at=at("23:00", WEDNESDAY).isoformat()),
        sent("finish", "", "09:00", by=at("00:00", MONDAY).isoformat()),
    ],
    ids=lambda said: f"{said.kind} {said.made_at[:10]}",
)
def test_whatever_a_phone_says_the_week_can_be_told_mended_and_planned_anew(field: Field, said: SentEvent) -> None:
    moment(field, "09:00")
    field.take(said)
    town = field.town
    with field.reading() as unit:
        assert town.agendas.agenda(unit, TOWN, MONDAY, FRIDAY).days
        for day in (TUESDAY, FRIDAY):
            assert preview(unit, town.agendas, TOWN, "anna", day, Wish(EventKind.SICK), town.settings, town.now)
    town.publish(MONDAY)


def test_rows_of_before_with_times_of_no_day_harm_nothing(field: Field) -> None:
    field.take(sent("arrived", KIOSK, "09:00"), sent("late", "", "09:01", after=KIOSK, leave_at=None))
    with field.town.writing() as unit:
        visit, told = field.visit(KIOSK), field.progress()
        assert visit is not None
        assert told is not None
        unit.field_visits.put(replace(visit, arrived_at=datetime.fromisoformat("1970-01-01T00:00+00:00")))
        unit.day_progress.put(replace(told, leave_at=datetime.fromisoformat("2150-01-01T00:00+00:00"), revision=7))
    with field.reading() as unit:
        day = field.town.agendas.day(unit, TOWN, "anna", TUESDAY)
    assert day.begun is not None


def test_a_day_that_cannot_be_made_is_left_out_of_the_agenda_and_logged(
    field: Field, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = Workshop.day

    def broken(self: Workshop, facts: DayFacts) -> AgendaDay:
        if facts.working_day.id == f"anna@{TUESDAY}":
            raise ProblemError("ends before it starts")
        return made(self, facts)

    monkeypatch.setattr(Workshop, "day", broken)
    town = field.town
    with town.store.read(ACTORS["max"].scope) as unit:
        days = {day.id for day in town.agendas.agenda(unit, TOWN, TUESDAY, WEDNESDAY).days}
    assert days == {f"ben@{TUESDAY}", f"anna@{WEDNESDAY}", f"ben@{WEDNESDAY}"}
    assert f"anna@{TUESDAY} cannot be made" in caplog.text
