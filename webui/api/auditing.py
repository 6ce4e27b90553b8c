"""The audit log, for admins."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from planner.access import Permission
from planner.audit import AuditEntry
from webui.api.operation import Reply, operation, store
from webui.api.paging import Page, PageQuery, after, cursor, foreign
from webui.api.values import Model, Moment
from webui.policy import allow, viewer


class AuditRecord(Model):
    """One change."""

    seq: int
    at: Moment
    actor: Annotated[str, Field(description="`user:<id>`, `token:<id>`, `command:<login>`, …")]
    request_id: str
    area: str
    action: str
    subject: str
    details: dict[str, Any]
    previous: Annotated[str, Field(description="The hash of the entry before.")]
    hash: str

    @classmethod
    def shown(cls, entry: AuditEntry) -> AuditRecord:
        return cls.of(entry, details=dict(entry.details))


class AuditPage(Page):
    """Entries, the oldest first."""

    entries: list[AuditRecord]


@operation("GET", "/audit", {200: AuditPage}, tag="audit")
@allow(Permission.ADMINISTER)
def list_audit(query: PageQuery) -> Reply:
    """Who changed what and when, the oldest first."""
    last = after(query, "audit") or (0,)
    if len(last) != 1 or not isinstance(last[0], int) or not 0 <= last[0] < 2**62:
        raise foreign()
    with store().read(viewer().scope) as unit:
        found = unit.audit_log.entries(after=last[0], limit=query.limit + 1)
    shown = found[: query.limit]
    following = cursor("audit", (shown[-1].seq,)) if len(found) > len(shown) else None
    return Reply(AuditPage(entries=[AuditRecord.shown(entry) for entry in shown], next=following))
