"""Adding, changing and removing hotels; each change is of the revision that its writer saw.

A night that a plan has at a hotel stays where it is, whatever becomes of the hotel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.errors import ConflictError, InvalidRecordError, NotFoundError, RefusedError
from planner.hotels.domain import MOST_HOTELS, Hotel
from planner.repository import UnitOfWork
from routing.geo import LatLon


class HotelChangedError(ConflictError):
    """Somebody else has changed the hotel since the writer saw it; `present` is what it is now."""

    def __init__(self, present: Hotel) -> None:
        super().__init__(f"somebody else has changed the hotel “{present.name}” meanwhile")
        self.present = present


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a hotel shall be. `address` is as it was typed, or as the area's addresses have it."""

    name: str
    address: str
    place: LatLon
    minutes: int | None = None

    def as_hotel(self, area: str, id_: str, revision: int) -> Hotel:
        """Raises InvalidRecordError, with the names of the hotel's fields."""
        place = self.place
        return Hotel(
            area, id_, revision, one_line(self.name), one_line(self.address), place.lat, place.lon, self.minutes
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """How many hotels were added, changed, and are as they were."""

    added: int
    changed: int
    unchanged: int


def one_line(text: str) -> str:
    """A text as somebody typed it, without line breaks and the like."""
    return " ".join("".join(letter if letter.isprintable() or letter == "\0" else " " for letter in text).split())


def hotels_in(unit: UnitOfWork, area: str) -> list[Hotel]:
    """All of them, by name."""
    return sorted(unit.hotels.find(area=area), key=lambda each: (each.name.casefold(), each.id))


def hotel_in(unit: UnitOfWork, area: str, hotel_id: str) -> Hotel:
    """Raises NotFoundError where there is none."""
    found = unit.hotels.get(area, hotel_id)
    if found is None:
        raise NotFoundError(f"there is no hotel {hotel_id}")
    return found


def add_hotel(unit: UnitOfWork, area: str, hotel_id: str, wanted: Wanted) -> Hotel:
    """Add a hotel.

    Raises:
        InvalidRecordError: the name is empty or taken, or another field makes no sense.
        RefusedError: there would be too many.
    """
    hotel, present = wanted.as_hotel(area, hotel_id, 1), hotels_in(unit, area)
    _check_name(hotel, present)
    _check_number(len(present) + 1)
    unit.hotels.put(hotel)
    unit.audit("hotel.added", hotel_id, area, name=hotel.name)
    return hotel


def change_hotel(unit: UnitOfWork, area: str, hotel_id: str, revision: int, wanted: Wanted) -> Hotel:
    """Make a hotel what is wanted. Changing nothing writes nothing.

    Raises:
        NotFoundError: there is none.
        InvalidRecordError: the name is empty or taken, or another field makes no sense.
        HotelChangedError: it is at another revision, and not what is wanted already.
    """
    present = hotel_in(unit, area, hotel_id)
    hotel = wanted.as_hotel(area, hotel_id, present.revision)
    if hotel == present:
        return present
    if revision != present.revision:
        raise HotelChangedError(present)
    _check_name(hotel, hotels_in(unit, area))
    hotel = replace(hotel, revision=revision + 1)
    unit.hotels.put(hotel)
    unit.audit("hotel.changed", hotel_id, area, name=hotel.name, before=present.name)
    return hotel


def remove_hotel(unit: UnitOfWork, area: str, hotel_id: str, revision: int) -> None:
    """Remove a hotel.

    Raises:
        NotFoundError: there is none.
        HotelChangedError: it is at another revision.
    """
    present = hotel_in(unit, area, hotel_id)
    if present.revision != revision:
        raise HotelChangedError(present)
    unit.hotels.remove(area, hotel_id)
    unit.audit("hotel.removed", hotel_id, area, name=present.name)


def keep_hotels(unit: UnitOfWork, area: str, wanted: Sequence[Wanted], new_id: Callable[[], str]) -> Kept:
    """Add many hotels; one whose name is known becomes what is wanted. Their names differ.

    Raises:
        InvalidRecordError: one of them makes no sense.
        RefusedError: there would be too many; nothing is to be written.
    """
    present = {hotel.name.casefold(): hotel for hotel in unit.hotels.find(area=area)}
    added: list[Hotel] = []
    changed: list[Hotel] = []
    for each in wanted:
        known = present.get(one_line(each.name).casefold())
        hotel = each.as_hotel(area, known.id if known else new_id(), known.revision if known else 1)
        if known is None:
            added.append(hotel)
        elif hotel != known:
            changed.append(replace(hotel, revision=known.revision + 1))
    _check_number(len(present) + len(added))
    for hotel in (*added, *changed):
        unit.hotels.put(hotel)
    if added or changed:
        unit.audit("hotels.imported", "", area, added=len(added), changed=len(changed))
    return Kept(len(added), len(changed), len(wanted) - len(added) - len(changed))


def _check_name(hotel: Hotel, present: Sequence[Hotel]) -> None:
    if any(each.id != hotel.id and each.name.casefold() == hotel.name.casefold() for each in present):
        raise InvalidRecordError("name", f"there is a hotel “{hotel.name}” already")


def _check_number(number: int) -> None:
    if number > MOST_HOTELS:
        raise RefusedError(f"an area has at most {MOST_HOTELS} hotels")
