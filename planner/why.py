"""What each visit of a plan adds and where else it could be; which rules keep a candidate out, and the cheapest repair.

`routing.reasons` finds it out, here it becomes words. The longest plans are not explained to the last candidate:
repairs are told of the `MOST_REPAIRS` that are worth most, the others have their rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from planner.candidates import Reason, SuggestedRepair, Unplanned, Visit
from planner.hours import midnight
from planner.translation import Translation, WorkingDay, visit_windows
from routing.problem import DAY_S, Job, Problem
from routing.reasons import Blocking, Case, Deadline, LeftOut, Repair, RepairKind, Repairs, Rule, blocking, marginals
from routing.reasons import Elsewhere as Alternative
from routing.solution import Solution

MOST_REPAIRS = 500
"""A repair takes a few thousandths of a second."""

A_WEEK = 7
"""Days of so short a plan are called by their names alone."""

CODES: Mapping[Rule, str] = {
    Rule.GROUP: "account_visited",
    Rule.VEHICLES: "owner",
    Rule.SKILLS: "skills",
    Rule.UNREACHABLE: "unreachable",
    Rule.DEADLINE: "deadline",
    Rule.WINDOWS: "opening_hours",
    Rule.SPACING: "spacing",
    Rule.CAPACITY: "capacity",
    Rule.MAX_JOBS: "max_visits",
    Rule.TIME_TAKEN: "other_visits",
    Rule.SHIFT_END: "work_end",
    Rule.SHIFT_START: "work_start",
    Rule.BREAK: "break",
    Rule.WORTH: "worth",
}
"""What rules are called in a plan; of an appointment or a promise `opening_hours` is its `APPOINTMENT`."""
APPOINTMENT = "appointment"
_HEADLINES: Mapping[Reason, Rule] = {
    Reason.OUTSIDE_HOURS: Rule.WINDOWS,
    Reason.NO_TIME_LEFT: Rule.TIME_TAKEN,
    Reason.TOO_FAR: Rule.WORTH,
    Reason.NO_REP_WITH_SKILL: Rule.SKILLS,
    Reason.NO_REP: Rule.VEHICLES,
    Reason.DEADLINE_IMPOSSIBLE: Rule.DEADLINE,
    Reason.APPOINTMENT_IMPOSSIBLE: Rule.WINDOWS,
    Reason.UNREACHABLE: Rule.UNREACHABLE,
    Reason.VISITED_ANYWAY: Rule.GROUP,
    Reason.SPACING: Rule.SPACING,
}
"""The rule that the reason of an entry speaks of: of equally small sets of rules one with it is told."""
RULE_CODES = (*CODES.values(), APPOINTMENT)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The best other place for a visit: `after` which one of that day (None: first), what it adds there in driving, and
    what that costs more in all."""

    day: WorkingDay
    after: Visit | None
    added_s: int
    difference_s: int


@dataclass(frozen=True, slots=True)
class Here:
    """What a visit adds in driving where it is, and its best alternative."""

    added_s: int
    alternative: Elsewhere | None


class Whys:
    """All that is told about one solution.

    Args:
        on_progress: told with each visit which share of all has been looked at, 0 to 1.
        enough: asked with each visit; nothing is told any more of those that come after.
    """

    def __init__(
        self,
        translation: Translation,
        solution: Solution,
        on_progress: Callable[[float], object] = lambda share: None,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        self.translation = translation
        self._on_progress, self._enough = on_progress, enough
        self._looked_at, self._visits = 0, len(translation.problem.jobs)
        problem, self._deadlines = _unbounded(translation, solution)
        self._left_out = LeftOut(problem, solution, self._deadlines)
        by_worth = sorted(
            (problem.job_by_id[id_] for id_ in solution.unassigned), key=lambda job: -job.cost_of_leaving_out_s
        )
        self._repaired = frozenset(job.id for job in by_worth[:MOST_REPAIRS])
        self._repairs: Repairs | None = None

    def here(self) -> Mapping[str, Here]:
        """Of every visit that is planned, by its id."""
        found: dict[str, Here] = {}
        for each in marginals(self._left_out.standing):
            there = self._elsewhere(each.alternative, each.cost_s) if each.alternative else None
            found[each.job] = Here(each.added_s, there)
            if not self._goes_on():
                break
        return found

    def _goes_on(self) -> bool:
        self._looked_at += 1
        self._on_progress(min(1.0, self._looked_at / self._visits))
        return not self._enough()

    def _elsewhere(self, there: Alternative, here_s: int) -> Elsewhere:
        after = None if there.after is None else self.translation.visits[there.after]
        return Elsewhere(self.translation.working_days[there.shift], after, there.added_s, there.cost_s - here_s)

    def explained(self, entry: Unplanned, job: str) -> Unplanned:
        """The entry of a visit with its rules and the cheapest repair."""
        if not self._goes_on():
            return entry
        case, visit = self._left_out.case(job), self.translation.visits[job]
        found = blocking(case, _HEADLINES.get(entry.reason))
        return replace(entry, rules=_codes(found, visit, entry.reason), repair=self._repair(case))

    def _repair(self, case: Case) -> SuggestedRepair | None:
        if case.job.id not in self._repaired:
            return None
        if self._repairs is None:
            self._repairs = Repairs(self._left_out.standing)
        repair = self._repairs.cheapest(case)
        return None if repair is None else self._told(repair, case)

    def _told(self, repair: Repair, case: Case) -> SuggestedRepair:
        day = self.translation.working_days[repair.shift]
        other = None if repair.other is None else self.translation.visits[repair.other]
        minutes = minutes_up(repair.price_s)
        words = _WORDS[repair.kind](_Words(self, repair, case, day, other))
        return SuggestedRepair(str(repair.kind), words, minutes, day.rep.id, day.day, other.id if other else "")

    def on(self, day: date) -> str:
        """A day in words: 'Tuesday', or 'Tue 8 Dec' in a long plan."""
        clock = self.translation.clock
        return f"{day:%A}" if (clock.last_day - clock.first_day).days < A_WEEK else f"{day:%a} {day.day} {day:%b}"


def _codes(found: Blocking, visit: Visit, reason: Reason) -> tuple[str, ...]:
    """The rules' names; where not even lifting all of them helps, the reason itself."""
    if not found.possible:
        return (str(reason),)
    windows = APPOINTMENT if visit.appointment is not None or visit.promise is not None else CODES[Rule.WINDOWS]
    return tuple(windows if rule == Rule.WINDOWS else CODES[rule] for rule in found.rules)


def _unbounded(translation: Translation, solution: Solution) -> tuple[Problem, Mapping[str, Deadline]]:
    """The problem with the windows of what is left out as long as its last day, whenever work ends on it: who asks for
    an hour more is not told that the plan is over. And the deadlines of those visits."""
    problem, clock = translation.problem, translation.clock
    clock = replace(clock, end_s=-(-clock.end_s // DAY_S) * DAY_S)
    left_out = frozenset(solution.unassigned)
    jobs: list[Job] = []
    deadlines: dict[str, Deadline] = {}
    for job in problem.jobs:
        if job.id not in left_out:
            jobs.append(job)
            continue
        visit = translation.visits[job.id]
        jobs.append(replace(job, windows=visit_windows(visit, clock)))
        if visit.deadline is not None and visit.deadline <= clock.last_day and not visit.late and not visit.appointment:
            over_s = clock.at(midnight(visit.deadline + timedelta(days=1)))
            without = visit_windows(replace(visit, deadline=None), clock)
            deadlines[job.id] = Deadline(over_s - job.service_s, without)
    return replace(problem, jobs=tuple(jobs)), deadlines


def minutes_up(seconds: int) -> int:
    """Whole minutes that are enough."""
    return math.ceil(seconds / 60)


# --- repairs in words -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words of a repair are made of."""

    whys: Whys
    repair: Repair
    case: Case
    day: WorkingDay
    other: Visit | None

    @property
    def on(self) -> str:
        return self.whys.on(self.day.day)

    @property
    def rep(self) -> str:
        return self.day.rep.name

    @property
    def amount(self) -> str:
        return f"{minutes_up(self.repair.amount)} min"

    @property
    def driving(self) -> str:
        """What the visit itself adds."""
        return _more(self.repair.added_s)

    @property
    def other_name(self) -> str:
        return f"{self.other.name} ({self.other.record_ids[0]})" if self.other else ""


def _more(seconds: int) -> str:
    minutes = minutes_up(seconds)
    return f"{minutes:+d} min driving" if minutes else "no more driving"


def _moved(words: _Words) -> str:
    to = words.repair.to
    there = words.whys.translation.working_days[to.shift] if to else words.day
    day = words.whys.on(there.day)
    where = day if there.rep.id == words.day.rep.id else f"{there.rep.name}, {day}"
    return f"Move {words.other_name} to {where}: {_more(words.repair.price_s)}"


def _left_out_instead(words: _Words) -> str:
    worth = words.other.worth.minutes if words.other and words.other.worth else 0
    return f"Leave out {words.other_name}, worth {worth} min, on {words.on}: {_more(words.repair.added_s)}"


def _shorter_break(words: _Words) -> str:
    rest = words.case.standing.problem.shift_by_id[words.repair.shift].break_
    if rest is not None and words.repair.amount >= rest.duration_s:
        return f"Go without a break on {words.on} ({words.rep}): {words.driving}"
    return f"Shorten the break on {words.on} by {words.amount} ({words.rep}): {words.driving}"


def _agreed(words: _Words, which: str) -> str:
    visit = words.whys.translation.visits[words.repair.job]
    if visit.appointment is not None:
        return f"Agree on a time {words.amount} {which} ({words.rep}, {words.on}): {words.driving}"
    hours = "stay open {} longer" if which == "later" else "open {} earlier"
    return f"Ask the customer to {hours.format(words.amount)} on {words.on} ({words.rep}): {words.driving}"


def _one_more(words: _Words) -> str:
    most = words.day.rep.max_visits_per_day or 0
    return f"Let {words.rep} make {most + 1} visits on {words.on} instead of {most}: {words.driving}"


def _paid(words: _Words) -> str:
    worth = minutes_up(words.case.job.penalty_s or 0)
    return (
        f"Drive {minutes_up(words.repair.price_s)} min for it on {words.on} ({words.rep}), though it is worth {worth}"
    )


def _later_deadline(words: _Words) -> str:
    visit = words.whys.translation.visits[words.repair.job]
    return f"Allow the first visit after {visit.deadline}, on {words.on} ({words.rep}): {words.driving}"


_WORDS: Mapping[RepairKind, Callable[[_Words], str]] = {
    RepairKind.INSERT: lambda w: f"There is room on {w.on} ({w.rep}), a longer search would use it: {w.driving}",
    RepairKind.MOVE: _moved,
    RepairKind.LEAVE_OUT: _left_out_instead,
    RepairKind.END_LATER: lambda w: f"End {w.on} {w.amount} later ({w.rep}): {w.driving}",
    RepairKind.START_EARLIER: lambda w: f"Start {w.on} {w.amount} earlier ({w.rep}): {w.driving}",
    RepairKind.SHORTER_BREAK: _shorter_break,
    RepairKind.CLOSES_LATER: lambda w: _agreed(w, "later"),
    RepairKind.OPENS_EARLIER: lambda w: _agreed(w, "earlier"),
    RepairKind.ONE_MORE: _one_more,
    RepairKind.CAPACITY: lambda w: f"Take {w.repair.amount} more on {w.on} ({w.rep}): {w.driving}",
    RepairKind.OTHER_VEHICLE: lambda w: f"Let {w.rep} go, on {w.on}: {w.driving}",
    RepairKind.SPACING: lambda w: (
        f"Allow {w.repair.amount} {'day' if w.repair.amount == 1 else 'days'} less, or more, between the visits: "
        f"{w.on} ({w.rep}), {w.driving}"
    ),
    RepairKind.TWICE: lambda w: f"Visit the account once more, on {w.on} ({w.rep}): {w.driving}",
    RepairKind.LATER_DEADLINE: _later_deadline,
    RepairKind.SKILL: lambda w: (
        f"Let {w.rep} learn {', '.join(sorted(w.case.job.skills - _skills(w)))} and go on {w.on}: {w.driving}"
    ),
    RepairKind.PAY: _paid,
}


def _skills(words: _Words) -> frozenset[str]:
    return words.day.rep.skills
