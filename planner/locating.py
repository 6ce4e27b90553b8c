"""Addresses become places; what is not sure waits for a person."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planner.access import SYSTEM, Actor
from planner.domain import Location, Record, RecordKind, addresses_of
from planner.errors import ConflictError, NotFoundError, StorageError
from planner.repository import Records, Store, UnitOfWork
from planner.settings import Settings
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.geocoders import (
    Bounds,
    ChainGeocoder,
    Geocoder,
    NominatimProvider,
    OnlineGeocoder,
    PhotonProvider,
    Provider,
)

if TYPE_CHECKING:  # it brings the readers of extracts with it, which take a second to load
    from routing.area import Area

CHOSEN = "Chosen by a person."
"""The reason of a location that is kept when its address is geocoded again."""

WAITING = "Not geocoded yet."

BATCH = 200
"""So many answers at most are lost when somebody stops a slow online geocoder."""

_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class LocatingReport:
    """How many addresses were geocoded this time, and how all addresses of the area now stand."""

    geocoded: int
    matched: int
    review: int
    not_found: int


def geocoder_for(area: Area, settings: Settings) -> Geocoder:
    """The area's own gazetteer, then the online providers that the settings name; their answers are kept in the home.

    Raises:
        RoutingError: the area is damaged, or an online server's address is none or not on the list of hosts.
    """
    gazetteer = area.gazetteer()
    chosen = settings.geocoding
    if not chosen.online:
        return gazetteer
    providers: dict[str, Callable[[], Provider]] = {
        "nominatim": lambda: NominatimProvider(chosen.nominatim_url, chosen.user_agent, settings.outgoing),
        "photon": lambda: PhotonProvider(chosen.photon_url, chosen.user_agent, settings.outgoing),
    }
    bounds = Bounds(*area.facts().bounds)
    online = [OnlineGeocoder(providers[name](), bounds, settings.home) for name in chosen.online]
    return ChainGeocoder([gazetteer, *online])


def locate_records(
    store: Store,
    area: str,
    geocoder: Geocoder,
    *,
    again: bool = False,
    progress: Callable[[float], None] | None = None,
    actor: Actor = SYSTEM,
) -> LocatingReport:
    """Geocode the addresses that are new or changed, or with `again` all that no person has settled.

    `progress` is told the share that is done, 0 to 1. Answers are saved as they come, in batches.

    Raises:
        StorageError: the store refused.
        RoutingError: the geocoder gave up; what it had answered before is saved.
    """
    with store.read() as unit:
        waiting = to_geocode(unit.records(area), again=again)
    for start in range(0, len(waiting), BATCH):
        found: list[Location] = []
        try:
            for location in waiting[start : start + BATCH]:
                found.append(geocoded(geocoder, location))
                if progress:
                    progress((start + len(found)) / len(waiting))
        finally:
            with store.write(actor) as unit:
                save_answers(unit, area, found)
    with store.read() as unit:
        verdicts = Counter(location.verdict for location in current_locations(unit.records(area)))
    return LocatingReport(
        len(waiting), verdicts[Verdict.MATCHED], verdicts[Verdict.REVIEW], verdicts[Verdict.NOT_FOUND]
    )


def current_locations(records: Records) -> list[Location]:
    """One location for every address of every record, by kind and id.

    What was stored for an address that has changed since does not count: the record then waits to be geocoded, as a
    new one does.
    """
    stored = {(location.kind, location.record_id, location.address): location for location in records.locations()}
    everybody: Sequence[Record] = [*records.reps(), *records.accounts(), *records.opportunities()]
    return [
        stored.get(key) or Location(*key, Verdict.NOT_FOUND, None, 0.0, "", WAITING)
        for record in everybody
        for key in addresses_of(record)
    ]


def to_geocode(records: Records, *, again: bool = False) -> list[Location]:
    """The addresses that are new or changed, or with `again` all that no person has settled."""
    known = current_locations(records)
    return [location for location in known if location.reason == WAITING or (again and location.reason != CHOSEN)]


def review_list(unit: UnitOfWork, area: str) -> list[Location]:
    """The addresses without a place, with their candidates: those that are not sure, not found, or still waiting."""
    return [location for location in current_locations(unit.records(area)) if location.verdict != Verdict.MATCHED]


def fingerprint(location: Location) -> str:
    """Tells one state of a location from the next: what a person decides is about what they saw."""
    return hashlib.sha256(repr(location).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def decide(
    unit: UnitOfWork,
    area: str,
    kind: RecordKind,
    record_id: str,
    *,
    candidate: int | None = None,
    place: LatLon | None = None,
    seen: str | None = None,
) -> Location:
    """Settle where a record is, by the number of one of its candidates (1 and up) or by a place on the map.

    The decision stands until the typed address changes. `seen` is the `fingerprint` of the location that the decision
    is about; left out, it is about whatever is known now.

    Raises:
        NotFoundError: there is no such record or no such candidate.
        ConflictError: what is known has changed since it was seen.
        ValueError: neither or both of candidate and place.
    """
    if (candidate is None) == (place is None):
        raise ValueError("decide takes either a candidate or a place")
    records = unit.records(area)
    for known in current_locations(records):
        if (known.kind, known.record_id) == (kind, record_id):
            break
    else:
        raise NotFoundError(f"area {area} has no {kind} {record_id}")
    if seen is not None and seen != fingerprint(known):
        now = f"it is now at {known.matched_address}" if known.place else "its address or its candidates are others now"
        raise ConflictError(f"{kind} {record_id} has changed meanwhile: {now}")
    matched = ""
    if candidate is not None:
        if not 1 <= candidate <= len(known.candidates):
            raise NotFoundError(f"{kind} {record_id} has {len(known.candidates)} candidates and no number {candidate}")
        place, matched = known.candidates[candidate - 1].place, known.candidates[candidate - 1].address
    elif place is not None:
        matched = f"{place.lat:.6f}, {place.lon:.6f}"
    settled = Location(kind, record_id, known.address, Verdict.MATCHED, place, 1.0, matched, CHOSEN, known.candidates)
    records.save_locations([settled])
    unit.audit("address.settled", f"{kind} {record_id}", area=area)
    return settled


def write_report(unit: UnitOfWork, area: str, path: Path) -> int:
    """Write record_id,verdict,lat,lon,confidence,matched_address of every address (UTF-8 CSV); return how many.

    Only a matched address has a place; one to review shows its first candidate's confidence and address without it.

    Raises:
        StorageError: the file cannot be written.
    """
    known = current_locations(unit.records(area))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("record_id", "verdict", "lat", "lon", "confidence", "matched_address"))
            for location in known:
                lat, lon = (f"{location.place.lat:.6f}", f"{location.place.lon:.6f}") if location.place else ("", "")
                writer.writerow(
                    (
                        safe_text(location.record_id),
                        location.verdict.value,
                        lat,
                        lon,
                        f"{location.confidence:.3f}",
                        safe_text(location.matched_address),
                    )
                )
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from error
    return len(known)


def safe_text(text: str) -> str:
    """A text that a spreadsheet does not run as a formula: an apostrophe goes before =, +, -, @, tab and return.

    Plain numbers stay as they are. (The measure is the one OWASP describes under "CSV Injection".)
    """
    if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and not _PLAIN_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def geocoded(geocoder: Geocoder, waiting: Location) -> Location:
    """What the geocoder says of an address. Raises RoutingError where it gives up."""
    typed = waiting.address
    result = geocoder.locate(typed.street, typed.city, typed.postcode, typed.country)
    best = result.candidates[0] if result.candidates else None
    return Location(
        waiting.kind,
        waiting.record_id,
        typed,
        result.verdict,
        best.place if best and result.verdict == Verdict.MATCHED else None,
        best.confidence if best else 0.0,
        best.address if best else "",
        result.reason,
        result.candidates,
    )


def save_answers(unit: UnitOfWork, area: str, found: Sequence[Location]) -> None:
    """Save what a geocoder said, except over what a person settled meanwhile."""
    records = unit.records(area)
    settled = {(known.kind, known.record_id, known.address) for known in records.locations() if known.reason == CHOSEN}
    records.save_locations([new for new in found if (new.kind, new.record_id, new.address) not in settled])
    unit.audit("addresses.geocoded", area=area, number=len(found))
