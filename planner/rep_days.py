"""What people write about one rep's day; two may do so at once, and neither loses what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from planner.domain import _check, _check_text
from planner.errors import ConflictError, NotFoundError

if TYPE_CHECKING:  # it knows the notes as rows
    from planner.repository import UnitOfWork


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


class NoteChangedError(ConflictError):
    """Somebody else has changed the note since the writer saw it; `present` is what it says now."""

    def __init__(self, present: RepDayNote) -> None:
        super().__init__("somebody else has changed this note meanwhile")
        self.present = present


def read_note(unit: UnitOfWork, area: str, rep_id: str, day: date) -> RepDayNote:
    """The note on a rep's day; an empty one of revision 0 where nobody has written any.

    Raises:
        NotFoundError: there is no such rep among those in scope.
    """
    if all(rep.id != rep_id for rep in unit.records(area).reps()):
        raise NotFoundError(f"area {area} has no rep {rep_id}")
    return unit.rep_day_notes.get(area, rep_id, day) or RepDayNote(area, rep_id, day, 0, "")


def write_note(unit: UnitOfWork, area: str, rep_id: str, day: date, text: str, revision: int) -> RepDayNote:
    """Change the note on a rep's day from the `revision` that the writer saw; an empty text leaves it empty.

    Writing what it says already changes nothing, whatever was seen.

    Raises:
        NotFoundError: there is no such rep among those in scope.
        NoteChangedError: it is at another revision now.
        InvalidRecordError: the text is too long or holds a NUL.
    """
    present = read_note(unit, area, rep_id, day)
    text = "\n".join(text.split("\r\n")).strip()
    if text == present.text:
        return present
    if revision != present.revision:
        raise NoteChangedError(present)
    written = RepDayNote(area, rep_id, day, revision + 1, text)
    unit.rep_day_notes.put(written)
    unit.audit("note.written", f"{rep_id} {day}", area=area, revision=written.revision)
    return written
