"""What Prometheus is told; the only importer of prometheus_client.

Labels are routes as they are declared, never addresses that somebody typed: their number is bounded.
With several processes (gunicorn) the numbers are kept in the files of PROMETHEUS_MULTIPROC_DIR and added up.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from importlib.metadata import version

from flask import Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest

from planner.access import EVERYTHING, SYSTEM, Actor, Scope
from planner.errors import StorageError
from planner.jobs.domain import Job, JobState
from planner.repository import R, Store, UnitOfWork
from routing.preparing import loops
from webui.request_log import route, seconds_since_start

FILES_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
RECENT = timedelta(days=1)
MOST_MEASURED = 200
"""So many of the jobs done last tell how long jobs take: Prometheus asks several times a minute."""

REQUESTS = Counter("fieldvisit_requests", "Answers given.", ["method", "route", "status"])
LATENCY = Histogram(
    "fieldvisit_request_seconds",
    "From a request's arrival to the first byte of its answer.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
STREAMS = Gauge("fieldvisit_open_streams", "Pages that follow a job.", multiprocess_mode="livesum")
WRITE_WAIT = Histogram(
    "fieldvisit_write_wait_seconds",
    "How long a writer waited for its turn.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
STORE_ERRORS = Counter("fieldvisit_store_errors", "Units of work that the database refused.", ["kind"])


def count_requests(app: Flask) -> None:
    """Count every answer of the app, and the streams that are open."""

    def count(response: Response) -> Response:
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route(), str(response.status_code)).inc()
        LATENCY.labels(route()).observe(seconds_since_start())
        if response.mimetype == "text/event-stream":
            STREAMS.inc()
            response.call_on_close(STREAMS.dec)
        return response

    app.after_request(count)


class MeasuredStore:
    """A store that counts what it refuses, and how long writers wait; satisfies `repository.Store`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, scope: Scope = EVERYTHING) -> AbstractContextManager[UnitOfWork]:
        return self._counted("read", self._store.read(scope))

    @contextmanager
    def write(self, actor: Actor = SYSTEM, *, audited: bool = True) -> Iterator[UnitOfWork]:
        asked = time.perf_counter()
        with self._counted("write", self._store.write(actor, audited=audited)) as unit:
            WRITE_WAIT.observe(time.perf_counter() - asked)
            yield unit

    def is_current(self) -> bool:
        return self._store.is_current()

    def prepared(self, records: Sequence[R]) -> Sequence[R]:
        return self._store.prepared(records)

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def _counted(self, kind: str, opened: AbstractContextManager[UnitOfWork]) -> Iterator[UnitOfWork]:
        try:
            with opened as unit:
                yield unit
        except StorageError:
            STORE_ERRORS.labels(kind).inc()
            raise


class JobsCollector:
    """The jobs as their rows tell them, read when Prometheus asks; the same whoever runs them, and wherever."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        now = self._clock()
        with self._store.read() as unit:
            counts = {state: unit.jobs.count(state=state) for state in JobState}
            waiting = [(now - job.created_at).total_seconds() for job in unit.jobs.find(state=JobState.WAITING)]
            done = unit.jobs.latest("finished_at", MOST_MEASURED, state=JobState.DONE)
        states = GaugeMetricFamily("fieldvisit_jobs", "Jobs that are kept.", labels=["state"])
        for state, count in counts.items():
            states.add_metric([state.value], count)
        yield states
        oldest = max(waiting, default=0.0)
        yield GaugeMetricFamily("fieldvisit_oldest_waiting_job_seconds", "Its age; 0 without one.", value=oldest)
        took = sorted(_seconds(job) for job in done if _ended_since(job, now - RECENT))
        durations = GaugeMetricFamily(
            "fieldvisit_job_seconds", "How long jobs took: the last 200, of the last day.", labels=["quantile"]
        )
        for quantile in (0.5, 0.95, 1.0) if took else ():
            durations.add_metric([str(quantile)], took[round(quantile * (len(took) - 1))])
        yield durations


class BuildCollector:
    """Which fieldvisit this is, and whether its loops run as machine code that is kept (`routing.preparing.Loops`)."""

    def collect(self) -> Iterable[Metric]:
        facts = {"version": version("fieldvisit"), "python": platform.python_version(), "loops": loops().value}
        yield InfoMetricFamily("fieldvisit_build", "What is running.", value=facts)


def _ended_since(job: Job, moment: datetime) -> bool:
    return job.finished_at is not None and job.finished_at >= moment


def _seconds(job: Job) -> float:
    began, ended = job.started_at or job.created_at, job.finished_at or job.created_at
    return (ended - began).total_seconds()


def exposition(store: Store, clock: Callable[[], datetime]) -> tuple[bytes, str]:
    """All metrics of the installation as text, and its content type.

    Raises:
        StorageError: the database could not be read.
    """
    own = CollectorRegistry()
    own.register(BuildCollector())
    own.register(JobsCollector(store, clock))
    if os.environ.get(FILES_VARIABLE):
        multiprocess.MultiProcessCollector(own)
        return generate_latest(own), CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY) + generate_latest(own), CONTENT_TYPE_LATEST
