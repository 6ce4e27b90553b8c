"""Rows of text become records; what cannot is refused by line, field and reason, and stops nobody else."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.domain import Account, Address
from planner.errors import IntakeError, InvalidRecordError
from planner.intake import Parsed, Table, cells, parse_accounts, parse_opportunities, parse_reps, read_table

LONDON = ZoneInfo("Europe/London")
REP = {
    "rep_id": "R1",
    "name": "Ada",
    "email": "ada@example.com",
    "start_address": "1 High Street, Newport NP20 1FQ",
    "timezone": "Europe/London",
    "work_days": "Mo-Fr",
    "work_start": "09:00",
    "work_end": "17:30",
    "break_minutes": "45",
    "break_window": "11:30-14:00",
    "skills": "Enterprise; cold chain",
    "languages": "EN; cy",
    "max_visits_per_day": "10",
}
ACCOUNT = {"account_id": "A1", "name": "Bar", "address": "1 Lee Way"}
OPPORTUNITY = {"opportunity_id": "O1", "name": "Bar", "address": "1 Lee Way"}
PARSERS: dict[str, Callable[[Table], Parsed[Any]]] = {
    "rep_id": parse_reps,
    "account_id": parse_accounts,
    "opportunity_id": lambda table: parse_opportunities(table, LONDON),
}


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[..., Parsed[Any]]:
    """Parses rows of the kind that their id column says; all rows have the columns of the first."""
    import csv

    def parse(*rows: dict[str, str]) -> Parsed[Any]:
        path = tmp_path / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return next(parser for column, parser in PARSERS.items() if column in rows[0])(read_table(path))

    return parse


def test_a_rep_is_read_with_hours_break_and_skills(parsed: Callable[..., Parsed[Any]]) -> None:
    (rep,) = parsed(REP).records
    assert rep.start_address == Address("1 High Street, Newport NP20 1FQ")
    assert rep.end_address is None
    assert rep.work_days == {0, 1, 2, 3, 4}
    assert (rep.work_start, rep.work_end) == (time(9), time(17, 30))
    assert (rep.break_minutes, rep.break_window) == (45, (time(11, 30), time(14)))
    assert rep.skills == {"enterprise", "cold chain"}
    assert rep.languages == {"en", "cy"}


def test_an_end_address_that_is_the_start_is_no_second_address(parsed: Callable[..., Parsed[Any]]) -> None:
    (same,) = parsed(REP | {"end_address": REP["start_address"]}).records
    (other,) = parsed(REP | {"end_address": "2 Low Street"}).records
    assert same.end_address is None
    assert other.end_address == Address("2 Low Street")


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (REP | {"rep_id": ""}, "rep_id", "is empty"),
        (REP | {"rep_id": "R1/end"}, "rep_id", "slash"),
        (REP | {"name": ""}, "name", "is empty"),
        (REP | {"start_address": ""}, "start_address", "is empty"),
        (REP | {"start_address": "x" * 3000}, "start_address", "characters long"),
        (REP | {"end_address": "x" * 3000}, "end_address", "characters long"),
        (REP | {"work_end": "08:00"}, "work_end", "is not after"),
        (REP | {"work_end": "25:00"}, "work_end", "is not a time"),
        (REP | {"work_start": ""}, "work_start", "is empty"),
        (REP | {"timezone": "Europe/Newport"}, "timezone", "not an IANA time zone"),
        (REP | {"timezone": "../../etc/passwd"}, "timezone", "not an IANA time zone"),
        (REP | {"timezone": ""}, "timezone", "not an IANA time zone"),
        (REP | {"work_days": "Mo-Xx"}, "work_days", "weekdays"),
        (REP | {"work_days": ""}, "work_days", "is empty"),
        (REP | {"break_minutes": "-5"}, "break_minutes", "-5"),
        (REP | {"break_window": "14:00-11:30"}, "break_window", "is not after"),
        (REP | {"break_window": "noon"}, "break_window", "not a span"),
        (REP | {"max_visits_per_day": "many"}, "max_visits_per_day", "whole number"),
        (ACCOUNT | {"account_id": "A\n1"}, "account_id", "line break"),
        (ACCOUNT | {"visit_minutes": "-30"}, "visit_minutes", "-30"),
        (ACCOUNT | {"visit_minutes": "9" * 5000}, "visit_minutes", "characters long"),
        (ACCOUNT | {"opening_hours": "when we feel like it"}, "opening_hours", "opening_hours syntax"),
        (ACCOUNT | {"last_visit": "2026-02-30"}, "last_visit", "not in the calendar"),
        (ACCOUNT | {"last_order": "yesterday"}, "last_order", "not a date"),
        (ACCOUNT | {"last_order": "0026-11-30"}, "last_order", "1900"),
        (ACCOUNT | {"annual_value": "-12"}, "annual_value", "negative"),
        (ACCOUNT | {"annual_value": "12,34,56"}, "annual_value", "not an amount"),
        (ACCOUNT | {"annual_value": "nan"}, "annual_value", "not an amount"),
        (ACCOUNT | {"cadence_days": "0"}, "cadence_days", "between"),
        (ACCOUNT | {"address": "x" * 3000}, "address", "characters long"),
        (ACCOUNT | {"Colour": "x" * 30_000}, "Colour", "characters long"),
        (OPPORTUNITY | {"probability": "1.5"}, "probability", "between 0 and 1"),
        (OPPORTUNITY | {"need": "perhaps"}, "need", "not yes, no or unknown"),
        (OPPORTUNITY | {"availability": "Mo-Fr 26:00-27:00"}, "availability", "opening_hours syntax"),
        (OPPORTUNITY | {"appointment": "2026-03-29T01:30"}, "appointment", "the clocks skip it"),
        (OPPORTUNITY | {"qualified_at": "2026-03-29 01:00"}, "qualified_at", "the clocks skip it"),
        (OPPORTUNITY | {"appointment": "soon"}, "appointment", "not a date"),
        (OPPORTUNITY | {"appointment": "2026-12-03T14:00+99:00"}, "appointment", "no offset"),
        (OPPORTUNITY | {"notes": "x" * 30_000}, "notes", "characters long"),
    ],
)
def test_nonsense_is_refused_by_line_and_field_and_the_other_rows_go_on(
    parsed: Callable[..., Parsed[Any]], row: dict[str, str], field: str, reason: str
) -> None:
    id_column = next(iter(row))
    good = next(sample for sample in (REP, ACCOUNT, OPPORTUNITY) if id_column in sample)
    result = parsed(row, good | {id_column: "good"})
    assert [record.id for record in result.records] == ["good"]
    (refusal,) = result.refusals
    assert (refusal.file, refusal.line, refusal.field) == ("rows.csv", 2, field)
    assert reason in refusal.reason
    assert len(refusal.reason) <= 300


def test_a_date_in_a_broken_column_still_counts_every_row_once(parsed: Callable[..., Parsed[Any]]) -> None:
    rows = [ACCOUNT | {"account_id": f"A{n}", "visit_minutes": str(n - 5)} for n in range(20)]
    result = parsed(*rows)
    assert len(result.records) + len(result.refusals) == 20


def test_of_two_rows_with_one_id_the_first_counts(parsed: Callable[..., Parsed[Any]]) -> None:
    result = parsed(ACCOUNT, ACCOUNT | {"name": "Other"}, ACCOUNT | {"account_id": "A2"})
    assert [record.name for record in result.records] == ["Bar", "Bar"]
    (refusal,) = result.refusals
    assert (refusal.line, refusal.record_id, refusal.field) == (3, "A1", "account_id")
    assert "line 2" in refusal.reason


def test_a_refused_row_does_not_take_its_id_away(parsed: Callable[..., Parsed[Any]]) -> None:
    result = parsed(ACCOUNT | {"visit_minutes": "-1"}, ACCOUNT | {"visit_minutes": "30"})
    assert [record.visit_minutes for record in result.records] == [30]


def test_unknown_columns_are_kept_as_attributes_and_absent_ones_are_named(parsed: Callable[..., Parsed[Any]]) -> None:
    result = parsed(ACCOUNT | {"Parking": "yard", "Gate code": ""})
    assert result.records[0].attributes == {"Parking": "yard"}
    assert any("attributes: Parking, Gate code" in note for note in result.notes)
    assert any("opening_hours" in note and "left empty" in note for note in result.notes)


@pytest.mark.parametrize("sample", [REP, ACCOUNT, OPPORTUNITY])
def test_missing_required_columns_are_named(parsed: Callable[..., Parsed[Any]], sample: dict[str, str]) -> None:
    with pytest.raises(IntakeError, match="has no column name"):
        parsed({key: value for key, value in sample.items() if key != "name"})


def test_hostile_text_is_kept_as_the_text_it_is(parsed: Callable[..., Parsed[Any]]) -> None:
    names = ["{{7*7}}", "<img src=x onerror=alert(1)>", "`id`", '=HYPERLINK("http://evil.example")', "'; DROP TABLE--"]
    result = parsed(*(ACCOUNT | {"account_id": f"A{n}", "name": name} for n, name in enumerate(names)))
    assert [record.name for record in result.records] == names


def test_a_nul_byte_in_a_name_is_named_by_row(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_bytes(b"account_id,name,address\nA1,Bar\0,x\nA2,Pub,y\n")
    result = parse_accounts(read_table(path))
    (refusal,) = result.refusals
    assert (refusal.line, refusal.record_id, refusal.field) == (2, "A1", "name")
    assert [record.id for record in result.records] == ["A2"]


def test_a_time_with_an_offset_becomes_local(parsed: Callable[..., Parsed[Any]]) -> None:
    (record,) = parsed(
        OPPORTUNITY | {"appointment": "2026-07-01T13:00Z", "qualified_at": "2026-12-01T13:00+02:00"}
    ).records
    assert record.appointment == datetime.fromisoformat("2026-07-01T14:00")
    assert record.qualified_at == datetime.fromisoformat("2026-12-01T11:00")


def test_a_time_with_an_offset_is_refused_while_nobody_knows_what_is_local(tmp_path: Path) -> None:
    path = tmp_path / "opportunities.csv"
    path.write_text("opportunity_id,name,address,appointment\nO1,Bar,x,2026-07-01T13:00Z\nO2,Bar,x,2026-07-01T13:00\n")
    result = parse_opportunities(read_table(path), None)
    assert [refusal.record_id for refusal in result.refusals] == ["O1"]
    assert [record.appointment for record in result.records] == [datetime.fromisoformat("2026-07-01T13:00")]


@pytest.mark.parametrize(
    ("text", "answer"),
    [("y", "yes"), ("TRUE", "yes"), ("1", "yes"), ("No", "no"), ("0", "no"), ("", "unknown"), ("n/a", "unknown")],
)
def test_answers_have_many_spellings(parsed: Callable[..., Parsed[Any]], text: str, answer: str) -> None:
    (record,) = parsed(OPPORTUNITY | {"budget": text, "timeline": "this quarter"}).records
    assert (record.budget, record.timeline) == (answer, "this quarter")


# ---- one text, one value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-30", date(2026, 11, 30)),
        ("2026/11/30", date(2026, 11, 30)),
        ("30.11.2026", date(2026, 11, 30)),
        ("3.4.2026", date(2026, 4, 3)),
        ("30/11/2026", date(2026, 11, 30)),
        ("11/30/2026", date(2026, 11, 30)),
        ("04/04/2026", date(2026, 4, 4)),
        ("2026-11-30 14:30:00", date(2026, 11, 30)),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, expected: date) -> None:
    assert cells.parse_date("d", text) == expected


def test_an_ambiguous_date_is_read_as_its_column_is_or_refused() -> None:
    assert cells.parse_date("d", "03/04/2026", cells.date_order(["", "03/04/2026", "30/11/2026"])) == date(2026, 4, 3)
    assert cells.parse_date("d", "03/04/2026", cells.date_order(["11/30/2026"])) == date(2026, 3, 4)
    for column in (["03/04/2026"], ["30/11/2026", "11/30/2026"]):
        with pytest.raises(InvalidRecordError, match="two ways"):
            cells.parse_date("d", "03/04/2026", cells.date_order(column))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9:00", time(9)),
        ("09:00", time(9)),
        ("0900", time(9)),
        ("900", time(9)),
        ("9.30", time(9, 30)),
        ("09:00:00", time(9)),
        ("9am", time(9)),
        ("5:30 PM", time(17, 30)),
        ("12 am", time(0)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: time) -> None:
    assert cells.parse_time("t", text) == expected


@pytest.mark.parametrize("text", ["24:00", "9:60", "13 pm", "0 am", "noon", "9-10"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecordError):
        cells.parse_time("t", text)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mo-Fr", {0, 1, 2, 3, 4}),
        ("Mo-Th", {0, 1, 2, 3}),
        ("Mo,We,Fr", {0, 2, 4}),
        ("mon - fri", {0, 1, 2, 3, 4}),
        ("Sa-Mo", {5, 6, 0}),
        ("Tuesday; Thurs", {1, 3}),
        ("Mo-Tu, Sa", {0, 1, 5}),
    ],
)
def test_weekdays_are_read_as_people_write_them(text: str, days: set[int]) -> None:
    assert cells.parse_weekdays("w", text) == days


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.5", 1234.5),
        ("1,234.50", 1234.5),
        ("1.234,50", 1234.5),
        ("1 234,50", 1234.5),
        ("1’234.50", 1234.5),
        ("12,50", 12.5),
        ("€ 500", 500),
        ("£1,200", 1200),
        ("500 EUR", 500),
        ("EUR500", 500),
        ("US$ 12", 12),
        ("1,234", 1234),
        ("1.234", 1234),
        ("0.125", 0.125),
        ("123.4560", 123.456),
        ("1,234,567", 1234567),
        ("-5", -5),
        ("", 0),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, expected: float) -> None:
    assert cells.parse_money("m", text) == expected


def test_three_digits_after_a_mark_are_read_as_the_column_does() -> None:
    assert cells.parse_money("m", "1.234", cells.decimal_mark(["12.5", "1.234"])) == 1.234
    assert cells.parse_money("m", "1,234", cells.decimal_mark(["12,5", "1,234"])) == 1.234
    assert cells.parse_money("m", "1,234", cells.decimal_mark(["12.5", "1,234"])) == 1234


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_an_amount_with_two_decimals_is_read_back_in_any_style(amount: Any) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert cells.parse_money("m", english) == cells.parse_money("m", german) == float(amount)


@pytest.mark.parametrize("kind", [ACCOUNT, OPPORTUNITY])
def test_a_contact_is_kept_as_people_typed_it(parsed: Callable[..., Parsed[Any]], kind: dict[str, str]) -> None:
    contact = {"contact_name": "Ada", "contact_email": "ada@bar.example", "contact_phone": " +44 (0)1632 960-001 x2 "}
    (record,) = parsed(kind | contact).records
    assert (record.contact_name, record.contact_email) == ("Ada", "ada@bar.example")
    assert record.contact_phone == "+44 (0)1632 960-001 x2"
    assert record.attributes == {}


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("ask at the bar", "'ask at the bar' is not a phone number"),
        ("12", "'12' is not a phone number"),
        ("0" * 51, "is 51 characters long, at most 50 are kept"),
        ("3.58E+11", "'3.58E+11' is a number cut short by a spreadsheet: make its column text there"),
        ("01632\n960001", "'01632\\n960001' is not a phone number"),
    ],
)
@pytest.mark.parametrize("kind", [ACCOUNT, OPPORTUNITY])
def test_what_is_no_phone_number_is_refused_by_name(
    parsed: Callable[..., Parsed[Any]], kind: dict[str, str], phone: str, reason: str
) -> None:
    result = parsed(kind | {"contact_phone": phone}, {**dict.fromkeys(kind, "x"), "contact_phone": "112"})
    (refusal,) = result.refusals
    assert (refusal.record_id, refusal.field, refusal.reason) == (next(iter(kind.values())), "contact_phone", reason)
    assert [record.contact_phone for record in result.records] == ["112"]


@given(st.text(max_size=100), st.sampled_from([LONDON, None]))
def test_any_text_gives_a_value_or_an_invalid_record_error(text: str, zone: ZoneInfo | None) -> None:
    for parse in (
        cells.parse_date,
        cells.parse_time,
        cells.parse_time_range,
        cells.parse_weekdays,
        cells.parse_whole,
        cells.parse_money,
        cells.parse_share,
        cells.parse_answer,
        cells.parse_phone,
        lambda column, cell: cells.parse_local_time(column, cell, None, zone),
    ):
        with suppress(InvalidRecordError):
            parse("c", text.strip())
    cells.date_order([text])
    cells.decimal_mark([text])


@given(st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2150-01-01")))
def test_a_local_time_is_read_as_it_stands_or_refused(moment: datetime) -> None:
    moment = moment.replace(second=0, microsecond=0)
    with suppress(InvalidRecordError):
        assert cells.parse_local_time("t", moment.isoformat(), None, LONDON) == moment


def test_the_newport_accounts_are_all_read() -> None:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "newport"
    if not folder.is_dir():
        pytest.skip("the Newport data is not here")
    result = parse_accounts(read_table(folder / "accounts.csv"))
    older = ("columns that the file does not have, left empty: contact_name, contact_email, contact_phone",)
    assert (len(result.records), result.refusals, result.notes) == (565, (), older)
    assert isinstance(result.records[0], Account)
