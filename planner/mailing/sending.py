"""The mail server: certificates are checked, every step has a time limit. The only importer of smtplib.

Naming a server in [mail] is what allows it: mail does not go through `routing.outgoing`.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from urllib.parse import urlsplit

from planner.day_sheets import one_line
from planner.errors import MailError, MailRefusedError
from planner.settings import Settings

STEP_S = 10.0
"""How long the server may take for one answer."""


class Server:
    """A mail server that has let us in."""

    def __init__(self, smtp: smtplib.SMTP, sender: str) -> None:
        self._smtp = smtp
        self._sender = sender

    def send(self, message: EmailMessage, to: str, handing_over: Callable[[], None]) -> None:
        """Send a mail to one address.

        Args:
            handing_over: called once the server has agreed to take it, right before it is given the mail: what goes
                wrong before or in it means that nothing was sent.

        Raises:
            MailRefusedError: the server will never take it.
            MailError: it was not taken this time.
            OSError: the connection broke; if it did after `handing_over`, nobody knows whether the mail was taken.
        """
        try:
            self._smtp.rset()
            _accepted(self._smtp.mail(self._sender))
            _accepted(self._smtp.rcpt(to), to)
            handing_over()
            _accepted(self._smtp.data(message.as_bytes()), to)
        except smtplib.SMTPServerDisconnected as error:
            raise ConnectionError(f"the mail server hung up: {error}") from error
        except smtplib.SMTPResponseException as error:
            _accepted((error.smtp_code, _bytes(error.smtp_error)))
            raise MailError(_said(error)) from error
        except smtplib.SMTPException as error:
            raise MailError(_said(error)) from error


@contextmanager
def connected(settings: Settings, step_s: float = STEP_S) -> Iterator[Server]:
    """The mail server of the settings. Raises MailError: it is not reached, not trusted, or does not let us in."""
    mail = settings.mail
    if not mail.host:
        raise MailError("[mail] names no host")
    try:
        smtp = _reached(settings, step_s)
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(f"{mail.host}, port {mail.port}: {_said(error)}") from error
    try:
        yield Server(smtp, mail.sender)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            smtp.quit()
        smtp.close()


def _reached(settings: Settings, step_s: float) -> smtplib.SMTP:
    mail = settings.mail
    tls = ssl.create_default_context(cafile=settings.outgoing.ca_file or None)
    name = urlsplit(settings.web.public_url).hostname or "localhost"  # looking up the machine's own name may hang
    smtp: smtplib.SMTP
    if mail.security == "tls":
        smtp = smtplib.SMTP_SSL(mail.host, mail.port, local_hostname=name, timeout=step_s, context=tls)
    else:
        smtp = smtplib.SMTP(mail.host, mail.port, local_hostname=name, timeout=step_s)
    try:
        if mail.security == "starttls":
            smtp.starttls(context=tls)
        smtp.ehlo_or_helo_if_needed()
        if mail.user:
            smtp.login(mail.user, settings.smtp_password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _accepted(answer: tuple[int, bytes], to: str = "") -> None:
    """Raises MailError where an answer is a no, and MailRefusedError where it is no for ever to this address."""
    code, text = answer
    if code < 400:
        return
    said = one_line(f"{code} {text.decode('utf-8', 'replace')}")
    if to and code in (550, 551, 553, 554):
        raise MailRefusedError(f"the mail server refuses the address: {said}")
    raise MailError(f"the mail server says: {said}")


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _said(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"user and password are not accepted ({error.smtp_code})"
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "it does not answer in time"
    return one_line(str(error)) or type(error).__name__
