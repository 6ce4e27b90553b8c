"""Handoffs as their page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from planner.candidates import Reason
from planner.handoffs.standing import Handoff, Standing
from webui.words import REASONS, clock, sentence, short_day


@dataclass(frozen=True, slots=True)
class HandoffView:
    """One opportunity. `lines` say what is missing, or why it is not planned; `address` stands where it is not sure."""

    id: str
    name: str
    contact: str
    promise: str
    lines: tuple[str, ...] = ()
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
class HandoffsView:
    """The handoffs in their groups; days that have passed stand behind those to come."""

    days: tuple[HandoffDay, ...]
    planned: int
    returned: tuple[HandoffView, ...]
    unlocated: tuple[HandoffView, ...]
    unplanned: tuple[HandoffView, ...]


def handoffs_view(found: Sequence[Handoff], today: date) -> HandoffsView:
    """The page's groups. `today` is at the place of the visits."""
    by_day: dict[date, list[HandoffView]] = {}
    for handoff in found:
        if handoff.visit:
            by_day.setdefault(handoff.visit.arrive.date(), []).append(_planned(handoff))
    groups = {
        standing: tuple(_waiting(handoff) for handoff in found if handoff.standing is standing)
        for standing in (Standing.RETURNED, Standing.UNLOCATED, Standing.UNPLANNED)
    }
    return HandoffsView(
        days=tuple(
            HandoffDay(short_day(day), _when((day - today).days), tuple(by_day[day]))
            for day in sorted(by_day, key=lambda day: (day < today, day))
        ),
        planned=sum(map(len, by_day.values())),
        returned=groups[Standing.RETURNED],
        unlocated=groups[Standing.UNLOCATED],
        unplanned=groups[Standing.UNPLANNED],
    )


def _when(days: int) -> str:
    return "past" if days < 0 else {0: "today", 1: "tomorrow"}.get(days, "")


def _planned(handoff: Handoff) -> HandoffView:
    visit, deal = handoff.visit, handoff.opportunity
    if visit is None:
        raise ValueError(f"opportunity {deal.id} has no visit")
    return HandoffView(
        id=deal.id,
        name=deal.name,
        contact=deal.contact_name,
        promise=f"Promise for {clock(visit.begin)}" if visit.promise else "",
        lines=tuple(map(sentence, handoff.missing)),
        arrive=clock(visit.arrive),
        rep=visit.rep,
    )


def _waiting(handoff: Handoff) -> HandoffView:
    deal, location = handoff.opportunity, handoff.location
    promise = f"Promise for {short_day(deal.appointment)} {clock(deal.appointment)}" if deal.appointment else ""
    address = str(location.address) if location else ""
    lines = handoff.missing if handoff.standing is Standing.RETURNED else (_why(handoff),)
    return HandoffView(deal.id, deal.name, deal.contact_name, promise, tuple(map(sentence, lines)), address)


def _why(handoff: Handoff) -> str:
    if handoff.location is not None:
        return handoff.location.reason
    if handoff.reason in ("", Reason.NOT_LOCATED):  # an address that is sure by now was mended after that plan
        return "Waits for the next plan"
    known = {reason.value: heading for reason, (heading, _) in REASONS.items()}
    heading = known.get(handoff.reason, "")
    return f"{heading}: {handoff.sentence}" if heading and handoff.sentence else heading or handoff.sentence
