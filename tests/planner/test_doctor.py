"""`fieldvisit doctor` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from people_cast import MONDAY_9, Office

from planner import doctor
from planner.cli import main
from planner.doctor import Finding, Verdict, findings, machine
from planner.doctor.database import file_system
from planner.people.keys import read_keys
from planner.settings import GeocodingSettings, JobSettings, OidcSettings, Settings, WebSettings
from planner.storage import open_store
from routing.outgoing import OutgoingRules
from routing.preparing import Loops

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX's")


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has compiled so far."""
    monkeypatch.setattr(doctor, "loops", lambda: Loops.KEPT)


def now() -> datetime:
    return MONDAY_9


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A new installation, as `fieldvisit serve` leaves it: a home of its owner's, a database, a key."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    chosen = Settings(home=home, database_url=f"sqlite:///{home / 'fieldvisit.sqlite'}")
    read_keys(home, {})
    open_store(chosen.database_url).close()
    return chosen


def of(settings: Settings, about: str, clock: Callable[[], datetime] = now, **options: Any) -> list[Finding]:
    return [found for found in findings(settings, clock, {}, **options) if found.about == about]


def only(found: list[Finding], verdict: Verdict) -> Finding:
    [finding] = [one for one in found if one.verdict is not Verdict.GOOD]
    assert finding.verdict is verdict
    assert finding.advice
    return finding


def test_a_new_installation_lacks_an_area_a_backup_a_dispatcher_and_an_admin(settings: Settings) -> None:
    wanting = {found.about: found.verdict for found in findings(settings, now, {}) if found.verdict is not Verdict.GOOD}
    assert wanting == {
        "areas": Verdict.DOUBTFUL,
        "backup": Verdict.DOUBTFUL,
        "jobs": Verdict.DOUBTFUL,
        "people": Verdict.BAD,
    }


@pytest.mark.parametrize(
    ("state", "text", "advice"),
    [
        (Loops.MISSING, "not compiled yet", "fieldvisit prepare"),
        (Loops.HOMELESS, "compiled anew by every process", "NUMBA_CACHE_DIR"),
        (Loops.PLAIN, "engine ortools", "pip install numba"),
    ],
)
def test_loops_that_are_not_compiled_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, state: Loops, text: str, advice: str
) -> None:
    monkeypatch.setattr(doctor, "loops", lambda: state)
    finding = only(of(settings, "loops"), Verdict.DOUBTFUL)
    assert text in finding.text
    assert advice in finding.advice


def test_whatever_is_not_good_comes_with_advice(settings: Settings) -> None:
    assert all(bool(found.advice) == (found.verdict is not Verdict.GOOD) for found in findings(settings, now, {}))


def test_an_admin_who_can_log_in_is_enough_and_a_second_factor_is_recommended(settings: Settings) -> None:
    Office(open_store(settings.database_url)).add("ada")
    assert "1 of 1 admins have a password and no second factor" in only(of(settings, "people"), Verdict.DOUBTFUL).text


def test_a_disabled_admin_does_not_count(settings: Settings) -> None:
    store = open_store(settings.database_url)
    admin = Office(store).add("ada")
    with store.write(audited=False) as unit:
        unit.users.put(replace(admin, disabled=True))
    assert only(of(settings, "people"), Verdict.BAD).text == "no admin can log in"


def test_nothing_is_made_or_changed_where_there_is_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'fieldvisit.sqlite'}")
    assert "there is no database" in only(of(settings, "database"), Verdict.BAD).text
    assert "there is no key" in only(of(settings, "key"), Verdict.DOUBTFUL).text
    assert list(tmp_path.iterdir()) == []


def test_secrets_that_others_can_read_are_named(settings: Settings) -> None:
    key = settings.home / "key"
    key.chmod(0o640)
    finding = only(of(settings, "home"), Verdict.BAD)
    assert (finding.text, finding.advice) == (f"others on this machine can read {key}", f"chmod 600 {key}")
    key.chmod(0o600)
    settings.home.chmod(0o755)
    assert only(of(settings, "home"), Verdict.DOUBTFUL).advice == f"chmod 700 {settings.home}"


def test_a_new_home_is_for_its_owner_only(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--home", str(tmp_path / "new"), "doctor"])
    assert "for its owner only" in result.output
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_key_that_is_none_is_found(settings: Settings) -> None:
    (settings.home / "key").write_text("much too short")
    assert "is not a key" in only(of(settings, "key"), Verdict.BAD).text


def test_a_damaged_database_is_found(settings: Settings) -> None:
    file = settings.home / "fieldvisit.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    content = bytearray(file.read_bytes())
    content[8192:40_000] = os.urandom(40_000 - 8192)
    file.write_bytes(content)
    assert Verdict.BAD in {found.verdict for found in of(settings, "database")}


def test_a_database_of_another_schema_is_found_and_left_as_it_is(settings: Settings) -> None:
    file = settings.home / "fieldvisit.sqlite"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "schema 0001" in only(of(settings, "database"), Verdict.BAD).text
    assert "schema 0001" in only(of(settings, "database"), Verdict.BAD).text


def test_postgresql_is_looked_at_like_sqlite(settings: Settings, url: str) -> None:
    chosen = replace(settings, database_url=url)
    [finding] = of(chosen, "database")
    assert finding.verdict is Verdict.GOOD
    assert finding.text.startswith(("SQLite 3", "PostgreSQL 1"))


def test_the_clocks_of_this_machine_and_the_servers_are_compared(settings: Settings, url: str) -> None:
    if url.startswith("sqlite"):
        pytest.skip("a file has no clock")
    chosen = replace(settings, database_url=url)
    found = of(chosen, "clock", lambda: datetime.now(UTC) - timedelta(minutes=5))
    assert "the database server's clock is +300 s from this machine's" in only(found, Verdict.BAD).text
    assert len(of(chosen, "clock", lambda: datetime.now(UTC))) == 1


def test_a_server_that_is_away_is_said_to_be_and_its_password_is_not_shown(settings: Settings) -> None:
    url = "postgresql://fieldvisit:geheim@127.0.0.1:1/fieldvisit"
    finding = only(of(replace(settings, database_url=url), "database"), Verdict.BAD)
    assert "cannot be reached" in finding.text
    assert "geheim" not in finding.text


def test_a_broken_audit_log_is_found(settings: Settings) -> None:
    store = open_store(settings.database_url)
    for number in range(3):
        with store.write() as unit:
            unit.audit("thing.done", str(number))
    assert [found.text for found in of(settings, "audit log")] == ["3 audit entries, unbroken"]
    with closing(sqlite3.connect(settings.home / "fieldvisit.sqlite")) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE audit SET subject = 'another' WHERE seq = 2")
    assert only(of(settings, "audit log", whole_audit_log=True), Verdict.BAD).text == "it is broken at entry 2"


def test_a_backup_of_last_week_is_too_old(settings: Settings) -> None:
    store = open_store(settings.database_url, lambda: MONDAY_9 - timedelta(days=8))
    with store.write() as unit:
        unit.audit("backup.made")
    assert "the last one is of 2026-11-22" in only(of(settings, "backup"), Verdict.DOUBTFUL).text
    assert of(settings, "backup", lambda: MONDAY_9 - timedelta(days=7))[0].verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", "ext4"), ("/srv/data/x", "nfs4"), ("/srv/database", "ext4"), ("/srv/my disk/y", "cifs")],
)
def test_network_file_systems_are_told_apart(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda / ext4 rw 0 0\nserver:/x /srv/data nfs4 rw 0 0\n//s/y /srv/my\\040disk cifs rw 0 0\n")
    assert file_system(Path(folder), mounts) == kind
    assert file_system(Path(folder), tmp_path / "none") == ""


@pytest.mark.parametrize(("free", "verdict"), [(100_000_000, "bad"), (1_000_000_000, "doubtful"), (10**11, "good")])
def test_a_disk_that_fills_up_is_told_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": free}))
    assert [found.verdict for found in of(settings, "disk")] == [verdict]


def test_a_clock_of_the_last_century_is_wrong(settings: Settings) -> None:
    found = of(settings, "clock", lambda: datetime(1999, 12, 31, tzinfo=UTC))
    assert only(found, Verdict.BAD).advice == "set the clock, and keep it set by NTP"


def test_an_area_that_is_damaged_is_named(settings: Settings) -> None:
    (settings.areas / "town").mkdir(parents=True)
    (settings.areas / "town" / "area.json").write_text("{}")
    assert only(of(settings, "areas"), Verdict.BAD).text.startswith("town: area town: area.json is damaged")


def test_a_scheduler_elsewhere_without_tls_is_refused(settings: Settings) -> None:
    chosen = replace(settings, jobs=JobSettings(scheduler="tcp://192.0.2.7:8786"))
    assert "unprotected" in only(of(chosen, "workers"), Verdict.BAD).text


def test_a_scheduler_that_is_away_is_said_to_be(settings: Settings) -> None:
    chosen = replace(settings, jobs=JobSettings(scheduler="tcp://127.0.0.1:1"))
    assert "cannot be reached" in only(of(chosen, "workers"), Verdict.BAD).text


def test_https_without_a_believed_proxy_is_doubtful(settings: Settings) -> None:
    chosen = replace(settings, web=WebSettings(public_url="https://visits.example.com"))
    assert "proxies is 0" in only(of(chosen, "address"), Verdict.DOUBTFUL).text
    chosen = replace(settings, web=WebSettings(public_url="https://visits.example.com", proxies=1))
    assert [found.verdict for found in of(chosen, "address")] == [Verdict.GOOD]


def test_what_the_settings_want_to_call_must_be_on_the_list(settings: Settings) -> None:
    chosen = replace(
        settings,
        geocoding=GeocodingSettings(online=("nominatim", "photon"), photon_url="https://photon.corp"),
        oidc=OidcSettings(issuer="https://login.example.com", client_id="x"),
        outgoing=OutgoingRules(hosts=("nominatim.openstreetmap.org",), private_hosts=("photon.corp",)),
        oidc_secret="s",
    )
    assert "single sign-on wants to call https://login.example.com" in only(of(chosen, "hosts"), Verdict.BAD).text


def test_the_command_fails_where_something_is_wrong_and_says_so_to_machines_too(settings: Settings) -> None:
    result = CliRunner().invoke(main, ["--home", str(settings.home), "doctor", "--json"])
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert result.exit_code == 1
    assert {"about": "people", "verdict": "bad"}.items() <= next(x for x in lines if x["about"] == "people").items()
    Office(open_store(settings.database_url)).add("ada")
    result = CliRunner().invoke(main, ["--home", str(settings.home), "doctor"])
    assert result.exit_code == 0, result.output
    assert "  ok  database: SQLite" in result.output


def test_settings_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[webb]\n")
    result = CliRunner().invoke(main, ["--home", str(tmp_path), "doctor"])
    assert result.exit_code == 1
    assert "!!  settings: settings.toml: there is no section [webb]" in result.output
