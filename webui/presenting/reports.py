"""What the field learned, as the people read it who were not there: visit reports, and customers to be called."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.fieldwork.domain import DealOutcome, Disposition, VisitReport
from planner.fieldwork.folding import standing_reports
from planner.fieldwork.to_call import ToCall
from webui.presenting.opportunity import Team
from webui.words import DEALS, DISPOSITIONS, SEVERITIES, clock, phone_link, sentence, short_day

_CSS = {
    Disposition.MET: "tag-good",
    Disposition.NOT_IN: "tag-warn",
    Disposition.RESCHEDULED: "tag-quiet",
    Disposition.REFUSED: "tag-warn",
}
_WHY = {DealOutcome.RETURNED: "Returned because", DealOutcome.LOST: "Lost because"}


@dataclass(frozen=True, slots=True)
class ReportView:
    """A visit report. `deal` says what the visit made of the opportunity; `facts` are labels with what was told."""

    day: str
    rep: str
    disposition: str
    css: str
    deal: str
    text: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LastReport:
    """The latest report in one line, and what happens next."""

    line: str
    next_step: str


@dataclass(frozen=True, slots=True)
class ToCallView:
    """A customer to be called; `booking_id` has a promise to move, else a visit is booked for `opportunity_id`.

    `expected` is empty where `why` says when.
    """

    name: str
    opportunity_id: str
    booking_id: str
    contact: str
    phone: str
    dial: str
    email: str
    promised: str
    why: str
    expected: str
    rep: str


def report_views(reports: Iterable[VisitReport], team: Team) -> list[ReportView]:
    """Of each visit the report that counts, the latest visit first."""
    return [_report(report, team) for report in reversed(standing_reports(reports))]


def last_reports(reports: Iterable[VisitReport], team: Team) -> dict[str, LastReport]:
    """What was reported last, by opportunity."""
    last = {report.opportunity_id: report for report in standing_reports(reports) if report.opportunity_id}
    return {id_: _last(report, team) for id_, report in last.items()}


def to_call_view(each: ToCall, team: Team) -> ToCallView:
    start, end = each.start.astimezone(team.zone), each.end.astimezone(team.zone)
    window = clock(start) if start == end else f"{clock(start)}–{clock(end)}"
    begin = clock(each.expected.astimezone(team.zone)) if each.expected else ""
    expected = f"Would begin at {begin}" if begin else "Not made that day"
    return ToCallView(
        name=each.name,
        opportunity_id=each.opportunity.id if each.opportunity else "",
        booking_id=each.booking.id if each.booking else "",
        contact=each.contact,
        phone=each.phone,
        dial=phone_link(each.phone),
        email=each.email,
        promised=f"{short_day(each.day)}, {window}",
        why=sentence(each.why),
        expected="" if begin and begin in each.why else expected,
        rep=team.name(each.rep_id),
    )


def _report(report: VisitReport, team: Team) -> ReportView:
    severity = f" ({SEVERITIES[report.severity].lower()})" if report.severity and report.concern else ""
    facts = (
        (_WHY.get(report.deal, "Because"), report.reason),
        (f"Concern{severity}", report.concern),
        ("Competitor", report.competitor),
        ("Next step", _next_step(report)),
        ("Order", f"{report.order_value:,.2f}".removesuffix(".00") if report.order_value is not None else ""),
    )
    return ReportView(
        day=short_day(report.day),
        rep=team.name(report.rep_id),
        disposition=DISPOSITIONS[report.disposition],
        css=_CSS[report.disposition],
        deal="" if report.deal is DealOutcome.OPEN else DEALS[report.deal],
        text=report.text,
        facts=tuple((label, said) for label, said in facts if said),
    )


def _last(report: VisitReport, team: Team) -> LastReport:
    told = " ".join((report.text or report.concern or report.reason).split())
    line = f"{short_day(report.day)}, {team.name(report.rep_id)}: {DISPOSITIONS[report.disposition].lower()}"
    return LastReport(f"{line}. {told}" if told else line, _next_step(report))


def _next_step(report: VisitReport) -> str:
    by = short_day(report.next_step_on) if report.next_step_on else ""
    return f"{report.next_step}, {by}" if report.next_step and by else report.next_step or by
