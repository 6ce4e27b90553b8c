"""The way of a search to its best plan, as a job's row tells it and pages draw it."""

from __future__ import annotations

from typing import Any

from routing.solver import Progress

APART_S = 1.0
"""Improvements that come faster are told together: people read them."""
MOST = 48
"""Of more, every second one is forgotten."""


class Improvements:
    """The best plans so far: seconds since the search began, cost in seconds, visits, seconds of driving."""

    def __init__(self) -> None:
        self._points: list[tuple[float, int, int, int]] = []
        self._told = -1
        self._now: Progress | None = None

    def add(self, state: Progress) -> None:
        """What the search has just said."""
        self._now = state
        last_s = self._points[-1][0] if self._points else -APART_S
        if state.improvements > self._told and (state.elapsed_s - last_s >= APART_S or state.fraction >= 1.0):
            self._told = state.improvements
            drive_s = sum(route.drive_s for route in state.solution().routes)
            self._points.append((round(state.elapsed_s, 1), state.cost_s, state.served, drive_s))
            if len(self._points) > MOST:
                self._points = [*self._points[:-1:2], self._points[-1]]

    def to_json(self) -> dict[str, Any]:
        """For `Job.progress`: the best plan's `cost_s` and `visits`, `elapsed_s`, and the `improvements` on the way."""
        if self._now is None:
            return {}
        return {
            "cost_s": self._now.cost_s,
            "visits": self._now.served,
            "elapsed_s": round(self._now.elapsed_s, 1),
            "improvements": [list(point) for point in self._points],
        }
