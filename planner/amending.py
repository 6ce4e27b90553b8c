"""The published plan as it stands now: with what bookings have made of its days since.

A plan version never changes. A day that a booking changed is kept beside it as a `ChangedDay`, whose route is put in
the place of the plan's. Documents are large, and reading one takes a second: each is taken apart once, a change costs
only what it is about, and whoever asks for visits or for a part is answered from the days that were read already.

The horizon stays the plan's own, since what is due and what is late was judged by it; promises beyond it, and days that
stayed as they were when it was published, are on days of their own.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from planner.candidates import VisitKind
from planner.domain import RecordKind
from planner.errors import PlannerError
from planner.plan_document import (
    PlanDocument,
    PlanTotals,
    RepDay,
    UnplannedEntry,
    number_left_out,
    read_plan,
    write_plan,
)
from planner.repository import PlannedHandoff, StoredPlan
from planner.scoping import Seen, Visited, cut_document, handoffs_on, visited_on


@dataclass(frozen=True, slots=True)
class ShownDay:
    """A `ChangedDay` with a route: its day, and the route as the text of JSON."""

    rep_id: str
    day: date
    plan_version: int
    route: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan version, and the changed days that count in it. What is no plan has no days, whatever was changed."""

    made: StoredPlan
    changes: tuple[ShownDay, ...] = ()

    @classmethod
    def of(cls, plan: StoredPlan, changes: Iterable[ShownDay]) -> Standing:
        """The published plan with the changed days in their places, and those added that it does not cover.

        A day that was taken from another version counts no more: who published this one has put its promises in.
        """
        return cls(plan, tuple(change for change in changes if _counts(change, plan)))

    @property
    def plan(self) -> StoredPlan:
        """As it stands now."""
        if not self.changes:
            return self.made
        try:
            whole = self._whole
        except PlannerError:
            return self.made
        return self._shown(whole.text, whole.document["totals"])

    def part(self, seen: Seen) -> StoredPlan:
        """What is seen of it; of a document that is none, nothing is."""
        try:
            whole = self._whole
        except PlannerError:
            return replace(self.made, document="", visits=0, unplanned=0, drive_s=0)
        return self._shown(*whole.cut(seen))

    @property
    def visited(self) -> Mapping[str, Visited]:
        """Which records each rep visits, by the rep's id; of a text that is no plan, nothing."""
        try:
            return self._whole.visited
        except PlannerError:
            return {}

    @property
    def handoffs(self) -> tuple[PlannedHandoff, ...]:
        """The visits to opportunities, in the order of their times. Raises PlannerError: it is not a plan."""
        return self._whole.handoffs

    @property
    def _whole(self) -> _Whole:
        return _amended(self.made.document or "", self.changes)

    def _shown(self, text: str, totals: PlanTotals) -> StoredPlan:
        return replace(
            self.made,
            visits=totals["visits"],
            unplanned=totals["unplanned"],
            drive_s=totals["drive_seconds"],
            document=text,
        )


def _counts(change: ShownDay, plan: StoredPlan) -> bool:
    """Beyond the plan's own days, what was still to come when it was published, where its rep is."""
    if change.plan_version or 0 <= (change.day - plan.first_day).days < plan.days:
        return change.plan_version == plan.version
    if plan.published_at is None:
        return change.day >= plan.first_day
    zone = ZoneInfo(_shown(change.route).document["timezone"])
    return change.day >= plan.published_at.astimezone(zone).date()


@dataclass(frozen=True)
class _Day:
    """A day as plan.json has it, and what the whole plan counts of it."""

    document: RepDay
    counts: Mapping[str, int]
    visits: frozenset[str]
    """Ids of its visits, and of the accounts that they count as visits to."""

    @cached_property
    def text(self) -> str:
        return _text(self.document).replace("\n", "\n  ")

    @cached_property
    def visited(self) -> Visited:
        return visited_on(self.document)

    @cached_property
    def handoffs(self) -> tuple[PlannedHandoff, ...]:
        return tuple(handoffs_on(self.document))


@dataclass(frozen=True)
class _Parts:
    """A plan.json taken apart: its days by date and rep, in their order, and all the rest."""

    rest: PlanDocument
    days: Mapping[tuple[str, str], _Day]


@dataclass(frozen=True)
class _Whole:
    """A plan.json put together again; many read it, and nobody changes it."""

    document: PlanDocument
    days: tuple[_Day, ...]

    @cached_property
    def text(self) -> str:
        # Within a text of JSON a line never ends, so that this is the list of days and nothing that somebody wrote.
        before, _, after = _text({**self.document, "rep_days": []}).partition('\n "rep_days": []')
        listed = ",\n  ".join(day.text for day in self.days)
        return f'{before}\n "rep_days": [\n  {listed}\n ]{after}\n'

    @cached_property
    def visited(self) -> Mapping[str, Visited]:
        days: dict[str, list[Visited]] = defaultdict(list)
        for day in self.days:
            days[day.document["rep_id"]].append(day.visited)
        return {
            rep: Visited(
                frozenset[str]().union(*(day.accounts for day in visited)),
                frozenset[str]().union(*(day.opportunities for day in visited)),
            )
            for rep, visited in days.items()
        }

    @cached_property
    def handoffs(self) -> tuple[PlannedHandoff, ...]:
        found = [handoff for day in self.days for handoff in day.handoffs]
        return tuple(sorted(found, key=lambda handoff: (handoff.arrive, handoff.opportunity_id)))

    @cached_property
    def cut(self) -> Callable[[Seen], tuple[str, PlanTotals]]:
        """What is seen of it as text, and its totals; the same people ask again and again."""

        def cut(seen: Seen) -> tuple[str, PlanTotals]:
            part = cut_document(self.document, seen)
            return write_plan(part), part["totals"]

        return lru_cache(maxsize=64)(cut)


@lru_cache(maxsize=8)
def _amended(text: str, changes: tuple[ShownDay, ...]) -> _Whole:
    parts = _parts(text)
    if not changes:
        return _Whole(
            {**parts.rest, "rep_days": [day.document for day in parts.days.values()]}, (*parts.days.values(),)
        )
    days = dict(parts.days)
    changed: set[str] = set()
    rest = parts.rest
    for change in changes:
        key, day = (str(change.day), change.rep_id), _shown(change.route)
        if day.document["stops"] or rest["first_day"] <= key[0] <= rest["last_day"]:
            days[key] = day  # of a day beyond the plan on which nothing is left, nobody is told
            changed |= day.visits
    in_order = sorted(days.values(), key=lambda day: day.document["date"])  # and as before within a day
    unplanned = [entry for entry in rest["unplanned"] if _visit_id(entry) not in changed]
    counts: Counter[str] = Counter()
    for day in in_order:
        counts.update(day.counts)
    document: PlanDocument = {
        **rest,
        "totals": {
            **rest["totals"],
            "visits": counts["visits"],
            "promises": counts["promises"],
            "unplanned": number_left_out(unplanned),
            "drive_seconds": counts["drive_seconds"],
            "drive_metres": counts["drive_metres"],
        },
        "rep_days": [day.document for day in in_order],
        "unplanned": unplanned,
        "returned_to_inside": [
            entry
            for entry in rest["returned_to_inside"]
            if f"{RecordKind.OPPORTUNITY}:{entry['record_id']}" not in changed
        ],
    }
    return _Whole(document, tuple(in_order))


@lru_cache(maxsize=4)
def _parts(text: str) -> _Parts:
    document = read_plan(text)
    days = {(day["date"], day["rep_id"]): _day(day) for day in document["rep_days"]}
    return _Parts({**document, "rep_days": []}, days)


@lru_cache(maxsize=2_000)
def _shown(route: str) -> _Day:
    return _day(json.loads(route))


def _day(day: RepDay) -> _Day:
    stops, totals = day["stops"], day["totals"]
    return _Day(
        day,
        {
            "visits": totals["visits"],
            "promises": sum(stop["kind"] == VisitKind.APPOINTMENT for stop in stops),
            "drive_seconds": totals["drive_seconds"],
            "drive_metres": totals["drive_metres"],
        },
        frozenset(stop["visit_id"] for stop in stops)
        | {f"{RecordKind.ACCOUNT}:{account}" for stop in stops for account in stop["record_ids"][1:]},
    )


def _visit_id(entry: UnplannedEntry) -> str:
    """As the stop would have it that the entry did not become."""
    if "visit_id" in entry:
        return entry["visit_id"]
    first_visit = entry["kind"] in (VisitKind.OPPORTUNITY, VisitKind.APPOINTMENT)
    return f"{RecordKind.OPPORTUNITY if first_visit else RecordKind.ACCOUNT}:{''.join(entry['record_ids'][:1])}"


def _text(part: Any) -> str:
    """As `write_plan` writes it."""
    return json.dumps(part, ensure_ascii=False, indent=1)
