"""Serving a company, by gunicorn behind a proxy that does TLS.

This module is gunicorn's configuration file and holds the app that its workers run; `command` is how it is started.
The workers do not share what was opened before they were forked (no preload): a store is not to be forked.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

FILES_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
GRACE_S = 25


def command(bind: str, workers: int, threads: int) -> list[str]:
    """The command line that starts gunicorn; the home folder is in its environment."""
    options = ["--bind", bind, "--workers", str(workers), "--threads", str(threads)]
    return [sys.executable, "-m", "gunicorn", "--config", "python:webui.serving.production", *options, APP]


def refusal(public_url: str) -> str:
    """Why nobody should be served like this; empty if all is well."""
    if os.name == "nt" or find_spec("gunicorn") is None:
        return (
            "--production is served by gunicorn, which does not run on Windows: use Linux, or docs/deploy's container"
        )
    if not public_url.startswith("https://"):
        return (
            "--production needs the address that people type, so that browsers keep to https: write\n\n"
            '    [web]\n    public_url = "https://visits.example.com"\n    proxies = 1\n\n'
            "into settings.toml (docs/operations.md has the proxy that goes with it)"
        )
    return ""


def build() -> Flask:
    """The app of one worker."""
    from planner.observing import set_up_logging
    from planner.settings import read_settings
    from planner.storage import open_store
    from routing.area import Areas
    from webui.app import create_app
    from webui.sources import warm_all

    set_up_logging()
    settings = read_settings()
    app = create_app(open_store(settings.database_url), Areas(settings.areas), settings)
    threading.Thread(target=warm_all, args=(app.extensions["sources"], app.config["CLOCK"]()), daemon=True).start()
    return app


# ---- what gunicorn reads from here

APP = "webui.serving.production:build()"

worker_class = "gthread"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a slow disk must not look like a dead worker
timeout = 60
graceful_timeout = GRACE_S
keepalive = 5
accesslog = None  # webui.request_log writes what is worth knowing, without addresses
forwarded_allow_ips = ""  # the app believes as many proxies as the settings say
control_socket_disable = True
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "planner.observing.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}


def on_starting(server: Any) -> None:
    """Import, once, what every worker needs; nothing is opened before they are forked."""
    import webui.app  # noqa: F401


def when_ready(server: Any) -> None:
    """The master ends with `fieldvisit serve`, however that ends."""
    from planner.lifeline import end_with_parent

    end_with_parent()


def post_fork(server: Any, worker: Any) -> None:
    """A worker does not say what program it is."""
    from gunicorn.http.wsgi import Response

    lines = Response.default_headers
    Response.default_headers = lambda self: [line for line in lines(self) if not line.startswith("Server:")]


def post_worker_init(worker: Any) -> None:
    worker.wsgi.extensions["streams"].served_by(worker.cfg.threads)


def child_exit(server: Any, worker: Any) -> None:
    """What a worker counted stays counted; what it held open is not."""
    if os.environ.get(FILES_VARIABLE):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
