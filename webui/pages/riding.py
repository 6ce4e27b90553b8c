"""Customers near an opportunity who are due: offered as visits on the same way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from planner.access import Permission, Scope
from planner.domain import RecordKind
from planner.errors import PlannerError
from planner.slots.domain import Booking
from planner.slots.nearby import RideAlong, ride_alongs
from routing.area import Area
from routing.errors import RoutingError
from routing.geo import LatLon
from webui.pages.plans import settings, sources
from webui.policy import viewer
from webui.presenting.opportunity import RideView, Team
from webui.words import duration, sentence

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Ride:
    """A customer who may ride along, and what the viewer is told of them. `which` stands for the id in forms, since
    not everybody who books sees the customer."""

    account_id: str
    which: str
    view: RideView


def rides_near(
    area: Area, place: LatLon, promise: Booking | None, team: Team, today: date, account_id: str
) -> list[Ride]:
    """The nearest of them. The opportunity's own customer (`account_id`) is none: the visit is to them. With a promise
    only those whom its rep may visit; and of those whom the viewer does not see only whom they could add to its day."""
    try:
        with sources().store.read(Scope(area=area.name)) as unit:
            found = ride_alongs(unit, sources().agendas, area.name, place, settings(), today)
    except (PlannerError, RoutingError):
        return []  # what is wrong with streets or plans is told where they are looked at
    rep = promise.rep_id if promise else ""
    fitting = [near for near in found if near.account_id != account_id and (not rep or near.owner_rep_id in ("", rep))]
    with sources().store.read(viewer().scope) as unit:
        records = unit.records(area.name)
        seen = {near.account_id for near in fitting if records.get(RecordKind.ACCOUNT, near.account_id) is not None}
    told = [near for near in fitting if near.account_id in seen or (rep and not near.planned)]
    return [_ride(near, near.account_id in seen, promise, team) for near in told[:SHOWN]]


def _ride(near: RideAlong, seen: bool, promise: Booking | None, team: Team) -> Ride:
    which = hashlib.sha256(f"ride along {near.account_id}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    whose = f"{team.name(near.owner_rep_id)}’s customer" if near.owner_rep_id else "a customer of nobody’s"
    view = RideView(
        which=which,
        name=near.name if seen else sentence(whose),
        id=near.account_id if seen else "",
        minutes=duration(near.away_s),
        why=near.why if seen else "due, or well into their days",
        planned=near.planned if seen and viewer().may(Permission.SEE_TEAM) else "",  # it names another rep
        may_add=promise is not None,
    )
    return Ride(near.account_id, which, view)
