"""Times to offer, and what is held or promised, as their pages show them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from planner.calendars import in_words, text_to_send
from planner.slots.domain import Booking, BookingState, Meaning
from planner.slots.offering import Offers, Slot
from webui.maps import COLOURS
from webui.words import clock, count, duration, long_day, sentence, short_day

BEST = 3
"""So many are marked: the best, and the best of other days, since a customer wants a choice."""


@dataclass(frozen=True, slots=True)
class SlotView:
    """A time to offer. `value` is what choosing it sends, `day_key` tells a rep's day from the others on the map.

    `best` is 1 for the best, 2 and 3 for the next ones that are marked, and 0 for all others; `begin` is when the rep
    is expected.
    """

    value: str
    day_key: str
    iso: str
    day: str
    long_day: str
    window: str
    begin: str
    hour: int
    rep: str
    colour: int
    added: str
    grade: str
    effect: str
    resequenced: bool
    best: int


@dataclass(frozen=True, slots=True)
class SlotDay:
    """The times of a day; `when` is "today", "tomorrow" or empty."""

    day: str
    when: str
    slots: tuple[SlotView, ...]


@dataclass(frozen=True, slots=True)
class WeekRow:
    """An hour of a week: the times that begin in it, by day."""

    hour: str
    cells: tuple[tuple[SlotView, ...], ...]


@dataclass(frozen=True, slots=True)
class WeekGrid:
    """A week with a column a day, and a row for each hour from the first in which something begins to the last."""

    title: str
    days: tuple[str, ...]
    rows: tuple[WeekRow, ...]


@dataclass(frozen=True, slots=True)
class OffersView:
    """What can be offered. `said` is told to whoever hears the page; `none` says why there is nothing."""

    best: tuple[SlotView, ...]
    days: tuple[SlotDay, ...]
    weeks: tuple[WeekGrid, ...]
    number: int
    said: str
    none: str

    @property
    def day_keys(self) -> tuple[str, ...]:
        """The days to draw, those of the best times first."""
        slots = [*self.best, *(slot for day in self.days for slot in day.slots)]
        return tuple(dict.fromkeys(slot.day_key for slot in slots))


@dataclass(frozen=True, slots=True)
class BookingView:
    """A hold or a promise.

    Attributes:
        may_confirm: it can be promised, if its time is free; moved_otherwise: it cannot, since the promise that it
            moves is over.
        stage: "held", "promised", "cancelled", "moved", "done", or "gone" for a hold that has ended.
        left_s: seconds until a hold runs out, by the database's clock.
        said: the promise in words; `text` what to send to the customer.
    """

    id: str
    stage: str
    name: str
    address: str
    rep: str
    day: str
    window: str
    meaning: str
    minutes: str
    left_s: int
    said: str
    text: str
    ended: str
    reason: str
    opportunity_id: str
    moves: str
    replaces: str
    may_confirm: bool
    moved_otherwise: bool


def offers_view(offers: Offers, today: date) -> OffersView:
    """The page's lists. `today` is at the place of the visits; the best times come first in `offers`."""
    reps = sorted({slot.rep_id for slot in offers.slots})
    chosen = _best(offers.slots)
    ranks = {id(slot): rank for rank, slot in enumerate(chosen, start=1)}
    views = {id(slot): _slot(slot, ranks.get(id(slot), 0), reps.index(slot.rep_id) % COLOURS) for slot in offers.slots}
    in_order = [views[id(slot)] for slot in sorted(offers.slots, key=lambda s: (s.start, s.end, s.rep_name, s.rep_id))]
    days = tuple(
        SlotDay(slots[0].long_day, _when(date.fromisoformat(iso), today), slots)
        for iso, slots in ((iso, tuple(found)) for iso, found in groupby(in_order, key=lambda slot: slot.iso))
    )
    best = tuple(views[id(slot)] for slot in chosen)
    return OffersView(
        best=best,
        days=days,
        weeks=tuple(_weeks(in_order)),
        number=len(in_order),
        said=_said(best, len(in_order), offers.why_none),
        none="" if in_order else sentence(offers.why_none) or "Nothing fits.",
    )


def slot_asked(value: str) -> tuple[str, date, datetime, datetime, bool]:
    """Rep, day, window, and whether the order of the day may change, from what choosing a slot sends.

    Raises:
        ValueError: it is not one of ours.
    """
    try:
        rep_id, day, start, end, resequence = json.loads(value)
        asked = str(rep_id), date.fromisoformat(day), datetime.fromisoformat(start), datetime.fromisoformat(end)
    except (TypeError, RecursionError) as error:
        raise ValueError("no slot") from error
    if asked[2].tzinfo is None or asked[3].tzinfo is None or not isinstance(resequence, bool):
        raise ValueError("no slot")
    return *asked, resequence


def day_asked(key: str) -> tuple[str, date]:
    """Rep and day of a `day_key`. Raises ValueError where it is not one."""
    try:
        rep_id, day = json.loads(key)
        return str(rep_id), date.fromisoformat(day)
    except (TypeError, RecursionError) as error:
        raise ValueError("no day") from error


def booking_view(
    booking: Booking, earlier: Sequence[Booking], rep: str, zone: tzinfo, now: datetime, contact: str = ""
) -> BookingView:
    """A booking as it stands.

    `now` is by the database's clock, `rep` what a customer is told of who comes, `contact` who they are.
    """
    start = booking.start.astimezone(zone)
    held = booking.state is BookingState.HELD and booking.live_at(now)
    left_s = max(0, math.floor((booking.expires_at - now).total_seconds())) if held and booking.expires_at else 0
    before = earlier[-1].start.astimezone(zone) if earlier else None
    unpromised = booking.state in (BookingState.HELD, BookingState.EXPIRED)
    moved_otherwise = unpromised and bool(earlier) and earlier[-1].state is not BookingState.PROMISED
    return BookingView(
        id=booking.id,
        stage=_stage(booking, held),
        name=booking.name if booking.opportunity_id else "",
        address=booking.address,
        rep=rep,
        day=long_day(start.date()),
        window=_window(booking.start.astimezone(zone), booking.end.astimezone(zone)),
        meaning=MEANINGS[booking.meaning],
        minutes=duration(booking.service_minutes * 60),
        left_s=left_s,
        said=in_words(booking, rep, zone),
        text=text_to_send(booking, earlier, rep, zone, contact),
        ended=_moment(booking.ended_at, zone),
        reason=booking.reason,
        opportunity_id=booking.opportunity_id,
        moves=f"{short_day(before.date())} {clock(before)}" if before else "",
        replaces=booking.replaces,
        may_confirm=unpromised and not moved_otherwise and booking.start > now,
        moved_otherwise=moved_otherwise,
    )


MEANINGS = {Meaning.ARRIVE: "The rep arrives in this time", Meaning.WHOLE: "The whole visit is in this time"}


def _best(slots: Sequence[Slot]) -> list[Slot]:
    """The first that moves nothing, then the first of other days; others only where there are too few of these."""
    calm = sorted(slots, key=lambda slot: slot.resequenced)
    first_of_day = {id(slot) for slot in {slot.day: slot for slot in reversed(calm)}.values()}
    return sorted(calm, key=lambda slot: id(slot) not in first_of_day)[:BEST]


def _slot(slot: Slot, best: int, colour: int) -> SlotView:
    day = slot.day.isoformat()
    return SlotView(
        value=json.dumps([slot.rep_id, day, slot.start.isoformat(), slot.end.isoformat(), slot.resequenced]),
        day_key=json.dumps([slot.rep_id, day]),
        iso=day,
        day=short_day(slot.day),
        long_day=long_day(slot.day),
        window=_window(slot.start, slot.end),
        begin=clock(slot.begin),
        hour=slot.start.hour,
        rep=slot.rep_name,
        colour=colour,
        added=_added(slot.added_drive_s),
        grade=str(slot.grade),
        effect=sentence(slot.effect),
        resequenced=slot.resequenced,
        best=best,
    )


def _window(start: datetime, end: datetime) -> str:
    return f"{clock(start)}–{clock(end)}"


def _added(seconds: int) -> str:
    """What a visit adds to the driving of its day; a new order may even save some."""
    if seconds < -30:
        return f"saves {duration(-seconds)} of driving"
    return "no more driving" if seconds < 30 else f"adds {duration(seconds)} of driving"


def _when(day: date, today: date) -> str:
    return {0: "today", 1: "tomorrow"}.get((day - today).days, "")


def _weeks(slots: Sequence[SlotView]) -> list[WeekGrid]:
    """A grid a week, from Monday to Friday, and to the last day with a time where that is at the weekend."""
    grids = []
    by_monday = groupby(slots, key=lambda slot: _monday(date.fromisoformat(slot.iso)))
    for monday, found in by_monday:
        of_week = list(found)
        last = max(4, *((date.fromisoformat(slot.iso) - monday).days for slot in of_week))
        days = [monday + timedelta(days=number) for number in range(last + 1)]
        hours = range(min(slot.hour for slot in of_week), max(slot.hour for slot in of_week) + 1)
        rows = tuple(
            WeekRow(
                f"{hour:02}:00",
                tuple(tuple(slot for slot in of_week if (slot.iso, slot.hour) == (str(day), hour)) for day in days),
            )
            for hour in hours
        )
        grids.append(WeekGrid(f"Week of {short_day(monday)}", tuple(map(short_day, days)), rows))
    return grids


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _said(best: Sequence[SlotView], number: int, why_none: str) -> str:
    if not best:
        return f"No time fits. {sentence(why_none)}"
    first = best[0]
    return f"{count(number, 'time')}. Best: {first.long_day}, {first.window}, {first.rep}, {first.added}."


def _stage(booking: Booking, held: bool) -> str:
    if booking.state is BookingState.HELD:
        return "held" if held else "gone"
    if booking.state in (BookingState.EXPIRED, BookingState.RELEASED):
        return "gone"
    return str(booking.state)


def _moment(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return f"{short_day(local.date())} {clock(local)}"
