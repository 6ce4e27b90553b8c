"""A file of hotels: rows of a name with an address, or a latitude and longitude, and perhaps a price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.errors import IntakeError, InvalidRecordError
from planner.hotels.domain import MAX_NAME, MOST_HOTELS
from planner.hotels.keeping import Wanted, one_line
from planner.hotels.placing import Streets, check_on_streets
from planner.intake import Refusal, Row, Table
from planner.intake.cells import parse_whole
from routing.errors import RoutingError
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.geocoders import Geocoder

COLUMNS = ("name", "address", "city", "postcode", "country", "lat", "lon", "minutes")
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ReadHotels:
    """What a table held: every row that is not blank is either in `hotels` or in `refusals`."""

    file: str
    hotels: tuple[Wanted, ...]
    refusals: tuple[Refusal, ...]


def read_hotels(table: Table, geocoder: Geocoder, streets: Streets | None) -> ReadHotels:
    """The hotels of a table; an address is looked up where there is no latitude and longitude. One that is off the
    streets is refused.

    Raises:
        IntakeError: a column is missing, or there are too many rows.
    """
    has = table.columns
    if "name" not in has or ("address" not in has and not {"lat", "lon"} <= has.keys()):
        raise IntakeError(f"{table.file} needs the columns name, and address or lat and lon; it may have minutes")
    if len(table.rows) > MOST_HOTELS:
        raise IntakeError(f"{table.file} has {len(table.rows):,} rows; an area has at most {MOST_HOTELS} hotels")
    hotels: dict[str, tuple[int, Wanted]] = {}
    refusals: list[Refusal] = []
    for row in table.rows:
        try:
            wanted = _wanted(row, geocoder, streets)
            same = wanted.name.casefold()
            if same in hotels:
                raise InvalidRecordError("name", f"is the same as on line {hotels[same][0]}, which counts")
            hotels[same] = row.line, wanted
        except InvalidRecordError as error:
            shown = one_line(row.text("name"))[:_SHOWN]
            refusals.append(Refusal(table.file, row.line, shown, error.field, error.message[:300]))
    return ReadHotels(table.file, tuple(wanted for _, wanted in hotels.values()), tuple(refusals))


def found_at(geocoder: Geocoder, address: str, city: str = "", postcode: str = "", country: str = "") -> LatLon:
    """Where an address surely is. Raises InvalidRecordError, which says what it could be."""
    try:
        result = geocoder.locate(address, city, postcode, country)
    except RoutingError as error:
        raise InvalidRecordError("address", f"cannot be looked up: {error}") from error
    if result.verdict is Verdict.MATCHED:
        return result.candidates[0].place
    could_be = "; ".join(
        f"{each.address} ({each.place.lat:.5f}, {each.place.lon:.5f})" for each in result.candidates[:3]
    )
    said = f"is not sure: it could be {could_be}" if could_be else f"is not found: {result.reason}"
    raise InvalidRecordError("address", f"{said.rstrip('.')}; give lat and lon")


def _wanted(row: Row, geocoder: Geocoder, streets: Streets | None) -> Wanted:
    if row.problem:
        raise row.problem
    name, minutes = one_line(row.text("name")), parse_whole("minutes", row.text("minutes")[:_SHOWN])
    address = ", ".join(
        filter(None, (row.text("address"), " ".join(filter(None, map(row.text, ("city", "postcode"))))))
    )
    if len(name) > MAX_NAME:
        raise InvalidRecordError("name", f"is {len(name):,} characters long, at most {MAX_NAME} are kept")
    place = _place(row)
    where = "address" if place is None else "lat"
    if place is None and not row.text("address"):
        raise InvalidRecordError("address", "is empty, and so are lat and lon")
    wanted = Wanted(name, address, place or LatLon(0, 0), minutes)
    wanted.as_hotel("area", "id", 1)  # before an online geocoder is asked about what is refused anyway
    if place is None:
        place = found_at(geocoder, *(row.text(column) for column in ("address", "city", "postcode", "country")))
    check_on_streets(place, streets, where)
    return Wanted(name, address or f"{place.lat:.5f}, {place.lon:.5f}", place, minutes)


def _place(row: Row) -> LatLon | None:
    """Raises InvalidRecordError, also where only one of the two is there."""
    texts = {column: row.text(column) for column in ("lat", "lon")}
    if not any(texts.values()):
        return None
    lat, lon = _degrees(texts)
    return LatLon(lat, lon)


def _degrees(texts: dict[str, str]) -> Iterator[float]:
    for (column, text), most in zip(texts.items(), (90, 180), strict=True):
        try:
            degrees = float(text[:_SHOWN].replace(",", "."))
        except ValueError:
            raise InvalidRecordError(column, f"{text[:40]!r} is not a number of degrees") from None
        if not abs(degrees) <= most:
            raise InvalidRecordError(column, f"{text[:40]!r} is not between -{most} and {most}")
        yield degrees
