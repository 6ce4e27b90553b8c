"""Serving on this machine only, by waitress; the only importer of waitress."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import threading
from typing import Any

import click
from flask import Flask
from waitress.server import create_server

from webui.bodies import UPLOAD_BYTES


def listening(address: str, port: int) -> socket.socket:
    """A socket that listens; ClickException says why there is none."""
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is taken: choose another with --port") from error
        raise click.ClickException(f"cannot serve on {address}, port {port}: {error.strerror or error}") from error


def serve_app(app: Flask, listener: socket.socket, threads: int) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    app.extensions["streams"].served_by(threads)
    server = create_server(
        app,
        sockets=[listener],
        threads=threads,
        ident="",
        max_request_body_size=UPLOAD_BYTES,  # the routes' own limits are lower
        clear_untrusted_proxy_headers=False,  # the app believes as many proxies as the settings say
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _end)
    server.run()
    server.close()


def _end(*_: Any) -> None:
    sys.exit(0)
