"""What a scenario changes: values from JSON, everything that is wrong with them by field, and JSON again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import time
from typing import Any

from planner.domain import Address
from planner.errors import InvalidRecordError, PlannerError
from planner.intake.cells import parse_identifier
from routing.geo import LatLon

MOST_NEW_REPS = 20
MOST_ENTRIES = 50_000
"""Of reps, segments, cadences or pins each: what undoes a scenario names every account that it moved."""
MOST_LETTERS = 200
MOST_MINUTES = 10_000
MOST_CADENCE_DAYS = 3650
MOST_EVENNESS = 100.0
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a rep works: the weekdays (Monday is 0), and from when to when on each."""

    work_days: frozenset[int]
    work_start: time
    work_end: time

    def as_json(self) -> dict[str, Any]:
        return {
            "work_days": sorted(self.work_days),
            "work_start": f"{self.work_start:%H:%M}",
            "work_end": f"{self.work_end:%H:%M}",
        }


@dataclass(frozen=True, slots=True)
class NewRep:
    """Somebody who might be taken on.

    Attributes:
        id: under which the rep's record will be.
        place: of the address, which is where the days start and end; found_as: as whoever found it spells it.
    """

    id: str
    name: str
    address: Address
    place: LatLon
    found_as: str
    hours: Hours
    break_minutes: int = 0

    def as_json(self) -> dict[str, Any]:
        address = self.address
        return {
            "id": self.id,
            "name": self.name,
            "street": address.street,
            "city": address.city,
            "postcode": address.postcode,
            "country": address.country,
            "lat": self.place.lat,
            "lon": self.place.lon,
            "found_as": self.found_as,
            "break_minutes": self.break_minutes,
            **self.hours.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Prices:
    """What the realignment weighs against each other, in minutes of a rep's time a month.

    Attributes:
        broken_minutes: what it may cost not to give a customer another rep. Half an hour a month is what a handover
            costs in its first year: a visit of both reps, with the way there, and as much again to get to know each
            other.
        evenness: what a minute counts by which a rep has more or less to do than is even enough.
        band: the share by which a rep may have more or less to do than the mean of all and still be even enough.
        one_piece: whether every rep's customers have to lie together. If not, customers may stay with their rep however
            they lie today, and only those who move have to touch others of their new rep.
        apart: what a customer counts for each minute that it lies away from the main part of its rep's customers. Ten
            minutes, so that who lies three minutes off is worth a handover, and nobody is given away into a corner.
    """

    broken_minutes: float = 30.0
    evenness: float = 1.0
    band: float = 0.1
    one_piece: bool = False
    apart: float = 10.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Changes:
    """All that is different in a scenario.

    Attributes:
        even: whether customers are moved to even the work out; if not, only those move that have to: of reps who
            leave, and as pinned.
        removed: ids of reps who leave; hours: of reps who stay, by id.
        segments: days between visits of all customers of a segment; accounts: the same of single ones, which comes
            first, None for as its segment usually has it.
        pins: accounts that are with a rep whatever the work is, by id.
    """

    even: bool = True
    new_reps: tuple[NewRep, ...] = ()
    removed: frozenset[str] = frozenset()
    hours: Mapping[str, Hours] = field(default_factory=dict)
    segments: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, int | None] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)
    prices: Prices = Prices()

    def as_json(self) -> dict[str, Any]:
        """As `changes_of` reads it."""
        return {
            "even": self.even,
            "new_reps": [rep.as_json() for rep in self.new_reps],
            "removed": sorted(self.removed),
            "hours": {rep_id: hours.as_json() for rep_id, hours in sorted(self.hours.items())},
            "segments": dict(sorted(self.segments.items())),
            "accounts": dict(sorted(self.accounts.items())),
            "pins": dict(sorted(self.pins.items())),
            "prices": self.prices.as_json(),
        }


@dataclass(frozen=True, slots=True)
class ChangeError:
    """What is wrong with one value; `field` says where it stands, as `new_reps.0.work_end`."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class ChangesInvalidError(PlannerError):
    """Changes that make no sense; `errors` has everything that is wrong with them."""

    def __init__(self, errors: Sequence[ChangeError]) -> None:
        super().__init__("; ".join(map(str, errors[:5])))
        self.errors = tuple(errors)


def changes_of(value: object) -> Changes:
    """Changes from JSON, as `Changes.as_json` writes them; what is left out is as it is now.

    Raises:
        ChangesInvalidError: with all that is wrong.
    """
    reader = _Reader()
    changes = reader.changes(value)
    if reader.errors:
        raise ChangesInvalidError(reader.errors)
    return changes


def check_known(changes: Changes, reps: Collection[str], accounts: Collection[str], segments: Collection[str]) -> None:
    """That a scenario speaks of reps and accounts that there are, each by id, and of segments that any account has.

    Raises:
        ChangesInvalidError: with all that is wrong.
    """
    errors: list[ChangeError] = []

    def unknown(where: str, what: str, ids: Collection[str], known: Collection[str]) -> None:
        errors.extend(ChangeError(f"{where}.{id_}", f"there is no {what} {id_}") for id_ in ids if id_ not in known)

    coming = {rep.id for rep in changes.new_reps}
    staying = (set(reps) - changes.removed) | coming
    for number, rep in enumerate(changes.new_reps):
        if rep.id in reps:
            errors.append(ChangeError(f"new_reps.{number}.id", f"there is a rep {rep.id} already"))
    unknown("removed", "rep", sorted(changes.removed), reps)
    unknown("hours", "rep", sorted(changes.hours), reps)
    unknown("accounts", "customer", sorted(changes.accounts), accounts)
    unknown("pins", "customer", sorted(changes.pins), accounts)
    for segment in sorted(changes.segments.keys() - set(segments)):
        errors.append(ChangeError(f"segments.{segment}", f"there is no customer of segment {segment or '–'}"))
    for account_id, rep_id in sorted(changes.pins.items()):
        if rep_id not in staying:
            left = rep_id in changes.removed
            said = f"{rep_id} leaves in this scenario" if left else f"there is no rep {rep_id}"
            errors.append(ChangeError(f"pins.{account_id}", said))
    if not staying:
        errors.append(ChangeError("removed", "nobody would be left"))
    if errors:
        raise ChangesInvalidError(errors)


class _Reader:
    """Reads changes and collects what is wrong with them."""

    def __init__(self) -> None:
        self.errors: list[ChangeError] = []

    def changes(self, value: object) -> Changes:
        parts = ("even", "new_reps", "removed", "hours", "segments", "accounts", "pins", "prices")
        entry = self.table("", value, parts)
        removed = frozenset(self.ids("removed", entry.get("removed", ())))
        hours = {
            rep_id: self.hours(f"hours.{rep_id}", self.table(f"hours.{rep_id}", of_rep, _HOURS))
            for rep_id, of_rep in self.by_id("hours", entry.get("hours", {})).items()
        }
        for rep_id in sorted(removed & hours.keys()):
            self.wrong(f"hours.{rep_id}", "this rep leaves")
        return Changes(
            even=self.flag("even", entry.get("even", True)),
            new_reps=self.new_reps(entry.get("new_reps", ())),
            removed=removed,
            hours=hours,
            segments={
                segment: self.whole(f"segments.{segment}", days, 1, MOST_CADENCE_DAYS)
                for segment, days in self.by_id("segments", entry.get("segments", {}), or_empty=True).items()
            },
            accounts={
                id_: None if days is None else self.whole(f"accounts.{id_}", days, 1, MOST_CADENCE_DAYS)
                for id_, days in self.by_id("accounts", entry.get("accounts", {})).items()
            },
            pins={
                id_: self.text(f"pins.{id_}", rep_id)
                for id_, rep_id in self.by_id("pins", entry.get("pins", {})).items()
            },
            prices=self.prices(entry.get("prices", {})),
        )

    def new_reps(self, value: object) -> tuple[NewRep, ...]:
        if not isinstance(value, list | tuple):
            self.wrong("new_reps", "is not a list")
            return ()
        if len(value) > MOST_NEW_REPS:
            self.wrong("new_reps", f"has {len(value):,}, at most {MOST_NEW_REPS} are taken")
            return ()
        found: dict[str, NewRep] = {}
        for number, entry in enumerate(value):
            rep = self.new_rep(f"new_reps.{number}", entry)
            if rep is not None and rep.id in found:
                self.wrong(f"new_reps.{number}.id", f"two new reps have the id {rep.id}")
            elif rep is not None and any(_alike(rep, other) for other in found.values()):
                self.wrong(f"new_reps.{number}.name", f"{rep.name} of this address is among the new reps already")
            elif rep is not None:
                found[rep.id] = rep
        return tuple(found.values())

    def new_rep(self, name: str, value: object) -> NewRep | None:
        before = len(self.errors)
        texts = ("street", "city", "postcode", "country", "found_as")
        entry = self.table(name, value, ("id", "name", *texts, "lat", "lon", "break_minutes", *_HOURS))
        said = {text: self.text(f"{name}.{text}", entry.get(text, ""), empty=text != "street") for text in texts}
        found_as = said.pop("found_as")
        rep_id = self.rep_id(f"{name}.id", entry.get("id", ""))
        rep_name = self.text(f"{name}.name", entry.get("name", ""))
        lat = self.number(f"{name}.lat", entry.get("lat"), -90, 90)
        lon = self.number(f"{name}.lon", entry.get("lon"), -180, 180)
        hours = self.hours(name, entry)
        minutes = self.whole(f"{name}.break_minutes", entry.get("break_minutes", 0), 0, 600)
        if hours.work_start < hours.work_end and minutes >= _minutes(hours.work_end) - _minutes(hours.work_start):
            self.wrong(f"{name}.break_minutes", f"{minutes} do not fit into the day")
        if not hours.work_days and not any(error.field == f"{name}.work_days" for error in self.errors):
            self.wrong(f"{name}.work_days", "is empty")
        if len(self.errors) > before:
            return None
        return NewRep(rep_id, rep_name, Address(**said), LatLon(lat, lon), found_as, hours, minutes)

    def hours(self, name: str, entry: Mapping[str, Any]) -> Hours:
        days = entry.get("work_days")
        if not isinstance(days, list | tuple) or any(type(day) is not int or not 0 <= day <= 6 for day in days):
            self.wrong(f"{name}.work_days", "is not a list of weekdays, 0 for Monday to 6 for Sunday")
            days = ()
        start, end = (self.time(f"{name}.{part}", entry.get(part)) for part in ("work_start", "work_end"))
        if start is not None and end is not None and start >= end:
            self.wrong(f"{name}.work_end", f"{end:%H:%M} is not after {start:%H:%M}")
        return Hours(frozenset(days), start or time(), end or time())

    def time(self, name: str, value: object) -> time | None:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self.wrong(name, f"{_shown(value)} is not a time such as 09:00")
            return None
        return time.fromisoformat(value)

    def prices(self, value: object) -> Prices:
        entry, usual = (
            self.table("prices", value, ("broken_minutes", "evenness", "band", "one_piece", "apart")),
            Prices(),
        )
        broken = entry.get("broken_minutes", usual.broken_minutes)
        evenness = entry.get("evenness", usual.evenness)
        return Prices(
            self.number("prices.broken_minutes", broken, 0, MOST_MINUTES),
            self.number("prices.evenness", evenness, 0, MOST_EVENNESS),
            self.number("prices.band", entry.get("band", usual.band), 0, 1),
            one_piece=self.flag("prices.one_piece", entry.get("one_piece", usual.one_piece)),
            apart=self.number("prices.apart", entry.get("apart", usual.apart), 0, MOST_EVENNESS),
        )

    def rep_id(self, name: str, value: object) -> str:
        text = self.text(name, value)
        try:
            if text:
                parse_identifier(name, text)
        except InvalidRecordError as error:
            self.wrong(name, error.message)
        if "/" in text:  # "<rep id>/end" names the place where the rep's day ends
            self.wrong(name, "holds a slash")
        return text

    def ids(self, name: str, value: object) -> list[str]:
        if not isinstance(value, list | tuple):
            self.wrong(name, "is not a list")
            return []
        if len(value) > MOST_ENTRIES:
            self.wrong(name, f"has {len(value):,}, at most {MOST_ENTRIES:,} are taken")
            return []
        return [self.text(f"{name}.{number}", entry) for number, entry in enumerate(value)]

    def by_id(self, name: str, value: object, *, or_empty: bool = False) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(name, f"{_shown(value)} is not an object")
            return {}
        if len(value) > MOST_ENTRIES:
            self.wrong(name, f"has {len(value):,}, at most {MOST_ENTRIES:,} are taken")
            return {}
        return {self.text(name, id_, empty=or_empty, strip=False): entry for id_, entry in value.items()}

    def table(self, name: str, value: object, known: Sequence[str]) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.wrong(name, f"{_shown(value)} is not an object")
            return {}
        for key in value:
            if key not in known:
                self.wrong(".".join(filter(None, (name, str(key)[:50]))), f"is unknown; there are {', '.join(known)}")
        return value

    def text(self, name: str, value: object, *, empty: bool = False, strip: bool = True) -> str:
        if not isinstance(value, str):
            self.wrong(name, f"{_shown(value)} is not a text")
            return ""
        if not value.strip() and not empty:
            self.wrong(name, "is empty")
        if len(value) > MOST_LETTERS:
            self.wrong(name, f"is {len(value):,} characters long, at most {MOST_LETTERS} are kept")
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            self.wrong(name, "holds what is no character")
        return value.strip() if strip else value

    def flag(self, name: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.wrong(name, f"{_shown(value)} is neither true nor false")
        return bool(value)

    def whole(self, name: str, value: object, least: int, most: int) -> int:
        if type(value) is not int or not least <= value <= most:
            self.wrong(name, f"{_shown(value)} is not a whole number between {least} and {most:,}")
            return least
        return value

    def number(self, name: str, value: object, least: float, most: float) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:  # type: ignore[operator]
            self.wrong(name, f"{_shown(value)} is not a number between {least:g} and {most:,g}")
            return least
        return float(value)  # type: ignore[arg-type]

    def wrong(self, name: str, message: str) -> None:
        self.errors.append(ChangeError(name, message))


_HOURS = ("work_days", "work_start", "work_end")


def _alike(rep: NewRep, other: NewRep) -> bool:
    return rep.name.casefold() == other.name.casefold() and rep.place == other.place


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _shown(value: object) -> str:
    return f"{value!r:.50}"
