"""Six digits work once and about now; a recovery code works once; neither is readable in the database."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from people_cast import Office

from planner.errors import AccountError, InvalidRecordError, SettingsError
from planner.people.domain import User
from planner.people.keys import Keys
from planner.people.second_factor import (
    ENROLLING_S,
    RECOVERY_CODES,
    begin_enrolment,
    confirm_enrolment,
    remove_second_factor,
    renew_recovery_codes,
    resume_enrolment,
    use_code,
)


def code_at(secret: str, office: Office, steps: int = 0) -> str:
    """What the phone shows, or showed some steps ago."""
    return pyotp.TOTP(secret).at(office.now, counter_offset=steps)


def enrolled(office: Office, name: str = "max") -> tuple[str, tuple[str, ...]]:
    """The phone's secret, and the recovery codes."""
    user = office.add(name)
    enrolment = begin_enrolment(office.keys, user, office.now)
    code = code_at(enrolment.secret, office)
    with office.store.write() as unit:
        codes = confirm_enrolment(unit, office.keys, user.id, enrolment.sealed, code, office.now)
    return enrolment.secret, codes


def used(office: Office, code: str, name: str = "max") -> User | None:
    with office.store.write(audited=False) as unit:
        return use_code(unit, office.keys, office.user(name), code, office.now)


def test_a_phone_is_asked_to_prove_that_it_has_the_secret(office: Office) -> None:
    user = office.add("max")
    enrolment = begin_enrolment(office.keys, user, office.now)
    right = code_at(enrolment.secret, office)
    with office.store.write() as unit:
        with pytest.raises(InvalidRecordError, match="phone's clock"):
            confirm_enrolment(unit, office.keys, user.id, enrolment.sealed, right[:5], office.now)
        assert office.user("max").totp_secret == ""
        again = resume_enrolment(office.keys, user, enrolment.sealed, office.now)
        assert again.secret == enrolment.secret
        spaced = f"{right[:3]} {right[3:]}"
        assert len(confirm_enrolment(unit, office.keys, user.id, again.sealed, spaced, office.now)) == RECOVERY_CODES
    assert office.user("max").totp_secret
    assert office.audited()[-1] == "second_factor.added"


def test_the_picture_holds_what_an_app_needs(office: Office) -> None:
    enrolment = begin_enrolment(office.keys, office.add("max"), office.now)
    link = urlsplit(enrolment.uri)
    assert (link.scheme, link.netloc, link.path) == ("otpauth", "totp", "/fieldvisit:max%40example.com")
    assert parse_qs(link.query) == {"secret": [enrolment.secret], "issuer": ["fieldvisit"]}
    assert ET.fromstring(enrolment.qr_svg).tag.endswith("svg")
    assert "style=" not in enrolment.qr_svg
    assert enrolment.secret not in repr(enrolment)


def test_an_enrolment_is_its_persons_and_expires(office: Office) -> None:
    max_, ada = office.add("max"), office.add("ada")
    sealed = begin_enrolment(office.keys, max_, office.now).sealed
    office.later(seconds=ENROLLING_S)
    resume_enrolment(office.keys, max_, sealed, office.now)
    for user, at in ((ada, office.now), (max_, office.now + timedelta(seconds=1))):
        with pytest.raises(AccountError, match="too long"):
            resume_enrolment(office.keys, user, sealed, at)


def test_a_second_factor_is_not_replaced_by_whoever_holds_the_session(office: Office) -> None:
    enrolled(office)
    enrolment = begin_enrolment(office.keys, office.user("max"), office.now)
    code = code_at(enrolment.secret, office)
    with office.store.write() as unit, pytest.raises(AccountError, match="remove it first"):
        confirm_enrolment(unit, office.keys, "id-max", enrolment.sealed, code, office.now)


def test_a_code_works_once_and_so_does_the_one_that_confirmed(office: Office) -> None:
    secret, _ = enrolled(office)
    assert used(office, code_at(secret, office)) is None
    office.later(seconds=30)
    assert used(office, code_at(secret, office))
    assert used(office, code_at(secret, office)) is None
    office.later(seconds=30)
    assert used(office, code_at(secret, office, -1)) is None
    assert used(office, code_at(secret, office))


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_one_step_off(office: Office, steps: int, accepted: bool) -> None:
    secret, _ = enrolled(office)
    office.later(minutes=10)
    assert (used(office, code_at(secret, office, steps)) is not None) == accepted


@pytest.mark.parametrize(
    "garbage", ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "\0", "\ud800", "0" * 10_000]
)
def test_garbage_is_no_code(office: Office, garbage: str) -> None:
    enrolled(office)
    assert used(office, garbage) is None


def test_a_recovery_code_works_once_however_it_is_typed(office: Office) -> None:
    _, codes = enrolled(office)
    assert len(set(codes)) == RECOVERY_CODES
    assert used(office, codes[3].lower().replace("-", " "))
    assert used(office, codes[3]) is None
    assert used(office, codes[0])
    assert len(office.user("max").recovery_hashes) == RECOVERY_CODES - 2
    assert office.audited().count("recovery_code.used") == 2


def test_new_recovery_codes_replace_those_that_are_left(office: Office) -> None:
    _, codes = enrolled(office)
    with office.store.write() as unit:
        renewed = renew_recovery_codes(unit, office.keys, "id-max")
    assert used(office, codes[0]) is None
    assert used(office, renewed[0])
    office.add("ada")
    with office.store.write() as unit, pytest.raises(AccountError, match="no second factor"):
        renew_recovery_codes(unit, office.keys, "id-ada")


def test_a_second_factor_can_be_removed_and_set_up_anew(office: Office) -> None:
    enrolled(office)
    with office.store.write() as unit:
        user = remove_second_factor(unit, "id-max")
        assert (user.totp_secret, user.recovery_hashes) == ("", ())
        before = unit.audit_log.latest(1)
        remove_second_factor(unit, "id-max")
        assert unit.audit_log.latest(1) == before
    enrolment = begin_enrolment(office.keys, office.user("max"), office.now)
    with office.store.write() as unit:
        code = code_at(enrolment.secret, office)
        assert confirm_enrolment(unit, office.keys, "id-max", enrolment.sealed, code, office.now)


def test_neither_the_database_nor_the_audit_log_holds_a_secret(office: Office) -> None:
    secret, codes = enrolled(office)
    user = office.user("max")
    stored = f"{user.totp_secret} {user.recovery_hashes} {office.everything_audited()} {user}"
    for plain in (secret, *codes, *(code.replace("-", "") for code in codes)):
        assert plain not in stored


def test_a_lost_key_is_said_and_lets_nobody_in(office: Office) -> None:
    secret, _ = enrolled(office)
    office.keys = Keys(bytes(32))
    office.later(minutes=1)
    with pytest.raises(SettingsError, match="installation's key"):
        used(office, code_at(secret, office))
