"""Facts: what is said about one file: the flat detail of the acts package.add and package.change."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from aquila.core.feature import check_text
from aquila.core.unseen import unseen

Tool = Literal["public", "private"]
NAME_MAX = 255
UID_MAX = 200
KEYWORDS_MAX = 64
KEYWORD_MAX = 100
PACKAGE_KEYWORD = "missionpackage"
UNKNOWN_KIND = "application/octet-stream"
ZIP_KINDS = frozenset(
    {"application/zip", "application/x-zip", "application/x-zip-compressed", "application/vnd.google-earth.kmz"}
)
ZIP_NAMES = (".zip", ".kmz", ".dpk")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,60}/[a-z0-9][a-z0-9.+_-]{0,60}")
_DRIVE = re.compile(r"[A-Za-z]:")


class Facts(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One file as its sender describes it.

    Attributes:
        sha256: of its bytes, in hex; they lie in the part `files`. mime: as the sender says, never believed.
        tool: private = listed for its sender only; who knows its digest and is in its groups gets it.
        creator_uid: of the client, as it claims. submitter: principal that sent it; submitter_name: for people.
        expires_at_ms: None = never.
    """

    sha256: str
    name: str
    size_bytes: int
    mime: str
    keywords: tuple[str, ...]
    tool: Tool
    creator_uid: str
    submitter: str
    submitter_name: str
    added_at_ms: int
    expires_at_ms: int | None = None


def written(facts: Facts) -> dict[str, str]:
    """The detail of an act."""
    return {
        "hash": facts.sha256,
        "name": facts.name,
        "size_bytes": str(facts.size_bytes),
        "mime": facts.mime,
        "keywords": msgspec.json.encode(facts.keywords).decode(),
        "tool": facts.tool,
        "creator_uid": facts.creator_uid,
        "submitter": facts.submitter,
        "submitter_name": facts.submitter_name,
        "added_at_ms": str(facts.added_at_ms),
        "expires_at_ms": "" if facts.expires_at_ms is None else str(facts.expires_at_ms),
    }


def read(detail: Mapping[str, str]) -> Facts | None:
    """The facts of an act; None = they do not hold together."""
    try:
        return Facts(
            sha256=check_digest(detail["hash"]),
            name=detail["name"],
            size_bytes=int(detail["size_bytes"]),
            mime=detail["mime"],
            keywords=msgspec.json.decode(detail["keywords"], type=tuple[str, ...]),
            tool="private" if detail["tool"] == "private" else "public",
            creator_uid=detail["creator_uid"],
            submitter=detail["submitter"],
            submitter_name=detail["submitter_name"],
            added_at_ms=int(detail["added_at_ms"]),
            expires_at_ms=int(detail["expires_at_ms"]) if detail.get("expires_at_ms") else None,
        )
    except (KeyError, ValueError):
        return None


def check_digest(text: str) -> str:
    """A SHA-256 in lower case. Raises ValueError."""
    found = text.lower()
    if not _DIGEST.fullmatch(found):
        raise ValueError(f"hash {text[:80]!r}: 64 digits 0-9a-f, the SHA-256 of the file")
    return found


def check_name(text: str) -> str:
    """The name of a file, as it stands. Raises ValueError for a path: names are refused, never made right."""
    if not 0 < len(text) <= NAME_MAX:
        raise ValueError(f"a file name of {len(text)} characters: 1 to {NAME_MAX}; give a shorter one in `filename`")
    check_line("file name", text)
    hidden = unseen(text)
    if hidden is not None:
        # U+202E among them: with it a program shows the name of a picture.
        raise ValueError(f"file name {text[:80]!a} holds {hidden!a}, which is not shown: leave such characters out")
    if "/" in text or "\\" in text or text in (".", "..") or _DRIVE.match(text):
        raise ValueError(f"file name {text[:80]!r} is a path: a plain name without / and \\ is allowed")
    return text


def check_line(field: str, text: str) -> str:
    """One line of plain text. Raises ValueError."""
    check_text(field, text)
    if "\n" in text or "\t" in text:
        raise ValueError(f"{field} is more than one line: one line without tabs is allowed")
    return text


def check_uid(text: str) -> str:
    """A uid as a client claims it; may be empty. Raises ValueError."""
    if len(text) > UID_MAX:
        raise ValueError(f"a creatorUid of {len(text)} characters: at most {UID_MAX}")
    return check_line("creatorUid", text)


def check_keywords(words: Sequence[str]) -> tuple[str, ...]:
    """Keywords, each once, in order of coming. Raises ValueError."""
    found = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
    if len(found) > KEYWORDS_MAX:
        raise ValueError(f"{len(found)} keywords: at most {KEYWORDS_MAX}")
    for word in found:
        if len(word) > KEYWORD_MAX:
            raise ValueError(f"a keyword of {len(word)} characters: at most {KEYWORD_MAX}")
        check_line("keyword", word)
    return found


def kind_of(said: str | None) -> str:
    """The content type that a sender names, without parameters; octet-stream for what is none."""
    found = (said or "").partition(";")[0].strip().lower()
    return found if _KIND.fullmatch(found) else UNKNOWN_KIND


def claims_zip(name: str, mime: str) -> bool:
    """Does a file say that it is a zip?"""
    return mime in ZIP_KINDS or name.lower().endswith(ZIP_NAMES)
