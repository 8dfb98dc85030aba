"""A real SMTP server with TLS and a login, in a thread, that keeps what it is given and can be told to misbehave."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from access_control.settings import Mail

LOGIN, PASSWORD = "enclave", "a long password"


def make_certificate(folder: Path, name: str = "127.0.0.1") -> tuple[Path, Path]:
    """A self-signed certificate for an address of this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post office")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    public, private = folder / "post.pem", folder / "post.key"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public, private


@dataclass
class PostOffice:
    """`answer` is what it says to the next texts; `drop` closes the connection once it has a text, without a word."""

    folder: Path
    port: int = 0
    security: str = "starttls"
    offer_starttls: bool = True
    answer: str = "250 OK"
    refused: set[str] = field(default_factory=set)
    drop: bool = False
    got: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    to: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.public, private = make_certificate(self.folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.public, private)
        (self.folder / "password").write_text(PASSWORD + "\n")
        (self.folder / "password").chmod(0o600)
        plain = not self.offer_starttls
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if self.security == "tls" else None,
            tls_context=context if self.security == "starttls" and not plain else None,
            require_starttls=self.security == "starttls" and not plain,
            authenticator=self.authenticate,
            auth_required=not plain,
            auth_require_tls=self.security == "starttls" and not plain,
            ready_timeout=60,
        )
        self.controller._trigger_server = self.knock
        self.controller.start()
        return self

    def knock(self) -> None:
        """Waits for the greeting; port 0 is any free one, which is known only now."""
        self.port = self.controller.server.sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", self.port), 60) as plain:
            if self.security == "tls":
                trusting = ssl.create_default_context(cafile=str(self.public))
                with trusting.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted:
                    encrypted.recv(1024)
            else:
                plain.recv(1024)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Closes; again is nothing."""
        if self.controller._thread is not None:
            self.controller.stop()

    def settings(self, **changed: Any) -> Mail:
        """What an enclave that uses it has in its settings."""
        values = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": self.security,
            "sender": "enclave@enclave.example",
            "username": LOGIN,
            "password_file": str(self.folder / "password"),
            "ca_file": str(self.public),
        }
        return Mail.model_validate(values | changed)

    def authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (LOGIN.encode(), PASSWORD.encode()), handled=False)

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refused:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.got.append(message)
            self.to += envelope.rcpt_tos
            self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        if self.drop:
            server.transport.abort()
        return self.answer
