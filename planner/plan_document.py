"""plan.json: the plan as a document that people, pages and other programs read. docs/plan-format.md explains it.

Nothing in it depends on when or how fast it was made: the same inputs, seed and work limit give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, TypedDict, cast, get_args, get_origin, get_type_hints, is_typeddict

from planner.candidates import Candidates, Listed, Reason, SuggestedRepair, Unplanned, Visit, VisitKind
from planner.domain import Address
from planner.errors import PlannerError
from planner.hotels.domain import Night
from planner.translation import Translation, WorkingDay
from planner.why import Elsewhere, Here
from routing.geo import LatLon
from routing.problem import Break as Rest
from routing.problem import Job, Shift
from routing.solution import Bound, Route, Solution

FORMAT: Literal["fieldvisit-plan/1"] = "fieldvisit-plan/1"
MOST_ABOVE = 0.5
"""A bound that is further below a plan says more about the time that there was for it than about the plan."""


class HotelOfNight(TypedDict):
    """A hotel at which the night is spent; `minutes` of driving are what that costs."""

    id: str
    name: str
    minutes: int


class _Place(TypedDict):
    address: str
    lat: float
    lon: float
    time: str | None


class Place(_Place, total=False):
    """Where a day starts or ends: a home base or, only then with that key, a hotel."""

    hotel: HotelOfNight


class MovedFrom(TypedDict):
    """With whom, and on which day, people have seen a visit that is elsewhere now."""

    rep_id: str
    rep_name: str
    date: str


class _Stop(TypedDict):
    stop: int
    visit_id: str
    record_ids: list[str]
    kind: str
    name: str
    address: str
    lat: float
    lon: float
    drive_seconds: int
    drive_metres: int
    arrive: str
    parking_minutes: int
    begin: str
    leave: str
    why: str
    worth_minutes: int | None
    worth_because: str | None
    late: bool
    deadline: str | None
    rides_with: list[str]
    handoff_missing: list[str]


class Alternative(TypedDict):
    """Where else a visit could best be: with whom, on which day, and after which visit of it (null: as the first).

    `added_minutes` of driving there, and what that costs more in all, lateness and moves included.
    """

    rep_id: str
    rep_name: str
    date: str
    after: str | None
    after_name: str | None
    added_minutes: int
    difference_minutes: int


class Stop(_Stop, total=False):
    """One visit of a day. Visits at one door share a `stop` number and its parking.

    `moved_from` is there where the plan that reps saw when this one was made had the visit elsewhere. `added_minutes`
    of driving, and the best alternative, are told where the plan was made with the visit, not of what was booked later.
    """

    moved_from: MovedFrom
    added_minutes: int
    alternative: Alternative | None


class Break(TypedDict):
    start: str
    end: str


class Totals(TypedDict):
    visits: int
    drive_seconds: int
    drive_metres: int
    service_minutes: int
    waiting_seconds: int


_RepDay = TypedDict("_RepDay", {"break": Break | None})
"""`break` is a keyword of Python, so this one field cannot stand in a class body."""


class _WholeRepDay(_RepDay):
    rep_id: str
    rep_name: str
    date: str
    timezone: str
    work_start: str
    work_end: str
    start: Place
    stops: list[Stop]
    end: Place
    return_drive_seconds: int
    return_drive_metres: int
    totals: Totals


class RepDay(_WholeRepDay, total=False):
    """What one rep does on one day. `order_proved` is there on days as the plan was made: no order of the day's visits
    has less driving. `break_missed` is there on days that were changed so that they have no time for the break: it is
    the time within which that is due."""

    order_proved: bool
    break_missed: Break


class _UnplannedEntry(TypedDict):
    record_ids: list[str]
    kind: str
    name: str
    reason: str
    sentence: str
    worth_minutes: int | None
    worth_because: str | None


class RepairEntry(TypedDict):
    """One change with which the visit could be made, and what it counts for. `visit_id` is what makes way, or null."""

    kind: str
    sentence: str
    minutes: int
    rep_id: str
    date: str
    visit_id: str | None


class UnplannedEntry(_UnplannedEntry, total=False):
    """`visit_id` is there where it would be the second or a later visit to its customer. Plans of older programs have
    neither `rules` nor `repair`."""

    visit_id: str
    rules: list[str]
    repair: RepairEntry | None


class ListedEntry(TypedDict):
    record_id: str
    name: str
    sentence: str


class _Limits(TypedDict):
    seed: int
    seconds: float | None
    work: int | None


class Limits(_Limits, total=False):
    """How the search was told to go. `from_plan` is the version that it began with. Plans of older programs have
    neither that nor `engine`."""

    engine: str
    from_plan: int | None


class _PlanTotals(TypedDict):
    visits: int
    promises: int
    unplanned: int
    drive_seconds: int
    drive_metres: int
    cost_seconds: int


class PlanTotals(_PlanTotals, total=False):
    """`seen` counts the visits that people had seen when the plan was made, `moved` those of them that are elsewhere
    now or left out; both are there where there were any. No plan costs less than `bound_seconds`, by an argument of the
    kind `bound_kind`; both are null where no bound was found, and plans of older programs have neither."""

    seen: int
    moved: int
    bound_seconds: int | None
    bound_kind: str | None


class PlanDocument(TypedDict):
    """A whole plan."""

    format: Literal["fieldvisit-plan/1"]
    area: str
    first_day: str
    last_day: str
    timezone: str
    limits: Limits
    totals: PlanTotals
    rep_days: list[RepDay]
    unplanned: list[UnplannedEntry]
    returned_to_inside: list[ListedEntry]
    dormant: list[ListedEntry]
    notes: list[str]


def above_bound(document: PlanDocument) -> str:
    """How good a plan is, as a phrase; empty where no bound is known that says much."""
    totals = document["totals"]
    bound_s = totals.get("bound_seconds")
    if not bound_s:
        return ""
    above = max(0, totals["cost_seconds"] - bound_s) / bound_s
    if above > MOST_ABOVE:
        return ""
    return f"at most {above:.1%} above the least possible ({totals.get('bound_kind')} bound)".replace("%", " %")


def planned_span(document: PlanDocument) -> tuple[date, date]:
    """The first and the last day of the horizon, and of days published before that stay as they were, which have more
    than promises."""
    stay = [
        day["date"]
        for day in document["rep_days"]
        if any(stop["kind"] != VisitKind.APPOINTMENT for stop in day["stops"])
    ]
    days = [date.fromisoformat(day) for day in (document["first_day"], document["last_day"], *stay)]
    return min(days), max(days)


def number_left_out(entries: Iterable[UnplannedEntry]) -> int:
    """How many candidates are left without a visit: those that reps see on days that the plan is not for are not."""
    return sum(entry["reason"] != Reason.SEEN_ON_ANOTHER_DAY for entry in entries)


def write_plan(document: PlanDocument) -> str:
    """plan.json as text."""
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_plan(text: str, source: str = "plan") -> PlanDocument:
    """The document in a text.

    Raises:
        PlannerError: no JSON, or not this format, or a part is missing or of another type; names the part.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlannerError(f"{source}: is not JSON: {error!s:.200}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlannerError(f"{source}: is not a {FORMAT} document")
    _check_shape(document, PlanDocument, f"{source}: plan")
    return cast(PlanDocument, document)


def _check_shape(value: object, hint: Any, where: str) -> None:
    """The value is what an annotation of this module says, down to its last number."""
    if get_origin(hint) is UnionType:  # there is no union here but with None
        if value is None:
            return
        hint = get_args(hint)[0]
    if is_typeddict(hint) and isinstance(value, dict):
        for key, part in _parts_of(hint).items():
            if key not in value:
                if key in hint.__optional_keys__:
                    continue
                raise PlannerError(f"{where}: {key} is missing")
            _check_shape(value[key], part, f"{where}.{key}")
    elif get_origin(hint) is list and isinstance(value, list):
        for number, entry in enumerate(value, start=1):
            _check_shape(entry, get_args(hint)[0], f"{where} {number}")
    elif not _is_plain(value, hint):
        raise PlannerError(f"{where} is {value!r:.40}")


_parts_of = lru_cache(get_type_hints)
"""A document asks for the parts of a stop ten thousand times, and working them out is slow."""


def _is_plain(value: object, hint: Any) -> bool:
    """A text that can be written down, a truth value, or a number of human size: no NaN, nor a truth value for one."""
    if hint is str or get_origin(hint) is Literal:
        return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    if hint not in (int, float) or not isinstance(value, int | float) or (hint is int and isinstance(value, float)):
        return False
    return abs(value) <= 1e12


def document_of(
    area: str,
    limits: Limits,
    candidates: Candidates,
    translation: Translation,
    solution: Solution,
    unplanned: Sequence[Unplanned],
    notes: Sequence[str],
    here: Mapping[str, Here] | None = None,
    bound: Bound | None = None,
    proved: Collection[str] = (),
) -> PlanDocument:
    """The document of a solution; working days without a visit are in it too.

    Args:
        here: what each visit adds.
        bound: what no plan costs less than.
        proved: the shifts whose jobs are proved to be in their best order.
    """
    routes = {route.shift: route for route in solution.routes}
    rep_days = [
        _rep_day(translation, shift, translation.working_days[shift.id], routes.get(shift.id), here or {})
        for shift in translation.problem.shifts
    ]
    for shift, day in zip(translation.problem.shifts, rep_days, strict=True):
        day["order_proved"] = shift.id in proved or not day["stops"]
    clock = translation.clock
    entries = [_unplanned(entry) for entry in unplanned]
    document = PlanDocument(
        format=FORMAT,
        area=area,
        first_day=str(clock.first_day),
        last_day=str(clock.last_day),
        timezone=str(clock.zone),
        limits=limits,
        totals={
            "visits": sum(day["totals"]["visits"] for day in rep_days),
            "promises": sum(stop["kind"] == VisitKind.APPOINTMENT for day in rep_days for stop in day["stops"]),
            "unplanned": number_left_out(entries),
            "drive_seconds": sum(day["totals"]["drive_seconds"] for day in rep_days),
            "drive_metres": sum(day["totals"]["drive_metres"] for day in rep_days),
            "cost_seconds": solution.cost_s(translation.problem),
            "bound_seconds": bound.cost_s if bound else None,
            "bound_kind": bound.kind if bound else None,
        },
        rep_days=rep_days,
        unplanned=entries,
        returned_to_inside=[_listed(entry) for entry in candidates.returned],
        dormant=[_listed(entry) for entry in candidates.dormant],
        notes=list(notes),
    )
    if translation.seen:
        on = {job: route.shift for route in solution.routes for job in route.jobs}
        document["totals"]["seen"] = len(translation.seen)
        document["totals"]["moved"] = sum(on.get(id_) != seen.shift_id for id_, seen in translation.seen.items())
    return document


def _rep_day(
    translation: Translation, shift: Shift, working_day: WorkingDay, route: Route | None, here: Mapping[str, Here]
) -> RepDay:
    visits = [translation.visits[job] for job in route.jobs] if route else []
    today = {visit.record_ids[0] for visit in visits if visit.is_opportunity}
    untimed = {visit.id: untimed_stop(visit, today) for visit in visits}
    for id_, stop in untimed.items():
        seen = translation.seen.get(id_)
        if seen is not None and seen.shift_id != shift.id:
            stop["moved_from"] = MovedFrom(rep_id=seen.rep_id, rep_name=seen.rep_name, date=str(seen.day))
    for id_, stop in untimed.items():
        if id_ in here:
            there = here[id_].alternative
            stop["added_minutes"] = round(here[id_].added_s / 60)
            stop["alternative"] = _alternative(there) if there else None
    if route:
        shift = route.shift_in(translation.problem)
        before, after = route.lodging_before, route.lodging_after
        working_day = working_day.with_nights(
            translation.nights[before] if before is not None else None,
            translation.nights[after] if after is not None else None,
        )
    return rep_day(
        working_day,
        shift,
        route,
        translation.problem.job_by_id,
        untimed,
        lambda s: translation.local(s, working_day.rep.zone),
    )


def rep_day(
    working_day: WorkingDay,
    shift: Shift,
    route: Route | None,
    jobs: Mapping[str, Job],
    untimed: Mapping[str, Stop],
    local: Callable[[int], datetime],
) -> RepDay:
    """A day as it is shown; without a route nobody is visited.

    Args:
        jobs: those of the route, by id.
        untimed: what is told about each of them; its times are put in here.
        local: a time of the route in the rep's zone.
    """
    rep = working_day.rep

    def at(seconds: int) -> str:
        return local(seconds).isoformat()

    stops = [] if route is None else _stops(shift, route, jobs, untimed, at)
    rest: Break | None = None
    if route is not None and route.break_start_s is not None and shift.break_ is not None:
        rest = Break(start=at(route.break_start_s), end=at(route.break_start_s + shift.break_.duration_s))
    shown: RepDay = {
        "break": rest,
        "rep_id": rep.id,
        "rep_name": rep.name,
        "date": str(working_day.day),
        "timezone": rep.timezone,
        "work_start": at(shift.start_s),
        "work_end": at(shift.end_s),
        "start": _end_of_day(
            working_day.start, rep.start_address, working_day.night_before, at(route.depart_s) if route else None
        ),
        "stops": stops,
        "end": _end_of_day(
            working_day.end,
            rep.end_address or rep.start_address,
            working_day.night_after,
            at(route.return_s) if route else None,
        ),
        "return_drive_seconds": route.return_drive_s if route else 0,
        "return_drive_metres": route.return_drive_m if route else 0,
        "totals": _totals(route, shift, stops),
    }
    if route is not None and shift.break_ is not None and _has_no_break(route, shift.break_):
        shown["break_missed"] = Break(start=at(shift.break_.start_s), end=at(shift.break_.end_s))
    return shown


def _has_no_break(route: Route, rest: Rest) -> bool:
    """None is taken, nor is the rep at home for it: before leaving, or when the time within which it is due ends."""
    leaves_late = route.depart_s >= rest.start_s + rest.duration_s
    return route.break_start_s is None and not leaves_late and route.return_s > rest.end_s


def _end_of_day(place: LatLon, home: Address, night: Night | None, time: str | None) -> Place:
    found = Place(address=str(home), lat=place.lat, lon=place.lon, time=time)
    if night is not None:
        found["address"] = night.address
        found["hotel"] = HotelOfNight(id=night.hotel_id, name=night.name, minutes=night.minutes)
    return found


def night_at(place: Place) -> Night | None:
    """The night that is spent where a day starts or ends; None of one at home."""
    hotel = place.get("hotel")
    if hotel is None:
        return None
    there = LatLon(place["lat"], place["lon"])
    return Night(hotel["id"], hotel["name"], place["address"], there, hotel["minutes"])


def without_stops(day: RepDay, visits: Collection[str]) -> RepDay:
    """A day without some of its visits, all else at the same times: the way to the next one is still by way of them."""
    stops: list[Stop] = []
    over_s = over_m = idle_s = 0
    for stop in day["stops"]:
        if stop["visit_id"] in visits:
            over_s, over_m = over_s + stop["drive_seconds"], over_m + stop["drive_metres"]
            idle_s += (_minutes(stop["begin"], stop["leave"]) + stop["parking_minutes"]) * 60
        else:
            way_s, way_m = stop["drive_seconds"] + over_s, stop["drive_metres"] + over_m
            stops.append({**stop, "drive_seconds": way_s, "drive_metres": way_m})
            over_s = over_m = 0
    totals = day["totals"]
    service = sum(_minutes(stop["begin"], stop["leave"]) for stop in stops)
    left: RepDay = {
        **day,
        "stops": stops,
        "return_drive_seconds": day["return_drive_seconds"] + over_s,
        "return_drive_metres": day["return_drive_metres"] + over_m,
        "totals": {
            **totals,
            "visits": len(stops),
            "service_minutes": service,
            "waiting_seconds": totals["waiting_seconds"] + idle_s,
        },
    }
    left.pop("break_missed", None)  # there may be time for it without them
    if stops:
        left.pop("order_proved", None)  # it may be another one without them
        return left
    nothing = Totals(visits=0, drive_seconds=0, drive_metres=0, service_minutes=0, waiting_seconds=0)
    return {
        **left,
        "break": None,
        "start": {**day["start"], "time": None},
        "end": {**day["end"], "time": None},
        "return_drive_seconds": 0,
        "return_drive_metres": 0,
        "totals": nothing,
    }


def _totals(route: Route | None, shift: Shift, stops: Sequence[Stop]) -> Totals:
    service = sum(_minutes(stop["begin"], stop["leave"]) for stop in stops)
    waiting = 0
    if route is not None:
        busy = route.drive_s + service * 60 + sum(stop["parking_minutes"] * 60 for stop in stops)
        rest = shift.break_.duration_s if shift.break_ and _on_the_road(route, shift) else 0
        waiting = max(0, route.return_s - route.depart_s - busy - rest)  # of what was, all times are as they were
    return Totals(
        visits=len(stops),
        drive_seconds=route.drive_s if route else 0,
        drive_metres=route.drive_m if route else 0,
        service_minutes=service,
        waiting_seconds=waiting,
    )


def _on_the_road(route: Route, shift: Shift) -> bool:
    """The break is between leaving and coming home, not at home before or after."""
    return route.break_start_s is not None and route.depart_s <= route.break_start_s < route.return_s


def _minutes(begin: str, end: str) -> int:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() / 60)


def _stops(
    shift: Shift, route: Route, jobs: Mapping[str, Job], untimed: Mapping[str, Stop], at: Callable[[int], str]
) -> list[Stop]:
    stops: list[Stop] = []
    place, number = shift.start_place, 0
    for step in route.steps:
        job = jobs[step.job]
        new_door = job.place != place or number == 0
        number += new_door
        times = {
            "stop": number,
            "drive_seconds": step.drive_s,
            "drive_metres": step.drive_m,
            "arrive": at(step.arrive_s),
            "parking_minutes": (job.setup_s if job.place != place else 0) // 60,
            "begin": at(step.begin_s),
            "leave": at(step.leave_s),
        }
        stops.append(cast(Stop, {**untimed[step.job], **times}))
        place = job.place
    return stops


def untimed_stop(visit: Visit, today: Collection[str] = ()) -> Stop:
    """What is told about a visit whatever its time is. `today` are the opportunities that are visited on its day."""
    together = [id_ for id_ in visit.rides_with if id_ in today]
    return Stop(
        stop=0,
        visit_id=visit.id,
        record_ids=list(visit.record_ids),
        kind=str(visit.kind),
        name=visit.name,
        address=visit.address,
        lat=visit.place.lat,
        lon=visit.place.lon,
        drive_seconds=0,
        drive_metres=0,
        arrive="",
        parking_minutes=0,
        begin="",
        leave="",
        why=f"{visit.why}; rides along with {', '.join(together)} on this day" if together else visit.why,
        worth_minutes=visit.worth.minutes if visit.worth else None,
        worth_because=visit.worth.because if visit.worth else None,
        late=visit.late,
        deadline=str(visit.deadline) if visit.deadline else None,
        rides_with=list(visit.rides_with),
        handoff_missing=list(visit.missing),
    )


def _unplanned(entry: Unplanned) -> UnplannedEntry:
    found = UnplannedEntry(
        record_ids=list(entry.record_ids),
        kind=str(entry.kind),
        name=entry.name,
        reason=str(entry.reason),
        sentence=entry.sentence,
        worth_minutes=entry.worth.minutes if entry.worth else None,
        worth_because=entry.worth.because if entry.worth else None,
    )
    if entry.again:
        found["visit_id"] = entry.again
    found["rules"] = list(entry.rules or (str(entry.reason),))
    repair = entry.repair
    found["repair"] = _repair(repair) if repair else None
    return found


def _repair(repair: SuggestedRepair) -> RepairEntry:
    return RepairEntry(
        kind=repair.kind,
        sentence=repair.sentence,
        minutes=repair.minutes,
        rep_id=repair.rep_id,
        date=str(repair.day),
        visit_id=repair.visit_id or None,
    )


def _alternative(there: Elsewhere) -> Alternative:
    return Alternative(
        rep_id=there.day.rep.id,
        rep_name=there.day.rep.name,
        date=str(there.day.day),
        after=there.after.id if there.after else None,
        after_name=there.after.name if there.after else None,
        added_minutes=round(there.added_s / 60),
        difference_minutes=round(there.difference_s / 60),
    )


def _listed(entry: Listed) -> ListedEntry:
    return ListedEntry(record_id=entry.record_id, name=entry.name, sentence=entry.sentence)
