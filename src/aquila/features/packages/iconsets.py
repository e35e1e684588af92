"""Icon sets: pictures that clients draw points with, kept as the zip that they came in (iconset.xml and PNG files).

One uid may come from several senders: each has his own, and a reader gets the one that was there first, so that nobody
puts other pictures in its place.
"""

import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
from lxml import etree

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, check_text
from aquila.core.ids import statement_id
from aquila.core.model import Act, Principal, Verdict
from aquila.core.policy import label_for
from aquila.core.view import view_of
from aquila.features.packages.archive import check_archive
from aquila.features.packages.commands import drop_bytes
from aquila.features.packages.iconset_view import ICONSET_ADD, ICONSET_REMOVE, Iconset, Iconsets
from aquila.features.packages.queries import STAFF

ICONSET_MAX_BYTES = 16 << 20
ICON_MAX_BYTES = 256 << 10
XML_MAX_BYTES = 1 << 20
OF_ONE_MAX = 20
"""Icon sets of one sender."""
ALL_MAX = 200
PNG = b"\x89PNG\r\n\x1a\n"
SHEET = "iconset.xml"
Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Files(Protocol):
    """The part `files` of a node."""

    async def run(self, work: Callable[[], Any]) -> Any:
        """Work on files beside the loop."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Where it lies."""
        ...


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What an icon set says of itself."""

    uid: str
    name: str


class AddIconset(msgspec.Struct, frozen=True, kw_only=True):
    """An icon set that has come."""

    sha256: str
    size_bytes: int


class IconsetAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The icon set."""

    uid: str


class AskIconsets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All icon sets."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class AskIconset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which icon set."""

    uid: Uid


class AskIcon(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: of which set, in which group of it, and its name."""

    uid: str
    group: str
    name: str


class IconsetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One icon set."""

    uid: str
    name: str
    size_bytes: int


class IconPaths(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of a set, as (group, name)."""

    uid: str
    paths: tuple[tuple[str, str], ...]


class Icon(msgspec.Struct, frozen=True, kw_only=True):
    """A picture: PNG."""

    uid: str
    group: str
    name: str
    data: bytes


# -- the zip ----------------------------------------------------------------------------------------------------------


def sheet_of(path: Path) -> Sheet:
    """What the zip says of itself. Raises ValueError with a sentence when it is no icon set."""
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        found = next((each for each in archive.infolist() if each.filename.lower() == SHEET), None)
        if found is None or found.file_size > XML_MAX_BYTES:
            raise ValueError(f"the zip is no icon set: a file {SHEET} of at most {XML_MAX_BYTES} bytes is needed")
        sheet = _sheet(archive.read(found))
        if not list(_icons(archive)):
            raise ValueError("the icon set holds no PNG in a folder: its folders are its groups")
        for each in archive.infolist():
            if each.filename.lower().endswith(".png"):
                _check_icon(archive, each)
    return sheet


def _sheet(data: bytes) -> Sheet:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root: Any = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise ValueError(f"{SHEET} is no XML: {str(wrong)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None or etree.QName(root).localname != "iconset":
        raise ValueError(f"{SHEET}: a root <iconset> without a document type is needed")
    uid, name = root.get("uid", ""), root.get("name", "")
    if not 0 < len(uid) <= 200 or "/" in uid or len(name) > 200:
        raise ValueError(f"{SHEET}: a uid of 1 to 200 characters without / and a name of at most 200 are needed")
    check_text("uid", uid)
    check_text("name", name)
    return Sheet(uid=uid, name=name or uid)


def _check_icon(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    if member.file_size > ICON_MAX_BYTES:
        raise ValueError(f"{member.filename[:80]!r} is larger than {ICON_MAX_BYTES} bytes")
    with archive.open(member) as file:
        if file.read(len(PNG)) != PNG:
            raise ValueError(f"{member.filename[:80]!r} is no PNG: only PNG is shown")


def _icons(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for each in archive.infolist():
        group, slash, name = each.filename.partition("/")
        if slash and "/" not in name and name.lower().endswith(".png"):
            yield group, name


# -- add and remove ---------------------------------------------------------------------------------------------------


async def add_iconset(principal: Principal, ask: AddIconset, desk: Desk) -> IconsetAdded | Refused:
    """Look through it, then write that it is there. The same again changes nothing; another of its uid replaces it."""
    if principal.kind == "person" and STAFF.isdisjoint(principal.roles):
        return Refused("role", "sending icon sets needs the role operator")
    label = label_for(desk.policy, principal, None)
    if isinstance(label, Refused):
        return label
    files: Files = desk.part("files")
    try:
        sheet: Sheet = await files.run(partial(sheet_of, files.path_of(ask.sha256)))
    except ValueError as wrong:
        return Refused("request", str(wrong))
    target = statement_id("iconset", principal.id, 0, sheet.uid.encode())
    view = iconsets_of(desk)
    known = view.said(desk.context, target)
    before = None if known is None else known.sha256
    if known is not None and (known.sha256, known.label) == (ask.sha256, label):
        return IconsetAdded(uid=sheet.uid)
    if before is None:
        there = view.iconsets()
        own = sum(each.author == principal.id for each in there)
        if own >= OF_ONE_MAX or len(there) >= ALL_MAX:
            return Refused("full", f"at most {OF_ONE_MAX} icon sets of one sender, {ALL_MAX} of all: remove one first")
    detail = {"uid": sheet.uid, "name": sheet.name, "hash": ask.sha256, "size_bytes": str(ask.size_bytes)}
    act = Act(action=ICONSET_ADD, target=target, happened_at_ms=desk.now_ms(), detail=detail)
    entry = await desk.write(act, label=label)
    if isinstance(entry, Refused):
        return entry
    if before is not None and before != ask.sha256:
        await drop_bytes(before, desk)
    return IconsetAdded(uid=sheet.uid)


async def drop_iconset(principal: Principal, ask: AskIconset, desk: Desk) -> IconsetAdded | Refused:
    """Remove the asker's own; the staff removes the one that it sees."""
    seen = _seen(ask.uid, desk)
    own = [each for each in seen if each.author == principal.id]
    meant = own or (seen if not STAFF.isdisjoint(principal.roles) else [])
    if not seen:
        return Refused("absent", "there is no such icon set, or you may not see it")
    if not meant or not set(meant[0].label.groups) <= principal.groups_in:
        return Refused("role", "only who sent it, or an operator who may write to all its groups, may remove it")
    act = Act(action=ICONSET_REMOVE, target=meant[0].target, happened_at_ms=desk.now_ms())
    entry = await desk.write(act, label=meant[0].label)
    if isinstance(entry, Refused):
        return entry
    await drop_bytes(meant[0].sha256 or "", desk)
    return IconsetAdded(uid=ask.uid)


# -- questions --------------------------------------------------------------------------------------------------------


def iconsets_of(reading: Reading) -> Iconsets:
    """The view of this node."""
    return view_of(reading.views, "iconsets", Iconsets)


def _seen(uid: str, reading: Reading) -> list[Iconset]:
    """Those of this uid that the asker may see, the one that was there first is the first."""
    return [
        each
        for each in iconsets_of(reading).iconsets()
        if each.uid == uid and reading.release(each.label, each.context).verdict is Verdict.FULL
    ]


def _list(principal: Principal, ask: AskIconsets, reading: Reading) -> Iterator[Labelled]:
    told: set[str] = set()
    for each in iconsets_of(reading).iconsets():
        if each.uid not in told and reading.release(each.label, each.context).verdict is Verdict.FULL:
            told.add(each.uid)
            row = IconsetRow(uid=each.uid, name=each.name, size_bytes=each.size_bytes)
            yield Labelled(row, each.label, each.context)


def _opened(each: Iconset, reading: Reading) -> zipfile.ZipFile | None:
    try:
        files: Files = reading.part("files")
        return zipfile.ZipFile(files.path_of(each.sha256 or ""))
    except (UsageError, OSError):
        # Its bytes have not come to this node.
        return None


def _paths(principal: Principal, ask: AskIconset, reading: Reading) -> Iterator[Labelled]:
    for each in _seen(ask.uid, reading):
        archive = _opened(each, reading)
        if archive is not None:
            with archive:
                row = IconPaths(uid=each.uid, paths=tuple(_icons(archive)))
            yield Labelled(row, each.label, each.context)


def _icon(principal: Principal, ask: AskIcon, reading: Reading) -> Iterator[Labelled]:
    for each in _seen(ask.uid, reading):
        archive = _opened(each, reading)
        if archive is None:
            continue
        with archive:
            # A name that is not among its pictures is of nothing: no path is ever made of it.
            if (ask.group, ask.name) not in set(_icons(archive)):
                continue
            data = archive.read(f"{ask.group}/{ask.name}")
        yield Labelled(Icon(uid=each.uid, group=ask.group, name=ask.name, data=data), each.label, each.context)


add_iconset_row = Command(
    name="add_iconset",
    method="POST",
    path="/iconset_files",
    request=AddIconset,
    answer=IconsetAdded,
    role="viewer",
    act=add_iconset,
    summary="Add an icon set",
)
drop_iconset_row = Command(
    name="drop_iconset",
    method="DELETE",
    path="/iconsets/{uid}",
    request=AskIconset,
    answer=IconsetAdded,
    role="operator",
    act=drop_iconset,
    summary="Remove an icon set",
)
iconset_list = Query(
    name="iconsets",
    path="/iconsets",
    request=AskIconsets,
    row=IconsetRow,
    role="viewer",
    answer=_list,
    summary="Icon sets that clients draw points with",
)
icon_paths = Query(
    name="icon_paths",
    path="/icon_paths",
    request=AskIconset,
    row=IconPaths,
    role="viewer",
    answer=_paths,
    one=True,
    blocking=True,
    summary="The pictures of an icon set",
)
icon = Query(
    name="icon",
    path="/icons",
    request=AskIcon,
    row=Icon,
    role="viewer",
    answer=_icon,
    one=True,
    blocking=True,
    summary="One picture of an icon set",
)
