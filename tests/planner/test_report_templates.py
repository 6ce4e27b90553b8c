"""What the field is asked after a visit: templates that are read strictly, and changed by one manager at a time."""

from __future__ import annotations

from typing import Any

import pytest
from handoff_cast import AREA, Desk, actor
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.errors import ConflictError
from planner.fieldwork.domain import Disposition
from planner.fieldwork.templates import (
    FIELDS,
    MOST_TEMPLATES,
    USUAL_TEMPLATES,
    TeamTemplates,
    TemplatesChangedError,
    TemplatesInvalidError,
    read_templates,
    save_templates,
    templates_of,
)


def template(**changes: Any) -> dict[str, Any]:
    return {"name": "Visit", "for": "both"} | changes


def refused(*templates: Any) -> list[str]:
    with pytest.raises(TemplatesInvalidError) as found:
        templates_of(list(templates))
    return [str(error) for error in found.value.errors]


def save(desk: Desk, templates: Any, revision: int, who: str = "max") -> TeamTemplates:
    with desk.store.write(actor(who)) as unit:
        return save_templates(unit, AREA, templates, revision)


def test_an_area_without_templates_of_its_own_has_the_usual_ones(desk: Desk) -> None:
    with desk.store.read() as unit:
        known = read_templates(unit, AREA)
    assert (known.revision, known.templates) == (0, USUAL_TEMPLATES)
    assert {known.fits for known in USUAL_TEMPLATES} == {"opportunity", "account", "both"}


def test_the_usual_ones_can_be_read_as_they_are_written() -> None:
    assert templates_of([known.as_json() for known in USUAL_TEMPLATES]) == USUAL_TEMPLATES


def test_a_template_needs_a_name_and_says_after_which_visits_it_is_offered() -> None:
    (read,) = templates_of([template(name="  First   visit ")])
    assert (read.name, read.fits, read.disposition, read.fields) == ("First visit", "both", None, ())


def test_fields_are_asked_in_their_usual_order_and_once() -> None:
    (read,) = templates_of(
        [template(fields=["text", "deal", "text"], required=["text"], disposition="met", text="Line\r\nline ")]
    )
    assert (read.fields, read.required, read.disposition) == (("deal", "text"), ("text",), Disposition.MET)
    assert read.text == "Line\nline"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "template 1 name: is empty"),
        ({"name": 5}, "template 1 name: 5 is not a text"),
        ({"name": "x" * 201}, "template 1 name: is 201 characters long, at most 200 are kept"),
        ({"name": "a\0b"}, "template 1 name: holds what is no character"),
        ({"for": "lead"}, "template 1 for: 'lead' is neither opportunity, account nor both"),
        ({"for": ["both"]}, "template 1 for: ['both'] is neither opportunity, account nor both"),
        ({"disposition": "gone"}, "template 1 disposition: 'gone' is none of met, not_in, rescheduled, refused"),
        ({"fields": "text"}, f"template 1 fields: None is none of {', '.join(FIELDS)}"),
        ({"fields": [["text"]]}, f"template 1 fields: ['text'] is none of {', '.join(FIELDS)}"),
        ({"required": ["text"]}, "template 1 required: has text, which is not asked"),
        ({"choices": {"concern": ["Price"]}}, "template 1 choices: has concern, which is not asked"),
        ({"choices": {"colour": []}}, "template 1 choices.colour: is unknown; there are competitor, concern, reason"),
        ({"fields": ["concern"], "choices": {"concern": "Price"}},
         "template 1 choices.concern: 'Price' is not a list of texts"),
        ({"fields": ["concern"], "choices": {"concern": ["x"] * 21}},
         "template 1 choices.concern: lists 21, at most 20 are kept"),
        ({"fields": ["concern"], "choices": {"concern": [" "]}}, "template 1 choices.concern: is empty"),
        ({"text": "x" * 2001}, "template 1 text: is 2,001 characters long, at most 2,000 are kept"),
        ({"colour": "red"},
         "template 1 colour: is unknown; there are name, for, disposition, fields, required, choices, text"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_the_template_and_the_field(wrong: dict[str, Any], said: str) -> None:
    assert refused(template(**wrong)) == [said]


def test_two_templates_of_one_name_could_not_be_told_apart() -> None:
    assert refused(template(), template(name="VISIT")) == ["template 2 name: is that of template 1 too"]


def test_there_is_at_least_one_template_and_a_handful_at_most() -> None:
    assert "at least one is needed" in refused()[0]
    assert f"at most {MOST_TEMPLATES}" in refused(*(template(name=str(n)) for n in range(21)))[0]
    with pytest.raises(TemplatesInvalidError, match="the templates are not a list"):
        templates_of({"name": "x"})
    assert refused("x") == ["template 1: 'x' is not an object", "template 1 name: is empty",
                            "template 1 for: '' is neither opportunity, account nor both"]  # fmt: skip


def test_templates_are_saved_from_the_revision_that_was_seen_and_that_is_in_the_audit_log(desk: Desk) -> None:
    saved = save(desk, [template()], 0)
    assert saved.revision == 1
    with desk.store.read() as unit:
        assert read_templates(unit, AREA) == saved
    assert "report_templates.written" in desk.audited()


def test_saving_what_they_are_already_changes_nothing(desk: Desk) -> None:
    save(desk, [template()], 0)
    assert save(desk, [template()], 0).revision == 1
    assert desk.audited().count("report_templates.written") == 1


def test_two_managers_do_not_overwrite_each_other(desk: Desk) -> None:
    save(desk, [template(name="Hers")], 0)
    with pytest.raises(TemplatesChangedError) as found:
        save(desk, [template(name="His")], 0)
    assert isinstance(found.value, ConflictError)
    assert [known.name for known in found.value.present.templates] == ["Hers"]
    assert save(desk, [template(name="His")], 1).revision == 2


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["both", "text", "met"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "for", "fields", "required", "choices", "concern", "text", "disposition"]),
                inner,
                max_size=6,
            )
        ),
        max_leaves=15,
    )
)
def test_whatever_json_is_sent_is_read_or_refused(value: Any) -> None:
    try:
        read = templates_of(value)
    except TemplatesInvalidError:
        return
    assert templates_of([known.as_json() for known in read]) == read
