"""Whom to ask for at a visit, and to call about it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.domain import Account, Opportunity


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask for; each may be empty."""

    name: str = ""
    phone: str = ""
    email: str = ""

    @property
    def in_words(self) -> str:
        return ", ".join(filter(None, (self.name, self.phone, self.email)))


def contact_of(*records: Opportunity | Account | None) -> Contact:
    """The first that can be asked for or called, an opportunity before its account; what it lacks to be reached by is
    filled up from the others. A name is not: beside a number of its own, another's name would mislead."""
    known = [record for record in records if record is not None]
    told = sorted(known, key=lambda record: not (record.contact_name or record.contact_phone))
    return Contact(
        told[0].contact_name if told else "",
        next((record.contact_phone for record in told if record.contact_phone), ""),
        next((record.contact_email for record in told if record.contact_email), ""),
    )
