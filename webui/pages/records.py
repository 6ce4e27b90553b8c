"""The pages that bring records in: files are imported, and addresses that nobody is sure of are settled."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage

from planner.access import Permission
from planner.domain import Location, Record, RecordKind, addresses_of
from planner.errors import ConflictError, IntakeError, NotFoundError
from planner.intake import EXAMPLES, UPLOADED, ImportReport, Table, import_tables, read_records, read_table
from planner.jobs.requests import GEOCODE, request_geocoding, why_nothing_runs
from planner.locating import WAITING, decide, fingerprint, review_list, safe_text
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from planner.snapshot import zone_of
from routing.area import Area
from routing.gazetteer import Verdict
from routing.geo import LatLon
from webui.bodies import UPLOAD_BYTES, body_up_to
from webui.forms import Form, done_once, form_key, read_form
from webui.pages.planning import jobs_shown
from webui.pages.plans import area_named, now, sources
from webui.policy import allow, viewer
from webui.words import sentence

records = Blueprint("records", __name__)

KINDS = {"reps": "Reps", "accounts": "Accounts", "opportunities": "Opportunities"}
"""Names of the file fields, and what people call them."""

EXAMPLE_KINDS = frozenset({*KINDS, "hotels"})

SHOWN_REFUSALS = 500
"""Of one file; the list to download has all."""

SHOWN_ADDRESSES = 50

READING_WAIT_S = 10.0

VERDICTS = {Verdict.REVIEW: "not sure", Verdict.NOT_FOUND: "not found"}

_reading = threading.Lock()
"""Reading a large file keeps the processor busy for seconds: one at a time, so that pages stay quick."""


class SettleForm(BaseModel):
    """Where an address is: the number of a candidate, or a latitude and longitude."""

    kind: RecordKind
    record_id: str = Field(max_length=210)
    seen: str = Field(max_length=64)
    candidate: int | None = None
    at: str = Field("", max_length=100)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address that waits for a person, and what a person typed about it that makes no sense."""

    location: Location
    name: str
    verdict: str
    seen: str
    anchor: str
    typed: str = ""
    wrong: str = ""


@dataclass
class _Upload:
    """The files that were sent, read; `digest` stands for all of them."""

    tables: dict[str, Table] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    digest: str = ""


# --- importing --------------------------------------------------------------------------------------------------------


@records.get("/a/<area>/records")
@allow(Permission.WRITE_RECORDS)
def records_page(area: str) -> Any:
    return _page(area_named(area))


@records.post("/a/<area>/records")
@allow(Permission.WRITE_RECORDS)
@body_up_to(UPLOAD_BYTES)
def import_records(area: str) -> Any:
    chosen = area_named(area)
    if not _reading.acquire(timeout=READING_WAIT_S):
        busy = {"": "Another file is being read just now: import yours again in a moment."}
        return _page(chosen, Form({}, errors=busy)), 503, {"Retry-After": "10"}
    try:
        upload = _read_upload()
        if not upload.errors:
            with sources().store.read(viewer().scope) as unit:
                known_reps = unit.records(chosen.name).reps()
            tables = read_records(known_reps, **upload.tables).prepared(sources().store)
    except IntakeError as error:
        return _page(chosen, Form({}, errors={"": f"{error}."})), 422
    finally:
        _reading.release()
    if upload.errors:
        return _page(chosen, Form({}, errors=upload.errors)), 422

    def imported(unit: UnitOfWork) -> str:
        report = import_tables(unit, chosen.name, tables)
        request_geocoding(unit, chosen.name, viewer().actor.id, now(), new_id())
        return _kept(chosen.name, report)

    try:
        done_once(imported, upload.digest)
    except ConflictError as error:
        return _page(chosen, Form({}, errors={"": f"{sentence(str(error))}."})), 409
    except NotFoundError as error:
        said = f"Nothing is imported: a row is about a customer or rep who is not yours, since {error}. Leave it out."
        return _page(chosen, Form({}, errors={"": said})), 422
    return redirect(url_for("records.import_report", area=chosen.name, key=form_key(upload.digest)), 303)


@records.post("/a/<area>/records/look-up")
@allow(Permission.WRITE_RECORDS)
def look_up(area: str) -> Any:
    chosen = area_named(area)
    done_once(lambda unit: request_geocoding(unit, chosen.name, viewer().actor.id, now(), new_id()).id)
    return redirect(url_for("records.records_page", area=chosen.name), 303)


@records.get("/a/<area>/records/imports/<key>")
@allow(Permission.WRITE_RECORDS)
def import_report(area: str, key: str) -> Any:
    chosen = area_named(area)
    files = _report(chosen.name, key)
    return render_template(
        "import_report.html",
        area=chosen,
        key=key,
        files=files,
        most=SHOWN_REFUSALS,
        refused=any(file["refusals"] for file in files),
    )


@records.get("/a/<area>/records/imports/<key>/refused.csv")
@allow(Permission.WRITE_RECORDS)
def refusals(area: str, key: str) -> Response:
    """Every refused row; a spreadsheet runs nothing of what is in it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("file", "line", "record_id", "column", "reason"))
    for file in _report(area_named(area).name, key):
        for line, record_id, column, reason in file["refusals"]:
            writer.writerow((safe_text(file["file"]), line, safe_text(record_id), safe_text(column), safe_text(reason)))
    return _csv(text.getvalue(), "refused.csv")


@records.get("/a/<area>/records/examples/<kind>.csv")
@allow(Permission.WRITE_RECORDS)
def example(area: str, kind: str) -> Response:
    area_named(area)
    if kind not in EXAMPLE_KINDS:
        abort(404)
    return _csv((EXAMPLES / f"{kind}.csv").read_text(encoding="utf-8"), f"{kind}.csv")


def _csv(text: str, name: str) -> Response:
    # Excel takes UTF-8 for what it is only by the mark in front.
    response = Response("\ufeff" + text, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _read_upload() -> _Upload:
    """The files of the form, saved under names of our own while they are read."""
    upload, digest = _Upload(), hashlib.sha256()
    with TemporaryDirectory(prefix="fieldvisit-") as folder:
        for kind in KINDS:
            sent = request.files.get(kind)
            if sent is None or not sent.filename:
                continue
            path = Path(folder, kind)
            sent.save(path)
            with path.open("rb") as file:
                digest.update(f"{kind} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
            try:
                upload.tables[kind] = read_table(path, _shown_name(sent), UPLOADED)
            except IntakeError as error:
                upload.errors[kind] = f"{error}."  # it begins with the file's name
    if not (upload.tables or upload.errors):
        upload.errors[""] = "Choose at least one file."
    upload.digest = digest.hexdigest()
    return upload


def _shown_name(sent: FileStorage) -> str:
    """What the person's own machine calls the file, without its folders and made short enough to show."""
    name = re.split(r"[/\\]", sent.filename or "")[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip() or "the file"
    return name if len(name) <= 60 else f"{name[:40]}…{name[-15:]}"


def _kept(area: str, report: ImportReport) -> str:
    """A report as it is kept with the import's answer."""
    files = [
        {
            "file": file.file,
            "added": file.added,
            "changed": file.changed,
            "unchanged": file.unchanged,
            "notes": file.notes,
            "refusals": [(row.line, row.record_id, row.field, row.reason) for row in file.refusals],
        }
        for file in report.files
    ]
    return json.dumps({"area": area, "files": files})


def _report(area: str, key: str) -> list[dict[str, Any]]:
    """The files of an import that the viewer made."""
    with sources().store.read(viewer().scope) as unit:
        answer = unit.answers.get(viewer().actor.id, key)
    if answer is None or not key.startswith("form-"):
        abort(404)
    kept = json.loads(answer.body) if answer.body.startswith("{") else {}
    if kept.get("area") != area or "files" not in kept:
        abort(404)
    found: list[dict[str, Any]] = kept["files"]
    return found


def _page(area: Area, form: Form[Any] | None = None) -> str:
    with sources().store.read(viewer().scope) as unit:
        kept = unit.records(area.name)
        reps = kept.reps()
        figures = [
            ("Reps", len(reps)),
            ("Accounts", len(kept.accounts())),
            ("Opportunities", len(kept.opportunities())),
            ("Without a place", waiting := len(unplaced := review_list(unit, area.name))),
        ]
        jobs = jobs_shown(unit, area.name, GEOCODE, zone_of(reps) or ZoneInfo("UTC"), most=5)
        hint = why_nothing_runs(unit, now()) if any(job.active for job in jobs) else ""
    return render_template(
        "records.html",
        area=area,
        form=form or Form({}),
        kinds=KINDS.items(),
        figures=figures,
        waiting=waiting,
        unasked=any(location.reason == WAITING for location in unplaced) and not any(job.active for job in jobs),
        jobs=jobs,
        hint=hint,
        limit=UPLOADED.file_bytes // 1_000_000,
    )


# --- addresses --------------------------------------------------------------------------------------------------------


@records.get("/a/<area>/addresses")
@allow(Permission.WRITE_RECORDS)
def addresses(area: str) -> Any:
    return _addresses(area_named(area))


@records.post("/a/<area>/addresses")
@allow(Permission.WRITE_RECORDS)
def settle(area: str) -> Any:
    chosen = area_named(area)
    form = read_form(SettleForm)
    settling = form.values or abort(400, description="This form was not made by our pages. Load the page again.")
    place = None
    if settling.candidate is None:
        try:
            place = _place(settling.at)
        except ValueError as error:
            return _addresses(chosen, settling, str(error)), 422
    try:
        done_once(
            lambda unit: (
                decide(
                    unit,
                    chosen.name,
                    settling.kind,
                    settling.record_id,
                    candidate=settling.candidate,
                    place=place,
                    seen=settling.seen,
                ).matched_address
            )
        )
    except ConflictError as error:
        return _addresses(chosen, problem=str(error)), 409
    settled = f"{settling.kind} {settling.record_id}"
    return redirect(url_for("records.addresses", area=chosen.name, settled=settled, page=_page_number(None)), 303)


def _place(typed: str) -> LatLon:
    """60.1702, 24.9447; also with a semicolon or blank between. Raises ValueError, fit to show."""
    parts = re.fullmatch(
        r"\s*([+-]?\d{1,3}(?:\.\d{1,15})?)\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d{1,15})?)\s*", typed, re.ASCII
    )
    if not parts:
        raise ValueError("Write latitude and longitude in degrees, such as 51.58812, -2.99774")
    lat, lon = float(parts[1]), float(parts[2])
    if abs(lat) > 90 or abs(lon) > 180:
        raise ValueError(f"{lat:g}, {lon:g} is not on Earth: latitudes end at 90 degrees, longitudes at 180")
    return LatLon(lat, lon)


def _addresses(area: Area, settling: SettleForm | None = None, wrong: str = "", problem: str = "") -> str:
    # Those with candidates first: a person settles them fastest.
    found = sorted(sources().review(viewer().scope, area.name), key=lambda entry: not entry[0].candidates)
    pages = max(1, -(-len(found) // SHOWN_ADDRESSES))
    page = min(_page_number(1) or 1, pages)
    shown = found[(page - 1) * SHOWN_ADDRESSES :][:SHOWN_ADDRESSES]
    return render_template(
        "addresses.html",
        area=area,
        review=[_entry(*entry, settling, wrong) for entry in shown],
        total=len(found),
        page=page,
        pages=pages,
        problem=problem,
        settled=request.args.get("settled", "")[:210] if request.method == "GET" else "",
        example=_example(shown),
    )


def _waiting(area: str) -> list[tuple[Location, str]]:
    """The addresses without a place, each with the name of its record."""
    with sources().store.read(viewer().scope) as unit:
        waiting = review_list(unit, area)
        kept = unit.records(area)
        everybody: list[Record] = [*kept.reps(), *kept.accounts(), *kept.opportunities()]
    names = {(kind, key): record.name for record in everybody for kind, key, _ in addresses_of(record)}
    # Those with candidates first: a person settles them fastest.
    return sorted(
        ((location, names.get((location.kind, location.record_id), "")) for location in waiting),
        key=lambda entry: not entry[0].candidates,
    )


def _entry(location: Location, name: str, settling: SettleForm | None, wrong: str) -> Entry:
    anchor = hashlib.sha256(f"{location.kind} {location.record_id}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    meant = settling is not None and (settling.kind, settling.record_id) == (location.kind, location.record_id)
    return Entry(
        location,
        name,
        "waiting" if location.reason == WAITING else VERDICTS.get(location.verdict, ""),
        fingerprint(location),
        f"a-{anchor}",
        settling.at if settling and meant else "",
        wrong if meant else "",
    )


def _example(shown: Sequence[tuple[Location, str]]) -> str:
    """A place that looks like those around."""
    for location, _ in shown:
        for candidate in location.candidates:
            return f"{candidate.place.lat:.5f}, {candidate.place.lon:.5f}"
    return "51.58812, -2.99774"


def _page_number(default: int | None) -> int | None:
    text = request.args.get("page", "")
    return max(1, int(text)) if re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) else default
