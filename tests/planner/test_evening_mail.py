"""The mail of the evening before, sent to a real mail server: once, to the right person, and by nobody else's hands."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from click.testing import CliRunner

from planner.access import SYSTEM
from planner.cli import main
from planner.day_sheets import DaySheet
from planner.doctor import findings
from planner.domain import Account, Address, Rep
from planner.errors import MailError
from planner.fieldwork.domain import MailState, SentMail
from planner.mailing import evening, handing_over, sending
from planner.mailing.composing import compose, evening_template
from planner.mailing.evening import send_due, sheet_of
from planner.plan_document import RepDay, Stop, write_plan
from planner.repository import StoredPlan
from planner.settings import MailSettings, Settings, WebSettings
from planner.storage import SqlStore, open_store
from planner.upkeep import Upkeep
from routing.outgoing import OutgoingRules

MAKE_CERTIFICATES = Path(__file__).parents[2] / "docs" / "deploy" / "make_certificates.py"
MONDAY, TUESDAY, FRIDAY = date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 4)
EVENING = datetime(2026, 11, 30, 18, 5, tzinfo=UTC)


def stop(number: int, day: date, name: str) -> Stop:
    begin = datetime(day.year, day.month, day.day, 8 + number, tzinfo=UTC)
    return Stop(
        stop=number, visit_id=f"account:A{number}", record_ids=[f"A{number}"], kind="due", name=name,
        address=f"{number} Bridge Street", lat=51.5, lon=-3.0, drive_seconds=600, drive_metres=5000,
        arrive=(begin - timedelta(minutes=5)).isoformat(), parking_minutes=5, begin=begin.isoformat(),
        leave=(begin + timedelta(minutes=30)).isoformat(), why="due", worth_minutes=None, worth_because=None,
        late=False, deadline=None, rides_with=[], handoff_missing=[],
    )  # fmt: skip


def rep_day(rep_id: str, day: date, *names: str, zone: str = "Europe/London") -> RepDay:
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    ends = {"address": "1 Office Park", "lat": 51.5, "lon": -3.0}
    end = at + timedelta(hours=9)
    return {
        "rep_id": rep_id, "rep_name": rep_id.title(), "date": str(day), "timezone": zone,
        "work_start": at.isoformat(), "work_end": end.isoformat(), "break": None,
        "start": {**ends, "time": at.isoformat() if names else None},
        "stops": [stop(number, day, name) for number, name in enumerate(names, 1)],
        "end": {**ends, "time": end.isoformat() if names else None},
        "return_drive_seconds": 0, "return_drive_metres": 0,
        "totals": {"visits": len(names), "drive_seconds": 4200, "drive_metres": 31_000, "service_minutes": 30,
                   "waiting_seconds": 0},
    }  # type: ignore[typeddict-item]  # fmt: skip


@dataclass
class Post:
    """A mail server that keeps what it takes, and may be told to say no."""

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    on_data: Callable[[SMTP], object] = lambda server: None
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content, policy=default)))  # type: ignore[arg-type]
        self.on_data(server)
        return "250 OK"

    def may_come_in(self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"herons", handled=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(post: Post, **options: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop(no_assert=True)


@pytest.fixture
def post() -> Post:
    return Post()


@dataclass
class House:
    """A town with a published plan: on Tuesday Anna has two visits, Ben one, and Cleo, who works, none."""

    folder: Path
    store: SqlStore
    settings: Settings

    def know(self, *reps: Rep) -> None:
        with self.store.write(audited=False) as unit:
            for rep in reps:
                unit.records("town").save(rep)

    def publish(self, *days: RepDay) -> None:
        document = write_plan({
            "format": "fieldvisit-plan/1", "area": "town", "first_day": str(MONDAY), "last_day": str(FRIDAY),
            "timezone": "Europe/London", "limits": {"seed": 1, "seconds": 1.0, "work": None},
            "totals": {"visits": 3, "promises": 0, "unplanned": 0, "drive_seconds": 0, "drive_metres": 0,
                       "cost_seconds": 0},
            "rep_days": list(days), "unplanned": [], "returned_to_inside": [], "dormant": [], "notes": [],
        })  # fmt: skip
        with self.store.write(audited=False) as unit:
            unit.plans("town").add(StoredPlan(0, "town", MONDAY, 5, EVENING, EVENING, 3, 0, 0, document))

    def at(self, port: int, **mail: Any) -> House:
        """The same house with this mail server."""
        usual: dict[str, Any] = {"host": "localhost", "port": port, "security": "none", "sender": "visits@example.com"}
        return replace(self, settings=replace(self.settings, mail=MailSettings(**(usual | mail))))

    def send(self, now: datetime = EVENING) -> int:
        return send_due(self.store, ["town"], self.settings, now)

    def rows(self) -> list[SentMail]:
        with self.store.read() as unit:
            return unit.sent_mails.find()


def rep(rep_id: str, **changes: Any) -> Rep:
    usual: dict[str, Any] = {"email": f"{rep_id}@example.com", "timezone": "Europe/London"}
    chosen = usual | changes
    return Rep(rep_id, rep_id.title(), chosen["email"], Address("1 Office Park"), None, chosen["timezone"],
               frozenset(range(5)), time(9), time(17))  # fmt: skip


@pytest.fixture
def clock() -> list[datetime]:
    return [EVENING]


@pytest.fixture
def house(tmp_path: Path, clock: list[datetime]) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/fieldvisit.sqlite"
    store = open_store(url, clock=lambda: clock[0])
    settings = Settings(home=tmp_path, database_url=url, web=WebSettings(public_url="https://visits.example.com"))
    house = House(tmp_path, store, settings)
    house.know(rep("anna"), rep("ben"), rep("cleo"))
    with store.write(audited=False) as unit:
        contact = {"contact_name": "Kim Lee", "contact_phone": "+44 1633 12"}
        unit.records("town").save(Account("A1", "Mill", Address("1 Bridge Street"), owner_rep_id="anna", **contact))  # type: ignore[arg-type]
    house.publish(
        rep_day("anna", MONDAY, "Today"), rep_day("anna", TUESDAY, "Mill", "Bakery"), rep_day("anna", FRIDAY, "Late"),
        rep_day("ben", TUESDAY, "Pub"), rep_day("cleo", TUESDAY),
    )  # fmt: skip
    yield house
    store.close()


def test_each_rep_is_sent_the_next_working_day_in_plain_text(house: House, post: Post) -> None:
    with serving(post) as port:
        assert house.at(port).send() == 2
    assert [to for to, _ in post.mails] == ["anna@example.com", "ben@example.com"]
    mail = post.mails[0][1]
    assert mail["Subject"] == "Tuesday 1 December 2026: 2 visits, leave at 08:00"
    assert mail["From"] == "visits@example.com"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    for words in ("leave at 08:00 from 1 Office Park", "1. 09:00–09:30  Mill", "Contact: Kim Lee, +44 1633 12",
                  "Driving 1 h 10, 31 km", "https://visits.example.com/field/town/#/day/2026-12-01"):  # fmt: skip
        assert words in text, words
    assert "Pub" not in text
    assert "Late" not in text


def test_a_mail_is_sent_once_and_the_audit_log_has_it(house: House, post: Post) -> None:
    with serving(post) as port:
        here = house.at(port)
        assert [here.send(EVENING + timedelta(minutes=5 * n)) for n in range(4)] == [2, 0, 0, 0]
    assert len(post.mails) == 2
    assert {(row.rep_id, row.day, row.state) for row in house.rows()} == {
        ("anna", TUESDAY, MailState.SENT),
        ("ben", TUESDAY, MailState.SENT),
    }
    with house.store.read() as unit:
        sent = [entry.subject for entry in unit.audit_log.entries() if entry.action == "mail.sent"]
    assert sent == ["anna 2026-12-01", "ben 2026-12-01"]


def test_many_who_look_at_once_send_each_mail_once(house: House, post: Post) -> None:
    with serving(post) as port:
        here = house.at(port)
        threads = [threading.Thread(target=here.send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(to for to, _ in post.mails) == ["anna@example.com", "ben@example.com"]


@pytest.mark.parametrize(
    ("zone", "hour", "sent"),
    [("Europe/London", 17, 0), ("Europe/London", 18, 1), ("Europe/London", 23, 1), ("Europe/Helsinki", 16, 1),
     ("America/Los_Angeles", 23, 0)],
)  # fmt: skip
def test_it_is_sent_from_the_evening_s_hour_to_midnight_by_the_rep_s_clock(
    house: House, post: Post, zone: str, hour: int, sent: int
) -> None:
    house.know(rep("anna", timezone=zone), rep("ben", email=""))
    with serving(post) as port:
        assert house.at(port).send(EVENING.replace(hour=hour, minute=0)) == sent


def test_after_midnight_it_is_too_late(house: House, post: Post) -> None:
    with serving(post) as port:
        assert house.at(port).send(datetime(2026, 12, 1, 0, 1, tzinfo=UTC)) == 0


def test_on_friday_the_monday_is_told_and_what_is_weeks_ahead_is_not(house: House, post: Post) -> None:
    with serving(post) as port:
        here = house.at(port)
        assert here.send(datetime(2026, 11, 25, 19, tzinfo=UTC)) == 0
        assert here.send(datetime(2026, 11, 27, 19, tzinfo=UTC)) == 2
    assert [mail["Subject"].partition(":")[0] for _, mail in post.mails] == [
        "Monday 30 November 2026",  # Anna's; Ben's next working day is the one after it
        "Tuesday 1 December 2026",
    ]


def test_nothing_is_sent_where_no_server_is_named(house: House) -> None:
    upkeep = Upkeep(house.store, lambda: ["town"], house.settings)
    upkeep(EVENING)
    assert house.rows() == []


# --- when it does not go well


def test_a_server_that_is_away_is_tried_again_and_the_doctor_says_so(house: House, post: Post) -> None:
    here = house.at(free_port())
    assert here.send() == 0
    assert {row.state for row in here.rows()} == {MailState.FAILED}
    told = [found for found in findings(here.settings, lambda: EVENING, {}) if found.about == "mail" and found.advice]
    assert "rep anna was not sent 2026-12-01" in "".join(found.text for found in told)
    with serving(post) as port:
        assert house.at(port).send(EVENING + timedelta(hours=1)) == 2
    assert {row.problem for row in house.rows()} == {""}


def test_an_address_that_the_server_refuses_is_not_tried_again_and_others_are_sent(house: House, post: Post) -> None:
    house.know(rep("anna", email="nobody"))
    with serving(post) as port:
        here = house.at(port)
        assert here.send() == 1
        post.answers["RCPT"] = "550 no such user here"
        house.know(rep("ben", email="gone@example.com"))
        house.publish(rep_day("ben", FRIDAY, "Pub"))
        assert here.send(datetime(2026, 12, 3, 19, tzinfo=UTC)) == 0
        post.answers.clear()
        assert here.send(datetime(2026, 12, 3, 20, tzinfo=UTC)) == 0
    problems = {row.rep_id: row.problem for row in house.rows() if row.state is MailState.REFUSED}
    assert "is no e-mail address" in problems["anna"]
    assert "550 no such user here" in problems["ben"]


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_a_server_that_is_busy_is_tried_again(house: House, post: Post, step: str) -> None:
    with serving(post) as port:
        here = house.at(port)
        post.answers[step] = "451 try again later"
        assert here.send() == 0
        assert {row.problem for row in here.rows()} == {"the mail server says: 451 try again later"}
        post.answers.clear()
        assert here.send() == 2
    assert len(post.mails) == 2


def test_a_connection_that_breaks_after_the_mail_was_given_is_never_a_second_mail(house: House, post: Post) -> None:
    def hang_up(server: SMTP) -> None:
        assert server.transport is not None
        server.transport.close()

    post.on_data = hang_up
    house.know(rep("ben", email=""))
    with serving(post) as port:
        here = house.at(port)
        assert here.send() == 0
        post.on_data = lambda server: None
        assert here.send(EVENING + timedelta(hours=1)) == 0
    assert len(post.mails) == 1
    assert [(row.state, row.problem) for row in house.rows()] == [(MailState.HANDED_OVER, handing_over.UNKNOWN)]


def test_whoever_dies_over_a_claim_is_taken_over_from(house: House, post: Post, clock: list[datetime]) -> None:
    with house.store.write(SYSTEM, audited=False) as unit:
        for name in ("anna", "ben"):
            unit.sent_mails.put(SentMail("town", name, TUESDAY, MailState.CLAIMED, EVENING))
    with serving(post) as port:
        here = house.at(port)
        assert here.send() == 0
        clock[0] += timedelta(minutes=11)
        assert here.send(clock[0]) == 2


def test_whoever_wakes_when_another_has_taken_the_mail_over_sends_nothing_and_writes_nothing(
    house: House, post: Post, clock: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.know(rep("ben", email=""))
    slept = list[bool]()
    with serving(post) as port:
        here = house.at(port)

        def falling_asleep(*args: Any) -> EmailMessage:
            if not slept:
                slept.append(True)
                clock[0] += timedelta(minutes=11)
                assert here.send(clock[0]) == 1
            return compose(*args)

        monkeypatch.setattr(evening, "compose", falling_asleep)
        assert here.send() == 0
        assert [row.state for row in here.rows()] == [MailState.SENT]
        assert here.send(clock[0] + timedelta(hours=1)) == 0
    assert len(post.mails) == 1


def test_the_day_of_one_rep_that_cannot_be_told_keeps_nobody_else_waiting(
    house: House, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = evening.sheet_of

    def not_of_anna(store: SqlStore, area: str, rep_id: str, day: date) -> DaySheet | None:
        if rep_id == "anna":
            raise ValueError("who is that?")
        return told(store, area, rep_id, day)

    monkeypatch.setattr(evening, "sheet_of", not_of_anna)
    with serving(post) as port:
        assert house.at(port).send() == 1
    assert {row.rep_id: (row.state, row.problem) for row in house.rows()} == {
        "anna": (MailState.FAILED, "who is that?"),
        "ben": (MailState.SENT, ""),
    }


def test_a_server_that_hangs_does_not_keep_the_dispatcher(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = house.at(silent.getsockname()[1])
        upkeep = Upkeep(here.store, lambda: ["town"], here.settings)
        upkeep(EVENING)  # it would hang here
        connection, _ = silent.accept()
        assert upkeep.mailing.busy
        connection.close()
        upkeep.mailing.wait()
    assert {row.state for row in here.rows()} == {MailState.FAILED}


def test_a_server_that_does_not_answer_in_time_is_given_up(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = house.at(silent.getsockname()[1])
        with pytest.raises(MailError, match="does not answer in time"), sending.connected(here.settings, step_s=0.05):
            pass


# --- TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an authority that nobody knows, for localhost."""
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run([sys.executable, MAKE_CERTIFICATES, folder / "tls"], check=True, capture_output=True)
    return folder / "tls"


def server_side(certificates: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "dask.pem", certificates / "dask.key")
    return context


def believing(house: House, certificates: Path) -> House:
    rules = OutgoingRules(ca_file=str(certificates / "ca.pem"))
    return replace(house, settings=replace(house.settings, outgoing=rules, smtp_password="herons"))


def test_mail_goes_by_starttls_with_user_and_password(house: House, post: Post, certificates: Path) -> None:
    options = {"tls_context": server_side(certificates), "authenticator": post.may_come_in, "auth_required": True}
    with serving(post, **options) as port:
        here = believing(house, certificates).at(port, security="starttls", user="visits")
        assert here.send() == 2
    assert post.logins == [("visits", "herons")]


def test_mail_goes_by_tls(house: House, post: Post, certificates: Path) -> None:
    with serving(post, ssl_context=server_side(certificates)) as port:
        assert believing(house, certificates).at(port, security="tls").send() == 2


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_no_mail_and_no_password(
    house: House, post: Post, certificates: Path, security: str
) -> None:
    context = server_side(certificates)
    how: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    with serving(post, authenticator=post.may_come_in, **how) as port:
        here = house.at(port, security=security, user="visits")
        assert replace(here, settings=replace(here.settings, smtp_password="herons")).send() == 0
    assert "certificate verify failed" in here.rows()[0].problem
    assert (post.mails, post.logins) == ([], [])


def test_a_server_that_cannot_do_starttls_gets_no_mail(house: House, post: Post) -> None:
    with serving(post) as port:
        here = house.at(port, security="starttls")
        assert here.send() == 0
    assert "STARTTLS" in here.rows()[0].problem


def test_a_wrong_password_is_told_without_it(house: House, post: Post, certificates: Path) -> None:
    with serving(post, tls_context=server_side(certificates), authenticator=post.may_come_in) as port:
        here = believing(house, certificates).at(port, security="starttls", user="visits")
        here = replace(here, settings=replace(here.settings, smtp_password="cranes"))
        here.send()
        told = [found.text for found in findings(here.settings, lambda: EVENING, {}, mail_server=True)]
    assert any("user and password are not accepted" in text for text in told)
    assert not any("cranes" in text for text in told)


# --- the text


def sheet(house: House) -> DaySheet:
    found = sheet_of(house.store, "town", "anna", TUESDAY)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["Mill\r\nBcc: evil@example.com", "Mill\nSubject: x", "x" * 5000, "\x1b[31m", "ß🦀"])
def test_no_name_writes_a_header_or_a_paragraph(house: House, name: str) -> None:
    before = sheet(house)

    def read(text: str) -> Any:
        named = replace(before, rep_name=text, note=text, stops=(replace(before.stops[0], name=text, why=text),))
        mail = compose(evening_template(house.folder), named, "anna@example.com", house.at(25).settings, EVENING)
        return message_from_bytes(mail.as_bytes(), policy=default)

    assert read(name).keys() == read("Mill").keys()
    assert len(read(name).get_content().splitlines()) == len(read("Mill").get_content().splitlines())


def test_an_installation_writes_its_own_template(house: House) -> None:
    (house.folder / "mail").mkdir()
    (house.folder / "mail" / "evening.txt").write_text("Subject: {{ rep_name }}\n\nSee {{ stops[0].name }}\n")
    mail = compose(evening_template(house.folder), sheet(house), "a@example.com", house.at(25).settings, EVENING)
    assert (mail["Subject"], mail.get_content()) == ("Anna", "See Mill\n")


@pytest.mark.parametrize(
    "text",
    ["Hello", "Subject: {{ nothing }}", "Subject: {% if %}", "Subject:\n\nx",
     "Subject: {{ stops.__class__.__mro__[1].__subclasses__() }}", "Subject: {{ 1 / 'x' }}"],
)  # fmt: skip
def test_a_template_that_is_none_sends_nothing_and_the_doctor_names_it(house: House, post: Post, text: str) -> None:
    (house.folder / "mail").mkdir()
    (house.folder / "mail" / "evening.txt").write_text(text)
    with serving(post) as port:
        here = house.at(port)
        assert here.send() == 0
    told = [found for found in findings(here.settings, lambda: EVENING, {}) if found.about == "mail"]
    assert any("evening.txt" in found.text and found.verdict == "bad" for found in told)


def test_a_day_has_the_same_name_whenever_it_is_sent(house: House) -> None:
    made = [
        compose(evening_template(house.folder), sheet(house), "a@example.com", house.at(25).settings, now)["Message-ID"]
        for now in (EVENING, EVENING + timedelta(hours=1))
    ]
    assert made[0] == made[1]


# --- by hand


def test_the_mail_is_looked_at_and_tried_by_command(house: House, post: Post) -> None:
    area = house.folder / "areas" / "town"
    area.mkdir(parents=True)
    (area / "area.json").write_text("{}")

    def run(*words: str) -> str:
        command = ["--home", str(house.folder), "mail", "--rep", "anna", "--day", "2026-12-01", *words]
        result = CliRunner().invoke(main, command, env={"FIELDVISIT_DATABASE_URL": ""})
        return f"{result.exit_code} {result.output}"

    with serving(post) as port:
        (house.folder / "settings.toml").write_text(
            f'[mail]\nhost = "localhost"\nport = {port}\nsecurity = "none"\nsender = "visits@example.com"\n'
        )
        assert "To: anna@example.com" in run()
        assert post.mails == []
        assert run("--send", "--to", "me@example.com") == "0 sent to me@example.com\n"
        assert [to for to, _ in post.mails] == ["me@example.com"]
    assert run("--rep", "cleo").startswith("1 Error: the published plan has no visits for Cleo")
    assert run("--send").startswith("1 Error: localhost")


def test_times_are_the_rep_s_own(house: House) -> None:
    house.publish(rep_day("anna", TUESDAY, "Mill", zone="Europe/Helsinki"))
    assert sheet(house).zone == ZoneInfo("Europe/Helsinki")
    mail = compose(evening_template(house.folder), sheet(house), "a@example.com", house.at(25).settings, EVENING)
    assert "leave at 10:00" in mail["Subject"]
