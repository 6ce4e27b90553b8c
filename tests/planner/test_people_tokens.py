"""A program may do what its owner may do now, and of that only what its token says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people_cast import MONDAY_9, PEOPLE, Office

from planner.access import Permission, Role
from planner.errors import AccountError, InvalidRecordError, NotFoundError
from planner.people.accounts import change_user, disable_user, enable_user
from planner.people.domain import ApiToken, User
from planner.people.tokens import MOST_TOKENS, find_token, issue_token, revoke_token, tokens_of, touch
from planner.settings import LoginSettings


def issued(
    office: Office,
    name: str = "max",
    permissions: Iterable[Permission] = (Permission.PLAN, Permission.SEE_RECORDS),
    expires_at: datetime | None = None,
) -> tuple[str, ApiToken]:
    user = office.user(name)
    with office.store.write() as unit:
        return issue_token(unit, user, "nightly", permissions, expires_at, office.now, office.login)


def found(office: Office, text: str) -> tuple[ApiToken, User, frozenset[Permission]] | None:
    with office.store.read() as unit:
        return find_token(unit, text, office.now, office.login)


def may(office: Office, text: str) -> set[Permission]:
    answer = found(office, text)
    assert answer
    return set(answer[2])


def test_a_token_is_known_by_its_text_which_is_not_stored(office: Office) -> None:
    owner = office.add("max")
    text, token = issued(office)
    assert found(office, text) == (token, owner, token.permissions)
    assert text.startswith(f"fv_{token.id}_")
    with office.store.read() as unit:
        assert text.removeprefix(f"fv_{token.id}_") not in str(unit.tokens.find()) + token.token_hash
    assert text[-20:] not in office.everything_audited()


def test_a_token_never_may_more_than_its_owner(office: Office) -> None:
    office.add("max")
    with pytest.raises(InvalidRecordError, match="only what its owner may do"):
        issued(office, permissions=[Permission.PLAN, Permission.ADMINISTER])
    with pytest.raises(InvalidRecordError, match="good for nothing"):
        issued(office, permissions=[])


def test_what_its_owner_may_no_more_the_token_may_no_more(office: Office) -> None:
    office.add("max")
    text, _ = issued(office)
    with office.store.write() as unit:
        change_user(unit, "id-max", replace(PEOPLE["max"], role=Role.INSIDE_REP, reps=None))
    assert may(office, text) == {Permission.SEE_RECORDS}
    with office.store.write() as unit:
        change_user(unit, "id-max", PEOPLE["max"])
    assert may(office, text) == {Permission.PLAN, Permission.SEE_RECORDS}


def test_a_token_may_nothing_while_its_owners_second_factor_is_missing(office: Office) -> None:
    office.add("max")
    text, _ = issued(office)
    office.login = LoginSettings(second_factor=("manager",))
    assert may(office, text) == set()


def test_a_token_dies_with_its_owners_disabling(office: Office) -> None:
    office.add("max")
    text, _ = issued(office)
    with office.store.write() as unit:
        disable_user(unit, "id-max")
    assert found(office, text) is None
    with office.store.write() as unit:
        enable_user(unit, "id-max")
    assert found(office, text) is None


def test_a_token_expires(office: Office) -> None:
    office.add("max")
    text, _ = issued(office, expires_at=MONDAY_9 + timedelta(days=1))
    office.later(hours=24, seconds=-1)
    assert found(office, text)
    office.later(seconds=1)
    assert found(office, text) is None
    with pytest.raises(InvalidRecordError, match="in the past"):
        issued(office, expires_at=office.now)


def test_only_its_owner_revokes_a_token(office: Office) -> None:
    office.add("max", "ben")
    text, token = issued(office)
    with office.store.write() as unit:
        for stranger, id in (("id-ben", token.id), ("id-max", "no such token")):
            with pytest.raises(NotFoundError):
                revoke_token(unit, stranger, id)
        revoke_token(unit, "id-max", token.id)
    assert found(office, text) is None
    assert office.audited()[-2:] == ["token.issued", "token.revoked"]


def test_being_used_is_written_once_a_minute_and_brings_nothing_back(office: Office) -> None:
    office.add("max")
    _, token = issued(office)
    with office.store.write() as unit:
        for seconds, kept in ((0, 0), (59, 0), (60, 60)):
            touch(unit, token, MONDAY_9 + timedelta(seconds=seconds))
            assert unit.tokens.get(token.id) == replace(token, used_at=MONDAY_9 + timedelta(seconds=kept))
        revoke_token(unit, "id-max", token.id)
        touch(unit, token, MONDAY_9 + timedelta(hours=1))
        assert tokens_of(unit, "id-max") == []


def test_nobody_has_very_many_tokens(office: Office) -> None:
    office.add("max")
    with office.store.write() as unit:
        for _ in range(MOST_TOKENS):
            issue_token(unit, office.user("max"), "again", [Permission.PLAN], None, MONDAY_9, office.login)
        with pytest.raises(AccountError, match="more than 50 tokens"):
            issue_token(unit, office.user("max"), "again", [Permission.PLAN], None, MONDAY_9, office.login)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.one_of(
        st.text(st.characters(), max_size=100),
        st.from_regex(r"fv_[0-9a-f]{20}_[A-Za-z0-9_-]{43}", fullmatch=True),
    )
)
def test_garbage_is_nobodys_token(office: Office, garbage: str) -> None:
    assert found(office, garbage) is None


def test_a_token_with_another_secret_or_anothers_id_is_none(office: Office) -> None:
    office.add("max")
    (text, token), (other, _) = issued(office), issued(office)
    secret = other.split("_", 2)[2]
    for forged in (text[:-1], text + "A", text.upper(), f"fv_{token.id}_{secret}", f" {text}", f"{text}\n"):
        assert found(office, forged) is None
