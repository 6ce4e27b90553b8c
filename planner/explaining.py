"""Why a candidate is not in a plan: the first rule that stands in its way, in a code and a sentence for people.

`planner.why` adds the fewest rules that keep it out, and the cheapest repair.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo

from planner.candidates import Reason, Unplanned, Visit
from planner.domain import Rep
from planner.hours import exists
from planner.settings import CalendarSettings
from planner.slots.domain import Booking
from planner.translation import Translation
from planner.why import Whys
from routing.problem import UNREACHABLE, Job, Problem, Shift, Spacing
from routing.solution import Solution
from routing.spacing import may_join, spacing_of
from routing.timing import Timeline, schedule


def explain_unplanned(translation: Translation, solution: Solution, whys: Whys | None = None) -> list[Unplanned]:
    """One entry for each visit that the solution leaves out, in the problem's order: with the first rule that stands in
    its way as its reason, the fewest rules that keep it out, and the cheapest repair."""
    explainer = _Explainer(translation, solution, whys or Whys(translation, solution))
    left_out = set(solution.unassigned)
    return [explainer.explain(job) for job in translation.problem.jobs if job.id in left_out]


def explain_broken(translation: Translation, visits: Sequence[Visit], calendar: CalendarSettings) -> list[str]:
    """A sentence for each promised visit that cannot be kept: customer, window, rep, and what stands in its way."""
    reps = {day.rep.id: day.rep for day in translation.working_days.values()}
    return [
        f"{promised(promise, reps.get(promise.rep_id), translation.clock.zone)}: "
        f"{_why_broken(translation, visit, promise, calendar)}"
        for visit in visits
        if (promise := visit.promise)
    ]


def promised(booking: Booking, rep: Rep | None, zone: tzinfo) -> str:
    """A promise in words: customer, window and rep; `zone` is for where there is no such rep."""
    record = f" ({booking.opportunity_id})" if booking.opportunity_id else ""
    window = booking.window_text(rep.zone if rep else zone)
    return f"{booking.name}{record}, {window}, with {rep.name if rep else booking.rep_id}"


def held_time(booking: Booking, rep: Rep | None, zone: tzinfo) -> str:
    """A time in words, and not whom it is for."""
    return f"{booking.window_text(rep.zone if rep else zone)} with {rep.name if rep else booking.rep_id}"


def _why_broken(translation: Translation, visit: Visit, promise: Booking, calendar: CalendarSettings) -> str:
    problem = translation.problem
    day = translation.working_days.get(f"{promise.rep_id}@{promise.day}")
    if holiday := calendar.holiday(promise.day):
        return f"nobody works on that day, a public holiday ({holiday})"
    if day is None:
        return "the rep does not work on that day, is not located, or is not among the reps"
    job, shift = problem.job_by_id[visit.id], problem.shift_by_id[day.id]
    if missing := job.skills - shift.skills:
        return f"the rep no longer has the skill {', '.join(sorted(missing))}"
    if UNREACHABLE in (problem.seconds[shift.start_place][job.place], problem.seconds[job.place][shift.end_place]):
        return "no street connects it with the rep's home"
    if shift.max_jobs == 0:
        return "the rep makes no visits"
    if schedule(problem, shift, [job]) is None:
        hours = f", {visit.hours[0]} as its hours" if visit.hours else ""
        return (
            f"the rep's working time from {day.rep.work_start:%H:%M} to {day.rep.work_end:%H:%M}, with break and "
            f"drive{hours}, has no room for {visit.service_minutes} minutes then"
        )
    others = [
        other.name
        for other in translation.visits.values()
        if other.promise and (other.promise.rep_id, other.promise.day) == (promise.rep_id, promise.day)
        if other.id != visit.id
    ]
    return f"it cannot be kept together with what else is promised that day: {', '.join(others)}"


class _Explainer:
    def __init__(self, translation: Translation, solution: Solution, whys: Whys) -> None:
        self.translation = translation
        self.whys = whys
        self.problem: Problem = translation.problem
        by_shift = {route.shift: route for route in solution.routes}
        self.timelines = {
            shift.id: Timeline.of(
                self.problem,
                by_shift[shift.id].shift_in(self.problem) if shift.id in by_shift else shift,
                [self.problem.job_by_id[id_] for id_ in by_shift[shift.id].jobs] if shift.id in by_shift else [],
            )
            for shift in self.problem.shifts
        }
        self.served = {
            job.group: job.id
            for route in solution.routes
            for job in (self.problem.job_by_id[id_] for id_ in route.jobs)
            if job.group is not None
        }

        self.spacings = spacing_of(self.problem.spacings)
        self.days_of: dict[str, list[int]] = defaultdict(list)
        for route in solution.routes:
            for job in (self.problem.job_by_id[id_] for id_ in route.jobs):
                if job.series is not None:
                    self.days_of[job.series].append(self.problem.shift_by_id[route.shift].day)

    def explain(self, job: Job) -> Unplanned:
        visit = self.translation.visits[job.id]
        reason, sentence = self.first_obstacle(job, visit)
        again = visit.id if visit.repeat else ""
        entry = Unplanned(visit.record_ids, visit.kind, visit.name, reason, sentence, visit.worth, again)
        return self.whys.explained(entry, job.id)

    def first_obstacle(self, job: Job, visit: Visit) -> tuple[Reason, str]:
        if job.group is not None and job.group in self.served:
            other = self.translation.visits[self.served[job.group]]
            return Reason.VISITED_ANYWAY, f"the account is visited already for {other.name} ({other.record_ids[0]})"
        shifts = [shift for shift in self.problem.shifts if shift.max_jobs != 0]
        allowed = [s for s in shifts if job.vehicles is None or s.vehicle in job.vehicles]
        if not allowed:
            return Reason.NO_REP, self.no_rep(job)
        skilled = [s for s in allowed if job.skills <= s.skills]
        if not skilled:
            who = "its rep does not have" if job.vehicles else "no rep has"
            return Reason.NO_REP_WITH_SKILL, f"{who} the skill {', '.join(sorted(job.skills))}"
        connected = [s for s in skilled if self.connected(s, job)]
        if not connected:
            return Reason.UNREACHABLE, "no street connects it with the home of a rep who could go"
        alone = [s for s in connected if schedule(self.problem, s, [job])]
        if not alone:
            return self.impossible_alone(job, visit, connected)
        if job.series is not None:
            spacing, days = self.spacings[job.series], self.days_of[job.series]
            apart = [s for s in alone if may_join(spacing, days, s.day)]
            if not apart:
                return Reason.SPACING, self.too_near_or_far(spacing, days, alone)
            alone = apart
        return self.crowded_out(job, visit, alone)

    def too_near_or_far(self, spacing: Spacing, days: Sequence[int], shifts: Sequence[Shift]) -> str:
        """Which of the two stands in the way of a repeat on the shifts: where either does, that it is too far."""
        far = any(min(abs(shift.day - day) for day in days) >= spacing.min_days for shift in shifts)
        bound = f"more than {spacing.max_days}" if far else f"less than {spacing.min_days}"
        first_day = self.translation.clock.first_day
        others = ", ".join(f"{first_day + timedelta(days=day):%a %Y-%m-%d}" for day in sorted(days))
        return f"the visits would be {bound} days apart: the customer is visited on {others}"

    def added_s(self, job: Job, shift: Shift, position: int) -> int | None:
        """What the plan's cost would rise by, without the visit's worth; None where it does not fit."""
        timeline = self.timelines[shift.id]
        added_s = timeline.added_drive_s(job, position)
        if added_s is None:
            return None
        nobody_drove_s = 0 if timeline.jobs else timeline.drive_s
        stays_s = job.moved_s if job.seen_on == shift.id else 0
        return added_s + nobody_drove_s + self.problem.tardiness_s(shift, job) - stays_s

    def no_rep(self, job: Job) -> str:
        owners = ", ".join(sorted(job.vehicles or ()))
        if not owners:
            return "no rep works on these days"
        return f"its rep {owners} does not work on these days, is not located, or is not among the reps"

    def connected(self, shift: Shift, job: Job) -> bool:
        seconds = self.problem.seconds
        return UNREACHABLE not in (seconds[shift.start_place][job.place], seconds[job.place][shift.end_place])

    def impossible_alone(self, job: Job, visit: Visit, shifts: Sequence[Shift]) -> tuple[Reason, str]:
        """Not even an otherwise empty day of any rep has room for it."""
        if visit.appointment is not None:
            when = f"{visit.appointment:%a %Y-%m-%d %H:%M}"
            if not exists(visit.appointment, self.translation.clock.zone):
                return Reason.APPOINTMENT_IMPOSSIBLE, f"{when} does not exist: the clocks skip it that night"
            return (
                Reason.APPOINTMENT_IMPOSSIBLE,
                f"at {when} no rep who could go has {visit.service_minutes} minutes of work time, with the drive",
            )
        if visit.deadline is not None and not visit.late and self.possible_without_deadline(job, visit, shifts):
            return (
                Reason.DEADLINE_IMPOSSIBLE,
                f"the first visit is due by {visit.deadline}, and neither its hours "
                f"({' and '.join(visit.hours) or 'any'}) nor the days of the reps who could go leave time before",
            )
        hours = " and ".join(visit.hours)
        if not hours:
            return Reason.NO_TIME_LEFT, f"{visit.service_minutes} minutes and the drive do not fit into a working day"
        return (
            Reason.OUTSIDE_HOURS,
            f"open {hours}: never {visit.service_minutes} minutes at a stretch while a rep who could go is at work",
        )

    def possible_without_deadline(self, job: Job, visit: Visit, shifts: Sequence[Shift]) -> bool:
        free = replace(job, windows=self.translation.windows_of(replace(visit, deadline=None)))
        return any(schedule(self.problem, shift, [free]) for shift in shifts)

    def crowded_out(self, job: Job, visit: Visit, shifts: Sequence[Shift]) -> tuple[Reason, str]:
        """It would fit into an empty day, but the days are not empty."""
        choices = [
            (added_s, shift)
            for shift in shifts
            for position in range(len(self.timelines[shift.id].jobs) + 1)
            if (added_s := self.added_s(job, shift, position)) is not None
        ]
        if choices:
            added_s, shift = min(choices, key=lambda choice: choice[0])
            day = self.translation.working_days[shift.id]
            cheapest = f"{-(-added_s // 60)} minutes of driving ({day.rep.name}, {day.day:%a %Y-%m-%d})"
            if job.penalty_s is not None and added_s >= job.penalty_s:
                return Reason.TOO_FAR, f"it adds at least {cheapest} and is worth {job.penalty_s // 60}"
            return Reason.NO_TIME_LEFT, f"the search ended too soon: a longer one would plan it, for {cheapest}"
        names = sorted({self.translation.working_days[shift.id].rep.name for shift in shifts})
        who = names[0] if len(names) == 1 else f"the {len(names)} reps who could go"
        if visit.appointment is not None:
            return (
                Reason.APPOINTMENT_IMPOSSIBLE,
                f"at {visit.appointment:%a %Y-%m-%d %H:%M} {who} {'is' if len(names) == 1 else 'are'} "
                "already promised elsewhere, or cannot get there in time",
            )
        in_time = visit.deadline is None or visit.late or visit.deadline >= self.translation.clock.last_day
        until = "" if in_time else f" by {visit.deadline}"
        full = f"the one day{until} of {who} is" if len(shifts) == 1 else f"all {len(shifts)} days{until} of {who} are"
        return Reason.NO_TIME_LEFT, f"{full} full: nothing there could make way for {_worth(visit)}"


def _worth(visit: Visit) -> str:
    return f"a visit worth {visit.worth.minutes} minutes" if visit.worth else "it"
