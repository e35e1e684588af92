"""Data packages that bring a client its certificates and the node's address in one import."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

import msgspec

from aquila.core.errors import UsageError
from aquila.links.pki.names import server_name

_FIRST_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
_UNIX = 3

Entries = list[tuple[str, str, str]]
"""Rows of a preference file: key, Java class, value."""


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a package says about the node.

    Attributes:
        name: of the device; its key store is NAME.p12.
        host: name or IPv4 address of the node.
        port: of its TLS stream.
        password: of both key stores.
        description: how the client lists the node.
        uid: of the package; the same for the same certificate.
    """

    name: str
    host: str
    port: int
    password: str
    description: str
    uid: str

    @property
    def connect_string(self) -> str:
        """`host:port:ssl`. Raises UsageError: clients split it at colons, so an IPv6 address cannot be."""
        host = str(server_name(self.host))
        if ":" in host:
            raise UsageError(f"address {host} cannot stand in a TAK package: give a host name or an IPv4 address")
        if not 1 <= self.port <= 65535:
            raise UsageError(f"port {self.port}: allowed are 1 to 65535")
        return f"{host}:{self.port}:ssl"


def atak_package(connection: Connection, key_store: bytes, trust_store: bytes) -> bytes:
    """A package for ATAK and WinTAK: the files lie under certs/.

    The certificates belong to this connection only (keys with 0); those that the client uses by
    default for other servers are left alone. The keys without a number stand in the same group,
    where ATAK passes them over and pytak finds them.
    """
    # ATAK moves the certificates of a package to atak/cert; the preferences name them there.
    entries = _connection_entries(connection, "cert/") + _default_entries(connection, "cert/")
    files = {
        "certs/config.pref": preference_file({"cot_streams": entries}),
        f"certs/{connection.name}.p12": key_store,
        "certs/truststore.p12": trust_store,
    }
    return _zip(connection, "atak", files)


def itak_package(connection: Connection, key_store: bytes, trust_store: bytes) -> bytes:
    """A package for iTAK: the files lie at the root, and the certificates are the client's default, too."""
    groups = {
        "cot_streams": _connection_entries(connection, ""),
        "com.atakmap.app_preferences": _default_entries(connection, ""),
    }
    files = {
        "config.pref": preference_file(groups),
        f"{connection.name}.p12": key_store,
        "truststore.p12": trust_store,
    }
    return _zip(connection, "itak", files)


def enrolling_package(connection: Connection, kind: str, trust_store: bytes) -> bytes:
    """A package without a key: address and trust. The client asks for name and token, and enrols.

    Args:
        connection: its name and password are those of the device and of the trust store.
        kind: atak or itak.
        trust_store: PKCS 12.
    """
    is_atak = kind == "atak"
    entries = [
        *_address_entries(connection),
        ("useAuth0", "Boolean", "true"),
        ("enrollForCertificateWithTrust0", "Boolean", "true"),
        ("cacheCreds0", "String", "Cache credentials"),
        *_trust_entries(connection, "cert/" if is_atak else "", "0"),
    ]
    groups = {"cot_streams": entries}
    if not is_atak:
        groups["com.atakmap.app_preferences"] = _trust_entries(connection, "", "")
    folder = "certs/" if is_atak else ""
    files = {f"{folder}config.pref": preference_file(groups), f"{folder}truststore.p12": trust_store}
    return _zip(connection, kind, files)


def _address_entries(connection: Connection) -> Entries:
    return [
        ("count", "Integer", "1"),
        ("description0", "String", connection.description),
        ("enabled0", "Boolean", "true"),
        ("connectString0", "String", connection.connect_string),
    ]


def _trust_entries(connection: Connection, folder: str, number: str) -> Entries:
    return [
        (f"caLocation{number}", "String", f"{folder}truststore.p12"),
        (f"caPassword{number}", "String", connection.password),
    ]


def _connection_entries(connection: Connection, folder: str) -> Entries:
    return [
        *_address_entries(connection),
        ("useAuth0", "Boolean", "false"),
        *_trust_entries(connection, folder, "0"),
        ("certificateLocation0", "String", f"{folder}{connection.name}.p12"),
        ("clientPassword0", "String", connection.password),
    ]


def _default_entries(connection: Connection, folder: str) -> Entries:
    return [
        *_trust_entries(connection, folder, ""),
        ("certificateLocation", "String", f"{folder}{connection.name}.p12"),
        ("clientPassword", "String", connection.password),
    ]


def preference_file(groups: Mapping[str, Entries]) -> bytes:
    """Preferences of a client by group. Keys and groups are plain words; values are escaped."""
    lines = ["<?xml version='1.0' encoding='UTF-8' standalone='yes'?>", "<preferences>"]
    for group, entries in groups.items():
        lines.append(f'  <preference version="1" name="{group}">')
        lines += [
            f'    <entry key="{key}" class="class java.lang.{kind}">{escape(value)}</entry>'
            for key, kind, value in entries
        ]
        lines.append("  </preference>")
    return "\n".join([*lines, "</preferences>", ""]).encode()


def data_package(uid: str, name: str, files: Mapping[str, bytes]) -> bytes:
    """A data package as TAK clients take it: the same bytes for the same contents (no clock, one order).

    Args:
        uid: of the package.
        name: for people.
        files: by their path in the zip. The client drops the package once it has imported them.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for path, content in {"MANIFEST/manifest.xml": _manifest(uid, name, files), **files}.items():
            entry = zipfile.ZipInfo(path, _FIRST_ZIP_DAY)
            entry.create_system = _UNIX
            entry.external_attr = 0o100600 << 16
            archive.writestr(entry, content)
    return written.getvalue()


def _manifest(uid: str, name: str, paths: Iterable[str]) -> bytes:
    parameters = {"uid": uid, "name": name, "onReceiveDelete": "true"}
    lines = ['<MissionPackageManifest version="2">', "  <Configuration>"]
    lines += [f'    <Parameter name="{key}" value={quoteattr(value)}/>' for key, value in parameters.items()]
    lines += ["  </Configuration>", "  <Contents>"]
    lines += [f'    <Content ignore="false" zipEntry={quoteattr(path)}/>' for path in paths]
    lines += ["  </Contents>", "</MissionPackageManifest>", ""]
    return "\n".join(lines).encode()


def _zip(connection: Connection, kind: str, files: dict[str, bytes]) -> bytes:
    return data_package(f"{connection.uid}-{kind}", f"{connection.name}-{kind}", files)
