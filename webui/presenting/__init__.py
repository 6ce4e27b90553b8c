"""A plan document as pages show it."""

from webui.presenting.plan import DayTotals, ListedView, PlanView, UnplannedView, view_of
from webui.presenting.rep_day import (
    BreakView,
    DayView,
    DoorView,
    DriveView,
    HomeView,
    RepDayView,
    RepView,
    StripBar,
    VisitView,
)

__all__ = [
    "BreakView",
    "DayTotals",
    "DayView",
    "DoorView",
    "DriveView",
    "HomeView",
    "ListedView",
    "PlanView",
    "RepDayView",
    "RepView",
    "StripBar",
    "UnplannedView",
    "VisitView",
    "view_of",
]
