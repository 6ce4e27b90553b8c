"""What the phone shows before the server has answered (static/field/overlay.js)."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from plan_cast import HOME, MONDAY, at
from playwright.sync_api import Browser, Page

from webui.assets import STATIC

pytestmark = pytest.mark.browser

BAKER, GROCER, DEAL = "account:A1", "account:A2", "opportunity:O1"
EXTRA = {"visit_id": "account:A9", "name": "Fishmonger", "address": "Unioninkatu 9", "lat": 60.17, "lon": 24.95,
         "due_on": MONDAY, "contact": {"name": "", "phone": "", "email": ""}, "minutes": 20}  # fmt: skip
PROMISE = {"booking_id": "p1", "start": at("11:00"), "end": at("11:30"), "meaning": "arrive", "text": "", "call": ""}

Shown = dict[str, Any]


def visit(number: int, visit_id: str, begin: str, leave: str, **changes: Any) -> dict[str, Any]:
    """Arrived at five minutes earlier, after ten minutes of driving."""
    return {
        "visit_id": visit_id, "stop": number, "kind": "due", "name": visit_id, "address": "", "why": "", "late": False,
        "lat": 60.16 + number / 1000, "lon": 24.95, "drive_seconds": 600, "drive_metres": 4000, "parking_minutes": 5,
        "arrive": at(begin, plus=-5), "begin": at(begin), "leave": at(leave),
        "promise": None, "visit": None, "report": None,
    } | changes  # fmt: skip


def document() -> dict[str, Any]:
    """Three visits: 09:15, 10:00, and at 11:00 one that is promised until 11:30."""
    stops = [
        visit(1, BAKER, "09:15", "09:45"),
        visit(2, GROCER, "10:00", "10:30"),
        visit(3, DEAL, "11:00", "11:45", kind="appointment", promise=PROMISE),
    ]
    progress: Shown = {"after": "", "leave_at": None, "finish_by": None, "sick": False, "order": []}
    day = {
        "date": MONDAY, "revision": 3, "works": True, "work_start": at("09:00"), "work_end": at("17:00"),
        "start": HOME | {"time": at("09:00")}, "end": HOME | {"time": at("11:55")}, "break": None, "note": "",
        "return_drive_seconds": 600, "return_drive_metres": 4000, "progress": progress, "stops": stops, "left_out": [],
        "roads": [[[60.1, 24.9], [60.2, 24.9]]] * 4,
    }  # fmt: skip
    return {"days": [day], "customers": [EXTRA], "conflicts": [{"id": "c1", "kind": "skipped", "message": "gone"}]}


def said(kind: str, visit_id: str = "", minute: int = 0, answer: Any = None, **body: Any) -> dict[str, Any]:
    event = {"id": f"{kind}-{minute:02}", "day": MONDAY, "visit_id": visit_id, "kind": kind, "body": body,
             "made_at": f"2026-11-30T08:{minute:02}:00.000Z"}  # fmt: skip
    return {"event": event, "answer": answer, "refused": None}


Overlay = Callable[..., Shown]
OVERLAY_CODE = (STATIC / "field" / "overlay.js").read_text("utf-8")


@pytest.fixture(scope="module")
def overlay_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def overlay(overlay_page: Page) -> Overlay:
    """Monday as the phone shows it, with rows of its queue."""

    def shown(*rows: dict[str, Any], whole: bool = False, of: dict[str, Any] | None = None) -> Shown:
        before = document() if of is None else of
        told = json.loads(
            overlay_page.evaluate(
                """async ([code, before, rows]) => {
                  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
                  const { withQueue } = await import(address);
                  const frozen = (value) => {
                    if (value && typeof value === "object") Object.values(value).forEach(frozen);
                    return Object.freeze(value);
                  };
                  return JSON.stringify(withQueue(frozen(before), frozen(rows)));
                }""",
                [OVERLAY_CODE, copy.deepcopy(before), list(rows)],
            )
        )
        found: Shown = told if whole else told["days"][0]
        return found

    return shown


RANDOM_WORDS = """async ([code, documents, most]) => {
  const { withQueue } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  let seed = 5;
  const below = (many) => { // a small generator: the same words each time
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * many);
  };
  const any = (...of) => of[below(of.length)];
  const visit = () => any("account:A1", "account:A2", "opportunity:O1", "account:A9", "account:A7", "account:gone", "");
  const clock = () => new Date(Date.UTC(2026, 10, 30, 4) + below(14 * 60) * 60_000).toISOString();
  const moment = () => any(null, undefined, "soon", clock(), clock());
  const HOW = ["met", "not_in", "refused", "rescheduled"];
  const BODIES = {
    arrived: () => ({ lat: any(60.1, null) }),
    left: () => any({}, null),
    reported: () => ({ disposition: any(...HOW), at_customer: any(true, false, undefined), text: "x" }),
    late: () => ({ after: any(visit(), undefined), leave_at: moment() }),
    finish: () => ({ by: moment() }),
    cancelled: () => ({}),
    skipped: () => ({ why: any("", "late") }),
    sick: () => ({ sick: any(true, false, undefined) }),
    restored: () => ({}),
    added: () => ({}),
    order: () => ({ after: visit(), order: any(undefined, [], [visit(), visit(), visit()], [visit()]) }),
    settled: () => ({ event: "c1" }),
    constructor: () => ({}),
  };
  const wrong = [];
  for (let turn = 0; turn < most; turn += 1) {
    const rows = Array.from({ length: 1 + below(8) }, (_, at) => {
      const kind = any(...Object.keys(BODIES));
      const made = { id: `${turn}-${at}`, day: "2026-11-30", made_at: clock() };
      const event = { ...made, visit_id: visit(), kind, body: BODIES[kind]() };
      return { event, answer: any(null, null, { outcome: "taken" }), refused: any(null, null, { message: "no" }) };
    });
    const before = any(...documents);
    try {
      const day = withQueue(before, rows).days[0];
      const there = [...day.stops, ...day.left_out].map(({ visit_id }) => visit_id);
      const planned = before.days[0].stops.map(({ visit_id }) => visit_id);
      const inTime = ({ arrive, begin, leave }) => arrive <= begin && begin <= leave && Date.parse(leave);
      const once = new Set(there).size === there.length && planned.every((id) => there.includes(id));
      if (day.unshown || !once || !day.stops.every(inTime) || !Date.parse(day.end.time))
        wrong.push(JSON.stringify({ rows, day }));
    } catch (error) {
      wrong.push(`${error.stack} ${JSON.stringify(rows)}`);
    }
  }
  return { wrong: wrong.slice(0, 3), days: most };
}"""


def times(day: Shown) -> list[str]:
    return [stop["begin"][11:16] for stop in day["stops"]]


def order(day: Shown) -> list[str]:
    return [stop["visit_id"] for stop in day["stops"]]


def test_without_anything_to_say_the_document_is_shown_as_it_is(overlay: Overlay) -> None:
    assert overlay(whole=True) == document()


def test_a_check_in_and_leaving_are_on_the_stop_which_says_that_they_are_not_sent(overlay: Overlay) -> None:
    baker, grocer, _ = overlay(said("arrived", BAKER, 0), said("left", BAKER, 25))["stops"]
    assert baker["visit"]["arrived_at"] == "2026-11-30T08:00:00.000Z"
    assert baker["visit"]["dwell_minutes"] == 25
    assert baker["pending"]
    assert "pending" not in grocer


def test_the_first_check_in_counts(overlay: Overlay) -> None:
    baker = overlay(said("arrived", BAKER, 5), said("arrived", BAKER, 0))["stops"][0]
    assert baker["visit"]["arrived_at"] == "2026-11-30T08:00:00.000Z"


def test_a_report_at_the_customer_s_ends_the_visit_and_the_last_one_counts(overlay: Overlay) -> None:
    baker = overlay(
        said("reported", BAKER, 40, disposition="met", text="two"),
        said("arrived", BAKER, 0),
        said("reported", BAKER, 30, disposition="not_in", text="one", at_customer=True),
    )["stops"][0]
    assert (baker["report"]["text"], baker["visit"]["disposition"]) == ("two", "met")
    assert baker["visit"]["dwell_minutes"] == 30


def test_what_was_answered_is_shown_until_the_next_document_but_not_as_unsent(overlay: Overlay) -> None:
    baker = overlay(said("arrived", BAKER, answer={"outcome": "taken"}))["stops"][0]
    assert baker["visit"]["arrived_at"]
    assert not baker["pending"]


def test_what_was_refused_is_not_shown_as_done(overlay: Overlay) -> None:
    assert overlay(said("arrived", BAKER) | {"refused": {"message": "no"}})["stops"][0]["visit"] is None


def test_running_late_shifts_what_comes_after_and_uses_up_the_waiting(overlay: Overlay) -> None:
    day = overlay(said("late", after=BAKER, leave_at=at("10:05")))
    assert times(day) == ["09:15", "10:20", "11:05"]
    assert day["end"]["time"] == at("12:00")
    assert day["stops"][1]["arrive"] == at("10:15")
    assert day["stops"][2]["promise"]["call"] == ""
    assert day["roads"] == document()["days"][0]["roads"]


def test_a_promise_that_would_be_missed_says_call_them(overlay: Overlay) -> None:
    day = overlay(said("late", after=BAKER, leave_at=at("11:00")))
    assert "after the promised time" in day["stops"][2]["promise"]["call"]


def test_of_two_words_about_being_late_the_later_counts_also_when_it_is_less(overlay: Overlay) -> None:
    words = (
        said("late", after=BAKER, leave_at=at("10:05"), minute=1),
        said("late", after=BAKER, leave_at=at("09:50"), minute=2),
    )
    assert times(overlay(*words)) == times(overlay(*reversed(words))) == ["09:15", "10:05", "11:00"]


def test_a_break_between_two_visits_is_kept_when_the_rep_is_late(overlay: Overlay) -> None:
    late = document()
    late["days"][0]["break"] = {"start": at("10:30"), "end": at("10:45")}
    day = overlay(said("late", after=BAKER, leave_at=at("10:15")), of=late)
    assert times(day) == ["09:15", "10:30", "11:30"]


@pytest.mark.parametrize("kind", ["skipped", "cancelled"])
def test_what_is_left_out_leaves_the_day_and_nothing_gets_earlier(overlay: Overlay, kind: str) -> None:
    day = overlay(said(kind, GROCER))
    assert order(day) == [BAKER, DEAL]
    assert [stop["stop"] for stop in day["stops"]] == [1, 2]
    assert times(day) == ["09:15", "11:00"]
    assert [(entry["visit_id"], entry["pending"]) for entry in day["left_out"]] == [(GROCER, True)]
    assert day["stops"][1]["guessed"]


def test_what_was_left_out_comes_back_where_it_was(overlay: Overlay) -> None:
    day = overlay(said("skipped", GROCER, 1), said("restored", GROCER, 2))
    assert order(day) == [BAKER, GROCER, DEAL]
    assert day["left_out"] == []
    assert times(day) == times(document()["days"][0])


def test_a_promise_that_is_skipped_says_whom_to_call_and_one_that_they_cancelled_does_not(overlay: Overlay) -> None:
    assert overlay(said("skipped", DEAL))["left_out"][0]["promise"]["call"]
    assert not overlay(said("cancelled", DEAL))["left_out"][0]["promise"]["call"]


def test_sick_leaves_out_all_but_what_is_done_and_well_again_brings_it_back(overlay: Overlay) -> None:
    done, sick = said("left", BAKER, 1), said("sick", minute=2)
    day = overlay(done, sick)
    assert (order(day), len(day["left_out"]), day["progress"]["sick"]) == ([BAKER], 2, True)
    day = overlay(done, sick, said("sick", minute=3, sick=False))
    assert (order(day), day["left_out"], day["progress"]["sick"]) == ([BAKER, GROCER, DEAL], [], False)


def test_an_added_stop_comes_last_with_times_that_are_guessed(overlay: Overlay) -> None:
    day = overlay(said("added", "account:A9"))
    added = day["stops"][-1]
    assert (added["name"], added["stop"], added["guessed"], added["pending"]) == ("Fishmonger", 4, True, True)
    assert added["begin"] > at("11:45")
    assert day["end"]["time"] > added["leave"]


def test_another_order_has_times_in_it_and_keeps_promised_ones(overlay: Overlay) -> None:
    day = overlay(said("order", order=[GROCER, BAKER, DEAL]))
    assert order(day) == [GROCER, BAKER, DEAL]
    assert [stop["stop"] for stop in day["stops"]] == [1, 2, 3]
    assert times(day) == sorted(times(day))
    assert times(day)[2] == "11:00"
    assert len(day["roads"]) == 4


def test_what_is_done_stays_where_it_is_in_another_order(overlay: Overlay) -> None:
    day = overlay(said("left", BAKER, 1), said("order", minute=2, order=[DEAL, GROCER]))
    assert order(day) == [BAKER, DEAL, GROCER]


def test_a_conflict_that_was_seen_is_gone(overlay: Overlay) -> None:
    assert overlay(said("settled", event="c1"), whole=True)["conflicts"] == []


def test_of_a_day_or_a_visit_that_is_not_there_nothing_is_shown(overlay: Overlay) -> None:
    rows = [
        said("reported", "account:gone", disposition="met"),
        said("skipped", "account:gone"),
        said("added", "account:gone"),
    ]
    assert order(overlay(*rows)) == [BAKER, GROCER, DEAL]
    elsewhere = said("arrived", BAKER)
    elsewhere["event"]["day"] = "2026-12-24"
    assert overlay(elsewhere) == document()["days"][0]


def test_a_word_that_makes_no_sense_does_not_keep_the_day_from_being_shown(overlay: Overlay) -> None:
    rows = [said("late", leave_at="soon"), said("order"), said("dance"), said("sick", minute=1, sick=None)]
    assert overlay(*rows)["date"] == MONDAY


def test_an_added_stop_where_nobody_was_in_is_shown_when_it_was(overlay: Overlay) -> None:
    day = overlay(
        said("added", "account:A9", 1), said("reported", "account:A9", 30, disposition="not_in", at_customer=True)
    )
    added = day["stops"][-1]
    assert (added["begin"], added["leave"]) == (at("10:30"), at("10:30"))
    assert added["visit"]["disposition"] == "not_in"


def test_what_was_skipped_and_is_added_again_is_there_once(overlay: Overlay) -> None:
    day = overlay(said("skipped", GROCER, 1), said("added", GROCER, 2))
    assert order(day) == [BAKER, GROCER, DEAL]
    assert day["left_out"] == []


def test_a_day_that_nothing_can_be_made_of_is_shown_as_the_server_said_it_and_says_so(overlay: Overlay) -> None:
    day = overlay(said("late", leave_at="+275760-09-13T00:00:00Z"))
    assert day["unshown"]
    assert "kept on this phone" in day["note"]
    assert day["stops"] == document()["days"][0]["stops"]


def test_whatever_is_said_in_whatever_order_the_day_can_be_shown(overlay_page: Page) -> None:
    left_out = [
        {"visit_id": "account:A7", "name": "Left", "address": "", "why": "Full", "contact": None, "promise": None}
    ]
    plain, other = document(), document()
    other["days"][0] |= {"break": {"start": at("10:30"), "end": at("10:45")}, "left_out": left_out, "note": "Snow"}
    other["days"][0]["start"] |= {"lat": None, "lon": None, "time": None}
    empty = document()
    empty["days"][0] |= {"stops": [], "works": False, "roads": []}
    told = overlay_page.evaluate(RANDOM_WORDS, [OVERLAY_CODE, [plain, other, empty], 3000])
    assert told == {"wrong": [], "days": 3000}
