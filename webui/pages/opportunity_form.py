"""What is typed about an opportunity becomes an Opportunity and the answers to the gate's questions, or errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from planner.domain import MAX_NOTES, Address, Opportunity
from planner.errors import InvalidRecordError
from planner.handoffs.answering import QUESTIONS, Told
from planner.intake.cells import (
    parse_answer,
    parse_local_time,
    parse_money,
    parse_phone,
    parse_share,
    parse_skills,
    parse_timeline,
    parse_whole,
)
from routing.geo import LatLon
from webui.forms import Form, read_form
from webui.presenting.opportunity_form import PRODUCT, clock_text

T = TypeVar("T")

Day = Annotated[date | None, BeforeValidator(lambda text: text or None)]


class OpportunityForm(BaseModel):
    """The fields of the form, as texts; `revision` is what its writer saw, 0 for a new one.

    `at` is the place of the address, where it was one of those that the page offered.
    """

    revision: int = Field(0, ge=0, le=2**31)
    name: str = Field("", max_length=200)
    street: str = Field("", max_length=500)
    city: str = Field("", max_length=200)
    postcode: str = Field("", max_length=50)
    country: str = Field("", max_length=100)
    at: str = Field("", max_length=50)
    contact_name: str = Field("", max_length=200)
    contact_email: str = Field("", max_length=254)
    contact_phone: str = Field("", max_length=50)
    account_id: str = Field("", max_length=200)
    source: str = Field("", max_length=200)
    lead_at: str = Field("", max_length=30)
    contacted_at: str = Field("", max_length=30)
    value: str = Field("", max_length=30)
    probability: str = Field("", max_length=20)
    product: str = Field("", max_length=200)
    need: str = Field("", max_length=20)
    budget: str = Field("", max_length=20)
    authority: str = Field("", max_length=20)
    timeline: str = Field("", max_length=200)
    need_by: str = Field("", max_length=200)
    budget_by: str = Field("", max_length=200)
    authority_by: str = Field("", max_length=200)
    timeline_by: str = Field("", max_length=200)
    need_on: Day = None
    budget_on: Day = None
    authority_on: Day = None
    timeline_on: Day = None
    visit_minutes: str = Field("", max_length=10)
    first_action_days: str = Field("", max_length=10)
    required_skills: str = Field("", max_length=1_000)
    availability: str = Field("", max_length=1_000)
    notes: str = Field("", max_length=20_000)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: an opportunity without an id where it makes sense, what was said to each question."""

    form: Form[OpportunityForm]
    opportunity: Opportunity | None = None
    told: Mapping[str, Told] = field(default_factory=dict)

    @property
    def place(self) -> LatLon | None:
        """Of the address, where the page offered it."""
        found = re.fullmatch(r"(-?[0-9]{1,2}\.[0-9]{1,9}),(-?[0-9]{1,3}\.[0-9]{1,9})", self.form.typed.get("at", ""))
        if not found or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
            return None
        return LatLon(float(found[1]), float(found[2]))

    @property
    def revision(self) -> int:
        return self.form.values.revision if self.form.values else 0


REFUSED = {
    "probability": "must be between 0 and 100",
    "value": "must not be negative, nor more than a million million",
    "availability": "cannot be read: write it like Mo-Fr 09:00-17:00",
}
"""What is said of these to people on the phone; programs and imports are told what stands in the record."""


def typed_opportunity(known: Opportunity | None, opportunity_id: str, local: datetime) -> Typed:
    """The form that was sent. What it does not ask for stays as it is in `known`; `local` is the time there."""
    form = read_form(OpportunityForm)
    values = form.values
    if values is None:
        return Typed(form)
    errors: dict[str, str] = {}

    def read(name: str, parse: Callable[[str, str], T], usual: T) -> T:
        try:
            return parse(name, getattr(values, name))
        except InvalidRecordError as error:
            errors[name] = error.message
            return usual

    def moment(name: str, text: str) -> datetime | None:
        before: datetime | None = getattr(known, name, None)
        if before is not None and text == clock_text(before):
            return before  # it may have seconds
        at = parse_local_time(name, text)
        if at is not None and at > local:
            raise InvalidRecordError(name, "must not be after now")
        return at

    if not values.name:
        errors["name"] = "is empty"
    for question in QUESTIONS:
        on = getattr(values, f"{question}_on")
        if on is not None and on > local.date():
            errors[f"{question}_on"] = "must not be after today"
    told = {
        question: Told(
            parse_timeline(values.timeline) if question == "timeline" else read(question, parse_answer, "unknown"),
            getattr(values, f"{question}_by"),
            getattr(values, f"{question}_on"),
        )
        for question in QUESTIONS
    }
    changed = {
        "name": values.name,
        "address": Address(values.street, values.city, values.postcode, values.country),
        "account_id": values.account_id,
        "contact_name": values.contact_name,
        "contact_email": values.contact_email,
        "contact_phone": read("contact_phone", parse_phone, ""),
        "source": values.source,
        "lead_at": read("lead_at", moment, None),
        "contacted_at": read("contacted_at", moment, None),
        "value": read("value", parse_money, 0.0),
        "probability": read("probability", _percent, 0.0),
        "visit_minutes": read("visit_minutes", parse_whole, None),
        "first_action_days": read("first_action_days", parse_whole, None),
        "required_skills": parse_skills(values.required_skills),
        "availability": values.availability,
        "notes": values.notes,
        "attributes": _attributes(known, values.product),
        **{question: answer.answer for question, answer in told.items()},
    }
    base = known or Opportunity(opportunity_id, values.name or "-", Address(""))
    while True:  # until nothing of what is left is refused: all of it is told at once
        try:
            found = replace(base, **changed)  # type: ignore[arg-type]
            break
        except InvalidRecordError as error:
            errors.setdefault(error.field, REFUSED.get(error.field, error.message))
            if changed.pop(error.field, None) is None:
                break
    return Typed(Form(form.typed, errors=errors)) if errors else Typed(form, found, told)


def sketch_of(typed: Mapping[str, str]) -> Opportunity:
    """What the gate judges of a form that does not make sense as a whole yet."""

    def read(name: str, parse: Callable[[str, str], T], usual: T) -> T:
        try:
            return parse(name, typed.get(name, "").strip())
        except InvalidRecordError:
            return usual

    return Opportunity(
        id="-",
        name="-",
        address=Address(""),
        need=read("need", parse_answer, "unknown"),
        budget=read("budget", parse_answer, "unknown"),
        authority=read("authority", parse_answer, "unknown"),
        timeline=parse_timeline(typed.get("timeline", "").strip()[:200]),
        value=min(max(read("value", parse_money, 0.0), 0.0), 1e12),
        notes=typed.get("notes", "")[:MAX_NOTES],
    )


def _percent(name: str, text: str) -> float:
    """40, 40 % and 0.4 are the same; 1 is one per cent."""
    share = parse_share(name, text)
    return share / 100 if share >= 1 and "%" not in text else share


def _attributes(known: Opportunity | None, product: str) -> dict[str, str]:
    others = {name: text for name, text in (known.attributes if known else {}).items() if name != PRODUCT}
    return others | ({PRODUCT: product} if product else {})
