"""What would come of a wish, in words: whom to call, which rules break where, and all in one short line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from planner.contacts import Contact, contact_of
from planner.domain import Account, Opportunity, RecordKind
from planner.fieldwork.domain import EventKind
from planner.plan_document import RepDay
from planner.replanning.calling import Lost, latest_begin_s
from planner.replanning.domain import BrokenRule, Call, LeftOut, Statement
from planner.slots.desk import Desk
from planner.slots.domain import Booking
from planner.slots.working_order import AgendaDay
from planner.visit_ids import record_behind
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
    contact = _contact(desk, visit.id)
    return Call(
        visit.id,
        visit.name,
        visit.address,
        visit.booking.id if visit.booking is not None else "",
        contact.name,
        contact.phone,
        contact.email,
        start,
        end,
        promised,
        day.local(lost.begin_s) if lost.begin_s is not None else None,
        lost.why,
    )


def _contact(desk: Desk, visit_id: str) -> Contact:
    """Of the record, and of its account."""
    kind, record_id = record_behind(visit_id)
    records = desk.unit.records(desk.area)
    record = records.get(RecordKind(kind), record_id) if kind in set(RecordKind) else None
    account = records.get(RecordKind.ACCOUNT, record.account_id) if isinstance(record, Opportunity) else None
    return contact_of(*(each for each in (record, account) if isinstance(each, Opportunity | Account)))


def broken_rules(day: AgendaDay, shown: RepDay | None, route: Route | None) -> Iterator[BrokenRule]:
    """The rules that a day breaks as it is shown, its rest timed as in `route`, each with name and time."""
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
        where = "home" if day.working_day.night_after is None else "to the hotel"
        yield BrokenRule("shift_is_kept", "", home, f"the way {where} would end at {home:%H:%M}, after {end:%H:%M}")
    if missed := shown.get("break_missed") if shown is not None else None:
        opens, closes = (datetime.fromisoformat(missed[key]) for key in ("start", "end"))
        message = f"no time for the break on this day (due {opens:%H:%M}–{closes:%H:%M})"
        yield BrokenRule("break_is_taken", "", opens, message)


def _within(promise: Booking, begin: datetime) -> bool:
    return promise.start <= begin <= promise.latest_begin


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
    """What would come of a wish, in one short line: names and times stand in the lists.

    Args:
        name: of the visit that it is about.
        changes: as `Preview.moved`, `drive_s_won` and `home_s_won`.
    """
    moved_stops, _, home_s_won = changes
    parts = [_beginning(day, said, name, after)]
    about = {call.visit_id for call in to_call}
    others = sum(each.visit_id not in about for each in left_out)
    if others:
        parts.append(f"{_count(others, 'stop')} left out")
    if to_call:
        parts.append(f"{_count(len(to_call), 'customer')} to call")
    if wrong := sum(not each.visit_id or each.visit_id not in about for each in broken):
        parts.append(_count(wrong, "problem"))
    if moved_stops:
        parts.append(f"{_count(moved_stops, 'stop')} in another place")
    if len(parts) == 1:
        parts.append("all else stays as it is")
    home = after["end"]["time"] if after is not None else None
    if home is not None:
        where = "home" if day.working_day.night_after is None else "at the hotel"
        parts.append(f"{where} {datetime.fromisoformat(home):%H:%M}{_more(home_s_won)}")
    return "; ".join(parts)


def _beginning(day: AgendaDay, said: Statement, name: str, after: RepDay | None) -> str:
    def clock(moment: str) -> str:
        return f"{datetime.fromisoformat(moment).astimezone(day.rep.zone):%H:%M}"

    match said.kind:
        case EventKind.LATE:
            return f"Leaving {clock(said.body['leave_at'])}"
        case EventKind.FINISH:
            return f"Home by {clock(said.body['by'])}" if said.body["by"] else "Working until the usual end"
        case EventKind.SICK:
            return "Sick: nothing more is done today" if said.body["sick"] else "Working after all"
        case EventKind.ORDER:
            return "In this order"
        case EventKind.ADDED | EventKind.RESTORED:
            stops = after["stops"] if after is not None else ()
            begins = [stop["begin"] for stop in stops if stop["visit_id"] == said.visit_id]
            return f"{name} at {clock(begins[0])}" if begins else f"{name} has no room in this day"
        case _:
            return f"Without {name}"


def _more(won_s: int) -> str:
    minutes = round(abs(won_s) / 60)
    if not minutes:
        return ""
    hours = f"{minutes // 60} h {minutes % 60:02}" if minutes >= 60 else f"{minutes} min"
    return f", {hours} {'earlier' if won_s > 0 else 'later'}"


def _between(start: datetime, end: datetime) -> str:
    return f"{start:%H:%M}–{end:%H:%M}" if start < end else f"{start:%H:%M}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
