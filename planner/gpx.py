"""A rep's day for other navigation programs, as GPX 1.1 (topografix.com/GPX/1/1). The only writer of XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree

from planner.day_sheets import DaySheet, long_day, one_line
from planner.hotels.domain import Night

NAMESPACE = "http://www.topografix.com/GPX/1/1"

Line = Sequence[tuple[float, float]]
"""Points as (lat, lon) in degrees."""


def gpx(sheet: DaySheet, roads: Iterable[Line]) -> bytes:
    """The stops as waypoints in their order, between the hotels of the nights before and after, and the way along
    `roads`, a line for each drive, as a track."""
    root = ElementTree.Element("gpx", {"version": "1.1", "creator": "fieldvisit", "xmlns": NAMESPACE})
    metadata = ElementTree.SubElement(root, "metadata")
    _text(metadata, "name", f"{sheet.rep_name}, {long_day(sheet.day)}")
    _text(metadata, "time", _utc(sheet.changed_at))
    if sheet.night_before is not None:
        _hotel(root, sheet.night_before, f"Start: {sheet.night_before.name}")
    for stop in sheet.stops:
        point = _point(root, "wpt", stop.lat, stop.lon)
        _text(point, "time", _utc(stop.arrive))
        _text(point, "name", f"{stop.number}. {stop.name}")
        about = (f"{stop.begin:%H:%M}–{stop.leave:%H:%M}", stop.promise, stop.contact.in_words)
        _text(point, "cmt", " · ".join(filter(None, about)))
        _text(point, "desc", stop.address)
    if sheet.night_after is not None:
        _hotel(root, sheet.night_after, f"Overnight: {sheet.night_after.name}")
    track = ElementTree.SubElement(root, "trk")
    _text(track, "name", f"{sheet.rep_name}, {sheet.day}")
    for line in roads:
        segment = ElementTree.SubElement(track, "trkseg")
        for lat, lon in line:
            _point(segment, "trkpt", lat, lon)
    file: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return file


def _hotel(root: ElementTree.Element, night: Night, name: str) -> None:
    point = _point(root, "wpt", night.place.lat, night.place.lon)
    _text(point, "name", name)
    _text(point, "desc", night.address)


def _point(parent: ElementTree.Element, kind: str, lat: float, lon: float) -> ElementTree.Element:
    return ElementTree.SubElement(parent, kind, {"lat": f"{lat:.6f}", "lon": f"{lon:.6f}"})


def _text(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = one_line(text)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
