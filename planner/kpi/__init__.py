"""The tree of figures from lead to order, across inside sales and the field.

    tree.pipeline_tree(unit, area, selection, settings, now, by=None) -> Tree
    tree.events_of(unit, area, selection, stage, part, settings, now) -> list[Drilled]
    tree.drilled(unit, area, tree.behind(…)) -> list[Drilled]: the same of a part of them
    activity.activity(unit, area, first_day, last_day, now, rep=None) -> Activity
    definitions.STAGES, PARTS, FIGURES: what each number means, for people

`unit` is of the viewer's scope: they see the figures of what they see. `part` is a Part, a Timing (of FIRST_ACTION), or
None for all that reached the stage.
"""
