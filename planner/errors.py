"""Every error that this package raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence


class PlannerError(Exception):
    """Base of all errors of the planner package; the message is fit to show a person."""


class InvalidRecordError(PlannerError):
    """A value that makes no sense; `field` is the column it came from."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class SettingsError(PlannerError):
    """A setting that is missing, unknown or out of range."""


class IntakeError(PlannerError):
    """A file that cannot be read as a table at all; nothing of it was imported."""


class StorageError(PlannerError):
    """The database is missing, newer than this program, or refused a write."""


class StorageUnavailableError(StorageError):
    """The database cannot do it just now: its disk is full or read-only, its server is away, or a writer holds it for
    too long. Nothing was written; what only reads may still work, and trying again later may help."""


class NotFoundError(PlannerError):
    """A plan, record or area that does not exist."""


class RefusedError(PlannerError):
    """A request that is beyond what may be asked for; nothing was written."""


class RulesBrokenError(PlannerError):
    """A plan that breaks a hard rule; it was not stored."""


class PromiseBrokenError(PlannerError):
    """A plan in which a promise to a customer cannot be kept; it was neither stored nor published. `broken` names each
    promise with its customer, window and rep, and what stands in its way; `held` the times that somebody holds and
    that it has no room for. Where nothing but holds is in its way, `broken` is empty: waiting helps."""

    def __init__(self, what: str, broken: Sequence[str], held: Sequence[str] = ()) -> None:
        super().__init__(f"{what}: {'; '.join([*broken, *held])}")
        self.broken = tuple(broken)
        self.held = tuple(held)


class ConflictError(PlannerError):
    """What somebody wanted to change has been changed by somebody else since they looked; nothing was written."""


class SlotGoneError(ConflictError):
    """A time of a rep's that somebody wanted to hold or to promise is not free any more; nothing was written."""


class AccountError(PlannerError):
    """A change to the people who log in that is refused: the last admin would be gone, a link has expired, …"""


class BackupError(PlannerError):
    """A backup that is damaged, of a newer program, or no backup at all, or that would overwrite something."""


class MailError(PlannerError):
    """A mail that was not sent: the server cannot be reached, or does not let us in, or the template is no template."""


class MailRefusedError(MailError):
    """A mail that the server does not take, whenever it is asked: the address is none there."""
