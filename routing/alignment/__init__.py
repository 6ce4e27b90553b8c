"""Which centre visits which sites: evenly, near, in one piece, and with few changes."""

from routing.alignment.aligning import align
from routing.alignment.domain import Alignment, Centre, Prices, Site
from routing.alignment.searching import AlignmentLimits

__all__ = ["Alignment", "AlignmentLimits", "Centre", "Prices", "Site", "align"]
