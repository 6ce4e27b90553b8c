"""A command that runs beside the server and is started again whenever it ends."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from planner import lifeline

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""Between two starts; it doubles while the command keeps ending, and begins anew after it ran so long."""

STOP_S = 20.0

_log = logging.getLogger(__name__)


class Companion:
    """Runs from `start` to `stop`, and no longer than this process (see planner/lifeline.py)."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._first_pause_s = first_pause_s
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        with self._changing:
            self._stopped.set()
            process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin:
            process.stdin.close()

    def _keep(self) -> None:
        pause = self._first_pause_s
        while True:
            began = time.monotonic()
            with self._changing:
                if self._stopped.is_set():
                    return
                self._process = process = lifeline.start(self._command, self._environment)
            status = process.wait()
            if self._stopped.is_set():
                return
            if process.stdin:
                process.stdin.close()
            if time.monotonic() - began > LONGEST_PAUSE_S:
                pause = self._first_pause_s
            _log.error(
                "%s ended and is started again", self.name, extra={"fields": {"status": status, "pause_s": pause}}
            )
            self._stopped.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
