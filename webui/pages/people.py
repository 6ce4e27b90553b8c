"""The people who may log in, for admins: adding, changing, disabling them, and sending them a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from planner.access import Permission, Role
from planner.errors import AccountError, InvalidRecordError
from planner.people.accounts import (
    INVITATION_PATH,
    INVITED_FOR,
    ROLE_WORDS,
    NewUser,
    add_user,
    change_user,
    disable_user,
    enable_user,
    list_users,
    reset_password,
    the_user,
)
from planner.people.domain import User
from planner.people.fresh import new_id
from planner.people.second_factor import remove_second_factor
from planner.people.sessions import end_sessions_of
from planner.repository import UnitOfWork
from webui.auth.door import door
from webui.auth.forms import field, keep_secret
from webui.pages.plans import sources
from webui.policy import allow, viewer
from webui.site import site
from webui.words import sentence

people_pages = Blueprint("people", __name__, url_prefix="/people")

DONE = {
    "changed": "Changed.",
    "disabled": "They are logged out everywhere and cannot come in.",
    "enabled": "They can come in again.",
    "factor": "Their second factor is off.",
    "sessions": "They are logged out everywhere.",
}


@dataclass(frozen=True, slots=True)
class RepChoice:
    """A rep that somebody may be or see; `value` is what the form sends."""

    value: str
    name: str
    chosen: bool


@people_pages.get("")
@allow(Permission.ADMINISTER)
def people() -> Any:
    with door().store.read(viewer().scope) as unit:
        users = list_users(unit)
        choices = _choices(unit, None)
    return render_template("people.html", users=users, words=ROLE_WORDS, **_form(choices, {}))


@people_pages.post("")
@allow(Permission.ADMINISTER)
def add() -> Any:
    here, now = door(), door().clock()
    try:
        wanted = _wanted()
        with here.store.write(viewer().actor) as unit:
            user = add_user(unit, wanted, now, new_id())
            token = reset_password(unit, user.id, now)
    except InvalidRecordError as error:
        with here.store.read(viewer().scope) as unit:
            users, choices = list_users(unit), _choices(unit, None)
        problem = f"{sentence(error.field)}: {error.message}."
        page = render_template(
            "people.html", users=users, words=ROLE_WORDS, error=problem, **_form(choices, request.form)
        )
        return page, 422
    return _link_page(user, token)


@people_pages.get("/<user_id>")
@allow(Permission.ADMINISTER)
def person(user_id: str) -> Any:
    return _person_page(user_id)


@people_pages.post("/<user_id>")
@allow(Permission.ADMINISTER)
def change(user_id: str) -> Any:
    try:
        wanted = _wanted()
        with door().store.write(viewer().actor) as unit:
            change_user(unit, user_id, wanted)
    except InvalidRecordError as error:
        return _person_page(user_id, f"{sentence(error.field)}: {error.message}."), 422
    except AccountError as error:
        return _person_page(user_id, f"{sentence(str(error))}."), 422
    return _done(user_id, "changed")


@people_pages.post("/<user_id>/disable")
@allow(Permission.ADMINISTER)
def disable(user_id: str) -> Any:
    try:
        with door().store.write(viewer().actor) as unit:
            disable_user(unit, user_id)
    except AccountError as error:
        return _person_page(user_id, f"{sentence(str(error))}."), 422
    return _done(user_id, "disabled")


@people_pages.post("/<user_id>/enable")
@allow(Permission.ADMINISTER)
def enable(user_id: str) -> Any:
    with door().store.write(viewer().actor) as unit:
        enable_user(unit, user_id)
    return _done(user_id, "enabled")


@people_pages.post("/<user_id>/link")
@allow(Permission.ADMINISTER)
def link(user_id: str) -> Any:
    """Take their password and show the link by which they choose another."""
    try:
        with door().store.write(viewer().actor) as unit:
            token = reset_password(unit, user_id, door().clock())
            user = the_user(unit, user_id)
    except AccountError as error:
        return _person_page(user_id, f"{sentence(str(error))}."), 422
    return _link_page(user, token)


@people_pages.post("/<user_id>/second-factor/remove")
@allow(Permission.ADMINISTER)
def remove_factor(user_id: str) -> Any:
    """For whom has lost both the phone and the recovery codes."""
    with door().store.write(viewer().actor) as unit:
        remove_second_factor(unit, user_id)
    return _done(user_id, "factor")


@people_pages.post("/<user_id>/sessions/end")
@allow(Permission.ADMINISTER)
def end_sessions(user_id: str) -> Any:
    with door().store.write(viewer().actor) as unit:
        ended = end_sessions_of(unit, the_user(unit, user_id).id)
        unit.audit("sessions.ended", user_id, sessions=ended)
    return _done(user_id, "sessions")


# --- what the forms send ----------------------------------------------------------------------------------------------


def _wanted() -> NewUser:
    """Raises InvalidRecordError."""
    if field("role") not in set(Role):
        abort(400)
    role, place = Role(field("role")), field("area")
    reps = set()
    for value in request.form.getlist("rep"):
        of, _, rep = value.partition("/")
        if of != place:
            raise InvalidRecordError("reps", f"{rep} is a rep of {of}: choose that area, or other reps")
        reps.add(rep)
    return NewUser(field("email"), field("name"), role, place or None, frozenset(reps) or None)


def _choices(unit: UnitOfWork, user: User | None) -> dict[str, list[RepChoice]]:
    """The reps of every area, and those of the person whom nobody knows any more."""
    listed: dict[str, list[RepChoice]] = {}
    for area in sources().areas.list():
        of = (user.reps or frozenset()) if user is not None and user.area == area.name else frozenset()
        known = {rep.id: rep.name for rep in unit.records(area.name).reps()}
        names = known | {rep: f"{rep} (no longer a rep)" for rep in of - known.keys()}
        listed[area.name] = [RepChoice(f"{area.name}/{rep}", name, rep in of) for rep, name in names.items()]
    if user is not None and user.area and user.area not in listed:
        listed[user.area] = [RepChoice(f"{user.area}/{rep}", rep, True) for rep in sorted(user.reps or ())]
    return listed


def _form(choices: dict[str, list[RepChoice]], typed: Any) -> dict[str, Any]:
    return {"roles": ROLE_WORDS, "choices": choices, "typed": typed}


# --- the pages --------------------------------------------------------------------------------------------------------


def _person_page(user_id: str, error: str = "") -> str:
    with door().store.read(viewer().scope) as unit:
        user = the_user(unit, user_id)
        choices = _choices(unit, user)
        sessions = len(unit.sessions.find(user_id=user.id))
        tokens = len(unit.tokens.find(user_id=user.id))
    typed = {"email": user.email, "name": user.name, "role": user.role, "area": user.area or ""}
    return render_template(
        "person.html",
        user=user,
        words=ROLE_WORDS,
        sessions=sessions,
        tokens=tokens,
        error=error,
        done=DONE.get(request.args.get("done", "")),
        **_form(choices, typed),
    )


def _link_page(user: User, token: str) -> str:
    keep_secret()
    address = site().absolute(f"{INVITATION_PATH}{token}")
    return render_template("link.html", user=user, address=address, hours=int(INVITED_FOR.total_seconds() // 3600))


def _done(user_id: str, what: str) -> Any:
    return redirect(url_for("people.person", user_id=user_id, done=what), 303)
