"""TLS contexts of the listeners: who may come in, and how that changes while they listen.

Trust is renewed without a restart: a listener keeps one context for its life, and each handshake
is judged by the newest one that `TlsGate.reload` made from the files. After the handshake
`TlsGate.peer` looks the serial up once more, because a resumed session brings a certificate that
was judged when it was first shown. What is connected already is closed by serial (`serial_of`).
"""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from aquila.core.errors import Refused, UsageError

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; the suites of TLS 1.3 are all good."""


class Trust(Protocol):
    """What a gate asks of an authority: its files, and who is revoked."""

    @property
    def server_path(self) -> Path:
        """Key and chain of the listener, PEM."""

    @property
    def chain_path(self) -> Path:
        """Intermediate and root, PEM."""

    @property
    def crl_path(self) -> Path:
        """Revocation lists, PEM."""

    def is_revoked(self, serial: str | int) -> bool:
        """Whether the certificate with this serial was taken back."""


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end, by its certificate.

    Attributes:
        name: the common name: the device's.
        serial: of the certificate, upper-case hexadecimal.
        not_after_ms: when the certificate ends; the hub may close the link then.
    """

    name: str
    serial: str
    not_after_ms: int


class TlsGate:
    """The TLS side of a listener.

    Attributes:
        context: for `create_server(ssl=...)` or `wrap_socket`; the same for the gate's life.
    """

    def __init__(
        self,
        trust: Trust,
        *,
        asks_certificate: bool = True,
        on_failed: Callable[[ssl.SSLError, str], None] | None = None,
    ) -> None:
        """Build it from the authority's files.

        Args:
            trust: an authority that has seen to its server certificate.
            asks_certificate: the peer must show one of its certificates (8089, 8443); False for
                8446.
            on_failed: told why a handshake failed, and the peer's address; "" = not known here.
        """
        self._trust = trust
        self._build = server_context if asks_certificate else open_context
        self._newest = self._build(trust)
        self.context = self._build(trust)
        self.context.sni_callback = self._judge_by_newest
        if on_failed is not None:
            _tell_failures(self.context, on_failed)

    def reload(self) -> None:
        """Judge what comes from now on by the files: revocation lists and server certificate."""
        self._newest = self._build(self._trust)

    def peer(self, tls: ssl.SSLObject | ssl.SSLSocket) -> Peer | Refused:
        """Who came through the handshake; to be asked right after it.

        Returns Refused when no certificate was shown, or it is revoked by now.
        """
        shown = tls.getpeercert()
        if not shown:
            return Refused("certificate", "no client certificate was shown")
        serial = str(shown["serialNumber"])
        if self._trust.is_revoked(serial):
            return Refused("revoked", f"certificate {serial} is revoked")
        ends_s = ssl.cert_time_to_seconds(str(shown["notAfter"]))
        return Peer(_common_name(shown.get("subject", ())), serial, int(ends_s) * 1000)

    def _judge_by_newest(self, tls: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _first: ssl.SSLContext) -> None:
        # OpenSSL calls this at every ClientHello, also when it names no server, before it looks at
        # any certificate.
        tls.context = self._newest


def _tell_failures(context: ssl.SSLContext, tell: Callable[[ssl.SSLError, str], None]) -> None:
    """Have whatever this context makes tell why its handshake failed: asyncio would keep that to itself."""

    class ToldSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                tell(error, _address_of(self))
                raise

    class ToldObject(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                tell(error, "")
                raise

    context.sslsocket_class = ToldSocket
    context.sslobject_class = ToldObject


def _address_of(tls: ssl.SSLSocket) -> str:
    try:
        return str(tls.getpeername()[0])
    except OSError:
        return ""


def server_context(trust: Trust) -> ssl.SSLContext:
    """A context that lets in who has a certificate of this authority that is valid, not revoked.

    Raises UsageError when one of the files is missing or damaged.
    """
    context = open_context(trust)
    # The whole chain, so that a device may send its leaf alone; then the lists of what is revoked.
    for path in (trust.chain_path, trust.crl_path):
        try:
            context.load_verify_locations(path)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{path} is unusable ({error}): restore it from a backup") from error
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_CRL_CHECK_LEAF
    return context


def open_context(trust: Trust) -> ssl.SSLContext:
    """A context that asks nobody for a certificate: enrolment and browsers (8446).

    Raises UsageError when the server's certificate is missing or damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # A ticket would carry the verdict of an old handshake past a new revocation list.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    try:
        context.load_cert_chain(trust.server_path)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"{trust.server_path} holds no usable server certificate ({error}): remove it, and the"
            " next start makes a new one"
        ) from error
    return context


def client_context(chain: bytes, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A context to call a node with; the host name is checked.

    A client that is refused in TLS 1.3 believes itself connected: read one byte, and the refusal
    comes as an `ssl.SSLError`.

    Args:
        chain: what to trust, PEM (a device's ca.pem).
        certificate: the device's NAME.pem; None = show none.
        key: the device's NAME.key; None = it stands in the certificate's file.

    Raises UsageError for files that are none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(cadata=chain.decode("ascii"))
    except (ValueError, ssl.SSLError) as error:
        raise UsageError(f"the chain to trust is no PEM of certificates ({error})") from error
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{certificate} and its key are unusable ({error}): name the .pem and the .key of one device"
            ) from error
    return context


def serial_of(tls: ssl.SSLObject | ssl.SSLSocket) -> str | None:
    """The serial of the peer's certificate in upper-case hexadecimal; None = it showed none."""
    shown = tls.getpeercert()
    return str(shown["serialNumber"]) if shown else None


def _common_name(subject: object) -> str:
    """The common name in what `getpeercert` gives as a subject: tuples of tuples of pairs."""
    if isinstance(subject, tuple):
        for pairs in subject:
            for key, value in pairs:
                if key == "commonName":
                    return str(value)
    return ""
