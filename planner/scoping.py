"""What of a plan somebody sees who does not see all of it: their reps' days, and the entries of their own records.

A cut plan is a plan.json like any other, in which others are not named: their days, stops and entries are gone, its
totals are those of what is left, and a sentence that names them is put in general words. Inside reps see no days, since
a day tells of other customers and of where somebody lives; `handoffs_on` tells them when theirs are visited.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from planner.candidates import Reason, VisitKind
from planner.errors import PlannerError
from planner.plan_document import (
    ListedEntry,
    PlanDocument,
    RepDay,
    Stop,
    UnplannedEntry,
    number_left_out,
)
from planner.repository import PlannedHandoff

PLAN_WORDS: Mapping[str, str] = {
    VisitKind.APPOINTMENT: "appointment agreed",
    VisitKind.OPPORTUNITY: "handed off by inside sales",
    VisitKind.DUE: "due by its cadence",
    VisitKind.NEARBY: "near an opportunity, and well into its days",
    Reason.NOT_LOCATED: "the address is not known",
    Reason.OUTSIDE_HOURS: "never open long enough while a rep who could go is at work",
    Reason.NO_TIME_LEFT: "every day on which it could be is full",
    Reason.TOO_FAR: "it adds more driving than it is worth",
    Reason.NO_REP_WITH_SKILL: "nobody who could go has the skills",
    Reason.NO_REP: "its rep does not work on these days, or is not among the reps",
    Reason.DEADLINE_IMPOSSIBLE: "its hours and the reps' days leave no time before the deadline",
    Reason.APPOINTMENT_IMPOSSIBLE: "the agreed time cannot be kept",
    Reason.APPOINTMENT_ON_ANOTHER_DAY: "the agreed time is not in these days",
    Reason.UNREACHABLE: "no street leads there from the home of a rep who could go",
    Reason.VISITED_ANYWAY: "another visit to the same account is planned, or presses more",
    Reason.SPACING: "it would be too near to another visit to the customer, or too far from it",
    Reason.WAITS_FOR_MANAGER: "a manager decides first whose it is",
    Reason.SEEN_ON_ANOTHER_DAY: "it is planned for a day that is not among these",
}
"""What stands for a sentence that names somebody who is not seen, by the kind of a visit or the reason of an entry."""


@dataclass(frozen=True, slots=True)
class Visited:
    """The records that a rep visits in a plan."""

    accounts: frozenset[str] = frozenset()
    opportunities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose days and which records somebody sees. `reps` is None for an inside rep, who sees no days at all."""

    reps: frozenset[str] | None
    accounts: frozenset[str]
    opportunities: frozenset[str]


def visited_on(day: RepDay) -> Visited:
    """Which records its rep visits on a day."""
    records = [records_of(stop) for stop in day["stops"]]
    accounts, opportunities = (frozenset[str]().union(*(pair[n] for pair in records)) for n in (0, 1))
    return Visited(accounts, opportunities)


def handoffs_on(day: RepDay) -> list[PlannedHandoff]:
    """The visits to opportunities on a day; nothing else of it is told. Raises PlannerError: a time makes no sense."""
    try:
        return [_handoff(day, stop) for stop in day["stops"] if _opportunity(stop) is not None]
    except (ValueError, TypeError) as error:
        raise PlannerError(f"plan: a time makes no sense: {error!s:.200}") from error


def cut_document(document: PlanDocument, seen: Seen) -> PlanDocument:
    """The part of a plan that is seen."""
    reps = seen.reps or frozenset()
    own_days = [day for day in document["rep_days"] if day["rep_id"] in reps]
    visited = [records_of(stop) for day in own_days for stop in day["stops"]]
    # What is on a day that is seen is seen, whoever owns it by now.
    accounts = seen.accounts.union(*(accounts for accounts, _ in visited))
    opportunities = seen.opportunities.union(*(opportunities for _, opportunities in visited))
    looked_after = accounts if seen.reps is not None else frozenset()
    unplanned = [
        entry
        for entry in document["unplanned"]
        if _opportunity(entry) in opportunities or _account(entry) in looked_after
    ]
    returned = [entry for entry in document["returned_to_inside"] if entry["record_id"] in opportunities]
    dormant = [entry for entry in document["dormant"] if entry["record_id"] in looked_after]
    kept = {
        *accounts,
        *opportunities,
        *(word for day in own_days for word in _words_of_day(day)),
        *(entry["name"] for entry in [*unplanned, *returned, *dormant]),
    }
    others = _Others(_words(document) - kept)
    rep_days = [_cut_day(day, opportunities, others, reps) for day in own_days]
    stops = [stop for day in rep_days for stop in day["stops"]]
    return PlanDocument(
        format=document["format"],
        area=document["area"],
        first_day=document["first_day"],
        last_day=document["last_day"],
        timezone=document["timezone"],
        limits=document["limits"],
        totals={
            "visits": len(stops),
            "promises": sum(stop["kind"] == VisitKind.APPOINTMENT for stop in stops),
            "unplanned": number_left_out(unplanned),
            "drive_seconds": sum(day["totals"]["drive_seconds"] for day in rep_days),
            "drive_metres": sum(day["totals"]["drive_metres"] for day in rep_days),
            "cost_seconds": 0,
            "bound_seconds": None,
            "bound_kind": None,
        },
        rep_days=rep_days,
        unplanned=[_cut_unplanned(entry, accounts, others, reps) for entry in unplanned],
        returned_to_inside=[_cut_listed(entry, others) for entry in returned],
        dormant=[_cut_listed(entry, others) for entry in dormant],
        notes=[note for note in document["notes"] if is_about(note, reps) and not others.in_text(note)],
    )


class _Others:
    """The ids, names and addresses that must not be told."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = [word for word in words if word.strip()]
        self._known: dict[str, bool] = {}

    def in_text(self, text: str) -> bool:
        """Whether a text names one of them, as a word of its own: A1 is not in A12, nor 11 in 2026-11-30."""
        if text not in self._known:
            self._known[text] = any(word in text and _as_a_word(word, text) for word in self._words)
        return self._known[text]

    def kept(self, text: str, stands_for_it: str) -> str:
        return PLAN_WORDS.get(stands_for_it, "") if self.in_text(text) else text


def _as_a_word(word: str, text: str) -> bool:
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", word) else ""
    if word.isdigit():
        before, after = rf"{before}(?<!\d[-:.,])", rf"{after}(?![-:.,]\d)"
    return re.search(f"{before}{re.escape(word)}{after}", text) is not None


def _cut_day(day: RepDay, opportunities: Collection[str], others: _Others, reps: Collection[str]) -> RepDay:
    stops = [
        Stop(
            **{
                **_without_others(stop, reps, others),
                "why": others.kept(stop["why"], stop["kind"]),
                "worth_because": None if others.in_text(stop["worth_because"] or "") else stop["worth_because"],
                "rides_with": [record for record in stop["rides_with"] if record in opportunities],
                "handoff_missing": [missing for missing in stop["handoff_missing"] if not others.in_text(missing)],
            }
        )
        for stop in day["stops"]
    ]
    return {**day, "stops": stops}


def _without_others(stop: Stop, reps: Collection[str], others: _Others) -> Stop:
    """Without whose visit it was before, or could be as well, if that is somebody else."""
    kept = stop.copy()
    if "moved_from" in stop and stop["moved_from"]["rep_id"] not in reps:
        del kept["moved_from"]
    there = stop.get("alternative")
    if there is not None and (there["rep_id"] not in reps or others.in_text(f"{there['after']} {there['after_name']}")):
        kept["alternative"] = None
    return kept


def _cut_unplanned(
    entry: UnplannedEntry, accounts: Collection[str], others: _Others, reps: Collection[str]
) -> UnplannedEntry:
    subject, *more = entry["record_ids"]
    repair = entry.get("repair")
    told = f"{repair['sentence']} {repair['visit_id']}" if repair is not None else ""
    if repair is not None and (repair["rep_id"] not in reps or others.in_text(told)):
        entry = {**entry, "repair": None}
    return {
        **entry,
        "record_ids": [subject, *(record for record in more if record in accounts)],
        "sentence": others.kept(entry["sentence"], entry["reason"]),
        "worth_because": None if others.in_text(entry["worth_because"] or "") else entry["worth_because"],
    }


def _cut_listed(entry: ListedEntry, others: _Others) -> ListedEntry:
    return {**entry, "sentence": others.kept(entry["sentence"], "")}


def _opportunity(entry: Stop | UnplannedEntry) -> str | None:
    """The opportunity that an entry is for."""
    return entry["record_ids"][0] if entry["record_ids"] and _is_first_visit(entry) else None


def _account(entry: Stop | UnplannedEntry) -> str | None:
    """The account that an entry is for, if it is not for an opportunity."""
    return entry["record_ids"][0] if entry["record_ids"] and not _is_first_visit(entry) else None


def _is_first_visit(entry: Stop | UnplannedEntry) -> bool:
    return entry["kind"] in (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY)


def records_of(entry: Stop | UnplannedEntry) -> tuple[frozenset[str], frozenset[str]]:
    """The accounts and the opportunities of an entry: behind the record that it is for there are only accounts."""
    first = int(_is_first_visit(entry))
    return frozenset(entry["record_ids"][first:]), frozenset(entry["record_ids"][:first])


def _handoff(day: RepDay, stop: Stop) -> PlannedHandoff:
    return PlannedHandoff(
        stop["record_ids"][0],
        (day["rep_name"].split() or [""])[0],
        datetime.fromisoformat(stop["arrive"]),
        datetime.fromisoformat(stop["begin"]),
        stop["kind"] == VisitKind.APPOINTMENT,
        day["rep_id"],
    )


def is_about(note: str, reps: Iterable[str]) -> bool:
    """A note for the planner names the rep whom it is about at its start."""
    return any(note.startswith(f"rep {rep} (") for rep in reps)


def _words(document: PlanDocument) -> set[str]:
    """Every id, name and address in a plan."""
    listed = [*document["returned_to_inside"], *document["dormant"]]
    return {
        *(word for day in document["rep_days"] for word in _words_of_day(day)),
        *(record for day in document["rep_days"] for stop in day["stops"] for record in stop["rides_with"]),
        *(word for entry in document["unplanned"] for word in (entry["name"], *entry["record_ids"])),
        *(word for entry in listed for word in (entry["name"], entry["record_id"])),
    }


def _words_of_day(day: RepDay) -> set[str]:
    words = {day["rep_id"], day["rep_name"], day["start"]["address"], day["end"]["address"]}
    return words.union(
        *((stop["visit_id"], stop["name"], stop["address"], *stop["record_ids"]) for stop in day["stops"])
    )
