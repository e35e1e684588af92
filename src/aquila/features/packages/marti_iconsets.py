"""Icon sets by the TAK server's contract."""

from collections.abc import Sequence
from urllib.parse import quote

from aquila.codecs.cot.marti import as_text, enveloped
from aquila.core.contract import Call, Files, Reply
from aquila.core.feature import Endpoint
from aquila.features.packages.iconsets import (
    ICONSET_MAX_BYTES,
    AddIconset,
    AskIcon,
    AskIconset,
    AskIconsets,
    Icon,
    IconPaths,
    IconsetAdded,
    IconsetRow,
    add_iconset_row,
    icon,
    icon_paths,
    iconset_list,
)

TEXT = "java.lang.String"
KIND = "image/png"


def _add(call: Call) -> AddIconset:
    if len(call.files) != 1:
        raise ValueError(f"{len(call.files)} files in one request: send one icon set")
    return AddIconset(sha256=call.files[0].sha256, size_bytes=call.files[0].size_bytes)


def _icon(call: Call) -> AskIcon:
    return AskIcon(uid=call.parts["uid"], group=call.parts["group"], name=call.parts["name"])


def _icon_by_path(call: Call) -> AskIcon:
    """`uid/group/name`, as clients write it in the detail `usericon`. Raises ValueError."""
    said = call.one("iconsetpath")
    if len(said) > 1_000:
        raise ValueError(f"iconsetpath of {len(said)} characters: at most 1000")
    # A picture made from type, colour or team is nothing that stands in a set: there is none.
    uid, group, name = ([*said.split("/"), "", ""])[:3] if said.count("/") == 2 else ("", "", "")
    return AskIcon(uid=uid, group=group, name=name)


def _added(answer: IconsetAdded, call: Call) -> Reply:
    return enveloped(TEXT, answer.uid, call)


def _uids(rows: Sequence[IconsetRow], call: Call) -> Reply:
    return enveloped(TEXT, [row.uid for row in rows], call)


def _url(uid: str, group: str, name: str) -> str:
    return "/Marti/api/icon/" + "/".join(quote(part, safe="") for part in (uid, group, name))


def _urls(row: IconPaths, call: Call) -> Reply:
    return enveloped(TEXT, [_url(row.uid, group, name) for group, name in row.paths], call)


def _one_url(row: Icon, call: Call) -> Reply:
    return as_text(_url(row.uid, row.group, row.name))


def _picture(row: Icon, call: Call) -> Reply:
    return Reply(body=row.data, kind=KIND, filename=row.name)


_SOURCE, _OFFICIAL = "tak.md 6.3", "official server"
_UPLOAD = Files(part="file", limit_bytes=ICONSET_MAX_BYTES)
endpoints = (
    Endpoint(
        method="GET",
        path="/Marti/api/iconset/all/uid",
        work=iconset_list,
        ask=lambda call: AskIconsets(),
        render=_uids,
        source=_SOURCE,
    ),
    Endpoint(
        method="POST",
        path="/Marti/api/iconset",
        work=add_iconset_row,
        ask=_add,
        render=_added,
        files=_UPLOAD,
        source=_OFFICIAL,
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/iconseturl/{uid}",
        work=icon_paths,
        ask=lambda call: AskIconset(uid=call.parts["uid"]),
        render=_urls,
        source=_OFFICIAL,
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/icon/{uid}/{group}/{name}",
        work=icon,
        ask=_icon,
        render=_picture,
        source=_OFFICIAL,
    ),
    Endpoint(method="GET", path="/Marti/api/iconurl", work=icon, ask=_icon_by_path, render=_one_url, source=_OFFICIAL),
    Endpoint(
        method="GET", path="/Marti/api/iconimage", work=icon, ask=_icon_by_path, render=_picture, source=_OFFICIAL
    ),
)
