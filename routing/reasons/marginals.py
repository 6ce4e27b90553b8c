"""What every job of a plan adds where it is, and where else it could be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from routing.problem import Job
from routing.reasons.positions import Whole
from routing.reasons.standing import Elsewhere, Standing
from routing.timing import NEVER


@dataclass(frozen=True, slots=True)
class Marginal:
    """What a job adds: the driving that leaving it out would save, and the cost (tardiness and nights away too, without
    what the job is worth); and the cheapest other place in the plan without it that keeps every rule, if there is one.

    The other jobs stay on their shifts in their order. Elsewhere on its own day counts where another job would come
    before or after it.
    """

    job: str
    shift: str
    added_s: int
    cost_s: int
    alternative: Elsewhere | None

    @property
    def difference_s(self) -> int | None:
        """What the alternative costs more."""
        return None if self.alternative is None else self.alternative.cost_s - self.cost_s


def marginals(standing: Standing) -> Iterator[Marginal]:
    """One entry for each job that is done, in the order of the shifts; each is worked out when it is asked for."""
    for number, day in enumerate(standing.days):
        for position, job in enumerate(day.jobs):
            yield marginal(standing, job, number, position)


def marginal(standing: Standing, job: Job, number: int, position: int) -> Marginal:
    """Of the job at this position of the day of this number."""
    shift = standing.days[number].shift
    priced = standing.priced(job)
    if job.id not in standing.shorter_number:  # alone on a day away from home
        added_s, nights_s = _without_the_night(standing, number)
        return Marginal(job.id, shift.id, added_s, added_s + nights_s + int(priced[number]), None)
    added_s = saved_s(standing, number, position)
    choices = [standing.elsewhere(job), _on_its_day(standing, job, number, position, priced)]
    found = [choice for choice in choices if choice is not None]
    return Marginal(
        job.id,
        shift.id,
        added_s,
        added_s + int(priced[number]),
        min(found, key=lambda choice: choice.cost_s, default=None),
    )


def saved_s(standing: Standing, number: int, position: int) -> int:
    """The driving that a day would be shorter by without one of its jobs."""
    day, seconds = standing.days[number], standing.roads.seconds
    places = (day.shift.start_place, *(job.place for job in day.jobs), day.shift.end_place)
    before, here, after = places[position : position + 3]
    straight = 0 if len(day.jobs) == 1 else max(int(seconds[before, after]), 0)
    return int(seconds[before, here] + seconds[here, after]) - straight


def _without_the_night(standing: Standing, number: int) -> tuple[int, int]:
    """What the only job of a day away adds in driving, that of the day beside it included, and in nights."""
    problem, seconds = standing.problem, standing.roads.seconds
    day = standing.days[number]
    own = problem.shift_by_id[day.shift.id]
    place = day.jobs[0].place
    added_s = int(seconds[day.shift.start_place, place] + seconds[place, day.shift.end_place])
    nights_s = 0
    for other in standing.days:
        usual = problem.shift_by_id[other.shift.id]
        if usual.next_shift == own.id and (night_s := standing.night_after(usual.id)) is not None:
            last = other.jobs[-1].place
            added_s += int(seconds[last, other.shift.end_place] - seconds[last, usual.end_place])
            nights_s += night_s
        elif own.next_shift == usual.id and (night_s := standing.night_after(own.id)) is not None:
            first = other.jobs[0].place
            added_s += int(seconds[other.shift.start_place, first] - seconds[usual.start_place, first])
            nights_s += night_s
    return added_s, nights_s


def _on_its_day(standing: Standing, job: Job, number: int, position: int, priced: Whole) -> Elsewhere | None:
    """The cheapest other position on its own day."""
    _, shorter = standing.shorter
    rows = shorter.rows_of(standing.shorter_number[job.id])
    room = shorter.room(job, rows)
    able = room.reached & room.fits(job.windows)
    able[position] = False
    cost = np.where(able, room.added_s + priced[number], NEVER)
    k = int(np.argmin(cost))
    if cost[k] >= NEVER:
        return None
    jobs = shorter.days[standing.shorter_number[job.id]].jobs
    return Elsewhere(standing.days[number].shift.id, jobs[k - 1].id if k else None, int(room.added_s[k]), int(cost[k]))
