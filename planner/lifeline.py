"""A child process that ends when its parent has gone, however it went: also by kill -9, on every system.

The parent holds the one end of a pipe whose other end is the child's standard input. When the parent is gone, the
system closes its end, and the child reads the end of the file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, MutableMapping, Sequence

VARIABLE = "FIELDVISIT_LIFELINE"
GRACE_S = 30.0
"""A child that has not ended so long after its parent ends at once."""


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child that calls `end_with_parent`. Ctrl-C in the terminal is the parent's to handle."""
    marked = {**environment, VARIABLE: "stdin"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=marked, start_new_session=os.name != "nt")


def end_with_parent(environment: MutableMapping[str, str] = os.environ) -> None:
    """In a child: send SIGTERM to this process when the parent has gone. In any other process nothing happens."""
    if environment.pop(VARIABLE, "") == "stdin":
        threading.Thread(target=_wait, name="lifeline", daemon=True).start()


def _wait() -> None:
    while os.read(0, 4096):
        pass
    threading.Timer(GRACE_S, os._exit, (1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)
