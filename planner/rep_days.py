"""What people write about one rep's day; two may do so at once, and neither loses what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from planner.domain import _check, _check_text


@dataclass(frozen=True, slots=True)
class RepDayNote:
    """A note on a rep's day ("car in the garage until ten"). `revision` goes up with every change, from 0 for none."""

    area: str
    rep_id: str
    day: date
    revision: int
    text: str

    def __post_init__(self) -> None:
        _check(self.revision >= 0, "revision", f"{self.revision} is below 0")
        _check_text(self, "text")
