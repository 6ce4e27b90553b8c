"""Settings are read once; a wrong one is named, and never reaches a plan."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from planner.errors import SettingsError
from planner.settings import DATABASE_VARIABLE, HOME_VARIABLE, read_settings


def written(home: Path, text: str) -> Path:
    (home / "settings.toml").write_text(text, encoding="utf-8")
    return home


def test_without_a_file_everything_has_its_documented_default(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert settings.candidates.nearby_minutes == 7
    assert settings.candidates.nearby_cadence_share == 0.6
    assert settings.candidates.dormant_days == 365
    assert settings.gate.must_be_yes == ("need",)
    assert settings.gate.known_at_least == 2
    assert settings.geocoding.online == ()
    assert settings.map.tile_url == ""


def test_the_home_is_made_and_the_database_is_in_it(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there yet"
    settings = read_settings(home, {})
    assert home.is_dir()
    assert settings.database_url == f"sqlite:///{home / 'fieldvisit.sqlite'}"
    assert settings.areas == home / "areas"


def test_home_and_database_may_come_from_the_environment(tmp_path: Path) -> None:
    url = "postgresql+psycopg://reps@localhost/plans"
    settings = read_settings(None, {HOME_VARIABLE: str(tmp_path / "there"), DATABASE_VARIABLE: url})
    assert settings.home == tmp_path / "there"
    assert settings.database_url == url


def test_a_setting_changes_that_and_nothing_else(tmp_path: Path) -> None:
    usual = read_settings(tmp_path, {})
    text = "[candidates]\nnearby_minutes = 10\ncadence_days = { A = 7, gold = 3 }\n[gate]\nmust_be_yes = ['budget']"
    settings = read_settings(written(tmp_path, text), {})
    assert settings.candidates.nearby_minutes == 10.0
    assert settings.candidates.cadence_days == {"A": 7, "gold": 3}
    assert settings.candidates.visit_minutes == usual.candidates.visit_minutes
    assert settings.gate.must_be_yes == ("budget",)
    assert settings.worth == usual.worth


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, "\ufeff[candidates]\nparking_minutes = 2"), {})
    assert settings.candidates.parking_minutes == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[gates]", "there is no section [gates]"),
        ("gate = 1", "there is no section [gate]"),
        ("[gate]\nneed = true", "[gate] has no setting 'need'"),
        ("[gate]\nknown_at_least = '2'", "[gate] known_at_least is not a whole number"),
        ("[gate]\nknown_at_least = 2.0", "[gate] known_at_least is not a whole number"),
        ("[gate]\nknown_at_least = true", "[gate] known_at_least is not a whole number"),
        ("[gate]\nknown_at_least = 4", "known_at_least is 4"),
        ("[gate]\nknown_at_least = -1", "known_at_least is -1"),
        ("[gate]\nmust_be_yes = 'need'", "[gate] must_be_yes is not a list of texts"),
        ("[gate]\nmust_be_yes = [1]", "[gate] must_be_yes is not a list of texts"),
        ("[gate]\nmust_be_yes = ['timeline']", "must_be_yes names 'timeline'"),
        ("[gate]\nknown_of = ['mood']", "known_of names 'mood'"),
        ("[gate]\nknown_of = ['budget', 'budget']", "known_of names one question twice"),
        ("[gate]\nfirst_action_days = 1000000", "first_action_days is 1000000"),
        ("[candidates]\nnearby_minutes = nan", "nearby_minutes is nan"),
        ("[candidates]\nnearby_minutes = inf", "nearby_minutes is inf"),
        ("[candidates]\nparking_minutes = -5", "parking_minutes is -5"),
        ("[candidates]\nvisit_minutes = 0", "visit_minutes is 0"),
        ("[candidates]\nvisit_minutes = 100000", "visit_minutes is 100000"),
        ("[candidates]\nother_cadence_days = 0", "other_cadence_days is 0"),
        ("[candidates]\ncadence_days = 14", "[candidates] cadence_days is not a table"),
        ("[candidates]\ncadence_days = { A = 0 }", "cadence_days of segment A is 0"),
        ("[candidates]\ncadence_days = { A = 1.5 }", "cadence_days holds a fraction of a day"),
        ("[candidates]\ncadence_days = { A = 'weekly' }", "cadence_days of segment A is 'weekly'"),
        ("[candidates]\ncadence_days = { A = true }", "cadence_days of segment A is True"),
        ("[worth]\nsegment_minutes = { A = 'much' }", "segment_minutes of segment A is 'much'"),
        ("[worth]\nsegment_minutes = { A = nan }", "segment_minutes of segment A is nan"),
        ("[worth]\nvalue_unit = 0", "value_unit is 0.0"),
        ("[worth]\nvalue_unit = 1e-320", "value_unit is 1e-320"),
        ("[worth]\nopportunity_minutes = 1e300", "opportunity_minutes is 1e+300"),
        ("[geocoding]\nonline = ['bing']", "online names 'bing'"),
        ("[worth", "settings.toml"),
        ("x = " + "[" * 5000, "settings.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(written(tmp_path, text), {})
    assert named in str(error.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"settings\.toml"):
        read_settings(tmp_path, {})


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(SettingsError, match="home"):
        read_settings(tmp_path / "home", {})


def test_the_page_of_settings_shows_the_defaults(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    shown = page.partition("```toml\n")[2].partition("```")[0]
    defaults = read_settings(tmp_path, {})
    assert read_settings(written(tmp_path, shown), {}) == defaults
    for section in (
        defaults.gate,
        defaults.handoffs,
        defaults.booking,
        defaults.calendar,
        defaults.candidates,
        defaults.worth,
        defaults.geocoding,
        defaults.map,
    ):
        assert [field.name for field in fields(section) if f"\n{field.name} = " not in shown] == []


def test_a_relative_home_stays_where_it_is_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings(Path("here"), {})
    assert settings.areas == tmp_path / "here" / "areas"
    assert settings.database_url == f"sqlite:///{tmp_path}/here/fieldvisit.sqlite"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_settings(None, {HOME_VARIABLE: "~/there"}).home == tmp_path / "there"
