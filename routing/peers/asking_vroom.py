"""VROOM, by `pyvroom`: the only module that imports it.

It does as many of the most important jobs as it can and only then drives as little as possible; worth becomes a
priority from 0 to 99, and what must be done has 100. Its windows bound the begin of service and its breaks the begin
of the break, as ours do; parking is its setup, which it pays as we do.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from routing.errors import PeerError
from routing.peers.asking import Answer, group_of, untold
from routing.problem import UNREACHABLE, Job, Problem, Shift

PRIORITIES = (99, 49, 24)
"""The highest priority of what may be left out. Two such jobs can push out one that must be done: then it is asked
again with less."""


def ask_vroom(problem: Problem, threads: int, level: int = 5) -> Answer:
    """Its routes at an exploration level, of which 5 is the highest, in its own time.

    Raises:
        PeerError: it is not installed, or failed.
    """
    for highest in PRIORITIES:
        answer = _ask(problem, threads, level, highest)
        done = {id_ for sequence in answer.sequences.values() for id_ in sequence}
        if all(job.id in done for job in problem.jobs if job.mandatory and problem.eligible_shifts[job.id]):
            break
    return answer


def _ask(problem: Problem, threads: int, level: int, highest: int) -> Answer:
    try:
        import vroom
    except ImportError as error:
        raise PeerError("VROOM is not installed: pip install pyvroom") from error

    matrix = np.array(problem.seconds, dtype=np.int64).reshape(len(problem.seconds), -1)
    matrix[matrix == UNREACHABLE] = max(matrix.max(initial=0), max((s.end_s for s in problem.shifts), default=0)) + 1
    asked = vroom.Input()
    asked.set_durations_matrix("car", matrix.astype(np.uint32))
    loaded = any(shift.capacity is not None for shift in problem.shifts)
    everything = sum(job.demand for job in problem.jobs)
    jobs = _offered(problem)
    # A skill stands for a set of shifts: it says vehicles, skills and days at once.
    skills: dict[frozenset[str], int] = {}
    able: dict[str, set[int]] = defaultdict(set)
    for job in jobs:
        allowed = frozenset(shift.id for shift in problem.eligible_shifts[job.id])
        if allowed not in skills:
            skills[allowed] = len(skills) + 1
            for id_ in allowed:
                able[id_].add(skills[allowed])

    def vehicle(number: int, shift: Shift) -> vroom.Vehicle:
        breaks = []
        if rest := shift.break_:
            breaks = [vroom.Break(number, [vroom.TimeWindow(rest.start_s, rest.latest_start_s)], rest.duration_s)]
        limits = {} if shift.max_jobs is None else {"max_tasks": shift.max_jobs}
        return vroom.Vehicle(
            number,
            start=shift.start_place,
            end=shift.end_place,
            capacity=[everything if shift.capacity is None else shift.capacity] if loaded else (),
            skills=able[shift.id],
            time_window=vroom.TimeWindow(shift.start_s, shift.end_s),
            breaks=breaks,
            **limits,
        )

    most = max((job.penalty_s or 0 for job in jobs), default=0) or 1
    for number, shift in enumerate(problem.shifts, start=1):
        asked.add_vehicle(vehicle(number, shift))
    for number, job in enumerate(jobs, start=1):
        allowed = frozenset(shift.id for shift in problem.eligible_shifts[job.id])
        asked.add_job(
            vroom.Job(
                number,
                job.place,
                default_setup=job.setup_s,
                default_service=job.service_s,
                delivery=vroom.Amount([job.demand] if loaded else []),
                priority=100 if job.penalty_s is None else round(job.penalty_s / most * highest),
                time_windows=[vroom.TimeWindow(w.start_s, w.end_s) for w in job.windows],
                skills={skills[allowed]},
            )
        )
    found: dict[str, list[str]] = {shift.id: [] for shift in problem.shifts}
    if jobs and problem.shifts:
        try:
            solution = asked.solve(level, nb_threads=threads)
        except Exception as error:  # whatever its C++ throws
            raise PeerError(f"VROOM failed: {error}") from error
        table = solution.routes
        for number, kind, id_ in zip(table["vehicle_id"], table["type"], table["id"], strict=True):
            if kind == "job":
                found[problem.shifts[int(number) - 1].id].append(jobs[int(id_) - 1].id)
    grouped = any(job.group is not None for job in problem.jobs)
    of_groups = ("is offered only the job that is worth most of each group",) if grouped else ()
    return Answer(found, (*of_groups, *untold(problem)))


def _offered(problem: Problem) -> list[Job]:
    """The jobs that some shift may do; of a group, the one that is worth most."""
    best: dict[str, Job] = {}
    for job in problem.jobs:
        if problem.eligible_shifts[job.id]:
            key = group_of(job)
            if key not in best or job.cost_of_leaving_out_s > best[key].cost_of_leaving_out_s:
                best[key] = job
    return list(best.values())
