"""Brings the operations together in an app."""

from __future__ import annotations

import json

from flask import Flask, Response
from werkzeug.routing import BaseConverter

from webui.api import (
    auditing,
    bookings,
    fieldwork,
    figures,
    goals,
    handoffs,
    hotels,
    imports,
    jobs,
    locations,
    people,
    plans,
    records,
    rep_days,
    report_templates,
    scenarios,
    territories,
)
from webui.api.document import openapi_document
from webui.api.operation import api
from webui.api.reading import JSON
from webui.policy import public

MODULES = (
    people,
    records,
    imports,
    locations,
    plans,
    rep_days,
    handoffs,
    bookings,
    fieldwork,
    report_templates,
    figures,
    territories,
    hotels,
    scenarios,
    goals,
    jobs,
    auditing,
)
"""In the order of the document, which is that of their import."""


class _Anything(BaseConverter):
    """An id as people chose it; a slash may be in it, so it comes last in a path."""

    regex = ".+"
    part_isolating = False


class _Number(BaseConverter):
    """A whole number from 1."""

    regex = "[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


@api.get("/openapi.json", provide_automatic_options=False)
@public
def openapi() -> Response:
    return Response(json.dumps(openapi_document(), ensure_ascii=False), mimetype=JSON)


def register_api(app: Flask) -> None:
    """Have an app answer programs."""
    app.url_map.converters.update(anything=_Anything, number=_Number)
    app.register_blueprint(api)
