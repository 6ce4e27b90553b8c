"""Loops compiled before anybody waits for them: when the program is installed, or when one of its processes starts.

numba compiles a loop when it is first called, in this program forty seconds for all of them, and keeps the
machine code on disk. So everything that has loops is used once here, on a town of four corners. As
`python -m routing.preparing` it does so in a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from routing import native
from routing.errors import RoutingError
from routing.geo import LatLon
from routing.problem import Job, Problem, Shift, TimeWindow

OLD_S = 7 * 86_400


class Loops(StrEnum):
    """How the loops of this program run on this machine."""

    KEPT = "kept"
    """They are compiled, and the machine code is on disk."""
    MISSING = "missing"
    """Whoever needs them first has to compile them."""
    HOMELESS = "homeless"
    """There is no folder to keep machine code in: every process compiles them anew."""
    PLAIN = "plain"
    """There is no compiler: they run in plain Python."""


def loops() -> Loops:
    """How they run just now."""
    if not native.COMPILED:
        return Loops.PLAIN
    if native.FOLDER is None:
        return Loops.HOMELESS
    try:
        known = (native.FOLDER / native.MARK).read_text(encoding="ascii")
    except (OSError, ValueError):
        return Loops.MISSING
    return Loops.KEPT if known == _stamp() else Loops.MISSING


def prepare() -> bool:
    """Compile what is not compiled; False where there was nothing to do. Who comes meanwhile waits for that."""
    if loops() in (Loops.KEPT, Loops.PLAIN):
        return False
    with _alone():
        if loops() is Loops.KEPT:
            return False
        use_everything()
        if native.FOLDER is not None:
            part = native.FOLDER / f"{native.MARK}.{os.getpid()}"
            part.write_text(_stamp(), encoding="ascii")
            part.replace(native.FOLDER / native.MARK)
            _forget_the_old(native.FOLDER)
    return True


def make_ready() -> bool:
    """The same for a process that does other things meanwhile: another one compiles, unless it has no way to hand the
    code over.

    Raises:
        RoutingError: the other process failed.
    """
    state = loops()
    if state is not Loops.MISSING:
        return _once_here() if state is Loops.HOMELESS else False
    done = subprocess.run([sys.executable, "-P", "-m", "routing.preparing"], stderr=subprocess.PIPE, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RoutingError(f"the loops could not be compiled: {last:.200}")
    return True


_here = threading.Lock()
_done_here = False


def _once_here() -> bool:
    global _done_here
    with _here:
        if not _done_here:
            use_everything()
        before, _done_here = _done_here, True
    return not before


@lru_cache(maxsize=1)
def _stamp() -> str:
    """Of what machine code depends on: the loops, the compiler, Python and the processor."""
    import llvmlite.binding as llvm

    told = hashlib.sha256()
    facts = (version("numba"), sys.version, sys.platform, llvm.get_host_cpu_name(), llvm.get_host_cpu_features())
    told.update(repr([native.sources(), *(str(fact) for fact in facts)]).encode())
    return told.hexdigest()


def _forget_the_old(folder: Path) -> None:
    """Machine code of loops that were written otherwise, and that nobody has added to for long."""
    for other in folder.parent.iterdir():
        with suppress(OSError):
            if other != folder and (other / native.MARK).exists() and time.time() - other.stat().st_mtime > OLD_S:
                shutil.rmtree(other)


@contextmanager
def _alone() -> Iterator[None]:
    """One process of this machine at a time, where the system can see to that: two would do the same work."""
    if native.FOLDER is None or os.name == "nt":
        yield
        return
    import fcntl

    with (native.FOLDER / "lock").open("w") as file:
        with suppress(OSError):  # a disk that knows no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def use_everything() -> None:
    """Call every loop of this program once, with arguments of the types that it is called with in earnest."""
    network = _use_streets()
    _use_alignment(network)
    _use_search()
    _use_exact_models()


def _corners() -> list[LatLon]:
    return [LatLon(51.50 + 0.01 * north, -3.00 + 0.01 * east) for north in (0, 1) for east in (0, 1)]


def _use_streets() -> Any:
    import networkx as nx

    from routing.streets import StreetNetwork

    corners = _corners()
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(crs="epsg:4326")
    for number, place in enumerate(corners):
        graph.add_node(number, x=place.lon, y=place.lat)
    for one, other in ((0, 1), (1, 3), (3, 2), (2, 0)):
        for a, b in ((one, other), (other, one)):
            graph.add_edge(a, b, highway="residential", length=900.0)
    network = StreetNetwork.compile(graph)
    network.travel_times(corners)
    network.fan(corners).times(corners[0])
    network.leg(corners[0], corners[3])
    network.spread(corners[0])
    return network


def _use_alignment(network: Any) -> None:
    from routing.alignment import AlignmentLimits, Centre, Site, align
    from routing.workload import Base

    corners = _corners()
    centres = [Centre(f"C{n}", Base(place, place, 8 * 3600), 1200.0) for n, place in enumerate(corners[:2])]
    sites = [Site(f"S{n}", place, 1.0, 1800, current=f"C{n % 2}") for n, place in enumerate(corners)]
    align(sites, centres, network, AlignmentLimits(work=1))


def _use_search() -> None:
    from routing.solver import Engine, SearchLimits, solve

    solve(_one_visit(), SearchLimits(work=1, engine=Engine.RUIN_RECREATE))


def _use_exact_models() -> None:
    from routing.bound import lower_bound
    from routing.sequencing import best_sequence
    from routing.solution import Solution

    problem = _one_visit()
    best_sequence(problem, problem.shifts[0], problem.jobs)
    lower_bound(problem, Solution((), ("J",)))


def _one_visit() -> Problem:
    job = Job("J", 1, 600, (TimeWindow(0, 86_400),), penalty_s=3600)
    return Problem((job,), (Shift("S", "V", 0, 0, 0, 86_400),), [[0, 60], [60, 0]], [[0, 60], [60, 0]])


if __name__ == "__main__":
    prepare()
