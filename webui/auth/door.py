"""What letting people in takes; one for each app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from planner.people.keys import Keys
from planner.repository import Store
from planner.settings import LoginSettings


@dataclass(frozen=True, slots=True)
class Door:
    """Where people are known from, by which rules they are let in, and what time it is.

    `sign_on_label` is what the login page calls single sign-on; empty where there is none.
    """

    store: Store
    login: LoginSettings
    keys: Keys
    clock: Callable[[], datetime]
    sign_on_label: str = ""


def door() -> Door:
    """The door of the present app."""
    found: Door = current_app.extensions["door"]
    return found
