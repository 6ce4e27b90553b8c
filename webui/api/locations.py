"""Where addresses are: what is known, what waits for a person, and what a person says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from planner.access import Permission
from planner.domain import Location, RecordKind
from planner.errors import NotFoundError
from planner.locating import current_locations, decide, fingerprint, review_list
from planner.repository import UnitOfWork
from routing.geo import LatLon
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import FieldError, invalid
from webui.api.records import area_named
from webui.api.values import Model, Place
from webui.policy import allow, viewer

KINDS = list(RecordKind)


class CandidatePlace(Model):
    """One possible place."""

    place: Place
    address: Annotated[str, Field(description="As the source spells it.")]
    confidence: Annotated[float, Field(description="0 to 1.")]


class LocationRecord(Model):
    """Where an address is, or why that is not known."""

    kind: Literal["rep", "account", "opportunity"]
    record_id: Annotated[str, Field(description="The record's id; `<rep_id>/end` where a rep's day ends elsewhere.")]
    address: str
    verdict: Annotated[Literal["matched", "review", "not_found"], Field(description="Only what is matched is planned.")]
    place: Place | None
    confidence: Annotated[float, Field(description="0 to 1.")]
    matched_address: str
    reason: str
    candidates: list[CandidatePlace]
    seen: Annotated[str, Field(description="Send it along when you settle: what has changed since is not overwritten.")]

    @classmethod
    def shown(cls, location: Location) -> LocationRecord:
        return cls.of(
            location,
            kind=str(location.kind),
            address=str(location.address),
            verdict=str(location.verdict),
            place=_place(location.place),
            candidates=[CandidatePlace.of(each, place=_place(each.place)) for each in location.candidates],
            seen=fingerprint(location),
        )


class LocationPage(Page):
    """Locations: reps, then accounts, then opportunities, each by id."""

    locations: list[LocationRecord]


class Settlement(Model):
    """Where a record is: by the number of one of its candidates, or by a place on the map."""

    candidate: Annotated[int | None, Field(ge=1, le=100, description="1 for the first candidate.")] = None
    place: Place | None = None
    seen: Annotated[str | None, Field(max_length=100, description="`seen` of the location that was looked at.")] = None


@operation("GET", "/areas/<area>/locations", {200: LocationPage}, tag="addresses")
@allow(Permission.SEE_RECORDS)
def list_locations(area: str, query: PageQuery) -> Reply:
    """Where every address is."""
    with store().read(viewer().scope) as unit:
        found = current_locations(unit.records(area_named(area).name))
    return _listed(f"{area}/locations", query, found)


@operation("GET", "/areas/<area>/review", {200: LocationPage}, tag="addresses")
@allow(Permission.SEE_RECORDS)
def list_review(area: str, query: PageQuery) -> Reply:
    """Addresses without a place: not sure, not found, or not geocoded yet."""
    with store().read(viewer().scope) as unit:
        found = review_list(unit, area_named(area).name)
    return _listed(f"{area}/review", query, found)


@operation("GET", "/areas/<area>/locations/<kind>/<anything:record_id>", {200: LocationRecord}, tag="addresses")
@allow(Permission.SEE_RECORDS)
def get_location(area: str, kind: str, record_id: str) -> Reply:
    """Where one record is."""
    with store().read(viewer().scope) as unit:
        for location in current_locations(unit.records(area_named(area).name)):
            if (location.kind, location.record_id) == (kind, record_id):
                return Reply(LocationRecord.shown(location))
    raise NotFoundError(f"area {area} has no {kind} {record_id}")


@operation("PUT", "/areas/<area>/locations/<kind>/<anything:record_id>", {200: LocationRecord}, tag="addresses")
@allow(Permission.WRITE_RECORDS)
def settle_location(area: str, kind: str, record_id: str, body: Settlement) -> Write:
    """Say where a record is.

    The decision stands until the typed address changes.
    """
    known = area_named(area).name
    if kind not in KINDS:
        raise NotFoundError(f"there is no kind of record {kind}")
    if (body.candidate is None) == (body.place is None):
        raise invalid(FieldError("/candidate", "give either candidate or place"))
    place = LatLon(body.place.lat, body.place.lon) if body.place else None

    def write(unit: UnitOfWork) -> Reply:
        settled = decide(
            unit, known, RecordKind(kind), record_id, candidate=body.candidate, place=place, seen=body.seen
        )
        return Reply(LocationRecord.shown(settled))

    return write


def _listed(listing: str, query: PageQuery, found: Sequence[Location]) -> Reply:
    def key(location: Location) -> tuple[int, str]:
        return KINDS.index(location.kind), location.record_id

    shown, following = page(query, listing, sorted(found, key=key), key)
    return Reply(LocationPage(locations=[LocationRecord.shown(each) for each in shown], next=following))


def _place(place: LatLon | None) -> Place | None:
    return Place(lat=place.lat, lon=place.lon) if place else None
