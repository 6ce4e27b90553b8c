"""The smallest set of rules that keeps a job out of a plan.

A set of rules *blocks* a job if the plan cannot take it in even when every rule outside the set is lifted
(`routing.reasons.rules` says what that means for each). The set told here is one of the smallest, and so irreducible:
with any single rule of it lifted as well, the job can be taken in. This is the irreducible infeasible set of Chinneck
and Dravnieks (1991, Locating Minimal Infeasible Constraint Sets in Linear Programs). There it is found by deleting one
constraint after the other; rules of a plan are so few that all sets of them are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from routing.reasons.case import Case
from routing.reasons.positions import Whole
from routing.reasons.rules import ALL, BIT, RULES, Rule, rules_in


@dataclass(frozen=True, slots=True)
class Blocking:
    """Why a job is left out.

    Attributes:
        rules: the smallest set that blocks it, of equally small ones one with a rule that is asked for, and then that
            with the rules that come first; empty where nothing blocks it, or where nothing could let it in.
        singly: the rules whose lifting alone lets it in; all of them are in `rules`.
        possible: whether it could be taken in if all rules were lifted.
    """

    job: str
    rules: tuple[Rule, ...]
    singly: tuple[Rule, ...]
    possible: bool

    @property
    def free(self) -> bool:
        """Nothing blocks it: the search ended too soon."""
        return self.possible and not self.rules


def blocking(case: Case, rather: Rule | None = None) -> Blocking:
    """The rules that keep a job out; of equally small sets one with the rule `rather`."""
    able = case.corrections
    blocks = ~able[::-1]  # the sets that are kept, when those are lifted
    order = _from_the_smallest()
    smallest = 0
    if not able[0] and able[ALL]:
        found = order[blocks[order]]
        alike = found[_SIZES[found] == _SIZES[found[0]]]
        asked_for = alike[alike & BIT[rather] > 0] if rather is not None else alike
        smallest = int(asked_for[0] if len(asked_for) else alike[0])
    return Blocking(
        case.job.id,
        rules_in(smallest),
        () if able[0] else tuple(rule for rule in RULES if able[BIT[rule]]),
        bool(able[ALL]),
    )


_SIZES = np.array([bits.bit_count() for bits in range(ALL + 1)], dtype=np.int64)


@cache
def _from_the_smallest() -> Whole:
    """All sets of rules, the smallest first; of one size those with the rules that come first."""
    count = len(RULES)
    backwards = [int(f"{bits:0{count}b}"[::-1], 2) for bits in range(1 << count)]
    order = sorted(range(1 << count), key=lambda bits: (bits.bit_count(), -backwards[bits]))
    return np.array(order, dtype=np.int64)
