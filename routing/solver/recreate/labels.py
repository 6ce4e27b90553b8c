"""When a route can be done, in the compiled loops: the labels of `routing.timing`, on arrays.

A node is the start, a job or the end of a route. Two labels are kept forwards (the earliest time to be done there, with
the break owed and taken) and two backwards (the latest time to stand ready at its door), so that an insertion between
two nodes is tested in constant time.
"""

from __future__ import annotations

from routing.native import part
from routing.solver.recreate.state import (
    F_COST,
    F_WINDOW,
    F_WINDOW_END,
    FAR,
    J_DEMAND,
    J_PLACE,
    J_SERVICE,
    J_SETUP,
    N_BY_OWED,
    N_BY_TAKEN,
    N_JOB,
    N_LEG,
    N_OWED,
    N_PLACE,
    N_SETUP,
    N_TAKEN,
    NEVER,
    R_COST,
    R_END,
    R_FITS,
    R_LENGTH,
    R_LOAD,
    R_NIGHT,
    R_START,
    S_FROM,
    S_KIND,
    S_REST,
    S_REST_FIRST,
    S_REST_LAST,
    S_TO,
    W_POSITION,
    W_ROUTE,
    Ints,
    Longs,
)


@part
def table_at(changes: Longs, at: int) -> int:
    """The number of the change that holds then."""
    low, high = 0, len(changes)
    while high - low > 1:
        middle = (low + high) // 2
        if changes[middle, 0] <= at:
            low = middle
        else:
            high = middle
    return low


@part
def arrival(changes: Longs, seconds: Ints, a: int, b: int, depart: int) -> int:
    """`routing.traffic.arrive_s` where there are several tables."""
    whole = seconds[0, a, b] + 0
    if whole >= FAR:
        return depart + whole
    low = table_at(changes, depart)
    of = seconds[changes[low, 1], a, b] + 0
    now, left = depart, of
    while low + 1 < len(changes) and now + left > changes[low + 1, 0]:
        driven = changes[low + 1, 0] - now
        low += 1
        now, whole = changes[low, 0], seconds[changes[low, 1], a, b] + 0
        left = -((driven - left) * whole // of)
        of = whole
    return now + left


@part
def departure(changes: Longs, seconds: Ints, a: int, b: int, by: int) -> int:
    """`routing.traffic.depart_s`, the inverse of `arrival`."""
    whole = seconds[0, a, b] + 0
    if whole >= FAR:
        return by - whole
    low = table_at(changes, by)
    until, left, whole = by, 0, seconds[changes[low, 1], a, b] + 0
    while low > 0 and until - whole + left < changes[low, 0]:
        here, of = left + until - changes[low, 0], whole
        until, low = changes[low, 0], low - 1
        whole = seconds[changes[low, 1], a, b] + 0
        left = here * whole // of
    return until - whole + left


@part
def done(windows: Ints, first: int, end: int, service: int, ready: int) -> int:
    """When the service is over for somebody ready at the door, or NEVER."""
    for k in range(first, end):
        if ready <= windows[k, 1]:
            return max(ready, windows[k, 0]) + service
    return NEVER


@part
def ready_by(windows: Ints, first: int, end: int, service: int, over: int) -> int:
    """The latest time to be ready at the door so that the service is over by then, or -NEVER."""
    begin = over - service
    for k in range(end - 1, first - 1, -1):
        if windows[k, 0] <= begin:
            return min(windows[k, 1], begin)
    return -NEVER


@part
def rested(shifts: Longs, r: int, free: int) -> int:
    """When the break is over for somebody free then, or NEVER."""
    return max(free, shifts[r, S_REST_FIRST]) + shifts[r, S_REST] if free <= shifts[r, S_REST_LAST] else NEVER


@part
def rest_by(shifts: Longs, r: int, over: int) -> int:
    """The latest time to be free so that the break is over by then, or -NEVER."""
    begin = min(shifts[r, S_REST_LAST], over - shifts[r, S_REST])
    return begin if begin >= shifts[r, S_REST_FIRST] else -NEVER


@part
def relabel(
    r: int,
    first: int,
    last: int,
    jobs: Longs,
    shifts: Longs,
    fit: Ints,
    windows: Ints,
    pairs: Ints,
    seconds: Ints,
    changes: Longs,
    lodgings: Longs,
    nodes: Ints,
    routes: Longs,
    where: Longs,
) -> None:
    """Label a route anew from the jobs of its nodes: times, cost, load, and whether it can be done at all.

    All of it if `first` is 0. Otherwise the legs to the nodes from `first` to `last` are new, which its cost does not
    have yet; the labels of the others change only as far as those beside them do, and its cost and load have what is
    done.
    """
    length = routes[r, R_LENGTH]
    rests, kind, timed = shifts[r, S_REST] > 0, shifts[r, S_KIND], len(changes) > 1
    cost, load = routes[r, R_COST], routes[r, R_LOAD]
    whole = first <= 0 or timed or length < 2
    if whole:
        cost, load, last = 0, 0, length + 1
        nodes[r, 0, N_PLACE] = routes[r, R_START]
        nodes[r, 0, N_OWED] = shifts[r, S_FROM] if rests else NEVER
        nodes[r, 0, N_TAKEN] = rested(shifts, r, shifts[r, S_FROM]) if rests else shifts[r, S_FROM]
        first = 1
    # What has been driven until each label: where traffic changes, it depends on the way there.
    drive_owed, drive_taken = 0, 0
    owed, taken = nodes[r, first - 1, N_OWED] + 0, nodes[r, first - 1, N_TAKEN] + 0
    before = nodes[r, first - 1, N_PLACE] + 0
    same = False
    for k in range(first, length + 1):
        c = nodes[r, k, N_JOB] + 0
        where[c, W_ROUTE] = r
        where[c, W_POSITION] = k - 1
        if whole:
            cost += fit[c, kind, F_COST]
            load += jobs[c, J_DEMAND]
        if same:
            continue
        place, setup = jobs[c, J_PLACE], jobs[c, J_SETUP]
        walk = setup if place != before else 0
        leg = nodes[r, k, N_LEG] + 0
        if k <= last:
            leg = pairs[before, place, 0] + 0
            if not timed:
                cost += leg
        reach_owed, reach_taken = NEVER, NEVER
        if not timed:
            if owed < NEVER:
                reach_owed = owed + leg + walk
            if taken < NEVER:
                reach_taken = taken + leg + walk
        else:
            if owed < NEVER:
                there = arrival(changes, seconds, before, place, owed)
                drive_owed += there - owed
                reach_owed = there + walk
            if taken < NEVER:
                there = arrival(changes, seconds, before, place, taken)
                leg = there - taken
                drive_taken += leg
                reach_taken = there + walk
        opens, end, service = fit[c, kind, F_WINDOW] + 0, fit[c, kind, F_WINDOW_END] + 0, jobs[c, J_SERVICE]
        owed = NEVER
        taken = done(windows, opens, end, service, reach_taken)
        if rests and reach_owed < NEVER:
            owed = done(windows, opens, end, service, reach_owed)
            over = rested(shifts, r, reach_owed)
            if over < NEVER:
                over = done(windows, opens, end, service, over)
            if owed < NEVER:
                over = min(over, rested(shifts, r, owed))
            if over < taken:
                taken = over
                drive_taken = drive_owed
        same = k > last and owed == nodes[r, k, N_OWED] and taken == nodes[r, k, N_TAKEN]
        nodes[r, k, N_PLACE] = place
        nodes[r, k, N_SETUP] = setup
        nodes[r, k, N_LEG] = leg
        nodes[r, k, N_OWED] = owed
        nodes[r, k, N_TAKEN] = taken
        before = place
    k = length + 1
    if last >= k:
        place = routes[r, R_END]
        leg = pairs[before, place, 0] + 0
        nodes[r, k, N_PLACE] = place
        nodes[r, k, N_SETUP] = 0
        nodes[r, k, N_LEG] = leg
        nodes[r, k, N_BY_TAKEN] = shifts[r, S_TO]
        nodes[r, k, N_BY_OWED] = rest_by(shifts, r, shifts[r, S_TO]) if rests else -NEVER
        if not timed:
            cost += leg
    if timed:
        reach_owed, reach_taken = NEVER, NEVER
        if owed < NEVER:
            reach_owed = arrival(changes, seconds, before, routes[r, R_END], owed)
            drive_owed += reach_owed - owed
        if taken < NEVER:
            reach_taken = arrival(changes, seconds, before, routes[r, R_END], taken)
            nodes[r, k, N_LEG] = reach_taken - taken
            drive_taken += nodes[r, k, N_LEG]
        over = rested(shifts, r, reach_owed) if reach_owed < NEVER else NEVER
        cost += drive_owed if rests and over < reach_taken else drive_taken
    if length == 0:
        cost = 0
    if whole and routes[r, R_NIGHT] >= 0:
        cost += lodgings[routes[r, R_NIGHT], 1]
    routes[r, R_COST] = cost
    routes[r, R_LOAD] = load

    by_taken, by_owed = nodes[r, last, N_BY_TAKEN] + 0, nodes[r, last, N_BY_OWED] + 0
    for k in range(last - 1, -1, -1):
        place, after = nodes[r, k, N_PLACE] + 0, nodes[r, k + 1, N_PLACE] + 0
        walk = nodes[r, k + 1, N_SETUP] + 0 if place != after else 0
        free_taken, free_owed = -NEVER, -NEVER
        if timed:
            if seconds[0, place, after] < FAR:
                if by_taken > -NEVER:
                    free_taken = departure(changes, seconds, place, after, by_taken - walk)
                if by_owed > -NEVER:
                    free_owed = departure(changes, seconds, place, after, by_owed - walk)
        else:
            leg = nodes[r, k + 1, N_LEG] + 0
            if leg < FAR:
                if by_taken > -NEVER:
                    free_taken = by_taken - walk - leg
                if by_owed > -NEVER:
                    free_owed = by_owed - walk - leg
        if rests:
            free_owed = max(free_owed, rest_by(shifts, r, free_taken))
        if k == 0:
            routes[r, R_FITS] = length == 0 or shifts[r, S_FROM] <= (free_owed if rests else free_taken)
            break
        c = nodes[r, k, N_JOB] + 0
        opens, end, service = fit[c, kind, F_WINDOW] + 0, fit[c, kind, F_WINDOW_END] + 0, jobs[c, J_SERVICE]
        by_taken = ready_by(windows, opens, end, service, free_taken)
        by_owed = -NEVER
        if rests:
            by_owed = max(ready_by(windows, opens, end, service, free_owed), rest_by(shifts, r, by_taken))
        if k < first and by_taken == nodes[r, k, N_BY_TAKEN] and by_owed == nodes[r, k, N_BY_OWED]:
            break
        nodes[r, k, N_BY_TAKEN] = by_taken
        nodes[r, k, N_BY_OWED] = by_owed
