"""The rows that logging in is made of. No secret is stored in a form that would let its reader log in.

None is in a repr either, which may end in a log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from planner.access import Permission, Role, Scope


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in.

    Attributes:
        id: random and never reused.
        email: what they log in with, in lower case; matches `Opportunity.inside_rep` of an inside rep's handoffs.
        area: the one area they work in; None for every area (managers and admins only).
        reps: of a field rep the one rep that they are; of a manager the team; None for everybody.
        password_hash: Argon2id; empty where they log in by single sign-on only, or have been invited.
        totp_secret: encrypted with the installation's key; empty without a second factor.
        totp_step: the last time step that was accepted: a code works once.
        recovery_hashes: of the one-time codes that are left.
        epoch: goes up with every change that ends the sessions: role, scope, password, disabling.
        invitation_hash: of the link that lets its holder choose a password until `invitation_until`; empty for none.
        sign_on: who they are to the identity provider, as "issuer subject"; None before they first came that way.
    """

    id: str
    email: str
    name: str
    role: Role
    area: str | None
    reps: frozenset[str] | None
    password_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)
    totp_step: int
    recovery_hashes: tuple[str, ...] = field(repr=False)
    disabled: bool
    epoch: int
    created_at: datetime
    invitation_hash: str = field(default="", repr=False)
    invitation_until: datetime | None = None
    sign_on: str | None = None

    @property
    def scope(self) -> Scope:
        """Whose rows they see."""
        if self.role is Role.INSIDE_REP:
            return Scope(self.area, frozenset(), unassigned=False, inside_rep=self.email, drafts=False)
        if self.role is Role.FIELD_REP:
            return Scope(self.area, self.reps or frozenset(), unassigned=False, drafts=False)
        return Scope(area=self.area, reps=self.reps)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in. `id` is the hash of what its cookie holds; `csrf` is what its forms carry."""

    id: str
    user_id: str
    epoch: int
    csrf: str = field(repr=False)
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What a program logs in with; it may do what its owner may do, and of that only its permissions."""

    id: str
    user_id: str
    name: str
    token_hash: str = field(repr=False)
    permissions: frozenset[Permission]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failed log-ins of one `key`, which names an account or a network address."""

    key: str
    failures: int
    last_at: datetime
    blocked_until: datetime | None
