"""The address book of an area: streets, their separate stretches, and the numbered doors on each, as arrays."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import AreaError
from routing.gazetteer.reading import Point, Tagged
from routing.gazetteer.words import compact
from routing.geo import LatLon, great_circle_m

FILE_NAME = "gazetteer.npz"
FORMAT = 1
"""Raised whenever older files can no longer be read."""

STRETCH_CELL_DEGREES = 0.003
"""Points of one street name in the same or neighbouring cells of this size (about 300 m) are one stretch."""

LOCALITY_RADIUS_M = {
    "city": 20_000.0, "town": 8_000.0, "borough": 6_000.0, "village": 3_000.0, "suburb": 2_500.0,
    "quarter": 2_000.0, "neighbourhood": 2_000.0, "hamlet": 2_000.0, "locality": 1_500.0, "farm": 1_000.0,
}  # fmt: skip
"""How far from its point an address may lie and still be "in" a place; other kinds of place are no localities."""


@dataclass(frozen=True, slots=True)
class Door:
    """One addressed thing on a street."""

    street: str
    number: str
    unit: str
    house_name: str
    city: str
    postcode: str
    place: LatLon

    def __str__(self) -> str:
        unit = self.unit if not self.unit.isdecimal() else f"Unit {self.unit}"
        line = f"{self.number} {self.street}".strip()
        town = " ".join(part for part in (self.city, self.postcode) if part)
        return ", ".join(dict.fromkeys(part for part in (unit, self.house_name, line, town) if part))


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a street that is in one place; a name that two suburbs use has two stretches."""

    street: int
    doors: range
    point: LatLon


@dataclass(frozen=True, slots=True)
class Locality:
    """A named place, and how far around its point it reaches; `own` if it is a city or town of its own."""

    key: str
    point: LatLon
    radius_m: float
    own: bool


@dataclass(frozen=True, eq=False)
class AddressBook:
    """Everything of an area that a typed address is compared with. Doors are sorted by street and stretch.

    `fields` has five columns (number, unit, house name, city, postcode) of indices into `texts`;
    `stretch_first` has one entry more than there are stretches.
    """

    texts: tuple[str, ...]
    fields: NDArray[np.int32]
    coordinates: NDArray[np.float64]
    stretch_street: NDArray[np.int32]
    stretch_first: NDArray[np.int32]
    stretch_point: NDArray[np.float64]
    streets: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]
    localities: tuple[Locality, ...]
    regions: frozenset[str]
    countries: frozenset[str]

    @staticmethod
    def compile(tagged: Tagged) -> AddressBook:
        """Sort what an extract says into streets, stretches and doors."""
        names: dict[str, list[str]] = defaultdict(list)
        for name in tagged.street_points:
            names[compact(name)].append(name)
        names.pop("", None)
        by_street = defaultdict(list)
        for address in tagged.addresses:
            if address.number or address.unit or address.house_name:
                by_street[compact(address.street)].append(address)
        index: dict[str, int] = {}
        fields: list[list[int]] = []
        coordinates: list[Point] = []
        stretch_street, stretch_first, stretch_point = [], [0], []
        streets, aliases = [], []
        for key in sorted(names):
            streets.append(names[key][0])
            aliases.append(tuple(sorted({a for n in names[key] for a in (n, *tagged.street_aliases.get(n, ()))})))
            points = [p for name in names[key] for p in tagged.street_points[name]]
            cell_stretch = _connected({_cell(p) for p in points})
            for stretch in range(max(cell_stretch.values()) + 1):
                inside = [p for p in points if cell_stretch[_cell(p)] == stretch]
                stretch_street.append(len(streets) - 1)
                stretch_point.append(inside[len(inside) // 2])
                for a in by_street[key]:
                    if cell_stretch[_cell(a.point)] == stretch:
                        texts = (a.number, a.unit, a.house_name, a.city, a.postcode)
                        fields.append([index.setdefault(" ".join(t.split()), len(index)) for t in texts])
                        coordinates.append(a.point)
                stretch_first.append(len(fields))
        return AddressBook(
            texts=tuple(index),
            fields=np.array(fields, dtype=np.int32).reshape(-1, 5),
            coordinates=np.array(coordinates, dtype=np.float64).reshape(-1, 2),
            stretch_street=np.array(stretch_street, dtype=np.int32),
            stretch_first=np.array(stretch_first, dtype=np.int32),
            stretch_point=np.array(stretch_point, dtype=np.float64).reshape(-1, 2),
            streets=tuple(streets),
            aliases=tuple(aliases),
            localities=_localities(tagged),
            regions=frozenset(compact(name) for name in tagged.regions) - {""},
            countries=frozenset(tagged.countries),
        )

    def door(self, i: int) -> Door:
        """The i-th door."""
        number, unit, house_name, city, postcode = [self.texts[t] for t in self.fields[i].tolist()]
        stretch = int(np.searchsorted(self.stretch_first, i, side="right")) - 1
        street = self.streets[self.stretch_street[stretch]]
        return Door(street, number, unit, house_name, city, postcode, LatLon(*self.coordinates[i].tolist()))

    def stretches(self) -> list[Stretch]:
        """All stretches, sorted by street."""
        first = self.stretch_first.tolist()
        return [
            Stretch(street, range(first[i], first[i + 1]), LatLon(*self.stretch_point[i].tolist()))
            for i, street in enumerate(self.stretch_street.tolist())
        ]

    def without(self, places: Iterable[LatLon], within_m: float) -> AddressBook:
        """The same book with the doors around some places torn out; the streets stay."""
        keep = np.ones(len(self.fields), dtype=bool)
        for place in places:
            reach = within_m / 50_000  # degrees, generously: only these few are measured
            near = np.abs(self.coordinates[:, 0] - place.lat) < reach
            for i in np.flatnonzero(near):
                if great_circle_m(place, LatLon(*self.coordinates[i].tolist())) <= within_m:
                    keep[i] = False
        kept_before = np.concatenate([[0], np.cumsum(keep)])
        return replace(
            self,
            fields=self.fields[keep],
            coordinates=self.coordinates[keep],
            stretch_first=kept_before[self.stretch_first].astype(np.int32),
        )

    def save(self, folder: Path) -> None:
        """Write one file into the folder, whole or not at all."""
        words = {
            "format": FORMAT,
            "texts": self.texts,
            "streets": self.streets,
            "aliases": self.aliases,
            "localities": [[x.key, x.point.lat, x.point.lon, x.radius_m, x.own] for x in self.localities],
            "regions": sorted(self.regions),
            "countries": sorted(self.countries),
        }
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"unfinished-{FILE_NAME}"
        np.savez(
            unfinished,
            words=np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), dtype=np.uint8),
            fields=self.fields,
            coordinates=self.coordinates,
            stretch_street=self.stretch_street,
            stretch_first=self.stretch_first,
            stretch_point=self.stretch_point,
        )
        os.replace(unfinished, folder / FILE_NAME)

    @staticmethod
    def load(folder: Path) -> AddressBook:
        """Read what `save` wrote.

        Raises:
            AreaError: missing, damaged, or of another format.
        """
        path = folder / FILE_NAME
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                words: dict[str, Any] = json.loads(arrays["words"].tobytes().decode())
                if words["format"] != FORMAT:
                    raise AreaError(f"the gazetteer in {folder} has another format: build the area again")
                book = AddressBook(
                    texts=tuple(words["texts"]),
                    fields=arrays["fields"],
                    coordinates=arrays["coordinates"],
                    stretch_street=arrays["stretch_street"],
                    stretch_first=arrays["stretch_first"],
                    stretch_point=arrays["stretch_point"],
                    streets=tuple(words["streets"]),
                    aliases=tuple(map(tuple, words["aliases"])),
                    localities=tuple(
                        Locality(key, LatLon(lat, lon), radius, own)
                        for key, lat, lon, radius, own in words["localities"]
                    ),
                    regions=frozenset(words["regions"]),
                    countries=frozenset(words["countries"]),
                )
        except AreaError:
            raise
        except Exception as error:  # numpy, zip and JSON each fail in their own ways on a damaged file
            raise AreaError(f"the gazetteer in {folder} is missing or damaged: build the area again") from error
        if len(book.fields) != len(book.coordinates) or int(book.stretch_first[-1]) != len(book.fields):
            raise AreaError(f"the gazetteer in {folder} is damaged: build the area again")
        return book


def _cell(point: Point) -> tuple[int, int]:
    lat, lon = point
    shrink = max(0.05, float(np.cos(np.radians(lat)))) if abs(lat) < 89 else 0.05
    return int(lat // STRETCH_CELL_DEGREES), int(lon * shrink // STRETCH_CELL_DEGREES)


def _connected(cells: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Number the groups of neighbouring cells (by side or corner), the same way for the same cells."""
    group: dict[tuple[int, int], int] = {}
    groups = 0
    for start in sorted(cells):
        if start in group:
            continue
        group[start] = groups
        waiting = [start]
        while waiting:
            row, column = waiting.pop()
            for cell in [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if cell in cells and cell not in group:
                    group[cell] = groups
                    waiting.append(cell)
        groups += 1
    return group


def _localities(tagged: Tagged) -> tuple[Locality, ...]:
    """Places that are tagged as such, and the cities that addresses name: those reach as far as their addresses."""
    found = [
        Locality(compact(name), LatLon(*place.point), LOCALITY_RADIUS_M[place.kind], place.kind in ("city", "town"))
        for place in tagged.places
        if place.kind in LOCALITY_RADIUS_M
        for name in place.names
    ]
    by_city: dict[str, list[Point]] = defaultdict(list)
    for address in tagged.addresses:
        by_city[compact(address.city)].append(address.point)
    for key, points in by_city.items():
        middle = _middle(points)
        found.append(Locality(key, middle, max(great_circle_m(middle, LatLon(*p)) for p in points), False))
    return tuple(dict.fromkeys(place for place in found if place.key))


def _middle(points: Sequence[Point]) -> LatLon:
    return LatLon(*np.median(np.array(points), axis=0).tolist())
