"""Which visits the coming days could hold, what each is worth, and why each is there, or is not."""

from planner.candidates.cadence import cadence_days, is_dormant, team_work_days
from planner.candidates.domain import Candidates, Listed, Reason, SuggestedRepair, Unplanned, Visit, VisitKind
from planner.candidates.finding import find_candidates
from planner.candidates.promised import promised_visit
from planner.candidates.reach import within_reach

__all__ = [
    "Candidates",
    "Listed",
    "Reason",
    "SuggestedRepair",
    "Unplanned",
    "Visit",
    "VisitKind",
    "cadence_days",
    "find_candidates",
    "is_dormant",
    "promised_visit",
    "team_work_days",
    "within_reach",
]
