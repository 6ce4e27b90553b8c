"""Bringing a day in line with what its rep did and said."""

from __future__ import annotations

from datetime import date

from planner.access import Actor
from planner.repository import Store
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.domain import ChangedDay


def refresh(
    store: Store, actor: Actor, agendas: Agendas, area: str, rep_id: str, day: date, settings: Settings
) -> ChangedDay | None:
    """Make the route of a rep's day, and the promises to be called about, follow what is known of it by now.

    Opens its own transactions; call it after events have been committed. Doing it again changes nothing.

    Returns the day as it is stored then; None where nobody is shown it any more, or nothing is known of it.

    Raises:
        NotFoundError: there is no such rep, or nobody knows where the rep starts.
    """
    raise NotImplementedError
