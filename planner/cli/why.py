"""fieldvisit why: of one visit of a stored plan, why it is where it is, or why it is not in it."""

from __future__ import annotations

import json
from typing import Any

import click

from planner.cli.app import App, area_option, main
from planner.errors import NotFoundError
from planner.plan_document import PlanDocument, RepDay, Stop, UnplannedEntry, read_plan
from routing.area import Area


@main.command()
@click.argument("version", type=click.IntRange(1))
@click.argument("record", metavar="VISIT_OR_RECORD_ID")
@click.option("--json", "as_json", is_flag=True, help="The plan's own entries.")
@area_option
def why(app: App, area: Area, version: int, record: str, as_json: bool) -> None:
    """What a visit of a stored plan adds and where else it could be; or what keeps it out, and the cheapest repair.

    By the id of the visit (opportunity:O0031), or of its opportunity or account (docs/plan-format.md).
    """
    with app.store.read() as unit:
        stored = unit.plans(area.name).get(version)
    document = read_plan(stored.document or "", f"plan {version}")
    planned = [(day, stop) for day in document["rep_days"] for stop in day["stops"] if _is(stop, record)]
    left_out = [entry for entry in document["unplanned"] if _is(entry, record)]
    if not planned and not left_out:
        raise NotFoundError(_nowhere(document, record, version))
    if as_json:
        found: dict[str, Any] = {
            "planned": [{"rep_id": day["rep_id"], "date": day["date"], "stop": stop} for day, stop in planned],
            "unplanned": left_out,
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for day, stop in planned:
        for line in _told_of_stop(day, stop):
            app.say(line)
    for entry in left_out:
        for line in _told_of_entry(entry):
            app.say(line)


def _is(entry: Stop | UnplannedEntry, record: str) -> bool:
    return record in (entry.get("visit_id"), *entry["record_ids"])


def _nowhere(document: PlanDocument, record: str, version: int) -> str:
    for key, words in (("returned_to_inside", "is with inside sales"), ("dormant", "is dormant")):
        for entry in document[key]:  # type: ignore[literal-required]
            if entry["record_id"] == record:
                return f"{record} ({entry['name']}) {words}: {entry['sentence']}"
    return f"plan {version} has no visit to {record}, nor is it among those without one"


def _told_of_stop(day: RepDay, stop: Stop) -> list[str]:
    lines = [
        f"{stop['name']} ({stop['record_ids'][0]}): {day['rep_name']}, {day['date']}, {stop['begin'][11:16]}",
        f"why: {stop['why']}",
    ]
    if "added_minutes" not in stop:
        return [*lines, "what it adds is not known: it was put in after the plan was made, or by an older program"]
    lines.append(f"it adds {stop['added_minutes']} min of driving")
    there = stop.get("alternative")
    if there is None:
        return [*lines, "there is no other place for it that keeps every rule, all else as it is"]
    where = f"after {there['after_name']}" if there["after_name"] else "as the first"
    return [
        *lines,
        f"best other place: {there['rep_name']}, {there['date']}, {where}: {there['added_minutes']} min of driving, "
        f"{there['difference_minutes']:+d} min in all",
    ]


def _told_of_entry(entry: UnplannedEntry) -> list[str]:
    lines = [
        f"{entry['name']} ({entry['record_ids'][0]}): not planned, {entry['reason']}",
        f"why: {entry['sentence']}",
    ]
    if "rules" in entry:
        lines.append(f"rules in the way: {', '.join(entry['rules']) or 'none'}")
        if repair := entry.get("repair"):
            lines.append(f"cheapest repair: {repair['sentence']}")
        elif entry["rules"] != [entry["reason"]]:  # where the reason is the only rule nothing else was tried
            lines.append("cheapest repair: no single change is known")
    return lines
