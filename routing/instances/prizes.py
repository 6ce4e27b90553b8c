"""The VRPLIB format of prize-collecting problems with time windows: which customers are visited at all is chosen.

Everything counts ten times what the file says and is cut to whole numbers, as the costs in the `.sol` files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from routing.errors import InstanceError
from routing.instances.euclidean import MOST_CUSTOMERS, MOST_VEHICLES, Customer, Instance, Routes
from routing.instances.reading import Line, lines_of

STRETCH = 10
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "NODE_COORD_SECTION": ("node", "x", "y"),
    "DEMAND_SECTION": ("node", "demand"),
    "TIME_WINDOW_SECTION": ("node", "opens", "closes"),
    "PRIZE_SECTION": ("node", "prize"),
}


def read_pcvrptw(path: Path) -> Instance:
    """A file of this format; the cost that its `.sol` ends with is what is best known, if there is one beside it.

    Raises:
        InstanceError: not such a file; the message names file, line and field.
        OSError: it cannot be read.
    """
    file = _File.read(path)
    nodes = file.header("DIMENSION", 2, MOST_CUSTOMERS + 1)
    if (kind := file.headers.get("EDGE_WEIGHT_TYPE")) and kind[1] != "EUC_2D":
        raise kind[0].wrong(f"EDGE_WEIGHT_TYPE is {kind[1][:40]!r}, not EUC_2D")
    service = file.header("SERVICE_TIME") * STRETCH
    places = []
    for k in range(nodes):
        at, (x, y) = file.row("NODE_COORD_SECTION", k, nodes)
        wants, (demand,) = file.row("DEMAND_SECTION", k, nodes)
        window, (opens, closes) = file.row("TIME_WINDOW_SECTION", k, nodes)
        pays, (prize,) = file.row("PRIZE_SECTION", k, nodes)
        place = Customer(
            at.number_of("x", x, -1e6),
            at.number_of("y", y, -1e6),
            wants.whole("demand", demand),
            window.whole("opens", opens) * STRETCH,
            window.whole("closes", closes) * STRETCH,
            service if k else 0,
            int(pays.number_of("prize", prize) * STRETCH),
        )
        if place.opens > place.closes:
            raise window.wrong(f"opens at {opens}, after it closes at {closes}")
        places.append(place)
    if places[0].closes <= 0:
        raise InstanceError(f"{path.name}: the depot closes at 0")
    beside = path.with_suffix(".sol")
    known = read_routes(beside)[1] if beside.is_file() else None
    return Instance(
        path.stem,
        tuple(places),
        file.header("VEHICLES", 1, MOST_VEHICLES),
        file.header("CAPACITY"),
        STRETCH,
        truncated=True,
        best_known=known,
    )


def read_routes(path: Path) -> tuple[Routes, float]:
    """The routes of a `.sol` file and the cost that it ends with.

    Raises:
        InstanceError: not such a file.
        OSError: it cannot be read.
    """
    routes: Routes = []
    for line in lines_of(path):
        head, _, rest = line.text.partition(":")
        if head.lower().startswith("route"):
            routes.append([line.whole("customer", word, 1) for word in rest.split()])
        elif line.text.lower().startswith("cost"):
            return routes, line.number_of("cost", (rest or line.text[4:]).strip(), most=1e12)
        else:
            raise line.wrong(f"{line.text[:40]!r} is neither a route nor the cost")
    raise InstanceError(f"{path.name}: ends before the cost")


@dataclass(frozen=True)
class _File:
    """Headers and sections by their names, each with its line or lines."""

    name: str
    headers: Mapping[str, tuple[Line, str]]
    sections: Mapping[str, list[Line]]

    @classmethod
    def read(cls, path: Path) -> _File:
        headers: dict[str, tuple[Line, str]] = {}
        sections: dict[str, list[Line]] = {}
        rows: list[Line] | None = None
        for line in lines_of(path):
            if line.text == "EOF":
                break
            if line.text.endswith("_SECTION"):
                rows = sections.setdefault(line.text, [])
            elif ":" in line.text:
                key, _, value = line.text.partition(":")
                headers[key.strip()] = line, value.strip()
            elif rows is None:
                raise line.wrong(f"{line.text[:40]!r} is neither a header nor a section")
            else:
                rows.append(line)
        return cls(path.name, headers, sections)

    def header(self, name: str, least: int = 0, most: int = 1_000_000) -> int:
        if name not in self.headers:
            raise InstanceError(f"{self.name}: {name} is missing")
        line, word = self.headers[name]
        return line.whole(name, word, least, most)

    def row(self, section: str, k: int, nodes: int) -> tuple[Line, list[str]]:
        """The line of node k + 1 and its words after the node's number."""
        rows = self.sections.get(section, [])
        if k >= len(rows):
            raise InstanceError(f"{self.name}: {section} has {len(rows)} of {nodes} nodes")
        if len(rows) > nodes:
            raise rows[nodes].wrong(f"{section} has more than {nodes} nodes")
        node, *words = rows[k].fields(*SECTIONS[section])
        if rows[k].whole("node", node) != k + 1:
            raise rows[k].wrong(f"node is {node}, where {k + 1} comes next")
        return rows[k], words
