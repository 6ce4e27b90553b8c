"""Online geocoders behind the gazetteer's protocol: asked slowly, remembered on disk, and never trusted blindly."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from geopy.adapters import RequestsAdapter
from geopy.exc import GeopyError
from geopy.geocoders import Nominatim, Photon
from rapidfuzz.distance import OSA

from routing.errors import GeocodingError, RoutingError
from routing.gazetteer import Candidate, GeocodingResult, Verdict
from routing.gazetteer.numbers import first_number, last_number, parse_number, split_unit
from routing.gazetteer.results import MAX_CANDIDATES, SAME_PLACE_M, not_found
from routing.gazetteer.words import compact, keys, words
from routing.geo import LatLon, great_circle_m
from routing.outgoing import OutgoingRules, guarded_session

INTERVAL_S = 1.1
"""Between two questions to one provider: the public Nominatim allows one a second."""

TIMEOUT_S = 10
FAILURES_BEFORE_GIVING_UP = 3
PUBLIC_SERVERS = {"nominatim": "nominatim.openstreetmap.org", "photon": "photon.komoot.io"}
CACHE_NAME = "online_geocoding.sqlite3"


class Geocoder(Protocol):
    """Anything that turns a typed address into a verdict and candidates."""

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        """The place of a typed address, or what to look at; GeocodingError if nobody could be asked."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The box of an area in degrees; answers outside it are no answers.

    Raises:
        RoutingError: not a latitude or longitude, or south of north the wrong way round.
    """

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        if LatLon(self.south, self.west).lat > LatLon(self.north, self.east).lat or self.west > self.east:
            raise RoutingError(f"the bounds {self} are the wrong way round")

    def hold(self, place: LatLon) -> bool:
        return self.south <= place.lat <= self.north and self.west <= place.lon <= self.east


@dataclass(frozen=True, slots=True)
class Answer:
    """One place that a provider offers; number, street and postcode are empty where it does not say."""

    lat: float
    lon: float
    address: str
    number: str = ""
    street: str = ""
    postcode: str = ""


class Provider(Protocol):
    """One online service: asks a question and reads the reply. Raises GeopyError when that fails."""

    name: str

    def ask(self, query: str, bounds: Bounds) -> list[Answer]:
        """Up to five places inside the bounds, the best first."""


class NominatimProvider:
    """Nominatim through geopy; `url` for an own server, empty for the public one.

    Raises:
        GeocodingError: the URL is none, or its host may not be called.
    """

    name = "Nominatim"

    def __init__(self, url: str, user_agent: str, allowed: OutgoingRules, service: Any = None) -> None:
        server = _server(url or PUBLIC_SERVERS["nominatim"], allowed)
        self._service = service or Nominatim(**server, **_calling(allowed), user_agent=user_agent, timeout=TIMEOUT_S)

    def ask(self, query: str, bounds: Bounds) -> list[Answer]:
        box = [(bounds.south, bounds.west), (bounds.north, bounds.east)]
        found = self._service.geocode(
            query, exactly_one=False, limit=MAX_CANDIDATES, addressdetails=True, viewbox=box, bounded=True
        )
        return [_answer(place, place.raw.get("address", {}), "house_number", "road") for place in found or ()]


class PhotonProvider:
    """Photon through geopy; `url` for an own server, empty for the public one.

    Raises:
        GeocodingError: the URL is none, or its host may not be called.
    """

    name = "Photon"

    def __init__(self, url: str, user_agent: str, allowed: OutgoingRules, service: Any = None) -> None:
        server = _server(url or PUBLIC_SERVERS["photon"], allowed)
        self._service = service or Photon(**server, **_calling(allowed), user_agent=user_agent, timeout=TIMEOUT_S)

    def ask(self, query: str, bounds: Bounds) -> list[Answer]:
        box = [(bounds.south, bounds.west), (bounds.north, bounds.east)]
        found = self._service.geocode(query, exactly_one=False, limit=MAX_CANDIDATES, bbox=box)
        return [_answer(place, place.raw.get("properties", {}), "housenumber", "street") for place in found or ()]


class OnlineGeocoder:
    """Asks a provider, one question an interval; what it answered once is never asked again.

    `matched` needs an answer inside the bounds with the typed house number on a street spelt as typed (or nearly),
    no other such answer elsewhere, and no contradicting postcode. Everything else is for review.

    After three failures in a row it gives up for good, so that a long list does not wait for a dead network.
    """

    def __init__(
        self,
        provider: Provider,
        bounds: Bounds,
        cache_folder: Path,
        *,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._provider = provider
        self._bounds = bounds
        self._cache = AnswerCache(cache_folder / CACHE_NAME)
        self._interval_s = interval_s
        self._clock = clock
        self._wait = wait
        self._asked_at: float | None = None
        self._failures = 0

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        """Like `Gazetteer.locate`.

        Raises:
            GeocodingError: the provider could not be asked; failures are not remembered on disk.
        """
        query = ", ".join(" ".join(field.split()) for field in (address, city, postcode, country) if field.strip())
        if not address.strip():
            return not_found("No address was given.")
        answers = [a for a in self._answers(query) if self._bounds.hold(LatLon(a.lat, a.lon))]
        if not answers:
            return not_found(f"{self._provider.name} knows no such place in this area.")
        sure = [a for a in answers if _same_door(a, address) and _postcodes_agree(a.postcode, postcode)]
        places = [LatLon(a.lat, a.lon) for a in sure]
        if places and all(great_circle_m(places[0], place) <= SAME_PLACE_M for place in places):
            best = Candidate(places[0], sure[0].address, 0.9)
            return GeocodingResult(Verdict.MATCHED, (best,), f"{self._provider.name} has this number and street.")
        offered = tuple(Candidate(LatLon(a.lat, a.lon), a.address, 0.4) for a in answers[:MAX_CANDIDATES])
        return GeocodingResult(
            Verdict.REVIEW, offered, f"{self._provider.name} is not sure: it does not give just this number and street."
        )

    def _answers(self, query: str) -> list[Answer]:
        question = json.dumps([self._provider.name, query, *asdict(self._bounds).values()], ensure_ascii=False)
        known = self._cache.get(question)
        if known is not None:
            return known
        if self._failures >= FAILURES_BEFORE_GIVING_UP:
            raise GeocodingError(f"{self._provider.name} is not asked again after {self._failures} failures.")
        if self._asked_at is not None:
            self._wait(max(0.0, self._asked_at + self._interval_s - self._clock()))
        self._asked_at = self._clock()
        try:
            answers = self._provider.ask(query, self._bounds)
        except (GeopyError, ValueError, KeyError, TypeError) as error:  # the latter: replies that are no replies
            self._failures += 1
            raise GeocodingError(f"{self._provider.name} could not be asked: {error}") from error
        self._failures = 0
        self._cache.put(question, answers)
        return answers


class AnswerCache:
    """Question → answers, in one SQLite file that is made when first needed.

    Raises:
        GeocodingError: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, question: str) -> list[Answer] | None:
        rows = self._run("SELECT answers FROM answers WHERE question = ?", question)
        try:
            return [Answer(**fields) for fields in json.loads(rows[0][0])] if rows else None
        except (ValueError, TypeError):  # written by another version: ask again
            return None

    def put(self, question: str, answers: Sequence[Answer]) -> None:
        text = json.dumps([asdict(answer) for answer in answers], ensure_ascii=False)
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?)", question, text)

    def _run(self, statement: str, *values: str) -> list[Any]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=TIMEOUT_S)) as connection, connection:
                connection.execute("CREATE TABLE IF NOT EXISTS answers (question TEXT PRIMARY KEY, answers TEXT)")
                return connection.execute(statement, values).fetchall()
        except (OSError, sqlite3.Error, UnicodeError) as error:
            raise GeocodingError(f"the cache {self._path.name} of online answers cannot be used: {error}") from error


class ChainGeocoder:
    """Asks several geocoders in turn: the first `matched` wins, else the most confident `review`.

    A geocoder that fails is passed over and its reason told with the answer, so that an outage loses nothing.
    """

    def __init__(self, geocoders: Sequence[Geocoder]) -> None:
        if not geocoders:
            raise GeocodingError("a chain of geocoders needs at least one")
        self._geocoders = tuple(geocoders)

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        results: list[GeocodingResult] = []
        failures: list[str] = []
        for geocoder in self._geocoders:
            try:
                result = geocoder.locate(address, city, postcode, country)
            except GeocodingError as error:
                failures.append(str(error))
                continue
            if result.verdict is Verdict.MATCHED:
                return result
            results.append(result)
        reviews = [result for result in results if result.verdict is Verdict.REVIEW]
        if reviews:
            best = max(reviews, key=lambda result: result.candidates[0].confidence)
            return GeocodingResult(best.verdict, best.candidates, " ".join((best.reason, *failures)))
        return not_found(" ".join((*(result.reason for result in results), *failures)))


def _server(url: str, allowed: OutgoingRules) -> dict[str, str]:
    """geopy's scheme and domain for a server that may be called."""
    url = url if "://" in url else f"https://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise GeocodingError(f"{url!r} is not the address of a geocoding server")
    refusal = allowed.refusal(url)
    if refusal:
        raise GeocodingError(f"{url} is not asked: {refusal}")
    return {"scheme": parts.scheme, "domain": parts.netloc + parts.path.rstrip("/")}


def _calling(allowed: OutgoingRules) -> dict[str, Any]:
    """What makes geopy call through the one door to other hosts."""

    def adapter(**options: Any) -> RequestsAdapter:
        made = RequestsAdapter(**options)
        made.session.close()
        made.session = guarded_session(allowed)
        return made

    return {"adapter_factory": adapter}


def _answer(place: Any, details: Mapping[str, Any], number: str, street: str) -> Answer:
    return Answer(
        lat=float(place.latitude),
        lon=float(place.longitude),
        address=str(place.address),
        number=str(details.get(number) or ""),
        street=str(details.get(street) or ""),
        postcode=str(details.get("postcode") or ""),
    )


def _same_door(answer: Answer, address: str) -> bool:
    """Whether some part of what was typed is this number and this street, a slip or two forgiven, digits never."""
    if not answer.number or not answer.street:
        return False
    number, street = parse_number(answer.number).label, words(answer.street)
    target = "".join(street)
    slips = 2 if len(target) >= 12 else 1 if len(target) >= 6 else 0
    for part in (address, *address.split(",")):
        rest, _ = split_unit(part)
        for typed_number, typed_street in (first_number(rest), last_number(rest)):
            if typed_number and parse_number(typed_number).label == number:
                for key in keys(words(typed_street), set(street)):
                    same_digits = re.sub(r"\D", "", key) == re.sub(r"\D", "", target)
                    if same_digits and OSA.distance(key, target) <= slips:
                        return True
    return False


def _postcodes_agree(known: str, typed: str) -> bool:
    return not known or not typed or compact(known) == compact(typed)
