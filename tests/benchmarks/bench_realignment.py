"""What a realignment of Newport promises, and what four weeks that are really planned say to that.

    python tests/benchmarks/bench_realignment.py [--data ../shared/data/newport] [--work 40] [--search 30] [--json]

Every address is settled as `truth.csv` has it, customers are given to reps by the usual scenario, and four weeks are
planned with the customers as they are now and as they would be, each week with the visits of the one before it done,
and both sides with the same budget of work. Contiguity is checked without asking the solver.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from planner.coverage.material import Material
from planner.domain import Location
from planner.intake import import_files
from planner.locating import CHOSEN, current_locations, geocoder_for, locate_records
from planner.planning import make_plan
from planner.scenarios.changes import Changes, Prices
from planner.scenarios.computing import work_out
from planner.scenarios.keeping import records_stamp
from planner.scenarios.outcome import Outcome
from planner.settings import Settings, read_settings
from planner.snapshot import Snapshot
from planner.storage import open_store
from routing.alignment import AlignmentLimits
from routing.area import Areas
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.solver import SearchLimits
from routing.travel_times import TravelTimeSource

MONDAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 5, tzinfo=UTC)
WEEKS = 4


@dataclass
class Driven:
    """What four weeks came to; minutes by rep."""

    driving: float = 0.0
    visits: int = 0
    opportunities: int = 0
    overdue: int = 0
    by_rep: dict[str, float] = field(default_factory=dict)


def read_town(data: Path, home: Path) -> tuple[Material, str, TravelTimeSource, Settings]:
    """Newport with every address settled."""
    settings = read_settings(home, {})
    area = Areas(settings.areas).add("newport", data / "newport.osm.pbf", lambda _what, _share: None)
    store = open_store(settings.database_url, clock=lambda: NOW)
    reps, accounts, opportunities = (data / f"{kind}.csv" for kind in ("reps", "accounts", "opportunities"))
    import_files(store, area.name, reps=reps, accounts=accounts, opportunities=opportunities)
    locate_records(store, area.name, geocoder_for(area, settings))
    with (data / "truth.csv").open(encoding="utf-8") as file:
        truth = {row["record_id"]: LatLon(float(row["lat"]), float(row["lon"])) for row in csv.DictReader(file)}
    with store.write(audited=False) as unit:
        records = unit.records(area.name)
        records.save_locations(
            [
                Location(known.kind, known.record_id, known.address, Verdict.MATCHED, place, 1.0, "", CHOSEN)
                for known in current_locations(records)
                if known.verdict is not Verdict.MATCHED and (place := truth.get(known.record_id)) is not None
            ]
        )
    with store.read() as unit:
        material, stamp = Material.read(unit, area.name, settings), records_stamp(unit, area.name)
    store.close()
    return material, stamp, area.streets(), settings


def with_owners(snapshot: Snapshot, owners: Mapping[str, str]) -> Snapshot:
    accounts = (replace(a, owner_rep_id=owners.get(a.id, a.owner_rep_id)) for a in snapshot.accounts)
    return replace(snapshot, accounts=tuple(accounts))


def planned(snapshot: Snapshot, source: TravelTimeSource, settings: Settings, work: int) -> Driven:
    """Plan week after week, each with the visits of those before it done."""
    total = Driven(by_rep={rep.id: 0.0 for rep in snapshot.reps})
    for week in range(WEEKS):
        first, limits = MONDAY + timedelta(days=7 * week), SearchLimits(work=work, seed=1)
        document = make_plan(snapshot, "newport", source, first, 5, limits, settings)
        met: dict[str, date] = {}
        done: set[str] = set()
        for day in document["rep_days"]:
            total.by_rep[day["rep_id"]] += day["totals"]["drive_seconds"] / 60
            for stop in day["stops"]:
                is_deal = stop["visit_id"].startswith("opportunity:")
                done |= set(stop["record_ids"][:1]) if is_deal else set()
                met |= dict.fromkeys(stop["record_ids"][is_deal:], date.fromisoformat(day["date"]))
        total.visits += len(met)
        total.opportunities += len(done)
        accounts = (replace(a, last_visit=met.get(a.id, a.last_visit)) for a in snapshot.accounts)
        left = tuple(deal for deal in snapshot.opportunities if deal.id not in done)
        snapshot = replace(snapshot, accounts=tuple(accounts), opportunities=left)
    end = MONDAY + timedelta(days=7 * WEEKS)
    cadence = settings.candidates
    for account in snapshot.accounts:
        days = account.cadence_days or cadence.cadence_days.get(account.segment, cadence.other_cadence_days)
        dormant = account.last_order is not None and (end - account.last_order).days > cadence.dormant_days
        total.overdue += not dormant and account.last_visit is not None and (end - account.last_visit).days > days
    total.driving = sum(total.by_rep.values())
    return total


def report(outcome: Outcome, before: Driven | None, after: Driven | None) -> dict[str, object]:
    """All figures, as JSON."""
    told: dict[str, object] = {
        "spread_before": outcome.spread(after=False),
        "spread_after": outcome.spread(after=True),
        "contiguous": outcome.contiguous,
        "customers_apart_before": outcome.before.apart,
        "customers_apart_after": outcome.after.apart,
        "relationships_broken": outcome.broken,
        "customers": outcome.after.customers,
        "gap": outcome.gap,
        "estimated_driving_minutes_before": outcome.before.driving,
        "estimated_driving_minutes_after": outcome.after.driving,
    }
    if before is not None and after is not None:
        told |= {
            "planned_weeks": WEEKS,
            "planned_driving_minutes_before": before.driving,
            "planned_driving_minutes_after": after.driving,
            "planned_driving_minutes_saved": before.driving - after.driving,
            "planned_visits_before": before.visits + before.opportunities,
            "planned_visits_after": after.visits + after.opportunities,
            "overdue_at_the_end_before": before.overdue,
            "overdue_at_the_end_after": after.overdue,
        }
    return told


def show(outcome: Outcome, before: Driven | None, after: Driven | None, told: Mapping[str, object]) -> None:
    print(f"{'rep':<8}{'customers':>14}{'load':>16}{'estimated driving':>22}{'planned driving':>20}")
    for rep in outcome.reps:
        was, now = rep.before or rep.after, rep.after
        loads = f"{was.load or 0:.0%} → {now.load or 0:.0%}"
        real = f"{before.by_rep[rep.rep_id]:.0f} → {after.by_rep[rep.rep_id]:.0f} min" if before and after else "–"
        print(
            f"{rep.name:<8}{f'{was.customers} → {now.customers}':>14}{loads:>16}"
            f"{f'{was.driving:.0f} → {now.driving:.0f} min':>22}{real:>20}"
        )
    for name, value in told.items():
        print(f"{name.replace('_', ' '):<40}{f'{value:,.3f}' if isinstance(value, float) else value}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Path(__file__).parents[3] / "shared" / "data" / "newport"
    parser.add_argument("--data", type=Path, default=usual, help="a folder with newport.osm.pbf and the records")
    parser.add_argument("--work", type=int, default=40, help="of search for each plan: the same under any load")
    parser.add_argument("--search", type=float, default=30.0, help="seconds of search for the realignment")
    parser.add_argument("--broken", type=float, default=Prices().broken_minutes, help="price of a broken relationship")
    parser.add_argument("--no-plans", action="store_true", help="only what is estimated")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        material, stamp, streets, settings = read_town(options.data, Path(home))
        began = time.monotonic()
        changes = Changes(prices=replace(Prices(), broken_minutes=options.broken))
        outcome = work_out(
            material, stamp, "newport", changes, streets, settings, AlignmentLimits(seconds=options.search)
        )
        took = time.monotonic() - began
        before = after = None
        if not options.no_plans:
            owners = {move.account_id: move.after for move in outcome.moves}
            before = planned(material.snapshot, streets, settings, options.work)
            after = planned(with_owners(material.snapshot, owners), streets, settings, options.work)
    told = {"seconds_to_work_out": took, **report(outcome, before, after)}
    if options.json:
        print(json.dumps(told))
    else:
        show(outcome, before, after, told)


if __name__ == "__main__":
    main()
