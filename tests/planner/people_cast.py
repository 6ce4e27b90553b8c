"""The cast of everything about logging in: an office of five, each with the password PASSWORD.

Ada administers, Max manages, Iris sells inside, Anna and Ben drive; Max's team is Anna. It is Monday morning until
somebody says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from planner.access import Role
from planner.people.accounts import NewUser, add_user, find_by_email
from planner.people.domain import User
from planner.people.keys import Keys
from planner.people.logging_in import LoggedIn, NeedsSecondFactor, Refused, Visitor, log_in
from planner.people.passwords import hash_password
from planner.settings import LoginSettings
from planner.storage import SqlStore

PASSWORD = "tall trees walk home"
MONDAY_9 = datetime(2026, 11, 30, 9, tzinfo=UTC)
PEOPLE = {
    "ada": NewUser("ada@example.com", "Ada", Role.ADMIN),
    "max": NewUser("max@example.com", "Max", Role.MANAGER, "town", frozenset({"R1"})),
    "iris": NewUser("iris@example.com", "Iris", Role.INSIDE_REP, "town"),
    "anna": NewUser("anna@example.com", "Anna", Role.FIELD_REP, "town", frozenset({"R1"})),
    "ben": NewUser("ben@example.com", "Ben", Role.FIELD_REP, "town", frozenset({"R2"})),
}


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


@dataclass
class Office:
    """A store with whoever was asked in, and a clock."""

    store: SqlStore
    keys: Keys = field(default_factory=lambda: Keys(bytes(range(32))))
    login: LoginSettings = field(default_factory=LoginSettings)
    now: datetime = MONDAY_9

    def add(self, *names: str) -> User:
        """Add people of the cast; the last one."""
        with self.store.write() as unit:
            for name in names:
                user = add_user(unit, PEOPLE[name], self.now, f"id-{name}", _hash())
        return user

    def user(self, name: str) -> User:
        with self.store.read() as unit:
            found = find_by_email(unit, PEOPLE[name].email)
        assert found
        return found

    def later(self, **times: float) -> datetime:
        self.now += timedelta(**times)
        return self.now

    def tries(
        self, name: str, password: str = PASSWORD, *, address: str = "192.0.2.1", device: str = "", code: str = ""
    ) -> LoggedIn | NeedsSecondFactor | Refused:
        """Somebody tries to log in as one of the cast, or by any e-mail address."""
        email = PEOPLE[name].email if name in PEOPLE else name
        visitor = Visitor(address, "Firefox", device)
        return log_in(self.store, self.keys, self.login, email, password, visitor, self.now, code)

    def logs_in(self, name: str, **how: str) -> LoggedIn:
        done = self.tries(name, **how)
        assert isinstance(done, LoggedIn), done
        return done

    def audited(self) -> list[str]:
        """What was done, as the auditor reads it."""
        with self.store.read() as unit:
            return [entry.action for entry in unit.audit_log.entries()]

    def everything_audited(self) -> str:
        with self.store.read() as unit:
            return "\n".join(f"{entry.subject} {entry.details}" for entry in unit.audit_log.entries())
