"""The command `fieldvisit`, with `serve` added to the commands of planner/cli."""

from __future__ import annotations

import errno
import socket
import threading

import click
from waitress.server import create_server

from planner.cli import App, main
from webui.app import create_app
from webui.errors import WebError
from webui.sources import Sources

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="127.0.0.1, ::1 or localhost.")
@click.pass_obj
def serve(app: App, port: int, host: str) -> None:
    """Show the plans in a browser on this machine. Ctrl-C ends it."""
    if host not in LOOPBACK_HOSTS:
        raise click.ClickException(
            f"{host} is not this machine alone: there are no logins yet, so the pages are served on 127.0.0.1, ::1 "
            "or localhost only"
        )
    try:
        web = create_app(app.store, app.areas, app.settings)
    except WebError as error:
        raise click.ClickException(str(error)) from error
    with _listening("127.0.0.1" if host == "localhost" else host, port) as listener:
        server = create_server(web, sockets=[listener], threads=4, ident="", max_request_body_size=65_536)
        shown = f"[{host}]" if ":" in host else host
        app.say(f"http://{shown}:{listener.getsockname()[1]}/  (Ctrl-C ends it)")
        threading.Thread(target=_warm, args=(web.extensions["sources"],), daemon=True).start()
        server.run()
        server.close()


def _listening(address: str, port: int) -> socket.socket:
    try:
        return socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is taken: choose another with --port") from error
        raise click.ClickException(f"cannot serve on {address}, port {port}: {error.strerror or error}") from error


def _warm(sources: Sources) -> None:
    for area in sources.areas.list():
        sources.warm(area)
