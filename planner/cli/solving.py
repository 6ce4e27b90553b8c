"""What commands that solve a problem outside the records share: how long, with what, and beside whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import click
from rich.table import Table

from planner.cli.app import SECONDS, App
from planner.searching import search_limits
from planner.settings import ENGINES, MOST_WORKERS
from routing.errors import PeerError
from routing.peers.comparing import PEERS, Run, run_ours, run_peer
from routing.preparing import Loops, loops
from routing.preparing import prepare as compile_loops
from routing.problem import Problem
from routing.solver import DEFAULT_ENGINE, Progress, SearchLimits


@dataclass(frozen=True, slots=True)
class Asked:
    """The limits of our search; the peers asked after it, and whether it matters that each is there."""

    limits: SearchLimits
    peers: tuple[str, ...]
    as_json: bool

    def run(self, app: App, problem: Problem, *, peers_needed: bool = True) -> tuple[list[Run], list[str]]:
        """Ours first, then the peers in turn; and which of them could not be asked, where they are not needed.

        Raises:
            PeerError: a peer that is needed is not installed, or failed.
        """
        runs, missing = [], []
        with app.bar() as progress:
            if loops() is Loops.MISSING:
                progress("compiling, once on this machine", 0.0)
                compile_loops()

            def show(state: Progress) -> None:
                progress(f"best cost {state.cost_s:,}, {state.served} visits", state.fraction)

            runs.append(run_ours(problem, self.limits, show))
            for peer in self.peers:
                progress(f"asking {peer}", 1.0)
                try:
                    runs.append(
                        run_peer(peer, problem, self.limits.seconds or 0.0, self.limits.seed, self.limits.workers)
                    )
                except PeerError as error:
                    if peers_needed:
                        raise
                    missing.append(str(error))
        return runs, missing

    def told(self) -> dict[str, object]:
        """The limits, for the JSON that is printed."""
        limits = self.limits
        return {
            "seconds": limits.seconds,
            "work": limits.work,
            "seed": limits.seed,
            "engine": str(limits.engine or DEFAULT_ENGINE),
        }


def search_options(seconds: float, peers: Sequence[str] | None = PEERS) -> Callable[[Callable[..., Any]], Any]:
    """--seconds or --work, --seed, --engine, --workers, --peer, --json; the command gets App and Asked.

    Where `peers` is None there is no --peer, and all are asked.
    """

    def decorate(command: Callable[..., Any]) -> Any:
        def solving(
            app: App,
            /,
            seconds: float | None,
            work: int | None,
            seed: int,
            engine: str | None,
            workers: int | None,
            as_json: bool,
            peer: tuple[str, ...] | None = None,
            **options: Any,
        ) -> Any:
            if seconds is not None and work is not None:
                raise click.UsageError("give either --seconds or --work")
            if peer and work is not None:
                raise click.UsageError("peers know no --work: give --seconds")
            time = None if work is not None else seconds or usual
            limits = search_limits(time, work, seed, app.settings.solver, engine or "", workers or 0)
            beside = () if work is not None else PEERS if peer is None else tuple(dict.fromkeys(peer))
            return command(app, asked=Asked(limits, beside, as_json), **options)

        update_wrapper(solving, command)
        wrapped: Any = click.pass_obj(solving)
        options = [
            click.option("--seconds", type=SECONDS, help=f"Time to search.  [default: {usual:g}]"),
            click.option("--work", type=click.IntRange(1), help="Search by a fixed amount of work: same result."),
            click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True),
            click.option("--engine", type=click.Choice(ENGINES), help="What searches.  [default: the best here]"),
            click.option("--workers", type=click.IntRange(1, MOST_WORKERS), help="Cores to search with."),
            click.option("--json", "as_json", is_flag=True),
        ]
        if peers is not None:
            told = "Ask another solver, too; may be given more than once."
            options.append(click.option("--peer", type=click.Choice(peers), multiple=True, help=told))
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    usual = seconds
    return decorate


def figures(run: Run) -> dict[str, object]:
    """A run's figures, for JSON; seconds are whole seconds of the problem, but those of the wall-clock."""
    verdict = run.verdict
    return {
        "cost_s": verdict.cost_s,
        "cost_minutes": round(verdict.cost_s / 60, 1),
        "driving_minutes": round(verdict.drive_s / 60, 1),
        "visits": verdict.done,
        "mandatory_left_out": verdict.mandatory_left_out,
        "violations": [str(violation) for violation in verdict.violations],
        "dropped": run.dropped,
        "wall_clock_seconds": round(run.seconds, 1),
        "notes": list(run.notes),
    }


def ratios(runs: Sequence[Run]) -> dict[str, float]:
    """Our cost to each peer's: below 1 is better than it."""
    ours = runs[0].verdict.cost_s
    return {run.solver: round(ours / run.verdict.cost_s, 4) for run in runs[1:] if run.verdict.cost_s}


def show_runs(app: App, runs: Sequence[Run], missing: Sequence[str]) -> None:
    """The same for people."""
    table = Table("solver", "cost", "ours to it", "visits", "driving", "violations", "took", box=None, pad_edge=False)
    against = ratios(runs)
    for run in runs:
        verdict = run.verdict
        table.add_row(
            run.solver,
            f"{verdict.cost_s / 60:,.1f} min",
            f"{against[run.solver]:.4f}" if run.solver in against else "",
            str(verdict.done),
            f"{verdict.drive_s / 60:,.0f} min",
            str(len(verdict.violations)),
            f"{run.seconds:.1f} s",
        )
    app.console.print(table)
    for run in runs:
        for note in run.notes:
            app.say(f"{run.solver}: {note}")
        if run.dropped:
            app.say(f"{run.solver}: {run.dropped} visits of its routes could not be done and were dropped")
        if run.verdict.mandatory_left_out:
            app.say(f"{run.solver}: {run.verdict.mandatory_left_out} visits that must be made are not")
    for sentence in missing:
        app.say(f"not compared: {sentence}")


def refuse_broken(run: Run) -> None:
    """Raises click.ClickException where our own plan breaks a rule: a defect of this program."""
    if run.verdict.violations:
        raise click.ClickException(f"{len(run.verdict.violations)} rules are broken: {run.verdict.violations[0]}")
