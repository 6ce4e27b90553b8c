"""What a site adds to a centre's driving, fast enough to ask for every site under every centre.

    seconds of a visit = leg + (out + back) ÷ visits a day

The *leg* is the way from one visit to the next where visits lie as densely as they do around the site in a week. The
way out and back is shared by as many visits as fit into a day that far from the base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from routing.alignment.domain import NOBODY, Centre, Minutes, Numbers, Site
from routing.geo import EARTH_RADIUS_M
from routing.travel_times import TravelTimeSource
from routing.workload import WEEKS_A_MONTH, MonthlyVisits, workload

AROUND = 64
"""Sites that are looked at around each, to tell how densely its visits lie."""
ENOUGH = 3.0
"""Visits a week that tell it."""
M_PER_S = 5.0
"""Metres by the crow in a second of a leg, where no driving is known that tells it."""
SLOWEST, FASTEST = 1.0, 20.0


def metres_of(sites: Sequence[Site]) -> Minutes:
    """The sites on a flat map, n × 2 metres."""
    degrees = np.array([(site.place.lat, site.place.lon) for site in sites], dtype=np.float64).reshape(-1, 2)
    metres: Minutes = np.radians(degrees) * EARTH_RADIUS_M
    metres[:, 1] *= np.cos(np.radians(degrees[:, 0].mean())) if len(sites) else 1.0
    return metres


def leg_seconds(sites: Sequence[Site], groups: Numbers, m_per_s: float = M_PER_S) -> Minutes:
    """n seconds from a visit at each site to the next, among the sites of its group alone.

    Of random points, λ to the square metre, a long tour has legs of 0.7124 ÷ √λ (Beardwood, Halton, Hammersley 1959;
    constant by Johnson, McGeoch, Rothberg 1996).
    """
    legs = np.zeros(len(sites))
    metres = metres_of(sites)
    a_week = np.array([site.times_a_month / WEEKS_A_MONTH for site in sites])
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        if len(members) < 2:
            continue
        distances, who = cKDTree(metres[members]).query(metres[members], k=min(AROUND, len(members)))
        visits = np.cumsum(a_week[members][who], axis=1)
        last = np.minimum(
            np.argmax(visits >= ENOUGH, axis=1) + len(members) * (visits[:, -1] < ENOUGH), visits.shape[1] - 1
        )
        rows = np.arange(len(members))
        reach, seen = distances[rows, last], np.maximum(visits[rows, last], 1e-9)
        legs[members] = 0.7124 * np.sqrt(np.pi * reach**2 / seen) / m_per_s
    return legs


def drive_under(
    centres: Sequence[Centre], sites: Sequence[Site], out: Minutes, back: Minutes, legs: Minutes
) -> Minutes:
    """n × m minutes a month of driving to each site under each centre; infinite where no way leads.

    Args:
        out, back: n × m seconds from the start of each centre's days, and to the end of them.
        legs: n seconds from a visit to the next.
    """
    times = np.array([site.times_a_month for site in sites])
    service = np.array([site.service_s for site in sites], dtype=np.float64)
    drive = np.full(out.shape, np.inf)
    for c, centre in enumerate(centres):
        stem = out[:, c] + back[:, c]
        reached = np.isfinite(stem)
        fit = (centre.base.day_s - stem[reached]) / np.maximum(service[reached] + legs[reached], 1.0)
        a_day = np.clip(fit, 1.0, centre.base.most_visits or np.inf)
        drive[reached, c] = times[reached] * (legs[reached] * (1 - 1 / a_day) + stem[reached] / a_day) / 60
    return drive


def calibrated(
    sites: Sequence[Site],
    centres: Sequence[Centre],
    out: Minutes,
    back: Minutes,
    current: Numbers,
    source: TravelTimeSource,
    drive_s: Mapping[str, float] | None,
) -> float:
    """Metres by the crow in a second of a leg, such that the driving as things are now comes out right.

    Args:
        drive_s: seconds of driving of one visit to a site under its present centre, as `workload` tells them; None to
            ask it.
    """
    stems = out + back
    owned = np.flatnonzero((current != NOBODY) & np.isfinite(stems[np.arange(len(sites)), current]))
    mine, owner = [sites[number] for number in owned.tolist()], current[owned]
    if drive_s is None:
        bases = {centre.id: centre.base for centre in centres}
        visits = [
            MonthlyVisits(s.id, centres[c].id, s.place, s.times_a_month, s.service_s)
            for s, c in zip(mine, owner.tolist(), strict=True)
        ]
        drive_s = workload(bases, visits, source).drive_s
    measured = sum(drive_s.get(site.id, 0.0) * site.times_a_month for site in mine) / 60
    rows = np.arange(len(mine))
    legs = leg_seconds(mine, owner)

    def modelled(factor: float) -> float:
        return float(drive_under(centres, mine, out[owned], back[owned], legs * factor)[rows, owner].sum())

    of_stems = modelled(0.0)
    of_legs = modelled(1.0) - of_stems
    if of_legs <= 0 or measured <= of_stems:
        return M_PER_S
    return float(np.clip(M_PER_S * of_legs / (measured - of_stems), SLOWEST, FASTEST))
