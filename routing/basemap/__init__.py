"""The offline base map: an extract drawn into one PMTiles file."""

from routing.basemap.tiles import ATTRIBUTION, build_basemap

__all__ = ["ATTRIBUTION", "build_basemap"]
