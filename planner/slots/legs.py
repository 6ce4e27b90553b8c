"""The places of days by number, and the ways between them, each asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from routing.geo import LatLon
from routing.travel_times import TravelTimeSource


class Numbering:
    """Places in the order in which they were first named: an index never changes."""

    def __init__(self) -> None:
        self.places: list[LatLon] = []
        self._number: dict[LatLon, int] = {}

    def __getitem__(self, place: LatLon) -> int:
        number = self._number.setdefault(place, len(self.places))
        if number == len(self.places):
            self.places.append(place)
        return number

    def find(self, place: LatLon) -> int:
        """The number of a place; of one that has none the next free one, which it does not take."""
        return self._number.get(place, len(self.places))


class Legs:
    """Seconds and metres of legs, each asked for once."""

    def __init__(self, source: TravelTimeSource) -> None:
        self.source = source
        self._known: dict[tuple[LatLon, LatLon], tuple[int, int]] = {}

    def learn(self, places: Sequence[LatLon]) -> None:
        """Ask for all legs between some places at once."""
        asked = list(dict.fromkeys(places))
        times = self.source.travel_times(asked)
        seconds, metres = times.seconds.tolist(), times.metres.tolist()
        for i, a in enumerate(asked):
            for j, b in enumerate(asked):
                self._known[a, b] = seconds[i][j], metres[i][j]

    def along(
        self, places: Sequence[LatLon], told: Mapping[tuple[LatLon, LatLon], tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """(seconds, metres) from each place to the next: as `told`, or else as the source says."""
        pairs = list(pairwise(places))
        if len(self._known) > MOST_LEGS:
            self._known.clear()
        unknown = {
            place
            for pair in pairs
            if pair[0] != pair[1] and pair not in told and pair not in self._known
            for place in pair
        }
        if unknown:
            asked = sorted(unknown, key=lambda place: (place.lat, place.lon))
            times = self.source.travel_times(asked)
            number = {place: i for i, place in enumerate(asked)}
            for a, b in pairs:
                if a in number and b in number:
                    i, j = number[a], number[b]
                    self._known[a, b] = int(times.seconds[i, j]), int(times.metres[i, j])
        return [(0, 0) if a == b else told[a, b] if (a, b) in told else self._known[a, b] for a, b in pairs]


MOST_LEGS = 200_000
"""Some tens of megabytes."""
