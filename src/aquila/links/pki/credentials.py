"""The files that a device gets: certificate, key and trust in the forms that TAK clients open."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from aquila.core.errors import UsageError
from aquila.links.pki.authority import Authority, Issued
from aquila.links.pki.certificates import common_name_of
from aquila.links.pki.packages import Connection, atak_package, enrolling_package, itak_package
from aquila.links.pki.secret_files import make_private_folder, write_whole

SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"
"""32 signs that a person can tell apart, so that one random byte gives one without bias."""
PASSWORD_LENGTH = 16
_PASSWORD = re.compile(r"[!-~]{4,64}")


class DeviceFile(msgspec.Struct, frozen=True):
    """One file of a device's folder.

    Attributes:
        name: of the file, no folder in it.
        content: its bytes.
        is_secret: it holds a key or a password: mode 0600.
    """

    name: str
    content: bytes
    is_secret: bool

    @property
    def mode(self) -> int:
        """Mode bits."""
        return 0o600 if self.is_secret else 0o644


def new_password(random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """A password of 80 bits for one device's key stores.

    ATAK's own default, `atakatak`, is known to all. The packages carry the password, so nobody has
    to type it except who imports the .p12 by hand.
    """
    return "".join(SIGNS[byte % 32] for byte in random_bytes(PASSWORD_LENGTH))


def device_files(
    authority: Authority, issued: Issued, *, host: str, port: int, password: str
) -> tuple[DeviceFile, ...]:
    """All that a device may want, by any client.

    NAME.p12, NAME.pem (leaf, intermediate, root), NAME.key, ca.pem (intermediate and root),
    truststore.p12, and the packages NAME-atak.zip and NAME-itak.zip, which hold both key stores,
    their password and the address.

    Args:
        authority: that issued the certificate.
        issued: with its key.
        host: name or IPv4 address by which the device reaches the node.
        port: of the TLS stream.
        password: of both key stores; see `new_password`.

    Raises UsageError for a host, port or password that may not be, or a certificate without its
    key.
    """
    if not _PASSWORD.fullmatch(password):
        raise UsageError(f"password of {len(password)} characters: allowed are 4 to 64 ASCII signs, no space")
    name = issued.name
    key_store = client_store(authority, issued, password)
    trust = trust_store(authority, password)
    connection = Connection(
        name=name,
        host=host,
        port=port,
        password=password,
        description=common_name_of(authority.intermediate.subject).removesuffix(" CA"),
        uid=package_uid(issued),
    )
    chain = issued.certificate_pem + authority.chain_pem
    assert issued.key_pem is not None
    return (
        DeviceFile(f"{name}.p12", key_store, is_secret=True),
        DeviceFile(f"{name}.pem", chain, is_secret=False),
        DeviceFile(f"{name}.key", issued.key_pem, is_secret=True),
        DeviceFile("ca.pem", authority.chain_pem, is_secret=False),
        DeviceFile("truststore.p12", trust, is_secret=True),
        DeviceFile(f"{name}-atak.zip", atak_package(connection, key_store, trust), is_secret=True),
        DeviceFile(f"{name}-itak.zip", itak_package(connection, key_store, trust), is_secret=True),
    )


def write_device(
    out_folder: Path,
    authority: Authority,
    issued: Issued,
    *,
    host: str,
    port: int,
    password: str,
) -> tuple[Path, ...]:
    """Write `device_files` into a folder (0700 when it is made); gives their paths. Raises UsageError."""
    files = device_files(authority, issued, host=host, port=port, password=password)
    make_private_folder(out_folder)
    for file in files:
        write_whole(out_folder / file.name, file.content, file.mode)
    return tuple(out_folder / file.name for file in files)


class InvitationPackages(msgspec.Struct, frozen=True, kw_only=True):
    """Data packages for a device that is to enrol.

    Attributes:
        atak, itak: zip files. password: of the trust store in them. description: how a client lists the node.
    """

    atak: bytes
    itak: bytes
    password: str
    description: str


def invitation_packages(authority: Authority, *, name: str, host: str, port: int, uid: str) -> InvitationPackages:
    """Packages that bring address and trust, but no key.

    Args:
        authority: whose chain is to be trusted.
        name: of the device.
        host: name or IPv4 address of the node.
        port: of its TLS stream.
        uid: of the packages; each client's has its own ending.

    Raises UsageError for a host or port that may not be.
    """
    password, description = new_password(), common_name_of(authority.intermediate.subject).removesuffix(" CA")
    connection = Connection(name=name, host=host, port=port, password=password, description=description, uid=uid)
    trust = trust_store(authority, password)
    return InvitationPackages(
        atak=enrolling_package(connection, "atak", trust),
        itak=enrolling_package(connection, "itak", trust),
        password=password,
        description=description,
    )


def enrolment_store(authority: Authority, certificate_pem: bytes, password: str) -> bytes:
    """What the older form of enrolment answers: PKCS 12 with the entries signedCert, ca0, ca1 and no key."""
    chain = (x509.load_pem_x509_certificate(certificate_pem), authority.intermediate, authority.root)
    entries = [
        pkcs12.PKCS12Certificate(certificate, name)
        for name, certificate in zip((b"signedCert", b"ca0", b"ca1"), chain, strict=True)
    ]
    return pkcs12.serialize_java_truststore(entries, _legacy_encryption(password))


def client_store(authority: Authority, issued: Issued, password: str) -> bytes:
    """Key, certificate and chain as PKCS 12. Raises UsageError when the key is not here."""
    if issued.key_pem is None:
        raise UsageError(
            f"the key of {issued.name} is on the device: only a certificate issued with its key"
            " can be put into a key store"
        )
    key = serialization.load_pem_private_key(issued.key_pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    # Root first: pytak takes the first of these as its one trust anchor, and with the intermediate
    # alone OpenSSL would not end the chain. Others sort the chain by themselves.
    return pkcs12.serialize_key_and_certificates(
        issued.name.encode(),
        key,
        x509.load_pem_x509_certificate(issued.certificate_pem),
        [authority.root, authority.intermediate],
        _legacy_encryption(password),
    )


def trust_store(authority: Authority, password: str) -> bytes:
    """Intermediate and root as PKCS 12 that Java, too, takes for trusted.

    Both, because ATAK judges the server's leaf by these certificates alone.
    """
    entries = [
        pkcs12.PKCS12Certificate(certificate, common_name_of(certificate.subject).encode())
        for certificate in authority.chain
    ]
    return pkcs12.serialize_java_truststore(entries, _legacy_encryption(password))


def package_uid(issued: Issued) -> str:
    """The uid of a device's packages: the same for the same certificate."""
    return f"aquila-{issued.serial.lower()}"


def _legacy_encryption(password: str) -> serialization.KeySerializationEncryption:
    # Android's key store and the OpenSSL inside ATAK open no newer form. It is weak against
    # guessing, which is why passwords are made here and not chosen.
    return (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303
        .build(password.encode())
    )
