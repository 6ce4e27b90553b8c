"""Online geocoders: asked slowly and once, and sure only of the same number on the same street."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from geopy.exc import GeocoderServiceError, GeocoderTimedOut

from routing.errors import GeocodingError, RoutingError
from routing.gazetteer import Candidate, GeocodingResult, Verdict
from routing.geo import LatLon
from routing.geocoders import (
    CACHE_NAME,
    Bounds,
    ChainGeocoder,
    Geocoder,
    NominatimProvider,
    OnlineGeocoder,
    PhotonProvider,
)
from routing.outgoing import OutgoingRules

NEWPORT = Bounds(51.5, -3.1, 51.7, -2.8)
ALLOWED = OutgoingRules(
    hosts=("nominatim.openstreetmap.org", "photon.komoot.io", "geo.example"), private_hosts=("localhost:8080",)
)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a test asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@dataclass
class Place:
    """What geopy returns for one place."""

    latitude: float
    longitude: float
    address: str
    raw: dict[str, Any]


@dataclass
class Service:
    """Stands for geopy: gives the same places to every question, or fails."""

    places: list[Place] | None = None
    fails: Exception | None = None
    questions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def geocode(self, query: str, **options: Any) -> list[Place] | None:
        self.questions.append((query, options))
        if self.fails:
            raise self.fails
        return self.places


@dataclass
class Watch:
    """A clock that only moves when somebody waits."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def house(number: str = "3", street: str = "Cardiff Road", lat: float = 51.58, postcode: str = "") -> Place:
    raw = {"address": {"house_number": number, "road": street, "postcode": postcode}}
    return Place(lat, -3.0, f"{number}, {street}, Newport", raw)


def nominatim(folder: Path, service: Service, watch: Watch | None = None) -> OnlineGeocoder:
    watch = watch or Watch()
    provider = NominatimProvider("", "tests", ALLOWED, service)
    return OnlineGeocoder(provider, NEWPORT, folder, clock=watch.clock, wait=watch.wait)


def test_the_same_number_on_the_same_street_is_matched(tmp_path: Path) -> None:
    result = nominatim(tmp_path, Service([house()])).locate("3 Cardiff Rd", "Newport", "NP20 3AG", "GB")
    assert result.verdict is Verdict.MATCHED
    assert result.candidates[0].place == LatLon(51.58, -3.0)


@pytest.mark.parametrize(
    "address", ["Cardiff Road 3", "Unit 3, 3 Cardiff Road", "3 Cardiff Raod", "3 CARDIFF ROAD, Newport NP20 3AG"]
)
def test_ways_to_type_the_same_door(tmp_path: Path, address: str) -> None:
    assert nominatim(tmp_path, Service([house()])).locate(address).verdict is Verdict.MATCHED


@pytest.mark.parametrize(
    "place",
    [
        house(number="33"),
        house(number="3a"),
        house(number=""),
        house(street="Old Cardiff Road"),
        house(street=""),
        house(postcode="NP10 1AA"),
    ],
)
def test_anything_else_is_for_review(tmp_path: Path, place: Place) -> None:
    result = nominatim(tmp_path, Service([place])).locate("3 Cardiff Road", "Newport", "NP20 3AG")
    assert result.verdict is Verdict.REVIEW
    assert "Nominatim" in result.reason


def test_the_same_door_in_two_places_is_for_review(tmp_path: Path) -> None:
    service = Service([house(), house(lat=51.6)])
    result = nominatim(tmp_path, service).locate("3 Cardiff Road")
    assert result.verdict is Verdict.REVIEW
    assert len(result.candidates) == 2


def test_a_place_outside_the_area_is_no_answer(tmp_path: Path) -> None:
    assert nominatim(tmp_path, Service([house(lat=53.0)])).locate("3 Cardiff Road").verdict is Verdict.NOT_FOUND
    assert nominatim(tmp_path, Service(None)).locate("4 Cardiff Road").verdict is Verdict.NOT_FOUND


def test_the_question_names_the_bounds_and_all_that_was_typed(tmp_path: Path) -> None:
    service = Service([])
    nominatim(tmp_path, service).locate("3  Cardiff Road", "Newport", "", "GB")
    query, options = service.questions[0]
    assert query == "3 Cardiff Road, Newport, GB"
    assert options["viewbox"] == [(51.5, -3.1), (51.7, -2.8)]
    assert options["bounded"] is True


def test_photon_speaks_its_own_dialect(tmp_path: Path) -> None:
    raw = {"properties": {"housenumber": "3", "street": "Cardiff Road", "postcode": "NP20 3AG"}}
    service = Service([Place(51.58, -3.0, "3 Cardiff Road", raw)])
    geocoder = OnlineGeocoder(PhotonProvider("", "tests", ALLOWED, service), NEWPORT, tmp_path, wait=Watch().wait)
    assert geocoder.locate("3 Cardiff Road", postcode="np203ag").verdict is Verdict.MATCHED
    assert service.questions[0][1]["bbox"] == [(51.5, -3.1), (51.7, -2.8)]


def test_an_address_is_asked_once_and_remembered_on_disk(tmp_path: Path) -> None:
    first, second = Service([house()]), Service([])
    before = nominatim(tmp_path, first).locate("3 Cardiff Road")
    assert nominatim(tmp_path, second).locate("3  Cardiff Road") == before
    assert (len(first.questions), len(second.questions)) == (1, 0)


def test_questions_keep_their_distance_in_time(tmp_path: Path) -> None:
    watch = Watch()
    geocoder = nominatim(tmp_path, Service([house()]), watch)
    for number in (1, 2, 2, 3):
        geocoder.locate(f"{number} Cardiff Road")
    assert watch.waits == [pytest.approx(1.1), pytest.approx(1.1)]


def test_a_failure_is_an_error_and_is_not_remembered(tmp_path: Path) -> None:
    service = Service([house()], fails=GeocoderTimedOut("too slow"))
    geocoder = nominatim(tmp_path, service)
    with pytest.raises(GeocodingError, match="Nominatim could not be asked: too slow"):
        geocoder.locate("3 Cardiff Road")
    service.fails = None
    assert geocoder.locate("3 Cardiff Road").verdict is Verdict.MATCHED


def test_a_dead_provider_is_not_asked_for_ever(tmp_path: Path) -> None:
    service = Service(fails=GeocoderServiceError("down"))
    geocoder = nominatim(tmp_path, service)
    for number in range(10):
        with pytest.raises(GeocodingError):
            geocoder.locate(f"{number} Cardiff Road")
    assert len(service.questions) == 3


def test_a_damaged_cache_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / CACHE_NAME).write_bytes(b"no database" * 500)
    with pytest.raises(GeocodingError, match="cache"):
        nominatim(tmp_path, Service([house()])).locate("3 Cardiff Road")


@pytest.mark.parametrize("url", ["ftp://geo.example", "http://", "https:///x"])
def test_a_server_needs_a_web_address(url: str) -> None:
    with pytest.raises(GeocodingError, match="geocoding server"):
        NominatimProvider(url, "tests", ALLOWED)


def test_an_own_server_may_be_used_without_asking_it_yet() -> None:
    assert NominatimProvider("http://localhost:8080/nominatim", "tests", ALLOWED).name == "Nominatim"
    assert PhotonProvider("geo.example", "tests", ALLOWED).name == "Photon"


@pytest.mark.parametrize("provider", [NominatimProvider, PhotonProvider])
@pytest.mark.parametrize("url", ["", "https://geo.example", "http://geo.example"])
def test_a_server_that_is_not_on_the_list_is_refused_and_the_setting_named(
    provider: type[NominatimProvider | PhotonProvider], url: str
) -> None:
    """Choosing a provider is not enough, also of the public ones: somebody decided which hosts are called."""
    with pytest.raises(GeocodingError, match=r"is not asked: .* \[outgoing\] in settings\.toml"):
        provider(url, "tests", OutgoingRules(hosts=("maps.example",)))


def test_a_name_that_turns_out_to_be_inside_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    inside = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [inside])
    with pytest.raises(GeocoderServiceError, match=r"is at 127\.0\.0\.1, which is not called"):
        NominatimProvider("geo.example", "tests", ALLOWED).ask("1 High Street", NEWPORT)


def test_bounds_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(RoutingError, match="wrong way round"):
        Bounds(52, -3, 51, -2)


# ---- the chain


def candidate(confidence: float) -> Candidate:
    return Candidate(LatLon(51.58, -3.0), f"sure to {confidence}", confidence)


def answer(verdict: Verdict, confidence: float = 0.5) -> GeocodingResult:
    candidates = () if verdict is Verdict.NOT_FOUND else (candidate(confidence),)
    return GeocodingResult(verdict, candidates, f"{verdict} {confidence}.")


@dataclass
class Says:
    """A geocoder that always says the same."""

    result: GeocodingResult | None
    asked: int = 0

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        self.asked += 1
        if self.result is None:
            raise GeocodingError("Photon could not be asked.")
        return self.result


def test_the_first_match_ends_the_chain() -> None:
    online = Says(answer(Verdict.MATCHED))
    gazetteer = Says(answer(Verdict.MATCHED, 0.9))
    chain: Geocoder = ChainGeocoder([gazetteer, online])
    assert chain.locate("3 Cardiff Road") == gazetteer.result
    assert online.asked == 0


def test_without_a_match_the_most_confident_review_is_shown() -> None:
    chain = ChainGeocoder([Says(answer(Verdict.REVIEW, 0.2)), Says(answer(Verdict.REVIEW, 0.6)),
                           Says(answer(Verdict.NOT_FOUND))])  # fmt: skip
    assert chain.locate("3 Cardiff Road").candidates[0].confidence == 0.6


def test_a_failing_geocoder_is_passed_over_and_its_reason_told() -> None:
    failing, review, nothing = Says(None), Says(answer(Verdict.REVIEW)), Says(answer(Verdict.NOT_FOUND))
    assert ChainGeocoder([failing, Says(answer(Verdict.MATCHED))]).locate("x").verdict is Verdict.MATCHED
    assert ChainGeocoder([review, failing]).locate("x").reason == "review 0.5. Photon could not be asked."
    result = ChainGeocoder([nothing, failing]).locate("x")
    assert (result.verdict, result.reason) == (Verdict.NOT_FOUND, "not_found 0.5. Photon could not be asked.")


def test_a_chain_of_nothing_is_refused() -> None:
    with pytest.raises(GeocodingError):
        ChainGeocoder([])


def test_results_that_contradict_themselves_are_refused() -> None:
    for verdict, candidates in (
        (Verdict.MATCHED, ()),
        (Verdict.NOT_FOUND, (candidate(1),)),
        (Verdict.REVIEW, (candidate(1),) * 6),
    ):
        with pytest.raises(RoutingError):
            GeocodingResult(verdict, candidates, "")
    with pytest.raises(RoutingError, match="confidence"):
        candidate(1.5)
