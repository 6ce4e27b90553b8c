"""Dask executes jobs: safely, and whatever is killed."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dask
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from distributed import LocalCluster, Security
from job_cast import AREA, alive, ask, make_home, offspring, start_work, workers_of

from planner.errors import SettingsError
from planner.jobs.cluster import DaskExecutor, open_executor, security_for
from planner.jobs.domain import JobState
from planner.jobs.requests import PLAN
from planner.jobs.tasks import End, Outcome, Report
from planner.settings import JobSettings, Settings
from routing.preparing import prepare

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """No worker has to compile anything before it begins."""
    prepare()


class Counting:
    """Counts for so many tenths of a second."""

    def __init__(self, tenths: int) -> None:
        self.tenths = tenths

    def run(self, report: Report) -> tuple[int, int]:
        for n in range(self.tenths):
            report({"what": "counting", "fraction": n / self.tenths})
            time.sleep(0.1)
        return os.getpid(), os.nice(0)


def until(found: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What is found, as soon as there is something. A busy machine is given time."""
    ends_s = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < ends_s, "it took too long"
        time.sleep(0.02)
    return answer


# ------------------------------------------------------------------------------------------------ safety


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> JobSettings:
    """An authority of our own, and a certificate of it for this machine."""
    folder = tmp_path_factory.mktemp("tls")
    now = datetime.now(UTC)

    def certificate(name: str, key: Any, issuer: str, signer: Any, authority: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key.public_key(),
            x509.random_serial_number(),
            now - timedelta(days=1),
            now + timedelta(days=1),
        )
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        return builder.add_extension(names, critical=False).sign(signer, hashes.SHA256())

    def pem(part: x509.Certificate) -> bytes:
        return part.public_bytes(serialization.Encoding.PEM)

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    (folder / "ca.pem").write_bytes(pem(certificate("test root", root_key, "test root", root_key, True)))
    (folder / "cert.pem").write_bytes(pem(certificate("test machine", key, "test root", root_key, False)))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files = (str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem"))
    return JobSettings("tls://scheduler.example.com:8786", *files)


@pytest.mark.parametrize(
    "scheduler",
    [
        "tcp://192.0.2.7:8786",
        "tcp://scheduler:8786",
        "tcp://localhost.example.com:8786",
        "tcp://127.0.0.1.example.com:8786",
        "tcp://0.0.0.0:8786",
        "tcp://[::]:8786",
        "scheduler:8786",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:port",
        "ws://127.0.0.1:8786",
        "inproc://127.0.0.1:1",
        "tls://127.0.0.1:8786",
    ],
)
def test_an_address_that_is_not_protected_is_refused(scheduler: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="", jobs=JobSettings(scheduler))
    with pytest.raises(SettingsError):
        open_executor(settings)


@pytest.mark.parametrize("missing", ["tls_ca_file", "tls_certificate", "tls_key"])
@pytest.mark.parametrize("file", ["", "/nowhere/file.pem"])
def test_tls_needs_all_three_files(certificates: JobSettings, missing: str, file: str) -> None:
    assert security_for(certificates) is not None
    with pytest.raises(SettingsError, match=missing):
        security_for(replace(certificates, **{missing: file}))


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"])
def test_a_scheduler_on_this_machine_may_speak_plainly(scheduler: str) -> None:
    assert security_for(JobSettings(scheduler)) is None


def test_a_scheduler_elsewhere_is_spoken_to_by_certificates_on_both_sides(
    certificates: JobSettings, tmp_path: Path
) -> None:
    files = {"tls_ca_file": certificates.tls_ca_file}
    for who in ("scheduler", "worker", "client"):
        files |= {f"tls_{who}_cert": certificates.tls_certificate, f"tls_{who}_key": certificates.tls_key}
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        host="127.0.0.1",
        protocol="tls://",
        security=Security(require_encryption=True, **files),
        dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path),
    ) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tls://127.0.0.1:")
        settings = Settings(home=tmp_path, database_url="", jobs=replace(certificates, scheduler=address))
        executor = open_executor(settings)
        assert (executor.shared, executor.workers()) == (True, 1)
        attempt = executor.submit("once", Counting(1))
        assert until(attempt.outcome).end is End.DONE
        executor.close()
        host, port = "127.0.0.1", int(address.rpartition(":")[2])
        stranger = ssl.create_default_context(cafile=certificates.tls_ca_file)
        with (
            socket.create_connection((host, port), timeout=5) as plain,
            stranger.wrap_socket(plain, server_hostname=host) as secured,
            pytest.raises(ssl.SSLError, match="certificate required"),
        ):
            secured.recv(1)
        with socket.create_connection((host, port), timeout=5) as plain:
            plain.sendall(b"\0" * 64)
            with pytest.raises(ConnectionResetError):
                plain.recv(1024)


@pytest.mark.slow
def test_a_scheduler_that_went_away_is_found_again_when_it_is_back(tmp_path: Path) -> None:
    def scheduler(port: int) -> LocalCluster:
        here: dict[str, Any] = {"host": "127.0.0.1", "scheduler_port": port, "dashboard_address": "127.0.0.1:0"}
        return LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", **here)

    first = scheduler(0)
    address = first.scheduler_address
    executor = open_executor(Settings(home=tmp_path, database_url="", jobs=JobSettings(address)))
    assert until(executor.workers) == 1
    attempt = executor.submit("interrupted", Counting(30))
    until(attempt.progress)
    first.close()
    assert until(attempt.outcome).end is End.LOST
    until(lambda: executor.workers() == 0)
    assert executor.submit("too early", Counting(1)).outcome() == Outcome(End.LOST)
    second = scheduler(int(address.rpartition(":")[2]))
    until(lambda: executor.workers() == 1)
    again = executor.submit("again", Counting(3))
    assert until(again.progress)["what"] == "counting"
    assert until(again.outcome).end is End.DONE
    executor.close()
    second.close()


def test_while_there_is_no_scheduler_there_are_no_workers_and_what_is_handed_in_is_lost(tmp_path: Path) -> None:
    executor = open_executor(Settings(home=tmp_path, database_url="", jobs=JobSettings("tcp://127.0.0.1:9")))
    assert executor.workers() == 0
    assert executor.submit("never", Counting(1)).outcome() == Outcome(End.LOST)
    executor.close()


# ------------------------------------------------------------------------------------------------ workers here


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskExecutor]:
    executor = open_executor(Settings(home=tmp_path_factory.mktemp("home"), database_url=""))
    yield executor
    executor.close()


def listening(pid: int) -> set[str]:
    """The addresses on which a process takes connections, in the kernel's hexadecimal."""
    inodes = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(handle))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.add(fields[1].split(":")[0])
    return found


@pytest.mark.slow
def test_workers_of_this_machine_give_way_to_pages_tell_their_progress_and_listen_here_only(
    executor: DaskExecutor,
) -> None:
    assert until(executor.workers) == 2
    attempt = executor.submit("first", Counting(8))
    assert until(attempt.progress)["what"] == "counting"
    outcome = until(attempt.outcome)
    worker, nice = outcome.result
    assert (outcome.end, nice) == (End.DONE, 10)
    assert listening(worker) == listening(os.getpid()) == {"0100007F"}
    assert (Path.cwd() / "dask-scratch-space").exists() is False


@pytest.mark.slow
def test_a_dropped_task_frees_its_worker(executor: DaskExecutor) -> None:
    unwanted = [executor.submit(f"unwanted {n}", Counting(600)) for n in range(2)]
    for attempt in unwanted:
        until(attempt.progress)
    for attempt in unwanted:
        attempt.drop()
    dropped_s = time.monotonic()
    assert until(executor.submit("wanted", Counting(1)).outcome).end is End.DONE
    assert time.monotonic() - dropped_s < 30  # instead of the minute that the tasks would take


class Improving:
    """Gets better for a minute, or until it is told that it is enough."""

    def run(self, report: Report) -> str:
        for n in range(600):
            if report({"what": "searching", "fraction": n / 600}):
                return "the best so far"
            time.sleep(0.1)
        return "the best"


@pytest.mark.slow
def test_a_task_that_is_told_that_it_is_enough_ends_with_what_it_has(executor: DaskExecutor) -> None:
    attempts = [executor.submit(f"improving {n}", Improving()) for n in range(2)]
    for attempt in attempts:
        until(lambda attempt=attempt: (attempt.progress() or {}).get("what") == "searching")
    attempts[0].finish()
    told_s = time.monotonic()
    assert until(attempts[0].outcome).result == "the best so far"
    assert (
        time.monotonic() - told_s < 30
    )  # instead of the minute; half a second on a machine that has nothing else to do
    assert attempts[1].outcome() is None
    attempts[1].finish()
    until(attempts[1].outcome)


@pytest.mark.slow
def test_a_killed_worker_ends_its_attempt_and_another_takes_its_place(executor: DaskExecutor) -> None:
    worker, _ = until(executor.submit("where", Counting(1)).outcome).result
    attempts = [executor.submit(f"long {n}", Counting(20)) for n in range(2)]
    for attempt in attempts:
        until(attempt.progress)
    os.kill(worker, signal.SIGKILL)
    assert {until(attempt.outcome).end for attempt in attempts} == {End.FAILED, End.DONE}
    until(lambda: executor.workers() == 2)
    assert until(executor.submit("after", Counting(1)).outcome).end is End.DONE


@pytest.mark.slow
def test_a_worker_that_dask_gives_up_is_replaced(executor: DaskExecutor) -> None:
    until(lambda: executor.workers() == 2)
    worker, _ = until(executor.submit("which", Counting(1)).outcome).result
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}):
        os.kill(worker, signal.SIGKILL)
        until(lambda: executor.workers() < 2)
        until(lambda: executor.workers() == 2)
    assert until(executor.submit("by the other or the new one", Counting(1)).outcome).end is End.DONE


# ------------------------------------------------------------------------------------------------ kills


@pytest.mark.slow
def test_every_job_ends_once_though_workers_and_dispatchers_are_killed(tmp_path: Path) -> None:
    store = make_home(tmp_path, "[jobs]\nlease_seconds = 2\nmost_failures = 100\n")
    people = [f"user:{n}" for n in range(3)]
    for n, who in enumerate(people):
        ask(store, tmp_path, f"job {n}", who)

    def jobs() -> list[Any]:
        with store.read() as unit:
            return unit.jobs.find()

    def running() -> bool:
        return any(job.state is JobState.RUNNING for job in jobs())

    started = [start_work(tmp_path)]
    try:
        until(running)
        os.kill(workers_of(started[0].pid)[0], signal.SIGKILL)
        until(running)
        left = offspring(started[0].pid)
        started[0].kill()  # the dispatcher, with kill -9
        until(lambda: not any(map(alive, left)))
        started.append(start_work(tmp_path))
        until(lambda: all(job.state.ended for job in jobs()))
        left = offspring(started[1].pid)
        started[1].terminate()
        assert started[1].wait(120) == 0
        until(lambda: not any(map(alive, left)))
    finally:
        for process in started:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
    assert {job.state for job in jobs()} == {JobState.DONE}
    assert max(job.attempt for job in jobs()) > 1
    with store.read() as unit:
        assert sorted(job.result["version"] for job in jobs() if job.kind == PLAN) == [1, 2, 3]
        assert len(unit.plans(AREA).list()) == 3
        [beat] = unit.heartbeats.find()  # the one that was stopped took its own away
        assert f"-{started[0].pid}-" in beat.owner
    store.close()
