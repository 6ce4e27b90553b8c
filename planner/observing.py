"""Logs: one JSON line an event for machines, plain lines for people; whole lines only, and no secrets in either.

What is logged is decided where it happens, with `extra={"fields": {...}}` for what machines read. This room is the
second fence: whatever looks like a secret is taken out of every line, and no text can start a line of its own.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

FORMAT_VARIABLE = "FIELDVISIT_LOG"
"""Set to "json" for JSON lines; `serve --production` sets it for itself and its dispatcher."""

PACKAGES = ("planner", "routing", "webui")

HIDDEN = "[hidden]"

_NAMES = (
    "password|passwd|secret|token|code|csrf|cookie|authorization|api_key|apikey|session|signature|state|nonce|"
    "verifier|assertion|fieldvisit_key"
)
_SECRETS = tuple(
    (re.compile(pattern, re.IGNORECASE if fold else 0), shown)
    for pattern, shown, fold in (
        # Of a header named Cookie or Authorization all that follows; of other names the value.
        (r"\b((?:set-)?cookie|authorization)(['\"]?\s*[:=]\s*)[^\r\n]+", rf"\1\2{HIDDEN}", True),
        (r"\b(Bearer|Basic|Digest)\s+[A-Za-z0-9+/=._~-]{6,}", rf"\1 {HIDDEN}", True),
        (
            rf"([\w-]*(?:{_NAMES})[\w-]*)(['\"]?\s*(?:[=:]|%3D)\s*)(?:\"[^\"]*\"|'[^']*'|[^\s&;,)}}\]]+)",
            rf"\1\2{HIDDEN}",
            True,
        ),
        (r"(\w+://)[^\s/@:]*:[^\s/@]*@", rf"\1{HIDDEN}@", False),
        (r"/(invitation|feeds)/[^\s\"'?]+", rf"/\1/{HIDDEN}", False),
        (r"\bfv_[0-9a-f]{20}_[A-Za-z0-9_-]+", HIDDEN, False),
        (r"\bgAAAA[A-Za-z0-9_-]{60,}=*", HIDDEN, False),
        (r"\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", HIDDEN, False),
        (r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}=?(?![A-Za-z0-9_=-])", HIDDEN, False),
        (r"\b[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){3,}\b", HIDDEN, False),
        (r"\$argon2[^\s\"']+", HIDDEN, False),
    )
)
"""What secrets look like here: headers, named values, passwords in URLs, and everything that people/fresh.py draws."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def without_secrets(text: str) -> str:
    """The text with everything that looks like a secret hidden."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def on_one_line(text: str) -> str:
    """The text with line ends, escape sequences and marks that turn its direction written out."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class JsonLines(logging.Formatter):
    """One JSON object a line, in ASCII: at, level, logger, event, and what the event has of its own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": without_secrets(record.getMessage()),
            "process": record.process,
        }
        for name, value in _fields(record).items():
            line.setdefault(name, without_secrets(value) if isinstance(value, str) else value)
        if record.exc_info:
            line["trace"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, default=lambda value: without_secrets(str(value)))


class PlainLines(logging.Formatter):
    """For people: the time, what happened, and its fields; a traceback stays on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        shown = " ".join(f"{name}={value}" for name, value in _fields(record).items() if value not in ("", None))
        level = "" if record.levelno <= logging.INFO else f"{record.levelname} "
        text = f"{_moment(record).astimezone():%H:%M:%S} {level}{record.getMessage()} {shown}".rstrip()
        lines = [on_one_line(without_secrets(text))]
        if record.exc_info:
            trace = without_secrets(self.formatException(record.exc_info))
            lines += ["  " + on_one_line(line) for line in trace.splitlines()]
        return "\n".join(lines)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    found = getattr(record, "fields", {})
    return found if isinstance(found, Mapping) else {}


def logs_json(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether logs are for machines."""
    return environment.get(FORMAT_VARIABLE) == "json"


def set_up_logging(json_lines: bool | None = None, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to stderr, in the form that FIELDVISIT_LOG names if not said."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if (logs_json() if json_lines is None else json_lines) else PlainLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for package in PACKAGES:
        logging.getLogger(package).setLevel(logging.INFO)
    logging.captureWarnings(True)
