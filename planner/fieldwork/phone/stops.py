"""One visit of a day, with all that the rep has to know there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from planner.candidates import cadence_days
from planner.contacts import contact_of
from planner.domain import Account, Opportunity, RecordKind
from planner.fieldwork.domain import FieldVisit, VisitReport
from planner.fieldwork.minutes import Source, as_visited, expected_minutes
from planner.fieldwork.phone.document import (
    PhoneAccount,
    PhoneAnswer,
    PhoneContact,
    PhoneLastReport,
    PhoneMinutes,
    PhoneOpportunity,
    PhonePromise,
    PhoneReport,
    PhoneStop,
    PhoneVisit,
)
from planner.fieldwork.phone.reading import Facts, Visited
from planner.handoffs.answering import QUESTIONS
from planner.handoffs.domain import TO_VISIT, HandoffRow
from planner.handoffs.state import imported_row
from planner.hours import instant
from planner.navigation import directions
from planner.plan_document import Stop
from planner.qualification import first_action_deadline
from planner.slots.domain import Meaning

LAST_REPORTS = 3


def stop_of(facts: Facts, day: date, stop: Stop, today: Mapping[str, str]) -> PhoneStop:
    """A visit with all that is known about it; `today` names the records of the day's stops."""
    id_ = stop["visit_id"]
    record = facts.record(id_)
    account, deal = _account_of(facts, stop, record), record if isinstance(record, Opportunity) else None
    visit = facts.visits.get((day, id_))
    report = facts.reports.get(visit.report_id) if visit else None
    riding = {ridden: _name_of(facts, ridden, today) for ridden in stop["rides_with"]}
    return PhoneStop(
        visit_id=id_,
        stop=stop["stop"],
        kind=stop["kind"],
        name=stop["name"],
        address=stop["address"],
        lat=stop["lat"],
        lon=stop["lon"],
        drive_seconds=stop["drive_seconds"],
        drive_metres=stop["drive_metres"],
        arrive=stop["arrive"],
        parking_minutes=stop["parking_minutes"],
        begin=stop["begin"],
        leave=stop["leave"],
        why=why_in_names(stop, riding, account.name if account else ""),
        late=stop["late"],
        deadline=stop["deadline"],
        rides_with=[{"name": name} for name in riding.values() if name],
        promise=promise_of(facts, day, id_, record),
        hours=_hours(facts, day, id_, record, account),
        contact=phone_contact(facts, record, account),
        links=[{"name": name, "url": url} for name, url in directions(stop["lat"], stop["lon"], stop["name"])],
        account=_account(facts, account) if account else None,
        opportunity=_opportunity(facts, deal) if deal else None,
        last_reports=_last_reports(facts, account, deal, report),
        visit=_visit(facts, day, visit) if visit else None,
        report=_report(facts, report) if report else None,
    )


def _account_of(facts: Facts, stop: Stop, record: Visited | None) -> Account | None:
    """The customer of a visit: its own, or the one that its opportunity is with."""
    if not isinstance(record, Opportunity):
        return record
    key = next(iter(stop["record_ids"][1:]), record.account_id)
    found = facts.records.get((RecordKind.ACCOUNT, key))
    return found if isinstance(found, Account) else None


def _name_of(facts: Facts, opportunity_id: str, today: Mapping[str, str]) -> str:
    record = facts.records.get((RecordKind.OPPORTUNITY, opportunity_id))
    return record.name if record else today.get(opportunity_id, "")


def promise_of(facts: Facts, day: date, id_: str, record: Visited | None) -> PhonePromise | None:
    """What the customer was told: here, or elsewhere before the opportunity was imported."""
    progress = facts.progress.get(day)
    call = progress.to_call.get(id_, "") if progress else ""
    if booking := facts.promises.get((day, id_)):
        start, end = booking.start.astimezone(facts.rep.zone), booking.end.astimezone(facts.rep.zone)
        between = f"between {start:%H:%M} and {end:%H:%M}"
        whole = booking.meaning is Meaning.WHOLE
        return PhonePromise(
            booking_id=booking.id,
            start=start.isoformat(),
            end=end.isoformat(),
            meaning=str(booking.meaning),
            text=f"{'The whole visit is' if whole else 'You are at the door'} {between}",
            call=call,
        )
    agreed = record.appointment if isinstance(record, Opportunity) else None
    if agreed is None or agreed.date() != day:
        return None
    begin = instant(agreed, facts.asking.zone).astimezone(facts.rep.zone)
    return PhonePromise(
        booking_id="",
        start=begin.isoformat(),
        end=begin.isoformat(),
        meaning="begin",
        text=f"Agreed for {begin:%H:%M}",
        call=call,
    )


def _hours(facts: Facts, day: date, id_: str, record: Visited | None, account: Account | None) -> str:
    """When somebody is there, as an opening_hours expression."""
    booking = facts.promises.get((day, id_))
    if booking is not None and booking.hours:
        return booking.hours
    said = record.availability if isinstance(record, Opportunity) else ""
    return said or (account.opening_hours if account else "")


def _account(facts: Facts, account: Account) -> PhoneAccount:
    made, settings = facts.made_visits.get(account.id), facts.settings
    expected = expected_minutes(account, made, settings)
    learned = expected.learned.visits if expected.learned and expected.source is Source.LEARNED else 0
    return PhoneAccount(
        id=account.id,
        name=account.name,
        segment=account.segment,
        cadence_days=cadence_days(account, settings.candidates),
        last_visit=iso(as_visited(account, made, settings).last_visit),
        annual_value=account.annual_value,
        minutes=PhoneMinutes(expected=expected.minutes, source=str(expected.source), visits=learned),
    )


def _opportunity(facts: Facts, deal: Opportunity) -> PhoneOpportunity:
    row = _handoff(facts, deal)
    bant: list[PhoneAnswer] = []
    for question in QUESTIONS:
        known = row.answers.get(question)
        said_by, said_on = (known.said_by, known.said_on) if known else ("", None)
        bant.append(
            PhoneAnswer(question=question, answer=getattr(deal, question), said_by=said_by, said_on=iso(said_on))
        )
    return PhoneOpportunity(
        id=deal.id,
        value=deal.value,
        probability=deal.probability,
        bant=bant,
        notes=deal.notes,
        inside_rep=deal.inside_rep,
        state=str(row.state),
        deadline=iso(deadline_of(facts, deal)) if row.state in TO_VISIT else None,
    )


def _handoff(facts: Facts, deal: Opportunity) -> HandoffRow:
    return facts.handoffs.get(deal.id) or imported_row(facts.area, deal, facts.settings.gate, lambda: facts.rep.id)


def deadline_of(facts: Facts, deal: Opportunity) -> date | None:
    return first_action_deadline(deal, facts.asking.work_days, facts.settings.gate, facts.settings.calendar)


def _last_reports(
    facts: Facts, account: Account | None, deal: Opportunity | None, standing: VisitReport | None
) -> list[PhoneLastReport]:
    """Those that count of the last visits to a customer or about an opportunity; that of this very visit aside."""
    records = [record for record in (account, deal) if record is not None]
    found = {row.id: row for record in records for row in facts.told[record.kind, record.id]}
    standing_of: dict[tuple[str, date, str], VisitReport] = {}
    for row in sorted(found.values(), key=lambda row: row.rank, reverse=True):
        standing_of.setdefault(_visit_of(row), row)
    if standing is not None:
        standing_of.pop(_visit_of(standing), None)
    return [
        PhoneLastReport(
            day=str(row.day),
            rep=facts.asking.names.get(row.rep_id, ""),
            disposition=str(row.disposition),
            text=row.text,
            next_step=row.next_step,
            next_step_on=iso(row.next_step_on),
            concern=row.concern,
        )
        for row in list(standing_of.values())[:LAST_REPORTS]
    ]


def _visit(facts: Facts, day: date, visit: FieldVisit) -> PhoneVisit:
    check_in = facts.check_ins.get((day, visit.visit_id))
    return PhoneVisit(
        arrived_at=facts.local_if(visit.arrived_at),
        left_at=facts.local_if(visit.left_at),
        dwell_minutes=visit.dwell_minutes,
        report_id=visit.report_id,
        disposition=str(visit.disposition) if visit.disposition else None,
        verdict=str(check_in.verdict) if check_in else None,
    )


def _report(facts: Facts, report: VisitReport) -> PhoneReport:
    return PhoneReport(
        id=report.id,
        made_at=facts.local(report.made_at),
        disposition=str(report.disposition),
        deal=str(report.deal),
        next_step=report.next_step,
        next_step_on=iso(report.next_step_on),
        competitor=report.competitor,
        concern=report.concern,
        severity=str(report.severity) if report.severity else None,
        reason=report.reason,
        text=report.text,
        order_value=report.order_value,
        template=report.template,
    )


def why_in_names(stop: Stop, riding: Mapping[str, str], account: str) -> str:
    """Why a visit is on its day, as the plan says it, with names where that has ids.

    Args:
        riding: the names of the opportunities that it rides along with, by id; empty for who is not known.
        account: the name of the customer that it counts as a visit to.
    """
    why = stop["why"]
    if account:
        why = re.sub(r"; counts as the visit to account .*$", lambda _: f"; counts as the visit to {account}", why)
    if not riding:
        return why
    why = why.replace(f" ({next(iter(riding))}), ", ", ", 1)
    before, phrase, listed = why.rpartition("; rides along with ")
    if not phrase:
        return why
    ids = "|".join(re.escape(id_) for id_ in sorted(riding, key=len, reverse=True))
    return before + phrase + re.sub(rf"(?<!\w)({ids})(?!\w)", lambda id_: riding[id_[0]] or "another visit", listed)


def phone_contact(facts: Facts, record: Visited | None, account: Account | None = None) -> PhoneContact:
    """`account` is the customer of a visit that counts as one to it; else it is the record's own."""
    if account is None and isinstance(record, Opportunity):
        found = facts.records.get((RecordKind.ACCOUNT, record.account_id))
        account = found if isinstance(found, Account) else None
    told = contact_of(record, account)
    return PhoneContact(name=told.name, phone=told.phone, email=told.email)


def _visit_of(report: VisitReport) -> tuple[str, date, str]:
    """Of several reports of one visit the latest counts."""
    return report.rep_id, report.day, report.visit_id


def iso(day: date | None) -> str | None:
    return str(day) if day else None
