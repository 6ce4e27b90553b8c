"""What a geocoder answers: a verdict, up to five candidates, and a sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.errors import RoutingError
from routing.geo import LatLon

MAX_CANDIDATES = 5

SAME_PLACE_M = 150.0
"""Doors or answers this close together are one place to drive to."""


class Verdict(StrEnum):
    """`matched` may be planned, `review` waits for a person to choose, `not_found` has nothing to offer."""

    MATCHED = "matched"
    REVIEW = "review"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible place. `address` is as the source spells it; `confidence` runs from 0 to 1."""

    place: LatLon
    address: str
    confidence: float

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise RoutingError(f"confidence {self.confidence!r} is not between 0 and 1")


@dataclass(frozen=True, slots=True)
class GeocodingResult:
    """The answer for one typed address; `candidates[0]` is the place when the verdict is `matched`.

    Raises:
        RoutingError: a verdict and candidates that contradict each other, or more than five candidates.
    """

    verdict: Verdict
    candidates: tuple[Candidate, ...]
    reason: str

    def __post_init__(self) -> None:
        if len(self.candidates) > MAX_CANDIDATES:
            raise RoutingError(f"a geocoding result has {len(self.candidates)} candidates, not five at most")
        if bool(self.candidates) == (self.verdict is Verdict.NOT_FOUND):
            raise RoutingError(f"verdict {self.verdict} with {len(self.candidates)} candidates")


def not_found(reason: str) -> GeocodingResult:
    """The answer when there is nothing to offer."""
    return GeocodingResult(Verdict.NOT_FOUND, (), reason)
