"""Estimated against really planned driving and hours a month, rep by rep.

    python tests/benchmarks/bench_workload.py newport --seconds 10 [--warm-up 4] [--weeks 4]
    python tests/benchmarks/bench_workload.py porto --seconds 10 --accounts 600 --reps 6
    python tests/benchmarks/bench_workload.py porto --accounts 10000 --reps 60 --weeks 0

Plans week after week, every planned visit done in between, and compares `routing.workload` with the plans, for the
visits that were planned (what the touring is worth) and for what the cadence alone asks for (what a page shows: over
twelve weeks every customer is due in their turn, over four not all of those that are visited once a quarter). What
inside sales hands off has no cadence and is left out. The warm-up works off what was overdue on the first day, and is
not compared. `newport` are the records of ../shared/data at their true places; of `porto` (the extract is there, too)
reps and customers are drawn at random on its streets, in towns. With --weeks 0 only the estimate is timed.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from planner.candidates import cadence_days, is_dormant
from planner.domain import Account, Address, Location, RecordKind, Rep
from planner.intake import parse_accounts, parse_reps, read_table
from planner.plan_document import PlanDocument
from planner.planning import make_plan
from planner.settings import Settings, read_settings
from planner.snapshot import Snapshot
from routing.extract import read_graph
from routing.gazetteer import Verdict
from routing.geo import LatLon
from routing.solver import SearchLimits
from routing.streets import StreetNetwork
from routing.travel_times import TravelTimeSource
from routing.workload import WEEKS_A_MONTH, Base, MonthlyVisits, workload

DATA = Path(__file__).parents[3] / "shared" / "data"
FIRST_MONDAY = date(2026, 11, 30)
MONTH_DAYS = 365.25 / 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("town", choices=("newport", "porto"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--work", type=int, help="regions that a plan is searched by, in place of seconds")
    parser.add_argument("--warm-up", type=int, default=4)
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--accounts", type=int, default=600)
    parser.add_argument("--reps", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    graph = read_graph(DATA / asked.town / f"{asked.town}.osm.pbf")
    network = StreetNetwork.compile(graph)
    settings = read_settings(Path("."), {})
    if asked.town == "newport":
        snapshot = newport()
    else:
        corners = [LatLon(node["y"], node["x"]) for _, node in graph.nodes(data=True)]
        snapshot = drawn(corners, asked.reps, asked.accounts, asked.seed)
    planned: dict[str, list[PlannedWeek]] = defaultdict(list)
    monday = FIRST_MONDAY
    for week in range(asked.warm_up + asked.weeks if asked.weeks else 0):
        limits = SearchLimits(None if asked.work else asked.seconds, asked.work, asked.seed)
        plan = make_plan(snapshot, asked.town, network, monday, 5, limits, settings)
        if week >= asked.warm_up:
            for rep_id, done in weeks_of(plan).items():
                planned[rep_id].append(done)
        snapshot = visited(snapshot, plan)
        monday += timedelta(days=7)
    began = time.perf_counter()
    month = workload(bases(snapshot), cadenced(snapshot, monday, settings), network)
    print(f"{len(snapshot.accounts):,} accounts, {len(snapshot.reps)} reps: {time.perf_counter() - began:.1f} s")
    if not asked.weeks:
        return 0
    compared("the visits that were planned", planned, of_planned(snapshot, planned, network, settings))
    compared(
        "what the cadence asks for", planned, {rep: (load.drive_s, load.service_s) for rep, load in month.loads.items()}
    )
    return 0


class PlannedWeek:
    """What a rep was given to do in a week."""

    def __init__(self) -> None:
        self.drive_s = 0.0
        self.accounts: list[str] = []
        self.days = 0
        self.service_s = 0.0


def weeks_of(plan: PlanDocument) -> Mapping[str, PlannedWeek]:
    weeks: dict[str, PlannedWeek] = defaultdict(PlannedWeek)
    for day in plan["rep_days"]:
        week = weeks[day["rep_id"]]
        week.drive_s += day["totals"]["drive_seconds"]
        week.days += bool(day["stops"])
        week.service_s += 60 * day["totals"]["service_minutes"]
        for stop in day["stops"]:
            week.service_s += 60 * stop["parking_minutes"]
            week.accounts.append(stop["record_ids"][0])
    return weeks


def visited(snapshot: Snapshot, plan: PlanDocument) -> Snapshot:
    """After everything in the plan has been done; whoever was visited buys again."""
    on = {
        id_: date.fromisoformat(day["date"])
        for day in plan["rep_days"]
        for s in day["stops"]
        for id_ in s["record_ids"]
    }
    return replace(
        snapshot,
        accounts=tuple(
            replace(account, last_visit=on[account.id], last_order=on[account.id]) if account.id in on else account
            for account in snapshot.accounts
        ),
    )


def bases(snapshot: Snapshot) -> dict[str, Base]:
    homes, _ = snapshot.homes()
    return {
        rep.id: Base(
            *homes[rep.id],
            (rep.work_end.hour - rep.work_start.hour) * 3600
            + (rep.work_end.minute - rep.work_start.minute) * 60
            - rep.break_minutes * 60,
            rep.max_visits_per_day,
        )
        for rep in snapshot.reps
    }


def visits_of(snapshot: Snapshot, settings: Settings) -> dict[str, MonthlyVisits]:
    """Each account as visited once a week."""
    found = {}
    for account in snapshot.accounts:
        location = snapshot.location_of(RecordKind.ACCOUNT, account.id, account.address)
        assert location
        assert location.place
        minutes = (account.visit_minutes or settings.candidates.visit_minutes) + settings.candidates.parking_minutes
        found[account.id] = MonthlyVisits(account.id, account.owner_rep_id, location.place, WEEKS_A_MONTH, minutes * 60)
    return found


def cadenced(snapshot: Snapshot, today: date, settings: Settings) -> list[MonthlyVisits]:
    visits = visits_of(snapshot, settings)
    return [
        replace(visits[account.id], times_a_month=MONTH_DAYS / cadence_days(account, settings.candidates))
        for account in snapshot.accounts
        if account.owner_rep_id and not is_dormant(account, today, settings.candidates)
    ]


def of_planned(
    snapshot: Snapshot, planned: Mapping[str, list[PlannedWeek]], source: TravelTimeSource, settings: Settings
) -> dict[str, tuple[float, float]]:
    """Seconds of driving and service a month, estimated for the very visits of the planned weeks."""
    visits = visits_of(snapshot, settings)
    result = {}
    for rep_id, weeks in planned.items():
        base = {rep_id: bases(snapshot)[rep_id]}
        drive = service = 0.0
        for week in weeks:
            chosen = [replace(visits[id_], owner=rep_id) for id_ in week.accounts]
            load = workload(base, chosen, source).loads[rep_id]
            drive, service = drive + load.drive_s / len(weeks), service + load.service_s / len(weeks)
        result[rep_id] = drive, service
    return result


def compared(what: str, planned: Mapping[str, list[PlannedWeek]], estimated: Mapping[str, tuple[float, float]]) -> None:
    print(f"\nHours a month, planned against estimated for {what}:")
    print("rep    driving planned estimated  error |  in all planned estimated  error")
    lines = []
    for rep_id in sorted(planned):
        weeks = planned[rep_id]
        drive = sum(w.drive_s for w in weeks) / len(weeks) * WEEKS_A_MONTH / 3600
        whole = drive + sum(w.service_s for w in weeks) / len(weeks) * WEEKS_A_MONTH / 3600
        drive_est, whole_est = estimated[rep_id][0] / 3600, sum(estimated[rep_id]) / 3600
        lines.append((rep_id, drive, drive_est, whole, whole_est))
    total = ("all", *(sum(line[k] for line in lines) for k in range(1, 5)))
    for name, drive, drive_est, whole, whole_est in [*lines, total]:
        print(
            f"{name:5} {drive:16.1f} {drive_est:9.1f} {drive_est / drive - 1:+6.1%} |"
            f" {whole:15.1f} {whole_est:9.1f} {whole_est / whole - 1:+6.1%}"
        )
    for name, a in (("driving", 1), ("in all", 3)):
        errors = [line[a + 1] / line[a] - 1 for line in lines]
        mean = sum(map(abs, errors)) / len(errors)
        print(f"{name}: mean absolute error of a rep {mean:.1%}, bias of the total {total[a + 1] / total[a] - 1:+.1%}")


def newport() -> Snapshot:
    """The records of Newport, at their true places."""
    folder = DATA / "newport"
    reps = parse_reps(read_table(folder / "reps.csv")).records
    accounts = parse_accounts(read_table(folder / "accounts.csv")).records
    with (folder / "truth.csv").open(encoding="utf-8") as file:
        places = {r["record_id"]: LatLon(float(r["lat"]), float(r["lon"])) for r in csv.DictReader(file) if r["lat"]}
    accounts = [account for account in accounts if account.id in places and account.owner_rep_id]
    return Snapshot(tuple(reps), tuple(accounts), (), located(reps, accounts, places))


def located(reps: list[Rep], accounts: list[Account], places: Mapping[str, LatLon]) -> tuple[Location, ...]:
    return tuple(
        Location(kind, record.id, address, Verdict.MATCHED, places[record.id], 1.0, str(address), "")
        for kind, record, address in [
            *((RecordKind.REP, rep, rep.start_address) for rep in reps),
            *((RecordKind.ACCOUNT, account, account.address) for account in accounts),
        ]
    )


def drawn(corners: list[LatLon], reps: int, accounts: int, seed: int) -> Snapshot:
    """Reps anywhere, customers mostly in towns around them; four of five are the nearest rep's."""
    rng = random.Random(seed)
    places: dict[str, LatLon] = {}
    template = parse_reps(read_table(Path(__file__).parents[2] / "sample_data" / "reps.csv")).records[0]
    team, customers = [], []
    for k in range(reps):
        rep = replace(
            template,
            id=f"R{k:03}",
            name=f"Rep {k}",
            start_address=Address(f"{k} Home"),
            end_address=None,
            max_visits_per_day=10 if k % 2 else None,
        )
        places[rep.id] = rng.choice(corners)
        team.append(rep)
    towns = [rng.choice(corners) for _ in range(4 * reps)]
    spread = 0.01
    for k in range(accounts):
        place = rng.choice(corners)
        if rng.random() < 0.6:
            town = rng.choice(towns)
            near = [c for c in rng.sample(corners, 300) if math.dist((c.lat, c.lon), (town.lat, town.lon)) < 3 * spread]
            place = rng.choice(near or [place])
        by_distance = sorted(
            team, key=lambda r: math.dist((places[r.id].lat, places[r.id].lon), (place.lat, place.lon))
        )
        owner = by_distance[0] if rng.random() < 0.8 or reps == 1 else by_distance[1]
        segment = rng.choices("ABC", (2, 3, 5))[0]
        last = FIRST_MONDAY - timedelta(days=rng.randrange(1, {"A": 14, "B": 28, "C": 84}[segment]))
        account = Account(
            f"A{k:05}",
            f"Customer {k}",
            Address(f"{k} Street"),
            segment=segment,
            owner_rep_id=owner.id,
            last_visit=last,
            last_order=last,
            annual_value=rng.uniform(500, 50_000),
            visit_minutes=rng.choice([20, 30, 30, 45]),
            opening_hours=rng.choice(["", "Mo-Fr 09:00-17:30", "Mo-Fr 09:00-12:30,14:00-18:00", "Tu-Sa 10:00-17:00"]),
        )
        places[account.id] = place
        customers.append(account)
    return Snapshot(tuple(team), tuple(customers), (), located(team, customers, places))


if __name__ == "__main__":
    raise SystemExit(main())
