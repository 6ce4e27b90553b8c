"""fieldvisit user, the way a person types it; and the people of the demo."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from people_cast import PASSWORD

from planner.access import Role
from planner.cli import main
from planner.people.accounts import accept_invitation, find_by_email, list_users, set_password
from planner.people.domain import User
from planner.people.passwords import check_password, hash_password
from planner.repository import Store
from planner.storage import open_store

SAMPLE = Path(__file__).parents[2] / "sample_data"


@pytest.fixture
def home(empty_database: Path, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "fieldvisit.sqlite").write_bytes(empty_database.read_bytes())
    town = home / "areas" / "town"
    town.mkdir(parents=True)
    (town / "area.json").write_text("{}", encoding="utf-8")
    return home


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{home}/fieldvisit.sqlite")
    yield store
    store.close()


def run(home: Path, *arguments: str, typed: str = "", ok: bool = True) -> Result:
    done = CliRunner().invoke(main, ["--home", str(home), "user", *arguments], input=typed, env={"COLUMNS": "200"})
    assert (done.exit_code == 0) == ok, done.output
    return done


def add(home: Path, email: str, *options: str, role: str = "admin") -> Result:
    how = [] if "--invite" in options or "--no-password" in options else ["--password-stdin"]
    return run(home, "add", email, "--name", "Ann", "--role", role, *options, *how, typed=f"{PASSWORD}\n")


def stored(store: Store, email: str) -> User:
    with store.read() as unit:
        found = find_by_email(unit, email)
    assert found
    return found


def test_an_admin_is_added_with_a_password_from_standard_input(home: Path, store: Store) -> None:
    said = add(home, "Ann@Example.com").output
    assert said == "ann@example.com is added: admin\n"
    user = stored(store, "ann@example.com")
    assert user.role is Role.ADMIN
    assert check_password(user.password_hash, PASSWORD)
    with store.read() as unit:
        (entry,) = unit.audit_log.entries()
    assert entry.actor.startswith("command")
    assert entry.action == "user.added"


def test_an_invited_person_gets_a_link_that_works_once(home: Path, store: Store) -> None:
    said = add(home, "ben@example.com", "--area", "town", "--rep", "R2", "--invite", role="field_rep").output
    assert "note: area town has no rep R2 yet" in said
    link, where = said.splitlines()[-2:]
    assert link.startswith("/invitation/")
    assert where.startswith("on the address where fieldvisit serve runs")  # nobody told us which that is
    accept_invitation(store, link.rpartition("/")[2], PASSWORD, datetime.now(UTC))
    assert check_password(stored(store, "ben@example.com").password_hash, PASSWORD)


def test_the_link_has_the_address_that_people_type(home: Path) -> None:
    (home / "settings.toml").write_text('[web]\npublic_url = "https://visits.example.com"\n', encoding="utf-8")
    said = add(home, "ben@example.com", "--invite").output
    assert said.splitlines()[-1].startswith("https://visits.example.com/invitation/")


def test_the_list_says_who_is_what_and_how_they_stand(home: Path, store: Store) -> None:
    assert "nobody yet" in run(home, "list").output
    add(home, "ann@example.com")
    add(home, "max@example.com", "--area", "town", "--team", "R2, R1", "--no-password", role="manager")
    add(home, "ben@example.com", "--area", "town", "--rep", "R1", "--invite", role="field_rep")
    run(home, "disable", "max@example.com")
    assert run(home, "list").output.splitlines() == [
        "ann@example.com  Ann  admin",
        "ben@example.com  Ann  field rep of town, R1  (invited, no password)",
        "max@example.com  Ann  manager of town, R1, R2  (disabled, no password)",
    ]


def test_a_role_is_changed_with_all_that_it_sees(home: Path, store: Store) -> None:
    add(home, "ann@example.com")
    add(home, "max@example.com", "--area", "town", "--team", "R1", role="manager")
    said = run(home, "role", "MAX@example.com", "inside_rep", "--area", "town").output
    assert said == "max@example.com is now inside rep of town\n"
    assert stored(store, "max@example.com").reps is None


def test_a_role_without_an_area_shows_nobody_more_than_before(home: Path, store: Store) -> None:
    add(home, "max@example.com", "--area", "town", "--team", "R1", role="manager")
    assert run(home, "role", "max@example.com", "manager").output.startswith(
        "max@example.com is now manager of town, R1\n"
    )
    assert run(home, "role", "max@example.com", "inside_rep").output == "max@example.com is now inside rep of town\n"
    assert stored(store, "max@example.com").area == "town"
    widened = run(home, "role", "max@example.com", "manager", "--every-area").output
    assert widened == "max@example.com is now manager of every area\n"
    assert stored(store, "max@example.com").area is None


def test_disabled_and_enabled_again(home: Path, store: Store) -> None:
    add(home, "ann@example.com")
    add(home, "max@example.com", role="manager")
    assert run(home, "disable", "max@example.com").output == "max@example.com is disabled\n"
    assert stored(store, "max@example.com").disabled
    assert run(home, "enable", "max@example.com").output == "max@example.com is enabled\n"
    assert not stored(store, "max@example.com").disabled


def test_a_reset_prints_a_link_or_takes_a_password(home: Path, store: Store) -> None:
    add(home, "ann@example.com")
    assert "/invitation/" in run(home, "reset", "ann@example.com").output
    assert stored(store, "ann@example.com").password_hash == ""
    run(home, "reset", "ann@example.com", "--password-stdin", typed="rivers run uphill\r\n")
    user = stored(store, "ann@example.com")
    assert check_password(user.password_hash, "rivers run uphill")
    assert user.invitation_hash == ""


def test_whoever_lost_their_phone_gets_in_without_it(home: Path, store: Store) -> None:
    add(home, "ann@example.com")
    with store.write() as unit:
        unit.users.put(replace(stored(store, "ann@example.com"), totp_secret="sealed", recovery_hashes=("x",)))
        unit.audit("test.prepared")
    assert "second factor" in run(home, "list").output
    run(home, "reset", "ann@example.com", "--second-factor")
    assert stored(store, "ann@example.com").totp_secret == ""


@pytest.mark.parametrize(
    ("arguments", "typed", "error"),
    [
        (["disable", "nobody@example.com"], "", "nobody has the address 'nobody@example.com'"),
        (["disable", "\x1b[31m"], "", r"nobody has the address '\x1b[31m'"),
        (["disable", "ann@example.com"], "", "the only admin who is left"),
        (["role", "ann@example.com", "manager"], "", "the only admin who is left"),
        (["add", "ANN@example.com", "--name", "A", "--role", "admin", "--invite"], "", "somebody has the address"),
        (["add", "x", "--name", "A", "--role", "admin", "--invite"], "", "is no e-mail address"),
        (["add", "b@example.com", "--name", "A\x1b[2J", "--role", "admin", "--invite"], "", "a control character"),
        (["add", "b@example.com", "--name", "A", "--role", "field_rep", "--invite"], "", "works in one area"),
        (["add", "b@example.com", "--name", "A", "--role", "admin", "--password-stdin"], "short\n", "between 10 and"),
        (["add", "b@example.com", "--name", "A", "--role", "admin", "--password-stdin"], "", "no password on standard"),
        (["add", "b@example.com", "--name", "A", "--role", "admin"], "", "nobody to ask for a password"),
        (["add", "b@example.com", "--name", "A", "--role", "admin", "--invite", "--no-password"], "", "give one of"),
        (
            ["add", "b@example.com", "--name", "A", "--role", "manager", "--area", "nowhere", "--invite"],
            "",
            "there is no area 'nowhere'",
        ),
        (["role", "ann@example.com", "manager", "--area", "nowhere"], "", "there is no area 'nowhere'"),
        (["add", "b@example.com", "--name", "A", "--role", "boss", "--invite"], "", "'boss' is not one of"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_changed(
    home: Path, store: Store, arguments: list[str], typed: str, error: str
) -> None:
    add(home, "ann@example.com")
    done = run(home, *arguments, typed=typed, ok=False)
    assert error in done.output.splitlines()[-1]
    assert "\x1b" not in done.output
    with store.read() as unit:
        assert [user.email for user in list_users(unit)] == ["ann@example.com"]
        assert len(unit.audit_log.entries()) == 1


def test_markup_and_escapes_in_a_name_are_text(home: Path, store: Store) -> None:
    add(home, "ann@example.com")
    with store.write() as unit:  # as another program might have written it
        unit.users.put(replace(stored(store, "ann@example.com"), name="[red]{{7*7}}\x1b[2J\n:smile:"))
        unit.audit("test.prepared")
    assert run(home, "list").output == "ann@example.com  [red]{{7*7}}\ufffd[2J\ufffd:smile:  admin\n"


# ---- the demo


def demo_people(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What the script prints: passwords by e-mail address."""
    spec = importlib.util.spec_from_file_location("people", SAMPLE / "people.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["people"] = module
    spec.loader.exec_module(module)
    module.main(home)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if "@" in line]
    return {line[0]: line[1] for line in lines}


def test_the_demo_has_somebody_of_each_role_whose_printed_password_is_right(
    home: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = demo_people(home, capsys)
    with store.read() as unit:
        people = list_users(unit)
    assert {person.role for person in people} == set(Role)
    for person in people:
        assert check_password(person.password_hash, printed[person.email])
    reps, opportunities = ((SAMPLE / name).read_text(encoding="utf-8") for name in ("reps.csv", "opportunities.csv"))
    assert all(person.email in reps for person in people if person.role is Role.FIELD_REP)
    assert all(person.email in opportunities for person in people if person.role is Role.INSIDE_REP)


def test_the_demo_run_again_prints_the_same_and_repairs_a_changed_password(
    home: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = demo_people(home, capsys)
    admin = stored(store, "admin@example.com")
    with store.write() as unit:
        before = unit.audit_log.latest(1)[0].seq
        set_password(unit, admin.id, hash_password("rivers run uphill"))
    assert demo_people(home, capsys) == printed
    assert check_password(stored(store, "admin@example.com").password_hash, printed["admin@example.com"])
    with store.read() as unit:
        assert unit.audit_log.latest(1)[0].seq == before + 2  # the others were left alone


def test_each_demo_has_passwords_of_its_own(
    home: Path, empty_database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "fieldvisit.sqlite").write_bytes(empty_database.read_bytes())
    assert demo_people(home, capsys) != demo_people(other, capsys)
