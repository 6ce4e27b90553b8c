"""What has happened to opportunities, told in order: the moments that people wrote down, the history, the visits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from planner.fieldwork.domain import Disposition
from planner.hours import instant
from planner.kpi.domain import Told
from planner.kpi.reading import EVERY_DAY, EVERY_NUMBER, MOST_ASKED, Team, chunks
from planner.repository import UnitOfWork

_WRITTEN = {"lead_at": "lead", "contacted_at": "contacted", "qualified_at": "qualified"}
_TRIED = {
    Disposition.MET: "met",
    Disposition.NOT_IN: "not in",
    Disposition.RESCHEDULED: "wants another day",
    Disposition.REFUSED: "refused",
}


def told_of(
    unit: UnitOfWork, area: str, ids: Collection[str], names: Mapping[str, str], team: Team
) -> Mapping[str, Sequence[Told]]:
    """By id of an opportunity that is seen, all that is known to have happened to it, the oldest first.

    Args:
        names: what is told of each rep.
    """
    told: dict[str, list[tuple[datetime, int, Told]]] = defaultdict(list)
    for deal in unit.records(area).leads():
        if deal.id in ids:
            for field, action in _WRITTEN.items():
                at = getattr(deal, field)
                if at is not None:
                    moment = instant(at, team.zone)
                    told[deal.id].append((moment, 0, Told(moment, action, "", "")))
    people = _People(unit)
    fields = ("opportunity_id", "number", "at", "actor", "action", "text")
    few = {"opportunity_id": frozenset(ids)} if len(ids) <= MOST_ASKED else {}
    for deal_id, number, at, actor, action, text in unit.handoff_events.columns(
        fields, "number", *EVERY_NUMBER, area=area, **few
    ):
        if deal_id in ids:
            said = None if action == "began" else at  # that was written down with its first change
            told[deal_id].append((at, number, Told(said, action, text, people.name(actor))))
    for some in chunks(ids):
        for deal_id, rep, arrived_at, reported_at, disposition in unit.field_visits.columns(
            ("opportunity_id", "rep_id", "arrived_at", "reported_at", "disposition"),
            "day",
            *EVERY_DAY,
            area=area,
            opportunity_id=some,
        ):
            at = arrived_at or reported_at
            text = _TRIED[disposition] if disposition is not None else ""
            when = at or datetime.max.replace(tzinfo=UTC)
            told[deal_id].append((when, 0, Told(at, "visit", text, names.get(rep, ""))))
    return {id_: [each for *_, each in sorted(told[id_], key=lambda entry: entry[:2])] for id_ in ids}


class _People:
    """Who an actor is: people by their names, fieldvisit by its own, programs by nothing."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._known = {"system": "fieldvisit", "fieldvisit": "fieldvisit"}

    def name(self, actor: str) -> str:
        if actor not in self._known:
            user = self._unit.users.get(actor.removeprefix("user:")) if actor.startswith("user:") else None
            self._known[actor] = (user.name or user.email) if user is not None else ""
        return self._known[actor]
