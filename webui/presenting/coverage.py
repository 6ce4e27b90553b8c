"""How an area's customers are looked after, as a manager reads it in a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from planner.coverage.domain import CoverageState, RepCapacity
from planner.coverage.measures import (
    MEASURES,
    Group,
    Measure,
    Row,
    Unit,
)
from planner.coverage.packing import Summary
from webui.words import count, said, sentence, short_day

STATES = {
    CoverageState.VISITED: "Looked after",
    CoverageState.DUE: "Due",
    CoverageState.OVERDUE: "Overdue",
    CoverageState.DORMANT: "Dormant",
    CoverageState.NO_PLACE: "No place",
}
"""Each is the key of a measure, too."""

GROUPS = {Group.REP: "By rep", Group.SEGMENT: "By segment", Group.TERRITORY: "By territory"}
GROUP_WORDS = {Group.REP: "Rep", Group.SEGMENT: "Segment", Group.TERRITORY: "Territory", Group.REASON: "Why not"}

COLUMNS = ("customers", "overdue", "due", "unreached", "planned", "in_time_share", "catch_up_hours")
COLUMNS_WITHOUT_REPS = (*COLUMNS[:4], "in_time_share", "visits_a_month", "visit_hours", "drive_hours", "catch_up_hours")
"""Where there are no reps whose hours could be set against those needed."""
DEFINED = (
    *("customers", *STATES, "never_visited", "overdue_days", "in_time_share", "due_in_plan", "planned", "unreached"),
    *("no_room", "behind", "catch_up_hours"),
    *("visits_a_month", "visit_hours", "drive_hours", "opportunity_hours", "hours_needed", "hours_there", "shortfall"),
    *("spare", "utilisation"),
)
MOST_URGENT = "A"
"""The segment whose overdue customers are told first; the first by letter where there is none of that name."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Part of a bar that is 1,000 wide; `css` says of what."""

    css: str
    left: int
    width: int


@dataclass(frozen=True, slots=True)
class StateView:
    """How many customers are in a state."""

    key: str
    title: str
    number: int


@dataclass(frozen=True, slots=True)
class HoursView:
    """Hours a month that are needed and there, with bars to the same scale as its neighbours'.

    The first bar is of the hours there are, the others lie on it; the last is what is missing. `missing` and `left` say
    how much in words; empty for none. `ends` says what ends first where that is the visits that days may have.
    """

    needed: str
    there: str
    missing: str
    left: str
    bars: tuple[Bar, ...]
    told: str
    ends: str = ""


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure of a row. `key` is the measure; `empty` where there is nothing to list."""

    key: str
    title: str
    text: str
    empty: bool
    warns: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """A rep, segment or territory."""

    value: str
    label: str
    states: tuple[Bar, ...]
    told: str
    cells: tuple[FigureView, ...]
    hours: HoursView | None


@dataclass(frozen=True, slots=True)
class Short:
    """Whose hours do not suffice. `customers` where some take hours, who can be listed."""

    rep_id: str
    name: str
    hours: str
    customers: bool


@dataclass(frozen=True, slots=True)
class Full:
    """A rep in whose days of the plan so many customers have no room."""

    rep_id: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Headline:
    """What a manager has to know first.

    Attributes:
        urgent: overdue customers of the segment that matters most.
        needed, there: hours a month, of the reps who work.
        short: of these; unowned: what is nobody's, or of who works no more.
        behind: who are due or overdue; `catch_up` is what visiting each of them once takes.
        no_room: for whom the plan's days are too full; `full` are the reps of most of them.
    """

    customers: int
    active: int
    visited: int
    overdue: int
    overdue_days: str
    segment: str
    urgent: int
    dormant: int
    no_place: int
    unreached: int
    needed: str
    there: str
    deals: bool
    short: tuple[Short, ...]
    unowned: tuple[Short, ...]
    spare: str
    behind: int
    catch_up: str
    no_room: int
    full: tuple[Full, ...]


@dataclass(frozen=True, slots=True)
class HeldView:
    """How often a rep's hours would let the customers of a segment be visited."""

    rep: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why customers who are due have no visit in the plan."""

    value: str
    text: str
    number: int


@dataclass(frozen=True, slots=True)
class Definition:
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class CoverageView:
    """The page of figures, told by one group."""

    as_of: str
    plan: str
    headline: Headline
    states: tuple[StateView, ...]
    bars: tuple[Bar, ...]
    hours: HoursView | None
    by: Group
    by_word: str
    groups: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[RowView, ...]
    held: tuple[HeldView, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
    definitions: tuple[Definition, ...]


def coverage_view(summary: Summary, by: Group) -> CoverageView:
    """The figures of what the viewer sees."""
    area = summary.total.figures
    reps = {rep.rep_id: rep for rep in summary.reps}
    widest = max((max(rep.needed, rep.there) for rep in summary.reps), default=0.0)
    keys = COLUMNS if by is Group.REP else COLUMNS_WITHOUT_REPS
    return CoverageView(
        as_of=short_day(summary.as_of),
        plan=_plan(summary),
        headline=_headline(summary),
        states=tuple(StateView(state, title, _whole(area, state)) for state, title in STATES.items()),
        bars=_state_bars(area),
        hours=_together(summary) if summary.reps else None,
        by=by,
        by_word=GROUP_WORDS.get(by, ""),
        groups=tuple((group.value, text) for group, text in GROUPS.items() if _is_told(summary, group)),
        columns=tuple(MEASURES[key].title for key in keys),
        rows=tuple(
            RowView(
                row.value,
                sentence(row.label),
                _state_bars(row.figures),
                ", ".join(f"{_whole(row.figures, state)} {title.lower()}" for state, title in STATES.items()),
                tuple(_cell(MEASURES[key], row) for key in keys),
                _hours(reps[row.value], widest) if by is Group.REP and row.value in reps else None,
            )
            for row in summary.rows[by]
        ),
        held=_held(summary),
        reasons=_reasons(summary),
        notes=tuple(said(note) for note in summary.notes),
        definitions=tuple(Definition(MEASURES[key].title, MEASURES[key].definition) for key in DEFINED),
    )


def _is_told(summary: Summary, group: Group) -> bool:
    return any(row.value for row in summary.rows[group])


def _plan(summary: Summary) -> str:
    if summary.first_day is None or summary.last_day is None:
        return ""
    return f"{short_day(summary.first_day)} – {short_day(summary.last_day)}"


def _whole(row: Mapping[str, float | None], key: str) -> int:
    return round(row.get(key) or 0)


def _headline(summary: Summary) -> Headline:
    area = summary.total.figures
    overdue = {row.value: _whole(row.figures, "overdue") for row in summary.rows[Group.SEGMENT] if row.value}
    segment = MOST_URGENT if MOST_URGENT in overdue else min(overdue, default="")
    rows = {row.value: row.figures for row in summary.rows[Group.REP]}
    spare = sum(rep.spare for rep in summary.reps)
    working = [rep for rep in summary.reps if rep.there > 0]
    deals = sum(rep.opportunities for rep in working)

    def short(working: bool) -> tuple[Short, ...]:
        found = [rep for rep in summary.reps if _shown_minutes(rep.shortfall) and (rep.there > 0) is working]
        return tuple(
            Short(rep.rep_id, rep.name, hours(rep.shortfall / 60), bool(rows.get(rep.rep_id, {}).get("visits_a_month")))
            for rep in sorted(found, key=lambda rep: -rep.shortfall)
        )

    full = [Full(rep.rep_id, rep.name, _whole(rows.get(rep.rep_id, {}), "no_room")) for rep in summary.reps]
    return Headline(
        customers=_whole(area, "customers"),
        active=_whole(area, "customers") - _whole(area, "dormant"),
        visited=_whole(area, "visited"),
        overdue=_whole(area, "overdue"),
        overdue_days=count(round(summary.overdue_median), "day") if summary.overdue_median else "",
        segment=segment,
        urgent=overdue.get(segment, 0),
        dormant=_whole(area, "dormant"),
        no_place=_whole(area, "no_place"),
        unreached=_whole(area, "unreached"),
        needed=f"{sum(rep.needed for rep in working) / 60:,.0f}",
        there=hours(sum(rep.there for rep in working) / 60) if working else "",
        deals=_shown_minutes(deals),
        short=short(True),
        unowned=short(False),
        spare=hours(spare / 60) if _shown_minutes(spare) else "",
        behind=_whole(area, "behind"),
        catch_up=hours(area.get("catch_up_hours") or 0),
        no_room=_whole(area, "no_room"),
        full=tuple(sorted((each for each in full if each.number), key=lambda each: -each.number)[:2]),
    )


def _shown_minutes(minutes: float) -> bool:
    """Whether it is enough to be told: half an hour a month is less than anybody can estimate."""
    return minutes >= 30


def hours(number: float) -> str:
    """'21 hours', '1 hour'."""
    return count(round(number), "hour")


def _state_bars(row: Mapping[str, float | None]) -> tuple[Bar, ...]:
    return stacked([(f"state-{state}", float(_whole(row, state))) for state in STATES])


def stacked(parts: Iterable[tuple[str, float]], whole: float | None = None) -> tuple[Bar, ...]:
    """Bars side by side, to the scale of `whole`; of all together if that is left out."""
    parts = list(parts)
    scale = whole or sum(amount for _, amount in parts)
    bars, at = [], 0.0
    for css, amount in parts:
        left, at = round(1000 * at / scale) if scale else 0, at + amount
        right = round(1000 * at / scale) if scale else 0
        if right > left:
            bars.append(Bar(css, left, right - left))
    return tuple(bars)


def _together(summary: Summary) -> HoursView:
    """Of all reps, among whom one's spare hours do not make up for what another misses."""
    names = ("there", "visits", "driving", "opportunities")
    total = RepCapacity("", "", *(sum(getattr(rep, name) for rep in summary.reps) for name in names))
    short = sum(rep.shortfall for rep in summary.reps if rep.there > 0)
    unowned = sum(rep.shortfall for rep in summary.reps if rep.there == 0)
    missing = ", ".join(filter(None, (_short(short), _unowned(unowned))))
    return replace(
        _hours(total, max(total.needed, total.there)),
        missing=missing,
        left=_left(sum(rep.spare for rep in summary.reps)),
        ends=_ends_of_all(summary.reps),
    )


def _ends_of_all(reps: Iterable[RepCapacity]) -> str:
    """With whom it is not the working time that ends first."""
    by_visits = [rep.name for rep in reps if rep.visits_there is not None]
    if not by_visits:
        return "The hours there are end with the working time of everybody, before the visits that a day may have."
    return f"The visits that a day may have end before the working time does with {', '.join(by_visits)}."


def _hours(rep: RepCapacity, widest: float) -> HoursView:
    parts = [("hours-visits", rep.visits), ("hours-driving", rep.driving), ("hours-deals", rep.opportunities)]
    bars = [*stacked([("hours-there", rep.there)], widest), *stacked(parts, widest)]
    if _shown_minutes(rep.shortfall):
        bars += stacked([("", rep.there), ("hours-short", rep.shortfall)], widest)[-1:]
    return HoursView(
        needed=f"{rep.needed / 60:,.0f}",
        there=f"{rep.there / 60:,.0f}",
        missing=_short(rep.shortfall) if rep.there else _unowned(rep.shortfall),
        left=_left(rep.spare),
        bars=tuple(bars),
        told=", ".join(f"{hours(minutes / 60)} of {what}" for what, minutes in _made_of(rep)),
        ends=""
        if rep.visits_there is None
        else f"a day’s visits end first: {rep.visits_needed:,.0f} of {rep.visits_there:,.0f} a month",
    )


def _unowned(minutes: float) -> str:
    return f"{hours(minutes / 60)} without a rep" if _shown_minutes(minutes) else ""


def _short(minutes: float) -> str:
    return f"{hours(minutes / 60)} short" if _shown_minutes(minutes) else ""


def _left(minutes: float) -> str:
    return f"{hours(minutes / 60)} left" if _shown_minutes(minutes) else ""


def _made_of(rep: RepCapacity) -> tuple[tuple[str, float], ...]:
    return (("visits", rep.visits), ("driving", rep.driving), ("opportunities", rep.opportunities))


def _cell(measure: Measure, row: Row) -> FigureView:
    number = row.figures[measure.key]
    return FigureView(
        measure.key, measure.title, figure(measure, number), not number, measure.key == "overdue" and bool(number)
    )


def figure(measure: Measure, number: float | None) -> str:
    """A figure in its unit; a dash where there is none."""
    if number is None:
        return "–"
    match measure.unit:
        case Unit.SHARE:
            return f"{number:.0%}".replace("%", " %")
        case Unit.HOURS | Unit.VISITS if 0 < number < 9.95:
            return f"{number:,.1f}"
        case _:
            return f"{number:,.0f}"


def _held(summary: Summary) -> tuple[HeldView, ...]:
    names = {rep.rep_id: rep.name for rep in summary.reps}
    told: dict[str, list[str]] = {}
    for each in summary.held:
        held = f"every {each.holds_days:.0f} days" if each.holds_days else "never"
        asked = f"{each.segment or 'no segment'} {held} instead of every {each.cadence_days:.0f}"
        told.setdefault(each.rep_id, []).append(asked)
    return tuple(HeldView(names.get(rep_id, rep_id), tuple(segments)) for rep_id, segments in told.items())


def _reasons(summary: Summary) -> tuple[Reason, ...]:
    rows = [row for row in summary.rows[Group.REASON] if row.value]
    found = [Reason(row.value, sentence(row.label), _whole(row.figures, "unreached")) for row in rows]
    return tuple(sorted(found, key=lambda reason: -reason.number))


# --- the list behind a figure -----------------------------------------------------------------------------------------
