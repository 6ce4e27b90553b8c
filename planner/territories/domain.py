"""The words of territories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from planner.domain import _check, _check_text

MAX_NAME = 200


class TerritorySource(StrEnum):
    """Where the shape of a territory comes from."""

    IMPORTED = "imported"
    """A GeoJSON file."""
    MUNICIPALITY = "municipality"
    """A boundary of the area's extract."""
    POSTCODE = "postcode"
    """What lies nearest to the extract's addresses of a postcode district."""
    DRAWN = "drawn"
    """Somebody drew it on the map."""


@dataclass(frozen=True, slots=True)
class Territory:
    """A shape that belongs to a rep. A customer lies in the first one by id that holds its place.

    Attributes:
        revision: goes up with every change, from 1.
        rep_id: whose it is; empty for nobody's.
        geometry: a GeoJSON Polygon or MultiPolygon, valid, in WGS 84, coordinates as [lon, lat].
    """

    area: str
    id: str
    revision: int
    name: str
    rep_id: str
    source: TerritorySource
    geometry: Mapping[str, Any]

    def __post_init__(self) -> None:
        _check(bool(self.id), "id", "is empty")
        _check(bool(self.name.strip()), "name", "is empty")
        _check_text(self, "id", "name", "rep_id", limit=MAX_NAME)
        _check(self.revision >= 1, "revision", f"{self.revision} is below 1")
