"""fieldvisit work, jobs, job cancel, job finish."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from datetime import UTC, datetime

import click

from planner.cli.app import App, area_option, main
from planner.cli.prepare import ready_to_serve
from planner.jobs.domain import Job
from planner.jobs.requests import cancel_job, finish_job, jobs_of, why_nothing_runs
from planner.lifeline import end_with_parent
from planner.observing import set_up_logging
from planner.upkeep import Upkeep
from routing.area import Area


@main.command()
@click.pass_obj
def work(app: App) -> None:
    """Work on the jobs that people ask for: plans and geocoding. SIGTERM and Ctrl-C give back what is not done."""
    # Dask takes most of a second to load, which no other command should wait for.
    from planner.jobs.cluster import open_executor
    from planner.jobs.dispatching import Dispatcher

    set_up_logging()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    end_with_parent()
    ready_to_serve(app)
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    executor = open_executor(app.settings)
    try:
        dispatcher = Dispatcher(
            app.store,
            app.areas,
            app.settings,
            executor,
            lambda: datetime.now(UTC),
            owner,
            upkeep=Upkeep(app.store, lambda: [area.name for area in app.areas.list()], app.settings, app.agendas),
        )
        dispatcher.step()
        app.say(f"working on jobs with {executor.workers()} workers  (Ctrl-C ends it)")
        dispatcher.run(stop)
    finally:
        executor.close()


@main.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="So many at most.")
@area_option
def jobs(app: App, area: Area, limit: int) -> None:
    """The jobs of an area, newest first, and whether anybody works on them."""
    with app.store.read() as unit:
        newest = jobs_of(unit, area.name, limit)
        trouble = why_nothing_runs(unit, datetime.now(UTC))
    for job in newest:
        app.say(f"{job.id}  {job.kind}  {job.created_at:%Y-%m-%d %H:%M}Z  {job.requested_by}  {_standing(job)}")
    if trouble:
        app.say(trouble)


def _standing(job: Job) -> str:
    progress, result = job.progress, job.result
    if "version" in result:
        return f"{job.state}: plan {result['version']}, {result['visits']} visits"
    if job.error:
        return f"{job.state}: {job.error}"
    if progress.get("what") and not job.state.ended:
        return f"{job.state}: {progress['what']}, {progress['fraction']:.0%}"
    return str(job.state)


@main.group()
def job() -> None:
    """Change a job."""


@job.command("cancel")
@click.argument("job_id", metavar="ID")
@click.pass_obj
def cancel(app: App, job_id: str) -> None:
    """Call a job off; one that has ended stays as it is."""
    with app.store.write(app.actor) as unit:
        cancelled = cancel_job(unit, job_id, datetime.now(UTC))
    app.say(f"{cancelled.id} is {cancelled.state}")


@job.command("finish")
@click.argument("job_id", metavar="ID")
@click.pass_obj
def finish(app: App, job_id: str) -> None:
    """End the search for a plan and keep the best one that it has found."""
    with app.store.write(app.actor) as unit:
        job = finish_job(unit, job_id)
    app.say(f"{job.id} is {job.state}" + (" and ends with the best plan so far" if not job.state.ended else ""))
