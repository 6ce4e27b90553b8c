"""A home folder and a person typing commands: one small town, two streets of five numbered doors."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.sax.saxutils import quoteattr

from click.testing import CliRunner, Result

from planner.cli import main


def write_town(file: Path) -> Path:
    """Four streets in a square, five numbered doors on each of two of them."""
    corners = [(51.500, -3.000), (51.500, -2.990), (51.506, -2.990), (51.506, -3.000)]
    doors = [("High Street", n, 51.5001, -3.000 + 0.0018 * n) for n in range(1, 6)]
    doors += [("Mill Lane", n, 51.5061, -3.000 + 0.0018 * n) for n in range(1, 6)]
    nodes = "".join(f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>' for n, (lat, lon) in enumerate(corners, 1))
    for n, (street, number, lat, lon) in enumerate(doors, 100):
        tags = {"addr:street": street, "addr:housenumber": str(number), "addr:city": "Squareton"}
        inside = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
        nodes += f'<node id="{n}" version="1" lat="{lat}" lon="{lon}">{inside}</node>'
    ways = "".join(
        f'<way id="{n}" version="1"><nd ref="{a}"/><nd ref="{b}"/>'
        f'<tag k="highway" v="residential"/><tag k="name" v="{name}"/></way>'
        for n, (a, b, name) in enumerate(
            [(1, 2, "High Street"), (2, 3, "East Road"), (3, 4, "Mill Lane"), (4, 1, "West Road")], start=1
        )
    )
    file.write_text(f'<?xml version="1.0"?><osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    return file


def write_csv(file: Path, rows: list[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)
    return file


REP = {
    "rep_id": "R1",
    "name": "Ann",
    "start_address": "1 High Street, Squareton",
    "timezone": "Europe/London",
    "work_days": "Mo-Fr",
    "work_start": "09:00",
    "work_end": "17:00",
    "break_minutes": "30",
    "break_window": "12:00-14:00",
}


def account(number: int, **more: str) -> dict[str, str]:
    return {
        "account_id": f"A{number}",
        "name": f"Shop {number}",
        "address": f"{number} Mill Lane",
        "city": "Squareton",
        "segment": "A",
        "owner_rep_id": "R1",
        "cadence_days": "14",
        "last_visit": "2026-11-01",
        "last_order": "2026-10-01",
        "visit_minutes": "30",
    } | more


def opportunity(number: int, **more: str) -> dict[str, str]:
    return {
        "opportunity_id": f"O{number}",
        "name": f"Prospect {number}",
        "address": f"{number} High Street",
        "city": "Squareton",
        "value": "10000",
        "probability": "0.5",
        "budget": "yes",
        "authority": "yes",
        "need": "yes",
        "timeline": "this month",
        "qualified_at": "2026-11-27T10:00",
        "first_action_days": "5",
        "visit_minutes": "60",
    } | more


class Office:
    """A home folder and a person typing commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"

    def type(self, *words: object, status: int = 0, answer: str | None = None) -> str:
        result: Result = CliRunner().invoke(main, ["--home", str(self.home), *map(str, words)], input=answer)
        assert result.exit_code == status, result.output or result.exception
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.output

    def open(self) -> None:
        self.type("area", "add", "squareton", "--extract", write_town(self.folder / "town.osm"))

    def fill(self, accounts: list[dict[str, str]], opportunities: list[dict[str, str]]) -> str:
        files = {"reps": [REP], "accounts": accounts, "opportunities": opportunities}
        options: list[object] = []
        for kind, rows in files.items():
            if rows:
                options += [f"--{kind}", write_csv(self.folder / f"{kind}.csv", rows)]
        return self.type("import", *options)

    def plan(self, *options: object) -> str:
        return self.type("plan", "--from", "2026-11-30", "--work", 2, *options)
