"""What is wrong with a certificate, in one sentence that says what to do."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from aquila.links.pki.certificates import (
    alternative_names,
    common_name_of,
    day,
    general_name,
    is_issued_by,
    moment,
    serial_text,
    to_ms,
)
from aquila.links.pki.names import server_name

DAY_MS = 86_400_000
WARN_DAYS = 30
AUTHORITY_WARN_DAYS = 365
"""A device's certificate lasts this long by default; below it new ones end sooner than people expect."""

Purpose = Literal["client", "server"]
_USAGE = {
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
}
NEW_FILES = "issue new files with `aquila device add`"
_REMEDY: Final = {
    "client": NEW_FILES,
    "server": "stop the node and start it again, it makes a new one",
}
_NEW_AUTHORITY: Final = "begin with a new data folder, and issue every device new files from it"


class Diagnosis(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        grade: good; warn = works today; bad = does not work.
        reason: a short stable word: good, syntax, ca, issuer, usage, future, expired, expiring,
            revoked, host.
        sentence: for people.
        values: what stands in it, for whoever says it in another language: name, serial, from, until, now, days,
            names (a server is good for), host (it is called); empty = nothing could be read.
    """

    grade: Literal["good", "warn", "bad"]
    reason: str
    sentence: str
    values: Mapping[str, str] = {}


def describe(
    certificate: bytes,
    chain: bytes,
    now_ms: int,
    *,
    purpose: Purpose = "client",
    is_revoked: Callable[[str], bool] | None = None,
    host: str | None = None,
) -> Diagnosis:
    """The first thing that is wrong with a certificate, or that nothing is.

    Args:
        certificate: PEM; the first in it counts.
        chain: intermediate and root of the node, PEM.
        now_ms: UTC milliseconds of this machine.
        purpose: what it is shown as.
        is_revoked: by serial; None = not known here.
        host: by which a server is called; None = not asked.
    """
    remedy = _REMEDY[purpose]
    try:
        issuers = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        return _damaged_chain(error)
    try:
        leaf = x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        return Diagnosis("bad", "syntax", f"this is no certificate in PEM ({error}): {remedy}")
    values = _values(leaf, now_ms, host)
    who = f"certificate of {common_name_of(leaf.subject)!r}, serial {serial_text(leaf.serial_number)}"
    wrong = (
        _wrong_issuer(leaf, issuers, remedy)
        or _wrong_usage(leaf, purpose)
        or _wrong_time(leaf, now_ms, remedy)
        or (_wrong_host(leaf, host) if host is not None else None)
    )
    if wrong is None and is_revoked is not None and is_revoked(serial_text(leaf.serial_number)):
        wrong = "revoked", f"is revoked: {NEW_FILES} if the device may come back"
    if wrong:
        return Diagnosis("bad", wrong[0], f"{who}, {wrong[1]}", values)
    until = day(leaf.not_valid_after_utc)
    days = (to_ms(leaf.not_valid_after_utc) - now_ms) // DAY_MS
    if days < WARN_DAYS:
        return Diagnosis("warn", "expiring", f"{who}, ends in {days} days ({until}): {remedy} before", values)
    return Diagnosis("good", "good", f"{who}, is good until {until}", values)


def describe_authority(chain: bytes, now_ms: int) -> Diagnosis:
    """How long the authority itself lasts; no certificate outlives it.

    Args:
        chain: intermediate and root of the node, PEM.
        now_ms: UTC milliseconds of this machine.
    """
    try:
        issuers = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        return _damaged_chain(error)
    first = min(issuers, key=lambda issuer: issuer.not_valid_after_utc)
    values = _values(first, now_ms)
    who = f"authority {common_name_of(first.subject)!r}"
    wrong = _wrong_time(first, now_ms, _NEW_AUTHORITY)
    if wrong:
        return Diagnosis("bad", wrong[0], f"{who} {wrong[1]}", values)
    until = day(first.not_valid_after_utc)
    days = (to_ms(first.not_valid_after_utc) - now_ms) // DAY_MS
    if days < AUTHORITY_WARN_DAYS:
        sentence = f"{who} ends in {days} days ({until}), and every certificate with it: {_NEW_AUTHORITY} before"
        return Diagnosis("warn", "expiring", sentence, values)
    return Diagnosis("good", "good", f"{who} is good until {until}", values)


def _values(shown: x509.Certificate, now_ms: int, host: str | None = None) -> Mapping[str, str]:
    return {
        "name": common_name_of(shown.subject),
        "serial": serial_text(shown.serial_number),
        "from": day(shown.not_valid_before_utc),
        "until": day(shown.not_valid_after_utc),
        "now": day(moment(now_ms)),
        "days": str((to_ms(shown.not_valid_after_utc) - now_ms) // DAY_MS),
        "names": ", ".join(str(name.value) for name in alternative_names(shown)) or "-",
        "host": host or "",
    }


def _damaged_chain(error: ValueError) -> Diagnosis:
    return Diagnosis("bad", "syntax", f"ca.pem of this node is damaged ({error}): restore it from a backup")


def _wrong_issuer(leaf: x509.Certificate, issuers: list[x509.Certificate], remedy: str) -> tuple[str, str] | None:
    if any(leaf == issuer for issuer in issuers):
        return "ca", "belongs to the authority itself: name the device's .pem"
    if any(is_issued_by(leaf, issuer) for issuer in issuers):
        return None
    by = common_name_of(leaf.issuer)
    ours = common_name_of(issuers[0].subject) if issuers else "no certificate"
    if leaf.issuer == leaf.subject:
        return "issuer", f"is signed by itself, not by {ours!r} of this node: {remedy}"
    if any(leaf.issuer == issuer.subject for issuer in issuers):
        return "issuer", f"bears the name of {by!r} but not its signature: {remedy}"
    return (
        "issuer",
        f"was issued by {by!r}, but this node's authority is {ours!r}: it belongs to another "
        "node or to an"
        f" earlier data folder; {remedy}",
    )


def _wrong_usage(leaf: x509.Certificate, purpose: Purpose) -> tuple[str, str] | None:
    try:
        usages = list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return None
    if _USAGE[purpose] in usages:
        return None
    other = "server" if purpose == "client" else "client"
    return (
        "usage",
        f"is for a {other}, but is shown by a {purpose}: name the {purpose}'s certificate",
    )


def _wrong_time(leaf: x509.Certificate, now_ms: int, remedy: str) -> tuple[str, str] | None:
    now = moment(now_ms)
    if now < leaf.not_valid_before_utc:
        return (
            "future",
            f"is valid from {day(leaf.not_valid_before_utc)} only, and this machine's clock says"
            f" {day(now)}: the clock of this machine, or of the one that issued it, is wrong; "
            "set it",
        )
    if now > leaf.not_valid_after_utc:
        return (
            "expired",
            f"ended at {day(leaf.not_valid_after_utc)}, and this machine's clock says {day(now)}:"
            f" {remedy}, or set the clock if that date is wrong",
        )
    return None


def _wrong_host(leaf: x509.Certificate, host: str) -> tuple[str, str] | None:
    known = alternative_names(leaf)
    if general_name(server_name(host)) in known:
        return None
    names = ", ".join(str(name.value) for name in known) or "no name"
    return (
        "host",
        f"is good for {names}, but the node is called as {host}: start the node with"
        f" `--public-name {host}`, or call it by one of these names",
    )
