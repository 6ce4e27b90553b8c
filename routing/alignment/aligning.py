"""The way from sites and centres to an alignment."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from routing.alignment.domain import Alignment, Centre, Prices, Site
from routing.alignment.preparing import prepare
from routing.alignment.searching import AlignmentLimits, search
from routing.travel_times import TravelTimeSource

UNITS_A_CENTRE = 30
MOST_UNITS = 1_500
DEFAULT_PRICES = Prices()


def align(
    sites: Sequence[Site],
    centres: Sequence[Centre],
    source: TravelTimeSource,
    limits: AlignmentLimits,
    prices: Prices = DEFAULT_PRICES,
    drive_s: Mapping[str, float] | None = None,
) -> Alignment:
    """Give every site to a centre, at the least cost that is found in time.

    Args:
        drive_s: by site, seconds of driving of one visit as things are now, as `routing.workload.workload` tells them
            (`Workloads.drive_s`); None to ask it.

    Raises:
        RoutingError: no centres, an id that occurs twice, a site pinned to what is no centre.
    """
    began = time.monotonic()
    most_units = min(MOST_UNITS, UNITS_A_CENTRE * len(centres))
    prepared = prepare(sites, centres, source, prices, most_units, drive_s)
    owner, bound = search(prepared.problem, limits, began)
    return prepared.alignment(owner, bound, time.monotonic() - began)
