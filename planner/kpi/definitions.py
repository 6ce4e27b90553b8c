"""What each number of the tree means, as it stands beside the number; docs/figures.md has the rest."""

from __future__ import annotations

from collections.abc import Mapping

from planner.kpi.domain import Basis, Part, Stage, Timing

STAGES: Mapping[Stage, str] = {
    Stage.LEAD: "Every opportunity, from the moment the lead came in; where nobody wrote that down, from the first "
    "thing that is known of it.",
    Stage.CONTACTED: "Somebody has spoken to the customer.",
    Stage.QUALIFIED: "Found worth a visit: it passes the handoff's gate, or has gone to the field. The moment is when "
    "the last answer was written down before that.",
    Stage.HANDED_OFF: "Given to the field, for the first time; also by promising a visit for a draft.",
    Stage.ACCEPTED: "Taken by a rep: accepted in so many words, promised or visited.",
    Stage.FIRST_ACTION: "The field's first promise of a visit to the customer, check-in or report of a visit, met or "
    "not. A time that was agreed before the handoff counts when it was handed off.",
    Stage.VISITED: "The customer was met.",
    Stage.PROPOSAL: "The customer was made a proposal, or bought without one.",
    Stage.WON: "Won, and still so.",
}
"""What has reached a stage has reached all before it, too; its moment there is known only if somebody told it."""

PARTS: Mapping[Part, str] = {
    Part.WENT_ON: "Reached the next stage, by now.",
    Part.OPEN_INSIDE: "Inside sales has to do the next thing: a lead or a draft, or one that it took back.",
    Part.OPEN_FIELD: "The field has to do the next thing.",
    Part.OPEN_MANAGER: "A manager has to decide whose it is.",
    Part.SENT_BACK: "Rejected or returned by the field, or not acted on by the deadline; inside sales has it again. "
    "The drop arose in the field.",
    Part.LOST_INSIDE: "Inside sales gave it up. The drop arose there.",
    Part.LOST_FIELD: "Lost while it was the field's. The drop arose there.",
    Part.WON: "Won.",
}

TIMINGS: Mapping[Timing, str] = {
    Timing.IN_TIME: "By the end of the deadline's day, which runs from the last handoff before it, and no earlier "
    "deadline was missed.",
    Timing.LATE: "After that.",
    Timing.UNKNOWN: "Nobody wrote down when it was handed off, or when the field acted.",
}

BASES: Mapping[Basis, str] = {
    Basis.COHORT: "Leads that came in in the period, and what has become of them by now. What went on from a stage is "
    "the number of the next.",
    Basis.ACTIVITY: "At each stage what reached it in the period, whenever it came in. What went on from a stage may "
    "have done so outside the period, so that it is not the number of the next.",
}

FIGURES: Mapping[str, tuple[str, str]] = {
    "took": ("Time", "Median from the stage before, of those whose two moments are known and in order."),
    "response": ("Response time", "Median from lead to first contact, nights and weekends included."),
    "order_lead": ("Lead to order", "Median from lead to won, nights and weekends included."),
    "in_time": (
        "First action in time",
        "Of the first actions whose deadline is known, the share that came by it. Who has not acted is in neither.",
    ),
    "open": ("Open pipeline", "The value of what is neither won nor lost, by the side that has to do the next thing."),
    "won": ("Won", "The value of what is won: from inside sales where an inside rep is named, else from the field."),
    "visits_a_day": ("Visits a day", "Reported visits, met or not, for each day on which a rep reported any."),
    "on_time": (
        "On time",
        "Of the promised visits of which it is known, the share with a check-in by the latest time that was promised; "
        "early is on time, and no check-in until the window was over is not.",
    ),
    "driving": (
        "Driving share",
        "Driving as a share of the time from leaving home until being back, as the plans had it.",
    ),
    "done": (
        "Planned and done",
        "Of the visits that stood in the plans on their days, those that were reported or left; days that are over.",
    ),
}
"""A title and what it means."""
