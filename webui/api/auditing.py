"""The audit log, for admins."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from planner.access import Permission
from planner.audit import AuditEntry, all_entries, verify
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


class VerifyQuery(Model):
    """What to look for in the log."""

    head: Annotated[str, Field(max_length=100, description="A `head` that was written down earlier, elsewhere.")] = ""


class AuditCheck(Model):
    """What reading the whole log showed."""

    whole: Annotated[bool, Field(description="Nothing was changed, taken out or moved.")]
    entries: int
    head: Annotated[str, Field(description="The hash of the last entry: write it down elsewhere.")]
    broken_at: Annotated[int | None, Field(description="The first entry that is not as it was written.")]
    reason: str


@operation("GET", "/audit/verify", {200: AuditCheck}, tag="audit")
@allow(Permission.ADMINISTER)
def verify_audit(query: VerifyQuery) -> Reply:
    """Whether the audit log is as it was written."""
    with store().read(viewer().scope) as unit:
        found = verify(all_entries(unit.audit_log), query.head)
    return Reply(
        AuditCheck(
            whole=found.broken is None,
            entries=found.entries,
            head=found.head,
            broken_at=found.broken.seq if found.broken else None,
            reason=found.broken.reason if found.broken else "",
        )
    )
