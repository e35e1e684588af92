"""Who comes in through a TLS listener and who does not, over real sockets on the loopback."""

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlparse

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from aquila.core.errors import Refused, UsageError
from aquila.links import pki
from aquila.links.pki import Authority, Issued
from aquila.links.pki.certificates import certificate_builder, common_name, key_pem, moment, new_key, pem
from aquila.links.tls import Peer, TlsGate, client_context, open_context, serial_of, server_context

NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000
LONG_AGO_MS = NOW_MS - 400 * DAY_MS
PASSWORD = "correct7horse"
BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])


def make_authority(folder: Path) -> Authority:
    authority = Authority.create(folder, "AQUILA", LONG_AGO_MS)
    authority.ensure_server((), NOW_MS)
    return authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("node") / "secrets")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("stranger") / "secrets")


# -- tools -------------------------------------------------------------------------------------------------------


def caller(
    authority: Authority,
    folder: Path,
    issued: Issued | None,
    version: ssl.TLSVersion | None = None,
    *,
    chain: bytes = b"",
) -> ssl.SSLContext:
    """A client's context; it sends the leaf, and `chain` behind it."""
    if issued is None:
        context = client_context(authority.chain_pem)
    else:
        assert issued.key_pem is not None
        (folder / "client.pem").write_bytes(issued.certificate_pem + chain)
        (folder / "client.key").write_bytes(issued.key_pem)
        context = client_context(authority.chain_pem, folder / "client.pem", folder / "client.key")
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class Listener:
    """A server that says `+` to whom its gate lets in, one caller after the other.

    It uses blocking sockets, as asyncio's own server keeps the alert to itself that says why.

    Attributes:
        heard: what came of each call.
    """

    def __init__(self, gate: TlsGate) -> None:
        self.gate = gate
        self.heard: list[Peer | Refused | ssl.SSLError] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A caller who says nothing ends the loop.
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            plain, _ = self._socket.accept()
            plain.settimeout(20)
            with plain:
                if not plain.recv(1, socket.MSG_PEEK):
                    return
                self._answer(plain)

    def _answer(self, plain: socket.socket) -> None:
        tls = self.gate.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with tls:
            try:
                tls.do_handshake()
                who = self.gate.peer(tls)
                self.heard.append(who)
                if isinstance(who, Peer):
                    assert serial_of(tls) == who.serial
                    tls.sendall(b"+")
            except ssl.SSLError as error:
                self.heard.append(error)
            # Closed at once, with the caller's bytes unread, the alert could be lost in a reset.
            with contextlib.suppress(OSError):
                tls.shutdown(socket.SHUT_WR)
                while socket.socket.recv(tls, 4096):
                    pass


def call(port: int, context: ssl.SSLContext, host: str = "localhost", session: ssl.SSLSession | None = None) -> "Call":
    """Knock. One byte is read: in TLS 1.3 only that shows a refusal."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host, session=session) as tls:
                said = "in" if tls.recv(1) == b"+" else "closed"
                return Call(said, None, tls.version(), tls.session, tls.session_reused)
        except ssl.SSLError as error:
            return Call(str(error.reason), error)


class Call(NamedTuple):
    """`in`, or why not."""

    said: str
    error: ssl.SSLError | None
    version: str | None = None
    session: ssl.SSLSession | None = None
    is_resumed: bool | None = None


def try_once(authority: Authority, context: ssl.SSLContext) -> tuple[Call, list[Peer | Refused | ssl.SSLError]]:
    with Listener(TlsGate(authority)) as listener:
        made = call(listener.port, context)
    return made, listener.heard


@contextlib.asynccontextmanager
async def greeting(gate: TlsGate) -> AsyncIterator[tuple[int, list[Peer | Refused]]]:
    """An asyncio server that says `+` to whom its gate lets in: its port, and whom it heard."""
    heard: list[Peer | Refused] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        who = gate.peer(writer.get_extra_info("ssl_object"))
        heard.append(who)
        if isinstance(who, Peer):
            writer.write(b"+")
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=gate.context) as server:
        yield server.sockets[0].getsockname()[1], heard


async def read_one(port: int, context: ssl.SSLContext) -> bytes:
    """The first byte that comes; nothing when the caller is not let in."""
    try:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    except (ssl.SSLError, ConnectionError):
        return b""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        byte = await reader.read(1)
        writer.close()
        await writer.wait_closed()
    return byte


def self_signed(name: str) -> Issued:
    key = new_key()
    subject, now = common_name(name), moment(NOW_MS)
    until = moment(NOW_MS + DAY_MS)
    builder = certificate_builder(subject, subject, key.public_key(), 12345, now, until)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    leaf = builder.add_extension(usage, critical=False).sign(key, hashes.SHA256())
    return Issued(
        name=name, serial="3039", certificate_pem=pem(leaf), key_pem=key_pem(key), not_after_ms=NOW_MS + DAY_MS
    )


def forged(authority: Authority, name: str) -> Issued:
    """A good certificate of the authority, but for one bit of its signature."""
    issued = authority.issue_device(name, NOW_MS)
    der = bytearray(x509.load_pem_x509_certificate(issued.certificate_pem).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return msgspec.structs.replace(issued, certificate_pem=ssl.DER_cert_to_PEM_cert(bytes(der)).encode())


def revoked(authority: Authority) -> Issued:
    issued = authority.issue_device("GONE", NOW_MS)
    authority.revoke(issued.serial, NOW_MS)
    return issued


def authority_as_device(authority: Authority) -> Issued:
    """The intermediate itself, shown as if it were a device."""
    path = authority.folder / "ca-intermediate.pem"
    certificate, mark, key = path.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
    return Issued(name="CA", serial="00", certificate_pem=certificate, key_pem=mark + key, not_after_ms=0)


# -- the matrix --------------------------------------------------------------------------------------------------


@BOTH
def test_a_good_device_comes_in(authority: Authority, tmp_path: Path, version: ssl.TLSVersion) -> None:
    issued = authority.issue_device("PATROL1", NOW_MS)
    made, heard = try_once(authority, caller(authority, tmp_path, issued, version, chain=authority.chain_pem))
    assert made.said == "in"
    assert heard == [Peer("PATROL1", issued.serial, issued.not_after_ms)]


@BOTH
def test_a_device_that_sends_its_leaf_alone_comes_in(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    issued = authority.issue_device("Zoë 山岳隊", NOW_MS)
    made, heard = try_once(authority, caller(authority, tmp_path, issued, version))
    assert made.said == "in"
    assert heard == [Peer("Zoë 山岳隊", issued.serial, issued.not_after_ms)]


class Case(NamedTuple):
    """Who is refused, what the client is told, and a word of the sentence on each side."""

    make: Callable[[Authority, Authority], Issued | None]
    alert: str
    client_word: str
    server_word: str


CASES = {
    "nothing": Case(lambda ours, other: None, "*", "client", "no certificate"),
    "self-signed": Case(
        lambda ours, other: self_signed("P1"), "TLSV1_ALERT_UNKNOWN_CA", "does not trust", "signed by itself"
    ),
    "of another authority": Case(
        lambda ours, other: other.issue_device("P1", NOW_MS),
        "TLSV1_ALERT_UNKNOWN_CA",
        "does not trust",
        "another authority",
    ),
    "forged": Case(
        lambda ours, other: forged(ours, "P1"), "TLSV1_ALERT_DECRYPT_ERROR", "forged or damaged", "forged or damaged"
    ),
    "expired": Case(
        lambda ours, other: ours.issue_device("P1", LONG_AGO_MS),
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "has expired",
        "has expired",
    ),
    "not yet valid": Case(
        lambda ours, other: ours.issue_device("P1", NOW_MS + 3 * DAY_MS),
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "clocks",
        "clock",
    ),
    "revoked": Case(lambda ours, other: revoked(ours), "SSLV3_ALERT_CERTIFICATE_REVOKED", "is revoked", "is revoked"),
    "a server's": Case(
        lambda ours, other: ours.issue_server((), NOW_MS),
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "another use",
        "another use",
    ),
}


@BOTH
@pytest.mark.parametrize("who", CASES)
def test_whoever_else_is_refused_and_told_why(
    authority: Authority, stranger: Authority, tmp_path: Path, version: ssl.TLSVersion, who: str
) -> None:
    case = CASES[who]
    made, heard = try_once(authority, caller(authority, tmp_path, case.make(authority, stranger), version))
    assert [type(found) for found in heard] in ([ssl.SSLError], [ssl.SSLCertVerificationError])
    assert made.error is not None
    if case.alert != "*":
        assert made.said == case.alert
    elif version is ssl.TLSVersion.TLSv1_3:
        assert made.said == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert case.client_word in pki.explain_handshake(made.error)
    assert case.server_word in pki.explain_handshake(heard[0])  # type: ignore[arg-type]


def test_the_authoritys_own_certificate_is_no_device(authority: Authority, tmp_path: Path) -> None:
    made, heard = try_once(authority, caller(authority, tmp_path, authority_as_device(authority)))
    assert made.said != "in"
    assert not any(isinstance(who, Peer) for who in heard)


def test_tls_older_than_1_2_is_refused(authority: Authority, tmp_path: Path) -> None:
    context = caller(authority, tmp_path, authority.issue_device("PATROL1", NOW_MS))
    # OpenSSL's own default level would not even let the client offer it.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    made, heard = try_once(authority, context)
    assert made.said == "TLSV1_ALERT_PROTOCOL_VERSION"
    for error in (made.error, heard[0]):
        assert isinstance(error, ssl.SSLError)
        assert "older than 1.2" in pki.explain_handshake(error)


def test_tls_1_3_is_preferred_and_weak_ciphers_are_not_spoken(authority: Authority, tmp_path: Path) -> None:
    context = caller(authority, tmp_path, authority.issue_device("PATROL1", NOW_MS))
    assert try_once(authority, context)[0].version == "TLSv1.3"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA:ECDHE+AES+SHA1:@SECLEVEL=0")
    made, heard = try_once(authority, context)
    assert made.error is not None
    assert "share no cipher" in pki.explain_handshake(made.error)
    assert "share no cipher" in pki.explain_handshake(heard[0])  # type: ignore[arg-type]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_renegotiation_is_refused(authority: Authority, tmp_path: Path) -> None:
    caller(authority, tmp_path, authority.issue_device("PATROL1", NOW_MS))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        words = f"s_client -tls1_2 -connect 127.0.0.1:{port} -cert client.pem -key client.key"
        client = subprocess.Popen(
            ["openssl", *words.split()],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with client:
            listener.settimeout(20)
            plain, _ = listener.accept()
            plain.settimeout(20)
            with TlsGate(authority).context.wrap_socket(plain, server_side=True) as tls:
                assert client.stdin is not None
                client.stdin.write(b"R\n")
                client.stdin.flush()
                # The client asks for a new handshake, is denied it by an alert, and gives up.
                with contextlib.suppress(OSError):
                    assert tls.recv(1) == b""
            shown = client.communicate(timeout=60)[0].decode()
    assert "RENEGOTIATING" in shown
    assert "no renegotiation" in shown


@BOTH
def test_the_port_without_certificates_lets_a_browser_in(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    with Listener(TlsGate(authority, asks_certificate=False)) as listener:
        made = call(listener.port, caller(authority, tmp_path, None, version))
    assert made.said == "closed", "the handshake succeeds; who it is must be asked by other means"
    assert listener.heard == [Refused("certificate", "no client certificate was shown")]


# -- what changes while it listens -------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"], ids=["with SNI", "without SNI"])
def test_a_revocation_counts_at_the_next_handshake_without_a_restart(
    tmp_path: Path, version: ssl.TLSVersion, host: str
) -> None:
    authority = make_authority(tmp_path / "secrets")
    gone, stays = (authority.issue_device(name, NOW_MS) for name in ("GONE", "STAYS"))
    bad, good = (caller(authority, tmp_path, issued, version) for issued in (gone, stays))
    with Listener(TlsGate(authority)) as listener:
        assert call(listener.port, bad, host).said == "in"
        authority.revoke(gone.serial, NOW_MS)
        # Even before the reload nobody revoked comes through the gate.
        assert call(listener.port, bad, host).said == "closed"
        assert listener.heard[-1] == Refused("revoked", f"certificate {gone.serial} is revoked")
        listener.gate.reload()
        assert call(listener.port, bad, host).said == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        assert call(listener.port, good, host).said == "in"


@BOTH
def test_a_session_is_not_resumed_past_a_revocation(tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = make_authority(tmp_path / "secrets")
    gone = authority.issue_device("GONE", NOW_MS)
    context = caller(authority, tmp_path, gone, version)
    with Listener(TlsGate(authority)) as listener:
        first = call(listener.port, context)
        assert first.said == "in"
        authority.revoke(gone.serial, NOW_MS)
        listener.gate.reload()
        assert call(listener.port, context, session=first.session).said != "in"
    assert not any(isinstance(who, Peer) for who in listener.heard[1:])


def test_a_new_server_certificate_counts_at_the_next_handshake(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "secrets")
    context = caller(authority, tmp_path, authority.issue_device("P1", NOW_MS))
    with Listener(TlsGate(authority)) as listener:
        assert call(listener.port, context, "node.example").said == "CERTIFICATE_VERIFY_FAILED"
        authority.ensure_server(["node.example"], NOW_MS)
        listener.gate.reload()
        assert call(listener.port, context, "node.example").said == "in"


def test_a_failed_reload_leaves_the_gate_as_it_was(tmp_path: Path) -> None:
    authority = make_authority(tmp_path / "secrets")
    context = caller(authority, tmp_path, authority.issue_device("P1", NOW_MS))
    with Listener(TlsGate(authority)) as listener:
        authority.crl_path.write_bytes(b"torn")
        with pytest.raises(UsageError, match=r"ca-crl.pem is unusable"):
            listener.gate.reload()
        assert call(listener.port, context).said == "in"


@BOTH
def test_the_gate_holds_in_an_asyncio_server_too(tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = make_authority(tmp_path / "secrets")
    issued = authority.issue_device("P1", NOW_MS)
    context = caller(authority, tmp_path, issued, version)

    async def story() -> list[bytes]:
        gate = TlsGate(authority)
        async with greeting(gate) as (port, _heard):
            first = await read_one(port, context)
            authority.revoke(issued.serial, NOW_MS)
            second = await read_one(port, context)
            gate.reload()
            return [first, second, await read_one(port, context)]

    assert asyncio.run(story()) == [b"+", b"", b""]


def test_contexts_say_which_file_is_missing(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)
    for build in (server_context, open_context):
        with pytest.raises(UsageError, match=r"server.pem holds no usable server certificate"):
            build(authority)
    with pytest.raises(UsageError, match="no PEM of certificates"):
        client_context(b"hello")
    with pytest.raises(UsageError, match="are unusable"):
        client_context(authority.chain_pem, tmp_path / "none.pem")


# -- clients -----------------------------------------------------------------------------------------------------


@BOTH
def test_a_client_that_ignores_the_intermediate_of_the_handshake_trusts_the_server(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """As ATAK does: the leaf is judged by the trust store alone. The server here sends nothing but its leaf."""
    server = authority.issue_server((), NOW_MS)
    assert server.key_pem is not None
    (tmp_path / "server.pem").write_bytes(server.certificate_pem + server.key_pem)
    # Not a gate's context: with the chain to hand OpenSSL would send the intermediate by itself.
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    bare.load_cert_chain(tmp_path / "server.pem")
    gate = TlsGate(authority)
    gate.context = bare
    whole, root_only = client_context(authority.chain_pem), client_context(pem(authority.root))
    for context in (whole, root_only):
        context.minimum_version = context.maximum_version = version
    with Listener(gate) as listener:
        assert call(listener.port, whole).said == "closed", "the handshake succeeds"
        assert call(listener.port, root_only).said == "CERTIFICATE_VERIFY_FAILED", "the root alone is not enough"


@pytest.mark.filterwarnings("ignore:ssl.OP_NO:DeprecationWarning")
@pytest.mark.parametrize("form", ["p12", "pem", "atak package", "itak package"])
def test_pytak_connects_with_the_files_as_they_are(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pytak says at import which of its extras are missing
        import pytak.client_functions
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    issued = authority.issue_device("PATROL1", NOW_MS)

    async def once() -> tuple[bytes, list[Peer | Refused]]:
        async with greeting(TlsGate(authority)) as (port, heard):
            pki.write_device(tmp_path, authority, issued, host="localhost", port=port, password=PASSWORD)
            settings = {
                "PYTAK_TLS_CLIENT_CERT": str(tmp_path / "PATROL1.pem"),
                "PYTAK_TLS_CLIENT_KEY": str(tmp_path / "PATROL1.key"),
                "PYTAK_TLS_CLIENT_CAFILE": str(tmp_path / "ca.pem"),
            }
            url = f"tls://localhost:{port}"
            if form == "p12":
                del settings["PYTAK_TLS_CLIENT_KEY"]
                settings["PYTAK_TLS_CLIENT_CERT"] = str(tmp_path / "PATROL1.p12")
                settings["PYTAK_TLS_CLIENT_PASSWORD"] = PASSWORD
            elif form != "pem":
                package = tmp_path / f"PATROL1-{form.partition(' ')[0]}.zip"
                settings = pytak.client_functions.read_pref_package(str(package))
                url = settings.pop("COT_URL").replace("ssl://", "tls://")
            assert urlparse(url).port == port
            config = ConfigParser(settings)["DEFAULT"]
            reader, writer = await pytak.client_functions.create_tls_client(config, urlparse(url))
            answer = await reader.read(1)
            writer.close()
            await writer.wait_closed()
            return answer, heard

    answer, heard = asyncio.run(once())
    assert answer == b"+"
    assert heard == [Peer("PATROL1", issued.serial, issued.not_after_ms)]


def test_a_failed_call_is_explained(authority: Authority, stranger: Authority, tmp_path: Path) -> None:
    """The client's own findings, and what comes from the socket."""

    def fail(context: ssl.SSLContext, host: str = "localhost") -> str:
        with Listener(TlsGate(authority)) as listener:
            error = call(listener.port, context, host).error
        assert error is not None
        return pki.explain_handshake(error)

    ours = caller(authority, tmp_path, None)
    assert "--public-name" in fail(ours, "node.example")
    assert "--public-name" in fail(ours, "192.0.2.1")
    foreign = fail(client_context(stranger.chain_pem))
    assert "not trusted here" in foreign or "another authority" in foreign
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError) as caught:
            call(unused.getsockname()[1], ours)
    assert "nothing listens" in pki.explain_handshake(caught.value)
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"<event/>" * 10)
        with pytest.raises(ssl.SSLError) as refused:
            ours.wrap_socket(near, server_hostname="localhost")
    assert "does not speak TLS" in pki.explain_handshake(refused.value)
    for error in (TimeoutError(), ConnectionResetError(), EOFError(), ValueError("odd"), socket.gaierror()):
        assert pki.explain_handshake(error).isprintable()
