"""Ways to be led to a place: the phone's own map app, and those of the companies that most people use."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def directions(lat: float, lon: float, label: str) -> tuple[tuple[str, str], ...]:
    """Name and address of each way to be led to a place: the phone's own map app (geo:, RFC 5870), and the others'.

    The label goes only to the phone's own app; the companies get a point without a name.
    """
    point = f"{lat:.6f},{lon:.6f}"
    google = urlencode({"api": 1, "destination": point, "travelmode": "driving"})
    return (
        ("Navigate", f"geo:{point}?q={point}({quote(label, safe='')})"),
        ("Google Maps", f"https://www.google.com/maps/dir/?{google}"),
        ("Apple Maps", f"https://maps.apple.com/?{urlencode({'daddr': point, 'dirflg': 'd'})}"),
        ("Waze", f"https://waze.com/ul?{urlencode({'ll': point, 'navigate': 'yes'})}"),
    )
