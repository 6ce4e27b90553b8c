"""Who may be what, who may not be locked out, and how a person comes to a password."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from people_cast import MONDAY_9, PASSWORD, PEOPLE, Office

from planner.access import PERMISSIONS, Permission, Role
from planner.errors import AccountError, InvalidRecordError, NotFoundError
from planner.people.accounts import (
    INVITED_FOR,
    NewUser,
    accept_invitation,
    add_user,
    change_user,
    create_first_admin,
    disable_user,
    enable_user,
    find_by_email,
    find_invited,
    list_users,
    needs_admin,
    needs_second_factor,
    permissions_of,
    reset_password,
    set_password,
    unknown_reps,
)
from planner.people.domain import User
from planner.people.keys import setup_code
from planner.people.logging_in import Reason, Refused
from planner.people.passwords import check_password
from planner.people.tokens import issue_token
from planner.settings import LoginSettings

# ---- who may be what


@pytest.mark.parametrize(
    ("role", "area", "reps", "wrong"),
    [
        (Role.FIELD_REP, "town", {"R1"}, None),
        (Role.FIELD_REP, None, {"R1"}, "area"),
        (Role.FIELD_REP, "town", None, "rep"),
        (Role.FIELD_REP, "town", {"R1", "R2"}, "rep"),
        (Role.INSIDE_REP, "town", None, None),
        (Role.INSIDE_REP, None, None, None),
        (Role.INSIDE_REP, "town", {"R1"}, "rep"),
        (Role.MANAGER, None, None, None),
        (Role.MANAGER, "town", None, None),
        (Role.MANAGER, "town", {"R1", "R2"}, None),
        (Role.MANAGER, None, {"R1"}, "area"),
        (Role.ADMIN, None, None, None),
        (Role.ADMIN, "town", None, "area"),
        (Role.ADMIN, None, {"R1"}, "rep"),
    ],
)
def test_each_role_names_the_rows_that_it_sees(
    role: Role, area: str | None, reps: set[str] | None, wrong: str | None
) -> None:
    def built() -> NewUser:
        return NewUser("ann@example.com", "Ann", role, area, frozenset(reps) if reps else None)

    if wrong is None:
        built()
    else:
        with pytest.raises(InvalidRecordError) as error:
            built()
        assert error.value.field == wrong


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann@Example.COM", "ann@example.com"),
        ("  ann@example.com ", "ann@example.com"),
        ("ann@BÜCHER.example", "ann@bücher.example"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("ann@ｅxample.com", "ann@example.com"),
        ("a.b+c@localhost", "a.b+c@localhost"),
        ("ann@straße.example", "ann@straße.example"),  # another domain than strasse.example
    ],
)
def test_one_address_has_one_form_however_it_is_typed(typed: str, kept: str) -> None:
    assert NewUser(typed, "Ann", Role.ADMIN).email == kept


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@a b",
            "ann@@example.com",
            "ann@example..com",
            "a" * 250 + "@example.com",
        ),
        *("\u212aate@example.com", "аnn@example.com", "ann\n@example.com", "ann@exam\0ple.com", "\ud800@example.com"),
    ],
)
def test_what_is_no_address_or_looks_like_anothers_is_refused(typed: str, office: Office) -> None:
    with pytest.raises(InvalidRecordError, match="email: "):
        NewUser(typed, "Ann", Role.ADMIN)
    with office.store.read() as unit:
        assert find_by_email(unit, typed) is None


@pytest.mark.parametrize("name", ["", "  ", "A\x1b[31m", "A\nB", "A\u202eB", "A\ud800", "a" * 101])
def test_a_name_holds_nothing_that_moves_a_cursor(name: str) -> None:
    with pytest.raises(InvalidRecordError, match="name: "):
        NewUser("ann@example.com", name, Role.ADMIN)


def test_two_people_never_share_an_address(any_office: Office) -> None:
    any_office.add("ada", "ben")
    with any_office.store.write() as unit:
        with pytest.raises(InvalidRecordError, match="somebody has the address"):
            add_user(unit, replace(PEOPLE["anna"], email="ADA@Example.com"), MONDAY_9, "another")
        with pytest.raises(InvalidRecordError, match="somebody has the address"):
            change_user(unit, "id-ben", replace(PEOPLE["ben"], email="ada@example.com"))


def test_people_are_listed_by_address_and_found_by_it(office: Office) -> None:
    office.add("max", "ada", "ben")
    with office.store.read() as unit:
        assert [user.name for user in list_users(unit)] == ["Ada", "Ben", "Max"]
        assert find_by_email(unit, " MAX@example.com") == office.user("max")
        assert find_by_email(unit, "eve@example.com") is None


def test_reps_that_the_area_does_not_know_are_named(office: Office) -> None:
    user = office.add("max")
    with office.store.read() as unit:
        assert unknown_reps(unit, user) == ["R1"]
        assert unknown_reps(unit, replace(user, area=None, reps=None)) == []


# ---- what a change ends


def test_a_change_of_role_ends_sessions_and_what_the_role_allowed(office: Office) -> None:
    office.add("ada", "max")
    office.logs_in("max")
    with office.store.write() as unit:
        changed = change_user(unit, "id-max", replace(PEOPLE["max"], role=Role.INSIDE_REP, reps=None))
        assert unit.sessions.find() == []
    assert changed.epoch == 2
    assert permissions_of(changed, LoginSettings()) == PERMISSIONS[Role.INSIDE_REP]
    assert office.audited()[-1] == "user.changed"


@pytest.mark.parametrize("change", [{"area": "city"}, {"reps": frozenset({"R9"})}])
def test_a_change_of_scope_ends_sessions(office: Office, change: dict[str, object]) -> None:
    office.add("ben")
    with office.store.write() as unit:
        assert change_user(unit, "id-ben", replace(PEOPLE["ben"], **change)).epoch == 2


def test_a_new_name_ends_nothing_and_no_change_writes_nothing(office: Office) -> None:
    before = office.add("ada")
    office.logs_in("ada")
    with office.store.write() as unit:
        assert change_user(unit, "id-ada", replace(PEOPLE["ada"], name="Ada B")).epoch == before.epoch
        assert len(unit.sessions.find()) == 1
    audited = office.audited()
    with office.store.write() as unit:
        change_user(unit, "id-ada", replace(PEOPLE["ada"], name="Ada B"))
    assert office.audited() == audited


def test_an_inside_rep_with_another_address_has_other_handoffs_and_logs_in_again(office: Office) -> None:
    office.add("iris")
    with office.store.write() as unit:
        changed = change_user(unit, "id-iris", replace(PEOPLE["iris"], email="iris.b@example.com"))
    assert (changed.epoch, changed.scope.inside_rep) == (2, "iris.b@example.com")


def test_disabling_ends_everything_at_once_and_enabling_brings_no_session_back(office: Office) -> None:
    office.add("ada", "ben")
    office.logs_in("ben")
    with office.store.write() as unit:
        token = reset_password(unit, "id-ben", MONDAY_9)
        disabled = disable_user(unit, "id-ben")
        assert find_invited(unit, token, MONDAY_9) is None
        assert permissions_of(disabled, LoginSettings()) == frozenset()
        assert unit.sessions.find() == []
        enabled = enable_user(unit, "id-ben")
    assert not enabled.disabled
    assert enabled.epoch > disabled.epoch - 1
    assert office.audited()[-2:] == ["user.disabled", "user.enabled"]


def test_the_last_admin_can_be_neither_disabled_nor_demoted(office: Office) -> None:
    office.add("ada", "max")
    with office.store.write() as unit:
        with pytest.raises(AccountError, match="only admin"):
            disable_user(unit, "id-ada")
        with pytest.raises(AccountError, match="only admin"):
            change_user(unit, "id-ada", replace(PEOPLE["ada"], role=Role.MANAGER))
        change_user(unit, "id-max", NewUser("max@example.com", "Max", Role.ADMIN))
        disable_user(unit, "id-max")  # a disabled admin is none who is left
        with pytest.raises(AccountError, match="only admin"):
            disable_user(unit, "id-ada")
        enable_user(unit, "id-max")
        assert disable_user(unit, "id-ada").disabled


def test_who_is_not_there_cannot_be_changed(office: Office) -> None:
    with office.store.write() as unit:
        for change in (disable_user, enable_user):
            with pytest.raises(NotFoundError):
                change(unit, "nobody")


def test_a_manager_may_do_nothing_until_the_second_factor_that_is_asked_for_is_there(office: Office) -> None:
    manager = office.add("max")
    strict = LoginSettings(second_factor=("admin", "manager"))
    assert needs_second_factor(manager, strict)
    assert permissions_of(manager, strict) == frozenset()
    assert permissions_of(replace(manager, totp_secret="sealed"), strict) == PERMISSIONS[Role.MANAGER]
    assert not needs_second_factor(replace(manager, password_hash=""), strict)  # single sign-on has its own
    assert not needs_second_factor(office.add("ben"), strict)
    assert Permission.PLAN in permissions_of(manager, LoginSettings())


# ---- passwords by invitation


def invited(office: Office) -> tuple[User, str]:
    user = office.add("ben")
    with office.store.write() as unit:
        return user, reset_password(unit, user.id, office.now)


def test_an_invitation_lets_its_holder_choose_a_password_once(office: Office) -> None:
    _, token = invited(office)
    assert isinstance(office.tries("ben"), Refused)  # the password before is gone
    user = accept_invitation(office.store, token, "rivers run uphill", office.now)
    assert check_password(user.password_hash, "rivers run uphill")
    office.logs_in("ben", password="rivers run uphill")
    with pytest.raises(AccountError, match="has been used"):
        accept_invitation(office.store, token, "rivers run downhill", office.now)


def test_a_bad_choice_does_not_use_the_invitation_up(office: Office) -> None:
    _, token = invited(office)
    with pytest.raises(InvalidRecordError, match="password: "):
        accept_invitation(office.store, token, "ben@example.com", office.now)
    accept_invitation(office.store, token, "rivers run uphill", office.now)


def test_an_invitation_expires_and_a_newer_one_replaces_it(office: Office) -> None:
    user, token = invited(office)
    with office.store.write() as unit:
        assert find_invited(unit, token, office.now + INVITED_FOR - timedelta(seconds=1))
        assert find_invited(unit, token, office.now + INVITED_FOR) is None
        newer = reset_password(unit, user.id, office.now)
        assert find_invited(unit, token, office.now) is None
        assert find_invited(unit, newer, office.now)


@pytest.mark.parametrize("garbage", ["", "x", "\0", "\ud800", "a" * 10_000])
def test_garbage_is_nobodys_invitation(office: Office, garbage: str) -> None:
    office.add("ada", "ben")  # who have no invitation
    with office.store.read() as unit:
        assert find_invited(unit, garbage, MONDAY_9) is None


def test_the_disabled_get_no_invitation(office: Office) -> None:
    office.add("ada", "ben")
    with office.store.write() as unit:
        disable_user(unit, "id-ben")
        with pytest.raises(AccountError, match="enable them first"):
            reset_password(unit, "id-ben", MONDAY_9)


def test_a_reset_ends_the_tokens_too_as_a_thief_may_have_issued_one(office: Office) -> None:
    ada, ben = office.add("ada"), office.add("ben")
    with office.store.write() as unit:
        for owner in (ada, ben):
            issue_token(unit, owner, "job", [sorted(PERMISSIONS[owner.role])[0]], None, MONDAY_9, LoginSettings())
        reset_password(unit, ben.id, MONDAY_9)
        assert [token.user_id for token in unit.tokens.find()] == [ada.id]


def test_a_new_password_ends_sessions_and_invitations(office: Office) -> None:
    user = office.add("ben")
    office.logs_in("ben")
    with office.store.write() as unit:
        token = reset_password(unit, user.id, MONDAY_9)
        assert set_password(unit, user.id, "a hash").epoch == 3
        assert find_invited(unit, token, MONDAY_9) is None
        assert unit.sessions.find() == []


def test_no_secret_and_no_address_reaches_the_audit_log(any_office: Office) -> None:
    user, token = invited(any_office)
    accept_invitation(any_office.store, token, "rivers run uphill", any_office.now)
    any_office.logs_in("ben", password="rivers run uphill")
    any_office.tries("ben", "rivers run sideways")
    said = any_office.everything_audited()
    for secret in (
        token,
        "rivers",
        user.password_hash,
        any_office.user("ben").password_hash,
        "ben@example.com",
        "argon2",
    ):
        assert secret not in said


# ---- the first admin


def test_the_first_admin_needs_the_setup_code_and_is_the_only_one_made_so(any_office: Office) -> None:
    def make(code: str, email: str = "ada@example.com") -> User:
        return create_first_admin(any_office.store, any_office.keys, code, email, "Ada", PASSWORD, MONDAY_9)

    with any_office.store.read() as unit:
        assert needs_admin(unit)
    for wrong in ("", "AAAAA-AAAAA-AAAAA-AAAAA", "\ud800", "ü"):
        with pytest.raises(AccountError, match="setup code"):
            make(wrong)
    admin = make(setup_code(any_office.keys).lower().replace("-", " "))
    assert admin.role is Role.ADMIN
    any_office.logs_in("ada")
    with pytest.raises(AccountError, match="already"):
        make(setup_code(any_office.keys), "eve@example.com")


def test_of_two_who_are_first_at_once_one_becomes_admin(any_office: Office) -> None:
    made: list[str] = []

    def make(email: str) -> None:
        try:
            code = setup_code(any_office.keys)
            made.append(
                create_first_admin(any_office.store, any_office.keys, code, email, "Ada", PASSWORD, MONDAY_9).email
            )
        except AccountError:
            pass

    rivals = [threading.Thread(target=make, args=(f"{n}@example.com",)) for n in range(4)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    with any_office.store.read() as unit:
        assert [user.email for user in list_users(unit)] == made
    assert len(made) == 1


def test_a_disabled_person_hears_the_same_as_a_stranger(office: Office) -> None:
    office.add("ada", "ben")
    with office.store.write() as unit:
        disable_user(unit, "id-ben")
    assert office.tries("ben") == office.tries("nobody@example.com") == Refused(Reason.WRONG)
