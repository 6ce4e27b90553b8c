"""A region: the shifts that are re-planned together, and what one model of OR-Tools is asked to do with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """Shifts and jobs as indices into the problem's, each job's worth in seconds, and the present sequences.

    `worths_s[k]` is what leaving out `jobs[k]` costs in this model: the search shakes it a little, so that two
    looks at the same shifts differ. `solution_limit` bounds the search; `seconds` too, where a clock decides. `refused`
    are jobs and shifts that do not go together while all else stays.
    """

    shifts: tuple[int, ...]
    sequences: tuple[tuple[int, ...], ...]
    jobs: tuple[int, ...]
    worths_s: tuple[int, ...]
    solution_limit: int
    seconds: float | None = None
    refused: frozenset[tuple[int, int]] = frozenset()
