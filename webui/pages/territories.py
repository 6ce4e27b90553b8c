"""Territories: a list to import, name, give to a rep and remove; and the businesses that no customer covers."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from planner.access import Permission
from planner.coverage.domain import CoverageState
from planner.coverage.keeping import stored, today_of
from planner.errors import InvalidRecordError, RefusedError
from planner.people.fresh import new_id
from planner.repository import UnitOfWork
from planner.territories.domain import MAX_NAME, TerritorySource
from planner.territories.editing import (
    Added,
    TerritoryChangedError,
    add_outlines,
    change_territory,
    outlines_of,
    remove_territory,
    territories_in,
    territory_in,
)
from planner.territories.importing import (
    MOST_BYTES,
    MOST_OUTLINES,
    Outline,
    OutlinesInvalidError,
    clean_name,
    read_geojson,
)
from planner.territories.looking import Customer, belongs_to_another, customers_in
from planner.territories.white_space import (
    COLUMNS,
    SOURCE,
    Nearest,
    Prospect,
    WhiteSpace,
    as_rows,
    nearest_due,
)
from routing.area import Area
from routing.boundaries import Boundaries
from routing.errors import AreaError, RoutingError
from webui.asking import ON_A_PAGE, one_asked, page_asked, text_asked
from webui.bodies import body_up_to
from webui.downloads import sheet
from webui.forms import Form, done_once, form_key, read_form
from webui.pages.opportunity import may_open
from webui.pages.plans import area_named, sources
from webui.policy import allow, viewer
from webui.presenting.territories import (
    POSTCODES,
    Typed,
    boundary_choices,
    category_views,
    prospect_view,
    rep_name,
    territory_view,
)

territories = Blueprint("territories", __name__)

IMPORT_BYTES = MOST_BYTES + 100_000
"""A file, and the form around it."""
DRAWN_BYTES = 400_000
READING_WAIT_S = 10.0
SHOWN_ERRORS = 50
MOST_EXPORTED = 20_000

_reading = threading.Lock()
"""Reading a large file keeps the processor busy for seconds: one at a time, so that pages stay quick."""


class Whose(StrEnum):
    """Which of the customers in a territory are listed."""

    ALL = "all"
    OTHERS = "others"
    NOBODYS = "nobodys"


class ChangeForm(BaseModel):
    name: str = Field(max_length=MAX_NAME)
    rep: str = Field("", max_length=200)
    revision: int = Field(ge=1, lt=2**31)


class RevisionForm(BaseModel):
    revision: int = Field(ge=1, lt=2**31)


class DrawnForm(BaseModel):
    name: str = Field(max_length=MAX_NAME)
    rep: str = Field("", max_length=200)
    geometry: str = Field(max_length=DRAWN_BYTES)


class ShapeForm(BaseModel):
    revision: int = Field(ge=1, lt=2**31)
    geometry: str = Field(max_length=DRAWN_BYTES)


@dataclass(frozen=True)
class Said:
    """What came of a form that changed nothing, or of one that did."""

    errors: Sequence[str] = ()
    typed: Typed | None = None
    done: Sequence[str] = ()


# --- the list ---------------------------------------------------------------------------------------------------------


@territories.get("/a/<area>/territories")
@allow(Permission.SEE_FIGURES)
def page(area: str) -> Any:
    return _page(area_named(area), Said(done=_kept(area)))


def _page(area: Area, said: Said) -> str:
    with sources().store.read(viewer().scope) as unit:
        reps = {rep.id: rep.name for rep in unit.records(area.name).reps()}
    found = sources().territories(viewer().scope, area).overview
    known, problem = _boundaries(area)
    taken = {held.territory.name.casefold() for held in found.held}
    return render_template(
        "territories.html",
        area=area,
        said=said,
        overview=found,
        territories=[territory_view(held, reps, said.typed) for held in found.held],
        reps=sorted(reps.items(), key=lambda rep: (rep[1].casefold(), rep[0])),
        choices=boundary_choices(known, taken) if known else [],
        boundary_notes=known.notes if known else (),
        boundary_problem=problem,
        may_change=viewer().may(Permission.REALIGN),
        most=MOST_OUTLINES,
        limit=MOST_BYTES,
        shown_errors=SHOWN_ERRORS,
        source=SOURCE,
    )


def _boundaries(area: Area) -> tuple[Boundaries | None, str]:
    try:
        return area.boundaries(), ""
    except AreaError as error:
        return None, str(error)


# --- adding -----------------------------------------------------------------------------------------------------------


@territories.post("/a/<area>/territories/import")
@allow(Permission.REALIGN)
@body_up_to(IMPORT_BYTES)
def import_file(area: str) -> Any:
    chosen = area_named(area)
    sent = request.files.get("file")
    data = sent.read(MOST_BYTES + 1) if sent is not None and sent.filename else b""
    if not data:
        return _page(chosen, Said(["Choose a GeoJSON file that is not empty."])), 422
    if not _reading.acquire(timeout=READING_WAIT_S):
        busy = ["Another file is being read just now: import yours again in a moment."]
        return _page(chosen, Said(busy)), 503, {"Retry-After": "10"}
    try:
        outlines = read_geojson(data, _bounds(chosen))
    except OutlinesInvalidError as error:
        return _page(chosen, Said(["Nothing is imported.", *map(str, error.errors)])), 422
    finally:
        _reading.release()
    return _added(
        chosen, outlines.items, TerritorySource.IMPORTED, outlines.notes, content=hashlib.sha256(data).hexdigest()
    )


@territories.post("/a/<area>/territories/boundaries")
@allow(Permission.REALIGN)
def from_boundaries(area: str) -> Any:
    chosen = area_named(area)
    try:
        known = chosen.boundaries()
    except AreaError as error:
        return _page(chosen, Said([f"{error}."])), 422
    ticked = set(request.form.getlist("boundary"))
    picked = [each for each in known.items if each.id in ticked]
    if not picked or len(picked) < len(ticked):
        return _page(chosen, Said(["Tick at least one boundary of this area."])), 422
    source = TerritorySource.POSTCODE if request.form.get("of") == POSTCODES else TerritorySource.MUNICIPALITY
    return _added(chosen, outlines_of(picked), source)


@territories.post("/a/<area>/territories/drawn")
@allow(Permission.REALIGN)
@body_up_to(DRAWN_BYTES)
def draw(area: str) -> Any:
    """A territory that was drawn on the map: `name`, `rep`, and `geometry` as GeoJSON."""
    chosen, form = area_named(area), read_form(DrawnForm)
    if form.values is None:
        return _page(chosen, Said(_sentences(form))), 422
    name = clean_name(form.values.name)
    if not name:
        return _page(chosen, Said(["The name is empty."])), 422
    try:
        drawn = _one_outline(form.values.geometry, chosen)
    except OutlinesInvalidError as error:
        return _page(chosen, Said(["The shape is not saved.", *map(str, error.errors)])), 422
    return _added(
        chosen, [Outline(name, drawn.geometry)], TerritorySource.DRAWN, rep_id=form.values.rep, replacing=False
    )


def _one_outline(geometry: str, area: Area) -> Outline:
    found = read_geojson(geometry.encode("utf-8", "replace"), _bounds(area)).items
    if len(found) != 1:
        abort(400, description="One shape is drawn at a time.")
    return found[0]


def _bounds(area: Area) -> tuple[float, float, float, float] | None:
    try:
        return area.facts().bounds
    except AreaError:
        return None


def _added(
    area: Area,
    outlines: Sequence[Outline],
    source: TerritorySource,
    notes: Sequence[str] = (),
    *,
    rep_id: str = "",
    replacing: bool | None = None,
    content: str = "",
) -> Any:
    """Store them, and lead to the list, which says what came of it."""
    replaces = request.form.get("replacing") == "yes" if replacing is None else replacing

    def work(unit: UnitOfWork) -> str:
        added = add_outlines(unit, area.name, outlines, source, new_id, rep_id=rep_id, replacing=replaces)
        return json.dumps({"territories": area.name, "said": [_told(added), *notes, *added.notes]})

    try:
        done_once(work, content)
    except InvalidRecordError as error:
        return _page(area, Said([f"The territory is not saved: {error.message}."])), 422
    except RefusedError as error:
        return _page(area, Said([f"{str(error).capitalize()}."])), 422
    return redirect(url_for("territories.page", area=area.name, done=form_key(content)), 303)


def _told(added: Added) -> str:
    parts = [f"{len(added.added):,} added"] if added.added or not added.changed else []
    if added.changed:
        parts.append(f"{len(added.changed):,} with a new shape")
    return f"Territories: {', '.join(parts)}."


def _kept(area: str) -> list[str]:
    """What came of the form that led here, if it was the viewer's own."""
    key = request.args.get("done", "")
    if not key.startswith("form-") or len(key) > 100:
        return []
    with sources().store.read(viewer().scope) as unit:
        answer = unit.answers.get(viewer().actor.id, key)
    kept = json.loads(answer.body) if answer is not None and answer.body.startswith("{") else {}
    return list(kept["said"]) if kept.get("territories") == area else []


# --- changing ---------------------------------------------------------------------------------------------------------


@territories.post("/a/<area>/territories/<territory_id>")
@allow(Permission.REALIGN)
def change(area: str, territory_id: str) -> Any:
    chosen, form = area_named(area), read_form(ChangeForm)
    sent = request.form
    if form.values is None:
        typed = Typed(territory_id, sent.get("name", "")[:1_000], sent.get("rep", "")[:200], form.errors)
        return _page(chosen, Said(typed=typed)), 422
    wanted = form.values

    def work(unit: UnitOfWork) -> str:
        changed = change_territory(
            unit, chosen.name, territory_id, wanted.revision, name=wanted.name, rep_id=wanted.rep
        )
        return _answer(chosen, f"“{changed.name}” is saved.")

    return _changed(chosen, work, Typed(territory_id, wanted.name, wanted.rep, {}))


@territories.post("/a/<area>/territories/<territory_id>/shape")
@allow(Permission.REALIGN)
@body_up_to(DRAWN_BYTES)
def reshape(area: str, territory_id: str) -> Any:
    """Another shape for a territory: `revision`, and `geometry` as GeoJSON."""
    chosen, form = area_named(area), read_form(ShapeForm)
    if form.values is None:
        return _page(chosen, Said(_sentences(form))), 422
    wanted = form.values
    try:
        drawn = _one_outline(wanted.geometry, chosen)
    except OutlinesInvalidError as error:
        return _page(chosen, Said(["The shape is not saved.", *map(str, error.errors)])), 422

    def work(unit: UnitOfWork) -> str:
        changed = change_territory(unit, chosen.name, territory_id, wanted.revision, geometry=drawn.geometry)
        return _answer(chosen, f"“{changed.name}” has its new shape.")

    return _changed(chosen, work, None)


@territories.post("/a/<area>/territories/<territory_id>/remove")
@allow(Permission.REALIGN)
def remove(area: str, territory_id: str) -> Any:
    chosen, form = area_named(area), read_form(RevisionForm)
    if form.values is None:
        abort(400, description="This form was not made by our pages. Load the page again.")
    revision = form.values.revision

    def work(unit: UnitOfWork) -> str:
        name = territory_in(unit, chosen.name, territory_id).name
        remove_territory(unit, chosen.name, territory_id, revision)
        return _answer(chosen, f"“{name}” is removed; its customers stay whose they are.")

    return _changed(chosen, work, None)


def _answer(area: Area, sentence: str) -> str:
    return json.dumps({"territories": area.name, "said": [sentence]})


def _changed(area: Area, work: Callable[[UnitOfWork], str], typed: Typed | None) -> Any:
    try:
        done_once(work)
    except InvalidRecordError as error:
        field = "rep" if error.field == "rep_id" else error.field
        wrong = typed and Typed(typed.id, typed.name, typed.rep_id, {field: error.message})
        return _page(area, Said([] if wrong else [f"{error}."], wrong)), 422
    except TerritoryChangedError as error:
        shown = typed and Typed(typed.id, typed.name, typed.rep_id, {}, error.present)
        said = f"{str(error)[0].upper()}{str(error)[1:]}; nothing is saved. Below is what it is now."
        return _page(area, Said([said], shown)), 409
    return redirect(url_for("territories.page", area=area.name, done=form_key()), 303)


def _sentences(form: Form[Any]) -> list[str]:
    return [f"The {name} {error}." for name, error in form.errors.items()]


# --- customers in a territory -----------------------------------------------------------------------------------------


@territories.get("/a/<area>/territories/customers")
@allow(Permission.SEE_FIGURES)
def customers(area: str) -> Any:
    """Customers in a territory, or without one those in none."""
    chosen, whose, number = area_named(area), one_asked("whose", Whose, Whose.ALL), page_asked()
    wanted = text_asked("territory") or ""
    with sources().store.read(viewer().scope) as unit:
        territory = territory_in(unit, chosen.name, wanted) if wanted else None
        reps = {rep.id: rep.name for rep in unit.records(chosen.name).reps()}
    looked = sources().territories(viewer().scope, chosen)
    found = [each for each, home in zip(looked.customers, looked.homes, strict=True) if each.place and home == wanted]
    if whose is Whose.OTHERS:
        found = [each for each in found if territory is not None and belongs_to_another(each, territory)]
    elif whose is Whose.NOBODYS:
        found = [each for each in found if not each.account.owner_rep_id]
    shown = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    return render_template(
        "territory_customers.html",
        area=chosen,
        territory=territory,
        rep=rep_name(territory.rep_id, reps) if territory else "",
        whose=whose,
        total=len(found),
        customers=[(each.account, rep_name(each.account.owner_rep_id, reps)) for each in shown],
        page=number,
        pages=max(1, -(-len(found) // ON_A_PAGE)),
        url=_with_query("territories.customers", chosen),
        may_open=may_open("customer.page"),
    )


def _with_query(endpoint: str, area: Area) -> Callable[..., str]:
    """Makes addresses of a page with the present query, changed as is said."""
    query = {
        name: values
        for name, values in request.args.to_dict(flat=False).items()
        if name not in ("area", "page", "endpoint") and not name.startswith("_")  # those are url_for's own
    }
    return lambda **changed: url_for(endpoint, **{**query, **changed, "area": area.name})


# --- white space ------------------------------------------------------------------------------------------------------


@territories.get("/a/<area>/white-space")
@allow(Permission.SEE_FIGURES)
def white_space(area: str) -> Any:
    chosen, number = area_named(area), page_asked()
    try:
        found = _white_space(chosen)
    except AreaError as error:
        return render_template("white_space.html", area=chosen, problem=f"{error}.", source=SOURCE)
    shown = found.prospects[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    named, near, notes = _beside(chosen, shown)
    return render_template(
        "white_space.html",
        area=chosen,
        problem="",
        notes=notes,
        total=len(found.prospects),
        prospects=[prospect_view(each, at, *named) for each, at in zip(shown, near, strict=True)],
        categories=category_views(found.categories, request.args.getlist("category")),
        others=_others(),
        unplaced=found.unplaced,
        page=number,
        pages=max(1, -(-len(found.prospects) // ON_A_PAGE)),
        url=_with_query("territories.white_space", chosen),
        sheet_url=_with_query("territories.white_space_sheet", chosen),
        may_open=may_open("customer.page"),
        source=SOURCE,
    )


@territories.get("/a/<area>/white-space/list.<sheet_kind>")
@allow(Permission.SEE_FIGURES)
def white_space_sheet(area: str, sheet_kind: str) -> Response:
    chosen = area_named(area)
    try:
        found = _white_space(chosen).prospects[:MOST_EXPORTED]
    except AreaError as error:
        abort(404, description=f"{error}.")
    named, near, _ = _beside(chosen, found)
    return sheet(sheet_kind, f"{chosen.name} white space", COLUMNS, as_rows(found, near, *named))


def _others() -> bool:
    return text_asked("others") == "yes"


def _white_space(area: Area) -> WhiteSpace:
    scope = viewer().scope
    with sources().store.read(scope) as unit:
        today = today_of(unit, area.name)
    chosen = frozenset(text for text in request.args.getlist("category") if "\0" not in text)
    return sources().white_space(scope, area, today, chosen, _others())


def _beside(
    area: Area, prospects: Sequence[Prospect]
) -> tuple[tuple[dict[str, str], dict[str, str]], list[Nearest | None], list[str]]:
    """Names of territories and reps, the due customer nearest to each prospect, and why there is none."""
    with sources().store.read(viewer().scope) as unit:
        names = {each.id: each.name for each in territories_in(unit, area.name)}
        reps = {rep.id: rep.name for rep in unit.records(area.name).reps()}
        coverage = stored(unit, area.name, viewer().scope)
        pressing = {CoverageState.DUE, CoverageState.OVERDUE}
        due_ids = {each.account_id for each in coverage.accounts if each.state in pressing} if coverage else set()
        due = [each for each in customers_in(unit, area.name) if each.account.id in due_ids] if due_ids else []
    nobody: list[Nearest | None] = [None for _ in prospects]
    if coverage is None:
        said = "Which customers are due has not been worked out yet: open the page of coverage."
        return (names, reps), nobody, [said]
    try:
        return (names, reps), _nearest(area, due, prospects), []
    except RoutingError as error:
        return (names, reps), nobody, [f"The streets cannot be read: {error}."]


def _nearest(area: Area, due: Sequence[Customer], prospects: Sequence[Prospect]) -> list[Nearest | None]:
    return nearest_due(sources().streets(area.name), due, [each.business.place for each in prospects])
