"""Benchmark: are the travel times believable, and are they fast?

    python tests/benchmarks/bench_travel_times.py --extract town.osm.pbf [--osrm-python PYTHON]

Compares the seconds between random real addresses of the extract with OSRM's car profile, prints how long each
step of reading, compiling, loading and asking takes, and fails when less than --least of the pairs are within 10 %.
OSRM itself is a yardstick, not a dependency: its programs are taken from the PATH, or from the `osrm-bindings`
package of the interpreter that --osrm-python names (`python3.12 -m venv V && V/bin/pip install osrm-bindings`).
"""

from __future__ import annotations

import argparse
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import networkx as nx
import numpy as np
import osmium
import requests
from numpy.typing import NDArray

from routing.extract import read_graph
from routing.geo import LatLon
from routing.streets import StreetNetwork

MIN_S = 120
"""Shorter trips are mostly parking, where a percentage says little."""

Result = TypeVar("Result")


def main() -> int:
    arguments = parse_arguments()
    graph = timed("read_graph", lambda: read_graph(arguments.extract))
    print(f"            {graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} directed edges")
    network = timed_network(graph)
    known = addresses(arguments.extract)
    if len(known) < 1000:
        print(f"            only {len(known)} addresses: corners of streets instead")
        known = [LatLon(node["y"], node["x"]) for _, node in graph.nodes(data=True)]
    places = random.Random(arguments.seed).sample(known, 1000)
    timed("1,000 × 1,000 travel times (first time in this process)", lambda: network.travel_times(places))
    timed("1,000 × 1,000 travel times", lambda: network.travel_times(places))
    if arguments.no_osrm:
        return 0
    folder = osrm_folder(arguments.osrm_python)
    if folder is None:
        print(
            "OSRM not found: put its programs on the PATH, or make a Python 3.12 environment, install osrm-bindings "
            "in it and name its interpreter with --osrm-python.",
            file=sys.stderr,
        )
        return 2
    places = places[: arguments.places]
    with osrm_server(folder, arguments.extract) as url:
        theirs = osrm_seconds(url, places)
    share = compare(network.travel_times(places).seconds, theirs, places)
    return 0 if share >= arguments.least else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extract", type=Path, required=True, help="an .osm.pbf file with addresses")
    parser.add_argument("--osrm-python", type=Path, help="interpreter of an environment that has osrm-bindings")
    parser.add_argument("--no-osrm", action="store_true", help="only time our own steps")
    parser.add_argument("--places", type=int, default=300, help="addresses to compare, all pairs (default 300)")
    parser.add_argument("--least", type=float, default=0.97, help="share within 10 %% that must be kept (0.97)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def timed(what: str, action: Callable[[], Result]) -> Result:
    start = time.perf_counter()
    result = action()
    print(f"{time.perf_counter() - start:8.2f} s  {what}")
    return result


def timed_network(graph: nx.MultiDiGraph[int]) -> StreetNetwork:
    compiled = timed("compile", lambda: StreetNetwork.compile(graph))
    with tempfile.TemporaryDirectory() as folder:
        timed("save", lambda: compiled.save(Path(folder)))
        return timed("load", lambda: StreetNetwork.load(Path(folder)))


def addresses(extract: Path) -> list[LatLon]:
    """Where the numbered houses of the extract are: a node, or the middle of a building's corners."""
    places = []
    numbered = osmium.filter.KeyFilter("addr:housenumber")
    for thing in osmium.FileProcessor(str(extract)).with_locations().with_filter(numbered):
        if isinstance(thing, osmium.osm.Node):
            places.append(LatLon(thing.location.lat, thing.location.lon))
        elif isinstance(thing, osmium.osm.Way):
            corners = [(ref.location.lat, ref.location.lon) for ref in thing.nodes if ref.location.valid()]
            if corners:
                places.append(LatLon(*np.mean(corners, axis=0).tolist()))
    return places


def osrm_folder(python: Path | None) -> Path | None:
    """The folder that holds OSRM's `bin` and `share`, or None."""
    if python is None and (program := shutil.which("osrm-extract")):
        return Path(program).resolve().parents[1]
    find = (
        "from importlib.util import find_spec as f; s = f('osrm'); print(s.submodule_search_locations[0] if s else '')"
    )
    answer = subprocess.run([python or sys.executable, "-c", find], capture_output=True, text=True, check=True)
    folder = Path(answer.stdout.strip() or "/nowhere")
    return folder if (folder / "bin" / "osrm-extract").exists() else None


@contextmanager
def osrm_server(osrm: Path, extract: Path) -> Iterator[str]:
    """Prepare the extract with the stock car profile and serve it on a free local port."""
    profile = next(osrm.glob("share/**/car.lua"))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(extract, folder)
        source, network = Path(folder) / extract.name, Path(folder) / f"{extract.name.split('.')[0]}.osrm"
        for command in (["osrm-extract", "-p", profile, source], ["osrm-contract", network]):
            subprocess.run([osrm / "bin" / command[0], *command[1:]], check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["--ip", "127.0.0.1", "--port", str(port), "--max-table-size", "2000"]
        server = subprocess.Popen([osrm / "bin" / "osrm-routed", *options, network], stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("osrm-routed did not start")


def osrm_seconds(url: str, places: list[LatLon]) -> NDArray[np.float64]:
    """OSRM's durations between all pairs; nan where it knows no way."""
    coordinates = ";".join(f"{place.lon:.6f},{place.lat:.6f}" for place in places)
    answer = requests.get(f"{url}/table/v1/driving/{coordinates}", timeout=120)
    answer.raise_for_status()
    return np.array(answer.json()["durations"], dtype=np.float64)


def compare(ours: NDArray[np.int32], theirs: NDArray[np.float64], places: list[LatLon]) -> float:
    """Print how near we are, and return the share within 10 %; a pair that only we cannot reach counts as missed."""
    pairs = np.argwhere(theirs > MIN_S)
    a, b = ours[tuple(pairs.T)], theirs[tuple(pairs.T)]
    ratio = np.where(a >= 0, a / b, np.inf)
    near = float(np.mean(np.abs(ratio - 1) <= 0.1))
    print(f"{len(pairs):,} pairs of addresses more than {MIN_S} s apart")
    print(f"within 10 % of OSRM: {near:.2%}   median ratio {np.median(ratio):.3f}   unreachable {np.sum(a < 0)}")
    for i in np.argsort(-np.abs(np.log(ratio)))[:5]:
        origin, destination = (places[k] for k in pairs[i])
        print(
            f"  worst: {ratio[i]:.2f} ({a[i]} s, OSRM {b[i]:.0f} s) "
            f"{origin.lat:.6f},{origin.lon:.6f} -> {destination.lat:.6f},{destination.lon:.6f}"
        )
    return near


if __name__ == "__main__":
    sys.exit(main())
