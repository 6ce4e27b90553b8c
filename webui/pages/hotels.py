"""The hotels of an area: added by their address, changed, removed, and imported from a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.domain import MAX_MINUTES
from planner.errors import IntakeError, InvalidRecordError, RefusedError
from planner.hotels.domain import MAX_NAME, MOST_HOTELS, Hotel
from planner.hotels.importing import ReadHotels, read_hotels
from planner.hotels.keeping import (
    HotelChangedError,
    Wanted,
    add_hotel,
    change_hotel,
    hotel_in,
    hotels_in,
    keep_hotels,
    remove_hotel,
)
from planner.hotels.placing import Streets, check_on_streets, known_streets, off_the_streets
from planner.intake import UPLOADED, read_table
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from routing.area import Area
from routing.errors import RoutingError
from routing.gazetteer import Candidate, Verdict
from webui.bodies import body_up_to
from webui.forms import Form, done_once, form_key, read_form
from webui.pages.plans import area_named, settings, sources
from webui.policy import allow, viewer

hotels = Blueprint("hotels", __name__)

FILE_BYTES = 1_000_000
SHOWN_REFUSALS = 100


class HotelForm(BaseModel):
    """A hotel. `candidate` is the number of what an unsure address could be, as it was shown."""

    name: str = Field(max_length=MAX_NAME)
    address: str = Field(max_length=500)
    minutes: int | None = Field(None, ge=0, le=MAX_MINUTES)
    candidate: int | None = None


class RevisionForm(BaseModel):
    revision: int = Field(ge=1, lt=2**31)


@dataclass(frozen=True)
class Said:
    """What came of a form that changed nothing, or of one that did.

    Attributes:
        hotel_id: whose form it was; empty for the one that adds.
        candidates: what its address could be.
        present: what somebody else has made of the hotel meanwhile.
    """

    errors: Sequence[str] = ()
    done: Sequence[str] = ()
    form: Form[Any] = field(default_factory=lambda: Form({}))
    hotel_id: str = ""
    candidates: Sequence[Candidate] = ()
    present: Hotel | None = None


class _UnsureError(Exception):
    """An address of which nobody knows where it is."""

    def __init__(self, message: str, candidates: Sequence[Candidate] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates


@hotels.get("/a/<area>/hotels")
@allow(Permission.WRITE_RECORDS)
def page(area: str) -> Any:
    return _page(area_named(area), Said(done=_kept(area)))


@hotels.post("/a/<area>/hotels")
@allow(Permission.WRITE_RECORDS)
def add(area: str) -> Any:
    chosen = area_named(area)

    def work(unit: UnitOfWork, wanted: Wanted) -> str:
        hotel = add_hotel(unit, chosen.name, new_id(), wanted)
        return f"“{hotel.name}” is added, at {_where(hotel)}."

    return _saved(chosen, "", work)


@hotels.post("/a/<area>/hotels/<hotel_id>")
@allow(Permission.WRITE_RECORDS)
def change(area: str, hotel_id: str) -> Any:
    chosen, revision = area_named(area), _revision()

    def work(unit: UnitOfWork, wanted: Wanted) -> str:
        hotel = change_hotel(unit, chosen.name, hotel_id, revision, wanted)
        return f"“{hotel.name}” is saved, at {_where(hotel)}."

    return _saved(chosen, hotel_id, work)


@hotels.post("/a/<area>/hotels/<hotel_id>/remove")
@allow(Permission.WRITE_RECORDS)
def remove(area: str, hotel_id: str) -> Any:
    chosen, revision = area_named(area), _revision()

    def work(unit: UnitOfWork) -> str:
        name = hotel_in(unit, chosen.name, hotel_id).name
        remove_hotel(unit, chosen.name, hotel_id, revision)
        return _answer(chosen, f"“{name}” is removed. Nights that a plan has there stay until the next plan.")

    try:
        done_once(work)
    except HotelChangedError as error:
        return _page(chosen, Said([_changed(error)])), 409
    return _done(chosen)


@hotels.post("/a/<area>/hotels/import")
@allow(Permission.WRITE_RECORDS)
@body_up_to(FILE_BYTES + 100_000)
def import_file(area: str) -> Any:
    chosen, sent = area_named(area), request.files.get("file")
    data = sent.read(FILE_BYTES + 1) if sent is not None and sent.filename else b""
    if not data:
        return _page(chosen, Said(["Choose a CSV or XLSX file that is not empty."])), 422
    if len(data) > FILE_BYTES:
        return _page(chosen, Said([f"The file is larger than {FILE_BYTES // 1_000_000} MB."])), 422
    try:
        read = _read(chosen, data)
    except (IntakeError, RoutingError) as error:
        return _page(chosen, Said([f"Nothing is imported: {error}."])), 422

    def work(unit: UnitOfWork) -> str:
        kept = keep_hotels(unit, chosen.name, read.hotels, new_id)
        told = f"Hotels: {kept.added} added, {kept.changed} changed, {kept.unchanged} as they were"
        refused = [
            f"Line {refusal.line} ({refusal.record_id or 'no name'}): {refusal.field or 'the row'} {refusal.reason}"
            for refusal in read.refusals[:SHOWN_REFUSALS]
        ]
        return _answer(chosen, f"{told}, {len(read.refusals)} refused.", *refused)

    content = hashlib.sha256(data).hexdigest()
    try:
        done_once(work, content)
    except RefusedError as error:
        return _page(chosen, Said([f"Nothing is imported: {error}."])), 422
    return _done(chosen, content)


def _read(area: Area, data: bytes) -> ReadHotels:
    with TemporaryDirectory(prefix="fieldvisit-") as folder:
        path = Path(folder, "hotels")
        path.write_bytes(data)
        return read_hotels(read_table(path, "The file", UPLOADED), sources().gazetteer(area), streets_of(area))


def streets_of(area: Area) -> Streets | None:
    return known_streets(lambda: sources().streets(area.name))


def _saved(area: Area, hotel_id: str, work: Callable[[UnitOfWork, Wanted], str]) -> Any:
    """Do what the form of a hotel asks for, and lead to the list, which says what came of it."""
    form = read_form(HotelForm, {name: text for name, text in request.form.items() if text.strip()})
    form = Form({**request.form.to_dict(), **form.typed}, form.values, form.errors)
    if form.values is None:
        return _page(area, Said(form=form, hotel_id=hotel_id)), 422
    typed = form.values
    try:
        found = _found(area, hotel_id, typed)
        check_on_streets(found.place, streets_of(area), "address")
        wanted = Wanted(typed.name, found.address, found.place, typed.minutes)
        done_once(lambda unit: _answer(area, work(unit, wanted)))
    except _UnsureError as error:
        wrong: Form[Any] = Form(form.typed, errors={"address": str(error)})
        return _page(area, Said(form=wrong, hotel_id=hotel_id, candidates=error.candidates)), 422
    except InvalidRecordError as error:
        return _page(area, Said(form=Form(form.typed, errors={error.field: error.message}), hotel_id=hotel_id)), 422
    except HotelChangedError as error:
        return _page(area, Said([_changed(error)], form=form, hotel_id=hotel_id, present=error.present)), 409
    except RefusedError as error:
        return _page(area, Said([f"The hotel is not added: {error}."], form=form)), 422
    return _done(area)


def _found(area: Area, hotel_id: str, typed: HotelForm) -> Candidate:
    """Where the typed address is, in the words in which it was typed; raises _UnsureError."""
    if hotel_id:
        with sources().store.read(viewer().scope) as unit:
            present = hotel_in(unit, area.name, hotel_id)
        if present.address == typed.address:  # it may have been settled by a person
            return Candidate(present.place, present.address, 1.0)
    try:
        result = sources().gazetteer(area).locate(typed.address)
    except RoutingError as error:
        raise _UnsureError(f"cannot be looked up: {error}") from error
    if result.verdict is Verdict.MATCHED:
        return Candidate(result.candidates[0].place, typed.address, 1.0)
    if result.verdict is Verdict.NOT_FOUND:
        said = f"is not known here: {result.reason} Write latitude and longitude instead, such as 51.58812, -2.99774"
        raise _UnsureError(said)
    if typed.candidate is not None and 1 <= typed.candidate <= len(result.candidates):
        return result.candidates[typed.candidate - 1]
    raise _UnsureError("is not sure: choose below which one is meant", result.candidates)


def _revision() -> int:
    form = read_form(RevisionForm)
    if form.values is None:
        abort(400, description="This form was not made by our pages. Load the page again.")
    return form.values.revision


def _changed(error: HotelChangedError) -> str:
    said = str(error)
    return f"{said[0].upper()}{said[1:]}; nothing is saved. Below is what it is now."


def _where(hotel: Hotel) -> str:
    return f"{hotel.address} ({hotel.lat:.5f}, {hotel.lon:.5f})"


def _answer(area: Area, *sentences: str) -> str:
    return json.dumps({"hotels": area.name, "said": sentences})


def _done(area: Area, content: str = "") -> Any:
    return redirect(url_for("hotels.page", area=area.name, done=form_key(content)), 303)


def _kept(area: str) -> list[str]:
    """What came of the form that led here, if it was the viewer's own."""
    key = request.args.get("done", "")
    if not key.startswith("form-") or len(key) > 100:
        return []
    with sources().store.read(viewer().scope) as unit:
        answer = unit.answers.get(viewer().actor.id, key)
    kept = json.loads(answer.body) if answer is not None and answer.body.startswith("{") else {}
    return list(kept["said"]) if kept.get("hotels") == area else []


def _page(area: Area, said: Said) -> str:
    with sources().store.read(viewer().scope) as unit:
        found = hotels_in(unit, area.name)
        overnight = [rep.name for rep in unit.records(area.name).reps() if rep.overnight]
    return render_template(
        "hotels.html",
        area=area,
        said=said,
        hotels=found,
        unused=off_the_streets(found, streets_of(area)),
        overnight=overnight,
        usual=settings().overnight.price_minutes,
        most=MOST_HOTELS,
        limit=FILE_BYTES,
        most_minutes=MAX_MINUTES,
    )
