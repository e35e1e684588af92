"""Why a link is as it is, in sentences of the table `links.why`: stable, so that they are counted as well as read."""

import errno
import os
import ssl
from typing import Final

from aquila.core.errors import CodecError, Refused
from aquila.core.sensing import printable

CLOSED_BY_PEER: Final = "closed by the peer"
BROKEN_OFF: Final = "the connection broke off"
NO_ANSWER: Final = "the peer no longer answers"
READ_TOO_SLOWLY: Final = "the peer read too slowly what was sent to it"
SILENT: Final = "nothing came and nothing left for too long"
UNFINISHED: Final = "the peer did not end in time what it began to say"
UNREADABLE: Final = "what the peer says cannot be read"
BROKEN_STREAM: Final = "what the peer says cannot be followed any further"
HANDSHAKE_SLOW: Final = "handshake too slow"
FAULT: Final = "a fault of ours; the node's log has more"
NODE_STOPS: Final = "the node stops"
NODE_ENDED: Final = "the node ended without a goodbye"
REVOKED: Final = "its access is revoked"
RIGHTS_CHANGED: Final = "its rights have changed: it may come back with them"
REPLACED: Final = "its certificate was replaced by a newer one"
EXPIRED: Final = "its certificate has ended: renew it or invite the device anew"
NO_ROOM: Final = "the journal has no room: what it says waits"
ENDS: Final = (
    *(CLOSED_BY_PEER, BROKEN_OFF, NO_ANSWER, READ_TOO_SLOWLY, SILENT, UNFINISHED, UNREADABLE, BROKEN_STREAM),
    *(HANDSHAKE_SLOW, FAULT, NODE_STOPS, NODE_ENDED, REVOKED, RIGHTS_CHANGED, REPLACED, EXPIRED),
)
"""Every end that the node itself causes or knows of, without what the system says."""

_HUNG_UP = frozenset({"UNEXPECTED_EOF_WHILE_READING", "APPLICATION_DATA_AFTER_CLOSE_NOTIFY"})


def of_error(error: OSError) -> str:
    """Why a connection failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        if error.reason in _HUNG_UP:
            return BROKEN_OFF
        return f"tls: {(error.reason or 'protocol').replace('_', ' ').lower()}"
    if isinstance(error, ConnectionError):
        return BROKEN_OFF
    if error.errno == errno.ETIMEDOUT:
        return NO_ANSWER
    return f"the connection failed: {os.strerror(error.errno) if error.errno else 'unknown'}"


def behind(statements: int) -> str:
    """Why a link is slow.

    statements: lines that wait behind the bytes that it has not taken; 0 = no line waits, bytes do.
    """
    said = "the peer takes less than is sent to it"
    return f"{said}, lines that wait: {statements}" if statements else said


def too_much(rate_per_s: float) -> str:
    """Why a link is read more slowly: its peer says more than so many things a second."""
    return f"it says more than {rate_per_s:.0f} a second: it is read more slowly"


def of_refusal(last: Refused | None) -> str:
    """What of a peer's words was not admitted last; empty = all was."""
    return "" if last is None else f"last refused: {last.detail or last.reason}"


def of_door(sentence: str) -> str:
    """Why somebody never became a link."""
    return f"refused: {sentence}"


def of_misread(last: CodecError | None) -> str:
    """What of a peer's words could not be read last; empty = all could."""
    return "" if last is None else f"last not read: {printable(str(last), 160)}"
