"""Ruin, in the compiled loops: strings of jobs are taken out of neighbouring routes, and nights away are changed."""

from __future__ import annotations

from routing.native import part
from routing.solver.recreate.inserting import label
from routing.solver.recreate.state import (
    C_COST,
    C_DONE,
    C_TOUCHED,
    F_COST,
    FAR,
    HOME,
    J_DEMAND,
    J_FIRM,
    L_TOUCHED,
    N_JOB,
    N_LEG,
    N_PLACE,
    NODE_COLUMNS,
    NONE,
    R_COST,
    R_END,
    R_LENGTH,
    R_LOAD,
    R_NIGHT,
    R_START,
    S_BEFORE,
    S_END,
    S_KIND,
    S_LODGINGS,
    S_LODGINGS_END,
    S_NEXT,
    S_START,
    W_ROUTE,
    Arrays,
    State,
    below,
    chance,
    enqueue,
    note_empty,
    note_missing,
    touch,
)

SPLIT = 0.5
GROW = 0.99
"""Chances that a string is split, and that what is kept in its middle grows by one more; small ones are no better."""
TRY = 0.6
"""Chance of each job left out near the seed to be tried."""
WHOLE = 0.4
"""Chance that both days beside a night that is changed keep but one job each."""
AROUND = 40
"""Jobs round a lodging that are tried at most when a night is spent there."""


@part
def take_out(r: int, first: int, end: int, kept: int, kept_end: int, optional: bool, a: Arrays, s: State) -> None:
    """Take the positions from `first` to before `end` out of a route, but for those from `kept` to before `kept_end`,
    and for mandatory ones if only `optional` jobs are asked for; they are to be put back."""
    touch(r, s.counters, s.nodes, s.routes, s.kept_nodes, s.kept_routes)
    s.counters[C_COST] -= s.routes[r, R_COST]
    # `left` is where a node will be; the ways to those from `changed` to `last` are new, and were `driven` before.
    left, changed, last, driven, pending = first + 1, 0, 0, 0, 0
    length = s.routes[r, R_LENGTH] + 0
    for k in range(first + 1, length + 2):
        c = s.nodes[r, k, N_JOB] + 0
        pending += s.nodes[r, k, N_LEG]
        out = k <= end and k <= length and not kept < k <= kept_end
        if out and not (optional and a.jobs[c, J_FIRM]):
            s.where[c, W_ROUTE] = -1
            enqueue(c, s.counters, s.where)
            s.counters[C_COST] += s.worth[c]
            s.counters[C_DONE] -= 1
            s.routes[r, R_COST] -= a.fit[c, a.shifts[r, S_KIND], F_COST]
            s.routes[r, R_LOAD] -= a.jobs[c, J_DEMAND]
            if a.jobs[c, J_FIRM]:
                note_missing(c, s.counters, s.where)
            if changed == 0:
                changed, pending = left, s.nodes[r, k, N_LEG] + 0
            last = left
        else:
            if changed > 0 and last == left:
                driven += pending
                pending = 0
            if left < k:
                for column in range(NODE_COLUMNS):
                    s.nodes[r, left, column] = s.nodes[r, k, column]
            left += 1
    s.routes[r, R_LENGTH] = left - 2
    if changed > 0:
        s.routes[r, R_COST] -= driven
        label(r, changed, last, a, s)
    s.counters[C_COST] += s.routes[r, R_COST]
    note_empty(r, a.shifts[r, S_KIND], s.counters, s.routes)


@part
def take_string(r: int, position: int, longest: float, a: Arrays, s: State) -> None:
    """Take out a string of jobs round a position, sometimes with a few in its middle left where they are."""
    length = s.routes[r, R_LENGTH]
    size = min(int(chance(s.counters) * min(float(length), longest) + 1), length)
    kept = 0
    if 1 < size < length and chance(s.counters) < SPLIT:
        kept = 1
        while size + kept < length and chance(s.counters) < GROW:
            kept += 1
    first = max(0, min(position - below(s.counters, size + kept), length - size - kept))
    end = first + size + kept
    middle = first + 1 + below(s.counters, size - 1) if kept else end
    take_out(r, first, end, middle, middle + kept, False, a, s)


@part
def stay(r: int, night: int, a: Arrays, s: State) -> None:
    """Spend the night after a shift at a lodging, or at home again: both routes beside it move their end."""
    after = a.shifts[r, S_NEXT]
    touch(r, s.counters, s.nodes, s.routes, s.kept_nodes, s.kept_routes)
    touch(after, s.counters, s.nodes, s.routes, s.kept_nodes, s.kept_routes)
    s.counters[C_COST] -= s.routes[r, R_COST] + s.routes[after, R_COST]
    s.routes[r, R_NIGHT] = night
    s.routes[r, R_END] = a.lodgings[night, 0] if night >= 0 else a.shifts[r, S_END]
    s.routes[after, R_START] = a.lodgings[night, 0] if night >= 0 else a.shifts[after, S_START]
    label(r, NONE, NONE, a, s)
    label(after, NONE, NONE, a, s)
    s.counters[C_COST] += s.routes[r, R_COST] + s.routes[after, R_COST]


@part
def go_home(a: Arrays, s: State) -> None:
    """No night away beside a shift without a job."""
    t = 0
    while t < s.counters[C_TOUCHED]:
        r = s.routes[t, L_TOUCHED]
        if s.routes[r, R_LENGTH] == 0:
            before = a.shifts[r, S_BEFORE]
            if s.routes[r, R_NIGHT] >= 0:
                stay(r, HOME, a, s)
            if before >= 0 and s.routes[before, R_NIGHT] >= 0:
                stay(before, HOME, a, s)
        t += 1


@part
def choose_lodging(r: int, a: Arrays, s: State) -> int:
    """Any one, or the one that is least out of the way between a place of the day and one of the next."""
    first, end = a.shifts[r, S_LODGINGS], a.shifts[r, S_LODGINGS_END]
    night = a.stays[first + below(s.counters, end - first)]
    if chance(s.counters) < 0.3:
        return night
    after = a.shifts[r, S_NEXT]
    one = s.nodes[r, below(s.counters, s.routes[r, R_LENGTH] + 1), N_PLACE] + 0
    two = s.nodes[after, 1 + below(s.counters, s.routes[after, R_LENGTH] + 1), N_PLACE] + 0
    least = 4.0 * FAR
    for k in range(first, end):
        place = a.lodgings[a.stays[k], 0]
        way = (a.pairs[one, place, 0] + 0.0 + a.pairs[place, two, 0]) * (0.8 + 0.4 * chance(s.counters))
        if way < least:
            least, night = way, a.stays[k]
    return night


@part
def change_night(r: int, a: Arrays, s: State) -> int:
    """Spend the night after a shift elsewhere, with jobs of both days to be put back; a job that it is near to now, or
    -1 where that is home."""
    night = HOME
    if s.routes[r, R_NIGHT] < 0 or chance(s.counters) < 0.5:
        night = choose_lodging(r, a, s)
        if night == s.routes[r, R_NIGHT]:
            night = HOME
    whole = chance(s.counters) < WHOLE
    for second in range(2):
        day = a.shifts[r, S_NEXT] if second else r
        length = s.routes[day, R_LENGTH]
        if length < 2:  # without a job on both days there is no night away
            continue
        kept = below(s.counters, length)
        if whole:
            take_out(day, NONE, length, kept, kept + 1, False, a, s)
        elif second:  # what is done just after the night
            take_out(day, NONE, kept, length, length, False, a, s)
        else:  # what is done just before it
            take_out(day, kept + 1, length, length, length, False, a, s)
    stay(r, night, a, s)
    if night < 0:
        return -1
    for k in range(min(5 + below(s.counters, AROUND), a.around.shape[1])):
        if chance(s.counters) < TRY:
            enqueue(a.around[night, k], s.counters, s.where)
    return a.around[night, below(s.counters, min(10, a.around.shape[1]))]
