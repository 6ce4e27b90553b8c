"""What is stored about oneself: to read, and to take along."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, render_template

from planner.fieldwork.privacy import Group, as_json, everything_about
from webui.auth.door import door
from webui.auth.forms import keep_secret
from webui.pages.plans import settings
from webui.policy import in_person, viewer
from webui.presenting.stored import stored_group

my_data = Blueprint("my_data", __name__, url_prefix="/account")

ENTRIES_SHOWN = 200
"""Of the audit log; the file has more."""

ENTRIES_TAKEN = 20_000


def everything(most_entries: int = ENTRIES_TAKEN) -> list[Group]:
    """All about the viewer, which no browser or proxy is to store."""
    keep_secret()
    asking = viewer()
    with door().store.read(asking.scope) as unit:
        return everything_about(unit, asking.user, settings().fieldwork, most_entries)


@my_data.get("/my-data")
@in_person
def page() -> Any:
    return render_template("my_data.html", groups=[stored_group(group) for group in everything(ENTRIES_SHOWN)])


@my_data.get("/my-data.json")
@in_person
def download() -> Response:
    told = as_json(everything(), viewer().user, door().clock())
    response = Response(json.dumps(told, ensure_ascii=False, indent=1), mimetype="application/json")
    response.headers.set("Content-Disposition", "attachment", filename="my-data.json")
    return response
