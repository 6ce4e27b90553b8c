"""Publishing a plan: what was promised since it was made is put into its days, or it is not published.

All days are computed beside the others' work; the write only makes sure that nothing has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from planner.access import Actor, Scope
from planner.errors import NotFoundError
from planner.rebasing import Basis, Rebased
from planner.replanning.refreshing import refresh_days
from planner.repository import Store, UnitOfWork
from planner.settings import Settings
from planner.slots.agenda import Agendas
from planner.slots.domain import ChangedDay

TRIES = 5
"""So often it is computed beside the others' work; then within the write, where nobody books meanwhile."""


def publish(
    store: Store,
    actor: Actor,
    agendas: Agendas,
    area: str,
    version: int | None,
    settings: Settings,
    now: datetime,
    also: Callable[[UnitOfWork, int], None] | None = None,
) -> int:
    """Make a version, or the newest, the one that reps see, with all that is promised or held by now; its number.

    What phones have said of its days, also before any plan had them, is laid over them right afterwards.

    Args:
        now: when it is published, as pages tell it.
        also: called with the version within the transaction that publishes it.

    Raises:
        NotFoundError: there is no such version, or no plan at all.
        PromiseBrokenError: a promise or a hold has no room in the plan; nothing was published.
    """
    if not actor.scope.sees(area):
        raise NotFoundError(f"there is no area {area}")
    for_all = replace(actor, scope=Scope(area=area))  # whose days these are is not asked: all are published together

    def prepare(unit: UnitOfWork) -> tuple[Basis, list[ChangedDay]]:
        basis = Basis.read(unit, area, version, settings)
        again = basis.plan.version == basis.standing.published  # then its days are as they should be
        return basis, [] if again else Rebased(unit, basis, agendas, settings, actor.scope).rows()

    def carry_out(unit: UnitOfWork, basis: Basis, rows: Sequence[ChangedDay]) -> int:
        published = basis.plan.version
        unit.plans(area).publish(published, now)
        for row in rows:
            unit.changed_days.put(row)
        unit.audit("plan.published", str(published), area=area, changed_days=len(rows))
        if also is not None:
            also(unit, published)
        return published

    for _ in range(TRIES):
        with store.read(for_all.scope) as unit:
            basis, rows = prepare(unit)
        with store.write(for_all) as unit:
            if not basis.standing.is_kept(unit, area):
                continue
            published = carry_out(unit, basis, rows)
        break
    else:
        with store.write(for_all) as unit:
            basis, rows = prepare(unit)
            published = carry_out(unit, basis, rows)
    refresh_days(store, for_all, agendas, area, sorted(basis.begun), settings)
    return published
