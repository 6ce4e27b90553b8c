"""The places of days by number, and the ways between them, each asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from planner.rush_hours import slowed
from planner.settings import TrafficSettings
from routing.geo import LatLon
from routing.insertion import Itinerary
from routing.problem import UNREACHABLE, Job, Shift
from routing.traffic import Change, arrive_s, depart_s
from routing.travel_times import Fan, HourlyFan, TravelTimes, TravelTimeSource

Leg = tuple[int, int]
"""Seconds and metres."""
Told = Mapping[tuple[LatLon, LatLon], Leg]


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
    """Seconds and metres of legs, each asked for once, and their seconds at other hours where driving takes longer."""

    def __init__(self, source: TravelTimeSource, traffic: TrafficSettings) -> None:
        self.source = source
        self.slowed = slowed(source, traffic)
        self._known: dict[tuple[LatLon, LatLon], tuple[int, ...]] = {}

    def squares(self, places: Sequence[LatLon]) -> list[TravelTimes]:
        """Those between some places, in every table."""
        return [source.travel_times(places) for source in (self.source, *self.slowed)]

    def fan(self, places: Sequence[LatLon]) -> Fan:
        """The same between these places and one that is not known yet."""
        first = self.source.fan(places)
        return HourlyFan(first, tuple(source.fan(places) for source in self.slowed)) if self.slowed else first

    def learn(self, places: Sequence[LatLon]) -> None:
        """Ask for all legs between some places at once."""
        asked = list(dict.fromkeys(places))
        lines = self._lines(asked)
        for i, a in enumerate(asked):
            for j, b in enumerate(asked):
                self._known[a, b] = tuple(line[i][j] for line in lines)

    def along(self, places: Sequence[LatLon], told: Told) -> list[Leg]:
        """(seconds, metres) from each place to the next: as `told`, or else as the source says.

        What was told is of one hour, and counts only where all are alike.
        """
        pairs = list(pairwise(places))
        told = {} if self.slowed else told
        self._learn_along(pairs, told)
        legs = ((0, 0) if a == b else told[a, b] if (a, b) in told else self._known[a, b] for a, b in pairs)
        return [(leg[0], leg[1]) for leg in legs]

    def itinerary(
        self, shift: Shift, jobs: tuple[Job, ...], places: Sequence[LatLon], told: Told, traffic: tuple[Change, ...]
    ) -> Itinerary:
        """Jobs in their order; `places` are the start, theirs, and the end."""
        legs = self.along(places, told)
        seconds, metres = tuple(leg[0] for leg in legs), tuple(leg[1] for leg in legs)
        if not self.slowed:
            return Itinerary(shift, jobs, seconds, metres)
        hours = zip(*(self.hours(a, b)[1:] for a, b in pairwise(places)), strict=True)
        return Itinerary(shift, jobs, seconds, metres, tuple(hours), traffic)

    def hours(self, origin: LatLon, destination: LatLon) -> tuple[int, ...]:
        """The seconds of a leg in each table."""
        if origin == destination:
            return (0,) * (1 + len(self.slowed))
        self._learn_along([(origin, destination)], {})
        seconds, _, *others = self._known[origin, destination]
        return (seconds, *others)

    def _learn_along(self, pairs: Sequence[tuple[LatLon, LatLon]], told: Told) -> None:
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
            number = {place: i for i, place in enumerate(asked)}
            lines = self._lines(asked)
            for a, b in pairs:
                if a in number and b in number:
                    self._known[a, b] = tuple(line[number[a]][number[b]] for line in lines)

    def _lines(self, places: Sequence[LatLon]) -> list[list[list[int]]]:
        """Seconds, metres, and the seconds of the other tables."""
        first, *others = self.squares(places)
        return [first.seconds.tolist(), first.metres.tolist(), *(times.seconds.tolist() for times in others)]


@dataclass(frozen=True)
class Ways:
    """The ways of a day as they are driven at some hour: `told` are those that it was made with."""

    legs: Legs
    told: Told
    traffic: tuple[Change, ...]

    def arriving(self, places: Sequence[LatLon], at: Sequence[int]) -> list[Leg]:
        """(seconds, metres) from each place to the next, for whoever arrives at these times."""
        legs = self.legs.along(places, self.told)
        if not self.traffic:
            return legs
        hours = (self.legs.hours(a, b) for a, b in pairwise(places))
        return [
            (by_s - depart_s(each, self.traffic, by_s), metres)
            for each, (_, metres), by_s in zip(hours, legs, at, strict=True)
        ]

    def leaving(self, origin: LatLon, destination: LatLon, at: int) -> Leg:
        """(seconds, metres) for whoever leaves then."""
        seconds, metres = self.legs.along([origin, destination], self.told)[0]
        if self.traffic and seconds != UNREACHABLE:
            seconds = arrive_s(self.legs.hours(origin, destination), self.traffic, at) - at
        return seconds, metres


MOST_LEGS = 200_000
"""Some tens of megabytes."""
