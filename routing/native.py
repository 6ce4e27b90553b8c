"""Loops compiled by numba where it installs, and the same loops in plain Python where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

try:
    import numba
except ImportError:  # it has no wheels for every machine
    numba = None  # type: ignore[assignment]

COMPILED = numba is not None
"""Whether loops run some hundred times as fast as Python's."""

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def native(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """The function compiled, once for all runs on a machine."""
    if not COMPILED:
        return function
    return cast(Callable[_Arguments, _Result], numba.njit(cache=True, nogil=True)(function))
