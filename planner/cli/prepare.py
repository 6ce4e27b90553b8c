"""fieldvisit prepare."""

from __future__ import annotations

import logging
import time

import click

from planner.cli.app import App, main
from routing import native
from routing.errors import RoutingError
from routing.preparing import Loops, loops, make_ready
from routing.preparing import prepare as compile_loops

_log = logging.getLogger(__name__)


@main.command()
@click.pass_obj
def prepare(app: App) -> None:
    """Compile what would be slow in Python, once a machine and version; serve and work do so by themselves."""
    began_s = time.monotonic()
    done, state = compile_loops(), loops()
    if state is Loops.PLAIN:
        app.say("numba is not installed: there is nothing to compile, and plans are searched with OR-Tools alone")
    elif state is Loops.HOMELESS:
        app.say(f"no folder can be written to keep machine code in: name one by {native.FOLDER_VARIABLE}")
    elif done:
        app.say(f"compiled in {time.monotonic() - began_s:.0f} s, kept in {native.FOLDER}")
    else:
        app.say(f"everything is compiled, in {native.FOLDER}")


def ready_to_serve(app: App) -> None:
    """Before a process takes anybody's requests or jobs: none of them is to wait for a compiler."""
    if loops() is Loops.MISSING:
        app.say("compiling what would be slow in Python, once on this machine: a minute at most")
    began_s = time.monotonic()
    try:
        if make_ready():
            took = {"seconds": round(time.monotonic() - began_s, 1), "folder": str(native.FOLDER or "")}
            _log.info("the loops are compiled", extra={"fields": took})
    except RoutingError as error:  # then they are compiled where they are needed, late but no less
        _log.error("%s", error)
