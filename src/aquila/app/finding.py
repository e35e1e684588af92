"""Finding: what an examination of a node found, and how bad it is.

A finding of a running node has a code and values, so that the page can say it in the reader's language; the command
line says it in English. A finding of the command line alone (a handshake that was asked for) is only a sentence.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from aquila.links.pki import Diagnosis

Grade = Literal["good", "warn", "bad"]

SAYINGS: Mapping[str, str] = {
    "clock_past": "this machine's clock stands before 2026: set it, certificates look unborn",
    "clock_good": "the clock looks plausible; compare it with a watch, devices judge by theirs",
    "files_few": "this user may open {files} files, so about {links} links: raise `ulimit -Hn` to {wanted}",
    "files_good": "up to {files} files may be open",
    "files_unbound": "any number of files may be open",
    "disk_full": "{free} MiB are free: statements will be refused; free some space",
    "disk_low": "{free} MiB are free, less than 1 GiB: free some space before it fills",
    "disk_good": "{free} MiB are free",
    "folder_empty": "{folder} holds no journal.db: it is no data folder of a node",
    "folder_locked": "{folder} may not be written by this user: change its owner or mount",
    "folder_idle": "no node runs on it",
    "folder_held": "process {process} runs on it",
    "journal_unread": "{file} cannot be read ({why}): restore a backup into a new folder",
    "journal_damaged": "{file} is damaged ({why}): restore a backup into a new folder",
    "journal_sound": "the database is sound; its chain is checked when no node runs",
    "port_good": "{port} answers on {host}",
    "port_silent": "{port} does not answer on {host}: something blocks it, or the node has no time",
    "secrets_unread": "{file} cannot be read ({why}): run as the node's user",
    "devices_unasked": "the node could not be asked: {why}",
    "invitation_pending": (
        "{name} has not come yet, its token is good for {minutes} min more: the phone must reach port {port} and"
        " must have imported the package of this node"
    ),
    "invitation_over": "nobody came in time for {names}: invite anew, the token is over",
    "invitation_used": "used within the last week: {names}",
    "device_ended": "certificate of {name} ended {days} d ago: revoke the device and invite it anew",
    "device_ends": (
        "certificate of {name} ends in {days} d and was not renewed: enrol the device anew, or revoke it and invite"
        " it anew before {until}"
    ),
    "device_twice": (
        "{name} got a new certificate and still uses the old one: let it connect once with the new one; the old one is"
        " taken back 30 days after the renewal"
    ),
    "refused": "{at} {who}: {why}",
    "backup_none": "there is no backup yet: make one, and keep it on another machine",
    "backup_old": "the last good backup is {hours} h old: make a new one",
    "backup_good": "the last good backup is {hours} h old; keep it on another machine too",
}
"""Code → what it says in English; a name in braces is a value. The page has each in five languages (a test looks)."""
DIAGNOSED: Mapping[str, frozenset[str]] = {
    "authority": frozenset({"good", "expiring", "expired", "future", "syntax"}),
    "server": frozenset({"good", "expiring", "expired", "future", "syntax", "ca", "issuer", "usage"}),
    "public_name": frozenset({"host"}),
}
"""What is judged by its certificate → the reasons it may have. The code is both, the English is the diagnosis's own."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: how it stands, and in a sentence why and what to do.

    Attributes:
        code: which sentence it is, for the page; empty = the command line alone says it.
        values: what stands in it, by name.
    """

    what: str
    grade: Grade
    sentence: str
    code: str = ""
    values: Mapping[str, str] = {}


def found(what: str, grade: Grade, code: str, **values: str | int) -> Finding:
    """A finding by its code. Raises KeyError where `SAYINGS` has no such code, or its words want another value."""
    texts = {name: str(value) for name, value in values.items()}
    return Finding(what, grade, SAYINGS[code].format_map(texts), code, texts)


def diagnosed(what: str, kind: str, diagnosis: Diagnosis) -> Finding:
    """What a certificate's diagnosis says. kind: of `DIAGNOSED`."""
    assert diagnosis.reason in DIAGNOSED[kind], (kind, diagnosis.reason)
    return Finding(what, diagnosis.grade, diagnosis.sentence, f"{kind}_{diagnosis.reason}", diagnosis.values)
