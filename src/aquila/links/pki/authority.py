"""The certificate authority of a node: a root, an intermediate that issues, a revocation list.

Files, all for the owner only: `ca-root.pem` and `ca-intermediate.pem` (certificate and key),
`ca.pem` (both certificates, what others are given), `ca-crl.pem` (revocation lists of both),
`server.pem` (key and chain of the TLS ports). The keys are not encrypted: a node must start by
itself after a power cut, so a passphrase would lie beside them.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from aquila.core.errors import Refused, UsageError
from aquila.links.pki.certificates import (
    PublicKey,
    alternative_names,
    ca_certificate,
    canonical_serial,
    certificate_builder,
    common_name,
    day,
    general_name,
    is_issued_by,
    key_id_of_issuer,
    key_pem,
    key_usage,
    moment,
    new_key,
    new_list,
    new_serial,
    number_of_list,
    pem,
    serial_text,
    to_ms,
)
from aquila.links.pki.names import ALWAYS_SERVED, device_name, server_name, server_names
from aquila.links.pki.requests import read_request
from aquila.links.pki.secret_files import make_private_folder, read_secret, write_whole

DEVICE_DAYS = 365
DEVICE_DAYS_MAX = 5 * 365
SERVER_DAYS = 397
"""Apple refuses server certificates of public roots that are valid for longer than 398 days."""
SERVER_RENEW_DAYS = 30
ROOT_DAYS = 3653
INTERMEDIATE_DAYS = 1826
REASONS: Mapping[str, x509.ReasonFlags] = {
    reason.value: reason
    for reason in x509.ReasonFlags
    # A whole list never removes, and no device is put on hold: it is revoked and issued anew.
    if reason not in (x509.ReasonFlags.remove_from_crl, x509.ReasonFlags.certificate_hold)
}
_LIST_END = b"-----END X509 CRL-----\n"


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was just issued.

    Attributes:
        name: its common name.
        serial: in hexadecimal, upper case, an even number of digits, as `ssl` writes it.
        certificate_pem: the leaf alone.
        key_pem: PKCS 8, not encrypted; None = whoever asked for the certificate keeps the key.
        not_after_ms: the end of its validity, UTC.
    """

    name: str
    serial: str
    certificate_pem: bytes
    key_pem: bytes | None
    not_after_ms: int


class Authority:
    """The authority in one folder. One process at a time, the one that holds the data folder."""

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        """Read what `create` wrote; see `open`."""
        self.folder = folder
        self._random_bytes = random_bytes
        self.lists_lock: AbstractContextManager[object] = nullcontext()
        """Held while a list is made anew from the one before. A node, whose threads revoke, puts a real lock here."""
        self.root, _ = _read_pair(folder / "ca-root.pem")
        self.intermediate, self._key = _read_pair(folder / "ca-intermediate.pem")
        self._list, self._root_list_pem = _read_lists(self.crl_path)
        self._revoked = {serial_text(row.serial_number): to_ms(row.revocation_date_utc) for row in self._list}

    @classmethod
    def create(
        cls,
        folder: Path,
        name: str,
        now_ms: int,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> Self:
        """Make a new authority.

        Args:
            folder: DATA/secrets; made when absent.
            name: of the node; stands in the names of both certificates.
            now_ms: UTC milliseconds.
            random_bytes: source of serial numbers. Keys come from OpenSSL's own source.

        Raises UsageError: there is one already, a name that may not be, a folder that cannot be
        written.
        """
        if cls.exists(folder):
            raise UsageError(f"{folder} holds an authority already: open it, or name another folder")
        make_private_folder(folder)
        # Two nodes of one name must stay apart, in the lists of phones and for OpenSSL's look-up.
        name = f"{device_name(name)[:16]} {random_bytes(2).hex().upper()}"
        now = moment(now_ms)
        root_key, key = new_key(), new_key()
        root_name, issuer_name = f"{name} root CA", f"{name} CA"
        issuer = common_name(root_name), root_key
        serials = [new_serial(random_bytes) for _ in range(2)]
        root = ca_certificate(root_name, root_key, issuer, serials[0], now, ROOT_DAYS, 1)
        intermediate = ca_certificate(issuer_name, key, issuer, serials[1], now, INTERMEDIATE_DAYS, 0)
        lists = new_list(intermediate, key, now, 1, ()), new_list(root, root_key, now, 1, ())
        write_whole(folder / "ca-intermediate.pem", pem(intermediate) + key_pem(key))
        write_whole(folder / "ca-crl.pem", b"".join(map(pem, lists)))
        write_whole(folder / "ca.pem", pem(intermediate) + pem(root))
        # Written last: with it the authority exists; after a crash before it `create` begins anew.
        write_whole(folder / "ca-root.pem", pem(root) + key_pem(root_key))
        return cls(folder, random_bytes)

    @classmethod
    def open(cls, folder: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> Self:
        """The authority that `create` made. Raises UsageError: none, damaged, not readable."""
        return cls(folder, random_bytes)

    @classmethod
    def exists(cls, folder: Path) -> bool:
        """Whether `create` came to its end in this folder."""
        return (folder / "ca-root.pem").exists()

    @property
    def chain(self) -> tuple[x509.Certificate, x509.Certificate]:
        """Intermediate and root."""
        return self.intermediate, self.root

    @property
    def chain_pem(self) -> bytes:
        """Intermediate and root: what every device must trust, both of them.

        ATAK looks at the server's leaf without the intermediate that the handshake brings.
        """
        return pem(self.intermediate) + pem(self.root)

    @property
    def chain_path(self) -> Path:
        """`chain_pem` as a file."""
        return self.folder / "ca.pem"

    @property
    def crl_path(self) -> Path:
        """Revocation lists of intermediate and root, in PEM."""
        return self.folder / "ca-crl.pem"

    @property
    def server_path(self) -> Path:
        """Key and chain of the TLS ports, once `ensure_server` ran."""
        return self.folder / "server.pem"

    @property
    def revoked(self) -> Mapping[str, int]:
        """When each revoked serial was revoked, UTC milliseconds."""
        return self._revoked

    def is_revoked(self, serial: str | int) -> bool:
        """Whether a certificate of this authority was taken back; its serial in any form."""
        return canonical_serial(serial) in self._revoked

    def issue_device(self, name: str, now_ms: int, days: int = DEVICE_DAYS) -> Issued:
        """A client certificate with a new P-256 key.

        Raises UsageError: a name or a number of days that may not be, a clock outside the
        authority's validity.
        """
        name = device_name(name)
        key = new_key()
        return self._issue_device(name, key.public_key(), now_ms, days, key_pem(key))

    def sign_request(self, request: bytes, name: str, now_ms: int, days: int = DEVICE_DAYS) -> Issued | Refused:
        """A client certificate for a key that stays on the device.

        Args:
            request: PKCS 10 in PEM, in DER, or in base64 without banners, as ATAK sends it.
            name: whom the caller has authenticated. The request must carry it as its common name,
                in any case; the certificate carries it as written here, and nothing else of the
                request but the key.
            now_ms: UTC milliseconds.
            days: of validity.

        Returns Refused for a bad request; raises UsageError as `issue_device` does.
        """
        name = device_name(name)
        key = read_request(request, name)
        if isinstance(key, Refused):
            return key
        return self._issue_device(name, key, now_ms, days, None)

    def issue_server(self, names: Iterable[str], now_ms: int) -> Issued:
        """A certificate for the TLS ports, for the loopback's names and `names`.

        Raises UsageError: a name that may not be, a clock outside the authority's validity.
        """
        every = server_names(names)
        found = [server_name(name) for name in every]
        key = new_key()
        # The first name that others use is the common name: old clients show it.
        others = [name for name in every if name not in ALWAYS_SERVED]
        common = next((name for name in others if len(name) <= 64), "localhost")
        builder = self._leaf(common, key.public_key(), now_ms, SERVER_DAYS)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        ).add_extension(x509.SubjectAlternativeName(list(map(general_name, found))), critical=False)
        return _issued(builder.sign(self._key, hashes.SHA256()), common, key_pem(key))

    def ensure_server(self, names: Iterable[str], now_ms: int) -> bool:
        """See that `server_path` holds a certificate for these names that is good for 30 days more.

        Returns True when a new one was made: running gates are then to `reload`. To be called at
        start and once a day. Raises UsageError as `issue_server` does.
        """
        if self._is_server_good(set(map(general_name, map(server_name, server_names(names)))), moment(now_ms)):
            return False
        issued = self.issue_server(names, now_ms)
        assert issued.key_pem is not None
        write_whole(
            self.server_path,
            issued.certificate_pem + pem(self.intermediate) + issued.key_pem,
        )
        return True

    def revoke(self, serial: str | int, now_ms: int, reason: str = "unspecified") -> bool:
        """Take a certificate back; on return the list is on disk. False = it was revoked before.

        Gates are then to `reload`, and the hub closes what is connected with this serial.

        Raises UsageError for a serial that is no hexadecimal number, or a reason that RFC 5280 does
        not know.
        """
        return self.revoke_all([serial], now_ms, reason) == 1

    def revoke_all(self, serials: Iterable[str | int], now_ms: int, reason: str = "unspecified") -> int:
        """Take several back with one new list; gives how many were not revoked before. See `revoke`."""
        if reason not in REASONS:
            raise UsageError(f"reason {reason!r} is unknown: allowed are {', '.join(REASONS)}")
        wanted = [canonical_serial(serial) for serial in serials]
        with self.lists_lock:
            fresh = [serial for serial in dict.fromkeys(wanted) if serial not in self._revoked]
            if fresh:
                self._add_to_list(fresh, now_ms, REASONS[reason])
        return len(fresh)

    def _add_to_list(self, serials: Iterable[str], now_ms: int, flag: x509.ReasonFlags) -> None:
        now = moment(now_ms)
        # A certificate that was revoked so long ago has ended by itself: it would only make the list longer.
        kept = [row for row in self._list if now - row.revocation_date_utc <= timedelta(days=DEVICE_DAYS_MAX)]
        rows = [
            x509.RevokedCertificateBuilder()
            .serial_number(int(serial, 16))
            .revocation_date(now)
            .add_extension(x509.CRLReason(flag), critical=False)
            .build()
            for serial in serials
        ]
        number = number_of_list(self._list) + 1
        revocations = new_list(self.intermediate, self._key, now, number, [*kept, *rows])
        write_whole(self.crl_path, pem(revocations) + self._root_list_pem)
        self._list = revocations
        self._revoked = {**self._revoked, **dict.fromkeys(serials, now_ms)}

    def _is_server_good(self, wanted: set[x509.GeneralName], now: datetime) -> bool:
        try:
            leaf, _ = _read_pair(self.server_path)
        except UsageError:
            # Missing or damaged: unlike the authority's own files it can simply be made anew.
            return False
        if not is_issued_by(leaf, self.intermediate) or set(alternative_names(leaf)) != wanted:
            return False
        renewal = leaf.not_valid_after_utc - timedelta(days=SERVER_RENEW_DAYS)
        # Near the intermediate's end no longer one can be made, so one per start would be no help.
        is_last = leaf.not_valid_after_utc >= self.intermediate.not_valid_after_utc
        return leaf.not_valid_before_utc <= now < renewal or is_last

    def _issue_device(self, name: str, key: PublicKey, now_ms: int, days: int, kept_pem: bytes | None) -> Issued:
        if not 1 <= days <= DEVICE_DAYS_MAX:
            raise UsageError(f"{days} days of validity: allowed are 1 to {DEVICE_DAYS_MAX}")
        builder = self._leaf(name, key, now_ms, days).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        return _issued(builder.sign(self._key, hashes.SHA256()), name, kept_pem)

    def _leaf(self, name: str, key: PublicKey, now_ms: int, days: int) -> x509.CertificateBuilder:
        now = moment(now_ms)
        first, last = self.intermediate.not_valid_before_utc, self.intermediate.not_valid_after_utc
        if not first <= now < last:
            raise UsageError(
                f"the clock says {day(now)}, but the certificate authority in {self.folder} is valid from"
                f" {day(first)} to {day(last)}: set the clock right, or begin with a new data folder"
            )
        until = min(now + timedelta(days=days), last)
        serial = new_serial(self._random_bytes)
        subject, issuer = common_name(name), self.intermediate.subject
        usage = key_usage(enciphers=isinstance(key, rsa.RSAPublicKey))
        return (
            certificate_builder(subject, issuer, key, serial, now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(key_id_of_issuer(self._key), critical=False)
        )


def _issued(leaf: x509.Certificate, name: str, kept_pem: bytes | None) -> Issued:
    return Issued(
        name=name,
        serial=serial_text(leaf.serial_number),
        certificate_pem=pem(leaf),
        key_pem=kept_pem,
        not_after_ms=to_ms(leaf.not_valid_after_utc),
    )


def _read_pair(path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The first certificate and the key of a file."""
    content = read_secret(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as error:
        raise UsageError(_damaged(path, error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or (key.public_key() != certificate.public_key()):
        raise UsageError(_damaged(path, "its key is not the certificate's"))
    return certificate, key


def _read_lists(path: Path) -> tuple[x509.CertificateRevocationList, bytes]:
    """The intermediate's list, which stands first, and the root's as it is written."""
    content = read_secret(path)
    try:
        first = x509.load_pem_x509_crl(content)
    except ValueError as error:
        raise UsageError(_damaged(path, error)) from error
    return first, content.partition(_LIST_END)[2]


def _damaged(path: Path, why: object) -> str:
    return f"{path} is damaged ({why}): restore it from a backup"
