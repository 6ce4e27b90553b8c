"""The hotels of an area, at which reps who stay overnight may sleep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from planner.access import Permission
from planner.errors import InvalidRecordError, RefusedError
from planner.hotels.domain import MAX_NAME, Hotel
from planner.hotels.importing import found_at
from planner.hotels.keeping import (
    HotelChangedError,
    Wanted,
    add_hotel,
    change_hotel,
    hotel_in,
    hotels_in,
    remove_hotel,
)
from planner.hotels.placing import check_on_streets
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from routing.area import Area
from routing.geo import LatLon
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.people import Done
from webui.api.problems import FieldError, Problem, invalid
from webui.api.records import area_named
from webui.api.territories import RemovalQuery, Revision
from webui.api.values import Model, Place, Text
from webui.pages.hotels import streets_of
from webui.pages.plans import sources
from webui.policy import allow, viewer

Minutes = Annotated[
    int | None,
    Field(ge=0, le=1440, description="What a night has to save, in minutes of driving; null: what the settings say."),
]


class HotelRecord(Model):
    """A hotel."""

    id: str
    revision: int
    name: str
    address: str
    place: Place
    minutes: Minutes


class HotelPage(Page):
    """Hotels, by id."""

    hotels: list[HotelRecord]


class NewHotel(Model):
    """A hotel to be added. Without a `place`, the address is looked up among the area's."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    address: Text = ""
    place: Place | None = None
    minutes: Minutes = None


class HotelChange(NewHotel):
    """What a hotel shall be, and the revision that this is a change of."""

    revision: Revision


@operation("GET", "/areas/<area>/hotels", {200: HotelPage}, tag="hotels")
@allow(Permission.WRITE_RECORDS)
def list_hotels(area: str, query: PageQuery) -> Reply:
    """Hotels, by id."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        found = sorted(hotels_in(unit, known), key=lambda each: each.id)
    shown, following = page(query, "hotels", found, lambda each: (each.id,))
    return Reply(HotelPage(hotels=[_shown(each) for each in shown], next=following))


@operation("POST", "/areas/<area>/hotels", {201: HotelRecord}, tag="hotels")
@allow(Permission.WRITE_RECORDS)
def post_hotel(area: str, body: NewHotel) -> Write:
    """Add a hotel.

    One that is more than 500 m from every street of the area is refused, with `/place` or `/address`.
    """
    chosen = area_named(area)
    wanted = _wanted(chosen, body)

    def write(unit: UnitOfWork) -> Reply:
        try:
            return Reply(_shown(add_hotel(unit, chosen.name, new_id(), wanted)), 201)
        except InvalidRecordError as error:
            raise invalid(FieldError(f"/{error.field}", error.message)) from error
        except RefusedError as error:
            raise Problem(409, "refused", f"{error}.") from error

    return write


@operation("GET", "/areas/<area>/hotels/<hotel_id>", {200: HotelRecord}, tag="hotels")
@allow(Permission.WRITE_RECORDS)
def get_hotel(area: str, hotel_id: str) -> Reply:
    """One hotel."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        return Reply(_shown(hotel_in(unit, known, hotel_id)))


@operation("PUT", "/areas/<area>/hotels/<hotel_id>", {200: HotelRecord}, tag="hotels")
@allow(Permission.WRITE_RECORDS)
def put_hotel(area: str, hotel_id: str, body: HotelChange) -> Write:
    """Change a hotel. Nights that a plan has there stay where they are.

    Where somebody else has changed it meanwhile, the answer is 409 with theirs as `present`.
    """
    chosen = area_named(area)
    wanted = _wanted(chosen, body)

    def write(unit: UnitOfWork) -> Reply:
        try:
            return Reply(_shown(change_hotel(unit, chosen.name, hotel_id, body.revision, wanted)))
        except InvalidRecordError as error:
            raise invalid(FieldError(f"/{error.field}", error.message)) from error
        except HotelChangedError as error:
            raise _conflict(error) from error

    return write


@operation("DELETE", "/areas/<area>/hotels/<hotel_id>", {200: Done}, tag="hotels")
@allow(Permission.WRITE_RECORDS)
def delete_hotel(area: str, hotel_id: str, query: RemovalQuery) -> Write:
    """Remove a hotel. Nights that a plan has there stay where they are.

    Where somebody else has changed it meanwhile, the answer is 409 with theirs as `present`.
    """
    known = area_named(area).name

    def write(unit: UnitOfWork) -> Reply:
        try:
            remove_hotel(unit, known, hotel_id, query.revision)
        except HotelChangedError as error:
            raise _conflict(error) from error
        return Reply(Done(id=hotel_id))

    return write


def _wanted(area: Area, body: NewHotel) -> Wanted:
    if body.place is None and not body.address:
        raise invalid(FieldError("/address", "is empty, and there is no place"))
    try:
        if body.place is not None:
            place, field = LatLon(body.place.lat, body.place.lon), "place"
        else:
            place, field = found_at(sources().gazetteer(area), body.address), "address"
        check_on_streets(place, streets_of(area), field)
    except InvalidRecordError as error:
        raise invalid(FieldError(f"/{error.field}", error.message)) from error
    return Wanted(body.name, body.address or f"{place.lat:.5f}, {place.lon:.5f}", place, body.minutes)


def _shown(hotel: Hotel) -> HotelRecord:
    return HotelRecord.of(hotel, place=Place(lat=hotel.lat, lon=hotel.lon))


def _conflict(error: HotelChangedError) -> Problem:
    present = _shown(error.present).model_dump(mode="json")
    return Problem(409, "changed", str(error), members={"present": present})
