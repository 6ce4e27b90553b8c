"""Reps, accounts and opportunities as JSON: the columns of docs/data-formats.md, and the same checks.

What the importer reads from one cell is a list or a number here; everything else has the name that its column has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field

from planner.domain import Account, Address, Opportunity, Record, Rep
from planner.errors import InvalidRecordError
from planner.intake.cells import (
    parse_identifier,
    parse_local_time,
    parse_phone,
    parse_skills,
    parse_time,
    parse_time_range,
    parse_timeline,
    parse_weekdays,
)
from webui.api.paging import Page
from webui.api.values import (
    Attributes,
    Day,
    Identifier,
    LocalTime,
    Minutes,
    Model,
    Money,
    Name,
    Phone,
    Text,
    TimeOfDay,
)

Weekday = Literal["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
WEEKDAYS: tuple[Weekday, ...] = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
Answer = Literal["yes", "no", "unknown"]
Skills = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)]
OpeningHours = Annotated[
    str,
    Field(
        max_length=2_000,
        description="In OpenStreetMap's opening_hours syntax; the whole visit lies inside. Empty: at any time.",
        examples=["Mo-Fr 09:00-17:30; Sa 10:00-16:00"],
    ),
]


class RecordFields(Model):
    """What a record says besides its id."""

    model_config = ConfigDict(str_strip_whitespace=True)
    renamed: ClassVar[Mapping[str, str]] = {"street": "address"}
    """Fields of the domain that have another name here."""

    def as_record(self, record_id: str, zone: ZoneInfo | None) -> Record:
        """The value of the domain; `zone` is what local times are in. Raises InvalidRecordError with our own names."""
        try:
            return self._built(record_id, zone)
        except InvalidRecordError as error:
            raise InvalidRecordError(self.renamed.get(error.field, error.field), error.message) from error

    def _built(self, record_id: str, zone: ZoneInfo | None) -> Record:
        raise NotImplementedError


class RepFields(RecordFields):
    """A field rep: where the day starts and ends, on which weekdays and at which local hours."""

    renamed: ClassVar[Mapping[str, str]] = {"id": "rep_id", "street": "start_address"}

    name: Name
    email: Text = ""
    start_address: Annotated[Name, Field(description="Where the day starts, in one line with town and postcode.")]
    end_address: Annotated[Text, Field(description="Where the day ends; empty: where it starts.")] = ""
    timezone: Annotated[Text, Field(description="IANA name.", examples=["Europe/London"])]
    work_days: Annotated[list[Weekday], Field(min_length=1, max_length=7, examples=[["Mo", "Tu", "We"]])]
    work_start: TimeOfDay
    work_end: TimeOfDay
    break_minutes: Annotated[int, Field(ge=0, le=1440, description="Length of the break in minutes; 0: none.")] = 0
    break_window: Annotated[
        str | None,
        Field(
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
            description="The break lies inside.",
            examples=["11:30-14:00"],
        ),
    ] = None
    skills: Skills = Field(default_factory=list)
    max_visits_per_day: Annotated[int | None, Field(ge=0, le=100, description="null: no limit.")] = None
    languages: Annotated[Skills, Field(description="What the rep speaks.", examples=[["en", "cy"]])] = Field(
        default_factory=list
    )
    overnight: Annotated[bool, Field(description="Whether a night may be spent at one of the area's hotels.")] = False
    attributes: Attributes = Field(default_factory=dict)

    def _built(self, record_id: str, zone: ZoneInfo | None) -> Rep:
        if "/" in record_id:  # "<rep id>/end" names the place where the rep's day ends
            raise InvalidRecordError("id", "holds a slash")
        end = self.end_address if self.end_address != self.start_address else ""
        return Rep(
            id=parse_identifier("id", record_id),
            name=self.name,
            email=self.email,
            start_address=Address(self.start_address),
            end_address=Address(end) if end else None,
            timezone=self.timezone,
            work_days=parse_weekdays("work_days", ",".join(self.work_days)),
            work_start=parse_time("work_start", self.work_start),
            work_end=parse_time("work_end", self.work_end),
            break_minutes=self.break_minutes,
            break_window=parse_time_range("break_window", self.break_window or ""),
            skills=parse_skills(";".join(self.skills)),
            max_visits_per_day=self.max_visits_per_day,
            languages=parse_skills(";".join(self.languages)),
            overnight=self.overnight,
            attributes=self.attributes,
        )


class RepRecord(RepFields):
    """A field rep."""

    rep_id: Identifier

    @property
    def key(self) -> str:
        return self.rep_id

    @classmethod
    def shown(cls, rep: Rep) -> RepRecord:
        window = rep.break_window
        return cls.of(
            rep,
            rep_id=rep.id,
            start_address=str(rep.start_address),
            end_address=str(rep.end_address or ""),
            work_days=[WEEKDAYS[day] for day in sorted(rep.work_days)],
            work_start=f"{rep.work_start:%H:%M}",
            work_end=f"{rep.work_end:%H:%M}",
            break_window=f"{window[0]:%H:%M}-{window[1]:%H:%M}" if window else None,
            skills=sorted(rep.skills),
            languages=sorted(rep.languages),
            attributes=dict(rep.attributes),
        )


class AddressFields(RecordFields):
    """An address as people type it."""

    address: Annotated[Text, Field(description="Number and street.", examples=["12 Harbour Lane"])]
    city: Text = ""
    postcode: Text = ""
    country: Text = ""

    def _address(self) -> Address:
        return Address(self.address, self.city, self.postcode, self.country)


def _address_of(address: Address) -> dict[str, str]:
    return {
        "address": address.street,
        "city": address.city,
        "postcode": address.postcode,
        "country": address.country,
    }


class AccountFields(AddressFields):
    """An existing customer, looked after by its owner."""

    renamed: ClassVar[Mapping[str, str]] = {"id": "account_id", "street": "address"}

    name: Annotated[Name, Field(examples=["Brightwater Bakery"])]
    category: Text = ""
    segment: Annotated[Text, Field(description="A, B and C have a cadence and a worth in the settings.")] = ""
    owner_rep_id: Annotated[Text, Field(description="The only rep who visits this customer; empty: anybody may.")] = ""
    cadence_days: Annotated[int | None, Field(ge=1, le=3650, description="Days between visits; null: by segment.")] = (
        None
    )
    last_visit: Day | None = None
    last_order: Day | None = None
    annual_value: Annotated[Money, Field(description="Money a year.")] = 0.0
    visit_minutes: Minutes | None = None
    opening_hours: OpeningHours = ""
    contact_name: Text = ""
    contact_email: Text = ""
    contact_phone: Phone = ""
    attributes: Attributes = Field(default_factory=dict)

    def _built(self, record_id: str, zone: ZoneInfo | None) -> Account:
        return Account(
            id=parse_identifier("id", record_id),
            name=self.name,
            address=self._address(),
            category=self.category,
            segment=self.segment,
            owner_rep_id=self.owner_rep_id,
            cadence_days=self.cadence_days,
            last_visit=self.last_visit,
            last_order=self.last_order,
            annual_value=self.annual_value,
            visit_minutes=self.visit_minutes,
            opening_hours=self.opening_hours,
            contact_name=self.contact_name,
            contact_email=self.contact_email,
            contact_phone=parse_phone("contact_phone", self.contact_phone),
            attributes=self.attributes,
        )


class AccountRecord(AccountFields):
    """An existing customer."""

    account_id: Identifier

    @property
    def key(self) -> str:
        return self.account_id

    @classmethod
    def shown(cls, account: Account) -> AccountRecord:
        return cls.of(
            account, account_id=account.id, attributes=dict(account.attributes), **_address_of(account.address)
        )


class OpportunityFields(AddressFields):
    """A qualified opportunity that inside sales hands off, with its BANT answers."""

    renamed: ClassVar[Mapping[str, str]] = {"id": "opportunity_id", "street": "address"}

    name: Annotated[Name, Field(examples=["New ovens for Brightwater Bakery"])]
    account_id: Annotated[Text, Field(description="When it is with a customer.")] = ""
    contact_name: Text = ""
    contact_email: Text = ""
    contact_phone: Phone = ""
    value: Money = 0.0
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    budget: Answer = "unknown"
    authority: Answer = "unknown"
    need: Answer = "unknown"
    timeline: Annotated[Text, Field(description="A phrase such as “this quarter”, or no or unknown.")] = "unknown"
    source: Annotated[Text, Field(description="Where the lead came from.", examples=["trade fair"])] = ""
    lead_at: Annotated[LocalTime | None, Field(description="Local time when the lead came in.")] = None
    contacted_at: Annotated[LocalTime | None, Field(description="When somebody first spoke to the customer.")] = None
    qualified_at: Annotated[
        LocalTime | None, Field(description="Local time; the deadline for the first action runs from here.")
    ] = None
    first_action_days: Annotated[
        int | None, Field(ge=0, le=365, description="Working days until then; null: by the settings.")
    ] = None
    visit_minutes: Minutes | None = None
    required_skills: Skills = Field(default_factory=list)
    availability: OpeningHours = ""
    appointment: Annotated[LocalTime | None, Field(description="Local time that was agreed: a promise.")] = None
    inside_rep: Annotated[Text, Field(description="The e-mail address of who handed it off.")] = ""
    notes: Annotated[str, Field(max_length=20_000)] = ""
    attributes: Attributes = Field(default_factory=dict)

    def _built(self, record_id: str, zone: ZoneInfo | None) -> Opportunity:
        return Opportunity(
            id=parse_identifier("id", record_id),
            name=self.name,
            address=self._address(),
            account_id=self.account_id,
            contact_name=self.contact_name,
            contact_email=self.contact_email,
            contact_phone=parse_phone("contact_phone", self.contact_phone),
            value=self.value,
            probability=self.probability,
            budget=self.budget,
            authority=self.authority,
            need=self.need,
            timeline=parse_timeline(self.timeline),
            source=self.source,
            lead_at=parse_local_time("lead_at", self.lead_at or "", None, zone),
            contacted_at=parse_local_time("contacted_at", self.contacted_at or "", None, zone),
            qualified_at=parse_local_time("qualified_at", self.qualified_at or "", None, zone),
            first_action_days=self.first_action_days,
            visit_minutes=self.visit_minutes,
            required_skills=parse_skills(";".join(self.required_skills)),
            availability=self.availability,
            appointment=parse_local_time("appointment", self.appointment or "", None, zone),
            inside_rep=self.inside_rep,
            notes=self.notes,
            attributes=self.attributes,
        )


class OpportunityRecord(OpportunityFields):
    """A qualified opportunity."""

    opportunity_id: Identifier

    @property
    def key(self) -> str:
        return self.opportunity_id

    @classmethod
    def shown(cls, opportunity: Opportunity) -> OpportunityRecord:
        return cls.of(
            opportunity,
            opportunity_id=opportunity.id,
            lead_at=_local(opportunity.lead_at),
            contacted_at=_local(opportunity.contacted_at),
            qualified_at=_local(opportunity.qualified_at),
            required_skills=sorted(opportunity.required_skills),
            appointment=_local(opportunity.appointment),
            attributes=dict(opportunity.attributes),
            **_address_of(opportunity.address),
        )


def _local(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


class RepPage(Page):
    """Reps by id."""

    reps: list[RepRecord]


class AccountPage(Page):
    """Accounts by id."""

    accounts: list[AccountRecord]


class OpportunityPage(Page):
    """Opportunities by id."""

    opportunities: list[OpportunityRecord]
