"""A problem is the same when it is read again, and nothing that is not one is believed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InstanceError
from routing.problem import DAY_S, MAX_COST_S, Break, Job, Lodging, Problem, Shift, Spacing, TimeWindow
from routing.problem_file import read_problem, read_sequences, routes_of, write_problem
from routing.solver import SearchLimits, solve
from routing.traffic import Change

NAMES = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFFF, exclude_categories=["Cs"]), min_size=1, max_size=8
)
SOME = st.frozensets(NAMES, max_size=2)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Every field of every record, each as it is by default or otherwise."""
    n = draw(st.integers(1, 3))
    place, cost = st.integers(0, n - 1), st.integers(0, MAX_COST_S)

    def matrix(values: st.SearchStrategy[int]) -> list[list[int]]:
        return [draw(st.lists(values, min_size=n, max_size=n)) for _ in range(n)]

    series = draw(st.lists(NAMES, max_size=2, unique=True))
    spacings = tuple(Spacing(name, *sorted(draw(st.tuples(*[st.integers(1, 9)] * 2)))) for name in series)
    shifts = []
    for k, id_ in enumerate(draw(st.lists(NAMES, max_size=2, unique=True))):
        begin = k * DAY_S + draw(st.integers(0, 1000))
        end = begin + draw(st.integers(1000, DAY_S))
        rest = draw(st.sampled_from([None, Break(600, begin, begin + 700)]))
        most = draw(st.none() | st.integers(0, 9))
        shifts.append(
            Shift(id_, "ann", draw(place), draw(place), begin, end, rest, most, draw(SOME), draw(st.none() | cost))
        )
    if len(shifts) == 2 and draw(st.booleans()):
        shifts[0] = Shift(**{name: getattr(shifts[0], name) for name in SHIFT_FIELDS}, next_shift=shifts[1].id)
    jobs = []
    for id_ in draw(st.lists(NAMES, max_size=3, unique=True)):
        bounds = sorted(draw(st.lists(st.integers(0, 3 * DAY_S), max_size=4, unique=True)))
        jobs.append(
            Job(
                id_,
                draw(place),
                draw(cost),
                tuple(TimeWindow(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=False)),
                draw(st.integers(0, DAY_S)),
                draw(st.none() | cost),
                draw(st.none() | SOME),
                draw(SOME),
                draw(st.none() | NAMES),
                draw(st.none() | cost),
                draw(cost),
                draw(st.integers(0, 9)),
                draw(st.none() | st.sampled_from(series)) if series else None,
                draw(st.none() | NAMES),
                draw(cost),
            )
        )
    lodgings = tuple(
        Lodging(id_, draw(place), draw(cost), draw(st.none() | SOME))
        for id_ in draw(st.lists(NAMES, max_size=2, unique=True))
    )
    seconds = matrix(st.integers(-1, 9999))
    tables: tuple[list[list[int]], ...] = ()
    traffic: tuple[Change, ...] = ()
    if draw(st.booleans()):
        tables = ([[value * 2 if value > 0 else value for value in row] for row in seconds],)
        traffic = (Change(0, 0), Change(draw(st.integers(1, DAY_S)), 1))
    metres = matrix(st.integers(-1, 10**6))
    return Problem(tuple(jobs), tuple(shifts), seconds, metres, spacings, lodgings, tables, traffic)


SHIFT_FIELDS = [
    "id", "vehicle", "start_place", "end_place", "start_s", "end_s", "break_", "max_jobs", "skills", "capacity",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(problems())
def test_a_problem_that_is_written_and_read_is_the_same(problem: Problem) -> None:
    text = write_problem(problem)
    assert read_problem(text, "problem.json") == problem
    assert text.encode("utf-8").decode("utf-8") == text


GIVEN: dict[str, Any] = {
    "format": "fieldvisit-problem/1",
    "jobs": [{"id": "O1", "place": 1, "service_s": 600, "windows": [[0, 9000]]}],
    "shifts": [
        {"id": "R1@1", "vehicle": "R1", "start_place": 0, "end_place": 0, "start_s": 0, "end_s": 9000,
         "break": {"duration_s": 60, "start_s": 0, "end_s": 9000}},
    ],
    "seconds": [[0, 60], [60, 0]],
    "metres": [[0, 900], [900, 0]],
}  # fmt: skip


def put(path: str, value: Any) -> str:
    """The text of the problem above with another value at a path; a `Missing` takes it away."""
    top = json.loads(json.dumps(GIVEN))
    at = top
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in way:
        at = at[key]
    if value is Missing:
        del at[last]
    else:
        at[last] = value
    return json.dumps(top)


class Missing: ...


def test_what_stands_above_is_a_problem() -> None:
    assert len(read_problem(json.dumps(GIVEN), "p.json").jobs) == 1


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", "fieldvisit-problem/2", "format is 'fieldvisit-problem/2', not 'fieldvisit-problem/1'"),
        ("jobs", Missing, "jobs is missing"),
        ("jobs", {}, "jobs: is an object, not a list"),
        ("colour", 1, "there is no field 'colour'"),
        ("jobs.0", 7, "jobs[0]: is 7, not an object"),
        ("jobs.0.place", Missing, "jobs[0] (O1): place is missing"),
        ("jobs.0.place", 2, "job O1: place 2 is not in the matrix"),
        ("jobs.0.service_s", 1.5, "jobs[0] (O1): service_s: is 1.5, not a whole number"),
        ("jobs.0.service_s", "600", "jobs[0] (O1): service_s: is '600', not a whole number"),
        ("jobs.0.service_s", True, "jobs[0] (O1): service_s: is true, not a whole number"),
        ("jobs.0.service_s", 10**9, "jobs[0] (O1): job O1: service_s 1000000000 is not between"),
        ("jobs.0.service_s", 10**40, "jobs[0] (O1): service_s: is a huge number, not between"),
        ("jobs.0.windows", [[5]], "jobs[0] (O1): windows[0]: is a list, not a start and an end"),
        ("jobs.0.windows", [[9, 5]], "jobs[0] (O1): windows[0]: time window: [9, 5] is empty"),
        ("jobs.0.windows", None, "jobs[0] (O1): windows: is nothing, not a list"),
        ("jobs.0.penalty", 5, "jobs[0] (O1): there is no field 'penalty'"),
        ("jobs.0.id", "a\0b", "jobs[0] ('a\\x00b'): id: 'a\\x00b' is empty, too long, or holds characters"),
        ("jobs.0.id", "x" * 600, "too long"),
        ("jobs.0.id", None, "jobs[0]: id: is nothing, not a text"),
        ("jobs.0.vehicles", [1], "jobs[0] (O1): vehicles[0]: is 1, not a text"),
        ("jobs.0.series", "weekly", "job O1: series weekly has no spacing"),
        ("shifts.0.end_s", 0, "shifts[0] (R1@1): shift R1@1: [0, 0] is no working time"),
        ("shifts.0.break", 45, "shifts[0] (R1@1): break: is 45, not an object"),
        ("shifts.0.break.duration_s", 99_999, "break: break: 99999 s do not fit"),
        ("shifts.0.break_", {}, "there is no field 'break_'"),
        ("seconds", [[0, 60], [60]], "seconds[1]: has 1 entries, where the matrix has 2 rows"),
        ("seconds", [[0, 60]], "seconds[0]: has 2 entries, where the matrix has 1 rows"),
        ("seconds", 10**9, "seconds: is 1000000000, not a list"),
        ("seconds.0.1", -2, "seconds[0][1]: is -2, not between -1 and"),
        ("seconds.0.1", 10**9, "seconds[0][1]: is 1000000000, not between -1 and"),
        ("seconds.0.1", None, "seconds[0][1]: is nothing, not a whole number"),
        ("metres.1.0", 0.5, "metres[1][0]: is 0.5, not a whole number"),
        ("metres", [], "metres: the matrix is not 2 × 2"),
        ("tables", [[[0]]], "table 1: the matrix is not 2 × 2"),
        ("lodgings", [{"id": "H1", "place": 9, "cost_s": 1}], "lodging H1: place 9 is not in the matrix"),
        ("traffic", [{"from_s": 5, "table": 0}], "traffic: the changes do not begin at 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_record_and_field(path: str, value: Any, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)) as refused:
        read_problem(put(path, value), "p.json")
    assert str(refused.value).startswith("p.json: ")


@pytest.mark.parametrize("digits", ["1" * 5_000, "-" + "1" * 5_000])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("format", "p.json: format is a huge number, not 'fieldvisit-problem/1'"),
        ("jobs", "p.json: jobs: is a huge number, not a list"),
        ("jobs.0.place", "p.json: jobs[0] (O1): place: is a huge number, not between -1 and"),
        ("jobs.0.id", "p.json: jobs[0]: id: is a huge number, not a text"),
        ("jobs.0.windows.0.1", "p.json: jobs[0] (O1): windows[0]: is a huge number, not between -1 and"),
        ("shifts.0.break.duration_s", "p.json: shifts[0] (R1@1): break: duration_s: is a huge number, not between"),
        ("seconds.0.1", "p.json: seconds[0][1]: is a huge number, not between -1 and"),
    ],
)
def test_a_number_of_thousands_of_digits_is_refused_where_it_stands(digits: str, path: str, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)):
        read_problem(put(path, "digits").replace('"digits"', digits), "p.json")


def test_routes_with_a_number_of_thousands_of_digits_are_refused_where_it_stands() -> None:
    text = json.dumps({"routes": [{"shift": "R1@1", "jobs": ["digits"]}]}).replace('"digits"', "9" * 5_000)
    with pytest.raises(InstanceError, match=re.escape("r.json: routes[0]: jobs[0]: is a huge number, not a text")):
        read_sequences(text, "r.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[1]", "is a list, not an object"),
        ('{"format": NaN}', "NaN is no number"),
        ('{"format": -Infinity}', "-Infinity is no number"),
        ('{"a": 1, "a": 2}', "'a' stands twice in one object"),
        ("[" * 100_000, "is not JSON|brackets within brackets"),
        ('{"jobs": ' + "1" * 5_000 + ",}", "is not JSON"),
        ("{\0}", "is not JSON"),
    ],
)
def test_what_is_no_json_of_ours_is_refused(text: str, message: str) -> None:
    with pytest.raises(InstanceError, match=message):
        read_problem(text, "p.json")


def test_the_routes_of_a_solution_are_read_as_they_are_written() -> None:
    problem = read_problem(json.dumps(GIVEN), "p.json")
    solution = solve(problem, SearchLimits(work=1))
    text = json.dumps({"cost_s": 1, "routes": routes_of(solution)})
    assert read_sequences(text, "r.json") == ({"R1@1": ("O1",)}, {})


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        (None, "routes: is nothing, not a list"),
        ([{"jobs": []}], "routes[0]: shift: is nothing, not a text"),
        ([{"shift": "R1@1"}], "routes[0]: jobs: is nothing, not a list"),
        ([{"shift": "R1@1", "jobs": [1]}], "routes[0]: jobs[0]: is 1, not a text"),
        ([{"shift": "R1@1", "jobs": []}] * 2, "routes[1]: shift R1@1 has a route already"),
    ],
)
def test_routes_that_are_none_are_refused(routes: Any, message: str) -> None:
    with pytest.raises(InstanceError, match=re.escape(message)):
        read_sequences(json.dumps({"routes": routes}), "r.json")
