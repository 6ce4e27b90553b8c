"""What every command shares: settings and store, the --area option, errors as one line."""

from __future__ import annotations

import getpass
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache, update_wrapper
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from planner.access import Actor
from planner.errors import PlannerError
from planner.repository import PortableStore
from planner.settings import HOME_VARIABLE, Settings, default_home, read_settings
from planner.slots.agenda import Agendas
from planner.storage import open_store
from routing.area import Areas
from routing.errors import RoutingError

AREA_HELP = "The area; may be left out where there is only one."
FILE = click.Path(path_type=Path, dir_okay=False)


class _Seconds(click.FloatRange):
    """A time to search: to click, "nan" is in every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a valid float range.", param, ctx)
        return seconds


SECONDS = _Seconds(0.1, 86_400)


@dataclass
class App:
    """What every command needs, opened when it is first asked for."""

    home: Path | None

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.home)

    @cached_property
    def store(self) -> PortableStore:
        return open_store(self.settings.database_url)

    @cached_property
    def areas(self) -> Areas:
        return Areas(self.settings.areas)

    @cached_property
    def agendas(self) -> Agendas:
        return Agendas(lru_cache(lambda area: self.areas.get(area).streets()), self.settings)

    @cached_property
    def actor(self) -> Actor:
        """Whoever typed the command, as far as the machine knows."""
        try:
            return Actor(f"command:{getpass.getuser()}")
        except (OSError, KeyError):  # a container's user may have no name
            return Actor("command")

    @cached_property
    def console(self) -> Console:
        # Names from files are printed with markup=False: "[red]" in a customer's name is text.
        return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

    def close(self) -> None:
        """Let go of the database, if a command has used it."""
        if "store" in self.__dict__:
            self.store.close()

    def say(self, text: str) -> None:
        self.console.print(text)

    @contextmanager
    def bar(self) -> Iterator[Callable[[str, float], None]]:
        """A live progress bar on stderr; what it calls the work and the share done, 0 to 1, change as it goes."""
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("starting", total=1.0)
            yield lambda what, share: progress.update(task, description=what, completed=share)


def area_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--area NAME, to be left out where there is only one; the command gets the Area."""

    def with_area(app: App, /, area_name: str | None, **options: Any) -> Any:
        return command(app, area=app.areas.get(area_name), **options)

    update_wrapper(with_area, command)
    return click.option("--area", "area_name", metavar="NAME", help=AREA_HELP)(click.pass_obj(with_area))


class Commands(click.Group):
    """Turns the errors that we raise on purpose into one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (PlannerError, RoutingError) as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=HOME_VARIABLE,
    help=f"The folder of areas, database and settings.toml.  [default: {default_home().name} in your home folder]",
)
@click.version_option(package_name="fieldvisit")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """Plan the visits of field sales reps on real streets."""
    ctx.obj = App(home)
    ctx.call_on_close(ctx.obj.close)
