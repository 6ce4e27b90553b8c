"""How browsers reach us: under which name, by https or on this machine only, and what cookies are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response, current_app, request

from planner.settings import WebSettings

LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
"""What a browser on this machine may call us. Any other name is a page elsewhere that had its name point here."""

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Site:
    """The address that people type. `origin` is scheme, host and port, as https://visits.example.com; empty where the
    pages are served on this machine only, under any of its own names."""

    origin: str = ""

    @staticmethod
    def of(settings: WebSettings) -> Site:
        return Site(settings.public_url.rstrip("/").lower())

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.origin.startswith("https:")

    def answers_to(self, host: str) -> bool:
        """Whether the Host of a request is ours."""
        if not self.origin:
            return LOOPBACK.fullmatch(host) is not None
        url = urlsplit(self.origin)
        return host.lower().removesuffix(_DEFAULT_PORTS[url.scheme]) == url.netloc

    def is_ours(self, origin: str) -> bool:
        """Whether the Origin of a request is the site that the request came to."""
        return origin.lower() == self._origin_now()

    def absolute(self, path: str) -> str:
        """The whole address of a path, for a link that is sent to somebody."""
        return self._origin_now() + path

    def cookie_name(self, name: str) -> str:
        """Browsers keep a `__Host-` cookie to this one host, and take it by https only."""
        return f"__Host-{name}" if self.secure else name

    def cookie(self, name: str) -> str:
        """What the browser sent in a cookie of ours; empty for nothing."""
        return request.cookies.get(self.cookie_name(name), "")

    def set_cookie(
        self, response: Response, name: str, value: str, max_age: int | None = None, readable: bool = False
    ) -> None:
        """Ours alone, out of reach of scripts unless `readable`, and not sent along by forms of other sites."""
        response.set_cookie(
            self.cookie_name(name), value, max_age, secure=self.secure, httponly=not readable, samesite="Lax", path="/"
        )

    def drop_cookie(self, response: Response, name: str) -> None:
        response.delete_cookie(self.cookie_name(name), secure=self.secure, httponly=True, samesite="Lax", path="/")

    def _origin_now(self) -> str:
        return self.origin or f"{request.scheme}://{request.host}".lower()


def site() -> Site:
    """The site of the present app."""
    found: Site = current_app.extensions["site"]
    return found
