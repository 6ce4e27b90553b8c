"""The command `fieldvisit`: every command but the web ones, which webui/cli.py adds."""

from planner.cli import (
    areas,
    bench,
    coverage,
    data,
    doctor,
    jobs,
    kpi,
    mail,
    plans,
    prepare,
    records,
    scenarios,
    slots,
    territories,
    users,
)
from planner.cli.app import App, area_option, main

__all__ = [
    "App",
    "area_option",
    "areas",
    "bench",
    "coverage",
    "data",
    "doctor",
    "jobs",
    "kpi",
    "mail",
    "main",
    "plans",
    "prepare",
    "records",
    "scenarios",
    "slots",
    "territories",
    "users",
]
