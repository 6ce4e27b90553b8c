"""Whether anybody could drive to a hotel: a street is near enough, as one has to be to a customer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from planner.errors import InvalidRecordError
from planner.hotels.domain import Hotel
from routing.errors import RoutingError
from routing.geo import LatLon
from routing.streets.network import SNAP_M

OFF_THE_STREETS = f"is more than {SNAP_M:.0f} m from every street of the area, so that nobody could drive there"


class Streets(Protocol):
    """Those of an area."""

    def snap(self, places: Sequence[LatLon]) -> Sequence[object | None]:
        """The nearest point on a street for each place; None where there is none near enough."""
        ...


def known_streets(read: Callable[[], Streets]) -> Streets | None:
    """Those of an area; None where they cannot be read, so that nobody can say what is far from them."""
    try:
        return read()
    except RoutingError:
        return None


def check_on_streets(place: LatLon, streets: Streets | None, field: str) -> None:
    """A hotel can be driven to; nothing is said where the streets are not known.

    Raises:
        InvalidRecordError: it cannot; names the field that says where it is.
    """
    if streets is not None and streets.snap([place])[0] is None:
        raise InvalidRecordError(field, OFF_THE_STREETS)


def off_the_streets(hotels: Sequence[Hotel], streets: Streets | None) -> frozenset[str]:
    """The ids of the hotels that no plan can use: an older program let them in, or the area was another one then."""
    if streets is None:
        return frozenset()
    found = streets.snap([hotel.place for hotel in hotels])
    return frozenset(hotel.id for hotel, near in zip(hotels, found, strict=True) if near is None)
