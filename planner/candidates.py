"""Which visits the coming days could hold, what each is worth, and why each is there, or is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from planner.domain import Account, Location, Opportunity, RecordKind, Rep
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.settings import Settings
from planner.worth import Worth, account_worth, opportunity_worth
from routing.geo import LatLon, great_circle_m
from routing.travel_times import TravelTimeSource


class VisitKind(StrEnum):
    """Why a visit is planned at all."""

    APPOINTMENT = "appointment"
    OPPORTUNITY = "opportunity"
    DUE = "due"
    NEARBY = "nearby"


class Reason(StrEnum):
    """Why a record has no visit in a plan; see `docs/plan-format.md`."""

    NOT_LOCATED = "not_located"
    OUTSIDE_HOURS = "outside_hours"
    NO_TIME_LEFT = "no_time_left"
    TOO_FAR = "too_far"
    NO_REP_WITH_SKILL = "no_rep_with_skill"
    NO_REP = "no_rep"
    DEADLINE_IMPOSSIBLE = "deadline_impossible"
    APPOINTMENT_IMPOSSIBLE = "appointment_impossible"
    APPOINTMENT_ON_ANOTHER_DAY = "appointment_on_another_day"
    UNREACHABLE = "unreachable"
    VISITED_ANYWAY = "visited_anyway"


@dataclass(frozen=True)
class Visit:
    """A visit that could be made. All that planning needs, and the words that explain it.

    `hours` are opening_hours expressions that must all be open for the whole visit. `reps` are those who may go
    (None: all). Of the visits with one `account_id` at most one is planned. `worth` is None for a promise.
    """

    id: str
    kind: VisitKind
    record_ids: tuple[str, ...]
    name: str
    address: str
    place: LatLon
    service_minutes: int
    why: str
    worth: Worth | None
    hours: tuple[str, ...] = ()
    appointment: datetime | None = None
    deadline: date | None = None
    late: bool = False
    reps: frozenset[str] | None = None
    skills: frozenset[str] = frozenset()
    account_id: str = ""
    rides_with: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A record that has no visit in the plan, and why, in a code and a sentence. `kind` is that of the visit."""

    record_ids: tuple[str, ...]
    kind: VisitKind
    name: str
    reason: Reason
    sentence: str
    worth_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A record that somebody should look at, with a sentence that says why."""

    record_id: str
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Candidates:
    """Everything that the records say about some days."""

    visits: tuple[Visit, ...]
    unplanned: tuple[Unplanned, ...]
    returned: tuple[Listed, ...]
    """Opportunities that the gate does not let through."""
    dormant: tuple[Listed, ...]
    """Customers who stopped buying; for inside sales, not for a visit."""


def visit_id(kind: RecordKind, record_id: str) -> str:
    """Ids of accounts and opportunities may clash; those of visits may not."""
    return f"{kind}:{record_id}"


def team_work_days(reps: Sequence[Rep]) -> frozenset[int]:
    """The weekdays (Monday is 0) on which anybody works; Monday to Friday where there is nobody."""
    return frozenset(day for rep in reps for day in rep.work_days) or frozenset(range(5))


def find_candidates(
    reps: Sequence[Rep],
    accounts: Sequence[Account],
    opportunities: Sequence[Opportunity],
    locations: Mapping[tuple[RecordKind, str], Location],
    source: TravelTimeSource,
    first_day: date,
    last_day: date,
    settings: Settings,
) -> Candidates:
    """Handed-off opportunities, customers due by cadence, and customers near those opportunities.

    Args:
        locations: by record kind and id; a record without a matched one is listed, never planned.
        source: tells which customers are near an opportunity, in minutes of road from it.
        first_day, last_day: the horizon; "due" means by its last day, "overdue" before its first.
    """
    finder = _Finder(reps, locations, source, first_day, last_day, settings)
    for opportunity in opportunities:
        finder.consider_opportunity(opportunity, {account.id: account for account in accounts})
    for account in accounts:
        finder.consider_account(account)
    finder.consider_nearby()
    return Candidates(
        tuple(finder.visits.values()), tuple(finder.unplanned), tuple(finder.returned), tuple(finder.dormant)
    )


class _Finder:
    """The state of one `find_candidates`: visits by id, in the order they were found."""

    def __init__(
        self,
        reps: Sequence[Rep],
        locations: Mapping[tuple[RecordKind, str], Location],
        source: TravelTimeSource,
        first_day: date,
        last_day: date,
        settings: Settings,
    ) -> None:
        self.reps = {rep.id: rep for rep in reps}
        self.work_days = team_work_days(reps)
        self.locations = locations
        self.source = source
        self.first_day, self.last_day = first_day, last_day
        self.settings = settings
        self.visits: dict[str, Visit] = {}
        self.unplanned: list[Unplanned] = []
        self.returned: list[Listed] = []
        self.dormant: list[Listed] = []
        self.taken_accounts: dict[str, str] = {}
        self.nearly_due: list[tuple[Account, LatLon, float]] = []

    def place_of(self, record: Account | Opportunity, visit_kind: VisitKind) -> LatLon | None:
        """Where a record is; if that is not known, it is listed as unplanned."""
        location = self.locations.get((record.kind, record.id))
        if location is not None and location.address == record.address and location.place is not None:
            return location.place
        why = location.reason if location and location.address == record.address else "it has not been geocoded yet"
        self.unplanned.append(
            Unplanned(
                (record.id,),
                visit_kind,
                record.name,
                Reason.NOT_LOCATED,
                f"“{record.address}” is not located: {why}",
            )
        )
        return None

    def consider_opportunity(self, opportunity: Opportunity, accounts: Mapping[str, Account]) -> None:
        missing = missing_for_handoff(opportunity, self.settings.gate)
        promised = opportunity.appointment is not None
        if missing and not promised:
            self.returned.append(Listed(opportunity.id, opportunity.name, "; ".join(missing)))
            return
        kind = VisitKind.APPOINTMENT if promised else VisitKind.OPPORTUNITY
        if opportunity.appointment and not self.first_day <= opportunity.appointment.date() <= self.last_day:
            when = f"{opportunity.appointment:%Y-%m-%d %H:%M}"
            passed = opportunity.appointment.date() < self.first_day
            self.unplanned.append(
                Unplanned(
                    (opportunity.id,),
                    kind,
                    opportunity.name,
                    Reason.APPOINTMENT_ON_ANOTHER_DAY,
                    f"its appointment was on {when}: report what came of it, or agree a new one"
                    if passed
                    else f"its appointment is on {when}, after these days",
                )
            )
            return
        place = self.place_of(opportunity, kind)
        if place is None:
            return
        deadline = first_action_deadline(opportunity, self.work_days, self.settings.gate)
        late = deadline is not None and deadline < self.first_day and not promised
        account = accounts.get(opportunity.account_id)
        owner = self.reps.get(account.owner_rep_id) if account else None
        if owner is not None and not opportunity.required_skills <= owner.skills:
            owner = None
        if account is not None:
            self.taken_accounts[account.id] = opportunity.id
        minutes = opportunity.visit_minutes or self.settings.candidates.visit_minutes
        visit = Visit(
            id=visit_id(RecordKind.OPPORTUNITY, opportunity.id),
            kind=kind,
            record_ids=(opportunity.id,),
            name=opportunity.name,
            address=str(opportunity.address),
            place=place,
            service_minutes=minutes,
            why=_why_opportunity(opportunity, deadline, late, missing),
            worth=None if promised else opportunity_worth(opportunity, late, self.settings.worth),
            hours=(opportunity.availability,) if opportunity.availability and not promised else (),
            appointment=opportunity.appointment,
            deadline=None if promised else deadline,
            late=late,
            reps=None if owner is None else frozenset([owner.id]),
            skills=opportunity.required_skills,
            account_id=opportunity.account_id,
            missing=missing,
        )
        if account is not None and owner is not None:
            visit = replace(
                visit,
                record_ids=(opportunity.id, account.id),
                service_minutes=max(minutes, account.visit_minutes or 0),
                hours=visit.hours + ((account.opening_hours,) if account.opening_hours and not promised else ()),
                why=f"{visit.why}; counts as the visit to account {account.id}, whose rep {owner.name} is",
            )
        self.visits[visit.id] = visit

    def cadence_days(self, account: Account) -> int:
        candidates = self.settings.candidates
        by_segment = candidates.cadence_days.get(account.segment, candidates.other_cadence_days)
        return account.cadence_days or by_segment

    def consider_account(self, account: Account) -> None:
        """A customer who is due becomes a visit, one who nearly is is kept for `consider_nearby`."""
        if account.id in self.taken_accounts:
            return  # the opportunity's visit is the visit to this account
        if account.last_order and (self.first_day - account.last_order).days > self.settings.candidates.dormant_days:
            self.dormant.append(Listed(account.id, account.name, f"last ordered on {account.last_order}"))
            return
        cadence = self.cadence_days(account)
        due_on = account.last_visit + timedelta(days=cadence) if account.last_visit else self.first_day
        if due_on > self.last_day:
            elapsed = (self.first_day - account.last_visit).days / cadence if account.last_visit else 1.0
            location = self.locations.get((RecordKind.ACCOUNT, account.id))
            located = location is not None and location.address == account.address
            if elapsed >= self.settings.candidates.nearby_cadence_share and located and location and location.place:
                self.nearly_due.append((account, location.place, elapsed))
            return
        place = self.place_of(account, VisitKind.DUE)
        if place is None:
            return
        overdue = (self.first_day - due_on).days
        if account.last_visit is None:
            why = "never visited"
        elif overdue > 0:
            why = f"{overdue} days overdue: last visit {account.last_visit}, every {cadence} days"
        else:
            why = f"due on {due_on}: last visit {account.last_visit}, every {cadence} days"
        self.add_account(account, place, VisitKind.DUE, why)

    def add_account(
        self, account: Account, place: LatLon, kind: VisitKind, why: str, rides_with: tuple[str, ...] = ()
    ) -> None:
        visit = Visit(
            id=visit_id(RecordKind.ACCOUNT, account.id),
            kind=kind,
            record_ids=(account.id,),
            name=account.name,
            address=str(account.address),
            place=place,
            service_minutes=account.visit_minutes or self.settings.candidates.visit_minutes,
            why=why,
            worth=account_worth(account, self.cadence_days(account), self.first_day, self.settings.worth),
            hours=(account.opening_hours,) if account.opening_hours else (),
            reps=frozenset([account.owner_rep_id]) if account.owner_rep_id else None,
            account_id=account.id,
            rides_with=rides_with,
        )
        self.visits[visit.id] = visit

    def consider_nearby(self) -> None:
        """Customers within some minutes of road of a handed-off opportunity, who are well into their cadence."""
        hosts = [
            visit for visit in self.visits.values() if visit.kind in (VisitKind.OPPORTUNITY, VisitKind.APPOINTMENT)
        ]
        limit_s = self.settings.candidates.nearby_minutes * 60
        near = _within_reach([visit.place for visit in hosts], self.nearly_due, limit_s)
        if not near:
            return
        matrix = self.source.travel_times([*(visit.place for visit in hosts), *(place for _, place, _ in near)])
        for column, (account, place, elapsed) in enumerate(near, start=len(hosts)):
            minutes = sorted(
                (int(matrix.seconds[row, column]), host.record_ids[0], host.name)
                for row, host in enumerate(hosts)
                if matrix.reachable(row, column) and matrix.seconds[row, column] <= limit_s
            )
            if not minutes:
                continue
            seconds, host_id, host_name = minutes[0]
            self.add_account(
                account,
                place,
                VisitKind.NEARBY,
                f"{seconds / 60:.0f} min from {host_name} ({host_id}), {elapsed:.0%} through its "
                f"{self.cadence_days(account)} days",
                tuple(id_ for _, id_, _ in minutes),
            )


FASTEST_KMH = 130.0


def _within_reach(
    hosts: Sequence[LatLon], accounts: Sequence[tuple[Account, LatLon, float]], limit_s: float
) -> list[tuple[Account, LatLon, float]]:
    """Those that a straight line at the highest speed could reach: keeps the matrix small when accounts are many."""
    reach_m = limit_s * FASTEST_KMH / 3.6
    return [entry for entry in accounts if any(great_circle_m(host, entry[1]) <= reach_m for host in hosts)]


def _why_opportunity(opportunity: Opportunity, deadline: date | None, late: bool, missing: tuple[str, ...]) -> str:
    if opportunity.appointment:
        why = f"appointment agreed for {opportunity.appointment:%Y-%m-%d %H:%M}"
        return f"{why}; the handoff is incomplete: {'; '.join(missing)}" if missing else why
    if deadline is None:
        return "handed off by inside sales"
    if late:
        return f"handed off by inside sales; late: the first visit was due by {deadline}"
    return f"handed off by inside sales; the first visit is due by {deadline}"
