"""Mending what is left of a day: keep every promise that can be kept, leave out least, change as little as possible.

Jobs without a penalty are promises. What counts, each above all that follows: how many promises are kept; that the
others are made at all within the shift, and then how late they begin, all together; what the other jobs that are done
are worth; how few are put into another place; and the driving. Nothing ends after the shift.

As they stand, all are done in time if that is possible at all. If not, it is decided exactly, by labels along the
present order, which of them are best left out, and which promises are late; what is then missing is put where it still
fits; and if anything still is, all orders are searched (`routing.resequencing.worthiest`). Another order is taken only
where that is better for a promise or saves a visit.

The labels are those of `routing.timing`, with what has been done as one more dimension: the shortest path problem with
resource constraints (Desrochers and Soumis, 1988), on a line. Driving that depends on the hour is counted as
`routing.resequencing` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from routing.problem import UNREACHABLE, Job, Problem, Shift, TimeWindow
from routing.resequencing import worth_of, worthiest
from routing.timing import NEVER, Labels, Timeline, after_job, break_ends, setup_s


@dataclass(frozen=True, slots=True)
class Repair:
    """What is done, in which order.

    Attributes:
        order: all that is done, what is late among it.
        late: the promises in it that begin after their windows.
        left_out: what is not done and no promise.
        given_up: the promises that the shift has no time for at all.
    """

    order: tuple[Job, ...]
    late: tuple[Job, ...]
    left_out: tuple[Job, ...]
    given_up: tuple[Job, ...]


def repaired(problem: Problem, shift: Shift, jobs: Sequence[Job], loose: Sequence[Job] = ()) -> Repair:
    """The rest of a day, mended.

    Who was promised to is visited even where that makes more visits than may be.

    Args:
        jobs: what is to be done, in the present order; `loose` is to be done too, and has no place in it yet.
    """
    everything = (*jobs, *loose)
    promises = [job for job in everything if job.mandatory]
    if shift.max_jobs is not None:
        shift = replace(shift, max_jobs=max(shift.max_jobs, len(promises)))
    if shift.capacity is not None:
        shift = replace(shift, capacity=max(shift.capacity, sum(job.demand for job in promises)))
    mending = _Mending(problem, shift, tuple(job.id for job in jobs), everything)
    way = mending.with_the_missing(mending.in_order(jobs))
    if way.worth < sum(map(worth_of, everything)):
        ways = [way]
        for some in (everything, promises) if promises else (everything,):
            found = mending.timed(worthiest(problem, shift, some))
            if found is not None:
                ways.append(mending.with_the_missing(found))
        best = max(each.worth for each in ways)
        if way.worth < best:
            alike = [mending.with_few_changes(each) for each in ways if each.worth == best]
            way = min(alike, key=mending.changes)
    order, late = way.jobs(), way.late()
    done = {job.id for job in order}
    undone = [job for job in everything if job.id not in done]
    return Repair(
        order,
        tuple(job for job in order if job.id in late),
        tuple(job for job in undone if not job.mandatory),
        tuple(job for job in undone if job.mandatory),
    )


def moved(before: Sequence[str], after: Iterable[str]) -> int:
    """How many of the ids that are in both orders are in another place: the fewest whose moving makes the one from the
    other."""
    place = {id_: number for number, id_ in enumerate(before)}
    places = [place[id_] for id_ in after if id_ in place]
    longest: list[int] = []  # of the runs in order that end with each
    for number, at in enumerate(places):
        runs = (longest[k] for k in range(number) if places[k] < at)
        longest.append(1 + max(runs, default=0))
    return len(places) - max(longest, default=0)


def _until(job: Job, late_s: int) -> Job:
    *others, last = job.windows
    return replace(job, windows=(*others, TimeWindow(last.start_s, last.end_s + late_s)))


class _Way(NamedTuple):
    """A way along the order so far: what it has done is worth, its driving, its labels, and how many jobs it has done.

    `load` is their demand. `last` is the job done last, begun `late_s` after its windows, and `before` the way up to
    it; both jobs are None of the way that has done nothing.
    """

    worth: int
    drive_s: int
    labels: Labels
    number: int
    load: int
    last: Job | None
    late_s: int
    before: _Way | None

    def _backwards(self) -> Iterator[tuple[Job, int]]:
        way: _Way | None = self
        while way is not None and way.last is not None:
            yield way.last, way.late_s
            way = way.before

    def jobs(self) -> tuple[Job, ...]:
        return tuple(job for job, _ in self._backwards())[::-1]

    def late(self) -> dict[str, int]:
        """By how many seconds, by the ids of what is late."""
        return {job.id: late_s for job, late_s in self._backwards() if late_s}


@dataclass(frozen=True)
class _Mending:
    """`present`: the ids of what has a place, in the present order."""

    problem: Problem
    shift: Shift
    present: tuple[str, ...]
    everything: tuple[Job, ...]

    def changes(self, way: _Way) -> tuple[int, int]:
        return moved(self.present, (job.id for job in way.jobs())), way.drive_s

    def in_order(self, jobs: Sequence[Job]) -> _Way:
        """Of all ways to leave jobs out of an order, the one that is worth most, then drives least."""
        given = tuple(job for job in jobs if job.windows and self.shift.allows(job))
        if Timeline.of(self.problem, self.shift, given).feasible and (way := self.timed(given)) is not None:
            return way
        # By the place in the order of the last job done: the ways that end there and are not worse than another.
        ends: list[list[_Way]] = [[self._nothing]]
        for job in given:
            longer = [way for ways in ends for before in ways for way in self._done(before, job)]
            ends.append(self._not_worse(longer))
        return self._best(way for ways in ends for way in ways) or self._nothing

    def timed(self, order: Sequence[Job]) -> _Way | None:
        """All of an order, its promises as early as can be; None where it does not fit into the shift."""
        ways = [self._nothing]
        for job in order:
            ways = self._not_worse([way for before in ways for way in self._done(before, job)])
        return self._best(ways)

    def with_the_missing(self, way: _Way) -> _Way:
        """With what still fits of all that is to be done, each where it adds least driving, the most pressing first.

        Nothing is in time for it no longer, and what is late gets no later.
        """
        done = {job.id for job in way.jobs()}
        missing = [job for job in self.everything if job.id not in done and job.windows and self.shift.allows(job)]
        kept = firm = self._firm(way)
        for job in sorted(missing, key=lambda job: (-job.cost_of_leaving_out_s, job.id)):
            _, kept = min(self._places(kept, job), default=(0, kept), key=lambda place: place[0])
        longer = self._as_given(kept) if kept != firm else way
        return longer if longer is not None and longer.worth >= way.worth else way

    def with_few_changes(self, way: _Way) -> _Way:
        """As many of its jobs as possible back in their places, one after another, as long as nothing is worth less."""
        for _ in self.present:
            firm, least = self._firm(way), self.changes(way)
            orders = [
                (changes, order)
                for k, job in enumerate(firm)
                for drive_s, order in self._places((*firm[:k], *firm[k + 1 :]), job)
                if (changes := (moved(self.present, (each.id for each in order)), drive_s)) < least
            ]
            if not orders:
                break
            better = self._as_given(min(orders, key=lambda each: each[0])[1])
            if better is None or better.worth < way.worth:
                break
            way = better
        return way

    def _places(self, kept: tuple[Job, ...], job: Job) -> Iterator[tuple[int, tuple[Job, ...]]]:
        """All driving, and the order, for each place where one more job fits."""
        line = Timeline.of(self.problem, self.shift, kept)
        for position in range(len(kept) + 1) if line.feasible else ():
            drive_s = line.added_drive_s(job, position)
            if drive_s is not None:
                yield line.drive_s + drive_s, (*kept[:position], job, *kept[position:])

    def _firm(self, way: _Way) -> tuple[Job, ...]:
        """The jobs of a way; what is late must not be later."""
        late = way.late()
        return tuple(_until(job, late[job.id]) if job.id in late else job for job in way.jobs())

    def _as_given(self, order: Sequence[Job]) -> _Way | None:
        by_id = {job.id: job for job in self.everything}
        return self.timed([by_id[job.id] for job in order])

    @property
    def _nothing(self) -> _Way:
        start_s = self.shift.start_s
        return _Way(0, 0, (start_s, break_ends(self.shift, start_s)), 0, 0, None, 0, None)

    def _done(self, way: _Way, job: Job) -> Iterator[_Way]:
        """The way with one more job, if that can be done: in time, or else late where it is a promise."""
        shift = self.shift
        place = way.last.place if way.last is not None else shift.start_place
        drive_s = self.problem.seconds[place][job.place]
        if drive_s == UNREACHABLE or (shift.max_jobs is not None and way.number >= shift.max_jobs):
            return
        if shift.capacity is not None and way.load + job.demand > shift.capacity:
            return
        parking_s = setup_s(place, job)

        def longer(labels: Labels, late_s: int = 0) -> _Way:
            return _Way(
                way.worth + worth_of(job, late_s),
                way.drive_s + drive_s,
                labels,
                way.number + 1,
                way.load + job.demand,
                job,
                late_s,
                way,
            )

        at_door_s, rested_s = self._arrived(way, job.place)
        at_door_s, rested_s = at_door_s + parking_s, rested_s + parking_s
        labels = after_job(shift, (at_door_s, rested_s), 0, job)
        if min(labels) < NEVER:
            yield longer(labels)
        if not job.mandatory:
            return
        # How late depends on whether the break was before.
        closes_s = job.windows[-1].end_s
        rested_s = min(rested_s, break_ends(shift, at_door_s))
        if closes_s < rested_s <= shift.end_s:
            over_s = rested_s + job.service_s
            yield longer((NEVER if shift.break_ is not None else over_s, over_s), rested_s - closes_s)
        if shift.break_ is not None and closes_s < at_door_s <= shift.end_s:
            over_s = at_door_s + job.service_s
            yield longer((over_s, break_ends(shift, over_s)), at_door_s - closes_s)

    def _arrived(self, way: _Way, place: int) -> Labels:
        """The labels at the end of the leg from where a way ends."""
        before = way.last.place if way.last is not None else self.shift.start_place
        owed, taken = way.labels
        if not self.problem.tables:
            drive_s = self.problem.seconds[before][place]
            return owed + drive_s, taken + drive_s
        return self.problem.arrive_s(before, place, owed), self.problem.arrive_s(before, place, taken)

    def _best(self, ways: Iterable[_Way]) -> _Way | None:
        home = (way for way in ways if self._comes_home(way))
        return min(home, key=lambda way: (-way.worth, way.drive_s + self._home_s(way)), default=None)

    def _home_s(self, way: _Way) -> int:
        return self.problem.seconds[way.last.place][self.shift.end_place] if way.last is not None else 0

    def _comes_home(self, way: _Way) -> bool:
        if way.last is None:
            return True
        owed, taken = self._arrived(way, self.shift.end_place)
        at_home = min(taken, break_ends(self.shift, owed) if owed < NEVER else NEVER)
        return self._home_s(way) != UNREACHABLE and at_home <= self.shift.end_s

    def _not_worse(self, ways: list[_Way]) -> list[_Way]:
        """Without those that are nowhere ahead of another that stands at the same place."""
        capped, loaded = self.shift.max_jobs is not None, self.shift.capacity is not None
        kept: list[_Way] = []
        for way in sorted(ways, key=lambda way: (-way.worth, way.labels, way.number, way.load, way.drive_s)):
            owed, taken = way.labels
            if not any(
                other.labels[0] <= owed
                and other.labels[1] <= taken
                and (not capped or other.number <= way.number)
                and (not loaded or other.load <= way.load)
                and (other.worth > way.worth or other.drive_s <= way.drive_s)
                for other in kept
            ):
                kept.append(way)
        return kept
