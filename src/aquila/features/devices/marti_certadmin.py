"""Administration of certificates and security by the TAK server's contract; for administrators only."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aquila.codecs.cot.marti import VERSION, as_json, as_text, enveloped, instant
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.devices.certadmin import (
    IDS_MAX,
    AskCertificate,
    AskCertificates,
    CertificateRow,
    CertificatesTaken,
    Listed,
    TakeCertificates,
    certificate,
    certificates,
    take_certificates,
)
from aquila.links.pki.authority import DEVICE_DAYS

CERTIFICATE = "com.bbn.marti.cot.TakCert"
BASE = "/Marti/api/certadmin/cert"
SOURCE = "tak.md 6.3"


def _form(row: CertificateRow) -> dict[str, Any]:
    found = row.certificate
    subject = f"CN={found.device}"
    return {
        "id": row.id,
        "creatorDn": subject,
        "subjectDn": subject,
        "userDn": found.device,
        "certificate": row.pem,
        "hash": found.fingerprint,
        "clientUid": found.client,
        "issuanceDate": instant(found.issued_at_ms),
        "expirationDate": instant(found.not_after_ms),
        "effectiveDate": instant(found.issued_at_ms),
        "revocationDate": None if found.revoked_at_ms is None else instant(found.revoked_at_ms),
        "token": "",
        "serialNumber": found.serial,
    }


def _listed(listed: Listed) -> Callable[[Call], AskCertificates]:
    return lambda call: AskCertificates(listed=listed, device=call.one("username") or None)


def _list(rows: Sequence[CertificateRow], call: Call) -> Reply:
    return enveloped(CERTIFICATE, [_form(row) for row in rows], call)


def _ask_one(call: Call) -> AskCertificate:
    return AskCertificate(fingerprint=call.parts["hash"])


def _ask_known(call: Call) -> AskCertificates:
    return AskCertificates(fingerprint=call.parts["hash"], limit=1)


def _known(rows: Sequence[CertificateRow], call: Call) -> Reply:
    # An unknown hash is no error: node-tak's validate() takes an answer without `data` for "not known", but passes a
    # 404 on as its own failure. (The official server answers 500 there.)
    if not rows:
        return as_json({"version": VERSION, "type": CERTIFICATE, "nodeId": call.node})
    return enveloped(CERTIFICATE, _form(rows[0]), call)


def _pem(row: CertificateRow, call: Call) -> Reply:
    return as_text(row.pem, kind="application/x-pem-file")


def _ids(call: Call) -> tuple[int, ...]:
    words = call.parts["ids"].split(",")
    if len(words) > IDS_MAX or not all(word.isascii() and word.isdecimal() and len(word) <= 16 for word in words):
        raise ValueError(f"ids: at most {IDS_MAX} numbers, joined by commas")
    return tuple(int(word) for word in words)


def _zip(rows: Sequence[CertificateRow], call: Call) -> Reply:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, row in enumerate(rows, 1):
            archive.writestr(zipfile.ZipInfo(f"{number}_{row.certificate.device}_ClientCert.pem"), row.pem)
    return Reply(body=out.getvalue(), kind="application/zip", filename="certificates.zip")


def _take(*, delete: bool) -> Callable[[Call], TakeCertificates]:
    return lambda call: TakeCertificates(ids=_ids(call), delete=delete)


def _take_one(call: Call) -> TakeCertificates:
    return TakeCertificates(fingerprint=call.parts["hash"])


def _taken(answer: CertificatesTaken, call: Call) -> Reply:
    forms = [_form(row) for row in answer.rows]
    return enveloped(CERTIFICATE, forms[0] if len(forms) == 1 else forms, call)


# -- security: true answers where the question has one here -----------------------------------------------------------


def _security(_: object, call: Call) -> Reply:
    # Names of files and passwords are in the form, but not for anybody's eyes.
    files = ("keystoreFile", "truststoreFile", "keystorePass", "truststorePass", "signingKeystoreFile")
    data: dict[str, Any] = dict.fromkeys((*files, "signingKeystorePass"), "")
    data |= {
        "tlsVersion": "TLSv1.2",
        "x509Groups": True,
        "x509addAnon": False,
        "enableEnrollment": True,
        "caType": "TAK Server",
        "validityDays": DEVICE_DAYS,
    }
    absent = ("mscaUserName", "mscaPassword", "mscaTruststore", "mscaTruststorePass", "mscaTemplateName")
    said = {**data, **dict.fromkeys(absent)}
    body = {"version": "3", "type": "SecurityConfigInfo", "data": said, "nodeId": call.node}
    # The one form whose clients want to see what is null.
    return Reply(body=msgspec.json.encode(body), kind="application/json")


def _is_secure(_: object, call: Call) -> Reply:
    return enveloped("java.lang.String", "true", call)


def _rows() -> Sequence[Endpoint]:
    lists: tuple[tuple[str, Listed], ...] = (
        ("", "all"),
        ("/active", "active"),
        ("/expired", "expired"),
        ("/replaced", "replaced"),
        ("/revoked", "revoked"),
    )
    return [
        Endpoint(
            method="GET",
            path=BASE + ending,
            work=certificates,
            ask=_listed(listed),
            render=_list,
            role="admin",
            source=SOURCE,
        )
        for ending, listed in lists
    ]


endpoints = (
    *_rows(),
    Endpoint(
        method="GET",
        path=BASE + "/{hash}",
        work=certificates,
        ask=_ask_known,
        render=_known,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(
        method="GET",
        path=BASE + "/{hash}/download",
        work=certificate,
        ask=_ask_one,
        render=_pem,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(
        method="GET",
        path=BASE + "/download/{ids}",
        work=certificates,
        ask=lambda call: AskCertificates(ids=_ids(call)),
        render=_zip,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(
        method="DELETE",
        path=BASE + "/{hash}",
        work=take_certificates,
        ask=_take_one,
        render=_taken,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(
        method="DELETE",
        path=BASE + "/revoke/{ids}",
        work=take_certificates,
        ask=_take(delete=False),
        render=_taken,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(
        method="DELETE",
        path=BASE + "/delete/{ids}",
        work=take_certificates,
        ask=_take(delete=True),
        render=_taken,
        role="admin",
        source=SOURCE,
    ),
    Endpoint(method="GET", path="/Marti/api/security/config", render=_security, role="admin", source=SOURCE),
    Endpoint(method="GET", path="/Marti/api/security/isSecure", render=_is_secure, role="admin", source=SOURCE),
    Endpoint(method="GET", path="/Marti/api/security/verifyConfig", render=_is_secure, role="admin", source=SOURCE),
)
