"""The whole way in: by password, a code after it, or single sign-on; and what a stranger learns, which is nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from argon2 import PasswordHasher
from people_cast import PASSWORD, PEOPLE, Office
from test_people_second_factor import code_at, enrolled

from planner.errors import InvalidRecordError
from planner.people.accounts import change_user, disable_user, find_by_email
from planner.people.logging_in import (
    DEVICE_DAYS,
    TICKET_S,
    LoggedIn,
    NeedsSecondFactor,
    Reason,
    Refused,
    Visitor,
    change_own_password,
    confirm_password,
    log_in_by_oidc,
    log_in_with_code,
)
from planner.people.passwords import needs_rehash
from planner.people.sessions import find_session
from planner.people.throttling import OF_ACCOUNT, OF_DEVICE

WRONG = Refused(Reason.WRONG)
HERE = Visitor("192.0.2.1", "Firefox")


# ---- by password


def test_a_person_logs_in_by_e_mail_however_it_is_typed(any_office: Office) -> None:
    any_office.add("ada", "ben")
    done = any_office.logs_in("  BEN@Example.com")
    assert done.user.name == "Ben"
    with any_office.store.read() as unit:
        assert find_session(unit, done.secret, any_office.now, any_office.login) == (done.session, done.user)
    assert any_office.audited()[-1] == "login.succeeded"


@pytest.mark.parametrize("email", ["", "nobody@example.com", "no address", "\0", "\ud800", "a" * 100_000])
@pytest.mark.parametrize("password", ["", PASSWORD, "\0\ud800"])
def test_a_stranger_hears_the_same_whatever_they_send(office: Office, email: str, password: str) -> None:
    office.add("ada")
    assert office.tries(email, password) == office.tries("ada", "wrong") == WRONG


def test_an_account_that_is_not_there_makes_strangers_wait_as_well(office: Office) -> None:
    office.add("ada")
    there = [office.tries("ada", "wrong", address=f"192.0.2.{n}") for n in range(8)]
    nowhere = [office.tries("nobody@example.com", "wrong", address=f"198.51.100.{n}") for n in range(8)]
    assert there == nowhere
    assert there[OF_ACCOUNT.free - 1 :] == [Refused(Reason.WRONG, 30), *[Refused(Reason.WAIT, 30)] * 3]


def test_an_unknown_person_takes_as_long_to_refuse_as_a_known_one(office: Office) -> None:
    office.add("ada")

    def fastest(email: str) -> float:
        """CPU seconds of the fastest of three, which is what an attacker's averages come down to."""
        taken = []
        for n in range(3):
            start = time.process_time()
            office.tries(email, "wrong", address=f"192.0.2.{n}")
            taken.append(time.process_time() - start)
        return min(taken)

    known, unknown = fastest("ada"), fastest("nobody@example.com")
    assert unknown > known / 3  # a password that is not hashed at all is twenty times faster


def test_the_right_password_is_refused_too_while_strangers_have_to_wait(office: Office) -> None:
    office.add("ada")
    for _ in range(OF_ACCOUNT.free):
        office.tries("ada", "wrong")
    assert office.tries("ada") == Refused(Reason.WAIT, 30)
    office.later(seconds=30)
    office.logs_in("ada")


def test_the_owners_browser_gets_in_while_strangers_have_to_wait(office: Office) -> None:
    office.add("ada")
    device = office.logs_in("ada").device
    for _ in range(OF_ACCOUNT.free):
        office.tries("ada", "wrong")
    assert isinstance(office.tries("ada"), Refused)
    device = office.logs_in("ada", device=device).device
    office.later(days=DEVICE_DAYS - 1)
    for _ in range(OF_ACCOUNT.free):
        office.tries("ada", "wrong")
    office.logs_in("ada", device=device)  # each log-in made it known for longer


def test_a_browser_is_known_for_its_own_person_and_not_for_ever(office: Office) -> None:
    office.add("ada", "ben")
    bens = office.logs_in("ben").device
    adas = office.logs_in("ada").device
    for _ in range(OF_ACCOUNT.free):
        office.tries("ada", "wrong")
    for forged in (bens, "", "rubbish", "\ud800", adas[:-2]):
        assert isinstance(office.tries("ada", device=forged), Refused)
    office.later(days=DEVICE_DAYS, seconds=1)
    for _ in range(OF_ACCOUNT.free):
        office.tries("ada", "wrong")
    assert isinstance(office.tries("ada", device=adas), Refused)


def test_guessing_on_a_known_browser_is_as_slow_and_slows_nobody_else(office: Office) -> None:
    office.add("ada")
    stolen = office.logs_in("ada").device
    for _ in range(OF_DEVICE.free):
        office.tries("ada", "wrong", device=stolen)
    assert office.tries("ada", device=stolen) == Refused(Reason.WAIT, 30)
    office.logs_in("ada")


def test_guesses_that_come_together_are_all_counted(any_office: Office) -> None:
    any_office.add("ada")
    answers: list[object] = []
    guesses = [
        threading.Thread(target=lambda n=n: answers.append(any_office.tries("ada", "wrong", address=f"192.0.2.{n}")))
        for n in range(8)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    asked = [answer for answer in answers if isinstance(answer, Refused) and answer.reason is Reason.WRONG]
    assert len(asked) == OF_ACCOUNT.free


def test_a_hash_of_other_days_is_renewed_at_log_in_and_ends_nothing(office: Office) -> None:
    user = office.add("ada")
    with office.store.write() as unit:
        weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
        unit.users.put(replace(user, password_hash=weak))
        unit.audit("test.prepared")
    office.logs_in("ada")
    assert not needs_rehash(office.user("ada").password_hash)
    assert office.user("ada").epoch == user.epoch
    office.logs_in("ada")


def test_failures_are_audited_sparingly_and_without_what_was_typed(office: Office) -> None:
    office.add("ada")
    for _ in range(20):
        office.tries("ada", "wrong horse")
        office.tries("someone@example.org", "wrong horse", address="203.0.113.7")
    assert office.audited().count("login.failed") == 4  # the first of each, and the wait of each
    for typed in ("wrong horse", "example.org", "ada@"):
        assert typed not in office.everything_audited()


# ---- the code after it


def test_who_has_a_second_factor_is_asked_for_it(any_office: Office) -> None:
    secret, codes = enrolled(any_office)
    any_office.later(minutes=1)
    step = any_office.tries("max")
    assert isinstance(step, NeedsSecondFactor)

    def second(code: str) -> LoggedIn | Refused:
        return log_in_with_code(
            any_office.store, any_office.keys, any_office.login, step.ticket, code, HERE, any_office.now
        )

    assert second("") == second("000000x") == Refused(Reason.WRONG_CODE)
    assert isinstance(second(code_at(secret, any_office)), LoggedIn)
    assert second(code_at(secret, any_office)) == Refused(Reason.WRONG_CODE)
    assert isinstance(second(codes[0]), LoggedIn)


def test_password_and_code_may_come_together(office: Office) -> None:
    secret, _ = enrolled(office)
    office.later(minutes=1)
    assert office.tries("max", code="000000x") == Refused(Reason.WRONG_CODE)
    assert office.tries("max", "wrong", code=code_at(secret, office)) == WRONG
    office.logs_in("max", code=code_at(secret, office))


def test_a_ticket_expires_and_dies_with_the_password_it_stands_for(office: Office) -> None:
    secret, _ = enrolled(office)
    office.add("ada")
    office.later(minutes=1)
    step = office.tries("max")
    assert isinstance(step, NeedsSecondFactor)

    def second(ticket: str) -> LoggedIn | Refused:
        code = code_at(secret, office)
        return log_in_with_code(office.store, office.keys, office.login, ticket, code, HERE, office.now)

    for forged in ("", "rubbish", "\ud800", office.keys.seal("device", "id-max 1", office.now)):
        assert second(forged) == Refused(Reason.EXPIRED)
    office.later(seconds=TICKET_S + 1)
    assert second(step.ticket) == Refused(Reason.EXPIRED)
    step = office.tries("max")
    assert isinstance(step, NeedsSecondFactor)
    with office.store.write() as unit:
        disable_user(unit, "id-max")
    assert second(step.ticket) == Refused(Reason.EXPIRED)


@pytest.mark.parametrize("known", [False, True])
def test_codes_are_guessed_as_slowly_as_passwords(office: Office, known: bool) -> None:
    """Even by whoever knows the password, which gives them a new ticket each time but no new tries; and even in a
    browser that its owner has logged in with."""
    secret, _ = enrolled(office)
    office.later(minutes=1)
    device = office.logs_in("max", code=code_at(secret, office)).device if known else ""
    here = Visitor("192.0.2.1", "Firefox", device)
    answers = []
    for _ in range(2 * OF_ACCOUNT.free):
        step = office.tries("max", device=device)
        if not isinstance(step, NeedsSecondFactor):
            answers.append(step)
            continue
        answers.append(
            log_in_with_code(office.store, office.keys, office.login, step.ticket, "000000x", here, office.now)
        )
    assert sum(answer.reason is Reason.WRONG_CODE for answer in answers if isinstance(answer, Refused)) == 5
    assert answers[-1] == Refused(Reason.WAIT, 30)


# ---- by single sign-on


def signs_on(
    office: Office,
    email: str = "ben@example.com",
    subject: str = "s-1",
    verified: bool = True,
    issuer: str = "https://id",
) -> LoggedIn | Refused:
    return log_in_by_oidc(office.store, office.keys, office.login, issuer, subject, email, verified, HERE, office.now)


def test_a_person_comes_by_single_sign_on_and_is_known_by_the_subject_from_then_on(any_office: Office) -> None:
    any_office.add("ada", "ben")
    assert isinstance(signs_on(any_office, "BEN@example.com"), LoggedIn)
    done = signs_on(any_office, "married@example.com", verified=False)
    assert isinstance(done, LoggedIn)
    assert done.user.name == "Ben"
    assert any_office.audited()[-3:] == ["sign_on.linked", "login.succeeded", "login.succeeded"]


@pytest.mark.parametrize(
    "claims",
    [
        {"subject": "s-2"},
        {"issuer": "https://other"},
        {"email": "nobody@example.com", "subject": "s-2"},
        {"email": "ada@example.com", "subject": "s-2", "verified": False},
        {"email": "", "subject": ""},
        {"email": "\u212aate@example.com", "subject": "s-2"},
    ],
    ids=["another subject", "another issuer", "stranger", "not verified", "nothing", "look-alike"],
)
def test_nobody_else_comes_in_as_that_person(office: Office, claims: dict[str, object]) -> None:
    office.add("ada", "ben")
    assert isinstance(signs_on(office), LoggedIn)
    assert signs_on(office, **claims) == Refused(Reason.NO_ACCOUNT)
    assert office.audited()[-1] == "login.failed"
    assert office.user("ada").sign_on is None


def test_the_disabled_do_not_come_in_by_single_sign_on_either(office: Office) -> None:
    office.add("ada", "ben")
    signs_on(office)
    with office.store.write() as unit:
        disable_user(unit, "id-ben")
    assert signs_on(office) == Refused(Reason.NO_ACCOUNT)


def test_another_person_who_gets_the_address_later_is_not_the_one_before(office: Office) -> None:
    office.add("ada", "ben")
    signs_on(office)
    with office.store.write() as unit:
        change_user(unit, "id-ben", replace(PEOPLE["ben"], email="ben.old@example.com"))
        change_user(unit, "id-ada", replace(PEOPLE["ada"], email="ben@example.com"))
    done = signs_on(office, subject="s-2")
    assert isinstance(done, LoggedIn)
    assert done.user.id == "id-ada"
    with office.store.read() as unit:
        assert find_by_email(unit, "ben.old@example.com")


# ---- changing how one logs in


def test_a_change_of_ones_own_password_wants_the_present_one_and_ends_the_other_browsers(office: Office) -> None:
    user = office.add("ada")
    before = office.logs_in("ada")

    def change(present: str, chosen: str) -> LoggedIn | Refused:
        return change_own_password(office.store, office.keys, office.login, user, present, chosen, HERE, office.now)

    assert change("wrong", "rivers run uphill") == Refused(Reason.WRONG_PASSWORD)
    with pytest.raises(InvalidRecordError):
        change(PASSWORD, "ada@example.com")
    done = change(PASSWORD, "rivers run uphill")
    assert isinstance(done, LoggedIn)
    with office.store.read() as unit:
        assert find_session(unit, before.secret, office.now, office.login) is None
        assert find_session(unit, done.secret, office.now, office.login)
    assert isinstance(office.tries("ada"), Refused)
    office.logs_in("ada", password="rivers run uphill")


def test_whoever_finds_an_open_browser_cannot_guess_the_password_in_it(office: Office) -> None:
    user = office.add("ada")
    for _ in range(OF_DEVICE.free):
        confirm_password(office.store, user, "wrong", HERE, office.now)
    assert confirm_password(office.store, user, PASSWORD, HERE, office.now) == Refused(Reason.WAIT, 30)
    assert confirm_password(office.store, user, PASSWORD, HERE, office.later(seconds=30)) is None
