"""Passwords are kept as Argon2id; the easiest guesses are refused; the installation's key is made once."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from people_cast import MONDAY_9, PASSWORD

from planner.errors import InvalidRecordError, SettingsError
from planner.people.keys import KEY_VARIABLE, Keys, is_setup_code, read_keys, setup_code
from planner.people.passwords import check_choice, check_password, hash_password, needs_rehash

HASH = hash_password(PASSWORD)
KEYS = Keys(bytes(range(32)))


@pytest.mark.parametrize("good", [PASSWORD, "äöüßéñ żółw", "a" + "🐢" * 9, "0" * 9 + "a" * 191, "trombone2026"])
def test_a_long_enough_password_may_be_anything(good: str) -> None:
    check_choice(good, "ann@example.com", "Ann Lee")
    assert check_password(hash_password(good), good)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("short", "between 10 and 200"),
        ("a" * 201, "between 10 and 200"),
        ("\ufdfa" * 100, "between 10 and 200"),  # NFKC makes 18 characters of this one
        ("ann@example.com", "the e-mail address"),
        ("ANN-LEE-2026!", "the name"),
        ("1234567890", "everybody tries"),
        ("Password2026!", "everybody tries"),
        ("QWERTYUIOP", "everybody tries"),
        ("tall trees\0walk", "cannot be typed"),
        ("tall trees\nwalk", "cannot be typed"),
        ("tall trees\ud800walk", "cannot be typed"),
    ],
)
def test_a_password_that_would_be_guessed_or_cannot_be_typed_is_refused(bad: str, why: str) -> None:
    with pytest.raises(InvalidRecordError, match=why) as error:
        check_choice(bad, "ann@example.com", "Ann Lee")
    assert error.value.field == "password"


def test_a_password_is_the_same_on_every_keyboard() -> None:
    composed, decomposed = "cafe\u0301 au lait", "caf\u00e9 au lait"
    assert check_password(hash_password(composed), decomposed)


@pytest.mark.parametrize(
    "wrong", ["", "x", PASSWORD + " ", PASSWORD.upper(), "\0", "\ud800", PASSWORD + "a" * 1_000_000]
)
def test_anything_else_is_not_the_password(wrong: str) -> None:
    assert not check_password(HASH, wrong)


@pytest.mark.parametrize("hash", ["", "rubbish", "$argon2id$v=19$m=1"])
def test_without_a_hash_no_password_is_right(hash: str) -> None:
    assert not check_password(hash, "")
    assert not check_password(hash, PASSWORD)


def test_a_hash_has_the_parameters_of_today_or_is_made_again() -> None:
    assert HASH.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not needs_rehash(HASH)
    assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD))


# ---- the installation's key


def test_the_key_is_made_once_though_many_start_together(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read_keys(tmp_path, {}), range(32)))
    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_several_machines_share_a_key_by_the_environment(tmp_path: Path) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        key = encode(bytes(range(224, 256))).decode()
        assert read_keys(tmp_path, {KEY_VARIABLE: key}) == Keys(bytes(range(224, 256)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "x", "AAAA", base64.b64encode(bytes(31)).decode(), "ü" * 44, "\0"])
def test_what_is_no_key_is_refused_by_name_and_never_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="key is not a key"):
        read_keys(tmp_path, {})
    if text:
        with pytest.raises(SettingsError, match="FIELDVISIT_KEY is not a key"):
            read_keys(tmp_path, {KEY_VARIABLE: text})


def test_the_key_is_in_no_repr() -> None:
    assert repr(KEYS) == "Keys()"


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    sealed = KEYS.seal("ticket", "ann", MONDAY_9)
    assert KEYS.unseal("ticket", sealed, MONDAY_9) == "ann"
    assert KEYS.unseal("device", sealed, MONDAY_9) is None
    assert Keys(bytes(32)).unseal("ticket", sealed, MONDAY_9) is None
    assert KEYS.sub_key("csrf") != KEYS.sub_key("device")


def test_what_is_sealed_expires() -> None:
    sealed = KEYS.seal("ticket", "ann", MONDAY_9)
    assert KEYS.unseal("ticket", sealed, MONDAY_9 + timedelta(seconds=60), max_age_s=60) == "ann"
    assert KEYS.unseal("ticket", sealed, MONDAY_9 + timedelta(seconds=61), max_age_s=60) is None


@given(st.text(st.characters(), max_size=200))
def test_garbage_is_never_taken_for_what_was_sealed(garbage: str) -> None:
    assert KEYS.unseal("ticket", garbage, MONDAY_9, 60) is None
    assert not is_setup_code(KEYS, garbage)


def test_the_setup_code_belongs_to_the_installation() -> None:
    assert is_setup_code(KEYS, f" {setup_code(KEYS).lower()} ")
    assert not is_setup_code(Keys(bytes(32)), setup_code(KEYS))
    assert len(setup_code(KEYS)) == 23
