"""The dispatcher: it claims jobs, has them executed, and writes down how they end.

Rows are the truth. Starting a job raises its `attempt` and takes a lease on it; a result counts only while the row
still shows that attempt and that owner, and it is stored in the transaction that ends the job. So a job ends once,
whatever is killed and whatever comes back late, and any number of dispatchers may share a store.

A lease runs by the clocks of the machines. Where those differ by more than a lease, a job may be taken from a
dispatcher that still works on it; then work is done twice, but still only one result is kept.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from planner.access import SYSTEM, Actor
from planner.errors import PlannerError, StorageError, StorageUnavailableError
from planner.jobs.domain import Heartbeat, Job, JobState
from planner.jobs.executing import Attempt, Executor
from planner.jobs.requests import COVERAGE, DISPATCHER_GONE_S, GEOCODE, SCENARIO
from planner.jobs.tasks import End, Outcome, keep, task_of
from planner.repository import Store, UnitOfWork
from planner.settings import JobSettings, Settings
from routing.area import Areas
from routing.errors import RoutingError

POLL_S = 0.2
PROGRESS_S = 1.0
BEAT_S = DISPATCHER_GONE_S / 4
UPKEEP_S = 300.0
MOST_ATTEMPTS = 10
"""A job whose dispatcher is lost after so many is not taken over any more: it may be what kills them."""

_log = logging.getLogger(__name__)


@dataclass
class _Running:
    """An attempt of ours, and what has been written down of it."""

    job: Job
    attempt: Attempt
    written: Mapping[str, Any] = field(default_factory=dict)
    finishing: bool = False


class Dispatcher:
    """One dispatcher. `owner` is a name that no other one ever had; `upkeep` is called every few minutes.

    `step` is one round of work and `run` repeats it; everything is done by the one thread that calls them.
    """

    def __init__(
        self,
        store: Store,
        areas: Areas,
        settings: Settings,
        executor: Executor,
        clock: Callable[[], datetime],
        owner: str,
        upkeep: Callable[[datetime], object] = lambda now: None,
    ) -> None:
        self._store = store
        self._areas = areas
        self._settings = settings
        self._executor = executor
        self._clock = clock
        self._owner = owner
        self._upkeep = upkeep
        self._running: dict[str, _Running] = {}
        self._turns: dict[str, int] = {}
        """Who has had how many-th turn: the person served longest ago is next."""
        self._written_at: datetime | None = None
        self._upkeep_at: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, then give back what is not done."""
        while not stop.is_set():
            try:
                self.step()
            except StorageError as error:  # a full disk or a database that restarts: nothing is lost by waiting
                _log.error("%s", error)
                stop.wait(PROGRESS_S)
            stop.wait(POLL_S)
        try:
            self.give_back()
        except StorageError as error:  # then others wait for the leases to run out
            _log.error("%s", error)

    def step(self) -> None:
        """One round. Raises StorageError; what was not written down then is written in a later round."""
        now = self._clock()
        with self._store.read() as unit:
            waiting = unit.jobs.find(state=JobState.WAITING)
            running = unit.jobs.find(state=JobState.RUNNING)
        self._drop_what_is_no_longer_ours(running)
        self._hurry(running)
        self._finish(now)
        self._take_over(running, now)
        self._start(waiting, running, now)
        self._write_down(now)
        if self._upkeep_at is None or now - self._upkeep_at >= timedelta(seconds=UPKEEP_S):
            self._upkeep_at = now
            self._upkeep(now)

    def give_back(self) -> None:
        """Let go of every lease, so that another dispatcher goes on at once. Raises StorageError."""
        with self._store.write(SYSTEM, audited=False) as unit:
            for running in self._running.values():
                if job := self._ours(unit, running.job):
                    _put_back(unit, job, "its dispatcher was stopped")
            unit.heartbeats.remove(self._owner)
        for running in self._running.values():
            running.attempt.drop()
        self._running.clear()

    # ---- what became of our attempts

    def _ours(self, unit: UnitOfWork, started: Job) -> Job | None:
        """The job's row, if it still shows the attempt that we started."""
        job = unit.jobs.get(started.id)
        return job if job is not None and _is_attempt(job, started) else None

    def _drop_what_is_no_longer_ours(self, rows: Iterable[Job]) -> None:
        by_id = {job.id: job for job in rows}
        for id_, running in list(self._running.items()):
            if id_ not in by_id or not _is_attempt(by_id[id_], running.job):
                running.attempt.drop()
                del self._running[id_]

    def _hurry(self, rows: Iterable[Job]) -> None:
        """Pass on, once, that the best found so far is good enough."""
        for job in rows:
            running = self._running.get(job.id)
            if job.finishing and running is not None and not running.finishing:
                running.finishing = True
                running.attempt.finish()

    def _finish(self, now: datetime) -> None:
        for id_, running in list(self._running.items()):
            outcome = running.attempt.outcome()
            if outcome is not None:
                self._end(running.job, outcome, now)
                running.attempt.drop()
                del self._running[id_]

    def _end(self, started: Job, outcome: Outcome, now: datetime) -> None:
        """Write an attempt's outcome down, unless the job is no longer ours. Raises StorageError.

        A result that no store keeps is a failure: tried for ever, it would keep the dispatcher from all other jobs.
        """
        if outcome.details:
            _log.error("job %s, attempt %d: %s", started.id, started.attempt, outcome.details)
        try:
            self._write_end(started, outcome, now)
        except StorageUnavailableError:
            raise
        except Exception:
            if outcome.end is not End.DONE:
                raise
            _log.exception("job %s, attempt %d: its result cannot be kept", started.id, started.attempt)
            self._write_end(started, Outcome(End.FAILED, error=_NOT_KEPT), now)

    def _write_end(self, started: Job, outcome: Outcome, now: datetime) -> None:
        # The plan is made in the name of whoever asked for it.
        with self._store.write(Actor(started.requested_by)) as unit:
            job = self._ours(unit, started)
            if job is None:
                return
            failures = job.failures + (outcome.end is End.FAILED)
            if outcome.end is End.DONE:
                result = keep(unit, job, outcome.result, now)
                ended = _ended(job, JobState.DONE, now)
                unit.jobs.put(replace(ended, result=result, progress={**job.progress, **_DONE}))
                unit.audit("job.done", job.id, area=job.area, kind=job.kind, attempt=job.attempt, **result)
            elif outcome.end is End.REFUSED or failures >= self._settings.jobs.most_failures:
                _fail(unit, replace(job, failures=failures, error=outcome.error), now)
            else:
                _put_back(unit, replace(job, failures=failures), outcome.error or "its workers went away")

    # ---- taking jobs

    def _take_over(self, rows: Iterable[Job], now: datetime) -> None:
        """Jobs of dispatchers that have not renewed their lease wait again, unless that has gone on for long."""
        stale = [job for job in rows if _is_stale(job, now) and job.id not in self._running]
        if not stale:
            return
        with self._store.write() as unit:
            for seen in stale:
                job = unit.jobs.get(seen.id)
                if job is None or job.state is not JobState.RUNNING or not _is_stale(job, now):
                    continue
                if job.attempt < MOST_ATTEMPTS:
                    _put_back(unit, job, "its dispatcher was lost")
                else:
                    _fail(unit, replace(job, error=_GIVEN_UP), now)

    def _start(self, waiting: Sequence[Job], running: Sequence[Job], now: datetime) -> None:
        if not self._next(waiting, running):
            return
        with self._store.write() as unit:
            waiting, running = unit.jobs.find(state=JobState.WAITING), unit.jobs.find(state=JobState.RUNNING)
            started = [
                replace(
                    job,
                    state=JobState.RUNNING,
                    attempt=job.attempt + 1,
                    lease_owner=self._owner,
                    lease_until=self._new_lease(),
                    progress={"what": "starting", "fraction": 0.0},
                    started_at=job.started_at or now,
                )
                for job in self._next(waiting, running)
            ]
            for job in started:
                unit.jobs.put(job)
                unit.audit("job.started", job.id, area=job.area, attempt=job.attempt)
        for job in started:
            self._turns[job.requested_by] = max(self._turns.values(), default=0) + 1
            self._hand_in(job, now)

    def _hand_in(self, job: Job, now: datetime) -> None:
        try:
            with self._store.read() as unit:
                task = task_of(unit, job, self._areas.get(job.area), self._settings)
        except StorageError:
            raise  # nobody renews its lease, so that it is taken over later
        except (PlannerError, RoutingError) as error:
            self._end(job, Outcome(End.REFUSED, error=str(error)), now)
            return
        except Exception:  # a row of another shape: it would end every dispatcher that starts it
            _log.exception("job %s, attempt %d: its request cannot be understood", job.id, job.attempt)
            self._end(job, Outcome(End.REFUSED, error=_NOT_UNDERSTOOD), now)
            return
        attempt = self._executor.submit(f"{job.id}-{job.attempt}-{self._owner}", task)
        self._running[job.id] = _Running(job, attempt)

    def _next(self, waiting: Sequence[Job], running: Sequence[Job]) -> list[Job]:
        if not waiting:
            return []
        busy = [job for job in running if self._executor.shared or job.lease_owner == self._owner]
        return next_jobs(waiting, running, busy, self._executor.workers(), self._turns, self._settings.jobs)

    # ---- signs of life

    def _new_lease(self) -> datetime:
        """From this very moment: a round may have waited long for a busy machine."""
        return self._clock() + timedelta(seconds=self._settings.jobs.lease_seconds)

    def _write_down(self, now: datetime) -> None:
        """Renew the leases and say that we are alive, every few seconds; with the progress, at most once a second."""
        news = any(running.attempt.progress() not in (None, running.written) for running in self._running.values())
        wait_s = PROGRESS_S if news else min(BEAT_S, self._settings.jobs.lease_seconds / 3)
        if self._written_at is not None and now - self._written_at < timedelta(seconds=wait_s):
            return
        workers = self._executor.workers()
        with self._store.write(SYSTEM, audited=False) as unit:
            for running in self._running.values():
                if job := self._ours(unit, running.job):
                    running.written = running.attempt.progress() or job.progress
                    unit.jobs.put(replace(job, lease_until=self._new_lease(), progress=running.written))
            unit.heartbeats.put(Heartbeat(self._owner, now, workers))
        self._written_at = now


def next_jobs(
    waiting: Sequence[Job],
    running: Sequence[Job],
    busy: Sequence[Job],
    workers: int,
    turns: Mapping[str, int],
    settings: JobSettings,
) -> list[Job]:
    """The jobs to start now: people take turns, and each person's own jobs go in the order in which they were asked.

    Long jobs leave one worker to the short ones, if there are several, and a person's long jobs do not hold up their
    short ones.

    Args:
        waiting: the jobs that could be started.
        running: all that run, for what one person may have running.
        busy: those of them that occupy our workers.
        workers: how many tasks these can do at a time.
        turns: when each person was served last, as a number that grows.
        settings: for the caps.
    """
    running_of = Counter((job.requested_by, is_short(job, settings)) for job in running)
    free = workers - len(busy)
    free_long = max(1, workers - 1) - sum(not is_short(job, settings) for job in busy)
    served, chosen = dict(turns), list[Job]()
    queue = sorted(waiting, key=lambda job: (job.created_at, job.id))
    while free > 0:
        ready = [
            job
            for job in queue
            if running_of[job.requested_by, is_short(job, settings)] < settings.running_per_person
            and (free_long > 0 or is_short(job, settings))
        ]
        if not ready:
            break
        # The queue is in the order of asking, and min takes the first of equals.
        job = min(ready, key=lambda job: served.get(job.requested_by, 0))
        queue.remove(job)
        chosen.append(job)
        short = is_short(job, settings)
        running_of[job.requested_by, short] += 1
        served[job.requested_by] = max(served.values(), default=0) + 1
        free -= 1
        free_long -= not short
    return chosen


def is_short(job: Job, settings: JobSettings) -> bool:
    """Whether it holds a worker up for a minute or so. A budget of work may take any time."""
    # A request may hold anything until its job is started.
    seconds = job.request.get("seconds")
    quick = isinstance(seconds, int | float) and seconds <= settings.short_seconds
    return quick or job.kind in (GEOCODE, COVERAGE, SCENARIO)


_DONE = {"what": "done", "fraction": 1.0}
_NOT_KEPT = "its result cannot be kept; the log of fieldvisit work says more"
_NOT_UNDERSTOOD = "what it asks for cannot be understood here; the log of fieldvisit work says more"
_GIVEN_UP = f"{MOST_ATTEMPTS} attempts came to nothing, and the last one's dispatcher was lost: it is not tried again"


def _is_attempt(job: Job, started: Job) -> bool:
    return job.state is JobState.RUNNING and job.attempt == started.attempt and job.lease_owner == started.lease_owner


def _is_stale(job: Job, now: datetime) -> bool:
    return job.lease_until is None or job.lease_until <= now


def _ended(job: Job, state: JobState, now: datetime) -> Job:
    return replace(job, state=state, lease_owner="", lease_until=None, finished_at=now)


def _fail(unit: UnitOfWork, job: Job, now: datetime) -> None:
    unit.jobs.put(_ended(job, JobState.FAILED, now))
    unit.audit("job.failed", job.id, area=job.area, kind=job.kind, attempt=job.attempt)


def _put_back(unit: UnitOfWork, job: Job, why: str) -> None:
    unit.jobs.put(replace(job, state=JobState.WAITING, lease_owner="", lease_until=None, progress={}))
    unit.audit("job.put_back", job.id, area=job.area, attempt=job.attempt, why=why)
