"""Doctor: why a handshake, port, clock, disk, file limit or certificate fails, one sentence each, and what to do.

It looks from outside and changes nothing, so it can be run beside a node that works and on a folder that does not.
"""

import json
import os
import resource
import shutil
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from aquila.app.clockwork import real_clockwork
from aquila.app.doctor_devices import devices_of_node
from aquila.app.finding import Finding, diagnosed, found
from aquila.config import EVERY_ADDRESS, LOOPBACK, Settings
from aquila.core.errors import UsageError
from aquila.core.hlc import hlc_ms
from aquila.links.pki import Authority, describe, describe_authority, explain_handshake
from aquila.links.tls import client_context
from aquila.stores.sqlite.folder import holder_of
from aquila.stores.sqlite.store import SqliteStore

FILES_WANTED = 4096
FREE_BYTES_WANTED = 1 << 30
AHEAD_MS = 60_000
YEAR_2026_MS = 1_767_225_600_000
CONNECT_S = 5.0
PORT_MAX = 65_535


def examine(
    data: Path, *, certificate: Path | None = None, connect: str | None = None, key: Path | None = None
) -> list[Finding]:
    """Look at clock, file limit, disk, folder, journal, ports, authority; at a certificate and a handshake if named.

    Args:
        data: the node's data folder.
        certificate: PEM of a device.
        connect: HOST:PORT of a TLS port to try.
        key: of the certificate, for the try.
    """
    now_ms = real_clockwork().clock_ms()
    findings = [_clock(now_ms), _file_limit()]
    if not data.exists():
        sentence = f"{data} does not exist: `aquila serve --data {data}` makes it"
        return [*findings, Finding("data folder", "bad", sentence)]
    findings += [_disk(data), _folder(data)]
    findings += _journal(data, now_ms)
    findings += _ports(data)
    findings += _certificates(data, now_ms, certificate)
    if holder_of(data) is not None:
        findings += devices_of_node(data, now_ms, Settings().public_names)
    if connect is not None:
        findings.append(_handshake(data, connect, certificate, key))
    return findings


def self_test(data: Path, backup: Callable[[int], Finding], clock_ms: Callable[[], int]) -> list[Finding]:
    """What a running node finds about itself: all of `examine`, and how its backups are."""
    return [*examine(data), backup(clock_ms())]


def _clock(now_ms: int) -> Finding:
    if now_ms < YEAR_2026_MS:
        return found("clock", "bad", "clock_past")
    return found("clock", "good", "clock_good")


def _file_limit() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return found("file limit", "good", "files_unbound")
    if hard < FILES_WANTED:
        return found("file limit", "warn", "files_few", files=hard, links=hard // 2, wanted=FILES_WANTED)
    return found("file limit", "good", "files_good", files=hard)


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    if free < FREE_BYTES_WANTED // 16:
        return found("disk", "bad", "disk_full", free=free >> 20)
    if free < FREE_BYTES_WANTED:
        return found("disk", "warn", "disk_low", free=free >> 20)
    return found("disk", "good", "disk_good", free=free >> 20)


def _folder(data: Path) -> Finding:
    if not (data / "journal.db").exists():
        return found("data folder", "bad", "folder_empty", folder=str(data))
    if not os.access(data, os.W_OK):
        return found("data folder", "bad", "folder_locked", folder=str(data))
    holder = holder_of(data)
    if holder is None:
        return found("data folder", "good", "folder_idle")
    return found("data folder", "good", "folder_held", process=holder)


def _journal(data: Path, now_ms: int) -> Iterator[Finding]:
    path = data / "journal.db"
    if not path.exists():
        return
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=CONNECT_S)
        try:
            [answer] = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as wrong:
        yield found("journal", "bad", "journal_unread", file=str(path), why=str(wrong))
        return
    if answer != "ok":
        why = " ".join(str(answer).split())  # SQLite answers in several lines
        yield found("journal", "bad", "journal_damaged", file=str(path), why=why)
        return
    if holder_of(data) is not None:
        yield found("journal", "good", "journal_sound")
        return
    yield from _chain(path, now_ms)


def _chain(path: Path, now_ms: int) -> Iterator[Finding]:
    try:
        store = SqliteStore(path)
    except UsageError as wrong:
        yield Finding("journal", "bad", str(wrong))
        return
    try:
        faults = sum(1 for _ in store.journal.faults())
        count = sum(head.seq for head in store.journal.heads().values())
        ahead_ms = hlc_ms(store.journal.last_hlc()) - now_ms
    finally:
        store.close()
    if faults:
        yield Finding("journal", "bad", f"{faults} of {count} lines do not fit the chain: restore a backup")
    else:
        yield Finding("journal", "good", f"{count} lines, the chain is whole")
    if ahead_ms > AHEAD_MS:
        sentence = f"the journal's clock is {ahead_ms // 1000} s ahead of this machine's: the clock went back; set it"
        yield Finding("clock", "warn", sentence)


def _ports(data: Path) -> Iterator[Finding]:
    file = data / "ports.json"
    if file.exists() and holder_of(data) is not None:
        hosts = json.loads((data / "hosts.json").read_text(encoding="utf-8"))
        for name, port in sorted(json.loads(file.read_text(encoding="utf-8")).items()):
            host = LOOPBACK if hosts[name] in EVERY_ADDRESS else hosts[name]
            if _answers(port, host):
                yield found(f"port {name}", "good", "port_good", port=port, host=host)
            else:
                yield found(f"port {name}", "warn", "port_silent", port=port, host=host)
        return
    settings = Settings()
    for name in ("http_port", "tak_port", "tak_tls_port", "api_tls_port", "enrol_port"):
        port = int(getattr(settings, name))
        if _answers(port):
            sentence = f"{port} is taken by another program: stop it, or give --{name.replace('_', '-')}"
            yield Finding(f"port {name.removesuffix('_port')}", "warn", sentence)


def _answers(port: int, host: str = LOOPBACK) -> bool:
    try:
        with socket.create_connection((host, port), 1.0):
            return True
    except OSError:
        return False


def _certificates(data: Path, now_ms: int, certificate: Path | None) -> Iterator[Finding]:
    chain = data / "secrets" / "ca.pem"
    try:
        trusted = chain.read_bytes()
        server = (data / "secrets" / "server.pem").read_bytes()
    except OSError as wrong:
        if isinstance(wrong, FileNotFoundError) and not (data / "secrets" / "server.pem").exists():
            sentence = f"there are no certificates yet: start the node once, `aquila serve --data {data}` makes them"
            yield Finding("authority", "bad", sentence)
            return
        yield found("authority", "bad", "secrets_unread", file=str(wrong.filename), why=str(wrong.strerror))
        return
    yield diagnosed("authority", "authority", describe_authority(trusted, now_ms))
    server_now = describe(_first_certificate(server), trusted, now_ms, purpose="server")
    yield diagnosed("server certificate", "server", server_now)
    if certificate is not None:
        yield _device_certificate(data, trusted, certificate, now_ms)


def _device_certificate(data: Path, trusted: bytes, certificate: Path, now_ms: int) -> Finding:
    try:
        shown = certificate.read_bytes()
        revoked = frozenset(Authority.open(data / "secrets").revoked)
    except OSError as wrong:
        return Finding(
            "certificate", "bad", f"{wrong.filename} cannot be read ({wrong.strerror}): name a readable file"
        )
    except UsageError as wrong:
        return Finding("certificate", "bad", f"whether it is revoked cannot be said: {wrong}")
    judged = describe(shown, trusted, now_ms, is_revoked=revoked.__contains__)
    return Finding("certificate", judged.grade, judged.sentence)


def _first_certificate(pem: bytes) -> bytes:
    """The server's file begins with its key; what is judged is the certificate."""
    return pem[pem.find(b"-----BEGIN CERTIFICATE-----") :]


def _handshake(data: Path, connect: str, certificate: Path | None, key: Path | None) -> Finding:
    host, _, port = connect.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # as an IPv6 address is written before a port
    if not (host and port.isdecimal() and 0 < int(port) <= PORT_MAX):
        return Finding("handshake", "bad", f"{connect}: HOST:PORT is needed, for instance 127.0.0.1:8089")
    if certificate is not None and key is None:
        return Finding("handshake", "bad", f"{connect}: to show {certificate.name} its key is needed: give --key FILE")
    try:
        context = client_context((data / "secrets" / "ca.pem").read_bytes(), certificate, key)
        with socket.create_connection((host, int(port)), CONNECT_S) as plain:
            with context.wrap_socket(plain, server_hostname=host) as tls:
                return _admission(connect, tls)
    # ValueError: what looks like a host name and cannot be one.
    except (OSError, ValueError, UsageError) as wrong:
        return Finding("handshake", "bad", f"{connect}: {explain_handshake(wrong)}")


def _admission(connect: str, tls: ssl.SSLSocket) -> Finding:
    """In TLS 1.3 a refused client believes itself connected until it reads. Raises OSError with the refusal."""
    tls.settimeout(CONNECT_S)
    try:
        said = tls.recv(1)
    except TimeoutError:
        sentence = f"{connect} let this client in ({tls.version()}) and waits for it to speak, as an HTTPS port does"
        return Finding("handshake", "good", sentence)
    if not said:
        sentence = f"{connect} hangs up right after the handshake: the node knows no such device (any more)"
        return Finding("handshake", "bad", f"{sentence}; see `aquila device list`")
    return Finding("handshake", "good", f"{connect} lets this client in ({tls.version()})")


__all__ = ["FILES_WANTED", "Finding", "examine", "self_test"]
