"""The command that prints the tree from lead to order."""

from __future__ import annotations

import json
from pathlib import Path

from cast import opportunity
from cli_cast import write_town
from click.testing import CliRunner

from planner.cli import main
from planner.storage import open_store
from routing.area import Areas


def test_the_command_prints_the_tree_and_its_rows(tmp_path: Path) -> None:
    Areas(tmp_path / "areas").add("town", write_town(tmp_path / "town.osm"))
    store = open_store(f"sqlite:///{tmp_path}/fieldvisit.sqlite")
    with store.write() as unit:
        deals = [opportunity("mill", source="fair"), opportunity("forge", need="no", qualified_at=None)]
        unit.records("town").save_all(deals)
        unit.audit("test.known")
    store.close()
    printed = CliRunner().invoke(main, ["--home", str(tmp_path), "kpi", "--by", "source", "--json"])
    assert printed.exit_code == 0, printed.output
    told = json.loads(printed.output)
    assert [stage["count"] for stage in told["stages"]] == [2, 1, 1, 1, 0, 0, 0, 0, 0]
    assert told["stages"][0]["parts"]["open_inside"] == {"count": 1, "value": 10000, "open": True, "arose": None}
    assert [(row["label"], row["stages"][0]["count"]) for row in told["rows"]] == [("fair", 1), ("", 1)]
    shown = CliRunner().invoke(main, ["--home", str(tmp_path), "kpi", "--by", "source"])
    assert shown.exit_code == 0, shown.output
    assert "handed off" in shown.output
