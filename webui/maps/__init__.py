"""Maps: what stands on them as values, and the three pieces of a page that draw them."""

from webui.maps.domain import COLOURS, MapFragments, MapPlace, MapRoute, MapStop, TileServer, packed
from webui.maps.drawing import bare_map, coverage_map, day_map, field_map, team_map

__all__ = [
    "COLOURS",
    "MapFragments",
    "MapPlace",
    "MapRoute",
    "MapStop",
    "TileServer",
    "bare_map",
    "coverage_map",
    "day_map",
    "field_map",
    "packed",
    "team_map",
]
