"""What maps are made of, and what comes of them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup

from webui.errors import MapError

STOP_KINDS = frozenset({"appointment", "opportunity", "due", "nearby"})
COLOURS = 8
"""How many route colours static/app.css knows, as classes route-0 to route-7; the last four are dashed as well."""


@dataclass(frozen=True, slots=True)
class MapPlace:
    """A named place in degrees: where a day starts or ends; `hotel` where a night away is spent.

    Raises:
        MapError: not on the globe.
    """

    lat: float
    lon: float
    title: str
    hotel: bool = False

    def __post_init__(self) -> None:
        check_place(self.lat, self.lon, self.title)


@dataclass(frozen=True, slots=True)
class MapStop:
    """One numbered stop.

    Attributes:
        number: what stands in the marker, at most four characters.
        title: the first line of the popup, and what a screen reader calls the marker.
        subtitle: the lines below it.
        kind: one of STOP_KINDS; appointments get a shape of their own.
        anchor: the id of the stop's element in the page's list; static/day.js ties the two together.

    Raises:
        MapError: not on the globe, or a field that is not as described.
    """

    number: str
    lat: float
    lon: float
    title: str
    subtitle: str
    kind: str
    anchor: str

    def __post_init__(self) -> None:
        check_place(self.lat, self.lon, self.title)
        if not 1 <= len(self.number) <= 4:
            raise MapError(f"stop {self.title!r}: number {self.number!r} does not fit in a marker")
        if self.kind not in STOP_KINDS:
            raise MapError(f"stop {self.title!r}: kind {self.kind!r} is none of {', '.join(sorted(STOP_KINDS))}")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", self.anchor):
            raise MapError(f"stop {self.title!r}: anchor {self.anchor!r} cannot be an element's id")


@dataclass(frozen=True, slots=True)
class MapRoute:
    """One rep's day.

    Attributes:
        homes: where the day starts and ends: one place if they are the same, two if not.
        legs: the road geometry of each drive as (lat, lon) points, in driving order.
        colour: 0 to COLOURS - 1.

    Raises:
        MapError: a colour that does not exist, more than two homes, or a point that is not on the globe.
    """

    rep_name: str
    stops: tuple[MapStop, ...]
    homes: tuple[MapPlace, ...]
    legs: tuple[tuple[tuple[float, float], ...], ...]
    colour: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.colour < COLOURS:
            raise MapError(f"route of {self.rep_name!r}: there is no colour {self.colour}")
        if len(self.homes) > 2:
            raise MapError(f"route of {self.rep_name!r}: a day has one start and one end")
        for leg in self.legs:
            for lat, lon in leg:
                check_place(lat, lon, f"a leg of {self.rep_name}")


@dataclass(frozen=True, slots=True)
class TileServer:
    """An online source of map images, in place of the area's own base map.

    Attributes:
        url: with {z}, {x} and {y}, and {s} if the server has several names; http or https.
        attribution: whom the map says it is from, as plain text.

    Raises:
        MapError: the address is not such a pattern.
    """

    url: str
    attribution: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:{}-]+", parts.netloc):
            raise MapError(f"tile server {self.url!r}: not an http or https address")
        if not all(field in self.url for field in ("{z}", "{x}", "{y}")):
            raise MapError(f"tile server {self.url!r}: must contain {{z}}, {{x}} and {{y}}")

    @property
    def origin(self) -> str:
        """The source to allow in the page's policy; a wildcard where the server has several names."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.replace('{s}', '*')}"


@dataclass(frozen=True, slots=True)
class MapFragments:
    """A map in three pieces for a page template, each safe to insert as it is.

    Attributes:
        head: the style sheets.
        body: the map's element and its data.
        script: the libraries and the code that draws; goes to the end of the body.
        image_origins: what `content_security_policy` must allow besides our own files.
    """

    head: Markup
    body: Markup
    script: Markup
    image_origins: tuple[str, ...]


def check_place(lat: float, lon: float, name: str) -> None:
    if not (math.isfinite(lat) and -90 <= lat <= 90 and math.isfinite(lon) and -180 <= lon <= 180):
        raise MapError(f"{name!r}: ({lat!r}, {lon!r}) is not a place on the globe")


def packed(leg: Sequence[tuple[float, float]]) -> list[int]:
    """A line as one list of whole 1e-5 degrees: lat, lon of the first point, then the steps to each next."""
    numbers: list[int] = []
    at = (0, 0)
    for lat, lon in leg:
        here = (round(lat * 1e5), round(lon * 1e5))
        step = (here[0] - at[0], here[1] - at[1])
        if step != (0, 0) or not numbers:
            numbers.extend(step)
        at = here
    return numbers
