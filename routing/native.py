"""Loops compiled by numba where it installs, and the same loops in plain Python where it does not.

Machine code is kept on disk, so that it is made once a machine: `fieldvisit prepare` (routing.preparing) does that.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

MARK = "compiled"
"""The file that says what has been compiled into a folder (routing.preparing)."""
FOLDER_VARIABLE = "NUMBA_CACHE_DIR"
INSTALLED = Path(__file__).parent / "__pycache__" / "loops"
"""Beside the program, where an installation may leave machine code for whoever runs it."""


@lru_cache(maxsize=1)
def sources() -> str:
    """A name for all loops as they are written now."""
    told = hashlib.sha256()
    here = Path(__file__).parent
    for file in sorted(here.rglob("*.py")):
        if b"@native" in (source := file.read_bytes()) or b"@part" in source:
            told.update(str(file.relative_to(here)).encode() + b"\0" + source)
    return told.hexdigest()[:16]


def kept_in(environment: Mapping[str, str], installed: Path = INSTALLED) -> Path | None:
    """Where machine code is kept: where NUMBA_CACHE_DIR says, or else beside the program, or else in the user's cache;
    None where nothing of that can be written.

    It is a folder of its own for these very `sources`: numba sees when a loop was changed, but not when another one was
    that it calls. What an installation has left beside the program is taken along to where it can be added to.
    """
    own = Path(environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or os.sep) / ".cache")
    # The process that started this one has named the folder of its own loops.
    named = re.sub("/[0-9a-f]{16}$", "", environment.get(FOLDER_VARIABLE, ""))
    for root in ([Path(named)] if named else []) + [installed, own / "fieldvisit" / "loops"]:
        folder = root / sources()
        with suppress(OSError):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            if root != installed:
                _take_along(installed / sources(), folder)
            return folder
    return None


def _take_along(installed: Path, folder: Path) -> None:
    """Copy what is not there yet or older. Many processes may do so at once: each file is there whole or not at all."""
    # What an index (.nbi) names is code (.nbc) that has to be there by then, and the mark says that all is there.
    for file in itertools.chain.from_iterable(installed.rglob(name) for name in ("*.nbc", "*.nbi", MARK)):
        copy = folder / file.relative_to(installed)
        if copy.exists() and copy.stat().st_mtime >= file.stat().st_mtime:
            continue
        copy.parent.mkdir(exist_ok=True)
        part = copy.with_name(f"{copy.name}.{uuid.uuid4().hex}")
        shutil.copy2(file, part)
        part.replace(copy)


FOLDER = kept_in(os.environ)
"""Where machine code is kept; None where it has to be made in every process."""
if FOLDER is not None:
    os.environ[FOLDER_VARIABLE] = str(FOLDER)  # which numba reads, here and in the processes that this one starts

try:
    import numba
except ImportError:  # it has no wheels for every machine
    numba = None  # type: ignore[assignment]
else:
    numba.config.reload_config()  # something else may have imported it before

COMPILED = numba is not None
"""Whether loops run some hundred times as fast as Python's."""

LOOPS: list[Any] = []
"""All compiled loops that have been imported. numba compiles each when it is first called with new types."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def native(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """The function compiled, once for all runs on a machine."""
    if not COMPILED:
        return function
    LOOPS.append(numba.njit(cache=FOLDER is not None, nogil=True)(function))
    return cast(Callable[_Arguments, _Result], LOOPS[-1])


def part(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A part of a loop, called from compiled loops alone; it makes no arrays.

    It has no entry from Python and counts no references to what it is given, which would take longer than what short
    functions do.
    """
    if not COMPILED:
        return function
    flags: dict[str, Any] = {
        "_nrt": False,
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "error_model": "numpy",
    }
    compiled = numba.njit(nogil=True, **flags)(function)
    return cast(Callable[_Arguments, _Result], compiled)
