"""One record written by a person or a program, as opposed to a file of them."""

from __future__ import annotations

from planner.domain import Record
from planner.repository import Change, UnitOfWork


def save_record(unit: UnitOfWork, area: str, record: Record) -> Change:
    """Add a record to an area, or replace the one with its kind and id as a whole."""
    change = unit.records(area).save(record)
    unit.audit(f"{record.kind}.saved", record.id, area=area, change=change)
    return change
