"""What may be done with a handoff: the one table of states, actions, sides, and what has to be said."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from planner.errors import RefusedError
from planner.handoffs.domain import HandoffState, Side


class Action(StrEnum):
    """What somebody does with a handoff."""

    HAND_OFF = "hand_off"
    WITHDRAW = "withdraw"
    ASSIGN = "assign"
    ACCEPT = "accept"
    REJECT = "reject"
    REPORT = "report"
    WIN = "win"
    LOSE = "lose"
    RETURN = "return"
    PROPOSE = "propose"
    """The customer has been made a proposal; that the visit was made stays the state."""
    BOOK = "book"
    UNBOOK = "unbook"
    MISS = "miss"
    """Nobody acted by the deadline."""
    MEET = "meet"
    """The rest is what the reports of a visit that come from a phone say of it."""
    MEET_NOBODY = "meet_nobody"
    MEET_AND_PROPOSE = "meet_and_propose"
    MEET_AND_WIN = "meet_and_win"
    MEET_AND_LOSE = "meet_and_lose"
    MEET_AND_RETURN = "meet_and_return"


class Said(StrEnum):
    """What has to be said with an action: fields of a `moving.Move`."""

    KIND = "kind"
    """Of a rejection: clerical, procedural or wrong_fit."""
    WHY = "why"
    LEARNED = "learned"
    REP = "rep"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table.

    Attributes:
        before: the states in which it may be done.
        by: the side that may do it; NOBODY for what fieldvisit does itself. Managers may do both sides'.
        after: the state that it leads to; None leads back to where it was before the visit was booked.
        owner: the side that has to do the next thing then; None as `after`.
        needs: what has to be said.
        event: the code of the history's entry.
        words: what was done, as in "a handoff that is rejected cannot be <words>".
    """

    action: Action
    before: frozenset[HandoffState]
    by: Side
    after: HandoffState | None
    owner: Side | None
    needs: tuple[Said, ...]
    event: str
    words: str


_S = HandoffState


def _of(*states: HandoffState) -> frozenset[HandoffState]:
    return frozenset(states)


_OUT = _of(_S.HANDED_OFF, _S.ACCEPTED)
_BACK = _of(_S.REJECTED, _S.RETURNED)
_IN_THE_FIELD = _OUT | {_S.BOOKED, _S.VISITED}
_WHY = (Said.WHY,)

TRANSITIONS: tuple[Transition, ...] = (
    # Inside sales
    Transition(
        Action.HAND_OFF, _BACK | {_S.DRAFT}, Side.INSIDE, _S.HANDED_OFF, Side.FIELD, (), "handed_off", "handed off"
    ),
    Transition(Action.WITHDRAW, _OUT, Side.INSIDE, _S.DRAFT, Side.INSIDE, _WHY, "withdrawn", "withdrawn"),
    Transition(Action.LOSE, _BACK | {_S.DRAFT}, Side.INSIDE, _S.LOST, Side.NOBODY, _WHY, "lost", "lost"),
    # A manager
    Transition(Action.ASSIGN, _OUT, Side.MANAGER, _S.HANDED_OFF, Side.FIELD, (Said.REP,), "assigned", "given to a rep"),
    # The field
    Transition(Action.ACCEPT, _of(_S.HANDED_OFF), Side.FIELD, _S.ACCEPTED, Side.FIELD, (), "accepted", "accepted"),
    Transition(
        Action.REJECT, _OUT, Side.FIELD, _S.REJECTED, Side.INSIDE, (Said.KIND, Said.WHY), "rejected", "rejected"
    ),
    Transition(
        Action.REPORT,
        _OUT | {_S.BOOKED},
        Side.FIELD,
        _S.VISITED,
        Side.FIELD,
        (Said.LEARNED,),
        "visited",
        "reported as visited",
    ),
    Transition(Action.PROPOSE, _of(_S.VISITED), Side.FIELD, _S.VISITED, Side.FIELD, (), "proposed", "given a proposal"),
    Transition(Action.WIN, _of(_S.ACCEPTED, _S.VISITED), Side.FIELD, _S.WON, Side.NOBODY, (), "won", "won"),
    Transition(Action.LOSE, _of(_S.ACCEPTED, _S.VISITED), Side.FIELD, _S.LOST, Side.NOBODY, _WHY, "lost", "lost"),
    Transition(
        Action.RETURN,
        _of(_S.ACCEPTED, _S.VISITED),
        Side.FIELD,
        _S.RETURNED,
        Side.INSIDE,
        (Said.WHY, Said.LEARNED),
        "returned",
        "returned to inside sales",
    ),
    # What follows from something else: a promise that is made or cancelled, a deadline that passes
    Transition(
        Action.BOOK,
        _OUT | {_S.DRAFT, _S.BOOKED, _S.VISITED},
        Side.NOBODY,
        _S.BOOKED,
        Side.FIELD,
        (),
        "booked",
        "booked",
    ),
    Transition(
        Action.UNBOOK, _of(_S.BOOKED), Side.NOBODY, None, None, _WHY, "unbooked", "taken out of the booked ones"
    ),
    Transition(
        Action.MISS, _OUT, Side.NOBODY, _S.RETURNED, Side.INSIDE, _WHY, "missed", "returned for a missed deadline"
    ),
    # A report from a phone: it is judged by what was before all reports (planner.fieldwork.reports)
    Transition(Action.MEET, _IN_THE_FIELD, Side.NOBODY, _S.VISITED, Side.FIELD, (), "visited", "visited"),
    Transition(Action.MEET_NOBODY, _IN_THE_FIELD, Side.NOBODY, _S.ACCEPTED, Side.FIELD, _WHY, "not_met", "visited"),
    Transition(
        Action.MEET_AND_PROPOSE, _IN_THE_FIELD, Side.NOBODY, _S.VISITED, Side.FIELD, (), "proposed", "given a proposal"
    ),
    Transition(Action.MEET_AND_WIN, _IN_THE_FIELD, Side.NOBODY, _S.WON, Side.NOBODY, (), "won", "won"),
    Transition(Action.MEET_AND_LOSE, _IN_THE_FIELD, Side.NOBODY, _S.LOST, Side.NOBODY, _WHY, "lost", "lost"),
    Transition(
        Action.MEET_AND_RETURN,
        _IN_THE_FIELD,
        Side.NOBODY,
        _S.RETURNED,
        Side.INSIDE,
        _WHY,
        "returned",
        "returned to inside sales",
    ),
)

STATE_WORDS = {
    _S.DRAFT: "a draft",
    _S.HANDED_OFF: "handed off",
    _S.ACCEPTED: "accepted",
    _S.REJECTED: "rejected",
    _S.BOOKED: "booked",
    _S.VISITED: "visited",
    _S.WON: "won",
    _S.LOST: "lost",
    _S.RETURNED: "returned to inside sales",
}
_SIDE_WORDS = {Side.INSIDE: "inside sales", Side.FIELD: "the field", Side.MANAGER: "a manager", Side.NOBODY: "nobody"}
ENDS = (Action.WITHDRAW, Action.REJECT, Action.RETURN, Action.LOSE, Action.WIN)
"""What ends a handoff or sends it back: never while somebody has been told a time."""


def may_do(side: Side, transition: Transition) -> bool:
    """Whether a side may do it: its own things; a manager does both sides'."""
    return transition.by is side or (side is Side.MANAGER and transition.by is not Side.NOBODY)


def possible(state: HandoffState, side: Side) -> list[Transition]:
    """What a side may do with a handoff in a state, in the order of the table."""
    return [row for row in TRANSITIONS if state in row.before and may_do(side, row)]


def transition(name: str, state: HandoffState, action: Action, side: Side) -> Transition:
    """The row of the table for an action in a state.

    Args:
        name: of the customer, for the words of an error.

    Raises:
        RefusedError: it may not be done in this state, or not by this side.
    """
    rows = [row for row in TRANSITIONS if row.action is action]
    here = [row for row in rows if state in row.before]
    for row in here:
        if may_do(side, row):
            return row
    words = rows[0].words
    if here:
        raise RefusedError(
            f"{name} is {STATE_WORDS[state]}: only {_list(_SIDE_WORDS[row.by] for row in here)} may do this"
        )
    if state is HandoffState.BOOKED and action in (*ENDS, Action.ASSIGN):
        raise RefusedError(f"{name} has been promised a visit: cancel it first, then this can be {words}")
    states = _in_order({before for row in rows for before in row.before if may_do(side, row) or row.by is Side.NOBODY})
    only = f"; only what is {_list(STATE_WORDS[before] for before in states)} can be" if states else ""
    raise RefusedError(f"{name} is {STATE_WORDS[state]} and cannot be {words}{only}")


def _in_order(states: Collection[HandoffState]) -> list[HandoffState]:
    return [state for state in HandoffState if state in states]


def _list(words: Iterable[str]) -> str:
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last
