"""How far a rep's day is: what is done, what was reported, and what is left out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from planner.fieldwork.domain import DayProgress, Disposition, FieldVisit
from webui.presenting.rep_day import RepDayView
from webui.words import DISPOSITIONS, clock, sentence

_GOOD, _QUIET, _WARN = "tag-good", "tag-quiet", "tag-warn"


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a visit: `text` in a tag of the class `css`; `times` when it was truly made; `why` in words."""

    text: str
    css: str
    times: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class DayStanding:
    """How far a day is. `marks` are by visit id; `left_out` are visits that are no longer on it: name and why.

    `over` are ids of visits that nobody comes for any more: they were made, or are left out. Where the rep was when
    they checked in is not in it: that is shown on a page that notes who looks.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    over: frozenset[str] = frozenset()
    done: int = 0
    visits: int = 0
    sick: bool = False
    to_call: int = 0
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def begun(self) -> bool:
        return bool(self.marks or self.sick or self.left_out)


NOTHING_YET = DayStanding()


def day_standing(
    day: RepDayView, visits: Iterable[FieldVisit], progress: DayProgress | None, names: Mapping[str, str]
) -> DayStanding:
    """What phones have said of a day. `names` are of visits that are on it no longer, by id."""
    zone = ZoneInfo(day.zone)
    known = {visit.visit_id: visit for visit in visits}
    on_it = {visit.id for door in day.doors for visit in door.visits}
    left_out = progress.left_out if progress else {}
    to_call = progress.to_call if progress else {}
    marks = {id_: Mark("Left out", _WARN, why=why) for id_, why in left_out.items()}
    marks |= {id_: Mark("Promise cannot be kept", _WARN, why=sentence(why)) for id_, why in to_call.items()}
    marks |= {id_: mark for id_, visit in known.items() if (mark := _mark(visit, zone))}
    return DayStanding(
        marks=marks,
        over=frozenset({*left_out, *(id_ for id_, visit in known.items() if visit.over)}),
        done=sum(known[id_].over for id_ in on_it if id_ in known),
        visits=len(on_it),
        sick=bool(progress and progress.sick),
        to_call=len(to_call),
        left_out=tuple((names.get(id_) or id_, why) for id_, why in left_out.items() if id_ not in on_it),
    )


def _mark(visit: FieldVisit, zone: ZoneInfo) -> Mark | None:
    times = "–".join(_clock(moment, zone) for moment in (visit.arrived_at, visit.left_at) if moment)
    if visit.disposition is not None:
        css = _GOOD if visit.disposition is Disposition.MET else _WARN
        return Mark(f"Reported: {DISPOSITIONS[visit.disposition].lower()}", css, times)
    if visit.left_at is not None:
        return Mark("Done, not reported yet", _QUIET, times)
    return Mark("There now", "", f"since {times}") if visit.arrived_at is not None else None


def _clock(moment: datetime, zone: ZoneInfo) -> str:
    return clock(moment.astimezone(zone))
