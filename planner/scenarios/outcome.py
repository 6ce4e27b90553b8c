"""What came out of a scenario: the figures of each rep before and after, and the customers who get another rep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """What becomes of a rep in a scenario."""

    STAYS = "stays"
    NEW = "new"
    LEAVES = "leaves"


class Why(StrEnum):
    """Why a customer gets another rep."""

    EVEN = "even"
    """Its rep has more to do than the mean of all, and the new one less to do than its rep."""
    DRIVING = "driving"
    """Its new rep drives less for it."""
    ROOM = "room"
    """Its rep gets customers of others, and gives this one up for them."""
    TOGETHER = "together"
    """It comes to lie together with the new rep's others."""
    LEAVES = "leaves"
    """Its rep leaves."""
    PINNED = "pinned"
    """Somebody has said so."""
    UNOWNED = "unowned"
    """It was nobody's, so that no relationship is broken."""


@dataclass(frozen=True, slots=True)
class Month:
    """What a month of somebody's work is made of; minutes, estimated on the streets without a plan.

    Attributes:
        customers: who are looked after; visits: of them by their cadence, a month.
        service: of these visits, parking included; driving: to them.
        opportunities: of visits to what inside sales hands over, driving included, as often as lately.
        there: working hours less breaks, public holidays left out.
        apart: customers who do not hang together with most of the rep's others.
        away: driving from one customer to the middle of them all, on average: how compact they lie.
    """

    customers: int = 0
    visits: float = 0.0
    service: float = 0.0
    driving: float = 0.0
    opportunities: float = 0.0
    there: float = 0.0
    apart: int = 0
    away: float = 0.0

    @property
    def needed(self) -> float:
        return self.service + self.driving + self.opportunities

    @property
    def shortfall(self) -> float:
        """What is missing; 0 where the hours suffice."""
        return max(0.0, self.needed - self.there)

    @property
    def left(self) -> float:
        return max(0.0, self.there - self.needed)

    @property
    def load(self) -> float | None:
        """The share of the hours that is taken; None without hours."""
        return self.needed / self.there if self.there > 0 else None

    @property
    def undone(self) -> float:
        """Visits to customers that do not fit into the hours: they become overdue month after month."""
        each = (self.service + self.driving) / self.visits if self.visits else 0.0
        return min(self.visits, self.shortfall / each) if each else 0.0


def together(months: Iterable[Month]) -> Month:
    """The sum of several reps' months; `away` is weighed by customers."""
    months = list(months)
    sums = {name: sum(getattr(month, name) for month in months) for name in _SUMS}
    far = sum(month.away * month.customers for month in months)
    return Month(**sums, away=far / sums["customers"] if sums["customers"] else 0.0)


_SUMS = ("customers", "visits", "service", "driving", "opportunities", "there", "apart")


@dataclass(frozen=True, slots=True)
class RepMonth:
    """A rep before and after; `before` is None of a new one, and `after` has no hours where the rep leaves."""

    rep_id: str
    name: str
    standing: Standing
    before: Month | None
    after: Month


@dataclass(frozen=True, slots=True)
class Move:
    """A customer who gets another rep; `before` is empty where it was nobody's.

    `minutes` a month come with it, and `saved` minutes of driving it takes less than with the rep before.
    """

    account_id: str
    before: str
    after: str
    minutes: float
    why: Why
    saved: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out.

    Attributes:
        as_of: the day of which the records are; stamp: of the area's records (see `keeping.records_stamp`).
        moves: customers who get another rep.
        gap: how far the realignment may be from the best there is, as a share of its cost, at most; None where
            nothing was realigned.
        notes: what somebody should know who reads the figures, as sentences.
    """

    as_of: date
    stamp: str
    reps: tuple[RepMonth, ...]
    moves: tuple[Move, ...]
    gap: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def before(self) -> Month:
        return together(rep.before for rep in self.reps if rep.before is not None)

    @property
    def after(self) -> Month:
        return together(rep.after for rep in self.reps)

    @property
    def contiguous(self) -> bool:
        """Whether every rep's customers hang together: none of anybody's lies apart."""
        return not self.after.apart

    @property
    def broken(self) -> int:
        """Relationships: customers who had a rep and get another one."""
        return sum(move.why is not Why.UNOWNED for move in self.moves)

    def spread(self, *, after: bool) -> float | None:
        """The fullest rep's load by that of all together: 1 is even. None without hours or work."""
        months = [rep.after if after else rep.before for rep in self.reps]
        return spread([month for month in months if month is not None])

    def as_json(self) -> dict[str, Any]:
        """As `outcome_of` reads it."""
        index = {rep.rep_id: number for number, rep in enumerate(self.reps)} | {"": -1}
        return {
            "as_of": str(self.as_of),
            "stamp": self.stamp,
            "reps": [
                {
                    "id": rep.rep_id,
                    "name": rep.name,
                    "standing": rep.standing.value,
                    "before": _rounded(rep.before) if rep.before is not None else None,
                    "after": _rounded(rep.after),
                }
                for rep in self.reps
            ],
            "moves": [
                [
                    move.account_id,
                    index[move.before],
                    index[move.after],
                    round(move.minutes, 1),
                    move.why.value,
                    round(move.saved, 1),
                ]
                for move in self.moves
            ],
            "gap": self.gap,
            "notes": list(self.notes),
        }


def spread(months: Iterable[Month]) -> float | None:
    """The highest load by the load of all together, those without hours left out; None where nobody has any."""
    working = [month for month in months if month.there > 0]
    there, needed = sum(month.there for month in working), sum(month.needed for month in working)
    mean = needed / there if there else 0.0
    return max(month.needed / month.there for month in working) / mean if mean else None


def outcome_of(value: Mapping[str, Any]) -> Outcome:
    """An outcome from the JSON of a scenario's row."""
    reps = tuple(
        RepMonth(
            rep["id"],
            rep["name"],
            Standing(rep["standing"]),
            Month(**rep["before"]) if rep["before"] is not None else None,
            Month(**rep["after"]),
        )
        for rep in value["reps"]
    )
    ids = [*(rep.rep_id for rep in reps), ""]
    moves = tuple(
        Move(account_id, ids[before], ids[after], minutes, Why(why), saved)
        for account_id, before, after, minutes, why, saved in value["moves"]
    )
    return Outcome(
        date.fromisoformat(value["as_of"]),
        value["stamp"],
        reps,
        moves,
        value["gap"],
        tuple(value["notes"]),
    )


def _rounded(month: Month) -> dict[str, float]:
    return {name: round(number, 2) for name, number in asdict(month).items()}
