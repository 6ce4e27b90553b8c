"""The process that OR-Tools runs in, and the crew of such processes that a search gives its regions to.

OR-Tools holds the interpreter's lock while it searches, so it gets a process of its own: the search can then report,
be cancelled and end on time. A worker is a plain interpreter that speaks pickles over its standard input and output.
It imports nothing of the caller's main module and may be started from a daemon, a notebook or a test.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from routing.errors import RoutingError
from routing.problem import Problem
from routing.solver.regions.region import Region

Sequences = list[list[int]]


class Crew:
    """Workers that solve regions of one problem. Results come back by the number that `submit` gave.

    Raises:
        RoutingError: from `result`, when a worker dies or fails.
    """

    def __init__(self, problem: Problem, size: int) -> None:
        self._problem = pickle.dumps(problem)
        self._size = size
        self._workers: list[subprocess.Popen[bytes]] = []
        self._idle: deque[int] = deque()
        self._waiting: deque[tuple[int, Region]] = deque()
        self._done: dict[int, Sequences | None] = {}
        self._messages: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        self._submitted = 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def submit(self, region: Region) -> int:
        """Hand a region in; returns its number."""
        self._waiting.append((self._submitted, region))
        self._submitted += 1
        self._hand_out()
        return self._submitted - 1

    def result(self, number: int, timeout_s: float) -> tuple[bool, Sequences | None]:
        """(True, sequences or None if nothing was found) once the region is done, (False, None) after `timeout_s`."""
        if number not in self._done:
            try:
                self._receive(*self._messages.get(timeout=timeout_s))
            except queue.Empty:
                return False, None
        if number not in self._done:
            return False, None
        return True, self._done.pop(number)

    def _receive(self, worker: int, message: Any) -> None:
        match message:
            case ("done", int(number), sequences):
                self._done[number] = sequences
                self._idle.append(worker)
                self._hand_out()
            case ("failed", str(text)):
                raise RoutingError(f"the solver failed: {text}")
            case _:
                code = self._workers[worker].wait()
                raise RoutingError(
                    f"a solver process ended before its time (exit code {code}); out of memory, or killed"
                )

    def _hand_out(self) -> None:
        while self._waiting:
            if not self._idle:
                if len(self._workers) == self._size:
                    return
                self._hire()
            worker = self._idle.popleft()
            pipe = self._workers[worker].stdin
            assert pipe is not None
            try:
                pickle.dump(self._waiting.popleft(), pipe)
                pipe.flush()
            except OSError:
                self._receive(worker, None)

    def _hire(self) -> None:
        package_root = str(Path(__file__).parents[3])
        paths = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
        worker = subprocess.Popen(
            [sys.executable, "-P", "-c", "from routing.solver.regions.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        self._workers.append(worker)
        number = len(self._workers) - 1
        assert worker.stdin is not None
        assert worker.stdout is not None
        threading.Thread(target=self._listen, args=(number, worker.stdout), daemon=True).start()
        with contextlib.suppress(OSError):  # a worker that is gone already is noticed when it is given work
            worker.stdin.write(self._problem)
            worker.stdin.flush()
        self._idle.append(number)

    def _listen(self, worker: int, pipe: BinaryIO) -> None:
        with contextlib.suppress(Exception):
            while True:
                self._messages.put((worker, pickle.load(pipe)))
        self._messages.put((worker, None))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Read a problem, then regions to solve, until the pipe closes."""

    def answer(*message: object) -> None:
        pickle.dump(message, answers)
        answers.flush()

    try:
        import numpy as np

        from routing.solver.regions.assembly import solve_region

        problem: Problem = pickle.load(requests)
        seconds = np.array(problem.seconds, dtype=np.int64)
        while True:
            number, region = pickle.load(requests)
            answer("done", number, solve_region(problem, seconds, region))
    except EOFError:
        return
    except Exception:
        answer("failed", traceback.format_exc(limit=-3))


def main() -> None:
    """What a worker runs. Ctrl-C is for the process that asks, not for the one that works."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)
