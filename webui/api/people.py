"""Oneself, with tokens and sessions; and for admins everybody who may log in."""

from __future__ import annotations

from typing import Annotated, Any

from flask import abort, g
from pydantic import Field

from planner.access import Permission, Role
from planner.errors import NotFoundError
from planner.people.accounts import (
    INVITATION_PATH,
    NewUser,
    add_user,
    change_user,
    disable_user,
    enable_user,
    list_users,
    reset_password,
    the_user,
)
from planner.people.domain import ApiToken, Session, User
from planner.people.fresh import new_id
from planner.people.sessions import end_session, sessions_of
from planner.people.tokens import issue_token, revoke_token, tokens_of
from planner.repository import UnitOfWork
from webui.api.operation import Reply, Write, operation, store
from webui.api.paging import Page, PageQuery, page
from webui.api.problems import FieldError, invalid
from webui.api.values import Identifier, Model, Moment, Name
from webui.pages.my_data import everything
from webui.pages.plans import now, settings
from webui.policy import allow, signed_in, viewer
from webui.site import site


class Person(Model):
    """Who somebody is, and whose rows they see."""

    email: Annotated[str, Field(min_length=3, max_length=254, examples=["kim.lee@example.com"])]
    name: Annotated[Name, Field(examples=["Kim Lee"])]
    role: Role
    area: Annotated[str | None, Field(max_length=64, description="The one area they work in; null: every area.")] = None
    reps: Annotated[
        list[Identifier] | None,
        Field(max_length=1_000, description="Of a field rep their rep_id; of a manager the team; null: everybody."),
    ] = None

    def as_new_user(self) -> NewUser:
        return NewUser(self.email, self.name, self.role, self.area, frozenset(self.reps) if self.reps else None)


class UserRecord(Person):
    """A person who may log in."""

    id: str
    disabled: bool
    has_password: bool
    second_factor: bool
    created_at: Moment

    @classmethod
    def shown(cls, user: User) -> UserRecord:
        return cls.of(
            user,
            reps=sorted(user.reps) if user.reps is not None else None,
            has_password=bool(user.password_hash),
            second_factor=bool(user.totp_secret),
        )


class Invitation(Model):
    """A person, and the link by which they choose a password: once, within 72 hours."""

    user: UserRecord
    link: Annotated[str | None, Field(description="Told once: null where this answer is given again.")]


class UserPage(Page):
    """People by e-mail address."""

    users: list[UserRecord]


class Me(Model):
    """Who is asking."""

    user: UserRecord
    permissions: Annotated[list[Permission], Field(description="Of the token, as far as its owner has them.")]
    token_id: str | None


class TokenOrder(Model):
    """A token for a program."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["nightly export"])]
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]
    expires_at: Moment | None = None


class TokenRecord(Model):
    """A token, without what a program logs in with."""

    id: str
    name: str
    permissions: list[Permission]
    created_at: Moment
    expires_at: Moment | None
    used_at: Moment | None

    @classmethod
    def shown(cls, token: ApiToken) -> TokenRecord:
        return cls.of(token, permissions=sorted(token.permissions))


class IssuedToken(Model):
    """A new token."""

    token: TokenRecord
    text: Annotated[str | None, Field(description="Told once: null where this answer is given again.")]


class TokenPage(Page):
    """Tokens, the newest first."""

    tokens: list[TokenRecord]


class SessionRecord(Model):
    """A browser that is logged in."""

    id: str
    created_at: Moment
    seen_at: Moment
    address: str
    agent: str

    @classmethod
    def shown(cls, session: Session) -> SessionRecord:
        return cls.of(session, id=_short(session))


class DataGroup(Model):
    """One kind of what is stored about a person."""

    name: str
    about: str
    rows: list[dict[str, Any]]


class MyData(Model):
    """All that is stored about a person."""

    user: str
    made_at: Moment
    groups: list[DataGroup]


class SessionPage(Page):
    """Browsers, the one that came last first."""

    sessions: list[SessionRecord]


class Done(Model):
    """It is done."""

    id: str


# --- oneself ----------------------------------------------------------------------------------------------------------


@operation("GET", "/me", {200: Me}, tag="me")
@signed_in
def get_me() -> Reply:
    """Who you are and what you may do."""
    asking = viewer()
    return Reply(
        Me(
            user=UserRecord.shown(asking.user),
            permissions=sorted(asking.permissions),
            token_id=asking.token.id if asking.token else None,
        )
    )


@operation("GET", "/me/tokens", {200: TokenPage}, tag="me")
@signed_in
def list_tokens(query: PageQuery) -> Reply:
    """Your tokens, the newest first."""
    _check_own_keys()
    with store().read(viewer().scope) as unit:
        tokens = sorted(tokens_of(unit, viewer().user.id), key=_token_key, reverse=True)
    shown, following = page(query, "tokens", tokens, _token_key, descending=True)
    return Reply(TokenPage(tokens=[TokenRecord.shown(token) for token in shown], next=following))


@operation("POST", "/me/tokens", {201: IssuedToken}, tag="me")
@signed_in
def create_token(body: TokenOrder) -> Write:
    """Make a token for a program.

    It may do no more than you may, nor than the token that asks for it.
    """
    _check_own_keys()
    beyond = sorted(frozenset(body.permissions) - viewer().permissions)
    if beyond:
        raise invalid(FieldError("/permissions", f"{', '.join(beyond)}: you may not do this yourself"))

    def write(unit: UnitOfWork) -> Reply:
        owner = the_user(unit, viewer().user.id)
        text, token = issue_token(unit, owner, body.name, body.permissions, body.expires_at, now(), settings().login)
        g.secret = True
        return Reply(IssuedToken(token=TokenRecord.shown(token), text=text), 201, once=frozenset({"text"}))

    return write


@operation("DELETE", "/me/tokens/<token_id>", {200: Done}, tag="me")
@signed_in
def delete_token(token_id: str) -> Write:
    """Revoke a token of yours."""
    _check_own_keys()

    def write(unit: UnitOfWork) -> Reply:
        revoke_token(unit, viewer().user.id, token_id)
        return Reply(Done(id=token_id))

    return write


@operation("GET", "/me/sessions", {200: SessionPage}, tag="me")
@signed_in
def list_sessions(query: PageQuery) -> Reply:
    """Browsers in which you are logged in."""
    _check_own_keys()
    with store().read(viewer().scope) as unit:
        sessions = sorted(_sessions(unit), key=_session_key, reverse=True)
    shown, following = page(query, "sessions", sessions, _session_key, descending=True)
    return Reply(SessionPage(sessions=[SessionRecord.shown(session) for session in shown], next=following))


@operation("DELETE", "/me/sessions/<session_id>", {200: Done}, tag="me")
@signed_in
def delete_session(session_id: str) -> Write:
    """Log out a browser of yours."""
    _check_own_keys()

    def write(unit: UnitOfWork) -> Reply:
        for session in _sessions(unit):
            if _short(session) == session_id:
                end_session(unit, session)
                return Reply(Done(id=session_id))
        raise NotFoundError("there is no such session")

    return write


@operation("GET", "/me/data", {200: MyData}, tag="me")
@signed_in
def get_my_data() -> Reply:
    """All that is stored about you, in groups, without any secret; of the audit log the newest entries."""
    _check_own_keys()
    told = [
        DataGroup.model_construct(name=group.name, about=group.why, rows=[dict(row) for row in group.rows])
        for group in everything()
    ]
    return Reply(MyData.model_construct(user=viewer().user.id, made_at=now(), groups=told))


# --- everybody --------------------------------------------------------------------------------------------------------


@operation("GET", "/users", {200: UserPage}, tag="people")
@allow(Permission.ADMINISTER)
def list_people(query: PageQuery) -> Reply:
    """Everybody who may log in, by e-mail address."""
    with store().read(viewer().scope) as unit:
        users = list_users(unit)
    shown, following = page(query, "users", users, lambda user: (user.email,))
    return Reply(UserPage(users=[UserRecord.shown(user) for user in shown], next=following))


@operation("POST", "/users", {201: Invitation}, tag="people")
@allow(Permission.ADMINISTER)
def add_person(body: Person) -> Write:
    """Add a person, with a link by which they choose a password."""
    new, user_id = body.as_new_user(), new_id()

    def write(unit: UnitOfWork) -> Reply:
        add_user(unit, new, now(), user_id)
        return _invited(unit, user_id, 201)

    return write


@operation("GET", "/users/<user_id>", {200: UserRecord}, tag="people")
@allow(Permission.ADMINISTER)
def get_person(user_id: str) -> Reply:
    """One person."""
    with store().read(viewer().scope) as unit:
        return Reply(UserRecord.shown(the_user(unit, user_id)))


@operation("PUT", "/users/<user_id>", {200: UserRecord}, tag="people")
@allow(Permission.ADMINISTER)
def change_person(user_id: str, body: Person) -> Write:
    """Change who a person is.

    Another role or scope logs them out everywhere.
    """
    wanted = body.as_new_user()

    def write(unit: UnitOfWork) -> Reply:
        return Reply(UserRecord.shown(change_user(unit, user_id, wanted)))

    return write


@operation("POST", "/users/<user_id>/disable", {200: UserRecord}, tag="people")
@allow(Permission.ADMINISTER)
def disable_person(user_id: str) -> Write:
    """Keep a person out: their sessions, tokens and invitations end."""

    def write(unit: UnitOfWork) -> Reply:
        return Reply(UserRecord.shown(disable_user(unit, user_id)))

    return write


@operation("POST", "/users/<user_id>/enable", {200: UserRecord}, tag="people")
@allow(Permission.ADMINISTER)
def enable_person(user_id: str) -> Write:
    """Let a person in again."""

    def write(unit: UnitOfWork) -> Reply:
        return Reply(UserRecord.shown(enable_user(unit, user_id)))

    return write


@operation("POST", "/users/<user_id>/reset", {200: Invitation}, tag="people")
@allow(Permission.ADMINISTER)
def reset_person(user_id: str) -> Write:
    """Take a person's password, and give a link by which they choose the next one."""

    def write(unit: UnitOfWork) -> Reply:
        return _invited(unit, user_id, 200)

    return write


def _check_own_keys() -> None:
    """What somebody logs in with is theirs to change in a browser, or by a token that administers."""
    if viewer().token is not None and not viewer().may(Permission.ADMINISTER):
        abort(403, description=f"A token needs {Permission.ADMINISTER} for this.")


def _invited(unit: UnitOfWork, user_id: str, status: int) -> Reply:
    secret = reset_password(unit, user_id, now())
    g.secret = True
    link = site().absolute(INVITATION_PATH + secret)
    return Reply(
        Invitation(user=UserRecord.shown(the_user(unit, user_id)), link=link), status, once=frozenset({"link"})
    )


def _sessions(unit: UnitOfWork) -> list[Session]:
    return sessions_of(unit, viewer().user, now(), settings().login)


def _short(session: Session) -> str:
    """Enough of the id to tell a person's sessions apart."""
    return session.id[:20]


def _session_key(session: Session) -> tuple[str, str]:
    return session.seen_at.isoformat(timespec="microseconds"), session.id[:20]


def _token_key(token: ApiToken) -> tuple[str, str]:
    return token.created_at.isoformat(timespec="microseconds"), token.id
