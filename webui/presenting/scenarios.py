"""Scenarios as pages show them: what is changed as sentences, what came out as figures before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from planner.domain import Account, Location, RecordKind, Rep
from planner.repository import Listing
from planner.scenarios.altering import hours_of
from planner.scenarios.applying import ToApply
from planner.scenarios.changes import Changes, Hours, Prices, changes_of
from planner.scenarios.domain import Scenario, ScenarioState
from planner.scenarios.outcome import Month, Move, Outcome, Standing, Why, outcome_of
from planner.settings import Settings
from webui.words import clock, count, short_day

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
STATES = {
    ScenarioState.DRAFT: "not worked out",
    ScenarioState.COMPUTED: "worked out",
    ScenarioState.APPLIED: "applied",
}
WHYS = {
    Why.EVEN: "evens the work out",
    Why.DRIVING: "saves driving",
    Why.ROOM: "makes room for what its rep takes over",
    Why.TOGETHER: "comes to lie together with the others",
    Why.LEAVES: "its rep leaves",
    Why.PINNED: "you said so",
    Why.UNOWNED: "was nobody’s",
}
LABELS = {
    "rep_name": "Name",
    "rep_id": "Id",
    "street": "Street",
    "city": "Town",
    "postcode": "Postcode",
    "day": "Works on:",
    "work_start": "From",
    "work_end": "To",
    "break_minutes": "Minutes of break",
    "segment": "Segment",
    "segment_days": "Days from visit to visit",
    "cadence_customer": "Customer",
    "cadence_days": "Days from visit to visit",
    "pin_customer": "Customer",
    "pin_rep": "Rep",
    "broken_minutes": "A customer who gets another rep",
    "evenness": "A minute of unevenness",
    "name": "Name",
}
MOST_MOVES = 400
"""Customers that a page lists; the rest is in the file to download."""
COLOURS = 8
BANDS = (
    ("0.1", "About even: up to a tenth more or less than the mean"),
    ("0.2", "Roughly: up to a fifth more or less"),
    ("0", "As even as can be: more customers change hands"),
)
LIES = (
    ("near", "Who moves, moves to where the others are; who stays may lie apart"),
    ("loose", "As it comes: what moves has to touch others of its new rep"),
    ("piece", "All in one piece: many more customers change hands"),
)
Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ListedScenario:
    """One of an area's scenarios."""

    id: str
    name: str
    state: str
    tag: str
    made: str
    line: str
    worked_out: bool

    @classmethod
    def of(cls, scenario: Scenario, zone: ZoneInfo, people: Mapping[str, str]) -> ListedScenario:
        by = people.get(scenario.made_by, "")
        outcome = outcome_of(scenario.result) if scenario.result is not None else None
        return cls(
            scenario.id,
            scenario.name,
            scenario.state,
            STATES[scenario.state],
            _moment(scenario.made_at, zone) + (f" by {by}" if by else ""),
            headline(outcome, applied=scenario.state is ScenarioState.APPLIED) if outcome else "",
            outcome is not None,
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """A load as a bar: `width` of 1000, `over` the part beyond the hours there are."""

    width: int
    over: int
    text: str


@dataclass(frozen=True, slots=True)
class RepRow:
    """A rep's month, before and after."""

    id: str
    name: str
    standing: str
    colour: int
    before: Bar | None
    after: Bar | None
    figures: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class MovedRow:
    """A customer who gets another rep. `keep` is the one to keep it with; empty who leaves, or where there was none."""

    id: str
    name: str
    hours: str
    why: str
    keep: str
    keep_name: str


@dataclass(frozen=True, slots=True)
class MovedGroup:
    """Customers who go from one rep to another."""

    before: str
    after: str
    total: int
    rows: tuple[MovedRow, ...]


@dataclass(frozen=True, slots=True)
class RepForm:
    """A rep in the part of the page where scenarios are changed. `said` is what is changed; empty for nothing."""

    number: int
    id: str
    name: str
    standing: str
    said: str
    days: frozenset[int]
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Said:
    """A change as a sentence, with what takes it back: the name of a button and what it says."""

    text: str
    name: str
    does: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class ScenarioView:
    """One scenario."""

    id: str
    name: str
    revision: int
    state: str
    tag: str
    made: str
    computed: str
    applied: str
    changes: Changes
    said: tuple[Said, ...]
    pins: int
    reps: tuple[RepForm, ...]
    targets: tuple[tuple[str, str], ...]
    segments: tuple[str, ...]
    worked_out: bool
    headline: str = ""
    rows: tuple[Row, ...] = ()
    rep_rows: tuple[RepRow, ...] = ()
    moved: tuple[MovedGroup, ...] = ()
    moves: int = 0
    not_shown: int = 0
    gap: str = ""
    contiguous: bool = True
    apart: str = ""
    apart_before: int = 0
    bands: tuple[tuple[str, str], ...] = BANDS
    lies: tuple[tuple[str, str], ...] = LIES
    lie: str = ""
    notes: tuple[str, ...] = ()

    @property
    def draft(self) -> bool:
        return self.state == ScenarioState.DRAFT

    @property
    def is_applied(self) -> bool:
        return self.state == ScenarioState.APPLIED


def scenario_view(
    scenario: Scenario, reps: Sequence[Rep], directory: Iterable[Listing], zone: ZoneInfo, settings: Settings
) -> ScenarioView:
    """A scenario in words; `directory` tells what customers are called."""
    changes = changes_of(scenario.changes)
    outcome = outcome_of(scenario.result) if scenario.result is not None else None
    names = {listing.id: listing.name for listing in directory if listing.kind is RecordKind.ACCOUNT}
    called = {rep.id: rep.name for rep in reps} | {new.id: new.name for new in changes.new_reps}
    staying = [(id_, name) for id_, name in called.items() if id_ not in changes.removed]
    lie = _lie(changes.prices)
    view = ScenarioView(
        bands=BANDS if f"{changes.prices.band:g}" in dict(BANDS) else (("", "As it is set"), *BANDS),
        lies=LIES if lie else (("", "As it is set"), *LIES),
        lie=lie,
        id=scenario.id,
        name=scenario.name,
        revision=scenario.revision,
        state=scenario.state,
        tag=STATES[scenario.state],
        made=_moment(scenario.made_at, zone),
        computed=_moment(scenario.computed_at, zone) if scenario.computed_at else "",
        applied=_moment(scenario.applied_at, zone) if scenario.applied_at else "",
        changes=changes,
        said=tuple(_said(changes, names, called)),
        pins=len(changes.pins),
        reps=tuple(_rep_forms(reps, changes)),
        targets=tuple(sorted(staying, key=lambda pair: pair[1].casefold())),
        segments=tuple(sorted({*settings.candidates.cadence_days, *changes.segments} - {""})),
        worked_out=outcome is not None,
    )
    return view if outcome is None else _with_outcome(view, outcome, names)


def headline(outcome: Outcome, *, applied: bool = False) -> str:
    """What came out, in one sentence or two; of what was applied, as what was done."""
    before, after = outcome.before, outcome.after
    moved = count(len(outcome.moves), "customer") if outcome.moves else "no customer"
    fullest = _fullest(outcome, after=True), _fullest(outcome, after=False)
    parts = []
    if not before.shortfall and before.needed:
        parts.append("nobody was short of hours" if applied else "nobody is short of hours now")
    parts.append(f"{moved} {'got' if applied else 'would get'} another rep")
    if fullest[0] and fullest[1]:
        has = "got to" if applied else "would have"
        parts.append(f"the fullest rep {has} {fullest[0]} of the hours taken instead of {fullest[1]}")
    visits = after.service - before.service
    if abs(visits) >= 60:  # of a cadence that is another one, or of customers who were nobody's
        parts.append(f"{_hours(after.needed)} of work a month instead of {_hours(before.needed)}")
    drive = round((after.driving - before.driving) / 60)
    less = "less" if drive < 0 else "more"
    parts.append(f"{abs(drive):,} h {less} driving a month" if drive else "as much driving as now")
    return "; ".join(parts)


def _lie(prices: Prices) -> str:
    """Which of the ways to lie is asked for; empty for one that has no name."""
    if prices.one_piece:
        return "piece"
    return {Prices().apart: "near", 0.0: "loose"}.get(prices.apart, "")


def other_now(shown: Sequence[tuple[Scenario, Outcome]]) -> list[tuple[str, str]]:
    """Scenarios worked out on other records than the first, each with the hours that it takes for now's."""
    first = shown[0][1].before
    return [
        (scenario.name, f"{_hours(outcome.before.needed)} needed of {_hours(outcome.before.there)} there are")
        for scenario, outcome in shown[1:]
        if outcome.stamp != shown[0][1].stamp or outcome.before != first
    ]


def total_rows(outcome: Outcome) -> list[Row]:
    """All reps together: what a figure is, before, and after."""
    before, after = outcome.before, outcome.after
    spreads = [f"{spread:.2f}" if spread else "–" for spread in (outcome.spread(after=side) for side in (False, True))]
    return [
        ("Hours needed a month", _hours(before.needed), _hours(after.needed)),
        ("… of these on visits", _hours(before.service), _hours(after.service)),
        ("… of these driving", _hours(before.driving), _hours(after.driving)),
        ("… of these for opportunities", _hours(before.opportunities), _hours(after.opportunities)),
        ("Hours there are", _hours(before.there), _hours(after.there)),
        ("Hours missing, summed over reps", _hours(before.shortfall), _hours(after.shortfall)),
        ("Visits a month that do not fit", _visits(before.undone), _visits(after.undone)),
        ("Fullest rep: hours taken", _fullest(outcome, after=False) or "–", _fullest(outcome, after=True) or "–"),
        ("Fullest rep by the mean of all", spreads[0], spreads[1]),
        ("Customers apart from their rep’s others", f"{before.apart:,}", f"{after.apart:,}"),
        ("Minutes to the middle of a rep’s customers", f"{before.away:.1f}", f"{after.away:.1f}"),
        ("Relationships broken", "–", f"{outcome.broken:,}"),
    ]


def compared_rows(shown: Sequence[tuple[Scenario, Outcome]]) -> list[tuple[str, ...]]:
    """Figures of what is now, and of each scenario."""
    tables = [total_rows(outcome) for _, outcome in shown]
    gaps = ("Gap to the best there is, at most", "–", *(gap_words(outcome) or "–" for _, outcome in shown))
    rows = [(rows[0][0], rows[0][1], *(row[2] for row in rows)) for rows in zip(*tables, strict=True)]
    return [*rows, gaps]


def gap_words(outcome: Outcome) -> str:
    """How far from the best it may be; empty where nothing was realigned."""
    return "" if outcome.gap is None else f"{outcome.gap:.1%}"


def applying_words(wanted: ToApply) -> list[str]:
    """What applying a scenario changes, a sentence each."""
    called = {rep.id: rep.name for rep in (*wanted.reps_before, *wanted.reps)}
    said = (
        [f"{count(wanted.moved, 'customer')} {'gets' if wanted.moved == 1 else 'get'} another rep."]
        if wanted.moved
        else []
    )
    if wanted.other_cadence:
        one = wanted.other_cadence == 1
        said.append(
            f"{count(wanted.other_cadence, 'customer')} {'is' if one else 'are'} visited at another cadence, which "
            f"{'its record' if one else 'each record'} then holds."
        )
    for rep in wanted.reps:
        if rep.id not in wanted.known:
            said.append(f"{rep.name} becomes a rep with the id {rep.id}: {hours_words(hours_of(rep))}.")
        elif rep.id in wanted.changes.removed:
            said.append(f"{called[rep.id]} has no working days any more. The record, and who logs in with it, stay.")
        else:
            said.append(f"{rep.name} works {hours_words(hours_of(rep))}.")
    return said


def hours_words(hours: Hours) -> str:
    """'Mo Tu We, 09:00–17:00'."""
    days = " ".join(DAYS[day] for day in sorted(hours.work_days)) or "no day"
    return f"{days}, {hours.work_start:%H:%M}–{hours.work_end:%H:%M}"


def map_data(outcome: Outcome, accounts: Iterable[Account], locations: Iterable[Location]) -> Mapping[str, object]:
    """Each customer's place and whose it is before and after, as numbers of `reps`; -1 for nobody's."""
    index = {rep.rep_id: number for number, rep in enumerate(outcome.reps)}
    moved = {move.account_id: move for move in outcome.moves}
    places = {
        location.record_id: (location.address, location.place)
        for location in locations
        if location.kind is RecordKind.ACCOUNT and location.place is not None
    }
    columns: dict[str, list[object]] = defaultdict(list)
    for account in accounts:
        address, place = places.get(account.id, (None, None))
        if place is None or address != account.address:
            continue
        move = moved.get(account.id)
        before = index.get(move.before if move else account.owner_rep_id, -1)
        columns["lats"].append(round(place.lat, 5))
        columns["lons"].append(round(place.lon, 5))
        columns["names"].append(account.name)
        columns["before"].append(before)
        columns["after"].append(index.get(move.after, -1) if move else before)
    return {"reps": [rep.name for rep in outcome.reps], **{name: columns[name] for name in _COLUMNS}}


_COLUMNS = ("lats", "lons", "names", "before", "after")


def _with_outcome(view: ScenarioView, outcome: Outcome, names: Mapping[str, str]) -> ScenarioView:
    groups = _moved(outcome, names, view.changes)
    return replace(
        view,
        headline=headline(outcome, applied=view.is_applied),
        rows=tuple(total_rows(outcome)),
        rep_rows=tuple(_rep_rows(outcome)),
        moved=groups,
        moves=len(outcome.moves),
        not_shown=len(outcome.moves) - sum(len(group.rows) for group in groups),
        gap=gap_words(outcome),
        contiguous=outcome.contiguous,
        apart=count(outcome.after.apart, "customer"),
        apart_before=outcome.before.apart,
        notes=outcome.notes,
    )


def _moved(outcome: Outcome, names: Mapping[str, str], changes: Changes) -> tuple[MovedGroup, ...]:
    called = {rep.rep_id: rep.name for rep in outcome.reps}
    leaving = {rep.rep_id for rep in outcome.reps if rep.standing is Standing.LEAVES} | changes.removed
    groups: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in outcome.moves:
        groups[move.before, move.after].append(move)
    found, left = [], MOST_MOVES
    for (before, after), moves in sorted(groups.items(), key=lambda each: -len(each[1])):
        shown = sorted(moves, key=lambda move: -move.minutes)[:left]
        left -= len(shown)
        rows = (
            MovedRow(
                move.account_id,
                names.get(move.account_id, move.account_id),
                f"{move.minutes / 60:.1f} h",
                _why(move),
                before if before and before not in leaving else "",
                called.get(before, before),
            )
            for move in shown
        )
        found.append(MovedGroup(called.get(before, "") or "nobody", called.get(after, after), len(moves), tuple(rows)))
    return tuple(found)


def _why(move: Move) -> str:
    return f"{WHYS[move.why]}: {move.saved:.0f} min a month" if move.why is Why.DRIVING else WHYS[move.why]


def _rep_rows(outcome: Outcome) -> Iterable[RepRow]:
    standings = {Standing.STAYS: "", Standing.NEW: "new", Standing.LEAVES: "leaves"}
    for number, rep in enumerate(outcome.reps):
        before, after = rep.before, rep.after
        pairs = (
            ("Customers", f"{before.customers:,}" if before else "–", f"{after.customers:,}"),
            ("Hours needed", _hours(before.needed) if before else "–", _hours(after.needed)),
            ("Hours there are", _hours(before.there) if before else "–", _hours(after.there)),
            ("Hours missing", _hours(before.shortfall) if before else "–", _hours(after.shortfall)),
            ("Driving", _hours(before.driving) if before else "–", _hours(after.driving)),
            ("Visits that do not fit", _visits(before.undone) if before else "–", _visits(after.undone)),
            ("Minutes to their middle", f"{before.away:.1f}" if before else "–", f"{after.away:.1f}"),
        )
        yield RepRow(rep.rep_id, rep.name, standings[rep.standing], number % COLOURS, _bar(before), _bar(after), pairs)


def _bar(month: Month | None) -> Bar | None:
    """The load as a bar that is full at twice the hours there are."""
    if month is None or month.load is None:
        return None
    full = 500
    width = min(round(month.load * full), 2 * full)
    return Bar(min(width, full), max(0, width - full), f"{month.load:.0%}")


def _rep_forms(reps: Sequence[Rep], changes: Changes) -> Iterable[RepForm]:
    for number, rep in enumerate(reps, start=1):
        hours = changes.hours.get(rep.id, hours_of(rep))
        leaves = rep.id in changes.removed
        said = "leaves" if leaves else hours_words(hours) if rep.id in changes.hours else ""
        yield _rep_form(number, rep.id, rep.name, "leaves" if leaves else "stays", said, hours)
    for number, new in enumerate(changes.new_reps, start=len(reps) + 1):
        yield _rep_form(
            number, new.id, new.name, "new", f"new, from {new.found_as}; {hours_words(new.hours)}", new.hours
        )


def _rep_form(number: int, id_: str, name: str, standing: str, said: str, hours: Hours) -> RepForm:
    times = (f"{hours.work_start:%H:%M}", f"{hours.work_end:%H:%M}")
    return RepForm(number, id_, name, standing, said, hours.work_days, *times)


def _said(changes: Changes, names: Mapping[str, str], called: Mapping[str, str]) -> Iterable[Said]:
    """The changes but those of reps, which stand with the reps."""
    for segment, days in sorted(changes.segments.items()):
        text = f"All customers of segment {segment or '–'} are visited every {days} days"
        yield Said(text, f"segment {segment}", "usual-segment", "segment", segment)
    for account_id, cadence in sorted(changes.accounts.items())[:MOST_MOVES]:
        name = names.get(account_id, account_id)
        often = "as often as its segment" if cadence is None else f"every {cadence} days"
        yield Said(f"{name} is visited {often}", name, "usual-cadence", "account", account_id)
    for account_id, rep_id in sorted(changes.pins.items())[:MOST_MOVES]:
        name = names.get(account_id, account_id)
        yield Said(f"{name} is with {called.get(rep_id, rep_id)}", name, "unpin", "account", account_id)


def _fullest(outcome: Outcome, *, after: bool) -> str:
    months = [rep.after if after else rep.before for rep in outcome.reps]
    loads = [month.load for month in months if month is not None and month.load is not None]
    return f"{max(loads):.0%}" if loads else ""


def _hours(minutes: float) -> str:
    return f"{minutes / 60:,.0f} h"


def _visits(number: float) -> str:
    return f"{number:,.0f}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{short_day(local.date())} {clock(local)}"
