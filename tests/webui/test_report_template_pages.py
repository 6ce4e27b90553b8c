"""Report templates on a page: managers change them in a form that loses nothing."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from plan_cast import Office, text_of, viewer
from werkzeug.test import TestResponse
from writing_cast import audited, hidden

from planner.access import Role
from planner.fieldwork.templates import read_templates

PAGE = "/a/helsinki/report-templates"
EVIL = "<script>x</script>\"{{ 7*7 }}'&"
MONA = viewer(Role.MANAGER, id="u-mona", email="mona@example.com", name="Mona", area="helsinki")


@pytest.fixture
def office(tmp_path: Any) -> Office:
    office = Office(tmp_path, viewer=MONA)
    office.area()
    return office


def filled(page: str) -> dict[str, Any]:
    """What a browser would send of the form as it stands."""
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input id="[\w-]+" name="([\w-]+)" value="([^"]*)"', page):
        fields[name] = unescape(value)
    for name, inside in re.findall(r'<select id="[\w-]+" name="([\w-]+)">(.*?)</select>', page, re.DOTALL):
        fields[name] = next((value for value, on in re.findall(r'value="(\w*)"( selected)?', inside) if on), "")
    for name, inside in re.findall(r'<textarea id="[\w-]+" name="([\w-]+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL):
        fields[name] = unescape(inside)
    for name, value in re.findall(r'type="checkbox" name="([\w-]+)" value="(\w+)" checked', page):
        fields.setdefault(name, []).append(value)
    return fields


def press(office: Office, does: str, page: str | None = None, **changes: Any) -> TestResponse:
    shown = page or office.page(PAGE)
    fields = hidden(shown, "report-templates") | filled(shown) | {k.replace("_", "-"): v for k, v in changes.items()}
    return office.client.post(PAGE, data=fields | {"do": does}, headers={"Origin": "http://localhost"})


def saved(office: Office) -> list[str]:
    with office.store.read() as unit:
        return [template.name for template in read_templates(unit, "helsinki").templates]


def test_the_page_says_what_each_template_asks_for(office: Office) -> None:
    text = office.text(PAGE)
    assert "1. First visit After visits to opportunities; met; asks for how the deal goes on, next step" in text
    assert "3. Nobody there After every visit; not in; asks for next step, its day, free text." in text


def test_a_template_is_added_moved_and_saved(office: Office) -> None:
    page = press(office, "add").get_data(as_text=True)
    named = {"name_4": "Fair", "concern_4": "Price\n Timing \n\n", "fields_4": ["concern", "text"], "text_4": EVIL}
    page = press(office, "up-4", page, **named).get_data(as_text=True)
    answer = press(office, "save", page)
    assert answer.status_code == 303
    assert saved(office) == ["First visit", "Customer visit", "Fair", "Nobody there"]
    page = office.page(answer.headers["Location"])
    assert "Saved." in text_of(page)
    assert "<script>x" not in page
    assert filled(page)["concern-3"] == "Price\nTiming"
    assert filled(page)["text-3"] == EVIL
    assert "report_templates.written" in audited(office)


def test_one_is_removed_and_another_goes_down(office: Office) -> None:
    page = press(office, "remove-2").get_data(as_text=True)
    page = press(office, "down-1", page).get_data(as_text=True)
    press(office, "save", page)
    assert saved(office) == ["Nobody there", "First visit"]


def test_what_makes_no_sense_stands_beside_its_field_and_nothing_is_lost(office: Office) -> None:
    answer = press(office, "save", name_1="", required_2=["reason"], name_3=EVIL, text_3="kept")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Template 1, name: Is empty." in text_of(page)
    assert "Template 2, needed: Has reason, which is not asked." in text_of(page)
    assert filled(page)["text-3"] == "kept"
    assert "<script>x" not in page
    assert saved(office) == ["First visit", "Customer visit", "Nobody there"]


def test_a_form_without_any_template_is_refused(office: Office) -> None:
    fields = hidden(office.page(PAGE), "report-templates")
    answer = office.client.post(PAGE, data=fields | {"do": "save"}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 422
    assert "at least one is needed" in text_of(answer.get_data(as_text=True))


def test_two_managers_do_not_overwrite_each_other(office: Office) -> None:
    page = office.page(PAGE)
    assert press(office, "save", name_1="Hers").status_code == 303
    answer = press(office, "save", page, name_1="His")
    assert answer.status_code == 409
    shown = answer.get_data(as_text=True)
    assert "Somebody else has changed these templates" in text_of(shown)
    assert "Hers: after visits to opportunities" in text_of(shown)
    assert press(office, "save", shown).status_code == 303
    assert saved(office)[0] == "His"


def test_the_field_does_not_change_its_own_templates(office: Office) -> None:
    page = office.page(PAGE)
    office.viewer = viewer(Role.FIELD_REP, area="helsinki", reps=frozenset({"ann"}))
    assert office.client.get(PAGE).status_code == 403
    assert press(office, "save", page).status_code == 403
