"""The search itself, compiled: ruin, recreate, accept or take back, some ten thousand times a second."""

from __future__ import annotations

from routing.native import native, part
from routing.solver.recreate.inserting import label, put_back
from routing.solver.recreate.ruining import TRY, change_night, go_home, take_out, take_string
from routing.solver.recreate.rules import series_is_spaced
from routing.solver.recreate.state import (
    C_ACCEPTED,
    C_BEST,
    C_CHANGED,
    C_COST,
    C_DONE,
    C_MISSING,
    C_POOLED,
    C_QUEUED,
    C_STAMP,
    C_STOP,
    C_TOUCHED,
    C_USED,
    F_COST,
    FAR,
    J_CLOSES,
    J_FIRM,
    J_GROUP,
    J_OPENS,
    J_SERIES,
    J_SERVICE,
    J_SHIFTS,
    J_SHIFTS_END,
    KEPT_COLUMNS,
    L_CHANGED,
    L_KIND_EMPTY,
    L_KIND_FIRST,
    L_MISSING,
    L_QUEUE,
    L_TOUCHED,
    MEMBERS,
    N_JOB,
    NODE_COLUMNS,
    NONE,
    NOWHERE,
    O_CANDIDATES,
    O_EVERYWHERE,
    O_NIGHT,
    O_OPENING,
    O_POOL,
    O_REMOVED,
    O_SKIP,
    O_STRING,
    O_TEMPERATURE,
    POOL_HEAD,
    R_BEST_COST,
    R_BEST_LENGTH,
    R_BEST_NIGHT,
    R_CHANGED,
    R_COST,
    R_EMPTY_AT,
    R_FITS,
    R_LENGTH,
    R_NIGHT,
    R_STAMP,
    S_BEFORE,
    S_KIND,
    S_NEXT,
    W_MISSING_AT,
    W_POSITION,
    W_QUEUED,
    W_ROUTE,
    Arrays,
    Floats,
    State,
    below,
    chance,
    enqueue,
    note_empty,
    note_missing,
    patience,
)

FIRST = 1.0e12
"""Mandatory jobs are put back before all others."""
REACH_S = 1200.0
"""Driving that a job is reckoned to bring along: jobs are ranked by worth ÷ (service + this)."""


@part
def start(a: Arrays, s: State) -> None:
    """Label all routes from their jobs, and count; this is the best plan known from here on."""
    counters, shifts = s.counters, len(s.routes)
    counters[C_COST], counters[C_DONE], counters[C_MISSING], counters[C_CHANGED] = 0, 0, 0, 0
    counters[C_USED] = shifts
    for r in range(shifts):
        s.routes[r, R_STAMP], s.routes[r, R_CHANGED], s.routes[r, R_EMPTY_AT] = 0, 0, -1
        s.routes[r, L_KIND_FIRST], s.routes[r, L_KIND_EMPTY] = 0, 0
    for r in range(shifts):
        if a.shifts[r, S_KIND] + 1 < shifts:
            s.routes[a.shifts[r, S_KIND] + 1, L_KIND_FIRST] += 1
    for kind in range(1, shifts):
        s.routes[kind, L_KIND_FIRST] += s.routes[kind - 1, L_KIND_FIRST]
    for c in range(len(s.where)):
        s.where[c, W_ROUTE], s.where[c, W_MISSING_AT], s.where[c, W_QUEUED] = -1, -1, 0
    for r in range(shifts):
        label(r, NONE, NONE, a, s)
        counters[C_COST] += s.routes[r, R_COST]
        counters[C_DONE] += s.routes[r, R_LENGTH]
        note_empty(r, a.shifts[r, S_KIND], s.counters, s.routes)
        remember(r, s)
    for c in range(len(s.where)):
        if s.where[c, W_ROUTE] >= 0:
            counters[C_COST] -= s.worth[c]
        if a.jobs[c, J_FIRM]:
            note_missing(c, s.counters, s.where)
    counters[C_BEST] = counters[C_COST]


@part
def remember(r: int, s: State) -> None:
    """A route of the best plan."""
    s.routes[r, R_BEST_LENGTH], s.routes[r, R_BEST_NIGHT] = s.routes[r, R_LENGTH], s.routes[r, R_NIGHT]
    s.routes[r, R_BEST_COST] = s.routes[r, R_COST]
    for k in range(s.routes[r, R_LENGTH]):
        s.best[r, k] = s.nodes[r, k + 1, N_JOB]


@part
def rank(order: int, c: int, a: Arrays, s: State) -> float:
    """Where a job stands among those to be put back: smaller is earlier. `order` is a number below 20."""
    shaken = 0.7 + 0.6 * chance(s.counters)
    if order < 4:
        return chance(s.counters)
    if order < 8:
        return -s.worth[c] * shaken
    if order < 14:
        return -s.worth[c] / (a.jobs[c, J_SERVICE] + REACH_S) * shaken
    if order < 16:
        return float(a.jobs[c, J_CLOSES] - a.jobs[c, J_OPENS])
    if order < 17:
        return float(a.jobs[c, J_OPENS])
    if order < 18:
        return -float(a.jobs[c, J_CLOSES])
    return (a.jobs[c, J_SHIFTS_END] - a.jobs[c, J_SHIFTS]) * shaken


@part
def sort_queue(a: Arrays, s: State) -> None:
    order = below(s.counters, 20)
    for k in range(s.counters[C_QUEUED]):
        c = s.where[k, L_QUEUE]
        s.where[c, W_QUEUED] = 0
        key = rank(order, c, a, s)
        if a.jobs[c, J_FIRM]:
            key -= FIRST
        at = k
        while at > 0 and s.keys[at - 1] > key:
            s.keys[at] = s.keys[at - 1]
            s.where[at, L_QUEUE] = s.where[at - 1, L_QUEUE]
            at -= 1
        s.keys[at] = key
        s.where[at, L_QUEUE] = c


@part
def keep(options: Floats, better: bool, a: Arrays, s: State) -> None:
    """The plan after a move is the current one; its changed routes go to the pool, and to the best plan if it is."""
    counters = s.counters
    for t in range(counters[C_TOUCHED]):
        r = s.routes[t, L_TOUCHED]
        if s.routes[r, R_CHANGED] == 0:
            s.routes[r, R_CHANGED] = 1
            s.routes[counters[C_CHANGED], L_CHANGED] = r
            counters[C_CHANGED] += 1
        length, at = s.routes[r, R_LENGTH], counters[C_POOLED]
        if better and options[O_POOL] > 0 and length > 0 and at + POOL_HEAD + length <= len(s.pool):
            before = a.shifts[r, S_BEFORE]
            s.pool[at] = r
            s.pool[at + 1] = s.routes[before, R_NIGHT] if before >= 0 else NOWHERE
            s.pool[at + 2] = s.routes[r, R_NIGHT]
            s.pool[at + 3] = s.routes[r, R_COST]
            s.pool[at + 4] = length
            for k in range(length):
                s.pool[at + POOL_HEAD + k] = s.nodes[r, k + 1, N_JOB]
            counters[C_POOLED] += POOL_HEAD + length
    if counters[C_COST] < counters[C_BEST]:
        counters[C_BEST] = counters[C_COST]
        for t in range(counters[C_CHANGED]):
            r = s.routes[t, L_CHANGED]
            s.routes[r, R_CHANGED] = 0
            remember(r, s)
        counters[C_CHANGED] = 0


@part
def take_back(cost: int, jobs_done: int, a: Arrays, s: State) -> None:
    """Everything as it was before the move."""
    for t in range(s.counters[C_TOUCHED]):
        r = s.routes[t, L_TOUCHED]
        for k in range(s.routes[r, R_LENGTH]):
            s.where[s.nodes[r, k + 1, N_JOB], W_ROUTE] = -1
    for t in range(s.counters[C_TOUCHED]):
        r = s.routes[t, L_TOUCHED]
        for column in range(KEPT_COLUMNS):
            s.routes[r, column] = s.kept_routes[t, column]
        length = s.routes[r, R_LENGTH]
        for k in range(length + 2):
            for column in range(NODE_COLUMNS):
                s.nodes[r, k, column] = s.kept_nodes[t, k, column]
        for k in range(length):
            c = s.nodes[r, k + 1, N_JOB]
            s.where[c, W_ROUTE] = r
            s.where[c, W_POSITION] = k
        note_empty(r, a.shifts[r, S_KIND], s.counters, s.routes)
    for k in range(s.counters[C_QUEUED]):
        c = s.where[k, L_QUEUE]
        if a.jobs[c, J_FIRM]:
            note_missing(c, s.counters, s.where)
    s.counters[C_COST] = cost
    s.counters[C_DONE] = jobs_done


@part
def is_allowed(a: Arrays, s: State) -> bool:
    """Every route that the move has touched can be done, and every series is spaced."""
    for t in range(s.counters[C_TOUCHED]):
        if not s.routes[s.routes[t, L_TOUCHED], R_FITS]:
            return False
    if len(a.series) > 0:
        for k in range(s.counters[C_QUEUED]):
            number = a.jobs[s.where[k, L_QUEUE], J_SERIES]
            if number >= 0 and not series_is_spaced(number, a.shifts, a.series, s.where):
                return False
    return True


@part
def ruin(options: Floats, a: Arrays, s: State) -> int:
    """Take jobs out of some neighbouring routes; the job round which that was done."""
    counters = s.counters
    seed, strings = below(counters, len(a.jobs)), 0
    longest = min(options[O_STRING], counters[C_DONE] / max(1, counters[C_USED]))
    if counters[C_MISSING] > 0 and chance(counters) < 0.5:  # make room for a mandatory job left out
        seed = s.where[below(counters, counters[C_MISSING]), L_MISSING]
        r = a.may[a.jobs[seed, J_SHIFTS] + below(counters, a.jobs[seed, J_SHIFTS_END] - a.jobs[seed, J_SHIFTS])]
        length = s.routes[r, R_LENGTH]
        if length > 0 and chance(counters) < 0.5:
            take_out(r, NONE, length, length, length, True, a, s)
        elif length > 0:
            take_string(r, below(counters, length), longest, a, s)
        enqueue(seed, counters, s.where)
    elif len(a.lodgings) > 0 and chance(counters) < options[O_NIGHT]:
        r = below(counters, len(a.shifts))
        if a.shifts[r, S_NEXT] >= 0:
            near = change_night(r, a, s)
            seed = seed if near < 0 else near
    strings = int(chance(counters) * max(1.0, 4.0 * options[O_REMOVED] / (1.0 + longest) - 1.0) + 1.0)
    strings -= counters[C_TOUCHED]
    for k in range(a.near.shape[1]):
        if strings <= 0:
            break
        c = a.near[seed, k]
        r = s.where[c, W_ROUTE]
        if r >= 0 and s.routes[r, R_STAMP] != counters[C_STAMP]:
            take_string(r, s.where[c, W_POSITION], longest, a, s)
            strings -= 1
    return seed


@part
def invite(seed: int, tries: int, a: Arrays, s: State) -> None:
    """Jobs left out that may take the place of others: those of groups that have become free, and some near the seed
    that one of the touched routes may do."""
    counters = s.counters
    if len(a.groups) > 0:
        for k in range(counters[C_QUEUED]):
            group = a.jobs[s.where[k, L_QUEUE], J_GROUP]
            if group >= 0:
                for member in range(MEMBERS, MEMBERS + a.groups[group, 2]):
                    enqueue(a.groups[group, member], counters, s.where)
    anywhere = counters[C_TOUCHED] == 0 or a.beside.shape[1] > 0
    for k in range(a.near.shape[1]):
        if tries <= 0:
            break
        c = a.near[seed, k]
        if s.where[c, W_ROUTE] >= 0 or s.where[c, W_QUEUED] == 1:
            continue
        fits = anywhere
        for t in range(counters[C_TOUCHED]):
            if fits:
                break
            fits = a.fit[c, a.shifts[s.routes[t, L_TOUCHED], S_KIND], F_COST] < FAR
        if fits and (a.jobs[c, J_FIRM] == 1 or chance(counters) < TRY):
            enqueue(c, counters, s.where)
            tries -= 1


@part
def move(options: Floats, a: Arrays, s: State) -> None:
    """Ruin and recreate once, and keep what came of it if it is good enough."""
    counters = s.counters
    counters[C_STAMP] += 1
    counters[C_TOUCHED], counters[C_QUEUED] = 0, 0
    cost, jobs_done = counters[C_COST], counters[C_DONE]
    opening = chance(counters) < options[O_OPENING]
    seed = ruin(options, a, s)
    everywhere = counters[C_TOUCHED] == 0 or chance(counters) < options[O_EVERYWHERE]
    tries = chance(counters) * options[O_CANDIDATES] * (3.0 if opening else 1.0)
    invite(seed, int(tries) + 1, a, s)
    sort_queue(a, s)
    for k in range(counters[C_QUEUED]):
        c = s.where[k, L_QUEUE]
        if a.jobs[c, J_FIRM] == 1 or chance(counters) >= options[O_SKIP]:
            put_back(c, everywhere, opening, options, a, s)
    if len(a.lodgings) > 0:
        go_home(a, s)
    if counters[C_COST] < cost + options[O_TEMPERATURE] * patience(counters) and is_allowed(a, s):
        counters[C_ACCEPTED] += 1
        keep(options, counters[C_COST] < cost, a, s)
    else:
        take_back(cost, jobs_done, a, s)


@part
def construct(jobs: int, options: Floats, a: Arrays, s: State) -> None:
    """Put the first so many jobs of the queue where each costs least, on whichever shift; what is there stays."""
    for k in range(jobs):
        s.counters[C_STAMP] += 1
        s.counters[C_TOUCHED] = 0
        put_back(s.where[k, L_QUEUE], k < jobs, k >= jobs, options, a, s)
        keep(options, k >= jobs, a, s)


@native
def run(begin: bool, jobs: int, iterations: int, options: Floats, a: Arrays, s: State) -> int:
    """Take up the routes as they are, if this is to `begin`; put so many jobs of the queue in; search for so many
    iterations, or until it is told to stop. Returns how many there were.

    One function for all of it, since what is compiled into several is compiled several times.
    """
    if begin:
        start(a, s)
    construct(jobs, options, a, s)
    for iteration in range(iterations):
        if s.counters[C_STOP]:
            return iteration
        move(options, a, s)
    return iterations
