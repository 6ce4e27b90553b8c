"""Notes on a rep's day: whoever saves over somebody else's sees both, and nothing is lost."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.errors import InvalidRecordError
from planner.rep_days import NoteChangedError, RepDayNote, write_note
from webui.forms import done_once, read_form
from webui.pages.plans import area_named, sources
from webui.policy import allow, viewer
from webui.words import long_day

notes = Blueprint("notes", __name__)


class NoteForm(BaseModel):
    """A note, and the revision that its writer saw."""

    text: str
    revision: int = Field(ge=0, le=2**31)


@notes.post("/a/<area>/day/<day>/note")
@allow(Permission.WRITE_DAYS)
def save_note(area: str, day: str) -> Any:
    chosen, rep_id, on = area_named(area), request.args.get("rep", ""), _day(day)
    form = read_form(NoteForm)
    written = form.values
    if written is None:
        if "revision" in form.errors or "text" not in form.errors:
            abort(400, description="This form was not made by our pages. Load the page again.")
        return _page(chosen.name, rep_id, on, form.typed["text"], wrong=form.errors["text"]), 422
    try:
        done_once(lambda unit: str(write_note(unit, chosen.name, rep_id, on, written.text, written.revision).revision))
    except NoteChangedError as error:
        return _page(chosen.name, rep_id, on, written.text, theirs=error.present), 409
    except InvalidRecordError as error:
        return _page(chosen.name, rep_id, on, written.text, wrong=error.message), 422
    return redirect(_back(chosen.name, rep_id, on), 303)


def _page(area: str, rep_id: str, day: date, yours: str, theirs: RepDayNote | None = None, wrong: str = "") -> str:
    """The note on a page of its own: for merging, or for correcting."""
    with sources().store.read(viewer().scope) as unit:
        rep = next((rep for rep in unit.records(area).reps() if rep.id == rep_id), None) or abort(404)
    seen = theirs.revision if theirs else request.form.get("revision", "0")
    return render_template(
        "note.html",
        area=area_named(area),
        rep=rep.name,
        day=long_day(day),
        back=_back(area, rep_id, day),
        url=request.full_path,
        yours=yours,
        revision=seen,
        theirs=theirs.text if theirs else None,
        wrong=wrong,
    )


def _back(area: str, rep_id: str, day: date) -> str:
    """The page of the day, at its note."""
    asked = request.args.get("plan", "")
    plan = asked if re.fullmatch(r"[0-9]{1,9}", asked, re.ASCII) else None
    return url_for("pages.rep_day", area=area, day=day.isoformat(), rep=rep_id, plan=plan, _anchor="note")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404)
