"""fieldvisit bench coverage: made-up customers on real streets, measured, and nothing of one's own touched."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest
from booking_cast import AREA, built_town
from click.testing import CliRunner
from shapely.geometry import Point

from planner.benchmarking.accounts import Company, make_company
from planner.domain import RecordKind
from planner.settings import Settings
from routing.area import Area
from routing.shapes import from_geojson
from webui.cli import main

TODAY = date(2026, 11, 30)


def drawn(seed: int = 1) -> Company:
    area = Area(built_town())
    settings = Settings(home=area.folder, database_url="")
    return make_company(area.streets(), area.facts().bounds, AREA, 340, TODAY, seed, settings)


def test_the_same_seed_draws_the_same_company() -> None:
    assert drawn() == drawn()
    assert drawn() != drawn(seed=2)


def test_every_customer_lies_in_the_territory_of_its_rep() -> None:
    company = drawn()
    assert len(company.reps) == len(company.territories) == 2
    shape_of = {territory.rep_id: from_geojson(territory.geometry) for territory in company.territories}
    owner = {account.id: account.owner_rep_id for account in company.accounts}
    located = [at for at in company.locations if at.kind is RecordKind.ACCOUNT and at.place]
    assert len(located) > 300
    for at in located:
        assert at.place is not None
        assert shape_of[owner[at.record_id]].intersects(Point(at.place.lon, at.place.lat)), at.record_id


def test_nobody_is_visited_at_a_weekend_or_in_the_future() -> None:
    days = {day for visits in drawn().visits.values() for day in visits}
    assert max(days) < TODAY
    assert {day.weekday() for day in days} <= set(range(5))


def test_an_area_that_is_not_there_is_told_how_to_be_added(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--home", str(tmp_path), "bench", "coverage", "--area", "porto"])
    assert result.exit_code == 1
    assert "fieldvisit area add porto --extract" in result.output


@pytest.mark.browser
@pytest.mark.slow
def test_page_and_data_are_within_their_budgets(tmp_path: Path) -> None:
    """But for the times, which depend on the machine."""
    copytree(built_town(), tmp_path / "areas" / AREA)
    asked = ["--home", str(tmp_path), "bench", "coverage", "--accounts", "60", "--json"]
    result = CliRunner().invoke(main, asked, catch_exceptions=False)
    told = json.loads(result.stdout)
    assert told["accounts"] == 60
    assert told["before_data_kb"] < 300
    assert told["data_kb"] < 150
    assert told["browser"] is None or told["browser"]["interactive_ms"] >= told["browser"]["drawn_ms"] > 0
    assert {path.name for path in tmp_path.iterdir()} == {"areas"}
