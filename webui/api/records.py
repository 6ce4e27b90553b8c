"""Areas, and the reps, accounts and opportunities of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import request

from planner.access import Permission
from planner.domain import Record
from planner.errors import NotFoundError
from planner.recording import save_record
from planner.repository import Change, Records, UnitOfWork
from planner.snapshot import zone_of
from routing.area import Area
from routing.errors import AreaError
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import Problem
from webui.api.record_models import (
    AccountFields,
    AccountPage,
    AccountRecord,
    OpportunityFields,
    OpportunityPage,
    OpportunityRecord,
    RecordFields,
    RepFields,
    RepPage,
    RepRecord,
)
from webui.api.values import Model
from webui.pages.plans import sources
from webui.policy import allow, signed_in, viewer

R = TypeVar("R", bound=Record)
Read = Callable[[Records], list[R]]
Shown = Callable[[R], Model]


class AreaPage(Page):
    """Names of areas."""

    areas: list[str]


def area_named(name: str) -> Area:
    """The area of an address, if it is the viewer's. Raises NotFoundError."""
    try:
        if viewer().scope.area in (None, name):
            return sources().areas.get(name)
    except AreaError:
        pass
    raise NotFoundError(f"there is no area {name}")


@operation("GET", "/areas", {200: AreaPage}, tag="records")
@signed_in
def list_areas(query: PageQuery) -> Reply:
    """Your areas, by name."""
    names = [area.name for area in sources().areas.list() if viewer().scope.area in (None, area.name)]
    shown, following = page(query, "areas", names, lambda name: (name,))
    return Reply(AreaPage(areas=shown, next=following))


@operation("GET", "/areas/<area>/reps", {200: RepPage}, tag="records")
@allow(Permission.SEE_RECORDS)
def list_reps(area: str, query: PageQuery) -> Reply:
    """Field reps, by id."""
    shown, following = _listed(area, "reps", query, lambda records: records.reps())
    return Reply(RepPage(reps=[RepRecord.shown(rep) for rep in shown], next=following))


@operation("GET", "/areas/<area>/reps/<anything:rep_id>", {200: RepRecord}, tag="records")
@allow(Permission.SEE_RECORDS)
def get_rep(area: str, rep_id: str) -> Reply:
    """One field rep."""
    return _got(area, rep_id, lambda records: records.reps(), RepRecord.shown)


@operation(
    "PUT", "/areas/<area>/reps/<anything:rep_id>", {200: RepRecord, 201: RepRecord}, tag="records", problems=(412,)
)
@allow(Permission.WRITE_RECORDS)
def put_rep(area: str, rep_id: str, body: RepFields) -> Write:
    """Add a field rep, or replace it as a whole.

    With `If-Match`, only while it is as its `ETag` says.
    """
    return _put(area, rep_id, body, lambda records: records.reps(), RepRecord.shown)


@operation("GET", "/areas/<area>/accounts", {200: AccountPage}, tag="records")
@allow(Permission.SEE_RECORDS)
def list_accounts(area: str, query: PageQuery) -> Reply:
    """Customers, by id."""
    shown, following = _listed(area, "accounts", query, lambda records: records.accounts())
    return Reply(AccountPage(accounts=[AccountRecord.shown(account) for account in shown], next=following))


@operation("GET", "/areas/<area>/accounts/<anything:account_id>", {200: AccountRecord}, tag="records")
@allow(Permission.SEE_RECORDS)
def get_account(area: str, account_id: str) -> Reply:
    """One customer."""
    return _got(area, account_id, lambda records: records.accounts(), AccountRecord.shown)


@operation(
    "PUT",
    "/areas/<area>/accounts/<anything:account_id>",
    {200: AccountRecord, 201: AccountRecord},
    tag="records",
    problems=(412,),
)
@allow(Permission.WRITE_RECORDS)
def put_account(area: str, account_id: str, body: AccountFields) -> Write:
    """Add a customer, or replace it as a whole.

    With `If-Match`, only while it is as its `ETag` says.
    """
    return _put(area, account_id, body, lambda records: records.accounts(), AccountRecord.shown)


@operation("GET", "/areas/<area>/opportunities", {200: OpportunityPage}, tag="records")
@allow(Permission.SEE_RECORDS)
def list_opportunities(area: str, query: PageQuery) -> Reply:
    """Opportunities, by id."""
    shown, following = _listed(area, "opportunities", query, lambda records: records.opportunities())
    return Reply(OpportunityPage(opportunities=[OpportunityRecord.shown(each) for each in shown], next=following))


@operation("GET", "/areas/<area>/opportunities/<anything:opportunity_id>", {200: OpportunityRecord}, tag="records")
@allow(Permission.SEE_RECORDS)
def get_opportunity(area: str, opportunity_id: str) -> Reply:
    """One opportunity."""
    return _got(area, opportunity_id, lambda records: records.opportunities(), OpportunityRecord.shown)


@operation(
    "PUT",
    "/areas/<area>/opportunities/<anything:opportunity_id>",
    {200: OpportunityRecord, 201: OpportunityRecord},
    tag="records",
    problems=(412,),
)
@allow(Permission.WRITE_RECORDS)
def put_opportunity(area: str, opportunity_id: str, body: OpportunityFields) -> Write:
    """Add an opportunity, or replace it as a whole.

    Local times are in the zone that most reps of the area keep. With `If-Match`, only while it is as its `ETag` says.
    """
    return _put(area, opportunity_id, body, lambda records: records.opportunities(), OpportunityRecord.shown)


def _listed(area: str, listing: str, query: PageQuery, read: Read[R]) -> tuple[list[R], str | None]:
    with store().read(viewer().scope) as unit:
        found = read(unit.records(area_named(area).name))
    return page(query, f"{area}/{listing}", found, lambda record: (record.id,))


def _got(area: str, record_id: str, read: Read[R], shown: Shown[R]) -> Reply:
    with store().read(viewer().scope) as unit:
        found = _find(read(unit.records(area_named(area).name)), record_id)
    if found is None:
        raise NotFoundError(f"area {area} has no {record_id}")
    return _reply(shown(found))


def _put(area: str, record_id: str, body: RecordFields, read: Read[R], shown: Shown[R]) -> Write:
    known = area_named(area).name
    wanted = request.headers.get("If-Match")

    def write(unit: UnitOfWork) -> Reply:
        records = unit.records(known)
        if wanted is not None:
            present = _find(read(records), record_id)
            if present is None or wanted not in ("*", _tag(shown(present))):
                raise Problem(412, "changed", f"{record_id} is not as If-Match says.")
        change = save_record(unit, known, body.as_record(record_id, zone_of(records.reps())))
        saved = _find(read(records), record_id)
        if saved is None:  # it was written, and is nobody's whom the writer sees
            raise NotFoundError(f"{record_id} would not be yours to see")
        return _reply(shown(saved), 201 if change is Change.ADDED else 200)

    return write


def _find(records: Sequence[R], record_id: str) -> R | None:
    return next((record for record in records if record.id == record_id), None)


def _reply(body: Model, status: int = 200) -> Reply:
    return Reply(body, status, {"ETag": _tag(body)})


def _tag(body: Model) -> str:
    return f'"{hashlib.sha256(body.model_dump_json().encode()).hexdigest()[:32]}"'
