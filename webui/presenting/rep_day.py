"""One rep's day in its order, from the plan document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

from planner.candidates import VisitKind
from planner.navigation import directions
from planner.plan_document import MovedFrom, Place, RepDay, Stop
from webui.words import KINDS, clock, distance, duration, sentence, short_day

NOTED_WAITING_S = 600
"""Waiting shorter than this is not worth a line."""

STRIP_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class RepView:
    """A rep of the plan. `colour` is that of the rep's route on every map of the plan."""

    id: str
    name: str
    colour: int


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of the plan; `iso` is its place in addresses."""

    iso: str
    short: str
    long: str
    day: date


@dataclass(frozen=True, slots=True)
class BreakView:
    what: ClassVar[str] = "break"
    times: str
    length: str


@dataclass(frozen=True, slots=True)
class DriveView:
    what: ClassVar[str] = "drive"
    length: str
    distance: str


@dataclass(frozen=True, slots=True)
class HomeView:
    """Where a day starts or ends; at a hotel, with its name and ways to be led there."""

    what: ClassVar[str] = "home"
    title: str
    time: str
    address: str
    lat: float
    lon: float
    hotel: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HereView:
    """What a visit adds where it is; and its best alternative: where, after whom, the driving there, and what that is
    more in all. `rep_id` and `day` are those of that place's page."""

    added: str
    where: str = ""
    after: str = ""
    there: str = ""
    difference: str = ""
    rep_id: str = ""
    day: str = ""


@dataclass(frozen=True, slots=True)
class VisitView:
    """One visit. `pause` is the break if it is taken at the door before this visit; `opportunity_id` and `account_id`
    have pages."""

    id: str
    name: str
    kind: str
    kind_label: str
    times: str
    length: str
    address: str
    records: str
    why: str
    worth: str
    worth_because: str
    late: bool
    deadline: str
    missing: tuple[str, ...]
    waiting: str
    pause: BreakView | None
    opportunity_id: str = ""
    account_id: str = ""
    moved_from: str = ""
    """On which day, and with whom, people had seen it before."""
    here: HereView | None = None


@dataclass(frozen=True, slots=True)
class DoorView:
    """All visits at one door: one number on the map, parked once."""

    what: ClassVar[str] = "door"
    number: int
    anchor: str
    lat: float
    lon: float
    arrive: str
    parking: str
    visits: tuple[VisitView, ...]
    links: tuple[tuple[str, str], ...]

    @property
    def kind(self) -> str:
        """What the marker shows: a promise if any visit here is one."""
        kinds = [visit.kind for visit in self.visits]
        return VisitKind.APPOINTMENT if VisitKind.APPOINTMENT in kinds else kinds[0]


@dataclass(frozen=True, slots=True)
class StripBar:
    """A stretch of a day in its strip, in thousandths of the working hours."""

    kind: str
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class RepDayView:
    """What one rep does on one day. `items` are homes, drives, doors and the break in the order of the day."""

    rep: RepView
    day: DayView
    zone: str
    hours: str
    items: tuple[HomeView | DriveView | DoorView | BreakView, ...]
    doors: tuple[DoorView, ...]
    homes: tuple[HomeView, ...]
    places: tuple[tuple[float, float], ...]
    visits: int
    promises: int
    late: int
    leaves: str
    back: str
    drive: str
    drive_s: int
    distance: str
    service: str
    strip: tuple[StripBar, ...]
    night: str = ""
    """The hotel at which the night after it is spent."""
    order_proved: bool = False
    """No order of its visits has less driving."""
    break_missed: str = ""
    """The time within which the break is due, where there is none for it."""


def rep_day_view(entry: RepDay, rep: RepView, day: DayView) -> RepDayView:
    """What a rep does on a day. Raises ValueError, KeyError or TypeError where a value makes no sense."""
    start, end = entry["start"], entry["end"]
    leaves = clock(datetime.fromisoformat(start["time"])) if start["time"] else ""
    back = clock(datetime.fromisoformat(end["time"])) if end["time"] else ""
    same = (start["lat"], start["lon"]) == (end["lat"], end["lon"])
    first = _end_of_day(start, "Leave home", "Leave the hotel", leaves)
    last = _end_of_day(end, "Back home" if same else "Finish", "Stay overnight", back)
    items = _items(entry, first, last) if entry["stops"] else tuple(home for home in (first, last) if home.hotel)
    doors = tuple(item for item in items if isinstance(item, DoorView))
    begin, finish = datetime.fromisoformat(entry["work_start"]), datetime.fromisoformat(entry["work_end"])
    places = [(home.lat, home.lon) for home in (first, last)]
    places[1:1] = [(door.lat, door.lon) for door in doors]
    totals = entry["totals"]
    return RepDayView(
        rep=rep,
        day=day,
        zone=entry["timezone"],
        hours=f"{clock(begin)}–{clock(finish)}",
        items=items,
        doors=doors,
        homes=(first,) if same else (first, last),
        places=tuple(places) if doors else (),
        visits=len(entry["stops"]),
        promises=sum(stop["kind"] == VisitKind.APPOINTMENT for stop in entry["stops"]),
        late=sum(stop["late"] for stop in entry["stops"]),
        leaves=leaves,
        back=back,
        drive=duration(totals["drive_seconds"]),
        drive_s=totals["drive_seconds"],
        distance=distance(totals["drive_metres"]),
        service=duration(totals["service_minutes"] * 60),
        strip=tuple(_strip(entry, begin, finish)),
        night=last.hotel,
        order_proved=entry.get("order_proved", False),
        break_missed=_times(missed["start"], missed["end"]) if (missed := entry.get("break_missed")) else "",
    )


def _end_of_day(place: Place, at_home: str, away: str, time: str) -> HomeView:
    hotel = place["hotel"]["name"] if "hotel" in place else ""
    links = directions(place["lat"], place["lon"], hotel) if hotel else ()
    return HomeView(away if hotel else at_home, time, place["address"], place["lat"], place["lon"], hotel, links)


def _items(entry: RepDay, first: HomeView, last: HomeView) -> tuple[HomeView | DriveView | DoorView | BreakView, ...]:
    """The day in its order. The break stands where it is taken: between two drives, or at a door."""
    rest = entry["break"]
    pause_at = datetime.fromisoformat(rest["start"]) if rest else None
    pause = _break(rest["start"], rest["end"]) if rest else None
    items: list[HomeView | DriveView | DoorView | BreakView] = [first]
    departs = entry["start"]["time"]
    if pause and pause_at and departs and pause_at < datetime.fromisoformat(departs):
        items.insert(0, pause)
        pause = None
    for stop in entry["stops"]:
        arrive, begin = datetime.fromisoformat(stop["arrive"]), datetime.fromisoformat(stop["begin"])
        door = items[-1] if isinstance(items[-1], DoorView) and items[-1].number == stop["stop"] else None
        taken_s, at_door = 0.0, None
        if pause and pause_at and pause_at < begin:
            if door or pause_at >= arrive:
                at_door = pause
                taken_s = _seconds(rest["start"], rest["end"]) if rest and pause_at >= arrive else 0.0
            else:
                items.append(pause)
            pause = None
        waiting_s = (begin - arrive).total_seconds() - stop["parking_minutes"] * 60 - taken_s
        visit = _visit(stop, waiting_s, at_door)
        if door:
            items[-1] = replace(door, visits=(*door.visits, visit))
            continue
        items.append(DriveView(duration(stop["drive_seconds"]), distance(stop["drive_metres"])))
        items.append(_door(stop, visit, clock(arrive)))
    home_leg = DriveView(duration(entry["return_drive_seconds"]), distance(entry["return_drive_metres"]))
    closing: list[HomeView | DriveView | BreakView] = [home_leg, last]
    if pause and pause_at:
        back = entry["end"]["time"]
        closing.insert(2 if back and pause_at >= datetime.fromisoformat(back) else 0, pause)
    return (*items, *closing)


def _door(stop: Stop, visit: VisitView, arrive: str) -> DoorView:
    return DoorView(
        number=stop["stop"],
        anchor=f"stop-{stop['stop']}",
        lat=stop["lat"],
        lon=stop["lon"],
        arrive=arrive,
        parking=duration(stop["parking_minutes"] * 60) if stop["parking_minutes"] else "",
        visits=(visit,),
        links=directions(stop["lat"], stop["lon"], stop["name"]),
    )


def _visit(stop: Stop, waiting_s: float, pause: BreakView | None) -> VisitView:
    kind = VisitKind(stop["kind"])
    new = kind in (VisitKind.APPOINTMENT, VisitKind.OPPORTUNITY)
    return VisitView(
        id=stop["visit_id"],
        name=stop["name"],
        kind=kind,
        kind_label=KINDS[kind],
        times=_times(stop["begin"], stop["leave"]),
        length=duration(_seconds(stop["begin"], stop["leave"])),
        address=stop["address"],
        records=", ".join(stop["record_ids"]),
        why=sentence(stop["why"]),
        worth="" if stop["worth_minutes"] is None else duration(stop["worth_minutes"] * 60),
        worth_because=stop["worth_because"] or "",
        late=stop["late"],
        deadline=short_day(date.fromisoformat(stop["deadline"])) if stop["deadline"] else "",
        missing=tuple(stop["handoff_missing"]),
        waiting=duration(waiting_s) if waiting_s > NOTED_WAITING_S else "",
        pause=pause,
        opportunity_id=stop["record_ids"][0] if new else "",
        account_id=next(iter(stop["record_ids"][new:]), ""),
        moved_from=_moved(stop["moved_from"]) if "moved_from" in stop else "",
        here=_here(stop) if "added_minutes" in stop else None,
    )


def _here(stop: Stop) -> HereView:
    added = duration(60 * stop["added_minutes"])
    there = stop.get("alternative")
    if there is None:
        return HereView(added)
    more = there["difference_minutes"]
    difference = "about as good" if more == 0 else f"{duration(60 * abs(more))} {'more' if more > 0 else 'less'} in all"
    return HereView(
        added,
        where=f"{short_day(date.fromisoformat(there['date']))} with {there['rep_name']}",
        after=there["after_name"] or "",
        there=duration(60 * there["added_minutes"]),
        difference=difference,
        rep_id=there["rep_id"],
        day=there["date"],
    )


def _moved(before: MovedFrom) -> str:
    return f"{short_day(date.fromisoformat(before['date']))}, {before['rep_name']}"


def _break(start: str, end: str) -> BreakView:
    return BreakView(_times(start, end), duration(_seconds(start, end)))


def _times(start: str, end: str) -> str:
    return f"{clock(datetime.fromisoformat(start))}–{clock(datetime.fromisoformat(end))}"


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _strip(entry: RepDay, begin: datetime, finish: datetime) -> list[StripBar]:
    """The day at a glance: drives, visits and the break, to scale within the working hours."""
    whole_s = (finish - begin).total_seconds()
    stretches: list[tuple[str, datetime, datetime]] = []
    if entry["start"]["time"] and entry["end"]["time"]:
        stretches.append(
            ("road", datetime.fromisoformat(entry["start"]["time"]), datetime.fromisoformat(entry["end"]["time"]))
        )
    if entry["break"] and entry["stops"]:
        rest = entry["break"]
        stretches.append(("break", datetime.fromisoformat(rest["start"]), datetime.fromisoformat(rest["end"])))
    for stop in entry["stops"]:
        what = "promise" if stop["kind"] == VisitKind.APPOINTMENT else "visit"
        stretches.append((what, datetime.fromisoformat(stop["begin"]), datetime.fromisoformat(stop["leave"])))
    if whole_s <= 0:
        return []
    bars = []
    for what, start, end in stretches:
        left, right = (
            min(max(round((moment - begin).total_seconds() / whole_s * STRIP_WIDTH), 0), STRIP_WIDTH)
            for moment in (start, end)
        )
        bars.append(StripBar(what, left, max(right - left, 0)))
    return bars
