"""The benchmark of replanning: nothing that comes of what happens to made-up days is wrong, and it would be seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_cast import Office

from planner.benchmarking import replanning
from planner.benchmarking.scenario import make_scenario
from planner.replanning.previewing import preview
from planner.settings import Settings
from routing.geo import LatLon
from routing.travel_times import GreatCircleTravelTimes

SETTINGS = Settings(home=Path("nowhere"), database_url="")
DOORS = [LatLon(51.5 + 0.01 * i, -3 + 0.01 * j) for i in range(15) for j in range(15)]


def test_a_small_team_keeps_every_promise_and_every_rule(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.open()
    figures = json.loads(office.type("bench", "replan", "--reps", 2, "--days", 1, "--disturbances", 15, "--json"))
    assert figures["disturbances"] == 15
    assert figures["mended"] >= figures["nothing_left_out"] > 0
    wrong = ("promises_moved", "promises_given_up", "rule_violations", "not_as_shown")
    assert [figures[name] for name in wrong] == [0, 0, 0, 0]
    assert 0 < figures["preview_ms"][0] <= figures["preview_ms"][1] <= figures["preview_ms"][2]


def test_a_day_that_is_not_mended_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late statements alone are sent, without what the mending would leave out: days break, and that is seen."""

    def unmended(*args: Any) -> object:
        found = preview(*args)
        return replace(found, statements=found.statements[:1], to_call=())

    monkeypatch.setattr(replanning, "preview", unmended)
    source = GreatCircleTravelTimes()
    scenario = make_scenario(source, DOORS, 2, 1, 4, SETTINGS)
    figures = replanning.measure(scenario, source, 12, 4, SETTINGS)
    assert figures.rule_violations > 0
    assert figures.not_as_shown > 0
    assert figures.wrong >= figures.rule_violations
