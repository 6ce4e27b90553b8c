"""fieldvisit user add, list, role, disable, enable, reset."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from planner.access import Role
from planner.cli.app import App, main
from planner.errors import NotFoundError, PlannerError
from planner.people.accounts import (
    INVITATION_PATH,
    ROLE_WORDS,
    NewUser,
    add_user,
    change_user,
    checked_hash,
    disable_user,
    enable_user,
    find_by_email,
    list_users,
    reset_password,
    set_password,
    unknown_reps,
)
from planner.people.domain import User
from planner.people.fresh import new_id
from planner.people.second_factor import remove_second_factor
from planner.people.texts import printable
from planner.repository import UnitOfWork

ROLE = click.Choice([role.value for role in Role])
PASSWORD_STDIN = click.option("--password-stdin", is_flag=True, help="Read their password from standard input.")


def _whose(command: Any) -> Any:
    """The options that say whose rows a person sees."""
    for option in (
        click.option("--team", metavar="R1,R2", help="The rep_ids that a manager sees.  [default: everybody]"),
        click.option("--rep", metavar="REP_ID", help="The rep that a field rep is."),
        click.option("--area", metavar="NAME", help="The one area that they see; a field rep and a team need it."),
    ):
        command = option(command)
    return command


@main.group()
def user() -> None:
    """The people who may log in."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True, help="As it is shown to others.")
@click.option("--role", type=ROLE, required=True)
@_whose
@PASSWORD_STDIN
@click.option("--invite", is_flag=True, help="Print a link by which they choose a password.")
@click.option("--no-password", is_flag=True, help="They come by single sign-on only.")
@click.pass_obj
def add(
    app: App,
    email: str,
    name: str,
    role: str,
    area: str | None,
    rep: str | None,
    team: str | None,
    password_stdin: bool,
    invite: bool,
    no_password: bool,
) -> None:
    """Add a person. Without an option on passwords, asks for one."""
    if password_stdin + invite + no_password > 1:
        raise click.UsageError("give one of --password-stdin, --invite and --no-password")
    new = NewUser(email, name, Role(role), _built(app, area), _reps(rep, team))
    password = "" if invite or no_password else _typed_password(password_stdin)
    password_hash = checked_hash(password, new.email, new.name) if password else ""
    with app.store.write(app.actor) as unit:
        added = add_user(unit, new, _now(), new_id(), password_hash)
        token = reset_password(unit, added.id, _now()) if invite else ""
        notes = _notes(unit, added)
    _say(app, f"{added.email} is added: {_told(added)}", *notes)
    if invite:
        _say_link(app, token)


@user.command("list")
@click.pass_obj
def list_people(app: App) -> None:
    """Everybody who may log in, and those who may not any more."""
    with app.store.read() as unit:
        people = list_users(unit)
    for person in people:
        _say(app, f"{person.email}  {person.name}  {_told(person)}{_state(person)}")
    if not people:
        app.say("nobody yet: open the pages of fieldvisit serve, or type fieldvisit user add EMAIL --role admin …")


@user.command("role")
@click.argument("email")
@click.argument("role", type=ROLE)
@_whose
@click.option("--every-area", is_flag=True, help="Let them see every area.  [default: the area that they see now]")
@click.pass_obj
def change_role(
    app: App, email: str, role: str, area: str | None, rep: str | None, team: str | None, every_area: bool
) -> None:
    """Give a person another role or other rows to see; they have to log in again."""
    if every_area and area:
        raise click.UsageError("give one of --area and --every-area")
    area = _built(app, area)
    with app.store.write(app.actor) as unit:
        known = _find(unit, email)
        reps = _reps(rep, team)
        if not every_area and area is None and Role(role) is not Role.ADMIN:  # what is left out never shows them more
            area = known.area
            reps = reps or (known.reps if Role(role) is known.role else None)
        changed = change_user(unit, known.id, NewUser(known.email, known.name, Role(role), area, reps))
        notes = _notes(unit, changed)
    _say(app, f"{changed.email} is now {_told(changed)}", *notes)


@user.command("disable")
@click.argument("email")
@click.pass_obj
def disable(app: App, email: str) -> None:
    """Keep a person out from now on; their sessions and tokens end."""
    with app.store.write(app.actor) as unit:
        disabled = disable_user(unit, _find(unit, email).id)
    _say(app, f"{disabled.email} is disabled")


@user.command("enable")
@click.argument("email")
@click.pass_obj
def enable(app: App, email: str) -> None:
    """Let a disabled person in again."""
    with app.store.write(app.actor) as unit:
        enabled = enable_user(unit, _find(unit, email).id)
    _say(app, f"{enabled.email} is enabled")


@user.command("reset")
@click.argument("email")
@PASSWORD_STDIN
@click.option("--second-factor", is_flag=True, help="Remove their second factor too, when the phone is lost.")
@click.pass_obj
def reset(app: App, email: str, password_stdin: bool, second_factor: bool) -> None:
    """End a person's password and sessions, and print a link by which they choose the next password."""
    password_hash = ""
    if password_stdin:
        with app.store.read() as unit:
            known = _find(unit, email)
        password_hash = checked_hash(_typed_password(password_stdin), known.email, known.name)
    with app.store.write(app.actor) as unit:
        known = _find(unit, email)
        token = reset_password(unit, known.id, _now())
        if password_hash:
            set_password(unit, known.id, password_hash)
        if second_factor:
            remove_second_factor(unit, known.id)
    if password_hash:
        _say(app, f"{known.email} has a new password")
    else:
        _say_link(app, token)


def _now() -> datetime:
    return datetime.now(UTC)


def _find(unit: UnitOfWork, email: str) -> User:
    found = find_by_email(unit, email)
    if found is None:
        raise NotFoundError(f"nobody has the address {email!r}; see fieldvisit user list")
    return found


def _built(app: App, area: str | None) -> str | None:
    return app.areas.get(area).name if area else None


def _reps(rep: str | None, team: str | None) -> frozenset[str] | None:
    named = ([rep] if rep else []) + [name.strip() for name in (team or "").split(",") if name.strip()]
    return frozenset(named) or None


def _typed_password(from_stdin: bool) -> str:
    if not from_stdin:
        if not sys.stdin.isatty():
            raise click.UsageError("there is nobody to ask for a password: give --password-stdin or --invite")
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return typed
    try:
        line = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise PlannerError("the password is not UTF-8 text") from error
    if not line:
        raise PlannerError("there is no password on standard input")
    return line


def _told(person: User) -> str:
    everywhere = "" if person.role is Role.ADMIN else " of every area"
    area = f" of {person.area}" if person.area else everywhere
    reps = f", {', '.join(sorted(person.reps))}" if person.reps else ""
    return f"{ROLE_WORDS[person.role]}{area}{reps}"


def _state(person: User) -> str:
    states = {
        "disabled": person.disabled,
        "invited": person.invitation_until is not None and _now() < person.invitation_until,
        "no password": not person.password_hash,
        "single sign-on": person.sign_on is not None,
        "second factor": bool(person.totp_secret),
    }
    said = ", ".join(state for state, holds in states.items() if holds)
    return f"  ({said})" if said else ""


def _notes(unit: UnitOfWork, person: User) -> list[str]:
    return [f"note: area {person.area} has no rep {rep} yet" for rep in unknown_reps(unit, person)]


def _say(app: App, *lines: str) -> None:
    """Names may hold what moves a terminal's cursor."""
    for line in lines:
        app.say(printable(line, limit=len(line)))


def _say_link(app: App, token: str) -> None:
    site = app.settings.web.public_url.rstrip("/")
    app.say(f"{site}{INVITATION_PATH}{token}")
    if not site:
        app.say("on the address where fieldvisit serve runs; such as http://127.0.0.1:8000 on this machine")
