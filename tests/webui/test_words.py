"""How minutes, metres and days are said."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from planner.candidates import Reason, VisitKind
from webui.words import (
    KINDS,
    REASONS,
    clock,
    count,
    distance,
    duration,
    long_day,
    mail_link,
    phone_link,
    sentence,
    short_day,
    span_of_days,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 min"),
        (1, "under 1 min"),
        (29.9, "under 1 min"),
        (30, "1 min"),
        (89, "1 min"),
        (90, "2 min"),
        (3569, "59 min"),
        (3570, "1 h"),
        (5100, "1 h 25"),
        (3900, "1 h 05"),
        (95640, "26 h 34"),
        (36_000_000, "10,000 h"),
    ],
)
def test_durations_are_said_to_the_minute(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("metres", "said"),
    [(0, "0 m"), (4, "0 m"), (541, "540 m"), (994, "990 m"), (995, "1.0 km"), (2321, "2.3 km"), (99_949, "99.9 km"),
     (274_776, "275 km")],
)  # fmt: skip
def test_distances_are_said_as_people_do(metres: float, said: str) -> None:
    assert distance(metres) == said


def test_days_are_said_without_leading_zeros() -> None:
    assert short_day(date(2026, 12, 1)) == "Tue 1 Dec"
    assert long_day(date(2026, 12, 1)) == "Tuesday 1 December 2026"
    assert clock(datetime(2026, 12, 1, 9, 5, 59)) == "09:05"  # noqa: DTZ001


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 12, 1), date(2026, 12, 1), "Tuesday 1 December 2026"),
        (date(2026, 12, 7), date(2026, 12, 11), "7 – 11 December 2026"),
        (date(2026, 11, 30), date(2026, 12, 4), "30 November – 4 December 2026"),
        (date(2026, 12, 28), date(2027, 1, 1), "28 December 2026 – 1 January 2027"),
    ],
)
def test_a_span_of_days_says_nothing_twice(first: date, last: date, said: str) -> None:
    assert span_of_days(first, last) == said


def test_counts_and_sentences() -> None:
    assert (count(1, "visit"), count(1250, "visit"), count(2, "address", "addresses")) == (
        "1 visit",
        "1,250 visits",
        "2 addresses",
    )
    assert (sentence("late"), sentence("")) == ("Late", "")


def test_every_kind_and_reason_has_its_words() -> None:
    assert set(KINDS) == set(VisitKind)
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize(
    ("phone", "link"),
    [
        ("+46 70 174 06 05", "tel:+46701740605"),
        ("+44 (0)1632 960-001 ext. 12", "tel:+441632960001"),
        ("(01632) 960 001", "tel:01632960001"),
        ("Tel. 01632/960.001", "tel:01632960001"),
        ("+\u0663\u0665\u0668 123", "tel:+358123"),
        ("112", "tel:112"),
        ("at 7", ""),
        ("", ""),
    ],
)
def test_a_phone_dials_what_people_typed(phone: str, link: str) -> None:
    assert phone_link(phone) == link


@pytest.mark.parametrize(
    ("email", "link"),
    [
        ("ada.lee@bar.example", "mailto:ada.lee@bar.example"),
        ("a?cc=x@bar.example", "mailto:a%3Fcc%3Dx@bar.example"),
        ("ask her", ""),
        ("", ""),
    ],
)
def test_only_an_address_is_written_to(email: str, link: str) -> None:
    assert mail_link(email) == link
