"""The machine: the program and its libraries, the home folder and who may read it, disk and clock."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from planner.doctor.findings import Finding, bad, doubtful, good
from planner.errors import PlannerError
from planner.people.keys import KEY_FILE, KEY_VARIABLE, read_keys
from planner.settings import Settings
from routing import native
from routing.preparing import Loops

NEEDED = ("ortools", "osmnx", "sqlalchemy", "flask", "folium", "distributed", "argon2", "cryptography")
QUICKER = {"routingkit_cch": "travel times are slower"}
"""Libraries that some machines lack, and what that means."""

LITTLE_BYTES, TOO_LITTLE_BYTES = 2_000_000_000, 200_000_000
WRITTEN = datetime(2026, 11, 1, tzinfo=UTC)
"""A clock that is behind the writing of this program is wrong."""


def program() -> Iterator[Finding]:
    """What fieldvisit is made of is there."""
    about = f"fieldvisit {_version('fieldvisit')}, Python {platform.python_version()}"
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        yield bad("program", f"{', '.join(missing)} is missing", "install fieldvisit again: pip install fieldvisit")
    slower = [name for name in QUICKER if find_spec(name) is None]
    for name in slower:
        yield doubtful("program", f"{name} is missing: {QUICKER[name]}", f"pip install {name} if it can be")
    if not missing and not slower:
        yield good("program", about)


def compiled(state: Loops) -> Iterator[Finding]:
    """What would be slow in Python is compiled, and nobody waits for that."""
    if state is Loops.KEPT:
        yield good("loops", f"compiled, in {native.FOLDER}")
    elif state is Loops.MISSING:
        yield doubtful("loops", "not compiled yet: whoever needs them first waits for a minute", "fieldvisit prepare")
    elif state is Loops.HOMELESS:
        advice = f"name a folder by {native.FOLDER_VARIABLE} that the user who runs fieldvisit can write"
        yield doubtful("loops", "compiled anew by every process: there is no folder to keep machine code in", advice)
    else:
        what = "plain Python: plans are searched with OR-Tools alone (engine ortools), and are not as good"
        yield doubtful("loops", what, "pip install numba if it can be: it has no wheels for some machines")


def home(settings: Settings) -> Iterator[Finding]:
    """The home folder can be written, and nobody else on this machine reads the secrets in it."""
    folder = settings.home
    if not os.access(folder, os.W_OK | os.X_OK):
        yield bad("home", f"{folder} cannot be written", f"give it to the user that runs fieldvisit: chown {_me()}")
        return
    if os.name == "nt":
        yield good("home", str(folder))
        return
    open_files = [file for file in _secrets(folder) if _others_read(file)]
    for file in open_files:
        yield bad("home", f"others on this machine can read {file}", f"chmod 600 {file}")
    if _others_read(folder):
        yield doubtful("home", f"others on this machine can look into {folder}", f"chmod 700 {folder}")
    elif not open_files:
        yield good("home", f"{folder}, for its owner only")


def _secrets(folder: Path) -> list[Path]:
    names = (KEY_FILE, "fieldvisit.sqlite", "fieldvisit.sqlite-wal", "fieldvisit.sqlite-shm")
    return [folder / name for name in names if (folder / name).exists()]


def _others_read(file: Path) -> bool:
    return bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _me() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "it"


def key(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """The installation's key is there: second factors and sessions are sealed with it."""
    file = settings.home / KEY_FILE
    if not environment.get(KEY_VARIABLE) and not file.exists():
        yield doubtful("key", f"there is no key {file} yet", "fieldvisit serve makes one; restore it if there was one")
        return
    try:
        read_keys(settings.home, environment)
    except (PlannerError, OSError) as error:
        yield bad("key", str(error), "restore the key of this installation: without it nobody's second factor works")
        return
    yield good("key", f"in {KEY_VARIABLE}" if environment.get(KEY_VARIABLE) else str(file))


def disk(folders: Mapping[str, Path]) -> Iterator[Finding]:
    """There is room for the database to grow and for an area to be built."""
    for name, folder in folders.items():
        free = shutil.disk_usage(folder).free
        shown = f"{free / 1e9:.1f} GB are free for the {name} in {folder}"
        if free < TOO_LITTLE_BYTES:
            yield bad("disk", shown, "make room now: with a full disk nothing can be written")
        elif free < LITTLE_BYTES:
            yield doubtful("disk", shown, "make room soon; backups and old areas are good places to begin")
        else:
            yield good("disk", shown)


def clock(now: datetime) -> Iterator[Finding]:
    """The clock is plausible: plans, sessions, one-time codes and leases go by it."""
    shown = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < WRITTEN or now.year > WRITTEN.year + 30:
        yield bad("clock", f"this machine believes that it is {shown}", "set the clock, and keep it set by NTP")
    else:
        yield good("clock", shown)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed as a package)"
