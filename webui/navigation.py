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
    ("records.records_page", "Records"),
    ("records.addresses", "Addresses"),
    ("check_ins.page", "Check-ins"),
)
"""Pages that have an area in their address, and maybe a version of its plan in their query."""

OF_COVERAGE = (
    ("coverage.figures", "Figures"),
    ("coverage_map.page", "Map"),
    ("territories.page", "Territories"),
    ("territories.white_space", "White space"),
    ("scenarios.page", "What if"),
)
"""Pages about who is looked after; the bar has one entry for them."""

OF_THE_COMPANY = (
    ("account.account", "My account"),
    ("my_data.page", "My data"),
    ("people.people", "People"),
    ("audit.entries", "Audit log"),
)

START = "pages.start"
"""Shows what the first page of an area shows."""

WITHOUT_PLAN = frozenset(
    {
        "field_app.app",
        "handoffs.handoffs",
        "booking.book",
        "planning.plan_page",
        "coverage.figures",
        "pipeline.tree",
        "records.records_page",
        "records.addresses",
        "check_ins.page",
    }
)
"""Pages of an area that are the same whatever version of its plan is looked at."""


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str
    current: bool


def navigation(area: str | None = None, plan: int | None = None) -> list[Link]:
    """The pages of an area, or without one those of the company, that the present viewer may open."""
    pages = OF_THE_COMPANY if area is None else OF_AN_AREA
    links: list[Link] = []
    for endpoint, text in _open_to_viewer(pages):
        query: dict[str, Any] = (
            {} if area is None else {"area": area, "plan": None if endpoint in WITHOUT_PLAN else plan}
        )
        current = endpoint == request.endpoint or (request.endpoint == START and area is not None and not links)
        links.append(Link(text, url_for(endpoint, **query), current))
    return links


def coverage_tabs(area: str) -> list[Link]:
    """The pages about coverage of an area that the present viewer may open."""
    return [
        Link(text, url_for(endpoint, area=area), endpoint == request.endpoint)
        for endpoint, text in _open_to_viewer(OF_COVERAGE)
    ]


def _open_to_viewer(pages: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    views, asking = current_app.view_functions, g.get("viewer")
    return ((endpoint, text) for endpoint, text in pages if lets_in(views.get(endpoint), asking))
