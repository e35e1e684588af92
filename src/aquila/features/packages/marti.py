"""Packages by the TAK server's contract: Enterprise Sync in its three forms (legacy, Resource, Files)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from aquila.codecs.cot.marti import as_json, as_text, enveloped, instant
from aquila.core.contract import Call, Files, Method, Received, Reply
from aquila.core.feature import Command, Endpoint, Query
from aquila.features.packages.commands import (
    AddPackage,
    Changes,
    PackageAdded,
    PackagesChanged,
    WithdrawPackage,
    add_row,
    change_row,
    withdraw_row,
)
from aquila.features.packages.facts import (
    PACKAGE_KEYWORD,
    UNKNOWN_KIND,
    Tool,
    check_digest,
    check_keywords,
    check_name,
    check_uid,
    claims_zip,
    kind_of,
)
from aquila.features.packages.queries import (
    AskContent,
    AskLimit,
    AskPackages,
    LimitRow,
    PackageRow,
    content,
    packages,
    upload_limit,
)

LIST_MAX = 10_000
SECONDS_MAX = 100_000_000_000
"""A larger expiration is in milliseconds: official servers take both."""
OFFSET_DIGITS = 15

# -- what is asked ----------------------------------------------------------------------------------------------------


def _first(call: Call, *names: str) -> str:
    return next((found for name in names if (found := call.one(name))), "")


def _words(call: Call, *names: str) -> tuple[str, ...]:
    said = [value for name in names for value in call.many(name)]
    return check_keywords([word for text in said for word in text.split(",")])


def _groups(call: Call) -> tuple[str, ...]:
    said = [value for name in ("Groups", "groups", "group") for value in call.many(name)]
    return tuple(dict.fromkeys(name.strip() for text in said for name in text.split(",") if name.strip()))


def _tool(text: str) -> Tool:
    match text.strip():
        case "private":
            return "private"
        case "public" | "":
            return "public"
    raise ValueError(f"tool {text[:40]!r}: public or private")


def _one_file(call: Call) -> Received:
    if len(call.files) != 1:
        raise ValueError(f"{len(call.files)} files in one request: send one")
    return call.files[0]


def _ask_package(call: Call) -> AddPackage:
    """The package upload. What does not say that it is something else is a zip."""
    file = _one_file(call)
    name = check_name(_first(call, "filename", "Filename", "name") or file.filename or "")
    kinds = {kind_of(call.one("mimetype") or None), kind_of(file.kind)} - {UNKNOWN_KIND}
    is_zip = not kinds or any(claims_zip(name, kind) for kind in kinds)
    words = _words(call, "keyword", "keywords")
    return AddPackage(
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        name=name,
        mime=kind_of(call.one("mimetype") or file.kind),
        keywords=check_keywords((PACKAGE_KEYWORD, *words)) if is_zip else words,
        tool=_tool(call.one("tool")),
        creator_uid=check_uid(_first(call, "creatorUid", "CreatorUid")),
        groups=_groups(call),
        expected=check_digest(_first(call, "hash", "Hash")),
        is_zip=is_zip,
    )


def _ask_file(call: Call) -> AddPackage:
    file = _one_file(call)
    name = check_name(_first(call, "name", "Name", "filename") or file.filename or "")
    mime = kind_of(call.one("mimetype") or file.kind)
    said = _first(call, "hash", "Hash")
    return AddPackage(
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        name=name,
        mime=mime,
        keywords=_words(call, "keywords", "Keywords", "keyword"),
        tool=_tool(_first(call, "tool", "Tool")),
        creator_uid=check_uid(_first(call, "creatorUid", "CreatorUid")),
        groups=_groups(call),
        expected=check_digest(said) if said else None,
        is_zip=claims_zip(name, mime),
    )


def _ask_query(call: Call) -> AskContent:
    # ATAK gives up on any answer but 200 and 404: what is no digest is of no file.
    return AskContent(hash=_first(call, "hash", "Hash"))


def _ask_content(call: Call) -> AskContent:
    said = call.parts.get("hash") or _first(call, "hash", "Hash")
    uid = _first(call, "uid", "UID")
    if not said and not uid:
        raise ValueError("neither hash nor uid is said")
    if not call.one("offset", "0").isdecimal() or len(call.one("offset", "0")) > OFFSET_DIGITS:
        raise ValueError(f"offset {call.one('offset')[:40]!r}: a number of bytes")
    return AskContent(hash=check_digest(said) if said else None, uid=uid[:200] or None)


def _ask_search(call: Call) -> AskPackages:
    fields: dict[str, Any] = {
        "keyword": ",".join(_words(call, "keywords", "keyword")) or None,
        "tool": _tool(call.one("tool")),
        "name": _first(call, "name", "filename") or None,
        "uid": call.one("uid") or None,
        "hash": check_digest(call.one("hash")) if call.one("hash") else None,
        "mime": call.one("mimetype") or None,
        "limit": LIST_MAX,
    }
    return msgspec.convert(fields, AskPackages)


def _ask_files(call: Call) -> AskPackages:
    keyword = PACKAGE_KEYWORD if call.is_set("missionPackage") else None
    fields = {"keyword": keyword, "name": call.one("name") or None, "limit": LIST_MAX}
    return msgspec.convert(fields, AskPackages)


def _ask_withdraw(call: Call) -> WithdrawPackage:
    said = call.parts.get("hash") or _first(call, "hash", "Hash")
    uid = _first(call, "uid", "UID")
    if not said and not uid:
        raise ValueError("neither hash nor uid is said")
    return WithdrawPackage(hash=check_digest(said) if said else "", uid=uid[:200])


def _ask_tool(call: Call) -> Changes:
    text = call.body.decode().strip().strip('"')
    if not text:
        raise ValueError("the body is empty: public or private")
    return Changes(hash=check_digest(call.parts["hash"]), tool=_tool(text))


def _ask_keywords(call: Call) -> Changes:
    return Changes(hash=check_digest(call.parts["hash"]), keywords=check_keywords(call.json(list[str])))


def _ask_mime(call: Call) -> Changes:
    return Changes(hash=check_digest(call.parts["hash"]), mime=kind_of(call.body.decode().strip().strip('"')))


def _ask_name(call: Call) -> Changes:
    return Changes(hash=check_digest(call.parts["hash"]), name=check_name(call.body.decode().strip().strip('"')))


def _ask_expiration(call: Call) -> Changes:
    return Changes(hash=check_digest(call.parts["hash"]), expires_at_ms=_expiration(call.one("expiration")))


def _ask_metadata(call: Call) -> Changes:
    words = _words(call, "keywords") if "keywords" in call.query else None
    ends = _expiration(call.one("expiration")) if call.one("expiration") else None
    return Changes(hash=check_digest(call.parts["hash"]), keywords=words, expires_at_ms=ends)


def _expiration(text: str) -> int:
    """UTC milliseconds; 0 = never."""
    if text == "-1":
        return 0
    if not text.isdecimal() or not 0 < len(text) <= 14 or not int(text):
        raise ValueError(f"expiration {text[:40]!r}: seconds since 1970, or -1 for never")
    return int(text) if int(text) > SECONDS_MAX else int(text) * 1000


# -- how it is told ---------------------------------------------------------------------------------------------------


def _key(uid: str) -> str:
    """A number for what the official server numbers; ATAK reads it with getInt."""
    return str(int(uid.replace("-", "")[:7], 16) + 1)


def _legacy(row: PackageRow) -> dict[str, Any]:
    return {
        "EXPIRATION": "-1" if row.expires_at_ms is None else str(row.expires_at_ms),
        "UID": row.uid,
        "SubmissionDateTime": instant(row.added_at_ms),
        "Keywords": row.keywords,
        "MIMEType": row.mime,
        "Size": str(row.size_bytes),
        "SubmissionUser": row.submitter,
        "PrimaryKey": _key(row.uid),
        "Hash": row.hash,
        "CreatorUid": row.creator_uid,
        "Name": row.name,
        "Tool": row.tool,
    }


def _resource(row: PackageRow) -> dict[str, Any]:
    return {
        "filename": row.name,
        "keywords": row.keywords,
        "mimeType": row.mime,
        "name": row.name,
        "submissionTime": instant(row.added_at_ms),
        "submitter": row.submitter,
        "uid": row.uid,
        "creatorUid": row.creator_uid,
        "hash": row.hash,
        "size": row.size_bytes,
        "tool": row.tool,
        "expiration": -1 if row.expires_at_ms is None else row.expires_at_ms,
    }


def _file(row: PackageRow) -> dict[str, str]:
    """As the official server's own page shows it: words only, the time as Java prints a date."""
    at = datetime.fromtimestamp(row.added_at_ms / 1000, UTC)
    return {
        "Name": row.name,
        "User": row.submitter,
        "Creator": row.creator_uid,
        "Size": _size(row.size_bytes),
        "Time": at.strftime("%a %b %d %H:%M:%S UTC %Y"),
        "MimeType": row.mime,
        "Keywords": ",".join(row.keywords),
        "Expiration": "none" if row.expires_at_ms is None else instant(row.expires_at_ms).removesuffix("Z"),
        "Hash": row.hash,
        "Groups": ",".join(row.groups),
    }


def _size(size_bytes: int) -> str:
    for unit, word in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes // unit}{word}"
    return f"{size_bytes}B"


def _search(rows: Sequence[PackageRow], call: Call) -> Reply:
    return as_json({"resultCount": len(rows), "results": [_legacy(row) for row in rows]})


def _search_both(rows: Sequence[PackageRow], call: Call) -> Reply:
    """The official envelope and the older form in one: clients of either find what they look for."""
    body = {
        "version": "3",
        "type": "Resource",
        "data": [_resource(row) for row in rows],
        "nodeId": call.node,
        "resultCount": len(rows),
        "results": [_legacy(row) for row in rows],
    }
    return as_json(body)


def _files(rows: Sequence[PackageRow], call: Call) -> Reply:
    page, limit = call.one("page", "-1"), call.one("limit", "-1")
    shown = list(rows)
    if page.isdecimal() and limit.isdecimal() and len(page) < 9 and len(limit) < 9:
        shown = shown[int(page) * int(limit) :][: int(limit)]
    return enveloped("Files", [_file(row) for row in shown], call)


def _count(rows: Sequence[PackageRow], call: Call) -> Reply:
    return enveloped("Count", len(rows), call)


def _url(call: Call, sha256: str) -> str:
    return f"{call.base}/Marti/sync/content?hash={sha256}"


def _where(row: PackageRow, call: Call) -> Reply:
    return as_text(_url(call, row.hash))


def _sent(added: PackageAdded, call: Call) -> Reply:
    return as_text(_url(call, added.facts.sha256))


def _uploaded(added: PackageAdded, call: Call) -> Reply:
    facts = added.facts
    body = {
        "UID": added.uid,
        "SubmissionDateTime": instant(facts.added_at_ms),
        "Keywords": facts.keywords,
        "MIMEType": facts.mime,
        "SubmissionUser": facts.submitter_name,
        "PrimaryKey": _key(added.uid),
        "Hash": facts.sha256,
        "CreatorUid": facts.creator_uid,
        "Name": facts.name,
    }
    return as_json(body)


def _metadata(row: PackageRow, call: Call) -> Reply:
    return as_json(_legacy(row))


def _bytes(row: PackageRow, call: Call) -> Reply:
    return Reply(file=row.hash, kind=row.mime, filename=row.name, offset=int(call.one("offset", "0")))


def _limit(row: LimitRow, call: Call) -> Reply:
    """In MiB, as the official server says it."""
    return as_json({"uploadSizeLimit": row.file_bytes >> 20})


def _changed(_: PackagesChanged, call: Call) -> Reply:
    return Reply()


# -- rows -------------------------------------------------------------------------------------------------------------

_ATAK, _NODE_TAK, _OFFICIAL = "tak.md 6.2", "tak.md 6.3", "official server"
_UPLOAD = Files(part="assetfile")


def _row(
    method: Method,
    path: str,
    work: Query | Command,
    ask: Callable[[Call], Any],
    render: Callable[[Any, Call], Reply],
    source: str,
    files: Files | None = None,
) -> Endpoint:
    return Endpoint(method=method, path=path, work=work, ask=ask, render=render, source=source, files=files)


_SETTERS: Mapping[str, tuple[Callable[[Call], Changes], str]] = {
    "tool": (_ask_tool, _ATAK),
    "keywords": (_ask_keywords, _NODE_TAK),
    "expiration": (_ask_expiration, _NODE_TAK),
    "mimetype": (_ask_mime, _OFFICIAL),
    "name": (_ask_name, _OFFICIAL),
}

endpoints = (
    _row("GET", "/files/api/config", upload_limit, lambda call: AskLimit(), _limit, _NODE_TAK),
    _row("GET", "/Marti/sync/missionquery", content, _ask_query, _where, _ATAK),
    _row("POST", "/Marti/sync/missionupload", add_row, _ask_package, _sent, _ATAK, _UPLOAD),
    _row("POST", "/Marti/sync/upload", add_row, _ask_file, _uploaded, _NODE_TAK, _UPLOAD),
    _row("GET", "/Marti/sync/content", content, _ask_content, _bytes, _ATAK),
    _row("GET", "/Marti/sync/search", packages, _ask_search, _search, _ATAK),
    _row("GET", "/Marti/api/sync/search", packages, _ask_search, _search_both, _NODE_TAK),
    _row("DELETE", "/Marti/sync/delete", withdraw_row, _ask_withdraw, _changed, _NODE_TAK),
    _row("GET", "/Marti/sync/{hash}/metadata", content, _ask_content, _metadata, _NODE_TAK),
    _row("GET", "/Marti/api/files/metadata", packages, _ask_files, _files, _NODE_TAK),
    _row("GET", "/Marti/api/files/metadata/count", packages, _ask_files, _count, _NODE_TAK),
    _row("GET", "/Marti/api/files/{hash}", content, _ask_content, _bytes, _NODE_TAK),
    _row("DELETE", "/Marti/api/files/{hash}", withdraw_row, _ask_withdraw, _changed, _NODE_TAK),
    _row("PUT", "/Marti/api/files/{hash}/metadata", change_row, _ask_metadata, _changed, _OFFICIAL),
    *(
        _row("PUT", f"/Marti/api/sync/metadata/{{hash}}/{name}", change_row, ask, _changed, source)
        for name, (ask, source) in _SETTERS.items()
    ),
)
