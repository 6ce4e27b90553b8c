"""Streets: compiled once for an area, then asked for nearest streets, travel times and ways."""

from routing.streets.network import StreetNetwork
from routing.streets.snapping import Snap

__all__ = ["Snap", "StreetNetwork"]
