"""A rep's check-ins of a day, for who may see them. Each look is written down before anything is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request

from planner.access import Permission
from planner.domain import RecordKind
from planner.fieldwork.domain import CheckIn, CheckInVerdict
from planner.fieldwork.privacy import look_at_check_ins
from planner.repository import Records
from planner.visit_ids import record_behind
from webui.pages.plans import area_named, now, settings, sources
from webui.policy import allow, viewer
from webui.words import clock, distance, long_day

check_ins = Blueprint("check_ins", __name__)

VERDICTS = {
    CheckInVerdict.AT_THE_DOOR: "at the door",
    CheckInVerdict.ELSEWHERE: "elsewhere",
    CheckInVerdict.UNVERIFIED: "not verified",
}


@dataclass(frozen=True, slots=True)
class CheckInView:
    """One check-in. `place` is empty where there is no position, or not any more."""

    time: str
    visit: str
    distance: str
    verdict: str
    place: str
    good: bool


@check_ins.get("/a/<area>/check-ins")
@allow(Permission.SEE_CHECK_INS)
def page(area: str) -> Any:
    here = area_named(area)
    rep_id, day = request.args.get("rep", ""), request.args.get("day", "")
    with sources().store.read(viewer().scope) as unit:
        reps = unit.records(here.name).reps()
    chosen = next((rep for rep in reps if rep.id == rep_id), None)
    rows: list[CheckInView] = []
    if rep_id or day:
        if chosen is None:
            abort(404)
        with sources().store.write(viewer().actor) as unit:
            found = look_at_check_ins(unit, here.name, rep_id, _day(day))
        with sources().store.read(viewer().scope) as unit:
            records = unit.records(here.name)
            rows = [_view(records, row, chosen.zone) for row in found]
    return render_template(
        "check_ins.html",
        area=here,
        reps=reps,
        chosen=chosen,
        day=day or now().astimezone(chosen.zone if chosen else None).date().isoformat(),
        long=long_day(_day(day)) if chosen else "",
        rows=rows,
        kept=settings().fieldwork,
    )


def _view(records: Records, row: CheckIn, zone: ZoneInfo) -> CheckInView:
    kind, record_id = record_behind(row.visit_id)
    known = kind in (RecordKind.ACCOUNT, RecordKind.OPPORTUNITY)
    record = records.get(RecordKind(kind), record_id) if known else None
    place = ""
    if row.lat is not None and row.lon is not None:
        place = f"about {row.lat:.2f}, {row.lon:.2f}" if row.coarse else f"{row.lat:.5f}, {row.lon:.5f}"
    return CheckInView(
        time=clock(row.at.astimezone(zone)),
        visit=record.name if record else row.visit_id,
        distance="" if row.distance_m is None else distance(row.distance_m),
        verdict=VERDICTS[row.verdict],
        place=place,
        good=row.verdict is CheckInVerdict.AT_THE_DOOR,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(404)
