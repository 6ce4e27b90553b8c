"""Which visits the coming days could hold, what each is worth, and why each is there, or is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from planner.candidates.cadence import cadence_days, is_dormant, team_work_days
from planner.candidates.domain import Candidates, Listed, Reason, Unplanned, Visit, VisitKind
from planner.candidates.promised import counts_as, promised_visit
from planner.candidates.reach import within_reach
from planner.domain import Account, Location, Opportunity, RecordKind, Rep
from planner.handoffs.domain import AT_INSIDE, TO_VISIT, HandoffRow, HandoffState, Side
from planner.qualification import first_action_deadline, missing_for_handoff
from planner.repeats import DueVisit, due_visits, least_days, most_days, ordinal, spacing_words
from planner.settings import Settings
from planner.slots.domain import Booking
from planner.snapshot import SeenVisit, Snapshot
from planner.visit_ids import record_behind, visit_id
from planner.worth import Worth, account_worth, opportunity_worth
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.travel_times import TravelTimeSource

NEARBY_AT_ONCE = 1_000
"""Accounts in one matrix: it grows with the square of the places."""


def find_candidates(
    snapshot: Snapshot,
    days_out: Mapping[str, Collection[date]],
    source: TravelTimeSource,
    first_day: date,
    last_day: date,
    settings: Settings,
) -> Candidates:
    """Handed-off opportunities, customers due by cadence, and customers near those opportunities.

    A record without a matched location is listed, never planned.

    Args:
        days_out: the days on which a rep, by id, can make visits.
        source: tells which customers are near an opportunity, in minutes of road from it.
        first_day, last_day: the horizon; "due" means by its last day, "overdue" before its first.
    """
    finder = _Finder(snapshot, days_out, source, first_day, last_day, settings)
    account_by_id = {account.id: account for account in snapshot.accounts}
    for opportunity in snapshot.opportunities:
        finder.consider_opportunity(opportunity, account_by_id.get(opportunity.account_id))
    for account in snapshot.accounts:
        finder.consider_account(account)
    finder.consider_nearby()
    finder.keep_the_most_pressing_of_each_account()
    return Candidates(
        tuple(finder.visits.values()), tuple(finder.unplanned), tuple(finder.returned), tuple(finder.dormant)
    )


class _Finder:
    """The state of one `find_candidates`: visits by id, in the order they were found."""

    def __init__(
        self,
        snapshot: Snapshot,
        days_out: Mapping[str, Collection[date]],
        source: TravelTimeSource,
        first_day: date,
        last_day: date,
        settings: Settings,
    ) -> None:
        self.snapshot = snapshot
        self.reps = {rep.id: rep for rep in snapshot.reps}
        self.days_out = days_out
        self.work_days = team_work_days(snapshot.reps)
        self.source = source
        self.first_day, self.last_day = first_day, last_day
        self.settings = settings
        self.visits: dict[str, Visit] = {}
        self.unplanned: list[Unplanned] = []
        self.returned: list[Listed] = []
        self.dormant: list[Listed] = []
        self.served_accounts: set[str] = set()
        self.nearly_due: list[tuple[Account, LatLon, float]] = []
        self.promises = {promise.opportunity_id: promise for promise in snapshot.promises}
        self.handoffs = {row.opportunity_id: row for row in snapshot.handoffs}

    @cached_property
    def opportunities_of(self) -> Mapping[str, list[Visit]]:
        """The visits to opportunities, by account; they are considered before any account is."""
        found: dict[str, list[Visit]] = defaultdict(list)
        for visit in self.visits.values():
            if visit.is_opportunity and visit.account_id:
                found[visit.account_id].append(visit)
        return found

    @cached_property
    def elsewhere(self) -> Mapping[tuple[str, str], list[SeenVisit]]:
        """What reps see on days outside these, by the record behind each visit and by the account of an opportunity:
        the plan that is made leaves those days alone, and so does not make these visits a second time."""
        found: dict[tuple[str, str], list[SeenVisit]] = defaultdict(list)
        account_of = {opportunity.id: opportunity.account_id for opportunity in self.snapshot.opportunities}
        for seen in self.snapshot.seen:
            if seen.rep_id in self.reps and not self.first_day <= seen.day <= self.last_day:
                kind, id_ = record_behind(seen.visit_id)
                found[kind, id_].append(seen)
                if kind == RecordKind.OPPORTUNITY and account_of.get(id_):
                    found[RecordKind.ACCOUNT, account_of[id_]].append(seen)
        return found

    @cached_property
    def all_days_out(self) -> frozenset[date]:
        return frozenset(day for days in self.days_out.values() for day in days)

    def location_of(self, record: Account | Opportunity) -> Location | None:
        return self.snapshot.location_of(record.kind, record.id, record.address)

    def place_of(self, record: Account | Opportunity, visit_kind: VisitKind) -> LatLon | None:
        """Where a record is; if that is not known, it is listed as unplanned."""
        location = self.location_of(record)
        if location and location.place:
            return location.place
        sentence = f"“{record.address}” is not located: {location.reason if location else 'it is not geocoded yet'}"
        self.unplanned.append(Unplanned((record.id,), visit_kind, record.name, Reason.NOT_LOCATED, sentence))
        return None

    def consider_opportunity(self, opportunity: Opportunity, account: Account | None) -> None:
        """A promise is kept whatever else is said; whom the field has nothing to do for is no candidate."""
        if promise := self.promises.get(opportunity.id):
            self.consider_promise(promise, opportunity, account)
            return
        handoff = self.handoffs.get(opportunity.id)
        if handoff is not None and handoff.state not in TO_VISIT:
            if handoff.state in AT_INSIDE:
                self.returned.append(Listed(opportunity.id, opportunity.name, _why_at_inside(handoff)))
            return
        missing = missing_for_handoff(opportunity, self.settings.gate)
        promised = opportunity.appointment is not None
        elsewhere = self.elsewhere.get((RecordKind.OPPORTUNITY, opportunity.id), [])
        if missing and not promised:
            self.returned.append(Listed(opportunity.id, opportunity.name, "; ".join(missing)))
            return
        kind = VisitKind.APPOINTMENT if promised else VisitKind.OPPORTUNITY
        if handoff is not None and handoff.side is Side.MANAGER and not promised:
            sentence = "a manager decides first whose it is"
            self.unplanned.append(
                Unplanned((opportunity.id,), kind, opportunity.name, Reason.WAITS_FOR_MANAGER, sentence)
            )
            return
        if opportunity.appointment and not self.first_day <= opportunity.appointment.date() <= self.last_day:
            when = f"{opportunity.appointment:%Y-%m-%d %H:%M}"
            sentence = f"its appointment is on {when}, after these days"
            if opportunity.appointment.date() < self.first_day:
                sentence = f"its appointment was on {when}: report what came of it, or agree a new one"
            self.unplanned.append(
                Unplanned((opportunity.id,), kind, opportunity.name, Reason.APPOINTMENT_ON_ANOTHER_DAY, sentence)
            )
            return
        if elsewhere and not promised:
            self.list_as_seen(opportunity, kind, elsewhere[0])
            return
        place = self.place_of(opportunity, kind)
        if place is None:
            return
        deadline = first_action_deadline(opportunity, self.work_days, self.settings.gate, self.settings.calendar)
        late = deadline is not None and deadline < self.first_day and not promised
        minutes = opportunity.visit_minutes or self.settings.candidates.visit_minutes
        visit = Visit(
            id=visit_id(RecordKind.OPPORTUNITY, opportunity.id),
            kind=kind,
            record_ids=(opportunity.id,),
            name=opportunity.name,
            address=str(opportunity.address),
            place=place,
            service_minutes=minutes,
            why=_why_opportunity(opportunity, deadline, late),
            worth=None if promised else opportunity_worth(opportunity, late, self.settings.worth),
            hours=(opportunity.availability,) if opportunity.availability and not promised else (),
            appointment=opportunity.appointment,
            deadline=None if promised else deadline,
            late=late,
            skills=opportunity.required_skills,
            account_id=opportunity.account_id,
            missing=missing,
        )
        taker = self.who_can_come(handoff.owner, visit) if handoff and handoff.side is Side.FIELD else None
        if taker is not None:
            visit = replace(visit, reps=frozenset([taker.id]), why=f"{visit.why}; {taker.name} has it")
        owner = self.who_can_come(account.owner_rep_id, visit) if account is not None else None
        if account is not None and owner is not None and taker in (None, owner):
            visit = replace(
                visit,
                record_ids=(opportunity.id, account.id),
                service_minutes=max(minutes, account.visit_minutes or 0),
                hours=visit.hours + ((account.opening_hours,) if account.opening_hours and not promised else ()),
                reps=frozenset([owner.id]),
                why=counts_as(visit, account, owner),
            )
            self.served_accounts.add(account.id)
        self.visits[visit.id] = visit

    def consider_promise(self, promise: Booking, opportunity: Opportunity, account: Account | None) -> None:
        """What was promised counts: rep, window, duration and place, not what the record says by now."""
        rep = self.reps.get(promise.rep_id)
        window = promise.window_text(rep.zone if rep else self.snapshot.zone)
        if not self.first_day <= promise.day <= self.last_day:
            sentence = f"it is promised for {window}, which is not in these days"
            self.unplanned.append(
                Unplanned(
                    (opportunity.id,),
                    VisitKind.APPOINTMENT,
                    opportunity.name,
                    Reason.APPOINTMENT_ON_ANOTHER_DAY,
                    sentence,
                )
            )
            return
        visit = promised_visit(promise, opportunity, account, rep, self.snapshot.zone, self.settings.gate)
        self.served_accounts |= set(visit.record_ids[1:])
        self.visits[visit.id] = visit

    def who_can_come(self, rep_id: str, visit: Visit) -> Rep | None:
        """The rep to whom a visit belongs, with the skills, and at work on a day that it could be on; or None.

        First whoever has the handoff, then the account's rep. Without either any qualified rep may go: an opportunity
        does not wait for a rep who is away.
        """
        rep = self.reps.get(rep_id)
        if rep is None or not visit.skills <= rep.skills:
            return None
        days = self.days_out.get(rep.id, ())
        if visit.appointment is not None:
            at_work = rep.work_start <= visit.appointment.time() < rep.work_end
            return rep if at_work and visit.appointment.date() in days else None
        in_time = visit.deadline is None or visit.late or any(day <= visit.deadline for day in days)
        return rep if days and in_time else None

    def consider_account(self, account: Account) -> None:
        """A customer who is due becomes a visit, or several, one who nearly is is kept for `consider_nearby`."""
        settings = self.settings.candidates
        served = account.id in self.served_accounts  # an opportunity's visit is the first visit to this account
        if is_dormant(account, self.first_day, settings):
            if not served:
                self.dormant.append(Listed(account.id, account.name, f"last ordered on {account.last_order}"))
            return
        cadence = cadence_days(account, settings)
        elapsed = cadence if account.last_visit is None else (self.first_day - account.last_visit).days
        due_in = cadence - elapsed
        elsewhere = self.elsewhere.get((RecordKind.ACCOUNT, account.id), [])
        if due_in > (self.last_day - self.first_day).days:
            location = self.location_of(account)
            far_enough = elapsed >= settings.nearby_cadence_share * cadence
            if far_enough and not (served or elsewhere) and location and location.place:
                self.nearly_due.append((account, location.place, elapsed / cadence))
            return
        rivals = self.opportunities_of.get(account.id, [])
        fixed = [day for visit in rivals if (day := _fixed_day(visit))]
        due = self.due_besides(account, rivals, fixed)
        if not due and not served:
            if fixed:
                self.list_as_visited(account, min(rivals, key=_pressing))
            elif elsewhere:
                self.list_as_seen(account, VisitKind.DUE, elsewhere[0])
        place = self.place_of(account, VisitKind.DUE) if due else None
        if place is None:
            return
        if account.last_visit is None:
            why = "never visited"
        else:
            when = f"{-due_in} days overdue" if due_in < 0 else f"due on {self.first_day + timedelta(days=due_in)}"
            why = f"{when}: last visit {account.last_visit}, every {cadence} days"
        spacing = least_days(cadence, settings), most_days(cadence, self.days_out_to(account), settings)
        for each in due:
            words = why if each.number == 1 else f"{ordinal(each.number)} visit: {spacing_words(cadence, *spacing)}"
            self.add_account(account, place, VisitKind.DUE, words, due=each, repeat=bool(fixed) or each.number > 1)
        for chain in sorted({each.chain for each in due}):
            ids = [] if fixed else [visit.id for visit in rivals]
            self.tie([*ids, *(_id_of(account, each) for each in due if each.chain == chain)], spacing)

    def due_besides(self, account: Account, rivals: Sequence[Visit], fixed: Sequence[date]) -> list[DueVisit]:
        """The visits that are due to a customer besides those to opportunities, some of which are on fixed days.

        An opportunity's visit on no fixed day is the first one or, where others may make it, a rival of the first; the
        others are counted from the first day on, when it is likely to be made.
        """
        if fixed or not rivals:
            return self.due_after(account, account.last_visit, fixed)
        first = [] if account.id in self.served_accounts else self.due_after(account, account.last_visit)[:1]
        return first + [replace(each, number=each.number + 1) for each in self.due_after(account, self.first_day)]

    def due_after(self, account: Account, visited: date | None, fixed: Sequence[date] = ()) -> list[DueVisit]:
        """The visits that are due to a customer who was visited on a day, besides those that reps see on other days; of
        the later ones those that somebody is at work for who may come."""
        settings, days_out = self.settings.candidates, self.days_out_to(account)
        elsewhere = self.elsewhere.get((RecordKind.ACCOUNT, account.id), [])
        stay = [*fixed, *(seen.day for seen in elsewhere)]
        due = due_visits(visited, cadence_days(account, settings), stay, self.first_day, self.last_day, settings)
        if any(seen.day < self.first_day for seen in elsewhere):  # that one is the first
            due = [replace(each, number=each.number + 1) for each in due]
        due = [each for each in due if all(_id_of(account, each) != seen.visit_id for seen in elsewhere)]
        return due[:1] + [each for each in due[1:] if any(each.first_day <= day <= each.last_day for day in days_out)]

    def days_out_to(self, account: Account) -> Collection[date]:
        """The days on which anybody is at work who may visit a customer."""
        return self.days_out.get(account.owner_rep_id, ()) if account.owner_rep_id else self.all_days_out

    def list_as_visited(self, account: Account, instead: Visit) -> None:
        sentence = _for_whom(instead)
        self.unplanned.append(
            Unplanned(
                (account.id,), VisitKind.DUE, account.name, Reason.VISITED_ANYWAY, sentence, self.worth_of(account)
            )
        )

    def list_as_seen(self, record: Account | Opportunity, kind: VisitKind, seen: SeenVisit) -> None:
        sentence = f"it is planned for {seen.day} with {seen.rep_name}, which is not in these days"
        self.unplanned.append(Unplanned((record.id,), kind, record.name, Reason.SEEN_ON_ANOTHER_DAY, sentence))

    def tie(self, ids: Sequence[str], spacing: tuple[int, int]) -> None:
        """Make several visits to a customer a series."""
        if len(ids) > 1:
            for id_ in ids:
                self.visits[id_] = replace(self.visits[id_], series=ids[0], spacing=spacing)

    def add_account(
        self,
        account: Account,
        place: LatLon,
        kind: VisitKind,
        why: str,
        rides_with: tuple[str, ...] = (),
        due: DueVisit | None = None,
        repeat: bool = False,
    ) -> None:
        days = None
        if due is not None and (due.first_day, due.last_day) != (self.first_day, self.last_day):
            days = due.first_day, due.last_day
        visit = Visit(
            id=_id_of(account, due),
            kind=kind,
            record_ids=(account.id,),
            name=account.name,
            address=str(account.address),
            place=place,
            service_minutes=account.visit_minutes or self.settings.candidates.visit_minutes,
            why=why,
            worth=self.worth_of(account, due),
            hours=(account.opening_hours,) if account.opening_hours else (),
            reps=frozenset([account.owner_rep_id]) if account.owner_rep_id else None,
            account_id=account.id,
            rides_with=rides_with,
            days=days,
            repeat=repeat,
        )
        self.visits[visit.id] = visit

    def worth_of(self, account: Account, due: DueVisit | None = None) -> Worth:
        """What a visit is worth on the day that it is due or, of one who is not or overdue, on the first day."""
        cadence = cadence_days(account, self.settings.candidates)
        on = self.first_day if due is None else due.due
        if due is not None and due.number > 1:
            account = replace(account, last_visit=on - timedelta(days=cadence))
        return account_worth(account, cadence, on, self.settings.worth)

    def consider_nearby(self) -> None:
        """Customers within some minutes of road of a handed-off opportunity, who are well into their cadence."""
        hosts = [visit for visit in self.visits.values() if visit.is_opportunity]
        limit_s = self.settings.candidates.nearby_minutes * 60
        near = within_reach([visit.place for visit in hosts], self.nearly_due, limit_s)
        for start in range(0, len(near), NEARBY_AT_ONCE):
            self.add_nearby(hosts, near[start : start + NEARBY_AT_ONCE], limit_s)

    def add_nearby(self, hosts: Sequence[Visit], near: Sequence[tuple[Account, LatLon, float]], limit_s: float) -> None:
        matrix = self.source.travel_times([*(visit.place for visit in hosts), *(place for _, place, _ in near)])
        for column, (account, place, elapsed) in enumerate(near, start=len(hosts)):
            seconds = matrix.seconds[: len(hosts), column]
            rows = np.flatnonzero((seconds != UNREACHABLE) & (seconds <= limit_s)).tolist()
            nearest = sorted((int(seconds[row]), hosts[row].record_ids[0], hosts[row].name) for row in rows)
            if not nearest:
                continue
            away_s, host_id, host_name = nearest[0]
            self.add_account(
                account,
                place,
                VisitKind.NEARBY,
                f"{away_s / 60:.0f} min from {host_name} ({host_id}), {elapsed:.0%} through its "
                f"{cadence_days(account, self.settings.candidates)} days",
                tuple(id_ for _, id_, _ in nearest),
            )

    def keep_the_most_pressing_of_each_account(self) -> None:
        """An account is visited once: for its promises, else for a late handoff, else for another, else for itself.

        Visits that press alike stay rivals, of which the solver picks one; to it all rivals are equally good.
        """
        by_account: dict[str, list[Visit]] = defaultdict(list)
        for visit in self.visits.values():
            if visit.account_id and not visit.repeat:
                by_account[visit.account_id].append(visit)
        for visits in by_account.values():
            first = min(visits, key=_pressing)
            for visit in visits:
                if _pressing(visit) > _pressing(first):
                    del self.visits[visit.id]
                    self.unplanned.append(
                        Unplanned(
                            visit.record_ids,
                            visit.kind,
                            visit.name,
                            Reason.VISITED_ANYWAY,
                            _for_whom(first),
                            visit.worth,
                        )
                    )


def _for_whom(visit: Visit) -> str:
    return f"the visit to the account is for {visit.name} ({visit.record_ids[0]})"


def _id_of(account: Account, due: DueVisit | None) -> str:
    return visit_id(RecordKind.ACCOUNT, account.id, due.due if due and due.number > 1 else None)


def _fixed_day(visit: Visit) -> date | None:
    """The day of a promise, or of what was agreed elsewhere."""
    if visit.promise is not None:
        return visit.promise.day
    return visit.appointment.date() if visit.appointment else None


def _pressing(visit: Visit) -> int:
    """The lower the more."""
    if visit.kind == VisitKind.APPOINTMENT:
        return 0
    if visit.late:
        return 1
    return 2 if visit.is_opportunity else 3


def _why_at_inside(handoff: HandoffRow) -> str:
    words = {
        HandoffState.DRAFT: "not handed off yet",
        HandoffState.REJECTED: "rejected by the field",
        HandoffState.RETURNED: "returned to inside sales",
    }
    return f"{words[handoff.state]}: {handoff.reason}" if handoff.reason else words[handoff.state]


def _why_opportunity(opportunity: Opportunity, deadline: date | None, late: bool) -> str:
    if opportunity.appointment:
        return f"appointment agreed for {opportunity.appointment:%Y-%m-%d %H:%M}"
    if deadline is None:
        return "handed off by inside sales"
    if late:
        return f"handed off by inside sales; late: the first visit was due by {deadline}"
    return f"handed off by inside sales; the first visit is due by {deadline}"
