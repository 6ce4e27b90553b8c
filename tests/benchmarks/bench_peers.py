"""This solver beside VROOM and PyVRP, in turn in one run, judged by one evaluator: a table for each set of problems.

    python tests/benchmarks/bench_peers.py field --seeds 5 --seconds 10 25 --breaks
    python tests/benchmarks/bench_peers.py newport --seeds 5 --seconds 5 10
    python tests/benchmarks/bench_peers.py solomon --seeds 5 --seconds 20 --peer pyvrp
    python tests/benchmarks/bench_peers.py homberger --seeds 5 --seconds 60
    python tests/benchmarks/bench_peers.py pcvrptw --seeds 5 --seconds 60 [--peer pyvrp]
    python tests/benchmarks/bench_peers.py large [--seconds 120]
    ... [--only NAME ...] [--engine ortools] [--workers N] [--json FILE]

`field` draws a week for each seed (800 visits, ten reps, five days, 100 appointments); `newport` plans the first week
of ../shared/data/newport as `fieldvisit problem export` writes it; the others are the public files beside it, of which
--only takes some by name. VROOM has its highest exploration level, its own time and a thread for each core, and is
asked once a problem, since it answers the same every time. PyVRP has the same seconds, after its model is built, on
one core. Medians are over the seeds; a ratio below 1 is better than the peer. Exit status 1 where a plan of ours breaks
a rule. Nothing is cached: every figure of a table is of the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from planner.cli.bench_solver import APPOINTMENTS_A_VISIT, instance_figures
from planner.intake import import_files
from planner.locating import geocoder_for, locate_records
from planner.settings import read_settings
from planner.storage import open_store
from routing.area import Areas
from routing.errors import PeerError
from routing.instances.euclidean import Instance
from routing.instances.field import field_week
from routing.instances.prizes import read_pcvrptw
from routing.instances.solomon import read_vrptw
from routing.peers.comparing import OURS, Run, run_ours, run_peer
from routing.preparing import prepare as compile_loops
from routing.problem import Problem
from routing.problem_file import read_problem
from routing.solver import Engine, SearchLimits

DATA = Path(__file__).parents[3] / "shared" / "data"
FIRST_MONDAY = "2026-11-30"
REPS, DAYS, VISITS = 10, 5, 800
LARGE = {"four weeks x 10 reps": (10, 20, 2_000), "50 reps x 5 days": (50, 5, 4_000)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("field", "newport", "solomon", "homberger", "pcvrptw", "large"))
    parser.add_argument("--seconds", type=float, nargs="+", help="budgets, each measured")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 1 to this number")
    parser.add_argument(
        "--peer", choices=("vroom", "pyvrp"), nargs="*", help="default: vroom for weeks, none for files"
    )
    parser.add_argument("--only", nargs="+", help="names of files, or of the two large problems: 0 and 1")
    parser.add_argument("--breaks", action="store_true")
    parser.add_argument("--visits", type=int, default=VISITS)
    parser.add_argument("--engine", choices=[engine.value for engine in Engine])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path, help="write every run to this file, a line each")
    asked = parser.parse_args()
    compile_loops()  # once on a machine, and nobody's seconds
    return Bench(asked).run()


class Bench:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.seeds = range(1, asked.seeds + 1)
        self.broken = 0

    def run(self) -> int:
        what, asked = self.asked.what, self.asked
        if what == "field":
            weeks = {f"week {seed}": [seed] for seed in self.seeds}
            self.weeks(asked.seconds or [10, 25], weeks, self.field_week)
        elif what == "newport":
            problem = newport_week()
            self.weeks(asked.seconds or [5, 10], {"newport": list(self.seeds)}, lambda _: problem)
        elif what == "large":
            self.large(asked.seconds or [120])
        else:
            read, pattern = (read_pcvrptw, "*.vrp") if what == "pcvrptw" else (read_vrptw, "*.txt")
            files = sorted((DATA / "benchmarks" / what).glob(pattern))
            chosen = [file for file in files if not asked.only or file.stem in asked.only]
            usual = {"solomon": 20.0, "homberger": 60.0, "pcvrptw": 60.0}[what]
            self.files(asked.seconds or [usual], chosen, read)
        return 1 if self.broken else 0

    def ours(self, problem: Problem, seconds: float, seed: int) -> Run:
        engine = Engine(self.asked.engine) if self.asked.engine else None
        return run_ours(problem, SearchLimits(seconds, None, seed, workers=self.asked.workers, engine=engine))

    def told(self, **figures: object) -> None:
        """A line for people on stderr as it comes, and for machines in the file."""
        if self.asked.json:
            with self.asked.json.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"what": self.asked.what, **figures}) + "\n")
        print("  " + "  ".join(f"{name} {value}" for name, value in figures.items()), file=sys.stderr, flush=True)

    def checked(self, where: str, wrong: Iterable[object]) -> None:
        for what in wrong:
            self.broken += 1
            print(f"BROKEN {where}: {what}", flush=True)

    # --- weeks of reps, beside VROOM (and PyVRP)

    def field_week(self, name: str) -> Problem:
        visits = self.asked.visits
        seed = int(name.split()[-1])
        return field_week(seed, REPS, DAYS, visits, visits // APPOINTMENTS_A_VISIT, self.asked.breaks)

    def weeks(self, budgets: Sequence[float], weeks: dict[str, list[int]], make: Callable[[str], Problem]) -> None:
        """Each week with its seeds of the search, solvers in turn."""
        peers = ["vroom"] if self.asked.peer is None else self.asked.peer
        costs: dict[tuple[str, float, str, int], float] = {}
        for name, seeds in weeks.items():
            problem = make(name)
            vroom = self.peer_run("vroom", problem, name, 0.0, 1) if "vroom" in peers else None
            for seconds in budgets:
                for seed in seeds:
                    run = self.ours(problem, seconds, seed)
                    costs[name, seconds, OURS, seed] = self.week_run(problem, name, seconds, seed, run)
                    if vroom is not None:
                        costs[name, seconds, "vroom", seed] = vroom
                    if "pyvrp" in peers and (found := self.peer_run("pyvrp", problem, name, seconds, seed)):
                        costs[name, seconds, "pyvrp", seed] = found
        print(f"\n{'problem':12s} {'budget':>7s} {'ours':>10s}", *(f"{p:>10s} {'ratio':>7s}" for p in peers))
        for seconds in budgets:
            all_ratios: dict[str, list[float]] = {peer: [] for peer in peers}
            for name, seeds in weeks.items():
                ours = statistics.median(costs[name, seconds, OURS, seed] for seed in seeds)
                cells = []
                for peer in peers:
                    theirs = [costs[key] for seed in seeds if (key := (name, seconds, peer, seed)) in costs]
                    if theirs:
                        all_ratios[peer] += [
                            costs[name, seconds, OURS, s] / costs[name, seconds, peer, s]
                            for s in seeds
                            if (name, seconds, peer, s) in costs
                        ]
                        cells.append(f"{statistics.median(theirs):10,.0f} {ours / statistics.median(theirs):7.4f}")
                print(f"{name:12s} {seconds:5g} s {ours:10,.0f}", *cells, flush=True)
            for peer, found in all_ratios.items():
                if found:
                    median = statistics.median(found)
                    print(
                        f"median ratio to {peer} at {seconds:g} s over {len(found)} runs: {median:.4f} "
                        f"({1 - median:+.2%} better; {min(found):.4f} to {max(found):.4f})",
                        flush=True,
                    )

    def peer_run(self, peer: str, problem: Problem, name: str, seconds: float, seed: int) -> float | None:
        try:
            run = run_peer(peer, problem, seconds, seed, self.asked.workers)
        except PeerError as error:
            print(f"not compared: {error}", flush=True)
            return None
        return self.week_run(problem, name, seconds, seed, run)

    def week_run(self, problem: Problem, name: str, seconds: float, seed: int, run: Run) -> float:
        """A run's cost in minutes."""
        verdict = run.verdict
        if run.solver == OURS:
            self.checked(f"{name}, {seconds:g} s, seed {seed}", verdict.violations)
        self.told(
            problem=name,
            solver=run.solver,
            budget=seconds,
            seed=seed,
            minutes=round(verdict.cost_s / 60, 1),
            visits=f"{verdict.done}/{len(problem.jobs)}",
            driving=verdict.drive_s // 60,
            mandatory_left_out=verdict.mandatory_left_out,
            dropped=run.dropped,
            violations=len(verdict.violations),
            took=round(run.seconds, 1),
        )
        return verdict.cost_s / 60

    # --- public files, beside PyVRP

    def files(self, budgets: Sequence[float], files: Sequence[Path], read: Callable[[Path], Instance]) -> None:
        solvers = [OURS, *(self.asked.peer or [])]
        for seconds in budgets:
            gaps: dict[tuple[str, str], list[float]] = {}
            known = {}
            for file in files:
                instance = read(file)
                known[instance.name] = f"{instance.best_known} ({instance.best_known_of})"
                for seed in self.seeds:
                    for solver in solvers:
                        if solver == OURS:
                            run = self.ours(instance.problem, seconds, seed)
                        else:
                            run = run_peer(solver, instance.problem, seconds, seed, self.asked.workers)
                        figure = instance_figures(instance, run)
                        if solver == OURS:
                            self.checked(f"{instance.name}, seed {seed}", [*figure["broken"], *run.verdict.violations])
                        gaps.setdefault((instance.name, solver), []).append(100 * (figure["gap"] or 0.0))
                        self.told(
                            problem=instance.name,
                            solver=solver,
                            budget=seconds,
                            seed=seed,
                            cost=figure["cost"],
                            gap=f"{100 * (figure['gap'] or 0.0):+.3f} %",
                            routes=len(figure["routes"]),
                            broken=len(figure["broken"]),
                            took=figure["took"],
                        )
            print(f"\ngap in %, median over {len(self.seeds)} seeds, {seconds:g} s")
            print(f"{'file':12s}", *(f"{solver:>11s}" for solver in solvers), "  best known")
            for name in known:
                cells = [f"{statistics.median(gaps[name, solver]):+11.3f}" for solver in solvers]
                print(f"{name:12s}", *cells, f"  {known[name]}")
            means = [statistics.fmean(statistics.median(gaps[name, s]) for name in known) for s in solvers]
            print(f"{'mean':12s}", *(f"{mean:+11.3f}" for mean in means), flush=True)

    # --- how far it goes

    def large(self, budgets: Sequence[float]) -> None:
        """Each problem in a process of its own, so that its memory is its own, too."""
        if self.asked.only is None:
            for k in range(len(LARGE)):
                given = [sys.argv[0], *sys.argv[1:], "--only", str(k)]
                self.broken += subprocess.run([sys.executable, *given], check=False).returncode != 0
            return
        for name in (list(LARGE)[int(k)] for k in self.asked.only):
            reps, days, visits = LARGE[name]
            print(f"{name} x {visits:,} visits: drawing it", file=sys.stderr, flush=True)
            problem = field_week(1, reps, days, visits, visits // APPOINTMENTS_A_VISIT, True)
            own_mb = _peak_mb(0)
            for seconds in budgets:
                began = time.monotonic()
                run = self.ours(problem, seconds, 1)
                self.week_run(problem, name, seconds, 1, run)
                peak_mb = _peak_mb(self.asked.workers or os.cpu_count() or 1)
                print(
                    f"{name} x {visits:,} visits, {seconds:g} s asked: took {time.monotonic() - began:.0f} s, peak "
                    f"{peak_mb:,} MB at most (the problem: {own_mb:,} MB), {len(run.verdict.violations)} violations, "
                    f"{run.verdict.mandatory_left_out} mandatory left out, cost {run.verdict.cost_s / 60:,.0f} min, "
                    f"{run.verdict.done} visits",
                    flush=True,
                )


def _peak_mb(workers: int) -> int:
    """The most memory of this process and, where the engine has processes of its own, of that many like the largest."""
    own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + workers * child) // 1024


def newport_week() -> Problem:
    """The first week of the made-up records of Newport, by way of a home folder and the command that exports it."""
    records = DATA / "newport"
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = read_settings(home, {})
        print("compiling Newport's streets and locating its records", file=sys.stderr, flush=True)
        area = Areas(settings.areas).add("newport", records / "newport.osm.pbf", lambda _what, _share: None)
        store = open_store(settings.database_url)
        import_files(
            store, area.name, **{kind: records / f"{kind}.csv" for kind in ("reps", "accounts", "opportunities")}
        )
        locate_records(store, area.name, geocoder_for(area, settings))
        store.close()
        out = home / "problem.json"
        command = [str(Path(sys.executable).with_name("fieldvisit")), "--home", str(home), "problem", "export"]
        subprocess.run([*command, "--out", str(out), "--from", FIRST_MONDAY, "--days", "5"], check=True)
        return read_problem(out.read_text(encoding="utf-8"), out.name)


if __name__ == "__main__":
    sys.exit(main())
