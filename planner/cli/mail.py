"""fieldvisit mail."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from planner.cli.app import App, area_option, main
from planner.domain import RecordKind, Rep
from planner.errors import NotFoundError, PlannerError
from planner.mailing.composing import compose, evening_template
from planner.mailing.evening import send_now, sheet_of
from planner.people.texts import ascii_email
from routing.area import Area


@main.command()
@click.option("--rep", "rep_id", required=True, metavar="ID", help="Whose day.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Which day.")
@click.option("--to", "address", default="", metavar="EMAIL", help="Another address than the rep's, to try it.")
@click.option("--send", is_flag=True, help="Send it now, whether the evening's mail was sent or not.")
@area_option
def mail(app: App, area: Area, rep_id: str, day: datetime, address: str, send: bool) -> None:
    """Show the mail about a rep's day that is sent the evening before, or send it."""
    now, on = datetime.now(UTC), date(day.year, day.month, day.day)
    with app.store.read() as unit:
        rep = unit.records(area.name).get(RecordKind.REP, rep_id)
    if not isinstance(rep, Rep):
        raise NotFoundError(f"area {area.name} has no rep {rep_id}")
    sheet = sheet_of(app.store, area.name, rep_id, on)
    if sheet is None:
        raise NotFoundError(f"the published plan has no visits for {rep.name} on {on}")
    if not (address or rep.email):
        raise PlannerError(f"the record of {rep.name} has no e-mail address: name one by --to")
    if send:
        send_now(app.store, app.actor, sheet, address or rep.email, app.settings, now)
        app.say(f"sent to {address or rep.email}")
        return
    template = evening_template(app.settings.home)
    message = compose(template, sheet, ascii_email(address or rep.email), app.settings, now)
    for header in ("From", "To", "Subject"):
        app.say(f"{header}: {message[header]}")
    app.say(f"\n{message.get_content()}")
