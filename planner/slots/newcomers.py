"""Somebody new to whom a visit is promised becomes an opportunity."""

from __future__ import annotations

from datetime import datetime, tzinfo

from planner.domain import Address, Opportunity
from planner.slots.domain import Booking


def newcomer(hold: Booking, name: str, now: datetime, zone: tzinfo) -> Opportunity:
    """What a hold for somebody new tells of them, to be completed by what they said.

    The id follows from the hold's, so that whoever confirms it twice writes down one.

    Args:
        zone: of the clock at which they called, which records keep.
    """
    called_at = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    return Opportunity(
        id=f"B-{hold.id}",
        name=name,
        address=Address(hold.address),
        qualified_at=called_at,
        lead_at=called_at,
        contacted_at=called_at,
        visit_minutes=hold.service_minutes,
        required_skills=hold.skills,
        availability=hold.hours,
        inside_rep=hold.inside_rep,
    )
