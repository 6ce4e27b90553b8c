"""Who is there already: customers and open opportunities that an opportunity may be the same as, and who takes it then.

Inside reps see only their own records, so the whole area is searched for them, and of what is found they are told no
more than a card: name, address, segment, whose it is, and where it stands.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from planner.access import Scope
from planner.domain import Account, Opportunity, RecordKind
from planner.handoffs.alike import contained_percent, joined_name, name_percents, person_words, sorted_name
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.state import state_of
from planner.handoffs.transitions import STATE_WORDS
from planner.repository import Listing, Store, UnitOfWork
from planner.settings import HandoffSettings, Settings
from routing.geo import LatLon, great_circle_m

MOST_MATCHES = 20
MOST_NEIGHBOURS = 5
"""Of those who share nothing but the place: there are many in a town's centre."""
METRES_PER_DEGREE = 111_000

CLOSED = (HandoffState.WON, HandoffState.LOST)


class Sureness(StrEnum):
    """How sure it is that two are the same, the surest first."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"
    """To be looked at; nothing is decided by it."""


@dataclass(frozen=True, slots=True)
class Card:
    """All that anybody is told of a record which they may not see.

    `owner_id` is the rep's who looks after an account, and `owner` a name; of an opportunity `owner` is who handed it
    off. `state` is an opportunity's.
    """

    kind: RecordKind
    id: str
    name: str
    address: str
    segment: str
    owner_id: str
    owner: str
    state: HandoffState | None = None

    @property
    def key(self) -> str:
        """Ids of accounts and opportunities may clash; these do not."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of both, side by side; `same` where they are alike."""

    label: str
    ours: str
    theirs: str
    same: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A record that may be the same company, why, and how sure that is. `metres` is None where a place is not known."""

    card: Card
    sureness: Sureness
    percent: int
    metres: int | None
    reasons: tuple[str, ...]
    compared: tuple[Compared, ...]

    @property
    def key(self) -> str:
        return self.card.key


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose an opportunity is, since its customer was there already: by the rule of the settings, in words.

    `rep` is empty, and `side` the manager's, where a manager has to decide.
    """

    match: Match
    rule: str
    side: Side
    rep: str
    credit: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The matches, the surest first, and what follows from them."""

    matches: tuple[Match, ...]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What an opportunity has in common with a record; `percent` is 0 where their names are not alike enough."""

    percent: int
    contained: bool
    near: bool
    email: bool
    person: bool
    metres: int | None

    @property
    def more_than_the_place(self) -> bool:
        return bool(self.percent or self.contained or self.email or self.person)

    @property
    def sureness(self) -> Sureness:
        if (self.near and self.percent) or (self.email and (self.near or self.percent)):
            return Sureness.SURE
        elsewhere = self.metres is not None and not self.near
        if (
            self.email
            or (self.near and (self.contained or self.person))
            or (self.percent and (self.person or not elsewhere))
        ):
            return Sureness.LIKELY
        return Sureness.POSSIBLE

    def reasons(self, opportunity: Opportunity) -> tuple[str, ...]:
        reasons = []
        if self.percent:
            reasons.append("the same name" if self.percent == 100 else f"a name that is {self.percent} % alike")
        elif self.contained:
            reasons.append("one name is part of the other")
        if self.near:
            reasons.append("the same place" if not self.metres else f"{self.metres} m away")
        elif self.metres is not None:
            reasons.append(f"{self.metres / 1000:,.1f} km away")
        if self.email:
            reasons.append(f"the same e-mail address {opportunity.contact_email.strip()}")
        if self.person:
            reasons.append(f"the same contact {opportunity.contact_name.strip()}")
        return tuple(reasons)


@dataclass(frozen=True)
class Directory:
    """The accounts and opportunities of an area, ready to be searched; rows of the arrays are those of `listings`."""

    listings: tuple[Listing, ...]
    names: tuple[str, ...]
    joined: tuple[str, ...]
    people: tuple[str, ...]
    emails: tuple[str, ...]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    reps: Mapping[str, str]

    @classmethod
    def read(cls, unit: UnitOfWork, area: str) -> Directory:
        """Of all that the unit sees, which should be the whole area."""
        records = unit.records(area)
        return cls.of(records.directory(), {rep.id: rep.name for rep in records.reps()})

    @classmethod
    def of(cls, listings: Sequence[Listing], reps: Mapping[str, str]) -> Directory:
        return cls(
            tuple(listings),
            tuple(sorted_name(listing.name) for listing in listings),
            tuple(joined_name(listing.name) for listing in listings),
            tuple(person_words(listing.contact_name) for listing in listings),
            tuple(_email(listing.contact_email) for listing in listings),
            np.array([listing.lat for listing in listings], dtype=np.float64),
            np.array([listing.lon for listing in listings], dtype=np.float64),
            reps,
        )

    def place(self, row: int) -> LatLon | None:
        return None if np.isnan(self.lat[row]) else LatLon(float(self.lat[row]), float(self.lon[row]))

    def near(self, place: LatLon, metres: float) -> list[int]:
        """The rows within so many metres."""
        high = metres / METRES_PER_DEGREE * 1.01
        wide = high / max(0.01, float(np.cos(np.radians(place.lat))))
        in_box = (np.abs(self.lat - place.lat) <= high) & (np.abs(self.lon - place.lon) <= wide)
        rows = np.flatnonzero(in_box).tolist()
        return [row for row in rows if (there := self.place(row)) and great_circle_m(place, there) <= metres]


class Directories:
    """The directories of areas, kept while nothing of them changes; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[int, ...], Directory]] = {}

    def of(self, unit: UnitOfWork, area: str) -> Directory:
        """The directory of an area, all of which the unit sees."""
        records = unit.records(area)
        as_of = (records.stamp(), records.number_to_visit(), records.number_located())
        with self._lock:
            known = self._known.get(area)
        if known is None or known[0] != as_of:
            known = as_of, Directory.read(unit, area)
            with self._lock:
                self._known[area] = known
        return known[1]


def find_conflicts(
    store: Store,
    directories: Directories,
    area: str,
    opportunity: Opportunity,
    settings: Settings,
    place: LatLon | None = None,
    different: Collection[str] = (),
) -> Conflicts:
    """Who an opportunity, stored or not, may be the same as, of the whole area.

    Args:
        place: where it is; that of its record where this is None.
        different: keys of matches of which somebody has said that they are other companies.
    """
    matches = []
    with store.read(Scope(area=area)) as unit:
        directory = directories.of(unit, area)
        if place is None:
            known = unit.records(area).location(RecordKind.OPPORTUNITY, opportunity.id)
            place = known.place if known and known.address == opportunity.address else None
        for listing, shared in find_alike(directory, opportunity, place, settings.handoffs):
            record = unit.records(area).get(listing.kind, listing.id)
            if isinstance(record, Opportunity):
                state = state_of(unit, area, record, settings.gate)
                if state not in CLOSED:
                    matches.append(_with_opportunity(opportunity, record, state, shared))
            elif isinstance(record, Account):
                owner = directory.reps.get(record.owner_rep_id, "")
                matches.append(_with_account(opportunity, record, owner, shared))
            if len(matches) == MOST_MATCHES:
                break
    return Conflicts(tuple(matches), decide(opportunity, matches, different, directory.reps, settings.handoffs))


def find_alike(
    directory: Directory, opportunity: Opportunity, place: LatLon | None, settings: HandoffSettings
) -> list[tuple[Listing, Shared]]:
    """The records that share name, place or contact with an opportunity, the surest first, and what they share.

    The account that it is of, by its own record, is none of them.
    """
    percents = name_percents(opportunity.name, directory.names, directory.joined, settings.alike_percent)
    near = set(directory.near(place, settings.same_place_metres)) if place else set()
    person, email = person_words(opportunity.contact_name), _email(opportunity.contact_email)
    same_person = {row for row, theirs in enumerate(directory.people) if person and theirs == person}
    same_email = {row for row, theirs in enumerate(directory.emails) if email and theirs == email}
    own = {(RecordKind.OPPORTUNITY, opportunity.id), (RecordKind.ACCOUNT, opportunity.account_id)}
    found: list[tuple[Listing, Shared]] = []
    for row in {*np.flatnonzero(percents).tolist(), *near, *same_person, *same_email}:
        listing, there = directory.listings[row], directory.place(row)
        if (listing.kind, listing.id) in own:
            continue
        contained = row in near and contained_percent(opportunity.name, listing.name) >= settings.alike_percent
        shared = Shared(
            percent=int(percents[row]),
            contained=contained,
            near=row in near,
            email=row in same_email,
            person=row in same_person,
            metres=round(great_circle_m(place, there)) if place and there else None,
        )
        found.append((listing, shared))
    order = list(Sureness)

    def surest(entry: tuple[Listing, Shared]) -> tuple[int, int, float, str, str]:
        listing, shared = entry
        away = math.inf if shared.metres is None else shared.metres
        return order.index(shared.sureness), -shared.percent, away, listing.kind, listing.id

    found.sort(key=surest)
    neighbours = [listing for listing, shared in found if not shared.more_than_the_place]
    too_many = {(listing.kind, listing.id) for listing in neighbours[MOST_NEIGHBOURS:]}
    return [entry for entry in found if (entry[0].kind, entry[0].id) not in too_many]


def decide(
    opportunity: Opportunity,
    matches: Sequence[Match],
    different: Collection[str],
    reps: Mapping[str, str],
    settings: HandoffSettings,
) -> Decision | None:
    """Who takes an opportunity whose customer has a rep already, by the settings' rule; None where nobody has one.

    The surest account counts that has a rep and of which nobody has said that it is another company.
    """
    known = (
        match
        for match in matches
        if match.card.kind is RecordKind.ACCOUNT
        and match.card.owner_id in reps
        and match.sureness is not Sureness.POSSIBLE
        and match.key not in different
    )
    match = next(known, None)
    if match is None:
        return None
    rep, name = match.card.owner_id, match.card.owner
    because = f"{match.card.name} is {name}'s customer already ({', '.join(match.reasons)})"
    if settings.conflict == "manager":
        return Decision(match, "manager", Side.MANAGER, "", (), f"{because}: a manager decides who takes it")
    if settings.conflict == "shared" and opportunity.inside_rep:
        credit = (opportunity.inside_rep, rep)
        sentence = f"{because}: {name} takes it, and shares the credit with {opportunity.inside_rep}"
        return Decision(match, "shared", Side.FIELD, rep, credit, sentence)
    return Decision(match, settings.conflict, Side.FIELD, rep, (), f"{because}: {name} takes it")


def _with_account(opportunity: Opportunity, account: Account, owner: str, shared: Shared) -> Match:
    card = Card(
        account.kind, account.id, account.name, str(account.address), account.segment, account.owner_rep_id, owner
    )
    return _match(
        opportunity,
        card,
        shared,
        Compared("Segment", "", account.segment, False),
        Compared("Customer of", "", owner or "nobody", False),
    )


def _with_opportunity(opportunity: Opportunity, other: Opportunity, state: HandoffState, shared: Shared) -> Match:
    card = Card(other.kind, other.id, other.name, str(other.address), "", "", other.inside_rep, state)
    same = bool(other.inside_rep) and other.inside_rep.casefold() == opportunity.inside_rep.casefold()
    return _match(
        opportunity,
        card,
        shared,
        Compared("Inside rep", opportunity.inside_rep, other.inside_rep, same),
        Compared("State", "", STATE_WORDS[state], False),
    )


def _match(opportunity: Opportunity, card: Card, shared: Shared, *more: Compared) -> Match:
    compared = [
        Compared("Company", opportunity.name, card.name, bool(shared.percent)),
        Compared("Address", str(opportunity.address), card.address, shared.near),
    ]
    # Another one's contact is told only to who knows it.
    for label, ours, same in (
        ("Contact", opportunity.contact_name, shared.person),
        ("E-mail", opportunity.contact_email, shared.email),
    ):
        if ours:
            compared.append(Compared(label, ours, ours if same else "", same))
    reasons = shared.reasons(opportunity)
    return Match(card, shared.sureness, shared.percent, shared.metres, reasons, (*compared, *more))


def _email(text: str) -> str:
    return text.strip().casefold()
