"""The one door to other hosts: only those that the admin lists, at addresses that were checked, without redirects.

A server that asks addresses which others may influence can be made to ask its own network (server-side request
forgery). So the name must be on the list, every address it resolves to must be a public one, the connection goes to
exactly the address that was checked (a name that resolves differently a moment later gains nothing), and the
certificate is checked for the name as ever.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from routing.errors import OutgoingError

CONNECT_S = 5.0
READ_S = 10.0
ANSWER_S = 30.0
"""A whole answer takes no longer, however steadily it drips."""

MOST_BYTES = 8_000_000
"""Of an answer, unpacked. Street routes and lists of places are far below it."""

HOST = re.compile(r"(?:[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")

METADATA = frozenset(map(ip_address, ("169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds hand out a machine's credentials; nobody means these."""

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_NEVER = tuple(
    # Link-local and reserved, and what some releases of Python take for public.
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"),
        *("::/128", "fe80::/10", "fec0::/10", "64:ff9b:1::/48", "2001::/23", "3fff::/20", "5f00::/16"),
    )
)

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class OutgoingRules:
    """The hosts that this program may call; none by default.

    Attributes:
        hosts: names such as "nominatim.example.org", by https on port 443; with another port, "name:8443".
        private_hosts: names that may also be in the company's own network, and be called by plain http.
        ca_file: certificate authorities to believe in place of the usual ones, as a PEM file.

    Raises:
        ValueError: an entry is no host name.
    """

    hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    ca_file: str = ""

    def __post_init__(self) -> None:
        for setting in ("hosts", "private_hosts"):
            for entry in getattr(self, setting):
                if not HOST.fullmatch(entry.lower()):
                    raise ValueError(f"{setting} names {entry!r}, which is no host name such as maps.example.org")

    def refusal(self, url: str) -> str:
        """Why a URL may not be called, before its host is looked up; empty where it may."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return "it is no address of a host"
        if not host or parts.scheme not in ("http", "https"):
            return "it is no address of a host"
        if "@" in parts.netloc:
            return "it carries a user name"
        listed = f"[{host}]" if ":" in host else host
        usual = {"https": 443, "http": 80}[parts.scheme]
        entry = listed if port in (None, usual) else f"{listed}:{port}"
        if self._holds(self.private_hosts, entry):
            return ""
        if not self._holds(self.hosts, entry):
            return f"{entry!r} is not in hosts or private_hosts of [outgoing] in settings.toml"
        return "" if parts.scheme == "https" else f"{entry!r} is in hosts of [outgoing], which are called by https only"

    def checked(self, host: str, port: int, found: list[str]) -> list[str]:
        """The addresses that a name resolved to, if the name is listed and every one of them may be called.

        Raises:
            OutgoingError: it is not so.
        """
        host = host.strip("[]").rstrip(".").lower()
        listed = f"[{host}]" if ":" in host else host
        entries = {f"{listed}:{port}", *([listed] if port in (80, 443) else [])}
        private = any(self._holds(self.private_hosts, entry) for entry in entries)
        if not private and not any(self._holds(self.hosts, entry) for entry in entries):
            raise OutgoingError(f"{host}, port {port}, is not in [outgoing] in settings.toml")
        for text in found:
            if not may_be_called(ip_address(text.partition("%")[0]), private):
                raise OutgoingError(
                    f"{host} is at {text}, which is not called"
                    + ("" if private else "; a host in your own network goes into private_hosts of [outgoing]")
                )
        return found

    @staticmethod
    def _holds(entries: tuple[str, ...], entry: str) -> bool:
        return entry.lower() in {known.lower().removesuffix(":443") for known in entries}


def may_be_called(address: Address, private: bool) -> bool:
    """Whether an address is a public one; of a private host, also loopback and the company's network."""
    inner = _carried(address)
    if inner is not None:
        return may_be_called(inner, private)
    if address in METADATA or address.is_multicast or any(address in network for network in _NEVER):
        return False
    return private or (address.is_global and not address.is_reserved)


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4 or NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def guarded_session(
    rules: OutgoingRules, *, resolve: Resolve | None = None, most_bytes: int = MOST_BYTES
) -> requests.Session:
    """A session for calls to other hosts. What the rules forbid raises OutgoingError; so does a redirect.

    Nothing of the environment is used (proxies, .netrc), no cookie is kept, every call has a time limit, and answers
    are read whole, up to `most_bytes`.

    Args:
        rules: whom it may call.
        resolve: name and port to addresses, as texts; the machine's resolver if left out.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "fieldvisit"
    session.adapters.clear()
    session.mount("https://", _GuardedAdapter(rules, resolve or _resolved, most_bytes))
    session.mount("http://", session.adapters["https://"])
    return session


def _resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _GuardedAdapter(HTTPAdapter):
    """Lets a request out if the rules do, and its answer in if it is no redirect and not too large."""

    def __init__(self, rules: OutgoingRules, resolve: Resolve, most_bytes: int) -> None:
        self._rules = rules
        self._resolve = resolve
        self._most_bytes = most_bytes
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        guard = {"rules": self._rules, "resolve": self._resolve}
        plain = type("GuardedHTTPConnection", (_Guarded, HTTPConnection), guard)
        secure = type("GuardedHTTPSConnection", (_Guarded, HTTPSConnection), guard)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("GuardedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("GuardedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        refusal = self._rules.refusal(request.url or "")
        if refusal:
            raise OutgoingError(f"{_shown(request.url)} is not called: {refusal}")
        deadline = time.monotonic() + ANSWER_S
        # Whatever the caller says about certificates and proxies, the rules stand.
        response = super().send(request, True, timeout or (CONNECT_S, READ_S), self._rules.ca_file or True, None, None)
        try:
            if response.is_redirect:
                raise OutgoingError(f"{_shown(request.url)} sends elsewhere, which is not followed")
            response._content = self._body(response, deadline)
        finally:
            response.close()
        return response

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        while piece := self._arrived(response):
            body += piece
            if len(body) > self._most_bytes:
                raise OutgoingError(f"{_shown(response.url)} answers more than {self._most_bytes:,} bytes")
            if time.monotonic() > deadline:
                raise OutgoingError(f"{_shown(response.url)} takes more than {ANSWER_S:.0f} seconds to answer")
        return bytes(body)

    @staticmethod
    def _arrived(response: requests.Response) -> bytes:
        """What has come since: whoever waits for whole pieces does not look at the deadline for hours."""
        try:
            return bytes(response.raw.read1(16_384, decode_content=True))
        except HTTPError as error:
            raise requests.ConnectionError(f"{_shown(response.url)} broke off: {error}") from error


class _Guarded:
    """A connection of urllib3 that opens its socket to an address that was checked."""

    rules: OutgoingRules
    resolve: Resolve

    def _new_conn(self: Any) -> socket.socket:
        try:
            found = type(self).resolve(self.host, self.port)
        except OSError as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        problem: OSError = OSError("the name has no address")
        for address in self.rules.checked(self.host, self.port, found):
            try:
                opened = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                problem = error
                continue
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return opened
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, f"{self.host} does not answer") from problem
        raise NewConnectionError(self, f"{self.host} cannot be reached: {problem}") from problem


def _shown(url: str | None) -> str:
    """A URL without what may be secret in it: only scheme, host and path."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
