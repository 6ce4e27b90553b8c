"""What a week let slip, and why: counted by reason, with the names behind each number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from planner.activities.punctuality import STANDING, Owed, owed_in_time
from planner.candidates import Reason, VisitKind
from planner.domain import Opportunity, RecordKind
from planner.fieldwork.domain import Disposition, FieldVisit
from planner.fieldwork.folding import CALLED_OFF
from planner.scoping import PLAN_WORDS
from planner.slots.domain import Booking, BookingState
from planner.summary.covering import is_met
from planner.summary.domain import Named, Slip
from planner.summary.material import Material

PLANNED, DUE, PROMISED, DEADLINES = (
    "Planned, and not made",
    "Due, and not planned",
    "Promised, and not kept as promised",
    "Deadlines missed",
)
"""What reasons are told under, in this order."""

WHY = {
    Disposition.NOT_IN: "nobody was in",
    Disposition.RESCHEDULED: "the customer wants another day",
    Disposition.REFUSED: "the customer refused the visit",
}
SICK, OFF, OUT = "the rep was sick", "called off by the customer", "left out by the rep"
UNREPORTED, UNKNOWN = "checked in, and not reported", "nobody has reported anything"
BROKEN, LATE = "nobody was there when promised", "the rep came late"
MOVED, CANCELLED = "moved to another time", "cancelled"
MISSED = "nobody from the field acted in time"

_VISITED = frozenset({Reason.VISITED_ANYWAY, Reason.SEEN_ON_ANOTHER_DAY})
_NO_ROOM = frozenset({Reason.NO_TIME_LEFT, Reason.TOO_FAR, Reason.DEADLINE_IMPOSSIBLE})
_NOT_DUE = frozenset({VisitKind.NEARBY})
"""Who rides along is not due yet."""


def slips_of(week: Material) -> list[Slip]:
    """By kind in their order, the most frequent reason first."""
    found: defaultdict[tuple[str, str], list[Named]] = defaultdict(list)
    for about, told in (
        (PLANNED, _not_made(week)),
        (DUE, _not_planned(week)),
        (PROMISED, _not_kept(week)),
        (DEADLINES, _missed(week)),
    ):
        for reason, entry in told:
            found[about, reason].append(entry)
    order = [PLANNED, DUE, PROMISED, DEADLINES]
    slips = [
        Slip(about, reason, sorted(entries, key=lambda entry: (entry.rep, entry.name)))
        for (about, reason), entries in found.items()
    ]
    return sorted(slips, key=lambda slip: (order.index(slip.about), -len(slip.entries), slip.reason))


def _not_made(week: Material) -> Iterator[tuple[str, Named]]:
    """Visits of the plan at which nobody was met."""
    for key in sorted(week.days):
        visits, said = week.visits.get(key, {}), week.said.get(key, {})
        for visit_id in week.ids(key):
            if is_met(visits.get(visit_id)):
                continue
            reason, text = _why(visits.get(visit_id), said.get(visit_id, ""), key in week.sick)
            yield reason, week.named(visit_id, key, f"{key[1]:%a %-d %b}{f': {text}' if text else ''}")


def _why(visit: FieldVisit | None, said: str, sick: bool) -> tuple[str, str]:
    """A reason, and what somebody said with it."""
    if visit is not None and visit.disposition is not None:
        return WHY[visit.disposition], ""
    if visit is not None and visit.arrived_at is not None:
        return UNREPORTED, ""
    if said:
        return (OFF if said.startswith(CALLED_OFF) else OUT), said.partition(": ")[2]
    return (SICK if sick else UNKNOWN), ""


def left_out_deals(week: Material) -> list[Opportunity]:
    """The opportunities that the field has to visit, that the week's plan left out for another reason than that nobody
    can be sent or that they have another day, and that nobody visited all the same; those worth most first."""
    met = _met(week)
    found = {
        entry.record_ids[0]
        for entry in week.planned.left_out
        if entry.kind == VisitKind.OPPORTUNITY and entry.reason in _NO_ROOM and entry.record_ids
    }
    deals = [week.deals[id_] for id_ in found if id_ in week.deals and f"opportunity:{id_}" not in met]
    return sorted(deals, key=lambda deal: (-deal.value, deal.name, deal.id))


def _met(week: Material) -> set[str]:
    """Ids as of visits, of whom somebody met in the week."""
    return {
        id_
        for visits in week.visits.values()
        for visit in visits.values()
        if is_met(visit)
        for id_ in (f"account:{visit.account_id}", f"opportunity:{visit.opportunity_id}")
    }


def _not_planned(week: Material) -> Iterator[tuple[str, Named]]:
    """Customers and opportunities that the week's plan had no room for, and whom nobody met all the same."""
    met = _met(week)
    for entry in week.planned.left_out:
        if entry.kind in _NOT_DUE or entry.reason in _VISITED or not entry.record_ids:
            continue
        if entry.due is not None and not week.first <= entry.due <= week.last:
            continue  # the plan is of more weeks than this one
        id_ = entry.record_ids[0]
        reason = PLAN_WORDS.get(entry.reason, entry.reason)
        if entry.kind == VisitKind.DUE:
            account = week.accounts.get(id_)
            if account is not None and f"account:{id_}" not in met:
                yield reason, Named(RecordKind.ACCOUNT, id_, account.name, week.rep_name(account.rep_id))
        elif id_ in week.deals and f"opportunity:{id_}" not in met:
            yield reason, Named(RecordKind.OPPORTUNITY, id_, week.deals[id_].name)


def _not_kept(week: Material) -> Iterator[tuple[str, Named]]:
    """Promises of the week that were broken, come late to, moved or cancelled."""
    for booking in sorted(week.promises, key=lambda booking: (booking.start, booking.id)):
        day = f"{booking.day:%a %-d %b}"
        if booking.state is BookingState.MOVED and _ended_in(week, booking):
            yield MOVED, _promised(week, booking, day)
        elif booking.state is BookingState.CANCELLED and _ended_in(week, booking):
            yield CANCELLED, _promised(week, booking, f"{day}: {booking.reason}" if booking.reason else day)
        elif booking.state in STANDING and week.first <= booking.day <= week.last:
            visit = week.visits.get((booking.rep_id, booking.day), {}).get(booking.visit_id)
            owed = Owed(booking.rep_id, booking.day, booking.visit_id, booking.latest_begin, booking.end)
            if owed_in_time(owed, visit, week.now) is False:
                came = visit.arrived_at if visit is not None else None
                text = f"{day}, {came.astimezone(week.zone):%H:%M}" if came else day
                yield (LATE if came else BROKEN), _promised(week, booking, text)


def _ended_in(week: Material, booking: Booking) -> bool:
    ended = booking.ended_at
    return ended is not None and week.first <= ended.astimezone(week.zone).date() <= week.last


def _promised(week: Material, booking: Booking, text: str) -> Named:
    rep = week.rep_name(booking.rep_id)
    return Named(RecordKind.OPPORTUNITY, booking.opportunity_id, booking.name, rep, text)


def _missed(week: Material) -> Iterator[tuple[str, Named]]:
    for id_ in sorted({event.opportunity_id for event in week.events if event.action == "missed"}):
        deal = week.deals[id_]
        yield MISSED, Named(RecordKind.OPPORTUNITY, id_, deal.name, value=deal.value)
