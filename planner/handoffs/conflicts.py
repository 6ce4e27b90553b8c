"""Who is there already: customers and open opportunities that an opportunity may be the same as, and who takes it then.

Inside reps see only their own records, so the whole area is searched for them, and of what is found they are told no
more than a card: name, address, segment, whose it is, and where it stands.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from planner.access import Scope
from planner.domain import Account, Opportunity, RecordKind
from planner.handoffs.alike import contained_percent, joined_name, name_percents, person_words, sorted_name
from planner.handoffs.domain import HandoffState, Side
from planner.handoffs.state import state_of
from planner.handoffs.transitions import STATE_WORDS
from planner.repository import Store, UnitOfWork
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


@dataclass(frozen=True)
class Directory:
    """The accounts and opportunities of an area, ready to be searched; rows of the arrays are those of `records`."""

    records: tuple[Account | Opportunity, ...]
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
        rows = unit.records(area)
        records: tuple[Account | Opportunity, ...] = (*rows.accounts(), *rows.opportunities())
        places = {(known.kind, known.record_id): known for known in rows.locations()}
        found = [places.get((record.kind, record.id)) for record in records]
        located = [
            known.place if known and known.place and known.address == record.address else None
            for known, record in zip(found, records, strict=True)
        ]
        return cls(
            records,
            tuple(sorted_name(record.name) for record in records),
            tuple(joined_name(record.name) for record in records),
            tuple(person_words(_contact(record, "name")) for record in records),
            tuple(_contact(record, "email").strip().casefold() for record in records),
            np.array([place.lat if place else np.nan for place in located], dtype=np.float64),
            np.array([place.lon if place else np.nan for place in located], dtype=np.float64),
            {rep.id: rep.name for rep in rows.reps()},
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
    with store.read(Scope(area=area)) as unit:
        return conflicts_of(unit, directories.of(unit, area), area, opportunity, settings, place, different)


def conflicts_of(
    unit: UnitOfWork,
    directory: Directory,
    area: str,
    opportunity: Opportunity,
    settings: Settings,
    place: LatLon | None = None,
    different: Collection[str] = (),
) -> Conflicts:
    """The same within a unit that sees the whole area."""
    if place is None:
        known = unit.records(area).location(RecordKind.OPPORTUNITY, opportunity.id)
        place = known.place if known and known.address == opportunity.address else None
    found = []
    for match, record in find_matches(directory, opportunity, place, settings.handoffs):
        if isinstance(record, Account):
            found.append(match)
            continue
        state = state_of(unit, area, record, settings.gate)
        if state not in CLOSED:
            found.append(_in_state(match, state))
    matches = tuple(found[:MOST_MATCHES])
    return Conflicts(matches, decide(opportunity, matches, different, directory.reps, settings.handoffs))


def find_matches(
    directory: Directory, opportunity: Opportunity, place: LatLon | None, settings: HandoffSettings
) -> list[tuple[Match, Account | Opportunity]]:
    """The records that share name, place or contact with an opportunity, the surest first.

    The account that it is of, by its own record, is none of them.
    """
    percents = name_percents(opportunity.name, directory.names, directory.joined, settings.alike_percent)
    near = set(directory.near(place, settings.same_place_metres)) if place else set()
    person, email = person_words(opportunity.contact_name), opportunity.contact_email.strip().casefold()
    same_person = {row for row, theirs in enumerate(directory.people) if person and theirs == person}
    same_email = {row for row, theirs in enumerate(directory.emails) if email and theirs == email}
    rows = {*np.flatnonzero(percents).tolist(), *near, *same_person, *same_email}
    found: list[tuple[Match, Account | Opportunity]] = []
    neighbours: list[tuple[Match, Account | Opportunity]] = []
    for row in rows:
        record = directory.records[row]
        if record.id == (opportunity.id if isinstance(record, Opportunity) else opportunity.account_id):
            continue
        there = directory.place(row)
        metres = round(great_circle_m(place, there)) if place and there else None
        shared = _Shared(
            percent=int(percents[row]),
            contained=row in near and contained_percent(opportunity.name, record.name) >= settings.alike_percent,
            near=row in near,
            email=row in same_email,
            person=row in same_person,
            metres=metres,
        )
        match = _match(directory, opportunity, record, shared)
        (found if shared.more_than_the_place else neighbours).append((match, record))
    order = list(Sureness)

    def surest(entry: tuple[Match, Account | Opportunity]) -> tuple[int, int, int, str]:
        match = entry[0]
        away = 10**9 if match.metres is None else match.metres
        return order.index(match.sureness), -match.percent, away, match.key

    return sorted([*found, *sorted(neighbours, key=surest)[:MOST_NEIGHBOURS]], key=surest)


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


@dataclass(frozen=True, slots=True)
class _Shared:
    """What two records have in common; `percent` is 0 where their names are not alike enough."""

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


def _match(directory: Directory, opportunity: Opportunity, record: Account | Opportunity, shared: _Shared) -> Match:
    if isinstance(record, Account):
        owner = directory.reps.get(record.owner_rep_id, "")
        card = Card(
            record.kind, record.id, record.name, str(record.address), record.segment, record.owner_rep_id, owner
        )
    else:
        card = Card(record.kind, record.id, record.name, str(record.address), "", "", record.inside_rep)
    compared = [
        Compared("Company", opportunity.name, record.name, bool(shared.percent)),
        Compared("Address", str(opportunity.address), str(record.address), shared.near),
    ]
    # Another one's contact is told only to who knows it.
    for label, ours, same in (
        ("Contact", opportunity.contact_name, shared.person),
        ("E-mail", opportunity.contact_email, shared.email),
    ):
        if ours:
            compared.append(Compared(label, ours, ours if same else "", same))
    if isinstance(record, Account):
        compared.append(Compared("Segment", "", record.segment, False))
        compared.append(Compared("Customer of", "", card.owner or "nobody", False))
    else:
        compared.append(Compared("Handed off by", opportunity.inside_rep, record.inside_rep, False))
    return Match(card, shared.sureness, shared.percent, shared.metres, shared.reasons(opportunity), tuple(compared))


def _in_state(match: Match, state: HandoffState) -> Match:
    compared = (*match.compared, Compared("State", "", STATE_WORDS[state], False))
    return replace(match, card=replace(match.card, state=state), compared=compared)


def _contact(record: Account | Opportunity, what: str) -> str:
    """A contact's name or e-mail; of an account as its file has it."""
    if isinstance(record, Opportunity):
        return record.contact_name if what == "name" else record.contact_email
    return record.attributes.get(f"contact_{what}", "")
