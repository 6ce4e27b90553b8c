"""The weekly summary by mail: on its day, once, to whoever wants it and may see it, and only of what they see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_evening_mail import Post, free_port, serving
from weeks_cast import Weeks, booked

from planner.access import Role
from planner.activities.domain import Activity, SummaryReader
from planner.activities.tapping import tap
from planner.cli import main
from planner.doctor import findings
from planner.fieldwork.domain import MailState
from planner.fieldwork.privacy import everything_about
from planner.mailing.weekly import compose_weekly, send_weekly_due, week_told_on, weekly_templates
from planner.people.accounts import NewUser, change_user, disable_user
from planner.settings import LoginSettings, MailSettings
from planner.slots.domain import BookingState
from planner.summary.making import weekly_summary
from planner.summary.reading import reads_summary, subscribe
from planner.upkeep import Upkeep

LAST_WEEK, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
MONDAY_7 = datetime(2026, 11, 30, 7, tzinfo=UTC)


@pytest.fixture
def weeks(tmp_path: Path) -> Iterator[Weeks]:
    made = Weeks(tmp_path, now=MONDAY_7)
    made.customers("mill", "inn")
    made.customers("pub", owner_rep_id="ben")
    made.plan({("anna", TUESDAY): ["account:mill", "account:inn"], ("ben", TUESDAY): ["account:pub"]})
    made.visit("anna", TUESDAY, "account:mill")
    made.says("anna", TUESDAY, left_out={"account:inn": "Called off by the customer: holidays"})
    yield made
    made.store.close()


@pytest.fixture
def post() -> Post:
    return Post()


def wants(weeks: Weeks, *names: str, wanted: bool = True) -> None:
    for name in names:
        weeks.write(lambda unit, name=name: subscribe(unit, "town", weeks.user(name), wanted))


def at(weeks: Weeks, port: int, **mail: Any) -> Weeks:
    usual: dict[str, Any] = {"host": "localhost", "port": port, "security": "none", "sender": "visits@example.com"}
    weeks.settings = replace(weeks.settings, mail=MailSettings(**(usual | mail)))
    return weeks


def send(weeks: Weeks, now: datetime = MONDAY_7) -> int:
    weeks.now = now
    return send_weekly_due(weeks.store, ["town"], weeks.settings, now)


def rows(weeks: Weeks) -> list[SummaryReader]:
    found: list[SummaryReader] = weeks.read(lambda unit: unit.summary_readers.find())
    return found


def test_each_reader_is_sent_the_week_once_as_text_and_as_html(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max", "ada")
    with serving(post) as port:
        here = at(weeks, port)
        assert [send(here, MONDAY_7 + timedelta(minutes=5 * n)) for n in range(3)] == [2, 0, 0]
    assert [to for to, _ in post.mails] == ["ada@example.com", "max@example.com"]
    mail = post.mails[1][1]
    assert mail["Subject"] == "town, week of Monday 23 November 2026: 1 of 3 visits made"
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    for part in (text.get_content(), html.get_content()):
        for words in ("called off by the customer: ", "Inn", "nobody has reported anything", "Pub",
                      "https://visits.example.com/a/town/summary/2026-11-23", "not worked out yet"):  # fmt: skip
            assert words in part.replace('<span style="color:#5b636d">', ""), words
    assert weeks.audited().count("summary.sent") == 2
    assert {(row.user_id, row.week, row.state) for row in rows(weeks)} == {
        ("id-ada", LAST_WEEK, MailState.SENT),
        ("id-max", LAST_WEEK, MailState.SENT),
    }


def test_a_manager_of_a_team_reads_of_the_team_only(weeks: Weeks, post: Post) -> None:
    wants(weeks, "mia")
    weeks.promises(booked("secret", "ben", TUESDAY, state=BookingState.MOVED, ended_at=MONDAY_7 - timedelta(days=4)))
    with serving(post) as port:
        assert send(at(weeks, port)) == 1
    told = post.mails[0][1].as_string()
    assert "1 of 2 visits made" in told
    for theirs in ("Ben", "Pub", "Secret"):
        assert theirs not in told


@pytest.mark.parametrize(
    ("now", "sent"),
    [("2026-11-30T06:59", 0), ("2026-11-30T07:00", 1), ("2026-11-30T23:59", 1), ("2026-12-01T00:00", 0),
     ("2026-12-07T08:00", 1)],
)  # fmt: skip
def test_it_is_sent_from_its_hour_to_midnight_of_its_day(weeks: Weeks, post: Post, now: str, sent: int) -> None:
    wants(weeks, "max")
    with serving(post) as port:
        assert send(at(weeks, port), datetime.fromisoformat(now).replace(tzinfo=UTC)) == sent


def test_an_installation_chooses_the_day_or_that_none_is_sent(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    with serving(post) as port:
        assert send(at(weeks, port, weekly_at="")) == 0
        friday = datetime(2026, 12, 4, 16, tzinfo=UTC)
        assert send(at(weeks, port, weekly_at="Fr 15:30"), friday) == 1
    with pytest.raises(ValueError, match="no weekday and time"):
        MailSettings(weekly_at="Monday")


def test_nobody_is_sent_what_they_may_not_see_any_more(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max", "mia", "ada")
    weeks.change("max", disabled=True)
    weeks.change("mia", role=Role.FIELD_REP)
    weeks.change("ada", password_hash="x")
    weeks.settings = replace(weeks.settings, login=LoginSettings(second_factor=("admin",)))
    with serving(post) as port:
        assert send(at(weeks, port)) == 0
    assert post.mails == []


def test_who_unsubscribes_is_sent_nothing_more(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    wants(weeks, "max", wanted=False)
    wants(weeks, "max", wanted=False)  # a second time it is done already
    assert not weeks.read(lambda unit: reads_summary(unit, "town", weeks.user("max")))
    with serving(post) as port:
        assert send(at(weeks, port)) == 0
    assert [action for action in weeks.audited() if action.startswith("summary.")] == [
        "summary.subscribed",
        "summary.unsubscribed",
    ]


def test_who_changes_their_mind_twice_is_not_sent_the_same_week_again(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    with serving(post) as port:
        here = at(weeks, port)
        assert send(here) == 1
        wants(weeks, "max", wanted=False)
        assert not weeks.read(lambda unit: reads_summary(unit, "town", weeks.user("max")))
        wants(weeks, "max")
        assert send(here, MONDAY_7 + timedelta(hours=1)) == 0
        assert send(here, MONDAY_7 + timedelta(days=7)) == 1


@pytest.mark.parametrize(
    ("day", "work_days", "monday"),
    [("2026-11-30", range(5), "2026-11-23"), ("2026-12-04", range(5), "2026-11-23"),
     ("2026-12-04", range(4), "2026-11-30"), ("2026-12-05", range(5), "2026-11-30"),
     ("2026-12-05", range(6), "2026-11-23"), ("2026-12-06", range(7), "2026-11-30")],
)  # fmt: skip
def test_a_mail_tells_of_the_week_whose_work_is_over(day: str, work_days: range, monday: str) -> None:
    assert week_told_on(date.fromisoformat(day), work_days) == date.fromisoformat(monday)


def test_on_sunday_evening_it_is_the_week_that_ends(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    with serving(post) as port:
        assert send(at(weeks, port, weekly_at="Su 20:00"), datetime(2026, 11, 29, 20, 5, tzinfo=UTC)) == 1
    assert post.mails[0][1]["Subject"] == "town, week of Monday 23 November 2026: 1 of 3 visits made"


def test_what_fails_is_tried_again_and_the_doctor_says_why(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    assert send(at(weeks, free_port())) == 0
    assert [(row.week, row.state) for row in rows(weeks)] == [(LAST_WEEK, MailState.FAILED)]
    told = [found.text for found in findings(weeks.settings, lambda: MONDAY_7, {}) if found.about == "mail"]
    assert any("user id-max was not sent the summary of the week of 2026-11-23" in text for text in told)
    with serving(post) as port:
        assert send(at(weeks, port), MONDAY_7 + timedelta(hours=1)) == 1
    assert [(row.state, row.problem) for row in rows(weeks)] == [(MailState.SENT, "")]


def test_what_may_have_been_sent_is_not_sent_again_but_the_next_week_is(weeks: Weeks, post: Post) -> None:
    with weeks.store.write(audited=False) as unit:
        unit.summary_readers.put(SummaryReader("town", "id-max", LAST_WEEK, MailState.HANDED_OVER, MONDAY_7, "broke"))
    with serving(post) as port:
        here = at(weeks, port)
        assert send(here, MONDAY_7 + timedelta(hours=1)) == 0
        assert send(here, MONDAY_7 + timedelta(days=7)) == 1


def test_the_dispatcher_sends_it(weeks: Weeks, post: Post) -> None:
    wants(weeks, "max")
    with serving(post) as port:
        upkeep = Upkeep(weeks.store, lambda: ["town"], at(weeks, port).settings)
        upkeep(MONDAY_7)
        upkeep.mailing.wait()
    assert [to for to, _ in post.mails] == ["max@example.com"]


@pytest.mark.parametrize("name", ["Mill\r\nBcc: evil@example.com", "</span><script>x</script>", "{{ 7 * 7 }}", "ß🦀"])
def test_no_name_writes_a_header_a_paragraph_or_markup(weeks: Weeks, name: str) -> None:
    weeks.customers("inn", name=name)
    weeks.deals("forge", name=name)
    weeks.happened("won", "forge", MONDAY_7 - timedelta(days=3))
    summary = weekly_summary(weeks.store, weeks.user("max").scope, "town", LAST_WEEK, weeks.settings, MONDAY_7)
    summary = replace(summary, notes=(name,), area=name)
    settings = at(weeks, 25).settings
    mail = compose_weekly(weekly_templates(weeks.folder), summary, "a@example.com", settings, MONDAY_7)
    read = message_from_bytes(mail.as_bytes(), policy=default)
    html, text = (read.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert "<script>" not in html.get_content()
    assert "Bcc" not in read
    assert not any(line.startswith("Bcc") for line in text.get_content().splitlines())
    assert "49" not in read["Subject"]


def test_an_installation_writes_its_own_text(weeks: Weeks) -> None:
    (weeks.folder / "mail").mkdir()
    (weeks.folder / "mail" / "weekly.txt").write_text("Subject: {{ area }}\n\n{{ week.made }} visits\n")
    summary = weekly_summary(weeks.store, weeks.user("max").scope, "town", LAST_WEEK, weeks.settings, MONDAY_7)
    settings = at(weeks, 25).settings
    mail = compose_weekly(weekly_templates(weeks.folder), summary, "a@example.com", settings, MONDAY_7)
    text = mail.get_body(("plain",))
    assert text is not None
    assert (mail["Subject"], text.get_content()) == ("town", "1 visits\n")
    (weeks.folder / "mail" / "weekly.html").write_text("Subject: {{ nothing }}")
    told = [found for found in findings(settings, lambda: MONDAY_7, {}) if found.verdict == "bad"]
    assert any("weekly.html" in found.text for found in told)


# --- people who leave or change


def test_disabling_somebody_ends_their_subscription(weeks: Weeks) -> None:
    wants(weeks, "max")
    weeks.write(lambda unit: disable_user(unit, "id-max"))
    assert rows(weeks) == []


@pytest.mark.parametrize(
    ("wanted", "stays"),
    [(NewUser("max@example.com", "Max", Role.MANAGER, "town", frozenset({"ben"})), True),
     (NewUser("max@example.com", "Max", Role.MANAGER, "elsewhere"), False),
     (NewUser("max@example.com", "Max", Role.INSIDE_REP, "town"), False)],
)  # fmt: skip
def test_who_may_not_see_the_area_s_figures_any_more_is_no_reader_of_it(
    weeks: Weeks, wanted: NewUser, stays: bool
) -> None:
    wants(weeks, "max")
    weeks.write(lambda unit: change_user(unit, "id-max", wanted))
    assert bool(rows(weeks)) is stays


def test_everybody_sees_what_they_have_counted_and_what_they_are_sent(weeks: Weeks) -> None:
    wants(weeks, "max")
    with weeks.store.write(audited=False) as unit:
        tap(unit, "town", "id-max", TUESDAY, Activity.CALLS, 1)
        tap(unit, "town", "id-iris", TUESDAY, Activity.CALLS, 1)
    user = weeks.user("max")
    with weeks.store.read(user.scope) as unit:
        groups = {group.name: group.rows for group in everything_about(unit, user, weeks.settings.fieldwork, 10)}
    assert groups["calls"] == ({"area": "town", "day": "2026-11-24", "kind": "calls", "count": 1},)
    nothing_sent = {"week": None, "state": None, "at": None, "problem": ""}
    assert groups["summaries"] == ({"area": "town", **nothing_sent, "wanted": True},)


# --- by hand


def test_the_summary_is_looked_at_and_tried_by_command(weeks: Weeks, post: Post) -> None:
    long_ago = date(2020, 3, 3)  # a command goes by the machine's clock
    weeks.plan({("anna", long_ago): ["account:mill", "account:inn"]})
    weeks.visit("anna", long_ago, "account:mill")
    area = weeks.folder / "areas" / "town"
    area.mkdir(parents=True)
    (area / "area.json").write_text("{}")

    def run(reader: str, *words: str) -> str:
        command = ["--home", str(weeks.folder), "mail", "weekly", "--reader", reader, "--week", "2020-03-04", *words]
        result = CliRunner().invoke(main, command, env={"FIELDVISIT_DATABASE_URL": weeks.settings.database_url})
        return f"{result.exit_code} {result.output}"

    with serving(post) as port:
        (weeks.folder / "settings.toml").write_text(
            f'[mail]\nhost = "localhost"\nport = {port}\nsecurity = "none"\nsender = "visits@example.com"\n'
        )
        assert "To: mia@example.com\nSubject: town, week of Monday 2 March 2020: 1 of 2" in run("mia@example.com")
        assert run("max@example.com", "--send", "--to", "me@example.com") == "0 sent to me@example.com\n"
    assert [to for to, _ in post.mails] == ["me@example.com"]
    assert run("iris@example.com").startswith("1 Error: iris@example.com is nobody who may see the figures of town")
    missing = CliRunner().invoke(main, ["--home", str(weeks.folder), "mail"], env={"FIELDVISIT_DATABASE_URL": ""})
    assert "Missing option '--rep'" in missing.output
