"""fieldvisit mail."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.message import EmailMessage

import click

from planner.cli.app import AREA_HELP, App, area_option, main
from planner.domain import RecordKind, Rep
from planner.errors import NotFoundError, PlannerError
from planner.mailing.composing import compose, evening_template
from planner.mailing.evening import send_now, sheet_of
from planner.mailing.weekly import compose_weekly, send_weekly_now, weekly_templates
from planner.people.accounts import find_by_email
from planner.people.texts import ascii_email
from planner.summary.covering import last_whole_week
from planner.summary.domain import monday_of
from planner.summary.making import weekly_summary
from planner.summary.reading import may_read
from routing.area import Area

DAY = click.DateTime(["%Y-%m-%d"])


@main.group(invoke_without_command=True)
@click.option("--rep", "rep_id", metavar="ID", help="Whose day.")
@click.option("--day", type=DAY, help="Which day.")
@click.option("--to", "address", default="", metavar="EMAIL", help="Another address than the rep's, to try it.")
@click.option("--send", is_flag=True, help="Send it now, whether the evening's mail was sent or not.")
@click.option("--area", "area_name", metavar="NAME", help=AREA_HELP)
@click.pass_context
def mail(
    ctx: click.Context, rep_id: str | None, day: datetime | None, address: str, send: bool, area_name: str | None
) -> None:
    """Show the mail about a rep's day that is sent the evening before, or send it; `weekly`: the weekly summary."""
    if ctx.invoked_subcommand is not None:
        return
    if rep_id is None or day is None:
        raise click.UsageError(f"Missing option '{'--rep' if rep_id is None else '--day'}'.", ctx)
    app: App = ctx.obj
    now, on, area = datetime.now(UTC), date(day.year, day.month, day.day), app.areas.get(area_name)
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
    _show(app, compose(template, sheet, ascii_email(address or rep.email), app.settings, now))


@mail.command()
@click.option("--reader", required=True, metavar="EMAIL", help="Who reads it: it tells what they may see.")
@click.option("--week", type=DAY, help="A day of the week; last week where it is left out.")
@click.option("--to", "address", default="", metavar="EMAIL", help="Another address than the reader's, to try it.")
@click.option("--send", is_flag=True, help="Send it now, whether it was sent or not.")
@area_option
def weekly(app: App, area: Area, reader: str, week: datetime | None, address: str, send: bool) -> None:
    """Show the weekly summary that is mailed to those who want it, or send it."""
    now = datetime.now(UTC)
    monday = last_whole_week(now.date()) if week is None else monday_of(date(week.year, week.month, week.day))
    with app.store.read() as unit:
        user = find_by_email(unit, reader)
    if user is None or not may_read(user, area.name, app.settings.login):
        raise PlannerError(f"{reader} is nobody who may see the figures of {area.name}")
    summary = weekly_summary(app.store, user.scope, area.name, monday, app.settings, now)
    if send:
        send_weekly_now(app.store, app.actor, summary, address or user.email, app.settings, now)
        app.say(f"sent to {address or user.email}")
        return
    to = ascii_email(address or user.email)
    _show(app, compose_weekly(weekly_templates(app.settings.home), summary, to, app.settings, now))


def _show(app: App, message: EmailMessage) -> None:
    """The headers that people read, and the text."""
    for header in ("From", "To", "Subject"):
        app.say(f"{header}: {message[header]}")
    text = message.get_body(("plain",))
    app.say(f"\n{text.get_content() if isinstance(text, EmailMessage) else ''}")
