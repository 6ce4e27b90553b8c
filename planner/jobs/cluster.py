"""Dask: workers on this machine, or on many behind a scheduler's address. The only module that knows it.

Whoever reaches a Dask port can run any code, so every connection is TLS with certificates on both sides. Workers of
this machine get certificates that are made for the occasion; a scheduler elsewhere needs the three files of the
settings. Only a scheduler of one's own on this machine may be spoken to without.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import platform
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Security, WorkerPlugin, get_worker
from distributed.protocol.pickle import dumps, loads

from planner.errors import SettingsError
from planner.jobs.tasks import End, Outcome, Task, UnwantedError, attempt
from planner.settings import JobSettings, Settings
from routing.errors import RoutingError
from routing.preparing import Loops, loops, make_ready

NICE = 10
"""Workers give way to the pages that are served on the same machine."""

PROGRESS_S = 0.5
CONNECT_S = 5.0
RETRY_S = 5.0
"""A scheduler that did not answer is asked again after so long."""
CLOSE_S = 5.0
COUNT_S = 1.0
"""So old the number of workers may be."""

_TOPIC = "fieldvisit-progress"
_PLUGIN = "fieldvisit-unwanted"

_log = logging.getLogger(__name__)


def open_executor(settings: Settings) -> DaskExecutor:
    """Workers as the settings say.

    Raises:
        SettingsError: the scheduler is elsewhere and the connection would not be safe, or a file is missing.
    """
    chosen = settings.jobs
    security = security_for(chosen) if chosen.scheduler else None
    _configure(settings.home)
    if security is not None or chosen.scheduler:
        return DaskExecutor(chosen.scheduler, security)
    return DaskExecutor(local=chosen.workers + 1)


def security_for(chosen: JobSettings) -> Security | None:
    """What a connection to the scheduler needs; None for plain TCP, which only this machine may speak.

    Raises:
        SettingsError: the address is no tcp:// or tls:// address, or leads off this machine without TLS both ways.
    """
    url = urlsplit(chosen.scheduler)
    try:
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if url.scheme not in ("tcp", "tls") or not host or not port:
        raise SettingsError(f"[jobs] scheduler {chosen.scheduler!r} is no address such as tls://scheduler:8786")
    files = {name: getattr(chosen, name) for name in ("tls_ca_file", "tls_certificate", "tls_key")}
    if url.scheme == "tcp":
        if not _is_loopback(host):
            raise SettingsError(
                f"[jobs] scheduler {chosen.scheduler} is on another machine and unprotected: whoever reaches it can "
                "run any program there. Give it certificates and a tls:// address (docs/operations.md)"
            )
        return None
    for name, file in files.items():
        if not file:
            raise SettingsError(f"[jobs] {name} is missing: a tls:// scheduler needs {', '.join(files)}")
        if not Path(file).is_file():
            raise SettingsError(f"[jobs] {name}: there is no file {file}")
    return Security(
        tls_ca_file=chosen.tls_ca_file,
        tls_client_cert=chosen.tls_certificate,
        tls_client_key=chosen.tls_key,
        require_encryption=True,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _configure(home: Path) -> None:
    """Dask by its own defaults and what follows, whatever lies in ~/.config/dask or in the environment."""
    dask.config.refresh(paths=[], env={})
    dask.config.set(
        {
            "temporary-directory": str(home / "dask"),
            "distributed.scheduler.allowed-failures": 0,  # a lost worker is counted in the job's row
            "distributed.scheduler.http.routes": [],
            "distributed.scheduler.active-memory-manager.start": False,
            "distributed.scheduler.work-stealing": False,
            # A lost worker comes back by itself, on a busy machine in more than the 15 s after which Dask gives it up.
            "distributed.deploy.lost-worker-timeout": "10 minutes",
            "distributed.worker.http.routes": [],
            "distributed.worker.profile.enabled": False,
            # Idle processes used to wake 50 times a second to see how late they are; nobody reads that.
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.tick.limit": "60s",
            "distributed.admin.system-monitor.interval": "5s",
            # No results are held for long: there is nothing to spill or to wait for.
            "distributed.worker.memory.target": False,
            "distributed.worker.memory.spill": False,
            "distributed.worker.memory.pause": False,
            "distributed.comm.timeouts.connect": f"{CONNECT_S}s",
            "distributed.comm.timeouts.tcp": "15s",
            "distributed.diagnostics.nvml": False,
        }
    )
    for name in ("distributed", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class DaskExecutor:
    """Satisfies `executing.Executor`: `local` workers of this machine, or those of a scheduler elsewhere."""

    def __init__(self, scheduler: str = "", security: Security | None = None, *, local: int = 0) -> None:
        self._cluster: LocalCluster | None = None
        self._local = local
        if local:
            security = Security.temporary()
            self._cluster = LocalCluster(
                n_workers=local,
                threads_per_worker=1,
                host="127.0.0.1",
                protocol="tls://",
                security=security,
                silence_logs=logging.CRITICAL,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            )
            scheduler = self._cluster.scheduler_address
        self._scheduler = scheduler
        self._security = security
        self._client: Client | None = None
        self._retry_at_s = 0.0
        self._progress: dict[str, Mapping[str, Any]] = {}
        self._workers = 0
        self._counted_at_s = 0.0

    @property
    def shared(self) -> bool:
        return self._cluster is None

    def workers(self) -> int:
        now_s = time.monotonic()
        if now_s - self._counted_at_s >= COUNT_S:
            self._workers = self._count()
            self._counted_at_s = now_s
        return self._workers

    def _count(self) -> int:
        client = self._connected()
        if client is None:
            return 0
        if self._cluster is not None and len(self._cluster.workers) < self._local:
            _log.warning("a worker was given up: another is started")
            self._cluster.scale(self._local)
        try:
            return sum(client.nthreads().values())
        except Exception as error:  # whatever a connection that breaks may raise
            _log.warning("the Dask scheduler does not answer: %s", error)
            return 0

    def _connected(self) -> Client | None:
        """The client, if it has a scheduler; one that lost its scheduler is replaced."""
        if self._client is not None and self._client.status == "running":
            return self._client
        if time.monotonic() < self._retry_at_s:
            return None
        self._disconnect()
        try:
            client = Client(self._scheduler, security=self._security, timeout=CONNECT_S, set_as_default=False)
            client.subscribe_topic(_TOPIC, self._hear)
            client.register_plugin(_Unwanted(), name=_PLUGIN)
        except Exception as error:  # refused, timed out, a certificate that is none: it may be there later
            self._retry_at_s = time.monotonic() + RETRY_S
            _log.warning("cannot reach the Dask scheduler at %s: %s", self._scheduler, error)
            return None
        self._client = client
        return client

    def _disconnect(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.close(timeout=1)
            self._client = None

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        name = event[1]["name"]
        if name in self._progress:
            self._progress[name] = event[1]["progress"]

    def submit(self, name: str, task: Task) -> DaskAttempt:
        self._progress[name] = {}
        client, future = self._connected(), None
        if client is not None:
            packed = zlib.compress(dumps(task), 1)
            with contextlib.suppress(Exception):  # the scheduler has just gone: told by the outcome
                future = client.submit(_work, packed, key=name, pure=False)
        return DaskAttempt(name, client, future, self._progress)

    def close(self) -> None:
        self._disconnect()
        if self._cluster is not None:
            with contextlib.suppress(TimeoutError):  # workers end with this process, whatever they are doing
                self._cluster.close(timeout=CLOSE_S)


class DaskAttempt:
    """Satisfies `executing.Attempt`."""

    def __init__(
        self, name: str, client: Client | None, future: Future[Any] | None, heard: dict[str, Mapping[str, Any]]
    ) -> None:
        self._name = name
        self._client = client
        self._future = future
        self._heard = heard

    def progress(self) -> Mapping[str, Any] | None:
        return self._heard.get(self._name) or None

    def outcome(self) -> Outcome | None:
        if self._client is None or self._future is None or self._client.status != "running":
            return Outcome(End.LOST)
        status = self._future.status
        if status == "pending":
            return None
        try:
            outcome = self._future.result(timeout=CONNECT_S)
            assert isinstance(outcome, Outcome)
            return outcome
        except KilledWorker:
            return Outcome(End.FAILED, error="the worker was lost: out of memory, or killed")
        except TimeoutError:  # its worker died with the result: Dask runs it again
            return None
        except Exception as error:
            if status != "error":
                return Outcome(End.LOST)
            return Outcome(End.FAILED, error=f"the worker could not begin: {error!s:.200}")

    def finish(self) -> None:
        if self._client is not None and self._future is not None and self._client.status == "running":
            # In the workers' own loops, which are free while their tasks run in threads of their own; and from the
            # client's, since a worker that is gone is waited for. Should none hear of it, the task ends when it would.
            client: Any = self._client
            client.loop.add_callback(client._run, _finish, self._name, on_error="ignore")

    def drop(self) -> None:
        self._heard.pop(self._name, None)
        if self._future is not None:
            with contextlib.suppress(Exception):
                self._future.cancel()
            self._future = None


class _Unwanted(WorkerPlugin):
    """Lets a task know that nobody wants it any more: it was dropped, or whoever handed it in is gone; or that it has
    done enough (`finishing`).

    Dask takes it off the worker's list then, but cannot stop the thread that runs it.
    """

    idempotent = True
    names: set[str]
    finishing: set[str]

    def setup(self, worker: Any) -> None:
        self.names, self.finishing = set(), set()

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        if start == "executing" and finish == "released":
            self.names.add(key)


def _finish(name: str, dask_worker: Any) -> None:
    """On each worker: the task of this name, should it be here or come yet, has done enough."""
    dask_worker.plugins[_PLUGIN].finishing.add(name)


def _work(packed: bytes) -> Outcome:
    """What a worker does with a task."""
    if hasattr(os, "nice"):  # not on Windows
        os.nice(max(0, NICE - os.nice(0)))  # of this thread, and of the processes that it starts
    worker: Any = get_worker()
    name, heard = worker.get_current_task(), worker.plugins[_PLUGIN]
    unwanted, finishing = heard.names, heard.finishing
    told_s = 0.0

    def report(progress: Mapping[str, Any]) -> bool:
        nonlocal told_s
        if name in unwanted:
            raise UnwantedError
        now_s = time.monotonic()
        if now_s - told_s >= PROGRESS_S:
            told_s = now_s
            worker.log_event(_TOPIC, {"name": name, "progress": dict(progress)})
        return name in finishing

    try:
        if loops() is Loops.MISSING:  # on a machine where no part of fieldvisit but this has ever been started
            report({"what": "compiling, once on this machine", "fraction": 0.0})
            with contextlib.suppress(RoutingError):  # then they are compiled when they are first called
                make_ready()
        task: Task = loads(zlib.decompress(packed))
        return attempt(task, report)
    finally:
        unwanted.discard(name)
        finishing.discard(name)


@dataclass(frozen=True, slots=True)
class ClusterSeen:
    """A scheduler as `fieldvisit doctor` sees it: how many workers it has, and what is wrong with each that is not
    as this machine is, by its address."""

    workers: int
    odd: Mapping[str, str]


def look_at(settings: Settings) -> ClusterSeen:
    """Ask the workers of a scheduler elsewhere which fieldvisit they are, and whether they see the areas.

    Raises:
        SettingsError: the connection would not be safe, or the scheduler cannot be reached.
    """
    security = security_for(settings.jobs)
    _configure(settings.home)
    try:
        with Client(settings.jobs.scheduler, security=security, timeout=CONNECT_S, set_as_default=False) as client:
            seen: Mapping[str, tuple[str, str, bool]] = client.run(_who_are_you, str(settings.areas))
            # Of the scheduler too: another Dask there is trouble that shows itself late.
            theirs = client.get_versions()["scheduler"]["packages"]["distributed"]
    except Exception as error:  # refused, timed out, a certificate that is none
        raise SettingsError(f"the Dask scheduler at {settings.jobs.scheduler} cannot be reached: {error}") from error
    odd = {address: _oddity(*answer) for address, answer in seen.items()}
    if theirs != version("distributed"):
        odd["the scheduler"] = f"has Dask {theirs}, not {version('distributed')}"
    return ClusterSeen(len(seen), {address: oddity for address, oddity in odd.items() if oddity})


def _who_are_you(areas: str) -> tuple[str, str, bool]:
    return version("fieldvisit"), platform.python_version(), Path(areas).is_dir()


def _oddity(their_version: str, their_python: str, sees_areas: bool) -> str:
    if their_version != version("fieldvisit"):
        return f"runs fieldvisit {their_version}, not {version('fieldvisit')}"
    if their_python.rpartition(".")[0] != platform.python_version().rpartition(".")[0]:
        return f"runs Python {their_python}, not {platform.python_version()}"
    return "" if sees_areas else "does not see the folder of areas under the same path"
