"""The text format of Solomon (1987) and of Gehring & Homberger (1999): time windows, loads, and nothing rounded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from routing.errors import InstanceError
from routing.instances.euclidean import MOST_CUSTOMERS, MOST_VEHICLES, Customer, Instance
from routing.instances.reading import Line, lines_of

COLUMNS = ("CUST NO", "XCOORD", "YCOORD", "DEMAND", "READY TIME", "DUE DATE", "SERVICE TIME")
BEST_KNOWN = "best_known.json"


def read_vrptw(path: Path) -> Instance:
    """A file of this format; what is best known of it stands in a `best_known.json` beside or above it, if anywhere.

    Raises:
        InstanceError: not such a file; the message names file, line and field.
        OSError: it cannot be read.
    """
    lines = iter(lines_of(path))
    _next(lines, path, "the name")
    _heading(lines, path, "VEHICLE")
    fleet = _next(lines, path, "the numbers of vehicles and their capacity")
    number, capacity = fleet.fields("NUMBER", "CAPACITY")
    vehicles = fleet.whole("NUMBER", number, 1, MOST_VEHICLES)
    load = fleet.whole("CAPACITY", capacity)
    _heading(lines, path, "CUSTOMER")
    places: list[Customer] = []
    for line in lines:
        if len(places) > MOST_CUSTOMERS:
            raise line.wrong(f"there are more than {MOST_CUSTOMERS:,} customers")
        places.append(_customer(line, len(places)))
    if len(places) < 2:
        raise InstanceError(f"{path.name}: ends before its depot and a first customer")
    known, sought = _best_known(path)
    return Instance(path.stem, tuple(places), vehicles, load, best_known=known, best_known_of=sought)


def _customer(line: Line, expected: int) -> Customer:
    number, x, y, demand, opens, closes, service = line.fields(*COLUMNS)
    if line.whole("CUST NO", number) != expected:
        raise line.wrong(f"CUST NO is {number}, where {expected} comes next")
    ready, due = line.number_of("READY TIME", opens), line.number_of("DUE DATE", closes)
    if ready > due:
        raise line.wrong(f"READY TIME {opens} is after DUE DATE {closes}")
    if not expected and due <= 0:
        raise line.wrong("DUE DATE of the depot is 0")
    return Customer(
        line.number_of("XCOORD", x, -1e6),
        line.number_of("YCOORD", y, -1e6),
        line.whole("DEMAND", demand),
        ready,
        due,
        line.number_of("SERVICE TIME", service),
    )


def _next(lines: Iterator[Line], path: Path, what: str) -> Line:
    line = next(lines, None)
    if line is None:
        raise InstanceError(f"{path.name}: ends before {what}")
    return line


def _heading(lines: Iterator[Line], path: Path, word: str) -> None:
    """The word, and below it the line that names the columns."""
    line = _next(lines, path, word)
    if line.text.upper() != word:
        raise line.wrong(f"{line.text[:40]!r} stands where {word} should")
    _next(lines, path, f"the columns of {word}")


def _best_known(path: Path) -> tuple[float | None, str]:
    """What is best known where distance is what counts first; else, where the number of vehicles is."""
    for folder in (path.parent, path.parent.parent):
        file = folder / BEST_KNOWN
        if file.is_file():
            try:
                known = json.loads(file.read_text(encoding="utf-8"))
                costs = {str(name).lower(): float(each["best_known_cost"]) for name, each in known.items()}
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise InstanceError(f"{file.name}: is not a list of best known costs") from error
            for name, sought in ((f"{path.stem}_distance", "distance"), (path.stem, "vehicles")):
                if (cost := costs.get(name.lower(), math.nan)) > 0:
                    return cost, sought
    return None, "distance"
