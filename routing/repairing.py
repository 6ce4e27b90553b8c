"""Mending what is left of a day: keep every promise that can be kept, leave out least, change as little as possible.

Jobs without a penalty are promises. As they stand, all are done if that is possible at all. If not, it is decided
exactly, by labels along the present order, which of them are best left out; what is then missing is put where it still
fits; and if anything still is, all orders are searched (`routing.resequencing.worthiest`). Another order is taken only
where it saves a visit. So nobody's promise is lost that any choice of visits, in any order, would have kept.

The labels are those of `routing.timing`, with what has been left out as one more dimension: the shortest path problem
with resource constraints (Desrochers and Soumis, 1988), on a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from routing.problem import DAY_S, UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.resequencing import worthiest
from routing.timing import NEVER, Labels, Timeline, after_job, break_ends, schedule, setup_s


@dataclass(frozen=True, slots=True)
class Repair:
    """What is done, in which order.

    Attributes:
        order: all that is done, what is late among it.
        left_out: what is not; no promise.
        late: the promises that cannot be kept: they begin after their windows, or after them the shift ends too late.
    """

    order: tuple[Job, ...]
    left_out: tuple[Job, ...]
    late: tuple[Job, ...]


def repaired(problem: Problem, shift: Shift, jobs: Sequence[Job], loose: Sequence[Job] = ()) -> Repair:
    """The rest of a day, mended.

    Args:
        jobs: what is to be done, in the present order; `loose` is to be done too, and has no place in it yet.
    """
    everything = (*jobs, *loose)
    kept = _with_the_missing(problem, shift, _in_order(problem, shift, jobs), everything)
    if len(kept) < len(everything):
        orders = [kept, worthiest(problem, shift, everything)]
        if any(job.mandatory and job not in kept for job in everything):
            promises = worthiest(problem, shift, [job for job in everything if job.mandatory])
            orders.append(_with_the_missing(problem, shift, promises, everything))
        kept = min(orders, key=lambda order: _lost_s(everything, order))
    done = {job.id for job in kept}
    late = tuple(job for job in everything if job.mandatory and job.id not in done)
    order = kept
    for job in late:
        order = _with_late(problem, shift, order, job, late)
    return Repair(order, tuple(job for job in everything if not job.mandatory and job.id not in done), late)


def _lost_s(everything: Sequence[Job], kept: Sequence[Job]) -> int:
    done = {job.id for job in kept}
    return sum(job.cost_of_leaving_out_s for job in everything if job.id not in done)


class _Way(NamedTuple):
    """A way along the order so far: what it has left out, its driving, its labels, and how many jobs it has done.

    `last` is the job done last, and `before` the way up to it; both are None of the way that has done nothing.
    """

    lost_s: int
    drive_s: int
    labels: Labels
    number: int
    last: Job | None
    before: _Way | None

    def jobs(self) -> tuple[Job, ...]:
        found = []
        way: _Way | None = self
        while way is not None and way.last is not None:
            found.append(way.last)
            way = way.before
        return tuple(reversed(found))


def _in_order(problem: Problem, shift: Shift, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Of all ways to leave jobs out of an order, the one that loses least, then drives least."""
    given = tuple(job for job in jobs if job.windows and shift.allows(job))
    if Timeline.of(problem, shift, given).feasible:
        return given
    capped = shift.max_jobs is not None and len(given) > shift.max_jobs
    # By the place in the order of the last job done: the ways that end there and are not worse than another.
    ends: list[list[_Way]] = [[_Way(0, 0, (shift.start_s, break_ends(shift, shift.start_s)), 0, None, None)]]
    for job in given:
        longer = [way for ways in ends for before in ways for way in _done(problem, shift, before, job)]
        cost_s = job.cost_of_leaving_out_s
        ends = [[way._replace(lost_s=way.lost_s + cost_s) for way in ways] for ways in ends]
        ends.append(_not_worse(longer, capped))
    home = (way for ways in ends for way in ways if _comes_home(problem, shift, way))
    best = min(home, key=lambda way: (way.lost_s, way.drive_s), default=None)
    return best.jobs() if best is not None else ()


def _done(problem: Problem, shift: Shift, way: _Way, job: Job) -> Iterator[_Way]:
    """The way with one more job, if that can be done."""
    place = way.last.place if way.last is not None else shift.start_place
    drive_s = problem.seconds[place][job.place]
    if drive_s == UNREACHABLE or (shift.max_jobs is not None and way.number >= shift.max_jobs):
        return
    labels = after_job(shift, way.labels, drive_s + setup_s(place, job), job)
    if min(labels) < NEVER:
        yield _Way(way.lost_s, way.drive_s + drive_s, labels, way.number + 1, job, way)


def _comes_home(problem: Problem, shift: Shift, way: _Way) -> bool:
    if way.last is None:
        return True
    drive_s = problem.seconds[way.last.place][shift.end_place]
    owed, taken = way.labels
    at_home = min(taken + drive_s, break_ends(shift, owed + drive_s) if owed < NEVER else NEVER)
    return drive_s != UNREACHABLE and at_home <= shift.end_s


def _not_worse(ways: list[_Way], capped: bool) -> list[_Way]:
    """Without those that are nowhere ahead of another that stands at the same place."""
    kept: list[_Way] = []
    for way in sorted(ways, key=lambda way: (way.lost_s, way.labels, way.number, way.drive_s)):
        owed, taken = way.labels
        if not any(
            other.labels[0] <= owed and other.labels[1] <= taken and (not capped or other.number <= way.number)
            for other in kept
        ):
            kept.append(way)
    return kept


def _with_the_missing(
    problem: Problem, shift: Shift, kept: tuple[Job, ...], everything: Sequence[Job]
) -> tuple[Job, ...]:
    """With what still fits of all that is to be done, each where it adds least driving, the most pressing first."""
    done = {job.id for job in kept}
    missing = [job for job in everything if job.id not in done and job.windows and shift.allows(job)]
    for job in sorted(missing, key=lambda job: (-job.cost_of_leaving_out_s, job.id)):
        line = Timeline.of(problem, shift, kept)
        if not line.feasible:
            break
        added = ((line.added_drive_s(job, position), position) for position in range(len(kept) + 1))
        places = [(drive_s, position) for drive_s, position in added if drive_s is not None]
        if places:
            _, position = min(places)
            kept = (*kept[:position], job, *kept[position:])
    return kept


def _with_late(
    problem: Problem, shift: Shift, order: tuple[Job, ...], job: Job, late: Sequence[Job]
) -> tuple[Job, ...]:
    """The order with a promise that cannot be kept: where it is least late and nothing else breaks, or else last."""
    end_s = shift.end_s + DAY_S
    names = {each.id for each in late}

    def patient(each: Job) -> Job:
        opens_s = each.windows[0].start_s if each.windows else 0
        return replace(each, windows=(TimeWindow(opens_s, max(opens_s, end_s)),)) if each.id in names else each

    found = []
    for position in range(len(order) + 1):
        longer = (*order[:position], job, *order[position:])
        route = schedule(problem, shift, [patient(each) for each in longer])
        if route is not None:
            found.append((route.steps[position].begin_s, position, longer))
    return min(found)[2] if found else (*order, job)
