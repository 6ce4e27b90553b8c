"""Territories of an area, how far each rep drives, and the businesses that no customer covers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from planner.access import Permission
from planner.coverage.keeping import today_of
from planner.domain import RecordKind
from planner.errors import InvalidRecordError, NotFoundError, RefusedError
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from planner.territories.domain import MAX_NAME, Territory, TerritorySource
from planner.territories.editing import (
    TerritoryChangedError,
    add_outlines,
    change_territory,
    remove_territory,
    territories_in,
    territory_in,
)
from planner.territories.importing import Outline, OutlinesInvalidError, clean_name, read_geojson
from planner.territories.white_space import SOURCE
from routing.errors import AreaError, RoutingError
from routing.isochrones import MINUTES
from webui.api.bookings import Number
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.people import Done
from webui.api.problems import FieldError, Problem, invalid
from webui.api.records import area_named
from webui.api.values import Model
from webui.bodies import body_up_to
from webui.pages.plans import sources
from webui.policy import allow, viewer

GEOMETRY_BYTES = 2_000_000

Revision = Annotated[int, Field(ge=1, lt=2**31)]


class Geometry(Model):
    """A GeoJSON polygon or polygons in WGS 84."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: Annotated[list[Any], Field(description="As GeoJSON has them: [longitude, latitude].")]


class TerritoryRecord(Model):
    """A shape that belongs to a rep. A customer lies in the first one, by id, that holds its place."""

    id: str
    revision: int
    name: str
    rep_id: Annotated[str, Field(description="Empty for nobody's.")]
    source: Literal["imported", "municipality", "postcode", "drawn"]
    geometry: Geometry


class TerritoryPage(Page):
    """Territories, by id."""

    territories: list[TerritoryRecord]


class NewTerritory(Model):
    """A territory to be added. A number is put behind a name that is taken."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    rep_id: Annotated[str, Field(max_length=200, description="Empty for nobody's.")] = ""
    geometry: Geometry


class TerritoryChange(Model):
    """What a territory shall be, and the revision that this is a change of. What is left out stays."""

    revision: Revision
    name: Annotated[str | None, Field(max_length=MAX_NAME)] = None
    rep_id: Annotated[str | None, Field(max_length=200)] = None
    geometry: Geometry | None = None


class RemovalQuery(Model):
    """The revision that was seen."""

    revision: Annotated[int, Number, Field(ge=1, lt=2**31)]


class Isochrone(Model):
    """What is reached in so many minutes; its geometry has no coordinates where nothing is."""

    minutes: int
    geometry: Geometry


class IsochroneList(Model):
    """How far a rep drives from where the days begin; what takes longer holds what takes less."""

    rep_id: str
    isochrones: list[Isochrone]
    attribution: str


class ProspectRecord(Model):
    """A business that is no customer, as a suggestion: nobody has asked it."""

    id: Annotated[str, Field(description="Of OpenStreetMap: n, w or r for node, way or relation, and a number.")]
    name: str
    category: Annotated[str, Field(examples=["shop=bakery"])]
    lat: float
    lon: float
    address: str
    city: str
    postcode: str
    territory_id: str
    rep_id: str
    customers: Annotated[int, Field(description="How many customers are of this category.")]
    buying_well: Annotated[int, Field(description="Of these, who buys at least what half of all customers do.")]


class ProspectPage(Page):
    """Businesses that no customer covers, by id."""

    prospects: list[ProspectRecord]
    attribution: str


class ProspectQuery(PageQuery):
    """Which of them."""

    category: Annotated[str, Field(max_length=200, description="One category; empty for all.")] = ""
    others: Annotated[
        Literal["no", "yes"], Field(description="Whether categories are among them that no customer has.")
    ] = "no"


@operation("GET", "/areas/<area>/territories", {200: TerritoryPage}, tag="territories")
@allow(Permission.SEE_FIGURES)
def list_territories(area: str, query: PageQuery) -> Reply:
    """Territories, by id."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        found = sorted(territories_in(unit, known), key=lambda each: each.id)
    shown, following = page(query, "territories", found, lambda each: (each.id,))
    return Reply(TerritoryPage(territories=[_shown(each) for each in shown], next=following))


@operation("POST", "/areas/<area>/territories", {201: TerritoryRecord}, tag="territories")
@allow(Permission.REALIGN)
@body_up_to(GEOMETRY_BYTES)
def add_territory(area: str, body: NewTerritory) -> Write:
    """Add a territory."""
    chosen = area_named(area)
    name = clean_name(body.name)
    if not name:
        raise invalid(FieldError("/name", "is empty"))
    outline = Outline(name, _geometry(body.geometry))

    def write(unit: UnitOfWork) -> Reply:
        try:
            added = add_outlines(unit, chosen.name, [outline], TerritorySource.DRAWN, new_id, rep_id=body.rep_id)
        except InvalidRecordError as error:
            raise invalid(FieldError(f"/{error.field}", error.message)) from error
        except RefusedError as error:
            raise Problem(409, "refused", f"{error}.") from error
        return Reply(_shown(added.added[0]), 201)

    return write


@operation("GET", "/areas/<area>/territories/<territory_id>", {200: TerritoryRecord}, tag="territories")
@allow(Permission.SEE_FIGURES)
def get_territory(area: str, territory_id: str) -> Reply:
    """One territory."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        return Reply(_shown(territory_in(unit, known, territory_id)))


@operation("PUT", "/areas/<area>/territories/<territory_id>", {200: TerritoryRecord}, tag="territories")
@allow(Permission.REALIGN)
@body_up_to(GEOMETRY_BYTES)
def put_territory(area: str, territory_id: str, body: TerritoryChange) -> Write:
    """Rename a territory, give it to a rep, or give it another shape.

    Where somebody else has changed it meanwhile, the answer is 409 with theirs as `present`.
    """
    known = area_named(area).name
    geometry = _geometry(body.geometry) if body.geometry else None

    def write(unit: UnitOfWork) -> Reply:
        try:
            changed = change_territory(
                unit, known, territory_id, body.revision, name=body.name, rep_id=body.rep_id, geometry=geometry
            )
        except InvalidRecordError as error:
            raise invalid(FieldError(f"/{error.field}", error.message)) from error
        except TerritoryChangedError as error:
            raise _conflict(error) from error
        return Reply(_shown(changed))

    return write


@operation("DELETE", "/areas/<area>/territories/<territory_id>", {200: Done}, tag="territories")
@allow(Permission.REALIGN)
def delete_territory(area: str, territory_id: str, query: RemovalQuery) -> Write:
    """Remove a territory; its customers stay whose they are.

    Where somebody else has changed it meanwhile, the answer is 409 with theirs as `present`.
    """
    known = area_named(area).name

    def write(unit: UnitOfWork) -> Reply:
        try:
            remove_territory(unit, known, territory_id, query.revision)
        except TerritoryChangedError as error:
            raise _conflict(error) from error
        return Reply(Done(id=territory_id))

    return write


@operation(
    "GET", "/areas/<area>/isochrones/<anything:rep_id>", {200: IsochroneList}, tag="territories", problems=(409,)
)
@allow(Permission.SEE_FIGURES)
def get_isochrones(area: str, rep_id: str) -> Reply:
    """How far a rep drives in 10, 20, 30 and 45 minutes from where the days begin."""
    chosen = area_named(area)
    with store().read(viewer().scope) as unit:
        records = unit.records(chosen.name)
        if records.get(RecordKind.REP, rep_id) is None:
            raise NotFoundError(f"there is no rep {rep_id}")
        location = records.location(RecordKind.REP, rep_id)
    if location is None or location.place is None:
        raise Problem(409, "refused", "Nobody knows where this rep starts: settle the address first.")
    try:
        shapes = sources().reached(chosen, location.place)
    except RoutingError as error:
        raise Problem(409, "refused", f"The streets cannot be read: {error}.") from error
    found = [
        Isochrone.model_construct(minutes=minutes, geometry=Geometry.model_construct(**shape))
        for minutes, shape in zip(MINUTES, shapes, strict=True)
    ]
    return Reply(IsochroneList.model_construct(rep_id=rep_id, isochrones=found, attribution=SOURCE))


@operation("GET", "/areas/<area>/white-space", {200: ProspectPage}, tag="territories", problems=(409,))
@allow(Permission.SEE_FIGURES)
def list_white_space(area: str, query: ProspectQuery) -> Reply:
    """Businesses of OpenStreetMap that no customer covers, by id."""
    chosen = area_named(area)
    with store().read(viewer().scope) as unit:
        today = today_of(unit, chosen.name)
    categories = frozenset({query.category} - {""})
    try:
        found = sources().white_space(viewer().scope, chosen, today, categories, query.others == "yes")
    except AreaError as error:
        raise Problem(409, "refused", f"{error}.") from error
    ordered = sorted(found.prospects, key=lambda each: each.business.id)
    shown, following = page(query, "white-space", ordered, lambda each: (each.business.id,))
    prospects = [
        ProspectRecord.of(
            each.business,
            territory_id=each.territory_id,
            rep_id=each.rep_id,
            customers=each.category.customers,
            buying_well=each.category.buying_well,
        )
        for each in shown
    ]
    return Reply(ProspectPage.model_construct(prospects=prospects, next=following, attribution=SOURCE))


def _shown(territory: Territory) -> TerritoryRecord:
    geometry = Geometry.model_construct(**territory.geometry)
    return TerritoryRecord.of(territory, source=territory.source.value, geometry=geometry)


def _geometry(sent: Geometry) -> Any:
    try:
        (outline,) = read_geojson(json.dumps(sent.model_dump()).encode()).items
    except OutlinesInvalidError as error:
        raise invalid(FieldError("/geometry", error.errors[0].message.rstrip("."))) from error
    return outline.geometry


def _conflict(error: TerritoryChangedError) -> Problem:
    present = _shown(error.present).model_dump(mode="json")
    return Problem(409, "changed", str(error), members={"present": present})
