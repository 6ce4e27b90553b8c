"""What a scenario changes: what makes sense is read and written back, and all that does not is told by field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_cast import CLEO, HOURS

from planner.scenarios.changes import Changes, ChangesInvalidError, changes_of, check_known


def wrong(**said: Any) -> dict[str, str]:
    """Field -> what is wrong with it."""
    with pytest.raises(ChangesInvalidError) as caught:
        changes_of(said)
    return {error.field: error.message for error in caught.value.errors}


def unknown(**said: Any) -> dict[str, str]:
    with pytest.raises(ChangesInvalidError) as caught:
        check_known(changes_of(said), {"anna", "ben"}, {"c01"}, {"B"})
    return {error.field: error.message for error in caught.value.errors}


def test_what_is_left_out_is_as_it_is_now() -> None:
    assert changes_of({}) == Changes()
    assert Changes().even


def test_changes_are_written_as_they_are_read() -> None:
    said = {
        "even": False,
        "new_reps": [CLEO],
        "removed": ["ben"],
        "hours": {"anna": HOURS},
        "segments": {"A": 7, "": 90},
        "accounts": {"c01": 14, "c02": None},
        "pins": {"c03": "anna"},
        "prices": {"broken_minutes": 12.5, "evenness": 3.0},
    }
    read = changes_of(said)
    assert changes_of(read.as_json()) == read
    assert read.as_json()["hours"] == {"anna": HOURS}
    assert read.new_reps[0].place.lat == 0.02


def test_all_that_makes_no_sense_is_told_by_field() -> None:
    told = wrong(
        even=1,
        surprise=True,
        new_reps=[{**CLEO, "work_end": "08:00", "lat": 91, "id": "a/b"}, {**CLEO, "street": " ", "work_days": []}],
        removed=["anna"],
        hours={"anna": HOURS, "ben": {**HOURS, "work_start": "9"}},
        segments={"A": 0},
        accounts={"c01": 7.5},
        pins={"c02": ""},
        prices={"broken_minutes": float("nan"), "evenness": -1},
    )
    assert told == {
        "surprise": "is unknown; there are even, new_reps, removed, hours, segments, accounts, pins, prices",
        "even": "1 is neither true nor false",
        "new_reps.0.id": "holds a slash",
        "new_reps.0.lat": "91 is not a number between -90 and 90",
        "new_reps.0.work_end": "08:00 is not after 09:00",
        "new_reps.1.street": "is empty",
        "new_reps.1.work_days": "is empty",
        "hours.anna": "this rep leaves",
        "hours.ben.work_start": "'9' is not a time such as 09:00",
        "segments.A": "0 is not a whole number between 1 and 3,650",
        "accounts.c01": "7.5 is not a whole number between 1 and 3,650",
        "pins.c02": "is empty",
        "prices.broken_minutes": "nan is not a number between 0 and 10,000",
        "prices.evenness": "-1 is not a number between 0 and 100",
    }


def test_two_new_reps_have_two_ids() -> None:
    assert wrong(new_reps=[CLEO, CLEO]) == {"new_reps.1.id": "two new reps have the id cleo"}


def test_a_scenario_speaks_of_reps_and_customers_that_there_are() -> None:
    told = unknown(
        new_reps=[{**CLEO, "id": "ben"}],
        removed=["anna", "zoe"],
        hours={"yan": HOURS},
        accounts={"c99": 7},
        pins={"c98": "ben", "c01": "anna"},
    )
    assert told == {
        "new_reps.0.id": "there is a rep ben already",
        "removed.zoe": "there is no rep zoe",
        "hours.yan": "there is no rep yan",
        "accounts.c99": "there is no customer c99",
        "pins.c98": "there is no customer c98",
        "pins.c01": "anna leaves in this scenario",
    }
    assert unknown(removed=["anna", "ben"]) == {"removed": "nobody would be left"}
    check_known(
        changes_of({"new_reps": [CLEO], "removed": ["anna", "ben"], "pins": {"c01": "cleo"}}),
        {"anna", "ben"},
        {"c01"},
        (),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.dictionaries(st.sampled_from(list(Changes().as_json())), JSON, max_size=4)


def read(value: Any) -> Changes | None:
    """The changes; None where they are refused, which is said of a field at least."""
    try:
        return changes_of(value)
    except ChangesInvalidError as error:
        return None if all(map(str, error.errors)) and error.errors else Changes()


@given(JSON | PARTS)
def test_no_json_is_anything_but_read_or_refused(value: Any) -> None:
    if (known := read(value)) is not None:
        assert changes_of(known.as_json()) == known


def test_a_segment_that_no_customer_has_is_refused() -> None:
    assert unknown(segments={"B": 7, "nope": 7}) == {"segments.nope": "there is no customer of segment nope"}


def test_nobody_is_taken_on_twice_and_a_break_fits_into_the_day() -> None:
    twice = wrong(new_reps=[CLEO, {**CLEO, "id": "new", "name": "CLEO"}])
    assert twice == {"new_reps.1.name": "CLEO of this address is among the new reps already"}
    short = wrong(new_reps=[{**CLEO, "work_end": "10:00", "break_minutes": 60}])
    assert short == {"new_reps.0.break_minutes": "60 do not fit into the day"}
