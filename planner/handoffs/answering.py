"""What inside sales writes down about an opportunity, and who said it: answers do not get lost when they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, tzinfo

from planner.domain import Opportunity, RecordKind, _check
from planner.errors import RefusedError
from planner.handoffs.domain import BantAnswer, HandoffRow, HandoffState, Side
from planner.handoffs.moving import By, HandoffMovedError, seen_at, write
from planner.handoffs.state import opportunity_of
from planner.handoffs.transitions import STATE_WORDS
from planner.repository import UnitOfWork
from planner.settings import GateSettings

QUESTIONS = ("need", "budget", "authority", "timeline")
"""The questions of the gate; an opportunity's record has the present answers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody at the customer's answered to a question, and on which day; None where that is not known."""

    answer: str
    said_by: str = ""
    said_on: date | None = None


def record_opportunity(
    unit: UnitOfWork,
    area: str,
    opportunity: Opportunity,
    told: Mapping[str, Told],
    revision: int,
    by: By,
    gate: GateSettings,
    now: datetime,
) -> HandoffRow:
    """Write down an opportunity as it is known now, and the answers to the gate's questions; a new one is a draft.

    What has not changed is not written. Changed answers are in the history, old and new.

    Args:
        told: by question; those that are left out keep the record's answer.
        revision: of the handoff, as the writer saw it; 0 for a new one.

    Raises:
        NotFoundError: the id is that of an opportunity which the writer does not see.
        HandoffMovedError: somebody else has changed it since.
        RefusedError: it is over.
        InvalidRecordError: an answer makes no sense.
    """
    for question, answer in told.items():
        _check(question in QUESTIONS, "question", f"{question!r} is none of {', '.join(QUESTIONS)}")
        # It may be tomorrow already where it was said.
        to_come = answer.said_on is not None and answer.said_on > now.date() + timedelta(days=1)
        _check(not to_come, question, f"was said on {answer.said_on}, which is still to come")
    present_answer = {name: told[name].answer if name in told else getattr(opportunity, name) for name in QUESTIONS}
    opportunity = replace(
        opportunity,
        need=present_answer["need"],
        budget=present_answer["budget"],
        authority=present_answer["authority"],
        timeline=present_answer["timeline"],
    )
    before = unit.records(area).get(RecordKind.OPPORTUNITY, opportunity.id)
    if not isinstance(before, Opportunity):
        return _draft(unit, area, opportunity, told, revision, by, now)
    present = seen_at(unit, area, before, revision, gate)
    if present.state in (HandoffState.WON, HandoffState.LOST):
        raise RefusedError(f"{before.name} is {STATE_WORDS[present.state]}; it is not changed any more")
    answers, news = _answered(before, present.answers, told, by, now)
    changed = [
        field.name
        for field in fields(Opportunity)
        if field.name not in QUESTIONS and getattr(before, field.name) != getattr(opportunity, field.name)
    ]
    if changed:
        news.append(f"Changed: {', '.join(changed)}")
    if not news and before == opportunity:
        return present
    unit.records(area).save(opportunity)
    event = "answer_changed" if answers != present.answers else "changed"
    return write(unit, opportunity, present, replace(present, answers=answers), event, by.actor, now, ". ".join(news))


def note_contact(
    unit: UnitOfWork,
    area: str,
    opportunity_id: str,
    revision: int,
    by: By,
    gate: GateSettings,
    zone: tzinfo,
    now: datetime,
) -> HandoffRow:
    """Somebody has just spoken to the customer for the first time: it is written down as of now.

    Args:
        revision: of the handoff, as they saw it.
        zone: the area's, in which records keep their moments.

    Raises:
        NotFoundError: there is no such opportunity among those that are seen.
        HandoffMovedError: somebody else has changed it since.
        RefusedError: it is over, or the first contact is written down already.
    """
    opportunity = opportunity_of(unit, area, opportunity_id)
    present = seen_at(unit, area, opportunity, revision, gate)
    if present.state in (HandoffState.WON, HandoffState.LOST):
        raise RefusedError(f"{opportunity.name} is {STATE_WORDS[present.state]}; it is not changed any more")
    if opportunity.contacted_at is not None:
        raise RefusedError(
            f"{opportunity.name} was contacted on {opportunity.contacted_at:%a %-d %b %H:%M} already; change that in "
            f"the form if it is wrong"
        )
    called_at = now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    opportunity = replace(opportunity, contacted_at=called_at)
    unit.records(area).save(opportunity)
    return write(unit, opportunity, present, present, "contacted", by.actor, now)


def _draft(
    unit: UnitOfWork,
    area: str,
    opportunity: Opportunity,
    told: Mapping[str, Told],
    revision: int,
    by: By,
    now: datetime,
) -> HandoffRow:
    empty = HandoffRow(area, opportunity.id, 0, HandoffState.DRAFT, None, Side.INSIDE, opportunity.inside_rep)
    if revision != 0:
        raise HandoffMovedError(opportunity.name, empty)
    unit.records(area).save(opportunity)
    answers, _ = _answered(None, {}, told, by, now)
    text = "; ".join(f"{question} is {answer.answer}{_source(answer)}" for question, answer in answers.items())
    return write(unit, opportunity, empty, replace(empty, answers=answers), "drafted", by.actor, now, text)


def _answered(
    before: Opportunity | None, known: Mapping[str, BantAnswer], told: Mapping[str, Told], by: By, now: datetime
) -> tuple[dict[str, BantAnswer], list[str]]:
    """All answers with their sources, and what is new of them in words."""
    answers, news = dict(known), []
    for question, answer in told.items():
        written = BantAnswer(question, answer.answer, answer.said_by, answer.said_on, by.actor, now)
        old = getattr(before, question) if before else "unknown"
        last = known.get(question)
        source = (answer.said_by, answer.said_on)
        same_source = source == ((last.said_by, last.said_on) if last else ("", None))
        if answer.answer == old and (same_source or answer.answer == "unknown"):
            continue
        answers[question] = written
        if answer.answer == old:
            news.append(f"{question.capitalize()}: {old}{_source(written)}")
        else:
            news.append(f"{question.capitalize()}: {old} → {answer.answer}{_source(written)}")
    return answers, news


def _source(answer: BantAnswer) -> str:
    said_by = f" (said by {answer.said_by}" if answer.said_by else ""
    on = f"{' on' if said_by else ' (said on'} {answer.said_on}" if answer.said_on else ""
    return f"{said_by}{on})" if said_by or on else ""
