"""X.509 certificates and revocation lists as this node makes them: P-256, SHA-256, strict."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from aquila.core.dtg import dtg
from aquila.core.errors import UsageError

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
CLOCK_SLACK = timedelta(days=1)
"""How far certificates and lists reach back before their making: phones' clocks are often wrong."""
SERIAL_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at_ms: int) -> datetime:
    """A time in whole seconds, as certificates have it."""
    return _EPOCH + timedelta(seconds=at_ms // 1000)


def to_ms(at: datetime) -> int:
    """UTC milliseconds."""
    return int((at - _EPOCH).total_seconds()) * 1000


def day(at: datetime) -> str:
    """Date-time group, for people."""
    return dtg(to_ms(at))


def serial_text(serial: int) -> str:
    """A serial as `ssl` and `openssl` write it: upper-case hexadecimal, an even number of digits."""
    return serial.to_bytes(max(1, (serial.bit_length() + 7) // 8)).hex().upper()


def canonical_serial(serial: str | int) -> str:
    """The same serial in the one form that is compared. Raises UsageError."""
    try:
        number = serial if isinstance(serial, int) else int(serial.replace(":", ""), 16)
    except ValueError:
        number = -1
    # RFC 5280, 4.1.2.2: positive, at most 20 bytes.
    if not 0 < number < 1 << 159:
        raise UsageError(f"serial {str(serial)[:80]!a} is wrong: allowed are up to 40 hexadecimal digits, not 0")
    return serial_text(number)


def new_serial(random_bytes: Callable[[int], bytes]) -> int:
    """A positive number of 127 bits, the highest set, so that all are of one length."""
    raw = random_bytes(SERIAL_BYTES)
    return int.from_bytes(raw) & (1 << 127) - 1 | 1 << 126


def pem(found: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    """A certificate or list in PEM."""
    return found.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key in PEM, PKCS 8, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def common_name(name: str) -> x509.Name:
    """A subject that is nothing but a common name: other parts break some clients."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def common_name_of(name: x509.Name) -> str:
    """The common name among whatever other parts; empty = there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def new_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key; its randomness is OpenSSL's."""
    return ec.generate_private_key(ec.SECP256R1())


def ca_certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    serial: int,
    now: datetime,
    days: int,
    path_length: int,
) -> x509.Certificate:
    """The certificate of an authority.

    Args:
        name: its common name.
        key: its key.
        issuer: name and key that sign; its own for a root.
        serial: number among those of the issuer.
        now: it is valid from a little before.
        days: of validity.
        path_length: how many authorities may stand below it.
    """
    issuer_name, issuer_key = issuer
    until = now + timedelta(days=days)
    builder = certificate_builder(common_name(name), issuer_name, key.public_key(), serial, now, until)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(issues=True), critical=True)
        .add_extension(key_id_of_issuer(issuer_key), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def certificate_builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PublicKey,
    serial: int,
    now: datetime,
    until: datetime,
) -> x509.CertificateBuilder:
    """What all certificates have."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def key_usage(*, issues: bool = False, enciphers: bool = False) -> x509.KeyUsage:
    """Signing of certificates and lists, or of handshakes; an RSA key may also decipher a key."""
    return x509.KeyUsage(
        digital_signature=not issues,
        key_encipherment=enciphers,
        key_cert_sign=issues,
        crl_sign=issues,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def key_id_of_issuer(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    """Which key signed."""
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def new_list(
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    number: int,
    rows: Iterable[x509.RevokedCertificate],
) -> x509.CertificateRevocationList:
    """A revocation list, valid until its issuer ends.

    It never runs out before, because a list that does would lock every device out; that lists are
    fresh is seen to by `TlsGate.reload`.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - CLOCK_SLACK)
        .next_update(issuer.not_valid_after_utc)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(key_id_of_issuer(key), critical=False)
    )
    for row in rows:
        builder = builder.add_revoked_certificate(row)
    return builder.sign(key, hashes.SHA256())


def number_of_list(found: x509.CertificateRevocationList) -> int:
    """How many lists came before, and one."""
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def general_name(name: str | IPv4Address | IPv6Address) -> x509.GeneralName:
    """A host name or address as certificates hold it."""
    return x509.DNSName(name) if isinstance(name, str) else x509.IPAddress(name)


def alternative_names(found: x509.Certificate) -> list[x509.GeneralName]:
    """Names and addresses that a server's certificate is good for."""
    try:
        return list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def is_issued_by(found: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed it, under the issuer's name."""
    try:
        found.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def fingerprint_of(certificate_pem: bytes) -> str:
    """SHA-256 of a certificate as TAK servers and Node.js write it: AA:BB:..."""
    return x509.load_pem_x509_certificate(certificate_pem).fingerprint(hashes.SHA256()).hex(":").upper()


def bare_base64(certificate_pem: bytes) -> str:
    """A certificate in base64, without banners and on one line. Raises ValueError for what is no certificate."""
    der = x509.load_pem_x509_certificate(certificate_pem).public_bytes(serialization.Encoding.DER)
    return b64encode(der).decode()
