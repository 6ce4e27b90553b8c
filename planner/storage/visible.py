"""Whose rows a scope sees, as conditions of queries on an area's records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cached_property

import sqlalchemy as sa

from planner.amending import ShownDay, Standing
from planner.domain import RecordKind
from planner.repository import StoredPlan
from planner.scoping import Seen, Visited
from planner.storage.tables import ACCOUNTS, CHANGED_DAYS, HANDOFFS, OPPORTUNITIES, PLANS, RECORD_TABLES, REPS
from planner.storage.transaction import Transaction


class Visible:
    """What of one area's records the scope of a transaction sees.

    A customer belongs to its owner, and is seen by the reps who visit it in the plan that reps see: the version
    published last; where drafts are seen and nothing is published, the newest. An opportunity belongs to the rep who
    visits it or to whom it was handed, and to the owner of its account.
    """

    def __init__(self, transaction: Transaction, area: str) -> None:
        self._connection = transaction.connection
        self._scope = transaction.actor.scope
        self._area = area
        self._of_area = self._scope.sees(area)

    @property
    def everything(self) -> bool:
        return self._of_area and self._scope.everybody

    def where(self, kind: RecordKind) -> list[sa.ColumnElement[bool]]:
        """Conditions that the records of a kind meet if and only if they are seen."""
        if not self._of_area:
            return [sa.false()]
        if self._scope.everybody:
            return []
        if self._scope.inside_rep is not None:
            return [self._handed_off_by(self._scope.inside_rep, kind)]
        if kind is RecordKind.REP:
            return [REPS.c.id.in_(self._reps)]
        return [self._accounts() if kind is RecordKind.ACCOUNT else self._opportunities()]

    def where_plans(self) -> list[sa.ColumnElement[bool]]:
        """The same of plan versions."""
        if not self._of_area:
            return [sa.false()]
        return [] if self._scope.drafts else [PLANS.c.published_at.is_not(None)]

    def hidden(self, kinds: Iterable[RecordKind]) -> set[tuple[RecordKind, str]]:
        """Kind and id of the records of some kinds that are not seen."""
        hidden = set()
        for kind in kinds:
            table = RECORD_TABLES[kind]
            everybody = self._connection.execute(sa.select(table.c.id).where(table.c.area == self._area)).scalars()
            hidden |= {(kind, record_id) for record_id in set(everybody) - self._ids(kind)}
        return hidden

    @cached_property
    def plan(self) -> Standing | None:
        """The plan that counts."""
        if not self._of_area:
            return None
        if (published := self.published()) is not None:
            return published
        version = self.latest_version(published=False) if self._scope.drafts else None
        return None if version is None else Standing(self._made(version))

    def published(self) -> Standing | None:
        """The plan published last as it stands now, with everybody's days in it."""
        version = self.latest_version(published=True)
        if version is None:
            return None
        plan, changed = self._made(version), CHANGED_DAYS.c
        days = [changed.plan_version == version]
        if plan.published_at is not None:  # days beyond it count from that day on, which begins later in the west
            first = plan.published_at.date() - timedelta(days=1)
            days.append((changed.plan_version == 0) & (changed.day >= first))
        # The routes as text: they are read into objects once, not every time.
        columns = changed.rep_id, changed.day, changed.plan_version, sa.cast(changed.route, sa.Text).label("route")
        asked = sa.select(*columns).where(changed.area == self._area, sa.or_(*days), changed.route.is_not(None))
        shown = [ShownDay(**row) for row in self._connection.execute(asked).mappings()]
        return Standing.of(plan, sorted(shown, key=_by_day_and_rep))

    def _made(self, version: int) -> StoredPlan:
        asked = sa.select(PLANS).where(PLANS.c.area == self._area, PLANS.c.version == version)
        return StoredPlan(**self._connection.execute(asked).mappings().one())

    def latest_version(self, *, published: bool) -> int | None:
        """The version published last, or the newest one; without its document, which is slow to sort by."""
        query = sa.select(PLANS.c.version).where(PLANS.c.area == self._area, *self.where_plans())
        if published:
            query = query.where(PLANS.c.published_at.is_not(None)).order_by(PLANS.c.published_at.desc())
        return self._connection.scalar(query.order_by(PLANS.c.version.desc()).limit(1))

    def seen(self) -> Seen:
        """The same as ids, for cutting plans; asked only where not everything is seen."""
        inside = self._scope.inside_rep is not None
        return Seen(
            None if inside or not self._of_area else frozenset(self._reps),
            self._ids(RecordKind.ACCOUNT),
            self._ids(RecordKind.OPPORTUNITY),
        )

    def _ids(self, kind: RecordKind) -> frozenset[str]:
        table = RECORD_TABLES[kind]
        query = sa.select(table.c.id).where(table.c.area == self._area, *self.where(kind))
        return frozenset(self._connection.execute(query).scalars())

    def _handed_off_by(self, inside_rep: str, kind: RecordKind) -> sa.ColumnElement[bool]:
        # Databases disagree about capitals beyond ASCII.
        names = sa.select(OPPORTUNITIES.c.inside_rep).where(OPPORTUNITIES.c.area == self._area).distinct()
        spelt = [name for name in self._connection.execute(names).scalars() if name.casefold() == inside_rep.casefold()]
        theirs = OPPORTUNITIES.c.inside_rep.in_(spelt)
        if kind is RecordKind.OPPORTUNITY:
            return theirs
        if kind is RecordKind.ACCOUNT:
            return ACCOUNTS.c.id.in_(
                sa.select(OPPORTUNITIES.c.account_id).where(OPPORTUNITIES.c.area == self._area, theirs)
            )
        return sa.false()

    def _accounts(self) -> sa.ColumnElement[bool]:
        owned = ACCOUNTS.c.owner_rep_id.in_(self._reps)
        seen = owned | ACCOUNTS.c.id.in_(self._visited_accounts(self._reps))
        return seen | (ACCOUNTS.c.owner_rep_id == "") if self._scope.unassigned else seen

    def _opportunities(self) -> sa.ColumnElement[bool]:
        handed_to_them = (HANDOFFS.c.area == self._area) & HANDOFFS.c.field_rep.in_(self._reps)
        seen = OPPORTUNITIES.c.id.in_(self._visited_opportunities(self._reps)) | OPPORTUNITIES.c.id.in_(
            sa.select(HANDOFFS.c.opportunity_id).where(handed_to_them)
        )
        if not self._scope.unassigned:
            return seen
        accounts = sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.area == self._area)
        theirs = accounts.where(ACCOUNTS.c.owner_rep_id.in_(self._reps))
        anybodys = accounts.where(ACCOUNTS.c.owner_rep_id != "")
        account, planned = OPPORTUNITIES.c.account_id, self._visited_opportunities(self._visits)
        return seen | account.in_(theirs) | (OPPORTUNITIES.c.id.not_in(planned) & account.not_in(anybodys))

    @property
    def _reps(self) -> list[str]:
        return sorted(self._scope.reps or ())

    @property
    def _visits(self) -> Mapping[str, Visited]:
        return self.plan.visited if self.plan is not None else {}

    def _visited_accounts(self, reps: Iterable[str]) -> list[str]:
        visits = self._visits
        return sorted({record for rep in reps if rep in visits for record in visits[rep].accounts})

    def _visited_opportunities(self, reps: Iterable[str]) -> list[str]:
        visits = self._visits
        return sorted({record for rep in reps if rep in visits for record in visits[rep].opportunities})


def _by_day_and_rep(day: ShownDay) -> tuple[date, str]:
    return day.day, day.rep_id
