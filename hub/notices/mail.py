"""Handing messages to the mail server over SMTP, with TLS. Nothing else of the enclave speaks to it."""

from __future__ import annotations

import re
import smtplib
import ssl
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from access_control import clock
from access_control.settings import Mail, Settings

SECONDS = 20.0  # that the mail server may take for an answer
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_OK, _OK_FORWARDED = 250, 251


class NotHanded(Exception):
    """The message was certainly not taken, with the reason as a sentence; it may be tried again."""


class Unanswered(Exception):
    """The message was given to the mail server, which said neither yes nor no."""


def check_address(address: str, person: str) -> str:
    """The address; raises NotHanded for what is none, or would be a way to write other headers."""
    if not _ADDRESS.fullmatch(address):
        raise NotHanded(f"{person} has no address that mail can be sent to. An admin sets it: enclave person change.")
    return address


def read_password(mail: Mail) -> str:
    """The first line of `mail.password_file`; raises NotHanded when it is not there, or others can read it."""
    assert mail.password_file is not None  # noqa: S101 - the settings have it beside a username
    try:
        if stat.S_IMODE(mail.password_file.stat().st_mode) & 0o077:
            raise NotHanded(f"{mail.password_file} can be read by others. Make it mode 0600, and the password new.")
        return mail.password_file.read_text().splitlines()[0]
    except (OSError, UnicodeDecodeError, IndexError) as error:
        raise NotHanded(f"The password of the mail server cannot be read from {mail.password_file}.") from error


@contextmanager
def connected(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server, encrypted and logged in; raises NotHanded with the reason."""
    mail = settings.mail
    where = f"The mail server {mail.host}:{mail.port}"
    server: smtplib.SMTP | None = None
    try:
        context = ssl.create_default_context(cafile=str(mail.ca_file) if mail.ca_file else None)
        name = settings.web.host
        if mail.security == "tls":
            server = smtplib.SMTP_SSL(mail.host, mail.port, name, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(mail.host, mail.port, name, timeout=SECONDS)
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.username:
            server.login(mail.username, read_password(mail))
    except smtplib.SMTPAuthenticationError as error:
        _close(server)
        raise NotHanded(f"{where} does not take the login of {mail.username} ({error.smtp_code}).") from error
    except (smtplib.SMTPException, OSError) as error:
        _close(server)
        raise NotHanded(f"{where} cannot be used: {_short(error)}.") from error
    except NotHanded:
        _close(server)
        raise
    try:
        yield server
    finally:
        _close(server)


def hand(server: smtplib.SMTP, message: EmailMessage, *, before: Callable[[], None]) -> None:
    """Gives one message to the server; `before` is called when all but the text itself is taken.

    Raises NotHanded when it was refused, Unanswered when the connection ended with the answer outstanding.
    """
    sender, address = str(message["From"]), str(message["To"])
    try:
        server.ehlo_or_helo_if_needed()
        server.rset()  # whatever a message before this one left half done
        _expect(server.mail(sender), "the sender")
        _expect(server.rcpt(address), "the address")
    except (smtplib.SMTPException, OSError) as error:
        raise NotHanded(f"The mail server ended the connection: {_short(error)}.") from error
    before()
    try:
        answer = server.data(message.as_bytes(policy=SMTP))
    except smtplib.SMTPDataError as error:
        raise NotHanded(f"The mail server did not take the message ({error.smtp_code}).") from error
    except (smtplib.SMTPException, OSError) as error:
        raise Unanswered(f"The mail server did not answer: {_short(error)}.") from error
    _expect(answer, "the message")


def letter(mail: Mail, *, to: str, subject: str, text: str, message_id: str) -> EmailMessage:
    """A plain message. The same notice always has the same Message-ID, so a second copy could be told as one."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, to, subject
    message["Date"], message["Message-ID"] = format_datetime(clock.now()), message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _expect(answer: tuple[int, bytes], what: str) -> None:
    if answer[0] not in {_OK, _OK_FORWARDED}:
        raise NotHanded(f"The mail server does not take {what} ({answer[0]}).")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__


def _close(server: smtplib.SMTP | None) -> None:
    if server is not None:
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()
