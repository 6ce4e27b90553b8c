"""What the form about an opportunity shows: the names of its fields, and what was known before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from planner.domain import Opportunity
from planner.handoffs.answering import QUESTIONS
from planner.handoffs.domain import BantAnswer, HandoffRow
from planner.settings import Settings
from webui.words import count

HINTS: Mapping[str, str] = {
    "need": "Have they got a problem that we solve?",
    "budget": "Is there money for it?",
    "authority": "Does this person decide?",
    "timeline": "By when do they want it?",
}
"""What each question of the gate is about."""

PRODUCT = "product"
"""The attribute of an opportunity that says what it is about."""

LABELS: Mapping[str, str] = {
    "name": "Company",
    "street": "Address",
    "city": "Town",
    "postcode": "Postcode",
    "country": "Country",
    "contact_name": "Contact",
    "contact_email": "Their e-mail",
    "contact_phone": "Their phone",
    "account_id": "Customer number",
    "source": "Source",
    "lead_at": "Came in",
    "contacted_at": "First contact",
    "value": "Value",
    "probability": "Probability, %",
    "product": "Product",
    "visit_minutes": "Visit, minutes",
    "first_action_days": "First visit within, working days",
    "required_skills": "Skills",
    "availability": "When they have time",
    "notes": "Notes for the field rep",
    "need": "Need",
    "budget": "Budget",
    "authority": "Authority",
    "timeline": "Timeline",
    **{f"{question}_by": f"Who said it about {question}," for question in QUESTIONS},
    **{f"{question}_on": f"The day of {question}" for question in QUESTIONS},
}
"""What each field is called; a sentence about it begins with this."""


SOURCES = ("website", "trade fair", "referral", "campaign", "newsletter", "cold call", "customer")
"""Where leads come from, as the form offers it; any other word does as well."""


def clock_text(moment: datetime) -> str:
    """A local time as browsers' fields hold it."""
    return moment.isoformat(timespec="minutes")


def typed_of(opportunity: Opportunity, row: HandoffRow | None) -> dict[str, str]:
    """A known opportunity as the form holds it."""
    typed = {
        name: str(getattr(opportunity, name) or "")
        for name in (
            *("name", "account_id", "contact_name", "contact_email", "contact_phone"),
            *("availability", "notes", "visit_minutes", "source"),
        )
    }
    address = opportunity.address
    typed |= {"street": address.street, "city": address.city, "postcode": address.postcode, "country": address.country}
    typed |= {
        "value": f"{opportunity.value:.15g}" if opportunity.value else "",
        "probability": f"{opportunity.probability * 100:.10g}" if opportunity.probability else "",
        "product": opportunity.attributes.get(PRODUCT, ""),
        "required_skills": ", ".join(sorted(opportunity.required_skills)),
        "first_action_days": "" if opportunity.first_action_days is None else str(opportunity.first_action_days),
        "revision": str(row.revision if row else 0),
    }
    for name in ("lead_at", "contacted_at"):
        moment = getattr(opportunity, name)
        typed[name] = clock_text(moment) if moment else ""
    for question in QUESTIONS:
        answer = getattr(opportunity, question)
        typed[question] = "" if question == "timeline" and answer == "unknown" else answer
        known = row.answers.get(question) if row else None
        typed[f"{question}_by"] = known.said_by if known else ""
        typed[f"{question}_on"] = known.said_on.isoformat() if known and known.said_on else ""
    return typed


def speakers_of(opportunity: Opportunity | None, answers: Mapping[str, BantAnswer]) -> list[str]:
    """Who may have said it: the contact, and those who said something before."""
    names = [opportunity.contact_name] if opportunity else []
    return [name for name in dict.fromkeys([*names, *(answer.said_by for answer in answers.values())]) if name]


def usual_words(settings: Settings) -> dict[str, str]:
    """What an empty field stands for."""
    return {
        "minutes": f"{settings.candidates.visit_minutes} minutes.",
        "days": count(settings.gate.first_action_days, "working day"),
    }
