"""The command `fieldvisit`: every command but the web ones, which webui/cli.py adds."""

from planner.cli import areas, data, doctor, jobs, plans, records, users
from planner.cli.app import App, area_option, main

__all__ = ["App", "area_option", "areas", "data", "doctor", "jobs", "main", "plans", "records", "users"]
