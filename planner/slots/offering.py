"""Offers: the arrival windows that a prospect can be told on the phone, and whether a first visit fits in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from planner.candidates import team_work_days
from planner.domain import Account, Opportunity, RecordKind, Rep
from planner.qualification import first_action_deadline
from planner.rep_names import told_name, told_names
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agenda, AgendaDay, Agendas
from planner.slots.domain import BookingState, Meaning
from planner.slots.effects import Grade, effect, grade
from planner.slots.searching import ASKED, DAYS_RESEQUENCED, MOST_RESEQUENCED, Asked, Found, Search
from planner.snapshot import zone_of
from planner.visit_ids import visit_id
from routing.geo import LatLon
from routing.insertion import Itineraries, overlaps
from routing.problem import UNREACHABLE
from routing.travel_times import FanTimes


@dataclass(frozen=True, kw_only=True)
class SlotQuery:
    """What is asked for: a visit to a place, and when and by whom it may be made.

    Attributes:
        days: calendar days that are searched, from `first_day` on, but none later than `most_days` of the settings.
        reps: whose days are searched at all; None for everybody's.
        rep_id, owner_rep_id: only this rep's days; the owner of the customer's account is one. Empty for anybody's.
        language: one that the rep speaks; empty for any.
        hours: an opening_hours expression that must be open for the whole visit; empty for none.
        until: the last day that counts; None for none.
        not_before: with its zone; no window begins earlier.
        resequence: whether days into which the visit does not fit as they are may be put into another order.
    """

    place: LatLon
    service_minutes: int
    first_day: date
    days: int
    window_minutes: int
    meaning: Meaning
    not_before: datetime
    limit: int
    reps: frozenset[str] | None = None
    rep_id: str = ""
    owner_rep_id: str = ""
    skills: frozenset[str] = frozenset()
    language: str = ""
    hours: str = ""
    until: date | None = None
    resequence: bool = True


@dataclass(frozen=True, slots=True)
class Slot:
    """A window that can be promised. Times are local to the rep.

    Attributes:
        rep_name: what inside sales and the customer are told.
        begin: when service would begin as the day stands now.
        added_drive_s: driving that it adds to the day.
        resequenced: the day's other visits are put into another order for it.
        effect: what it does to the rest of the day, in words that name no customer.
    """

    rep_id: str
    rep_name: str
    day: date
    start: datetime
    end: datetime
    begin: datetime
    added_drive_s: int
    resequenced: bool
    effect: str
    grade: Grade


@dataclass(frozen=True, slots=True)
class Offers:
    """Slots, those that add least driving first.

    Attributes:
        tried: positions × windows that were looked at.
        checked: days that were timed with the visit in them and checked by every rule.
        resequenced: full days for which another order was looked for.
        why_none: where there are no slots, the first thing that stands in the way, as a sentence.
    """

    slots: tuple[Slot, ...]
    tried: int
    checked: int
    resequenced: int
    why_none: str


def offer_slots(
    unit: UnitOfWork, agendas: Agendas, area: str, query: SlotQuery, settings: Settings, now: datetime
) -> Offers:
    """The windows that a rep can keep together with everything that anybody was told before.

    `unit` sees the whole area.

    Raises:
        InvalidRecordError: the hours cannot be read.
    """
    most_days = settings.booking.most_days
    if query.first_day > now.date() + timedelta(days=most_days):
        return Offers((), 0, 0, 0, f"visits are booked at most {most_days} days ahead")
    search = search_for(_agenda(unit, agendas, area, query, settings, now), query, settings, now)
    found = search.cheapest(query.limit)
    if query.resequence:
        found += search.rearranged(DAYS_RESEQUENCED if found else MOST_RESEQUENCED)
        found = sorted(found, key=lambda each: (each.added_s, each.begin_s))[: query.limit]
    names = told_names(search.agenda.reps)
    slots = tuple(_slot(each, search, query, names[each.day.rep.id]) for each in found)
    why = "" if slots else _why_none(search, query)
    return Offers(slots, search.tried, search.checked, search.resequenced, why)


def search_for(agenda: Agenda, query: SlotQuery, settings: Settings, now: datetime) -> Search:
    """The search that answers a query."""
    able = _able(agenda, query)
    return Search(agenda, _asked(query, settings, now), [day.rep.id in able for day in agenda.days])


def _agenda(
    unit: UnitOfWork, agendas: Agendas, area: str, query: SlotQuery, settings: Settings, now: datetime
) -> Agenda:
    most = now.date() + timedelta(days=settings.booking.most_days)
    last_day = min(query.first_day + timedelta(days=query.days - 1), query.until or date.max, most)
    return agendas.agenda(unit, area, query.first_day, last_day)


def _asked(query: SlotQuery, settings: Settings, now: datetime, *, whole_days: bool = False) -> Asked:
    return Asked(
        place=query.place,
        service_minutes=query.service_minutes,
        skills=frozenset(skill.casefold() for skill in query.skills),
        hours=query.hours,
        window_minutes=query.window_minutes,
        step_minutes=0 if whole_days else settings.booking.step_minutes,
        meaning=query.meaning,
        not_before=max(query.not_before, now),
        parking_minutes=settings.candidates.parking_minutes,
    )


def _able(agenda: Agenda, query: SlotQuery) -> frozenset[str]:
    """The ids of the reps who may go at all."""
    filters = _filters(query)
    return frozenset(rep.id for rep in agenda.reps if all(passes(rep) for _, passes in filters))


def _filters(query: SlotQuery, chosen: str = "") -> Sequence[tuple[str, Callable[[Rep], bool]]]:
    """What a rep has to be, each with what is said where nobody is; `chosen` is the name of the only one who is asked
    for."""
    skills = frozenset(skill.casefold() for skill in query.skills)
    skilled = f"the skill{'s' if len(skills) > 1 else ''} {', '.join(sorted(skills))}"
    filters: list[tuple[str, Callable[[Rep], bool]]] = []
    reps = query.reps
    if reps is not None:
        filters.append(("there are no reps of yours", lambda rep: rep.id in reps))
    if query.rep_id:
        filters.append((f"there is no rep {query.rep_id}", lambda rep: rep.id == query.rep_id))
    if query.owner_rep_id:
        filters.append(
            (
                f"the customer's own rep, {query.owner_rep_id}, is not among them",
                lambda rep: rep.id == query.owner_rep_id,
            )
        )
    if skills:
        said = f"{chosen} has not {skilled}" if chosen else f"no rep has {skilled}"
        filters.append((said, lambda rep: skills <= rep.skills))
    if query.language:
        nobody = f"no rep with {skilled}" if skills else "no rep"
        said = f"{chosen} does not speak {query.language}" if chosen else f"{nobody} speaks {query.language}"
        filters.append((said, lambda rep: query.language.casefold() in rep.languages))
    return filters


def _slot(found: Found, search: Search, query: SlotQuery, name: str) -> Slot:
    day = found.day
    start = day.local(found.window.start_s)
    end_s = found.window.start_s + query.window_minutes * 60
    return Slot(
        rep_id=day.rep.id,
        rep_name=name,
        day=day.working_day.day,
        start=start,
        end=day.local(end_s),
        begin=day.local(found.begin_s),
        added_drive_s=found.added_s,
        resequenced=found.resequenced,
        effect=effect(day, found.before, found.after, ASKED),
        grade=grade(found.added_s, search.alone_s(day)),
    )


def _why_none(search: Search, query: SlotQuery) -> str:
    """The first thing that stands in the way of any slot."""
    agenda, job = search.agenda, search.job
    reps: list[Rep] = list(agenda.reps)
    if not reps:
        return "there are no reps"
    names = told_names(reps)
    for sentence, passes in _filters(query, names.get(query.rep_id or query.owner_rep_id, "")):
        reps = [rep for rep in reps if passes(rep)]
        if not reps:
            return sentence
    ids = {rep.id for rep in reps}
    days = [(day, windows) for day, windows in zip(agenda.days, search.windows, strict=True) if day.rep.id in ids]
    first_day, last_day = agenda.clock.first_day, agenda.clock.last_day
    span = f"from {first_day} to {last_day}" if first_day < last_day else f"on {first_day:%a} {first_day}"
    if not days:
        only = names[reps[0].id]
        return f"none of {len(reps)} reps works {span}" if len(reps) > 1 else f"{only} does not work {span}"
    if query.meaning is Meaning.WHOLE and query.window_minutes < query.service_minutes:
        return f"a visit of {query.service_minutes} minutes does not fit into a window of {query.window_minutes}"
    if not any(windows for _, windows in days):
        zone = days[0][0].rep.zone
        return (
            f"there is no window of {query.window_minutes} minutes within working hours {span} that begins on "
            f"{query.not_before.astimezone(zone):%Y-%m-%d at %H:%M} or later"
        )
    if all(_unreachable(search, day) for day, _ in days):
        return "no street leads there from where the reps start, and back"
    if not any(True for _, windows in days for window in windows for _ in overlaps(job.windows, window)):
        return f"the hours “{query.hours}” leave no room for {query.service_minutes} minutes in the reps' working hours"
    if not _fits_into_empty_days(search, [day for day, _ in days], _next_door(search.times)):
        any_break = any(day.itinerary.shift.break_ for day, _ in days)
        where = "between the breaks of" if any_break else "into"
        return f"{query.service_minutes} minutes do not fit {where} any rep's day"
    if not _fits_into_empty_days(search, [day for day, _ in days], search.times):
        nearest = min(search.alone_s(day) for day, _ in days if not _unreachable(search, day))
        return (
            f"it is too far: a day has too little time for {query.service_minutes} minutes there and at least "
            f"{nearest / 60:.0f} minutes of driving"
        )
    return f"all days are full {span}"


def _unreachable(search: Search, day: AgendaDay) -> bool:
    shift = day.itinerary.shift
    return UNREACHABLE in (search.times.to_s[shift.start_place], search.times.from_s[shift.end_place])


def _next_door(times: FanTimes) -> FanTimes:
    """The same, without any driving."""
    nothing = np.zeros_like(times.to_s)
    return FanTimes(nothing, nothing, nothing, nothing)


def _fits_into_empty_days(search: Search, days: Sequence[AgendaDay], times: FanTimes) -> bool:
    empty = [replace(day.itinerary, jobs=(), drive_s=(0,), drive_m=(0,), tables=()) for day in days]
    windows = {day.id: w for day, w in zip(search.agenda.days, search.windows, strict=True)}
    index = Itineraries(empty, search.agenda.itineraries.place_count)
    return len(index.openings(search.job, times, [windows[day.id] for day in days])) > 0


@dataclass(frozen=True, slots=True)
class FirstVisit:
    """Whether the first visit of an opportunity can be made before its deadline.

    Attributes:
        fits: None where that cannot be told, since nobody knows where it is.
        deadline: the last day for it; None where there is none.
        slot: the time that adds least driving; its window is all of the working day in which it fits.
        sentence: the verdict, for people.
    """

    fits: bool | None
    deadline: date | None
    slot: Slot | None
    sentence: str


def first_visit(
    unit: UnitOfWork,
    agendas: Agendas,
    area: str,
    opportunity: Opportunity,
    settings: Settings,
    now: datetime,
    place: LatLon | None = None,
) -> FirstVisit:
    """Whether the first visit physically fits before its first-action deadline, on whose day, and when.

    Nobody but the account's own rep goes, where it has one who may. `place` is given for an opportunity whose location
    is not kept yet. `unit` sees the whole area.
    """
    records = unit.records(area)
    reps = records.reps()
    deadline = first_action_deadline(opportunity, team_work_days(reps), settings.gate, settings.calendar)
    by = f"the first visit is due by {deadline:%a %Y-%m-%d}" if deadline else "the first visit has no deadline"
    if place is None:
        location = records.location(RecordKind.OPPORTUNITY, opportunity.id)
        place = location.place if location and location.address == opportunity.address else None
    if place is None:
        return FirstVisit(None, deadline, None, f"nobody knows yet where “{opportunity.address}” is; {by}")
    zone = zone_of(reps)
    today = now.astimezone(zone).date()
    if deadline is not None and deadline < today:
        return FirstVisit(False, deadline, None, f"the first visit was due by {deadline:%a %Y-%m-%d}")
    account = records.get(RecordKind.ACCOUNT, opportunity.account_id) if opportunity.account_id else None
    minutes = opportunity.visit_minutes or settings.candidates.visit_minutes
    query = SlotQuery(
        place=place,
        service_minutes=minutes,
        first_day=today,
        days=settings.booking.most_days + 1 if deadline else settings.booking.days,
        window_minutes=minutes,
        meaning=Meaning.WHOLE,
        not_before=now + timedelta(minutes=settings.booking.notice_minutes),
        limit=1,
        skills=opportunity.required_skills,
        hours=opportunity.availability,
        until=deadline,
    )
    agenda = _agenda(unit, agendas, area, query, settings, now)
    if (planned := _planned(unit, area, agenda, opportunity)) is not None:
        return FirstVisit(True, deadline, None, f"{planned}; {by}")
    owner = account.owner_rep_id if isinstance(account, Account) else ""
    able = _able(agenda, query)
    asked, who = _asked(query, settings, now, whole_days=True), able & {owner} or able
    search = Search(agenda, asked, [day.rep.id in who for day in agenda.days])
    if found := search.cheapest(1) or search.rearranged(MOST_RESEQUENCED):
        best = min(found, key=lambda each: (each.added_s, each.begin_s))
        slot = _slot(best, search, query, told_name(best.day.rep, agenda.reps))
        return FirstVisit(True, deadline, slot, f"it fits: {_words(slot)}; {by}")
    return FirstVisit(False, deadline, None, f"it does not fit: {_why_none(search, query)}; {by}")


def _planned(unit: UnitOfWork, area: str, agenda: Agenda, opportunity: Opportunity) -> str | None:
    """Where the visit stands already."""
    promises = unit.bookings.find(area=area, opportunity_id=opportunity.id, state=BookingState.PROMISED)
    for promise in promises:
        rep = next((rep for rep in agenda.reps if rep.id == promise.rep_id), None)
        if rep is not None:
            return f"it is promised: {told_name(rep, agenda.reps)}, {promise.window_text(rep.zone)}"
    id_ = visit_id(RecordKind.OPPORTUNITY, opportunity.id)
    for day in agenda.days:
        if id_ not in day.order:
            continue
        route = day.timed()
        begin = next((day.local(step.begin_s) for step in route.steps if step.job == id_), None) if route else None
        when = f"{begin:%a %Y-%m-%d at %H:%M}" if begin else f"{day.working_day.day:%a %Y-%m-%d}"
        return f"it is planned already: {told_name(day.rep, agenda.reps)}, {when}"
    return None


def _words(slot: Slot) -> str:
    minutes = round(slot.added_drive_s / 60)
    again = ", once that day's visits change their order" if slot.resequenced else ""
    return f"{slot.rep_name} can be there on {slot.begin:%a %Y-%m-%d at %H:%M}, with {minutes} min more driving{again}"
