"""What of a plan is seen by somebody who does not see all of it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.amending import Standing
from planner.candidates import Reason, VisitKind
from planner.errors import PlannerError
from planner.plan_document import PlanDocument, read_plan, write_plan
from planner.repository import PlannedHandoff, StoredPlan
from planner.scoping import Seen, cut_document

NOBODY = Seen(frozenset(), frozenset(), frozenset())


def stored(text: str) -> Standing:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    return Standing(StoredPlan(1, "town", date(2026, 11, 30), 5, at, at, 0, 0, 0, text))


def handoffs_in(document: Any) -> tuple[PlannedHandoff, ...]:
    return stored(write_plan(document)).handoffs


def stop(visit: str, name: str = "Bar", **changes: Any) -> dict[str, Any]:
    kind, _, record = visit.partition(":")
    return {
        "stop": 1,
        "visit_id": visit,
        "record_ids": [record],
        "kind": "opportunity" if kind == "opportunity" else "due",
        "name": name,
        "address": f"{name} Street",
        "lat": 60.0,
        "lon": 25.0,
        "drive_seconds": 300,
        "drive_metres": 1400,
        "arrive": "2026-11-30T09:10:00+02:00",
        "parking_minutes": 5,
        "begin": "2026-11-30T09:15:00+02:00",
        "leave": "2026-11-30T09:45:00+02:00",
        "why": "due on 2026-11-30",
        "worth_minutes": 50,
        "worth_because": "segment B",
        "late": False,
        "deadline": None,
        "rides_with": [],
        "handoff_missing": [],
    } | changes


def day(rep: str, name: str, *stops: dict[str, Any], **changes: Any) -> dict[str, Any]:
    home = {"address": f"{name}'s home", "lat": 60.0, "lon": 25.0, "time": None}
    return {
        "rep_id": rep,
        "rep_name": name,
        "date": "2026-11-30",
        "timezone": "Europe/Helsinki",
        "work_start": "2026-11-30T09:00:00+02:00",
        "work_end": "2026-11-30T17:00:00+02:00",
        "start": home,
        "stops": list(stops),
        "end": home,
        "return_drive_seconds": 0,
        "return_drive_metres": 0,
        "break": None,
        "totals": {
            "visits": len(stops),
            "drive_seconds": 600 * len(stops),
            "drive_metres": 1400 * len(stops),
            "service_minutes": 0,
            "waiting_seconds": 0,
        },
    } | changes


def left_out(kind: str, name: str, *records: str, sentence: str = "no time", reason: str = "no_time_left") -> Any:
    return {
        "record_ids": list(records),
        "kind": kind,
        "name": name,
        "reason": reason,
        "sentence": sentence,
        "worth_minutes": 40,
        "worth_because": "segment C",
    }


def listed(record: str, name: str, sentence: str = "need is unknown") -> dict[str, str]:
    return {"record_id": record, "name": name, "sentence": sentence}


def plan(*days: dict[str, Any], **changes: Any) -> PlanDocument:
    document = {
        "format": "fieldvisit-plan/1",
        "area": "town",
        "first_day": "2026-11-30",
        "last_day": "2026-12-04",
        "timezone": "Europe/Helsinki",
        "limits": {"seed": 1, "seconds": 1.0, "work": None},
        "totals": {
            "visits": 99,
            "promises": 99,
            "unplanned": 99,
            "drive_seconds": 99,
            "drive_metres": 99,
            "cost_seconds": 99,
        },
        "rep_days": list(days),
        "unplanned": [],
        "returned_to_inside": [],
        "dormant": [],
        "notes": [],
    } | changes
    return read_plan(json.dumps(document))


def seen(*reps: str, accounts: tuple[str, ...] = (), opportunities: tuple[str, ...] = ()) -> Seen:
    return Seen(frozenset(reps), frozenset(accounts), frozenset(opportunities))


ANN_AND_BEN = plan(
    day("R1", "Ann", stop("account:A1", "Own Bar")),
    day("R2", "Ben", stop("account:A2", "Ben's Bar"), stop("opportunity:O2", "Ben's Deal", kind="appointment")),
    unplanned=[
        left_out("due", "Own Inn", "A3"),
        left_out("due", "Ben's Inn", "A4"),
        left_out("opportunity", "Ben's Lead", "O4", "A3"),
    ],
    returned_to_inside=[listed("O5", "Unready")],
    dormant=[listed("A3", "Own Inn"), listed("A4", "Ben's Inn")],
)


# ---- reps


def test_a_rep_sees_their_own_days_and_no_trace_of_others() -> None:
    part = cut_document(ANN_AND_BEN, seen("R1", accounts=("A1", "A3")))
    assert [entry["rep_id"] for entry in part["rep_days"]] == ["R1"]
    assert [entry["name"] for entry in part["unplanned"]] == ["Own Inn"]
    assert [entry["name"] for entry in part["dormant"]] == ["Own Inn"]
    assert part["returned_to_inside"] == []
    for word in ("Ben", "R2", "A2", "A4", "O2", "O4", "O5"):
        assert word not in write_plan(part)


def test_totals_are_those_of_what_is_seen() -> None:
    part = cut_document(ANN_AND_BEN, seen("R1", accounts=("A3",)))
    assert part["totals"] == {
        "visits": 1,
        "promises": 0,
        "unplanned": 1,
        "drive_seconds": 600,
        "drive_metres": 1400,
        "cost_seconds": 0,
        "bound_seconds": None,
        "bound_kind": None,
    }


def test_a_customer_whom_a_rep_visits_is_seen_whoever_owns_it_by_now() -> None:
    part = cut_document(ANN_AND_BEN, seen("R1"))
    assert part["rep_days"][0]["stops"][0]["name"] == "Own Bar"


def test_who_sees_everybody_s_days_loses_nothing_but_the_cost() -> None:
    all_of_it = seen("R1", "R2", accounts=("A3", "A4"), opportunities=("O4", "O5"))
    part = cut_document(ANN_AND_BEN, all_of_it)
    for key in ("rep_days", "unplanned", "returned_to_inside", "dormant"):
        assert part[key] == ANN_AND_BEN[key]  # type: ignore[literal-required]


def test_a_part_of_a_plan_is_a_plan() -> None:
    part = stored(write_plan(ANN_AND_BEN)).part(seen("R1"))
    totals = read_plan(part.document or "")["totals"]
    assert (part.visits, part.unplanned, part.drive_s) == (
        totals["visits"],
        totals["unplanned"],
        totals["drive_seconds"],
    )


def test_of_what_is_no_plan_nothing_is_seen() -> None:
    for text in ("{}", "", "["):
        odd = stored(text)
        assert odd.part(NOBODY).document == ""
        assert odd.visited == {}
        with pytest.raises(PlannerError):
            _ = odd.handoffs


def test_records_of_one_id_and_two_kinds_are_told_apart() -> None:
    both = plan(unplanned=[left_out("due", "Customer", "X1"), left_out("opportunity", "Lead", "X1")])
    assert [entry["name"] for entry in cut_document(both, seen(accounts=("X1",)))["unplanned"]] == ["Customer"]
    assert [entry["name"] for entry in cut_document(both, seen(opportunities=("X1",)))["unplanned"]] == ["Lead"]


# ---- sentences


@pytest.mark.parametrize(
    ("reason", "sentence", "instead"),
    [
        (
            Reason.TOO_FAR,
            "it adds at least 50 minutes of driving (Ben, Mon 2026-11-30) and is worth 20",
            "it adds more",
        ),
        (Reason.VISITED_ANYWAY, "the visit to the account is for Ben's Deal (O2)", "another visit to the same account"),
        (Reason.VISITED_ANYWAY, "the account is visited already (O2)", "another visit to the same account"),
        (Reason.NO_REP, "its rep R2 does not work on these days", "its rep does not work"),
    ],
)
def test_a_sentence_that_names_others_is_put_in_general_words(reason: Reason, sentence: str, instead: str) -> None:
    document = plan(
        *ANN_AND_BEN["rep_days"],  # type: ignore[arg-type]
        unplanned=[left_out("due", "Own Inn", "A3", sentence=sentence, reason=reason)],
    )
    (entry,) = cut_document(document, seen("R1", accounts=("A3",)))["unplanned"]
    assert entry["sentence"].startswith(instead)


@pytest.mark.parametrize(
    "sentence",
    [
        "it adds at least 50 minutes of driving (Ann, Mon 2026-11-30) and is worth 20",
        "all 5 days of Ann are full: nothing there could make way for a visit worth 40 minutes",
        "the visit to the account is for Own Bar (A1)",
        "open Mo-Fr 11:30-12:00: never 20 minutes at a stretch",
        "A20, R21 and O22 are others than A2, R2x and O2y, of course" .replace("A2,", "A23,"),
    ],
)  # fmt: skip
def test_a_sentence_that_names_nobody_else_stays(sentence: str) -> None:
    days = [*ANN_AND_BEN["rep_days"], day("11", "Twelve", stop("account:30", "Thirty", address="Somewhere"))]
    days[-1]["rep_name"] = "Zoe"
    document = plan(*days, unplanned=[left_out("due", "Own Inn", "A3", sentence=sentence)])  # type: ignore[arg-type]
    (entry,) = cut_document(document, seen("R1", accounts=("A3",)))["unplanned"]
    assert (entry["sentence"] == sentence) == ("30 " not in sentence)


def test_the_customer_that_a_visit_rides_along_with_is_named_only_to_those_who_see_it() -> None:
    near = stop("account:A1", kind="nearby", why="5 min from Ben's Deal (O2), 80% through", rides_with=["O2", "O1"])
    document = plan(day("R1", "Ann", near, stop("opportunity:O1")), *ANN_AND_BEN["rep_days"][1:])  # type: ignore[arg-type]
    (shown, _) = cut_document(document, seen("R1"))["rep_days"][0]["stops"]
    assert (shown["rides_with"], shown["why"]) == (["O1"], "near an opportunity, and well into its days")
    (shown, _) = cut_document(document, seen("R1", opportunities=("O2",)))["rep_days"][0]["stops"]
    assert shown["rides_with"] == ["O2", "O1"]


def test_where_else_a_visit_could_be_and_what_could_make_way_is_told_to_those_who_see_it() -> None:
    elsewhere = {"rep_id": "R2", "rep_name": "Ben", "date": "2026-11-30", "after": None, "after_name": None}
    near = stop("account:A1", alternative={**elsewhere, "added_minutes": 9, "difference_minutes": 5}, added_minutes=4)
    entry = left_out("due", "Lead", "A1")
    entry["repair"] = {"kind": "end_later", "sentence": "End Monday 12 min later (Ben): +9 min driving"}
    entry["repair"] |= {"minutes": 21, "rep_id": "R2", "date": "2026-11-30", "visit_id": None}
    document = plan(day("R1", "Ann", near), *ANN_AND_BEN["rep_days"][1:], unplanned=[entry])  # type: ignore[arg-type]
    part = cut_document(document, seen("R1", accounts=("A1",)))
    assert part["rep_days"][0]["stops"][0]["added_minutes"] == 4
    assert part["rep_days"][0]["stops"][0]["alternative"] is None
    assert [each["repair"] for each in part["unplanned"]] == [None]
    both = cut_document(document, seen("R1", "R2", accounts=("A1",)))
    assert both["rep_days"][0]["stops"][0]["alternative"] == near["alternative"]
    assert [each["repair"] for each in both["unplanned"]] == [entry["repair"]]


def test_a_note_is_for_those_who_see_the_rep_that_it_is_about() -> None:
    notes = ["rep R1 (Ann): no days are planned", "rep R12 (Zed): no days are planned", "the area is old"]
    document = plan(notes=notes)
    assert cut_document(document, seen("R1"))["notes"] == notes[:1]
    assert cut_document(document, Seen(None, frozenset(), frozenset()))["notes"] == []


# ---- inside reps


def test_an_inside_rep_sees_no_day_and_of_the_lists_only_their_own_opportunities() -> None:
    part = cut_document(ANN_AND_BEN, Seen(None, frozenset({"A3"}), frozenset({"O4", "O5"})))
    assert part["rep_days"] == []
    assert [entry["name"] for entry in part["unplanned"]] == ["Ben's Lead"]
    assert [entry["name"] for entry in part["returned_to_inside"]] == ["Unready"]
    assert part["dormant"] == []
    assert part["totals"]["drive_seconds"] == part["totals"]["visits"] == 0


def test_a_handoff_tells_when_and_by_whom_and_nothing_of_the_day() -> None:
    document = plan(
        day("R2", "Ben Benson", stop("account:A2"), stop("opportunity:O2", "Deal", kind="appointment")),
        day("R1", "Ann", stop("opportunity:O1", arrive="2026-11-30T08:00:00+02:00"), stop("opportunity:O3")),
    )
    first, second = [visit for visit in handoffs_in(document) if visit.opportunity_id in ("O1", "O2", "A2")]
    assert (first.opportunity_id, first.rep, first.promise) == ("O1", "Ann", False)
    assert (second.opportunity_id, second.rep, second.promise) == ("O2", "Ben", True)
    assert second.arrive.isoformat() == "2026-11-30T09:10:00+02:00"


def test_a_plan_with_a_time_that_is_none_tells_no_handoffs() -> None:
    document = plan(day("R1", "Ann", stop("opportunity:O1", arrive="soon")))
    with pytest.raises(PlannerError, match="a time makes no sense"):
        handoffs_in(document)


# ---- whatever the plan and whoever looks

OWNERS = ("me", "you", "them")
FIRST_VISITS = (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY)


class Dice:
    """Throws plans; an id ends with whose it is. A seed that fails is all that is needed to see why."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def upto(self, most: int) -> range:
        return range(self.random.randint(0, most))

    def id(self, letter: str, owner: str = "") -> str:
        return f"{letter}{self.random.randint(1, 3)}{owner or self.random.choice(OWNERS)}"

    def sentence(self) -> str:
        """Words among which anybody may be named, in each of the ways in which sentences name."""
        words = ["due", "on", "2026-11-30", "50 minutes"]
        for _ in self.upto(2):
            name = self.id(self.random.choice(["A", "O", "R", "Name A", "Name O", "Rep R"]))
            form = self.random.choice(["{}", "({})", "“{}”", "{},", "{}'s", "{}:", "with {}; and", "from {} (x)"])
            words.insert(self.random.randint(0, len(words)), form.format(name))
        return " ".join(words)

    def stop(self, owner: str) -> dict[str, Any]:
        kind = self.random.choice(list(VisitKind))
        what, letter = ("opportunity", "O") if kind in FIRST_VISITS else ("account", "A")
        record = self.id(letter, owner)
        return stop(
            f"{what}:{record}",
            f"Name {record}",
            record_ids=[record, *(self.id("A", owner) for _ in self.upto(1) if letter == "O")],
            kind=kind,
            why=self.sentence(),
            worth_because=self.random.choice([None, self.sentence()]),
            rides_with=[self.id("O") for _ in self.upto(3)],
            handoff_missing=[self.sentence() for _ in self.upto(2)],
            added_minutes=9,
            alternative=self.random.choice([None, self.alternative()]),
        )

    def alternative(self) -> dict[str, Any]:
        rep, record = self.id("R"), self.id("A")
        after = self.random.choice([(None, None), (f"account:{record}", f"Name {record}")])
        where = {"rep_id": rep, "rep_name": f"Rep {rep}", "date": "2026-12-01"}
        return {**where, "after": after[0], "after_name": after[1], "added_minutes": 9, "difference_minutes": 5}

    def repair(self) -> dict[str, Any]:
        moved = self.random.choice([None, f"account:{self.id('A')}"])
        words = {"kind": "move", "sentence": self.sentence(), "minutes": 9}
        return {**words, "rep_id": self.id("R"), "date": "2026-12-01", "visit_id": moved}

    def left_out(self) -> dict[str, Any]:
        kind, reason = self.random.choice(list(VisitKind)), self.random.choice(list(Reason))
        first = self.id("O" if kind in FIRST_VISITS else "A")
        more = [self.id("A") for _ in self.upto(1) if first[0] == "O"]
        entry = left_out(kind, f"Name {first}", first, *more, sentence=self.sentence(), reason=reason)
        return {**entry, "rules": ["worth"], "repair": self.random.choice([None, self.repair()])}

    def listed(self, letter: str) -> list[dict[str, str]]:
        return [listed(record, f"Name {record}", self.sentence()) for record in map(self.id, letter * 3)]

    def plan(self) -> PlanDocument:
        days = [
            day(rep, f"Rep {rep}", *(self.stop(owner) for _ in self.upto(3)))
            for owner in OWNERS
            for rep in (f"R1{owner}", f"R2{owner}")
            if self.random.random() < 0.6
        ]
        return plan(
            *days,
            unplanned=[self.left_out() for _ in self.upto(5)],
            returned_to_inside=self.listed("O"),
            dormant=self.listed("A"),
            notes=[f"rep {self.id('R')} ({self.id('Rep R')}): {self.sentence()}" for _ in self.upto(3)],
        )


plans = st.integers(0, 2**32).map(lambda seed: Dice(seed).plan())

MINE = Seen(
    frozenset({"R1me", "R2me"}), frozenset({"A1me", "A2me", "A3me"}), frozenset({"O1me", "O2me", "O3me"})
)  # fmt: skip


def _named(document: PlanDocument) -> set[str]:
    """The ids of everybody and everything that a plan knows."""
    stops = [entry for rep_day in document["rep_days"] for entry in rep_day["stops"]]
    return {
        *(rep_day["rep_id"] for rep_day in document["rep_days"]),
        *(record for entry in stops for record in (*entry["record_ids"], *entry["rides_with"])),
        *(record for entry in document["unplanned"] for record in entry["record_ids"]),
        *(entry["record_id"] for entry in (*document["returned_to_inside"], *document["dormant"])),
    }


@given(plans)
@settings(max_examples=300, deadline=None)
def test_whatever_the_plan_no_other_rep_or_record_is_named_in_what_is_seen(document: PlanDocument) -> None:
    text = write_plan(cut_document(document, MINE))
    for word in _named(document):
        if not word.endswith("me"):
            assert word not in text, word


@given(plans, st.sets(st.sampled_from(["O1me", "O2me", "O3you"])))
@settings(max_examples=200, deadline=None)
def test_whatever_the_plan_an_inside_rep_is_told_of_their_opportunities_only(
    document: PlanDocument, own: set[str]
) -> None:
    inside = Seen(None, frozenset({"A1me"}), frozenset(own))
    text = write_plan(cut_document(document, inside))
    for word in _named(document):
        if word not in own | {"A1me"}:
            assert word not in text, word
    assert "'s home" not in text


@given(plans)
@settings(max_examples=100, deadline=None)
def test_cutting_twice_changes_nothing_more(document: PlanDocument) -> None:
    once = cut_document(document, MINE)
    assert cut_document(once, MINE) == once
