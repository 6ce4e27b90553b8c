"""A person's own account: password, second factor, where they are logged in, and tokens for their programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from markupsafe import Markup

from planner.access import Permission
from planner.errors import AccountError, InvalidRecordError
from planner.fieldwork.feeds import feed_of, issue_feed, own_rep, revoke_feed
from planner.people import second_factor as factor
from planner.people.accounts import ROLE_WORDS, needs_second_factor, permissions_of
from planner.people.domain import Session
from planner.people.logging_in import Refused, change_own_password, confirm_password
from planner.people.passwords import LONGEST, SHORTEST
from planner.people.sessions import end_session, sessions_of
from planner.people.tokens import issue_token, revoke_token, tokens_of
from webui.auth.door import door
from webui.auth.forms import field, keep_secret, let_in, said, visitor
from webui.pages.feeds import feed_address
from webui.policy import Viewer, enrolling, in_person, viewer
from webui.words import sentence

account_pages = Blueprint("account", __name__, url_prefix="/account")

TOKEN_DAYS = (30, 90, 365)
"""How long a token may be good for; or for ever."""

DONE = {
    "password": "Your password is changed. Every other browser is logged out.",
    "browser": "That browser is logged out.",
    "token": "That token is good for nothing any more.",
    "factor": "Your second factor is off.",
    "feed": "That calendar address is good for nothing any more.",
}

PERMISSION_WORDS = {
    Permission.SEE_DAYS: "see days and visits",
    Permission.WRITE_DAYS: "change days",
    Permission.SEE_HANDOFFS: "see handoffs",
    Permission.HAND_OFF: "hand opportunities off",
    Permission.ANSWER_HANDOFFS: "answer handoffs",
    Permission.BOOK: "offer times and promise visits",
    Permission.REPORT: "report visits, as a phone does",
    Permission.SEE_CHECK_INS: "see check-ins of others",
    Permission.SEE_RECORDS: "see customers and opportunities",
    Permission.WRITE_RECORDS: "change and import records",
    Permission.SEE_TEAM: "see the team",
    Permission.PLAN: "plan and publish",
    Permission.ADMINISTER: "administer people",
    Permission.SEE_METRICS: "read metrics",
}


@account_pages.get("")
@in_person
def account() -> Any:
    return _account_page()


@account_pages.post("/password")
@in_person
def change_password() -> Any:
    here, user = door(), viewer().user
    try:
        result = change_own_password(
            here.store, here.keys, here.login, user, field("present"), field("password"), visitor(), here.clock()
        )
    except InvalidRecordError as error:
        return _account_page(f"{sentence(error.field)} {error.message}."), 422
    if isinstance(result, Refused):
        return _refused(result)
    return let_in(result, url_for("account.account", done="password"))


@account_pages.post("/sessions/<session_id>/end")
@in_person
def end(session_id: str) -> Any:
    asking = viewer()
    with door().store.write(asking.actor) as unit:
        session = unit.sessions.get(session_id)
        if session is None or session.user_id != asking.user.id:
            abort(404)
        end_session(unit, session)
    return _done("browser")


# --- tokens -----------------------------------------------------------------------------------------------------------


@account_pages.post("/tokens")
@in_person
def add_token() -> Any:
    here, asking, now = door(), viewer(), door().clock()
    if refused := _not_confirmed(asking):
        return _refused(refused)
    days = field("days")
    if days not in {"", *map(str, TOKEN_DAYS)}:
        abort(400)
    expires_at = now + timedelta(days=int(days)) if days else None
    try:
        chosen = [Permission(name) for name in request.form.getlist("permission")]
        with here.store.write(asking.actor) as unit:
            text, token = issue_token(unit, asking.user, field("name"), chosen, expires_at, now, here.login)
    except InvalidRecordError as error:
        return _account_page(f"{sentence(error.field)}: {error.message}."), 422
    except AccountError as error:
        return _account_page(f"{sentence(str(error))}."), 422
    except ValueError:
        abort(400)
    keep_secret()
    return render_template("token.html", text=text, token=token)


@account_pages.post("/tokens/<token_id>/revoke")
@in_person
def end_token(token_id: str) -> Any:
    asking = viewer()
    with door().store.write(asking.actor) as unit:
        revoke_token(unit, asking.user.id, token_id)
    return _done("token")


# --- the calendar -----------------------------------------------------------------------------------------------------


@account_pages.post("/feed")
@in_person
def add_feed() -> Any:
    here, asking = door(), viewer()
    if refused := _not_confirmed(asking):
        return _refused(refused)
    try:
        with here.store.write(asking.actor) as unit:
            secret, feed = issue_feed(unit, asking.user, here.clock())
    except AccountError as error:
        return _account_page(f"{sentence(str(error))}."), 422
    keep_secret()
    return render_template("feed.html", address=feed_address(feed.id, secret))


@account_pages.post("/feed/revoke")
@in_person
def end_feed() -> Any:
    asking = viewer()
    with door().store.write(asking.actor) as unit:
        revoke_feed(unit, asking.user)
    return _done("feed")


# --- the second factor ------------------------------------------------------------------------------------------------


@account_pages.get("/second-factor")
@enrolling
def second_factor() -> Any:
    asking, here = viewer(), door()
    if asking.user.totp_secret:
        return redirect(url_for("account.account"), 303)
    return _enrolment_page(factor.begin_enrolment(here.keys, asking.user, here.clock()))


@account_pages.post("/second-factor")
@enrolling
def add_second_factor() -> Any:
    here, asking, now, sealed = door(), viewer(), door().clock(), field("sealed")
    try:
        enrolment = factor.resume_enrolment(here.keys, asking.user, sealed, now)
        if refused := _not_confirmed(asking):
            return _enrolment_page(enrolment, said(refused)), 422
        with here.store.write(asking.actor) as unit:
            codes = factor.confirm_enrolment(unit, here.keys, asking.user.id, sealed, field("code"), now)
    except InvalidRecordError as error:
        return _enrolment_page(enrolment, f"{sentence(error.field)} {error.message}"), 422
    except AccountError as error:
        again = factor.begin_enrolment(here.keys, asking.user, now)
        return _enrolment_page(again, f"{sentence(str(error))}."), 422
    return _codes_page("Your second factor is on", codes)


@account_pages.post("/second-factor/remove")
@in_person
def remove_second_factor() -> Any:
    asking = viewer()
    if refused := _not_confirmed(asking):
        return _refused(refused)
    with door().store.write(asking.actor) as unit:
        factor.remove_second_factor(unit, asking.user.id)
    return _done("factor")


@account_pages.post("/recovery-codes")
@in_person
def renew_recovery_codes() -> Any:
    here, asking = door(), viewer()
    if refused := _not_confirmed(asking):
        return _refused(refused)
    try:
        with here.store.write(asking.actor) as unit:
            codes = factor.renew_recovery_codes(unit, here.keys, asking.user.id)
    except AccountError as error:
        return _account_page(f"{sentence(str(error))}."), 422
    return _codes_page("New recovery codes", codes)


def _not_confirmed(asking: Viewer) -> Refused | None:
    """Why it may not be the person themselves; who comes by single sign-on has no password to show it by."""
    if not asking.user.password_hash:
        return None
    return confirm_password(door().store, asking.user, field("present"), visitor(), door().clock())


# --- the pages --------------------------------------------------------------------------------------------------------


def _account_page(error: str = "") -> str:
    here, asking, now = door(), viewer(), door().clock()
    with here.store.read(asking.scope) as unit:
        sessions = sessions_of(unit, asking.user, now, here.login)
        tokens = tokens_of(unit, asking.user.id)
        feed = feed_of(unit, asking.user)
    present = asking.session.id if asking.session else ""
    allowed = permissions_of(asking.user, here.login)
    return render_template(
        "account.html",
        user=asking.user,
        role=ROLE_WORDS[asking.user.role],
        error=error,
        done=DONE.get(request.args.get("done", "")),
        browsers=[(session, browser_of(session), session.id == present) for session in sessions],
        tokens=[(token, token.expires_at is not None and token.expires_at <= now) for token in tokens],
        permissions=[(permission, words) for permission, words in PERMISSION_WORDS.items() if permission in allowed],
        permission_words=PERMISSION_WORDS,
        has_days=own_rep(asking.user) is not None,
        feed=feed,
        token_days=TOKEN_DAYS,
        must_have_second_factor=asking.user.role in here.login.second_factor,
        shortest=SHORTEST,
        longest=LONGEST,
    )


def _enrolment_page(enrolment: factor.Enrolment, error: str = "") -> str:
    keep_secret()
    picture = Markup(enrolment.qr_svg)  # of our own making, from a text that it shows as squares
    spaced = " ".join(enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4))
    must = needs_second_factor(viewer().user, door().login)
    return render_template(
        "second_factor.html", enrolment=enrolment, picture=picture, spaced=spaced, must=must, error=error
    )


def _codes_page(title: str, codes: tuple[str, ...]) -> str:
    keep_secret()
    return render_template("recovery_codes.html", title=title, codes=codes)


def _refused(refused: Refused) -> tuple[str, int]:
    return _account_page(said(refused)), 422


def _done(what: str) -> Any:
    return redirect(url_for("account.account", done=what), 303)


def browser_of(session: Session) -> str:
    """The browser and the system, as far as its own word goes: "Firefox, Windows"."""
    known = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"))
    more = (("Mac OS", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))
    words = [next((name for sign, name in signs if sign in session.agent), "") for signs in (known, (*systems, *more))]
    return ", ".join(filter(None, words)) or session.agent[:60] or "unknown browser"
