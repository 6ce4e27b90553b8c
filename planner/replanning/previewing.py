"""What would come of a wish for the rest of a day."""

from __future__ import annotations

from datetime import date, datetime

from planner.replanning.domain import Preview, Wish
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas


def preview(
    unit: UnitOfWork, agendas: Agendas, area: str, rep_id: str, day: date, wish: Wish, settings: Settings, now: datetime
) -> Preview:
    """The rest of a rep's day as it would be, mended with as few changes as possible. Reads only.

    `unit` sees the whole area; whether the asking person may see the rep is for the caller to check.

    Raises:
        NotFoundError: there is no such rep or visit, or nobody knows where it is.
        InvalidRecordError: the wish makes no sense on this day; it names the field.
    """
    raise NotImplementedError
