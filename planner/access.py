"""Who may do what, and whose rows they see; every read and write below is done in somebody's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is to the company."""

    FIELD_REP = "field_rep"
    INSIDE_REP = "inside_rep"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a role may do; also the scopes of API tokens."""

    SEE_DAYS = "days:read"
    WRITE_DAYS = "days:write"
    SEE_HANDOFFS = "handoffs:read"
    HAND_OFF = "handoffs:write"
    ANSWER_HANDOFFS = "handoffs:answer"
    BOOK = "bookings:write"
    REPORT = "reports:write"
    SEE_CHECK_INS = "check_ins:read"
    SEE_RECORDS = "records:read"
    WRITE_RECORDS = "records:write"
    SEE_TEAM = "team:read"
    SEE_FIGURES = "figures:read"
    REALIGN = "territories:write"
    PLAN = "plans:write"
    ADMINISTER = "admin"
    SEE_METRICS = "metrics:read"


_MANAGER = frozenset(Permission) - {Permission.ADMINISTER, Permission.SEE_METRICS}
PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.FIELD_REP: frozenset(
            {
                Permission.SEE_DAYS,
                Permission.WRITE_DAYS,
                Permission.SEE_RECORDS,
                Permission.ANSWER_HANDOFFS,
                Permission.REPORT,
            }
        ),
        Role.INSIDE_REP: frozenset(
            {Permission.SEE_HANDOFFS, Permission.HAND_OFF, Permission.BOOK, Permission.SEE_RECORDS}
        ),
        Role.MANAGER: _MANAGER,
        Role.ADMIN: frozenset(Permission),
    }
)
"""What each role may do; nothing else is allowed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows are seen; the store applies it to every query (planner/storage), so that no view can forget it.

    Attributes:
        area: the one area that is seen; None for every area.
        reps: ids of the reps whose days and customers are seen; None for everybody's.
        unassigned: whether rows that belong to no rep are seen too.
        inside_rep: as `Opportunity.inside_rep`; only the opportunities that this person handed off are seen.
        drafts: whether plans that are not published are seen.
    """

    area: str | None = None
    reps: frozenset[str] | None = None
    unassigned: bool = True
    inside_rep: str | None = None
    drafts: bool = True

    @property
    def everybody(self) -> bool:
        """Whether everybody's rows are seen in the areas that are."""
        return self.reps is None and self.inside_rep is None

    def sees(self, area: str) -> bool:
        """Whether anything of an area is seen."""
        return self.area in (None, area)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name something is written, as the audit log keeps it: `user:<id>`, `token:<id>`, `command:<login>`, …"""

    id: str
    scope: Scope = field(default=EVERYTHING)
    request_id: str = ""


SYSTEM = Actor("system")
"""fieldvisit itself: migrations, dispatching, tidying up."""
