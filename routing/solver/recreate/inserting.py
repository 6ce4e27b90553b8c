"""Recreate, in the compiled loops: where a job costs least, and putting it there."""

from __future__ import annotations

from routing.native import part
from routing.solver.recreate.labels import arrival, done, relabel, rested
from routing.solver.recreate.rules import group_is_free, series_fits
from routing.solver.recreate.state import (
    C_COST,
    C_DONE,
    C_KINDS,
    C_MARK,
    C_TOUCHED,
    F_COST,
    F_WINDOW,
    F_WINDOW_END,
    FAR,
    J_DEMAND,
    J_FIRM,
    J_PLACE,
    J_SERVICE,
    J_SETUP,
    J_SHIFTS,
    J_SHIFTS_END,
    L_EMPTY,
    L_KIND_EMPTY,
    L_KIND_FIRST,
    L_KIND_MARK,
    L_TOUCHED,
    N_BY_OWED,
    N_BY_TAKEN,
    N_JOB,
    N_LEG,
    N_OWED,
    N_PLACE,
    N_SETUP,
    N_TAKEN,
    NEVER,
    NODE_COLUMNS,
    O_BLINK,
    O_TEMPERATURE,
    R_COST,
    R_LENGTH,
    R_LOAD,
    S_CAPACITY,
    S_KIND,
    S_MOST,
    S_REST,
    W_POSITION,
    W_ROUTE,
    Arrays,
    Floats,
    Ints,
    Longs,
    State,
    at,
    chance,
    note_empty,
    note_missing,
    patience,
    touch,
)

CHEAP_OPENING = 0.3
"""A discounted opening of an empty route counts for up to this share of its cost: routes in which no job pays alone
would never be opened."""


@part
def label(r: int, first: int, last: int, a: Arrays, s: State) -> None:
    relabel(
        r,
        first,
        last,
        a.jobs,
        a.shifts,
        a.fit,
        a.windows,
        a.pairs,
        a.seconds,
        a.changes,
        a.lodgings,
        s.nodes,
        s.routes,
        s.where,
    )


@part
def cheapest(
    c: int,
    r: int,
    first: int,
    end: int,
    most: float,
    blink: float,
    jobs: Longs,
    shifts: Longs,
    fit: Ints,
    windows: Ints,
    pairs: Ints,
    seconds: Ints,
    changes: Longs,
    counters: Longs,
    nodes: Ints,
    routes: Longs,
) -> tuple[int, int]:
    """What putting a job into a route adds to its cost at its cheapest position from `first` to before `end`, and that
    position: FAR and -1 if it fits nowhere for less than `most`. `blink` is the chance to overlook a position."""
    cost, position = FAR, -1
    length = routes[r, R_LENGTH]
    if length >= shifts[r, S_MOST] or length + 2 >= nodes.shape[1]:
        return cost, position
    if routes[r, R_LOAD] + jobs[c, J_DEMAND] > shifts[r, S_CAPACITY]:
        return cost, position
    place, setup, service = jobs[c, J_PLACE], jobs[c, J_SETUP], jobs[c, J_SERVICE]
    kind = shifts[r, S_KIND]
    window, window_end, extra = fit[c, kind, F_WINDOW] + 0, fit[c, kind, F_WINDOW_END] + 0, fit[c, kind, F_COST]
    closes = windows[window_end - 1, 1]
    rests, timed = shifts[r, S_REST] > 0, len(changes) > 1
    at_route, at_place = at(r), at(place)
    for k in range(first, end):
        here, after_it = at(k), at(k + 1)
        owed, taken = nodes[at_route, here, N_OWED] + 0, nodes[at_route, here, N_TAKEN] + 0
        if min(owed, taken) > closes:
            break
        before, after = nodes[at_route, here, N_PLACE] + 0, nodes[at_route, after_it, N_PLACE] + 0
        there, onward = pairs[at_place, at(before), 1] + 0, pairs[at_place, at(after), 0] + 0
        walk = setup if before != place else 0
        reach_owed, reach_taken = owed + there + walk, taken + there + walk
        if timed and there < FAR:
            if owed < NEVER:
                reach_owed = arrival(changes, seconds, before, place, owed) + walk
                there = reach_owed - walk - owed
            if taken < NEVER:
                reach_taken = arrival(changes, seconds, before, place, taken) + walk
                there = reach_taken - walk - taken
        added = there + onward + extra
        if length > 0:
            added -= nodes[at_route, after_it, N_LEG]
        if added >= min(most, cost) and not timed:
            continue
        over_owed, over_taken = NEVER, done(windows, window, window_end, service, reach_taken)
        if rests and owed < NEVER:
            over_owed = done(windows, window, window_end, service, reach_owed)
            over_taken = min(over_taken, rested(shifts, r, over_owed))
            over = rested(shifts, r, reach_owed)
            if over < NEVER:
                over_taken = min(over_taken, done(windows, window, window_end, service, over))
        walk = nodes[at_route, after_it, N_SETUP] + 0 if after != place else 0
        if timed and onward < FAR:
            reach_owed, reach_taken = NEVER, NEVER
            if over_owed < NEVER:
                reach_owed = arrival(changes, seconds, place, after, over_owed) + walk
            if over_taken < NEVER:
                reach_taken = arrival(changes, seconds, place, after, over_taken) + walk
                added += reach_taken - walk - over_taken - onward
            if added >= min(most, cost):
                continue
        else:
            reach_owed, reach_taken = over_owed + onward + walk, over_taken + onward + walk
        if reach_taken > nodes[at_route, after_it, N_BY_TAKEN] and reach_owed > nodes[at_route, after_it, N_BY_OWED]:
            continue
        if blink > 0.0 and chance(counters) < blink:
            continue
        cost, position = added, k
    return cost, position


@part
def insert(c: int, r: int, position: int, a: Arrays, s: State) -> None:
    """Put a job into a route; the current cost follows."""
    touch(r, s.counters, s.nodes, s.routes, s.kept_nodes, s.kept_routes)
    s.counters[C_COST] -= s.routes[r, R_COST] + s.worth[c]
    for k in range(s.routes[r, R_LENGTH] + 1, position, -1):
        for column in range(NODE_COLUMNS):
            s.nodes[r, k + 1, column] = s.nodes[r, k, column]
    s.nodes[r, position + 1, N_JOB] = c
    s.routes[r, R_LENGTH] += 1
    s.routes[r, R_COST] += a.fit[c, a.shifts[r, S_KIND], F_COST] - s.nodes[r, position + 2, N_LEG]
    s.routes[r, R_LOAD] += a.jobs[c, J_DEMAND]
    label(r, position + 1, position + 2, a, s)
    s.counters[C_COST] += s.routes[r, R_COST]
    s.counters[C_DONE] += 1
    if a.jobs[c, J_FIRM]:
        note_missing(c, s.counters, s.where)
    note_empty(r, a.shifts[r, S_KIND], s.counters, s.routes)


@part
def put_back(c: int, everywhere: bool, opening: bool, options: Floats, a: Arrays, s: State) -> None:
    """Put a job where it costs least, if it is worth that: beside its neighbours where there are many shifts alike, or
    else into a route that this move has touched, or `everywhere`, as is always tried for a mandatory job."""
    if s.where[c, W_ROUTE] >= 0 or not group_is_free(c, a.jobs, a.groups, s.where):
        return
    firm = a.jobs[c, J_FIRM] == 1
    blink = 0.0 if firm else options[O_BLINK]
    best = float(FAR)
    if not firm:
        best = min(s.worth[c] + options[O_TEMPERATURE] * patience(s.counters), best)
    best_route, best_position = -1, -1
    s.counters[C_MARK] += 1
    beside, candidates, offset = a.beside.shape[1], s.counters[C_TOUCHED], 0
    if beside > 0:
        candidates = beside + s.counters[C_KINDS]
    elif everywhere or firm:
        offset = a.jobs[c, J_SHIFTS]
        candidates = a.jobs[c, J_SHIFTS_END] - offset
    for v in range(candidates):
        first, end = 0, 0
        if beside > 0 and v < beside:
            neighbour = a.beside[c, v]
            r, first = s.where[neighbour, W_ROUTE], s.where[neighbour, W_POSITION]
            end = first + 2
        elif beside > 0:
            empty = s.routes[v - beside, L_KIND_EMPTY]
            r = s.routes[s.routes[v - beside, L_KIND_FIRST] + empty - 1, L_EMPTY] if empty > 0 else -1
        elif everywhere or firm:
            r = a.may[offset + v]
        else:
            r = s.routes[v, L_TOUCHED]
        if r < 0:
            continue
        kind = a.shifts[r, S_KIND]
        if a.fit[c, kind, F_COST] >= FAR:
            continue
        discount = 1.0
        if s.routes[r, R_LENGTH] == 0:
            if s.routes[kind, L_KIND_MARK] == s.counters[C_MARK]:
                continue
            s.routes[kind, L_KIND_MARK] = s.counters[C_MARK]
            if opening:
                discount = CHEAP_OPENING * chance(s.counters) + 0.001
        if end == 0:
            end = s.routes[r, R_LENGTH] + 1
        cost, position = cheapest(
            c,
            r,
            first,
            end,
            best / discount,
            blink,
            a.jobs,
            a.shifts,
            a.fit,
            a.windows,
            a.pairs,
            a.seconds,
            a.changes,
            s.counters,
            s.nodes,
            s.routes,
        )
        if position >= 0 and cost * discount < best and series_fits(c, r, a.jobs, a.shifts, a.series, s.where):
            best, best_route, best_position = cost * discount, r, position
    if best_route >= 0:
        insert(c, best_route + 0, best_position + 0, a, s)
