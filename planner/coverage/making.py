"""Working an area's coverage out: every customer's state, the driving, and each rep's minutes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from planner.candidates import cadence_days, is_dormant
from planner.coverage.capacity import (
    Demand,
    Driving,
    base_of,
    days_there,
    estimated_driving,
    minutes_there,
    nearest_of,
)
from planner.coverage.domain import (
    HANDOFF_DAYS,
    MONTH_DAYS,
    AccountCover,
    Coverage,
    CoverageState,
    RepCapacity,
    TerritoryCover,
)
from planner.coverage.material import Material
from planner.coverage.planned import Planned
from planner.coverage.standing import due_on, state_after
from planner.domain import Account, RecordKind, Rep
from planner.settings import CalendarSettings, Settings
from planner.territories.places import territory_of
from planner.visit_ids import visit_id
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource

NOBODYS = "nobody’s"
FEW = 5
"""So many customers are named in a note."""


def make_coverage(
    material: Material,
    area: str,
    source: TravelTimeSource,
    settings: Settings,
    on_progress: Callable[[float], object] = lambda fraction: None,
) -> Coverage:
    """The coverage of an area as of the material's day; the same material gives the same.

    Args:
        on_progress: told how much is done, 0 to 1; what it raises ends the work.

    Raises:
        PlannerError: the plan that reps see cannot be read.
    """
    snapshot, today = material.snapshot, material.today
    homes, notes = snapshot.homes()
    bases = {rep.id: base for rep in snapshot.reps if rep.id in homes and (base := base_of(rep, homes[rep.id]))}
    planned = Planned.of(material.plan, today)
    accounts = _covers(material, planned, settings)
    on_progress(0.1)
    looked_after, handed_off = _of_accounts(accounts), _of_opportunities(material, accounts, settings)
    driving = estimated_driving([*looked_after, *handed_off], bases, source)
    on_progress(0.9)
    accounts = [replace(account, drive_minutes=driving.minutes[_key(account)]) for account in accounts]
    coverage = Coverage(
        area=area,
        as_of=today,
        zone=str(snapshot.zone),
        plan_version=material.plan.version if material.plan else None,
        first_day=planned.first_day,
        last_day=planned.last_day,
        accounts=tuple(accounts),
        reps=_capacities(material, accounts, handed_off, driving, settings),
        territories=tuple(
            TerritoryCover(t.id, t.name, t.rep_id) for t in sorted(material.territories, key=lambda t: (t.name, t.id))
        ),
        notes=(*notes, *_unreachable(material, accounts, driving)),
        handoff_days=material.handoff_days,
    )
    return replace(coverage, notes=(*coverage.notes, *general_notes(coverage)))


def _key(account: AccountCover) -> str:
    return visit_id(RecordKind.ACCOUNT, account.account_id)


def _covers(material: Material, planned: Planned, settings: Settings) -> list[AccountCover]:
    """Every account, its driving not known yet."""
    in_territory = territory_of(material.territories)
    covers: list[AccountCover] = []
    for account in material.snapshot.accounts:
        location = material.snapshot.location_of(account.kind, account.id, account.address)
        place = location.place if location else None
        territory = in_territory(place.lat, place.lon) if place else ""
        covers.append(_cover(account, place, territory, material, planned, settings))
    return covers


def _cover(
    account: Account, place: LatLon | None, territory: str, material: Material, planned: Planned, settings: Settings
) -> AccountCover:
    today, cadence = material.today, cadence_days(account, settings.candidates)
    visits = material.visits.get(account.id, ())
    dormant = is_dormant(account, today, settings.candidates)
    due = None if dormant else due_on(visits[-1], cadence) if visits else today
    if dormant:
        state = CoverageState.DORMANT
    elif place is None:
        state = CoverageState.NO_PLACE
    else:
        state = state_after(visits[-1], cadence, today) if visits else CoverageState.DUE
    to_come = [(day, rep) for day, rep in planned.to_come.get(account.id, ()) if day not in visits]
    reason, why = "", ""
    if due is not None and due <= planned.due_until(today) and not to_come:
        reason, why = planned.why_not(account.id, place is not None, today)
    return AccountCover(
        account_id=account.id,
        name=account.name,
        segment=account.segment,
        rep_id=account.owner_rep_id,
        territory_id=territory,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        state=state,
        cadence_days=cadence,
        due_on=due,
        overdue_days=max(0, (today - due).days) if due else 0,
        visits=visits,
        planned_days=tuple(day for day, _ in to_come),
        planned_rep=to_come[0][1] if to_come else "",
        unreached=reason,
        why=why,
        visits_a_month=0.0 if dormant else MONTH_DAYS / cadence,
        service_minutes=(account.visit_minutes or settings.candidates.visit_minutes)
        + settings.candidates.parking_minutes,
        drive_minutes=0.0,
        annual_value=account.annual_value,
    )


def _place(account: AccountCover) -> LatLon | None:
    return None if account.lat is None or account.lon is None else LatLon(account.lat, account.lon)


def _of_accounts(accounts: Iterable[AccountCover]) -> list[Demand]:
    return [Demand(_key(a), a.rep_id, _place(a), a.visits_a_month, a.service_minutes) for a in accounts]


def _of_opportunities(material: Material, accounts: Iterable[AccountCover], settings: Settings) -> list[Demand]:
    """What was handed off lately, as often a month as it was; what nobody has yet is his whose customer is nearest."""
    reps = {rep.id for rep in material.snapshot.reps}
    customers = [(place, a.rep_id) for a in accounts if a.rep_id in reps and (place := _place(a))]
    deals = [each.opportunity for each in material.handed_off]
    located = [material.snapshot.location_of(deal.kind, deal.id, deal.address) for deal in deals]
    places = {deal.id: at.place for deal, at in zip(deals, located, strict=True) if at and at.place}
    nobodys = [each.opportunity.id for each in material.handed_off if not each.rep_id and each.opportunity.id in places]
    nearest = nearest_of([places[id_] for id_ in nobodys], [at for at, _ in customers]) if customers else []
    taken = {id_: customers[number][1] for id_, number in zip(nobodys, nearest, strict=False)}
    demands: list[Demand] = []
    for handed_off in material.handed_off:
        deal = handed_off.opportunity
        place = places.get(deal.id)
        rep = handed_off.rep_id or taken.get(deal.id, "")
        times = handed_off.times * MONTH_DAYS / material.handoff_days
        minutes = (deal.visit_minutes or settings.candidates.visit_minutes) + settings.candidates.parking_minutes
        demands.append(Demand(visit_id(RecordKind.OPPORTUNITY, deal.id), rep, place, times, minutes))
    return demands


def _capacities(
    material: Material,
    accounts: Iterable[AccountCover],
    handed_off: Iterable[Demand],
    driving: Driving,
    settings: Settings,
) -> tuple[RepCapacity, ...]:
    """One row a rep, by name; then one for each other owner whom records name, and nobody's if there is any."""
    visits: dict[str, float] = defaultdict(float)
    drives: dict[str, float] = defaultdict(float)
    deals: dict[str, float] = defaultdict(float)
    number: dict[str, float] = defaultdict(float)
    for account in accounts:
        number[account.rep_id] += account.visits_a_month
        visits[account.rep_id] += account.service_minutes_a_month
        drives[account.rep_id] += account.drive_minutes_a_month
    for demand in handed_off:
        number[demand.rep_id] += demand.times_a_month
        deals[demand.rep_id] += demand.times_a_month * (demand.service_minutes + driving.minutes[demand.key])

    def row(rep_id: str, name: str) -> RepCapacity:
        return RepCapacity(rep_id, name, 0.0, visits[rep_id], drives[rep_id], deals[rep_id], number[rep_id])

    reps = sorted(material.snapshot.reps, key=lambda rep: (rep.name, rep.id))
    others = sorted({*visits, *deals} - {rep.id for rep in reps})
    rows = [_with_hours(row(rep.id, rep.name), rep, material.today, settings.calendar) for rep in reps]
    rows += [row(rep_id, f"{rep_id} (not among the reps)") for rep_id in others if rep_id]
    return (*rows, row("", NOBODYS)) if "" in others else tuple(rows)


def _with_hours(needs: RepCapacity, rep: Rep, today: date, calendar: CalendarSettings) -> RepCapacity:
    """What a rep has for what is needed: hours, or as many visits as the days may have where these end first."""
    hours = minutes_there(rep, today, calendar)
    each = needs.needed / needs.visits_needed if needs.visits_needed else None
    there = minutes_there(rep, today, calendar, each)
    if rep.max_visits_per_day is None or there == hours:
        return replace(needs, there=there)
    return replace(needs, there=there, visits_there=days_there(rep, today, calendar) * rep.max_visits_per_day)


def _unreachable(material: Material, accounts: Iterable[AccountCover], driving: Driving) -> list[str]:
    """A note for each rep to whose customers no street leads."""
    missed, of_rep = set(driving.unreachable), defaultdict(list)
    for account in accounts:
        if _key(account) in missed:
            of_rep[account.rep_id].append(account)
    return [
        f"rep {rep.id} ({rep.name}): no street leads to {_named(of_rep[rep.id])}: their driving is counted as that of "
        "the others"
        for rep in material.snapshot.reps
        if rep.id in of_rep
    ]


def _named(accounts: Sequence[AccountCover]) -> str:
    names = [f"{account.name} ({account.account_id})" for account in accounts[:FEW]]
    return ", ".join(names) + (f" and {len(accounts) - FEW} more" if len(accounts) > FEW else "")


def general_notes(coverage: Coverage) -> tuple[str, ...]:
    """What the customers themselves tell that somebody should know, without naming anybody."""
    accounts, notes = coverage.accounts, []
    if coverage.last_day is None:
        notes.append("no plan is published: nobody is planned to be visited")
    elif coverage.last_day < coverage.as_of:
        notes.append(f"the plan that reps see ended on {coverage.last_day}: nobody is planned to be visited")
    if coverage.handoff_days < HANDOFF_DAYS and any(rep.opportunities for rep in coverage.reps):
        notes.append(
            f"opportunities have been handed over for no more than {coverage.handoff_days} days: their hours are told "
            f"by these, and may look different after {HANDOFF_DAYS // 7} weeks"
        )
    if lost := sum(a.state is CoverageState.NO_PLACE for a in accounts):
        notes.append(f"{_customers(lost)} without a place: their driving is counted as that of their rep's others")
    if orphans := sum(not a.rep_id and a.visits_a_month > 0 for a in accounts):
        notes.append(f"{_customers(orphans)} of nobody: driving to them is counted from the nearest rep's home")
    if ahead := sum(bool(a.visits) and a.visits[-1] > coverage.as_of for a in accounts):
        notes.append(f"{_customers(ahead)} whose last visit is said to be after {coverage.as_of}")
    return tuple(notes)


def _customers(number: int) -> str:
    return f"{number:,} customer" if number == 1 else f"{number:,} customers"
