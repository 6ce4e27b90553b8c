"""Typed addresses → places, from the addresses of an area's own OpenStreetMap extract."""

from routing.gazetteer.completing import Completion
from routing.gazetteer.gazetteer import Gazetteer
from routing.gazetteer.results import Candidate, GeocodingResult, Verdict

__all__ = ["Candidate", "Completion", "Gazetteer", "GeocodingResult", "Verdict"]
