"""A file of points in, a file of the travel times between all of them out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from routing.errors import PointsError, RoutingError
from routing.geo import LatLon
from routing.problem import UNREACHABLE
from routing.travel_times import TravelTimeSource

COLUMNS = ("id", "lat", "lon")


@dataclass(frozen=True, slots=True)
class Point:
    """One row of a points file."""

    id: str
    place: LatLon


def read_points(file: Path) -> list[Point]:
    """Read a UTF-8 CSV (with or without BOM) with the columns id, lat, lon, in any order and among others.

    Raises:
        PointsError: a missing, empty or non-UTF-8 file, a missing column, or rows with a missing or repeated id or
            with coordinates that are not numbers on the globe: all of them, by line and field.
    """
    points: list[Point] = []
    problems: list[str] = []
    first_line: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if missing:
                raise PointsError(f"{file}: line 1: no column {', '.join(missing)} (wanted: {','.join(COLUMNS)})")
            for row in reader:
                where = f"{file}: line {reader.line_num}"
                try:
                    point = _point(row)
                except RoutingError as error:
                    problems.append(f"{where}: {error}")
                    continue
                if point.id in first_line:
                    problems.append(f"{where}: id {point.id!r} is already on line {first_line[point.id]}")
                first_line.setdefault(point.id, reader.line_num)
                points.append(point)
    except OSError as error:
        raise PointsError(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise PointsError(f"{file}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except csv.Error as error:
        raise PointsError(f"{file}: line {reader.reader.line_num}: {error}") from error
    if problems:
        raise PointsError("\n".join(problems))
    if not points:
        raise PointsError(f"{file}: holds no points")
    return points


def _point(row: dict[str | None, str | None]) -> Point:
    name = (row["id"] or "").strip()
    if not name:
        raise PointsError("id is missing")
    degrees = []
    for field in ("lat", "lon"):
        text = (row[field] or "").strip()
        try:
            degrees.append(float(text))
        except ValueError:
            raise PointsError(f"{field} {text[:40]!r} of {name!r} is not a number") from None
    return Point(name, LatLon(*degrees))


def write_matrix(points: Path, out: Path, source: TravelTimeSource) -> tuple[int, int]:
    """Write the travel times between all points of a file: from_id,to_id,seconds,metres, one pair a line.

    Every ordered pair is there, a point with itself too; seconds and metres are empty where no way leads. The file
    appears only when it is complete.

    Returns:
        How many pairs were written, and how many of them have no way.

    Raises:
        PointsError: see `read_points`; or the output cannot be written.
    """
    listed = read_points(points)
    times = source.travel_times([point.place for point in listed])
    partial = out.with_name(f"{out.name}.part")
    unreachable = 0

    def rows() -> Iterator[tuple[str, str, int | str, int | str]]:
        nonlocal unreachable
        for origin, row_s, row_m in zip(listed, times.seconds, times.metres, strict=True):
            for destination, seconds, metres in zip(listed, row_s.tolist(), row_m.tolist(), strict=True):
                if seconds == UNREACHABLE:
                    unreachable += 1
                    yield origin.id, destination.id, "", ""
                else:
                    yield origin.id, destination.id, seconds, metres

    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("from_id", "to_id", "seconds", "metres"))
            writer.writerows(rows())
        partial.replace(out)
    except OSError as error:
        raise PointsError(f"{out}: cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)
    return len(listed) ** 2, unreachable
