"""What is shown before a handoff: who should handle it, whether a visit fits, and who is there already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.domain import Location, Opportunity, RecordKind
from planner.handoffs.conflicts import Card, Compared, Conflicts, Match, Sureness, decide
from planner.handoffs.division import Verdict
from planner.handoffs.domain import Side
from planner.settings import HandoffSettings
from planner.slots.offering import FirstVisit

ANOTHER = "none"
"""The answer that it is none of those who are shown."""


@dataclass(frozen=True, slots=True)
class MatchView:
    """Somebody who is there already, and what follows if it is the same company; `own` is the viewer's opportunity."""

    key: str
    card: Card
    reasons: tuple[str, ...]
    compared: tuple[Compared, ...]
    then: str
    own: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """Attributes:
    matches: those of whom a person has to say whether it is the same company; `others` are shown only.
    candidates: addresses that may be meant, where the typed one is not sure; `place` is the one chosen, 1 and up.
    same: the key of the match that it is, ANOTHER, or empty while nobody has said.
    """

    division: str
    stays_inside: bool
    first_visit: str
    fits: bool | None
    matches: tuple[MatchView, ...]
    others: tuple[MatchView, ...]
    candidates: tuple[str, ...]
    place: int
    same: str
    note: str


def review_view(
    opportunity: Opportunity,
    verdict: Verdict,
    visit: FirstVisit,
    conflicts: Conflicts,
    location: Location | None,
    place: int,
    same: str,
    note: str,
    email: str,
    settings: HandoffSettings,
) -> ReviewView:
    """`email` is the viewer's."""
    return ReviewView(
        division=verdict.sentence,
        stays_inside=verdict.handler is Side.INSIDE,
        first_visit=visit.sentence,
        fits=visit.fits,
        matches=tuple(_match(opportunity, match, email, settings) for match in asked_about(conflicts.matches)),
        others=tuple(
            _match(opportunity, match, email, settings)
            for match in conflicts.matches
            if match.sureness is Sureness.POSSIBLE
        ),
        candidates=tuple(found.address for found in location.candidates) if location and not location.place else (),
        place=place,
        same=same,
        note=note,
    )


def asked_about(matches: Iterable[Match]) -> list[Match]:
    """The matches of which a person has to say whether it is the same company."""
    return [match for match in matches if match.sureness is not Sureness.POSSIBLE]


def _match(opportunity: Opportunity, match: Match, email: str, settings: HandoffSettings) -> MatchView:
    own = match.card.kind is RecordKind.OPPORTUNITY and match.card.owner.casefold() == email.casefold()
    then = "you have it already: one of the two is enough" if own else _then(opportunity, match, settings)
    return MatchView(match.key, match.card, match.reasons, match.compared, then, own)


def _then(opportunity: Opportunity, match: Match, settings: HandoffSettings) -> str:
    if match.card.kind is RecordKind.OPPORTUNITY:
        who = f"{match.card.owner} works" if match.card.owner else "somebody works"
        return f"then {who} on it already: talk to each other before both hand it off"
    reps = {match.card.owner_id: match.card.owner} if match.card.owner else {}
    decision = decide(opportunity, [match], (), reps, settings)
    return decision.sentence if decision else "it becomes an opportunity of this customer, who has no rep yet"
