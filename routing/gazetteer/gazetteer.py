"""From a typed address to a place: the verdict on each way to read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from routing.gazetteer.book import AddressBook, Door, Locality, Stretch
from routing.gazetteer.completing import Completer, Completion
from routing.gazetteer.numbers import HouseNumber, first_number, last_number, leading_digits, parse_number, unit_id
from routing.gazetteer.reading import Progress, read_extract
from routing.gazetteer.results import MAX_CANDIDATES, SAME_PLACE_M, Candidate, GeocodingResult, Verdict, not_found
from routing.gazetteer.typed import COUNTRIES, Lexicon, Reading, Typed, cut, readings
from routing.gazetteer.words import compact, words
from routing.geo import LatLon, great_circle_m

POSTCODE_REACH_M = 1_500.0
"""A door without a postcode may have the typed one if that occurs this near."""

TWIN_M = 500.0
"""A stretch of the same name this near is the same street with a gap, not another one."""

NUMBERS_MISSING = 20
"""So far beyond the highest known number of a street there may still be houses."""

MAX_LENGTH = 300
"""Longer texts are no addresses."""

_COORDINATES = re.compile(r"\s*\(?\s*(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}\.\d+|-?\d{1,3})\s*\)?\s*")


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one reading leads to: a result, and where, if it is sure."""

    result: GeocodingResult
    door: Door | None = None


class Gazetteer:
    """The addresses of an area's own extract, looked up as people type them. Satisfies `Geocoder`."""

    def __init__(self, book: AddressBook) -> None:
        self._book = book
        self._doors_from: dict[int, list[Door]] = {}

    @classmethod
    def build(cls, extract: Path, progress: Progress | None = None) -> Gazetteer:
        """Read every address, street, place and postcode of an .osm.pbf or .osm[.gz|.bz2] extract.

        `progress` is told the share that is done (0 to 1).

        Raises:
            ExtractError: missing or unreadable.
        """
        return cls(AddressBook.compile(read_extract(extract, progress)))

    def save(self, folder: Path) -> None:
        """Write the gazetteer into a folder, which is made if need be."""
        self._book.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Gazetteer:
        """Read what `save` wrote.

        Raises:
            AreaError: missing, damaged, or of another format.
        """
        return cls(AddressBook.load(folder))

    def without(self, places: Iterable[LatLon], within_m: float = 20.0) -> Gazetteer:
        """The same gazetteer with the addresses around some places taken out (to measure honestly)."""
        return Gazetteer(self._book.without(places, within_m))

    def __len__(self) -> int:
        """How many addresses there are."""
        return len(self._book.fields)

    def doors(self) -> Iterable[Door]:
        """All addresses, sorted by street."""
        return (self._book.door(i) for i in range(len(self)))

    def locate(self, address: str, city: str = "", postcode: str = "", country: str = "") -> GeocodingResult:
        """The place of a typed address.

        `matched` needs a street and number that the extract has, nothing typed that contradicts them, and no
        second place that fits as well. Never raises for what was typed.
        """
        if max(map(len, (address, city, postcode, country))) > MAX_LENGTH:
            return not_found(f"The address is longer than {MAX_LENGTH} characters.")
        point = _coordinates(address)
        if point:
            return GeocodingResult(Verdict.MATCHED, (Candidate(point, address.strip(), 1.0),), "Typed as coordinates.")
        typed = cut(address, city, postcode, self._lexicon)
        if not typed.parts:
            return not_found("No address was given.")
        code = country.strip().upper()
        code = "GB" if code == "UK" else code
        if len(code) == 2 and self._book.countries and code not in self._book.countries:
            return not_found(f"This area is not in {code}.")
        ways = readings(typed, self._lexicon)
        findings = [self._judge(way, typed) for way in ways]
        if not findings:
            return self._by_house_name(typed) or self._similar(typed, address)
        return _best(findings)

    def complete(self, typed: str, limit: int = 8) -> list[Completion]:
        """What somebody who is typing an address may mean, the likeliest first; slips of the finger are forgiven."""
        return self._completer.complete(typed, limit)

    # ---- what is looked up, derived once

    @cached_property
    def _completer(self) -> Completer:
        return Completer(self._book, self._lexicon, self._stretches, self._doors_on)

    @cached_property
    def _lexicon(self) -> Lexicon:
        return Lexicon(self._book)

    @cached_property
    def _stretches(self) -> list[list[Stretch]]:
        by_street: list[list[Stretch]] = [[] for _ in self._book.streets]
        for stretch in self._book.stretches():
            by_street[stretch.street].append(stretch)
        return by_street

    @cached_property
    def _places(self) -> dict[str, list[Locality]]:
        places: dict[str, list[Locality]] = {}
        for place in self._book.localities:
            places.setdefault(place.key, []).append(place)
        return places

    @cached_property
    def _postcode_points(self) -> dict[str, list[LatLon]]:
        points: dict[str, list[LatLon]] = {}
        for stretches in self._stretches:
            for door in self._doors_on(stretches):
                for code in _codes(door.postcode):
                    points.setdefault(code, []).append(door.place)
        return points

    def _doors_on(self, stretches: Iterable[Stretch]) -> list[Door]:
        """All doors of some stretches; made once for each stretch, because busy streets are asked for often."""
        found: list[Door] = []
        for stretch in stretches:
            first = stretch.doors.start
            if stretch.doors and first not in self._doors_from:
                self._doors_from[first] = [self._book.door(i) for i in stretch.doors]
            found += self._doors_from[first] if stretch.doors else []
        return found

    # ---- the rules

    def _judge(self, way: Reading, typed: Typed) -> _Finding:
        """The verdict on one reading: number, postcode, locality, uniqueness, in this order."""
        stretches = [s for street in sorted(way.streets) for s in self._stretches[street]]
        doors = self._numbered(stretches, way)
        if not doors:
            return _Finding(self._no_such_number(stretches, way))
        agreed = [d for d in doors if _same_postcode(d, typed.postcode)] if typed.postcode else []
        fitting = agreed or [d for d in doors if self._may_have(d, typed.postcode)]
        if not fitting:
            codes = " or ".join(sorted({d.postcode for d in doors} - {""}))
            but = f"with the postcode {codes}, not {typed.postcode.upper()}" if codes else "far from its postcode"
            return _review(doors, 0.5, f"{_called(doors[0])} is known, but {but}.")
        if not agreed:
            here = [d for d in fitting if self._is_in(d, way.localities)]
            if not here:
                where = ", ".join(typed.city or way.localities).title()
                return _review(fitting, 0.5, f"{_called(fitting[0])} is in this area, but maybe not in {where}.")
            fitting = here
        chosen = _middle_door(fitting)
        if great_circle_m(*_farthest(chosen, fitting)) > SAME_PLACE_M:
            return _review(_apart(fitting), 0.5, f"{_called(chosen)} is in {len(_apart(fitting))} places.")
        if not agreed and self._restarts(chosen, stretches, way):
            return _review([chosen], 0.5, f"{chosen.street} is numbered more than once; a postcode would tell which.")
        if not agreed and self._has_twin(chosen, stretches, way):
            return _review([chosen], 0.5, f"There is more than one {chosen.street}; a postcode would tell which.")
        if way.doubtful and not agreed:
            return _review([chosen], 0.5, f"Not the street that was typed: is it {chosen.street}?")
        confidence = 1.0 - 0.1 * way.edits - (0.0 if agreed else 0.05)
        reason = "Street and number found" + (
            ", spelling corrected." if way.edits else "." if not agreed else ", postcode agrees."
        )
        return _Finding(
            GeocodingResult(Verdict.MATCHED, (Candidate(chosen.place, str(chosen), confidence),), reason), chosen
        )

    def _numbered(self, stretches: Sequence[Stretch], way: Reading) -> list[Door]:
        """The doors that bear the number, by the first rule that finds any."""
        doors = self._doors_on(stretches)
        found = _labelled(doors, [way.whole])
        for text in way.numbers:
            found = found or _bearing(doors, parse_number(text))
        if not way.numbers:
            names = {compact(label) for label in (way.whole, *way.labels)}
            found = found or _labelled(doors, way.labels)
            found = found or [d for d in doors if d.house_name and compact(d.house_name) in names]
        if way.unit:
            in_unit = [d for d in found or doors if d.unit and unit_id(d.unit) == way.unit]
            if in_unit and (found or not way.numbers):
                found = in_unit
        return found

    def _no_such_number(self, stretches: Sequence[Stretch], way: Reading) -> GeocodingResult:
        street = self._book.streets[stretches[0].street]
        doors = self._doors_on(stretches)
        points = [Candidate(s.point, street, 0.3) for s in stretches][:MAX_CANDIDATES]
        if not way.numbers:
            return GeocodingResult(Verdict.REVIEW, tuple(points), f"{street} is known, but no house number was given.")
        typed = leading_digits(way.numbers[0])
        numbers = [(leading_digits(d.number), d) for d in doors]
        numbered = [(n, d) for n, d in numbers if n is not None]
        if typed is None or not numbered:
            return GeocodingResult(
                Verdict.REVIEW, tuple(points), f"{street} has no number {way.numbers[0]} in this area's data."
            )
        nearest = sorted(numbered, key=lambda pair: (abs(pair[0] - typed), pair[0], pair[1].number))
        shown = list({d.number: d for _, d in nearest}.values())[:2]
        are = " and ".join(d.number for d in shown)
        return GeocodingResult(
            Verdict.REVIEW,
            tuple(Candidate(d.place, str(d), 0.4) for d in shown),
            f"{street} has no number {way.numbers[0]}; nearest {'are' if len(shown) > 1 else 'is'} {are}.",
        )

    def _may_have(self, door: Door, postcode: str) -> bool:
        """Whether a door may have the typed postcode: one is the beginning of the other ("NP20"), or the door has
        none and the typed one is not elsewhere."""
        if not postcode:
            return True
        if door.postcode:
            return any(code.startswith(postcode) or postcode.startswith(code) for code in _codes(door.postcode))
        known = self._postcode_points.get(postcode)
        return not known or any(great_circle_m(door.place, p) <= POSTCODE_REACH_M for p in known)

    def _is_in(self, door: Door, localities: Sequence[str]) -> bool:
        """Whether nothing that was typed after the street contradicts where the door is.

        A locality that the extract does not know, or knows only as a region (its borders run through many
        extracts, so that proves nothing), is let pass only if another one agrees. Countries prove nothing either.
        """
        own = compact(door.city)
        agreed, unknown = False, False
        for key in localities:
            places = self._places.get(key, [])
            if key == own:
                agreed = True
            elif places:
                if not any(self._reaches(place, door, own) for place in places):
                    return False
                agreed = True
            elif key not in COUNTRIES and (own or key not in self._book.regions):
                unknown = True
        return agreed or not unknown

    def _reaches(self, place: Locality, door: Door, own: str) -> bool:
        """A city or town never claims a door that says it is in another city or town."""
        rival = place.own and any(p.own for p in self._places.get(own, []))
        return not (rival and own != place.key and not self._same(place, own)) and (
            great_circle_m(place.point, door.place) <= place.radius_m
        )

    def _same(self, place: Locality, own: str) -> bool:
        return any(p.point == place.point for p in self._places.get(own, []))

    def _has_twin(self, chosen: Door, stretches: Sequence[Stretch], way: Reading) -> bool:
        """Whether another street of the same name may have the same number, though the extract does not say so.

        It may if it lies where the typed locality is, and its known numbers run that high or there are none.
        """
        number = leading_digits(chosen.number)
        for stretch in stretches:
            doors = self._doors_on([stretch])
            if chosen in doors or great_circle_m(stretch.point, chosen.place) <= TWIN_M:
                continue
            known = [n for n in (leading_digits(d.number) for d in doors) if n is not None]
            reaches = not known or number is None or number <= max(known) + NUMBERS_MISSING
            like = doors[0] if doors else replace(chosen, city="", place=stretch.point)
            if reaches and self._is_in(like, way.localities):
                return True
        return False

    def _restarts(self, chosen: Door, stretches: Sequence[Stretch], way: Reading) -> bool:
        """Whether the next numbers on the same side stand far off: then another door may bear this one too."""
        number = leading_digits(chosen.number)
        if number is None:
            return False
        next_ones = (number - 4, number - 2, number + 2, number + 4)
        nearby = (d for d in self._doors_on(stretches) if leading_digits(d.number) in next_ones)
        return any(great_circle_m(d.place, chosen.place) > TWIN_M and self._is_in(d, way.localities) for d in nearby)

    def _by_house_name(self, typed: Typed) -> GeocodingResult | None:
        """A house name on its own, without a street: sure only if its postcode is typed too."""
        name = compact(typed.parts[0])
        if name not in self._lexicon.house_names:
            return None
        doors = [d for d in self.doors() if compact(d.house_name) == name]
        agreed = [d for d in doors if typed.postcode and _same_postcode(d, typed.postcode)]
        chosen = _middle_door(agreed or doors)
        if agreed and great_circle_m(*_farthest(chosen, agreed)) <= SAME_PLACE_M:
            found = Candidate(chosen.place, str(chosen), 0.9)
            return GeocodingResult(Verdict.MATCHED, (found,), "House name and postcode found.")
        return _review(_apart(doors), 0.4, f"{chosen.house_name} is known; which one is not sure.").result

    def _similar(self, typed: Typed, address: str) -> GeocodingResult:
        """Streets with a similar name, else the postcode's middle, for a person to choose."""
        told = f"No street of this area fits “{' '.join(address.split())}”"
        for part in typed.parts:
            letters = [w for w in words(part) if not w[0].isdecimal()]
            streets = self._lexicon.similar(letters) if letters else []
            found = tuple(self._offer(street, part) for street in streets[:MAX_CANDIDATES])
            if found:
                return GeocodingResult(Verdict.REVIEW, found, f"{told}; these are spelt similarly.")
        if points := self._postcode_points.get(typed.postcode):
            middle = Candidate(points[len(points) // 2], typed.postcode.upper(), 0.1)
            return GeocodingResult(Verdict.REVIEW, (middle,), f"{told}; its postcode is known.")
        return not_found(f"{told}.")

    def _offer(self, street: int, part: str) -> Candidate:
        """The typed number on another street if that has it, else the street."""
        number = first_number(part)[0] or last_number(part)[0]
        doors = _bearing(self._doors_on(self._stretches[street]), parse_number(number)) if number else []
        if doors:
            return Candidate(doors[0].place, str(doors[0]), 0.25)
        return Candidate(self._stretches[street][0].point, self._book.streets[street], 0.2)


def _coordinates(text: str) -> LatLon | None:
    found = _COORDINATES.fullmatch(text)
    if not found or "." not in text:
        return None
    lat, lon = float(found[1]), float(found[2])
    return LatLon(lat, lon) if abs(lat) <= 90 and abs(lon) <= 180 else None


def _labelled(doors: Sequence[Door], texts: Sequence[str]) -> list[Door]:
    """Doors whose whole number is one of some texts: "Unit 10", "Great Pen-carn"."""
    labels = {parse_number(text).label for text in texts} - {""}
    return [door for door in doors if door.number and parse_number(door.number).label in labels]


def _bearing(doors: Sequence[Door], number: HouseNumber) -> list[Door]:
    """Doors with exactly this number; else those whose list names it; else those whose range spans it.

    A typed range or list counts where one door has all of it, or where its numbers stand side by side.
    """
    parsed = [(door, parse_number(door.number)) for door in doors if door.number]
    exact = [door for door, n in parsed if n.label == number.label]
    if exact or not number.atoms:
        return exact
    named = [door for door, n in parsed if all(map(n.names, number.atoms))]
    spanned = named or [door for door, n in parsed if all(n.names(a) or n.spans(a) for a in number.atoms)]
    if spanned or len(number.atoms) == 1:
        return spanned
    ends = [_bearing(doors, parse_number(atom)) for atom in number.atoms]
    if all(ends) and all(great_circle_m(a.place, b.place) <= SAME_PLACE_M for e in ends for a in e for b in ends[0]):
        return ends[0]
    return []


@lru_cache(maxsize=65_536)
def _codes(postcodes: str) -> frozenset[str]:
    return frozenset(compact(code) for code in postcodes.split(";")) - {""}


def _same_postcode(door: Door, postcode: str) -> bool:
    return postcode in _codes(door.postcode)


def _called(door: Door) -> str:
    return f"{door.number} {door.street}".strip()


def _farthest(door: Door, doors: Sequence[Door]) -> tuple[LatLon, LatLon]:
    return door.place, max((d.place for d in doors), key=lambda place: great_circle_m(door.place, place))


def _middle_door(doors: Sequence[Door]) -> Door:
    """The door from which the farthest other one is nearest."""
    few = doors[:50]
    return min(few, key=lambda door: great_circle_m(*_farthest(door, few)))


def _apart(doors: Sequence[Door]) -> list[Door]:
    """One door for each place that is really another place."""
    kept: list[Door] = []
    for door in doors:
        if all(great_circle_m(door.place, other.place) > SAME_PLACE_M for other in kept):
            kept.append(door)
    return kept


def _review(doors: Sequence[Door], confidence: float, reason: str) -> _Finding:
    found = tuple(Candidate(d.place, str(d), confidence) for d in _apart(doors)[:MAX_CANDIDATES])
    return _Finding(GeocodingResult(Verdict.REVIEW, found, reason))


def _best(findings: Sequence[_Finding]) -> GeocodingResult:
    """The matched reading; if two are matched in different places, or none is, the candidates of all."""
    sure = [f for f in findings if f.door]
    doors = [f.door for f in sure if f.door]
    if sure and len(_apart(doors)) == 1:
        return max(sure, key=lambda f: f.result.candidates[0].confidence).result
    if sure:
        return _review(doors, 0.5, "The address can be read in more than one way.").result
    merged: list[Candidate] = []
    for finding in sorted(findings, key=lambda f: -f.result.candidates[0].confidence):
        for candidate in finding.result.candidates:
            if not any(_same_candidate(candidate, other) for other in merged):
                merged.append(candidate)
    best = max(findings, key=lambda f: f.result.candidates[0].confidence)
    return GeocodingResult(Verdict.REVIEW, tuple(merged[:MAX_CANDIDATES]), best.result.reason)


def _same_candidate(a: Candidate, b: Candidate) -> bool:
    """One address may be in two places, and then a person has to see both."""
    return a.address == b.address and great_circle_m(a.place, b.place) <= SAME_PLACE_M
