"""Typed addresses of several countries, on streets small enough to see at a glance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from routing.errors import AreaError, ExtractError
from routing.gazetteer import Gazetteer, GeocodingResult, Verdict
from routing.geo import LatLon, great_circle_m

HOME = LatLon(51.58, -3.0)


Tags = dict[str, str]


class Town:
    """An extract written by hand: streets run east, positions are metres north and east of HOME."""

    def __init__(self) -> None:
        self._nodes: list[str] = []
        self._ways: list[str] = []
        self._relations: list[str] = []

    def node(self, north_m: float = 0, east_m: float = 0, tags: Tags | None = None) -> int:
        place = spot(north_m, east_m)
        number = len(self._nodes) + 1
        self._nodes.append(f'<node id="{number}" version="1" lat="{place.lat}" lon="{place.lon}">{_tags(tags)}</node>')
        return number

    def way(self, nodes: list[int], tags: Tags | None = None) -> int:
        number = len(self._ways) + 1
        refs = "".join(f'<nd ref="{n}"/>' for n in nodes)
        self._ways.append(f'<way id="{number}" version="1">{refs}{_tags(tags)}</way>')
        return number

    def relation(self, ways: list[int], tags: Tags) -> None:
        members = "".join(f'<member type="way" ref="{w}" role="outer"/>' for w in ways)
        number = len(self._relations) + 1
        self._relations.append(f'<relation id="{number}" version="1">{members}{_tags(tags)}</relation>')

    def street(self, name: str, north_m: float, numbers: str = "", tags: Tags | None = None) -> Town:
        """A road of 300 m, and doors 20 m apart on it, `tags` on each."""
        self.way([self.node(north_m, 0), self.node(north_m, 300)], {"highway": "residential", "name": name})
        for i, number in enumerate(numbers.split()):
            self.door(number.replace("_", " "), name, north_m, 20 * i, tags)
        return self

    def door(self, number: str, street: str, north_m: float, east_m: float, tags: Tags | None = None) -> Town:
        self.node(north_m, east_m, {"addr:housenumber": number, "addr:street": street, **(tags or {})})
        return self

    def write(self, path: Path) -> Path:
        things = "\n".join((*self._nodes, *self._ways, *self._relations))
        path.write_text(f'<?xml version="1.0"?><osm version="0.6">{things}</osm>', encoding="utf-8")
        return path

    def gazetteer(self, folder: Path) -> Gazetteer:
        return Gazetteer.build(self.write(folder / "town.osm"))


def _tags(tags: Tags | None) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in (tags or {}).items())


def spot(north_m: float, east_m: float) -> LatLon:
    return LatLon(HOME.lat + north_m / 111_195, HOME.lon + east_m / 69_100)


def is_at(result: GeocodingResult, north_m: float, east_m: float) -> bool:
    """Matched, and within 5 m of there."""
    return result.verdict is Verdict.MATCHED and great_circle_m(result.candidates[0].place, spot(north_m, east_m)) < 5


NEWPORT = {"addr:city": "Newport"}


@pytest.fixture(scope="module")
def welsh(tmp_path_factory: pytest.TempPathFactory) -> Gazetteer:
    """Cardiff Road 1 3 5 … (0 m north), Old Cardiff Road (1 km), two Park Avenues (2 and 7 km), and some oddities."""
    town = Town()
    town.node(0, 0, {"place": "city", "name": "Newport", "name:cy": "Casnewydd"})
    town.relation([town.way([town.node(0, 900), town.node(0, 950)])], {"boundary": "administrative", "name": "Cardiff"})
    town.node(7000, 0, {"place": "village", "name": "Bassaleg"})
    town.street("Cardiff Road", 0, "1 3 5 7a 20-22 33_-_35;_33A 91 93", NEWPORT | {"addr:postcode": "NP20 3AG"})
    town.street("Old Cardiff Road", 1000, "1 3 9", NEWPORT | {"addr:postcode": "NP20 3XX"})
    town.street("Park Avenue", 2000, "1 2 3 4 6 8", NEWPORT | {"addr:postcode": "NP20 1AA"})
    town.street("Park Avenue", 7000, "1 2 3 5 6 8", NEWPORT | {"addr:postcode": "NP10 1BB"})
    town.street("St. Mary Street", 3000, "1 2 3", NEWPORT)
    town.street("Upper Dock Street", 3300, "14 16 22-24", NEWPORT | {"addr:postcode": "NP20 1DL"})
    town.street("Empty Lane", 3600)
    town.door("Flat 3", "Cardiff Road", 0, 250, NEWPORT)
    town.street("Mill Street", 4000, "1 2 3", NEWPORT | {"addr:postcode": "NP20 5HA"})
    town.street("Hill Rise", 4200, "1", NEWPORT)
    town.node(4400, 0, {"addr:place": "Kingsway Centre", "addr:housenumber": "Unit 10", **NEWPORT})
    town.node(4400, 40, {"addr:place": "Kingsway Centre", "addr:unit": "11", **NEWPORT})
    town.node(4500, 0, {"addr:street": "Church Lane", "addr:housename": "Rose Cottage", **NEWPORT})
    return town.gazetteer(tmp_path_factory.mktemp("welsh"))


@pytest.mark.parametrize(
    ("address", "north_m", "east_m"),
    [
        ("3 Cardiff Road", 0, 20),
        ("3, Cardiff Road", 0, 20),
        ("No. 3 Cardiff Rd.", 0, 20),
        ("3 CARDIFF ROAD", 0, 20),
        ("Cardiff Road 3", 0, 20),
        ("7A Cardiff Road", 0, 60),
        ("7 a cardiff rd", 0, 60),
        ("20 - 22 Cardiff Road", 0, 80),
        ("20–22 Cardiff Road", 0, 80),
        ("22 Cardiff Road", 0, 80),
        ("33a Cardiff Road", 0, 100),
        ("35 Cardiff Road", 0, 100),
        ("Unit 3, 5 Cardiff Road", 0, 40),
        ("Unit 3 5 Cardiff Road", 0, 40),
        ("Flat 2, The Old Bakery, 5 Cardiff Road", 0, 40),
        ("1st Floor, 5 Cardiff Road", 0, 40),
        ("Second floor 5 Cardiff Road", 0, 40),
        ("5 Cardiff Road, Unit 3", 0, 40),
        ("5 Cardiff Road (Unit 3)", 0, 40),
        ("Unit 3 - 5 Cardiff Road", 0, 40),
        ("Flat 3, 5 Cardiff Road", 0, 40),
        ("Tapsell Carpets 5 Cardiff Road", 0, 40),
        ("5 Cardiff Raod", 0, 40),
        ("5 CardiffR oad", 0, 40),
        ("5 Cadriff Rd", 0, 40),
        ("3 Old Cardiff Road", 1000, 20),
        ("2 St Mary St", 3000, 20),
        ("2 Saint Mary's Street", 3000, 20),
        ("16 Upper DockS treet", 3300, 20),
        ("Unit 10 Kingsway Centre", 4400, 0),
        ("Unit 10, Kingsway Centre", 4400, 0),
        ("Kingsway Centre, Unit 10", 4400, 0),
        ("Unit 10 Kingswya Centre", 4400, 0),
        ("Unit 11, Kingsway Centre", 4400, 40),
        ("Rose Cottage, Church Lane", 4500, 0),
        ("Rose Cottage Church Lane", 4500, 0),
    ],
)
def test_an_address_is_found_however_people_type_it(
    welsh: Gazetteer, address: str, north_m: float, east_m: float
) -> None:
    assert is_at(welsh.locate(address, "Newport"), north_m, east_m), welsh.locate(address, "Newport")


@pytest.mark.parametrize(
    "address",
    [
        "3 Cardiff Road, Newport NP20 3AG",
        "3 Cardiff Road Newport NP20 3AG",
        "3 Cardiff Road, NP20 3AG",
        "3 Cardiff Road, NP203AG Newport",
        "3 Cardiff Road, Newport, Wales, NP20 3AG, UK",
        "3 Cardiff Road\nNewport\nNP20 3AG",
        "3 Cardiff Road, Casnewydd",
        "3 Cardiff Road, Newprot",
        "3 Cardiff Road, Newport, Gwent",
        "Newport, 3 Cardiff Road",
        "NP20 3AG, 3 Cardiff Road",
    ],
)
def test_town_and_postcode_may_stand_in_the_address_itself(welsh: Gazetteer, address: str) -> None:
    assert is_at(welsh.locate(address), 0, 20), welsh.locate(address)


def test_a_number_that_the_street_does_not_have_shows_the_nearest(welsh: Gazetteer) -> None:
    result = welsh.locate("913 Cardiff Road", "Newport")
    assert result.verdict is Verdict.REVIEW
    assert result.reason == "Cardiff Road has no number 913; nearest are 93 and 91."
    assert [c.address.split(",")[0] for c in result.candidates] == ["93 Cardiff Road", "91 Cardiff Road"]


def test_a_number_on_the_other_side_of_the_street_is_not_in_a_range(welsh: Gazetteer) -> None:
    assert welsh.locate("21 Cardiff Road", "Newport").verdict is Verdict.REVIEW


def test_a_street_without_a_number_is_never_sure(welsh: Gazetteer) -> None:
    assert welsh.locate("Cardiff Road", "Newport").verdict is Verdict.REVIEW
    assert welsh.locate("5 Empty Lane", "Newport").verdict is Verdict.REVIEW


def test_a_street_that_does_not_exist_is_not_found(welsh: Gazetteer) -> None:
    result = welsh.locate("7 Nonesuch Parade", "Newport")
    assert result.verdict is Verdict.NOT_FOUND
    assert "Nonesuch Parade" in result.reason


def test_a_street_of_another_kind_is_offered_with_the_same_number(welsh: Gazetteer) -> None:
    result = welsh.locate("3 Cardiff Street", "Newport")
    assert result.verdict is Verdict.REVIEW
    assert result.candidates[0].address.startswith("3 Cardiff Road")


def test_a_street_that_exists_is_never_corrected_into_another(welsh: Gazetteer) -> None:
    result = welsh.locate("9 Cardiff Road", "Newport")
    assert result.verdict is Verdict.REVIEW
    assert not any("Old" in c.address for c in result.candidates)


def test_real_words_are_not_corrected_into_other_words_unless_the_postcode_agrees(welsh: Gazetteer) -> None:
    assert welsh.locate("2 Hill Street", "Newport").verdict is Verdict.REVIEW
    assert is_at(welsh.locate("2 Hill Street", "Newport", "NP20 5HA"), 4000, 20)


def test_the_same_address_in_two_places_needs_a_postcode(welsh: Gazetteer) -> None:
    result = welsh.locate("2 Park Avenue", "Newport")
    assert result.verdict is Verdict.REVIEW
    assert len(result.candidates) == 2
    assert is_at(welsh.locate("2 Park Avenue", "Newport", "NP10 1BB"), 7000, 20)
    assert is_at(welsh.locate("2 Park Ave, Bassaleg"), 7000, 20)


def test_a_street_name_in_two_places_is_not_sure_where_only_one_has_the_number(welsh: Gazetteer) -> None:
    assert welsh.locate("4 Park Avenue", "Newport").verdict is Verdict.REVIEW
    assert is_at(welsh.locate("4 Park Avenue", "Newport", "np201aa"), 2000, 60)


def test_a_postcode_that_says_otherwise_sends_to_review(welsh: Gazetteer) -> None:
    result = welsh.locate("3 Cardiff Road", "Newport", "NP20 3XX")
    assert result.verdict is Verdict.REVIEW
    assert "NP20 3AG" in result.reason
    assert is_at(welsh.locate("3 Cardiff Road", "Newport", "NP20"), 0, 20)


def test_a_town_that_says_otherwise_sends_to_review(welsh: Gazetteer) -> None:
    assert welsh.locate("3 Cardiff Road", "Cardiff").verdict is Verdict.REVIEW
    assert welsh.locate("3 Cardiff Road", "Swansea").verdict is Verdict.REVIEW
    assert welsh.locate("3 Cardiff Road, Bassaleg").verdict is Verdict.REVIEW
    assert welsh.locate("3 Cardiff Road", "Cardiff", "NP20 3AG").verdict is Verdict.MATCHED


def test_another_country_is_not_in_this_area(tmp_path: Path) -> None:
    gazetteer = Town().street("Main Street", 0, "1 2", {"addr:country": "GB"}).gazetteer(tmp_path)
    assert gazetteer.locate("1 Main Street", country="FR").verdict is Verdict.NOT_FOUND
    assert gazetteer.locate("1 Main Street", country="uk").verdict is Verdict.MATCHED


def test_coordinates_typed_as_an_address_are_taken_as_they_are(welsh: Gazetteer) -> None:
    result = welsh.locate("51.58, -2.99")
    assert result.verdict is Verdict.MATCHED
    assert result.candidates[0].place == LatLon(51.58, -2.99)
    assert "coordinates" in result.reason
    assert welsh.locate("151.58, -2.99").verdict is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    "address",
    ["", "   ", ",,,", "\x00", "{{7*7}}", "<img src=x onerror=alert(1)>", "`id`", '=HYPERLINK("x")', "9" * 300,
     "x" * 100_000, "((((", "12", "Unit", "; ; ;", "🏠 1", "[a-z]*.+", "12 \\d+ Road.", "Rd. St. Av. Dr. Cl. Pl. Sq."],
)  # fmt: skip
def test_hostile_and_empty_text_is_harmless(welsh: Gazetteer, address: str) -> None:
    for fields in ((address, ""), ("3 Cardiff Road", address), (address, "Newport")):
        welsh.locate(*fields)
        welsh.locate("3 Cardiff Road", postcode=address)
    assert welsh.locate(address).verdict is not Verdict.MATCHED


# ---- other countries


def helsinki(folder: Path) -> Gazetteer:
    town = Town()
    town.node(0, 0, {"place": "city", "name": "Helsinki", "name:sv": "Helsingfors"})
    tags = {"addr:city": "Helsinki", "addr:postcode": "00100"}
    ends = [town.node(0, 0), town.node(0, 300)]
    town.way(ends, {"highway": "primary", "name": "Mannerheimintie", "name:sv": "Mannerheimvägen"})
    town.door("12", "Mannerheimintie", 0, 40, tags).door("14 B", "Mannerheimintie", 0, 60, tags)
    town.street("Aleksanterinkatu", 500, "5 7 9", tags)
    town.street("Töölönkatu", 800, "3 5", tags)
    return town.gazetteer(folder)


def germany(folder: Path) -> Gazetteer:
    tags = {"addr:city": "Köln", "addr:postcode": "50667"}
    town = Town().street("Hauptstraße", 0, "12 12a 14", tags).street("Müllerweg", 400, "1 3", tags)
    town.street("Straße des 17. Juni", 800, "135 137", tags).street("Carl-Zeiss-Platz", 1200, "2 4", tags)
    return town.gazetteer(folder)


def france(folder: Path) -> Gazetteer:
    tags = {"addr:city": "Paris", "addr:postcode": "75002"}
    town = Town().street("Rue de la Paix", 0, "10 12 12_bis 14", tags)
    return town.street("Avenue de l'Opéra", 500, "1 3", tags).gazetteer(folder)


def america(folder: Path) -> Gazetteer:
    tags = {"addr:city": "Springfield", "addr:postcode": "62704"}
    town = Town().street("North Main Street", 0, "121 123 125", tags)
    town.street("South Main Street", 900, "121 123 125", tags).street("5th Avenue", 1500, "1 3", tags)
    return town.gazetteer(folder)


def portugal(folder: Path) -> Gazetteer:
    tags = {"addr:city": "Porto", "addr:postcode": "4000-447"}
    town = Town().street("Rua de Santa Catarina", 0, "112 114", tags)
    return town.street("Avenida da Boavista", 500, "20 22", tags).gazetteer(folder)


@pytest.mark.parametrize(
    ("country", "address", "north_m", "east_m"),
    [
        (helsinki, "Mannerheimintie 12, 00100 Helsinki", 0, 40),
        (helsinki, "Mannerheimintie 12 00100 Helsinki", 0, 40),
        (helsinki, "Mannerheimvägen 12, Helsingfors", 0, 40),
        (helsinki, "mannerheiminte 12", 0, 40),
        (helsinki, "Mannerheimintie 12 B 34, 00100 HELSINKI", 0, 40),
        (helsinki, "Mannerheimintie 14b", 0, 60),
        (helsinki, "Aleksanterink. 7", 500, 20),
        (helsinki, "Toolonkatu 5, Helsinki", 800, 20),
        (germany, "Hauptstr. 12a, 50667 Köln", 0, 20),
        (germany, "Hauptstrasse 12 a", 0, 20),
        (germany, "Hauptstr 14", 0, 40),
        (germany, "HAUPTSTRASSE 12, KOELN", 0, 0),
        (germany, "Muellerweg 3", 400, 20),
        (germany, "Straße des 17. Juni 135", 800, 0),
        (germany, "Carl Zeiss Pl. 4", 1200, 20),
        (france, "12 bis, rue de la Paix, 75002 Paris", 0, 40),
        (france, "12bis r. de la Paix", 0, 40),
        (france, "12 rue Paix", 0, 20),
        (france, "3 av. de l’Opera", 500, 20),
        (america, "123 N Main St Apt 4, Springfield, IL 62704", 0, 20),
        (america, "123 N. Main St., Apt 4", 0, 20),
        (america, "123 South Main Street #7, Springfield", 900, 20),
        (america, "3 5th Ave", 1500, 20),
        (portugal, "R. Santa Catarina 114, 4000-447 Porto", 0, 20),
        (portugal, "Av. Boavista, 22", 500, 20),
    ],
)
def test_other_countries_write_addresses_their_own_way(
    tmp_path: Path, country: Callable[[Path], Gazetteer], address: str, north_m: float, east_m: float
) -> None:
    gazetteer = country(tmp_path)
    assert is_at(gazetteer.locate(address), north_m, east_m), gazetteer.locate(address)


def test_a_missing_direction_is_not_guessed(tmp_path: Path) -> None:
    assert america(tmp_path).locate("123 Main St", "Springfield").verdict is not Verdict.MATCHED


def test_blocks_instead_of_streets_do_no_harm(tmp_path: Path) -> None:
    tags = {"addr:neighbourhood": "本町", "addr:block_number": "5", "addr:housenumber": "12", "addr:city": "札幌市"}
    town = Town()
    town.node(0, 0, tags)
    gazetteer = town.gazetteer(tmp_path)
    assert is_at(gazetteer.locate("本町5-12"), 0, 0) or gazetteer.locate("本町5-12").verdict is not Verdict.MATCHED
    assert is_at(gazetteer.locate("本町 5-12"), 0, 0)


# ---- what is read from an extract


def test_buildings_and_sites_stand_at_their_middle(tmp_path: Path) -> None:
    town = Town().street("Dock Road", 0)
    square = [town.node(n, e) for n, e in ((10, 0), (10, 20), (30, 20), (30, 0))]
    town.way([*square, square[0]], {"building": "yes", "addr:street": "Dock Road", "addr:housenumber": "1"})
    ring = [town.node(n, e) for n, e in ((10, 100), (10, 120), (30, 120), (30, 100))]
    outline = town.way([*ring, ring[0]])
    town.relation([outline], {"type": "multipolygon", "addr:street": "Dock Road", "addr:housenumber": "2"})
    gazetteer = town.gazetteer(tmp_path)
    assert is_at(gazetteer.locate("1 Dock Road"), 20, 10)
    assert is_at(gazetteer.locate("2 Dock Road"), 20, 110)


def test_a_clipped_extract_loses_only_what_is_not_in_it(tmp_path: Path) -> None:
    town = Town().street("Dock Road", 0, "1")
    town.way([town.node(10, 0), 999_001, 999_002], {"addr:street": "Dock Road", "addr:housenumber": "3"})
    town.way([999_001, 999_002], {"addr:street": "Dock Road", "addr:housenumber": "5"})
    town.relation([77], {"type": "multipolygon", "addr:street": "Dock Road", "addr:housenumber": "7"})
    gazetteer = town.gazetteer(tmp_path)
    assert is_at(gazetteer.locate("3 Dock Road"), 10, 0)
    assert [gazetteer.locate(f"{n} Dock Road").verdict for n in (5, 7)] == [Verdict.REVIEW] * 2


def test_an_interpolation_line_implies_the_numbers_between_its_ends(tmp_path: Path) -> None:
    town = Town().street("Dock Road", 0)
    ends = [town.node(0, e, {"addr:street": "Dock Road", "addr:housenumber": n}) for n, e in (("2", 0), ("10", 80))]
    town.way(ends, {"addr:interpolation": "even"})
    gazetteer = town.gazetteer(tmp_path)
    assert is_at(gazetteer.locate("6 Dock Road"), 0, 40)
    assert gazetteer.locate("5 Dock Road").verdict is Verdict.REVIEW


def test_progress_runs_from_nothing_to_all(tmp_path: Path) -> None:
    shares: list[float] = []
    Gazetteer.build(Town().street("Dock Road", 0, "1").write(tmp_path / "town.osm"), shares.append)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


def test_an_extract_without_a_single_address_still_answers(tmp_path: Path) -> None:
    gazetteer = Town().street("Dock Road", 0).gazetteer(tmp_path)
    assert len(gazetteer) == 0
    assert gazetteer.locate("1 Dock Road").verdict is Verdict.REVIEW
    town = Town()
    town.node()
    assert town.gazetteer(tmp_path).locate("1 Dock Road").verdict is Verdict.NOT_FOUND


@pytest.mark.parametrize("content", [None, b"", b"no map at all", b"\x00\x01\x02"])
def test_what_is_no_extract_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    for name in ("x.osm", "x.osm.pbf", "x.osm.gz", "x.osm.bz2"):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ExtractError, match=r"x\.osm"):
            Gazetteer.build(tmp_path / name)


# ---- keeping it


def test_a_saved_gazetteer_answers_as_before(welsh: Gazetteer, tmp_path: Path) -> None:
    welsh.save(tmp_path / "area")
    again = Gazetteer.load(tmp_path / "area")
    typed = ("3 Cardiff Road", "2 Park Avenue", "913 Cardiff Rd", "7 Nonesuch Parade", "Rose Cottage, Church Lane")
    for address in typed:
        assert again.locate(address, "Newport") == welsh.locate(address, "Newport")


def damaged(path: Path) -> Iterator[None]:
    whole = path.read_bytes()
    middle = len(whole) // 2
    for broken in (b"", whole[:middle], whole[: middle - 50] + b"\xff" * 100 + whole[middle + 50 :], b"not a zip"):
        path.write_bytes(broken)
        yield


def test_a_damaged_or_missing_gazetteer_is_an_area_error(welsh: Gazetteer, tmp_path: Path) -> None:
    with pytest.raises(AreaError, match="missing or damaged"):
        Gazetteer.load(tmp_path)
    welsh.save(tmp_path)
    for _ in damaged(tmp_path / "gazetteer.npz"):
        with pytest.raises(AreaError, match="damaged"):
            Gazetteer.load(tmp_path)


def test_doors_can_be_taken_out_to_measure_honestly(welsh: Gazetteer) -> None:
    fewer = welsh.without([spot(0, 20)], within_m=5)
    assert len(fewer) == len(welsh) - 1
    assert fewer.locate("3 Cardiff Road", "Newport").verdict is Verdict.REVIEW
    assert is_at(fewer.locate("1 Cardiff Road", "Newport"), 0, 0)
