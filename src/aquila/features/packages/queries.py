"""What can be asked of packages."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Protocol, runtime_checkable

import msgspec

from aquila.core.contract import NeedsFiles, UploadLimits
from aquila.core.errors import UsageError
from aquila.core.feature import Labelled, Query, Reading
from aquila.core.model import Principal, Verdict
from aquila.core.view import View, view_of
from aquila.features.packages.facts import PACKAGE_KEYWORD, Facts, Tool
from aquila.features.packages.view import Package, Packages

STAFF = frozenset({"operator", "admin"})
"""Roles that may change what others sent."""
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, msgspec.Meta(max_length=200)]


class Files(Protocol):
    """The part `files` of a node."""

    def find(self, sha256: str) -> Any:
        """A kept file; None = not here."""
        ...


@runtime_checkable
class Counts(Protocol):
    """The part `counts` of a node."""

    def __getitem__(self, name: str, /) -> int: ...
    def __setitem__(self, name: str, count: int, /) -> None: ...


class AskPackages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which packages; None = all.

    Attributes:
        text: part of the name or a keyword, or the first 8 or more of the digest, capitals or not.
        name: part of the name alone.
        keyword: all of these, separated by commas.
        tool: private = those that the asker itself keeps out of the list.
    """

    text: Text | None = None
    name: Text | None = None
    keyword: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    tool: Tool = "public"
    uid: Text | None = None
    hash: Digest | None = None
    mime: Text | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 1000


class AskPackage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which package."""

    uid: Text


class AskContent(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bytes: by digest, else by uid; neither = of nothing."""

    hash: str | None = None
    uid: str | None = None


class PackageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One package.

    Attributes:
        groups: those of its groups that the asker belongs to. classification: of its marking.
        may_change: the asker may rename, mark and withdraw it.
        expires_at_ms: None = never.
    """

    uid: str
    hash: str
    name: str
    size_bytes: int
    mime: str
    keywords: tuple[str, ...]
    tool: Tool
    creator_uid: str
    submitter: str
    added_at_ms: int
    groups: tuple[str, ...]
    classification: str
    may_change: bool
    expires_at_ms: int | None = None


def packages_of(reading: Reading) -> Packages:
    """The view of this node."""
    return view_of(reading.views, "packages", Packages)


def may_change(principal: Principal, package: Package) -> bool:
    """Who sent it, and the staff; but only who may write everywhere where it is seen."""
    facts = package.facts
    is_own = facts is not None and facts.submitter == principal.id
    return (is_own or not STAFF.isdisjoint(principal.roles)) and set(package.label.groups) <= principal.groups_in


def row_of(principal: Principal, package: Package, facts: Facts) -> PackageRow:
    """As this asker is told of it."""
    return PackageRow(
        uid=package.uid,
        hash=facts.sha256,
        name=facts.name,
        size_bytes=facts.size_bytes,
        mime=facts.mime,
        keywords=facts.keywords,
        tool=facts.tool,
        creator_uid=facts.creator_uid,
        submitter=facts.submitter_name,
        added_at_ms=facts.added_at_ms,
        groups=tuple(
            name for name in package.label.groups if name in principal.groups_in or name in principal.groups_out
        ),
        classification=package.label.classification,
        may_change=may_change(principal, package),
        expires_at_ms=facts.expires_at_ms,
    )


def _packages(principal: Principal, ask: AskPackages, reading: Reading) -> Iterator[Labelled]:
    seen: set[str] = set()
    for package in packages_of(reading).packages(reading.now_ms()):
        facts = package.facts
        if facts is None or not _fits(ask, package, facts):
            continue
        if ask.tool == "private" and facts.submitter != principal.id:
            continue
        # The same file from two senders is one line of a list; the newest that this asker may see.
        if facts.sha256 in seen or reading.release(package.label, package.context).verdict is not Verdict.FULL:
            continue
        if not _is_whole(facts) or not _is_kept(facts.sha256, reading):
            _count_left_out(reading)
            continue
        seen.add(facts.sha256)
        yield Labelled(row_of(principal, package, facts), package.label, package.context)


DIGEST_LEAST = 8
"""Of a digest, so that a file is found by it: fewer would find files that nobody can say why."""


def _fits(ask: AskPackages, package: Package, facts: Facts) -> bool:
    words = {word.strip().lower() for word in (ask.keyword or "").split(",") if word.strip()}
    has = {word.lower() for word in facts.keywords}
    name = facts.name.lower()
    text = (ask.text or "").lower()
    return (
        facts.tool == ask.tool
        and words <= has
        and (ask.name or "").lower() in name
        and (
            text in name
            or any(text in word for word in has)
            or (len(text) >= DIGEST_LEAST and facts.sha256.startswith(text))
        )
        and ask.uid in (None, package.uid)
        and ask.hash in (None, facts.sha256)
        and (ask.mime or facts.mime).lower() == facts.mime
    )


def _is_whole(facts: Facts) -> bool:
    """Has all that a client needs? One row without it makes ATAK throw the whole list away."""
    return bool(facts.name) and facts.size_bytes >= 0 and facts.added_at_ms > 0


def _is_kept(sha256: str, reading: Reading) -> bool:
    try:
        files: Files = reading.part("files")
    except UsageError:
        return False
    return files.find(sha256) is not None


def _count_left_out(reading: Reading) -> None:
    try:
        counts: Counts = reading.part("counts")
    except UsageError:
        return
    counts["packages left out of lists"] += 1


def _package(principal: Principal, ask: AskPackage, reading: Reading) -> Iterator[Labelled]:
    package = packages_of(reading).package(reading.context, ask.uid, reading.now_ms())
    if package is not None and package.facts is not None:
        yield Labelled(row_of(principal, package, package.facts), package.label, package.context)


def _content(principal: Principal, ask: AskContent, reading: Reading) -> Iterator[Labelled]:
    view, now_ms = packages_of(reading), reading.now_ms()
    if ask.hash:
        found = view.of_digest(ask.hash.lower(), now_ms)
    else:
        one = view.package(reading.context, ask.uid or "", now_ms)
        found = [] if one is None else [one]
    for package in found:
        if package.facts is not None and _is_kept(package.facts.sha256, reading):
            yield Labelled(row_of(principal, package, package.facts), package.label, package.context)


class AskLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large a file may be."""


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """How large a file may be."""

    file_bytes: int


def _limit(principal: Principal, ask: AskLimit, reading: Reading) -> Iterator[Labelled]:
    limits: UploadLimits = reading.part("upload_limits")
    yield Labelled(LimitRow(file_bytes=limits.file_bytes), None, reading.context)


def is_needed(sha256: str, views: Mapping[str, View], now_ms: int) -> bool:
    """Does any view still stand on these bytes?"""
    needing: Iterable[object] = list(views.values())
    return any(isinstance(view, NeedsFiles) and view.needs_file(sha256, now_ms) for view in needing)


packages = Query(
    name="packages",
    path="/packages",
    request=AskPackages,
    row=PackageRow,
    role="viewer",
    answer=_packages,
    blocking=True,
    summary="Files and data packages that were sent to this node",
)
package = Query(
    name="package",
    path="/packages/{uid}",
    request=AskPackage,
    row=PackageRow,
    role="viewer",
    answer=_package,
    one=True,
    summary="One file or data package",
)
content = Query(
    name="package_content",
    path="/package_contents",
    request=AskContent,
    row=PackageRow,
    role="viewer",
    answer=_content,
    one=True,
    blocking=True,
    summary="Whose bytes these are",
)
upload_limit = Query(
    name="upload_limit",
    path="/upload_limit",
    request=AskLimit,
    row=LimitRow,
    role="viewer",
    answer=_limit,
    one=True,
    summary="How large a file may be",
)

__all__ = [
    "PACKAGE_KEYWORD",
    "AskContent",
    "AskLimit",
    "AskPackage",
    "AskPackages",
    "LimitRow",
    "PackageRow",
    "content",
    "is_needed",
    "may_change",
    "package",
    "packages",
    "packages_of",
    "row_of",
    "upload_limit",
]
