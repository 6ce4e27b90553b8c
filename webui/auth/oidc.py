"""Single sign-on by OpenID Connect: the authorization code flow with PKCE, state and nonce.

What has to be remembered while somebody is at their provider is sealed in a cookie of ten minutes. The only room with
Authlib and joserfc.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.integrations.requests_client.oauth2_session import OAuth2ClientAuth
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from planner.people.fresh import new_secret
from planner.settings import OidcSettings
from routing.errors import OutgoingError
from webui.errors import SignOnBusyError, SignOnError

SCOPE = "openid email"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""Signatures that only the provider can make; "none" and those by a shared secret are not among them."""

LEEWAY_S = 60
READ_AGAIN = timedelta(hours=1)
"""The provider's description and keys; a key that is unknown is looked up sooner, but not at once again."""
READ_AGAIN_FOR_A_KEY = timedelta(minutes=1)
ASK_AGAIN = timedelta(seconds=10)
"""After the provider could not be asked; until then everybody hears the same at once."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the browser brings back from the provider, and what only we know of it."""

    state: str
    nonce: str
    verifier: str
    going: str

    def packed(self) -> str:
        return json.dumps([self.state, self.nonce, self.verifier, self.going])

    @staticmethod
    def unpacked(text: str) -> Kept:
        return Kept(*json.loads(text))


@dataclass(frozen=True, slots=True)
class Identity:
    """For whom the provider vouches."""

    issuer: str
    subject: str
    email: str
    email_verified: bool


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider says about itself, and its keys."""

    description: dict[str, Any]
    keys: KeySet
    read_at: datetime


class SignOn:
    """Asks one provider. Safe in several threads."""

    def __init__(
        self,
        settings: OidcSettings,
        secret: str,
        outgoing: Callable[[], requests.Session],
        clock: Callable[[], datetime],
    ) -> None:
        """
        Args:
            settings: of the installation.
            secret: of this client; empty for a public one.
            outgoing: opens a session that calls only hosts that are allowed.
            clock: tells the time, as an aware datetime.
        """
        self._issuer = settings.issuer.rstrip("/")
        self._client_id = settings.client_id
        self._secret = secret
        self._outgoing = outgoing
        self._clock = clock
        self._reading = threading.Lock()
        self._provider: _Provider | None = None
        self._failed: tuple[datetime, str] | None = None

    def begin(self, back: str, going: str) -> tuple[str, Kept]:
        """Where to send the browser, and what to keep until it is `back`. Raises SignOnError."""
        kept = Kept(state=new_secret(), nonce=new_secret(), verifier=new_secret(), going=going)
        with self._outgoing() as session:
            endpoint = self._known(session).description["authorization_endpoint"]
            address, _ = self._client(session, back).create_authorization_url(
                endpoint, state=kept.state, code_verifier=kept.verifier, nonce=kept.nonce
            )
        return str(address), kept

    def finish(self, kept: Kept, code: str, back: str) -> Identity:
        """Who came back with a code. Raises SignOnError."""
        with self._outgoing() as session:
            try:
                provider = self._known(session)
                token = self._client(session, back, provider).fetch_token(
                    provider.description["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=kept.verifier,
                )
                claims = self._claims(session, provider, token, kept.nonce)
            except (requests.RequestException, OutgoingError, OAuth2Error, JoseError, ValueError) as error:
                raise SignOnError(f"{type(error).__name__}: {error}") from error
        return Identity(
            issuer=self._issuer,
            subject=claims["sub"],
            email=claims["email"] if isinstance(claims.get("email"), str) else "",
            email_verified=claims.get("email_verified") is True,
        )

    def _client(self, session: requests.Session, back: str, provider: _Provider | None = None) -> OAuth2Client:
        methods = provider.description.get("token_endpoint_auth_methods_supported") if provider else None
        by_form = bool(self._secret) and isinstance(methods, list) and "client_secret_basic" not in methods
        client = OAuth2Client(
            session,
            client_id=self._client_id,
            client_secret=self._secret or None,
            token_endpoint_auth_method="client_secret_post" if by_form else None,
            scope=SCOPE,
            redirect_uri=back,
            code_challenge_method="S256",
        )
        client.client_auth_class = OAuth2ClientAuth  # the one that a session of requests takes
        return client

    def _claims(
        self, session: requests.Session, provider: _Provider, token: dict[str, Any], nonce: str
    ) -> dict[str, Any]:
        """What the ID token says, once its signature, issuer, audience, times and nonce are right."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise SignOnError("the provider sent no ID token")
        try:
            decoded = jwt.decode(text, provider.keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            decoded = jwt.decode(text, self._known(session, READ_AGAIN_FOR_A_KEY).keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": provider.description["issuer"]},
                "aud": {"essential": True, "value": self._client_id},
            },
            params={"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")},
        )
        claims.validate(int(self._clock().timestamp()), LEEWAY_S)
        return dict(claims)

    def _known(self, session: requests.Session, at_most: timedelta = READ_AGAIN) -> _Provider:
        """The provider as it was within this time.

        Nobody waits for somebody else's question, since a provider that hangs would hold a thread for each: meanwhile
        they get what was known before.

        Raises:
            SignOnBusyError: somebody is asking for the first time.
            SignOnError: the provider cannot be asked, or could not a moment ago.
        """
        now, known = self._clock(), self._provider
        if known is not None and now - known.read_at < at_most:
            return known
        if not self._reading.acquire(blocking=False):
            if known is None:
                raise SignOnBusyError(f"{self._issuer} is being asked, and has not answered yet")
            return known
        try:
            if self._failed is not None and now - self._failed[0] < ASK_AGAIN:
                raise SignOnError(self._failed[1])
            self._provider = found = self._read(session, now)
            return found
        except SignOnError as error:
            if self._failed is None or now - self._failed[0] >= ASK_AGAIN:
                # Counted from the end: the question itself may have taken longer than that.
                self._failed = self._clock(), str(error)
            raise
        finally:
            self._reading.release()

    def _read(self, session: requests.Session, now: datetime) -> _Provider:
        try:
            description = _json(session, f"{self._issuer}/.well-known/openid-configuration")
            if str(description.get("issuer", "")).rstrip("/") != self._issuer:
                raise SignOnError(f"{self._issuer} says that it is {description.get('issuer')!r}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(description.get(name), str):
                    raise SignOnError(f"{self._issuer} names no {name}")
            return _Provider(description, KeySet.import_key_set(_json(session, description["jwks_uri"])), now)
        except (requests.RequestException, OutgoingError, JoseError, ValueError, KeyError, TypeError) as error:
            raise SignOnError(f"{self._issuer} cannot be asked: {error}") from error


def _json(session: requests.Session, address: str) -> Any:
    answer = session.get(address)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{address} answers no JSON object")
    return found
