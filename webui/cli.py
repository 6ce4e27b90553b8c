"""The command `fieldvisit`, with `serve` added to the commands of planner/cli."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

import click

from planner import lifeline
from planner.cli import App, main
from planner.cli.app import AREA_HELP
from planner.cli.bench import bench
from planner.cli.prepare import ready_to_serve
from planner.observing import FORMAT_VARIABLE, set_up_logging
from planner.people.keys import read_keys, setup_code
from planner.settings import HOME_VARIABLE
from routing.errors import AreaError
from webui.errors import WebError
from webui.serving import production
from webui.serving.companion import Companion

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="127.0.0.1, ::1 or localhost; any in production.")
@click.option("--production", "in_production", is_flag=True, help="Serve a company: gunicorn, behind a proxy with TLS.")
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes in production; one a core, four at most, if left out."
)
@click.option("--threads", type=click.IntRange(2, 256), default=16, show_default=True, help="Of each process.")
@click.option("--without-work", is_flag=True, help="Do not work on jobs here: fieldvisit work runs elsewhere.")
@click.pass_obj
def serve(
    app: App, port: int, host: str, in_production: bool, workers: int | None, threads: int, without_work: bool
) -> None:
    """Show the pages in a browser, and work on the jobs that people ask for. Ctrl-C ends it."""
    if in_production:
        refusal = production.refusal(app.settings.web.public_url)
        if refusal:
            raise click.ClickException(refusal)
        _serve_company(app, _address(host, port), workers or min(4, os.cpu_count() or 1), threads, without_work)
    else:
        if host not in LOOPBACK_HOSTS:
            raise click.ClickException(
                f"{host} is not this machine alone, and plain serve has no TLS: serve on 127.0.0.1, ::1 or localhost, "
                "or with --production behind a proxy"
            )
        _serve_here(app, host, port, threads, without_work)


@bench.command("coverage")
@click.option("--area", "area_name", metavar="NAME", help=AREA_HELP)
@click.option("--accounts", type=click.IntRange(50, 100_000), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def coverage(app: App, area_name: str | None, accounts: int, seed: int, as_json: bool) -> None:
    """How fast the coverage map is with thousands of customers, drawn on the area's streets.

    Your own records are neither read nor changed. The browser's figures need Playwright and Chromium.
    """
    from webui.benchmarking import measure

    try:
        area = app.areas.get(area_name)
    except AreaError as error:
        add = f"fieldvisit area add {area_name or 'NAME'} --extract FILE.osm.pbf"
        raise click.ClickException(f"{error}; to add one: {add}") from error
    with app.bar() as progress:
        figures = measure(area, accounts, seed, app.settings, progress)
    told = asdict(figures)
    if as_json:
        app.say(json.dumps(told, indent=1))
    else:
        for name, value in (told | (told.pop("browser") or {})).items():
            if value != "":
                app.say(f"{name.replace('_', ' '):>16}  {value}")


def _serve_here(app: App, host: str, port: int, threads: int, without_work: bool) -> None:
    # Imported here, as they take a second that no other command should wait for.
    from webui.app import create_app
    from webui.serving.local import listening, serve_app
    from webui.sources import warm_all

    set_up_logging()
    try:
        web = create_app(app.store, app.areas, app.settings)
    except WebError as error:
        raise click.ClickException(str(error)) from error
    ready_to_serve(app)
    with listening("127.0.0.1" if host == "localhost" else host, port) as listener:
        here = f"http://{_address(host, listener.getsockname()[1])}/"
        app.say(f"{here}  (Ctrl-C ends it)")
        _say_how_to_begin(app, app.settings.web.public_url or here)
        with _working(app, os.environ, without_work):
            warming = (web.extensions["sources"], web.config["CLOCK"]())
            threading.Thread(target=warm_all, args=warming, daemon=True).start()
            serve_app(web, listener, threads)


def _serve_company(app: App, address: str, workers: int, threads: int, without_work: bool) -> None:
    set_up_logging(json_lines=True)
    app.store.is_current()  # opened, so that it is migrated once, here; and the first to say what is wrong with it
    app.say(f"{app.settings.web.public_url} from {address}, {workers} × {threads} at a time")
    _say_how_to_begin(app, app.settings.web.public_url)
    app.close()
    ready_to_serve(app)
    with tempfile.TemporaryDirectory(prefix="fieldvisit-metrics-") as figures:
        json_logs = {**os.environ, FORMAT_VARIABLE: "json", HOME_VARIABLE: str(app.settings.home)}
        with _working(app, json_logs, without_work):
            environment = {**json_logs, production.FILES_VARIABLE: figures}
            server = lifeline.start(production.command(address, workers, threads), environment)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: server.terminate())
            status = server.wait()
    if status != 0:
        sys.exit(1)


@contextmanager
def _working(app: App, environment: Mapping[str, str], without_work: bool) -> Iterator[None]:
    """The dispatcher beside the server, unless it runs elsewhere."""
    if without_work:
        yield
        return
    command = [
        sys.executable,
        "-P",
        "-c",
        "from webui.cli import main; main()",
        "--home",
        str(app.settings.home),
        "work",
    ]
    companion = Companion("fieldvisit work", command, environment)
    companion.start()
    try:
        yield
    finally:
        companion.stop()


def _say_how_to_begin(app: App, address: str) -> None:
    with app.store.read() as unit:
        anybody = unit.users.find()
    if not anybody:
        code = setup_code(read_keys(app.settings.home))
        app.say(f"Nobody can log in yet. The first admin begins at {address.rstrip('/')}/setup?code={code}")


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
