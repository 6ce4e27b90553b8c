"""What would come of a wish, in words: whom to call, which rules break where, and all in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from planner.domain import Account, Opportunity, RecordKind
from planner.fieldwork.domain import EventKind
from planner.plan_document import RepDay
from planner.replanning.calling import Lost, latest_begin_s
from planner.replanning.domain import BrokenRule, Call, LeftOut, Statement
from planner.slots.desk import Desk
from planner.slots.domain import Booking
from planner.slots.working_order import AgendaDay
from routing.solution import Route


def call_of(desk: Desk, lost: Lost) -> Call:
    """Whom to call about a promise that cannot be kept."""
    day, visit = desk.day, lost.visit
    zone = day.rep.zone
    if visit.booking is not None:
        start, end = visit.booking.start.astimezone(zone), visit.booking.end.astimezone(zone)
        promised = visit.booking.window_text(zone)
    else:
        start = day.local(visit.job.windows[0].start_s if visit.job.windows else latest_begin_s(day, visit))
        end, promised = start, f"{start:%Y-%m-%d %H:%M}"
    contact, phone, email = _contact(desk, visit.id)
    return Call(
        visit.id,
        visit.name,
        visit.address,
        visit.booking.id if visit.booking is not None else "",
        contact,
        phone,
        email,
        start,
        end,
        promised,
        day.local(lost.begin_s) if lost.begin_s is not None else None,
        lost.why,
    )


def _contact(desk: Desk, visit_id: str) -> tuple[str, str, str]:
    """Of the record, and where that has no number, of its account."""
    kind, _, record_id = visit_id.partition(":")
    records = desk.unit.records(desk.area)
    record = records.get(RecordKind(kind), record_id) if kind in set(RecordKind) else None
    account = records.get(RecordKind.ACCOUNT, record.account_id) if isinstance(record, Opportunity) else record
    told = [each for each in (record, account) if isinstance(each, Opportunity | Account)]
    best = next((each for each in told if each.contact_phone), told[0] if told else None)
    return (best.contact_name, best.contact_phone, best.contact_email) if best is not None else ("", "", "")


def broken_rules(day: AgendaDay, route: Route | None) -> Iterator[BrokenRule]:
    """The rules that the rest of a day breaks as it is timed, each with name and time."""
    if route is None or (day.begun is not None and day.begun.sick):
        return
    shift, visits = day.itinerary.shift, {visit.id: visit for visit in day.visits}
    for step in route.steps:
        visit, begin = visits[step.job], day.local(step.begin_s)
        if any(window.start_s <= step.begin_s <= window.end_s for window in visit.job.windows):
            continue
        if visit.promised and visit.booking is not None and not _within(visit.booking, begin):
            zone = day.rep.zone
            why = f"promised {_between(visit.booking.start.astimezone(zone), visit.booking.end.astimezone(zone))}"
        elif visit.promised and visit.booking is None:
            why = f"agreed for {day.local(latest_begin_s(day, visit)):%H:%M}"
        elif visit.job.windows:
            why = f"to be begun by {day.local(visit.job.windows[-1].end_s):%H:%M}"
        else:
            why = "closed on this day"
        message = f"{visit.name} would begin at {begin:%H:%M} and is {why}"
        yield BrokenRule("service_begins_in_a_window", visit.id, begin, message)
    if shift.max_jobs is not None and len(route.steps) > shift.max_jobs:
        message = f"{_count(len(route.steps), 'visit')} would be made, and at most {shift.max_jobs} may be"
        yield BrokenRule("max_jobs_is_kept", "", None, message)
    if route.return_s > shift.end_s:
        home, end = day.local(route.return_s), day.local(shift.end_s)
        yield BrokenRule("shift_is_kept", "", home, f"the way home would end at {home:%H:%M}, after {end:%H:%M}")
    if shift.break_ is not None and route.break_start_s is None:
        opens, closes = day.local(shift.break_.start_s), day.local(shift.break_.end_s)
        message = f"there would be no time for the break between {opens:%H:%M} and {closes:%H:%M}"
        yield BrokenRule("break_is_taken", "", opens, message)


def _within(promise: Booking, begin: datetime) -> bool:
    return promise.start <= begin <= promise.latest_begin


def moved(before: Sequence[str], after: Sequence[str]) -> int:
    """How many of the visits that are in both orders are in another place: the fewest whose moving makes the one from
    the other."""
    place = {id_: number for number, id_ in enumerate(before)}
    places = [place[id_] for id_ in after if id_ in place]
    longest: list[int] = []  # of the runs in order that end with each
    for number, at in enumerate(places):
        runs = (longest[k] for k in range(number) if places[k] < at)
        longest.append(1 + max(runs, default=0))
    return len(places) - max(longest, default=0)


def home_s(day: RepDay | None) -> float | None:
    """When a day is over, in seconds of no particular beginning; None where nobody is visited."""
    told = day["end"]["time"] if day is not None else None
    return datetime.fromisoformat(told).timestamp() if told is not None else None


def sentence(
    day: AgendaDay,
    said: Statement,
    name: str,
    after: RepDay | None,
    left_out: Sequence[LeftOut],
    to_call: Sequence[Call],
    broken: Iterable[BrokenRule],
    changes: tuple[int, int, int],
) -> str:
    """All that would come of a wish.

    Args:
        name: of the visit that it is about.
        changes: as `Preview.moved`, `drive_s_won` and `home_s_won`.
    """
    moved_stops, drive_s_won, home_s_won = changes
    parts = [_beginning(day, said, name, after)]
    if left_out:
        parts.append(f"{_listed([each.name for each in left_out])} {'is' if len(left_out) == 1 else 'are'} left out")
    for call in to_call:
        number = f" ({call.phone})" if call.phone else ", of whom nobody knows the number"
        then = f"expected at {call.expected:%H:%M}" if call.expected is not None else "not today"
        parts.append(f"call {call.name}{number}, promised {_between(call.start, call.end)}, {then}")
    about = {call.visit_id for call in to_call}
    parts += [each.message for each in broken if not each.visit_id or each.visit_id not in about]
    if moved_stops:
        parts.append(f"{_count(moved_stops, 'stop')} in another place")
    if not left_out and not to_call and not moved_stops and len(parts) == 1:
        parts.append("all else stays as it is")
    home = after["end"]["time"] if after is not None else None
    if home is not None:
        parts.append(f"home at {datetime.fromisoformat(home):%H:%M}{_more(home_s_won, 'earlier', 'later')}")
    if drive := _more(drive_s_won, "less driving", "more driving"):
        parts.append(drive.removeprefix(", "))
    return "; ".join(parts)


def _beginning(day: AgendaDay, said: Statement, name: str, after: RepDay | None) -> str:
    def clock(moment: str) -> str:
        return f"{datetime.fromisoformat(moment).astimezone(day.rep.zone):%H:%M}"

    match said.kind:
        case EventKind.LATE:
            return f"Leaving at {clock(said.body['leave_at'])}"
        case EventKind.FINISH:
            return f"Home by {clock(said.body['by'])}" if said.body["by"] else "Working until the usual end"
        case EventKind.SICK:
            return "Sick: nothing more is done today"
        case EventKind.ORDER:
            return "In this order"
        case EventKind.ADDED | EventKind.RESTORED:
            stops = after["stops"] if after is not None else ()
            begins = [stop["begin"] for stop in stops if stop["visit_id"] == said.visit_id]
            return f"{name} at {clock(begins[0])}" if begins else f"{name} has no place in this day"
        case _:
            return f"Without {name}"


def _more(won_s: int, better: str, worse: str) -> str:
    minutes = round(abs(won_s) / 60)
    return f", {minutes} min {better if won_s > 0 else worse}" if minutes else ""


def _between(start: datetime, end: datetime) -> str:
    return f"{start:%H:%M}–{end:%H:%M}" if start < end else f"{start:%H:%M}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
