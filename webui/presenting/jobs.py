"""Jobs as pages show them: what is asked for, by whom, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo

from planner.jobs.domain import Job, JobState
from planner.jobs.requests import COVERAGE, PLAN, SCENARIO
from webui.words import clock, count, duration, sentence, short_day

STATES = {
    JobState.WAITING: "Waiting",
    JobState.RUNNING: "Running",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
    JobState.REPLACED: "Replaced",
}

TITLES = {COVERAGE: "Work out the coverage", SCENARIO: "Work out a scenario"}


@dataclass(frozen=True, slots=True)
class JobView:
    """One job. `share` is done, 0 to 1; `version` is of the plan that came out, None where there is none."""

    id: str
    title: str
    asked: str
    state: str
    label: str
    line: str
    share: float
    active: bool
    plans: bool
    version: int | None

    def live(self) -> Mapping[str, object]:
        """What a page is told again and again."""
        told = asdict(self)
        return {name: told[name] for name in ("id", "state", "label", "line", "share")}


def job_view(job: Job, zone: ZoneInfo, names: Mapping[str, str]) -> JobView:
    """A job in words; `names` are of those who ask, by `requested_by`."""
    asked_at = job.created_at.astimezone(zone)
    by = names.get(job.requested_by, "the command line" if job.requested_by.startswith("command") else "")
    fraction = job.progress.get("fraction", 0.0)
    version = job.result.get("version")
    return JobView(
        id=job.id,
        title=_title(job),
        asked=f"{short_day(asked_at.date())} {clock(asked_at)}" + (f" by {by}" if by else ""),
        state=job.state,
        label=STATES[job.state],
        line=_line(job),
        share=1.0 if job.state == JobState.DONE else min(max(float(fraction), 0.0), 1.0),
        active=not job.state.ended,
        plans=job.kind == PLAN,
        version=version if isinstance(version, int) else None,
    )


def _title(job: Job) -> str:
    if job.kind != PLAN:
        return TITLES.get(job.kind, "Find the places of addresses")
    first = date.fromisoformat(job.request["first_day"])
    return f"Plan {count(job.request['days'], 'day')} from {short_day(first)}"


def _line(job: Job) -> str:
    """One sentence about where it stands."""
    match job.state:
        case JobState.WAITING:
            return "Starts when the work before it is done."
        case JobState.RUNNING if "cost_s" in job.progress:
            visits, cost = job.progress.get("visits", 0), duration(job.progress["cost_s"])
            return f"Best so far: {count(visits, 'visit')}, {cost} of driving and of worth left out."
        case JobState.RUNNING:
            return f"{sentence(str(job.progress.get('what') or 'starting'))} …"
        case JobState.FAILED:
            return sentence(job.error) or "Something went wrong."
        case JobState.REPLACED:
            return "A newer request took its place."
        case JobState.DONE if job.kind == PLAN:
            return f"{count(job.result.get('visits', 0), 'visit')}, {job.result.get('unplanned', 0):,} not planned."
        case JobState.DONE if job.kind == COVERAGE:
            return f"{count(job.result.get('customers', 0), 'customer')} looked at."
        case JobState.DONE if job.kind == SCENARIO:
            return "Worked out." if job.result.get("counts") else "Worked out, but it had been changed meanwhile."
        case JobState.DONE:
            return f"{count(job.result.get('geocoded', 0), 'address', 'addresses')} looked up."
        case _:
            return ""
