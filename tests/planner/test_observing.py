"""Logs hold no secrets, and no text of a visitor's starts a line of its own."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from planner.observing import HIDDEN, on_one_line, set_up_logging, without_secrets

SECRET = "Zk3-x_Yw8bQ1mN5pR7tV9uA2cE4gH6jK0lM3nP5qS7t"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"{{'Authorization': 'Basic {SECRET}'}}",
        f"Cookie: theme=dark; fieldvisit={SECRET}; more={SECRET}",
        f"Set-Cookie: __Host-fieldvisit={SECRET}; Secure",
        f"GET /setup?code={SECRET}&x=1",
        f"GET /login/callback?code={SECRET}&state={SECRET}",
        f"GET /login/callback%3Fcode%3D{SECRET}",
        f"password={SECRET}",
        f'{{"new_password": "two words {SECRET}"}}',
        f"client_secret: {SECRET}",
        f"csrf_token='{SECRET}'",
        f"/invitation/{SECRET}",
        f"fv_0123456789abcdef0123_{SECRET}",
        f"the token was {SECRET}.",
        f"postgresql+psycopg://fieldvisit:{SECRET}@db/fieldvisit",
        f"FIELDVISIT_KEY={SECRET}",
        f"$argon2id$v=19$m=65536,t=3,p=4${SECRET}",
        f"eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    assert SECRET not in without_secrets(text)
    assert HIDDEN in without_secrets(text)


@pytest.mark.parametrize("code", ["K7QM2-FPX3W-DAHTC-ABCDE", "7KQM-2FPX-9WDA-HTC4"])
def test_codes_for_the_first_admin_and_for_a_lost_telephone_are_hidden(code: str) -> None:
    assert without_secrets(f"typed {code} twice") == f"typed {HIDDEN} twice"


@pytest.mark.parametrize(
    "text",
    [
        "job 0123456789abcdef0123 of newport is done: plan 12, 40 visits",
        "POST /a/<area>/plan 303",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "cannot reach the Dask scheduler at tls://scheduler:8786",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_helps_to_find_an_error_stays(text: str) -> None:
    assert without_secrets(text) == text


HOSTILE = 'ann\r\n{"level": "info"}\x1b[2J\u2028\u202e\x85end'


@pytest.mark.parametrize("json_lines", [True, False])
def test_a_text_cannot_start_a_line_or_steer_a_terminal(json_lines: bool) -> None:
    out = io.StringIO()
    set_up_logging(json_lines, out)
    logging.getLogger("webui.tests").warning("said %s", HOSTILE, extra={"fields": {"name": HOSTILE}})
    assert out.getvalue().count("\n") == 1
    assert not any(mark in out.getvalue()[:-1] for mark in "\r\n\x1b\u2028\u202e\x85")


def test_a_line_for_machines_is_one_json_object_with_its_fields_and_its_trace() -> None:
    out = io.StringIO()
    set_up_logging(True, out)
    try:
        raise ValueError(f"token={SECRET}\nand more")
    except ValueError:
        logging.getLogger("planner.tests").exception("it broke", extra={"fields": {"ms": 1.5, "level": "mine"}})
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["logger"], line["ms"]) == ("it broke", "error", "planner.tests", 1.5)
    assert line["at"].endswith("+00:00")
    assert "ValueError" in line["trace"]
    assert SECRET not in out.getvalue()


def test_for_people_a_trace_stays_on_lines_of_its_own_and_is_indented() -> None:
    out = io.StringIO()
    set_up_logging(False, out)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("planner.tests").exception("it broke")
    first, *rest = out.getvalue().splitlines()
    assert first.endswith("ERROR it broke")
    assert all(line.startswith("  ") for line in rest)


def test_our_own_news_are_logged_and_other_libraries_only_when_they_warn() -> None:
    out = io.StringIO()
    set_up_logging(False, out)
    logging.getLogger("planner.jobs").info("ours")
    logging.getLogger("urllib3").info("theirs")
    assert "ours" in out.getvalue()
    assert "theirs" not in out.getvalue()


def test_marks_that_steer_a_terminal_are_written_out() -> None:
    assert on_one_line("a\x1b[31m\nb") == "a\\u001b[31m\\u000ab"
