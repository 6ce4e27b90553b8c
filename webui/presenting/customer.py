"""A customer at a glance: whom to ask for, when the next visit is due, how long it takes, and what visits brought."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from planner.candidates import cadence_days, is_dormant
from planner.domain import Account, Opportunity
from planner.fieldwork.domain import AccountVisits, DealOutcome, Disposition, Severity, VisitMinutes, VisitReport
from planner.fieldwork.minutes import Expected, Source, as_visited, expected_minutes
from planner.handoffs.domain import HandoffState
from planner.settings import CandidateSettings, FieldworkSettings, Settings
from webui.presenting.opportunity import STATES, Team
from webui.words import clock, count, mail_link, phone_link, short_day

DISPOSITIONS = {
    Disposition.MET: "Met",
    Disposition.NOT_IN: "Not in",
    Disposition.RESCHEDULED: "Wants another day",
    Disposition.REFUSED: "Refused",
}
DEALS = {
    DealOutcome.PROPOSED: "Proposal made",
    DealOutcome.WON: "Won",
    DealOutcome.LOST: "Lost",
    DealOutcome.RETURNED: "Back to inside sales",
}
SEVERITIES = {Severity.LOW: "a small one", Severity.MEDIUM: "a real one", Severity.HIGH: "a serious one"}

Line = tuple[str, str, str]
"""What it is, what is said of it, and where a touch leads; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class ReportView:
    """One visit report."""

    id: str
    title: str
    met: bool
    who: str
    when: str
    iso: str
    lines: tuple[Line, ...]
    text: str


@dataclass(frozen=True, slots=True)
class DealView:
    """An opportunity that is open, with this customer."""

    id: str
    name: str
    state: str
    state_label: str
    value: str


@dataclass(frozen=True, slots=True)
class CustomerView:
    """`minutes` is how long visits are planned for and `because` why; `set_minutes` is what somebody has set, as text;
    `without` is what they are without that."""

    id: str
    name: str
    facts: tuple[Line, ...]
    cadence: str
    last_visit: str
    next_due: str
    overdue: bool
    minutes: str
    because: str
    set_minutes: str
    without: str
    reports: tuple[ReportView, ...]
    deals: tuple[DealView, ...]


def customer_view(
    record: Account,
    visits: AccountVisits | None,
    set_: VisitMinutes | None,
    reports: Iterable[VisitReport],
    deals: Iterable[tuple[Opportunity, HandoffState]],
    people: Mapping[str, str],
    team: Team,
    today: date,
    settings: Settings,
) -> CustomerView:
    """`people` are names by actor; `reports` come in any order, and of several of one visit the last one counts."""
    account, expected = as_visited(record, visits, settings), expected_minutes(record, visits, settings)
    due, overdue = _next_due(account, today, settings.candidates)
    usual = settings.candidates.visit_minutes
    without = expected.learned.minutes if expected.learned else record.visit_minutes or usual
    return CustomerView(
        id=record.id,
        name=record.name,
        facts=tuple(_facts(record, team)),
        cadence=_cadence(record, settings.candidates),
        last_visit=_last_visit(record, account),
        next_due=due,
        overdue=overdue,
        minutes=f"{expected.minutes} min",
        because=_because(expected, visits, set_, people, team.zone, settings.fieldwork),
        set_minutes=str(set_.minutes) if set_ else "",
        without=f"{without} min",
        reports=tuple(_reports(reports, people, team)),
        deals=tuple(
            DealView(deal.id, deal.name, state, STATES[state], f"{deal.value:,.0f}" if deal.value else "")
            for deal, state in deals
        ),
    )


def _facts(record: Account, team: Team) -> Iterable[Line]:
    address = record.address
    town = " ".join(filter(None, (address.postcode, address.city)))
    told = {
        "Address": ", ".join(filter(None, (address.street, town, address.country))),
        "Contact": record.contact_name,
        "Phone": record.contact_phone,
        "E-mail": record.contact_email,
        "Segment": record.segment,
        "Category": record.category,
        "Open": record.opening_hours,
        "Looked after by": team.names.get(record.owner_rep_id, record.owner_rep_id),
        "Last order": _day(record.last_order) if record.last_order else "",
        "A year": f"{record.annual_value:,.0f}" if record.annual_value else "",
    }
    links = {"Phone": phone_link(record.contact_phone), "E-mail": mail_link(record.contact_email)}
    return ((label, text, links.get(label, "")) for label, text in told.items() if text)


def _cadence(record: Account, settings: CandidateSettings) -> str:
    every = f"Every {count(cadence_days(record, settings), 'day')}"
    if record.cadence_days:
        return every
    return f"{every}, as segment {record.segment}" if record.segment in settings.cadence_days else f"{every}, as usual"


def _last_visit(record: Account, account: Account) -> str:
    if account.last_visit is None:
        return "never visited"
    known = "by the import" if account.last_visit == record.last_visit else "reported by the field"
    return f"{_day(account.last_visit)}, {known}"


def _next_due(account: Account, today: date, settings: CandidateSettings) -> tuple[str, bool]:
    """In words, and whether that day is over."""
    if is_dormant(account, today, settings):
        return f"not planned: no order for more than {count(settings.dormant_days, 'day')}", False
    if account.last_visit is None:
        return "now", False
    due = account.last_visit + timedelta(days=cadence_days(account, settings))
    late = (today - due).days
    return (f"{_day(due)}, {count(late, 'day')} overdue", True) if late > 0 else (_day(due), False)


def _because(
    expected: Expected,
    visits: AccountVisits | None,
    set_: VisitMinutes | None,
    people: Mapping[str, str],
    zone: ZoneInfo,
    settings: FieldworkSettings,
) -> str:
    """Where the minutes come from, and what they would be otherwise."""
    learned, known = expected.learned, len(visits.dwells) if visits else 0
    others = [f"the record says {expected.record}"] if expected.record else []
    if learned and expected.source is not Source.LEARNED:
        others.insert(0, f"the median of the last {count(learned.visits, 'visit')} is {learned.minutes}")
    elif not learned and known:
        few = f"{count(known, 'visit')} of known length so far, learned from {settings.learn_after_visits} on"
        others.append(few)
    match expected.source:
        case Source.SET if set_ is not None:
            who = people.get(set_.set_by, "")
            by = f" by {who}" if who else ""
            first = f"set{by} on {short_day(set_.set_at.astimezone(zone).date())}"
        case Source.LEARNED if learned is not None:
            first = f"the median of the last {count(learned.visits, 'visit')}"
        case Source.RECORD:
            first, others = "as the record says", others[1:]
        case _:
            first = "as usual where nothing is known"
    return "; ".join([first, *others])


def _reports(reports: Iterable[VisitReport], people: Mapping[str, str], team: Team) -> Iterable[ReportView]:
    """The newest first; what a later report of the same visit has replaced says so."""
    ordered: Sequence[VisitReport] = sorted(reports, key=lambda report: (report.day, *report.rank), reverse=True)
    told: set[tuple[str, date, str]] = set()
    for report in ordered:
        visit = report.rep_id, report.day, report.visit_id
        local = report.made_at.astimezone(team.zone)
        rep, writer = team.name(report.rep_id), people.get(report.made_by, "")
        deal = DEALS.get(report.deal, "")
        yield ReportView(
            id=report.id,
            title=" · ".join(filter(None, (DISPOSITIONS[report.disposition], deal))),
            met=report.disposition is Disposition.MET,
            who=f"{rep}, written by {writer}" if writer and not writer.startswith(rep) else rep,
            when=f"{_day(report.day)}, written {short_day(local.date())} {clock(local)}"
            + (", replaced by the report above" if visit in told else ""),
            iso=local.isoformat(timespec="minutes"),
            lines=tuple(_lines(report)),
            text=report.text,
        )
        told.add(visit)


def _lines(report: VisitReport) -> Iterable[Line]:
    on = f"by {_day(report.next_step_on)}" if report.next_step_on else ""
    how = SEVERITIES[report.severity] if report.severity else ""
    told = {
        "Next step": ", ".join(filter(None, (report.next_step, on))),
        "Reason": report.reason,
        "Order": f"{report.order_value:,.0f}" if report.order_value is not None else "",
        "Concern": ", ".join(filter(None, (report.concern, how))),
        "Competitors": report.competitor,
        "About": report.opportunity_id,
        "Template": report.template,
    }
    return ((label, text, "") for label, text in told.items() if text)


def _day(day: date) -> str:
    return f"{short_day(day)} {day:%Y}"
