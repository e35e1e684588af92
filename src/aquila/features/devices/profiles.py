"""Profiles: what devices are given when they enrol or connect: kept files and preferences, as ATAK's data packages.

A profile is a name with files (by their digest), preferences and an occasion. It is folded from the acts `profile.add`
and `profile.drop`; its groups are those of the act's label, so release decides which device gets it.
"""

import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, cast

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Command, Desk, Labelled, Query, Reading, is_owner
from aquila.core.ids import entity_id
from aquila.core.model import Act, Arrival, Context, Entry, Label, Principal, Stamp, Verdict
from aquila.core.view import view_of
from aquila.features.devices.words import Groups
from aquila.links.pki.packages import Entries, data_package, preference_file

PROFILE_ADDED, PROFILE_DROPPED = "profile.add", "profile.drop"
FILES_MAX = 64
PREFERENCES_MAX = 256
PROFILE_BYTES_MAX = 16 << 20
"""A profile is put together in memory."""
Occasion = Literal["enrolment", "connection", "tool"]
JavaKind = Literal["String", "Boolean", "Integer", "Long", "Float"]

ProfileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$")]
Tool = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
RelativePath = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\\<>:\"|?*]{1,200}$")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kept file, and where it stands in the package."""

    path: RelativePath
    sha256: Digest


class Preference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting of the client. group: the file of preferences that it belongs to."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
    value: Annotated[str, msgspec.Meta(max_length=2000)]
    kind: JavaKind = "String"
    group: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.]{1,100}$")] = "com.atakmap.app_preferences"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile. tool: which tool of the client asks for it, on the occasion `tool`. changed_at_ms: UTC."""

    name: str
    occasions: tuple[Occasion, ...]
    tool: str | None
    files: tuple[ProfileFile, ...]
    preferences: tuple[Preference, ...]
    changed_at_ms: int


class AddProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A profile to be made, or to be put in place of the one of this name.

    Attributes:
        occasions: when a device is given it. tool: needed for the occasion `tool`.
        files: kept already: an upload says their digests.
        groups: of whom is given it; None = the asker's.
    """

    name: ProfileName
    occasions: Annotated[tuple[Occasion, ...], msgspec.Meta(min_length=1, max_length=3)]
    tool: Tool | None = None
    files: Annotated[tuple[ProfileFile, ...], msgspec.Meta(max_length=FILES_MAX)] = ()
    preferences: Annotated[tuple[Preference, ...], msgspec.Meta(max_length=PREFERENCES_MAX)] = ()
    groups: Groups | None = None


class ProfileNamed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which profile."""

    name: ProfileName


class ProfileWritten(msgspec.Struct, frozen=True, kw_only=True):
    """The journal entry that says so."""

    name: str
    entry: str


class AskProfiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All profiles."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class AskPackage(msgspec.Struct, frozen=True, kw_only=True):
    """What a device is to be given. since_ms: only what changed since, UTC; None = all. paths: only these files."""

    occasion: Occasion
    tool: str | None = None
    since_ms: int | None = None
    paths: tuple[str, ...] = ()


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """A data package. content: a zip; or the file itself, when one was asked for. changed_at_ms: of the newest part."""

    content: bytes
    is_zip: bool
    changed_at_ms: int


class Files(Protocol):
    """The part `files` of a node."""

    def find(self, sha256: str) -> Any:
        """The kept file, with `size_bytes`; None = not here."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Where it lies."""
        ...


class KnownFiles(Protocol):
    """The view `packages`."""

    def of_digest(self, sha256: str, now_ms: int) -> Sequence[Any]:
        """All packages with these bytes: label, context."""
        ...


class _Row(msgspec.Struct, frozen=True, array_like=True):
    stamp: Stamp
    profile: Profile | None
    label: Label
    context: Context


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(dict[str, _Row])


class Profiles:
    """Profiles by name; of each the newest that was said."""

    name = "profiles"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (PROFILE_ADDED, PROFILE_DROPPED):
            return
        key = f"{envelope.node}\0{act.target}"
        known = self._rows.get(key)
        if known is None or envelope.stamp > known.stamp:
            profile = _read(act) if act.action == PROFILE_ADDED else None
            self._rows[key] = _Row(envelope.stamp, profile, envelope.label, envelope.context)

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode(self._rows)

    def restore(self, data: bytes) -> None:
        """See View."""
        self._rows = _decoder.decode(data)

    def profiles(self, node: str) -> Iterator[tuple[Profile, Label, Context]]:
        """Those of this node, by name, with what decides who gets them."""
        prefix = f"{node}\0"
        for key, row in sorted(self._rows.items()):
            if key.startswith(prefix) and row.profile is not None:
                yield row.profile, row.label, row.context


def _read(act: Act) -> Profile | None:
    try:
        return msgspec.json.decode(act.detail.get("profile", ""), type=Profile)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


def profiles_of(reading: Reading) -> Profiles:
    """The view of this node."""
    return view_of(reading.views, "profiles", Profiles)


# -- commands ---------------------------------------------------------------------------------------------------------


async def add(principal: Principal, ask: AddProfile, desk: Desk) -> ProfileWritten | Refused:
    """Say what a profile holds."""
    wrong = _judge(principal, ask, desk) or _not_his(principal, ask.name, desk)
    if wrong is not None:
        return wrong
    now_ms = desk.now_ms()
    profile = Profile(
        name=ask.name,
        occasions=tuple(sorted(set(ask.occasions))),
        tool=ask.tool,
        files=ask.files,
        preferences=ask.preferences,
        changed_at_ms=now_ms,
    )
    detail = {"profile": msgspec.json.encode(profile).decode()}
    groups = tuple(sorted(ask.groups or principal.groups_in))
    label = msgspec.structs.replace(desk.policy.default_label, groups=groups)
    written = await desk.write(
        Act(action=PROFILE_ADDED, target=ask.name, happened_at_ms=now_ms, detail=detail), label=label
    )
    return written if isinstance(written, Refused) else ProfileWritten(name=ask.name, entry=written.envelope.id)


def _not_his(principal: Principal, name: str, desk: Desk) -> Refused | None:
    """Why somebody may not put another profile in the place of this one, or take it back."""
    for profile, label, _ in profiles_of(desk).profiles(desk.node):
        if profile.name == name and not is_owner(principal) and not set(label.groups) <= principal.groups_in:
            return Refused("group", f"profile {name} goes to groups that you may not write into: take another name")
    return None


def _may_see(sha256: str, desk: Desk) -> bool:
    """Is there a file of this digest that the asker may fetch himself?"""
    # Another feature's view, by no more than what is asked of it.
    known = cast("KnownFiles | None", desk.views.get("packages"))
    found = () if known is None else known.of_digest(sha256, desk.now_ms())
    return any(desk.release(each.label, each.context).verdict is Verdict.FULL for each in found)


def _judge(principal: Principal, ask: AddProfile, desk: Desk) -> Refused | None:
    files: Files = desk.part("files")
    if not set(ask.groups or ()) <= principal.groups_in:
        return Refused("group", "a profile goes to groups that you may write into")
    if ("tool" in ask.occasions) != (ask.tool is not None):
        return Refused("tool", "the occasion `tool` needs the name of a tool, and others have none")
    paths = [each.path for each in ask.files]
    if len({path.casefold() for path in paths}) != len(paths) or not all(map(_is_plain, paths)):
        return Refused("path", "paths are relative, each once, with no step up: maps/region.xml")
    size_bytes = 0
    for each in ask.files:
        kept = files.find(each.sha256)
        if kept is None or not _may_see(each.sha256, desk):
            return Refused("file", f"no file {each.sha256} is kept here: upload it first")
        size_bytes += kept.size_bytes
    if size_bytes > PROFILE_BYTES_MAX:
        return Refused("oversize", f"{size_bytes} bytes of files: at most {PROFILE_BYTES_MAX}")
    return None


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return not path.startswith("/") and all(part not in ("", ".", "..") for part in parts) and parts[0] != "MANIFEST"


async def drop(principal: Principal, ask: ProfileNamed, desk: Desk) -> ProfileWritten | Refused:
    """Take a profile back; devices keep what they have."""
    mine = {profile.name: label for profile, label, _ in profiles_of(desk).profiles(desk.node)}
    if ask.name not in mine:
        return Refused("absent", f"there is no profile {ask.name}")
    wrong = _not_his(principal, ask.name, desk)
    if wrong is not None:
        return wrong
    act = Act(action=PROFILE_DROPPED, target=ask.name, happened_at_ms=desk.now_ms())
    written = await desk.write(act, label=mine[ask.name])
    return written if isinstance(written, Refused) else ProfileWritten(name=ask.name, entry=written.envelope.id)


# -- queries ----------------------------------------------------------------------------------------------------------


def _profiles(principal: Principal, ask: AskProfiles, reading: Reading) -> Iterator[Labelled]:
    for profile, label, context in profiles_of(reading).profiles(reading.node):
        yield Labelled(profile, label, context)


def _package(principal: Principal, ask: AskPackage, reading: Reading) -> Iterator[Labelled]:
    """One row, if there is anything for the asker; what it may not have is not in it."""
    found = [
        profile
        for profile, label, context in profiles_of(reading).profiles(reading.node)
        if ask.occasion in profile.occasions
        and (ask.occasion != "tool" or profile.tool == ask.tool)
        and (ask.since_ms is None or profile.changed_at_ms >= ask.since_ms)
        and reading.release(label, context).verdict.name == "FULL"
    ]
    package = _packed(found, ask.paths, reading.part("files"))
    if package is not None:
        yield Labelled(package, None, reading.context)


def _packed(profiles: Sequence[Profile], paths: Sequence[str], files: Files) -> Package | None:
    wanted = {path.strip("/") for path in paths}
    parts: dict[str, str] = {}
    newest_ms = 0
    for profile in profiles:
        # A file that was withdrawn is gone with its bytes, also from here.
        there = [each for each in profile.files if files.find(each.sha256) is not None]
        chosen = [each for each in there if not wanted or _is_wanted(each.path, wanted)]
        parts |= {each.path: each.sha256 for each in chosen}
        if chosen or (profile.preferences and not wanted):
            newest_ms = max(newest_ms, profile.changed_at_ms)
    if newest_ms == 0:
        return None
    if len(wanted) == 1 and set(parts) == wanted:
        (digest,) = parts.values()
        return Package(content=files.path_of(digest).read_bytes(), is_zip=False, changed_at_ms=newest_ms)
    contents = {path: files.path_of(digest).read_bytes() for path, digest in parts.items()}
    preferences = [each for profile in profiles for each in profile.preferences] if not wanted else []
    if preferences:
        contents["prefs/aquila.pref"] = _preference_file(preferences)
    names = " ".join(profile.name for profile in profiles)
    content = data_package(entity_id("profile", names), names[:100], contents)
    return Package(content=content, is_zip=True, changed_at_ms=newest_ms)


def _is_wanted(path: str, wanted: set[str]) -> bool:
    return path in wanted or any(posixpath.commonpath([path, each]) == each for each in wanted if each)


def _preference_file(preferences: Sequence[Preference]) -> bytes:
    groups: dict[str, Entries] = {}
    for each in preferences:
        groups.setdefault(each.group, []).append((each.key, each.kind, each.value))
    return preference_file(groups)


profiles = Query(
    name="profiles",
    path="/profiles",
    request=AskProfiles,
    row=Profile,
    role="operator",
    answer=_profiles,
    summary="Profiles that devices are given",
)
package = Query(
    name="profile_package",
    path="/profiles/package",
    request=AskPackage,
    row=Package,
    role="viewer",
    answer=_package,
    blocking=True,
)
add_profile = Command(
    name="add_profile",
    method="POST",
    path="/profiles",
    request=AddProfile,
    answer=ProfileWritten,
    role="admin",
    act=add,
    summary="Make a profile, or change one",
)
drop_profile = Command(
    name="drop_profile",
    method="DELETE",
    path="/profiles/{name}",
    request=ProfileNamed,
    answer=ProfileWritten,
    role="admin",
    act=drop,
    summary="Take a profile back",
)
