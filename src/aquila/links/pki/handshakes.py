"""Why a handshake fails, on either side of it, in one sentence that says what to do."""

import socket
import ssl

from aquila.links.pki.diagnosis import NEW_FILES

_OTHER_USE = (
    "the certificate is made for another use (a server's shown by a client, or the reverse):"
    " name the device's .pem and .key"
)
_REVOKED = f"the certificate is revoked: {NEW_FILES} if the device may come back"
_FORGED = f"a signature does not fit: the certificate is forged or damaged, or the key is not its own; {NEW_FILES}"
_OLD_TLS = "one side speaks only TLS older than 1.2: update the client"
_HUNG_UP = "the other side hung up during the handshake: look into its log; a firewall or a wrong port does this, too"
_WRONG_NAME = (
    "the server's certificate is not good for the name or address that it was called by: start the"
    " node with `--public-name NAME`, or call it by a name that is in the certificate"
)

# X509_V_ERR_* of OpenSSL's x509_vfy.h; Python has no names for them.
_BY_VERIFY_CODE = {
    3: "the revocation list is missing: restore DATA/secrets/ca-crl.pem from a backup",
    7: _FORGED,
    9: ("the certificate is not valid yet: the clock of one of the two machines is wrong; compare and set them"),
    10: f"the certificate has expired: {NEW_FILES}, or set the clock if it is wrong",
    11: "the revocation list is not valid yet: the node's clock went back; set it",
    12: "the revocation list has run out: the authority is at its end, or the clock is wrong",
    18: f"the certificate is signed by itself, not by the node's authority: {NEW_FILES}",
    19: ("the chain ends in a root that is not trusted here: take ca.pem or truststore.p12 of the node that is called"),
    20: (
        "the certificate comes from another authority than the one that is trusted here: take"
        " certificate and ca.pem from the same node and data folder"
    ),
    21: "the chain is not whole: trust ca.pem of this node, which holds intermediate and root",
    23: _REVOKED,
    26: _OTHER_USE,
    62: _WRONG_NAME,
    64: _WRONG_NAME,
}

# What OpenSSL calls an alert ends in one of these, for instance TLSV1_ALERT_UNKNOWN_CA.
_BY_REASON = {
    "CERTIFICATE_REQUIRED": (
        "the node wants a client certificate and none was shown: name the device's .pem and .key,"
        " or use the enrolment port"
    ),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "the client showed no certificate: import the device's .p12 in it, or use the enrolment port"
    ),
    "UNKNOWN_CA": (
        "the other side does not trust the certificate's authority: the certificate and the trust"
        " store come from different nodes or data folders, or the trust store lacks the"
        " intermediate; import both anew"
    ),
    "CERTIFICATE_EXPIRED": (
        f"the other side says that the certificate has expired: compare the clocks, then {NEW_FILES}"
    ),
    "CERTIFICATE_REVOKED": _REVOKED,
    "CERTIFICATE_UNKNOWN": (
        "the other side does not accept the certificate: import truststore.p12 of this node in the client"
    ),
    "BAD_CERTIFICATE": (
        "the other side does not accept the certificate: it is not valid yet (compare the clocks),"
        f" or it is damaged; {NEW_FILES}"
    ),
    "UNSUPPORTED_CERTIFICATE": _OTHER_USE,
    "UNSUPPORTED_PROTOCOL": _OLD_TLS,
    "PROTOCOL_VERSION": _OLD_TLS,
    "NO_SHARED_CIPHER": "the two sides share no cipher: update the client",
    "HANDSHAKE_FAILURE": (
        "the two sides share no cipher, or the certificate's key is of a kind that one of them does"
        " not know: update the client"
    ),
    "WRONG_VERSION_NUMBER": (
        "the other side does not speak TLS on this port: use a TLS port (8089, 8443, 8446 unless they were set), or"
        " connect without TLS (8087, 8080)"
    ),
    "HTTP_REQUEST": "plain HTTP came to a TLS port: use https://",
    "KEY_VALUES_MISMATCH": ("key and certificate do not belong together: name the .pem and the .key of one device"),
    "UNEXPECTED_EOF_WHILE_READING": _HUNG_UP,
    "NO_RENEGOTIATION": "the client wants to renegotiate, which is not allowed: update the client",
    "DECRYPT_ERROR": _FORGED,
}

# The first kind that fits counts.
_BY_KIND: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "the host name is not known: check it, or call the node by its address"),
    (
        ConnectionRefusedError,
        "nothing listens on this port: check the port, that the node runs, and that its --host lets others in",
    ),
    (
        TimeoutError,
        "no answer: check the address and the firewall; a port that speaks no TLS does this, too",
    ),
    (
        ConnectionError,
        "the other side hung up without a word: a revoked certificate, a firewall or a port that"
        " speaks no TLS does this; look into the node's log",
    ),
    (EOFError, _HUNG_UP),
)


ABOUT_CERTIFICATES = frozenset(
    {
        "BAD_CERTIFICATE",
        "CERTIFICATE_EXPIRED",
        "CERTIFICATE_REQUIRED",
        "CERTIFICATE_REVOKED",
        "CERTIFICATE_UNKNOWN",
        "DECRYPT_ERROR",
        "NO_SHARED_CIPHER",
        "PEER_DID_NOT_RETURN_A_CERTIFICATE",
        "PROTOCOL_VERSION",
        "UNKNOWN_CA",
        "UNSUPPORTED_CERTIFICATE",
        "UNSUPPORTED_PROTOCOL",
    }
)
"""Failures that somebody has to mend. Who hangs up, or speaks no TLS at all, is a scanner or a thin line."""


def handshake_word(error: ssl.SSLError) -> str | None:
    """A short stable word for a failure that somebody has to mend; None = it is none."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate {error.verify_code}"
    reason = error.reason or ""
    word = next((word for word in (reason, reason.partition("_ALERT_")[2]) if word in ABOUT_CERTIFICATES), None)
    return None if word is None else word.lower().replace("_", " ")


def explain_handshake(error: BaseException) -> str:
    """Why a connection or handshake failed, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _BY_VERIFY_CODE.get(error.verify_code)
        return known or f"the certificate is refused: {error.verify_message}; {NEW_FILES}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return _HUNG_UP
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        known = _BY_REASON.get(reason) or _BY_REASON.get(reason.partition("_ALERT_")[2])
        return known or f"the TLS handshake failed ({reason or error}): look into the node's log"
    for kind, sentence in _BY_KIND:
        if isinstance(error, kind):
            return sentence
    return f"the connection failed: {error}"
