"""Histories of opportunities, drawn by Hypothesis: through the one table of transitions, and as imports leave them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cast import opportunity
from hypothesis import strategies as st

from planner.domain import Lead, Opportunity
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.transitions import TRANSITIONS, Action
from planner.kpi.milestones import Happened, Milestones, Present, Tried, milestones
from planner.kpi.reading import Team

ZONE = ZoneInfo("Europe/London")
TEAM = Team(ZONE, frozenset(range(5)), {"anna": "Anna Able", "ben": "Ben Best"})
START = datetime(2026, 10, 19, 7, tzinfo=UTC)
"""A Monday in the week before the clocks change."""
NOW = START + timedelta(days=90)
REPS = ("anna", "ben", "")
INSIDE = ("iris@example.com", "Iris@example.com", "ines@example.com", "")
SOURCES = ("website", "Trade fair", "trade fair", "")
BY_REPORT = {
    Action.MEET: Tried(None, True),
    Action.MEET_NOBODY: Tried(None, False),
    Action.MEET_AND_PROPOSE: Tried(None, True, True),
    Action.MEET_AND_WIN: Tried(None, True),
    Action.MEET_AND_LOSE: Tried(None, False),
    Action.MEET_AND_RETURN: Tried(None, True),
}


@dataclass(frozen=True)
class History:
    """All that `milestones` is told of an opportunity."""

    deal: Opportunity
    present: Present
    entries: Sequence[Happened]
    visits: Sequence[Tried] = ()
    passes_gate: bool = False

    def milestones(self, now: datetime = NOW) -> Milestones:
        lead = Lead.of(self.deal)
        return milestones(lead, self.present, self.entries, self.visits, self.passes_gate, ZONE, deadline, now)


def deadline(day: date) -> date:
    """A week."""
    return day + timedelta(days=7)


def local(at: datetime) -> datetime:
    return at.astimezone(ZONE).replace(tzinfo=None)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@st.composite
def real(draw: st.DrawFn) -> History:
    """What people and phones can do, in any order that the table allows."""
    clock = START + timedelta(minutes=draw(st.integers(0, 60 * 24 * 40)))
    later: Callable[[], timedelta] = lambda: timedelta(minutes=draw(st.integers(0, 60 * 24 * 5)))  # noqa: E731
    lead = clock
    contacted = clock = clock + later()
    state, side, rep, before_booking = HandoffState.DRAFT, Side.INSIDE, "", HandoffState.DRAFT
    entries = [Happened(clock, "drafted", state)]
    visits: list[Tried] = []
    qualified: datetime | None = None
    for _ in range(draw(st.integers(0, 8))):
        possible = [row for row in TRANSITIONS if state in row.before]
        if not possible:
            break
        row = draw(st.sampled_from(possible))
        clock += later()
        if row.action is Action.BOOK and state is not HandoffState.BOOKED:
            before_booking = state
        state = row.after or before_booking
        side = row.owner or (Side.INSIDE if state is HandoffState.DRAFT else Side.FIELD)
        rep = rep or draw(st.sampled_from(REPS[:2])) if side is Side.FIELD else rep
        if row.action is Action.HAND_OFF:
            qualified = clock
            side = draw(st.sampled_from([Side.FIELD, Side.FIELD, Side.MANAGER]))
        if row.action in BY_REPORT:
            told = BY_REPORT[row.action]
            visits.append(Tried(clock, told.met, told.proposed))
        entries.append(Happened(clock, row.event, state, row.action in BY_REPORT))
    known: dict[str, Any] = {
        "lead_at": local(lead),
        "contacted_at": local(contacted),
        "qualified_at": local(qualified) if qualified else None,
    }
    return History(_deal(draw, **known), Present(state, side, rep, clock), entries, visits, draw(st.booleans()))


@st.composite
def dirty(draw: st.DrawFn) -> History:
    """What imports, other programs and years of corrections leave: gaps, and moments in no order."""
    moments = st.integers(-60 * 24 * 30, 60 * 24 * 120).map(lambda minutes: START + timedelta(minutes=minutes))
    actions = st.sampled_from(
        ["began", "drafted", "changed", "contacted", "answer_changed", "moved", *{row.event for row in TRANSITIONS}]
    )
    entries = draw(
        st.lists(
            st.builds(Happened, moments, actions, st.sampled_from(HandoffState), st.booleans(), st.booleans()),
            max_size=6,
        )
    )
    visits = draw(st.lists(st.builds(Tried, st.none() | moments, st.booleans(), st.booleans()), max_size=2))
    written = st.none() | moments.map(local)
    known = {name: draw(written) for name in ("lead_at", "contacted_at", "qualified_at", "appointment")}
    present = draw(
        st.builds(
            Present,
            st.sampled_from(HandoffState),
            st.sampled_from(Side),
            st.sampled_from(REPS),
            st.none() | moments,
        )
    )
    return History(_deal(draw, **known), present, entries, visits, draw(st.booleans()))


def _deal(draw: st.DrawFn, **known: Any) -> Opportunity:
    return opportunity(
        f"o{draw(st.integers(0, 10**9))}",
        value=draw(st.sampled_from([0.0, 0.1, 0.2, 1250.55, 99_999.99, 1e9])),
        inside_rep=draw(st.sampled_from(INSIDE)),
        source=draw(st.sampled_from(SOURCES)),
        **known,
    )


histories = st.lists(real() | dirty(), max_size=8)
