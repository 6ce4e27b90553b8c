"""What the bar at the top leads to. A page is listed for those whom its route's policy lets in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, url_for

from webui.policy import lets_in

OF_AN_AREA = (
    ("pages.week", "Week"),
    ("field_app.app", "My day"),
    ("handoffs.handoffs", "Handoffs"),
    ("booking.book", "Book"),
    ("pages.unplanned", "Not planned"),
    ("planning.plan_page", "Plan"),
    ("coverage.figures", "Coverage"),
    ("pipeline.tree", "Pipeline"),
    ("goals.page", "Goals"),
    ("records.records_page", "Records"),
)
"""Pages that have an area in their address, and maybe a version of its plan in their query."""

SECTIONS = {
    "coverage.figures": (
        ("coverage.figures", "Figures"),
        ("coverage_map.page", "Map"),
        ("territories.page", "Territories"),
        ("territories.white_space", "White space"),
        ("scenarios.page", "What if"),
        ("summary.latest", "Weekly summary"),
    ),
    "records.records_page": (
        ("records.records_page", "Import"),
        ("records.addresses", "Addresses"),
        ("hotels.page", "Hotels"),
        ("check_ins.page", "Check-ins"),
    ),
}
"""Pages that share an entry of the bar, as its tabs; the entry leads to the first that the viewer may open."""

OF_THE_COMPANY = (
    ("account.account", "My account"),
    ("my_data.page", "My data"),
    ("people.people", "People"),
    ("audit.entries", "Audit log"),
)

START = "pages.start"
"""Shows what the first page of an area shows."""

OF_A_PLAN = frozenset({"pages.week", "pages.unplanned"})
"""Pages of an area that differ by the version of its plan that is looked at."""


@dataclass(frozen=True, slots=True)
class Link:
    """`current` is as of the attribute aria-current: "page" of the page itself, "true" of what it belongs to."""

    text: str
    url: str
    current: str


def navigation(area: str | None = None, plan: int | None = None) -> list[Link]:
    """The pages of an area, or without one those of the company, that the present viewer may open."""
    links: list[Link] = []
    for entry, text in OF_THE_COMPANY if area is None else OF_AN_AREA:
        section = SECTIONS.get(entry, ((entry, text),))
        for endpoint, _ in _open_to_viewer(section):
            query: dict[str, Any] = (
                {} if area is None else {"area": area, "plan": plan if endpoint in OF_A_PLAN else None}
            )
            begins = request.endpoint == START and area is not None and not links
            links.append(Link(text, url_for(endpoint, **query), "page" if begins else _current(endpoint, section)))
            break
    return links


def tabs(area: str) -> list[Link]:
    """The pages of an area that stand beside the present one in its section, and may be opened by the viewer."""
    section = next((pages for pages in SECTIONS.values() if _current("", pages)), ())
    endpoints = [endpoint for endpoint, _ in section]
    of_blueprint = (endpoint for endpoint in endpoints if endpoint.partition(".")[0] == request.blueprint)
    above = "" if request.endpoint in endpoints else next(of_blueprint, "")  # a page below that tab is looked at
    current = {request.endpoint: "page", above: "true"}
    return [
        Link(text, url_for(endpoint, area=area), current.get(endpoint, ""))
        for endpoint, text in _open_to_viewer(section)
    ]


def _current(endpoint: str, section: Iterable[tuple[str, str]]) -> str:
    """Whether the present page is `endpoint`, or belongs to its section: pages below one are of its blueprint."""
    if endpoint == request.endpoint:
        return "page"
    blueprints = {other.partition(".")[0] for other, _ in section} - {"pages"}
    return "true" if request.blueprint in blueprints else ""


def _open_to_viewer(pages: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    views, asking = current_app.view_functions, g.get("viewer")
    return ((endpoint, text) for endpoint, text in pages if lets_in(views.get(endpoint), asking))
