"""What the plan that reps see says of each customer: the visits to come, those whose day is over, and why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from planner.candidates import Reason
from planner.coverage.domain import NO_PLAN, NOT_DONE, NOT_IN_PLAN
from planner.plan_document import PlanDocument, planned_span, read_plan
from planner.repository import StoredPlan
from planner.scoping import PLAN_WORDS, records_of, visited_on

REASON_WORDS: Mapping[str, str] = {
    **PLAN_WORDS,
    NO_PLAN: "reps see no plan of these days",
    NOT_IN_PLAN: "it was not due when the plan was made, or is new since",
    NOT_DONE: "it was planned for a day that is over, and nobody said that the customer was met",
}
"""A reason in words that name nobody."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan by customer.

    Attributes:
        first_day, last_day: None where there is no plan.
        to_come: the visits from today on, as day and rep, in order.
        before: the last day before today for which a visit was planned.
        unplanned: reason and sentence.
    """

    first_day: date | None = None
    last_day: date | None = None
    to_come: Mapping[str, list[tuple[date, str]]] = field(default_factory=dict)
    before: Mapping[str, date] = field(default_factory=dict)
    unplanned: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: StoredPlan | None, today: date) -> Planned:
        """Raises PlannerError where the plan's document cannot be read."""
        if plan is None or plan.document is None:
            return cls()
        document = read_plan(plan.document, f"plan {plan.version}")
        to_come: dict[str, list[tuple[date, str]]] = defaultdict(list)
        before: dict[str, date] = {}
        for rep_day in document["rep_days"]:
            day = date.fromisoformat(rep_day["date"])
            for account_id in visited_on(rep_day).accounts:
                if day >= today:
                    to_come[account_id].append((day, rep_day["rep_id"]))
                else:
                    before[account_id] = max(day, before.get(account_id, day))
        return cls(
            date.fromisoformat(document["first_day"]),
            planned_span(document)[1],
            {account_id: sorted(visits) for account_id, visits in to_come.items()},
            before,
            _unplanned(document),
        )

    def due_until(self, today: date) -> date:
        """By when customers are due who should have a visit: the plan's last day, or today where it is over."""
        return max(today, self.last_day or today)

    def why_not(self, account_id: str, located: bool, today: date) -> tuple[str, str]:
        """Why a due customer has no visit to come: a code, and the sentence of the plan, or words of ours."""
        told = self.unplanned.get(account_id)
        if not located:
            return told if told and told[0] == Reason.NOT_LOCATED else _in_words(Reason.NOT_LOCATED)
        if self.last_day is None or self.last_day < today:
            return _in_words(NO_PLAN)
        if account_id in self.before:
            return NOT_DONE, f"it was planned for {self.before[account_id]}, and nobody said that the customer was met"
        # What could not be found then has been found since: the plan does not know.
        return told if told and told[0] != Reason.NOT_LOCATED else _in_words(NOT_IN_PLAN)


def _in_words(reason: str) -> tuple[str, str]:
    return str(reason), REASON_WORDS[reason]


def _unplanned(document: PlanDocument) -> dict[str, tuple[str, str]]:
    """By account; its own entry before that of an opportunity whose visit would have been the visit to it too."""
    own: dict[str, tuple[str, str]] = {}
    along: dict[str, tuple[str, str]] = {}
    for entry in document["unplanned"]:
        accounts, opportunities = records_of(entry)
        for account_id in accounts:
            (along if opportunities else own).setdefault(account_id, (entry["reason"], entry["sentence"]))
    return along | own
