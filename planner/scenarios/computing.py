"""A scenario is worked out: who gets which customers, and what a month is like before and after.

Nothing is planned: both sides are `planner.coverage`'s own estimate, so that what is said here of now is what the pages
about coverage say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from planner.candidates import cadence_days, is_dormant
from planner.coverage.capacity import base_of, minutes_there, nearest_of
from planner.coverage.domain import MONTH_DAYS, Coverage
from planner.coverage.making import make_coverage
from planner.coverage.material import HandedOff, Material
from planner.domain import Account, RecordKind, Rep
from planner.errors import PlannerError
from planner.scenarios.altering import location_of, new_rep, reps_after, with_cadence
from planner.scenarios.changes import Changes
from planner.scenarios.compactness import Lying, lying
from planner.scenarios.outcome import Month, Move, Outcome, RepMonth, Standing, Why
from planner.settings import Settings
from planner.snapshot import Snapshot
from planner.visit_ids import visit_id
from routing.alignment import Alignment, AlignmentLimits, Centre, Prices, Site, align
from routing.geo import LatLon
from routing.travel_times import TravelTimeSource
from routing.workload import Base

LIMITS = AlignmentLimits(seconds=30.0)
LEAST_SAVED = 1.0
"""Minutes of driving a month that are said to be the reason."""
Progress = Callable[[str, float], object]


def work_out(
    material: Material,
    stamp: str,
    area: str,
    changes: Changes,
    source: TravelTimeSource,
    settings: Settings,
    limits: AlignmentLimits = LIMITS,
    on_progress: Progress = lambda what, fraction: None,
) -> Outcome:
    """What a scenario comes to.

    Args:
        material: what coverage is made from, as it is now.
        stamp: of the records in it.
        area: for the words.
        changes: of the scenario; what it says of records that there are not any more is left out, with a note.
        source: the streets.
        settings: of the installation.
        limits: of the search for a realignment.
        on_progress: told what is being done, and the share that is done.

    Raises:
        PlannerError: nobody would be left who works.
    """
    # Which customers are due or planned makes no difference to what a month takes.
    material = replace(material, plan=None, territories=(), visits={})
    on_progress("what is now", 0.0)
    before = make_coverage(material, area, source, settings)
    on_progress("realigning", 0.3)
    altered = _Altered.of(material, changes, settings)
    given = _Giving(altered, before, changes, source, settings, limits).owners()
    on_progress("what would be", 0.6)
    after = make_coverage(altered.owned(given), area, source, settings)
    on_progress("what would be", 0.9)
    return _told(altered, before, after, given, changes, source, stamp)


@dataclass(frozen=True)
class _Altered:
    """The records as they would be but for the owners; `places` are of the accounts that have one."""

    material: Material
    reps: tuple[Rep, ...]
    known: frozenset[str]
    bases: Mapping[str, Base]
    there: Mapping[str, float]
    places: Mapping[str, LatLon]

    @classmethod
    def of(cls, material: Material, changes: Changes, settings: Settings) -> _Altered:
        snapshot = material.snapshot
        reps = tuple(reps_after(snapshot.reps, changes, snapshot.zone))
        found = [location_of(new, new_rep(new, snapshot.zone)) for new in changes.new_reps]
        altered = replace(
            snapshot,
            reps=reps,
            accounts=tuple(with_cadence(account, changes) for account in snapshot.accounts),
            locations=(*snapshot.locations, *found),
        )
        homes, _ = altered.homes()
        there = {rep.id: minutes_there(rep, material.today, settings.calendar) for rep in reps}
        bases = {
            rep.id: base
            for rep in reps
            if rep.id in homes and there[rep.id] > 0 and (base := base_of(rep, homes[rep.id])) is not None
        }
        return cls(
            replace(material, snapshot=altered),
            reps,
            frozenset(rep.id for rep in snapshot.reps),
            bases,
            there,
            _places(altered),
        )

    @property
    def accounts(self) -> Sequence[Account]:
        return self.material.snapshot.accounts

    def leaves(self, rep_id: str) -> bool:
        """Whether a rep has no hours, so that somebody else has to look after the customers."""
        return self.there.get(rep_id) == 0

    def owned(self, given: _Given) -> Material:
        """The material with other owners of accounts and of opportunities."""
        snapshot = self.material.snapshot
        accounts = tuple(replace(account, owner_rep_id=given.owners[account.id]) for account in self.accounts)
        handed_off = (
            replace(each, rep_id=given.deals.get(each.opportunity.id, each.rep_id)) for each in self.material.handed_off
        )
        return replace(self.material, snapshot=replace(snapshot, accounts=accounts), handed_off=tuple(handed_off))

    def deal_at(self, handed_off: HandedOff) -> LatLon | None:
        """Where an opportunity is, if that is known."""
        deal = handed_off.opportunity
        location = self.material.snapshot.location_of(deal.kind, deal.id, deal.address)
        return location.place if location else None


def _places(snapshot: Snapshot) -> dict[str, LatLon]:
    places = {}
    for account in snapshot.accounts:
        location = snapshot.location_of(account.kind, account.id, account.address)
        if location is not None and location.place is not None:
            places[account.id] = location.place
    return places


@dataclass(frozen=True)
class _Given:
    """The owner of every account, the reps of opportunities that go to another one, and what came of the search for
    them, if there was one."""

    owners: Mapping[str, str]
    deals: Mapping[str, str]
    alignment: Alignment | None
    notes: Sequence[str]


@dataclass
class _Giving:
    """Decides who gets which customers."""

    altered: _Altered
    before: Coverage
    changes: Changes
    source: TravelTimeSource
    settings: Settings
    limits: AlignmentLimits
    notes: list[str] = field(default_factory=list)

    def owners(self) -> _Given:
        """The realignment decides about customers who are visited and have a place, as far as it may; who leaves
        gives up all the others too."""
        altered, changes = self.altered, self.changes
        if not altered.bases:
            raise PlannerError(
                "in this scenario nobody works whose home is known: there is nobody to give customers to"
            )
        reps = {rep.id for rep in altered.reps}
        pins = {account_id: rep_id for account_id, rep_id in changes.pins.items() if rep_id in reps}
        owners = {a.id: pins.get(a.id, a.owner_rep_id) for a in altered.accounts}
        self._note_unknown(pins)
        sites = [site for account in altered.accounts if (site := self._site(account, pins)) is not None]
        deals = self._beside(
            [(each.rep_id, site) for each in altered.material.handed_off if (site := self._deal(each)) is not None],
            sites,
        )
        alignment, found = None, dict[str, str]()
        if any(not site.pinned for site in sites):
            drive_s = {_key(a.account_id): 60 * a.drive_minutes for a in self.before.accounts}
            everything = [*sites, *deals]
            centres = self._centres(everything)
            alignment = align(everything, centres, self.source, self.limits, self._prices(), drive_s)
            found = dict(alignment.owner)
        owners = {id_: found.get(_key(id_), owner) for id_, owner in owners.items()}
        self._give_the_rest(owners, pins)
        return _Given(owners, self._deals(found), alignment, self.notes)

    def _site(self, account: Account, pins: Mapping[str, str]) -> Site | None:
        """A customer that the realignment decides about, or has to know of; None for the others."""
        altered, candidates = self.altered, self.settings.candidates
        place, owner = altered.places.get(account.id), account.owner_rep_id
        if place is None or is_dormant(account, altered.material.today, candidates):
            return None
        pinned = pins.get(account.id, "")
        stays = owner in altered.known and not altered.leaves(owner)
        if not pinned and stays and (not self.changes.even or owner not in altered.bases):
            pinned = owner
        if pinned and pinned not in altered.bases:
            return None  # whose home is not known, or who does not work: nothing depends on it
        if not pinned and not self.changes.even and not altered.leaves(owner):
            return None  # nobody's, and nobody is asked to take it
        minutes = (account.visit_minutes or candidates.visit_minutes) + candidates.parking_minutes
        times = MONTH_DAYS / cadence_days(account, candidates)
        current = owner if owner in altered.bases else ""
        return Site(_key(account.id), place, times, minutes * 60, current, pinned)

    def _deal(self, handed_off: HandedOff) -> Site | None:
        """An opportunity such as inside sales hands over: it comes with the customers around it, and breaks nothing."""
        altered, candidates = self.altered, self.settings.candidates
        place, owner, deal = altered.deal_at(handed_off), handed_off.rep_id, handed_off.opportunity
        stays = owner in altered.known and not altered.leaves(owner)
        pinned = owner if stays and (not self.changes.even or owner not in altered.bases) else ""
        if place is None or not handed_off.times or (pinned and pinned not in altered.bases):
            return None
        minutes = (deal.visit_minutes or candidates.visit_minutes) + candidates.parking_minutes
        times = handed_off.times * MONTH_DAYS / altered.material.handoff_days
        return Site(visit_id(RecordKind.OPPORTUNITY, deal.id), place, times, minutes * 60, "", pinned)

    def _beside(self, deals: Sequence[tuple[str, Site]], sites: Sequence[Site]) -> list[Site]:
        """Opportunities, each to go where that customer of its rep goes who is nearest; any customer of those that have
        no rep, or whose rep has no customers. Where territories are in one piece they go with whoever is around."""
        if self.changes.prices.one_piece:
            return [deal for _, deal in deals]
        owner = {_key(account.id): account.owner_rep_id for account in self.altered.accounts}
        owned, asked = defaultdict[str, list[Site]](list), defaultdict[str, list[Site]](list)
        for site in sites:
            owned[owner[site.id]].append(site)
        for rep_id, deal in deals:
            asked[rep_id].append(deal)
        found = []
        for rep_id, its in asked.items():
            others = (owned[rep_id] if rep_id else ()) or sites
            nearest = nearest_of([deal.place for deal in its], [site.place for site in others]) if others else []
            found += [replace(deal, beside=others[number].id) for deal, number in zip(its, nearest, strict=False)]
            found += its[len(nearest) :]
        return found

    def _deals(self, found: Mapping[str, str]) -> dict[str, str]:
        """The reps of opportunities that go to another one; of those who leave, what has no place is nobody's."""
        altered, deals = self.altered, {}
        for each in altered.material.handed_off:
            rep_id = found.get(visit_id(RecordKind.OPPORTUNITY, each.opportunity.id), each.rep_id)
            deals[each.opportunity.id] = "" if altered.leaves(rep_id) else rep_id
        return deals

    def _centres(self, sites: Sequence[Site]) -> list[Centre]:
        """The reps who work, busy with the customers about whom nothing is decided."""
        altered, decided = self.altered, {site.id for site in sites}
        today, calendar, reps = altered.material.today, self.settings.calendar, {rep.id: rep for rep in altered.reps}
        visits = sum(rep.visits_needed for rep in self.before.reps)
        each = sum(rep.needed for rep in self.before.reps) / visits if visits else None
        busy: dict[str, float] = defaultdict(float)
        for account in self.before.accounts:
            if _key(account.account_id) not in decided:
                busy[account.rep_id] += account.minutes_a_month
        return [
            Centre(rep_id, base, minutes_there(reps[rep_id], today, calendar, each), busy[rep_id])
            for rep_id, base in altered.bases.items()
        ]

    def _prices(self) -> Prices:
        prices = self.changes.prices
        return Prices(prices.broken_minutes, prices.evenness, prices.band, prices.one_piece, prices.apart)

    def _give_the_rest(self, owners: dict[str, str], pins: Mapping[str, str]) -> None:
        """Customers of those who leave about whom nothing is decided yet: dormant ones go with their neighbours, those
        without a place to whoever has least to do for the hours."""
        altered = self.altered
        left = [a.id for a in altered.accounts if altered.leaves(owners[a.id]) and a.id not in pins]
        if not left:
            return
        kept = [(place, owners[id_]) for id_, place in altered.places.items() if owners[id_] in altered.bases]
        number = Counter(owners.values())
        idle = min(altered.bases, key=lambda rep_id: (number[rep_id] / altered.there[rep_id], rep_id))
        owners |= dict.fromkeys(left, idle)
        placed = [account_id for account_id in left if account_id in altered.places]
        if kept:
            nearest = nearest_of([altered.places[id_] for id_ in placed], [at for at, _ in kept])
            owners.update({id_: kept[number][1] for id_, number in zip(placed, nearest, strict=True)})
        if lost := len(left) - len(placed):
            called = {rep.id: rep.name for rep in altered.reps}
            self.notes.append(
                f"{_customers(lost)} without a place, whose rep leaves, would go to {called[idle]}, who has the fewest "
                "for the hours"
            )

    def _note_unknown(self, pins: Mapping[str, str]) -> None:
        accounts = {account.id for account in self.altered.accounts}
        segments = {account.segment for account in self.altered.accounts}
        gone = (self.changes.pins.keys() | self.changes.accounts.keys()) - accounts
        gone |= self.changes.pins.keys() - pins.keys()
        if gone:
            self.notes.append(f"what it says of {_customers(len(gone))} is left out: they or their rep are gone")
        for segment in sorted(self.changes.segments.keys() - segments):
            self.notes.append(f"there is no customer of segment {segment or '–'}")
        unhoused = [
            rep.name for rep in self.altered.reps if rep.id not in self.altered.bases and self.altered.there[rep.id] > 0
        ]
        if unhoused:
            self.notes.append(
                f"nobody knows where the days of {', '.join(unhoused)} start, or nothing fits into one: their "
                "customers stay with them, and nobody else’s are given to them"
            )


def _told(
    altered: _Altered,
    before: Coverage,
    after: Coverage,
    given: _Given,
    changes: Changes,
    source: TravelTimeSource,
    stamp: str,
) -> Outcome:
    places = {_key(id_): place for id_, place in altered.places.items()}
    deals = {visit_id(each.opportunity.kind, each.opportunity.id): each for each in altered.material.handed_off}
    owned = [{_key(a.account_id): a.rep_id for a in side.accounts if a.visits_a_month > 0} for side in (before, after)]
    between = {key: place for key, each in deals.items() if (place := altered.deal_at(each))}
    whose = [
        {key: each.rep_id for key, each in deals.items()},
        {key: given.deals.get(each.opportunity.id, each.rep_id) for key, each in deals.items()},
    ]
    lie = lying(
        places,
        between,
        [owners | others for owners, others in zip(owned, whose, strict=True)],
        len(altered.bases),
        source,
    )
    months_before, months_after = _months(before, lie[0]), _months(after, lie[1])
    moves = _moves(altered, before, after, given, changes, lie[0])
    reps = tuple(
        RepMonth(
            rep.id,
            rep.name,
            _standing(rep, altered, changes),
            months_before.get(rep.id) if rep.id in altered.known else None,
            months_after[rep.id],
        )
        for rep in altered.reps
    )
    alignment = given.alignment
    unowned = sum(move.why is Why.UNOWNED for move in moves)
    notes = [*given.notes]
    if unowned:
        notes.append(f"{_customers(unowned)} are nobody’s now: visits to them count only in what would be")
    if alignment is not None and alignment.unreached:
        notes.append(f"no street leads to {_customers(len(alignment.unreached))}: they stay with their reps")
    return Outcome(
        altered.material.today,
        stamp,
        reps,
        tuple(moves),
        alignment.gap if alignment is not None else None,
        tuple(notes),
    )


def _moves(
    altered: _Altered,
    before: Coverage,
    after: Coverage,
    given: _Given,
    changes: Changes,
    lay: Mapping[str, Lying],
) -> list[Move]:
    """Who gets another rep, and what is true of it: the first of the reasons that is."""
    then = {account.account_id: account for account in after.accounts}
    needed = {rep.rep_id: rep.needed for rep in before.reps}
    full = {rep_id: needed.get(rep_id, 0.0) / there for rep_id, there in altered.there.items() if there > 0}
    mean = sum(needed.get(rep_id, 0.0) for rep_id in full) / sum(altered.there.values())
    gain = {given.owners[was.account_id] for was in before.accounts if given.owners[was.account_id] != was.rep_id}
    moves = []
    for was in before.accounts:
        now = given.owners[was.account_id]
        if now == was.rep_id:
            continue
        had, become = was.rep_id if was.rep_id in altered.known else "", then[was.account_id]
        saved = was.drive_minutes_a_month - become.drive_minutes_a_month if had else 0.0
        if changes.pins.get(was.account_id) == now:
            why = Why.PINNED
        elif not had:
            why = Why.UNOWNED
        elif altered.leaves(had):
            why = Why.LEAVES
        elif full[had] > max(mean, full[now]):
            why = Why.EVEN
        elif saved >= LEAST_SAVED:
            why = Why.DRIVING
        elif had in gain and _key(was.account_id) not in lay.get(had, Lying()).apart:
            why = Why.ROOM
        else:
            why = Why.TOGETHER
        moves.append(Move(was.account_id, had, now, become.minutes_a_month, why, saved))
    return moves


def _months(coverage: Coverage, lie: Mapping[str, Lying]) -> dict[str, Month]:
    customers, visits = Counter(a.rep_id for a in coverage.accounts), defaultdict[str, float](float)
    for account in coverage.accounts:
        visits[account.rep_id] += account.visits_a_month
    months = {}
    for rep in coverage.reps:
        how = lie.get(rep.rep_id, Lying())
        months[rep.rep_id] = Month(
            customers=customers[rep.rep_id],
            visits=visits[rep.rep_id],
            service=rep.visits,
            driving=rep.driving,
            opportunities=rep.opportunities,
            there=rep.there,
            apart=len(how.apart),
            away=how.away_minutes,
        )
    return months


def _standing(rep: Rep, altered: _Altered, changes: Changes) -> Standing:
    if rep.id not in altered.known:
        return Standing.NEW
    return Standing.LEAVES if rep.id in changes.removed else Standing.STAYS


def _key(account_id: str) -> str:
    """Ids of accounts and opportunities may clash."""
    return visit_id(RecordKind.ACCOUNT, account_id)


def _customers(number: int) -> str:
    return f"{number:,} customer" if number == 1 else f"{number:,} customers"
