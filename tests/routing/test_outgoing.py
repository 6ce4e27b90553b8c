"""Calls to other hosts: only whom the admin lists, only at addresses that were checked, and nowhere else from there."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from routing import outgoing
from routing.errors import OutgoingError
from routing.outgoing import OutgoingRules, guarded_session, may_be_called

LISTED = OutgoingRules(
    hosts=("maps.example.org", "other.example.org:8443"), private_hosts=("maps.corp", "maps.corp:81")
)


class Handler(BaseHTTPRequestHandler):
    """Answers what its path says, and notes the Host header."""

    seen: list[str]
    over: threading.Event

    def do_GET(self) -> None:
        self.seen.append(self.headers["Host"])
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1/metadata")
            self.end_headers()
            return
        body = b"x" * (2_000 if self.path == "/large" else 20)
        self.send_response(200)
        self.send_header("Set-Cookie", "tracked=1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path == "/drip":
            self.wfile.write(body[:1])
            self.over.wait(10)
            return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server:
    """A server on a free loopback port."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.handler = type("NotingHandler", (Handler,), {"seen": [], "over": threading.Event()})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def plain() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def session(rules: OutgoingRules, *addresses: str, most_bytes: int = 1_000) -> requests.Session:
    return guarded_session(rules, resolve=lambda host, port: list(addresses), most_bytes=most_bytes)


def private(server: Server, ca_file: str = "") -> OutgoingRules:
    return OutgoingRules(private_hosts=(f"maps.corp:{server.port}",), ca_file=ca_file)


PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
INSIDE = [
    *("127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "198.18.0.1", "192.0.2.1"),
    *("::1", "fc00::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::10.0.0.1"),
    *("2002:a00:1::", "64:ff9b::a00:1"),
]
NOBODY = [
    *("0.0.0.0", "169.254.169.254", "169.254.1.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "100.100.100.200"),
    *(
        "::",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
    ),
    *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::1", "3fff::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address: str) -> None:
    assert may_be_called(ip_address(address), private=False)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_only_for_private_hosts(address: str) -> None:
    assert not may_be_called(ip_address(address), private=False)
    assert may_be_called(ip_address(address), private=True)


@pytest.mark.parametrize("address", NOBODY)
def test_the_machines_credentials_multicast_and_tunnels_are_for_nobody(address: str) -> None:
    assert not may_be_called(ip_address(address), private=False)
    assert not may_be_called(ip_address(address), private=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://maps.example.org/search?q=1",
        "https://MAPS.example.org:443/",
        "https://maps.example.org./",
        "https://other.example.org:8443/",
        "http://maps.corp/",
        "https://maps.corp/",
        "http://maps.corp:81/",
    ],
)
def test_a_listed_host_may_be_called(url: str) -> None:
    assert LISTED.refusal(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://evil.example/", "'evil.example' is not in hosts"),
        ("https://maps.example.org.evil.example/", "is not in hosts"),
        ("https://sub.maps.example.org/", "is not in hosts"),
        ("https://maps.example.org:8443/", "'maps.example.org:8443' is not in hosts"),
        ("https://other.example.org/", "'other.example.org' is not in hosts"),
        ("http://maps.example.org/", "called by https only"),
        ("https://maps.example.org@evil.example/", "carries a user name"),
        ("https://user:word@maps.example.org/", "carries a user name"),
        ("https://127.0.0.1/", "'127.0.0.1' is not in hosts"),
        ("https://[::1]/", "'[::1]' is not in hosts"),
        ("https://0x7f.1/", "is not in hosts"),
        ("file:///etc/passwd", "no address"),
        ("gopher://maps.example.org/", "no address"),
        ("https://maps.example.org:port/", "no address"),
        ("", "no address"),
    ],
)
def test_whoever_is_not_listed_is_not_called_and_the_setting_is_named(url: str, why: str) -> None:
    assert why in LISTED.refusal(url)


@pytest.mark.parametrize(
    "entry", ["https://maps.example.org", "maps.example.org/path", "*.example.org", "a b", "", "ü.de"]
)
def test_an_entry_that_is_no_host_name_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="no host name"):
        OutgoingRules(hosts=(entry,))


def test_a_private_host_is_called_by_its_name_at_its_address(plain: Server) -> None:
    answer = session(private(plain), "127.0.0.1").get(f"http://maps.corp:{plain.port}/")
    assert (answer.status_code, answer.text) == (200, "x" * 20)
    assert plain.handler.seen == [f"maps.corp:{plain.port}"]


def test_a_public_name_that_resolves_inside_is_not_called(plain: Server) -> None:
    rules = OutgoingRules(hosts=(f"maps.example.org:{plain.port}",))
    for addresses in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]):
        with pytest.raises(OutgoingError, match=r"is at 127\.0\.0\.1, which is not called; .*private_hosts"):
            session(rules, *addresses).get(f"https://maps.example.org:{plain.port}/")
    assert plain.handler.seen == []


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that resolves to a public address when it is checked and to a private one a moment later (rebinding)."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    connected = []

    def connect(address: tuple[str, int], timeout: object) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(outgoing.socket, "create_connection", connect)
    rules = OutgoingRules(hosts=("maps.example.org",))
    with pytest.raises(requests.ConnectionError):
        guarded_session(rules, resolve=lambda host, port: next(answers)).get("https://maps.example.org/")
    assert connected == [("93.184.216.34", 443)]
    assert next(answers) == ["127.0.0.1"]


def test_a_redirect_is_not_followed(plain: Server) -> None:
    with pytest.raises(OutgoingError, match="sends elsewhere, which is not followed"):
        session(private(plain), "127.0.0.1").get(f"http://maps.corp:{plain.port}/redirect")
    assert len(plain.handler.seen) == 1


def test_an_answer_that_is_too_large_is_not_taken(plain: Server) -> None:
    with pytest.raises(OutgoingError, match="more than 1,000 bytes"):
        session(private(plain), "127.0.0.1").get(f"http://maps.corp:{plain.port}/large")


def test_an_answer_that_drips_is_not_waited_for(plain: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.outgoing.ANSWER_S", 0.0)
    with pytest.raises(OutgoingError, match="seconds to answer"):
        session(private(plain), "127.0.0.1").get(f"http://maps.corp:{plain.port}/drip")
    plain.handler.over.set()


def test_an_answer_that_breaks_off_is_a_connection_error(plain: Server) -> None:
    plain.handler.over.set()
    with pytest.raises(requests.ConnectionError, match="broke off"):
        session(private(plain), "127.0.0.1").get(f"http://maps.corp:{plain.port}/drip")


def test_nothing_of_the_environment_is_used_and_no_cookie_is_kept(
    plain: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    asking = session(private(plain), "127.0.0.1")
    assert asking.get(f"http://maps.corp:{plain.port}/", proxies={"http": "http://127.0.0.1:1"}).ok
    assert not asking.cookies


def test_a_name_without_an_address_is_a_connection_error() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    for resolve in (unknown, lambda host, port: []):
        with pytest.raises(requests.ConnectionError):
            guarded_session(LISTED, resolve=resolve).get("https://maps.example.org/")


def test_the_certificate_must_be_for_the_name_whatever_the_caller_says(tmp_path: Path) -> None:
    with ExitStack() as servers:
        good, other = (Server(_certified(tmp_path, name)) for name in ("maps.corp", "somebody.else"))
        for server in (good, other):
            servers.callback(server.close)
        ca_file = str(tmp_path / "ca.pem")
        assert session(private(good, ca_file), "127.0.0.1").get(f"https://maps.corp:{good.port}/").ok
        for server, authority in ((other, ca_file), (good, "")):
            with pytest.raises(requests.exceptions.SSLError):
                session(private(server, authority), "127.0.0.1").get(f"https://maps.corp:{server.port}/", verify=False)


def _certified(folder: Path, name: str) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for a name by the authority in ca.pem, which is made if need be."""
    ca_file, key_file, now = folder / "ca.pem", folder / "ca.key", datetime.now(UTC)
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, ca: bool) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder(authority, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        return builder.add_extension(x509.BasicConstraints(ca, None), critical=True)

    def written(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
        form = serialization.PrivateFormat.PKCS8
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))

    if not ca_file.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        ca_file.write_bytes(
            certificate(authority, key, ca=True).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        written(key_file, key)
    ca_key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signed = certificate(subject, own, ca=False).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    (folder / f"{name}.pem").write_bytes(signed.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    written(folder / f"{name}.key", own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context
