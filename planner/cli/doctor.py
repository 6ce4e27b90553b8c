"""fieldvisit doctor."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

import click

from planner.cli.app import App, main
from planner.errors import SettingsError

_MARKS = {"good": "  ok ", "doubtful": "  ?  ", "bad": "  !! "}


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--whole-audit-log", is_flag=True, help="Follow the audit log from its first entry on.")
@click.option("--mail", "mail_server", is_flag=True, help="Log in to the mail server, too.")
@click.pass_obj
def doctor(app: App, as_json: bool, whole_audit_log: bool, mail_server: bool) -> None:
    """Look at everything that this installation stands on, and say what to do. Exit status 1 if something is wrong."""
    from planner import doctor as examination

    wrong = 0
    try:
        settings = app.settings
        found = examination.findings(settings, lambda: datetime.now(UTC), os.environ, whole_audit_log, mail_server)
    except SettingsError as error:
        found = iter([examination.Finding("settings", examination.Verdict.BAD, str(error), "docs/settings.md has all")])
    for finding in found:
        wrong += finding.verdict is examination.Verdict.BAD
        if as_json:
            click.echo(json.dumps(asdict(finding)))
        else:
            app.say(f"{_MARKS[finding.verdict]} {finding.about}: {finding.text}")
            if finding.advice:
                app.say(f"        → {finding.advice}")
    if wrong:
        raise SystemExit(1)
