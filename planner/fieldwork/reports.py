"""What visit reports make of a handoff and of its promises: worked out from all of them, from where it was before.

So a report that comes late, or that corrects another one, changes nothing but what it says. A report that does not fit
any more changes nothing at all of the handoff: it is kept, and the rep is told why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from planner.domain import Opportunity, RecordKind
from planner.fieldwork.domain import DealOutcome, Disposition, VisitReport
from planner.fieldwork.folding import is_of_its_day, standing_reports, zone_of_rep
from planner.handoffs.domain import BeforeReports, HandoffRow, Side
from planner.handoffs.moving import EARLY, write
from planner.handoffs.state import handoff_of
from planner.handoffs.transitions import STATE_WORDS, TRANSITIONS, Action, Transition
from planner.rep_names import told_names
from planner.repository import UnitOfWork
from planner.settings import Settings
from planner.slots.domain import Booking, BookingState
from planner.snapshot import zone_of

MOVES_NOTHING = frozenset({"began", "drafted", "changed", "answer_changed", "contacted", "accepted", "proposed"})
"""Entries of a handoff's history that overtake no report: it is with the same side as before."""
_OF_ONE_STATE = ("visited", "proposed")
"""Entries that leave a handoff in the same state, and say different things of it."""
STAYS = "Your report is kept with it, and the handoff stays as it is"

_ACTIONS = {
    DealOutcome.PROPOSED: Action.MEET_AND_PROPOSE,
    DealOutcome.WON: Action.MEET_AND_WIN,
    DealOutcome.LOST: Action.MEET_AND_LOSE,
    DealOutcome.RETURNED: Action.MEET_AND_RETURN,
}


@dataclass(frozen=True)
class _Deal:
    """An opportunity and all that its reports are judged by. `late` are ids of reports that came too late to count,
    and `early` of those that came before their day."""

    opportunity: Opportunity
    before: BeforeReports
    promises: Sequence[Booking]
    names: Mapping[str, str]
    zone: ZoneInfo
    late: Collection[str]
    early: Collection[str]
    accept_days: int


def report_effects(
    unit: UnitOfWork, area: str, opportunity_id: str, fresh: Sequence[VisitReport], settings: Settings
) -> dict[str, str]:
    """Bring a handoff, and what was promised for it, to where its reports say that they are.

    Args:
        unit: of a write transaction that sees the whole area.
        fresh: the reports that are new.

    Returns:
        by id of a report, why it changes nothing of the handoff.
    """
    opportunity = unit.records(area).get(RecordKind.OPPORTUNITY, opportunity_id)
    if not isinstance(opportunity, Opportunity):
        return {}
    present = handoff_of(unit, area, opportunity, settings.gate)
    before = present.before or _before(unit, present)
    before = replace(before, reports=tuple(sorted({*before.reports, *(report.id for report in fresh)})))
    reports = [report for id_ in before.reports if (report := unit.visit_reports.get(area, id_)) is not None]
    promises = [found for id_ in before.promises if (found := unit.bookings.get(area, id_)) is not None]
    reps = unit.records(area).reps()
    sent = [event for report in reports if (event := unit.field_events.get(area, report.id)) is not None]
    deal = _Deal(
        opportunity,
        before,
        promises,
        told_names(reps),
        zone_of(reps) or ZoneInfo("UTC"),
        {each.id for each in sent if is_too_late(each.day, each.received_at, settings.fieldwork.accept_days)},
        {each.id for each in sent if not is_of_its_day(each, zone_of_rep(unit, area, each.rep_id))},
        settings.fieldwork.accept_days,
    )
    row = replace(
        present,
        state=before.state,
        side=before.side,
        owner=before.owner,
        field_rep=before.field_rep,
        reason=before.reason,
        learned=before.learned,
        before=before,
    )
    refused = {report.id: why for report in reports if (why := _overtaken(report, deal))}
    counting: VisitReport | None = None
    action = ""
    for report in standing_reports(report for report in reports if report.id not in refused):
        move = transition_of(report)
        why = _hindrance(report, row, move, deal)
        if why:
            refused[report.id] = why
        else:
            row, counting, action = _moved(row, report, move, opportunity), report, move.event
    if counting is None and present.before is None:
        return refused
    _write(unit, opportunity, present, row, action or "changed", counting)
    if counting is not None:
        _end_promises(unit, opportunity, promises, counting)
    return refused


def transition_of(report: VisitReport) -> Transition:
    """The row of the table for what a report says."""
    met = report.disposition is Disposition.MET
    action = _ACTIONS.get(report.deal, Action.MEET if met else Action.MEET_NOBODY)
    return next(row for row in TRANSITIONS if row.action is action)


def learned_from(report: VisitReport) -> str:
    """What was learned at a visit, for inside sales to read; empty where nothing was written down."""
    severity = f" ({report.severity})" if report.severity is not None else ""
    on = f" on {report.next_step_on}" if report.next_step_on is not None else ""
    step = report.next_step or ("Next visit" if on else "")
    lines = (
        report.text,
        report.concern and f"Concern{severity}: {report.concern}",
        report.competitor and f"Competitor: {report.competitor}",
        step and f"Next step: {step}{on}",
    )
    return "\n".join(filter(None, lines))


def reason_of(report: VisitReport) -> str:
    """Why the handoff is where the report has brought it; empty where that needs no reason."""
    if report.deal in (DealOutcome.LOST, DealOutcome.RETURNED):
        return report.reason
    if report.deal is DealOutcome.WON or report.disposition is Disposition.MET:
        return ""
    words = {
        Disposition.NOT_IN: f"Nobody was in on {report.day}",
        Disposition.RESCHEDULED: f"They wanted another day than {report.day}",
        Disposition.REFUSED: f"They refused the visit on {report.day}",
    }[report.disposition]
    return f"{words}: {report.reason}" if report.reason else words


def _before(unit: UnitOfWork, present: HandoffRow) -> BeforeReports:
    """A handoff as it stands without reports, or since somebody has moved it on from them."""
    key = {"area": present.area, "opportunity_id": present.opportunity_id}
    moves = (event.at for event in reversed(unit.handoff_events.find(**key)) if event.action not in MOVES_NOTHING)
    promised = unit.bookings.find(**key, state=BookingState.PROMISED)
    return BeforeReports(
        present.state,
        present.side,
        present.owner,
        present.field_rep,
        present.reason,
        present.learned,
        next(moves, None),
        (),
        tuple(sorted(booking.id for booking in promised)),
    )


def is_too_late(day: date, received_at: datetime, accept_days: int) -> bool:
    """Whether what came at a time came too long after its day to do anything but be kept."""
    return received_at.astimezone(UTC).date() - day > timedelta(days=accept_days)


def _overtaken(report: VisitReport, deal: _Deal) -> str:
    """Why a report does not count, whatever others say; empty where it does."""
    name = deal.opportunity.name
    if report.id in deal.late:
        return f"It came more than {deal.accept_days} days after the visit to {name}. {STAYS}"
    if report.id in deal.early:
        return f"{report.day} is still to come. {STAYS}"
    if deal.before.since is not None and report.made_at < deal.before.since:
        return f"{name} has been moved on since you reported: it is {STATE_WORDS[deal.before.state]} now. {STAYS}"
    return ""


def _hindrance(report: VisitReport, row: HandoffRow, move: Transition, deal: _Deal) -> str:
    """What stands in the way of a report that counts, where the ones before it have left the handoff."""
    name = deal.opportunity.name
    if row.side is Side.MANAGER:
        return f"A manager decides first whose {name} is. {STAYS}"
    if row.state not in move.before:
        return f"{name} is {STATE_WORDS[row.state]} now. {STAYS}"
    if row.owner not in ("", report.rep_id):
        return f"{name} is {deal.names.get(row.owner, 'another rep')}'s now. {STAYS}"
    for promise in deal.promises:
        if promise.start > report.made_at + EARLY:
            when = promise.window_text(deal.zone)
            return f"{name} has been promised a visit on {when}, which was still to come: cancel or move it. {STAYS}"
    if deal.opportunity.appointment_to_come(report.made_at + EARLY, deal.zone):
        when = f"{deal.opportunity.appointment:%a %-d %b %H:%M}"
        return f"{name} has an appointment on {when}, which was still to come. {STAYS}"
    return ""


def _moved(row: HandoffRow, report: VisitReport, move: Transition, opportunity: Opportunity) -> HandoffRow:
    assert move.after is not None
    assert move.owner is not None
    owners = {Side.FIELD: report.rep_id, Side.INSIDE: opportunity.inside_rep}
    return replace(
        row,
        state=move.after,
        side=move.owner,
        owner=owners.get(move.owner, ""),
        field_rep=report.rep_id,
        reason=reason_of(report),
        learned=learned_from(report) or row.learned,
    )


def _write(
    unit: UnitOfWork,
    opportunity: Opportunity,
    present: HandoffRow,
    row: HandoffRow,
    event: str,
    counting: VisitReport | None,
) -> None:
    """Write the handoff; where only the list of its reports is longer, its history says nothing of it."""
    if replace(row, before=present.before) == present and not _is_news(unit, present, event):
        unit.handoffs.put(row)
        return
    by = counting.made_by if counting is not None else "system"
    learned = learned_from(counting) if counting is not None else ""
    text = ". ".join(filter(None, (row.reason, learned and f"Learned: {learned}")))
    report_id = counting.id if counting is not None else ""
    write(unit, opportunity, present, row, event, by, unit.now(), text, report_id)


def _is_news(unit: UnitOfWork, present: HandoffRow, event: str) -> bool:
    """Whether a proposal is reported, or taken back, of what is visited anyway."""
    if event not in _OF_ONE_STATE:
        return False
    key = {"area": present.area, "opportunity_id": present.opportunity_id}
    said = [entry.action for entry in unit.handoff_events.find(**key) if entry.action in _OF_ONE_STATE]
    return bool(said) and said[-1] != event


def _end_promises(
    unit: UnitOfWork, opportunity: Opportunity, promises: Sequence[Booking], counting: VisitReport
) -> None:
    """The visit that was promised has been made, or tried."""
    for promise in promises:
        if promise.state is BookingState.PROMISED:
            over = replace(promise, state=BookingState.DONE, ended_at=counting.made_at, reason="the visit was reported")
            unit.bookings.put(over)
            day = unit.changed_days.get(promise.area, promise.rep_id, promise.day)
            if day is not None:  # whoever knows the day with the promise reads it again
                unit.changed_days.put(replace(day, revision=day.revision + 1))
            unit.audit("booking.done", promise.id, area=promise.area, opportunity=opportunity.id)
