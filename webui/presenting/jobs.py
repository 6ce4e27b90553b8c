"""Jobs as pages show them: what is asked for, by whom, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo

from planner.jobs.domain import SEARCHING, Job, JobState
from planner.jobs.requests import COVERAGE, PLAN, SCENARIO
from webui.words import clock, count, duration, sentence, short_day, waiting

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
    """One job. `share` is done, 0 to 1; `version` is of the plan that came out, None where there is none.

    `hurry` is whether it can be told that the best so far is good enough. `steps` are the best plans on the way, the
    newest first: after how long, cost, visits, driving; `line_of_cost` draws them in a box of `BOX`.
    """

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
    hurry: bool
    steps: tuple[tuple[str, str, str, str], ...]
    line_of_cost: str

    def live(self) -> Mapping[str, object]:
        """What a page is told again and again."""
        told = asdict(self)
        return {name: told[name] for name in _LIVE}


_LIVE = ("id", "state", "label", "line", "share", "hurry", "steps", "line_of_cost")
BOX = (300, 60)
"""The width and height in which a line of cost is drawn."""


def job_view(job: Job, zone: ZoneInfo, names: Mapping[str, str]) -> JobView:
    """A job in words; `names` are of those who ask, by `requested_by`."""
    asked_at = job.created_at.astimezone(zone)
    by = names.get(job.requested_by, "the command line" if job.requested_by.startswith("command") else "")
    fraction = job.progress.get("fraction", 0.0)
    version = job.result.get("version")
    way = _improvements(job)
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
        hurry=job.kind == PLAN and job.state == JobState.RUNNING and not job.finishing,
        steps=tuple(
            (waiting(round(s)), duration(cost), f"{visits:,}", duration(drive)) for s, cost, visits, drive in way
        ),
        line_of_cost=_line_of_cost(way, float(job.progress.get("elapsed_s", 0.0))),
    )


def _improvements(job: Job) -> list[tuple[float, int, int, int]]:
    """The newest first; none of a job that searches for nothing."""
    return [tuple(point) for point in reversed(job.progress.get("improvements", ()))]


def _line_of_cost(way: Sequence[tuple[float, int, int, int]], elapsed_s: float) -> str:
    """The cost of the best plan over time, as the points of a line that goes down in steps; empty before the second."""
    if len(way) < 2:
        return ""
    width, height = BOX
    costs = [cost for _, cost, _, _ in way]
    low, high = min(costs), max(costs)
    points: list[str] = []
    x = float(width)
    for s, cost, _, _ in way:
        y = 2 + (height - 4) * (high - cost) / max(high - low, 1)
        points += [f"{x:.0f},{y:.0f}"]
        x = width * s / max(elapsed_s, way[0][0], 0.1)
        points += [f"{x:.0f},{y:.0f}"]
    return " ".join(reversed(points))


def _title(job: Job) -> str:
    if job.kind != PLAN:
        return TITLES.get(job.kind, "Find the places of addresses")
    first = date.fromisoformat(job.request["first_day"])
    return f"Plan {count(job.request['days'], 'day')} from {short_day(first)}"


def _best(job: Job) -> str:
    """What the best plan of a search does."""
    visits, cost = job.progress.get("visits", 0), duration(job.progress["cost_s"])
    return f"{count(visits, 'visit')}, {cost} of driving and of worth left out."


def _line(job: Job) -> str:
    """One sentence about where it stands."""
    match job.state:
        case JobState.WAITING:
            return "Starts when the work before it is done."
        case JobState.RUNNING if "cost_s" in job.progress and job.progress.get("what") != SEARCHING:
            return f"{sentence(str(job.progress.get('what')))} … Best plan: {_best(job)}"
        case JobState.RUNNING if job.finishing:
            return "The search ends, and the best plan so far is kept."
        case JobState.RUNNING if "cost_s" in job.progress:
            return f"Best so far: {_best(job)}"
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
