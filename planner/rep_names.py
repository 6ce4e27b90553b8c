"""What customers and inside sales are told of a rep: the first name, and no more than it takes to tell reps apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from planner.domain import Rep


def told_names(reps: Iterable[Rep]) -> dict[str, str]:
    """What is told of each rep of an area, by id: the first name. Where these clash, the surname's initial comes with
    it, and where that is no help, the whole name."""
    team = list(reps)
    told = {rep.id: rep.name for rep in team}
    unclear: Sequence[Rep] = team
    for short in (_first, _with_initial):
        names = {rep.id: short(rep.name) for rep in unclear}
        often = Counter(name.casefold() for name in names.values())
        told |= {rep_id: name for rep_id, name in names.items() if often[name.casefold()] == 1}
        unclear = [rep for rep in unclear if often[names[rep.id].casefold()] > 1]
    return told


def told_name(rep: Rep, reps: Iterable[Rep]) -> str:
    """What is told of one of an area's reps."""
    return told_names(reps)[rep.id]


def _first(name: str) -> str:
    return name.split()[0] if name.split() else name


def _with_initial(name: str) -> str:
    words = name.split()
    if len(words) < 2:
        return name
    return f"{words[0]} {words[-1]}" if len(words[-1]) == 1 else f"{words[0]} {words[-1][0]}."
