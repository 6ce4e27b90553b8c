"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what is so, and what to do about it where it is not good."""

    about: str
    verdict: Verdict
    text: str
    advice: str = ""


def good(about: str, text: str) -> Finding:
    return Finding(about, Verdict.GOOD, text)


def doubtful(about: str, text: str, advice: str) -> Finding:
    return Finding(about, Verdict.DOUBTFUL, text, advice)


def bad(about: str, text: str, advice: str) -> Finding:
    return Finding(about, Verdict.BAD, text, advice)
