"""The pages by which people come in and go: logging in, the first admin, choosing a password, logging out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for

from planner.errors import AccountError, InvalidRecordError
from planner.people.accounts import INVITATION_PATH, accept_invitation, create_first_admin, find_invited, needs_admin
from planner.people.logging_in import LoggedIn, NeedsSecondFactor, Reason, Refused, log_in, log_in_with_code
from planner.people.passwords import LONGEST, SHORTEST
from planner.people.sessions import end_session
from webui.auth.authenticating import SESSION_COOKIE
from webui.auth.door import door
from webui.auth.forms import field, forget_who, keep_secret, let_in, local, said, visitor
from webui.policy import enrolling, public, viewer
from webui.site import site
from webui.words import sentence

login_pages = Blueprint("login", __name__)


@login_pages.get("/login")
@public
def login() -> Any:
    with door().store.read() as unit:
        if needs_admin(unit):
            return redirect(url_for("login.setup"), 303)
    return login_page(going=local(request.args.get("next", "/")))


@login_pages.post("/login")
@public
def log_in_by_password() -> Any:
    return _by_password(field("email"), field("password"), field("next"))


@login_pages.post("/login/code")
@public
def log_in_by_code() -> Any:
    """The second step; its form carries the ticket that the first one gave."""
    here, ticket, going = door(), field("ticket"), field("next")
    result = log_in_with_code(here.store, here.keys, here.login, ticket, field("code"), visitor(), here.clock())
    if isinstance(result, LoggedIn):
        return let_in(result, going)
    if result.reason is Reason.EXPIRED:
        return login_page(going, result)
    return _code_page(ticket, going, result)


@login_pages.post("/logout")
@enrolling
def log_out() -> Any:
    asking = viewer()
    with door().store.write(asking.actor) as unit:
        end_session(unit, asking.session or abort(401))
    response = make_response(redirect(url_for("login.login"), 303))
    site().drop_cookie(response, SESSION_COOKIE)
    forget_who(response)
    return response


@login_pages.get("/setup")
@public
def setup() -> Any:
    _check_nobody_is_there()
    return _setup_page(code=request.args.get("code", ""))


@login_pages.post("/setup")
@public
def set_up() -> Any:
    _check_nobody_is_there()
    here, email, password = door(), field("email"), field("password")
    try:
        create_first_admin(here.store, here.keys, field("code"), email, field("name"), password, here.clock())
    except InvalidRecordError as error:
        return _setup_page(field("code"), email, field("name"), {error.field: error.message}), 422
    except AccountError as error:
        return _setup_page(field("code"), email, field("name"), {"code": f"{sentence(str(error))}."}), 422
    return _by_password(email, password, "/")


@login_pages.get(f"{INVITATION_PATH}<token>")
@public
def invitation(token: str) -> Any:
    keep_secret()
    with door().store.read() as unit:
        invited = find_invited(unit, token, door().clock())
    if invited is None:
        return _link_is_over("This link has been used or has expired. Ask for another one.")
    return _invitation_page(invited.email)


@login_pages.post(f"{INVITATION_PATH}<token>")
@public
def accept(token: str) -> Any:
    keep_secret()
    here, password = door(), field("password")
    try:
        user = accept_invitation(here.store, token, password, here.clock())
    except InvalidRecordError as error:
        return _invitation_page(field("email"), f"{sentence(error.field)} {error.message}."), 422
    except AccountError as error:
        return _link_is_over(f"{sentence(str(error))}.")
    return _by_password(user.email, password, "/")


def _by_password(email: str, password: str, going: str) -> Any:
    here = door()
    result = log_in(here.store, here.keys, here.login, email, password, visitor(), here.clock())
    match result:
        case LoggedIn():
            return let_in(result, going)
        case NeedsSecondFactor():
            return _code_page(result.ticket, going)
        case Refused():
            return login_page(going, result, email)


def _check_nobody_is_there() -> None:
    with door().store.read() as unit:
        if not needs_admin(unit):
            abort(404, description="This installation has its admin already.")


# --- the pages --------------------------------------------------------------------------------------------------------


def login_page(
    going: str, refused: Refused | None = None, email: str = "", error: str = ""
) -> tuple[str, int, dict[str, str]]:
    """The page, with why somebody was not let in."""
    keep_secret()
    sign_on = door().sign_on_label
    said_why = said(refused) if refused else error
    page = render_template("login.html", going=local(going), email=email, error=said_why, sign_on=sign_on)
    return page, *_status(refused)


def _code_page(ticket: str, going: str, refused: Refused | None = None) -> Any:
    keep_secret()
    page = render_template("login_code.html", ticket=ticket, going=local(going), error=said(refused) if refused else "")
    return page, *_status(refused)


def _status(refused: Refused | None) -> tuple[int, dict[str, str]]:
    if refused is None:
        return 200, {}
    if refused.reason is Reason.WAIT:
        return 429, {"Retry-After": str(refused.wait_s)}
    return 422, {}


def _setup_page(code: str, email: str = "", name: str = "", errors: dict[str, str] | None = None) -> str:
    keep_secret()
    return render_template("setup.html", code=code, email=email, name=name, errors=errors or {}, **_LENGTHS)


def _invitation_page(email: str, error: str = "") -> str:
    return render_template("invitation.html", email=email, error=error, **_LENGTHS)


def _link_is_over(text: str) -> tuple[str, int]:
    return render_template("message.html", title="This link is no longer good", text=text, command=""), 404


_LENGTHS = {"shortest": SHORTEST, "longest": LONGEST}
