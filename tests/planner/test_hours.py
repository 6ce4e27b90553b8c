"""From wall-clock hours to instants, across clock changes too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cast import LONDON, LOS_ANGELES, MONDAY, local

from planner.hours import exists, instant, intersect, midnight, open_spans, seconds_since, whole_visit_windows
from routing.problem import TimeWindow

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""When London's clocks go forward from 01:00 to 02:00, and back from 02:00 to 01:00."""
HOUR = 3600


def spans_of(expression: str, day: date, zone: ZoneInfo = LONDON) -> list[tuple[float, float]]:
    """When it is open from that day's first midnight to its last, in hours after the first."""
    epoch = instant(midnight(day), zone)
    end = seconds_since(epoch, midnight(day + timedelta(days=1)), zone)
    spans = intersect(open_spans(expression, epoch, day, day, zone), [(0, end)])
    return [(start / HOUR, stop / HOUR) for start, stop in spans]


def test_hours_are_counted_from_midnight_on_an_ordinary_day() -> None:
    assert spans_of("Mo-Fr 09:00-12:30,13:30-17:00", MONDAY) == [(9, 12.5), (13.5, 17)]


def test_a_day_that_is_not_named_is_closed() -> None:
    assert spans_of("Tu-Fr 09:00-17:00", MONDAY) == []


def test_open_around_the_clock_is_one_span() -> None:
    assert spans_of("24/7", MONDAY) == [(0, 24)]
    assert spans_of("Mo-Su 24/7", MONDAY) == [(0, 24)]


def test_hours_past_midnight_belong_to_both_days() -> None:
    assert spans_of("Mo-Su 18:00-02:00", MONDAY) == [(0, 2), (18, 24)]


def test_a_night_that_began_before_the_first_day_still_counts() -> None:
    """Open on Sunday night only, seen from Monday."""
    assert spans_of("Su 18:00-02:00", MONDAY) == [(0, 2)]


def test_perhaps_open_is_not_open() -> None:
    assert spans_of("Mo-Fr 09:00-17:00 unknown", MONDAY) == []


def test_in_spring_the_day_is_an_hour_shorter() -> None:
    assert spans_of("24/7", SPRING) == [(0, 23)]
    assert spans_of("Su 10:00-16:00", SPRING) == [(9, 15)]
    assert spans_of("Su 00:00-16:00", SPRING) == [(0, 15)]


def test_in_autumn_the_day_is_an_hour_longer() -> None:
    assert spans_of("24/7", AUTUMN) == [(0, 25)]
    assert spans_of("Su 10:00-16:00", AUTUMN) == [(11, 17)]
    assert spans_of("Su 00:00-16:00", AUTUMN) == [(0, 17)]


def test_los_angeles_changes_on_other_days() -> None:
    assert spans_of("Su 10:00-16:00", SPRING, LOS_ANGELES) == [(10, 16)]
    assert spans_of("Su 10:00-16:00", date(2026, 3, 8), LOS_ANGELES) == [(9, 15)]
    assert instant(local("2026-03-08 10:00"), LOS_ANGELES) == datetime(2026, 3, 8, 17, tzinfo=UTC)


@pytest.mark.parametrize(("expression", "day"), [("Su 00:00-01:30", SPRING), ("Su 00:00-01:30", AUTUMN)])
def test_an_end_that_the_clock_change_makes_doubtful_is_the_earlier_one(expression: str, day: date) -> None:
    [(start, end)] = spans_of(expression, day)
    assert start == 0
    assert end <= 1.5


def test_a_beginning_that_the_clock_change_makes_doubtful_is_the_later_one() -> None:
    assert spans_of("Su 01:30-05:00", AUTUMN) == [(2.5, 6)]


def test_local_times_become_instants() -> None:
    assert instant(local("2026-11-30 09:00"), LOS_ANGELES) == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert instant(local("2026-07-01 09:00"), LONDON) == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_does_not_exist() -> None:
    assert not exists(local("2026-03-29 01:30"), LONDON)
    assert not exists(local("2026-03-08 02:30"), LOS_ANGELES)
    assert exists(local("2026-03-29 02:30"), LONDON)
    assert exists(local("2026-10-25 01:30"), LONDON)


def test_of_two_times_with_one_name_the_first_is_meant() -> None:
    assert instant(local("2026-10-25 01:30"), LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_whole_visit_lies_within_the_hours() -> None:
    assert whole_visit_windows([(0, 100), (200, 240)], 50) == (TimeWindow(0, 50),)
    assert whole_visit_windows([(0, 50)], 50) == (TimeWindow(0, 0),)
    assert whole_visit_windows([(0, 49)], 50) == ()


def test_what_was_open_before_the_first_day_is_cut_off() -> None:
    assert whole_visit_windows([(-100, 60)], 50) == (TimeWindow(0, 10),)
    assert whole_visit_windows([(-100, 40)], 50) == ()


def test_two_sets_of_hours_have_in_common_what_is_in_both() -> None:
    assert intersect([(0, 10), (20, 30)], [(5, 25)]) == [(5, 10), (20, 25)]
    assert intersect([(0, 10)], [(10, 20)]) == []
    assert intersect([], [(0, 1)]) == []
