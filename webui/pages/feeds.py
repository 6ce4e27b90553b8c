"""A rep's days for calendars, at an address that is the key: no session, and one answer to everything that is wrong."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import date, timedelta

from flask import Blueprint, Response, abort, g, request, url_for

from planner.access import Actor
from planner.calendars import rep_calendar
from planner.day_sheets import sheets
from planner.errors import StorageError
from planner.fieldwork.feeds import DAYS_BACK, find_feed, is_due, touch
from webui.auth.door import door
from webui.policy import public
from webui.site import site

feeds = Blueprint("feeds", __name__, url_prefix="/feeds")


@feeds.get("/<feed_id>/<secret>.ics")
@public
def calendar(feed_id: str, secret: str) -> Response:
    """Published days, as they stand now, from two weeks back to the last one that is planned."""
    g.secret_address = True
    here, now = door(), door().clock()
    with here.store.read() as unit:
        found = find_feed(unit, feed_id, secret, here.login)
    if found is None:
        abort(404)
    feed, user, rep = found
    first = now.astimezone(rep.zone).date() - timedelta(days=DAYS_BACK)
    days = sheets(here.store, user.scope, feed.area, feed.rep_id, first, date.max)
    if is_due(feed, now):
        with suppress(StorageError), here.store.write(Actor(f"feed:{feed.id}"), audited=False) as unit:
            touch(unit, feed, now)
    file = rep_calendar(days, rep.name)
    response = Response(file, mimetype="text/calendar", headers={"Content-Disposition": "inline; filename=visits.ics"})
    response.set_etag(hashlib.sha256(file).hexdigest()[:32])
    response.make_conditional(request)
    return response


def feed_address(feed_id: str, secret: str) -> str:
    """The whole address, to be told once."""
    return site().absolute(url_for("feeds.calendar", feed_id=feed_id, secret=secret))
