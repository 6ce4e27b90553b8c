"""Handoffs as their list shows them: what the viewer has to do first, then the visits, then what waits for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from planner.candidates import Reason
from planner.handoffs.domain import HandoffRow, HandoffState, Side
from planner.handoffs.moving import By
from planner.handoffs.standing import Handoff, Standing
from planner.slots.domain import Booking
from webui.presenting.opportunity import (
    STATES,
    Deadline,
    Team,
    deadline_view,
    is_mine,
    next_words,
    owner_words,
)
from webui.presenting.reports import LastReport
from webui.words import REASONS, clock, sentence, short_day

_OVER = frozenset({HandoffState.WON, HandoffState.LOST})
_BACK = frozenset({HandoffState.REJECTED, HandoffState.RETURNED})

_AT_INSIDE = ("inside", "With inside sales", "They find out what is missing, or what the field asked for.")
_AT_FIELD = ("field", "With the field", "No time is set for a visit so far, or how it ended is still open.")
_AT_MANAGER = ("manager", "With a manager", "Whose it is has to be decided.")
_CLOSED = ("over", "Won and lost", "What became of them, and why.")


@dataclass(frozen=True, slots=True)
class HandoffView:
    """One opportunity. `lines` say why it is where it is; `address` stands where it is not sure.

    `reported` is what the field reported last; `learned` is what it learned where it made no report.
    """

    id: str
    name: str
    contact: str
    state: str
    state_label: str
    next: str
    owner: str
    deadline: Deadline
    promise: str = ""
    visit: str = ""
    lines: tuple[str, ...] = ()
    learned: str = ""
    reported: LastReport | None = None
    address: str = ""
    arrive: str = ""
    rep: str = ""


@dataclass(frozen=True, slots=True)
class HandoffDay:
    """The visits of a day. `when` is "today", "tomorrow", "past" or empty."""

    day: str
    when: str
    visits: tuple[HandoffView, ...]


@dataclass(frozen=True, slots=True)
class HandoffGroup:
    """What waits for somebody, by `id`, with a heading and a line about it."""

    id: str
    heading: str
    text: str
    entries: tuple[HandoffView, ...]


@dataclass(frozen=True, slots=True)
class HandoffsView:
    """The list. Days that have passed stand behind those to come; `figures` are counts with their names."""

    todo: tuple[HandoffView, ...]
    days: tuple[HandoffDay, ...]
    groups: tuple[HandoffGroup, ...]
    unlocated: int
    figures: tuple[tuple[str, int], ...]

    @property
    def empty(self) -> bool:
        return not (self.todo or self.days or self.groups)


@dataclass(frozen=True, slots=True)
class Board:
    """What the list is made from, as read for one viewer. `deadlines` are days of first visits by opportunity, and
    `reports` what the field reported last."""

    found: Sequence[Handoff]
    promises: Mapping[str, Booking]
    deadlines: Mapping[str, date | None]
    team: Team
    by: By
    email: str
    today: date
    reports: Mapping[str, LastReport] = field(default_factory=dict)


def handoffs_view(board: Board) -> HandoffsView:
    """The list's groups. A visit that is still to come is nothing to be done: it stands under its day."""
    todo: list[tuple[tuple[bool, date, str], HandoffView]] = []
    by_day: dict[date, list[tuple[str, HandoffView]]] = {}
    waiting: dict[tuple[str, str, str], list[HandoffView]] = {}
    for handoff in board.found:
        row = handoff.row
        day, mine = _day(board, handoff, row), is_mine(row, board.by, board.email)
        answered = row.state is not HandoffState.HANDED_OFF or board.by.side is not Side.FIELD
        to_do = mine and not (day and day >= board.today and answered)
        entry = _entry(board, handoff, row, mine, under_day=bool(day and not to_do))
        if to_do:
            deadline = board.deadlines.get(handoff.opportunity.id)
            todo.append(((deadline is None, deadline or date.max, entry.id), entry))
        elif day:
            by_day.setdefault(day, []).append((entry.arrive, entry))
        else:
            waiting.setdefault(_group(row), []).append(entry)
    days = sorted(by_day, key=lambda day: (day < board.today, day))
    groups = [HandoffGroup(*key, tuple(waiting[key])) for key in _order(board.by.side) if key in waiting]
    coming = sum(len(by_day[day]) for day in days if day >= board.today)
    open_ = sum(len(group.entries) for group in groups if group.id != _CLOSED[0])
    return HandoffsView(
        todo=tuple(entry for _, entry in sorted(todo, key=lambda pair: pair[0])),
        days=tuple(
            HandoffDay(
                short_day(day),
                _when((day - board.today).days),
                tuple(entry for _, entry in sorted(by_day[day], key=lambda pair: pair[0])),
            )
            for day in days
        ),
        groups=tuple(groups),
        unlocated=sum(handoff.location is not None for handoff in board.found),
        figures=(("Yours to do", len(todo)), ("Visits to come", coming), ("With others", open_)),
    )


def _order(side: Side) -> tuple[tuple[str, str, str], ...]:
    return {
        Side.FIELD: (_AT_FIELD, _AT_MANAGER, _AT_INSIDE, _CLOSED),
        Side.INSIDE: (_AT_FIELD, _AT_MANAGER, _AT_INSIDE, _CLOSED),
    }.get(side, (_AT_INSIDE, _AT_FIELD, _AT_MANAGER, _CLOSED))


def _group(row: HandoffRow) -> tuple[str, str, str]:
    if row.state in _OVER:
        return _CLOSED
    return {Side.INSIDE: _AT_INSIDE, Side.MANAGER: _AT_MANAGER}.get(row.side, _AT_FIELD)


def _day(board: Board, handoff: Handoff, row: HandoffRow) -> date | None:
    """On which a visit stands that has not been reported yet."""
    if row.state not in (HandoffState.HANDED_OFF, HandoffState.ACCEPTED, HandoffState.BOOKED):
        return None
    promise = board.promises.get(handoff.opportunity.id)
    if promise is not None:
        return promise.start.astimezone(board.team.zone).date()
    return handoff.visit.arrive.date() if handoff.visit else None


def _when(days: int) -> str:
    return "past" if days < 0 else {0: "today", 1: "tomorrow"}.get(days, "")


def _entry(board: Board, handoff: Handoff, row: HandoffRow, mine: bool, under_day: bool) -> HandoffView:
    deal, visit, promise = handoff.opportunity, handoff.visit, board.promises.get(handoff.opportunity.id)
    arrive, goes = "", visit.rep_id if visit else row.field_rep
    if promise is not None:
        arrive = clock(promise.start.astimezone(board.team.zone))
    elif visit:
        arrive = clock(visit.begin)
    location = handoff.location if row.state not in (*_OVER, HandoffState.VISITED) else None
    return HandoffView(
        id=deal.id,
        name=deal.name,
        contact=deal.contact_name,
        state=row.state,
        state_label=STATES[row.state],
        next=next_words(row, mine, board.by) if mine else "",
        owner="" if mine else owner_words(row, mine, board.team),
        deadline=deadline_view(row, board.deadlines.get(deal.id), board.today),
        promise=_promise(board, handoff, under_day),
        visit=_visit(board, handoff, row),
        lines=tuple(sentence(line) for line in _lines(handoff, row)),
        learned="" if deal.id in board.reports else row.learned,
        reported=board.reports.get(deal.id),
        address=str(location.address) if location else "",
        arrive=arrive,
        rep=board.team.name(goes) if goes else "",
    )


def _promise(board: Board, handoff: Handoff, under_day: bool) -> str:
    """When somebody was told; under the heading of its day without the day."""
    agreed, until = handoff.opportunity.appointment, ""
    if promise := board.promises.get(handoff.opportunity.id):
        agreed, until = promise.start.astimezone(board.team.zone), f"–{clock(promise.end.astimezone(board.team.zone))}"
    elif handoff.visit and handoff.visit.promise:
        agreed = handoff.visit.begin
    if agreed is None:
        return ""
    return f"Promise for {'' if under_day else f'{short_day(agreed.date())} '}{clock(agreed)}{until}"


def _visit(board: Board, handoff: Handoff, row: HandoffRow) -> str:
    """What the plan has for it, where nothing is promised."""
    planned = handoff.visit if _day(board, handoff, row) else None
    return (
        f"Planned {short_day(planned.arrive.date())} {clock(planned.begin)}" if planned and not planned.promise else ""
    )


def _lines(handoff: Handoff, row: HandoffRow) -> list[str]:
    """Why it is where it is."""
    if row.state in _BACK:
        return [f"{STATES[row.state]} because: {row.reason}"] if row.reason else []
    if row.state in _OVER:
        return [row.reason] if row.reason else []
    if row.state is HandoffState.DRAFT:
        return list(handoff.missing)
    if row.state is HandoffState.VISITED:
        return []
    if handoff.visit is not None:
        return [f"Still open: {'; '.join(handoff.missing)}"] if handoff.missing else []
    return [_why(handoff)]


def _why(handoff: Handoff) -> str:
    if handoff.location is not None:
        return handoff.location.reason
    if handoff.standing is not Standing.UNPLANNED or handoff.reason in ("", Reason.NOT_LOCATED):
        return "Waits for the next plan"  # an address that is sure by now was mended after that plan
    known = {reason.value: heading for reason, (heading, _) in REASONS.items()}
    heading = known.get(handoff.reason, "")
    return f"{heading}: {handoff.sentence}" if heading and handoff.sentence else heading or handoff.sentence
