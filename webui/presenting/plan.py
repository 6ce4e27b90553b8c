"""A whole plan as pages show it: everything is parsed, checked, grouped and put into words once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from planner.candidates import Reason, VisitKind
from planner.errors import PlannerError
from planner.plan_document import (
    ListedEntry,
    PlanDocument,
    RepairEntry,
    RepDay,
    UnplannedEntry,
    above_bound,
    planned_span,
    read_plan,
)
from webui.errors import PlanUnreadableError
from webui.maps import COLOURS
from webui.presenting.rep_day import DayView, RepDayView, RepView, VisitView, rep_day_view
from webui.words import KINDS, RULES, count, distance, duration, long_day, sentence, short_day, span_of_days

SIDE_BY_SIDE = 7
"""Days that a screen has room for beside each other."""
_OF_RECORDS = (
    *("end_later", "start_earlier", "shorter_break", "one_more", "other_vehicle", "skill"),
    *("closes_later", "opens_earlier"),
)
"""Repairs that change what a record says."""


@dataclass(frozen=True, slots=True)
class UnplannedView:
    name: str
    kind: str
    kind_label: str
    records: str
    reason: str
    sentence: str
    worth: str
    broken_promise: bool
    rules: str = ""
    repair: str = ""
    repair_day: tuple[str, str] = ("", "")
    """Rep id and ISO date of the day that the repair is about."""
    repair_in: str = ""
    """Where the product can do it: `booking` of the opportunity, or the `records`."""
    opportunity_id: str = ""


@dataclass(frozen=True, slots=True)
class ListedView:
    record: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DayTotals:
    visits: str
    drive: str


@dataclass(frozen=True)
class PlanView:
    """A whole plan. `rep_days` is keyed by rep id and ISO date; a rep who does not work on a day has no entry."""

    title: str
    first_day: date
    last_day: date
    zone: ZoneInfo
    reps: tuple[RepView, ...]
    days: tuple[DayView, ...]
    rep_days: Mapping[tuple[str, str], RepDayView]
    day_totals: Mapping[str, DayTotals]
    visits: int
    promises_kept: int
    promises_broken: int
    drive: str
    distance: str
    nights: int
    nights_cost: str
    seen: int
    moved: int
    above_bound: str
    """How good it is, as a phrase."""
    unplanned: tuple[UnplannedView, ...]
    left_out: int
    """How many of those have no visit on any other day either."""
    returned: tuple[ListedView, ...]
    dormant: tuple[ListedView, ...]
    notes: tuple[str, ...]

    def covers(self, day: DayView) -> bool:
        """Whether the plan is for that day; one beyond it is known through what is promised, or has stayed, on it."""
        return self.first_day <= day.day <= self.last_day

    def day(self, iso: str) -> DayView | None:
        return next((day for day in self.days if day.iso == iso), None)

    @property
    def weeks(self) -> dict[str, tuple[DayView, ...]]:
        """The days that stand side by side, by what they are called: up to seven, or each calendar week's of more."""
        if len(self.days) <= SIDE_BY_SIDE:
            return {self.title: self.days}
        found = (tuple(days) for _, days in groupby(self.days, key=lambda each: each.day.isocalendar()[:2]))
        return {span_of_days(days[0].day, days[-1].day): days for days in found}

    def on(self, day: DayView) -> list[RepDayView]:
        """Everybody who works on a day, in the order of the reps."""
        return [self.rep_days[rep.id, day.iso] for rep in self.reps if (rep.id, day.iso) in self.rep_days]

    def to_account(self, account_id: str, since: date) -> list[tuple[RepDayView, VisitView]]:
        """The visits to a customer from a day on, in their order, each with the day that it is on."""
        return [
            (rep_day, visit)
            for day in self.days
            if day.day >= since
            for rep_day in self.on(day)
            for door in rep_day.doors
            for visit in door.visits
            if visit.account_id == account_id
        ]

    def of(self, rep: RepView) -> list[RepDayView]:
        """A rep's days in their order."""
        return [self.rep_days[rep.id, day.iso] for day in self.days if (rep.id, day.iso) in self.rep_days]


@lru_cache(maxsize=8)
def view_of(text: str) -> PlanView:
    """The view of a stored plan.json.

    Raises:
        PlanUnreadableError: it is not one; says what is wrong with it.
    """
    try:
        return _plan(read_plan(text, "plan.json"))
    except PlannerError as error:
        raise PlanUnreadableError(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise PlanUnreadableError(f"a value makes no sense: {error!r:.200}") from error


def _plan(document: PlanDocument) -> PlanView:
    reps: dict[str, RepView] = {}
    for entry in document["rep_days"]:
        if entry["rep_id"] not in reps:
            reps[entry["rep_id"]] = RepView(entry["rep_id"], entry["rep_name"], len(reps) % COLOURS)
    days = {entry["date"]: _day(entry["date"]) for entry in document["rep_days"]}
    first_day, last_day = (date.fromisoformat(document[key]) for key in ("first_day", "last_day"))
    span, totals = planned_span(document), document["totals"]
    nights = [entry["end"]["hotel"]["minutes"] for entry in document["rep_days"] if "hotel" in entry["end"]]
    by_worth = sorted(document["unplanned"], key=lambda entry: -(entry["worth_minutes"] or 0))
    unplanned = [_unplanned(entry) for entry in by_worth]
    return PlanView(
        title=span_of_days(*span),
        first_day=first_day,
        last_day=last_day,
        zone=ZoneInfo(document["timezone"]),
        reps=tuple(reps.values()),
        days=tuple(sorted(days.values(), key=lambda day: day.day)),
        rep_days={
            (entry["rep_id"], entry["date"]): rep_day_view(entry, reps[entry["rep_id"]], days[entry["date"]])
            for entry in document["rep_days"]
        },
        day_totals={iso: _day_totals([e for e in document["rep_days"] if e["date"] == iso]) for iso in days},
        visits=totals["visits"],
        promises_kept=totals["promises"],
        promises_broken=sum(entry.broken_promise for entry in unplanned),
        drive=duration(totals["drive_seconds"]),
        distance=distance(totals["drive_metres"]),
        nights=len(nights),
        nights_cost=duration(60 * sum(nights)),
        seen=totals.get("seen", 0),
        moved=totals.get("moved", 0),
        # Nothing is known of how good it is together with days of another plan.
        above_bound=above_bound(document) if span == (first_day, last_day) else "",
        unplanned=tuple(unplanned),
        left_out=totals["unplanned"],
        returned=tuple(_listed(entry) for entry in document["returned_to_inside"]),
        dormant=tuple(_listed(entry) for entry in document["dormant"]),
        notes=tuple(sentence(note) for note in document["notes"]),
    )


def _day(iso: str) -> DayView:
    day = date.fromisoformat(iso)
    return DayView(iso, short_day(day), long_day(day), day)


def _day_totals(entries: Sequence[RepDay]) -> DayTotals:
    return DayTotals(
        visits=count(sum(len(entry["stops"]) for entry in entries), "visit"),
        drive=duration(sum(entry["totals"]["drive_seconds"] for entry in entries)),
    )


def _unplanned(entry: UnplannedEntry) -> UnplannedView:
    kind, reason = VisitKind(entry["kind"]), Reason(entry["reason"])
    repair = entry.get("repair")
    opportunity = entry["record_ids"][0] if kind in (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY) else ""
    return UnplannedView(
        name=entry["name"],
        kind=kind,
        kind_label=KINDS[kind],
        records=", ".join(entry["record_ids"]),
        reason=reason,
        sentence=sentence(entry["sentence"]),
        worth="" if entry["worth_minutes"] is None else duration(entry["worth_minutes"] * 60),
        broken_promise=kind == VisitKind.APPOINTMENT and reason != Reason.APPOINTMENT_ON_ANOTHER_DAY,
        rules=", ".join(RULES[rule] for rule in entry.get("rules", ()) if rule in RULES),
        repair="" if repair is None else repair["sentence"],
        repair_day=("", "") if repair is None else (repair["rep_id"], repair["date"]),
        repair_in="" if repair is None else _done_in(repair, opportunity),
        opportunity_id=opportunity,
    )


def _done_in(repair: RepairEntry, opportunity: str) -> str:
    """Rules of a rep or a customer are changed in the records; an opportunity can be booked where there is room."""
    if repair["kind"] in _OF_RECORDS:
        return "records"
    return "booking" if opportunity and repair["kind"] in ("insert", "pay") else ""


def _listed(entry: ListedEntry) -> ListedView:
    return ListedView(entry["record_id"], entry["name"], sentence(entry["sentence"]))
